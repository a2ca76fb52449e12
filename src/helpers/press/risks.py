"""Risks: what is overdue, what may be lost, what sleeps; the one with the most money is told."""

from typing import NamedTuple

import pandas as pd

from helpers import words
from helpers.press.tiles import Tables, table_of
from helpers.receivables import LATE
from helpers.settings import page_of


class Risk(NamedTuple):
    """Money at risk, in one sentence, and the page that explains it."""

    amount: float
    text: str
    link: str


def largest(tables: Tables) -> Risk | None:
    """Give the risk with the most money: kinds are compared, and never added; None without any."""
    found = [risk for risk in (_debt(tables), _losses(tables), _stock(tables)) if risk]
    return max(found, key=lambda risk: risk.amount, default=None)


def _sums(rows: pd.DataFrame, column: str) -> tuple[float, int, str]:
    """Sum up what is above zero: how much, at how many dealers, and at whom most."""
    values = pd.to_numeric(rows[column], errors="coerce")
    values = values[values > 0]
    if values.empty:
        return 0.0, 0, ""
    return float(values.sum()), len(values), str(rows.loc[values.idxmax(), "dealer_id"])


def _debt(tables: Tables) -> Risk | None:
    """Tell what is overdue, else, where no due date is known, what is owed by who pays late."""
    rows = table_of(tables, "receivables", "dealer_id", "status", "balance", "overdue_amount")
    owed = float(rows["balance"].sum()) if len(rows) else 0.0
    amount, n, who = _sums(rows, "overdue_amount")
    key = "overdue"
    if rows["overdue_amount"].isna().all():
        amount, n, who = _sums(rows[rows["status"].isin(LATE)], "balance")
        key = "late"
    if not amount:
        return None
    share = words.percent(amount / owed) if owed > 0 else "–"
    return _told(tables, f"front.risk_{key}", amount, n, who, "receivables", share=share)


def _losses(tables: Tables) -> Risk | None:
    """Tell what the dealers who surely buy less, or nothing, take with them in a year."""
    rows = table_of(tables, "call_list", "dealer_id", "trigger", "stake_kind", "stake")
    rows = rows[rows["trigger"].isin(["lost_money", "silent"])]
    amount, n, who = _sums(rows, "stake")
    if not amount:
        return None
    kind = words.label(str(rows["stake_kind"].iloc[0]))
    return _told(tables, "front.risk_lost", amount, n, who, "abc_pareto", kind=kind)


def _stock(tables: Tables) -> Risk | None:
    """Tell what lies dead, as the page of the stock counts it."""
    rows = table_of(tables, "inventory_age", "dealer_id", "value", "dead_value")
    amount, n, who = _sums(rows, "dead_value")
    if not amount:
        return None
    share = words.percent(amount / rows["value"].sum(), 1)
    return _told(tables, "front.risk_dead", amount, n, who, "inventory_age", share=share)


def _told(
    tables: Tables, key: str, amount: float, n: int, who: str, page: str, **more: str
) -> Risk:
    named = table_of(tables, "abc_pareto", "dealer_id", "dealer_name").set_index("dealer_id")
    name = str(named["dealer_name"].get(who, who))
    most = (
        words.say("front.risk_most", name=name) if n > 1 else words.say("front.risk_at", name=name)
    )
    return Risk(amount, words.say(key, amount=amount, n=n, most=most, **more), page_of(page))
