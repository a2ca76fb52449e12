"""Rebates and growth: measured against ranks worked out by hand, and said no surer than it is."""

import math

import numpy as np
import pandas as pd
import pytest

from helpers import periods, words
from helpers.fishbone import incentive

pytestmark = pytest.mark.usefixtures("looks")

PERIOD = "2026-10"
TREE = pd.DataFrame(
    {
        "factor_id": ["f02", "f03"],
        "factor": ["Incentive policy", "Promotion"],
        "metric": ["rebate_rate", "promoted_share"],
    }
)
LEGS = pd.DataFrame({"factor_id": ["f03", "f02"]})


def network(slope: float, n: int = 60, seed: int = 1, n_months: int = 24):
    """Draw dealers whose growth goes along with their rebate by so much."""
    rng = np.random.default_rng(seed)
    rebate = rng.uniform(0, 0.06, n)
    growth = np.exp(slope * (rebate - 0.03) / 0.03 + rng.normal(0, 0.2, n))
    ids = [f"D{i:02d}" for i in range(n)]
    rows = [
        (dealer, month, 100.0 * (growth[i] if month >= "2025-11" else 1))
        for i, dealer in enumerate(ids)
        for month in periods.month_range(PERIOD, n_months)
    ]
    months = pd.DataFrame(rows, columns=["dealer_id", "month", "revenue"])
    return pd.DataFrame({"dealer_id": ids, "rebate_rate": rebate}), months, growth


def test_the_correlation_is_that_of_ranks():
    habits, months, growth = network(0.3)
    found = incentive.rebate_growth(habits, months, PERIOD)
    ranks = pd.DataFrame({"rebate": habits["rebate_rate"], "growth": growth}).rank()
    assert found.correlation == pytest.approx(ranks.corr().iloc[0, 1])
    assert found.n_dealers == 60


@pytest.mark.parametrize(("slope", "key"), [(0.4, "grows"), (-0.4, "shrinks"), (0.0, "unsure")])
def test_it_is_said_as_surely_as_it_is(slope, key):
    habits, months, _ = network(slope)
    found = incentive.rebate_growth(habits, months, PERIOD)
    (said,) = incentive.sentences(LEGS, TREE, found)
    told = {"rho": words.signed(found.correlation, 2), "n": 60}
    assert said == words.say(f"incentive.{key}", factor="Incentive policy", **told)
    assert ("no advice to give more rebate" in said) == (key != "grows")


@pytest.mark.parametrize("short", ["few dealers", "one year", "no rebate", "nothing"])
def test_what_the_data_do_not_tell_is_not_known(short):
    habits, months, _ = network(
        0.4, n=20 if short == "few dealers" else 60, n_months=12 if short == "one year" else 24
    )
    habits = habits.drop(columns="rebate_rate") if short == "no rebate" else habits
    months = months.head(0) if short == "nothing" else months
    found = incentive.rebate_growth(habits, months, PERIOD)
    assert math.isnan(found.correlation)
    (said,) = incentive.sentences(LEGS, TREE, found)
    assert "is not known" in said and "no advice to give more rebate" in said


def test_nothing_is_said_where_no_incentive_is_asked_for():
    habits, months, _ = network(0.4)
    found = incentive.rebate_growth(habits, months, PERIOD)
    assert incentive.sentences(LEGS.head(1), TREE, found) == []
    assert incentive.sentences(LEGS.head(0), TREE, found) == []


def test_false_alarms_are_one_in_twenty():
    """Of sixty networks where rebates buy nothing, at most what chance allows (binomial, 1 %)."""
    p = [incentive.rebate_growth(*network(0.0, 40, s)[:2], PERIOD).p_value for s in range(60)]
    assert np.mean(np.array(p) < incentive.LEVEL) <= 0.15
