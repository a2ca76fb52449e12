"""Checks: each kind of finding is found where it was planted, counted right, and nowhere else."""

import csv
import datetime as dt
import re
import string
from decimal import Decimal

import pandas as pd
import pytest

from helpers import data, words
from helpers.data import checks, connections, findings, telling, wording
from helpers.data.readers import showing
from helpers.settings import PLAN_STATUSES, DataError

HEAD = "dealer_id,date,revenue,cost,rebate,quantity,product_id,brand\n"
CLEAN = HEAD + "1,2026-01-02,5.00,3.00,0,1,P1,Lumora\n2,2026-02-03,6.00,3.00,0.10,2,P2,Kaltern\n"
DEALERS = "dealer_id,dealer_name\n1,one\n2,two\n"
PRODUCTS = "product_id,brand\nP1,Lumora\nP2,Kaltern\n"


def found(book) -> dict[tuple[str, str, str], tuple[int, str]]:
    """Index the findings by table, column and check."""
    rows = checks.findings(book)
    return {
        (row.table, row.column, row.check): (row.n_rows, row.example) for row in rows.itertuples()
    }


def test_clean_data_give_no_finding(make_book):
    rows = checks.findings(make_book(sell_in=CLEAN, dealers=DEALERS, products=PRODUCTS))
    assert rows.empty
    assert list(rows.columns) == [
        "table",
        "column",
        "check",
        "severity",
        "n_rows",
        "example",
        "file",
        "line",
        "advice",
    ]


@pytest.mark.parametrize(
    ("line", "finding", "count_and_example"),
    [
        (",2026-01-05,1,1,0,1,P1,Lumora", ("sell_in", "dealer_id", "unidentified"), (1, "")),
        ("77,2026-01-05,1,1,0,1,P1,Lumora", ("sell_in", "dealer_id", "unknown"), (1, "77")),
        ("1,2026-01-05,1,1,0,1,P9,Lumora", ("sell_in", "product_id", "unknown"), (1, "P9")),
        ("1,2026-01-05,0,1,0,1,P1,Lumora", ("sell_in", "revenue", "zero"), (1, "0")),
        ("1,2026-01-05,1,1,0,0,P1,Lumora", ("sell_in", "quantity", "zero"), (1, "0")),
        (
            "1,2026-01-05,-1234.5,1,0,1,P1,Lumora",
            ("sell_in", "revenue", "negative"),
            (1, "-1,234.50"),
        ),
        ("1,2026-01-05,1,-0.01,0,1,P1,Lumora", ("sell_in", "cost", "negative"), (1, "-0.01")),
        ("1,2026-01-05,1,,0,1,P1,Lumora", ("sell_in", "cost", "empty"), (1, "")),
        ("1,1970-01-01,1,1,0,1,P1,Lumora", ("sell_in", "date", "outside_span"), (1, "1970-01-01")),
        ("1,2062-02-03,1,1,0,1,P1,Lumora", ("sell_in", "date", "outside_span"), (1, "2062-02-03")),
        ("1,2026-01-02,5.00,3.00,0,1,P1,Lumora", ("sell_in", "", "repeated"), (1, "")),
    ],
)
def test_one_planted_line_is_the_one_finding(make_book, line, finding, count_and_example):
    book = make_book(sell_in=CLEAN + line + "\n", dealers=DEALERS, products=PRODUCTS)
    assert found(book) == {finding: count_and_example}
    rows = checks.findings(book)
    assert set(rows["severity"]) == {"warning"}
    assert rows["advice"].str.len().gt(10).all()


def test_counts_are_of_lines(make_book):
    lines = HEAD + "".join(
        f"{i % 3 or ''},2026-01-0{1 + i % 9},{i % 4 - 1},1,0,1,P1,Lumora\n" for i in range(36)
    )
    counted = found(make_book(sell_in=lines, dealers="dealer_id\n1\n"))
    assert counted["sell_in", "dealer_id", "unidentified"] == (12, "")
    assert counted["sell_in", "dealer_id", "unknown"] == (12, "2")
    assert counted["sell_in", "revenue", "negative"] == (9, "-1.00")
    assert counted["sell_in", "revenue", "zero"] == (9, "0")
    assert ("sell_in", "", "repeated") not in counted


