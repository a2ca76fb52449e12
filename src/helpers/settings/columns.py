"""The contract of tables and columns, and the error for what breaks it."""

import csv
import difflib
import functools
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from helpers import words

MOST_NAMED = 30  # of what is known, where nothing is near


PLAN_STATUSES = ("open", "done", "dropped")  # of an action; who names none has it open


class DataError(ValueError):
    """Something in the settings or the data that a person has to put right.

    The message says what and where.
    """


class RowsError(DataError):
    """Rows of a file that are not as they should be: where the first stands, and how many."""

    def __init__(self, said: str, file: str, line: int, n_rows: int) -> None:
        """Say it as any error; file, line and number are for programs."""
        super().__init__(said)
        self.file, self.line, self.n_rows = file, line, n_rows

    @property
    def place(self) -> tuple[str, int]:
        """File and line."""
        return self.file, self.line

    def told(self, said: str) -> "RowsError":
        """Say the same in other words."""
        return RowsError(said, self.file, self.line, self.n_rows)


class Column(NamedTuple):
    """One column of the contract."""

    kind: str  # id, text, date, month, money or number
    required: bool
    key: bool
    unit: str
    meaning: str


@functools.cache
def contract() -> dict[str, dict[str, Column]]:
    """Read the table contract.

    Table → column → kind, whether it is required, whether it is part of the key.
    """
    tables: dict[str, dict[str, Column]] = {}
    with (words.REFERENCE / "columns.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            tables.setdefault(row["table"], {})[row["column"]] = Column(
                row["kind"],
                row["required"] == "yes",
                row["key"] == "yes",
                row["unit"],
                row["meaning"],
            )
    return tables


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest what was meant, as the end of a sentence.

    >>> nearest("sel_in", ["sell_in", "stock"])
    "; did you mean 'sell_in'?"
    """
    known = list(known)
    near = difflib.get_close_matches(name, known, 1, cutoff=0.5)
    if near:
        return f"; did you mean {near[0]!r}?"
    more = f", … ({len(known):,} in all)" if len(known) > MOST_NAMED else ""
    return f"; known are {', '.join(known[:MOST_NAMED])}{more}"


def require_known(given: Mapping, known: Iterable[str], where: str, what: str) -> None:
    """Raise a DataError that names the nearest known key, unless a section has known keys only."""
    if not isinstance(given, Mapping):
        raise DataError(f"{where}: here a section with keys is expected, not {given!r}")
    for name in given:
        if name not in known:
            raise DataError(f"{where}: unknown {what} {name!r}{nearest(name, known)}")
