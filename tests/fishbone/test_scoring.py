"""What people and data say.

Worked by hand, against scipy and a published example, and by what must hold.
"""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle
from scipy import stats

from helpers import fishbone, look, words
from helpers.demo import build
from helpers.fishbone import peers, scoring

pytestmark = pytest.mark.usefixtures("looks")

END = pd.Timestamp("2026-10-31")
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh-Hans"])


def tree_of(*leaves: tuple, bone: str = "b1") -> pd.DataFrame:
    """Hang leaves (factor_id, metric, better) on one bone."""
    rows = [(bone, "Bone", np.nan, 1, False, np.nan, np.nan, np.nan)]
    rows += [
        (f, f.upper(), bone, 2, True, metric or np.nan, better, "us")
        for f, metric, better in leaves
    ]
    columns = ["factor_id", "factor", "parent_id", "depth", "is_leaf", "metric", "better", "owner"]
    return pd.DataFrame(rows, columns=columns).assign(weight=np.nan)


def leaves(*factors: str) -> pd.DataFrame:
    return tree_of(*((f, "", np.nan) for f in factors))


def scores_of(*rows: tuple, **columns) -> pd.DataFrame:
    """Spell out scores: session, participant, item, score; dates follow the session's number."""
    table = pd.DataFrame(rows, columns=["session", "participant", "item_id", "score"]).astype(
        {"score": "float64"}
    )
    dates = [
        pd.Timestamp("2026-01-15") + pd.DateOffset(months=int(s[1:])) for s in table["session"]
    ]
    table = table.assign(
        scored_date=pd.to_datetime(dates),
        kind="factor",
        aspect="performance",
        brand=None,
        dealer_id=None,
    )
    return table.assign(**columns)


def text_of(ax) -> str:
    return " ".join(t.get_text() for t in ax.figure.texts).replace("\n", " ")


# ---- people --------------------------------------------------------------------------------------

SCORES = scores_of(
    ("W1", "P1", "f1", 2),
    ("W1", "P2", "f1", 4),
    ("W1", "P1", "f2", 9),
    ("W2", "P1", "f1", 5),
    ("W2", "P2", "f1", 6),
    ("W2", "P3", "f1", 9),
    ("W2", "P4", "f1", 7),
)


def test_people_scores_by_hand():
    table = fishbone.people_scores(SCORES, leaves("f1", "f2", "f3"), end_date=END).set_index(
        "factor_id"
    )
    assert table.loc["f1"].to_dict() == {
        "n_scores": 4,
        "n_participants": 4,  # P1 and P2 came twice
        "n_sessions": 2,
        "score": 6.5,
        "low": 5.75,
        "high": 7.5,
        "previous_score": 3.0,
    }
    # last scored in W1: that counts
    assert table.loc["f2", ["n_scores", "n_sessions", "score"]].tolist() == [1, 1, 9]
    assert math.isnan(table.loc["f2", "previous_score"])
    assert table.loc["f3", ["n_scores", "n_participants"]].tolist() == [0, 0]
    assert math.isnan(table.loc["f3", "score"])


def test_the_end_date_hides_later_sessions_and_includes_its_own_day():
    at_noon = SCORES.assign(scored_date=SCORES["scored_date"] + pd.Timedelta(hours=12))
    first = fishbone.people_scores(at_noon, leaves("f1"), end_date="2026-02-15")
    assert first["score"].tolist() == [3.0]
    assert fishbone.people_scores(at_noon, leaves("f1"), end_date="2026-02-14")[
        "n_scores"
    ].tolist() == [0]
    assert scoring.sessions(at_noon, end_date="2026-03-14")["session"].tolist() == ["W1"]
    assert scoring.sessions(at_noon, end_date=END)["n_participants"].tolist() == [2, 4]


def test_sessions_follow_their_dates_not_their_names():
    swapped = SCORES.assign(session=SCORES["session"].map({"W1": "zeta", "W2": "alpha"}))
    assert fishbone.people_scores(swapped, leaves("f1"), end_date=END)["score"].tolist() == [6.5]
    trend = scoring.session_scores(swapped, leaves("f1", "f2"), end_date=END)
    assert trend[["session", "factor_id", "score", "n_scores"]].to_numpy().tolist() == [
        ["zeta", "f1", 3.0, 2],
        ["zeta", "f2", 9.0, 1],
        ["alpha", "f1", 6.5, 4],
    ]


