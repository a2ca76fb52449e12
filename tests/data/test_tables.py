"""Tables: built once, rebuilt when something changes, whole or not at all, and stopped by errors in
plain words.
"""

import datetime as dt
import gzip
import math
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers import data, settings
from helpers.data import cache as results
from helpers.data import checks, connections, tables
from helpers.settings import DataError

LINES = "dealer_id,date,revenue\n001,2026-01-02,1.00\n002,2026-01-03,2.00\n"
QUERY = '[data.files]\nraw = "raw.csv"\n[data.sell_in]\nquery = """\n{}\n"""'


def rows(book, name: str = "sell_in") -> list[tuple]:
    """Read a table's rows in order of the first columns."""
    return sorted(
        (tuple(row.values()) for row in tables.table(book, name).to_pyarrow().to_pylist()), key=str
    )


def kept(cache: Path) -> dict[str, int]:
    """List what lies in the cache, with inodes: a file written anew has another."""
    return {path.name: path.stat().st_ino for path in sorted(cache.iterdir())}


def later(path: Path, text: str) -> None:
    """Write a file again as if some time had passed."""
    stamp = path.stat().st_mtime_ns + 1_000_000_000
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(stamp, stamp))


# ---- the cache -----------------------------------------------------------------------------------


def test_a_table_is_built_once(make_book, cache):
    book = make_book(sell_in=LINES)
    assert rows(book) == [
        ("001", dt.date(2026, 1, 2), Decimal("1.00")),
        ("002", dt.date(2026, 1, 3), Decimal("2.00")),
    ]
    first = kept(cache)
    assert {name.split(".", 3)[-1] for name in first} == {"parquet", "json"}
    assert rows(settings.workbook(book.path)) == rows(book)
    assert kept(cache) == first


def test_it_is_built_anew_when_the_source_changes_and_the_old_one_goes_when_nobody_reads_it(
    make_book, cache
):
    book = make_book(sell_in=LINES)
    read_before = tables.table(book, "sell_in")
    first, before = kept(cache), tables.fingerprint(book)
    later(book.folder / "sell_in.csv", LINES.replace("2.00", "9.00"))  # of the same size
    assert rows(book)[1][2] == Decimal("9.00")
    assert tables.fingerprint(book) != before
    # by whoever began before the change
    assert read_before.revenue.max().execute() == Decimal("2.00")
    for file in cache.iterdir():
        os.utime(file, (0, 0))
    later(book.folder / "sell_in.csv", LINES.replace("2.00", "8.00"))
    rows(book)
    assert len(kept(cache)) == 2
    assert not set(kept(cache)) & set(first)


def test_a_file_that_joins_a_glob_is_seen(make_book, tmp_path):
    (tmp_path / "a.csv").write_text(LINES)
    book = make_book(extra='[data.sell_in]\nsource = "*.csv"')
    assert len(rows(book)) == 2
    # by name, not by place
    (tmp_path / "b.csv").write_text("date,note,revenue,dealer_id\n2026-02-01,x,5.00,003\n")
    assert rows(book)[2] == ("003", dt.date(2026, 2, 1), Decimal("5.00"))


def test_it_is_built_anew_when_the_mapping_changes(make_book, cache):
    first = make_book(sell_in=LINES)
    rows(first)
    names = set(kept(cache))
    book = make_book(
        sell_in=LINES,
        extra="[data.sell_in.columns]\nrevenue = 'CAST(revenue AS DECIMAL(18,2)) * 2'",
    )
    assert rows(book)[0][2] == Decimal("2.00")
    now = kept(cache)
    assert len(now) == 2 * len(names)
    toml = book.path.read_text().replace(
        'brand = "Lumora"', 'brand = "Other"\nlanguage = ["zh-Hans"]'
    )
    book.path.write_text(toml)  # what says nothing about a table leaves it as it is
    rows(settings.workbook(book.path))
    assert kept(cache) == now


def test_a_table_named_in_another_workbooks_name_is_left_alone(make_book, cache):
    other = make_book(sell_in=LINES, name="a.sell_in")
    rows(other)
    before = kept(cache)
    rows(make_book(sell_in=LINES, name="a"))
    assert before.items() <= kept(cache).items()


