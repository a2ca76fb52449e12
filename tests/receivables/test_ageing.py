"""Ageing, days of sales and effectiveness, each by hand; count-back against a walk day by day."""

from random import Random

import numpy as np
import pandas as pd
import pytest

from helpers.receivables import ageing, exposure, history

DAY = pd.Timestamp("2026-10-31")


def items_of(*rows: tuple) -> pd.DataFrame:
    """Lay out open items as (dealer, days since the invoice, days past the due date, cents)."""
    table = pd.DataFrame(rows, columns=["dealer_id", "since", "past", "open_cents"])
    days = {"date": table["since"], "due_date": table["past"].astype("float64")}
    days = {
        c: (DAY - pd.to_timedelta(d, unit="D")).astype("datetime64[s]") for c, d in days.items()
    }
    return table.assign(**days, document_id=None).drop(columns=["since", "past"])


@pytest.mark.parametrize(
    ("past", "bucket"),
    [
        (-20, "not_due"),
        (0, "not_due"),  # it is due today: not yet late
        (1, "age_1_30"),
        (30, "age_1_30"),
        (31, "age_31_60"),
        (60, "age_31_60"),
        (61, "age_61_90"),
        (90, "age_61_90"),
        (91, "age_over_90"),
        (5_000, "age_over_90"),
    ],
)
def test_buckets_by_due_date(past, bucket):
    aged = ageing.aged_items(items_of(("x", past + 20, past, 1)), pd.Series(dtype="float64"), DAY)
    assert aged[["basis", "age_days", "bucket"]].iloc[0].tolist() == ["due", past, bucket]


@pytest.mark.parametrize(
    ("since", "past", "terms", "basis", "age"),
    [
        (100, 10, 30, "due", 10),  # the invoice's own date wins over the terms
        (100, None, 30, "due", 70),
        (100, None, None, "invoice", 100),
        (100, None, 0, "due", 100),  # due at once, which is known
        (100, None, -5, "invoice", 100),  # no term of payment
        (100, None, 1e9, "invoice", 100),
    ],
)
def test_what_age_is_counted_from(since, past, terms, basis, age):
    known = pd.Series({"x": terms}, dtype="float64")
    aged = ageing.aged_items(items_of(("x", since, past, 1)), known, DAY)
    assert aged[["basis", "age_days"]].iloc[0].tolist() == [basis, age]


def test_nothing_is_not_due_or_overdue_where_no_due_date_is_known():
    aged = ageing.aged_items(
        items_of(("x", 0, None, 5), ("x", 200, None, 7)), pd.Series(dtype="float64"), DAY
    )
    row = ageing.dealer_ageing(aged, pd.Series(dtype="int64")).loc["x"]
    assert row["not_due"] == 0 and row["age_1_30"] == 5 and row["age_over_90"] == 7
    assert row["overdue_amount"] == 0 and np.isnan(row["past_due_days"]) and row["n_dated"] == 0


def test_a_dealers_parts_by_hand():
    items = items_of(
        ("x", 10, -20, 100), ("x", 40, 10, 200), ("x", 80, 50, 400), ("x", 150, 120, 800)
    )
    aged = ageing.aged_items(items, pd.Series(dtype="float64"), DAY)
    row = ageing.dealer_ageing(aged, pd.Series({"y": 50})).loc["x"]
    assert row[list(ageing.PARTS)].tolist() == [100, 200, 400, 0, 800, 0]
    assert row["balance"] == 1_500 and row["overdue_amount"] == 1_400
    assert row["past_due_days"] == 120 and row["oldest_date"] == DAY - pd.Timedelta(days=150)
    ahead = ageing.dealer_ageing(aged, pd.Series({"y": 50})).loc["y"]
    assert ahead["balance"] == ahead["credit_balance"] == -50


def test_the_network_keeps_the_two_ways_of_counting_apart():
    items = items_of(("x", 10, -20, 100), ("y", 10, None, 30), ("z", 10, None, 3))
    aged = ageing.aged_items(items, pd.Series(dtype="float64"), DAY)
    rows = ageing.network_ageing(aged, pd.Series({"w": 9}))
    assert rows.to_numpy().tolist() == [
        ["due", "not_due", 1, 100],
        ["invoice", "age_1_30", 2, 33],
        ["–", "credit_balance", 1, -9],
    ]


