"""Months that hang together: what is estimated, corrected and tested, against independent ways."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.profit import serial

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
import sure_rates


def process(seed: int, n: int, months: int, rho: float) -> np.ndarray:
    """Draw series of a stationary first-order process, variance 1."""
    return sure_rates.process(np.random.default_rng(seed), (n, months), rho)


def centred(values: np.ndarray) -> np.ndarray:
    return values - values.mean(axis=1, keepdims=True)


# ---- how months hang together --------------------------------------------------------------------


@pytest.mark.parametrize(("n", "rho"), [(4, 0.0), (12, 0.0), (12, 0.6), (24, 0.3)])
def test_the_expected_ratio_like_simulated_series(n, rho):
    left = centred(process(1, 40_000, n, rho))
    ratio = (left[:, 1:] * left[:, :-1]).sum(axis=1) / (left**2).sum(axis=1)
    expected = np.interp(rho, serial.GRID, serial._expected_ratios(n))
    assert expected == pytest.approx(ratio.mean(), abs=4 * ratio.std() / math.sqrt(len(ratio)))


@pytest.mark.parametrize("rho", [0.0, 0.2, 0.4])
def test_the_bias_begins_as_marriott_and_pope_found(rho):
    """−(1 + 3ρ) ÷ n in the first order: of forty months little is left beyond it."""
    expected = np.interp(rho, serial.GRID, serial._expected_ratios(40))
    # the products are of n − 1 pairs over n squares, which takes another ρ ÷ n
    assert expected - rho == pytest.approx(-(1 + 4 * rho) / 40, abs=0.006)


@pytest.mark.parametrize("months", [12, 24])
@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6, 0.8])
def test_the_estimate_is_right_and_a_little_high(rho, months):
    found = [
        serial.pooled_autocorrelation(
            centred(process(s, 200, months, rho)), np.ones((200, months), bool), np.arange(200)
        )
        for s in range(8)
    ]
    assert rho - 0.02 <= np.mean(found) <= rho + 0.06


def test_what_a_month_does_to_all_is_no_habit_of_one():
    season = 3 * np.sin(2 * np.pi * np.arange(12) / 12)
    alone = centred(process(2, 100, 12, 0.0))
    inside, dealer = np.ones((100, 12), bool), np.arange(100)
    plain = serial.pooled_autocorrelation(alone, inside, dealer)
    assert serial.pooled_autocorrelation(alone + season, inside, dealer) == pytest.approx(
        plain, abs=0.06
    )


def test_a_dealer_of_forty_rivals_has_one_voice():
    calm, lasting = centred(process(3, 50, 12, 0.0)), centred(process(4, 1, 12, 0.95))
    rows = np.vstack([calm, np.repeat(lasting, 400, axis=0)])
    dealer = np.r_[np.arange(50), np.full(400, 50)]
    inside = np.ones(rows.shape, bool)
    assert serial.pooled_autocorrelation(rows, inside, dealer) < 0.2


def test_a_loud_dealer_is_not_heard_louder():
    rows = centred(process(5, 40, 12, 0.0))
    loud = rows.copy()
    loud[0] *= 1e6
    inside, dealer = np.ones(rows.shape, bool), np.arange(40)
    assert serial.pooled_autocorrelation(loud, inside, dealer) == pytest.approx(
        serial.pooled_autocorrelation(rows, inside, dealer)
    )


@pytest.mark.parametrize("value", [0.0, 0.3, 0.6, 0.9])
def test_inflation_is_the_sum_over_all_pairs(value):
    for n in (1, 2, 7, 12, 30):
        pairs = sum(value ** abs(i - j) for i in range(n) for j in range(n)) / n
        assert serial.inflation([n], value)[0] == pytest.approx(pairs)


def test_nothing_that_moves_hangs_together():
    still = np.zeros((3, 12))
    assert serial.pooled_autocorrelation(still, np.ones((3, 12), bool), np.arange(3)) == 0
    none = np.zeros((0, 12))
    assert serial.pooled_autocorrelation(none, none.astype(bool), np.arange(0)) == 0


def test_error_and_freedom_like_those_of_drawn_series():
    """The squares' mean is the variance, and their spread that of as many degrees of freedom."""
    left = centred(process(6, 40_000, 12, 0.5))
    sure = serial.standard_errors(left, np.ones(left.shape, bool), 0.5)
    variance = process(7, 40_000, 12, 0.5).mean(axis=1).var()
    assert (sure.error**2).mean() == pytest.approx(variance, rel=0.02)
    squares = sure.error**2
    assert sure.freedom[0] == pytest.approx(2 * squares.mean() ** 2 / squares.var(), rel=0.05)


