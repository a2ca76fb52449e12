"""The Excel workbook.

What is written reads back, cell by cell, in two other programs, and nothing in it runs.
"""

import datetime as dt
import json
import math
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from helpers import files, look, report, words
from helpers.press import cells, editions, excel, first_sheet
from helpers.settings import CHECKOUT as ROOT

SOFFICE = shutil.which("soffice")
FORMULAS = [
    "=cmd|' /C calc'!A0",
    "@SUM(A1)",
    "+1+1",
    "-1+1",
    "\t=1",
    "\r=1",
    "=1+1",
    "＝1",
    "＋1",
    "－1",
    "＠SUM",
    "'=1",
    "''=1",
    "{=1}",
    '=HYPERLINK("http://x")',
]
LOOKALIKES = [
    "<r><t>x</t></r>",
    "<r>&</r>",
    "<r></r>",
    "_x003D_1",
    "https://example.org",
    "internal:'A'!A1",
    "mailto:x",
    "00123",
    "1e5",
    "TRUE",
    "#REF!",
    "2026-10-05",
    "10 %",
    "'t Hof",
    "顺达<电器>",
    " space ",
    "a\nb",
    "nan",
]
NAMES = [*FORMULAS, *LOOKALIKES]


@pytest.fixture
def dealers() -> pd.DataFrame:
    n = len(NAMES)
    rng = np.random.default_rng(3)
    rows = pd.DataFrame(
        {
            "dealer_id": [f"{i:05d}" for i in range(n)],
            "dealer_name": NAMES,
            "revenue": rng.normal(1e6, 1e6, n).round(2),
            "variation": rng.random(n),
            "brand_share": rng.random(n),
            "recent_collection_rate": rng.random(n),
            "dso_days": rng.integers(0, 400, n) * 1.5,
            "n_orders": rng.integers(0, 50, n),
            "last_order_date": "2026-10-05",
            "opened_date": pd.Timestamp("2020-02-29"),
            "month": "2026-10",
            "composite_class": list("ABC–")[0:3] * (n // 3) + ["–"] * (n % 3),
            "status": "stopped_paying",
            "is_white_spot": [True, False, *[True] * (n - 2)],
            "missing": [np.nan] * n,
        }
    )
    rows.loc[0, ["revenue", "brand_share"]] = np.nan
    rows.loc[1, "last_order_date"] = None
    return rows


def written(folder: Path, tables: dict, **options) -> Path:
    path = folder / "edition.xlsx"
    excel.write_workbook(
        path, tables, **{"title": "Network", "period": "2026-10", "currency": "CNY"} | options
    )
    return path


def sheet_of(path: Path, number: int = 1):
    book = openpyxl.load_workbook(path)
    return book[book.sheetnames[number]]


def plain(text: str) -> str:
    """What a cell keeps of a text.

    CR is a line break, and XML knows no other control characters.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        c for c in text if c in "\t\n" or not (c < " " or c == "\x7f" or c in "\ufffe\uffff")
    )


def assert_cells(sheet, rows: pd.DataFrame, decode=unescape) -> None:
    """Compare a sheet with the table it was made of, without any of the module's own reading."""
    assert sheet.max_row == len(rows) + 1
    for column, name in enumerate(rows.columns, 1):
        for row, value in enumerate(rows[name], 2):
            cell = sheet.cell(row, column)
            # LibreOffice has no truth values and writes =TRUE() for them
            if isinstance(value, (bool, np.bool_)):
                assert cell.value in (bool(value), f"={str(value).upper()}()"), f"{name} {row}"
                continue
            assert cell.data_type != "f", f"{name}: {value!r} became a formula"
            if value is None or value is pd.NaT or value != value:
                assert cell.value is None, f"{name} {row}: {cell.value!r} for nothing"
            elif isinstance(value, str) and name.endswith("_date"):
                assert cell.value == dt.datetime.fromisoformat(value)
            elif isinstance(value, pd.Timestamp):
                assert cell.value == value.to_pydatetime()
            elif isinstance(value, str):
                shown = words.word(value) if words.kind(name) == "code" else plain(value)
                assert decode(str(cell.value or "")) == shown, f"{name} {row}"
            else:
                assert cell.value == pytest.approx(value, rel=1e-14), f"{name} {row}"


# ---- cells ---------------------------------------------------------------------------------------


def test_what_is_written_reads_back(tmp_path, dealers):
    kept = dealers.copy(deep=True)
    path = written(tmp_path, {"dealers": dealers})
    assert_cells(sheet_of(path), dealers)
    pd.testing.assert_frame_equal(dealers, kept)


def test_nothing_in_the_file_runs_or_leads_outside(tmp_path, dealers):
    path = written(
        tmp_path, {"dealers": dealers, "=1": dealers.rename(columns={"revenue": "=1+1"})}
    )
    with zipfile.ZipFile(path) as packed:
        assert packed.testzip() is None
        parts = {name: packed.read(name).decode("utf-8") for name in packed.namelist()}
    assert not [
        name
        for name in parts
        if re.search("external|macro|vba|connection|query", name, re.IGNORECASE)
    ]
    for name, text in parts.items():
        assert "<f>" not in text and "<f " not in text, name
        assert 'TargetMode="External"' not in text, name
    contents = parts["xl/worksheets/sheet1.xml"]
    assert contents.count("<hyperlink ") == 2
    assert "<hyperlink " not in parts["xl/worksheets/sheet2.xml"]


def test_text_that_looks_like_a_formula_stays_text_when_edited(tmp_path, dealers):
    sheet = sheet_of(written(tmp_path, {"dealers": dealers}))
    column = list(dealers.columns).index("dealer_name") + 1
    quoted = {plain(name): sheet.cell(row, column).quotePrefix for row, name in enumerate(NAMES, 2)}
    assert all(quoted[plain(name)] for name in FORMULAS if not name.startswith(("\r", "{")))
    assert not any(quoted[plain(name)] for name in ("00123", "顺达<电器>", "'t Hof"))


# "\n" in place of "\r" is one of the two changes that are made; half a pair is no character
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@settings(max_examples=40)
@given(st.lists(TEXT, min_size=1, max_size=20))
def test_any_text_is_kept(tmp_path_factory, texts):
    rows = pd.DataFrame({"dealer_name": texts})
    path = written(tmp_path_factory.mktemp("any"), {"dealers": rows})
    kept = [
        unescape(str(row[0].value or ""))
        for row in sheet_of(path).iter_rows(min_row=2, max_row=len(texts) + 1)
    ]
    assert kept == [plain(text) for text in texts]


@settings(max_examples=40)
@given(
    st.lists(
        st.floats(allow_nan=False, allow_infinity=False, min_value=-1e14, max_value=1e14),
        min_size=1,
    )
)
def test_numbers_keep_their_digits(tmp_path_factory, numbers):
    path = written(tmp_path_factory.mktemp("numbers"), {"t": pd.DataFrame({"revenue": numbers})})
    cells = [row[0].value for row in sheet_of(path).iter_rows(min_row=2)]
    assert cells == pytest.approx(numbers, rel=1e-15)


def test_what_excel_does_not_know_is_text_or_nothing(tmp_path):
    rows = pd.DataFrame(
        {
            "revenue": [math.inf, -math.inf, math.nan],
            "barcode": [1234567890123456789, 2, 3],
            "opened_date": ["1899-12-31", "soon", "2026-02-30"],
            "city": pd.Series(["\ud800x", "\x00", "\x1b[31m"], dtype="object"),
            "dealer_id": [1, 2, 3],
            "note": [["a", "b"], (1,), {"x": 1}],
        }
    )
    cells = [
        [cell.value for cell in row]
        for row in sheet_of(written(tmp_path, {"t": rows})).iter_rows(min_row=2)
    ]
    assert cells[0] == ["∞", "1234567890123456789", "1899-12-31", "x", "1", "['a', 'b']"]
    assert cells[1] == ["−∞", 2, "soon", None, "2", "(1,)"]
    assert cells[2] == [None, 3, "2026-02-30", "[31m", "3", "{'x': 1}"]


def test_long_text_is_cut_and_says_so(tmp_path):
    rows = pd.DataFrame({"reason": ["x" * 40_000, "😀" * 20_000, "y" * cells.MAX_TEXT]})
    kept = [row[0].value for row in sheet_of(written(tmp_path, {"t": rows})).iter_rows(min_row=2)]
    assert kept[0].endswith("x … [cut: 40,000 characters in all]")
    assert kept[1].endswith("😀 … [cut: 20,000 characters in all]")
    assert [len(text.encode("utf-16-le")) // 2 <= cells.MAX_TEXT for text in kept] == [True] * 3
    assert kept[2] == "y" * cells.MAX_TEXT


# ---- the grammar of tables -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("brand_share", 0.1234),
        ("rebate_rate", 0.5),
        ("recent_collection_rate", 1.5),
        ("dso_days", 12.5),
        ("n_orders", 3),
        ("revenue", 12345.678),
        ("variation", 0.1234),
        ("variation", 3.0),
        ("share_of_wallet", 0.5),
        ("population", 5e6),
    ],
)
def test_numbers_show_as_on_a_page(tmp_path, column, value):
    cell = sheet_of(written(tmp_path, {"t": pd.DataFrame({column: [value]})})).cell(2, 1)
    page = look.table(pd.DataFrame({column: [value]})).to_html()
    shown = re.search(r'<td class="number">(.*?)</td>', page)[1]
    digits = len(shown.partition(".")[2].removesuffix("%"))
    number = f"0.{'0' * digits}" if digits else "0"
    number = f"{number}%" if "%" in shown else f"#,##{number}"
    assert cell.number_format == f'{number};"−"{number}', "a true minus, as on a page"


