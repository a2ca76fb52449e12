"""Differences between editions.

Keys, what came, went and changed, and the sentences on the front page.
"""

import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import cli, files, words
from helpers.press import diff, edition, editions
from helpers.settings import workbook
from toys import write_manifest


def table(**columns) -> pd.DataFrame:
    return pd.DataFrame(columns)


def abc(classes: str, first: int = 1) -> pd.DataFrame:
    ids = [f"D{i}" for i in range(first, first + len(classes))]
    return table(
        dealer_id=ids,
        dealer_name=[f"Shop {i[1:]}" for i in ids],
        payments=[300.0 - 100.0 * "ABC".index(letter) for letter in classes],
        composite_class=list(classes),
    )


@pytest.fixture
def before() -> dict[str, pd.DataFrame]:
    return {
        "abc_pareto": abc("ABCBAC"),
        "receivables": table(
            dealer_id=["D1", "D2", "D3"],
            balance=[100.0, -50.0, 300.0],
            status=["paying", "paying", "stopped_paying"],
        ),
        "inventory_age": table(
            dealer_id=["D1", "D2"], value_91_180=[10.0, 20.0], value_over_180=[0.0, 70.0]
        ),
        "call_list": table(dealer_id=["D1", "D3"], reason=["x", "y"]),
    }


@pytest.fixture
def after() -> dict[str, pd.DataFrame]:
    return {
        "abc_pareto": pd.concat([abc("CBAAB"), abc("C", first=7)], ignore_index=True),
        "receivables": table(
            dealer_id=["D1", "D2", "D3"],
            balance=[200.0, -80.0, 300.0],
            status=["stopped_paying", "paying", "stopped_paying"],
        ),
        "inventory_age": table(
            dealer_id=["D1", "D2"], value_91_180=[10.0, 20.0], value_over_180=[0.0, 60.0]
        ),
        "call_list": table(dealer_id=["D4", "D1", "D9"], reason=["x", "y", "z"]),
    }


# ---- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "columns", "key"),
    [
        ("abc_pareto", ["rank", "dealer_name", "dealer_id"], ["dealer_id"]),
        ("group_dealers", ["dealer_id", "n_served", "group"], ["group", "dealer_id"]),
        ("coverage", ["city", "population"], ["city"]),  # a book without regions
        ("number_of_groups", ["stability", "k"], ["k"]),
        ("of_a_page_of_ones_own", ["product_id", "city", "dealer_id"], ["product_id", "dealer_id"]),
        ("of_a_page_of_ones_own", ["city", "score"], []),
        ("abc_pareto", [], []),
    ],
)
def test_what_names_a_row_is_told(name, columns, key):
    assert diff.key_columns(name, pd.DataFrame(columns=columns)) == key
    assert (
        diff.key_columns(name, pd.DataFrame(columns=columns), pd.DataFrame(columns=key[1:]))
        == key[1:]
    )


def test_rows_of_one_key_are_compared_in_their_order():
    old = table(dealer_id=["D1", "D1", "D2"], priority=["high", "low", "low"])
    new = table(dealer_id=["D2", "D1", "D1", "D1"], priority=["low", "high", "high", "low"])
    found = diff.changes({"call_list": old}, {"call_list": new})
    assert found.cells[["key", "before", "after"]].to_numpy().tolist() == [["D1 #2", "low", "high"]]
    assert found.rows[["key", "movement"]].to_numpy().tolist() == [["D1 #3", "came"]]


# ---- changes -------------------------------------------------------------------------------------


