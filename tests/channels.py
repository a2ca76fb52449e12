"""Simulated channels: dealers who order by their rhythm, sell with the season, buy ahead of
promotions, and, where it is asked for, are sold more than they sell.

A dealer orders up to what he expects to sell in his cover and until the next order, give or take
chance. Who is stuffed goes on as before, and on top of each order gets half of what he has sold
since the order before, or more where that brings the order to 1.5 times of it.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers import data

SIZES = (8, 30, 120, 500, 2000)  # pieces a month
RHYTHMS = (7, 14, 30, 60)  # days between orders
NOISE = (0.15, 0.3)  # of an order, standard deviation of its logarithm
COVER = (15, 60)  # days of sales that should lie there when the next order comes
GROWTH = (-0.2, 0.3)  # a year
SEASONS = np.array([0.0, 0.3, 0.6])  # amplitude of a category
PRICES = np.array([0.5, 1.0, 2.5])
PROMOTIONS = (150, 310)  # days of a year on which one starts; one more at any time
UPLIFT, PROMOTION_DAYS = 1.4, 20
AHEAD_DAYS, AHEAD = 25, (0.3, 0.8)  # months of sales that half of the dealers buy ahead
MONTH = 30.4
YEARS = 3  # simulated; sell-in is told for the last 30 months, moves for twelve


@dataclass(frozen=True)
class Simulated:
    """Who the dealers are, and what is told of them at the end: `channel`."""

    dealers: pd.DataFrame  # dealer_id, size, rhythm, noise, buys_ahead, planted
    channel: data.Channel


def simulated(
    seed: int,
    *,
    end: str = "2026-10-31",
    n: int = 200,
    planted: str = "",
    months: int = 2,
    ended: int = 0,
    share: float = 0.5,
    factor: float = 1.5,
    promotions: bool = True,
    records_months: int = 12,
    known_months: int = 30,
) -> Simulated:
    """Simulate `n` dealers to the day `end`.

    `planted` is "stuffed" or "starved": that `share` of them for the last `months`, or for so many
    up to `ended` months before the end: from then on they order as if what was pushed in did not
    lie there. The starved get a quarter of what they would order.
    """
    rng, end = np.random.default_rng(seed), pd.Timestamp(end)
    first = (end - pd.DateOffset(years=YEARS)).normalize() + pd.Timedelta(days=1)
    n_days = (end - first).days + 1
    size, rhythm, noise = (rng.choice(x, n) for x in (SIZES, RHYTHMS, NOISE))
    cover, growth = rng.uniform(*COVER, n), rng.uniform(*GROWTH, n)
    ahead = rng.uniform(*AHEAD, n) * (rng.random(n) < 0.5) * promotions
    hit = (rng.random(n) < share) & bool(planted)
    day_after = end + pd.Timedelta(days=1)
    begins, ends = (
        (day_after - pd.DateOffset(months=back) - first).days for back in (months + ended, ended)
    )
    rate, buying = _rates(rng, size, growth, n_days, promotions)
    total = np.concatenate([np.zeros((*rate.shape[:2], 1)), rate.cumsum(axis=2)], axis=2)
    came, sold = np.zeros((2, n, len(SEASONS), n_days))
    stock = np.floor(rate[:, :, 0] * (cover + rhythm)[:, None])
    pushed, since = np.zeros_like(stock), np.zeros_like(stock)
    turn = rng.uniform(0, 1, n) * rhythm
    opening = stock.copy()
    for day in range(n_days):
        if len(due := np.flatnonzero(turn <= day)):
            to = np.minimum(day + (cover + rhythm)[due].astype(int), rate.shape[2])
            wanted = total[due, :, to] - total[due, :, day]
            wanted = wanted + (MONTH * ahead[due] * buying[day])[:, None] * rate[due, :, day]
            wanted = np.maximum(wanted - (stock - pushed)[due], 0)
            wanted *= rng.lognormal(-(noise[due] ** 2) / 2, noise[due])[:, None]
            now = (hit[due] & (begins <= day < ends))[:, None]
            if planted == "stuffed":
                push = np.maximum((factor - 1) * since[due], factor * since[due] - wanted)
                push = np.where(now, push, 0)
                pushed[due] += push
                wanted = wanted + push
            elif planted == "starved":
                wanted = np.where(now, 0.25 * wanted, wanted)
            came[due, :, day] = np.floor(wanted + rng.random(wanted.shape))
            stock[due] += came[due, :, day]
            since[due] = 0
            turn[due] += rhythm[due] * rng.normal(1, 0.12, len(due)).clip(0.5, 1.5)
        sold[:, :, day] = np.minimum(rng.poisson(rate[:, :, day]), stock)
        stock -= sold[:, :, day]
        since += sold[:, :, day]
    ids = np.array([f"D{i:04d}" for i in range(n)])
    dealers = pd.DataFrame(
        {
            "dealer_id": ids,
            "size": size,
            "rhythm": rhythm,
            "noise": noise,
            "buys_ahead": ahead > 0,
            "planted": hit,
        }
    )
    days = pd.date_range(first, end)
    return Simulated(dealers, _told(ids, days, opening, came, sold, records_months, known_months))


def _rates(
    rng: np.random.Generator, size: np.ndarray, growth: np.ndarray, n_days: int, promotions: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Give the pieces a day that each dealer would sell, and on which days one buys ahead."""
    day = np.arange(n_days + 150)
    peak = rng.uniform(0, 365, len(SEASONS))
    season = 1 + SEASONS[:, None] * np.cos(2 * np.pi * (day - peak[:, None]) / 365)
    lift, ahead = np.ones(len(day)), np.zeros(len(day))
    first = rng.integers(-365, 0)  # on any day of the year the end may be
    starts = [first + p + 365 * y + rng.integers(-4, 5) for y in range(5) for p in PROMOTIONS]
    starts.append(rng.integers(n_days - 400, n_days + 30))
    for start in starts if promotions else []:
        start = max(int(start), 0)
        lift[start : start + PROMOTION_DAYS] *= UPLIFT
        ahead[max(start - AHEAD_DAYS, 0) : start] = 1
    mix = rng.dirichlet(np.full(len(SEASONS), 1.5), len(size))
    level = (1 + growth)[:, None] ** ((day - n_days) / 365)
    rate = (size[:, None] / MONTH * mix)[:, :, None] * season * level[:, None, :] * lift
    return rate, ahead


