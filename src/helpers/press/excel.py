"""Excel: an edition as one workbook, its summary first and a sheet for each table, in which nothing
that came with the data runs.
"""

import datetime as dt
import math
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.worksheet import Worksheet

from helpers import files, look, words
from helpers.press import first_sheet
from helpers.press.cells import (
    LINE_PT,
    Formats,
    Paper,
    set_page,
    text_of,
    write_text,
)
from helpers.press.summary import Summary, with_names

CLASS = re.compile("[ABCL–]|[AB]/[BC]")
MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384  # of a sheet
MAX_NAME = 31  # of a sheet
MAX_DIGITS, MAX_NUMBER = 15, 1e307  # of a whole number Excel turns the further digits into zeros
CHUNK = 10_000  # rows that are Python objects at the same time
MEASURED = 2_000  # rows that tell how wide a column is; the rest is much the same
NARROWEST, WIDEST = 7, 60  # columns, in digits
TALL = 10_000  # rows of a table in which long text is wrapped: larger ones are not for reading
# Text is text whatever it looks like; a row that is written leaves the memory.
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
ACROSS = 190  # digits, that a sheet of paper holds and can still be read
DIGITS = {"percent": 1, "whole": 0, "decimal": 2, "by_row": 2}


class Column(NamedTuple):
    """How a column is shown: its heading, the kind of its cells, and its width in digits."""

    name: str
    heading: str
    # text, code, class, date, truth, percent, whole or decimal; by_row where another column tells
    kind: str
    width: float


def write_workbook(
    path: Path,
    tables: Mapping[str, pd.DataFrame],
    *,
    title: str,
    period: str = "",
    brand: str = "",
    currency: str = "",
    notes: Iterable[str] = (),
    pages: Mapping[str, str] | None = None,
    names: Mapping[str, Mapping[Any, str]] | None = None,
    summary: Summary | None = None,
) -> None:
    """Write tables into one Excel workbook, whole or not at all, behind a sheet that sums up the
    month and lists them.

    Headings and codes are in the reader's language, the columns' own names stand in notes. Numbers
    keep all their digits and show as on a page; what is not known is an empty cell. The same tables
    make the same bytes.

    Parameters
    ----------
    tables
        By name, in the order of the sheets. What a sheet can't hold is cut, and both the sheet and
        the list say so.
    notes
        Lines under the title: whose data these are, as of when.
    pages
        By table, the title of the page it belongs to.
    names
        What stands beside ids, by the id's column; see `summary.names`.
    summary
        What the first sheet says above its list.
    """
    labels = sheet_names(tables)
    about = Paper(title, words.month_name(period) if period else "")
    try:
        with (
            files.part(path) as part,
            # the disk that is asked for
            tempfile.TemporaryDirectory(prefix=".rows-", dir=path.parent) as rows_aside,
            xlsxwriter.Workbook(part, {**OPTIONS, "tmpdir": rows_aside}) as book,
        ):
            formats = Formats(book)
            first = book.add_worksheet(labels[""])
            remarks = {}
            for name, rows in tables.items():
                shown = with_names(rows, names) if names else rows
                sheet = book.add_worksheet(labels[name])
                remarks[name] = _write_table(sheet, shown, formats, currency, about)
            row = first_sheet.write_head(first, [title, *notes], summary or Summary(), formats)
            if summary:
                unit = currency
                row = first_sheet.write_figures(first, row, summary.figures, about, formats, unit)
                listed = labels.get("call_list", "")
                row = first_sheet.write_calls(first, row, summary, listed, formats, unit)
            first_sheet.write_contents(first, row, tables, labels, remarks, pages or {}, formats)
            set_page(first, about)
            # not now: the same tables, the same bytes
            created = dt.datetime.fromisoformat(f"{period or '2000-01'}-01")
            book.set_properties(
                {"title": title, "subject": period, "author": brand, "created": created}
            )
    except XlsxWriterException as error:  # wraps what the disk said
        raise next(
            (cause for cause in (*error.args, error.__cause__) if isinstance(cause, OSError)), error
        ) from None


