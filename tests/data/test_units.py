"""Amounts of several currencies, or in thousands, are not added up as if they were not."""

import tomllib

import openpyxl
import pytest

from helpers.data import checks, tables
from helpers.settings import DataError, workbook

LINES = (
    "dealer_id,date,revenue,{}\nD1,2026-09-30,5.00,{}\nD2,2026-10-31,5.50,{}\nD1,2026-10-31,7,{}\n"
)


def said(book) -> str:
    with pytest.raises(DataError) as error:
        tables.table(book, "sell_in")
    return str(error.value)


@pytest.mark.parametrize(
    ("header", "codes"),
    [
        ("Currency", ("EUR", "USD", "EUR")),
        ("Curr.", ("EUR", "JPY", "EUR")),
        ("Währung", ("EUR", "CHF", "CHF")),
        ("币种", ("人民币", "美元", "人民币")),
        ("Document Currency", ("eur", "usd", "usd")),
    ],
)
def test_a_column_of_several_currencies_is_an_error(make_book, header, codes):
    told = said(make_book(sell_in=LINES.format(header, *codes)))
    assert "of another currency than most" in told
    assert codes[0].upper() in told and codes[1].upper() in told


@pytest.mark.parametrize(
    ("header", "codes"),
    [
        ("Currency", ("EUR", "EUR", "eur")),
        ("Currency", ("", "", "EUR")),
        ("Current month", ("yes", "no", "yes")),
        ("remark", ("EUR", "USD", "EUR")),
    ],
)
def test_one_currency_or_none_is_no_error(make_book, header, codes):
    assert (
        len(tables.table(make_book(sell_in=LINES.format(header, *codes)), "sell_in").execute()) == 3
    )


@pytest.mark.parametrize(
    ("header", "times"),
    [
        ("销售金额(万元)", 10_000),
        ("金额（千元）", 1_000),
        ("金额（百万元）", 1_000_000),
        ("Sales (k€)", 1_000),
        ("Revenue in thousands", 1_000),
        ("TEUR", 1_000),
        ("Umsatz MEUR", 1_000_000),
        ("Sales in lakhs", 100_000),
        ("Sales (€000)", 1_000),
        ("Amount (USD 000)", 1_000),
        ("Revenue (£k)", 1_000),
        ("Umsatz Tsd. EUR", 1_000),
        ("Umsatz Mio", 1_000_000),
        ("Revenue $m", 1_000_000),
        ("Ventas en miles", 1_000),
    ],
)
def test_a_header_that_says_thousands_asks_for_the_factor(make_book, header, times):
    text = f"dealer_id,date,{header}\nD1,2026-09-30,12.5\nD2,2026-10-31,3\n"
    book = make_book(sell_in=text, extra=f'columns = {{ revenue = "{header}" }}')
    advice = said(book).split("e.g. ")[1]
    assert advice.endswith(f"* {times}'")
    # what it says to write is written, and is right
    computed = make_book(sell_in=text, extra=f"[data.sell_in.columns]\n{advice}")
    found = tables.table(computed, "sell_in").execute()
    assert float(found["revenue"].sum()) == 15.5 * times


@pytest.mark.parametrize(
    ("title", "times"),
    [
        ("单位：万元", 10_000),
        ("金额单位:千元", 1_000),
        ("Amounts in thousands", 1_000),
        ("Angaben in TEUR", 1_000),
    ],
)
def test_a_title_says_it_too(make_book, title, times):
    lines = "dealer_id,date,Umsatz\nD1,2026-09-30,12.5\nD2,2026-10-31,3\n"
    text = f"Sales of the year\n{title}\n{lines}"
    told = said(make_book(sell_in=text, extra='columns = { revenue = "Umsatz" }'))
    assert title in told
    computed = make_book(sell_in=text, extra=f"[data.sell_in.columns]\n{told.split('e.g. ')[1]}")
    assert float(tables.table(computed, "sell_in").execute()["revenue"].sum()) == 15.5 * times


