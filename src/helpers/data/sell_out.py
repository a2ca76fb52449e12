"""Lines of sell-out and contacts in the engine, with all that is known of them."""

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from helpers import periods
from helpers.data.read import fetched, within
from helpers.data.tables import table
from helpers.settings import Workbook

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
# in one line; more is fuel by volume or a slip of the finger, and tells no price per piece
MAX_PIECES = 100
MAX_TIER = 1000  # times the category's median price: dearer is a slip of the finger


def knows(book: Workbook, name: str, *columns: str) -> bool:
    """Whether a table is there and has all these columns."""
    return book.has(name) and set(columns) <= set(table(book, name).columns)


def by_key(rows: Table, key: str) -> pd.DataFrame:
    """Fetch an aggregate, one row a key."""
    return fetched(rows, [key]).set_index(key)


def positive(values: pd.Series) -> pd.Series:
    """Empty what can be no denominator."""
    return values.where(values > 0)


def sell_out_lines(book: Workbook, period: str, n_months: int) -> Table:
    """Give the history's lines with every column of `OPTIONAL`, empty where unknown.

    `bought`: it is no return.
    """
    lines = with_products(book, within(table(book, "sell_out"), "date", period, n_months))
    lines = lines.mutate(
        **{c: ibis.null(kind) for c, kind in OPTIONAL.items() if c not in lines.columns}
    )
    return lines.mutate(bought=(_.amount > 0).fill_null(False))


def tiered(lines: Table) -> Table:
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


def with_products(book: Workbook, lines: Table) -> Table:
    """Add category and brand of the products, where both are known."""
    if not (book.has("products") and "product_id" in lines.columns):
        return lines
    products = table(book, "products")
    kept = [c for c in ("category", "brand") if c in products.columns]
    products = products.select(*kept, _product_id=_.product_id)
    return lines.left_join(products, lines.product_id == products._product_id).drop("_product_id")


def with_kind(book: Workbook, lines: Table) -> Table:
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


def contact_lines(book: Workbook, period: str, n_months: int) -> Table:
    """Give the history's contacts with `promotion_kind` and `responded`.

    A contact without a day went out when its promotion began; where that is unknown too, it counts.
    """
    window, contacts = periods.window(period, n_months), table(book, "contacts")
    days = {
        c: ibis.null("date") for c in ("sent_date", "responded_date") if c not in contacts.columns
    }
    contacts = with_kind(book, contacts.mutate(**days))
    contacts = contacts.mutate(sent=ibis.coalesce(_.sent_date, _.start_date))
    start, end = ibis.literal(window.start), ibis.literal(window.end)
    contacts = contacts.filter(_.sent.isnull() | _.sent.between(start, end))
    last = ibis.least(ibis.coalesce(_.end_date, end), end)
    came = _.responded_date.between(ibis.coalesce(_.sent, _.responded_date), last)
    return contacts.mutate(responded=came.fill_null(False))
