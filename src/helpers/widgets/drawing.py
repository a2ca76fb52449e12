"""How an explorer shows things: as HTML, an error as a sentence, never into an `Output`.

ipywidgets' own `interactive_output` would draw into an `Output`. No notebook of ours opens one:
nbclient answers it while it waits for the cell's end, and then may never hear of that
(`tests/benchmarks/hanging_output.py`).
"""

from collections.abc import Callable, Iterable

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from helpers import look, words
from helpers.look import figures


def drawn(things: Callable[[], Iterable[object]]) -> str:
    """Turn what `things` gives into HTML: tables, sentences, axes.

    An error becomes a sentence, for the next choice may do; figures are closed.
    """
    before = set(plt.get_fignums())
    try:
        return as_output("".join(map(_html, things())))
    except Exception as error:
        return failed(error)
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)


def failed(error: Exception) -> str:
    """Say that a choice can't be shown, and why."""
    told = words.say("explore.failed", error=f"{type(error).__name__}: {error}")
    return said([told])


def said(sentences: Iterable[str]) -> str:
    """Write sentences."""
    return as_output(look.Prose(sentences)._repr_html_())


def as_output(markup: str) -> str:
    """Have JupyterLab set a widget's markup as it sets that of a cell's output."""
    return f'<div class="jp-OutputArea-output jp-RenderedHTMLCommon">{markup}</div>'


def _html(thing: object) -> str:
    if thing is None:  # nothing to draw
        return ""
    if not isinstance(thing, Axes):
        return thing._repr_html_()
    markup = figures.picture(thing.figure)
    if not markup.startswith("<img "):  # a note stands in its place
        return markup
    width, height = thing.figure.get_size_inches()
    # its room is known before the browser has decoded it: what stands below does not jump
    room = f"width:{width * 100:.0f}px;max-width:100%;aspect-ratio:{width:.2f}/{height:.2f}"
    return f'{markup.removesuffix(">")} style="{room}">'
