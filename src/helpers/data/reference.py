"""Reference tables that people edit: a workbook's own wins over the shared one."""

import pandas as pd

from helpers import words
from helpers.settings import DataError, Workbook


def reference(book: Workbook, name: str) -> pd.DataFrame:
    """Read an editable reference table; one beside the workbook's toml wins over the shared one.

    Raises
    ------
    DataError
        If there is no such table, or the own one lacks a column of the shared one.
    """
    shared, own = words.REFERENCE / f"{name}.csv", book.folder / f"{name}.csv"
    if not shared.exists():
        raise DataError(f"reference table {name!r}: there is none in data/reference")
    rows = pd.read_csv(shared, keep_default_na=False, na_values=[""])
    if own.is_file():
        mine = pd.read_csv(own, keep_default_na=False, na_values=[""])
        if missing := [c for c in rows.columns if c not in mine.columns]:
            raise DataError(f"{own}: no column {missing[0]!r}; it needs {', '.join(rows.columns)}")
        rows = mine
    return rows
