"""Features: what is known of each dealer, consumer and consumer group, summed up in the engine.

Part of the door.
"""

import datetime as dt

import ibis
import numpy as np
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from helpers import periods
from helpers.data import read, stock
from helpers.data.cache import kept
from helpers.data.read import covered, fetched, of_our_brand, within
from helpers.data.tables import described, main_span, source_name, table
from helpers.settings import DataError, Workbook

WINDOW = 12  # months of a dealer's features: seasons cancel out
HISTORY = 36  # months of a consumer's features: durable goods are bought rarely
MIN_LINES = 20  # of sell-out: a share of fewer jumps by more than five points with one line
MIN_CONSUMERS = 10  # as in editions, where groups under ten people are suppressed
MIN_MODELS = 5  # of ours: which models he shares with his neighbours is chance with fewer
MIN_MONTHS = 3  # of dealer_profit: one month's stock or margin is no habit
# in one line; more is fuel by volume or a slip of the finger, and tells no price per piece
MAX_PIECES = 100
MAX_TIER = 1000  # times the category's median price: dearer is a slip of the finger

DEALER_FEATURES = [
    "category_coverage_share",
    "rebate_rate",
    "promoted_share",
    "n_promotions",
    "basket",
    "price_tier",
    "stock_age_days",
    "order_gap_days",
    "identified_share",
    "contacted_share",
    "repeat_share",
    "range_overlap_share",
    "neighbours_per_100k",
    "stock_turn",
    "dealer_margin_rate",
    "revenue",
]
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
OPTIONAL = {  # what a line of sell-out may know, its own column or its product's
    "dealer_id": "string",
    "consumer_id": "string",
    "product_id": "string",
    "quantity": "float64",
    "list_amount": "decimal(18, 2)",
    "promotion_id": "string",
    "category": "string",
    "brand": "string",
}
GROUPED_BY = ("category", "brand", "calendar_month", "dealer_id", "promotion_kind")


# ---- dealers -------------------------------------------------------------------------------------


@kept
def dealer_features(book: Workbook, period: str) -> pd.DataFrame:
    """Measure each dealer's habits in the twelve months that end with a period.

    A feature is empty where its table or column is missing, and where a dealer has too little to be
    judged by (`MIN_LINES` of sell-out, `MIN_CONSUMERS`, `MIN_MODELS`, `MIN_MONTHS` of
    dealer_profit).

    Returns
    -------
    DataFrame
        One row per dealer of `data.dealer_totals`: `dealer_id` and, as floats,
        `category_coverage_share` (categories of ours he bought, of those anybody bought),
        `rebate_rate` (of revenue), `promoted_share` (of his sales to consumers), `n_promotions` (he
        sold under), `basket` (net amount a consumer and day), `price_tier` (price per piece ÷
        median of its category, mean of the lines), `stock_age_days` (weighted by value, last
        snapshot), `order_gap_days` (days that the data cover ÷ days with a purchase),
        `identified_share` (lines with a consumer), `contacted_share` and `repeat_share` (of his
        consumers: written to; came on two days or more), `range_overlap_share` (models of ours he
        bought that another dealer of the city bought too), `neighbours_per_100k` (other dealers who
        bought ours, by the city's people), `stock_turn` (a year's cost of sales ÷ average stock,
        all brands), `dealer_margin_rate` ((gross profit + rebate) ÷ revenue, all brands), `revenue`
        (of ours).

    Raises
    ------
    DataError
        If there is no table that tells who the dealers are: sell_in, payments or dealer_profit.
    """
    rows = read.dealer_totals(book, period)[["dealer_id", "revenue"]].set_index("dealer_id")
    parts = (
        _purchase_habits,
        _range_habits,
        _neighbour_habits,
        _shop_habits,
        _consumer_habits,
        _stock_habits,
        _profit_habits,
    )
    for part in parts:
        rows = rows.join(part(book, period))
    return rows.reindex(columns=DEALER_FEATURES).astype("float64").reset_index()


