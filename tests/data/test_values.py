"""Values: what people and programs write in a cell is read as they mean it, or refused with both
readings.
"""

import dataclasses
import datetime as dt
from decimal import Decimal
from pathlib import Path

import duckdb
import ibis
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data import findings, mapping, tables, wording
from helpers.data.mapping import Mapped, quoted
from helpers.data.values import dates, ids, numbers, reading, text
from helpers.settings import DataError, TableSource, Workbook, contract

CON = ibis.duckdb.connect()
CON.raw_sql("SET TimeZone = 'UTC'")
BOOK = Workbook(
    path=Path("workbook.toml"),
    name="small",
    title="",
    brand="Lumora",
    currency="CNY",
    languages=("en",),
    generated=False,
    engine="duckdb://",
    files={},
    tables={},
)


def book_of(name: str, form: dict[str, str]) -> Workbook:
    return dataclasses.replace(BOOK, tables={name: TableSource(source="x.csv", format=form)})


def read(
    values: list, column: str = "revenue", name: str = "sell_in", form: str = "", decimal: str = ""
) -> tuple[list, reading.Read, Workbook]:
    """Read a column of text as a table's build does: its values, what was found, and the book."""
    book = book_of(name, {column: form} if form else {})
    rows = pa.table({column: pa.array(values, pa.string())})
    CON.con.register("given", rows)
    CON.raw_sql(f"CREATE OR REPLACE TEMP TABLE raw_{name} AS SELECT * FROM given")
    kind = contract()[name][column].kind
    plain = mapping.typed(quoted(column), "string", kind, form if kind in ("date", "month") else "")
    found = reading.read_columns(
        book, name, CON, {column: Mapped(kind, quoted(column), plain, "string")}, decimal
    )
    sql = found.columns[column].typed
    got = [row[0] for row in CON.raw_sql(f"SELECT {sql} FROM raw_{name}").fetchall()]
    return got, found, book


def only_error(values: list, column: str = "revenue", **given) -> tuple[findings.Finding, str]:
    """Give the one error of a column, and how it is told."""
    _got, found, book = read(values, column, **given)
    (error,) = found.errors
    return error, wording.in_words(book, error)


# ---- numbers -------------------------------------------------------------------------------------

