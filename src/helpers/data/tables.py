"""Tables: sources go through the mapping, stop at errors, and are kept as sorted Parquet.

A server keeps its own.
"""

import contextlib
import functools
import glob
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from helpers import files, periods, words
from helpers.data import guard, limits, mapping
from helpers.data.mapping import Mapped, first_line, quoted
from helpers.settings import (
    FILE_KINDS,
    PACKAGE,
    ROOT,
    DataError,
    TableSource,
    Workbook,
    contract,
    database_file,
    engine_settings,
    files_in_query,
    is_file,
    nearest,
    require_plain_database,
    shown_engine,
    sources,
)

# elsewhere where the project is read-only; set to nothing, it would be whatever folder we stand in
CACHE = Path(os.environ.get("WORKBOOK_CACHE") or ROOT / "data" / "cache")
# what we make there, by whole names: the folder may be one where people keep things of their own
SPILL = re.compile(r"spill\.\d+\.[0-9a-f]{8}")
SPILLED = re.compile(r"duckdb_temp_(?:storage|block)[\w-]*\.(?:tmp|block)")  # as DuckDB names them
# for DuckDB; it spills to disk beyond that; an own limit: engine = "duckdb://?memory_limit=…"
MEMORY_LIMIT = "1500MB"
READ_SECONDS = 3600.0  # in which a table's source must be read; the environment may say otherwise
# no code comes in: neither from the disk nor from the net, nor does a key that lies somewhere
CLOSED = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_unsigned_extensions": "false",
    "allow_persistent_secrets": "false",
}
# what a database redefines, holds, and computes when it is read
_OWN = "WHERE database_name = $1 AND NOT internal"
ASKED_OF_A_DATABASE = (
    f"SELECT function_name FROM duckdb_functions() {_OWN} AND lower(function_name) IN (SELECT "
    f"lower(function_name) FROM duckdb_functions() WHERE internal) UNION ALL SELECT type_name FROM "
    f"duckdb_types() {_OWN} AND lower(type_name) IN (SELECT lower(type_name) FROM duckdb_types() "
    "WHERE internal) ORDER BY 1",
    f"SELECT schema_name, table_name FROM duckdb_tables() {_OWN}",
    f"SELECT schema_name, view_name, sql FROM duckdb_views() {_OWN}",
    "SELECT c.table_name, c.column_default FROM duckdb_columns() c JOIN duckdb_tables() t USING "
    "(database_name, schema_name, table_name) WHERE database_name = $1 AND NOT c.internal AND "
    "c.column_default IS NOT NULL AND t.sql ILIKE '%GENERATED ALWAYS AS%'",
)
STRAY_SHARE = 0.1  # of the largest run's lines: a run of fewer are dates mistyped
MAX_GAP_MONTHS = 12  # dates beyond a longer gap than this lie outside the data's span
# a line without one is counted as unidentified, not refused
OPTIONAL_IDS = ("dealer_id", "consumer_id")
FORMATTED = ("date", "month")
ABANDONED_SECONDS = 3600  # a file that was neither written to nor used for so long is nobody's


class Finding(NamedTuple):
    """What a check found.

    Rows of `table` (in `column`), how bad, how many, one example, and what to do.
    """

    table: str
    column: str
    check: str
    severity: str  # error or warning
    n_rows: int
    example: str


# ---- reading: a source becomes a raw relation ----------------------------------------------------


@functools.lru_cache(maxsize=8)
def connection(engine: str):
    """Connect to an engine by its Ibis URL, once per process.

    What reads DuckDB's kept tables runs no SQL of a toml.

    Raises
    ------
    DataError
        If the engine is unknown, its driver is missing, or it can't be reached.
    """
    try:
        if not engine.startswith("duckdb://"):
            return ibis.connect(engine)
        con = _duckdb(engine, _spill())
        con.raw_sql("SET lock_configuration = true")
        return con
    except Exception as error:
        # never print a password
        raise DataError(f"engine {shown_engine(engine)}: {first_line(error)}") from None


def _connected(book: Workbook):
    try:
        return connection(book.engine)
    except DataError as error:
        raise DataError(book.told(error)) from None


