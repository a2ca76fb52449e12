"""Drafts: a toml that always parses, in which each text of a file is data, and what it asks."""

import csv
import datetime as dt
import io
import random
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import cli, data
from helpers.data import connections, tables
from helpers.data.matching import asking, draft, placing, seeing
from helpers.data.matching.placing import Sheet
from helpers.settings import DataError, workbook

HEADERS = [
    "Invoice No", "Invoice Date", "Store Number", "Store Name", "City", "Item Number",
    "Item Description", "Category Name", "Brand", "Bottles Sold", "Net Amount",
]  # fmt: skip
HOSTILE = [
    'Amount"',
    "Amount\\",
    "Amount\n[data.dealers]\nsource = 'x'",
    'Amount"\nquery = "select 1',
    "Amount'''",
    '"""',
    "Amount #",
    "Amount\t\x01\x1b[31m\x7f",
    "Amount\u2028\u202e\ufeff",
    'x"; DROP TABLE sell_in; --',
    "getenv('HOME')",
    "(select 1)",
    "${HOME}",
    "\0",
    "= 1",
    "客户\r\n编码",
    "A" * 10_000,
    "'",
    "]]",
]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(connections, "CACHE", tmp_path / "cache")


def export(day: str = "%Y-%m-%d", n: int = 240) -> list[list[str]]:
    """Make the rows of a wide export: dealers and products repeat on each line."""
    draw = random.Random(5)
    rows = []
    for i in range(n):
        dealer, product, pieces = draw.randrange(12), draw.randrange(6), draw.randint(1, 9)
        date = dt.date(2025, 1, 1) + dt.timedelta(3 * i)
        rows.append(
            [f"I{i}", date.strftime(day), f"{1000 + dealer}", f"Shop {dealer}",
             ["Ames", "Boone"][dealer % 2], f"{200 + product}", f"Item {product}",
             ["Wine", "Beer"][product % 2], ["Ours", "Theirs", "Third"][product % 3], str(pieces),
             f"{pieces * (8 + product):.2f}"]
        )  # fmt: skip
    return rows


def written(folder: Path, name: str, header: list[str], rows: list[list[str]]) -> str:
    """Write a CSV and give its path."""
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return str(folder / name)


def drafted(folder: Path, *sheets: Sheet, ask=None) -> dict:
    """Draft the toml of some sheets and read it as the workbook would."""
    text, _unused = asking.drafted(sheets, folder / "workbook.toml", ask)
    assert all(c in "\n\t" or (ord(c) >= 32 and c != "\x7f") for c in text)
    return tomllib.loads(text)


def test_a_wide_export_is_split_into_dealers_products_and_sell_in(tmp_path):
    path = written(tmp_path, "lines.csv", HEADERS, export("%m/%d/%Y"))
    assert cli.main(["map", path, "--yes", "--out", str(tmp_path / "workbook.toml")]) == 0
    book = workbook(tmp_path / "workbook.toml")
    assert set(book.tables) == {"dealers", "products", "sell_in"}
    dealers = tables.table(book, "dealers").to_pandas().set_index("dealer_id")
    assert len(dealers) == 12 and dealers["dealer_name"]["1003"] == "Shop 3"
    assert dealers["city"]["1003"] == "Boone"
    products = tables.table(book, "products").to_pandas().set_index("product_id")
    assert products["product_name"].to_dict() == {f"{200 + p}": f"Item {p}" for p in range(6)}
    sold = tables.table(book, "sell_in").to_pandas()
    assert len(sold) == 240 and str(sold["date"].max())[:10] == "2026-12-19"
    assert float(sold["revenue"].sum()) == sum(float(row[-1]) for row in export())
    assert set(sold["brand"]) == {"Ours", "Theirs", "Third"}


def test_blanks_around_an_id_make_no_second_dealer(tmp_path):
    rows = export()
    rows[7][2] += " "
    path = written(tmp_path, "lines.csv", HEADERS, rows)
    assert cli.main(["map", path, "--yes", "--out", str(tmp_path / "workbook.toml")]) in (0, 1)
    assert tables.table(workbook(tmp_path), "dealers").count().to_pandas() == 12


