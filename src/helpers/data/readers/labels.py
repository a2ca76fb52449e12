"""Labels of a pivot table: each stands in the first row of its group, and the rows below are blank.

They are told from a column that some rows leave empty by what a pivot never does: write a label
twice. Only columns from the left on are looked at, each within the one before.
"""

from collections.abc import Sequence

from helpers.data.readers.grid import Row
from helpers.data.readers.merged import names_something
from helpers.data.readers.totals import says_total

LEAST_BLANK, BLANK_SHARE = 3, 0.25  # rows without a label, and their share of all
LEAST_LABELS = 2


class Labels:
    """Columns of labels, found in one pass over the rows of a table."""

    def __init__(self, header: Sequence[str], body: Sequence[Row], is_filled: Sequence[bool]):
        """Take the columns that may be labels, by the first rows."""
        self.columns: list[int] = []
        self.n_rows = 0
        for column, filled in enumerate(is_filled):
            if filled or not body or not header or not _is_label(header, body, column):
                break
            self.columns.append(column)
        self.blank = (0, 0, "")  # line of the first row that is filled, how many, its label
        self._seen: dict[int, set[tuple[str, ...]]] = {column: set() for column in self.columns}
        self._held: dict[int, str] = {}
        self._n_blank = dict.fromkeys(self.columns, 0)

    def step(self, row: Row) -> None:
        """Look at one row; a label that occurs twice ends it for its column and those behind."""
        if any(map(says_total, row.cells[:4])):
            return
        self.n_rows += 1
        is_new = False
        for place, column in enumerate(self.columns):
            cell = row.cells[column].strip() if column < len(row.cells) else ""
            if not cell and not is_new and column in self._held:
                self._n_blank[column] += 1
                if not place:
                    line, n, label = self.blank
                    self.blank = (line or row.line, n + 1, label or self._held[column])
                continue
            way = tuple(self._held.get(before, "") for before in self.columns[:place])
            if not cell or (*way, cell) in self._seen[column]:
                del self.columns[place:]
                return
            self._seen[column].add((*way, cell))
            self._held[column], is_new = cell, True
            for behind in self.columns[place + 1 :]:
                self._held.pop(behind, None)

    def found(self) -> tuple[int, ...]:
        """Give the columns that are labels, from the left."""
        found: list[int] = []
        for column in self.columns:
            n = self._n_blank[column]
            is_first = len(self._seen[column]) >= LEAST_LABELS and n >= BLANK_SHARE * self.n_rows
            if n < LEAST_BLANK or not (found or is_first):
                break
            found.append(column)
        return tuple(found)


def _is_label(header: Sequence[str], body: Sequence[Row], column: int) -> bool:
    cells = [row.cells[column].strip() for row in body if column < len(row.cells)]
    filled = [cell for cell in cells if cell]
    if not filled or not cells[0] or len(filled) == len(cells):
        return False
    is_number = all(cell.replace(".", "").replace(",", "").isdigit() for cell in filled)
    return not is_number or names_something(header[column])


def filled(row: Row, columns: Sequence[int], held: dict[int, str]) -> Row:
    """Fill a row's labels from those held, which change to its own where it has some.

    >>> held = {}
    >>> [filled(Row(1, cells), (0,), held).cells for cells in (["A", "1"], ["", "2"])]
    [['A', '1'], ['A', '2']]
    """
    cells = list(row.cells)
    is_new = False
    for column in columns:
        if column >= len(cells):
            break
        if cells[column].strip():
            held[column], is_new = cells[column], True
        elif is_new:
            held.pop(column, None)
        else:
            cells[column] = held.get(column, "")
    return row._replace(cells=cells)
