"""Ledger: which invoices of a dealer are open, to the cent, once what he paid is put against them.

Amounts are whole cents (int64) from here to the page: sums and differences are exact.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

KINDS = ("opening", "invoice", "payment")
TAX_STEPS = 100_000  # a rate of tax is known to a thousandth of a percent
ITEM = ["dealer_id", "date", "due_date", "document_id"]


class Ledger(NamedTuple):
    """What is owed: `items` with `owed_cents` and `open_cents`, and per dealer the `credit` in
    cents that no invoice has used up.
    """

    items: pd.DataFrame
    credit: pd.Series


def gross_cents(net_cents: np.ndarray, vat: float) -> np.ndarray:
    """Add tax to net amounts, rounding half a cent away from zero, in whole numbers throughout.

    >>> gross_cents(np.array([10_000, 4, -4]), 0.13).tolist()
    [11300, 5, -5]
    """
    net, steps = np.asarray(net_cents, dtype="int64"), TAX_STEPS + round(vat * TAX_STEPS)
    return np.sign(net) * ((np.abs(net) * steps + TAX_STEPS // 2) // TAX_STEPS)


def posted(entries: pd.DataFrame, first_day: pd.Timestamp, vat: float = 0.0) -> pd.DataFrame:
    """Give what counts of a dealer's entries: since his opening balance, with tax.

    The opening is what he owed on the last day told before the records begin (`first_day`), else on
    the first day told afterwards. What was booked up to then is part of it. Other balances are not
    booked twice: `told.held_against` holds them against the ledger, and may open it again.

    Parameters
    ----------
    entries
        `dealer_id`, `date`, `kind` (one of `KINDS`), `document_id`, `due_date`, `cents`: invoices
        without tax, the rest with it; a credit note is a negative invoice, a refund a negative
        payment.

    Returns
    -------
    DataFrame
        As `entries`; `cents` of invoices with tax.
    """
    told = entries[entries["kind"] == "opening"].sort_values("date", kind="stable")
    before = told[told["date"] < first_day].drop_duplicates("dealer_id", keep="last")
    later = told[~told["dealer_id"].isin(before["dealer_id"])].drop_duplicates("dealer_id")
    opening = pd.concat([before, later])
    since = opening.set_index("dealer_id")["date"].reindex(entries["dealer_id"]).to_numpy()
    booked = entries[(entries["kind"] != "opening") & ~(entries["date"].to_numpy() <= since)]
    rows = pd.concat([opening, booked], ignore_index=True)
    gross = gross_cents(rows["cents"].to_numpy(), vat)
    return rows.assign(cents=np.where(rows["kind"] == "invoice", gross, rows["cents"]))


def open_items(rows: pd.DataFrame) -> Ledger:
    """Put payments and credit notes against invoices, and give what is left open.

    What names a document goes to the invoice of that number; what is left over of it, and what
    names none, goes to the oldest invoice. The opening balance is the oldest. What nothing uses up
    stays as credit. A refund takes back what was paid; beyond that it is owed from its day on. The
    order in which money came does not matter: a payment in advance that names its invoice waits
    for it.

    Parameters
    ----------
    rows
        As `posted` gives them, up to the day on which the ledger is closed.

    Returns
    -------
    Ledger
        `items`: `dealer_id`, `date`, `due_date`, `document_id`, `owed_cents`, `open_cents` (0 where
        paid), oldest first. Open items minus credit are the sum of all rows, for each dealer.

    >>> rows = pd.DataFrame({"dealer_id": "D1", "due_date": pd.NaT,
    ...     "date": pd.to_datetime(["2026-01-05", "2026-02-05", "2026-03-01"]),
    ...     "kind": ["invoice", "invoice", "payment"], "document_id": ["a", "b", "b"],
    ...     "cents": [100, 100, 130]})
    >>> open_items(rows).items["open_cents"].tolist()
    [70, 0]
    """
    is_item = (rows["kind"] != "payment") & (rows["cents"] > 0)
    by = ["dealer_id", "date", "due_date", "document_id"]
    items = rows[is_item].sort_values(by, kind="stable", ignore_index=True)
    items = items.assign(owed_cents=items["cents"])[[*ITEM, "owed_cents"]]
    paid = rows[~is_item]
    cents = np.where(paid["kind"] == "payment", paid["cents"], -paid["cents"])
    paid = paid.assign(cents=cents.astype("int64"))
    named, left = _named(items, paid)
    pool = paid[~paid.index.isin(left.index)].groupby("dealer_id")["cents"].sum()
    pool = pool.add(left.groupby("dealer_id")["cents"].sum(), fill_value=0).astype("int64")
    spent = pd.Series(named).groupby(items["dealer_id"].to_numpy()).sum()
    pool = pool.sub(spent, fill_value=0).astype("int64")
    items, named, pool = _with_refunds(items, named, pool, paid)
    rest = items["owed_cents"].to_numpy() - named
    have = items["dealer_id"].map(pool).fillna(0).to_numpy(dtype="int64")
    used = np.clip(have - _before(items["dealer_id"], rest), 0, rest)
    items = items.assign(open_cents=rest - used)
    spent = pd.Series(used).groupby(items["dealer_id"].to_numpy()).sum()
    credit = pool.sub(spent, fill_value=0).astype("int64")
    return Ledger(items, credit[credit > 0].rename_axis("dealer_id").rename("credit_cents"))


def months_of(days: pd.Series) -> np.ndarray:
    """Name the month of each day.

    >>> months_of(pd.Series(pd.to_datetime(["2026-10-31"]))).tolist()
    ['2026-10']
    """
    return np.datetime_as_string(days.to_numpy().astype("datetime64[M]")).astype(object)


def _before(key: pd.Series, cents: np.ndarray) -> np.ndarray:
    """Sum up what stands before each row within its key."""
    return pd.Series(cents).groupby(key.to_numpy()).cumsum().to_numpy() - cents


def _named(items: pd.DataFrame, paid: pd.DataFrame) -> tuple[np.ndarray, pd.DataFrame]:
    """Pay each invoice what names it; give that in cents by item, and the rows that name one."""
    names = set(paid["document_id"].dropna())
    mine = items.reset_index()
    mine = mine[mine["document_id"].notna() & mine["document_id"].isin(names)]
    keys = pd.MultiIndex.from_frame(mine[["dealer_id", "document_id"]])
    given = paid[paid["document_id"].notna()].reset_index()
    given = given[pd.MultiIndex.from_frame(given[["dealer_id", "document_id"]]).isin(keys)]
    have = given.groupby(["dealer_id", "document_id"])["cents"].sum()
    have = have.reindex(keys).fillna(0).to_numpy(dtype="int64")
    owed, document = mine["owed_cents"].to_numpy(), pd.Series(keys.factorize()[0])
    named = np.zeros(len(items), dtype="int64")
    named[mine["index"].to_numpy()] = np.clip(have - _before(document, owed), 0, owed)
    return named, given.set_index("index")


def _with_refunds(
    items: pd.DataFrame, named: np.ndarray, pool: pd.Series, paid: pd.DataFrame
) -> tuple[pd.DataFrame, np.ndarray, pd.Series]:
    """Let dealers owe what was paid back to them beyond what they had paid."""
    short = pool[pool < 0]
    if short.empty:
        return items, named, pool
    last = paid[paid["cents"] < 0].groupby("dealer_id")["date"].max()
    more = pd.DataFrame(
        {
            "dealer_id": short.index,
            "date": last.reindex(short.index).to_numpy(),
            "due_date": pd.NaT,
            "document_id": None,
            "owed_cents": -short.to_numpy(),
        }
    ).astype({"due_date": items["due_date"].dtype, "document_id": items["document_id"].dtype})
    both = pd.concat([items, more], ignore_index=True)
    order = both.sort_values(["dealer_id", "date"], kind="stable").index
    named = np.append(named, np.zeros(len(more), dtype="int64"))[order]
    return both.loc[order].reset_index(drop=True), named, pool.clip(lower=0)
