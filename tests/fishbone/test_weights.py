"""How much a factor matters.

Saaty's published examples, planted coefficients, and what must be refused.
"""

import math
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.collections import LineCollection
from sklearn.linear_model import Ridge

from helpers import look, words
from helpers.demo import build
from helpers.fishbone import association, weights

pytestmark = pytest.mark.usefixtures("looks")

LANGUAGES = pytest.mark.parametrize("language", ["en", "zh-Hans"])


def tree_of(
    parents: dict[str, str], metrics: dict[str, str] | None = None, **given: float
) -> pd.DataFrame:
    """Lay out a tree in drawing order: factor -> parent ("" is a bone).

    A metric that starts with "-" is better low.
    """
    metrics = metrics or {}
    rows = [
        (
            f,
            f.upper(),
            p or np.nan,
            f not in parents.values(),
            metrics.get(f, "").removeprefix("-") or np.nan,
            "low" if metrics.get(f, "").startswith("-") else "high",
            given.get(f, np.nan),
        )
        for f, p in parents.items()
    ]
    columns = ["factor_id", "factor", "parent_id", "is_leaf", "metric", "better", "weight"]
    return pd.DataFrame(rows, columns=columns)


BONES = {"b1": "", "f1": "b1", "f2": "b1", "f3": "b1", "b2": "", "f4": "b2", "b3": ""}
TREE = tree_of(BONES)
FLAT = tree_of({"a": "", "b": "", "c": ""})


# ---- equal and by hand ---------------------------------------------------------------------------


def test_equal_weights_by_hand():
    # a bone without twigs is a leaf
    expected = {"f1": 1 / 9, "f2": 1 / 9, "f3": 1 / 9, "f4": 1 / 3, "b3": 1 / 3}
    assert weights.equal_weights(TREE).to_dict() == pytest.approx(expected)


def test_hand_weights_by_hand():
    tree = tree_of(BONES, b1=3, b2=1, b3=0, f1=2, f2=1, f3=1)
    expected = {"f1": 0.375, "f2": 0.1875, "f3": 0.1875, "f4": 0.25, "b3": 0}
    assert weights.hand_weights(tree).to_dict() == pytest.approx(expected)
    # none is given
    pd.testing.assert_series_equal(weights.hand_weights(TREE), weights.equal_weights(TREE))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"f1": 1},
            (
                "factors: below 'b1' f2, f3 have no weight, the others do; give all of them "
                "one, or none"
            ),
        ),
        ({"b1": 1, "b2": 1}, "factors: among the bones b3 have no weight"),
        ({"f4": -1}, "factors: the weights below 'b2' must be zero or more, and not all zero"),
        ({"f4": 0}, "factors: the weights below 'b2' must be zero or more, and not all zero"),
    ],
)
def test_half_given_weights_are_refused_by_name(given, message):
    with pytest.raises(ValueError, match=message):
        weights.hand_weights(tree_of(BONES, **given))


@st.composite
def trees(draw) -> pd.DataFrame:
    """Draw a tree of any depth whose parents come before their children."""
    n = draw(st.integers(1, 15))
    parents = {f"n{i}": draw(st.sampled_from(["", *(f"n{j}" for j in range(i))])) for i in range(n)}
    return tree_of(parents, **{f: draw(st.integers(1, 9)) for f in parents})


@settings(max_examples=50)
@given(trees())
def test_weights_sum_to_one_over_the_leaves_of_any_tree(tree):
    for found in (weights.equal_weights(tree), weights.hand_weights(tree)):
        assert found.sum() == pytest.approx(1)
        assert (found > 0).all()
        assert found.index.tolist() == tree.loc[tree["is_leaf"], "factor_id"].tolist()
    doubled = tree.assign(weight=2 * tree["weight"])
    pd.testing.assert_series_equal(weights.hand_weights(doubled), weights.hand_weights(tree))


# ---- one matrix ----------------------------------------------------------------------------------

