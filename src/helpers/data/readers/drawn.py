"""Drawn tables: lists printed for people, with lines of dashes, bars, and columns of equal width.

SAP's lists, what psql, mysql and sqlcmd print, tables of Markdown, and text whose columns are told
by the blanks that all rows share. Nothing of them is guessed: a line that does not keep to the
columns becomes one cell, and whoever looks at the rows refuses it or takes it for a remark.
"""

import functools
import itertools
import operator
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from helpers.data.readers.dialects import DATE, NUMBER
from helpers.data.readers.grid import Row

BARS = "|│║┃"
# a line that draws: of at least three dashes, with what may stand where lines cross
RULE = re.compile(r"[-=─═━|│║┃+:*'`.,┌┬┐├┼┤└┴┘╔╦╗╠╬╣╚╩╝╟╫╢╒╤╕╞╪╡╘╧╛\s]+")
DASHES = re.compile(r"[-=─═━]{3}|\|\s*:?-+:?\s*\|")
# one value a line instead of one row: psql's \x, mysql's \G
RECORDS = re.compile(r"-\[ RECORD \d+ \]|\*{3,} \d+\. row \*{3,}")
HEAD_LINES = 300
LEAST_ROWS = 3  # below the header, to tell columns by their blanks alone
MOST_ABOVE, MOST_BELOW = 12, 6  # lines around a table that do not keep to its columns
KEPT = 0.9  # of the lines keep to the columns; the others are titles, remarks, heads of pages
WIDEST = 2000  # letters of a line that is printed
TYPED = 0.8  # of a column's cells are numbers or days
FOOT = re.compile(r"\(\d[\d,]* (?:rows?|行|строк\w*|Zeilen?|filas?|lignes?)(?: affected)?\)")


class Drawn(NamedTuple):
    """How a table is drawn.

    `bounds` are the columns' first and last places on the screen, where bars part them those of the
    bars; `header` is the first line of cells, by which the head of a page is known again.
    """

    bounds: tuple[tuple[int, int], ...]
    header: tuple[str, ...]
    bar: str = ""  # "" where only blanks part the columns
    is_boxed: bool = False  # a bar stands at both ends of a line, too
    is_markdown: bool = False  # where a bar in a cell is written \|


def drawn(lines: Sequence[str]) -> Drawn | None:
    r"""Tell how a text is drawn by its first lines; None where it is not.

    >>> found = drawn(["+----+-----+\n", "| id | sum |\n", "+----+-----+\n", "| A1 | 1.5 |\n"])
    >>> found.header, found.is_boxed
    (('id', 'sum'), True)
    """
    texts = [_plain(line) for line in lines[:HEAD_LINES]]
    if not any(map(is_rule, texts)):
        return _by_blanks(texts)
    return _by_bars(texts) or _by_rule(texts) or _by_blanks(texts)


def lists_records(lines: Sequence[str]) -> int:
    """Give the line, from 1, on which a text turns to one value a line; 0 where it does not."""
    found = (n for n, line in enumerate(lines[:HEAD_LINES], 1) if RECORDS.match(line.strip()))
    return next(found, 0)


def is_rule(text: str) -> bool:
    """Whether a line draws and says nothing.

    >>> is_rule("|---|:--:|"), is_rule("----  -----"), is_rule("-5.00"), is_rule("--")
    (True, True, False, False)
    """
    return bool(RULE.fullmatch(text)) and bool(DASHES.search(text))


