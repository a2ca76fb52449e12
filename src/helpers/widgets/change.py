"""Why a month or a year changed, and which dealers made it."""

from collections.abc import Iterable

import pandas as pd

from helpers import look, result, words
from helpers.settings import Scalar, Workbook
from helpers.widgets.models import Choice, Control, Seen, no_rows

COLUMNS = [
    "dealer_id",
    "dealer_name",
    "region",
    "account_manager",
    "previous_revenue",
    "revenue",
    "revenue_change",
    "main_step",
]


class Change:
    """Choose a span, revenue or gross profit, and what to cut by; see the bridge and its parts."""

    question, recipe = "month", staticmethod(result.judge_month)

    def __init__(self, book: Workbook, asked: result.ResultData, own: result.ResultMonth) -> None:
        """Take what the door told, and what the page makes of the month."""
        self.book, self.period, self.asked, self.own = book, asked.period, asked, own

    def controls(self) -> dict[str, Control]:
        """Offer the spans, indicators and cuts that the bridge has."""
        found = {}
        for name in ("span", "indicator", "cut"):
            values = [str(value) for value in self.own.bridge[name].unique()]
            options = tuple((words.label(value), value) for value in values)
            found[name] = Choice(words.label(name), options, values[0])
        return found

    def why_nothing(self) -> str:
        """Say that there is no bridge."""
        return words.say("month.no_bridge_month") if self.own.bridge.empty else ""

    def read(self, book: Workbook) -> result.Bridges:
        """Ask for the bridges of a scope."""
        if book == self.book:
            return result.Bridges(self.asked.by_dealer, self.asked.dealers, self.own.bridge)
        return result.read_bridges(book, self.period, words.spoken())

    def options(self, **_values: Scalar) -> dict[str, Scalar]:
        """Give none: what is looked at is no rule."""
        return {}

    def seen(self, told: result.Bridges, span: str, indicator: str, cut: str) -> Seen:
        """Cut the bridge; the rows are who made the change of revenue."""
        whole = result.network_steps(told.bridge, span, indicator)
        names = told.dealers[["dealer_id", "dealer_name", "region", "account_manager"]]
        rows = result.contributions(told.by_dealer, span, "dealer", names)
        # who is in no table of dealers is called by number
        rows["dealer_name"] = rows["dealer_name"].fillna(rows["dealer_id"])
        said = _said(whole, rows, words.label(span), words.label(indicator))
        rows = rows if len(rows) else no_rows()
        return Seen(said, self._drawn(told, whole, (span, indicator, cut)), rows, COLUMNS)

    def _drawn(
        self, told: result.Bridges, whole: pd.Series, asked: tuple[str, str, str]
    ) -> Iterable[object]:
        yield result.plot_bridge(whole, asked[0], period=self.period)
        yield look.table(result.bridge_rows(told.bridge, *asked), empty=words.say("month.no_cut"))


def _said(whole: pd.Series, rows: pd.DataFrame, span: str, indicator: str) -> list[str]:
    """Say by how much it changed, and who gained and lost most."""
    if whole.empty:
        return []
    told = {"span": span, "indicator": indicator}
    change = words.signed_money(float(whole["now"] - whole["base"]))
    said = [words.say("explore.changed", change=change, **told)]
    if len(rows) > 1:
        first, last = rows.iloc[0], rows.iloc[-1]
        names = {"most": first["dealer_name"], "least": last["dealer_name"]}
        gain, loss = (words.signed_money(float(row["revenue_change"])) for row in (first, last))
        said.append(words.say("explore.made_by", **names, gain=gain, loss=loss))
    return said