@pytest.mark.parametrize("gone", [".parquet", ".json"])
def test_a_cache_that_lost_a_file_is_built_anew(make_book, cache, gone):
    book = make_book(sell_in=LINES)
    expected = rows(book)
    next(cache.glob(f"*{gone}")).unlink()
    assert rows(book) == expected
    next(cache.glob("*.json")).write_text("")
    assert rows(book) == expected


def test_a_kept_table_is_never_written_over(make_book, cache):
    """Two processes may build at once.

    Swapped under a reader, a Parquet file gives errors, nonsense or a crash.
    """
    book = make_book(sell_in=LINES)
    rows(book)
    table = next(cache.glob("*.parquet"))
    before = table.stat().st_ino, table.read_bytes()
    next(cache.glob("*.json")).unlink()
    rows(book)
    assert (table.stat().st_ino, table.read_bytes()) == before
    assert table.stat().st_nlink == 1


def test_the_kept_table_is_sorted_with_typed_columns(make_book, cache, network):
    book = make_book(sell_in=network["sell_in"])
    tables.table(book, "sell_in")
    table = pq.read_table(next(cache.glob("*.parquet")))
    assert str(table.schema.field("revenue").type) == "decimal128(18, 2)"
    assert table.schema.field("date").type == pa.date32()
    keys = table.select(["dealer_id", "date"]).to_pandas()
    assert keys.equals(keys.sort_values(["dealer_id", "date"], ignore_index=True))
    assert len(keys) == len(network["sell_in"])


def test_two_workbooks_in_one_process_keep_apart(make_book, tmp_path):
    one = make_book(sell_in=LINES)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.csv").write_text(LINES.replace("1.00", "7.00"))
    (tmp_path / "other" / "workbook.toml").write_text('[data.sell_in]\nsource = "x.csv"\n')
    two = settings.workbook(tmp_path / "other")
    kept_one, kept_two = tables.table(one, "sell_in"), tables.table(two, "sell_in")
    assert kept_two.revenue.sum().execute() == Decimal("9.00")
    assert kept_one.revenue.sum().execute() == Decimal("3.00")


def test_a_failure_while_building_leaves_nothing(make_book, cache, monkeypatch):
    book = make_book(sell_in=LINES)
    monkeypatch.setattr(tables, "counted_months", lambda *_: 1 / 0)
    with pytest.raises(DataError, match=r"sell_in: sell_in\.csv can't be read: division by zero"):
        tables.table(book, "sell_in")
    assert kept(cache) == {}
    monkeypatch.undo()


def _build(toml: str, folder: str, ready, go) -> None:
    connections.CACHE = Path(folder)
    book = settings.workbook(toml)
    ready.release()
    go.wait()
    assert tables.table(book, "sell_in").count().execute() == 2


def test_processes_that_build_at_once_all_succeed(make_book, cache):
    book = make_book(sell_in=LINES)
    context = multiprocessing.get_context("spawn")
    ready, go = context.Semaphore(0), context.Event()
    running = [
        context.Process(target=_build, args=(str(book.path), str(cache), ready, go))
        for _ in range(2)
    ]
    for process in running:
        process.start()
    for _ in running:
        ready.acquire(timeout=60)
    go.set()
    for process in running:
        process.join(60)
    assert [process.exitcode for process in running] == [0, 0]
    assert len(kept(cache)) == 2


