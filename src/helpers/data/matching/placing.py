"""Placing: which table a sheet is, and which of its headers is which column of the contract.

Headers say what a column may be, values whether it is; each header stands for one column and each
column has one header. What is not sure is not placed, but asked.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from helpers.data.matching import headers, values
from helpers.data.matching.headers import Match
from helpers.settings import contract

SURE = 0.8  # at or above it a header is placed, below it is asked
NAMED = 2.0  # what a document's name says at least where it names its table
NEAR = 1.0  # a table whose score is nearer than that might be meant as well
ASKED = 0.35  # below it nothing is asked either
FLOOR = 0.6  # certainty below which a pair is only better than none
RIVAL = 0.05  # two headers whose certainty differs by less are rivals for a column

# a table whose lines tell of others: columns of theirs that an export repeats on each line
WITH_DEALERS = (
    "dealer_name",
    "dealer_group",
    "customer_type",
    "store_format",
    "floor_area_m2",
    "region",
    "city",
    "latitude",
    "longitude",
    "account_manager",
    "credit_limit",
)
WITH_PRODUCTS = ("product_name", "category", "brand", "list_price")
ATTACHED = {
    "sell_in": {"dealers": WITH_DEALERS, "products": WITH_PRODUCTS},
    "sell_out": {"dealers": WITH_DEALERS, "products": WITH_PRODUCTS},
    "stock": {"dealers": WITH_DEALERS, "products": WITH_PRODUCTS},
    "stock_moves": {"dealers": WITH_DEALERS, "products": WITH_PRODUCTS},
    "payments": {"dealers": WITH_DEALERS},
    "dealer_profit": {"dealers": WITH_DEALERS},
}
KEYS = {"dealers": "dealer_id", "products": "product_id"}
NAMES = {"dealers": "dealer_name", "products": "product_name"}
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


class Sheet(NamedTuple):
    """What is seen of a file or one of its sheets: its header, and rows from its beginning."""

    file: str  # path as it was given
    name: str  # of the sheet; "" where the file is the one thing
    header: list[str]
    rows: list[list[str]]


class Placement(NamedTuple):
    """A header and the column it may be.

    `table` is where the column stands: the sheet's own, or dealers or products whose columns it
    repeats. `confidence` is 0–1, `reason` a code: "synonym", "words", "part", "only_dates",
    "times", "values".
    """

    header: str
    position: int
    table: str
    column: str
    confidence: float
    reason: str

    @property
    def is_sure(self) -> bool:
        """Whether it is placed without asking."""
        return self.confidence >= SURE


class Placed(NamedTuple):
    """A sheet with its table and its placements, sure or to be asked."""

    sheet: Sheet
    table: str
    confidence: float  # that it is this table
    rivals: list[str]  # tables that it might be as well
    placements: list[Placement]  # one for a header, in the order of the headers
    formats: dict[int, tuple[str, ...]]  # position → forms in which its days can be read

    def sure(self, table: str = "") -> dict[str, Placement]:
        """Give what is placed in a table (its own by default), by column."""
        table = table or self.table
        return {p.column: p for p in self.placements if p.is_sure and p.table == table}

    def missing(self) -> list[str]:
        """List the required columns of its table that no header is placed for."""
        placed = self.sure()
        known = contract()[self.table]
        return [c for c, column in known.items() if column.required and c not in placed]


def usable(header: str, among: Sequence[str]) -> bool:
    """Tell whether a header can name a column in a toml.

    Not one that stands twice, is empty or longer than a header, or has what a toml refuses.
    """
    is_plain = "${" not in header and "\0" not in header and len(header) <= headers.LONGEST
    return bool(header.strip()) and is_plain and list(among).count(header) == 1


def placed(sheet: Sheet, table: str = "", fixed: Mapping[int, str] | None = None) -> Placed:
    """Place the headers of a sheet.

    Parameters
    ----------
    sheet
        Its header, and as many rows as were read; without rows only the headers speak.
    table
        Which table it is, where a person said so.
    fixed
        Position of a header → "table.column", or "" for none: what a person said.
    """
    seen = _Seen(sheet)
    hints = _hints(sheet)
    tables = [table] if table else [name for name in EXPORTED if name in contract()]
    ways = {name: _assigned(seen, name, fixed or {}) for name in tables}
    scores = {name: _score(seen, name, way) + (hints.get(name, 0)) for name, way in ways.items()}
    ranked = sorted(scores, key=lambda name: -scores[name])
    best = ranked[0]
    lead = scores[best] - scores[ranked[1]] if len(ranked) > 1 else 9
    rivals = [name for name in ranked[1:4] if scores[best] - scores[name] < NEAR]
    for rival in rivals:
        _doubt_tables(best, ways[best], ways[rival])
    if not table and hints.get(best, 0) < NAMED and _lacks_day(seen, best):
        _doubt_tables(best, ways[best], [])
    return Placed(
        sheet,
        best,
        1.0 if table else round(min(0.99, 0.6 + lead / 5), 2),
        rivals,
        ways[best],
        {i: column.date_formats for i, column in enumerate(seen.columns) if column.is_date},
    )


def _doubt_tables(table: str, placements: list[Placement], others: Sequence[Placement]) -> None:
    """Ask where a header would be something else if the sheet were the other table."""
    other = {p.position: p.column for p in others if p.confidence >= ASKED}
    for i, placement in enumerate(placements):
        is_other = other.get(placement.position, "") != placement.column
        if is_other and placement.table == table and placement.is_sure:
            placements[i] = placement._replace(
                confidence=SURE - 0.05 if placement.reason != "told" else 1.0,
                reason="table" if placement.reason != "told" else "told",
            )


def _hints(sheet: Sheet) -> dict[str, float]:
    """Read from the name of a file and a sheet which table it may be."""
    stem = re.sub(r"\.\w{2,4}(?:\.gz|\.zst)?$", "", re.split(r"[/\\]", sheet.file)[-1])
    said = headers.reading(stem).concepts | headers.reading(sheet.name).concepts
    found: dict[str, float] = {}
    for concepts, table, weight in DOCUMENTS:
        if concepts <= said:
            found[table] = max(found.get(table, 0), weight)
    said = [headers.reading(header).concepts for header in sheet.header]
    if {"in", "quantity"} in said and {"out", "quantity"} in said:
        # with the document that moved it, or it is a balance of a period
        is_moved = any({"document", "type"} & concepts == {"document", "type"} for concepts in said)
        found["stock_moves"] = found.get("stock_moves", 0) + 5 * is_moved
    if any({"movement", "type"} <= concepts for concepts in said):
        found["stock_moves"] = found.get("stock_moves", 0) + 4
    if any("promotion" in concepts for concepts in said):
        found["sell_out"] = found.get("sell_out", 0) + 1
    has_shop = any({"shop", "pos"} & concepts for concepts in said)
    if any("consumer" in concepts for concepts in said) or (
        has_shop and any("customer" in concepts for concepts in said)
    ):
        # who sells to dealers has no shop of his own between himself and the customer
        found["sell_out"] = found.get("sell_out", 0) + 2.5
    elif "sell_out" not in found or found.get("sell_in", 0) >= found["sell_out"]:
        # whoever maps this sells to dealers; what has a customer, a day and an amount only may be
        # what was paid as well
        is_sold = any(OF_SALES & concepts for concepts in said)
        found["sell_in"] = found.get("sell_in", 0) + (1.5 if is_sold else -1)
    for table in contract():
        if table in (stem.casefold(), sheet.name.casefold()):
            found[table] = 6  # as the contract calls it
    return found


class _Seen:
    """A sheet as placing looks at it: what each header may be, what stands below."""

    def __init__(self, sheet: Sheet):
        self.sheet = sheet
        self.n = len(sheet.header)
        self.is_single = [usable(header, sheet.header) for header in sheet.header]
        self.cells = [[row[i] if i < len(row) else "" for row in sheet.rows] for i in range(self.n)]
        self.columns = [values.column(cells) for cells in self.cells]
        self.has_rows = len(sheet.rows) >= values.FEWEST
        self.relations = values.relations(self.columns)
        self.matches = [headers.matches(h) for h in sheet.header]

    def fits(self, position: int, kind: str, name: str) -> float:
        """Tell how well values fit a kind of column: 1 they do, towards 0 they don't."""
        if not self.has_rows:
            return 1.0
        column = self.columns[position]
        if not column.n_filled:
            return 0.75  # nothing speaks for it
        if kind in ("date", "month"):
            is_month = kind == "date" and set(column.date_formats) <= {"%Y-%m", "%Y/%m"}
            return (0.8 if is_month else 1.0) if column.is_date else 0.3
        if kind in ("money", "number"):
            return 1.0 if column.is_number else 0.3
        if kind == "id":
            return 0.4 if column.has_decimals or (column.is_date and not column.is_number) else 1.0
        if column.has_decimals or (column.is_date and not column.is_number):
            return 0.4
        if column.is_number:
            # numbers where names are expected are the codes of them
            return 0.5 if name in ("dealer_name", "product_name", "city") else 0.88
        return 1.0


