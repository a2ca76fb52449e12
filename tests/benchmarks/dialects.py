"""Random tables in random dialects, read by one that is told nothing, against Python's csv told the
dialect: how many were read in the time given, and each that was read otherwise.

    python tests/benchmarks/dialects.py [--minutes 10]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import NoSuchExample

sys.path.insert(0, str(Path(__file__).parents[1]))

from dialect_cases import cases, difference

BATCH = 500


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    options = parser.parse_args()
    ends, n, wrong = time.monotonic() + 60 * options.minutes, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.csv"

        def is_other(case) -> bool:
            nonlocal n
            n += 1
            return bool(difference(case, path))

        how = settings(
            max_examples=BATCH,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        )
        while time.monotonic() < ends:
            try:
                case = find(cases(), is_other, settings=how)
            except NoSuchExample:
                continue
            wrong += 1
            print(case, "\n  ", difference(case, path), flush=True)
    print(
        f"{n:,} tables in {options.minutes:g} minutes: {wrong} read otherwise than csv reads them"
    )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
