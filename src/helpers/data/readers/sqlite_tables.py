"""SQLite files as a source: their tables, read only, and nothing of theirs run.

A database file is a program, too: views, triggers, generated columns, modules. It is opened so that
it can't be written to; an authorizer lets through reading and a short list of harmless functions,
so that a view which calls anything else is refused; its modules (virtual tables) are not read.
"""

import contextlib
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pyarrow as pa

from helpers.data.readers.grid import TYPED, Number, typed_cells
from helpers.settings import DataError, refusal

BATCH_ROWS = 65_536
MAX_EXACT = 2**53  # whole numbers up to here are exact among fractions
MAX_SECONDS = 600.0  # that a view may compute
_STEPS = 100_000  # of SQLite's machine, between two looks at the clock
_HOT_JOURNAL = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
# what computes a value from values and reaches nothing else
FUNCTIONS = frozenset(
    (
        *("abs", "avg", "coalesce", "count", "date", "datetime", "format", "glob", "ifnull"),
        *("instr", "julianday", "length", "like", "lower", "ltrim", "max", "min", "nullif"),
        *("printf", "replace", "round", "rtrim", "sign", "strftime", "substr", "substring", "sum"),
        *("time", "total", "trim", "typeof", "upper"),
    )
)
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ}


class SqliteTable(NamedTuple):
    """A table of an SQLite file."""

    name: str
    schema: pa.Schema
    reader: Callable[[], pa.RecordBatchReader]
    is_view: bool
    # as `reader`, with `TYPED` behind the columns, where one of text has numbers among it
    typed_reader: Callable[[], pa.RecordBatchReader] | None = None


def tables(path: Path, told: str) -> list[SqliteTable]:
    """List the tables of an SQLite file by name, then its views; each value has its own type.

    A column of whole numbers is int64; one with fractions, float64; blobs, binary; all else text,
    and where that has numbers among it, `TYPED` is the last column and tells which.

    Raises
    ------
    DataError
        If it is cut or damaged, or changes to it lie beside it.
    """
    _require_whole(path, told)
    with _reading(told), contextlib.closing(_connected(path)) as con:
        listed = [
            (name, kind == "view")
            for schema, name, kind, *_rest in con.execute("PRAGMA table_list").fetchall()
            if schema == "main" and kind in ("table", "view") and not name.startswith("sqlite_")
        ]
    listed.sort(key=lambda given: (given[1], given[0]))
    if not listed:
        raise refusal("no_sqlite_table", told=told)
    found = []
    for name, is_view in listed:
        try:
            schema = _schema(path, told, name)
        except DataError:
            if not is_view:
                raise
            continue  # a view that may not be read is no reason against a table
        if schema:
            found.append(_table(path, told, name, schema, is_view))
    return found


