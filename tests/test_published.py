"""Published tables: the comparator finds all that differs and no more.

The small demo is the same however printed.
"""

import json
import math
import random
import shutil
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as search
from hypothesis import strategies as st

import published
import wording
from helpers import files, report, settings, words
from helpers.press import edition
from published import Difference, Table

LANGUAGES = ["en", "zh-Hans"]
MONEY, SHARES, TEXTS = (
    ["revenue", "balance"],
    ["old_share"],
    ["dealer_name", "composite_class", "reason"],
)
COLUMNS = [
    "dealer_id",
    "dealer_name",
    "month",
    *MONEY,
    *SHARES,
    "n_orders",
    "composite_class",
    "reason",
]
HOSTILE = [
    "=1+1",
    "a,b",
    'a "b"',
    "a\nb",
    "a\rb",
    "a\u2028b",
    "'x",
    "-",
    "–",
    "顺达",
    " a ",
    "007",
    "1e5",
    "nan",
    ";=b",
]


# ---- planted differences -------------------------------------------------------------------------

CENTS = st.integers(-(10**12), 10**12)


@st.composite
def tables(draw) -> dict[str, Table]:
    """Draw an edition's tables as a page would write them.

    One row a dealer, with texts of any kind.
    """

    def table() -> Table:
        ids = draw(
            st.lists(
                st.from_regex(r"0{0,2}[1-9]\d{0,2}", fullmatch=True),
                min_size=2,
                max_size=7,
                unique=True,
            )
        )
        texts = st.one_of(
            st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=("Cs",)), max_size=9)
        )
        rows = [
            [
                dealer_id,
                draw(texts),
                draw(st.sampled_from(["2026-09", "2026-10"])),
                draw(st.one_of(st.just(""), CENTS.map(lambda n: repr(n / 100 + 0.001)))),
                repr(draw(CENTS) / 100),
                repr(draw(st.floats(-1, 1)) + 0.0),
                str(draw(st.integers(0, 999))),
                draw(st.sampled_from("ABC–")),
                draw(texts),
            ]
            for dealer_id in ids
        ]
        return Table(list(COLUMNS), rows)

    return {name: table() for name in ("abc_pareto", "receivables", "dead_stock")}


def changed(table: Table, row: int, column: str, value: str) -> Table:
    rows = [list(cells) for cells in table.rows]
    rows[row][table.columns.index(column)] = value
    return table._replace(rows=rows)


def cell_of(table: Table, row: int, column: str) -> str:
    return table.rows[row][table.columns.index(column)]


def written_anew(edition: dict[str, Table], draw) -> dict[str, Table]:
    """Write the same otherwise.

    Money to the cent, columns in another order, counts with a point, sums a hair off.
    """
    found = {}
    for name, table in edition.items():
        order = draw(st.permutations(table.columns))
        to_cents, hair = draw(st.booleans()), draw(st.sampled_from([0, 1e-10, -1e-10]))

        def spelled(column: str, cell: str, to_cents=to_cents, hair=hair) -> str:
            if not cell or column not in (*MONEY, *SHARES, "n_orders"):
                return cell
            if column == "n_orders":
                return f"{cell}.0" if to_cents else cell
            value = float(cell) * (1 + hair)
            return f"{value:.2f}" if to_cents and column in MONEY else repr(value)

        rows = [[spelled(c, row[table.columns.index(c)]) for c in order] for row in table.rows]
        found[name] = Table(list(order), rows)
    return found


@search(max_examples=50)
@given(tables(), st.data())
def test_the_same_written_otherwise_does_not_differ(edition, data):
    assert published.differences(edition, edition) == []
    assert published.differences(edition, written_anew(edition, data.draw)) == []
    assert published.differences(written_anew(edition, data.draw), edition) == []


def _other_number(data, table: Table, row: int, column: str) -> str:
    """Change a number by the least that counts, or by a lot."""
    cell = cell_of(table, row, column)
    if not cell:
        return "1.00"
    value = float(cell)
    least = (0.0051 if column in MONEY else 1e-11 if column in SHARES else 1) + 1.1e-9 * (
        abs(value) + 1
    )
    return repr(value + data.draw(st.sampled_from([1, -1, 1000])) * least)


