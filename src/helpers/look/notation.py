"""Notation: how a target and a forecast are drawn, after the International Business Communication
Standards (ISO 24896).
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from helpers.look.colors import COLORS

# a target, a plan, an estimate: nobody has it yet
OUTLINED = {"facecolor": "none", "edgecolor": COLORS["text"], "linewidth": 1.1}
STROKES = 26  # of a hatch, over the height of the highest bar


def hatched(ax: Axes, x: np.ndarray, heights: np.ndarray, width: float) -> None:
    """Draw bars of a forecast: outlined, filled with strokes.

    Each stroke is a line of its own: a hatch of the renderer's is blurred on paper.

    Parameters
    ----------
    x, heights
        Of the bars, in data; a bar below zero hangs.
    """
    heights = np.asarray(heights, float)
    ax.bar(x, heights, width, **OUTLINED | {"edgecolor": COLORS["accent"]}, zorder=2)
    top = np.nanmax(np.abs(heights), initial=0.0)
    if not top > 0:
        return
    step, strokes = top / STROKES, []
    for at, height in zip(x, heights, strict=True):
        size, sign = abs(height), 1 if height >= 0 else -1
        for start in np.arange(-step, size, step):
            low, high = max(start, 0.0), min(start + step, size)
            if high > low:
                left = at - width / 2
                ends = [(left + width * (y - start) / step, sign * y) for y in (low, high)]
                strokes.append(ends)
    ax.add_collection(
        LineCollection(strokes, colors=COLORS["accent"], linewidths=0.9, zorder=2), autolim=False
    )
