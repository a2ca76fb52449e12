"""Earnings: what dealers report that they earn, by brand and month, summed up in the engine.

Part of the door.
"""

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from helpers import periods
from helpers.data.cache import kept
from helpers.data.read import fetched
from helpers.data.tables import table
from helpers.settings import Workbook

MIN_MONTHS = 3  # that a brand shares with ours: less is no habit
# of our months: a rival who came or went in between must not cut the window for all others
MIN_COMMON = 0.75
MONEY = ("revenue", "gross_profit", "rebate", "earned", "cost_of_sales")
KEPT = ("average_stock_value", "shelf_area_m2")
WINDOW_COLUMNS = ("first_month", "last_month", "window_months")
SUM_COLUMNS = [
    "dealer_id",
    "brand",
    *MONEY,
    *KEPT,
    "n_months",
    "n_stock_months",
    "n_shelf_months",
    "alike",
    *WINDOW_COLUMNS,
]


@kept
def brand_sums(book: Workbook, period: str, n_months: int = 12) -> pd.DataFrame:
    """Sum up what each dealer earned with each brand in the months in which its brands can be
    compared.

    The like window of a dealer runs, within the `n_months` to the period, from the first to the
    last month that our brand and every rival `alike` share; a rival is alike who shares at least
    `MIN_MONTHS` and `MIN_COMMON` of our months. A dealer without our brand has the months of all
    his. A month of the window that he reports, but not this brand, counts as a month without sales:
    leaving it out would flatter who sells rarely.

    Returns
    -------
    DataFrame
        One row per dealer and brand sold in the window: `dealer_id`, `brand`; sums in money of
        `revenue`, `gross_profit` (before rebates), `rebate`, `earned` (gross profit + rebate),
        `cost_of_sales` (revenue − gross profit); means over the months they are known of
        `average_stock_value` and `shelf_area_m2` (NaN where never); `n_months`, `n_stock_months`,
        `n_shelf_months` (with a report, with stock, with floor), `alike`; and of the dealer's like
        window `first_month`, `last_month` and `window_months` (that he reported). Lines without a
        dealer or brand are left out; without the table there is no row.
    """
    if not book.has("dealer_profit"):
        return pd.DataFrame(columns=SUM_COLUMNS)
    rows = _compared(book, period, n_months)
    sums = rows.group_by("dealer_id", "brand", "alike", *WINDOW_COLUMNS).agg(
        **{column: _[column].sum().cast("float64") for column in MONEY},
        **{column: _[column].mean().cast("float64") for column in KEPT},
        n_months=_.count(),
        n_stock_months=_.average_stock_value.count(),
        n_shelf_months=_.shelf_area_m2.count(),
    )
    return fetched(sums, ["dealer_id", "brand"])[SUM_COLUMNS]


@kept
def brand_months(book: Workbook, period: str, n_months: int = 12) -> pd.DataFrame:
    """Give the months behind `brand_sums`, one row per `dealer_id`, `brand` and `month` of the like
    window.

    Columns: the money of `brand_sums`, `average_stock_value` and `shelf_area_m2`.
    """
    columns = ["dealer_id", "brand", "month", *MONEY, *KEPT]
    if not book.has("dealer_profit"):
        return pd.DataFrame(columns=columns)
    rows = _compared(book, period, n_months)
    floats = {column: _[column].cast("float64") for column in (*MONEY, *KEPT)}
    return fetched(rows.select("dealer_id", "brand", "month", **floats), columns[:3])[columns]


@kept
def dealer_margins(book: Workbook, period: str, n_months: int = 24) -> pd.DataFrame:
    """Sum up each dealer's months over all brands.

    `dealer_id`, `month`, `revenue`, `earned` (rebates included), and `usual`: what the month's
    sales would have earned, had each brand earned what it does with him over all the months. Where
    `usual` moves, other brands sold; where `earned` moves away from it, brands earn otherwise.

    One row per dealer and month that he reports, among the `n_months` that end with the period;
    lines without a brand count. In a network of half a million dealers these are twelve million
    rows of three numbers, the most that any table of the door has.
    """
    columns = ["dealer_id", "month", "revenue", "earned", "usual"]
    if not book.has("dealer_profit"):
        return pd.DataFrame(
            {c: pd.Series(dtype="str" if c in columns[:2] else "float64") for c in columns}
        )
    lines = _lines(book, period).filter(_.month >= periods.shift(period, 1 - n_months))
    lines = lines.mutate(brand=_.brand.fill_null(""))
    money = {c: _[c].sum() for c in ("revenue", "earned")}
    brands = lines.group_by("dealer_id", "brand").agg(**money)
    # a brand that brought back as much as it sold has no margin to hold: what it earned is usual
    rate = ibis.ifelse(
        _.revenue > 0, _.earned.cast("float64") / _.revenue.cast("float64"), ibis.null("float64")
    )
    keys = ["dealer_id", "brand"]
    sums = lines.group_by("dealer_id", "month", "brand").agg(**money)
    sums = _joined(sums, brands.select(*keys, rate=rate), keys)
    usual = ibis.coalesce(_.revenue.cast("float64") * _.rate, _.earned.cast("float64"))
    sums = sums.group_by("dealer_id", "month").agg(
        **{c: _[c].sum().cast("float64") for c in ("revenue", "earned")}, usual=usual.sum()
    )
    return fetched(sums, columns[:2])[columns]


