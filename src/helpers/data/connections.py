"""Connections: a source becomes a raw relation, in a small room or on a server."""

import contextlib
import functools
import glob
import itertools
import os
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import ibis
from ibis.common import exceptions
from ibis.expr.types import Expr

from helpers import files, words
from helpers.data import guard, limits, mapping, readers, sql_errors, sqlite
from helpers.data.mapping import Mapped, quoted
from helpers.data.sql_errors import first_line
from helpers.data.values.origins import Origins
from helpers.data.values.text import literal
from helpers.settings import (
    FILE_KINDS,
    DataError,
    RowsError,
    TableSource,
    Workbook,
    cause,
    contract,
    database_file,
    engine_settings,
    files_in_query,
    is_embedded,
    is_file,
    nearest,
    refusal,
    require_plain_database,
    shown_engine,
    sources,
)

# where the environment names one, for all workbooks; set to nothing, it would be whatever folder we
# stand in
CACHE = Path(given) if (given := os.environ.get("WORKBOOK_CACHE")) else None
# what we make there, by whole names: the folder may be one where people keep things of their own
SPILL = re.compile(r"spill\.\d+\.[0-9a-f]{8}")
# what DuckDB does not hold in memory, and copies of files that it can't read
SPILLED = re.compile(r"duckdb_temp_(?:storage|block)[\w-]*\.(?:tmp|block)|read\.\d+\.parquet")
# for DuckDB; it spills to disk beyond that; an own limit: engine = "duckdb://?memory_limit=…"
MEMORY_LIMIT = "1500MB"
# what not every engine has, such as windows, medians or joins by a range
UNKNOWN_THERE = (
    exceptions.OperationNotDefinedError,
    exceptions.UnsupportedOperationError,
    exceptions.UnsupportedBackendType,
    exceptions.UnsupportedArgumentError,
    exceptions.TranslationError,
)
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


@functools.lru_cache(maxsize=8)
def connection(engine: str, cache: Path):
    """Connect to an engine by its Ibis URL, once per process and cache.

    What reads DuckDB's kept tables runs no SQL of a toml; it spills into a folder of `cache`.

    Raises
    ------
    DataError
        If the engine is unknown, its driver is missing, or it can't be reached.
    """
    try:
        if not is_embedded(engine):
            return _server(engine)
        con = _duckdb(engine, _spill(cache))
        con.raw_sql("SET lock_configuration = true")
        return con
    except Exception as error:
        # never print a password
        raise refusal("engine", engine=shown_engine(engine), reason=first_line(error)) from None


def _server(engine: str):
    scheme = engine.partition("://")[0]
    # a driver is there only where its engine is used
    try:
        if scheme in ("postgres", "postgresql"):
            from helpers.data import postgres

            con = postgres.connect(engine)
        elif scheme == "pyspark":
            from helpers.data import spark

            con = spark.connect(engine)
        else:
            con = ibis.connect(engine)
    except ImportError as error:
        extra = "postgres" if scheme == "postgresql" else scheme
        raise refusal("no_driver", reason=first_line(error), extra=extra) from None
    con.compile = functools.partial(_compiled, scheme, con.compile)
    return con


def _compiled(scheme: str, compile_: Callable[..., str], expr: Expr, /, **options) -> str:
    """Write a question in an engine's SQL, or say by name that the engine knows no such thing."""
    try:
        return compile_(expr, **options)
    except UNKNOWN_THERE as error:
        raise refusal("cant_be_asked", scheme=scheme, reason=first_line(error)) from None


def connected(book: Workbook):
    """Connect to a workbook's engine; a DataError tells nothing of a variable's value."""
    try:
        return connection(book.engine, cache_of(book))
    except DataError as error:
        raise DataError(book.told(error)) from None


