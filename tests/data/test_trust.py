"""Trust: a stranger's workbook.toml reads the files it names and computes over them.

All else it may try is refused.

Each attack goes the real way, `settings.workbook` and `checks.findings`: it ends soon, in an error
that says where and what; nothing that it was after stands in the message or the cache, no file is
made and nobody is called.
"""

import contextlib
import datetime as dt
import glob
import http.server
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
import traceback
from decimal import Decimal
from pathlib import Path

import duckdb
import psutil
import pytest

from helpers import settings
from helpers.data import checks, connections, guard, limits, tables
from helpers.settings import DataError, engines, table_files

LINES = "dealer_id,date,revenue\n001,2026-01-02,1.00\n002,2026-01-03,2.00\n"
FILE, VARIABLE = "canary-of-a-file", "canary/of?a=variable"
MOST_SECONDS = 20  # on a busy machine; most end within one


@pytest.fixture(scope="module")
def caller():
    """Listen on the loopback and remember whoever calls."""
    called: list[str] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            called.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815 - the library's name

        def log_message(self, *_args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], called
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def laid(tmp_path_factory) -> Path:
    """Lay out, once, files that each attack gets a copy of: good data, and all that it is after."""
    folder = tmp_path_factory.mktemp("laid")
    (folder / "data.csv").write_text(LINES)
    (folder / "secret.txt").write_text(FILE)
    for kind in ("csv", "xml", "html", "csv.bz2", "7z", "orc"):
        (folder / f"secret.{kind}").write_text(f'{{"dealer_id": "{FILE}"}}\n' * 3)
    duckdb.sql(f"COPY (SELECT '{FILE}' AS dealer_id) TO '{folder}/secret.parquet'")
    return folder


@pytest.fixture(scope="module")
def databases(laid, tmp_path_factory) -> Path:
    """Make, once, database files whose views and macros reach for what is `laid` out."""
    folder = tmp_path_factory.mktemp("databases")
    with sqlite3.connect(folder / "lite.duckdb") as con:
        con.execute(f"CREATE TABLE t AS SELECT '{FILE}' AS dealer_id")
    with duckdb.connect(folder / "erp.duckdb") as con:
        con.execute(f"CREATE TABLE fine AS FROM '{laid}/data.csv'")
        for name, source in {
            "file": f"'{laid}/secret.txt'",
            "many": f"'{laid}/*.txt'",
            "environ": "'/proc/self/environ'",
        }.items():
            con.execute(
                f"CREATE VIEW read_{name} AS SELECT content AS dealer_id, '2026-01-01' AS date, "
                f"1 AS revenue FROM read_text({source})"
            )
        con.execute(f"CREATE VIEW replaced AS SELECT * FROM '{laid}/secret.parquet'")
        con.execute(
            "CREATE VIEW listed AS SELECT file AS dealer_id, '2026-01-01' AS date, 1 AS revenue "
            "FROM glob('/etc/*')"
        )
    with duckdb.connect(folder / "macros.duckdb") as con:
        con.execute(f"CREATE TABLE fine AS FROM '{laid}/data.csv'")
        con.execute(
            f"CREATE MACRO upper(x) AS (SELECT content FROM read_text('{laid}/secret.txt'))"
        )
        con.execute(f"CREATE MACRO round(x) AS TABLE SELECT * FROM read_text('{laid}/secret.txt')")
    return folder


@pytest.fixture
def place(laid, databases, tmp_path, cache, monkeypatch, caller) -> Path:
    """Lay out a folder with good data and with all that an attack is after.

    The working folder is another one.
    """
    folder, elsewhere = tmp_path / "book", tmp_path / "cwd"
    for where in (folder, elsewhere):
        shutil.copytree(laid, where)
        (where / "hostile").mkdir()
        (where / "hostile" / "__init__.py").write_text(f"open({str(tmp_path / 'made')!r}, 'w')")
    shutil.copytree(databases, folder, dirs_exist_ok=True)
    os.mkfifo(folder / "pipe.csv")
    os.mkfifo(folder / "pipe.duckdb")
    (folder / "folder.csv").mkdir()
    (folder / "zero.csv").symlink_to("/dev/zero")
    (folder / "environ.csv").symlink_to("/proc/self/environ")
    (folder / "loop.csv").symlink_to("loop.csv")
    (folder / "gone.csv").symlink_to("nowhere.csv")
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(folder)  # the path of a socket is short
        listening.bind("socket.csv")
    monkeypatch.chdir(elsewhere)
    monkeypatch.syspath_prepend(str(elsewhere))
    monkeypatch.setenv("SECRET", VARIABLE)
    monkeypatch.setenv("WORD", "canary-word")
    monkeypatch.setenv("SHORT", "q7")
    monkeypatch.setattr(connections, "READ_SECONDS", 3)
    caller[1].clear()
    yield folder
    connections.connection.cache_clear()


def told_of(toml: str, folder: Path) -> str:
    """Check a workbook the real way; give what is told, or "" where nothing is wrong."""
    path = folder / "workbook.toml"
    path.write_text(toml, encoding="utf-8")
    try:
        found = checks.findings(settings.workbook(path))
        return "\n".join(found.loc[found["severity"] == "error", "example"])
    except DataError as error:
        return "".join(traceback.format_exception(error)).partition("DataError: ")[2]


def everything(folder: Path) -> set[str]:
    return {
        str(path) for path in folder.rglob("*") if "cache" not in path.relative_to(folder).parts
    }


def require_refused(toml: str, place: Path, caller, *words: str) -> str:
    """Run an attack, and see to it that it is told by name and got nothing."""
    place.joinpath("workbook.toml").touch()
    before, began = everything(place.parent), time.monotonic()
    told = told_of(toml.replace("{folder}", str(place)).replace("{port}", str(caller[0])), place)
    assert told, "it was let through"
    assert time.monotonic() - began < MOST_SECONDS
    assert any(
        where in told
        for where in (
            "sell_in",
            "engine",
            "[data",
            "plan",
            "overrides",
            "workbook.toml",
            "[workbook]",
            "[para",
        )
    ), "it says where"
    for word in words:
        assert word in told
    for canary in (FILE, VARIABLE, "canary-word", "q7", *VARIABLE.split("/")):
        assert canary not in told
        for kept in place.parent.joinpath("cache").rglob("*"):
            assert kept.is_dir() or canary.encode() not in kept.read_bytes()
    assert everything(place.parent) == before, "it made a file"
    assert not caller[1], "it called somebody"
    return told


def engine(url: str, source: str = "source = 'data.csv'") -> str:
    return f"[data]\nengine = '''{url}'''\n[data.sell_in]\n{source}\n"


def query(sql: str, head: str = "") -> str:
    return f'{head}[data.files]\nraw = \'data.csv\'\n[data.sell_in]\nquery = """{sql}"""\n'


def column(sql: str) -> str:
    return f'[data.sell_in]\nsource = \'data.csv\'\n[data.sell_in.columns]\nrevenue = """{sql}"""\n'


def source(name: str) -> str:
    return f"[data.sell_in]\nsource = '''{name}'''\n"


# ---- native code: what an engine's URL may set ---------------------------------------------------

SETTINGS = {
    "unsigned": "allow_unsigned_extensions=true",
    "directory": "extension_directory={folder}",
    "unsigned_directory": "allow_unsigned_extensions=true&extension_directory={folder}",
    "repository": "autoinstall_extension_repository=http://127.0.0.1:{port}",
    "custom_repository": "custom_extension_repository=http://127.0.0.1:{port}",
    "autoinstall": "autoinstall_known_extensions=true",
    "autoload": "autoload_known_extensions=true",
    "community": "allow_community_extensions=true",
    "extensions": "extensions=httpfs",
    "mismatch": "allow_extensions_metadata_mismatch=true",
    "log": "log_query_path={folder}/made.log",
    "spill": "temp_directory={folder}/made",
    "home": "home_directory={folder}/made",
    "proxy": "http_proxy=127.0.0.1",
    "secrets": "secret_directory={folder}",
    "access": "enable_external_access=true",
    "lock": "lock_configuration=false",
    "write": "read_only=false",
    "mode": "access_mode=READ_WRITE",
    "paths": "allowed_directories=['/']",
    "search": "file_search_path={folder}",
    "encoded": "%61llow_unsigned_extensions=true",
    "upper": "MEMORY_LIMIT=1GB",
    "injected": "memory_limit=1GB';LOAD httpfs;--",
    "twice": "threads=1&threads=2",
    "threads": "threads=100000",
    "empty": "memory_limit=",
    "negative": "memory_limit=-1",
    "percent": "memory_limit=100%25",
}


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("file", ["", "erp.duckdb"], ids=["memory", "file"])
def test_duckdb_takes_a_short_list_of_settings(place, caller, setting, file):
    wanted = "source = 'fine'" if file else "source = 'data.csv'"
    told = require_refused(
        engine(f"duckdb://{file}?{setting}", wanted), place, caller, "engine duckdb://: the setting"
    )
    assert (
        "known are memory_limit, threads" in told
        or "is given twice, or not as it is written" in told
    )


@pytest.mark.parametrize(
    "settings_", ["", "?memory_limit=1GB", "?memory_limit=512MiB&threads=2", "?threads=1"]
)
def test_duckdb_takes_these(place, settings_):
    assert not told_of(engine(f"duckdb://{settings_}"), place)
    assert not told_of(engine(f"duckdb://erp.duckdb{settings_}", "source = 'fine'"), place)


