"""Totals: the words by which a row, or a column, says that it is the sum of others."""

import re

LONGEST = 80  # characters; a cell of more says something else
_TOTAL = re.compile(
    r"(?:.{0,60}\s)?(?:grand\s|sub\s?-?|overall\s)?(?:totals?|result|sum|ytd)"
    r"(?:\s(?:amount|sum|general))?\s*[:：]?|(?:sub)?total\s.{1,60}|(?:zwischen)?summe\s.{1,60}"
    r"|(?:gesamt)?ergebnis.{0,60}|итог(?:о)?(?:\s.{1,60})?|totale?(?:\s.{1,60})?"
    r"|.{0,60}(?:合\s*计|小\s*计|总\s*计|總\s*計|合\s*計|小\s*計|总\s*和|累\s*计|本页合计)\s*[:：]?"
    r"|(?:.{0,60}\s)?(?:gesamt|summe|zwischensumme|somme|suma|sous-total|итого|всего)\s*[:：]?",
    re.IGNORECASE,
)
# the plain ones, as whole cells: what DuckDB is asked for in a file that it reads by itself
TOTALS = frozenset(
    (
        "total",
        "totals",
        "grand total",
        "subtotal",
        "sub-total",
        "合计",
        "小计",
        "总计",
        "總計",
        "合計",
        "小計",
        "总和",
        "累计",
        "summe",
        "gesamt",
        "итого",
        "всего",
    )
)


def says_total(cell: str) -> bool:
    """Whether a cell is the name of a total.

    >>> [says_total(text) for text in ("Grand Total:", "00101 小计", "Total A", "Totally", "Sumac")]
    [True, True, True, False, False]
    """
    cell = cell.strip()
    return 0 < len(cell) < LONGEST and bool(_TOTAL.fullmatch(cell))
