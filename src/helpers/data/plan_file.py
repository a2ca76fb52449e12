"""The plan that people agreed to and the sessions that they scored, written beside the toml: the
only files of theirs we write.
"""

import dataclasses
import re
from pathlib import Path

import pandas as pd

from helpers import files
from helpers.data.read import dealers, records
from helpers.data.tables import table, with_sessions
from helpers.settings import Workbook, contract, refusal, workbook

ACTION = ["factor_id", "dealer_id", "owner"]  # what makes an action the same one
SESSION = re.compile(r"\w(?:[\w .-]{0,38}\w)?")  # a name that a file and a sentence can have


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
    rows = plan.reindex(columns=list(contract()["plan"]))
    if book.scope and book.has("plan"):
        rows = _with_hidden(book, rows)
    path = book.folder / "plan.csv"
    _keep(path, _written("plan", rows))
    return path


def add_to_plan(book: Workbook, plan: pd.DataFrame) -> Path:
    """Write actions beside the toml as `keep_plan` does, together with those agreed on before.

    Of the same factor, dealer and owner the new action takes the earlier one's place.
    """
    rows = plan.reindex(columns=list(contract()["plan"]))
    if book.has("plan"):
        before = table(book, "plan").to_pandas().reindex(columns=rows.columns)
        before = before[~_is_among(before, rows)].astype("object")
        rows = pd.concat([before, rows.astype("object")], ignore_index=True)
    return keep_plan(book, rows)


def keep_session(
    book: Workbook,
    scores: pd.DataFrame,
    comparisons: pd.DataFrame | None = None,
    *,
    again: bool = False,
) -> list[Path]:
    """Write a session beside the workbook's toml, as `scores.csv` and `comparisons.csv`, where it
    is added to those that the toml names.

    Open the workbook anew then. What lies there of other sessions stays; a file that said something
    else becomes `….csv.bak`. Written a second time the same way, nothing happens.

    Parameters
    ----------
    scores, comparisons
        The contract's tables, of one session; one of them may have no rows, or be left out.
    again
        Whether a session of that name that lies beside the toml is replaced: a sheet that was
        corrected is read anew. One that the toml's own table holds never is.

    Raises
    ------
    DataError
        If there is nothing to write, the session is known already, or a row lacks what the contract
        requires.
    """
    given = {"scores": scores}
    if comparisons is not None:
        given["comparisons"] = comparisons
    named = sorted({name for rows in given.values() for name in rows["session"].dropna()})
    if len(named) != 1:
        raise refusal("one_session", n=len(named), sessions=", ".join(named))
    require_session(named[0])
    book = workbook(book.path)  # as it is now: a file may have come since it was opened
    texts = {
        name: _with_others(book, name, rows, named[0], again)
        for name, rows in given.items()
        if len(rows)
    }
    # nothing is written before all of it is known to be right
    for name, text in texts.items():
        _keep(book.folder / f"{name}.csv", text)
    return [book.folder / f"{name}.csv" for name in texts]


def require_session(name: str) -> str:
    """Give the name of a session, if files and sentences can hold it.

    Raises
    ------
    DataError
        If it holds anything but letters, digits, space, dot, - and _, or more than 40 of them.
    """
    if not SESSION.fullmatch(name):
        raise refusal("session_name", session=name[:60])
    return name


def sessions_known(book: Workbook) -> list[str]:
    """List the sessions of `scores` and `comparisons`, those beside the toml too."""
    there = (name for name in ("scores", "comparisons") if book.has(name))
    return sorted({s for name in there for s in records(book.whole, name)["session"].dropna()})


def _with_others(book: Workbook, name: str, rows: pd.DataFrame, session: str, again: bool) -> bytes:
    """Write a session's rows together with the other sessions that lie beside the toml."""
    whole, path = book.whole, book.folder / f"{name}.csv"
    beside = with_sessions(whole, name) if book.has(name) else None
    named, others = (whole if book.has(name) else None), None
    if beside:
        named, others = dataclasses.replace(whole, added={}), records(beside, name)
    elif named and path.exists():  # the table that the toml names is that very file
        given = book.tables[name]
        if given.query or given.columns or given.format or given.source != str(path):
            raise refusal("session_own_way", table=name, file=path.name, toml=book.path.name)
        named, others = None, records(whole, name)
    if named and session in set(records(named, name)["session"]):
        raise refusal("session_there", session=session, table=name, toml=book.path.name)
    own = _written(name, rows)
    if others is None or others.empty:
        return own
    same = others["session"] == session
    if same.any() and not again and _written(name, others[same]) != own:
        raise refusal("session_beside", session=session, file=path.name)
    kept = others[~same].astype("object")
    ours = rows.reindex(columns=kept.columns).astype("object")
    return _written(name, pd.concat([kept, ours], ignore_index=True))


def _written(name: str, rows: pd.DataFrame) -> bytes:
    """Write rows as CSV, the columns of the contract only, in the order of their keys.

    A column of scores or comparisons that no row fills is left out.
    """
    columns = contract()[name]
    rows = rows.reindex(columns=[column for column in columns if column != "*"]).copy()
    for column, told in columns.items():
        if told.required and (n := int(rows[column].isna().sum())):
            raise refusal("cell_missing", table=name, n=n, name=column)
        if told.kind == "date":
            rows[column] = pd.to_datetime(rows[column]).dt.strftime("%Y-%m-%d")
        elif told.kind in ("number", "money"):
            digits = "{:.2f}" if told.kind == "money" else "{!r}"
            rows[column] = rows[column].astype("float64").map(digits.format, na_action="ignore")
        elif (
            bad := rows[column].map(lambda cell: isinstance(cell, str) and files.is_formula(cell))
        ).any():
            raise refusal(
                "cell_formula", table=name, name=column, value=rows.loc[bad, column].iloc[0]
            )
    if name != "plan":
        rows = rows.dropna(axis="columns", how="all")
        rows = rows.sort_values([c for c in rows if columns[c].key], ignore_index=True)
    return rows.to_csv(index=False, lineterminator="\n").encode("utf-8-sig")


def _keep(path: Path, text: bytes) -> None:
    before = path.read_bytes() if path.exists() else text
    # written twice, the same does not push what was there before out of the backup
    if before != text:
        files.write(path.with_name(f"{path.name}.bak"), before)
    files.write(path, text)


def _with_hidden(book: Workbook, plan: pd.DataFrame) -> pd.DataFrame:
    """Add the actions that a scope does not show, but those that the plan says anew."""
    inside = set(dealers(book)["dealer_id"])
    hidden = records(book.whole, "plan").reindex(columns=plan.columns)
    hidden = hidden[~hidden["dealer_id"].isin(inside)]
    return pd.concat([plan, hidden[~_is_among(hidden, plan)]], ignore_index=True)


def _is_among(rows: pd.DataFrame, others: pd.DataFrame) -> pd.Series:
    """Tell which actions are among others."""
    mine, theirs = (
        pd.MultiIndex.from_frame(actions[ACTION].astype("object").fillna(""))
        for actions in (rows, others)
    )
    return pd.Series(mine.isin(theirs), index=rows.index)