def test_whose_scores_count():
    rows = scores_of(
        ("W1", "P1", "f1", 8),
        ("W1", "P2", "f1", 6),
        ("W1", "P3", "f1", 0),
        ("W1", "P4", "f1", 1),
        ("W1", "P5", "f1", 2),
        ("W1", "P6", "b1", 3),
        ("W1", "P7", "f1", np.nan),
    ).assign(
        brand=[None, "Ours", "Theirs", *[None] * 4],
        dealer_id=[*[None] * 3, "D1", *[None] * 3],
        kind=[*["factor"] * 4, "need", "factor", "factor"],
    )
    table = fishbone.people_scores(rows, leaves("f1"), end_date=END, brand="Ours")
    assert table[["n_scores", "score"]].to_numpy().tolist() == [[2, 7.0]]  # an empty brand is ours
    dealer = fishbone.people_scores(rows, leaves("f1"), end_date=END, brand="Ours", dealer_id="D1")
    assert dealer[["n_scores", "score"]].to_numpy().tolist() == [[1, 1.0]]


def test_a_person_who_scores_twice_in_a_session_counts_once():
    rows = scores_of(("W1", "P1", "f1", 2), ("W1", "P1", "f1", 4), ("W1", "P2", "f1", 9))
    assert fishbone.people_scores(rows, leaves("f1"), end_date=END)[
        ["n_scores", "score"]
    ].to_numpy().tolist() == [[2, 6.0]]


def test_what_a_person_said_last_of_an_item_counts():
    """A second round is an answer thought over; who did not give one stays with his first."""
    rows = scores_of(
        ("W1", "P1", "f1", 2),
        ("W1", "P1", "f1", 6),
        ("W1", "P2", "f1", 9),
        ("W1", "P1", "f2", 4),
        ("W2", "P1", "f1", 3),
        round=[1.0, 2.0, math.nan, 1.0, 1.0],
    )
    said = fishbone.answers(rows, end_date=END)
    assert said[["session", "participant", "item_id", "score"]].to_numpy().tolist() == [
        ["W1", "P1", "f1", 6.0],
        ["W1", "P1", "f2", 4.0],
        ["W1", "P2", "f1", 9.0],
        ["W2", "P1", "f1", 3.0],
    ]
    again = rows.assign(round=rows["round"].mask(rows["round"] == 2, 1))
    assert fishbone.answers(again, end_date=END)["score"].iloc[0] == 4.0, "of one round the mean"


def test_a_score_off_the_scale_is_refused_by_name():
    rows = scores_of(("W1", "P1", "f1", 11), ("W1", "P2", "f1", 4))
    message = (
        "scores: 1 outside 0–10, e.g. 11 for 'f1' by P1 in W1; correct them or leave the rows out"
    )
    with pytest.raises(ValueError, match=message):
        fishbone.people_scores(rows, leaves("f1"), end_date=END)


def test_scores_of_factors_that_are_gone_are_left_out_and_said():
    rows = scores_of(("W1", "P1", "old", 1), ("W1", "P1", "f1", 4))
    assert fishbone.people_scores(rows, leaves("f1"), end_date=END)["score"].tolist() == [4.0]
    assert scoring.unknown_sentences(rows, leaves("f1")) == [
        "Scored, but not in factors.csv and left out: old."
    ]
    assert scoring.unknown_sentences(rows, leaves("f1", "old")) == []


# ---- agreement -----------------------------------------------------------------------------------

# ranks of twelve birds by wing, tail and bill: Biostatistical Analysis, fourth edition (1999), p.
# 444
BIRDS = [
    [4, 8.5, 10, 1.5, 3, 1.5, 7, 5, 8.5, 11, 6, 12],
    [5, 7, 11, 2.5, 5, 1, 5, 2.5, 9.5, 8, 9.5, 12],
    [5.5, 5.5, 9.5, 2, 3, 1, 8, 4, 11, 9.5, 7, 12],
]


