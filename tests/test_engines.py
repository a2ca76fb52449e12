"""Other engines: what each page takes from the door is the same from PostgreSQL, Spark and SQLite
as from DuckDB's files, to the last label and cent, and what crosses the wire is no line of it.
"""

import datetime as dt
import math
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import ibis
import pandas as pd
import pyarrow.parquet as pq
import pytest

from helpers import (
    consumers,
    data,
    fishbone,
    inventory,
    pareto,
    profit,
    segmentation,
    settings,
)
from helpers.data import checks, connections, servers
from helpers.data.consumer_habits import GROUPED_BY
from helpers.settings import DataError
from servers import load, postgres_cluster
from spark_session import spark_session

PERIOD = "2026-10"
# every question of the door that a page asks, by way of the recipes that the pages follow: what is
# made of the answers is the same code, which is given the same
MONTHS: dict[str, Callable] = {
    "segmentation": lambda book: segmentation.read_month(book, PERIOD),
    "pareto": lambda book: pareto.read_month(book, PERIOD),
    "fishbone": lambda book: fishbone.read_month(book, PERIOD),
    "consumers": lambda book: (consumers.read_month(book, PERIOD), group_answers(book)),
    "inventory": lambda book: inventory.read_month(book, PERIOD, 2),
    "profit": lambda book: profit.read_month(book, PERIOD),
}


def group_answers(book: settings.Workbook) -> dict[str, pd.DataFrame]:
    """Ask of groups of consumers, which are given to the engine, what their page asks."""
    ids = data.consumer_features(book, PERIOD)["consumer_id"]
    labels = pd.Series([f"g{i % 3}" for i in range(len(ids))], index=ids)
    sums = {by: data.group_sums(book, PERIOD, 36, labels, by) for by in GROUPED_BY}
    return sums | {
        "responses": data.responses(book, PERIOD, 36, labels),
        "margin": data.group_margin(book, PERIOD, 36, labels),
    }


POSTGRES = {"string": "text", "large_string": "text", "double": "float8", "int64": "bigint"}


def tables(book: settings.Workbook) -> dict[str, Path]:
    """Name the demo's files by table."""
    return {name: Path(given.source) for name, given in book.tables.items()}


def book_at(folder: Path, demo: settings.Workbook, engine: str, named: str = "{}"):
    """Open the demo's tables, called as `named` says, at an engine."""
    folder.mkdir(exist_ok=True)
    text = re.sub(
        r'source = "data/demo/(\w+)\.parquet"',
        lambda found: f"source = '{named.format(found[1])}'",
        demo.path.read_text(encoding="utf-8"),
    )
    toml = folder / "workbook.toml"
    toml.write_text(text.replace('"duckdb://" ', f'"{engine}" '), encoding="utf-8")
    return settings.workbook(toml)


