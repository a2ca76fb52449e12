"""Colours and what they mean, the same on every page, and the ink that is read on each.

Notation follows the habits of the International Business Communication Standards (ISO 24896): what
was is solid and dark, the year before lighter, a target outlined, a forecast hatched; green and red
are better and worse. `tests/look/test_figures.py` computes which of them are told apart by readers
who see no red or no green, and in grey.
"""

import functools

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb

COLORS = {
    "accent": "#1f5a8c",
    "muted": "#b9c2ca",  # the year before, and what is not spoken of
    "text": "#1c2733",
    "subtle": "#5f6a74",
    "A": "#1f5a8c",
    "B": "#7fa8c9",
    "C": "#cfd8df",
    "L": "#b9c2ca",
    "–": "#f0f0f0",
    "ours": "#1f5a8c",
    "rival": "#e4943a",
    "good": "#4a9e8a",
    "bad": "#c9432f",
    "urban": "#1f5a8c",
    "rural": "#e4943a",
    "reference": "#8a8f94",
}
SEQUENTIAL = LinearSegmentedColormap.from_list("calm", ["#eef2f5", "#1f5a8c"])
# of ages and the like, the older the darker; the last two are what is old
AGES = ("#e3eaf0", "#b6cad9", "#84a6c3", "#b0672a", "#7a2213")
# consumers, each with a mark of its own: eight hues are more than grey tells apart
GROUPS = (
    "#1f5a8c",
    "#e4943a",
    "#2f9e77",
    "#b86fa5",
    "#8fc4ea",
    "#e6d04a",
    "#6e2a14",
    "#777d84",
)
MARKS = ("o", "s", "^", "D", "v", "P", "X", "h")
READABLE = 4.5  # contrast of text, WCAG 2.2, 1.4.3
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def luminance(color: object) -> float:
    """Give the relative luminance of a colour, 0 to 1 (WCAG 2.2).

    >>> luminance("white"), luminance("black")
    (1.0, 0.0)
    """
    parts = np.array(to_rgb(color))
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return round(float(linear @ _LUMINANCE), 9)


def contrast(one: object, other: object) -> float:
    """Give the contrast of two colours, 1 to 21 (WCAG 2.2).

    >>> contrast("white", "black")
    21.0
    """
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def ink_on(fill: object) -> str:
    """Give the colour of text on a fill: dark or white, whichever is read; one always is."""
    for ink in (COLORS["text"], "white"):
        if contrast(ink, fill) >= READABLE:
            return ink
    return "black"


@functools.cache
def ink(color: str) -> str:
    """Darken a colour until text of it is read on white, and no more.

    >>> ink(COLORS["text"]) == COLORS["text"]
    True
    """
    parts = np.array(to_rgb(color))
    while contrast(to_hex(parts), "white") < READABLE + 0.05:
        parts = parts * 0.96
    return to_hex(parts)
