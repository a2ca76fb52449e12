"""Kinds of documents: which table a sheet is, by its name, its headers and what it misses."""

import re
from collections.abc import Sequence

from helpers.data.matching import headers
from helpers.data.matching.assignment import ASKED, KEYS, Placement, is_twin
from helpers.data.matching.sheet import Seen
from helpers.settings import contract

NAMED = 2.0  # what a document's name says at least where it names its table
KNOWN = 0.95  # certainty of a header that a system writes so for one column
AS_CALLED = 6.0  # a file that is called as the contract calls the table
# tables that come out of a system; the others people write in the workbook's own form
EXPORTED = (
    "sell_in",
    "sell_out",
    "payments",
    "balances",
    "dealers",
    "products",
    "stock",
    "stock_moves",
    "dealer_profit",
    "consumers",
    "promotions",
    "contacts",
)
PARTIES = ("dealer_id", "dealer_name", "consumer_id")
# words of headers that tell a sale from what is bought, stored or moved
SAYS_SALE = frozenset(
    {"invoice", "sales", "revenue", "order", "customer", "shop", "pos", "receipt"}
)
# words of headers that tell a sale from a payment
OF_SALES = frozenset({"invoice", "sales", "revenue", "quantity", "order", "product"})
# what a document's name says: words that must be there, the table, how much it says
DOCUMENTS: tuple[tuple[frozenset[str], str, float], ...] = (
    (frozenset({"stock", "movement"}), "stock_moves", 6),
    (frozenset({"stock", "account"}), "stock_moves", 8),
    (frozenset({"product", "account"}), "stock_moves", 6),
    (frozenset({"customer", "account", "movement"}), "payments", 4),
    (frozenset({"customer", "movement"}), "payments", 4),
    (frozenset({"customer", "account"}), "payments", 2),
    (frozenset({"movement"}), "stock_moves", 3),
    (frozenset({"stock"}), "stock", 3),
    (frozenset({"product", "warehouse"}), "stock", 3),
    (frozenset({"payment"}), "payments", 4),
    (frozenset({"received"}), "payments", 2),
    (frozenset({"receipt"}), "payments", 2),
    (frozenset({"retail"}), "sell_out", 4),
    (frozenset({"pos"}), "sell_out", 4),
    (frozenset({"shop", "sales"}), "sell_out", 1),
    (frozenset({"consumer"}), "consumers", 3),
    (frozenset({"promotion"}), "promotions", 3),
    (frozenset({"order"}), "sell_in", 1),
    (frozenset({"order"}), "sell_out", 1),
    (frozenset({"invoice"}), "sell_in", 2),
    (frozenset({"sales"}), "sell_in", 2),
    (frozenset({"delivery"}), "sell_in", 2),
    (frozenset({"customer"}), "dealers", 1),
    (frozenset({"dealer"}), "dealers", 1),
    (frozenset({"contact"}), "dealers", 1),
    (frozenset({"product"}), "products", 1),
)


def hints(seen: Seen) -> dict[str, float]:
    """Read from names and headers which table a sheet may be: table → how much says so."""
    sheet = seen.sheet
    stem = re.sub(r"\.\w{2,4}(?:\.gz|\.zst)?$", "", re.split(r"[/\\]", sheet.file)[-1])
    named = headers.reading(stem).concepts | headers.reading(sheet.name).concepts
    found: dict[str, float] = {}
    for concepts, table, weight in DOCUMENTS:
        if concepts <= named:
            found[table] = max(found.get(table, 0), weight)
    said = [headers.reading(header).concepts for header in sheet.header]
    known = [
        {match.column for match in headers.matches(header) if match.certainty >= KNOWN}
        for header in sheet.header
    ]
    for table, weight in _by_headers(said, known, found, seen):
        found[table] = found.get(table, 0) + weight
    for table in contract():
        if table in (stem.casefold(), sheet.name.casefold()):
            found[table] = AS_CALLED
    return found


