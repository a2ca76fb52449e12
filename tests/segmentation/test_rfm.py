"""RFM: ties, dates and rules, worked by hand and against pandas' own quantiles."""

import datetime as dt
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import look, words
from helpers.segmentation import rfm

pytestmark = pytest.mark.usefixtures("looks")

RULES = pd.read_csv(words.REFERENCE / "rfm_segments.csv")
END = "2026-10-31"
FITTING = {column: [1, 2, 3, 4] for column in rfm.MEASURES.values()}
TRIPLES = list(itertools.product(range(1, 6), repeat=3))


def totals_of(*rows: tuple[int | None, int, float]) -> pd.DataFrame:
    """Lay out rows of days before the end, order days and revenue."""
    end = pd.Timestamp(END)
    last = [pd.NaT if days is None else end - pd.Timedelta(days=days) for days, _, _ in rows]
    ids, last = [f"d{i}" for i in range(len(rows))], pd.to_datetime(pd.Series(last))
    n_orders, revenue = [row[1] for row in rows], [float(row[2]) for row in rows]
    return pd.DataFrame(
        {"dealer_id": ids, "n_orders": n_orders, "revenue": revenue, "last_order_date": last}
    )


def test_scores_by_hand():
    scores = rfm.rfm_scores(
        totals_of((0, 9, 50), (3, 7, 40), (9, 5, 30), (30, 3, 20), (300, 1, 10)), END
    )
    assert scores["recency_days"].tolist() == [0, 3, 9, 30, 300]
    for score in rfm.SCORES:
        assert scores[score].tolist() == [5, 4, 3, 2, 1]


def test_equal_dealers_share_the_middle_score():
    scores = rfm.rfm_scores(totals_of(*[(5, 2, 100)] * 10), END)
    assert (scores[rfm.SCORES] == 3).all(axis=None)


def test_who_has_not_bought_is_not_scored():
    totals = totals_of(
        (1, 5, 100), (None, 0, 0), (4, 0, 50), (4, 3, 0), (4, 3, -20), (4, 3, np.nan)
    )
    segments = rfm.rfm_segments(rfm.rfm_scores(totals, END), RULES)
    assert segments["segment"].tolist()[1:] == ["inactive"] * 5
    assert segments.loc[0, rfm.SCORES].tolist() == [3, 3, 3]
    nobody = rfm.rfm_segments(rfm.rfm_scores(totals.iloc[[1]], END), RULES)
    assert nobody["segment"].tolist() == ["inactive"]
    assert rfm.rfm_segments(rfm.rfm_scores(totals.iloc[:0], END), RULES).empty


@pytest.mark.parametrize("end", [END, dt.date(2026, 10, 31), pd.Timestamp("2026-10-31 12:00")])
def test_the_reference_date_is_passed_in_any_form(end):
    assert rfm.rfm_scores(totals_of((7, 1, 1)), end)["recency_days"].tolist() == [7]


def test_future_dates_are_refused_with_an_example():
    with pytest.raises(
        ValueError, match=r"2 of 3 dealers ordered last after 2026-10-31, e\.g\. 'd1' on 2026-11-02"
    ):
        rfm.rfm_scores(totals_of((0, 1, 1), (-2, 1, 1), (-9, 1, 1)), END)


def test_custom_cuts_and_their_limits():
    cuts = {
        "recency_days": [30, 60, 90, 180],
        "frequency": [2, 4, 8, 12],
        "monetary": [10, 20, 30, 40],
    }
    scores = rfm.rfm_scores(
        totals_of((30, 2, 40), (31, 1, 9.99), (181, 12, 10), (180, 8, 39)), END, cuts=cuts
    )
    assert scores["recency_score"].tolist() == [5, 4, 1, 2]
    assert scores["frequency_score"].tolist() == [2, 1, 5, 4]
    assert scores["monetary_score"].tolist() == [5, 1, 2, 4]


@pytest.mark.parametrize(
    ("cuts", "message"),
    [
        ("quintile", "'quintile' is not known"),
        (
            {"recency": [1, 2, 3, 4]},
            "'recency' is not scored; give limits for recency_days, frequency, monetary",
        ),
        (FITTING | {"recency_days": [1, 2]}, r"recency_days has \[1, 2\]; 5 scores need 4 limits"),
        (FITTING | {"recency_days": [4, 3, 2, 1]}, "each above the one before"),
    ],
)
def test_cuts_that_do_not_fit_are_refused(cuts, message):
    with pytest.raises(ValueError, match=message):
        rfm.rfm_scores(totals_of((1, 1, 1)), END, cuts=cuts)


