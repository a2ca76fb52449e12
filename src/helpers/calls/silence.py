"""Silence: who has not ordered for longer than his own rhythm explains.

A dealer's gaps between orders are taken for a gamma distribution with his own mean; how regular
they are his own gaps say, drawn towards the network's, the more so the fewer they are. On any day,
the chance that a dealer who goes on as he did has been silent for so long is the part of all time
that lies so far into a gap (the law of the backward recurrence time of a renewal process; Cox 1962,
Renewal Theory, chapter 5). Beyond that, nobody is silent who was silent as long before: a pause
that comes back with the season is a habit.
"""

import numpy as np
import pandas as pd
from scipy import special

from helpers.calls.losses import FALSE_SHARE, false_parts

MIN_ORDERS = 5  # days with an order: with fewer there is no rhythm to speak of
SPENT = 0.4  # of the false share: most losses show in money first
TYPICAL_ORDERS = 8  # that the network's regularity counts for, beside a dealer's own gaps
LEAST_SPREAD, MOST_SPREAD = 0.25, 1.5  # of gaps, as a part of their mean
LONGEST_TIMES = 1.15  # as long as his longest gap, give or take a little, is no news
LEAST_DAYS = 14  # a fortnight without an order is silence to nobody


def silent_dealers(
    rhythm: pd.DataFrame,
    revenue: pd.Series,
    day: pd.Timestamp,
    *,
    false_share: float = FALSE_SHARE,
) -> pd.DataFrame:
    """Tell of every dealer how long he has been silent, and whether his rhythm explains it.

    Parameters
    ----------
    rhythm
        As `data.order_rhythm` gives it: `dealer_id`, `n_orders`, `last_order_date`,
        `mean_gap_days`, `gap_spread_days` (standard deviation), `longest_gap_days`.
    revenue
        A year's, by dealer: the false share is spent in proportion to it.
    day
        The last day of the period.

    Returns
    -------
    DataFrame
        By `dealer_id`: `n_orders`, `last_order_date`, `mean_gap_days`, `silent_days`, `chance` (of
        so long a silence where nothing changed) and `is_silent`.
    """
    rows = rhythm[["dealer_id", "n_orders", "last_order_date", "mean_gap_days"]].copy()
    rows["silent_days"] = (day - rows["last_order_date"]).dt.days
    n_gaps = rhythm["n_orders"].to_numpy(dtype="float64") - 1
    mean = rhythm["mean_gap_days"].to_numpy(dtype="float64")
    told = (rhythm["n_orders"] >= MIN_ORDERS).to_numpy() & (mean > 0)
    rows["chance"] = 1.0
    if told.any():
        spread = regularity(rhythm["gap_spread_days"].to_numpy() / mean, n_gaps, told)
        # the mean of few gaps may be too small by chance
        mean = mean * (1 + spread / np.sqrt(np.maximum(n_gaps, 1)))
        chance = silence_chance(rows["silent_days"].to_numpy(dtype="float64"), mean, spread)
        rows["chance"] = np.where(told, chance, 1.0)
    size = rows["dealer_id"].map(revenue).fillna(0.0).to_numpy()
    longest = rhythm["longest_gap_days"].fillna(0).to_numpy(dtype="float64")
    new = rows["silent_days"].to_numpy() > np.maximum(LONGEST_TIMES * longest, LEAST_DAYS)
    rows["is_silent"] = (rows["chance"] < SPENT * false_parts(size, false_share)) & new & told
    return rows.reset_index(drop=True)


def regularity(spread: np.ndarray, n_gaps: np.ndarray, told: np.ndarray) -> np.ndarray:
    """Give the spread of gaps as a part of their mean: a dealer's own, drawn to the network's."""
    own = np.log(np.clip(np.nan_to_num(spread, nan=1.0), LEAST_SPREAD, MOST_SPREAD))
    like = np.median(own[told])
    part = np.clip(n_gaps, 0, None) / (np.clip(n_gaps, 0, None) + TYPICAL_ORDERS)
    return np.exp(part * own + (1 - part) * like)


def silence_chance(days: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Give the part of all time that lies at least so many days into a gap.

    For gaps of a gamma distribution with shape k = 1 ÷ spread² and x = days × k ÷ mean it is
    Q(k + 1, x) − x ÷ k × Q(k, x), Q being the regularised upper incomplete gamma function.

    >>> silence_chance(np.array([0.0, 30.0]), np.array([30.0, 30.0]), np.array([1.0, 1.0])).round(3)
    array([1.   , 0.368])
    """
    shape = 1 / spread**2
    x = np.where(mean > 0, days * shape / np.where(mean > 0, mean, 1.0), 0.0)
    left = special.gammaincc(shape + 1, x) - x / shape * special.gammaincc(shape, x)
    return np.clip(left, 0.0, 1.0)
