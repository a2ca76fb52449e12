r"""Dialects: which character parts the cells of a text file, told by what its lines have in common.

A good dialect gives most lines the same number of cells and leaves cells that mean something
(numbers, dates, words); the measure is that of van den Burg, Nazábal and Sutton, "Wrangling messy
CSV files by detecting row and type patterns" (2019), with the share of the commonest width in
place of their mean over all widths, so that one bad line costs one line.
"""

import itertools
import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from helpers.data.readers.records import Dialect, records

DELIMITERS = (",", ";", "\t", "|", "^", " ")
SAMPLE_LINES = 3000
SAMPLE_ROWS = 300
LEAST = 0.5  # of the rows have as many cells as the one before, or there is no delimiter
BLANK_LEAST = 0.9  # the same where blanks would be the delimiter
HINT = re.compile(r"\ufeff?\s*sep=(.)\s*$", re.IGNORECASE)  # as Excel reads it
NUMBER = re.compile(
    r"[-+−(]?\s*(?:[€$£¥￥₽₹]|[A-Z]{3})?\s*[-+−]?\d[\d.,'’_ \u00a0\u202f]*"
    r"(?:[eE][-+]?\d+)?\s*(?:%|[€$£¥￥₽₹元万亿]|[A-Z]{2,3})?\s*[-)]?"
)
DATE = re.compile(
    r"\d{1,4}[-/.年]\s?\d{1,2}(?:[-/.月]\s?(?:\d{1,4}日?)?)?(?:[T ].*\d)?(?:Z|[+-]\d\d:?\d\d)?"
    r"|\d{1,2}[- ][A-Za-z]{3,9}[- ,]+\d{2,4}|[A-Za-z]{3,9}[- ]\d{1,2}?,?[- ]\d{4}"
    r"|\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?"
)
WORDS = re.compile(r"[^\W_](?:[\w .&/()'’+#:@%*?!=~$€°²³·°<>\[\]，。、（）：！？—–-]|\\(?!\"))*")


class Detected(NamedTuple):
    """A dialect, the number of cells most rows have, and how sure it is (0–1)."""

    dialect: Dialect
    width: int
    score: float


def detected(lines: Sequence[str]) -> Detected:
    r"""Tell the dialect of a file from its first lines.

    Parameters
    ----------
    lines
        Physical lines with their ends; some hundred will do.

    Examples
    --------
    >>> found = detected(["day;sum\n", "2026-10-03;1234,50\n", "2026-10-04;7,25\n"])
    >>> found.dialect.delimiter, found.width
    (';', 2)
    """
    if lines and (hint := HINT.match(lines[0])):
        dialect = Dialect(hint.group(1), *_quoting(lines[1:], hint.group(1)))
        return Detected(dialect, _judged(lines[1:], dialect)[1], 1.0)
    best = Detected(Dialect(""), 1, 0.0)
    for delimiter in DELIMITERS:
        if not any(delimiter in line for line in lines):
            continue
        dialect = Dialect(delimiter, *_quoting(lines, delimiter))
        score, width = _judged(lines, dialect)
        if score > best.score:
            best = Detected(dialect, width, score)
    return best


def _quoting(lines: Sequence[str], delimiter: str) -> tuple[str, str, bool]:
    """Tell quote, escape and whether blanks stand behind the delimiters, given the delimiter."""
    ends = re.escape(delimiter)
    text = "\n" + "".join(lines[:SAMPLE_LINES])
    # an apostrophe may begin or end a word, or a number that is text; a quote does both
    quotes = {
        quote: min(
            len(re.findall(rf"(?:[\r\n]|{ends})[ ]?{quote}(?=[^\r\n])", text)),
            len(re.findall(rf"(?<=[^\r\n]){quote}[ ]?(?={ends}|[\r\n])", text)),
        )
        for quote in ('"', "'")
    }
    quote = "'" if quotes["'"] > 3 * quotes['"'] + 2 else '"'
    # a backslash before a quote in the middle of a cell
    inside = re.findall(rf"\\{quote}(?!\s*(?:{ends}|[\r\n]))|\\{quote}(?={quote})", text)
    n_after = len(re.findall(rf"{ends}[ ](?=\S)", text))
    n_all = text.count(delimiter)
    has_blanks = delimiter not in (" ", "\t") and n_all > 0 and n_after >= 0.8 * n_all
    return quote, "\\" if inside else "", has_blanks


def _judged(lines: Sequence[str], dialect: Dialect) -> tuple[float, int]:
    rows = [
        row.cells
        for row in itertools.islice(records(lines[:SAMPLE_LINES], dialect), SAMPLE_ROWS)
        if any(cell.strip() for cell in row.cells)
    ]
    if not rows:
        return 0.0, 1
    widths = Counter(n for row in rows if (n := len(row)) > 1)
    if not widths:
        return 0.0, 1
    width = max(widths, key=widths.get)  # the first of several: a second table comes later
    alike = [row for row in rows if len(row) == width]
    # what follows one another is alike even where one table follows another, of other columns
    ordered = [len(row) for row in rows]
    following = sum(a == b > 1 for a, b in itertools.pairwise(ordered))
    share = (following + 1) / len(rows)
    if share < LEAST:
        return 0.0, width
    # text has blanks anyway: a file of one column of text must not fall apart
    if dialect.delimiter == " " and (share < BLANK_LEAST or not _has_numbers(alike)):
        return 0.0, width
    cells = [cell.strip() for row in alike[:100] for cell in row]
    typed = sum(map(_means_something, cells)) / len(cells)
    likely = 0.6 if dialect.delimiter == " " else 1
    return likely * share * typed**2 * (1 - 1 / width) * (1 + math.log2(width) / 100), width


def _has_numbers(rows: list[list[str]]) -> bool:
    """Whether a column is of numbers or days, but for its header."""
    return any(
        all(NUMBER.fullmatch(cell) or DATE.fullmatch(cell) for cell in column[1:])
        for column in zip(*rows, strict=True)
        if len(column) > 1
    )


def _means_something(cell: str) -> float:
    if not cell:
        return 0.9
    if NUMBER.fullmatch(cell) or DATE.fullmatch(cell):
        return 1.0
    if WORDS.fullmatch(cell):
        return 1.0
    if re.search(r"[;|\t^]|^['\"]|['\"]$", cell):
        return 0.0
    return 0.9