@settings(deadline=None, max_examples=40)
@given(n_dealers=st.integers(1, 12).map(lambda k: 5 * k), seed=st.integers(0, 999))
def test_without_ties_quantile_scores_are_pandas_quintiles(n_dealers, seed):
    values = np.random.default_rng(seed).permutation(n_dealers) + 1
    scores = rfm.rfm_scores(totals_of(*[(int(v), int(v), float(v)) for v in values]), END)
    quintile = pd.qcut(values, 5, labels=False) + 1
    assert scores["monetary_score"].tolist() == quintile.tolist()
    assert scores["frequency_score"].tolist() == quintile.tolist()
    assert scores["recency_score"].tolist() == (6 - quintile).tolist()


ROWS = st.lists(
    st.tuples(st.one_of(st.none(), st.integers(0, 400)), st.integers(0, 6), st.integers(-5, 40)),
    min_size=1,
)


@settings(deadline=None, max_examples=50)
@given(rows=ROWS, seed=st.integers(0, 99), factor=st.sampled_from([0.25, 4, 1024]))
def test_scores_depend_on_values_alone(rows, seed, factor):
    totals = totals_of(*rows)
    scores = rfm.rfm_segments(rfm.rfm_scores(totals, END), RULES)
    shuffled = rfm.rfm_scores(totals.sample(frac=1, random_state=seed), END).sort_index()
    pd.testing.assert_frame_equal(scores[shuffled.columns], shuffled)
    scaled = rfm.rfm_scores(totals.assign(revenue=totals["revenue"] * factor), END)
    pd.testing.assert_frame_equal(scores[rfm.SCORES], scaled[rfm.SCORES])
    for measure, column in rfm.MEASURES.items():
        scored = scores.dropna(subset=[f"{measure}_score"])
        # ties are equal
        assert not scored[[column, f"{measure}_score"]].drop_duplicates().duplicated(column).any()
        ordered = scored.sort_values(column)[f"{measure}_score"].astype(int)
        assert (
            ordered.is_monotonic_decreasing
            if measure == "recency"
            else ordered.is_monotonic_increasing
        )
    mix = rfm.segment_mix(scores, RULES)
    assert mix["n_dealers"].sum() == len(rows)
    assert mix["dealer_share"].sum() == pytest.approx(1)


def test_shown_thresholds_given_as_cuts_score_alike():
    rng = np.random.default_rng(5)
    totals = totals_of(*rng.integers(1, [300, 60, 9999], (80, 3)).tolist())
    scores = rfm.rfm_scores(totals, END)
    shown = rfm.rfm_thresholds(scores).set_index(["indicator", "score"])
    assert shown["n_dealers"].groupby("indicator").sum().tolist() == [80, 80, 80]
    cuts = {
        column: [shown.loc[(column, score), "lowest"] for score in (2, 3, 4, 5)]
        for column in ("frequency", "monetary")
    }
    cuts["recency_days"] = [shown.loc[("recency_days", score), "highest"] for score in (5, 4, 3, 2)]
    pd.testing.assert_frame_equal(scores, rfm.rfm_scores(totals, END, cuts=cuts))


def test_cuts_by_the_calendar_leave_the_other_scores_to_the_quantiles():
    totals = totals_of((1, 9, 50), (2, 7, 40), (3, 5, 30), (32, 3, 20), (184, 1, 10))
    scores = rfm.rfm_scores(totals, END, cuts=rfm.CALENDAR_CUTS)
    assert scores["recency_score"].tolist() == [5, 5, 5, 4, 1]
    assert (
        scores["frequency_score"].tolist() == scores["monetary_score"].tolist() == [5, 4, 3, 2, 1]
    )


def test_overdue_is_measured_against_the_dealers_own_rhythm():
    # weekly orders: 32 days are long; monthly ones: 90 are not, 100 are; one order a year tells
    # nothing
    scores = rfm.rfm_scores(
        totals_of((32, 52, 10), (29, 52, 10), (90, 12, 20), (100, 12, 30), (300, 1, 9)), END
    )
    late = rfm.overdue_dealers(scores)
    assert late["dealer_id"].tolist() == ["d3", "d0"]
    assert late["usual_gap_days"].round(1).tolist() == [30.4, 7.0]
    assert [words.label(column) for column in late.columns]
    assert rfm.overdue_dealers(scores, least_days=101)["dealer_id"].tolist() == []
    assert late["is_big"].tolist() == [True, False]
    assert rfm.overdue_dealers(scores, big_score=1)["is_big"].all()


