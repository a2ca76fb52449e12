"""What each month came to: summed in the engine as plain Python sums it up."""

from collections import defaultdict
from decimal import Decimal

import numpy as np
import pytest

from conftest import BRAND
from helpers import data, periods


def sums_of(rows: list[dict], column: str, ours: bool) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        if not ours or row["brand"] == BRAND:
            found[f"{row['date']:%Y-%m}"] += row[column]
    return found


def test_months_hold_lines_of_nobody_and_no_gap(make_book, network):
    found = data.network_months(make_book(**network), "2026-10").set_index("month")
    assert found.index.tolist() == periods.month_range("2026-10", len(found))
    revenue = sums_of(network["sell_in"], "revenue", ours=True)
    paid = sums_of(network["payments"], "amount", ours=False)
    for month in found.index:
        assert found.loc[month, "revenue"] == float(revenue[month])
        assert found.loc[month, "payments"] == float(paid[month])


def test_payments_are_unknown_before_the_first(make_book, network):
    late = [row for row in network["payments"] if f"{row['date']}" >= "2026-03"]
    book = make_book(**network | {"payments": late})
    found = data.network_months(book, "2026-10").set_index("month")["payments"]
    assert found["2026-03":].notna().all() and found[:"2026-02"].isna().all()
    spans = data.dealer_spans(book, "2026-10").groupby(["span", "side"])["payments"].count()
    assert spans[("month", "now")] > 0 and spans[("year_to_date", "now")] == 0


def test_what_has_no_column_is_unknown(make_book, network):
    bare = [{c: row[c] for c in ("dealer_id", "date", "revenue")} for row in network["sell_in"]]
    found = data.network_months(make_book(sell_in=bare, brand=""), "2026-10")
    assert found[["gross_profit", "covered_revenue", "payments"]].isna().all(axis=None)


def test_spans_end_a_year_apart(small):
    rows = data.dealer_spans(small, "2026-10").set_index(["span", "side", "dealer_id"])["revenue"]
    assert rows[("month", "now", "001")] == 100.1
    assert rows[("year_to_date", "base", "002")] == pytest.approx(2 * 100.1 * 10)
    assert np.isclose(rows[("year_to_date", "now", "008")], 800.8)
