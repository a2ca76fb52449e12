"""Strategies: what each consumer group asks for in product, price, season, promotion and sales
management.
"""

import itertools
from collections.abc import Mapping
from statistics import NormalDist

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from helpers import look, words

STRATEGIES = ("product", "price", "season", "promotion", "sales_management")
FEWEST = 30  # consumers, contacts or buyers below which a figure is an anecdote
LEVEL = 0.95
# a difference of shares nobody would notice in a shop: among many consumers chance can tell even
# that
WORTH = 0.02
LAPSED_DAYS = 365  # who bought nothing for so long is to be won back
MONTHS = tuple(range(1, 13))


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


def response_rates(responses: pd.DataFrame, level: float = LEVEL) -> pd.DataFrame:
    """Rate the answers of each group to each kind of promotion, with Wilson intervals.

    `responses` has `group`, `promotion_kind`, `n_contacts`, `n_responses`. A rate counts who came
    after being written to; without a control group it does not tell who would have come anyway.
    `is_thin` marks fewer than 30 contacts.
    """
    rows = responses.sort_values(["group", "promotion_kind"], ignore_index=True)
    low, high = wilson_interval(rows["n_responses"], rows["n_contacts"], level)
    rate = rows["n_responses"] / rows["n_contacts"].where(rows["n_contacts"] > 0)
    return rows.assign(
        response_rate=rate, low_rate=low, high_rate=high, is_thin=rows["n_contacts"] < FEWEST
    )


