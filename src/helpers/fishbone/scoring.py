"""Scoring: what people and what data say of each factor, and where the two disagree."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from scipy import stats

from helpers import look, words

# dealers with a value, himself included, below which a percentile among them says little
MIN_PEERS = 8
ALIKE = (
    0.002  # of their median: values that all lie closer together are told apart by rounding only
)
# points by which people praise what a single dealer's figures blame, or the other way round
OPPOSITE = 1.0
DISAGREEMENT = 2.5  # points of ten: a quarter of the scale is more than rounding and mood explain
# shown
WEAKEST = ["dealer_name", "factor", "owner", "indicator", "value", "data_score", "peer_shortfall"]
MIN_BOTH = 3  # factors scored by people and by data, below which centring leaves nothing to compare


class Agreement(NamedTuple):
    """Kendall's W with its chi-square p-value, and of how many people and items."""

    w: float
    p_value: float
    n_participants: int
    n_items: int


# ---- people --------------------------------------------------------------------------------------


def answers(
    scores: pd.DataFrame, *, end_date, dealer_id="", brand="", kind="factor", aspect="performance"
):
    """Pick what was asked, one row per person, item and brand ("" is ours).

    `nth` counts sessions from 0, oldest first.

    A person is a participant of a session; who scored the same twice in a session counts once, with
    his mean.
    """
    asked = (scores["kind"] == kind) & (scores["aspect"].fillna("performance") == aspect)
    before = scores["scored_date"] < pd.Timestamp(end_date).normalize() + pd.Timedelta(days=1)
    about = scores["dealer_id"].fillna("") == dealer_id
    rows = scores[asked & before & about & scores["score"].notna()]
    _require_scale(rows)
    whose = rows["brand"].fillna("").astype("str")
    rows = rows.assign(brand=whose.mask(whose == brand, ""))
    keys = ["session", "participant", "item_id", "brand"]
    rows = rows.groupby(keys, as_index=False).agg(
        score=("score", "mean"), scored_date=("scored_date", "max")
    )
    rows["scored_date"] = rows.groupby("session")["scored_date"].transform("max")
    order = (
        rows[["scored_date", "session"]].drop_duplicates().sort_values(["scored_date", "session"])
    )
    nth = pd.Series(range(len(order)), index=order["session"], dtype="int64")
    return rows.assign(nth=rows["session"].map(nth).astype("int64"))


def _require_scale(rows: pd.DataFrame) -> None:
    wrong = rows[~rows["score"].between(0, 10)]
    if len(wrong):
        first = wrong.iloc[0]
        raise ValueError(
            f"scores: {len(wrong)} outside 0–10, e.g. {first['score']:g} for "
            f"{first['item_id']!r} by {first['participant']} in {first['session']}; correct them "
            "or leave the rows out"
        )


def leaf_factors(tree: pd.DataFrame) -> pd.DataFrame:
    """Choose the factors that are scored: the leaves of the tree."""
    return tree[tree["is_leaf"].astype(bool)]


def sessions(scores: pd.DataFrame, *, end_date) -> pd.DataFrame:
    """List the sessions up to a day, oldest first.

    `session`, `scored_date` (their last day), `n_participants`.
    """
    rows = scores[scores["scored_date"] < pd.Timestamp(end_date).normalize() + pd.Timedelta(days=1)]
    found = rows.groupby("session", as_index=False).agg(
        scored_date=("scored_date", "max"), n_participants=("participant", "nunique")
    )
    return found.sort_values(["scored_date", "session"], ignore_index=True)


def comparison_sessions(comparisons: pd.DataFrame, scores: pd.DataFrame, *, end_date) -> list[str]:
    """List the sessions whose comparisons count on a day, oldest first.

    Comparisons carry no date: their session's scores do. Sessions without any score have none, and
    come first.
    """
    asked, dated = set(comparisons["session"]), sessions(scores, end_date=end_date)["session"]
    undated = asked - set(scores["session"])
    return [*sorted(undated), *(s for s in dated if s in asked)]