def frames(answer: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Walk through a recipe's answer: tables, series and plain values, with the way to each."""
    if isinstance(answer, dict):
        for key, value in answer.items():
            yield from frames(value, f"{path}/{key}")
    elif isinstance(answer, tuple):
        names = getattr(answer, "_fields", range(len(answer)))
        for name, value in zip(names, answer, strict=True):
            yield from frames(value, f"{path}/{name}")
    elif not callable(answer):
        yield path, answer


def require_same(ours: object, theirs: object) -> int:
    """Compare two answers; gives the number of cells compared."""
    pairs = list(zip(frames(ours), frames(theirs), strict=True))
    n_cells = 0
    for (path, one), (also, other) in pairs:
        assert path == also
        if isinstance(one, pd.DataFrame):
            pd.testing.assert_frame_equal(one, other, rtol=1e-9, atol=1e-9, obj=path)
            n_cells += one.size
        elif isinstance(one, pd.Series):
            pd.testing.assert_series_equal(one, other, rtol=1e-9, atol=1e-9, obj=path)
            n_cells += one.size
        elif isinstance(one, float):
            assert one == pytest.approx(other, rel=1e-9, nan_ok=True), path
        else:
            assert repr(one) == repr(other), path
    return n_cells


@pytest.fixture(scope="module")
def expected(small_demo) -> dict[str, object]:
    """Give what DuckDB answers, once."""
    found = {name: ask(small_demo) for name, ask in MONTHS.items()}
    return found | {"findings": checks.findings(small_demo)}


# ---- PostgreSQL ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def postgres(small_demo, tmp_path_factory):
    """Open the demo in PostgreSQL, its tables with blanks and quotes in their names."""
    with postgres_cluster() as url:
        for name, file in tables(small_demo).items():
            rows = pq.read_table(file)
            kinds = {f.name: POSTGRES.get(str(f.type), "timestamp") for f in rows.schema}
            load(url, f'The "{name}" of 2026', kinds, zip(*rows.to_pydict().values(), strict=True))
        folder = tmp_path_factory.mktemp("postgres")
        try:
            yield book_at(folder, small_demo, url, 'public.The "{}" of 2026')
        finally:
            connections.connection.cache_clear()


@pytest.mark.xdist_group("postgres")
@pytest.mark.parametrize("room", MONTHS)
def test_postgres_gives_every_page_the_same(postgres, expected, room):
    assert require_same(expected[room], MONTHS[room](postgres)) > 100


@pytest.mark.xdist_group("postgres")
def test_postgres_gives_every_dealer_the_same_classes(postgres, small_demo):
    judged = [pareto.abc_month(book, PERIOD) for book in (small_demo, postgres)]
    assert require_same(*judged) > 500


@pytest.mark.xdist_group("postgres")
def test_postgres_finds_what_duckdb_finds_in_the_data(postgres, expected):
    found, known = checks.findings(postgres), expected["findings"]
    place = ["file", "line"]
    # a table of a server stands in no file
    assert found["file"].eq("").all() and found["line"].eq(0).all()
    assert require_same(known.drop(columns=place), found.drop(columns=place)) > 10


BESIDE = {  # what stands in a column beside the amounts, or over them
    "currencies": ("Currency", ("EUR", "USD", "EUR"), "revenue", "error", 1),
    "returns_added": ("Doc. type", ("Invoice", "Credit note", "Invoice"), "revenue", "warning", 1),
    "in_thousands": ("Note", ("", "", ""), "Umsatz TEUR", "error", 3),
}


@pytest.mark.xdist_group("postgres")
@pytest.mark.parametrize("check", BESIDE)
def test_postgres_hears_what_a_table_says_of_its_amounts(postgres, tmp_path, check):
    header, said, amount, severity, n = BESIDE[check]
    rows = " UNION ALL ".join(
        f"SELECT 'D{i}' AS dealer_id, DATE '2026-10-0{i}' AS date, {i}.5 AS \"{amount}\", "
        f"'{text}' AS \"{header}\""
        for i, text in enumerate(said, start=1)
    )
    toml = tmp_path / "workbook.toml"
    toml.write_text(
        f'[data]\nengine = "{postgres.engine}"\n[data.sell_in]\nquery = """{rows}"""\n'
        f'columns = {{ revenue = "{amount}" }}\n'
    )
    found = checks.findings(settings.workbook(toml)).set_index("check")
    assert found.loc[check, ["column", "severity", "n_rows"]].tolist() == ["revenue", severity, n]


@pytest.mark.xdist_group("postgres")
def test_a_file_of_peoples_own_may_lie_beside_a_servers_tables(postgres, small_demo, tmp_path):
    """Scores and the plan are typed into files; a server's tables are joined with them."""
    toml = tmp_path / "workbook.toml"
    text = postgres.path.read_text(encoding="utf-8")
    for name in ("dealers", "scores"):
        shutil.copy(tables(small_demo)[name], tmp_path / f"{name}.parquet")
        text, n = re.subn(rf"source = '[^']*\"{name}\"[^']*'", f'source = "{name}.parquet"', text)
        assert n == 1
    toml.write_text(text, encoding="utf-8")
    mixed = settings.workbook(toml)
    assert require_same(*(fishbone.read_month(book, PERIOD) for book in (small_demo, mixed))) > 500
    before = data.fingerprint(mixed)
    (tmp_path / "scores.parquet").touch()
    assert data.fingerprint(mixed) != before


@pytest.mark.xdist_group("postgres")
def test_sessions_beside_the_toml_are_added_to_a_servers(postgres, tmp_path):
    sold = "SELECT 'D1' AS dealer_id, DATE '2026-10-03' AS date, 5.0 AS revenue"
    said = (
        "SELECT 'W1' AS session, DATE '2026-09-01' AS scored_date, 'P01' AS participant, "
        "'factor' AS kind, 'f01' AS item_id, 6.5 AS score"
    )
    toml = tmp_path / "workbook.toml"
    toml.write_text(
        f'[data]\nengine = "{postgres.engine}"\n[data.sell_in]\nquery = "{sold}"\n'
        f'[data.scores]\nquery = "{said}"\n'
    )
    before = data.fingerprint(settings.workbook(toml))
    own = data.records(settings.workbook(toml), "scores").assign(session="W2", score=8.0, round=2.0)
    data.keep_session(settings.workbook(toml), own)
    book = settings.workbook(toml)
    rows = data.records(book, "scores").set_index("session")
    assert rows["score"].to_dict() == {"W1": 6.5, "W2": 8.0}
    assert rows["round"].isna().to_dict() == {"W1": True, "W2": False}
    assert data.described(book, "scores")["rows"] == 2 and data.fingerprint(book) != before
    with pytest.raises(DataError, match=r"W1.*has it already"):
        data.keep_session(book, own.assign(session="W1"))
    file = tmp_path / "scores.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("W2", "W1"), encoding="utf-8")
    found = checks.findings(settings.workbook(toml)).set_index("check")
    assert found.loc["session_twice", "severity"] == "error"


@pytest.mark.xdist_group("postgres")
def test_what_a_server_is_lent_is_small_and_lies_with_the_toml(postgres, tmp_path, monkeypatch):
    """A stranger's toml may name his server: it gets no file that did not come with it."""
    home = tmp_path / "home"
    home.mkdir()
    rows = "".join(f"D{i},shop {i}\n" for i in range(4))
    (tmp_path / "dealers.csv").write_text(f"dealer_id,dealer_name\n{rows}", encoding="utf-8")
    sold = "SELECT 'D1' AS dealer_id, DATE '2026-10-03' AS date, 5.0 AS revenue"

    def book_with(source: str) -> settings.Workbook:
        (home / "workbook.toml").write_text(
            f'[data]\nengine = "{postgres.engine}"\n[data.sell_in]\nquery = "{sold}"\n'
            f'[data.dealers]\nsource = "{source}"\n'
        )
        return settings.workbook(home / "workbook.toml")

    for source in ("../dealers.csv", str(tmp_path / "dealers.csv"), "../*.csv"):
        with pytest.raises(DataError, match="does not lie in the folder of workbook"):
            data.dealers(book_with(source))
    (home / "linked.csv").symlink_to(tmp_path / "dealers.csv")
    with pytest.raises(DataError, match="does not lie in the folder of workbook"):
        data.dealers(book_with("linked.csv"))
    shutil.copy(tmp_path / "dealers.csv", home)
    book = book_with("dealers.csv")
    assert len(data.dealers(book)) == 4
    assert checks.findings(book)["severity"].ne("error").all()
    monkeypatch.setattr(data.tables, "MOST_LENT", 3)
    with pytest.raises(DataError, match=r"dealers\.csv has 4 rows, and 3 at most are lent"):
        data.dealers(book)


@pytest.fixture
def crossed(postgres, monkeypatch) -> list[int]:
    """Count the rows of each answer that PostgreSQL sends, as its protocol tells them."""
    import psycopg

    sizes: list[int] = []

    class Counted(psycopg.Cursor):
        def close(self) -> None:
            sizes.append(self.rowcount)
            super().close()

    monkeypatch.setattr(connections.connected(postgres).con, "cursor_factory", Counted)
    return sizes


@pytest.mark.xdist_group("postgres")
def test_lines_do_not_cross_the_wire(postgres, small_demo, crossed):
    n_lines = {name: data.described(small_demo, name)["rows"] for name in small_demo.tables}
    data.prepare(postgres)
    for ask in MONTHS.values():
        ask(postgres)
    fewest = min(n_lines[name] for name in ("sell_in", "sell_out", "stock_moves", "payments"))
    *others, shelves = sorted(crossed)
    assert 60 < max(others) < fewest, (max(others), n_lines)
    # what has lines by the ten thousand comes as sums by dealer, model, consumer or month; by the
    # first two and month at once where it is asked what was missing on a shelf before
    assert shelves < n_lines["stock_moves"] / 2, (shelves, n_lines)
    assert sum(crossed) < sum(n_lines.values())


@pytest.mark.xdist_group("postgres")
def test_a_tables_columns_are_asked_for_once(postgres, crossed, monkeypatch):
    monkeypatch.setattr(servers, "_seen", {})
    data.dealer_totals(postgres, PERIOD)
    first = len(crossed)
    data.dealer_totals(postgres, PERIOD)
    assert 0 < len(crossed) - first < first / 2


@pytest.mark.xdist_group("postgres")
def test_the_session_only_reads(postgres):
    import psycopg

    con = connections.connected(postgres)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), con.con.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE made (a int)")


