"""Placing: which table a sheet is, and which of its headers is which column of the contract.

Headers say what a column may be, values whether it is; each header stands for one column and each
column has one header. What is not sure is not placed, but asked.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from helpers.data.matching import documents
from helpers.data.matching.assignment import (
    ASKED,
    KEYS,
    SURE,
    UNSURE,
    Placement,
    assigned,
    options,
)
from helpers.data.matching.sheet import Seen, Sheet, usable
from helpers.settings import contract

__all__ = [
    "ASKED",
    "KEYS",
    "SURE",
    "Placed",
    "Placement",
    "Sheet",
    "candidates",
    "placed",
    "usable",
]

NEAR = 1.3  # a table whose score is nearer than that might be meant as well


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
    seen = Seen(sheet)
    hints = documents.hints(seen)
    tables = [table] if table else [name for name in documents.EXPORTED if name in contract()]
    ways = {name: assigned(seen, name, fixed or {}) for name in tables}
    scores = {
        name: documents.explained(seen, name, way) + hints.get(name, 0)
        for name, way in ways.items()
    }
    ranked = sorted(scores, key=lambda name: -scores[name])
    best = ranked[0]
    lead = scores[best] - scores[ranked[1]] if len(ranked) > 1 else 9
    rivals = [name for name in ranked[1:4] if scores[best] - scores[name] < NEAR]
    for rival in rivals:
        _doubt_tables(best, ways[best], ways[rival])
    is_doubtful = documents.lacks_day(seen, best) or documents.names_no_sale(seen, best)
    if not table and hints.get(best, 0) < documents.NAMED and is_doubtful:
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
        is_own = placement.table == table and placement.is_sure
        if is_other and is_own and placement.reason != "told":
            placements[i] = placement._replace(confidence=UNSURE, reason="table")


def candidates(found: Placed, table: str, column: str) -> list[int]:
    """List the headers that may be a column, likeliest first, by position.

    Of a required column also those that only their values speak for; none that is placed already.
    """
    seen = Seen(found.sheet)
    taken = {p.position for p in found.placements if p.is_sure and p.column}
    kind = contract()[table][column].kind
    ranked = []
    for position in range(seen.n):
        if position in taken or not seen.is_single[position]:
            continue
        match = options(seen, found.table, position).get((table, column))
        fit = seen.fits(position, kind, column)
        if match and match.certainty * fit >= ASKED / 2:
            ranked.append((match.certainty * fit, position))
        elif not match and fit >= SURE and _is_telling(seen, position, kind, table, column):
            ranked.append((0.1, position))
    return [position for _certainty, position in sorted(ranked, key=lambda one: (-one[0], one[1]))]


def _is_telling(seen: Seen, position: int, kind: str, table: str, column: str) -> bool:
    """Tell whether values alone make a header worth a question."""
    if not (seen.has_rows and contract()[table][column].required):
        return False
    if kind in ("date", "month"):
        return True
    if kind in ("money", "number"):
        return seen.columns[position].n_distinct > 1
    return seen.columns[position].n_distinct > 1 and not seen.columns[position].has_decimals
