"""What our brand earns a dealer against his rivals.

Measures, leads, costs, levers and words, by hand and by twin.
"""

import itertools
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from scipy.stats import t as student

from helpers import look, periods, profit, words
from helpers.profit import brands, serial
from helpers.profit import sheet as sheets
from helpers.profit.brands import LEVERS, MEASURES

pytestmark = pytest.mark.usefixtures("looks")

YEAR = periods.month_range("2026-10", 12)
OURS, RIVAL, THIRD = "Lumora", "Kaltern", "Ostwind"


def months_of(dealer: str, **sold: dict) -> pd.DataFrame:
    """Spell out a dealer's months.

    Per brand `revenue`, `margin` and `rebate` rates, `stock`, `shelf`; numbers or lists
    over the year.
    """
    made = []
    for brand, given_ in sold.items():
        row = {
            "revenue": 1000.0,
            "margin": 0.15,
            "rebate": 0.02,
            "stock": 500.0,
            "shelf": 10.0,
        } | given_
        frame = pd.DataFrame({"dealer_id": dealer, "brand": brand, "month": YEAR} | row)
        made.append(frame[frame["revenue"].notna()])
    rows = pd.concat(made, ignore_index=True)
    rows["gross_profit"], rows["rebate"] = (
        rows["revenue"] * rows.pop("margin"),
        rows["revenue"] * rows["rebate"],
    )
    rows["earned"], rows["cost_of_sales"] = (
        rows["gross_profit"] + rows["rebate"],
        rows["revenue"] - rows["gross_profit"],
    )
    return rows.rename(columns={"stock": "average_stock_value", "shelf": "shelf_area_m2"}).astype(
        {"average_stock_value": "float64", "shelf_area_m2": "float64"}
    )


def sums_of(months: pd.DataFrame) -> pd.DataFrame:
    """Sum up as the door does, where all brands are alike."""
    rows = months.groupby(["dealer_id", "brand"], as_index=False).agg(
        **{c: (c, "sum") for c in brands.FLOWS},
        average_stock_value=("average_stock_value", "mean"),
        shelf_area_m2=("shelf_area_m2", "mean"),
        n_months=("month", "size"),
        n_stock_months=("average_stock_value", "count"),
        n_shelf_months=("shelf_area_m2", "count"),
    )
    window = (
        months.groupby("dealer_id")["month"].agg(["min", "max", "nunique"]).loc[rows["dealer_id"]]
    )
    return rows.assign(
        alike=True,
        first_month=window["min"].to_numpy(),
        last_month=window["max"].to_numpy(),
        window_months=window["nunique"].to_numpy(),
    )


def verdict_of(comparison: pd.DataFrame, dealer_id: str) -> list[str]:
    return profit.verdict(comparison, brands.gaps(comparison), dealer_id)


def compared(*months: pd.DataFrame, brand: str = OURS) -> pd.DataFrame:
    rows = pd.concat(months, ignore_index=True)
    return profit.brand_comparison(sums_of(rows), brand, rows)


def of(comparison: pd.DataFrame, brand: str, dealer: str = "a") -> pd.Series:
    return comparison[(comparison["dealer_id"] == dealer) & (comparison["brand"] == brand)].iloc[0]


def noisy(level: float, seed: int, spread: float = 0.004) -> list[float]:
    return list(level + np.random.default_rng(seed).normal(0, spread, 12))


# ---- measures ------------------------------------------------------------------------------------


def test_measures_by_hand():
    """A year's sales of 120,000 at 15 % and 2 % rebate; 6,000 of stock at cost and 40 m²."""
    row = of(
        compared(
            months_of("a", Lumora={"revenue": 10_000.0, "stock": 6000.0, "shelf": 40.0}, Kaltern={})
        ),
        OURS,
    )
    assert row["earned"] == pytest.approx(20_400)
    assert row["margin_rate"] == pytest.approx(0.17)
    assert row["front_rate"] == pytest.approx(0.15)
    assert row["rebate_rate"] == pytest.approx(0.02)
    assert row["profit_per_m2"] == pytest.approx(20_400 / 40)
    assert row["gmroi"] == pytest.approx(20_400 / 6000)
    # at cost, and a rebate is no cost of sales
    assert row["stock_turn"] == pytest.approx(102_000 / 6000)
    assert row["sales_per_m2"] == pytest.approx(3000)
    assert row["revenue_share"] == pytest.approx(120_000 / 132_000)


