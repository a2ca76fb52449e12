"""How often each dealer orders, against plain Python over the lines."""

import datetime as dt
import itertools
import statistics
from collections import defaultdict
from decimal import Decimal

import pandas as pd
import pytest

from conftest import network_rows
from helpers import data

PERIOD = "2026-10"


def test_gaps_are_those_between_days_with_an_order(make_book):
    rows = network_rows(seed=3, n_dealers=12, n_lines=900)
    for row in rows["sell_in"]:
        row["order_id"] = None
        row["revenue"] = abs(row["revenue"])  # returns are a matter of `order_days`, tested there
    book = make_book(**rows)
    brands = {row["product_id"]: row.get("brand") for row in rows.get("products", [])}
    days = defaultdict(set)
    for row in rows["sell_in"]:
        brand = row.get("brand") if "brand" in row else brands.get(row.get("product_id"))
        inside = dt.date(2024, 5, 1) <= row["date"] <= dt.date(2026, 10, 31)
        if row["dealer_id"] and inside and row["revenue"] > 0 and brand == book.brand:
            days[row["dealer_id"]].add(row["date"])
    found = data.order_rhythm(book, PERIOD).set_index("dealer_id")
    assert set(found.index) == set(days) and len(days) > 5
    for dealer, his in days.items():
        his = sorted(his)
        gaps = [(b - a).days for a, b in itertools.pairwise(his)]
        row = found.loc[dealer]
        assert row["n_orders"] == len(his)
        assert (row["first_order_date"].date(), row["last_order_date"].date()) == (his[0], his[-1])
        if gaps:
            assert row["mean_gap_days"] == pytest.approx(statistics.mean(gaps))
            assert row["longest_gap_days"] == max(gaps)
        if len(gaps) > 1:
            assert row["gap_spread_days"] == pytest.approx(statistics.stdev(gaps))


def test_one_order_has_no_gap_and_no_sell_in_no_rhythm(make_book):
    line = {"dealer_id": "1", "date": dt.date(2026, 3, 4), "revenue": Decimal("5.00")}
    row = data.order_rhythm(make_book(brand="", sell_in=[line]), PERIOD).iloc[0]
    assert row["n_orders"] == 1
    assert row[["mean_gap_days", "gap_spread_days", "longest_gap_days"]].isna().all()


def test_without_sell_in_there_are_no_rows(make_book):
    sold = {"date": dt.date(2026, 3, 4), "amount": Decimal("5.00"), "dealer_id": "1"}
    empty = data.order_rhythm(make_book(brand="", sell_out=[sold]), PERIOD)
    assert empty.empty and pd.api.types.is_datetime64_any_dtype(empty["last_order_date"])
