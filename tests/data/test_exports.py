"""From what an ERP exports to a table that is right, by `map` alone: with titles, totals, several
sheets, in XLSX and in text of another encoding.
"""

import csv
import datetime as dt
import io
from typing import NamedTuple

import openpyxl
import pytest

from helpers import cli, settings
from helpers.data import checks, tables


class Layout(NamedTuple):
    """An export: its titles, headers, the word for a total, and how it is written as text."""

    title: str
    sales: list[str]  # day, document, dealer, name, region, item, brand, pieces, amount, cost
    paid: list[str]  # day, document, dealer, amount
    total: str
    encoding: str
    delimiter: str
    day: str
    decimal: str


LAYOUTS = {
    "Chinese": Layout(
        "销售出库明细表",
        [
            "日期",
            "单据编号",
            "客户编码",
            "客户名称",
            "区域",
            "物料编码",
            "品牌",
            "数量",
            "金额",
            "成本金额",
        ],
        ["收款日期", "单据编号", "客户编码", "收款金额"],
        "合计",
        "gb18030",
        ",",
        "%Y-%m-%d",
        ".",
    ),
    "German": Layout(
        "Umsatzliste",
        [
            "Belegdatum",
            "Belegnr.",
            "Debitor",
            "Name 1",
            "Region",
            "Material",
            "Marke",
            "Menge",
            "Nettowert",
            "Kosten",
        ],
        ["Zahlungsdatum", "Belegnr.", "Debitor", "Zahlbetrag"],
        "Summe",
        "cp1252",
        ";",
        "%d.%m.%Y",
        ",",
    ),
    "English": Layout(
        "Sales by Customer Detail",
        [
            "Invoice Date",
            "Invoice No",
            "Customer ID",
            "Customer Name",
            "Region",
            "Item Code",
            "Brand",
            "Qty",
            "Net Amount",
            "Cost Amount",
        ],
        ["Payment Date", "Receipt No", "Customer ID", "Amount Received"],
        "Total",
        "utf-16",
        "\t",
        "%Y/%m/%d",
        ".",
    ),
}
NAMES = ["Müller Handel", "Sun & Co", "光明灯饰", "Nord Licht", "East Lamps"]
DAY = dt.date(2026, 1, 5)
SALES = [
    [
        DAY + dt.timedelta(days=i),
        f"IN{i:05d}",
        f"K{i % 5 + 1:04d}",
        NAMES[i % 5],
        ["East", "West"][i % 5 % 2],
        f"L{i % 7:03d}",
        ["Lumora", "Kaltern"][i % 3 // 2],
        i % 9 + 1,
        round((i % 9 + 1) * 1035.25, 2),
        round((i % 9 + 1) * 700.5, 2),
    ]
    for i in range(150)
]
PAID = [
    [DAY + dt.timedelta(days=30 * i), f"PY{i:04d}", f"K{i % 5 + 1:04d}", 1000.5 + i]
    for i in range(8)
]


def names_for(layout: Layout, row: list) -> list:
    """Leave out what the encoding of an export has no letters for."""
    return [
        cell.encode(layout.encoding, "ignore").decode(layout.encoding).strip() or "Shop"
        if isinstance(cell, str)
        else cell
        for cell in row
    ]


def sheet(layout: Layout, header: list[str], rows: list[list]) -> list[list]:
    sums = [
        round(sum(row[i] for row in rows), 2) if isinstance(rows[0][i], (int, float)) else None
        for i in range(len(header))
    ]
    return [
        [layout.title],
        [],
        header,
        *(names_for(layout, row) for row in rows),
        [layout.total, *sums[1:]],
    ]


def as_text(layout: Layout, rows: list[list]) -> bytes:
    def cell(value: object) -> str:
        if isinstance(value, dt.date):
            return value.strftime(layout.day)
        if isinstance(value, float):
            return f"{value:.2f}".replace(".", layout.decimal)
        return "" if value is None else str(value)

    text = io.StringIO()
    writer = csv.writer(text, delimiter=layout.delimiter, lineterminator="\r\n")
    writer.writerows([cell(value) for value in row] for row in rows)
    return text.getvalue().encode(layout.encoding)


@pytest.mark.parametrize("kind", ["spreadsheet", "text"])
@pytest.mark.parametrize("name", LAYOUTS)
def test_an_export_becomes_a_workbook_without_an_edit(tmp_path, cache, capsys, name, kind):
    layout = LAYOUTS[name]
    sales, paid = sheet(layout, layout.sales, SALES), sheet(layout, layout.paid, PAID)
    if kind == "spreadsheet":
        book = openpyxl.Workbook()
        for title, rows in (("Sales", sales), ("Payments", paid), ("About", [["by the ERP"]])):
            page = book.create_sheet(title)
            for row in rows:
                page.append(row)
        book.remove(book.worksheets[0])
        book.save(tmp_path / "export.xlsx")
        files = [tmp_path / "export.xlsx"]
    else:
        files = [tmp_path / "sales.csv", tmp_path / "paid.csv"]
        for file, rows in zip(files, (sales, paid), strict=True):
            file.write_bytes(as_text(layout, rows))
    toml = tmp_path / "workbook.toml"
    assert cli.main(["map", *map(str, files), "--yes", "--out", str(toml)]) in (0, 1)
    capsys.readouterr()
    made = settings.workbook(toml)
    assert not (checks.findings(made)["severity"] == "error").any()
    lines = tables.table(made, "sell_in").to_pandas()
    assert len(lines) == len(SALES)
    assert f"{lines['revenue'].sum():.2f}" == f"{sum(row[8] for row in SALES):.2f}"
    assert f"{lines['cost'].sum():.2f}" == f"{sum(row[9] for row in SALES):.2f}"
    assert {str(day)[:10] for day in lines["date"]} == {row[0].isoformat() for row in SALES}
    assert set(lines["dealer_id"]) == {row[2] for row in SALES}
    payments = tables.table(made, "payments").to_pandas()
    assert f"{payments['amount'].sum():.2f}" == f"{sum(row[3] for row in PAID):.2f}"
    dealers = tables.table(made, "dealers").to_pandas()
    assert set(dealers["region"]) == {"East", "West"}