def test_nothing_can_be_set_or_loaded_once_a_connection_stands(place):
    """Nor by our own code: what reads the kept tables is closed as well."""
    con = connections.connection("duckdb://", connections.CACHE)
    for sql in (
        "SET threads = 1",
        "LOAD httpfs",
        "INSTALL httpfs",
        "SET lock_configuration = false",
        "SET autoinstall_known_extensions = true",
        "FORCE INSTALL spatial FROM community",
    ):
        with pytest.raises(duckdb.Error):
            con.raw_sql(sql)
    shown = dict(con.raw_sql("SELECT name, value FROM duckdb_settings()").fetchall())
    assert {shown[name] for name in connections.CLOSED} == {"false"}


ENGINES = {
    "motherduck": "duckdb://md:mine",
    "motherduck_scheme": "md:mine",
    "capitals": "DUCKDB://",
    "file": "{folder}/x.duckdb",
    "parquet": "secret.parquet",
    "csv": "{folder}/secret.csv",
    "sqlite": "sqlite://{folder}/made.db",
    "sqlite_relative": "sqlite://made.db",
    "datafusion": "datafusion://",
    "polars": "polars://",
    "flink": "flink://",
    "unknown": "nosuch://me:canary-word@h/db",
    "module": "os://",
    "attribute": "duckdb.connect://",
    "empty": "",
    "pipe": "duckdb://pipe.duckdb",
    "zero": "duckdb:///dev/zero",
    "environ": "duckdb:///proc/self/environ",
    "folder": "duckdb://folder.csv",
    "sqlite_file": "duckdb://lite.duckdb",
    "text": "duckdb://secret.txt",
    "address": "duckdb://http://127.0.0.1:{port}/x.duckdb",
    "missing": "duckdb://made.duckdb",
    "fragment": "duckdb://#x",
    "prefix": "duckdb://sqlite:lite.duckdb",
    "quote": "duckdb://x' AS y; LOAD httpfs; --",
    "jars": "pyspark://?spark.jars=http://127.0.0.1:{port}/x.jar",
    "master": "pyspark://?spark.master=local[1]",
    "java": "pyspark://?spark.driver.extraJavaOptions=-javaagent:x.jar",
    "packages": "pyspark://?spark.jars.packages=a:b:1",
    "remote": "pyspark://?spark.remote=sc://127.0.0.1:{port}",
    "warehouse": "pyspark://{folder}/made",
    "passfile": "postgres://127.0.0.1:{port}/db?passfile={folder}/secret.txt",
    "key": "postgres://127.0.0.1:{port}/db?sslkey={folder}/secret.txt",
    "service": "postgres://h/db?service=x",
    "host": "postgres://h/db?host=127.0.0.1&port={port}",
    "options": "postgres://127.0.0.1:{port}/db?options=-c%20x=y",
    "postgresql": "postgresql://127.0.0.1:{port}/db?servicefile={folder}/secret.txt",
    "infile": "mysql://127.0.0.1:{port}/db?local_infile=1",
    "init": "mysql://127.0.0.1:{port}/db?init_command=x",
    "defaults": "mysql://127.0.0.1:{port}/db?read_default_file={folder}/secret.txt",
    "browser": "snowflake://a/db?authenticator=externalbrowser",
    "plugin": "snowflake://a/db?private_key_file=secret.txt",
    "odbc": "mssql://h/db?driver=x;Trusted=1",
    "odbc_more": "mssql://h/db?attrs_before=x",
    "oracle": "oracle://h/db?dsn=127.0.0.1",
    "trino": "trino://h/db?auth=x",
    "proxy": "clickhouse://h/db?http_proxy=x",
    "code": "clickhouse://h/db?secure=__import__('os')",
    "bigquery": "bigquery://p/d?auth_local_webserver=true",
    "conninfo": "postgres://h/host=127.0.0.1 port={port} passfile=x",
    "databricks": "databricks://?staging_allowed_local_path=/",
}


@pytest.mark.parametrize("url", ENGINES.values(), ids=ENGINES)
def test_an_engine_is_known_and_so_are_its_settings(place, caller, url):
    require_refused(engine(url, "source = 'fine'"), place, caller, "engine")


BESIDE = [
    "erp.duckdb.wal",
    "erp.duckdb.tmp",
    "erp.duckdb.wal.checkpoint",
    "erp.duckdb.checkpoint.wal",
    "erp.duckdb.wal.recovery",
]


def strange(kind: str, path: Path) -> None:
    """Lay down what is no plain file."""
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path.name)  # the path of a socket is short
    else:
        path.symlink_to(
            {"gone": "nowhere", "loop": path.name, "linked": "pipe.csv"}.get(kind, kind)
        )


@pytest.mark.parametrize("name", BESIDE)
@pytest.mark.parametrize(
    "kind", ["pipe", "socket", "/dev/zero", "/proc/self/environ", "linked", "gone", "loop"]
)
def test_what_lies_beside_a_database_is_plain_too(place, caller, name, kind):
    strange(kind, place / name)
    require_refused(engine("duckdb://erp.duckdb", "source = 'fine'"), place, caller, "engine ")


@pytest.mark.parametrize("name", BESIDE)
def test_so_is_what_lies_beside_a_database_that_a_link_leads_to(place, caller, name):
    (place / "linked.duckdb").symlink_to(place / "erp.duckdb")
    strange("pipe", place / name)
    require_refused(engine("duckdb://linked.duckdb", "source = 'fine'"), place, caller, "a pipe")


def test_a_database_with_what_duckdb_lays_beside_it_is_read(place):
    with duckdb.connect(place / "erp.duckdb") as con:
        con.execute("SET wal_autocheckpoint = '1GB'")
        con.execute("INSERT INTO fine VALUES ('003', '2026-01-04', '3.00')")
        shutil.copy(place / "erp.duckdb", place / "copy.duckdb")
        shutil.copy(place / "erp.duckdb.wal", place / "log")
    (place / "copy.duckdb.wal").symlink_to("log")
    (place / "copy.duckdb.tmp").mkdir()
    (place / "copy.duckdb.bak").write_text("an old one")
    (place / "workbook.toml").write_text(engine("duckdb://copy.duckdb", "source = 'fine'"))
    book = settings.workbook(place)
    assert tables.table(book, "sell_in").revenue.sum().execute() == Decimal("6.00")


def test_a_pipe_that_came_later_ends_with_the_limit(place):
    """Opening it waits for ever, and nothing interrupts that."""
    os.mkfifo(place / "erp.duckdb.wal")
    toml = engine("duckdb://erp.duckdb", "source = 'fine'")
    unseen = (
        "settings.require_plain_database = settings.engines.require_plain_database = "
        "lambda *_: None"
    )
    with command_of(place, toml, 1, unseen) as asked:
        _out, err = asked.communicate(timeout=120)
    assert asked.returncode == 2
    assert err.startswith("workbook: sell_in: fine was not read in 1 seconds")


@pytest.mark.parametrize("view", ["read_file", "read_many", "read_environ", "replaced", "listed"])
@pytest.mark.parametrize(
    "by", ["source = '{}'", "query = 'select * from {}'", "query = 'select * from main.{}'"]
)
def test_a_view_of_a_foreign_database_opens_no_file(place, caller, view, by):
    require_refused(engine("duckdb://erp.duckdb", by.format(view)), place, caller, "sell_in")


def test_a_macro_of_a_foreign_database_opens_no_file(place, caller):
    macro = "query = 'select upper(dealer_id) as dealer_id, date, revenue from fine'"
    for asked in (macro, "query = 'from round(1)'", "source = 'fine'"):
        told = require_refused(engine("duckdb://macros.duckdb", asked), place, caller, "engine ")
        assert "has 'round' mean something else than DuckDB does; drop that macro" in told


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE MACRO trim(x) AS current_setting('temp_directory')",
        "CREATE MACRO TRY_STRPTIME(x, y) AS current_setting('temp_directory')",
        "CREATE MACRO main.left(x, n) AS x",
        "CREATE SCHEMA s; CREATE MACRO s.left(x, n) AS x",
        "CREATE MACRO range(n) AS TABLE SELECT * FROM duckdb_settings()",
        "CREATE MACRO duckdb_functions() AS TABLE SELECT 1",
        "CREATE MACRO duckdb_columns() AS TABLE SELECT 1",
        "CREATE TYPE json AS variant",
    ],
)
def test_a_database_redefines_nothing_of_duckdb(place, caller, sql):
    """Our own SQL would mean another thing in it."""
    with duckdb.connect(place / "erp.duckdb") as con:
        con.execute(sql)
    require_refused(
        engine("duckdb://erp.duckdb", "source = 'fine'"), place, caller, "mean something else"
    )


TOLD_BY = [
    *(
        f"select {column} as dealer_id, '2026-01-01' as date, 1 as revenue from {read}"
        for column, read in {
            "name || '=' || value": "duckdb_settings()",
            "path": "duckdb_databases()",
            "function_name": "duckdb_functions()",
            "extension_name": "duckdb_extensions()",
            "database_size": "pragma_database_size()",
            "table_name": "information_schema.tables",
            "name || short_desc": "pg_catalog.pg_settings",
            "value": "fine, range(3), duckdb_settings()",
        }.items()
    ),
    "select current_setting('temp_directory') as dealer_id, date, revenue from fine",
    "select current_database() as dealer_id, date, revenue from fine",
    "select json_contains(dealer_id, '1') as dealer_id, date, revenue from fine",
    "select levenshtein(dealer_id, dealer_id) as dealer_id, date, revenue from fine",
    "select dealer_id::json::variant::varchar as dealer_id, date, revenue from fine",
    "select own(dealer_id) as dealer_id, date, revenue from fine",
    "select mine as dealer_id, '2026-01-01' as date, 1 as revenue from computed",
    "from hidden",
    "with x as (from hidden) from x",
    "select * from fine union all from hidden",
    "select (select max(dealer_id) from hidden) as dealer_id, date, revenue from fine",
    "from s.deeper",
]
NAMES = ["v", '"v AS SELECT 1 --"', 's."a.b"', '"CREATE VIEW v AS SELECT 1; --"', '"say ""v"""']