def test_several_files_are_several_tables(tmp_path):
    dealers = written(
        tmp_path, "customers.csv", ["No.", "Name", "City"],
        [[f"{1000 + i}", f"Shop {i}", "Ames"] for i in range(12)],
    )  # fmt: skip
    paid = written(
        tmp_path, "paid.csv", ["Receipt Date", "Customer No", "Amount received"],
        [[str(dt.date(2026, 1, 1 + i)), f"{1000 + i}", f"{100 + i}.50"] for i in range(12)],
    )  # fmt: skip
    sold = written(tmp_path, "sold.csv", HEADERS, export())
    out = tmp_path / "own" / "my.toml"
    out.parent.mkdir()
    assert cli.main(["map", dealers, paid, sold, "--yes", "--out", str(out)]) in (0, 1)
    book = workbook(out)
    assert set(book.tables) == {"dealers", "payments", "products", "sell_in"}
    assert (
        book.tables["dealers"].source.endswith("customers.csv") and not book.tables["sell_in"].query
    )
    assert tables.table(book, "payments").count().to_pandas() == 12
    assert data.has(book, "dealers")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_whatever_a_header_says_the_toml_parses_and_it_is_a_text(tmp_path, hostile):
    rows = export(n=20)
    for position in range(len(HEADERS)):
        header = [*HEADERS]
        header[position] = hostile
        told = drafted(tmp_path, Sheet(str(tmp_path / "x.csv"), "", header, rows))
        assert set(told) == {"workbook", "data"}
        for name, section in told["data"].items():
            if isinstance(section, dict) and "columns" in section:
                assert set(section) <= {"source", "columns", "format"}, name
                assert set(section["columns"].values()) <= set(header)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_whatever_a_sheet_or_a_value_says_the_toml_parses(tmp_path, hostile):
    rows = [[*row] for row in export(n=30)]
    for row in rows[::3]:
        row[3], row[8] = hostile, hostile
    answers = []

    def ask(question: asking.Question) -> int:
        answers.append(question)
        assert all("\n" not in choice and "\x1b" not in choice for choice in question.choices)
        return 0 if question.choices else -1

    told = drafted(tmp_path, Sheet(str(tmp_path / "x.csv"), hostile, HEADERS, rows), ask=ask)
    assert told["data"]["sell_in"]["read"] == {"sheet": hostile}
    assert answers and told["workbook"]["brand"].strip() in (
        "Theirs",
        "Third",
        hostile.strip(),
        "Ours",
    )


@pytest.mark.parametrize("hostile", ['a"b', "'''", "\\", "x; drop", "a\u2028b", "--", "a\nb"])
def test_a_header_becomes_one_name_in_a_query(tmp_path, hostile):
    header = [h if h != "Store Name" else f"{hostile} Customer Name" for h in HEADERS]
    found = placing.placed(
        Sheet(str(tmp_path / "x.csv"), "", header, export()), "sell_in", {3: "dealers.dealer_name"}
    )
    text = draft.draft([found], tmp_path / "workbook.toml", draft.Choices())
    query = tomllib.loads(text)["data"]["dealers"]["query"]
    assert f'max("{header[3].replace(chr(34), chr(34) * 2)}") as dealer_name' in query


@pytest.mark.parametrize("name", ["${HOME}.csv", "a\x1b.csv"])
def test_a_file_that_a_toml_can_t_name_is_refused(tmp_path, name):
    with pytest.raises(DataError, match="rename the file"):
        draft.located(str(tmp_path / name), tmp_path)


@pytest.mark.parametrize(
    "name", ["a b.csv", "客户.csv", "sales[1].csv", "x;y.csv", "package:x.csv"]
)
def test_files_of_any_name_are_found_from_the_toml_s_folder(tmp_path, name):
    path = written(tmp_path, name, HEADERS, export())
    out = tmp_path / "workbook.toml"
    assert cli.main(["map", path, "--yes", "--out", str(out)]) in (0, 1)
    assert tables.table(workbook(out), "sell_in").count().to_pandas() == 240


def test_what_is_there_is_not_overwritten(tmp_path, capsys):
    path = written(tmp_path, "x.csv", HEADERS, export())
    (tmp_path / "workbook.toml").write_text("mine")
    for out in (tmp_path / "workbook.toml", tmp_path):
        assert cli.main(["map", path, "--yes", "--out", str(out)]) == 2
    assert (tmp_path / "workbook.toml").read_text() == "mine"
    assert "is not overwritten" in capsys.readouterr().err


def test_files_that_are_not_there_or_hold_nothing_are_named(tmp_path, capsys):
    (tmp_path / "empty.csv").write_text("")
    for path in (tmp_path / "gone.csv", tmp_path / "empty.csv", tmp_path):
        assert cli.main(["map", str(path), "--yes", "--out", str(tmp_path / "w.toml")]) == 2
    assert not (tmp_path / "w.toml").exists()
    assert "gone.csv" in capsys.readouterr().err