def test_each_repeat_of_a_line_counts_and_missing_values_tell_lines_apart(make_book):
    lines = HEAD + "1,2026-01-02,5,3,,1,P1,Lumora\n" * 4 + "1,2026-01-02,5,,3,1,P1,Lumora\n"
    assert found(make_book(sell_in=lines))["sell_in", "", "repeated"] == (3, "")


def test_errors_come_alone(make_book):
    book = make_book(
        sell_in=CLEAN + "1,2026-01-05,-1,1,0,1,P1,Lumora\n",
        dealers="dealer_id\n1\n1\n",
        payments="dealer_id,date,amount\n1,2026-01-01,\n2,2026-01-01,ten\n",
    )
    rows = checks.findings(book)
    assert set(rows["severity"]) == {"error"}
    assert found(book) == {
        ("dealers", "dealer_id", "duplicate_key"): (1, "1"),
        ("payments", "amount", "type"): (1, "ten"),
        ("payments", "amount", "missing"): (1, ""),
    }
    assert rows["advice"].tolist() == [words.say(f"check.{check}") for check in rows["check"]]


def test_a_source_that_cannot_be_read_is_a_finding(make_book):
    book = make_book(sell_in=CLEAN, extra='[data.payments]\nsource = "none.csv"')
    (row,) = checks.findings(book).itertuples()
    assert (row.table, row.check, row.severity) == ("payments", "source", "error")
    assert "no file" in row.example


@pytest.mark.parametrize("table", ["sell_in", "products", "dealer_profit"])
def test_a_brand_that_never_occurs_is_an_error_with_the_brands_there_are(make_book, table):
    given = {
        "sell_in": {"sell_in": CLEAN},
        "products": {"sell_in": "dealer_id,date,revenue\n1,2026-01-01,1\n", "products": PRODUCTS},
        "dealer_profit": {
            "sell_in": "dealer_id,date,revenue\n1,2026-01-01,1\n",
            "dealer_profit": (
                "dealer_id,month,brand,revenue,gross_profit\n1,2026-01,Lumora,1,1\n2,2026-01,"
                "Kaltern,1,1\n"
            ),
        },
    }[table]
    book = make_book(brand="lumora", **given)
    assert found(book) == {(table, "brand", "brand"): (2, "Kaltern | Lumora")}
    (finding,) = checks.brand_errors(book)
    assert wording.in_words(book, finding).endswith(
        "has our brand 'lumora'; did you mean 'Lumora'?"
    )
    assert found(make_book(brand="Lumora", **given)) == {}
    assert found(make_book(brand="", **given)) == {}


@pytest.mark.parametrize(("spelt", "check"), [("Kaltern", "rivals_only"), ("lumora", "brand")])
def test_a_table_of_rivals_only_is_no_error_where_another_has_our_brand(make_book, spelt, check):
    earned = f"dealer_id,month,brand,revenue,gross_profit\n1,2026-01,{spelt},1,1\n"
    book = make_book(brand="Lumora", sell_in=CLEAN, dealer_profit=earned)
    assert found(book)["dealer_profit", "brand", check] == (1, spelt)
    assert bool(checks.brand_errors(book)) == (check == "brand")


@pytest.mark.parametrize("letter", ["L", "–", "a", "AA"])
def test_a_class_set_by_hand_that_is_none_is_an_error_told_with_its_file(make_book, letter):
    head = "dealer_id,class,reason,author,valid_from,valid_to\n"
    rows = (
        f"1,A,r,Lin,2026-01-01,\n2,{letter},r,Lin,2026-01-01,\n3,{letter},r,Lin,2020-01-01,"
        "2020-02-01\n"
    )
    book = make_book(
        brand="", sell_in="dealer_id,date,revenue\n1,2026-01-31,1\n", overrides=head + rows
    )
    (finding,) = checks.override_errors(book)
    assert wording.in_words(book, finding) == (
        "overrides.class: 2 rows of overrides.csv set a class that is none of A, B, C, e.g. "
        f"{letter!r}; write one of them, or take the row out"
    )
    assert found(book)["overrides", "class", "letter"] == (2, letter)
    with pytest.raises(DataError, match=r"2 rows of overrides\.csv"):
        data.prepare(book)
    fine = make_book(
        brand="", sell_in="dealer_id,date,revenue\n1,2026-01-31,1\n", overrides=head + rows[:21]
    )
    assert checks.override_errors(fine) == []


