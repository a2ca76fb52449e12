"""Files: whole or not at all, a name on every disk, and tables that come back as they were, whoever
reads them.
"""

import csv
import errno
import io
import itertools
import os
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpers import files
from helpers.press import diff

# ---- whole files ---------------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["", "客户\n", b"\x00\xff", "x" * 1_000_000])
@pytest.mark.parametrize("synced", [True, False])
def test_a_file_is_written_and_written_over(tmp_path, content, synced):
    for _ in range(2):
        files.write(tmp_path / "a", content, synced=synced)
        assert (tmp_path / "a").read_bytes() == (
            content.encode() if isinstance(content, str) else content
        )
        assert [path.name for path in tmp_path.iterdir()] == ["a"], "no part is left"


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt(), ValueError("x")]
)
@pytest.mark.parametrize("before", [None, "before"])
def test_a_file_that_is_not_finished_changes_nothing(tmp_path, error, before):
    if before:
        (tmp_path / "a").write_text(before)
    with pytest.raises(type(error)), files.part(tmp_path / "a") as new:
        new.write_text("half")
        raise error
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == (
        {"a": before} if before else {}
    )


def test_a_file_is_never_written_through_a_link(tmp_path):
    (tmp_path / "theirs").write_text("theirs")
    (tmp_path / "a").symlink_to(tmp_path / "theirs")
    files.write(tmp_path / "a", "ours")
    assert (tmp_path / "theirs").read_text() == "theirs" and not (tmp_path / "a").is_symlink()


