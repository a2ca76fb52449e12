"""The table is found among titles, headers, totals and remarks; each row is read or told of."""

import itertools
import re

import pytest

from helpers.data.readers import layouts, totals, wide
from helpers.data.readers.grid import Grid, ReadAs, Row
from helpers.settings import DataError

HEADER = ["dealer_id", "date", "revenue", "quantity", "remark"]
ROWS = [
    [f"{i % 7:05d}", f"2026-{i % 12 + 1:02d}-05", f"{i}.50", str(i % 9 + 1), "" if i % 3 else "x"]
    for i in range(1, 31)
]
SUMS = [str(sum(float(row[2]) for row in ROWS)), str(sum(int(row[3]) for row in ROWS))]
BLANK = [""] * 5


def laid(rows: list[list[str]], read_as: ReadAs | None = None):
    grid = Grid("", lambda: iter([Row(i, list(cells)) for i, cells in enumerate(rows, start=1)]))
    layout = layouts.laid_out(grid, read_as or ReadAs(), "x.csv")
    return layout, [row.cells for row in layouts.rows_of(grid, layout)]


def told(layout) -> dict[str, tuple[int, int]]:
    return {note.what: (note.line, note.n_rows) for note in layout.notes}


def test_a_plain_table_is_all_table():
    layout, rows = laid([HEADER, *ROWS])
    assert list(layout.header) == HEADER
    assert rows == ROWS
    assert layout.notes == ()
    assert (layout.n_rows, layout.n_in_file) == (30, 31)


TITLES = {
    "a title": [["Sales by dealer", "", "", "", ""]],
    "a title of one cell": [["Sales by dealer"]],
    "two titles and a blank": [
        ["销售出库明细表"],
        ["2026-01-01 — 2026-12-31", "", "", "", ""],
        BLANK,
    ],
    "a label and its value": [["Period:", "2026-10", "", "", ""]],
    "comments": [["# exported by the ERP"], ["# 2026-11-01"]],
}
FEET = {
    "a remark": [["Prepared by: Zhang San", "", "", "", ""]],
    "a remark of one cell": [["制表人：张三"]],
    "a blank and two remarks": [BLANK, ["Note: without tax"], ["Printed by the ERP"]],
}
TOTALS = {
    "word": [["Total", "", *SUMS, ""]],
    "word with a colon": [["合计：", "", *SUMS, ""]],
    "grand": [["Grand Total", "", *SUMS, ""]],
    "German": [["Summe", "", *SUMS, ""]],
    "in the second column": [["", "总计", *SUMS, ""]],
    "no word at all": [["", "", *SUMS, ""]],
    "dated, without a dealer": [["", "2026-12-31", *SUMS, ""]],
    "with a thousands mark": [["Total", "", f"{float(SUMS[0]):,.2f}", SUMS[1], ""]],
}


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("foot", [None, *FEET])
@pytest.mark.parametrize("total", [None, "word", "no word at all", "in the second column"])
def test_titles_totals_and_remarks_are_left_out(title, foot, total):
    above = TITLES[title]
    below = [*(TOTALS[total] if total else []), *(FEET[foot] if foot else [])]
    layout, rows = laid([*above, HEADER, *ROWS, *below])
    assert list(layout.header) == HEADER
    assert rows == ROWS
    n_out = sum(note.n_rows for note in layout.notes if note.is_left_out)
    assert layout.n_rows + n_out + 1 == layout.n_in_file == len(above) + 31 + len(below)


@pytest.mark.parametrize("total", TOTALS)
def test_totals_are_told_by_word_or_by_arithmetic(total):
    layout, rows = laid([HEADER, *ROWS, *TOTALS[total]])
    assert rows == ROWS
    assert told(layout) == {"total": (32, 1)}


@pytest.mark.parametrize("word", ["小计", "Subtotal", "00001 小计", "Zwischensumme", ""])
def test_subtotals_between_the_rows_are_left_out(word):
    parts = [ROWS[i : i + 10] for i in range(0, 30, 10)]
    rows = []
    for part in parts:
        sums = [str(sum(float(r[2]) for r in part)), str(sum(int(r[3]) for r in part))]
        rows += [*part, [word, "", *sums, ""]]
    layout, found = laid([HEADER, *rows, ["总计", "", *SUMS, ""]])
    assert found == ROWS
    assert told(layout) == {"total": (12, 4)}


