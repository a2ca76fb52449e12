"""Mapping: foreign headers and expressions become the contract's columns, each value typed or
refused.
"""

import datetime as dt
import math
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import duckdb
import ibis
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.data import mapping, sql_errors, tables
from helpers.settings import DataError, TableSource, Workbook

CON = duckdb.connect()
HEADERS = {
    "Store Number": "string",
    "Sale (Dollars)": "decimal(12, 2)",
    "Date": "date",
    "Sale": "int64",
}


def book_of(
    columns: dict | None = None, table: str = "sell_in", engine: str = "duckdb://", **further
) -> Workbook:
    """Describe a workbook of one table in memory."""
    source = TableSource("x.csv", columns=columns or {}, **further)
    return Workbook(
        Path("/somewhere/workbook.toml"),
        "t",
        "t",
        "",
        "",
        ("en",),
        False,
        engine,
        {},
        {table: source},
    )


def mapped(columns: dict, headers: dict = HEADERS, **further) -> dict[str, mapping.Mapped]:
    """Map `headers`; expressions are decimal numbers."""
    return mapping.mapped_columns(
        book_of(columns, **further), "sell_in", headers, lambda expression: "decimal(12, 2)"
    )


def value_of(value, arrow_type: pa.DataType, kind: str, date_format: str | None = None):
    """Give one value through a column's typing, in DuckDB."""
    raw = pa.table({"x": pa.array([value], arrow_type)})
    raw_type = str(ibis.Schema.from_pyarrow(raw.schema)["x"])
    CON.register("raw", raw)
    return CON.sql(f"SELECT {mapping.typed('x', raw_type, kind, date_format)} FROM raw").fetchone()[
        0
    ]


GIVEN = {"dealer_id": "Store Number", "date": "Date", "revenue": "Sale (Dollars)"}


# ---- headers and expressions ---------------------------------------------------------------------


def test_an_exact_header_wins_over_an_expression():
    found = mapped(GIVEN)
    # as SQL, `Store Number` is a column with an alias
    assert found["dealer_id"].raw == '"Store Number"'
    assert found["revenue"].raw == '"Sale (Dollars)"'  # as SQL, `Sale (Dollars)` is a function call
    assert list(found) == ["dealer_id", "date", "revenue"]


def test_a_quoted_header_is_an_expression():
    assert (
        mapped(GIVEN | {"revenue": '"Sale (Dollars)" - 1'})["revenue"].raw == '"Sale (Dollars)" - 1'
    )


def test_a_header_with_quotes_in_it_stays_one_header():
    headers = HEADERS | {'the "net" sale': "int64"}
    assert (
        mapped(GIVEN | {"revenue": 'the "net" sale'}, headers)["revenue"].raw
        == '"the ""net"" sale"'
    )


def test_columns_named_as_in_the_contract_need_no_mapping_and_others_are_left_out():
    found = mapped(
        {"date": "Date"},
        {"dealer_id": "string", "revenue": "int64", "Date": "date", "note": "string"},
    )
    assert list(found) == ["dealer_id", "date", "revenue"]


def test_a_missing_required_column_is_told_with_what_is_there():
    with pytest.raises(DataError) as error:
        mapped({"dealer_id": "Store Number", "date": "Date"})
    assert str(error.value) == (
        "sell_in: no column 'revenue'; the file has 'Store Number', 'Sale (Dollars)', 'Date', "
        "'Sale' — map it in workbook.toml under [data.sell_in.columns]"
    )


def test_a_wide_file_lists_twenty_headers():
    with pytest.raises(DataError, match="'h19' and 5 more — map it"):
        mapped({}, {f"h{i}": "string" for i in range(25)})


def test_a_header_is_found_in_whatever_case_unless_two_are_alike():
    headers = {"Dealer_ID": "string", "DATE": "date", "revenue": "float64"}
    assert mapped({}, headers)["dealer_id"].raw == '"Dealer_ID"'
    with pytest.raises(DataError, match="no column 'dealer_id'; the file has 'Dealer_ID'"):
        mapped({}, {"Dealer_ID": "string", "DEALER_ID": "string"})


@pytest.mark.parametrize("text", ["Sale $", "Net-Umsatz (€", "1 +", "'open", "销售 额 (元)("])
def test_what_is_neither_header_nor_expression_says_how_to_quote(text):
    with pytest.raises(
        DataError, match=r"is neither a header of the file nor an expression.*double quotes"
    ):
        mapped(GIVEN | {"revenue": text})


def test_an_expression_that_cannot_be_computed_names_column_reason_and_headers(make_book):
    book = make_book(
        sell_in="shop,day,Qty\n1,2026-01-01,2\n",
        extra='[data.sell_in.columns]\ndealer_id = "shop"\ndate = "day"\nrevenue = "Qyt * 2"',
    )
    with pytest.raises(
        DataError,
        match=r"sell_in\.revenue: 'Qyt \* 2' can't be computed: .*Qyt.*'shop', 'day', 'Qty'",
    ):
        tables.table(book, "sell_in")
    book = make_book(
        sell_in="shop,day,Qty\n1,2026-01-01,2\n",
        extra='[data.sell_in.columns]\ndealer_id = "shop"\ndate = "day"\nrevenue = "Qty * 2"',
    )
    with pytest.raises(
        DataError, match=r"columns of a CSV file are text: CAST them before arithmetic"
    ):
        tables.table(book, "sell_in")


