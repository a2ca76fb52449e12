"""Mapping: a source's headers and expressions become the contract's columns, as SQL text."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import duckdb

from helpers import words
from helpers.data import dialects, guard, sql_errors
from helpers.data.values.text import literal
from helpers.settings import DataError, Workbook, contract, refusal

# what a type is, where no value of a column can be of it; kinds that take none of them
NESTED = {"array": "list", "struct": "list", "map": "list", "binary": "bytes"}
NO_NUMBER = {**NESTED, "boolean": "truth", "date": "date", "timestamp": "date", "time": "time"}
NO_DAY = {**NESTED, "boolean": "truth", "time": "time"}


class Mapped(NamedTuple):
    """A canonical column.

    Its kind, the expression over the raw headers, and the same with the contract's type; the type
    of the former, and the test for an empty cell, where that is another than NULL or blank.
    """

    kind: str
    raw: str
    typed: str
    raw_type: str = ""
    empty: str = ""


def mapped_columns(
    book: Workbook,
    table: str,
    headers: dict[str, str],
    type_of: Callable[[str], str],
    write: Callable[[str, str, str, str | None], str] | None = None,
) -> dict[str, Mapped]:
    """Map a source's headers (name → type) to the contract's columns.

    An exact header wins over an expression; a column that is not mapped is taken where a header has
    its name. `type_of` asks the engine for the type of an expression; `write` writes the SQL of the
    contract's type, by default `typed`.

    Raises
    ------
    DataError
        If a required column is missing, or an expression can't be read or computed.
    """
    found, written = {}, write or typed
    formats, known = book.tables[table].format, contract()[table]
    for column, raw in _expressions(book, table, list(headers)).items():
        kind = (
            known[column].kind if column in known else known["*"].kind if "*" in known else "text"
        )
        raw_type = next((t for header, t in headers.items() if quoted(header) == raw), None)
        if raw_type is None:
            try:
                raw_type = type_of(raw)
            except Exception as error:
                raise not_computed(book, table, column, raw, error, headers) from None
            _require_column_in(book, f"{table}.{column}", raw, headers)
        if column not in known and kind == "number" and raw_type.startswith("string"):
            kind = "text"  # a further column that is no number describes rather than scores
        if book.embedded and kind == "id" and raw_type.lstrip("!").startswith("float"):
            # how a data frame writes a missing number; DuckDB compares NaN wrongly in Parquet files
            # that hold it
            raw = f"CASE WHEN NOT isnan({raw}) THEN {raw} END"
        if column in known:
            _require_fitting(book, table, column, raw, raw_type.lstrip("!"))
        date_format = _date_format(kind, formats.get(column))
        found[column] = Mapped(
            kind, raw, written(raw, raw_type, kind, date_format), raw_type.lstrip("!")
        )
    _require_own_headers(book, table, found)
    return found


def not_computed(
    book: Workbook, table: str, column: str, raw: str, error: Exception, headers: Iterable[str]
) -> DataError:
    """Say that an expression of the toml can't be computed, why, and where to put it right."""
    headers, where = list(headers), f"{table}.{column}"
    if re.search(r"GROUP BY|aggregate", str(error)):
        return refusal("holds_sum", where=where, shown=repr(raw))
    reason = sql_errors.reason(book.told(error), headers, [], guard.FUNCTIONS)
    # what is computed of text may need a CAST, what is misspelled does not
    is_text = bool(re.search(r"argument types|Cannot (?:compare|mix)|operator", str(error)))
    return refusal(
        "not_computed_text" if is_text else "not_computed",
        where=where,
        shown=repr(raw),
        reason=reason,
        table=table,
        toml=book.path.name,
        headers=_listed(headers),
    )