AMOUNTS = [
    (["1,234.50", "7"], ["1234.50", "7"]),
    (["1.234,50", "7", "1.234"], ["1234.50", "7", "1234"]),
    (["1.234.567", "1.234"], ["1234567", "1234"]),
    (["1,234,567", "1,234"], ["1234567", "1234"]),
    (["1234,50", "0,5", "-3,25"], ["1234.50", "0.5", "-3.25"]),
    (["1 234,50", "12"], ["1234.50", "12"]),
    (["1\u00a0234,50", "1\u202f234\u202f567,5"], ["1234.50", "1234567.5"]),
    (["1\u2009234.50"], ["1234.50"]),
    (["1'234.50", "1\u2019234'567.00"], ["1234.50", "1234567"]),
    (["1_234.50"], ["1234.50"]),
    (["12,34,567.00", "1,00,000"], ["1234567", "100000"]),
    (["\uff11\uff12\uff13\uff14\uff0e\uff15\uff10"], ["1234.50"]),
    (["\uff11\uff0c\uff12\uff13\uff14\uff0e\uff15"], ["1234.5"]),
    (["\uffe51,234.50", "\u00a55"], ["1234.50", "5"]),
    (["CNY 1234.50", "RMB5", "5元"], ["1234.50", "5", "5"]),
    (["$1,234.50", "USD 5.1"], ["1234.50", "5.1"]),
    (["1.234,50 €", "€ 5"], ["1234.50", "5"]),
    (["£5.10"], ["5.10"]),
    (["1 234,50 ₽", "5 руб."], ["1234.50", "5"]),
    (["₹12,34,567.5", "Rs. 500", "Rs.7"], ["1234567.5", "500", "7"]),
    (["1 234,50 kr", "5kr"], ["1234.50", "5"]),
    (["CHF 1'234.50", "Fr. 5"], ["1234.50", "5"]),
    (["(123.45)", "5"], ["-123.45", "5"]),
    (["\uff085\uff09", "（1,234.5）"], ["-5", "-1234.5"]),
    (["$(5.00)", "$5"], None),
    (["($5.00)", "$5"], ["-5", "5"]),
    (["123.45-", "5"], ["-123.45", "5"]),
    (["1.234,50-", "5"], ["-1234.50", "5"]),
    (["100,-", "12,50"], ["100", "12.50"]),
    (["100,-- €", "1.250,- €", "5,10 €"], ["100", "1250", "5.10"]),
    (["-\uffe55.5", "¥-5", "- 5"], ["-5.5", "-5", "-5"]),
    (["+5.25", "+1,000"], ["5.25", "1000"]),
    (["\u22125.5", "\u20135"], ["-5.5", "-5"]),
    (["12.5CR", "3 Dr", "3"], ["-12.5", "3", "3"]),
    (["12.5 贷", "3借"], ["-12.5", "3"]),
    (["12.3万", "500", "0.5亿"], ["123000", "500", "50000000"]),
    (["12.34567万元", "3千元"], ["123456.70", "3000"]),
    (["-1.5万", "(2万)"], ["-15000", "-20000"]),
    ([" 5.5 ", "\t6", "7\u200b", "\ufeff8", "\u30009\u00a0"], ["5.5", "6", "7", "8", "9"]),
    (["1e5", "3.86E+04", "-2.5e1"], ["100000", "38600", "-25"]),
    (["3,86E+04"], ["38600"]),
    (["6e-13", "1,5"], ["0", "1.5"]),
    ([".5", "-.25", "5."], ["0.5", "-0.25", "5"]),
    (["0.123", "5"], ["0.12", "5"]),
    (["0,123", "5"], ["0.12", "5"]),
    (["1.234", "1.5"], ["1.23", "1.5"]),
    (["1234.567", "1.234"], ["1234.57", "1.23"]),
    (["1.005", "2.675", "1.5"], ["1.01", "2.68", "1.5"]),
    (["1,005", "2,6751", "1,5"], ["1.01", "2.68", "1.5"]),
    (["9999999999999999.99"], ["9999999999999999.99"]),
    (["9.999.999.999.999.999,99"], ["9999999999999999.99"]),
    (['="1,234.50"', '="5"'], ["1234.50", "5"]),
]


@pytest.mark.parametrize(("values", "amounts"), AMOUNTS)
def test_amounts_are_read_to_the_cent_in_every_style(values, amounts):
    got, found, _book = read(values)
    if amounts is None:
        assert [error.check for error in found.errors] == ["type"]
        return
    assert found.errors == []
    assert got == [Decimal(amount) for amount in amounts]


@pytest.mark.parametrize(
    ("values", "check", "n", "said"),
    [
        (["1.234", "5"], "either_decimal", 1, "'1.234' is 1.234 or 1234"),
        (["1,234", "12,345"], "either_decimal", 2, "'1,234' is 1234 or 1.234"),
        (["￥1,234"], "either_decimal", 1, 'revenue = "1,234.56" for'),
        (["-1.234", "(2.345)"], "either_decimal", 2, "[data.sell_in.format] of workbook.toml"),
        (["1.234\u00a0"], "either_decimal", 1, 'revenue = "1.234,56" for 1234'),
        (["1,234.5", "1.234,5"], "two_decimals", 2, "'1,234.5' (1) and '1.234,5' (1)"),
        (["1.5", "1,5", "1,7"], "two_decimals", 3, "'1.5' (1) and '1,5' (2)"),
        (["$5", "€4", "3"], "two_currencies", 2, "of more than one currency"),
        (["5元", "5 USD"], "two_currencies", 2, "leave the others out with a query"),
        (["5.5%", "6.5%"], "percent", 2, "are written in percent, e.g. '5.5%'"),
        (["5%", "6"], "percent", 1, "is written in percent"),
        (["12CR", "13 Cr"], "credit", 2, "are sides of an account"),
        (["0x1F", "5"], "type", 1, "holds no amount, e.g. '0x1F'"),
        (["inf"], "type", 1, "holds no amount, e.g. 'inf'"),
        (["1e999", "5,5"], "type", 1, "holds no amount"),
        (["--5", "5"], "type", 1, "holds no amount, e.g. '--5'"),
        (["(-5)"], "type", 1, "holds no amount"),
        (["5-10", "1,5"], "type", 1, "holds no amount, e.g. '5-10'"),
        (["1,23.4"], "type", 1, "holds no amount"),
        (["1,,234.5"], "type", 1, "holds no amount"),
        (["12.34.56"], "type", 1, "holds no amount"),
        (["5 kg", "5"], "type", 1, "holds no amount, e.g. '5 kg'"),
        (["seven", "1,5"], "type", 1, "holds no amount, e.g. 'seven'"),
        (["99999999999999999999", "1,5"], "type", 1, "holds no amount"),
        (["N/A", "5"], "missing", 1, "is empty or holds no value, e.g. 'N/A'"),
        (["-", "5"], "missing", 1, "holds no value, e.g. '-'"),
        (["", "5"], "missing", 1, "is empty; fill"),
    ],
)
def test_amounts_that_may_be_two_or_none_are_refused_once(values, check, n, said):
    error, told = only_error(values)
    assert (error.check, error.n_rows, error.severity) == (check, n, "error")
    assert told.startswith("sell_in.revenue: ")
    assert "of x.csv" in told
    assert said in told


