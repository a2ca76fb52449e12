"""Findings: what is wrong in a table's rows, and how it is told."""

from collections.abc import Iterable
from typing import NamedTuple

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from helpers import periods
from helpers.data.connections import source_name
from helpers.data.mapping import Mapped
from helpers.settings import (
    Workbook,
    contract,
    nearest,
)

STRAY_SHARE = 0.1  # of the largest run's lines: a run of fewer are dates mistyped
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
    as many, for somebody may begin anew after a pause.

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
    return run[0][0], run[-1][0], run[-1][2]


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


def type_errors(name: str, con, columns: dict[str, Mapped]) -> list[Finding]:
    """Count, in one pass, the values that do not fit their column's type and the required ones that
    are missing.
    """
    required = required_columns(name, columns)
    asked = []
    for column, (kind, raw, typed) in columns.items():
        bad = f"({raw}) IS NOT NULL AND TRIM(CAST({raw} AS VARCHAR)) <> '' AND ({typed}) IS NULL"
        if kind != "text":
            asked += [
                (
                    column,
                    "type",
                    f"COUNT(*) FILTER ({bad})",
                    f"MIN(CAST({raw} AS VARCHAR)) FILTER ({bad})",
                )
            ]
        if column in required:
            gone = f"({raw}) IS NULL OR TRIM(CAST({raw} AS VARCHAR)) = ''"
            asked += [(column, "missing", f"COUNT(*) FILTER ({gone})", "NULL")]
    if not asked:
        return []
    figures = ", ".join(f"{count}, {example}" for _column, _check, count, example in asked)
    row = con.raw_sql(f"SELECT {figures} FROM raw_{name}").fetchone()
    return [
        Finding(name, column, check, "error", int(row[2 * i]), str(row[2 * i + 1] or ""))
        for i, (column, check, *_sql) in enumerate(asked)
        if row[2 * i]
    ]


def required_columns(name: str, columns: Iterable[str]) -> list[str]:
    """Name the columns in which every line must hold a value."""
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


def in_words(book: Workbook, finding: Finding) -> str:
    """Say an error in one line.

    File, table, column, number of rows, an example, and the next step.
    """
    if finding.check == "source":
        return finding.example
    where = f"{finding.table}.{finding.column}" if finding.column else finding.table
    source = source_name(book, finding.table)
    kind = contract()[finding.table].get(finding.column)
    n, example = finding.n_rows, f"e.g. {finding.example!r}"

    def rows(one: str, many: str) -> str:
        return f"{where}: {n:,} {'row' if n == 1 else 'rows'} of {source} {one if n == 1 else many}"

    if finding.check == "type" and kind and kind.kind in FORMATTED:
        return (
            f"{rows('holds', 'hold')} no plain {kind.kind}, {example}; say how it is written, "
            f'e.g. {finding.column} = "%m/%d/%Y" under [data.{finding.table}.format]'
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
    if finding.check == "missing":
        return f"{rows('is', 'are')} empty; fill them in or leave the rows out with a query"
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
