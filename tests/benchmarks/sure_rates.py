"""How often brands that earn a dealer the same are called apart, and how often a lead is found;
how often a level margin is said to move, and how often one that slips is found.

    .venv/bin/python tests/benchmarks/sure_rates.py [--networks 200] [--dealers 40] [--only margins]

Networks in which months hang together by 0, 0.3, 0.6, 0.8, over 12, 24 and 30 months; a dealer has
ours and two rivals, and their margins have one level (empty) or ours is two points off at a third
of the dealers (planted). For slips, 200 dealers have one margin each; of planted ones a tenth wear
away by six points a year and a tenth break off by six. Intervals of the rates come from networks
drawn with replacement. Ends with 1 if a rate, its interval aside, is above five percent, or the
power of an easy cell is low.
"""

import argparse
import math
import sys
from typing import NamedTuple
from unittest import mock

import numpy as np
import pandas as pd
from scipy import stats

from helpers import periods
from helpers.profit import brands, margins, serial, slopes

OURS, RIVALS = "Ours", ("One", "Two")
RHOS, MONTHS = (0.0, 0.3, 0.6, 0.8), (12, 24, 30)
LEVEL, NOISE, LEAD = 0.16, 0.01, 0.02  # of margin: level, deviation of a month, planted lead
PLANTED = 1 / 3  # of the dealers
SLIP, SLIPPING = 0.06, 0.1  # points a year; of the dealers, by a slope and by a step each
EASY = {(12, 0.0): 0.9, (24, 0.3): 0.7, (30, 0.3): 0.8}  # power that must be reached


class Cell(NamedTuple):
    """Rates of a cell, with 95 % intervals: `old` is the test as it was (independent months, no
    other dealer), `alone` a dealer's at five percent, `false` as published, all of empty networks;
    `power`, `fdr` (of what is said apart) and `equal_false` (of what is said equal, the part that
    is two points off) of planted ones.
    """

    old_rate: float
    alone_rate: float
    alone_error: float
    false_rate: float
    false_high: float
    power: float
    power_low: float
    power_high: float
    fdr: float
    fdr_high: float
    equal_false: float
    months: float


def process(rng: np.random.Generator, shape: tuple[int, ...], rho: float) -> np.ndarray:
    """Draw stationary first-order series of variance 1 along the last axis."""
    drawn = rng.normal(size=shape)
    for k in range(1, shape[-1]):
        drawn[..., k] = rho * drawn[..., k - 1] + math.sqrt(1 - rho**2) * drawn[..., k]
    return drawn


