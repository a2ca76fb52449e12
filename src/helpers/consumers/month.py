"""The month's answer: who buys alike, what sets the groups apart, and what each asks for."""

import functools
from collections.abc import Callable
from typing import Annotated, NamedTuple

import pandas as pd

from helpers import data, periods
from helpers.consumers import (
    groups,
    number_of_groups,
    profiles,
    strategies,
    sums,
    uplift,
)
from helpers.data import kept
from helpers.settings import Scalar, Workbook, options

N_MONTHS = 36  # of purchases that describe a consumer, at most
MOST_GROUPS = 20  # more have no colours, and nobody a plan for them


class ConsumersData(NamedTuple):
    """What the door tells of the `n_months` that end with the period, of which purchases are known
    in `n_known` from `first` on: consumers' `habits`, those of a `year_ago`, what else is known of
    `people`; `dealers`; the calendar months of the `peak`; the part of all sales by people whom
    nobody knows. `before` is last period's model, where there is one. `plans` are the promotions,
    `arms` what was bought around each by who was written to, and by who was not.

    `asked` asks the door for sums: which groups there are is only known once they are judged. It
    takes one of the properties of `data.group_sums`, "responses" or "margin", and the groups.
    """

    n_months: int
    first: str
    n_known: int
    habits: pd.DataFrame
    year_ago: pd.DataFrame
    people: pd.DataFrame
    dealers: pd.DataFrame
    peak: tuple[int, ...]
    unknown_share: float
    before: groups.Model | None
    asked: Callable[[str, pd.Series], pd.DataFrame]
    plans: pd.DataFrame
    arms: pd.DataFrame


class Judged(NamedTuple):
    """Consumers in `groups`: how far `apart` they are, which `traits` name each, its `profile`."""

    groups: groups.Groups
    apart: pd.DataFrame
    traits: dict[str, list[tuple[str, str]]]
    profile: pd.DataFrame


class ConsumersMonth(NamedTuple):
    """What is found, in codes: the `judged` groups, the `evidence` of each strategy, response
    `rates`, `season`, the dealers that `served` a group, what they earn with it (`margin`), who
    `moved` since a year ago, what is known of the people (`described`), and what each promotion
    brought (`uplift`). At least so many consumers or contacts stand behind a figure: `fewest`.
    """

    judged: Judged
    evidence: pd.DataFrame
    rates: pd.DataFrame
    season: pd.DataFrame
    served: pd.DataFrame
    margin: pd.DataFrame
    moved: pd.DataFrame
    described: pd.DataFrame
    uplift: pd.DataFrame
    fewest: int
    options: dict[str, Scalar] = {}  # noqa: RUF012 - filled in by the recipe


def read_month(
    book: Workbook,
    period: str,
    language: str = "en",
    *,
    n_months: int = N_MONTHS,
    before: groups.Model | None = None,
) -> ConsumersData:
    """Ask the door for a month's figures, with names in a language."""
    first, n_known = data.history(book, period, n_months)
    return ConsumersData(
        n_months,
        first,
        n_known,
        data.consumer_features(book, period, n_months),
        data.previous_consumers(book, period, n_months),
        data.records(book, "consumers"),
        data.dealers(book, language),
        data.peak_months(book, period, n_months),
        data.unidentified_share(book, period, n_months),
        before,
        functools.partial(_sums, book, period, n_months),
        _named_plans(book, period, n_months, language),
        data.promotion_arms(book, period, n_months),
    )