def _make_cache() -> None:
    """Make the cache's folder.

    Raises
    ------
    DataError
        If it can't be made, which says how to have another.
    """
    try:
        CACHE.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"{CACHE}: {error.strerror}; the cache can't be here; the environment variable "
            "WORKBOOK_CACHE names another folder"
        ) from None


def _spill() -> Path:
    """Name a folder of this process's own, for what does not fit into memory."""
    return CACHE / f"spill.{os.getpid()}.{secrets.token_hex(4)}"


def _duckdb(engine: str, spill: Path):
    """Start an empty DuckDB that loads no extension, set up as the engine's URL says."""
    con = ibis.duckdb.connect(**CLOSED, **{"memory_limit": MEMORY_LIMIT, **engine_settings(engine)})
    _make_cache()
    # by default all processes of a folder would spill to the same files and crash on one another's
    con.raw_sql(f"SET temp_directory = {_literal(str(spill))}")
    con.raw_sql(
        "SET preserve_insertion_order = false; SET enable_progress_bar = false; SET TimeZone = "
        "'UTC'"
    )
    # a name in a query is a table, no variable of ours
    con.raw_sql("SET python_enable_replacements = false")
    return con


@contextlib.contextmanager
def _room(book: Workbook, name: str, part: Path) -> Iterator:
    """Open a DuckDB in which one table is read.

    It opens that table's files, writes `part`, and nothing else.

    The table's source stands in it as the view `raw_<name>`. What the guard let through, and what a
    view of a foreign database holds, meets this wall: no other file, no network, no extension, no
    setting, no end of time.

    Raises
    ------
    DataError
        If the source is no table, can't be read, or takes too long.
    """
    seconds, spill = _read_seconds(), _spill()
    late = (
        f"{name}: {source_name(book, name)} was not read in {seconds:,.0f} seconds; read less in "
        "the query, or set the environment variable WORKBOOK_READ_SECONDS"
    )
    opened: list = []

    def stop() -> None:
        for con in opened:
            con.con.interrupt()

    def tidy() -> None:
        part.unlink(missing_ok=True)
        files.remove(spill)

    try:
        with limits.held(seconds, late, stop, tidy):
            try:
                yield _opened(book, name, part, spill, opened)
            except BaseException:
                stop()  # a query may have been left running, and closing would wait for its end
                raise
            finally:
                for con in opened:
                    con.disconnect()
    except limits.Overdue:
        raise DataError(late) from None


def _opened(book: Workbook, name: str, part: Path, spill: Path, opened: list):
    """Open a table's DuckDB and put its source there as a view.

    It stands in `opened` as soon as it can be stopped.
    """
    mapped, database = book.tables[name], database_file(book.engine)
    paths = sources(book, name)
    try:
        con = _duckdb(book.engine, spill)
    except Exception as error:
        raise DataError(
            book.told(f"engine {shown_engine(book.engine)}: {first_line(error)}")
        ) from None
    opened.append(con)
    held = _attached(con, book, database) if database else _Database()
    tables, catalog = list(held.tables), held.catalog
    # a name with brackets is asked for as a pattern that stands for it alone
    allowed = [
        *map(str, paths),
        *(glob.escape(str(path)) for path in paths),
        str(part),
        glob.escape(str(part)),
    ]
    con.raw_sql(f"SET allowed_paths = [{', '.join(map(_literal, allowed))}]")
    con.raw_sql("SET enable_external_access = false; SET lock_configuration = true")
    if mapped.query:
        named = files_in_query(book, mapped.query)
        guard.require_query(name, mapped.query, [*(("", file) for file in named), *tables], catalog)
        raw = _over_files(
            {file: sources(book, name, TableSource(book.files[file])) for file in named}, mapped
        )
    else:
        raw = f"SELECT * FROM {_scan(paths) if paths else _named(book, name, tables)}"
    read = guard.tables_named(mapped.query) if mapped.query else {mapped.source.split(".")[-1]}
    guard.require_definitions(name, read, held.definitions, tables, catalog)
    con.raw_sql(f"CREATE TEMP VIEW {quoted(f'raw_{name}')} AS {raw}")
    return con


