"""Whose margin slips.

Spreads by hand, slopes against scipy, movements by hand, the planted ones on the demo.
"""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from scipy.stats import theilslopes

from helpers import periods, profit, words
from helpers.demo import build, network, trade
from helpers.profit import margins, slopes

pytestmark = pytest.mark.usefixtures("looks")

PERIOD = "2026-10"
FLAT = [0.16] * 12


def rows_of(**dealers: list[float]) -> pd.DataFrame:
    """Spell out margins per month up to the period at a revenue of 100.

    NaN is a month without a report.
    """
    rows = [
        (dealer, month, 100.0, 100 * rate)
        for dealer, rates in dealers.items()
        for month, rate in zip(periods.month_range(PERIOD, len(rates)), rates, strict=True)
        if not math.isnan(rate)
    ]
    return pd.DataFrame(rows, columns=["dealer_id", "month", "revenue", "earned"])


def trends(**dealers: list[float]) -> pd.DataFrame:
    return profit.margin_trends(rows_of(**dealers), PERIOD).set_index("dealer_id")


def falling(by: float, start: float = 0.16, n: int = 12) -> list[float]:
    """Fall evenly, by so much in a year."""
    return [start - by * i / 12 for i in range(n)]


def named(*ids: str) -> pd.DataFrame:
    rows = pd.DataFrame(
        {"dealer_id": list(ids), "dealer_name": [f"Shop {i}" for i in ids]}, dtype="str"
    )
    return rows.assign(region="North")


# ---- the spread ----------------------------------------------------------------------------------


def test_spread_by_hand():
    rows = pd.DataFrame(
        {
            "dealer_id": [*"abcde", "a", "x"],
            "month": ["2026-10"] * 5 + ["2026-09"] * 2,
            "revenue": [100.0, 100, 100, 100, 600, 50, 0],
            "earned": [10.0, 11, 12, 13, 120, 5, 9],
        }
    )
    found = profit.margin_spread(rows).set_index("month")
    assert found.index.tolist() == ["2026-09", "2026-10"]
    assert found["n_dealers"].tolist() == [1, 5]  # without revenue there is no margin
    last = found.loc["2026-10"]
    assert last["median_rate"] == 0.12
    assert last["weighted_rate"] == 166 / 1000
    assert last["low25_rate"] == pytest.approx(0.11)
    assert last["high75_rate"] == pytest.approx(0.13)
    assert last["low10_rate"] == pytest.approx(0.104)  # four tenths of the way from 0.10 to 0.11
    assert last["high90_rate"] == pytest.approx(0.172)


# ---- slopes --------------------------------------------------------------------------------------


def test_an_even_fall_by_hand():
    row = trends(a=FLAT + falling(0.03), b=FLAT * 2, c=FLAT * 2).loc["a"]
    assert row["slope_rate"] == pytest.approx(-0.03)
    # every pair has the same slope
    assert [row["low_rate"], row["high_rate"]] == pytest.approx([-0.03, -0.03])
    assert row["network_rate"] == pytest.approx(0, abs=1e-12)
    assert row["margin_rate"] == pytest.approx(0.16 - 0.03 * 5.5 / 12)
    assert row["previous_margin_rate"] == pytest.approx(0.16)
    assert row["movement"] == "slips"


