"""What is clean, DuckDB reads; what is not is read row by row; both give the same table, or one
message.
"""

import gzip
import json
import zipfile

import pandas as pd
import pytest

from helpers import settings
from helpers.data import checks, readers, tables
from helpers.data.readers import opening
from helpers.settings import DataError, ReadAs

COLUMNS = ["dealer_id", "date", "revenue", "brand"]
ROWS = [
    [f"{i % 7:05d}", f"2026-{i % 12 + 1:02d}-{i % 28 + 1:02d}", f"{i * 13.25:.2f}", "Lumora"]
    for i in range(1, 61)
]
TOTAL = f"{sum(float(row[2]) for row in ROWS):.2f}"
PLAIN = "\n".join(",".join(row) for row in [COLUMNS, *ROWS]) + "\n"


@pytest.fixture
def book_of(tmp_path, cache):
    """Write a workbook whose sell_in is the given files, and read it."""

    def make(source: str, files: dict[str, bytes], read: str = "") -> settings.Workbook:
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content)
        toml = tmp_path / "workbook.toml"
        toml.write_text(
            '[workbook]\nname = "small"\nbrand = "Lumora"\ncurrency = "CNY"\n'
            f'[data.sell_in]\nsource = "{source}"\n'
            + (f"[data.sell_in.read]\n{read}\n" if read else ""),
            encoding="utf-8",
        )
        return settings.workbook(toml)

    return make


def sums(book: settings.Workbook) -> tuple[int, str, int]:
    rows = tables.table(book, "sell_in").to_pandas()
    return len(rows), f"{rows['revenue'].sum():.2f}", rows["dealer_id"].nunique()


def message(book: settings.Workbook) -> str:
    with pytest.raises(DataError) as error:
        tables.table(book, "sell_in")
    return str(error.value)


def excel(path) -> bytes:
    pd.DataFrame(ROWS, columns=COLUMNS).to_excel(path, index=False)
    return path.read_bytes()


FILES = {
    "plain.csv": PLAIN.encode(),
    "mark.csv": PLAIN.encode("utf-8-sig"),
    "semicolon.csv": PLAIN.replace(",", ";").encode(),
    "tab.tsv": PLAIN.replace(",", "\t").encode(),
    "pipe.txt": PLAIN.replace(",", "|").encode(),
    "wide.csv": PLAIN.encode("utf-16"),
    "chinese.csv": PLAIN.replace("brand", "品牌").encode("gb18030"),
    "returns.csv": PLAIN.replace("\n", "\r").encode(),
    "crlf.csv": PLAIN.replace("\n", "\r\n").encode(),
    "title.csv": ("Sales of the year\n\n" + PLAIN).encode(),
    "total.csv": (PLAIN + f"Total,,{TOTAL},\n").encode(),
    "nobody.csv": (PLAIN + f",2026-12-31,{TOTAL},\n").encode(),
    "blank.csv": PLAIN.replace("\n", "\n\n").encode(),
    "open.csv": PLAIN[:-1].encode(),
    "spaced.csv": PLAIN.replace(",", ", ").encode(),
    "quoted.csv": "\n".join(
        ",".join(f'"{cell}"' for cell in row) for row in [COLUMNS, *ROWS]
    ).encode(),
    "packed.csv.gz": gzip.compress(PLAIN.encode()),
    "titled.csv.gz": gzip.compress(("Sales of the year\n\n" + PLAIN).encode()),
    "list.json": json.dumps([dict(zip(COLUMNS, row, strict=True)) for row in ROWS]).encode(),
    "lines.jsonl": "\n".join(
        json.dumps(dict(zip(COLUMNS, row, strict=True))) for row in ROWS
    ).encode(),
}


CLEAN = (  # what DuckDB reads as it is
    "plain.csv",
    "mark.csv",
    "semicolon.csv",
    "tab.tsv",
    "pipe.txt",
    "crlf.csv",
    "open.csv",
    "quoted.csv",
    "packed.csv.gz",
)