def test_gmroi_is_margin_on_cost_times_turn():
    """The trade's other formula: gross margin ÷ cost of sales × stock turn, all at cost."""
    row = of(
        compared(
            months_of("a", Lumora={"margin": 0.24, "rebate": 0.0, "stock": 777.0}, Kaltern={})
        ),
        OURS,
    )
    assert row["gmroi"] == pytest.approx(0.24 / 0.76 * row["stock_turn"])


def test_half_a_year_counts_at_a_years_pace():
    half = [1000.0] * 6 + [math.nan] * 6
    row = of(compared(months_of("a", Lumora={"revenue": half}, Kaltern={"revenue": half})), OURS)
    assert row["window_months"] == 6
    assert row["earned"] == pytest.approx(12 * 170)
    assert row["profit_per_m2"] == pytest.approx(12 * 17)


def test_a_month_without_sales_still_takes_floor_and_stock():
    gaps = [1000.0, math.nan, math.nan] * 4
    row = of(compared(months_of("a", Lumora={"revenue": gaps}, Kaltern={})), OURS)
    assert row["profit_per_m2"] == pytest.approx(4 * 17)  # not 12 × 17


def test_ranks_within_the_dealer_equals_share_one():
    found = compared(
        months_of("a", Lumora={}, Kaltern={}, Ostwind={"margin": 0.1}),
        months_of("b", Lumora={"margin": 0.3}),
    )
    assert [of(found, b)["rank_margin_rate"] for b in (OURS, RIVAL, THIRD)] == [1, 1, 3]
    assert set(found.loc[found["dealer_id"] == "a", "n_brands"]) == {3}
    assert of(found, OURS, "b")["n_brands"] == 1


@pytest.mark.parametrize("column", ["average_stock_value", "shelf_area_m2"])
@pytest.mark.parametrize("value", [0.0, -5.0, math.nan])
def test_no_denominator_no_measure(column, value):
    rows = months_of("a", Lumora={}, Kaltern={"margin": 0.1}).assign(**{column: value})
    found = profit.brand_comparison(sums_of(rows), OURS, rows)
    gone = [m for m in MEASURES if brands.RATIOS[m][1] == column]
    assert found[gone].isna().all(axis=None)
    assert found.loc[~found["ours"], [f"result_{m}" for m in gone]].eq("").all(axis=None)
    sheet = sheets.proof(found, "a")
    assert sheet["measure"].tolist() == [m for m in MEASURES if m not in gone]
    said = " ".join(verdict_of(found, "a"))
    assert all(
        words.label(m) in said.split("Left out, since the data don't tell:")[1] for m in gone
    )


def test_stock_of_two_months_is_no_habit():
    stock = [500.0, 500.0] + [math.nan] * 10
    found = compared(months_of("a", Lumora={"stock": stock}, Kaltern={}))
    assert math.isnan(of(found, OURS)["gmroi"])
    assert of(found, RIVAL)["gmroi"] > 0


def test_what_is_left_out_and_why():
    rows = months_of(
        "a",
        Lumora={},
        Kaltern={"revenue": 5.0},
        Ostwind={"revenue": [50.0, 50.0] + [math.nan] * 10},
        Zero={"revenue": 0.0},
    )
    found = profit.brand_comparison(sums_of(rows), OURS, rows)
    assert found.set_index("brand")["left_out"].to_dict() == {
        OURS: "",
        RIVAL: "sideline",
        THIRD: "short_window",
        "Zero": "no_revenue",
    }
    assert set(found["n_brands"]) == {1}
    assert sheets.proof(found, "a").empty
    said = verdict_of(found, "a")
    assert said[0] == "This shop reports no rival beside Lumora: there is nothing to compare."
    assert said[1].startswith(
        "Not compared: Kaltern (below 1% of sales), Ostwind (too few months in common)"
    )


def test_a_brand_that_is_not_alike_is_left_out():
    rows = months_of("a", Lumora={}, Kaltern={})
    sums = sums_of(rows)
    sums["alike"] = sums["brand"] == OURS
    assert of(profit.brand_comparison(sums, OURS, rows), RIVAL)["left_out"] == "short_window"


# ---- leads and how sure they are -----------------------------------------------------------------


@pytest.fixture
def unconnected(monkeypatch):
    """Months known to hang together not at all: of one dealer that can't be estimated well."""
    monkeypatch.setattr(serial, "pooled_autocorrelation", lambda *_: 0.0)


