"""Receivables: who pays what he buys, how long it takes, and who has stopped."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import look, periods, words

RECENT_MONTHS = 3
STOPPED_RATE = 0.1  # recent payments below this part of what the dealer used to pay: he has stopped
SLOWED_RATE = 0.5  # … below this part: he has slowed down
# of the months before, those with a payment, for "used to pay" to mean something
REGULAR_MONTHS = 5
SHOWN = [
    "dealer_id",
    "dealer_name",
    "status",
    "balance",
    "dso_days",
    "recent_payments",
    "usual_payments",
    "recent_collection_rate",
    "collection_rate",
]

RESTS_ON_PAYMENTS = [
    "payments",
    "recent_payments",
    "usual_payments",
    "balance",
    "collection_rate",
    "recent_collection_rate",
    "dso_days",
]


def receivables(
    months: pd.DataFrame,
    period: str,
    n_days: int | None = None,
    *,
    recent_months: int = RECENT_MONTHS,
    stopped_rate: float = STOPPED_RATE,
) -> pd.DataFrame:
    """Judge each dealer's payments over the window and its recent months.

    Parameters
    ----------
    months
        `dealer_id`, `month`, `revenue`, `payments`, from the first month known to the period's.
    n_days
        Days of the window that the data cover, from `data.covered`; else those of its months that
        are known. A year has 365.
    recent_months, stopped_rate
        How many months are recent; recent payments below this part of the usual: he has stopped.

    Returns
    -------
    DataFrame
        Per dealer of the window: `revenue`, `payments`, `collection_rate` and
        `recent_collection_rate` (payments ÷ revenue), `balance` (revenue − payments since the first
        month known: an opening balance is not), `dso_days` (days sales outstanding: balance ÷
        revenue of the window × its days that the data cover; at least 0), `recent_payments`,
        `usual_payments` (what as many months used to bring, from the known ones before) and
        `status`: "stopped_paying" and "slowed" for dealers who used to pay and owe at least what
        is usual, else "paying" or "no_revenue". Where fewer than `REGULAR_MONTHS` months are known
        before the recent ones, nobody can have paid regularly, and the status is "–": not known.
        Where nobody's payments are known, what rests on them is empty, too: unknown is not unpaid.
    """
    window, recent = periods.month_range(period, 12), periods.month_range(period, recent_months)
    known = months[months["month"] <= period]
    inside, last = known["month"].isin(window), known["month"].isin(recent)

    def summed(column: str, where: pd.Series) -> pd.Series:
        return known.loc[where].groupby("dealer_id")[column].sum()

    rows = pd.DataFrame(
        {"revenue": summed("revenue", inside), "payments": summed("payments", inside)}
    )
    for column in ("revenue", "payments"):
        rows[f"recent_{column}"] = summed(column, last).reindex(rows.index, fill_value=0.0)
    everything = pd.Series(True, index=known.index)
    rows["balance"] = (
        (summed("revenue", everything) - summed("payments", everything))
        .reindex(rows.index)
        .round(2)
    )
    rows["collection_rate"] = rows["payments"] / rows["revenue"].where(rows["revenue"] > 0)
    rows["recent_collection_rate"] = rows["recent_payments"] / rows["recent_revenue"].where(
        rows["recent_revenue"] > 0
    )
    covered = [month for month in window if month >= known["month"].min()] if len(known) else []
    n_before = max(len(covered) - recent_months, 0)
    n_days = n_days or _days(covered)
    rows["dso_days"] = days_sales_outstanding(rows["balance"], rows["revenue"], n_days)
    before = rows["payments"] - rows["recent_payments"]
    rows["usual_payments"] = before / (n_before / recent_months) if n_before else np.nan
    paid = known[inside & ~last & (known["payments"] > 0)].groupby("dealer_id")["month"].nunique()
    regular = paid.reindex(rows.index, fill_value=0) >= REGULAR_MONTHS
    ratio = rows["recent_payments"] / rows["usual_payments"].where(rows["usual_payments"] > 0)
    rows["status"] = _status(rows, regular, ratio, stopped_rate)
    if n_before < REGULAR_MONTHS:
        rows["status"] = rows["status"].where(rows["status"] == "no_revenue", "–")
    if known["payments"].isna().all():
        rows[RESTS_ON_PAYMENTS], rows["status"] = np.nan, "–"
    return rows.reset_index()


def _status(
    rows: pd.DataFrame, regular: pd.Series, ratio: pd.Series, stopped_rate: float
) -> np.ndarray:
    # a few open invoices are no event
    owes = (rows["balance"] > 0) & (rows["balance"] >= rows["usual_payments"])
    # a dealer who bought less also pays less: slowing is measured against what he bought
    slow = rows["recent_collection_rate"] < SLOWED_RATE * rows["collection_rate"]
    return np.select(
        [
            rows["revenue"] <= 0,
            regular & owes & (ratio < stopped_rate),
            regular & owes & slow & (ratio < SLOWED_RATE),
        ],
        ["no_revenue", "stopped_paying", "slowed"],
        default="paying",
    )


def _days(covered: list[str]) -> int:
    """Count the days of whole months; a year has 365, a leap year too."""
    if not covered:
        return 0
    start, end = periods.window(covered[-1], len(covered))
    return min((end - start).days + 1, 365)


def is_told(rows: pd.DataFrame) -> bool:
    """Whether the data tell who has stopped paying: else an empty list of them says nothing."""
    return bool(rows["status"].isin(["stopped_paying", "slowed", "paying"]).any())


def sentences(rows: pd.DataFrame, recent_months: int = RECENT_MONTHS) -> list[str]:
    """Say where nobody has stopped or slowed down, and where that can't be told.

    Nothing without payments.
    """
    if rows["payments"].isna().all():
        return []
    if (rows["status"] == "–").any():
        return [words.say("receivables.too_short", n=REGULAR_MONTHS + recent_months)]
    late = rows["status"].isin(["stopped_paying", "slowed"]).any()
    return [words.say("receivables.nobody_late")] if is_told(rows) and not late else []


def days_sales_outstanding(balance: pd.Series, revenue: pd.Series, n_days: int) -> pd.Series:
    """Give the days of revenue that stand unpaid; NaN without revenue, 0 where the dealer is ahead.

    >>> days_sales_outstanding(pd.Series([100.0]), pd.Series([1000.0]), 365).tolist()
    [36.5]
    """
    return (balance.clip(lower=0) / revenue.where(revenue > 0)) * n_days


def overdue(rows: pd.DataFrame, dealers: pd.DataFrame) -> pd.DataFrame:
    """List who has stopped paying, then who has slowed down, with `dealer_name`, the largest
    balance first.
    """
    late = rows[rows["status"].isin(["stopped_paying", "slowed"])]
    late = dealers[["dealer_id", "dealer_name"]].merge(late, on="dealer_id", how="right")
    return late.sort_values(["status", "balance"], ascending=[False, False], ignore_index=True)


def plot_receivables(
    months: pd.DataFrame,
    period: str,
    *,
    recent_months: int = RECENT_MONTHS,
    note: str = "",
    ax: Axes | None = None,
) -> Axes | None:
    """Draw revenue and payments of the network month by month, over two years or as far back as the
    data reach.

    Nothing is drawn without payments: a line at zero would say that nobody pays.
    """
    shown = months[months["month"].isin(periods.month_range(period, 24))]
    if shown["payments"].isna().all():
        return None
    ax = ax or look.axes(height=3.4)
    sums = shown.groupby("month")[["revenue", "payments"]].sum().sort_index()
    x, dot = np.arange(len(sums)), "o" if len(sums) == 1 else ""  # one month makes no line
    ax.plot(
        x, sums["revenue"], color=look.COLORS["muted"], label=words.label("revenue"), marker=dot
    )
    ax.plot(
        x, sums["payments"], color=look.COLORS["accent"], label=words.label("payments"), marker=dot
    )
    step = max(len(sums) // 8, 1)
    ax.set_xticks(x[::-1][::step][::-1], [str(month) for month in sums.index[::-1][::step][::-1]])
    ax.set_ylim(0, None)
    look.money_axis(ax.yaxis)
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2)
    recent = sums.tail(recent_months)
    rate = (
        recent["payments"].sum() / recent["revenue"].sum()
        if recent["revenue"].sum() > 0
        else float("nan")
    )
    key = "receivables.months" if rate == rate else "receivables.no_sales"
    title = words.say(
        key, rate=words.percent(rate), n=len(recent), paid=float(recent["payments"].sum())
    )
    return look.explain(ax, title, words.say("receivables.months_how"), note)
