"""The month of calls: its rules, what it says, and that all who show it show one list."""

import shutil

import pandas as pd
import pytest

from cells import malformed, with_rules
from helpers import calls, data, look, settings, words
from helpers.calls import summary, triggers
from helpers.demo import build
from helpers.press import managers, pages
from helpers.settings import DataError

pytestmark = pytest.mark.usefixtures("looks")

PERIOD = "2026-10"


@pytest.fixture(scope="module")
def asked(small_demo) -> calls.CallsData:
    return calls.read_month(small_demo, PERIOD)


@pytest.fixture(scope="module")
def usual(asked) -> calls.CallsMonth:
    return calls.judge_month(asked)


@pytest.fixture(scope="module")
def listed(small_demo, usual) -> pd.DataFrame:
    words.speak("en", small_demo.currency)
    return calls.call_list(usual.calls, usual, data.dealers(small_demo), small_demo.brand)


def n_of(month: calls.CallsMonth, trigger: str) -> int:
    return int((month.events["trigger"] == trigger).sum())


FIGURES = {
    "per_manager": (2, lambda m: len(m.calls)),
    "false_share": (0.2, lambda m: n_of(m, "lost_money")),
    "called_overdue_days": (720, lambda m: n_of(m, "overdue")),
}


@pytest.mark.parametrize("option", FIGURES)
def test_another_value_changes_the_figure_that_it_rules(asked, usual, option):
    value, figure = FIGURES[option]
    found = calls.judge_month(asked, **{option: value})
    assert figure(found) != figure(usual)
    assert found.options == usual.options | {option: value}


def test_every_option_has_a_figure_and_a_name():
    assert set(FIGURES) == set(calls.judge_month.options)
    for option in FIGURES:
        assert words.label(option) != option


@pytest.mark.parametrize(("option", "value"), malformed(calls.judge_month))
def test_a_malformed_value_is_refused_by_its_name(asked, option, value):
    with pytest.raises(ValueError, match=rf"^{option} = .*: expected "):
        calls.judge_month(asked, **{option: value})


def test_the_toml_and_an_argument_rule_the_calls(small_demo):
    book = with_rules(small_demo, "abc_pareto", per_manager=3, rule="value")
    pages.require_notebooks(book, settings.CHECKOUT / "notebooks")
    assert settings.options_in_force(calls.judge_month, book, {})["per_manager"] == 3
    given = settings.options_in_force(calls.judge_month, book, {"per_manager": 4})
    assert given["per_manager"] == 4
    wrong = with_rules(small_demo, "abc_pareto", per_manager=0)
    with pytest.raises(DataError, match=r"\[parameters.abc_pareto\] per_manager = 0: expected"):
        pages.require_notebooks(wrong, settings.CHECKOUT / "notebooks")


def test_nobody_is_called_with_nothing_at_stake(usual):
    assert (usual.calls["stake_low"] > 0).all() and usual.calls["dealer_id"].is_unique
    assert set(usual.calls["trigger"]) <= set(calls.TRIGGERS)
    assert set(usual.chances["trigger"]) <= set(calls.CHANCES)


def test_all_kinds_of_events_are_found_in_a_small_network(usual):
    told = set(usual.events["trigger"])
    assert {"lost_money", "overdue", "never_paid", "sleeps", "runs_dry"} <= told


def test_reasons_are_one_sentence_with_the_figures_of_their_tables(small_demo, usual, listed):
    assert listed["reason"].str.endswith(".").all() and listed["measure"].str.len().gt(10).all()
    owed = usual.asked.owed.set_index("dealer_id")
    for row in listed[listed["trigger"] == "over_limit"].itertuples():
        assert words.money(owed.loc[row.dealer_id, "balance"]) in row.reason
    lost = usual.lost.set_index("dealer_id")
    for row in listed[listed["trigger"] == "lost_money"].itertuples():
        assert words.money(lost.loc[row.dealer_id, "lost"]) in row.reason
    for language in ("zh-Hans", "zh-Hant"):
        look.use(language, small_demo.currency)
        dealers = data.dealers(small_demo, language)
        told = calls.call_list(usual.calls, usual, dealers, small_demo.brand)
        assert told["reason"].str.contains("。").all()
        assert (told["dealer_id"] == listed["dealer_id"]).all()


def test_a_managers_page_shows_his_part_of_the_list(small_demo, listed):
    """That page and card show the same list, `tests/pareto/test_abc_month.py` tells."""
    dealers = managers.with_keys(data.dealers(small_demo), small_demo)
    judged = dealers[["dealer_id", "dealer_name", "city"]]
    judged = judged.assign(composite_class="A", gross_profit=1.0)
    offices = managers.manager_pages(dealers, {"abc_pareto": judged, "call_list": listed}, {})
    known = listed["dealer_id"].isin(judged["dealer_id"])
    assert sum(office["n_calls"] for office in offices) == known.sum() > 10