def _over_files(named: dict[str, list[Path]], mapped: TableSource) -> str:
    """Put a query that the guard let through over its files, in brackets that no comment of it can
    swallow.
    """
    query = mapped.query.rstrip("; \t\r\n")
    heads = [f"{quoted(name)} AS (SELECT * FROM {_scan(paths)})" for name, paths in named.items()]
    with_ = f"WITH {', '.join(heads)} " if heads else ""
    return f"{with_}SELECT * FROM (\n{query}\n)"


class _Database(NamedTuple):
    """What a database file holds: (schema, table) each, and (table, SQL) of what it computes."""

    catalog: str = ""
    tables: tuple[tuple[str, str], ...] = ()
    definitions: tuple[tuple[str, str], ...] = ()


def _attached(con, book: Workbook, file: Path) -> _Database:
    """Open a database file, only to read it."""
    catalog = file.stem if file.stem not in ("memory", "system", "temp") else f"{file.stem}_file"
    engine = f"engine {shown_engine(book.engine)}"
    try:
        # once more: what lies there may have changed since the settings were read
        if file.exists():
            require_plain_database(file, engine)
        con.raw_sql(f"ATTACH {_literal(str(file))} AS {quoted(catalog)} (TYPE duckdb, READ_ONLY)")
        # before the database is in use: its own macros could answer instead of DuckDB
        found = [con.con.execute(asked, [catalog]).fetchall() for asked in ASKED_OF_A_DATABASE]
        con.raw_sql(f"USE {quoted(catalog)}")
    except DataError as error:
        raise DataError(book.told(error)) from None
    except Exception as error:
        raise DataError(book.told(f"{engine}: {first_line(error)}")) from None
    redefined, tables, views, columns = found
    if redefined:
        raise DataError(
            book.told(
                f"{engine}: the database has {redefined[0][0]!r} mean something else than DuckDB "
                "does; drop that macro or type, or export the tables as Parquet"
            )
        )
    listed = (*tables, *((schema, name) for schema, name, _sql in views))
    computed = (*((name, sql) for _schema, name, sql in views), *columns)
    return _Database(catalog, listed, computed)


def _named(book: Workbook, name: str, tables: list[tuple[str, str]]) -> str:
    """Quote the table that a source names, which must be one.

    What is none, DuckDB would look for among the files.
    """
    source = book.tables[name].source
    known = {table if schema == "main" else f"{schema}.{table}" for schema, table in tables}
    if source.removeprefix("main.") not in known:
        there = (
            nearest(source, sorted(known))
            if known
            else "; a file ends with " + ", ".join(FILE_KINDS)
        )
        raise DataError(
            f"{name}: {book.told(source)} is no file, and no table of the engine{there}"
        )
    return ".".join(quoted(part) for part in source.split("."))


def _read_seconds() -> float:
    given = os.environ.get("WORKBOOK_READ_SECONDS", "")
    if not re.fullmatch(r"[1-9]\d{0,8}|", given):
        raise DataError(
            f"WORKBOOK_READ_SECONDS = {given!r}: a whole number of seconds is expected, e.g. 3600"
        )
    return float(given or READ_SECONDS)


def _scan(paths: list[Path]) -> str:
    listed = "[" + ", ".join(_literal(glob.escape(str(path))) for path in paths) + "]"
    if paths[0].name.lower().endswith(".parquet"):
        return f"read_parquet({listed}, union_by_name = true)"
    # text stays text until the contract types it: a sniffer would read 00123 as 123 and guess at
    # dates
    return f"read_csv({listed}, all_varchar = true, header = true, union_by_name = true)"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _mapped(book: Workbook, name: str, con, raw: Table | None = None) -> dict[str, Mapped]:
    def type_of(expression: str) -> str:
        asked = f"SELECT {expression} AS x FROM raw_{name}"
        found = (
            con.sql(asked) if raw is None else raw.alias(f"raw_{name}").sql(asked, dialect="duckdb")
        )
        return str(found.schema()["x"])

    # the view knows its columns; asked for them, DuckDB would guess at the files once more
    if raw is None:
        found = con.raw_sql(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = 'temp' "
            f"AND table_name = {_literal(f'raw_{name}')} ORDER BY column_index"
        ).fetchall()
        headers = {
            header: str(con.compiler.type_mapper.from_string(kind)) for header, kind in found
        }
    else:
        headers = {header: str(dtype) for header, dtype in raw.schema().items()}
    return mapping.mapped_columns(book, name, headers, type_of)