def test_unconnected_months_are_students_test():
    rows = process(8, 50, 12, 0.0) + 0.4
    sure = serial.standard_errors(centred(rows), np.ones(rows.shape, bool), 0.0)
    expected = stats.ttest_1samp(rows, 0, axis=1).pvalue
    assert serial.difference_p(rows.mean(axis=1), sure) == pytest.approx(expected)
    margin = np.full(50, 0.5)
    one_sided = [
        stats.ttest_1samp(rows, bound, axis=1, alternative=side).pvalue
        for bound, side in ((-0.5, "greater"), (0.5, "less"))
    ]
    assert serial.equality_p(rows.mean(axis=1), sure, margin) == pytest.approx(
        np.maximum(*one_sided)
    )


@pytest.mark.parametrize(("n", "rho", "borne"), [(4, 0, 1), (3, 0, 0), (12, 0.5, 1), (12, 0.6, 0)])
def test_under_four_effective_months_nothing_is_claimed(n, rho, borne):
    rows = process(9, 5, n, 0.0) + 50
    sure = serial.standard_errors(centred(rows), np.ones(rows.shape, bool), rho)
    assert (~np.isnan(serial.difference_p(rows.mean(axis=1), sure))).all() == bool(borne)
    assert (serial.power(np.full(5, 9.0), sure, 0.05) > 0).all() == bool(borne)


def test_power_is_the_share_found():
    rows = process(10, 20_000, 12, 0.0) + 0.8
    sure = serial.standard_errors(centred(rows), np.ones(rows.shape, bool), 0.0)
    found = (serial.difference_p(rows.mean(axis=1), sure) < 0.05).mean()
    true = serial.Sure(np.array([1 / math.sqrt(12)]), np.array([12.0]), np.array([11.0]))
    assert serial.power(np.array([0.8]), true, 0.05)[0] == pytest.approx(found, abs=0.01)


# ---- many dealers --------------------------------------------------------------------------------


def named_by_hand(p: list[float], q: float) -> int:
    """Step up, as Benjamini & Hochberg wrote it: the largest k whose p is at most q k ÷ m."""
    order = sorted(p)
    return max((k for k, value in enumerate(order, 1) if value <= q * k / len(p)), default=0)


@settings(max_examples=60)
@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=30), st.sampled_from([0.01, 0.05, 0.2]))
def test_the_level_is_that_of_the_step_up(p, q):
    p = np.array(p)
    level = serial.level(p, np.arange(len(p)), np.ones(len(p)), q)
    n_named = named_by_hand(list(p), q)
    assert level == pytest.approx(q * max(n_named, 1) / len(p))
    assert (p <= level * (1 + 1e-9)).sum() == n_named


def test_a_dealer_is_one_of_many_by_his_least_test():
    p = np.array([0.004, 0.9, 0.03, math.nan])
    dealer, n_tests = np.array([0, 0, 1, 2]), np.array([2, 2, 1, 1])
    # of two dealers 0.008 and 0.03: both are named, and who was not tested is none
    assert serial.level(p, dealer, n_tests) == pytest.approx(0.05)
    assert serial.level(np.array([math.nan]), np.array([0]), np.array([1])) == serial.Q


# ---- rates: a sample of the benchmark ------------------------------------------------------------


def test_equal_brands_are_seldom_called_apart():
    """The whole of it: tests/benchmarks/sure_rates.py, 200 networks a cell."""
    for rho in (0.0, 0.6):
        cell = sure_rates.cell(12, rho, n_networks=4, n_dealers=30, seed=3)
        assert cell.false_rate <= 0.05
        assert cell.alone_rate <= 0.05 + 3 * cell.alone_error
        assert cell.old_rate > (0.15 if rho else 0.0)


def test_leads_that_are_there_are_found_and_few_others():
    cell = sure_rates.cell(24, 0.3, n_networks=4, n_dealers=30, seed=4)
    assert cell.power > 0.5
    assert cell.fdr <= 0.1
    assert cell.equal_false <= 0.05