def foreign(place: Path, name: str, sql: str, columns: str = "") -> str:
    """Lay a view into the database; give its name as `source` writes it."""
    with duckdb.connect(place / "erp.duckdb") as con:
        con.execute(f"""
            CREATE SCHEMA s;
            CREATE VIEW hidden AS SELECT value AS dealer_id, '2026-01-01' AS date, 1 AS revenue
                FROM duckdb_settings();
            CREATE VIEW s.deep AS FROM main.hidden;
            CREATE VIEW s.deeper AS FROM s.deep;
            CREATE VIEW open AS FROM fine;
            CREATE MACRO own(x) AS current_setting('temp_directory') || x;
            CREATE TABLE computed (a INT, mine VARCHAR AS (current_setting('temp_directory')));
            INSERT INTO computed VALUES (1);
            CREATE VIEW {name}{columns} AS {sql}
        """)
    return name.replace('""', "\0").replace('"', "").replace("\0", '"')


@pytest.mark.parametrize("sql", TOLD_BY)
def test_a_view_of_a_foreign_database_says_what_a_query_may(place, caller, sql):
    foreign(place, "v", sql)
    for by in ("source = 'v'", "query = 'from v'", "query = 'with x as (from erp.main.v) from x'"):
        require_refused(engine("duckdb://erp.duckdb", by), place, caller, "of the database")


@pytest.mark.parametrize("name", NAMES)
def test_however_it_is_called(place, caller, name):
    source_ = foreign(place, name, TOLD_BY[0])
    for by in (f"source = '''{source_}'''", f"query = '''from {name}'''"):
        if by.startswith("query") or name in ("v", NAMES[-1]):
            require_refused(engine("duckdb://erp.duckdb", by), place, caller, "of the database")


def test_a_column_that_is_computed_says_what_a_query_may(place, caller):
    foreign(place, "v", "from fine")
    with duckdb.connect(place / "erp.duckdb") as con:
        con.execute(
            "CREATE TABLE leak (dealer_id VARCHAR AS (current_setting('temp_directory')), date "
            "VARCHAR, revenue INT); INSERT INTO leak VALUES ('2026-01-01', 1)"
        )
        con.execute(
            "CREATE TABLE sums (dealer_id VARCHAR, date VARCHAR, a INT, revenue INT AS (a * 2)); "
            "INSERT INTO sums VALUES ('1', '2026-01-01', 1)"
        )
    for by in ("source = 'leak'", "query = 'from leak'"):
        require_refused(engine("duckdb://erp.duckdb", by), place, caller, "current_setting")
    assert not told_of(engine("duckdb://erp.duckdb", "source = 'sums'"), place)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("from fine", ""),
        ("from open", '(dealer_id, "date", revenue)'),
        ("with z as (from main.fine) select dealer_id, date, revenue from z union all from z", ""),
        ("select f.* from fine f, unnest(['a', 'b AS c']) t(x) where x = 'a'", ""),
        ("values ('a', '2026-01-01', '1')", "(dealer_id, date, revenue)"),
    ],
)
def test_an_honest_view_is_read(place, name, sql, columns):
    foreign(place, name, sql, columns)
    told = told_of(engine("duckdb://erp.duckdb", f"query = '''from {name}'''"), place)
    assert not told


# ---- files: what a query may read ----------------------------------------------------------------

READS = [
    "read_text('{folder}/secret.txt')",
    "read_blob('{folder}/secret.txt')",
    "read_csv('{folder}/secret.csv')",
    "read_csv_auto('{folder}/secret.csv')",
    "read_parquet('{folder}/secret.parquet')",
    "parquet_scan('{folder}/secret.parquet')",
    "read_json('{folder}/secret.json')",
    "read_json_auto('{folder}/secret.json')",
    "read_json_objects('{folder}/secret.json')",
    "read_ndjson('{folder}/secret.ndjson')",
    "read_ndjson_objects('{folder}/secret.ndjson')",
    "glob('{folder}/*')",
    "read_duckdb('{folder}/erp.duckdb', table_name = 'fine')",
    "sniff_csv('{folder}/secret.csv')",
    "parquet_metadata('{folder}/secret.parquet')",
    "parquet_schema('{folder}/secret.parquet')",
    "parquet_file_metadata('{folder}/secret.parquet')",
    "parquet_kv_metadata('{folder}/secret.parquet')",
    "query('from read_text(''{folder}/secret.txt'')')",
    "query_table('{folder}/secret.csv')",
    "query_table(['secret.csv', 'data.csv'])",
    "duckdb_settings()",
    "duckdb_secrets()",
    "duckdb_extensions()",
    "duckdb_functions()",
    "duckdb_logs()",
    "duckdb_variables()",
    "pragma_table_info('raw')",
    "pragma_user_agent()",
    "json_execute_serialized_sql(json_serialize_sql('from raw'))",
    "which_secret('s3://x', 's3')",
    "repeat_row(1)",
    "arrow_scan(1, 2, 3)",
    "pandas_scan(1)",
    "seq_scan('raw')",
    "test_all_types()",
    "histogram('raw', 'x')",
    "read_text('http://127.0.0.1:{port}/x')",
    "read_csv('s3://bucket/x.csv')",
    "READ_TEXT('{folder}/secret.txt')",
    '"read_text"($${folder}/secret.txt$$)',
    "main.read_text(E'{folder}/\\\\x73ecret.txt')",
    "st_read('x')",
    "system.main.read_text('{folder}/secret.txt')",
    "sqlite_scan('{folder}/lite.duckdb', 't')",
    "postgres_scan('host=127.0.0.1', 'public', 't')",
    "shellfs('id |')",
]
PLACES = [
    "select 1 from raw a join raw b on a.date in (from {})",
    "select 1 from raw a asof join {} b on a.date >= b.x",
    "select 1 from raw semi join {} using (x)",
    "select 1 from raw positional join {}",
    "select {'a': (from {})}",
    "select distinct on ((select 1 from {})) 1",
    "select list(1 order by (select 1 from {})) from raw",
    "select struct_pack(a := (select 1 from {}))",
    "select array(select 1 from {})",
    "select [(select 1 from {})]",
    "select ((select 1 from {}), 2)",
    "select 1 between 0 and (select 1 from {})",
    "select 1 in (1, (select 1 from {}))",
    "select cast((select 1 from {}) as int)",
    "select 1 from raw group by grouping sets (((select 1 from {})))",
    "select 1 limit (select 1 from {}) %",
    "select 1 offset (select 1 from {})",
    "select 1 union by name from {}",
    "select (select 1 from {}) collate nocase",
    "from raw tablesample 1% union from {}",
    "select columns(x -> exists (from {})) from raw",
    "select * from (unpivot (from {}) on x)",
    "select * from (pivot raw on date in (select 1 from {}))",
    "select case (select 1 from {}) when 1 then 2 end",
    "select case when true then 1 else (select 1 from {}) end",
    "select quantile_cont(1, (select 1 from {})) from raw",
    "select any_value(1) within group (order by (select 1 from {}))",
    "select lag(1, (select 1 from {})) over () from raw",
    "select 1 having (select true from {})",
    "select sum(1) over (rows between (select 1 from {}) preceding and current row) from raw",
    "select * exclude (date), (from {}) from raw",
    "select (from {}).content",
    "select a.b[(select 1 from {})] from raw",
    "select 'x'::enum (select content from {})",
    "from unnest((select [content] from {}))",
    "from range((select 1 from {}))",
    "with a(x) as (with b as (from {}) from b) from a",
    "from (values (1), ((select 1 from {}))) v",
    "select try((select 1 from {}))",
    "select date '2026-01-01' + interval ((select 1 from {})) day",
    "table {}",
    "select * from {}",
    "from {}",
    "select * from raw, {}",
    "select * from raw, lateral {}",
    "from raw r, lateral {} x",
    "select * from raw join {} on true",
    "select * from raw left join lateral {} on true",
    "with x as (from {}) select * from x",
    "with x as materialized (select * from {}) select 1",
    "select * from raw where exists (from {})",
    "select (select count(*) from {}) from raw",
    "select * from raw where date in (select 1 from {})",
    "select 1 union all from {}",
    "from (from (from {}))",
    "select * from (pivot (from {}) on date in (1) using count(*))",
    "select 1 from raw order by (select 1 from {})",
    "select list_transform([1], x -> (select 1 from {}))",
    "select case when true then (select 1 from {}) end",
    "select 1 from raw group by (select 1 from {})",
    "select 1 limit (select 1 from {})",
    "select sum(1) filter (exists (from {})) from raw",
    "select sum(1) over (order by (select 1 from {})) from raw",
    "select 1 qualify (select 1 from {}) > 0",
    "values ((select 1 from {}))",
    "select * replace ((select 1 from {}) as date) from raw",
    "from raw /* '*/ , {} -- '",
    "select $$ '$$, * from {}",
    "select '--', * from {} --",
    "from raw;from {}",
    "select 'it''s', * from raw, {}",
    'select 1 as "a""b", * from {}',
    "select 1\u00a0from {}",
    "select e'\\\\'', * from {}",
]


@pytest.mark.parametrize("read", READS)
def test_a_query_reads_by_no_function(place, caller, read):
    require_refused(query(f"select * from raw, lateral {read}"), place, caller, "sell_in: ")


@pytest.mark.parametrize("sql", PLACES)
def test_wherever_in_a_query_a_function_stands(place, caller, sql):
    require_refused(query(sql.replace("{}", READS[0])), place, caller, "sell_in: ")


@pytest.mark.parametrize("sql", PLACES)
def test_each_of_them_in_each_place(sql):
    for read in READS:
        with pytest.raises(DataError):
            guard.require_query("sell_in", sql.replace("{}", read), [("", "raw")])


