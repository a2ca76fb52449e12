"""The fishbone: trees that hold, shortfalls worked by hand, the vital few, and a drawing in which
nothing overlaps.
"""

import itertools
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import fishbone, look, words
from helpers.fishbone import factors
from helpers.fishbone.tree import FACTOR_COLUMNS
from overlaps import boxes_of, require_clear

pytestmark = pytest.mark.usefixtures("looks")

FACTORS = pd.read_csv(words.REFERENCE / "factors.csv", keep_default_na=False, na_values=[""])
CAUSES = pd.read_csv(words.REFERENCE / "causes.csv", keep_default_na=False, na_values=[""])
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh-Hans"])


def factors_of(*rows: tuple) -> pd.DataFrame:
    """Write factors by hand: (id, parent) is an inner node, (id, parent, cause) a leaf of ours."""
    cells = []
    for factor, parent, *cause in rows:
        leaf = [cause[0], "us"] if cause else [np.nan, np.nan]
        cells.append(
            [
                factor,
                parent or np.nan,
                *leaf,
                np.nan,
                np.nan,
                np.nan,
                f"Factor {factor}",
                f"因素{factor}",
            ]
        )
    return pd.DataFrame(cells, columns=FACTOR_COLUMNS)


SMALL = factors_of(("b1", ""), ("b2", ""), ("x", "b2", "c1"), ("y", "b1", "c2"), ("z", "b2", "c1"))


def with_cell(column: str, factor: str, value: object) -> pd.DataFrame:
    changed = SMALL.astype(object)
    changed.loc[changed["factor_id"] == factor, column] = value
    return changed


def scores_of(**scores) -> pd.DataFrame:
    """Score factors: a number is people's, a pair is (people's, from data)."""
    pairs = [score if isinstance(score, tuple) else (score, np.nan) for score in scores.values()]
    return pd.DataFrame(pairs, columns=["score", "data_score"]).assign(factor_id=list(scores))


def table_of(
    scores: dict, weights: dict | None = None, factor_rows: pd.DataFrame = SMALL
) -> pd.DataFrame:
    tree = fishbone.factor_tree(factor_rows, CAUSES)
    leaves = tree.loc[tree["is_leaf"], "factor_id"]
    weight = pd.Series(weights or dict.fromkeys(leaves, 1 / len(leaves)))
    return factors.factor_table(tree, scores_of(**scores), weight)