def make_cache(cache: Path) -> None:
    """Make the cache's folder.

    Raises
    ------
    DataError
        If it can't be made, which says how to have another.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refusal("no_cache", cache=cache, reason=cause(error)) from None


def _spill(cache: Path) -> Path:
    """Name a folder of this process's own, for what does not fit into memory."""
    return cache / f"spill.{os.getpid()}.{secrets.token_hex(4)}"


def _duckdb(engine: str, spill: Path):
    """Start an empty DuckDB that loads no extension, set up as the engine's URL says."""
    con = ibis.duckdb.connect(**CLOSED, **{"memory_limit": MEMORY_LIMIT, **engine_settings(engine)})
    make_cache(spill.parent)
    # by default all processes of a folder would spill to the same files and crash on one another's
    con.raw_sql(f"SET temp_directory = {literal(str(spill))}")
    con.raw_sql(
        "SET preserve_insertion_order = false; SET enable_progress_bar = false; SET TimeZone = "
        "'UTC'"
    )
    # a name in a query is a table, no variable of ours
    con.raw_sql("SET python_enable_replacements = false")
    return con


class Room(NamedTuple):
    """A DuckDB in which one table is read, and what its files turned out to be."""

    con: Any
    tables: tuple[readers.Table, ...]
    origins: Origins = Origins()


@contextlib.contextmanager
def room(book: Workbook, name: str, part: Path, closely: bool = False) -> Iterator[Room]:
    """Open a DuckDB in which one table is read.

    It opens that table's files, writes `part`, and nothing else. `closely` has text files read row
    by row, however clean they look.

    The table's source stands in it as the view `raw_<name>`. What the guard let through, and what a
    view of a foreign database holds, meets this wall: no other file, no network, no extension, no
    setting, no end of time.

    Raises
    ------
    DataError
        If the source is no table, can't be read, or takes too long.
    """
    seconds, spill = _read_seconds(), _spill(cache_of(book))
    late = words.message("refused.late", name=name, source=source_name(book, name), seconds=seconds)
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
                yield _opened(book, name, part, spill, opened, closely)
            except BaseException:
                stop()  # a query may have been left running, and closing would wait for its end
                raise
            finally:
                for con in opened:
                    con.disconnect()
                files.remove(spill)
    except limits.Overdue:
        raise DataError(late) from None


def _opened(
    book: Workbook, name: str, part: Path, spill: Path, opened: list, closely: bool
) -> Room:
    """Open a table's DuckDB and put its source there as a view.

    It stands in `opened` as soon as it can be stopped.
    """
    mapped, database = book.tables[name], database_file(book.engine)
    # files, and queries over them, may lie beside SQLite's: these are DuckDB's to read
    from_sqlite = is_sqlite(book, name)
    if book.engine.startswith("sqlite://"):
        database = None
    named = files_in_query(book, mapped.query) if mapped.query else []
    groups = (
        {file: sources(book, name, TableSource(book.files[file])) for file in named}
        if mapped.query
        else {"": sources(book, name)}
    )
    found = _files_opened(book, name, groups, spill, closely)
    try:
        con = _duckdb(book.engine, spill)
    except Exception as error:
        told = refusal("engine", engine=shown_engine(book.engine), reason=first_line(error))
        raise DataError(book.told(told)) from None
    opened.append(con)
    if from_sqlite:
        _copy_of_sqlite(con, book, name, opened)
        _close(con, [part])
        return Room(con, ())
    held = _attached(con, book, database) if database else _Database()
    tables, catalog = list(held.tables), held.catalog
    needs = [part, *(table.needs for tables_ in found.values() for table in tables_)]
    _close(con, needs)
    if mapped.query:
        known = [*(("", file) for file in named), *tables]
        guard.require_query(name, mapped.query, known, catalog, book.files)
        raw = _over_files(found, mapped)
    else:
        here = found[""]
        raw = (
            _united(here, with_places=True)
            if here
            else f"SELECT * FROM {_named(book, name, tables)}"
        )
    read = guard.tables_named(mapped.query) if mapped.query else {mapped.source.split(".")[-1]}
    guard.require_definitions(name, read, held.definitions, tables, catalog)
    try:
        con.raw_sql(f"CREATE TEMP VIEW {quoted(f'raw_{name}')} AS {raw}")
    except Exception as error:
        if not mapped.query:
            raise
        names = {name for _schema, name in known}
        headers = [header for tables_ in found.values() for t in tables_ for header in t.header]
        raise not_queried(book, name, error, headers, names) from None
    if mapped.query:
        _require_names_once(book, name, con)
    tables_ = tuple(table for tables_ in found.values() for table in tables_)
    return Room(con, tables_, Origins() if mapped.query else _origins(tables_))