def test_changes_are_counted_and_listed(before, after):
    kept = {name: rows.copy(deep=True) for name, rows in before.items()}
    found = diff.changes(before, after)
    counts = found.tables.set_index("table")[
        ["key", "n_before", "n_after", "n_came", "n_gone", "n_changed"]
    ]
    assert counts.loc["abc_pareto"].tolist() == ["dealer_id", 6, 6, 1, 1, 4]
    assert counts.loc["receivables"].tolist() == ["dealer_id", 3, 3, 0, 0, 2]
    assert counts.loc["call_list"].tolist() == ["dealer_id", 2, 3, 2, 1, 1]
    assert found.rows.to_numpy().tolist() == [
        ["abc_pareto", "D7", "Shop 7", "came"],
        ["abc_pareto", "D6", "Shop 6", "gone"],
        ["call_list", "D4", "Shop 4", "came"],
        ["call_list", "D9", "", "came"],
        ["call_list", "D3", "Shop 3", "gone"],
    ]
    owed = found.cells[
        (found.cells["table"] == "receivables") & (found.cells["column"] == "balance")
    ]
    assert owed[["key", "name", "before", "after", "change"]].to_numpy().tolist() == [
        ["D1", "Shop 1", 100.0, 200.0, 100.0],
        ["D2", "Shop 2", -50.0, -80.0, -30.0],
    ]
    moved = diff.class_moves(found.cells).set_index("key")["steps"]
    assert moved.to_dict() == {"D1": -2, "D3": 2, "D4": 1, "D5": -1}
    for name, rows in before.items():
        pd.testing.assert_frame_equal(rows, kept[name])


def test_the_same_editions_do_not_differ(before):
    found = diff.changes(
        before, {name: rows.sample(frac=1, random_state=1) for name, rows in before.items()}
    )
    assert not found.tables[["n_came", "n_gone", "n_changed"]].to_numpy().any()
    assert (found.tables["remark"] == "").all()
    assert found.rows.empty and found.cells.empty
    assert diff.movers(found.cells).empty and diff.class_moves(found.cells).empty
    assert diff.changes({}, {}).tables.empty


def test_tiny_and_missing_differences_are_none():
    old = table(dealer_id=list("abcdef"), revenue=[0.1 + 0.2, np.nan, np.nan, 1.0, np.inf, 5.0])
    new = table(dealer_id=list("abcdef"), revenue=[0.3, np.nan, 1.0, np.nan, np.inf, -np.inf])
    cells = diff.changes({"t": old}, {"t": new}).cells
    assert cells["key"].tolist() == ["c", "d", "f"]
    assert diff.movers(cells).empty, "from nothing to something is no amount"


def test_a_word_that_comes_or_goes_is_a_change():
    old = table(dealer_id=["a", "b", "c"], note=["", None, "x"], is_new=[True, False, False])
    new = table(dealer_id=["a", "b", "c"], note=["", "x", None], is_new=[True, True, False])
    cells = diff.changes({"t": old}, {"t": new}).cells
    assert cells[["key", "column"]].to_numpy().tolist() == [
        ["b", "note"],
        ["c", "note"],
        ["b", "is_new"],
    ]


def test_tables_and_columns_may_come_and_go():
    old = {
        "a": table(dealer_id=["1"]),
        "b": table(dealer_id=["1"], x=[1]),
        "c": table(dealer_id=["1"], x=[1.0]),
    }
    new = {
        "b": table(dealer_id=["1"], y=[1]),
        "c": table(dealer_id=["1"], x=["one"]),
        "d": table(dealer_id=["1"]),
    }
    found = diff.changes(old, new)
    assert found.tables.set_index("table")["remark"].to_dict() == {
        "a": "gone_table",
        "b": "other_columns",
        "c": "",
        "d": "new_table",
    }
    assert found.cells[["table", "column", "before", "after"]].to_numpy().tolist() == [
        ["c", "x", 1.0, "one"]
    ]


def test_rows_without_a_name_are_counted_whole():
    old, new = table(composite_class=["A", "A", "B"]), table(composite_class=["A", "B", "B", "B"])
    entry = diff.changes({"t": old}, {"t": new}).tables.iloc[0]
    assert entry[["key", "n_came", "n_gone", "n_changed", "remark"]].tolist() == [
        "",
        2,
        1,
        0,
        "no_key",
    ]
    assert diff.changes({"t": old}, {"t": old[::-1]}).tables["remark"].item() == ""


ROWS = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 3)),
    unique_by=lambda row: row[0],
    max_size=8,
)


