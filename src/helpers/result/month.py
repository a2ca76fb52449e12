"""The month's answer: against last year and the target, why, and where the year will end."""

from typing import Annotated, NamedTuple

import pandas as pd

from helpers import data, inventory, periods, receivables
from helpers.result import claims, forecast, holdings, standing, steps
from helpers.settings import Scalar, Workbook, options


class ResultData(NamedTuple):
    """What the door tells.

    The network's `months`; each dealer's `spans`; the year's `targets`; the bridge by dealer and by
    category and model, span → table; `dealers` and `products` with their names; what is `held` at
    the month's end and was a year before, owed or in stock, as those pages find it.
    """

    period: str
    months: pd.DataFrame
    spans: pd.DataFrame
    targets: pd.DataFrame
    by_dealer: dict[str, pd.DataFrame]
    by_model: dict[str, pd.DataFrame]
    dealers: pd.DataFrame
    products: pd.DataFrame
    held: pd.DataFrame


class ResultMonth(NamedTuple):
    """What is found.

    The network's `standing` and `margins`; `groups` by region and account manager; targets
    `reached`; the `bridge`; the `forecast`, what the whole year's target is (`year_target`, NaN
    without), what this edition `claims`, and the `holdings`: what is owed and lies in stock.
    """

    standing: pd.DataFrame
    margins: pd.DataFrame
    groups: pd.DataFrame
    reached: pd.DataFrame
    bridge: pd.DataFrame
    forecast: forecast.Forecast
    year_target: float
    claims: pd.DataFrame
    holdings: pd.DataFrame
    options: dict[str, Scalar] = {}  # noqa: RUF012 - filled in by the recipe


class Bridges(NamedTuple):
    """Why the month and the year changed: `by_dealer`, span → table, the `dealers`, and the
    `bridge` of all parts.
    """

    by_dealer: dict[str, pd.DataFrame]
    dealers: pd.DataFrame
    bridge: pd.DataFrame


def read_month(book: Workbook, period: str, language: str = "en") -> ResultData:
    """Ask the door for a month's figures."""
    dealers = data.dealers(book, language)
    return ResultData(
        period,
        data.network_months(book, period),
        data.dealer_spans(book, period),
        _as_shown(data.targets(book, period), data.dealers(book, "zh-Hans"), dealers),
        *_bridges(book, period),
        dealers,
        data.records(book, "products", language)[["product_id", "product_name"]],
        _held(book, period),
    )


def read_bridges(book: Workbook, period: str, language: str = "en") -> Bridges:
    """Ask the door for why the month and the year changed alone, a part of the month."""
    dealers = data.dealers(book, language)
    by_dealer, by_model = _bridges(book, period)
    return Bridges(by_dealer, dealers, steps.bridge_table(by_dealer, by_model, dealers))


def _bridges(book: Workbook, period: str) -> tuple[dict[str, pd.DataFrame], ...]:
    """Give the bridges by dealer, and by category and model, each span → table."""
    return tuple(
        {span: data.bridge(book, period, span, by) for span in standing.SPANS}
        for by in (("dealer_id",), ("category", "product_id"))
    )


def _held(book: Workbook, period: str) -> pd.DataFrame:
    """Ask what is owed and what lies in stock now and a year before; `holdings.HELD`.

    Stock of two years is compared only where the same kind of source tells it: counts and moves
    agree, what came less the tills' sales does not.
    """
    known, rows, source = data.span(book), [], ""
    for side, month in (("now", period), ("base", periods.shift(period, -12))):
        if not known or month < known[0]:
            continue
        owed = receivables.receivables_month(book, month)
        if len(owed.owed):
            told = owed.network
            rows.append(("balance", side, told.balance, told.countback_days))
            rows.append(("overdue_amount", side, told.overdue, float("nan")))
        here = data.on_hand(book, month)
        if here.source == "" or f"{here.as_of:%Y-%m}" != month:
            continue
        kind = "sell_in" if here.source == "sell_in" else "counted"
        if side == "now" or kind == source:
            whole = inventory.network_stock(
                inventory.aged(here.layers, here.as_of), data.flows(book, month)
            )
            stock = whole[["value", "days_sales_of_inventory"]].iloc[:1].to_numpy(dtype="float64")
            rows += [("stock_value", side, *row) for row in stock]
        source = kind
    return pd.DataFrame(rows, columns=holdings.HELD)


def _as_shown(targets: pd.DataFrame, plain: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """Name regions and account managers as the page's language does: targets name them plainly."""
    rows = targets.copy()
    for level in standing.PLACES:
        both = plain[["dealer_id", level]].merge(shown[["dealer_id", level]], on="dealer_id")
        both = both.dropna().drop_duplicates(f"{level}_x").set_index(f"{level}_x")[f"{level}_y"]
        is_it = rows["cut"] == level
        rows.loc[is_it, "part"] = rows.loc[is_it, "part"].map(lambda g, to=both: to.get(g, g))
    return rows


@options.recipe("month")
def judge_month(
    found: ResultData,
    *,
    interval_level: Annotated[float, options.between(0.5, 0.99)] = forecast.LEVEL,
    min_history: Annotated[int, options.between(24, 60)] = forecast.MIN_HISTORY,
    held_back: Annotated[int, options.between(3, 24)] = forecast.HELD_BACK,
) -> ResultMonth:
    """Judge how the month went, why, and where the year will end.

    Raises
    ------
    ValueError
        If an option is not as expected.
    """
    series = found.months.set_index("month")["revenue"]
    ahead = forecast.year_forecast(
        series, found.period, level=interval_level, min_history=min_history, held_back=held_back
    )
    own = found.targets[found.targets["cut"] == "network"].set_index("month")["revenue"]
    year = [f"{found.period[:4]}-{month:02d}" for month in range(1, 13)]
    return ResultMonth(
        standing.standing(found.months, found.targets, found.period),
        standing.margins(found.months, found.period),
        standing.group_table(found.spans, found.dealers, found.targets, found.period),
        standing.reached_table(found.spans, found.dealers, found.targets, found.period),
        steps.bridge_table(found.by_dealer, found.by_model, found.dealers),
        ahead,
        float(own.reindex(year).sum(min_count=12, skipna=False)),
        claims.made(ahead, found.period),
        holdings.holding_table(found.held),
    )


def result_month(
    book: Workbook, period: str, language: str = "en", **given: Scalar | None
) -> ResultMonth:
    """Judge a month as the workbook says, or as is `given`, where None stands for the former."""
    told = options.options_in_force(judge_month, book, given)
    return judge_month(read_month(book, period, language), **told)
