"""A workbook's own `terms.csv`: labels that people add to the dictionary, or change."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from helpers import words
from helpers.settings.columns import DataError, contract, nearest
from helpers.settings.plain_files import require_plain_file

HEAD = ("term", "kind", "key", "en", "zh", "definition")
KINDS = (
    "id",
    "name",
    "code",
    "class",
    "money",
    "number",
    "share",
    "days",
    "count",
    "score",
    "date",
    "month",
    "text",
    "truth",
)
# what a kind is stored as, where that is another of the contract's
STORED = {
    "name": "text",
    "code": "text",
    "class": "text",
    "share": "number",
    "days": "number",
    "count": "number",
    "score": "number",
}
SHEET = 31  # characters of a sheet's name in Excel, which a table's label becomes
LONGEST = 2000  # characters of a label or definition
MAX_TERMS = 1_000_000  # bytes; a longer one was not written by people


def own_terms(path: Path) -> dict[str, dict[str, str]]:
    """Read a workbook's own terms: term → what its columns say, over what the dictionary says.

    Only `term` must be a column; a cell that is empty, or whose column is missing, is as in the
    dictionary. A new term needs `en`. What a known term *is* (`kind`, `key`) can't be changed.

    Raises
    ------
    DataError
        If the file is no such table; with its line and column.
    """
    rows = _rows(path)
    known = words.dictionary()
    found: dict[str, dict[str, str]] = {}
    for line, row in rows:
        term = row["term"]
        if not term:
            _refuse(path, line, "term", "is empty")
        if term in found:
            _refuse(path, line, "term", f"{term!r} stands here a second time")
        for column, text in row.items():
            _require_plain_text(path, line, column, text)
        before = known.get(term, dict.fromkeys(HEAD, ""))
        if not (row.get("en") or before["en"]):
            _refuse(path, line, "en", f"{term!r} is a new term, and needs a label")
        found[term] = {**before, **{column: text for column, text in row.items() if text}}
        _require_kind(path, line, found[term], known.get(term))
    for line, row in rows:  # a table's key may be a column of a later line
        _require_key(path, line, found[row["term"]], known, {**known, **found})
    return found


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Read lines as (line, column → text), without the blanks around cells."""
    try:
        require_plain_file(path, str(path))
        if (size := path.stat().st_size) > MAX_TERMS:
            raise DataError(f"{path}: {size:,} bytes are no terms.csv; {MAX_TERMS:,} are read")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DataError(f"{path}, line {line}: this is no UTF-8; save it as CSV UTF-8") from None
    except OSError as error:
        raise DataError(f"{path}: can't be read: {error.strerror}") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        head = [name.strip() for name in next(reader, [])]
        for name in head:
            if name not in HEAD:
                raise DataError(f"{path}, line 1: unknown column {name!r}{nearest(name, HEAD)}")
            if head.count(name) > 1:
                raise DataError(f"{path}, line 1: column {name!r} stands there twice")
        if "term" not in head:
            raise DataError(
                f"{path}, line 1: no column 'term'; its columns are {', '.join(HEAD)}; where this "
                "is no dictionary but a table of the data, give the file another name"
            )
        rows = []
        for cells in reader:
            if len(cells) != len(head):
                if not cells:  # an empty line
                    continue
                raise DataError(
                    f"{path}, line {reader.line_num}: {len(cells)} cells, but {len(head)} columns; "
                    "put quotes around text with a comma"
                )
            row = zip(head, (cell.strip() for cell in cells), strict=True)
            rows.append((reader.line_num, dict(row)))
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: this is no CSV: {error}") from None
    return rows


def _refuse(path: Path, line: int, column: str, what: str) -> None:
    raise DataError(f"{path}, line {line}, column {column!r}: {what}")


def _require_plain_text(path: Path, line: int, column: str, text: str) -> None:
    """Raise where a text could not stand on a page as it is, or would be more than text there."""
    if len(text) > LONGEST:
        _refuse(path, line, column, f"{len(text):,} characters; {LONGEST:,} are taken")
    if not text.isprintable():
        _refuse(path, line, column, f"{text!r} holds a character that can't be printed")
    if mark := next((mark for mark in "<>" if mark in text), ""):
        _refuse(path, line, column, f"{text!r} holds {mark!r}; labels are plain text")


def _require_kind(
    path: Path, line: int, row: Mapping[str, str], before: Mapping[str, str] | None
) -> None:
    kind, term = row["kind"], row["term"]
    if kind and kind not in KINDS:
        _refuse(path, line, "kind", f"{kind!r} is no kind{nearest(kind, KINDS)}")
    if before and kind != before["kind"]:
        is_now = repr(before["kind"]) if before["kind"] else "none"
        _refuse(path, line, "kind", f"what {term!r} is can't be changed: {is_now}, not {kind!r}")
    for table, columns in contract().items():
        if kind and term in columns and STORED.get(kind, kind) != columns[term].kind:
            told = columns[term].kind
            _refuse(path, line, "kind", f"{term!r} comes in as {told} in {table}, not {kind!r}")


def _require_key(
    path: Path,
    line: int,
    row: Mapping[str, str],
    known: Mapping[str, Mapping[str, str]],
    all_terms: Mapping[str, Mapping[str, str]],
) -> None:
    term, key = row["term"], row["key"]
    if term in known and key != known[term]["key"]:
        _refuse(path, line, "key", f"that of {term!r} can't be changed: {known[term]['key']!r}")
    if not term.startswith("table_"):
        if key:
            _refuse(path, line, "key", f"only tables have one, and {term!r} names none")
        return
    if not key:
        _refuse(path, line, "key", f"{term!r} is a table, and needs the columns that name a row")
    for column in key.split():
        if not all_terms.get(column, {}).get("kind"):
            _refuse(path, line, "key", f"{column!r} is no column: no term of a kind has this name")
    for language in ("en", "zh"):
        if len(row[language]) > SHEET:
            _refuse(path, line, language, f"a sheet's name has {SHEET} characters at most")
