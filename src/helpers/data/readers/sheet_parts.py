"""Parts of a spreadsheet's file that python-calamine does not tell, or does not survive.

It gives a cell with an error and a formula that nobody computed as empty, says nothing of an ODS's
merged cells, knows no number formats (an id 123 that is shown as 00123), makes room for all cells
up to the farthest one and ends the process where that is too much, and takes a date of 1904's
calendar for one of 1900's where Excel's own extension stands in the file. All of it is in the XML,
which is read here first, to the check sum of each part.
"""

import io
import itertools
import posixpath
import re
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO, NamedTuple
from xml.parsers import expat

from helpers import words
from helpers.data.readers import containers
from helpers.data.readers.merged import Merge
from helpers.data.values.numbers import CURRENCIES
from helpers.settings import DataError, refusal

CHUNK_BYTES = 1 << 20
# cells are held whole, 24 bytes each; where so few are filled, one lies far off by mistake
MAX_CELLS = 64_000_000
MAX_EMPTY_CELLS = 4_000_000
MIN_FILLED_SHARE = 0.02

# a cell as nearly everybody writes it: found as fast as a text is, for it begins with letters
_CELL = re.compile(rb'<c r="([A-Z]{1,3})([0-9]{1,7})"')
_CELLS = (b"<c ", b"<c>", b":c ", b":c>", b"<c\n", b"<c\t", b"<c\r", b"<c/")
_FORMULAS_OR_ERRORS = (b"<f>", b"<f ", b"<f/", b":f>", b":f ", b't="e"', b"t='e'")
_N_TEXTS = re.compile(rb"""\buniqueCount\s*=\s*["']\s*\+?([0-9]+)""")
_ZEROS = re.compile(r"0{2,15}(;@|;General)?")
_BUILT_IN = {"9": "%", "10": "%"}  # formats that no file spells out
# a currency in a format stands in brackets, with its language or without, in quotes, or bare
_WRITTEN = re.compile(r'\[\$([^\]-]*)(?:-[0-9A-Fa-f]+)?\]|"([^"]*)"|\\?([$€£¥￥₽₹₩₺])')
MAX_CELL_BYTES = 16 << 20  # of XML; 32,767 letters are taken in a cell
MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384  # of a sheet, by its format


class Parts(NamedTuple):
    """What a sheet's XML says beside its values; rows and columns count from 0."""

    errors: dict[tuple[int, int], str]
    merges: list[Merge] | None = None  # where calamine has none
    n_uncomputed: int = 0  # formulas without a value
    first_uncomputed: tuple[int, int] = (0, 0)
    digits: Mapping[tuple[int, int], int] = {}  # of whole numbers shown with zeros before: 00123
    units: Mapping[int, Mapping[int, str]] = {}  # by row and column: the currency shown, or "%"


NOTHING = Parts({})


def column_letters(column: int) -> str:
    """Name a column as a spreadsheet does, from 0.

    >>> column_letters(0), column_letters(27)
    ('A', 'AB')
    """
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_number(letters: str) -> int:
    """Give a column's number, from 0.

    >>> column_number("AB")
    27
    """
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def xlsx_parts(file: BinaryIO, told: str) -> tuple[dict[str, Parts], bytes | None]:
    """Read what an XLSX says beside its values.

    Returns
    -------
    Parts by sheet, and the file's bytes anew where calamine would take its dates for others.

    Raises
    ------
    DataError
        If a part is damaged, or a cell so far off that the sheet can't be held.
    """
    with containers.archive(file, told) as archive:
        sheets, is_misread, book, styles_part = _sheets_of(archive, told)
        styles = _styles(archive, styles_part, told) if styles_part else NO_STYLES
        found = {
            name: _xlsx_sheet(archive, part, told, name, styles) for name, part in sheets.items()
        }
        for member in archive.infolist():
            if member.filename not in sheets.values() and member.filename.endswith(".xml"):
                _require_whole(archive, member, told)
        return found, _without_extensions(archive, book) if is_misread else None