def _known(book: Workbook, name: str, *columns: str) -> bool:
    """Whether a table is there and has all these columns."""
    return book.has(name) and set(columns) <= set(table(book, name).columns)


def _small(rows: Table, key: str) -> pd.DataFrame:
    """Fetch an aggregate, one row a key."""
    return fetched(rows, [key]).set_index(key)


def _positive(values: pd.Series) -> pd.Series:
    """Empty what can be no denominator."""
    return values.where(values > 0)


def _purchases(book: Workbook, period: str) -> Table:
    """Give the window's lines of ours with a dealer."""
    return within(of_our_brand(book, table(book, "sell_in")), "date", period, WINDOW).filter(
        _.dealer_id.notnull()
    )


def _purchase_habits(book: Workbook, period: str) -> pd.DataFrame:
    if not book.has("sell_in"):
        return pd.DataFrame()
    lines, has_rebate = _purchases(book, period), _known(book, "sell_in", "rebate")
    sums = lines.group_by("dealer_id").agg(
        n_orders=_.date.nunique(where=_.revenue > 0),
        revenue=_.revenue.sum().cast("float64"),
        **({"rebate": _.rebate.sum().fill_null(0).cast("float64")} if has_rebate else {}),
    )
    rows = _small(sums, "dealer_id")
    found = pd.DataFrame(
        {"order_gap_days": covered(book, period).n_days / _positive(rows["n_orders"])}
    )
    if has_rebate:
        found["rebate_rate"] = rows["rebate"] / _positive(rows["revenue"])
    return found


def _range_habits(book: Workbook, period: str) -> pd.DataFrame:
    if not (_known(book, "sell_in", "product_id") and _known(book, "products", "category")):
        return pd.DataFrame()
    bought = _purchases(book, period).filter(_.revenue > 0).select("dealer_id", "product_id")
    known = _with_products(book, bought).filter(_.category.notnull())
    n_all = known.agg(n=_.category.nunique()).to_pandas()["n"].iloc[0]
    n = _small(known.group_by("dealer_id").agg(n=_.category.nunique()), "dealer_id")["n"]
    return pd.DataFrame({"category_coverage_share": n / n_all})


def _neighbour_habits(book: Workbook, period: str) -> pd.DataFrame:
    """Compare the dealers of a city who bought ours.

    How many there are, and which models more than one of them has.
    """
    if not (book.has("sell_in") and _known(book, "dealers", "city")):
        return pd.DataFrame()
    bought, places, place = (
        _purchases(book, period).filter(_.revenue > 0),
        _places(book),
        ["region", "city"],
    )
    here = places.semi_join(bought, "dealer_id").mutate(n=_.count().over(group_by=place))
    rows = _small(here.select("dealer_id", "n", "population"), "dealer_id")
    found = pd.DataFrame(
        {"neighbours_per_100k": 1e5 * (rows["n"] - 1) / _positive(rows["population"])}
    )
    if "product_id" in bought.columns:
        models = bought.filter(_.product_id.notnull()).select("dealer_id", "product_id").distinct()
        models = models.inner_join(places, "dealer_id").mutate(
            n=_.count().over(group_by=[*place, "product_id"])
        )
        sums = models.group_by("dealer_id").agg(n_models=_.count(), n_shared=(_.n > 1).sum())
        rows = _small(sums.filter(_.n_models >= MIN_MODELS), "dealer_id")
        found["range_overlap_share"] = rows["n_shared"] / rows["n_models"]
    return found


def _places(book: Workbook) -> Table:
    """Give each dealer's region, city and the city's people.

    A dealer without region gets his city's if unique.
    """
    dealers = table(book, "dealers").filter(_.city.notnull())
    own = _.region if "region" in dealers.columns else ibis.null("string")
    dealers = dealers.select("dealer_id", "city", region=own)
    if not book.has("regions"):
        return dealers.mutate(population=ibis.null("float64"))
    cities = table(book, "regions")
    people = _.population if "population" in cities.columns else ibis.null("float64")
    cities = cities.select(_region=_.region, _city=_.city, population=people)
    cities = cities.mutate(n=_.count().over(group_by="_city"))
    here = (dealers.region == cities._region) | (dealers.region.isnull() & (cities.n == 1))
    joined = dealers.left_join(cities, [dealers.city == cities._city, here])
    return joined.select(
        "dealer_id", "city", "population", region=ibis.coalesce(_.region, _._region)
    )


