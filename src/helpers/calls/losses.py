"""Losses: whose revenue fell against the same season a year before, by how much, and how sure.

The last quarter is set against what the dealer would have bought: for a third from the same months
a year before, for the rest from his part of the network in the twelve months before it; from the
year before alone where that told his past quarters clearly better, as at a dealer with a season of
his own. The last twelve months are set against the twelve before. Each is carried forward by what
the other dealers who bought in both years did: season and growth of the network are nobody's loss.

How far chance takes a dealer from that, his own past says, drawn towards dealers of like size and
rhythm (a moderated variance, as in Smyth 2004, Statistical Applications in Genetics and Molecular
Biology 3(1)). `false_share` bounds how many dealers whose level did not change are taken for losers
in a month. It is spent where money is, in proportion to what a dealer buys: weighted tests, as in
Genovese, Roeder & Wasserman 2006, Biometrika 93(3). What that finds and misses is simulated in
`tests/benchmarks/call_rates.py`.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from helpers import periods

FALSE_SHARE = 0.005  # of dealers without a loss, taken for losers in a month
QUARTER, YEAR = 3, 12
MIN_MONTHS = YEAR + QUARTER  # of history: with fewer there is no same season to compare with
MOST_MONTHS = 30  # of history that are looked at: older habits are others
LEVEL = 0.8  # of the interval of what was lost
SEASON_PART = 1 / 3  # of what is expected: by the same months a year before
BETTER = 0.75  # the year before alone, where it misses by less than so much of what both miss
MOST_FALSE = 0.12  # nobody's own part of the false share is larger
LEAST_PART = 0.1  # of the mean: the smallest dealers' part of it
# what a window may spend of a dealer's part. The windows overlap and chance has short tails on the
# left, where nobody buys less than nothing: set so that networks without a loss keep to the share
SPENT = {"quarter": 0.78, "year": 0.36}
FAR = 1.8  # times the middle of the network: who moves further is no measure of its growth
MAD = 1.4826  # a normal's standard deviation by its median absolute deviation
DF = 30  # of the t distribution that chance is measured by: his noise is known by estimate only
LEAST_NOISE, MOST_NOISE = 0.03, 3.0  # of a usual quarter
OWN_PART = (0.25, 0.75)  # least and most that a dealer's own past counts for, in his noise
RARE_PART = 0.5  # of his part of the false share: a quarter tells too little of who orders rarely
RARE = 0.45  # of the months with a purchase: fewer, and a quarter hangs on one or two orders
MIN_STRAYS = 30  # of past quarters, all dealers together, for the noise to be scaled by them


class Noise(NamedTuple):
    """How far chance takes dealers from what is expected, as a part of their usual quarter."""

    season: np.ndarray  # a quarter, from the same months of the year before
    both: np.ndarray  # a quarter, from that and the dealer's part of the network
    year: np.ndarray  # the mean quarter of a year, from the year before
    deepest: np.ndarray  # money: no quarter before the last strayed further down


class Fall(NamedTuple):
    """What dealers lost of twelve months' revenue by one window, its error and its chance."""

    lost: np.ndarray
    error: np.ndarray
    chance: np.ndarray


def money_losses(
    months: pd.DataFrame, period: str, *, false_share: float = FALSE_SHARE
) -> pd.DataFrame:
    """Tell of every dealer what he lost, against what he would have bought.

    Parameters
    ----------
    months
        `dealer_id`, `month`, `revenue`; a month without a row is one without a purchase, and the
        first month of all is where the data begin.
    false_share
        Of dealers without a loss, how many may be taken for losers in a month.

    Returns
    -------
    DataFrame
        By `dealer_id`: `revenue` and `revenue_before` (twelve months, and the twelve before, NaN
        where they are not known whole), `quarter` and `expected_quarter`, `window` ("quarter" or
        "year": which tells the greater loss at its lower end), `lost` (revenue of twelve months, if
        nothing changes), `lost_low` and `lost_high` (its 80 % interval), `chance` (of such a fall
        where nothing changed) and `is_lost`; and so for who rises: `gained`, `gained_low`,
        `is_rising`. No rows where the data do not reach back over `MIN_MONTHS`.

    >>> months = pd.DataFrame([("D1", m, 10.0 - 9 * (m > "2026-07")) for m in
    ...     periods.month_range("2026-10", 24)], columns=["dealer_id", "month", "revenue"])
    >>> money_losses(months, "2026-10")[["window", "lost", "is_lost"]].values.tolist()
    [['quarter', 108.0, True]]
    """
    known = months[(months["month"] <= period) & months["dealer_id"].notna()]
    first = known["month"].min() if len(known) else period
    names = [month for month in periods.month_range(period, MOST_MONTHS) if month >= first]
    ids = pd.Index(sorted(known["dealer_id"].unique()), name="dealer_id")
    if len(names) < MIN_MONTHS:
        ids, names = ids[:0], periods.month_range(period, MIN_MONTHS)
    inside = known[known["month"].isin(names) & known["dealer_id"].isin(ids)]
    sums = np.zeros((len(ids), len(names)))
    column = inside["month"].map({month: i for i, month in enumerate(names)}).astype("int64")
    amounts = inside["revenue"].fillna(0.0).to_numpy(dtype="float64")
    np.add.at(sums, (ids.get_indexer(inside["dealer_id"]), column.to_numpy()), amounts)
    return pd.DataFrame(lost_money(sums, false_share=false_share), index=ids).reset_index()


