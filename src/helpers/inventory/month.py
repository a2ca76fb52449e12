"""The month's answer: how old the dealers' stock is, what is dead, what should move where."""

from typing import Annotated, NamedTuple

import pandas as pd

from helpers import data, periods
from helpers.inventory import age, channel, rebalancing, season
from helpers.settings import Scalar, Workbook, options

# sales are told for these spans only, so that rules can be tried without asking the data again
STUFFED = options.cuts(channel.STUFFED_FROM, low=1, high=channel.CAP)
SPAN = options.Expected(
    "one_of", lambda n: n in data.SPANS, {"known": ", ".join(map(str, data.SPANS))}
)


class StockData(NamedTuple):
    """What the door tells: what was `on_hand` and the `flows` of goods by month end, the last of
    them that of the `period`; the `dealers`' places and the `models`' categories; what the
    network `sold` by category and day, and `bought` by month; what the `channel` took and gave on.
    """

    period: str
    on_hand: dict[str, data.OnHand]
    flows: dict[str, pd.DataFrame]
    dealers: pd.DataFrame
    models: pd.DataFrame
    sold: pd.DataFrame
    bought: pd.DataFrame
    channel: data.Channel


class StockMonth(NamedTuple):
    """What is found, in codes: layers of stock as `aged`, the `whole` network's stock and that each
    dealer `held`, what is `dead`, the `lots` proposed and their `givers`, the `history`; the
    `flows` with the `seasons` that they go by; the `pressure` on each dealer.
    """

    aged: pd.DataFrame
    whole: pd.DataFrame
    held: pd.DataFrame
    dead: pd.DataFrame
    lots: pd.DataFrame
    givers: pd.DataFrame
    history: pd.DataFrame
    flows: pd.DataFrame
    seasons: pd.DataFrame
    pressure: pd.DataFrame
    options: dict[str, Scalar] = {}  # noqa: RUF012 - filled in by the recipe


def read_month(book: Workbook, period: str, n_history: int = 1) -> StockData:
    """Ask the door for a month's figures, and for those of the month ends before it."""
    months = periods.month_range(period, n_history)
    return StockData(
        period,
        {month: data.on_hand(book, month) for month in months},
        {month: data.flows(book, month) for month in months},
        data.dealers(book),
        data.models(book),
        data.category_days(book, period),
        data.seasons(book, period),
        data.channel(book, period),
    )


def read_ages(
    book: Workbook,
    period: str,
    *,
    old_days: int,
    pace_days: int,
    cover_days: int,
    **_others: Scalar,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ask the door for a month's stock alone, a part of the month: its `aged`, and the `flows` by
    their seasons.
    """
    here, flows = data.on_hand(book, period), data.flows(book, period)
    told = data.category_days(book, period), data.seasons(book, period), None
    nobody = pd.DataFrame()  # where nothing is moved, no place is asked for
    found = StockData(period, {period: here}, {period: flows}, nobody, data.models(book), *told)
    aged = age.aged(here.layers, here.as_of, old_days=old_days)
    return aged, _seasonal(found, period, aged, pace_days=pace_days, cover_days=cover_days)[1]


@options.recipe("inventory_age")
def judge_month(
    found: StockData,
    *,
    old_days: Annotated[int, options.between(2, 3650)] = age.OLD_DAYS,
    dead_days: Annotated[int, SPAN] = age.DEAD_DAYS,
    pace_days: Annotated[int, SPAN] = age.PACE_DAYS,
    cover_days: Annotated[int, options.between(2, 365)] = rebalancing.COVER_DAYS,
    max_lot: Annotated[int, options.between(1, 100_000)] = rebalancing.MAX_LOT,
    max_km: Annotated[float, options.between(0, 20_000)] = rebalancing.MAX_KM,
    way_rate: Annotated[float, options.between(0, 1)] = rebalancing.WAY_RATE,
    stuffed_from: Annotated[str, STUFFED] = channel.STUFFED_FROM,
    dry_days: Annotated[int, options.between(0, 90)] = channel.DRY_DAYS,
    n_history: Annotated[int, options.between(1, 36)] = 6,
) -> StockMonth:
    """Judge what lies at the dealers.

    `n_history` chooses among the month ends that were asked for.

    Raises
    ------
    ValueError
        If an option is not as expected.
    """
    here = found.on_hand[found.period]
    aged = age.aged(here.layers, here.as_of, old_days=old_days)
    sold = {"dead_days": dead_days, "pace_days": pace_days}
    needs = {"cover_days": cover_days, "pace_days": pace_days}
    seasons, flows = _seasonal(found, found.period, aged, **needs)
    ways = {"max_lot": max_lot, "max_km": max_km, "way_rate": way_rate}
    lots = rebalancing.proposal(aged, flows, found.dealers, **needs, **ways)
    looked_back = sorted(found.on_hand)[-n_history:]
    return StockMonth(
        aged,
        age.network_stock(aged, flows, **sold),
        age.dealer_stock(aged, flows, **sold),
        age.dead_stock(aged, flows, dead_days=dead_days),
        lots,
        rebalancing.giver_sums(lots, rebalancing.supply(aged, flows, **needs)),
        age.past_months(
            {month: found.on_hand[month] for month in looked_back},
            {month: _seasonal(found, month, aged, **needs)[1] for month in looked_back},
            old_days=old_days,
            pace_days=pace_days,
        ),
        flows,
        seasons,
        channel.pressure(found.channel, stuffed_from=stuffed_from, dry_days=dry_days),
    )


def _seasonal(
    found: StockData, month: str, aged: pd.DataFrame, *, pace_days: int, cover_days: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tell the seasons as they were known at a month's end, and the flows that go by them."""
    flows, as_of = found.flows[month], periods.window(month, 1).end
    seasons = season.coming(
        found.sold,
        found.bought,
        as_of,
        pace_days=pace_days,
        cover_days=cover_days,
        lags=season.lags(aged, flows, found.models),
    )
    return seasons, season.with_season(flows, seasons, found.models)


def stock_month(book: Workbook, period: str, **given: Scalar | None) -> StockMonth:
    """Judge a month as the workbook says, or as is `given`, where None stands for the former."""
    return _judged(book, period, **options.options_in_force(judge_month, book, given))


@data.kept
def _judged(book: Workbook, period: str, **told: Scalar) -> StockMonth:
    """Judge once what several pages, languages and cards ask for."""
    return judge_month(read_month(book, period, told["n_history"]), **told)