def test_a_killed_build_leaves_no_half_table(make_book, cache, tmp_path):
    random_lines = (
        "SELECT i % 997 AS dealer_id, DATE '2026-01-01' + CAST(i % 300 AS INT) AS date, i / 7 "
        "AS revenue"
    )
    duckdb.sql(f"COPY ({random_lines} FROM range(800000) t(i)) TO '{tmp_path}/big.parquet'")
    book = make_book(extra='[data.sell_in]\nsource = "big.parquet"')
    code = f"""
        from pathlib import Path
        from helpers import settings
        from helpers.data import connections, tables
        connections.CACHE = Path({str(cache)!r})
        tables.table(settings.workbook({str(book.path)!r}), "sell_in")
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    deadline = time.monotonic() + 60
    while (
        not (cache.exists() and any(cache.glob("*.part")))
        and process.poll() is None
        and time.monotonic() < deadline
    ):
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    # nothing that a reader would take for a table
    assert all(name.endswith(".part") for name in kept(cache))
    part = next(cache.glob("*.part"))
    os.utime(part, (0, 0))  # nobody has written to it for long
    assert tables.table(book, "sell_in").count().execute() == 800_000
    assert {name.rsplit(".", 1)[1] for name in kept(cache)} == {"parquet", "json"}


def test_each_process_spills_into_a_folder_of_its_own(cache, monkeypatch, tmp_path):
    """Sharing DuckDB's default, a folder `.tmp` where one stands, two processes crash on one
    another's files.
    """
    monkeypatch.chdir(tmp_path)
    con = connections.connection("duckdb://?memory_limit=60MB", cache)
    (spill,) = con.raw_sql("SELECT current_setting('temp_directory')").fetchone()
    assert Path(spill).parent == cache
    assert f".{os.getpid()}." in spill
    con.raw_sql(
        "COPY (SELECT 'x' || i AS s FROM range(2000000) t(i) ORDER BY hash(i)) TO 'sorted.parquet'"
    )
    assert Path(spill).is_dir()
    con.disconnect()
    connections.connection.cache_clear()
    assert not Path(spill).exists()
    assert not (tmp_path / ".tmp").exists()


def test_a_half_file_that_still_grows_is_left_to_its_writer(make_book, cache):
    book = make_book(sell_in=LINES)
    cache.mkdir()
    other = cache / f"small.sell_in.{'0' * 16}.1.part"
    other.touch()
    dead = cache / f".small.sell_in.{'0' * 16}.json.1.{'a' * 8}.part"  # of a run that was killed
    dead.touch()
    os.utime(dead, (0, 0))
    rows(book)
    assert other.exists() and not dead.exists()


def aged(path: Path, text: str | None = "") -> Path:
    """Lay something old down: a file, or a folder where there is no text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir() if text is None else path.write_text(text)
    for old in (path, path.parent):
        os.utime(old, (0, 0))
    return path


THEIRS = [
    *(f"spill.{name}" for name in ("d/mine.csv", "csv/a/b.csv", "2026/x.tmp", "12.old/mine.csv")),
    *(f"spill.7.{'0' * n}/mine.csv" for n in (7, 8, 9)),
    # nothing but DuckDB's names, in a folder that is not named as ours are
    "spill.mine/duckdb_temp_storage_DEFAULT-0.tmp",
    # one of ours that somebody laid something into
    f"spill.7.{'b' * 8}/mine.tmp",
    f"spill.7.{'c' * 8}/sub/duckdb_temp_block-1.block",
    *(f"small.sell_in.{'0' * 16}.{end}" for end in ("xlsx", "mine.part", "json.bak", "7.part.csv")),
    f".small.sell_in.{'0' * 16}.mine.part",
    f"small.checks.{'0' * 16}-mine.json",
    *(f"kept/{name}" for name in ("mine.txt", "mine.pickle", f"mine.{'0' * 32}.csv")),
]
OURS = [
    f"spill.7.{'d' * 8}/duckdb_temp_storage_DEFAULT-0.tmp",
    f"spill.7.{'d' * 8}/duckdb_temp_storage_S32K-1.tmp",
    f"spill.7.{'e' * 8}/duckdb_temp_block-12.block",
    f"small.sell_in.{'0' * 16}.json",
    f"small.sell_in.{'0' * 16}.parquet",
    f"small.sell_in.{'0' * 16}.7.part",
    f"small.checks.{'0' * 16}-{'0' * 8}.json",
    f"kept/dealer_totals.{'0' * 32}.pickle",
    f"kept/.dealer_totals.{'0' * 32}.pickle.7.{'0' * 8}.part",
]


def test_of_a_folder_that_people_share_only_what_is_ours_is_cleared(
    make_book, cache, tmp_path, monkeypatch
):
    monkeypatch.setattr(results, "IN_USE", True)
    theirs, ours = ([aged(cache / name) for name in names] for names in (THEIRS, OURS))
    away = aged(tmp_path / "away" / "duckdb_temp_storage_DEFAULT-0.tmp")
    linked = cache / f"spill.7.{'f' * 8}"
    linked.symlink_to(away.parent)
    pointing = cache / f"small.sell_in.{'1' * 16}.parquet"
    pointing.symlink_to(away)
    folder = aged(cache / f"small.sell_in.{'2' * 16}.parquet", None)
    for path in (*cache.rglob("*"), away, away.parent):
        os.utime(path, (0, 0))
    book = make_book(sell_in=LINES)
    checks.findings(book)
    data.dealer_totals(book, "2026-01")
    gone = [path for path in (*theirs, away, linked, pointing, folder) if not path.exists()]
    assert not gone
    left = [path for path in ours if path.exists()]
    assert not left
    assert not any(path.parent.exists() for path in ours if path.parent.name.startswith("spill"))


