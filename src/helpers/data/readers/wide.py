"""Wide tables: a column for each month becomes a row for each, as the contract has it."""

import re
from collections.abc import Iterable, Iterator, Sequence

from helpers.data.readers.grid import Row
from helpers.data.readers.totals import says_total

LEAST_MONTHS = 3  # columns of months that make a table wide
TURNED = ("date", "month", "value")  # columns that take their place
NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
YEAR_FIRST = re.compile(r"((?:19|20)\d\d)\s*[-/.年]?\s*(\d{1,2})\s*月?(?:[-/.]0?1)?")
YEAR_LAST = re.compile(r"(\d{1,2})\s*[-/.]\s*((?:19|20)\d\d)")
NAMED = re.compile(r"([A-Za-z]{3})[a-z]*\.?[-\s,']*((?:19|20)?\d\d)")
YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
DAY = re.compile(
    r"(?<!\d)(?:19|20)\d\d[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}日?|"
    r"(?<!\d)\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d(?!\d)"
)
ALONE = re.compile(r"([A-Za-z]{3,9})\.?|(\d{1,2}|十[一二]?|[一二三四五六七八九])\s*月份?")
IN_FULL = re.compile(
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    "sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
CHINESE = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"]


def year_of(titles: Iterable[str]) -> str:
    """Give the one year that titles name; "" where they name none or several.

    A single day is the one on which the file was printed, and says nothing of its months.

    >>> year_of(["Sales by customer", "Jan to Mar 2026"]), year_of(["2025 and 2026"])
    ('2026', '')
    >>> year_of(["Printed 2026-01-05"]), year_of(["01.01.2026 - 31.03.2026"])
    ('', '2026')
    """
    text = " / ".join(titles)
    days = DAY.findall(text)
    years = set(YEAR.findall(DAY.sub("", text) if len(days) == 1 else text))
    return years.pop() if len(years) == 1 else ""


def month_of(header: str, year: str = "") -> str:
    """Give the month that a header names, as 2026-10; "" where it names none.

    A month without its year is of the `year` given, and none without.

    >>> [month_of(text) for text in ("2025年11月", "202511", "Nov-25", "11/2025", "quantity")]
    ['2025-11', '2025-11', '2025-11', '2025-11', '']
    >>> [month_of(text, "2026") for text in ("March", "Sept.", "3月", "十一月", "Marketing")]
    ['2026-03', '2026-09', '2026-03', '2026-11', '']
    """
    text = header.strip()
    if year and (found := ALONE.fullmatch(text)):
        return f"{year}-{n:02d}" if (n := _number(*found.groups())) else ""
    if found := YEAR_FIRST.fullmatch(text):
        year, month = found.groups()
    elif found := YEAR_LAST.fullmatch(text):
        month, year = found.groups()
    elif (found := NAMED.fullmatch(text)) and found[1].lower() in NAMES:
        year, month = found[2].rjust(4, "0"), str(NAMES.index(found[1].lower()) + 1)
        year = f"20{year[2:]}" if year.startswith("00") else year
    else:
        return ""
    return f"{year}-{int(month):02d}" if 1 <= int(month) <= 12 else ""


def _number(name: str | None, number: str | None) -> int:
    """Number a month that is named; 0 for a name of none."""
    if number:
        n = CHINESE.index(number) + 1 if number in CHINESE else int(number)
        return n if n <= len(NAMES) else 0
    name = (name or "").casefold()
    return NAMES.index(name[:3]) + 1 if IN_FULL.fullmatch(name) else 0


def months_of(header: Sequence[str], year: str = "") -> dict[int, str]:
    """Give the columns of months, by their place; none where the table is not wide.

    `year` is that of months which name none, as `month_of` takes it.

    >>> months_of(("id", "2026-01", "2026-02", "2026-03"))
    {1: '2026-01', 2: '2026-02', 3: '2026-03'}
    """
    found = {i: month for i, cell in enumerate(header) if (month := month_of(cell, year))}
    is_wide = len(found) >= LEAST_MONTHS and len(set(found.values())) == len(found)
    return found if is_wide and len(found) < len(header) else {}


def turned_header(header: tuple[str, ...], months: dict[int, str]) -> tuple[str, ...]:
    """Give the header of the turned table: what is no month, and the three that take their place.

    >>> turned_header(("id", "2026-01", "2026-02"), {1: "2026-01", 2: "2026-02"})
    ('id', 'date', 'month', 'value')
    """
    return (*(header[i] for i in _kept(header, months)), *TURNED)


def _kept(header: tuple[str, ...], months: dict[int, str]) -> list[int]:
    """List the columns that stay: a total of the months would count in each of them."""
    return [i for i, cell in enumerate(header) if i not in months and not says_total(cell)]


def turned(rows: Iterator[Row], header: tuple[str, ...], months: dict[int, str]) -> Iterator[Row]:
    """Give a row for each month that has a value; its date is the month's first day."""
    kept = _kept(header, months)
    for row in rows:
        cells = [*row.cells, *[""] * (len(header) - len(row.cells))]
        rest = [cells[i] for i in kept]
        for i, month in months.items():
            if cells[i].strip():
                yield Row(row.line, [*rest, f"{month}-01", month, cells[i]])