def ods_parts(file: BinaryIO, told: str) -> dict[str, Parts]:
    """Read what an ODS says beside its values.

    Raises
    ------
    DataError
        If it is encrypted, damaged, or a cell is so far off that the sheet can't be held.
    """
    with containers.archive(file, told) as archive:
        with _part(archive, "META-INF/manifest.xml", told) as stream:
            if b"encryption-data" in b"".join(_chunks(stream, told, "META-INF/manifest.xml")):
                raise containers.encrypted(told)
        reader = _OdsReader(told)
        with _part(archive, "content.xml", told) as stream:
            _parse(stream, told, reader.start, reader.end, reader.text)
        return reader.found


# ---- XML -----------------------------------------------------------------------------------------


def _part(archive: zipfile.ZipFile, part: str, told: str) -> Any:
    try:
        return archive.open(part)
    except (KeyError, *containers.UNREADABLE) as error:
        raise refusal("bad_part", told=told, part=part, error=error) from None


def _require_whole(archive: zipfile.ZipFile, member: zipfile.ZipInfo, told: str) -> None:
    """Read a part to its check sum; calamine makes room for as many texts as it says it holds."""
    with _part(archive, member.filename, told) as stream:
        for number, chunk in enumerate(_chunks(stream, told, member.filename)):
            said = _N_TEXTS.search(chunk[:4096]) if number == 0 else None
            if said and int(said[1]) > member.file_size:
                raise refusal(
                    "part_texts",
                    told=told,
                    part=member.filename,
                    size=member.file_size,
                    n=int(said[1]),
                )


def _chunks(stream: Any, told: str, part: str = ""):
    try:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk
    except containers.UNREADABLE as error:
        raise refusal(
            "part_check",
            told=told,
            part=part or words.message("refused.part_of_cells"),
            error=error,
        ) from None


def _parse(stream: Any, told: str, start, end=None, text=None) -> None:
    """Walk over a part's XML. A document type, which may blow up or name files, is refused."""
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def no_doctype(*_given: object) -> None:
        raise refusal("sheet_doctype", told=told)

    parser.StartDoctypeDeclHandler = no_doctype
    parser.StartElementHandler = start
    if end:
        parser.EndElementHandler = end
    if text:
        parser.CharacterDataHandler = text
    try:
        for chunk in _chunks(stream, told):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except DataError:
        raise
    except (expat.ExpatError, ValueError) as error:  # a number that is none
        raise refusal("sheet_xml", told=told, error=error) from None


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _require_room(told: str, sheet: str, n_rows: int, n_columns: int, n_filled: int) -> None:
    n_cells = n_rows * n_columns
    is_beyond = n_rows > MAX_ROWS or n_columns > MAX_COLUMNS
    is_sparse = n_filled < MIN_FILLED_SHARE * n_cells and n_cells > MAX_EMPTY_CELLS
    if n_cells > MAX_CELLS or is_sparse or is_beyond:
        raise refusal(
            "far_cells",
            told=told,
            sheet=sheet,
            column=column_letters(n_columns - 1),
            n_rows=n_rows,
            n_filled=n_filled,
            n_cells=n_cells,
        )


# ---- XLSX ----------------------------------------------------------------------------------------


