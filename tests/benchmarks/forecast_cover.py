"""Does the forecast's 80 % interval hold as often as it says, and is the forecast worth having?

    IOWA_DATA=/folder/of/the/files .venv/bin/python tests/benchmarks/forecast_cover.py
    .venv/bin/python tests/benchmarks/forecast_cover.py --networks 2000      # without Iowa's data

Series: the towns and the stores of Iowa with 48 months or more (`--stores` of the latter, drawn by
a seed), and generated networks of 36 to 60 months. Each is cut at origins a year apart, so that
what came is known for twelve months, and forecast as the month's page does (`forecast.outlook`).
Printed by source: cover at each horizon and of the sum of six months, the sum of absolute errors
against the seasonal naive forecast's and MASE (Hyndman and Koehler, Another look at measures of
forecast accuracy, International Journal of Forecasting 22 (2006): the scale is the seasonal naive
error within what was known).

It exits with 1 where cover over all horizons of a source is not 75 to 85 %, or the error is above
the seasonal naive one's.
"""

import argparse
import os
import sys
from pathlib import Path

import duckdb
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from helpers.result import forecast, seasonal_naive
from month_series import network

AHEAD, SUMMED = 12, 6
LEAST = 48  # months of a series
BOUNDS = (0.75, 0.85)


def iowa_series(folder: Path, n_stores: int, seed: int) -> dict[str, list[np.ndarray]]:
    """Sum up each town's and store's months, from its first to its last, zeros in between."""
    sums = """
        with lines as (
            select {key} as id, date_trunc('month', "Date") as month, sum("Sale (Dollars)") as sold
            from '{folder}/invoices_full.parquet' {joined}
            where "Date" < '2022-10-01' group by 1, 2
        )
        select id, date_diff('month', min(month), max(month)) + 1 as n,
               list(date_diff('month', date '2012-01-01', month)) as at,
               list(cast(sold as double)) as sold
        from lines where id is not null group by id having n >= 48 order by id
    """
    joined = f"left join '{folder}/stores.csv' using (\"Store Number\")"
    found = {}
    for name, key, more in (("towns", '"City"', joined), ("stores", '"Store Number"', "")):
        rows = duckdb.sql(sums.format(key=key, folder=folder, joined=more)).fetchall()
        series = []
        for _id, n, at, sold in rows:
            values, first = np.zeros(n), min(at)
            values[np.array(at) - first] = sold
            series.append(values)
        found[name] = series
    pick = np.random.default_rng(seed).permutation(len(found["stores"]))[:n_stores]
    found["stores"] = [found["stores"][i] for i in sorted(pick)]
    return found


def tried(series: list[np.ndarray], n_origins: int) -> dict[str, np.ndarray]:
    """Forecast each series from its origins: what was inside, and what was missed by."""
    inside, sums, errors, naive, scaled = [], [], [], [], []
    for values in series:
        for back in range(n_origins):
            end = len(values) - AHEAD * (back + 1)
            if end < LEAST - AHEAD or not values[:end][-12:].sum() > 0:
                continue
            known, came = values[:end], values[end : end + AHEAD]
            _method, _errors, rows, held = forecast.outlook(known, AHEAD)
            low, high, value = (rows[c].to_numpy() for c in ("low", "high", "value"))
            inside.append((came >= low) & (came <= high))
            wide = forecast.half_widths(held[:, :SUMMED].cumsum(axis=1))[-1]
            sums.append(abs((came - value)[:SUMMED].sum()) <= wide)
            errors.append(np.abs(came - value).sum())
            naive.append(np.abs(came - seasonal_naive(known, AHEAD)).sum())
            scaled.append(errors[-1] / AHEAD / np.abs(known[12:] - known[:-12]).mean())
    return {
        "inside": np.array(inside),
        "sums": np.array(sums),
        "errors": np.array(errors),
        "naive": np.array(naive),
        "mase": np.array(scaled),
    }


def told(name: str, found: dict[str, np.ndarray]) -> bool:
    """Print what was found of a source; whether its bounds hold."""
    n, by_horizon = len(found["inside"]), found["inside"].mean(axis=0)
    cover, better = found["inside"].mean(), found["errors"].sum() / found["naive"].sum()
    print(
        f"{name:<9} {n:>5,} pairs  cover {cover:.1%}  sum of six months {found['sums'].mean():.1%}"
    )
    print("          by horizon  " + "  ".join(f"{c:.0%}" for c in by_horizon))
    mase = found["mase"][np.isfinite(found["mase"])]
    print(f"          error {better:.2f} of seasonal naive's; MASE {np.median(mase):.2f} (median)")
    return BOUNDS[0] <= cover <= BOUNDS[1] and better <= 1


def main() -> int:
    """Print cover and error of each source; 1 where a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--stores", type=int, default=500)
    parser.add_argument("--networks", type=int, default=1_000)
    parser.add_argument("--origins", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    draw = np.random.default_rng(given.seed)
    sources = {
        "networks": [network(draw, int(draw.integers(48, 73))) for _ in range(given.networks)]
    }
    if folder := os.environ.get("IOWA_DATA"):
        sources |= iowa_series(Path(folder), given.stores, given.seed)
    else:
        print("IOWA_DATA names no folder: generated networks only")
    held = [
        told(name, tried(series, given.origins if name != "networks" else 1))
        for name, series in sources.items()
    ]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
