"""How often a call is false, and how much of a loss is called: simulated.

    python tests/benchmarks/call_rates.py [--networks N] [--write]

Networks as `tests/networks.py` draws them: *empty*, in which nobody's level changes, and *planted*,
in which 8 % of the dealers lose 20 to 100 % of theirs, at once, over three months or over six. The
calls of three months in a row are made; a planted loss is found if one of them names the dealer
within three months of its start. Found is counted in money: of all that was not bought for it in
these months. Intervals are 95 %, of a bootstrap over networks.

Beside what is found stands the *ceiling*: what a judge would find at the same rate of false calls
who knows what every dealer would have bought, and how far dealers of his rhythm stray from it. It
says what the noise of such networks allows at all.

`--write` keeps the rates in `data/reference/call_rates.csv`, which the page prints.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from helpers.calls import losses
from helpers.settings import CHECKOUT
from networks import FALLS, GAPS, N_MONTHS, PLANTED, START, Network, called, network

RHOS = (0.0, 0.3, 0.6)
CREEPING = {"at_once": 0, "over_3_months": 3, "over_6_months": 6}
MONTHS = range(START + 1, START + 4)
FALSE_BOUND, FOUND_BOUND, TRUE_BOUND = 0.005, 0.90, 0.80
N_BOOT = 2000
TARGET = CHECKOUT / "data" / "reference" / "call_rates.csv"


class Counts:
    """Parts and wholes by cell and network, for rates and their intervals."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.found: dict[tuple[str, str], list[tuple[float, float]]] = {}

    def add(self, rate: str, cell: str, part: float, whole: float) -> None:
        """Count a network."""
        self.found.setdefault((rate, cell), []).append((float(part), float(whole)))

    def table(self) -> pd.DataFrame:
        """Give rates with their intervals."""
        rng, rows = np.random.default_rng(0), []
        for (rate, cell), pairs in self.found.items():
            both = np.array(pairs)
            drawn = both[rng.integers(0, len(both), (N_BOOT, len(both)))].sum(axis=1)
            ratios = drawn[:, 0] / np.where(drawn[:, 1] > 0, drawn[:, 1], np.nan)
            low, high = np.nanquantile(ratios, [0.025, 0.975])
            whole = both.sum(axis=0)
            value = whole[0] / whole[1] if whole[1] > 0 else np.nan
            rows.append((rate, cell, value, low, high, len(both)))
        names = ["rate", "cell", "simulated_rate", "low_rate", "high_rate", "n_networks"]
        return pd.DataFrame(rows, columns=names)


def fifths(net: Network) -> np.ndarray:
    """Place dealers by size, 5 the largest."""
    size = net.expected[:, START - 12 : START].sum(axis=1)
    return np.argsort(np.argsort(size)) * 5 // len(size) + 1


def count_empty(counts: Counts, rng: np.random.Generator, rho: float) -> None:
    """Count the false calls of three months in a network without a loss."""
    net = network(rng, rho=rho)
    size = fifths(net)
    hits = np.sum([called(net, end) for end in MONTHS], axis=0)
    wholes = {"all": np.ones(len(hits), bool), f"autocorrelation_{rho:g}": np.ones(len(hits), bool)}
    wholes |= {name: net.rhythm == i for i, name in enumerate(GAPS)}
    wholes |= {f"size_{i}": size == i for i in range(1, 6)}
    for cell, where in wholes.items():
        counts.add("false", cell, hits[where].sum(), len(MONTHS) * where.sum())


def count_planted(counts: Counts, rng: np.random.Generator, rho: float, how: str) -> Network:
    """Count what is found of the losses of a network, and how many of a month's calls are true."""
    net = network(rng, rho=rho, planted=PLANTED, creeping=CREEPING[how])
    months = [called(net, end) for end in MONTHS]
    hit, size = np.any(months, axis=0), fifths(net)
    cells = {how: net.fall > 0}
    cells |= {f"{how}_{fall:.0%}": net.fall == fall for fall in FALLS}
    if how == "at_once":
        cells |= {f"{how}_{name}": net.rhythm == i for i, name in enumerate(GAPS)}
        cells |= {f"{how}_size_{i}": size == i for i in range(1, 6)}
        cells |= {f"{how}_autocorrelation_{rho:g}": net.fall > 0}
    cells["all"] = net.fall > 0
    for cell, where in cells.items():
        counts.add("found", cell, net.missed[where & hit].sum(), net.missed[where].sum())
    for cell in ("all", how):
        counts.add("true", cell, (months[-1] & (net.fall > 0)).sum(), months[-1].sum())
    return net


