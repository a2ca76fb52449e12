"""Spreadsheets as grids of text: each family of cells, merged ranges and sheets, in each format."""

import datetime as dt
import io
import random
import shutil
import struct
import subprocess
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from helpers.data.readers import containers, markup, sheet_parts, sheets, xls_errors
from helpers.data.readers.grid import ReadAs
from helpers.data.readers.merged import Merge, fills
from helpers.settings import DataError

FORMATS = ("xlsx", "xls", "ods")
# value, its number format, the text that it is; and formats that can't hold it
CELLS = (
    ("00123", "General", "00123", ()),
    ("K-7", "@", "K-7", ()),
    ("12345678901234567890", "@", "12345678901234567890", ()),
    ("1E5", "@", "1E5", ()),
    ("  blank  ", "General", "  blank  ", ()),
    ("two\nlines", "General", "two\nlines", ()),
    ("客户编码", "General", "客户编码", ()),
    ("=A1", "@", "=A1", ()),
    ("1,234.50", "@", "1,234.50", ()),
    ("#N/A is text", "General", "#N/A is text", ()),
    (0, "General", "0", ()),
    (123, "General", "123", ()),
    (123.0, "0.00", "123", ()),
    (-5, "General", "-5", ()),
    (1234.5, "#,##0.00", "1234.5", ()),
    (0.1 + 0.2, "General", "0.3", ()),
    (1.1 * 3, "General", "3.3", ()),
    (1.005, "General", "1.005", ()),
    (4.35, "0.00", "4.35", ()),
    (1e-7, "General", "0.0000001", ()),
    (123456.789, '"€"#,##0.00', "123456.789", ()),
    (10**14, "General", "100000000000000", ()),
    (999999999999999, "0", "999999999999999", ()),
    (0.155, "0.00%", "0.155", ()),
    (1.5, "0%", "1.5", ()),
    (-0.25, "#,##0.00;[Red](#,##0.00)", "-0.25", ()),
    (12, "[Red]0", "12", ()),
    (45000, '#,##0 "days"', "45000", ()),
    (45000, '0 "d"', "45000", ()),
    (True, "General", "TRUE", ("ods",)),  # LibreOffice writes the number 1
    (False, "General", "FALSE", ("ods",)),
    (dt.date(2026, 10, 3), "yyyy-mm-dd", "2026-10-03", ()),
    (dt.date(2026, 10, 3), "dd.mm.yyyy", "2026-10-03", ()),
    (dt.date(2026, 10, 3), "m/d/yy", "2026-10-03", ()),
    (dt.date(2026, 10, 3), '[$-804]yyyy"年"m"月"d"日"', "2026-10-03", ()),
    (dt.date(2026, 10, 1), "mmm yy", "2026-10-01", ()),
    (dt.date(2026, 10, 1), "[$-409]mmm\\-yy;@", "2026-10-01", ()),
    (dt.date(1999, 12, 31), "yyyy-mm-dd", "1999-12-31", ()),
    (dt.date(2024, 2, 29), "yyyy-mm-dd", "2024-02-29", ()),
    (dt.datetime(2026, 10, 3, 14, 30), "yyyy-mm-dd hh:mm", "2026-10-03 14:30:00", ()),
    (dt.datetime(2026, 10, 3, 23, 59, 59), "yyyy-mm-dd hh:mm:ss", "2026-10-03 23:59:59", ()),
    (dt.datetime(2026, 10, 3, 0, 0), "yyyy-mm-dd hh:mm", "2026-10-03", ()),
    (dt.time(8, 15), "hh:mm", "08:15:00", ()),
    (dt.timedelta(hours=255, minutes=10), "[hh]:mm", "255:10:00", ()),
)
SOFFICE = shutil.which("soffice")