# ---- segments ------------------------------------------------------------------------------------


@pytest.mark.parametrize("triple", TRIPLES)
def test_each_triple_lands_in_exactly_one_segment(triple):
    def within(rule, measure, score):
        return rule[f"{measure}_min"] <= score <= rule[f"{measure}_max"]

    hits = [
        rule["segment"]
        for rule in RULES.to_dict("records")
        if all(within(rule, *scored) for scored in zip(rfm.MEASURES, triple, strict=True))
    ]
    assert len(hits) == 1
    scores = pd.DataFrame([triple], columns=rfm.SCORES)
    assert rfm.rfm_segments(scores, RULES)["segment"].tolist() == hits


def test_no_segment_is_empty_over_all_triples():
    found = rfm.rfm_segments(pd.DataFrame(TRIPLES, columns=rfm.SCORES), RULES)["segment"]
    assert set(found) == set(RULES["segment"])


def test_rules_with_a_gap_or_an_overlap_name_a_triple():
    gap = RULES[RULES["segment"] != "cooling"]
    with pytest.raises(ValueError, match="recency 3, frequency 1, monetary 1 falls under no rule"):
        rfm.require_segments(gap)
    overlap = RULES.assign(
        frequency_max=RULES["frequency_max"].mask(RULES["segment"] == "cooling", 3)
    )
    with pytest.raises(
        ValueError, match="recency 3, frequency 3, monetary 1 falls under 'slowing' and 'cooling'"
    ):
        rfm.rfm_segments(pd.DataFrame(TRIPLES, columns=rfm.SCORES), overlap)


def test_an_empty_limit_is_open():
    open_rules = pd.DataFrame([{"segment": "all"}]).reindex(columns=RULES.columns)
    assert rfm.require_segments(open_rules) is open_rules


def test_segments_are_named_alike_in_rules_and_terms():
    for rule in RULES.itertuples():
        look.use("en")
        assert words.label(rule.segment) == rule.en
        look.use("zh-Hans")
        assert words.label(rule.segment) == rule.zh


def test_segment_mix_says_what_to_do():
    scores = rfm.rfm_scores(
        totals_of((0, 9, 50), (3, 7, 40), (9, 5, 30), (30, 3, 20), (300, 1, 10), (None, 0, 0)), END
    )
    mix = rfm.segment_mix(rfm.rfm_segments(scores, RULES), RULES).set_index("segment")
    assert mix.index.tolist() == [*RULES["segment"], "inactive"]
    assert mix.loc["core", ["n_dealers", "revenue", "revenue_share"]].tolist() == [2, 90, 0.6]
    assert mix.loc["dormant", "action"] == "Write once a season; spend the visits elsewhere"
    assert mix.loc["inactive", "n_dealers"] == 1
    assert [
        words.label(column)
        for column in [*scores.columns, *mix.columns, *rfm.rfm_thresholds(scores).columns]
    ]


def test_plot_rfm_draws_every_scored_dealer():
    scores = rfm.rfm_scores(
        totals_of((0, 9, 50), (3, 7, 40), (9, 5, 30), (30, 3, 20), (300, 1, 10), (None, 0, 0)), END
    )
    ax = rfm.plot_rfm(scores)
    drawn = ax.collections[0].get_array().reshape(5, 5)
    # recent and often is top right
    assert drawn.sum() == 5 and drawn[0, 4] == 1 and drawn[4, 0] == 1
    assert (
        ax.figure.alt_text
        == "Of 5 buying dealers, 2 buy often and recently; 0 bought often, but not lately."
    )
    assert rfm.plot_rfm(scores.iloc[5:]).figure.alt_text.startswith("There are no data")


def test_nothing_is_mutated():
    totals = totals_of((0, 9, 50), (3, 7, 40))
    before, rules = totals.copy(deep=True), RULES.copy(deep=True)
    scores = rfm.rfm_scores(totals, END)
    kept = scores.copy(deep=True)
    rfm.segment_mix(rfm.rfm_segments(scores, RULES), RULES)
    rfm.plot_rfm(scores)
    pd.testing.assert_frame_equal(totals, before)
    pd.testing.assert_frame_equal(scores, kept)
    pd.testing.assert_frame_equal(RULES, rules)