@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant"])
def test_headings_are_the_readers_and_notes_the_machines(tmp_path, dealers, language):
    words.speak(language, "CNY")
    sheet = sheet_of(written(tmp_path, {"dealers": dealers}))
    heads = {cell.comment.text.strip(): cell.value for cell in sheet[1]}
    assert list(heads) == list(dealers.columns)
    assert heads["dealer_name"] == words.label("dealer_name")
    assert heads["revenue"] == words.label("revenue") + {"en": " (CNY)"}.get(language, "（CNY）")
    assert heads["brand_share"] == words.label("brand_share")
    status = list(dealers.columns).index("status") + 1
    assert sheet.cell(2, status).value == words.label("stopped_paying")


def test_a_name_without_a_term_reads_as_words(tmp_path):
    path = written(tmp_path, {"my_own_table": pd.DataFrame({"some_new_name": [1.5]})})
    assert openpyxl.load_workbook(path).sheetnames == ["Summary", "my own table"]
    assert sheet_of(path).cell(1, 1).value == "some new name"


def test_classes_wear_their_colours_and_the_head_stays_in_sight(tmp_path, dealers):
    sheet = sheet_of(written(tmp_path, {"dealers": dealers}))
    column = list(dealers.columns).index("composite_class") + 1
    for row in range(2, sheet.max_row + 1):
        cell = sheet.cell(row, column)
        assert cell.fill.fgColor.rgb[-6:].lower() == look.COLORS[cell.value].lstrip("#")
    assert sheet.freeze_panes == "C2", "the dealer's name stays in sight too"
    assert sheet.auto_filter.ref == f"A1:O{len(dealers) + 1}"
    assert sheet.print_title_rows == "$1:$1"


