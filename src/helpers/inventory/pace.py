"""Pace: how fast dealers sell, by the season of what they sell, and how long a stock lasts."""

from typing import Protocol

import numpy as np
import pandas as pd

from helpers import periods

LEVEL_BACK, LEVEL_AHEAD = 120, 45  # days around an order whose sales tell at what pace he sells
TOO_MANY_DAYS = 720  # a cover beyond two years is not told in days


class Told(Protocol):
    """What the door's `data.channel` tells."""

    arrivals: pd.DataFrame
    months: pd.DataFrame
    models: pd.DataFrame
    balances: pd.DataFrame
    sources: pd.DataFrame
    bought: pd.DataFrame
    shelves: pd.DataFrame
    start: pd.Timestamp
    end: pd.Timestamp

    def _replace(self, **fields: object) -> "Told": ...


class Year:
    """Twelve months of what dealers sold, and what the next twelve will bring if they are alike.

    `dealers`; `months` known, at most twelve; `bounds`: days from `start` to each month's first
    day, on to a year after the end; `sold` and `expected`: dealer × bound, what was sold up to that
    day, and what would have been by the season of the network's categories; `share`: category ×
    month, of the year's sales.
    """

    def __init__(self, found: Told) -> None:
        """Take the months of what the door tells, up to its end."""
        months, end = found.months, found.end
        last = f"{end:%Y-%m}"
        known = sorted(set(months["month"]))
        self.months = [m for m in periods.month_range(last, 12) if known and m >= known[0]]
        n, ahead = len(self.months), [periods.shift(last, i) for i in range(1, 14)]
        firsts = pd.to_datetime([f"{m}-01" for m in [*self.months, *ahead]])
        self.start, self.end_day = firsts[0], (end - firsts[0]).days + 1
        self.bounds = np.asarray((firsts - firsts[0]).days, float)
        self.dealers = pd.Index(sorted(set(months["dealer_id"])))
        self.net = self._by_month(months, months["came"] - months["sold"] + months["other"])
        before = months[months["month"] < self.months[0]]
        opened = (before["came"] - before["sold"] + before["other"]).groupby(before["dealer_id"])
        self.opened = opened.sum().reindex(self.dealers, fill_value=0.0).to_numpy()
        own = months.assign(sold=months["sold"].clip(lower=0))
        by_month = self._by_month(own, own["sold"])
        self.sold = _cumulated(by_month)
        own = own[own["month"].isin(self.months)]
        season = own.pivot_table(
            index="category", columns="month", values="sold", aggfunc="sum", fill_value=0.0
        ).reindex(columns=self.months, fill_value=0.0)
        share = season.div(season.sum(axis=1).replace(0, np.nan), axis=0).fillna(1 / n)
        self.share = share
        mix = own.pivot_table(
            index="dealer_id", columns="category", values="sold", aggfunc="sum", fill_value=0.0
        ).reindex(index=self.dealers, columns=share.index, fill_value=0.0)
        usual = mix.to_numpy() @ share.to_numpy()
        if n == 12:
            following = np.column_stack([usual, usual[:, :1]])
        else:  # no year is known: the coming weeks are like the mean of those known
            following = np.repeat(usual.mean(axis=1)[:, None], 13, axis=1)
        self.expected = _cumulated(np.column_stack([usual, following]))[:, : len(self.bounds)]

    def _by_month(self, months: pd.DataFrame, values: pd.Series) -> np.ndarray:
        sums = wide(months.assign(value=values), "value")
        return sums.reindex(index=self.dealers, columns=self.months, fill_value=0.0).to_numpy()

    def level(self, at: int, day: np.ndarray) -> np.ndarray:
        """Tell a dealer's pace around days, as a multiple of what the season lets expect."""
        low = np.maximum(day - LEVEL_BACK, 0)
        high = np.minimum(day + LEVEL_AHEAD, self.end_day)
        known = self.bounds[: self.sold.shape[1]]
        sold = np.interp(high, known, self.sold[at]) - np.interp(low, known, self.sold[at])
        would = np.interp(high, self.bounds, self.expected[at])
        would = would - np.interp(low, self.bounds, self.expected[at])
        return np.where((would > 0) & (sold > 0), sold / np.where(would > 0, would, 1), np.nan)

    def lasts(self, at: int, day: np.ndarray, stock: np.ndarray) -> np.ndarray:
        """Tell for how many days from `day` on a stock lasts, at his pace; the season repeats."""
        line = self.expected[at]
        need = np.interp(day, self.bounds, line) + stock / self.level(at, day)
        rising = line + np.arange(len(line)) * 1e-9  # where nothing is sold, time stands still
        found = np.interp(need, rising, self.bounds) - day
        return np.where(need > rising[-1], TOO_MANY_DAYS, np.maximum(found, 0.0))

    def sells(self, at: int, day: np.ndarray, n_days: np.ndarray) -> np.ndarray:
        """Tell what he sells in the days after `day`, at his pace."""
        line = self.expected[at]
        ahead = np.interp(day + n_days, self.bounds, line) - np.interp(day, self.bounds, line)
        return ahead * self.level(at, day)


def wide(months: pd.DataFrame, column: str) -> pd.DataFrame:
    """Lay out a column by dealer and month, 0 where there is none."""
    return months.pivot_table(
        index="dealer_id", columns="month", values=column, aggfunc="sum", fill_value=0.0
    )


def _cumulated(values: np.ndarray) -> np.ndarray:
    return np.column_stack([np.zeros(len(values)), values.cumsum(axis=1)])