# Saaty (1990), How to make a decision, European Journal of Operational Research 48(1): buying a
# house
HOUSE = """1 5 3 7 6 6 1/3 1/4
1/5 1 1/3 5 3 3 1/5 1/7
1/3 3 1 6 3 4 6 1/5
1/7 1/5 1/6 1 1/3 1/4 1/7 1/8
1/6 1/3 1/3 3 1 1/2 1/5 1/6
1/6 1/3 1/4 4 2 1 1/5 1/6
3 5 1/6 7 5 5 1 1/2
4 7 5 8 6 6 2 1"""
CRITERIA = ["size", "transport", "neighbourhood", "age", "yard", "modern", "condition", "financing"]
# Saaty (1980): wealth of nations, seen by the public
NATIONS = """1 4 9 6 6 5 5
1/4 1 7 5 5 3 4
1/9 1/7 1 1/5 1/5 1/7 1/5
1/6 1/5 5 1 1 1/3 1/3
1/6 1/5 5 1 1 1/3 1/3
1/5 1/3 7 3 3 1 2
1/5 1/4 5 3 3 1/2 1"""


def matrix_of(text: str, names) -> pd.DataFrame:
    rows = [[eval(cell) for cell in line.split()] for line in text.splitlines()]
    return pd.DataFrame(rows, index=list(names), columns=list(names), dtype="float64")


def test_ahp_equals_saatys_house():
    """Published: λmax 9.669, consistency ratio 0.17, financing 0.333."""
    judged = weights.ahp(matrix_of(HOUSE, CRITERIA))
    assert judged.weights.round(3).tolist() == [
        0.173,
        0.054,
        0.188,
        0.018,
        0.031,
        0.036,
        0.167,
        0.333,
    ]
    assert round(judged.consistency_ratio * 1.41 * 7 + 8, 3) == 9.669
    assert round(judged.consistency_ratio, 2) == 0.17
    assert judged.worst_pair == ("neighbourhood", "condition")  # 6, where the weights say about 1
    assert judged.said == 6
    assert judged.suggestion == pytest.approx(0.188 / 0.167, abs=0.01)


def test_ahp_equals_saatys_nations():
    """Published: λmax 7.61, consistency ratio 0.08."""
    judged = weights.ahp(matrix_of(NATIONS, range(7)))
    assert judged.weights.round(3).tolist() == [0.427, 0.230, 0.021, 0.052, 0.052, 0.123, 0.094]
    assert round(judged.consistency_ratio, 2) == 0.08


@settings(max_examples=40)
@given(st.lists(st.floats(0.05, 1), min_size=1, max_size=9))
def test_a_consistent_matrix_gives_its_weights_back(values):
    v = np.array(values) / sum(values)
    judged = weights.ahp(pd.DataFrame(v[:, None] / v[None, :]))
    np.testing.assert_allclose(judged.weights, v, rtol=1e-6)
    assert judged.consistency_ratio == pytest.approx(0, abs=1e-6)
    assert judged.worst_pair is None
    geometric = np.exp(np.log(v[:, None] / v[None, :]).mean(axis=1))
    np.testing.assert_allclose(judged.weights, geometric / geometric.sum(), rtol=1e-6)


@settings(max_examples=40)
@given(st.integers(3, 9), st.integers(0, 10_000))
def test_ahp_does_not_hang_on_the_order_of_the_items(n, seed):
    random = np.random.default_rng(seed)
    upper = np.triu(random.choice(np.r_[1 / np.arange(2, 10), np.arange(1, 10)], (n, n)), 1)
    matrix = upper + np.eye(n) + np.tril(1 / np.where(upper.T > 0, upper.T, 1), -1)
    named = pd.DataFrame(matrix, index=list("abcdefghi")[:n], columns=list("abcdefghi")[:n])
    order = random.permutation(named.index)
    one, other = weights.ahp(named), weights.ahp(named.loc[order, order])
    np.testing.assert_allclose(other.weights[one.weights.index], one.weights, rtol=1e-6)
    assert other.consistency_ratio == pytest.approx(one.consistency_ratio)
    assert one.consistency_ratio >= 0