def _lines(book: Workbook, period: str) -> Table:
    """Give the reports up to a period with all money columns.

    Rebates that nobody wrote down are none.
    """
    lines = table(book, "dealer_profit").filter(_.dealer_id.notnull(), _.month <= period)
    rebate = (
        _.rebate.fill_null(0)
        if "rebate" in lines.columns
        else ibis.literal(0).cast("decimal(18, 2)")
    )
    stock = (
        _.average_stock_value
        if "average_stock_value" in lines.columns
        else ibis.null("decimal(18, 2)")
    )
    shelf = _.shelf_area_m2 if "shelf_area_m2" in lines.columns else ibis.null("float64")
    lines = lines.mutate(rebate=rebate, average_stock_value=stock, shelf_area_m2=shelf)
    return lines.mutate(earned=_.gross_profit + _.rebate, cost_of_sales=_.revenue - _.gross_profit)


def _compared(book: Workbook, period: str, n_months: int) -> Table:
    """Give dealer x brand x month in each dealer's like window, with the window and whether the
    brand is alike.
    """
    lines = _lines(book, period).filter(
        _.brand.notnull(), _.month >= periods.shift(period, 1 - n_months)
    )
    spans = _spans(lines, book.brand)
    windows = spans.group_by("dealer_id").agg(
        first_month=_.start.max(where=_.alike), last_month=_.end.min(where=_.alike)
    )
    rows = _joined(
        _joined(lines, windows, ["dealer_id"]), spans.drop("start", "end"), ["dealer_id", "brand"]
    )
    rows = rows.filter(_.month.between(_.first_month, _.last_month))
    # joined, for not every engine counts what is distinct within a window
    return _joined(
        rows, rows.group_by("dealer_id").agg(window_months=_.month.nunique()), ["dealer_id"]
    )


def _spans(lines: Table, brand: str) -> Table:
    """Give the months each brand shares with ours, first and last, and whether they are enough to
    compare.
    """
    spans = lines.group_by("dealer_id", "brand").agg(start=_.month.min(), end=_.month.max())
    ours = _.brand == brand
    bounds = spans.group_by("dealer_id").agg(
        our_start=ibis.coalesce(_.start.max(where=ours), _.start.min()),
        our_end=ibis.coalesce(_.end.max(where=ours), _.end.max()),
    )
    spans = _joined(spans, bounds, ["dealer_id"])
    spans = spans.mutate(
        start=ibis.greatest(_.start, _.our_start), end=ibis.least(_.end, _.our_end)
    )
    shared, all_ours = _count(_.start, _.end), _count(_.our_start, _.our_end)
    return spans.select(
        "dealer_id",
        "brand",
        "start",
        "end",
        alike=(ours | ((shared >= MIN_MONTHS) & (shared >= MIN_COMMON * all_ours))),
    )


def _count(start: ibis.Deferred, end: ibis.Deferred) -> ibis.Deferred:
    """Count the months from one month to another, both included."""
    years, months = (
        end[0:4].cast("int64") - start[0:4].cast("int64"),
        end[5:7].cast("int64") - start[5:7].cast("int64"),
    )
    return years * 12 + months + 1


def _joined(left: Table, right: Table, keys: list[str]) -> Table:
    """Join on keys of the same name and keep them once."""
    right = right.rename({f"{key}_right": key for key in keys})
    rows = left.inner_join(right, [left[key] == right[f"{key}_right"] for key in keys])
    return rows.drop(*[f"{key}_right" for key in keys])