@settings(max_examples=30)
@given(st.lists(st.one_of(st.just(math.nan), st.floats(0.05, 0.3)), min_size=12, max_size=12))
def test_slopes_like_scipy(rates):
    # distinct, for the variance of ties is left out here and not there
    rates = [rate + 1e-7 * (i * i % 13 + i) for i, rate in enumerate(rates)]
    known = [i for i, rate in enumerate(rates) if not math.isnan(rate)]
    found = trends(a=rates, b=FLAT).loc["a"] if known else None
    if len(known) < margins.MIN_MONTHS:
        assert found is None or (found["movement"] == "–" and math.isnan(found["slope_rate"]))
        return
    expected = theilslopes([rates[i] for i in known], known, 0.95)
    expected = [expected.slope, expected.low_slope, expected.high_slope]
    # of months that do not hang together; what is published is no narrower
    alone = slopes.sen_slopes(np.array([rates]), 0.0)
    assert [float(part[0]) for part in alone] == pytest.approx(expected, abs=1e-9)
    told = [found[c] / 12 for c in ("slope_rate", "low_rate", "high_rate")]
    assert told[0] == pytest.approx(expected[0], abs=1e-9)
    assert told[1] <= expected[1] + 1e-9 and told[2] >= expected[2] - 1e-9


@pytest.mark.parametrize(
    ("why", "rates", "movement"),
    [
        ("as ever", FLAT * 2, "steady"),
        ("six points within a year", FLAT + falling(0.06), "slips"),
        ("two points less than everybody", FLAT + falling(0.0201), "slips"),
        ("a little less than two points", FLAT + falling(0.0199), "steady"),
        ("one odd month", FLAT + FLAT[:-1] + [0.02], "steady"),
        ("two odd months", FLAT + FLAT[:-2] + [0.02, 0.02], "steady"),
        ("up and down, lower at the end", FLAT + [0.16, 0.22] * 5 + [0.10, 0.10], "steady"),
        ("breaks off in the middle of the year", FLAT + [0.16] * 6 + [0.10] * 6, "slips"),
        ("breaks off by less than four points", FLAT + [0.16] * 6 + [0.121] * 6, "steady"),
        ("broke off five months ago", FLAT + [0.16] * 7 + [0.10] * 5, "steady"),
        ("broke off, but the year before is not known", [0.16] * 6 + [0.10] * 6, "steady"),
        ("jumps up in the middle of the year", FLAT + [0.16] * 6 + [0.22] * 6, "recovers"),
        ("began the year well, ends as the year before", FLAT + falling(0.06, 0.20), "steady"),
        ("the year before is not known", falling(0.06), "slips"),
        ("seven months only", FLAT + [math.nan] * 5 + falling(0.06, n=7), "–"),
        ("eight months", FLAT + [math.nan] * 4 + falling(0.06, n=8), "slips"),
        ("six points up", FLAT + falling(-0.06), "recovers"),
        ("up again, to where it was", [0.25] * 12 + falling(-0.06), "steady"),
    ],
)
def test_movements_by_hand(why, rates, movement):
    others = {f"o{i}": FLAT * 2 for i in range(5)}
    assert trends(x=rates, **others).loc["x", "movement"] == movement, why


def test_a_break_is_measured_by_its_step():
    row = trends(x=FLAT + [0.16] * 6 + [0.10] * 6, **{f"o{i}": FLAT * 2 for i in range(5)}).loc["x"]
    assert row["step_rate"] == row["change_rate"] == pytest.approx(-0.06)
    # half of the pairs are level: a slope can't tell
    assert row["high_rate"] == pytest.approx(0, abs=1e-12)


def test_what_happens_to_everybody_is_no_slip():
    found = trends(**{f"d{i}": FLAT + falling(0.06) for i in range(9)}, x=FLAT + falling(0.09))
    assert found["movement"].value_counts().to_dict() == {"steady": 9, "slips": 1}
    assert found["network_rate"].unique() == pytest.approx([-0.06])


def test_who_falls_less_than_everybody_does_not_recover():
    found = trends(**{f"d{i}": FLAT + falling(0.06) for i in range(9)}, x=FLAT * 2)
    assert found.loc["x", "movement"] == "steady"


