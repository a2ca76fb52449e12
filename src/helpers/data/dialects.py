"""Dialects: what the contract asks of a server's table, written as each engine writes it.

Everything is written in DuckDB's SQL first and carried over by sqlglot; here is what that needs to
mean the same elsewhere: no TRY_CAST, which would silently become CAST, and no function that means
something else on another engine, such as TRUNC, which cuts dates in Spark.
"""

import re
from collections.abc import Iterable

# before sqlglot writes anything: it keeps how a dialect writes from its first use on, and Ibis adds
# to that when it is loaded
import ibis.backends.sql.dialects  # noqa: F401
import sqlglot
from sqlglot import exp

from helpers.data import guard
from helpers.data.values.text import literal
from helpers.settings import refusal

NAN = "CAST('NaN' AS DOUBLE)"
LARGEST = "1.7976931348623157e308"
# what an expression may hold on an engine other than DuckDB: the part of SQL that sqlglot carries
# over unchanged
PORTABLE = (
    exp.Column,
    exp.Identifier,
    exp.Literal,
    exp.Null,
    exp.Boolean,
    exp.Paren,
    exp.Neg,
    exp.Not,
    exp.And,
    exp.Or,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Div,
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.Is,
    exp.In,
    exp.Between,
    exp.Like,
    exp.Case,
    exp.If,
    exp.Coalesce,
    exp.Nullif,
    exp.Cast,
    exp.DataType,
    exp.DataTypeParam,
    exp.Lower,
    exp.Upper,
    exp.Trim,
    exp.Substring,
    exp.Round,
    exp.Abs,
    exp.Concat,
    exp.DPipe,
    exp.Length,
    exp.Replace,
)
# the contract's kinds as Ibis knows them, so that no engine need be asked
TYPES = {
    "id": "string",
    "text": "string",
    "month": "string",
    "date": "date",
    "money": "decimal(18, 2)",
    "number": "float64",
}


def require_portable(where: str, text: str, headers: Iterable[str] = ()) -> None:
    """Let through one expression that means the same on every engine.

    Raises
    ------
    DataError
        If it holds anything else, or can't be read.
    """
    try:
        parsed = sqlglot.parse_one(text, dialect="duckdb")
    except (sqlglot.errors.SqlglotError, RecursionError):
        raise guard.no_expression(where, text, headers) from None
    if parsed.find(exp.Query):
        raise refusal("holds_select", where=where, shown=repr(text))
    if parsed.find(exp.Window):
        raise refusal("holds_window", where=where, shown=repr(text))
    # TRY_CAST is a kind of CAST
    foreign = next((node for node in parsed.walk() if type(node) not in PORTABLE), None)
    if foreign is not None:
        raise refusal("not_portable", where=where, part=foreign.sql(dialect="duckdb"))


def typed(raw: str, raw_type: str, kind: str, date_format: str | None = None) -> str:
    """Write the SQL that gives an expression the contract's type, in DuckDB's dialect.

    What does not fit is an error of the engine's; a number that is none (NaN) is missing.

    >>> typed('"Sale"', "decimal(12, 3)", "money")
    'CAST("Sale" AS DECIMAL(18, 2))'
    """
    raw_type = raw_type.lstrip("!")
    text = f"NULLIF(TRIM(CAST({raw} AS VARCHAR)), '')"
    is_text, is_float = raw_type.startswith("string"), raw_type.startswith("float")
    number = f"NULLIF({raw}, {NAN})" if is_float else raw
    # 10003.0 is dealer 10003, 10003.5 is nobody
    if kind == "id" and raw_type.startswith(("float", "decimal")):
        whole = f"CAST(CAST({number} AS DECIMAL(38, 0)) AS VARCHAR)"
        return f"CASE WHEN {number} = FLOOR({number}) THEN {whole} END"
    if kind in ("id", "text"):
        return text
    if kind in ("date", "month"):
        return _typed_day(raw, text, raw_type, kind, date_format)
    if kind == "money":
        return f"CAST({text if is_text else number} AS DECIMAL(18, 2))"
    number = f"CAST({text if is_text else raw} AS DOUBLE)"
    if not (is_text or is_float):
        return number
    return f"CASE WHEN {number} BETWEEN -{LARGEST} AND {LARGEST} THEN {number} END"


