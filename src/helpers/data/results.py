"""Results: what each month and each dealer's span came to, and what it was to come to.

Part of the door.
"""

import numpy as np
import pandas as pd
from ibis import _

from helpers import periods
from helpers.data import levels
from helpers.data.bridges import is_comparable, spans
from helpers.data.cache import kept
from helpers.data.read import dealer_totals, fetched, of_our_brand, records, span
from helpers.data.tables import described, table
from helpers.settings import Workbook

MONTH_SUMS = ("revenue", "gross_profit", "covered_revenue", "payments")


@kept
def network_months(book: Workbook, period: str) -> pd.DataFrame:
    """Sum up the network's months up to a period, lines of nobody included.

    Returns
    -------
    DataFrame
        One row per `month` from the first with data on, none left out: `revenue` of our brand,
        `gross_profit` (revenue − rebate − cost of the lines that have a cost), `covered_revenue`
        (of the same lines), `payments`. A column is empty where its table or its cost is missing,
        payments before the first that is known. Money is summed exactly before it becomes a float.
    """
    if not book.has("sell_in"):
        return pd.DataFrame(
            {"month": pd.Series(dtype="str")}
            | {column: pd.Series(dtype="float64") for column in MONTH_SUMS}
        )
    first, _last = span(book)
    n = _n_months(first, period)
    rows = pd.DataFrame({"month": periods.month_range(period, n)}, dtype="str")
    lines = of_our_brand(book, table(book, "sell_in"))
    sums = {"revenue": _.revenue.sum()}
    if "cost" in lines.columns:
        rebate = _.rebate.fill_null(0) if "rebate" in lines.columns else 0
        sums["gross_profit"] = (_.revenue - _.cost - rebate).sum()
        sums["covered_revenue"] = _.revenue.sum(where=_.cost.notnull())
    rows = rows.merge(_by_month(lines, sums), on="month", how="left")
    rows["revenue"] = rows["revenue"].fillna(0.0)
    if book.has("payments"):
        paid = _by_month(table(book, "payments"), {"payments": _.amount.sum()})
        rows = rows.merge(paid, on="month", how="left")
        begins = _first_payments(book)
        rows["payments"] = rows["payments"].fillna(0.0).where(rows["month"] >= begins)
    for column in MONTH_SUMS:
        rows[column] = rows[column].astype("float64") if column in rows else np.nan
    return rows[["month", *MONTH_SUMS]]


def _by_month(lines, sums: dict) -> pd.DataFrame:
    rows = lines.group_by(month=_.date.strftime("%Y-%m")).agg(
        **{column: total.cast("float64") for column, total in sums.items()}
    )
    return fetched(rows, ["month"])


def _n_months(first: str, last: str) -> int:
    return (int(last[:4]) - int(first[:4])) * 12 + int(last[5:]) - int(first[5:]) + 1


def _first_payments(book: Workbook) -> str:
    """Name the month that payments begin with; one after all others where there is none."""
    months = described(book, "payments")["months"]
    return months[0][0] if months else "9999-12"


@kept
def dealer_spans(book: Workbook, period: str) -> pd.DataFrame:
    """Sum up each dealer's month and running year, and the same months a year before.

    Returns
    -------
    DataFrame
        One row per `span` ("month", "year_to_date"), `side` ("now", "base") and `dealer_id`:
        `revenue`, `gross_profit`, `covered_revenue`, `payments` as `dealer_totals`. Of the year
        before there are no rows where the data do not cover it whole.
    """
    found = []
    for name in ("month", "year_to_date"):
        ends = {"now": period}
        if is_comparable(book, period, name):
            ends["base"] = periods.shift(period, -12)
        n = 1 if name == "month" else int(period[5:])
        for side, end in ends.items():
            rows = dealer_totals(book, end, n_months=n)
            found.append(
                rows.reindex(columns=["dealer_id", *MONTH_SUMS]).assign(span=name, side=side)
            )
    rows = pd.concat(found, ignore_index=True)
    if book.has("payments"):
        begins = _first_payments(book)
        unknown = [
            (name, side)
            for name in ("month", "year_to_date")
            for side, window in spans(period, name)._asdict().items()
            if f"{window.start:%Y-%m}" < begins
        ]
        pairs = pd.MultiIndex.from_frame(rows[["span", "side"]])
        rows["payments"] = rows["payments"].mask(pairs.isin(unknown))
    return rows[["span", "side", "dealer_id", *MONTH_SUMS]]


def targets(book: Workbook, period: str) -> pd.DataFrame:
    """Give the targets of the period's calendar year.

    Returns
    -------
    DataFrame
        One row per `month`, `cut` ("network", "region", "account_manager", "dealer") and
        `part` (whom it is for, as the dealers' table names it; empty for the network): `revenue`,
        `gross_profit`, `payments`, empty where no target is set.
    """
    rows = levels.named(records(book, "targets"))
    rows = rows[rows["month"].str[:4] == period[:4]]
    sums = rows.groupby(["month", "cut", "part"], as_index=False)[list(levels.MEASURES)]
    return sums.sum(min_count=1)