@settings(max_examples=15)
@given(
    st.lists(st.lists(st.floats(0.0, 0.4), min_size=24, max_size=24), min_size=2, max_size=5),
    st.integers(0, 99),
)
def test_scale_and_order_change_nothing(rates, seed):
    rows = rows_of(**{f"d{i}": r for i, r in enumerate(rates)})
    before = rows.copy()
    expected = profit.margin_trends(rows, PERIOD)
    assert_frame_equal(rows, before)
    scaled = rows.sample(frac=1, random_state=seed).assign(
        revenue=lambda r: r["revenue"] * 1024, earned=lambda r: r["earned"] * 1024
    )
    assert_frame_equal(profit.margin_trends(scaled, PERIOD), expected)


def test_nothing_in_nothing_out():
    nothing = rows_of(a=[])
    assert profit.margin_trends(nothing, PERIOD).empty
    assert profit.margin_spread(nothing).empty
    found = profit.margin_trends(nothing, PERIOD)
    said = margins.bottom_line(found, profit.margin_spread(nothing), named())
    assert said == [words.say("margins.nothing")]
    assert margins.headlines(found, profit.margin_spread(nothing), named()) == []
    assert profit.mover_table(found, named()).empty
    for ax in (
        profit.plot_margins(profit.margin_spread(nothing)),
        profit.plot_slips(found, named()),
    ):
        assert ax.figure.alt_text


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (-0.042, "Nobody's margin slips; everybody's rises by 4.2 points a year."),
        (
            0.042,
            "Nobody's margin slips beyond what everybody's does: that falls by 4.2 points a year.",
        ),
        (0.0, "Nobody's margin slips; everybody's stands still."),
    ],
)
def test_what_everybody_does_is_said_with_its_sign(by, said):
    found = trends(**{f"d{i}": FLAT + falling(by) for i in range(6)}).reset_index()
    assert margins.slip_sentences(found, named()) == [said]
    drawn = profit.plot_slips(found, named()).figure.alt_text
    assert f"moves by {words.signed(-100 * by, 1)} points a year" in drawn


@pytest.mark.parametrize("rates", [FLAT * 2, FLAT + falling(-0.01)])
def test_who_stays_behind_while_everybody_rises_does_not_slip(rates):
    """Beyond the network is not enough: a margin that slips falls."""
    others = {f"d{i}": FLAT + falling(-0.06) for i in range(9)}
    found = trends(x=rates, **others)
    assert found["network_rate"].iloc[0] > 0.05
    assert found.loc["x", "movement"] == "steady"


# ---- the mix of brands ---------------------------------------------------------------------------


def by_brand(dealer: str, shares: list[float], good: list[float], poor: list[float]):
    """Lay out a dealer of two brands at 100 a month: how much of it the good one sells, and the
    margins of both; with `usual` worked out here, brand by brand.
    """
    months = periods.month_range(PERIOD, len(shares))
    sold = {"good": np.array(shares) * 100, "poor": 100 - np.array(shares) * 100}
    earned = {"good": sold["good"] * good, "poor": sold["poor"] * poor}
    usual = sum(sold[b] * earned[b].sum() / max(sold[b].sum(), 1e-9) for b in sold)
    return pd.DataFrame(
        {
            "dealer_id": dealer,
            "month": months,
            "revenue": 100.0,
            "earned": earned["good"] + earned["poor"],
            "usual": usual,
        }
    )


@pytest.fixture(scope="module")
def mixed() -> pd.DataFrame:
    """Dealers whose mix, whose margins, and whose neither moves; one where one hides the other."""
    level, rising = [0.5] * 24, [0.3] * 12 + [0.3 + 0.5 * i / 12 for i in range(12)]
    flat = {"good": [0.25] * 24, "poor": [0.10] * 24}
    wearing = [0.25] * 12 + falling(0.06, 0.25), [0.10] * 12 + falling(0.06, 0.10)
    made = [by_brand(f"o{i}", level, **flat) for i in range(5)]
    made += [by_brand("shifts", rising, **flat), by_brand("wears", level, *wearing)]
    return pd.concat([*made, by_brand("hides", rising, *wearing)], ignore_index=True)


