"""What other rules for lost money would find, at the same rate of false calls.

    .venv/bin/python tests/benchmarks/call_variants.py [--networks 16]

All variants judge the same networks (`tests/networks.py`), as many of each kind and autocorrelation
as asked, at three shares of false calls; what is found is read at the rate of false calls that
`call_rates.py` prints. A trial: nothing here is what the page does.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from call_rates import CREEPING, MONTHS, RHOS

from helpers.calls import losses
from networks import PLANTED, Network, called, network

AT = 0.0042  # false calls per dealer and month, at which all are compared
SHARES = (0.003, 0.005, 0.008)
PLAIN = losses._sum


def later_months_more(part: float) -> Callable[[np.ndarray, int, int], np.ndarray]:
    """Sum up a quarter with weights from equal (0) to a half, one and one and a half (1)."""

    def summed(sums: np.ndarray, end: int, length: int) -> np.ndarray:
        if length != losses.QUARTER or end < length:
            return PLAIN(sums, end, length)
        late = sum(PLAIN(sums, end, back) for back in (1, 2, 3)) / 2
        return (1 - part) * PLAIN(sums, end, length) + part * late

    return summed


VARIANTS = {
    "as it is": {"DF": losses.DF},
    "own noise counts less": {"OWN_PART": (0.0, 0.4)},
    "own noise counts more": {"OWN_PART": (0.5, 1.0)},
    "normal tails": {"DF": 10**6},
    "t with 12 degrees": {"DF": 12},
    "season counts less": {"SEASON_PART": 0.15},
    "quarter alone": {"SPENT": {"quarter": 1.0, "year": 0.0}},
    "later months count a little more": {"_sum": later_months_more(0.5)},
    "later months count more": {"_sum": later_months_more(1.0)},
    "the same, normal tails": {"_sum": later_months_more(1.0), "DF": 10**6},
}


def rates(share: float, empty: list[Network], planted: dict[str, list[Network]]) -> list[float]:
    """Give the false calls, and of each kind of loss the part of the money that is found."""
    made = [np.mean([called(net, end, share) for net in empty for end in MONTHS])]
    for nets in planted.values():
        hits = [np.any([called(net, end, share) for end in MONTHS], axis=0) for net in nets]
        found = sum(net.missed[hit].sum() for net, hit in zip(nets, hits, strict=True))
        made.append(found / sum(net.missed.sum() for net in nets))
    return made


def main() -> None:
    """Print what each variant finds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=int, default=16, help="at each autocorrelation")
    n, rng = parser.parse_args().networks, np.random.default_rng(77)
    empty = [network(rng, rho=rho) for rho in RHOS for _ in range(n)]
    planted = {
        how: [network(rng, rho=rho, planted=PLANTED, creeping=by) for rho in RHOS for _ in range(n)]
        for how, by in CREEPING.items()
    }
    print(f"found at {AT:.2%} false calls, {len(empty)} networks of a kind:", *CREEPING)
    for name, given in VARIANTS.items():
        with mock.patch.multiple(losses, **given):
            table = np.array([rates(share, empty, planted) for share in SHARES])
        at = [np.interp(AT, table[:, 0], column) for column in table[:, 1:].T]
        print(f"{name:<34}", *(f"{found:6.1%}" for found in at), flush=True)


if __name__ == "__main__":
    main()
