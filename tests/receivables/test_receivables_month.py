"""The month of receivables: its rules, its figures, and that all who show it agree."""

import datetime as dt
import html
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from cells import malformed, published, run_cells, walked, with_rules
from conftest import network_rows, small_tables
from helpers import card, data, look, receivables, settings, widgets, words
from helpers.data import ledger as door
from helpers.demo import build
from helpers.press import pages
from helpers.receivables import ageing, exposure, rhythm, summary
from helpers.settings import DataError

pytestmark = pytest.mark.usefixtures("looks")

PERIOD = "2026-10"


@pytest.fixture(scope="module")
def asked(small_demo) -> receivables.ReceivablesData:
    return receivables.read_month(small_demo, PERIOD)


@pytest.fixture(scope="module")
def usual(asked) -> receivables.ReceivablesMonth:
    return receivables.judge_month(asked)


def n_of(month: receivables.ReceivablesMonth, *statuses: str) -> int:
    return int(month.owed["status"].isin(statuses).sum())


FIGURES = {
    "vat": (0.13, lambda m: round(m.network.balance)),
    "stop_days": (0, lambda m: len(m.stop)),
    "late_days": (0, lambda m: n_of(m, "slowed")),
    "slow_times": (1.0, lambda m: n_of(m, "slowed")),
    "stopped_times": (10.0, lambda m: n_of(m, "stopped_paying")),
    "recent_months": (1, lambda m: round(m.owed["recent_payments"].sum())),
}


@pytest.mark.parametrize("option", FIGURES)
def test_another_value_changes_the_figure_that_it_rules(asked, usual, option):
    value, figure = FIGURES[option]
    base = {"late_days": 720} if option == "slow_times" else {}
    if base:  # seen alone; of the demo nobody is a little slow, so he falls silent for some weeks
        entries = asked.entries[
            (asked.entries["kind"] != "payment") | (asked.entries["date"] < "2026-09-20")
        ]
        asked = asked._replace(entries=entries)
        usual = receivables.judge_month(asked, **base, stopped_times=10.0)
        base |= {"stopped_times": 10.0}
    found = receivables.judge_month(asked, **base | {option: value})
    assert figure(found) != figure(usual)
    assert found.options == usual.options | {option: value}


def test_every_option_has_a_figure_and_a_name():
    assert set(FIGURES) == set(receivables.judge_month.options)
    assert len(FIGURES) <= 8
    for option in FIGURES:
        assert words.label(option) != option


@pytest.mark.parametrize(("option", "value"), malformed(receivables.judge_month))
def test_a_malformed_value_is_refused_by_its_name(asked, option, value):
    with pytest.raises(ValueError, match=rf"^{option} = .*: expected "):
        receivables.judge_month(asked, **{option: value})


def test_an_argument_wins_over_the_toml_and_the_toml_over_the_default(small_demo):
    book = with_rules(small_demo, "receivables", vat=0.13, stop_days=30)
    told = receivables.receivables_month(book, PERIOD, stop_days=45, vat=None).options
    assert told == receivables.judge_month.options | {"stop_days": 45, "vat": 0.13}
    pages.require_notebooks(book, settings.CHECKOUT / "notebooks")
    wrong = with_rules(small_demo, "receivables", vat=13)
    with pytest.raises(DataError, match=r"\[parameters.receivables\] vat = 13: expected"):
        pages.require_notebooks(wrong, settings.CHECKOUT / "notebooks")


def test_input_is_not_changed(asked):
    kept = [table.copy() for table in (asked.entries, asked.terms)]
    receivables.judge_month(asked, vat=0.13, late_days=1)
    for table, before in zip((asked.entries, asked.terms), kept, strict=True):
        assert_frame_equal(table, before)


# ---- figures -------------------------------------------------------------------------------------


