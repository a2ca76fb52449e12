"""Figures: axes of a page's width, their title, note and words for who can't see them, and the
narrow drawing of each that a phone shows.
"""

import base64
import contextlib
import functools
import html
import io
import os
import re
from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from matplotlib.ticker import FuncFormatter, NullFormatter
from PIL import Image

from helpers.look import labels, layout, sections, svg
from helpers.look.colors import COLORS
from helpers.words import NO_BREAK, bound, fitting, listed, money, percent, say, spoken

WIDTH_IN = 9.2  # the text column of a page
NARROW_IN = 3.7  # of a phone 390 pixels wide, 355 pixels for a figure at 96 to the inch
TITLE, SUBTITLE, SOURCE = 13, 9.5, 8  # points
NARROW = 0.86  # of these on a phone
# what stays on one line: a word, or a Chinese character with the punctuation that follows it
HAN = "\u2e80-\u2fff\u3040-\u9fff\uf900-\ufaff"
PIECE = rf"[“‘（《]*[{HAN}][，。、：；！？）》”’…]* ?|[^ {HAN}]+ ?| "
MOST_TOLD = 60  # names in full that words tell
KEPT = 20_000  # words that were measured
MANY = 800  # marks: beyond, a PNG is lighter
N_COLORS = 128  # of a dense figure


def axes(
    n_columns: int = 1,
    *,
    height: float = 3.6,
    width: float = WIDTH_IN,
    width_ratios: list[float] | None = None,
    dense: bool = False,
    narrow: bool = False,
):
    """Make the axes of one figure of page width, with room for title, subtitle and source.

    Parameters
    ----------
    height, width
        Inches of the whole figure. One of half the page's width has a neighbour on a card.
    dense
        More than `MANY` marks: the page gets a PNG instead of an SVG.
    narrow
        As wide as a phone, several axes below one another: for a `figure.narrow` (`narrowed`).
    """
    figure, made = plt.subplots(
        1,
        n_columns,
        figsize=(NARROW_IN if narrow else width, height),
        layout=layout.Layout(is_narrow=narrow),
        gridspec_kw={"width_ratios": width_ratios} if width_ratios else None,
    )
    figure.dense = dense
    if "inline" in mpl.get_backend():
        # it draws every figure once more, for nobody, before the notebook shows it
        plt.uninstall_repl_displayhook()
    return made


def explain(
    ax: Axes,
    title: str,
    subtitle: str = "",
    source: str = "",
    alt: str = "",
    *,
    inner: float = 0.0,
) -> Axes:
    """Write the finding over a figure, its note under that, the source below, and the words for
    who can't see it.

    `ax` may be any of the figure's axes. Without `alt`, title and subtitle are its alternative
    text. With `inner` the figure is made so high that as many inches are left to draw on.
    """
    figure = ax.figure
    figure.said = (title, subtitle, source)
    taken = _write(figure)
    if inner:
        figure.set_size_inches(figure.get_size_inches()[0], taken + inner)
        _write(figure)
    figure.alt_text = alt or f"{title.rstrip('.。')}. {subtitle}".strip()
    return ax


def _write(figure: Figure) -> float:
    """Write what a figure is told by, as wide as it is; -> inches of its height that it takes."""
    for text in getattr(figure, "written", ()):
        text.remove()
    title, subtitle, source = figure.said
    width, height = figure.get_size_inches()
    # a narrow figure stands beside another, or on a phone
    small = NARROW if width < WIDTH_IN / 1.5 else 1.0
    # the Chinese font comes in one weight
    bold = {"fontweight": "bold"} if spoken() == "en" else {}
    faint = {"color": COLORS["subtle"], "linespacing": 1.25}
    written, used = [], 0.04
    parts = ((title, TITLE * small, bold), (subtitle, max(SUBTITLE * small, 8.2), faint))
    for text, size, looks in parts:
        if not text:
            continue
        lines = _lines(text, width, size, looks.get("fontweight", "normal"))
        place = (0.006, 1 - used / height)
        written.append(figure.text(*place, "\n".join(lines), fontsize=size, va="top", **looks))
        used += len(lines) * size * 1.27 / 72 + 0.03
    below = 0.0
    if source:
        lines = _lines(source, width, SOURCE)
        place = (0.006, 0.04 / height)
        written.append(figure.text(*place, "\n".join(lines), fontsize=SOURCE, va="bottom", **faint))
        below = 0.1 + len(lines) * SOURCE * 1.27 / 72
    figure.written = written
    if engine := figure.get_layout_engine():
        engine.set(rect=(0, below / height, 1, 1 - (used + 0.07 + below) / height))
    return used + 0.07 + below


def nothing(sentence: str, ax: Axes | None = None) -> Axes:
    """Say in a figure's place why there is none: an empty frame would look like a finding."""
    ax = ax or axes(height=0.9)
    ax.set_axis_off()
    ax.figure.text(
        0.006,
        0.5,
        "\n".join(_lines(sentence, ax.figure.get_size_inches()[0], 10.5)),
        fontsize=10.5,
        va="center",
        color=COLORS["subtle"],
    )
    ax.figure.alt_text = ax.figure.nothing = sentence
    return ax


def instead(title: str, ax: Axes | None = None) -> Axes:
    """Say a figure's finding as a sentence, where the drawing would add nothing to it.

    So of one bar, of lines that lie on each other, of a grid with one full row.
    """
    stop = "." if spoken() == "en" else "。"
    return nothing(title.rstrip(".。") + stop, ax)