def test_what_is_no_comparison_matrix_is_refused():
    with pytest.raises(
        ValueError,
        match="comparisons: 10 items at one node; at most 9 can be compared, so group some",
    ):
        weights.ahp(pd.DataFrame(np.ones((10, 10))))
    for wrong in ([[1, 2], [2, 1]], [[1, -2], [-0.5, 1]], [[1, 2, 3]]):
        with pytest.raises(
            ValueError,
            match="the matrix is not reciprocal; b against a must be one over a against b",
        ):
            weights.ahp(pd.DataFrame(wrong))


def test_an_inconsistent_matrix_is_refused_with_its_worst_pair():
    with pytest.raises(
        ValueError,
        match=r"P1: consistency ratio 0.17 is above 0.1; the most inconsistent pair is "
        r"neighbourhood : condition, judged 6 where 1.1 would fit; compare again",
    ):
        weights.require_consistent(weights.ahp(matrix_of(HOUSE, CRITERIA)), "P1")
    fine = weights.ahp(matrix_of(NATIONS, range(7)))
    assert weights.require_consistent(fine) is fine


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(9, "9"), (1 / 9, "1/9"), (1.0, "1"), (2.54, "2.5"), (0.4, "1/2.5"), (0.97, "1")],
)
def test_ratios_as_people_say_them(ratio, text):
    assert weights._ratio(ratio) == text


# ---- several people, several nodes ---------------------------------------------------------------


def compared(*rows: tuple, session: str = "W1") -> pd.DataFrame:
    """Spell out comparisons: participant, item, item, ratio."""
    table = pd.DataFrame(rows, columns=["participant", "item_a", "item_b", "ratio"]).astype(
        {"ratio": "float64"}
    )
    return table.assign(session=session)


def all_pairs(who: str, values: dict[str, float], session: str = "W1") -> pd.DataFrame:
    """Let somebody compare all pairs of items consistently."""
    names = list(values)
    rows = [(who, a, b, values[a] / values[b]) for i, a in enumerate(names) for b in names[i + 1 :]]
    return compared(*rows, session=session)


GUESS = compared(("P9", "a", "b", 9), ("P9", "b", "c", 9), ("P9", "a", "c", 1 / 9))  # a circle


def test_ahp_weights_of_two_people_are_their_geometric_mean():
    rows = pd.concat(
        [all_pairs("P1", {"a": 8, "b": 2, "c": 1}), all_pairs("P2", {"a": 2, "b": 2, "c": 1})]
    )
    found, table = weights.ahp_weights(rows, FLAT)
    expected = np.array([4.0, 2.0, 1.0])  # √(8·2), √(2·2), √(1·1)
    np.testing.assert_allclose(found, expected / 7)
    assert table["accepted"].tolist() == [True, True]
    assert table["reason"].tolist() == ["", ""]


def test_who_is_inconsistent_is_left_out_and_named():
    rows = pd.concat([all_pairs("P1", {"a": 4, "b": 2, "c": 1}), GUESS])
    found, table = weights.ahp_weights(rows, FLAT)
    np.testing.assert_allclose(found, np.array([4, 2, 1]) / 7)
    out = table[~table["accepted"]].iloc[0]
    assert (out["participant"], out["reason"], out["worst_pair"]) == ("P9", "inconsistent", "A : B")
    assert out["consistency_ratio"] > 1
    said = weights.ahp_sentences(table)
    assert said[0] == "2 people compared factors in pairs; the judgements of 1 count."
    assert said[1] == (
        f"P9 (W1) is left out: consistency ratio {out['consistency_ratio']:.2f}, above 0.1. "
        "The pair that fits worst is A : B: 9 was said, 1 would fit."
    )