@pytest.mark.usefixtures("unconnected")
def test_a_lead_by_hand():
    ours, his = noisy(0.18, 1), noisy(0.15, 2)
    row = of(compared(months_of("a", Lumora={"margin": ours}, Kaltern={"margin": his})), RIVAL)
    # equal revenue each month: the lead is the mean of the monthly differences
    difference = np.array(ours) - his
    assert row["lead_margin_rate"] == pytest.approx(difference.mean())
    # Student's t with 11 degrees of freedom
    width = 2.200985 * difference.std(ddof=1) / math.sqrt(12)
    assert row["low_margin_rate"] == pytest.approx(difference.mean() - width)
    assert row["high_margin_rate"] == pytest.approx(difference.mean() + width)
    assert row["result_margin_rate"] == "win"


def test_a_lead_by_hand_where_months_hang_together(monkeypatch):
    """Half of a month stays in the next: twelve count as 12 ÷ 2.667, the squares as 12 − 2.667."""
    monkeypatch.setattr(serial, "pooled_autocorrelation", lambda *_: 0.5)
    ours, his = noisy(0.18, 1), noisy(0.15, 2)
    row = of(compared(months_of("a", Lumora={"margin": ours}, Kaltern={"margin": his})), RIVAL)
    difference = np.array(ours) - his
    grown = sum(0.5 ** abs(i - j) for i in range(12) for j in range(12)) / 12
    assert row["effective_months_margin_rate"] == pytest.approx(12 / grown)
    assert 12 / grown == pytest.approx(4.5, abs=0.01)
    squares = ((difference - difference.mean()) ** 2).sum()
    error = math.sqrt(squares / (12 - grown) * grown / 12)
    assert row["error_margin_rate"] == pytest.approx(error)
    freedom = serial.freedom(12, 0.5)
    width = student.ppf(0.975, freedom) * error
    assert row["low_margin_rate"] == pytest.approx(difference.mean() - width)


@pytest.mark.usefixtures("unconnected")
@pytest.mark.parametrize("measure", MEASURES)
def test_intervals_like_a_paired_bootstrap(measure):
    rng = np.random.default_rng(3)
    season = 1 + 0.5 * np.sin(np.arange(12))
    sold = {
        b: {
            "revenue": 1000 * season * rng.lognormal(0, 0.15, 12),
            "margin": noisy(level, i, 0.02),
            "stock": 500 * rng.lognormal(0, 0.1, 12),
        }
        for i, (b, level) in enumerate([(OURS, 0.16), (RIVAL, 0.15)])
    }
    rows = months_of("a", **sold)
    top, bottom, unit = brands.RATIOS[measure]
    tops, bottoms = (
        rows.pivot_table(index="month", columns="brand", values=c) for c in (top, bottom)
    )
    if bottom not in brands.FLOWS:  # the dealer's own season is no chance
        sales = rows.pivot_table("revenue", "month", "brand").sum(axis=1)
        month = (sales / bottoms.sum(axis=1)).to_numpy()[:, None]
        season = month * bottoms.sum().to_numpy() / (bottoms * month).sum().to_numpy()
        tops -= (tops.sum() / bottoms.sum()).to_numpy() * (season - 1) * bottoms
    drawn = rng.integers(0, 12, (4000, 12))
    ratio = {
        b: unit * tops[b].to_numpy()[drawn].sum(axis=1) / bottoms[b].to_numpy()[drawn].sum(axis=1)
        for b in sold
    }
    row = of(compared(rows), RIVAL)
    width = row[f"high_{measure}"] - row[f"low_{measure}"]
    # the bootstrap divides by n and knows no Student: (11 / 12) ** .5 and 1.96 / 2.2 of the width
    expected = 2 * 2.2 * (ratio[OURS] - ratio[RIVAL]).std() * math.sqrt(12 / 11)
    assert width == pytest.approx(expected, rel=0.1)


@pytest.mark.usefixtures("unconnected")
def test_the_interval_holds_for_all_rivals_together():
    ours, his = noisy(0.18, 1), noisy(0.15, 2)
    sold = {OURS: {"margin": ours}, RIVAL: {"margin": his}, THIRD: {"margin": noisy(0.1, 3)}}
    row = of(compared(months_of("a", **sold)), RIVAL)
    error = (np.array(ours) - his).std(ddof=1) / math.sqrt(12)
    # t at 98.75 %
    assert row["high_margin_rate"] - row["lead_margin_rate"] == pytest.approx(2.593093 * error)


