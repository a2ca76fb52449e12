"""The month's answer: who carries the business, and who moved."""

from typing import Annotated, NamedTuple

import pandas as pd

from helpers import data, periods
from helpers.pareto import classes, demand, judgement, migration
from helpers.settings import Scalar, Workbook, options


class AbcData(NamedTuple):
    """What the door tells: `totals` of the window and of the one `before`, by `quarters`, all
    `months`, and classes set by hand.
    """

    period: str
    totals: pd.DataFrame
    before: pd.DataFrame
    quarters: pd.DataFrame
    months: pd.DataFrame
    overrides: pd.DataFrame


class AbcMonth(NamedTuple):
    """What is found, in codes: dealers `judged` now and `before`, who `moved`, classes by quarter
    and how `stable` they are, whose demand is regular once the network's `season` is taken out.
    """

    judged: pd.DataFrame
    before: pd.DataFrame
    moved: pd.DataFrame
    stability: pd.DataFrame
    variability: pd.DataFrame
    season: pd.Series
    options: dict[str, Scalar] = {}  # noqa: RUF012 - filled in by the recipe


def read_month(book: Workbook, period: str) -> AbcData:
    """Ask the door for a month's figures."""
    return AbcData(
        period,
        data.dealer_totals(book, period),
        data.previous_totals(book, period),
        data.dealer_totals(book, period, n_months=3, n_windows=migration.N_QUARTERS),
        data.dealer_months(book, period),
        data.records(book, "overrides"),
    )


@options.recipe("abc_pareto")
def judge_month(
    found: AbcData,
    *,
    rule: Annotated[str, options.one_of(*classes.RULES)] = "quota",
    quota: Annotated[str, options.parts(3, "20/40/40")] = "20/40/40",
    value_cuts: Annotated[str, options.cuts("80/95", low=0, high=100)] = "80/95",
    weights: Annotated[str, options.parts(3, "40/40/20")] = "40/40/20",
    composite_cuts: Annotated[str, options.cuts("2.5/1.5", low=0, high=3)] = "2.5/1.5",
    xyz_cuts: Annotated[str, options.cuts("0.5/1.0", low=0, high=100)] = "0.5/1.0",
    xyz_months: Annotated[int, options.between(3, 12)] = demand.XYZ_MONTHS,
) -> AbcMonth:
    """Judge every dealer.

    `weights` are those of payments, gross profit and our brand's share.

    Raises
    ------
    ValueError
        If an option is not as expected.
    """
    rules = judging_rules(rule, quota, value_cuts, weights, composite_cuts)
    judged = _in_force(found, rules)
    before = judgement.joint_judgement(found.before, **rules)
    quarters = judgement.judged_windows(found.quarters, **rules)
    cuts = options.numbers(xyz_cuts)
    bought = found.months[migration.is_present(found.months)]
    two_years = periods.month_range(found.period, 24)
    earlier = set(bought.loc[bought["month"] < two_years[0], "dealer_id"])
    return AbcMonth(
        judged,
        before,
        migration.movements(judged, before, earlier).merge(
            judged[["dealer_id", "revenue"]], on="dealer_id", how="left"
        ),
        migration.class_stability(quarters),
        demand.demand_variability(found.months, found.period, cuts=cuts, least_months=xyz_months),
        demand.season_index(found.months, found.period),
    )


def judged_dealers(
    found: AbcData,
    rule: str,
    quota: str,
    value_cuts: str,
    weights: str,
    composite_cuts: str,
    **_others: Scalar,
) -> pd.DataFrame:
    """Judge the dealers of the window, a part of the month: its `judged`."""
    return _in_force(found, judging_rules(rule, quota, value_cuts, weights, composite_cuts))


def _in_force(found: AbcData, rules: dict[str, object]) -> pd.DataFrame:
    """Judge the window, and put classes that were set by hand in their places."""
    judged = judgement.joint_judgement(found.totals, **rules)
    return judgement.overridden_classes(judged, found.overrides, periods.window(found.period).end)


def judging_rules(
    rule: str, quota: str, value_cuts: str, weights: str, composite_cuts: str, **_others: Scalar
) -> dict[str, object]:
    """Turn options into the arguments of `joint_judgement`."""

    def shares(text: str) -> tuple[float, ...]:
        return tuple(round(x / 100, 12) for x in options.numbers(text))  # 0.333, not 0.33299…

    return {
        "rule": rule,
        "quota": shares(quota),
        "value_cuts": shares(value_cuts),
        "weights": dict(zip(classes.INDICATORS, shares(weights), strict=True)),
        "composite_cuts": options.numbers(composite_cuts),
    }


def abc_month(book: Workbook, period: str, **given: Scalar | None) -> AbcMonth:
    """Judge a month as the workbook says, or as is `given`, where None stands for the former."""
    return _judged(book, period, **options.options_in_force(judge_month, book, given))


@data.kept
def _judged(book: Workbook, period: str, **told: Scalar) -> AbcMonth:
    """Judge once what several pages, languages and cards ask for."""
    return judge_month(read_month(book, period), **told)