@pytest.mark.parametrize("given", [None, "", "elsewhere"])
def test_a_variable_set_to_nothing_names_no_cache(tmp_path, given):
    """Path("") is the folder in which somebody happens to stand."""
    (tmp_path / "workbook.toml").write_text('[data.sell_in]\nsource = "x.csv"\n')
    asked = (
        "from helpers import settings; from helpers.data import connections; "
        "print(connections.cache_of(settings.workbook('workbook.toml')))"
    )
    env = {name: value for name, value in os.environ.items() if name != "WORKBOOK_CACHE"}
    told = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=tmp_path,
        env=env if given is None else {**env, "WORKBOOK_CACHE": given},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert told == (given or str(settings.CHECKOUT / "data" / "cache"))


# ---- errors stop ---------------------------------------------------------------------------------


def message(book, name: str = "sell_in") -> str:
    with pytest.raises(DataError) as error:
        tables.table(book, name)
    return str(error.value)


def test_values_that_do_not_fit_are_counted_with_an_example(make_book, cache):
    lines = LINES + '003,2026-01-04,"1,200"\n004,2026-01-04,n/a\n005,03/04/2026,5\n006,,5\n'
    assert message(make_book(sell_in=lines)).splitlines() == [
        (
            "sell_in.date: 1 row of sell_in.csv is empty; fill them in or leave the rows out "
            "with a query"
        ),
        (
            "sell_in.date: 1 row of sell_in.csv is a day of which month and day may change places, "
            "e.g. '03/04/2026' (line 6) is 2026-04-03 or 2026-03-04; say which under "
            '[data.sell_in.format] of workbook.toml: date = "%d/%m/%Y" or "%m/%d/%Y"'
        ),
        "sell_in.revenue: 1 row of sell_in.csv is empty or holds no value, e.g. 'n/a' on "
        "line 5; fill them in or leave the rows out with a query",
    ]
    assert not list(cache.glob("*.parquet"))  # nothing of it is kept but the errors


def test_the_errors_are_kept_and_go_when_the_source_is_put_right(make_book, cache):
    book = make_book(sell_in=LINES.replace("1.00", "one"))
    message(book)
    first = kept(cache)
    message(book)
    assert kept(cache) == first
    later(book.folder / "sell_in.csv", LINES)
    assert len(rows(book)) == 2


def test_us_dates_need_the_format_and_then_are_read(make_book):
    lines = LINES.replace("2026-01-02", "03/04/2022").replace("2026-01-03", "12/11/2022")
    assert "2 rows of sell_in.csv are days of which month" in message(make_book(sell_in=lines))
    book = make_book(sell_in=lines, extra='[data.sell_in.format]\ndate = "%m/%d/%Y"')
    assert [row[1] for row in rows(book)] == [dt.date(2022, 3, 4), dt.date(2022, 12, 11)]


def test_money_that_is_no_number_is_refused(make_book):
    lines = pd.DataFrame(
        {
            "dealer_id": ["1"] * 4,
            "date": ["2026-01-01"] * 4,
            "revenue": [1.0, math.inf, -math.inf, 2.0],
        }
    )
    assert "sell_in.revenue: 2 rows of sell_in.parquet hold no amount, e.g. '-inf'" in message(
        make_book(sell_in=lines)
    )
    raw = pa.table(
        {"dealer_id": ["1", "2"], "date": ["2026-01-01"] * 2, "revenue": pa.array([1.0, math.nan])}
    )
    assert (
        "sell_in.revenue: 1 row of sell_in.parquet is empty or holds no value, e.g. 'nan'"
        in message(make_book(sell_in=raw))
    )


