"""Sheets: what is seen of an export, and how well its values fit a kind of column."""

from collections.abc import Sequence
from typing import NamedTuple

from helpers.data.matching import headers, values


class Sheet(NamedTuple):
    """What is seen of a file or one of its sheets: its header, and rows from its beginning."""

    file: str  # path as it was given
    name: str  # of the sheet; "" where the file is the one thing
    header: list[str]
    rows: list[list[str]]


def usable(header: str, among: Sequence[str]) -> bool:
    """Tell whether a header can name a column in a toml.

    Not one that stands twice, is empty or longer than a header, or has what a toml refuses.
    """
    is_plain = "${" not in header and "\0" not in header and len(header) <= headers.LONGEST
    return bool(header.strip()) and is_plain and list(among).count(header) == 1


class Seen:
    """A sheet as placing looks at it: what each header may be, and what stands below it."""

    def __init__(self, sheet: Sheet):
        """Look at every column once; a sheet is placed as several tables."""
        self.sheet = sheet
        self.n = len(sheet.header)
        self.is_single = [usable(header, sheet.header) for header in sheet.header]
        self.cells = [[row[i] if i < len(row) else "" for row in sheet.rows] for i in range(self.n)]
        self.columns = [values.column(cells) for cells in self.cells]
        self.has_rows = len(sheet.rows) >= values.FEWEST
        self.relations = values.relations(self.columns)
        self.matches = [headers.matches(h) for h in sheet.header]

    def concepts(self, position: int) -> frozenset[str]:
        """Tell what the words of a header mean."""
        return headers.reading(self.sheet.header[position]).concepts

    def mean(self, position: int) -> float:
        """Give the mean size of the numbers below a header."""
        numbers = [abs(x) for x in self.columns[position].numbers if x is not None]
        return sum(numbers) / len(numbers) if numbers else 0.0

    def fits(self, position: int, kind: str, name: str) -> float:
        """Tell how well values fit a kind of column: 1 they do, towards 0 they don't."""
        if not self.has_rows:
            return 1.0
        column = self.columns[position]
        if not column.n_filled:
            return 0.75  # nothing speaks for it
        if kind in ("date", "month"):
            forms = set(column.date_formats)
            is_month = kind == "date" and forms and forms <= {"%Y-%m", "%Y/%m"}
            return (0.8 if is_month else 1.0) if column.is_date else 0.3
        if kind in ("money", "number"):
            return 1.0 if column.is_number else 0.3
        if kind == "id":
            return 0.4 if column.has_decimals or (column.is_date and not column.is_number) else 1.0
        if column.has_decimals or (column.is_date and not column.is_number):
            return 0.4
        if column.is_number:
            # numbers where names are expected are the codes of them
            return 0.5 if name in ("dealer_name", "product_name", "city") else 0.88
        return 1.0
