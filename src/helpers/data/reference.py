"""Reference tables that people edit: a workbook's own wins over the shared one."""

import pandas as pd

from helpers import words
from helpers.settings import DataError, Workbook, own_table


def reference(book: Workbook, name: str) -> pd.DataFrame:
    """Read an editable reference table; a workbook's own wins over the shared one.

    It lies beside the toml, or in its project's `data/reference/`.

    Raises
    ------
    DataError
        If there is no such table, or the own one lacks a column of the shared one, or is no CSV in
        UTF-8.
    """
    shared, own = words.REFERENCE / f"{name}.csv", own_table(book.path, name)
    if not shared.exists():
        raise DataError(f"reference table {name!r}: there is none in data/reference")
    rows = pd.read_csv(shared, keep_default_na=False, na_values=[""])
    if own:
        try:
            mine = pd.read_csv(own, keep_default_na=False, na_values=[""])
        except ValueError as error:  # torn, empty, or saved in another encoding
            raise DataError(
                f"{own}: this is no CSV in UTF-8: {str(error).splitlines()[0]}"
            ) from None
        if missing := [c for c in rows.columns if c not in mine.columns]:
            raise DataError(f"{own}: no column {missing[0]!r}; it needs {', '.join(rows.columns)}")
        rows = mine
    return rows
