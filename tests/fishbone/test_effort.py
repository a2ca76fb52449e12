"""The climb: the S-curve by hand, the best split against every split, the order of the legs, and
what it says.
"""

import itertools
import math
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from helpers import fishbone, look, words
from helpers.fishbone import effort

pytestmark = pytest.mark.usefixtures("looks")

COLUMNS = ["start", "weight", "ceiling", "half_effort_days", "steepness"]
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh-Hans"])
NAMES = {
    "en": [
        "Continuous training",
        "Small frequent lots (ants moving)",
        "Consumer file: touch",
        "Shop promotion",
    ],
    "zh-Hans": ["持续培训", "蚂蚁搬动", "用户档案感动", "店面推广"],
}

factor_rows = st.tuples(
    st.integers(0, 20).map(lambda n: n / 2),
    st.integers(0, 4).map(lambda n: n / 8),
    st.integers(0, 20).map(lambda n: n / 2),
    st.sampled_from([1.0, 2.0, 5.0]),
    st.sampled_from([1.0, 2.0, 4.0]),
)
few_factors = st.lists(factor_rows, min_size=1, max_size=4)


def factors_of(*rows, owner: str | None = None) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=COLUMNS, dtype="float64")
    table.insert(0, "factor_id", [f"f{i + 1:02d}" for i in range(len(rows))])
    return table.assign(owner=owner) if owner else table


def tree_of(n: int, names: list[str] | None = None, owners: list | None = None) -> pd.DataFrame:
    ids = [f"f{i + 1:02d}" for i in range(n)]
    bone = pd.DataFrame(
        {"factor_id": ["b1"], "factor": ["Bone"], "is_leaf": [False], "owner": [np.nan]}
    )
    leaves = pd.DataFrame(
        {
            "factor_id": ids,
            "factor": names or [f"Factor {i + 1}" for i in range(n)],
            "is_leaf": True,
            "owner": owners or ["us"] * n,
        }
    )
    return pd.concat([bone, leaves], ignore_index=True)


