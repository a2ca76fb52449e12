"""Findings: what is wrong in a table's rows, and how it is told."""

import datetime
import statistics
from collections.abc import Iterable
from typing import NamedTuple

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from helpers import periods
from helpers.data.connections import source_name
from helpers.data.mapping import Mapped
from helpers.data.values import dates, numbers, scale
from helpers.settings import (
    Workbook,
    contract,
    nearest,
)

APART = " | "  # between the parts of an example that has several
STRAY_SHARE = 0.1  # of the largest run's lines: a run of fewer are dates mistyped
MIN_USUAL = 3  # months before one can be unusual
MAX_GAP_MONTHS = 12  # dates beyond a longer gap than this lie outside the data's span
# a line without one is counted as unidentified, not refused
OPTIONAL_IDS = ("dealer_id", "consumer_id")
FORMATTED = ("date", "month")
PLAN_FAULTS = {
    "no_factor": "a factor that factors.csv does not have, …; correct it, or add the factor there",
    "due_before_start": "a due date before the start, …; correct one of the two",
    "no_score": "a target outside 0 to 10, …; give a score",
    "no_status": "an unknown status, …; write one of open, done, dropped",
}


class Finding(NamedTuple):
    """What a check found.

    Rows of `table` (in `column`), how bad, how many, one example, and what to do.
    """

    table: str
    column: str
    check: str
    severity: str  # error or warning
    n_rows: int
    example: str
    file: str = ""  # where the example stands, and on which line, where that is known
    line: int = 0


def day_column(name: str, columns: Iterable[str]) -> str | None:
    """Name the column that dates a table's lines.

    A further column of that name, as `consumers` may have, is no date of the contract's.
    """
    dated = (c for c in ("date", "month", "snapshot_date") if c in contract()[name])
    return next((c for c in dated if c in columns), None)


def counted_months(name: str, lines: Table) -> dict:
    """Count a table's rows, and per month its lines and last day.

    The data's span without reading them again.
    """
    day = day_column(name, lines.columns)
    if day is None:
        return {"rows": int(lines.count().execute()), "months": []}
    text = lines[day].cast("string")
    rows = (
        lines.group_by(month=text.substr(0, 7))
        .agg(n=_.count(), last=text.max())
        .order_by("month")
        .to_pandas()
    )
    return {
        "rows": int(rows["n"].sum()),
        "months": [list(row) for row in rows.dropna().itertuples(index=False)],
    }


def main_span(months: list[list]) -> tuple[str, str, str]:
    """Find the first and last month and the last day of the data's span, given (month, lines, last
    day) in order.

    A gap of more than a year cuts the months into runs. The span is the last run that is no slip of
    the pen: the one with most lines, or a later one of several months that holds `STRAY_SHARE` of
    as many, for somebody may begin anew after a pause. Few lines ahead of a run are no month of it:
    see `_n_ahead`.

    >>> stray, first = ["1970-01", 1, "1970-01-01"], ["2026-09", 50, "2026-09-30"]
    >>> main_span([stray, first, ["2026-10", 60, "2026-10-29"]])
    ('2026-09', '2026-10', '2026-10-29')
    """
    runs: list[list] = []
    for row in months:
        # as text, the month after 9999-12 would come before it
        if runs and periods.shift(runs[-1][-1][0], MAX_GAP_MONTHS).zfill(8) >= row[0].zfill(8):
            runs[-1].append(row)
        else:
            runs.append([row])
    largest = max(runs, key=lambda rows: sum(row[1] for row in rows))
    least = STRAY_SHARE * sum(row[1] for row in largest)
    begun = [rows for rows in runs if len(rows) > 1 and sum(row[1] for row in rows) >= least]
    run = max([largest, *begun])
    while (n := _n_ahead(run)) > 0:
        run = run[:-n]
    return run[0][0], run[-1][0], run[-1][2]


