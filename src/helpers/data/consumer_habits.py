"""Habits of each consumer and consumer group, summed up in the engine."""

import datetime as dt

import ibis
import numpy as np
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from helpers import periods
from helpers.data import stock
from helpers.data.cache import kept
from helpers.data.connections import source_name
from helpers.data.findings import main_span
from helpers.data.read import within
from helpers.data.sell_out import (
    by_key,
    contact_lines,
    knows,
    positive,
    sell_out_lines,
    tiered,
    with_kind,
)
from helpers.data.tables import described, table
from helpers.settings import Workbook, refusal

YEAR = 12  # months
HISTORY = 36  # months of a consumer's features: durable goods are bought rarely
CONSUMER_FEATURES = [
    "recency_days",
    "frequency",
    "monetary",
    "basket",
    "lines_per_visit",
    "price_tier",
    "discount_share",
    "promotion_share",
    "peak_share",
    "n_categories",
    "n_contacts",
    "n_responses",
]
GROUPED_BY = ("category", "brand", "calendar_month", "dealer_id", "promotion_kind")


@kept
def history(book: Workbook, period: str, n_months: int = HISTORY) -> tuple[str, int]:
    """Give the first month of sell-out that counts, and how many there are from it to the period.

    Raises
    ------
    DataError
        If sell-out has no dated line up to the period.
    """
    table(book, "sell_out")  # an error in the data is told before its span is asked for
    months = described(book, "sell_out")["months"]
    first = max(main_span(months)[0], periods.shift(period, 1 - n_months)) if months else ""
    if not first or first > period:
        name = source_name(book, "sell_out")
        raise refusal("no_dated_line", name=name, period=period)
    return first, (int(period[:4]) - int(first[:4])) * 12 + int(period[5:]) - int(first[5:]) + 1


@kept
def peak_months(book: Workbook, period: str, n_months: int = HISTORY) -> tuple[int, ...]:
    """Find the three consecutive calendar months in which all consumers together buy most, e.g.

    (12, 1, 2).

    Each calendar month counts by the mean of its occurrences; with less than a year of history no
    season can be told, and there is no month.
    """
    _first, n_months = history(book, period, n_months)
    if n_months < 12:
        return ()
    lines = within(table(book, "sell_out"), "date", period, n_months)
    sums = lines.group_by(month=_.date.month().cast("int64")).agg(
        amount=_.amount.sum().cast("float64")
    )
    amounts = by_key(sums, "month")["amount"]
    mean = np.array(
        [amounts.get(month, 0.0) / n for month, n in _occurrences(period, n_months).items()]
    )
    best = int(np.argmax(mean + np.roll(mean, -1) + np.roll(mean, -2)))
    return tuple((best + i) % 12 + 1 for i in range(3))


def _occurrences(period: str, n_months: int) -> dict[int, int]:
    """Count how often each calendar month occurs in a history."""
    found = [int(month[5:]) for month in periods.month_range(period, n_months)]
    return {month: found.count(month) for month in range(1, 13)}


@kept
def consumer_features(book: Workbook, period: str, n_months: int = HISTORY) -> pd.DataFrame:
    """Measure each identified consumer who bought anything in the history that ends with a period.

    Returns reduce the amounts, not the visits; shares are of what was bought, returns aside, and
    empty where nothing is left of it. A feature is empty where its table or column is missing.

    Returns
    -------
    DataFrame
        One row per consumer: `consumer_id` and, as floats, `recency_days` (from the last purchase
        to the window's end), `frequency` (days with a purchase), `monetary` (net amount), `basket`
        (monetary ÷ frequency), `lines_per_visit`, `price_tier` (price per piece ÷ median of its
        category in all sell-out, mean of the lines with up to `MAX_PIECES` pieces),
        `discount_share` (1 − amount ÷ list amount), `promotion_share` and `peak_share` (of the
        amount: bought under a promotion; in the `peak_months`), `n_categories`, `n_contacts`,
        `n_responses`.

    Raises
    ------
    DataError
        If there is no sell_out, or no line of it tells who bought.
    """
    _require_consumers(book)
    _first, n_months = history(book, period, n_months)
    peak, lines = peak_months(book, period, n_months), sell_out_lines(book, period, n_months)
    rows = _consumer_visits(lines).join(_consumer_amounts(tiered(lines), peak))
    if book.has("contacts"):
        asked = (
            contact_lines(book, period, n_months)
            .filter(_.consumer_id.notnull())
            .group_by("consumer_id")
        )
        rows = rows.join(
            by_key(asked.agg(n_contacts=_.count(), n_responses=_.responded.sum()), "consumer_id")
        )
        rows = rows.fillna({"n_contacts": 0, "n_responses": 0})
    rows = _consumer_ratios(rows, periods.window(period).end)
    unknown = [] if knows(book, "sell_out", "promotion_id") else ["promotion_share"]
    unknown += [] if peak else ["peak_share"]
    rows = rows.drop(columns=unknown).reindex(columns=CONSUMER_FEATURES).astype("float64")
    return rows.reset_index()


