"""What tests of explorers share: how they are opened, what is seen of them, their controls."""

import html
import re
from typing import NamedTuple

import ipywidgets
import pandas as pd

from helpers import (
    card,
    consumers,
    data,
    fishbone,
    inventory,
    pareto,
    periods,
    profit,
    receivables,
    result,
    segmentation,
    widgets,
    words,
    workshop,
)
from helpers.widgets.table import DealerTable

PERIOD, END = "2026-10", "2026-10-31"
QUESTIONS = {  # by explorer, as the toml has them; what is about no dealer has none
    "month": "month",
    "rfm": "segmentation",
    "classes": "abc_pareto",
    "receivables": "receivables",
    "fishbone": "fishbone",
    "groups": "consumer_groups",
    "stock": "inventory_age",
    "profit": "dealer_profit",
    "card": "dealer_card",
    "growth": "",
}
VALUED = (
    ipywidgets.Dropdown,
    ipywidgets.ToggleButtons,
    ipywidgets.FloatSlider,
    ipywidgets.IntSlider,
    ipywidgets.Text,
)


def tables_of(book: data.Workbook) -> dict[str, dict]:
    """Gather what the notebooks hand to each explorer, by the names of its parameters."""
    end = periods.window(PERIOD).end
    scores = data.records(book, "scores")
    statements, stages = data.reference(book, "statements"), data.reference(book, "stages")
    network, shoppers = (room.read_month(book, PERIOD) for room in (segmentation, consumers))
    of_book = {"book": book, "period": PERIOD}
    return {
        "classes": {
            "book": book,
            "asked": pareto.read_month(book, PERIOD),
            "own": pareto.abc_month(book, PERIOD),
        },
        "rfm": {**of_book, "asked": network, "own": segmentation.judge_month(network)},
        "fishbone": {
            "book": book,
            "asked": fishbone.read_month(book, PERIOD),
            "own": fishbone.fishbone_month(book, PERIOD),
        },
        "groups": {**of_book, "asked": shoppers, "own": consumers.judge_month(shoppers)},
        "growth": {
            "statements": statements,
            "stages": stages,
            "found": workshop.profile(scores, statements, stages, end_date=end),
        },
        "stock": {**of_book, "own": inventory.stock_month(book, PERIOD, n_history=1)},
        "profit": {**of_book, "own": profit.profit_month(book, PERIOD)},
        "receivables": {
            "book": book,
            "asked": receivables.read_month(book, PERIOD),
            "own": receivables.receivables_month(book, PERIOD),
        },
        "month": {
            "book": book,
            "asked": result.read_month(book, PERIOD),
            "own": result.result_month(book, PERIOD),
        },
        "card": {
            **of_book,
            "dealer_id": card.network_tables(book, PERIOD, "en")[0]["judged"]["dealer_id"].iloc[0],
        },
    }


def opened(name: str, tables: dict) -> ipywidgets.Widget:
    return getattr(widgets, f"explore_{name}")(**tables)


def parts(widget, kind):
    found = [widget] if isinstance(widget, kind) else []
    return found + [
        part for child in getattr(widget, "children", ()) for part in parts(child, kind)
    ]


def seen(widget) -> str:
    """Give all that is to be read of an explorer: its texts, and the page of its table."""
    texts = [part.value for part in parts(widget, ipywidgets.HTML)]
    for table in parts(widget, DealerTable):
        texts += [table.told, *(cell for row in table.cells for cell in row)]
        texts += [f"{head['label']} {table.order} {table.descending}" for head in table.heads]
    return "\n".join(texts)


def said(widget) -> list[str]:
    """Give the sentences that are shown."""
    return [html.unescape(text) for text in re.findall(r"<li>(.*?)</li>", seen(widget))]


def failed(widget) -> list[str]:
    """Give the sentences that say that something can't be shown."""
    begins = words.say("explore.failed", error="").strip()
    return [text for text in said(widget) if text.startswith(begins)]


class Walked(NamedTuple):
    """One control of an explorer: what it is called, how it is set, and to what."""

    name: str
    owner: object
    trait: str
    others: list

    def set(self, value: object) -> object:
        """Set it as a person does, and give what it was."""
        before = getattr(self.owner, self.trait)
        setattr(self.owner, self.trait, value)
        return before


def walk(widget, most: int = 2, places: int = 1) -> list[Walked]:
    """List the controls that have a value: bar, rules, and the table's own.

    Each place asks the whole door: so many of them are walked, which are the same everywhere.
    """
    found = []
    bar = [*getattr(widget, "places", {}).values()]
    for control in parts(widget, VALUED):
        if control.disabled or control in bar[places:]:
            continue
        n = 1 if control in bar else most
        name = control.description or type(control).__name__
        found.append(Walked(name, control, "value", others(control)[:n]))
    for table in parts(widget, DealerTable):
        if table.cells:
            turn = [table.page] if table.n_rows > table.page else []
            columns = [head["name"] for head in table.heads]
            found.append(Walked("a column's head", table, "order", columns[-1:]))
            found.append(Walked("forward", table, "first", turn))
            found.append(Walked("a row", table, "chosen", table.ids[1:2]))
    return [control for control in found if control.others or control.name != "forward"]


def others(control) -> list:
    """Choose values of a control other than the one it has: some options, both ends of a slider."""
    if isinstance(control, ipywidgets.Text):
        return ["9", "nobody is called so"]
    if not hasattr(control, "options"):
        return [value for value in (control.min, control.max) if value != control.value]
    values = [option[1] if isinstance(option, tuple) else option for option in control.options]
    return [value for value in values if value != control.value]


def column(widget, name: str) -> list[str]:
    """Give a column of the table's page as it is read."""
    (table,) = parts(widget, DealerTable)
    at = [head["name"] for head in table.heads].index(name)
    return [row[at] for row in table.cells]


def frames(tables: dict) -> dict[str, pd.DataFrame]:
    """List an explorer's tables by name, those of a dict or a month, too."""
    found = {}
    for name, value in tables.items():
        value = value._asdict() if hasattr(value, "_asdict") else value
        inner = (
            {f"{name}.{key}": table for key, table in value.items()}
            if isinstance(value, dict)
            else {name: value}
        )
        found |= {key: table for key, table in inner.items() if isinstance(table, pd.DataFrame)}
    return found


def replaced(tables: dict, other: dict[str, pd.DataFrame]) -> dict:
    """Put other tables in their places."""
    made = dict(tables)
    for name, table in other.items():
        place, _, key = name.partition(".")
        made[place] = made[place]._replace(**{key: table}) if key else table
    return made
