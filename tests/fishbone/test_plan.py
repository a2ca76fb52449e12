"""The plan: its calendar, what was promised against what came, to whom a success carries over, and
its file.
"""

import datetime as dt
import itertools
import math
import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot as plt

from helpers import data, fishbone, look, words
from helpers.data import plan_file, read
from helpers.fishbone import plan, progress

pytestmark = pytest.mark.usefixtures("looks")

END = "2026-10-31"
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh-Hans"])
SELL_IN = "dealer_id,date,revenue\n1,2026-10-01,5\n"  # the least a workbook needs


def tree_of(*names: str) -> pd.DataFrame:
    """Lay out a bone and twigs.

    F01 ours (stock age, low is better), f02 head office's (basket), f03 without metric.
    """
    names = names or ("Stock age", "Basket", "Training")
    return pd.DataFrame(
        {
            "factor_id": ["b1", "f01", "f02", "f03"],
            "factor": ["Bone", *names],
            "is_leaf": [False, True, True, True],
            "owner": [np.nan, "us", "head_office", "us"],
            "metric": [np.nan, "stock_age_days", "basket", np.nan],
            "better": [np.nan, "low", "high", np.nan],
        }
    )


def plan_of(*rows: dict) -> pd.DataFrame:
    usual = {
        "factor_id": "f01",
        "dealer_id": None,
        "owner": "Lin",
        "start_date": "2026-01-01",
        "due_date": "2026-12-31",
        "target_score": 7.0,
        "expected_gain": np.nan,
        "status": "open",
    }
    table = pd.DataFrame([usual | row for row in rows], columns=plan.COLUMNS)
    text = dict.fromkeys(["factor_id", "dealer_id", "owner", "status"], "str")
    dates = dict.fromkeys(["start_date", "due_date"], "datetime64[s]")
    return table.astype(text | dates | {"target_score": "float64", "expected_gain": "float64"})


def scores_of(*rows: tuple) -> pd.DataFrame:
    """Lay out scores as factor, day, score and, where there is one, dealer."""
    table = pd.DataFrame(
        [(*row, None)[:4] for row in rows],
        columns=["factor_id", "scored_date", "score", "dealer_id"],
    )
    table["scored_date"] = pd.to_datetime(table["scored_date"])
    return table.astype({"dealer_id": "str"})


def months_of(start: str, **profits: list) -> pd.DataFrame:
    """Lay out each dealer's gross profit month by month from a month on.

    None is a month without a known cost.
    """
    rows = []
    for dealer, values in profits.items():
        months = pd.period_range(start, periods=len(values), freq="M").astype(str)
        rows += [
            (dealer, month, np.nan if v is None else float(v))
            for month, v in zip(months, values, strict=True)
        ]
    return pd.DataFrame(rows, columns=["dealer_id", "month", "gross_profit"])


# ---- the calendar --------------------------------------------------------------------------------

LEGS = pd.DataFrame(
    {
        "leg": [1, 2, 3],
        "factor_id": ["f02", "f01", "f03"],
        "effort_days": [5.0, 6.5, 1.0],
        "to_score": [7.84, 8.0, 6.05],
        "weighted_gain": [0.2, 0.1, 0.05],
    }
)


def test_legs_become_working_days_one_after_another():
    made = fishbone.proposed_plan(
        LEGS,
        tree_of(),
        start_date="2026-11-02",
        owners={"f01": "Lin"},
        dealers={"f03": "D1"},
        gain_per_point=1_000_000,
    )
    # 2026-11-02 is a Monday: five days end on Friday the 6th, seven more on Tuesday the 17th, the
    # last is the 18th
    assert made["start_date"].astype(str).tolist() == ["2026-11-02", "2026-11-09", "2026-11-18"]
    assert made["due_date"].astype(str).tolist() == ["2026-11-06", "2026-11-17", "2026-11-18"]
    assert made["owner"].tolist() == ["head_office", "Lin", "us"]
    assert made["dealer_id"].fillna("").tolist() == ["", "", "D1"]
    assert made["target_score"].tolist() == [7.8, 8.0, 6.0]
    assert made["expected_gain"].tolist() == [200_000, 100_000, 50_000]
    assert made["status"].tolist() == ["open"] * 3
    assert made.columns.tolist() == ["leg", *plan.COLUMNS]
    assert [c for c in read.contract()["plan"] if not c.endswith("_en")] == plan.COLUMNS


def test_a_start_at_the_weekend_waits_for_monday():
    made = fishbone.proposed_plan(LEGS.head(1), tree_of(), start_date=dt.date(2026, 10, 31))
    assert made["start_date"].astype(str).tolist() == ["2026-11-02"]


