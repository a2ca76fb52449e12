"""Differences: what came, went, changed and moved between the tables of two editions."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers import files, look, words
from helpers.pareto import is_present
from helpers.settings import page_of

# relative and absolute: sums of the same lines in another order differ by less
SAME, TINY = 1e-9, 1e-12
NAMED = 3  # dealers named in a sentence; the rest are counted
CLASSES = ("A", "B", "C", "–")
OLD_STOCK = ("value_91_180", "value_over_180")
SHOWN_COLUMNS = 3  # of a table, in the summary
BETWEEN = " · "  # the parts of a key
TABLES = ["table", "key", "n_before", "n_after", "n_came", "n_gone", "n_changed", "remark"]
ROWS = ["table", "key", "name", "movement"]
NUMBERS = ["before", "after", "change"]
CELLS = ["table", "key", "name", "column", *NUMBERS]
NAMES = (
    "dealer_name",
    "candidate_name",
    "group_name",
    "cause_name",
    "need_name",
    "factor",
    "product_name",
)


class Changes(NamedTuple):
    """What changed between two editions.

    `tables`: one row per table of either: `table`, `key`, `n_before`, `n_after`, `n_came`,
    `n_gone`, `n_changed` (rows with another value in a column both have) and `remark` ("",
    new_table, gone_table, no_key or other_columns). `rows`: those that came or went: `table`,
    `key`, `name`, `movement` (came, gone). `cells`: each changed cell: `table`, `key`, `name`,
    `column`, `before`, `after`, `change` (of numbers: the difference).
    """

    tables: pd.DataFrame
    rows: pd.DataFrame
    cells: pd.DataFrame


def with_amounts(cells: pd.DataFrame, tables: Iterable[Mapping[str, pd.DataFrame]]) -> pd.DataFrame:
    """Give the cells that are money as amounts of two decimals, to be written.

    `tables` are those compared.
    """
    beside = {
        name: {str(column) for column in table} for known in tables for name, table in known.items()
    }
    money = [files.is_amount(cell.column, beside[cell.table]) for cell in cells.itertuples()]
    told = cells.astype(dict.fromkeys(NUMBERS, "object"))
    for column in NUMBERS:
        told.loc[money, column] = [files.amount(value) for value in told.loc[money, column]]
    return told


def changes(before: Mapping[str, pd.DataFrame], after: Mapping[str, pd.DataFrame]) -> Changes:
    """Compare the tables of two editions, row by row and cell by cell.

    Rows are the same where their keys are (see `key_columns`); their order does not matter, but
    among rows of one key the first is compared with the first. Numbers that differ by less than a
    billionth part are equal, and so are two missing ones.
    """
    names = _dealer_names([*before.values(), *after.values()])
    found = [
        _compared(name, before.get(name), after.get(name), names)
        for name in dict.fromkeys([*before, *after])
    ]
    rows, cells = (
        _stacked((part[i] for part in found), columns) for i, columns in ((1, ROWS), (2, CELLS))
    )
    return Changes(pd.DataFrame([part[0] for part in found], columns=TABLES), rows, cells)


def key_columns(name: str, *tables: pd.DataFrame) -> list[str]:
    """Tell which columns name a row of a published table.

    Those that `terms.csv` tells and all `tables` have.

    A table it does not know is named by its ids; without any, nothing names a row.

    >>> key_columns("dead_stock", pd.DataFrame(columns=["quantity", "dealer_id", "product_id"]))
    ['dealer_id', 'product_id']
    """
    first, *others = tables
    shared = [column for column in first.columns if all(column in other for other in others)]
    told = words.key(name) or tuple(column for column in shared if words.kind(column) == "id")
    return [column for column in told if column in shared]


def class_moves(cells: pd.DataFrame) -> pd.DataFrame:
    """Choose the changes of `composite_class`, with `steps`.

    How far up it went (from C to A: 2).
    """
    moved = cells[cells["column"] == "composite_class"]
    ranks = {letter: i for i, letter in enumerate(CLASSES)}
    steps = moved["before"].map(ranks) - moved["after"].map(ranks)
    return moved.assign(steps=steps.fillna(0).astype(int)).reset_index(drop=True)


def movers(cells: pd.DataFrame, most: int = 1) -> pd.DataFrame:
    """Choose, of each column of numbers, the `most` cells that changed most, up or down.

    Columns as `cells`.
    """
    change = cells["change"].astype(float).abs()
    known = cells.assign(size=-change)[change < math.inf]
    known = known.assign(place=known.groupby(["table", "column"], sort=False).ngroup())
    chosen = known.sort_values(["place", "size", "key"]).groupby("place").head(most)
    return chosen[CELLS].reset_index(drop=True)


# ---- comparing -----------------------------------------------------------------------------------


def _compared(
    name: str, before: pd.DataFrame | None, after: pd.DataFrame | None, names: Mapping[str, str]
) -> tuple:
    """Compare one table: its entry in the list, rows that came or went, cells that changed."""
    nothing = pd.DataFrame()
    entry = {
        "table": name,
        "key": "",
        "n_before": 0 if before is None else len(before),
        "n_after": 0 if after is None else len(after),
        "n_came": 0,
        "n_gone": 0,
        "n_changed": 0,
    }
    if before is None or after is None:
        return (
            {**entry, "remark": "new_table" if before is None else "gone_table"},
            nothing,
            nothing,
        )
    remark = "" if set(before.columns) == set(after.columns) else "other_columns"
    key = key_columns(name, before, after)
    if not key:
        n_came, n_gone = _unnamed(before, after)
        remark = remark or "no_key" * bool(n_came or n_gone)
        return {**entry, "n_came": n_came, "n_gone": n_gone, "remark": remark}, nothing, nothing
    old, new = _by_key(before, key), _by_key(after, key)
    came, gone = (
        new.index.difference(old.index, sort=False),
        old.index.difference(new.index, sort=False),
    )
    moved = [(new, came, "came"), (old, gone, "gone")]
    rows = _stacked(
        (
            pd.DataFrame(
                {"table": name, "key": keys, "name": _names(table, keys, names), "movement": how}
            )
            for table, keys, how in moved
        ),
        ROWS,
    )
    both = new.index.intersection(old.index, sort=False)
    shared = [c for c in after.columns if c in before and c not in key]
    cells = _stacked((_changed(c, old.loc[both, c], new.loc[both, c]) for c in shared), CELLS)
    cells = cells.assign(table=name, name=_names(new, cells["key"], names))
    counts = {"n_came": len(came), "n_gone": len(gone), "n_changed": cells["key"].nunique()}
    return {**entry, **counts, "key": ", ".join(key), "remark": remark}, rows, cells


def _changed(column: str, old: pd.Series, new: pd.Series) -> pd.DataFrame:
    """List the cells of a column that changed, both given by the same keys."""
    numbers = all(
        pd.api.types.is_numeric_dtype(v) and not pd.api.types.is_bool_dtype(v) for v in (old, new)
    )
    if numbers:
        old, new = old.astype(float), new.astype(float)
        same = np.isclose(new, old, rtol=SAME, atol=TINY)
    else:
        same = (_texts(old) == _texts(new)).to_numpy()
    where = ~(same & (old.isna() == new.isna()).to_numpy() | (old.isna() & new.isna()).to_numpy())
    values = {
        "before": old[where].astype("object").to_numpy(),
        "after": new[where].astype("object").to_numpy(),
    }
    change = (new - old)[where].to_numpy() if numbers else math.nan
    return pd.DataFrame({"key": old.index[where], "column": column, **values, "change": change})


def _unnamed(before: pd.DataFrame, after: pd.DataFrame) -> tuple[int, int]:
    """Count whole rows that came and went, where nothing names a row."""
    shared = [c for c in after.columns if c in before]
    if not shared:
        return len(after), len(before)
    old, new = (table[shared].apply(_texts).value_counts() for table in (before, after))
    more = new.sub(old, fill_value=0)
    return int(more.clip(lower=0).sum()), int(-more.clip(upper=0).sum())


def _by_key(table: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    names = _texts(table[key[0]], "–")
    for column in key[1:]:
        names = names + BETWEEN + _texts(table[column], "–")
    again = names.groupby(names).cumcount()
    names = names.where(again == 0, names + " #" + (again + 1).astype(str))
    return table.set_index(pd.Index(names, name="key"))


def _texts(values: pd.Series, missing: str = "") -> pd.Series:
    return values.astype("object").where(values.notna(), missing).map(str)


def _dealer_names(tables: Iterable[pd.DataFrame]) -> dict[str, str]:
    """Know dealers by name, as the later tables have them."""
    known: dict[str, str] = {}
    for table in tables:
        if {"dealer_id", "dealer_name"} <= set(table.columns):
            rows = table[["dealer_id", "dealer_name"]].dropna()
            known.update(zip(rows["dealer_id"], rows["dealer_name"], strict=True))
    return known


def _names(table: pd.DataFrame, keys: Iterable[str], known: Mapping[str, str]) -> list[str]:
    """Give the readable names of rows, "" for those that have none."""
    keys = list(keys)
    if "dealer_id" in table:
        return [str(known.get(dealer_id, "")) for dealer_id in table.loc[keys, "dealer_id"]]
    named = next((table[name] for name in NAMES if name in table), None)
    return [""] * len(keys) if named is None else [str(text) for text in named.loc[keys].fillna("")]


def _stacked(parts: Iterable[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    rows = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()
    return rows.reindex(columns=columns)


# ---- sentences -----------------------------------------------------------------------------------


def headlines(
    before: Mapping[str, pd.DataFrame] | None,
    after: Mapping[str, pd.DataFrame],
    *,
    how: str = "other",
) -> list[dict]:
    """Say what changed since an earlier edition, in six sentences at most.

    Keys as `report.headline` takes them.

    Who fell and who rose a class, who came and dropped out, what is owed, what lies over 90 days,
    whom to call: each where both editions tell. Without an earlier edition (None), and where none
    of this changed, one sentence says so; where they have no table with rows there is nothing that
    could have changed. Who shows what changed below says `how` "some"; other readers are led to the
    command.
    """
    if before is None:
        return [_line(words.say("diff.first"))]
    if not any(len(rows) for rows in (*before.values(), *after.values())):
        return []
    known = _dealer_names([*before.values(), *after.values()])
    lines = [
        *_class_lines(before, after),
        *_balance_line(before, after, known),
        *_stock_line(before, after),
        *_call_line(before, after, known),
    ]
    if lines:
        return lines
    tables = changes(before, after).tables
    other = tables[["n_came", "n_gone", "n_changed"]].any(axis=1) | tables["remark"].ne("")
    said = (
        words.say(f"diff.{how}", n=int(other.sum()), of=len(tables))
        if other.any()
        else words.say("diff.same")
    )
    return [_line(said)]


def sentences(
    before: Mapping[str, pd.DataFrame] | None, after: Mapping[str, pd.DataFrame]
) -> list[str]:
    """Give the texts of `headlines`, for one who also shows what changed."""
    return [line["text"] for line in headlines(before, after, how="some")]


def _line(text: str, link: str = "", tone: str = "") -> dict:
    return {"place": "change", "text": text, "link": link, "tone": tone}


def _pair(
    before: Mapping[str, pd.DataFrame],
    after: Mapping[str, pd.DataFrame],
    *columns: str,
    name: str = "",
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Find the table, of this name or any, that has these columns in both editions."""
    for table in [name] if name else after:
        if (
            table in before
            and table in after
            and all(set(columns) <= set(e[table].columns) for e in (before, after))
        ):
            return before[table], after[table]
    return None