@pytest.mark.parametrize("name", ["Total", "Summa Light", "合计灯饰", "Total Energies"])
def test_a_dealer_may_be_called_so(name):
    rows = [[name, *row[1:]] if i % 5 == 0 else row for i, row in enumerate(ROWS)]
    layout, found = laid([HEADER, *rows])
    assert found == rows
    assert {note.what for note in layout.notes} == ({"like_total"} if name == "Total" else set())


def test_rows_without_a_dealer_are_rows_unless_they_add_up():
    rows = [["", *row[1:]] if i in (5, 29) else row for i, row in enumerate(ROWS)]
    layout, found = laid([HEADER, *rows])
    assert found == rows
    assert layout.notes == ()


def test_a_dealer_without_a_name_at_the_end_is_a_dealer():
    rows = [["001", "A"], ["002", "B"], ["003", "C"], ["004", ""]]
    layout, found = laid([["dealer_id", "dealer_name"], *rows])
    assert found == rows
    assert layout.notes == ()


@pytest.mark.parametrize("every", [3, 10])
def test_a_header_that_is_printed_on_each_page(every):
    rows = list(
        itertools.chain.from_iterable([HEADER, *ROWS[i : i + every]] for i in range(0, 30, every))
    )
    layout, found = laid(rows)
    assert found == ROWS
    assert told(layout) == {"repeated_header": (every + 2, 30 // every - 1)}


def test_blank_rows_between():
    rows = [row for pair in zip(ROWS, [BLANK] * 30, strict=True) for row in pair]
    layout, found = laid([HEADER, *rows])
    assert found == ROWS
    assert told(layout) == {"blank": (3, 30)}


def test_a_second_table_is_not_the_first():
    other = [["dealer_id", "date", "amount"], *([row[0], row[1], row[2]] for row in ROWS)]
    layout, found = laid([HEADER, *ROWS, *other])
    assert found == ROWS
    assert told(layout) == {"second_table": (32, 31)}


def test_a_header_of_several_rows_is_one():
    groups = ["Dealer", "", "Sales", "", ""]
    layout, found = laid([["Dealer", "Day", "Sales", "Sales", "Remark"], HEADER, *ROWS])
    assert layout.header[2:4] == ("Sales revenue", "Sales quantity")
    assert found == ROWS
    layout, found = laid([groups, HEADER, *ROWS])
    assert found == ROWS


def test_without_a_header_none_is_made_up():
    layout, found = laid(ROWS)
    assert layout.header == ()
    assert found == ROWS


def test_all_text_has_a_header_where_the_first_row_says_what_no_other_does():
    rows = [["East", "Anna"], ["West", "Bert"], ["East", "Carl"]]
    layout, found = laid([["region", "manager"], *rows])
    assert layout.header == ("region", "manager")
    layout, found = laid([["East", "Dora"], *rows])
    assert layout.header == ()
    assert len(found) == 4


def test_months_as_headers_are_headers():
    header = ["dealer_id", "2026-01", "2026-02", "2026-03"]
    layout, found = laid([header, *([f"{i:03d}", "1.5", "2.5", "3.5"] for i in range(5))])
    assert list(layout.header) == header
    assert len(found) == 5


@pytest.mark.parametrize(
    "header", ["January,February,March", "Jan.,Feb.,Mar.", "1月,2月,3月", "一月,二月,三月份"]
)
@pytest.mark.parametrize(
    ("title", "months"),
    [
        ("Sales by customer 2026", ["2026-01", "2026-02", "2026-03"]),
        ("2026年销售额", ["2026-01", "2026-02", "2026-03"]),
        ("2025 and 2026", []),  # of which of them, nobody wrote down
        ("Sales by customer", []),
    ],
)
def test_months_without_a_year_are_of_the_one_that_the_title_names(header, title, months):
    year = wide.year_of([title])
    assert list(wide.months_of(("id", *header.split(",")), year).values()) == months


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        (ROWS[3][:4], "fewer_cells"),
        (ROWS[3][:2], "fewer_cells"),
        ([*ROWS[3], "more"], "more_cells"),
        ([*ROWS[3][:2], "", *ROWS[3][2:]], "more_cells"),
    ],
)
@pytest.mark.parametrize("at", [0, 15, 29])
def test_a_row_of_another_width_is_kept_and_told(cells, what, at):
    rows = [*ROWS[:at], cells, *ROWS[at:]]
    layout, found = laid([HEADER, *rows])
    assert found == rows
    assert told(layout) == {what: (at + 2, 1)}


def test_many_rows_parted_otherwise_are_no_remark():
    rows = [[";".join(row)] for row in ROWS]
    layout, found = laid([HEADER, *ROWS, *rows])
    assert found == [*ROWS, *rows]
    assert told(layout) == {"fewer_cells": (32, 30)}


