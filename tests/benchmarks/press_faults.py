"""Faults of the press, many rounds each.

Nothing published is ever broken, nothing hangs, each message names its cause.

`python tests/benchmarks/press_faults.py` does each fault of `tests/faults.py` fifty times, with
fifty seeds.
"""

import argparse
import sys
import tempfile
import time
import traceback
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument(
        "--only", choices=[fault.__name__ for fault in faults.FAULTS], action="append"
    )
    options = parser.parse_args()
    whole = True
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        first = faults.Workshop(Path(folder) / "first")
        for fault in faults.FAULTS:
            if options.only and fault.__name__ not in options.only:
                continue
            took, failed, skipped = [], [], ""
            for seed in range(options.rounds):
                started = time.monotonic()
                try:
                    fault(first.copied(Path(folder) / f"{fault.__name__}-{seed}"), seed)
                except pytest.skip.Exception as reason:
                    skipped = str(reason)
                    break
                except (Exception, pytest.fail.Exception):  # told, and the next round comes
                    failed.append(seed)
                    traceback.print_exc()
                took.append(time.monotonic() - started)
            whole = whole and not failed
            held = skipped or (
                f"held in {len(took) - len(failed)} of {len(took)} rounds, the longest "
                f"{max(took):.1f} s"
            )
            print(
                f"{fault.__name__:<22} {held}{f'; not with seeds {failed}' if failed else ''}",
                flush=True,
            )
    print("nothing published was broken, nothing hung" if whole else "a fault did harm")
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