def _other_text(data, text: str) -> str:
    others = [
        f"{text}x",
        f"{text} ",
        f"'{text}",
        text[:-1],
        text.swapcase(),
        "",
        text.replace("=", "'="),
    ]
    return data.draw(st.sampled_from([other for other in others if other != text]))


def _plant_cells(data, name: str, table: Table) -> tuple[Table, set]:
    """Change some rows of a column that is neither key nor month."""
    column = data.draw(st.sampled_from([*MONEY, *SHARES, "n_orders", *TEXTS]))
    rows = data.draw(st.sets(st.integers(0, len(table.rows) - 1), min_size=1))
    after = table
    for row in rows:
        before = cell_of(table, row, column)
        other = (
            _other_text(data, before)
            if column in TEXTS
            else _other_number(data, table, row, column)
        )
        after = changed(after, row, column, other)
    return after, {(name, "cell", column, len(rows), len(table.rows))}


def _plant_emptied(data, name: str, table: Table) -> tuple[Table, set]:
    """Make a number known, or unknown."""
    row = data.draw(st.integers(0, len(table.rows) - 1))
    cell = cell_of(table, row, "revenue")
    return changed(table, row, "revenue", "" if cell else "0.0"), {
        (name, "cell", "revenue", 1, len(table.rows))
    }


def _plant_rows_gone(data, name: str, table: Table) -> tuple[Table, set]:
    n = data.draw(st.integers(1, len(table.rows) - 1))
    left = data.draw(st.sets(st.integers(0, len(table.rows) - 1), min_size=n, max_size=n))
    rows = [cells for i, cells in enumerate(table.rows) if i not in left]
    return table._replace(rows=rows), {(name, "row_gone", "", n, len(table.rows))}


def _plant_rows_new(data, name: str, table: Table) -> tuple[Table, set]:
    place = data.draw(st.integers(0, len(table.rows)))
    new = ["D-new", *table.rows[0][1:]]
    rows = [*table.rows[:place], new, *table.rows[place:]]
    return table._replace(rows=rows), {(name, "row_new", "", 1, len(rows))}


def _plant_id(data, name: str, table: Table) -> tuple[Table, set]:
    """Write an id in another way: another dealer."""
    row = data.draw(st.integers(0, len(table.rows) - 1))
    n = len(table.rows)
    other = f"000{cell_of(table, row, 'dealer_id')}"
    return changed(table, row, "dealer_id", other), {
        (name, "row_gone", "", 1, n),
        (name, "row_new", "", 1, n),
    }


def _plant_order(_data, name: str, table: Table) -> tuple[Table, set]:
    first, second, *rest = table.rows
    return table._replace(rows=[second, first, *rest]), {(name, "order", "", 2, len(table.rows))}


def _plant_column_gone(data, name: str, table: Table) -> tuple[Table, set]:
    place = data.draw(st.integers(1, len(COLUMNS) - 1))
    rows = [[cell for i, cell in enumerate(cells) if i != place] for cells in table.rows]
    columns = [c for c in table.columns if c != table.columns[place]]
    return Table(columns, rows), {(name, "column_gone", table.columns[place], 1, 1)}


def _plant_column_new(_data, name: str, table: Table) -> tuple[Table, set]:
    rows = [[*cells, f"new {i}"] for i, cells in enumerate(table.rows)]
    return Table([*table.columns, "remark"], rows), {(name, "column_new", "remark", 1, 1)}


def _plant_column_renamed(data, name: str, table: Table) -> tuple[Table, set]:
    telling = [c for c in COLUMNS if len(set(published._column(table, c))) > 1]
    old = data.draw(st.sampled_from(telling))
    columns = [
        f"{c}_now" if c == old and c != "dealer_id" else "shop_id" if c == old else c
        for c in table.columns
    ]
    return table._replace(columns=columns), {(name, "column_renamed", old, 1, 1)}


def _plant_torn(_data, name: str, table: Table) -> tuple[Table, set]:
    return table._replace(n_torn=table.n_torn + 1), {(name, "torn", "", 1, 1)}


