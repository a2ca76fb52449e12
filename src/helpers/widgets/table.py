"""The table of dealers: sorted, turned over and chosen from; the browser holds one page of it.

All rows stay in the kernel, which writes the cells of the page that is looked at: half a million
dealers are sorted in a tenth of a second, and the browser never hears of more than thirty. That is
why it is a widget of our own and not one of those that take all rows along.
"""

from pathlib import Path

import anywidget
import pandas as pd
import traitlets

from helpers import look, words

PAGE = 12  # rows
FOLDER = Path(__file__).parent


class DealerTable(anywidget.AnyWidget):
    """Rows of dealers, a page of them at a time.

    `order` is the column that sorts them ("" as they came), `descending` its way, `first` the
    number of the page's first row, and `chosen` the dealer whose row was chosen.
    """

    _esm = FOLDER / "table.js"
    _css = FOLDER / "table.css"
    heads = traitlets.List().tag(sync=True)
    cells = traitlets.List().tag(sync=True)
    ids = traitlets.List(traitlets.Unicode()).tag(sync=True)
    n_rows = traitlets.Int(0).tag(sync=True)
    told = traitlets.Unicode("").tag(sync=True)
    labels = traitlets.Dict().tag(sync=True)
    page = traitlets.Int(PAGE).tag(sync=True)
    order = traitlets.Unicode("").tag(sync=True)
    descending = traitlets.Bool(True).tag(sync=True)
    first = traitlets.Int(0).tag(sync=True)
    chosen = traitlets.Unicode("").tag(sync=True)

    def __init__(self) -> None:
        """Begin without rows."""
        said = {name: words.say(f"explore.{name}") for name in ("back", "forward", "sort_by")}
        super().__init__(labels=said)
        self.rows = self.sorted = pd.DataFrame({"dealer_id": []})
        self._columns: list[str] = []
        self.observe(self._sort, ["order", "descending"])
        self.observe(self._turn, "first")

    def show(self, rows: pd.DataFrame, columns: list[str]) -> None:
        """Show other rows, from the first on, sorted as before where they have that column."""
        self.rows = rows
        self._columns = [c for c in columns if c in rows and (rows[c].notna().any() or rows.empty)]
        with self.hold_sync():
            self.heads = [
                {"name": c, "label": words.word(c), "number": is_number(rows[c])}
                for c in self._columns
            ]
            if self.order not in self._columns:
                self.order = ""
            self.n_rows = len(rows)
            self._sort()

    def _sort(self, _change: object = None) -> None:
        rows = self.rows
        if self.order in rows:
            rows = rows.sort_values(self.order, ascending=not self.descending, kind="stable")
        self.sorted = rows
        self._digits = look.digits_of(rows[self._columns])
        if self.first:
            self.first = 0  # which writes the page
        else:
            self._turn()

    def _turn(self, _change: object = None) -> None:
        first = max(min(self.first, self.n_rows - 1), 0)
        shown = self.sorted.iloc[first : first + self.page]
        last = first + len(shown)
        with self.hold_sync():
            self.ids = [str(key) for key in shown["dealer_id"]]
            self.cells = look.cells(shown[self._columns], self._digits)
            self.told = (
                words.say("explore.rows", first=first + 1, last=last, n=self.n_rows)
                if len(shown)
                else words.say("table.empty")
            )

    def as_html(self) -> str:
        """Write the page that is looked at, for a notebook that is read without a kernel."""
        if not self.cells:
            return look.note(self.told)
        page = self.sorted.iloc[self.first : self.first + self.page][self._columns]
        return look.table(page, note=self.told)._repr_html_()


def is_number(values: pd.Series) -> bool:
    """Whether a column is set to the right, and its largest are looked for first."""
    return pd.api.types.is_numeric_dtype(values) and values.dtype != bool
