"""Tables: sources go through the mapping, stop at errors, and are kept as sorted Parquet; a server keeps its own."""

import functools
import glob
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import ibis
import sqlglot
from ibis import _
from ibis.expr.types import Table
from sqlglot import exp

from helpers import mapping, words
from helpers.mapping import Mapped, first_line, quoted
from helpers.settings import (
    ROOT,
    DataError,
    TableSource,
    Workbook,
    contract,
    database_file,
    files_in_query,
    is_file,
    nearest,
    sources,
)

CACHE = Path(os.environ.get("WORKBOOK_CACHE", ROOT / "data" / "cache"))  # elsewhere where the project is read-only
MEMORY_LIMIT = "1500MB"  # for DuckDB; it spills to disk beyond that; an own limit: engine = "duckdb://?memory_limit=…"
OPTIONAL_IDS = ("dealer_id", "consumer_id")  # a line without one is counted as unidentified, not refused
FORMATTED = ("date", "month")
ABANDONED_SECONDS = 3600  # a file that was neither written to nor used for so long is nobody's


class Finding(NamedTuple):
    """What a check found: rows of `table` (in `column`), how bad, how many, one example, and what to do."""

    table: str
    column: str
    check: str
    severity: str  # error or warning
    n_rows: int
    example: str


# ---- reading: a source becomes a raw relation -----------------------------------------------------------------------


@functools.lru_cache(maxsize=8)
def connection(engine: str):
    """Connect to an engine by its Ibis URL, once per process.

    Raises
    ------
    DataError
        If the engine is unknown, its driver is missing, or it can't be reached.
    """
    try:
        if not engine.startswith("duckdb://"):
            return ibis.connect(engine)
        # a database file is only read: several pages may do so at once
        con = ibis.connect(engine, read_only=True) if database_file(engine) else ibis.connect(engine)
        if "memory_limit" not in engine:
            con.raw_sql(f"SET memory_limit = '{MEMORY_LIMIT}'")
        CACHE.mkdir(parents=True, exist_ok=True)
        # by default all processes of a folder would spill to the same files and crash on one another's
        con.raw_sql(f"SET temp_directory = {_literal(str(CACHE / f'spill.{os.getpid()}.{secrets.token_hex(4)}'))}")
        con.raw_sql("SET preserve_insertion_order = false; SET enable_progress_bar = false; SET TimeZone = 'UTC'")
        con.raw_sql("SET python_enable_replacements = false")  # a name in a query is a table, no variable of ours
        return con
    except Exception as error:
        told = re.sub(r"://[^@/]*@", "://…@", f"engine {engine}: {first_line(error)}")  # never print a password
        raise DataError(told) from None


def _raw(book: Workbook, name: str) -> Table:
    """Open a table's source, headers as they are."""
    try:
        return connection(book.engine).sql(_raw_sql(book, name))
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"{name}: {source_name(book, name)} can't be read: {first_line(error)}") from error


def _raw_sql(book: Workbook, name: str) -> str:
    source = book.tables[name].source
    if book.tables[name].query:
        return _query_sql(book, name)
    if is_file(source):
        return f"SELECT * FROM {_scan(sources(book, name))}"
    return f"SELECT * FROM {'.'.join(quoted(part) for part in source.split('.'))}"


def _scan(files: list[Path]) -> str:
    listed = "[" + ", ".join(_literal(glob.escape(str(file))) for file in files) + "]"
    if files[0].name.lower().endswith(".parquet"):
        return f"read_parquet({listed}, union_by_name = true)"
    # text stays text until the contract types it: a sniffer would read 00123 as 123 and guess at dates
    return f"read_csv({listed}, all_varchar = true, header = true, union_by_name = true)"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _query_sql(book: Workbook, name: str) -> str:
    query = book.tables[name].query
    if not book.embedded:
        return query
    try:
        parsed = sqlglot.parse_one(query, dialect="duckdb")
    except sqlglot.errors.SqlglotError as error:
        raise DataError(f"{name}: the query can't be read as SQL: {first_line(error)}") from None
    if not isinstance(parsed, exp.Query):
        raise DataError(f"{name}: the query must be a SELECT")
    for read in parsed.find_all(exp.Table):
        # a file read past [data.files] would not be in the fingerprint: the cache could not see it change
        if not isinstance(read.this, exp.Identifier) or "/" in read.name or "." in read.name:
            raise DataError(
                f"{name}: name the file of {read.sql()!r} under [data.files] and use that name in the query"
            )
    heads = []
    for file in files_in_query(book, query):
        stub = TableSource(source=book.files[file])
        heads.append(f"{quoted(file)} AS (SELECT * FROM {_scan(sources(book, name, stub))})")
    return f"WITH {', '.join(heads)} SELECT * FROM ({query})" if heads else query