def _plant_gone(_data, name: str, table: Table) -> tuple[None, set]:
    return None, {(name, "table_gone", "", 1, len(table.rows))}


PLANTS = [
    _plant_cells,
    _plant_emptied,
    _plant_rows_gone,
    _plant_rows_new,
    _plant_id,
    _plant_order,
    _plant_column_gone,
    _plant_column_new,
    _plant_column_renamed,
    _plant_torn,
    _plant_gone,
]


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__.removeprefix("_plant_"))
@search(max_examples=25)
@given(edition=tables(), data=st.data())
def test_what_is_planted_is_found_and_nothing_else(plant, edition, data):
    names = data.draw(st.sets(st.sampled_from(sorted(edition)), min_size=1))
    after, expected = dict(edition), set()
    for name in names:
        after[name], planted = plant(data, name, edition[name])
        expected |= planted
    after = {name: table for name, table in after.items() if table is not None}
    found = published.differences(edition, after)
    assert {(d.table, d.kind, d.column, d.n, d.of) for d in found} == expected
    assert len(found) == len(expected)
    back = published.differences(after, edition)  # seen from the other side
    swap = {"gone": "new", "new": "gone"}
    turned = {
        (t, "_".join(swap.get(part, part) for part in k.split("_")), n)
        for t, k, _c, n, _of in expected
    }
    assert {(d.table, d.kind, d.n) for d in back} == turned


def test_several_kinds_in_one_table_are_told_apart():
    before = Table(
        ["dealer_id", "revenue", "reason"],
        [["1", "1.0", "a"], ["2", "2.0", "b"], ["3", "3.0", "c"]],
    )
    after = Table(
        ["dealer_id", "reason", "stake"], [["3", "c", "7"], ["1", "z", "8"], ["4", "b", "9"]]
    )
    found = published.differences({"calls": before}, {"calls": after})
    assert [str(difference) for difference in found] == [
        "calls.revenue: the column is gone",
        "calls.stake: a new column",
        "calls: 1 of 3 rows are gone, e.g. dealer_id 2",
        "calls: 1 of 3 rows are new, e.g. dealer_id 4",
        "calls: 2 of 2 rows stand elsewhere, e.g. dealer_id 1: row 1 → row 2",
        "calls.reason: 1 of 2 cells differ, e.g. dealer_id 1: a → z",
    ]


@pytest.mark.parametrize(
    ("column", "before", "after", "differs"),
    [
        ("revenue", "1234.5", "1234.50", False),
        ("revenue", "1234.4951", "1234.50", False),
        ("revenue", "0.005", "0.01", False),
        ("revenue", "1234.494", "1234.50", True),
        ("old_share", "0.4951", "0.50", True),
        ("old_share", "0.5", "0.50", False),
        ("score", "0.1", "0.10000000000000003", False),
        ("score", "0.1", "0.100001", True),
        ("revenue", "1e18", "1000000000000000000.0", False),
        ("revenue", "inf", "inf", False),
        ("revenue", "inf", "-inf", True),
        ("revenue", "1.0", "inf", True),
        ("revenue", "", "0", True),
        ("revenue", "", "nan", True),
        ("dealer_id", "007", "7", True),
        ("order_id", "1.0", "1", True),
        ("dealer_name", "1.0", "1", True),
        ("reason", "'=1", "=1", True),
        ("reason", "a", "a ", True),
        ("is_new", "True", "true", True),
        ("month", "2026-09", "2026-9", True),
    ],
)
def test_when_two_cells_are_equal(column, before, after, differs):
    old, new = (
        {"t": Table(["shop_id", column], [["x", cell], ["y", "other"]])} for cell in (before, after)
    )
    assert [found.kind for found in published.differences(old, new)] == ["cell"] * differs