def test_a_dealer_id_that_a_data_frame_made_a_float_is_read_back(make_book):
    raw = pa.table(
        {
            "dealer_id": pa.array([10003.0, math.nan, None]),
            "date": ["2026-01-01"] * 3,
            "revenue": [1, 2, 3],
        }
    )
    assert [row[0] for row in rows(make_book(sell_in=raw))] == ["10003", None, None]
    bad = pa.table(
        {"dealer_id": pa.array([10003.0, 7.5]), "date": ["2026-01-01"] * 2, "revenue": [1, 2]}
    )
    assert (
        "sell_in.dealer_id: 1 row of sell_in.parquet holds no whole number, e.g. '7.5'"
        in message(make_book(sell_in=bad))
    )


def test_a_missing_dealer_is_no_error_in_transactions_but_in_keys(make_book):
    assert len(rows(make_book(sell_in=LINES + ",2026-01-05,3\n  ,2026-01-05,4\n"))) == 4
    book = make_book(sell_in=LINES, dealers="dealer_id,dealer_name\n,x\n001,y\n")
    assert message(book, "dealers").startswith("dealers.dealer_id: 1 row of dealers.csv is empty")


def test_a_key_that_repeats_is_an_error_with_count_and_example(make_book):
    book = make_book(
        sell_in=LINES, dealers="dealer_id,dealer_name\n001,a\n002,b\n001,c\n001,d\n002,e\n"
    )
    assert message(book, "dealers") == (
        "dealers.dealer_id: 3 rows of dealers.csv repeat a key that must be unique, e.g. '001' on "
        "line 2; remove them, or group them in a query"
    )
    book = make_book(
        sell_in=LINES,
        dealer_profit="dealer_id,month,brand,revenue,gross_profit\n"
        + "001,2026-01,L,1,1\n001,2026-02,L,1,1\n001,2026-01,L,2,2\n",
    )
    assert "dealer_profit.dealer_id, month, brand: 1 row of" in message(book, "dealer_profit")
    assert "e.g. '001, 2026-01, L'" in message(book, "dealer_profit")


@pytest.mark.parametrize("name", ["date", "month", "snapshot_date"])
@pytest.mark.parametrize("values", [("15/03/1980", "1/2"), ("1980-03-15", "2070-01-01"), ("", "x")])
def test_a_further_column_named_as_a_date_is_none(make_book, name, values):
    people = f"consumer_id,{name}\n" + "".join(f"{i},{v}\n" for i, v in enumerate(values))
    book = make_book(sell_in=LINES, consumers=people)
    assert tables.described(book, "consumers")["months"] == []
    assert "consumers" not in set(checks.findings(book)["table"])
    book = make_book(sell_in=LINES + "003,2026-01-31,1\n", consumers=people)
    assert data.require_period(book) == "2026-01"


@pytest.mark.parametrize(
    ("table", "column", "header", "row"),
    [
        ("sell_in", "date", "dealer_id,date,revenue", "1,{}-05,1"),
        ("payments", "date", "dealer_id,date,amount", "1,{}-05,1"),
        (
            "dealer_profit",
            "month",
            "dealer_id,month,brand,revenue,gross_profit",
            "1,{},Lumora,1,1",
        ),
        (
            "stock",
            "snapshot_date",
            "snapshot_date,dealer_id,product_id,received_date,quantity,unit_cost",
            "{}-05,1,p,2026-01-01,1,1",
        ),
    ],
)
@pytest.mark.parametrize("year", ["0001", "0999", "1899", "2100", "9999"])
def test_a_year_that_no_period_has_is_told(make_book, table, column, header, row, year):
    lines = [header, *(row.format(f"{year}-{month:02d}") for month in (10, 11))]
    book = make_book(**{"sell_in": LINES, table: "\n".join(lines) + "\n"})
    told = message(book, table)
    assert told.startswith(
        f"{table}.{column}: 2 rows of {table}.csv are of a year before 1900 or after 2099, e.g. "
        f"'{year}-10"
    )
    found = checks.findings(book).iloc[0]
    assert (found["table"], found["column"], found["check"], found["severity"]) == (
        *(table, column),
        "year",
        "error",
    )


def test_the_first_and_last_years_that_a_period_has_are_none_of_these(make_book):
    for year in ("1900", "2099"):
        book = make_book(sell_in=f"dealer_id,date,revenue\n1,{year}-11-30,1\n")
        assert data.require_period(book) == f"{year}-11"


