"""The month's answer: who the dealers are, who came and went, where nobody sells, who is silent."""

import datetime as dt
from typing import Annotated, NamedTuple

import pandas as pd

from helpers import data, periods
from helpers.segmentation import kinds, network, rfm, scorecard, territory
from helpers.settings import Scalar, Workbook, options

N_CUTS = rfm.N_SCORES - 1
RFM_CUTS = ("calendar", "quantile")  # how recency is scored
RFM_DAYS = "/".join(map(str, rfm.CALENDAR_CUTS["recency_days"]))
APART = options.Expected("each_above", lambda value: len(set(options.numbers(value))) == N_CUTS)


class SegmentationData(NamedTuple):
    """What the door tells of the month that ends on `end_date`: names in the reader's language,
    `totals` and days with `orders` of the window, all `months`, and the days of the window that
    the data cover; what people wrote of formats and segments.
    """

    end_date: dt.date
    dealers: pd.DataFrame
    totals: pd.DataFrame
    months: pd.DataFrame
    orders: pd.DataFrame
    regions: pd.DataFrame
    candidates: pd.DataFrame
    formats: pd.DataFrame
    handbook: pd.DataFrame
    segments: pd.DataFrame
    n_days: int


class SegmentationMonth(NamedTuple):
    """What is found, in codes: `dealers` with their formats, customer `mix` and `formats`; how the
    network moved (`history`, `moves`, `cohorts`); `cities` and who stands close to whom
    (`overlap`); the `scorecard` of candidates; who is in which RFM segment (`scored`), and who is
    `overdue`.
    """

    dealers: pd.DataFrame
    mix: pd.DataFrame
    formats: pd.DataFrame
    history: pd.DataFrame
    moves: pd.DataFrame
    cohorts: pd.DataFrame
    cities: pd.DataFrame
    overlap: pd.DataFrame
    scorecard: scorecard.Scorecard
    scored: pd.DataFrame
    overdue: pd.DataFrame
    options: dict[str, Scalar] = {}  # noqa: RUF012 - filled in by the recipe


def read_month(book: Workbook, period: str, language: str = "en") -> SegmentationData:
    """Ask the door for a month's figures, with names in a language."""
    return SegmentationData(
        periods.window(period).end,
        data.dealers(book, language),
        data.dealer_totals(book, period),
        data.dealer_months(book, period),
        data.dealer_orders(book, period),
        data.records(book, "regions", language),
        data.records(book, "candidates", language),
        data.reference(book, "formats"),
        data.reference(book, "handbook_formats"),
        data.reference(book, "rfm_segments"),
        data.covered(book, period).n_days,
    )


@options.recipe("segmentation")
def judge_month(
    found: SegmentationData,
    *,
    history_by: Annotated[str, options.one_of(*network.PERIOD_MONTHS)] = "quarter",
    least_population: Annotated[int, options.between(0, 1e9)] = 0,
    near_km: Annotated[float, options.between(0, 1000)] = territory.NEAR_KM,
    rfm_cuts: Annotated[str, options.one_of(*RFM_CUTS)] = "calendar",
    rfm_days: Annotated[str, options.cuts(RFM_DAYS, low=0, high=365), APART] = RFM_DAYS,
    overdue_times: Annotated[float, options.between(0, 100)] = rfm.OVERDUE_TIMES,
    overdue_days: Annotated[int, options.between(0, 365)] = rfm.OVERDUE_DAYS,
    big_score: Annotated[int, options.between(1, rfm.N_SCORES)] = rfm.BIG_SCORE,
) -> SegmentationMonth:
    """Judge the network.

    `rfm_days` are days since the last order, for scores from the best down; they count where
    `rfm_cuts` is "calendar". Overdue dealers are big from `big_score` for revenue on; by it the
    page says whom to call first (`summary.bottom_line`).

    Raises
    ------
    ValueError
        If an option is not as expected.
    """
    dealers = kinds.store_formats(found.dealers, found.formats)
    at_place = (dealers, found.totals, found.regions)
    scored = scored_dealers(found, rfm_cuts, rfm_days)
    overdue = rfm.overdue_dealers(
        scored,
        times=overdue_times,
        least_days=overdue_days,
        big_score=big_score,
        n_days=found.n_days,
    )
    return SegmentationMonth(
        dealers,
        kinds.customer_mix(dealers, found.totals),
        kinds.format_mix(dealers, found.handbook),
        network.network_history(found.months, history_by),
        network.network_moves(found.months, history_by),
        network.cohort_retention(found.months),
        territory.coverage(*at_place, least_population=least_population),
        territory.dealer_overlap(*at_place, near_km),
        scorecard.candidate_scorecard(found.candidates, *at_place),
        scored,
        overdue,
    )


def scored_dealers(
    found: SegmentationData, rfm_cuts: str, rfm_days: str, **_others: Scalar
) -> pd.DataFrame:
    """Score each dealer's buying and name the segment, a part of the month: `rfm_segments`."""
    days = {"recency_days": options.numbers(rfm_days)}
    cuts = days if rfm_cuts == "calendar" else rfm_cuts
    scores = rfm.rfm_scores(found.orders, found.end_date, cuts=cuts)
    return rfm.rfm_segments(scores, found.segments)


def segmentation_month(
    book: Workbook, period: str, language: str = "en", **given: Scalar | None
) -> SegmentationMonth:
    """Judge a month as the workbook says, or as is `given`, where None stands for the former."""
    told = options.options_in_force(judge_month, book, given)
    return judge_month(read_month(book, period, language), **told)