def test_a_select_inside_an_expression_is_refused():
    with pytest.raises(DataError, match="holds a SELECT; give the whole table by a query instead"):
        mapped(GIVEN | {"revenue": "(SELECT max(x) FROM 'secret.csv')"})


@pytest.mark.parametrize(
    "expression",
    [
        "list_sum([Sale])",
        "TRY_CAST(Sale AS DOUBLE)",
        "regexp_extract(Sale, 'x')",
        "strptime(Sale, '%d')",
        "list_max([1])",
        "Sale::INT[]",
    ],
)
def test_another_engine_gets_the_portable_part_of_sql_only(expression):
    mapped(GIVEN | {"revenue": expression})
    if expression != "Sale::INT[]":
        with pytest.raises(
            DataError, match="is not carried over to another engine; use arithmetic, CASE"
        ):
            mapped(GIVEN | {"revenue": expression}, engine="postgres://h/db")


@pytest.mark.parametrize(
    "expression",
    [
        '"Sale (Dollars)" / 1.5',
        "CASE WHEN Sale > 0 AND Sale IS NOT NULL THEN Sale ELSE -Sale END",
        "COALESCE(Sale, 0)",
        "CAST(Sale AS DECIMAL(18, 2))",
        "ROUND(ABS(Sale), 2)",
        "UPPER(TRIM(Sale)) || LOWER(Sale)",
        "Sale IN (1, 2)",
        "SUBSTRING(Sale, 1, 3)",
        "NULLIF(REPLACE(Sale, ',', ''), '')",
        "CONCAT(Sale, 'x')",
        "NOT Sale BETWEEN 1 AND 2",
        "Sale LIKE 'x%'",
        "LENGTH(Sale) <> 3",
        "Sale::BIGINT",
    ],
)
def test_the_portable_part_is_taken_by_every_engine(expression):
    assert (
        mapped(GIVEN | {"revenue": expression}, engine="postgres://h/db")["revenue"].raw
        == expression
    )


def test_further_columns_are_taken_where_the_contract_takes_any():
    book = book_of({"consumer_id": "id", "age": "Age (years)"}, table="consumers")
    headers = {"id": "int64", "Age (years)": "int64", "town": "string"}
    found = mapping.mapped_columns(book, "consumers", headers, lambda expression: "int64")
    assert list(found) == ["consumer_id", "age", "town"]
    book = book_of({}, table="candidates")
    headers = {"candidate_id": "string", "city": "string", "traffic": "int64", "remark": "string"}
    found = mapping.mapped_columns(book, "candidates", headers, lambda expression: "int64")
    assert {c: found[c].kind for c in ("traffic", "remark")} == {
        "traffic": "number",
        "remark": "text",
    }


@given(st.text(min_size=1).filter(lambda text: "\0" not in text))
def test_any_name_survives_quoting(name):
    assert CON.execute(f"SELECT 1 AS {mapping.quoted(name)}").description[0][0] == name


# ---- ids and text --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "arrow_type", "expected"),
    [
        ("00123", pa.string(), "00123"),
        (" 00123 ", pa.string(), "00123"),
        ("", pa.string(), None),
        ("  ", pa.string(), None),
        (123, pa.int64(), "123"),
        (10003.0, pa.float64(), "10003"),
        (10003.5, pa.float64(), None),
        (1e15, pa.float64(), "1000000000000000"),
        (-7.0, pa.float32(), "-7"),
        (float("inf"), pa.float64(), None),
        (Decimal("77.00"), pa.decimal128(9, 2), "77"),
        (Decimal("77.10"), pa.decimal128(9, 2), None),
        (Decimal(10**20), pa.decimal128(30, 0), str(10**20)),
        ("'; DROP TABLE x; --", pa.string(), "'; DROP TABLE x; --"),
        (None, pa.string(), None),
        (None, pa.float64(), None),
    ],
)
def test_ids(value, arrow_type, expected):
    assert value_of(value, arrow_type, "id") == expected


@given(st.integers(-(10**14), 10**14))
def test_an_id_read_as_a_float_is_the_number_it_was(number):
    assert value_of(float(number), pa.float64(), "id") == str(number)


