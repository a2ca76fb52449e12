"""Incentive: whether rebates go along with growth, before anybody reads a weak incentive as advice
to give more of them.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from helpers import periods, words

METRIC = "rebate_rate"
MIN_DEALERS = 30  # with a rebate and two years: fewer tell nothing of a policy
LEVEL = 0.05


class Growth(NamedTuple):
    """Rank correlation of dealers' rebate rates with their growth, its p-value, and of how many
    dealers; NaN where fewer than `MIN_DEALERS` tell.
    """

    correlation: float
    p_value: float
    n_dealers: int


def rebate_growth(habits: pd.DataFrame, months: pd.DataFrame, period: str) -> Growth:
    """Measure how far dealers who get more rebate, per unit of revenue, grew more (Spearman).

    Parameters
    ----------
    habits
        `dealer_id`, `rebate_rate`.
    months
        `dealer_id`, `month`, `revenue`: growth is the twelve months to the period over the twelve
        before. Who bought nothing in either has none, and a year that began before the data is
        none.

    Source: Spearman (1904), The proof and measurement of association between two things, American
    Journal of Psychology 15(1).
    """
    none = Growth(np.nan, np.nan, 0)
    before = periods.month_range(periods.shift(period, -12), 12)
    if METRIC not in habits or months.empty or months["month"].min() > before[0]:
        return none
    now = periods.month_range(period, 12)
    sums = [
        months[months["month"].isin(year)].groupby("dealer_id")["revenue"].sum()
        for year in (before, now)
    ]
    both = pd.concat(sums, axis=1, keys=["then", "now"]).dropna()
    both = both[(both > 0).all(axis=1)]
    rebate = habits.set_index("dealer_id")[METRIC].reindex(both.index)
    known = rebate.notna()
    n = int(known.sum())
    if n < MIN_DEALERS or rebate[known].nunique() < 2:
        return none._replace(n_dealers=n)
    growth = (both["now"] / both["then"])[known]
    found = stats.spearmanr(rebate[known], growth)
    return Growth(float(found.statistic), float(found.pvalue), n)


def sentences(legs: pd.DataFrame, tree: pd.DataFrame, found: Growth) -> list[str]:
    """Say, where the climb asks for a better incentive whose metric is the rebate, whether more of
    it goes along with more growth; nothing where it does not ask.
    """
    by_rebate = tree.loc[tree["metric"] == METRIC, "factor_id"]
    asked = legs.loc[legs["factor_id"].isin(by_rebate), "factor_id"]
    if asked.empty:
        return []
    names = tree.set_index("factor_id")["factor"]
    told = {"factor": names[asked.iloc[0]], "n": found.n_dealers}
    if np.isnan(found.correlation):
        return [words.say("incentive.unknown", **told)]
    sure = found.p_value < LEVEL
    key = "unsure" if not sure else "grows" if found.correlation > 0 else "shrinks"
    return [words.say(f"incentive.{key}", rho=words.signed(found.correlation, 2), **told)]