def test_the_example_is_what_lies_furthest_apart():
    before = Table(["dealer_id", "balance"], [["1", "1.0"], ["2", "10.0"], ["3", ""]])
    after = Table(["dealer_id", "balance"], [["1", "2.0"], ["2", "-90.0"], ["3", "5.0"]])
    (found,) = published.differences({"t": before}, {"t": after})
    assert found == Difference("t", "cell", "balance", 3, 3, "dealer_id 2", "10.0", "-90.0", 100.0)
    (found,) = published.differences({"t": before}, {"t": changed(before, 2, "balance", "x")})
    assert math.isnan(found.most)
    assert (found.before, found.after) == ("", "x")


def test_rows_without_a_name_are_compared_in_their_order():
    before = Table(["composite_class", "score"], [["A", "1"], ["A", "1"], ["B", "2.5"]])
    assert published.differences({"t": before}, {"t": before}) == []
    (found,) = published.differences({"t": before}, {"t": changed(before, 1, "score", "2")})
    assert (found.column, found.key, found.n) == ("score", "composite_class A #2", 1)
    twice = Table(["city", "score"], [["x", "1"], ["x", "1"]])
    (found,) = published.differences({"t": twice}, {"t": twice._replace(rows=twice.rows[:1])})
    assert (found.kind, found.key) == ("row_gone", "city x #2")


# ---- files ---------------------------------------------------------------------------------------


def write_edition(
    place: Path,
    tables: dict[str, pd.DataFrame],
    lines: list[dict] = (),
    language: str = "en",
    page_name: str = "02_abc",
) -> Path:
    """Lay out what the comparator reads of an edition.

    Tables, manifest, the headlines of its one page.
    """
    key = f"key-{place.parent.name}-{place.name}"
    (place / "tables").mkdir(parents=True)
    for name, table in tables.items():
        files.write_table(place / "tables" / f"{name}.csv", table)
    page = {
        "name": page_name,
        "title": "Dealers",
        "key": key,
        "tables": [f"{name}.csv" for name in tables],
    }
    card = {"dealer_id": "001", "audience": "us", "failed": ""}
    manifest = {"language": language, "pages": [page], "cards": [card]}
    (place / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (place.parent / ".pages" / key).mkdir(parents=True)
    said = "\n".join(
        json.dumps({"place": "verdict", "text": "", **line}, ensure_ascii=False) for line in lines
    )
    (place.parent / ".pages" / key / "headlines.jsonl").write_text(said, encoding="utf-8")
    return place


@search(max_examples=60)
@given(
    texts=st.lists(
        st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r"), max_size=12)
    )
)
def test_files_are_read_as_they_were_written(tmp_path_factory, texts):
    texts += [text for text in HOSTILE if "\r" not in text]
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    ids = [f"{i:03d}" for i in range(len(texts))]
    files.write_table(path, pd.DataFrame({"dealer_id": ids, "reason": texts, "score": 0.1 + 0.2}))
    found = published.read_table(path)
    assert found.columns == ["dealer_id", "reason", "score"] and not found.n_torn
    assert published._column(found, "dealer_id") == ids
    cells = zip(published._column(found, "reason"), texts, strict=True)
    # a text, or a text kept from running: an apostrophe stands before what a spreadsheet would run
    assert all(cell.replace("'", "") == text.replace("'", "") for cell, text in cells)
    assert published._column(found, "score") == [repr(0.1 + 0.2)] * len(ids)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", Table([], [])),
        ("\n", Table([], [])),
        ("a,b\n", Table(["a", "b"], [])),
        ("a,a\n1,2\n", Table(["a", "a (2)"], [["1", "2"]])),
        ('a\n""\n\nx\n', Table(["a"], [[""], [""], ["x"]])),
        # torn by a bare carriage return
        ("a,b\n1,x\ry\n2,z\n", Table(["a", "b"], [["1", "x"], ["2", "z"]], 1)),
        ("a,b\r\n1,2\r\n", Table(["a", "b"], [["1", "2"]])),
        ('a,b\n"1\n2","3\r4"\n', Table(["a", "b"], [["1\n2", "3\r4"]])),
    ],
)
def test_odd_files(tmp_path, content, expected):
    for mark in ("", "\ufeff"):
        (tmp_path / "t.csv").write_bytes((mark + content).encode())
        assert published.read_table(tmp_path / "t.csv") == expected


