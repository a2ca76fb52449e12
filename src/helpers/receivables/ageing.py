"""Ageing: how old what is owed is, how many days of sales that is, how well it is collected."""

import numpy as np
import pandas as pd

# days overdue (days since the invoice where nobody knows when it is due), and from which on
AGES = {"age_1_30": 1, "age_31_60": 31, "age_61_90": 61, "age_over_90": 91}
BUCKETS = ("not_due", *AGES)
PARTS = (*BUCKETS, "credit_balance")  # which sum to the balance
LONGEST_TERMS = 3650  # days: beyond ten years it is no term of payment


def aged_items(items: pd.DataFrame, terms: pd.Series, day: pd.Timestamp) -> pd.DataFrame:
    """Tell the age of each open item on a day.

    It counts from the due date: that of the invoice, else the invoice's day and the dealer's
    `terms` in days. Where neither is known it counts from the invoice, and says nothing of being
    overdue: the first thirty days are then "1–30 days", not "not due".

    Returns
    -------
    DataFrame
        The items that are open, with `basis` ("due" or "invoice"), `age_days` and `bucket`.
    """
    rows = items[items["open_cents"] > 0].reset_index(drop=True)
    days = rows["dealer_id"].map(terms).astype("float64")
    days = days.where(days.between(0, LONGEST_TERMS)).round()
    agreed = rows["date"] + pd.to_timedelta(days, unit="D").astype("timedelta64[s]")
    due = rows["due_date"].fillna(agreed)
    age = (day - due.fillna(rows["date"])).dt.days
    bucket = np.array(BUCKETS, dtype=object)[np.digitize(age, list(AGES.values()))]
    by_invoice = due.isna()
    return rows.assign(
        basis=np.where(by_invoice, "invoice", "due"),
        age_days=age,
        bucket=np.where(by_invoice & (bucket == "not_due"), "age_1_30", bucket),
    )


def dealer_ageing(aged: pd.DataFrame, credit: pd.Series) -> pd.DataFrame:
    """Sum up each dealer's open items by age, in cents.

    Returns
    -------
    DataFrame
        By `dealer_id`: `PARTS`, of which `credit_balance` is negative, and their sum `balance`;
        `overdue_amount` (past the due date), `n_dated` and `n_open` items (with a due date, and
        all), `past_due_days` of the oldest item past its due date (NaN: none), `oldest_date` of all
        that is open.
    """
    parts = aged.pivot_table(
        index="dealer_id", columns="bucket", values="open_cents", aggfunc="sum", fill_value=0
    )
    ids = parts.index.union(credit.index).rename("dealer_id")
    parts = parts.reindex(index=ids, columns=list(BUCKETS), fill_value=0).astype("int64")
    parts = parts.assign(credit_balance=-credit.reindex(ids, fill_value=0).astype("int64"))
    late = aged[(aged["basis"] == "due") & (aged["age_days"] > 0)].groupby("dealer_id")
    by_dealer, dated = aged.groupby("dealer_id"), aged["basis"] == "due"
    return parts.assign(
        balance=parts.sum(axis=1),
        overdue_amount=late["open_cents"].sum().reindex(ids, fill_value=0),
        past_due_days=late["age_days"].max().reindex(ids).astype("float64"),
        n_dated=dated.groupby(aged["dealer_id"]).sum().reindex(ids, fill_value=0),
        n_open=by_dealer.size().reindex(ids, fill_value=0),
        oldest_date=by_dealer["date"].min().reindex(ids),
    )


def network_ageing(aged: pd.DataFrame, credit: pd.Series) -> pd.DataFrame:
    """Sum up the network's open items by age and by what the age is counted from, in cents.

    Returns
    -------
    DataFrame
        `basis`, `bucket`, `n_dealers`, `open_cents`: the youngest first; what dealers have paid
        beyond their invoices is a row of its own, below zero, so that the rows sum to the balance.
    """
    found = aged.groupby(["basis", "bucket"], as_index=False).agg(
        n_dealers=("dealer_id", "nunique"), open_cents=("open_cents", "sum")
    )
    order = found["bucket"].map({bucket: i for i, bucket in enumerate(BUCKETS)}).astype("int64")
    found = found.assign(order=order).sort_values(["basis", "order"]).drop(columns="order")
    paid_ahead = pd.DataFrame(
        {
            "basis": ["–"],
            "bucket": ["credit_balance"],
            "n_dealers": [len(credit)],
            "open_cents": [-int(credit.sum())],
        }
    )
    parts = [found] if credit.empty else [found, paid_ahead]
    kinds = {"basis": "str", "bucket": "str", "n_dealers": "int64", "open_cents": "int64"}
    return pd.concat(parts, ignore_index=True).astype(kinds)


def days_sales_outstanding(
    balance: pd.Series, billed: pd.Series, n_days: int | pd.Series
) -> pd.Series:
    """Give the days of sales that stand unpaid: balance ÷ sales of a window × its days.

    Both with tax, or both without. NaN without sales, 0 where the dealer is ahead.

    >>> days_sales_outstanding(pd.Series([100.0]), pd.Series([1000.0]), 365).tolist()
    [36.5]
    """
    return balance.clip(lower=0) / billed.where(billed > 0) * n_days


def count_back_days(balance: np.ndarray, sales: np.ndarray, n_days: np.ndarray) -> np.ndarray:
    """Give the days of the latest sales that a balance stands for: count-back, or exhaustion, DSO.

    The balance is used up by the last month's sales, then by those of the month before, and so on;
    of the month in which it ends, the part it takes. So a season that is over does not count. A
    month whose credit notes outweigh its sales uses up nothing, but its days pass. NaN where the
    balance is more than all sales that are known.

    Parameters
    ----------
    balance
        Owed at the end of the last month, one per dealer.
    sales
        Dealer × month, the last month first, with tax where the balance has it.
    n_days
        Of each of these months.

    Source: the count-back (exhaustion) method of credit management, e.g. CICM or the Credit
    Research Foundation's glossary of DSO measures.

    >>> count_back_days(np.array([150.0]), np.array([[100.0, 200.0]]), np.array([31, 30])).tolist()
    [38.5]
    """
    owed, sold = np.clip(balance, 0, None), np.clip(sales, 0, None)
    before = np.cumsum(sold, axis=1) - sold
    used = np.clip(owed[:, None] - before, 0, sold)
    # a month passes whole where more is owed than it and those after it have brought
    beyond = owed[:, None] > before + sold
    share = np.divide(used, sold, out=np.zeros_like(used, dtype="float64"), where=sold > 0)
    days = (np.where(beyond, 1.0, share) * np.asarray(n_days)).sum(axis=1)
    return np.where(owed > sold.sum(axis=1), np.nan, days)


def collection_effectiveness(
    opening: pd.Series, billed: pd.Series, closing: pd.Series, current: pd.Series
) -> pd.Series:
    """Give the collection effectiveness index: what was collected ÷ what could have been.

    (opening + sales − closing total) ÷ (opening + sales − closing current), over one window; 1
    where nothing is overdue. NaN where nothing could have been collected.

    Source: Credit Research Foundation, the collection effectiveness index.

    >>> of = [pd.Series([value]) for value in (100.0, 300.0, 120.0, 80.0)]
    >>> collection_effectiveness(*of).tolist()
    [0.875]
    """
    could = opening + billed - current
    return ((opening + billed - closing) / could.where(could > 0)).astype("float64")