def test_a_table_that_is_not_whole_is_drafted_as_a_comment(tmp_path):
    stock = ["Shop Code", "Item No.", "Stock quantity", "Received Date"]
    rows = [["1001", "200", "5", "2026-01-02"]] * 9
    sheets = [Sheet("lines.csv", "", HEADERS, export()), Sheet("stock.csv", "", stock, rows)]
    text, _unused = asking.drafted(sheets, tmp_path / "workbook.toml")
    assert "stock" not in tomllib.loads(text)["data"]
    assert "# [data.stock]" in text and "# snapshot_date" in text.replace(
        "QUESTION: which header is ", ""
    )


# ---- in a terminal -------------------------------------------------------------------------------


class Terminal(io.StringIO):
    """Standard input at which somebody sits."""

    def isatty(self) -> bool:
        return True


def answered(monkeypatch, capsys, folder: Path, path: str, *lines: str) -> tuple[dict, str]:
    """Map a file with these lines typed; give the toml and what was asked."""
    monkeypatch.setattr(sys, "stdin", Terminal("".join(f"{line}\n" for line in lines)))
    cli.main(["map", path, "--out", str(folder / "workbook.toml")])
    return tomllib.loads((folder / "workbook.toml").read_text()), capsys.readouterr().err


def test_in_a_terminal_the_brand_is_asked_and_never_guessed(tmp_path, monkeypatch, capsys):
    path = written(tmp_path, "x.csv", HEADERS, export())
    told, asked = answered(monkeypatch, capsys, tmp_path, path, "2")
    assert "Which brand is ours?" in asked
    brands = sorted(
        ["Ours", "Theirs", "Third"], key=lambda b: (-sum(r[8] == b for r in export()), b)
    )
    assert told["workbook"]["brand"] == brands[1]
    (tmp_path / "workbook.toml").unlink()
    told, _asked = answered(monkeypatch, capsys, tmp_path, path, "")
    assert told["workbook"]["brand"] == ""
    assert "QUESTION: which brand" in (tmp_path / "workbook.toml").read_text()


def test_a_required_column_that_no_header_names_is_asked(tmp_path, monkeypatch, capsys):
    header = [h if h != "Net Amount" else "Quux" for h in HEADERS]
    path = written(tmp_path, "x.csv", header, export())
    told, asked = answered(monkeypatch, capsys, tmp_path, path, "x", "1", "0")
    assert "sell_in.revenue" in asked and "Quux  e.g." in asked and "give a number" in asked
    assert told["data"]["sell_in"]["columns"]["revenue"] == "Quux"


def test_days_that_can_be_read_in_two_ways_are_asked(tmp_path, monkeypatch, capsys):
    rows = export()
    for i, row in enumerate(rows):
        row[1] = f"{i % 12 + 1:02d}/{i % 11 + 1:02d}/2026"
    path = written(tmp_path, "x.csv", HEADERS, rows)
    told, asked = answered(monkeypatch, capsys, tmp_path, path, "0", "2")
    assert "how is Invoice Date written" in asked
    assert told["data"]["sell_in"]["format"] == {"date": "%m/%d/%Y"}
    (tmp_path / "workbook.toml").unlink()
    told, _asked = answered(monkeypatch, capsys, tmp_path, path)  # nobody answers
    assert "date" not in told["data"]["sell_in"].get("format", {})
    text = (tmp_path / "workbook.toml").read_text()
    assert '# date = "%d/%m/%Y"' in text and '# date = "%m/%d/%Y"' in text


def test_a_time_behind_the_day_belongs_to_the_format(tmp_path):
    path = written(tmp_path, "x.csv", HEADERS, export("%m/%d/%Y 09:30"))
    out = tmp_path / "workbook.toml"
    assert cli.main(["map", path, "--yes", "--out", str(out)]) == 0
    assert workbook(out).tables["sell_in"].format == {"date": "%m/%d/%Y %H:%M"}


@pytest.mark.parametrize(
    ("headers", "language"),
    [(["客户编码", "日期", "金额"], "zh-Hans"), (["客戶代號", "銷貨日期", "銷貨金額"], "zh-Hant"),
     (["Customer No", "Date", "Amount"], "en"), (["Kundennr", "Datum", "Betrag"], "en")],
)  # fmt: skip
def test_the_language_is_that_of_most_headers(headers, language):
    assert draft.language_of([placing.placed(Sheet("x.csv", "", headers, []))]) == language


