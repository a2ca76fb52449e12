"""The whole matrix of what may be missing: every case of `absences.py`, every page, two months, two languages.

Each case is printed by the real press and bound, a month and the next one, with a card and the workshop's notebook,
and the two editions are compared. It prints what is wrong, how many cases and pages printed, and how long it took.

    python tests/benchmarks/absences_matrix.py [--only TEXT] [--workers N]
"""

import argparse
import concurrent.futures
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from absences import CASES, FIRST, LAST, print_editions, print_pages, whole, whole_bodies, write_case
from helpers import kernels, press

LANGUAGES = ("en", "zh-Hans")
WORKSHOP = ("08_workshop",)  # in no edition


def main() -> int:
    """Print the matrix; exit 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name holds this")
    parser.add_argument("--workers", type=int, default=2, help="pages at the same time")
    options = parser.parse_args()
    chosen, tables = [case for case in CASES if options.only in case.name], whole()
    kernels.load_ahead(press.PRELOAD)
    started, n_pages, n_right = time.monotonic(), 0, 0
    with concurrent.futures.ThreadPoolExecutor(options.workers) as executor, tempfile.TemporaryDirectory() as first:
        bodies = whole_bodies(tables, LANGUAGES, Path(first))
        for case in chosen:
            with tempfile.TemporaryDirectory() as folder:
                book, out = write_case(Path(folder) / "book", case, tables), Path(folder) / "editions"
                found = print_editions(book, LANGUAGES, out, executor, bodies)
                found |= print_pages(book, WORKSHOP, LANGUAGES, (FIRST, LAST), out, bodies)
            n_pages += sum(page[:2].isdigit() and page[2] == "_" for page in found)
            wrong = {page: said for page, said in found.items() if said}
            n_right += not wrong
            for page, said in wrong.items():
                print(f"{case} | {page} | {' | '.join(said)}", flush=True)
    took = time.monotonic() - started
    print(f"{n_right} of {len(chosen)} cases print whole: {n_pages:,} pages, {took / 60:.0f} min")
    return int(n_right < len(chosen))


if __name__ == "__main__":
    sys.exit(main())
