"""How steep, and how surely, where months hang together: against drawn series and other tests."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau, ttest_rel

from helpers.profit import slopes

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
import sure_rates


def process(seed: int, n: int, months: int, rho: float) -> np.ndarray:
    return sure_rates.process(np.random.default_rng(seed), (n, months), rho)


def signs(rows: np.ndarray) -> np.ndarray:
    first, later = np.triu_indices(rows.shape[1], 1)
    return np.sign(rows[:, later] - rows[:, first]).sum(axis=1)


@pytest.mark.parametrize(("n", "rho"), [(8, 0.0), (12, 0.3), (12, 0.6), (12, 0.8), (24, 0.6)])
def test_kendalls_s_strays_as_drawn_series_do(n, rho):
    drawn = signs(process(1, 20_000, n, rho)).std()
    assert slopes.kendall_spread(n, rho) == pytest.approx(drawn, rel=0.02)


def test_the_test_of_a_slope_is_mann_and_kendalls():
    rows = process(2, 6, 12, 0.0)
    taus = [kendalltau(np.arange(12), row) for row in rows]
    found = slopes.slope_p(rows, 0.0, (0.0,))
    counts = np.array([tau.statistic * 66 for tau in taus])
    assert signs(rows) == pytest.approx(counts)
    z = (np.abs(counts) - 1) / np.sqrt(12 * 11 * 29 / 18)
    assert found == pytest.approx(np.array([2 * sure_rates.stats.norm.sf(x) for x in z]))
    # SciPy's exact chance is near it
    assert found == pytest.approx(np.array([tau.pvalue for tau in taus]), abs=0.03)


def test_a_row_between_two_slopes_is_neither():
    rows = np.linspace(0, 0.5, 12)[None, :]  # rises, but less than the other
    assert slopes.slope_p(rows, 0.0, (0.0, 0.1)).tolist() == [1.0]
    assert slopes.slope_p(rows, 0.0, (0.0, 0.01))[0] < 0.001
    assert np.isnan(slopes.slope_p(rows, 0.9, (0.0,))).all()


def test_a_step_strays_as_drawn_series_do():
    for rho, far in ((0.0, 0.01), (0.3, 0.012)):
        years = process(3, 20_000, 24, rho)
        p = slopes.step_p(years[:, :12], years[:, 12:], rho, (0.0,))
        assert (p < 0.05).mean() == pytest.approx(0.05, abs=far)
    before, now = process(4, 50, 12, 0.0), process(5, 50, 12, 0.0) - 2
    found = slopes.step_p(before, now, 0.0, (0.0,))
    pairs = ttest_rel(before[:, -6:], now[:, -6:], axis=1).pvalue  # five degrees of freedom, not 20
    assert np.median(found) < np.median(pairs) < 0.05
    before[0, 7] = np.nan
    assert np.isnan(slopes.step_p(before, now, 0.0, (0.0,))[0])


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6])
def test_what_slips_is_no_autocorrelation(rho):
    """A slope, a step and what the month did to all are taken out; the bias of that, too."""
    rows = process(6, 400, 24, rho)
    rows[:150] -= np.arange(24) / 2
    rows[150:300, 18:] += 4
    rows += 3 * np.cos(np.arange(24) / 12 * 2 * np.pi)
    found = slopes.autocorrelation([rows[:, :12], rows[:, 12:]])
    assert rho <= found + 0.03 and found == pytest.approx(rho, abs=0.1)


def test_months_without_chance_do_not_hang_together():
    level = np.full((3, 12), 0.16)
    falls = level - np.arange(12) / 100
    broken = np.where(np.arange(12) < 6, level, 0.1)
    assert slopes.autocorrelation([level, falls]) == 0.0
    assert slopes.autocorrelation([level, broken]) == 0.0
    assert slopes.autocorrelation([np.full((2, 12), np.nan)] * 2) == 0.0


def test_level_margins_are_seldom_said_to_move():
    """The whole of it: tests/benchmarks/sure_rates.py --only margins, 200 networks a cell."""
    for months, rho in ((12, 0.0), (24, 0.6), (30, 0.8)):
        found = sure_rates.moves(months, rho, n_networks=4, n_dealers=80, seed=3)
        assert found.false_rate <= 0.01
        assert found.fdr <= 0.15
        assert found.old_rate > 0.03 or not rho
    assert sure_rates.moves(24, 0.0, n_networks=2, n_dealers=80, seed=4).worn > 0.6
