"""Sheets: XLSX, XLSM, XLS and ODS as grids of text, one a sheet.

A cell becomes the text that a careful person would type: a date as 2026-10-03, a number with the
digits its spreadsheet shows, an error as its name. What is merged over several rows holds for all
of them only where it is a label (`merged`).
"""

import datetime as dt
import functools
import io
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import python_calamine as calamine

from helpers import words
from helpers.data.readers import containers, markup
from helpers.data.readers.containers import Content
from helpers.data.readers.grid import Grid, Measured, Note, Number, ReadAs, Row
from helpers.data.readers.merged import HEAD_ROWS, Fill, Merge, fills
from helpers.data.readers.sheet_parts import (
    NOTHING,
    Parts,
    column_letters,
    ods_parts,
    xlsx_parts,
)
from helpers.data.readers.xls_errors import xls_errors
from helpers.settings import DataError, refusal
from helpers.settings.columns import nearest

EXACT_DIGITS = 15  # that a spreadsheet keeps and shows of a number; what follows is binary noise
MAX_EXACT = 2**53  # whole numbers up to here are exact in a cell, whoever wrote them there
FIRST_HEADERS = 4  # named for a person who has to choose a sheet

# a time of day is the fraction of a day, and its day the calendar's first
_NO_DAY = dt.date(1899, 12, 30)
_ODS_DURATION = re.compile(r"(-?)PT(\d+)H(\d+)M(\d+)(?:[.,]\d+)?S")


class _Source(NamedTuple):
    """A sheet before its cells are text. Rows and columns count from 0."""

    name: str
    rows: Callable[[], Iterator[tuple[int, list[Any]]]]  # values, from column `left`
    left: int
    parts: Parts
    merges: list[Merge]
    is_hidden: bool
    lines: Sequence[int] = ()  # of its rows in a text file; else a row's line is its number


def grids(source: Path | bytes | Content, told: str = "", encoding: str = "") -> list[Grid]:
    """List the sheets of a spreadsheet, in its order, as grids.

    A whole number that an XLSX shows as 00123 is "00123".

    Cells are read whole (a spreadsheet can't be read piece by piece); rows become text one by one.
    Trailing blank rows and columns are dropped, leading blank rows, too, and `line` is the sheet's
    row number. Grids' `notes`: `merged`, `merged_number` (see `merged`), `long_number` (of more
    digits than a spreadsheet keeps: an id that was destroyed).

    Parameters
    ----------
    source : a file, its bytes, or a content of an archive.
    told : its name, for messages; the file's own if it is one.
    encoding : of an HTML table under the name of a spreadsheet that does not tell it.

    Raises
    ------
    DataError
        If it is cut, encrypted, or no spreadsheet; when its rows are read: if a formula was never
        computed.
    """
    told = told or ("the spreadsheet" if isinstance(source, bytes) else source.name)
    if isinstance(source, Content):
        source = source.path or containers.held(source, told)
    kind = _kind(source, told)
    if kind in (containers.HTML, containers.SHEET_XML):
        data = source.read_bytes() if isinstance(source, Path) else source
        read = markup.html_tables if kind == containers.HTML else markup.sheet_xml
        return [_grid(_of_markup(table), told) for table in read(data, told, encoding)]
    return [_grid(sheet, told) for sheet in _opened(source, told, kind)]


def chosen(found: list[Grid], read_as: ReadAs, told: str) -> Grid:
    """Choose the sheet that is meant: the one named, else the only visible one with a table.

    Parameters
    ----------
    told : the file's name, for messages.

    Raises
    ------
    DataError
        If none is called so, none holds a table, or several do.
    """
    if read_as.sheet:
        return _named(found, read_as.sheet, told)
    filled = [grid for grid in found if any(_first_rows(grid, 1))]
    visible = [grid for grid in filled if not grid.is_hidden]
    if len(visible) == 1:
        return visible[0]
    tables = [grid for grid in visible if _may_be_table(grid)]
    if len(tables) == 1:
        return tables[0]
    if not filled:
        raise refusal("empty_sheets", told=told)
    if not visible:
        raise refusal(
            "hidden_sheets", told=told, sheets=_listed(filled), setting=_setting(filled[0])
        )
    meant = tables or visible
    raise refusal(
        "several_sheets", told=told, n=len(meant), sheets=_listed(meant), setting=_setting(meant[0])
    )