def test_values_of_an_indicator_show_as_that_indicator(tmp_path):
    rows = pd.DataFrame(
        {
            "metric": ["category_coverage_share", "basket", "price_tier", "basket"],
            "value": [0.5, 3200.4, 1.25, 12.5],
        }
    )
    sheet = sheet_of(written(tmp_path, {"t": rows}))
    looks = [sheet.cell(row, 2).number_format.partition(";")[0] for row in (2, 3, 4, 5)]
    assert looks == ["0.0%", "#,##0", "#,##0.00", "#,##0"], "those of one measure alike"
    assert sheet.cell(1, 2).value == "Value", "what is no amount names no currency"
    assert sheet.cell(2, 1).value == words.label("category_coverage_share")


@pytest.mark.parametrize(
    ("column", "is_money"),
    [
        ("revenue", True),
        ("recent_revenue", True),
        ("expected_revenue", True),
        ("usual_payments", True),
        ("value_91_180", True),
        ("dead_value", True),
        ("profit_per_m2", True),
        ("unit_cost", True),
        ("expected_gain", True),
        ("balance", True),
        ("weighted_gain", False),
        ("score", False),
        ("price_tier", False),
        ("n_payments", False),
        ("value_share", False),
        ("rank_profit", False),
        ("stock_turn", False),
        ("nearest_km", False),
        ("gmroi", False),
        ("population", False),
    ],
)
def test_amounts_are_known_by_their_names(column, is_money):
    assert files.is_amount(column) is is_money