@settings(max_examples=40)
@given(
    st.lists(st.floats(0.5, 60), min_size=1, max_size=6),
    st.dates(dt.date(2024, 1, 1), dt.date(2030, 1, 1)),
)
def test_actions_follow_one_another_and_hold_their_effort(days, start):
    legs = pd.DataFrame(
        {
            "leg": range(1, len(days) + 1),
            "factor_id": "f01",
            "effort_days": days,
            "to_score": 7.0,
            "weighted_gain": 0.1,
        }
    )
    made = fishbone.proposed_plan(legs, tree_of(), start_date=start)
    begun, due = made["start_date"].dt.date, made["due_date"].dt.date
    held = [np.busday_count(a, b + dt.timedelta(days=1)) for a, b in zip(begun, due, strict=True)]
    assert held == [math.ceil(d - 1e-9) for d in days]
    assert all(a > b for a, b in zip(begun[1:], due[:-1], strict=True))
    assert (made["start_date"].dt.day_of_week < 5).all()


def test_without_a_gain_per_point_no_money_is_promised():
    made = fishbone.proposed_plan(LEGS, tree_of(), start_date="2026-11-02")
    assert made["expected_gain"].isna().all()
    said = progress.sentences(made, tree_of())
    assert said[0] == (
        "3 actions one after another, from 2026-11-02 to 2026-11-18; the first is Basket, "
        "by head office."
    )
    assert (
        said[1]
        == "Days of effort become calendar days at 5 working days a week; holidays are not known."
    )
    assert said[2].startswith("What they bring in money is not estimated")
    rich = fishbone.proposed_plan(
        LEGS, tree_of(), start_date="2026-11-02", gain_per_point=1_000_000
    )
    assert "CNY 350 k a year" in progress.sentences(rich, tree_of())[2]


def test_no_leg_is_no_action():
    made = fishbone.proposed_plan(LEGS.head(0), tree_of(), start_date="2026-11-02")
    assert made.empty
    assert made.columns.tolist() == ["leg", *plan.COLUMNS]
    assert progress.sentences(made, tree_of()) == [words.say("plan.none")]


def test_a_leg_of_another_tree_is_refused_word_for_word():
    with pytest.raises(ValueError) as error:
        fishbone.proposed_plan(LEGS.assign(factor_id="x9"), tree_of(), start_date="2026-11-02")
    assert (
        str(error.value)
        == "legs: unknown factor_id 'x9'; make the climb from the factors of the same tree"
    )


# ---- a plan that makes sense ---------------------------------------------------------------------


def test_a_plan_with_empty_cells_makes_sense():
    good = plan_of(
        {},
        {
            "factor_id": "b1",
            "start_date": None,
            "due_date": None,
            "target_score": None,
            "status": None,
        },
    )
    assert plan.require_plan(good, tree_of()) is good


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [{"factor_id": "f99"}],
            (
                "plan: 1 action has an unknown factor_id, e.g. f99; correct it, or add the factor "
                "to factors.csv"
            ),
        ),
        (
            [{"due_date": "2025-12-31"}, {"factor_id": "f02", "due_date": "2025-01-01"}],
            (
                "plan: 2 actions have a due date before the start, e.g. f01 (2025-12-31); correct "
                "one of the two"
            ),
        ),
        (
            [{"target_score": 70.0}],
            "plan: 1 action has a target outside 0 to 10, e.g. f01 (70.0); give a score",
        ),
        (
            [{}, {"factor_id": "f03", "status": "Open"}],
            (
                "plan: 1 action has an unknown status, e.g. f03 (Open); write one of open, done, "
                "dropped"
            ),
        ),
    ],
)
def test_plans_that_make_no_sense_are_refused_word_for_word(rows, message):
    with pytest.raises(ValueError) as error:
        plan.require_plan(plan_of(*rows), tree_of())
    assert str(error.value) == message


def test_all_that_is_wrong_is_told_at_once():
    wrong = plan_of(
        {"factor_id": "f99", "target_score": -1.0}, {"due_date": "2025-01-01", "status": "later"}
    )
    with pytest.raises(ValueError) as error:
        plan.require_plan(wrong, tree_of())
    lines = str(error.value).splitlines()
    assert len(lines) == 4
    assert all(line.startswith("plan: 1 action has ") for line in lines)


# ---- promised against came -----------------------------------------------------------------------


def held(
    *rows: dict, scores=(("f01", "2025-12-15", 5.0), ("f01", "2026-07-02", 6.0)), **options
) -> pd.DataFrame:
    end = options.pop("end_date", END)
    return plan.promised_against_came(
        plan_of(*rows), tree_of(), scores_of(*scores), end_date=end, **options
    )


def sessions(before: float | None, now: float | None) -> list[tuple]:
    """Score before the start and on 2 July, 182 of the 364 days of the year's plan later."""
    return [
        ("f01", day, score)
        for day, score in (("2025-12-15", before), ("2026-07-02", now))
        if score is not None
    ]


