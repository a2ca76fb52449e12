"""The tree of factors: bones, twigs and their causes, read from tables that people edit."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers import words

FACTOR_COLUMNS = [
    "factor_id",
    "parent_id",
    "cause",
    "owner",
    "metric",
    "better",
    "weight",
    "en",
    "zh",
]
CAUSE_COLUMNS = ["cause", "en", "zh"]
OWNERS = ("us", "head_office")
BETTER = ("high", "low")


def factor_tree(factors: pd.DataFrame, causes: pd.DataFrame) -> pd.DataFrame:
    """Put the factors into drawing order.

    A bone, its twigs, the next bone, each level in the order of the file.

    Parameters
    ----------
    factors
        One row per factor: `factor_id`, `parent_id` (empty: a bone hangs on the spine), `cause` and
        `owner` (us or head_office) of leaves, `metric` with `better` (high or low), `weight` by
        hand, `en`, `zh`. Any depth.
    causes
        Columns `cause`, `en`, `zh`.

    Returns
    -------
    DataFrame
        factor_id, factor (its name in the reader's language), parent_id, depth (1 = bone), bone_id,
        bone, is_leaf, cause, cause_name, owner, metric, better, weight; empty cells are missing.
        Only leaves have a cause.

    Raises
    ------
    ValueError
        If the tables make no tree; all that is wrong is told at once, a line each.

    >>> bone = ["b", None, None, None, None, None, None, "Stock", ""]
    >>> twig = ["f", "b", "c", "us", None, None, None, "Stock age", ""]
    >>> factors = pd.DataFrame([bone, twig], columns=FACTOR_COLUMNS)
    >>> causes = pd.DataFrame([["c", "Old stock", ""]], columns=CAUSE_COLUMNS)
    >>> tree = factor_tree(factors, causes)
    >>> tree[["factor", "depth", "bone", "is_leaf", "cause_name"]].values.tolist()
    [['Stock', 1, 'Stock', False, nan], ['Stock age', 2, 'Stock', True, 'Old stock']]
    """
    if problems := _missing(factors, FACTOR_COLUMNS, "factors.csv") + _missing(
        causes, CAUSE_COLUMNS, "causes.csv"
    ):
        raise ValueError("\n".join(problems))
    rows, known = _cleaned(factors, FACTOR_COLUMNS), _cleaned(causes, CAUSE_COLUMNS)
    if problems := [*_broken_tree(rows), *_broken_cells(rows, known), *_broken_causes(known)]:
        raise ValueError("\n".join(problems))
    order = _depth_first(rows)
    tree = rows.set_index("factor_id").loc[list(order)].reset_index()
    names = {row.factor_id: _name(row) for row in rows.itertuples()}
    tree["factor"] = tree["factor_id"].map(names)
    tree["depth"] = [depth for depth, _bone in order.values()]
    tree["bone_id"] = [bone for _depth, bone in order.values()]
    tree["bone"] = tree["bone_id"].map(names)
    tree["is_leaf"] = ~tree["factor_id"].isin(set(rows["parent_id"]))
    tree["cause"] = tree["cause"].where(tree["is_leaf"], "")
    tree["cause_name"] = tree["cause"].map({row.cause: _name(row) for row in known.itertuples()})
    tree["weight"] = pd.to_numeric(tree["weight"]).astype(float)
    empty = ["parent_id", "cause", "owner", "metric", "better"]
    tree[empty] = tree[empty].replace("", np.nan)
    return tree[
        [
            "factor_id",
            "factor",
            "parent_id",
            "depth",
            "bone_id",
            "bone",
            "is_leaf",
            "cause",
            "cause_name",
            "owner",
            "metric",
            "better",
            "weight",
        ]
    ]


def _missing(table: pd.DataFrame, columns: Iterable[str], file: str) -> list[str]:
    lost = [column for column in columns if column not in table]
    have = ", ".join(map(str, table.columns))
    return [
        f"{file}: no column {column!r}; it has {have} — add it, even if its cells stay empty"
        for column in lost
    ]


def _cleaned(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Read every cell as text, empty where nothing is told.

    A column of whole numbers that lost a cell is not 1.0.
    """

    def text(cell: object) -> str:
        if pd.isna(cell):
            return ""
        whole = isinstance(cell, float) and cell.is_integer()
        return str(int(cell) if whole else cell).strip()

    return table[columns].map(text).astype(object).reset_index(drop=True)


def _name(row: NamedTuple) -> str:
    return words.translated(row.en or row.zh, row.zh)


def _told(
    examples: Sequence[str], one: str, many: str, advice: str, file: str = "factors.csv"
) -> list[str]:
    """Write one line about one kind of mistake, or none."""
    if not examples:
        return []
    return [
        (
            f"{file}: {len(examples)} {one if len(examples) == 1 else many}, e.g. {examples[0]} — "
            f"{advice}"
        )
    ]


def _broken_tree(rows: pd.DataFrame) -> list[str]:
    ids, parents = rows["factor_id"], rows["parent_id"]
    if rows.empty:
        return ["factors.csv: it lists no factor — write one row for each bone and each twig"]
    # the head of the file is line 1
    nameless = [f"line {i + 2}" for i in rows.index[ids == ""]]
    double = [f"{i!r}, lines {_at(ids, i)}" for i in ids[ids.duplicated() & (ids != "")].unique()]
    lost = rows[(parents != "") & ~parents.isin(set(ids))]
    orphans = [f"{row.factor_id!r} under {row.parent_id!r}" for row in lost.itertuples()]
    circles = [
        " → ".join([*circle, circle[0]])
        for circle in _circles(dict(zip(ids[ids != ""], parents[ids != ""], strict=True)))
    ]
    return [
        *_told(
            nameless,
            "row has no factor_id",
            "rows have no factor_id",
            "give each factor an id of its own",
        ),
        *_told(
            double,
            "factor_id stands in several rows",
            "factor_ids stand in several rows",
            "give each factor an id of its own",
        ),
        *_told(
            orphans,
            "factor has a parent that is not there",
            "factors have a parent that is not there",
            "add the parent, or correct parent_id (empty: a bone)",
        ),
        *[
            f"factors.csv: the parents run in a circle, {circle} — hang one of them elsewhere"
            for circle in circles
        ],
    ]


def _at(ids: pd.Series, one: str) -> str:
    return " and ".join(str(i + 2) for i in ids.index[ids == one])


def _circles(parents: dict[str, str]) -> list[list[str]]:
    """List each circle once, from its first member in the order of the file."""
    found, seen = [], set()
    for start in parents:
        path, here = [], start
        while here in parents and here not in seen and here not in path:
            path.append(here)
            here = parents[here]
        if here in path:
            found.append(path[path.index(here) :])
        seen.update(path)
    return found


def _broken_cells(rows: pd.DataFrame, causes: pd.DataFrame) -> list[str]:
    leaf = ~rows["factor_id"].isin(set(rows["parent_id"]))
    weight = pd.to_numeric(rows["weight"], errors="coerce")
    known = ", ".join(causes["cause"])
    uncaused = _who(rows, leaf & (rows["cause"] == ""))
    unknown = _who(
        rows, leaf & (rows["cause"] != "") & ~rows["cause"].isin(set(causes["cause"])), "cause"
    )
    foreign = _who(rows, ~rows["owner"].isin(OWNERS) & (leaf | (rows["owner"] != "")), "owner")
    aimless = _who(rows, (rows["metric"] != "") & ~rows["better"].isin(BETTER), "better")
    bad_weight = _who(
        rows, (rows["weight"] != "") & ~((weight >= 0) & (weight < math.inf)), "weight"
    )
    nameless = _who(rows, (rows["en"] == "") & (rows["zh"] == ""))
    return [
        *_told(
            uncaused,
            "leaf has no cause",
            "leaves have no cause",
            f"choose one of causes.csv: {known}",
        ),
        *_told(
            unknown,
            "leaf has a cause that causes.csv doesn't list",
            "leaves have a cause that causes.csv doesn't list",
            f"choose one of {known}, or add it there",
        ),
        *_told(
            foreign,
            "factor has no known owner",
            "factors have no known owner",
            f"write {' or '.join(OWNERS)}; only what has twigs of its own may stay empty",
        ),
        *_told(
            aimless,
            "metric has no direction",
            "metrics have no direction",
            "write high or low under better",
        ),
        *_told(
            bad_weight,
            "weight is no number from 0 up",
            "weights are no numbers from 0 up",
            "correct it, or leave all empty for equal weights",
        ),
        *_told(nameless, "factor has no name", "factors have no name", "fill in en or zh"),
    ]


def _who(rows: pd.DataFrame, wrong: pd.Series, column: str = "") -> list[str]:
    return [
        f"{row['factor_id']!r}" + (f" ({column} {row[column]!r})" if column else "")
        for row in rows[wrong].to_dict("records")
    ]


def _broken_causes(causes: pd.DataFrame) -> list[str]:
    codes = causes["cause"]
    nameless = [
        f"line {i + 2}"
        for i in causes.index[(codes == "") | ((causes["en"] == "") & (causes["zh"] == ""))]
    ]
    double = [
        f"{i!r}, lines {_at(codes, i)}" for i in codes[codes.duplicated() & (codes != "")].unique()
    ]
    return [
        *_told(
            nameless,
            "row has no code or no name",
            "rows have no code or no name",
            "fill in cause, and en or zh",
            "causes.csv",
        ),
        *_told(
            double,
            "cause stands in several rows",
            "causes stand in several rows",
            "keep one of them",
            "causes.csv",
        ),
    ]


def _depth_first(rows: pd.DataFrame) -> dict[str, tuple[int, str]]:
    """Walk the tree: each factor's depth and bone, in drawing order."""
    children = {
        parent: list(ids) for parent, ids in rows.groupby("parent_id", sort=False)["factor_id"]
    }
    order: dict[str, tuple[int, str]] = {}
    waiting = [(bone, 1, bone) for bone in reversed(children.get("", []))]
    while waiting:
        factor, depth, bone = waiting.pop()
        order[factor] = (depth, bone)
        waiting += [(child, depth + 1, bone) for child in reversed(children.get(factor, []))]
    return order


def leaf_factors(tree: pd.DataFrame) -> pd.DataFrame:
    """Choose the factors that are scored: the leaves of the tree."""
    return tree[tree["is_leaf"].astype(bool)]


def factor_names(tree: pd.DataFrame, factors: Iterable[str]) -> list[str]:
    """Name factors as the tree does; one that it lacks is named by its id."""
    names = tree.set_index("factor_id")["factor"]
    return [names.get(factor, factor) for factor in factors]


def as_text(cells: pd.Series) -> pd.Series:
    """Read cells as texts, empty where nothing is told.

    A column that is empty throughout came as numbers.
    """
    return cells.astype("object").where(cells.notna(), "")