def test_another_mix_of_brands_is_no_recovery(mixed):
    found = profit.margin_trends(mixed, PERIOD).set_index("dealer_id")
    assert found.loc[["o0", "shifts", "wears", "hides"], "movement"].tolist() == [
        "steady",
        "mix",
        "slips",
        "slips",
    ]
    plain = profit.margin_trends(mixed.drop(columns="usual"), PERIOD).set_index("dealer_id")
    assert plain.loc[["shifts", "hides"], "movement"].tolist() == ["recovers", "steady"]
    same = ["margin_rate", "previous_margin_rate"]
    assert_frame_equal(found[same], plain[same])
    shifts = found.loc["shifts"]
    assert shifts["mix_rate"] == pytest.approx(
        shifts["margin_rate"] - shifts["previous_margin_rate"]
    )
    assert found.loc["wears", "mix_rate"] == pytest.approx(0, abs=1e-12)
    assert found.loc["wears", "slope_rate"] == pytest.approx(-0.06, abs=1e-9)


def test_who_only_sells_other_brands_is_said_to(mixed):
    found = profit.margin_trends(mixed, PERIOD)
    said = margins.slip_sentences(found, named("shifts"))
    assert said[-1] == (
        "At 1 dealer the margin moved only because other brands sold, each earning what it usually "
        "does: Shop shifts."
    )
    assert set(profit.mover_table(found, named("wears"))["dealer_id"]) == {"hides", "wears"}


# ---- the demo's planted truths -------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo_months() -> pd.DataFrame:
    """All brands' earnings of the demo network, without the door."""
    net = network.network(build.SEED, 600, 30, PERIOD)
    rows = trade.dealer_profit(net, trade.order_lines(net))
    rows["earned"] = rows["gross_profit"] + rows["rebate"]
    return rows.groupby(["dealer_id", "month"], as_index=False)[["revenue", "earned"]].sum()


def test_the_planted_slips_are_found_and_nobody_else(demo_months):
    found = profit.margin_trends(demo_months, PERIOD)
    assert (
        found.loc[found["movement"] == "slips", "dealer_id"].tolist()
        == build.planted()["margin_slips"]
    )
    slipping = found[found["movement"] == "slips"]
    # six points, and what everybody loses
    assert slipping["slope_rate"].between(-0.072, -0.060).all()
    assert found["network_rate"].iloc[0] == pytest.approx(-0.006, abs=0.0005)


def test_the_network_loses_six_tenths_of_a_point_a_year(demo_months):
    spread, found = profit.margin_spread(demo_months), profit.margin_trends(demo_months, PERIOD)
    assert margins.year_change(found) == pytest.approx(-0.006, abs=0.0005)
    change = np.polyfit(range(len(spread)), spread["median_rate"], 1)[0]
    assert change == pytest.approx(-0.0005, abs=0.0001)


# ---- words ---------------------------------------------------------------------------------------


def test_nothing_within_the_year_is_nothing_to_say():
    rows = rows_of(a=FLAT).assign(month=periods.month_range("2025-08", 12))
    found = profit.margin_trends(rows, PERIOD)
    assert margins.bottom_line(found, profit.margin_spread(rows), named()) == [
        words.say("margins.nothing")
    ]
    assert margins.headlines(found, profit.margin_spread(rows), named()) == []


@pytest.mark.parametrize("n_months", [3, 7, 8, 12])
def test_nobody_slips_is_said_only_of_who_can_be_judged(n_months):
    told = trends(a=[0.16] * n_months, b=[0.12] * n_months)
    said = margins.why_no_movers(told)
    judged = n_months >= 8
    assert said == words.say("margins.no_movers" if judged else "margins.no_trend")
    drawn = profit.plot_slips(told.reset_index(), named("a", "b")).figure.alt_text
    assert judged or drawn == said, "one sentence for figure and table"


