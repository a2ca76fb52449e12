"""Objects: JSON, Arrow, Parquet and SQLite as tables, exactly, or refused."""

import datetime as dt
import gzip
import io
import json
import random
import sqlite3
from decimal import Decimal
from pathlib import Path

import hypothesis
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import strategies

from helpers.data.readers import containers, json_items, objects, sqlite_tables
from helpers.data.readers.grid import ReadAs
from helpers.settings import DataError


def _only(path: Path, encoding: str = "") -> objects.Objects:
    [found] = objects.tables(path, "", encoding)
    return found


def _rows(table: objects.Objects) -> list[dict]:
    return table.reader().read_all().to_pylist()


@pytest.fixture
def put(tmp_path):
    def write(name: str, data: bytes | str) -> Path:
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return write


# ---- JSON ----------------------------------------------------------------------------------------

TWO = [{"id": "001", "x": "1"}, {"id": "002", "x": "2"}]
SHAPES = {
    "a list": '[{"id":"001","x":1},{"id":"002","x":2}]',
    "a list in lines": '[\n  {"id": "001", "x": 1},\n  {"id": "002", "x": 2}\n]\n',
    "lines": '{"id":"001","x":1}\n{"id":"002","x":2}\n',
    "lines without the last end": '{"id":"001","x":1}\n{"id":"002","x":2}',
    "lines of Windows, some blank": '{"id":"001","x":1}\r\n\r\n{"id":"002","x":2}\r\n',
    "objects of several lines": '{\n"id":"001",\n"x":1}\n{\n"id":"002",\n"x":2}',
    "within": '{"status":"ok","data":[{"id":"001","x":1},{"id":"002","x":2}]}',
    "deep within": '{"r":{"items":[{"id":"001","x":1},{"id":"002","x":2}]},"tags":["a"]}',
    "columns": '{"id":["001","002"],"x":[1,2]}',
    "a mark at the beginning": '\ufeff[{"id":"001","x":1},{"id":"002","x":2}]',
}


@pytest.mark.parametrize("name", ["sell_in.json", "sell_in.jsonl", "sell_in.txt"])
@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_of_a_json_is_the_same_table(put, shape, name):
    table = _only(put(name, SHAPES[shape]))
    assert _rows(table) == TWO
    assert _rows(table) == TWO  # from the start
    assert table.schema.names == ["id", "x"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_json_in_another_encoding_of_unicode_is_told_by_its_bytes(put, encoding):
    text = '[{"id":"客户"}]'
    assert _rows(_only(put("a.json", text.encode(encoding)))) == [{"id": "客户"}]


def test_an_encoding_that_is_not_unicode_is_not_guessed(put):
    path = put("a.json", '[{"id":\n"客户"}]'.encode("gb18030"))
    with pytest.raises(DataError, match=r"^a\.json, line 2: .* is no text in utf-8; say which"):
        objects.tables(path)
    assert _rows(_only(path, "gb18030")) == [{"id": "客户"}]


@pytest.mark.parametrize("packed", ["a.json.gz", "a.jsonl.gz"])
def test_a_packed_json(put, packed):
    assert _rows(_only(put(packed, gzip.compress(SHAPES["lines"].encode())))) == TWO


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1.10", "1.10"),
        ("0.1", "0.1"),
        ("12345678901234567890", "12345678901234567890"),
        ("123456789.123456789123", "123456789.123456789123"),
        ("1E3", "1000"),
        ("1.5e-3", "0.0015"),
        ("1e400", "1e400"),
        ("-0", "-0"),
        ("true", "true"),
        ("false", "false"),
        ("null", None),
        ("NaN", None),
        ('""', ""),
        ('"00123"', "00123"),
        ('"1E5"', "1E5"),
        ('"a\\nb\\u4e2d"', "a\nb中"),
        ('"\\ud83d\\ude00"', "😀"),
        ('{"a":1.10,"b":[1,null,"é"]}', '{"a": 1.10, "b": [1, null, "é"]}'),
        ("[]", "[]"),
        ("{}", "{}"),
        ('[{"q":"\\""}]', '[{"q": "\\""}]'),
    ],
)
def test_a_value_stays_as_it_is_written(put, value, text):
    assert _rows(_only(put("a.json", f'[{{"x":{value},"id":"1"}}]'))) == [{"x": text, "id": "1"}]


