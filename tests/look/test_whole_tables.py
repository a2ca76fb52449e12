"""What a page carries for its script: whole tables, and the names of dots and bars."""

import html
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from helpers import look, words
from helpers.look.svg import drawn, inline, markup, roads
from helpers.press import page_body

HOSTILE = ["=1+1", "<b>x</b>", "\"&'", "a\nb", "客户", "x" * 99]


@pytest.fixture(autouse=True)
def _closed():
    look.use("en")
    yield
    plt.close("all")
    words.speak("en")


@pytest.fixture
def in_edition(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBOOK_PAGE", str(tmp_path))


def carried(page: str) -> tuple[list[str], dict]:
    found = re.search(r'data-columns="([^"]*)" data-whole="([^"]*)"', page)
    return found[1].split(","), look.unpacked(html.unescape(found[2]))


def rows(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(n)
    return pd.DataFrame(
        {
            "dealer_id": [f"{i:05d}" for i in range(n)],
            "dealer_name": [HOSTILE[i % len(HOSTILE)] for i in range(n)],
            "brand_share": rng.random(n),
            "revenue": rng.normal(0, 1e5, n).round(2),
            "class": pd.Series(["A", None, "–"] * n, dtype="str").head(n),
            "a share": rng.random(n),
        }
    )


def test_a_cut_table_carries_every_row_as_it_would_be_printed(in_edition):
    table = rows(60)
    cut = page_body.markup(look.table(table, limit=20, shares=["a share"]).to_html())
    whole = look.table(table, limit=60, shares=["a share"]).to_html()
    columns, told = carried(cut)
    assert columns == ["dealer_id", "dealer_name", "brand_share", "revenue", "class", ""]
    assert told["n"] == 60
    cells = re.findall(r"<td[^>]*>(.*?)</td>", whole, re.DOTALL)
    shown = [html.unescape(re.sub("<[^>]*>", "", cell)) for cell in cells]
    at = [[c if c is not None else "–" for c in row] for row in zip(*told["cells"], strict=True)]
    assert [cell for row in at for cell in row] == shown
    assert told["cells"][4][:3] == ["A", None, "–"], "what is not known is no dash"
    assert cut.count("<tr>") == 21, "and no more is printed"


def test_what_is_printed_whole_carries_nothing_more(in_edition):
    assert "data-whole" not in look.table(rows(20), limit=20).to_html()


def test_by_hand_nothing_is_carried():
    assert "data-" not in look.table(rows(60), limit=20).to_html()


def test_a_page_carries_so_many_rows_and_no_more(in_edition):
    _columns, told = carried(look.table(rows(look.ROWS_CARRIED + 7), limit=5).to_html())
    assert told["n"] == look.ROWS_CARRIED + 7
    assert {len(column) for column in told["cells"]} == {look.ROWS_CARRIED}


def test_indicators_are_carried_as_each_is_printed(in_edition):
    told = pd.DataFrame({"indicator": ["payments", "brand_share"] * 9, "value": [1234.5, 0.5] * 9})
    _columns, whole = carried(look.table(told, limit=4).to_html())
    assert whole["cells"][1][:2] == ["1,234", "50.0%"]


@pytest.mark.parametrize("value", ['" onclick="x', "<b>", "a b", "é", "a&b", "a\\b"])
def test_only_what_was_packed_stays_in_an_attribute(value):
    source = f"<table class='table' data-whole='{html.escape(value)}'><tr><td>1</td></tr></table>"
    assert "data-whole" not in page_body.markup(source)


# ---- names of shapes -----------------------------------------------------------------------------


def titles(drawing: str) -> list[str]:
    return list(map(html.unescape, re.findall(r"<title>([^<]*)</title>", drawing)))


def test_bars_tell_what_they_stand_for_and_how_long_they_are():
    ax = look.axes()
    ax.bar(["East", "West & <b>"], [0.25, -0.5], label="2026")
    look.share_axis(ax.yaxis)
    upright = drawn(ax.figure)
    ax = look.axes()
    ax.barh(["North", "South"], [1_200_000, 30_000], label="_hidden")
    look.money_axis(ax.xaxis)
    if roads.road() != "own":
        pytest.skip("matplotlib's own drawing tells no names")
    assert titles(upright) == ["East · 2026 · 25%", "West & <b> · 2026 · −50%"]
    assert titles(drawn(ax.figure)) == ["North · 1.20 m", "South · 30.0 k"]


def test_bars_of_a_scale_of_numbers_have_no_name():
    ax = look.axes()
    ax.hist([1, 2, 2, 3], bins=3)
    assert titles(drawn(ax.figure)) == []


@pytest.mark.parametrize("n", [3, 200])
def test_dots_tell_their_names_and_many_are_packed(n):
    ax, names = look.axes(), [HOSTILE[i % 3] + str(i) for i in range(n)]
    rng = np.random.default_rng(n)
    x = rng.random(n)
    x[1] = np.nan  # who has no place is not drawn, and nobody takes the name over
    ax.scatter(x, rng.random(n), c=rng.random(n)).set_urls(names)
    drawing = drawn(ax.figure)
    if roads.road() != "own":
        pytest.skip("matplotlib's own drawing tells no names")
    kept = names[:1] + names[2:]
    assert titles(drawing) == kept
    part = inline(drawing, {}, "dots")
    assert part.startswith("<svg"), "named shapes are seen to be harmless"
    packed = re.search(r' data-names="([^"]*)"', part)
    assert (packed is not None) == (n == 200)
    if packed:
        told = look.unpacked(packed[1])
        shapes = re.findall(r"<(?:path|use)\b[^>]*>", part)
        at = np.cumsum(told["at"])
        assert told["names"] == kept and titles(part) == []
        marks = [shapes[i] for i in at]
        assert len(marks) == len(kept) and len(set(marks)) == len(kept)
        assert all(mark.startswith("<use") and " x=" in mark for mark in marks)


def test_matplotlibs_own_drawing_makes_no_link_of_a_name():
    ax = look.axes()
    ax.bar(["East"], [1])[0].set_url("javascript:alert(1)")
    assert "javascript" not in markup.slim_svg(roads.plain(ax.figure))