@pytest.mark.parametrize(
    ("remark", "times"),
    [
        ("Note: amounts in thousands", 1_000),
        ("Figures in Mio EUR", 1_000_000),
        ("备注：单位千元", 1_000),
        ("Werte in Tsd. €", 1_000),
    ],
)
@pytest.mark.parametrize("where", ["above", "below"])
def test_a_remark_above_or_below_says_it_too(make_book, remark, times, where):
    lines = "dealer_id,date,Umsatz\nD1,2026-09-30,12.5\nD2,2026-10-31,3\nD1,2026-10-31,4\n"
    text = f"{remark}\n\n{lines}" if where == "above" else f"{lines}\n{remark}\n"
    told = said(make_book(sell_in=text, extra='columns = { revenue = "Umsatz" }'))
    assert told.endswith(f"* {times}'") and remark[:12] in told


@pytest.mark.parametrize("title", ["A million thanks", "单位：元", "Sales 2026", "Tom & T. Units"])
def test_other_titles_pass(make_book, title):
    lines = "dealer_id,date,revenue\nD1,2026-09-30,12.5\nD2,2026-10-31,3\n"
    assert len(tables.table(make_book(sell_in=f"{title}\n\n{lines}"), "sell_in").execute()) == 2


@pytest.mark.parametrize(
    "header",
    [
        "Umsatz",
        "Sale (Dollars)",
        "Net Amount",
        "金额(元)",
        "Token",
        "Air miles",
        "EUR market",
        "MN sales",
    ],
)
def test_other_headers_pass(make_book, header):
    text = f"dealer_id,date,{header}\nD1,2026-09-30,12.5\nD2,2026-10-31,3\n"
    book = make_book(sell_in=text, extra=f'columns = {{ revenue = "{header}" }}')
    assert len(tables.table(book, "sell_in").execute()) == 2


RETURNED = (
    "Credit note",
    "Credit Memo",
    "Refund",
    "Sales return",
    "Gutschrift",
    "销售退货",
    "红字发票",
)


@pytest.mark.parametrize("kind", RETURNED)
@pytest.mark.parametrize("header", ["Doc. type", "单据类型", "Belegart"])
def test_returns_with_amounts_above_zero_are_told(make_book, header, kind):
    lines = [("Invoice", 100), (kind, 30), (kind, 40), ("Invoice", 200)]
    text = f"dealer_id,date,revenue,{header}\n"
    text += "".join(f"D1,2026-03-{i + 1:02d},{n},{said}\n" for i, (said, n) in enumerate(lines))
    found = checks.findings(make_book(brand="", sell_in=text)).set_index("check")
    assert found.loc["returns_added", ["column", "n_rows"]].tolist() == ["revenue", 2]
    assert found.loc["returns_added", "example"] == f"{header}: {kind} (2)"


@pytest.mark.parametrize(
    "lines",
    [
        [("Invoice", 100), ("Credit note", -30)],
        [("Invoice", 100), ("Return trip", 0)],
        [("Credit note", 100), ("Credit note", 30)],  # nothing but them: whose they are, is open
        [(f"Returned by {i}", i + 1) for i in range(60)],  # remarks are no kinds
        [("Invoice", 100), ("Creditor", 30)],
    ],
)
def test_what_takes_away_or_is_no_return_is_not_told(make_book, lines):
    text = "dealer_id,date,revenue,Type\n"
    text += "".join(f"D{i},2026-03-05,{n},{said}\n" for i, (said, n) in enumerate(lines))
    assert "returns_added" not in set(checks.findings(make_book(brand="", sell_in=text))["check"])


def test_a_sign_that_an_expression_gives_is_no_return_that_adds(make_book):
    text = "dealer_id,date,revenue,Type\nD1,2026-03-05,100,Invoice\nD1,2026-03-06,30,Credit note\n"
    amount = "CAST(revenue AS DECIMAL(18, 2))"
    signed = f"CASE WHEN Type = 'Credit note' THEN -{amount} ELSE {amount} END"
    book = make_book(brand="", sell_in=text, extra=f'columns = {{ revenue = "{signed}" }}')
    assert "returns_added" not in set(checks.findings(book)["check"])
    assert tables.table(book, "sell_in").revenue.sum().execute() == 70


OTHER = {
    "a column": ("revenue,Currency", "5.00,USD", "Currency: USD"),
    "a header": ("Amount (USD)", "5.00", "Amount (USD)"),
}


