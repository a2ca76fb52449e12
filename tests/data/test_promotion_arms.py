"""What consumers bought around a promotion, against a slow walk through the same receipts."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import promotions
from helpers import data
from helpers.data import uplift

PERIOD = "2026-10"


@pytest.fixture(scope="module")
def drawn() -> tuple[pd.DataFrame, dict[str, set], pd.DataFrame]:
    draw = np.random.default_rng(5)
    bought = promotions.purchases(draw, 200)
    back = bought.sample(20, random_state=1).assign(amount=lambda rows: -rows["amount"])
    bought = pd.concat([bought, back], ignore_index=True)
    plans = promotions.plan_rows([300, 450, 460, 880], 12, "random")
    letters = {
        name: set(draw.choice(200, 40, replace=False).tolist()) for name in plans["promotion_id"]
    }
    return bought, letters, plans


def given_tables(drawn, **changed) -> dict[str, list[dict]]:
    bought, letters, plans = drawn
    sent = dict(zip(plans["promotion_id"], plans["first_date"], strict=True))
    lines = [
        {
            "dealer_id": "1",
            "date": (promotions.FIRST + pd.Timedelta(days=row.day)).date(),
            "amount": Decimal(f"{row.amount:.2f}"),
            "consumer_id": f"C{row.consumer:03d}",
        }
        for row in bought.itertuples()
    ]
    # so that the history reaches from the first day to the last
    lines += [
        {"dealer_id": "1", "date": day, "amount": Decimal(1), "consumer_id": None}
        for day in (promotions.FIRST.date(), dt.date(2026, 10, 31))
    ]
    return {
        "sell_out": lines,
        "promotions": [
            {
                "promotion_id": plan.promotion_id,
                "start_date": (plan.start_date + pd.Timedelta(days=2)).date(),
                "end_date": plan.end_date.date(),
                "assignment": plan.assignment,
                "cost": Decimal("12.50"),
            }
            for plan in plans.itertuples()
        ],
        "contacts": [
            {"consumer_id": f"C{who:03d}", "promotion_id": name, "sent_date": sent[name].date()}
            for name, told in letters.items()
            for who in sorted(told)
        ],
    } | changed


def test_both_sides_are_summed_up_as_a_slow_walk_does(make_book, drawn):
    book = make_book(**given_tables(drawn))
    plans = data.promotion_plans(book, PERIOD)
    # the letter goes out two days before the promotion begins; the last one ends within the data
    assert plans["first_date"].tolist() == drawn[2]["first_date"].tolist()
    assert plans["cost"].tolist() == [12.5] * 4 and plans["name"].isna().all()
    ours = data.promotion_arms(book, PERIOD).set_index(["promotion_id", "is_contacted"])
    slow = promotions.arms_of(*drawn).set_index(["promotion_id", "is_contacted"])
    assert ours["n_consumers"].min() > 10
    pd.testing.assert_frame_equal(
        ours.astype("float64"), slow[ours.columns].astype("float64"), rtol=1e-9
    )


@pytest.mark.parametrize("left_out", ["contacts", "promotions"])
def test_without_a_table_nothing_is_known(make_book, drawn, left_out):
    tables = given_tables(drawn)
    del tables[left_out]
    book = make_book(**tables)
    assert data.promotion_plans(book, PERIOD).empty and data.promotion_arms(book, PERIOD).empty
    assert list(data.promotion_arms(book, PERIOD)) == uplift.ARMS


def test_without_a_day_of_sending_the_first_day_of_the_promotion_counts(make_book, drawn):
    tables = given_tables(drawn)
    tables["contacts"] = [
        {"consumer_id": row["consumer_id"], "promotion_id": row["promotion_id"]}
        for row in tables["contacts"]
    ]
    plans = data.promotion_plans(make_book(**tables), PERIOD)
    assert len(plans) == 4 and plans["first_date"].equals(plans["start_date"])


def test_a_promotion_without_days_or_room_before_it_is_left_out(make_book, drawn):
    tables = given_tables(drawn)
    tables["promotions"][0]["end_date"] = None
    tables["promotions"][1]["end_date"] = dt.date(2026, 11, 5)
    book = make_book(**tables)
    # of the third the two windows before lie within the data, of the fourth too
    assert data.promotion_plans(book, PERIOD)["promotion_id"].tolist() == ["M02", "M03"]
    early = [{**row, "sent_date": dt.date(2024, 5, 20)} for row in tables["contacts"]]
    assert data.promotion_plans(
        make_book(**tables | {"contacts": early}, name="early"), PERIOD
    ).empty