def rows(lines: Iterable[str], found: Drawn) -> Iterator[Row]:
    """Give the rows of a drawn table, each with its line.

    A line that draws, and the head of a page that is printed again, is a row without any cell; what
    else does not keep to the columns is a row of one.
    """
    numbered = ((n, _plain(line)) for n, line in enumerate(lines, 1))
    waiting: list[tuple[int, str]] = []  # between two parts of the table: the head of a page?
    is_begun = is_within = False
    for n, text in numbered:
        cells = None if is_rule(text) or not text.strip() else _cells(text, found)
        if cells is None:
            may_wait = is_begun and (not is_within or not text.strip() or is_rule(text))
            if may_wait and not FOOT.fullmatch(text.strip()):
                waiting.append((n, text))
                is_within = False
                continue
            yield _other(n, text)
            continue
        # lines before the header once more are the head of a page, whatever they say
        is_head = is_begun and tuple(cells) == found.header
        for line, other in waiting:
            yield Row(line, []) if is_head and other.strip() else _other(line, other)
        waiting = []
        is_begun = is_begun or tuple(cells) == found.header
        is_within = True
        yield Row(n, cells)
    for line, other in waiting:
        yield _other(line, other)


def _other(line: int, text: str) -> Row:
    return Row(line, [] if is_rule(text) else [text.strip()])


def _plain(line: str) -> str:
    return line.rstrip("\r\n").replace("\f", " ").removeprefix("\ufeff").rstrip()


# ---- bars ----------------------------------------------------------------------------------------


def _by_bars(texts: Sequence[str]) -> Drawn | None:
    said = [text for text in texts if text.strip() and not is_rule(text)]
    counted = Counter(mark for mark in BARS for text in said if mark in text)
    if not counted:
        return None
    bar = counted.most_common(1)[0][0]
    parted = [text for text in said if bar in text]
    boxed = [t for t in parted if t.strip()[0] == bar and t.strip()[-1] == bar]
    is_boxed = len(boxed) >= KEPT * len(parted)
    # a table has dashes under its header or above it, a file that a bar parts has none
    first = next(i for i, text in enumerate(texts) if text in parted)
    around = [text for text in texts[max(first - 1, 0) : first + 2] if is_rule(text)]
    if not around or len(parted) < 2 or (not is_boxed and not _parts_alike(around[0], parted, bar)):
        return None
    is_markdown = bar == "|" and any(re.search(r"-:?\s*\|\s*:?-|\|\s*:?-", t) for t in around)
    width = Counter(len(_split(t, bar, is_boxed, is_markdown)) for t in parted).most_common(1)[0][0]
    if width < 2:
        return None
    whole = [t for t in parted if len(_split(t, bar, is_boxed, is_markdown)) == width]
    header = tuple(_split(whole[0], bar, is_boxed, is_markdown))
    places = [i for i, letter in enumerate(_on_screen(whole[0])) if letter == bar]
    places = places if is_boxed else [-1, *places, 1 << 30]
    bounds = tuple((a + 1, b) for a, b in itertools.pairwise(places))
    return Drawn(bounds if len(bounds) == width else (), header, bar, is_boxed, is_markdown)


def _parts_alike(rule: str, parted: Sequence[str], bar: str) -> bool:
    """Whether a rule crosses as often as a line has bars: ---+--- under a | b."""
    crossed = sum(letter in "+┼╪╫╬|" for letter in rule)
    return 0 < crossed == parted[0].count(bar)


def _split(text: str, bar: str, is_boxed: bool, is_markdown: bool) -> list[str]:
    text = text.strip()
    if is_markdown:
        text = text.replace("\\|", "\0")
    parts = text.split(bar)
    if is_boxed:
        parts = parts[1:-1] if text.startswith(bar) and text.endswith(bar) else []
    return [part.strip().replace("\0", "|") for part in parts]


def _cells(text: str, found: Drawn) -> list[str] | None:
    """Part a line; None where it is no row of the table."""
    width = len(found.header)
    if found.bar:
        if found.bar not in text:
            return None
        cells = _split(text, found.bar, found.is_boxed, found.is_markdown)
        if len(cells) > width and found.bounds:  # a bar in a cell: the others stand where they do
            shown = _on_screen(text)
            if all(shown[a - 1 : a] == found.bar for a, _b in found.bounds[1:]):
                cells = [shown[a:b].replace("\0", "").strip() for a, b in found.bounds]
                cells[-1] = cells[-1].rstrip(found.bar).strip() if found.is_boxed else cells[-1]
        return cells or None
    shown = _on_screen(text)
    ends = [b for _a, b in found.bounds[:-1]]
    begins = [a for a, _b in found.bounds[1:]]
    if any(shown[b:a].strip() for b, a in zip(ends, begins, strict=True)):
        return None
    return [shown[a:b].replace("\0", "").strip() for a, b in found.bounds]


