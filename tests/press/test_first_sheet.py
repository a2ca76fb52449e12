"""The first sheet of the Excel workbook, the order of the others, and the names beside ids."""

import math
import re
import shutil
import subprocess

import openpyxl
import pandas as pd
import pytest

from helpers import look, words
from helpers.press import excel, first_sheet, handed, risks, summary

SOFFICE = shutil.which("soffice")
PERIOD = "2026-10"


@pytest.fixture(autouse=True)
def _english():
    look.use("en", "CNY")


def standing(**changed) -> pd.DataFrame:
    rows = pd.DataFrame(
        {
            "span": ["month"] * 3 + ["year_to_date"] * 3,
            "indicator": ["revenue", "gross_profit", "payments"] * 2,
            "actual": [62.7e6, 11.5e6, 50.5e6, 571e6, 107e6, 547e6],
            "previous_actual": [52.6e6, 10.4e6, 52.0e6, 553e6, 108e6, 548e6],
            "target": [55.1e6, 10.9e6, 54.6e6, 579e6, 113e6, 575e6],
        }
    )
    return rows.assign(**changed)


def calls(n: int = 2, **changed) -> pd.DataFrame:
    rows = pd.DataFrame(
        {
            "dealer_id": [f"d{i}" for i in range(n)],
            "dealer_name": ["=1+1", "Shop & <b>", *(f"Shop {i}" for i in range(n))][:n],
            "account_manager": "Zhou Yating",
            "trigger": "overdue",
            "reason": "=CNY 2.17 m is overdue. " + "Nobody knows why. " * 12,
            "measure": "Settle",
            "within_days": 14,
            "stake_kind": "debt",
            "stake": [float(i + 1) * 1e6 for i in range(n)],
            "stake_low": [float(i + 1) * 1e6 for i in range(n)],
        }
    )
    return rows.assign(**changed)


def tables(**changed) -> dict[str, pd.DataFrame]:
    months = ["2025-10", "2026-10"]
    return {
        "abc_pareto": pd.DataFrame({"dealer_id": ["d0", "d1"], "dealer_name": ["One", "Two"]}),
        "call_list": calls(),
        "month_standing": standing(),
        "network_months": pd.DataFrame(
            {
                "month": months,
                "revenue": [50.0, 60.0],
                "gross_profit": [10.0, 11.4],
                "covered_revenue": [50.0, 60.0],
                "payments": [1.0, 1.0],
            }
        ),
        "receivables": pd.DataFrame({"dealer_id": ["d0", "d1"], "overdue_amount": [5e6, 1e6]}),
        "receivables_months": pd.DataFrame(
            {"month": months, "balance": [98e6, 132e6], "dso_days": [54.0, 71.0]}
        ),
    } | changed


FRONT = {
    "verdict": "Revenue of October 2026: CNY 62.7 m, +19.3%.",
    "reason": "Volume made most of it.",
    "risk": risks.Risk(1.0, "The largest risk: CNY 6 m is overdue.", "04_receivables.html"),
}


def written(folder, given: dict[str, pd.DataFrame], front=FRONT, **options):
    """Write a workbook as an edition does, and open it."""
    path = folder / "edition.xlsx"
    names = summary.names(given, given.get("abc_pareto", calls()[["dealer_id", "dealer_name"]]))
    excel.write_workbook(
        path,
        given,
        title="R&D network",
        period=PERIOD,
        currency=words.currency(),
        names=names,
        summary=summary.summary(given, PERIOD, front, {"Zhou Yating": "+86 10 5550 0101"}),
        **options,
    )
    return openpyxl.load_workbook(path)


def rows_of(book) -> list[list]:
    return [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]


def row_at(rows: list[list], first: str) -> int:
    return next(i for i, row in enumerate(rows) if row[0] == first)


# ---- figures -------------------------------------------------------------------------------------


def test_the_first_sheet_says_what_the_front_page_says(tmp_path):
    rows = rows_of(written(tmp_path, tables()))
    said = [row[0] for row in rows]
    assert said[0] == "R&D network"
    assert said[2:5] == [FRONT["verdict"], FRONT["reason"], FRONT["risk"].text]


def test_key_figures_stand_beside_last_year_and_target(tmp_path):
    rows = rows_of(written(tmp_path, tables()))
    at = row_at(rows, "Key figures (CNY)")
    assert [text for text in rows[at] if text] == [
        "Key figures (CNY)",
        "October 2026",
        "Year to date",
    ]
    assert rows[at + 1][1:6] == ["Actual", "A year before", "On a year before", "Target", "Reached"]
    revenue = rows[row_at(rows, "Revenue")]
    assert revenue[1:6] == pytest.approx([62.7e6, 52.6e6, 62.7 / 52.6 - 1, 55.1e6, 62.7 / 55.1])
    assert revenue[6:11] == pytest.approx([571e6, 553e6, 571 / 553 - 1, 579e6, 571 / 579])
    margin = rows[row_at(rows, "Gross margin")]
    assert margin[1:4] == pytest.approx([0.19, 0.2, -1.0])
    assert margin[4:] == [None] * len(margin[4:])
    assert rows[row_at(rows, "Balance owed")][1:4] == pytest.approx([132e6, 98e6, 132 / 98 - 1])
    assert rows[row_at(rows, "DSO")][1:4] == [71, 54, 17]
    assert rows[row_at(rows, "Overdue, amount")][1] == 6e6


