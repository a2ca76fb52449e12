"""Strategies: what each consumer group asks for in product, price, season, promotion and sales
management.
"""

import itertools
from collections.abc import Collection, Mapping
from statistics import NormalDist

import numpy as np
import pandas as pd

from helpers import words
from helpers.consumers import number_of_groups
from helpers.consumers.profiles import SMALLEST_SHOWN
from helpers.consumers.sums import (
    FEWEST,
    LEVEL,
    favourite_categories,
    group_dealers,
    mean_difference,
    rate_difference,
    response_rates,
)

STRATEGIES = ("product", "price", "season", "promotion", "sales_management")
# a difference of shares nobody would notice in a shop: among many consumers chance can tell even
# that
WORTH = 0.02
LAPSED_DAYS = 365  # who bought nothing for so long is to be won back
USED_TO_COME = 2  # visits from which somebody has a habit that he can leave


def strategy_evidence(
    habits: pd.DataFrame,
    labels: pd.Series,
    *,
    by_category: pd.DataFrame,
    responses: pd.DataFrame,
    by_dealer: pd.DataFrame,
    dealers: pd.DataFrame,
    peak: tuple[int, ...] = (),
    peak_part: float = np.nan,
    made_of: Collection[str] = (),
    fewest: int = FEWEST,
    worth: float = WORTH,
    lapsed_days: float = LAPSED_DAYS,
    least: int = SMALLEST_SHOWN,
) -> pd.DataFrame:
    """Find one sentence per group and strategy, with its figure and interval.

    None where the evidence is thin.

    Parameters
    ----------
    habits
        Consumers' features with `consumer_id`, `discount_share`, `peak_share`, `recency_days` and
        `frequency`: only who came `USED_TO_COME` times can be won back.
    labels
        Group of each consumer, indexed by consumer_id.
    by_category, responses, by_dealer
        Sums per group, as `favourite_categories`, `response_rates` and `group_dealers` take them;
        empty where unknown.
    peak, peak_part
        The calendar months that `peak_share` counts, and their part of all months of the history:
        what a group would buy then that has no season.
    made_of
        The features that the groups were made of. A group differs in these because it was cut that
        way: they are told as such, without an interval, and are no finding.
    fewest, worth, lapsed_days
        Consumers or contacts behind a figure, the difference of shares, at least; days without a
        purchase after which a consumer is to be won back.
    least
        Consumers of a group of whom anything is shown.

    Returns
    -------
    DataFrame
        One row per group and strategy: `sentence` (a code of `sentences.csv`, empty: silent) and
        its `wording` (what it is filled in with), `figure`, `others` (the same of all others),
        `low`, `high` (95 % interval of the difference: at product of the leading category from the
        group's next, at season from the calendar's part; of the share itself at sales management's
        dealers), `n`, `is_silent`. Silent means: fewer than `fewest` behind the figure, an interval
        that spans zero, a difference under `worth`, or a group of fewer than `least`.
    """
    known = habits.set_index("consumer_id").reindex(labels.index)
    used_to_come = known["frequency"] >= USED_TO_COME
    favourites = favourite_categories(by_category, labels)
    rates = response_rates(responses, fewest=fewest)
    served = group_dealers(by_dealer, dealers, fewest=fewest)
    enough = {"fewest": fewest, "worth": worth}
    codes, rows = sorted(labels.unique()), []
    alone = len(codes) == 1  # there are no others to compare with, only kinds of promotion
    for group in codes:
        inside = labels == group
        found = {
            "product": _product(favourites[favourites["group"] == group], **enough),
            "price": _price(known["discount_share"], inside, made_of, **enough),
            "season": _season(known["peak_share"], inside, peak, peak_part, made_of, **enough),
            "promotion": _promotion(rates, group, **enough),
            "sales_management": _sales(
                served[served["group"] == group],
                known["recency_days"].where(used_to_come),
                inside,
                lapsed_days,
                **enough,
            ),
        }
        small = inside.sum() < least
        rows += [
            {
                "group": group,
                "strategy": s,
                **(_silent() if small or (alone and s != "promotion") else found[s]),
            }
            for s in STRATEGIES
        ]
    evidence = pd.DataFrame(rows)
    return evidence.assign(is_silent=evidence["sentence"] == "")


