"""Reference tables that people edit: a workbook's own wins over the shared one."""

import pandas as pd

from helpers import words
from helpers.settings import Workbook, own_table, refusal


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
        raise refusal("no_reference", name=name)
    rows = pd.read_csv(shared, keep_default_na=False, na_values=[""])
    if own:
        try:
            mine = pd.read_csv(own, keep_default_na=False, na_values=[""])
        except ValueError as error:  # torn, empty, or saved in another encoding
            raise refusal("reference_csv", own=own, reason=str(error).splitlines()[0]) from None
        if missing := [c for c in rows.columns if c not in mine.columns]:
            raise refusal(
                "reference_column", own=own, column=missing[0], known=", ".join(rows.columns)
            )
        rows = mine
    return rows
