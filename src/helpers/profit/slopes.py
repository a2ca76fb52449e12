"""Slopes: how steeply a dealer's months rise or fall, whether they broke off, and how sure that is
where months hang together.
"""

import functools

import numpy as np
from scipy.stats import norm

from helpers.profit import serial

LEVEL = 0.95  # of the intervals of slopes
HALF = 6  # months of a year, at which its level may have moved
MIN_FIT = 6  # months of a year from which its line and its step leave something over


# ---- how months hang together --------------------------------------------------------------------


def year_design(n: int) -> np.ndarray:
    """Give what a year of n months may be made of: a level, a slope, and a step in its middle.

    >>> year_design(4)[:, 2].tolist()
    [0.0, 0.0, 1.0, 1.0]
    """
    time = np.arange(n)
    return np.column_stack([np.ones(n), (time - (n - 1) / 2) / n, time >= n - n // 2]).astype(float)


def autocorrelation(years: list[np.ndarray]) -> float:
    """Estimate one autocorrelation over all dealers, from what neither a slope nor a step explains.

    `years`: dealers × twelve months each, of the same dealers, NaN where a month is not known. What
    slips or breaks off is no autocorrelation, nor is what a month did to all of them; each year is
    fitted by itself.
    """
    values = np.concatenate([_beside_others(year) for year in years])
    dealer = np.tile(np.arange(len(years[0])), len(years))
    inside = ~np.isnan(values)
    design = year_design(values.shape[1])
    left = serial.unexplained(values, inside, design)
    told = (inside.sum(axis=1) >= MIN_FIT) & (np.abs(left) > 1e-9).any(axis=1)
    if not told.any():
        return 0.0
    return serial.pooled_autocorrelation(
        left[told], inside[told], dealer[told], design_of=year_design
    )


def _beside_others(year: np.ndarray) -> np.ndarray:
    """Take the middle of each month's dealers out, where a month has any beside one."""
    several = (~np.isnan(year)).sum(axis=0) > 1
    middle = np.zeros(year.shape[1])
    middle[several] = np.nanmedian(year[:, several], axis=0)
    return year - middle


# ---- Theil and Sen -------------------------------------------------------------------------------


@functools.lru_cache(maxsize=256)
def kendall_spread(n: int, rho: float) -> float:
    """Give the standard deviation of Kendall's S, of n months that hang together by `rho`.

    S counts the pairs of months of which the later is higher, less those of which it is lower. Of a
    normal first-order process the signs of two differences have the covariance (2 ÷ π) arcsin of
    their correlation; for rho 0 it is n (n − 1)(2n + 5) ÷ 18.

    Source: Hamed & Rao (1998), A modified Mann–Kendall trend test for autocorrelated data, J. of
    Hydrology 204, 182–196.

    >>> round(kendall_spread(12, 0.0) ** 2, 4)  # 12 × 11 × 29 ÷ 18
    212.6667
    """
    if n < 2:
        return 0.0
    first, later = np.triu_indices(n, 1)
    steps = np.zeros((len(first), n))
    steps[np.arange(len(first)), later], steps[np.arange(len(first)), first] = 1, -1
    time = np.arange(n)
    covariance = steps @ (rho ** np.abs(time[:, None] - time)) @ steps.T
    scale = np.sqrt(np.diag(covariance))
    correlation = np.clip(covariance / scale[:, None] / scale, -1, 1)
    return float(np.sqrt((2 / np.pi * np.arcsin(correlation)).sum()))


def sen_slopes(values: np.ndarray, rho: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the Theil–Sen slope per column of each row, and the ends of its interval (`LEVEL`).

    The median of the slopes between all pairs of months, NaN being a month that is not known; its
    interval lies as many slopes to either side as Kendall's S may stray in months that hang
    together by `rho`.

    Source: Sen (1968), Estimates of the regression coefficient based on Kendall's tau, JASA 63,
    1379–1389.
    """
    first, later = np.triu_indices(values.shape[1], 1)
    slopes = np.sort((values[:, later] - values[:, first]) / (later - first), axis=1)  # NaN last
    n_pairs = (~np.isnan(slopes)).sum(axis=1)
    spread = norm.ppf((1 + LEVEL) / 2) * _spreads(values, rho)
    last = np.maximum(n_pairs - 1, 0)

    def at(place: np.ndarray) -> np.ndarray:
        return (
            slopes[np.arange(len(slopes)), np.clip(place, 0, last).astype(int)]
            if slopes.size
            else np.empty(0)
        )

    middle = (at(last // 2) + at((last + 1) // 2)) / 2
    return middle, at(np.rint((n_pairs - spread) / 2) - 1), at(np.rint((n_pairs + spread) / 2))


def _spreads(values: np.ndarray, rho: float) -> np.ndarray:
    n = (~np.isnan(values)).sum(axis=1)
    return np.array([kendall_spread(k, rho) for k in range(values.shape[1] + 1)])[n]


def is_borne(values: np.ndarray, rho: float) -> np.ndarray:
    """Whether each row's months are worth as many independent ones as a claim needs."""
    n = (~np.isnan(values)).sum(axis=1)
    return serial.is_borne(n / serial.inflation(np.maximum(n, 1), rho))


def slope_p(values: np.ndarray, rho: float, against: tuple[float, ...]) -> np.ndarray:
    """Give the chance of so steep a row where its slope is one of those it is held `against`.

    Mann and Kendall's two-sided test with its continuity correction, the least certain of all; 1
    where the row is not to the same side of each; NaN where its months bear no claim.
    """
    time = np.arange(values.shape[1])
    signs, chances = [], []
    spread = _spreads(values, rho)
    for slope in against:
        bent = values - slope * time
        first, later = np.triu_indices(len(time), 1)
        steps = bent[:, later] - bent[:, first]
        steps = np.where(np.abs(steps) > 1e-12, steps, 0.0)  # rounding is no rise
        count = np.nansum(np.sign(steps), axis=1)
        far = np.maximum(np.abs(count) - 1, 0) / np.where(spread > 0, spread, np.inf)
        signs.append(np.sign(count))
        chances.append(2 * norm.sf(far))
    same = np.abs(np.sum(signs, axis=0)) == len(against)
    p = np.where(same, np.max(chances, axis=0), 1.0)
    return np.where(is_borne(values, rho), p, np.nan)


# ---- a step --------------------------------------------------------------------------------------


def step_p(
    before: np.ndarray, now: np.ndarray, rho: float, against: tuple[float, ...]
) -> np.ndarray:
    """Give the chance of such a step where it is one of those it is held `against`.

    The mean of the last `HALF` months against the same months a year before; how far months stray
    say both years, each half about its own mean. The least certain of all two-sided t-tests, 1
    where the step is not to the same side of each; NaN where a month is missing or the months bear
    no claim.

    Parameters
    ----------
    before, now
        Dealers × twelve months.
    """
    steps = (now - before)[:, -HALF:].mean(axis=1)
    halves = [year[:, part] for year in (before, now) for part in (np.s_[:-HALF], np.s_[-HALF:])]
    known = np.array([~np.isnan(half).any(axis=1) for half in halves])
    squares = np.array([((h - h.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) for h in halves])
    squares = np.where(squares > 1e-18, squares, 0.0)  # what differs by rounding does not move
    n, grown = now.shape[1] - HALF, float(serial.inflation(HALF, rho))
    free = np.array([serial.freedom(k, rho) for k in (n, HALF, n, HALF)])[:, None]
    counts = np.array([k - float(serial.inflation(k, rho)) for k in (n, HALF, n, HALF)])[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.where(known, squares, 0).sum(axis=0) / np.where(known, counts, 0).sum(axis=0)
    error = np.sqrt(variance * 2 * grown / HALF)
    freedom = np.where(known, free, 0).sum(axis=0)
    worth = np.where(known, [[n], [HALF], [n], [HALF]], 0).sum(axis=0)
    months = worth / serial.inflation(np.maximum(worth, 1), rho)
    sure = serial.Sure(error, months, freedom)
    values = [steps - step for step in against]
    same = np.abs(np.sum([np.sign(v) for v in values], axis=0)) == len(against)
    p = np.max([serial.difference_p(value, sure) for value in values], axis=0)
    return np.where(np.isnan(steps) | np.isnan(p), np.nan, np.where(same, p, 1.0))
