"""Who earns less with us than with a rival, by another distance; whose proof is shown."""

from collections.abc import Iterable

import pandas as pd

from helpers import data, look, profit, words
from helpers.profit import proof, sheet
from helpers.settings import Scalar, Workbook
from helpers.widgets import cards
from helpers.widgets.models import ALL, Control, Seen, Slide, only

COLUMNS = [
    "dealer_id",
    "dealer_name",
    "region",
    "account_manager",
    "status",
    "margin_rate",
    "rival",
    "lead_points",
    "gap_money",
    "dealer_margin_rate",
    "movement",
]


class Earned:
    """Choose how far behind a rival we must be to earn a dealer less, and see with whom we do.

    A dealer's card is his proof, then the card itself.
    """

    question, recipe = "dealer_profit", staticmethod(profit.judge_month)

    def __init__(self, book: Workbook, period: str, own: profit.ProfitMonth) -> None:
        """Take what the page makes of the month, by its options."""
        self.book, self.period, self.own = book, period, own
        self.dealers = data.dealers(book, words.spoken())

    def controls(self) -> dict[str, Control]:
        """Offer the distance, and what can be said of a dealer."""
        points = self.own.options["behind_points"]
        return {
            "behind_points": Slide(
                words.label("behind_points"), points, 0, max(0.2, points), 0.005, ".1%"
            ),
            "status": only("status", proof.STATUS),
        }

    def why_nothing(self) -> str:
        """Say that nobody can be compared."""
        return words.say("standing.nothing") if self.own.comparison.empty else ""

    def read(self, book: Workbook) -> profit.ProfitMonth:
        """Compare the brands of a scope."""
        if book == self.book:
            return self.own
        return profit.profit_month(book, self.period, **self.own.options)

    def options(self, behind_points: float, **_others: Scalar) -> dict[str, Scalar]:
        """Give the distance."""
        return {"behind_points": behind_points}

    def seen(self, told: profit.ProfitMonth, behind_points: float, status: str = ALL) -> Seen:
        """List every dealer who reports, those who earn less first."""
        rule = {"min_gap_share": self.own.options["min_gap_share"], "behind_points": behind_points}
        lost = profit.losing(told.comparison, told.gaps, **rule)
        less = lost[lost["status"] == "earns_less"]
        rows = profit.dealer_table(told.comparison, told.trends, lost, self.dealers)
        rows = rows.assign(at=rows["status"].map({s: i for i, s in enumerate(proof.STATUS)}))
        rows = rows.sort_values(["at", "gap_money"], ascending=[True, False], kind="stable")
        rows = rows.drop(columns="at").reset_index(drop=True)
        points = words.decimal(100 * behind_points, 1)
        said = [words.say("explore.earns_less", n=len(less), points=points)]
        shown = rows[rows["status"].eq(status)] if status != ALL else rows
        return Seen(said, self._drawn(told, less), shown.reset_index(drop=True), COLUMNS)

    def _drawn(self, told: profit.ProfitMonth, less: pd.DataFrame) -> Iterable[object]:
        yield profit.plot_results(profit.leads(told.comparison))
        named = profit.named(less, self.dealers)
        none = words.say("standing.nobody_less")
        yield look.table(named[proof.SHOWN], limit=10, empty=none)

    def card(self, told: profit.ProfitMonth, dealer_id: str, **_values: Scalar) -> Iterable[object]:
        """Give the dealer's proof, then his card."""
        if dealer_id in set(told.comparison["dealer_id"]):
            yield look.Prose(profit.verdict(told.comparison, told.gaps, dealer_id))
            yield look.table(profit.proof_table(sheet.proof(told.comparison, dealer_id)))
            yield profit.plot_proof(told.comparison, dealer_id)
        yield from cards.card(self.book, self.period, dealer_id)
