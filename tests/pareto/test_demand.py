"""Whose demand is regular: by hand, a season counted out in plain loops, and what is too short."""

import math

import numpy as np
import pandas as pd
import pytest

from helpers import pareto, periods, words
from helpers.pareto import demand

pytestmark = pytest.mark.usefixtures("looks")
FLAT = [1e13] * 36  # a network so large and even that its index is 1, whoever else buys
SEASON = 1 + 0.8 * np.sin(np.arange(48) * math.pi / 6)


def months_of(**revenue: list[float]) -> pd.DataFrame:
    """Spell out monthly revenue up to 2026-10; None is a month without a line."""
    rows = [
        (dealer, month, amount)
        for dealer, amounts in revenue.items()
        for month, amount in zip(periods.month_range("2026-10", len(amounts)), amounts, strict=True)
        if amount is not None
    ]
    return pd.DataFrame(rows, columns=["dealer_id", "month", "revenue"])


@pytest.mark.parametrize(
    ("amounts", "variation", "letter"),
    [
        ([100.0] * 12, 0.0, "X"),
        ([50.0, 150.0] * 6, 0.5, "Y"),  # deviation 50 of a mean of 100: the cut itself is Y
        ([200.0, 0.0] * 6, 1.0, "Z"),
        ([1200.0, *[None] * 11], math.sqrt(11), "Z"),  # months without a purchase count as zero
        ([None] * 6 + [10.0] * 6, 0.0, "X"),  # … but those before the first do not
        ([None] * 5 + [-5.0] + [10.0] * 6, 0.0, "X"),  # a return is no first purchase
        ([None] * 7 + [10.0] * 5, math.nan, "–"),  # five months are too short to tell
        ([-5.0] * 12, math.nan, "–"),
        ([10.0] + [None] * 13, math.nan, "–"),  # bought before the window, nothing in it
    ],
)
def test_demand_variability_by_hand(amounts, variation, letter):
    months = months_of(x=amounts, other=FLAT)
    kept = months.copy()
    found = demand.demand_variability(months, "2026-10").set_index("dealer_id")
    pd.testing.assert_frame_equal(months, kept)
    if "x" not in found.index:
        assert letter == "–"  # without a line in the window he is not judged at all
        return
    assert found.loc["x", "variability"] == letter
    assert found.loc["x", "variation"] == pytest.approx(variation, nan_ok=True, abs=1e-6)


def test_demand_before_the_window_only_tells_since_when_he_buys():
    # bought once two and more months before the window
    months = months_of(x=[100.0, *[None] * 11, *[100.0] * 3], other=FLAT)
    found = demand.demand_variability(months, "2026-10").set_index("dealer_id")
    # three of twelve: mean 25, deviation 43.3
    assert found.loc["x", "variation"] == pytest.approx(math.sqrt(3), rel=1e-6)


def test_the_season_counted_out_month_by_month():
    line = SEASON * np.linspace(100, 180, 48) * np.random.default_rng(1).normal(1, 0.05, 48)
    found = demand.season_index(months_of(x=list(line)), "2026-10")
    ratios = {f"{month:02d}": [] for month in range(1, 13)}
    for i in range(6, 42):  # the year around a month counts its outer halves
        usual = (line[i - 6] / 2 + sum(line[i - 5 : i + 6]) + line[i + 6] / 2) / 12
        ratios[periods.month_range("2026-10", 48)[i][5:]].append(line[i] / usual)
    means = {month: sum(r) / len(r) for month, r in ratios.items()}
    for month, mean in means.items():
        assert found[month] == pytest.approx(mean / (sum(means.values()) / 12), rel=1e-12)


def test_a_seasonal_dealer_is_as_regular_as_his_season_lets_him_be():
    """Twenty dealers of one season and 5 % of chance: with it they are Y, without it X."""
    rng = np.random.default_rng(2)
    network = {f"d{i}": list(100 * SEASON * rng.normal(1, 0.05, 48)) for i in range(20)}
    months = months_of(**network)
    raw = months[months["month"] > "2025-10"].groupby("dealer_id")["revenue"]
    assert (raw.std(ddof=0) / raw.mean()).min() > 0.5
    found = demand.demand_variability(months, "2026-10")
    assert (found["variability"] == "X").all() and found["variation"].max() < 0.1
    steady = demand.demand_variability(
        pd.concat([months, months_of(steady=[100.0] * 48)]), "2026-10"
    ).set_index("dealer_id")
    assert steady.loc["steady", "variation"] > 0.5, "who ignores the season is not regular by it"


@pytest.mark.parametrize("n", [1, 12, 23, 24])
def test_a_network_of_under_24_months_is_too_short_to_tell(n):
    months = months_of(a=[5.0] * n, b=[7.0] * n)
    season = demand.season_index(months, "2026-10")
    found = demand.demand_variability(months, "2026-10")
    assert season.empty == (n < 24) == (found["variability"] == "–").all()
    said = pareto.demand_sentences(found, season)
    assert (words.say("demand.no_season", least=24) in said) == (n < 24)


def test_how_many_are_too_short_to_tell_is_said():
    months = months_of(old=FLAT, young=[5.0] * 4)
    found, season = (f(months, "2026-10") for f in (demand.demand_variability, demand.season_index))
    assert words.say("demand.short", n=1, least=6) in pareto.demand_sentences(found, season)
    longer = demand.demand_variability(months, "2026-10", least_months=4)
    assert (longer["variability"] == "X").all()
    assert len(pareto.demand_sentences(longer, season, 4)) == 1


def test_a_calendar_month_without_sales_is_no_season():
    summer = [0.0 if i % 12 < 3 else 5.0 for i in range(48)]
    assert demand.season_index(months_of(a=summer), "2026-10").empty
    assert demand.season_index(months_of().astype({"revenue": float}), "2026-10").empty


def test_the_regularity_table_counts_every_dealer_of_the_page():
    found = pd.DataFrame({"dealer_id": ["a", "b"], "variability": ["X", "Z"]})
    judged = pd.DataFrame({"dealer_id": ["a", "b", "c"], "composite_class": ["A", "A", "A/B"]})
    table = pareto.regularity_table(judged, found).set_index("composite_class")
    assert table.loc["A"].tolist() == [1, 0, 1, 0]
    assert table.loc["A/B", "–"] == 1
    assert table.to_numpy().sum() == 3


def test_there_is_no_regularity_table_of_two_months():
    found = demand.demand_variability(months_of(a=[1.0, 2.0]), "2026-10")
    judged = pd.DataFrame({"dealer_id": ["a"], "composite_class": ["A"]})
    assert pareto.regularity_table(judged, found).empty
