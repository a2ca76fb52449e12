"""Time of the move plan of 2,800 dealers and 30 models: 30 CPU seconds at most.

`python tests/benchmarks/move_plan.py` prints the seconds and exits 1 beyond them.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import sleepers
from helpers import inventory
from helpers.inventory import rebalancing

N_DEALERS, MOST_SECONDS = 2_800, 30


def main() -> int:
    """Plan, and judge the time and the plan."""
    given = sleepers.sleeping_stock(N_DEALERS)
    start = time.process_time()
    plan = inventory.proposal(*given)
    seconds, sound = time.process_time() - start, rebalancing.is_sound(plan)
    print(f"{len(plan):,} lots among {N_DEALERS:,} dealers in {seconds:.1f} CPU s; sound: {sound}")
    return int(seconds > MOST_SECONDS or not sound or len(plan) <= 1000)


if __name__ == "__main__":
    sys.exit(main())