def random_factors(n: int, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return factors_of(
        *zip(
            rng.uniform(4, 8, n),
            rng.dirichlet(np.ones(n)),
            rng.uniform(5, 10, n),
            rng.uniform(5, 60, n),
            rng.uniform(1, 4, n),
            strict=True,
        )
    )


def gain_of(row, spent_days: float) -> float:
    """Work out the weighted gain of one factor in plain Python."""
    start, weight, ceiling, half, steepness = row
    part = (
        0.0
        if spent_days == 0
        else spent_days**steepness / (spent_days**steepness + half**steepness)
    )
    return weight * max(ceiling - start, 0) * part


def every_split(n_factors: int, n_steps: int):
    return (s for s in itertools.product(range(n_steps + 1), repeat=n_factors) if sum(s) <= n_steps)


def best_by_trial(rows, n_steps: int) -> tuple[tuple[int, ...], float]:
    """Try every split; of those within a hair of the best the least effort wins, then the most for
    the first.
    """
    gains = {
        s: sum(gain_of(row, e) for row, e in zip(rows, s, strict=True))
        for s in every_split(len(rows), n_steps)
    }
    most = max(gains.values())
    equal = [s for s, gain in gains.items() if gain > most - 1e-9]
    return min(equal, key=lambda s: (sum(s), [-e for e in s])), most


def greedy(rows, n_steps: int) -> tuple[list[int], float]:
    """Give each next step to where it gains most just now."""
    spent_days = [0] * len(rows)
    for _ in range(n_steps):
        lift = [
            gain_of(row, e + 1) - gain_of(row, e) for row, e in zip(rows, spent_days, strict=True)
        ]
        spent_days[int(np.argmax(lift))] += 1
    return spent_days, sum(gain_of(row, e) for row, e in zip(rows, spent_days, strict=True))


# ---- the curve -----------------------------------------------------------------------------------


def test_the_curve_by_hand():
    # 10 days, half way at 20, steepness 2: 100 / (100 + 400) = a fifth of the three points
    assert effort.response(10, 6.0, 9.0, 20, 2.0) == pytest.approx(6.6)
    assert effort.response(0, 6.0, 9.0, 20, 2.0) == 6.0
    assert effort.response(20, 6.0, 9.0, 20, 2.0) == 7.5
    assert effort.response(40, 6.0, 9.0, 20, 2.0) == pytest.approx(8.4)
    assert effort.response(1e300, 6.0, 9.0, 20, 4.0) == 9.0  # no overflow
    assert effort.response(1e-300, 6.0, 9.0, 20, 4.0) == 6.0


def test_a_ceiling_below_the_start_lifts_nothing():
    np.testing.assert_array_equal(effort.response([0, 5, 500], 8.0, 7.0, 10, 2.0), [8.0, 8.0, 8.0])


def test_above_a_steepness_of_one_the_foot_is_flat_and_the_curve_an_s():
    lift = np.diff(effort.response(np.arange(60), 5.0, 9.0, 20, 3.0))
    top = int(lift.argmax())
    assert 5 < top < 30  # steepest on the slope
    assert (np.diff(lift[: top + 1]) > 0).all()
    assert (np.diff(lift[top:]) < 0).all()
    assert np.diff(effort.response(np.arange(60), 5.0, 9.0, 20, 1.0)).argmax() == 0  # no S at 1


@given(factor_rows, st.lists(st.floats(0, 1e4), min_size=1, max_size=20))
def test_more_effort_never_lowers_a_score_nor_passes_the_ceiling(row, efforts):
    start, _, ceiling, half, steepness = row
    scores = effort.response(sorted(efforts), start, ceiling, half, steepness)
    assert (np.diff(scores) >= 0).all()
    assert (scores >= start).all()
    assert (scores <= max(start, ceiling)).all()


# ---- what is assumed -----------------------------------------------------------------------------


def assumed(**columns) -> pd.DataFrame:
    n = len(columns["factor_id"])
    return pd.DataFrame(
        {"ceiling": [9.0] * n, "half_effort_days": [20] * n, "steepness": [2.0] * n} | columns
    )


def test_good_assumptions_come_back_as_numbers_in_the_trees_order():
    table = effort.require_assumptions(
        assumed(factor_id=["f03", "f01"], ceiling=["8.5", "10"]), tree_of(3)
    )
    assert table["factor_id"].tolist() == ["f01", "f03"]  # f02 is not climbable, which is no error
    assert table["ceiling"].tolist() == [10.0, 8.5]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            assumed(factor_id=["f01", "f99", "b1"]),
            (
                "climb.csv: 2 rows with a factor_id that is no twig of factors.csv, e.g. f99; "
                "correct it or remove the row"
            ),
        ),
        (
            assumed(factor_id=["f01", "f02", "f01"]),
            "climb.csv: 1 row for a factor that already has one, e.g. f01; keep one row per factor",
        ),
        (
            assumed(factor_id=["f01", "f02"], ceiling=[10.5, np.nan]),
            "climb.csv: 2 rows without a ceiling from 0 to 10, e.g. f01 (10.5); correct it",
        ),
        (
            assumed(factor_id=["f01", "f02"], ceiling=[9.0, np.nan]),
            "climb.csv: 1 row without a ceiling from 0 to 10, e.g. f02 (empty); correct it",
        ),
        (
            assumed(factor_id=["f01"], half_effort_days=[0]),
            (
                "climb.csv: 1 row without half_effort_days above 0, e.g. f01 (0); say how many "
                "days bring half of the way"
            ),
        ),
        (
            assumed(factor_id=["f01"], half_effort_days=["ten"]),
            (
                "climb.csv: 1 row without half_effort_days above 0, e.g. f01 (ten); say how many "
                "days bring half of the way"
            ),
        ),
        (
            assumed(factor_id=["f02"], steepness=[0.9]),
            (
                "climb.csv: 1 row without a steepness of 1 or more, e.g. f02 (0.9); 2 is a "
                "usual S, 1 has no flat foot"
            ),
        ),
        (
            assumed(factor_id=["f02"]).drop(columns="ceiling"),
            (
                "climb.csv: no column 'ceiling'; it needs factor_id, ceiling, half_effort_days, "
                "steepness"
            ),
        ),
    ],
)
def test_wrong_assumptions_are_told_word_for_word(table, message):
    with pytest.raises(ValueError) as error:
        effort.require_assumptions(table, tree_of(3))
    assert str(error.value) == message


