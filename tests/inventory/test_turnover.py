"""Turnover: stock set against what was sold, by hand, and what must hold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import inventory, words
from helpers.inventory import turnover

pytestmark = pytest.mark.usefixtures("looks")

END = pd.Timestamp("2026-10-31")


def aged(*rows) -> pd.DataFrame:
    """Lay out layers of (dealer, model, days old, pieces, cost)."""
    columns = ["dealer_id", "product_id", "days", "quantity", "unit_cost"]
    layers = pd.DataFrame(rows, columns=columns).astype({"quantity": float, "unit_cost": float})
    layers["received_date"] = END - pd.to_timedelta(layers.pop("days"), unit="D")
    return inventory.aged(layers, END)


def flows(*rows, **more) -> pd.DataFrame:
    """Lay out flows of (dealer, model, sold in the year, sold in 90 days)."""
    table = pd.DataFrame(rows, columns=["dealer_id", "product_id", "sold", "sold_90d"])
    return table.astype({"sold": float, "sold_90d": float}).assign(last_sold_date=pd.NaT, **more)


def test_pace_turn_and_sell_through_by_hand():
    stock = aged(("d", "p", 10, 6, 100), ("d", "q", 10, 10, 20))  # 800
    sold = flows(("d", "p", 30, 9), ("d", "q", 0, 0))
    row = turnover.turnover(turnover.stock_and_sales(stock, sold), "dealer_id").loc["d"]
    # 9 pieces × 100 went in 90 days
    assert row["days_sales_of_inventory"] == pytest.approx(800 / 900 * 90)
    assert row["stock_turn"] == pytest.approx(365 / 80)
    assert row["sell_through_rate"] == pytest.approx(30 / 46)


def test_without_sales_there_is_no_pace_and_nothing_is_divided_by_zero():
    pairs = turnover.stock_and_sales(aged(("d", "p", 10, 6, 100)), flows(("d", "p", 0, 0)))
    row = turnover.turnover(pairs, "dealer_id").loc["d"]
    assert np.isnan(row["days_sales_of_inventory"])
    assert row["stock_turn"] == 0  # it turns not at all
    assert row["sell_through_rate"] == 0


def test_more_brought_back_than_sold_is_no_sale():
    pairs = turnover.stock_and_sales(aged(("d", "p", 10, 6, 100)), flows(("d", "p", -2, -1)))
    row = turnover.turnover(pairs, "dealer_id").loc["d"]
    assert np.isnan(row["days_sales_of_inventory"])
    assert row["sell_through_rate"] == 0


def test_a_model_that_flows_do_not_name_was_not_sold_but_an_unknown_dealer_is_unknown():
    stock = aged(("d", "p", 10, 6, 100), ("d", "q", 10, 1, 50), ("silent", "p", 10, 5, 100))
    pairs = turnover.stock_and_sales(stock, flows(("d", "p", 9, 9))).set_index(
        ["dealer_id", "product_id"]
    )
    assert pairs.loc[("d", "q"), "sold_90d"] == 0
    assert np.isnan(pairs.loc[("silent", "p"), "sold_90d"])
    rows = turnover.turnover(pairs.reset_index().assign(all="all"), "all")
    # only the stock of dealers whose sales are known is set against sales
    assert rows.loc["all", "days_sales_of_inventory"] == pytest.approx(650 / 900 * 90)


def test_sales_that_nobody_tells_are_unknown():
    pairs = turnover.stock_and_sales(
        aged(("d", "p", 10, 6, 100)), flows(("d", "p", None, None), ("d", "q", None, None))
    )
    assert pairs[["sold", "sold_90d"]].isna().all(axis=None)
    assert turnover.turnover(pairs, "dealer_id").isna().all(axis=None)


def test_a_record_of_a_month_says_nothing_of_ninety_days():
    pairs = turnover.stock_and_sales(
        aged(("d", "p", 10, 6, 100)), flows(("d", "p", 9, 9), n_days=31)
    )
    assert pairs["sold_90d"].isna().all()
    assert pairs["sold"].tolist() == [9]
    long = turnover.stock_and_sales(
        aged(("d", "p", 10, 6, 100)), flows(("d", "p", 9, 9), n_days=92)
    )
    assert long["sold_90d"].tolist() == [9]


def test_what_is_sold_out_is_costed_as_with_the_others():
    stock = aged(("d", "p", 10, 1, 100), ("e", "q", 10, 3, 10), ("f", "q", 10, 1, 50))
    pairs = turnover.stock_and_sales(stock, flows(("d", "q", 9, 9))).set_index(
        ["dealer_id", "product_id"]
    )
    # quantity, value, sold, sold_90d, (30 + 50) ÷ 4
    assert pairs.loc[("d", "q")].tolist() == [0, 0, 9, 9, 20]


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from("pqr"),
            st.integers(0, 400),
            st.integers(1, 50),
            st.integers(1, 900),
        ),
        min_size=1,
        max_size=20,
    ),
    st.dictionaries(
        st.tuples(st.sampled_from("abc"), st.sampled_from("pqr")), st.integers(0, 90), max_size=9
    ),
    st.sampled_from([2, 10, 1000]),
)
def test_turn_is_a_years_days_over_days_and_the_unit_of_money_is_nothing(layers, sold, factor):
    stock, went = aged(*layers), flows(*((*pair, n * 4, n) for pair, n in sold.items()))
    rows = turnover.turnover(turnover.stock_and_sales(stock, went), "dealer_id")
    known = rows["days_sales_of_inventory"] > 0
    assert (
        (rows["stock_turn"][known] * rows["days_sales_of_inventory"][known]).round(6).eq(365).all()
    )
    assert rows["sell_through_rate"].dropna().between(0, 1).all()
    dearer = aged(*((d, p, age, n, cost * factor) for d, p, age, n, cost in layers))
    same = turnover.turnover(turnover.stock_and_sales(dearer, went), "dealer_id")
    pd.testing.assert_frame_equal(same, rows)
    shuffled = turnover.stock_and_sales(
        stock.sample(frac=1, random_state=1), went.sample(frac=1, random_state=2)
    )
    pd.testing.assert_frame_equal(turnover.turnover(shuffled, "dealer_id"), rows)


def test_the_plot_shows_every_dealer_with_a_pace_and_marks_the_dead():
    stock = pd.DataFrame(
        {
            "dealer_id": ["a", "b", "c"],
            "value": [100.0, 900.0, 5.0],
            "dead_share": [0.0, 0.7, 0.0],
            "days_sales_of_inventory": [30.0, 200.0, np.nan],
        }
    )
    kept = stock.copy()
    ax = inventory.plot_days_of_sales(stock, note="s")
    calm, red = (points.get_offsets().data.tolist() for points in ax.collections)
    assert (calm, red) == ([[100, 30]], [[900, 200]])
    assert "1 of 2 dealers has more than 90 days" in ax.figure.alt_text
    pd.testing.assert_frame_equal(stock, kept)
    silent = inventory.plot_days_of_sales(stock.assign(days_sales_of_inventory=np.nan))
    assert silent.figure.alt_text == words.say("inventory.no_pace", days=90)
    assert inventory.plot_days_of_sales(stock.head(0)).figure.alt_text == words.say(
        "inventory.no_stock"
    )