@pytest.mark.parametrize(
    "read", [*READS[:14], "read_text('http://127.0.0.1:{port}/x')", "'{folder}/secret.csv'"]
)
def test_a_second_wall_stands_behind_the_guard(place, caller, monkeypatch, read):
    monkeypatch.setattr(guard, "require_query", lambda *_args: None)
    require_refused(query(f"select * from raw, lateral (from {read})"), place, caller, "sell_in: ")


def test_the_second_wall_lets_nothing_out(place, caller, monkeypatch):
    monkeypatch.setattr(guard, "require_query", lambda *_args: None)
    for sql in (
        "COPY (SELECT 1) TO '{folder}/made'",
        "ATTACH '{folder}/made.db'",
        "SET threads = 1",
        "INSTALL httpfs",
    ):
        require_refused(query(f"from raw); {sql}; select (1"), place, caller, "sell_in: ")


NAMED = [
    "'{folder}/secret.csv'",
    '"{folder}/secret.csv"',
    "'secret.csv'",
    '"secret.csv"',
    "secret.csv",
    "'secret.tsv'",
    "'secret.json'",
    "'secret.parquet'",
    'main."secret.csv"',
    '"secret"."csv"',
    "$$secret.csv$$",
    "'secret.csv.zst'",
    "E'secret.csv'",
    "'*.csv'",
    "'http://127.0.0.1:{port}/x.csv'",
    "'s3://b/x.parquet'",
    "'hf://datasets/x/y.csv'",
    "'file:secret.csv'",
    "'{folder}/erp.duckdb'",
    "'md:x'",
    '"secret.csv" tablesample 1 rows',
    "raw, 'secret.csv'",
    "(values (1)) v, 'secret.csv'",
    'raw as "secret.csv", "secret.csv"',
    "'SECRET.CSV'",
    "'./secret.csv'",
    "'secret.csv ' ",
    "('secret.csv')",
]


@pytest.mark.parametrize("name", NAMED)
def test_a_query_reads_by_no_name_but_the_declared_ones(place, caller, name):
    require_refused(query(f"select * from {name}"), place, caller, "sell_in: ")


@pytest.mark.parametrize(
    "sql",
    [
        'with "secret.csv" as (select 1 as x) select * from (select 1), "secret.csv"',
        (
            'select * from (with "secret.csv" as (select 1) select * from "secret.csv") a, '
            '"secret.csv" b'
        ),
        "with raw as (select * from 'secret.csv') select * from raw",
        "select * from information_schema.tables",
        "select * from duckdb_settings",
        "select * from sqlite_master",
        "select * from pg_catalog.pg_settings",
        "select * from raw_sell_in",
        "select * from temp.raw",
        "select * from system.main.duckdb_tables",
        "show raw",
        "from (show tables)",
        "from (describe raw)",
        "from (summarize raw)",
        "describe raw",
        "summarize raw",
        "explain from raw",
        "explain analyze from raw",
        "select 1; select 2",
        "copy raw to '{folder}/made.csv'",
        "copy (select 1) to 'made'",
        "attach '{folder}/made.db'",
        "attach '{folder}/erp.duckdb' as e",
        "install httpfs",
        "load httpfs",
        "force install x from 'http://127.0.0.1:{port}'",
        "set threads = 1",
        "pragma database_list",
        "create table x as select 1",
        "create macro f() as 1",
        "call pragma_version()",
        "export database '{folder}/made'",
        "import database '{folder}'",
        "prepare x as select 1",
        "execute x",
        "checkpoint",
        "use system",
        "begin",
        "vacuum",
        "drop view raw",
        "insert into raw values (1)",
        "delete from raw",
        "pivot raw on date",
        "from raw; copy (select 1) to '{folder}/made'",
        "select 1) to '{folder}/made' (format csv) --",
        "select 1) (select 2",
        "select 1 from raw) select * from (select 2",
        "select 1 /*",
        "select ?",
        "select $1",
        "select $name",
        "select #1 from raw",
        "select * from raw at (version => 1)",
        "create secret (type s3)",
        "comment on view raw is 'x'",
        "select 1 into x",
        "with x as (insert into raw values (1) returning *) from x",
        "merge into raw using raw on true",
    ],
)
def test_a_query_is_one_select_over_declared_tables(place, caller, sql):
    require_refused(query(sql), place, caller, "sell_in: ")


FUNCTIONS = [
    "getenv('SECRET')",
    "current_setting('temp_directory')",
    "current_setting('access_mode')",
    "getvariable('x')",
    "nextval('x')",
    "currval('x')",
    "current_query()",
    "current_database()",
    "current_schemas(true)",
    "version()",
    "read_text('{folder}/secret.txt')",
    "write_log('x')",
    "pg_sleep(60)",
    "sleep_ms(60000)",
    "repeat('x', 1000000000)",
    "range(1000000000)",
    "generate_series(1, 1000000000)",
    "lpad('x', 1000000000, 'x')",
    "rpad('x', length(date), 'x')",
    "list_resize([1], 1000000000)",
    "array_resize([1], 1000000000)",
    "printf('%1000000000d', 1)",
    "error('x')",
    "format('{{:1000000000}}', 1)",
    "bar(1, 0, 1, 1000000000)",
    "random()",
    "setseed(0.5)",
    "uuid()",
    "nosuch(1)",
    "json_serialize_sql('select 1')",
    "json_deserialize_sql('{{}}')",
    "json_serialize_plan('select 1')",
    "txid_current()",
    "main.getenv('SECRET')",
    '"getenv"($$SECRET$$)',
    "GETENV('SECRET')",
    "('SECRET').getenv()",
    "list_transform(['SECRET'], x -> getenv(x))",
    "bitstring('1', 1000000000)",
    "equi_width_bins(0, 1, 1000000000, true)",
    "parse_duckdb_log_message('x', 'y')",
    "in_search_path('x', 'y')",
]


@pytest.mark.parametrize("call", FUNCTIONS)
@pytest.mark.parametrize("kind", ["query", "column"])
def test_a_function_computes_a_value_from_values_and_nothing_else(place, caller, call, kind):
    toml = (
        column(call)
        if kind == "column"
        else query(f"select dealer_id, date, {call} as revenue from raw")
    )
    require_refused(toml, place, caller, "sell_in")


DEEP = {
    "array": "replace(lpad('', 1000, 'a'), 'a', lpad('', 300, '['))",
    "object": """replace(lpad('', 1000, 'a'), 'a', replace(lpad('', 300, 'a'), 'a', '{{"a":'))""",
    "written": f"'{'[' * 20_000}'",
    "of_the_data": "dealer_id",
}
RECURSES = [
    *("json_contains({}, '1')", "json_contains('1', {})", "json_contains({}::json, {}::json)"),
    *("json_transform({}, '[\"JSON\"]')", "json_transform('1', {})", "({}).json_transform('1')"),
    *("json_transform_strict('1', {})", "from_json('1', {})", "from_json_strict({}, {})"),
    *("JSON_CONTAINS({}, '1')", "main.json_contains({}, '1')", "json_array({}).json_contains('1')"),
    *("{}::json::variant", "cast({} as VARIANT)", "try_cast({} as variant[])", "{}::a.variant"),
    *("{}::struct(a int, b variant)", "{}::map(int, variant)", '{}::"Variant"'),
    *("{}::nosuch", "{}::main.mood", "{}::mood[]", "{}::struct(a mood)"),
    "list_transform([1], x -> json_contains({}, x))",
]


@pytest.mark.parametrize("call", RECURSES)
@pytest.mark.parametrize("kind", ["query", "column"])
def test_what_calls_itself_for_each_bracket_is_refused(place, caller, call, kind):
    """DuckDB crashes on a text with many; no message comes out of a process that is gone."""
    for text in DEEP.values():
        sql = call.replace("{}", text.replace("{{", "{"))
        toml = (
            column(sql)
            if kind == "column"
            else query(f"select dealer_id, date, {sql} as revenue from raw")
        )
        require_refused(toml, place, caller, "sell_in")


