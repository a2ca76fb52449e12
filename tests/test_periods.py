"""Periods: months as text, windows, and which month is complete."""

import calendar
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import periods

months = st.dates(dt.date(1950, 1, 1), dt.date(2090, 12, 31)).map(lambda day: f"{day:%Y-%m}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-13",
        "2026-00",
        "2026-1",
        "26-10",
        "2026/10",
        "2026-10-01",
        "2026-10\n",
        " 2026-10",
        "2126-10",
        "../..",
        "２０２６-10",
    ],
)
def test_what_is_no_month_is_refused_by_name(text):
    with pytest.raises(ValueError, match=r"is no month; write it as year-month, e\.g\. '2026-10'"):
        periods.require_month(text)


@given(months, st.integers(-500, 500))
def test_shifting_there_and_back_changes_nothing(month, n):
    assert periods.shift(periods.shift(month, n), -n) == month
    assert (periods.shift(month, n) > month) is (n > 0)  # the text sorts as the time does


@given(months, st.integers(1, 60))
def test_a_window_is_whole_months_without_gap(month, n):
    window = periods.window(month, n)
    assert window.start.day == 1
    assert (window.end + dt.timedelta(days=1)).day == 1
    assert f"{window.end:%Y-%m}" == month
    before = periods.window(periods.shift(month, -n), n)
    assert before.end + dt.timedelta(days=1) == window.start
    assert periods.month_range(month, n)[0] == f"{window.start:%Y-%m}"
    assert len(set(periods.month_range(month, n))) == n


def test_windows_by_hand():
    assert periods.window("2024-02") == (dt.date(2023, 3, 1), dt.date(2024, 2, 29))
    assert periods.window("2026-10", 3) == (dt.date(2026, 8, 1), dt.date(2026, 10, 31))
    assert periods.month_range("2026-01", 2) == ["2025-12", "2026-01"]


@pytest.mark.parametrize(
    ("latest", "month"),
    [
        ("2022-10-31", "2022-10"),
        ("2022-10-28", "2022-10"),
        ("2022-10-27", "2022-09"),
        ("2022-11-01", "2022-10"),
        ("2023-02-25", "2023-02"),
        ("2023-02-24", "2023-01"),
        ("2024-02-26", "2024-02"),
        ("2024-02-25", "2024-01"),
        ("2022-12-29", "2022-12"),
        ("2023-01-02", "2022-12"),
        ("2022-12-27", "2022-11"),
    ],
)
def test_a_month_is_complete_from_three_days_before_its_end(latest, month):
    assert periods.last_complete_month(dt.date.fromisoformat(latest)) == month


@given(st.dates(dt.date(1950, 1, 1), dt.date(2090, 12, 31)))
def test_the_last_complete_month_follows_the_rule(latest):
    def is_complete(month: str) -> bool:
        year, number = int(month[:4]), int(month[5:])
        return (dt.date(year, number, calendar.monthrange(year, number)[1]) - latest).days <= 3

    month = periods.last_complete_month(latest)
    assert is_complete(month)
    assert not is_complete(periods.shift(month, 1))
