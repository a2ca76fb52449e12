"""Tables under the name of a spreadsheet that are none: HTML pages, and Excel's XML of 2003.

Many an ERP's "Export to Excel" writes `<table>` into a file called `.xls`. Of a page only tables
are read (table, tr, th, td, colspan, rowspan), by the standard library: nothing in it is run, and
nothing that it names is opened.
"""

import datetime as dt
import re
from html.parser import HTMLParser
from typing import Any, NamedTuple
from xml.parsers import expat

from helpers.data.readers.merged import Merge
from helpers.settings import DataError, refusal

MAX_BYTES = 100 << 20  # a page is held whole
MAX_COLUMNS = 16_384  # of a sheet
MAX_ROWS = 1_048_576
MAX_CELLS = 20_000_000
MAX_DEPTH = 100  # of tables in tables

_CHARSET = re.compile(rb"""charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)["'][^>]*\?>""")
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_NO_TAG = re.compile(r"</(?![a-zA-Z])")
# what browsers take these names for
_MEANT = {"gb2312": "gb18030", "gbk": "gb18030", "iso-8859-1": "cp1252", "latin1": "cp1252"}


class Markup(NamedTuple):
    """A table of a page: its rows, as values and with the line each begins on, and merged cells."""

    name: str
    rows: list[list[Any]]
    lines: list[int]
    merges: list[Merge]
    is_hidden: bool = False


def html_tables(data: bytes, told: str, encoding: str = "") -> list[Markup]:
    """Read the tables of an HTML page, numbered from "1" in its order.

    A table that only holds others is left out. Text is as a browser shows it: white space once,
    what is not shown (scripts, styles, comments) not at all.

    Raises
    ------
    DataError
        If it has no table, is cut, is too large, or its encoding can't be told.
    """
    _require_size(data, told)
    parser = _Page(told)
    try:
        parser.feed(_without_comments(_decoded(data, told, encoding, _CHARSET), told))
        parser.close()
    except AssertionError as error:  # how the parser says that it can't go on
        raise refusal("bad_html", told=told, error=error) from None
    if parser.open_tables:
        raise refusal("cut_html", told=told, line=parser.open_tables[-1].begun)
    found = [table for table in parser.found if table.rows and any(map(any, table.rows))]
    if not found:
        raise refusal("no_html_table", told=told)
    return [
        Markup(str(number), table.rows, table.lines, table.merges)
        for number, table in enumerate(found, 1)
    ]


def sheet_xml(data: bytes, told: str, encoding: str = "") -> list[Markup]:
    """Read the worksheets of Excel's XML of 2003.

    Raises
    ------
    DataError
        If it is cut, damaged or too large.
    """
    _require_size(data, told)
    text = _decoded(data, told, encoding, _XML_ENCODING)
    reader = _Workbook(told)
    parser = expat.ParserCreate("utf-8", " ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = lambda name, given: reader.start(
        name, given, parser.CurrentLineNumber
    )
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        raise refusal(
            "bad_xml", told=told, line=error.lineno, reason=expat.errors.messages[error.code]
        ) from None
    return reader.found


def _require_size(data: bytes, told: str) -> None:
    if len(data) > MAX_BYTES:
        raise refusal("large_markup", told=told, most=MAX_BYTES >> 20)


def _decoded(data: bytes, told: str, encoding: str, pattern: re.Pattern[bytes]) -> str:
    """Decode markup as it says itself, else as UTF-8; another encoding is not guessed."""
    for bom, name in _BOMS:
        if data.startswith(bom):
            data, encoding = data[len(bom) :], name
            break
    said = pattern.search(data[:8192])
    encoding = encoding or (said[1].decode("ascii", "replace") if said else "utf-8")
    try:
        return data.decode(_MEANT.get(encoding.lower(), encoding))
    except LookupError:
        raise refusal("said_encoding", told=told, encoding=encoding) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise refusal(
            "not_in",
            told=told,
            line=line,
            bytes=data[error.start : error.start + 4],
            encoding=encoding,
        ) from None


# ---- HTML ----------------------------------------------------------------------------------------


