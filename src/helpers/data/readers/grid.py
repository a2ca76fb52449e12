"""Grids: what a file holds before anyone has said which row is the header.

Rows of text with the line each of them begins on; whatever opens a file gives these.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from helpers.settings import ReadAs

__all__ = [
    "TYPED",
    "Grid",
    "Measured",
    "Note",
    "Number",
    "ReadAs",
    "Row",
    "typed_cells",
    "typed_names",
    "unit_sql",
]

# a column beside those of a table: which cells of a row are numbers, and no texts that look so
TYPED = "cells that are numbers"
_APART, _BEFORE = "\x1f", "\x1e"  # stand around each name, and between a unit and a name


class Number(str):
    """A number as text, written with a point: its file says that it is one."""

    __slots__ = ()


class Measured(Number):
    """A number whose spreadsheet shows a currency beside it, or a percent sign: its `unit`."""

    __slots__ = ("unit",)
    unit: str

    def __new__(cls, text: str, unit: str) -> "Measured":
        """Give a number's text its unit."""
        number = super().__new__(cls, text)
        number.unit = unit
        return number


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
    found = []
    for name, cell in zip(names, cells, strict=False):
        if isinstance(cell, Number):
            found.append(name)
            if isinstance(cell, Measured):
                found.append(f"{cell.unit}{_BEFORE}{name}")
    return typed_names(found)


def unit_sql(name: str) -> str:
    """Write what gives the unit of a column's cell by `TYPED`; '' where it has none."""
    behind = re.escape(f"{_BEFORE}{name}{_APART}").replace("'", "''")
    return f"regexp_extract(\"{TYPED}\", '{_APART}([^{_APART}{_BEFORE}]+){behind}', 1)"


def typed_names(names: Sequence[str]) -> str:
    """Name the columns that are numbers, as `typed_cells` does."""
    return f"{_APART}{_APART.join(names)}{_APART}" if names else ""
