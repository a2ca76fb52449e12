"""Mapping: a source's headers and expressions become the contract's columns, as SQL text."""

import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from helpers.data import dialects, guard
from helpers.data.values.text import literal
from helpers.settings import DataError, Workbook, contract

REASON = 2000  # characters of an engine's reason
ADVICE = re.compile(
    r"^\s*(?:LINE \d+:|Possible (?:fixes|solutions?)\b|Stack Trace)", re.MULTILINE | re.IGNORECASE
)


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
                raise DataError(
                    f"{table}.{column}: {raw!r} can't be computed: "
                    f"{first_line(book.told(error))}; the file has {_listed(headers)} (columns "
                    "of a CSV file are text: CAST them before arithmetic)"
                ) from None
        if column not in known and kind == "number" and raw_type.startswith("string"):
            kind = "text"  # a further column that is no number describes rather than scores
        if book.embedded and kind == "id" and raw_type.lstrip("!").startswith("float"):
            # how a data frame writes a missing number; DuckDB compares NaN wrongly in Parquet files
            # that hold it
            raw = f"CASE WHEN NOT isnan({raw}) THEN {raw} END"
        date_format = _date_format(kind, formats.get(column))
        found[column] = Mapped(
            kind, raw, written(raw, raw_type, kind, date_format), raw_type.lstrip("!")
        )
    _require_own_headers(book, table, found)
    return found


def _require_own_headers(book: Workbook, table: str, found: dict[str, Mapped]) -> None:
    """Refuse one header for two amounts: revenue that is cost as well leaves no profit."""
    amounts: dict[str, str] = {}
    for column, mapped in found.items():
        if mapped.kind == "money" and amounts.setdefault(mapped.raw, column) != column:
            raise DataError(
                f"{table}.{column}: {mapped.raw} is {amounts[mapped.raw]} already; map each amount "
                f"to a column of its own under [data.{table}.columns] of {book.path.name}, or "
                "leave one out"
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
            found[column] = _expression(book, table, column, asked)
        elif known[column].required:
            raise DataError(
                f"{table}: no column {column!r}; the file has {_listed(headers)} — "
                f"map it in {book.path.name} under [data.{table}.columns]"
            )
    if "*" in known:  # any further column is taken as it is, or under the name it is given
        further = {c: g for c, g in given.items() if c not in known and g in headers}
        found |= {c: quoted(g) for c, g in further.items()}
        found |= {
            h: quoted(h) for h in headers if quoted(h) not in found.values() and h not in found
        }
    return found


def _expression(book: Workbook, table: str, column: str, text: str) -> str:
    where = f"{table}.{column}"
    if book.embedded:
        guard.require_expression(where, text)
        return text
    dialects.require_portable(where, text)
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


def first_line(error: Exception | str) -> str:
    r"""Tell what an engine says is wrong, in one line.

    Its message up to where it quotes the query or gives advice.

    >>> first_line(ValueError("CSV Error on Line: 3\nExpected Columns: 2\n\nPossible fixes:\n* x"))
    'CSV Error on Line: 3; Expected Columns: 2'
    """
    told = ADVICE.split(str(error), maxsplit=1)[0]
    lines = [line.strip() for line in told.split("\n") if line.strip()]
    return "; ".join(line.rstrip(";") for line in lines)[:REASON] or type(error).__name__


def _listed(headers) -> str:
    names = [repr(header) for header in headers]
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