def _without_comments(text: str, told: str) -> str:
    """Leave out comments and declarations, but not their line ends; in one go.

    The standard library's parser looks for the end of each that has none through the whole page.
    """
    kept, at = [], 0
    while (begin := text.find("<!", at)) >= 0:
        mark = "-->" if text.startswith("<!--", begin) else ">"
        end = text.find(mark, begin)
        if end < 0:
            line = text.count("\n", 0, begin) + 1
            raise refusal("no_end", told=told, begin=text[begin : begin + 4], line=line)
        kept += [text[at:begin], "\n" * text.count("\n", begin, end)]
        at = end + len(mark)
    kept.append(text[at:])
    return _NO_TAG.sub("&lt;/", "".join(kept))


class _Table:
    """A table while it is read."""

    def __init__(self, begun: int) -> None:
        self.begun = begun
        self.rows: list[list[str]] = []
        self.lines: list[int] = []
        self.merges: list[Merge] = []
        self.cell: list[str] | None = None
        self.spans = (1, 1)
        self.is_row = False
        self._covered: dict[int, int] = {}  # by column: how many rows below are taken
        self.n_cells = 0

    def begin_row(self, line: int) -> None:
        self.end_row()
        self.rows.append([])
        self.lines.append(line)
        self.is_row = True

    def begin_cell(self, line: int, spans: tuple[int, int]) -> None:
        self.end_cell()
        if not self.is_row:  # a page may leave out the row's tag
            self.begin_row(line)
        self.cell, self.spans = [], spans

    def end_cell(self) -> None:
        if self.cell is None:
            return
        row, (tall, wide) = self.rows[-1], self.spans
        self._skip_covered(row)
        top, left = len(self.rows) - 1, len(row)
        row.append(" ".join("".join(self.cell).replace("\u00a0", " ").split()))
        row += [""] * (wide - 1)
        self.n_cells += wide
        if tall > 1 or wide > 1:
            self.merges.append(Merge(top, left, top + tall - 1, left + wide - 1))
        if tall > 1:
            self._covered.update(dict.fromkeys(range(left, left + wide), tall))
        self.cell = None

    def _skip_covered(self, row: list[str]) -> None:
        while self._covered.get(len(row), 0):
            row.append("")

    def end_row(self) -> None:
        self.end_cell()
        if self.is_row:
            self._skip_covered(self.rows[-1])
            self._covered = {c: left - 1 for c, left in self._covered.items() if left > 1}
            self.is_row = False

    def end(self) -> None:
        self.end_row()
        width = max(map(len, self.rows), default=0)
        if width * len(self.rows) > MAX_CELLS:
            raise OverflowError
        for row in self.rows:
            row += [""] * (width - len(row))
        last = len(self.rows) - 1
        # a span may say more rows than there are
        self.merges = [m._replace(bottom=min(m.bottom, last)) for m in self.merges]


class _Page(HTMLParser):
    """Collects the tables of a page."""

    UNSEEN = frozenset({"script", "style", "title", "head", "noscript", "template"})
    BREAKS = frozenset({"br", "p", "div", "li"})

    def __init__(self, told: str) -> None:
        super().__init__(convert_charrefs=True)
        self.told = told
        self.found: list[_Table] = []
        self.open_tables: list[_Table] = []
        self._unseen = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.UNSEEN and not self._unseen and tag != "head":
            self._unseen = tag
        line = self.getpos()[0]
        if tag == "table":
            if len(self.open_tables) >= MAX_DEPTH:
                raise refusal("nested_tables", told=self.told, line=line)
            self.open_tables.append(_Table(line))
            self.found.append(self.open_tables[-1])
        if not self.open_tables:
            return
        table = self.open_tables[-1]
        if tag == "tr":
            table.begin_row(line)
        elif tag in ("td", "th"):
            given = dict(attrs)
            table.begin_cell(
                line,
                (_span(given.get("rowspan"), MAX_ROWS), _span(given.get("colspan"), MAX_COLUMNS)),
            )
            if table.n_cells > MAX_CELLS:
                raise self._too_large(line)
        elif tag in self.BREAKS and table.cell is not None:
            table.cell.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._unseen:
            self._unseen = ""
        if not self.open_tables:
            return
        table = self.open_tables[-1]
        if tag in ("td", "th"):
            table.end_cell()
        elif tag == "tr":
            table.end_row()
        elif tag in self.BREAKS and table.cell is not None:
            table.cell.append(" ")
        elif tag == "table":
            try:
                table.end()
            except OverflowError:
                raise self._too_large(self.getpos()[0]) from None
            self.open_tables.pop()

    def handle_data(self, data: str) -> None:
        if self.open_tables and not self._unseen and self.open_tables[-1].cell is not None:
            self.open_tables[-1].cell.append(data)

    def _too_large(self, line: int) -> DataError:
        return refusal("many_cells_line", told=self.told, line=line, most=MAX_CELLS)