@kept
def previous_consumers(book: Workbook, period: str, n_months: int = HISTORY) -> pd.DataFrame:
    """Measure the consumers as they were known twelve months earlier.

    No rows where there was no year of data then.
    """
    year_ago = periods.shift(period, -YEAR)
    first, _n_months = history(book, period, n_months + YEAR)
    if periods.shift(first, YEAR - 1) > year_ago:
        return pd.DataFrame(columns=["consumer_id", *CONSUMER_FEATURES])
    return consumer_features(book, year_ago, n_months)


def _consumer_visits(lines: Table) -> pd.DataFrame:
    """Count days, lines and categories of purchases.

    Each count of distinct values is asked for by itself: a million consumers with two of them and
    the sums beside would not fit into memory.
    """
    lines = lines.filter(_.bought, _.consumer_id.notnull())
    days = lines.group_by("consumer_id").agg(
        frequency=_.date.nunique(), last_date=_.date.max(), n_lines=_.count()
    )
    n_categories = by_key(lines.group_by("consumer_id").agg(n=_.category.nunique()), "consumer_id")[
        "n"
    ]
    return by_key(days, "consumer_id").assign(n_categories=n_categories.where(n_categories > 0))


def _consumer_amounts(lines: Table, peak: tuple[int, ...]) -> pd.DataFrame:
    in_peak, listed = _.date.month().isin(peak or [0]), _.bought & (_.list_amount > 0)
    sums = (
        lines.filter(_.consumer_id.notnull())
        .group_by("consumer_id")
        .agg(
            monetary=_.amount.sum().cast("float64"),
            bought=_.amount.sum(where=_.bought).cast("float64"),
            listed=_.list_amount.sum(where=listed).cast("float64"),
            paid=_.amount.sum(where=listed).cast("float64"),
            promoted=_.amount.sum(where=_.bought & _.promotion_id.notnull())
            .fill_null(0)
            .cast("float64"),
            peak=_.amount.sum(where=_.bought & in_peak).fill_null(0).cast("float64"),
            tier=_.tier.sum().cast("float64"),
            n_tier=_.tier.count(),
        )
    )
    return by_key(sums, "consumer_id")


def _consumer_ratios(rows: pd.DataFrame, end: dt.date) -> pd.DataFrame:
    left = rows["bought"].where(rows["monetary"] > 0)
    return rows.assign(
        recency_days=(pd.Timestamp(end) - pd.to_datetime(rows["last_date"])).dt.days,
        basket=rows["monetary"] / rows["frequency"],
        lines_per_visit=rows["n_lines"] / rows["frequency"],
        price_tier=rows["tier"] / rows["n_tier"],
        discount_share=(1 - rows["paid"] / rows["listed"]).where(left.notna()),
        promotion_share=rows["promoted"] / left,
        peak_share=rows["peak"] / left,
    )


def _require_consumers(book: Workbook) -> None:
    if "consumer_id" not in table(book, "sell_out").columns:
        raise refusal("no_consumer", toml=book.path.name)


@kept
def group_sums(
    book: Workbook, period: str, n_months: int, labels: pd.Series, by: str
) -> pd.DataFrame:
    """Sum up what groups of consumers buy by one property of the lines.

    `labels` gives a group to each consumer id (the index). `by` is one of `GROUPED_BY`; lines that
    lack the property, such as lines outside promotions, have a row with an empty one, so that a
    group's rows add up to all it bought.

    Returns
    -------
    DataFrame
        `group`, the property, `amount` (net), `list_amount`, `n_lines` (purchases), `n_visits`
        (consumer-days), `n_consumers`; by calendar_month also `n_months`: how often that month
        occurs in the history.

    Raises
    ------
    ValueError
        If `by` is unknown or a consumer has two groups.
    """
    if by not in GROUPED_BY:
        raise ValueError(f"by: {by!r} is not known; choose one of {', '.join(GROUPED_BY)}")
    _require_consumers(book)
    _first, n_months = history(book, period, n_months)
    lines = sell_out_lines(book, period, n_months)
    if by == "calendar_month":
        lines = lines.mutate(calendar_month=_.date.month().cast("int64"))
    elif by == "promotion_kind":
        lines = with_kind(book, lines)
    lines = _labelled(lines, labels)
    days = lines.group_by("group", by, "number", "date").agg(
        amount=_.amount.sum(), list_amount=_.list_amount.sum(), n_lines=_.bought.sum()
    )
    rows = (
        days.group_by("group", by)
        .agg(
            amount=_.amount.sum().cast("float64"),
            list_amount=_.list_amount.sum().cast("float64"),
            n_lines=_.n_lines.sum(),
            n_visits=(_.n_lines > 0).sum(),
            n_consumers=_.number.nunique(where=_.n_lines > 0),
        )
        .to_pandas()
    )
    if by == "calendar_month":
        rows["n_months"] = rows[by].map(_occurrences(period, n_months))
    return rows.sort_values(["group", by], ignore_index=True)


