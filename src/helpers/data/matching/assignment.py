"""Assignment: each header one column, and each column one header, so that most is explained.

Headers propose, values dispose: ids decide whose name a text is, sums and products which amount.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from helpers.data.matching import headers, values
from helpers.data.matching.headers import Match
from helpers.data.matching.sheet import Seen
from helpers.settings import contract

SURE = 0.8  # at or above it a header is placed, below it is asked
UNSURE = SURE - 0.05  # what is doubted, whatever its header says
ASKED = 0.35  # below it nothing is asked either
FLOOR = 0.6  # certainty below which a pair is only better than none
WEAK = 0.7  # below it a pair explains next to nothing, however much its column is needed
RIVAL = 0.05  # two headers whose certainty differs by less are rivals for a column
NEEDED = 0.3  # what it counts that a column is required, or the id of a dealer or product
BY_VALUES = 0.85  # certainty of what values alone say
CONTRADICTED = 0.5  # what is left of a certainty that values contradict
TAX = 0.35  # of the net amount: what is more is no tax

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
AMOUNTS = {"sell_in": "revenue", "sell_out": "amount"}
OF_BUYERS = frozenset({"customer", "consumer", "invoice"})
NONE = ("", "")  # the place of a header that is known, and none of the columns

Place = tuple[str, str]  # table and column


class Placement(NamedTuple):
    """A header and the column it may be.

    `table` is where the column stands: the sheet's own, or dealers or products whose columns it
    repeats. `confidence` is 0–1, `reason` a code: "synonym", "words", "part", "only_dates",
    "rivals", "table", "told".
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


class Pair(NamedTuple):
    """A header and a place that it may have."""

    certainty: float
    needed: float  # what it counts beside its certainty that the column has a header
    position: int
    place: Place
    reason: str


def targets(table: str) -> dict[Place, str]:
    """List the columns that a sheet of this table may hold: (table, column) → kind."""
    tables = contract()
    found = {(table, c): column.kind for c, column in tables[table].items() if c != "*"}
    for other, columns in ATTACHED.get(table, {}).items():
        for column in columns:
            if column in tables[other] and column not in tables[table]:
                found[other, column] = tables[other][column].kind
    return found


def options(seen: Seen, table: str, position: int) -> dict[Place, Match]:
    """List what a header may be in this table, and ("", "") for none of its columns."""
    known = targets(table)
    own: dict[Place, Match] = {}
    other: dict[Place, Match] = {}
    for match in seen.matches[position]:
        of, _dot, name = match.column.rpartition(".")
        if not name:
            own.setdefault(NONE, match)
        elif not of or of == table:
            place = next((t for t in known if t[1] == name), None)
            # in a shop's sales the customer's city is no dealer's
            is_dealers = table == "sell_out" and place and place[0] == "dealers"
            if is_dealers and seen.concepts(position) & OF_BUYERS:
                continue
            if place:
                (own if of else other).setdefault(place, match)
    # what is said of this table wins over what is said of all
    named_own = [match for place, match in own.items() if place != NONE]
    if named_own:
        strongest = max(match.certainty for match in named_own)
        other = {
            place: match
            for place, match in other.items()
            if match.certainty >= strongest
            and not (place[1] in ("dealer_id", "dealer_name") and _is_consumer(own))
        }
        none = own.get(NONE)
        if none and strongest >= SURE:
            own.pop(NONE)
    for place, match in other.items():
        if place not in own or own[place].certainty < match.certainty:
            own[place] = match
    return own


def _is_consumer(own: Mapping[Place, Match]) -> bool:
    return any(column == "consumer_id" for _table, column in own)


def assigned(seen: Seen, table: str, fixed: Mapping[int, str]) -> list[Placement]:
    """Place the headers of a sheet if it were a table.

    Parameters
    ----------
    fixed
        Position of a header → "table.column", or "" for none: what a person said.
    """
    given = {position: _told(seen, table, position, said) for position, said in fixed.items()}
    taken = {(p.table, p.column) for p in given.values() if p.column}
    pairs = _by_relations(seen, table, _by_keys(seen, table, _pairs(seen, table, fixed)))
    pairs = [pair for pair in pairs if pair.certainty >= ASKED and pair.place not in taken]
    for pair in _best(pairs):
        header = seen.sheet.header[pair.position]
        given[pair.position] = Placement(
            header, pair.position, *pair.place, pair.certainty, pair.reason
        )
    _doubt_rivals(given, pairs)
    _doubt_names_as_ids(seen, table, given)
    _doubt_dependents(seen, table, given)
    _place_only_date(seen, table, given)
    return [given[position] for position in sorted(given)]