def require_computed(
    book: Workbook,
    table: str,
    columns: Mapping[str, Mapped],
    headers: Iterable[str],
    compute: Callable[[str], object],
) -> None:
    """Compute each expression of the toml alone, and refuse the first that can't be, by its name.

    `compute` runs DuckDB's SQL.

    Raises
    ------
    DataError
        With the column, the expression and what is wrong with it.
    """
    plain = {quoted(header) for header in headers}
    for column, mapped in columns.items():
        if mapped.raw not in plain:
            asked = f"SELECT COUNT(x) FROM (SELECT {mapped.raw} AS x FROM raw_{table})"
            try:
                compute(asked)
            except duckdb.Error as error:
                given = book.tables[table].columns.get(column, mapped.raw)
                raise not_computed(book, table, column, given, error, headers) from None


def _require_column_in(book: Workbook, where: str, raw: str, headers: Iterable[str]) -> None:
    """Refuse a text where a column is meant, and one amount for all rows; for the rest a constant
    may be right: all of a file may be of one brand.
    """
    table, _dot, column = where.partition(".")
    value = guard.constant(raw) if book.embedded else None
    if isinstance(value, str):
        found = {header.casefold(): header for header in headers}.get(value.strip().casefold())
        if found is not None:
            raise refusal("text_for_header", where=where, shown=repr(raw), header=found)
    told = contract()[table].get(column)
    if isinstance(value, float) and told and told.kind == "money" and told.required:
        raise refusal("same_amount", where=where, shown=repr(raw))


def _require_fitting(book: Workbook, table: str, column: str, raw: str, raw_type: str) -> None:
    """Refuse what can be no value of a column: a list for a text, a date for an amount."""
    kind = contract()[table][column].kind
    fitting = {
        "money": ("no_amount_type", NO_NUMBER),
        "number": ("no_amount_type", NO_NUMBER),
        "date": ("no_day_type", NO_DAY),
        "month": ("no_day_type", NO_DAY),
    }
    sentence, others = fitting.get(kind, ("no_text_type", NESTED))
    if other := others.get(re.split(r"[^a-z]", raw_type, maxsplit=1)[0]):
        raise refusal(
            sentence,
            where=f"{table}.{column}",
            shown=raw,
            kind=words.message(f"sql.kind_{other}"),
            table=table,
            toml=book.path.name,
        )


def _require_own_headers(book: Workbook, table: str, found: dict[str, Mapped]) -> None:
    """Refuse one header for two amounts: revenue that is cost as well leaves no profit."""
    amounts: dict[str, str] = {}
    for column, mapped in found.items():
        if mapped.kind == "money" and amounts.setdefault(mapped.raw, column) != column:
            raise refusal(
                "amount_twice",
                table=table,
                column=column,
                raw=mapped.raw,
                other=amounts[mapped.raw],
                toml=book.path.name,
            )


def _date_format(kind: str, given: str | None) -> str | None:
    """Take a format that is one of dates; a number's is an example of its style."""
    return given if kind in ("date", "month") else None


def _expressions(book: Workbook, table: str, headers: list[str]) -> dict[str, str]:
    given, known = book.tables[table].columns, contract()[table]
    # engines find a column in whatever case it is asked for, where no other is called alike
    cases = Counter(header.casefold() for header in headers)
    plain = {h.casefold(): h for h in headers if cases[h.casefold()] == 1}
    found = {}
    for column in [c for c in known if c != "*"]:
        asked = given.get(column, column)
        if asked in headers:
            found[column] = quoted(asked)
        elif book.embedded and asked.casefold() in plain:
            found[column] = quoted(plain[asked.casefold()])
        elif column in given:
            found[column] = _expression(book, table, column, asked, headers)
        elif known[column].required:
            asks = book.tables[table].query
            raise refusal(
                "not_in_query" if asks else "no_column",
                table=table,
                column=column,
                headers=_listed(headers),
                toml=book.path.name,
            )
    if "*" in known:  # any further column is taken as it is, or under the name it is given
        further = {c: g for c, g in given.items() if c not in known and g in headers}
        found |= {c: quoted(g) for c, g in further.items()}
        found |= {
            h: quoted(h) for h in headers if quoted(h) not in found.values() and h not in found
        }
    return found


