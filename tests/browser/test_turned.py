"""Turned rules and living tables: a page's script says what the recipe and the files say."""

import tomllib

import checks
import numpy as np
import pandas as pd
import pytest

import turns
from helpers import files, words
from helpers.pareto import month

pytestmark = pytest.mark.skipif(checks.chromium() is None, reason=checks.WHY_NOT)
LANGUAGES = ("en", "zh-Hans", "zh-Hant")
HOSTILE = [
    *("=1+1", "+1", "-1", "@x", "\t=1", " =1", "\u200b=1", "a;=1", "a\n=1", "’=1", "'=1", "＝1"),
    *("\ufeff+1", "a,b", 'a"b', "", " x", "x ", "00123", "123", "1e5", "inf", "True", "x\u2028y"),
    *("\x00=2", "a|b", "１２", "-", "–", "−5", "\ufeffx", "x\u3000", "\x85=1", "é\r\n+1"),
]
SORT = """([cells, falling]) =>
  globalThis.workbook.order(cells.map(c => ({cells: [c]})), 0, falling, 'en')"""


@pytest.fixture(scope="module")
def page():
    pytest.importorskip("playwright", reason="the browser tests need the playwright package")
    with checks.browser() as opened, turns.script(opened) as page:
        yield page
    words.speak("en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_turned_page_is_what_the_recipe_says(page, language):
    wrong, changed, n = turns.compared(page, range(LANGUAGES.index(language), 24, 3), [language])
    assert wrong == []
    assert n == 24 and changed >= 5, "rules that change nothing prove nothing"


def test_the_parameters_handed_back_give_the_turned_page(page):
    asked, by = turns.asked(8), turns.options(4)
    (said,) = page.evaluate(turns.RUN, [turns.case(month.judge_month(asked, **turns.BASE), [by])])[
        0
    ]
    given = turns.handed_back(said["command"])
    assert given.pop("period") == turns.PERIOD
    found = month.judge_month(asked, **given)
    assert found.options == month.judge_month(asked, **by).options
    ids = sorted({*found.judged["dealer_id"], *found.before["dealer_id"]})
    assert [ids[i] for i in said["order"]] == found.judged["dealer_id"].to_list()
    assert [said["composite"][i] for i in said["order"]] == found.judged[
        "composite_class"
    ].to_list()
    told = tomllib.loads(said["toml"])["parameters"]["abc_pareto"]
    assert month.judge_month(asked, **told).options == found.options


def test_a_scope_is_handed_back_as_it_was_given(page):
    data = turns.case(month.judge_month(turns.asked(8), **turns.BASE), [turns.BASE])
    data[0]["scope"] = scope = "region=East's|North;store_format=chain $(x)"
    (said,) = page.evaluate(turns.RUN, [data])[0]
    assert turns.handed_back(said["command"])["scope"] == scope


def test_rules_that_the_recipe_refuses_are_none(page):
    asked = turns.asked(8)
    wrong = [
        {"quota": "20/40/41"}, {"quota": "20/40"}, {"quota": "-20/60/60"}, {"weights": "40/40/10"},
        {"value_cuts": "95/80"}, {"value_cuts": "0/95"}, {"value_cuts": "80/101"},
        {"composite_cuts": "1.5/2.5"}, {"composite_cuts": "4/1"}, {"rule": "best"},
    ]  # fmt: skip
    for one in wrong:
        with pytest.raises(ValueError):
            month.judge_month(asked, **{**turns.BASE, **one})
    fits = "all => all.map(options => globalThis.workbook.fits(options))"
    assert page.evaluate(fits, [{**turns.BASE, **one} for one in wrong]) == [False] * len(wrong)


def test_numbers_are_written_as_python_writes_them(page):
    rng = np.random.default_rng(1)
    values = [
        *(rng.integers(-4000, 4000, 300) / 8),
        *rng.normal(0, 10.0 ** rng.integers(-3, 9, 300)),
    ]
    values += [0.5, 1.5, 2.5, -0.5, 12.5, 0.125, 0.375, 1234567.5, -0.0001, 999.995, 1e15]
    asked = [[float(v), d] for v in values for d in (0, 1, 2)]
    said = page.evaluate("all => all.map(([v, d]) => globalThis.workbook.fixed(v, d))", asked)
    assert said == [words.decimal(v, d) for v, d in asked]


def test_numbers_stay_with_their_units_as_on_the_page(page):
    texts = [
        "5 dealers",
        "CNY 5 m",
        "共 5 家",
        "12 days at 5",
        "A 5",
        "5 peopled",
        "of 1,234 rows.",
    ]
    said = page.evaluate("all => all.map(text => globalThis.workbook.bound(text))", texts)
    assert said == [words.bound(text) for text in texts]


def test_a_saved_table_is_neutralised_and_quoted_as_the_editions_are(page, tmp_path):
    cells = "all => all.map(text => globalThis.workbook.textCell(text, false))"
    assert page.evaluate(cells, HOSTILE) == [files._text_cell(text) for text in HOSTILE]
    table = pd.DataFrame({"dealer_id": ["00123"] * len(HOSTILE), "what": HOSTILE})
    columns = [
        {"label": "dealer_id", "isId": True, "isNumber": False},
        {"label": "what", "isId": False, "isNumber": False},
    ]
    rows = [{"cells": [row.dealer_id, row.what]} for row in table.itertuples()]
    saved = page.evaluate("([c, r]) => globalThis.workbook.csv(c, r)", [columns, rows])
    assert saved.encode() == files.csv_of(table)


def test_shown_numbers_are_saved_as_numbers(page):
    shown = {"1,234.50": "1234.50", "−1,234": "-1234", "72.3%": "0.723", "−0.5%": "-0.005"}
    shown |= {"100%": "1.00", "+4.1%": "0.041", "0": "0", "7%": "0.07", "1,234.5%": "12.345"}
    shown |= dict.fromkeys(("CNY 5", "∞", "–", "", "2026-10"))
    said = page.evaluate("all => all.map(text => globalThis.workbook.plainNumber(text))", [*shown])
    assert said == list(shown.values())


def test_rows_are_sorted_by_what_they_mean(page):
    amounts = ["CNY 1.2 m", "–", "CNY 999 k", "−CNY 3 m", None, "CNY 999 k"]
    assert page.evaluate(SORT, [amounts, False]) == [3, 2, 5, 0, 1, 4]
    assert page.evaluate(SORT, [amounts, True]) == [0, 2, 5, 3, 1, 4], "equal rows stay in order"
    assert page.evaluate(SORT, [["1.2 亿元", "9,999 万元", "3 元"], True]) == [0, 1, 2]
    assert page.evaluate(SORT, [["72.3%", "8%", "−1%"], False]) == [2, 1, 0]
    assert page.evaluate(SORT, [["D10", "D9", "d1"], False]) == [2, 1, 0]
    assert page.evaluate(SORT, [["A", "–", "A/B"], False]) == [1, 0, 2], (
        "a dash among letters is one"
    )
