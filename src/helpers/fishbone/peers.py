"""Peers: what the data say of each factor, by a dealer's place among those like him."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from helpers import look, words
from helpers.fishbone.tree import factor_names, leaf_factors

# dealers with a value, himself included, below which a percentile among them says little
MIN_PEERS = 8
ALIKE = (
    0.002  # of their median: values that all lie closer together are told apart by rounding only
)
# shown
WEAKEST = ["dealer_name", "factor", "owner", "indicator", "value", "data_score", "peer_shortfall"]


def data_scores(
    features: pd.DataFrame,
    tree: pd.DataFrame,
    dealers: pd.DataFrame,
    *,
    min_peers: int = MIN_PEERS,
) -> pd.DataFrame:
    """Score each dealer at each measured factor by his place among his peers.

    0 worst, 5 the middle, 10 best.

    Peers are the dealers of the same format and area with a value, himself included; where they are
    fewer than `min_peers`, those of the same area, else all. Equal values share the middle of their
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
            features["dealer_id"],
            features[leaf.metric],
            circles,
            better_low=leaf.better == "low",
            min_peers=min_peers,
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


def _placed(
    ids: pd.Series, values: pd.Series, circles: list, *, better_low: bool, min_peers: int
) -> pd.DataFrame:
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
        large = (by.transform("count") >= min_peers) & (code.to_numpy() >= 0)
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


# ---- the figure ----------------------------------------------------------------------------------


def plot_dealers(
    dealer_scores: pd.DataFrame,
    tree: pd.DataFrame,
    weights: pd.Series,
    dealers: pd.DataFrame,
    revenue: pd.Series,
    *,
    n: int = 12,
    note: str = "",
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
    look.inked(ax)
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
    ax.set_yticks(np.arange(len(factors)) + 0.5, factor_names(tree, factors), rotation=0)
    ax.set(xlabel="", ylabel="")
    counts = weakest["factor"].value_counts()
    common = min(counts[counts == counts.max()].index)
    title = words.say("scoring.dealers_title", factor=common, n=int(counts.max()), of=len(weakest))
    return look.explain(ax, title, words.say("scoring.dealers_how"), note)