def people_scores(
    scores: pd.DataFrame, tree: pd.DataFrame, *, end_date, dealer_id: str = "", brand: str = ""
) -> pd.DataFrame:
    """Score each leaf by people: the median and quartiles of the last session that scored it.

    Parameters
    ----------
    scores
        The contract's table; rows of other kinds, of rivals, of bones and of items the tree lacks
        are left out.
    dealer_id
        Whose scores; "" are those of the network as a whole, which name no dealer.
    brand
        Our brand as the scores write it; an empty brand is ours too.

    Returns
    -------
    DataFrame
        One row per leaf: `factor_id`, `n_scores` (behind the median), `n_participants` (people in
        all sessions; a participant is a person within his session), `n_sessions`, `score`, `low`,
        `high` (quartiles), `previous_score` (median of all sessions before). NaN where nobody
        scored.

    Raises
    ------
    ValueError
        If a score lies outside 0–10.
    """
    leaves = leaf_factors(tree)["factor_id"]
    rows = answers(scores, end_date=end_date, dealer_id=dealer_id, brand=brand)
    rows = rows[(rows["brand"] == "") & rows["item_id"].isin(leaves)]
    is_last = rows["nth"] == rows.groupby("item_id")["nth"].transform("max")
    last, every = rows[is_last].groupby("item_id")["score"], rows.groupby("item_id")
    table = pd.DataFrame(
        {
            "n_scores": last.size(),
            "n_participants": every.size(),
            "n_sessions": every["session"].nunique(),
            "score": last.median(),
            "low": last.quantile(0.25),
            "high": last.quantile(0.75),
            "previous_score": rows[~is_last].groupby("item_id")["score"].median(),
        }
    )
    table = table.reindex(leaves.to_numpy()).rename_axis("factor_id")
    counts = ["n_scores", "n_participants", "n_sessions"]
    return table.assign(**{c: table[c].fillna(0).astype(int) for c in counts}).reset_index()


def session_scores(
    scores: pd.DataFrame, tree: pd.DataFrame, *, end_date, dealer_id: str = "", brand: str = ""
) -> pd.DataFrame:
    """Follow each leaf from session to session.

    `session`, `scored_date`, `factor_id`, `score` (median), `n_scores`.
    """
    leaves = leaf_factors(tree)["factor_id"]
    rows = answers(scores, end_date=end_date, dealer_id=dealer_id, brand=brand)
    rows = rows[(rows["brand"] == "") & rows["item_id"].isin(leaves)].rename(
        columns={"item_id": "factor_id"}
    )
    keys = ["nth", "session", "scored_date", "factor_id"]
    table = rows.groupby(keys, as_index=False).agg(
        score=("score", "median"), n_scores=("score", "size")
    )
    place = table["factor_id"].map({factor: i for i, factor in enumerate(leaves)})
    return table.assign(place=place).sort_values(["nth", "place"], ignore_index=True)[
        [*keys[1:], "score", "n_scores"]
    ]


def _dealers(scores: pd.DataFrame) -> list[str]:
    """List the dealers who were scored by themselves."""
    return sorted(scores.loc[scores["kind"] == "factor", "dealer_id"].dropna().unique())


def dealer_session_scores(
    scores: pd.DataFrame, tree: pd.DataFrame, *, end_date, brand: str = ""
) -> pd.DataFrame:
    """Follow the leaves of every dealer who was scored by himself.

    As `session_scores`, with `dealer_id`.
    """
    none = session_scores(scores.head(0), tree, end_date=end_date).assign(dealer_id="")
    each = [
        session_scores(scores, tree, end_date=end_date, dealer_id=d, brand=brand).assign(
            dealer_id=d
        )
        for d in _dealers(scores)
    ]
    return pd.concat([none, *each], ignore_index=True)


def unknown_items(scores: pd.DataFrame, tree: pd.DataFrame) -> list[str]:
    """Name the scored factors that the tree does not have, sorted.

    Their scores are left out everywhere.
    """
    scored = scores.loc[scores["kind"] == "factor", "item_id"].dropna()
    return sorted(set(scored) - set(tree["factor_id"]))