def test_the_best_of_forty_equal_rivals_is_seldom_called_better():
    """Plain intervals find one that beats us by chance at more dealers than their five percent
    promise.
    """
    n = 60
    made = [
        months_of(
            f"d{i}",
            **{OURS: {"margin": noisy(0.6, i, 0.03)}},
            **{f"r{j}": {"margin": noisy(0.6, 1000 + 40 * i + j, 0.03)} for j in range(40)},
        )
        for i in range(n)
    ]
    rows = compared(*made)
    beaten = rows[rows["result_margin_rate"] == "lose"]["dealer_id"].nunique()
    rivals = rows[~rows["ours"]]
    plain = rivals[
        rivals["lead_margin_rate"] + rivals["error_margin_rate"] * student.ppf(0.975, 11) < 0
    ]
    assert beaten <= 0.05 * n < 0.1 * n < plain["dealer_id"].nunique()


def test_what_moves_both_brands_makes_no_lead_unsure():
    """Both margins sink by six points in the year; the difference stays what it is."""
    sinking = 0.06 * np.arange(12) / 12
    row = of(
        compared(
            months_of("a", Lumora={"margin": 0.20 - sinking}, Kaltern={"margin": 0.19 - sinking})
        ),
        RIVAL,
    )
    assert row["lead_margin_rate"] == pytest.approx(0.01)
    assert row["high_margin_rate"] - row["low_margin_rate"] < 1e-9
    assert row["result_margin_rate"] == "win"


@pytest.mark.parametrize(
    ("why", "ours", "his", "result"),
    [
        ("two points, steadily", 0.17, 0.15, "win"),
        ("two points behind, steadily", 0.15, 0.17, "lose"),
        ("steady, but under half a point", 0.1549, 0.15, "even"),
        ("half a point", 0.155, 0.15, "win"),
        ("half a point behind", 0.15, 0.155, "lose"),
        ("two points on average, all over the place", [0.02, 0.32] * 6, 0.15, "unclear"),
        ("the same", 0.15, 0.15, "even"),
    ],
)
def test_results_by_hand(why, ours, his, result):
    row = of(compared(months_of("a", Lumora={"margin": ours}, Kaltern={"margin": his})), RIVAL)
    assert row["result_margin_rate"] == result, why


def test_without_months_nothing_is_sure():
    rows = months_of("a", Lumora={"margin": [0.02, 0.32] * 6}, Kaltern={"margin": 0.15})
    row = of(profit.brand_comparison(sums_of(rows), OURS), RIVAL)
    assert math.isnan(row["low_margin_rate"])
    assert row["result_margin_rate"] == "unclear"
    assert "interval" not in " ".join(verdict_of(profit.brand_comparison(sums_of(rows), OURS), "a"))


def test_only_rivals_have_leads_and_only_where_ours_is():
    found = compared(months_of("a", Lumora={}, Kaltern={}), months_of("b", Kaltern={}, Ostwind={}))
    assert (
        found["lead_margin_rate"].notna().tolist()
        == ((found["dealer_id"] == "a") & (found["brand"] == RIVAL)).tolist()
    )
    assert brands.shared_brands(found)["brand"].tolist() == [RIVAL]


@pytest.mark.parametrize("brand", ["", "Nobody's"])
def test_without_our_brand_measures_but_no_leads(brand):
    found = compared(months_of("a", Lumora={}, Kaltern={}), brand=brand)
    assert not found["ours"].any()
    assert found["margin_rate"].notna().all()
    assert sheets.proof(found, "a").empty
    assert brands.gaps(found).empty
    assert verdict_of(found, "a") == [
        "This shop reports no sales of our brand: there is nothing to compare."
    ]


amounts = st.floats(100, 10_000)
brand_rows = st.fixed_dictionaries(
    {
        "revenue": st.lists(amounts, min_size=12, max_size=12),
        "margin": st.floats(-0.1, 0.5),
        "rebate": st.floats(0, 0.1),
        "stock": amounts,
        "shelf": st.floats(1, 500),
    }
)