@pytest.mark.parametrize("where", OTHER)
def test_amounts_of_another_currency_than_the_workbooks_are_told(make_book, where):
    head, row, example = OTHER[where]
    text = f"dealer_id,date,{head}\nD1,2026-09-30,{row}\nD2,2026-10-31,{row}\n"
    columns = f'columns = {{ revenue = "{head.split(",")[0]}" }}'
    book = make_book(brand="", sell_in=text, extra=columns)  # which says CNY
    found = checks.findings(book).set_index("check").loc["other_currency"]
    assert found[["column", "n_rows", "example"]].tolist() == ["revenue", 2, example]


@pytest.mark.parametrize("code", ["CNY", "rmb", "人民币", "points", ""])
def test_the_workbooks_own_currency_however_it_is_written_is_none(make_book, code):
    text = f"dealer_id,date,revenue,Currency\nD1,2026-09-30,5,{code}\nD2,2026-10-31,6,{code}\n"
    found = checks.findings(make_book(brand="", sell_in=text))
    assert "other_currency" not in set(found["check"])


@pytest.mark.parametrize("header", ["Sales $'000", "Sales in thousands", 'Umsatz "TEUR"'])
def test_the_advice_is_toml_whatever_the_header_says(make_book, header):
    head = header.replace('"', '""')
    text = f'dealer_id,date,"{head}"\nD1,2026-09-30,5\nD2,2026-10-31,6\n'
    named = header.replace('"', '\\"')
    told = said(make_book(sell_in=text, extra=f'columns = {{ revenue = "{named}" }}'))
    advice = told.split("e.g. ", 1)[1]
    parsed = tomllib.loads(advice)
    assert parsed["revenue"].startswith("CAST(")
    book = make_book(sell_in=text, extra=f"[data.sell_in.columns]\n{advice}")
    assert tables.table(book, "sell_in").revenue.sum().execute() == 11_000


# ---- what a spreadsheet shows, and titles say ----------------------------------------------------


def sheet_of(tmp_path, formats, currency="EUR", title="", name="small"):
    """Write an XLSX of amounts with number formats, and open it as sell-in."""
    book = openpyxl.Workbook()
    if title:
        book.active.append([title])
    book.active.append(["dealer_id", "date", "revenue"])
    for i, shape in enumerate(formats, 1):
        book.active.append([f"D{i}", f"2026-10-0{i}", 12.5])
        book.active.cell(book.active.max_row, 3).number_format = shape
    book.save(tmp_path / "sell_in.xlsx")
    toml = tmp_path / "workbook.toml"
    toml.write_text(
        f'[workbook]\nname = "{name}"\ncurrency = "{currency}"\n[data.sell_in]\n'
        'source = "sell_in.xlsx"\n'
    )
    return workbook(toml)


EURO, DOLLAR = "#,##0.00 [$€-407]", "[$$-409]#,##0.00"


@pytest.mark.parametrize(
    ("one", "other"),
    [(EURO, DOLLAR), ('#,##0.00 "EUR"', "[$USD] 0.00"), ("[$£-809]0", EURO), (r"\$0.0", EURO)],
)
def test_formats_of_several_currencies_are_an_error(tmp_path, cache, one, other):
    told = said(sheet_of(tmp_path, [one, one, other]))
    assert "1 row of sell_in.xlsx" in told
    assert "of another currency than most" in told


@pytest.mark.parametrize("shape", ["0%", "0.00%", "0.0 %", '0"%"'])
def test_an_amount_shown_as_a_percent_is_none(tmp_path, cache, shape):
    book = sheet_of(tmp_path, [EURO, shape])
    if '"' in shape:  # a text behind it does not multiply it
        assert len(tables.table(book, "sell_in").execute()) == 2
    else:
        assert "'1250%'" in said(book)


@pytest.mark.parametrize(
    ("shape", "currency", "n"),
    [
        (EURO, "CNY", 2),
        (EURO, "EUR", 0),
        (DOLLAR, "HKD", 0),
        (DOLLAR, "EUR", 2),
        ("0.00", "CNY", 0),
    ],
)
def test_a_currency_that_a_format_shows_is_held_against_the_workbooks(
    tmp_path, cache, shape, currency, n
):
    found = checks.findings(sheet_of(tmp_path, [shape, shape], currency))
    told = found[found["check"] == "other_currency"]
    assert list(told["n_rows"]) == ([n] if n else [])


