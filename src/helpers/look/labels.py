"""Direct labels: names beside and above what they name, kept apart, instead of a legend."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from helpers.look.colors import COLORS, ink, ink_on

SIZE = 9  # points
# of a figure's width, at most, are names beside it; on a phone, or where rows have names too
BESIDE = (0.38, 0.26)


def beside(ax: Axes, labels: Iterable[tuple[float, str, str]], *, leads: bool = False) -> None:
    """Name what ends at the right edge of axes, each at its height.

    Parameters
    ----------
    labels
        Height in data, name, and the colour of what is named, of which its ink is made.
    leads
        A thin line leads from each name to its height.

    The layout keeps the names apart, and cuts them where they would take the drawing's room.
    """
    gap, line = 6, None
    if leads:
        gap, line = 16, {"arrowstyle": "-", "color": COLORS["muted"], "linewidth": 0.6}
        line |= {"relpos": (0, 0.5), "shrinkA": 1, "shrinkB": 0}
    for y, text, color in labels:
        named = ax.annotate(
            text,
            (1, y),
            xycoords=ax.get_yaxis_transform(),
            xytext=(gap, 0),
            arrowprops=line,
            textcoords="offset points",
            va="center",
            fontsize=SIZE,
            color=ink(color),
            annotation_clip=False,
        )
        named.side = "right"


def above(ax: Axes, labels: Iterable[tuple[float, str, str]]) -> None:
    """Name what lies on the top row of axes, each above its place; as `beside`, x for y."""
    for x, text, color in labels:
        named = ax.annotate(
            text,
            (x, 1),
            xycoords=ax.get_xaxis_transform(),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=SIZE,
            color=ink(color),
            annotation_clip=False,
        )
        named.side = "top"


def sides(ax: Axes, side: str) -> list[Annotation]:
    """List the direct labels of axes on a side, "right" or "top"."""
    return [text for text in ax.texts if getattr(text, "side", "") == side]


def beside_in(figure: Figure, width: float) -> float:
    """Give the inches of height that the names beside axes need on a figure so wide."""
    room = BESIDE[True] * width * 72 / (0.6 * SIZE)  # letters to a line
    lines = [
        sum(max(math.ceil(len(text.get_text()) / room), 1) for text in sides(ax, "right"))
        for ax in figure.axes
    ]
    return 0.4 + 1.3 * SIZE / 72 * max(lines, default=0)


def inked(ax: Axes) -> None:
    """Write the numbers of a heat map in the ink that is read on their cells.

    Whoever draws it chooses between two, and neither is read on a middle tone.
    """
    mesh = ax.collections[0]
    mesh.update_scalarmappable()
    fills, numbers = mesh.get_facecolors(), [t for t in ax.texts if t.get_text()]
    n_columns = mesh.get_coordinates().shape[1] - 1
    for text in numbers:
        x, y = text.get_position()
        fill = fills[int(y) * n_columns + int(x)] if len(fills) > 1 else fills[0]
        text.set_color(ink_on(fill))
        text.cell = 1.0  # the layout makes numbers smaller where cells are narrow


def spread(centres: Sequence[float], sizes: Sequence[float], low: float, high: float) -> np.ndarray:
    """Move boxes on a line apart, each as little as may be, between two ends if they fit.

    Parameters
    ----------
    centres, sizes
        Of the boxes, in any order and unit.

    Returns
    -------
    The new centres, in the order given.

    >>> spread([5, 5, 9], [2, 2, 2], 0, 10).tolist()
    [4.0, 6.0, 9.0]
    """
    order = np.argsort(centres, kind="stable")
    blocks: list[list] = []  # [where its boxes would all like to begin, length, boxes]
    for i in order:
        blocks.append([centres[i] - sizes[i] / 2, float(sizes[i]), [i]])
        while len(blocks) > 1 and _begin(blocks[-2], low, high) + blocks[-2][1] > _begin(
            blocks[-1], low, high
        ):
            start, length, boxes = blocks.pop()
            before = blocks[-1]
            n, m = len(before[2]), len(boxes)
            # the mean wish of all its boxes, each for where it stands in the block
            before[0] = (n * before[0] + m * (start - before[1])) / (n + m)
            before[1] += length
            before[2] += boxes
    placed = np.zeros(len(centres))
    for block in blocks:
        at = _begin(block, low, high)
        for i in block[2]:
            placed[i] = at + sizes[i] / 2
            at += sizes[i]
    return placed


def _begin(block: Sequence, low: float, high: float) -> float:
    return max(min(block[0], high - block[1]), low)