# ---- blanks --------------------------------------------------------------------------------------


def _by_rule(texts: Sequence[str]) -> Drawn | None:
    """Tell the columns by the dashes under each of their names, as sqlcmd prints them."""
    for at in range(1, len(texts)):
        dashes = list(re.finditer(r"[-=─═]+", texts[at]))
        if not (len(dashes) > 1 and is_rule(texts[at]) and not set(texts[at]) & set(BARS + "+")):
            continue
        places = [found.start() for found in dashes]
        ends = [found.end() for found in dashes]
        shown = _on_screen(texts[at - 1])
        bounds = tuple(zip(places, [*ends[:-1], 1 << 30], strict=True))
        header = tuple(shown[a:b].replace("\0", "").strip() for a, b in bounds)
        between = [shown[b:a] for b, a in zip(ends, places[1:], strict=False)]
        if all(header) and not any(part.strip() for part in between):
            return Drawn(bounds, header)
    return None


def _by_blanks(texts: Sequence[str]) -> Drawn | None:
    """Tell the columns by the blanks that all lines share, but for titles above and remarks below.

    One blank parts words as well as columns: it takes two, in each line.
    """
    said = [text for text in texts if text.strip() and not is_rule(text)]
    gapped = sum("  " in text.strip() for text in said)
    if gapped < len(said) / 2 or any("\t" in text or len(text) > WIDEST for text in said):
        return None
    shown = [_on_screen(text) for text in said]
    written = [_written(line) for line in shown]
    tried = itertools.product(range(MOST_ABOVE + 1), range(MOST_BELOW + 1))
    for above, below in sorted(tried, key=sum):
        lines = shown[above : len(shown) - below]
        if len(lines) <= LEAST_ROWS:
            continue
        bounds = _columns(functools.reduce(operator.or_, written[above : len(shown) - below]))
        parts = [[line[a:b].replace("\0", "").strip() for a, b in bounds] for line in lines]
        if len(bounds) > 1 and _is_table(parts):
            return Drawn(bounds, tuple(parts[0]))
    return None


def _written(line: str) -> int:
    """Give the places where a line is not blank, as bits."""
    return int("".join("0" if letter == " " else "1" for letter in reversed(line)) or "0", 2)


def _columns(written: int) -> tuple[tuple[int, int], ...]:
    """Give the columns between places that no line writes to.

    >>> _columns(0b110011)
    ((0, 2), (4, 6))
    """
    places = f"{written:b}"[::-1]
    return tuple(found.span() for found in re.finditer(r"1(?:0?1)*", places))


def _is_table(parts: Sequence[Sequence[str]]) -> bool:
    """Whether a header of words stands above columns of which one is of numbers or days."""
    header, *below = parts
    if len(below) < LEAST_ROWS or not all(header) or any(map(_is_typed, header)):
        return False
    columns = [[cell for cell in column if cell] for column in zip(*below, strict=True)]
    return any(column and sum(map(_is_typed, column)) >= TYPED * len(column) for column in columns)


def _is_typed(cell: str) -> bool:
    return bool(NUMBER.fullmatch(cell) or DATE.fullmatch(cell))


def _on_screen(text: str) -> str:
    r"""Write a text as wide as it is shown: a Chinese character takes two places, the second \0.

    >>> _on_screen("A类|")
    'A类\x00|'
    """
    if text.isascii():
        return text
    return "".join(
        letter + "\0" if unicodedata.east_asian_width(letter) in "WF" else letter for letter in text
    )