def _bytes(book: openpyxl.Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _book(rows: list[list], merges: tuple[str, ...] = (), name: str = "Sales") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = name
    for row in rows:
        sheet.append(row)
    for merge in merges:
        sheet.merge_cells(merge)
    return _bytes(book)


def _raw(rows: str, workbook: str = "", folder: str = "xl") -> bytes:
    """Write a workbook of one sheet from its XML, as no library would."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
        f'Type="{office}/officeDocument" Target="{folder}/workbook.xml"/></Relationships>',
        f"{folder}/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}">'
        + (workbook or '<sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets>')
        + "</workbook>",
        f"{folder}/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        f"{folder}/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
        f"{folder}/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}'
        "</sheetData></worksheet>",
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, text in parts.items():
            archive.writestr(part, text)
    return file.getvalue()


def _text(data: bytes, name: str = "") -> list[list[str]]:
    found = sheets.grids(data, "sell_in.xlsx")
    grid = next(grid for grid in found if not name or grid.name == name)
    return [row.cells for row in grid.rows()]


# ---- each format ---------------------------------------------------------------------------------


def _families() -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "明细"
    for number, (value, shape, _text, _formats) in enumerate(CELLS, 3):  # begins in B3
        sheet.cell(number, 2, number)
        cell = sheet.cell(number, 3)
        cell.value = value
        if isinstance(value, str) and value.startswith("="):
            cell.data_type = "s"
        cell.number_format = shape
    sheet.cell(200, 30).number_format = "0.00"  # looks without a value
    errors = book.create_sheet("Errors")
    for number, text in enumerate(("=1/0", "=NA()", '="a"+1'), 1):
        errors.cell(number, 1, f"row {number}")
        errors.cell(number, 2, text)
        errors.cell(number, 3, number * 1.5)
    merged = book.create_sheet("Merged")
    for row in MERGED_ROWS:
        merged.append(row)
    for merge in MERGED:
        merged.merge_cells(merge)
    book.create_sheet("Hidden").sheet_state = "hidden"
    book["Hidden"]["A1"] = "secret"
    book.create_sheet("Very").sheet_state = "veryHidden"
    book["Very"]["A1"] = "secret"
    book.create_sheet("Empty")
    return book


MERGED_ROWS = [
    ["Sales 2026", None, None, None, None, None],
    ["Dealer no", "Dealer", "2026-09", None, "2026-10", None],
    [None, None, "Qty", "Amount", "Qty", "Amount"],
    [10001, "North", 1, 2.5, 3, 4.5],
    [None, None, 1, 2.5, 3, 4.5],
    ["Total", None, 2, 5, 6, 9],
]
MERGED = ("A1:F1", "A2:A3", "B2:B3", "C2:D2", "E2:F2", "A4:A5", "B4:B5", "A6:B6")
MERGED_TEXT = [
    ["Sales 2026", "", "", "", "", ""],
    ["Dealer no", "Dealer", "2026-09", "2026-09", "2026-10", "2026-10"],
    ["Dealer no", "Dealer", "Qty", "Amount", "Qty", "Amount"],
    ["10001", "North", "1", "2.5", "3", "4.5"],
    ["10001", "North", "1", "2.5", "3", "4.5"],
    ["Total", "", "2", "5", "6", "9"],
]


@pytest.fixture(scope="session")
def families(tmp_path_factory) -> dict[str, Path]:
    """Make one workbook in three formats; XLS and ODS by LibreOffice, where it is there."""
    folder = tmp_path_factory.mktemp("sheets")
    made = folder / "made.xlsx"
    _families().save(made)
    found = {"xlsx": made}
    for ending in ("xls", "ods") if SOFFICE else ():
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        command = [SOFFICE, profile, "--headless", "--convert-to", ending, "--outdir", str(folder)]
        subprocess.run([*command, str(made)], capture_output=True, timeout=120, check=True)
        found[ending] = folder / f"made.{ending}"
    return found


@pytest.fixture(params=FORMATS)
def computed(request, families) -> Path:
    if request.param not in families:
        pytest.skip("LibreOffice is not here: nothing writes XLS and ODS")
    return families[request.param]


def _grid(path: Path, name: str):
    return next(grid for grid in sheets.grids(path) if grid.name == name)


def test_each_cell_is_the_text_that_a_person_would_type(computed):
    rows = list(_grid(computed, "明细").rows())
    found = {row.line: row.cells for row in rows}
    wrong = [
        (value, shape, text, found[line][1])
        for line, (value, shape, text, not_in) in enumerate(CELLS, 3)
        if computed.suffix[1:] not in not_in and found[line] != [str(line), text]
    ]
    assert wrong == []
    assert [rows[0].line, rows[-1].line] == [3, len(CELLS) + 2]


def test_cells_of_openpyxl_are_the_same():
    grid = next(g for g in sheets.grids(_bytes(_families()), "x.xlsx") if g.name == "明细")
    assert [row.cells[1] for row in grid.rows()] == [text for _v, _f, text, _n in CELLS]


def test_errors_are_their_names(computed):
    if computed.suffix == ".xlsx":  # of openpyxl, which computes nothing
        with pytest.raises(DataError, match="row 1, column B: 3 formulas were never computed"):
            list(_grid(computed, "Errors").rows())
        return
    assert [row.cells for row in _grid(computed, "Errors").rows()] == [
        ["row 1", "#DIV/0!", "1.5"],
        ["row 2", "#N/A", "3"],
        ["row 3", "#VALUE!", "4.5"],
    ]


def test_merged_labels_are_filled_in_each_format(computed):
    grid = _grid(computed, "Merged")
    assert [row.cells for row in grid.rows()] == MERGED_TEXT
    assert [note.what for note in grid.notes] == ["merged"]
    assert grid.notes[0].line == 2


def test_hidden_sheets_are_marked(computed):
    found = {grid.name: grid.is_hidden for grid in sheets.grids(computed)}
    assert [name for name, is_hidden in found.items() if is_hidden] == ["Hidden", "Very"]
    assert list(found) == ["明细", "Errors", "Merged", "Hidden", "Very", "Empty"]


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.9, 0.99])
def test_a_cut_spreadsheet_is_refused_in_one_sentence(computed, share, tmp_path):
    data = computed.read_bytes()
    path = tmp_path / f"cut{computed.suffix}"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataError, match=rf"^cut\{computed.suffix} .*(cut|damaged)") as raised:
        for grid in sheets.grids(path):
            list(grid.rows())
    assert "\n" not in str(raised.value)


# ---- where a table begins and ends ---------------------------------------------------------------


@pytest.mark.parametrize("n_rows", [0, 1, 2, 17])
@pytest.mark.parametrize("n_columns", [0, 1, 3])
def test_leading_blanks_are_dropped_and_lines_are_those_of_the_sheet(n_rows, n_columns):
    book = openpyxl.Workbook()
    table = [["id", "amount"], ["a", 1], [None, None], ["b", 2.5]]
    for down, row in enumerate(table, 1):
        for right, value in enumerate(row, 1):
            book.active.cell(n_rows + down, n_columns + right, value)
    book.active.cell(n_rows + 40, n_columns + 9).number_format = "0.00"
    [grid] = sheets.grids(_bytes(book), "x.xlsx")
    assert [tuple(row[:2]) for row in grid.rows()] == [
        (n_rows + 1, ["id", "amount"]),
        (n_rows + 2, ["a", "1"]),
        (n_rows + 3, ["", ""]),
        (n_rows + 4, ["b", "2.5"]),
    ]
    assert [row.line for row in grid.rows()] == [row.line for row in grid.rows()]  # from the start


def test_a_column_of_nothing_but_errors_is_a_column():
    rows = "".join(
        f'<row r="{n}"><c r="B{n}" t="e"><v>#REF!</v></c><c r="C{n}"><v>{n}</v></c></row>'
        for n in (2, 3)
    )
    assert _text(_raw(rows)) == [["#REF!", "2"], ["#REF!", "3"]]


def test_rows_of_nothing_but_errors_at_the_end_are_rows():
    rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="4"><c r="B4" t="e"><v>#N/A</v></c></row>'
    assert _text(_raw(rows)) == [["1", ""], ["", ""], ["", ""], ["", "#N/A"]]


def test_empty_texts_of_formulas_at_the_end_are_blank():
    rows = '<row r="1"><c r="A1"><v>1</v></c><c r="B1" t="str"><f>A9</f><v></v></c></row>'
    rows += '<row r="2"><c r="A2" t="str"><f>A9</f><v></v></c></row>'
    assert _text(_raw(rows)) == [["1"]]


# ---- formulas ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c r="A1"><f>1+1</f><v>2</v></c>', "2"),
        ('<c r="A1" t="str"><f>"0"&amp;"12"</f><v>012</v></c>', "012"),
        ('<c r="A1" t="b"><f>TRUE()</f><v>1</v></c>', "TRUE"),
        ('<c r="A1" t="e"><f>1/0</f><v>#DIV/0!</v></c>', "#DIV/0!"),
        ('<c r="A1"><f t="shared" ref="A1:A9" si="0">B1</f><v>0.30000000000000004</v></c>', "0.3"),
        ('<c r="A1" s="1"><f>TODAY()</f><v>46298</v></c>', "2026-10-03"),
        ('<c r="A1" t="n"><v>1E3</v></c>', "1000"),
        ('<c r="A1"><v>1.10</v></c>', "1.1"),
        ('<c r="A1"><v>-0</v></c>', "0"),
        ('<c r="A1" t="inlineStr"><is><t>007</t></is></c>', "007"),
        ('<c t="inlineStr"><is><t>no reference</t></is></c>', "no reference"),
        ('<c r="A1" t="d"><v>2026-10-03</v></c>', "2026-10-03"),
    ],
)
def test_a_formula_is_its_value(cell, text):
    assert _text(_raw(f'<row r="1">{cell}</row>')) == [[text]]


@pytest.mark.parametrize("value", ["", "<v/>", "<v></v>"])
def test_formulas_that_were_never_computed_are_refused(value):
    cells = f'<c r="A1"><v>5</v></c><c r="AB1"><f>A1*2</f>{value}</c>'
    data = _raw(f'<row r="1">{cells}</row><row r="2"><c r="AB2"><f>A1*2</f>{value}</c></row>')
    [grid] = sheets.grids(data, "sell_in.xlsx")
    with pytest.raises(DataError) as raised:
        list(grid.rows())
    assert str(raised.value) == (
        "sell_in.xlsx, sheet 'S', row 1, column AB: 2 formulas were never computed, so the file "
        "holds no value of them; open it in a spreadsheet and save it"
    )
    assert sheets.chosen([grid], ReadAs(), "sell_in.xlsx") is grid


@pytest.mark.parametrize("folder", ["xl", "XL", "book", "a/b"])
def test_a_workbook_whose_parts_lie_elsewhere(folder):
    data = _raw('<row r="1"><c r="A1" t="e"><v>#N/A</v></c></row>', "", folder)
    assert _text(data) == [["#N/A"]]


def test_a_sheet_that_is_missing_is_no_empty_sheet():
    workbook = '<sheets><sheet name="S" sheetId="1" r:id="rId1"/>'
    workbook += '<sheet name="Gone" sheetId="2" r:id="rId7"/></sheets>'
    with pytest.raises(DataError, match=r"x\.xlsx is damaged: its sheet 'Gone' is missing"):
        sheets.grids(_raw("", workbook), "x.xlsx")


# ---- dates, numbers ------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["1", "true"])
@pytest.mark.parametrize("extension", [False, True])
def test_a_calendar_that_begins_in_1904(flag, extension):
    """Excel's own extension repeats the element of the calendar, without it (calamine#706)."""
    more = (
        '<extLst><ext xmlns:x15="http://schemas.microsoft.com/office/spreadsheetml/2010/11/main" '
        'uri="{140A7094-0E35-4892-8432-C4D2E57EDEB5}"><x15:workbookPr chartTrackingRefBase="1"/>'
        "</ext></extLst>"
    )
    workbook = f'<workbookPr date1904="{flag}"/><sheets><sheet name="S" sheetId="1" r:id="rId1"/>'
    workbook += "</sheets>" + (more if extension else "")
    cells = '<row r="1"><c r="A1" s="1"><v>100</v></c></row>'
    assert _text(_raw(cells, workbook)) == [["1904-04-10"]]
    assert _text(_raw(cells.replace("100", "44836"), workbook)) == [["2026-10-03"]]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (123456789012345.0, "123456789012345"),
        (1234567890123456.0, "1234567890123456"),
        (1e21, "1000000000000000000000"),
        (1.23e-10, "0.000000000123"),
        (2.675, "2.675"),
        (1 / 3, "0.333333333333333"),
        (100.0, "100"),
        (1e100, "1" + "0" * 100),
        (-1234.56, "-1234.56"),
        (86.85 * 3, "260.55"),
        (True, "TRUE"),
        (7, "7"),
        (None, ""),
        (dt.timedelta(days=1, seconds=59), "24:00:59"),
        (-dt.timedelta(hours=2), "-2:00:00"),
        (dt.datetime(2026, 10, 3, 8, 0, 0, 499), "2026-10-03 08:00:00"),
        (dt.datetime(2026, 10, 2, 23, 59, 59, 999700), "2026-10-03"),
        (dt.datetime(1899, 12, 30, 6, 0), "06:00:00"),
        ("PT255H10M00S", "255:10:00"),
        ("PTO days", "PTO days"),
    ],
)
def test_numbers_lose_nothing_and_have_no_noise(number, text):
    assert sheets.cell_text(number) == text