@pytest.fixture
def rows() -> dict[str, pd.DataFrame]:
    table = pd.DataFrame(
        {"dealer_id": ["001", "002"], "score": [1.5, 2.0], "reason": ["=x", "b\u2028c"]}
    )
    return {"abc_pareto": table}


def test_the_command_lists_what_differs(tmp_path, rows, capsys):
    def run(*names: str) -> tuple[int, list[str]]:
        code = published.main([str(tmp_path / name) for name in names])
        return code, capsys.readouterr().out.splitlines()

    said = [
        {"text": "Two of five carry it all"},
        {"place": "tile", "text": "1.2 m", "label": "A\u2028B"},
    ]
    for folder in ("before", "same", "after"):
        write_edition(tmp_path / folder / "2026-09", rows, said)
    write_edition(tmp_path / "before" / "2026-10", rows, said)
    assert run("before/2026-09", "same/2026-09") == (0, ["nothing differs"])
    assert run("before/2026-09", "same") == (0, ["nothing differs"])
    assert run("before", "same") == (
        1,
        ["2026-10", "  2026-10: the edition is gone", "1 differences in 1 tables"],
    )
    now = {"abc_pareto": rows["abc_pareto"].assign(score=[1.5, 4.0]), "calls": rows["abc_pareto"]}
    write_edition(
        tmp_path / "after" / "2026-10", now, [{"text": "One of five carries it all"}, said[1]]
    )
    assert run("before", "after") == (
        1,
        [
            "2026-10 en",
            "  abc_pareto.score: 1 of 2 cells differ, by 2 at most, e.g. dealer_id 002: 2.0 → 4.0",
            (
                "  (pages).tables: 1 of 1 cells differ, e.g. page_id abc: abc_pareto.csv → "
                "abc_pareto.csv, calls.csv"
            ),
            "  (headlines).text: 1 of 2 cells differ, e.g. headline_id abc/verdict/1: Two of "
            "five carry it all → One of five carries it all",
            "  calls: a new table of 2 rows",
            "4 differences in 4 tables",
        ],
    )
    write_edition(tmp_path / "after" / "2026-10" / "zh-Hans", now, language="zh-Hans")
    assert "  2026-10 zh-Hans: a new edition" in run("before", "after")[1]


def test_a_curve_is_compared_as_numbers(tmp_path, rows, capsys):
    for folder, last in (("before", 57.99512187280229), ("same", 57.9951218728023), ("after", 58)):
        lines = [{"text": "58%", "trend": [55.03, last]}]
        write_edition(tmp_path / folder / "2026-10", rows, lines)
    assert published.main([str(tmp_path / "before"), str(tmp_path / "same")]) == 0
    assert published.main([str(tmp_path / "before"), str(tmp_path / "after")]) == 1
    assert "(headlines).trend: 1 of 1 cells differ" in capsys.readouterr().out


def test_a_page_is_the_same_whatever_its_number(tmp_path, rows, capsys):
    for folder, number in (("before", "02"), ("after", "03")):
        lines = [{"text": "Two of five", "link": f"{number}_abc.html#dealer-001"}, {"text": "Left"}]
        write_edition(tmp_path / folder / "2026-10", rows, lines, page_name=f"{number}_abc")
    assert published.main([str(tmp_path / "before"), str(tmp_path / "after")]) == 0
    assert capsys.readouterr().out == "nothing differs\n"
    lines[0]["link"] = "03_abc.html#dealer-002"
    write_edition(tmp_path / "other" / "2026-10", rows, lines, page_name="03_abc")
    assert published.main([str(tmp_path / "before"), str(tmp_path / "other")]) == 1
    assert "(headlines).link: 1 of 2 cells differ" in capsys.readouterr().out


def test_where_there_is_nothing_to_compare_it_says_so(tmp_path, rows, capsys):
    (tmp_path / "empty").mkdir()
    for month in ("2026-09", "2026-10"):
        write_edition(tmp_path / "two" / month, rows)
    for names, reason in [
        (("empty", "two"), "no edition here"),
        (("two", "none"), "no edition here"),
        (("two", "two/2026-09"), "2 editions here; name one: 2026-09, 2026-10"),
    ]:
        assert published.main([str(tmp_path / name) for name in names]) == 2
        assert reason in capsys.readouterr().err
    (tmp_path / "two" / "2026-09" / "manifest.json").write_text("{")
    assert published.main([str(tmp_path / "two"), str(tmp_path / "two")]) == 2