def test_no_function_of_json_that_is_taken_crashes():
    """Each of them, over texts of many brackets, in a process that may end as it likes."""
    code = """
        import duckdb
        from helpers.data import guard
        con = duckdb.connect()
        for brackets in ("[]", '{"a":}'):
            opened, closed = brackets[:-1] * 300_000, brackets[-1] * 300_000
            con.execute("CREATE OR REPLACE TABLE deep AS SELECT ? AS t", [opened + "1" + closed])
            names = sorted(name for name in guard.FUNCTIONS if "json" in name)
            calls = [f"{name}({given})" for name in names
                     for given in ("t", "t::json", "t, t", "t, '$[*]'", "'1', t", "[t::json]")]
            calls += [f"t::json::{kind}" for kind in
                      ("varchar", "int[]", "json[]", "struct(a json)", "map(varchar, json)")]
            for call in calls:
                try:
                    con.execute(f"SELECT length(({call})::varchar) FROM deep").fetchall()
                except duckdb.Error:
                    pass
        print("done")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


LONG_TEXT = "replace(lpad('', 1000, 'a'), 'a', lpad('', 300, 'b'))"


@pytest.mark.parametrize("name", sorted(guard.COMPARING))
@pytest.mark.parametrize(
    "given",
    [
        "{long}, {long}",
        "{long}, dealer_id",
        "left({long}, 5), {long}",
        "left({long}, -1), left({long}, -1)",
        "left({long}, 201), 'x'",
        "left({long}, length(date)), 'x'",
        "left({long}, 2 * 100000), 'x'",
        f"'{'x' * 201}', 'x'",
        "upper(left({long}, 5)), 'x'",
    ],
)
def test_a_comparison_letter_by_letter_takes_short_texts(place, caller, name, given):
    """One of 300,000 letters with another takes minutes, in one call that nothing interrupts."""
    call = f"{name}({given.replace('{long}', LONG_TEXT)})"
    require_refused(column(call), place, caller, f"write left(…, {guard.MAX_COMPARED})")


@pytest.mark.parametrize("name", sorted(guard.COMPARING))
def test_short_texts_are_compared(place, name):
    for given in ("left(dealer_id, 200), 'x'", "'abc', 'abd'", "left(date, 7), left(revenue, 3)"):
        assert not told_of(column(f"round({name}({given}), 2)"), place)


@pytest.mark.parametrize(
    "sql",
    [
        "list_sum(list_transform([1], x -> list_sum(list_transform([2], y -> x * y))))",
        "list_sum(list_transform([1], lambda x: list_sum(list_transform([2], lambda y: x * y))))",
        "list_reduce([1], (a, b) -> a + len(list_filter([1], x -> x > a)))",
        "list_sum([list_sum([x * y for y in [1]]) for x in [1]])",
        "len(list_filter([1], x -> len(list_transform([1], y -> x)) > (x -> '$.a')))",
    ],
)
def test_a_loop_within_a_loop_is_refused(place, caller, sql):
    require_refused(column(sql), place, caller, "a lambda within a lambda")


@pytest.mark.parametrize(
    "sql",
    [
        "(select 1)",
        "exists (from raw_sell_in)",
        "revenue in (select content from read_text('{folder}/secret.txt'))",
        "1) , (select 1",
        "revenue -- ",
        "revenue /*",
        "revenue, 2",
        "revenue from 'secret.csv'",
        "1; select 2",
        "* ",
        "columns('r.*')",
        "revenue as x",
        "distinct revenue",
        "revenue limit 1",
        "?",
        "sum(revenue) over (order by (select 1))",
        "array(select 1)",
        "list_transform([1], x -> (select 1))",
        "CASE WHEN (SELECT true) THEN revenue END",
        "revenue union select 1",
        "unnest((select 1))",
        "raw_sell_in.* ",
        "revenue) from raw_sell_in; copy (select 1) to '{folder}/made",
        "$$x$$ from 'secret.csv'",
        "#1",
    ],
)
def test_an_expression_stays_within_its_table(place, caller, sql):
    require_refused(column(sql), place, caller, "sell_in.revenue: ")


# ---- files: what a source may be -----------------------------------------------------------------

SOURCES = {
    "pipe": ("pipe.csv", "is no plain file but a pipe"),
    "socket": ("socket.csv", "is no plain file but a socket"),
    "folder": ("folder.csv", "is no plain file but a folder"),
    "folders": ("*er.csv", "is no plain file but a folder"),
    "zero": ("zero.csv", "is no plain file but a device"),
    "environ": ("environ.csv", "is no file on disk"),
    "proc": ("/proc/self/environ", "is no file on disk"),
    "stdin": ("/dev/stdin", ""),
    "tty": ("/dev/tty", ""),
    "random": ("/dev/urandom", "is no plain file but a device"),
    "pattern_pipe": ("pip*.csv", "is no plain file but a pipe"),
    "sys": ("/sys/kernel/notes", ""),
    "loop": ("loop.csv", "can't be read"),
    "gone": ("gone.csv", "can't be read"),
    "long": ("x" * 5000 + ".csv", "no file"),
    "nul": ("a\\u0000.csv", "NUL"),
    "user": ("~nosuchuser/x.csv", "no such user"),
    "xml": ("secret.xml", "save it as one of .csv, .tsv, .txt"),
    "html": ("secret.html", "save it as one of"),
    "bz2": ("secret.csv.bz2", "save it as one of"),
    "seven": ("secret.7z", "save it as one of"),
    "orc": ("secret.orc", "save it as"),
    "passwd": ("/etc/passwd", "save it as one of"),
    "no_ending": ("secret", "is no file"),
    "table": ("main.secret", "is no file"),
    "strange": ("secret.csvx", "is no file"),
    "http": ("http://127.0.0.1:{port}/x.csv", "is an address"),
    "s3": ("s3://bucket/x.parquet", "is an address"),
    "file_url": ("file:///etc/passwd", "is an address"),
    "sftp": ("sftp:x.csv", "is an address"),
    "everywhere": ("/**/*.nosuch.csv", "name a folder nearer"),
    "everywhere_twice": ("/**/**/**/*.nosuch.csv", "name a folder nearer"),
    "stars": ("/*/*/*/*/*/*/*/x.csv", ""),
    "out": ("package:helpers/../../x.csv", "leads out of the package"),
    "out_back": ("package:helpers/..\\\\x.csv", "leads out"),
    "absolute": ("package:helpers//etc/x.csv", "leads out"),
    "runs": ("package:hostile/x.csv", "no file"),
    "runs_dotted": ("package:hostile.sub/x.csv", "is not installed"),
    "main": ("package:__main__/x.csv", "is not installed"),
    "package_itself": ("package:helpers/.", ""),
    "quote": ("x' || getenv('SECRET') || '.csv", "no file"),
    "injected": ("x.csv']); COPY (SELECT 1) TO '{folder}/made'; --.csv", "no file"),
    "identifier": ('data"."csv" ; DROP TABLE x; --', "is no file"),
}


@pytest.mark.parametrize(("name", "words"), SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("declared", [False, True], ids=["source", "files"])
def test_a_source_is_a_plain_file_of_a_known_kind(
    place, caller, monkeypatch, name, words, declared
):
    monkeypatch.setattr(table_files, "MAX_LOOKED_AT", 3_000)
    quote = '"' if "\\" in name else "'''"
    toml = f"[data.sell_in]\nsource = {quote}{name}{quote}\n"
    if declared:
        toml = (
            f"[data.files]\nf = {quote}{name}{quote}\n[data.sell_in]\nquery = 'select * from f'\n"
        )
        words = "" if words == "is no file" else words
    require_refused(toml, place, caller, words)


@pytest.mark.parametrize("name", ["plan.csv", "overrides.csv"])
def test_what_lies_beside_the_toml_is_a_plain_file_too(place, caller, name):
    os.mkfifo(place / name)
    require_refused(source("data.csv"), place, caller, "is no plain file but a pipe")


def test_the_toml_itself_is_a_plain_file(place):
    os.mkfifo(place / "pipe.toml")
    (place / "large.toml").write_text("#" * 2_000_000)
    (place / "deep.toml").write_text("a = " + "[" * 50_000)
    for name, words in {
        "pipe.toml": "a pipe",
        "large.toml": "are no workbook.toml",
        "deep.toml": "no TOML",
    }.items():
        with pytest.raises(DataError, match=words):
            settings.workbook(place / name)
    for name in ("/dev/zero", "/proc/self/environ"):
        with pytest.raises(DataError, match="is no "):
            settings.workbook(name)


def test_links_are_followed_to_plain_files(place):
    (place / "elsewhere").mkdir()
    shutil.move(place / "data.csv", place / "elsewhere" / "blob")
    (place / "linked.csv").symlink_to(place / "elsewhere" / "blob")
    assert not told_of(source("linked.csv"), place)


@pytest.mark.parametrize(
    "name",
    [
        "../book/data.csv",
        "./data.csv",
        ".//data.csv",
        "a/../data.csv",
        "{folder}/data.csv",
        "{folder}/../book//data.csv",
        "~/data.csv",
        "dat?.csv",
        "../*/data.csv",
        "${HERE}/data.csv",
        "${HERE}//../book/d*.csv",
        "it's [1] 50% ü 数据.csv",
        "a*b?.csv",
        "link/data.csv",
    ],
)
def test_a_file_is_opened_however_its_path_is_written(place, monkeypatch, name):
    monkeypatch.setenv("HERE", str(place))
    monkeypatch.setenv("HOME", str(place))
    (place.parent / "cwd" / "data.csv").unlink()
    (place / "a").mkdir()
    (place / "link").symlink_to(place)
    for other in ("it's [1] 50% ü 数据.csv", "a*b?.csv"):
        (place / other).write_text(LINES)
    name = name.replace("{folder}", str(place))
    assert not told_of(f'[data.sell_in]\nsource = "{name}"\n', place)
    assert not told_of(f'[data.files]\nf = "{name}"\n[data.sell_in]\nquery = "from f"\n', place)


@pytest.mark.parametrize(
    "pattern",
    [
        "*.csv",
        "**/*.csv",
        "a/*/x[12].csv",
        "?/b/x1.csv",
        "**/b/**/*.csv",
        "a/**/x?.csv",
        "[!b]/b/*",
        ".h*/*.csv",
        "**/**/x1.csv",
        "./a/../a/b/x1.csv",
    ],
)
def test_a_pattern_means_what_it_means_to_glob(tmp_path, pattern):
    for name in (
        "x1.csv",
        "a/x1.csv",
        "a/b/x1.csv",
        "a/b/x2.csv",
        "a/b/c/x3.csv",
        "b/b/x1.csv",
        ".h/x1.csv",
        "a/.x1.csv",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    expected = {Path(name) for name in glob.glob(f"{tmp_path}/{pattern}", recursive=True)}  # noqa: PTH207
    assert table_files.matching(f"{tmp_path}/{pattern}") == expected
    assert expected


@pytest.mark.parametrize(
    "name", ["x = 1; import os", "k\\nimport os; x", "k: int", "", "k#", "__import__('os')", "k, k"]
)
def test_the_name_of_a_parameter_is_no_line_of_python(place, caller, name):
    require_refused(
        source("data.csv") + f'[parameters.abc_pareto]\n"{name}" = 1\n',
        place,
        caller,
        "[parameters.abc_",
    )


# ---- environment ---------------------------------------------------------------------------------

LEAKS = {
    "source": source("${SECRET}/x.csv"),
    "only": source("${SECRET}"),
    "word": source("${WORD}"),
    "kind": source("secret.${WORD}"),
    "folder": source("../${WORD}.csv"),
    "pattern": source("${WORD}/*.csv"),
    "home": source("~${WORD}/x.csv"),
    "package": source("package:${WORD}/x.csv"),
    "inside": source("package:helpers/${WORD}"),
    "files": "[data.files]\nf = '${WORD}.csv'\n[data.sell_in]\nquery = 'from f'\n",
    "address": source("http://h/${WORD}.csv"),
    "short": source("${SHORT}/x.csv"),
    "short_table": source("${SHORT}"),
    "query": query("select '${SECRET}' as dealer_id, date, revenue from raw"),
    "query_table": query("from ${WORD}"),
    "column": column("'${SECRET}'"),
    "column_name": column("${WORD}"),
    "host": engine("postgres://me:pw@${WORD}.invalid/db", "source = 't'"),
    "user": engine("postgres://${WORD}:${SECRET}@127.0.0.1:1/db", "source = 't'"),
    "password": engine("postgres://me:${SECRET}@127.0.0.1:1/db", "source = 't'"),
    "database": engine("postgres://me@127.0.0.1:1/${WORD}", "source = 't'"),
    "short_user": engine("postgres://${SHORT}@127.0.0.1:1/db", "source = 't'"),
    "whole": engine("${WORD}", "source = 't'"),
    "scheme": engine("${WORD}://h", "source = 't'"),
    "setting": engine("duckdb://?${WORD}=1"),
    "value": engine("duckdb://?memory_limit=${WORD}"),
    "file": engine("duckdb://${WORD}.duckdb", "source = 't'"),
    "file_in": engine("duckdb://${SECRET}/x.duckdb", "source = 't'"),
    "server_setting": engine("postgres://h/db?sslmode=${WORD}", "source = 't'"),
    "server_file": engine("postgres://h/db", "source = '${WORD}.csv'"),
    "name": "[workbook]\nname = '${WORD}'\n" + source("data.csv"),
    "language": "[workbook]\nlanguage = '${WORD}'\n" + source("data.csv"),
    "format": source("data.csv") + "format.revenue = '${WORD}'\n",
    "unset": source("${NOSUCH_VARIABLE}/x.csv"),
}


@pytest.mark.parametrize("toml", LEAKS.values(), ids=LEAKS)
def test_the_value_of_a_variable_is_never_told(place, caller, toml):
    """Not even in the traceback of what was the cause."""
    require_refused(toml, place, caller)


URLS = [
    "postgres://me:{}@h.invalid/db",
    "postgres://{}:pw@h.invalid/db",
    "postgres://{}@h.invalid/db",
    "postgres://me:pw@{}/db",
    "postgres://me:pw@h{}x/db",
    "postgres://{}/db",
    "postgres://me:pw@h.invalid:{}/db",
    "postgres://me:pw@h.invalid/{}",
    "postgres://me:pw@h.invalid/db?{}=1",
    "postgres://me:pw@h.invalid/db?sslmode={}",
    "postgres://me:pw@h.invalid/db?{}",
    "postgres://{}",
    "postgres:{}",
    "{}",
    "{}://h/db",
    "mysql://me:{}@h.invalid/db",
    "trino://me:{}@h.invalid/db",
    "clickhouse://me:pw@{}/db",
    "mssql://me:{}@h.invalid/db",
    "snowflake://{}/db",
    "pyspark://{}",
    "duckdb://{}",
    "duckdb://{}/erp.duckdb",
    "duckdb://erp.duckdb?{}=1",
    "duckdb://erp.duckdb?threads={}",
]
SIGNS = ["@", ":", "/", "?", "#", "%", "[", "]", " ", "\n", "=", "&", ";", "%2F", "@:", "://", "é"]


@pytest.mark.parametrize("url", URLS)
def test_no_sign_in_a_value_has_it_told(place, monkeypatch, url):
    """Wherever it stands: a reader may take it apart there, and quote a part."""

    def nowhere(*_args, **_options):
        raise OSError("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    for value in ("p@canar{}yword/secret", "p{}canary=1", "canary{}", "Q7{}zz"):
        for sign in SIGNS:
            monkeypatch.setenv("SECRET", value.format(sign))
            told = told_of(engine(url.replace("{}", "${SECRET}"), "source = 't'"), place)
            assert told
            for part in ("canar", "secret", "yword", "q7", "zz"):
                assert part not in told.replace("SECRET", "").lower(), (value, sign, told)


def test_a_password_with_signs_is_told_how_to_be_written(place, monkeypatch):
    for value in ("a/b", "a?b", "a#b", "a[b", "a]b", "a b", "a\nb"):
        monkeypatch.setenv("SECRET", value)
        told = told_of(engine("postgres://me:${SECRET}@127.0.0.1:1/db", "source = 't'"), place)
        assert told.startswith("engine postgres://: user and password hold no /")
    for value in ("a%2Fb", "a@b", "a:b", "a%b", "ü"):
        monkeypatch.setenv("SECRET", value)
        told = told_of(engine("postgres://me:${SECRET}@127.0.0.1:1/db", "source = 't'"), place)
        assert told.startswith("engine postgres://…@127.0.0.1:1/db: ")


@pytest.mark.parametrize(
    "url", ["postgres://me:a?b=c@h/db", "postgres://me:a/b@h", "me:a?b@h", "x://me:a?b@h?c@d"]
)
def test_a_url_is_shown_without_its_account(url):
    shown = settings.shown_engine(url if "://" in url else f"postgres://{url}")
    assert "a" not in shown.partition("://")[2] and "me" not in shown


def test_a_url_that_is_one_variable_is_hidden_in_all_its_parts(place, monkeypatch):
    monkeypatch.setenv(
        "DATABASE_URL", "postgres://someone:pass%40word@127.0.0.1:1/ledger?connect_timeout=2"
    )
    told = told_of(engine("${DATABASE_URL}", "source = 't'"), place)
    assert told.startswith("engine ") or "sell_in" in told
    for part in ("someone", "pass%40word", "pass@word", "ledger"):
        assert part not in told


def test_a_workbook_does_not_show_its_engine(place):
    (place / "workbook.toml").write_text(engine("postgres://me:${WORD}@h/db", "source = 't'"))
    book = settings.workbook(place)
    assert "canary-word" in book.engine
    assert "canary-word" not in repr(book)


def test_texts_are_texts(place):
    (place / "workbook.toml").write_text(
        "[workbook]\ntitle = '${SECRET}'\nbrand = '${SECRET}'\n" + source("data.csv")
    )
    book = settings.workbook(place)
    assert (book.title, book.brand) == ("${SECRET}", "${SECRET}")


# ---- hanging -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "with recursive x as (select 1 as n union all select n + 1 from x) select * from x",
        (
            "with recursive x(n) as (values (1) union all select n from x) select n as dealer_id "
            "from x"
        ),
        (
            "select count(*) as dealer_id, '2026-01-01' as date, 1 as revenue from "
            "range(100000000000) a, range(1000) b"
        ),
        (
            "select count(*) as dealer_id from generate_series(1, 1000000000000) a where "
            "a.generate_series % 7 = 8"
        ),
        (
            "select 1 as dealer_id, '2026-01-01' as date, 1 as revenue from raw, "
            "range(1000000000000) order by 1"
        ),
        "select a.dealer_id, a.date, a.revenue from raw a, raw b, range(1000000) c, "
        "range(1000000) d where hash(c.range, d.range) = 1",
        "select " + "(" * 20_000 + "1" + ")" * 20_000,
        "select " + "[" * 5_000 + "1" + "]" * 5_000,
        "select " + "-" * 900 + "1",
        "select " + "not " * 5_000 + "true",
        "select 1" + " union all select 1" * 3_000,
        "select " + "case when true then " * 2_000,
        "select '" + "x" * 60_000 + "'",
        "select " + "abs(" * 990 + "1" + ")" * 990,
    ],
)
def test_what_never_ends_is_ended(place, caller, sql):
    require_refused(query(sql), place, caller, "sell_in")


def test_time_is_over_in_words(place, monkeypatch):
    monkeypatch.setattr(connections, "READ_SECONDS", 1)
    told = told_of(
        query(
            "select count(*) as dealer_id, date, revenue from raw, range(100000000000) group by all"
        ),
        place,
    )
    assert told == (
        "sell_in: the query was not read in 1 seconds; read less in the query, or set the "
        "environment variable WORKBOOK_READ_SECONDS"
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_asks_a_query_to_end_is_no_fault_of_the_data(place, number):
    toml = query(
        "select count(*) as dealer_id, date, revenue from raw, range(100000000000) group by all"
    )
    (place / "workbook.toml").write_text(toml, encoding="utf-8")
    command = [
        sys.executable,
        "-c",
        "from helpers import cli; raise SystemExit(cli.main())",
        "check",
        "--config",
        ".",
    ]
    with subprocess.Popen(
        command,
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "WORKBOOK_CACHE": str(place / "kept")},
    ) as asked:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and psutil.Process(asked.pid).cpu_times().user < 4:
            time.sleep(0.1)
        asked.send_signal(number)
        assert asked.communicate(timeout=60) == ("", "workbook: interrupted\n")
    assert asked.returncode == 130


# what works long within one call, where the engine does not look whether it is to stop
ONE_CALL = {
    "list": (
        "with l as (select list(range) as v from range(1000000)) select list_sum(list_transform(v, "
        "x -> list_position(v, x)))::varchar as dealer_id, date, revenue from raw, l"
    ),
    "text": (
        "with l as (select string_agg('ab', '') as t from range(400000)) select "
        "list_sum(list_transform(string_split(t, 'b'), x -> strpos(t, x || 'c')))::varchar as "
        "dealer_id, date, revenue from raw, l"
    ),
}


def command_of(place: Path, toml: str, seconds: int, before: str = "") -> subprocess.Popen:
    """Start `workbook check` in a process of its own."""
    (place / "workbook.toml").write_text(toml, encoding="utf-8")
    # who is started in the background by a shell has Ctrl-C ignored, and hands that on
    code = f"""
        import signal
        signal.signal(signal.SIGINT, signal.default_int_handler)
        from helpers import cli, settings
        {before}
        raise SystemExit(cli.main(["check", "--config", "."]))
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "WORKBOOK_CACHE": str(place / "kept"),
            "WORKBOOK_READ_SECONDS": str(seconds),
        },
    )