def lost_money(y: np.ndarray, *, false_share: float = FALSE_SHARE) -> dict[str, np.ndarray]:
    """Tell what each dealer lost: rows of `y` are dealers, columns months up to the one asked for.

    Columns as `money_losses`, by name.
    """
    n, end = y.shape
    sums = np.concatenate([np.zeros((n, 1)), y.cumsum(axis=1)], axis=1)
    scale = _scale(sums)
    level, noise = _noise(y, sums, scale)
    use_season = noise.season < BETTER * noise.both
    expected = np.where(use_season, _by_season(sums, end), _by_both(sums, end))
    spread = np.where(use_season, noise.season, noise.both) * level * scale[end]
    fall = _quarter_fall(y, sums, expected, spread)
    new = (_sum(sums, end, QUARTER) - expected) / scale[end] < noise.deepest
    falls = {"quarter": fall._replace(chance=np.where(new, fall.chance, 1.0))}
    now, before = _sum(sums, end, YEAR), np.full(n, np.nan)
    if end >= 2 * YEAR:
        before = _sum(sums, end - YEAR, YEAR)
        lost = before * _grown(sums, end, end - YEAR, YEAR, YEAR) - now
        error = noise.year * level * YEAR / QUARTER
        falls["year"] = Fall(lost, error, _chance(lost, error))
    size = np.fmax(before, _sum(sums, end - QUARTER, YEAR))
    parts = false_parts(size, false_share) * np.where(_often(y) < RARE, RARE_PART, 1.0)
    told = _surest(falls, parts)
    risen = {
        w: Fall(-f.lost, f.error, _chance(-f.lost, f.error))
        for w, f in (falls | {"quarter": fall}).items()
    }
    if "year" in risen:  # who came in the year before, or later, fills it up: that is no rise
        came = ~(y[:, : end - 2 * YEAR + QUARTER] > 0).any(axis=1)
        risen["year"] = risen["year"]._replace(chance=np.where(came, 1.0, risen["year"].chance))
    risen = _surest(risen, parts)
    return {
        "revenue": now,
        "revenue_before": before,
        "quarter": _sum(sums, end, QUARTER),
        "expected_quarter": expected,
        **{name: told[name] for name in ("window", "lost", "lost_low", "lost_high", "chance")},
        "is_lost": told["is_sure"],
        "gained": risen["lost"],
        "gained_low": risen["lost_low"],
        "is_rising": risen["is_sure"],
    }


def _surest(falls: dict[str, Fall], parts: np.ndarray) -> dict[str, np.ndarray]:
    """Choose each dealer's window: of those that are sure the larger at its lower end, else of all.

    `window`, `lost` with `lost_low` and `lost_high`, `chance`, `is_sure`.
    """
    far = stats.t.ppf((1 + LEVEL) / 2, DF)
    low = np.array([fall.lost - far * fall.error for fall in falls.values()])
    sure = np.array([fall.chance < parts * SPENT[window] for window, fall in falls.items()])
    at = np.where(sure | ~sure.any(axis=0), low, -np.inf).argmax(axis=0), np.arange(len(parts))
    lost, error, chance = (np.array(column)[at] for column in zip(*falls.values(), strict=True))
    return {
        "window": np.array(list(falls), dtype=object)[at[0]],
        "lost": lost,
        "lost_low": lost - far * error,
        "lost_high": lost + far * error,
        "chance": chance,
        "is_sure": sure[at] & (lost > 0),
    }