def test_sentences_name_who_slips():
    names = {f"o{i}": FLAT * 2 for i in range(5)}
    found = trends(x=FLAT + falling(0.06), y=FLAT + falling(-0.05), **names).reset_index()
    said = margins.slip_sentences(found, named("x", "y"))
    assert said == [
        "The margin of 1 dealer slips by 6.0 to 6.0 points a year (everybody: +0.0): Shop x.",
        "The margin of 1 dealer recovers by 5.0 to 5.0 points a year: Shop y.",
    ]
    quiet = trends(**names).reset_index()
    assert margins.slip_sentences(quiet, named()) == [
        "Nobody's margin slips; everybody's stands still."
    ]


def test_movers_are_named_by_their_id_where_nobody_knows_them():
    found = trends(x=FLAT + falling(0.06), **{f"o{i}": FLAT * 2 for i in range(5)}).reset_index()
    assert "a year (everybody: +0.0): x." in margins.slip_sentences(found, named("y"))[0]
    assert profit.mover_table(found, named("y"))["dealer_id"].tolist() == ["x"]


def test_the_steepest_fall_comes_first():
    found = trends(
        a=FLAT + falling(0.03),
        b=FLAT + falling(0.06),
        c=FLAT + falling(-0.04),
        d=FLAT + falling(-0.09),
        **{f"o{i}": FLAT * 2 for i in range(9)},
    ).reset_index()
    rows = profit.mover_table(found, named(*"abcd"))
    assert rows["dealer_id"].tolist() == ["b", "a", "c", "d"]
    assert rows["change_points"].round(6).tolist() == [-6, -3, 4, 9]


def test_headlines_say_the_median_and_its_change():
    rows = rows_of(
        **{f"o{i}": [0.20] * 12 + [0.19] * 12 for i in range(3)}, x=[0.2] * 12 + falling(0.06, 0.19)
    )
    found = profit.margin_trends(rows, PERIOD)
    tile, change = margins.headlines(found, profit.margin_spread(rows), named("x"))
    assert (tile["place"], tile["text"], tile["tone"]) == ("tile", "19.0%", "bad")
    assert tile["change"] == "−1.0 points against the year before"
    assert len(tile["trend"]) == 24
    assert change["place"] == "change"
    assert "Shop x" in change["text"]


def test_one_year_has_no_change():
    rows = rows_of(**{f"o{i}": FLAT for i in range(3)})
    found = profit.margin_trends(rows, PERIOD)
    (tile,) = margins.headlines(found, profit.margin_spread(rows), named())
    assert "change" not in tile
    assert len(margins.bottom_line(found, profit.margin_spread(rows), named())) == 2


# ---- plots ---------------------------------------------------------------------------------------


def test_the_plot_shows_the_medians():
    spread = profit.margin_spread(rows_of(a=[0.1, 0.2, 0.3], b=[0.2, 0.3, 0.4], c=[0.6, 0.6, 0.6]))
    ax = profit.plot_margins(spread, note="here")
    lines = {line.get_label(): list(line.get_ydata()) for line in ax.get_lines()}
    assert lines[words.label("median_rate")] == [0.2, 0.3, 0.4]
    assert lines[words.label("weighted_rate")] == pytest.approx([0.3, 1.1 / 3, 1.3 / 3])
    assert "20.0%" in ax.figure.alt_text
    assert "40.0%" in ax.figure.alt_text


def test_the_plot_names_who_slips_and_shows_everybody():
    found = trends(x=FLAT + falling(0.06), **{f"o{i}": FLAT * 2 for i in range(5)}).reset_index()
    ax = profit.plot_slips(found, named("x"))
    assert [text.get_text() for text in ax.get_yticklabels()] == [
        words.label("all_dealers"),
        "Shop x",
    ]
    strip = next(line for line in ax.get_lines() if line.get_marker() == "|")
    assert sorted(strip.get_xdata().round(6)) == [-6, 0, 0, 0, 0, 0]
    assert "1 of 6" in ax.figure.alt_text
