"""Habits of each dealer, summed up in the engine."""

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from helpers.data import read, stock
from helpers.data.cache import kept
from helpers.data.orders import order_days
from helpers.data.read import covered, of_our_brand, within
from helpers.data.sell_out import (
    by_key,
    contact_lines,
    knows,
    positive,
    sell_out_lines,
    tiered,
    with_products,
)
from helpers.data.tables import table
from helpers.settings import Workbook

WINDOW = 12  # months of a dealer's features: seasons cancel out
MIN_LINES = 20  # of sell-out: a share of fewer jumps by more than five points with one line
MIN_CONSUMERS = 10  # as in editions, where groups under ten people are suppressed
MIN_MODELS = 5  # of ours: which models he shares with his neighbours is chance with fewer
MIN_MONTHS = 3  # of dealer_profit: one month's stock or margin is no habit
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


def _purchases(book: Workbook, period: str) -> Table:
    """Give the window's lines of ours with a dealer."""
    return within(of_our_brand(book, table(book, "sell_in")), "date", period, WINDOW).filter(
        _.dealer_id.notnull()
    )


def _purchase_habits(book: Workbook, period: str) -> pd.DataFrame:
    if not book.has("sell_in"):
        return pd.DataFrame()
    lines, has_rebate = _purchases(book, period), knows(book, "sell_in", "rebate")
    sums = lines.group_by("dealer_id").agg(
        revenue=_.revenue.sum().cast("float64"),
        **({"rebate": _.rebate.sum().fill_null(0).cast("float64")} if has_rebate else {}),
    )
    rows = by_key(sums, "dealer_id")
    days = by_key(order_days(lines).group_by("dealer_id").agg(n=_.count()), "dealer_id")
    n_orders = days["n"].reindex(rows.index).fillna(0)
    found = pd.DataFrame({"order_gap_days": covered(book, period).n_days / positive(n_orders)})
    if has_rebate:
        found["rebate_rate"] = rows["rebate"] / positive(rows["revenue"])
    return found


def _range_habits(book: Workbook, period: str) -> pd.DataFrame:
    if not (knows(book, "sell_in", "product_id") and knows(book, "products", "category")):
        return pd.DataFrame()
    bought = _purchases(book, period).filter(_.revenue > 0).select("dealer_id", "product_id")
    known = with_products(book, bought).filter(_.category.notnull())
    n_all = known.agg(n=_.category.nunique()).to_pandas()["n"].iloc[0]
    n = by_key(known.group_by("dealer_id").agg(n=_.category.nunique()), "dealer_id")["n"]
    return pd.DataFrame({"category_coverage_share": n / n_all})


def _neighbour_habits(book: Workbook, period: str) -> pd.DataFrame:
    """Compare the dealers of a city who bought ours.

    How many there are, and which models more than one of them has.
    """
    if not (book.has("sell_in") and knows(book, "dealers", "city")):
        return pd.DataFrame()
    bought, places, place = (
        _purchases(book, period).filter(_.revenue > 0),
        _places(book),
        ["region", "city"],
    )
    here = places.semi_join(bought, "dealer_id").mutate(n=_.count().over(group_by=place))
    rows = by_key(here.select("dealer_id", "n", "population"), "dealer_id")
    found = pd.DataFrame(
        {"neighbours_per_100k": 1e5 * (rows["n"] - 1) / positive(rows["population"])}
    )
    if "product_id" in bought.columns:
        models = bought.filter(_.product_id.notnull()).select("dealer_id", "product_id").distinct()
        models = models.inner_join(places, "dealer_id").mutate(
            n=_.count().over(group_by=[*place, "product_id"])
        )
        sums = models.group_by("dealer_id").agg(n_models=_.count(), n_shared=(_.n > 1).sum())
        rows = by_key(sums.filter(_.n_models >= MIN_MODELS), "dealer_id")
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
    rows = by_key(sums, "dealer_id")
    return pd.DataFrame({"stock_age_days": rows["aged"] / positive(rows["value"])})


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
    rows = by_key(sums, "dealer_id")
    rows = rows[rows["n_months"] >= MIN_MONTHS]
    return pd.DataFrame(
        {
            # sums over the same months: with all twelve it is cost / mean stock, with fewer the
            # same pace a year
            "stock_turn": WINDOW * rows["cost"] / positive(rows["kept"]),
            "dealer_margin_rate": rows["earned"] / positive(rows["revenue"]),
        }
    )


def _shop_habits(book: Workbook, period: str) -> pd.DataFrame:
    """Measure what his tills report, lines without a consumer included."""
    if not knows(book, "sell_out", "dealer_id"):
        return pd.DataFrame()
    lines = tiered(sell_out_lines(book, period, WINDOW)).filter(_.dealer_id.notnull())
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
    rows = by_key(sums, "dealer_id")
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
            if not knows(book, "sell_out", source)
        ]
    )


def _consumer_habits(book: Workbook, period: str) -> pd.DataFrame:
    """Measure what the consumers he knows by name do."""
    if not knows(book, "sell_out", "dealer_id", "consumer_id"):
        return pd.DataFrame()
    lines = sell_out_lines(book, period, WINDOW).filter(
        _.dealer_id.notnull(), _.consumer_id.notnull()
    )
    days = lines.group_by("dealer_id", "consumer_id", "date").agg(
        amount=_.amount.sum(), bought=_.bought.any()
    )
    people = days.group_by("dealer_id", "consumer_id").agg(
        amount=_.amount.sum(), n_days=_.bought.sum()
    )
    people = people.filter(_.n_days > 0)
    if book.has("contacts"):
        reached = contact_lines(book, period, WINDOW).select(_consumer_id=_.consumer_id).distinct()
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
    rows = by_key(sums, "dealer_id")
    rows = rows[rows["n"] >= MIN_CONSUMERS]
    return pd.DataFrame(
        {
            "basket": rows["amount"] / rows["n_days"],
            "repeat_share": rows["n_repeat"] / rows["n"],
            "contacted_share": rows["n_reached"].astype("float64") / rows["n"],
        }
    )