@pytest.mark.parametrize("name", FILES)
def test_each_kind_of_file_gives_the_same_table(book_of, name):
    book = book_of(name, {name: FILES[name]})
    if name == "chinese.csv":
        text = book.path.read_text() + '[data.sell_in.columns]\nbrand = "品牌"\n'
        book.path.write_text(text, encoding="utf-8")
        book = settings.workbook(book.path)
    assert sums(book) == (60, TOTAL, 7)
    assert not (checks.findings(book)["severity"] == "error").any()


def test_a_spreadsheet_and_an_archive(book_of, tmp_path):
    packed = tmp_path / "sales.zip"
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("sales.csv", PLAIN)
    assert sums(book_of("sales.zip", {})) == (60, TOTAL, 7)
    content = excel(tmp_path / "other.xlsx")
    assert sums(book_of("sales.xlsx", {"sales.xlsx": content})) == (60, TOTAL, 7)


def test_what_was_left_out_is_told_and_counted(book_of):
    text = f"Sales\n\n{PLAIN}\nTotal,,{TOTAL},\nPrinted by: the ERP,,,\n"
    book = book_of("s.csv", {"s.csv": text.encode()})
    found = checks.findings(book)
    left_out = found[found["check"].str.startswith("rows_")]
    assert left_out["n_rows"].sum() == 5
    assert set(left_out["file"]) == {"s.csv"}
    assert sorted(left_out["line"]) == [1, 64, 65, 66]
    (file,) = tables.described(book, "sell_in")["files"]
    assert file[:3] == ["s.csv", 60, 66]


def test_clean_text_stays_where_it_is_and_anything_else_is_copied(tmp_path):
    copy = tmp_path / "read.0.parquet"
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
        table = opening.opened(tmp_path / name, ReadAs(), name, copy, closely=False)
        is_clean = name in CLEAN
        assert (table.needs != copy) == is_clean, name
        again = opening.opened(tmp_path / name, ReadAs(), name, copy, closely=True)
        assert again.header == table.header, name


@pytest.mark.parametrize(
    ("bad", "said", "at"),
    [
        ("00001,2026-01-01,5\n", "fewer cells", 10),
        ("00001,2026-01-01,5\n", "fewer cells", 12_000),
        ("00001,2026-01-01,5\n", "fewer cells", 24_000),
        ("00001,2026-01-01,5,Lumora,more\n", "more cells", 12_000),
        ('00001,"2026-01-01,5,Lumora\n', "quotation mark", 12_000),
        ("00001;2026-01-01;5;Lumora\n", "fewer cells", 12_000),
    ],
)
def test_one_bad_row_of_many_is_named_by_its_line(book_of, bad, said, at):
    rows = [",".join(ROWS[i % 60]) + "\n" for i in range(24_000)]
    rows.insert(at, bad)
    book = book_of("s.csv", {"s.csv": (",".join(COLUMNS) + "\n" + "".join(rows)).encode()})
    told = message(book)
    assert told.startswith(f"sell_in: s.csv: line {at + 2:,} has ")
    assert said in told
    assert "\n" not in told


def test_quotes_that_begin_late_are_quotes(book_of):
    rows = [",".join(row) + "\n" for row in ROWS * 700]
    late = '00009,2026-01-02,1.00,"Lumora"\n00009,2026-01-03,2.00,"Kaltern, ""K"""\n'
    text = ",".join(COLUMNS) + "\n" + "".join(rows) + late
    book = book_of("s.csv", {"s.csv": text.encode()})
    rows = tables.table(book, "sell_in").to_pandas()
    assert len(rows) == 42_002
    assert set(rows["brand"]) == {"Lumora", 'Kaltern, "K"'}


@pytest.mark.parametrize("cut", [0.3, 0.7, 0.99])
def test_a_compressed_file_is_read_to_its_end(book_of, cut):
    content = gzip.compress((PLAIN * 50).replace(",".join(COLUMNS) + "\n", "", 49).encode())
    content = content[: int(len(content) * cut)]
    told = message(book_of("s.csv.gz", {"s.csv.gz": content}))
    assert told.startswith("sell_in: s.csv.gz is cut")