@pytest.mark.parametrize(
    ("value", "shape", "text"),
    [
        (123, "00000", "00123"),
        (1234567, "00000", "1234567"),
        (123, "000000;@", "000123"),
        (5, "00", "05"),
        (0, "00000", "00000"),
        (-5, "00000", "-5"),
        (1.5, "00000", "1.5"),
        ("7", "00000", "7"),
        (123, "0", "123"),
        (123, "0.00", "123"),
        (123, "#,##0", "123"),
        (None, "00000", ""),
    ],
)
def test_an_id_that_is_shown_with_zeros_has_them(value, shape, text):
    book = openpyxl.Workbook()
    for line, (left, right) in enumerate([("id", "x"), (value, 1), (None, 2)], 2):
        book.active.cell(line, 2, left).number_format = shape if line > 2 else "General"
        book.active.cell(line, 3, right)
    book.active["A3"].number_format = shape  # looks without a value
    assert _text(_bytes(book)) == [["id", "x"], [text, "1"], ["", "2"]]


def test_a_spreadsheet_in_an_archive(tmp_path):
    file = tmp_path / "x.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("2026/sales.xlsx", _book([["id"], ["001"]]))
    [content] = containers.contents(file)
    [grid] = sheets.grids(content)
    assert [row.cells for row in grid.rows()] == [["id"], ["001"]]
    with pytest.raises(DataError, match=r"^2026/sales\.xlsx has no sheet 'b'"):
        sheets.chosen([grid], ReadAs(sheet="b"), content.name)


