"""Whom to call first and why.

One call per dealer, the most urgent event first, in words people can edit.
"""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import calls, look, receivables, words
from helpers.calls import ranking
from helpers.pareto import migration

pytestmark = pytest.mark.usefixtures("looks")

MEASURES = pd.read_csv(words.REFERENCE / "measures.csv")
MOVEMENTS = ("risen", "fallen", "joined", "left")
LATE = ranking.LATE


def events(*given: object) -> pd.DataFrame:
    """Gather what happened; three months are recent."""
    return calls.events(*given, 3)


def moved_of(*rows: tuple) -> pd.DataFrame:
    """Spell out (dealer, class before, class now, revenue); None where he was not there."""
    now = pd.DataFrame(
        [(d, c, f"{c}{c}{c}") for d, _b, c, _r in rows if c],
        columns=["dealer_id", "composite_class", "code"],
    )
    before = pd.DataFrame(
        [(d, b, f"{b}–{b}") for d, b, _c, _r in rows if b],
        columns=["dealer_id", "composite_class", "code"],
    )
    moved = migration.movements(now, before)
    return moved.assign(revenue=moved["dealer_id"].map({d: r for d, _b, _c, r in rows}))


def before_of(**revenue: float) -> pd.DataFrame:
    return pd.DataFrame({"dealer_id": list(revenue), "revenue": list(revenue.values())})


def late_of(**status: str) -> pd.DataFrame:
    rows = pd.DataFrame({"dealer_id": list(status), "status": list(status.values())})
    return rows.assign(balance=500.0, recent_payments=10.0, usual_payments=900.0)


def dealers_of(*ids: str) -> pd.DataFrame:
    return pd.DataFrame({"dealer_id": list(ids)}).assign(
        dealer_name=[f"Shop {i}" for i in ids],
        city="X",
        account_manager=["Lin" if i < "m" else "Wu" for i in ids],
    )


# ---- events --------------------------------------------------------------------------------------


def test_events_by_hand():
    moved = moved_of(
        ("fell", "A", "C", 300.0),
        ("rose", "C", "B", 900.0),
        ("new", None, "C", 40.0),
        ("gone", "B", None, None),
        ("same", "A", "A", 1.0),
    )
    before = before_of(fell=1000.0, rose=100.0, gone=700.0, same=1.0)
    found = events(
        moved, before, late_of(fell="stopped_paying", same="paying", x="slowed", y="no_debt")
    )
    said = {(row.dealer_id, row.trigger): row for row in found.itertuples()}
    assert set(said) == {
        ("fell", "fallen"),
        ("rose", "risen"),
        ("new", "joined"),
        ("gone", "left"),
        ("fell", "stopped_paying"),
        ("x", "slowed"),
    }
    assert said["fell", "fallen"].stake == 700  # what went missing
    assert said["gone", "left"].stake == 700  # all that he bought
    assert said["rose", "risen"].stake == 900
    assert said["new", "joined"].stake == 40
    assert said["fell", "stopped_paying"].stake == 500  # what he owes
    reason = said["fell", "fallen"].reason
    assert "A" in reason
    assert "C" in reason
    assert words.money(300.0) in reason
    assert words.money(1000.0) in reason
    assert words.money(500.0) in said["x", "slowed"].reason


def test_without_a_year_before_and_without_payments_nothing_happened():
    moved = moved_of(("a", None, "A", 5.0))
    found = events(moved.assign(movement="–"), before_of(), None)
    assert found.empty
    assert found.columns.tolist() == ["dealer_id", "trigger", "stake", "reason"]
    assert calls.call_list(found, MEASURES, dealers_of("a")).empty


def test_unknown_amounts_are_no_stake_but_no_error_either():
    found = events(moved_of(("fell", "A", "B", None), ("gone", "A", None, None)), before_of(), None)
    assert found["stake"].tolist() == [0.0, 0.0]


# ---- the call list -------------------------------------------------------------------------------


def happened(*rows: tuple) -> pd.DataFrame:
    found = pd.DataFrame(rows, columns=["dealer_id", "trigger", "stake"])
    return found.assign(reason=[f"{d} {t}." for d, t, _s in rows])