def network(
    rng: np.random.Generator, n_dealers: int, n_months: int, rho: float, lead: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the door's two tables: sums of the window, and its months."""
    names = (OURS, *RIVALS)
    noise = NOISE * process(rng, (n_dealers, len(names), n_months), rho)
    margin = LEVEL + noise
    margin[:, 0] += lead[:, None]
    revenue = 1000 * rng.lognormal(0, 0.5, (n_dealers, len(names), 1)) * np.ones(n_months)
    months = pd.DataFrame(
        {
            "dealer_id": np.repeat([f"d{i:04d}" for i in range(n_dealers)], len(names) * n_months),
            "brand": np.tile(np.repeat(names, n_months), n_dealers),
            "month": np.tile(periods.month_range("2026-10", n_months), n_dealers * len(names)),
            "revenue": revenue.ravel(),
            "gross_profit": (margin * revenue).ravel(),
        }
    ).assign(rebate=0.0, average_stock_value=500.0, shelf_area_m2=10.0)
    months["earned"] = months["gross_profit"]
    months["cost_of_sales"] = months["revenue"] - months["gross_profit"]
    sums = months.groupby(["dealer_id", "brand"], as_index=False).agg(
        **{c: (c, "sum") for c in brands.FLOWS},
        average_stock_value=("average_stock_value", "mean"),
        shelf_area_m2=("shelf_area_m2", "mean"),
        n_months=("month", "size"),
    )
    window = {"first_month": months["month"].min(), "last_month": months["month"].max()}
    n = {"n_stock_months": n_months, "n_shelf_months": n_months, "window_months": n_months}
    return sums.assign(alike=True, **window, **n), months


def compared(sums: pd.DataFrame, months: pd.DataFrame, **rules: float) -> pd.DataFrame:
    """Compare brands in margin alone: the other measures are judged in the same way."""
    one = {"MEASURES": ("margin_rate",), "RATIOS": {"margin_rate": ("earned", "revenue", 1)}}
    with mock.patch.multiple(brands, **one):
        return brands.brand_comparison(sums, OURS, months, **rules)


def judged(
    rng: np.random.Generator, n_dealers: int, n_months: int, rho: float, lead: np.ndarray
) -> pd.DataFrame:
    """Compare the brands of a network: the rows of rivals, with what the old test would say."""
    sums, months = network(rng, n_dealers, n_months, rho, lead)
    rows = compared(sums, months, notable_points=0.0)
    wide = months.assign(rate=months["earned"] / months["revenue"]).pivot_table(
        "rate", ["dealer_id", "brand"], "month"
    )
    rows = rows[~rows["ours"]].reset_index(drop=True)
    ours = wide.loc[[(d, OURS) for d in rows["dealer_id"]]].to_numpy()
    theirs = wide.loc[list(zip(rows["dealer_id"], rows["brand"], strict=True))].to_numpy()
    old = stats.ttest_rel(ours, theirs, axis=1).pvalue
    with mock.patch.object(serial, "level", lambda *_: serial.Q):
        lone = compared(sums, months, notable_points=0.0)
    alone = lone.loc[~lone["ours"], "result_margin_rate"].isin(["win", "lose"])
    return rows.assign(old=2 * old < serial.Q, alone=alone.to_numpy())


def cell(n_months: int, rho: float, *, n_networks: int, n_dealers: int, seed: int) -> Cell:
    """Measure a cell's rates, of dealers: a verdict on any of his rivals is one."""
    rng = np.random.default_rng([seed, n_months, int(100 * rho)])
    none, off = np.zeros(n_dealers), np.zeros(n_dealers)
    off[: round(PLANTED * n_dealers)] = LEAD
    empty, planted = [], []
    for _ in range(n_networks):
        rows = judged(rng, n_dealers, n_months, rho, none)
        apart = rows["result_margin_rate"].isin(["win", "lose"])
        by_dealer = pd.DataFrame({"old": rows["old"], "alone": rows["alone"], "false": apart})
        told = by_dealer.groupby(rows["dealer_id"]).any().mean()
        months = rows["effective_months_margin_rate"].mean()
        empty.append((*told[["old", "alone", "false"]], months))
        rows = judged(rng, n_dealers, n_months, rho, off)
        is_off = rows["dealer_id"].map(dict(zip(rows["dealer_id"].unique(), off, strict=True))) > 0
        apart = rows["result_margin_rate"].isin(["win", "lose"])
        dealer = pd.DataFrame({"apart": apart, "off": is_off}).groupby(rows["dealer_id"]).any()
        found, wrong = dealer["apart"] & dealer["off"], dealer["apart"] & ~dealer["off"]
        planted.append(
            (found.sum() / max((off > 0).sum(), 1), wrong.sum() / max(dealer["apart"].sum(), 1))
        )
    first, second = np.array(empty), np.array(planted)
    low, high = (_bound(rng, second[:, 0], part) for part in (0.025, 0.975))
    return Cell(
        old_rate=first[:, 0].mean(),
        alone_rate=first[:, 1].mean(),
        alone_error=first[:, 1].std(ddof=1) / math.sqrt(len(first)),
        false_rate=first[:, 2].mean(),
        false_high=_bound(rng, first[:, 2], 0.975),
        power=second[:, 0].mean(),
        power_low=low,
        power_high=high,
        fdr=second[:, 1].mean(),
        fdr_high=_bound(rng, second[:, 1], 0.975),
        equal_false=_equal_false(rng, n_months, rho, n_networks, n_dealers),
        months=first[:, 3].mean(),
    )


class Moves(NamedTuple):
    """Rates of whose margin moves, with upper 95 % ends: `old` is the rule as it was (independent
    months, each dealer alone), `false` as published, of all dealers of empty networks; `families`
    of these networks with anybody named; of planted ones `worn` and `broken`, the parts found, and
    `fdr`, of those named the part who do not move. `rho` is what was estimated.
    """

    rho: float
    old_rate: float
    false_rate: float
    false_high: float
    families: float
    worn: float
    broken: float
    fdr: float
    fdr_high: float


def margin_network(
    rng: np.random.Generator, n_dealers: int, n_months: int, rho: float, *, planted: bool
) -> tuple[pd.DataFrame, np.ndarray]:
    """Make the door's table of margins, and say of each dealer: 0 level, 1 wears, 2 breaks off.

    All dealers have the network's season and its drift of six tenths of a point a year.
    """
    time = np.arange(n_months) - n_months
    rate = LEVEL + NOISE * process(rng, (n_dealers, n_months), rho)
    rate += 0.005 * np.cos(time / 6 * np.pi) - 0.006 * time / 12
    kind, n = np.zeros(n_dealers, int), round(SLIPPING * n_dealers) * planted
    kind[:n], kind[n : 2 * n] = 1, 2
    rate[kind == 1] -= SLIP * np.clip(time + margins.WINDOW, 0, None) / margins.WINDOW
    rate[kind == 2] -= SLIP * (time >= -slopes.HALF)
    rows = pd.DataFrame(
        {
            "dealer_id": np.repeat([f"d{i:04d}" for i in range(n_dealers)], n_months),
            "month": np.tile(periods.month_range("2026-10", n_months), n_dealers),
            "revenue": 100.0,
        }
    )
    return rows.assign(earned=100 * rate.ravel()), kind


def moved(rows: pd.DataFrame) -> np.ndarray:
    """Say who is named: moves, in either direction."""
    return margins.margin_trends(rows, "2026-10")["movement"].isin(["slips", "recovers"]).to_numpy()


def moves(n_months: int, rho: float, *, n_networks: int, n_dealers: int, seed: int) -> Moves:
    """Measure how often a margin is said to move."""
    rng = np.random.default_rng([seed, n_months, int(100 * rho), 2])
    size = {"n_dealers": n_dealers, "n_months": n_months, "rho": rho}
    old, shares, found, told, estimate = [], [], [], [], slopes.autocorrelation

    def heard(years: list[np.ndarray]) -> float:
        told.append(estimate(years))
        return told[-1]

    with mock.patch.object(slopes, "autocorrelation", heard):
        for _ in range(n_networks):
            rows, _kind = margin_network(rng, **size, planted=False)
            shares.append(moved(rows).mean())
            old.append(moved_formerly(rows).mean())
            rows, kind = margin_network(rng, **size, planted=True)
            named = moved(rows)
            wrong = (named & (kind == 0)).sum() / max(named.sum(), 1)
            found.append((named[kind == 1].mean(), named[kind == 2].mean(), wrong))
    shares, parts = np.array(shares), np.array(found)
    return Moves(
        rho=float(np.mean(told)),
        old_rate=float(np.mean(old)),
        false_rate=shares.mean(),
        false_high=_bound(rng, shares, 0.975),
        families=float(np.mean(shares > 0)),
        worn=parts[:, 0].mean(),
        broken=parts[:, 1].mean(),
        fdr=parts[:, 2].mean(),
        fdr_high=_bound(rng, parts[:, 2], 0.975),
    )


def moved_formerly(rows: pd.DataFrame) -> np.ndarray:
    """Say who would be named were months independent and every dealer the only one."""
    everybody = mock.patch.object(margins, "_surely", lambda *p: [np.ones_like(p[0], bool)] * 2)
    with mock.patch.object(slopes, "autocorrelation", lambda _years: 0.0), everybody:
        return moved(rows)


def _equal_false(rng, n_months: int, rho: float, n_networks: int, n_dealers: int) -> float:
    """Give the share of dealers called equal whose brands differ by just what is notable."""
    at_margin = np.full(n_dealers, brands.NOTABLE_POINTS)
    called = 0
    for _ in range(n_networks):
        sums, months = network(rng, n_dealers, n_months, rho, at_margin)
        rows = compared(sums, months)
        called += rows.loc[rows["result_margin_rate"] == "even", "dealer_id"].nunique()
    return called / n_networks / n_dealers


def _bound(rng: np.random.Generator, values: np.ndarray, part: float) -> float:
    drawn = rng.choice(values, (1000, len(values))).mean(axis=1)
    return float(np.quantile(drawn, part))


def main() -> int:
    """Print all cells; 1 if a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--dealers", type=int, default=40)
    parser.add_argument("--only", choices=("brands", "margins"))
    parser.add_argument("--months", type=int, nargs="*", default=MONTHS, choices=MONTHS)
    asked = parser.parse_args()
    missed = [] if asked.only == "margins" else _brands(asked)
    missed += [] if asked.only == "brands" else _margins(asked)
    print("\n".join(missed) or "every bound is met")
    return bool(missed)


def _brands(asked: argparse.Namespace) -> list[str]:
    print(f"{asked.networks} networks a cell, {asked.dealers} dealers, two rivals each")
    print(
        "months  rho | effective |   old  alone (±)   false (to) |  power (from to)      FDR (to)"
        "     equal, not so"
    )
    missed = []
    for n_months in asked.months:
        for rho in RHOS:
            c = cell(n_months, rho, n_networks=asked.networks, n_dealers=asked.dealers, seed=1)
            print(
                f"{n_months:6d}  {rho:.1f} | {c.months:9.1f} | {c.old_rate:5.1%}"
                f"  {c.alone_rate:.1%} ({1.96 * c.alone_error:.1%})"
                f"  {c.false_rate:.2%} ({c.false_high:.2%}) |"
                f"  {c.power:.0%} ({c.power_low:.0%} to {c.power_high:.0%})"
                f"  {c.fdr:.1%} ({c.fdr_high:.1%})  {c.equal_false:.2%}",
                flush=True,
            )
            where = f"{n_months} months, rho {rho}"
            if c.alone_rate - 1.96 * c.alone_error > 0.05 or c.false_rate > 0.05:
                missed.append(f"{where}: equal brands are called apart")
            if c.fdr > 0.05 or c.equal_false > 0.05:
                missed.append(f"{where}: too much of what is said is false")
            if c.power < EASY.get((n_months, rho), 0):
                missed.append(f"{where}: power {c.power:.0%}")
    return missed


def _margins(asked: argparse.Namespace) -> list[str]:
    n_dealers = 5 * asked.dealers
    print(f"{asked.networks} networks a cell, {n_dealers} dealers; whose margin moves")
    print("months  rho | estimated |   old  false (to)     networks | worn  broken  FDR (to)")
    missed = []
    for n_months in asked.months:
        for rho in RHOS:
            m = moves(n_months, rho, n_networks=asked.networks, n_dealers=n_dealers, seed=1)
            print(
                f"{n_months:6d}  {rho:.1f} | {m.rho:9.2f} | {m.old_rate:5.1%}"
                f"  {m.false_rate:.3%} ({m.false_high:.3%})  {m.families:5.1%} |"
                f" {m.worn:4.0%}  {m.broken:4.0%}  {m.fdr:.1%} ({m.fdr_high:.1%})",
                flush=True,
            )
            if m.false_rate > 0.05 or m.families > 0.05 + 2 * math.sqrt(0.05 / asked.networks):
                missed.append(f"{n_months} months, rho {rho}: level margins are said to move")
            if m.fdr > 0.05:
                missed.append(f"{n_months} months, rho {rho}: too many who move do not")
    return missed


if __name__ == "__main__":
    sys.exit(main())