def _stock_habits(book: Workbook, period: str) -> pd.DataFrame:
    counted = stock.last_count(book, period)
    if counted is None:
        return pd.DataFrame()
    lots = counted.filter(_.quantity > 0).mutate(
        value=(_.quantity * _.unit_cost.cast("float64")).cast("decimal(18, 2)"),
        age=_.snapshot_date.delta(_.received_date, unit="day").cast("int32"),
    )
    sums = lots.group_by("dealer_id").agg(
        value=_.value.sum().cast("float64"), aged=(_.value * _.age).sum().cast("float64")
    )
    rows = _small(sums, "dealer_id")
    return pd.DataFrame({"stock_age_days": rows["aged"] / _positive(rows["value"])})


def _profit_habits(book: Workbook, period: str) -> pd.DataFrame:
    if not book.has("dealer_profit"):
        return pd.DataFrame()
    lines = table(book, "dealer_profit").mutate(date=(_.month + "-01").cast("date"))
    lines = within(lines, "date", period, WINDOW)
    rebate = _.rebate.fill_null(0) if "rebate" in lines.columns else 0
    kept = (
        _.average_stock_value
        if "average_stock_value" in lines.columns
        else ibis.null("decimal(18, 2)")
    )
    lines = lines.mutate(earned=_.gross_profit + rebate, cost=_.revenue - _.gross_profit, kept=kept)
    sums = lines.group_by("dealer_id").agg(
        n_months=_.month.nunique(),
        revenue=_.revenue.sum().cast("float64"),
        earned=_.earned.sum().cast("float64"),
        kept=_.kept.sum().cast("float64"),
        cost=_.cost.sum(where=_.kept.notnull()).cast("float64"),
    )
    rows = _small(sums, "dealer_id")
    rows = rows[rows["n_months"] >= MIN_MONTHS]
    return pd.DataFrame(
        {
            # sums over the same months: with all twelve it is cost / mean stock, with fewer the
            # same pace a year
            "stock_turn": WINDOW * rows["cost"] / _positive(rows["kept"]),
            "dealer_margin_rate": rows["earned"] / _positive(rows["revenue"]),
        }
    )


def _shop_habits(book: Workbook, period: str) -> pd.DataFrame:
    """Measure what his tills report, lines without a consumer included."""
    if not _known(book, "sell_out", "dealer_id"):
        return pd.DataFrame()
    lines = _tiered(_sell_out(book, period, WINDOW)).filter(_.dealer_id.notnull())
    under = _.bought & _.promotion_id.notnull()
    sums = lines.group_by("dealer_id").agg(
        n_lines=_.count(),
        n_identified=_.consumer_id.count(),
        amount=_.amount.sum(where=_.bought).cast("float64"),
        promoted=_.amount.sum(where=under).fill_null(0).cast("float64"),
        tier=_.tier.sum().cast("float64"),
        n_promotions=_.promotion_id.nunique(where=under),
        n_tier=_.tier.count(),
    )
    rows = _small(sums, "dealer_id")
    rows = rows[rows["n_lines"] >= MIN_LINES]
    found = pd.DataFrame(
        {
            "promoted_share": rows["promoted"] / rows["amount"],
            "n_promotions": rows["n_promotions"],
            "price_tier": rows["tier"] / rows["n_tier"].where(rows["n_tier"] >= MIN_LINES),
            "identified_share": rows["n_identified"] / rows["n_lines"],
        }
    )
    return found.drop(
        columns=[
            c
            for c, source in (
                ("promoted_share", "promotion_id"),
                ("n_promotions", "promotion_id"),
                ("identified_share", "consumer_id"),
            )
            if not _known(book, "sell_out", source)
        ]
    )


