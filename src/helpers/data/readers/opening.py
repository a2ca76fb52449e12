"""Opening: a file of whatever kind becomes a table that DuckDB reads.

A clean text file and a Parquet stay where they are; anything else is read here row by row and kept
as a Parquet of text for as long as its table is being built.
"""

import glob
import hashlib
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from helpers import words
from helpers.data.readers import containers, layouts, objects, sheets, texts, wide
from helpers.data.readers.containers import Content
from helpers.data.readers.grid import TYPED, Grid, Note, ReadAs, Row, typed_cells
from helpers.data.readers.layouts import Layout
from helpers.data.readers.records import Dialect, records
from helpers.data.values.text import literal
from helpers.settings import RowsError, refusal

BATCH_ROWS = 50_000
NEVER_TEXT = (".parquet", ".pq", ".feather", ".arrow", ".sqlite", ".sqlite3", ".db")
TAIL = 1 << 16  # bytes at the end of a file in which totals and foot rows stand
LINE, FILE = "line of the file", "name of the file"  # where a row of a copy comes from
PLACES = (LINE, FILE, TYPED)  # columns that are none of the file's
COPY = "read_parquet({}, union_by_name = true)"
PARQUET = f"read_parquet({{}}, union_by_name = true, filename = {literal(FILE)})"


class Table(NamedTuple):
    """A file's table.

    `scan` is what DuckDB selects from, with {} for its list of files, and `needs` the file it opens
    for that; `header` has the columns as the file names them. `notes` say what was left out or
    looked odd; `n_rows` is -1 where the rows were not counted here.
    """

    path: Path
    scan: str
    needs: Path
    header: tuple[str, ...]
    notes: tuple[Note, ...] = ()
    n_rows: int = -1
    n_in_file: int = -1
    is_copy: bool = False  # has the columns LINE and FILE; other tables have FILE, by its path
    told: str = ""  # its name, for messages
    kind: str = ""  # of a file that one system writes in one style: "text ;"
    typed: tuple[str, ...] = ()  # columns of numbers, whatever they are united with
    has_typed: bool = False  # has the column TYPED

    def scan_of_many(self, files: Iterable[Path]) -> str:
        """Write what DuckDB selects from, of files that are alike: a name stands for itself."""
        return self.scan.replace(
            "{}", f"[{', '.join(literal(glob.escape(str(file))) for file in files)}]", 1
        )


class Read(NamedTuple):
    """A grid with its layout, for who wants its rows as they stand."""

    grid: Grid
    layout: Layout
    notes: tuple[Note, ...]
    delimiter: str = ""


def opened(
    path: Path, read_as: ReadAs, told: str, copy: Path, closely: bool, is_alone: bool = True
) -> Table:
    """Open a file's table.

    Parameters
    ----------
    told
        The file's name, for messages.
    copy
        Where a copy may be written.
    closely
        Read a text file row by row even where its first and last lines are clean.
    is_alone
        What is said is said of this file, not of one among others of a query.

    Raises
    ------
    DataError
        If it can't be read, or does not tell what it is.
    """
    content, read_as = _content(path, read_as, told)
    if is_alone:
        _require_meant(content, read_as, told)
    if content.kind in containers.OBJECTS | {containers.DUCKDB}:
        return _of_objects(path, content, read_as, told, copy)
    is_clean = content.kind == containers.TEXT and not closely and not read_as.header
    if is_clean and (table := _clean(path, content, read_as)):
        return table
    found = grid_read(content, read_as, told)
    return _copied(path, content, found, told, copy)


def read(path: Path, read_as: ReadAs, told: str) -> Read:
    """Open a file for its rows as they stand, without a copy; of objects, as text.

    Raises
    ------
    DataError
        As `opened`.
    """
    content, read_as = _content(path, read_as, told)
    _require_meant(content, read_as, told)
    return grid_read(content, read_as, told)


def _content(path: Path, read_as: ReadAs, told: str) -> tuple[Content, ReadAs]:
    content, read_as = containers.chosen_content(containers.contents(path), read_as, told)
    if content.kind == containers.EMPTY:
        raise refusal("no_bytes", told=told)
    if content.kind == containers.TEXT and path.suffix.lower() in NEVER_TEXT:
        raise refusal("is_text", told=told)
    return content, read_as


def _require_meant(content: Content, read_as: ReadAs, told: str) -> None:
    """Refuse what is said of a file of another kind, rather than do as if it had been heard."""
    is_text = content.kind in (containers.TEXT, containers.HTML)
    idle = {
        "sheet": read_as.sheet and content.kind in (containers.TEXT, containers.PARQUET),
        "encoding": read_as.encoding and not is_text and content.kind != containers.JSON,
        "header": read_as.header and content.kind in containers.OBJECTS,
    }
    if said := next((key for key, is_idle in idle.items() if is_idle), ""):
        raise refusal("not_said_of", told=told, kind=containers.plain_name(content.kind), said=said)


