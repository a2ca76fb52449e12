"""Fishbone: what drives a dealer's profit, merged into the vital few causes."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import look, words
from helpers.fishbone import diagram
from helpers.settings import page_of

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
# Pareto's 80 % would take five or six of nine causes: too many to be few, or to act on in a period
VITAL_SHARE = 0.6
# of the factors, by number: with fewer scored, nobody knows what the others would say
SCORED_SHARE = 0.5
LINK = page_of("fishbone")


# ---- the tree ------------------------------------------------------------------------------------


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


# ---- what is missing -----------------------------------------------------------------------------


def factor_table(
    tree: pd.DataFrame, factor_scores: pd.DataFrame, weights: pd.Series
) -> pd.DataFrame:
    """Weigh what each leaf misses to the full score, most first.

    Parameters
    ----------
    tree
        From `factor_tree`.
    factor_scores
        `factor_id`, `score` of people and `data_score`, both 0-10; a leaf without a row has
        neither.
    weights
        By `factor_id` of the leaves.

    Returns
    -------
    DataFrame
        factor_id, factor, bone, cause, cause_name, owner, weight, score, data_score, shown_score
        (people's, else that from data), shortfall (10 − shown_score), weighted_shortfall,
        shortfall_share (of the total; missing where fewer than `SCORED_SHARE` of the leaves are
        scored: nobody knows the total). A leaf that nobody and nothing scores is kept, last, with
        missing values: it is not a zero.

    Raises
    ------
    ValueError
        If a leaf has no weight, or several rows of scores.
    """
    leaves = tree.loc[
        tree["is_leaf"], ["factor_id", "factor", "bone", "cause", "cause_name", "owner"]
    ]
    weight = leaves["factor_id"].map(weights).astype(float)
    advice = "weigh every leaf of factors.csv, or none"
    _require_none(leaves["factor_id"][weight.isna()], "weights", "without a weight", advice)
    double = factor_scores["factor_id"][factor_scores["factor_id"].duplicated()]
    _require_none(
        double.drop_duplicates(), "scores", "with several rows", "make one row per factor"
    )
    scores = factor_scores[["factor_id", "score", "data_score"]].astype(
        {"score": float, "data_score": float}
    )
    table = leaves.assign(weight=weight).merge(scores, on="factor_id", how="left")
    table["shown_score"] = table["score"].fillna(table["data_score"])
    table["shortfall"] = diagram.FULL_SCORE - table["shown_score"]
    table["weighted_shortfall"] = table["weight"] * table["shortfall"]
    known = _is_known(table["shown_score"])
    table["shortfall_share"] = _share(table["weighted_shortfall"]) if known else np.nan
    return table.sort_values(
        "weighted_shortfall", ascending=False, kind="stable", ignore_index=True
    )


def _require_none(ids: pd.Series, what: str, fault: str, advice: str) -> None:
    if len(ids):
        many = "factors" if len(ids) > 1 else "factor"
        raise ValueError(f"{what}: {len(ids)} {many} {fault}, e.g. {ids.iloc[0]!r} — {advice}")


def _is_known(scores: pd.Series) -> bool:
    """Whether enough factors are scored to say which of them matter most."""
    return bool(scores.notna().sum() >= SCORED_SHARE * len(scores))


def _share(values: pd.Series) -> pd.Series:
    """Divide by the total; where nothing is missing there is nothing to have a share of."""
    total = values.sum()
    return values / total if total > 0 else values * np.nan


def merged_causes(table: pd.DataFrame) -> pd.DataFrame:
    """Fold the factors into their main causes, and mark the vital few.

    Those that make up most of what is missing.

    Vital are the fewest causes that together reach `VITAL_SHARE`; who crosses the line is inside,
    and so is his equal.

    Returns
    -------
    DataFrame
        cause, cause_name, n_factors, n_scored, weight, score (mean of the scored factors by
        weight), weighted_shortfall, shortfall_share, cum_share, is_vital, owner (us, head_office or
        both); most missing first.

    >>> table = pd.DataFrame({
    ...     "cause": ["c1", "c2", "c1"], "cause_name": ["Stock", "Price", "Stock"], "owner": "us",
    ...     "weight": [0.5, 0.3, 0.2], "shown_score": [4.0, 8, 9],
    ...     "weighted_shortfall": [3.0, 0.6, 0.2]})
    >>> causes = merged_causes(table).round(2)
    >>> causes[["cause", "n_factors", "shortfall_share", "is_vital"]].values.tolist()
    [['c1', 2, 0.84, True], ['c2', 1, 0.16, False]]
    """
    groups = table.groupby("cause", sort=False)
    causes = groups.agg(
        cause_name=("cause_name", "first"),
        n_factors=("shown_score", "size"),
        n_scored=("shown_score", "count"),
        weight=("weight", "sum"),
    )
    causes["score"] = {cause: _mean(rows["shown_score"], rows["weight"]) for cause, rows in groups}
    causes["weighted_shortfall"] = groups["weighted_shortfall"].sum(min_count=1)
    causes = causes.sort_values("weighted_shortfall", ascending=False, kind="stable")
    known = _is_known(table["shown_score"])
    causes["shortfall_share"] = _share(causes["weighted_shortfall"]) if known else np.nan
    causes["cum_share"] = causes["shortfall_share"].cumsum()
    causes["is_vital"] = _is_vital(causes["shortfall_share"])
    causes["owner"] = groups["owner"].agg(
        lambda owners: owners.iloc[0] if (owners == owners.iloc[0]).all() else "both"
    )
    return causes.reset_index()


def _mean(values: pd.Series, weights: pd.Series) -> float:
    """Average what is known by weight; weights that are all zero weigh alike."""
    known = values.notna()
    v, w = values[known].to_numpy(float), weights[known].to_numpy(float)
    if not len(v):
        return math.nan
    return float(np.average(v, weights=w if w.sum() > 0 else None))


def _is_vital(shares: pd.Series) -> pd.Series:
    s = shares.round(9)  # what differs by rounding is equal
    ahead = pd.Series([s[s > share].sum() for share in s], index=shares.index)
    return (s > 0) & (ahead.round(9) < VITAL_SHARE)


def owner_split(table: pd.DataFrame) -> pd.DataFrame:
    """Split what is missing by who can change it: one row for us, one for head office.

    Columns: owner, n_factors, weight, weighted_shortfall (of the scored ones, missing where none
    is), shortfall_share (of the total).
    """
    groups = table.groupby("owner")
    split = groups.agg(n_factors=("factor_id", "size"), weight=("weight", "sum"))
    split = split.reindex(pd.Index(OWNERS, name="owner"), fill_value=0)
    missing = groups["weighted_shortfall"].sum(min_count=1).reindex(split.index)
    split["weighted_shortfall"] = missing.mask(split["n_factors"] == 0, 0.0)
    share = _share(split["weighted_shortfall"]) if _is_known(table["shown_score"]) else np.nan
    return split.assign(shortfall_share=share).reset_index()


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Choose the columns of a factor table that a page shows."""
    return table[
        [
            "factor",
            "bone",
            "cause_name",
            "owner",
            "weight",
            "score",
            "data_score",
            "shortfall_share",
        ]
    ]


def shown_scores(table: pd.DataFrame) -> pd.DataFrame:
    """Give each factor the score that counts, `factor_id` and `score`: people's, else the data's.

    None counts where too few are scored to say which effort pays most.
    """
    table = table if _is_known(table["shown_score"]) else table.head(0)
    return table[["factor_id", "shown_score"]].rename(columns={"shown_score": "score"})


# ---- the drawing ---------------------------------------------------------------------------------


def plot_fishbone(
    tree: pd.DataFrame, table: pd.DataFrame, *, head: str, scope: str = "", ax: Axes | None = None
) -> Axes:
    """Draw the factors as a fish.

    Bones on the spine, twigs on the bones, what they drive in the head.

    Colour and number are the score, thickness is the weight. What hangs below a twig is folded into
    it, averaged by weight. The height of the figure follows from what has to be written; a given
    `ax` should be as high as one that this function makes.

    Parameters
    ----------
    tree, table
        From `factor_tree` and `factor_table`.
    head
        What the factors drive, in a few words.
    """
    if not table["shown_score"].notna().any():
        return look.nothing(words.say("fishbone.no_score", n=len(table)), ax)
    folded = _folded(tree, table)
    width = _inches(ax) if ax else look.WIDTH_IN - 0.1  # constrained layout pads by a little less
    plan = diagram.layout(folded, head, width)
    ax = ax or look.axes(height=plan.size[1] + 1.12)  # title of two lines, subtitle and source
    diagram.draw(ax, folded, plan)
    unscored = table["shown_score"].isna().any()
    how = [
        "how",
        *["how_folded"] * bool((tree["depth"] > 2).any()),
        *["how_unscored"] * bool(unscored),
    ]
    return look.explain(
        ax, _finding(table), " · ".join(words.say(f"fishbone.{key}") for key in how), scope
    )


def _too_few(n_scored: int, n: int) -> str:
    return (
        words.say("fishbone.too_few", scored=n_scored, n=n)
        if n_scored
        else words.say("fishbone.no_score", n=n)
    )


def why_too_few(table: pd.DataFrame) -> str:
    """Say in the bottom line's words that too few factors have a score; "" where enough have.

    What hangs on scores says so in the same sentence: the page says it once.
    """
    scores = table["shown_score"]
    return "" if _is_known(scores) else _too_few(int(scores.notna().sum()), len(table))


def _finding(table: pd.DataFrame) -> str:
    if not _is_known(table["shown_score"]):
        return _too_few(int(table["shown_score"].notna().sum()), len(table)).rstrip(".\u3002")
    first = _heaviest(table)
    if first.empty:
        return words.say("fishbone.full")
    said = words.say("fishbone.finding", **_first(first))
    return said.replace(" %", "\u00a0%")  # a headline does not break there


def _inches(ax: Axes) -> float:
    return ax.get_position().width * ax.figure.get_figwidth()


def _folded(tree: pd.DataFrame, table: pd.DataFrame) -> list[diagram.Bone]:
    """Fold the tree into bones and twigs, in drawing order."""
    parents = dict(zip(tree["factor_id"], tree["parent_id"], strict=True))
    depths = dict(zip(tree["factor_id"], tree["depth"], strict=True))
    names = dict(zip(tree["factor_id"], tree["factor"], strict=True))

    def shown(factor: str) -> str:
        while depths[factor] > 2:
            factor = parents[factor]
        return factor

    drawn = {
        factor: diagram.Bone(
            names[factor], rows["weight"].sum(), _mean(rows["shown_score"], rows["weight"])
        )
        for factor, rows in table.groupby(table["factor_id"].map(shown))
    }
    folded = []
    for bone in tree.loc[tree["depth"] == 1, "factor_id"]:
        twigs = tuple(drawn[f] for f in tree["factor_id"] if depths[f] == 2 and parents[f] == bone)
        whole = diagram.Bone(names[bone], sum(twig.weight for twig in twigs), math.nan, twigs)
        folded.append(drawn.get(bone, whole))
    return folded


# ---- the causes ----------------------------------------------------------------------------------


def plot_causes(causes: pd.DataFrame, *, scope: str = "", ax: Axes | None = None) -> Axes:
    """Draw the Pareto of causes.

    The part of each in what is missing, the vital few in colour, and the sum so far.

    `causes` comes from `merged_causes`; one without any score has a dash in place of its bar.
    """
    n_scored, n = int(causes["n_scored"].sum()), int(causes["n_factors"].sum())
    if n_scored < SCORED_SHARE * n:
        return look.nothing(_too_few(n_scored, n), ax)
    if causes["shortfall_share"].isna().all():
        return look.nothing(words.say("fishbone.full"), ax)
    shown = causes.reset_index(drop=True)
    ax = ax or look.axes(height=1.5 + 0.3 * len(shown))
    colors = [look.COLORS["accent" if vital else "muted"] for vital in shown["is_vital"]]
    ax.barh(shown.index, shown["shortfall_share"], 0.66, color=colors)
    ax.set_yticks(shown.index, shown["cause_name"])
    beside = {"va": "center", "fontsize": 9}
    for row in shown.itertuples():
        end = 0 if math.isnan(row.shortfall_share) else row.shortfall_share
        ax.annotate(
            words.percent(row.shortfall_share),
            (end, row.Index),
            xytext=(5, 0),
            textcoords="offset points",
            **beside,
        )
    rows = [
        (row.Index, words.percent(row.cum_share), words.label(row.owner))
        for row in shown.itertuples()
    ]
    for y, *texts in [(-0.85, words.label("cum_share"), words.label("owner")), *rows]:
        for left, text in zip((66, 0), texts, strict=True):  # points from the right edge
            ax.annotate(
                text,
                (1, y),
                xycoords=("axes fraction", "data"),
                xytext=(-left, 0),
                ha="right",
                textcoords="offset points",
                color=look.COLORS["subtle"],
                **beside,
            )
    ax.set(xlim=(0, shown["shortfall_share"].max() * 1.45), ylim=(len(shown) - 0.5, -1.2))
    ax.xaxis.set_visible(False)
    ax.yaxis.grid(False)
    ax.spines["bottom"].set_visible(False)
    how = words.say("fishbone.causes_how", share=words.percent(VITAL_SHARE))
    return look.explain(ax, _vital(causes).rstrip(".\u3002"), how, scope)


# ---- sentences -----------------------------------------------------------------------------------


def bottom_line(table: pd.DataFrame, causes: pd.DataFrame) -> list[str]:
    """Say what the page found.

    The vital causes, the first factor, who can change it, and what is not known.

    `table` comes from `factor_table`, `causes` from `merged_causes`.
    """
    scored = table[table["shown_score"].notna()]
    if few := why_too_few(table):
        return [few]
    first = _heaviest(table)
    if first.empty:
        said = [words.say("fishbone.full")]
    else:
        said = [
            _vital(causes, names=True),
            words.say("fishbone.first", **_first(first)),
            _owners(table),
        ]
    unscored = table.loc[table["shown_score"].isna(), "factor"]
    if len(unscored):
        said.append(
            words.say("fishbone.unscored", n=len(unscored), of=len(table), names=_few(unscored))
        )
    n_data = int(scored["score"].isna().sum())
    if n_data:
        said.append(
            words.say(
                "fishbone.data_only" if n_data == len(scored) else "fishbone.some_data", n=n_data
            )
        )
    return said


def headlines(table: pd.DataFrame, causes: pd.DataFrame) -> list[dict]:
    """Make the front page's lines on the factors.

    The vital causes, the first factor, the score of all by weight.
    """
    score, first = _mean(table["shown_score"], table["weight"]), _heaviest(table)
    if not _is_known(table["shown_score"]):
        return []
    tile = {
        "place": "tile",
        "label": words.say("fishbone.tile"),
        "text": diagram.score_text(score),
        "link": LINK,
    }
    if first.empty:
        return [tile]
    change = {"place": "change", "link": LINK}
    return [
        {**change, "text": _vital(causes, names=True)},
        {**change, "text": words.say("fishbone.first", **_first(first))},
        {**tile, "change": _owners(table).rstrip(".\u3002")},
    ]


def _vital(causes: pd.DataFrame, *, names: bool = False) -> str:
    """Say how few causes make up most of what is missing, and which.

    Or that there are no vital few.
    """
    scored, vital = causes[causes["weighted_shortfall"] > 0], causes[causes["is_vital"]]
    of = int((causes["n_scored"] > 0).sum())
    if len(scored) == len(vital) > 1:
        return words.say("fishbone.vital_none", n=len(vital))
    share = words.percent(vital["shortfall_share"].sum())
    if not names:
        return words.say("fishbone.vital", n=len(vital), of=of, share=share)
    # a few are vital, so all of them are named
    named = words.listed(vital["cause_name"], len(vital))
    return words.say("fishbone.vital_names", n=len(vital), of=of, share=share, names=named)


def _heaviest(table: pd.DataFrame) -> pd.DataFrame:
    """Choose the factor with most weighted shortfall, and its equals."""
    missing = table["weighted_shortfall"].round(9)
    return table[(missing == missing.max()) & (missing > 0)]


def _first(rows: pd.DataFrame) -> dict:
    share = words.percent(rows["shortfall_share"].sum())
    return {"names": _few(rows["factor"]), "n": len(rows), "score": _points(rows), "share": share}


def _points(rows: pd.DataFrame) -> str:
    low, high = (
        diagram.score_text(rows["shown_score"].min()),
        diagram.score_text(rows["shown_score"].max()),
    )
    return low if low == high else f"{low}–{high}"


def _owners(table: pd.DataFrame) -> str:
    us, head_office = owner_split(table).set_index("owner")["shortfall_share"][list(OWNERS)]
    key = (
        "fishbone.all_us"
        if head_office == 0
        else "fishbone.all_head_office"
        if us == 0
        else "fishbone.owners"
    )
    return words.say(key, us=words.percent(us), head_office=words.percent(head_office))


def _few(names: pd.Series, most: int = 3) -> str:
    shown = words.listed(names.head(most), most)
    return (
        shown
        if len(names) <= most
        else words.say("fishbone.and_more", names=shown, n=len(names) - most)
    )
