"""Grids: what a file holds before anyone has said which row is the header.

Rows of text with the line each of them begins on; whatever opens a file gives these.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from helpers.settings import ReadAs

__all__ = ["TYPED", "Grid", "Note", "Number", "ReadAs", "Row", "typed_cells", "typed_names"]

# a column beside those of a table: which cells of a row are numbers, and no texts that look so
TYPED = "cells that are numbers"
_APART = "\x1f"  # stands around each name


class Number(str):
    """A number as text, written with a point: its file says that it is one."""

    __slots__ = ()


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


def typed_cells(names: Sequence[str], cells: Sequence[str | None]) -> str:
    r"""Name the cells of a row that are numbers, for `TYPED`.

    >>> typed_cells(("id", "sum"), ("7", Number("1.5")))
    '\x1fsum\x1f'
    """
    found = [name for name, cell in zip(names, cells, strict=False) if type(cell) is Number]
    return typed_names(found)


def typed_names(names: Sequence[str]) -> str:
    """Name the columns that are numbers, as `typed_cells` does."""
    return f"{_APART}{_APART.join(names)}{_APART}" if names else ""
