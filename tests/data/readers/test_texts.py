"""A file of delimited text is read as it was written, whoever wrote it."""

import csv
import io
import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.readers import encodings, layouts, opening
from helpers.data.readers.dialects import detected
from helpers.data.readers.grid import ReadAs
from helpers.data.readers.records import Dialect, records
from helpers.settings import DataError

HEADER = ["dealer_id", "date", "revenue", "remark"]
WESTERN = ["Müller & Söhne", "Café Noël", "señor Peña", "plain"]
CHINESE = ["顺达贸易有限公司", "光明灯饰，广州", "第二分店（代理）", "plain"]
TAIWAN = ["順達貿易有限公司", "光明燈飾，臺北", "第二分店（代理）", "plain"]
RUSSIAN = ["Магазин Свет", "ООО Лампа", "Склад номер два", "plain"]
AWKWARD = ['say "so"', "two\nlines", "a, b; c", "tab\there", "5' by 10\"", "", "it's", "x|y^z"]


def rows_of(remarks: list[str], n: int = 40) -> list[list[str]]:
    return [
        [f"{i % 7:05d}", f"2026-{i % 12 + 1:02d}-{i % 28 + 1:02d}", f"{i * 13.37:.2f}", remark]
        for i, remark in zip(range(n), itertools.cycle(remarks), strict=False)
    ]


def written(rows: list[list[str]], **dialect) -> str:
    text = io.StringIO()
    csv.writer(text, **{"lineterminator": "\n", **dialect}).writerows([HEADER, *rows])
    return text.getvalue()


def read(folder: Path, content: bytes, read_as: ReadAs | None = None) -> tuple[list, tuple]:
    path = folder / "sell_in.csv"
    path.write_bytes(content)
    found = opening.read(path, read_as or ReadAs(), path.name)
    rows = [list(row.cells) for row in layouts.rows_of(found.grid, found.layout)]
    return [list(found.layout.header), *rows], found.notes


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^"])
def test_delimiters_quotes_and_line_ends(tmp_path, delimiter, quoting, end):
    remarks = [r for r in AWKWARD if end == "\n" or "\n" not in r]
    rows = rows_of(remarks)
    text = written(rows, delimiter=delimiter, quoting=quoting, lineterminator=end)
    for mark in (b"", b"\xef\xbb\xbf"):
        found, notes = read(tmp_path, mark + text.encode())
        assert found == [HEADER, *rows]
        assert notes == ()


