"""Two processes side by side, each executing the dealer card four times under plain papermill.

How many rounds hang.

`python tests/benchmarks/card_rounds.py` runs sixty rounds on the demo, with kernels started as
papermill starts them and no time limit but the one set here: a process hangs that has executed no
card for `DEADLINE` seconds, where a card takes a few, and then has no work for `QUIET` more, nor
has its kernel; one that waits for a processor is slow. Exit code 1 if a round hangs. `--notebook`
and `--root` take another notebook, or another checkout's. Linux only.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from helpers.settings import ROOT

CARDS = 4
DEADLINE = 60  # seconds a card
QUIET = 10
AT_WORK = 0.2  # of that time; an idle kernel's heartbeat takes less
WORK = """
import sys
import papermill
for turn in range(int(sys.argv[3])):
    papermill.execute_notebook(
        sys.argv[1], sys.argv[2], cwd=sys.argv[4], progress_bar=False, start_timeout=600)
    print("done", flush=True)
"""


def family(worker: subprocess.Popen) -> list[psutil.Process]:
    """List a worker and its kernel."""
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(worker.pid)
        return [parent, *parent.children(recursive=True)]
    return []


def has_work(worker: subprocess.Popen) -> bool:
    """Tell whether a thread of a worker or its kernel runs, or waits for processor or disk."""
    for process in family(worker):
        for task in Path(f"/proc/{process.pid}/task").glob("*/stat"):
            with contextlib.suppress(OSError):
                if task.read_text(encoding="utf-8").rpartition(")")[2].split()[0] in "RD":
                    return True
    return False


def hangs(worker: subprocess.Popen) -> bool:
    """Wait for a worker's end; tell whether it will not come."""
    os.set_blocking(worker.stdout.fileno(), False)
    since = time.monotonic()
    while worker.poll() is None:
        if worker.stdout.read():
            since = time.monotonic()
        if time.monotonic() - since > DEADLINE:
            seen = []
            for _ in range(10 * QUIET):
                seen.append(has_work(worker))
                time.sleep(0.1)
            if (
                worker.poll() is None
                and sum(seen) < AT_WORK * len(seen)
                and not worker.stdout.read()
            ):
                return True
        time.sleep(0.05)
    return False


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--notebook", default="09_dealer_card")
    parser.add_argument("--root", type=Path, default=ROOT)
    options = parser.parse_args()
    root = options.root.resolve()
    environment = {**os.environ, "PYTHONPATH": str(root / "src")}
    hung, took = 0, []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(1, options.rounds + 1):
            start = time.monotonic()
            workers = [
                subprocess.Popen(
                    [
                        sys.executable,
                        "-c",
                        WORK,
                        str(root / "notebooks" / f"{options.notebook}.ipynb"),
                        f"{folder}/{side}.ipynb",
                        str(CARDS),
                        str(root),
                    ],
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=(Path(folder) / f"{side}.log").open("w"),
                )
                for side in "ab"
            ]
            stuck = [hangs(worker) for worker in workers]
            for side, worker, is_stuck in zip("ab", workers, stuck, strict=True):
                for process in family(worker) if is_stuck else []:
                    process.kill()
                if worker.wait() and not is_stuck:
                    raise SystemExit(
                        f"a card failed: {(Path(folder) / f'{side}.log').read_text()[-2000:]}"
                    )
            took.append(time.monotonic() - start)
            hung += any(stuck)
            print(
                (
                    f"round {number:3}: {'hung' if any(stuck) else 'done'} in {took[-1]:5.1f} s; "
                    f"{hung} hung"
                ),
                flush=True,
            )
    print(
        f"{hung} of {options.rounds} rounds hung; {statistics.median(took):.0f} s a round in the "
        "median"
    )
    return hung > 0


if __name__ == "__main__":
    sys.exit(main())