@settings(max_examples=8)
@given(st.lists(brand_rows, min_size=2, max_size=3), st.integers(0, 99))
def test_money_unit_and_order_of_rows_change_no_result(sold, seed):
    rows = months_of("a", **dict(zip((OURS, RIVAL, THIRD), sold, strict=False)))
    sums, before = sums_of(rows), (rows.copy(), sums_of(rows))
    found = profit.brand_comparison(sums, OURS, rows)
    assert_frame_equal(rows, before[0])
    assert_frame_equal(sums, before[1])
    money = [*brands.FLOWS, "average_stock_value"]
    other = rows.sample(frac=1, random_state=seed).assign(**{c: rows[c] * 128 for c in money})
    again = profit.brand_comparison(sums_of(other).sample(frac=1, random_state=seed), OURS, other)
    again = again.sort_values("brand", ignore_index=True)
    same = [
        c
        for c in found
        if c.startswith(("result_", "rank_")) or c in ("margin_rate", "gmroi", "stock_turn")
    ]
    assert_frame_equal(found[same], again[same])
    assert again["profit_per_m2"].to_numpy() == pytest.approx(
        128 * found["profit_per_m2"].to_numpy()
    )


# ---- the proof -----------------------------------------------------------------------------------


def losing() -> pd.DataFrame:
    """We lose everywhere.

    Four points of front margin, twice the floor and stock for the same sales.
    """
    return compared(
        months_of(
            "a",
            Lumora={"margin": noisy(0.10, 1), "stock": 1000.0, "shelf": 20.0},
            Kaltern={"margin": noisy(0.14, 2)},
            Ostwind={"margin": 0.05, "stock": 2000.0, "shelf": 40.0},
        )
    )


def test_the_proof_by_hand():
    comparison = losing()
    sheet = sheets.proof(comparison, "a").set_index("measure")
    ours, rival = of(comparison, OURS), of(comparison, RIVAL)
    assert sheet.index.tolist() == list(MEASURES)
    assert set(sheet["best_rival"]) == {RIVAL}
    assert set(sheet["result"]) == {"lose"}
    assert sheet["rank"].tolist() == [2, 2, 2, 2]
    assert sheet["n_brands"].tolist() == [3, 3, 3, 3]
    gap = rival["margin_rate"] - ours["margin_rate"]
    assert sheet.loc["margin_rate", "gap_money"] == pytest.approx(gap * 12_000)
    assert sheet.loc["profit_per_m2", "gap_money"] == pytest.approx(
        (rival["profit_per_m2"] - ours["profit_per_m2"]) * 20
    )
    assert sheet["gap_money"].isna().tolist() == [False, False, True, True]
    # ours turns at half the pace, and a little dearer goods: the rival's pace needs just about half
    # the stock
    assert sheet.loc["stock_turn", "stock_to_spare"] == pytest.approx(
        1000 - ours["cost_of_sales"] / rival["stock_turn"]
    )
    assert sheet.loc["stock_turn", "stock_to_spare"] == pytest.approx(480, abs=25)
    assert sheet["network"].isna().all()  # one dealer is no network


def test_each_measure_has_its_own_best_rival():
    comparison = compared(
        months_of("a", Lumora={}, Kaltern={"margin": 0.3}, Ostwind={"stock": 100.0})
    )
    sheet = sheets.proof(comparison, "a").set_index("measure")
    assert sheet["best_rival"].to_dict() == {
        "margin_rate": RIVAL,
        "profit_per_m2": RIVAL,
        "gmroi": THIRD,
        "stock_turn": THIRD,
    }


def winning() -> pd.DataFrame:
    """We win everywhere."""
    return compared(
        months_of("a", Lumora={"margin": 0.3, "stock": 100.0, "shelf": 5.0}, Kaltern={})
    )


def test_where_we_win_the_gap_costs_nothing():
    sheet = sheets.proof(winning(), "a")
    assert set(sheet["result"]) == {"win"}
    assert sheet[["gap_money", "stock_to_spare"]].isna().all(axis=None)
    assert sheet["rank"].tolist() == [1, 1, 1, 1]


def test_the_networks_median_needs_five_dealers():
    four = [
        months_of(d, Lumora={"margin": 0.1 + i / 100}, Kaltern={}) for i, d in enumerate("abcd")
    ]
    assert sheets.proof(compared(*four), "a")["network"].isna().all()
    five = compared(*four, months_of("e", Lumora={"margin": 0.2}, Kaltern={}))
    # of 12, 13, 14, 15 and 22 %
    assert sheets.proof(five, "a")["network"].iloc[0] == pytest.approx(0.14)