def test_columns_are_those_of_all_objects(put):
    lines = "".join(json.dumps({"id": n, f"only_{n % 3}": n}) + "\n" for n in range(200))
    table = _only(put("a.jsonl", lines))
    assert table.schema.names == ["id", "only_0", "only_1", "only_2"]
    assert [row["only_1"] for row in _rows(table)][:3] == [None, "1", None]


@pytest.mark.parametrize("chunk", [1, 2, 7, 64])
@pytest.mark.parametrize("shape", SHAPES)
def test_an_object_may_lie_across_what_is_read_at_once(put, shape, chunk, monkeypatch):
    monkeypatch.setattr(json_items, "CHUNK_BYTES", chunk)
    monkeypatch.setattr(objects, "BATCH_ROWS", 1)
    if shape == "a mark at the beginning" and chunk < 4:
        chunk = 4  # an encoding is told by four bytes
        monkeypatch.setattr(json_items, "CHUNK_BYTES", chunk)
    assert _rows(_only(put("a.json", SHAPES[shape]))) == TWO


@pytest.mark.parametrize("shape", ["a list", "a list in lines", "within", "columns", "deep within"])
def test_a_json_cut_anywhere_is_refused(put, shape):
    text = SHAPES[shape].rstrip()
    for end in range(1, len(text)):
        with pytest.raises(DataError, match=r"^a\.json"):
            objects.tables(put("a.json", text[:end]))


def test_lines_cut_within_an_object_are_refused(put):
    text = SHAPES["lines"]
    for end in range(20, len(text) - 2):
        with pytest.raises(DataError, match=r"^a\.jsonl, line 2, column \d+: it is cut"):
            objects.tables(put("a.jsonl", text[:end]))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[{"id":1}\n{"id":2}]', "line 2, column 1: a comma or the end of the list is expected"),
        ('[{"id":1},]', "line 1, column 11: an object"),
        ('[{"id":1}] x', "line 1, column 12: more stands after the end of the list"),
        ('{"id":1}\n{"id":2\n{"id":3}\n', "line 3, column 1: Expecting ',' delimiter"),
        ('{"id":1}\n[1]\n', "line 2, column 1: an object"),
        ('[{"id":1,"id":2}]', "the name 'id' occurs twice in an object"),
        ('[{"a":{"id":1,"id":2}}]', "the name 'id' occurs twice in an object"),
        ("[[1,2],[3,4]]", "line 1, column 2: an object"),
        ("[1, 2]", "line 1, column 2: an object"),
        ("[]", "holds 0 objects"),
        ('{"a":{"0":1},"b":{"0":2}}', 'orient="records"'),
        ('{"a":[1,2],"b":[1]}', "'b' has 1 values, 'a' 2"),
        ('{"a":[1,2],"b":{"c":[3]}}', "holds no list of objects"),
        ('[{"a":' + "[" * 100_000, "brackets within brackets without end"),
        ("[{'id':1}]", "line 1, column 3: Expecting property name"),
        ('[{"a":"x\ty"}]', "Invalid control character"),
    ],
)
def test_what_is_wrong_in_a_json_is_said_with_its_place(put, text, reason):
    with pytest.raises(DataError) as raised:
        objects.tables(put("a.json", text))
    assert reason in str(raised.value)
    assert str(raised.value).startswith("a.json")


def test_of_several_lists_one_is_named(put):
    found = objects.tables(put("a.json", '{"orders":[{"id":1}],"r":{"dealers":[{"d":2},{"d":3}]}}'))
    assert [table.name for table in found] == ["orders", "r.dealers"]
    with pytest.raises(DataError, match=r'holds 2 tables: .* sheet = "orders"$'):
        objects.chosen(found, ReadAs(), "a.json")
    assert len(_rows(objects.chosen(found, ReadAs(sheet="r.dealers"), "a.json"))) == 2
    with pytest.raises(DataError, match=r"has no table 'order'; did you mean 'orders'"):
        objects.chosen(found, ReadAs(sheet="order"), "a.json")


@pytest.mark.parametrize(("said", "n_rows"), [(9, 7), (2, 0), ('"9"', 0)])
def test_a_list_that_is_a_page_of_more_says_so(put, said, n_rows):
    table = _only(put("a.json", f'{{"total":{said},"data":[{{"id":1}},{{"id":2}}]}}'))
    assert [(note.what, note.n_rows) for note in table.notes] == (
        [("page", n_rows)] if n_rows else []
    )


