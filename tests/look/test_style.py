"""Looks and words: amounts, sentences, tables and figures in three languages, and text that stays
text.
"""

import math
import re
import warnings
from decimal import Decimal

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from helpers import look, words
from helpers.look import figures


@pytest.fixture(autouse=True)
def _looks():
    look.use("en", "CNY")
    yield
    words.speak("en")
    plt.close("all")


def cells(rows: pd.DataFrame, **options) -> list[list[str]]:
    """Read a table's cells back from its markup."""
    body = look.table(rows, **options).to_html().split("<tbody>")[1]
    return [re.findall(r"<td[^>]*>(.*?)</td>", row, re.S) for row in body.split("</tr>")[:-1]]


# ---- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "en", "zh"),
    [
        (0, "0", "0"),
        (7.4, "7", "7"),
        (-7.4, "−7", "−7"),
        (-0.4, "0", "0"),
        (999, "999", "999"),
        (1000, "1,000", "1,000"),
        (999_999, "1.00 m", "100 万"),
        (-1_234_567, "−1.23 m", "−123 万"),
        (9999, "9,999", "9,999"),
        (12_345, "12.3 k", "1.23 万"),
        (3.54e9, "3.54 bn", "35.4 亿"),
        (99_999_999, "100 m", "1.00 亿"),
        (math.nan, "–", "–"),
        (None, "–", "–"),
    ],
)
def test_money_counts_as_the_language_does(amount, en, zh):
    assert words.money(amount, unit=False) == en
    is_known = en != "–"
    words.speak("en", "CNY")
    assert words.money(amount) == (en if not is_known else f"CNY {en}".replace("CNY −", "−CNY "))
    words.speak("zh-Hans", "CNY")
    assert words.money(amount, unit=False) == zh
    assert words.money(amount).endswith("元") is is_known
    words.speak("zh-Hans", "USD")
    assert words.money(amount).endswith("美元") is is_known
    words.speak("zh-Hans", "XAU")
    assert words.money(amount).endswith("XAU") is is_known


@given(st.floats(-1e12, 1e12))
def test_money_is_never_off_by_more_than_it_shows(amount):
    shown = words.money(amount, unit=False)
    number, _, suffix = shown.replace("−", "-").replace(",", "").partition(" ")
    scale = {"": 1, "k": 1e3, "m": 1e6, "bn": 1e9}[suffix]
    digits = len(number.partition(".")[2])
    assert abs(float(number) * scale - amount) <= scale * 10**-digits * 0.5001
    assert len(number.lstrip("-")) <= 4 or abs(amount) >= 1e12


@pytest.mark.parametrize(
    ("share", "digits", "text"),
    [
        (0.734, 0, "73%"),
        (-0.051, 1, "−5.1%"),
        (12.5, 0, "1,250%"),
        (None, 0, "–"),
        (math.nan, 1, "–"),
        (1, 0, "100%"),
    ],
)
def test_percent(share, digits, text):
    assert words.percent(share, digits) == text


def test_terms_are_told_in_three_languages():
    assert words.label("gross_profit")[0].isascii()
    words.speak("zh-Hans")
    simplified = words.label("gross_profit")
    words.speak("zh-Hant")
    traditional = words.label("gross_profit")
    assert not simplified.isascii()
    assert simplified != traditional  # 额 and 額
    assert words.word("店 A 额") == "店 A 额"  # data are never converted


def test_traditional_has_taiwans_words_and_quotes():
    assert (
        words.traditional("“渠道”的平均值：网络质量，同比")
        == "「通路」的平均值：網路品質，較去年同期"
    )
    mainland = [word for word, here in words.TAIWAN.items() if word != here]
    shipped = [
        row["zh"] for name in ("terms", "sentences") for row in words._reference(name).values()
    ]
    assert len(shipped) > 1500
    for text in shipped:
        written = words.traditional(text)
        assert words.traditional(written) == written, "a word was converted twice, or in part"
        left = [
            word for word in mainland if word in written.replace("平均值", "").replace("演算法", "")
        ]
        assert left == [], (text, left)


def test_an_unknown_term_names_the_nearest():
    with pytest.raises(KeyError, match="has no term 'gros_profit'; did you mean 'gross_profit'"):
        words.label("gros_profit")
    with pytest.raises(KeyError, match=r"has no 'table\.cutt'; did you mean 'table\.cut'"):
        words.say("table.cutt")
    with pytest.raises(ValueError, match="'de' is not known; choose one of en, zh-Hans, zh-Hant"):
        look.use("de")


def test_every_sentence_and_term_is_there_in_both_languages():
    for name in ("terms", "sentences"):
        for key, row in words._reference(name).items():
            assert row["en"].strip(), key
            assert row["zh"].strip(), key


def test_both_languages_of_a_sentence_fill_in_the_same_values():
    for key, row in words._reference("sentences").items():
        named = [
            {re.split(r"[:!.\[]", found)[0] for found in re.findall(r"{([^{}]+)}", row[part])}
            for part in ("en", "zh")
        ]
        assert named[1] <= named[0], key  # Chinese may need fewer, for it has no plural


