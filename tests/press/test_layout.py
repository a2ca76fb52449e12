"""A new workbook's folder: what lies in it, whose tables win there, and that it is whole or not."""

import tomllib
from pathlib import Path

import pandas as pd
import pytest

from helpers import cli, data, settings, words
from helpers.press import layout
from helpers.settings import DataError, book

TABLES = {path.stem for path in words.REFERENCE.glob("*.csv")}


def listing(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
    }


def test_a_workbook_has_notebooks_and_only_the_tables_people_edit(tmp_path, capsys):
    assert cli.main(["new", str(tmp_path / "mine")]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line[:3] for line in said[1:]] == ["1. ", "2. ", "3. "]
    laid = listing(tmp_path / "mine")
    copied = {name for name in laid if name.startswith("data/reference/")}
    assert copied == {f"data/reference/{table}.csv" for table in TABLES - {*layout.NOT_DECIDED}}
    assert not {"data/reference/terms.csv", "data/reference/columns.csv"} & copied
    kinds = ("ipynb", "md")
    files = [path for kind in kinds for path in settings.NOTEBOOKS.glob(f"*.{kind}")]
    shipped = {path.name: path.read_bytes() for path in files}
    assert {name: laid[f"notebooks/{name}"] for name in shipped} == shipped
    assert {"reports", "README.md", ".gitignore", "data/README.md", "workbook.toml"} <= {*laid}
    assert [path.name for path in tmp_path.iterdir()] == ["mine"], "nothing is left beside it"


def test_nobody_decides_anything_in_a_table_that_is_not_copied():
    assert {*layout.NOT_DECIDED} <= TABLES, "a table that is gone"
    assert TABLES - {*layout.NOT_DECIDED} == {
        "causes",
        "climb",
        "diagnoses",
        "factors",
        "formats",
        "measures",
        "needs",
        "rfm_segments",
        "stages",
        "statements",
    }, "a new table: do people decide anything in it, or does the code read it?"


def test_the_new_toml_tells_every_key_and_table(tmp_path):
    text = layout.template("ruifeng")
    for key in (*book.WORKBOOK_KEYS, *book.TABLE_KEYS, "engine"):
        assert f"\n{key} = " in text or f"\n# {key} = " in text, key
    sections = {line.removeprefix("# ") for line in text.splitlines()}
    assert {f"[data.{table}]" for table in settings.contract()} <= sections
    for table, columns in settings.contract().items():
        told = text.split(f"\n# {table}: ")[1].split("[data.")[0]
        assert all(name in told for name in columns), table
    assert max(map(len, text.splitlines())) <= 100
    parsed = tomllib.loads(text)
    assert parsed["workbook"]["name"] == parsed["workbook"]["title"] == "ruifeng"


@pytest.mark.parametrize("name", ['a"b', "瑞丰", "a b", "con", "x" * 99, "${HOME}"])
def test_whatever_the_folder_is_called_its_toml_can_be_read(tmp_path, name):
    layout.make_workbook(tmp_path / name)
    opened = settings.workbook(tmp_path / name)
    assert opened.project == tmp_path / name and opened.has("sell_in")


def test_what_the_tables_of_a_new_workbook_say_wins(tmp_path):
    layout.make_workbook(tmp_path / "mine")
    opened = settings.workbook(tmp_path / "mine")
    shared = data.reference(opened, "measures")
    own = tmp_path / "mine" / "data" / "reference" / "measures.csv"
    shared.head(2).to_csv(own, index=False)
    assert len(data.reference(opened, "measures")) == 2 < len(shared)
    shared.head(1).to_csv(tmp_path / "mine" / "measures.csv", index=False)
    assert len(data.reference(opened, "measures")) == 1, "beside the toml is nearer"
    (tmp_path / "mine" / "measures.csv").write_bytes("措施".encode("gb18030"))
    with pytest.raises(DataError, match=r"measures\.csv: this is no CSV in UTF-8"):
        data.reference(opened, "measures")


@pytest.mark.parametrize(
    "part", ["workbook.toml", "notebooks", "reports", "data/reference", "README.md", ".gitignore"]
)
def test_what_is_there_is_not_written_over(tmp_path, part, capsys):
    there = tmp_path / part
    there.parent.mkdir(exist_ok=True)
    there.mkdir() if "." not in part else there.write_text("mine")
    before = listing(tmp_path)
    assert cli.main(["new", str(tmp_path)]) == 2
    assert f"{there} is there already" in capsys.readouterr().err
    assert listing(tmp_path) == before


def test_a_link_to_nowhere_is_there_too(tmp_path):
    (tmp_path / "README.md").symlink_to(tmp_path / "gone")
    with pytest.raises(DataError, match=r"README\.md is there already"):
        layout.make_workbook(tmp_path)
    assert not (tmp_path / "gone").exists()


def test_data_that_lie_there_stay(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sell_in.csv").write_text("dealer_id,date,revenue\nD1,2026-10-31,5\n")
    layout.make_workbook(tmp_path)
    assert (tmp_path / "data" / "sell_in.csv").read_text().endswith("D1,2026-10-31,5\n")
    assert data.described(settings.workbook(tmp_path), "sell_in")["rows"] == 1


@pytest.mark.parametrize("there", [None, "empty", "data"])
@pytest.mark.parametrize("at", range(1, 8))
def test_it_is_whole_or_not_at_all(tmp_path, monkeypatch, there, at):
    """The disk fails at the n-th part that is moved to its place."""
    folder, rename, moves = tmp_path / "mine", Path.rename, []
    if there:
        (folder / there).mkdir(parents=True)
    before = listing(tmp_path)

    def failing(self, target):
        moves.append(target)
        if len(moves) == min(at, 7 if there else 1):
            raise OSError(28, "No space left on device", str(target))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="No space"):
        layout.make_workbook(folder)
    assert listing(tmp_path) == before


def test_a_demo_that_fails_leaves_nothing(tmp_path):
    def fails(folder):
        folder.mkdir()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        layout.make_workbook(tmp_path / "mine", demo=fails)
    assert not [*tmp_path.iterdir()]


def test_with_the_demo_it_is_the_demos(tmp_path):
    def small(folder):
        folder.mkdir()
        rows = pd.DataFrame({"dealer_id": ["D1"], "date": ["2026-10-31"], "revenue": [5.0]})
        rows.to_parquet(folder / "sell_in.parquet")

    layout.make_workbook(tmp_path / "mine", demo=small)
    opened = settings.workbook(tmp_path / "mine")
    assert (opened.name, opened.generated) == ("demo", True)
    assert data.described(opened, "sell_in")["rows"] == 1