def group_dealers(
    by_dealer: pd.DataFrame, dealers: pd.DataFrame, level: float = LEVEL
) -> pd.DataFrame:
    """Say which dealers serve which group.

    The group's part of a dealer's known consumers, against the network's part.

    `by_dealer` has `group`, `dealer_id`, `n_consumers`, `amount`. Only dealers with at least 30
    consumers are judged; `serves_more` where the whole interval lies above the network's share. The
    level is shared out over all dealers judged (Bonferroni), for among hundreds some would stand
    out by chance.
    """
    served = by_dealer.groupby("dealer_id")["n_consumers"].transform("sum")
    usual = by_dealer.groupby("group")["n_consumers"].sum() / max(by_dealer["n_consumers"].sum(), 1)
    rows = by_dealer[served >= FEWEST].assign(
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


def served_sentences(served: pd.DataFrame) -> list[str]:
    """Say where no dealer stands out.

    How many were judged, and that they serve all groups alike.
    """
    if served["serves_more"].any():
        return []
    n = served["dealer_id"].nunique()
    return [words.say("strategies.no_dealers" if n else "strategies.few_at_dealers", n=n)]


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


# ---- the lines -----------------------------------------------------------------------------------


def strategy_lines(
    habits: pd.DataFrame,
    labels: pd.Series,
    *,
    by_category: pd.DataFrame,
    responses: pd.DataFrame,
    by_dealer: pd.DataFrame,
    dealers: pd.DataFrame,
    peak: tuple[int, ...] = (),
) -> pd.DataFrame:
    """Write one line per group and strategy, with its figure and interval.

    No line where the evidence is thin.

    Parameters
    ----------
    habits
        Consumers' features with `consumer_id`, `discount_share`, `peak_share`, `recency_days`.
    labels
        Group of each consumer, indexed by consumer_id.
    by_category, responses, by_dealer
        Sums per group, as `favourite_categories`, `response_rates` and `group_dealers` take them;
        empty where unknown.
    peak
        The calendar months that `peak_share` counts.

    Returns
    -------
    DataFrame
        One row per group and strategy: `line` (empty: silent), `figure`, `others` (the same of all
        others), `low`, `high` (95 % interval of the difference; of the share itself at sales
        management's dealers), `n`, `is_silent`. Silent means: fewer than 30 behind the figure, an
        interval that spans zero, or a difference under two points.
    """
    known = habits.set_index("consumer_id").reindex(labels.index)
    favourites, rates = favourite_categories(by_category, labels), response_rates(responses)
    served = group_dealers(by_dealer, dealers)
    codes, rows = sorted(labels.unique()), []
    alone = len(codes) == 1  # there are no others to compare with, only kinds of promotion
    for group in codes:
        inside = labels == group
        found = {
            "product": _product(favourites[favourites["group"] == group]),
            "price": _price(known["discount_share"], inside),
            "season": _season(known["peak_share"], inside, peak),
            "promotion": _promotion(rates, group),
            "sales_management": _sales(
                served[served["group"] == group], known["recency_days"], inside
            ),
        }
        rows += [
            {
                "group": group,
                "strategy": s,
                **(_silent() if alone and s != "promotion" else found[s]),
            }
            for s in STRATEGIES
        ]
    lines = pd.DataFrame(rows)
    return lines.assign(is_silent=lines["line"] == "")


def _silent(n: int = 0) -> dict:
    return {"line": "", "figure": np.nan, "others": np.nan, "low": np.nan, "high": np.nan, "n": n}


def _told(
    sentence: str, figure: float, others: float, low: float, high: float, n: int, **wording: object
) -> dict:
    said = words.say(
        f"strategies.{sentence}",
        figure=words.percent(figure),
        others=words.percent(others),
        low=_points(low),
        high=_points(high),
        n=int(n),
        **wording,
    )
    return {"line": said, "figure": figure, "others": others, "low": low, "high": high, "n": int(n)}


def _points(difference: float) -> str:
    """Write a difference of shares in percentage points, signed."""
    return words.signed(difference * 100, 1)


def _product(favourites: pd.DataFrame) -> dict:
    apart = favourites["buyer_share"] - favourites["others_share"]
    strong = favourites[
        (favourites["n_consumers"] >= FEWEST) & (favourites["low"] > 0) & (apart >= WORTH)
    ]
    if strong.empty:
        return _silent(int(favourites["n_consumers"].sum()))
    best = strong.sort_values(["low", "category"], ascending=[False, True]).iloc[0]
    return _told(
        "product",
        best["buyer_share"],
        best["others_share"],
        best["low"],
        best["high"],
        best["n"],
        category=words.word(best["category"]),
    )


def _compared(
    values: pd.Series, inside: pd.Series, less: str, more: str, **wording: object
) -> dict:
    """Choose between two sentences by the sign of a difference of means.

    Silent where it can't be told from zero.
    """
    n = int((values.notna() & inside).sum())
    mean, others, low, high = mean_difference(values, inside)
    if n < FEWEST or not (low > 0 or high < 0) or abs(mean - others) < WORTH:
        return _silent(n)
    return _told(more if low > 0 else less, mean, others, low, high, n, **wording)


def _price(discounts: pd.Series, inside: pd.Series) -> dict:
    return _compared(discounts, inside, "price_hold", "price_offer")


def _season(shares: pd.Series, inside: pd.Series, peak: tuple[int, ...]) -> dict:
    return _compared(shares, inside, "season_off", "season_peak", months=month_names(peak))


def _promotion(rates: pd.DataFrame, group: str) -> dict:
    """Name the kind that is answered best within the group.

    Else compare the group's answers with the others'.
    """
    mine = rates[(rates["group"] == group) & ~rates["is_thin"]]
    n, yes = int(mine["n_contacts"].sum()), int(mine["n_responses"].sum())
    n_kinds = len(mine)
    for row in (
        mine.sort_values("response_rate", ascending=False)
        .head(1 if n_kinds > 1 else 0)
        .itertuples()
    ):
        rest, rest_yes = n - row.n_contacts, yes - row.n_responses
        low, high = rate_difference(
            row.n_responses, row.n_contacts, rest_yes, rest, 1 - (1 - LEVEL) / n_kinds
        )
        if low > 0:
            return _told(
                "promotion_kind",
                row.response_rate,
                rest_yes / rest,
                float(low),
                float(high),
                row.n_contacts,
                kind=words.word(row.promotion_kind),
            )
    others = rates[rates["group"] != group][["n_contacts", "n_responses"]].sum()
    if min(n, others["n_contacts"]) < FEWEST:
        return _silent(n)
    low, high = rate_difference(yes, n, others["n_responses"], others["n_contacts"])
    difference = yes / n - float(others["n_responses"] / others["n_contacts"])
    if not (low > 0 or high < 0) or abs(difference) < WORTH:
        return _silent(n)
    sentence = "promotion_more" if low > 0 else "promotion_less"
    return _told(
        sentence,
        yes / n,
        float(others["n_responses"] / others["n_contacts"]),
        float(low),
        float(high),
        n,
    )


def _sales(served: pd.DataFrame, recency: pd.Series, inside: pd.Series) -> dict:
    """Name the dealers that serve the group most.

    Else say whether its consumers stay away for long.
    """
    more = served[served["serves_more"]]
    if len(more):
        best = more.iloc[0]
        return _told(
            "sales_dealers",
            best["group_share"],
            best["network_share"],
            best["low_share"],
            best["high_share"],
            best["n_served"],
            n_dealers=len(more),
            names=words.listed(more["dealer_name"], 3),
            span=f"{words.percent(best['low_share'])}–{words.percent(best['high_share'])}",
        )
    lapsed = (recency > LAPSED_DAYS).astype(float).where(recency.notna())
    n_lapsed = int((lapsed[inside] == 1).sum())
    return _compared(
        lapsed, inside, "sales_loyal", "sales_lapsed", days=LAPSED_DAYS, n_lapsed=n_lapsed
    )


def month_names(months: tuple[int, ...]) -> str:
    """Name calendar months: a run of them by its first and last, also over the end of the year.

    >>> month_names((12, 1, 2))
    'Dec–Feb'
    """
    if not months:
        return "–"
    run = all((b - a) % 12 == 1 for a, b in itertools.pairwise(months))
    named = [words.label(f"month_{m}") for m in months]
    return f"{named[0]}–{named[-1]}" if run and len(months) > 1 else words.listed(named, 12)


def strategy_table(lines: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Lay the lines out for reading: group, strategy and line.

    Silent ones are left out, see `silence`.
    """
    told = lines[~lines["is_silent"]]
    return pd.DataFrame(
        {
            "group": told["group"].map(names).astype("str"),
            "strategy": [words.label(s) for s in told["strategy"]],
            "measure": told["line"],
        }
    ).reset_index(drop=True)


def silence(lines: pd.DataFrame, names: Mapping[str, str]) -> list[str]:
    """Say where nothing can be said, and why."""
    quiet = lines[lines["is_silent"]]
    if quiet.empty:
        return []
    if len(quiet) == len(lines) and len(set(lines["group"])) == 1:
        return [words.say("strategies.one_group")]
    listed = [
        words.say(
            "strategies.silent_one",
            strategy=words.label(s),
            names=words.listed([names.get(g, g) for g in rows["group"]], 9),
        )
        for s, rows in quiet.groupby("strategy", sort=False)
    ]
    return [words.say("strategies.silent", n=len(quiet), of=len(lines)), *listed]


# ---- plots ---------------------------------------------------------------------------------------


def plot_season(
    season: pd.DataFrame, names: Mapping[str, str], *, scope: str = "", ax: Axes | None = None
) -> Axes:
    """Draw each group's seasonality.

    A row per group, a column per calendar month, 1 is its average month.
    """
    rows = season.dropna(subset=["index"])
    if rows.empty:
        return look.nothing(words.say("strategies.no_season"), ax)
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
    ax.set(xlabel="", ylabel="")
    ax.tick_params(axis="y", rotation=0)
    ax.tick_params(axis="x", rotation=0)
    title = words.say(
        "strategies.season",
        group=names.get(rows["group"][at], rows["group"][at]),
        index=float(top),
        month=words.label(f"month_{int(rows['calendar_month'][at])}"),
    )
    return look.explain(ax, title, words.say("strategies.season_how"), scope)


def plot_responses(
    rates: pd.DataFrame, names: Mapping[str, str], *, scope: str = "", ax: Axes | None = None
) -> Axes:
    """Draw the response rates with their intervals.

    Kinds of promotion from above, groups by colour.
    """
    shown = rates[~rates["is_thin"]]
    if shown.empty:
        return look.nothing(words.say("strategies.no_responses"), ax)
    kinds, groups = sorted(shown["promotion_kind"].unique()), sorted(shown["group"].unique())
    ax = ax or look.axes(height=1.7 + len(kinds) * (0.25 + 0.17 * len(groups)))
    for i, group in enumerate(groups):
        mine = shown[shown["group"] == group]
        y = mine["promotion_kind"].map(kinds.index) + (i - (len(groups) - 1) / 2) * 0.7 / max(
            len(groups), 1
        )
        color = look.GROUPS[i % len(look.GROUPS)]
        ax.hlines(y, mine["low_rate"], mine["high_rate"], color=color, linewidth=1.6)
        ax.plot(
            mine["response_rate"], y, "o", color=color, markersize=5, label=names.get(group, group)
        )
    ax.set_yticks(range(len(kinds)), [words.word(kind) for kind in kinds])
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    look.share_axis(ax.xaxis)
    # steps that whole percents can name
    ax.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
    ax.set(xlabel=words.label("response_rate"), xlim=(0, None))
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2)
    best = shown.loc[shown["low_rate"].idxmax()]
    told = "" if best["promotion_kind"] != "not_stated" else "_untold"
    title = words.say(
        f"strategies.responses{told}",
        group=names.get(best["group"], best["group"]),
        kind=words.word(best["promotion_kind"]),
        rate=words.percent(best["response_rate"]),
    )
    return look.explain(ax, title, words.say("strategies.responses_how"), scope)
