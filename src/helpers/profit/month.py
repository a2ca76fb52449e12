"""The month's answer: what dealers earn, whose margin slips, whom a rival earns more."""

from typing import Annotated, NamedTuple

import pandas as pd

from helpers import data
from helpers.profit import brands, margins, proof
from helpers.settings import Scalar, Workbook, options

PART = options.between(0, 1)


class ProfitData(NamedTuple):
    """What the door tells: what each dealer earned by month with all brands as `margins`, and by
    `brand` as `sums` of the window and by month; `ours` is our brand.
    """

    period: str
    ours: str
    margins: pd.DataFrame
    sums: pd.DataFrame
    months: pd.DataFrame


class ProfitMonth(NamedTuple):
    """What is found, in codes: how margins `spread` and move (`trends`), the `comparison` of
    brands, the `gaps` in which rivals are ahead, and the dealers who are `lost` to one.
    """

    spread: pd.DataFrame
    trends: pd.DataFrame
    comparison: pd.DataFrame
    gaps: pd.DataFrame
    lost: pd.DataFrame
    options: dict[str, Scalar] = {}  # noqa: RUF012 - filled in by the recipe


def read_month(book: Workbook, period: str) -> ProfitData:
    """Ask the door for a month's figures."""
    return ProfitData(
        period,
        book.brand,
        data.dealer_margins(book, period),
        data.brand_sums(book, period),
        data.brand_months(book, period),
    )


@options.recipe("dealer_profit")
def judge_month(
    found: ProfitData,
    *,
    min_margin_points: Annotated[float, PART] = margins.MIN_MARGIN_POINTS,
    slip_points: Annotated[float, PART] = margins.SLIP_POINTS,
    min_months: Annotated[int, options.between(3, 12)] = margins.MIN_MONTHS,
    notable_points: Annotated[float, PART] = brands.NOTABLE_POINTS,
    notable_share: Annotated[float, PART] = brands.NOTABLE_SHARE,
    lever_share: Annotated[float, PART] = brands.LEVER_SHARE,
    behind_points: Annotated[float, PART] = proof.BEHIND_POINTS,
    min_gap_share: Annotated[float, PART] = proof.MIN_GAP_SHARE,
) -> ProfitMonth:
    """Judge what dealers earn with us and with rivals.

    Points are parts of revenue: 0.02 is two points of margin.

    Raises
    ------
    ValueError
        If an option is not as expected.
    """
    comparison = brands.brand_comparison(
        found.sums,
        found.ours,
        found.months,
        notable_points=notable_points,
        notable_share=notable_share,
    )
    gaps = brands.gaps(comparison, notable_points=notable_points, lever_share=lever_share)
    return ProfitMonth(
        margins.margin_spread(found.margins),
        margins.margin_trends(
            found.margins,
            found.period,
            min_margin_points=min_margin_points,
            slip_points=slip_points,
            min_months=min_months,
        ),
        comparison,
        gaps,
        proof.losing(comparison, gaps, behind_points=behind_points, min_gap_share=min_gap_share),
    )


def profit_month(book: Workbook, period: str, **given: Scalar | None) -> ProfitMonth:
    """Judge a month as the workbook says, or as is `given`, where None stands for the former."""
    return _judged(book, period, **options.options_in_force(judge_month, book, given))


@data.kept
def _judged(book: Workbook, period: str, **told: Scalar) -> ProfitMonth:
    """Judge once what several pages, languages and cards ask for."""
    return judge_month(read_month(book, period), **told)