def test_all_that_is_wrong_is_told_at_once():
    table = assumed(factor_id=["f01", "f99"], ceiling=[11, 9], steepness=[2.0, 0.0])
    with pytest.raises(ValueError) as error:
        effort.require_assumptions(table, tree_of(3))
    lines = str(error.value).splitlines()
    assert len(lines) == 3
    assert all(line.startswith("climb.csv: 1 row") for line in lines)


def test_starting_points_keep_scored_twigs_and_scale_their_weights():
    scores = pd.DataFrame({"factor_id": ["f01", "f02", "f03"], "score": [6.0, np.nan, 7.0]})
    weights = pd.Series({"f01": 0.3, "f02": 0.4, "f03": 0.1, "f04": 0.2})
    ready = effort.require_assumptions(assumed(factor_id=["f01", "f04"]), tree_of(4))
    table = effort.starting_points(scores, weights, ready, tree_of(4))
    assert table["factor_id"].tolist() == ["f01", "f03"]
    assert table["weight"].tolist() == pytest.approx([0.75, 0.25])
    assert table["start"].tolist() == [6.0, 7.0]
    # f03 keeps its score and can't be climbed
    assert table["ceiling"].isna().tolist() == [False, True]
    best = effort.allocation(table, 50)
    assert best["effort_days"].tolist() == [50.0, 0.0]
    assert best["score"].tolist() == [pytest.approx(6 + 3 * 2500 / 2900), 7.0]
    assert effort.frontier(table, 50)["weighted_score"].iloc[0] == pytest.approx(
        0.75 * 6 + 0.25 * 7
    )


# ---- the best split ------------------------------------------------------------------------------


@settings(max_examples=60)
@given(few_factors, st.integers(0, 7))
@example([(5.0, 0.25, 9.0, 2.0, 2.0)] * 3, 4)  # three alike: the first ones get it
# nothing gains: nothing is spent
@example([(5.0, 0.0, 9.0, 2.0, 2.0), (9.0, 0.5, 4.0, 2.0, 2.0)], 5)
def test_the_best_of_every_split(rows, n_steps):
    best = effort.allocation(factors_of(*rows), n_steps)
    split, most = best_by_trial(rows, n_steps)
    assert best["weighted_gain"].sum() == pytest.approx(most, abs=1e-7)
    assert best["effort_days"].tolist() == list(split)


@settings(max_examples=40)
@given(few_factors, st.integers(0, 6))
def test_the_frontier_is_the_best_split_of_every_budget(rows, n_steps):
    table = factors_of(*rows)
    curve = effort.frontier(table, n_steps)
    assert curve["effort_days"].tolist() == list(range(n_steps + 1))
    expected = [
        effort.allocation(table, budget)["weighted_gain"].sum() for budget in range(n_steps + 1)
    ]
    np.testing.assert_allclose(curve["weighted_gain"], expected, atol=1e-7)
    start = sum(row[0] * row[1] for row in rows)
    np.testing.assert_allclose(curve["weighted_score"], start + curve["weighted_gain"])


def test_greedy_stays_on_the_flat_foot_and_gets_an_eighth():
    # a shallow climb that pays at once, and a steep one that pays only after ten days of nothing to
    # see
    rows = [(6.0, 0.5, 7.0, 5.0, 1.0), (4.0, 0.5, 10.0, 10.0, 6.0)]
    spent_days, gained = greedy(rows, 20)
    assert spent_days == [20, 0]
    best = effort.allocation(factors_of(*rows), 20)
    assert best["effort_days"].tolist() == [3.0, 17.0]
    assert gained == pytest.approx(0.4)
    assert best["weighted_gain"].sum() == pytest.approx(best_by_trial(rows, 20)[1])
    assert gained / best["weighted_gain"].sum() < 1 / 7


