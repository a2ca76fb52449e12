"""The rows that an explorer shows, asked for by one line of code."""

from collections.abc import Callable, Mapping

import pandas as pd

from helpers import (
    consumers,
    fishbone,
    inventory,
    pareto,
    profit,
    receivables,
    result,
    segmentation,
    words,
)
from helpers.settings import Scalar, Workbook, refusal
from helpers.settings.scope import read_scope
from helpers.widgets import bar, chosen_rows
from helpers.widgets.cards import Cards
from helpers.widgets.change import Change
from helpers.widgets.classes import Classes
from helpers.widgets.climbing import Climbing
from helpers.widgets.consumer_groups import ConsumerGroups
from helpers.widgets.earned import Earned
from helpers.widgets.models import Model
from helpers.widgets.owing import Owing
from helpers.widgets.rfm import Rfm
from helpers.widgets.stocks import Stocks


def rows(
    question: str,
    book: Workbook,
    period: str,
    *,
    scope: str = "",
    page: Mapping[str, Scalar] | None = None,
    only_class: str = "",
    search: str = "",
    **values: Scalar,
) -> pd.DataFrame:
    """Give the rows that an explorer shows, in their order.

    Parameters
    ----------
    question
        As in the toml, e.g. "abc_pareto".
    scope
        As for the command's --scope.
    page
        Options that the page was run with, where the workbook does not say them: what is tried is
        compared with it.
    only_class, search
        The class, and a text in the dealer's number or name, that choose rows.
    values
        Of the explorer's controls, by name; the others are as on the page.

    Raises
    ------
    DataError
        If no dealer is in the scope, or an option is not as expected.
    """
    if question not in MODELS:
        raise refusal("no_explorer", question=question, known=", ".join(MODELS))
    model = MODELS[question](book, period, dict(page or {}))
    own = {name: control.value for name, control in model.controls().items()}
    for name in values:
        if name not in own:
            raise refusal("no_control", question=question, name=name, known=", ".join(own))
    chosen = {name: values.get(name, value) for name, value in own.items()}
    asked = bar.Asked(letter=only_class, search=search)
    cut = bar.scoped(book, read_scope(scope))
    seen = model.seen(model.read(cut), **chosen)
    return chosen_rows.chosen(seen, asked, lambda: bar.letters(cut, period))


def _change(book: Workbook, period: str, given: dict) -> Model:
    asked = result.read_month(book, period, words.spoken())
    return Change(book, asked, result.result_month(book, period, words.spoken(), **given))


def _rfm(book: Workbook, period: str, given: dict) -> Model:
    asked = segmentation.read_month(book, period, words.spoken())
    own = segmentation.segmentation_month(book, period, words.spoken(), **given)
    return Rfm(book, period, asked, own)


def _climbing(book: Workbook, period: str, given: dict) -> Model:
    asked = fishbone.read_month(book, period, words.spoken())
    return Climbing(book, asked, fishbone.fishbone_month(book, period, words.spoken(), **given))


def _groups(book: Workbook, period: str, given: dict) -> Model:
    asked = consumers.read_month(book, period, words.spoken())
    return ConsumerGroups(book, period, asked, consumers.judge_month(asked, **given))


MODELS: dict[str, Callable[[Workbook, str, dict], Model]] = {
    "month": _change,
    "segmentation": _rfm,
    "abc_pareto": lambda book, period, given: Classes(
        book, pareto.read_month(book, period), pareto.abc_month(book, period, **given)
    ),
    "receivables": lambda book, period, given: Owing(
        book,
        receivables.read_month(book, period),
        receivables.receivables_month(book, period, **given),
    ),
    "fishbone": _climbing,
    "consumer_groups": _groups,
    "inventory_age": lambda book, period, given: Stocks(
        book, period, inventory.stock_month(book, period, **{"n_history": 1, **given})
    ),
    "dealer_profit": lambda book, period, given: Earned(
        book, period, profit.profit_month(book, period, **given)
    ),
    "dealer_card": lambda book, period, _given: Cards(book, period),
}
