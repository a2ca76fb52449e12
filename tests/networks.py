"""Networks of dealers whose true level is known, to count false alarms and missed losses.

What a dealer orders: orders in a rhythm of his own, from weekly to half-yearly (gaps of a gamma
distribution), each worth his level × season × growth × chance. Chance has a part of the order and a
part of the month, the latter autocorrelated. Sizes, rhythms and noise are set by what 2,276 shops
of Iowa's wholesaler and the 602 dealers of the demo do in 30 months: the best fifth carry about
75 %, 72 % of the money is ordered weekly, 19 % fortnightly, 7 % monthly; a quarter strays from that
of the year before by 0.17 (the largest) to 0.21 of itself. One dealer in twenty buys in a part of
the year only.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.calls import losses, silence

GAPS = {  # days between orders; part of the dealers, the larger ordering more often
    "weekly": (7.0, 0.30),
    "fortnightly": (14.0, 0.28),
    "monthly": (30.4, 0.26),
    "two_monthly": (61.0, 0.09),
    "quarterly": (91.0, 0.04),
    "half_yearly": (182.0, 0.03),
}
DAYS = 30.4  # of a month
N_MONTHS = 30
START = 27  # months before the first in which a level falls
FALLS = (0.2, 0.4, 0.6, 0.8, 1.0)
PLANTED = 0.08  # of the dealers lose
BEGIN = pd.Timestamp("2020-01-01")


class Network(NamedTuple):
    """A network: rows are dealers."""

    revenue: np.ndarray  # by month
    days: np.ndarray  # of orders, NaN where none is
    rhythm: np.ndarray  # place in GAPS
    fall: np.ndarray  # planted part of the level that is lost, 0 for none
    missed: np.ndarray  # money not bought for it, from the fall's start to the end
    expected: np.ndarray  # by month, had nobody's level fallen and no chance been


def network(
    rng: np.random.Generator,
    *,
    n: int = 200,
    rho: float = 0.3,
    planted: float = 0.0,
    creeping: int = 0,
    n_months: int = N_MONTHS,
    rhythm: str = "",
) -> Network:
    """Draw a network; `creeping` is over how many months a fall is spread, 0 for at once.

    With a `rhythm` all dealers order in it.
    """
    size = rng.normal(0, 1.4, n)
    parts = np.cumsum([part for _gap, part in GAPS.values()])[:-1]
    kind = np.empty(n, dtype=int)
    order = np.argsort(-(0.8 * size / 1.4 + 0.6 * rng.normal(size=n)))
    kind[order] = np.searchsorted(parts * n, np.arange(n), side="right")
    if rhythm:
        kind[:] = list(GAPS).index(rhythm)
    gap = np.array([gap for gap, _part in GAPS.values()])[kind]
    jitter = rng.uniform(0.1, 0.35, n)
    most = int(n_months * DAYS / gap.min() * 1.5) + 12
    gaps = rng.gamma(1 / jitter[:, None] ** 2, gap[:, None] * jitter[:, None] ** 2, (n, most))
    days = np.cumsum(gaps, axis=1) - gaps[:, :1] * rng.random((n, 1))
    month = np.minimum((days / DAYS).astype(int), n_months - 1)
    months = np.arange(n_months)
    chance = np.zeros((n, n_months))
    chance[:, 0] = rng.normal(0, 0.1, n)
    for i in range(1, n_months):
        fresh = np.sqrt(1 - rho**2) * rng.normal(0, 0.1, n)
        chance[:, i] = rho * chance[:, i - 1] + fresh
    season = 1 + rng.uniform(0, 0.4) * np.sin(2 * np.pi * (months + rng.uniform(0, 12)) / 12)
    growth = np.exp(rng.uniform(-0.15, 0.15) * months / 12)
    swing, at = rng.uniform(0, 0.12, (n, 1)), rng.uniform(0, 12, (n, 1))
    own = 1 + swing * np.sin(2 * np.pi * (months + at) / 12)
    open_months = np.sin(2 * np.pi * (months + rng.integers(0, 12, (n, 1))) / 12) > -0.2
    own = np.where((rng.random(n) < 0.05)[:, None], own * open_months, own)
    fall = np.where(rng.random(n) < planted, rng.choice(FALLS, n), 0.0)
    since = np.clip(months - START + 1, 0, None)
    lost = fall[:, None] * np.minimum(since / creeping, 1.0) if creeping else 0.0
    lost = lost if creeping else fall[:, None] * (since > 0)
    expected = np.exp(size)[:, None] * season * growth * own
    inside = days < n_months * DAYS
    worth = np.take_along_axis(expected * np.exp(chance) * (1 - lost), month, axis=1)
    worth = worth * (gap / DAYS)[:, None] * rng.lognormal(-(0.25**2) / 2, 0.25, (n, most))
    worth = np.where(inside, worth, 0.0).round(6)
    revenue = np.zeros((n, n_months))
    np.add.at(revenue, (np.repeat(np.arange(n), most), month.ravel()), worth.ravel())
    missed = (expected * lost).sum(axis=1)
    return Network(revenue, np.where(worth > 0, days, np.nan), kind, fall, missed, expected)


def order_rhythm(days: np.ndarray, end: int) -> pd.DataFrame:
    """Describe the rhythm of orders up to a month as `data.order_rhythm` does."""
    at = np.sort(np.floor(np.where(days < end * DAYS, days, np.nan)), axis=1)
    gaps = np.diff(at, axis=1)
    gaps = np.where(gaps > 0, gaps, np.nan)
    n = np.isfinite(gaps).sum(axis=1)
    known = np.maximum(n, 1)
    mean = np.nansum(gaps, axis=1) / known
    squares = np.nansum((gaps - mean[:, None]) ** 2, axis=1)
    last = np.where(np.isfinite(at), at, -1).max(axis=1)
    return pd.DataFrame(
        {
            "dealer_id": np.arange(len(days)),
            "n_orders": np.where(last < 0, 0, n + 1),
            "last_order_date": BEGIN + pd.to_timedelta(np.maximum(last, 0), unit="D"),
            "mean_gap_days": np.where(n > 0, mean, np.nan),
            "gap_spread_days": np.where(n > 1, np.sqrt(squares / np.maximum(n - 1, 1)), np.nan),
            "longest_gap_days": np.where(np.isfinite(gaps), gaps, 0).max(axis=1),
        }
    )


def called(net: Network, end: int, false_share: float = losses.FALSE_SHARE) -> np.ndarray:
    """Tell whom the calls of a month name for lost money or silence."""
    found = losses.lost_money(net.revenue[:, :end], false_share=false_share)
    day = BEGIN + pd.Timedelta(days=int(end * DAYS) - 1)
    size = pd.Series(np.fmax(found["revenue_before"], found["revenue"]))
    rows = silence.silent_dealers(order_rhythm(net.days, end), size, day, false_share=false_share)
    return found["is_lost"] | rows["is_silent"].to_numpy()


def call_months(net: Network, ends: Sequence[int]) -> np.ndarray:
    """Tell whom the calls of some months name, a row to a month."""
    return np.array([called(net, end) for end in ends])