def test_cents_survive_a_sheet():
    """Each amount of cents comes back as it was typed, however it lies among binary fractions."""
    cents = [n * 7919 % 10_000_019 for n in range(3000)]
    wrong = [
        n for n in cents if sheets.cell_text(n / 100) != f"{n / 100:.2f}".rstrip("0").rstrip(".")
    ]
    assert wrong == []


def test_a_number_of_more_digits_than_a_cell_keeps_is_noted():
    [grid] = sheets.grids(_book([["id"], ["a"], [123456789012345678], [1e17]]), "x.xlsx")
    [note] = grid.notes
    assert (note.what, note.line, note.n_rows) == ("long_number", 3, 2)


# ---- merged cells --------------------------------------------------------------------------------


def _filled(merges: list[tuple], rows: list[list[str]]) -> list[list[str]]:
    found, _notes = fills([Merge(*m) for m in merges], enumerate(rows), len(rows[0]))
    cells = [list(row) for row in rows]
    for fill in (fill for some in found.values() for fill in some):
        for row in range(fill.top, fill.bottom + 1):
            cells[row][fill.column] = fill.text
    return cells


# header over the column, what is merged over three lines, whether it holds for each of them
LABELS = (
    ("Dealer", "North", True),
    ("经销商", "华东", True),
    ("Date", "2026-10-03", True),
    ("Datum", "03.10.2026", True),
    ("Dealer ID", "10001", True),
    ("dealer_id", "10001", True),
    ("客户编号", "10001", True),
    ("订单号", "4500012345", True),
    ("单据编号", "4500012345", True),
    ("Order no.", "4500012345", True),
    ("Year", "2026", True),
    ("年", "2026", True),
    ("Dealer", "00101", True),
    ("Order total", "300", False),
    ("Amount", "1,234.50", False),
    ("金额", "300", False),
    ("合计", "1234.5", False),
    ("Discount", "5%", False),
    ("Freight", "€ 12.50", False),
    ("Freight", "¥300", False),
    ("Qty", "(12)", False),
    ("Paid", "300-", False),
    ("Total paid", "-300.00", False),
    ("Umsatz", "1.234,50", False),
    ("", "300", False),
)


@pytest.mark.parametrize(("header", "value", "is_label"), LABELS)
def test_a_label_holds_for_all_it_covers_and_an_amount_for_none(header, value, is_label):
    rows = [[header, "Line"], [value, "a"], ["", "b"], ["", "c"], [value, "d"]]
    expected = [header, value, *([value] * 2 if is_label else [""] * 2), value]
    assert [row[0] for row in _filled([(1, 0, 3, 0)], rows)] == expected
    _found, notes = fills([Merge(1, 0, 3, 0)], enumerate(rows), 2)
    assert [(n.what, n.line, n.n_rows, n.example) for n in notes] == [
        ("merged" if is_label else "merged_number", 2, 2, value)
    ]


