"""Tables as people export them, in dialects that csv can write: for the reader that is told
nothing, and for Python's csv that is told all.
"""

import csv
import io
from typing import NamedTuple

from hypothesis import strategies as st

from helpers.data.readers import layouts, opening
from helpers.data.readers.grid import ReadAs

LETTERS = st.characters(whitelist_categories=("Lu", "Ll", "Lo"), max_codepoint=0x9FFF)
WORD = st.text(LETTERS, min_size=1, max_size=8)
# what must be in quotes, or looks as if it were
AWKWARD = st.sampled_from(
    ['say "so"', "two\nlines", "a, b", "c; d", "e | f", "it's", '5" pipe', "", "x\ty", "(1)"]
)
TEXT = st.one_of(st.lists(WORD, min_size=1, max_size=3).map(" ".join), AWKWARD)
COLUMNS = {
    "id": st.integers(0, 99_999).map("D{:05d}".format),
    "day": st.dates().filter(lambda day: day.year > 1900).map(str),
    "amount": st.decimals(-99_999, 99_999, places=2).map(str),
    "pieces": st.integers(0, 500).map(str),
    "text": TEXT,
}


class Case(NamedTuple):
    """A table and how it is written."""

    rows: list[list[str]]
    delimiter: str
    quoting: int
    end: str
    encoding: str


@st.composite
def cases(draw) -> Case:
    """Draw a header, at least eight rows of typed columns, and a dialect."""
    kinds = ["id", draw(st.sampled_from(["day", "amount", "pieces"]))]
    kinds += draw(st.lists(st.sampled_from(list(COLUMNS)), max_size=5))
    header = [f"{kind}_{i}" for i, kind in enumerate(kinds)]
    row = st.tuples(*(COLUMNS[kind] for kind in kinds)).map(list)
    rows = draw(st.lists(row, min_size=8, max_size=40))
    return Case(
        [header, *rows],
        draw(st.sampled_from([",", ";", "\t", "|", "^"])),
        draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])),
        draw(st.sampled_from(["\n", "\r\n"])),
        draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])),
    )


def difference(case: Case, path) -> str:
    """Write a case, read it told nothing, and say where csv, told the dialect, reads otherwise."""
    text = io.StringIO()
    writer = csv.writer(
        text, delimiter=case.delimiter, quoting=case.quoting, lineterminator=case.end
    )
    writer.writerows(case.rows)
    path.write_bytes(text.getvalue().encode(case.encoding))
    lines = io.StringIO(text.getvalue(), newline="")
    expected = list(csv.reader(lines, delimiter=case.delimiter))
    found = opening.read(path, ReadAs(), path.name)
    rows = [list(found.layout.header)]
    rows += [list(row.cells) for row in layouts.rows_of(found.grid, found.layout)]
    if rows == expected and not found.notes:
        return ""
    for number, (ours, theirs) in enumerate(zip(rows, expected, strict=False), start=1):
        if ours != theirs:
            return f"row {number}: {ours} instead of {theirs}"
    return f"{len(rows)} rows instead of {len(expected)}: {found.notes}"