@pytest.mark.parametrize(
    ("row", "column", "check", "said"),
    [
        ("f99,,Ann,,,,,open", "factor_id", "no_factor", "a factor that factors.csv does not have"),
        ("f01,,Ann,2026-03-01,2026-02-01,,,open", "due_date", "due_before_start", "a due date"),
        ("f01,,Ann,,,11,,open", "target_score", "no_score", "a target outside 0 to 10"),
        ("f01,,Ann,,,,,paused", "status", "no_status", "an unknown status"),
    ],
)
def test_a_plan_that_would_stop_its_page_is_an_error(make_book, row, column, check, said):
    head = "factor_id,dealer_id,owner,start_date,due_date,target_score,expected_gain,status\n"
    sold = "dealer_id,date,revenue\n1,2026-01-31,1\n"
    book = make_book(brand="", sell_in=sold, plan=f"{head}{row}\nf01,,Bo,,,5,,\n")
    (finding,) = checks.plan_errors(book)
    assert wording.in_words(book, finding).startswith(
        f"plan.{column}: 1 row of plan.csv has {said}"
    )
    assert ("plan", column, check) in found(book)
    with pytest.raises(DataError, match=r"1 row of plan\.csv has"):
        data.prepare(book)
    fine = make_book(brand="", sell_in=sold, plan=f"{head}f01,,Bo,,,5,,\n")
    assert checks.plan_errors(fine) == []


def test_a_table_without_lines_is_not_blamed_for_the_brand(make_book):
    assert checks.brand_errors(make_book(sell_in=HEAD)) == []


def test_a_transfer_to_nobody_is_unknown(make_book):
    moves = (
        "dealer_id,product_id,date,quantity,kind,to_dealer_id\n1,P1,2026-01-01,1,transfer,9\n1,"
        "P1,2026-01-02,1,sale,\n"
    )
    assert found(make_book(sell_in=CLEAN, dealers=DEALERS, stock_moves=moves)) == {
        ("stock_moves", "to_dealer_id", "unknown"): (1, "9")
    }


def test_hostile_text_stays_an_example(make_book):
    lines = CLEAN + (
        '"\'; DROP TABLE x; --",2026-01-05,1,1,0,1,P1,Lumora\n<b>1</b>,2026-01-06,1,1,0,1,'
        "P1,Lumora\n"
    )
    assert found(make_book(sell_in=lines, dealers=DEALERS)) == {
        ("sell_in", "dealer_id", "unknown"): (2, "'; DROP TABLE x; --")
    }


def test_moves_of_goods_that_nobody_can_follow(make_book):
    head = "dealer_id,product_id,date,quantity,kind,to_dealer_id\n"
    moves = "2,P1,2026-01-01,1,moved,\n1,P1,2026-01-01,1,ARRIVED,\n2,P1,2026-01-02,1,transfer,\n"
    assert found(make_book(sell_in=CLEAN, dealers=DEALERS, stock_moves=head + moves)) == {
        ("stock_moves", "kind", "direction"): (2, "ARRIVED"),
        ("stock_moves", "to_dealer_id", "taker"): (1, "2"),
    }
    moves = (
        "dealer_id,product_id,date,quantity,kind\n1,P1,2026-01-02,1,transfer\n1,P1,2026-01-02,"
        "-1,receipt\n"
    )
    assert found(make_book(sell_in=CLEAN, dealers=DEALERS, stock_moves=moves)) == {
        ("stock_moves", "to_dealer_id", "taker"): (1, "1"),
        ("stock_moves", "quantity", "negative"): (1, "-1.00"),
    }


