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
from pathlib import Path

from ibis.expr.types import Table

from helpers import files, words
from helpers.data import mapping, scope, servers, sqlite
from helpers.data.connections import (
    SPILL,
    SPILLED,
    cache_of,
    connected,
    literal,
    make_cache,
    mapped_headers,
    require_single_headers,
    room,
    unread,
)
from helpers.data.findings import (
    Finding,
    counted_months,
    day_column,
    in_words,
    key_errors,
    type_errors,
    year_errors,
)
from helpers.settings import (
    PACKAGE,
    DataError,
    Workbook,
    database_file,
    sources,
)

ABANDONED_SECONDS = 3600  # a file that was neither written to nor used for so long is nobody's


@functools.cache
def _code() -> bytes:
    """Gather what decides how a source is read, so that a new version of the workbook reads it
    anew.
    """
    modules = ("data/*.py", "settings/*.py")
    read_by = [file for name in modules for file in sorted(PACKAGE.glob(name))]
    made_of = [*read_by, words.REFERENCE / "columns.csv"]
    return b"".join(path.read_bytes() for path in made_of)


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
    return _digest(name, stats, book.tables[name], book.engine)


def fingerprint(book: Workbook) -> str:
    """Hash all that the tables are made of.

    A server's tables count by their lines and last day per month.
    """
    # anew: what a server told a moment ago may be the state of before
    told = [] if book.embedded else [servers.described(book, t, anew=True) for t in book.tables]
    return _digest(told, book.scope, *(table_fingerprint(book, name) for name in book.tables))


def _stem(book: Workbook, name: str) -> Path:
    return cache_of(book) / f"{book.name}.{name}.{table_fingerprint(book, name)}"


def described(book: Workbook, name: str) -> dict:
    """Describe a table: `errors` (findings), `rows`, and `months` as (month, lines, last day).

    Built where not kept.
    """
    if not book.embedded:
        return _described_by_server(book, name)
    stem = _stem(book, name)
    kept = _kept(stem)
    if kept is None:
        _build(book, name, stem)
        kept = _kept(stem)
    return kept


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
        with room(book, name, part) as con:
            columns = mapped_headers(book, name, con)
            require_single_headers(book, name, con, columns)
            found = type_errors(name, con, columns)
            if not found:
                days = [day] if (day := day_column(name, columns)) else []
                order = [*(c for c in ("dealer_id", "consumer_id") if c in columns), *days][:2]
                by = f"ORDER BY {', '.join(order)}" if order else ""
                select = f"SELECT {mapping.select_list(columns)} FROM raw_{name} {by}"
                con.raw_sql(
                    f"COPY ({select}) TO {literal(str(part))} (FORMAT parquet, COMPRESSION zstd)"
                )
                found = key_errors(name, con.read_parquet(glob.escape(str(part))))
            counted = (
                {} if found else counted_months(name, con.read_parquet(glob.escape(str(part))))
            )
            if found := found or year_errors(name, columns, counted["months"]):
                counted = {}
        if not found:
            _publish(part, Path(f"{stem}.parquet"))
        files.write(Path(f"{stem}.json"), json.dumps({"errors": found, **counted}), synced=False)
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
        raise DataError(
            f"{name}: this workbook has no such table; name its source in {book.path.name} as "
            f"[data.{name}]"
        )
    rows = _whole(book, name)
    return scope.cut(book, name, rows, functools.partial(_whole, book)) if book.scope else rows


def _whole(book: Workbook, name: str) -> Table:
    if not book.embedded:
        return servers.served(book, name)
    if found := errors(book, name):
        raise DataError("\n".join(in_words(book, finding) for finding in found))
    return connected(book).read_parquet(glob.escape(f"{_stem(book, name)}.parquet"))
