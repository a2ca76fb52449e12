r"""Records: lines of delimited text become rows of cells, whatever stands in them.

Python's `csv` reads what is as it should be; the rest is read cell by cell, so that a quote too
many costs one cell and not all the rows behind it.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from helpers.data.readers.grid import Row

MOST_LINES = 1000  # of one cell: a quote that does not end within so many never does
MOST_ENDS = 3  # of a cell in quotes, where several quotes may be its end
MOST_TRIED = 64  # ways to read a line with misplaced quotes
STANDS_FOR_A_QUOTE = "\ue000"  # of Unicode's private area, while a line is taken apart


class Dialect(NamedTuple):
    r"""How a file parts its cells.

    `escape` is "\\" where a quote in quotes is written so, "" where it is doubled or not marked
    at all; `has_blanks` says that blanks stand behind each delimiter and are no text.
    """

    delimiter: str  # "" where a line is one cell
    quote: str = '"'
    escape: str = ""
    has_blanks: bool = False


def records(lines: Iterable[str], dialect: Dialect, width: int = 0) -> Iterator[Row]:
    r"""Read lines as rows.

    Parameters
    ----------
    lines
        Physical lines with their ends, as a text stream opened with `newline=""` gives them.
    dialect
        How their cells are parted.
    width
        Cells that a row should have; of several ways to read a line, the one that has so many is
        taken. 0: not known.

    Examples
    --------
    >>> [row.cells for row in records(['a,"b\n', 'c"\n', 'd,""e"\n'], Dialect(","))]
    [['a', 'b\nc'], ['d', '"e']]
    """
    source = _Lines(lines)
    while (start := source.take()) is not None:
        line, number = start
        if dialect.escape:
            line = _unescaped(line, dialect)
        text = line.rstrip("\r\n")
        if not dialect.quote or dialect.quote not in text:
            cells = _plain(text.replace(STANDS_FOR_A_QUOTE, dialect.quote), dialect)
            yield Row(number, cells)
            continue
        cells, is_stray = _strict([text], dialect), False
        if cells is None:
            cells = _several_lines(source, line, dialect, width)
        elif width and len(cells) != width:
            other = _tolerant(text, dialect, width)
            if len(other) == width:
                cells, is_stray = other, True
        if cells is None:
            cells, is_stray = _tolerant(text, dialect, width), True
        is_stray = is_stray or _is_torn(cells, dialect.quote)
        if dialect.escape:
            cells = [cell.replace(STANDS_FOR_A_QUOTE, dialect.quote) for cell in cells]
        yield Row(number, cells, is_stray)


def _unescaped(line: str, dialect: Dialect) -> str:
    """Write what stands for a quote where one is escaped; a backslash before aught else is text."""
    escaped = rf"(?<!\\)((?:\\\\)*)\\{re.escape(dialect.quote)}"
    return re.sub(escaped, rf"\1{STANDS_FOR_A_QUOTE}", line)


class _Lines:
    """Lines that can be taken back, with their numbers."""

    def __init__(self, lines: Iterable[str]):
        self._lines = iter(lines)
        self._back: list[tuple[str, int]] = []
        self._n = 0

    def take(self) -> tuple[str, int] | None:
        if self._back:
            return self._back.pop()
        line = next(self._lines, None)
        if line is None:
            return None
        self._n += 1
        return line, self._n

    def give_back(self, taken: list[tuple[str, int]]) -> None:
        self._back += reversed(taken)


def _plain(text: str, dialect: Dialect) -> list[str]:
    if not dialect.delimiter:
        return [text]
    cells = text.split(dialect.delimiter)
    return [cells[0], *(cell.lstrip(" ") for cell in cells[1:])] if dialect.has_blanks else cells


def _strict(lines: list[str], dialect: Dialect) -> list[str] | None:
    """Read what is as it should be; None where a quote is not, or does not end."""
    try:
        return next(
            csv.reader(
                lines,
                delimiter=dialect.delimiter or "\0",
                quotechar=dialect.quote,
                doublequote=True,
                skipinitialspace=dialect.has_blanks,
                strict=True,
            )
        )
    except (csv.Error, StopIteration):
        return None


def _several_lines(source: _Lines, line: str, dialect: Dialect, width: int) -> list[str] | None:
    """Read a row of which a cell runs over the line's end; None where none does.

    The quotes must come out even, and where the number of cells is known, so must that; else the
    lines are taken back.
    """
    joined, taken = [line], []
    n_quotes = line.count(dialect.quote)
    while len(taken) < MOST_LINES and (more := source.take()) is not None:
        taken.append(more)
        text = _unescaped(more[0], dialect) if dialect.escape else more[0]
        joined.append(text)
        n_quotes += text.count(dialect.quote)
        if n_quotes % 2 or dialect.quote not in text:
            continue
        whole = [*joined[:-1], joined[-1].rstrip("\r\n")]
        cells = _strict(whole, dialect)
        if cells is not None and (not width or len(cells) == width):
            return cells
        if cells is None and not _is_open("".join(whole), dialect):
            break
    source.give_back(taken)
    return None


def _is_torn(cells: list[str], quote: str) -> bool:
    """Whether a cell seems to have begun in quotes within another and to end further on.

    `boots"These, of leather, are warm."` has lost a delimiter; `5" pipe` has not.
    """
    begins = False
    for cell in cells:
        if begins and cell.endswith(quote) and not cell.startswith(quote):
            return True
        begins = begins or bool(re.search(rf"\S{re.escape(quote)}[^\W\d_]", cell))
    return False


def _is_open(text: str, dialect: Dialect) -> bool:
    """Whether the last cell of what was read so far still is in quotes."""
    ends = re.escape(dialect.delimiter) if dialect.delimiter else "(?!)"
    quote = re.escape(dialect.quote)
    closed = rf"(?:^|{ends})\s*{quote}(?:[^{quote}]|{quote}{quote})*{quote}(?={ends}|\s*$)"
    rest = re.sub(closed, "", text)
    return quote in rest


def _tolerant(text: str, dialect: Dialect, width: int) -> list[str]:
    """Read a line with misplaced quotes.

    A cell that begins with a quote is in quotes up to one before a delimiter or the end (whatever
    stands between), or the quote is a character of it; of all ways the one with the right number
    of cells and the fewest oddities is taken.
    """
    best: tuple[tuple, list[str]] | None = None
    tried = 0
    stack: list[tuple[int, list[str], int]] = [(0, [], 0)]
    while stack and tried < MOST_TRIED:
        at, cells, oddities = stack.pop()
        cells = list(cells)
        while True:
            ways = _cell_ways(text, at, dialect)
            # the later ones are tried when this one has come to its end
            for cell, end, odd in reversed(ways[1:]):
                if len(stack) < MOST_TRIED:
                    stack.append((end, [*cells, cell], oddities + odd))
            cell, at, odd = ways[0]
            cells.append(cell)
            oddities += odd
            if at > len(text):
                break
        tried += 1
        rank = (bool(width) and len(cells) != width, oddities)
        if best is None or rank < best[0]:
            best = (rank, cells)
        # a way that was put aside may have ended already
        while stack and stack[-1][0] > len(text):
            _end, ended, odd = stack.pop()
            rank = (bool(width) and len(ended) != width, odd)
            if rank < best[0]:
                best = (rank, ended)
    return best[1] if best else [text]


def _cell_ways(text: str, at: int, dialect: Dialect) -> list[tuple[str, int, int]]:
    """List the ways to read the cell at a place: (cell, where the next begins, oddities).

    The place behind the end stands for the end of the line.
    """
    quote, delimiter = dialect.quote, dialect.delimiter
    begin = at
    if dialect.has_blanks and at:
        while begin < len(text) and text[begin] == " ":
            begin += 1
    end = text.find(delimiter, begin) if delimiter else -1
    end = len(text) if end < 0 else end
    bare = text[begin:end]
    literal = (bare, end + len(delimiter or " "), 3 if bare.endswith(quote) else 2)
    if not text.startswith(quote, begin):
        return [(bare, end + len(delimiter or " "), 0)]
    if strict := _quoted(text, begin, dialect, is_strict=True):
        return [(*strict, 0)]
    loose = [
        (*found, n)
        for n in range(1, MOST_ENDS + 1)
        if (found := _quoted(text, begin, dialect, is_strict=False, nth=n))
    ]
    return [*loose, literal]


def _quoted(
    text: str, at: int, dialect: Dialect, is_strict: bool, nth: int = 1
) -> tuple[str, int] | None:
    """Read a cell in quotes that begins at a place; None where it does not end as it should.

    It ends at the `nth` quote that may be its end: `"say "so", he"` has two.
    """
    quote, delimiter = dialect.quote, dialect.delimiter
    found, i = [], at + len(quote)
    while i < len(text):
        if text[i] != quote:
            found.append(text[i])
            i += 1
        elif _ends(text, i + 1, delimiter) and nth > 1:
            nth -= 1
            found.append(quote)
            i += 1
        elif _ends(text, i + 1, delimiter):
            behind = i + 1
            while behind < len(text) and text[behind] == " " and delimiter != " ":
                behind += 1
            return "".join(found), behind + len(delimiter or " ")
        elif text.startswith(quote, i + 1):
            if not is_strict and _ends(text, i + 2, delimiter) and _even(text, i + 2, quote):
                # 48"", : a quote that nobody doubled, and the one that ends the cell
                found.append(quote)
                i += 1
                continue
            found.append(quote)
            i += 2
        elif is_strict:
            return None
        else:
            found.append(quote)
            i += 1
    return None


def _ends(text: str, at: int, delimiter: str) -> bool:
    while at < len(text) and text[at] == " " and delimiter != " ":
        at += 1
    return at >= len(text) or (bool(delimiter) and text.startswith(delimiter, at))


def _even(text: str, at: int, quote: str) -> bool:
    return text.count(quote, at) % 2 == 0