def _expression(book: Workbook, table: str, column: str, text: str, headers: list[str]) -> str:
    where = f"{table}.{column}"
    if book.embedded:
        guard.require_expression(where, text, headers)
    else:
        dialects.require_portable(where, text, headers)
    return text


def typed(raw: str, raw_type: str, kind: str, date_format: str | None = None) -> str:
    """Write DuckDB's SQL that gives an expression the contract's type.

    What does not fit becomes NULL; of other engines see `dialects.typed`.

    >>> typed('"Sale"', "decimal(12, 3)", "money")
    'TRY_CAST("Sale" AS DECIMAL(18, 2))'
    """
    text = f"NULLIF(TRIM(CAST({raw} AS VARCHAR)), '')"
    raw_type = raw_type.lstrip("!")
    is_text, is_day = raw_type.startswith("string"), raw_type.startswith(("date", "timestamp"))
    # 10003.0 is dealer 10003, 10003.5 is nobody
    if kind == "id" and raw_type.startswith(("float", "decimal")):
        return (
            f"CASE WHEN {raw} = TRUNC({raw}) THEN CAST(TRY_CAST({raw} AS DECIMAL(38, 0)) AS "
            "VARCHAR) END"
        )
    if kind in ("id", "text"):
        return text
    if kind in ("date", "month"):
        return _typed_day(raw, text, is_day, kind, date_format)
    if kind == "money":
        return f"TRY_CAST({_amount(raw, raw_type, text)} AS DECIMAL(18, 2))"
    number = f"TRY_CAST({text if is_text else raw} AS DOUBLE)"
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def _amount(raw: str, raw_type: str, text: str) -> str:
    """Write what DuckDB casts to money without losing half a cent.

    A float is rounded as it is written, for its binary value, cast or rounded, would cut 1.005 to
    1.00; and the text 6e-13, which the cast takes for 0.01, is nothing.
    """

    def written(number: str) -> str:
        return f"CASE WHEN ABS({number}) < 0.001 THEN '0' ELSE CAST({number} AS VARCHAR) END"

    if raw_type.startswith("string"):
        return (
            f"CASE WHEN {text} ILIKE '%e%' THEN {written(f'TRY_CAST({text} AS DOUBLE)')} ELSE "
            f"{text} END"
        )
    return written(raw) if raw_type.startswith("float") else raw


def _typed_day(raw: str, text: str, is_day: bool, kind: str, date_format: str | None) -> str:
    if kind == "month" and not is_day and not date_format:
        return dialects.month_of(text)
    if is_day:
        day = dialects.day_of(raw)
    elif date_format:
        day = f"CAST(TRY_STRPTIME({text}, {literal(date_format)}) AS DATE)"
    else:
        # four digits of year first, or it can't be told from a day: 22-03-04
        stamp = f"CAST(TRY_CAST({text} AS TIMESTAMP) AS DATE)"
        day = f"CASE WHEN SUBSTR({text}, 5, 1) IN ('-', '/') THEN {stamp} END"
    return day if kind == "date" else f"STRFTIME({day}, '%Y-%m')"


def select_list(columns: dict[str, Mapped]) -> str:
    """Write the canonical table's SELECT list."""
    return ", ".join(f"{column.typed} AS {quoted(name)}" for name, column in columns.items())


def quoted(name: str) -> str:
    """Quote an identifier.

    >>> print(quoted('the "net" sale'))
    "the ""net"" sale"
    """
    return '"' + name.replace('"', '""') + '"'


def _listed(headers) -> str:
    names = [repr(header) for header in headers]
    shown = ", ".join(names[:20])
    n = len(names) - 20
    return words.message("refused.headers", headers=shown, n=n) if n > 0 else shown