@pytest.mark.parametrize("sql", ONE_CALL.values(), ids=ONE_CALL)
def test_the_limit_holds_where_the_engine_does_not_listen(place, sql):
    began = time.monotonic()
    with command_of(place, query(sql), 1) as asked:
        out, err = asked.communicate(timeout=120)
    assert (asked.returncode, out) == (2, "")
    assert err.startswith("workbook: sell_in: the query was not read in 1 seconds; read less in ")
    assert err.endswith("so this command has ended\n") and err.count("\n") == 1
    assert time.monotonic() - began < 1 + limits.LATE_SECONDS + MOST_SECONDS
    assert not list((place / "kept").iterdir())


@pytest.mark.parametrize("sql", ONE_CALL.values(), ids=ONE_CALL)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_asks_a_command_to_end_is_heard_at_once(place, number, sql):
    with command_of(place, query(sql), 600) as asked:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and psutil.Process(asked.pid).cpu_times().user < 6:
            time.sleep(0.1)
        began = time.monotonic()
        asked.send_signal(number)
        assert asked.communicate(timeout=120) == ("", "workbook: interrupted\n")
    assert asked.returncode == 130
    assert time.monotonic() - began < limits.ASKED_SECONDS + 5
    assert not list((place / "kept").iterdir())


def test_only_a_command_is_ended(monkeypatch):
    """A kernel holds what somebody worked out: it hears of it when the call comes back."""
    ended = []
    monkeypatch.setattr(limits, "LATE_SECONDS", 0.1)
    monkeypatch.setattr(limits, "_end", lambda *given: ended.append(given))
    with pytest.raises(limits.Overdue), limits.held(0.3, "x", lambda: None, lambda: None):
        time.sleep(1.5)
        raise ValueError("stopped")
    assert not ended