def _told(seen: Seen, table: str, position: int, said: str) -> Placement:
    of, _dot, name = said.rpartition(".")
    header = seen.sheet.header[position]
    return Placement(header, position, (of or table) if name else "", name, 1.0, "told")


def _pairs(seen: Seen, table: str, fixed: Mapping[int, str]) -> list[Pair]:
    known, kinds = contract()[table], targets(table)
    found = []
    for position in range(seen.n):
        if not seen.is_single[position] or position in fixed:
            continue
        for place, match in options(seen, table, position).items():
            of, name = place
            if place == NONE:
                found.append(Pair(match.certainty, 0.0, position, place, match.reason))
                continue
            is_required = of == table and name in known and known[name].required
            # a name serves as the id where there is none
            needed = NEEDED if is_required or name in KEYS.values() else 0.0
            certainty = match.certainty * seen.fits(position, kinds[place], name)
            found.append(Pair(certainty, needed, position, place, match.reason))
    return found


def _best(pairs: Sequence[Pair]) -> list[Pair]:
    """Choose pairs so that each header and each column stand once and most is explained.

    What is certain counts more than much that is not: a code and a name beat a name as id.
    """
    if not pairs:
        return []
    positions = sorted({pair.position for pair in pairs})
    places = sorted({pair.place for pair in pairs} - {NONE})
    # for each header a place of its own, too, that says it is none of the columns
    gains = np.zeros((len(positions), len(places) + len(positions)))
    chosen: dict[tuple[int, int], Pair] = {}
    for pair in pairs:
        row = positions.index(pair.position)
        column = len(places) + row if pair.place == NONE else places.index(pair.place)
        is_weak = pair.certainty < WEAK
        gains[row, column] = 0.01 if is_weak else pair.certainty - FLOOR + pair.needed
        gains[row, column] *= pair.certainty if is_weak else 1
        chosen[row, column] = pair
    found = zip(*linear_sum_assignment(gains, maximize=True), strict=True)
    return [chosen[at] for at in found if at in chosen]


# ---- what values say -----------------------------------------------------------------------------


def _by_keys(seen: Seen, table: str, pairs: list[Pair]) -> list[Pair]:
    """Let ids speak: a name has one text for each id, and only for the one it is the name of."""
    if not seen.has_rows or table in KEYS:
        return pairs
    keys = {}
    for other, key in KEYS.items():
        found = [p for p in pairs if p.place == (table, key) and p.certainty >= SURE]
        keys[other, NAMES[other]] = max(found, default=None, key=lambda p: p.certainty)
    decided = []
    for pair in pairs:
        key = keys.get(pair.place)
        if key and key.position != pair.position and seen.columns[pair.position].n_filled:
            share = values.share_one_each(seen.cells[key.position], seen.cells[pair.position])
            is_one = share >= values.MANY and seen.columns[pair.position].n_distinct > 1
            # that an id decides a text makes it a little likelier, that it does not unlikely
            certainty = pair.certainty + 0.05 if is_one else pair.certainty * CONTRADICTED
            decided.append(pair._replace(certainty=min(0.98, certainty)))
        else:
            decided.append(pair)
    return decided


def _by_relations(seen: Seen, table: str, pairs: list[Pair]) -> list[Pair]:
    """Let arithmetic speak: what is quantity × price is an amount, what holds the tax is gross."""
    if table not in AMOUNTS or not seen.has_rows:
        return pairs
    amount, count = (table, AMOUNTS[table]), (table, "quantity")
    candidates = {p.position for p in pairs if p.place == amount}
    counts = {p.position for p in pairs if p.place == count}
    products = seen.relations.products
    made = {c for _a, _b, c in products}
    made_of_counts = {c for a, b, c in products if {a, b} & counts}
    gross = {c for a, b, c in seen.relations.sums if c in candidates and _has_tax(seen, a, b)}
    found = []
    for pair in pairs:
        certainty = pair.certainty
        if pair.place == count and pair.position in made_of_counts:
            certainty *= CONTRADICTED  # what a count times a price makes is no count
        elif pair.place == amount and pair.position in gross:
            certainty *= FLOOR
        elif pair.place == amount and pair.position in made and certainty >= FLOOR:
            certainty = min(0.99, certainty + 0.06)
        found.append(pair._replace(certainty=certainty))
    return found


def _has_tax(seen: Seen, first: int, second: int) -> bool:
    """Tell whether two parts of a sum are an amount and its tax, not cost and profit."""
    small, large = sorted((first, second), key=seen.mean)
    said = seen.concepts(first) | seen.concepts(second)
    return seen.mean(small) < TAX * seen.mean(large) and not said & {"cost", "profit"}


