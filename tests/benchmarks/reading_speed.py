"""What it costs to find out that a file is clean: a share of the time in which its table is built.

A CSV of 1 GB (`--megabytes`) is made once and read; the parts that only look (first and last lines,
rows that may be totals) are timed within the whole, so that the ratio stands on one run. Beside
it, the same rows with a title above them, which are read row by row.

    python tests/benchmarks/reading_speed.py [--megabytes 1000]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from helpers import settings
from helpers.data import connections, readers, tables
from helpers.data.readers import opening

HEADER = "dealer_id,date,revenue,cost,quantity,product_id,brand,order_id\n"
LIMIT = 0.2


def write(path: Path, megabytes: int, title: str = "") -> None:
    rows = "".join(
        f"{i % 9_973:05d},2026-{i % 12 + 1:02d}-{i % 28 + 1:02d},{i * 7 % 99_999 / 100:.2f},"
        f"{i * 5 % 99_999 / 100:.2f},{i % 40 + 1},P{i % 300:03d},"
        f"{'Lumora' if i % 3 else 'Kaltern'},2026-{i:08d}\n"
        for i in range(200_000)
    )
    with path.open("w", encoding="utf-8") as file:
        file.write(title + HEADER)
        for _ in range(max(1, megabytes * 1_000_000 // len(rows))):
            file.write(rows)


def built(folder: Path, source: str) -> tuple[float, float]:
    """Build the table; give all its seconds, and those of looking."""
    looked = 0.0

    def timed(function):
        def run(*args, **kwargs):
            nonlocal looked
            began = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                looked += time.perf_counter() - began

        return run

    toml = folder / "workbook.toml"
    toml.write_text(
        f'[workbook]\nname = "b"\nbrand = "Lumora"\n[data.sell_in]\nsource = "{source}"\n'
    )
    book = settings.workbook(toml)
    kept = opening._clean, tables._suspects
    opening._clean, tables._suspects = timed(kept[0]), timed(kept[1])
    try:
        began = time.perf_counter()
        found = tables.described(book, "sell_in")
        assert not found["errors"]
        return time.perf_counter() - began, looked
    finally:
        opening._clean, tables._suspects = kept


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--megabytes", type=int, default=1000)
    options = parser.parse_args()
    assert readers.opened
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        connections.CACHE = folder / "cache"
        write(folder / "clean.csv", options.megabytes)
        whole, looked = built(folder, "clean.csv")
        share = looked / (whole - looked)
        print(f"{options.megabytes:,} MB clean: {whole:.1f} s, of which looking {looked:.2f} s")
        print(f"  looking / reading {share:.3f} (at most {LIMIT})")
        small = options.megabytes // 10
        write(folder / "titled.csv", small, "Sales of the year\n\n")
        slow, _looked = built(folder, "titled.csv")
        print(f"{small:,} MB with a title, row by row: {slow:.1f} s ({small / slow:.1f} MB/s)")
    return int(share > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