def _class_lines(
    before: Mapping[str, pd.DataFrame], after: Mapping[str, pd.DataFrame]
) -> list[dict]:
    """Say who moved to another class, the furthest and then the largest first, and who is new, came
    back or dropped out.

    Who is there is whoever bought (`pareto.is_present`), and nobody fell who did not buy less.
    """
    pair = _pair(before, after, "dealer_id", "composite_class", name="abc_pareto")
    if pair is None:
        return []
    pair = tuple(rows[is_present(rows)] for rows in pair)
    found = changes({"abc_pareto": pair[0]}, {"abc_pareto": pair[1]})
    order = {dealer_id: i for i, dealer_id in enumerate(pair[1]["dealer_id"])}  # best first
    moved = class_moves(found.cells)
    moved = moved.assign(far=-moved["steps"].abs(), place=moved["key"].map(order)).sort_values(
        ["far", "place"]
    )
    lines = []
    for way, rows, tone in (
        ("fallen", (moved["steps"] < 0) & _bought_less(moved["key"], *pair), "bad"),
        ("risen", moved["steps"] > 0, "good"),
    ):
        named = [
            words.say("diff.move", name=row.name or row.key, before=row.before, after=row.after)
            for row in moved[rows].itertuples()
        ]
        lines += [_line(_counted(way, named), look.DEALERS_PAGE, tone)] if named else []
    rows = found.rows.assign(
        name=found.rows["name"].mask(found.rows["name"].eq(""), found.rows["key"])
    )
    # by the year before: who came back is not new
    back = set()
    if "movement" in pair[1]:
        back = set(pair[1].loc[pair[1]["movement"] == "won_back", "dealer_id"])
    is_back, came = rows["key"].isin(back), rows["movement"] == "came"
    ways = {"came": came & ~is_back, "back": came & is_back, "gone": rows["movement"] == "gone"}
    named = {way: list(rows.loc[which, "name"]) for way, which in ways.items()}
    said = [_counted(way, names) for way, names in named.items() if names]
    return [*lines, *([_line(_joined(said), look.DEALERS_PAGE)] if said else [])]