def _require_names_once(book: Workbook, name: str, con) -> None:
    """Refuse a query that gives two columns one name, where the contract or the toml asks for it.

    What all columns of two tables share (SELECT * of a join) is one by its condition.
    """
    given, has_star = guard.names_given(book.tables[name].query)
    listed = [one.casefold() for one in given]
    there = {header.casefold() for header in headers_of(name, con)}
    asked = {one.casefold() for one in (*contract()[name], *book.tables[name].columns.values())}
    for one in given:
        # DuckDB calls the second of a name so
        again = has_star and f"{one}_1".casefold() in there and f"{one}_1".casefold() not in listed
        if one.casefold() in asked and (again or listed.count(one.casefold()) > 1):
            raise refusal("in_query_twice", name=name, column=one)


def _origins(tables: Iterable[readers.Table]) -> Origins:
    """Tell files apart by what stands under `readers.FILE`, with the name that people know."""
    files_, has_typed = {}, False
    tables = list(tables)
    for table in tables:
        is_ours = table.is_copy
        files_[table.told if is_ours else str(table.needs)] = (table.kind, table.told)
        has_typed |= table.has_typed or bool(table.typed and len(tables) > 1)
    return Origins(files_, has_typed)


def _close(con, files_: Iterable[Path]) -> None:
    """Shut the room: it opens these files and nothing else from now on."""
    # a name with brackets is asked for as a pattern that stands for it alone
    allowed = [text for path in files_ for text in (str(path), glob.escape(str(path)))]
    con.raw_sql(f"SET allowed_paths = [{', '.join(map(literal, allowed))}]")
    con.raw_sql("SET enable_external_access = false; SET lock_configuration = true")


def is_sqlite(book: Workbook, name: str) -> bool:
    """Whether a table lies in SQLite's file, and in no file beside it."""
    given = book.tables[name]
    if not book.engine.startswith("sqlite://"):
        return False
    return not (files_in_query(book, given.query) if given.query else is_file(given.source))


def _copy_of_sqlite(con, book: Workbook, name: str, opened: list) -> None:
    """Put a table of SQLite's file into the room, as `raw_<name>`."""
    file = database_file(book.engine)
    told = words.message("refused.engine_of", engine=shown_engine(book.engine))
    try:
        # once more: what lies there may have changed since the settings were read
        if file.exists():
            require_plain_database(file, told)
        source = sqlite.Source(name, file, book.tables[name])
    except DataError as error:
        raise DataError(book.told(error)) from None
    except Exception as error:
        if book.tables[name].query:
            raise not_queried(book, name, error) from None
        said = refusal("told_reason", told=told, reason=first_line(error))
        raise DataError(book.told(said)) from None
    opened.append(source)
    con.con.register("rows_of_sqlite", source.read(name))
    con.raw_sql(f"CREATE TEMP TABLE {quoted(f'raw_{name}')} AS SELECT * FROM rows_of_sqlite")
    con.con.unregister("rows_of_sqlite")