@pytest.mark.parametrize("given", ["soon", "-1", "0", "1e9", "nan", "inf", " 5", "²"])
def test_a_time_that_is_no_number_is_refused(place, monkeypatch, given):
    monkeypatch.setenv("WORKBOOK_READ_SECONDS", given)
    assert f"WORKBOOK_READ_SECONDS = {given!r}: a whole number" in told_of(
        source("data.csv"), place
    )
    monkeypatch.setenv("WORKBOOK_READ_SECONDS", "60")
    assert not told_of(source("data.csv"), place)


def test_an_honest_table_is_read_after_one_that_was_ended(place, monkeypatch):
    monkeypatch.setattr(connections, "READ_SECONDS", 1)
    assert told_of(query("select count(*) as dealer_id from range(100000000000) a, raw"), place)
    monkeypatch.setattr(connections, "READ_SECONDS", 60)
    assert not told_of(source("data.csv"), place)


def test_the_page_on_trust_names_what_is_taken():
    page = (settings.CHECKOUT / "docs" / "your-data.md").read_text(encoding="utf-8")
    for scheme, known in {**engines.SERVER_SETTINGS, **engines.EMBEDDED_SETTINGS}.items():
        assert f"`{scheme}://" in page or scheme == "postgresql"
        for name in known:
            assert f"`{name}`" in page
    for kind in settings.FILE_KINDS:
        assert f"`{kind}`" in page
    assert f"{table_files.MAX_LOOKED_AT:,} entries" in page
    assert f"{guard.MAX_PADDING:,}" in page
    assert f"left(…, {guard.MAX_COMPARED})" in page
    for name in (*guard.RECURSIVE, *guard.COMPARING):
        assert f"`{name}`" in page or name.removesuffix("_strict") != name


# ---- the command ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "toml",
    [
        engine("duckdb://?allow_unsigned_extensions=true&extension_directory={folder}"),
        query("select * from raw, lateral read_text('{folder}/secret.txt')"),
        source("pipe.csv"),
        column("getenv('SECRET')"),
        engine("postgres://me:${SECRET}@127.0.0.1:1/db", "source = 't'"),
        source("/dev/zero"),
    ],
)
def test_the_command_refuses_and_ends(place, toml):
    (place / "workbook.toml").write_text(toml.replace("{folder}", str(place)))
    before = everything(place.parent)
    command = [
        Path(sys.executable).with_name("workbook"),
        "check",
        "--config",
        place / "workbook.toml",
    ]
    done = subprocess.run(
        command,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, "WORKBOOK_CACHE": str(place.parent / "cache")},
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for canary in (FILE, VARIABLE):
        assert canary not in done.stdout + done.stderr
    assert everything(place.parent) == before


# ---- a server's own SQL --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "drop table t",
        "select 1; drop table t",
        "with x as (delete from t returning *) select * from x",
        "with x as (insert into t values (1) returning 1) select 1",
        "select 1 into t2",
        "select * from t for update",
        "select pg_read_file('/etc/passwd')",
        "select pg_catalog.pg_read_file('x')",
        "select * from pg_ls_dir('.')",
        "select * from pg_read_binary_file('x')",
        "select lo_import('/etc/passwd')",
        "select dblink('host=x', 'y')",
        "select * from dblink_connect('x')",
        "select pg_sleep(60)",
        "select set_config('x', 'y', false)",
        "copy t to program 'id'",
        "select current_setting('data_directory')",
        "select pg_terminate_backend(1)",
        "select query_to_xml('x', true, true, '')",
        "do $$ begin end $$",
        "set role x",
        "call p()",
        "explain analyze delete from t",
        "vacuum t",
        "",
        "selec 1",
        "truncate t",
        "select " + "(" * 3_000 + "1" + ")" * 3_000,
    ],
)
def test_a_servers_query_only_reads_and_leaves_no_table(sql):
    with pytest.raises(DataError, match=r"^sell_in: "):
        guard.require_server_query("sell_in", sql, "postgres")


@pytest.mark.parametrize(
    "sql",
    [
        "select reflect('java.lang.System', 'getenv', 'SECRET')",
        "select java_method('java.lang.Runtime', 'x')",
        "select * from csv.`/etc/passwd`",
        "select * from text.`/etc/passwd`",
        "select * from parquet.`s3://x`",
        "select * from `/etc/passwd`",
        "select transform(a) using 'id' as (b) from t",
        "select nosuch_udf(1)",
        "add jar 'x.jar'",
        "create function f as 'x' using jar 'y'",
        "select * from read_files('/etc')",
    ],
)
def test_spark_runs_with_us_and_calls_known_functions_only(sql):
    with pytest.raises(DataError, match=r"^sell_in: "):
        guard.require_server_query("sell_in", sql, "spark")


@pytest.mark.parametrize(
    "dialect", ["postgres", "spark", "snowflake", "bigquery", "mysql", "trino"]
)
@pytest.mark.parametrize(
    "sql",
    [
        (
            "select a, sum(b) as b from t join u using (k) where c > 1 group by a having sum(b) "
            "> 2 order by 1 limit 3"
        ),
        "with x as (select * from s.t) select coalesce(a, 0), cast(a as decimal(18, 2)), "
        "upper(trim(b)) from x union all select 1, 2, 'x'",
        (
            "select row_number() over (partition by a order by b) as n, case when a = 1 then 2 "
            "else 3 end as c from t"
        ),
    ],
)
def test_a_servers_query_may_be_any_select(sql, dialect):
    guard.require_server_query("sell_in", sql, dialect)


def test_a_server_reads_no_file_of_ours(place, caller):
    require_refused(engine("postgres://me@127.0.0.1:1/db"), place, caller)


# ---- honest work goes on -------------------------------------------------------------------------

