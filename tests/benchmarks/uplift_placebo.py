"""How often does a promotion that did nothing seem to have done something?

    .venv/bin/python tests/benchmarks/uplift_placebo.py               # 200 networks of each kind
    .venv/bin/python tests/benchmarks/uplift_placebo.py --runs 20

In each run eight promotions are laid on days on which nothing happened, a placebo before any start,
and 300 of 3,000 consumers are taken for those written to: drawn by lot, chosen by how often they
buy, or chosen so and called drawn by lot (then the balance must notice). A run is false where any
of the eight is said to have won or lost buyers. Then promotions that bring in 8 % of those written
to, to see what is found.

It exits with 1 where more than 5 % of the runs of a kind are false.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from helpers.consumers import uplift
from helpers.consumers.sums import wilson_interval
from promotions import network

MOST = 0.05


def main() -> int:
    """Print how many runs are false, and what is found where there is something to find."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    missed = False
    for kind, told in (("random", "random"), ("chosen", "chosen"), ("chosen", "random")):
        draw, false, lost, causal = np.random.default_rng(given.seed), 0, 0, 0
        for _ in range(given.runs):
            plans, arms = network(draw, assignment=kind)
            table = uplift.uplift_table(plans.assign(assignment=told), arms)
            sure = table["verdict"].isin(["more", "less"])
            false += bool(sure.any())
            lost += int((table["verdict"] == "placebo").sum())
            causal += int((sure & (table["method"] == "random")).sum())
        low, high = (float(end) for end in wilson_interval(false, given.runs))
        name = kind if kind == told else f"{kind}, called {told}"
        print(
            f"{name:<22} {false} of {given.runs} runs false ({low:.1%} to {high:.1%}); "
            f"{lost} promotions not judged, as the sides moved apart before; "
            f"{causal} false ones in causal words"
        )
        missed |= false > MOST * given.runs
    draw, verdicts = np.random.default_rng(given.seed), []
    for _ in range(max(given.runs // 10, 2)):
        plans, arms = network(draw, assignment="random", effect=0.08)
        verdicts += uplift.uplift_table(plans, arms)["verdict"].tolist()
    share = np.mean([verdict == "more" for verdict in verdicts])
    print(f"of {len(verdicts)} promotions that brought in 8 % of 300, {share:.0%} are found")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