def _consumer_habits(book: Workbook, period: str) -> pd.DataFrame:
    """Measure what the consumers he knows by name do."""
    if not _known(book, "sell_out", "dealer_id", "consumer_id"):
        return pd.DataFrame()
    lines = _sell_out(book, period, WINDOW).filter(_.dealer_id.notnull(), _.consumer_id.notnull())
    days = lines.group_by("dealer_id", "consumer_id", "date").agg(
        amount=_.amount.sum(), bought=_.bought.any()
    )
    people = days.group_by("dealer_id", "consumer_id").agg(
        amount=_.amount.sum(), n_days=_.bought.sum()
    )
    people = people.filter(_.n_days > 0)
    if book.has("contacts"):
        reached = _contacts(book, period, WINDOW).select(_consumer_id=_.consumer_id).distinct()
        people = people.left_join(reached, people.consumer_id == reached._consumer_id)
        people = people.mutate(reached=_._consumer_id.notnull())
    else:
        people = people.mutate(reached=ibis.null("boolean"))
    sums = people.group_by("dealer_id").agg(
        n=_.count(),
        n_days=_.n_days.sum(),
        amount=_.amount.sum().cast("float64"),
        n_repeat=(_.n_days > 1).sum(),
        n_reached=_.reached.sum(),
    )
    rows = _small(sums, "dealer_id")
    rows = rows[rows["n"] >= MIN_CONSUMERS]
    return pd.DataFrame(
        {
            "basket": rows["amount"] / rows["n_days"],
            "repeat_share": rows["n_repeat"] / rows["n"],
            "contacted_share": rows["n_reached"].astype("float64") / rows["n"],
        }
    )


# ---- consumers -----------------------------------------------------------------------------------


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
        raise DataError(
            f"sell_out: {name} has no dated line up to {period}; choose a later period or add "
            "older lines"
        )
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
    amounts = _small(sums, "month")["amount"]
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
    peak, lines = peak_months(book, period, n_months), _sell_out(book, period, n_months)
    rows = _consumer_visits(lines).join(_consumer_amounts(_tiered(lines), peak))
    if book.has("contacts"):
        asked = (
            _contacts(book, period, n_months)
            .filter(_.consumer_id.notnull())
            .group_by("consumer_id")
        )
        rows = rows.join(
            _small(asked.agg(n_contacts=_.count(), n_responses=_.responded.sum()), "consumer_id")
        )
        rows = rows.fillna({"n_contacts": 0, "n_responses": 0})
    rows = _consumer_ratios(rows, periods.window(period).end)
    unknown = [] if _known(book, "sell_out", "promotion_id") else ["promotion_share"]
    unknown += [] if peak else ["peak_share"]
    rows = rows.drop(columns=unknown).reindex(columns=CONSUMER_FEATURES).astype("float64")
    return rows.reset_index()


@kept
def previous_consumers(book: Workbook, period: str, n_months: int = HISTORY) -> pd.DataFrame:
    """Measure the consumers as they were known twelve months earlier.

    No rows where there was no year of data then.
    """
    year_ago = periods.shift(period, -WINDOW)
    first, _n_months = history(book, period, n_months + WINDOW)
    if periods.shift(first, WINDOW - 1) > year_ago:
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
    n_categories = _small(lines.group_by("consumer_id").agg(n=_.category.nunique()), "consumer_id")[
        "n"
    ]
    return _small(days, "consumer_id").assign(n_categories=n_categories.where(n_categories > 0))


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
    return _small(sums, "consumer_id")


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
        raise DataError(
            f"sell_out: no column 'consumer_id'; without it nobody knows who bought: "
            f"map it in {book.path.name} under [data.sell_out.columns]"
        )


