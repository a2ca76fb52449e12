"""Looks: figures, tables and prose; the only room that knows matplotlib's settings and HTML."""

from helpers.look.fonts import FONT
from helpers.look.sections import IMAGES, first_note, note, shown_cells
from helpers.look.style import (
    BY_INDICATOR,
    COLORS,
    DEALERS_PAGE,
    GROUPS,
    MANY,
    SEQUENTIAL,
    WIDTH_IN,
    Prose,
    anchor,
    axes,
    explain,
    money_axis,
    nothing,
    scope,
    share_axis,
    table,
    use,
)

__all__ = [
    "BY_INDICATOR",
    "COLORS",
    "DEALERS_PAGE",
    "FONT",
    "GROUPS",
    "IMAGES",
    "MANY",
    "SEQUENTIAL",
    "WIDTH_IN",
    "Prose",
    "anchor",
    "axes",
    "explain",
    "first_note",
    "money_axis",
    "note",
    "nothing",
    "scope",
    "share_axis",
    "shown_cells",
    "table",
    "use",
]
