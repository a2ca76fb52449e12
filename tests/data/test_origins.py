"""Files of one pattern are each read as they are written, and numbers of a file are no texts."""

import datetime as dt
import itertools
import json
import sqlite3

import openpyxl
import pytest

from helpers.data import tables
from helpers.settings import DataError, workbook

CENTS = (123450, 99999, 1230000, 7, 4550)
DAYS = tuple(dt.date(2026, 10, day) for day in (3, 14, 25, 28, 31))


def german(cents: int) -> str:
    return english(cents).translate(str.maketrans(".,", ",."))


def english(cents: int) -> str:
    return f"{cents / 100:,.2f}"


NUMBERS = {"german": german, "english": english, "plain": lambda cents: f"{cents / 100:.2f}"}
WAYS = {"day first": "%d/%m/%Y", "month first": "%m/%d/%Y", "iso": "%Y-%m-%d", "dots": "%d.%m.%Y"}


def lines(number, way: str, mark: str) -> str:
    rows = [["dealer_id", "date", "revenue"]]
    for i, (day, cents) in enumerate(zip(DAYS, CENTS, strict=True)):
        rows.append([f"D{i % 3}", day.strftime(way), number(cents)])
    text = [mark.join(f'"{c}"' if mark in c else c for c in row) for row in rows]
    return "\n".join(text) + "\n"


@pytest.fixture
def read(tmp_path, cache):
    """Read files of one pattern as sell-in."""

    def made(more: str = "", ending: str = "csv", **files):
        for name, text in files.items():
            path = tmp_path / f"m_{name}.{ending}"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        toml = tmp_path / "workbook.toml"
        toml.write_text(
            '[workbook]\nname = "small"\ncurrency = "EUR"\n[data.sell_in]\n'
            f'source = "m_*.{ending}"\n{more}\n'
        )
        return tables.table(workbook(toml), "sell_in").execute()

    return made


def sums(found) -> dict[str, int]:
    cents = found["revenue"].map(lambda amount: round(float(amount) * 100))
    return cents.groupby(found["date"].astype("str")).sum().to_dict()


def truth(times: int) -> dict[str, int]:
    return {day.isoformat(): times * cents for day, cents in zip(DAYS, CENTS, strict=True)}


@pytest.mark.parametrize("marks", [(";", ","), (";", ";"), ("\t", ",")])
@pytest.mark.parametrize(("one", "other"), [*itertools.combinations(NUMBERS, 2)])
def test_each_file_has_its_own_style_of_numbers(read, one, other, marks):
    a, b = (lines(NUMBERS[n], "%Y-%m-%d", m) for n, m in zip((one, other), marks, strict=True))
    assert sums(read(a=a, b=b)) == truth(2)


@pytest.mark.parametrize("marks", [(";", ","), (";", ";")])
@pytest.mark.parametrize(("one", "other"), [*itertools.combinations(WAYS, 2)])
def test_each_file_has_its_own_way_to_write_a_day(read, one, other, marks):
    a, b = (lines(NUMBERS["plain"], WAYS[w], m) for w, m in zip((one, other), marks, strict=True))
    assert sums(read(a=a, b=b)) == truth(2)


HEAD = "dealer_id;date;revenue\n"


@pytest.mark.parametrize("mark", [",", "\t", ";"])
@pytest.mark.parametrize("style", ["german", "plain"])
def test_a_file_that_leaves_its_style_open_is_not_read_in_another_ones(read, style, mark):
    # one thousand two hundred and thirty-four: in another file's style it would be one and a bit
    a = lines(NUMBERS[style], "%Y-%m-%d", ";")
    written = "1,234" if style == "german" else "1.234"
    b = mark.join(["dealer_id", "date", "revenue"]) + "\n"
    b += mark.join(["D1", "2026-10-05", f'"{written}"' if mark == "," else written]) + "\n"
    with pytest.raises(
        DataError, match=r"of m_b\.csv .*(1\.234 or 1234|1234 or 1\.234); say which"
    ):
        read(a=a, b=b)
    # and what is said of it is not said of the file that tells its own
    for given in ("1,234.56", "1.234,56"):
        found = read(f'format = {{ revenue = "{given}" }}', a=a, b=b)
        cents = 123400 if given[1] == written[1] else 123
        assert sums(found) == {**truth(1), "2026-10-05": cents}


def test_a_file_of_the_same_kind_says_what_thousands_are(read):
    b = HEAD + "D1;2026-10-05;1.234\n"
    found = read(a=lines(german, "%Y-%m-%d", ";"), b=b)
    assert sums(found) == {**truth(1), "2026-10-05": 123400}


