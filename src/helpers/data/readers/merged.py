"""Merged cells: which of them are labels that hold for all they cover, and which are not.

A spreadsheet keeps the value of merged cells in the first of them. What people merge, and what
becomes of it:

- a dealer, an order, a date over its lines: a label, filled down;
- an amount over the lines that it sums up: filled down it would be counted once a line, so it stays
  where it is. A number is a label only where its header says so (`id`, `year`, 编号, …);
- a group over several headers ("2026-10" over quantity and amount): filled to the right;
- a title, a remark, the word of a total over several columns: looks, that stay as they are.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from helpers.data.readers.grid import Note

HEAD_ROWS = 40  # in which headers are looked for

# a header over numbers that name something: they may be repeated, no sum does that to them
_NAMES_SOMETHING = re.compile(
    r"(?<![a-z])(id|ids|no|nr|num|number|nummer|code|key|sku|ean|gtin|year|month|quarter|week|day|"
    r"date|jahr|monat)(?![a-z])|(?-i:[a-z]ID)\b|编[号码]|代[号码]|單號|编號|編號|[号號年月日]$|日期|期间|期間|季度",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"\(?[-+]?\s*[^\w\s(]?\s*\d[\d.,' \u00a0\u202f]*\s*[%元€$£¥]?\)?-?")
_DAY = re.compile(r"\d{1,2}\.\d{1,2}\.(\d{4}|\d\d)|\d{4}\.\d{1,2}\.\d{1,2}")  # as text


class Merge(NamedTuple):
    """Merged cells, from 0, both ends within."""

    top: int
    left: int
    bottom: int
    right: int


class Fill(NamedTuple):
    """A text that holds for `column` of all rows from `top` to `bottom`, from 0."""

    top: int
    bottom: int
    column: int
    text: str


def fills(
    merges: Iterable[Merge], rows: Iterable[tuple[int, list[str]]], n_columns: int
) -> tuple[dict[int, list[Fill]], tuple[Note, ...]]:
    """Decide what merged cells hold for, and note it.

    Parameters
    ----------
    merges : in the coordinates of `rows`.
    rows : (row, cells) from 0, in order; they are gone through once.
    n_columns : that the sheet uses; who covers them all is a title.

    Returns
    -------
    The fills by their first row, and notes: `merged` (filled) and `merged_number` (not filled,
    since it may be a sum over the rows it covers).
    """
    at: dict[int, list[Merge]] = {}
    for merge in merges:
        at.setdefault(merge.top, []).append(merge)
    head: dict[int, list[str]] = {}
    anchors: list[tuple[Merge, str]] = []
    first: dict[int, int] = {}  # by column: where its first label over several rows stands
    for row, cells in rows:
        if row < HEAD_ROWS:
            head[row] = cells
        for merge in at.get(row, []):
            text = cells[merge.left] if merge.left < len(cells) else ""
            if text and merge.bottom > merge.top:
                is_alone = sum(map(bool, cells)) == 1
                if merge.right == merge.left or not is_alone:
                    anchors.append((merge, text))
    for merge, text in anchors:
        if not _is_word(text):
            first.setdefault(merge.left, merge.top)
    found: dict[int, list[Fill]] = {}
    filled, left_alone = [], []
    for merge, text in anchors:
        if _is_label(text, _header(head, merge.left, first.get(merge.left, merge.top))):
            found.setdefault(merge.top, []).append(Fill(merge.top, merge.bottom, merge.left, text))
            filled.append((merge, text))
        else:
            left_alone.append((merge, text))
    for row in sorted(head):
        wide = [m for m in at.get(row, []) if m.right > m.left and m.bottom == m.top]
        if _is_group_row(head[row], head.get(row + 1, []), wide, at.get(row, []), n_columns):
            for merge in wide:
                text = head[row][merge.left]
                found.setdefault(row, []).extend(
                    Fill(row, row, column, text) for column in range(merge.left, merge.right + 1)
                )
                filled.append((merge, text))
    return found, (*_note("merged", filled), *_note("merged_number", left_alone))


def _note(what: str, merges: list[tuple[Merge, str]]) -> list[Note]:
    if not merges:
        return []
    first, text = min(merges)
    n_rows = sum(merge.bottom - merge.top or 1 for merge, _text in merges)
    return [Note(what, first.top + 1, n_rows, text)]


def names_something(header: str) -> bool:
    """Whether a header stands over numbers that name something, as ids and years do."""
    return bool(_NAMES_SOMETHING.search(header))


def _is_word(text: str) -> bool:
    return not _AMOUNT.fullmatch(text.strip()) or bool(_DAY.fullmatch(text.strip()))


def _is_label(text: str, header: str) -> bool:
    if _is_word(text):
        return True  # a date, too: 2026-10-03 is no amount
    is_code = text[0] == "0" and text.isdigit() and len(text) > 1
    return is_code or bool(_NAMES_SOMETHING.search(header))


def _header(head: dict[int, list[str]], column: int, above: int) -> str:
    """Give a column's header: the lowest text over its first merged number."""
    texts = [
        cells[column]
        for row, cells in sorted(head.items())
        if row < above and column < len(cells) and cells[column] and _is_word(cells[column])
    ]
    return texts[-1] if texts else ""


def _is_group_row(
    row: list[str], below: list[str], wide: list[Merge], merges: list[Merge], n_columns: int
) -> bool:
    """Tell a row of groups over headers from a title, a remark and a total.

    Under groups stand headers, all of them words; and that they are groups shows in a header beside
    them which needs none, or in that the same headers recur under another.
    """
    if not wide or not all(map(_is_word_or_empty, (*row, *below))):
        return False
    under = [tuple(below[m.left : m.right + 1]) for m in wide]
    for merge, labels in zip(wide, under, strict=True):
        is_title = merge.right - merge.left + 1 >= n_columns
        n_labels = merge.right - merge.left + 1
        if is_title or len(labels) < n_labels or not all(labels) or len(set(labels)) < n_labels:
            return False
    covered = {column for m in wide for column in range(m.left, m.right + 1)}
    beside = [text for column, text in enumerate(row) if text and column not in covered]
    is_tall = any(m.bottom > m.top for m in merges)
    return bool(beside) or is_tall or len(set(under)) < len(under)


def _is_word_or_empty(text: str) -> bool:
    # a year or a month over its columns is a group, and is written as a number
    return not text or _is_word(text) or bool(re.fullmatch(r"(19|20)\d\d(0[1-9]|1[0-2])?", text))
