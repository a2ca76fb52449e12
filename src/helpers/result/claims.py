"""Claims: what an edition says is to come, kept as a table, so that the next one can say how it
fared.
"""

import numpy as np
import pandas as pd

from helpers.result.forecast import Forecast

COLUMNS = ["claim", "subject", "due_month", "claimed_amount", "low_amount", "high_amount"]
SUBJECT = "network"
SCORED = [*COLUMNS, "came_amount", "is_inside"]


def made(forecast: Forecast, period: str) -> pd.DataFrame:
    """Write down what a forecast claims: revenue of each month to come, and of the year.

    A run rate has no interval, and so claims nothing.

    Returns
    -------
    DataFrame
        `claim` ("month_revenue", "year_revenue"), `subject`, `due_month`, `claimed_amount`,
        `low_amount`, `high_amount`.
    """
    rows = [
        ("month_revenue", SUBJECT, row.month, row.value, row.low, row.high)
        for row in forecast.months.itertuples()
    ]
    end, due = forecast.year_end, f"{period[:4]}-12"
    if due != period and not np.isnan(end["low"]):
        rows.append(("year_revenue", SUBJECT, due, end["value"], end["low"], end["high"]))
    found = pd.DataFrame(rows, columns=COLUMNS)
    amounts = ["claimed_amount", "low_amount", "high_amount"]
    found[amounts] = found[amounts].astype("float64").round(2)
    return found


def scored(before: pd.DataFrame, months: pd.DataFrame, period: str) -> pd.DataFrame:
    """Score what an earlier edition claimed and has come due by a period.

    Parameters
    ----------
    before
        As `made`, of the edition before; what it does not hold is not scored.
    months
        `month`, `revenue`: what came.

    Returns
    -------
    DataFrame
        As `made`, with `came_amount` and `is_inside` (within the claimed interval).
    """
    rows = before.reindex(columns=COLUMNS)
    due = rows["due_month"].astype("str")
    known = months.set_index("month")["revenue"].astype("float64")
    rows = rows[(due <= period) & due.isin(known.index) & (rows["subject"] == SUBJECT)]
    rows = rows.astype(dict.fromkeys(("claimed_amount", "low_amount", "high_amount"), "float64"))
    came = []
    for row in rows.itertuples():
        year = known[known.index.str[:4] == row.due_month[:4]]
        is_year = row.claim == "year_revenue"
        # a year is known only with all its months
        came.append(
            (year.sum() if len(year) == 12 else np.nan) if is_year else known[row.due_month]
        )
    rows = rows.assign(came_amount=np.array(came, dtype="float64")).dropna(
        subset=["came_amount", "low_amount"]
    )
    inside = rows["came_amount"].between(rows["low_amount"], rows["high_amount"])
    return rows.assign(is_inside=inside)[SCORED].reset_index(drop=True)