@settings(max_examples=40)
@given(st.lists(factor_rows, min_size=1, max_size=8), st.integers(0, 25))
def test_never_worse_than_greedy_nor_over_budget(rows, n_steps):
    best = effort.allocation(factors_of(*rows), n_steps)
    assert best["weighted_gain"].sum() >= greedy(rows, n_steps)[1] - 1e-7
    assert best["effort_days"].sum() <= n_steps
    assert (best["gain"] >= 0).all()


def test_the_order_of_the_factors_changes_the_gain_of_nobody():
    table = random_factors(12)
    best = effort.allocation(table, 90).set_index("factor_id")["effort_days"]
    for seed in range(5):
        shuffled = effort.allocation(table.sample(frac=1, random_state=seed), 90).set_index(
            "factor_id"
        )["effort_days"]
        pd.testing.assert_series_equal(shuffled.sort_index(), best)


def test_steps_of_half_a_day_gain_at_least_as_much():
    table = random_factors(5)
    whole, half = effort.allocation(table, 30), effort.allocation(table, 30, step_days=0.5)
    assert half["weighted_gain"].sum() >= whole["weighted_gain"].sum()
    assert (half["effort_days"] % 0.5 == 0).all()
    # 0.1 × 3 is a hair more than 0.3: the last step still fits
    assert len(effort.frontier(table, 0.3, step_days=0.1)) == 4


def test_long_budgets_are_cut_into_blocks_without_a_seam(monkeypatch):
    table = random_factors(4)
    whole = effort.allocation(table, 100)
    monkeypatch.setattr(
        effort, "CELLS_AT_ONCE", 700
    )  # rows of the table of splits: seven at a time
    pd.testing.assert_frame_equal(effort.allocation(table, 100), whole)


def test_no_factor_and_no_budget_give_empty_answers():
    assert effort.allocation(factors_of(), 10).empty
    assert effort.frontier(factors_of(), 3)["weighted_score"].tolist() == [0.0] * 4
    assert effort.allocation(random_factors(3), 0)["effort_days"].tolist() == [0.0] * 3
    assert effort.legs(random_factors(3), 0).empty


@pytest.mark.parametrize(
    ("budget", "step", "message"),
    [
        (
            -1,
            1.0,
            "budget_days -1, step_days 1.0: give days of effort from 0 on, and a step above 0",
        ),
        (
            math.nan,
            1.0,
            "budget_days nan, step_days 1.0: give days of effort from 0 on, and a step above 0",
        ),
        (
            10,
            0.0,
            "budget_days 10, step_days 0.0: give days of effort from 0 on, and a step above 0",
        ),
        (
            1e6,
            1.0,
            "budget_days: 1000000.0 days are 1,000,000 steps of 1.0; choose a larger step_days",
        ),
    ],
)
def test_wrong_budgets_are_refused_word_for_word(budget, step, message):
    with pytest.raises(ValueError) as error:
        effort.allocation(random_factors(2), budget, step_days=step)
    assert str(error.value) == message


def test_it_is_fast_enough_to_turn_a_knob():
    def seconds(n_factors: int, budget: int) -> float:
        table, taken = random_factors(n_factors), []
        for _ in range(3):
            begun = time.process_time()
            effort.allocation(table, budget)
            taken.append(time.process_time() - begun)
        return min(taken)

    assert seconds(15, 200) < 0.05
    assert seconds(50, 1000) < 2


# ---- legs ----------------------------------------------------------------------------------------


def test_legs_are_the_best_split_in_the_order_of_gain_per_day():
    # both are worth climbing with 30 days; the second lifts more a day
    table = factors_of(
        (6.0, 0.5, 8.0, 10.0, 2.0),
        (5.0, 0.5, 9.0, 8.0, 3.0),
        (9.0, 0.0, 10.0, 5.0, 1.0),
        owner="us",
    )
    best = effort.allocation(table, 30).set_index("factor_id")
    walk = effort.legs(table, 30)
    assert walk["leg"].tolist() == [1, 2]
    assert walk["factor_id"].tolist() == ["f02", "f01"]
    assert walk["owner"].tolist() == ["us", "us"]
    assert walk["effort_days"].tolist() == best.loc[["f02", "f01"], "effort_days"].tolist()
    assert walk["from_score"].tolist() == [5.0, 6.0]
    assert walk["to_score"].tolist() == best.loc[["f02", "f01"], "score"].tolist()
    assert walk["cum_effort_days"].tolist() == [walk["effort_days"].iloc[0], 30.0]
    assert walk["cum_weighted_gain"].iloc[-1] == pytest.approx(best["weighted_gain"].sum())


