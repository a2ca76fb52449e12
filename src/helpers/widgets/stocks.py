"""Who holds old stock, by another category and another age."""

from collections.abc import Iterable

import pandas as pd

from helpers import data, inventory, look, words
from helpers.inventory import age
from helpers.settings import Scalar, Workbook
from helpers.widgets.models import ALL, Control, Seen, Slide, only

COLUMNS = [
    "dealer_id",
    "dealer_name",
    "city",
    "account_manager",
    "value",
    "old_value",
    "old_share",
    "dead_value",
    "days_sales_of_inventory",
    "sell_through_rate",
]


class Stocks:
    """Choose a category, and from which age on a piece is old; see who holds it."""

    question, recipe = "inventory_age", staticmethod(inventory.judge_month)

    def __init__(self, book: Workbook, period: str, own: inventory.StockMonth) -> None:
        """Take what the page makes of the month, by its options."""
        self.book, self.period, self.own = book, period, own
        self.dealers = data.dealers(book, words.spoken())
        self.models = data.models(book, words.spoken())
        kinds = self.models.drop_duplicates("product_id").set_index("product_id")["category"]
        self.kinds = kinds.dropna().astype("str")

    def controls(self) -> dict[str, Control]:
        """Offer the categories in stock, and the age."""
        there = self.own.aged["product_id"].map(self.kinds).dropna().unique()
        days = self.own.options["old_days"]
        return {
            "category": only("category", sorted(there)),
            "old_days": Slide(words.label("old_days"), days, 2, max(360, days)),
        }

    def why_nothing(self) -> str:
        """Say that no stock is known."""
        return words.say("inventory.no_stock") if self.own.aged.empty else ""

    def read(self, book: Workbook) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Ask what lies in a scope: layers with their ages, and flows. Nothing is moved here."""
        if book == self.book:
            return self.own.aged, self.own.flows
        return inventory.read_ages(book, self.period, **self.own.options)

    def options(self, old_days: int, **_others: Scalar) -> dict[str, Scalar]:
        """Give the age from which a piece is old."""
        return {"old_days": old_days}

    def seen(self, told: tuple[pd.DataFrame, pd.DataFrame], category: str, old_days: int) -> Seen:
        """Sum up what is old by dealer, the most first."""
        aged, flows = told
        if category != ALL:
            aged = aged[aged["product_id"].map(self.kinds).eq(category)]
        aged = inventory.with_old(aged, old_days)
        sold = {name: self.own.options[name] for name in ("dead_days", "pace_days")}
        held = inventory.named(inventory.dealer_stock(aged, flows, **sold), self.dealers)
        old = float(held["old_value"].sum()) if len(held) else 0.0
        n = int(held["old_value"].gt(0).sum()) if len(held) else 0
        said = [words.say("explore.old_stock", n=n, value=old, days=old_days)]
        return Seen(said, self._drawn(aged, held, old_days), held, COLUMNS)

    def _drawn(self, aged: pd.DataFrame, held: pd.DataFrame, days: int) -> Iterable[object]:
        yield inventory.plot_dealers(held, old_days=days)
        older = inventory.named(inventory.older_than(aged, days), self.dealers, self.models)
        shown = [column for column in age.DEAD if column in older]
        none = words.say("inventory.none_older", days=days)
        yield look.table(older[shown], limit=10, empty=none)