def test_columns_are_as_wide_as_their_cells(tmp_path):
    rows = pd.DataFrame(
        {
            "city": ["顺达电器商城西岭店"],
            "region": ["abcdefghi"],
            "reason": ["long " * 50],
            "revenue": [1234567.0],
            "due_date": [None],
            "n_orders": [1],
        }
    )
    width = {column.name: column.width for column in excel.columns_of(rows, "CNY")}
    assert width["city"] == 9 * 2 + 3
    assert width["region"] == 9 + 3
    assert width["reason"] == excel.WIDEST
    assert len("1,234,567") < width["revenue"] < 20
    assert width["due_date"] >= len("2026-10-05")
    sheet = sheet_of(written(tmp_path, {"t": rows}))
    assert sheet.cell(2, 3).alignment.wrap_text and not sheet.cell(2, 1).alignment.wrap_text
    assert sheet.row_dimensions[2].height == 5 * cells.LINE_PT, "250 letters take five lines of 56"


def test_large_tables_are_not_wrapped(tmp_path, monkeypatch):
    monkeypatch.setattr(excel, "TALL", 1)
    sheet = sheet_of(written(tmp_path, {"t": pd.DataFrame({"reason": ["long " * 50] * 2})}))
    assert not sheet.cell(2, 1).alignment.wrap_text
    assert sheet.row_dimensions[2].height is None


# ---- sheets --------------------------------------------------------------------------------------


def test_sheet_names_keep_excels_rules():
    wild = [
        "abc_pareto",
        "a" * 40,
        "a" * 41,
        "A" * 31,
        "History",
        "x[1]:*?/\\'",
        "'",
        "summary",
        "顺" * 40,
        "_",
        "\x00",
    ]
    names = excel.sheet_names(wild)
    assert len({name.casefold() for name in names.values()}) == len(wild) + 1
    for name in names.values():
        assert 0 < len(name) <= excel.MAX_NAME
        assert not re.search(r"[\[\]:*?/\\']", name)
        assert name.casefold() != "history"
    assert names["abc_pareto"] == "Dealers by class"


def test_what_a_sheet_can_not_hold_is_cut_and_said(tmp_path, monkeypatch):
    monkeypatch.setattr(excel, "MAX_ROWS", 6)
    monkeypatch.setattr(excel, "MAX_COLUMNS", 2)
    rows = pd.DataFrame({"dealer_id": list("123456"), "revenue": range(6), "balance": range(6)})
    path = written(tmp_path, {"large": rows, "small": rows[["dealer_id"]].head(5)})
    cells = [[cell.value for cell in row] for row in sheet_of(path).iter_rows()]
    said = "A sheet holds no more: 4 of 6 rows and 2 of 3 columns are here; the CSV file has all."
    assert [row[0] for row in cells] == ["Dealer no.", "1", "2", "3", "4", said]
    assert sheet_of(path).auto_filter.ref == "A1:B5", "the remark is not among the rows"
    assert sheet_of(path, 2).max_row == 6, "what just fits is not cut"
    contents = [
        [cell.value for cell in row] for row in sheet_of(path, 0).iter_rows(min_row=4, max_row=5)
    ]
    assert [row[first_sheet.REASON] for row in contents] == [6, 5]
    assert [row[first_sheet.SPAN + 1] for row in contents] == [said, None]


def test_the_first_sheet_lists_the_others(tmp_path, dealers):
    tables = {"abc_pareto": dealers, "rfm": dealers.head(0), "none": pd.DataFrame()}
    notes = ["Norvella · October 2026", "Data fingerprint d564"]
    path = written(tmp_path, tables, notes=notes, pages={"abc_pareto": "Which dealers?"})
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == [
        "Summary",
        "Dealers by class",
        "Dealers by recent buying (RFM)",
        "none",
    ]
    contents = book["Summary"]
    rows = [[cell.value for cell in row] for row in contents.iter_rows(max_col=8)]
    assert [row[0] for row in rows[:3]] == ["Network", *notes]
    rows = [[row[0], row[1], *row[first_sheet.REASON :]] for row in rows]
    assert rows[4] == ["Sheet", "Page", "Rows", "File"]
    assert rows[5] == ["Dealers by class", "Which dealers?", len(dealers), "tables/abc_pareto.csv"]
    assert rows[6][2:] == [0, "tables/rfm.csv"]
    for row in (6, 7, 8):
        assert contents.cell(row, 1).hyperlink.location == f"'{contents.cell(row, 1).value}'!A1"
    assert book["none"].cell(1, 1).value == "There is nothing to list."
    assert book["Dealers by recent buying (RFM)"].cell(1, 1).value == "Dealer no."
    assert book.properties.created == dt.datetime(2026, 10, 1)