def test_files_of_a_pattern_are_matched_by_name(book_of):
    other = pd.DataFrame(ROWS, columns=COLUMNS)[["brand", "revenue", "date", "dealer_id"]]
    files = {
        "m/a.csv": PLAIN.encode(),
        "m/b.csv": other.to_csv(index=False, sep=";").encode("utf-16"),
    }
    n, total, _dealers = sums(book_of("m/*.csv", files))
    assert (n, total) == (120, f"{2 * float(TOTAL):.2f}")


def test_a_column_that_is_called_otherwise_in_one_file_is_named(book_of):
    files = {
        "m/a.csv": PLAIN.encode(),
        "m/b.csv": (PLAIN + "00001,2026-01-01,1,Lumora\n").encode(),
        "m/c.csv": PLAIN.replace("revenue", "金额").encode(),
    }
    told = message(book_of("m/*.csv", files))
    assert told.startswith("sell_in: c.csv has no column 'revenue' but '金额'")


def test_a_copy_among_the_files_would_count_twice(book_of):
    files = {"m/sell_in.csv": PLAIN.encode(), "m/sell_in (1).csv": PLAIN.encode()}
    assert "is a copy of" in message(book_of("m/*.csv", files))


@pytest.mark.parametrize(
    ("read", "said"),
    [
        ('encoding = "klingon"', "encoding 'klingon' is not read"),
        ("header = 99", "line 99 is no header"),
    ],
)
def test_what_is_said_of_a_file_must_be_so(book_of, read, said):
    assert said in message(book_of("s.csv", {"s.csv": PLAIN.encode()}, read))


def test_what_is_said_of_another_kind_of_file_is_refused(book_of, tmp_path):
    kinds = {
        "s.csv": (PLAIN.encode(), 'sheet = "Sales"'),
        "s.xlsx": (excel(tmp_path / "x.xlsx"), 'encoding = "utf-8"'),
        "s.jsonl": (FILES["lines.jsonl"], "header = 2"),
    }
    for name, (content, said) in kinds.items():
        told = message(book_of(name, {name: content}, said))
        assert f"{said.split(' ')[0]} can be said" in told
        assert "[data.sell_in.read]" in told


@pytest.mark.parametrize(
    "read", ["header = -1", "header = true", 'decimal = "x"', 'colour = "red"', "sheet = 3"]
)
def test_a_setting_of_reading_is_refused_rather_than_trusted(book_of, read):
    with pytest.raises(DataError):
        book_of("s.csv", {"s.csv": PLAIN.encode()}, read)


def test_a_file_without_a_header_is_refused_and_says_so(book_of):
    told = message(book_of("s.csv", {"s.csv": PLAIN.split("\n", 1)[1].encode()}))
    assert told.startswith("sell_in: s.csv: line 1 is no header")
    assert "[data.sell_in.read]" in told


def test_headers_are_told_apart_and_cleaned():
    assert opening.unique_names(("a", "A", "", "a ", "\ufeffb")) == [
        "a",
        "A_1",
        "column 3",
        "a_2",
        "b",
    ]


def test_what_a_note_says_names_its_line():
    note = readers.Note("total", 1290, 1, "Total, 12", True)
    assert readers.said((note,)) == ["left out: line 1,290, a total, e.g. Total, 12"]


@pytest.mark.parametrize(
    "header", ["2026-{:02d}", "2026/{}", "2026年{}月", "2026{:02d}", "{}/2026", "2026.{:02d}"]
)
def test_a_column_for_each_month_becomes_a_row(book_of, header):
    months = [header.format(i) for i in range(1, 7)]
    rows = [[f"{i:05d}", *(str(i * m) if m != 3 else "" for m in range(1, 7))] for i in range(1, 8)]
    text = "\n".join(",".join(row) for row in [["dealer_id", *months], *rows])
    book = book_of("w.csv", {"w.csv": text.encode()})
    assert "no column 'revenue'; the file has 'dealer_id', 'date', 'month', 'value'" in message(
        book
    )
    toml = book.path.read_text() + '[data.sell_in.columns]\nrevenue = "value"\n'
    book.path.write_text(toml, encoding="utf-8")
    book = settings.workbook(book.path)
    assert sums(book) == (35, f"{28 * 18:.2f}", 7)
    found = tables.table(book, "sell_in").to_pandas()
    assert sorted({str(day)[:10] for day in found["date"]}) == [
        f"2026-{m:02d}-01" for m in (1, 2, 4, 5, 6)
    ]
    assert "file_wide" in set(checks.findings(book)["check"])