@pytest.mark.parametrize(
    ("row", "before", "now", "state", "share"),
    [
        ({}, 5.0, 6.0, "on_course", 0.5),  # half of the way at half time
        ({}, 5.0, 5.9, "behind", 0.45),
        ({}, 5.0, 7.0, "reached", 1.0),
        ({}, 5.0, 8.0, "reached", 1.0),  # more than promised is not more than all
        ({}, 5.0, 4.0, "behind", 0.0),  # fallen: nothing of the way is made
        ({"status": "done"}, 5.0, 6.9, "behind", 0.95),  # closed short of the target
        ({"status": "done"}, 5.0, 7.0, "reached", 1.0),
        ({"status": "dropped"}, 5.0, 7.0, "dropped", 1.0),
        ({"status": None}, 5.0, 6.0, "on_course", 0.5),  # no status is open
        ({"start_date": "2026-11-01"}, 5.0, 6.0, "not_begun", None),
        ({"due_date": "2026-10-30"}, 5.0, 6.8, "overdue", 0.9),
        ({"due_date": "2026-10-30"}, 5.0, 7.0, "reached", 1.0),
        ({"due_date": "2026-10-30", "status": "done"}, 5.0, 6.8, "behind", 0.9),
        # due on the last day: not late yet; 182 of 303 days
        ({"due_date": "2026-10-31"}, 5.0, 6.0, "behind", 0.5),
        ({"due_date": "2026-10-30"}, None, None, "overdue", None),  # late, whatever it brought
        ({}, 5.0, None, "not_known", None),  # no session since: an old score proves nothing
        ({}, None, 6.0, "not_known", None),
        ({}, None, 7.5, "reached", None),  # the target is met, wherever it came from
        ({"target_score": None}, 5.0, 6.0, "not_known", None),
        ({"start_date": None}, 5.0, 6.0, "not_known", None),
        ({"due_date": None}, 5.0, 6.0, "not_known", 0.5),
        # the target asked for nothing: no success of the action
        ({}, 7.5, 7.2, "met_before", None),
        ({}, 7.0, 7.0, "met_before", None),
        ({}, 7.5, 6.5, "behind", 0.0),
        ({"start_date": "2026-06-30", "due_date": "2026-06-30"}, 5.0, 7.0, "reached", 1.0),
    ],
)
def test_states_by_hand(row, before, now, state, share):
    found = held(row, scores=sessions(before, now)).iloc[0]
    assert found["state"] == state
    assert found["reached_share"] == pytest.approx(
        math.nan if share is None else share, nan_ok=True
    )


def test_a_score_is_held_against_the_time_when_it_was_given():
    found = held({}, scores=sessions(5.0, 6.0)).iloc[0]
    assert found["elapsed_share"] == 0.5  # of 2 July, though it is October
    assert found["now_date"] == pd.Timestamp("2026-07-02")
    assert found["as_of_date"] == pd.Timestamp(END)


def test_the_last_session_of_each_side_counts_and_none_after_the_end():
    scores = [
        ("f01", "2025-06-01", 3.0),
        ("f01", "2026-01-01", 5.0),
        ("f01", "2026-03-01", 5.5),
        ("f01", "2026-10-31", 6.5),
        ("f01", "2026-11-01", 9.0),
        ("f02", "2026-10-01", 1.0),
    ]
    found = held({}, scores=scores[::-1]).iloc[0]  # in any order of the rows
    # a session on the first day is the start
    assert (found["start_score"], found["now_score"]) == (5.0, 6.5)


def test_a_dealers_own_scores_count_where_both_are_known():
    own = [
        ("f01", "2025-12-15", 4.0, "D1"),
        ("f01", "2026-07-02", 6.0, "D1"),
        ("f01", "2026-07-02", 9.0, "D2"),
    ]
    found = held({"dealer_id": "D1"}, {"dealer_id": "D2"}, {}, dealer_scores=scores_of(*own))
    assert found["score_of"].tolist() == ["dealer", "network", "network"]
    assert found["start_score"].tolist() == [4.0, 5.0, 5.0]
    # D2 was not scored before: his 9 has no start
    assert found["now_score"].tolist() == [6.0, 6.0, 6.0]
    assert held({"dealer_id": "D1"}, dealer_scores=scores_of()).loc[0, "score_of"] == "network"


def test_names_and_sides_come_from_tree_and_dealers():
    dealers = pd.DataFrame({"dealer_id": ["D1"], "dealer_name": ["Shop 1"]})
    found = held(
        {"dealer_id": "D1"},
        {"factor_id": "f02", "dealer_id": "D9"},
        {"factor_id": "b1"},
        dealers=dealers,
    )
    assert found["factor"].tolist() == ["Stock age", "Basket", "Bone"]
    assert found["dealer_name"].fillna("").tolist() == ["Shop 1", "D9", ""]
    assert found["owner_side"].tolist() == ["us", "head_office", "not_stated"]
    assert set(progress.SHOWN) <= set(found.columns)