def _table(path: Path, told: str, name: str, schema: pa.Schema, is_view: bool) -> SqliteTable:
    own = [field for field in schema if field.name != TYPED]
    names = [field.name for field in own]
    plain, wider = pa.schema(own), schema

    def batches(schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        where = f"{told}, table {name!r}"
        with _reading(where), contextlib.closing(_guarded(path)) as con:
            cursor = con.execute(f"SELECT * FROM {_quoted(name)}")
            while rows := cursor.fetchmany(BATCH_ROWS):
                columns = zip(*rows, strict=True)
                given = [
                    _of_type(values, field.type) for values, field in zip(columns, own, strict=True)
                ]
                if len(schema) > len(own):
                    given.append([typed_cells(names, row) for row in zip(*given, strict=True)])
                arrays = [pa.array(v, f.type) for v, f in zip(given, schema, strict=True)]
                yield pa.record_batch(arrays, schema=schema)

    return SqliteTable(
        name,
        plain,
        lambda: pa.RecordBatchReader.from_batches(plain, batches(plain)),
        is_view,
        (lambda: pa.RecordBatchReader.from_batches(wider, batches(wider)))
        if wider != plain
        else None,
    )


def _schema(path: Path, told: str, name: str) -> pa.Schema | None:
    """Look at the types of all values: a column's declared type is no promise in SQLite."""
    with _reading(f"{told}, table {name!r}"), contextlib.closing(_guarded(path)) as con:
        cursor = con.execute(f"SELECT * FROM {_quoted(name)} LIMIT 0")
        columns = [about[0] for about in cursor.description]
        if not columns:
            return None
        kinds = ("integer", "real", "text", "blob")
        asked = ", ".join(
            f"max(typeof({_quoted(column)}) = '{kind}')" for column in columns for kind in kinds
        )
        found = []
        exact = ", ".join(
            f"max({_quoted(column)} NOT BETWEEN -{MAX_EXACT} AND {MAX_EXACT})" for column in columns
        )
        seen = con.execute(f"SELECT {asked} FROM {_quoted(name)}").fetchone()
        is_long = con.execute(f"SELECT {exact} FROM {_quoted(name)}").fetchone()
    is_mixed = False
    for number, column in enumerate(columns):
        whole, real, text, blob = seen[4 * number : 4 * number + 4]
        if blob and not (whole or real or text):
            kind = pa.binary()
        elif text or blob or (real and whole and is_long[number]) or not (whole or real):
            kind = pa.string()
        else:
            kind = pa.float64() if real else pa.int64()
        found.append(pa.field(column, kind))
        is_mixed = is_mixed or bool(text and (whole or real))
    return pa.schema([*found, *([pa.field(TYPED, pa.string())] if is_mixed else [])])


def _of_type(values: tuple, kind: pa.DataType) -> list:
    if kind != pa.string():
        return [float(v) if kind == pa.float64() and v is not None else v for v in values]
    return [value if value is None else _text(value) for value in values]


def _text(value: str | int | float | bytes) -> str:
    if isinstance(value, float):
        return Number(format(Decimal(repr(value)), "f").removesuffix(".0"))
    if isinstance(value, int):
        return Number(value)
    return value.hex() if isinstance(value, bytes) else value


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _connected(path: Path) -> sqlite3.Connection:
    with path.open("rb") as file:
        head = file.read(20)
    # what keeps a log of changes would make files beside it even for a reader; there is none now
    mode = "immutable=1" if 2 in head[18:20] else "mode=ro"
    con = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?{mode}",
        uri=True,
        check_same_thread=False,  # an engine reads on in a thread of its own
    )
    con.execute("PRAGMA trusted_schema = OFF")
    con.execute("PRAGMA query_only = ON")
    con.execute("PRAGMA cell_size_check = ON")
    return con


def _guarded(path: Path) -> sqlite3.Connection:
    con = _connected(path)
    end = time.monotonic() + MAX_SECONDS
    con.set_progress_handler(lambda: int(time.monotonic() > end), _STEPS)

    def authorized(action: int, first: str | None, second: str | None, *_rest: object) -> int:
        if action in _ALLOWED:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION and str(second).lower() in FUNCTIONS:
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    con.set_authorizer(authorized)
    return con


def _require_whole(path: Path, told: str) -> None:
    """Refuse a file that is shorter than it says, and one of which changes lie beside it."""
    with path.open("rb") as file:
        head = file.read(100)
    page = int.from_bytes(head[16:18], "big")
    n_bytes = int.from_bytes(head[28:32], "big") * (65_536 if page == 1 else page)
    is_said = head[24:28] == head[92:96]  # by a program that keeps the size
    size = path.stat().st_size
    if len(head) < 100 or (is_said and size < n_bytes):
        raise refusal("cut_sqlite", told=told, n_bytes=n_bytes, size=size)
    for ending, mark in (("-wal", b""), ("-journal", _HOT_JOURNAL)):
        beside = path.with_name(path.name + ending)
        if beside.is_file() and beside.stat().st_size:
            with beside.open("rb") as file:
                if file.read(len(mark)) != mark:
                    continue
            raise refusal("sqlite_changes", told=told, other=beside.name)


@contextlib.contextmanager
def _reading(told: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:  # names that are no text
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        if re.search(r"not authorized|prohibited|unsafe use", reason):
            raise refusal("sqlite_function", told=told, reason=reason) from None
        if "interrupted" in reason:
            raise refusal("sqlite_seconds", told=told, most=MAX_SECONDS) from None
        raise refusal("sqlite_held", told=told, reason=reason) from None