def kendalls_w(matrix: pd.DataFrame | np.ndarray) -> Agreement:
    """Measure how far people rank items alike (Kendall's coefficient of concordance).

    0 not at all, 1 all the same.

    `matrix` has a row per participant and a column per item. Ties are corrected for; who misses an
    item is left out. NaN with fewer than two people or items, or where nobody makes a difference.
    The p-value is that of Friedman's chi-square with n − 1 degrees of freedom, too cautious with
    few people.

    Source: Kendall & Babington Smith (1939), The problem of m rankings, Annals of Mathematical
    Statistics 10(3).

    >>> kendalls_w([[1, 2, 3], [2, 4, 6], [0, 5, 9]]).w
    1.0
    """
    rows = pd.DataFrame(matrix).dropna()
    m, n = rows.shape
    if m < 2 or n < 2:
        return Agreement(math.nan, math.nan, m, n)
    ranks = rows.rank(axis=1).to_numpy(dtype="float64")
    # tied ranks make the sum of squared ranks smaller by (t³ − t) / 12 for every group of t equals
    ties = 12 * (m * n * (n + 1) * (2 * n + 1) / 6 - (ranks**2).sum())
    most = m**2 * (n**3 - n) - m * ties
    if most < 1e-9:
        return Agreement(math.nan, math.nan, m, n)
    w = float(12 * ((ranks.sum(axis=0) - m * (n + 1) / 2) ** 2).sum() / most)
    return Agreement(w, float(stats.chi2.sf(m * (n - 1) * w, n - 1)), m, n)


def agreement(
    scores: pd.DataFrame, tree: pd.DataFrame, *, end_date, dealer_id: str = "", brand: str = ""
) -> pd.DataFrame:
    """Measure in each session how far people rank our factors alike, oldest session first.

    Compared are the leaves that at least half of the session's people scored; who misses one of
    those is left out. Columns: `session`, `scored_date`, `w`, `p_value`, `n_participants`,
    `n_items`, `n_left_out`.
    """
    rows = answers(scores, end_date=end_date, dealer_id=dealer_id, brand=brand)
    rows = rows[(rows["brand"] == "") & rows["item_id"].isin(leaf_factors(tree)["factor_id"])]
    found = []
    for (_nth, session, date), inside in rows.groupby(["nth", "session", "scored_date"]):
        wide = inside.pivot_table(index="participant", columns="item_id", values="score")
        wide = wide.loc[:, wide.notna().mean() >= 0.5]
        together = kendalls_w(wide)
        found.append((session, date, *together, len(wide) - together.n_participants))
    columns = ["session", "scored_date", *Agreement._fields, "n_left_out"]
    return pd.DataFrame(found, columns=columns)


# ---- data ----------------------------------------------------------------------------------------


def data_scores(features: pd.DataFrame, tree: pd.DataFrame, dealers: pd.DataFrame) -> pd.DataFrame:
    """Score each dealer at each measured factor by his place among his peers.

    0 worst, 5 the middle, 10 best.

    Peers are the dealers of the same format and area with a value, himself included; where they are
    fewer than `MIN_PEERS`, those of the same area, else all. Equal values share the middle of their
    places.

    Parameters
    ----------
    features
        One row per dealer: `dealer_id` and a column for each metric, NaN where unknown.
    tree
        Leaves whose `metric` names a column are scored; where `better` is "low", less is better.
    dealers
        `dealer_id`, `store_format`, `area_type`.

    Returns
    -------
    DataFrame
        A row per dealer and factor: `dealer_id`, `factor_id`, `metric`, `value`, `peers`
        ("format_area", "area" or "all"), `percentile` (0–1, turned so that 1 is best),
        `ahead_share` (part of the peers who do better), `data_score` (10 × percentile); NaN where
        the value is unknown, where nobody else has one, and where all dealers are alike.

    Raises
    ------
    ValueError
        If the tree names a metric that is no column of the features.
    """
    measured = _require_metrics(features, tree)
    who = features[["dealer_id"]].merge(dealers, on="dealer_id", how="left", validate="many_to_one")
    known = who[["store_format", "area_type"]].notna()
    circles = [
        (
            "format_area",
            who.groupby(["store_format", "area_type"]).ngroup().where(known.all(axis=1), -1),
        ),
        ("area", who.groupby("area_type").ngroup().where(known["area_type"], -1)),
    ]
    parts = [
        _placed(
            features["dealer_id"], features[leaf.metric], circles, better_low=leaf.better == "low"
        ).assign(factor_id=leaf.factor_id, metric=leaf.metric)
        for leaf in measured.itertuples()
    ]
    columns = [
        "dealer_id",
        "factor_id",
        "metric",
        "value",
        "peers",
        "percentile",
        "ahead_share",
        "data_score",
    ]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _require_metrics(features: pd.DataFrame, tree: pd.DataFrame) -> pd.DataFrame:
    leaves = leaf_factors(tree)
    measured = leaves[leaves["metric"].notna() & (leaves["metric"] != "")]
    known = [c for c in features.columns if c != "dealer_id"]
    unknown = measured[~measured["metric"].isin(known)]
    if len(unknown):
        first = unknown.iloc[0]
        raise ValueError(
            f"factors: the metric {first['metric']!r} of {first['factor_id']!r} is no dealer "
            f"feature; there are {', '.join(known)} — correct factors.csv, or leave the metric "
            "empty"
        )
    return measured


