"""Values: what stands below a header, and how the columns of a sheet hang together.

Only to judge headers by: what is read for the pages is typed by the mapping.
"""

import datetime as dt
import itertools
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

MANY = 0.9  # of the filled cells: such a column is of numbers, of dates
LOOKED_AT = 200  # different cells of a column, to see whether they are days
FEWEST = 3  # rows below which nothing is said of them
RELATED = 100  # rows on which sums and products must hold
WIDEST = 25  # numeric columns among which sums and products are looked for
# strftime forms of a day, those without doubt first
DATE_FORMATS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y年%m月%d日",
    "%Y%m%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d.%m.%y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%b %d, %Y",
    "%Y-%m",
    "%Y/%m",
)
CLOCK = re.compile(
    r"[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s?[AP]M|\s?(?:Z|UTC|[+-]\d\d:?\d\d))?$"
)
NUMBER = re.compile(r"[-+]?\d[\d ,.'\u00a0]*")
YEARS = range(1980, 2101)


class Column(NamedTuple):
    """What stands below one header."""

    n_filled: int
    n_distinct: int
    is_date: bool  # nearly all of it are days, each written in some way
    date_formats: tuple[str, ...]  # that fit most of it; more than one: it can't be told
    numbers: tuple[float | None, ...]  # by row; empty if it is not a column of numbers
    has_decimals: bool

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers."""
        return bool(self.numbers)


def number(text: str) -> float | None:
    """Read a number as people write it; nothing for what is none.

    >>> number("1.234,50 €"), number("(12.00)"), number("￥1,234"), number("WH-1")
    (1234.5, -12.0, 1234.0, None)
    """
    text = unicodedata.normalize("NFKC", text).strip()
    is_negative = text.startswith("(") or text.endswith("-")
    text = re.sub(r"[()$€£¥₽₹元%]|^[A-Z]{3}\b|\b[A-Z]{3}$|-$", "", text).strip()
    if not NUMBER.fullmatch(text):
        return None
    text = re.sub(r"[ '\u00a0]", "", text)
    comma, point = text.rfind(","), text.rfind(".")
    if comma > point:
        # a comma alone before three digits groups them, as do several
        is_grouped = point < 0 and (text.count(",") > 1 or len(text) - comma == 4)
        text = text.replace(",", "") if is_grouped else text.replace(".", "").replace(",", ".")
    else:
        text = text.replace(",", "")
        text = text.replace(".", "") if text.count(".") > 1 else text
    try:
        return -float(text) if is_negative else float(text)
    except ValueError:
        return None


def date_formats(cells: Sequence[str]) -> tuple[str, ...]:
    """List the forms in which all filled cells are days of our time, else nearly all of them.

    A day that nobody can read is one for `check` to name, and no reason to doubt the others.

    >>> date_formats(["13/04/2026", "01/02/2026"]), date_formats(["01/02/2026"])
    (('%d/%m/%Y',), ('%d/%m/%Y', '%m/%d/%Y'))
    >>> date_formats(["2026-04-13"] * 9 + ["2026-13-04"]), date_formats(["open", "2026-04-13"])
    (('%Y-%m-%d',), ())
    """
    return _days(cells)[1]


def _days(cells: Sequence[str]) -> tuple[bool, tuple[str, ...]]:
    """Tell whether cells are days, however written, and which forms fit nearly all of them."""
    filled = Counter(CLOCK.sub("", cell.strip()) for cell in cells if cell.strip())
    looked_at = dict(itertools.islice(filled.items(), LOOKED_AT))
    if not any(character.isdigit() for cell in looked_at for character in cell):
        return False, ()
    read = {form: {cell for cell in looked_at if _is_day(cell, form)} for form in DATE_FORMATS}
    counts = {form: sum(looked_at[cell] for cell in days) for form, days in read.items()}
    n = sum(looked_at.values())
    forms = [form for form in DATE_FORMATS if counts[form] >= MANY * n]
    whole = [form for form in forms if counts[form] == n]
    n_days = sum(looked_at[cell] for cell in set().union(*read.values()))
    return n_days >= MANY * n, tuple(whole or forms)


def _is_day(text: str, form: str) -> bool:
    if form == "%Y%m%d" and not re.fullmatch(r"\d{8}", text):
        return False
    try:
        return dt.datetime.strptime(text, form).year in YEARS
    except ValueError:
        return False


def column(cells: Sequence[str]) -> Column:
    """Look at the cells below a header."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    is_date, formats = _days(filled)
    numbers = [number(cell) if cell.strip() else None for cell in cells]
    n_numbers = sum(value is not None for value in numbers)
    is_number = bool(filled) and n_numbers >= MANY * len(filled)
    return Column(
        len(filled),
        len(set(filled)),
        is_date,
        formats,
        tuple(numbers) if is_number else (),
        is_number and any(value is not None and value != int(value) for value in numbers),
    )


def share_one_each(keys: Sequence[str], cells: Sequence[str]) -> float:
    """Give the share of keys that stand with one filled text only; 1.0 where there is no key.

    >>> share_one_each(["a", "a", "b"], ["x", "x", "y"]), share_one_each(["a", "a"], ["x", "y"])
    (1.0, 0.0)
    """
    found = defaultdict(set)
    for key, cell in zip(keys, cells, strict=True):
        if key.strip():
            found[key.strip()].add(cell.strip())
    single = sum(len(texts) == 1 for texts in found.values())
    return single / len(found) if found else 1.0


class Relations(NamedTuple):
    """How columns hang together: (first, second, result) by position."""

    products: list[tuple[int, int, int]]  # first × second = result
    sums: list[tuple[int, int, int]]  # first + second = result


def relations(columns: Sequence[Column]) -> Relations:
    """Find which columns of numbers are product or sum of two others, row by row."""
    first = [column.numbers[:RELATED] for column in columns]
    numeric = [i for i, one in enumerate(columns) if one.is_number and one.n_distinct > 1][:WIDEST]
    products, sums = [], []
    for a, b in itertools.combinations(numeric, 2):
        for c in numeric:
            if c in (a, b):
                continue
            rows = [
                (x, y, z)
                for x, y, z in zip(first[a], first[b], first[c], strict=True)
                if x is not None and y is not None and z is not None
            ]
            if len(rows) < FEWEST:
                continue
            if all(_is_near(x * y, z) for x, y, z in rows):
                products.append((a, b, c))
            if all(_is_near(x + y, z) for x, y, z in rows):
                sums.append((a, b, c))
    return Relations(products, sums)


def _is_near(computed: float, written: float) -> bool:
    # a price is often written to the cent: the product may differ by that for each piece
    return abs(computed - written) <= max(0.02, 0.0005 * abs(written))