def _bought_less(keys: pd.Series, before: pd.DataFrame, after: pd.DataFrame) -> pd.Series:
    """Tell whose revenue, or payments, is below that of the earlier edition; unknown is no bar."""
    for column in ("revenue", "payments"):
        if all(column in rows and rows[column].notna().any() for rows in (before, after)):
            old, new = (keys.map(r.set_index("dealer_id")[column]) for r in (before, after))
            return ~(new >= old)
    return pd.Series(True, index=keys.index)


def _balance_line(before: Mapping, after: Mapping, known: Mapping[str, str]) -> list[dict]:
    """Say how much more or less is owed, paid in advance not counted, and who has stopped paying
    since.
    """
    pair = _pair(before, after, "dealer_id", "balance", "status", name="receivables")
    if pair is None:
        return []
    sums = [float(rows["balance"].clip(lower=0).sum()) for rows in pair]
    old, new = (set(rows.loc[rows["status"] == "stopped_paying", "dealer_id"]) for rows in pair)
    largest = pair[1].sort_values("balance", ascending=False)["dealer_id"]
    names = [known.get(dealer_id, dealer_id) for dealer_id in largest if dealer_id in new - old]
    said = _joined([_amount("balance", *sums), _counted("stopped", names) if names else ""])
    return (
        [_line(said, page_of("receivables"), "bad" if names or sums[1] > sums[0] else "good")]
        if said
        else []
    )