def strategy_lines(evidence: pd.DataFrame) -> pd.DataFrame:
    """Put the evidence into words: `line` in place of its sentence's code and wording."""
    lines = [_line(row) for row in evidence.to_dict("records")]
    made = evidence.drop(columns=["sentence", "wording"])
    made.insert(2, "line", lines)
    return made


def _line(row: Mapping[str, object]) -> str:
    if not row["sentence"]:
        return ""
    given = dict(row["wording"])
    for name in ("category", "kind"):
        if name in given:
            given[name] = words.word(given[name])
    if "months" in given:
        given["months"] = month_names(given["months"])
    for name in ("next", "part"):
        if name in given:
            given[name] = words.percent(given[name])
    if "second" in given:
        given["second"] = words.word(given["second"])
    if "names" in given:
        given["names"] = words.listed(given["names"], 3)
    return words.say(
        f"strategies.{row['sentence']}",
        figure=words.percent(row["figure"]),
        others=words.percent(row["others"]),
        **_interval(row["low"], row["high"]),
        n=int(row["n"]),
        **given,
    )


def _interval(low: float, high: float) -> dict[str, str]:
    """Write an interval's ends; a sentence about what a group was made of has none."""
    if pd.isna(low):
        return {}
    span = f"{words.percent(low)}–{words.percent(high)}"
    return {"low": _points(low), "high": _points(high), "span": span}


def _silent(n: int = 0) -> dict:
    return {
        "sentence": "",
        "wording": {},
        "figure": np.nan,
        "others": np.nan,
        "low": np.nan,
        "high": np.nan,
        "n": n,
    }


def _told(
    sentence: str, figure: float, others: float, low: float, high: float, n: int, **wording: object
) -> dict:
    return {
        "sentence": sentence,
        "wording": wording,
        "figure": figure,
        "others": others,
        "low": low,
        "high": high,
        "n": int(n),
    }


def _points(difference: float) -> str:
    """Write a difference of shares in percentage points, signed."""
    return words.signed(difference * 100, 1)


def _product(favourites: pd.DataFrame, *, fewest: int, worth: float) -> dict:
    """Name the category that most of the group bought, where it surely leads the next.

    The same people may have bought both: how many is not known here, and none is supposed, which
    makes the interval of the difference as wide as it can be.
    """
    rows = favourites.sort_values(["n_consumers", "category"], ascending=[False, True])
    if len(rows) < 2:
        return _silent(int(favourites["n_consumers"].sum()))
    best, second = rows.iloc[0], rows.iloc[1]
    apart = best["buyer_share"] - second["buyer_share"]
    both = best["buyer_share"] + second["buyer_share"]
    z = NormalDist().inv_cdf(1 - (1 - LEVEL) / 2 / len(rows))
    half = z * np.sqrt(max(both - apart**2, 0.0) / best["n"])
    if best["n_consumers"] < fewest or apart - half <= 0 or apart < worth:
        return _silent(int(favourites["n_consumers"].sum()))
    return _told(
        "product",
        best["buyer_share"],
        best["others_share"],
        float(apart - half),
        float(apart + half),
        best["n"],
        category=best["category"],
        second=second["category"],
        next=float(second["buyer_share"]),
    )


def _compared(
    values: pd.Series,
    inside: pd.Series,
    less: str,
    more: str,
    *,
    fewest: int,
    worth: float,
    **wording: object,
) -> dict:
    """Choose between two sentences by the sign of a difference of means.

    Silent where it can't be told from zero.
    """
    n = int((values.notna() & inside).sum())
    mean, others, low, high = mean_difference(values, inside)
    if n < fewest or not (low > 0 or high < 0) or abs(mean - others) < worth:
        return _silent(n)
    return _told(more if low > 0 else less, mean, others, low, high, n, **wording)