@pytest.mark.parametrize("mark", ["#DIV/0!", "#N/A", "N/A", "NULL", "nan", "None", "-", "–", "无"])
def test_marks_of_nothing_are_missing_in_an_optional_column_and_counted(mark):
    got, found, _book = read([mark, "5.5", mark], "cost")
    assert (got, found.errors) == ([None, Decimal("5.50"), None], [])
    (note,) = found.notes
    assert (note.check, note.severity, note.n_rows) == ("not_available", "warning", 2)
    assert note.example == mark


@pytest.mark.parametrize(
    ("form", "value"), [("1,234.56", "1.23"), ("1.234,56", "1234"), ("1 234,56", "1234")]
)
def test_a_format_says_which_mark_is_decimal(form, value):
    got, found, _book = read(["1.234", "7"], form=form)
    assert (got, found.errors) == ([Decimal(value), Decimal(7)], [])


def test_what_is_said_of_the_file_holds_where_its_column_says_nothing():
    got, _found, _book = read(["1.234"], decimal=",")
    assert got == [Decimal(1234)]
    got, _found, _book = read(["1.234"], form="1,234.56", decimal=",")
    assert got == [Decimal("1.23")]


def test_a_value_that_a_given_format_forbids_is_an_error():
    error, told = only_error(["1.234,50"], form="1,234.56")
    assert (error.check, error.n_rows) == ("type", 1)
    assert "e.g. '1.234,50'" in told


@pytest.mark.parametrize(
    ("name", "column", "values", "wanted"),
    [
        ("dealers", "floor_area_m2", ["120㎡", "120 m²", "1,200.5平方米"], [120, 120, 1200.5]),
        ("dealers", "latitude", ["31.234", "121.473"], [31.234, 121.473]),
        ("dealers", "longitude", ["121.473°"], [121.473]),
        ("sell_in", "quantity", ["5件", "1.5台", "-2 pcs"], [5, 1.5, -2]),
        ("sell_in", "quantity", ["5-", "(6)", "7,5"], [-5, -6, 7.5]),
        ("scores", "score", ["7.125"], [7.125]),
    ],
)
def test_numbers_bear_the_unit_of_their_column(name, column, values, wanted):
    got, found, _book = read(values, column, name=name)
    assert (got, found.errors) == (wanted, [])


def test_a_column_of_another_unit_is_refused():
    error, told = only_error(["120 sqft", "100"], "floor_area_m2", name="dealers")
    assert (error.check, error.n_rows) == ("type", 1)
    assert "120 sqft" in told


def test_credit_in_a_ledger_of_payments_is_refused():
    error, _told = only_error(["12CR", "3DR"], "amount", name="payments")
    assert (error.check, error.n_rows) == ("credit", 2)


def test_what_is_read_otherwise_is_told_with_an_example_of_both():
    _got, found, _book = read(["1.234,50", "2,00", "7"])
    (note,) = found.notes
    assert (note.check, note.n_rows) == ("read_as", 2)
    assert note.example == "'1.234,50' → 1234.50"