def test_sentences_choose_the_number_and_write_amounts():
    fill = words._Plural().vformat
    assert fill("{n} {n:dealer|dealers}", (), {"n": 1}) == "1 dealer"
    assert fill("{n} {n:dealer|dealers}", (), {"n": 0}) == "0 dealers"
    assert fill("{x:money}", (), {"x": 12_345}) == "CNY 12.3 k"
    assert fill("{x}", (), {"x": "{y} <b>"}) == "{y} <b>"  # values are no templates


# counts of which a sentence is said only where there are several
ALWAYS_MANY = {
    "exercises.lost",
    "exercises.lost_some",
    "exercises.rule",
    "standing.few_place",
    "standing.few_places",
    "groups.suppressed",
    "groups.basis",
    "table.cut",
    "excel.cut",
}


def test_one_of_a_kind_is_not_called_many():
    """Every sentence with each number set to one, wherever it counts what there may be one of."""
    words.speak("en", "CNY")
    many = "dealers|rows|pieces|known consumers|pages|cards|cities"
    wrong = rf"\b1 (?:{many})\b|\b1 dealers? (?:tell|hold|have|slip|report|lose|earn)\b"
    for key in set(words._reference("sentences")) - ALWAYS_MANY:
        template = words._reference("sentences")[key]["en"]
        specs = [(name, spec) for _, name, spec, _ in words._Plural().parse(template) if name]
        values = dict.fromkeys((name for name, _ in specs), 1)
        values |= {name: "x" for name, spec in specs if spec == "lower"}
        assert not re.search(wrong, words.say(key, **values)), key


@pytest.mark.parametrize("kind", [int, float, np.int64, np.float64, Decimal])
def test_every_kind_of_number_has_a_true_minus(kind):
    written = words._Plural().format("{n:+,.0f} {n:,}", n=kind(-1234))
    assert "-" not in written and written.startswith("−1,234 −1,234")


def test_long_lists_of_names_are_counted():
    assert words.listed([]) == ""
    assert words.listed("abcdefg") == "a, b, c, d, e and 2 more"
    assert words.listed(["Fuhe, Yingling", "x"]) == "Fuhe, Yingling; x"
    words.speak("zh-Hans")
    assert words.listed("abcdefg", most=2) == "a、b等7家"


# ---- tables --------------------------------------------------------------------------------------


def test_cells_are_written_by_the_suffix_of_their_column():
    rows = pd.DataFrame(
        {
            "brand_share": [0.1234],
            "n_orders": [1234.0],
            "recency_days": [12.0],
            "revenue": [1234.56],
            "gini": [0.5],
            "opened_date": [pd.Timestamp("2026-01-02")],
            "listed": [True],
            "payments": [math.nan],
            "dealer_name": [None],
            "gross_profit": [-5.25],
        }
    )
    said = ["12.3%", "1,234", "12", "1,235", "0.50", "2026-01-02", "✓", "−5.25"]
    assert cells(rows) == [said], "what no row has is left out"
    assert cells(pd.concat([rows, rows.assign(payments=1.0, dealer_name="x")]))[0] == [
        *said[:7],
        "–",
        "–",
        said[7],
    ]


def test_names_are_text_and_never_markup():
    hostile = '<script>alert(1)</script> & "quoted" {{x}} {0}'
    rows = pd.DataFrame({"dealer_name": [hostile], hostile: [1]})
    markup = (
        look.table(rows, title=hostile, note=hostile).to_html()
        + look.Prose([hostile])._repr_html_()
    )
    assert "<script" not in markup
    assert markup.count("&lt;script&gt;") == 5
    assert repr(look.Prose(["a", "", "b"])) == "a\nb"


def test_a_long_table_shows_its_head_and_every_flagged_row():
    rows = pd.DataFrame({"dealer_id": [f"{i:03d}" for i in range(300)]}, index=np.arange(300)[::-1])
    flagged = rows["dealer_id"].isin(["005", "299", "150"])
    shown = [row[0] for row in cells(rows, flagged=flagged)]
    assert shown == [f"{i:03d}" for i in range(100)] + ["150", "299"]
    assert "102 of 300 rows are shown" in look.table(rows, flagged=flagged).to_html()
    assert len(cells(rows)) == 100
    assert "rows are shown" not in look.table(rows.head(100)).to_html()


def test_a_table_does_not_touch_its_rows_and_may_be_empty():
    rows = pd.DataFrame({"dealer_id": ["1"], "revenue": [1.5]})
    before = rows.copy()
    look.table(rows, title="x")
    pd.testing.assert_frame_equal(rows, before)
    assert "nothing to list" in look.table(rows.head(0), title="x").to_html()


def test_codes_are_translated_and_data_are_not():
    words.speak("zh-Hans")
    rows = pd.DataFrame({"area_type": ["urban"], "dealer_name": ["urban"]})
    ((code, name),) = cells(rows)
    assert code == words.label("area_type") or not code.isascii()
    assert name == "urban"