@pytest.mark.parametrize(
    ("left_out", "gone"),
    [
        ("month_standing", ["Revenue", "Gross profit", "Payments collected"]),
        ("network_months", ["Gross margin"]),
        ("receivables_months", ["Balance owed", "DSO", "Overdue, amount"]),
        ("call_list", ["=1+1"]),
    ],
)
def test_what_is_not_known_has_no_row(tmp_path, left_out, gone):
    given = {name: rows for name, rows in tables().items() if name != left_out}
    said = {row[0] for row in rows_of(written(tmp_path, given))}
    assert not said & set(gone)
    assert "Sheet" in said


def test_nothing_known_leaves_the_list_of_sheets(tmp_path):
    bare = {"abc_pareto": tables()["abc_pareto"]}
    rows = rows_of(written(tmp_path, bare, front={}))
    assert [row[0] for row in rows if row[0]][:3] == ["R&D network", "Sheet", "Dealers by class"]


def test_gross_profit_of_a_part_is_no_figure():
    part = standing(actual=[62.7e6, math.nan, 50.5e6] + [math.nan] * 3)
    found = {f.label: f for f in summary.figures(tables(month_standing=part), PERIOD)}
    assert "Gross profit" not in found and "Gross margin" in found


def test_in_january_the_year_is_the_month(tmp_path):
    found = summary.figures(tables(), "2026-01")
    assert all(math.isnan(figure.year.actual) for figure in found)


@pytest.mark.parametrize(
    ("language", "values", "shown"),
    [
        ("en", [62.7e6, 11.5e6], '#,##0.0,," m";"−"#,##0.0,," m"'),
        ("en", [5e5, 2e5], '#,##0," k";"−"#,##0," k"'),
        ("en", [2.5e9], '#,##0.00,,," bn";"−"#,##0.00,,," bn"'),
        ("en", [950.0, 3.0], '#,##0;"−"#,##0'),
        ("en", [], '#,##0;"−"#,##0'),
        ("en", [math.nan], '#,##0;"−"#,##0'),
        ("zh-Hans", [6.9e8], '0\\.00,,"\u00a0亿";"−"0\\.00,,"\u00a0亿"'),
        (
            "zh-Hans",
            [6.3e7],
            '[>=10000000]#\\,##0\\.0,"\u00a0万";[<=-10000000]"−"#\\,##0\\.0,"\u00a0万";'
            '0\\.0,"\u00a0万"',
        ),
        ("zh-Hant", [6.9e8], '0\\.00,,"\u00a0億";"−"0\\.00,,"\u00a0億"'),
    ],
    ids=str,
)
def test_amounts_are_as_short_as_on_a_page(language, values, shown):
    look.use(language, "CNY")
    assert first_sheet.short_amounts(values) == shown


# ---- calls and contents --------------------------------------------------------------------------


def test_calls_tell_whom_why_and_for_how_much(tmp_path):
    book = written(tmp_path, tables())
    rows, sheet = rows_of(book), book.worksheets[0]
    at = row_at(rows, "Whom to call first")
    first = rows[at + 1]
    assert first[:6] == [
        "Shop & <b>",
        "Zhou Yating\n+86 10 5550 0101",
        "Overdue",
        2e6,
        "Debt",
        14,
    ]
    cell = sheet.cell(at + 2, first_sheet.REASON + 1)
    assert cell.value.startswith("=CNY 2.17 m") and cell.data_type == "s" and cell.quotePrefix
    assert sheet.row_dimensions[at + 2].height >= 4 * 15, "its reason is read without a click"
    assert rows[at + 2][0] == "=1+1" and sheet.cell(at + 3, 1).data_type == "s"


def test_calls_beyond_the_first_are_a_click_away(tmp_path):
    given = tables(call_list=calls(summary.N_CALLS + 3))
    book = written(tmp_path, given)
    rows = rows_of(book)
    at = row_at(rows, f"All {summary.N_CALLS + 3} calls")
    assert at - row_at(rows, "Whom to call first") == summary.N_CALLS + 1
    assert book.worksheets[0].cell(at + 1, 1).hyperlink.location == "'Call list'!A1"


@pytest.mark.parametrize("missing", ["account_manager", "within_days", "reason"])
def test_what_of_a_call_is_open_stays_empty(tmp_path, missing):
    rows = rows_of(written(tmp_path, tables(call_list=calls(**{missing: None}))))
    call = rows[row_at(rows, "Whom to call first") + 1]
    column = {"account_manager": 1, "within_days": 5, "reason": 6}[missing]
    assert call[column] is None and call[3] == 2e6