STYLES = {
    "1,234.56": (",", ".", ""),
    "1.234,56": (".", ",", ""),
    "1 234,56": ("\u00a0", ",", ""),
    "1'234.56": ("'", ".", ""),
    "¥1,234.56": (",", ".", "¥"),
    "1234,56": ("", ",", ""),
}


@settings(max_examples=25, deadline=None)
@given(
    cents=st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=20),
    style=st.sampled_from(sorted(STYLES)),
    behind=st.booleans(),
)
def test_any_amount_in_any_style_is_read_back_exactly(cents, style, behind):
    group, decimal, currency = STYLES[style]

    def written(amount: Decimal) -> str:
        digits = f"{abs(amount):,.2f}".replace(",", "\0").replace(".", decimal)
        digits = currency + digits.replace("\0", group)
        return digits if amount >= 0 else f"{digits}-" if behind else f"-{digits}"

    amounts = [Decimal(n).scaleb(-2) for n in cents]
    got, found, _book = read([written(amount) for amount in amounts])
    assert (got, found.errors) == (amounts, [])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text("0123456789.,-+() %¥€'_万eEx", max_size=12), min_size=1, max_size=6))
def test_nothing_is_both_read_and_refused(values):
    got, found, _book = read(values)
    refused = {error.check for error in found.errors}
    n_type = sum(error.n_rows for error in found.errors if error.check == "type")
    if refused <= {"type", "missing"}:
        n_missing = sum(error.n_rows for error in found.errors if error.check == "missing")
        assert sum(value is None for value in got) == n_type + n_missing


# ---- dates ---------------------------------------------------------------------------------------

DAY = dt.date(2026, 10, 3)


@pytest.mark.parametrize(
    "written",
    [
        "2026-10-03",
        "2026/10/3",
        "2026.10.03",
        "2026. 10. 3.",
        "2026年10月3日",
        "2026年10月03号",
        "2026 年 10 月 3 日".replace(" 年 ", "年").replace(" 月 ", "月").replace(" 日", "日"),
        "\uff12\uff10\uff12\uff16\uff0f\uff11\uff10\uff0f\uff13",
        "20261003",
        "03.10.2026",
        "3.10.2026",
        "03-Oct-2026",
        "3 October 2026",
        "3rd Oct 2026",
        "Oct 3, 2026",
        "October 3rd, 2026",
        "2026-Oct-03",
        "Sat, 03 Oct 2026 10:00:00 GMT",
        "2026年10月3日 星期六",
        "2026/10/3 上午 12:00:00",
        "2026/10/3 下午 11:30",
        "2026/10/3 0:00:00",
        "2026-10-03 23:59:59.999",
        "2026-10-03T20:30:00-05:00",
        "2026-10-03T23:30:00Z",
        "2026-10-03 00:30:00+08",
        "2026-10-03T00:30:00+0800",
        "20261003T101500Z",
        "20261003101500",
        "10/3/2026 3:04 PM",
        "46298",
        "46298.75",
        " 2026-10-03 ",
        "\u200b2026-10-03\u3000",
    ],
)
def test_a_day_is_the_one_on_its_writers_calendar(written):
    # of the American order one value tells which number is the month
    others = ["10/23/2026"] if written.startswith("10/") else []
    got, found, _book = read([written, *others], "date")
    assert found.errors == []
    assert got[0] == DAY


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (["03/10/2026", "13/10/2026"], [DAY, dt.date(2026, 10, 13)]),
        (["10/03/2026", "10/13/2026"], [DAY, dt.date(2026, 10, 13)]),
        (["3-10-2026", "30-10-2026"], [DAY, dt.date(2026, 10, 30)]),
        (["2026-10-03", "2026年10月3日", "20261003"], [DAY, DAY, DAY]),
        (["45200", "45201"], [dt.date(2023, 10, 1), dt.date(2023, 10, 2)]),
    ],
)
def test_one_value_tells_the_order_of_all(values, wanted):
    got, found, _book = read(values, "date")
    assert (got, found.errors) == (wanted, [])