SCALARS = strategies.one_of(
    strategies.text(max_size=8), strategies.integers(), strategies.booleans(), strategies.none()
)
RECORDS = strategies.lists(
    strategies.dictionaries(strategies.text(max_size=4), SCALARS, min_size=1, max_size=4),
    min_size=1,
    max_size=6,
)


@hypothesis.given(RECORDS, strategies.booleans(), strategies.integers(4, 40))
@hypothesis.settings(max_examples=25)
def test_any_objects_come_back(records, is_list, chunk):
    text = json.dumps(records) if is_list else "\n".join(map(json.dumps, records))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_items, "CHUNK_BYTES", chunk)
        data = text.encode()
        content = containers.Content("", "json", lambda: io.BytesIO(data))
        found = list(json_items.items(content.open, "a.json"))
    expected = [
        {k: str(v) if type(v) is int else v for k, v in record.items()} for record in records
    ]
    assert found == expected


# ---- Arrow, Parquet ------------------------------------------------------------------------------

TYPED = pa.table(
    {
        "id": pa.array(["001", None, "003"]).dictionary_encode(),
        "day": pa.array([dt.date(2026, 10, 3)] * 3),
        "revenue": pa.array([Decimal("1.10"), Decimal("2.00"), None], pa.decimal128(18, 2)),
        "n": pa.array([2**60 + 1, 2, 3]),
        "at": pa.array([dt.datetime(2026, 10, 3, 14)] * 3, pa.timestamp("us", "Asia/Shanghai")),
        "tags": pa.array([["é", "b"], None, []]),
        "about": pa.array([{"a": 1, "d": dt.date(2026, 1, 2)}, None, {"a": None, "d": None}]),
        "nothing": pa.nulls(3),
    }
)


def _ipc(new):
    def write(path: Path) -> None:
        with new(str(path), TYPED.schema) as writer:
            writer.write_table(TYPED, max_chunksize=2)

    return write


WRITERS = {
    "sell_in.feather": lambda path: pyarrow.feather.write_feather(TYPED, str(path)),
    "sell_in.arrow": _ipc(pa.ipc.new_file),
    "sell_in.arrows": _ipc(pa.ipc.new_stream),
    "sell_in.parquet": lambda path: pq.write_table(TYPED, path),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", WRITERS)
def test_types_are_kept_and_nested_values_become_json(tmp_path, name, packed):
    path = tmp_path / name
    WRITERS[name](path)
    if packed:
        path = tmp_path / f"{name}.gz"
        path.write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    table = _only(path)
    read = table.reader().read_all()
    plain = ["id", "day", "revenue", "n", "at"]
    assert read.select(plain).cast(TYPED.select(plain).schema).equals(TYPED.select(plain))
    assert read.schema.field("revenue").type == pa.decimal128(18, 2)
    assert read["tags"].to_pylist() == ['["é", "b"]', None, "[]"]
    assert read["about"].to_pylist() == [
        '{"a": 1, "d": "2026-01-02"}',
        None,
        '{"a": null, "d": null}',
    ]
    assert read.schema.field("nothing").type == pa.string()
    # an engine reads a Parquet by itself, where it lies on disk as it is
    assert table.path == (path if name.endswith(".parquet") and not packed else None)


@pytest.mark.parametrize("share", [0.3, 0.7, 0.95, 0.999])
@pytest.mark.parametrize("name", WRITERS)
def test_a_cut_file_is_refused(tmp_path, name, share):
    path = tmp_path / name
    WRITERS[name](path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataError, match=r"^sell_in\.\w+ .*(cut|damaged).*anew$") as raised:
        for table in objects.tables(path):
            table.reader().read_all()
    assert "\n" not in str(raised.value)


def test_a_stream_cut_between_its_batches_is_refused(tmp_path):
    """Arrow itself takes the end of a file for the end of a stream, without a word."""
    path = tmp_path / "sell_in.arrows"
    WRITERS[path.name](path)
    whole = path.read_bytes()
    for end in range(len(whole) - 1, 200, -40):
        path.write_bytes(whole[:end])
        with pytest.raises(DataError):
            objects.tables(path)


def test_a_column_that_occurs_twice_is_refused(tmp_path):
    path = tmp_path / "a.arrow"
    twice = pa.table([pa.array([1]), pa.array([2])], names=["x", "x"])
    with pa.ipc.new_file(str(path), twice.schema) as writer:
        writer.write_table(twice)
    with pytest.raises(DataError, match="has two columns 'x'"):
        objects.tables(path)


def test_a_table_is_read_in_batches(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"x": range(200_000)}), path)
    assert max(batch.num_rows for batch in _only(path).reader()) <= objects.BATCH_ROWS


