"""History: what was owed at each month's end, and the network's own figures."""

import calendar
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers import periods
from helpers.receivables import ageing, ledger

SHOWN_MONTHS = 24
WINDOW = 12
MOST_DAYS = 365  # a year has as many, a leap year too


class Network(NamedTuple):
    """The network's figures: money in the currency, days, and parts of one; NaN is not known.

    `dated_share` is the part of open invoices whose due date is known; `effectiveness` is over
    `n_dated` of `n_owing` dealers; `n_opened` dealers came with an opening balance.
    """

    balance: float
    credit: float
    overdue: float
    over_90: float
    dated_share: float
    dso_days: float
    countback_days: float
    effectiveness: float
    n_owing: int
    n_dated: int
    n_opened: int


def monthly_sales(entries: pd.DataFrame, first: str, period: str, vat: float) -> pd.DataFrame:
    """Sum up invoices less credit notes: dealer × month, the last first, in cents with tax."""
    sold = entries[entries["kind"] == "invoice"]
    gross = pd.Series(ledger.gross_cents(sold["cents"].to_numpy(), vat), index=sold.index)
    months = periods.month_range(period, n_months(first, period))[::-1]
    booked = pd.DataFrame(
        {"dealer_id": sold["dealer_id"], "month": ledger.months_of(sold["date"]), "cents": gross}
    )
    grid = booked.pivot_table(
        index="dealer_id", columns="month", values="cents", aggfunc="sum", fill_value=0
    )
    return grid.reindex(columns=months, fill_value=0).astype("int64")


def n_months(first: str, last: str) -> int:
    """Count the months from one to another, both included.

    >>> n_months("2025-12", "2026-01")
    2
    """
    return (int(last[:4]) - int(first[:4])) * 12 + int(last[5:]) - int(first[5:]) + 1


def month_days(months: list[str]) -> np.ndarray:
    """Count the days of each month.

    >>> month_days(["2026-02", "2026-01"]).tolist()
    [28, 31]
    """
    return np.array([calendar.monthrange(int(m[:4]), int(m[5:]))[1] for m in months], dtype="int64")


def balance_history(rows: pd.DataFrame, entries: pd.DataFrame, sales: pd.DataFrame) -> pd.DataFrame:
    """Tell what the network owed at each month's end, and how many days of sales that was.

    The balance is reckoned back from the last day: what is owed then, less what was invoiced and
    more what was paid since. So a balance told in the middle counts for the months before it, too.

    Parameters
    ----------
    rows, entries
        What counts, from `ledger.posted`, and all that was booked.
    sales
        From `monthly_sales`.

    Returns
    -------
    DataFrame
        One row per `month`, oldest first, at most 24: `balance`, `billed` (invoices with tax),
        `paid`, `dso_days` (over the twelve months up to then, or those known) and `countback_days`.
    """
    months = list(sales.columns)
    flows = entries[entries["kind"] != "opening"]
    month = ledger.months_of(flows["date"])
    is_paid = flows["kind"] == "payment"
    billed = sales.sum().to_numpy()
    paid = flows["cents"].where(is_paid, 0).groupby(month).sum().reindex(months, fill_value=0)
    paid = paid.to_numpy(dtype="int64")
    closing = signed_cents(rows).sum()
    since = np.cumsum(billed - paid) - (billed - paid)  # booked after each month's end
    balance = closing - since
    days = month_days(months)

    def yearly(values: np.ndarray) -> pd.Series:
        return pd.Series(values[::-1]).rolling(WINDOW, min_periods=1).sum()[::-1]

    sold = yearly(billed).reset_index(drop=True)
    n_days = yearly(days).clip(upper=MOST_DAYS).reset_index(drop=True)
    shown = pd.DataFrame(
        {
            "month": months,
            "balance": balance / 100,
            "billed": billed / 100,
            "paid": paid / 100,
            "dso_days": ageing.days_sales_outstanding(pd.Series(balance), sold, n_days),
            "countback_days": [
                ageing.count_back_days(balance[i : i + 1], billed[None, i:], days[i:])[0]
                for i in range(len(months))
            ],
        }
    ).head(SHOWN_MONTHS)
    return shown.iloc[::-1].reset_index(drop=True) if len(rows) else shown.head(0)


def signed_cents(rows: pd.DataFrame) -> pd.Series:
    """Give entries as they change what is owed: payments lower it."""
    return rows["cents"].where(rows["kind"] != "payment", -rows["cents"])


def network_figures(
    owed: pd.DataFrame, rows: pd.DataFrame, months: pd.DataFrame, aged: pd.DataFrame
) -> Network:
    """Sum up the network.

    Parameters
    ----------
    owed
        From `dealer_rows.dealer_receivables`, in cents.
    rows
        From `ledger.posted`.
    months, aged
        From `balance_history` and `ageing.aged_items`.
    """
    if months.empty:
        nothing = float("nan")
        return Network(*[nothing] * 8, 0, 0, 0)
    last, nobody = months.iloc[-1], float("nan")
    total, dated = aged["open_cents"].sum(), aged.loc[aged["basis"] == "due", "open_cents"].sum()
    told = owed[owed["is_dated"] & owed["has_terms"]]
    figures = [pd.Series([told[c].sum()]) for c in ("opening", "billed", "balance", "not_due")]
    index = ageing.collection_effectiveness(*figures)
    return Network(
        float(last["balance"]),
        -owed["credit_balance"].sum() / 100,
        owed["overdue_amount"].sum() / 100 if dated else nobody,
        owed["age_over_90"].sum() / 100,
        float(dated / total) if total else nobody,
        float(last["dso_days"]),
        float(last["countback_days"]),
        float(index.iloc[0]) if len(told) else nobody,
        int((owed["balance"] > 0).sum()),
        len(told),
        rows.loc[rows["kind"] == "opening", "dealer_id"].nunique(),
    )