def count_late(counts: Counts, rng: np.random.Generator, rho: float) -> None:
    """Count what is found of a loss over six months within three of its end."""
    net = network(rng, rho=rho, planted=PLANTED, creeping=6, n_months=START + 9)
    hit = np.any([called(net, end) for end in range(START + 1, START + 10)], axis=0)
    counts.add("found_late", "over_6_months", net.missed[hit].sum(), net.missed.sum())


def ceilings(empty: list[Network], planted: dict[str, list[Network]]) -> list[tuple]:
    """Give what a judge finds who knows what dealers would buy, and how their rhythm strays."""

    def of(nets: list[Network]) -> tuple[np.ndarray, ...]:
        rows = []
        for net in nets:
            due = net.expected[:, START:N_MONTHS].sum(axis=1)
            part = net.revenue[:, START:N_MONTHS].sum(axis=1) / np.where(due > 0, due, 1.0)
            parts = losses.false_parts(net.expected[:, START - 12 : START].sum(axis=1), FALSE_BOUND)
            rows.append((np.where(due > 0, part, 1.0), net.rhythm, parts, net.missed))
        return tuple(np.concatenate(column) for column in zip(*rows, strict=True))

    left, rhythm, *_ = of(empty)
    made = []
    for how, nets in planted.items():
        part, kind, parts, missed = of(nets)
        hit = np.zeros(len(part), bool)
        for i in range(len(GAPS)):
            where = kind == i
            hit[where] = part[where] < np.quantile(left[rhythm == i], parts[where])
        made.append(("ceiling", how, missed[hit].sum() / missed.sum(), np.nan, np.nan, len(nets)))
    return made


def rates(n_networks: int, seed: int = 1) -> pd.DataFrame:
    """Simulate: a third of the networks at each autocorrelation, `n_networks` of each."""
    counts, empty = Counts(), []
    planted: dict[str, list[Network]] = {how: [] for how in CREEPING}
    for rho in RHOS:
        rng = np.random.default_rng([seed, int(10 * rho)])
        for _network in range(n_networks):
            count_empty(counts, rng, rho)
            for how in CREEPING:
                planted[how].append(count_planted(counts, rng, rho, how))
            count_late(counts, rng, rho)
            empty.append(network(rng, rho=rho))
    for name in GAPS:  # networks of one rhythm alone, which no other rhythm helps to judge
        rng = np.random.default_rng([seed, list(GAPS).index(name)])
        for _network in range(max(n_networks // 4, 10)):
            net = network(rng, rhythm=name)
            hits = np.sum([called(net, end) for end in MONTHS])
            counts.add("false", f"only_{name}", hits, len(MONTHS) * len(net.fall))
    table = counts.table()
    rows = pd.DataFrame(ceilings(empty, planted), columns=table.columns)
    return pd.concat([table, rows], ignore_index=True)


def missed_bounds(table: pd.DataFrame) -> list[str]:
    """Name the bounds that are missed."""
    told = table.set_index(["rate", "cell"])["simulated_rate"]
    alone = [*(f"autocorrelation_{rho:g}" for rho in RHOS), *(f"only_{name}" for name in GAPS)]
    said = [
        f"false calls at {cell}: {told['false', cell]:.2%} > {FALSE_BOUND:.1%}"
        for cell in ("all", *alone)
        if told["false", cell] > FALSE_BOUND
    ]
    said += [
        f"found of a loss {how}: {told['found', how]:.1%} < {FOUND_BOUND:.0%} "
        f"(ceiling {told['ceiling', how]:.1%})"
        for how in CREEPING
        if told["found", how] < FOUND_BOUND
    ]
    if told["true", "all"] < TRUE_BOUND:
        said.append(f"true calls: {told['true', 'all']:.1%} < {TRUE_BOUND:.0%}")
    return said


def main() -> int:
    """Simulate, print, and say which bounds are missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=int, default=200, help="at each autocorrelation")
    parser.add_argument("--write", action="store_true", help=f"keep them in {TARGET.name}")
    given = parser.parse_args()
    start = time.perf_counter()
    table = rates(given.networks)
    print(table.round(4).to_string(index=False))
    print(
        f"{len(RHOS) * given.networks} networks of each kind, {time.perf_counter() - start:.0f} s"
    )
    if given.write:
        table.round(5).to_csv(TARGET, index=False)
    missed = missed_bounds(table)
    print("\n".join(missed) or "every bound is kept")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
