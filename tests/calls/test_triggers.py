"""What calls for a call, what is at stake, and in which order: by hand and by brute force."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import calls, words
from helpers.calls import month, ranking, triggers

MEASURES = pd.read_csv(words.REFERENCE / "measures.csv")
KNOWN = list(calls.TRIGGERS)
ALL = (*calls.TRIGGERS, *calls.CHANCES)


def events_of(*rows: tuple) -> pd.DataFrame:
    """Spell out (dealer, trigger, low); the stake is twice that."""
    made = [(d, t, "debt", 2.0 * low, float(low), 3.0 * low) for d, t, low in rows]
    return pd.DataFrame(made, columns=triggers.EVENTS)


def dealers_of(**managers: str | None) -> pd.DataFrame:
    return pd.DataFrame({"dealer_id": list(managers), "account_manager": list(managers.values())})


# ---- the list ------------------------------------------------------------------------------------


def test_the_surest_money_comes_first_and_kinds_are_never_added():
    found = events_of(
        ("a", "sleeps", 10), ("a", "overdue", 30), ("a", "silent", 20), ("b", "lost_money", 40)
    )
    list_ = ranking.ranked(found, dealers_of(a="Lin", b="Lin"), KNOWN)
    assert list_["dealer_id"].tolist() == ["b", "a"]
    row = list_.iloc[1]
    assert (row["trigger"], row["stake_low"], row["stake"]) == ("overdue", 30, 60)
    assert row["other_triggers"] == "silent sleeps", "named in the order of their stakes"
    assert list_["rank"].tolist() == [1, 2]


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(ALL), st.integers(1, 9)),
        unique_by=lambda row: row[:2],
        max_size=30,
    ),
    most=st.integers(1, 4),
    seed=st.integers(0, 3),
)
def test_each_dealer_is_called_once_and_each_manager_gets_his_first(rows, most, seed):
    managers = dealers_of(**{d: [None, "Lin", "Wu"][i % 3] for i, d in enumerate("abcdefg")})
    found = events_of(*rows).sample(frac=1, random_state=seed)
    kept = found.copy()
    list_ = ranking.ranked(found, managers, KNOWN)
    pd.testing.assert_frame_equal(found, kept)
    best = {}
    for dealer, trigger, low in rows:  # the same by hand
        if trigger in KNOWN:
            best[dealer] = max(best.get(dealer, 0), low)
    assert dict(zip(list_["dealer_id"], list_["stake_low"], strict=True)) == best
    assert list_["stake_low"].is_monotonic_decreasing
    named = list_["other_triggers"].str.split().str.len().sum() + len(list_)
    assert named == sum(trigger in KNOWN for _d, trigger, _l in rows)
    short = ranking.shortened(list_, most)
    sizes = short.groupby("account_manager", dropna=False).size()
    whole = list_.groupby("account_manager", dropna=False).size()
    assert sizes.to_dict() == whole.clip(upper=most).to_dict()
    for manager, his in list_.groupby("account_manager", dropna=False):
        mine = short[short["account_manager"].isin([manager])]
        assert mine["stake_low"].min() >= his["stake_low"].nlargest(most).min()


def test_a_trigger_without_a_measure_calls_for_nothing():
    found = events_of(("a", "sleeps", 1), ("b", "silent", 1))
    assert ranking.ranked(found, dealers_of(), ["silent"])["dealer_id"].tolist() == ["b"]
    assert ranking.ranked(found.head(0), dealers_of(), KNOWN).empty


# ---- stakes --------------------------------------------------------------------------------------


def losers(**lost: tuple[float, float, float]) -> pd.DataFrame:
    rows = [(d, *values, True, "year") for d, values in lost.items()]
    names = ["dealer_id", "lost", "lost_low", "lost_high", "is_lost", "window"]
    return pd.DataFrame(rows, columns=names)


def test_at_stake_is_gross_profit_at_the_dealers_own_margin_or_the_networks():
    months = pd.DataFrame(
        {
            "dealer_id": ["own", "none", "thin", "rest"],
            "gross_profit": [30.0, np.nan, -5.0, 175.0],
            "covered_revenue": [100.0, 0.0, 100.0, 800.0],
        }
    )
    by = triggers.margins(months)
    assert by.network == pytest.approx(0.2) and by.kind() == "gross_profit"
    found = triggers.fallen(losers(own=(50, 40, 60), none=(50, 40, 60), thin=(50, 40, 60)), by)
    stakes = found.set_index("dealer_id")[["stake", "stake_low", "stake_high"]].round(9)
    assert stakes.loc["own"].tolist() == [15.0, 12.0, 18.0]
    assert stakes.loc["none"].tolist() == [10.0, 8.0, 12.0]
    assert "thin" not in stakes.index, "with who costs us money nothing is lost"
    unknown = triggers.margins(months.assign(gross_profit=np.nan, covered_revenue=np.nan))
    (row,) = triggers.fallen(losers(own=(50, 40, 60)), unknown).itertuples()
    assert (row.stake_kind, row.stake) == ("revenue", 50)


def owed_of(**dealers: tuple) -> pd.DataFrame:
    """Spell out (status, balance, overdue amount, days past due)."""
    columns = ["dealer_id", "status", "balance", "overdue_amount", "past_due_days"]
    return pd.DataFrame([(d, *row) for d, row in dealers.items()], columns=columns)


def test_of_a_debt_what_is_overdue_is_at_stake_else_what_is_owed():
    owed = owed_of(
        stopped=("stopped_paying", 900.0, 700.0, 80.0),
        never=("never_paid", 500.0, np.nan, np.nan),
        left=("left_with_debt", 300.0, 0.0, np.nan),
        slow=("slowed", 200.0, np.nan, np.nan),
        late=("paying", 400.0, 90.0, 45.0),
        soon=("paying", 400.0, 90.0, 12.0),
        good=("paying", 400.0, 0.0, np.nan),
        ahead=("no_debt", -50.0, 0.0, np.nan),
    )
    stop = pd.DataFrame({"dealer_id": ["good", "late"], "over_limit_amount": [60.0, np.nan]})
    found = triggers.debts(owed, stop)
    told = {(row.dealer_id, row.trigger): row.stake for row in found.itertuples()}
    assert told == {
        ("stopped", "stopped_paying"): 700,
        ("never", "never_paid"): 500,
        ("left", "left_with_debt"): 300,
        ("slow", "overdue"): 200,
        ("late", "overdue"): 90,
        ("good", "over_limit"): 60,
    }
    assert (found["stake_low"] == found["stake"]).all(), "what is owed is certain"
    assert ("soon", "overdue") in {
        (row.dealer_id, row.trigger)
        for row in triggers.debts(owed, stop, overdue_days=10).itertuples()
    }


def test_stock_is_at_cost_and_what_is_missed_is_profit():
    held = pd.DataFrame({"dealer_id": ["a", "b", "c"], "dead_value": [5.0, 0.0, np.nan]})
    channel = pd.DataFrame(
        {
            "dealer_id": ["b", "c"],
            "trigger": ["runs_dry", "stuffed"],
            "stake": [5.0, 9.0],
            "low": [5.0, 7.0],
        }
    )
    found = triggers.stock(held, channel, "gross_profit")
    told = {
        (r.dealer_id, r.trigger): (r.stake_kind, r.stake, r.stake_low) for r in found.itertuples()
    }
    assert told == {
        ("a", "sleeps"): ("stock_at_cost", 5, 5),
        ("b", "runs_dry"): ("gross_profit", 5, 5),
        ("c", "stuffed"): ("stock_at_cost", 9, 7),
    }
    assert found.set_index("trigger").loc["stuffed", "stake_high"] == 11
    nobody = held.head(0)[["dealer_id"]]
    assert triggers.stock(nobody, channel.head(0), "revenue").empty


def test_a_rivals_stake_is_as_sure_as_his_lead():
    lost = pd.DataFrame(
        {
            "dealer_id": ["a", "b"],
            "status": ["earns_less", "earns_most"],
            "rival": "R",
            "gap_money": [100.0, 100.0],
        }
    )
    comparison = pd.DataFrame(
        {
            "dealer_id": ["a"],
            "brand": "R",
            "lead_margin_rate": -0.05,
            "low_margin_rate": -0.07,
            "high_margin_rate": -0.03,
        }
    )
    (row,) = triggers.rivals(lost, comparison).itertuples()
    assert (row.dealer_id, row.stake) == ("a", 100)
    assert row.stake_low == pytest.approx(100 * (0.05 - 0.02 * 1.2816 / 1.96) / 0.05)
    assert row.stake_high == pytest.approx(100 * (0.05 + 0.02 * 1.2816 / 1.96) / 0.05)


def test_silence_puts_the_year_up_to_the_last_order_at_stake():
    names = [f"2025-{i:02d}" for i in range(1, 13)]
    months = pd.DataFrame({"dealer_id": "a", "month": names, "revenue": 10.0})
    silent = pd.DataFrame(
        {
            "dealer_id": ["a", "b"],
            "is_silent": True,
            "last_order_date": pd.to_datetime(["2025-10-03", "2022-01-01"]),
        }
    )
    lost = pd.DataFrame(
        {
            "dealer_id": ["a", "b"],
            "lost_low": [30.0, 0.0],
            "lost_high": [50.0, 0.0],
            "revenue": [0.0, 0.0],
            "revenue_before": [100.0, 0.0],
        }
    )
    by = triggers.Margins(pd.Series({"a": 0.5}), 0.2)
    (row,) = triggers.silent(silent, lost, months, by).itertuples()
    assert (row.dealer_id, row.stake) == ("a", 50), "who left years ago has nothing left to lose"
    assert (row.stake_low, row.stake_high) == (45, 55)


def test_chances_stand_apart_and_who_is_back_does_not_rise():
    found = pd.DataFrame(
        {"dealer_id": ["up", "back"], "is_rising": True, "gained": 50.0, "gained_low": 40.0}
    )
    moved = pd.DataFrame({"dealer_id": ["back"], "movement": "won_back", "revenue": [80.0]})
    by = triggers.Margins(pd.Series(dtype=float), 0.5)
    told = triggers.chances(found, moved, by).set_index("dealer_id")
    assert told["trigger"].to_dict() == {"back": "won_back", "up": "rising"}
    assert told["stake"].to_dict() == {"back": 40, "up": 25}
    assert not set(calls.CHANCES) & set(calls.TRIGGERS)


# ---- the shipped table ---------------------------------------------------------------------------


def test_the_shipped_measures_cover_all_that_can_happen():
    assert MEASURES["trigger"].is_unique
    assert set(MEASURES["trigger"]) == {*"ABC", *ALL}
    assert MEASURES.notna().all(axis=None) and MEASURES["within_days"].gt(0).all()
    for trigger in (*ALL, *triggers.KINDS):
        assert words.label(trigger) != trigger


def test_a_table_of_an_earlier_version_still_calls():
    old = pd.DataFrame({"trigger": ["fallen", "left", "slowed", "risen", "A"], "en": list("12345")})
    told = month.measures_in_force(old).set_index("trigger")["en"]
    assert told[["lost_money", "silent", "overdue", "rising"]].tolist() == list("1234")
    assert month.measures_in_force(MEASURES).equals(MEASURES)