def _served(book: Workbook, name: str) -> Table:
    """Give a server's table as the contract's, by an expression: nothing of it is copied."""
    con, given = _connected(book), book.tables[name]
    if given.query:
        guard.require_server_query(name, given.query, con.dialect)
    elif is_file(given.source):
        sources(book, name)  # says what is wrong with it, where anything is
        raise DataError(
            f"{name}: {source_name(book, name)} is a file; only engine duckdb:// reads files"
        )
    try:
        if given.query:
            raw = con.sql(given.query)
        else:
            parts = ".".join(quoted(part) for part in given.source.split("."))
            # quotes are written as the engine writes them
            raw = con.sql(f"SELECT * FROM {parts}", dialect="duckdb")
        select = f"SELECT {mapping.select_list(_mapped(book, name, con, raw))} FROM raw_{name}"
        return raw.alias(f"raw_{name}").sql(select, dialect="duckdb")
    except DataError:
        raise
    except Exception as error:
        raise _unread(book, name, error) from None


def _unread(book: Workbook, name: str, error: Exception) -> DataError:
    return DataError(
        f"{name}: {source_name(book, name)} can't be read: {first_line(book.told(error))}"
    )


def source_name(book: Workbook, name: str) -> str:
    """Name a table's source for a message."""
    given = book.tables[name]
    told = book.told(given.source)
    return "the query" if given.query else Path(told).name if is_file(given.source) else told


# ---- the cache -----------------------------------------------------------------------------------


@functools.cache
def _code() -> bytes:
    """Gather what decides how a source is read, so that a new version of the workbook reads it
    anew.
    """
    modules = ("data/tables.py", "data/mapping.py", "data/guard.py", "settings/*.py")
    read_by = [file for name in modules for file in sorted(PACKAGE.glob(name))]
    made_of = [*read_by, words.REFERENCE / "columns.csv"]
    return b"".join(path.read_bytes() for path in made_of)


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode() + _code()).hexdigest()[:16]


def table_fingerprint(book: Workbook, name: str) -> str:
    """Hash a table's sources (path, size, time), its mapping and the code that reads it."""
    database = [file for file in (database_file(book.engine),) if file]
    stats = [
        (str(f), f.stat().st_size, f.stat().st_mtime_ns)
        for f in sources(book, name) + database
        if f.exists()
    ]
    return _digest(name, stats, book.tables[name], book.engine)


def fingerprint(book: Workbook) -> str:
    """Hash all that the tables are made of.

    A server's tables count by their lines and last day per month.
    """
    kept = [] if book.embedded else [described(book, name) for name in book.tables]
    return _digest(kept, *(table_fingerprint(book, name) for name in book.tables))


def _stem(book: Workbook, name: str) -> Path:
    return CACHE / f"{book.name}.{name}.{table_fingerprint(book, name)}"


def described(book: Workbook, name: str) -> dict:
    """Describe a table: `errors` (findings), `rows`, and `months` as (month, lines, last day).

    Built where not kept.
    """
    if not book.embedded:
        try:
            lines = _served(book, name)
            counted = _counted(name, lines)
            found = [*_missing(name, lines), *_key_errors(name, lines)]
            found += _year_errors(name, lines.columns, counted["months"])
            return {"errors": found, **counted}
        except DataError:
            raise
        except Exception as error:
            raise _unread(book, name, error) from None
    stem = _stem(book, name)
    kept = _kept(stem)
    if kept is None:
        _build(book, name, stem)
        kept = _kept(stem)
    return kept


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
    except DataError as error:
        return [Finding(name, "", "source", "error", 0, str(error))]