def _mapped(book: Workbook, name: str, raw: Table) -> dict[str, Mapped]:
    def type_of(expression: str) -> str:
        view = raw.alias(f"raw_{name}")
        return str(view.sql(f"SELECT {expression} AS x FROM raw_{name}", dialect="duckdb").schema()["x"])

    headers = {header: str(dtype) for header, dtype in raw.schema().items()}
    return mapping.mapped_columns(book, name, headers, type_of)


def _canonical(book: Workbook, name: str) -> Table:
    raw = _raw(book, name)
    select = f"SELECT {mapping.select_list(_mapped(book, name, raw))} FROM raw_{name}"
    try:
        return raw.alias(f"raw_{name}").sql(select, dialect="duckdb")
    except Exception as error:
        raise DataError(f"{name}: {source_name(book, name)} can't be read: {first_line(error)}") from error


def source_name(book: Workbook, name: str) -> str:
    """Name a table's source for a message."""
    given = book.tables[name]
    return "the query" if given.query else Path(given.source).name if is_file(given.source) else given.source


# ---- the cache ------------------------------------------------------------------------------------------------------


@functools.cache
def _code() -> bytes:
    """Gather what decides how a source is read, so that a new version of the workbook reads it anew."""
    here = Path(__file__).parent
    files = [here / name for name in ("tables.py", "mapping.py", "settings.py")] + [words.REFERENCE / "columns.csv"]
    return b"".join(file.read_bytes() for file in files)


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode() + _code()).hexdigest()[:16]