def _told(ids, days, opening, came, sold, records_months: int, known_months: int) -> data.Channel:
    """Tell of the days what the door would."""
    start = (days[-1] + pd.Timedelta(days=1) - pd.DateOffset(months=records_months)).normalize()
    at = int((start - days[0]).days)
    money = PRICES[None, :, None]
    there = opening + (came - sold)[:, :, :at].sum(axis=2)
    came_value, sold_value = (x[:, :, at:] * money for x in (came, sold))
    stock = (there * PRICES).sum(axis=1)[:, None]
    stock = stock + (came_value - sold_value).sum(axis=1).cumsum(axis=1)
    gone = sold_value.sum(axis=1).cumsum(axis=1)
    dealer, day = np.nonzero(came_value.sum(axis=1) > 0)
    arrivals = pd.DataFrame(
        {
            "dealer_id": ids[dealer],
            "date": days[at:][day],
            "came": came_value.sum(axis=1)[dealer, day],
            "gone": gone[dealer, day],
            "stock": stock[dealer, day],
        }
    )
    arrivals["sold_since"] = arrivals.groupby("dealer_id")["gone"].diff()
    month = days[at:].strftime("%Y-%m")
    names = sorted(set(month))
    place = np.searchsorted(names, month)
    flat = {}
    for name, values in (("n_came", came), ("n_sold", sold)):
        sums = np.zeros((*values.shape[:2], len(names)))
        np.add.at(sums, (slice(None), slice(None), place), values[:, :, at:])
        flat[name] = sums
    other = np.zeros_like(flat["n_came"])
    other[:, :, 0] = there
    flat["n_other"] = other
    keys = pd.MultiIndex.from_product([ids, ["a", "b", "c"], names])
    months = pd.DataFrame({k: v.ravel() for k, v in flat.items()}, index=keys).reset_index(
        names=["dealer_id", "category", "month"]
    )
    price = np.tile(np.repeat(PRICES, len(names)), len(ids))
    for name in ("came", "sold", "other"):
        months[name] = months[f"n_{name}"] * price
    every = days.strftime("%Y-%m")
    all_names = sorted(set(every))
    by_month = np.zeros((len(ids), len(all_names)))
    np.add.at(
        by_month, (slice(None), np.searchsorted(all_names, every)), (came * money).sum(axis=1)
    )
    bought = pd.DataFrame(by_month, index=ids, columns=all_names).iloc[:, -known_months:]
    bought = bought.rename_axis(index="dealer_id").reset_index()
    bought = bought.melt("dealer_id", var_name="month", value_name="bought")
    sources = pd.DataFrame({"dealer_id": ids, "source": "stock_moves"})
    empty = pd.DataFrame()
    bought = bought[bought["bought"] != 0]
    return data.Channel(
        arrivals, months, empty, empty, sources, bought, shelves_of(months), start, days[-1]
    )


def shelves_of(months: pd.DataFrame) -> pd.DataFrame:
    """Take each category for one model, at its price."""
    price = dict(zip("abc", PRICES, strict=True))
    return months.assign(
        product_id=months["category"],
        price=months["category"].map(price).fillna(1.0),
        net=months["n_came"] - months["n_sold"] + months["n_other"],
        sold=months["n_sold"],
    )[["dealer_id", "product_id", "category", "month", "price", "net", "sold"]]
