"""Periods: a month written as text, and the windows that end with it."""

import calendar
import datetime as dt
import re
from typing import NamedTuple

# a month counts as complete when its last day is at most this far after the latest date
GRACE_DAYS = 3


class Window(NamedTuple):
    """Whole months from `start` to `end`, both days included."""

    start: dt.date
    end: dt.date


class Covered(NamedTuple):
    """What the data hold of a window: its first and last day, its days and whole months.

    All of it, or not.
    """

    start: dt.date
    end: dt.date
    n_days: int
    n_months: int
    is_whole: bool


def is_month(text: str) -> bool:
    """Tell whether a text is a month of a year that a period can have.

    >>> is_month("2026-10"), is_month("9999-12")
    (True, False)
    """
    return re.fullmatch(r"(19|20)\d\d-(0[1-9]|1[0-2])", text) is not None


def require_month(text: str) -> str:
    """Return `text` if it is a month such as "2026-10".

    Raises
    ------
    ValueError
        If it is anything else.

    >>> require_month("2026-10")
    '2026-10'
    """
    if not is_month(text):
        raise ValueError(f"period: {text!r} is no month; write it as year-month, e.g. '2026-10'")
    return text


def shift(month: str, n_months: int) -> str:
    """Move a month forwards, or backwards where `n_months` is negative.

    >>> shift("2026-01", -1)
    '2025-12'
    """
    index = int(month[:4]) * 12 + int(month[5:]) - 1 + n_months
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


def month_range(last: str, n_months: int) -> list[str]:
    """List the `n_months` months that end with `last`, oldest first.

    >>> month_range("2026-02", 3)
    ['2025-12', '2026-01', '2026-02']
    """
    return [shift(last, i - n_months + 1) for i in range(n_months)]


def window(period: str, n_months: int = 12) -> Window:
    """Give the window that ends with a period; without `n_months`, the year up to it.

    >>> window("2026-02", 12)
    Window(start=datetime.date(2025, 3, 1), end=datetime.date(2026, 2, 28))
    """
    first = shift(period, 1 - n_months)
    year, month = int(period[:4]), int(period[5:])
    return Window(
        dt.date(int(first[:4]), int(first[5:]), 1),
        dt.date(year, month, calendar.monthrange(year, month)[1]),
    )


def last_complete_month(latest: dt.date) -> str:
    """Name the last month whose final day is at most three days after the latest date.

    >>> last_complete_month(dt.date(2022, 10, 28)), last_complete_month(dt.date(2022, 10, 27))
    ('2022-10', '2022-09')
    """
    reached = latest + dt.timedelta(days=GRACE_DAYS)
    last_day = calendar.monthrange(reached.year, reached.month)[1]
    month = f"{reached.year:04d}-{reached.month:02d}"
    return month if reached.day == last_day else shift(month, -1)