def _targets(table: str) -> dict[tuple[str, str], str]:
    """List the columns that a sheet of this table may hold: (table, column) → kind."""
    tables = contract()
    found = {(table, c): column.kind for c, column in tables[table].items() if c != "*"}
    for other, columns in ATTACHED.get(table, {}).items():
        for column in columns:
            if column in tables[other] and column not in tables[table]:
                found[other, column] = tables[other][column].kind
    return found


def _options(seen: _Seen, table: str, position: int) -> dict[tuple[str, str], Match]:
    """List what a header may be in this table, and ("", "") for none of its columns."""
    targets = _targets(table)
    own: dict[tuple[str, str], Match] = {}
    other: dict[tuple[str, str], Match] = {}
    for match in seen.matches[position]:
        of, _dot, name = match.column.rpartition(".")
        if not name:
            own.setdefault(("", ""), match)
        elif not of or of == table:
            place = next((t for t in targets if t[1] == name), None)
            if place:
                (own if of else other).setdefault(place, match)
    # what is said of this table wins over what is said of all
    named_own = [match for place, match in own.items() if place[0]]
    if named_own:
        strongest = max(match.certainty for match in named_own)
        other = {
            place: match
            for place, match in other.items()
            if match.certainty >= strongest
            and not (place[1] in ("dealer_id", "dealer_name") and _is_consumer(own))
        }
        none = own.get(("", ""))
        if none and strongest >= SURE:
            own.pop(("", ""))
    for place, match in other.items():
        if place not in own or own[place].certainty < match.certainty:
            own[place] = match
    return own