# rows, merged (top, left, bottom, right), what becomes of the merged row
GROUPS = {
    "title": ([["Sales", "", ""], ["a", "b", "c"]], [(0, 0, 0, 2)], ["Sales", "", ""]),
    "title less wide": (
        [["Sales", "", "", ""], ["a", "b", "c", "d"]],
        [(0, 0, 0, 2)],
        ["Sales", "", "", ""],
    ),
    "title and print date": (
        [["Sales", "", "2026-10-31", ""], ["a", "b", "c", "d"]],
        [(0, 0, 0, 1), (0, 2, 0, 3)],
        ["Sales", "", "2026-10-31", ""],
    ),
    "groups with the same headers": (
        [["", "09", "", "10", ""], ["a", "q", "v", "q", "v"]],
        [(0, 1, 0, 2), (0, 3, 0, 4)],
        ["", "09", "", "10", ""],  # 09 is a number here: no word, no year
    ),
    "months": (
        [["", "202609", "", "202610", ""], ["a", "q", "v", "q", "v"]],
        [(0, 1, 0, 2), (0, 3, 0, 4)],
        ["", "202609", "202609", "202610", "202610"],
    ),
    "group beside a header": (
        [["Dealer", "Sales", "", "Stock"], ["", "q", "v", "q"]],
        [(0, 1, 0, 2)],
        ["Dealer", "Sales", "Sales", "Stock"],
    ),
    "total": (
        [["合计", "", "", "300"], ["x", "y", "z", "1"]],
        [(0, 0, 0, 2)],
        ["合计", "", "", "300"],
    ),
    "remark at the end": ([["a", "b"], ["x", "1"], ["note", ""]], [(2, 0, 2, 1)], ["note", ""]),
    "section": (
        [["East", "", ""], ["D1", "Mill", "5"], ["D2", "Inn", "6"]],
        [(0, 0, 0, 2)],
        ["East", "", ""],
    ),
}


@pytest.mark.parametrize("case", GROUPS)
def test_only_groups_over_headers_are_filled_to_the_right(case):
    rows, merges, expected = GROUPS[case]
    assert _filled(merges, rows)[merges[0][0]] == expected


def test_a_merge_that_reaches_beyond_the_table_does_no_harm():
    data = _book([["Dealer", "x"], ["North", 1], [None, 2]], ("A2:A9", "B1:F1"))
    assert _text(data) == [["Dealer", "x"], ["North", "1"], ["North", "2"]]


def test_merges_of_a_sheet_that_begins_in_another_column():
    book = openpyxl.Workbook()
    for line, row in enumerate([["Dealer", "Qty"], ["North", 1], [None, 2]], 5):
        book.active.cell(line, 4, row[0])
        book.active.cell(line, 5, row[1])
    book.active.merge_cells("D6:D7")
    assert _text(_bytes(book)) == [["Dealer", "Qty"], ["North", "1"], ["North", "2"]]


# ---- which sheet ---------------------------------------------------------------------------------

TABLE = [
    ["客户", "日期", "金额", "成本", "品牌"],
    ["a", "2026-10-01", 5, 4, "L"],
    ["b", "2026-10-02", 6, 5, "L"],
]


def _several(**given: list[list]) -> list:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in given.items():
        sheet = book.create_sheet(name.removeprefix("hidden_"))
        sheet.sheet_state = "hidden" if name.startswith("hidden_") else "visible"
        for row in rows:
            sheet.append(row)
    return sheets.grids(_bytes(book), "sell_in.xlsx")


@pytest.mark.parametrize(
    ("given", "sheet", "name"),
    [
        ({"A": TABLE}, "", "A"),
        ({"A": TABLE, "Sheet2": [], "Sheet3": []}, "", "A"),
        ({"Cover": [["Sales report"]], "A": TABLE}, "", "A"),
        ({"Cover": [["Sales"], ["printed by Anna"], ["2026"]], "A": TABLE}, "", "A"),
        ({"A": TABLE, "hidden_B": TABLE}, "", "A"),
        ({"A": TABLE, "B": TABLE}, "B", "B"),
        ({"A": TABLE, "明细 ": TABLE}, "明细", "明细 "),
        ({"A": TABLE, "Data": TABLE}, "data", "Data"),
        ({"A": TABLE, "hidden_B": TABLE}, "B", "B"),
        ({"A": [["only one cell"]]}, "", "A"),
    ],
)
def test_the_sheet_that_is_meant(given, sheet, name):
    assert sheets.chosen(_several(**given), ReadAs(sheet=sheet), "sell_in.xlsx").name == name


def test_of_several_sheets_a_person_chooses():
    with pytest.raises(DataError) as raised:
        sheets.chosen(_several(A=TABLE, B=TABLE[:2]), ReadAs(), "sell_in.xlsx")
    assert str(raised.value) == (
        "sell_in.xlsx has 2 sheets that could be meant: 'A' (3 rows of 5 columns: 客户, 日期, "
        "金额, 成本, …); 'B' (2 rows of 5 columns: 客户, 日期, 金额, 成本, …); say which one: "
        '[data.<table>.read] sheet = "A"'
    )


