"""Forecast: where the months to come, and the year, will end, and how sure that is.

Two methods stand against each other on held-back months: the seasonal naive one, which repeats the
same month a year before, and damped additive Holt–Winters smoothing.
"""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import t as student

from helpers import periods

SEASON = 12  # months
LEVEL = 0.8  # of the interval
MIN_HISTORY = 24  # months: with fewer no season can be told from chance
HELD_BACK = 12  # origins on which the methods are compared
RATE_MONTHS = 12  # of the run rate, where there are as many
MIN_RATE_MONTHS = 3
NEXT_MONTHS = 3  # that are forecast at least, whatever is left of the year
METHODS = ("seasonal_naive", "holt_winters")
# what a smoothing may be: weights of the newest month in level, trend and season, and damping
GRID = np.stack(
    np.meshgrid(
        [0.02, 0.05, 0.1, 0.2, 0.35, 0.6],
        [0.0, 0.05, 0.2],
        [0.02, 0.1, 0.3, 0.5],
        [0.8, 0.9, 0.98],
        indexing="ij",
    ),
    axis=-1,
).reshape(-1, 4)


class Forecast(NamedTuple):
    """What is to come: `months` (`month`, `value`, `low`, `high`), the `year_end` (`value`, `low`,
    `high`) and what the year came to `so_far`, the `method` ("seasonal_naive", "holt_winters",
    "run_rate" or "": nothing), and the mean absolute error of both methods on held-back months,
    `tried`.
    """

    months: pd.DataFrame
    year_end: dict[str, float]
    so_far: float
    method: str
    tried: dict[str, float]


def seasonal_naive(values: np.ndarray, n_ahead: int) -> np.ndarray:
    """Repeat the last twelve months.

    Source: Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd ed. (2021), 5.2.

    >>> seasonal_naive(np.arange(24.0), 13)[[0, 11, 12]].tolist()
    [12.0, 23.0, 12.0]
    """
    last = np.asarray(values, float)[-SEASON:]
    return last[np.arange(n_ahead) % SEASON]


def holt_winters(values: np.ndarray, n_ahead: int) -> np.ndarray:
    """Smooth level, damped trend and additive season, and carry them on.

    Weights are those of `GRID` with the least sum of squared one-month errors. Level, trend and
    season begin as the first two years' means say.

    Source: Winters, Forecasting sales by exponentially weighted moving averages, Management Science
    6 (1960), 324–342; damping: Gardner and McKenzie, Forecasting trends in time series, Management
    Science 31 (1985), 1237–1246.

    Raises
    ------
    ValueError
        If there are fewer than 24 values.

    >>> year = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    >>> holt_winters(np.tile(year, 3), 3).round(6).tolist()
    [1.0, 2.0, 3.0]
    """
    return _paths(np.asarray(values, float), n_ahead)[-1]


def _paths(values: np.ndarray, n_ahead: int) -> np.ndarray:
    """Forecast from every month from the 24th on, each from what was known by then.

    Returns an array of origin × month ahead; the first origin knows 24 values, the last all.
    """
    n = len(values)
    if n < 2 * SEASON:
        raise ValueError(f"holt_winters: {n} values; it takes 24 at least")
    alpha, beta, gamma, phi = GRID.T
    first, second = values[:SEASON], values[SEASON : 2 * SEASON]
    slope = (second.mean() - first.mean()) / SEASON
    at = np.arange(SEASON) - (SEASON - 1) / 2
    level = np.full(len(GRID), first.mean() - slope * (SEASON + 1) / 2)
    trend = np.full(len(GRID), slope)
    season = ((first - first.mean()) + (second - second.mean())) / 2 - slope * at
    season = np.tile(season - season.mean(), (len(GRID), 1))
    damped = np.cumsum(phi[:, None] ** np.arange(1, n_ahead + 1), axis=1)
    squares, found = np.zeros(len(GRID)), []
    for month, value in enumerate(values):
        ahead, here = level + phi * trend, month % SEASON
        squares += (value - ahead - season[:, here]) ** 2
        new = alpha * (value - season[:, here]) + (1 - alpha) * ahead
        trend = beta * (new - level) + (1 - beta) * phi * trend
        season[:, here] = gamma * (value - ahead) + (1 - gamma) * season[:, here]
        level = new
        if month + 1 >= 2 * SEASON:
            best = int(squares.argmin())
            turns = (month + 1 + np.arange(n_ahead)) % SEASON
            found.append(level[best] + damped[best] * trend[best] + season[best, turns])
    return np.array(found)