def sheet_names(tables: Iterable[str]) -> dict[str, str]:
    """Name the sheets: the term `table_<name>`, else the name itself, within Excel's rules.

    "" is the list of all.

    >>> sheet_names(["abc_pareto", "my_table", "My table"])["My table"]
    'My table (2)'
    """
    named: dict[str, str] = {}
    taken = {"history"}  # Excel keeps this one for itself
    for table in ("", *tables):
        term = words.word(f"table_{table}") if table else words.say("excel.summary")
        spoken = (table if term == f"table_{table}" else term).replace("_", " ")
        plain = re.sub(r"[\[\]:*?/\\]", " ", text_of(spoken).replace("'", "’")).strip() or "–"
        for number in range(1, len(taken) + 2):
            mark = f" ({number})" if number > 1 else ""
            name = plain[: MAX_NAME - len(mark)].strip() + mark
            if name.casefold() not in taken:
                break
        taken.add(name.casefold())
        named[table] = name
    return named


def columns_of(rows: pd.DataFrame, currency: str = "") -> list[Column]:
    """Tell how each column of a table is shown, by the grammar of `look.table`.

    Amounts name their currency.
    """
    found = []
    for i, name in enumerate(map(str, rows.columns)):
        values = rows.iloc[:, i]
        kind = _kind(values, name, rows.columns)
        heading = text_of(words.word(name) if words.word(name) != name else name.replace("_", " "))
        if currency and kind in ("whole", "decimal") and files.is_amount(name, rows.columns):
            heading = words.say("excel.amount", label=heading, currency=currency)
        found.append(Column(name, heading, kind, _width(values, heading, kind)))
    return found


def _kind(values: pd.Series, name: str, beside: Iterable[str]) -> str:
    told = words.kind(name)
    if told == "id":
        return "text"
    if told == "date" or pd.api.types.is_datetime64_any_dtype(values):
        return "date"
    if pd.api.types.is_bool_dtype(values):
        return "truth"
    if pd.api.types.is_numeric_dtype(values):
        return (
            "by_row"
            if name in look.BY_INDICATOR and set(files.MEASURES) & set(beside)
            else _number_kind(values, name)
        )
    return told if told in ("class", "code") else "text"


def _number_kind(values: pd.Series, name: str) -> str:
    if (told := words.kind(name)) == "share":
        return "percent"
    known = values[values.abs() < math.inf]
    large = len(known) > 0 and (known.abs().max() >= 1000 or bool((known == known.round()).all()))
    return "whole" if told in ("count", "days") or large else "decimal"


# ---- sheets --------------------------------------------------------------------------------------


def _write_table(
    sheet: Worksheet, rows: pd.DataFrame, formats: Formats, currency: str, about: Paper
) -> str:
    """Write a table and give the remark on what did not fit; "" where all did."""
    columns = columns_of(rows.iloc[:, :MAX_COLUMNS], currency)
    n_frozen = _n_frozen(rows)
    set_page(sheet, about, n_wide=math.ceil(sum(c.width for c in columns) / ACROSS) or 1)
    if not columns:
        sheet.write_string(0, 0, words.say("table.empty"), formats.subtle)
        return ""
    # a line for the heading, one for the remark
    shown = rows if len(rows) < MAX_ROWS else rows.head(MAX_ROWS - 2)
    sheet.set_row(0, 32)
    for i, column in enumerate(columns):
        sheet.set_column(i, i, column.width)
    for i, column in enumerate(columns):
        write_text(sheet, 0, i, column.heading, formats.head)
        sheet.write_comment(
            0, i, text_of(column.name), {"x_scale": 1.2, "y_scale": 0.35, "font_size": 9}
        )
    sheet.freeze_panes(1, n_frozen)
    sheet.autofilter(0, 0, len(shown), len(columns) - 1)
    sheet.repeat_rows(0)
    if n_frozen:  # on every sheet of paper, where a table takes several side by side
        sheet.repeat_columns(0, n_frozen - 1)
    for start in range(0, len(shown), CHUNK):
        _write_rows(
            sheet,
            shown.iloc[start : start + CHUNK],
            start + 1,
            columns,
            formats,
            len(shown) <= TALL,
        )
    remark = ""
    if len(shown) < len(rows) or len(columns) < rows.shape[1]:
        remark = words.say(
            "excel.cut",
            rows=len(shown),
            all_rows=len(rows),
            columns=len(columns),
            all_columns=rows.shape[1],
        )
        sheet.write_string(min(len(shown) + 1, MAX_ROWS - 1), 0, remark, formats.subtle)
    return remark