def _placed(ids: pd.Series, values: pd.Series, circles: list, *, better_low: bool) -> pd.DataFrame:
    """Place each value within the narrowest circle of peers that is large enough."""
    value = values.astype("float64").reset_index(drop=True)
    merit = -value if better_low else value
    peers = np.full(len(value), "all", dtype=object)
    n, middle, last = (
        pd.Series(merit.count(), index=merit.index),
        merit.rank(),
        merit.rank(method="max"),
    )
    for name, code in reversed(circles):
        by = merit.groupby(code.to_numpy())
        large = (by.transform("count") >= MIN_PEERS) & (code.to_numpy() >= 0)
        n, middle = n.mask(large, by.transform("count")), middle.mask(large, by.rank())
        last = last.mask(large, by.rank(method="max"))
        peers[large] = name
    # his own half counts for him: the middle of the places that equals share; who is alone has no
    # place, nor has anybody where all are alike
    alike = value.max() - value.min() <= ALIKE * abs(value.median())
    place = ((middle - 0.5) / n).where((n > 1) & (not alike))
    last = last.where(place.notna())
    return pd.DataFrame(
        {
            "dealer_id": ids.to_numpy(),
            "value": value,
            "peers": pd.array(peers, dtype="str"),
            "percentile": place,
            "ahead_share": 1 - last / n,
            "data_score": 10 * place,
        }
    )


def network_data_scores(dealer_scores: pd.DataFrame, revenue: pd.Series) -> pd.DataFrame:
    """Average the dealers' data scores per factor, weighted by our revenue (a Series by dealer_id).

    5 means that large dealers are no better than others. Without any revenue all count alike. A
    factor of which several dealers all have the same value tells nothing and has no score. Columns:
    `factor_id`, `data_score`, `n_dealers` (with a value that tells).
    """
    rows = dealer_scores.dropna(subset=["data_score"])
    values = rows.groupby("factor_id")["value"]
    rows = rows[(values.transform("nunique") > 1) | (values.transform("size") == 1)]
    weight = rows["dealer_id"].map(revenue).fillna(0.0).clip(lower=0.0).astype("float64")
    weight = weight.mask(weight.groupby(rows["factor_id"]).transform("sum") <= 0, 1.0)
    sums = (
        pd.DataFrame({"part": rows["data_score"] * weight, "weight": weight})
        .groupby(rows["factor_id"])
        .sum()
    )
    found = pd.DataFrame(
        {"data_score": sums["part"] / sums["weight"], "n_dealers": rows.groupby("factor_id").size()}
    ).reindex(dealer_scores["factor_id"].unique())
    found["n_dealers"] = found["n_dealers"].fillna(0).astype(int)
    return found.rename_axis("factor_id").reset_index()


def own_data_scores(
    dealer_scores: pd.DataFrame, features: pd.DataFrame, dealer_id: str = ""
) -> pd.DataFrame:
    """Give the data scores of one dealer, or of the network where none is named.

    `factor_id`, `data_score`.

    Raises
    ------
    ValueError
        If nothing is known of the dealer.
    """
    if not dealer_id:
        return network_data_scores(dealer_scores, features.set_index("dealer_id")["revenue"])
    rows = dealer_scores[dealer_scores["dealer_id"] == dealer_id]
    if rows.empty:
        n = features["dealer_id"].nunique()
        raise ValueError(
            f"dealer_id: no figures of {dealer_id!r}; choose one of the {n:,} dealers of the window"
        )
    return rows[["factor_id", "data_score"]].reset_index(drop=True)