@pytest.mark.parametrize(
    ("values", "check", "n", "said"),
    [
        (["03/10/2026", "04/10/2026"], "either_day", 2, "is 2026-10-03 or 2026-03-10"),
        (["3-4-2026"], "either_day", 1, '"%d-%m-%Y" or "%m-%d-%Y"'),
        (["13/10/2026", "10/13/2026"], "two_days", 2, "'13/10/2026' (1) and '10/13/2026' (1)"),
        (["26-10-03"], "two_digit_year", 1, '"%y-%m-%d"'),
        (["03/10/26"], "two_digit_year", 1, "of two digits, e.g. '03/10/26'"),
        (["3-Oct-26"], "two_digit_year", 1, '"%d-%b-%y"'),
        (["2026-02-30", "2026-02-03"], "type", 1, "is of no day of the calendar"),
        (["2026-13-01"], "type", 1, "is of no day of the calendar, e.g. '2026-13-01'"),
        (["20261332", "20261003"], "type", 1, "is of no day of the calendar"),
        (["31.02.2026"], "type", 1, "holds no date"),
        (["2026年10月"], "type", 1, 'date = "%Y年%m月"'),
        (["202610"], "type", 1, 'date = "%Y%m"'),
        (["45200", "2026-10-03"], "type", 1, "e.g. '45200'"),
        (["99999", "45200"], "type", 2, "hold no date"),
        (["soon", "2026-10-03"], "type", 1, "holds no date, e.g. 'soon'"),
        (["2026-10-03 25:61 or so"], "type", 1, "holds no date"),
        (["N/A", "2026-10-03"], "missing", 1, "holds no value, e.g. 'N/A'"),
    ],
)
def test_days_that_may_be_two_or_none_are_refused_once(values, check, n, said):
    error, told = only_error(values, "date")
    assert (error.check, error.n_rows) == (check, n)
    assert said in told


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y"])
def test_days_that_a_spreadsheet_has_turned_are_refused(form):
    """Opened where the other order is written, 03/05 became a date, the 3rd of May; 03/25 stayed
    text.
    """
    days = [dt.date(2026, 1 + i % 6, 1 + (7 * i) % 28) for i in range(40)]
    turned = [
        f"2026-{day.day:02d}-{day.month:02d}" if day.day <= 12 else day.strftime(form)
        for day in days
    ]
    error, told = only_error(turned, "date")
    n = sum(day.day <= 12 for day in days)
    assert (error.check, error.n_rows) == ("swapped_days", n)
    assert f"({n})" in told and f"({40 - n})" in told
    # written in two ways, and none of them turned
    whole = [day.isoformat() if i % 3 else day.strftime(form) for i, day in enumerate(days)]
    assert read([*whole, "2026-03-25", "2026-04-25"], "date")[0][:40] == days
    # too few to tell
    few = [dt.date(2026, 1, 3), dt.date(2026, 2, 4), dt.date(2026, 3, 25)]
    written = [*(day.isoformat() for day in few[:2]), few[2].strftime(form)]
    assert read(written, "date")[0] == few


@pytest.mark.parametrize(
    ("form", "values", "said"),
    [
        ("%m/%d/%Y", ["30/11/2024", "01/11/2024"], "'%d/%m/%Y' would fit it"),
        ("%d/%m/%Y", ["11/30/2024"], "'%m/%d/%Y' would fit it"),
        ("%Y-%m-%d", ["2024年11月5日"], "'%Y年%m月%d日' would fit it"),
        ("%Y%m%d", ["2024.11.05"], "'%Y.%m.%d' would fit it"),
        ("%d.%m.%Y", ["tomorrow"], "not fit the format '%d.%m.%Y', e.g. 'tomorrow': correct it"),
    ],
)
def test_a_format_that_does_not_fit_is_told_with_one_that_would(form, values, said):
    error, told = only_error(values, "date", form=form)
    assert error.check == "format"
    assert said in told
    assert "[data.sell_in.format] of workbook.toml" in told


@pytest.mark.parametrize(
    ("form", "value"),
    [("%d/%m/%Y", "03/10/2026"), ("%d-%m-%y", "3-10-26"), ("%Y年%m月%d日", "\u30002026年10月3日")],
)
def test_a_format_wins_where_it_fits(form, value):
    got, found, _book = read([value], "date", form=form)
    assert (got, found.errors) == ([DAY], [])


