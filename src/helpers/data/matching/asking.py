"""Asking: what headers and values leave open, one numbered question to a person at a time."""

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from helpers.data.matching import draft, placing
from helpers.data.matching.draft import Choices, shown
from helpers.data.matching.placing import ASKED, KEYS, Placed, Sheet
from helpers.data.matching.values import CLOCK
from helpers.settings import contract, refusal

MOST_CHOICES = 9  # a digit each
EXAMPLES = 3  # values shown of a header


class Question(NamedTuple):
    """A question with its answers; `proposed` is the position of the likeliest, -1 for none."""

    text: str
    choices: list[str]
    proposed: int = -1


# gives the position of the choice, or -1 to leave the question open
Ask = Callable[[Question], int]


def drafted(sheets: Sequence[Sheet], out: Path, ask: Ask | None = None) -> tuple[str, list[str]]:
    """Draft the toml of some sheets; give it, and the sheets of which nothing is in it.

    Parameters
    ----------
    sheets
        What was seen of the files, as many rows of each as were read.
    out
        Where the toml will lie.
    ask
        Puts a question to a person; without it only what is sure is placed.

    Raises
    ------
    DataError
        If there is no sheet with a header, or a file can't be named in a toml.
    """
    sheets = [sheet for sheet in sheets if any(header.strip() for header in sheet.header)]
    if not sheets:
        raise refusal("map_no_header")
    found = [placing.placed(sheet) for sheet in sheets]
    choices = Choices()
    if ask:
        found = [_answered(placed, ask) for placed in found]
        choices = Choices(_brand(found, ask), _formats(found, ask))
    return draft.draft(found, out, choices), draft.unused(found)


def _named(sheet: Sheet) -> str:
    name = f" ({shown(sheet.name)})" if sheet.name else ""
    return f"{shown(Path(sheet.file).name)}{name}"


def _answered(placed: Placed, ask: Ask) -> Placed:
    """Ask which table a sheet is where that is open, then for the columns that are not sure."""
    table = ""
    if placed.rivals:
        tables = [placed.table, *placed.rivals]
        answer = ask(
            Question(
                f"{_named(placed.sheet)}: what is it?",
                [f"{name}: {draft.TABLES.get(name, name)}" for name in tables],
                0,
            )
        )
        table = tables[answer] if answer >= 0 else ""
        placed = placing.placed(placed.sheet, table) if table else placed
    fixed: dict[int, str] = {}
    for of, column in _open_columns(placed):
        if column in placed.sure(of):
            continue  # an answer before has settled it
        positions = placing.candidates(placed, of, column)[:MOST_CHOICES]
        if not positions:
            continue
        likely = _certainty(placed, positions[0], of, column) >= ASKED
        answer = ask(
            Question(
                f"{_named(placed.sheet)}: which header is {of}.{column} "
                f"({contract()[of][column].meaning})?",
                [_with_examples(placed.sheet, position) for position in positions],
                0 if likely else -1,
            )
        )
        if answer >= 0:
            fixed[positions[answer]] = f"{of}.{column}"
            placed = placing.placed(placed.sheet, table or placed.table, fixed)
    return placed


def _open_columns(placed: Placed) -> list[tuple[str, str]]:
    """List the columns to ask for: required ones without a header, then those in doubt."""
    required = [(placed.table, column) for column in placed.missing()]
    doubtful = [
        (p.table, p.column)
        for p in placed.placements
        if p.column and not p.is_sure and p.column not in placed.sure(p.table)
    ]
    # whose dealers or products have no id can't be told apart: their names need not be asked for
    doubtful = [
        (table, column)
        for table, column in doubtful
        if table == placed.table or KEYS[table] in placed.sure()
    ]
    return list(dict.fromkeys([*required, *doubtful]))


def _certainty(placed: Placed, position: int, table: str, column: str) -> float:
    return max(
        (
            p.confidence
            for p in placed.placements
            if (p.position, p.table, p.column) == (position, table, column)
        ),
        default=0.0,
    )


def _with_examples(sheet: Sheet, position: int) -> str:
    cells = [row[position].strip() for row in sheet.rows if position < len(row)]
    told = [shown(cell, 20) for cell in dict.fromkeys(filter(None, cells))][:EXAMPLES]
    return f"{shown(sheet.header[position])}" + (f"  e.g. {', '.join(told)}" if told else "")


def _brand(found: Sequence[Placed], ask: Ask) -> str:
    brands = draft.brands_of(found)[:MOST_CHOICES]
    if not brands:
        return ""
    total = sum(n for _brand, n in draft.brands_of(found))
    answer = ask(
        Question(
            "Which brand is ours? Left open, all lines are ours",
            [f"{shown(brand)}  {n / total:.0%} of the first lines" for brand, n in brands],
        )
    )
    return brands[answer][0] if answer >= 0 else ""


def _formats(found: Sequence[Placed], ask: Ask) -> dict[tuple[int, int], str]:
    """Ask how days are written where day and month can't be told apart."""
    told = {}
    for number, placed in enumerate(found):
        for column, placement in placed.sure().items():
            forms = placed.formats.get(placement.position, ())
            is_day = contract()[placed.table][column].kind in ("date", "month")
            if not is_day or len(forms) < 2 or forms[0] in draft.NATIVE:
                continue
            cells = [row[placement.position] for row in placed.sheet.rows if row]
            example = next((cell for cell in cells if cell.strip()), "")
            answer = ask(
                Question(
                    f"{_named(placed.sheet)}: how is {shown(placement.header)} written, e.g. "
                    f"{shown(example)}?",
                    [f"{form}  {_spelled(example, form)}" for form in forms],
                )
            )
            if answer >= 0:
                told[number, placement.position] = forms[answer]
    return told


def _spelled(example: str, form: str) -> str:
    """Spell out what a day would be."""
    day = dt.datetime.strptime(CLOCK.sub("", example.strip()), form)
    return f"{day.day} {day:%B %Y}"
