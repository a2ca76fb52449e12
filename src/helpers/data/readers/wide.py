"""Wide tables: a column for each month becomes a row for each, as the contract has it."""

import functools
import re
from collections.abc import Iterable, Iterator, Sequence

from helpers.data.readers.grid import Row
from helpers.data.readers.totals import says_total

LEAST_MONTHS = 3  # columns of months that make a table wide
LEAST_DATED = 2  # the same where each of them names its year, and is no bare number
TURNED = ("date", "month", "value")  # columns that take their place
NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
YEAR_FIRST = re.compile(r"((?:19|20)\d\d)\s*[-/.年]?\s*(\d{1,2})\s*月?(?:[-/.]0?1)?")
YEAR_LAST = re.compile(r"(\d{1,2})\s*[-/.]\s*((?:19|20)\d\d)")
# as other languages write them, in full and short; English is first
OTHERS = (
    "januar jänner januari janvier enero gennaio janeiro styczeń leden január январь",
    "februar feber februari février febrero febbraio fevereiro luty únor február февраль",
    "märz maart mars marzo março marzec březen március март",
    "april avril abril aprile kwiecień duben április апрель",
    "mai mei mayo maggio maio maj květen május май",
    "juni juin junio giugno junho czerwiec červen június июнь",
    "juli juillet julio luglio julho lipiec červenec július июль",
    "august augustus août agosto sierpień srpen augusztus август",
    "september septembre septiembre settembre setembro wrzesień září szeptember сентябрь",
    "oktober octobre octubre ottobre outubro październik říjen október октябрь",
    "november novembre noviembre novembro listopad november ноябрь",
    "dezember december décembre diciembre dicembre dezembro grudzień prosinec декабрь",
)
SHORT = (
    "janv jän ene gen sty led янв января",
    "févr fév fevr feb lut úno фев февр февраля",
    "mär mrz mar mrt bře мар марта",
    "avr abr apr kwi dub апр апреля",
    "mai mag mei kvě мая",
    "juin jun giu cze čvn июн июня",
    "juil jul lug lip čvc июл июля",
    "août aoû aug ago sie srp авг августа",
    "sept sep set wrz zář сен сент сентября",
    "okt oct ott out paź říj окт октября",
    "nov lis ноя нояб ноября",
    "déc dez dec dic gru pro дек декабря",
)
NAMED = re.compile(r"([^\W\d_]{3,12})\.?[-\s,'/]*((?:19|20)?\d\d)(?:\s?г\.?)?")
NAMED_LAST = re.compile(r"((?:19|20)\d\d)[-\s,/年]*([^\W\d_]{2,12})\.?")
YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
DAY = re.compile(
    r"(?<!\d)(?:19|20)\d\d[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}日?|"
    r"(?<!\d)\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d(?!\d)"
)
YEARS = re.compile(r"(?:19|20)\d\d\s*年?")  # of a fiscal year a month may be of the one before
ALONE = re.compile(r"([^\W\d_]{3,12})\.?|(\d{1,2}|十[一二]?|[一二三四五六七八九])\s*月份?")
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
    >>> [month_of(text) for text in ("März 2026", "févr. 2026", "Октябрь 2026", "2026 ottobre")]
    ['2026-03', '2026-02', '2026-10', '2026-10']
    """
    text = header.strip()
    if year and (found := ALONE.fullmatch(text)):
        return f"{year}-{n:02d}" if (n := _number(*found.groups())) else ""
    if found := YEAR_FIRST.fullmatch(text):
        year, month = found.groups()
    elif found := YEAR_LAST.fullmatch(text):
        month, year = found.groups()
    elif (found := NAMED.fullmatch(text)) and _number(found[1], None):
        year, month = found[2].rjust(4, "0"), str(_number(found[1], None))
        year = f"20{year[2:]}" if year.startswith("00") else year
    elif (found := NAMED_LAST.fullmatch(text)) and _number(found[2], None):
        year, month = found[1], str(_number(found[2], None))
    else:
        return ""
    return f"{year}-{int(month):02d}" if 1 <= int(month) <= 12 else ""


def _number(name: str | None, number: str | None) -> int:
    """Number a month that is named; 0 for a name of none."""
    if number:
        n = CHINESE.index(number) + 1 if number in CHINESE else int(number)
        return n if n <= len(NAMES) else 0
    name = (name or "").casefold()
    if name.endswith(("月", "月份")) and (bare := name.rstrip("月份")) in CHINESE:
        return CHINESE.index(bare) + 1
    if IN_FULL.fullmatch(name):
        return NAMES.index(name[:3]) + 1
    return _other_months().get(name, 0)


@functools.cache
def _other_months() -> dict[str, int]:
    """Number the months by the names of other languages; what names two of them names none."""
    found: dict[str, set[int]] = {}
    for written in (OTHERS, SHORT):
        for i, names in enumerate(written, 1):
            for name in names.casefold().split():
                found.setdefault(name, set()).add(i)
    return {name: min(numbers) for name, numbers in found.items() if len(numbers) == 1}


def months_of(header: Sequence[str], year: str = "") -> dict[int, str]:
    """Give the columns of months, by their place; none where the table is not wide.

    `year` is that of months which name none, as `month_of` takes it.

    >>> months_of(("id", "2026-01", "2026-02", "2026-03"))
    {1: '2026-01', 2: '2026-02', 3: '2026-03'}
    """
    found = {i: month for i, cell in enumerate(header) if (month := month_of(cell, year))}
    is_dated = all(month_of(header[i]) and not header[i].strip().isdigit() for i in found)
    is_wide = len(found) >= (LEAST_DATED if is_dated else LEAST_MONTHS) and len(
        set(found.values())
    ) == len(found)
    return found if is_wide and len(found) < len(header) else {}


def has_years_over(above: Sequence[str], below: Sequence[str]) -> bool:
    """Whether a row names years, each over its first month, which the row below names.

    >>> has_years_over(("Dealer", "2025", "", "2026"), ("", "Nov", "Dec", "Jan"))
    True
    """
    years = [i for i, cell in enumerate(above) if YEARS.fullmatch(cell.strip())]
    if not years:
        return False
    under = [cell for cell in below[years[0] :] if cell.strip() and not says_total(cell)]
    months = [cell for cell in under if ALONE.fullmatch(cell.strip()) and month_of(cell, "2000")]
    return len(months) >= LEAST_MONTHS and len(months) == len(under)


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
