"""Strategies: what each consumer group asks for in product, price, season, promotion and sales
management.
"""

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers import words
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


def strategy_evidence(
    habits: pd.DataFrame,
    labels: pd.Series,
    *,
    by_category: pd.DataFrame,
    responses: pd.DataFrame,
    by_dealer: pd.DataFrame,
    dealers: pd.DataFrame,
    peak: tuple[int, ...] = (),
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
        Consumers' features with `consumer_id`, `discount_share`, `peak_share`, `recency_days`.
    labels
        Group of each consumer, indexed by consumer_id.
    by_category, responses, by_dealer
        Sums per group, as `favourite_categories`, `response_rates` and `group_dealers` take them;
        empty where unknown.
    peak
        The calendar months that `peak_share` counts.
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
        `low`, `high` (95 % interval of the difference; of the share itself at sales management's
        dealers), `n`, `is_silent`. Silent means: fewer than `fewest` behind the figure, an interval
        that spans zero, a difference under `worth`, or a group of fewer than `least`.
    """
    known = habits.set_index("consumer_id").reindex(labels.index)
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
            "price": _price(known["discount_share"], inside, **enough),
            "season": _season(known["peak_share"], inside, peak, **enough),
            "promotion": _promotion(rates, group, **enough),
            "sales_management": _sales(
                served[served["group"] == group],
                known["recency_days"],
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
    if "names" in given:
        given["names"] = words.listed(given["names"], 3)
    return words.say(
        f"strategies.{row['sentence']}",
        figure=words.percent(row["figure"]),
        others=words.percent(row["others"]),
        low=_points(row["low"]),
        high=_points(row["high"]),
        span=f"{words.percent(row['low'])}–{words.percent(row['high'])}",
        n=int(row["n"]),
        **given,
    )


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
    apart = favourites["buyer_share"] - favourites["others_share"]
    strong = favourites[
        (favourites["n_consumers"] >= fewest) & (favourites["low"] > 0) & (apart >= worth)
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
        category=best["category"],
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


def _price(discounts: pd.Series, inside: pd.Series, **enough: float) -> dict:
    return _compared(discounts, inside, "price_hold", "price_offer", **enough)


def _season(shares: pd.Series, inside: pd.Series, peak: tuple[int, ...], **enough: float) -> dict:
    return _compared(shares, inside, "season_off", "season_peak", months=peak, **enough)


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
) -> list[str]:
    """Say where nothing can be said, and why, by the rules of `strategy_evidence`."""
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
    why = words.say(
        "strategies.silent", n=len(quiet), of=len(lines), least=fewest, worth=f"{100 * worth:g}"
    )
    return [why, *listed]