def test_the_header_can_be_said():
    layout, found = laid([["a", "b", "c", "d", "e"], HEADER, *ROWS], ReadAs(header=2))
    assert list(layout.header) == HEADER
    assert found == ROWS
    with pytest.raises(DataError, match="line 99 is no header"):
        laid([HEADER, *ROWS], ReadAs(header=99))


def test_a_header_without_rows():
    layout, found = laid([HEADER])
    assert list(layout.header) == HEADER
    assert found == []


@pytest.mark.parametrize("word", ["Total", "合计", "TOTALS", "Summe"])
@pytest.mark.parametrize("every", [10, 30])
def test_a_total_with_all_its_cells_adds_up(word, every):
    rows = []
    for i in range(0, 30, every):
        part = [[*row[:4], "x"] for row in ROWS[i : i + every]]
        sums = [str(sum(float(r[2]) for r in part)), str(sum(int(r[3]) for r in part))]
        rows += [*part, [word, "2026-12-31", *sums, "x"]]
    layout, found = laid([HEADER, *rows])
    assert found == [[*row[:4], "x"] for row in ROWS]
    assert told(layout)["total"][1] == 30 // every


def test_a_short_list_ends_in_its_total():
    for n in (2, 3, 9):
        rows = [[str(i), str(i * 10)] for i in range(1, n + 1)]
        total = ["Total", str(sum(10 * i for i in range(1, n + 1)))]
        layout, found = laid([["Dealer No", "Revenue"], *rows, total])
        assert found == rows
        assert told(layout) == {"total": (n + 2, 1)}
        _layout, found = laid([["Dealer No", "Revenue"], *rows, ["Total", "7"]])
        assert found == [*rows, ["Total", "7"]]  # a dealer of that name


@pytest.mark.parametrize("at", [0, 1, 14, 28, 29])
@pytest.mark.parametrize("name", ["Beta Lights Ltd.", "上海明辉灯饰有限公司", "Alpha & Sons"])
def test_a_customer_of_whom_only_the_name_is_known_is_a_customer(at, name):
    rows = [
        [f"Shop {i} of {'north' if i % 2 else 'the south'}", "Paris", str(i)] for i in range(30)
    ]
    rows[at] = [name, "", ""]
    layout, found = laid([["Customer", "City", "Phone"], *rows])
    assert found == rows
    assert layout.notes == ()


def test_the_same_columns_in_another_order_are_no_second_table():
    other = [["date", "dealer_id", *HEADER[2:]], *([r[1], r[0], *r[2:]] for r in ROWS)]
    layout, found = laid([HEADER, *ROWS, *other])
    assert found == ROWS
    assert told(layout) == {"same_columns": (32, 31)}


@pytest.mark.parametrize(
    "word",
    ["Ergebnis", "Gesamtergebnis", "Sum", "Total A", "Summe A:", "Итого по клиенту A", "Итог"],
)
def test_subtotals_have_many_names(word):
    layout, found = laid([HEADER, *ROWS, [word, "", *SUMS, ""]])
    assert found == ROWS
    assert told(layout) == {"total": (32, 1)}


@pytest.mark.parametrize("amounts", [["0.00", "0.00", "-0.01"], ["0.00", "0.00", "0.00", "12.50"]])
def test_what_is_the_one_amount_before_it_is_no_sum_of_it(amounts):
    rows = [["D1", amount, "A"] for amount in amounts] + [["D1", amounts[-1], ""]]
    layout, found = laid([["dealer_id", "revenue", "mark"], *rows, *[["D1", "0.00", "A"]] * 4])
    assert len(found) == len(rows) + 4
    assert layout.notes == ()


CALLED = (
    *(
        "TOTAL:",
        "Gesamtergebnis",
        "Total general",
        "Overall Result",
        "Suma",
        "Somme",
        "Totale",
        "Totaal",
    ),
    *(
        "Razem",
        "Toplam",
        "Celkem",
        "Összesen",
        "합계",
        "本月合计",
        "Total (EUR)",
        "Company total",
        "Net total",
    ),
    *("All dealers", "T O T A L", "Σ", "**", "Всего", "Zwischensumme", "总计", "Total September"),
)
DEALERS = [["Alpha", "1", "2", "3"], ["Beta", "4", "5", "6"], ["Gamma", "10", "12", "20"]]
WIDE = ["Customer", "2026-08", "2026-09", "2026-10"]