def _files_opened(
    book: Workbook, name: str, groups: dict[str, list[Path]], spill: Path, closely: bool
) -> dict[str, list[readers.Table]]:
    """Open the files of each group (a pattern, or a name of `[data.files]`); copies lie in `spill`.

    Raises
    ------
    DataError
        If one can't be read, or files of a group do not belong together.
    """
    given, n, found = book.tables[name].read, 0, {}
    for group, paths in groups.items():
        found[group] = []
        names = _told_apart([Path(book.told(path)) for path in paths])
        for path, told in zip(paths, names, strict=True):
            try:
                copy, is_alone = spill / f"read.{n}.parquet", not book.tables[name].query
                table = readers.opened(path, given, told, copy, closely, is_alone)
            except DataError as error:
                # the readers know the file, not the table it is for
                told = str(error).replace("[data.<table>", f"[data.{name}")
                told = words.message("refused.of_table", table=name, said=book.told(told))
                raise (
                    error.told(told) if isinstance(error, RowsError) else DataError(told)
                ) from None
            found[group].append(table._replace(told=told))
            n += 1
        readers.require_alike(found[group], name)
    return found


def _told_apart(paths: list[Path]) -> list[str]:
    """Name files by as much of their paths as tells them apart.

    >>> _told_apart([Path("/a/1/sales.csv"), Path("/a/2/sales.csv"), Path("/a/2/more.csv")])
    ['1/sales.csv', '2/sales.csv', 'more.csv']
    """
    alike = Counter(path.name for path in paths)
    return [path.name if alike[path.name] == 1 else "/".join(path.parts[-2:]) for path in paths]


def _united(tables: list[readers.Table], with_places: bool = False) -> str:
    """Write the rows of several files as one table, columns matched by name.

    With places, where its rows come from stands beside them, and which cells are numbers.
    """
    parts = []
    keys = ("scan", "is_copy", "has_typed", "typed")
    for _key, alike in itertools.groupby(tables, key=lambda t: [getattr(t, key) for key in keys]):
        alike = list(alike)
        first = alike[0]
        own = [readers.FILE]
        own += [readers.LINE] if first.is_copy else []
        own += [readers.TYPED] if first.has_typed else []
        rest = "" if with_places else f" EXCLUDE ({', '.join(map(quoted, own))})"
        if with_places and first.typed and len(tables) > 1 and not first.has_typed:
            rest = f", {literal(readers.typed_names(first.typed))} AS {quoted(readers.TYPED)}"
        parts.append(f"SELECT *{rest} FROM {first.scan_of_many([t.needs for t in alike])}")
    return " UNION ALL BY NAME ".join(parts)


def _over_files(found: dict[str, list[readers.Table]], mapped: TableSource) -> str:
    """Put a query that the guard let through over its files, in brackets that no comment of it can
    swallow.
    """
    query = mapped.query.rstrip("; \t\r\n")
    heads = [f"{quoted(name)} AS ({_united(tables)})" for name, tables in found.items()]
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
    engine = words.message("refused.engine_of", engine=shown_engine(book.engine))
    try:
        # once more: what lies there may have changed since the settings were read
        if file.exists():
            require_plain_database(file, engine)
        con.raw_sql(f"ATTACH {literal(str(file))} AS {quoted(catalog)} (TYPE duckdb, READ_ONLY)")
        # before the database is in use: its own macros could answer instead of DuckDB
        found = [con.con.execute(asked, [catalog]).fetchall() for asked in ASKED_OF_A_DATABASE]
        con.raw_sql(f"USE {quoted(catalog)}")
    except DataError as error:
        raise DataError(book.told(error)) from None
    except Exception as error:
        said = refusal("told_reason", told=engine, reason=first_line(error))
        raise DataError(book.told(said)) from None
    redefined, tables, views, columns = found
    if redefined:
        said = refusal("redefined", engine=engine, what=redefined[0][0])
        raise DataError(book.told(said))
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
        if source in book.files and not known:
            file = Path(book.told(book.files[source])).name
            raise refusal("is_named_file", name=name, source=source, file=file)
        kinds = words.message("refused.a_file_ends", kinds=", ".join(FILE_KINDS))
        there = nearest(source, sorted(known)) if known else kinds
        raise refusal("no_such_source", name=name, source=book.told(source), there=there)
    return ".".join(quoted(part) for part in source.split("."))