def test_a_loss_that_chance_may_explain_is_not_certain_and_not_left_out(small_demo, usual):
    table = calls.loss_table(usual, data.dealers(small_demo))
    fall = usual.lost["revenue_before"] - usual.lost["revenue"]
    largest = usual.lost.assign(fall=fall)[fall > 0].nlargest(summary.LARGEST, "fall")
    assert set(largest["dealer_id"]) <= set(table["dealer_id"])
    sure = set(table.loc[table["certainty"] == "sure", "dealer_id"])
    called = usual.events[usual.events["trigger"].isin(["lost_money", "silent"])]
    assert set(called["dealer_id"]) & set(table["dealer_id"]) <= sure
    said = summary.loss_sentences(usual, table)
    assert str(len(sure)) in said[0]


def test_what_is_not_known_is_no_call_and_said(make_book):
    days = pd.date_range("2026-06-01", "2026-10-31", freq="D")[::9]
    rows = pd.DataFrame({"dealer_id": "1", "date": days, "revenue": 10.0})
    book = make_book(brand="", sell_in=rows.to_csv(index=False))
    found = calls.calls_month(book, PERIOD)
    assert found.calls.empty and found.chances.empty
    assert set(found.untold) == {*calls.TRIGGERS, *calls.CHANCES} - {"silent"}
    said = [*summary.loss_sentences(found, calls.loss_table(found, data.dealers(book)))]
    assert said == [words.say("calls.no_losses_known")]
    judged = pd.DataFrame({"composite_class": ["A", "B", "C", "B/C", "B/C"]})
    table = calls.measure_table(judged, found)
    assert table["trigger"].tolist() == ["silent", "A", "B", "C"]
    # an open class is counted as the worse
    assert table["n_dealers"].tolist() == [0, 1, 1, 3]


def test_rates_are_said_for_the_share_they_were_simulated_at():
    rates = pd.read_csv(words.REFERENCE / "call_rates.csv")
    said = summary.rate_sentences(rates, 0.005)
    told = rates.set_index(["rate", "cell"])["simulated_rate"]
    assert len(said) == 4 and words.percent(told["false", "all"], 2) in said[0]
    for cell in (("found", "at_once"), ("ceiling", "at_once"), ("found", "over_6_months")):
        assert words.percent(told[cell]) in said[1]
    assert summary.rate_sentences(rates, 0.01) == [words.say("calls.no_rates", share="1.00%")]
    assert summary.rate_sentences(rates.head(0), 0.005) != said


def test_input_is_not_changed(asked):
    kept = [t.copy() for t in asked if isinstance(t, pd.DataFrame)]
    calls.judge_month(asked, false_share=0.1)
    tables = [t for t in asked if isinstance(t, pd.DataFrame)]
    for before, after in zip(kept, tables, strict=True):
        pd.testing.assert_frame_equal(before, after)


# ---- the demo as it is shipped -------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[pd.DataFrame, set[str]]:
    """Give who lost what in the shipped demo, and whom the calls name for it."""
    folder = tmp_path_factory.mktemp("demo")
    build.make_demo(folder / "data" / "demo")
    shutil.copy(settings.CHECKOUT / "workbook.toml", folder / "workbook.toml")
    book = settings.workbook(folder)
    months = data.dealer_months(book, PERIOD)
    lost = calls.money_losses(months, PERIOD)
    size = lost.set_index("dealer_id")[["revenue", "revenue_before"]].max(axis=1)
    rhythm, day = data.order_rhythm(book, PERIOD), pd.Timestamp("2026-10-31")
    silent = calls.silent_dealers(rhythm, size, day)
    by = triggers.margins(months[months["month"] > "2024-10"])
    events = [triggers.fallen(lost, by), triggers.silent(silent, lost, months, by)]
    return lost.set_index("dealer_id"), set(pd.concat(events)["dealer_id"])


@pytest.mark.xdist_group("whole demo")  # made once, on one worker
def test_calls_cover_what_the_best_would(whole):
    """N who are called for lost money or silence, against the N largest falls of the year."""
    lost, called = whole
    fall = (lost["revenue_before"] - lost["revenue"]).clip(lower=0)
    cover = fall.reindex(list(called)).fillna(0).sum() / fall.nlargest(len(called)).sum()
    assert len(called) >= 15 and cover >= 0.9
    assert set(fall.nlargest(9).index) <= called, "of the next eleven some may be chance"


@pytest.mark.xdist_group("whole demo")  # made once, on one worker
def test_the_slipping_of_the_demo_are_called(whole):
    lost, called = whole
    assert {"D0007", "D0541"} <= called, "they stay A: no letter ever called for them"
    assert lost["is_rising"].sum() < 0.1 * len(lost)
