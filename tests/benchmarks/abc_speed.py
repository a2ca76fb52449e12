"""Time and memory of ABC on three indicators: ours against plain DuckDB SQL and openretailscience.

`python tests/benchmarks/abc_speed.py` makes the data once, then runs every side in processes of its
own, by turns, and prints medians and ratios. Imports are not timed; memory is the peak above what
the process held after its imports.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from helpers.data import connections

# nothing but the standard library here: each side imports what it needs, and the third lives in
# another environment

ROOT = Path(__file__).parents[2]
PERIOD, START, END = "2026-10", "2025-11-01", "2026-10-31"
BRAND = "Ours"
PEER = "openretailscience==0.48.1"
N_LINES = 10_000_000
TARGETS = {"seconds": 1.15, "memory": 1.3}
TABLES = ("sell_in", "payments", "dealer_profit")
INDICATORS = ("payments", "gross_profit", "brand_share")

TOML = """
[workbook]
name = "speed"
brand = "Ours"

[data.sell_in]
source = "sell_in.parquet"

[data.payments]
source = "payments.parquet"

[data.dealer_profit]
source = "dealer_profit.parquet"
"""

# money is skewed (top 20 % of the dealers carry about three quarters), in cents, with returns,
# zeros and ties; every figure hangs on the row's number alone, so that the same data come out on
# every machine
SELL_IN = """
SELECT printf('D%06d', dealer) AS dealer_id,
    DATE '2025-11-01' + CAST(day AS INTEGER) AS date, revenue,
    CAST(revenue * 0.8 AS DECIMAL(18, 2)) AS cost, CAST(revenue * 0.03 AS DECIMAL(18, 2)) AS rebate
FROM (SELECT CAST(pow(hash(i) % 1000003 / 1000003.0, 1.7) * {dealers} AS BIGINT) % {dealers}
               AS dealer,
             hash(i + 1) % 365 AS day,
             CAST(exp(4 + 3 * (hash(i + 2) % 10007) / 10007.0)
               * CASE hash(i + 3) % 40 WHEN 0 THEN -1 ELSE 1 END
                  AS DECIMAL(18, 2)) AS revenue
      FROM range({lines}) t(i))
"""
PAYMENTS = """
SELECT printf('D%06d', i % {dealers}) AS dealer_id,
    DATE '2025-11-01' + CAST(hash(i) % 365 AS INTEGER) AS date,
    CAST(CASE WHEN i % {dealers} % 50 = 0 THEN 0 WHEN i % {dealers} % 7 = 0 THEN 100
         ELSE exp(3 + 8 * (1 - sqrt((i % {dealers}) / {dealers}.0))
           + (hash(i + 5) % 1009) / 1009.0) END
         AS DECIMAL(18, 2)) AS amount