def _stock_line(before: Mapping, after: Mapping) -> list[dict]:
    """Say how much more or less stock lies over 90 days at the dealers."""
    pair = _pair(before, after, "dealer_id", *OLD_STOCK)
    sums = [float(rows[list(OLD_STOCK)].sum().sum()) for rows in pair or ()]
    said = _amount("stock", *sums) if sums else ""
    return (
        [_line(said, page_of("inventory_age"), "bad" if sums[1] > sums[0] else "good")]
        if said
        else []
    )


def _call_line(before: Mapping, after: Mapping, known: Mapping[str, str]) -> list[dict]:
    """Say how many dealers are to be called, and who is new on the list, in its order."""
    pair = _pair(before, after, "dealer_id", name="call_list")
    if pair is None:
        return []
    old, new = (list(dict.fromkeys(rows["dealer_id"])) for rows in pair)
    names = [known.get(dealer_id, dealer_id) for dealer_id in new if dealer_id not in set(old)]
    if not names and len(old) == len(new):
        return []
    facts = {
        "n": len(new),
        "before": len(old),
        "n_new": len(names),
        "names": words.listed(names, NAMED),
    }
    return [
        _line(words.say("diff.calls" if names else "diff.calls_fewer", **facts), look.DEALERS_PAGE)
    ]


