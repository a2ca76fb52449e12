"""The bones: a drawing in which nothing overlaps, whatever the names.

Colour is the score, thickness the weight.
"""

import math
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import rgb_to_hsv
from test_factors import CAUSES, FACTORS, LANGUAGES, SMALL, demo_table, factors_of, table_of

from helpers import fishbone, look, words
from helpers.fishbone import diagram
from helpers.fishbone.tree import FACTOR_COLUMNS
from overlaps import lines_of, require_clear

pytestmark = pytest.mark.usefixtures("looks")

LONG = [
    (
        "Effective sales incentives for shop assistants in season",
        "针对门店导购人员的旺季有效促销激励政策",
    ),
    (
        "Continuous training at the terminal by regional trainers",
        "由区域讲师持续开展的终端现场销售培训",
    ),
    (
        "Balance of number and volume of same-brand dealers nearby",
        "邻近同品牌客户数量与质量的平衡与勾兑",
    ),
    (
        "Consumer file: build, promote and touch systematically",
        "用户档案的建立（促销与感动）的系统化",
    ),
    ("Better present profitability of our own product mix", "现有产品结构下获利水平的持续提高"),
    ("Small frequent lots instead of large quarterly orders", "以小批量多频次取代季度性的大额订货"),
]


def fish(n_bones: int, n_twigs: int) -> pd.DataFrame:
    """Write a tree of long names."""
    rows = []
    for b in range(n_bones):
        leaf = ["c1", "us"] if n_twigs == 0 else [np.nan, np.nan]
        rows.append(
            [
                f"b{b}",
                np.nan,
                *leaf,
                *[np.nan] * 3,
                "Downstream resources and consumer relations",
                "下游客户资源与消费者关系的整合运用",
            ]
        )
        for t in range(n_twigs):
            en, zh = LONG[(b + t) % len(LONG)]
            rows.append([f"f{b}_{t}", f"b{b}", f"c{(b + t) % 9 + 1}", "us", *[np.nan] * 3, en, zh])
    return pd.DataFrame(rows, columns=FACTOR_COLUMNS)


def drawn(
    leaves: pd.DataFrame, language: str, head: tuple[str, str] = ("Dealer's profit", "客户获利")
):
    look.use(language, "CNY")
    tree, table = demo_table(factor_rows=leaves)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a missing glyph is a warning
        ax = fishbone.plot_fishbone(
            tree, table, head=words.translated(*head), note="Norvella, 2026-10"
        )
        ax.figure.canvas.draw()
    return tree, table, ax


FISHES = {
    "1x1": fish(1, 1),
    "demo": FACTORS,
    "9x6": fish(9, 6),
    "5x0": fish(5, 0),
    "1x8": fish(1, 8),
    "12x3": fish(12, 3),
}


@LANGUAGES
@pytest.mark.parametrize("name", FISHES)
def test_nothing_overlaps(name, language):
    _tree, _table, ax = drawn(FISHES[name], language)
    require_clear(ax)
    assert min(text.get_fontsize() for text in (*ax.texts, *ax.figure.texts)) >= 7
    assert ax.figure.get_figwidth() == look.WIDTH_IN
    assert not ax.figure.dense  # a vector drawing


def test_the_check_for_overlaps_finds_what_it_is_for():
    _tree, _table, ax = drawn(FACTORS, "en")
    names = [text for text in ax.texts if text.get_text() == "Stock-age analysis"]
    names[0].set_x(names[0].get_position()[0] + 0.8)  # onto its own bone
    with pytest.raises(AssertionError):
        require_clear(ax)


def test_every_name_and_score_is_drawn_once():
    tree, table, ax = drawn(FACTORS, "en")
    texts = [text.get_text().replace("\n", " ").replace("- ", "-") for text in ax.texts]
    assert sorted(t for t in texts if t in set(tree["factor"])) == sorted(tree["factor"])
    scores = table.set_index("factor_id")["shown_score"]
    shown = [text for text in texts if re.fullmatch(r"\d\.\d", text)]
    order = tree.loc[tree["is_leaf"], "factor_id"]
    assert shown == [f"{scores[f]:.1f}" for f in order if not math.isnan(scores[f])]
    assert texts.count(" – ") == 1  # the one without score
    assert "Dealer's profit" in texts