def test_ages_sum_to_the_balance_for_each_dealer_and_the_network(usual):
    owed = usual.owed
    parts = (owed[list(ageing.PARTS)] * 100).round().sum(axis=1)
    assert (parts == (owed["balance"] * 100).round()).all()
    assert round(usual.ageing["open_amount"].sum() * 100) == round(owed["balance"].sum() * 100)
    assert round(usual.network.balance * 100) == round(owed["balance"].sum() * 100)
    assert usual.history["balance"].iloc[-1] == pytest.approx(owed["balance"].sum(), abs=0.005)
    assert summary.rest_cents(owed, usual.ageing) == 0


def test_the_history_is_what_each_month_says_itself(small_demo, usual):
    for month in ("2026-03", "2025-09"):
        then = receivables.receivables_month(small_demo, month)
        row = usual.history.set_index("month").loc[month]
        assert row["balance"] == pytest.approx(then.network.balance, abs=0.005)
        assert row["countback_days"] == pytest.approx(then.network.countback_days)
        assert row["dso_days"] == pytest.approx(then.network.dso_days)


def test_effectiveness_is_what_came_of_what_could(usual):
    """Opening + sales − closing is what was paid: reckoned from payments it is the same."""
    owed = usual.owed.dropna(subset=["collection_effectiveness_rate"])
    paid, late = owed["payments"], owed["balance"] - owed["not_due"]
    np.testing.assert_allclose(owed["collection_effectiveness_rate"], paid / (paid + late))
    rate = paid.sum() / (paid.sum() + late.sum())
    assert usual.network.effectiveness == pytest.approx(rate) and 0.5 < rate < 1


def test_days_outstanding_of_a_few_weeks_are_over_those(make_book):
    days = [dt.date(2026, 8, 29) + dt.timedelta(days=i) for i in range(64)]
    lines = [{"dealer_id": "1", "date": day, "revenue": Decimal("10.00")} for day in days]
    paid = [{"dealer_id": "1", "date": days[9], "amount": Decimal("320.00")}]
    found = receivables.receivables_month(make_book(brand="", sell_in=lines, payments=paid), PERIOD)
    assert found.owed["dso_days"].tolist() == [32.0], "half of what was sold in 64 days is open"
    assert found.owed["countback_days"].tolist() == pytest.approx([31 + 30 / 300 * 10])


def test_the_engine_sums_up_what_the_lines_say(make_book):
    """The door's entries against the rows, in plain Python, to the cent."""
    rows = network_rows()
    rows["payments"] = [
        r | {"document_id": f"o{i % 50}" if i % 3 else None} for i, r in enumerate(rows["payments"])
    ]
    brands = {r["product_id"]: r["brand"] for r in rows["products"]}
    opening = [{"dealer_id": "0001", "date": dt.date(2024, 4, 30), "balance": Decimal("12.34")}]
    book = make_book(**rows, balances=opening)
    first, last = dt.date(2024, 5, 1), dt.date(2026, 10, 31)
    expected: dict[tuple, int] = {("0001", first - dt.timedelta(days=1), "opening", ""): 1234}
    for row in rows["sell_in"]:
        brand = row["brand"]
        if row["dealer_id"] and brand == book.brand and first <= row["date"] <= last:
            key = (row["dealer_id"], row["date"], "invoice", row["order_id"])
            expected[key] = expected.get(key, 0) + int(row["revenue"] * 100)
    for row in rows["payments"]:
        if row["dealer_id"] and first <= row["date"] <= last:
            key = (row["dealer_id"], row["date"], "payment", row["document_id"] or "")
            expected[key] = expected.get(key, 0) + int(row["amount"] * 100)
    assert brands
    found = door.ledger_entries(book, PERIOD)
    told = {
        (r.dealer_id, r.date.date(), r.kind, "" if pd.isna(r.document_id) else r.document_id): (
            r.cents
        )
        for r in found.itertuples()
    }
    assert told == {key: cents for key, cents in expected.items() if cents}
    assert found["cents"].dtype == np.dtype("int64") and found["due_date"].isna().all()


def test_without_payments_nothing_is_known(make_book):
    tables = small_tables()
    del tables["payments"]
    book = make_book(**tables)
    assert door.ledger_entries(book, PERIOD).empty
    found = receivables.receivables_month(book, PERIOD)
    assert found.owed.empty and found.stop.empty and found.ageing.empty and found.history.empty
    said = summary.bottom_line(found.owed, found.stop, found.network, data.dealers(book))
    assert said == [words.say("receivables.no_payments")]