def test_kendalls_w_equals_a_published_example_with_ties():
    """R's synchrony 0.2.3 prints W = 0.9134 without and 0.9241 with the correction for ties."""
    together = scoring.kendalls_w(BIRDS)
    assert round(together.w, 4) == 0.9241
    assert (together.n_participants, together.n_items) == (3, 12)


@settings(max_examples=60)
@given(st.integers(3, 9), st.integers(3, 12), st.integers(0, 10_000), st.integers(2, 12))
def test_kendalls_w_equals_friedmans_test(m, n, seed, levels):
    matrix = np.random.default_rng(seed).integers(0, levels, (m, n)).astype(float)
    together = scoring.kendalls_w(matrix)
    if math.isnan(together.w):
        assert (matrix == matrix[:, :1]).all()  # nobody makes a difference
        return
    friedman = stats.friedmanchisquare(*matrix.T)
    assert together.w == pytest.approx(friedman.statistic / (m * (n - 1)))
    assert together.p_value == pytest.approx(friedman.pvalue)
    assert -1e-12 <= together.w <= 1 + 1e-12


def test_kendalls_w_at_its_ends():
    assert scoring.kendalls_w([[1, 2, 3], [10, 20, 30]]).w == 1
    assert scoring.kendalls_w([[1, 2, 3], [3, 2, 1]]).w == 0
    assert math.isnan(scoring.kendalls_w([[1, 2, 3]]).w)
    assert math.isnan(scoring.kendalls_w([[4, 4], [4, 4]]).w)
    assert scoring.kendalls_w([[1, 2, 3], [1, 2, 3], [3, np.nan, 1]]) == scoring.kendalls_w(
        [[1, 2, 3], [1, 2, 3]]
    )


def test_agreement_by_session():
    rows = scores_of(
        *(("W1", p, f, s) for p in ("P1", "P2") for f, s in (("f1", 1), ("f2", 5), ("f3", 9))),
        # P3 misses two; f4 was scored by one of three
        ("W1", "P3", "f1", 9),
        ("W1", "P1", "f4", 3),
        *(("W2", p, f, s) for p, s in (("P1", 1), ("P2", 9)) for f in ("f1", "f2")),
    )
    table = scoring.agreement(rows, leaves("f1", "f2", "f3", "f4"), end_date=END)
    assert table["session"].tolist() == ["W1", "W2"]
    assert table.loc[0, ["w", "n_participants", "n_items", "n_left_out"]].tolist() == [1.0, 2, 3, 1]
    assert math.isnan(table.loc[1, "w"])
    said = scoring.agreement_sentences(table)
    assert said[0].startswith(
        "In session W1, 2 people rank the factors much alike (Kendall's W 1.00"
    )
    assert said[1] == "So little agreement may be chance."  # two people can't show more
    assert scoring.agreement_sentences(table[1:]) == []


# ---- data ----------------------------------------------------------------------------------------