def cell_text(value: object) -> str:
    """Write a cell's value as text.

    Numbers have no exponent, no more digits than a spreadsheet shows, and no `.0`; dates a time
    only where they have one; durations are hours:minutes:seconds.

    >>> [cell_text(value) for value in (123.0, 0.1 + 0.2, 1e15, dt.datetime(2026, 10, 3), True)]
    ['123', '0.3', '1000000000000000', '2026-10-03', 'TRUE']
    """
    writer = _WRITERS.get(type(value))
    return writer(value) if writer else str(value)


# ---- one sheet -----------------------------------------------------------------------------------


def _number(value: float) -> str:
    text = f"{value:.{EXACT_DIGITS}g}"  # what is shown: no zeros at its end, no point without use
    if "e" not in text:
        return text if text != "-0" else "0"
    if value.is_integer():
        # whole numbers beyond what is shown keep what was written
        return str(int(value)) if abs(value) < MAX_EXACT else format(Decimal(repr(value)), "f")
    text = format(Decimal(text), "f") if value - value == 0 else text
    return text.rstrip("0").rstrip(".") if "." in text else text


def _instant(value: dt.datetime) -> str:
    if value.microsecond:  # a fraction of a day is never exactly a second
        value += dt.timedelta(microseconds=500)
        value -= dt.timedelta(microseconds=value.microsecond % 1000)
    if value.date() == _NO_DAY:
        return value.time().isoformat()
    return str(value).removesuffix(" 00:00:00")


