"""Promotions, seen from who was written to and who was not: sums of both, in the engine."""

import ibis
import numpy as np
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from helpers import periods
from helpers.data.cache import kept
from helpers.data.consumer_habits import HISTORY, history
from helpers.data.read import fetched, within
from helpers.data.sell_out import knows
from helpers.data.tables import table
from helpers.settings import Workbook

# of each consumer: money around the first letter, and whether he bought at all
MONEY = ("after", "before", "gain", "drift")
BUYS = ("buys", "bought", "buys_gain", "buys_drift")
MEASURED = (*MONEY, *BUYS, "year", "visits")
EARLIER = ("earlier", "bought_earlier")
SUMS = tuple(f"{what}_{part}" for what in MEASURED for part in ("sum", "squares"))
PLAN = ["promotion_id", "name", "kind", "start_date", "end_date", "cost", "assignment"]
ARMS = ["promotion_id", "is_contacted", "n_consumers", *SUMS]


@kept
def promotion_plans(book: Workbook, period: str, n_months: int = HISTORY) -> pd.DataFrame:
    """List the promotions that ran whole within the history, each with its days.

    Columns of `PLAN`, empty where unknown, and `first_date`: the day on which the first letter went
    out, at the latest the promotion's first. No rows where consumers, contacts or days are not
    known.
    """
    asked = [("sell_out", "consumer_id"), ("contacts", "promotion_id")]
    if not all(knows(book, *pair) for pair in asked) or not knows(
        book, "promotions", "start_date", "end_date"
    ):
        return pd.DataFrame(columns=[*PLAN, "first_date"])
    promotions, contacts = table(book, "promotions"), table(book, "contacts")
    kinds = {"name": "string", "kind": "string", "cost": "decimal(18, 2)", "assignment": "string"}
    promotions = promotions.mutate(
        **{c: ibis.null(k) for c, k in kinds.items() if c not in promotions.columns}
    )
    if "sent_date" not in contacts.columns:
        contacts = contacts.mutate(sent_date=ibis.null("date"))
    letters = contacts.group_by(_promotion_id=_.promotion_id).agg(sent_date=_.sent_date.min())
    rows = promotions.inner_join(letters, promotions.promotion_id == letters._promotion_id)
    rows = rows.mutate(
        cost=_.cost.cast("float64"),
        first_date=ibis.least(ibis.coalesce(_.sent_date, _.start_date), _.start_date),
    )
    found = fetched(rows.select(*PLAN, "first_date"), ["promotion_id"])
    first, n = history(book, period, n_months)
    began = pd.Timestamp(f"{first}-01")
    found = found.dropna(subset=["first_date", "end_date"])
    # a window of the same length must lie before, and another before that
    n_days = (found["end_date"] - found["first_date"]).dt.days + 1
    seen = found["first_date"] - pd.to_timedelta(2 * n_days, unit="D") >= began
    inside = (n_days > 0) & (found["end_date"] <= pd.Timestamp(periods.window(period, n).end))
    return found[seen & inside].reset_index(drop=True)