def test_only_numbers_are_compared_between_languages():
    def edition(cities: list[str], values: list[str], reason: str) -> dict[str, Table]:
        return {
            "coverage": Table(["city", "revenue"], sorted(zip(cities, values, strict=True))),
            "calls": Table(
                ["dealer_id", "reason", "month"], [["1", reason, "2026-10"], ["2", "", "2026-10"]]
            ),
        }

    english = edition(["Beijing", "Anqing"], ["1.0", "2.0"], "Call him")
    chinese = edition(["北京", "安庆"], ["1.0", "2.0"], "打电话")
    assert published.differences(english, chinese)
    assert published.differences(*map(published.numbers, (english, chinese))) == []
    other = edition(["北京", "安庆"], ["1.0", "3.0"], "")
    found = published.differences(*map(published.numbers, (english, other)))
    assert [(d.table, d.column, d.n) for d in found] == [
        ("coverage", "revenue", 1),
        ("calls", "reason", 1),
    ]


# ---- the small demo ------------------------------------------------------------------------------

printing = pytest.mark.xdist_group("published")  # printed once, on one worker


@pytest.fixture(scope="module")
def print_demo(small_demo, tmp_path_factory):
    """Print the small demo of October, with two cards, into a folder."""

    def print_to(name: str, *languages: str, book: settings.Workbook = small_demo) -> Path:
        made = report.print_edition(book, "2026-10", languages=languages, cards=2, out=out / name)
        assert not made.missing
        return out / name / "2026-10"

    out = tmp_path_factory.mktemp("published")
    return print_to


@pytest.fixture(scope="module")
def first(print_demo) -> Path:
    return print_demo("first", *LANGUAGES)


def were_kept(edition: Path) -> set[bool]:
    places = (path.parent for path in edition.rglob("manifest.json"))
    told = (json.loads((place / "manifest.json").read_text(encoding="utf-8")) for place in places)
    return {page["kept"] for manifest in told for page in manifest["pages"]}


@printing
def test_numbers_are_the_same_in_both_languages(first):
    found = published.read_edition(first)
    english, chinese = (
        {k: t for k, t in found[language].items() if "(" not in k} for language in LANGUAGES
    )
    assert len(english) > 30
    assert sum(len(table.rows) for table in english.values()) > 1000
    assert published.differences(english, chinese), "texts are in another language"
    assert published.differences(*map(published.numbers, (english, chinese))) == []


@printing
def test_what_every_published_column_is_is_told(first):
    for path in sorted((first / "tables").glob("*.csv")):
        table, cells = (
            files.read_table(path),
            pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""]),
        )
        for column in table:
            kind, known = words.kind(column), cells[column].dropna()
            assert kind, f"{path.name}: terms.csv does not say what {column} is"
            if column == "value" and files.VALUE_OF & set(table):
                continue  # the row says what it is
            if kind in files.TEXTS:
                assert pd.api.types.is_string_dtype(table[column]), (
                    f"{path.name}: {column} is no {kind}"
                )
            elif kind == "money":
                assert known.str.fullmatch(r"-?\d+\.\d\d").all(), (
                    f"{path.name}: {column} has not two decimals"
                )
            elif kind == "share" and len(known):
                assert table[column].abs().max() < 100, f"{path.name}: {column} is given in percent"


@printing
def test_the_key_of_a_published_table_names_each_row_once(first):
    for path in sorted((first / "tables").glob("*.csv")):
        table, key = files.read_table(path), list(words.key(path.stem))
        assert key and not table.duplicated(key).any(), (
            f"{path.name}: rows are not told apart by {key}"
        )