def _sheets_of(archive: zipfile.ZipFile, told: str) -> tuple[dict[str, str], bool, str, str]:
    """List (sheet, part), tell whether calamine would misread the calendar, and name the parts of
    the book and of its styles.

    It takes the last element called workbookPr for the calendar's; Excel writes a second one, which
    is about charts.
    """
    # some programs write names in other cases, and with the other slash
    there = {name.replace("\\", "/").lower(): name for name in archive.namelist()}
    roots = _relations(archive, there, "", told)
    books = [part for part, kind in roots.values() if kind == "officeDocument"]
    book = there.get(books[0].lower() if books else "xl/workbook.xml")
    if book is None:
        raise refusal("no_sheet_list", told=told)
    related = _relations(archive, there, book.replace("\\", "/"), told)
    sheets: dict[str, str] = {}
    calendars: list[bool] = []

    def element(name: str, given: dict) -> None:
        if _local(name) == "workbookPr":
            calendars.append(given.get("date1904", "0") in ("1", "true", "on"))
        if _local(name) != "sheet":
            return
        key = next((v for k, v in given.items() if k.endswith(":id")), "")
        part, kind = related.get(key, ("", "worksheet"))
        if kind != "worksheet":
            return  # a chart's sheet and a macro's have no cells
        if part.lower() not in there:
            raise refusal("missing_sheet", told=told, sheet=given.get("name", ""))
        sheets[given.get("name", "")] = there[part.lower()]

    with _part(archive, book, told) as stream:
        _parse(stream, told, element)
    styles = next((part for part, kind in related.values() if kind == "styles"), "")
    is_misread = any(calendars) and not calendars[-1]
    return sheets, is_misread, book, there.get(styles.lower(), "")


class _Styles(NamedTuple):
    """Styles of cells by their number: digits of numbers with zeros before them, and units."""

    digits: dict[str, int]
    units: dict[str, str]


NO_STYLES = _Styles({}, {})


def unit_of(code: str) -> str:
    """Give the currency that a number format shows, or "%"; "" where it shows neither.

    >>> [unit_of(code) for code in ('#,##0.00 [$€-407]', '[$-409]0.0', '0.0%', '0 "USD"', '0 "d"')]
    ['€', '', '%', 'USD', '']
    """
    first = code.split(";")[0]
    for found in _WRITTEN.finditer(first):
        text = next((group for group in found.groups() if group), "").strip()
        if text.casefold() in CURRENCIES:
            return text
    return "%" if "%" in _WRITTEN.sub("", first) else ""


def _styles(archive: zipfile.ZipFile, part: str, told: str) -> _Styles:
    """List the styles that say more of a number than its value does."""
    codes: dict[str, int] = {}
    units = dict(_BUILT_IN)
    styles = _Styles({}, {})
    n_styles, is_of_cells = 0, False

    def start(name: str, given: dict) -> None:
        nonlocal n_styles, is_of_cells
        name = _local(name)
        if name == "numFmt" and _ZEROS.fullmatch(given.get("formatCode", "")):
            codes[given.get("numFmtId", "")] = given["formatCode"].count("0")
        elif name == "numFmt" and (unit := unit_of(given.get("formatCode", ""))):
            units[given.get("numFmtId", "")] = unit
        elif name == "cellXfs":
            is_of_cells = True
        elif name == "xf" and is_of_cells:
            key = given.get("numFmtId", "")
            if key in codes:
                styles.digits[str(n_styles)] = codes[key]
            if key in units:
                styles.units[str(n_styles)] = units[key]
            n_styles += 1

    def end(name: str) -> None:
        nonlocal is_of_cells
        is_of_cells = is_of_cells and _local(name) != "cellXfs"

    with _part(archive, part, told) as stream:
        _parse(stream, told, start, end)
    return styles


def _relations(
    archive: zipfile.ZipFile, there: dict[str, str], part: str, told: str
) -> dict[str, tuple[str, str]]:
    """List what a part refers to: by key, the other part and what it is ("worksheet")."""
    folder = posixpath.dirname(part)
    about = posixpath.join(folder, "_rels", f"{posixpath.basename(part)}.rels").lower()
    found: dict[str, tuple[str, str]] = {}

    def relation(name: str, given: dict) -> None:
        if _local(name) == "Relationship":
            target = posixpath.join("/", folder, given.get("Target", ""))
            kind = given.get("Type", "").rpartition("/")[2]
            found[given.get("Id", "")] = (posixpath.normpath(target).lstrip("/"), kind)

    if about in there:
        with _part(archive, there[about], told) as stream:
            _parse(stream, told, relation)
    return found


