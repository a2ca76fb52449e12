"""The plan that people agreed to, written beside the toml: the only file of theirs we write."""

from pathlib import Path

import pandas as pd

from helpers import files
from helpers.data.read import dealers, records
from helpers.settings import Workbook, contract, refusal


def keep_plan(book: Workbook, plan: pd.DataFrame) -> Path:
    """Write a plan beside the workbook's toml as `plan.csv`, where it wins over any other.

    Open the workbook anew then.

    Only the columns of the contract are kept, and of a workbook cut to a scope also the rows that
    it does not show. A `plan.csv` that said something else becomes
    `plan.csv.bak`; a crash leaves the old file or the new one, whole.

    Raises
    ------
    DataError
        If a row lacks what the contract requires, or its text would run as a formula when people
        open it in a spreadsheet.
    """
    columns = contract()["plan"]
    rows = plan.reindex(columns=list(columns))
    if book.scope and book.has("plan"):
        rows = _with_hidden(book, rows)
    for name, column in columns.items():
        if column.required and (n := int(rows[name].isna().sum())):
            raise refusal("plan_missing", n=n, name=name)
        if column.kind == "date":
            rows[name] = pd.to_datetime(rows[name]).dt.strftime("%Y-%m-%d")
        elif column.kind in ("number", "money"):
            digits = "{:.2f}" if column.kind == "money" else "{!r}"
            rows[name] = rows[name].astype("float64").map(digits.format, na_action="ignore")
        elif (
            bad := rows[name].map(lambda cell: isinstance(cell, str) and files.is_formula(cell))
        ).any():
            raise refusal("plan_formula", name=name, value=rows.loc[bad, name].iloc[0])
    path, text = (
        book.folder / "plan.csv",
        rows.to_csv(index=False, lineterminator="\n").encode("utf-8-sig"),
    )
    before = path.read_bytes() if path.exists() else text
    # written twice, the same plan does not push the one before out of the backup
    if before != text:
        files.write(path.with_name("plan.csv.bak"), before)
    files.write(path, text)
    return path


def _with_hidden(book: Workbook, plan: pd.DataFrame) -> pd.DataFrame:
    """Add the actions that a scope does not show, but those that the plan says anew."""
    inside = set(dealers(book)["dealer_id"])
    hidden = records(book.whole, "plan").reindex(columns=plan.columns)
    hidden = hidden[~hidden["dealer_id"].isin(inside)]
    key = ["factor_id", "dealer_id", "owner"]
    anew = pd.MultiIndex.from_frame(hidden[key].fillna("")).isin(
        pd.MultiIndex.from_frame(plan[key].fillna(""))
    )
    return pd.concat([plan, hidden[~anew]], ignore_index=True)