@pytest.mark.parametrize(
    ("encoding", "remarks", "taken_for"),
    [
        ("utf-8", CHINESE, "utf-8-sig"),
        ("utf-8-sig", RUSSIAN, "utf-8-sig"),
        ("utf-16", CHINESE, "utf-16"),
        ("utf-16-le", WESTERN, "utf-16-le"),
        ("utf-16-be", WESTERN, "utf-16-be"),
        ("gb18030", CHINESE, "gb18030"),
        ("gbk", CHINESE[:2], "gb18030"),
        ("big5", TAIWAN, "big5"),
        ("cp1252", WESTERN, "cp1252"),
        ("latin-1", WESTERN[:1], "cp1252"),
        ("cp1251", RUSSIAN, "cp1251"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings(tmp_path, encoding, remarks, taken_for, delimiter):
    rows = rows_of(remarks)
    content = written(rows, delimiter=delimiter).encode(encoding)
    assert encodings.encoding_of(content, "x") == taken_for
    found, notes = read(tmp_path, content)
    assert found == [HEADER, *rows]
    assert notes == ()
    found, _notes = read(tmp_path, content, ReadAs(encoding=encoding))
    assert found == [HEADER, *rows]


def test_an_encoding_that_begins_late_is_told_by_what_is_there(tmp_path):
    rows = [*rows_of(["plain"], 8_000), *rows_of(CHINESE, 40)]
    found, _notes = read(tmp_path, written(rows).encode("gb18030"))
    assert found == [HEADER, *rows]


@pytest.mark.parametrize("garbage", [b"\xa7", b"\x80\x81", b"\xff", b"\xd6\x41\x99", b"\x81\x30"])
def test_what_cannot_be_told_is_asked(tmp_path, garbage):
    content = written(rows_of(["plain"])).encode().replace(b"plain", b"pl" + garbage + b"n", 1)
    with pytest.raises(DataError, match=r"^sell_in\.csv.*encoding") as error:
        read(tmp_path, content)
    assert "[data.<table>.read]" in str(error.value)


def test_a_broken_byte_names_its_line_whatever_is_said(tmp_path):
    content = written(rows_of(CHINESE)).encode()
    at = content.index("顺".encode(), 400)
    broken = content[: at + 1] + content[at + 2 :]
    line = content.count(b"\n", 0, at) + 1
    with pytest.raises(DataError, match=f"line {line} holds bytes that are no UTF-8"):
        read(tmp_path, broken)
    with pytest.raises(DataError, match=f"line {line} holds bytes that are no utf-8"):
        read(tmp_path, broken, ReadAs(encoding="utf-8"))


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "cp1252"])
def test_what_is_utf_8_is_read_in_no_other_encoding(tmp_path, encoding):
    content = written(rows_of(CHINESE)).encode()
    with pytest.raises(DataError, match=f"encoding '{encoding}' is said, and its bytes are UTF-8"):
        read(tmp_path, content, ReadAs(encoding=encoding))


def test_an_unknown_encoding_is_refused(tmp_path):
    with pytest.raises(DataError, match="encoding 'klingon' is not read"):
        read(tmp_path, b"a,b\n1,2\n", ReadAs(encoding="klingon"))


@pytest.mark.parametrize(
    ("line", "cells", "is_stray"),
    [
        ('1,"a, b",3', ["1", "a, b", "3"], False),
        ('1,"a ""b"" c",3', ["1", 'a "b" c', "3"], False),
        ('1,5" pipe,3', ["1", '5" pipe', "3"], False),
        ('1,"a,3', ["1", '"a', "3"], True),
        ('"1,"a, b",3', ['"1', "a, b", "3"], True),
        ('1,""a, b",3', ["1", '"a, b', "3"], True),
        ('1,"a b" c,3', ["1", '"a b" c', "3"], True),
        ('1,"48"","3"', ["1", '48"', "3"], True),
        ('1,"say "so", he",3', ["1", 'say "so", he', "3"], True),
        ('1,"a", "3"', ["1", "a", ' "3"'], False),
        (
            'boots"These, of leather, are warm."',
            ['boots"These', " of leather", ' are warm."'],
            True,
        ),
        ('5" pipe,3" tube,x', ['5" pipe', '3" tube', "x"], False),
        ("1,,", ["1", "", ""], False),
        ('1,"",3', ["1", "", "3"], False),
    ],
)
def test_a_quote_out_of_place_costs_its_cell_only(line, cells, is_stray):
    behind = 'x,"y, z",w'
    rows = list(records([line + "\n", behind + "\n"], Dialect(","), 3))
    assert [row.cells for row in rows] == [cells, ["x", "y, z", "w"]]
    assert [row.has_stray_quote for row in rows] == [is_stray, False]


def test_an_open_quote_does_not_swallow_the_rows_behind_it(tmp_path):
    rows = rows_of(["plain", "two, parts"])
    lines = written(rows).split("\n")
    for at in (1, 17, 40):
        broken = [*lines]
        broken[at] = broken[at].replace("2026", '"2026', 1)
        found, notes = read(tmp_path, "\n".join(broken).encode())
        assert len(found) == 41
        assert found[at][1].startswith('"2026')
        assert [row for i, row in enumerate(found) if i != at] == [
            row for i, row in enumerate([HEADER, *rows]) if i != at
        ]
        assert [(n.what, n.line, n.n_rows) for n in notes] == [("stray_quote", at + 1, 1)]


def test_a_cell_of_many_lines_is_one_cell(tmp_path):
    text = "\n".join(f"line {i}, and more" for i in range(900))
    rows = rows_of([text], 3)
    found, notes = read(tmp_path, written(rows).encode())
    assert found == [HEADER, *rows]
    assert notes == ()


@pytest.mark.parametrize("sep", [";", ",", "|", "\t"])
def test_the_hint_of_a_spreadsheet_is_obeyed(tmp_path, sep):
    rows = rows_of(["a", "b, c; d|e"])
    found, _notes = read(tmp_path, f"sep={sep}\r\n{written(rows, delimiter=sep)}".encode())
    assert found == [HEADER, *rows]


def test_a_backslash_before_a_quote_is_an_escape_and_elsewhere_text(tmp_path):
    lines = ["id,remark,sum"] + [f'{i},"a \\"b\\" C:\\dir, {i}",{i}.50' for i in range(30)]
    found, notes = read(tmp_path, "\n".join(lines).encode())
    assert found[1] == ["0", 'a "b" C:\\dir, 0', "0.50"]
    assert notes == ()


def test_one_column_stays_one(tmp_path):
    for name in ("some text here", "多个 字", "a b"):
        found, _notes = read(tmp_path, f"remark\n{name}\nother words\nx\n".encode())
        assert found == [["remark"], [name], ["other words"], ["x"]]


def test_a_lone_return_in_a_cell_tears_no_row(tmp_path):
    rows = rows_of(["fine"] * 30 + ["torn\rhere"])
    text = "\n".join([",".join(HEADER), *(",".join(row) for row in rows)])
    found, _notes = read(tmp_path, text.encode())
    assert found == [HEADER, *rows]


WORDS = st.text(
    st.characters(whitelist_categories=("L", "N", "P", "Zs"), blacklist_characters="\"'\\"),
    max_size=12,
).map(str.strip)
CELLS = st.one_of(
    WORDS,
    st.integers(-10_000, 10_000).map(str),
    st.decimals(-999, 999, places=2).map(str),
    st.dates().map(str),
    st.sampled_from(['a "quoted" word', "two\nlines", "a, b", "c; d", "it's"]),
)


@given(
    st.integers(2, 6).flatmap(
        lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=8)
    ),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
@settings(max_examples=60)
def test_told_the_dialect_records_are_those_of_csv(rows, delimiter, quoting):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator="\n").writerows(rows)
    lines = io.StringIO(text.getvalue(), newline="").readlines()
    expected = [row for row in csv.reader(lines, delimiter=delimiter) if row]
    found = [row.cells for row in records(lines, Dialect(delimiter), len(rows[0]))]
    assert [cells for cells in found if cells != [""]] == [c for c in expected if c != [""]]


def test_a_dialect_is_told_by_what_lines_have_in_common():
    lines = [f"{i};{i},50;2026-10-{i:02d};a, b\n" for i in range(10, 28)]
    found = detected(lines)
    assert (found.dialect.delimiter, found.width) == (";", 4)
    assert detected(["only one column\n", "of some text\n", "\n"]).dialect.delimiter == ""
