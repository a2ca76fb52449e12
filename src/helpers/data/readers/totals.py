"""Totals: the words by which a row, or a column, says that it is the sum of others; and whether it
is.
"""

import functools
import re
from collections import Counter
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import NamedTuple

from helpers.data.readers.dialects import NUMBER

LONGEST = 80  # characters; a cell of more says something else
_WORDS = (
    r"(?:grand|sub|net|overall|company|report|general|running)?[\s-]?(?:totals?|totaal|totale|totaux)"
    r"|(?:overall\s|grand\s)?(?:result|sum)|ytd|t\so\st\sa\sl|(?:zwischen|gesamt)?summe|gesamt"
    r"|(?:gesamt|zwischen)?ergebnis|somme|sous-total|suma|soma|total general|razem|ogółem|celkem"
    r"|összesen|toplam|итого|итог|всего|合\s*计|小\s*计|总\s*计|總\s*計|合\s*計|小\s*計|总\s*和|累\s*计"
    r"|本页合计|합\s*계|소\s*계|총\s*계|Σ|all\s(?:dealers|customers)|\*{1,3}"
)
# the name of a total and nothing else, but what it is counted in
_PURE = re.compile(
    rf"(?:{_WORDS})(?:\s(?:amount|sum|general))?\s*(?:[(（][^()（）]{{1,12}}[)）])?\s*[:：]?",
    re.IGNORECASE,
)
# … with the name of what is summed, which may as well be the name of somebody
_OF = re.compile(
    rf"(?:{_WORDS})\s.{{1,60}}|.{{1,60}}\s(?:{_WORDS})\s*[:：]?"
    r"|.{1,60}(?:合\s*计|小\s*计|总\s*计|總\s*計|合\s*計|小\s*計|总\s*和|累\s*计|합\s*계|소\s*계)\s*[:：]?",
    re.IGNORECASE,
)
# what a ledger says between its lines: no sum of them, and no sale
_BALANCE = re.compile(
    r"(?:opening|closing|ending|beginning)\s(?:balance|stock)|balance\s(?:brought|carried)?\s?"
    r"(?:forward|b/f|c/f)|(?:期初|期末|上期|本期)(?:余额|餘額|结存|結存)|(?:anfangs|end)saldo|saldovortrag",
    re.IGNORECASE,
)
# the plain ones, as DuckDB is asked for them in a file that it reads by itself
SUSPECT = (
    r"(?i)tot[aá]|summe|gesamt|ergebnis|\bresult|\bsum\b|somme|\bsuma\b|\bsoma\b|razem|ogółem|celkem"
    r"|összesen|toplam|итог|всего|[合小总總]\s*[计計]|总和|累计|합계|소계|총계|Σ|^\*+$"
    r"|\ball (?:dealers|customers)|t o t a l|balance|saldo|余额|餘額|结存"
)


@functools.lru_cache(maxsize=1 << 16)
def says_total(cell: str) -> bool:
    """Whether a cell is the name of a total, of all or of something that it names.

    >>> [says_total(text) for text in ("Grand Total:", "00101 小计", "Total A", "Totally", "Sumac")]
    [True, True, True, False, False]
    """
    cell = cell.strip()
    return 0 < len(cell) < LONGEST and bool(_PURE.fullmatch(cell) or _OF.fullmatch(cell))


def is_plainly_total(cell: str) -> bool:
    """Whether a cell is the name of a total and of nothing else: no dealer is called so.

    >>> [is_plainly_total(text) for text in ("Total (EUR)", "Gesamtergebnis", "Total Energies")]
    [True, True, False]
    """
    cell = cell.strip()
    return 0 < len(cell) < LONGEST and bool(_PURE.fullmatch(cell))


def says_balance(cell: str) -> bool:
    """Whether a cell is the name of a balance that a ledger carries between its lines."""
    return len(cell) < LONGEST and bool(_BALANCE.fullmatch(cell.strip()))


class Behind(NamedTuple):
    """What the rows up to one come to, by column, and how many of them are not zero."""

    sums: dict[int, Decimal]
    n: Counter


def adds_up(
    large: dict[int, Decimal], all_: Behind, part: Behind, how: Callable, least: int = 1
) -> bool:
    """Whether amounts are those of the rows from a part on, to the digits that they have.

    `how` is `all` or `any` of the columns; `least` as many rows have to be behind them, and more
    than one makes the digits count, too.
    """
    n = {i: all_.n[i] - part.n[i] for i in large}
    if max(n.values()) < least or (least > 1 and min(n.values()) < 2):
        return False  # one amount among zeros is no sum
    return how(
        n[i] and _is_rounded(value, all_.sums[i] - part.sums[i], least)
        for i, value in large.items()
    )


def _is_rounded(value: Decimal, total: Decimal, least: int) -> bool:
    if least > 1 or value.as_tuple().exponent <= total.as_tuple().exponent:
        return value == total
    return value == total.quantize(value, ROUND_HALF_UP)


def amount(cell: str) -> Decimal | None:
    """Read a number written in whatever style, for sums: its last mark parts the decimals."""
    text = re.sub(r"[^\d.,()-]", "", cell)
    if not re.search(r"\d", text) or not NUMBER.fullmatch(cell.strip()):
        return None
    sign = -1 if text.startswith(("-", "(")) or text.endswith("-") else 1
    digits = text.strip("()-")
    marks = [c for c in digits if c in ".,"]
    if len(set(marks)) == 2:
        digits = digits.replace("." if digits.rfind(",") > digits.rfind(".") else ",", "")
    elif len(marks) > 1:
        digits = digits.replace(marks[0], "")
    elif marks and re.fullmatch(r"\d{1,3},\d{3}", digits):
        digits = digits.replace(",", "")
    try:
        return sign * Decimal(digits.replace(",", "."))
    except InvalidOperation:
        return None