def test_the_same_tables_make_the_same_bytes(tmp_path, dealers):
    first = written(tmp_path, {"dealers": dealers}).read_bytes()
    assert written(tmp_path, {"dealers": dealers}).read_bytes() == first
    assert written(tmp_path, {"dealers": dealers.head(3)}).read_bytes() != first


def test_a_workbook_is_written_whole_or_not_at_all(tmp_path, dealers, monkeypatch):
    before = written(tmp_path, {"dealers": dealers}).read_bytes()
    monkeypatch.setattr(first_sheet, "write_contents", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        written(tmp_path, {"dealers": dealers.head(3)})
    assert [path.name for path in tmp_path.iterdir()] == ["edition.xlsx"]
    assert (tmp_path / "edition.xlsx").read_bytes() == before


def test_rows_do_not_stay_in_memory(tmp_path, monkeypatch):
    """Chunks meet without a gap, and a workbook of many rows is written row by row."""
    monkeypatch.setattr(excel, "CHUNK", 7)
    rows = pd.DataFrame({"dealer_id": [f"{i:03d}" for i in range(50)], "revenue": np.arange(50.0)})
    assert_cells(sheet_of(written(tmp_path, {"t": rows})), rows)
    assert excel.OPTIONS["constant_memory"]


def test_tables_published_by_the_notebooks_have_a_name_in_both_languages():
    terms = words._reference("terms")
    for path in sorted((ROOT / "notebooks").glob("[01]*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = "\n".join(
            "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"
        )
        for name in re.findall(r'report\.publish\("(\w+)"', sources):
            assert f"table_{name}" in terms, f"{path.name}: terms.csv has no table_{name}"
            assert all(
                len(terms[f"table_{name}"][language]) <= excel.MAX_NAME for language in ("en", "zh")
            )


# ---- from CSV to another program -----------------------------------------------------------------


@pytest.fixture
def published(tmp_path, dealers, monkeypatch) -> dict[str, pd.DataFrame]:
    """Publish a table as a notebook does, and read it back from its CSV."""
    monkeypatch.setenv("WORKBOOK_PAGE", str(tmp_path / "edition"))
    report.publish("abc_pareto", dealers)
    report.publish(
        "mixed", pd.DataFrame({"code": ["007", "8"], "rank": [1, 2], "share": [1e-12, 1e300]})
    )
    return editions.read_tables(tmp_path / "edition")


def test_a_csvs_apostrophes_do_not_show(tmp_path, dealers, published):
    raw = (tmp_path / "edition" / "tables" / "abc_pareto.csv").read_text(encoding="utf-8-sig")
    assert "'=1+1" in raw
    sheet = sheet_of(written(tmp_path, published))
    assert_cells(sheet, published["abc_pareto"])
    assert_cells(sheet, dealers.assign(opened_date="2020-02-29"))
    assert published["mixed"]["code"].tolist() == ["007", "8"], (
        "a column with a number like 007 is text"
    )


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
def test_libreoffice_reads_the_same(tmp_path, published):
    path = written(tmp_path, published)
    again = tmp_path / "again"
    done = subprocess.run(
        [
            SOFFICE,
            f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}",
            "--headless",
            "--norestore",
            "--convert-to",
            "xlsx",
            "--outdir",
            str(again),
            str(path),
        ],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert (again / path.name).is_file(), done.stdout + done.stderr
    book = openpyxl.load_workbook(again / path.name)
    assert book.sheetnames == openpyxl.load_workbook(path).sheetnames
    for name, table in published.items():
        sheet = book[excel.sheet_names(published)[name]]
        assert [cell.value for cell in sheet[1]] == [
            column.heading for column in excel.columns_of(table, "CNY")
        ]
        assert_cells(sheet, table, decode=str)  # it has read the escapes, and writes none
        assert (
            sheet.auto_filter.ref
            == f"A1:{openpyxl.utils.get_column_letter(table.shape[1])}{len(table) + 1}"
        )