def _without_extensions(archive: zipfile.ZipFile, book: str) -> bytes:
    """Write a workbook anew, without the extensions of its first part."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy:
        for member in archive.infolist():
            data = archive.read(member)
            if member.filename == book:
                data = re.sub(rb"<(\w+:)?extLst\b.*?</(\w+:)?extLst>", b"", data, flags=re.S)
            copy.writestr(member.filename, data)
    return written.getvalue()


def _xlsx_sheet(
    archive: zipfile.ZipFile, part: str, told: str, sheet: str, styles: _Styles
) -> Parts:
    """Look for what calamine hides, and how far cells reach; what is plain is not parsed."""
    columns: set[bytes] = set()
    n_rows, n_cells, n_marks, is_asked = 0, 0, 0, False
    asked = (*_FORMULAS_OR_ERRORS, *(f' s="{style}"'.encode() for style in styles.digits))
    units: dict[int, dict[int, str]] = {}
    measured = re.compile(
        rf'<c r="([A-Z]{{1,3}})([0-9]{{1,7}})" s="({"|".join(styles.units)})"[ >/]'.encode()
    )
    rest = b""
    with _part(archive, part, told) as stream:
        for chunk in itertools.chain(_chunks(stream, told, part), (b"",)):
            data = rest + chunk
            if chunk:  # the last cell may go on in the next one
                end = data.rfind(b"<c")
                if end == 0 and len(data) < MAX_CELL_BYTES:
                    rest = data
                    continue
                end = end if end > 0 else len(data) - 1
                data, rest = data[:end], data[end:]
            found = _CELL.findall(data)
            n_cells += len(found)
            n_marks += sum(map(data.count, _CELLS))
            columns.update({column for column, _row in found})
            # rows stand in order by the format, and out of order in what scripts write
            n_rows = max(n_rows, max(map(int, {row for _column, row in found}), default=0))
            is_asked = is_asked or any(mark in data for mark in asked)
            for letters, row, style in measured.findall(data) if styles.units else ():
                at = column_number(letters.decode())
                units.setdefault(int(row) - 1, {})[at] = styles.units[style.decode()]
    n_columns = max((column_number(c.decode()) for c in columns), default=0) + 1
    _require_room(told, sheet, n_rows, n_columns, n_cells)
    # a cell in another spelling, or without its reference, must be counted
    if not is_asked and n_cells == n_marks:
        return Parts({}, units=units) if units else NOTHING
    reader = _XlsxReader(told, sheet, styles.digits)
    with _part(archive, part, told) as stream:
        _parse(stream, told, reader.start, reader.end, reader.text)
    uncomputed = (reader.n_uncomputed, reader.first_uncomputed)
    return Parts(reader.errors, None, *uncomputed, reader.digits, units)


class _XlsxReader:
    """Collects errors and formulas without a value from a sheet's XML."""

    def __init__(self, told: str, sheet: str, styles: dict[str, int]) -> None:
        self.digits: dict[tuple[int, int], int] = {}
        self._styles = styles
        self._told, self._sheet, self._n_cells = told, sheet, 0
        self._reach = (1, 1)
        self.errors: dict[tuple[int, int], str] = {}
        self.n_uncomputed, self.first_uncomputed = 0, (0, 0)
        self._row, self._column, self._type, self._value = -1, -1, "", ""
        self._is_formula, self._is_value = False, False

    def start(self, name: str, given: dict) -> None:
        name = _local(name)
        if name == "row":
            self._row = int(given["r"]) - 1 if "r" in given else self._row + 1
            self._column = -1
        elif name == "c":
            self._place(given.get("r", ""))
            if given.get("s") in self._styles and given.get("t", "n") == "n":
                self.digits[self._row, self._column] = self._styles[given["s"]]
            self._type, self._value, self._is_formula = given.get("t", ""), "", False
        elif name == "f":
            self._is_formula = True
        elif name == "v":
            self._is_value = True

    def _place(self, reference: str) -> None:
        found = re.fullmatch(r"([A-Za-z]{1,3})([0-9]{1,9})", reference)
        if found:
            self._column, self._row = column_number(found[1].upper()), int(found[2]) - 1
        elif reference:
            raise ValueError(f"a cell {reference[:20]!r}")
        else:
            self._column += 1
        self._n_cells += 1
        reach = (max(self._reach[0], self._row + 1), max(self._reach[1], self._column + 1))
        if reach != self._reach:
            self._reach = reach
            _require_room(self._told, self._sheet, *reach, self._n_cells)

    def text(self, text: str) -> None:
        if self._is_value:
            self._value += text

    def end(self, name: str) -> None:
        name = _local(name)
        if name == "v":
            self._is_value = False
        elif name == "c":
            if self._type == "e" and self._value:
                self.errors[self._row, self._column] = self._value
            # a formula whose value is an empty text says that it is a text
            elif self._is_formula and not self._value and self._type != "str":
                if not self.n_uncomputed:
                    self.first_uncomputed = (self._row, self._column)
                self.n_uncomputed += 1