def _n_ahead(run: list[list]) -> int:
    """Count the last months of a run that are dates mistyped, or planned.

    Those beyond a month without any line that together hold less than half of a usual month; or the
    last one where it holds less than `STRAY_SHARE` of it and would end a period that it can't fill.
    """
    gap = next(
        (i for i in range(len(run) - 1, 0, -1) if periods.shift(run[i - 1][0], 1) != run[i][0]), 0
    )
    if gap >= MIN_USUAL and 2 * sum(row[1] for row in run[gap:]) < _usual(run[:gap]):
        return len(run) - gap
    if len(run) <= MIN_USUAL or run[-1][1] >= STRAY_SHARE * _usual(run[:-1]):
        return 0
    return int(_is_complete(run[-1]) or not _is_complete(run[-2]))


def _usual(rows: list[list]) -> float:
    return statistics.median(row[1] for row in rows[-12:])


def _is_complete(row: list) -> bool:
    """Whether a month's last line is near enough to its end for it to be a period."""
    if len(row[2]) < len("2026-10-31") or not periods.is_month(row[0]):
        return True  # a table of months, or a year that no period has
    return periods.last_complete_month(datetime.date.fromisoformat(row[2])) == row[0]


def year_errors(name: str, columns: Iterable[str], months: list[list]) -> list[Finding]:
    """Find the lines of the data's span in years that no period has.

    A stray line far from all others is in no window anyway, and a warning.
    """
    day = day_column(name, columns)
    if not day or not months:
        return []
    first, last, _day = main_span(months)
    wrong = [row for row in months if first <= row[0] <= last and not periods.is_month(row[0])]
    n = sum(row[1] for row in wrong)
    return [Finding(name, day, "year", "error", n, wrong[0][2])] if n else []


class Question(NamedTuple):
    """What is counted of a column: a check, and the SQL of its count and of an example."""

    column: str
    check: str
    count: str
    example: str = "NULL"


def type_questions(name: str, columns: dict[str, Mapped]) -> list[Question]:
    """Ask for the values that do not fit their column's type, and the required ones that are
    missing.
    """
    required = required_columns(name, columns)
    asked = []
    for column, mapped in columns.items():
        raw = mapped.raw
        empty = mapped.empty or f"({raw}) IS NULL OR TRIM(CAST({raw} AS VARCHAR)) = ''"
        if mapped.kind != "text":
            bad = f"NOT coalesce({empty}, false) AND ({mapped.typed}) IS NULL"
            example = f"MIN(CAST({raw} AS VARCHAR)) FILTER ({bad})"
            asked.append(Question(column, "type", f"COUNT(*) FILTER ({bad})", example))
        if column in required:
            example = f"MIN(TRIM(CAST({raw} AS VARCHAR))) FILTER ({empty})"
            asked.append(Question(column, "missing", f"COUNT(*) FILTER ({empty})", example))
    return asked


def answers(name: str, con, asked: list[Question]) -> list[Finding]:
    """Count in one pass over `raw_<name>` all that is asked; what does not occur is left out."""
    if not asked:
        return []
    figures = ", ".join(f"{question.count}, {question.example}" for question in asked)
    row = con.raw_sql(f"SELECT {figures} FROM raw_{name}").fetchone()
    return [
        Finding(name, q.column, q.check, "error", int(row[2 * i]), str(row[2 * i + 1] or ""))
        for i, q in enumerate(asked)
        if row[2 * i]
    ]


def required_columns(name: str, columns: Iterable[str]) -> list[str]:
    """List the columns of which no row may be empty."""
    known = contract()[name]
    return [
        c
        for c in columns
        if c in known and known[c].required and not (c in OPTIONAL_IDS and "date" in known)
    ]


def key_errors(name: str, lines: Table) -> list[Finding]:
    """Find rows whose key occurs more than once."""
    key = [c for c, column in contract()[name].items() if column.key and c in lines.columns]
    if not key:
        return []
    twice = lines.group_by(key).agg(n=_.count()).filter(_.n > 1)
    extra = int((twice.n.sum() - twice.count()).fill_null(0).execute())
    if not extra:
        return []
    example = twice.order_by([ibis.desc("n"), *key]).limit(1).to_pandas().iloc[0]
    return [
        Finding(
            name,
            ", ".join(key),
            "duplicate_key",
            "error",
            extra,
            ", ".join("–" if pd.isna(example[c]) else str(example[c]) for c in key),
        )
    ]