@settings(max_examples=60)
@given(ROWS, ROWS, st.randoms())
def test_every_row_is_kept_gone_or_new_whatever_the_order(old, new, random):
    def frame(rows):
        rows = random.sample(rows, len(rows))
        return pd.DataFrame(rows, columns=["dealer_id", "score"]).astype(
            {"dealer_id": "str", "score": "float64"}
        )

    entry = diff.changes({"t": frame(old)}, {"t": frame(new)}).tables.iloc[0]
    old, new = dict(old), dict(new)  # the same, without pandas
    assert entry["n_came"] == len(new.keys() - old.keys())
    assert entry["n_gone"] == len(old.keys() - new.keys())
    assert entry["n_changed"] == sum(old[key] != new[key] for key in old.keys() & new.keys())
    assert entry["n_after"] == entry["n_before"] + entry["n_came"] - entry["n_gone"]


def test_the_largest_movers_of_each_column():
    old = table(dealer_id=list("abc"), revenue=[1.0, 2.0, 3.0], balance=[1.0, 1.0, 1.0])
    new = table(dealer_id=list("abc"), revenue=[2.0, -8.0, 3.0], balance=[2.0, 0.0, 1.0])
    cells = diff.changes({"t": old}, {"t": new}).cells
    assert diff.movers(cells)[["column", "key", "change"]].to_numpy().tolist() == [
        ["revenue", "b", -10.0],
        ["balance", "a", 1.0],
    ]
    assert len(diff.movers(cells, most=2)) == 4


# ---- sentences -----------------------------------------------------------------------------------

ENGLISH = [
    "2 dealers fell to a lower class: Shop 1 (A → C), Shop 5 (A → B).",
    "2 dealers rose to a higher class: Shop 3 (C → A), Shop 4 (B → A).",
    ("1 dealer is new: Shop 7. 1 dealer dropped out, without a purchase in twelve months: Shop 6."),
    "Balances owed rose by CNY 100 (25.0%) to CNY 500. 1 dealer has stopped paying: Shop 1.",
    "Stock over 90 days at the dealers fell by CNY 10 (10.0%) to CNY 90.",
    "The call list has 3 dealers, after 2; 2 are new on it: Shop 4, D9.",
]
CHINESE = [
    "2 家客户类别下降：Shop 1（A → C）、Shop 5（A → B）。",
    "2 家客户类别上升：Shop 3（C → A）、Shop 4（B → A）。",
    "新增 1 家客户：Shop 7。1 家客户因十二个月没有进货而退出：Shop 6。",
    "欠款余额增加 100 元（25.0%），达 500 元。1 家客户停止付款：Shop 1。",
    "客户处 90 天以上的库存减少 10 元（10.0%），降至 90 元。",
    "电话清单共 3 家客户（上期 2 家），其中新增 2 家：Shop 4、D9。",
]


@pytest.mark.parametrize(("language", "said"), [("en", ENGLISH), ("zh-Hans", CHINESE)])
def test_what_changed_is_said_word_for_word(before, after, language, said):
    words.speak(language, "CNY")
    assert diff.sentences(before, after) == said
    tones = [line["tone"] for line in diff.headlines(before, after)]
    assert tones == ["bad", "good", "", "bad", "good", ""]


def test_the_furthest_and_then_the_largest_are_named_and_the_rest_counted():
    old, new = {"abc_pareto": abc("AAABB")}, {"abc_pareto": abc("BBCCC")}
    said = (
        "5 dealers fell to a lower class: Shop 3 (A → C), Shop 1 (A → B), Shop 2 (A → B) and 2 "
        "more."
    )
    assert diff.sentences(old, new) == [said]


def test_nobody_fell_who_did_not_buy_less_and_who_comes_back_is_not_new():
    old = {"abc_pareto": abc("AAB").assign(revenue=[100.0, 100.0, 50.0])}
    now = abc("BBB").assign(revenue=[90.0, 110.0, 50.0], movement="stayed")
    came = abc("CCC", first=7).assign(revenue=[5.0, 5.0, 0.0])
    came["movement"] = ["joined", "won_back", "–"]  # the third paid late, and bought nothing
    new = {"abc_pareto": pd.concat([now, came], ignore_index=True)}
    assert diff.sentences(old, new) == [
        "1 dealer fell to a lower class: Shop 1 (A → B).",
        "1 dealer is new: Shop 7. 1 dealer is back: Shop 8.",
    ]
    gone = {"abc_pareto": now.assign(revenue=[90.0, 110.0, 0.0])}
    said = "1 dealer dropped out, without a purchase in twelve months: Shop 3."
    assert said in diff.sentences(old, gone)