def _is_consumer(own: Mapping[tuple[str, str], Match]) -> bool:
    return any(column == "consumer_id" for _table, column in own)


def _assigned(seen: _Seen, table: str, fixed: Mapping[int, str]) -> list[Placement]:
    """Give each header its column: the most certain pair first, required columns before others."""
    known = contract()[table]
    kinds = _targets(table)
    pairs: list[tuple[float, float, int, tuple[str, str], str]] = []
    for position in range(seen.n):
        if not seen.is_single[position] or position in fixed:
            continue
        options = _options(seen, table, position)
        for place, match in options.items():
            if place == ("", ""):
                certainty, needed = match.certainty, 0.0
            else:
                fit = seen.fits(position, kinds[place], place[1])
                certainty = match.certainty * fit
                column = known.get(place[1]) if place[0] == table else None
                # a name serves as key where there is none
                needed = 0.3 if column and column.required else 0.0
                needed += 0.3 if place[1] in KEYS.values() and not needed else 0.0
            pairs.append((certainty, needed, position, place, match.reason))
    pairs = _by_relations(seen, table, _by_keys(seen, table, pairs))
    pairs = [pair for pair in pairs if pair[0] >= ASKED]
    given: dict[int, Placement] = {}
    for position, said in fixed.items():
        of, _dot, name = said.rpartition(".")
        given[position] = Placement(
            seen.sheet.header[position], position, (of or table) if name else "", name, 1.0, "told"
        )
    taken = {(p.table, p.column) for p in given.values() if p.column}
    for certainty, _needed, position, place, reason in _best(
        [p for p in pairs if p[3] not in taken]
    ):
        given[position] = Placement(
            seen.sheet.header[position], position, *place, certainty, reason
        )
    _doubt_rivals(given, pairs)
    _check_dependents(seen, table, given)
    _only_dates(seen, table, given)
    return [given[position] for position in sorted(given)]