SHOP = """store;day;sale;qty;note
7;03/01/2026;1,250.50;2;"a;b"
7;03/15/2026;-10.00;;x
008;04/02/2026;99.90;1;
008;04/03/2026;0.10;3;Ü 中
"""
REVENUE = "CAST(REPLACE(sale, ',', '') AS DECIMAL(18,2))"
DAY = "strptime(day, '%m/%d/%Y')"
THREE = f"store as dealer_id, {DAY} as date, {REVENUE} as revenue"
HONEST = [
    f"select {THREE} from shop",
    f"from shop select {THREE}",
    f"select store as dealer_id, {DAY}::date as date, {REVENUE} as revenue from shop ;\n;",
    f"/* all */ select store dealer_id, {DAY} date, {REVENUE} revenue from Shop -- the end",
    f"with a as (select * from shop), b as (select * from a where store = '7') select {THREE} "
    f"from b union all select store, {DAY}, {REVENUE} from a where store <> '7'",
    (
        f"select s.{THREE} from shop s join (select store, max(qty) q from shop group by store) "
        "using (store)"
    ),
    f"select store as dealer_id, max({DAY}) as date, sum({REVENUE}) as revenue from shop group "
    "by all having count(*) > 1 order by all limit 5",
    (
        f"select {THREE} from shop qualify row_number() over (partition by store order by {DAY} "
        "desc) = 1"
    ),
    f"select lpad(store, 5, '0') as dealer_id, {DAY} as date, sum({REVENUE}) over (partition by "
    f"store order by {DAY} rows between 1 preceding and current row) as revenue from shop",
    f"select regexp_replace(store, '^0+', '') as dealer_id, date_trunc('month', {DAY}) as date, "
    f"round({REVENUE} * 1.13, 2) as revenue from shop",
    f"select concat_ws('-', store, note) as dealer_id, {DAY} + interval 1 day as date, case when "
    f"qty is null then 0 else {REVENUE} end as revenue from shop",
    f"select d as dealer_id, {DAY} as date, {REVENUE} / len(string_split(note, ';')) as revenue "
    "from shop, unnest(string_split(note, ';')) t(d)",
    f"select unnest([store, note]) as dealer_id, {DAY} as date, {REVENUE} as revenue from shop",
    (
        f"select store as dealer_id, make_date(2026, 1 + i::int, 1) as date, {REVENUE} as revenue "
        "from shop, range(3) r(i)"
    ),
    f"select store as dealer_id, g as date, {REVENUE} as revenue from shop, generate_series(date "
    "'2026-01-01', date '2026-03-01', interval 1 month) s(g)",
    f"select store as dealer_id, {DAY} as date, coalesce(nullif({REVENUE}, 0), 1) as revenue "
    f"from shop where {DAY} between date '2026-01-01' and date '2026-12-31' and store in (select "
    "store from shop where qty is not null)",
    f"select store as dealer_id, {DAY} as date, list_sum(list_transform([1, 2], x -> x * "
    f"{REVENUE})) as revenue from shop",
    f"select store as dealer_id, {DAY} as date, (select max({REVENUE}) from shop i where i.store "
    "= o.store) as revenue from shop o",
    f"select store as dealer_id, try_strptime(day, ['%d.%m.%Y', '%m/%d/%Y']) as date, {REVENUE} "
    "as revenue from shop where note ilike '%a%' or note similar to 'x' or note ~ 'Ü' or note "
    "is null",
    f"select * exclude (sale) from (select {THREE}, 1 as sale from shop)",
    "select store as dealer_id, max(date) as date, sum(revenue) as revenue from (select store, "
    f"{DAY} as date, {REVENUE} as revenue from shop) group by grouping sets ((store))",
    f"select store as dealer_id, {DAY} as date, {{'a': {REVENUE}}}.a as revenue from shop",
    "select a.store as dealer_id, strptime(a.day, '%m/%d/%Y') as date, 5 as revenue from shop a "
    "asof join shop b on a.store = b.store and a.day >= b.day",
    "select store as dealer_id, date '2026-01-01' as date, coalesce(r, 0) as revenue from "
    f"(pivot (select store, coalesce(qty, '0') q, {REVENUE} r from shop) on q in ('2' as r) "
    "using sum(r) group by store)",
    (
        f"select store as dealer_id, last_day({DAY}) as date, greatest({REVENUE}, 0) as revenue "
        "from shop tablesample 100%"
    ),
    f"select distinct on (store) {THREE} from shop order by store, {DAY}",
    f"(select {THREE} from shop) except select '7', timestamp '2026-03-01', 1250.5",
    "select 'a' as dealer_id, date '2026-01-01' as date, 1 as revenue",
    "select * from (values ('a', date '2026-01-01', 1.5)) t(dealer_id, date, revenue)",
    f"with shop as (select * from shop where store = '7') select {THREE} from shop",
]


@pytest.mark.parametrize("sql", HONEST)
def test_an_honest_query_gives_what_duckdb_gives(place, sql):
    (place / "s.csv").write_text(SHOP, encoding="utf-8")
    toml = f"[data.files]\nshop = \"s.csv\"\n[data.sell_in]\nquery = '''{sql}'''\n"
    (place / "workbook.toml").write_text(toml, encoding="utf-8")
    found = tables.table(settings.workbook(place), "sell_in").to_pyarrow().to_pylist()
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(
            f"CREATE VIEW shop AS FROM read_csv('{place}/s.csv', all_varchar = true, header = true)"
        )
        if sql.startswith("with shop as"):  # in DuckDB by itself a view and a query of one name
            con.execute("ALTER VIEW shop RENAME TO shop_")
            sql = sql.replace("from shop where", "from shop_ where")
        rows = con.sql(sql)
        at = [rows.columns.index(name) for name in ("dealer_id", "date", "revenue")]
        expected = [[row[i] for i in at] for row in rows.fetchall()]
    cents = Decimal("0.01")
    assert sorted([str(r["dealer_id"]), r["date"], r["revenue"]] for r in found) == sorted(
        [
            str(i),
            d.date() if isinstance(d, dt.datetime) else d,
            (Decimal(str(r)) + 0).quantize(cents, "ROUND_HALF_UP"),
        ]
        for i, d, r in expected
    )


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("CAST(Sale AS DECIMAL(18,2)) * 2", "3.00"),
        ("TRY_CAST(Sale AS DOUBLE) + 0.25", "1.75"),
        ("Sale::int // 2", "1.00"),
        ('"the ""net"" sale"', "9.00"),
        ("CASE WHEN Sale = '1.5' THEN 7 ELSE 8 END", "7.00"),
        ("list_max([1, 5, 3])", "5.00"),
        ("round(Sale::double, 0) /* up */", "2.00"),
        ("regexp_extract(Text, '([0-9]+)', 1)", "42.00"),
        ("len(Text)", "6.00"),
        ("date_diff('day', DATE '2026-01-01', DATE '2026-01-11')", "10.00"),
        ("CASE WHEN Sale in ('1.5', '2') THEN 1 END", "1.00"),
        ("CASE Text WHEN 'it''s 42' THEN 1 ELSE 0 END", "0.00"),
        ("coalesce(nullif(Sale, ''), '0')", "1.50"),
        ("if(true, 3, 4)", "3.00"),
        ("{'a': 4}.a", "4.00"),
        ("[x * 2 for x in [1, 2, 3] if x > 2][1]", "6.00"),
        ("-Sale::decimal(9, 1)", "-1.50"),
        ("(Sale)::double", "1.50"),
        ("extract(year from DATE '2026-01-01')", "2026.00"),
        ("strptime('2026', '%Y').year()", "2026.00"),
        ("TRY(CAST('x' AS INT))", None),
        ("json_extract_string('{\"a\": 2}', '$.a')", "2.00"),
        ("('{\"a\": {\"b\": 3}}'::json -> '$.a' ->> '$.b')", "3.00"),
        ("list_sum(list_filter(list_transform([1, 2], x -> x + 1), y -> y > 2))", "3.00"),
        ("try_cast(trim(both 'x' from 'x5x') as int)", "5.00"),
    ],
)
def test_an_honest_expression_is_computed(place, sql, value):
    (place / "e.csv").write_text(
        'dealer_id,date,Sale,Text,"the ""net"" sale"\n1,2026-01-01,1.5,its 42,9\n'
    )
    toml = (
        "[data.sell_in]\nsource = 'e.csv'\n[data.sell_in.columns]\nrevenue = 'Sale'\ncost = "
        f"'''{sql}'''\n"
    )
    (place / "workbook.toml").write_text(toml)
    (row,) = tables.table(settings.workbook(place), "sell_in").to_pyarrow().to_pylist()
    assert row["cost"] == (None if value is None else Decimal(value))


def test_a_database_is_queried_with_files_beside_it(place):
    (place / "names.csv").write_text("dealer_id,other\n001,A\n002,B\n")
    toml = engine(
        "duckdb://erp.duckdb?threads=1",
        'query = "select other as dealer_id, date, revenue from names join {} using (dealer_id)"',
    )
    for table in ("fine", "main.fine", "erp.fine", "erp.main.fine", 'erp."FINE"'.replace('"', "")):
        (place / "workbook.toml").write_text(
            toml.replace(
                "[data.sell_in]", "[data.files]\nnames = 'names.csv'\n[data.sell_in]"
            ).format(table)
        )
        rows = (
            tables.table(settings.workbook(place), "sell_in")
            .order_by("dealer_id")
            .to_pyarrow()
            .to_pylist()
        )
        assert [row["dealer_id"] for row in rows] == ["A", "B"]


def test_a_database_may_hold_a_table_of_the_views_name(place):
    with duckdb.connect(place / "erp.duckdb") as con:
        con.execute(
            "CREATE TABLE raw_sell_in AS SELECT 'z' AS dealer_id, 'x' AS date, 'y' AS other"
        )
    (place / "workbook.toml").write_text(engine("duckdb://erp.duckdb", "source = 'fine'"))
    assert tables.table(settings.workbook(place), "sell_in").revenue.sum().execute() == Decimal(
        "3.00"
    )


def test_several_books_in_one_process_open_their_own_files_only(place, tmp_path):
    """Also two of one database, and one after another that was refused."""
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "data.csv").write_text(LINES.replace("2.00", "5.00"))
    shutil.copy(place / "erp.duckdb", tmp_path / "two" / "erp.duckdb")
    sums = []
    for folder in (place, tmp_path / "two", place):
        for toml in (source("data.csv"), engine("duckdb://erp.duckdb", "source = 'fine'")):
            (folder / "workbook.toml").write_text(toml)
            sums.append(tables.table(settings.workbook(folder), "sell_in").revenue.sum().execute())
    assert sums == [
        Decimal("3.00"),
        Decimal("3.00"),
        Decimal("7.00") - 1,
        Decimal("3.00"),
        Decimal("3.00"),
        Decimal("3.00"),
    ]


def test_every_function_that_is_let_through_is_one_of_duckdbs():
    """A name that DuckDB does not know could become anything with its next version."""
    known = {
        name
        for (name,) in duckdb.sql(
            "SELECT DISTINCT function_name FROM duckdb_functions()"
        ).fetchall()
    }
    assert known >= guard.FUNCTIONS
    files = duckdb.sql("""SELECT function_name FROM duckdb_functions()
                              WHERE function_type LIKE 'table%' OR
                          function_type = 'pragma'""").fetchall()
    # histogram is an aggregate, too
    assert guard.FUNCTIONS & {name for (name,) in files} == {"unnest", "histogram"}