def test_without_terms_nothing_is_overdue_and_without_limits_nobody_over(make_book):
    book = make_book(**small_tables())
    found = receivables.receivables_month(book, PERIOD)
    assert found.owed["overdue_amount"].isna().all() and found.stop.empty
    assert set(found.ageing["basis"]) <= {"invoice", "–"}
    said = summary.bottom_line(found.owed, found.stop, found.network, data.dealers(book))
    assert words.say("receivables.no_rule_known") in said
    assert not any("overdue" in line or "past its due" in line for line in said)
    based = summary.basis_sentences(found.network, "2024-05")
    assert words.say("receivables.no_due_dates") in based
    assert words.say("receivables.not_opened", n=0, month="2024-05") in based


def test_a_dealer_without_a_line_in_the_window_stays_with_his_debt(make_book):
    tables = small_tables()
    for name in ("sell_in", "payments"):
        gone = [r for r in tables[name] if r["dealer_id"] == "007" and str(r["date"]) > "2025-06"]
        tables[name] = [r for r in tables[name] if r not in gone]
    found = receivables.receivables_month(make_book(**tables), PERIOD).owed.set_index("dealer_id")
    assert found.loc["007", "status"] == "left_with_debt" and found.loc["007", "balance"] > 0
    assert found.index[0] == "007", "the worst first"


# ---- planted truths ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [build.SEED, 3])
def test_what_is_planted_is_found_in_a_small_network(tmp_path, seed, small_demo):
    """The whole demo is asked in tests/browser; this is the small one, and another seed."""
    sizes = {"n_dealers": 60, "n_months": 26, "seed": seed}
    build.make_demo(tmp_path / "data" / "demo", **sizes)
    toml = tmp_path / "workbook.toml"
    toml.write_text(small_demo.path.read_text("utf-8"), "utf-8")
    truth = build.planted(**sizes)
    found = receivables.receivables_month(settings.workbook(toml), PERIOD)
    owed = found.owed.set_index("dealer_id")
    stop = found.stop.set_index("dealer_id")
    assert set(owed.loc[truth["never_paid"], "status"]) == {"never_paid"}
    for name in ("stopped_paying", "quarterly_stopped"):
        assert set(owed.loc[truth[name], "status"]) == {"stopped_paying"}, name
    assert set(owed.loc[truth["quarterly_stopped"], "rhythm"]) == {"quarterly"}
    assert set(owed.loc[truth["over_limit"], "status"]) <= {"paying", "slowed"}
    assert (stop.loc[truth["over_limit"], "over_limit_amount"] > 0).all()
    planted = {d for name in ("never_paid", "stopped_paying", "quarterly_stopped")
               for d in truth[name]}  # fmt: skip
    bad = set(owed.index[owed["status"].isin(["never_paid", "stopped_paying"])])
    assert planted <= bad and len(bad - planted - set(truth["unknown_dealers"])) <= 2


def test_balances_told_later_are_held_against_the_ledger(asked, usual):
    """One agrees; one differs, and the ledger stands; of a third a year of documents is gone."""
    opened = asked.entries.loc[asked.entries["kind"] == "opening", "dealer_id"]
    owed = usual.owed[(usual.owed["balance"] > 0) & usual.owed["dealer_id"].isin(opened)]
    owed = owed.set_index("dealer_id")["balance"].iloc[:3]
    told = {"date": "2026-10-31", "kind": "opening", "cents": (owed * 100).round()}
    told = pd.DataFrame(told | {"due_date": pd.NaT, "document_id": None}).reset_index()
    told.loc[1, "cents"] += 50_000
    again = told.tail(1).assign(date="2025-10-31", cents=1_000)
    entries = pd.concat([asked.entries, told, again]).astype(asked.entries.dtypes)
    gone = (entries["dealer_id"] == owed.index[2]) & (entries["kind"] != "opening")
    entries = entries[~(gone & (entries["date"] > "2025-10-31"))]
    found = receivables.judge_month(asked._replace(entries=entries))
    rows = found.told[found.told["balance_date"] == "2026-10-31"].set_index("dealer_id")
    assert rows.loc[owed.index, "outcome"].tolist() == ["agrees", "differs", "reopens"]
    assert rows.loc[owed.index[1], "balance_gap"] == 500
    now = found.owed.set_index("dealer_id")["balance"]
    assert now[owed.index].tolist() == pytest.approx(owed.tolist(), abs=0.005)
    assert summary.rest_cents(found.owed, found.ageing) == 0
    assert found.history["balance"].iloc[-1] == pytest.approx(now.sum(), abs=0.005)
    assert found.network.n_opened == usual.network.n_opened