def _build(book: Workbook, name: str, stem: Path) -> None:
    """Write a canonical table sorted as Parquet, then its description.

    With errors, only the description.
    """
    _make_cache()
    part = Path(f"{stem}.{os.getpid()}.part")  # it is linked, not moved, to its place
    try:
        with _room(book, name, part) as con:
            columns = _mapped(book, name, con)
            _require_single_headers(book, name, con, columns)
            found = _type_errors(name, con, columns)
            if not found:
                days = [day] if (day := day_column(name, columns)) else []
                order = [*(c for c in ("dealer_id", "consumer_id") if c in columns), *days][:2]
                by = f"ORDER BY {', '.join(order)}" if order else ""
                select = f"SELECT {mapping.select_list(columns)} FROM raw_{name} {by}"
                con.raw_sql(
                    f"COPY ({select}) TO {_literal(str(part))} (FORMAT parquet, COMPRESSION zstd)"
                )
                found = _key_errors(name, con.read_parquet(glob.escape(str(part))))
            counted = {} if found else _counted(name, con.read_parquet(glob.escape(str(part))))
            if found := found or _year_errors(name, columns, counted["months"]):
                counted = {}
        if not found:
            _publish(part, Path(f"{stem}.parquet"))
        files.write(Path(f"{stem}.json"), json.dumps({"errors": found, **counted}), synced=False)
    except DataError:
        raise
    except Exception as error:
        raise _unread(book, name, error) from None
    finally:
        part.unlink(missing_ok=True)
    stems = rf"{re.escape(f'{book.name}.{name}')}\.[0-9a-f]{{16}}\."
    whole = rf"(?!{re.escape(stem.name)}){stems}(?:json|parquet)"
    parts = rf"{stems}\d+\.part|\.{stems}json\.\d+\.[0-9a-f]{{8}}\.part"
    # another process may still read the one, and write the other
    files.clear(CACHE, re.compile(f"{whole}|{parts}"), ABANDONED_SECONDS)
    for spill in CACHE.iterdir():
        if SPILL.fullmatch(spill.name) and spill.is_dir() and not spill.is_symlink():
            is_left = files.is_old(spill, ABANDONED_SECONDS)
            files.clear(spill, SPILLED, ABANDONED_SECONDS)
            if is_left:
                # it stays where anything is left that DuckDB did not write, or still writes
                with contextlib.suppress(OSError):
                    spill.rmdir()


def _require_single_headers(book: Workbook, name: str, con, columns: Mapping[str, Mapped]) -> None:
    """Refuse a CSV file in which a header that is used stands twice.

    DuckDB would take the first and call the other `revenue_1`; which one was meant it can't know.
    """
    mapped = book.tables[name]
    groups = (
        [TableSource(book.files[file]) for file in files_in_query(book, mapped.query)]
        if mapped.query
        else [mapped]
    )
    used = " ".join([mapped.query, *(column.raw for column in columns.values())])
    for group in groups:
        paths = [p for p in sources(book, name, group) if not p.name.lower().endswith(".parquet")]
        if not paths:
            continue
        headers = [row[0] for row in con.con.execute(f"DESCRIBE FROM {_scan(paths)}").fetchall()]
        known = {header.casefold() for header in headers}
        # only what looks like a header that DuckDB has renamed is worth another look at the files
        if any(re.sub(r"_\d+$", "", h) in known for h in known if re.search(r"_\d+$", h)):
            for path in paths:
                _require_single(f"{name}: {Path(book.told(path)).name}", con, path, used)


def _require_single(told: str, con, path: Path, used: str) -> None:
    listed = f"[{_literal(glob.escape(str(path)))}]"
    first = f"SELECT * FROM read_csv({listed}, all_varchar = true, header = false) LIMIT 1"
    headers = [str(header or "").strip() for header in con.con.execute(first).fetchone() or ()]
    places: dict[str, list[int]] = {}
    for place, header in enumerate(headers, start=1):
        places.setdefault(header.casefold(), []).append(place)
    for header, at in places.items():
        is_used = re.search(rf"(?<!\w){re.escape(header)}(?!\w)", used, re.IGNORECASE)
        if header and len(at) > 1 and is_used:
            twice = " and ".join(repr(headers[place - 1]) for place in at)
            raise DataError(
                f"{told} has one header more than once: {twice}, columns "
                f"{' and '.join(map(str, at))}; rename all but the one that is meant"
            )


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