def _price(
    discounts: pd.Series, inside: pd.Series, made_of: Collection[str], **enough: float
) -> dict:
    if "discount_share" not in made_of:
        return _compared(discounts, inside, "price_hold", "price_offer", **enough)
    return _made(
        discounts, inside, discounts[~inside].mean(), ("price_hold", "price_offer"), **enough
    )


def _season(
    shares: pd.Series,
    inside: pd.Series,
    peak: tuple[int, ...],
    part: float,
    made_of: Collection[str],
    *,
    fewest: int,
    worth: float,
) -> dict:
    """Compare a group's share in the peak months with their part of the calendar."""
    wording = {"months": peak, "part": part}
    if "peak_share" in made_of:
        named = ("season_off", "season_peak")
        return _made(shares, inside, part, named, fewest=fewest, worth=worth, **wording)
    own = shares[inside].dropna()
    n, mean = len(own), float(own.mean())
    if n < max(fewest, 2) or not abs(mean - part) >= worth:
        return _silent(n)
    half = NormalDist().inv_cdf(0.5 + LEVEL / 2) * float(own.std()) / np.sqrt(n)
    low, high = mean - part - half, mean - part + half
    if not (low > 0 or high < 0):
        return _silent(n)
    sentence = "season_peak" if low > 0 else "season_off"
    return _told(sentence, mean, float(shares[~inside].mean()), low, high, n, **wording)


def _made(
    values: pd.Series,
    inside: pd.Series,
    usual: float,
    named: tuple[str, str],
    *,
    fewest: int,
    worth: float,
    **wording: object,
) -> dict:
    """Tell what a group was made of, as such: there is nothing to test."""
    own = values[inside].dropna()
    if len(own) < fewest or not abs(own.mean() - usual) >= worth:
        return _silent(len(own))
    sentence = f"{named[int(own.mean() > usual)]}_made"
    others = float(values[~inside].mean())
    return _told(sentence, float(own.mean()), others, np.nan, np.nan, len(own), **wording)


def _promotion(rates: pd.DataFrame, group: str, *, fewest: int, worth: float) -> dict:
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
                kind=row.promotion_kind,
            )
    others = rates[rates["group"] != group][["n_contacts", "n_responses"]].sum()
    if min(n, others["n_contacts"]) < fewest:
        return _silent(n)
    low, high = rate_difference(yes, n, others["n_responses"], others["n_contacts"])
    difference = yes / n - float(others["n_responses"] / others["n_contacts"])
    if not (low > 0 or high < 0) or abs(difference) < worth:
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


def _sales(
    served: pd.DataFrame,
    recency: pd.Series,
    inside: pd.Series,
    lapsed_days: float,
    **enough: float,
) -> dict:
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
            names=more["dealer_name"].tolist(),
        )
    lapsed = (recency > lapsed_days).astype(float).where(recency.notna())
    n_lapsed = int((lapsed[inside] == 1).sum())
    return _compared(
        lapsed,
        inside,
        "sales_loyal",
        "sales_lapsed",
        days=lapsed_days,
        n_lapsed=n_lapsed,
        **enough,
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


def silence(
    lines: pd.DataFrame,
    names: Mapping[str, str],
    *,
    fewest: int = FEWEST,
    worth: float = WORTH,
    n: int = number_of_groups.FEWEST,
) -> list[str]:
    """Say where nothing can be said, and why, by the rules of `strategy_evidence`.

    Of `n` consumers too few to look for groups among, that is said, and not that there are none.
    """
    quiet = lines[lines["is_silent"]]
    if quiet.empty:
        return []
    if len(quiet) == len(lines) and len(set(lines["group"])) == 1:
        if n < number_of_groups.FEWEST:
            return [words.say("strategies.too_few", n=n, least=number_of_groups.FEWEST)]
        return [words.say("strategies.one_group")]
    listed = [
        words.say(
            "strategies.silent_one",
            strategy=words.label(s),
            names=words.listed([names.get(g, g) for g in rows["group"]], 9),
        )
        for s, rows in quiet.groupby("strategy", sort=False)
    ]
    why = words.say(
        "strategies.silent", n=len(quiet), of=len(lines), least=fewest, worth=f"{100 * worth:g}"
    )
    return [why, *listed]