def test_the_call_list_by_hand():
    found = happened(
        ("b", "risen", 9e9),
        ("a", "fallen", 10.0),
        ("c", "fallen", 99.0),
        ("a", "stopped_paying", 1.0),
        ("z", "stopped_paying", 5.0),
    )
    to_call = calls.call_list(found, MEASURES, dealers_of("a", "b", "c", "z"))
    # the priority decides, then the stake
    assert to_call["dealer_id"].tolist() == ["z", "a", "c", "b"]
    assert to_call["trigger"].tolist() == ["stopped_paying", "stopped_paying", "fallen", "risen"]
    by_id = to_call.set_index("dealer_id")
    # the other event is named behind the first
    assert by_id.loc["a", "reason"] == "a stopped_paying. a fallen."
    stopped = MEASURES.set_index("trigger").loc["stopped_paying"]
    assert by_id.loc["a", "measure"] == stopped["en"]
    assert by_id.loc["a", "within_days"] == stopped["within_days"]
    assert by_id.loc["a", ["dealer_name", "city", "account_manager"]].tolist() == [
        "Shop a",
        "X",
        "Lin",
    ]


@settings(max_examples=15)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(list("abcdefgh")),
            st.sampled_from([*MOVEMENTS, *LATE, "unheard_of"]),
            st.integers(0, 99),
        ),
        unique_by=lambda row: row[:2],
        max_size=30,
    ),
    seed=st.integers(0, 3),
)
def test_each_dealer_is_called_once_for_his_most_urgent_event(rows, seed):
    found = happened(*rows).sample(frac=1, random_state=seed)
    kept = found.copy()
    to_call = calls.call_list(found, MEASURES, dealers_of(*"abcdefgh"))
    assert to_call["dealer_id"].is_unique
    urgency = MEASURES.dropna(subset="priority").set_index("trigger")["priority"]
    called = {d for d, t, _s in rows if t in urgency}
    # a trigger that the table does not name calls for nothing
    assert set(to_call["dealer_id"]) == called
    for row in to_call.itertuples():
        his = [t for d, t, _s in rows if d == row.dealer_id and t in urgency]
        assert row.priority == min(urgency[t] for t in his)
        assert row.reason.count(".") == len(his)
    assert to_call["priority"].is_monotonic_increasing
    expected = calls.call_list(happened(*rows), MEASURES, dealers_of(*"abcdefgh"))
    pd.testing.assert_frame_equal(to_call, expected)
    pd.testing.assert_frame_equal(found, kept)


def test_an_edited_table_changes_the_calls():
    found = happened(("a", "fallen", 1.0), ("b", "joined", 1.0))
    mine = pd.DataFrame(
        {
            "trigger": ["joined"],
            "priority": [1],
            "within_days": [2],
            "en": ["Say hello."],
            "zh": ["你好"],
        }
    )
    to_call = calls.call_list(found, mine, dealers_of("a", "b"))
    assert to_call[["dealer_id", "measure", "within_days"]].to_numpy().tolist() == [
        ["b", "Say hello.", 2]
    ]


def test_a_dealer_nobody_has_listed_is_called_all_the_same():
    to_call = calls.call_list(happened(("ghost", "left", 3.0)), MEASURES, dealers_of("a"))
    assert to_call["dealer_id"].tolist() == ["ghost"]


def test_calls_by_account_manager_keep_the_order_within_each():
    found = happened(
        ("z", "stopped_paying", 5.0), ("b", "risen", 1.0), ("a", "fallen", 1.0), ("n", "risen", 9.0)
    )
    # z is not listed: nobody looks after him
    to_call = calls.call_list(found, MEASURES, dealers_of("a", "b", "n"))
    assert calls.by_account_manager(to_call)["dealer_id"].tolist() == ["a", "b", "n", "z"]


# ---- the shipped table ---------------------------------------------------------------------------


