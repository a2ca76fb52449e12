"""Oddities: what is right line by line and makes no sense together; ids that do not meet."""

import datetime as dt
from decimal import Decimal

import ibis
import pandas as pd
import pytest

from helpers.data import checks, findings, matches, oddities, tables, wording
from helpers.data.orders import order_days
from helpers.periods import month_range
from helpers.settings import DataError

BRAND_LINES = {"Lumora": 90, "LUMORA": 5, "Lumora Pro": 3, "Kaltern": 2}


def months(*rows: tuple[str, int, str]) -> list[list]:
    """Lay out two usual years of a hundred lines a month up to October 2026, and what follows."""
    usual = [[month, 100, f"{month}-28"] for month in month_range("2026-10", 24)]
    usual[-1][2] = "2026-10-31"
    return [*usual, *(list(row) for row in rows)]


@pytest.mark.parametrize(
    ("ahead", "last"),
    [
        ([("2027-01", 2, "2027-01-31")], "2026-10"),  # beyond an empty month
        ([("2026-12", 2, "2026-12-15")], "2026-10"),
        ([("2027-01", 1, "2027-01-05"), ("2027-06", 1, "2027-06-05")], "2026-10"),
        ([("2026-11", 2, "2026-11-30")], "2026-10"),  # a month that they hardly fill
        ([("2026-11", 2, "2026-11-02")], "2026-11"),  # a month just begun ends no period anyway
        ([("2026-11", 60, "2026-11-30")], "2026-11"),
        ([("2026-12", 60, "2026-12-31")], "2026-12"),  # somebody paused
        ([("2099-12", 1, "2099-12-31")], "2026-10"),
    ],
)
def test_a_few_lines_ahead_end_no_period(ahead, last):
    rows = months(*ahead)
    assert findings.main_span(rows)[1] == last
    told = oddities.outside_span("sell_in", ["date"], rows)
    assert sum(finding.n_rows for finding in told) == sum(r[1] for r in rows if r[0] > last)
    assert all(finding.severity == "warning" for finding in told)


def test_a_month_beside_one_that_is_not_whole_is_no_news():
    rows = [*months()[:-1], ["2026-10", 60, "2026-10-20"], ["2026-11", 1, "2026-11-05"]]
    assert findings.main_span(rows)[2] == "2026-10-20"


def test_dates_far_off_and_dates_ahead_are_told_apart():
    rows = [["1900-01", 1, "1900-01-01"], *months(("2027-01", 2, "2027-01-31"))]
    told = oddities.outside_span("sell_in", ["date"], rows)
    assert [(f.check, f.n_rows, f.example) for f in told] == [
        ("outside_span", 1, "1900-01-01"),
        ("ahead_of_data", 2, "2027-01-31"),
    ]


def sales(**columns) -> ibis.Table:
    rows = pd.DataFrame(columns)
    if "date" in rows:
        rows["date"] = pd.to_datetime(rows["date"]).dt.date
    if "revenue" in rows:
        rows["revenue"] = [Decimal(str(value)) for value in rows["revenue"]]
    return ibis.memtable(rows)


@pytest.mark.parametrize(
    ("factors", "n_told"),
    [([1, 1, 1, 1], 0), ([1, 1, 0.001, 1], 6), ([1, 1, 1, 1000], 6), ([1, 2, 20, 100], 0)],
)
def test_a_month_in_thousands_is_told(factors, n_told):
    lines = sales(
        date=[f"2026-0{i + 1}-05" for i in range(4) for _ in range(6)],
        revenue=[round(1000 * factor + n, 2) for factor in factors for n in range(6)],
    )
    told = oddities.magnitude_slips("sell_in", lines)
    assert sum(finding.n_rows for finding in told) == n_told


@pytest.mark.parametrize(
    ("latitude", "longitude", "n"), [(31.2, 121.4, 0), (121.4, 31.2, 1), (31.2, 190.0, 1)]
)
def test_places_beyond_a_pole_are_told(latitude, longitude, n):
    lines = sales(dealer_id=["1"], latitude=[latitude], longitude=[longitude])
    told = oddities.swapped_places("dealers", lines)
    assert [finding.n_rows for finding in told] == [n] * bool(n)


def test_brands_nearly_ours_are_named_with_their_share(make_book):
    lines = sales(brand=list(BRAND_LINES), revenue=list(BRAND_LINES.values()))
    (told,) = oddities.near_brands(make_book(sell_in="dealer_id,date,revenue\n"), "sell_in", lines)
    assert (told.n_rows, told.severity) == (2, "warning")
    assert told.example == "'LUMORA', 'Lumora Pro' (8.0% of revenue)"


@pytest.mark.parametrize(
    ("brand", "ours", "is_near"),
    [
        ("诺维垃", "诺维拉", True),
        ("诺维拉电器", "诺维拉", True),
        ("对手牌", "诺维拉", False),
        ("LG", "LC", False),
        ("Lumora", "Lumora", False),
        ("lumora", "Lumora", True),
    ],
)
def test_which_brands_are_nearly_ours(brand, ours, is_near):
    assert oddities._is_nearly(brand, ours) is is_near


