"""Silence by a dealer's own rhythm, against a simulation of it."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from helpers import calls
from helpers.calls import silence

DAY = pd.Timestamp("2026-10-31")


def rhythm_of(**dealers: tuple[int, float, float, float, int]) -> pd.DataFrame:
    """Spell out (orders, mean gap, spread, longest gap, days since the last)."""
    rows = [(d, n, m, s, x, DAY - pd.Timedelta(days=z)) for d, (n, m, s, x, z) in dealers.items()]
    columns = ["dealer_id", "n_orders", "mean_gap_days", "gap_spread_days", "longest_gap_days"]
    return pd.DataFrame(rows, columns=[*columns, "last_order_date"])


def silent(**dealers: tuple) -> set[str]:
    rows = calls.silent_dealers(rhythm_of(**dealers), pd.Series(dict.fromkeys(dealers, 1.0)), DAY)
    return set(rows.loc[rows["is_silent"], "dealer_id"])


def test_silence_is_measured_by_the_dealers_own_rhythm():
    found = silent(
        weekly=(120, 7.0, 2.0, 12.0, 40),
        weekly_still=(120, 7.0, 2.0, 12.0, 13),
        quarterly=(9, 91.0, 20.0, 120.0, 100),
        quarterly_gone=(9, 91.0, 20.0, 120.0, 300),
        summer_only=(60, 12.0, 30.0, 170.0, 165),  # as long as last winter
        erratic=(20, 40.0, 45.0, 160.0, 150),
        twice=(2, 30.0, np.nan, 30.0, 300),  # no rhythm to speak of
        daily=(600, 1.5, 1.0, 3.0, 10),  # less than a fortnight
    )
    assert found == {"weekly", "quarterly_gone"}


@pytest.mark.parametrize("spread", [0.25, 0.6, 1.0, 1.5])
@pytest.mark.parametrize("times", [0.5, 1.5, 4.0])
def test_the_chance_is_the_part_of_time_that_lies_so_far_into_a_gap(spread, times):
    """The integral of a gap's survival beyond so many days, ÷ its mean."""
    gap = stats.gamma(1 / spread**2, scale=30 * spread**2)
    beyond, _error = integrate.quad(gap.sf, 30 * times, np.inf)
    told = silence.silence_chance(np.array([30.0 * times]), np.array([30.0]), np.array([spread]))
    assert told[0] == pytest.approx(beyond / 30, abs=1e-9)


def test_nobody_is_silent_of_whom_nothing_is_known():
    none = rhythm_of(a=(1, np.nan, np.nan, np.nan, 400)).head(0)
    assert calls.silent_dealers(none, pd.Series(dtype=float), DAY).empty
    assert silent(a=(1, np.nan, np.nan, np.nan, 400)) == set()


def test_input_is_not_changed():
    rows = rhythm_of(a=(9, 30.0, 5.0, 40.0, 200))
    kept = rows.copy()
    calls.silent_dealers(rows, pd.Series({"a": 1.0}), DAY)
    pd.testing.assert_frame_equal(rows, kept)