def day_of(raw: str) -> str:
    """Write the day of a date or timestamp; 'infinity' is none."""
    day = f"CAST({raw} AS DATE)"
    return f"CASE WHEN {day} BETWEEN DATE '0001-01-01' AND DATE '9999-12-31' THEN {day} END"


def month_of(text: str) -> str:
    """Write a month that stands in text as 2026-10; anything else is none."""
    return f"CASE WHEN regexp_matches({text}, '^[0-9]{{4}}-(0[1-9]|1[0-2])$') THEN {text} END"


def _typed_day(raw: str, text: str, raw_type: str, kind: str, date_format: str | None) -> str:
    is_day = raw_type.startswith(("date", "timestamp"))
    if kind == "month" and not is_day and not date_format:
        return month_of(text)
    if is_day:
        day = day_of(raw)
    elif date_format:
        day = f"CAST(STRPTIME({text}, {literal(date_format)}) AS DATE)"
    else:
        # four digits of year first, or it can't be told from a day: 22-03-04; and a day only, for
        # a time with its zone would become another day
        first = f"SUBSTR(REPLACE({text}, '/', '-'), 1, 10)"
        day = f"CASE WHEN SUBSTR({text}, 5, 1) IN ('-', '/') THEN CAST({first} AS DATE) END"
    return day if kind == "date" else f"STRFTIME({day}, '%Y-%m')"


def lenient(date_format: str, dialect: str) -> str:
    """Write a date's format so that a day or month of one digit is read, as DuckDB does.

    >>> lenient("%m/%d/%Y", "pyspark"), lenient("%Y%m%d", "pyspark")
    ('%-m/%-d/%Y', '%Y%m%d')
    """
    # where digits touch, only their number tells one from the next
    if dialect != "pyspark" or re.search(r"%[A-Za-z]%", date_format):
        return date_format
    return re.sub(r"%([mdHMS])", r"%-\1", date_format)


def table_of(source: str, dialect) -> str:
    """Write `SELECT * FROM` a table, its parts quoted as the engine quotes.

    >>> table_of("erp.my table", "spark"), table_of("erp.my table", "postgres")
    ('SELECT * FROM `erp`.`my table`', 'SELECT * FROM "erp"."my table"')
    """
    *places, name = source.split(".")
    parts = dict(zip(("db", "catalog"), reversed(places), strict=False))
    if len(places) > len(parts):
        raise refusal("three_parts", source=source)
    named = exp.Table(
        this=exp.to_identifier(name, quoted=True),
        **{part: exp.to_identifier(place, quoted=True) for part, place in parts.items()},
    )
    return exp.select("*").from_(named).sql(dialect=dialect)


def selected(columns: str, raw: str, name: str, dialect) -> str:
    """Write the select list `columns`, of DuckDB's SQL, over the engine's own query `raw`.

    It stands as `name` in the list.

    >>> selected('CAST("a" AS DOUBLE) AS "b"', "SELECT * FROM `t`", "raw", "spark")
    'SELECT CAST(`a` AS DOUBLE) AS `b` FROM (SELECT * FROM `t`) AS `raw`'
    """
    over = sqlglot.parse_one(raw, dialect=dialect).subquery(exp.to_identifier(name, quoted=True))
    select = sqlglot.parse_one(f"SELECT {columns}", dialect="duckdb").from_(over)
    # else it would only be logged that an engine has no such function
    return select.sql(dialect=dialect, unsupported_level=sqlglot.ErrorLevel.RAISE)