@pytest.mark.parametrize(
    ("language", "first", "same"),
    [
        (
            "en",
            "This is the first edition: there is none before it to compare with.",
            "Nothing has changed.",
        ),
        ("zh-Hans", "这是第一期报告，没有更早的一期可比。", "没有变化。"),
    ],
)
def test_one_sentence_where_nothing_can_be_told(before, language, first, same):
    words.speak(language)
    assert diff.sentences(None, before) == [first]
    assert diff.sentences(before, before) == [same]


def test_other_tables_are_counted_only(before):
    other = {**before, "coverage": table(city=["x"], revenue=[1.0])}
    now = {**before, "coverage": table(city=["x"], revenue=[2.0])}
    assert diff.sentences(other, now) == ["1 of 5 tables changed."]
    assert diff.sentences({}, {"t": table(city=["x"])}) == ["1 of 1 tables changed."]


def test_a_table_of_only_one_edition_says_nothing(before, after):
    del before["receivables"]
    after["inventory_age"] = after["inventory_age"].drop(columns="value_91_180")
    assert diff.sentences(before, after) == [ENGLISH[0], ENGLISH[1], ENGLISH[2], ENGLISH[5]]


def test_fewer_calls_and_a_smaller_balance(before):
    now = {
        "call_list": before["call_list"].head(1),
        "receivables": before["receivables"].assign(balance=[50.0, 0.0, 0.0], status="paying"),
    }
    assert diff.sentences(before, now) == [
        "Balances owed fell by CNY 350 (87.5%) to CNY 50.".replace(" CNY", ""),
        "The call list has 1 dealer, after 2; none is new on it.",
    ]


# ---- the front page and the command --------------------------------------------------------------


@pytest.fixture
def shelves(tmp_path, before, after):
    """Put two editions on the shelf, as far as they are compared."""
    (tmp_path / "sell_in.csv").write_text("dealer_id,date,revenue\nD1,2026-10-31,5\n")
    (tmp_path / "workbook.toml").write_text(
        '[workbook]\nname = "two"\ntitle = "Two"\ncurrency = "CNY"\nlanguage = ["en", "zh-Hans"]\n'
        '[data.sell_in]\nsource = "sell_in.csv"\n'
    )
    for period, tables in (("2026-09", before), ("2026-10", after)):
        for language in ("", "zh-Hans"):
            place = tmp_path / "reports" / period / language
            (place / "tables").mkdir(parents=True)
            write_manifest(place, "two", period=period)
            for name, rows in tables.items():
                files.write_table(place / "tables" / f"{name}.csv", rows)
    return tmp_path


def asked(folder, *arguments: str) -> int:
    config, both = (
        ["--config", str(folder / "workbook.toml")],
        ["--editions", str(folder / "reports")],
    )
    return cli.main(["diff", *arguments, *config, *both])


def test_the_command_tells_what_changed(shelves, capsys):
    assert asked(shelves, "2026-09", "2026-10", "--out", str(shelves / "out")) == 0
    told = capsys.readouterr().out
    assert told.startswith(
        "Two: from the edition of September 2026 to that of October 2026\n\n" + "\n".join(ENGLISH)
    )
    assert "abc_pareto          6    6     1     1        4" in told
    assert "receivables    Balance owed" in told
    assert "100 → 200" in told
    cells = files.read_table(shelves / "out" / "cells.csv")
    assert set(cells["table"]) == {"abc_pareto", "receivables", "inventory_age", "call_list"}
    assert sorted(path.name for path in (shelves / "out").iterdir()) == [
        "cells.csv",
        "manifest.json",
        "rows.csv",
        "tables.csv",
    ]


