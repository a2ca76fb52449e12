"""Dates: which ways a column writes its days in, and the one expression that reads them.

The time of a day and its zone are left out: a day is the one that its writer saw on the calendar.
What can be read in one way only is read; where day and month could change places in every value,
the column is refused.
"""

import datetime
import re
from typing import NamedTuple

from helpers.data.values.numbers import Refusal
from helpers.data.values.text import Shape, literal

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)[.]?"
)
_HALF_OF_DAY = r"(?:上午|下午|凌晨|早上|中午|晚上|午前|午後|[ap][.]?m[.]?)"
_TIME = (
    rf"(?:t|,? )(?:{_HALF_OF_DAY} ?)?[0-9]{{1,2}}"
    r"(?:[:.][0-9]{2}(?:[:.][0-9]{2}(?:[.,][0-9]+)?)?|[时時点點][0-9]{1,2}分?(?:[0-9]{1,2}秒)?)"
    rf" ?(?:{_HALF_OF_DAY})? ?(?:z|utc|gmt)? ?(?:[+-][0-9]{{2}}(?::?[0-9]{{2}})?)?"
)
_DAY_OF_WEEK = (
    r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[,.]? |"
    r" ?[(]?(?:星期|周|週|礼拜|禮拜)[一二三四五六日天][)]?$"
)
_NTH = "(?:st|[nr]d|th)?"
# each way to write a day, and where year, month and day stand in it
WAYS = {
    "ymd": (r"([0-9]{4})[-/.年 ] ?([0-9]{1,2})[-/.月 ] ?([0-9]{1,2})[日号號.]?", r"\1-\2-\3"),
    "dmy.": (r"([0-9]{1,2})[.] ?([0-9]{1,2})[.] ?([0-9]{4})", r"\3-\2-\1"),
    "dmy": (r"([0-9]{1,2})[-/ ]([0-9]{1,2})[-/ ]([0-9]{4})", r"\3-\2-\1"),
    "mdy": (r"([0-9]{1,2})[-/ ]([0-9]{1,2})[-/ ]([0-9]{4})", r"\3-\1-\2"),
    "compact": (r"((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})(?:t?[0-9]{4,6}z?)?", r"\1-\2-\3"),
    "d mon y": (rf"([0-9]{{1,2}}){_NTH}[-/. ,]*{_MONTH}[-/. ,]*([0-9]{{4}})", r"\2-M-\1"),
    "mon d y": (rf"{_MONTH}[-/. ]*([0-9]{{1,2}}){_NTH}[-/., ]+([0-9]{{4}})", r"\2-M-\1"),
    "y mon d": (rf"([0-9]{{4}})[-/ ]{_MONTH}[-/ ]([0-9]{{1,2}})", r"\1-M-\2"),
    "serial": (r"[0-9]{5}(?:[.][0-9]+)?", ""),
    "ym": (r"([0-9]{4})(?:[-/.年 ]([0-9]{1,2})|([0-9]{2}))月?份?", r"\1-\2\3-1"),
    "my": (r"([0-9]{1,2})[-/.]([0-9]{4})", r"\2-\1-1"),
    "mon y": (rf"{_MONTH}[-/ ,]*([0-9]{{4}})", r"\1-M-1"),
}
NO_DAY = ("ym", "my", "mon y")  # a month alone
_TWO_DIGITS = (
    rf"[0-9]{{1,2}}[-/.][0-9]{{1,2}}[-/.]'?[0-9]{{2}}|"
    rf"[0-9]{{1,2}}[-/. ]?{_MONTH}[-/. ]?'?[0-9]{{2}}|[0-9]{{2}}年[0-9]{{1,2}}月[0-9]{{1,2}}日?"
)
SERIALS = (32874, 73050)  # of 1990-01-01 and 2099-12-31, as a spreadsheet counts days
FIRST, SECOND, SERIAL = "1", "2", "s"  # flags: a number above 12 can be no month
LATE = "d"  # flag: the year stands first, and the day is beyond the 12th
MIN_EACH, MIN_ALL = 3, 12  # values below which it may be chance that none is beyond the 12th