# ---- who shows it --------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_page_card_and_calls_say_the_same(small_demo, tmp_path, monkeypatch, language):
    book = with_rules(small_demo, "receivables", stop_days=30, late_days=20, vat=0.01)
    expected = receivables.receivables_month(book, PERIOD)
    monkeypatch.setenv("WORKBOOK_PAGE", str(tmp_path / "page"))
    room = run_cells("04_receivables", book, period=PERIOD, language=language)
    page = published(tmp_path / "page")
    assert set(page) == {
        "receivables",
        "receivables_ageing",
        "receivables_months",
        "stop_supply",
        "told_balances",
    }
    assert page["receivables"]["status"].tolist() == expected.owed["status"].tolist()
    assert page["stop_supply"]["dealer_id"].tolist() == expected.stop["dealer_id"].tolist()
    assert room["found"].options == expected.options
    everyone, _earned = card.network_tables(book, PERIOD, language)
    assert_frame_equal(everyone["owed"], expected.owed)
    late = set(expected.owed.loc[expected.owed["status"].isin(rhythm.LATE), "dealer_id"])
    assert late <= set(everyone["stakes"]["dealer_id"])


def test_the_page_names_what_it_finds(small_demo, monkeypatch, usual):
    room, tables = walked("04_receivables.ipynb", small_demo, monkeypatch, period=PERIOD)
    dealers = room["dealers"]
    said = summary.bottom_line(usual.owed, usual.stop, usual.network, dealers)
    assert len(said) >= 6
    for status in rhythm.LATE:
        rows = usual.owed[usual.owed["status"] == status]
        key = f"receivables.say_{status}"
        names = words.listed(summary.named(rows, dealers)["dealer_name"], 3)
        told = {"n": len(rows), "balance": float(rows["balance"].sum()), "names": names}
        assert not len(rows) or words.say(key, **told) in said
    assert set(tables)


def test_the_explorer_begins_with_the_page_and_follows_its_rules(small_demo, asked, usual):
    widget = widgets.explore_receivables(small_demo, asked, usual)

    def told(month: receivables.ReceivablesMonth) -> str:
        balance = float(month.stop["balance"].sum())
        return words.say("explore.stopped", n=len(month.stop), balance=balance)

    assert told(usual) in html.unescape(widget.said.value)
    widget.controls["stop_days"].value = 0
    assert told(receivables.judge_month(asked, stop_days=0)) in html.unescape(widget.said.value)
    widget.controls["status"].value = "paying"
    assert set(widget.shown["status"]) == {"paying"}
    assert len(widget.shown) == (usual.owed["status"] == "paying").sum()


def test_nothing_to_explore_is_said(make_book):
    tables = small_tables()
    del tables["payments"]
    book = make_book(**tables)
    asked = receivables.read_month(book, PERIOD)
    widget = widgets.explore_receivables(book, asked, receivables.judge_month(asked))
    assert words.say("receivables.no_payments") in html.unescape(widget.value)


def test_names_from_the_data_are_text(small_demo, usual):
    dealers = data.dealers(small_demo).assign(dealer_name="<b>Shop</b>")
    table = look.table(summary.late_payers(usual.owed, dealers)[summary.LATE_SHOWN])
    assert "<b>Shop" not in table._repr_html_()


def test_the_columns_of_the_stop_list_are_published(usual):
    assert list(usual.stop.columns) == exposure.STOP