@pytest.mark.parametrize(
    ("months", "span"),
    [
        ([["2026-10", 1, "2026-10-31"]], ("2026-10", "2026-10", "2026-10-31")),
        # 12 months
        (
            [["2024-01", 5, "2024-01-31"], ["2025-01", 5, "2025-01-31"]],
            ("2024-01", "2025-01", "2025-01-31"),
        ),
        # 13
        (
            [["2024-01", 5, "2024-01-31"], ["2025-02", 6, "2025-02-27"]],
            ("2025-02", "2025-02", "2025-02-27"),
        ),
        (
            [
                ["0001-01", 9, "0001-01-01"],
                ["2026-09", 50, "2026-09-30"],
                ["2062-01", 2, "2062-01-01"],
                ["9999-12", 3, "9999-12-31"],
            ],
            ("2026-09", "2026-09", "2026-09-30"),
        ),
        # who begins anew, with less
        (
            [
                ["2024-01", 50, "2024-01-31"],
                ["2025-06", 4, "2025-06-30"],
                ["2025-07", 4, "2025-07-09"],
            ],
            ("2025-06", "2025-07", "2025-07-09"),
        ),
        # too little of it to be more than dates mistyped
        (
            [
                ["2024-01", 500, "2024-01-31"],
                ["2062-06", 4, "2062-06-30"],
                ["2062-07", 4, "2062-07-09"],
            ],
            ("2024-01", "2024-01", "2024-01-31"),
        ),
    ],
)
def test_the_span_is_the_last_run_that_is_no_slip(months, span):
    assert findings.main_span(months) == span


def test_warnings_are_kept_and_counted_anew_when_the_data_change(make_book, cache, monkeypatch):
    book = make_book(sell_in=CLEAN.replace("5.00", "-5.00"), dealers=DEALERS)
    first = checks.findings(book)
    monkeypatch.setattr(checks, "_warnings", lambda book, name: pytest.fail("counted again"))
    pd.testing.assert_frame_equal(checks.findings(book), first)
    monkeypatch.undo()
    monkeypatch.setattr(connections, "CACHE", cache)
    book = make_book(sell_in=CLEAN, dealers=DEALERS)
    assert checks.findings(book).empty
    assert len(list(cache.glob("*.checks.*"))) == 1
    assert not list(cache.glob("*.part"))


def test_the_random_network_is_counted_as_plain_python_counts(make_book, network):
    lines, known = network["sell_in"], {row["dealer_id"] for row in network["dealers"]}
    counted = {key: n for key, (n, _example) in found(make_book(**network)).items()}
    ids = [line["dealer_id"] for line in lines]
    products = {row["product_id"] for row in network["products"]}
    expected = {
        ("sell_in", "dealer_id", "unidentified"): ids.count(None),
        ("sell_in", "dealer_id", "unknown"): sum(i is not None and i not in known for i in ids),
        ("sell_in", "product_id", "unknown"): sum(
            line["product_id"] not in products for line in lines
        ),
        ("sell_in", "revenue", "negative"): sum(line["revenue"] < 0 for line in lines),
        ("sell_in", "cost", "empty"): sum(line["cost"] is None for line in lines),
        ("sell_in", "date", "outside_span"): sum(
            not 2024 <= line["date"].year <= 2026 for line in lines
        ),
        ("payments", "amount", "negative"): sum(row["amount"] < 0 for row in network["payments"]),
        ("dealer_profit", "gross_profit", "negative"): sum(
            row["gross_profit"] < 0 for row in network["dealer_profit"]
        ),
    }
    assert {key: counted.get(key) for key in expected} == expected


def test_small_examples_are_typed_in_the_contracts_units(make_book):
    rows = [{"dealer_id": "1", "date": dt.date(2026, 1, 1), "revenue": Decimal("-0.10")}]
    assert found(make_book(sell_in=rows)) == {("sell_in", "revenue", "negative"): (1, "-0.10")}


def test_what_is_grave_is_a_check_that_there_is():
    for check in telling.GRAVE:
        assert words.say(f"check.{check}")


