"""Orders: the days on which a dealer ordered, without what was booked and cancelled on the day."""

import ibis
from ibis import _
from ibis.expr.types import Table


def order_days(lines: Table) -> Table:
    """Give the days on which dealers ordered: rows of `dealer_id` and `date`, each day once.

    An order is what is left of its lines on their day, above zero; without the number of an order
    each line is one. Two of the same size and opposite sign on one day are an order and its
    cancellation, whatever their numbers; of lines without a number only where they are of the same
    product.

    Parameters
    ----------
    lines
        Of sell-in, with a dealer: `dealer_id`, `date`, `revenue`, perhaps `order_id` and
        `product_id`.
    """
    keys = ["dealer_id", "date"]
    days = lines.group_by(keys).agg(
        n_bought=(_.revenue > 0).sum(), n_taken_back=(_.revenue < 0).sum()
    )
    days = days.filter(_.n_bought > 0)
    # a day on which nothing came back needs no second look, and most are such
    plain = days.filter(_.n_taken_back == 0).select(keys)
    mixed = lines.semi_join(days.filter(_.n_taken_back > 0), keys)
    product = _.product_id if "product_id" in lines.columns else ibis.null("string")
    if "order_id" in lines.columns:
        numbered = mixed.filter(_.order_id.notnull()).group_by([*keys, "order_id"])
        numbered = numbered.agg(revenue=_.revenue.sum().cast("decimal(38, 2)"))
        orders = numbered.select(*keys, "revenue", product_id=ibis.null("string"))
        single = mixed.filter(_.order_id.isnull())
    else:
        orders, single = None, mixed
    single = single.select(*keys, revenue=_.revenue.cast("decimal(38, 2)"), product_id=product)
    orders = single if orders is None else ibis.union(orders, single)
    left = (
        orders.filter(_.revenue != 0)
        .group_by([*keys, "product_id", _.revenue.abs().name("size")])
        .agg(n=ibis.cases((_.revenue > 0, 1), else_=-1).sum())
        .filter(_.n > 0)
    )
    return ibis.union(plain, left.select(keys), distinct=True)
