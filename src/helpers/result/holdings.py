"""Holdings: what dealers owe and what lies at them at the month's end, against a year before."""

import pandas as pd

from helpers import words
from helpers.result.standing import rate_of

INDICATORS = ("balance", "overdue_amount", "stock_value")
HELD = ["indicator", "side", "value", "days"]
COLUMNS = ["indicator", "actual", "previous_actual", "yoy_rate", "holding_days"]
COLUMNS += ["previous_holding_days"]


def holding_table(held: pd.DataFrame) -> pd.DataFrame:
    """Set what is owed, what of it is overdue and what lies in stock beside a year before.

    Parameters
    ----------
    held
        `HELD`: of each of `INDICATORS` that is told, by `side` ("now", "base"), the money at the
        month's end and for how many days of sales it stands; NaN is not known.

    Returns
    -------
    DataFrame
        `COLUMNS`, in the order of `INDICATORS`, those that are known now: `holding_days` are days
        of sales by count-back of what is owed, days of inventory of stock.
    """
    sides = {}
    for side in ("now", "base"):
        rows = held[held["side"] == side].drop_duplicates("indicator").set_index("indicator")
        sides[side] = rows.reindex(INDICATORS)[["value", "days"]].astype("float64")
    now, base = sides["now"], sides["base"]
    table = pd.DataFrame(
        {
            "actual": now["value"],
            "previous_actual": base["value"],
            "yoy_rate": rate_of(now["value"], base["value"]) - 1,
            "holding_days": now["days"],
            "previous_holding_days": base["days"],
        }
    )
    return table[table["actual"].notna()].rename_axis("indicator").reset_index()[COLUMNS]


def holding_sentences(table: pd.DataFrame) -> list[str]:
    """Say what is owed, what of it is overdue, and what lies in stock, as far as it is known."""
    said = []
    for row in table.itertuples():
        told = {"amount": row.actual, "details": _details(row)}
        said.append(words.say(f"month.{row.indicator}", **told))
    return said


def _details(row: tuple) -> str:
    """Write the change against a year before and the days of sales, as far as they are known."""
    told = ""
    if row.yoy_rate == row.yoy_rate:
        told += words.say("month.held_yoy", change=words.change(row.actual, row.previous_actual))
    days, before = row.holding_days, row.previous_holding_days
    if days == days:
        key = "month.days_change" if before == before else "month.days"
        told += words.say(key, days=days, before=before)
    return told