def weakest_factors(
    dealer_scores: pd.DataFrame,
    tree: pd.DataFrame,
    weights: pd.Series,
    revenue: pd.Series,
    n_dealers: int = 20,
) -> pd.DataFrame:
    """Name for each of the largest dealers the factor with his largest weighted shortfall by data.

    `peer_shortfall` is the factor's weight times ten times the part of the peers who do better:
    where all are equal nobody falls short, though all score 5. Who is behind nobody is left out;
    where a single factor is scored there is no weakest. Columns: `dealer_id`, `revenue`,
    `factor_id`, `factor`, `owner`, `indicator` (the metric), `value`, `peers`, `data_score`,
    `peer_shortfall`, the largest dealer first.
    """
    names = leaf_factors(tree)[["factor_id", "factor", "owner"]]
    rows = dealer_scores.dropna(subset=["data_score"]).merge(names, on="factor_id")
    rows = rows if len(rows["factor_id"].unique()) > 1 else rows.head(0)
    largest = revenue[revenue.index.isin(rows["dealer_id"])].sort_values(
        ascending=False, kind="stable"
    )[:n_dealers]
    rows = rows[rows["dealer_id"].isin(largest.index)]
    rows = rows.assign(
        revenue=rows["dealer_id"].map(largest),
        peer_shortfall=(
            10 * rows["factor_id"].map(weights).astype("float64").fillna(0.0) * rows["ahead_share"]
        ).round(9),
        order=rows["dealer_id"].map({dealer: i for i, dealer in enumerate(largest.index)}),
        place=rows["factor_id"].map({factor: i for i, factor in enumerate(names["factor_id"])}),
    )
    rows = rows.sort_values(["order", "peer_shortfall", "place"], ascending=[True, False, True])
    rows = rows[rows["peer_shortfall"] > 0].drop_duplicates("dealer_id")
    columns = [
        "dealer_id",
        "revenue",
        "factor_id",
        "factor",
        "owner",
        "indicator",
        "value",
        "peers",
        "data_score",
        "peer_shortfall",
    ]
    return rows.rename(columns={"metric": "indicator"})[columns].reset_index(drop=True)


# ---- people and data -----------------------------------------------------------------------------


def factor_scores(people: pd.DataFrame, data: pd.DataFrame) -> pd.DataFrame:
    """Put people's scores and data scores side by side, for the network or for one dealer.

    Parameters
    ----------
    people
        From `people_scores`, which tells the rows.
    data
        `factor_id`, `data_score`: from `network_data_scores`, or one dealer's rows of
        `data_scores`.

    Returns
    -------
    DataFrame
        `factor_id`, `n_scores`, `score`, `low`, `high`, `data_score`, `gap`, `disagrees`. The
        levels of opinions and of percentiles can't be compared, so `gap` is people's score less the
        data score after both are centred on their own median over the factors that have both; NaN
        where those are fewer than three. `disagrees` from `DISAGREEMENT` points either way.
    """
    table = people[["factor_id", "n_scores", "score", "low", "high"]].merge(
        data[["factor_id", "data_score"]], on="factor_id", how="left", validate="one_to_one"
    )
    both = table["score"].notna() & table["data_score"].notna()
    said, measured = (table[c] - table.loc[both, c].median() for c in ("score", "data_score"))
    gap = (said - measured).where(both & (both.sum() >= MIN_BOTH))
    return table.assign(gap=gap, disagrees=gap.abs().round(9) >= DISAGREEMENT)


def dealer_gaps(
    scores: pd.DataFrame,
    dealer_scores: pd.DataFrame,
    tree: pd.DataFrame,
    dealers: pd.DataFrame,
    *,
    end_date,
    brand: str = "",
) -> pd.DataFrame:
    """List where people who scored a single dealer disagree strongly with his figures, the widest
    gap first.

    One praises and the other blames: a single dealer's percentiles reach from 0 to 10 where
    opinions stay between 6 and 7, so that who agrees on the side but not on the size would fill the
    list.

    Columns: `dealer_id`, `dealer_name`, `factor`, `owner`, `score`, `data_score`, `gap` (as
    `factor_scores`).
    """
    found = []
    for dealer in _dealers(scores):
        people = people_scores(scores, tree, end_date=end_date, dealer_id=dealer, brand=brand)
        both = factor_scores(people, dealer_scores[dealer_scores["dealer_id"] == dealer])
        told = both.dropna(subset=["gap"])
        said, measured = (told[c] - told[c].median() for c in ("score", "data_score"))
        opposite = (said * measured < 0) & (
            np.minimum(said.abs(), measured.abs()).round(9) >= OPPOSITE
        )
        found.append(told[told["disagrees"] & opposite].assign(dealer_id=dealer))
    columns = ["dealer_id", "dealer_name", "factor", "owner", "score", "data_score", "gap"]
    if not found:
        return pd.DataFrame(columns=columns)
    rows = pd.concat(found).merge(
        leaf_factors(tree)[["factor_id", "factor", "owner"]], on="factor_id"
    )
    rows["dealer_name"] = rows["dealer_id"].map(dealers.set_index("dealer_id")["dealer_name"])
    return rows.sort_values("gap", key=abs, ascending=False)[columns].reset_index(drop=True)


