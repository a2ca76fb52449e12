"""Findings: what is wrong in a table's rows; `wording` tells it."""

import datetime
import statistics
from collections.abc import Iterable
from typing import NamedTuple

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from helpers import periods
from helpers.data.mapping import Mapped
from helpers.settings import contract

APART = " | "  # between the parts of an example that has several
STRAY_SHARE = 0.1  # of the largest run's lines: a run of fewer are dates mistyped
MIN_USUAL = 3  # months before one can be unusual
MAX_GAP_MONTHS = 12  # dates beyond a longer gap than this lie outside the data's span
# a line without one is counted as unidentified, not refused
OPTIONAL_IDS = ("dealer_id", "consumer_id")


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


def answers(name: str, con, asked: list[Question], by: str = "") -> list[Finding]:
    """Count in one pass over `raw_<name>` all that is asked; what does not occur is left out.

    `by` is a column: each of its values is asked by itself, and what they count is added up.
    """
    if not asked:
        return []
    if by:
        figures = ", ".join(f"{q.count} AS n{i}, {q.example} AS e{i}" for i, q in enumerate(asked))
        sums = ", ".join(f"SUM(n{i}), MIN(e{i})" for i in range(len(asked)))
        select = f"SELECT {sums} FROM (SELECT {figures} FROM raw_{name} GROUP BY {by})"
    else:
        figures = ", ".join(f"{question.count}, {question.example}" for question in asked)
        select = f"SELECT {figures} FROM raw_{name}"
    row = con.raw_sql(select).fetchone()
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