@pytest.mark.parametrize(
    ("header", "currency"),
    [("Sale (Dollars)", "USD"), ("金额（元）", "CNY"), ("Umsatz €", "EUR"), ("Amount", ""),
     ("Amount (USD or EUR)", "")],
)  # fmt: skip
def test_the_currency_is_named_by_headers_or_left_open(header, currency):
    found = placing.placed(Sheet("x.csv", "", ["Customer No", "Date", header], []))
    assert draft.currency_of([found]) == currency


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(HEADERS) | st.text(max_size=30), min_size=1, max_size=9),
    st.lists(st.lists(st.text(max_size=9) | st.sampled_from(["1.5", "2026-01-02"]), max_size=9)),
    st.text(max_size=12),
    st.integers(-1, 3),
)
def test_any_texts_make_a_toml_that_parses(header, rows, name, choice):
    def ask(question: asking.Question) -> int:
        return min(choice, len(question.choices) - 1)

    sheet = Sheet("x.csv", name, header, rows)
    for asked in (None, ask):
        try:
            text, _unused = asking.drafted([sheet], Path("workbook.toml"), asked)
        except DataError:
            assert not any(one.strip() for one in header)
            continue
        for section in tomllib.loads(text)["data"].values():
            if isinstance(section, dict):
                assert set(section.get("columns", {}).values()) <= set(header)


def test_the_inputs_are_not_changed(tmp_path):
    header, rows = [*HEADERS], export()
    asking.drafted([Sheet("x.csv", "", header, rows)], tmp_path / "workbook.toml")
    assert header == HEADERS and rows == export()


# ---- from an ERP's files to a checked workbook, without an edit ----------------------------------

ERPS = {
    "SAP": (
        ["Billing Document", "Billing Date", "Sold-to party", "Name of sold-to party", "Material",
         "Material Description", "Material Group", "Billed Quantity", "Sales unit", "Net Value",
         "Tax Amount", "Cost"],
        ["Customer", "Posting Date", "Document Number", "Amount in Local Currency"],
        "%Y-%m-%d",
    ),
    "金蝶": (
        ["单据编号", "日期", "客户编码", "客户名称", "物料编码", "物料名称", "物料分组", "实发数量",
         "单位", "不含税金额", "税额", "总成本"],
        ["客户编码", "收款日期", "单据编号", "收款金额"],
        "%Y/%m/%d",
    ),
    "DATEV": (
        ["Belegnummer", "Belegdatum", "Kundennummer", "Kundenbezeichnung", "Artikelnummer",
         "Artikelbezeichnung", "Warengruppe", "Menge", "Einheit", "Nettobetrag", "USt-Betrag",
         "Wareneinsatz"],
        ["Kundennummer", "Zahlungsdatum", "Belegnummer", "Zahlungsbetrag"],
        "%d.%m.%Y",
    ),
    "1С": (
        ["Номер документа", "Дата документа", "Код клиента", "Клиент", "Код товара", "Товар",
         "Группа товаров", "Количество", "Единица", "Сумма без НДС", "Сумма НДС", "Себестоимость"],
        ["Код клиента", "Дата оплаты", "Номер документа", "Сумма оплаты"],
        "%d.%m.%Y",
    ),
    "own words": (
        ["Inv #", "Inv date", "Dealer code", "Dealer", "Model code", "Model", "Category", "Pcs",
         "Unit", "Net amt", "VAT amt", "COGS"],
        ["Dealer code", "Paid on", "Ref", "Paid amt"],
        "%m/%d/%Y",
    ),
}  # fmt: skip


@pytest.mark.parametrize("erp", ERPS)
def test_an_erp_s_files_are_a_workbook_in_one_command(tmp_path, erp):
    sold, paid, form = ERPS[erp]
    draw = random.Random(erp)
    lines, receipts, revenue, cost = [], [], 0, 0
    for i in range(150):
        dealer, product, pieces = draw.randrange(9), draw.randrange(5), draw.randint(1, 9)
        day = (dt.date(2025, 10, 5) + dt.timedelta(2 * i)).strftime(form)
        net, of_it = pieces * (900 + product * 50), pieces * (700 + product * 40)
        revenue, cost = revenue + net, cost + of_it
        lines.append(
            [f"F{i // 2}", day, f"K{dealer:03d}", f"Shop {dealer}", f"M{product:02d}",
             f"Model {product}", f"Group {product % 2}", f"{pieces}", "pcs", f"{net}.00",
             f"{net * 0.13:.2f}", f"{of_it}.00"]
        )  # fmt: skip
        receipts.append([f"K{dealer:03d}", day, f"R{i}", f"{net * 1.13:.2f}"])
    paths = [
        written(tmp_path, "lines.csv", sold, lines),
        written(tmp_path, "receipts.csv", paid, receipts),
    ]
    out = tmp_path / "workbook.toml"
    assert cli.main(["map", *paths, "--yes", "--out", str(out)]) in (0, 1)  # no error
    book = workbook(out)
    assert set(book.tables) == {"dealers", "products", "sell_in", "payments"}
    got = tables.table(book, "sell_in").to_pandas()
    assert (float(got["revenue"].sum()), float(got["cost"].sum())) == (revenue, cost)
    assert got["order_id"].nunique() == 75 and got["dealer_id"].nunique() == 9
    assert str(got["date"].min())[:10] == "2025-10-05" and got["quantity"].between(1, 9).all()
    dealers = tables.table(book, "dealers").to_pandas().set_index("dealer_id")
    products = tables.table(book, "products").to_pandas().set_index("product_id")
    assert dealers["dealer_name"].to_dict() == {f"K{d:03d}": f"Shop {d}" for d in range(9)}
    assert products["category"].to_dict() == {f"M{p:02d}": f"Group {p % 2}" for p in range(5)}
    assert len(tables.table(book, "payments").to_pandas()) == 150