# ---- sentences -----------------------------------------------------------------------------------


def _named(tree: pd.DataFrame, factors: Iterable[str]) -> list[str]:
    names = tree.set_index("factor_id")["factor"]
    return [names.get(factor, factor) for factor in factors]


def unknown_sentences(scores: pd.DataFrame, tree: pd.DataFrame) -> list[str]:
    """Say which scored factors are left out because the tree does not have them."""
    items = unknown_items(scores, tree)
    return [words.say("scoring.unknown_items", names=words.listed(items, 99))] if items else []


def agreement_sentences(together: pd.DataFrame) -> list[str]:
    """Say how far the people of the last session rank the factors alike, in words for a W."""
    known = together[together["w"].notna()]
    if known.empty:
        return []
    last = known.iloc[-1]
    # 0.7 is strong agreement, 0.3 weak: Schmidt (1997), Decision Sciences 28(3)
    how = "strong" if last["w"] >= 0.7 else "fair" if last["w"] >= 0.3 else "weak"
    said = [
        words.say(
            f"scoring.agree_{how}", session=last["session"], n=last["n_participants"], w=last["w"]
        )
    ]
    return said + ([words.say("scoring.agree_chance")] if last["p_value"] > 0.05 else [])


def disagreement_sentences(table: pd.DataFrame, tree: pd.DataFrame) -> list[str]:
    """Say of which factors people think strongly otherwise than the data, the widest gap first."""
    if not table["gap"].notna().any():
        # that nobody or no data score at all is said elsewhere on the page
        both = table[["score", "data_score"]].notna().any().all()
        return [words.say("scoring.gap_unknown")] if both else []
    rows = table[table["disagrees"]].sort_values("gap", key=abs, ascending=False, kind="stable")
    if rows.empty:
        return [words.say("scoring.gap_none", points=DISAGREEMENT)]
    keys = np.where(rows["gap"] > 0, "scoring.gap_rosy", "scoring.gap_gloomy")
    return [
        words.say(key, factor=name, score=row.score, data=row.data_score, gap=abs(row.gap))
        for key, name, row in zip(
            keys, _named(tree, rows["factor_id"]), rows.itertuples(), strict=True
        )
    ]


# ---- plots ---------------------------------------------------------------------------------------


def rows_axes(n: int) -> Axes:
    """Make axes for a row per factor."""
    return look.axes(height=max(1.5 + 0.25 * n, 2.4))


def plot_scores(
    table: pd.DataFrame, tree: pd.DataFrame, *, scope: str = "", ax: Axes | None = None
) -> Axes:
    """Draw per factor what people say (median and quartiles) and what the data say, the lowest
    scores on top.
    """
    known = table.dropna(subset=["score", "data_score"], how="all")
    if known.empty:
        return look.nothing(words.say("fishbone.no_score", n=len(table)), ax)
    rows = known.sort_values(
        ["score", "data_score"], ascending=False, na_position="first", kind="stable"
    )
    ax, y, odd = ax or rows_axes(len(rows)), np.arange(len(rows)), rows["disagrees"].to_numpy(bool)
    ax.hlines(
        y[odd],
        rows["score"][odd],
        rows["data_score"][odd],
        color=look.COLORS["bad"],
        linewidth=1.4,
    )
    ax.hlines(
        y,
        rows["low"],
        rows["high"],
        color=look.COLORS["B"],
        linewidth=6,
        label=words.label("middle_half"),
    )
    ax.plot(
        rows["score"],
        y,
        "o",
        color=look.COLORS["accent"],
        markersize=6,
        label=words.label("people_median"),
    )
    ax.plot(
        rows["data_score"],
        y,
        "D",
        color="white",
        markeredgecolor=look.COLORS["text"],
        markersize=5.5,
        label=words.label("data_score"),
    )
    for place, row in zip(y[odd], rows[odd].itertuples(), strict=True):
        ax.annotate(
            words.signed(row.gap, 1),
            (max(row.score, row.data_score, row.high), place),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=look.COLORS["bad"],
        )
    ax.set_yticks(y, _named(tree, rows["factor_id"]))
    for tick, strong in zip(ax.get_yticklabels(), odd, strict=True):
        tick.set_color(look.COLORS["bad"] if strong else look.COLORS["text"])
    ax.set(
        xlim=(0, 10.6),
        ylim=(-0.6, len(rows) - 0.4),
        xticks=range(0, 11, 2),
        xlabel=words.label("score_0_10"),
    )
    ax.grid(axis="y", visible=False)
    ax.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.1, handletextpad=0.5
    )
    title = _scores_title(rows, tree)
    return look.explain(ax, title, words.say("scoring.scores_how", points=DISAGREEMENT), scope)