@pytest.mark.parametrize(("cell", "n"), [("€ 5", 1), ("5 CNY", 0), ("USD 5", 1)])
def test_a_currency_beside_a_number_is_held_against_the_workbooks(make_book, cell, n):
    book = make_book(sell_in=f"dealer_id,date,revenue\nD1,2026-09-30,{cell}\n")
    found = checks.findings(book)
    assert found[found["check"] == "other_currency"]["n_rows"].sum() == n


TITLES = (
    "Currency: {}",
    "Amounts in {}",
    "币种：{}",
    "Beträge in {}",
    "All amounts are in {}",
)


@pytest.mark.parametrize("title", TITLES)
def test_titles_of_files_that_say_several_currencies_are_an_error(tmp_path, cache, title):
    for code in ("EUR", "USD"):
        lines = "dealer_id,date,revenue\nD1,2026-09-30,12.5\nD2,2026-10-31,3\n"
        (tmp_path / f"m_{code}.csv").write_text(f"{title.format(code)},,\n\n{lines}")
    toml = tmp_path / "workbook.toml"
    text = '[workbook]\nname = "small"\ncurrency = "EUR"\n[data.sell_in]\nsource = "m_{}.csv"\n'
    toml.write_text(text.format("*"))
    assert "m_EUR.csv: EUR, m_USD.csv: USD" in said(workbook(toml))
    toml.write_text(text.format("USD"))
    found = checks.findings(workbook(toml))
    assert list(found[found["check"] == "other_currency"]["file"]) == ["m_USD.csv"]
    toml.write_text(text.format("EUR"))
    assert "other_currency" not in set(checks.findings(workbook(toml))["check"])


# ---- lines that a status says are none -----------------------------------------------------------

NOT_SOLD = (
    "cancelled",
    "Canceled",
    "Order cancelled",
    "Draft",
    "VOID",
    "storniert",
    "已取消",
    "作废",
)
COUNTED = ("done", "not cancelled", "Posted", "已审核", "未取消", "open", "")


def with_status(header: str, *values: str) -> str:
    rows = [f"D{i},2026-10-0{i},{i}.50,{value}\n" for i, value in enumerate(values, 1)]
    return f"dealer_id,date,revenue,{header}\n" + "".join(rows)


@pytest.mark.parametrize("value", NOT_SOLD)
@pytest.mark.parametrize("header", ["Status", "Order state", "单据状态"])
def test_lines_of_a_status_that_is_no_sale_are_told(make_book, header, value):
    book = make_book(sell_in=with_status(header, "done", value, value, "done"))
    found = checks.findings(book)
    [told] = found[found["check"] == "not_sold"].to_dict("records")
    assert told["n_rows"] == 2
    condition = f"\"{header}\" not in ('{value}')"
    assert told["example"] == f"{header}: {value} (2) = 6.00; where {condition}"
    # what it says to write leaves them out
    folder = book.path.parent
    text = f"select * from lines where {condition}".replace('"', '\\"')
    (folder / "other.toml").write_text(
        f'[workbook]\nname = "small"\n[data.files]\nlines = "sell_in.csv"\n[data.sell_in]\n'
        f'query = "{text}"\n'
    )
    other = workbook(folder / "other.toml")
    assert float(tables.table(other, "sell_in").revenue.sum().execute()) == 6.0
    assert "not_sold" not in set(checks.findings(other)["check"])


@pytest.mark.parametrize("value", COUNTED)
def test_other_statuses_are_no_news(make_book, value):
    book = make_book(sell_in=with_status("Status", "done", value, "done"))
    assert "not_sold" not in set(checks.findings(book)["check"])


@pytest.mark.parametrize(
    ("header", "yes", "no"), [("Cancelled", "Yes", "No"), ("是否作废", "是", "否")]
)
def test_a_flag_is_a_status_too(make_book, header, yes, no):
    found = checks.findings(make_book(sell_in=with_status(header, no, yes, no)))
    assert found.loc[found["check"] == "not_sold", "n_rows"].tolist() == [1]
    found = checks.findings(make_book(sell_in=with_status(header, no, no), name="other"))
    assert "not_sold" not in set(found["check"])
