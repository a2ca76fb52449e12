"""Drawn tables: what SAP, psql, mysql, sqlcmd and Markdown print is read as it was, or refused."""

import unicodedata

import pytest

from helpers.data import readers
from helpers.data.readers import opening
from helpers.settings import DataError, ReadAs

HEADER = ["Kunde", "Name", "Datum", "Umsatz", "Menge"]
NAMES = ["Lampen Groß", "Yingling", "Licht & Co", "赣州照明", "O'Neill", "Haus 7"]
ROWS = [
    [f"D{i % 9:04}", NAMES[i % 6], f"{i % 28 + 1:02}.10.2026", f"{1000 + i * 37},5{i % 10}", str(i)]
    for i in range(1, 61)
]
RIGHT = (3, 4)  # columns of numbers, which are printed to the right


def wide(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def padded(rows: list[list[str]], gap: int = 0) -> list[list[str]]:
    """Write cells as wide as their columns are on the screen."""
    widths = [max(map(wide, column)) + gap for column in zip(*rows, strict=True)]
    return [
        [
            " " * (widths[i] - wide(cell)) + cell
            if i in RIGHT
            else cell + " " * (widths[i] - wide(cell))
            for i, cell in enumerate(row)
        ]
        for row in rows
    ]


def sap(rows: list[list[str]], page: int) -> list[str]:
    head, *body = padded(rows)
    line = "-" * (sum(map(wide, head)) + len(head) + 1)
    pages = []
    for n, part in enumerate(
        [body[i : i + (page or 99)] for i in range(0, len(body), page or 99)], 1
    ):
        pages += [f"31.10.2026      Umsatzliste je Kunde      Seite {n}", "", line]
        pages += [f"|{'|'.join(head)}|", line, *(f"|{'|'.join(row)}|" for row in part), line]
    return pages


def psql(rows: list[list[str]], foot: bool) -> list[str]:
    head, *body = padded(rows)
    rule = "+".join("-" * (wide(cell) + 2) for cell in head)
    lines = [f" {' | '.join(head)} ", rule, *(f" {' | '.join(row)}" for row in body)]
    return [*lines, f"({len(body)} rows)", ""] if foot else lines


def boxed(rows: list[list[str]], marks: str) -> list[str]:
    bar, dash, top, middle, low = marks
    head, *body = padded(rows)

    def rule(cross: str) -> str:
        return cross + cross.join(dash * (wide(cell) + 2) for cell in head) + cross

    def row(cells: list[str]) -> str:
        return f"{bar} {f' {bar} '.join(cells)} {bar}"

    return [rule(top), row(head), rule(middle), *map(row, body), rule(low)]


def markdown(rows: list[list[str]], aligned: bool) -> list[str]:
    head, *body = padded(rows) if aligned else rows
    under = "|" + "|".join("---:" if i in RIGHT else ":---" for i in range(len(head))) + "|"
    return [f"| {' | '.join(row)} |" if row else under for row in [head, [], *body]]


def fixed(rows: list[list[str]], rule: str, title: str = "", foot: str = "") -> list[str]:
    head, *body = padded(rows, gap=0)
    under = ["  ".join(rule * wide(cell) for cell in head)] if rule else []
    lines = ["  ".join(head), *under, *("  ".join(row) for row in body)]
    return [*([title, ""] if title else []), *lines, *(["", foot] if foot else [])]


TABLE = [HEADER, *ROWS]
SHAPES = {
    "SAP's list on one page": sap(TABLE, 0),
    "SAP's list on pages of 25": sap(TABLE, 25),
    "SAP's list on pages of 7": sap(TABLE, 7),
    "psql": psql(TABLE, foot=False),
    "psql with its count": psql(TABLE, foot=True),
    "mysql": boxed(TABLE, "|-+++"),
    "psql with borders": [*boxed(TABLE, "|-+++"), "(60 rows)"],
    "double lines": boxed(TABLE, "|=+++"),
    "Unicode": boxed(TABLE, "│─┬┼┴"),
    "Unicode, double": boxed(TABLE, "║═╦╬╩"),
    "Markdown": markdown(TABLE, aligned=True),
    "Markdown, not aligned": markdown(TABLE, aligned=False),
    "Markdown without outer bars": [line[1:-1] for line in markdown(TABLE, aligned=False)],
    "sqlcmd": fixed(TABLE, "-"),
    "SQL*Plus with a title": fixed(TABLE, "-", title="Umsatzliste Oktober 2026"),
    "double rule": fixed(TABLE, "="),
    "blanks": fixed(TABLE, ""),
    "blanks under a title": fixed(TABLE, "", title="Umsatzliste der Kunden im Oktober 2026"),
    "blanks above a remark": fixed(TABLE, "", foot="Erstellt von Meier am 31.10.2026, Seite 1"),
}
ENDS = {"lines of Unix": "\n", "lines of Windows": "\r\n"}


def found(tmp_path, text: str, encoding: str = "utf-8") -> opening.Read:
    file = tmp_path / "list.txt"
    file.write_bytes(text.encode(encoding))
    return readers.read(file, ReadAs(), file.name)


def table(read: opening.Read) -> list[list[str]]:
    header, rows, _notes = readers.turned(read)
    return [list(header), *(row.cells for row in rows)]


def counted(read: opening.Read) -> int:
    out = sum(note.n_rows for note in read.notes if note.is_left_out)
    return read.layout.n_rows + len(read.layout.header_rows) + out


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_drawn_table_is_read_cell_by_cell_and_each_line_is_counted(tmp_path, shape, ends):
    lines = SHAPES[shape]
    read = found(tmp_path, "".join(line + ENDS[ends] for line in lines))
    assert table(read) == TABLE
    assert counted(read) == read.layout.n_in_file == len(lines)


TOTAL = ["Summe", "", "", f"{sum(1000 + i * 37 for i in range(1, 61)) + 27},00", ""]
TOTAL_SHAPES = {
    "SAP": sap([*TABLE, TOTAL], 0),
    "SAP's stars": sap([*TABLE, ["*", *TOTAL[1:]]], 0),
    "psql": psql([*TABLE, TOTAL], foot=True),
    "mysql": boxed([*TABLE, TOTAL], "|-+++"),
    "Markdown": markdown([*TABLE, TOTAL], aligned=False),
    "sqlcmd": fixed([*TABLE, TOTAL], "-"),
    "blanks": fixed([*TABLE, TOTAL], ""),
}


@pytest.mark.parametrize("shape", TOTAL_SHAPES)
def test_the_total_of_a_drawn_table_is_left_out_and_counted(tmp_path, shape):
    read = found(tmp_path, "\n".join(TOTAL_SHAPES[shape]) + "\n")
    assert table(read) == TABLE
    assert counted(read) == read.layout.n_in_file == len(TOTAL_SHAPES[shape])
    assert [note.n_rows for note in read.notes if note.what == "total"] == [1]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("shape", ["SAP's list on pages of 7", "Unicode", "sqlcmd", "blanks"])
def test_columns_stand_where_the_screen_shows_them_in_any_encoding(tmp_path, shape, encoding):
    chinese = [["客户编号", "客户名称", "日期", "含税金额", "数量"]]
    chinese += [
        [r[0], ["赣州照明", "南昌灯饰城", "九江"][i % 3], *r[2:]] for i, r in enumerate(ROWS)
    ]
    rule = "-" if shape == "sqlcmd" else ""
    lines = sap(chinese, 7) if shape.startswith("SAP") else fixed(chinese, rule)
    lines = boxed(chinese, "│─┬┼┴") if shape == "Unicode" else lines
    assert table(found(tmp_path, "\n".join(lines), encoding)) == chinese


def test_a_bar_in_a_cell_is_text_where_the_columns_say_so(tmp_path):
    rows = [HEADER, *([r[0], r[1].replace("&", "|"), *r[2:]] for r in ROWS)]
    assert table(found(tmp_path, "\n".join(boxed(rows, "|-+++")))) == rows
    assert table(found(tmp_path, "\n".join(psql(rows, foot=True)))) == rows
    lines = [line.replace(" | Co", " \\| Co") for line in markdown(rows, aligned=False)]
    assert table(found(tmp_path, "\n".join(lines))) == rows


# what can't be told is refused, never read as if it could
SPOILT = {
    "a row of fewer cells": lambda lines: [*lines[:20], "|D0001|cut|", *lines[20:]],
    "a row without bars": lambda lines: [*lines[:20], "a remark between two rows", *lines[20:]],
    "a row of more cells": lambda lines: [*lines[:20], "|a|b|c|d|e|f|g|h|", *lines[20:]],
}


@pytest.mark.parametrize("spoilt", SPOILT)
@pytest.mark.parametrize("page", [0, 25])
def test_a_line_that_does_not_keep_to_the_columns_is_refused_with_its_line(tmp_path, spoilt, page):
    lines = SPOILT[spoilt](sap(TABLE, page))
    read = found(tmp_path, "\n".join(lines))
    with pytest.raises(DataError, match=r"list\.txt: line 21 has (fewer|more) cells"):
        opening.require_table(read, "list.txt")


def test_lines_between_two_pages_are_no_head_unless_the_header_follows(tmp_path):
    lines = sap(TABLE, 25)
    again = lines.index(lines[3], 10)
    broken = [*lines[: again - 3], "a row that is none", *lines[again + 2 :]]
    with pytest.raises(DataError, match="fewer cells"):
        opening.require_table(found(tmp_path, "\n".join(broken)), "list.txt")


@pytest.mark.parametrize(
    "text",
    [
        "-[ RECORD 1 ]---\nid  | A1\nsum | 5\n-[ RECORD 2 ]---\nid  | A2\nsum | 6\n",
        "*************************** 1. row ***************************\n id: 1\nsum: 5\n",
    ],
    ids=["psql", "mysql"],
)
def test_one_value_a_line_is_refused_with_what_to_do(tmp_path, text):
    with pytest.raises(DataError, match=r"list\.txt: from line 1 on each value .*export it as CSV"):
        found(tmp_path, text)


UNDRAWN = {
    "a bar as delimiter": "id|name|sum\nA1|x|1.5\nA2|y|2.5\n",
    "bars at both ends": "|id|name|sum|\n|A1|x|1.5|\n|A2|y|2.5|\n",
    "dashes in a cell": "id,name,sum\nA1,---,1.5\nA2,----,2.5\n",
    "minus under commas": "id,sum\nA1,-5\nA2,-6\nA3,-7\nA4,-8\n",
    "padded cells": "id  , name , sum\nA1  , x    , 1.5\nA2  , y    , 2.5\nA3  , y    , 2.5\n",
    "semicolons, decimal commas": "id;name;sum\nA1;x  y;1,5\nA2;y  z;2,5\nA3;y  z;2,5\n",
    "words": "Dear reader,\nthis is a text,\nand no table at all,\nwhatever it holds.\n",
}


@pytest.mark.parametrize("name", UNDRAWN)
def test_what_is_not_drawn_is_left_to_its_delimiter(tmp_path, name):
    lines = UNDRAWN[name].splitlines()
    read = found(tmp_path, UNDRAWN[name])
    mark = next((mark for mark in "|;," if mark in lines[0] and mark in lines[1]), "")
    if name == "words":
        mark = ","
    assert read.delimiter == mark
    assert counted(read) == read.layout.n_in_file == len(lines)
