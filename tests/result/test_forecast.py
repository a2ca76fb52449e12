"""The forecast: exact where the series is, as sure as it says, and silent where it can't tell."""

import numpy as np
import pandas as pd
import pytest

from helpers.periods import month_range
from helpers.result import forecast, holt_winters, seasonal_naive
from month_series import network

SEASON = np.array([5.0, 4, 7, 9, 12, 15, 14, 10, 6, 5, 8, 11])


def series(values, last: str = "2026-10") -> pd.Series:
    return pd.Series(np.asarray(values, float), month_range(last, len(values)))


def smoothed(values, n_ahead: int, alpha: float, beta: float, gamma: float, phi: float):
    """Smooth as the textbook writes it, one month after the other; give squares and a forecast."""
    first, second = values[:12], values[12:24]
    trend = (sum(second) - sum(first)) / 144
    level = sum(first) / 12 - trend * 6.5
    season = []
    for m in range(12):
        off = (first[m] - sum(first) / 12 + second[m] - sum(second) / 12) / 2
        season.append(off - trend * (m - 5.5))
    middle = sum(season) / 12
    season = [s - middle for s in season]
    squares = 0.0
    for i, value in enumerate(values):
        s, before = season[i % 12], level
        squares += (value - (level + phi * trend + s)) ** 2
        level = alpha * (value - s) + (1 - alpha) * (before + phi * trend)
        season[i % 12] = gamma * (value - before - phi * trend) + (1 - gamma) * s
        trend = beta * (level - before) + (1 - beta) * phi * trend
    ahead = [
        level + sum(phi**j for j in range(1, h + 1)) * trend + season[(len(values) + h - 1) % 12]
        for h in range(1, n_ahead + 1)
    ]
    return squares, ahead


@pytest.mark.parametrize("n", [24, 25, 31, 47])
def test_smoothing_is_the_textbooks(n):
    draw = np.random.default_rng(n)
    values = list(100 + 0.7 * np.arange(n) + 4 * SEASON[np.arange(n) % 12] + draw.normal(0, 5, n))
    tried = [smoothed(values, 14, *weights) for weights in forecast.GRID]
    best = min(tried, key=lambda found: found[0])
    np.testing.assert_allclose(holt_winters(values, 14), best[1], rtol=1e-9)


def test_what_repeats_is_carried_on_exactly():
    values = np.tile(SEASON, 3)
    for method in (holt_winters, seasonal_naive):
        np.testing.assert_allclose(method(values, 15), np.resize(SEASON, 15), atol=1e-9)
    made = forecast.year_forecast(series(np.roll(values, -2)), "2026-10")
    assert made.months["month"].tolist() == ["2026-11", "2026-12", "2027-01"]
    np.testing.assert_allclose(made.months["low"], made.months["high"], atol=1e-6)


def test_errors_are_of_months_that_were_not_known():
    values = np.arange(30.0) ** 2
    errors = forecast.held_back_errors(values, "seasonal_naive", 4)
    assert errors.shape == (18, 4)
    assert errors[0].tolist() == [values[12 + h] - values[h] for h in range(4)]
    assert np.isnan(errors[-1]).tolist() == [False, True, True, True]
    smooth = forecast.held_back_errors(values, "holt_winters", 4)
    assert smooth.shape == (6, 4)
    np.testing.assert_allclose(smooth[2, :4], values[26:30] - holt_winters(values[:26], 4))


def test_the_interval_holds_as_often_as_it_says():
    """Over 1,200 generated networks of 30 to 60 months, at each horizon and for the sum."""
    draw, inside, sums, errors = np.random.default_rng(1), [], [], []
    for _ in range(1200):
        n = int(draw.integers(30, 61))
        values = network(draw, n + 12)
        known, came = values[:n], values[n:]
        _method, _tried, rows, back = forecast.outlook(known, 12)
        low, high, ahead = (rows[column].to_numpy() for column in ("low", "high", "value"))
        inside.append((came >= low) & (came <= high))
        wide = forecast.half_widths(back[:, :6].cumsum(axis=1))[-1]
        sums.append(abs((came - ahead)[:6].sum()) <= wide)
        errors.append(
            [np.abs(came - ahead).mean(), np.abs(came - seasonal_naive(known, 12)).mean()]
        )
    by_horizon = np.mean(inside, axis=0)
    assert ((by_horizon > 0.75) & (by_horizon < 0.85)).all(), by_horizon
    assert 0.73 < np.mean(sums) < 0.85
    chosen, naive = np.sum(errors, axis=0)
    assert chosen < 0.97 * naive, "the better of two is no better than one"