# ---- groups of consumers -------------------------------------------------------------------------


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
    lines = _sell_out(book, period, n_months)
    if by == "calendar_month":
        lines = lines.mutate(calendar_month=_.date.month().cast("int64"))
    elif by == "promotion_kind":
        lines = _with_kind(book, lines)
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
    asked = _labelled(_contacts(book, period, n_months), labels)
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
    lines = _labelled(_sell_out(book, period, n_months), labels)
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
    rows["covered_share"] = rows["amount_covered"].fillna(0) / _positive(rows["amount"])
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


# ---- lines in the engine -------------------------------------------------------------------------


def _sell_out(book: Workbook, period: str, n_months: int) -> Table:
    """Give the history's lines with every column of `OPTIONAL`, empty where unknown.

    `bought`: it is no return.
    """
    lines = _with_products(book, within(table(book, "sell_out"), "date", period, n_months))
    lines = lines.mutate(
        **{c: ibis.null(kind) for c, kind in OPTIONAL.items() if c not in lines.columns}
    )
    return lines.mutate(bought=(_.amount > 0).fill_null(False))


def _tiered(lines: Table) -> Table:
    """Add `tier`: a purchase's price per piece against the median of its category in all these
    lines.

    Tiers are decimals, for a sum of floats would differ from run to run in its last digits.
    """
    countable = _.bought & (_.quantity > 0) & (_.quantity <= MAX_PIECES) & _.category.notnull()
    lines = lines.mutate(price=ibis.cases((countable, _.amount.cast("float64") / _.quantity)))
    medians = (
        lines.filter(_.price.notnull()).group_by(_category=_.category).agg(usual=_.price.median())
    )
    lines = lines.left_join(medians, lines.category == medians._category)
    return lines.mutate(tier=(_.price / _.usual).clip(upper=MAX_TIER).cast("decimal(18, 6)"))


def _with_products(book: Workbook, lines: Table) -> Table:
    """Add category and brand of the products, where both are known."""
    if not (book.has("products") and "product_id" in lines.columns):
        return lines
    products = table(book, "products")
    kept = [c for c in ("category", "brand") if c in products.columns]
    products = products.select(*kept, _product_id=_.product_id)
    return lines.left_join(products, lines.product_id == products._product_id).drop("_product_id")


def _with_kind(book: Workbook, lines: Table) -> Table:
    """Add the kind and the dates of a promotion, empty where unknown."""
    kinds = {"kind": "string", "start_date": "date", "end_date": "date"}
    if not book.has("promotions"):
        return lines.mutate(
            promotion_kind=ibis.null("string"),
            start_date=ibis.null("date"),
            end_date=ibis.null("date"),
        )
    promotions = table(book, "promotions")
    promotions = promotions.mutate(
        **{c: ibis.null(k) for c, k in kinds.items() if c not in promotions.columns}
    )
    promotions = promotions.select(
        "start_date", "end_date", _promotion_id=_.promotion_id, promotion_kind=_.kind
    )
    return lines.left_join(promotions, lines.promotion_id == promotions._promotion_id).drop(
        "_promotion_id"
    )


def _contacts(book: Workbook, period: str, n_months: int) -> Table:
    """Give the history's contacts with `promotion_kind` and `responded`.

    A contact without a day went out when its promotion began; where that is unknown too, it counts.
    """
    window, contacts = periods.window(period, n_months), table(book, "contacts")
    days = {
        c: ibis.null("date") for c in ("sent_date", "responded_date") if c not in contacts.columns
    }
    contacts = _with_kind(book, contacts.mutate(**days))
    contacts = contacts.mutate(sent=ibis.coalesce(_.sent_date, _.start_date))
    start, end = ibis.literal(window.start), ibis.literal(window.end)
    contacts = contacts.filter(_.sent.isnull() | _.sent.between(start, end))
    last = ibis.least(ibis.coalesce(_.end_date, end), end)
    came = _.responded_date.between(ibis.coalesce(_.sent, _.responded_date), last)
    return contacts.mutate(responded=came.fill_null(False))