def _quarter_fall(
    y: np.ndarray, sums: np.ndarray, expected: np.ndarray, spread: np.ndarray
) -> Fall:
    """Tell what a year misses that goes on as the last quarter did, of the year before it.

    Of who began less than `MIN_MONTHS` ago nothing is told: the first order fills the shop, and is
    no habit.
    """
    end = y.shape[1]
    whole, quarter = _sum(sums, end - QUARTER, YEAR), _sum(sums, end, QUARTER)
    begun = (y[:, : end - MIN_MONTHS + 1] > 0).any(axis=1)
    of_year = np.where(begun & (expected > 0), whole, 0.0) / np.where(expected > 0, expected, 1.0)
    lost = np.minimum(expected - quarter, expected) * of_year
    return Fall(lost, spread * of_year, _chance(lost, spread * of_year))


def _chance(lost: np.ndarray, error: np.ndarray) -> np.ndarray:
    wide = np.where(error > 0, lost / np.where(error > 0, error, 1.0), 0.0)
    return stats.t.sf(wide, DF)


def false_parts(size: np.ndarray, false_share: float) -> np.ndarray:
    """Divide the false share among dealers in proportion to what they buy; their mean is the whole.

    >>> false_parts(np.array([1.0, 1.0, 2.0]), 0.004).round(4).tolist()
    [0.003, 0.003, 0.006]
    """
    size = np.nan_to_num(np.maximum(size, 0))
    if not len(size) or size.sum() <= 0:
        return np.full(len(size), false_share)
    part, most = size / size.mean(), max(MOST_FALSE / false_share, 1.0)
    for _round in range(20):  # what is cut off at the top goes to the others
        part = np.clip(part, LEAST_PART, most)
        part = part / part.mean()
    return np.minimum(part, most) * false_share


# ---- what would have been ------------------------------------------------------------------------


def _sum(sums: np.ndarray, end: int, length: int) -> np.ndarray:
    """Sum up the months before column `end`."""
    return sums[:, end] - sums[:, max(end - length, 0)]


def _grown(sums: np.ndarray, end: int, base_end: int, length: int, base: int) -> np.ndarray:
    """Give what a window is of an earlier one at the other dealers who bought in both years.

    Those who moved by more than `FAR` from the middle of the network are left out: one large dealer
    who doubles is nobody else's loss. A dealer is no measure for himself; where there is no other,
    nothing is known to have grown.
    """
    there = (_sum(sums, end, YEAR) > 0) & (_sum(sums, base_end, YEAR) > 0)
    now, then = _sum(sums, end, length), _sum(sums, base_end, base)
    there &= (now > 0.005) & (then > 0.005)  # cents are whole: less is dust of a sum of floats
    ratio = now / np.where(there, then, 1.0)
    middle = _middle(ratio[there], then[there])
    there &= (ratio >= middle / FAR) & (ratio <= middle * FAR)
    now, then = now * there, then * there
    others, theirs = then.sum() - then, now.sum() - now
    known = others > 0.005
    return np.where(known, theirs / np.where(known, others, 1.0), length / base)


def _middle(values: np.ndarray, weights: np.ndarray) -> float:
    """Give the median of values by their weights; 1 of none."""
    if not len(values):
        return 1.0
    order = np.argsort(values, kind="stable")
    upto = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(upto, upto[-1] / 2)])


def _by_season(sums: np.ndarray, end: int) -> np.ndarray:
    """Expect a quarter from the same months a year before."""
    return _grown(sums, end, end - YEAR, QUARTER, QUARTER) * _sum(sums, end - YEAR, QUARTER)


def _by_both(sums: np.ndarray, end: int) -> np.ndarray:
    """Expect it in part so, in part from his share of the network in the year before it."""
    share = _grown(sums, end, end - QUARTER, QUARTER, YEAR) * _sum(sums, end - QUARTER, YEAR)
    return SEASON_PART * _by_season(sums, end) + (1 - SEASON_PART) * share


# ---- chance --------------------------------------------------------------------------------------


def _scale(sums: np.ndarray) -> np.ndarray:
    """Give what the network buys in the quarter before each column, of its mean quarter.

    Where it buys much, chance is as much larger.
    """
    whole = np.array([_sum(sums, end, QUARTER).sum() for end in range(sums.shape[1])])
    mean = whole[QUARTER:].mean()
    return np.where((whole > 0) & (mean > 0), whole / (mean if mean > 0 else 1.0), 1.0)