@pytest.mark.parametrize(
    ("given", "sheet", "reason"),
    [
        ({"Sales": TABLE}, "Sale", "has no sheet 'Sale'; did you mean 'Sales'\\?"),
        ({"A": []}, "", "has no sheet with anything in it"),
        ({"A": [], "hidden_B": TABLE}, "", "only hidden sheets hold anything: 'B' \\(3 rows"),
    ],
)
def test_a_sheet_that_is_not_there(given, sheet, reason):
    with pytest.raises(DataError, match=reason):
        sheets.chosen(_several(**given), ReadAs(sheet=sheet), "sell_in.xlsx")


# ---- what would do harm --------------------------------------------------------------------------


def test_a_cell_far_off_is_named_before_room_is_made_for_it():
    book = openpyxl.Workbook()
    book.active["A1"], book.active["XFD60000"] = 1, 2
    with pytest.raises(DataError, match="sheet 'Sheet': its cells reach to XFD60,000, and 2 of"):
        sheets.grids(_bytes(book), "x.xlsx")


FAR = "its cells reach to XFD1,048,576"


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ('<row r="1"><c r="A1"><v>1</v></c><c r="XFD1048576"><v>2</v></c></row>', FAR),
        ('<row r="1"><c r="a1"><v>1</v></c><c r="xfd1048576"><v>2</v></c></row>', FAR),
        ("<row><c r='A1'><v>1</v></c><c r='XFD1048576'><v>2</v></c></row>", FAR),
        (f"<row>{'<c><v>1</v></c>' * 16384}</row><row r='1048576'><c><v>1</v></c></row>", FAR),
        ('<row r="1"><c\tr="A1048576"/><c\nr="XFD2"><v>2</v></c></row>', FAR),
        ('<row r="1"><c r="A4294967295"><v>1</v></c></row>', "a cell 'A4294967295'"),
        ('<row r="1"><c r="ZZZ1"><v>1</v></c></row>', "its cells reach to ZZZ1"),
        ('<row r="1"><c r="A2000000"><v>1</v></c></row>', "its cells reach to A2,000,000"),
    ],
)
def test_cells_far_off_are_found_however_they_are_written(rows, reason):
    """What reads the cells ends the process where it can't make room for all up to the last."""
    with pytest.raises(DataError, match=reason):
        sheets.grids(_raw(rows), "x.xlsx")


@pytest.mark.parametrize(
    ("kind", "at", "values", "reason"),
    [
        (
            0x200,
            0,
            b"\0\0\0\0\xff\xff\xff\xff\0\0\xff\xff",
            "4,294,967,295 rows and 65,535 columns",
        ),
        (0xFD, 0, b"\xff\xff\xff\xff", "row 65,536 has a cell in column 65,536"),
    ],
)
def test_an_xls_larger_than_one_can_be_gets_no_room(families, kind, at, values, reason):
    if "xls" not in families:
        pytest.skip("LibreOffice is not here: nothing writes XLS")
    data = bytearray(families["xls"].read_bytes())
    stream = xls_errors._workbook_stream(bytes(data))
    begin, here = bytes(data).find(stream[:512]), 0
    while here < len(stream):
        found, size = struct.unpack_from("<HH", stream, here)
        if found == kind:
            data[begin + here + 4 + at : begin + here + 4 + at + len(values)] = values
        here += 4 + size
    with pytest.raises(DataError, match=f"is cut or damaged: it is no whole XLS .*{reason}"):
        sheets.grids(bytes(data), "x.xls")


def test_texts_that_are_not_there_get_no_room():
    file, written = io.BytesIO(), io.BytesIO()
    book = xlsxwriter.Workbook(file)
    book.add_worksheet().write_row(0, 0, ["a", "b"])
    book.close()
    with zipfile.ZipFile(file) as given, zipfile.ZipFile(written, "w") as archive:
        for name in given.namelist():
            text = given.read(name).replace(b'uniqueCount="2"', b'uniqueCount="4294967295"')
            archive.writestr(name, text)
    with pytest.raises(DataError, match="says that it holds 4,294,967,295 texts"):
        sheets.grids(written.getvalue(), "x.xlsx")
    assert _text(file.getvalue()) == [["a", "b"]]


@pytest.mark.parametrize("size", [1, 3, 50, 64, 1000])
def test_cells_across_what_is_read_at_once(size, monkeypatch):
    """However the parts of a sheet fall, the far cell, the error and the formula are found."""
    monkeypatch.setattr(sheet_parts, "CHUNK_BYTES", size)
    plain = '<row r="1"><c r="A1"><v>1</v></c><c r="B1"><v>2</v></c></row>'
    assert _text(_raw(plain)) == [["1", "2"]]
    error = '<row r="2"><c r="A2" t="e"><v>#N/A</v></c></row>'
    assert _text(_raw(plain + error)) == [["1", "2"], ["#N/A", ""]]
    with pytest.raises(DataError, match=FAR):
        _text(_raw(plain + '<row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'))


