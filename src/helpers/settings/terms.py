"""A workbook's own `terms.csv`: labels that people add to the dictionary, or change."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from helpers import words
from helpers.settings.columns import cause, contract, nearest, refusal
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
            _refuse(path, line, "term", "term_empty")
        if term in found:
            _refuse(path, line, "term", "term_again", term=term)
        for column, text in row.items():
            _require_plain_text(path, line, column, text)
        before = known.get(term, dict.fromkeys(HEAD, ""))
        if not (row.get("en") or before["en"]):
            _refuse(path, line, "en", "term_label", term=term)
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
            raise refusal("long_terms", path=path, size=size, most=MAX_TERMS)
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise refusal("terms_utf8", path=path, line=line) from None
    except OSError as error:
        raise refusal("path_unread", path=path, reason=cause(error)) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        head = [name.strip() for name in next(reader, [])]
        for name in head:
            if name not in HEAD:
                raise refusal("terms_column", path=path, name=name, near=nearest(name, HEAD))
            if head.count(name) > 1:
                raise refusal("terms_twice", path=path, name=name)
        if "term" not in head:
            raise refusal("terms_no_term", path=path, known=", ".join(HEAD))
        rows = []
        for cells in reader:
            if len(cells) != len(head):
                if not cells:  # an empty line
                    continue
                raise refusal(
                    "terms_cells", path=path, line=reader.line_num, n=len(cells), width=len(head)
                )
            row = zip(head, (cell.strip() for cell in cells), strict=True)
            rows.append((reader.line_num, dict(row)))
    except csv.Error as error:
        raise refusal("terms_csv", path=path, line=reader.line_num, error=error) from None
    return rows


def _refuse(path: Path, line: int, column: str, sentence: str, /, **values: object) -> None:
    what = words.message(f"refused.{sentence}", **values)
    raise refusal("term", path=path, line=line, column=column, what=what)


def _require_plain_text(path: Path, line: int, column: str, text: str) -> None:
    """Raise where a text could not stand on a page as it is, or would be more than text there."""
    if len(text) > LONGEST:
        _refuse(path, line, column, "term_long", n=len(text), most=LONGEST)
    if not text.isprintable():
        _refuse(path, line, column, "term_printable", text=text)
    if mark := next((mark for mark in "<>" if mark in text), ""):
        _refuse(path, line, column, "term_mark", text=text, mark=mark)


def _require_kind(
    path: Path, line: int, row: Mapping[str, str], before: Mapping[str, str] | None
) -> None:
    kind, term = row["kind"], row["term"]
    if kind and kind not in KINDS:
        _refuse(path, line, "kind", "term_kind", kind=kind, near=nearest(kind, KINDS))
    if before and kind != before["kind"]:
        is_now = repr(before["kind"]) if before["kind"] else words.message("refused.term_none")
        _refuse(path, line, "kind", "term_is", term=term, is_now=is_now, kind=kind)
    for table, columns in contract().items():
        if kind and term in columns and STORED.get(kind, kind) != columns[term].kind:
            told = columns[term].kind
            _refuse(
                path, line, "kind", "term_comes_in", term=term, told=told, table=table, kind=kind
            )


def _require_key(
    path: Path,
    line: int,
    row: Mapping[str, str],
    known: Mapping[str, Mapping[str, str]],
    all_terms: Mapping[str, Mapping[str, str]],
) -> None:
    term, key = row["term"], row["key"]
    if term in known and key != known[term]["key"]:
        _refuse(path, line, "key", "term_key", term=term, key=known[term]["key"])
    if not term.startswith("table_"):
        if key:
            _refuse(path, line, "key", "term_no_table", term=term)
        return
    if not key:
        _refuse(path, line, "key", "term_needs_key", term=term)
    for column in key.split():
        if not all_terms.get(column, {}).get("kind"):
            _refuse(path, line, "key", "term_no_column", column=column)
    for language in ("en", "zh"):
        if len(row[language]) > SHEET:
            _refuse(path, line, language, "term_sheet", most=SHEET)