def day_column(name: str, columns: Iterable[str]) -> str | None:
    """Name the column that dates a table's lines.

    A further column of that name, as `consumers` may have, is no date of the contract's.
    """
    dated = (c for c in ("date", "month", "snapshot_date") if c in contract()[name])
    return next((c for c in dated if c in columns), None)


def _counted(name: str, lines: Table) -> dict:
    """Count a table's rows, and per month its lines and last day.

    The data's span without reading them again.
    """
    day = day_column(name, lines.columns)
    if day is None:
        return {"rows": int(lines.count().execute()), "months": []}
    text = lines[day].cast("string")
    rows = (
        lines.group_by(month=text.substr(0, 7))
        .agg(n=_.count(), last=text.max())
        .order_by("month")
        .to_pandas()
    )
    return {
        "rows": int(rows["n"].sum()),
        "months": [list(row) for row in rows.dropna().itertuples(index=False)],
    }


def main_span(months: list[list]) -> tuple[str, str, str]:
    """Find the first and last month and the last day of the data's span, given (month, lines, last
    day) in order.

    A gap of more than a year cuts the months into runs. The span is the last run that is no slip of
    the pen: the one with most lines, or a later one of several months that holds `STRAY_SHARE` of
    as many, for somebody may begin anew after a pause.

    >>> stray, first = ["1970-01", 1, "1970-01-01"], ["2026-09", 50, "2026-09-30"]
    >>> main_span([stray, first, ["2026-10", 60, "2026-10-29"]])
    ('2026-09', '2026-10', '2026-10-29')
    """
    runs: list[list] = []
    for row in months:
        # as text, the month after 9999-12 would come before it
        if runs and periods.shift(runs[-1][-1][0], MAX_GAP_MONTHS).zfill(8) >= row[0].zfill(8):
            runs[-1].append(row)
        else:
            runs.append([row])
    largest = max(runs, key=lambda rows: sum(row[1] for row in rows))
    least = STRAY_SHARE * sum(row[1] for row in largest)
    begun = [rows for rows in runs if len(rows) > 1 and sum(row[1] for row in rows) >= least]
    run = max([largest, *begun])
    return run[0][0], run[-1][0], run[-1][2]


def _year_errors(name: str, columns: Iterable[str], months: list[list]) -> list[Finding]:
    """Find the lines of the data's span in years that no period has.

    A stray line far from all others is in no window anyway, and a warning.
    """
    day = day_column(name, columns)
    if not day or not months:
        return []
    first, last, _day = main_span(months)
    wrong = [row for row in months if first <= row[0] <= last and not periods.is_month(row[0])]
    n = sum(row[1] for row in wrong)
    return [Finding(name, day, "year", "error", n, wrong[0][2])] if n else []


def _type_errors(name: str, con, columns: dict[str, Mapped]) -> list[Finding]:
    """Count, in one pass, the values that do not fit their column's type and the required ones that
    are missing.
    """
    required = _required(name, columns)
    asked = []
    for column, (kind, raw, typed) in columns.items():
        bad = f"({raw}) IS NOT NULL AND TRIM(CAST({raw} AS VARCHAR)) <> '' AND ({typed}) IS NULL"
        if kind != "text":
            asked += [
                (
                    column,
                    "type",
                    f"COUNT(*) FILTER ({bad})",
                    f"MIN(CAST({raw} AS VARCHAR)) FILTER ({bad})",
                )
            ]
        if column in required:
            gone = f"({raw}) IS NULL OR TRIM(CAST({raw} AS VARCHAR)) = ''"
            asked += [(column, "missing", f"COUNT(*) FILTER ({gone})", "NULL")]
    if not asked:
        return []
    figures = ", ".join(f"{count}, {example}" for _column, _check, count, example in asked)
    row = con.raw_sql(f"SELECT {figures} FROM raw_{name}").fetchone()
    return [
        Finding(name, column, check, "error", int(row[2 * i]), str(row[2 * i + 1] or ""))
        for i, (column, check, *_sql) in enumerate(asked)
        if row[2 * i]
    ]