def _duration(value: dt.timedelta) -> str:
    seconds = round(value.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _ods_duration(text: str) -> str:
    found = _ODS_DURATION.fullmatch(text) if text[:1] in ("P", "-") else None
    return f"{found[1]}{int(found[2])}:{found[3]}:{found[4]}" if found else text


_WRITERS: dict[type, Callable[[Any], str]] = {
    str: _ods_duration,
    float: lambda value: Number(_number(value)),
    int: lambda value: Number(value),
    bool: lambda value: "TRUE" if value else "FALSE",
    dt.datetime: _instant,
    dt.date: dt.date.isoformat,
    dt.time: dt.time.isoformat,
    dt.timedelta: _duration,
    type(None): lambda _value: "",
}


def _kind(source: Path | bytes, told: str) -> str:
    """Tell a spreadsheet's kind, which is not its ending's."""
    if isinstance(source, Path):
        found = containers.contents(source)
        kind = found[0].kind if len(found) == 1 and not found[0].name else containers.ZIP
    else:
        kind = containers.kind_of(source[: containers.HEAD_BYTES], told, source)
        if kind == containers.ZIP:
            with containers.archive(io.BytesIO(source), told) as archive:
                kind = containers.kind_in_zip(archive)
    if kind == containers.ENCRYPTED:
        raise containers.encrypted(told)
    if kind == containers.XLSB:
        # its errors and formulas without a value can't be told from empty cells
        raise refusal("is_xlsb", told=told)
    if kind not in containers.SHEETS:
        raise refusal("no_spreadsheet", told=told, kind=containers.plain_name(kind))
    return kind


def _opened(source: Path | bytes, told: str, kind: str) -> list[_Source]:
    """Open a spreadsheet; what calamine does not tell is read before it is asked."""
    parts: dict[str, Parts] = {}
    file: Any = source if isinstance(source, Path) else io.BytesIO(source)
    if kind in (containers.XLSX, containers.ODS):
        with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as stream:
            if kind == containers.XLSX:
                parts, anew = xlsx_parts(stream, told)
                file = io.BytesIO(anew) if anew else file
            else:
                parts = ods_parts(stream, told)
    errors: list[dict[tuple[int, int], str]] = []
    if kind == containers.XLS:
        errors = xls_errors(source.read_bytes() if isinstance(source, Path) else source, told)
    try:
        book = calamine.load_workbook(file)
        if len(errors) == len(book.sheet_names):
            parts = {
                name: Parts(found) for name, found in zip(book.sheet_names, errors, strict=True)
            }
        found = [
            _sheet(book, about, parts.get(about.name, NOTHING))
            for about in book.sheets_metadata
            if about.typ == calamine.SheetTypeEnum.WorkSheet
            and (kind != containers.XLSX or about.name in parts)
        ]
    except calamine.PasswordError:
        raise containers.encrypted(told) from None
    except (calamine.CalamineError, ValueError, OSError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise refusal(
            "damaged_sheet", told=told, kind=containers.plain_name(kind), reason=reason
        ) from None
    except BaseException as error:
        # what its library stumbles over in bytes that are no spreadsheet is no exception of Python
        if type(error).__name__ != "PanicException":
            raise
        raise refusal("damaged_kind", told=told, kind=containers.plain_name(kind)) from None
    return found


def _of_markup(table: markup.Markup) -> _Source:
    return _Source(
        table.name,
        lambda: enumerate(table.rows),
        0,
        NOTHING,
        table.merges,
        table.is_hidden,
        table.lines,
    )


def _sheet(book: Any, about: Any, parts: Parts) -> _Source:
    sheet = book.get_sheet_by_name(about.name)
    top, left = sheet.start or (0, 0)
    merges = parts.merges
    if merges is None:
        ranges = sheet.merged_cell_ranges or []
        merges = [Merge(*start, *end) for start, end in ranges]
    is_hidden = about.visible != calamine.SheetVisibleEnum.Visible

    def rows() -> Iterator[tuple[int, list[Any]]]:
        # it counts from the sheet's first row, and from the first column that holds anything
        return ((row, cells) for row, cells in enumerate(sheet.iter_rows()) if row >= top)

    return _Source(about.name, rows, left, parts, merges, is_hidden)


def _grid(sheet: _Source, told: str) -> Grid:
    moved = [
        Merge(m.top, m.left - sheet.left, m.bottom, m.right - sheet.left)
        for m in sheet.merges
        if m.left >= sheet.left
    ]
    errors: dict[int, dict[int, str]] = {}
    for (row, column), text in sheet.parts.errors.items():
        errors.setdefault(row, {})[column - sheet.left] = text
    digits: dict[int, dict[int, int]] = {}
    for (row, column), n_digits in sheet.parts.digits.items():
        digits.setdefault(row, {})[column - sheet.left] = n_digits
    units = sheet.parts.units
    if any(column < 0 for texts in errors.values() for column in texts):
        shift = -min(column for texts in errors.values() for column in texts)
        return _grid(_moved(sheet, shift), told)

    def line(row: int) -> int:
        return sheet.lines[row] if sheet.lines else row + 1

    @functools.cache
    def shape() -> tuple[int, int, tuple[Note, ...]]:
        """Find the last row and column that hold anything, and numbers that were cut."""
        last, width, n_cut, first_cut = -1, 0, 0, (0, 0.0)
        for row, cells in sheet.rows():
            used = len(cells)
            while used > 0 and cells[used - 1] == "":
                used -= 1
            used = max(used, max(errors.get(row, {}), default=-1) + 1)
            if used:
                last, width = row, max(width, used)
            for value in cells:
                if type(value) is float and abs(value) >= 10**EXACT_DIGITS:
                    first_cut = first_cut if n_cut else (row, value)
                    n_cut += 1
        last = max(last, max(errors, default=-1))
        if not n_cut:
            return last, width, ()
        note = Note("long_number", first_cut[0] + 1, n_cut, cell_text(first_cut[1]))
        return last, width, (note,)

    def texts() -> Iterator[tuple[int, list[str]]]:
        last, width, _notes = shape()
        pending = 0
        for row, cells in sheet.rows():
            if row > last:
                break
            written = [_WRITERS.get(type(value), str)(value) for value in cells[:width]]
            written += [""] * (width - len(written))
            for column, text in errors.get(row, {}).items():
                written[column] = text
            for place, unit in units.get(row, {}).items():
                column = place - sheet.left
                if 0 <= column < width and isinstance(written[column], Number):
                    written[column] = Measured(written[column], unit)
            for column, n_digits in digits.get(row, {}).items():
                if 0 <= column < width and written[column].isdigit():
                    written[column] = written[column].zfill(n_digits)
            pending = row + 1
            yield row, written
        for row in range(pending, last + 1):
            written = [""] * width
            for column, text in errors.get(row, {}).items():
                written[column] = text
            yield row, written

    filled, notes = fills(_within(moved, *shape()[:2]), texts(), shape()[1]) if moved else ({}, ())

    def rows() -> Iterator[Row]:
        _require_computed(sheet, told)
        running: list[Fill] = []
        is_begun = False
        for row, cells in texts():
            running = [fill for fill in running if fill.bottom >= row] + filled.get(row, [])
            for fill in running:
                if fill.column < len(cells):
                    cells[fill.column] = cells[fill.column] or fill.text
            if is_begun := is_begun or any(cells):
                yield Row(line(row), cells)

    told_of = tuple(note._replace(line=line(note.line - 1)) for note in (*notes, *shape()[2]))
    return Grid(sheet.name, rows, sheet.is_hidden, told_of)


def _within(merges: list[Merge], last: int, width: int) -> list[Merge]:
    """Cut merged cells off at the last row and column that hold anything."""
    return [
        merge._replace(bottom=min(merge.bottom, last), right=min(merge.right, width - 1))
        for merge in merges
        if merge.top <= last and merge.left < width
    ]


def _moved(sheet: _Source, shift: int) -> _Source:
    """Begin a sheet some columns earlier: a column of errors only is blank to calamine."""
    return sheet._replace(
        left=sheet.left - shift,
        rows=lambda: ((row, [""] * shift + cells) for row, cells in sheet.rows()),
    )


def _require_computed(sheet: _Source, told: str) -> None:
    if sheet.parts.n_uncomputed:
        row, column = sheet.parts.first_uncomputed
        raise refusal(
            "uncomputed",
            told=told,
            sheet=sheet.name,
            row=row + 1,
            column=column_letters(column),
            n=sheet.parts.n_uncomputed,
        )


# ---- which sheet ---------------------------------------------------------------------------------


def _named(found: list[Grid], name: str, told: str) -> Grid:
    def folded(text: str) -> str:
        return text.strip().casefold()

    exact = [grid for grid in found if grid.name == name]
    near = exact or [grid for grid in found if folded(grid.name) == folded(name)]
    if len(near) == 1:
        return near[0]
    raise refusal(
        "no_sheet", told=told, name=name, near=nearest(name, [grid.name for grid in found])
    )


def _first_rows(grid: Grid, n_rows: int = HEAD_ROWS) -> list[list[str]]:
    """Give the first rows that hold anything; a sheet of formulas without values may be meant."""
    try:
        filled = (row.cells for row in grid.rows() if any(row.cells))
        return list(itertools.islice(filled, n_rows))
    except DataError:
        return [["formulas never computed"] * 2] * 2


def _may_be_table(grid: Grid) -> bool:
    rows = _first_rows(grid)
    return len(rows) > 1 and sum(len([text for text in row if text]) > 1 for row in rows) > 1


def _listed(found: list[Grid]) -> str:
    """List sheets with their sizes and first headers, so that a person can choose."""
    more = words.message("refused.listed_in_all", n=len(found)) if len(found) > 8 else ""
    return "; ".join(map(_described, found[:8])) + more


def _described(grid: Grid) -> str:
    # the row that is filled most, and the first of them: what looks like a header
    best = max(_first_rows(grid), key=lambda row: sum(map(bool, row)))
    texts = [" ".join(text.split())[:24] for text in best if text]
    more = ", …" if len(texts) > FIRST_HEADERS else ""
    try:
        n_rows = sum(any(row.cells) for row in grid.rows())
    except DataError:
        return words.message("refused.sheet_uncomputed", sheet=grid.name)
    headers = ", ".join(texts[:FIRST_HEADERS]) + more
    return words.message(
        "refused.sheet_size", sheet=grid.name, n=n_rows, width=len(best), headers=headers
    )


def _setting(grid: Grid) -> str:
    return f'[data.<table>.read] sheet = "{grid.name}"'