def test_what_came_is_the_change_against_the_same_months_a_year_before():
    # 2025: 10 a month; 2026: D1 rises to 13 from May on, D2 falls to 9 all year
    months = months_of("2025-01", D1=[10] * 16 + [13] * 6, D2=[10] * 12 + [9] * 10)
    found = held(
        {"dealer_id": "D1", "start_date": "2026-05-01"},
        {"start_date": "2026-05-01"},
        {"dealer_id": "D2", "start_date": "2026-04-02"},
        {"dealer_id": "D1", "status": "dropped"},
        {"dealer_id": "gone", "start_date": "2026-05-01"},
        {"start_date": "2026-10-02"},
        {"start_date": "2025-12-01"},
        {"start_date": "2026-11-05"},
        months=months,
    )
    gains, n_months = found["came_gain"].tolist(), found["n_months"].tolist()
    # six months each: the month of a start on the 2nd is not whole
    # D1 and D2 have actions of their own: nothing is left to the network
    assert gains[:3] == [18.0, 0.0, -6.0]
    assert n_months == [6, 6, 6, 0, 6, 0, 11, 0]
    assert math.isnan(gains[3])  # dropped: nothing was done
    assert gains[4] == 0.0  # buys nothing, then as now
    assert math.isnan(gains[5])  # no whole month yet
    assert math.isnan(gains[6])  # December 2024 is before the data
    assert math.isnan(gains[7])


@pytest.mark.parametrize("seed", range(4))
def test_a_change_is_counted_once_whoever_shares_it(seed):
    """The shares sum up to the change of the whole network since the first action of its own, and
    of each dealer's since his first: summed up here dealer by dealer and month by month.
    """
    rng = np.random.default_rng(seed)
    months = months_of("2025-01", **{f"D{i}": rng.integers(0, 99, 22).tolist() for i in range(5)})
    starts = [f"2026-{m:02d}-01" for m in rng.integers(2, 10, 6)]
    whose = [None, None, None, "D1", "D1", "D3"]
    actions = [
        {"start_date": start, **({"dealer_id": who} if who else {})}
        for start, who in zip(starts, whose, strict=True)
    ]
    found = held(*actions, months=months)
    first = {}
    for start, who in zip(starts, whose, strict=True):
        first[who] = min(first.get(who, start), start)
    total = 0
    for row in months[months["month"] >= "2026-01"].itertuples():
        since = min([first[None], first.get(row.dealer_id, "9999")])
        if row.month >= since[:7]:
            year_ago = f"2025-{row.month[5:]}"
            then = months[(months["dealer_id"] == row.dealer_id) & (months["month"] == year_ago)]
            total += row.gross_profit - then["gross_profit"].item()
    assert found["came_gain"].sum() == pytest.approx(total, abs=0.05)
    alone = held({"start_date": first[None]}, months=months)
    assert alone.loc[0, ["n_sharing"]].tolist() == [1]


def test_three_actions_of_the_network_tell_its_gain_once():
    months = months_of("2025-01", D1=[10] * 12 + [13] * 10)
    found = held(*[{"start_date": "2026-05-01"}] * 3, months=months)
    assert found["came_gain"].tolist() == [6.0, 6.0, 6.0]  # of 18
    assert found["n_sharing"].tolist() == [3, 3, 3]
    told = [line for line in progress.bottom_line(found) if "our gross profit changed" in line]
    assert len(told) == 1
    assert "changed by CNY 18" in told[0]
    assert told[0].endswith(" 3 actions share it: it is counted once.")


def test_months_without_known_costs_are_not_zero():
    months = months_of("2025-09", D1=[10] * 13 + [None], D2=[10] * 14)
    found = held(
        {"dealer_id": "D1", "start_date": "2026-09-01"}, {"start_date": "2026-09-01"}, months=months
    )
    assert math.isnan(found.loc[0, "came_gain"])
    unknown = months.assign(gross_profit=np.nan)
    assert held({"start_date": "2026-09-01"}, months=unknown)["came_gain"].isna().all()
    assert held({})["came_gain"].isna().all()  # no months at all


def test_an_end_within_a_month_leaves_that_month_out():
    months = months_of("2025-01", D1=[10] * 12 + [11] * 10)
    found = held({"start_date": "2026-09-01"}, end_date="2026-10-30", months=months)
    assert found.loc[0, ["came_gain", "n_months"]].tolist() == [1.0, 1]


def test_an_empty_plan_gives_an_empty_table():
    found = held()
    assert found.empty
    assert set(progress.SHOWN) <= set(found.columns)
    assert progress.bottom_line(found) == [words.say("plan.none")]
    assert progress.headlines(found) == []
    assert plan.split_by_owner(found, tree_of()).empty


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["f01", "f02"]),
            st.integers(0, 20),
            st.integers(-400, 400),
            st.integers(0, 400),
            st.sampled_from(["open", "done", "dropped", None]),
        ),
        max_size=8,
    ),
    st.lists(
        st.tuples(st.sampled_from(["f01", "f02"]), st.integers(-500, 200), st.integers(0, 20)),
        max_size=8,
    ),
)
def test_every_action_has_one_state_and_shares_lie_within_one(actions, given_scores):
    day = pd.Timestamp(END)
    rows = [
        {
            "factor_id": f,
            "target_score": t / 2,
            "start_date": day + pd.Timedelta(days=s),
            "status": status,
            "due_date": day + pd.Timedelta(days=s + n),
        }
        for f, t, s, n, status in actions
    ]
    scores = [(f, day + pd.Timedelta(days=d), s / 2) for f, d, s in given_scores]
    found = held(*rows, scores=scores)
    assert found["state"].isin(plan.STATES).all()
    for column in ("reached_share", "elapsed_share"):
        assert found[column].dropna().between(0, 1).all()
    assert (
        found.loc[found["state"] == "reached", "now_score"]
        >= found.loc[found["state"] == "reached"]["target_score"]
    ).all()
    assert (found["state"] == "dropped").equals(found["status"] == "dropped")
    split = plan.split_by_owner(found, tree_of())
    assert split["n_actions"].sum() == len(found)
    assert split["n_dropped"].sum() == (found["status"] == "dropped").sum()