def test_dealers_lead_to_where_they_are_explained_in_an_edition_only(monkeypatch):
    rows = pd.DataFrame({"dealer_id": ["10 003/ä"], "dealer_name": ["A & B"]})
    monkeypatch.delenv("WORKBOOK_PAGE", raising=False)
    assert "<a " not in look.table(rows).to_html()
    monkeypatch.setenv("WORKBOOK_PAGE", "1")
    assert f'#{look.anchor("10 003/ä")}">A &amp; B</a>' in look.table(rows).to_html()
    assert (
        f'<tr id="{look.anchor("10 003/ä")}">'
        in look.table(rows, anchors=rows["dealer_id"]).to_html()
    )


# ---- figures -------------------------------------------------------------------------------------


def test_a_figure_says_its_finding_scope_source_and_alternative_text():
    ax = look.axes()
    look.explain(ax, "Few carry most", "2026", "sell_in")
    assert [text.get_text() for text in ax.figure.texts] == ["Few carry most", "2026", "sell_in"]
    assert ax.figure.alt_text == "Few carry most. 2026"
    assert look.explain(look.axes(), "x", alt="seen").figure.alt_text == "seen"


@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant"])
def test_figures_have_every_glyph_and_keep_text_inside(language):
    look.use(language)
    ax = look.axes(height=4)
    title = words.translated(
        "A rather long finding about dealers " * 4,
        "前百分之二十的客户贡献了大部分的销售收入毛利额" * 3,
    )
    look.explain(ax, title, "2026", "·")
    ax.set_xlabel(words.label("gross_profit"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a missing glyph is a warning
        ax.figure.canvas.draw()
    box = ax.figure.bbox
    for text in ax.figure.texts:
        extent = text.get_window_extent()
        assert box.x0 <= extent.x0
        assert extent.x1 <= box.x1
    # the title lies above the axes
    assert ax.get_window_extent().y1 <= ax.figure.texts[0].get_window_extent().y0


def test_the_same_figure_is_the_same_bytes():
    def drawn(dense: bool):
        ax = look.axes(dense=dense)
        ax.plot([1, 2, 3])
        look.explain(ax, "x")
        return figures.rendered(ax.figure, "png" if dense else "svg"), figures.rendered(
            ax.figure, "svg" if dense else "png"
        )

    for dense in (False, True):
        (picture, metadata), other = drawn(dense)
        assert other is None
        assert metadata == {"alt": "x."}
        assert drawn(dense)[0][0] == picture


def test_axes_print_shares_and_amounts():
    ax = look.axes()
    look.share_axis(ax.yaxis)
    look.money_axis(ax.xaxis)
    assert ax.yaxis.get_major_formatter()(0.25, 0) == "25%"
    assert ax.xaxis.get_major_formatter()(2e6, 0) == "2.00 m"


def test_only_style_decides_on_looks():
    """Colours and sizes are named in one place.

    No other module holds a hex code, a figure size or rcParams.
    """
    for path in sorted((words.REFERENCE.parents[1] / "src" / "helpers").rglob("*.py")):
        if path.stem not in ("style", "colors", "figures"):
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"rcParams|figsize|set_theme|[\"']#[0-9a-fA-F]{6}[\"']", text), (
                path.name
            )


def test_classes_can_be_told_apart_in_grey():
    grey = [np.dot(to_rgb(look.COLORS[letter]), (0.2126, 0.7152, 0.0722)) for letter in "ABC"]
    assert min(np.diff(grey)) > 0.15
    assert mpl.rcParams["axes.axisbelow"] is True


@pytest.mark.parametrize("name", ["A$AP and Ke$ha", "$\\undefined$"])
def test_a_dollar_in_a_name_is_a_dollar(name):
    ax = look.axes()
    look.explain(ax, name, name, name)
    ax.figure.canvas.draw()
    assert not any(text.get_parse_math() for text in ax.figure.texts)


@pytest.mark.parametrize(
    ("value", "column", "text"),
    [(-0.0001, "brand_share", "0.0%"), (-0.001, "gini", "0.00"), (math.inf, "gini", "∞")],
)
def test_numbers_at_the_edge(value, column, text):
    assert cells(pd.DataFrame({column: [value]})) == [[text]]


def test_shares_without_a_suffix_and_tables_without_rows():
    rows = pd.DataFrame({"value": ["a", "b"], "One": [0.254, None], "Two": [None, None]})
    shown = look.table(rows, shares=["One", "Two"]).to_html()
    assert "25%" in shown
    assert "–" in shown
    assert "Two" not in shown, "a column without any value is left out"
    assert "nobody &lt;here&gt;" in look.table(rows.head(0), empty="nobody <here>").to_html()


def test_nothing_is_a_sentence_not_an_empty_frame():
    ax = look.nothing("Nothing is known.")
    assert ax.figure.alt_text == "Nothing is known."
    assert not ax.axison
    assert [text.get_text() for text in ax.figure.texts] == ["Nothing is known."]
