"""Tables: sources go through the mapping, stop at errors, and are kept as sorted Parquet.

A server keeps its own.
"""

import contextlib
import dataclasses
import functools
import glob
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr.types import Table

from helpers import files, words
from helpers.data import mapping, readers, scope, servers, sqlite, units
from helpers.data.connections import (
    SPILL,
    SPILLED,
    Room,
    cache_of,
    connected,
    headers_of,
    make_cache,
    mapped_headers,
    require_single_headers,
    room,
    source_name,
    unread,
)
from helpers.data.findings import (
    Finding,
    counted_months,
    day_column,
    key_errors,
    year_errors,
)
from helpers.data.mapping import Mapped
from helpers.data.values.reading import read_columns
from helpers.data.values.text import listed, literal
from helpers.data.wording import in_words
from helpers.settings import (
    PACKAGE,
    DataError,
    RowsError,
    Workbook,
    contract,
    database_file,
    is_file,
    refusal,
    sources,
)

ABANDONED_SECONDS = 3600  # a file that was neither written to nor used for so long is nobody's
DOCUMENTS = ("order_id", "document_id")
MOST_LENT = 100_000  # rows of a file that a server is given with each question


@functools.cache
def _code() -> bytes:
    """Hash what decides how a source is read, so that a new version of the workbook reads it anew.

    Once a process: a page asks for fingerprints by the hundred.
    """
    modules = ("data/**/*.py", "settings/*.py")
    read_by = [file for name in modules for file in sorted(PACKAGE.glob(name))]
    made_of = [*read_by, words.REFERENCE / "columns.csv"]
    return hashlib.sha256(b"".join(path.read_bytes() for path in made_of)).digest()


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode() + _code()).hexdigest()[:16]


def table_fingerprint(book: Workbook, name: str) -> str:
    """Hash a table's sources (path, size, time), its mapping and the code that reads it."""
    file = database_file(book.engine)
    # SQLite's latest rows may lie beside its file
    beside = [file.with_name(file.name + end) for end in sqlite.BESIDE] if file else []
    database = [file, *beside] if file else []
    stats = [
        (str(f), f.stat().st_size, f.stat().st_mtime_ns)
        for f in sources(book, name) + database
        if f.exists()
    ]
    sessions = with_sessions(book, name)
    added = [table_fingerprint(sessions, name)] if sessions else []
    return _digest(name, stats, book.tables[name], book.engine, *added)


def fingerprint(book: Workbook) -> str:
    """Hash all that the tables are made of.

    A server's tables count by their lines and last day per month.
    """
    # anew: what a server told a moment ago may be the state of before
    asked = [] if book.embedded else [t for t in book.tables if not is_beside(book, t)]
    told = [servers.described(book, t, anew=True) for t in asked]
    return _digest(told, book.scope, *(table_fingerprint(book, name) for name in book.tables))


def _stem(book: Workbook, name: str) -> Path:
    return cache_of(book) / f"{book.name}.{name}.{table_fingerprint(book, name)}"


def described(book: Workbook, name: str) -> dict:
    """Describe a table: `errors` and `notes`, `rows`, and `months` as (month, lines, last day).

    Built where not kept.
    """
    if is_beside(book, name):
        return described(where_it_lies(book, name), name)
    if not book.embedded:
        of_server = _described_by_server(book, name)
        sessions = with_sessions(book, name)
        return _described_with(book, sessions, name, of_server) if sessions else of_server
    stem = _stem(book, name)
    kept = _kept(stem)
    if kept is None:
        _build(book, name, stem)
        kept = _kept(stem)
    return kept


def is_beside(book: Workbook, name: str) -> bool:
    """Tell whether a table is a file of people's own beside a server's tables, as plan.csv is."""
    return not book.embedded and is_file(book.tables[name].source)


def with_sessions(book: Workbook, name: str) -> Workbook | None:
    """Give the workbook of the sessions that people keep beside the toml, to be added to a table.

    None where there are none, or where the table holds that very file.
    """
    if name not in book.added:
        return None
    beside = book.added[name]
    if any(file.samefile(beside.source) for file in sources(book, name)):
        return None
    return dataclasses.replace(book, engine="duckdb://", tables={name: beside}, added={}, scope=())


def where_it_lies(book: Workbook, name: str) -> Workbook:
    """Give the workbook whose engine holds a table: for a file beside a server, DuckDB."""
    return dataclasses.replace(book, engine="duckdb://") if is_beside(book, name) else book