def test_a_business_that_grows_misses_by_more():
    """300 networks that grow by a tenth a year, with a tenth of chance in every month."""
    draw, inside, plain = np.random.default_rng(2), [], []
    for _ in range(300):
        at = np.arange(72)
        values = 1e5 * 1.1 ** (at / 12) * np.exp(draw.normal(0, 0.1, 72)) * (1 + SEASON[at % 12])
        known, came = values[:60], values[60:]
        method, _tried, rows, _errors = forecast.outlook(known, 12)
        inside.append((came >= rows["low"].to_numpy()) & (came <= rows["high"].to_numpy()))
        back = forecast.held_back_errors(known, method, 12)
        plain.append(np.abs(came - rows["value"].to_numpy()) <= forecast.half_widths(back))
    assert 0.75 < np.mean(inside) < 0.85
    assert np.mean(plain) < np.mean(inside) - 0.05, (
        "errors of a smaller business are too small for a larger one"
    )


def test_an_interval_is_the_error_that_its_share_does_not_pass():
    errors = np.random.default_rng(3).normal(size=(39, 2))
    by_hand = sorted(abs(e) for e in errors[:, 0])[32 - 1]  # 0.8 × 40
    assert forecast.half_widths(errors)[0] == by_hand
    few = np.array([[3.0, np.nan], [4.0, np.nan]])  # Student's 80 % of two: 1.886
    root = np.sqrt(12.5)
    np.testing.assert_allclose(
        forecast.half_widths(few), [root * 1.8856, root * 1.8856 * np.sqrt(2)], rtol=1e-4
    )
    assert np.isnan(forecast.half_widths(few * np.nan)).all()


def test_the_year_ends_with_what_came_and_what_is_to_come():
    values = network(np.random.default_rng(4), 34)
    made = forecast.year_forecast(series(values), "2026-10")
    assert made.so_far == pytest.approx(values[-10:].sum())
    rest = made.months["value"].iloc[:2].sum()
    assert made.year_end["value"] == pytest.approx(made.so_far + rest)
    assert made.year_end["low"] < made.year_end["value"] < made.year_end["high"]
    assert made.method == min(made.tried, key=made.tried.get)
    wider = forecast.year_forecast(series(values), "2026-10", level=0.95)
    assert wider.year_end["low"] < made.year_end["low"]


def test_a_year_that_is_over_is_what_it_was():
    values = network(np.random.default_rng(5), 36)
    made = forecast.year_forecast(series(values, "2026-12"), "2026-12")
    assert set(made.year_end.values()) == {float(values[-12:].sum())}
    assert made.months["month"].iloc[0] == "2027-01"


def test_with_few_months_only_a_run_rate_is_told():
    made = forecast.year_forecast(series([6.0] * 23), "2026-10")
    assert (made.method, made.months.empty) == ("run_rate", True)
    assert made.year_end["value"] == 72 and np.isnan(made.year_end["low"])
    assert forecast.year_forecast(series([6.0] * 24), "2026-10").method == "seasonal_naive"
    assert (
        forecast.year_forecast(series([6.0] * 30), "2026-10", min_history=36).method == "run_rate"
    )


@pytest.mark.parametrize("values", [[], [1.0, 2.0], [0.0] * 30, [-4.0] * 30])
def test_of_nothing_nothing_is_forecast(values):
    made = forecast.year_forecast(series(values), "2026-10")
    assert made.method == "" and made.months.empty and np.isnan(made.year_end["value"])


def test_a_year_that_is_known_in_part_has_no_end():
    made = forecast.year_forecast(series([6.0] * 5), "2026-10")
    assert np.isnan(made.year_end["value"])


def test_smoothing_asks_for_two_years():
    with pytest.raises(ValueError, match="holt_winters: 23 values; it takes 24 at least"):
        holt_winters(np.ones(23), 1)