# ---- money and numbers ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "arrow_type", "expected"),
    [
        ("1.005", pa.string(), "1.01"),
        (1.005, pa.float64(), "1.01"),
        (-1.005, pa.float64(), "-1.01"),
        (Decimal("1.005"), pa.decimal128(12, 3), "1.01"),
        (2.675, pa.float64(), "2.68"),
        (19.955, pa.float64(), "19.96"),
        (123456789.005, pa.float64(), "123456789.01"),
        (1e-9, pa.float64(), "0.00"),
        (12, pa.int32(), "12.00"),
        (" 12.5 ", pa.string(), "12.50"),
        ("1e3", pa.string(), "1000.00"),
        ("-0.004", pa.string(), "0.00"),
        ("1,000", pa.string(), None),
        ("1 000", pa.string(), None),
        ("1.234,50", pa.string(), None),
        ("CNY 5", pa.string(), None),
        ("nan", pa.string(), None),
        ("", pa.string(), None),
        (math.nan, pa.float64(), None),
        (math.inf, pa.float64(), None),
        (-math.inf, pa.float64(), None),
        (1e17, pa.float64(), None),
        (5.551115123125783e-17, pa.float64(), "0.00"),
        ("6e-13", pa.string(), "0.00"),
        ("1.2E+05", pa.string(), "120000.00"),
        (None, pa.float64(), None),
    ],
)
def test_money(value, arrow_type, expected):
    assert value_of(value, arrow_type, "money") == (None if expected is None else Decimal(expected))


@given(st.floats(-1e12, 1e12))
def test_a_float_is_rounded_as_it_is_written(value):
    expected = Decimal(repr(value)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert value_of(value, pa.float64(), "money") == expected
    assert value_of(repr(value), pa.string(), "money") == expected


@pytest.mark.parametrize(
    ("value", "arrow_type", "expected"),
    [
        ("2.5", pa.string(), 2.5),
        (3, pa.int8(), 3.0),
        (math.nan, pa.float64(), None),
        (math.inf, pa.float64(), None),
        ("inf", pa.string(), None),
        ("three", pa.string(), None),
        ("", pa.string(), None),
    ],
)
def test_numbers(value, arrow_type, expected):
    assert value_of(value, arrow_type, "number") == expected


# ---- days and months -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "date_format", "expected"),
    [
        ("2022-03-04", None, "2022-03-04"),
        ("2022/3/4", None, "2022-03-04"),
        ("2022-03-04 23:59:59", None, "2022-03-04"),
        ("2022-03-04T00:30:00+08:00", None, "2022-03-04"),
        ("03/04/2022", None, None),
        ("04.03.2022", None, None),
        ("22-03-04", None, None),
        ("20222-03-04", None, None),
        ("infinity", None, None),
        ("epoch", None, None),
        ("20220304", None, None),
        ("44620", None, None),
        ("2022-02-30", None, None),
        ("2022-03", None, None),
        ("", None, None),
        ("1970-01-01", None, "1970-01-01"),
        ("03/04/2022", "%m/%d/%Y", "2022-03-04"),
        ("03/04/2022", "%d/%m/%Y", "2022-04-03"),
        ("20220304", "%Y%m%d", "2022-03-04"),
        ("13/04/2022", "%m/%d/%Y", None),
        ("2022-03-04", "%m/%d/%Y", None),
        ("x", "%d' OR '1", None),
        ("2022年3月4日", "%Y年%m月%d日", "2022-03-04"),
    ],
)
def test_dates_in_text(value, date_format, expected):
    day = value_of(value, pa.string(), "date", date_format)
    assert day == (None if expected is None else dt.date.fromisoformat(expected))


def test_typed_dates_are_taken_without_format():
    assert value_of(dt.date(2022, 3, 4), pa.date32(), "date") == dt.date(2022, 3, 4)
    assert value_of(dt.datetime(2022, 3, 4, 23, 59), pa.timestamp("ns"), "date") == dt.date(
        2022, 3, 4
    )
    assert value_of(dt.date(9999, 12, 31), pa.date32(), "date") == dt.date(9999, 12, 31)


@pytest.mark.parametrize(
    ("value", "arrow_type", "date_format", "expected"),
    [
        ("2026-10", pa.string(), None, "2026-10"),
        ("2026-13", pa.string(), None, None),
        ("2026-1", pa.string(), None, None),
        ("202610", pa.string(), None, None),
        ("202610", pa.string(), "%Y%m", "2026-10"),
        (dt.date(2026, 10, 31), pa.date32(), None, "2026-10"),
        ("Oct 2026", pa.string(), "%b %Y", "2026-10"),
    ],
)
def test_months(value, arrow_type, date_format, expected):
    assert value_of(value, arrow_type, "month", date_format) == expected


@given(st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31)))
def test_any_day_survives_as_text(day):
    assert value_of(str(day), pa.string(), "date") == day
    assert value_of(day.strftime("%m/%d/%Y"), pa.string(), "date", "%m/%d/%Y") == day
    assert value_of(str(day), pa.string(), "month", "%Y-%m-%d") == f"{day:%Y-%m}"


def test_messages_of_engines_are_told_whole_on_one_line():
    assert sql_errors.first_line(ValueError("\n  first \nsecond")) == "first; second"
    assert sql_errors.first_line(ValueError("")) == "ValueError"
    assert len(sql_errors.first_line(ValueError("x" * 10_000))) == sql_errors.REASON