def _noise(y: np.ndarray, sums: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, Noise]:
    """Give each dealer's usual quarter, and how far chance takes him from what is expected of it.

    His past quarters stray from what either base made of them, and from the quarters before them,
    which a single fall of the level disturbs only once: the median of each, the smaller of both.
    """
    n, end = y.shape
    quarters = [_sum(sums, e, YEAR) * QUARTER / YEAR for e in (end - QUARTER, end - YEAR)]
    level = np.maximum(*quarters)
    level = np.where(level > 0, level, np.nan)
    past = range(MIN_MONTHS, end - QUARTER + 1)
    steps = [
        _sum(sums, e, QUARTER) / scale[e] - _sum(sums, e - QUARTER, QUARTER) / scale[e - QUARTER]
        for e in range(2 * QUARTER, end + 1)
    ]
    traits = _traits(y, level)
    rare = traits[:, 2] < RARE
    step = _typical(steps, level, rare) / np.sqrt(2)
    found, deepest = {}, np.zeros(n)
    for base, of in (("season", _by_season), ("both", _by_both)):
        strays = [(_sum(sums, e, QUARTER) - of(sums, e)) / scale[e] for e in past]
        own_quarter = SEASON_PART + (1 - SEASON_PART) / 4 if base == "both" else 1.0
        others = 3 * ((1 - SEASON_PART) / 4) ** 2 if base == "both" else 0.0
        own = step * np.sqrt(1 + own_quarter**2 + others)  # were all quarters alike
        if len(strays) > 1:
            own = np.minimum(own, _typical(strays, level, rare))
        noise = _moderated(own, traits, len(steps) / QUARTER)
        found[base] = noise * _calibration(strays, level * noise)
        deepest = np.min([deepest, *strays], axis=0)
    # a year's mean of four quarters, each against its own of the year before
    return np.nan_to_num(level), Noise(**found, year=found["season"] / 2, deepest=deepest)


def _typical(strays: list[np.ndarray], level: np.ndarray, rare: np.ndarray) -> np.ndarray:
    """Give the typical size of strays as a part of the level; NaN for who has none.

    By their median; of who orders rarely, whose quarters hit or miss whole, by their squares.
    """
    all_of_them = np.array(strays)
    median = MAD * np.median(np.abs(all_of_them), axis=0)
    return np.where(rare, np.sqrt((all_of_them**2).mean(axis=0)), median) / level


def _traits(y: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Describe dealers by what their noise hangs on: size, and in how many months they buy."""
    often = _often(y)
    size, there = np.log(np.where(level > 0, level, 1.0)), level > 0
    size = np.where(there, size - (np.median(size[there]) if there.any() else 0.0), 0.0)
    return np.column_stack([np.ones(len(y)), size, often, often**2])


def _often(y: np.ndarray) -> np.ndarray:
    """Give the part of the months with a purchase.

    The better of two years, for who has left did not always buy rarely.
    """
    bought, end = y > 0, y.shape[1]
    years = [bought[:, max(e - YEAR, 0) : e].mean(axis=1) for e in (end - QUARTER, end - YEAR)]
    return np.maximum(*years)


def _moderated(own: np.ndarray, traits: np.ndarray, n_free: float) -> np.ndarray:
    """Draw each dealer's own noise towards that of like dealers, the more so the less it tells."""
    told = np.isfinite(own)
    if not told.any():
        return np.ones(len(own))
    log_own = np.log(np.clip(np.where(told, own, 1.0), LEAST_NOISE, MOST_NOISE))
    if told.sum() < 4 * traits.shape[1]:  # too few to tell what noise hangs on
        like = np.full(len(own), np.median(log_own[told]))
    else:
        like = traits @ np.linalg.lstsq(traits[told], log_own[told], rcond=None)[0]
    rest = np.var((log_own - like)[told])
    by_chance = 1.4 / max(n_free, 1.0)  # the variance of the logarithm of a median deviation
    part = np.clip(1 - by_chance / rest if rest > 0 else 0.0, *OWN_PART)
    return np.exp(np.where(told, part * log_own + (1 - part) * like, like))


def _calibration(strays: list[np.ndarray], noise: np.ndarray) -> float:
    """Scale the noise so that the network's past quarters stray as far as it says.

    By their middle, which dealers who did fall or rise do not move; what months in a row have in
    common is in it.
    """
    wide = np.abs(np.array(strays)) / noise if strays else np.zeros(0)
    wide = wide[np.isfinite(wide)]
    return float(np.clip(MAD * np.median(wide), 0.7, 2.0)) if len(wide) >= MIN_STRAYS else 1.0