def network(
    values: list[float], formats="chain", areas="urban", metric: str = "m"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    ids = [f"D{i:02d}" for i in range(len(values))]
    dealers = pd.DataFrame({"dealer_id": ids, "store_format": formats, "area_type": areas})
    return pd.DataFrame({"dealer_id": ids, "m": np.array(values, dtype="float64")}), dealers


def test_data_scores_by_hand():
    features, dealers = network([10, 20, 20, 40, 50, 60, 70, 80, 90, 100, np.nan])
    table = peers.data_scores(features, tree_of(("f1", "m", "high"), ("f2", "", np.nan)), dealers)
    assert set(table["factor_id"]) == {"f1"}  # without a metric the data say nothing
    np.testing.assert_allclose(
        table["percentile"], [0.05, 0.2, 0.2, 0.35, *np.arange(0.45, 1, 0.1), np.nan]
    )
    np.testing.assert_allclose(
        table["ahead_share"], [0.9, 0.7, 0.7, *np.arange(0.6, -0.05, -0.1), np.nan], atol=1e-12
    )
    np.testing.assert_allclose(table["data_score"], 10 * table["percentile"])
    assert set(table["peers"]) == {"format_area"}


def test_less_is_better_where_the_tree_says_so():
    features, dealers = network([1, 2, 2, 4, 5, 6, 7, 8])
    both = peers.data_scores(features, tree_of(("f1", "m", "high"), ("f2", "m", "low")), dealers)
    high, low = (both[both["factor_id"] == f].reset_index(drop=True) for f in ("f1", "f2"))
    np.testing.assert_allclose(low["percentile"], 1 - high["percentile"])
    assert low["ahead_share"].tolist() == [0, 0.125, 0.125, *(i / 8 for i in range(3, 8))]


def test_equal_dealers_share_a_place():
    features, dealers = network([3.0] * 8 + [9.0])
    table = peers.data_scores(features, tree_of(("f1", "m", "high")), dealers)
    assert table["data_score"].round(2).tolist() == [4.44] * 8 + [9.44]
    assert table["ahead_share"].round(3).tolist() == [0.111] * 8 + [0.0]


@pytest.mark.parametrize("n", [1, 2, 9])
@pytest.mark.parametrize("better", ["high", "low"])
def test_dealers_told_apart_by_rounding_only_have_no_score(n, better):
    """Three percent of each line, to the cent, are three percent everywhere."""
    revenue = np.random.default_rng(n).uniform(200, 4_000, n).round(2)
    features, dealers = network([*((revenue * 0.03).round(2) / revenue)])
    table = peers.data_scores(features, tree_of(("f1", "m", better)), dealers)
    assert table[["percentile", "ahead_share", "data_score"]].isna().all(axis=None)
    assert peers.data_scores(features, tree_of(("f1", "m", better)), dealers)["value"].notna().all()


@pytest.mark.parametrize("others", [[], [np.nan] * 9])
def test_who_is_alone_has_no_place_among_peers(others):
    features, dealers = network([7.0, *others])
    table = peers.data_scores(features, tree_of(("f1", "m", "high")), dealers)
    assert table["data_score"].isna().all()


def test_peers_widen_where_they_are_few():
    formats = ["chain"] * 8 + ["mall"] * 2 + [None] + ["chain"] * 2 + [None]
    areas = ["urban"] * 11 + ["rural"] * 2 + [None]
    features, dealers = network([*range(14)], formats, areas)
    table = peers.data_scores(features, tree_of(("f1", "m", "high")), dealers)
    assert table["peers"].tolist() == ["format_area"] * 8 + ["area"] * 3 + ["all"] * 3
    assert table["percentile"][7] == 7.5 / 8  # best of eight chains
    assert table["percentile"][8] == 8.5 / 11  # among eleven of the city
    assert table["percentile"][13] == 13.5 / 14
    features.loc[0, "m"] = np.nan  # seven chains with a value are too few
    fewer = peers.data_scores(features, tree_of(("f1", "m", "high")), dealers)
    assert fewer["peers"][1] == "area"


def test_a_dealer_that_no_list_knows_is_placed_among_all():
    features, dealers = network([*range(10)])
    table = peers.data_scores(features, tree_of(("f1", "m", "high")), dealers[:9])
    assert table["peers"].tolist() == ["format_area"] * 9 + ["all"]
    assert table["percentile"][9] == 0.95


def test_an_unknown_metric_is_refused_by_name():
    features, dealers = network([1.0])
    message = (
        "factors: the metric 'speed' of 'f1' is no dealer feature; there are m — correct "
        "factors.csv, or leave"
    )
    with pytest.raises(ValueError, match=message):
        peers.data_scores(features, tree_of(("f1", "speed", "high")), dealers)


@settings(max_examples=30)
@given(
    st.lists(st.one_of(st.none(), st.integers(-5, 5)), min_size=1, max_size=40), st.integers(0, 99)
)
def test_data_scores_average_five_in_any_row_order_and_on_any_rising_scale(values, seed):
    numbers = [np.nan if v is None else float(v) for v in values]
    features, dealers = network(numbers)
    tree = tree_of(("f1", "m", "high"))
    table = peers.data_scores(features, tree, dealers)
    known = table["data_score"].dropna()
    assert known.between(0, 10).all()
    assert not len(known) or known.mean() == pytest.approx(5)
    shuffled = peers.data_scores(features.sample(frac=1, random_state=seed), tree, dealers)
    pd.testing.assert_frame_equal(shuffled.sort_values("dealer_id", ignore_index=True), table)
    stretched = peers.data_scores(features.assign(m=np.exp(features["m"])), tree, dealers)
    np.testing.assert_allclose(stretched["percentile"], table["percentile"])


def dealer_scores_of(**columns: list[float]) -> pd.DataFrame:
    rows = [(f"D{i}", f, s) for f, values in columns.items() for i, s in enumerate(values)]
    table = pd.DataFrame(rows, columns=["dealer_id", "factor_id", "data_score"])
    return table.assign(
        value=table["data_score"], peers="all", metric="m", ahead_share=1 - table["data_score"] / 10
    )


def test_network_scores_weigh_dealers_by_revenue():
    table = dealer_scores_of(f1=[10, 0, np.nan], f2=[2, 4, 6], f3=[np.nan] * 3)
    revenue = pd.Series({"D0": 300.0, "D1": 100.0, "D2": np.nan})
    found = peers.network_data_scores(table, revenue).set_index("factor_id")
    assert found["data_score"].fillna(-1).to_dict() == {"f1": 7.5, "f2": 2.5, "f3": -1}
    assert found["n_dealers"].to_dict() == {"f1": 2, "f2": 3, "f3": 0}
    nothing = peers.network_data_scores(table, revenue * 0)  # without revenue all count alike
    assert nothing.set_index("factor_id")["data_score"]["f2"] == 4


def test_what_is_the_same_at_every_dealer_says_nothing_of_the_network():
    table = dealer_scores_of(f1=[5, 5, 5], f2=[2, 4, 6])
    found = peers.network_data_scores(
        table, pd.Series({"D0": 1.0, "D1": 1.0, "D2": 1.0})
    ).set_index("factor_id")
    assert found["data_score"].fillna(-1).to_dict() == {"f1": -1, "f2": 4}
    assert found["n_dealers"].to_dict() == {"f1": 0, "f2": 3}
    one = peers.network_data_scores(table[table["dealer_id"] == "D0"], pd.Series({"D0": 1.0}))
    assert one["data_score"].tolist() == [5, 2], "with one dealer there is nobody to be alike"


def test_weakest_factors_weigh_what_peers_do_better():
    table = dealer_scores_of(f1=[5, 1, 10], f2=[4, 4, 10])
    weights, revenue = (
        pd.Series({"f1": 0.75, "f2": 0.25}),
        pd.Series({"D1": 5.0, "D0": 9.0, "D2": 1.0, "D9": 99.0}),
    )
    found = peers.weakest_factors(table, leaves("f1", "f2"), weights, revenue)
    assert found[["dealer_id", "factor_id", "peer_shortfall"]].to_numpy().tolist() == [
        ["D0", "f1", 3.75],
        ["D1", "f1", 6.75],
    ]
    level = table.assign(ahead_share=table["ahead_share"].where(table["factor_id"] == "f2", 0.0))
    others = peers.weakest_factors(level, leaves("f1", "f2"), weights, revenue)
    assert others["factor_id"].tolist() == ["f2", "f2"]  # where all are equal nobody falls short
    assert peers.weakest_factors(table, leaves("f1", "f2"), weights, revenue, 1)[
        "dealer_id"
    ].tolist() == ["D0"]


# ---- people and data -----------------------------------------------------------------------------


def people_of(**medians: float) -> pd.DataFrame:
    columns = {
        "n_scores": 5,
        "low": [s - 1 for s in medians.values()],
        "high": [s + 1 for s in medians.values()],
    }
    return pd.DataFrame({"factor_id": list(medians), "score": list(medians.values()), **columns})


def data_of(**levels: float) -> pd.DataFrame:
    return pd.DataFrame({"factor_id": list(levels), "data_score": list(levels.values())})


def test_the_gap_compares_after_centring():
    table = scoring.factor_scores(
        people_of(f1=8.0, f2=7.0, f3=6.0, f4=9.0), data_of(f1=5.0, f2=3.0, f3=4.5)
    )
    # people's median over the three is 7, the data's 4.5
    assert table["gap"].round(9).tolist()[:3] == [0.5, 1.5, -1.0]
    assert math.isnan(table["gap"][3])
    assert not table["disagrees"].any()
    both = scoring.factor_scores(people_of(f1=8.0, f2=7.0, f3=6.0), data_of(f1=5.0, f2=2.0, f3=6.5))
    assert both["gap"].tolist() == [1.0, 3.0 - 0.0, -2.5]
    assert both["disagrees"].tolist() == [False, True, True]


@pytest.mark.parametrize("by_people", [None, 5.0])
@pytest.mark.parametrize("by_data", [None, 5.0])
def test_who_scores_nothing_is_not_compared(by_people, by_data):
    """That there are no scores, or none by one side, the page says elsewhere."""
    people = people_of(f1=np.nan if by_people is None else by_people)
    measured = data_of() if by_data is None else data_of(f1=by_data)
    table = scoring.factor_scores(people, measured)
    told = bool(by_people and by_data)
    said = scoring.disagreement_sentences(table, leaves("f1"))
    assert said == [words.say("scoring.gap_unknown")] * told


def test_a_gap_of_less_than_three_factors_is_not_told():
    table = scoring.factor_scores(people_of(f1=9.0, f2=1.0), data_of(f1=1.0, f2=9.0))
    assert table["gap"].isna().all()
    assert not table["disagrees"].any()
    assert scoring.disagreement_sentences(table, leaves("f1", "f2")) == [
        words.say("scoring.gap_unknown")
    ]


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.floats(0, 10), st.floats(0, 10)), min_size=3, max_size=15),
    st.floats(-3, 3),
)
def test_the_gap_does_not_hang_on_the_level_of_either(pairs, shift):
    people = people_of(**{f"f{i}": p for i, (p, _) in enumerate(pairs)})
    data = data_of(**{f"f{i}": d for i, (_, d) in enumerate(pairs)})
    gap = scoring.factor_scores(people, data)["gap"]
    moved = scoring.factor_scores(people.assign(score=people["score"] + shift), data)["gap"]
    np.testing.assert_allclose(gap, moved, atol=1e-9)