def test_a_day_that_could_be_two_is_not_read_as_another_kind_of_file_says(read):
    b = "dealer_id,date,revenue\nD1,03/10/2026,5\n"
    with pytest.raises(DataError, match=r"of m_b\.csv .*2026-10-03 or 2026-03-10"):
        read(a=lines(NUMBERS["plain"], "%d/%m/%Y", ";"), b=b)


def test_files_of_two_currencies_are_not_added_up(read):
    a, b = (HEAD + f"D1;2026-10-0{i};{c} 5\n" for i, c in enumerate("€$", 1))
    with pytest.raises(DataError, match=r"more than one currency, e\.g\. .€ 5."):
        read(a=a, b=b)


def test_files_of_one_name_are_told_apart(tmp_path, cache):
    for month, row in (("09", "D1;2026-09-30;5\n"), ("10", "D1;2026-10-31;x\n")):
        (tmp_path / month).mkdir()
        (tmp_path / month / "sales.csv").write_text(HEAD + row)
    toml = tmp_path / "workbook.toml"
    toml.write_text('[workbook]\nname = "small"\n[data.sell_in]\nsource = "*/sales.csv"\n')
    with pytest.raises(DataError, match=r"10/sales.csv .*'x' on line 2"):
        tables.table(workbook(toml), "sell_in")


# ---- numbers beside texts ------------------------------------------------------------------------


def sheet(path, amounts):
    book = openpyxl.Workbook()
    book.active.append(["dealer_id", "date", "revenue"])
    for i, amount in enumerate(amounts, 1):
        book.active.append([f"D{i % 3}", f"2026-10-{i:02}", amount])
    book.save(path)


def objects(path, amounts):
    rows = [
        {"dealer_id": f"D{i % 3}", "date": f"2026-10-{i:02}", "revenue": amount}
        for i, amount in enumerate(amounts, 1)
    ]
    path.write_text(json.dumps(rows))


def database(path, amounts):
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as con:
        con.execute("CREATE TABLE t (dealer_id TEXT, date TEXT, revenue)")
        rows = [(f"D{i % 3}", f"2026-10-{i:02}", amount) for i, amount in enumerate(amounts, 1)]
        con.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
    con.close()


KINDS = {"m_a.xlsx": sheet, "m_a.json": objects, "m_a.sqlite": database}


@pytest.mark.parametrize("file", KINDS)
@pytest.mark.parametrize(
    ("amounts", "cents"),
    [
        ([1234.5, 7.25, "1.234,50", "9,90"], [123450, 725, 123450, 990]),
        ([1234.5, 7.25, "1,234.50", "9.90"], [123450, 725, 123450, 990]),
        ([1.125, 2.125, "1.234,50"], [113, 213, 123450]),
        ([1.125, 2.125], [113, 213]),
        ([1234, "12,5 €"], [123400, 1250]),
        ([-5.5, "(5,25)"], [-550, -525]),
    ],
)
def test_a_number_of_the_file_is_what_it_is_and_texts_have_their_style(
    read, tmp_path, file, amounts, cents
):
    KINDS[file](tmp_path / file, amounts)
    assert sums(read(ending=file[4:])) == {
        f"2026-10-{i:02}": amount for i, amount in enumerate(cents, 1)
    }


@pytest.mark.parametrize("file", KINDS)
def test_numbers_do_not_decide_what_a_text_means(read, tmp_path, file):
    KINDS[file](tmp_path / file, [1234.5, 7.25, "1.234"])
    with pytest.raises(DataError, match=r"'1\.234'.* is 1\.234 or 1234"):
        read(ending=file[4:])
    found = read('format = { revenue = "1.234,56" }', file[4:])
    assert sorted(float(amount) for amount in found["revenue"]) == [7.25, 1234.0, 1234.5]


@pytest.mark.parametrize("file", KINDS)
def test_a_mark_that_is_said_is_said_of_texts(read, tmp_path, file):
    KINDS[file](tmp_path / file, [1.234, 7.25, "1.234"])
    found = read('read = { decimal = "," }', file[4:])
    assert sorted(float(amount) for amount in found["revenue"]) == [1.23, 7.25, 1234.0]


def test_files_with_types_lie_beside_files_of_text(read, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    given = {"dealer_id": ["D1"], "date": ["2026-10-01"], "revenue": [1.125]}
    pq.write_table(pa.table(given), tmp_path / "m_b.csv")
    sheet(tmp_path / "m_c.csv", [1.125, 2.125])
    found = read(a=HEAD + "D1;2026-10-05;1.234,50\n")
    assert sums(found) == {"2026-10-01": 226, "2026-10-02": 213, "2026-10-05": 123450}
