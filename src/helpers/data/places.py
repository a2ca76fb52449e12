"""Places: in which file, and on which line, stands what the checks found; and files that overlap.

What is found in the tables has left its file behind. Its source is opened once more for this, small
files row by row, so that each line has its number; of large ones only the file is told.
"""

from pathlib import Path

import duckdb

from helpers.data import readers
from helpers.data.connections import cache_of, make_cache, mapped_headers, room
from helpers.data.findings import Finding
from helpers.data.mapping import quoted, select_list
from helpers.data.values.reading import read_columns
from helpers.settings import DataError, Workbook, sources

LARGE = 10_000_000  # bytes of a table's files: beyond, reading row by row would take too long
MIN_OVERLAP = 3  # lines that two files share: fewer may be chance
MOST_PAIRS = 5
PLACED = ("negative", "zero", "repeated")


def placed(book: Workbook, name: str, found: list[Finding]) -> list[Finding]:
    """Say of a table's warnings where they stand, and name the files that hold the same lines.

    Where the source has no files, or they have no lines, findings stay as they are.
    """
    asked = [f for f in found if f.check in PLACED and not f.file]
    files = sources(book, name) if book.embedded else []
    if not asked or not files or book.tables[name].query:
        return found
    is_large = sum(path.stat().st_size for path in files) > LARGE
    make_cache(cache_of(book))
    part = Path(cache_of(book)) / f"{book.name}.{name}.places.part"
    try:
        with room(book, name, part, closely=not is_large) as opened:
            headers = mapped_headers(book, name, opened.con)
            given = book.tables[name].read.decimal
            read = read_columns(book, name, opened.con, headers, given, opened.origins)
            if read.errors or not opened.origins.files:
                return found
            has_lines = all(table.is_copy for table in opened.tables)
            line = quoted(readers.LINE) if has_lines else "CAST(NULL AS BIGINT)"
            rows = (
                f"(SELECT {select_list(read.columns)}, {quoted(readers.FILE)} AS its_file, "
                f"{line} AS its_line FROM raw_{name})"
            )
            told = {f: t for f, (_kind, t) in opened.origins.files.items()}
            at = {f: _place(opened.con, rows, f, read.columns) for f in asked}
            overlaps = []
            if len(told) > 1 and any(f.check == "repeated" for f in asked):
                overlaps = _overlaps(name, opened.con, rows, read.columns, told)
    except (DataError, duckdb.InvalidInputException, duckdb.IOException):
        return found  # the table was read; that its source can't be once more, is no news of it
    return [
        *(
            f._replace(file=told.get(at[f][0], ""), line=at[f][1] or 0) if at.get(f) else f
            for f in found
        ),
        *overlaps,
    ]


def _place(con, rows: str, finding: Finding, columns) -> tuple | None:
    column = quoted(finding.column)
    if finding.check == "negative":
        asked = f"WHERE {column} < 0 ORDER BY {column}, its_file, its_line"
    elif finding.check == "zero":
        asked = f"WHERE {column} = 0 ORDER BY its_file, its_line"
    else:
        over = f"PARTITION BY {_key(columns)} ORDER BY its_file, its_line"
        asked = f"{_of_documents(finding.table, columns)} QUALIFY row_number() OVER ({over}) > 1"
        asked += " ORDER BY its_file, its_line"
    return con.raw_sql(f"SELECT its_file, its_line FROM {rows} {asked} LIMIT 1").fetchone()


def _key(columns) -> str:
    return f"hash({', '.join(map(quoted, columns))})"


def _of_documents(name: str, columns) -> str:
    is_asked = name == "payments" and "document_id" in columns
    return "WHERE document_id IS NOT NULL" if is_asked else ""


def _overlaps(name: str, con, rows: str, columns, told: dict[str, str]) -> list[Finding]:
    """Find pairs of files that share lines, most first, with the lines of the second."""
    of = f"(SELECT {_key(columns)} AS key, its_file, its_line FROM {rows} "
    of += f"{_of_documents(name, columns)})"
    pairs = con.raw_sql(
        f"WITH k AS (SELECT key, its_file AS file, COUNT(*) AS n, MIN(its_line) AS first, "
        f"MAX(its_line) AS last FROM {of} GROUP BY key, its_file) "
        "SELECT a.file, b.file, CAST(SUM(least(a.n, b.n)) AS BIGINT) AS n_both, MIN(a.first), "
        "MAX(a.last), MIN(b.first), MAX(b.last) FROM k a JOIN k b ON a.key = b.key AND a.file < "
        f"b.file GROUP BY ALL HAVING n_both >= {MIN_OVERLAP} ORDER BY n_both DESC, 1, 2 "
        f"LIMIT {MOST_PAIRS}"
    ).fetchall()
    found = []
    for one, other, n, a_first, a_last, b_first, b_last in pairs:
        lines = f"{told.get(one, one)}{_lines(a_first, a_last)}"
        both = f"{lines} = {told.get(other, other)}{_lines(b_first, b_last)}"
        place = (told.get(other, other), b_first or 0)
        found.append(Finding(name, "", "overlap", "warning", n, both, *place))
    return found


def _lines(first: int | None, last: int | None) -> str:
    return "" if first is None else f":{first}" if first == last else f":{first}–{last}"