@options.recipe("consumer_groups")
def judge_month(
    found: ConsumersData,
    *,
    n_months: Annotated[int, options.between(1, 120)] = N_MONTHS,
    k: Annotated[int, options.between(0, MOST_GROUPS)] = 0,
    stable_index: Annotated[float, options.between(0, 1)] = number_of_groups.STABLE,
    strong_difference: Annotated[float, options.between(0, 5)] = profiles.STRONG,
    min_group_people: Annotated[
        int, options.between(profiles.SMALLEST_SHOWN, 1_000_000)
    ] = profiles.SMALLEST_SHOWN,
    min_evidence: Annotated[int, options.between(profiles.SMALLEST_SHOWN, 1_000_000)] = sums.FEWEST,
    worth: Annotated[float, options.between(0, 1)] = strategies.WORTH,
    lapsed_days: Annotated[int, options.between(1, 3650)] = strategies.LAPSED_DAYS,
    max_imbalance: Annotated[float, options.between(0, 1)] = uplift.BALANCE,
    uplift_level: Annotated[float, options.between(0.5, 0.999)] = uplift.LEVEL,
) -> ConsumersMonth:
    """Judge the consumers.

    `n_months` are those that `found` was read over, `k` is a number of groups (0: as the data
    show), `min_group_people` a floor of confidentiality that may only be raised.

    Raises
    ------
    ValueError
        If an option is not as expected, `found` was read over other months, or fewer than k
        consumers differ.
    """
    if n_months != found.n_months:
        raise ValueError(
            f"n_months: the figures were read over {found.n_months} months, not {n_months}; give "
            "`read_month` the same"
        )
    judged = judged_groups(found, k, stable_index, strong_difference, min_group_people)
    labels = judged.groups.labels
    shown = functools.partial(profiles.large_enough, labels=labels, least=min_group_people)
    by_dealer, responses = found.asked("dealer_id", labels), found.asked("responses", labels)
    # of whom no figure is shown, no interval is either
    fewest = max(min_evidence, min_group_people)
    evidence = strategies.strategy_evidence(
        found.habits,
        labels,
        by_category=found.asked("category", labels),
        responses=responses,
        by_dealer=by_dealer,
        dealers=found.dealers,
        peak=found.peak,
        peak_part=peak_part(found.peak, found.first, found.n_known),
        made_of=judged.groups.model.columns,
        fewest=fewest,
        worth=worth,
        lapsed_days=lapsed_days,
        least=min_group_people,
    )
    then = groups.assigned(found.year_ago, judged.groups.model)
    return ConsumersMonth(
        judged,
        evidence,
        sums.response_rates(shown(responses), fewest=fewest),
        sums.seasonality(shown(found.asked("calendar_month", labels)), found.n_known),
        shown(sums.group_dealers(by_dealer, found.dealers, fewest=fewest)),
        found.asked("margin", labels),
        profiles.movements(then, labels, least=min_group_people),
        profiles.demographic_profile(found.people, labels, least=min_group_people),
        uplift.uplift_table(
            found.plans, found.arms, level=uplift_level, balance=max_imbalance, fewest=fewest
        ),
        fewest,
    )


def peak_part(peak: tuple[int, ...], first: str, n_months: int) -> float:
    """Give the part of a history's months that are of the peak.

    >>> round(peak_part((5, 6, 7), "2024-05", 30), 3)
    0.3
    """
    months = [int(periods.shift(first, i)[5:]) for i in range(n_months)]
    return sum(month in peak for month in months) / max(n_months, 1)


def judged_groups(
    found: ConsumersData,
    k: int,
    stable_index: float,
    strong_difference: float,
    min_group_people: int,
    **_others: Scalar,
) -> Judged:
    """Put consumers into groups and set these apart, a part of the month."""
    made = kept_groups(found.habits, k, stable_index, found.before)
    return Judged(
        made,
        profiles.differences(found.habits, made.labels),
        profiles.group_traits(found.habits, made.labels, strong=strong_difference),
        profiles.profile_table(found.habits, made.labels, least=min_group_people),
    )


@kept
def kept_groups(
    habits: pd.DataFrame, k: int, stable_index: float, before: groups.Model | None
) -> groups.Groups:
    """Make the groups, or take them from where they are kept: a fit is worth it."""
    return groups.consumer_groups(habits, k=k, stable_index=stable_index, previous=before)


def _named_plans(book: Workbook, period: str, n_months: int, language: str) -> pd.DataFrame:
    """Give the promotions with their names in a language."""
    plans = data.promotion_plans(book, period, n_months)
    named = data.records(book, "promotions", language).set_index("promotion_id")["name"]
    return plans.assign(name=plans["promotion_id"].map(named))


def _sums(book: Workbook, period: str, n_months: int, by: str, labels: pd.Series) -> pd.DataFrame:
    """Ask the door for what groups bought and answered, and what dealers earn with them."""
    apart = {"responses": data.responses, "margin": data.group_margin}
    if by in apart:
        return apart[by](book, period, n_months, labels)
    return data.group_sums(book, period, n_months, labels, by)