# ---- days of sales -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("balance", "days"),
    [
        (0, 0),
        (-50, 0),
        (50, 15.5),  # half of October
        (100, 31),
        (250, 31 + 30 * 150 / 200),
        (300, 61),
        (301, np.nan),  # more than all that is known to have been sold
    ],
)
def test_count_back_uses_up_month_after_month(balance, days):
    found = ageing.count_back_days(
        np.array([float(balance)]), np.array([[100.0, 200.0]]), np.array([31, 30])
    )
    np.testing.assert_allclose(found, [days])


def test_count_back_passes_over_a_month_of_returns():
    found = ageing.count_back_days(
        np.array([150.0]), np.array([[100.0, -40.0, 100.0]]), np.array([31, 30, 31])
    )
    np.testing.assert_allclose(found, [31 + 30 + 15.5])


def test_count_back_is_what_a_walk_by_days_gives():
    random = Random(3)
    n_days = np.array([random.randint(28, 31) for _ in range(24)])
    sales = np.array(
        [[random.choice((0, 1, 5)) * random.random() for _ in n_days] for _ in range(50)]
    )
    owed = np.array([random.random() * row.sum() * 0.95 for row in sales])
    for balance, months, found in zip(
        owed, sales, ageing.count_back_days(owed, sales, n_days), strict=True
    ):
        days, left = 0.0, balance
        for sold, length in zip(months, n_days, strict=True):
            for _ in range(length):
                if left > 1e-12:
                    part = sold / length
                    days += 1 if part <= left else left / part
                    left -= min(part, left)
        assert found == pytest.approx(days, abs=1e-6)


def test_a_season_that_is_over_does_not_count_in_count_back():
    """The simple figure takes the year's mean: after the season it says less, in it more."""
    sales = np.array([[10.0] * 6 + [90.0] * 6])
    back = ageing.count_back_days(np.array([60.0]), sales, np.full(12, 30))[0]
    simple = ageing.days_sales_outstanding(pd.Series([60.0]), pd.Series([600.0]), 360)
    assert back == 180 and simple.tolist() == [36]


def test_simple_days_sales_outstanding():
    balance, billed = pd.Series([100.0, -5.0, 7.0]), pd.Series([400.0, 10.0, 0.0])
    found = ageing.days_sales_outstanding(balance, billed, 64).tolist()
    assert found[:2] == [16.0, 0.0] and np.isnan(found[2])


# ---- collection ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opening", "billed", "closing", "current", "index"),
    [
        (100, 300, 120, 80, 0.875),  # 280 of 320
        (100, 300, 80, 80, 1.0),  # nothing is overdue
        (100, 300, 400, 0, 0.0),  # nothing came
        (0, 80, 80, 80, np.nan),  # nothing could have come
    ],
)
def test_collection_effectiveness_by_hand(opening, billed, closing, current, index):
    found = ageing.collection_effectiveness(
        *(pd.Series([float(x)]) for x in (opening, billed, closing, current))
    )
    np.testing.assert_allclose(found, [index])


# ---- exposure ------------------------------------------------------------------------------------


def test_supply_stops_over_the_limit_or_long_past_due_and_only_there():
    items = items_of(
        ("over", 10, -20, 15_000),
        ("late", 200, 91, 4_000),
        ("both", 200, 91, 9_000),
        ("nearly", 200, 90, 9_000),
        ("at the limit", 10, -20, 10_000),
        ("no limit", 500, None, 99_000),
        ("on no credit", 10, -20, 100),
    )
    aged = ageing.aged_items(items, pd.Series(dtype="float64"), DAY)
    owed = ageing.dealer_ageing(aged, pd.Series(dtype="int64")).reset_index()
    limits = {"over": 100.0, "both": 50.0, "at the limit": 100.0, "nearly": 90.0, "on no credit": 0}
    owed = owed.assign(credit_limit=owed["dealer_id"].map(limits), status="paying")
    rows = exposure.stop_supply(owed, aged, stop_days=90).set_index("dealer_id")
    assert rows["stop_reason"].to_dict() == {
        "both": "over_limit_and_overdue",
        "over": "over_limit",
        "late": "long_overdue",
        "on no credit": "over_limit",
    }
    assert rows.loc["both", ["over_limit_amount", "long_overdue_amount"]].tolist() == [40.0, 90.0]
    assert rows.loc["over", "over_limit_amount"] == 50.0
    assert exposure.stop_supply(owed, aged, stop_days=89)["dealer_id"].tolist().count("nearly") == 1


def test_a_leap_year_has_its_days():
    assert history.month_days([f"2024-{m:02d}" for m in range(1, 13)]).sum() == 366
