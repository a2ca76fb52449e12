"""Grids: what a file holds before anyone has said which row is the header.

Rows of text with the line each of them begins on; whatever opens a file gives these.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from helpers.settings import ReadAs

__all__ = ["Grid", "Note", "ReadAs", "Row"]


class Row(NamedTuple):
    """One row as it stands in the file.

    `line` counts from 1: the physical line of a text file on which the row begins, the row of a
    sheet. An empty cell is "". `has_stray_quote` says that a quote of it was none, or did not end.
    """

    line: int
    cells: list[str]
    has_stray_quote: bool = False


class Note(NamedTuple):
    """What was found in a file that is not the table, or not as it should be.

    `what` is a code ("title", "blank", "repeated_header", "total", "foot", "more_cells",
    "fewer_cells", …).
    """

    what: str
    line: int  # of the first such row
    n_rows: int
    example: str  # that row, as it stands
    is_left_out: bool = False  # its rows are not among those read


class Grid(NamedTuple):
    """One thing of a file that may be a table: a text file, a sheet, a list of objects.

    `rows` gives its rows from the start each time it is called, so that a file is never held whole.
    """

    name: str  # of the sheet or the table in the file; "" where the file is the one thing
    rows: Callable[[], Iterator[Row]]
    is_hidden: bool = False  # a sheet that its spreadsheet does not show
    notes: tuple[Note, ...] = ()  # what its reader has to say before any row is looked at