@pytest.mark.parametrize("data", [b"id,x\n1,2\n", b"<table><tr><td>1</table>"])
def test_what_is_no_file_of_objects_says_what_it_is(put, data):
    with pytest.raises(DataError, match=r"^a\.parquet is (plain text|an HTML page); a table"):
        objects.tables(put("a.parquet", data))


def test_a_duckdb_file_is_an_engine(put):
    path = put("erp.duckdb", bytes(8) + b"DUCK" + b"\x43" + bytes(100))
    with pytest.raises(DataError, match=r'say engine = "duckdb://erp\.duckdb" under'):
        objects.tables(path)


# ---- SQLite --------------------------------------------------------------------------------------


@pytest.fixture
def database(tmp_path):
    def make(*statements: str, name: str = "erp.db") -> Path:
        con = sqlite3.connect(tmp_path / name)
        for statement in statements:
            con.execute(statement)
        con.commit()
        con.close()
        return tmp_path / name

    return make


COLUMNS = {
    "texts": ("'001', '2'", pa.string(), ["001", "2"]),
    "whole": ("1, 9223372036854775807, -9223372036854775808", pa.int64(), [1, 2**63 - 1, -(2**63)]),
    "fractions": ("1.1, 2.5", pa.float64(), [1.1, 2.5]),
    "whole and fractions": ("1, 2.5", pa.float64(), [1.0, 2.5]),
    "long and fractions": ("9007199254740993, 2.5", pa.string(), ["9007199254740993", "2.5"]),
    "text and numbers": ("'a', 1, 1.5, 2.0", pa.string(), ["a", "1", "1.5", "2"]),
    "with nothing": ("1, NULL", pa.int64(), [1, None]),
    "nothing": ("NULL, NULL", pa.string(), [None, None]),
    "bytes": ("x'00ff', NULL", pa.binary(), [b"\0\xff", None]),
    "bytes and text": ("x'00ff', 'a'", pa.string(), ["00ff", "a"]),
    "an empty text": ("'', 'a'", pa.string(), ["", "a"]),
}


@pytest.mark.parametrize("declared", ["", "NUMERIC", "whatever"])
@pytest.mark.parametrize("case", COLUMNS)
def test_values_have_the_types_that_they_have(database, case, declared):
    values, kind, expected = COLUMNS[case]
    rows = ", ".join(f"({value})" for value in values.split(", "))
    # a declared type would turn values around when they are written, so they are written without
    path = database("CREATE TABLE t (x)", f"INSERT INTO t VALUES {rows}")
    if declared:
        con = sqlite3.connect(path)
        con.execute("PRAGMA writable_schema = ON")
        con.execute(f"UPDATE sqlite_master SET sql = 'CREATE TABLE t (x {declared})'")
        con.commit()
        con.close()
    table = _only(path)
    assert table.schema.field("x").type == kind
    assert [row["x"] for row in _rows(table)] == expected


@pytest.mark.parametrize(
    "name", ["sell in", 'a"b', "select", "客户", "x'; DROP TABLE t; --", "a.b", "[x]", "%"]
)
def test_names_are_names(database, name):
    told = '"' + name.replace('"', '""') + '"'
    path = database(f"CREATE TABLE {told} ({told} TEXT)", f"INSERT INTO {told} VALUES ('1')")
    table = _only(path)
    assert (table.name, _rows(table)) == (name, [{name: "1"}])


def test_an_empty_table_has_its_columns(database):
    table = _only(database("CREATE TABLE t (id, x)"))
    assert (table.schema.names, _rows(table)) == (["id", "x"], [])


def test_of_several_tables_one_is_named_and_a_view_only_by_its_name(database):
    path = database(
        "CREATE TABLE a (x)",
        "CREATE TABLE b (x INTEGER)",
        "INSERT INTO b VALUES (1), (2)",
        "CREATE VIEW v AS SELECT sum(x) AS s, upper('a') AS u FROM b",
    )
    found = objects.tables(path)
    assert [(table.name, table.is_hidden) for table in found] == [
        ("a", False),
        ("b", False),
        ("v", True),
    ]
    with pytest.raises(DataError, match=r"holds 2 tables: 'a' \(x\); 'b' \(x\); say which one"):
        objects.chosen(found, ReadAs(), "erp.db")
    assert _rows(objects.chosen(found, ReadAs(sheet="v"), "erp.db")) == [{"s": 3, "u": "A"}]


