"""`workbook read`: what is read of a file, as it stands, and what is said of the rest."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings

from dialect_cases import cases, difference
from helpers import cli

LINES = "dealer_id,date,revenue\nD1,2026-09-30,5\nD1,2026-10-31,5.5\n"


@pytest.fixture
def read(tmp_path, capsys):
    """Run the command; give exit code, rows and what was said."""

    def run(*arguments: str) -> tuple[int, list[list[str]], str]:
        code = cli.main(["read", *arguments])
        out, said = capsys.readouterr()
        return code, list(csv.reader(io.StringIO(out, newline=""))), said

    return run


@pytest.mark.parametrize(
    ("name", "content", "code", "said"),
    [
        ("a.csv", LINES.encode(), 0, ""),
        ("a.tsv", LINES.replace(",", "\t").encode("utf-16"), 0, ""),
        ("a.txt", b"Sales\n\n" + LINES.encode(), 1, "left out: from line 1 on, 2 titles"),
        ("a.csv", LINES.encode() + b"Total,,10.5\n", 1, ""),
        ("a.csv", LINES.encode() + b"D1,2026-10-31\n", 1, "line 4, a row with fewer cells"),
        ("a.csv", b"", 1, "it is empty"),
        ("a.parquet", b"PAR1 and nothing more", 2, ""),
        ("a.csv", b"a,b\n1,\xff\n", 2, "its encoding can't be told by line 2"),
    ],
)
def test_exit_codes_and_what_is_said(read, tmp_path, name, content, code, said):
    path = tmp_path / name
    path.write_bytes(content)
    found, rows, told = read(str(path))
    assert found == code
    assert said in told
    assert all(line.startswith(f"{name}: ") for line in told.splitlines())
    if code < 2 and content:
        assert rows[0] == ["dealer_id", "date", "revenue"]
        assert rows[1:3] == [["D1", "2026-09-30", "5"], ["D1", "2026-10-31", "5.5"]]


def test_a_refused_file_stops_no_other(read, tmp_path):
    (tmp_path / "bad.csv").write_bytes(b"a,b\n1,\xff\n")
    (tmp_path / "good.csv").write_text(LINES)
    out = tmp_path / "new" / "folder"
    files = [str(tmp_path / name) for name in ("gone.csv", "bad.csv", "good.csv")]
    code, rows, told = read("--out", str(out), *files)
    assert (code, rows) == (2, [])
    assert (out / "good.csv").read_text() == LINES
    assert sorted(path.name for path in out.iterdir()) == ["good.csv"]
    assert "gone.csv: no such file" in told


def test_nothing_is_overwritten(read, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(LINES)
    for _again in range(2):
        code, _rows, told = read("--out", str(tmp_path), str(path))
        assert code == 2
        assert "is there already" in told
        assert path.read_text() == LINES
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.csv").write_text(LINES + "D2,2026-10-01,1\n")
    code, _rows, told = read(
        "--out", str(tmp_path / "out"), str(path), str(tmp_path / "other" / "a.csv")
    )
    assert code == 2
    assert "another file of this name" in told
    assert (tmp_path / "out" / "a.csv").read_text() == LINES


def test_a_link_in_the_folder_leads_nowhere(read, tmp_path):
    path, out, target = tmp_path / "a.csv", tmp_path / "out", tmp_path / "precious"
    path.write_text(LINES)
    out.mkdir()
    (out / "a.csv").symlink_to(target)
    code, _rows, _told = read("--out", str(out), str(path))
    assert code == 2
    assert not target.exists()


def test_cells_stand_as_they_are(read, tmp_path):
    rows = [["id", "text", "n"], ["1", "=1+1", " 01 "], ["2", 'say "so"', ""], ["3", "a\nb", "x,y"]]
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\n").writerows([*rows, *rows[1:], *rows[1:]])
    (tmp_path / "a.csv").write_text(text.getvalue())
    code, found, _told = read(str(tmp_path / "a.csv"))
    assert (code, found) == (0, [*rows, *rows[1:], *rows[1:]])


def test_what_a_person_says_of_a_file(read, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("编号,品牌\n1,甲\n2,乙\n".encode("gb18030"))
    code, rows, _told = read("--encoding", "gb18030", str(path))
    assert (code, rows[0]) == (0, ["编号", "品牌"])
    path.write_text("x,y\na,b\nc,d\n")
    assert read("--header", "2", str(path))[1] == [["a", "b"], ["c", "d"]]
    assert read("--header", "two", str(path))[0] == 2
    assert read("--encoding", "klingon", str(path))[0] == 2


def test_a_table_is_shown_as_the_contract_has_it(read, tmp_path):
    lines = (
        "Verkäufe\n\nKunde;Tag;Betrag;Text\nD1;03.10.2026;1.234,50;a\nD1;14.10.2026;2,25;b\n"
        'D2;15.10.2026;"1.000,00";=1+1\nSumme;;2.236,75;\n'
    )
    (tmp_path / "s.csv").write_bytes(lines.encode("cp1252"))
    (tmp_path / "workbook.toml").write_text(
        '[workbook]\nname = "t"\n[data.sell_in]\nsource = "s.csv"\n[data.sell_in.columns]\n'
        'dealer_id = "Kunde"\ndate = "Tag"\nrevenue = "Betrag"\nbrand = "Text"\n'
    )
    code, rows, told = read("--config", str(tmp_path), "--table", "sell_in")
    assert code == 1
    assert "sell_in: s.csv: left out: line 7, a total" in told
    header = rows[0]
    assert [dict(zip(header, row, strict=True)) for row in rows[1:]] == [
        {"dealer_id": "D1", "date": "2026-10-03", "revenue": "1234.50", "brand": "a"},
        {"dealer_id": "D1", "date": "2026-10-14", "revenue": "2.25", "brand": "b"},
        {"dealer_id": "D2", "date": "2026-10-15", "revenue": "1000.00", "brand": "'=1+1"},
    ]
    assert read("--config", str(tmp_path), "--table", "payments")[0] == 2


def test_files_or_a_table(read):
    assert read()[0] == 2
    assert read("--table", "sell_in", "a.csv")[0] == 2


@given(case=cases())
@settings(
    max_examples=80,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_told_nothing_it_reads_as_csv_does_told_the_dialect(tmp_path, case):
    assert difference(case, tmp_path / "case.csv") == ""