@pytest.mark.parametrize(
    "written",
    [
        "2026-10",
        "202610",
        "2026/10",
        "2026年10月",
        "2026年10月份",
        "10/2026",
        "Oct-2026",
        "2026-10-31",
    ],
)
def test_a_month_is_read_as_people_write_it(written):
    got, found, _book = read([written], "month", name="dealer_profit")
    assert (got, found.errors) == (["2026-10"], [])


def test_a_month_that_no_year_has_is_an_error():
    error, _told = only_error(["202613", "202612"], "month", name="dealer_profit")
    assert (error.check, error.n_rows, error.example) == ("type", 1, "202613")


@settings(max_examples=15, deadline=None)
@given(
    days=st.lists(st.dates(dt.date(1990, 1, 1), dt.date(2099, 12, 31)), min_size=1, max_size=15),
    form=st.sampled_from(
        ["%Y/%m/%d", "%Y年%m月%d日", "%Y%m%d", "%d.%m.%Y", "%d-%b-%Y", "%B %d, %Y"]
    ),
)
def test_any_day_in_any_plain_style_is_read_back(days, form):
    got, found, _book = read([day.strftime(form) for day in days], "date")
    assert (got, found.errors) == (days, [])


@pytest.mark.parametrize(
    ("zone", "utc", "day"),
    [
        ("Asia/Shanghai", dt.datetime(2026, 10, 31, 16, 30), dt.date(2026, 11, 1)),
        ("America/New_York", dt.datetime(2026, 11, 1, 1, 30), dt.date(2026, 10, 31)),
        ("UTC", dt.datetime(2026, 10, 31, 23, 30), dt.date(2026, 10, 31)),
    ],
)
def test_a_timestamp_of_parquet_keeps_the_day_of_its_zone(make_book, zone, utc, day):
    stamps = pa.array([utc], pa.timestamp("us", tz=zone))
    rows = pa.table({"dealer_id": ["1"], "date": stamps, "revenue": [1.0]})
    assert tables.table(make_book(sell_in=rows), "sell_in").to_pandas()["date"][0].date() == day


def test_midnights_of_a_zone_that_nobody_named_are_refused(make_book):
    stamps = [dt.datetime(2026, 10, day, 16) for day in (30, 31)]
    rows = pa.table(
        {
            "dealer_id": ["1", "2"],
            "date": pa.array(stamps, pa.timestamp("us", tz="UTC")),
            "revenue": [1.0, 2.0],
        }
    )
    with pytest.raises(DataError, match=r"the midnight of a zone that the file does not name"):
        tables.table(make_book(sell_in=rows), "sell_in")


def test_a_cost_that_a_data_frame_left_out_is_missing(make_book):
    rows = pa.table(
        {
            "dealer_id": ["1", "2"],
            "date": ["2026-10-01"] * 2,
            "revenue": [1.0, 2.0],
            "cost": [float("nan"), 1.0],
        }
    )
    got = tables.table(make_book(sell_in=rows), "sell_in").to_pandas().sort_values("dealer_id")
    assert got["cost"].isna().tolist() == [True, False]


# ---- ids and names -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (["00101  ", "00101"], ["00101", "00101"]),
        (["00101\u00a0"], ["00101"]),
        (["00101\t", "00101\r"], ["00101", "00101"]),
        (["\u300000101"], ["00101"]),
        (["\u200b00101", "00101\ufeff", "00\u200d101"], ["00101"] * 3),
        (["\uff21\uff11\uff10\uff11"], ["A101"]),
        (['="00101"', "'00101"], ["00101", "00101"]),
        (["121.0", "122.00", "123"], ["121", "122", "123"]),
        (["121.0", "1.5"], ["121.0", "1.5"]),
        (["A.0", "121.0"], ["A.0", "121.0"]),
        (["nan", "None", "NULL", "<NA>", "7"], [None, None, None, None, "7"]),
        (["NA", "none such"], ["NA", "none such"]),
        (["468768768833943137"], ["468768768833943137"]),
        (["K001", "k001"], ["K001", "k001"]),
        (["宏图\u200b电器"], ["宏图电器"]),
        (["1E5", "2e3"], ["1E5", "2e3"]),
        (["a b", "a  b"], ["a b", "a  b"]),
        (["'; DROP TABLE x; --"], ["'; DROP TABLE x; --"]),
    ],
)
def test_what_nobody_sees_of_an_id_is_read_away_and_nothing_else(values, wanted):
    got, found, _book = read(values, "dealer_id")
    assert (got, found.errors) == (wanted, [])
    n_told = sum(note.n_rows for note in found.notes)
    changed = [v for v, w in zip(values, wanted, strict=True) if v.strip(" \u00a0\u3000") != w]
    assert n_told == len(changed)


