"""Dealer rows: what each dealer owes, how he pays it, and how he stands."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers import periods
from helpers.receivables import ageing, history, ledger, rhythm

RECENT_MONTHS = 3
MONEY = [
    "balance",
    *ageing.PARTS,
    "overdue_amount",
    "payments",
    "recent_payments",
    "recent_revenue",
    "revenue",
]
PUBLISHED = [
    "dealer_id",
    "status",
    "balance",
    *ageing.PARTS,
    "overdue_amount",
    "past_due_days",
    "terms_days",
    "credit_limit",
    "limit_use_share",
    "dso_days",
    "countback_days",
    "collection_effectiveness_rate",
    "rhythm",
    "payment_gap_days",
    "usual_wait_days",
    "n_payments",
    "last_payment_date",
    "unpaid_days",
    "revenue",
    "payments",
    "collection_rate",
    "recent_revenue",
    "recent_payments",
    "usual_payments",
    "recent_collection_rate",
]


def dealer_receivables(
    rows: pd.DataFrame,
    entries: pd.DataFrame,
    aged: pd.DataFrame,
    sales: pd.DataFrame,
    terms: pd.DataFrame,
    period: str,
    n_days: int,
    *,
    recent_months: int = RECENT_MONTHS,
    rules: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Judge what each dealer owes and how he pays, in cents.

    Whoever bought or paid in the window has a row, and whoever owes or is owed anything, even if
    nothing was booked for years.

    Parameters
    ----------
    rows, entries
        What counts, from `ledger.posted`, and all that was booked.
    aged, sales
        From `ageing.dealer_ageing` and `history.monthly_sales`.
    terms
        By `dealer_id`: `terms_days`, `credit_limit`.
    n_days
        Days of the window that the data cover.
    rules
        Of `rhythm.payer_status`.

    Returns
    -------
    DataFrame
        By `dealer_id`, the largest balance first: what `dealer_ageing` gives; `revenue` (without
        tax), `billed` (with tax) and `payments` of the window and `recent_` months;
        `usual_payments` (what as many months used to bring before); `opening` (owed when the window
        began); rates, days, limits, rhythm and status.
    """
    day = pd.Timestamp(periods.window(period).end)
    start = pd.Timestamp(periods.window(period, history.WINDOW).start)
    inside = entries[(entries["kind"] != "opening") & (entries["date"] >= start)]
    ids = pd.Index(sorted({*inside["dealer_id"], *aged.index[aged["balance"] != 0]}), dtype="str")
    found = aged.reindex(ids)
    whole = [c for c in aged.columns if c not in ("past_due_days", "oldest_date")]
    found[whole] = found[whole].fillna(0).astype("int64")
    known = list(sales.columns)[: history.WINDOW]
    recent = known[:recent_months]
    paid = entries[entries["kind"] == "payment"]
    sold = entries[entries["kind"] == "invoice"]
    billed = sales.reindex(ids, fill_value=0)
    found["billed"], found["recent_billed"] = (billed[m].sum(axis=1) for m in (known, recent))
    for name, of in (("payments", paid), ("revenue", sold)):
        found[name] = _summed(of, known, ids)
        found[f"recent_{name}"] = _summed(of, recent, ids)
    found["opening"] = found["balance"] - found["billed"] + found["payments"]
    n_before = len(known) - len(recent)
    before = found["payments"] - found["recent_payments"]
    found["usual_payments"] = before * len(recent) / n_before if n_before else np.nan
    for name in ("", "recent_"):
        billed_then = found[f"{name}billed"]
        found[f"{name}collection_rate"] = found[f"{name}payments"] / billed_then.where(
            billed_then > 0
        )
    found = found.join(terms.reindex(ids)).join(rhythm.payment_rhythm(paid).reindex(ids))
    found["usual_wait_days"] = rhythm.payment_waits(rows).reindex(ids).astype("float64")
    found["rhythm"] = found["rhythm"].fillna("–")
    found["n_payments"] = found["n_payments"].fillna(0).astype("int64")
    found["last_invoice_date"] = sold[sold["cents"] > 0].groupby("dealer_id")["date"].max()
    found["is_dated"] = found["n_dated"] == found["n_open"]
    dated = set(rows.loc[rows["due_date"].notna(), "dealer_id"])
    found["has_terms"] = found["terms_days"].notna() | found.index.isin(dated)
    found["dso_days"] = ageing.days_sales_outstanding(found["balance"], found["billed"], n_days)
    found["countback_days"] = ageing.count_back_days(
        found["balance"].to_numpy(dtype="float64"),
        billed.to_numpy(dtype="float64"),
        history.month_days(list(sales.columns)),
    )
    index = ageing.collection_effectiveness(
        found["opening"], found["billed"], found["balance"], found["not_due"]
    )
    found["collection_effectiveness_rate"] = index.where(found["is_dated"] & found["has_terms"])
    limit = found["credit_limit"] * 100
    found["limit_use_share"] = found["balance"].clip(lower=0) / limit.where(limit > 0)
    found = found.join(rhythm.payer_status(found, day, **(rules or {})))
    found = found.rename_axis("dealer_id").reset_index()
    return found.sort_values(["balance", "dealer_id"], ascending=[False, True], ignore_index=True)


def _summed(entries: pd.DataFrame, months: list[str], ids: pd.Index) -> pd.Series:
    inside = entries[np.isin(ledger.months_of(entries["date"]), months)]
    return inside.groupby("dealer_id")["cents"].sum().reindex(ids, fill_value=0).astype("int64")


def published(found: pd.DataFrame) -> pd.DataFrame:
    """Give dealers' rows as they are published: money in the currency, worst status first."""
    in_money = {column: found[column] / 100 for column in [*MONEY, "usual_payments"]}
    known = (found["n_dated"] > 0) | (found["n_open"] == 0)
    in_money["overdue_amount"] = in_money["overdue_amount"].where(known & found["has_terms"])
    order = found["status"].map({status: i for i, status in enumerate(rhythm.STATUSES)})
    rows = found.assign(**in_money, order=order.astype("int64"))
    rows = rows.sort_values(
        ["order", "balance", "dealer_id"], ascending=[True, False, True], ignore_index=True
    )
    return rows[PUBLISHED]
