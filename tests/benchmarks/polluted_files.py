"""How well a file is read that nobody says anything about: the Pollock benchmark's polluted files.

Vitagliano et al., "Pollock: A Data Loading Benchmark", VLDB 2023. Each of 2,290 files is one CSV
with one thing wrong in it, and has a clean twin; ten measures of at most 1 say how much of header,
records and cells came through. They are the benchmark's own (`metrics.py`), and so are the weights.
Ours is `workbook read`; beside it DuckDB's own guess and CleverCSV, in the same run.

    pip install multiset price-parser chardet clevercsv    # what the benchmark's measures need
    POLLOCK_DATA=FOLDER python tests/benchmarks/polluted_files.py [--only ours]

FOLDER has `polluted_files/csv`, `polluted_files/clean`, `pollock/metrics.py` and
`pollock_weights.json`, or is where `polluted.tar.xz` of them lies.
"""

import argparse
import collections
import contextlib
import csv
import datetime as dt
import functools
import io
import json
import os
import re
import sys
import tarfile
import tempfile
import time
import types
from pathlib import Path

from helpers.cli import main as workbook

PERFECT = 10 - 1e-9
FORMATS = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p")


def time_parser() -> types.ModuleType:
    """Stand in for the benchmark's `timeparser`, which is not among its files: a time of day."""
    module = types.ModuleType("pollock.timeparser")

    def parsetime(text: str) -> dt.time:
        for form in FORMATS:
            with contextlib.suppress(ValueError):
                return dt.datetime.strptime(text.strip(), form).time()
        raise ValueError(text)

    module.parsetime = parsetime
    return module


def measures(folder: Path):
    """Load the benchmark's own measures; cells are normalised once each."""
    sys.path.insert(0, str(folder))
    import pollock

    pollock.timeparser = sys.modules["pollock.timeparser"] = time_parser()
    from pollock import metrics

    metrics.normalize_cell = functools.lru_cache(maxsize=None)(metrics.normalize_cell)
    return metrics


def read_by_workbook(files: list[Path], out: Path) -> set[str]:
    """Read all by our command; give the names of those it says something about."""
    told = io.StringIO()
    with contextlib.redirect_stderr(told):
        workbook(["read", "--out", str(out), *map(str, files)])
    return {line.split(": ")[0] for line in told.getvalue().splitlines()}


def read_by_duckdb(files: list[Path], out: Path) -> set[str]:
    import duckdb

    failed = set()
    out.mkdir()
    for file in files:
        try:
            found = duckdb.sql(f"SELECT * FROM read_csv('{file}', all_varchar = true)")
            rows = [found.columns, *found.fetchall()]
        except duckdb.Error:
            rows = []
            failed.add(file.name)
        write(out / file.name, rows)
    return failed


def read_by_clevercsv(files: list[Path], out: Path) -> set[str]:
    import clevercsv

    failed = set()
    out.mkdir()
    for file in files:
        try:
            rows = clevercsv.read_table(str(file))
        except Exception:
            rows = []
            failed.add(file.name)
        write(out / file.name, rows)
    return failed


def write(path: Path, rows: list) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(
            ["" if cell is None else cell for cell in row] for row in rows
        )


def scores(metrics, data: Path, out: Path, names: list[str]) -> dict[str, float]:
    found = {}
    for name in names:
        path = out / name
        if not path.exists():
            found[name] = 0.0
            continue
        clean = data / "polluted_files" / "clean" / name
        found[name] = 1 + sum(metrics.header_record_cell_measures_csv(clean, path, 1))
    return found


def kind(name: str) -> str:
    return re.sub(r"\d+", "N", name) if name.startswith("row") else name


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="ours, duckdb or clevercsv")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        data = Path(os.environ.get("POLLOCK_DATA", "."))
        if not (data / "polluted_files").exists():
            with tarfile.open(data / "polluted.tar.xz") as packed:
                packed.extractall(work, filter="data")
            data = Path(work)
        metrics = measures(data)
        weights = json.loads((data / "pollock_weights.json").read_text())
        files = sorted((data / "polluted_files" / "csv").iterdir())
        names = [file.name for file in files]
        readers = {
            "ours": read_by_workbook,
            "duckdb": read_by_duckdb,
            "clevercsv": read_by_clevercsv,
        }
        for reader, read in readers.items():
            if options.only not in ("", reader):
                continue
            began = time.perf_counter()
            told = read(files, Path(work) / f"out-{reader}")
            seconds = time.perf_counter() - began
            found = scores(metrics, data, Path(work) / f"out-{reader}", names)
            simple = sum(found.values()) / len(found)
            weighted = sum(found[n] * weights.get(n, 0) for n in names) / sum(weights.values())
            lost = {name: score for name, score in found.items() if score < PERFECT}
            print(
                f"{reader:10} simple {simple:.3f}  weighted {weighted:.3f}  perfect "
                f"{len(found) - len(lost):,} of {len(found):,}  in {seconds:.0f} s"
            )
            if reader == "ours":
                silent = sorted(set(lost) - told)
                print(f"  not perfect and said nothing of: {len(silent)} {silent[:5]}")
                by_kind = collections.defaultdict(list)
                for name, score in lost.items():
                    by_kind[kind(name)].append(10 - score)
                for what, gone in sorted(by_kind.items(), key=lambda item: -sum(item[1])):
                    print(f"  {what}: {len(gone)} files lose {sum(gone) / len(gone):.3f} each")
    return 0


if __name__ == "__main__":
    sys.exit(main())