def test_who_is_incomplete_or_contradicts_himself_is_left_out_and_said():
    rows = pd.concat(
        [
            all_pairs("P1", {"a": 4, "b": 2, "c": 1}),
            compared(("P2", "a", "b", 9), ("P2", "a", "c", 9)),
            all_pairs("P3", {"a": 1, "b": 1, "c": 9}),
            compared(("P3", "b", "a", 5)),
            compared(("P4", "a", "b", 3), ("P4", "b", "c", np.nan)),
        ]
    )
    found, table = weights.ahp_weights(rows, FLAT)
    np.testing.assert_allclose(found, np.array([4, 2, 1]) / 7)
    assert table["reason"].tolist() == ["", "incomplete", "contradictory", "incomplete"]
    assert weights.ahp_sentences(table)[1:] == [
        "P2 (W1) is left out: not all pairs were compared, B : C is missing.",
        "P3 (W1) is left out: A : B was judged twice, 1 and 1/5.",
        "P4 (W1) is left out: not all pairs were compared, A : C is missing.",
    ]


def test_a_pair_may_be_given_either_way_round_and_twice():
    plain = all_pairs("P1", {"a": 6, "b": 2, "c": 1})
    turned = plain.assign(item_a=plain["item_b"], item_b=plain["item_a"], ratio=1 / plain["ratio"])
    expected, _ = weights.ahp_weights(plain, FLAT)
    pd.testing.assert_series_equal(weights.ahp_weights(turned, FLAT)[0], expected)
    pd.testing.assert_series_equal(
        weights.ahp_weights(pd.concat([plain, turned]), FLAT)[0], expected
    )
    rounded = compared(("P1", "b", "a", 0.33))  # meant as one third
    assert weights.ahp_weights(pd.concat([plain, rounded]), FLAT)[1]["accepted"].tolist() == [True]


def test_the_last_session_counts_node_by_node():
    rows = pd.concat(
        [
            all_pairs("P1", {"b1": 8, "b2": 1, "b3": 1}, "W2"),
            # later than W2, though it sorts before it as text
            all_pairs("P1", {"b1": 2, "b2": 1, "b3": 1}, "W10"),
            all_pairs("P1", {"f1": 2, "f2": 1, "f3": 1}, "W2"),
        ]
    )
    found, table = weights.ahp_weights(rows, TREE)
    assert found.to_dict() == pytest.approx(
        {"f1": 0.25, "f2": 0.125, "f3": 0.125, "f4": 0.25, "b3": 0.25}
    )
    assert table[["node", "session"]].to_numpy().tolist() == [["", "W10"], ["b1", "W2"]]
    earlier, _ = weights.ahp_weights(rows, TREE, sessions=["W2"])
    assert earlier["f4"] == pytest.approx(0.1)
    # dates may tell another order
    turned, _ = weights.ahp_weights(rows, TREE, sessions=["W10", "W2"])
    assert turned["f4"] == pytest.approx(0.1)


def test_a_node_that_nobody_compared_in_a_usable_way_is_split_evenly():
    found, table = weights.ahp_weights(GUESS, FLAT)
    pd.testing.assert_series_equal(found, weights.equal_weights(FLAT))
    assert not table["accepted"].any()
    nothing, empty = weights.ahp_weights(GUESS.head(0), FLAT)
    pd.testing.assert_series_equal(nothing, weights.equal_weights(FLAT))
    assert weights.ahp_sentences(empty) == ["Nobody compared factors in pairs."]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            ("P1", "f1", "f4", 2),
            r"comparisons: 'f1' and 'f4' do not hang on the same node \(by P1 in W1\); only sib",
        ),
        (
            ("P1", "b1", "zz", 2),
            r"comparisons: 'zz' is no factor of the tree \(by P1 in W1\); correct either",
        ),
        (
            ("P1", "b1", "b2", 10),
            r"comparisons: ratio 10 of 'b1' to 'b2' \(by P1 in W1\) is outside 1/9 to 9",
        ),
        (
            ("P1", "b1", "b2", 0),
            r"comparisons: ratio 0 of 'b1' to 'b2' \(by P1 in W1\) is outside 1/9 to 9",
        ),
    ],
)
def test_comparisons_that_make_no_sense_are_refused_by_name(row, message):
    with pytest.raises(ValueError, match=message):
        weights.ahp_weights(compared(row), TREE)