@printing
def test_a_cell_that_changes_is_found_in_every_table(first):
    """On real tables too: whatever names their rows, and however many there are."""
    tables = {
        name: table for name, table in published.read_edition(first)["en"].items() if table.rows
    }
    for name, table in tables.items():
        for column in {table.columns[0], table.columns[len(table.columns) // 2], table.columns[-1]}:
            row = len(table.rows) // 2
            other = changed(table, row, column, f"7{cell_of(table, row, column)}")
            found = published.differences({name: table}, {name: other})
            assert found, (name, column)
            cells = [difference for difference in found if difference.kind == "cell"]
            assert all((d.column, d.n, d.of) == (column, 1, len(table.rows)) for d in cells), (
                name,
                column,
            )
            assert cells or {d.kind for d in found} >= {"row_gone", "row_new"}, (
                "a row under another name"
            )


@pytest.fixture(scope="module")
def pages(first) -> dict[str, list[Path]]:
    chinese = sorted(first.glob("zh-Hans/**/*.html"))
    return {"en": sorted(set(first.glob("**/*.html")) - set(chinese)), "zh-Hans": chinese}


@printing
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_number_is_torn_from_its_unit_on_any_page(pages, language):
    assert len(pages[language]) > 10
    assert wording.torn(pages[language]) == []


@printing
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_column_of_each_table_is_written_one_way(pages, language):
    words.speak(language)
    assert wording.columns_in_two_formats(pages[language]) == []


@printing
def test_a_chinese_page_has_no_word_that_nobody_translated(pages, small_demo):
    assert wording.untranslated(pages["zh-Hans"], wording.names_of(small_demo)) == []


@printing
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_thing_has_one_name_and_the_dealer_is_they(pages, language):
    assert wording.second_names(pages[language], language) == []
    assert language != "en" or wording.he(pages[language]) == []


def test_faults_of_wording_are_seen(tmp_path):
    page = tmp_path / "bad.html"
    page.write_text(
        "<p>In 5 days <b>CNY 3</b> at 12 %</p><p>1.2 m, 3 家</p><code>5 days</code>"
        "<table><tr><th>A</th></tr><tr><td>1.50</td></tr><tr><td>2</td></tr></table>"
        '<p>The dealer and his shop, a white city</p><img alt="Turnover">'
    )
    assert len(wording.torn([page])) == 5
    assert len(wording.columns_in_two_formats([page])) == 1
    assert "Turnover" in " ".join(wording.untranslated([page], set()))
    assert len(wording.he([page])) == len(wording.second_names([page], "en")) == 1
    page.write_text(edition.unbroken(page.read_text(encoding="utf-8")))
    assert wording.torn([page]) == [] and "<code>5 days</code>" in page.read_text()


@printing
def test_pages_that_were_kept_say_the_same(first, print_demo, tmp_path):
    for folder in ("2026-10", ".pages"):
        shutil.copytree(first.parent / folder, tmp_path / "before" / folder)
    shutil.rmtree(first)
    again = print_demo("first", *LANGUAGES)
    assert were_kept(again) == {True}
    assert list(published.compared(tmp_path / "before", again.parent)) == []


@printing
def test_pages_printed_anew_say_the_same(first, print_demo):
    """From results that were kept, and in another order of languages."""
    anew = print_demo("anew", "zh-Hans")
    assert were_kept(anew) == {False}
    before, after = (published.read_edition(edition)["zh-Hans"] for edition in (first, anew))
    assert published.differences(before, after) == []


@printing
def test_the_order_of_the_sources_rows_changes_nothing(first, small_demo, print_demo, tmp_path):
    """Nothing says in which order an export lists its lines; of other files nothing was kept."""
    shutil.copytree(small_demo.folder, tmp_path / "shuffled")
    shuffled = random.Random(7)
    for path in sorted((tmp_path / "shuffled" / "data" / "demo").glob("*.parquet")):
        lines = pq.read_table(path)
        pq.write_table(lines.take(shuffled.sample(range(len(lines)), len(lines))), path)
    book = settings.workbook(tmp_path / "shuffled")
    assert set(book.tables) == set(small_demo.tables)
    before, after = (
        published.read_edition(e)["en"] for e in (first, print_demo("shuffled", "en", book=book))
    )
    assert published.differences(before, after) == []