@pytest.mark.parametrize(
    "view",
    [
        "SELECT load_extension('x') AS x",
        "SELECT readfile('/etc/passwd') AS x",
        "SELECT writefile('x', 'y') AS x",
        "SELECT zeroblob(1000000000) AS x",
        "SELECT hex(randomblob(1000000000)) AS x",
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n",
        "SELECT * FROM pragma_database_list",
        "SELECT * FROM gone",
    ],
)
def test_a_view_that_reaches_for_more_is_not_there(database, view):
    path = database("CREATE TABLE t (x)", "INSERT INTO t VALUES ('1')", f"CREATE VIEW v AS {view}")
    assert [table.name for table in objects.tables(path)] == ["t"]


def test_a_view_that_takes_for_ever_is_stopped(database, monkeypatch):
    monkeypatch.setattr(sqlite_tables, "MAX_SECONDS", 0.2)
    rows = ", ".join("(1)" for _ in range(300))
    path = database(
        "CREATE TABLE t (x)",
        f"INSERT INTO t VALUES {rows}",
        "CREATE VIEW v AS SELECT count(*) AS n FROM t a, t b, t c, t d, t e",
    )
    assert [table.name for table in objects.tables(path)] == ["t"]


def test_reading_writes_nothing_beside_a_database(database):
    path = database("PRAGMA journal_mode = WAL", "CREATE TABLE t (x)", "INSERT INTO t VALUES (1)")
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    assert _rows(_only(path)) == [{"x": 1}]
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


def test_changes_that_lie_beside_a_database_are_not_left_out_in_silence(database):
    path = database("PRAGMA journal_mode = WAL", "CREATE TABLE t (x)")
    con = sqlite3.connect(path)
    con.execute("INSERT INTO t VALUES (1)")
    con.commit()
    try:
        with pytest.raises(DataError, match=r"erp\.db-wal beside it holds changes that are not in"):
            objects.tables(path)
    finally:
        con.close()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.99])
def test_a_cut_database_is_refused(database, share):
    rows = ", ".join(f"({n}, 'text {n}')" for n in range(2000))
    path = database("CREATE TABLE t (n, x)", f"INSERT INTO t VALUES {rows}")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataError, match=r"^erp\.db is cut: an SQLite database of"):
        objects.tables(path)


def test_a_damaged_database_is_refused(database):
    rows = ", ".join(f"({n}, 'text {n}')" for n in range(2000))
    path = database("CREATE TABLE t (n, x)", f"INSERT INTO t VALUES {rows}")
    data = bytearray(path.read_bytes())
    data[4096:12000] = b"\xaa" * (12000 - 4096)
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match=r"^erp\.db.* is damaged or held by another program"):
        objects.tables(path)


def test_modules_of_a_database_are_not_read(database):
    path = database("CREATE VIRTUAL TABLE f USING fts5(x)", "CREATE TABLE t (x)")
    assert "f" not in [table.name for table in objects.tables(path)]


def test_a_database_without_a_table_says_so(database):
    path = database("CREATE TABLE t (x)", "DROP TABLE t")
    with pytest.raises(DataError, match=r"erp\.db is an SQLite database without a table"):
        objects.tables(path)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("name", ["erp.db", "a.json", *WRITERS])
def test_bytes_that_are_wrong_are_refused_in_one_sentence_or_do_no_harm(
    tmp_path, database, name, seed
):
    path, rng = tmp_path / name, random.Random(seed)
    if name == "erp.db":
        database('CREATE TABLE t (x, "é")', "INSERT INTO t VALUES (1, 'é'), ('a', x'00')")
    elif name == "a.json":
        path.write_text('[{"id":"é","x":1.10,"n":{"a":[1,null]}},\n{"id":"b","y":1E3}]')
    else:
        WRITERS[name](path)
    data = bytearray(path.read_bytes())
    for _byte in range(rng.choice([1, 3, 20])):
        data[rng.randrange(len(data))] = rng.choice([0, 255, rng.randrange(256)])
    path.write_bytes(bytes(data))
    try:
        n_rows = [table.reader().read_all().num_rows for table in objects.tables(path)]
        assert all(n <= 3 for n in n_rows)
    except DataError as error:
        assert str(error).startswith(name)
        assert "\n" not in str(error)