def each(path: Path, told: str) -> Iterator[Read]:
    """Give every table of a file that shows itself as one: sheets, members, tables of objects.

    Raises
    ------
    DataError
        If the file can't be read.
    """
    for content in containers.contents(path):
        if content.kind == containers.EMPTY:
            continue
        if content.kind in containers.SHEETS:
            grids = [g for g in sheets.grids(content, told) if not g.is_hidden]
        elif content.kind in containers.OBJECTS | {containers.DUCKDB}:
            grids = [_as_grid(t) for t in objects.tables(content, told) if not t.is_hidden]
        else:
            grids = [texts.text(content, ReadAs(), told).grid]
        for grid in grids:
            name = "/".join(filter(None, dict.fromkeys([content.name, grid.name])))
            layout = layouts.laid_out(grid, ReadAs(), told)
            if layout.header:
                yield Read(grid._replace(name=name), layout, (*grid.notes, *layout.notes))


def grid_read(content: Content, read_as: ReadAs, told: str) -> Read:
    """Find the table in a content of text, a spreadsheet or objects."""
    notes, delimiter = list(content.notes), ""
    if content.kind in containers.SHEETS:
        found = sheets.grids(content, told, read_as.encoding)
        grid = sheets.chosen(found, read_as, told)
    elif content.kind in containers.OBJECTS | {containers.DUCKDB}:
        chosen = objects.chosen(objects.tables(content, told, read_as.encoding), read_as, told)
        grid = _as_grid(chosen)
    else:
        opened_text = texts.text(content, read_as, told)
        grid, delimiter = opened_text.grid, opened_text.found.dialect.delimiter
        if opened_text.found.width == 1 and _looks_parted(grid):
            notes.append(Note("no_delimiter", 1, 1, "", False))
    layout = layouts.laid_out(grid, read_as, told)
    return Read(grid, layout, (*notes, *grid.notes, *layout.notes), delimiter)


def require_table(found: Read, told: str) -> None:
    """Raise a DataError where rows are not as the header says, or there is none.

    Raises
    ------
    RowsError
        With the line, the number of rows and an example.
    """
    layout = found.layout
    if not layout.header and layout.n_rows:
        row = next(found.grid.rows())
        raise RowsError(
            words.message(
                "refused.line_no_header", told=told, line=row.line, example=_example(row)
            ),
            told,
            row.line,
            1,
        )
    named = {note.what: note for note in found.notes}
    if note := named.get("header_cells"):
        raise RowsError(
            words.message(
                "refused.header_width",
                told=told,
                line=note.line,
                width=layout.width,
                example=note.example,
            ),
            told,
            note.line,
            1,
        )
    if note := named.get("same_columns"):
        raise RowsError(
            words.message("refused.other_order", told=told, line=note.line, n=note.n_rows),
            told,
            note.line,
            note.n_rows,
        )
    odd = [named[what] for what in ("stray_quote", "fewer_cells", "more_cells") if what in named]
    if odd:
        note = odd[0]
        what = words.message(f"refused.{note.what}", width=layout.width)
        rest = words.message("refused.and_more", n=note.n_rows - 1) if note.n_rows > 1 else ""
        raise RowsError(
            words.message(
                "refused.odd_row",
                told=told,
                line=note.line,
                what=what,
                rest=rest,
                example=note.example,
                n=note.n_rows,
            ),
            told,
            note.line,
            note.n_rows,
        )


def unique_names(header: tuple[str, ...]) -> list[str]:
    """Give each column a name of its own: what is empty gets its number, what occurs again one
    behind it.

    >>> unique_names(("id", "", "ID"))
    ['id', 'column 2', 'ID_1']
    """
    names: list[str] = []
    seen: set[str] = set()
    for place, header_cell in enumerate(header, start=1):
        name = clean_name(header_cell) or f"column {place}"
        unique, n = name, 0
        while unique.casefold() in seen:
            n += 1
            unique = f"{name}_{n}"
        seen.add(unique.casefold())
        names.append(unique)
    return names


def clean_name(cell: str) -> str:
    """Take away what nobody sees around a header: blanks, zero-width characters, byte-order marks.

    >>> clean_name("\\ufeff Dealer ")
    'Dealer'
    """
    return re.sub(r"^[\s\ufeff\u200b-\u200d\u2060]+|[\s\ufeff\u200b-\u200d\u2060]+$", "", cell)