def _undecided(book: Workbook, finding: Finding) -> str:
    """Say what a column is refused for that could be read in more than one way, or what would be
    known of it; "" for any other finding.
    """
    at = f" (line {finding.line:,})" if finding.line else ""
    shown, column, one = f"{finding.example!r}{at}", finding.column, finding.n_rows == 1
    keys = f"[data.{finding.table}.format] of {book.path.name}"
    expression = f"an expression in {book.path.name} under [data.{finding.table}.columns]"
    point, comma = numbers.both_readings(finding.example)
    said = {
        "either_decimal": (
            f"{'has' if one else 'have'} a mark that is either decimal or parts thousands, e.g. "
            f"{shown} is {point} or {comma}; say which under {keys}: {column} = "
            f'"1,234.56" for {point}, {column} = "1.234,56" for {comma}'
        ),
        "two_decimals": (
            f"are written in two styles that contradict each other, e.g. {finding.example}; write "
            "one of them otherwise, or read them apart by a query"
        ),
        "two_currencies": (
            f"are amounts of more than one currency, e.g. {finding.example}; change them to one by "
            f"{expression}, or leave the others out with a query"
        ),
        "percent": (
            f"{'is' if one else 'are'} written in percent, e.g. {shown}, of which no amount can be "
            f"told; map the column that holds the amount, or {expression}"
        ),
        "credit": (
            f"{'is a side' if one else 'are sides'} of an account, e.g. {shown}, which may be more "
            f"or less; say which by {expression}"
        ),
        "either_day": (
            f"{'is a day' if one else 'are days'} of which month and day may change places, e.g. "
            f"{shown} is {_days(finding.example)}; say which under {keys}: {column} = "
            f"{_formats(finding.example)}"
        ),
        "two_days": (
            "have the day first in some and the month first in others, e.g. "
            f"{finding.example}; write one of them otherwise, or read them apart by a query"
        ),
        "two_digit_year": (
            f"{'has a year' if one else 'have years'} of two digits, e.g. {shown}, of which none "
            f"can be told from a day; say how it is written under {keys}, e.g. {column} = "
            f"{_formats(finding.example)}"
        ),
        "zone": (
            f"{'is' if one else 'are'} of one hour of UTC, e.g. {shown}, the midnight of a zone "
            f"that the file does not name; name it by {expression}, e.g. {column} = "
            f"{chr(34)}timezone('Asia/Shanghai', {column}){chr(34)}"
        ),
        "destroyed_id": (
            f"{'is a number' if one else 'are numbers'} rounded on the way, e.g. {shown}; "
            "which ids they were is lost: export them once more, the column as text"
        ),
    }
    return said.get(finding.check, "")


def _twins(book: Workbook, finding: Finding) -> str:
    """Say which ids are one but for case, zeros or .0, and what would mend it."""
    one, other, home, mend = (*finding.example.split(APART), "", "")[:4]
    of = f"of {home} " if home else ""
    listed = {"product_id": "products"}.get(finding.column, "dealers")
    would = f', e.g. {finding.column} = "{mend}"' if mend else ""
    return (
        f"an id that is another one {of}but for case, leading zeros or .0, e.g. {one!r} and "
        f"{other!r}; write them alike by an expression under [data.{finding.table}.columns] of "
        f"{book.path.name}{would}, or list both in {listed} where they are two"
    )


def _formats(example: str) -> str:
    known = dates.formats(example) or ["%d-%m-%y"]
    return " or ".join(f'"{form}"' for form in known)


def _days(example: str) -> str:
    known = dates.formats(example.split()[0] if example.strip() else "")
    days = (datetime.datetime.strptime(example.split()[0], form).date() for form in known)
    return " or ".join(dict.fromkeys(day.isoformat() for day in days))