def _best(pairs: Sequence) -> list:
    """Choose pairs so that each header and each column stand once and most is explained.

    What is certain counts more than much that is not: a code and a name beat a name as key.
    """
    if not pairs:
        return []
    positions = sorted({pair[2] for pair in pairs})
    places = sorted({pair[3] for pair in pairs if pair[3] != ("", "")})
    # for each header a place of its own, too, that says it is none of the columns
    gains = np.zeros((len(positions), len(places) + len(positions)))
    chosen: dict[tuple[int, int], tuple] = {}
    for pair in pairs:
        certainty, needed, position, place, _reason = pair
        row = positions.index(position)
        column = places.index(place) if place != ("", "") else len(places) + row
        # a weak pair explains next to nothing, however much its column is needed
        is_weak = certainty < SURE - 0.1
        gains[row, column] = 0.01 * certainty if is_weak else certainty - FLOOR + needed
        chosen[row, column] = pair
    rows, columns = linear_sum_assignment(gains, maximize=True)
    found = zip(rows, columns, strict=True)
    return [chosen[row, column] for row, column in found if (row, column) in chosen]


def _by_keys(seen: _Seen, table: str, pairs: list) -> list:
    """Let ids speak: a name has one text for each id, and only for the one it is the name of."""
    if not seen.has_rows or table in KEYS:
        return pairs
    keys = {}
    for other, key in KEYS.items():
        found = [p for p in pairs if p[3] == (table, key) and p[0] >= SURE]
        keys[other, NAMES[other]] = max(found, default=None, key=lambda p: p[0])
    decided = []
    for certainty, needed, position, place, reason in pairs:
        key = keys.get(place)
        if key and key[2] != position and seen.columns[position].n_filled:
            share = values.share_one_each(seen.cells[key[2]], seen.cells[position])
            is_told = share >= values.MANY and seen.columns[position].n_distinct > 1
            certainty = min(0.98, certainty + 0.05) if is_told else certainty * 0.5
        decided.append((certainty, needed, position, place, reason))
    return decided


def _by_relations(seen: _Seen, table: str, pairs: list) -> list:
    """Let arithmetic speak: what is quantity × price is an amount, what holds the tax is gross."""
    amount = {"sell_in": "revenue", "sell_out": "amount"}.get(table)
    if not amount or not seen.has_rows:
        return pairs
    results = {c for _a, _b, c in seen.relations.products}
    candidates = {p[2]: p[0] for p in pairs if p[3] == (table, amount)}
    gross = set()
    for a, b, c in seen.relations.sums:
        # net + tax = gross: the tax is the smaller part, and its header is no amount's
        small, large = sorted((a, b), key=lambda i: _mean(seen, i))
        if (
            c in candidates
            and large in candidates
            and _mean(seen, small) < 0.35 * _mean(seen, large)
        ):
            is_cost = any(
                "cost" in headers.reading(seen.sheet.header[i]).concepts
                or "profit" in headers.reading(seen.sheet.header[i]).concepts
                for i in (a, b)
            )
            if not is_cost:
                gross.add(c)
    counts = {p[2] for p in pairs if p[3] == (table, "quantity") and p[0] >= ASKED}
    amounts = {c for a, b, c in seen.relations.products if {a, b} & counts}
    found = []
    for certainty, needed, position, place, reason in pairs:
        if place == (table, "quantity") and position in amounts:
            certainty *= 0.5  # what a count times a price makes is no count
        if place == (table, amount):
            if position in gross:
                certainty *= 0.6
            elif position in results and certainty >= 0.6:
                certainty = min(0.99, certainty + 0.06)
        found.append((certainty, needed, position, place, reason))
    return found


def _mean(seen: _Seen, position: int) -> float:
    numbers = [abs(x) for x in seen.columns[position].numbers if x is not None]
    return sum(numbers) / len(numbers) if numbers else 0.0


def _doubt_rivals(given: dict[int, Placement], pairs: Sequence) -> None:
    """Ask where two headers say the same: both are dates, and nothing tells which is meant."""
    for position, placement in list(given.items()):
        if not placement.column or placement.reason == "told":
            continue
        rivals = [
            certainty
            for certainty, _needed, other, place, _reason in pairs
            if place == (placement.table, placement.column)
            and other != position
            and certainty >= SURE
            and placement.confidence - certainty < RIVAL
            and not (other in given and given[other].column and given[other].is_sure)
        ]
        if rivals:
            given[position] = placement._replace(
                confidence=min(placement.confidence, SURE - 0.05), reason="rivals"
            )