@kept
def promotion_arms(book: Workbook, period: str, n_months: int = HISTORY) -> pd.DataFrame:
    """Sum up what consumers bought, those written to and the others, of each promotion.

    Consumers are those who had bought anything before the first letter went out: who came later
    could not be written to. Of each are measured: what he bought from that day to the promotion's
    last (`after`), in as many days before (`before`), the `gain` of one on the other, the `drift`
    from as many days before those to them, and what he bought and how often he came in the `year`
    before (`visits`). Returns reduce amounts. `buys`, `bought`, `buys_gain` and `buys_drift` are
    the first four of whether he bought at all, 1 or 0.

    Returns
    -------
    DataFrame
        `promotion_id`, `is_contacted`, `n_consumers`, and of each measure the sum and the sum of
        squares, as `SUMS` names them.
    """
    plans = promotion_plans(book, period, n_months)
    if plans.empty:
        return pd.DataFrame(columns=ARMS)
    _first, n_months = history(book, period, n_months)
    lines = within(table(book, "sell_out"), "date", period, n_months)
    lines = lines.filter(_.consumer_id.notnull()).select("consumer_id", "date", "amount")
    n_days = (plans["end_date"] - plans["first_date"]).dt.days + 1

    def ago(days: pd.Series | int) -> pd.Series:
        return (plans["first_date"] - pd.to_timedelta(days, unit="D")).dt.date

    spans = ibis.memtable(
        pd.DataFrame(
            {
                "promotion_id": plans["promotion_id"].astype("str"),
                "first_day": plans["first_date"].dt.date,
                "last_day": plans["end_date"].dt.date,
                "before_day": ago(n_days),
                "earlier_day": ago(2 * n_days),
                "year_day": ago(np.maximum(365, 2 * n_days)),
            }
        )
    )
    met = lines.group_by("consumer_id").agg(met=_.date.min())
    known = met.inner_join(spans, met.met < spans.first_day).select("consumer_id", "promotion_id")
    bought = _bought(lines, spans)
    rows = known.left_join(
        bought,
        [
            known.consumer_id == bought._consumer_id,
            known.promotion_id == bought._promotion_id,
        ],
    )
    letters = table(book, "contacts").filter(_.consumer_id.notnull())
    letters = letters.select(_consumer=_.consumer_id, _promotion=_.promotion_id).distinct()
    letters = letters.mutate(told=True)
    rows = rows.left_join(
        letters, [rows.consumer_id == letters._consumer, rows.promotion_id == letters._promotion]
    )
    return _summed(rows)


def _bought(lines: Table, spans: Table) -> Table:
    """Sum up each consumer's purchases in the windows of each promotion that he bought near to."""
    near = lines.inner_join(spans, [lines.date >= spans.year_day, lines.date <= spans.last_day])
    after, before = near.date >= near.first_day, near.date >= near.before_day
    near = near.mutate(
        is_after=after,
        is_before=before & ~after,
        is_earlier=(near.date >= near.earlier_day) & ~before,
        is_year=~after,
    )
    money = {
        name: _.amount.sum(where=_[f"is_{name}"]).fill_null(0).cast("float64")
        for name in ("after", "before", "earlier", "year")
    }
    came = {
        # a number from the start: not every engine makes one of a truth
        name: (_[f"is_{span}"] & (_.amount > 0)).ifelse(1.0, 0.0).max().fill_null(0.0)
        for name, span in (("buys", "after"), ("bought", "before"), ("bought_earlier", "earlier"))
    }
    return near.group_by(_consumer_id=_.consumer_id, _promotion_id=_.promotion_id).agg(
        **money,
        **came,
        visits=_.date.nunique(where=_.is_year & (_.amount > 0)).fill_null(0).cast("float64"),
    )


def _summed(rows: Table) -> pd.DataFrame:
    rows = rows.mutate(
        is_contacted=_.told.fill_null(False),
        **{c: _[c].fill_null(0.0) for c in (*MONEY[:2], *BUYS[:2], *EARLIER, "year", "visits")},
    )
    rows = rows.mutate(
        gain=_.after - _.before,
        drift=_.before - _.earlier,
        buys_gain=_.buys - _.bought,
        buys_drift=_.bought - _.bought_earlier,
    )
    # decimals, for a sum of floats would differ from run to run in its last digits
    sums = {
        name: value.cast("decimal(38, 4)").sum().cast("float64")
        for what in MEASURED
        for name, value in ((f"{what}_sum", _[what]), (f"{what}_squares", _[what] * _[what]))
    }
    found = rows.group_by("promotion_id", "is_contacted").agg(n_consumers=_.count(), **sums)
    return fetched(found, ["promotion_id", "is_contacted"])[ARMS]