def test_a_dealer_who_reports_nothing_has_no_proof():
    comparison = compared(months_of("a", Lumora={}, Kaltern={}))
    assert sheets.proof(comparison, "x").empty
    assert verdict_of(comparison, "x") == [
        "This shop reports nothing of what it earns: there is no proof."
    ]
    assert profit.plot_proof(comparison, "x").figure.alt_text == verdict_of(comparison, "x")[0]


# ---- gaps and levers -----------------------------------------------------------------------------


def test_gaps_name_every_rival_who_wins_the_dearest_first():
    found = brands.gaps(losing())
    assert found["rival"].tolist() == [RIVAL]
    row = found.iloc[0]
    assert row["on_all"]
    assert row["n_behind"] == 4
    assert row["lost_measures"] == " ".join(MEASURES)
    assert row["gap_money"] == sheets.proof(losing(), "a")["gap_money"].max()
    assert row["stock_to_spare"] == sheets.proof(losing(), "a")["stock_to_spare"].max()


def test_on_all_does_not_ask_for_what_is_not_known():
    rows = months_of("a", Lumora={"margin": 0.10}, Kaltern={}).assign(
        shelf_area_m2=math.nan, average_stock_value=math.nan
    )
    assert brands.gaps(profit.brand_comparison(sums_of(rows), OURS, rows))["on_all"].tolist() == [
        True
    ]


@pytest.mark.parametrize(
    ("ours", "levers"),
    [
        ({"margin": 0.10}, "second_pricing"),
        ({"rebate": 0.0}, "rebate_policy"),
        ({"margin": 0.12, "rebate": 0.0}, "second_pricing rebate_policy"),
        ({"margin": 0.20, "rebate": 0.0}, ""),  # the margin wins, so the rebate is no matter
        ({"shelf": 20.0}, "floor_given"),
        ({"stock": 1000.0}, "ants_moving"),
        ({"shelf": 20.0, "stock": 1000.0}, "floor_given ants_moving line_up"),
        (
            {"margin": 0.10, "shelf": 20.0, "stock": 1000.0},
            "second_pricing floor_given ants_moving",
        ),
        ({"shelf": 10.8}, ""),  # seven per cent less on the floor: behind, yet no lever of its own
        ({}, ""),
    ],
)
def test_levers_by_hand(ours, levers):
    found = brands.gaps(compared(months_of("a", Lumora=ours, Kaltern={})))
    assert (found["levers"].iloc[0] if len(found) else "") == levers


@settings(max_examples=10)
@given(st.lists(brand_rows, min_size=2, max_size=2))
def test_each_lever_has_a_lost_measure_behind_it(sold):
    found = brands.gaps(compared(months_of("a", **dict(zip((OURS, RIVAL), sold, strict=True)))))
    for row in found.itertuples():
        lost, levers = set(row.lost_measures.split()), set(row.levers.split())
        assert not levers & {"second_pricing", "rebate_policy"} or "margin_rate" in lost
        assert "floor_given" not in levers or "profit_per_m2" in lost
        assert "ants_moving" not in levers or lost & {"gmroi", "stock_turn"}
        assert "line_up" not in levers or {"floor_given", "ants_moving"} <= levers
        assert not row.gap_money < 0


# ---- words ---------------------------------------------------------------------------------------


def test_the_verdict_is_honest_when_we_lose():
    said = verdict_of(losing(), "a")
    assert said[0] == (
        "Of 4 measures Lumora is ahead on 0, about equal on 0 and behind on 4 (2025-11 to 2026-10)."
    )
    assert said[1].startswith(
        "Margin: 12.1% with Lumora, 16.0% with Kaltern, the best rival: 3.9 points less (95% "
    )
    assert said[1].endswith(
        "At the margin of Kaltern, Lumora would earn the shop CNY 471 more a year."
    )
    assert "Turning as fast as Kaltern" in said[4]
    assert [line.split(":")[0] for line in said[5:]] == [
        "Lever, price",
        "Lever, floor",
        "Lever, stock",
    ]


def test_the_verdict_where_we_win_and_where_it_is_level():
    won = verdict_of(winning(), "a")
    assert (
        won[0]
        == "Lumora earns this shop more than any rival on 4 of 4 measures (2025-11 to 2026-10)."
    )
    assert "15.0 points more" in won[1]
    assert len(won) == 5
    level = verdict_of(compared(months_of("a", Lumora={}, Kaltern={})), "a")
    assert "about the same on 4 of 4 measures" in level[0]
    assert all(line.endswith("about equal.") for line in level[1:])