def _check_dependents(seen: _Seen, table: str, given: dict[int, Placement]) -> None:
    """Doubt a name that its id does not decide, and trust a text that its id does."""
    if not seen.has_rows or table in KEYS:
        return
    keys = {
        other: next(
            (p.position for p in given.values() if p.column == key and p.table == table), None
        )
        for other, key in KEYS.items()
    }
    for position, placement in list(given.items()):
        if placement.table not in KEYS or placement.reason == "told":
            continue
        key = keys[placement.table]
        # a shop's city may be the consumer's: what its id does not decide is not the dealer's
        is_name = placement.column in ("dealer_name", "product_name")
        share = (
            values.share_one_each(seen.cells[key], seen.cells[position]) if key is not None else 0
        )
        if placement.column != "list_price" and share < (values.MANY if is_name else 0.5):
            given[position] = placement._replace(confidence=placement.confidence * 0.5)


def _only_dates(seen: _Seen, table: str, given: dict[int, Placement]) -> None:
    """Place the one column of days where the table needs a day and no header says which."""
    if not seen.has_rows or table not in ("sell_in", "sell_out", "payments", "stock_moves"):
        return
    dates = [
        i
        for i in range(seen.n)
        if seen.columns[i].is_date and not seen.columns[i].is_number and seen.is_single[i]
    ]
    is_placed = any(p.column == "date" and p.is_sure for p in given.values())
    if len(dates) == 1 and not is_placed:
        position = dates[0]
        said = given.get(position)
        if said is None or said.column == "date" or not said.is_sure:
            for other, placement in list(given.items()):
                if placement.column == "date" and other != position:
                    del given[other]
            given[position] = Placement(
                seen.sheet.header[position], position, table, "date", 0.85, "only_dates"
            )


def _lacks_day(seen: _Seen, table: str) -> bool:
    """Tell whether a table that needs a day has no column of days, whatever its header."""
    kinds = {column.kind for column in contract()[table].values() if column.required}
    has_days = any(column.is_date for column in seen.columns)
    return bool(kinds & {"date", "month"}) and seen.has_rows and not has_days


def _score(seen: _Seen, table: str, placements: Sequence[Placement]) -> float:
    """Weigh how much of a sheet a table explains: its own columns, and what it misses."""
    known = contract()[table]
    required = [c for c, column in known.items() if column.required]
    own = {p.column: p.confidence for p in placements if p.table == table}
    attached = sum(p.confidence for p in placements if p.table and p.table != table)
    n_missing = sum(column not in own for column in required)
    n_missing += _lacks_day(seen, table)
    if table == "sell_in" and "revenue" not in own and "quantity" in own:
        concepts = [headers.reading(header).concepts for header in seen.sheet.header]
        # quantity and price make the amount that is not there
        n_missing -= 0.7 * any("price" in said for said in concepts)
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


def candidates(found: Placed, table: str, column: str) -> list[int]:
    """List the headers that may be a column, likeliest first, by position.

    Of a required column also those that only their values speak for; none that is placed already.
    """
    seen = _Seen(found.sheet)
    taken = {p.position for p in found.placements if p.is_sure and p.column}
    kind = contract()[table][column].kind
    ranked = []
    for position in range(seen.n):
        if position in taken or not seen.is_single[position]:
            continue
        match = _options(seen, found.table, position).get((table, column))
        fit = seen.fits(position, kind, column)
        if match and match.certainty * fit >= ASKED / 2:
            ranked.append((match.certainty * fit, position))
        elif not match and fit >= SURE and _is_telling(seen, position, kind, table, column):
            ranked.append((0.1, position))
    return [position for _certainty, position in sorted(ranked, key=lambda one: (-one[0], one[1]))]


def _is_telling(seen: _Seen, position: int, kind: str, table: str, column: str) -> bool:
    """Tell whether values alone make a header worth a question."""
    if not (seen.has_rows and contract()[table][column].required):
        return False
    if kind in ("date", "month"):
        return True
    if kind in ("money", "number"):
        return seen.columns[position].n_distinct > 1
    return seen.columns[position].n_distinct > 1 and not seen.columns[position].has_decimals