def test_amounts_are_written_with_two_decimals(shelves):
    asked(shelves, "2026-09", "2026-10", "--out", str(shelves / "out"))
    rows = (shelves / "out" / "cells.csv").read_text(encoding="utf-8-sig").splitlines()
    told = {(row.split(",")[0], row.split(",")[3]): row.split(",")[4:] for row in rows[1:]}
    amounts = [cells for (table, column), cells in told.items() if files.is_amount(column)]
    assert len(amounts) >= 2
    assert all(re.fullmatch(r"(-?\d+\.\d\d)?", cell) for cells in amounts for cell in cells), (
        amounts
    )


def test_the_command_on_equal_editions(shelves, capsys):
    assert asked(shelves, "2026-10", "2026-10") == 0
    told = capsys.readouterr().out
    assert "Nothing has changed." in told
    assert "4 tables are the same: abc_pareto, call_list, inventory_age, receivables" in told
    assert "→" not in told


@pytest.mark.parametrize(
    ("months", "said"),
    [
        (
            ("2026-08", "2026-10"),
            "2026-08: no such edition; there is 2026-09, 2026-10; print it with: workbook report",
        ),
        (("2026-09", "2026-11"), "2026-11: no such edition"),
        (("2026-13", "2026-10"), "'2026-13' is no month"),
    ],
)
def test_a_missing_edition_is_named_with_the_next_step(shelves, capsys, months, said):
    assert asked(shelves, *months) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert said in told.err and len(told.err.splitlines()) == 1


def test_summaries_are_set_in_columns_in_chinese_too(before, after):
    words.speak("zh-Hans")
    lines = diff.summary(diff.changes(before, after))
    head, first = lines[0], lines[1]
    assert head.startswith("数据表")
    assert words.width(head[: head.index("备注")].rstrip()) == words.width(first.rstrip()), (
        "the counts end together"
    )


def test_an_edition_is_read_in_its_language(shelves):
    place = shelves / "reports" / "2026-10"
    files.write_table(
        place / "zh-Hans" / "tables" / "abc_pareto.csv",
        table(dealer_id=["007"], dealer_name=["顺达"]),
    )
    assert editions.read_tables(place, "zh-Hans")["abc_pareto"]["dealer_name"].tolist() == ["顺达"]
    assert len(editions.read_tables(place, "zh-Hant")["abc_pareto"]) == 6, (
        "not printed in it: the first language"
    )
    assert list(editions.read_tables(place)) == [
        "abc_pareto",
        "call_list",
        "inventory_age",
        "receivables",
    ]


@pytest.mark.parametrize("earlier", [False, True])
def test_the_front_page_says_what_changed_and_leads_to_the_workbook(shelves, after, earlier):
    book, page = workbook(shelves / "workbook.toml"), shelves / "page"
    (page / "tables").mkdir(parents=True)
    for name, rows in after.items():
        files.write_table(page / "tables" / f"{name}.csv", rows)
    (page / "page.html").write_text("<h1>Which?</h1>")
    (page / "notebook.ipynb").write_text("{}")
    (page / "meta.json").write_text(
        json.dumps({"title": "Which?", "contents": [], "seconds": 1, "parameters": {}})
    )
    printed = {
        language: [editions.Printed("03_abc_pareto", page, kept=True)]
        for language in book.languages
    }
    new = shelves / "new"
    before = shelves / "reports" / "2026-09" if earlier else None
    edition.write_edition(new, book, "2026-10", book.languages, printed, "d564", before)
    english, chinese = (
        (new / at / "index.html").read_text(encoding="utf-8").replace(words.NO_BREAK, " ")
        for at in ("", "zh-Hans")
    )
    if earlier:
        assert "<h2>Since the edition of September 2026</h2>" in english
        assert all(f">{said}<" in english for said in ENGLISH)
        assert f'<a href="03_abc_pareto.html">{ENGLISH[0]}</a>' in english
        assert "07_inventory_age.html" not in english, "there is no such page"
        assert "<h2>与 2026年9月的报告相比</h2>" in chinese and all(
            f">{said}<" in chinese for said in CHINESE
        )
    else:
        assert "This is the first edition" in english and "Since the edition" not in english
    for at in ("", "zh-Hans"):
        assert (new / at / "two-2026-10.xlsx").stat().st_size > 5000
    assert 'href="two-2026-10.xlsx">All tables in one Excel workbook' in english