@pytest.mark.parametrize("gone", [(), ("aspect",), ("brand", "dealer_id"), ("aspect", "brand")])
def test_an_empty_part_of_a_key_is_no_word_of_pandas(make_book, gone):
    row = {
        "session": "s1",
        "scored_date": "2026-01-01",
        "participant": "u0",
        "kind": "factor",
        "item_id": "f06",
        "score": "5",
        "aspect": "performance",
        "brand": "L",
        "dealer_id": "7",
    } | dict.fromkeys(gone, "")
    text = ",".join(row) + "\n" + 2 * (",".join(row.values()) + "\n")
    told = message(make_book(sell_in=LINES, scores=text), "scores")
    assert "nan" not in told and "None" not in told
    shown = [row[c] or "–" for c in ("aspect", "brand", "dealer_id")]
    assert "1 row of scores.csv repeats a key that must be unique, e.g. " in told
    assert f"'s1, u0, factor, f06, {', '.join(shown)}'" in told


TWICE = {
    "side by side": ("dealer_id,date,revenue,revenue", "3 and 4"),
    "apart": ("revenue,dealer_id,date,revenue", "1 and 4"),
    "in capitals": ("dealer_id,date,revenue,Revenue", "3 and 4"),
    "with blanks": ('dealer_id,date,revenue," revenue "', "3 and 4"),
    "a key": ("dealer_id,date,revenue,dealer_id", "1 and 4"),
    "three times": ("revenue,dealer_id,date,revenue,revenue", "1 and 4 and 5"),
    "beside one of its new name": ("revenue,revenue_1,dealer_id,date,revenue", "1 and 5"),
}


def csv_of(header: str, mark: str = ",") -> str:
    """Write two lines below a header, each value of a kind that fits everywhere."""
    kinds = {"date": "2026-01-31"}
    names = [name.strip(' "').lower() for name in header.split(",")]
    lines = [[kinds.get(name, str(i)) for name in names] for i in (1, 2)]
    return "\n".join(mark.join(cells) for cells in [header.split(","), *lines]) + "\n"


@pytest.mark.parametrize(("header", "places"), TWICE.values(), ids=TWICE)
@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("by", ["source", "query", "pattern"])
def test_a_header_that_stands_twice_is_refused(make_book, tmp_path, header, places, mark, by):
    (tmp_path / "raw.csv").write_text(csv_of(header, mark))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.csv").write_text(csv_of("dealer_id,date,revenue"))
    shutil.copy(tmp_path / "raw.csv", tmp_path / "other" / "raw.csv")
    extra = {
        "source": '[data.sell_in]\nsource = "raw.csv"',
        "query": QUERY.format("select * from raw"),
        "pattern": '[data.sell_in]\nsource = "other/*.csv"',
    }[by]
    told = message(make_book(extra=extra))
    assert told.startswith("sell_in: raw.csv has one header more than once: '")
    assert f", columns {places}; rename all but the one that is meant" in told


@pytest.mark.parametrize(
    "header",
    [
        "dealer_id,date,revenue,revenue_1",
        "dealer_id,date,revenue,note,note",
        "dealer_id,date,revenue,,",
        "dealer_id,date,revenue,revenue_1,revenue_2",
        "dealer_id_1,dealer_id,date,revenue",
    ],
)
def test_a_header_that_nobody_asks_for_may_stand_twice(make_book, header):
    assert len(rows(make_book(sell_in=csv_of(header)))) == 2


def test_every_table_is_told_at_once(make_book):
    book = make_book(
        sell_in=LINES.replace("1.00", "x"),
        payments="dealer_id,date\n1,2026-01-01\n",
        extra='[data.products]\nsource = "none.csv"',
    )
    with pytest.raises(DataError) as error:
        data.prepare(book)
    told = str(error.value).splitlines()
    assert [line.split(":")[0] for line in told] == ["products", "sell_in.revenue", "payments"]
    assert "no file" in told[0]
    assert "no column 'amount'" in told[2]