ODD = {
    "quote": 'it\'s "q" \\ {x},NULL',
    "empty": "",
    "lines": "a\nb\r\nc",
    "null_word": "NULL",
    "chinese": "店铺",
    "percent": "100 %s",
    "nothing": None,
}


@pytest.mark.xdist_group("postgres")
def test_texts_go_to_postgres_and_come_back_as_they_are(postgres):
    con = connections.connected(postgres)
    given = pd.DataFrame({"name": list(ODD), "text": list(ODD.values()), "n": range(len(ODD))})
    schema = {"name": "string", "text": "string", "n": "int64"}
    table = ibis.memtable(given, schema=schema)
    back = con.to_pyarrow(table).to_pylist()
    assert {row["name"]: row["text"] for row in back} == ODD
    empty = ibis.memtable(given.head(0), schema=schema)
    assert con.to_pyarrow(empty).num_rows == 0
    assert con.to_pandas(table.anti_join(empty, "name")).shape == (len(ODD), 3)


@pytest.mark.xdist_group("postgres")
def test_numbers_and_days_come_from_postgres_as_they_are(postgres):
    asked = """SELECT 0.1::float8 + 0.2::float8 AS h, 'NaN'::float8 AS nan,
               '-Infinity'::float8 AS low,
               1.50::numeric(18, 2) AS money, DATE '0001-01-01' AS first, DATE '9999-12-31' AS last,
               true AS yes, NULL::boolean AS unknown, 12::bigint AS n, 3::int2 AS small"""
    found = connections.connected(postgres).sql(asked).to_pyarrow().to_pylist()[0]
    assert found.pop("nan") != found["h"] == 0.1 + 0.2
    assert found == {
        "h": 0.30000000000000004,
        "low": -math.inf,
        "money": Decimal("1.50"),
        "first": dt.date(1, 1, 1),
        "last": dt.date(9999, 12, 31),
        "yes": True,
        "unknown": None,
        "n": 12,
        "small": 3,
    }