def _counted(sentence: str, names: list[str]) -> str:
    return words.say(f"diff.{sentence}", n=len(names), names=words.listed(names, NAMED))


def _amount(what: str, before: float, after: float) -> str:
    """Say by how much an amount rose or fell; "" where it is the same to the cent."""
    if round(after - before, 2) == 0:
        return ""
    rate = words.percent(abs(after - before) / before, 1) if before > 0 else "–"
    way = "up" if after > before else "down"
    return words.say(f"diff.{what}_{way}", change=abs(after - before), rate=rate, now=after)


def _joined(said: Iterable[str]) -> str:
    return (" " if words.spoken() == "en" else "").join(filter(None, said))


# ---- the summary ---------------------------------------------------------------------------------


def summary(found: Changes) -> list[str]:
    """Lay out in plain lines which tables changed, and where the numbers of each moved most."""
    tables = found.tables
    other = tables[["n_came", "n_gone", "n_changed"]].any(axis=1) | tables["remark"].ne("")
    head = ["table", "n_before", "n_after", "n_came", "n_gone", "n_changed", "remark"]
    lines = [[words.label(column) for column in head]]
    for row in tables[other].to_dict("records"):
        remark = words.word(row["remark"]) if row["remark"] else ""
        lines.append([row["table"], *(f"{row[column]:,}" for column in head[1:-1]), remark])
    said = _aligned(lines, right=range(1, 6)) if other.any() else []
    same = list(tables.loc[~other, "table"])
    if same:
        said.append(words.say("diff.same_tables", n=len(same), names=", ".join(same)))
    moved = movers(found.cells)
    moved = moved[moved.groupby("table", sort=False).cumcount() < SHOWN_COLUMNS]
    if len(moved):
        rows = [
            [
                row.table,
                words.word(row.column),
                row.key,
                row.name,
                " → ".join(_numbers([row.before, row.after], row.column)),
            ]
            for row in moved.itertuples()
        ]
        said += ["", words.say("diff.movers"), *_aligned(rows)]
    return said


def _numbers(values: list[float], column: str) -> list[str]:
    """Write two numbers of a column alike."""
    if re.search(r"_(?:share|rate)(?:_\d+m)?$", column):
        return [words.percent(value, 1) for value in values]
    whole = all(abs(value) >= 1000 or value == int(value) for value in values)
    return [words.decimal(value, 0 if whole else 2) for value in values]


def _aligned(lines: list[list[str]], right: Iterable[int] = ()) -> list[str]:
    """Set cells under each other; those of the columns in `right` end together."""
    columns = []
    for i, cells in enumerate(zip(*lines, strict=True)):
        most = max(words.width(cell) for cell in cells)
        pads = [" " * (most - words.width(cell)) for cell in cells]
        columns.append(
            [
                pad + cell if i in right else cell + pad
                for cell, pad in zip(cells, pads, strict=True)
            ]
        )
    return ["  ".join(cells).rstrip() for cells in zip(*columns, strict=True)]