@pytest.mark.parametrize(
    ("content", "words"),
    [("", "is empty"), ("a,b\n1\n2,3,4\n", "no column|can't be read")],
)
def test_a_broken_csv_is_an_error_of_that_table(make_book, content, words):
    assert re.search(rf"^sell_in.*({words})", message(make_book(sell_in=content)))


def test_a_parquet_file_that_is_none_is_an_error_of_that_table(make_book, tmp_path):
    book = make_book(sell_in=LINES, extra='[data.payments]\nsource = "p.parquet"')
    (tmp_path / "p.parquet").write_text("no parquet at all")
    assert message(book, "payments").startswith("payments: p.parquet can't be read: ")


def test_a_table_that_is_not_there_says_how_to_name_it(make_book):
    with pytest.raises(
        DataError,
        match=r"stock: this workbook has no such table; name its source in workbook\.toml as "
        r"\[data\.stock\]",
    ):
        tables.table(make_book(sell_in=LINES), "stock")


# ---- sources -------------------------------------------------------------------------------------


def test_text_stays_text(make_book):
    lines = "dealer_id,date,revenue,product_id,brand\n"
    lines += "00123,2026-01-02,1,007,'; DROP TABLE dealers; --\n1e5,2026-01-02,2,,NULL\n"
    found = tables.table(make_book(sell_in=lines), "sell_in").order_by("revenue").to_pandas()
    assert found["dealer_id"].tolist() == ["00123", "1e5"]
    assert found["product_id"].tolist()[0] == "007"
    assert found["product_id"].isna().tolist() == [False, True]
    assert found["brand"].tolist() == ["'; DROP TABLE dealers; --", "NULL"]


def test_empty_text_is_missing_and_blanks_are_trimmed(make_book):
    found = tables.table(
        make_book(sell_in='dealer_id,date,revenue,cost,brand\n" 7 ",2026-01-01, 5 ,,"  "\n'),
        "sell_in",
    ).to_pandas()
    assert found.loc[0, "dealer_id"] == "7"
    assert found.loc[0, "revenue"] == 5
    assert found[["cost", "brand"]].isna().all(axis=None)


@pytest.mark.parametrize(
    "name", ["it's.csv", "a;b--.csv", "销售 2026.csv", "sales[1].csv", 'say "hi".csv', "x{0}%s.csv"]
)
def test_file_names_are_names(make_book, tmp_path, name):
    (tmp_path / name).write_text(LINES)
    (tmp_path / "sales1.csv").write_text(LINES.replace("1.00", "666"))
    book = make_book(extra=f"[data.sell_in]\nsource = '''{name}'''")
    assert rows(book)[0][2] == Decimal("1.00")
    assert (
        rows(
            make_book(
                extra=f"[data.files]\nf = '''{name}'''\n[data.sell_in]\nquery = 'select * from f'"
            )
        )[0][2]
        == 1
    )


def test_a_folder_with_quotes_and_brackets_holds_source_and_cache(tmp_path, monkeypatch):
    folder = tmp_path / "O'Brien [old]*"
    folder.mkdir()
    (folder / "s.csv").write_text(LINES)
    (folder / "workbook.toml").write_text(
        '[data.sell_in]\nsource = "s.csv"\n[workbook]\nname = "x"\n'
    )
    monkeypatch.setattr(connections, "CACHE", folder / "cache")
    assert len(rows(settings.workbook(folder))) == 2


def test_gzip_semicolons_and_quoted_headers_are_read(make_book, tmp_path):
    text = 'Store Number;Date;Sale (Dollars);"a ""b"""\n001;2026-01-02;1.50;x\n'
    (tmp_path / "s.csv.gz").write_bytes(gzip.compress(text.encode()))
    book = make_book(
        extra='[data.sell_in]\nsource = "s.csv.gz"\n[data.sell_in.columns]\ndealer_id = "Store '
        'Number"\ndate = "Date"\nrevenue = "Sale (Dollars)"\nbrand = \'a "b"\''
    )
    assert rows(book) == [("001", dt.date(2026, 1, 2), Decimal("1.50"), "x")]


def test_a_table_without_rows_keeps_its_types(make_book):
    found = tables.table(make_book(sell_in="dealer_id,date,revenue\n"), "sell_in")
    assert found.count().execute() == 0
    assert {c: str(t) for c, t in found.schema().items()} == {
        "dealer_id": "string",
        "date": "date",
        "revenue": "decimal(18, 2)",
    }