def _read_seconds() -> float:
    given = os.environ.get("WORKBOOK_READ_SECONDS", "")
    if not re.fullmatch(r"[1-9]\d{0,8}|", given):
        raise refusal("read_seconds", given=given)
    return float(given or READ_SECONDS)


def mapped_headers(book: Workbook, name: str, con) -> dict[str, Mapped]:
    """Map the headers of `raw_<name>` to the contract's columns."""

    def type_of(expression: str) -> str:
        # beside a column, a sum over all rows is told from what is computed row by row
        beside = f", {quoted(next(iter(headers)))} AS y" if headers else ""
        return str(con.sql(f"SELECT {expression} AS x{beside} FROM raw_{name}").schema()["x"])

    headers = headers_of(name, con)
    return mapping.mapped_columns(book, name, headers, type_of)


def headers_of(name: str, con) -> dict[str, str]:
    """Give the headers of `raw_<name>` with their types, as Ibis calls them."""
    # the view knows its columns; asked for them, DuckDB would guess at the files once more
    found = con.raw_sql(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = 'temp' "
        f"AND table_name = {literal(f'raw_{name}')} ORDER BY column_index"
    ).fetchall()
    return {
        header: str(con.compiler.type_mapper.from_string(kind))
        for header, kind in found
        if header not in readers.PLACES
    }


def unread(book: Workbook, name: str, error: Exception) -> DataError:
    """Say that a source can't be read, and why."""
    if book.tables[name].query:
        return not_queried(book, name, error)
    return refusal(
        "cant_be_read",
        name=name,
        source=source_name(book, name),
        reason=first_line(book.told(error)),
    )


def not_queried(
    book: Workbook,
    name: str,
    error: Exception,
    headers: Iterable[str] = (),
    tables: Iterable[str] = (),
) -> DataError:
    """Say that a query of the toml can't be read, why, and where to put it right."""
    reason = sql_errors.reason(book.told(error), headers, tables, guard.FUNCTIONS)
    return refusal("not_queried", name=name, reason=reason, toml=book.path.name)


def source_name(book: Workbook, name: str) -> str:
    """Name a table's source for a message."""
    given = book.tables[name]
    told = book.told(given.source)
    if given.query:
        return words.translated("the query", "查询")
    return Path(told).name if is_file(given.source) else told


def cache_of(book: Workbook) -> Path:
    """Give the folder of what is kept of a workbook: in its project, unless the environment names
    another by `WORKBOOK_CACHE`.
    """
    return CACHE or book.project / "data" / "cache"


def require_single_headers(
    book: Workbook, name: str, tables: Iterable[readers.Table], columns: Mapping[str, Mapped]
) -> None:
    """Refuse a file in which a header that is used stands twice: which one is meant it can't tell.

    Raises
    ------
    DataError
        With the header and the columns it stands over.
    """
    used = " ".join([book.tables[name].query, *(column.raw for column in columns.values())])
    for table in tables:
        places: dict[str, list[int]] = {}
        for place, header in enumerate(table.header, start=1):
            places.setdefault(readers.clean_name(header).casefold(), []).append(place)
        for header, at in places.items():
            is_used = re.search(rf"(?<!\w){re.escape(header)}(?!\w)", used, re.IGNORECASE)
            if header and len(at) > 1 and is_used:
                both = words.message("refused.and")
                twice = both.join(repr(table.header[place - 1]) for place in at)
                raise refusal(
                    "header_twice",
                    name=name,
                    file=Path(book.told(table.path)).name,
                    twice=twice,
                    columns=both.join(map(str, at)),
                )
