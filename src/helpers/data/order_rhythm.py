"""The rhythm of orders: how often each dealer buys, summed up in the engine."""

import ibis
import numpy as np
import pandas as pd
from ibis import _

from helpers.data.cache import kept
from helpers.data.orders import order_days
from helpers.data.read import fetched, of_our_brand, within
from helpers.data.tables import table
from helpers.settings import Workbook

MONTHS = 30  # that are looked at: two seasons and a half
COLUMNS = ["n_orders", "first_order_date", "last_order_date", "mean_gap_days"]
COLUMNS += ["gap_spread_days", "longest_gap_days"]


@kept
def order_rhythm(book: Workbook, period: str) -> pd.DataFrame:
    """Describe the days on which each dealer ordered of ours, over the months up to a period.

    Days are summed up as whole numbers; the silence since the last order is no gap.

    Returns
    -------
    DataFrame
        By `dealer_id`, who ordered in these months: `n_orders` (days with one), `first_order_date`,
        `last_order_date`, and of the days between them `mean_gap_days`, `gap_spread_days` (standard
        deviation, NaN for fewer than two gaps) and `longest_gap_days`. No rows without sell-in.
    """
    if not book.has("sell_in"):
        return pd.DataFrame(columns=["dealer_id", *COLUMNS]).astype(
            {"dealer_id": "str", "n_orders": "int64"}
            | dict.fromkeys(COLUMNS[1:3], "datetime64[s]")
            | dict.fromkeys(COLUMNS[3:], "float64")
        )
    lines = of_our_brand(book, table(book, "sell_in")).filter(_.dealer_id.notnull())
    days = order_days(within(lines, "date", period, MONTHS))
    in_order = ibis.window(group_by="dealer_id", order_by="date")
    days = days.mutate(before=_.date.lag().over(in_order))
    days = days.mutate(gap=_.date.delta(_.before, unit="day").cast("int64"))
    sums = days.group_by("dealer_id").agg(
        n_orders=_.count(),
        first_order_date=_.date.min(),
        last_order_date=_.date.max(),
        gap_sum=_.gap.sum().cast("int64"),
        gap_squares=(_.gap * _.gap).sum().cast("int64"),
        longest_gap_days=_.gap.max().cast("float64"),
    )
    rows = fetched(sums, ["dealer_id"])
    n = (rows["n_orders"] - 1).astype("float64")
    mean = rows["gap_sum"].astype("float64") / n.where(n > 0)
    # whole numbers below 2^53: the difference of the sums loses nothing that counts in days
    squares = rows["gap_squares"].astype("float64") - n * mean**2
    rows["mean_gap_days"] = mean
    rows["gap_spread_days"] = np.sqrt(squares.clip(lower=0) / (n - 1).where(n > 1))
    return rows[["dealer_id", *COLUMNS]].astype({"n_orders": "int64"})