def _by_headers(
    said: Sequence[frozenset[str]],
    known: Sequence[set[str]],
    named: dict[str, float],
    seen: Seen,
) -> list[tuple[str, float]]:
    found = []
    # with the document that moved it, or it is a balance of a period
    is_moved = any({"document", "type"} <= concepts for concepts in said)
    if {"in", "quantity"} in said and {"out", "quantity"} in said and is_moved:
        found.append(("stock_moves", 5.0))
    if any({"movement", "type"} <= concepts for concepts in said):
        found.append(("stock_moves", 4.0))
    # how a system calls the kind of a movement, as the synonyms of headers know it
    if any("stock_moves.kind" in columns for columns in known):
        found.append(("stock_moves", 3.0))
    if any("promotion" in concepts for concepts in said):
        found.append(("sell_out", 1.0))
    shops = [i for i, concepts in enumerate(said) if {"shop", "pos"} & concepts]
    customers = [i for i, concepts in enumerate(said) if "customer" in concepts]
    # a shop's number and the customer's name are of one party where each has one of the other
    has_both = bool(shops) and any(not _is_named_by(seen, i, shops) for i in customers)
    if any("consumer" in concepts for concepts in said) or has_both:
        # who sells to dealers has no shop of his own between himself and the customer
        found.append(("sell_out", 2.5))
    elif named.get("sell_in", 0) >= named.get("sell_out", 0):
        # whoever maps this sells to dealers; but what has a customer, a day and an amount only may
        # be what was paid as well
        is_sold = any(OF_SALES & concepts for concepts in said)
        found.append(("sell_in", 1.5 if is_sold else -1.0))
        if any("invoice" in concepts for concepts in said):
            found.append(("sell_in", 0.5))  # a till gives receipts
    return found


def names_no_sale(seen: Seen, table: str) -> bool:
    """Tell whether a sheet that looks like sales names nobody who buys or sells, and no sale: what
    has a day, goods and a value only may be what lies in a store as well.
    """
    if table not in ("sell_in", "sell_out"):
        return False
    said = frozenset().union(*(headers.reading(header).concepts for header in seen.sheet.header))
    parties = any(
        match.column.rpartition(".")[2] in PARTIES and match.certainty >= ASKED
        for found in seen.matches
        for match in found
    )
    return not parties and not said & SAYS_SALE


def _is_named_by(seen: Seen, position: int, others: Sequence[int]) -> bool:
    return any(other != position and is_twin(seen, position, other) for other in others)


def lacks_day(seen: Seen, table: str) -> bool:
    """Tell whether a table that needs a day has no column of days, whatever its header."""
    kinds = {column.kind for column in contract()[table].values() if column.required}
    has_days = any(column.is_date for column in seen.columns)
    return bool(kinds & {"date", "month"}) and seen.has_rows and not has_days


def explained(seen: Seen, table: str, placements: Sequence[Placement]) -> float:
    """Weigh how much of a sheet a table explains: its own columns, and what it misses."""
    known = contract()[table]
    required = [c for c, column in known.items() if column.required]
    own = {p.column: p.confidence for p in placements if p.table == table}
    attached = sum(p.confidence for p in placements if p.table and p.table != table)
    n_missing = sum(column not in own for column in required)
    n_missing += lacks_day(seen, table)
    if table == "sell_in" and "revenue" not in own and "quantity" in own:
        # quantity and price make the amount that is not there
        n_missing -= 0.7 * any("price" in seen.concepts(i) for i in range(seen.n))
    # a table that needs much is no likelier for it
    needed = min(2.5, max(1.4, 5 / len(required)))
    score = sum(
        confidence * (needed if known[column].required else 1.0)
        for column, confidence in own.items()
    )
    score += 0.8 * attached - 4.0 * n_missing / len(required) - 0.5 * n_missing
    used = {p.position for p in placements if p.column and p.confidence >= ASKED}
    # what is surely a column of some table, and none of this one, speaks for another
    score -= 0.5 * sum(
        position not in used and bool(found and found[0].column and found[0].certainty >= 0.9)
        for position, found in enumerate(seen.matches)
    )
    if table in KEYS and seen.has_rows and KEYS[table] in own:
        position = next(p.position for p in placements if p.column == KEYS[table])
        column = seen.columns[position]
        is_key = column.n_distinct >= 0.98 * max(1, column.n_filled)
        score += 1.5 if is_key else -3.0
    return score
