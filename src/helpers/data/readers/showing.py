"""Showing: what is read of a file, as plain CSV, and what is not, in words."""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from helpers.data.readers import layouts, opening
from helpers.data.readers.grid import Note, ReadAs

SAID = {  # what was found, of one row and of several
    "title": ("a title above the header", "titles above the header"),
    "blank": ("a blank row", "blank rows"),
    "drawn": (
        "a line that is drawn, or the head of a page",
        "lines that are drawn, or heads of pages",
    ),
    "repeated_header": ("the header once more", "repetitions of the header"),
    "total": ("a total", "totals"),
    "like_total": (
        "a row that is called a total, and is not the sum of those above",
        "rows that are called totals, and are not the sum of those above",
    ),
    "total_differs": (
        "a total that is not the sum of the rows above it",
        "totals that are not the sum of the rows above them",
    ),
    "balance": ("a balance that a ledger carries", "balances that a ledger carries"),
    "group": ("the title of a group, filled in below it", "titles of groups, filled in below them"),
    "labels": (
        "a row without the label of its group, filled in",
        "rows without the label of their group, filled in",
    ),
    "foot": ("a remark under the table", "remarks under the table"),
    "second_table": ("a row of a second table", "rows of a second table"),
    "same_columns": (
        "a row under a header of the same columns in another order",
        "rows under a header of the same columns in another order",
    ),
    "stray_quote": (
        "a row with a quotation mark out of place",
        "rows with a quotation mark out of place",
    ),
    "fewer_cells": (
        "a row with fewer cells than the others",
        "rows with fewer cells than the others",
    ),
    "more_cells": ("a row with more cells than the others", "rows with more cells than the others"),
    "header_cells": ("a header of another width than the rows", ""),
    "header_rows": ("", "rows that make the header"),
    "wide": ("", "columns of months, each turned into a row with date, month and value"),
    "long_number": (
        "a number of more digits than a spreadsheet keeps",
        "numbers of more digits than a spreadsheet keeps",
    ),
    "merged": ("a merged cell filled in", "merged cells filled in"),
    "merged_number": ("a merged number that was not filled in", "merged numbers not filled in"),
    "page": ("a row that the file says it does not hold", "rows that the file does not hold"),
    "empty": ("", "rows: it is empty"),
    "no_delimiter": ("nothing that parts cells", ""),
}
PLAIN = ("header_rows", "wide")  # notes that say how a file was read, not that anything is amiss


def shown(path: Path, read_as: ReadAs) -> tuple[Iterator[str], tuple[Note, ...]]:
    """Give a file's table as lines of CSV, cells as they stand, and what is to be said of it.

    The header is a line as any other; where a file has none, none is made up.

    Raises
    ------
    DataError
        If it can't be read, or does not tell what it is.
    """
    if not path.stat().st_size:
        return iter(()), (Note("empty", 1, 0, "", True),)
    found = opening.read(path, read_as, path.name)
    layout = found.layout

    def lines() -> Iterator[str]:
        if layout.header:
            yield csv_line(layout.header)
        for row in layouts.rows_of(found.grid, layout):
            yield csv_line(row.cells)

    return lines(), found.notes


def said(notes: tuple[Note, ...]) -> list[str]:
    """Say what was found in a file that is not the table, or not as it should be.

    >>> said((Note("total", 290, 1, "Total, 12", True), Note("blank", 7, 2, "", True)))
    ['left out: line 290, a total, e.g. Total, 12', 'left out: from line 7 on, 2 blank rows']
    """
    found = []
    for note in notes:
        if note.what == "misnamed":  # of the file, not of rows
            found.append(note.example)
            continue
        one, many = SAID.get(note.what, (note.what.replace("_", " "),) * 2)
        left_out = "left out: " if note.is_left_out else ""
        where = f"line {note.line:,}, {one}" if note.n_rows == 1 and one else ""
        where = where or f"from line {note.line:,} on, {note.n_rows:,} {many or one}"
        found.append(f"{left_out}{where}" + (f", e.g. {note.example}" if note.example else ""))
    return found


def is_remarkable(note: Note) -> bool:
    """Whether a note says more than how the header was put together."""
    return note.what != "header_rows"


def is_whole(notes: tuple[Note, ...]) -> bool:
    """Whether a file was read as it stands, with nothing left out and nothing amiss."""
    return all(note.what in PLAIN for note in notes)


def csv_line(cells: Iterable[str]) -> str:
    """Write cells as a line of CSV.

    >>> csv_line(["a, b", "c"])
    '"a, b",c\\n'
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
