"""The contract of tables and columns, and the error for what breaks it."""

import csv
import difflib
import functools
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from helpers import words


class DataError(ValueError):
    """Something in the settings or the data that a person has to put right.

    The message says what and where.
    """


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
    near = difflib.get_close_matches(name, list(known), 1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"


def require_known(given: Mapping, known: Iterable[str], where: str, what: str) -> None:
    """Raise a DataError that names the nearest known key, unless a section has known keys only."""
    if not isinstance(given, Mapping):
        raise DataError(f"{where}: here a section with keys is expected, not {given!r}")
    for name in given:
        if name not in known:
            raise DataError(f"{where}: unknown {what} {name!r}{nearest(name, known)}")