def test_bones_alternate_and_twigs_end_on_their_bones():
    tree, _table, ax = drawn(FACTORS, "en")
    bones, twigs = lines_of(ax, "bones"), lines_of(ax, "twigs")
    assert [np.sign(end[1] - foot[1]) for foot, end in bones] == [1, -1, 1, -1, 1, -1, 1]
    assert all(end[0] < foot[0] for foot, end in bones)  # they lean back, away from the head
    of_bone = tree.loc[tree["is_leaf"], "bone_id"].tolist()
    for (tip, end), bone in zip(twigs, of_bone, strict=True):
        assert tip[1] == pytest.approx(end[1])
        foot, top = bones[int(bone[1:]) - 1]
        at = foot[0] + (top[0] - foot[0]) * (end[1] - foot[1]) / (top[1] - foot[1])
        assert end[0] == pytest.approx(at, abs=4)  # the round end of the line fills the rest


def test_colour_is_the_score_and_thickness_the_weight():
    table = table_of({"x": 1.0, "y": (np.nan, 9.5)}, {"x": 0.5, "y": 0.25, "z": 0.25})
    ax = fishbone.plot_fishbone(fishbone.factor_tree(SMALL, CAUSES), table, head="Profit")
    (twigs,) = (c for c in ax.collections if c.get_label() == "twigs")
    colors = diagram.score_colors()
    # drawn in the order y, x, z
    np.testing.assert_allclose(twigs.get_colors()[:2], [colors(0.95), colors(0.1)])
    widths = twigs.get_linewidths()
    assert widths[1] == pytest.approx(2 * widths[0])
    assert widths[2] == widths[0]
    assert twigs.get_linestyles()[2][1] is not None  # dotted: nobody scored it
    assert "dotted" in ax.figure.texts[1].get_text()


def test_the_colours_of_scores_are_apart_also_without_red_and_green():
    """The hue of bad is warm, of good cool.

    Blue against red in the eye that mixes up red and green.
    """
    colors = diagram.score_colors()
    bad, middle, good = (np.array(colors(x)[:3]) for x in (0.1, 0.5, 0.9))
    assert good[2] - good[0] > 0.2 > -0.2 > bad[2] - bad[0]
    assert rgb_to_hsv(middle)[1] < 0.12  # neutral
    assert [tuple(colors(x)) for x in (0, 0.1)] == [tuple(colors(0.2))] * 2


@LANGUAGES
def test_deeper_factors_are_folded_into_their_twig(language):
    deep = factors_of(
        ("b", ""), ("t", "b"), ("u", "b", "c2"), ("p", "t", "c1"), ("q", "t"), ("r", "q", "c1")
    )
    look.use(language)
    tree = fishbone.factor_tree(deep, CAUSES)
    table = table_of({"u": 9.0, "p": 4.0, "r": 7.0}, {"u": 0.4, "p": 0.4, "r": 0.2}, deep)
    ax = fishbone.plot_fishbone(tree, table, head="P")
    texts = [text.get_text() for text in ax.texts]
    assert "5.0" in texts  # (0.4 · 4 + 0.2 · 7) / 0.6
    assert not {words.translated("Factor p", "因素p"), words.translated("Factor r", "因素r")} & set(
        texts
    )
    assert words.say("fishbone.how_folded") in ax.figure.texts[1].get_text()
    require_clear(ax)
    (twigs,) = (c for c in ax.collections if c.get_label() == "twigs")
    assert len(twigs.get_segments()) == 2


@LANGUAGES
def test_hostile_names_stay_where_they_belong(language):
    names = [
        "Donaudampfschifffahrtsgesellschaftskapitänspatent",
        "A$AP & <b>Ke$ha</b>",
        "x",
        "ＰＯＳ（终端）与“档案”，及其他",
    ]
    hostile = fish(4, 3)
    hostile["en"] = hostile["zh"] = [names[i % 4] for i in range(len(hostile))]
    _tree, _table, ax = drawn(hostile, language)
    require_clear(ax)
    joined = [text.get_text().replace("-\n", "").replace("\n", "") for text in ax.texts]
    assert joined.count(names[0]) == 4


def test_wrapping_keeps_every_letter_and_its_measure():
    for name in (*LONG[0], *LONG[3], "Product price-performance/quality"):
        for width in (0.5, 1.0, 3.0):
            wording = diagram.wrapped(name, lambda height, width=width: width, 8.0)
            assert wording.text.replace("\n", "").replace(" ", "").replace("-", "") == name.replace(
                " ", ""
            ).replace("-", "")
            assert wording.width <= width + 1e-9
            assert not any(line.startswith(("）", "，")) for line in wording.text.split("\n"))


def test_a_given_axes_is_used():
    tree, table = demo_table()
    ax = look.axes(height=6)
    assert fishbone.plot_fishbone(tree, table, head="Profit", ax=ax) is ax
    require_clear(ax)