def _doubt_rivals(given: dict[int, Placement], pairs: Sequence[Pair]) -> None:
    """Ask where two headers say the same: both are dates, and nothing tells which is meant."""
    for position, placement in list(given.items()):
        if not placement.column or placement.reason == "told":
            continue
        is_rivalled = any(
            pair.place == (placement.table, placement.column)
            and pair.position != position
            and pair.certainty >= SURE
            and placement.confidence - pair.certainty < RIVAL
            and not _is_placed(given.get(pair.position))
            for pair in pairs
        )
        if is_rivalled:
            certainty = min(placement.confidence, UNSURE)
            given[position] = placement._replace(confidence=certainty, reason="rivals")


def _doubt_names_as_ids(seen: Seen, table: str, given: dict[int, Placement]) -> None:
    """Ask where a name is taken for the id, and a header that is not known may be the id."""
    free = [i for i in range(seen.n) if not _is_known(given.get(i)) and seen.is_single[i]]
    for position, placement in list(given.items()):
        is_key = placement.column in KEYS.values() and placement.table == table
        if not is_key or placement.reason == "told" or "number" in seen.concepts(position):
            continue
        if any(_is_some_number(seen, i) or is_twin(seen, position, i) for i in free):
            certainty = min(placement.confidence, UNSURE)
            given[position] = placement._replace(confidence=certainty, reason="rivals")


def _is_known(placement: Placement | None) -> bool:
    return placement is not None and placement.is_sure


def _is_some_number(seen: Seen, position: int) -> bool:
    """Tell whether a header says that it is a number, and of what in a word that is not known."""
    said = headers.reading(seen.sheet.header[position])
    return said.concepts == {"number"} and said.n_unknown > 0


def is_twin(seen: Seen, first: int, second: int) -> bool:
    """Tell whether two columns name the same things: each text of one has one of the other."""
    if not seen.has_rows or seen.columns[first].n_distinct < values.FEWEST:
        return False
    if seen.columns[first].n_distinct != seen.columns[second].n_distinct:
        return False
    a, b = seen.cells[first], seen.cells[second]
    is_repeated = seen.columns[first].n_distinct < seen.columns[first].n_filled
    return is_repeated and values.share_one_each(a, b) == values.share_one_each(b, a) == 1


def _is_placed(placement: Placement | None) -> bool:
    return placement is not None and bool(placement.column) and placement.is_sure


def _doubt_dependents(seen: Seen, table: str, given: dict[int, Placement]) -> None:
    """Doubt what is a dealer's or product's without an id, or what its id does not decide."""
    if not seen.has_rows or table in KEYS:
        return
    keys = {p.column: p.position for p in given.values() if p.table == table}
    for position, placement in list(given.items()):
        # prices change: an id does not decide them
        if placement.table not in KEYS or placement.reason == "told":
            continue
        key = keys.get(KEYS[placement.table])
        if placement.column == "list_price" and key is not None:
            continue
        # a shop's city may be the consumer's, and a dealer may change hands between managers
        least = values.MANY if placement.column in NAMES.values() else 0.5
        cells = seen.cells[position]
        if key is None or values.share_one_each(seen.cells[key], cells) < least:
            certainty = placement.confidence * CONTRADICTED
            given[position] = placement._replace(confidence=certainty)


def _sure(seen: Seen, position: int) -> list[Match]:
    return [match for match in seen.matches[position] if match.certainty >= SURE]


def _place_only_date(seen: Seen, table: str, given: dict[int, Placement]) -> None:
    """Place the one column of days where the table needs a day and no header says which."""
    if not seen.has_rows or table not in ("sell_in", "sell_out", "payments", "stock_moves"):
        return
    days = [
        i
        for i, column in enumerate(seen.columns)
        if column.is_date and not column.is_number and seen.is_single[i]
    ]
    sure = {p.column for p in given.values() if p.table == table and p.is_sure}
    # where nothing else is known of the table, a day says nothing either
    if len(days) != 1 or "date" in sure or not sure:
        return
    position = days[0]
    # a header that surely says another day, be it of another table, is not asked for its values
    if any(m.column and m.column.rpartition(".")[2] != "date" for m in _sure(seen, position)):
        return
    said = given.get(position)
    if said is None or said.column == "date" or not said.is_sure:
        for other in [i for i, p in given.items() if p.column == "date" and i != position]:
            del given[other]
        header = seen.sheet.header[position]
        given[position] = Placement(header, position, table, "date", BY_VALUES, "only_dates")
