"""Sums: what groups buy and answer, when and where, with the intervals of what was counted."""

from collections.abc import Mapping
from statistics import NormalDist

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from helpers import look, words
from helpers.consumers.profiles import SMALLEST_SHOWN

FEWEST = 30  # consumers, contacts or buyers below which a figure is an anecdote
LEVEL = 0.95
MONTHS = tuple(range(1, 13))
SERVED = [  # of a dealer and a group
    "group",
    "dealer_id",
    "dealer_name",
    "n_consumers",
    "n_served",
    "group_share",
    "low_share",
    "high_share",
    "network_share",
]


# ---- intervals -----------------------------------------------------------------------------------


def wilson_interval(
    n_yes: object, n: object, level: float = LEVEL
) -> tuple[np.ndarray, np.ndarray]:
    """Give the Wilson score interval of a proportion, elementwise; NaN where `n` is 0.

    Source: Wilson (1927), Probable inference, the law of succession, and statistical inference,
    JASA 22(158).

    >>> low, high = wilson_interval(8, 10)
    >>> round(float(low), 3), round(float(high), 3)
    (0.49, 0.943)
    """
    n_yes, n = np.asarray(n_yes, "float64"), np.asarray(n, "float64")
    z = NormalDist().inv_cdf(0.5 + level / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = n_yes / n
        centre = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def rate_difference(
    n_yes: object, n: object, others_yes: object, others: object, level: float = LEVEL
) -> tuple[np.ndarray, np.ndarray]:
    """Give the interval of the difference of two independent proportions, elementwise.

    Source: Newcombe (1998), Interval estimation for the difference between independent proportions,
    Statistics in Medicine 17(8), method 10: the Wilson intervals of both, combined.

    >>> low, high = rate_difference(56, 70, 48, 80)
    >>> round(float(low), 4), round(float(high), 4)
    (0.0524, 0.3339)
    """
    (low, high), (low_o, high_o) = (
        wilson_interval(n_yes, n, level),
        wilson_interval(others_yes, others, level),
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        rate, rate_o = (
            np.asarray(n_yes) / np.asarray(n, float),
            np.asarray(others_yes) / np.asarray(others, float),
        )
    below = np.hypot(rate - low, high_o - rate_o)
    above = np.hypot(high - rate, rate_o - low_o)
    return rate - rate_o - below, rate - rate_o + above


def mean_difference(
    values: pd.Series, inside: pd.Series, level: float = LEVEL
) -> tuple[float, float, float, float]:
    """Compare a mean inside a group with the mean of all others.

    Both means, and Welch's interval of the difference.

    Missing values are left out. The interval is the normal one, good from some thirty values a
    side.
    """
    known = values.notna()
    a, b = values[known & inside], values[known & ~inside]
    if min(len(a), len(b)) < 2:
        return (float(a.mean()), float(b.mean()), np.nan, np.nan)
    half = NormalDist().inv_cdf(0.5 + level / 2) * np.sqrt(a.var() / len(a) + b.var() / len(b))
    difference = a.mean() - b.mean()
    return float(a.mean()), float(b.mean()), float(difference - half), float(difference + half)


# ---- tables --------------------------------------------------------------------------------------


def seasonality(by_month: pd.DataFrame, n_months: int = 12) -> pd.DataFrame:
    """Index each group's months: 1 is its average month.

    `n_months` is the length of the history: where it has not seen every calendar month, no season
    is known, and no rows are given.

    `by_month` has `group`, `calendar_month` (1–12), `amount` and `n_months`, how often the month
    occurs in the history. Months without a sale count as 0. Returns `group`, `calendar_month`,
    `index`; a group with no net sales has NaN.

    >>> rows = pd.DataFrame({"group": "g1", "calendar_month": [1, 7],
    ...                      "amount": [10.0, 40.0], "n_months": [1, 2]})
    >>> seasonality(rows)["index"].round(1).tolist()
    [4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 8.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    by_month = by_month if n_months >= len(MONTHS) else by_month.head(0)
    rows = by_month.assign(usual=by_month["amount"] / by_month["n_months"])
    wide = rows.pivot_table(index="group", columns="calendar_month", values="usual", aggfunc="sum")
    wide = wide.reindex(columns=list(MONTHS)).fillna(0.0)
    mean = wide.mean(axis=1)
    wide = wide.div(mean.where(mean > 0), axis=0)
    long = wide.reset_index().melt("group", var_name="calendar_month", value_name="index")
    return long.sort_values(["group", "calendar_month"], ignore_index=True)


def response_rates(
    responses: pd.DataFrame, level: float = LEVEL, *, fewest: int = FEWEST
) -> pd.DataFrame:
    """Rate the answers of each group to each kind of promotion, with Wilson intervals.

    `responses` has `group`, `promotion_kind`, `n_contacts`, `n_responses`. A rate counts who came
    after being written to, and not who would have come anyway: that is `uplift`.
    `is_thin` marks fewer than `fewest` contacts.
    """
    rows = responses.sort_values(["group", "promotion_kind"], ignore_index=True)
    low, high = wilson_interval(rows["n_responses"], rows["n_contacts"], level)
    rate = rows["n_responses"] / rows["n_contacts"].where(rows["n_contacts"] > 0)
    return rows.assign(
        response_rate=rate, low_rate=low, high_rate=high, is_thin=rows["n_contacts"] < fewest
    )


def group_dealers(
    by_dealer: pd.DataFrame,
    dealers: pd.DataFrame,
    level: float = LEVEL,
    *,
    fewest: int = FEWEST,
) -> pd.DataFrame:
    """Say which dealers serve which group.

    The group's part of a dealer's known consumers, against the network's part.

    `by_dealer` has `group`, `dealer_id`, `n_consumers`, `amount`. Only dealers with at least
    `fewest` consumers are judged; `serves_more` where the whole interval lies above the network's
    share. The level is shared out over all dealers judged (Bonferroni), for among hundreds some
    would stand out by chance.
    """
    served = by_dealer.groupby("dealer_id")["n_consumers"].transform("sum")
    usual = by_dealer.groupby("group")["n_consumers"].sum() / max(by_dealer["n_consumers"].sum(), 1)
    rows = by_dealer[served >= fewest].assign(
        n_served=served, network_share=by_dealer["group"].map(usual).astype("float64")
    )
    n_tests = max(len(rows), 1)
    low, high = wilson_interval(rows["n_consumers"], rows["n_served"], 1 - (1 - level) / n_tests)
    rows = rows.assign(
        group_share=rows["n_consumers"] / rows["n_served"], low_share=low, high_share=high
    )
    rows["serves_more"] = rows["low_share"] > rows["network_share"]
    rows["dealer_name"] = rows["dealer_id"].map(dealers.set_index("dealer_id")["dealer_name"])
    order = {"group": True, "serves_more": False, "low_share": False, "dealer_id": True}
    rows = rows.sort_values(list(order), ascending=list(order.values()))
    return rows[[*SERVED, "amount", "serves_more"]].reset_index(drop=True)


def served_sentences(served: pd.DataFrame, fewest: int = FEWEST) -> list[str]:
    """Say where no dealer stands out.

    How many were judged, and that they serve all groups alike.
    """
    if served["serves_more"].any():
        return []
    n = served["dealer_id"].nunique()
    return [
        words.say("strategies.no_dealers" if n else "strategies.few_at_dealers", n=n, least=fewest)
    ]


def served_most(served: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Lay out the dealers that surely serve a group more than the network does, as `group_dealers`
    found them.
    """
    rows = served[served["serves_more"]]
    rows = rows.assign(group=rows["group"].map(names).astype("str"))
    return rows[SERVED]


def margin_table(margin: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Lay out what dealers earn with each group.

    The margin of the lines whose cost is known, and how many those are.

    No rows where no cost is known.

    `margin` has `group`, `amount`, `amount_covered`, `gross_profit`, `covered_share`.
    """
    covered = margin["amount_covered"].where(margin["amount_covered"] > 0)
    rows = pd.DataFrame(
        {
            "group": margin["group"].map(names).astype("str"),
            "spent": margin["amount"],
            "gross_profit": margin["gross_profit"],
            "gross_margin_rate": margin["gross_profit"] / covered,
            "covered_share": margin["covered_share"],
        }
    )
    return rows if covered.notna().any() else rows.head(0)


def no_margin(margin: pd.DataFrame) -> str:
    """Say why `margin_table` has no rows: no cost is known, or no group is large enough."""
    known = (margin["amount_covered"] > 0).any()
    return words.say("strategies.margin_small" if known else "strategies.no_margin")


def favourite_categories(
    by_category: pd.DataFrame, labels: pd.Series, level: float = LEVEL
) -> pd.DataFrame:
    """Compare how many of a group bought a category with how many of all others did.

    `by_category` has `group`, `category`, `n_consumers` (buyers); `labels` are all consumers'
    groups. `low`, `high` is the interval of the difference of the two shares, shared out over the
    group's categories (Bonferroni).
    """
    sizes = labels.value_counts()
    rows = by_category.dropna(subset=["category"])
    n = rows["group"].map(sizes).astype("float64")
    rows = rows.assign(n=n, others=len(labels) - n)
    others_yes = rows.groupby("category")["n_consumers"].transform("sum") - rows["n_consumers"]
    n_tests = max(rows["category"].nunique(), 1)
    low, high = rate_difference(
        rows["n_consumers"], rows["n"], others_yes, rows["others"], 1 - (1 - level) / n_tests
    )
    return rows.assign(
        buyer_share=rows["n_consumers"] / rows["n"],
        others_share=others_yes / rows["others"].where(rows["others"] > 0),
        low=low,
        high=high,
    )


# ---- plots ---------------------------------------------------------------------------------------


def plot_season(
    season: pd.DataFrame,
    names: Mapping[str, str],
    *,
    least: int = SMALLEST_SHOWN,
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw each group's seasonality.

    A row per group of `least` people or more, a column per calendar month, 1 is its average month.
    """
    rows = season.dropna(subset=["index"])
    if rows.empty:
        return look.nothing(words.say("strategies.no_season", least=least), ax)
    ax = ax or look.axes(height=1.6 + 0.42 * rows["group"].nunique())
    wide = rows.pivot_table(index="group", columns="calendar_month", values="index")
    at, top = rows["index"].idxmax(), rows["index"].max()
    wide = wide.rename(index=dict(names), columns=lambda month: words.label(f"month_{month}"))
    sns.heatmap(
        wide,
        annot=True,
        fmt=".1f",
        cmap=look.SEQUENTIAL,
        cbar=False,
        linewidths=2,
        linecolor="white",
        vmin=0,
        vmax=max(float(top), 1.0),
        ax=ax,
    )
    look.inked(ax)
    ax.set(xlabel="", ylabel="")
    ax.tick_params(axis="y", rotation=0)
    ax.tick_params(axis="x", rotation=0)
    title = words.say(
        "strategies.season",
        group=names.get(rows["group"][at], rows["group"][at]),
        index=float(top),
        month=words.label(f"month_{int(rows['calendar_month'][at])}"),
    )
    return look.explain(ax, title, words.say("strategies.season_how"), note)


def plot_responses(
    rates: pd.DataFrame,
    names: Mapping[str, str],
    *,
    fewest: int = FEWEST,
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the response rates with their intervals.

    Kinds of promotion from above, groups by colour.
    """
    shown = rates[~rates["is_thin"]]
    if shown.empty:
        return look.nothing(words.say("strategies.no_responses", least=fewest), ax)
    kinds, groups = sorted(shown["promotion_kind"].unique()), sorted(shown["group"].unique())
    ax = ax or look.axes(height=1.7 + len(kinds) * (0.25 + 0.17 * len(groups)))
    told = []
    for i, group in enumerate(groups):
        mine = shown[shown["group"] == group]
        y = mine["promotion_kind"].map(kinds.index) + (i - (len(groups) - 1) / 2) * 0.7 / max(
            len(groups), 1
        )
        color, mark = look.GROUPS[i % len(look.GROUPS)], look.MARKS[i % len(look.MARKS)]
        ax.hlines(y, mine["low_rate"], mine["high_rate"], color=color, linewidth=1.6)
        ax.plot(mine["response_rate"], y, mark, color=color, markersize=5)
        if len(mine):
            told.append((float(y.min()), names.get(group, group), color))
    look.beside(ax, told)
    ax.set_yticks(range(len(kinds)), [words.word(kind) for kind in kinds])
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    look.share_axis(ax.xaxis)
    # steps that whole percents can name
    ax.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
    ax.set(xlabel=words.label("response_rate"), xlim=(0, None))
    best = shown.loc[shown["low_rate"].idxmax()]
    untold = "" if best["promotion_kind"] != "not_stated" else "_untold"
    title = words.say(
        f"strategies.responses{untold}",
        group=names.get(best["group"], best["group"]),
        kind=words.word(best["promotion_kind"]),
        rate=words.percent(best["response_rate"]),
    )
    return look.explain(ax, title, words.say("strategies.responses_how"), note)