# ---- Spark ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spark(small_demo, tmp_path_factory):
    """Open the demo in Spark, its tables with blanks and backticks in their names."""
    with spark_session(tmp_path_factory.mktemp("warehouse")) as session:
        for name, file in tables(small_demo).items():
            session.read.parquet(str(file)).createOrReplaceTempView(f"`The ``{name}`` of 2026`")
        folder = tmp_path_factory.mktemp("spark")
        engine = "pyspark://?spark.sql.shuffle.partitions=1"
        try:
            yield book_at(folder, small_demo, engine, "The `{}` of 2026")
        finally:
            connections.connection.cache_clear()


@pytest.mark.xdist_group("spark")
@pytest.mark.parametrize("room", MONTHS)
def test_spark_gives_every_page_the_same(spark, expected, room):
    assert require_same(expected[room], MONTHS[room](spark)) > 100


@pytest.mark.xdist_group("spark")
def test_spark_says_what_is_no_date(spark, tmp_path):
    session = connections.connected(spark)._session
    rows = [("1", "30/10/2026", 1.0)]
    session.createDataFrame(rows, "dealer_id string, date string, revenue double").createTempView(
        "odd"
    )
    toml = tmp_path / "workbook.toml"
    toml.write_text('[data]\nengine = "pyspark://"\n[data.sell_in]\nsource = "odd"\n')
    book = settings.workbook(toml)
    (finding,) = checks.findings(book).itertuples()
    assert (finding.table, finding.severity, finding.column) == ("sell_in", "error", "date")
    toml.write_text(toml.read_text() + '[data.sell_in.format]\ndate = "%d/%m/%Y"\n')
    assert data.require_period(settings.workbook(toml)) == PERIOD


