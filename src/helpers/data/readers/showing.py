"""Showing: what is read of a file, as plain CSV, and what is not, in words."""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from helpers import words
from helpers.data.readers import layouts, opening
from helpers.data.readers.grid import Note, ReadAs

# what may be found in a file, by its code; `note.<code>` in `sentences.csv` says it
SAID = (
    "title",
    "blank",
    "drawn",
    "repeated_header",
    "total",
    "like_total",
    "total_differs",
    "balance",
    "group",
    "labels",
    "foot",
    "second_table",
    "same_columns",
    "stray_quote",
    "fewer_cells",
    "more_cells",
    "header_cells",
    "header_rows",
    "wide",
    "long_number",
    "merged",
    "merged_number",
    "page",
    "empty",
    "no_delimiter",
)
SEVERAL = ("header_rows", "wide", "empty")  # of which one is said as several are
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
        is_known = note.what in SAID
        what = words.message(f"note.{note.what}", n=note.n_rows) if is_known else note.what
        is_one = note.n_rows == 1 and note.what not in SEVERAL
        where = "note.on_line" if is_one else "note.from_line"
        told = words.message(where, line=note.line, n=note.n_rows, what=what)
        if note.is_left_out:
            told = words.message("note.left_out", said=told)
        if note.example:
            told = words.message("note.eg", said=told, example=note.example)
        found.append(told)
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