def demo_table(
    seed: int = 3, factor_rows: pd.DataFrame = FACTORS
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score the demo's factors at random, with unequal weights.

    Where there are enough, one has no score.
    """
    tree = fishbone.factor_tree(factor_rows, CAUSES)
    leaves = tree.loc[tree["is_leaf"], "factor_id"].tolist()
    rng = np.random.default_rng(seed)
    scores = {f: (round(rng.uniform(1, 9.9), 1), rng.uniform(0, 10)) for f in leaves}
    if len(leaves) > 3:
        scores[leaves[2]] = (math.nan, math.nan)
    return tree, factors.factor_table(
        tree, scores_of(**scores), pd.Series(rng.dirichlet([4] * len(leaves)), leaves)
    )


# ---- the tree ------------------------------------------------------------------------------------


def test_the_tree_is_in_drawing_order_and_names_its_bones():
    tree = fishbone.factor_tree(SMALL, CAUSES)
    assert tree["factor_id"].tolist() == ["b1", "y", "b2", "x", "z"]
    assert tree["depth"].tolist() == [1, 2, 1, 2, 2]
    assert tree["bone"].tolist() == [
        "Factor b1",
        "Factor b1",
        "Factor b2",
        "Factor b2",
        "Factor b2",
    ]
    assert tree["is_leaf"].tolist() == [False, True, False, True, True]
    assert tree["cause_name"].tolist()[1] == "Promotion"
    assert (
        tree.loc[~tree["is_leaf"], ["parent_id", "cause", "owner", "metric"]].isna().all(axis=None)
    )
    look.use("zh-Hans")
    assert fishbone.factor_tree(SMALL, CAUSES)["factor"].tolist()[0] == "因素b1"


def test_the_demo_has_seven_bones_and_fifteen_twigs_as_the_method_counts_them():
    tree = fishbone.factor_tree(FACTORS, CAUSES)
    twigs = tree[tree["is_leaf"]].groupby("bone_id").size()
    assert twigs.tolist() == [2, 2, 2, 2, 3, 2, 2]
    assert tree.loc[tree["is_leaf"], "cause"].nunique() == len(CAUSES) == 9


def test_a_tree_may_be_of_any_depth():
    deep = factors_of(("d", "c", "c1"), ("a", ""), ("c", "b"), ("b", "a"), ("e", "", "c2"))
    tree = fishbone.factor_tree(deep, CAUSES)
    assert tree[["factor_id", "depth", "bone_id"]].to_numpy().tolist() == [
        ["a", 1, "a"],
        ["b", 2, "a"],
        ["c", 3, "a"],
        ["d", 4, "a"],
        ["e", 1, "e"],
    ]


def test_numbers_as_ids_are_names_too():
    numbered = SMALL.replace({"b1": 1, "b2": 2, "x": 3, "y": 4, "z": 5})
    # as read_csv gives it, for bones have none
    numbered["parent_id"] = numbered["parent_id"].astype(float)
    tree = fishbone.factor_tree(numbered, CAUSES)
    assert tree["factor_id"].tolist() == ["1", "4", "2", "3", "5"]
    assert tree["parent_id"].dropna().tolist() == ["1", "2", "2"]


def test_a_missing_name_is_the_other_language():
    only_zh = with_cell("en", "x", np.nan)
    assert (
        fishbone.factor_tree(only_zh, CAUSES).set_index("factor_id").loc["x", "factor"] == "因素x"
    )


ROW = ["n", "b1", "c1", "us", np.nan, np.nan, np.nan, "N", "N"]
BROKEN = {
    (
        "factors.csv: 1 row has no factor_id, e.g. line 4 — give each factor an id of its own"
    ): with_cell("factor_id", "x", np.nan),
    (
        "factors.csv: 1 factor_id stands in several rows, e.g. 'y', lines 4 and 5 — give each "
        "factor an id of its own"
    ): with_cell("factor_id", "x", "y"),
    "factors.csv: 1 factor has a parent that is not there, e.g. 'x' under 'b9' — add the "
    "parent, or correct parent_id (empty: a bone)": with_cell("parent_id", "x", "b9"),
    "factors.csv: the parents run in a circle, b2 → x → b2 — hang one of them elsewhere": with_cell(
        "parent_id", "b2", "x"
    ),
    "factors.csv: the parents run in a circle, b1 → b1 — hang one of them elsewhere": with_cell(
        "parent_id", "b1", "b1"
    ),
    (
        "factors.csv: 1 leaf has no cause, e.g. 'x' — choose one of causes.csv: c1, c2, c3, c4, "
        "c5, c6, c7, c8, c9"
    ): with_cell("cause", "x", np.nan),
    "factors.csv: 1 leaf has a cause that causes.csv doesn't list, e.g. 'x' (cause 'c99') — "
    "choose one of c1, c2, c3, c4, c5, c6, c7, c8, c9, or add it there": with_cell(
        "cause", "x", "c99"
    ),
    "factors.csv: 1 factor has no known owner, e.g. 'x' (owner '') — write us or head_office; "
    "only what has twigs of its own may stay empty": with_cell("owner", "x", np.nan),
    "factors.csv: 1 factor has no known owner, e.g. 'b1' (owner 'them') — write us or "
    "head_office; only what has twigs of its own may stay empty": with_cell("owner", "b1", "them"),
    (
        "factors.csv: 1 metric has no direction, e.g. 'x' (better '') — write high or low under "
        "better"
    ): with_cell("metric", "x", "basket"),
    "factors.csv: 1 weight is no number from 0 up, e.g. 'x' (weight '-1') — correct it, or "
    "leave all empty for equal weights": with_cell("weight", "x", -1),
    "factors.csv: 1 weight is no number from 0 up, e.g. 'x' (weight 'heavy') — correct it, or "
    "leave all empty for equal weights": with_cell("weight", "x", "heavy"),
    "factors.csv: it lists no factor — write one row for each bone and each twig": SMALL.head(0),
    "factors.csv: no column 'owner'; it has factor_id, parent_id, cause, metric, better, "
    "weight, en, zh — add it, even if its cells stay empty": SMALL.drop(columns="owner"),
}


@pytest.mark.parametrize("message", BROKEN)
def test_a_bad_tree_is_refused_by_name(message):
    with pytest.raises(ValueError, match=re.escape(message)) as told:
        fishbone.factor_tree(BROKEN[message], CAUSES)
    assert str(told.value) == message


def test_a_factor_without_any_name_is_refused():
    nameless = with_cell("en", "x", np.nan)
    nameless["zh"] = nameless["zh"].mask(nameless["factor_id"] == "x")
    with pytest.raises(ValueError, match=r"1 factor has no name, e.g. 'x' — fill in en or zh"):
        fishbone.factor_tree(nameless, CAUSES)


def test_all_that_is_wrong_is_told_at_once():
    bad = with_cell("cause", "x", "c99")
    bad.loc[bad["factor_id"] == "y", "owner"] = "nobody"
    bad.loc[bad["factor_id"] == "z", ["parent_id", "cause"]] = ["b7", "c98"]
    with pytest.raises(ValueError) as told:
        fishbone.factor_tree(bad, pd.concat([CAUSES, CAUSES.head(2)]))
    lines = str(told.value).split("\n")
    assert len(lines) == 4
    assert lines[0].startswith(
        "factors.csv: 1 factor has a parent that is not there, e.g. 'z' under 'b7'"
    )
    assert lines[1].startswith(
        "factors.csv: 2 leaves have a cause that causes.csv doesn't list, e.g. 'x' (cause 'c99')"
    )
    assert lines[2].startswith(
        "factors.csv: 1 factor has no known owner, e.g. 'y' (owner 'nobody')"
    )
    assert lines[3] == (
        "causes.csv: 2 causes stand in several rows, e.g. 'c1', lines 2 and 11 — keep one of them"
    )


def test_two_circles_are_two_lines():
    ring = factors_of(
        ("a", "b"),
        ("b", "a"),
        ("c", "d"),
        ("d", "e"),
        ("e", "c"),
        ("ok", "", "c1"),
        ("tail", "a", "c1"),
    )
    with pytest.raises(ValueError) as told:
        fishbone.factor_tree(ring, CAUSES)
    assert [re.search("circle, (.*) — ", line)[1] for line in str(told.value).split("\n")] == [
        "a → b → a",
        "c → d → e → c",
    ]


def test_causes_need_a_code_and_a_name():
    nameless = pd.concat([CAUSES, pd.DataFrame([[np.nan, "x", "x"]], columns=CAUSES.columns)])
    with pytest.raises(
        ValueError, match=r"^causes.csv: 1 row has no code or no name, e.g. line 11 — fill in cause"
    ):
        fishbone.factor_tree(SMALL, nameless)
    with pytest.raises(ValueError, match=r"^causes.csv: no column 'zh'; it has cause, en — add it"):
        fishbone.factor_tree(SMALL, CAUSES[["cause", "en"]])


# ---- what is missing -----------------------------------------------------------------------------


def test_shortfall_by_hand():
    table = table_of(
        {"x": 4.0, "y": (np.nan, 9.0), "z": (8.0, 1.0)}, {"x": 0.5, "y": 0.2, "z": 0.3}
    )
    assert table["factor_id"].tolist() == ["x", "z", "y"]
    # people's first, data where nobody scored
    assert table["shown_score"].tolist() == [4.0, 8.0, 9.0]
    assert table["shortfall"].tolist() == [6.0, 2.0, 1.0]
    np.testing.assert_allclose(table["weighted_shortfall"], [3.0, 0.6, 0.2])
    np.testing.assert_allclose(table["shortfall_share"], [3 / 3.8, 0.6 / 3.8, 0.2 / 3.8])


def test_a_factor_without_a_score_is_no_zero():
    table = table_of({"x": 4.0, "z": 8.0})
    assert table["factor_id"].tolist() == ["x", "z", "y"]
    assert (
        table.loc[
            2, ["score", "data_score", "shown_score", "weighted_shortfall", "shortfall_share"]
        ]
        .isna()
        .all()
    )
    assert table["shortfall_share"].sum() == pytest.approx(1)


def test_full_marks_have_no_shares():
    table = table_of({"x": 10.0, "y": 10.0, "z": 10.0})
    assert (table["shortfall"] == 0).all()
    assert table["shortfall_share"].isna().all()
    assert not factors.merged_causes(table)["is_vital"].any()


def test_leaves_need_a_weight_and_one_row_of_scores():
    tree = fishbone.factor_tree(SMALL, CAUSES)
    message = (
        "weights: 2 factors without a weight, e.g. 'y' — weigh every leaf of factors.csv, or none"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        factors.factor_table(tree, scores_of(x=1), pd.Series({"x": 1.0}))
    twice = pd.concat([scores_of(x=1), scores_of(x=2)])
    with pytest.raises(
        ValueError,
        match=r"^scores: 1 factor with several rows, e.g. 'x' — make one row per factor$",
    ):
        factors.factor_table(tree, twice, pd.Series({"x": 1.0, "y": 1, "z": 1}))


def test_causes_by_hand():
    causes = factors.merged_causes(
        table_of({"x": 4.0, "y": 9.0, "z": 8.0}, {"x": 0.5, "y": 0.2, "z": 0.3})
    )
    assert causes["cause"].tolist() == ["c1", "c2"]
    assert causes["n_factors"].tolist() == [2, 1]
    np.testing.assert_allclose(causes["weight"], [0.8, 0.2])
    np.testing.assert_allclose(causes["score"], [(0.5 * 4 + 0.3 * 8) / 0.8, 9])
    np.testing.assert_allclose(causes["cum_share"], [3.6 / 3.8, 1])
    assert causes["is_vital"].tolist() == [True, False]


def test_a_cause_is_averaged_over_its_scored_factors():
    causes = factors.merged_causes(table_of({"x": 4.0, "y": 9.0})).set_index("cause")
    assert causes.loc["c1", "score"] == 4.0
    assert causes.loc["c1", ["n_factors", "n_scored"]].tolist() == [2, 1]
    unscored = factors.merged_causes(table_of({"x": 4.0, "z": 9.0})).set_index("cause")
    assert (
        unscored.loc["c2", ["score", "weighted_shortfall", "shortfall_share", "cum_share"]]
        .isna()
        .all()
    )
    assert not unscored.loc["c2", "is_vital"]


def vital(*shortfalls: float) -> list[bool]:
    rows = [(f"c{i}", f"C{i}", "us", 0.1, 5.0, s) for i, s in enumerate(shortfalls)]
    columns = ["cause", "cause_name", "owner", "weight", "shown_score", "weighted_shortfall"]
    return factors.merged_causes(pd.DataFrame(rows, columns=columns))["is_vital"].tolist()


def test_who_crosses_the_line_is_inside_and_so_is_his_equal():
    assert vital(5, 3, 2) == [True, True, False]  # 50 %, then 80 %: the second crosses
    assert vital(6, 3, 1) == [True, False, False]  # 60 % are reached
    assert vital(3, 3, 2, 2) == [True, True, False, False]  # 60 % again
    # the second of them reaches it; they are equal
    assert vital(4, 2, 2, 2) == [True, True, True, True]
    # 0.30000000000000004 is no more than 0.3
    assert vital(0.1 + 0.2, 0.3, 0.2, 0.2) == [True, True, False, False]
    assert vital(1, 0, 0) == [True, False, False]
    assert factors.VITAL_SHARE == 0.6


def test_owners_by_hand():
    head_office = with_cell("owner", "z", "head_office")
    table = table_of({"x": 4.0, "y": 9.0, "z": 7.0}, factor_rows=head_office)
    split = fishbone.owner_split(table)
    assert split["owner"].tolist() == ["us", "head_office"]
    assert split["n_factors"].tolist() == [2, 1]
    np.testing.assert_allclose(split["shortfall_share"], [0.7, 0.3])
    assert factors.merged_causes(table).set_index("cause")["owner"].to_dict() == {
        "c1": "both",
        "c2": "us",
    }
    assert fishbone.owner_split(table_of({"x": 4.0, "y": 10.0}))["shortfall_share"].tolist() == [
        1,
        0,
    ]
    assert fishbone.owner_split(table_of({"x": 4.0}))["shortfall_share"].isna().all(), (
        "of three one is too few"
    )
    of_one = fishbone.owner_split(table_of({"x": 4.0}, factor_rows=head_office)).set_index("owner")[
        "weighted_shortfall"
    ]
    assert of_one["us"] > 0 and pd.isna(of_one["head_office"]), (
        "nobody has scored what head office can change"
    )


score = st.one_of(st.none(), st.floats(0, 10))


@settings(max_examples=60)
@given(
    scores=st.lists(score, min_size=15, max_size=15),
    weights=st.lists(st.floats(0.01, 1), min_size=15, max_size=15),
)
def test_nothing_is_lost_on_the_way_from_factors_to_causes_and_owners(scores, weights):
    tree = fishbone.factor_tree(FACTORS, CAUSES)
    leaves = tree.loc[tree["is_leaf"], "factor_id"].tolist()
    known = pd.DataFrame({"factor_id": leaves, "score": scores, "data_score": np.nan})
    table = factors.factor_table(tree, known, pd.Series(weights, leaves) / sum(weights))
    causes, split = factors.merged_causes(table), fishbone.owner_split(table)
    total, n_scored = table["weighted_shortfall"].sum(), int(known["score"].notna().sum())
    for folded in (causes, split):
        assert folded["n_factors"].sum() == 15
        assert folded["weight"].sum() == pytest.approx(1)
        assert folded["weighted_shortfall"].sum() == pytest.approx(total)
        if n_scored < 7.5:
            assert folded["shortfall_share"].isna().all(), "nobody knows the total"
        else:
            assert total == 0 or folded["shortfall_share"].sum() == pytest.approx(1)
    vital_few = causes[causes["is_vital"]]
    if total > 1e-6 and n_scored >= 7.5:
        assert vital_few["shortfall_share"].sum() >= factors.VITAL_SHARE - 1e-6
        least = vital_few["shortfall_share"].min()
        assert (
            vital_few.loc[vital_few["shortfall_share"] > least + 1e-6, "shortfall_share"].sum()
            < factors.VITAL_SHARE
        )
        rest = causes.loc[~causes["is_vital"], "shortfall_share"].dropna()
        assert (rest < least).all()
    shuffled = (
        factors.merged_causes(table.sample(frac=1, random_state=1))
        .set_index("cause")
        .loc[causes["cause"]]
    )
    np.testing.assert_allclose(shuffled["shortfall_share"], causes["shortfall_share"])
    assert shuffled["is_vital"].tolist() == causes["is_vital"].tolist()


# ---- the causes and what is said -----------------------------------------------------------------


@LANGUAGES
def test_without_any_score_one_sentence_stands_in_its_place(language):
    look.use(language)
    tree = fishbone.factor_tree(SMALL, CAUSES)
    table = table_of({})
    causes = factors.merged_causes(table)
    said = words.say("fishbone.no_score", n=3)
    for ax in (fishbone.plot_fishbone(tree, table, head="x"), factors.plot_causes(causes)):
        assert [text.get_text() for text in ax.figure.texts] == [said]
        assert not ax.axison
    assert factors.bottom_line(table, causes) == [said]
    assert factors.headlines(table, causes) == []


@LANGUAGES
def test_the_pareto_of_causes_draws_the_table(language):
    look.use(language)
    _tree, table = demo_table()
    causes = factors.merged_causes(table)
    ax = factors.plot_causes(causes, note="Norvella")
    ax.figure.canvas.draw()
    np.testing.assert_allclose([bar.get_width() for bar in ax.patches], causes["shortfall_share"])
    assert [label.get_text() for label in ax.get_yticklabels()] == causes["cause_name"].tolist()
    n = int(causes["is_vital"].sum())
    colors = [tuple(bar.get_facecolor()) for bar in ax.patches]
    assert len(set(colors[:n])) == len(set(colors[n:])) == 1
    assert colors[0] != colors[-1]
    share = words.percent(causes["cum_share"][n - 1])
    assert re.findall(r"\d+", ax.figure.texts[0].get_text()) == re.findall(
        r"\d+", words.say("fishbone.vital", n=n, of=9, share=share)
    )
    for (one, a), (other, b) in itertools.combinations(boxes_of(ax), 2):
        assert not a.overlaps(b), (one, other)


def test_a_cause_without_score_has_a_dash_for_a_bar():
    ax = factors.plot_causes(factors.merged_causes(table_of({"x": 4.0, "z": 9.0})))
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "Price-performance",
        "Promotion",
    ]
    said = [text.get_text() for text in ax.texts]
    assert said.count("–") == sum(text.startswith("– · ") for text in said) == 1
    assert ax.figure.texts[0].get_text() == "1 of 1 causes makes up 100% of what is missing"


def test_full_marks_are_told_not_drawn():
    table = table_of({"x": 10.0, "y": 10.0, "z": 10.0})
    causes = factors.merged_causes(table)
    said = "Every factor that is scored has full marks: nothing is missing."
    assert factors.plot_causes(causes).figure.texts[0].get_text() == said
    assert factors.bottom_line(table, causes) == [said]
    assert [line["text"] for line in factors.headlines(table, causes)] == ["10"]
    ax = fishbone.plot_fishbone(fishbone.factor_tree(SMALL, CAUSES), table, head="Profit")
    assert ax.figure.texts[0].get_text() == said
    require_clear(ax)


@LANGUAGES
def test_a_few_scored_factors_make_no_claim(language):
    """One of three factors says nothing of the other two.

    Neither what holds back most nor a score of all.
    """
    look.use(language)
    tree = fishbone.factor_tree(SMALL, CAUSES)
    table = table_of({"x": 4.0})
    causes = factors.merged_causes(table)
    said = words.say("fishbone.too_few", n=3, scored=1)
    assert factors.bottom_line(table, causes) == [said]
    assert factors.headlines(table, causes) == []
    assert factors.plot_causes(causes).figure.nothing == said
    assert fishbone.plot_fishbone(tree, table, head="x").figure.alt_text.startswith(
        said.rstrip(".。")
    )
    two = table_of({"x": 4.0, "y": 9.0})
    assert factors.headlines(two, factors.merged_causes(two))


def test_the_bottom_line_by_hand():
    head_office = with_cell("owner", "z", "head_office")
    table = table_of({"x": 4.0, "y": 9.0, "z": (np.nan, 7.0)}, factor_rows=head_office)
    assert factors.bottom_line(table, factors.merged_causes(table)) == [
        "1 of 2 causes makes up 90% of what is missing to full marks: Price-performance.",
        (
            "Of the single factors, Factor x costs most: 4.0 of 10 points, 60% of all that is "
            "missing."
        ),
        "Of all that is missing, 70% is ours to change and 30% is head office's.",
        "1 factor was not scored by people: there the score from data stands in.",
    ]
    look.use("zh-Hans")
    table = table_of({"x": 4.0, "y": 9.0, "z": (np.nan, 7.0)}, factor_rows=head_office)
    assert factors.bottom_line(table, factors.merged_causes(table)) == [
        "2 个主因中，1 个占全部差距（距满分）的 90%：产品性价比。",
        "单个因素中，差距最大的是“因素x”：10 分中得 4.0 分，占全部差距的 60%。",
        "全部差距中，70% 由我们施加影响，30% 取决于总部。",
        "1 个因素没有人评分，以数据得分代替。",
    ]


def test_equals_are_named_together_and_nobody_is_vital_where_all_are():
    table = table_of({"x": 6.0, "y": 2.0, "z": 6.0})  # the causes c1 and c2 miss 8 each
    causes = factors.merged_causes(table)
    said = factors.bottom_line(table, causes)
    assert (
        said[0]
        == "There are no vital few: it takes all 2 causes to make up the share that counts as "
        "vital."
    )
    assert said[2] == "All that is missing is ours to change."
    table = table_of({"x": 5.0, "z": 5.0})
    said = factors.bottom_line(table, factors.merged_causes(table))
    assert said[1] == (
        "Of the single factors, Factor x, Factor z cost most: 5.0 of 10 points, 100% of "
        "all that is missing."
    )
    assert said[3] == "1 of 3 factors has no score yet and is left out: Factor y."


def test_scores_from_data_alone_are_called_so():
    table = table_of({"x": (np.nan, 5.0), "y": (np.nan, 8.0), "z": (np.nan, 6.0)})
    causes = factors.merged_causes(table)
    assert factors.bottom_line(table, causes)[-1] == (
        "Nobody has scored the factors yet: every score shown comes from data."
    )
    assert factors.headlines(table, causes)[-1]["text"] == "6.3"
    require_clear(fishbone.plot_fishbone(fishbone.factor_tree(SMALL, CAUSES), table, head="Profit"))


def test_all_of_it_may_lie_with_head_office():
    theirs = SMALL.assign(owner=SMALL["owner"].replace("us", "head_office"))
    table = table_of({"x": 5.0, "y": 8.0, "z": 6.0}, factor_rows=theirs)
    assert "All that is missing lies with head office." in factors.bottom_line(
        table, factors.merged_causes(table)
    )


def test_the_headlines_fit_the_front_page():
    _tree, table = demo_table()
    causes = factors.merged_causes(table)
    made = factors.headlines(table, causes)
    assert [line["place"] for line in made] == ["change", "change", "tile"]
    assert {line["link"] for line in made} == {"05_fishbone.html"}
    assert made[0]["text"] == factors.bottom_line(table, causes)[0]
    known = table.dropna(subset="shown_score")
    assert float(made[2]["text"]) == pytest.approx(
        np.average(known["shown_score"], weights=known["weight"]), abs=0.051
    )
    assert all(
        set(line) <= {"place", "text", "label", "change", "tone", "trend", "link"} for line in made
    )


def test_many_names_are_counted():
    _tree, table = demo_table()
    table[["score", "data_score", "shown_score", "shortfall", "weighted_shortfall"]] = np.where(
        np.arange(15)[:, None] < 9,
        table[["score", "data_score", "shown_score", "shortfall", "weighted_shortfall"]],
        np.nan,
    )
    said = factors.bottom_line(table, factors.merged_causes(table))
    assert re.search(
        r"^6 of 15 factors have no score yet and are left out: .* and 3 more\.$", said[3]
    )


def test_inputs_are_not_mutated():
    factor_rows, causes_csv = FACTORS.copy(), CAUSES.copy()
    tree, table = demo_table()
    causes = factors.merged_causes(table)
    scores = scores_of(**dict.fromkeys(tree.loc[tree["is_leaf"], "factor_id"], 5.0))
    weights = pd.Series(1 / 15, tree.loc[tree["is_leaf"], "factor_id"])
    given_ = [factor_rows, causes_csv, tree, table, causes, scores, weights]
    kept = [x.copy() for x in given_]
    fishbone.factor_tree(factor_rows, causes_csv)
    factors.factor_table(tree, scores, weights)
    fishbone.owner_split(table)
    fishbone.plot_fishbone(tree, table, head="Profit")
    factors.plot_causes(causes)
    factors.bottom_line(table, causes)
    factors.headlines(table, causes)
    for now, before in zip(given_, kept, strict=True):
        (
            pd.testing.assert_series_equal
            if isinstance(now, pd.Series)
            else pd.testing.assert_frame_equal
        )(now, before)