def test_a_finding_is_told_in_the_workbooks_language_to_the_last_word():
    """Of each sentence both languages fill in the same; the demo's ways to be wrong are Chinese."""
    with (words.REFERENCE / "sentences.csv").open(encoding="utf-8", newline="") as file:
        told = [row for row in csv.DictReader(file) if row["sentence"].startswith("finding.")]
    assert len(told) > 40

    def filled(text: str) -> set[str]:
        # the number may agree with a verb that Chinese does not have
        return {name for _, name, _, _ in string.Formatter().parse(text) if name} - {"n"}

    for row in told:
        assert filled(row["en"]) == filled(row["zh"]), row["sentence"]
        assert re.search("[\u4e00-\u9fff]", row["zh"]) or row["sentence"].startswith("finding.head")


CHINESE = [
    ("sell_in", "revenue", "type", "1x", "s.csv 有 2 行不是金额，例如第 7 行的 '1x'；请更正"),
    ("sell_in", "date", "type", "soon", "s.csv 有 2 行不是日期，例如第 7 行的 'soon'；请更正"),
    ("sell_in", "date", "type", "2026-13-04", "s.csv 有 2 行的日期在日历上不存在"),
    ("sell_in", "date", "either_day", "03/04/2026", "可读作 2026-04-03 或 2026-03-04；请在"),
    ("sell_in", "date", "two_digit_year", "03-04-05", "的年份只有两位"),
    ("sell_in", "revenue", "either_decimal", "1,234", "可读作 1234 或 1.234；请在"),
    ("sell_in", "dealer_id", "missing", "", "s.csv 有 2 行为空；请补全"),
    ("sell_in", "dealer_id", "twins", "d1 | D1 | dealers", "的编号与 dealers 中另一编号只差大小写"),
    ("dealers", "dealer_id", "duplicate_key", "D1", "s.csv 有 2 行的键值重复"),
    ("sell_in", "brand", "brand", "A | B", "sell_in.brand：s.csv 中没有本品牌 'Lumora' 的记录"),
    ("sell_in", "revenue", "in_thousands", "Amt | 千元", "以千或万等为单位（见 '千元'）"),
]


@pytest.mark.parametrize(("table", "column", "check", "example", "said"), CHINESE)
def test_an_error_is_told_in_chinese(make_book, table, column, check, example, said):
    book = make_book(brand="Lumora", sell_in=CLEAN, dealers=DEALERS)
    finding = findings.Finding(table, column, check, "error", 2, example, "s.csv", 7)
    words.speak("zh-Hans")
    try:
        told = wording.in_words(book, finding)
    finally:
        words.speak("en")
    assert said in told
    assert not re.search("[a-z]{3,} [a-z]{3,} [a-z]{3,}", told)  # no sentence of English is left


def test_each_check_has_a_name_of_its_own():
    """A page shows the check by its term: `left_out` would be "Not compared because"."""
    with (words.REFERENCE / "sentences.csv").open(encoding="utf-8", newline="") as file:
        sentences = [row["sentence"] for row in csv.DictReader(file)]
    shared = ("source", "not_rows", "as_found", "place")
    codes = {s.removeprefix("check.") for s in sentences if s.startswith("check.")} - {*shared}
    notes = {*showing.SAID, "misnamed"} - {"header_rows", "header_cells", "same_columns"}
    odd = {"stray_quote", "more_cells", "fewer_cells"}  # errors, told by their sentence
    files = {"wide", "long_number", "merged", "merged_number", "misnamed", "no_delimiter"}
    files |= {"like_total", "total_differs", "balance", "labels"}
    codes |= {f"file_{what}" for what in files}
    codes |= {f"rows_{what}" for what in notes - files - odd}
    for code in codes:
        assert words.label(code)


def test_both_sentences_about_a_status_name_all_there_are():
    for sentence in ("check.no_status", "finding.no_status"):
        with (words.REFERENCE / "sentences.csv").open(encoding="utf-8", newline="") as file:
            (row,) = [row for row in csv.DictReader(file) if row["sentence"] == sentence]
        assert all(status in row[language] for status in PLAN_STATUSES for language in ("en", "zh"))
