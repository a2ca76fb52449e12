"""Whose supply stops, by another number of days; who has which status."""

from collections.abc import Iterable

import pandas as pd

from helpers import look, receivables, words
from helpers.receivables import dealer_rows, figures, summary
from helpers.settings import Scalar, Workbook
from helpers.widgets.models import ALL, Control, Seen, Slide, only, who

COLUMNS = [
    "dealer_id",
    "dealer_name",
    "city",
    "account_manager",
    "status",
    "stop_reason",
    "balance",
    "overdue_amount",
    "past_due_days",
    "credit_limit",
    "last_payment_date",
]


class Owing:
    """Choose how long an invoice may be overdue before supply stops, and see whose does."""

    question, recipe = "receivables", staticmethod(receivables.judge_month)

    def __init__(
        self,
        book: Workbook,
        asked: receivables.ReceivablesData,
        own: receivables.ReceivablesMonth,
    ) -> None:
        """Take what the door told, and what the page makes of the month, by its options."""
        self.book, self.period, self.asked, self.own = book, asked.period, asked, own
        self.dealers = who(book)

    def controls(self) -> dict[str, Control]:
        """Offer the days until supply stops, and the statuses that occur."""
        days = self.own.options["stop_days"]
        there = [s for s in receivables.STATUSES if (self.own.owed["status"] == s).any()]
        return {
            "stop_days": Slide(words.label("stop_days"), days, 0, max(360, days)),
            "status": only("status", there),
        }

    def why_nothing(self) -> str:
        """Say that no payments are known."""
        return words.say("receivables.no_payments") if self.own.owed.empty else ""

    def read(self, book: Workbook) -> receivables.Books:
        """Open the books of a scope: all but who is stopped."""
        here = book == self.book
        asked = self.asked if here else receivables.read_month(book, self.period)
        return receivables.opened(asked, **self.own.options)

    def options(self, stop_days: int, **_others: Scalar) -> dict[str, Scalar]:
        """Give the days until supply stops."""
        return {"stop_days": stop_days}

    def seen(self, told: receivables.Books, stop_days: int, status: str = ALL) -> Seen:
        """Stop whoever is overdue for so long; they come first, the largest amount on top."""
        stop = receivables.stop_supply(told.owed, told.aged, stop_days=stop_days)
        owed = dealer_rows.published(told.owed)
        rows = owed.merge(stop[["dealer_id", "stop_reason"]], on="dealer_id", how="left")
        rows = rows.merge(self.dealers, on="dealer_id", how="left")
        rows["dealer_name"] = rows["dealer_name"].fillna(rows["dealer_id"])
        order = pd.Series(range(len(stop)), stop["dealer_id"])
        rows = rows.assign(at=rows["dealer_id"].map(order)).sort_values("at", kind="stable")
        rows = rows.drop(columns="at")
        shown = rows[rows["status"].eq(status)] if status != ALL else rows
        before = set(self.own.stop["dealer_id"])
        inside, now = set(rows["dealer_id"]), set(stop["dealer_id"])
        said = [
            words.say("explore.stopped", n=len(stop), balance=float(stop["balance"].sum())),
            _moved("stop_more", rows, now - before),
            _moved("stop_less", rows, (before & inside) - now),
        ]
        return Seen(said, self._drawn(owed, stop), shown.reset_index(drop=True), COLUMNS)

    def _drawn(self, owed: pd.DataFrame, stop: pd.DataFrame) -> Iterable[object]:
        stopped = owed[owed["dealer_id"].isin(stop["dealer_id"])]
        if stopped.empty:
            yield look.nothing(summary.why_none_stopped(owed, self.own.network))
        else:
            yield figures.plot_owing(stopped, self.dealers)


def _moved(key: str, rows: pd.DataFrame, ids: set[str]) -> str:
    """Say who is stopped now and was not on the page, or the other way round."""
    names = rows.loc[rows["dealer_id"].isin(ids), "dealer_name"]
    return words.say(f"explore.{key}", n=len(names), names=words.listed(names, 3)) if ids else ""