@pytest.mark.parametrize("word", CALLED)
@pytest.mark.parametrize("at", [0, 2, 3])
def test_a_total_of_a_wide_table_is_left_out_wherever_it_stands(word, at):
    rows = [*DEALERS[:at], [word, "15", "19", "29"], *DEALERS[at:]]
    layout, found = laid([WIDE, *rows])
    assert found == DEALERS
    assert told(layout) == {"total": (at + 2, 1)}


@pytest.mark.parametrize("word", CALLED)
def test_a_total_that_has_a_date_is_left_out(word):
    rows = [["Alpha", "2026-09-03", "1", "100.40"], ["Beta", "2026-09-14", "2", "200.30"]]
    for total in ("300.70", "301", "300.7"):
        _layout, found = laid(
            [["Customer", "date", "Qty", "Amount"], *rows, [word, "2026-09-30", "3", total]]
        )
        assert found == rows, total


NESTED = {
    "named": ["Total N", "Total S", "Grand Total"],
    "chinese": ["华东小计", "华南小计", "总计"],
    "of the regions": ["North", "South", "Together"],  # whatever they are called, they add up
}


@pytest.mark.parametrize("names", NESTED.values(), ids=NESTED)
def test_subtotals_and_their_total_are_left_out(names):
    dealers = [*DEALERS, ["Delta", "1", "1", "1"]]
    north, south = ["5", "7", "9"], ["11", "13", "21"]
    if names == NESTED["of the regions"]:
        dealers.insert(2, ["Beta 2", "3", "3", "3"])
        north = ["8", "10", "12"]
    n = len(dealers) - 2
    both = [str(int(a) + int(b)) for a, b in zip(north, south, strict=True)]
    rows = [*dealers[:n], [names[0], *north], *dealers[n:], [names[1], *south], [names[2], *both]]
    layout, found = laid([WIDE, *rows])
    expected = dealers if names != NESTED["of the regions"] else None
    if expected:
        assert found == expected
        assert told(layout)["total"][1] == 3
    else:  # two rows alone may come to a third by chance
        assert [names[0], *north] not in found


def test_one_dealer_and_his_total():
    rows = [["张三", "2026-09-01", "1", "500"], ["张三小计", "2026-09-30", "1", "500"]]
    rows += [["李四", "2026-09-03", "1", "100"], ["李四小计", "2026-09-30", "1", "100"]]
    layout, found = laid(
        [["客户", "日期", "数量", "金额"], *rows, ["合计", "2026-09-30", "2", "600"]]
    )
    assert found == [rows[0], rows[2]]
    assert told(layout) == {"total": (3, 3)}


def test_a_customer_called_total_energies_is_one_also_where_a_cell_is_empty():
    rows = [
        ["Alpha", "N", "2026-09-03", "1", "100"],
        ["Beta", "N", "2026-09-04", "2", "200"],
        ["Total Energies", "", "2026-09-05", "", "77"],
        ["Gamma", "S", "2026-09-06", "1", "50"],
    ]
    _layout, found = laid([["Customer Name", "Region", "Posting Date", "Qty", "Amount"], *rows])
    assert found == rows


def test_a_total_that_does_not_add_up_is_left_out_and_told():
    rows = [["Alpha", "2026-09-03", "100"], ["Beta", "2026-09-14", "200"]]
    layout, found = laid([["Customer", "date", "Amount"], *rows, ["Total", "", "999"]])
    assert found == rows
    assert told(layout) == {"total": (4, 1), "total_differs": (4, 1)}
    layout, found = laid([["Customer", "date", "Amount"], *rows, ["Total", "", "300"]])
    assert told(layout) == {"total": (4, 1)}


BALANCES = ("Opening Balance", "期初余额", "Closing balance", "Saldovortrag", "Balance forward")


@pytest.mark.parametrize("word", BALANCES)
def test_a_balance_between_the_lines_is_told(word):
    rows = [["Alpha", "2026-09-03", "100"], [word, "2026-09-30", "2300"]]
    layout, found = laid([["Customer", "date", "Amount"], *rows])
    assert found == rows
    assert told(layout) == {"balance": (3, 1)}


@pytest.mark.parametrize("word", [*CALLED, *BALANCES, "华东小计", "Subtotal", "Ergebnis", "итого"])
def test_what_is_called_a_total_has_its_file_looked_at_closely(word):
    """DuckDB reads a clean file by itself, and asks by this pattern whether it is one."""
    assert totals.says_total(word) or totals.says_balance(word)
    assert re.search(totals.SUSPECT, word)