def test_disagreement_is_said_in_both_directions_widest_first():
    tree = leaves("f1", "f2", "f3")
    table = scoring.factor_scores(
        people_of(f1=8.0, f2=7.0, f3=6.0), data_of(f1=5.0, f2=2.0, f3=6.5)
    )
    assert scoring.disagreement_sentences(table, tree) == [
        "F2: people give 7.0, the data 2.0; beside the other factors people see it 3.0 points "
        "better than the data show.",
        "F3: people give 6.0, the data 6.5; beside the other factors people see it 2.5 points "
        "worse than the data show.",
    ]
    calm = scoring.factor_scores(people_of(f1=5.0, f2=5.0, f3=5.0), data_of(f1=5.0, f2=5.0, f3=5.0))
    assert scoring.disagreement_sentences(calm, tree) == [
        "Nowhere do people and data differ by 2.5 points or more, their levels set equal."
    ]


# ---- plots ---------------------------------------------------------------------------------------


@LANGUAGES
def test_plot_scores_draws_people_and_data(language):
    look.use(language, "CNY")
    tree = leaves("f1", "f2", "f3", "f4")
    table = scoring.factor_scores(
        people_of(f1=8.0, f2=7.0, f3=6.0, f4=9.0), data_of(f1=5.0, f2=2.0, f3=6.5)
    )
    kept = table.copy()
    ax = fishbone.plot_scores(table, tree, note="source")
    # the lowest on top
    assert [t.get_text() for t in ax.get_yticklabels()] == ["F4", "F1", "F2", "F3"]
    lines = {line.get_label(): line for line in ax.lines}
    assert lines[words.label("people_median")].get_xdata().tolist() == [9, 8, 7, 6]
    np.testing.assert_allclose(lines[words.label("data_score")].get_xdata(), [np.nan, 5, 2, 6.5])
    bars = next(c for c in ax.collections if c.get_label() == words.label("middle_half"))
    assert [seg[:, 0].tolist() for seg in bars.get_segments()] == [[8, 10], [7, 9], [6, 8], [5, 7]]
    named = {words.label(term) for term in ("people_median", "data_score", "middle_half")}
    # of the topmost row, which no data score
    assert {t.get_text() for t in ax.texts} - named == {"+3.0", "−2.5"}
    assert ax.get_legend() is None
    assert [t.get_color() == look.COLORS["bad"] for t in ax.get_yticklabels()] == [
        False,
        False,
        True,
        True,
    ]
    assert words.say("scoring.people_title", factor="F3", score=6.0, n=2) in text_of(ax)
    pd.testing.assert_frame_equal(table, kept)