def test_split_by_who_can_influence():
    rows = plan_of(
        {"expected_gain": 100.0},
        {"factor_id": "f02", "expected_gain": 40.0},
        {"factor_id": "f03", "expected_gain": 60.0, "status": "dropped"},
        {"factor_id": "b1"},
    )
    split = plan.split_by_owner(rows, tree_of())
    assert split["owner_side"].tolist() == ["us", "head_office", "not_stated"]
    assert split["n_actions"].tolist() == [2, 1, 1]
    assert split["n_dropped"].tolist() == [1, 0, 0]
    # what is dropped promises nothing any more
    assert split["expected_gain"].tolist()[:2] == [100.0, 40.0]
    assert math.isnan(split["expected_gain"].iloc[2])


# ---- carrying over -------------------------------------------------------------------------------


def network(n: int = 8, **columns) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lay out dealers D0, D1 ….

    D0 is good at stock age (10 days), each next one is further from him and worse.
    """
    ids = [f"D{i}" for i in range(n)]
    features = pd.DataFrame(
        {
            "dealer_id": ids,
            "stock_age_days": 10.0 + np.arange(n),
            "basket": np.arange(n) * 1.0,
            "revenue": np.arange(n) * 100.0,
        }
        | columns
    )
    dealers = pd.DataFrame(
        {
            "dealer_id": ids,
            "dealer_name": [f"Shop {i}" for i in ids],
            "city": "C",
            "account_manager": "Lin",
            "area_type": "urban",
            "store_format": "mall",
        }
    )
    return features, dealers


def near(features, dealers, dealer_id="D0", **options) -> pd.DataFrame:
    options = {"metric": "stock_age_days", "better": "low"} | options
    return plan.similar_dealers(features, dealers, dealer_id, **options)


def test_similar_dealers_are_near_and_weak():
    features, dealers = network()
    found = near(features, dealers, n=3)
    assert found["dealer_id"].tolist() == ["D1", "D2", "D3"]
    assert found.columns.tolist() == [
        "dealer_id",
        "dealer_name",
        "city",
        "account_manager",
        "distance",
        "stock_age_days",
    ]
    assert found["stock_age_days"].tolist() == [11.0, 12.0, 13.0]
    # basket and revenue both lie one rank apart: quartiles 3.5 ranks apart, so a rank is 1 ÷ 3.5
    assert found["distance"].tolist() == pytest.approx([1 / 3.5, 2 / 3.5, 3 / 3.5])
    assert near(features, dealers, "D3", n=9)["dealer_id"].tolist() == [
        "D4",
        "D5",
        "D6",
        "D7",
    ]  # the better are left out
    assert near(features, dealers, "D4", better="high", n=9)["dealer_id"].tolist() == [
        "D3",
        "D2",
        "D1",
        "D0",
    ]


def test_the_factors_own_metric_takes_no_part_in_the_distance():
    features, dealers = network(stock_age_days=[10.0, 500, 11, 11, 11, 11, 11, 11])
    assert near(features, dealers, n=1)["dealer_id"].tolist() == ["D1"]
    assert near(features, dealers, n=1, metrics=["revenue", "no_such"])["distance"].iloc[
        0
    ] == pytest.approx(1 / 3.5)


def test_a_score_from_data_says_who_is_weak_where_it_is_known():
    features, dealers = network()
    scores = pd.Series({"D1": 5.0, "D2": 4.9, "D3": np.nan})
    assert near(features, dealers, data_scores=scores, n=2)["dealer_id"].tolist() == ["D2", "D3"]
    by_score = near(features, dealers, metric="", data_scores=scores, n=5)
    assert by_score["dealer_id"].tolist() == ["D2"]  # no metric: only the score can tell
    assert near(features, dealers, metric="").empty


def test_peers_of_the_same_format_and_area_come_first_while_there_are_enough():
    features, dealers = network()
    dealers["store_format"] = ["mall", "chain", "mall", "chain", "mall", "chain", "mall", "mall"]
    assert near(features, dealers, n=4)["dealer_id"].tolist() == ["D2", "D4", "D6", "D7"]
    assert near(features, dealers, n=5)["dealer_id"].tolist() == ["D1", "D2", "D3", "D4", "D5"]
    dealers["area_type"] = ["urban", "rural", *["urban"] * 5, None]
    assert near(features, dealers, n=5)["dealer_id"].tolist() == ["D2", "D3", "D4", "D5", "D6"]
    assert near(features, dealers, n=6)["dealer_id"].tolist() == [
        "D1",
        "D2",
        "D3",
        "D4",
        "D5",
        "D6",
    ]


def test_who_shares_too_few_metrics_is_not_compared():
    features, dealers = network(
        basket=[0.0, np.nan, np.nan, 3, 4, 5, 6, 7], other=[0.0, np.nan, 0, 1, 2, 3, 4, 5]
    )
    found = near(features, dealers, n=9)["dealer_id"].tolist()
    assert "D1" not in found  # one of three
    assert "D2" in found  # two of three
    # what the dealer himself lacks can't be shared
    features.loc[0, "other"] = np.nan
    assert "D1" in near(features, dealers, n=9)["dealer_id"].tolist()


def test_one_odd_figure_does_not_decide_who_is_alike():
    features, dealers = network(extra=[0.0, 1e9, 1, 2, 1, 2, 1, 2])
    assert near(features, dealers, n=9).set_index("dealer_id").loc["D1", "distance"] < plan.EXTREME
    flat = features.assign(extra=5.0)  # the same everywhere: it tells nothing
    pd.testing.assert_frame_equal(
        near(flat, dealers), near(features.drop(columns="extra"), dealers)
    )


def test_a_dealer_without_features_is_refused_word_for_word():
    with pytest.raises(ValueError) as error:
        near(*network(), dealer_id="D99")
    assert str(error.value) == "features: no row for dealer 'D99'; choose one of the 8 who have one"


def test_a_success_carries_over_to_weak_dealers_without_an_action_of_their_own():
    features, dealers = network()
    table = held(
        {"dealer_id": "D0"},
        {"dealer_id": "D1"},
        {},
        {"dealer_id": "D99"},
        {"factor_id": "f02"},
        dealers=dealers,
    ).assign(state=["reached", "behind", "reached", "on_course", "reached"])
    found = plan.carry_over(table, features, dealers, tree_of(), n=2)
    # the network's actions and those of who has no features carry nothing; D1 has his own action
    assert found["from_dealer_name"].tolist() == ["Shop D0", "Shop D0"]
    assert found["dealer_id"].tolist() == ["D2", "D3"]
    assert found["metric"].tolist() == ["stock_age_days"] * 2
    assert found["value"].tolist() == [12.0, 13.0]
    assert progress.carried(found) == [
        "Stock age came along at Shop D0: try it at Shop D2, Shop D3."
    ]
    scores = pd.DataFrame(
        {"dealer_id": ["D2", "D3"], "factor_id": ["f01", "f01"], "data_score": [8.0, 1.0]}
    )
    assert plan.carry_over(table, features, dealers, tree_of(), scores, n=1)[
        "dealer_id"
    ].tolist() == ["D3"]
    none = plan.carry_over(table.assign(state="met_before"), features, dealers, tree_of())
    assert none.empty
    assert none.columns.tolist() == found.columns.tolist()
    assert progress.carried(none) == [words.say("plan.carried_none")]


# ---- sentences -----------------------------------------------------------------------------------


def stand() -> pd.DataFrame:
    """Give a plan with an action in each kind of trouble, at a dealer and in the network."""
    scores = [*sessions(5.0, 6.0), ("f02", "2025-12-15", 5.0), ("f02", "2026-07-02", 7.0)]
    months = months_of("2025-01", D1=[10_000] * 12 + [13_000] * 10)
    dealers = pd.DataFrame({"dealer_id": ["D1"], "dealer_name": ["Shop 1"]})
    return held(
        {"dealer_id": "D1", "due_date": "2026-09-30", "expected_gain": 90_000.0},
        {"factor_id": "f02", "owner": "head_office", "expected_gain": 50_000.0},
        {"factor_id": "f03"},
        {"status": "dropped", "expected_gain": 1e9},
        scores=scores,
        months=months,
        dealers=dealers,
    )


def test_the_bottom_line_tells_what_is_late_what_was_reached_and_what_came():
    assert progress.bottom_line(stand()) == [
        "Of 4 actions agreed on: 1 overdue, 1 reached, 1 not known, 1 dropped.",
        "Open after the due date, and short of the target: Stock age (Shop 1, Lin).",
        "Target reached: Basket (Network, head office).",
        "No score before and after the start for: Training (Network, Lin).",
        (
            "Of what is promised, CNY 90.0 k a year is for us to bring (2 actions) and CNY 50.0 k "
            "for head office (1)."
        ),
        "Shop 1: our gross profit changed by CNY 30.0 k over 10 months since 2026-01-01, "
        "against the same months a year before; CNY 90.0 k a year was promised.",
        "The network without dealers who have actions of their own: our gross profit changed by "
        "CNY 0 over 10 months since 2026-01-01, against the same months a year before; CNY 50.0 k "
        "a year was promised. 2 actions share it: it is counted once.",
        "Such a change went along with the actions; that they caused it is not shown.",
    ]


def test_money_that_nobody_promised_is_not_made_up():
    said = progress.bottom_line(held({}))
    assert words.say("plan.no_gain") in said
    assert not any("a year" in sentence for sentence in said)


def test_long_lists_are_cut_and_counted():
    rows = [{"due_date": "2026-09-01", "dealer_id": f"D{i}"} for i in range(11)]
    said = progress.bottom_line(held(*rows))[1]
    assert said.endswith("Stock age (D7, Lin) and 3 more.")


def test_headlines_change_and_calls():
    made = progress.headlines(stand())
    assert made[0] == {
        "place": "change",
        "text": progress.bottom_line(stand())[0],
        "link": "05_fishbone.html",
    }
    assert made[1:] == [
        {
            "place": "call",
            "label": "Shop 1",
            "link": "05_fishbone.html",
            "text": "Stock age: overdue, due 2026-09-30; score 6.0, target 7.0. Agreed with Lin.",
        }
    ]


def test_chinese_sentences_are_chinese():
    look.use("zh-Hans", "CNY")
    said = " ".join(progress.bottom_line(stand()))
    assert "共商定 4 项行动" in said
    assert "总部" in said
    assert "Network" not in said
    assert "actions" not in said


# ---- the figure ----------------------------------------------------------------------------------


def bars(ax) -> list[tuple]:
    return [
        (bar.get_x(), bar.get_width(), bar.get_y() + bar.get_height() / 2) for bar in ax.patches
    ]


@LANGUAGES
def test_the_figure_draws_dates_progress_and_the_end(language):
    look.use(language, "CNY")
    table = stand()
    kept = table.copy()
    ax = fishbone.plot_plan(table, note="scope")
    day = plt.matplotlib.dates.date2num
    whole, filled = bars(ax)[:2]
    # the first row is due first: half of the way from 1 January to 30 September, the last day
    # included
    assert whole == pytest.approx((day(pd.Timestamp("2026-01-01")), 273, 0))
    assert filled == pytest.approx((day(pd.Timestamp("2026-01-01")), 136.5, 0))
    assert any(
        np.allclose(day(line.get_xdata()), day(pd.Timestamp(END)))
        for line in ax.lines
        if len(line.get_xdata()) == 2
    )
    assert len(ax.get_yticklabels()) == 4
    said = [text.get_text() for text in ax.figure.texts]
    assert words.say("plan.title", n=4, reached=1, late=1) in said
    assert "scope" in said
    assert words.say(
        "plan.row_state", state=words.label("overdue"), start="5.0", now="6.0", target="7.0"
    ) in [text.get_text() for text in ax.texts]
    pd.testing.assert_frame_equal(table, kept)


@LANGUAGES
@pytest.mark.parametrize("n", [1, 9, 45])
def test_labels_never_overlap_and_stay_on_the_page(language, n):
    look.use(language, "CNY")
    long = (
        "Small frequent lots (ants moving) and more"
        if language == "en"
        else "激励政策的设计与运用以及其他更多的因素"
    )
    rows = [
        {"due_date": pd.Timestamp("2026-02-01") + pd.Timedelta(days=11 * i), "dealer_id": f"D{i}"}
        for i in range(n)
    ]
    dealers = pd.DataFrame(
        {"dealer_id": [f"D{i}" for i in range(n)], "dealer_name": [f"{long} {i}" for i in range(n)]}
    )
    table = plan.promised_against_came(
        plan_of(*rows),
        tree_of(long, long, long),
        scores_of(*sessions(5.0, 6.0)),
        end_date=END,
        dealers=dealers,
    )
    ax = fishbone.plot_plan(table, note="scope")
    ax.figure.canvas.draw()
    names = [label.get_window_extent() for label in ax.get_yticklabels()]
    boxes = names + [text.get_window_extent() for text in ax.texts]
    ticks = [label.get_window_extent() for label in ax.get_xticklabels() if label.get_text()]
    assert len(boxes) == 2 * min(n, progress.ROWS)
    for these in (boxes, ticks):
        assert not any(a.overlaps(b) for a, b in itertools.combinations(these, 2))
    page, frame = ax.figure.bbox, ax.get_window_extent()
    assert all(box.x0 >= page.x0 and box.x1 <= page.x1 for box in boxes)
    assert all(box.x1 <= frame.x0 for box in names)
    assert all(box.x0 >= frame.x1 for box in boxes[len(names) :])
    assert frame.width > 0.25 * page.width


def test_only_the_most_urgent_are_drawn_and_the_subtitle_says_so():
    rows = [{"status": "dropped"}] * 30 + [{"due_date": "2026-09-01"}]
    ax = fishbone.plot_plan(held(*rows))
    assert len(ax.get_yticklabels()) == progress.ROWS
    said = [text.get_text() for text in ax.figure.texts]
    assert words.say("plan.how_some", day=END, shown=progress.ROWS, n=31) in said
    assert any("Overdue" in text.get_text() for text in ax.texts)


def test_an_action_with_half_of_its_dates_is_a_point():
    ax = fishbone.plot_plan(held({"start_date": None}, {}, {"due_date": None}))
    points = [line for line in ax.lines if line.get_marker() == "D"]
    assert len(points) == 2
    assert len(bars(ax)) == 2


@pytest.mark.parametrize(
    ("rows", "key"),
    [([], "plan.none"), ([{"start_date": None, "due_date": None}], "plan.no_dates")],
)
def test_nothing_to_draw_is_one_sentence(rows, key):
    ax = fishbone.plot_plan(held(*rows))
    assert not ax.axison
    assert words.say(key) in "".join(text.get_text() for text in ax.figure.texts).replace("\n", " ")


def test_inputs_are_not_mutated():
    actions, scores = plan_of({"dealer_id": "D0"}, {"status": None}), scores_of(*sessions(5.0, 7.0))
    months, tree, (features, dealers) = months_of("2025-01", D0=[1] * 22), tree_of(), network()
    frames = (actions, scores, months, tree, features, dealers, LEGS)
    kept = [frame.copy() for frame in frames]
    plan.require_plan(actions, tree)
    table = plan.promised_against_came(
        actions,
        tree,
        scores,
        end_date=END,
        dealer_scores=scores.assign(dealer_id="D0"),
        months=months,
        dealers=dealers,
    )
    plan.carry_over(table, features, dealers, tree)
    fishbone.proposed_plan(LEGS, tree, start_date="2026-11-02")
    plan.split_by_owner(actions, tree)
    for frame, old in zip(frames, kept, strict=True):
        pd.testing.assert_frame_equal(frame, old)


# ---- the file ------------------------------------------------------------------------------------


def kept(book, table: pd.DataFrame) -> pd.DataFrame:
    """Write a plan and read it back through the door."""
    plan_file.keep_plan(book, table)
    return data.records(data.workbook(book.path), "plan")


def sorted_as_read(table: pd.DataFrame) -> pd.DataFrame:
    return table[plan.COLUMNS].sort_values(plan.COLUMNS, ignore_index=True)


def test_a_plan_comes_back_as_it_was_written(make_book):
    # the one beside the toml wins over this
    book = make_book(sell_in=SELL_IN, plan="factor_id,owner\nold,He\n")
    table = plan_of(
        {"dealer_id": "00123", "expected_gain": 1234.5},
        {"owner": '王, "晓琳"; 李', "target_score": 6.1},
        {
            "factor_id": "f02",
            "start_date": None,
            "due_date": None,
            "target_score": None,
            "status": None,
        },
        {"owner": "a\nb", "expected_gain": -0.01},
        {"owner": "N/A", "dealer_id": "nobody"},
    )
    pd.testing.assert_frame_equal(kept(book, table), sorted_as_read(table))
    assert list(book.folder.glob(".plan*")) == []


def test_a_proposed_plan_comes_back_without_its_legs(make_book):
    made = fishbone.proposed_plan(
        LEGS, tree_of(), start_date="2026-11-02", dealers={"f01": "D1"}, gain_per_point=1e6
    )
    back = kept(make_book(sell_in=SELL_IN), made)
    pd.testing.assert_frame_equal(back, sorted_as_read(made))
    assert plan.require_plan(back, tree_of()) is back


def test_the_plan_before_is_kept_once(make_book):
    book = make_book(sell_in=SELL_IN)
    path = plan_file.keep_plan(book, plan_of({"owner": "first"}))
    assert path == book.folder / "plan.csv"
    backup = book.folder / "plan.csv.bak"
    assert not backup.exists()
    first = path.read_bytes()
    plan_file.keep_plan(book, plan_of({"owner": "second"}))
    assert backup.read_bytes() == first
    plan_file.keep_plan(book, plan_of({"owner": "second"}))  # a notebook run twice
    assert backup.read_bytes() == first


def test_a_crash_while_writing_leaves_the_old_plan(make_book, monkeypatch):
    book = make_book(sell_in=SELL_IN)
    path = plan_file.keep_plan(book, plan_of({"owner": "first"}))
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        plan_file.keep_plan(book, plan_of({"owner": "second"}))
    assert path.read_bytes() == before
    assert sorted(p.name for p in book.folder.iterdir() if "plan" in p.name) == ["plan.csv"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"owner": "=LINK(1)"},
            "plan: owner '=LINK(1)' begins like a formula; begin it with a letter or digit",
        ),
        (
            {"dealer_id": "+86"},
            "plan: dealer_id '+86' begins like a formula; begin it with a letter or digit",
        ),
        (
            {"factor_id": "-f01"},
            "plan: factor_id '-f01' begins like a formula; begin it with a letter or digit",
        ),
        (
            {"owner": "＝1"},
            "plan: owner '＝1' begins like a formula; begin it with a letter or digit",
        ),
        (
            {"status": "@x"},
            "plan: status '@x' begins like a formula; begin it with a letter or digit",
        ),
        ({"owner": None}, "plan: 1 row has no owner; fill it in"),
    ],
)
def test_what_a_spreadsheet_would_run_is_refused_and_nothing_written(make_book, row, message):
    book = make_book(sell_in=SELL_IN)
    with pytest.raises(read.DataError) as error:
        plan_file.keep_plan(book, plan_of({}, row))
    assert str(error.value) == message
    assert not (book.folder / "plan.csv").exists()


def test_keeping_a_plan_changes_nothing_of_it(make_book):
    table = plan_of({"dealer_id": "D1"}).assign(leg=1)
    before = table.copy()
    plan_file.keep_plan(make_book(sell_in=SELL_IN), table)
    pd.testing.assert_frame_equal(table, before)
