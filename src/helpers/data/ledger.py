"""Ledger entries: what was invoiced, paid and owed, summed up per dealer, day and document."""

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from helpers import periods
from helpers.data.cache import kept
from helpers.data.read import fetched, of_our_brand, span
from helpers.data.tables import table
from helpers.settings import Workbook

COLUMNS = ["dealer_id", "date", "kind", "document_id", "due_date", "cents"]


@kept
def ledger_entries(book: Workbook, period: str) -> pd.DataFrame:
    """Sum up each dealer's invoices, payments and told balances up to a period's end.

    Invoices are our brand's, by day, order and due date, as sell-in has them: without tax, and
    whatever rebate is not booked as a line of its own is not taken off. Of one order and day an
    invoice and its cancellation are one sum; a credit note of another day stands by itself, below
    zero. Lines without a dealer and those before the first month known are left out, but not a
    balance told earlier. Without sell-in or payments nothing is known of what is owed: no rows.

    Returns
    -------
    DataFrame
        `dealer_id`, `date`, `kind` ("invoice", "payment" or "opening", a balance at the end of its
        day), `document_id` (the order; of a payment what it names), `due_date`, and `cents`: whole
        numbers.
    """
    if not (book.has("sell_in") and book.has("payments")):
        return _typed(pd.DataFrame(columns=COLUMNS))
    sold = of_our_brand(book, table(book, "sell_in"))
    parts = [
        _summed(book, sold, period, "invoice", "revenue", {"document_id": "order_id"}),
        _summed(book, table(book, "payments"), period, "payment", "amount"),
    ]
    if book.has("balances"):
        parts.append(_summed(book, table(book, "balances"), period, "opening", "balance"))
    rows = pd.concat([_typed(part) for part in parts], ignore_index=True)
    # an invoice of nothing pays nothing, a balance of nothing says that all before it was paid
    return rows[(rows["cents"] != 0) | (rows["kind"] == "opening")].reset_index(drop=True)


def _summed(
    book: Workbook,
    lines: Table,
    period: str,
    kind: str,
    amount: str,
    named: dict[str, str] | None = None,
) -> pd.DataFrame:
    """Sum up lines in the engine, exactly; of balances all that were told up to the period."""
    start = periods.window(span(book)[0], 1).start
    last = ibis.literal(periods.window(period).end)
    inside = [lines.dealer_id.notnull(), lines.date <= last]
    if kind != "opening":
        inside.append(lines.date >= ibis.literal(start))
    source = {"document_id": "document_id", "due_date": "due_date"} | (named or {})
    keys = {"dealer_id": "dealer_id", "date": "date", **source}
    keys = {name: column for name, column in keys.items() if column in lines.columns}
    kept = lines.filter(inside).select(
        **{name: lines[column] for name, column in keys.items()}, amount=lines[amount]
    )
    sums = kept.group_by([*keys]).agg(cents=(_.amount.sum() * 100).cast("int64"))
    return fetched(sums, [*keys]).assign(kind=kind)


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows.reindex(columns=COLUMNS)
    days = dict.fromkeys(("date", "due_date"), "datetime64[s]")
    texts = dict.fromkeys(("dealer_id", "kind", "document_id"), "str")
    return rows.dropna(subset=["cents"]).astype({**days, **texts, "cents": "int64"})
