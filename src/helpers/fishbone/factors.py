"""Factors: what is missing of each to full marks, merged into the vital few causes."""

import functools
import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import look, words
from helpers.fishbone import diagram, upright
from helpers.fishbone.tree import OWNERS
from helpers.settings import page_of

# Pareto's 80 % would take five or six of nine causes: too many to be few, or to act on in a period
VITAL_SHARE = 0.6
# of the factors, by number: with fewer scored, nobody knows what the others would say
SCORED_SHARE = 0.5
LINK = page_of("fishbone")


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


def merged_causes(table: pd.DataFrame, vital_share: float = VITAL_SHARE) -> pd.DataFrame:
    """Fold the factors into their main causes, and mark the vital few.

    Those that make up most of what is missing.

    Vital are the fewest causes that together reach `vital_share` of it; who crosses the line is
    inside, and so is his equal.

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
    causes["is_vital"] = _is_vital(causes["shortfall_share"], vital_share)
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


def _is_vital(shares: pd.Series, vital_share: float) -> pd.Series:
    s = shares.round(9)  # what differs by rounding is equal
    ahead = pd.Series([s[s > share].sum() for share in s], index=shares.index)
    return (s > 0) & (ahead.round(9) < vital_share)


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
    tree: pd.DataFrame,
    table: pd.DataFrame,
    *,
    head: str,
    note: str = "",
    narrow: bool = False,
    ax: Axes | None = None,
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
    narrow
        For a phone: the spine runs down.
    """
    if not table["shown_score"].notna().any():
        return look.nothing(words.say("fishbone.no_score", n=len(table)), ax)
    folded = _folded(tree, table)
    make = functools.partial(plot_fishbone, tree, table, head=head, note=note, narrow=True)
    width = _inches(ax) if ax else look.WIDTH_IN - 0.1  # constrained layout pads by a little less
    if narrow:
        width = look.NARROW_IN - 0.1
        rows = upright.plan(folded, head, width)
        ax, inner = look.axes(narrow=True), upright.height(rows) + 0.1
        upright.draw(ax, folded, rows, width)
    else:
        plan, inner = diagram.layout(folded, head, width), 0.0
        if ax is None:
            ax, inner = look.axes(), plan.size[1] + 0.1  # the layout pads by a little less
            ax.figure.narrow = make
        diagram.draw(ax, folded, plan)
    unscored = table["shown_score"].isna().any()
    keys = [*["how_folded"] * bool((tree["depth"] > 2).any()), *["how_unscored"] * bool(unscored)]
    how = [words.say("fishbone.how"), _red(folded), *(words.say(f"fishbone.{key}") for key in keys)]
    return look.explain(ax, _finding(table), " · ".join(how), note, inner=inner)


def _red(bones: list[diagram.Bone]) -> str:
    """Say how many of the twigs are red, for the page tells to look for them."""
    scores = [twig.score for bone in bones for twig in (bone.twigs or (bone,))]
    middle = diagram.MIDDLE * diagram.FULL_SCORE
    n = sum(score < middle for score in scores)
    return words.say("fishbone.how_red" if n else "fishbone.how_none_red", n=n, middle=middle)


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
    return words.say("fishbone.finding", **_first(first))


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


def plot_causes(
    causes: pd.DataFrame,
    *,
    vital_share: float = VITAL_SHARE,
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the Pareto of causes.

    The part of each in what is missing, the vital few in colour, and the sum so far.

    `causes` comes from `merged_causes` with this `vital_share`; one without any score has a dash in
    place of its bar.
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
    told = [(-0.85, f"{words.label('cum_share')} · {words.label('owner')}")]
    told += [
        (row.Index, f"{words.percent(row.cum_share)} · {words.label(row.owner)}")
        for row in shown.itertuples()
    ]
    look.beside(ax, [(y, text, look.COLORS["subtle"]) for y, text in told])
    # for the share that stands behind the longest bar
    ax.set(xlim=(0, shown["shortfall_share"].max() * 1.2), ylim=(len(shown) - 0.5, -1.2))
    ax.xaxis.set_visible(False)
    ax.yaxis.grid(False)
    ax.spines["bottom"].set_visible(False)
    how = words.say("fishbone.causes_how", share=words.percent(vital_share))
    return look.explain(ax, _vital(causes).rstrip(".\u3002"), how, note)


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
