"""Dialects: names quoted, types written, as each engine writes them."""

import pytest
import sqlglot

from helpers.data import dialects
from helpers.settings import DataError

ENGINES = ("postgres", "spark", "sqlite", "mysql", "tsql", "bigquery", "snowflake", "trino")
NAMES = ("sales", "Sales 2026", "order", "店铺", "it's", 'a"b', "a`b", "x; DROP TABLE y", "--")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", NAMES)
def test_a_tables_name_is_quoted_and_read_back_as_it_is(engine, name):
    written = dialects.table_of(f"erp.{name}", engine)
    (statement,) = sqlglot.parse(written, dialect=engine)
    (table,) = statement.find_all(sqlglot.exp.Table)
    assert (table.name, table.db, table.this.quoted) == (name, "erp", True)


def test_a_name_has_three_parts_at_most():
    assert dialects.table_of("a.b.c", "spark") == "SELECT * FROM `a`.`b`.`c`"
    with pytest.raises(DataError, match="more than three parts"):
        dialects.table_of("a.b.c.d", "spark")


RAW = {
    "id": ("string", "int64", "float64", "decimal(9, 2)"),
    "text": ("string", "int64", "date"),
    "date": ("string", "date", "timestamp(6)"),
    "month": ("string", "date"),
    "money": ("string", "int64", "float64", "decimal(12, 3)"),
    "number": ("string", "int64", "float64"),
}
TYPED = [(kind, raw) for kind, types in RAW.items() for raw in types]


@pytest.mark.parametrize("engine", ["postgres", "spark"])
@pytest.mark.parametrize(("kind", "raw_type"), TYPED)
def test_each_type_is_carried_over_without_a_cast_that_may_fail_silently(engine, kind, raw_type):
    typed = dialects.typed('"A b"', raw_type, kind)
    written = dialects.selected(f"{typed} AS x", "SELECT * FROM t", "raw", engine)
    statement = sqlglot.parse_one(written, dialect=engine)
    assert "TRY_" not in written.upper()
    columns = {column.name for column in statement.find_all(sqlglot.exp.Column)}
    assert columns == {"A b"}


@pytest.mark.parametrize("written", ["%m/%d/%Y", "%d.%m.%y", "%Y-%m-%d %H:%M:%S"])
def test_digits_may_be_single_where_something_parts_them(written):
    assert "%m" not in dialects.lenient(written, "pyspark")
    assert dialects.lenient(written, "postgres") == written


def test_a_dialect_that_was_used_before_is_ibis_own():
    import ibis

    # sqlglot keeps how a dialect writes from its first use on; Ibis adds to that when it is loaded
    dialects.table_of("sales", "postgres")
    day = ibis.table({"day": "date"}, name="t").filter(ibis._.day > ibis.date("2026-10-31"))
    assert "MAKE_DATE(2026, 10, 31)" in ibis.to_sql(day, dialect="postgres")