def test_the_shipped_measures_cover_all_that_can_happen_in_both_languages():
    assert MEASURES["trigger"].is_unique
    assert set(MEASURES["trigger"]) == {*"ABC", *MOVEMENTS, *LATE}
    assert MEASURES[["en", "zh", "within_days"]].notna().all(axis=None)
    assert (MEASURES[["en", "zh"]].map(str.strip) != "").all(axis=None)
    events = MEASURES[~MEASURES["trigger"].isin(list("ABC"))]
    assert events["priority"].notna().all()
    assert MEASURES["within_days"].gt(0).all()
    assert events.sort_values("priority")["trigger"].iloc[0] == "stopped_paying"


def test_the_code_makes_no_trigger_but_these():
    """Walk every pair of classes and every status that the code can produce."""
    letters = ("A", "B", "C", "–", None)
    rows = [(f"{b}{n}", b, n, 1.0) for b in letters for n in letters if b or n]
    moved = moved_of(*rows)
    # – where one of the classes is not known
    assert set(moved["movement"]) == {"stayed", "–", *MOVEMENTS}
    assert set(receivables.LATE) == set(ranking.LATE)
    late = late_of(**{status: status for status in receivables.STATUSES})
    found = events(moved, before_of(), late)
    assert set(found["trigger"]) == {*MOVEMENTS, *LATE}
    assert set(found["trigger"]) <= set(MEASURES["trigger"])


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_measures_and_reasons_speak_the_readers_language(language):
    look.use(language, "CNY")
    found = events(
        moved_of(("a", "A", "C", 1.0), ("b", "A", "A", 1.0)),
        before_of(a=9.0, b=1.0),
        late_of(b="slowed"),
    )
    to_call = calls.call_list(found, MEASURES, dealers_of("a", "b")).set_index("dealer_id")
    column = "en" if language == "en" else "zh"
    wording = MEASURES.set_index("trigger")[column]
    assert to_call.loc["a", "measure"] == wording["fallen"]
    assert to_call.loc["b", "measure"] == wording["slowed"]
    assert ("由" in to_call.loc["a", "reason"]) is (language != "en")


def test_what_the_data_cannot_tell_of_is_no_event_that_nobody_had():
    known, unknown = (
        moved_of(("a", "A", "C", 1.0)),
        moved_of(("a", "A", "C", 1.0)).assign(movement="–"),
    )
    paying, silent = late_of(a="paying", b="no_debt"), late_of(a="–", b="no_debt")
    assert calls.untold_events(known, paying) == []
    assert calls.untold_events(unknown, paying) == ["left", "fallen", "joined", "risen"]
    assert calls.untold_events(known, silent) == [*ranking.LATE]
    judged, nothing = pd.DataFrame({"composite_class": ["A"]}), happened()
    table = calls.measure_table(judged, nothing, MEASURES, calls.untold_events(unknown, silent))
    assert table["trigger"].tolist() == ["A", "B", "C"]
    assert (
        table["measure"].tolist()
        == MEASURES.set_index("trigger").loc[["A", "B", "C"], "en"].tolist()
    )
    assert set(calls.untold_events(unknown, silent)) == {*MOVEMENTS, *LATE}


def test_calls_of_nobody_s_dealers_are_printed_as_they_come():
    to_call = calls.call_list(
        happened(("b", "risen", 1.0), ("a", "stopped_paying", 1.0)),
        MEASURES,
        dealers_of("a", "b").assign(account_manager=None),
    )
    assert calls.by_account_manager(to_call)["dealer_id"].tolist() == ["a", "b"]
    assert calls.by_account_manager(to_call.head(0)).empty


def test_the_measure_table_counts_classes_and_events():
    judged = pd.DataFrame({"composite_class": ["A", "B", "B", "–"]})
    found = happened(("a", "fallen", 1.0), ("b", "fallen", 1.0), ("c", "slowed", 1.0))
    table = calls.measure_table(judged, found, MEASURES).set_index("trigger")
    assert table["n_dealers"].to_dict() == {
        "stopped_paying": 0,
        "left_with_debt": 0,
        "never_paid": 0,
        "left": 0,
        "fallen": 2,
        "slowed": 1,
        "joined": 0,
        "risen": 0,
        "A": 1,
        "B": 2,
        "C": 0,
    }
    assert table["measure"].tolist() == MEASURES["en"].tolist()
