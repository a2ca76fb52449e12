"""Servers: an engine's own tables, seen through the mapping and asked where they lie."""

import functools
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from ibis import _
from ibis.expr.types import Table

from helpers.data import dialects, guard, mapping, units
from helpers.data.connections import connected, unread
from helpers.data.findings import (
    Finding,
    day_column,
    key_errors,
    required_columns,
    year_errors,
)
from helpers.settings import DataError, Workbook

# what a server told of a table holds for a moment: every question of the door begins with it; but
# a kernel lives for hours, and tables grow
SEEN_SECONDS = 30.0


class _Seen(NamedTuple):
    """What was told of a table, by which connection and until when it holds."""

    told: Any
    con: object
    until: float


_seen: dict[tuple[str, ...], _Seen] = {}


def _told(
    book: Workbook, name: str, ask: Callable[[Workbook, str], Any], anew: bool = False
) -> Any:
    con, key = connected(book), (ask.__name__, str(book.path), name, repr(book.tables[name]))
    found = _seen.get(key)
    if anew or not (found and found.con is con and time.monotonic() < found.until):
        found = _Seen(ask(book, name), con, time.monotonic() + SEEN_SECONDS)
        _seen[key] = found
    return found.told


def served(book: Workbook, name: str) -> Table:
    """Give a server's table as the contract's, by an expression: nothing of it is copied.

    Its columns are asked for once in `SEEN_SECONDS`.

    Raises
    ------
    DataError
        If the source is a file, or can't be read.
    """
    return _told(book, name, _served)


def _served(book: Workbook, name: str) -> Table:
    mapped = _told(book, name, _mapped)
    try:
        schema = {column: dialects.TYPES[one.kind] for column, one in mapped.columns.items()}
        listed = mapped.selected(mapping.select_list(mapped.columns))
        return connected(book).sql(listed, schema=schema)
    except Exception as error:
        raise unread(book, name, error) from None


class _Mapping(NamedTuple):
    """A server's table, and how the contract's columns are made of it."""

    headers: dict[str, str]  # with their types
    columns: dict[str, mapping.Mapped]
    selected: Callable[[str], str]  # writes a select list, in DuckDB's SQL, for the server


def _mapped(book: Workbook, name: str) -> _Mapping:
    con, given = connected(book), book.tables[name]
    if given.query:
        guard.require_server_query(name, given.query, con.dialect)
    try:
        raw = given.query or dialects.table_of(given.source, con.dialect)
        headers = {header: str(kind) for header, kind in con.sql(raw).schema().items()}
        type_of = functools.partial(_type_of, con, raw, f"raw_{name}")
        write = functools.partial(_typed, con.name)
        columns = mapping.mapped_columns(book, name, headers, type_of, write)
    except DataError:
        raise
    except Exception as error:
        raise unread(book, name, error) from None
    return _Mapping(
        headers,
        columns,
        lambda listed: dialects.selected(listed, raw, f"raw_{name}", con.dialect),
    )


def _typed(engine: str, raw: str, raw_type: str, kind: str, date_format: str | None) -> str:
    date_format = date_format and dialects.lenient(date_format, engine)
    return dialects.typed(raw, raw_type, kind, date_format)


def _type_of(con, raw: str, name: str, expression: str) -> str:
    asked = dialects.selected(f"{expression} AS x", raw, name, con.dialect)
    return str(con.sql(asked).schema()["x"])


def described(book: Workbook, name: str, anew: bool = False) -> dict:
    """Describe a server's table as `tables.described` does, in two passes at most.

    It is asked once in `SEEN_SECONDS`, unless `anew`.

    Raises
    ------
    DataError
        If it can't be read.
    """
    return _told(book, name, _described, anew)


def _described(book: Workbook, name: str) -> dict:
    try:
        lines = served(book, name)
        counted, found = _counted(name, lines)
        found += key_errors(name, lines)
        found += year_errors(name, lines.columns, counted["months"])
        mapped = _told(book, name, _mapped)
        source = _as_source(connected(book), mapped)
        found += units.errors(name, source, mapped.columns)
        notes = [] if found else units.warnings(name, source, mapped.columns, book.currency)
        return {"errors": found, "notes": notes, **counted}
    except DataError:
        raise
    except Exception as error:
        raise unread(book, name, error) from None


def _as_source(con, mapped: _Mapping) -> units.Source:
    texts = [header for header, kind in mapped.headers.items() if kind.lstrip("!") == "string"]
    return units.Source(texts, lambda listed: con.sql(mapped.selected(listed)))


def _counted(name: str, lines: Table) -> tuple[dict, list[Finding]]:
    """Count rows, months with their last day, and required values that are missing, in one pass."""
    required, day = required_columns(name, lines.columns), day_column(name, lines.columns)
    missing = {f"missing_{i}": lines[c].isnull() for i, c in enumerate(required)}
    if day is None:
        rows = lines.agg(n=_.count(), **{c: is_.sum().fill_null(0) for c, is_ in missing.items()})
        rows, months = rows.to_pandas(), []
    else:
        # months are counted as days or texts, as they are: text of a day costs the server more
        is_date = lines[day].type().is_date()
        month = lines[day].truncate("M") if is_date else lines[day]
        sums = lines.mutate(month=month, day=lines[day], **missing).group_by("month")
        sums = sums.agg(n=_.count(), last=_.day.max(), **{c: _[c].sum() for c in missing})
        rows = sums.to_pandas()
        known = rows.loc[rows["month"].notna(), ["month", "n", "last"]]
        months = [
            [str(month)[:7], int(n), str(last)[:10]]
            for month, n, last in known.itertuples(index=False)
        ]
        months.sort()
    empty = {c: int(rows[f"missing_{i}"].sum()) for i, c in enumerate(required)}
    found = [Finding(name, c, "missing", "error", n, "") for c, n in empty.items() if n]
    return {"rows": int(rows["n"].sum()), "months": months}, found