def test_plot_scores_says_what_it_has():
    tree = leaves("f1", "f2", "f3", "f4")
    alone = scoring.factor_scores(people_of(f1=8.0, f2=7.0), data_of())
    assert "People score F2 lowest (7.0)" in text_of(fishbone.plot_scores(alone, tree))
    tied = scoring.factor_scores(
        people_of(f1=5.0, f2=5.0, f3=5.0, f4=5.0), data_of(f1=4.0, f2=4.0, f3=4.0)
    )
    assert "People score 4 factors lowest (5.0); the data nowhere strongly" in text_of(
        fishbone.plot_scores(tied, tree)
    )
    measured = scoring.factor_scores(people_of(f1=np.nan, f2=np.nan), data_of(f1=4.0, f2=3.0))
    assert "The data score F2 lowest (3.0)" in text_of(fishbone.plot_scores(measured, tree))
    nothing = scoring.factor_scores(people_of(f1=np.nan), data_of())
    n = len(nothing)
    said = fishbone.plot_scores(nothing, tree).figure.alt_text
    assert said == words.say("fishbone.no_score", n=n), "as the bottom line says it"


def boxes_of(ax, texts) -> list:
    renderer = ax.figure.canvas.get_renderer()
    return [text.get_window_extent(renderer) for text in texts]


