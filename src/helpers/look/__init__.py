"""Looks: figures, tables and prose; the only room that knows matplotlib's settings and HTML."""

from helpers.look.colors import AGES, COLORS, GROUPS, MARKS, SEQUENTIAL, ink, ink_on
from helpers.look.figures import (
    MANY,
    NARROW_IN,
    WIDTH_IN,
    axes,
    explain,
    instead,
    money_axis,
    nothing,
    share_axis,
)
from helpers.look.fonts import FONT
from helpers.look.labels import above, beside, inked
from helpers.look.notation import OUTLINED, hatched
from helpers.look.sections import IMAGES, first_note, note, shown_cells
from helpers.look.style import (
    BY_INDICATOR,
    DEALERS_PAGE,
    Prose,
    against_note,
    anchor,
    cells,
    day_note,
    digits_of,
    months_note,
    rules,
    table,
    use,
    window_note,
)
from helpers.look.whole import ROWS_CARRIED, packed, unpacked

__all__ = [
    "AGES",
    "BY_INDICATOR",
    "COLORS",
    "DEALERS_PAGE",
    "FONT",
    "GROUPS",
    "IMAGES",
    "MANY",
    "MARKS",
    "NARROW_IN",
    "OUTLINED",
    "ROWS_CARRIED",
    "SEQUENTIAL",
    "WIDTH_IN",
    "Prose",
    "above",
    "against_note",
    "anchor",
    "axes",
    "beside",
    "cells",
    "day_note",
    "digits_of",
    "explain",
    "first_note",
    "hatched",
    "ink",
    "ink_on",
    "inked",
    "instead",
    "money_axis",
    "months_note",
    "note",
    "nothing",
    "packed",
    "rules",
    "share_axis",
    "shown_cells",
    "table",
    "unpacked",
    "use",
    "window_note",
]