def require_alike(tables: list[Table], name: str) -> None:
    """Raise unless the files of a pattern belong together.

    Raises
    ------
    DataError
        If a column of the others is missing from one that has another in its place, or two files
        are copies of one another.
    """
    if len(tables) < 2:
        return
    _require_no_copies(tables, name)
    headers = [{clean_name(cell) for cell in table.header} - {""} for table in tables]
    counted = Counter(cell for header in headers for cell in header)
    for table, header in zip(tables, headers, strict=True):
        lacks = [cell for cell, n in counted.items() if cell not in header and n > len(tables) / 2]
        own = sorted(cell for cell in header if counted[cell] <= len(tables) / 2)
        if len(tables) == 2:  # neither is the rule
            lacks = [cell for cell in counted if cell not in header]
            own = sorted(cell for cell in header if counted[cell] == 1)
        if lacks and own:
            raise refusal(
                "files_differ", name=name, file=table.path.name, lacks=lacks[0], own=own[0]
            )


def _require_no_copies(tables: list[Table], name: str) -> None:
    sizes: dict[int, list[Path]] = {}
    for table in tables:
        sizes.setdefault(table.path.stat().st_size, []).append(table.path)
    for paths in sizes.values():
        seen: dict[str, Path] = {}
        for path in paths if len(paths) > 1 else ():
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest in seen:
                raise refusal("is_a_copy", name=name, file=path.name, other=seen[digest].name)
            seen[digest] = path


def _of_objects(path: Path, content: Content, read_as: ReadAs, told: str, copy: Path) -> Table:
    table = objects.chosen(objects.tables(content, told, read_as.encoding), read_as, told)
    notes = (*content.notes, *table.notes)
    header = tuple(table.schema.names)
    typed = tuple(field.name for field in table.schema if not _is_text(field.type))
    if table.path is not None:
        return Table(path, PARQUET, path, header, notes, kind=content.kind, typed=typed)
    n_rows = 0
    copy.parent.mkdir(parents=True, exist_ok=True)
    reader = (table.typed_reader or table.reader)()
    with pq.ParquetWriter(copy, reader.schema, compression="zstd") as writer:
        for batch in reader:
            n_rows += len(batch)
            writer.write_batch(batch)
    return Table(
        path,
        PARQUET,
        copy,
        header,
        notes,
        n_rows,
        n_rows,
        kind=content.kind,
        typed=typed,
        has_typed=table.typed_reader is not None,
    )


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _as_grid(table: objects.Objects) -> Grid:
    def rows() -> Iterator[Row]:
        yield Row(1, list(table.schema.names))
        line = 1
        for batch in table.reader():
            columns = [[sheets.cell_text(v.as_py()) for v in column] for column in batch.columns]
            for cells in zip(*columns, strict=True):
                line += 1
                yield Row(line, list(cells))

    return Grid(table.name, rows, notes=table.notes)


def _copied(path: Path, content: Content, found: Read, told: str, copy: Path) -> Table:
    require_table(found, told)
    layout = found.layout
    header, rows, notes = turned(found)
    names = unique_names(header)
    has_typed = content.kind in containers.SHEETS
    places = [(LINE, pa.int64()), (FILE, pa.string())]
    places += [(TYPED, pa.string())] if has_typed else []
    schema = pa.schema([*((name, pa.string()) for name in names), *places])
    copy.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(copy, schema, compression="zstd") as writer:
        while batch := list(itertools.islice(rows, BATCH_ROWS)):
            # an empty cell is nothing, as DuckDB reads it
            columns = [
                [row.cells[i] or None if i < len(row.cells) else None for row in batch]
                for i in range(len(names))
            ]
            arrays = [pa.array(column, pa.string()) for column in columns]
            lines = pa.array([row.line for row in batch], pa.int64())
            beside = [lines, pa.array([told] * len(batch), pa.string())]
            if has_typed:
                typed = [typed_cells(names, row.cells) for row in batch]
                beside.append(pa.array(typed, pa.string()))
            writer.write_batch(pa.record_batch([*arrays, *beside], schema=schema))
    return Table(
        path,
        COPY,
        copy,
        header,
        notes,
        layout.n_rows,
        layout.n_in_file,
        is_copy=True,
        kind=f"{content.kind} {found.delimiter}",
        has_typed=has_typed,
    )