def held_back_errors(values: np.ndarray, method: str, n_ahead: int) -> np.ndarray:
    """Forecast held-back months from every earlier one that a method can start from.

    Returns
    -------
    ndarray
        Origin × month ahead, oldest origin first: what came − what was forecast; NaN beyond the
        last value. The last row is the month before the last value. Seasonal naive starts from 12
        values, Holt–Winters from 24.
    """
    values = np.asarray(values, float)
    least = SEASON if method == "seasonal_naive" else 2 * SEASON
    if len(values) <= least:
        return np.empty((0, n_ahead))
    if method == "seasonal_naive":
        ahead = [seasonal_naive(values[:k], n_ahead) for k in range(least, len(values))]
    else:
        ahead = _paths(values[:-1], n_ahead)
    came = np.append(values, np.full(n_ahead, np.nan))
    return np.array([came[least + i : least + i + n_ahead] - path for i, path in enumerate(ahead)])


def as_of_now(values: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Scale held-back errors to the size that the series has now.

    Each origin's errors times the mean size of the last twelve months ÷ that of the twelve before
    the origin: who was half as large missed by half as much. Empty where nothing was there.

    >>> as_of_now(np.array([1.0] * 12 + [3.0] * 12), np.array([[2.0]] * 12))[[0, 11], 0].tolist()
    [6.0, 2.118]
    """
    sizes = np.abs(np.asarray(values, float))
    ends = np.arange(len(values) - len(errors), len(values))
    then = np.array([sizes[end - SEASON : end].mean() for end in ends])
    now = sizes[-SEASON:].mean()
    return (errors * (now / np.where(then > 0, then, np.nan))[:, None]).round(3)


def half_widths(errors: np.ndarray, level: float = LEVEL) -> np.ndarray:
    """Give half the width of an interval for each month ahead, from held-back errors.

    The size that the level's share of them does not pass, one more error being expected: the
    ⌈(n + 1) level⌉-th smallest of n. Where they are too few for that, Student's quantile times
    the root of their mean square; at a horizon without any it grows from the last that has some as
    the root of the months ahead.

    Source: split conformal prediction, Vovk, Gammerman and Shafer, Algorithmic Learning in a Random
    World (2005), chapter 2; here with errors that overlap, so that the share is measured
    (`tests/benchmarks/forecast_cover.py`) and not promised.

    >>> half_widths(np.array([[1.0], [-2.0], [3.0], [-4.0]])).tolist()
    [4.0]
    """
    n_ahead = errors.shape[1]
    sizes = np.sort(np.abs(errors), axis=0)  # NaN come last
    n = (~np.isnan(errors)).sum(axis=0)
    known = np.flatnonzero(n)
    widths = np.full(n_ahead, np.nan)
    if not len(known):
        return widths
    h = np.arange(1, n_ahead + 1)
    for i in known:
        place = math.ceil(round((n[i] + 1) * level, 9))
        root = np.sqrt(np.mean(sizes[: n[i], i] ** 2))
        enough = place <= n[i]
        widths[i] = sizes[place - 1, i] if enough else root * student.ppf((1 + level) / 2, n[i])
    last = known[-1]
    widths[last + 1 :] = widths[last] * np.sqrt(h[last + 1 :] / h[last])
    return widths


def chosen(values: np.ndarray, n_ahead: int, held_back: int = HELD_BACK) -> tuple[str, dict]:
    """Choose the method with the smaller mean absolute error on the last `held_back` origins.

    Returns the method and the error of each; where the history leaves no month to hold back from
    smoothing, the seasonal naive one.
    """
    errors = {method: held_back_errors(values, method, n_ahead) for method in METHODS}
    n = min(held_back, *(len(found) for found in errors.values()))
    if not n:
        return METHODS[0], {}
    tried = {m: float(np.nanmean(np.abs(found[-n:]))) for m, found in errors.items()}
    return min(METHODS, key=tried.get), tried


def outlook(
    values: np.ndarray, n_ahead: int, *, level: float = LEVEL, held_back: int = HELD_BACK
) -> tuple[str, dict[str, float], pd.DataFrame, np.ndarray]:
    """Forecast by the better of two methods, with the interval of each month ahead.

    Returns the method, the error of each, a row per month ahead (`value`, `low`, `high`) and the
    method's held-back errors, `as_of_now`. Of 24 values at least.
    """
    method, tried = chosen(values, n_ahead, held_back)
    errors = as_of_now(values, held_back_errors(values, method, n_ahead))
    ahead = (holt_winters if method == "holt_winters" else seasonal_naive)(values, n_ahead)
    wide = half_widths(errors, level)
    floor = 0.0 if values.min() >= 0 else -np.inf
    parts = {"value": ahead, "low": ahead - wide, "high": ahead + wide}
    return method, tried, pd.DataFrame({c: np.maximum(v, floor) for c, v in parts.items()}), errors


def year_forecast(
    months: pd.Series,
    period: str,
    *,
    level: float = LEVEL,
    min_history: int = MIN_HISTORY,
    held_back: int = HELD_BACK,
) -> Forecast:
    """Forecast the months after a period, and what its calendar year will end with.

    From `min_history` months on by the better of two methods; with fewer, the year's end alone at
    the run rate, the mean of the last twelve months or as many as there are from three on, without
    season and interval. Of amounts that were never below zero no forecast is.

    Parameters
    ----------
    months
        Amounts by month, the period's the last, none left out.

    Returns
    -------
    Forecast
        Months up to the year's end, three at least. The year's end is what came so far and what is
        to come; its interval is that of the sum, from held-back sums. NaN where nothing is known of
        a month of the year so far, or nothing is left of it to forecast but what came.
    """
    values = months.to_numpy(dtype="float64")
    values = (
        values[int(np.isnan(values).cumsum().argmax()) + 1 :] if np.isnan(values).any() else values
    )
    n_left, n_done = SEASON - int(period[5:]), int(period[5:])
    so_far = float(values[-n_done:].sum()) if len(values) >= n_done else np.nan
    none = {"value": np.nan, "low": np.nan, "high": np.nan}
    empty = pd.DataFrame(
        {"month": pd.Series(dtype="str"), **{c: pd.Series(dtype="float64") for c in none}}
    )
    if len(values) < MIN_RATE_MONTHS or not values[-RATE_MONTHS:].sum() > 0:
        return Forecast(empty, none, so_far, "", {})
    if len(values) < max(min_history, 2 * SEASON):
        rate = values[-RATE_MONTHS:].mean()
        return Forecast(empty, none | {"value": so_far + n_left * rate}, so_far, "run_rate", {})
    n_ahead = max(n_left, NEXT_MONTHS)
    method, tried, rows, errors = outlook(values, n_ahead, level=level, held_back=held_back)
    floor = 0.0 if values.min() >= 0 else -np.inf
    ahead = [periods.shift(period, h + 1) for h in range(n_ahead)]
    rows.insert(0, "month", pd.Series(ahead, dtype="str"))
    year_end = none | {"value": so_far, "low": so_far, "high": so_far}
    if n_left:
        half = half_widths(errors[:, :n_left].cumsum(axis=1), level)[-1]
        rest = rows["value"].iloc[:n_left].sum()
        least = max(rest - half, floor)
        year_end = {
            "value": float(so_far + rest),
            "low": float(so_far + least),
            "high": float(so_far + rest + half),
        }
    return Forecast(rows, year_end, so_far, method, tried)