def _ods(content: str, manifest: str = "") -> bytes:
    file = io.BytesIO()
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", f"<manifest>{manifest}</manifest>")
        archive.writestr(
            "content.xml",
            f"<office:document-content {names}><office:body><office:spreadsheet>"
            f'<table:table table:name="S">{content}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return file.getvalue()


def test_cells_repeated_without_end_are_refused_before_room_is_made_for_them():
    cell = '<table:table-cell office:value-type="float" office:value="1" {}/>'
    row = '<table:table-row table:number-rows-repeated="1048576">' + cell.format(
        'table:number-columns-repeated="16384"'
    )
    with pytest.raises(DataError, match="its cells reach to XFD1,048,576"):
        sheets.grids(_ods(row + "</table:table-row>"), "x.ods")


def test_an_encrypted_ods_says_so():
    data = _ods("", '<file-entry><encryption-data checksum="x"/></file-entry>')
    with pytest.raises(DataError, match=r"x\.ods is encrypted; open it with its password"):
        sheets.grids(data, "x.ods")


def test_an_encrypted_workbook_says_so():
    data = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(9000) + "EncryptedPackage".encode("utf-16-le")
    )
    with pytest.raises(DataError, match=r"x\.xlsx is encrypted"):
        sheets.grids(data, "x.xlsx")


def test_a_document_type_is_refused():
    data = _raw("")
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as given, zipfile.ZipFile(file, "w") as archive:
        for name in given.namelist():
            text = given.read(name)
            if name == "xl/workbook.xml":
                text = b'<!DOCTYPE x [<!ENTITY a "b">]>' + text
            archive.writestr(name, text)
    with pytest.raises(DataError, match="holds a document type in its XML"):
        sheets.grids(file.getvalue(), "x.xlsx")


def test_a_flipped_byte_is_refused():
    data = _book([["id", "amount"], *([f"D{n}", n / 7] for n in range(2000))])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        part = archive.getinfo("xl/worksheets/sheet1.xml")
    for at in range(part.header_offset + 200, part.header_offset + part.compress_size, 2999):
        flipped = bytearray(data)
        flipped[at] ^= 16
        with pytest.raises(DataError, match=r"x\.xlsx is damaged"):
            sheets.grids(bytes(flipped), "x.xlsx")


@pytest.mark.parametrize("data", [b"id,amount\n1,2\n", b'[{"a":1}]', b"PAR1\x15\x00\x15"])
def test_what_is_no_spreadsheet_says_what_it_is(data):
    with pytest.raises(DataError, match=r"x\.xls is .*, not a spreadsheet"):
        sheets.grids(data, "x.xls")


# ---- tables under the name of a spreadsheet ------------------------------------------------------

HTML = {
    "plain": (
        "<table><tr><th>id</th><th>n</th></tr><tr><td>001</td><td>1,234.50</td></tr></table>",
        [["id", "n"], ["001", "1,234.50"]],
    ),
    "no ends": ("<table><tr><td>id<td>n<tr><td>1<td>2</table>", [["id", "n"], ["1", "2"]]),
    "no rows' tags": ("<table><td>id</td><td>n</td></table>", [["id", "n"]]),
    "capitals": ("<TABLE><TR><TD>id</TD><TD>n</TD></TR></TABLE>", [["id", "n"]]),
    "parts": (
        "<table><thead><tr><th>id<th>n</thead><tbody><tr><td>1<td>2</tbody></table>",
        [["id", "n"], ["1", "2"]],
    ),
    "white space": (
        "<table><tr>\n<td>  two \n words </td><td>a<br>b&nbsp;</td></tr></table>",
        [["two words", "a b"]],
    ),
    "entities": ("<table><tr><td>A &amp; B<td>&lt;5<td>&#20013;</table>", [["A & B", "<5", "中"]]),
    "not shown": (
        "<style>td{}</style><script>var t='<td>no</td>'</script>"
        "<table><tr><td>a<!-- b --><script>c</script><td>d</table>",
        [["a", "d"]],
    ),
    "comments and conditions": (
        "<!DOCTYPE html>\n<!--[if gte mso 9]><xml><x/></xml><![endif]--><table><tr>"
        "<![if !mso]><td>a<![endif]><td>b</ c<!-- <td>no --></table>",
        [["a", "b</ c"]],
    ),
    "marks in cells": ("<table><tr><td><b>a</b><i>b</i><td><font>c</font></table>", [["ab", "c"]]),
    "rowspan": (
        "<table><tr><td>Dealer<td>n<tr><td rowspan=2>North<td>1<tr><td>2</table>",
        [["Dealer", "n"], ["North", "1"], ["North", "2"]],
    ),
    "rowspan of a sum": (
        "<table><tr><td>x<td>Sum<tr><td>a<td rowspan='2'>300<tr><td>b</table>",
        [["x", "Sum"], ["a", "300"], ["b", ""]],
    ),
    "colspan": (
        "<table><tr><td colspan=3>Sales<tr><td>a<td>b<td>c</table>",
        [["Sales", "", ""], ["a", "b", "c"]],
    ),
    "nested": (
        "<table><tr><td><table><tr><td>id<td>n<tr><td>1<td>2</table></td></tr></table>",
        [["id", "n"], ["1", "2"]],
    ),
    "a page of Excel": (
        '<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head><meta charset="utf-8">'
        "<title>t</title><style>.x{mso-number-format:'\\@'}</style></head><body>"
        "<table border=1><tr><td x:str>007</td></tr></table></body></html>",
        [["007"]],
    ),
}


@pytest.mark.parametrize("case", HTML)
def test_a_table_of_a_page_under_the_name_of_a_spreadsheet(case, tmp_path):
    page, expected = HTML[case]
    path = tmp_path / "sell_in.xls"
    path.write_text(page, encoding="utf-8")
    [grid] = sheets.grids(path)
    assert [row.cells for row in grid.rows()] == expected


