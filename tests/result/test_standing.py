"""Standing: the same months on both sides, a target with its own dealers, silence where nothing is
known.
"""

import numpy as np
import pandas as pd
import pytest

from helpers.data import levels
from helpers.periods import month_range
from helpers.result import standing

PERIOD = "2026-03"


def months(n: int = 27, **given) -> pd.DataFrame:
    """Lay out n months: revenue 100, 101, …; a tenth is gross profit, all of it has a cost."""
    revenue = 100.0 + np.arange(n)
    rows = pd.DataFrame({"month": month_range(PERIOD, n), "revenue": revenue})
    rows = rows.assign(gross_profit=revenue / 10, covered_revenue=revenue, payments=revenue - 1)
    return rows.assign(**given)


def targets(*rows: tuple) -> pd.DataFrame:
    columns = ["month", "region", "account_manager", "dealer_id", "revenue"]
    return levels.named(pd.DataFrame(rows, columns=columns))


NONE = targets()


def row(found: pd.DataFrame, span: str, indicator: str = "revenue") -> pd.Series:
    return found.set_index(["span", "indicator"]).loc[(span, indicator)]


def test_a_span_stands_beside_the_same_months_a_year_before():
    found = row(standing.standing(months(), NONE, PERIOD), "year_to_date")
    assert (found["actual"], found["previous_actual"]) == (124 + 125 + 126, 112 + 113 + 114)
    assert found["yoy_rate"] == pytest.approx(375 / 339 - 1)
    assert np.isnan(found["target"])


def test_only_the_networks_own_targets_of_every_month_count():
    year = [(f"2026-0{m}", None, None, None, 200.0) for m in (1, 2, 3)]
    more = [("2026-03", "East", None, None, 999.0)]
    found = standing.standing(months(), targets(*year, *more), PERIOD)
    assert row(found, "month")["target"] == 200
    assert row(found, "year_to_date")["reached_rate"] == pytest.approx(375 / 600)
    found = standing.standing(months(), targets(*year[1:], *more), PERIOD)
    assert np.isnan(row(found, "year_to_date")["target"])


def test_nothing_is_compared_with_what_is_not_known():
    found = standing.standing(months(14), NONE, PERIOD)
    assert row(found, "month")["previous_actual"] == 101
    assert np.isnan(row(found, "year_to_date")["yoy_rate"])
    refunds = months(revenue=-5.0, covered_revenue=-5.0)
    assert np.isnan(row(standing.standing(refunds, NONE, PERIOD), "month")["yoy_rate"])


def test_gross_profit_of_a_part_is_not_the_wholes():
    covered = months().assign(covered_revenue=lambda rows: rows["revenue"] / 2)
    found = row(standing.standing(covered, NONE, PERIOD), "month", "gross_profit")
    assert np.isnan(found["actual"])
    margin = standing.margins(covered, PERIOD).set_index("span").loc["month"]
    assert margin["gross_margin_rate"] == pytest.approx(0.2)
    assert margin["cover_share"] == pytest.approx(0.5)


SPANS = pd.DataFrame(
    [
        ("month", "now", "a", 100.0),
        ("month", "now", "b", 50.0),
        ("month", "now", "x", 7.0),
        ("month", "base", "a", 80.0),
        ("month", "base", "c", 20.0),
    ],
    columns=["span", "side", "dealer_id", "revenue"],
).assign(gross_profit=np.nan, covered_revenue=np.nan, payments=np.nan)
DEALERS = pd.DataFrame(
    {
        "dealer_id": ["a", "b", "c"],
        "region": ["East", "East", "West"],
        "account_manager": [None, None, None],
    },
    dtype="str",
)


def test_places_are_sums_of_their_dealers():
    aims = targets(("2026-03", "East", None, None, 120.0))
    found = standing.group_table(SPANS, DEALERS, aims, PERIOD).set_index("part")
    assert set(found["cut"]) == {"region"}
    east = found.loc["East"]
    assert (east["n_dealers"], east["revenue"], east["previous_revenue"]) == (2, 150, 80)
    assert east["reached_rate"] == pytest.approx(1.25)
    # who bought nothing now bought for nothing; nobody's place is named so
    assert found.loc["West", "revenue"] == 0 and found.loc["West", "yoy_rate"] == -1
    assert found.loc["not_stated", "revenue"] == 7
    assert found["revenue"].sum() == SPANS[SPANS["side"] == "now"]["revenue"].sum()


def test_a_place_that_has_only_a_past_is_kept():
    found = standing.group_table(SPANS[SPANS["side"] == "base"], DEALERS, NONE, PERIOD)
    told = found.set_index("part")[["revenue", "previous_revenue", "n_dealers"]]
    assert told.loc["East"].tolist() == [0, 80, 0] and told.loc["West"].tolist() == [0, 20, 0]


def test_a_level_is_compared_with_itself_only():
    aims = targets(
        ("2026-03", "East", None, None, 120.0),
        ("2026-03", "East", None, "a", 200.0),
        ("2026-03", None, None, None, 1.0),
    )
    found = standing.reached_table(SPANS, DEALERS, aims, PERIOD)
    told = found.set_index(["cut", "part"])[["actual", "target"]]
    assert told.loc[("region", "East")].tolist() == [150, 120]
    assert told.loc[("dealer", "a")].tolist() == [100, 200]
    sums = standing.level_sums(found).set_index("cut")["reached_rate"]
    assert sums.to_dict() == {"dealer": 0.5, "region": 1.25}


def test_inputs_are_left_as_they_are():
    before = SPANS.copy(), DEALERS.copy()
    standing.group_table(SPANS, DEALERS, NONE, PERIOD)
    pd.testing.assert_frame_equal(SPANS, before[0])
    pd.testing.assert_frame_equal(DEALERS, before[1])