def test_ten_siblings_are_refused_only_where_they_were_compared():
    wide = tree_of({f"x{i}": "" for i in range(10)})
    message = (
        "comparisons: 'the spine' has 10 children; at most 9 can be compared at once, so group "
        "some of them"
    )
    with pytest.raises(ValueError, match=message):
        weights.ahp_weights(compared(("P1", "x1", "x2", 2)), wide)
    assert weights.ahp_weights(GUESS.head(0), wide)[0].tolist() == [0.1] * 10


def test_the_demos_guesser_is_refused_and_nobody_else():
    net = build.network(build.SEED, 600, 30, "2026-10")
    rows = build.people.comparisons(net)
    _found, table = weights.ahp_weights(rows, tree_of({f"b{i}": "" for i in range(1, 8)}))
    assert table.loc[~table["accepted"], "participant"].tolist() == ["P05"]
    assert table.loc[table["accepted"], "consistency_ratio"].max() < 0.1


# ---- from what dealers earn ----------------------------------------------------------------------

N = 13
METRICS = {f"f{i}": f"m{i}" for i in range(N)}
MEASURED = tree_of(dict.fromkeys(METRICS, ""), METRICS)


def dealers_of(
    seed: int = 0, n: int = 600, effects: dict[str, float] | None = None, noise: float = 0.02
) -> pd.DataFrame:
    """Draw dealers whose margin hangs on some metrics, by so much per standard deviation."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(random.normal(size=(n, N)), columns=list(METRICS.values()))
    margin = 0.2 + random.normal(0, noise, n)
    for metric, effect in (effects or {}).items():
        margin += effect * table[metric]
    return table.assign(dealer_margin_rate=margin, dealer_id=[f"D{i}" for i in range(n)])


def test_planted_coefficients_are_recovered():
    effects = {"m0": 0.02, "m1": 0.01, "m2": -0.01}
    profit = association.profit_weights(dealers_of(effects=effects), MEASURED)
    table = profit.table.set_index("metric")
    assert table.index[table["evident"]].tolist() == ["m0", "m1", "m2"]
    for metric, effect in effects.items():
        assert table.loc[metric, "coefficient"] == pytest.approx(effect, abs=0.003)
        assert table.loc[metric, "low"] < effect < table.loc[metric, "high"]
    assert table["weight"].sum() == pytest.approx(1)
    # what goes with less has no weight
    assert table["weight"][table["weight"] > 0].index.tolist() == ["m0", "m1"]
    assert table.loc["m0", "weight"] == pytest.approx(2 / 3, abs=0.08)
    assert profit.r2 == pytest.approx(0.6, abs=0.08)  # 0.0006 of 0.0010 is planted
    assert profit.n_dealers == 600
    said = association.profit_sentences(profit, MEASURED)
    assert said[1:] == [
        (
            "Where these are better, dealer's margin is evidently higher: F0, F1. An association, "
            "not a cause."
        ),
        (
            "Where these are better, dealer's margin is evidently lower: F2. An association, not a "
            "cause."
        ),
    ]


def test_the_sign_is_turned_where_less_is_better():
    turned = tree_of(dict.fromkeys(METRICS, ""), {**METRICS, "f0": "-m0"})
    rows = dealers_of(effects={"m0": -0.02})
    plain = association.profit_weights(rows, MEASURED).table.loc[0]
    found = association.profit_weights(rows, turned).table.loc[0]
    assert found["coefficient"] == -plain["coefficient"]
    assert (found["low"], found["high"]) == (-plain["high"], -plain["low"])
    assert found["weight"] == 1
    assert plain["weight"] == 0


def test_what_is_part_of_the_profit_is_refused():
    """Leakage: the margin explains itself perfectly, and would take all the weight."""
    leaky = tree_of(
        dict.fromkeys(METRICS, ""), {**METRICS, "f3": "dealer_margin_rate", "f4": "rebate_rate"}
    )
    rows = dealers_of(effects={"m0": 0.02}).assign(
        rebate_rate=lambda t: t["dealer_margin_rate"] / 3
    )
    profit = association.profit_weights(rows, leaky)
    out = profit.table.loc[[3, 4]]
    assert out["reason"].tolist() == ["derived_from_profit"] * 2
    assert not out["used"].any()
    assert out["coefficient"].isna().all()
    assert (out["weight"] == 0).all()
    assert (
        "Left out, because they are part of the profit itself: F3, F4."
        in association.profit_sentences(profit, leaky)
    )
    named = tree_of(dict.fromkeys(METRICS, ""), {**METRICS, "f3": "stock_turn"})
    other = association.profit_weights(
        rows.assign(stock_turn=1.0 * np.arange(600)), named, target="stock_turn"
    )
    # the target is never its own cause
    assert other.table.loc[3, "reason"] == "derived_from_profit"


def test_pure_noise_is_evident_in_few_seeds_only():
    evident = [
        association.profit_weights(dealers_of(seed, n=60), MEASURED, seed=seed)
        .table["evident"]
        .sum()
        for seed in range(40)
    ]
    assert np.mean([n == 0 for n in evident]) >= 0.9  # all thirteen together
    assert np.mean(evident) / N <= 0.02


def test_reasons_why_a_metric_is_not_used():
    metrics = {"f0": "m0", "f1": "", "f2": "m0", "f3": "gaps", "f4": "flat", "f5": "half"}
    rows = dealers_of().assign(
        gaps=lambda t: t["m3"].where(t.index < 290),
        flat=7.0,
        half=lambda t: t["m5"].where(t.index < 300),
    )
    table = association.profit_weights(rows, tree_of(dict.fromkeys(metrics, ""), metrics)).table
    assert table["reason"].tolist() == [
        "",
        "no_metric",
        "repeated_metric",
        "few_values",
        "constant",
        "",
    ]
    assert table["used"].tolist() == [True, False, False, False, False, True]


def test_few_dealers_are_said_and_fall_back_to_equal_weights():
    few = dealers_of(n=40)
    few.loc[29:, "dealer_margin_rate"] = np.nan
    profit = association.profit_weights(few, MEASURED)
    assert set(profit.table["reason"]) == {"few_dealers"}
    assert profit.n_dealers == 29
    assert math.isnan(profit.r2)
    said = [
        "Only 29 dealers tell what they earn; at least 30 are needed to estimate weights from it."
    ]
    assert association.profit_sentences(profit, MEASURED) == said
    assert association.plot_weights(profit, MEASURED).figure.alt_text == said[0]
    found, how = weights.chosen_weights("profit", MEASURED, GUESS.head(0), few)
    assert how == "equal"
    pd.testing.assert_series_equal(found, weights.equal_weights(MEASURED))
    assert association.profit_weights(dealers_of(n=30), MEASURED).table["used"].all()


def test_no_metric_at_all_is_said():
    profit = association.profit_weights(dealers_of(), FLAT)
    assert association.profit_sentences(profit, FLAT) == [
        "No factor has a metric that could be set against what dealers earn."
    ]


def test_an_unknown_column_is_refused_with_what_there_is():
    rows = dealers_of()[["dealer_id", "m0", "dealer_margin_rate"]]
    tree = tree_of({"f0": ""}, {"f0": "speed"})
    with pytest.raises(
        ValueError, match="features: no column 'speed'; there are m0, dealer_margin_rate"
    ):
        association.profit_weights(rows, tree)
    with pytest.raises(ValueError, match="features: no column 'gain'"):
        association.profit_weights(rows, tree_of({"f0": ""}, {"f0": "m0"}), target="gain")


def test_skewed_money_is_taken_as_its_logarithm():
    random = np.random.default_rng(1)
    rows = dealers_of(noise=0.005).assign(m0=np.exp(2 * random.normal(size=600)))
    rows["dealer_margin_rate"] += 0.01 * np.log(rows["m0"]) / 2
    found = association.profit_weights(rows, MEASURED).table.loc[0]
    assert found["coefficient"] == pytest.approx(0.01, abs=0.001)
    # a logarithm needs positive values: only standardised
    below_zero = association._straight(rows["m0"] - 1)
    np.testing.assert_allclose(
        below_zero, (rows["m0"] - rows["m0"].mean()) / rows["m0"].std(ddof=0), atol=1e-12
    )


def test_unknown_values_are_the_median():
    straight = association._straight(pd.Series([1.0, 2, 6, np.nan, np.inf]))
    assert straight[3] == straight[4] == straight[1]


def test_a_control_takes_its_effect_out():
    random = np.random.default_rng(2)
    size = random.normal(size=600)
    rows = dealers_of().assign(size=size, format=np.where(size > 0, "mall", None))
    rows["m0"] = size + random.normal(0, 0.3, 600)
    rows["dealer_margin_rate"] += 0.02 * size
    assert association.profit_weights(rows, MEASURED).table.loc[
        0, "evident"
    ]  # large dealers have both
    adjusted = association.profit_weights(rows, MEASURED, controls=["size"]).table.loc[0]
    assert not adjusted["evident"]
    by_word = association.profit_weights(rows, MEASURED, controls=["format"]).table.loc[0]
    assert (
        abs(by_word["coefficient"])
        < association.profit_weights(rows, MEASURED).table.loc[0, "coefficient"]
    )


def test_resampling_by_sums_equals_ridge_on_the_drawn_dealers():
    random = np.random.default_rng(4)
    x, y = random.normal(size=(50, 3)), random.normal(size=50)
    found = association._resampled_ridge(x, y, (None, 2.5), seed=9, n_resamples=4)
    again = np.random.default_rng(9)
    order = again.permutation(50)
    drawn = again.multinomial(50, np.full(50, 1 / 50), 4)
    for coefficients, times in zip(found, drawn, strict=True):
        rows = np.repeat(order, times)
        np.testing.assert_allclose(
            coefficients, Ridge(alpha=2.5).fit(x[rows], y[rows]).coef_, atol=1e-9
        )


def test_the_seed_makes_the_intervals():
    rows = dealers_of(effects={"m0": 0.01})
    pd.testing.assert_frame_equal(
        association.profit_weights(rows, MEASURED, seed=3).table,
        association.profit_weights(rows, MEASURED, seed=3).table,
    )


def test_a_bootstrap_takes_less_than_a_second():
    rows = dealers_of()
    association.profit_weights(rows, MEASURED)  # imports and caches
    start = time.perf_counter()
    association.profit_weights(rows, MEASURED)
    assert time.perf_counter() - start < 1.0


# ---- the choice ----------------------------------------------------------------------------------

PAIRS = all_pairs("P1", {"a": 4, "b": 2, "c": 1})
GIVEN = tree_of({"a": "", "b": "", "c": ""}, a=1, b=1, c=2)


@pytest.mark.parametrize(
    ("how", "tree", "rows", "used"),
    [
        ("", FLAT, PAIRS, "ahp"),
        ("", GIVEN, PAIRS, "ahp"),
        ("", GIVEN, GUESS, "hand"),  # nobody's comparisons can be used
        ("", GIVEN, PAIRS.head(0), "hand"),
        ("", FLAT, PAIRS.head(0), "equal"),
        ("equal", GIVEN, PAIRS, "equal"),
        ("hand", GIVEN, PAIRS, "hand"),
        ("hand", FLAT, PAIRS, "equal"),
        ("ahp", GIVEN, PAIRS, "ahp"),
        ("ahp", GIVEN, GUESS, "equal"),
    ],
)
def test_the_way_that_is_used(how, tree, rows, used):
    found, how_used = weights.chosen_weights(how, tree, rows, dealers_of(n=1))
    assert how_used == used
    expected = {"ahp": [4 / 7, 2 / 7, 1 / 7], "hand": [0.25, 0.25, 0.5], "equal": [1 / 3] * 3}[used]
    np.testing.assert_allclose(found, expected)
    said = weights.how_sentences(how_used, how)
    assert said[-1] == words.say(f"weights.how_{used}")
    assert len(said) == (2 if how not in ("", used) else 1)


def test_weights_from_profit_are_those_of_the_table():
    rows = dealers_of(effects={"m0": 0.02, "m5": 0.02})
    found, how = weights.chosen_weights("profit", MEASURED, PAIRS.head(0), rows)
    assert how == "profit"
    assert found.sum() == pytest.approx(1)
    assert found[found > 0].index.tolist() == ["f0", "f5"]
    noise, fallen = weights.chosen_weights("profit", MEASURED, PAIRS.head(0), dealers_of(seed=1))
    assert fallen == "equal"
    assert noise.tolist() == [1 / N] * N
    assert (
        weights.how_sentences(fallen, "profit")[0]
        == "From profit was asked for, but finds nothing to go by."
    )


def test_an_unknown_way_is_refused_with_the_choices():
    message = (
        "weights: 'magic' is not known; choose one of equal, hand, ahp, profit, or leave it empty"
    )
    with pytest.raises(ValueError, match=message):
        weights.chosen_weights("magic", FLAT, PAIRS, dealers_of(n=1))


# ---- plot ----------------------------------------------------------------------------------------


@LANGUAGES
def test_plot_weights_draws_coefficients_and_says_association(language):
    look.use(language, "CNY")
    profit = association.profit_weights(dealers_of(effects={"m0": 0.02, "m2": -0.02}), MEASURED)
    kept = profit.table.copy()
    ax = association.plot_weights(profit, MEASURED, note="source")
    rows = profit.table.sort_values("coefficient")
    assert [t.get_text() for t in ax.get_yticklabels()] == rows["factor_id"].str.upper().tolist()
    assert rows["factor_id"].iloc[[0, -1]].tolist() == ["f2", "f0"]
    drawn = sorted(
        tuple(seg[:, 0])
        for c in ax.collections
        if isinstance(c, LineCollection)
        for seg in c.get_segments()
    )
    # a rate is drawn in points
    expected = sorted(zip(100 * rows["low"], 100 * rows["high"], strict=True))
    np.testing.assert_allclose(drawn, expected)
    title = words.say("weights.title", factor="F0", target=words.label("dealer_margin_rate"))
    text = " ".join(t.get_text() for t in ax.figure.texts).replace("\n", " ")
    assert title in text
    assert words.translated("association, not cause", "并非因果") in title
    pd.testing.assert_frame_equal(profit.table, kept)
    noise = association.plot_weights(
        association.profit_weights(dealers_of(seed=1), MEASURED), MEASURED
    )
    assert words.translated("No factor evidently", "没有因素") in noise.figure.alt_text


def test_inputs_are_not_mutated():
    rows, tree, pairs = dealers_of(n=50), MEASURED.copy(), PAIRS.copy()
    kept = [frame.copy() for frame in (rows, tree, pairs)]
    association.profit_weights(rows, tree)
    weights.ahp_weights(pairs, FLAT)
    weights.hand_weights(GIVEN)
    for frame, old in zip((rows, tree, pairs), kept, strict=True):
        pd.testing.assert_frame_equal(frame, old)