# ---- ODS -----------------------------------------------------------------------------------------


class _OdsReader:
    """Collects errors and merged cells from an ODS, and how far its cells reach."""

    def __init__(self, told: str) -> None:
        self.found: dict[str, Parts] = {}
        self._told, self._sheet = told, ""
        self._row, self._column, self._n_rows, self._n_columns = 0, 0, 1, 1
        self._reach, self._n_filled = (0, 0), 0
        self._error: tuple[int, int] | None = None
        self._text, self._is_text = "", False

    def start(self, name: str, given: dict) -> None:
        name = _local(name)
        if name == "table":
            self._sheet = given.get("table:name", "")
            self.found[self._sheet] = Parts({}, [], units={})
            self._row, self._reach, self._n_filled = 0, (0, 0), 0
        elif name == "table-row":
            self._column = 0
            self._n_rows = int(given.get("table:number-rows-repeated", 1))
        elif name in ("table-cell", "covered-table-cell"):
            self._n_columns = int(given.get("table:number-columns-repeated", 1))
            self._cell(given, name == "table-cell")
        elif name == "p" and self._error is not None:
            self._is_text = True

    def _cell(self, given: dict, is_own: bool) -> None:
        tall = int(given.get("table:number-rows-spanned", 1))
        wide = int(given.get("table:number-columns-spanned", 1))
        sheet = self.found.get(self._sheet)
        if sheet is None:
            return
        if is_own and (tall > 1 or wide > 1) and sheet.merges is not None:
            sheet.merges.append(
                Merge(self._row, self._column, self._row + tall - 1, self._column + wide - 1)
            )
        if "office:value-type" in given or "calcext:value-type" in given:
            self._reach = (
                max(self._reach[0], self._row + self._n_rows),
                max(self._reach[1], self._column + self._n_columns),
            )
            self._n_filled += self._n_rows * self._n_columns
            # before calamine makes room for them
            _require_room(self._told, self._sheet, *self._reach, max(self._n_filled, 1))
        kind = given.get("office:value-type")
        unit = {"percentage": "%", "currency": given.get("office:currency", "")}.get(kind, "")
        # a value that is repeated down a column is a look without one, or nobody's amount
        if unit and self._n_rows == 1:
            own = sheet.units.setdefault(self._row, {})
            own |= dict.fromkeys(range(self._column, self._column + self._n_columns), unit)
        if given.get("calcext:value-type") == "error":
            self._error, self._text = (self._row, self._column), ""

    def text(self, text: str) -> None:
        if self._is_text:
            self._text += text

    def end(self, name: str) -> None:
        name = _local(name)
        if name == "p":
            self._is_text = False
        elif name in ("table-cell", "covered-table-cell"):
            if self._error is not None:
                self.found[self._sheet].errors[self._error] = self._text
                self._error = None
            self._column += self._n_columns
        elif name == "table-row":
            self._row += self._n_rows