@pytest.mark.parametrize("value", ["1.23E+05", "4.68769E+17", "4,68769E+17", "5E+3"])
def test_an_id_that_a_spreadsheet_rounded_is_refused(value):
    error, told = only_error([value, value, "7"], "dealer_id")
    assert (error.check, error.n_rows) == ("destroyed_id", 2)
    assert "export them once more, the column as text" in told


def test_nobody_is_no_dealer_of_the_list():
    error, told = only_error(["nan", "7"], "dealer_id", name="dealers")
    assert (error.check, error.n_rows) == ("missing", 1)
    assert "e.g. 'nan'" in told


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (["Lumora", "Lumora\u00a0", "\uff2cumora", "Lum\u200bora"], ["Lumora"] * 4),
        (["Rival", "\uff32ival", "Rival\u3000"], ["Rival"] * 3),
        (["LUMORA", "lumora"], ["LUMORA", "lumora"]),
        (["A  B", "A B"], ["A B", "A B"]),
        ([None, ""], [None, None]),
    ],
)
def test_a_brand_is_the_one_that_is_seen(values, wanted):
    got, found, _book = read(values, "brand")
    assert (got, found.errors) == (wanted, [])


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("入库", "receipt"),
        ("销售", "sale"),
        ("退貨", "return"),
        ("调拨", "transfer"),
        ("期初", "opening"),
        ("Sale", "sale"),
        ("RECEIPT ", "receipt"),
        ("盘点", "盘点"),
    ],
)
def test_the_words_of_a_stock_ledger_are_known(word, kind):
    got, _found, _book = read([word], "kind", name="stock_moves")
    assert got == [kind]


def test_clean_columns_are_looked_at_once_and_stay_as_they_are(monkeypatch):
    def closer(*_args):
        raise AssertionError("a clean column was looked at closer")

    monkeypatch.setattr(reading, "_looked_at", closer)
    for column, values in (
        ("revenue", ["1234.50", "-3", "0.125", "1e3"]),
        ("date", ["2026-10-03", "2026/1/2"]),
        ("dealer_id", ["00101", "K-7"]),
        ("brand", ["Lumora", "诺维拉"]),
        ("quantity", ["5", "7.25"]),
    ):
        _got, found, _book = read(values, column)
        assert (found.errors, found.notes) == ([], [])


def test_the_patterns_mean_the_same_in_python_and_in_the_engine():
    shapes = ["9.999,99", "9,999.99", "(9)", "9-", "¥9", "9万", "99㎡", "9.9.9", "--9", "9 999,9"]
    for decimal in (numbers.POINT, numbers.COMMA):
        style = numbers.Style(decimal, currency="¥", has_times=True, unit="m²")
        for shape in shapes:
            value = duckdb.sql(
                f"SELECT {numbers.number_sql('x', style, True)} FROM (SELECT {text.literal(shape)} "
                "AS x)"
            ).fetchone()[0]
            assert (value is None) == (numbers._parts(shape, decimal, "m²") is None), shape


def test_formats_of_an_example_are_those_that_it_fits():
    assert dates.formats("03/10/2026") == ["%d/%m/%Y", "%m/%d/%Y"]
    assert dates.formats("whenever") == []


def test_every_word_of_a_ledger_stands_for_one_kind():
    words = [word for kind in ids.MOVE_WORDS for word in (kind, *ids.MOVE_WORDS[kind])]
    assert len(words) == len(set(words))