def turned(found: Read) -> tuple[tuple[str, ...], Iterator[Row], tuple[Note, ...]]:
    """Give a table's header, rows and notes; a column for each month is a row for each then."""
    layout, header, notes = found.layout, found.layout.header, found.notes
    rows = layouts.rows_of(found.grid, layout)
    year = wide.year_of(note.example for note in notes if note.what == "title")
    if months := wide.months_of(header, year):
        line, example = layout.header_rows[-1].line, ", ".join(months.values())
        notes = (*notes, Note("wide", line, len(months), example[:80]))
        rows = wide.turned(rows, header, months)
        header = wide.turned_header(header, months)
    return header, rows, notes


def _looks_parted(grid: Grid) -> bool:
    """Whether a file of one column has what would part cells: blanks in each row, or quotes."""
    rows = list(itertools.islice(grid.rows(), 20))
    return len(rows) > 1 and all(row.cells and row.cells[0].count(" ") > 1 for row in rows)


def _example(row: Row) -> str:
    return repr(", ".join(row.cells)[:60])


def _clean(path: Path, content: Content, read_as: ReadAs) -> Table | None:
    """Take a text file whose first and last lines are clean as DuckDB's; None where they are not.

    What lies between, DuckDB reads by the same dialect and no other, and stops at what does not fit
    it; the table is read closely then.
    """
    if content.notes or (content.path is None and not path.name.lower().endswith((".gz", ".zst"))):
        return None
    if read_as.encoding and read_as.encoding.lower().replace("-", "") not in ("utf8", "utf8sig"):
        return None
    with content.open() as stream:
        head = stream.read(texts.SAMPLE)
    is_whole = len(head) < texts.SAMPLE
    found = _clean_head(head, is_whole)
    if found is None:
        return None
    dialect, header = found
    if content.path is None:
        with content.open() as stream:  # to its verified end, which DuckDB does not look for
            while stream.read(texts.SAMPLE):
                pass
    elif not is_whole and not _clean_tail(content.path, dialect, len(header)):
        return None
    names = unique_names(header)
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    packed = {".gz": ", compression = 'gzip'", ".zst": ", compression = 'zstd'"}
    compression = packed.get(path.suffix.lower(), "") if content.path is None else ""
    scan = (
        f"read_csv({{}}, auto_detect = false, header = true, delim = "
        f"{literal(dialect.delimiter)}, quote = '\"', escape = '\"', strict_mode = true, "
        f"columns = {{{columns}}}{compression}, filename = {literal(FILE)})"
    )
    return Table(path, scan, path, header, kind=f"{content.kind} {dialect.delimiter}")


def _clean_head(head: bytes, is_whole: bool) -> tuple[Dialect, tuple[str, ...]] | None:
    """Tell dialect and header of a text whose first lines are one plain table in UTF-8."""
    if not is_whole:
        head = head[: head.rfind(b"\n") + 1]
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if "\0" in text or not text.strip():
        return None
    n_crlf, n_feeds = text.count("\r\n"), text.count("\n")
    # one kind of line end, or else DuckDB and we would part lines in different places
    if text.count("\r") != n_crlf or n_crlf not in (0, n_feeds):
        return None
    lines = io.StringIO(text, newline="").readlines()
    found = texts.detected(lines[: texts.SAMPLE_LINES])
    dialect = found.dialect
    if dialect.quote != '"' or dialect.escape or dialect.has_blanks or texts.HINT.match(lines[0]):
        return None
    if dialect.delimiter in ("", " "):
        return None
    grid = Grid("", lambda: records(lines, dialect, found.width))
    layout = layouts.laid_out(grid, ReadAs(), "")
    names = [clean_name(name) for name in layout.header]
    is_plain = (
        not layout.notes
        and len(layout.header_rows) == 1
        and layout.first == 1
        and layout.n_rows > 0
        and all(names)
        and len({name.casefold() for name in names}) == len(names)
        and "\n" not in "".join(layout.header)
        and not wide.months_of(layout.header)
    )
    return (dialect, layout.header) if is_plain else None


def _clean_tail(path: Path, dialect: Dialect, width: int) -> bool:
    """Whether a long file ends as it began: no total, no foot note, no row cut."""
    with path.open("rb") as file:
        file.seek(-TAIL, io.SEEK_END)
        tail = file.read()
    try:
        text = tail[tail.find(b"\n") + 1 :].decode("utf-8")
    except UnicodeDecodeError:
        return False
    lines = io.StringIO(text, newline="").readlines()
    rows = list(records(lines, dialect, width))
    # the first lines may be the rest of a cell in quotes
    while rows and len(rows[0].cells) != width:
        rows = rows[1:]
    grid = Grid("", lambda: iter([Row(0, [f"c{i}" for i in range(width)]), *rows]))
    layout = layouts.laid_out(grid, ReadAs(), "")
    return bool(rows) and not any(note.what != "header_rows" for note in layout.notes)