class Ways(NamedTuple):
    """The ways in which the days of a column are written; all are read."""

    ways: tuple[str, ...]
    is_decided: bool = False  # day and month told apart by some of the values only


def day_text(marked: str) -> str:
    """Write a day without its time, zone and day of the week, in small letters."""
    day = f"regexp_replace(lower({marked}), {literal(f'(?:{_TIME})$')}, '')"
    return f"TRIM(regexp_replace({day}, {literal(_DAY_OF_WEEK)}, ''))"


def flags(day: str) -> str:
    """Write what the numbers of a day tell: which can be no month, whether a serial is one, and
    whether a day behind its year could be no month.
    """
    numbers = "^([0-9]{1,2})[-/. ]+([0-9]{1,2})[-/. ]"
    first, second = (f"TRY_CAST(regexp_extract({day}, '{numbers}', {at}) AS INT)" for at in (1, 2))
    behind = "^[0-9]{4}[-/.年 ] ?[0-9]{1,2}[-/.月 ] ?([0-9]{1,2})"
    late = f"TRY_CAST(regexp_extract({day}, '{behind}', 1) AS INT)"
    serial = f"TRY_CAST({day} AS DOUBLE) BETWEEN {SERIALS[0]} AND {SERIALS[1]} + 0.99999"
    return (
        f"CASE WHEN {first} > 12 THEN '{FIRST}' ELSE '' END || "
        f"CASE WHEN {second} > 12 THEN '{SECOND}' ELSE '' END || "
        f"CASE WHEN {serial} THEN '{SERIAL}' ELSE '' END || "
        f"CASE WHEN {late} > 12 THEN '{LATE}' ELSE '' END"
    )


def date_ways(shapes: list[Shape], kind: str) -> Ways | Refusal:
    """Find how the days of a column are written, from the shapes of its values.

    Parameters
    ----------
    shapes
        Of all values but those that stand for nothing, of their `day_text`, with their `flags`; the
        name of a month stands as it is.
    kind
        "date", or "month", of which a month alone is enough.

    >>> date_ways([Shape("99/99/9999", 2, "03/10/2026"), Shape("99/99/9999", 1, "x", "1")], "date")
    Ways(ways=('dmy',), is_decided=True)
    >>> date_ways([Shape("99/99/9999", 2, "03/10/2026")], "date").check
    'either_day'
    """
    forms = {shape: _forms(shape) for shape in shapes}
    short = [shape for shape in shapes if re.fullmatch(_digits(_TWO_DIGITS), shape.shape)]
    if short:
        most = max(short, key=lambda shape: shape.n)
        return Refusal("two_digit_year", sum(shape.n for shape in short), most.example)
    ways = {way for found in forms.values() for way in found}
    if kind == "date":
        ways -= set(NO_DAY)
    serials = [shape for shape, found in forms.items() if "serial" in found]
    if len(serials) < len(shapes) or any(SERIAL not in shape.flags for shape in serials):
        ways.discard("serial")
    decided = False
    if slashed := [shape for shape, found in forms.items() if "dmy" in found]:
        days_first = [s for s in slashed if FIRST in s.flags and SECOND not in s.flags]
        months_first = [s for s in slashed if SECOND in s.flags and FIRST not in s.flags]
        if days_first and months_first:
            n = sum(shape.n for shape in (*days_first, *months_first))
            told = " and ".join(
                f"{s.example!r} ({s.n:,})" for s in (days_first[0], months_first[0])
            )
            return Refusal("two_days", n, told)
        if not days_first and not months_first:
            n = sum(shape.n for shape in slashed)
            return Refusal("either_day", n, max(slashed, key=lambda shape: shape.n).example)
        ways.discard("mdy" if days_first else "dmy")
        decided = any(FIRST not in s.flags and SECOND not in s.flags for s in slashed)
        whole = [shape for shape, found in forms.items() if "ymd" in found]
        if not decided and (refusal := _swapped(whole, slashed)):
            return refusal
    return Ways(tuple(way for way in WAYS if way in ways), decided)