def test_a_database_file_is_read_only_and_its_changes_are_seen(tmp_path, cache):
    with duckdb.connect(tmp_path / "erp.duckdb") as con:
        con.sql(
            "CREATE SCHEMA s; CREATE TABLE s.inv AS SELECT '1' dealer_id, DATE '2026-01-01' "
            "date, 5 revenue"
        )
    toml = tmp_path / "workbook.toml"
    toml.write_text('[data]\nengine = "duckdb://erp.duckdb"\n[data.sell_in]\nsource = "s.inv"\n')
    book = settings.workbook(toml)
    assert rows(book) == [("1", dt.date(2026, 1, 1), Decimal("5.00"))]
    before = tables.fingerprint(book)
    connections.connection(book.engine, connections.CACHE).disconnect()
    connections.connection.cache_clear()
    with duckdb.connect(tmp_path / "erp.duckdb") as con:
        con.sql("INSERT INTO s.inv SELECT '2', DATE '2026-01-01', 6 FROM range(100000)")
    assert tables.fingerprint(book) != before
    assert len(rows(book)) == 100_001
    connections.connection(book.engine, connections.CACHE).disconnect()
    connections.connection.cache_clear()


def test_a_database_that_cannot_be_opened_shows_no_password(tmp_path):
    toml = tmp_path / "workbook.toml"
    toml.write_text('[data]\nengine = "nosuch://me:s3cret@h/db"\n[data.sell_in]\nsource = "t"\n')
    with pytest.raises(DataError, match="engine nosuch://…@h/db: ") as error:
        tables.table(settings.workbook(toml), "sell_in")
    assert "s3cret" not in str(error.value)
    toml.write_text('[data]\nengine = "duckdb://none.duckdb"\n[data.sell_in]\nsource = "t"\n')
    with pytest.raises(DataError, match=r"engine duckdb://.*none\.duckdb: "):
        tables.table(settings.workbook(toml), "sell_in")
    assert not (tmp_path / "none.duckdb").exists()  # reading never makes a database


# ---- queries -------------------------------------------------------------------------------------


def test_a_query_reads_named_files_and_its_own_tables(make_book, tmp_path):
    (tmp_path / "raw.csv").write_text(LINES)
    query = (
        "with big as (select * from Raw where CAST(revenue AS INT) > 1) select * from big union "
        "all select * from big"
    )
    assert [row[0] for row in rows(make_book(extra=QUERY.format(query)))] == ["002", "002"]


def test_a_query_is_built_anew_when_its_file_changes(make_book, tmp_path):
    (tmp_path / "raw.csv").write_text(LINES)
    book = make_book(extra=QUERY.format("select * from raw"))
    rows(book)
    later(tmp_path / "raw.csv", LINES.replace("2.00", "3.00"))
    assert rows(book)[1][2] == Decimal("3.00")


@pytest.mark.parametrize(
    "query",
    [
        "select * from 'raw.csv'",
        "select * from read_csv('raw.csv')",
        'select * from "folder/raw.csv"',
        "select * from raw join 'raw.csv' using (date)",
        "select * from raw where date in (select date from read_text('raw.csv'))",
        "select * from glob('*')",
    ],
)
def test_a_file_named_inside_a_query_is_refused(make_book, tmp_path, query):
    (tmp_path / "raw.csv").write_text(LINES)
    assert "under [data.files] and use that name in the query" in message(
        make_book(extra=QUERY.format(query))
    )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("drop table x", "the query must be a SELECT"),
        ("select 1; drop table x", "the query must be a SELECT"),
        ("copy raw to 'x.csv'", "the query must be a SELECT"),
        ("selec * from raw", "can't be read"),
        ("select * from raw where (", "the query can't be read as SQL"),
        ("select * from rwa", "can't be read: .*rwa"),
        ("select * from book", "can't be read: .*book"),
    ],
)
def test_a_query_that_is_no_select_of_what_there_is_is_refused(make_book, tmp_path, query, words):
    (tmp_path / "raw.csv").write_text(LINES)
    book = make_book(extra=QUERY.format(query))
    told = message(book)
    assert told.startswith("sell_in: ")
    assert re.search(words, told)
    assert (tmp_path / "raw.csv").read_text() == LINES
