"""Pivot tables: labels that stand once over their rows, titles of groups, headers printed again."""

import itertools
import random

import openpyxl
import pytest

from helpers.data import readers
from helpers.settings import ReadAs

MONTHS = ("2026-08", "2026-09", "2026-10")
DEALERS = ("North Ltd", "D-17", "老王电器", "00123")


def table(levels: int, seed: int) -> list[list[str]]:
    """Make rows of one or two labels, a month and an amount; each row whole."""
    draw = random.Random(seed)
    ways = DEALERS if levels == 1 else list(itertools.product(DEALERS, ("A", "B", "C")))
    return [
        [*([way] if levels == 1 else way), month, f"{draw.randint(1, 99999) / 100:.2f}"]
        for way in ways
        for month in MONTHS
        if draw.random() < 0.9 or month == MONTHS[0]
    ]


def pivoted(rows: list[list[str]], levels: int, totals: bool) -> list[list[str]]:
    """Blank the labels that repeat, as a pivot table does, with or without its totals."""
    found, before = [], [""] * levels
    for i, row in enumerate(rows):
        same = [row[: k + 1] == before[: k + 1] for k in range(levels)]
        found.append(
            [*("" if is_same else c for is_same, c in zip(same, row, strict=False)), *row[levels:]]
        )
        before = row[:levels]
        is_last = i + 1 == len(rows) or rows[i + 1][0] != row[0]
        if totals and is_last:
            part = sum(round(float(r[-1]) * 100) for r in rows if r[0] == row[0])
            found.append([f"{row[0]} Total", *[""] * levels, f"{part / 100:.2f}"])
    if totals:
        cents = sum(round(float(row[-1]) * 100) for row in rows)
        found.append(["Grand Total", *[""] * levels, f"{cents / 100:.2f}"])
    return found


def written(path, rows):
    if path.suffix == ".csv":
        path.write_text("".join(readers.csv_line(row) for row in rows))
    else:
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
    return path


def read(path):
    found = readers.read(path, ReadAs(), path.name)
    header, rows, notes = readers.turned(found)
    return list(header), [list(row.cells) for row in rows], {n.what: n for n in notes}


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
@pytest.mark.parametrize("totals", [True, False])
@pytest.mark.parametrize("levels", [1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_the_labels_of_a_pivot_hold_for_the_rows_below(tmp_path, levels, totals, seed, ending):
    rows = table(levels, seed)
    header = (
        ["Dealer", "Brand", "Month", "Amount"] if levels == 2 else ["Dealer", "Month", "Amount"]
    )
    path = written(tmp_path / f"f.{ending}", [header, *pivoted(rows, levels, totals)])
    assert read(path)[:2] == (header, rows)
    assert "labels" in read(path)[2]


@pytest.mark.parametrize(
    "firsts",
    [
        ["A", "", "", "A", "", "", "B", ""],  # a label twice: what is blank has none
        ["", "A", "", "", "B", "", "", ""],  # nothing above the first
        ["A", "B", "C", "D", "", "E", "F", "G"],  # one blank is one forgotten
        ["A", "", "", "", "", "", "", ""],  # one label is no pivot
    ],
)
def test_other_blanks_stay_blank(tmp_path, firsts):
    rows = [[first, f"2026-10-{i + 1:02}", f"{i}.50"] for i, first in enumerate(firsts)]
    path = written(tmp_path / "f.csv", [["Dealer", "Date", "Amount"], *rows])
    assert read(path)[1] == rows


@pytest.mark.parametrize("prefix", ["Customer ", "", "客户"])
def test_titles_of_groups_above_days_are_a_column_of_their_own(tmp_path, prefix):
    rows, whole = [], []
    for name in ("Alpha", "Beta", "Gamma"):
        own = [[f"2026-10-0{i}", str(i), "x", f"{i * len(name)}.00"] for i in range(1, 5)]
        rows += [[f"{prefix}{name}", "", "", ""], *own]
        total = sum(float(row[-1]) for row in own)
        rows.append([f"Total {prefix}{name}", "", "", f"{total:.2f}"])
        whole += [[*row, f"{prefix}{name}"] for row in own]
    grand = sum(float(row[3]) for row in whole)
    rows.append(["TOTAL", "", "", f"{grand:.2f}"])
    path = written(tmp_path / "f.csv", [["Date", "Num", "Memo", "Amount"], *rows])
    assert read(path)[:2] == (["Date", "Num", "Memo", "Amount", "group"], whole)


@pytest.mark.parametrize("pages", [2, 5])
def test_totals_are_found_between_headers_that_are_printed_again(tmp_path, pages):
    header = ["Customer", "Date", "Amount"]
    rows, whole = [], []
    for page in range(pages):
        own = [[f"C{i}", f"2026-10-0{i}", f"{page + i}.25"] for i in range(1, 3)]
        total = sum(float(row[-1]) for row in own)
        rows += [header, *own, ["Total", "2026-10-31", f"{total:.2f}"]]
        whole += own
    path = written(tmp_path / "f.csv", rows)
    header_, found, notes = read(path)
    assert (header_, found) == (header, whole)
    assert notes["total"].n_rows == pages
