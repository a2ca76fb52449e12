"""Who owes what: open invoices, their age, who pays, who has stopped, whose supply to stop."""

from helpers.receivables.ageing import (
    BUCKETS,
    aged_items,
    collection_effectiveness,
    count_back_days,
    days_sales_outstanding,
    dealer_ageing,
    network_ageing,
)
from helpers.receivables.exposure import stop_supply
from helpers.receivables.ledger import Ledger, open_items, posted
from helpers.receivables.month import (
    Books,
    ReceivablesData,
    ReceivablesMonth,
    judge_month,
    opened,
    read_month,
    receivables_month,
)
from helpers.receivables.rhythm import LATE, STATUSES, payer_status, payment_rhythm
from helpers.receivables.summary import is_told, late_payers

__all__ = [
    "BUCKETS",
    "LATE",
    "STATUSES",
    "Books",
    "Ledger",
    "ReceivablesData",
    "ReceivablesMonth",
    "aged_items",
    "collection_effectiveness",
    "count_back_days",
    "days_sales_outstanding",
    "dealer_ageing",
    "is_told",
    "judge_month",
    "late_payers",
    "network_ageing",
    "open_items",
    "opened",
    "payer_status",
    "payment_rhythm",
    "posted",
    "read_month",
    "receivables_month",
    "stop_supply",
]
