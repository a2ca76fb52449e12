"""Shortage: what a dealer would miss before his next usual delivery, model by model."""

import numpy as np
import pandas as pd

from helpers.inventory.pace import Told, Year
from helpers.inventory.turnover import PAIR

MIN_GAPS = 3  # between deliveries, that tell the usual
USUAL_PART = 0.5  # of his middle delivery: what is smaller is no usual one
LATE = 1.25  # usual gaps since the last delivery, from which the next is overdue
RECENT_MONTHS = 3  # in which a model was sold, else it is given up


def shortages(found: Told, year: Year) -> pd.DataFrame:
    """Tell what each dealer would miss before his next usual delivery: now, and at past month ends.

    A delivery is usual that brings half of his middle one or more; the next is due one middle gap
    after the last, tomorrow where that day has passed, and where it has passed long ago (`LATE`) a
    whole gap from now. Till then a model sells at
    the pace of its year at this dealer, by the season of its category and the dealer's own level;
    what is beyond the pieces that lie there is missed, at what a piece costs him. A model of which
    nothing was sold for `RECENT_MONTHS` is given up, and missed by nobody.

    Returns
    -------
    DataFrame
        By `dealer_id`: `until_days`, `missed_value`, `n_short_models` at the end; of the month ends
        before the last three, the middle (`usual_missed_value`) and the largest
        (`most_missed_value`). Without
        rows for whom fewer than `MIN_GAPS` gaps are known.
    """
    n = len(year.months)
    until = _until_usual(found.arrivals, year)
    rows = found.shelves[found.shelves["dealer_id"].isin(until.index)]
    columns = ["until_days", "missed_value", "n_short_models", "needed_value", "most_missed_value"]
    if rows.empty or n < 2 * RECENT_MONTHS:
        return pd.DataFrame(columns=["dealer_id", *columns]).astype(dict.fromkeys(columns, float))
    pair = rows.groupby(PAIR, sort=False).ngroup().to_numpy()
    first = np.unique(pair, return_index=True)[1]
    own = rows.iloc[first]
    at = {month: i for i, month in enumerate(year.months)}
    column = rows["month"].map(at).fillna(-1).to_numpy(dtype="int64")
    net, sold = np.zeros((2, len(own), n + 1))  # what was before stands last
    np.add.at(net, (pair, column), rows["net"].to_numpy())
    np.add.at(sold, (pair, column), rows["sold"].to_numpy())
    stock = net[:, -1:] + net[:, :-1].cumsum(axis=1)
    sold = sold[:, :-1].clip(min=0)
    lately = sum(np.roll(sold, back, axis=1) for back in range(RECENT_MONTHS)) > 0
    dealers = until.index
    whose = dealers.get_indexer(own["dealer_id"])
    a_day = sold.sum(axis=1, keepdims=True) / year.end_day
    needed = (
        a_day * _coming(own["category"], year) * (_levels(dealers, year) * until.to_numpy())[whose]
    )
    short = np.where(lately, needed - stock.clip(min=0), 0.0).clip(min=0)
    price = own["price"].fillna(0).to_numpy()[:, None]
    missed, need = np.zeros((2, len(dealers), n))
    np.add.at(missed, whose, short * price)
    np.add.at(need, whose, np.where(lately, needed, 0.0) * price)
    counts = np.bincount(whose, short[:, -1] >= 0.5, minlength=len(dealers))
    past = missed[:, RECENT_MONTHS - 1 : -RECENT_MONTHS].max(axis=1)
    figures = [until.iloc[:, -1], missed[:, -1], counts, need[:, -1], past]
    told = dict(zip(columns, map(np.asarray, figures), strict=True))
    return pd.DataFrame(told, index=dealers).rename_axis("dealer_id").reset_index()


def _until_usual(arrivals: pd.DataFrame, year: Year) -> pd.DataFrame:
    """Tell how many days it is from each month's end to the next usual delivery: by dealer."""
    rows = arrivals.assign(day=(arrivals["date"] - year.start).dt.days + 1.0)
    rows = rows[(rows["day"] > 0) & (rows["day"] <= year.end_day)]
    middle = rows.groupby("dealer_id")["came"].transform("median")
    rows = rows[rows["came"] >= USUAL_PART * middle].sort_values(["dealer_id", "day"])
    gaps = rows.groupby("dealer_id")["day"].diff().groupby(rows["dealer_id"])
    gap = gaps.median()[gaps.count() >= MIN_GAPS]
    gap = gap[gap.index.isin(year.dealers)]
    days = year.bounds[1 : len(year.months) + 1]
    found = {}
    for dealer, own in rows[rows["dealer_id"].isin(gap.index)].groupby("dealer_id")["day"]:
        day, usual = own.to_numpy(), gap[dealer]
        before = np.searchsorted(day, days, side="right")
        last = np.where(before > 0, day[np.maximum(before - 1, 0)], -np.inf)
        since = days - last
        found[dealer] = np.where(since > LATE * usual, usual, np.maximum(usual - since, 1.0))
    return pd.DataFrame.from_dict(found, orient="index", columns=range(len(days)), dtype=float)


def _coming(category: pd.Series, year: Year) -> np.ndarray:
    """Tell of each model what the month after each month sells, against a mean month."""
    n = len(year.months)
    if n < 12:  # no year is known
        return np.ones((len(category), n))
    following = np.roll(year.share.to_numpy(), -1, axis=1) * n
    place = year.share.index.get_indexer(category)
    return np.where(place[:, None] >= 0, following[np.maximum(place, 0)], 1.0)


def _levels(dealers: pd.Index, year: Year) -> np.ndarray:
    """Tell each dealer's pace around each month's end, as a multiple of what the season expects."""
    days = year.bounds[1 : len(year.months) + 1]
    rows = [year.level(at, days) for at in year.dealers.get_indexer(dealers)]
    return np.nan_to_num(np.array(rows), nan=1.0)