def _n_frozen(rows: pd.DataFrame) -> int:
    """Count the columns that stay in sight: up to the name of what a row is about."""
    first = [str(column) for column in rows.columns[:4]]
    names = [i for i, column in enumerate(first) if column.endswith("_name") or column == "factor"]
    return names[0] + 1 if names else 0


def _write_rows(
    sheet: Worksheet,
    rows: pd.DataFrame,
    first: int,
    columns: list[Column],
    formats: Formats,
    tall: bool,
) -> None:
    kinds = [
        _kinds_by_row(rows, rows.iloc[:, i])
        if column.kind == "by_row"
        else [column.kind] * len(rows)
        for i, column in enumerate(columns)
    ]
    wraps = [tall and column.width >= WIDEST for column in columns]
    codes = [column.kind == "code" for column in columns]
    values = [rows.iloc[:, i].tolist() for i in range(len(columns))]
    wide = [column for column, wrap in zip(values, wraps, strict=True) if wrap]
    n_lines = [
        max((_n_lines(column[row]) for column in wide), default=1) for row in range(len(rows))
    ]
    for row in range(len(rows)):
        if n_lines[row] > 1:
            sheet.set_row(first + row, LINE_PT * int(n_lines[row]))
        for i, column in enumerate(values):
            value = column[row]
            if value is None or value != value or value is pd.NaT:
                continue
            if codes[i] or value == "not_stated":
                value = words.word(value)
            _write(sheet, first + row, i, value, kinds[i][row], wraps[i], formats)


def _n_lines(text: object) -> int:
    """Count the lines a text takes in the widest column.

    Not every program fits the height of a row by itself.
    """
    return sum(math.ceil(words.width(line) / (WIDEST - 4)) or 1 for line in str(text).split("\n"))


def _kinds_by_row(rows: pd.DataFrame, values: pd.Series) -> list[str]:
    """Give the kind of each number of a column from the measure its row is about: those of one
    measure are written alike.
    """
    named = next(rows[name] for name in files.MEASURES if name in rows).astype("str")
    found = {name: _number_kind(part, name) for name, part in values.groupby(named)}
    return [found.get(name, "decimal") for name in named]


def _write(
    sheet: Worksheet, row: int, column: int, value: Any, kind: str, wrap: bool, formats: Formats
) -> None:
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value, formats.cell(kind))
        return
    if isinstance(value, (int, float)) and kind != "text":
        if abs(value) < (10**MAX_DIGITS if isinstance(value, int) else MAX_NUMBER):
            sheet.write_number(row, column, value, formats.cell(kind))
            return
        value = str(value) if math.isfinite(value) else "∞" if value > 0 else "−∞"
    if (kind == "date" or isinstance(value, dt.date)) and (day := _day(value)):
        sheet.write_datetime(row, column, day, formats.cell("date"))
        return
    text = text_of(value)
    # "A/B" is coloured as the worse, by which the dealer is served
    letter = text[-1:] if kind == "class" and CLASS.fullmatch(text) else ""
    quoted = files.is_formula(text)
    if text:
        write_text(sheet, row, column, text, formats.cell("text", letter, wrap=wrap, quoted=quoted))


def _day(value: object) -> dt.datetime | None:
    """Turn a date into one that Excel knows: there is none before 1900.

    None where it is no plain date.
    """
    found = re.fullmatch(r"((?:19|[2-9]\d)\d\d-\d\d-\d\d)(?:[ T]00:00:00)?", str(value))
    try:
        return dt.datetime.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


# ---- widths --------------------------------------------------------------------------------------


def _width(values: pd.Series, heading: str, kind: str) -> float:
    """Fit a column to its cells and to half of its heading, which takes two lines and a button."""
    known = values.dropna().head(MEASURED)
    if kind == "date":
        inside = 10
    elif kind in DIGITS and pd.api.types.is_numeric_dtype(known):
        known = known[known.abs() < math.inf] * (100 if kind == "percent" else 1)
        ends = [known.min(), known.max()] if len(known) else []
        inside = max((len(f"{end:,.{DIGITS[kind]}f}") for end in ends), default=0)
    else:
        spoken = known.map(words.word) if kind == "code" else known
        inside = max(
            (words.width(line) + 1 for text in spoken for line in str(text).split("\n")[:9]),
            default=0,
        )
    half = max(
        [math.ceil(words.width(heading) / 2) + 1, *(words.width(word) for word in heading.split())]
    )
    return min(max(inside + 2, half + 3, NARROWEST), WIDEST)