@pytest.mark.parametrize(
    ("lines", "days"),
    [
        ([(1, "a", 100)], [1]),
        ([(1, "a", 100), (1, "a", -100)], []),
        ([(1, "a", 100), (1, "b", -100)], []),  # cancelled under a number of its own
        ([(1, "a", 100), (1, "a", -40)], [1]),  # in part
        ([(1, "a", 100), (2, "a", -100)], [1]),  # a day later it was an order, and a return
        ([(1, "a", 60), (1, "a", 40), (1, "a", -100)], []),
        ([(1, "a", 100), (1, "b", -500)], [1]),  # goods of another day came back
        ([(1, None, 100), (1, None, -100)], []),
        ([(1, None, 100), (1, None, 100), (1, None, -100)], [1]),
        ([(1, None, 0), (1, None, -5)], []),
        ([(1, "a", 100), (1, "a", -100), (3, "c", 5)], [3]),
    ],
)
def test_an_order_cancelled_on_its_day_is_none(lines, days):
    given = sales(
        dealer_id=["7"] * len(lines),
        date=[f"2026-10-0{day}" for day, _order, _revenue in lines],
        order_id=pd.array([order for _day, order, _revenue in lines], "string"),
        revenue=[revenue for _day, _order, revenue in lines],
    )
    got = order_days(given).order_by("date").to_pandas()["date"]
    assert [pd.Timestamp(day).date() for day in got] == [dt.date(2026, 10, day) for day in days]
    plain = order_days(given.drop("order_id")).to_pandas()
    assert len(plain) <= len({day for day, _order, revenue in lines if revenue > 0})


def test_a_return_of_another_product_cancels_nothing():
    given = sales(
        dealer_id=["7", "7"],
        date=["2026-10-01"] * 2,
        product_id=["P1", "P2"],
        revenue=[100, -100],
    )
    assert len(order_days(given).to_pandas()) == 1


SOLD = "dealer_id,date,revenue\n"
PAID = "dealer_id,date,amount\n"


def lines_of(head: str, *ids: str) -> str:
    return head + "".join(f"{one},2026-10-{i + 1:02d},{i + 1}\n" for i, one in enumerate(ids))


@pytest.mark.parametrize(
    ("given", "table", "n", "mend"),
    [
        (
            {"sell_in": ("00101", "00102", "00103"), "payments": ("101", "102", "103")},
            "payments",
            3,
            "lpad(dealer_id, 5, '0')",
        ),
        (
            {"sell_in": ("101", "102"), "dealers": ("00101", "00102")},
            "sell_in",
            2,
            "lpad(dealer_id, 5, '0')",
        ),
        (
            {"sell_in": ("00101", "00202"), "dealers": ("101", "202")},
            "sell_in",
            2,
            "ltrim(dealer_id, '0')",
        ),
        ({"sell_in": ("k1", "K2"), "dealers": ("K1", "K2")}, "sell_in", 1, "upper(dealer_id)"),
        ({"sell_in": ("K1", "k1", "K1")}, "sell_in", 1, "upper(dealer_id)"),
    ],
)
def test_a_dealer_split_in_two_stops_the_run_with_what_would_mend_it(
    make_book, given, table, n, mend
):
    heads = {"sell_in": SOLD, "payments": PAID, "dealers": "dealer_id,city,dealer_name\n"}
    book = make_book(brand="", **{t: lines_of(heads[t], *ids) for t, ids in given.items()})
    (error,) = checks.id_errors(book)
    assert (error.table, error.column, error.check, error.n_rows) == (
        table,
        "dealer_id",
        "twins",
        n,
    )
    told = wording.in_words(book, error)
    assert f'dealer_id = "{mend}"' in told
    assert f"[data.{table}.columns] of workbook.toml" in told


def test_two_that_are_both_listed_are_two(make_book):
    listed = lines_of("dealer_id,city,dealer_name\n", "7", "007")
    book = make_book(brand="", sell_in=lines_of(SOLD, "7", "007"), dealers=listed)
    assert matches.id_findings(book) == []


def test_tables_whose_ids_do_not_meet_are_told(make_book):
    book = make_book(
        brand="", sell_in=lines_of(SOLD, "A", "B", "C"), payments=lines_of(PAID, "X", "Y", "C")
    )
    (told,) = matches.id_findings(book)
    assert (told.check, told.severity, told.n_rows) == ("match_rate", "warning", 2)
    assert told.example == "1 of 3 ids are in sell_in, 'X' is not"


def test_payments_alike_are_no_repeats_but_a_file_pasted_twice_is(make_book):
    paid = lines_of(PAID, "A", "B", "C")
    once = checks.findings(
        make_book(brand="", sell_in=lines_of(SOLD, "A"), payments=paid + "A,2026-10-01,1\n")
    )
    assert "repeated" not in set(once["check"])
    twice = checks.findings(
        make_book(brand="", sell_in=lines_of(SOLD, "A"), payments=paid + paid[len(PAID) :])
    )
    assert twice.loc[twice["check"] == "repeated", "n_rows"].tolist() == [3]


def test_one_header_is_not_two_amounts(make_book):
    book = make_book(
        brand="",
        sell_in=lines_of(SOLD, "A"),
        extra='[data.sell_in.columns]\nrevenue = "revenue"\ncost = "revenue"\n',
    )
    with pytest.raises(DataError, match="map each amount to a column of its own"):
        tables.table(book, "sell_in")