def table_fingerprint(book: Workbook, name: str) -> str:
    """Hash a table's sources (path, size, time), its mapping and the code that reads it."""
    database = [file for file in (database_file(book.engine),) if file]
    stats = [(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in sources(book, name) + database if f.exists()]
    return _digest(name, stats, book.tables[name], book.engine)


def fingerprint(book: Workbook) -> str:
    """Hash all that the tables are made of; a server's tables count by their lines and last day per month."""
    kept = [] if book.embedded else [described(book, name) for name in book.tables]
    return _digest(kept, *(table_fingerprint(book, name) for name in book.tables))


def _stem(book: Workbook, name: str) -> Path:
    return CACHE / f"{book.name}.{name}.{table_fingerprint(book, name)}"


def described(book: Workbook, name: str) -> dict:
    """Describe a table: `errors` (findings), `rows`, and `months` as (month, lines, last day); built where not kept."""
    if not book.embedded:
        try:
            lines = _canonical(book, name)
            return {"errors": [*_missing(name, lines), *_key_errors(name, lines)], **_counted(lines)}
        except DataError:
            raise
        except Exception as error:
            raise DataError(f"{name}: {source_name(book, name)} can't be read: {first_line(error)}") from error
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
    """Write a canonical table sorted as Parquet, then its description; with errors, only the description."""
    CACHE.mkdir(parents=True, exist_ok=True)
    con, raw = connection(book.engine), _raw(book, name)
    columns = _mapped(book, name, raw)
    part = Path(f"{stem}.{os.getpid()}.part")
    try:
        found = _type_errors(book, name, con, columns)
        if not found:
            order = [c for c in ("dealer_id", "consumer_id", "date", "month", "snapshot_date") if c in columns][:2]
            by = f"ORDER BY {', '.join(order)}" if order else ""
            select = f"SELECT {mapping.select_list(columns)} FROM ({_raw_sql(book, name)}) {by}"
            con.raw_sql(f"COPY ({select}) TO {_literal(str(part))} (FORMAT parquet, COMPRESSION zstd)")
            found = _key_errors(name, con.read_parquet(glob.escape(str(part))))
        counted = {} if found else _counted(con.read_parquet(glob.escape(str(part))))
        if not found:
            _publish(part, Path(f"{stem}.parquet"))
        part.write_text(json.dumps({"errors": found, **counted}), encoding="utf-8")
        part.replace(f"{stem}.json")
    except Exception as error:
        raise DataError(f"{name}: {source_name(book, name)} can't be read: {first_line(error)}") from error
    finally:
        part.unlink(missing_ok=True)
    for old in CACHE.glob(f"{book.name}.{name}.{'[0-9a-f]' * 16}.*"):
        # another process may still read the one, and write the other
        if (old.suffix == ".part" or not old.name.startswith(stem.name)) and _is_abandoned(old):
            old.unlink(missing_ok=True)
    for spilled in CACHE.glob("spill.*"):
        if _is_abandoned(spilled):
            shutil.rmtree(spilled, ignore_errors=True)


def _publish(part: Path, final: Path) -> None:
    """Give a whole file its name, unless another process was faster: DuckDB reads nonsense when a file is swapped."""
    try:
        os.link(part, final)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        part.replace(final)
    part.unlink(missing_ok=True)


def _is_abandoned(part: Path) -> bool:
    """Whether nobody needs a file or folder any more: for an hour nothing was written to it, and no page took it up."""
    try:
        return time.time() - part.stat().st_mtime > ABANDONED_SECONDS
    except FileNotFoundError:
        return False


def _counted(lines: Table) -> dict:
    """Count a table's rows, and per month its lines and last day: the data's span without reading them again."""
    day = next((c for c in ("date", "month", "snapshot_date") if c in lines.columns), None)
    if day is None:
        return {"rows": int(lines.count().execute()), "months": []}
    text = lines[day].cast("string")
    rows = lines.group_by(month=text.substr(0, 7)).agg(n=_.count(), last=text.max()).order_by("month").to_pandas()
    return {"rows": int(rows["n"].sum()), "months": [list(row) for row in rows.dropna().itertuples(index=False)]}


def _type_errors(book: Workbook, name: str, con, columns: dict[str, Mapped]) -> list[Finding]:
    """Count, in one pass, the values that do not fit their column's type and the required ones that are missing."""
    required = _required(name, columns)
    asked = []
    for column, (kind, raw, typed) in columns.items():
        bad = f"({raw}) IS NOT NULL AND TRIM(CAST({raw} AS VARCHAR)) <> '' AND ({typed}) IS NULL"
        if kind != "text":
            asked += [(column, "type", f"COUNT(*) FILTER ({bad})", f"MIN(CAST({raw} AS VARCHAR)) FILTER ({bad})")]
        if column in required:
            gone = f"({raw}) IS NULL OR TRIM(CAST({raw} AS VARCHAR)) = ''"
            asked += [(column, "missing", f"COUNT(*) FILTER ({gone})", "NULL")]
    if not asked:
        return []
    figures = ", ".join(f"{count}, {example}" for _column, _check, count, example in asked)
    row = con.raw_sql(f"SELECT {figures} FROM ({_raw_sql(book, name)})").fetchone()
    return [
        Finding(name, column, check, "error", int(row[2 * i]), str(row[2 * i + 1] or ""))
        for i, (column, check, *_sql) in enumerate(asked)
        if row[2 * i]
    ]


def _required(name: str, columns: Iterable[str]) -> list[str]:
    known = contract()[name]
    return [c for c in columns if c in known and known[c].required and not (c in OPTIONAL_IDS and "date" in known)]


def _missing(name: str, lines: Table) -> list[Finding]:
    """Count the required values that are missing in a server's table."""
    required = _required(name, lines.columns)
    row = lines.agg(**{c: lines[c].isnull().sum().fill_null(0) for c in required}).to_pandas().iloc[0]
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
    return [Finding(name, ", ".join(key), "duplicate_key", "error", extra, ", ".join(str(example[c]) for c in key))]


# ---- canonical tables -----------------------------------------------------------------------------------------------


def table(book: Workbook, name: str) -> Table:
    """Give a canonical table as an Ibis expression: kept Parquet, or a server's own table seen through the mapping.

    Raises
    ------
    DataError
        If the workbook has no such table, or it holds errors.
    """
    if not book.has(name):
        raise DataError(
            f"{name}: this workbook has no such table; name its source in {book.path.name} as [data.{name}]"
        )
    if not book.embedded:
        return _canonical(book, name)
    if found := errors(book, name):
        raise DataError("\n".join(in_words(book, finding) for finding in found))
    return connection(book.engine).read_parquet(glob.escape(f"{_stem(book, name)}.parquet"))


def in_words(book: Workbook, finding: Finding) -> str:
    """Say an error in one line: file, table, column, number of rows, an example, and the next step."""
    if finding.check == "source":
        return finding.example
    where = f"{finding.table}.{finding.column}" if finding.column else finding.table
    source = source_name(book, finding.table)
    kind = contract()[finding.table].get(finding.column)
    if finding.check == "type" and kind and kind.kind in FORMATTED:
        return (
            f"{where}: {finding.n_rows:,} rows of {source} hold no plain {kind.kind}, e.g. {finding.example!r}; "
            f'say how it is written, e.g. {finding.column} = "%m/%d/%Y" under [data.{finding.table}.format]'
        )
    if finding.check == "type":
        is_a = {"money": "amount", "id": "whole number"}.get(kind.kind if kind else "", "number")
        return (
            f"{where}: {finding.n_rows:,} rows of {source} hold no {is_a}, e.g. {finding.example!r}; "
            f"correct them, or map an expression in {book.path.name} under [data.{finding.table}.columns]"
        )
    if finding.check == "missing":
        return (
            f"{where}: {finding.n_rows:,} rows of {source} are empty; fill them in or leave the rows out with a query"
        )
    if finding.check == "duplicate_key":
        return (
            f"{where}: {finding.n_rows:,} rows of {source} repeat a key that must be unique, e.g. {finding.example!r}; "
            f"remove them, or group them in a query"
        )
    if finding.check == "letter":
        return (
            f"{where}: {finding.n_rows:,} rows of {source} set a class that is none of A, B, C, e.g. "
            f"{finding.example!r}; write one of them, or take the row out"
        )
    if finding.check == "brand":
        near = nearest(book.brand, finding.example.split(" | "))
        return f"{where}: no line of {source} has our brand {book.brand!r}{near}"
    return f"{where}: {finding.n_rows:,} rows of {source}: {finding.check}, e.g. {finding.example!r}"