def test_a_file_that_cannot_take_its_place_leaves_nothing(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_text("x")
    with pytest.raises(OSError):
        files.write(tmp_path / "a", "ours")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


# ---- tables --------------------------------------------------------------------------------------

HOSTILE = [
    "=1+1",
    " =1",
    "\ufeff=1",
    "\u200b\u200b+1",
    "\xa0@x",
    "＝1",
    "－1",
    "﹦1",
    "'=1",
    "''=1",
    "' '=1",
    "a;=1",
    "a; =1",
    "a\t=1",
    "a\r=1",
    "a\n=1",
    "a\r\n=1",
    "a\u2028=1",
    "a\u2029-1",
    "a\x85@x",
    "a\v=1",
    "\t",
    "\tx",
    "\rx",
    "\n",
    "\r",
    "a\rb",
    "a\r\nb",
    "a\x1cb",
    "a\x85b",
    "a\u2028b",
    "a\u2029b",
    'a"b',
    '"',
    '""',
    ',",',
    ";",
    "a;b",
    "a\tb",
    "a,b",
    "|",
    " a",
    "a ",
    "'t Hof",
    "'",
    "\x00",
    "a\x00b",
    "\x1b[31m",
    "NA",
    "nan",
    "null",
    "True",
    "5",
    "5.0",
    "-1",
    "1e5",
    "inf",
    "00123",
    "2026-10",
    "–",
    "-",
    "\u202eabc",
    "שלום",
    "顺达电器",
    "x" * 10_000,
    'x";=cmd|x',
    "a;'=1",
    "a;''=1",
    "'\t'=1",
]
SIGNS = st.sampled_from("=+-@＝'\"; \t\r\n,\u2028\u2029\x85\ufeff\u200b\x00\x0b\x1c0a5")
TEXT = st.text(st.one_of(SIGNS, st.characters(exclude_categories=["Cs"])), min_size=1, max_size=12)


def back(table: pd.DataFrame) -> pd.DataFrame:
    place = Path(os.environ["PYTEST_TABLE"])
    files.write_table(place, table)
    return files.read_table(place)


@pytest.fixture(autouse=True, scope="module")
def _place(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_TABLE", str(tmp_path_factory.mktemp("tables") / "table.csv"))
        yield


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
@pytest.mark.parametrize("column", ["dealer_id", "dealer_name", "=x;+y", "revenue"])
def test_text_comes_back_as_it_was(text, column):
    table = pd.DataFrame({column: [text, "b", None], "n_lines": [1, 2, 3]})
    pd.testing.assert_frame_equal(back(table), table, check_dtype=False)
    alone = pd.DataFrame({column: [text]})
    pd.testing.assert_frame_equal(back(alone), alone, check_dtype=False)


@given(st.lists(st.tuples(TEXT, st.one_of(st.none(), TEXT)), min_size=1, max_size=6))
@example([("a;=1", None)])
def test_any_text_comes_back_as_it_was(rows):
    table = pd.DataFrame(rows, columns=["dealer_name", "city"], dtype="object")
    found = back(table)
    pd.testing.assert_frame_equal(
        found.astype("object").where(found.notna(), None), table, check_dtype=False
    )


def readers(path: Path, text: str) -> dict[str, list[list[str]]]:
    """Read a table as common readers do, some of which split at what is none of ours."""
    plain = text.removeprefix("\ufeff")
    semicolons = csv.reader(io.StringIO(plain, newline=""), delimiter=";")
    return {
        "csv": list(csv.reader(io.StringIO(plain, newline=""))),
        "pandas": pd.read_csv(path, dtype=str, keep_default_na=False, header=None)
        .to_numpy()
        .tolist(),
        "pandas in Python": pd.read_csv(
            path, dtype=str, keep_default_na=False, header=None, engine="python"
        )
        .to_numpy()
        .tolist(),
        "pyarrow": pyarrow_rows(path),
        "semicolons": list(semicolons),
        "tabs": list(csv.reader(io.StringIO(plain, newline=""), delimiter="\t")),
        "any line": [line.split(";") for line in plain.splitlines()],
        "lone CR": [line.split("\t") for line in plain.replace("\r", "\n").split("\n")],
    }


def pyarrow_rows(path: Path) -> list[list[str]]:
    from pyarrow import csv as arrow

    read = arrow.read_csv(
        path,
        arrow.ReadOptions(autogenerate_column_names=True),
        arrow.ParseOptions(newlines_in_values=True),
        arrow.ConvertOptions(strings_can_be_null=False),
    )
    return [[str(value) for value in row.values()] for row in read.to_pylist()]


WITH_QUOTES = ("csv", "pandas", "pandas in Python", "pyarrow")


@pytest.mark.parametrize(
    "text", [t for t in HOSTILE if "\x00" not in t], ids=lambda text: ascii(text[:12])
)
def test_no_reader_tears_a_row_and_none_runs_a_cell(tmp_path, text):
    table = pd.DataFrame({"dealer_name": ["first", text, text], "city": [text, "x", text]})
    files.write_table(tmp_path / "t.csv", table)
    for name, rows in readers(
        tmp_path / "t.csv", (tmp_path / "t.csv").read_bytes().decode()
    ).items():
        if name in WITH_QUOTES:
            assert [len(row) for row in rows] == [2] * 4, name
        for found in itertools.chain(*rows):
            begins = found.lstrip('" \ufeff\u200b\xa0')
            assert begins[:1] not in tuple("=+-@＝＋－＠﹦﹢﹣﹫"), f"{name}: {found!r}"
            assert found[:1] not in ("\t", "\r"), f"{name}: {found!r}"


@pytest.mark.parametrize(
    "column", ["revenue", "balance", "stake", "usual_payments", "profit_per_m2", "dead_value"]
)
@pytest.mark.parametrize(
    "amount",
    [
        0.0,
        -0.001,
        0.005,
        0.1 + 0.2,
        5,
        -5.5,
        1234567.891,
        1e14,
        1e15,
        1e300,
        float("inf"),
        Decimal("7.5"),
        np.float32(2.5),
        np.int64(3),
    ],
)
def test_money_has_two_decimals(column, amount):
    found = back(pd.DataFrame({column: [amount, None], "name": ["a", "b"]}, dtype="object"))
    written = (
        Path(os.environ["PYTEST_TABLE"])
        .read_text(encoding="utf-8-sig")
        .split("\n")[1]
        .split(",")[0]
    )
    if abs(amount) < 1e15:
        assert len(written.partition(".")[2]) == 2 and not written.startswith("-0.00")
    assert found[column][0] == pytest.approx(float(amount), abs=0.0051)
    assert pd.isna(found[column][1])


def test_what_is_no_money_keeps_its_digits():
    table = pd.DataFrame(
        {"score": [0.1 + 0.2], "brand_share": [1 / 3], "n_lines": [7], "gmroi": [2 / 3]}
    )
    pd.testing.assert_frame_equal(back(table), table, rtol=0, atol=0)


@pytest.mark.parametrize("rows", [0, 1, 3])
@pytest.mark.parametrize(
    "column",
    [
        "dealer_id",
        "dealer_name",
        "month",
        "due_date",
        "composite_class",
        "balance",
        "score",
        "n_calls",
        "is_new",
        "city",
    ],
)
@pytest.mark.parametrize("empty", [None, float("nan"), pd.NA, pd.NaT, ""])
def test_tables_without_rows_or_values_have_types(column, rows, empty):
    """An empty text is no number.

    An edition whose tables are empty is read by the next month's pages.
    """
    found = back(pd.DataFrame({column: [empty] * rows, "other_id": ["x"] * rows}, dtype="object"))
    assert list(found.columns) == [column, "other_id"] and len(found) == rows
    assert pd.api.types.is_string_dtype(found["other_id"])
    if column in ("balance", "score", "n_calls"):
        assert float(found[column].clip(lower=0).sum()) == 0.0
    if column == "dealer_id":
        assert len(found.merge(pd.DataFrame({"dealer_id": ["1"]}), on="dealer_id")) == 0
    for before, after in itertools.product([found, pd.DataFrame()], repeat=2):
        for name in ("abc_pareto", "inventory_age", "receivables", "call_list", "other"):
            said = diff.sentences({name: before}, {name: after})
            assert all(isinstance(sentence, str) for sentence in said)
            assert bool(said) == bool(len(before) or len(after)), (
                "of no rows there is nothing to say"
            )


def test_files_that_are_no_table_of_ours_are_read_as_far_as_they_go(tmp_path):
    for source in (b"", b"\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n", b"a\n", b"a,b\n\n", b'""\n'):
        (tmp_path / "t.csv").write_bytes(source)
        assert len(files.read_table(tmp_path / "t.csv")) == 0


# ---- names ---------------------------------------------------------------------------------------

NAMES = [
    "con",
    "CON",
    "nul",
    "aux",
    "com1",
    "lpt9",
    "prn",
    "con.",
    "nul.txt",
    ".",
    "..",
    "...",
    "a.",
    "a ",
    "A",
    "a",
    "Ä",
    "ä",
    "ß",
    "ss",
    "ſ",
    "K",
    "K",
    "../../etc/passwd",
    "C:\\x",
    "\\\\host\\share",
    "x\x00y",
    "\u202e",
    "客户",
    "用户",
    "l" * 10_000,
    "",
    " ",
    "~",
    "-",
    "--",
    "*",
    "?",
    "\n",
]
RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)),
}


def test_names_of_cards_are_names_on_every_disk():
    made = [files.file_name(name) for name in NAMES]
    assert len({name.casefold() for name in made}) == len(set(NAMES))
    for name in made:
        assert name.isascii() and len(name) < 60 and name == name.strip(". ")
        assert not set(name) - set("abcdefghijklmnopqrstuvwxyz0123456789-")
        assert name.partition(".")[0] not in RESERVED
        assert len(name.rpartition("-")[2]) == 32, "128 bits"


@given(st.lists(st.text(max_size=6), min_size=2, max_size=40, unique=True))
def test_no_two_texts_share_a_name(texts):
    assert len({files.file_name(text) for text in texts}) == len(texts)