FROM range({dealers} * 3) t(i)
"""
DEALER_PROFIT = """
SELECT printf('D%06d', i % {dealers}) AS dealer_id, CASE WHEN i < 2 * {dealers} THEN '2026-04' ELSE '2026-10' END AS month,
    CASE WHEN (i // {dealers}) % 2 = 0 THEN 'Ours' ELSE 'Theirs' END AS brand, profit * 5 AS revenue,
    profit AS gross_profit, CAST(profit * 0.1 AS DECIMAL(18, 2)) AS rebate
FROM (SELECT i, CAST(10 + (hash(i) % 100000) / 100.0 AS DECIMAL(18, 2)) AS profit FROM range({dealers} * 4) t(i))
"""  # noqa: E501

# the quota in whole numbers: 5 × (strictly better dealers) < n is "fewer than 20 % are better"
BETTER = (
    "5 * (rank() OVER (ORDER BY {i} DESC NULLS LAST) - 1) AS {i}_better5, count({i}) OVER () AS "
    "{i}_known"
)
LETTER = """CASE WHEN {i} IS NULL THEN '–' WHEN {i} <= 0 THEN 'C'
    WHEN {i}_better5 < {i}_known THEN 'A'
    WHEN {i}_better5 < 3 * {i}_known THEN 'B' ELSE 'C' END AS {i}_class"""
TWIN = """
WITH sold AS (
    SELECT dealer_id, CAST(SUM(revenue - cost - rebate) AS DOUBLE) AS gross_profit FROM '{sell_in}'
    WHERE date BETWEEN DATE '{start}' AND DATE '{end}' GROUP BY dealer_id),
paid AS (
    SELECT dealer_id, CAST(SUM(amount) AS DOUBLE) AS payments FROM '{payments}'
    WHERE date BETWEEN DATE '{start}' AND DATE '{end}' GROUP BY dealer_id),
earned AS (
    SELECT dealer_id, CAST(SUM(gross_profit + rebate) FILTER (brand = 'Ours') AS DOUBLE) AS part,
        CAST(SUM(gross_profit + rebate) AS DOUBLE) AS total FROM '{dealer_profit}'
    WHERE month BETWEEN '2025-11' AND '2026-10' GROUP BY dealer_id),
totals AS (
    SELECT dealer_id, COALESCE(payments, 0) AS payments, COALESCE(gross_profit, 0) AS gross_profit,
        CASE WHEN total > 0 THEN part / total END AS brand_share
    FROM sold FULL JOIN paid USING (dealer_id) FULL JOIN earned USING (dealer_id))
SELECT dealer_id, payments, gross_profit, brand_share, {letters}
FROM (SELECT *, {better} FROM totals)
"""


# ---- the sides: each gives a table of dealer_id and three classes --------------------------------


def ours(folder: Path):
    import ibis.backends.duckdb  # noqa: F401 - Ibis imports it when it connects: not to be timed
    import pandas as pd

    from helpers import data
    from helpers.pareto import classes

    connections.CACHE = folder / "cache"
    book = data.workbook(folder / "workbook.toml")

    def work() -> pd.DataFrame:
        totals = data.dealer_totals(book, PERIOD)
        return totals.assign(**{f"{i}_class": classes.abc_classes(totals[i]) for i in INDICATORS})

    return work


def judged(folder: Path):
    """Give all that the page's first table asks for.

    Three classes, code, composite class, diagnosis, the order.
    """
    import ibis.backends.duckdb  # noqa: F401

    from helpers import data, pareto

    connections.CACHE = folder / "cache"
    book = data.workbook(folder / "workbook.toml")
    diagnoses = data.reference(book, "diagnoses")
    return lambda: pareto.joint_judgement(data.dealer_totals(book, PERIOD), diagnoses)


def sql(folder: Path):
    import duckdb
    import pandas as pd  # noqa: F401 - DuckDB imports it when it hands over a DataFrame: not to be timed

    letters, better = (", ".join(text.format(i=i) for i in INDICATORS) for text in (LETTER, BETTER))
    query = TWIN.format(letters=letters, better=better, start=START, end=END, **_canonical(folder))
    return lambda: duckdb.connect().sql(query).df()


def peer(folder: Path):
    import ibis
    import ibis.backends.duckdb
    import pandas as pd
    from openretailscience.segmentation.threshold import ThresholdSegmentation

    def letters(lines, column: str) -> pd.Series:
        made = ThresholdSegmentation(
            lines,
            [0.4, 0.8, 1],
            ["C", "B", "A"],
            value_col=column,
            zero_value_customers="include_with_light",
        )
        return made.df["segment_name"].rename(f"{column}_class")

    def work() -> list[pd.Series]:
        con = ibis.duckdb.connect()
        files = {name: con.read_parquet(file) for name, file in _canonical(folder).items()}
        sold, paid, earned = files["sell_in"], files["payments"], files["dealer_profit"]
        # its sums of DECIMAL would reach pandas as Decimal objects, five times slower: floats are
        # its best case
        sold = sold.select(
            customer_id="dealer_id",
            gross_profit=(sold.revenue - sold.cost - sold.rebate).cast("float64"),
        )
        paid = paid.select(customer_id="dealer_id", payments=paid.amount.cast("float64"))
        earned = earned.mutate(earned=(earned.gross_profit + earned.rebate).cast("float64"))
        part = earned.earned.sum(where=earned.brand == BRAND)
        earned = earned.group_by(customer_id="dealer_id").agg(
            brand_share=part / earned.earned.sum()
        )
        return [
            letters(paid, "payments"),
            letters(sold, "gross_profit"),
            letters(earned, "brand_share"),
        ]

    return work


SIDES = {"ours": ours, "sql": sql, "peer": peer, "judged": judged}


def _canonical(folder: Path) -> dict[str, str]:
    """Name the canonical tables: both sides read the very same files."""
    return {name: str(next((folder / "cache").glob(f"speed.{name}.*.parquet"))) for name in TABLES}


# ---- one run in a process of its own -------------------------------------------------------------


def run(side: str, folder: Path, keep: Path | None) -> dict[str, float]:
    work = SIDES[side](folder)
    before = _memory("VmRSS")
    _forget_peak()
    start, used = time.perf_counter(), time.process_time()
    found = work()
    seconds, used = time.perf_counter() - start, time.process_time() - used
    peak = _memory("VmHWM")
    if keep:
        if isinstance(found, list):  # the peer's three results, put side by side outside its time
            import pandas as pd

            found = pd.concat(found, axis=1).rename_axis("dealer_id").reset_index()
        found[["dealer_id", *(f"{i}_class" for i in INDICATORS)]].to_parquet(keep)
    return {"seconds": seconds, "cpu": used, "memory": peak - before}


def _memory(key: str) -> float:
    """Read this process's memory in MB; elsewhere than on Linux the peak includes the imports."""
    status = Path("/proc/self/status")
    if not status.exists():
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
            1 << 20 if sys.platform == "darwin" else 1 << 10
        )
    return next(
        int(line.split()[1]) / 1024
        for line in status.read_text().splitlines()
        if line.startswith(key)
    )


def _forget_peak() -> None:
    """Start measuring the peak anew, so that what importing took for a moment does not count."""
    if (clear := Path("/proc/self/clear_refs")).exists():
        clear.write_text("5")


# ---- all of them ---------------------------------------------------------------------------------