def _scores_title(rows: pd.DataFrame, tree: pd.DataFrame) -> str:
    """Name what is scored lowest, ties together, and count where people and data are apart."""
    if len(rows) == 1:  # the lowest of one is no finding
        return words.say("scoring.few_title", n=len(rows))
    by_people = rows["score"].notna().any()
    shown = rows["score"] if by_people else rows["data_score"]
    lowest = _named(tree, rows.loc[shown.round(9) == round(shown.min(), 9), "factor_id"][::-1])
    factor = (
        words.listed(lowest) if len(lowest) <= 3 else words.say("scoring.n_factors", n=len(lowest))
    )
    n = int(rows["disagrees"].sum())
    compared = "" if n else "_agree" if rows["gap"].notna().any() else "_alone"
    key = f"scoring.people_title{compared}" if by_people else "scoring.data_title"
    return words.say(key, factor=factor, score=float(shown.min()), n=n)


def plot_dealers(
    dealer_scores: pd.DataFrame,
    tree: pd.DataFrame,
    weights: pd.Series,
    dealers: pd.DataFrame,
    revenue: pd.Series,
    *,
    n: int = 12,
    scope: str = "",
    empty: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the data scores of the n largest dealers at each factor.

    A frame marks each one's weightiest shortfall. `empty` says why there is none, where another
    reason than the data's is known (see `factors.why_too_few`).
    """
    weakest = weakest_factors(dealer_scores, tree, weights, revenue, n)
    if weakest.empty:
        scored = dealer_scores["data_score"].notna().any()
        why = empty or words.say("scoring.one_data" if scored else "scoring.no_data")
        return look.nothing(why, ax)
    wide = dealer_scores.pivot_table(index="factor_id", columns="dealer_id", values="data_score")
    factors = [f for f in leaf_factors(tree)["factor_id"] if f in wide.index]
    wide = wide.reindex(index=factors, columns=weakest["dealer_id"])
    ax = ax or look.axes(height=2.6 + 0.25 * len(wide))
    sns.heatmap(
        wide.to_numpy(),
        annot=True,
        fmt=".0f",
        cmap=look.SEQUENTIAL,
        vmin=0,
        vmax=10,
        cbar=False,
        linewidths=1.5,
        linecolor="white",
        annot_kws={"fontsize": 8.5},
        ax=ax,
    )
    for column, factor in enumerate(weakest["factor_id"]):
        ax.add_patch(
            Rectangle(
                (column, factors.index(factor)),
                1,
                1,
                fill=False,
                linewidth=2,
                zorder=5,
                edgecolor=look.COLORS["rival"],
            )
        )
    names = (
        weakest["dealer_id"]
        .map(dealers.set_index("dealer_id")["dealer_name"])
        .fillna(weakest["dealer_id"])
    )
    ax.xaxis.tick_top()
    ax.set_xticks(
        np.arange(len(names)) + 0.5,
        names,
        rotation=38,
        ha="left",
        rotation_mode="anchor",
        fontsize=8.5,
    )
    ax.set_yticks(np.arange(len(factors)) + 0.5, _named(tree, factors), rotation=0)
    ax.set(xlabel="", ylabel="")
    counts = weakest["factor"].value_counts()
    common = min(counts[counts == counts.max()].index)
    title = words.say("scoring.dealers_title", factor=common, n=int(counts.max()), of=len(weakest))
    return look.explain(ax, title, words.say("scoring.dealers_how"), scope)
