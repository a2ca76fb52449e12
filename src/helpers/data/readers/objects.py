"""Objects: JSON, Arrow, Parquet and SQLite as Arrow tables, their own types kept.

What has types is not made text: a Parquet goes to DuckDB as it stands (`Objects.path`). JSON's
numbers become text, exactly as they are written: 1.10 is no 1.1, an id of 20 digits stays whole.
Nested values become JSON text.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq

from helpers import words
from helpers.data.readers import containers, json_items, sqlite_tables
from helpers.data.readers.containers import Content
from helpers.data.readers.grid import TYPED, Note, ReadAs, typed_cells
from helpers.settings import DataError, refusal
from helpers.settings.columns import nearest

BATCH_ROWS = 65_536
_END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"


class Objects(NamedTuple):
    """One table of a file that has columns of its own.

    `reader` gives its rows from the start each time it is called, in batches. It raises a DataError
    where what was whole when the table was listed is so no more; so do its batches.
    """

    name: str  # of the table in the file; "" where the file is the one thing
    kind: str  # as `containers` calls it
    schema: pa.Schema
    reader: Callable[[], pa.RecordBatchReader]
    notes: tuple[Note, ...] = ()
    is_hidden: bool = False  # taken only where it is named: a view of a database
    path: Path | None = None  # a Parquet on disk, which an engine reads by itself
    # as `reader`, with `TYPED` behind the columns, where numbers are kept as text
    typed_reader: Callable[[], pa.RecordBatchReader] | None = None


def tables(source: Path | Content, told: str = "", encoding: str = "") -> list[Objects]:
    """List the tables of a file of objects.

    JSON may be a list of objects, objects one after another (JSONL), an object of lists (columns),
    or lists of objects within an object, each a table called by its way (`result.items`). In SQLite
    each table is one, and each view a hidden one.

    Parameters
    ----------
    source : a file, or a content of one.
    told : its name, for messages; the file's own if it is one.
    encoding : of JSON that is not in UTF-8.

    Raises
    ------
    DataError
        If it is cut or damaged, of another kind, or holds no table.
    """
    told = told or (source.name if isinstance(source, Path) else source.name or "the file")
    if isinstance(source, Path):
        source, _read_as = containers.chosen_content(
            containers.contents(source), ReadAs(), source.name
        )
    readers = {
        containers.JSON: lambda: _json(source, told, encoding),
        containers.PARQUET: lambda: [_parquet(source, told)],
        containers.ARROW_FILE: lambda: [_arrow(source, told)],
        containers.ARROW_STREAM: lambda: [_arrow(source, told)],
        containers.SQLITE: lambda: _sqlite(source, told),
    }
    if source.kind == containers.DUCKDB:
        raise refusal("is_duckdb", told=told)
    if source.kind not in readers:
        raise refusal("no_table_kind", told=told, kind=containers.plain_name(source.kind))
    return readers[source.kind]()


def chosen(found: list[Objects], read_as: ReadAs, told: str) -> Objects:
    """Choose the table that is meant: the one named by `sheet`, else the only one.

    Raises
    ------
    DataError
        If none is called so, or several could be meant.
    """
    if read_as.sheet:
        for table in found:
            if table.name == read_as.sheet:
                return table
        known = nearest(read_as.sheet, [table.name for table in found])
        raise refusal("no_such_table", told=told, sheet=read_as.sheet, known=known)
    shown = [table for table in found if not table.is_hidden]
    if len(shown) == 1:
        return shown[0]
    listed = "; ".join(_described(table) for table in (shown or found)[:8])
    n = len(shown or found)
    more = words.message("refused.listed_in_all", n=n) if n > 8 else ""
    if not found:
        raise refusal("holds_no_table", told=told)
    raise refusal(
        "several_tables",
        told=told,
        n=len(shown),
        listed=listed,
        more=more,
        first=(shown or found)[0].name,
    )


def _described(table: Objects) -> str:
    names = ", ".join(table.schema.names[:4]) + (", …" if len(table.schema.names) > 4 else "")
    return f"{table.name!r} ({names})"


# ---- JSON ----------------------------------------------------------------------------------------


def _json(content: Content, told: str, encoding: str) -> list[Objects]:
    """List the tables of a JSON: of many objects in a first pass, which finds all their columns."""
    document = json_items.document(content.open, told, encoding)
    if document is not None:
        return [
            _of_rows(name, told, lambda rows=rows: iter(rows), notes)
            for name, rows, notes in _lists_in(document, told)
        ]

    def rows() -> Iterator[dict[str, Any]]:
        return json_items.items(content.open, told, encoding)

    return [_of_rows("", told, rows)]


def _of_rows(
    name: str,
    told: str,
    rows: Callable[[], Iterator[dict[str, Any]]],
    notes: tuple[Note, ...] = (),
) -> Objects:
    columns: dict[str, None] = {}
    n_rows, is_typed = 0, False
    for row in rows():
        columns.update(dict.fromkeys(row))
        is_typed = is_typed or any(type(value) is json_items.Number for value in row.values())
        n_rows += 1
    if not columns:
        raise refusal("no_value", told=told, n_rows=n_rows)
    names = list(columns)
    schema = pa.schema([pa.field(column, pa.string()) for column in columns])
    wider = schema.append(pa.field(TYPED, pa.string()))

    def batches(schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        for chunk in _chunks(rows(), BATCH_ROWS):
            texts = [[json_items.cell_text(row.get(column)) for column in columns] for row in chunk]
            arrays = [
                pa.array([cells[i] for cells in texts], pa.string()) for i in range(len(columns))
            ]
            if schema is wider:
                typed = [typed_cells(names, cells) for cells in texts]
                arrays.append(pa.array(typed, pa.string()))
            yield pa.record_batch(arrays, schema=schema)

    return Objects(
        name,
        containers.JSON,
        schema,
        lambda: pa.RecordBatchReader.from_batches(schema, batches(schema)),
        notes,
        typed_reader=(lambda: pa.RecordBatchReader.from_batches(wider, batches(wider)))
        if is_typed
        else None,
    )


def _chunks(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _lists_in(
    document: dict[str, Any], told: str
) -> list[tuple[str, list[dict], tuple[Note, ...]]]:
    """Find the lists of objects within one object."""
    found: list[tuple[str, list[dict], tuple[Note, ...]]] = []
    waiting: list[tuple[tuple[str, ...], dict[str, Any]]] = [((), document)]
    while waiting:
        way, within = waiting.pop(0)
        for key, value in within.items():
            if isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
                found.append((".".join((*way, key)), value, _page_note(within, value)))
            elif isinstance(value, dict) and len(way) < 3:
                waiting.append(((*way, key), value))
    if found:
        return found
    values = list(document.values())
    if values and all(isinstance(value, list) for value in values):
        lengths = {key: len(value) for key, value in document.items()}
        if len(set(lengths.values())) > 1:
            short, long = (
                min(lengths, key=lengths.__getitem__),
                max(lengths, key=lengths.__getitem__),
            )
            raise refusal(
                "list_lengths",
                told=told,
                short=short,
                n_short=lengths[short],
                long=long,
                n_long=lengths[long],
            )
        rows = [dict(zip(document, row, strict=True)) for row in zip(*values, strict=True)]
        if rows:
            return [("", rows, ())]
    if values and all(isinstance(value, dict) for value in values):
        raise refusal("object_of_objects", told=told)
    if values and not any(isinstance(value, (list, dict)) for value in values):
        return [("", [document], ())]
    raise refusal("no_list", told=told)


_TOTALS = re.compile(r"(total|total_?count|count|recordcount|n_?rows|size)", re.IGNORECASE)


def _page_note(within: dict[str, Any], rows: list[dict]) -> tuple[Note, ...]:
    """Note that a list says itself that it is one page of more."""
    for key, value in within.items():
        if (
            _TOTALS.fullmatch(key)
            and isinstance(value, json_items.Number)
            and value.isdigit()
            and int(value) > len(rows)
        ):
            return (Note("page", 1, int(value) - len(rows), f"{key}: {value}", True),)
    return ()


# ---- Arrow, Parquet ------------------------------------------------------------------------------


def _parquet(content: Content, told: str) -> Objects:
    def opened() -> pq.ParquetFile:
        with _reading(told, containers.PARQUET):
            return pq.ParquetFile(_seekable(content, told))

    def batches() -> Iterator[pa.RecordBatch]:
        with _reading(told, containers.PARQUET):
            yield from opened().iter_batches(BATCH_ROWS)

    return _typed(content, told, opened().schema_arrow, batches)


def _arrow(content: Content, told: str) -> Objects:
    def opened() -> Any:
        with _reading(told, content.kind):
            file = _seekable(content, told)
            if content.kind == containers.ARROW_STREAM:
                _require_end(file, told)
                return pa.ipc.open_stream(file)
            with content.open() as stream:
                is_old = stream.read(4) == b"FEA1"
            return pa.feather.read_table(file) if is_old else pa.ipc.open_file(file)

    def batches() -> Iterator[pa.RecordBatch]:
        found = opened()
        with _reading(told, content.kind):
            if isinstance(found, pa.Table):
                given = iter(found.to_batches(BATCH_ROWS))
            elif content.kind == containers.ARROW_STREAM:
                given = iter(found)
            else:
                given = (found.get_batch(i) for i in range(found.num_record_batches))
            for batch in given:
                # the format has no check sums, and who reads on trusts what it says of lengths
                batch.validate(full=True)
                yield batch

    with _reading(told, content.kind):
        return _typed(content, told, opened().schema, batches)


def _require_end(file: Any, told: str) -> None:
    """Refuse a stream without its mark of the end: Arrow takes the end of a file for it."""
    size = file.seek(0, 2)
    file.seek(max(size - 8, 0))
    tail = file.read(8)
    file.seek(0)
    if tail != _END_OF_STREAM:
        raise refusal("cut_stream", told=told)


def _seekable(content: Content, told: str) -> Any:
    """Open what is read from its end: on disk by pages, what was packed from memory."""
    if content.path is not None:
        return pa.memory_map(str(content.path))
    return pa.BufferReader(containers.held(content, told))


@contextlib.contextmanager
def _reading(told: str, kind: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, OverflowError, SystemError) as error:
        if isinstance(error, DataError):
            raise
        # the others: a date, a text, a length that no Python value can hold
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise refusal(
            "damaged_as", told=told, kind=containers.plain_name(kind), reason=reason
        ) from None


def _typed(
    content: Content, told: str, schema: pa.Schema, batches: Callable[[], Iterator[pa.RecordBatch]]
) -> Objects:
    """Keep the types that a table has; nested values become JSON text."""
    names = schema.names
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise refusal("column_twice", told=told, twice=twice)
    nested = [pa.types.is_nested(field.type) for field in schema]
    plain = pa.schema(
        [
            pa.field(field.name, pa.string() if is_nested else _storage(field.type))
            for field, is_nested in zip(schema, nested, strict=True)
        ]
    )

    def written() -> Iterator[pa.RecordBatch]:
        with _reading(told, content.kind):
            for batch in batches():
                columns = [
                    _as_json(column) if is_nested else _stored(column).cast(field.type)
                    for column, is_nested, field in zip(batch.columns, nested, plain, strict=True)
                ]
                yield pa.record_batch(columns, schema=plain)

    return Objects(
        "",
        content.kind,
        plain,
        lambda: pa.RecordBatchReader.from_batches(plain, written()),
        (),
        False,
        content.path if content.kind == containers.PARQUET else None,
    )


def _storage(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.BaseExtensionType):
        return _storage(kind.storage_type)
    return pa.string() if pa.types.is_null(kind) else kind


def _stored(column: pa.Array) -> pa.Array:
    return column.storage if isinstance(column, pa.ExtensionArray) else column


def _as_json(column: pa.Array) -> pa.Array:
    return pa.array(
        [
            None if value is None else json.dumps(value, ensure_ascii=False, default=_shown)
            for value in column.to_pylist()
        ],
        pa.string(),
    )


def _shown(value: object) -> str:
    # a date, a decimal, bytes within a nested value
    return value.hex() if isinstance(value, bytes) else str(value)


# ---- SQLite --------------------------------------------------------------------------------------


def _sqlite(content: Content, told: str) -> list[Objects]:
    if content.path is None:
        raise refusal("packed_sqlite", told=told)
    return [
        Objects(
            table.name,
            containers.SQLITE,
            table.schema,
            table.reader,
            (),
            table.is_view,
            typed_reader=table.typed_reader,
        )
        for table in sqlite_tables.tables(content.path, told)
    ]