def _span(given: str | None, most: int) -> int:
    found = re.match(r"\s*\d{1,9}", given or "")
    return min(max(int(found[0]), 1), most) if found else 1


# ---- Excel's XML of 2003 -------------------------------------------------------------------------

_SS = "urn:schemas-microsoft-com:office:spreadsheet "


class _Workbook:
    """Collects the worksheets of Excel's XML."""

    def __init__(self, told: str) -> None:
        self.found: list[Markup] = []
        self._told = told
        self._value: list[str] | None = None
        self._type = ""
        self._column, self._visible, self._n_cells = 0, None, 0
        self._spans = (0, 0)

    def doctype(self, *_given: object) -> None:
        raise refusal("xml_doctype", told=self._told)

    def start(self, name: str, given: dict[str, str], line: int) -> None:
        tag = name.rpartition(" ")[2]
        if tag == "Worksheet":
            self.found.append(Markup(given.get(f"{_SS}Name", ""), [], [], []))
        elif not self.found:
            return
        elif tag == "Row" and name.startswith(_SS):
            sheet = self.found[-1]
            index = _span(given.get(f"{_SS}Index"), MAX_ROWS) if f"{_SS}Index" in given else 0
            missing = max(index - 1 - len(sheet.rows), 0)
            sheet.rows.extend([] for _row in range(missing))
            sheet.lines.extend([line] * missing)
            sheet.rows.append([])
            sheet.lines.append(line)
        elif tag == "Cell" and name.startswith(_SS):
            self._begin_cell(given, line)
        elif tag == "Data" and name.startswith(_SS):
            self._value, self._type = [], given.get(f"{_SS}Type", "String")
        elif tag == "Visible":
            self._visible = []

    def _begin_cell(self, given: dict[str, str], line: int) -> None:
        sheet = self.found[-1]
        if not sheet.rows:
            raise refusal("cell_outside", told=self._told, line=line)
        row = sheet.rows[-1]
        index = _span(given.get(f"{_SS}Index"), MAX_COLUMNS) if f"{_SS}Index" in given else 0
        row += [""] * (index - 1 - len(row))
        wide = (
            int(_span(given.get(f"{_SS}MergeAcross"), MAX_COLUMNS))
            if (f"{_SS}MergeAcross" in given)
            else 0
        )
        tall = (
            int(_span(given.get(f"{_SS}MergeDown"), MAX_ROWS))
            if (f"{_SS}MergeDown" in given)
            else 0
        )
        top, left = len(sheet.rows) - 1, len(row)
        if wide or tall:
            sheet.merges.append(Merge(top, left, top + tall, left + wide))
        row += [""] * (wide + 1)
        self._column = left
        self._n_cells += index + wide + 1
        if self._n_cells > MAX_CELLS:
            raise refusal("many_cells", told=self._told, line=line, most=MAX_CELLS)

    def text(self, text: str) -> None:
        if self._value is not None:
            self._value.append(text)
        elif self._visible is not None:
            self._visible.append(text)

    def end(self, name: str) -> None:
        tag = name.rpartition(" ")[2]
        if tag == "Data" and self._value is not None:
            self.found[-1].rows[-1][self._column] = _typed(self._type, "".join(self._value))
            self._value = None
        elif tag == "Visible" and self._visible is not None:
            if "Hidden" in "".join(self._visible):
                self.found[-1] = self.found[-1]._replace(is_hidden=True)
            self._visible = None
        elif tag == "Worksheet":
            sheet = self.found[-1]
            width = max(map(len, sheet.rows), default=0)
            if width * len(sheet.rows) > MAX_CELLS:
                raise refusal("many_cells_sheet", told=self._told, sheet=sheet.name, most=MAX_CELLS)
            for row in sheet.rows:
                row += [""] * (width - len(row))


def _typed(kind: str, text: str) -> Any:
    """Give a value of the type that it says it has; a text where it is not."""
    try:
        if kind == "Number":
            return float(text)
        if kind == "DateTime":
            return dt.datetime.fromisoformat(text.strip())
    except ValueError:
        return text
    if kind == "Boolean":
        return text.strip() == "1"
    return text
