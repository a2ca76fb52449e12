"""Gains: what changed in our gross profit since actions began, each change counted once."""

import math

import numpy as np
import pandas as pd

from helpers import periods


def months_since(action, end: pd.Timestamp) -> list[str]:
    """List the whole months since an action's start; none of one that was not begun."""
    if pd.isna(action.start_date) or action.state in ("dropped", "not_begun"):
        return []
    first = (
        action.start_date + pd.Timedelta(days=0 if action.start_date.day == 1 else 31)
    ).strftime("%Y-%m")
    last = end.strftime("%Y-%m") if end.is_month_end else periods.shift(end.strftime("%Y-%m"), -1)
    n = (int(last[:4]) - int(first[:4])) * 12 + int(last[5:]) - int(first[5:]) + 1
    return periods.month_range(last, max(n, 0))


def came_gains(
    months: pd.DataFrame | None, dealers: list[str], spans: list[list[str]]
) -> list[tuple[float, int]]:
    """Share out the change of gross profit among the actions: each one's part, and among how many
    its months are shared at most.

    `dealers` says whose each action is, "" the network's.
    """
    begun = pd.DataFrame(
        [(who, month) for who, span in zip(dealers, spans, strict=True) for month in span],
        columns=["dealer_id", "month"],
    )
    running = begun.groupby(["dealer_id", "month"]).size().to_dict()
    most = [
        max((running[who, month] for month in span), default=0)
        for who, span in zip(dealers, spans, strict=True)
    ]
    if months is None or months.empty or months["gross_profit"].isna().all() or begun.empty:
        return [(math.nan, n) for n in most]
    changes, first = _changes(months, begun), months["month"].min()
    found = []
    for who, span, n in zip(dealers, spans, most, strict=True):
        told = bool(span) and periods.shift(span[0], -12) >= first
        parts = [changes[who, month] / running[who, month] for month in span] if told else []
        found.append((round(float(sum(parts)), 2) if told else math.nan, n))
    return found


def _changes(months: pd.DataFrame, begun: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Give the change against the year before by dealer and month of the actions.

    The network's ("") is that of the dealers who have no action of their own in the month.
    """
    # a month without a line brought nothing; one whose costs are not known makes the sum unknown
    single = months.groupby(["dealer_id", "month"])["gross_profit"].sum(min_count=1)
    whole = months.groupby("month")["gross_profit"].sum(min_count=1)
    own = begun[begun["dealer_id"] != ""].groupby("month")["dealer_id"].unique().to_dict()
    found = {}
    for row in begun.drop_duplicates().itertuples():
        pair = (row.month, periods.shift(row.month, -12))
        if row.dealer_id:
            now, then = (float(single.get((row.dealer_id, month), 0.0)) for month in pair)
        else:
            apart = own.get(row.month, [])
            now, then = (
                float(whole.get(month, 0.0))
                - sum(np.nan_to_num(single.get((dealer, month), 0.0)) for dealer in apart)
                for month in pair
            )
        found[row.dealer_id, row.month] = now - then
    return found
