"""Widgets: one call per notebook, for exploring by hand; editions leave them out.

Each explorer is a small model over what its question's recipe gives (`models.Model`), laid out by
`explorer.Explorer`: a bar, the model's controls, the sentence that changed, a figure, the table of
dealers, a dealer's card. Where the data hold nothing to explore, a sentence stands in its place.
"""

import ipywidgets

from helpers import consumers, fishbone, inventory, pareto, profit, receivables, result
from helpers import segmentation as segments
from helpers.settings import Workbook
from helpers.widgets.asking import rows
from helpers.widgets.cards import Cards
from helpers.widgets.change import Change
from helpers.widgets.classes import Classes
from helpers.widgets.climbing import Climbing
from helpers.widgets.consumer_groups import ConsumerGroups
from helpers.widgets.earned import Earned
from helpers.widgets.explorer import laid_out
from helpers.widgets.owing import Owing
from helpers.widgets.rfm import Rfm
from helpers.widgets.self_assessment import explore_growth
from helpers.widgets.stocks import Stocks

__all__ = [
    "explore_card",
    "explore_classes",
    "explore_fishbone",
    "explore_groups",
    "explore_growth",
    "explore_month",
    "explore_profit",
    "explore_receivables",
    "explore_rfm",
    "explore_stock",
    "rows",
]


def explore_month(
    book: Workbook, asked: result.ResultData, own: result.ResultMonth
) -> ipywidgets.Widget:
    """See why a month or a year changed, and which dealers made it."""
    return laid_out(Change(book, asked, own))


def explore_rfm(
    book: Workbook,
    period: str,
    asked: segments.SegmentationData,
    own: segments.SegmentationMonth,
) -> ipywidgets.Widget:
    """See the segments change with the way in which recency is scored."""
    return laid_out(Rfm(book, period, asked, own))


def explore_classes(
    book: Workbook, asked: pareto.AbcData, own: pareto.AbcMonth
) -> ipywidgets.Widget:
    """See who changes class with another rule or other weights."""
    return laid_out(Classes(book, asked, own))


def explore_receivables(
    book: Workbook, asked: receivables.ReceivablesData, own: receivables.ReceivablesMonth
) -> ipywidgets.Widget:
    """See whose supply stops with another number of days."""
    return laid_out(Owing(book, asked, own))


def explore_fishbone(
    book: Workbook, asked: fishbone.FishboneData, own: fishbone.FishboneMonth
) -> ipywidgets.Widget:
    """See the fish and the climb with other weights, days and scores; save the plan."""
    return laid_out(Climbing(book, asked, own))


def explore_groups(
    book: Workbook, period: str, asked: consumers.ConsumersData, own: consumers.ConsumersMonth
) -> ipywidgets.Widget:
    """See the consumers in another number of groups."""
    return laid_out(ConsumerGroups(book, period, asked, own))


def explore_stock(book: Workbook, period: str, own: inventory.StockMonth) -> ipywidgets.Widget:
    """See who holds old stock, by category and age."""
    return laid_out(Stocks(book, period, own))


def explore_profit(book: Workbook, period: str, own: profit.ProfitMonth) -> ipywidgets.Widget:
    """See who earns less with us, and the proof of whom one chooses."""
    return laid_out(Earned(book, period, own))


def explore_card(book: Workbook, period: str, dealer_id: str = "") -> ipywidgets.Widget:
    """See any dealer's card, for us or for the dealer; `dealer_id` is the page's."""
    return laid_out(Cards(book, period, dealer_id))