def make_data(folder: Path, n_lines: int, n_dealers: int) -> None:
    """Write the sources and the workbook's canonical tables, once."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "workbook.toml").write_text(TOML, encoding="utf-8")
    if not (folder / "made").exists():
        import duckdb

        for name, query in zip(TABLES, (SELL_IN, PAYMENTS, DEALER_PROFIT), strict=True):
            query = query.format(lines=n_lines, dealers=n_dealers)
            duckdb.connect().sql(f"COPY ({query}) TO '{folder / name}.parquet' (FORMAT parquet)")
        (folder / "made").touch()
    from helpers import data

    connections.CACHE = folder / "cache"
    data.prepare(data.workbook(folder / "workbook.toml"))


def peer_python(folder: Path) -> str:
    """Install the peer into an environment of its own.

    Its Python, or "" with the reason printed.
    """
    python = folder / "peer" / "bin" / "python"
    try:
        if not python.exists():
            venv.create(folder / "peer", with_pip=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", PEER],
            check=True,
            capture_output=True,
            text=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        reason = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1:]
        print(f"{PEER} is left out: it can't be installed here ({' '.join(reason)})")
        return ""
    return str(python)


def in_process(side: str, python: str, folder: Path, keep: bool) -> dict[str, float]:
    command = [python, str(Path(__file__).resolve()), "--side", side, "--folder", str(folder)]
    command += ["--keep", str(folder / f"{side}.parquet")] if keep else []
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src") if side != "peer" else ""}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{side}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def n_different(folder: Path) -> dict[str, int]:
    """Count the dealers whose labels differ from the SQL twin's, per side."""
    import pandas as pd

    columns = [f"{i}_class" for i in INDICATORS]
    labels = {
        side: pd.read_parquet(file).set_index("dealer_id")[columns].astype("object")
        for side in SIDES
        if (file := folder / f"{side}.parquet").exists()
    }
    found = {}
    for side in [s for s in labels if s != "sql"]:
        one, other = labels["sql"].align(labels[side])  # who is missing on one side differs too
        found[side] = int((one != other).any(axis=1).sum())
    return found


def main() -> None:
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ask.add_argument("--lines", type=int, default=N_LINES)
    ask.add_argument("--dealers", type=int, default=500_000)
    ask.add_argument("--repeats", type=int, default=7)
    ask.add_argument(
        "--folder",
        type=Path,
        default=None,
        help="where the data are kept; default: the temp folder",
    )
    ask.add_argument(
        "--side", choices=SIDES, help="run one side here and print its figures as JSON"
    )
    ask.add_argument("--keep", type=Path, help="with --side: write its labels to this file")
    asked = ask.parse_args()
    folder = (
        asked.folder or Path(tempfile.gettempdir()) / f"abc_speed_{asked.lines}_{asked.dealers}"
    )
    if asked.side:
        print(json.dumps(run(asked.side, folder, asked.keep)))
        return
    make_data(folder, asked.lines, asked.dealers)
    pythons = {
        "ours": sys.executable,
        "sql": sys.executable,
        "peer": peer_python(folder),
        "judged": sys.executable,
    }
    sides = [side for side in SIDES if pythons[side]]
    runs: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    for repeat in range(asked.repeats + 1):
        for side in sides if repeat % 2 else sides[::-1]:
            measured = in_process(side, pythons[side], folder, keep=repeat == 0)
            if repeat:  # the first round warms the file cache and keeps the labels
                runs[side].append(measured)
    # each round's ratio to the SQL beside it: what else the machine does weighs on both
    ratio = {
        s: {
            k: statistics.median(r[k] / q[k] for r, q in zip(runs[s], runs["sql"], strict=True))
            for k in runs[s][0]
        }
        for s in sides
    }
    print(
        f"{asked.lines:,} lines, {asked.dealers:,} dealers; medians of {asked.repeats} cold "
        "processes each"
    )
    print(
        f"{'':8}{'seconds':>9}{'CPU s':>8}{'peak MB':>9}   × "
        f"SQL's{'time':>6}{'CPU':>7}{'memory':>8}"
    )
    for side in sides:
        median = {k: statistics.median(r[k] for r in runs[side]) for k in runs[side][0]}
        print(
            f"{side:8}{median['seconds']:9.2f}{median['cpu']:8.2f}{median['memory']:9.0f}"
            f"{ratio[side]['seconds']:17.2f}{ratio[side]['cpu']:7.2f}{ratio[side]['memory']:8.2f}"
        )
    different = n_different(folder)
    print(
        "dealers labelled otherwise than by SQL: "
        + ", ".join(f"{s} {n:,}" for s, n in different.items())
    )
    missed = ["labels"] if different["ours"] else []
    if asked.lines >= N_LINES:  # on small data one sees what is fixed, not what grows
        missed += [k for k, most in TARGETS.items() if ratio["ours"][k] > most]
        missed += (
            ["peer"]
            if "peer" in sides and ratio["ours"]["seconds"] >= ratio["peer"]["seconds"]
            else []
        )
    print(
        f"missed: {', '.join(missed)}"
        if missed
        else "every target is met"
        if asked.lines >= N_LINES
        else "labels agree"
    )
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