def _lines(text: str, width: float, size: float, weight: str = "normal") -> list[str]:
    """Cut a text into lines that a figure so many inches wide holds, none of which ends between a
    number and its unit.
    """
    # a screen sets letters a little wider than a drawing
    room, family = (width * 70 - 10) / size, tuple(mpl.rcParams["font.family"])
    lines, used = [""], 0.0
    pieces = re.findall(PIECE, bound(" ".join(text.split(" "))))
    while pieces:
        piece = pieces.pop(0)
        long = _em(piece.rstrip(" "), weight, family)
        if long > room and len(piece) > 1:  # as no word of ours is
            most = max(int(len(piece) * room / long * 0.9), 1)
            pieces[:0] = [piece[:most], piece[most:]]
            continue
        if lines[-1] and used + long > room:
            lines.append("")
            used = 0.0
        lines[-1] += piece
        used += _em(piece, weight, family)
    return [line.rstrip(" ").replace(NO_BREAK, " ") for line in lines]


@functools.lru_cache(KEPT)
def _em(text: str, weight: str, family: tuple[str, ...]) -> float:
    """Measure a piece of text, for letters of one point."""
    font = FontProperties(family=list(family), weight=weight, size=100)
    return text_to_path.get_text_width_height_descent(text, font, ismath=False)[0] / 100


def share_axis(axis: mpl.axis.Axis, digits: int = 0) -> None:
    """Print an axis of shares 0–1 as percent."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: percent(value, digits)))


def money_axis(axis: mpl.axis.Axis) -> None:
    """Print an axis of amounts short, without unit: the axis label names it."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: money(value, unit=False)))
    # on a logarithmic axis they would be written as powers of ten
    axis.set_minor_formatter(NullFormatter())


# ---- what is shown -------------------------------------------------------------------------------


@contextlib.contextmanager
def narrowed(figure: Figure) -> Iterator[Figure]:
    """Lay a figure out for a phone while it is drawn: panels below one another, names cut.

    What is drawn keeps its height; title and note take more lines. A figure whose drawing has a
    shape of its own says by `figure.narrow`, which makes axes, how it is made for a phone.
    """
    if make := getattr(figure, "narrow", None):
        other = make().figure
        try:
            yield other
        finally:
            plt.close(other)
        return
    width, height = figure.get_size_inches()
    engine = figure.get_layout_engine()
    panels = sum(ax.get_in_layout() for ax in figure.axes)
    inner = (height - _write(figure)) * layout.taller(figure, NARROW_IN)
    inner = max(inner, labels.beside_in(figure, NARROW_IN))
    try:
        engine.is_narrow = True
        figure.set_size_inches(NARROW_IN, height)
        taken = _write(figure)
        share = 1.0 if panels == 1 else 0.8 * panels
        figure.set_size_inches(NARROW_IN, taken + share * inner)
        _write(figure)
        yield figure
    finally:
        engine.is_narrow = False
        figure.set_size_inches(width, height)
        _write(figure)


def rendered(figure: Figure, kind: str):
    """Draw a figure for a notebook, as "svg" or "png", if that is how it is shown.

    Returns
    -------
    The drawing and its metadata: `alt`, its words, and for a page of an edition `narrow`, its
    drawing for a phone; else None.
    """
    if getattr(figure, "nothing", "") or (kind == "png") is not getattr(figure, "dense", False):
        return None
    wide = _drawn(figure, kind)
    told = {"alt": _alt(figure)}
    is_wide = hasattr(figure, "said") and figure.get_size_inches()[0] > WIDTH_IN / 1.5
    if is_wide and os.environ.get("WORKBOOK_PAGE"):  # by hand nobody has a phone
        with narrowed(figure) as other:
            narrow = _drawn(other, kind)
        told["narrow"] = narrow if kind == "svg" else base64.b64encode(narrow).decode()
    return wide, told


def _drawn(figure: Figure, kind: str) -> str | bytes:
    return png(figure, mpl.rcParams["savefig.dpi"]) if kind == "png" else svg.drawn(figure)


def _alt(figure: Figure) -> str:
    """Give a figure's words, with the names in full that its room has cut."""
    alt = getattr(figure, "alt_text", "")
    cut = getattr(figure.get_layout_engine(), "cut", ())
    names = listed(map(fitting, cut), MOST_TOLD)
    return f"{alt} {say('figure.names', names=names)}" if cut else alt


def png(figure: Figure, dpi: float) -> bytes:
    """Draw a figure as PNG of few colours, a quarter of the bytes.

    None is off by more than an eye sees.
    """
    before = figure.dpi
    try:
        figure.dpi = dpi
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        drawn = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    finally:
        figure.dpi = before
    packed = io.BytesIO()
    # neither the best palette nor the last percent of bytes is worth three times the time
    few = drawn.quantize(N_COLORS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(packed, "png", compress_level=7)
    return packed.getvalue()


def picture(figure: Figure) -> str:
    """Give a figure as an HTML image that holds its own drawing and alternative text, or the note
    in its place.
    """
    if missing := getattr(figure, "nothing", ""):
        return sections.note(missing)
    kind = "png" if getattr(figure, "dense", False) else "svg"
    drawn = _drawn(figure, kind)
    data = base64.b64encode(drawn if kind == "png" else drawn.encode()).decode()
    mime = "image/png" if kind == "png" else "image/svg+xml"
    return f'<img src="data:{mime};base64,{data}" alt="{html.escape(_alt(figure))}">'