def in_words(book: Workbook, finding: Finding) -> str:
    """Say an error in one line.

    File, table, column, number of rows, an example, and the next step.
    """
    if finding.check == "source":
        return finding.example
    where = f"{finding.table}.{finding.column}" if finding.column else finding.table
    source = finding.file or source_name(book, finding.table)
    kind = contract()[finding.table].get(finding.column)
    at = f" on line {finding.line:,}" if finding.line else ""
    n, example = finding.n_rows, f"e.g. {finding.example!r}{at}"

    def rows(one: str, many: str) -> str:
        return f"{where}: {n:,} {'row' if n == 1 else 'rows'} of {source} {one if n == 1 else many}"

    given = book.tables[finding.table].format.get(finding.column, "")
    if finding.check in ("type", "format") and kind and kind.kind in FORMATTED:
        if dates.is_no_day(finding.example):
            return f"{rows('is', 'are')} of no day of the calendar, {example}; correct them"
        if finding.check == "format":
            known = [form for form in dates.formats(finding.example) if form != given]
            would = f"; {' or '.join(f'{form!r}' for form in known)} would fit it" if known else ""
            return (
                f"{rows('does', 'do')} not fit the format {given!r}, {example}{would}: correct it "
                f"under [data.{finding.table}.format] of {book.path.name}, or leave it out"
            )
        known = [*dates.formats(finding.example), "%m/%d/%Y"][:1]
        return (
            f"{rows('holds', 'hold')} no plain {kind.kind}, {example}; say how it is written, "
            f'e.g. {finding.column} = "{known[0]}" under [data.{finding.table}.format]'
        )
    if finding.check == "type":
        is_a = {"money": "amount", "id": "whole number"}.get(kind.kind if kind else "", "number")
        return (
            f"{rows('holds', 'hold')} no {is_a}, {example}; correct them, or map an expression in "
            f"{book.path.name} under [data.{finding.table}.columns]"
        )
    if finding.check == "year":
        return (
            f"{rows('is', 'are')} of a year before 1900 or after 2099, {example}; correct them, or "
            f"say how they are written under [data.{finding.table}.format] of {book.path.name}"
        )
    if finding.check == "in_thousands":
        header, said = finding.example.split(APART)
        return (
            f"{rows('is', 'are')} in thousands or the like, as {said!r} says; say so by an "
            f'expression in {book.path.name}, e.g. {finding.column} = \'CAST("{header}" AS '
            f"DECIMAL(18, 4)) * {scale.factor(said)}'"
        )
    if finding.check == "currencies":
        return (
            f"{rows('is', 'are')} of another currency than most, {finding.example}; change them to "
            f"one by an expression in {book.path.name}, or leave the others out with a query"
        )
    if finding.check == "nothing":
        return f"{where}: no row of {source} holds a sale; export it with its rows"
    if finding.check == "missing":
        told = f" or {'holds' if n == 1 else 'hold'} no value, {example}" if finding.example else ""
        return f"{rows('is', 'are')} empty{told}; fill them in or leave the rows out with a query"
    if finding.check == "twins":
        return f"{rows('has', 'have')} {_twins(book, finding)}"
    if said := _undecided(book, finding):
        return f"{where}: {n:,} {'row' if n == 1 else 'rows'} of {source} {said}"
    if finding.check == "duplicate_key":
        return (
            f"{rows('repeats', 'repeat')} a key that must be unique, {example}; remove them, or "
            "group them in a query"
        )
    if finding.check == "letter":
        return (
            f"{rows('sets', 'set')} a class that is none of A, B, C, {example}; write one of them, "
            "or take the row out"
        )
    if finding.check in PLAN_FAULTS:
        return f"{rows('has', 'have')} {PLAN_FAULTS[finding.check]}".replace("…", example, 1)
    if finding.check == "brand":
        near = nearest(book.brand, finding.example.split(" | "))
        return f"{where}: no line of {source} has our brand {book.brand!r}{near}"
    return f"{where}: {n:,} {'row' if n == 1 else 'rows'} of {source}: {finding.check}, {example}"