def test_lines_of_a_page_are_those_of_the_file():
    page = b"<html>\n<body>\n<table>\n<tr><td>id</td>\n<td>n</td></tr>\n<tr><td>1<td>2\n</table>"
    [grid] = sheets.grids(page, "x.xls")
    assert [row.line for row in grid.rows()] == [4, 6]


def test_several_tables_of_a_page_have_numbers():
    page = b"<table><tr><td>a<td>b<tr><td>1<td>2</table><table><tr><td>c<td>d<tr><td>3<td>4</table>"
    found = sheets.grids(page, "x.xls")
    assert [grid.name for grid in found] == ["1", "2"]
    with pytest.raises(DataError, match=r'2 sheets that could be meant: .* sheet = "1"'):
        sheets.chosen(found, ReadAs(), "x.xls")
    assert sheets.chosen(found, ReadAs(sheet="2"), "x.xls") is found[1]


@pytest.mark.parametrize(
    "said", ['<meta charset="gb2312">', "<meta content='text/html; charset=GBK'>"]
)
def test_a_page_says_its_encoding(said):
    page = f"<html><head>{said}</head><table><tr><td>客户<td>金额</table>".encode("gb18030")
    assert [row.cells for row in sheets.grids(page, "x.xls")[0].rows()] == [["客户", "金额"]]


def test_an_encoding_that_a_page_does_not_say_is_not_guessed():
    page = "<table>\n<tr><td>客户<td>金额</table>".encode("gb18030")
    with pytest.raises(
        DataError, match=r'x\.xls, line 2: .* no text in utf-8; .* encoding = "gb18030"'
    ):
        sheets.grids(page, "x.xls")
    assert [r.cells for r in sheets.grids(page, "x.xls", "gb18030")[0].rows()] == [["客户", "金额"]]


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (b"<html><table><tr><td>1</td>", "is cut: its HTML table, begun in line 1, has no end"),
        (b"<table>\n<tr><td>1" + b"<!--" * 50_000, "is cut: what begins with '<!--' in line 2"),
        (b"<html><body>Sign in</body></html>", "an HTML page without a table"),
        (b"<html><table></table></html>", "an HTML page without a table"),
        (b"<table><tr>" + b"<table><tr><td>" * 200, "tables in tables without end"),
        (b"<table>" + b"<tr><td colspan=16384>x" * 9 + b"</table>", "more than 100,000 cells"),
        (b'<html><meta charset="klingon"><table>', "written in 'klingon', which is none"),
    ],
)
def test_a_page_that_is_no_table_is_refused(page, reason, monkeypatch):
    monkeypatch.setattr(markup, "MAX_CELLS", 100_000)
    with pytest.raises(DataError, match=reason):
        sheets.grids(page, "x.xls")


XML = """<?xml version="1.0" encoding="{}"?>
<?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"
 xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"
 xmlns:x="urn:schemas-microsoft-com:office:excel">
<Worksheet ss:Name="销售"><Table>
<Row><Cell><Data ss:Type="String">Dealer no</Data></Cell>
<Cell ss:Index="3"><Data ss:Type="String">Amount</Data></Cell></Row>
<Row ss:Index="4"><Cell ss:MergeDown="1"><Data ss:Type="Number">10001</Data></Cell>
<Cell><Data ss:Type="DateTime">2026-10-03T00:00:00.000</Data></Cell>
<Cell><Data ss:Type="Number">0.30000000000000004</Data></Cell></Row>
<Row><Cell ss:Index="2"><Data ss:Type="Boolean">1</Data></Cell>
<Cell><Data ss:Type="Error">#N/A</Data></Cell></Row>
</Table></Worksheet>
<Worksheet ss:Name="Old"><Table><Row><Cell><Data ss:Type="String">x</Data></Cell></Row></Table>
<x:WorksheetOptions><x:Visible>SheetHidden</x:Visible></x:WorksheetOptions></Worksheet>
</Workbook>"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb2312"])
def test_a_workbook_in_the_xml_of_2003(encoding):
    found = sheets.grids(XML.format(encoding).encode(encoding), "x.xls")
    assert [(grid.name, grid.is_hidden) for grid in found] == [("销售", False), ("Old", True)]
    assert [row.cells for row in found[0].rows()] == [
        ["Dealer no", "", "Amount"],
        ["", "", ""],
        ["", "", ""],
        ["10001", "2026-10-03", "0.3"],
        ["10001", "TRUE", "#N/A"],
    ]


@pytest.mark.parametrize("share", [0.5, 0.8, 0.99])
def test_a_cut_xml_of_2003_is_refused(share):
    data = XML.format("utf-8").encode()
    with pytest.raises(DataError, match=r"x\.xls is cut or damaged: its XML breaks in line"):
        sheets.grids(data[: int(len(data) * share)], "x.xls")


@pytest.mark.parametrize("seed", range(12))
def test_bytes_that_are_wrong_are_refused_in_one_sentence_or_do_no_harm(computed, seed):
    rng = random.Random(seed)
    data = bytearray(computed.read_bytes())
    for _byte in range(rng.choice([1, 3, 40])):
        data[rng.randrange(len(data))] = rng.choice([0, 255, rng.randrange(256)])
    name = f"x{computed.suffix}"
    try:
        found = sheets.grids(bytes(data), name)
        n_rows = [sum(1 for _row in grid.rows()) for grid in found if grid.name != "Errors"]
        assert all(n <= len(CELLS) for n in n_rows)
    except DataError as error:
        assert str(error).startswith(name)
        assert "\n" not in str(error)
