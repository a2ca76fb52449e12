"""The whole matrix of what may be missing.

Every case of `absences.py`, every page, two months, two languages.

Each case is printed by the real press and bound, a month and the next one, with a card and the
workshop's notebook, and the two editions are compared. It prints what is wrong, how many cases and
pages printed, and how long it took.

    python tests/benchmarks/absences_matrix.py [--only TEXT] [--after CASE] [--workers N]
"""

import argparse
import concurrent.futures
import contextlib
import functools
import multiprocessing
import os
import pickle
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from absences import (
    CASES,
    FIRST,
    LAST,
    lay_out,
    print_editions,
    print_pages,
    whole,
    whole_bodies,
    write_case,
)
from helpers.press import printing
from helpers.press.kernels import end_kernels, load_ahead

LANGUAGES = ("en", "zh-Hans")
WORKSHOP = ("10_workshop",)  # in no edition


@functools.cache
def known(file: Path) -> tuple:
    """Read the network that lacks nothing, and its pages, once in each process.

    Start what prints pages there.
    """
    load_ahead(printing.PRELOAD)
    return (*pickle.loads(file.read_bytes()), concurrent.futures.ThreadPoolExecutor(1))


def printed(name: str, file: Path) -> dict[str, list[str]]:
    """Print one case; give the complaints about each page."""
    network, bodies, printer = known(file)
    (case,) = [case for case in CASES if case.name == name]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        # what the press tells of each page is not what is asked here
        stack.enter_context(
            contextlib.redirect_stderr(stack.enter_context(Path(os.devnull).open("w")))
        )
        book = write_case(Path(folder) / "book", case, network, file.with_name("laid"))
        out = Path(folder) / "editions"
        found = print_editions(book, LANGUAGES, out, printer, bodies)
        return found | print_pages(book, WORKSHOP, LANGUAGES, (FIRST, LAST), out, bodies)


def main() -> int:
    """Print the matrix; exit 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name holds this")
    parser.add_argument(
        "--after",
        default="",
        metavar="CASE",
        help="go on behind this case, where a run was stopped",
    )
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count(), help="cases at the same time"
    )
    options = parser.parse_args()
    names = [case.name for case in CASES]
    names = names[names.index(options.after) + 1 :] if options.after else names
    chosen = [name for name in names if options.only in name]
    started, n_pages, n_right = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        network, file = whole(), Path(folder) / "whole.pickle"
        laid = lay_out(network, file.with_name("laid"))
        bodies = whole_bodies(network, LANGUAGES, Path(folder), laid)
        file.write_bytes(pickle.dumps((network, bodies)))
        end_kernels()
        # the project's would grow by all these
        os.environ["WORKBOOK_CACHE"] = str(Path(folder) / "cache")
        processes = concurrent.futures.ProcessPoolExecutor(
            options.workers, multiprocessing.get_context("spawn")
        )
        with processes:
            asked = {processes.submit(printed, name, file): name for name in chosen}
            for done in concurrent.futures.as_completed(asked):
                found = done.result()
                n_pages += sum(page[:2].isdigit() and page[2] == "_" for page in found)
                wrong = {page: said for page, said in found.items() if said}
                n_right += not wrong
                print(
                    f"{time.monotonic() - started:5.0f} s  {asked[done]}",
                    file=sys.stderr,
                    flush=True,
                )
                for page, said in wrong.items():
                    print(f"{asked[done]} | {page} | {' | '.join(said)}", flush=True)
    took = time.monotonic() - started
    print(f"{n_right} of {len(chosen)} cases print whole: {n_pages:,} pages, {took / 60:.0f} min")
    return int(n_right < len(chosen))


if __name__ == "__main__":
    sys.exit(main())