@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant"])
def test_the_first_sheet_speaks_the_readers_language(tmp_path, language):
    look.use(language, "CNY")
    book = written(tmp_path, tables(), front={})
    assert book.sheetnames[0] == words.say("excel.summary")
    texts = [
        cell
        for row in rows_of(book)[1:]
        for cell in row
        if isinstance(cell, str) and not re.search(r"Shop|1\+1|Zhou|=CNY|tables/|R&D", cell)
    ]
    assert texts
    for text in texts:
        assert bool(re.search(r"[\u4e00-\u9fff]", text)) is (language != "en"), text


# ---- the other sheets ----------------------------------------------------------------------------


def test_every_id_has_its_name_beside_it(tmp_path):
    given = tables(
        receivables=pd.DataFrame({"dealer_id": ["d0", "d1"], "balance": [1.0, 2.0]}),
        plan_proposed=pd.DataFrame({"leg": [1], "factor_id": ["f1"], "dealer_id": ["d1"]}),
        factors=pd.DataFrame({"factor_id": ["f1"], "factor": ["Training"]}),
        stuffed_models=pd.DataFrame(
            {
                "product_id": ["p"],
                "dealer_id": ["d0"],
                "dealer_name": ["One"],
                "product_name": ["Model"],
            }
        ),
    )
    book = written(tmp_path, given)
    heads = {
        sheet.title: [cell.comment.text.strip() for cell in sheet[1]]
        for sheet in book.worksheets[1:]
    }
    assert heads["Receivables"] == ["dealer_id", "dealer_name", "balance"]
    assert heads["Proposed plan"] == ["leg", "factor_id", "factor", "dealer_id", "dealer_name"]
    assert heads["Models there are too many of"] == [
        "product_id",
        "product_name",
        "dealer_id",
        "dealer_name",
    ]
    assert [row[1].value for row in book["Receivables"].iter_rows(min_row=2)] == ["One", "Two"]
    assert book["Receivables"].freeze_panes == "C2"


def test_who_has_no_name_is_not_made_one_up():
    rows = pd.DataFrame({"dealer_id": ["x", "d0"], "balance": [1, 2]})
    known = {"dealer_id": {"d0": "One"}}
    named = summary.with_names(rows, known)
    assert named["dealer_name"].isna().tolist() == [True, False]
    assert list(summary.with_names(rows.head(1), known)) == ["dealer_id", "balance"]
    assert list(rows) == ["dealer_id", "balance"], "what is given is not changed"


def test_sheets_stand_in_the_order_of_the_month():
    pages = ["month_standing", "network_months", "claims", "rfm", "receivables", "call_list"]
    assert handed.sheet_order(pages) == [
        "call_list",
        "month_standing",
        "receivables",
        "network_months",
        "rfm",
        "claims",
    ]
    assert sorted(handed.sheet_order(pages)) == sorted(pages)


def test_every_sheet_can_be_printed(tmp_path):
    wide = pd.DataFrame({f"c{i}": ["x" * 30] for i in range(20)})
    wide.insert(0, "dealer_name", "One")
    book = written(tmp_path, tables(wide=wide))
    for sheet in book.worksheets:
        assert sheet.page_setup.orientation == "landscape" and sheet.page_setup.paperSize == 9
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.page_setup.fitToHeight == 0, "as long as it is"
        assert "R&&D network" in sheet.oddHeader.left.text or "R&D" in sheet.oddHeader.left.text
        assert sheet.oddFooter.right.text
        if sheet is not book.worksheets[0]:
            assert sheet.print_title_rows == "$1:$1"
            assert sheet.auto_filter.ref
    assert book["wide"].page_setup.fitToWidth == 4
    assert book["wide"].print_title_cols == "$A:$A", "whose row it is stands on every sheet"
    assert book["Receivables"].page_setup.fitToWidth in (1, None)


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
def test_libreoffice_prints_the_summary_on_one_sheet(tmp_path):
    pypdf = pytest.importorskip("pypdf", reason="the print is read back with the pypdf package")
    written(tmp_path, tables())
    done = subprocess.run(
        [
            SOFFICE,
            f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}",
            *("--headless", "--norestore", "--convert-to", "pdf", "--outdir", str(tmp_path)),
            str(tmp_path / "edition.xlsx"),
        ],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert (tmp_path / "edition.pdf").is_file(), done.stdout + done.stderr
    pages = pypdf.PdfReader(tmp_path / "edition.pdf").pages
    assert len(pages) == len(tables()) + 1, "one for each sheet"
    first = pages[0].extract_text()
    for told in ("62.7 m", "+19.2%", "114%", "−1.0 pp", "132.0 m", "2.00 m", "R&D network"):
        assert told in first
    assert float(pages[0].mediabox.width) > float(pages[0].mediabox.height)
