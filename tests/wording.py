"""What a reader sees of printed pages: numbers torn from their units, columns in two formats,
words that nobody translated, the dealer as "he", two names for one thing.
"""

import csv
import html
import json
import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path

from helpers import data, settings, words

PLAIN = " "
UNITS = (
    "%|k|m|bn|pp|CNY|元|万|亿|points?|days?|weeks?|months?|years?|dealers?|pieces?|models?|people|"
    "pages?|rows?|tables?|calls?|times|km|m²"
)
# written on purpose otherwise: what a reader copies, and what is no text
SKIPPED = {"style", "script", "code", "pre", "head", "title"}
TORN = re.compile(
    rf"\d{PLAIN}(?:{UNITS})(?![A-Za-z])|(?<![A-Za-z])CNY{PLAIN}[\d−]|\d{PLAIN}[\u4e00-\u9fff]"
)
NUMBER = re.compile(r"[+−]?(?:CNY\s)?[\d,]+(?:\.(\d+))?\s?(%|k|m|bn|万元|亿元|万|亿|元|pp)?")
LATIN = re.compile(r"[A-Za-z][A-Za-z'’-]{2,}")
# what names itself: files, columns of the contract, letters of three classes, languages, prints,
# programs
OWN_NAMES = re.compile(
    r"[\w-]+\.(?:csv|ipynb|xlsx|parquet|toml|zip|html)|\w+_\w+|\b[ABC–]{3}\b|English|\b[0-9a-f]{16}\b|"
    r"(?:python|pandas|customer-workbook) [\d.]+"
)
HE = re.compile(r"\b(?:he|his|him|himself)\b|\b(?:He|His) (?=[a-z])")
# the second name of a thing, which no page may use beside the first
SECOND_NAMES = {
    "en": {
        "turnover of": "revenue",
        "white city": "white spot",
        "account executive": "account manager",
        "customer account": "dealer",
        "sell-out of dealers": "sell-through",
        "A/R": "balance owed",
    },
    "zh-Hans": {
        "空白点": "空白城市",
        "经销商": "客户",
        "应收款余额": "欠款余额",
        "业务经理": "客户经理",
    },
}


class _Reader(HTMLParser):
    """Gather texts with the tag they stand in, alternative texts, and tables cell by cell."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[tuple[str, str]] = []
        self.alts: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.classes: list[str] = []
        self._open: list[str] = []
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list) -> None:
        told = dict(attrs)
        self.alts += [told[name] for name in ("alt", "aria-label") if told.get(name)]
        if tag in ("img", "br", "meta", "link", "input", "col", "rect", "path", "polyline", "hr"):
            return
        self._open.append(tag)
        if tag == "table":
            self.tables.append([])
            self.classes.append(told.get("class") or "")
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables and self.tables[-1]:
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass
        if tag in ("td", "th") and self._cell is not None:
            self.tables[-1][-1].append("".join(self._cell).strip())
            self._cell = None

    def handle_data(self, text: str) -> None:
        if not SKIPPED & set(self._open) and text.strip():
            self.texts.append((self._open[-1] if self._open else "", text))
            if self._cell is not None:
                self._cell.append(text)


def read(page: Path) -> _Reader:
    """Read a printed page."""
    reader = _Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader


def torn(pages: Iterable[Path]) -> list[str]:
    """List the places at which a line may end between a number and its unit."""
    return [
        f"{page.name}: …{text[max(found.start() - 30, 0) : found.end() + 20]}…"
        for page in pages
        for _tag, text in read(page).texts
        for found in TORN.finditer(text)
    ]


def formats(cells: Iterable[str]) -> set[tuple[int, str]]:
    """Give the decimals and units in which a column's numbers are written."""
    found = (NUMBER.fullmatch(cell.replace(words.NO_BREAK, " ")) for cell in cells)
    return {(len(m[1] or ""), m[2] or "") for m in found if m}


def columns_in_two_formats(pages: Iterable[Path]) -> list[str]:
    """List columns of tables whose numbers are written in more than one way.

    Where a row says which indicator it is of, each indicator's numbers are a column of their own;
    a tile's lines are no column.
    """
    faults = []
    for page in pages:
        reader = read(page)
        for rows, kind in zip(reader.tables, reader.classes, strict=True):
            if kind in ("lines",) or len(rows) < 2:
                continue
            head, body = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
            named = {words.label("indicator"), "Indicator", "指标", "Measure", "measure"}
            by = next((i for i, name in enumerate(head) if name in named), None)
            for i, name in enumerate(head):
                parts: dict[str, list[str]] = {}
                for row in body:
                    parts.setdefault(row[by] if by is not None else "", []).append(row[i])
                faults += [
                    f"{page.name}: {name!r} {part}: {sorted(found)}"
                    for part, cells in parts.items()
                    if len(found := formats(cells)) > 1
                ]
    return faults


def latin_words_of_ours() -> set[str]:
    """Gather the Latin words that our Chinese texts use on purpose."""
    texts = []
    for path in words.REFERENCE.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            texts += [row[c] for row in csv.DictReader(file) for c in ("zh", "term") if row.get(c)]
    for path in sorted(settings.NOTEBOOKS.glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts += [
            "".join(cell["source"])
            for cell in cells
            if "lang-zh" in cell["metadata"].get("tags", [])
        ]
    chinese = (text for text in texts if re.search("[\u4e00-\u9fff]", text))
    plain = (re.sub(r"\{[^{}]*\}|`[^`]*`", " ", text) for text in chinese)
    return {word.lower() for text in plain for word in LATIN.findall(text)}


def names_of(book: settings.Workbook) -> set[str]:
    """Gather the Latin words of a workbook's names: of dealers, places, people, models, brands."""
    found = {book.name, book.title, book.brand}
    for table in book.tables:
        rows = data.records(book, table, "zh-Hans")
        for column in rows.columns:
            if re.search(r"name|brand|city|region|manager|participant|owner|title|_id$", column):
                found |= set(rows[column].dropna().astype("str").unique())
    return {word for text in found for word in LATIN.findall(text)}


def untranslated(pages: Iterable[Path], data: set[str]) -> list[str]:
    """List Latin words on Chinese pages that are neither of the data nor in our Chinese texts.

    The page on the data's quality names their tables and columns as the contract does.
    """
    known = latin_words_of_ours() | {word.lower() for word in data}
    return [
        f"{page.name}: {word} in {text.strip()[:60]}"
        for page in pages
        if page.name != "data.html"
        for text in _seen(page)
        for word in LATIN.findall(OWN_NAMES.sub(" ", text))
        if word.lower() not in known
    ]


def he(pages: Iterable[Path]) -> list[str]:
    """List where the dealer is "he": the dealer is "they"."""
    return [
        f"{page.name}: {text.strip()[:90]}"
        for page in pages
        for text in _seen(page)
        if HE.search(text)
    ]


def second_names(pages: Iterable[Path], language: str) -> list[str]:
    """List the second names of things."""
    return [
        f"{page.name}: {name} in {text.strip()[:60]}"
        for page in pages
        for text in _seen(page)
        for name in SECOND_NAMES[language]
        if name in text
    ]


def _seen(page: Path) -> Iterator[str]:
    reader = read(page)
    yield from (html.unescape(text) for _tag, text in reader.texts)
    yield from reader.alts
