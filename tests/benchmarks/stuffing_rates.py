"""How often a stuffed dealer is found, and how often one is called so who is not.

    .venv/bin/python tests/benchmarks/stuffing_rates.py              # 400 networks: ten minutes
    .venv/bin/python tests/benchmarks/stuffing_rates.py --networks 40

Networks of 200 dealers are simulated (`tests/channels.py`): from 8 to 2,000 pieces a month, goods
weekly to two-monthly, orders with 15 or 30 % of chance, seasons of 0, 30 and 60 %, growth from −20
to +30 % a year, two promotions a year and one besides, ahead of which half of the dealers buy 0.3
to 0.8 months of sales. *Empty* networks have nobody stuffed; in *planted* ones a tenth of the
dealers is sold at least 1.5 times what he sells. The exit code is 1 where a bound is missed; what
can't be reached is printed by cell, and said to be so.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from channels import RHYTHMS, SIZES, simulated
from helpers.inventory import channel

FALSE_MOST = 0.01  # per dealer and month, over all cells
FOUND_LEAST = 0.9  # by the end of the second month
REACHED = (7,)  # days between orders: where `FOUND_LEAST` is reached, promotions aside
DRY_FALSE_MOST = 0.01
RESAMPLES = 1000


def judged(seeds: range, **plan: object) -> pd.DataFrame:
    """Judge every dealer of some networks, each at the end of another month."""
    ends = pd.date_range("2025-11-30", periods=12, freq="ME")
    rows = []
    for seed in seeds:
        found = simulated(seed, end=str(ends[seed % 12].date()), **plan)
        rows.append(channel.pressure(found.channel).merge(found.dealers).assign(network=seed))
    rows = pd.concat(rows, ignore_index=True)
    return rows[rows["planted"]] if plan.get("planted") else rows


def rate(rows: pd.DataFrame, status: str) -> tuple[float, float, float]:
    """Give a status's share, and the 95 % interval of a bootstrap over whole networks."""
    hits = (rows["status"] == status).groupby(rows["network"]).agg(["sum", "size"]).to_numpy()
    draws = np.random.default_rng(1).integers(0, len(hits), (RESAMPLES, len(hits)))
    sums = hits[draws].sum(axis=1)
    low, high = np.quantile(sums[:, 0] / sums[:, 1], [0.025, 0.975])
    return hits[:, 0].sum() / hits[:, 1].sum(), low, high


def told(name: str, rows: pd.DataFrame, status: str) -> float:
    """Print a rate with its interval, and by cell."""
    share, low, high = rate(rows, status)
    print(f"{name:<46} {share:7.2%}  ({low:.2%} to {high:.2%})  of {len(rows):,}")
    for by, known in (("rhythm", RHYTHMS), ("size", SIZES), ("noise", (0.15, 0.3))):
        parts = (rows["status"] == status).groupby(rows[by]).mean().reindex(known)
        print(f"    by {by:<8}", *(f"{key}: {value:.1%}" for key, value in parts.items()))
    return share


def main() -> int:
    """Measure, print, and say whether the bounds hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=int, default=400, help="half of them empty")
    n = parser.parse_args().networks
    empty = judged(range(n // 2))
    false = told("false: stuffed, in empty networks", empty, "stuffed")
    dry = told("false: runs dry, in empty networks", empty, "runs_dry")
    seeds = range(10_000, 10_000 + n // 4)
    planted = {"planted": "stuffed", "share": 0.1}
    second = judged(seeds, months=2, **planted)
    told("found by the end of the second month", second, "stuffed")
    worth = second["excess_value"].where(second["status"] == "stuffed").sum()
    print(f"    of the excess of all of them: {worth / second['excess_value'].sum():.1%}")
    calm = judged(seeds[: n // 8], months=2, promotions=False, **planted)
    told("the same, without promotions", calm, "stuffed")
    told(
        "found by the end of the fourth month",
        judged(seeds[: n // 8], months=4, **planted),
        "stuffed",
    )
    since = judged(seeds[: n // 8], months=2, ended=1, **planted)
    told("stuffed for two months till a month ago", since, "stuffed")
    still = since[since["lasts_days"] > channel.KEPT_COVER * since["usual_lasts_days"]]
    kept = (still["stuffed_month"] != "").mean()
    print(
        f"    where the excess still lies there: {(still['status'] == 'stuffed').mean():.1%}",
        end="",
    )
    print(f", {kept:.1%} since they were so before")
    starved = judged(seeds[: n // 8], planted="starved", share=0.1, months=3)
    told("found: runs dry, a quarter of the orders", starved, "runs_dry")
    reached = calm[calm["rhythm"].isin(REACHED)]
    found = (reached["status"] == "stuffed").mean()
    for days in RHYTHMS:
        own = second[second["rhythm"] == days]
        if (share := (own["status"] == "stuffed").mean()) < FOUND_LEAST:
            orders = own["n_recent_orders"].mean()
            print(
                f"out of reach: goods every {days} days: {share:.0%} found, by {orders:.1f} orders"
            )
    missed = [
        name
        for name, holds in (
            (f"false {false:.2%} > {FALSE_MOST:.0%}", false <= FALSE_MOST),
            (f"false dry {dry:.2%} > {DRY_FALSE_MOST:.0%}", dry <= DRY_FALSE_MOST),
            (f"weekly, calm: found {found:.1%} < {FOUND_LEAST:.0%}", found >= FOUND_LEAST),
        )
        if not holds
    ]
    print("\n".join(missed) or "every bound that can be reached is met")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