# ---- SQLite --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sqlite(small_demo, tmp_path_factory):
    """Open the demo in a SQLite file, days as texts."""
    folder = tmp_path_factory.mktemp("sqlite")
    with sqlite3.connect(folder / "erp.db") as con:
        for name, file in tables(small_demo).items():
            rows = pq.read_table(file).to_pandas()
            for column in rows.select_dtypes("datetime"):
                rows[column] = rows[column].dt.strftime("%Y-%m-%d")
            rows.to_sql(f'The "{name}" of 2026', con, index=False)
    con.close()
    return book_at(folder, small_demo, "sqlite://erp.db", 'The "{}" of 2026')


@pytest.mark.parametrize("room", MONTHS)
def test_sqlite_gives_every_page_the_same(sqlite, expected, room):
    assert require_same(expected[room], MONTHS[room](sqlite)) > 100


@pytest.fixture
def lite(tmp_path, cache):
    """Write a SQLite file by SQL, and a toml that reads `sell_in` of it."""

    def open_(sql: str, table: str = 'source = "sales"', more: str = "") -> settings.Workbook:
        con = sqlite3.connect(tmp_path / "erp.db")
        con.executescript(sql)
        con.close()
        toml = tmp_path / "workbook.toml"
        toml.write_text(f'[data]\nengine = "sqlite://erp.db"\n[data.sell_in]\n{table}\n{more}')
        return settings.workbook(toml)

    return open_


SALES = "CREATE TABLE sales (dealer_id, date, revenue); INSERT INTO sales VALUES "
VALUES = {
    "whole": ("(7, '2026-10-30', 1)", ["7"], [1.0]),
    "text": ("('007', '2026-10-30', '1.50')", ["007"], [1.5]),
    "real_id": ("(7.0, '2026-10-30', 1.005)", ["7"], [1.01]),  # as it is written, not as it is
    "mixed": ("('a', '2026-10-30', 0.1), (7, '2026-10-30', '0.2')", ["7", "a"], [0.2, 0.1]),
    "exact": ("(7, '2026-10-30', 0.1), (7, '2026-10-29', 0.2)", ["7"], [0.3]),
    "slashes": ("(7, '2026/10/30', 1)", ["7"], [1.0]),
    "time": ("(7, '2026-10-31 23:59:59', 1)", ["7"], [1.0]),
    "chinese": ("('店', '2026-10-30', 1)", ["店"], [1.0]),
    "missing": ("(7, '2026-10-30', 1), (NULL, '2026-10-30', 5)", ["7"], [1.0]),
}


@pytest.mark.parametrize(("values", "ids", "revenue"), VALUES.values(), ids=VALUES)
def test_sqlite_values_are_read_as_they_stand(lite, values, ids, revenue):
    totals = data.dealer_totals(lite(SALES + values), PERIOD)
    assert totals["dealer_id"].tolist() == ids
    assert totals["revenue"].tolist() == revenue


REFUSED = {
    "no_table": ("", 'source = "sale"', "no table of the database; did you mean 'sales'?"),
    "unix_time": ("(7, 1793232000, 1)", 'source = "sales"', "hold(s)? no date"),
    "no_number": ("(7, '2026-10-30', 'x')", 'source = "sales"', "hold(s)? no amount, e.g. 'x'"),
    "twice": (
        "",
        "query = 'SELECT dealer_id, date, date, revenue FROM sales'",
        "two columns the name 'date'",
    ),
    "writes": ("", "query = 'DELETE FROM sales'", "must be a SELECT"),
    "leaves": ("", "query = 'SELECT load_extension(1) FROM sales'", "'load_extension'"),
    "pragma": ("", "query = 'SELECT * FROM pragma_database_list()'", "pragma_database_list"),
    "picture": ("(7, '2026-10-30', x'00')", 'source = "sales"', "no column 'revenue'"),
}


@pytest.mark.parametrize(("values", "table", "words"), REFUSED.values(), ids=REFUSED)
def test_sqlite_refuses_in_one_sentence(lite, values, table, words):
    book = lite(SALES + (values or "(7, '2026-10-30', 1)"), table)
    with pytest.raises(DataError, match=words) as told:
        data.prepare(book)
    assert len(str(told.value).splitlines()) == 1