def _required(name: str, columns: Iterable[str]) -> list[str]:
    known = contract()[name]
    return [
        c
        for c in columns
        if c in known and known[c].required and not (c in OPTIONAL_IDS and "date" in known)
    ]


def _missing(name: str, lines: Table) -> list[Finding]:
    """Count the required values that are missing in a server's table."""
    required = _required(name, lines.columns)
    row = (
        lines.agg(**{c: lines[c].isnull().sum().fill_null(0) for c in required}).to_pandas().iloc[0]
    )
    return [Finding(name, c, "missing", "error", int(row[c]), "") for c in required if row[c]]


def _key_errors(name: str, lines: Table) -> list[Finding]:
    """Find rows whose key occurs more than once."""
    key = [c for c, column in contract()[name].items() if column.key and c in lines.columns]
    if not key:
        return []
    twice = lines.group_by(key).agg(n=_.count()).filter(_.n > 1)
    extra = int((twice.n.sum() - twice.count()).fill_null(0).execute())
    if not extra:
        return []
    example = twice.order_by([ibis.desc("n"), *key]).limit(1).to_pandas().iloc[0]
    return [
        Finding(
            name,
            ", ".join(key),
            "duplicate_key",
            "error",
            extra,
            ", ".join("–" if pd.isna(example[c]) else str(example[c]) for c in key),
        )
    ]


# ---- canonical tables ----------------------------------------------------------------------------


def table(book: Workbook, name: str) -> Table:
    """Give a canonical table as an Ibis expression.

    Kept Parquet, or a server's own table seen through the mapping.

    Raises
    ------
    DataError
        If the workbook has no such table, or it holds errors.
    """
    if not book.has(name):
        raise DataError(
            f"{name}: this workbook has no such table; name its source in {book.path.name} as "
            f"[data.{name}]"
        )
    if not book.embedded:
        return _served(book, name)
    if found := errors(book, name):
        raise DataError("\n".join(in_words(book, finding) for finding in found))
    return _connected(book).read_parquet(glob.escape(f"{_stem(book, name)}.parquet"))


def in_words(book: Workbook, finding: Finding) -> str:
    """Say an error in one line.

    File, table, column, number of rows, an example, and the next step.
    """
    if finding.check == "source":
        return finding.example
    where = f"{finding.table}.{finding.column}" if finding.column else finding.table
    source = source_name(book, finding.table)
    kind = contract()[finding.table].get(finding.column)
    n, example = finding.n_rows, f"e.g. {finding.example!r}"

    def rows(one: str, many: str) -> str:
        return f"{where}: {n:,} {'row' if n == 1 else 'rows'} of {source} {one if n == 1 else many}"

    if finding.check == "type" and kind and kind.kind in FORMATTED:
        return (
            f"{rows('holds', 'hold')} no plain {kind.kind}, {example}; say how it is written, "
            f'e.g. {finding.column} = "%m/%d/%Y" under [data.{finding.table}.format]'
        )
    if finding.check == "type":
        is_a = {"money": "amount", "id": "whole number"}.get(kind.kind if kind else "", "number")
        return (
            f"{rows('holds', 'hold')} no {is_a}, {example}; correct them, or map an expression in "
            f"{book.path.name} under [data.{finding.table}.columns]"
        )
    if finding.check == "year":
        return (
            f"{rows('is', 'are')} of a year before 1900 or after 2099, {example}; correct them, or "
            f"say how they are written under [data.{finding.table}.format] of {book.path.name}"
        )
    if finding.check == "missing":
        return f"{rows('is', 'are')} empty; fill them in or leave the rows out with a query"
    if finding.check == "duplicate_key":
        return (
            f"{rows('repeats', 'repeat')} a key that must be unique, {example}; remove them, or "
            "group them in a query"
        )
    if finding.check == "letter":
        return (
            f"{rows('sets', 'set')} a class that is none of A, B, C, {example}; write one of them, "
            "or take the row out"
        )
    if finding.check == "brand":
        near = nearest(book.brand, finding.example.split(" | "))
        return f"{where}: no line of {source} has our brand {book.brand!r}{near}"
    return f"{where}: {n:,} {'row' if n == 1 else 'rows'} of {source}: {finding.check}, {example}"
