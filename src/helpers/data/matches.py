"""Matches: whether the ids of two tables meet, which are the same but for case or zeros, and what
expression would mend it.
"""

from typing import NamedTuple

import pandas as pd
from ibis import _

from helpers.data.findings import APART, Finding
from helpers.data.mapping import quoted
from helpers.data.tables import table
from helpers.settings import Workbook

HOMES = {  # column → the tables that other tables' ids are held against; the first there is
    "dealer_id": ("dealers", "sell_in", "sell_out"),
    "product_id": ("products", "sell_in", "stock"),
}
SPLIT_SHARE = 0.01  # of a table's lines: where more are of a dealer split in two, no page is right
LEAST_MATCHED = 0.5  # of a table's ids: where fewer are known, the tables hardly speak of the same
# by people, in few rows
WRITTEN = ("scores", "plan", "overrides", "targets")
MIN_IDS = 3  # of fewer ids no rate is told


class _Mend(NamedTuple):
    """An expression over an id, and what it makes of one."""

    sql: str
    ids: pd.Series


def id_findings(book: Workbook) -> list[Finding]:
    """Find ids that are one but for case, leading zeros or .0, and tables whose ids do not meet.

    Two that the table of all dealers (products) lists both are told apart by it. `twins` of dealers
    are an error where they hold more than `SPLIT_SHARE` of a table's lines, since each of them is
    split in two on every page; `match_rate` is a warning.
    """
    found = []
    for column, homes in HOMES.items():
        counted = {
            name: _counted(book, name, column)
            for name in book.tables
            if name not in WRITTEN and column in table(book, name).columns
        }
        home = next((name for name in homes if name in counted and len(counted[name])), None)
        if home is None:
            continue
        for name, ids in counted.items():
            # a list that a query makes of the lines themselves tells nobody apart
            is_list = home == homes[0] and not book.tables[home].query
            listed = set(counted[home].index) if is_list else set()
            strange = [] if name == home else _against(book, name, column, ids, home, counted[home])
            twins = _twins_within(book, name, column, ids, listed)
            found += strange if any(f.check == "twins" for f in strange) else [*twins, *strange]
    return found


def _counted(book: Workbook, name: str, column: str) -> pd.Series:
    """Count the lines of each id of a table."""
    lines = table(book, name)
    rows = (
        lines.filter(lines[column].notnull())
        .group_by(id=lines[column])
        .agg(n=_.count())
        .to_pyarrow()
        .to_pandas()
    )
    return rows.set_index("id")["n"].sort_index()


def _folded(ids: pd.Index | pd.Series) -> pd.Series:
    """Fold ids to what twins have in common: no case, no zeros before a number, no .0 behind it."""
    text = pd.Series(ids, dtype="object").astype("str").str.casefold()
    return text.str.replace(r"^0+(?=\d+(?:\.0+)?$)", "", regex=True).str.replace(
        r"^(\d+)\.0+$", r"\1", regex=True
    )


def _twins_within(
    book: Workbook, name: str, column: str, ids: pd.Series, listed: set[str]
) -> list[Finding]:
    """Find ids of one table that are twins, but for those that are listed both."""
    rows = pd.DataFrame({"id": ids.index, "n": ids.to_numpy(), "folded": _folded(ids.index)})
    rows = rows[~rows["id"].isin(listed)] if listed else rows
    several = rows[rows.groupby("folded")["id"].transform("size") > 1]
    if several.empty:
        return []
    # the rarer spelling of each is what would have to be put right
    largest = several.groupby("folded")["n"].transform("idxmax")
    rare = several[several.index != largest]
    first = rare["n"].idxmax()
    mend = _best_mend(book, name, column, rare["id"], set(several.loc[largest.unique(), "id"]))
    example = APART.join([rare.loc[first, "id"], rows.loc[largest[first], "id"], "", mend])
    return [_twins(name, column, int(rare["n"].sum()), int(ids.sum()), example)]


def _twins(name: str, column: str, n: int, of: int, example: str) -> Finding:
    is_split = column == "dealer_id" and n > SPLIT_SHARE * of
    return Finding(name, column, "twins", "error" if is_split else "warning", n, example)


def _against(
    book: Workbook,
    name: str,
    column: str,
    ids: pd.Series,
    home: str,
    known: pd.Series,
) -> list[Finding]:
    """Hold a table's ids against those of another."""
    if ids.empty:
        return []
    strange = ids[~ids.index.isin(known.index)]
    at_home = pd.Series(known.index, index=_folded(known.index)).groupby(level=0).first()
    folded = _folded(strange.index)
    twins = folded[folded.isin(at_home.index).to_numpy()]
    if len(twins):
        lines = strange.iloc[twins.index.to_numpy()]
        first = lines.idxmax()
        there = at_home[folded[strange.index.get_loc(first)]]
        mend = _best_mend(book, name, column, pd.Series(lines.index), set(known.index))
        example = " | ".join([first, there, home, mend])
        return [_twins(name, column, int(lines.sum()), int(ids.sum()), example)]
    matched = len(ids) - len(strange)
    if len(ids) >= MIN_IDS and len(known) >= MIN_IDS and matched < LEAST_MATCHED * len(ids):
        told = f"{matched:,} of {len(ids):,} ids are in {home}, {strange.index[0]!r} is not"
        return [Finding(name, column, "match_rate", "warning", int(strange.sum()), told)]
    return []


def _best_mend(book: Workbook, name: str, column: str, strange: pd.Series, known: set[str]) -> str:
    """Write the expression that turns most of the strange ids into known ones; "" where none."""
    header = book.tables[name].columns.get(column, column)
    header = header if header.isidentifier() and header.isascii() else quoted(header)
    width = max(map(len, known))
    mends = [
        _Mend(f"lpad({header}, {width}, '0')", strange.str.rjust(width, "0")),
        _Mend(f"ltrim({header}, '0')", strange.str.lstrip("0")),
        _Mend(f"upper({header})", strange.str.upper()),
        _Mend(f"lower({header})", strange.str.lower()),
        _Mend(
            f"regexp_replace({header}, '\\.0+$', '')", strange.str.replace(r"\.0+$", "", regex=True)
        ),
    ]
    best = max(mends, key=lambda mend: mend.ids.isin(known).sum())
    return best.sql if best.ids.isin(known).any() else ""