def test_the_best_plans_of_growing_budgets_are_not_nested():
    # 6 days climb the near slope; 12 leave it alone for the high one
    table = factors_of((5.0, 0.5, 7.0, 4.0, 6.0), (4.0, 0.5, 10.0, 9.0, 8.0))
    small, large = (effort.allocation(table, budget)["effort_days"].tolist() for budget in (6, 12))
    assert small == [6.0, 0.0]
    assert large == [0.0, 12.0]


@settings(max_examples=40)
@given(st.lists(factor_rows, min_size=1, max_size=6), st.integers(0, 30))
def test_legs_fall_in_gain_per_day_and_end_on_the_frontier(rows, budget):
    table = factors_of(*rows)
    walk, curve = effort.legs(table, budget), effort.frontier(table, budget)
    per_day = walk["weighted_gain"] / walk["effort_days"]
    assert (per_day.diff().dropna() <= 1e-12).all()
    assert walk["weighted_gain"].sum() == pytest.approx(curve["weighted_gain"].iloc[-1], abs=1e-7)
    assert not walk["factor_id"].duplicated().any()
    at_ends = curve["weighted_gain"].to_numpy()[walk["cum_effort_days"].astype(int)]
    # on the way it lies on the frontier or below
    assert (walk["cum_weighted_gain"] <= at_ends + 1e-7).all()


# ---- sentences -----------------------------------------------------------------------------------


def test_sentences_name_the_start_the_owners_and_that_all_is_assumed():
    table = factors_of((6.0, 0.5, 8.0, 10.0, 2.0), (5.0, 0.5, 9.0, 8.0, 3.0)).assign(
        owner=["head_office", "us"]
    )
    walk = effort.legs(table, 30)
    said = effort.sentences(walk, table, tree_of(2))
    top, first = 5.5 + walk["cum_weighted_gain"].iloc[-1], walk.iloc[0]
    assert said[0] == (
        f"30 days of effort in 2 legs would lift the weighted score from 5.5 to {top:.1f}, if "
        "the assumptions hold."
    )
    assert said[1] == (
        f"Start with Factor 2: {first['effort_days']:.0f} days lift it from 5.0 to "
        f"{first['to_score']:.1f}, the most per day."
    )
    assert (
        said[2] == f"{first['effort_days']:.0f} of these days are ours to spend, "
        f"{30 - first['effort_days']:.0f} need head office."
    )
    assert "not measurements" in said[-1]
    assert "our reading" in said[-1]
    assert len(said) == 4


def test_sentences_say_who_can_not_be_climbed_and_why():
    table = factors_of(
        (6.0, 0.3, 8.0, 10.0, 2.0), (9.0, 0.3, 8.0, 5.0, 2.0), (7.0, 0.4, np.nan, np.nan, np.nan)
    )
    said = effort.sentences(effort.legs(table, 20), table, tree_of(4))
    assert "Nobody has scored Factor 4: where it stands is not known." in said
    assert "climb.csv says nothing about Factor 3: it counts as not climbable." in said
    assert "Already at the assumed ceiling: Factor 2." in said
    nothing = effort.sentences(effort.legs(table, 0), table, tree_of(4))
    assert nothing[0] == words.say("climb.nothing")
    assumed = words.say("climb.assumed")
    assert assumed in said and assumed not in nothing, "of a climb that is none nothing is assumed"
    why = "None of the 4 factors has a score."
    assert effort.sentences(effort.legs(table, 0), table, tree_of(4), empty=why) == [why]
    assert effort.sentences(effort.legs(table, 20), table, tree_of(4), empty=why) == said


# ---- the figure ----------------------------------------------------------------------------------