@LANGUAGES
def test_plot_dealers_frames_each_ones_weightiest_shortfall(language):
    look.use(language, "CNY")
    table = dealer_scores_of(f1=[5, 1, 10, 8], f2=[4, 4, 10, 2])
    revenue = pd.Series({"D0": 2.0, "D1": 9.0, "D2": 4.0, "D3": 1.0})
    dealers = pd.DataFrame(
        {"dealer_id": ["D0", "D1", "D2"], "dealer_name": ["Nought", "One", "Two"]}
    )
    weights = pd.Series({"f1": 0.75, "f2": 0.25})
    ax = peers.plot_dealers(table, leaves("f1", "f2"), weights, dealers, revenue, n=4)
    # D2 is behind nobody
    assert [t.get_text() for t in ax.get_xticklabels()] == ["One", "Nought", "D3"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["F1", "F2"]
    assert [t.get_text() for t in ax.texts] == ["1", "5", "8", "4", "4", "2"]
    frames = [p.get_xy() for p in ax.patches if isinstance(p, Rectangle)]
    assert frames == [(0, 0), (1, 0), (2, 1)]
    assert words.say("scoring.dealers_title", factor="F1", n=2, of=3) in text_of(ax)
    nobody = peers.plot_dealers(table.head(0), leaves("f1"), weights, dealers, revenue)
    assert nobody.figure.alt_text == words.say("scoring.no_data")


@LANGUAGES
def test_long_names_stay_within_the_figure(language):
    look.use(language, "CNY")
    name = words.translated("Norvella Brand Store, Ougang New Town", "Norvella专卖店鸥港新城旗舰店")
    random = np.random.default_rng(5)
    table = dealer_scores_of(**{f"f{i}": random.uniform(0, 9, 12).tolist() for i in range(15)})
    tree = leaves(*(f"f{i}" for i in range(15)))
    dealers = pd.DataFrame({"dealer_id": [f"D{i}" for i in range(12)], "dealer_name": name})
    revenue = pd.Series({f"D{i}": float(i) for i in range(12)})
    ax = peers.plot_dealers(
        table, tree, pd.Series(1 / 15, index=tree["factor_id"][1:]), dealers, revenue, note="s"
    )
    ax.figure.canvas.draw()
    for box in boxes_of(ax, [*ax.get_xticklabels(), *ax.get_yticklabels(), *ax.figure.texts]):
        assert box.x0 >= -1
        assert box.x1 <= ax.figure.bbox.x1 + 1


def test_plots_take_given_axes():
    _figure, ax = plt.subplots(layout="constrained")
    assert (
        fishbone.plot_scores(
            scoring.factor_scores(people_of(f1=8.0), data_of()), leaves("f1"), ax=ax
        )
        is ax
    )


def test_inputs_are_not_mutated():
    tree, weights = (
        tree_of(("f1", "m", "high"), ("f2", "m", "low")),
        pd.Series({"f1": 0.5, "f2": 0.5}),
    )
    features, dealers = network([*range(9)])
    kept = [frame.copy() for frame in (SCORES, tree, features, dealers)]
    fishbone.people_scores(SCORES, tree, end_date=END, brand="Lumora")
    scoring.agreement(SCORES, tree, end_date=END, brand="Lumora")
    placed = peers.data_scores(features, tree, dealers)
    before = placed.copy()
    peers.network_data_scores(placed, pd.Series(1.0, index=features["dealer_id"]))
    peers.weakest_factors(placed, tree, weights, pd.Series(1.0, index=features["dealer_id"]))
    for frame, old in zip((SCORES, tree, features, dealers), kept, strict=True):
        pd.testing.assert_frame_equal(frame, old)
    pd.testing.assert_frame_equal(placed, before)


# ---- one dealer ----------------------------------------------------------------------------------


def test_one_dealers_data_or_the_networks():
    placed = dealer_scores_of(f1=[2.0, 8.0], f2=[5.0, 6.0])
    features = pd.DataFrame({"dealer_id": ["D0", "D1"], "revenue": [3.0, 1.0]})
    assert peers.own_data_scores(placed, features)["data_score"].tolist() == pytest.approx(
        [3.5, 5.25]
    )
    assert peers.own_data_scores(placed, features, "D1")["data_score"].tolist() == [8.0, 6.0]
    with pytest.raises(
        ValueError, match=r"dealer_id: no figures of 'D9'; choose one of the 2 dealers"
    ):
        peers.own_data_scores(placed, features, "D9")


def test_every_dealer_scored_by_himself_is_followed():
    rows = scores_of(("W1", "P1", "f1", 2), ("W2", "P1", "f1", 8), ("W2", "P1", "f2", 5)).assign(
        dealer_id=["D1", "D1", "D2"]
    )
    found = scoring.dealer_session_scores(rows, leaves("f1", "f2"), end_date=END)
    columns = ["dealer_id", "session", "factor_id", "score"]
    assert found[columns].to_numpy().tolist() == [
        ["D1", "W1", "f1", 2],
        ["D1", "W2", "f1", 8],
        ["D2", "W2", "f2", 5],
    ]
    assert scoring.dealer_session_scores(SCORES, leaves("f1"), end_date=END).empty


def test_comparisons_follow_the_dates_of_their_sessions():
    pairs = pd.DataFrame({"session": ["W2", "W1", "X", "W2"]})
    assert scoring.comparison_sessions(pairs, SCORES, end_date=END) == ["X", "W1", "W2"], (
        "undated ones come first"
    )
    assert scoring.comparison_sessions(pairs, SCORES, end_date="2026-02-20") == ["X", "W1"]


def test_the_demos_overrated_dealer_is_named(workshop):
    (dealer,) = build.planted()["overrated_dealer"]
    factors = [f"f{i:02d}" for i in range(1, 16)]
    placed = pd.DataFrame(
        {"dealer_id": dealer, "factor_id": factors, "data_score": [5.0] * 6 + [0.1] + [5.0] * 8}
    )
    dealers = pd.DataFrame({"dealer_id": [dealer], "dealer_name": ["Shop"]})
    gaps = scoring.dealer_gaps(
        workshop, placed, leaves(*factors), dealers, end_date=END, brand=build.BRAND
    )
    assert gaps[["dealer_name", "factor"]].to_numpy().tolist() == [["Shop", "F07"]]
    assert gaps["gap"].item() > 5
    nobody = scoring.dealer_gaps(
        workshop, placed, leaves(*factors), dealers, end_date="2025-12-31", brand=build.BRAND
    )
    assert nobody.empty, "before he was scored there is no gap"


@pytest.fixture(scope="module")
def workshop() -> pd.DataFrame:
    """Take the scores of the demo as it is generated by default."""
    net = build.network(build.SEED, 600, 30, "2026-10")
    table = build.people.scores(net)
    return table.assign(scored_date=pd.to_datetime(table["scored_date"]))