def test_ours_too_small_is_said():
    said = verdict_of(compared(months_of("a", Lumora={"revenue": 5.0}, Kaltern={})), "a")
    assert said[0] == "Lumora can't be compared at this shop: below 1% of sales."


@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant"])
def test_the_proof_tells_nothing_of_anybody_else(language):
    """Words, sheet and figure of one dealer, while others with telling names and figures are in the
    same table.
    """
    look.use(language, "CNY")
    others = [
        months_of(f"secret-{i}", Lumora={"revenue": 98765.4}, Geheim={"margin": 0.31})
        for i in range(6)
    ]
    comparison = compared(
        months_of("a", Lumora={"margin": 0.1, "shelf": 20.0}, Kaltern={}), *others
    )
    sheet = profit.proof_table(sheets.proof(comparison, "a"))
    told = " ".join([*verdict_of(comparison, "a"), look.table(sheet).to_html()])
    told += profit.plot_proof(comparison, "a").figure.alt_text
    for word in ("secret", "Geheim", "98,765", "987", "1,185"):
        assert word not in told
    assert verdict_of(comparison, "a") == verdict_of(
        comparison[comparison["dealer_id"] == "a"], "a"
    )


def test_the_sheet_for_reading():
    rows = profit.proof_table(sheets.proof(losing(), "a"))
    assert rows["indicator"].tolist() == [
        "Margin",
        "Profit per m² a year",
        "GMROI",
        "Stock turns a year",
    ]
    assert rows["our_figure"].iloc[0] == "12.1%"
    assert rows["lead"].iloc[0] == "−3.9 points"
    assert rows["rank"].tolist() == ["2 of 3"] * 4
    assert rows["network_figure"].tolist() == ["–"] * 4
    assert profit.proof_table(sheets.proof(losing(), "x")).empty


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("lead", [-0.4, -0.004, -0.0004, -1e-9, 0.0, 1e-9, 0.0004, 0.004, 0.4])
def test_a_lead_that_rounds_to_nothing_has_no_sign(measure, lead):
    sheet = sheets.proof(losing(), "a").query("measure == @measure").assign(lead=lead)
    (written,) = profit.proof_table(sheet)["lead"]
    shown = float(re.search(r"[\d.]+", written)[0])
    signs = "" if not shown else "−" if lead < 0 else "+"
    assert written[: len(signs)] == signs and written[len(signs)] not in "+−"


def test_every_lever_has_its_words():
    for language, lever in itertools.product(("en", "zh-Hans"), LEVERS):
        look.use(language)
        said = words.say(f"profit.lever_{lever}", brand="B1", best="B2", ours="3", rival="4")
        assert all(part in said for part in ("B1", "B2", "3", "4"))
        assert words.label(lever)


# ---- plots ---------------------------------------------------------------------------------------


def test_the_plot_has_a_panel_a_measure_ours_first():
    ax = profit.plot_proof(losing(), "a", note="Shop A")
    panels = ax.figure.axes
    assert [panel.get_title(loc="left") for panel in panels] == [words.label(m) for m in MEASURES]
    assert [text.get_text() for text in ax.get_yticklabels()] == [OURS, RIVAL, THIRD]
    widths = [bar.get_width() for bar in ax.patches]
    assert widths == pytest.approx([of(losing(), b)["margin_rate"] for b in (OURS, RIVAL, THIRD)])
    assert "behind on 4" in ax.figure.alt_text


def test_of_many_brands_the_best_and_the_largest_are_drawn():
    many = {f"r{j:02d}": {"revenue": 1000.0 + j, "margin": 0.1} for j in range(30)}
    best = {"best": {"revenue": 500.0, "margin": 0.3, "shelf": 5.0}}
    ax = profit.plot_proof(compared(months_of("a", **{OURS: {}}, **many, **best)), "a")
    sold = [text.get_text() for text in ax.get_yticklabels()]
    assert len(sold) <= sheets.MOST_BRANDS
    assert {OURS, "best", "r29"} <= set(sold)


def test_a_long_brand_is_cut_in_the_plot():
    name = "The Extraordinarily Long Appliance Brand Company"
    rows = months_of("a", **{OURS: {}, name: {}})
    labels = [text.get_text() for text in profit.plot_proof(compared(rows), "a").get_yticklabels()]
    assert len(labels[1]) == sheets.LONGEST
    assert labels[1].endswith("…")
