"""Telling: what the checks found, by file and worst first, for people and for programs."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from helpers import words
from helpers.data.connections import source_name
from helpers.data.findings import Finding
from helpers.data.wording import as_warning, in_words
from helpers.settings import Workbook

# warnings that may cost a whole page stand above those that cost a row, whatever their number
GRAVE = (
    "match_rate",
    "twins",
    "rivals_only",
    "near_brand",
    "returns_added",
    "not_sold",
    "other_currency",
    "magnitude",
    "overlap",
    "beyond_pole",
    "ahead_of_data",
    "outside_span",
    "unknown",
    "unidentified",
    "direction",
    "taker",
)
HALF = 0.5  # of a table's rows: what so many lack is grave, too
DEFAULTS = {
    "table": "",
    "column": "",
    "check": "",
    "severity": "",
    "n_rows": 0,
    "example": "",
    **Finding._field_defaults,
}


def told(book: Workbook, found: pd.DataFrame, rows_of: dict[str, int]) -> list[dict[str, Any]]:
    """Put findings in order and in words.

    Parameters
    ----------
    found
        As `checks.findings` gives them.
    rows_of
        Rows of each table, where known: a warning about half of them is grave.

    Returns
    -------
    list of dict
        By file: `file` (or what else the table comes from), `line` (None where the source has
        none), `table`, `column`, `severity`, `check`, `n_rows`, `example`, `message` (what is
        wrong, in one sentence), `next_step`.
    """
    rows = []
    for row in found.itertuples(index=False):
        finding = Finding(*(getattr(row, field, default) for field, default in DEFAULTS.items()))
        file = finding.file or source_name(book, finding.table)
        is_error = finding.severity == "error"
        message = in_words(book, finding) if is_error else as_warning(finding, file)
        rank = (
            not is_error,
            not _is_grave(finding.check) and finding.n_rows < HALF * rows_of.get(finding.table, 0),
            GRAVE.index(finding.check) if finding.check in GRAVE else len(GRAVE),
            -finding.n_rows,
        )
        rows.append(
            {
                "file": file,
                "line": finding.line or None,
                "table": finding.table,
                "column": finding.column,
                "severity": finding.severity,
                "check": finding.check,
                "n_rows": finding.n_rows,
                "example": finding.example,
                "message": message,
                "next_step": row.advice,
                "rank": rank,
            }
        )
    worst = {}
    for row in rows:
        worst[row["file"]] = min(worst.get(row["file"], row["rank"]), row["rank"])
    rows.sort(key=lambda row: (worst[row["file"]], row["file"], row["rank"]))
    return [{key: value for key, value in row.items() if key != "rank"} for row in rows]


def _is_grave(check: str) -> bool:
    # what of a file is no row, or not what it seems, may be a whole page, too
    return check in GRAVE or check.startswith(("rows_", "file_"))


def listed(rows: list[dict[str, Any]], visible: Callable[[str], str]) -> list[str]:
    """Lay out findings by file: what is wrong, and the next step below it.

    What comes from the data stays on its line (`visible` makes it so); a source's error is in lines
    of our own.
    """
    said, file = [], None
    for row in rows:
        if row["file"] != file:
            file = row["file"]
            said.append(visible(file))
        lines = row["message"].split("\n") if row["check"] == "source" else [row["message"]]
        head = "finding.head_on_line" if row["line"] else "finding.head"
        severity = words.translated(row["severity"], words.label(row["severity"]))
        for text in lines:
            told = words.message(head, severity=severity, line=row["line"], said=visible(text))
            said.append(f"  {told}")
        said.append(f"    {visible(row['next_step'])}")
    return said
