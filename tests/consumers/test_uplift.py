"""What promotions brought: by hand, against scipy, and on days on which nothing happened."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import promotions
from helpers import look, words
from helpers.consumers import uplift
from helpers.consumers.sums import rate_difference

pytestmark = pytest.mark.usefixtures("looks")


def sides(**values: tuple[list[float], list[float]]) -> pd.DataFrame:
    """Sum measures up for those written to and the others; what is not given is zero."""
    rows = []
    n = [len(side) for side in next(iter(values.values()))]
    for is_contacted, place in ((False, 1), (True, 0)):
        row = {"promotion_id": "M1", "is_contacted": is_contacted, "n_consumers": n[place]}
        for what in (*(c for pair in uplift.COMPARED.values() for c in pair), *uplift.BEFORE):
            v = np.array(values[what][place] if what in values else [0.0])
            row |= {f"{what}_sum": v.sum(), f"{what}_squares": (v**2).sum()}
        rows.append(row)
    return pd.DataFrame(rows)


def plan(assignment: str | None = "random", cost: float = np.nan) -> pd.DataFrame:
    plans = promotions.plan_rows([300], 12, "random")
    return plans.assign(promotion_id="M1", assignment=assignment, cost=cost)


@pytest.fixture
def drawn() -> dict:
    draw = np.random.default_rng(1)
    before = draw.gamma(1, 100, 4000)
    after = draw.gamma(1, 100, 4000) + np.where(np.arange(4000) < 1000, 20, 0)
    buys = (draw.random(4000) < np.where(np.arange(4000) < 1000, 0.2, 0.1)).astype(float)
    each = {"after": after, "before": before, "gain": after - before, "buys": buys}
    each["buys_gain"] = buys
    return {name: (list(v[:1000]), list(v[1000:])) for name, v in each.items()}


def test_drawn_by_lot_and_alike_is_a_difference_of_means(drawn):
    row = uplift.uplift_table(plan(), sides(**drawn), level=0.9).iloc[0]
    assert (row["method"], row["verdict"]) == ("random", "more")
    told, others = drawn["after"]
    theirs = stats.ttest_ind(told, others, equal_var=False).confidence_interval(1 - 0.1 / 2)
    assert row["uplift"] == pytest.approx(1000 * (np.mean(told) - np.mean(others)))
    assert (row["low"], row["high"]) == pytest.approx(
        (1000 * theirs.low, 1000 * theirs.high), rel=5e-3
    )
    buyers = [sum(side) for side in drawn["buys"]]
    assert (row["buyers_low"], row["buyers_high"]) == pytest.approx(
        rate_difference(buyers[0], 1000, buyers[1], 3000, 1 - 0.1 / 2), rel=1e-6
    )
    assert row["buyers_uplift"] == pytest.approx(row["contacted_rate"] - row["control_rate"])
    assert (row["n_contacted"], row["n_control"]) == (1000, 3000)


@pytest.mark.parametrize(
    ("assignment", "shift", "method"),
    [("random", 0, "random"), ("random", 15, "difference"), ("chosen", 0, "difference")],
)
def test_causal_words_need_a_lot_and_a_time_before_that_is_alike(drawn, assignment, shift, method):
    told, others = drawn["before"]
    before = [v + shift for v in told]
    gain = [a - b for a, b in zip(drawn["after"][0], before, strict=True)]
    given = drawn | {"before": (before, others), "gain": (gain, drawn["gain"][1])}
    table = uplift.uplift_table(plan(assignment), sides(**given))
    row = table.iloc[0]
    assert row["method"] == method
    spread = np.sqrt((np.var(before, ddof=1) + np.var(others, ddof=1)) / 2)
    apart = (np.mean(before) - np.mean(others)) / spread
    assert row["imbalance"] == pytest.approx(abs(apart)) and (abs(apart) > 0.1) == bool(shift)
    if method == "difference":
        assert row["uplift"] == pytest.approx(1000 * (np.mean(gain) - np.mean(drawn["gain"][1])))
    for language in ("en", "zh-Hans"):
        look.use(language, "CNY")
        said = " ".join(uplift.sentences(table))
        causal = {"en": "the letter's doing", "zh-Hans": "即邀约的作用"}[language]
        plain = {"en": "no cause", "zh-Hans": "不作因果判断"}[language]
        assert (causal in said) == (method == "random") == (plain not in said)


def test_an_unknown_assignment_is_a_choice(drawn):
    assert uplift.uplift_table(plan(None), sides(**drawn))["method"].tolist() == ["difference"]


def test_where_the_sides_moved_apart_before_nothing_is_claimed(drawn):
    drift = (list(np.ones(1000) * 0.3), list(np.zeros(3000)))
    draw = np.random.default_rng(3)
    drift = tuple(list(np.array(side) + draw.normal(0, 0.1, len(side))) for side in drift)
    table = uplift.uplift_table(plan("chosen"), sides(**drawn, buys_drift=drift))
    assert table["verdict"].tolist() == ["placebo"]
    said = uplift.sentences(table)
    assert words.say("uplift.placebo", n=1) in said and not any("won" in s for s in said[1:])


def test_few_are_too_few_to_tell():
    few = sides(after=([5.0] * 29, [1.0] * 500), buys=([1.0] * 29, [0.0] * 500))
    table = uplift.uplift_table(plan(), few)
    assert table["verdict"].tolist() == ["few"] and table["uplift"].isna().all()
    assert uplift.sentences(table) == [words.say("uplift.few", n=1, least=30)]
    assert uplift.plot_uplift(table).figure.alt_text == words.say("uplift.nothing_drawn")


def test_nobody_left_as_control_is_too_few():
    alone = sides(after=([5.0] * 40, [1.0] * 40)).query("is_contacted")
    assert uplift.uplift_table(plan(), alone)["verdict"].tolist() == ["few"]


def test_nothing_at_all_is_said():
    empty = sides(after=([1.0], [1.0])).head(0)
    table = uplift.uplift_table(plan().head(0), empty)
    assert table.empty and uplift.sentences(table) == [words.say("uplift.none")]


@pytest.mark.parametrize(
    ("cost", "said"), [(np.nan, "no_cost"), (1e6, "below_cost"), (9.0, "none_below_cost")]
)
def test_cost_is_held_against_additional_sales(drawn, cost, said):
    table = uplift.uplift_table(plan(cost=cost), sides(**drawn))
    expected = words.say(f"uplift.{said}", n=1, of=1, names="promotion 0")
    assert expected in uplift.sentences(table)
    assert ("cost" in uplift.shown(table)) == (cost == cost)


def test_a_placebo_is_rarely_false_and_a_letter_that_works_is_found():
    """A sample of `tests/benchmarks/uplift_placebo.py`: 12 networks of 6 promotions."""
    draw, false, found = np.random.default_rng(4), 0, []
    for i in range(12):
        plans, arms = promotions.network(
            draw, assignment=("random", "chosen")[i % 2], n=1500, n_promotions=6
        )
        verdicts = uplift.uplift_table(plans, arms)["verdict"]
        false += bool(verdicts.isin(["more", "less"]).any())
    for _ in range(3):
        plans, arms = promotions.network(
            draw, assignment="random", n=2000, n_promotions=6, effect=0.25
        )
        found += uplift.uplift_table(plans, arms)["verdict"].eq("more").tolist()
    assert false <= 1
    assert np.mean(found) > 0.8


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_the_figure_draws_intervals(drawn, language):
    look.use(language, "CNY")
    table = uplift.uplift_table(plan(), sides(**drawn))
    ax = uplift.plot_uplift(table)
    (segment,) = ax.collections[0].get_segments()
    assert segment[:, 0].tolist() == pytest.approx(table[["buyers_low", "buyers_high"]].iloc[0])
    assert words.say("uplift.title", n=1, of=1) in ax.figure.alt_text