def _described_with(book: Workbook, sessions: Workbook, name: str, told: dict) -> dict:
    """Describe a server's table together with the sessions beside the toml."""
    more = described(sessions, name)
    if found := [*told["errors"], *more["errors"]]:
        return {**told, "errors": found}
    whole = servers.served(book, name).select("session").distinct().to_pyarrow()
    found = _session_twice(sessions, name, whole, _whole(sessions, name).to_pyarrow())
    notes = [*told["notes"], *more["notes"]]
    return {**told, "errors": found, "notes": notes, "rows": told["rows"] + more["rows"]}


def _described_by_server(book: Workbook, name: str) -> dict:
    """Ask a server; the pages of one run of the press, which is of one state of the data, ask it
    once.
    """
    run = os.environ.get("WORKBOOK_DATA", "")
    if not run:
        return servers.described(book, name)
    stem = cache_of(book) / f"{book.name}.{name}.{_digest(run, name, book.tables[name])}"
    file = Path(f"{stem}.json")
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        found = servers.described(book, name)
    make_cache(file.parent)
    files.write(file, json.dumps(found), synced=False)
    return found


def _kept(stem: Path) -> dict | None:
    """Read what is kept of a table; nothing where the description or its Parquet file is gone."""
    try:
        kept = json.loads(Path(f"{stem}.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return kept if kept["errors"] or _is_there(Path(f"{stem}.parquet")) else None


def _is_there(file: Path) -> bool:
    try:
        os.utime(file)  # in use: not to be removed for an hour
    except FileNotFoundError:
        return False
    return True


def errors(book: Workbook, name: str) -> list[Finding]:
    """List what stops a table: source, header, type and key errors."""
    try:
        return [Finding(*finding) for finding in described(book, name)["errors"]]
    except RowsError as error:
        return [Finding(name, "", "source", "error", error.n_rows, str(error), *error.place)]
    except DataError as error:
        return [Finding(name, "", "source", "error", 0, str(error))]


def _build(book: Workbook, name: str, stem: Path) -> None:
    """Write a canonical table sorted as Parquet, then its description.

    With errors, only the description.
    """
    cache = stem.parent
    make_cache(cache)
    part = Path(f"{stem}.{os.getpid()}.part")  # it is linked, not moved, to its place
    try:
        try:
            found, told = _written(book, name, part, closely=False)
            # what stops a table may be a total or a remark among its rows: those are looked at
            is_suspicious = bool(found) or told["suspects"] > 0
        except duckdb.Error:
            if not sources(book, name):
                raise
            is_suspicious = True
        if is_suspicious and sources(book, name):
            found, told = _written(book, name, part, closely=True)
        if not found and (sessions := with_sessions(book, name)):
            found, told = _added(sessions, name, part, told)
        if not found:
            _publish(part, Path(f"{stem}.parquet"))
        kept = json.dumps({"errors": found, **told})
        files.write(Path(f"{stem}.json"), kept, synced=False)
    except DataError:
        raise
    except Exception as error:
        raise unread(book, name, error) from None
    finally:
        part.unlink(missing_ok=True)
    stems = rf"{re.escape(f'{book.name}.{name}')}\.[0-9a-f]{{16}}\."
    whole = rf"(?!{re.escape(stem.name)}){stems}(?:json|parquet)"
    parts = rf"{stems}\d+\.part|\.{stems}json\.\d+\.[0-9a-f]{{8}}\.part"
    # another process may still read the one, and write the other
    files.clear(cache, re.compile(f"{whole}|{parts}"), ABANDONED_SECONDS)
    for spill in cache.iterdir():
        if SPILL.fullmatch(spill.name) and spill.is_dir() and not spill.is_symlink():
            is_left = files.is_old(spill, ABANDONED_SECONDS)
            files.clear(spill, SPILLED, ABANDONED_SECONDS)
            if is_left:
                # it stays where anything is left that DuckDB did not write, or still writes
                with contextlib.suppress(OSError):
                    spill.rmdir()


def _added(
    sessions: Workbook, name: str, part: Path, told: dict[str, Any]
) -> tuple[list[Finding], dict[str, Any]]:
    """Add sessions to a table that was written; give what stops it, and what is to be told of
    both.

    What people score in a few mornings is small, so it is laid together in memory.
    """
    if found := errors(sessions, name):
        return found, {}
    more = described(sessions, name)
    whole = pq.read_table(part)
    beside = _whole(sessions, name).to_pyarrow()
    if found := _session_twice(sessions, name, whole, beside):
        return found, {}
    pq.write_table(pa.concat_tables([whole, beside], promote_options="default"), part)
    both = {key: [*told[key], *more[key]] for key in ("notes", "files")}
    return [], {**told, **both, "rows": told["rows"] + more["rows"]}


def _session_twice(
    sessions: Workbook, name: str, whole: pa.Table, beside: pa.Table
) -> list[Finding]:
    """Find sessions that stand in both places: added up, each of them would count twice."""
    known = set(whole["session"].to_pylist())
    twice = [session for session in beside["session"].to_pylist() if session in known]
    file = Path(sessions.tables[name].source).name
    return (
        [Finding(name, "session", "session_twice", "error", len(twice), min(twice), file)]
        if twice
        else []
    )


def _written(
    book: Workbook, name: str, part: Path, closely: bool
) -> tuple[list[Finding], dict[str, Any]]:
    """Write a canonical table; give what stops it, and what is to be told of it.

    `rows`, `months`, `suspects` (rows that may be totals), `notes` on its values, and `files`: of
    each file its name, rows read, rows in it, and notes. With errors, nothing is written.
    """
    part.unlink(missing_ok=True)
    with room(book, name, part, closely) as opened:
        con = opened.con
        columns = mapped_headers(book, name, con)
        require_single_headers(book, name, opened.tables, columns)
        try:
            return _computed(book, name, part, closely, opened, columns)
        except duckdb.Error:
            # where a text file may still be looked at closely, a total may have been the fault
            if closely or not sources(book, name):
                headers = list(headers_of(name, con))
                mapping.require_computed(book, name, columns, headers, con.con.execute)
            raise


def _computed(
    book: Workbook,
    name: str,
    part: Path,
    closely: bool,
    opened: Room,
    columns: dict[str, Mapped],
) -> tuple[list[Finding], dict[str, Any]]:
    """Write a table whose columns are mapped; see `_written`."""
    con = opened.con
    given = book.tables[name].read.decimal
    columns, found, notes = read_columns(book, name, con, columns, given, opened.origins)
    source = _as_source(name, con, opened)
    found = [*found, *units.errors(name, source, columns)]
    if not found:
        days = [day] if (day := day_column(name, columns)) else []
        order = [*(c for c in ("dealer_id", "consumer_id") if c in columns), *days][:2]
        by = f"ORDER BY {', '.join(order)}" if order else ""
        select = f"SELECT {mapping.select_list(columns)} FROM raw_{name} {by}"
        con.raw_sql(f"COPY ({select}) TO {literal(str(part))} (FORMAT parquet, COMPRESSION zstd)")
        found = key_errors(name, con.read_parquet(glob.escape(str(part))))
    if found:
        return _with_places(name, con, columns, found, opened), {}
    told = counted_months(name, con.read_parquet(glob.escape(str(part))))
    if found := year_errors(name, columns, told["months"]):
        return found, {}
    told["suspects"] = 0 if closely else _suspects(con, name, part, columns)
    told["notes"] = [*notes, *units.warnings(name, source, columns, book.currency)]
    told["files"] = [
        (Path(book.told(table.path)).name, table.n_rows, table.n_in_file, list(table.notes))
        for table in opened.tables
        if table.notes
    ]
    return [], told


def _as_source(name: str, con, opened: Room) -> units.Source:
    headers = con.raw_sql(
        "SELECT column_name FROM duckdb_columns() WHERE database_name = 'temp' AND table_name = "
        f"'raw_{name}' AND data_type = 'VARCHAR'"
    ).fetchall()
    texts = [header for (header,) in headers if header not in readers.PLACES]
    is_query = not opened.origins.files
    return units.Source(
        texts,
        lambda columns: con.sql(f"SELECT {columns} FROM raw_{name}"),
        opened.origins.has_typed,
        tuple(
            ("" if is_query else t.told, n.example)
            for t in opened.tables
            for n in t.notes
            if n.what in ("title", "foot")
        ),
    )


def _with_places(
    name: str, con, columns: Mapping[str, Mapped], found: list[Finding], opened: Room
) -> list[Finding]:
    """Say where the example of each error stands, where the files have lines."""
    if not any(table.is_copy for table in opened.tables):
        return found
    placed = []
    for finding in found:
        raw = columns[finding.column].raw if finding.column in columns else ""
        text = f"CAST({raw} AS VARCHAR)"
        is_it = f"{text} = $1 OR TRIM({text}) = $1" if finding.example else f"TRIM({text}) = ''"
        asked = f'SELECT "{readers.FILE}", "{readers.LINE}" FROM raw_{name} WHERE '
        given = [finding.example] if finding.example else []
        if finding.file:
            of_file = [
                f for f, (_kind, told) in opened.origins.files.items() if told == finding.file
            ]
            is_it = f'({is_it}) AND "{readers.FILE}" IN {listed(tuple(of_file))}'
        rows = []
        if raw and '"' in raw:
            with contextlib.suppress(duckdb.Error):  # a query has no lines
                asked += f"({is_it if given else f'({raw}) IS NULL OR {is_it}'})"
                asked += f' AND "{readers.LINE}" IS NOT NULL'
                rows = con.con.execute(f"{asked} ORDER BY 2 LIMIT 1", given).fetchall()
        placed.append(finding._replace(file=rows[0][0], line=rows[0][1]) if rows else finding)
    return placed


def _suspects(con, name: str, part: Path, columns: Iterable[str]) -> int:
    """Count the rows that may be totals: named so, or without an id in a table of few such."""
    known = contract()[name]
    if "dealer_id" not in columns or "dealer_id" not in known:
        return 0
    # a document has a number of its own, in as many spellings as there are rows
    texts = [
        c for c in columns if c in known and known[c].kind in ("id", "text") and c not in DOCUMENTS
    ]
    lines = f"read_parquet([{literal(glob.escape(str(part)))}])"
    found = [
        f'(SELECT COUNT(*) FROM (SELECT DISTINCT "{c}" AS x FROM {lines}) WHERE '
        f"regexp_matches(x, {literal(readers.SUSPECT)}))"
        for c in texts
    ]
    n_named, n_nobody, n = con.raw_sql(
        f"SELECT {' + '.join(found)}, COUNT(*) FILTER (dealer_id IS NULL), COUNT(*) FROM {lines}"
    ).fetchone()
    return n_named + (n_nobody if n_nobody <= max(3, 0.02 * n) else 0)


def _publish(part: Path, final: Path) -> None:
    """Give a whole file its name, unless another process was faster.

    DuckDB reads nonsense when a file is swapped.
    """
    try:
        os.link(part, final)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        part.replace(final)
    part.unlink(missing_ok=True)


def table(book: Workbook, name: str) -> Table:
    """Give a canonical table as an Ibis expression, cut to the workbook's scope.

    Kept Parquet, or a server's own table seen through the mapping.

    Raises
    ------
    DataError
        If the workbook has no such table, or it holds errors.
    """
    if not book.has(name):
        raise refusal("no_such_book_table", name=name, toml=book.path.name)
    rows = _whole(book, name)
    return scope.cut(book, name, rows, functools.partial(_whole, book)) if book.scope else rows


def _lent(book: Workbook, name: str) -> Table:
    """Lend the rows of a file to a server, for the length of each question that needs them.

    Raises
    ------
    DataError
        If it holds errors or more rows than are lent, or lies elsewhere than the toml: whoever sent
        that is to be sent no file of ours.
    """
    home = book.path.parent.resolve()
    if not all(file.resolve().is_relative_to(home) for file in sources(book, name)):
        raise refusal("not_beside", name=name, source=source_name(book, name), toml=book.path.name)
    rows = _whole(where_it_lies(book, name), name)
    n = described(book, name)["rows"]
    if n > MOST_LENT:
        raise refusal(
            "too_many_lent", name=name, source=source_name(book, name), n=n, most=MOST_LENT
        )
    return ibis.memtable(rows.to_pyarrow(), schema=rows.schema())


def _whole(book: Workbook, name: str) -> Table:
    if is_beside(book, name):
        return _lent(book, name)
    if not book.embedded:
        rows, sessions = servers.served(book, name), with_sessions(book, name)
        return _with_lent(rows, _lent(sessions, name)) if sessions else rows
    if found := errors(book, name):
        raise DataError("\n".join(in_words(book, finding) for finding in found))
    return _seen(connected(book), f"{_stem(book, name)}.parquet")


def _with_lent(rows: Table, lent: Table) -> Table:
    """Add lent rows to a server's own; a column that only one of them has is empty in the other."""
    kinds = {**lent.schema(), **rows.schema()}
    parts = [
        part.select(
            **{
                column: part[column].cast(kind) if column in part.columns else ibis.null(kind)
                for column, kind in kinds.items()
            }
        )
        for part in (rows, lent)
    ]
    return ibis.union(*parts)


def _seen(con, file: str) -> Table:
    """Let a connection see a kept file, once: its name says what is in it.

    Kept with the connection itself: Ibis holds two of a kind for equal, but they share no view.
    """
    views = vars(con).setdefault("kept_files", {})
    if file not in views:
        views[file] = con.read_parquet(glob.escape(file))
    return views[file]