def test_sqlite_takes_its_own_sql_and_expressions_of_duckdb(lite):
    query = """query = \"\"\"SELECT 'D' || shop AS dealer_id, date(day, 'unixepoch') AS "Day",
               price, pieces FROM sales -- all of it\"\"\""""
    more = "[data.sell_in.columns]\ndate = 'Day'\nrevenue = '\"price\" * \"pieces\"'\n"
    made = "CREATE TABLE sales (shop, day, price, pieces); INSERT INTO sales VALUES "
    book = lite(f"{made} (1, 1793232000, 2.5, 3)", query, more)
    totals = data.dealer_totals(book, PERIOD)
    assert totals[["dealer_id", "revenue"]].to_numpy().tolist() == [["D1", 7.5]]


def test_sqlite_rows_in_the_log_beside_it_are_read_and_noticed(lite, tmp_path):
    book = lite(f"PRAGMA journal_mode = WAL; {SALES} (7, '2026-10-30', 1)")
    con = sqlite3.connect(tmp_path / "erp.db")
    try:
        con.execute("PRAGMA wal_autocheckpoint = 0")
        before = data.fingerprint(book)
        con.execute("INSERT INTO sales VALUES (7, '2026-10-29', 2)")
        con.commit()
        assert data.fingerprint(book) != before
        assert data.dealer_totals(book, PERIOD)["revenue"].tolist() == [3.0]
    finally:
        con.close()


def test_files_may_lie_beside_sqlite(lite, tmp_path):
    (tmp_path / "shops.csv").write_text("dealer_id,dealer_name\n7,Seven\n", encoding="utf-8")
    book = lite(f"{SALES} (7, '2026-10-30', 1)", more='[data.dealers]\nsource = "shops.csv"\n')
    assert data.dealers(book)["dealer_name"].tolist() == ["Seven"]


def test_nothing_is_written_to_sqlite(lite, tmp_path):
    book = lite(f"{SALES} (7, '2026-10-30', 1)")
    before = (tmp_path / "erp.db").read_bytes()
    data.prepare(book)
    assert (tmp_path / "erp.db").read_bytes() == before
    assert sorted(file.name for file in tmp_path.glob("erp.db*")) == ["erp.db"]


# ---- what can't be done is said by name ----------------------------------------------------------

DRIVERS = {
    "mysql": "mysql://h/erp",
    "mssql": "mssql://h/erp",
    "oracle": "oracle://h/erp",
    "clickhouse": "clickhouse://h/erp",
    "trino": "trino://h/erp",
}


@pytest.mark.parametrize(("extra", "url"), DRIVERS.items(), ids=DRIVERS)
def test_a_missing_driver_is_named_with_how_to_get_it(tmp_path, cache, monkeypatch, extra, url):
    def missing(_url: str):
        raise ModuleNotFoundError("No module named 'driver_of_it'")

    monkeypatch.setattr(connections.ibis, "connect", missing)
    toml = tmp_path / "workbook.toml"
    toml.write_text(f'[data]\nengine = "{url}"\n[data.sell_in]\nsource = "sales"\n')
    with pytest.raises(DataError, match=f"driver_of_it.*ibis-framework.{extra}") as told:
        data.prepare(settings.workbook(toml))
    assert len(str(told.value).splitlines()) == 1


def test_a_question_that_an_engine_does_not_know_is_named():
    def unknown(expr, **_options):
        raise ibis.common.exceptions.OperationNotDefinedError("No translation rule for Median")

    lines = ibis.table({"a": "float64"}, name="lines")
    with pytest.raises(DataError, match=r"engine mysql://: it can't be asked this: .*Median.*Parq"):
        connections._compiled("mysql", unknown, lines)


def test_without_java_spark_says_so(monkeypatch):
    pytest.importorskip("pyspark", reason="pyspark is not installed (the extra `spark`)")
    if shutil.which("java") is None:
        pytest.skip("Java is not installed")
    from pyspark.sql import SparkSession

    from helpers.data import spark as door

    def fails(_builder):
        raise RuntimeError("[JAVA_GATEWAY_EXITED] Java gateway process exited")

    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(SparkSession.Builder, "getOrCreate", fails)
    with pytest.raises(DataError, match="Spark needs Java 17 or newer"):
        door.connect("pyspark://")