def walk_of(n: int, budget: int, language: str, long: bool = False):
    names = (NAMES[language] * n)[:n]
    names = [name * 3 if long else name for name in names]
    table = random_factors(n).assign(weight=1 / n, start=5.0)
    table["ceiling"] = table["ceiling"].clip(lower=8)
    return effort.legs(table, budget), effort.frontier(table, budget), tree_of(n, names)


def labels(ax) -> list:
    return [text for text in ax.texts if "→" in text.get_text()]


@LANGUAGES
def test_the_figure_draws_the_walk_under_the_frontier(language):
    look.use(language, "CNY")
    walk, curve, tree = walk_of(4, 90, language)
    kept = walk.copy(), curve.copy(), tree.copy()
    ax = fishbone.plot_climb(walk, curve, tree, note="scope")
    dashed, path, ends = ax.lines[:3]
    np.testing.assert_array_equal(dashed.get_ydata(), curve["weighted_score"])
    np.testing.assert_allclose(ends.get_xdata(), walk["cum_effort_days"])
    np.testing.assert_allclose(
        ends.get_ydata(), curve["weighted_score"].iloc[0] + walk["cum_weighted_gain"]
    )
    allowed = np.interp(path.get_xdata(), curve["effort_days"], curve["weighted_score"])
    # between whole days the true frontier bulges above its straight pieces, by less than a day's
    # gain
    assert (path.get_ydata() <= allowed + np.diff(curve["weighted_score"]).max()).all()
    assert path.get_ydata()[-1] == pytest.approx(curve["weighted_score"].iloc[-1], abs=1e-7)
    first = tree.set_index("factor_id")["factor"][walk["factor_id"].iloc[0]]
    title = words.say(
        "climb.title",
        days=90,
        start=curve["weighted_score"].iloc[0],
        to=curve["weighted_score"].iloc[-1],
        factor=first,
    )
    said = [text.get_text() for text in ax.figure.texts]
    assert title in "".join(said).replace("\n", " " if language == "en" else "")
    assert "scope" in said
    assert len(labels(ax)) == len(walk)
    for frame, old in zip((walk, curve, tree), kept, strict=True):
        pd.testing.assert_frame_equal(frame, old)


@LANGUAGES
@pytest.mark.parametrize(("n", "long"), [(4, True), (15, False), (30, True)])
def test_labels_never_overlap_and_stay_on_the_page(language, n, long):
    look.use(language, "CNY")
    ax = fishbone.plot_climb(*walk_of(n, 60 * n, language, long), note="scope")
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in labels(ax)]
    assert len(boxes) >= 0.8 * n
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    page = ax.figure.bbox
    assert all(box.x0 >= page.x0 and box.x1 <= page.x1 for box in boxes)
    frame = ax.get_window_extent()
    assert all(frame.y0 - 8 <= (box.y0 + box.y1) / 2 <= frame.y1 + 8 for box in boxes)
    assert frame.width > 0.4 * page.width
    # beside the data
    assert max(frame.x1, *(box.x0 for box in boxes)) == min(box.x0 for box in boxes)


def test_no_leg_is_one_sentence():
    ax = fishbone.plot_climb(
        effort.legs(random_factors(2), 0), effort.frontier(random_factors(2), 0), tree_of(2)
    )
    assert words.say("climb.nothing") in "".join(t.get_text() for t in ax.figure.texts).replace(
        "\n", " "
    )
    assert not ax.axison


def test_inputs_are_not_mutated():
    table, tree = random_factors(6).assign(owner="us"), tree_of(6)
    raw = assumed(factor_id=["f02", "f01"])
    scores = pd.DataFrame({"factor_id": ["f01", "f02"], "score": [5.0, 6.0]})
    weights = pd.Series({"f01": 0.5, "f02": 0.5})
    kept = [frame.copy() for frame in (table, tree, raw, scores)]
    ready = effort.require_assumptions(raw, tree)
    effort.starting_points(scores, weights, ready, tree)
    effort.sentences(effort.legs(table, 40), table, tree)
    effort.frontier(table, 40)
    for frame, old in zip((table, tree, raw, scores), kept, strict=True):
        pd.testing.assert_frame_equal(frame, old)