@kept
def responses(book: Workbook, period: str, n_months: int, labels: pd.Series) -> pd.DataFrame:
    """Count how many of those who were written to came, by group and kind of promotion.

    A response counts from the day the contact went out to the promotion's last day, where these are
    known, and never after the window's end.

    Returns
    -------
    DataFrame
        `group`, `promotion_kind` ("not_stated" where nothing tells it), `n_contacts`,
        `n_responses`; no rows without contacts.
    """
    if not book.has("contacts"):
        return pd.DataFrame(columns=["group", "promotion_kind", "n_contacts", "n_responses"])
    _first, n_months = history(book, period, n_months)
    asked = _labelled(contact_lines(book, period, n_months), labels)
    asked = asked.mutate(promotion_kind=_.promotion_kind.fill_null("not_stated")).group_by(
        "group", "promotion_kind"
    )
    rows = asked.agg(n_contacts=_.count(), n_responses=_.responded.sum()).to_pandas()
    return rows.sort_values(["group", "promotion_kind"], ignore_index=True)


@kept
def group_margin(book: Workbook, period: str, n_months: int, labels: pd.Series) -> pd.DataFrame:
    """Estimate what dealers earn with each group, where the cost of the product is known.

    The cost of a piece is what it cost on average in the last snapshot of `stock`, all dealers
    together.

    Returns
    -------
    DataFrame
        `group`, `amount` (net, all lines), `amount_covered` (of lines with a cost), `cost`,
        `gross_profit` (amount_covered − cost), `covered_share` (amount_covered ÷ amount); money is
        empty where no cost is known.
    """
    _require_consumers(book)
    _first, n_months = history(book, period, n_months)
    lines = _labelled(sell_out_lines(book, period, n_months), labels)
    if (counted := stock.last_count(book, period)) is not None:
        spent, counted = (
            (_.quantity * _.unit_cost.cast("float64")).sum(),
            counted.filter(_.quantity > 0),
        )
        costs = counted.group_by(_product_id=_.product_id).agg(unit_cost=spent / _.quantity.sum())
        lines = lines.left_join(costs, lines.product_id == costs._product_id)
        lines = lines.mutate(cost=(_.quantity * _.unit_cost).cast("decimal(18, 2)"))
    else:
        lines = lines.mutate(cost=ibis.null("decimal(18, 2)"))
    rows = (
        lines.group_by("group")
        .agg(
            amount=_.amount.sum().cast("float64"),
            cost=_.cost.sum().cast("float64"),
            amount_covered=_.amount.sum(where=_.cost.notnull()).cast("float64"),
        )
        .to_pandas()
        .sort_values("group", ignore_index=True)
    )
    rows["gross_profit"] = (rows["amount_covered"] - rows["cost"]).round(2)
    rows["covered_share"] = rows["amount_covered"].fillna(0) / positive(rows["amount"])
    return rows[["group", "amount", "amount_covered", "cost", "gross_profit", "covered_share"]]


@kept
def unidentified_share(book: Workbook, period: str, n_months: int = HISTORY) -> float:
    """Tell which part of the sell-out amount nobody is known to have bought.

    NaN where nothing was sold.
    """
    _first, n_months = history(book, period, n_months)
    lines = within(table(book, "sell_out"), "date", period, n_months)
    if "consumer_id" not in lines.columns:
        return 1.0
    sums = (
        lines.agg(
            known=_.amount.sum(where=_.consumer_id.notnull()).fill_null(0).cast("float64"),
            total=_.amount.sum().cast("float64"),
        )
        .to_pandas()
        .iloc[0]
    )
    return float(1 - sums["known"] / sums["total"]) if sums["total"] > 0 else np.nan


def _labelled(lines: Table, labels: pd.Series) -> Table:
    """Cut lines to the consumers that have a group; add `group` and the consumer's `number`.

    Numbers instead of ids halve the time of counting visits.
    """
    groups = pd.DataFrame(
        {"_consumer_id": labels.index.astype("str"), "group": labels.to_numpy()}
    ).dropna()
    if (twice := groups["_consumer_id"].duplicated()).any():
        name = groups["_consumer_id"][twice].iloc[0]
        raise ValueError(f"labels: consumer {name!r} occurs twice; give each consumer one group")
    given = ibis.memtable(groups.assign(number=np.arange(len(groups))))
    return lines.inner_join(given, lines.consumer_id == given._consumer_id)
