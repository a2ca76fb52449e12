"""Who pays and who has stopped: every status by hand, and what is not a sign of it."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import look, pareto, periods, words
from helpers.pareto import collection

pytestmark = pytest.mark.usefixtures("looks")

PERIOD = "2026-10"


def months_of(**dealers: tuple[list[float], list[float]]) -> pd.DataFrame:
    """Spell out revenue and payments per month up to the period; both lists are equally long."""
    rows = [
        (dealer, month, bought, paid)
        for dealer, (revenue, payments) in dealers.items()
        for month, bought, paid in zip(
            periods.month_range(PERIOD, len(revenue)), revenue, payments, strict=True
        )
    ]
    return pd.DataFrame(rows, columns=["dealer_id", "month", "revenue", "payments"])


def judged(**dealers) -> pd.DataFrame:
    return pareto.receivables(months_of(**dealers), PERIOD).set_index("dealer_id")


# ---- figures by hand -----------------------------------------------------------------------------


def test_days_sales_outstanding_by_hand():
    found = collection.days_sales_outstanding(
        pd.Series([100.0, 0, -50, 10, 10]), pd.Series([1000.0, 9, 9, 0, -3]), 365
    )
    # ahead of his invoices: nothing outstanding, not a negative time
    assert found.tolist()[:3] == [36.5, 0, 0]
    assert found.isna().tolist() == [False, False, False, True, True]


def test_every_figure_by_hand():
    # two years: 100 a month bought; 90 paid in each of the first 21 months, 30 in the last three
    row = judged(x=([100.0] * 24, [90.0] * 21 + [30.0] * 3)).loc["x"]
    assert row["revenue"] == 1200
    assert row["payments"] == 9 * 90 + 3 * 30 == 900
    assert row["collection_rate"] == 0.75
    assert row["recent_collection_rate"] == 0.3
    assert row["recent_payments"] == 90
    assert row["usual_payments"] == 270  # 810 in the nine months before
    # since the first month known, not only the window
    assert row["balance"] == 2400 - (21 * 90 + 90) == 420
    assert row["dso_days"] == pytest.approx(420 / 1200 * 365)


def test_lines_after_the_period_do_not_count():
    months = months_of(x=([100.0] * 12, [90.0] * 12))
    later = pd.DataFrame(
        {"dealer_id": ["x"], "month": ["2026-11"], "revenue": [5e6], "payments": [1e6]}
    )
    expected = pareto.receivables(months, PERIOD)
    pd.testing.assert_frame_equal(pareto.receivables(pd.concat([months, later]), PERIOD), expected)


def test_who_has_no_line_in_the_window_is_not_judged():
    months = months_of(gone=([100.0] * 3 + [0.0] * 12, [0.0] * 15), x=([1.0] * 12, [1.0] * 12))
    months = months[(months["dealer_id"] == "x") | (months["month"] < "2025-11")]
    assert pareto.receivables(months, PERIOD)["dealer_id"].tolist() == ["x"]


# ---- who has stopped -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("why", "revenue", "payments", "status"),
    [
        ("pays as ever", [100.0] * 12, [95.0] * 12, "paying"),
        ("pays nothing for three months", [100.0] * 12, [95.0] * 9 + [0.0] * 3, "stopped_paying"),
        ("pays a pittance", [100.0] * 12, [95.0] * 9 + [9.0] * 3, "stopped_paying"),
        ("pays a third", [100.0] * 12, [80.0] * 9 + [25.0] * 3, "slowed"),
        ("pays a third, but owes little", [100.0] * 12, [99.0] * 9 + [33.0] * 3, "paying"),
        ("pays a little less", [100.0] * 12, [95.0] * 9 + [80.0] * 3, "paying"),
        (
            "stopped buying too, and owes",
            [100.0] * 9 + [0.0] * 3,
            [70.0] * 9 + [0.0] * 3,
            "stopped_paying",
        ),
        (
            "stopped buying too, with a few invoices open",
            [100.0] * 9 + [0.0] * 3,
            [90.0] * 9 + [0.0] * 3,
            "paying",
        ),
        (
            "seasonal low: bought less, so pays less",
            [100.0] * 9 + [20.0] * 3,
            [60.0] * 9 + [12.0] * 3,
            "paying",
        ),
        (
            "seasonal low: neither buys, pays nor owes",
            [100.0] * 9 + [0.0] * 3,
            [100.0] * 9 + [0.0] * 3,
            "paying",
        ),
        ("paid ahead of his invoices", [100.0] * 12, [200.0] * 9 + [0.0] * 3, "paying"),
        (
            "never paid regularly",
            [100.0] * 12,
            [0, 0, 0, 0, 0, 300.0, 0, 0, 300.0, 0, 0, 0],
            "paying",
        ),
        (
            "paid in five of nine months",
            [100.0] * 12,
            [150.0, 0] * 4 + [150.0, 0, 0, 0],
            "stopped_paying",
        ),
        ("has paid nothing ever", [100.0] * 12, [0.0] * 12, "paying"),
        ("only returns", [-100.0] * 12, [0.0] * 12, "no_revenue"),
        ("only pays old debts", [0.0] * 12, [10.0] * 12, "no_revenue"),
    ],
)
def test_status_by_hand(why, revenue, payments, status):
    assert judged(x=(revenue, payments)).loc["x", "status"] == status, why


def test_no_revenue_has_no_rate_and_no_days():
    row = judged(x=([0.0] * 12, [10.0] * 12)).loc["x"]
    assert math.isnan(row["collection_rate"])
    assert math.isnan(row["recent_collection_rate"])
    assert math.isnan(row["dso_days"])
    assert row["balance"] == -120


def test_the_overdue_list_puts_stopped_before_slowed_and_the_largest_balance_first():
    stopped, slowed = [95.0] * 9 + [0.0] * 3, [80.0] * 9 + [25.0] * 3
    rows = pareto.receivables(
        months_of(
            fine=([100.0] * 12, [99.0] * 12),
            slow=([100.0] * 12, slowed),
            small=([100.0] * 12, stopped),
            large=([900.0] * 12, [9 * p for p in stopped]),
        ),
        PERIOD,
    )
    names = pd.DataFrame(
        {"dealer_id": ["slow", "large", "fine"], "dealer_name": ["Slow", "Large", "Fine"]}
    )
    late = pareto.overdue(rows, names)
    assert late["dealer_id"].tolist() == ["large", "small", "slow"]
    # who is not listed is late all the same
    assert late["dealer_name"].fillna("").tolist() == ["Large", "", "Slow"]
    assert late.index.tolist() == [0, 1, 2]


def test_balances_are_whole_cents():
    row = judged(x=([0.1] * 12, [0.1] * 9 + [0.0] * 3)).loc["x"]
    assert row["balance"] == 0.3  # not 0.30000000000000016, and a paid-up dealer owes 0, not 1e-16
    assert judged(x=([0.1] * 12, [0.1] * 12)).loc["x", "balance"] == 0


money = st.lists(st.integers(0, 10_000_00).map(lambda c: c / 100), min_size=15, max_size=15)


@settings(max_examples=12)
@given(revenue=money, payments=money, factor=st.sampled_from([2, 10, 64]))
def test_the_unit_of_money_changes_no_status_and_nothing_is_lost(revenue, payments, factor):
    once = months_of(x=(revenue, payments), y=(payments, revenue))
    more = once.assign(revenue=once["revenue"] * factor, payments=once["payments"] * factor)
    rows, scaled = pareto.receivables(once, PERIOD), pareto.receivables(more, PERIOD)
    assert scaled["status"].tolist() == rows["status"].tolist()
    np.testing.assert_allclose(scaled["dso_days"], rows["dso_days"], rtol=1e-6, atol=1e-6)
    window = once[once["month"].isin(periods.month_range(PERIOD, 12))]
    assert rows["revenue"].sum() == pytest.approx(window["revenue"].sum())
    assert rows["payments"].sum() == pytest.approx(window["payments"].sum())
    assert rows["balance"].sum() == pytest.approx(
        once["revenue"].sum() - once["payments"].sum(), abs=0.02
    )
    shuffled = pareto.receivables(once.sample(frac=1, random_state=1), PERIOD)
    pd.testing.assert_frame_equal(shuffled, rows)


# ---- the plot ------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_the_plot_draws_two_years_and_says_the_last_three_months_rate(language):
    look.use(language, "CNY")
    revenue, payments = [50.0] * 6 + [100.0] * 24, [40.0] * 6 + [90.0] * 21 + [60.0] * 3
    months = months_of(x=(revenue, payments), y=(revenue, payments))
    kept = months.copy()
    ax = pareto.plot_receivables(months, PERIOD, note="2026")
    lines = {line.get_label(): line.get_ydata().tolist() for line in ax.lines}
    assert lines[words.label("revenue")] == [200.0] * 24
    assert lines[words.label("payments")] == [180.0] * 21 + [120.0] * 3
    assert ax.get_ylim()[0] == 0
    title = " ".join(t.get_text() for t in ax.figure.texts).replace("\n", " ")
    assert words.say("receivables.months", rate="60 %", n=3) in title
    assert ax.get_xticklabels()[-1].get_text() == PERIOD
    assert ax.figure.alt_text
    pd.testing.assert_frame_equal(months, kept)


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_without_payments_nobody_owes_what_he_bought(language):
    look.use(language, "CNY")
    months = months_of(x=([100.0] * 12, [90.0] * 12)).assign(payments=np.nan)
    row = pareto.receivables(months, PERIOD).iloc[0]
    assert row["revenue"] == 1200
    assert row[collection.RESTS_ON_PAYMENTS].isna().all()
    assert row["status"] == "–"
    # a line at zero would say that nobody pays
    assert pareto.plot_receivables(months, PERIOD) is None
    assert collection.sentences(pareto.receivables(months, PERIOD)) == [], (
        "told once, by the classes' basis"
    )


@pytest.mark.parametrize("n", [1, 2, 3, 5, 7, 8, 11, 12, 13, 25])
def test_a_short_history_is_not_scaled_to_a_year_and_nobody_is_called_a_payer(n):
    stops = judged(x=([100.0] * n, [90.0] * max(n - 3, 0) + [0.0] * min(n, 3)))
    row = stops.loc["x"]
    # October, and September …
    days = {1: 31, 2: 61, 3: 92, 5: 153, 7: 214, 8: 245, 11: 335}.get(n, 365)
    bought = 100.0 * min(n, 12)
    assert row["revenue"] == bought
    assert row["dso_days"] == pytest.approx(row["balance"] / bought * days)
    if n <= 3:
        assert math.isnan(row["usual_payments"]), "there was no time before these"
    else:
        assert row["usual_payments"] == pytest.approx(
            270
        )  # of three known months, however many they are
    assert row["status"] == ("–" if n < 8 else "stopped_paying")
    assert pareto.is_told(stops.reset_index()) == (n >= 8)
    told = [] if n >= 8 else [words.say("receivables.too_short", n=8)]
    assert collection.sentences(stops.reset_index()) == told
    months = months_of(x=([100.0] * n, [90.0] * n))
    title = " ".join(t.get_text() for t in pareto.plot_receivables(months, PERIOD).figure.texts)
    assert words.say("receivables.months", n=min(n, 3), rate="90 %") in title.replace("\n", " ")


def test_days_outstanding_are_over_the_days_that_are_known():
    months = months_of(x=([100.0] * 3, [0.0] * 3))
    assert pareto.receivables(months, PERIOD, 64)["dso_days"].tolist() == [64.0], (
        "all of 64 days is unpaid"
    )
    assert pareto.receivables(months, PERIOD)["dso_days"].tolist() == [92.0]


def test_a_window_without_sales_has_no_rate():
    months = months_of(x=([0.0] * 12, [10.0] * 12))
    text = " ".join(t.get_text() for t in pareto.plot_receivables(months, PERIOD).figure.texts)
    assert "nan" not in text and "–" not in text.split("\n")[0]
    assert words.money(30.0) in text


def test_input_is_not_mutated():
    months = months_of(x=([100.0] * 12, [95.0] * 9 + [0.0] * 3))
    kept = months.copy()
    rows = pareto.receivables(months, PERIOD)
    rows_kept = rows.copy()
    pareto.overdue(rows, pd.DataFrame({"dealer_id": ["x"], "dealer_name": ["X"]}))
    pd.testing.assert_frame_equal(months, kept)
    pd.testing.assert_frame_equal(rows, rows_kept)