def test_rows_that_stand_on_one_line_are_rows(book_of):
    cells = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
        for row in [["Sales"], COLUMNS, *ROWS, ["Total", "", TOTAL, ""]]
    )
    book = book_of("s.xls", {"s.xls": f"<html><table>{cells}</table></html>".encode()})
    assert sums(book) == (60, TOTAL, 7)


@pytest.mark.parametrize("mark", ["'", "\t", " ", "\ufeff"])
def test_what_excel_puts_before_an_id_is_none_of_it(book_of, mark):
    rows = [[mark + row[0], *row[1:]] for row in ROWS]
    text = "\n".join(",".join(row) for row in [COLUMNS, *rows])
    assert sums(book_of("s.csv", {"s.csv": text.encode()})) == (60, TOTAL, 7)


def test_a_total_beside_months_does_not_count_in_each_of_them(book_of):
    rows = [[f"{i:05d}", "1", "2", "3", "6"] for i in range(1, 8)]
    header = ["dealer_id", "Jan 2026", "Feb 2026", "Mar 2026", "Total"]
    text = "\n".join(",".join(row) for row in [header, *rows])
    book = book_of("w.csv", {"w.csv": text.encode()})
    assert "the file has 'dealer_id', 'date', 'month', 'value' " in message(book)


def test_two_orders_of_the_same_columns_are_an_error(book_of):
    other = [["date", "dealer_id", "revenue", "brand"], *([r[1], r[0], *r[2:]] for r in ROWS)]
    text = PLAIN + "\n".join(",".join(row) for row in other)
    told = message(book_of("s.csv", {"s.csv": text.encode()}))
    assert told.startswith(
        "sell_in: s.csv: line 62 is a header of the same columns in another order"
    )


def test_what_a_spreadsheet_has_rounded_is_said_by_check(book_of, tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(COLUMNS)
    for i, row in enumerate(ROWS):
        book.active.append([12345678901234560 + i * 10, row[1], float(row[2]), row[3]])
    book.save(tmp_path / "s.xlsx")
    found = checks.findings(book_of("s.xlsx", {}))
    (line,) = found.loc[found["check"] == "file_long_number", "line"]
    assert line == 2


def test_what_is_said_of_one_file_of_a_query_stops_no_other(book_of, tmp_path):
    content = excel(tmp_path / "x.xlsx")
    book = book_of("s.xlsx", {"s.xlsx": content, "more.csv": PLAIN.encode()})
    toml = book.path.read_text().split("[data.sell_in]")[0] + (
        '[data.files]\na = "s.xlsx"\nb = "more.csv"\n[data.sell_in]\n'
        "query = 'select * from a union all by name select * from b'\n"
        'read = { sheet = "Sheet1" }\n'
    )
    book.path.write_text(toml, encoding="utf-8")
    assert sums(settings.workbook(book.path))[0] == 120


def test_two_sheets_of_one_file_have_their_titles_both(book_of, tmp_path):
    import openpyxl

    made = openpyxl.Workbook()
    for name, title in (("Sales", "Sold"), ("Money", "Paid")):
        sheet = made.create_sheet(name)
        sheet.append([title])
        sheet.append(["dealer_id", "date", "revenue" if name == "Sales" else "amount"])
        for row in ROWS:
            sheet.append([row[0], row[1], float(row[2])])
    made.save(tmp_path / "s.xlsx")
    book = book_of("s.xlsx", {}, 'sheet = "Sales"')
    more = '[data.payments]\nsource = "s.xlsx"\nread = { sheet = "Money" }\n'
    book.path.write_text(book.path.read_text() + more, encoding="utf-8")
    found = checks.findings(settings.workbook(book.path))
    assert found.loc[found["check"] == "rows_title", "example"].tolist() == ["Sold", "Paid"]