def _swapped(whole: list[Shape], slashed: list[Shape]) -> Refusal | None:
    """Refuse days of which a spreadsheet took those up to the 12th for months, and left the others
    as text: opened where days are written in another order, 03/05 became the 3rd of May.
    """
    n_whole, n_slashed = (sum(shape.n for shape in shapes) for shapes in (whole, slashed))
    if min(n_whole, n_slashed) < MIN_EACH or n_whole + n_slashed < MIN_ALL:
        return None
    if any(LATE in shape.flags for shape in whole):
        return None
    told = " and ".join(
        f"{s[0].example!r} ({n:,})" for s, n in ((whole, n_whole), (slashed, n_slashed))
    )
    return Refusal("swapped_days", n_whole, told)


def _digits(pattern: str) -> str:
    """Have a pattern match a shape, in which each digit stands as 9."""
    return pattern.replace("(?:19|20)[0-9]{2}", "[0-9]{4}")


def _forms(shape: Shape) -> set[str]:
    return {way for way, (form, _at) in WAYS.items() if re.fullmatch(_digits(form), shape.shape)}


def day_sql(day: str, ways: Ways) -> str:
    """Write what reads a column's days, given their `day_text`; what is no day is NULL."""
    cases = []
    for way in ways.ways:
        form, at = WAYS[way]
        if way == "serial":
            read = f"DATE '1899-12-30' + CAST(floor(TRY_CAST({day} AS DOUBLE)) AS INT)"
        else:
            written = f"regexp_replace({day}, {literal(f'^{form}$')}, {literal(at)})"
            if "M" in at:
                # the letters behind a number, as of 3rd, are no month
                name = f"left(regexp_extract({day}, {literal(_MONTH)}), 3)"
                month = f"list_position([{', '.join(map(literal, MONTHS))}], {name})"
                written = f"replace({written}, 'M', CAST({month} AS VARCHAR))"
            read = f"TRY_CAST({written} AS DATE)"
        cases.append(f"WHEN regexp_full_match({day}, {literal(form)}) THEN {read}")
    return f"CASE {' '.join(cases)} END" if cases else "CAST(NULL AS DATE)"


def formats(example: str) -> list[str]:
    """List the formats that a plain day fits, as `[data.<table>.format]` takes them.

    >>> formats("30/11/2024"), formats("03/10/2026")
    (['%d/%m/%Y'], ['%d/%m/%Y', '%m/%d/%Y'])
    """
    text, found = example.strip(), []
    for sign in "-/.":
        orders = ("%Y{0}%m{0}%d", "%d{0}%m{0}%Y", "%m{0}%d{0}%Y", "%d{0}%m{0}%y", "%y{0}%m{0}%d")
        found += [order.format(sign) for order in orders]
        found += [order.format(sign) for order in ("%m{0}%d{0}%y", "%d{0}%b{0}%Y", "%d{0}%b{0}%y")]
    found += [
        "%Y%m%d",
        "%Y年%m月%d日",
        "%Y年%m月",
        "%Y-%m",
        "%Y/%m",
        "%Y%m",
        "%b %d, %Y",
        "%d %b %Y",
    ]
    return [form for form in found if _fits(text, form)]


def _fits(text: str, form: str) -> bool:
    # strptime takes 202611 for a day of 2026, too
    if form in ("%Y%m%d", "%Y%m") and len(text) != {"%Y%m%d": 8, "%Y%m": 6}[form]:
        return False
    try:
        datetime.datetime.strptime(text, form)
    except ValueError:
        return False
    return True


def is_no_day(example: str) -> bool:
    """Tell whether a text is written like a day that the calendar does not have.

    >>> is_no_day("2026-02-30"), is_no_day("2026-02-28"), is_no_day("n/a")
    (True, False, False)
    """
    found = re.match(r"\s*(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})(?!\d)", example)
    if not found:
        found = re.match(r"\s*((?:19|20)\d{2})(\d{2})(\d{2})\s*$", example)
    if not found:
        return False
    try:
        datetime.date(*map(int, found.groups()))
    except ValueError:
        return True
    return False