def test_what_is_not_used_is_said(tmp_path, cache, capsys):
    lines = "Dealer No,Dealer,Invoice date,Product,Amount\n{},A,2026-0{}-04,P1,12.50\n"
    for month in (1, 2):
        (tmp_path / f"m{month}.csv").write_text(lines.format(1, month))
    files = [str(tmp_path / f"m{month}.csv") for month in (1, 2)]
    out = tmp_path / "new" / "folder" / "workbook.toml"
    assert cli.main(["map", *files, "--yes", "--out", str(out)]) != 0
    said = capsys.readouterr().err
    assert said.count("is used; see the end of the draft") == 1
    assert "m1.csv" in said or "m2.csv" in said


def test_a_year_of_two_digits_is_asked(tmp_path, cache, capsys):
    text = "Dealer No,Dealer,Invoice date,Product,Amount\n1,A,26/04/13,P1,12\n2,B,26/04/14,P1,500\n"
    (tmp_path / "a.csv").write_text(text)
    out = tmp_path / "workbook.toml"
    cli.main(["map", str(tmp_path / "a.csv"), "--yes", "--out", str(out)])
    draft = out.read_text(encoding="utf-8")
    assert '\ndate = "%d/%m/%y"' not in draft
    capsys.readouterr()
    assert cli.main(["check", "--config", str(out)]) == 2


WIDE = {
    "with_years": ("Customer No,Sales Amount note,2026-01,2026-02,2026-03", ""),
    "year_in_title": ("Customer No,Remark,January,February,March", "Sales 2026\n"),
    "chinese": ("客户编号,备注,1月,2月,3月", "2026年客户销售额\n"),
}


@pytest.mark.parametrize("layout", WIDE)
def test_a_column_for_each_month_is_seen_as_it_is_read(tmp_path, layout):
    """What the draft asks is to be answered by its names, and no header of a month is left over."""
    header, title = WIDE[layout]
    rows = "".join(f"D{i},x,{i}10.50,{i}20.50,{i}30.50\n" for i in range(1, 9))
    (tmp_path / "sales.csv").write_text(f"{title}{header}\n{rows}", encoding="utf-8")
    (sheet,) = seeing.sheets(str(tmp_path / "sales.csv"))
    assert sheet.header[-3:] == ["date", "month", "value"]
    assert [row[-3:] for row in sheet.rows[:2]] == [
        ["2026-01-01", "2026-01", "110.50"],
        ["2026-02-01", "2026-02", "120.50"],
    ]
    text = draft.draft(
        [placing.placed(sheet, "sell_in")], tmp_path / "workbook.toml", draft.Choices()
    )
    assert '\ndate = "date"' in text
    toml = tmp_path / "workbook.toml"
    customer = header.split(",")[0]
    toml.write_text(
        f'[data.sell_in]\nsource = "sales.csv"\n[data.sell_in.columns]\ndealer_id = "{customer}"\n'
        'revenue = "value"\n'
    )
    assert tables.table(workbook(toml), "sell_in").revenue.sum().execute() == sum(
        100 * 3 * i + 61.5 for i in range(1, 9)
    )


def test_months_of_no_year_are_named_as_what_is_missing(tmp_path):
    (tmp_path / "sales.csv").write_text("Customer,Jan,Feb,Mar\nD1,1,2,3\nD2,3,4,5\n")
    toml = tmp_path / "workbook.toml"
    assert cli.main(["map", str(tmp_path / "sales.csv"), "--yes", "--out", str(toml)]) == 2
    assert "its months name no year: write 2026-01" in toml.read_text()
