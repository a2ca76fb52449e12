"""Time of an edition from PostgreSQL and SQLite against DuckDB's, on the demo.

`python tests/benchmarks/engines_speed.py` loads the demo into a private PostgreSQL and a SQLite
file, prints the month's edition from each by turns, with an empty cache, and compares what they
publish; exit code 1 if PostgreSQL takes more than `TIMES` of DuckDB's time, or anything differs.
"""

import argparse
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests")]

from published import compared  # noqa: E402
from servers import load, postgres_cluster  # noqa: E402

PERIOD, TIMES = "2026-10", 1.3
SQL = {"VARCHAR": "text", "DOUBLE": "float8", "TIMESTAMP": "timestamp", "BIGINT": "bigint"}


def tables() -> dict[str, tuple[dict[str, str], list[tuple]]]:
    """Read the demo's tables: columns with their types, and rows."""
    found = {}
    for file in sorted((ROOT / "data" / "demo").glob("*.parquet")):
        relation = duckdb.sql(f"FROM '{file}'")
        kinds = {c: str(t) for c, t in zip(relation.columns, relation.types, strict=True)}
        found[file.stem] = kinds, relation.fetchall()
    return found


def into_sqlite(file: Path, demo: dict) -> None:
    with sqlite3.connect(file) as con:
        for name, (kinds, rows) in demo.items():
            con.execute(f"CREATE TABLE {name} ({', '.join(kinds)})")
            marks = ", ".join("?" * len(kinds))
            plain = ([str(v)[:10] if hasattr(v, "year") else v for v in row] for row in rows)
            con.executemany(f"INSERT INTO {name} VALUES ({marks})", plain)
    con.close()


def toml_at(folder: Path, engine: str) -> Path:
    """Write the demo's toml for an engine; DuckDB reads the files."""
    text = (ROOT / "workbook.toml").read_text(encoding="utf-8")
    text = text.replace('language = ["en", "zh-Hans", "zh-Hant"]', 'language = ["en"]')
    if engine == "duckdb://":
        text = text.replace('"data/demo/', f'"{ROOT}/data/demo/')
    else:
        text = re.sub(r'source = "data/demo/(\w+)\.parquet"', r'source = "\1"', text)
        text = text.replace('"duckdb://" ', f'"{engine}" ')
    folder.mkdir()
    (folder / "workbook.toml").write_text(text, encoding="utf-8")
    return folder / "workbook.toml"


def printed(toml: Path, turn: int) -> float:
    """Print an edition with an empty cache; give its seconds."""
    cache, out = toml.parent / f"cache{turn}", toml.parent / "out"
    shutil.rmtree(out, ignore_errors=True)
    command = [Path(sys.executable).parent / "workbook", "report", PERIOD]
    started = time.perf_counter()
    done = subprocess.run(
        [*command, "--config", toml, "--out", out],
        cwd=ROOT,
        env={**os.environ, "WORKBOOK_CACHE": str(cache)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{toml}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    return time.perf_counter() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    demo = tables()
    work = Path(tempfile.mkdtemp(prefix="workbook-engines-"))
    try:
        with postgres_cluster() as url:
            for name, (kinds, rows) in demo.items():
                load(url, name, {c: SQL.get(kind, kind) for c, kind in kinds.items()}, rows)
            into_sqlite(work / "demo.db", demo)
            engines = {
                "duckdb": "duckdb://",
                "postgres": url,
                "sqlite": f"sqlite://{work / 'demo.db'}",
            }
            tomls = {name: toml_at(work / name, engine) for name, engine in engines.items()}
            seconds: dict[str, list[float]] = {name: [] for name in engines}
            for turn in range(repeats):
                for name, toml in tomls.items():
                    seconds[name].append(printed(toml, turn))
        missed = []
        for name, taken in seconds.items():
            pairs = zip(taken, seconds["duckdb"], strict=True)
            ratio = statistics.median(own / peer for own, peer in pairs)
            found = list(compared(work / "duckdb" / "out", work / name / "out"))
            print(
                f"{name:10}{statistics.median(taken):8.1f} s{ratio:8.2f} x DuckDB's time; "
                f"{len(found)} differences in what is published"
            )
            missed += [name] if found or (name == "postgres" and ratio > TIMES) else []
        print(f"missed by {', '.join(missed)}" if missed else "every target is met")
        return 1 if missed else 0
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
