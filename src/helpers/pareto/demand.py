"""Demand: whose buying is regular once the season is taken out (XYZ)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from helpers import periods, words

# coefficient of variation of monthly revenue up to which demand is X, then Y; else Z
XYZ_CUTS = (0.5, 1.0)
XYZ_MONTHS = 6  # of a dealer, in the window, below which his demand is too short to tell
SEASON_MONTHS = 24  # of the network: the moving average leaves twelve, one of each calendar month
YEAR = 12


def season_index(months: pd.DataFrame, period: str) -> pd.Series:
    """Tell the network's season: what a calendar month usually is of an average one.

    Ratio to the centred moving average of twelve months, its mean over the years of each calendar
    month, scaled to a mean of 1.

    Parameters
    ----------
    months
        Each dealer's `revenue` by `month`, as far back as the data reach.

    Returns
    -------
    Series
        Indexed "01" to "12"; empty where fewer than `SEASON_MONTHS` are known up to the period, or
        the network did not sell in every calendar month.

    Source: classical multiplicative decomposition, Hyndman and Athanasopoulos, Forecasting:
    Principles and Practice, 3rd ed. (2021), 3.4.
    """
    sums = months[months["month"] <= period].groupby("month")["revenue"].sum()
    sold = sums.index[sums > 0]
    none = pd.Series(dtype="float64")
    if not len(sold):
        return none
    start = str(sold.min())
    n = YEAR * (int(period[:4]) - int(start[:4])) + int(period[5:]) - int(start[5:]) + 1
    if n < SEASON_MONTHS:
        return none
    line = sums.reindex(periods.month_range(period, n), fill_value=0.0).astype("float64")
    weights = np.r_[0.5, np.ones(YEAR - 1), 0.5] / YEAR
    usual = pd.Series(
        np.convolve(line, weights, mode="valid"), index=line.index[YEAR // 2 : -(YEAR // 2)]
    )
    ratio = (line.reindex(usual.index) / usual.where(usual > 0)).dropna()
    index = ratio.groupby(ratio.index.str[5:]).mean()
    if len(index) < YEAR or not (index > 0).all():
        return none
    return index / index.mean()


def demand_variability(
    months: pd.DataFrame,
    period: str,
    n_months: int = YEAR,
    *,
    cuts: Sequence[float] = XYZ_CUTS,
    least_months: int = XYZ_MONTHS,
) -> pd.DataFrame:
    """Class the regularity of demand (XYZ), free of the network's season.

    The coefficient of variation of monthly revenue ÷ `season_index` over the window: X below the
    first of `cuts`, Y below the second, else Z.

    Months without a purchase count as zero, those before the dealer's first do not. Fewer than
    `least_months` of them, a season that is not known, or a mean of zero or less, is "–": what is
    too short to tell is neither regular nor not. Columns: `dealer_id`, `n_months` (known in the
    window), `variation`, `variability`.
    """
    window, season = periods.month_range(period, n_months), season_index(months, period)
    inside = months[months["month"].isin(window)]
    wide = inside.pivot_table(
        index="dealer_id", columns="month", values="revenue", aggfunc="sum", fill_value=0.0
    )
    wide = wide.reindex(columns=window, fill_value=0.0)
    first = months[months["revenue"] > 0].groupby("dealer_id")["month"].min().reindex(wide.index)
    known = np.array([[month >= start for month in window] for start in first.fillna("9999-12")])
    known = known.reshape(wide.shape).astype(bool)  # of nobody, too
    usual = season.reindex([month[5:] for month in window]).to_numpy("float64")
    values = np.where(known, wide.to_numpy() / usual, np.nan)
    n = known.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(values, axis=1) / n
        deviation = np.sqrt(np.nansum((values - mean[:, None]) ** 2, axis=1) / n)
        told = (n >= least_months) & (mean > 0) & (len(season) > 0)
        variation = np.where(told, deviation / mean, np.nan).round(9)  # 0.4999… is 0.5
    letters = np.select(
        [np.isnan(variation), variation < cuts[0], variation < cuts[1]],
        ["–", "X", "Y"],
        default="Z",
    )
    return pd.DataFrame(
        {"dealer_id": wide.index, "n_months": n, "variation": variation, "variability": letters}
    )


def regularity_table(judged: pd.DataFrame, demand: pd.DataFrame) -> pd.DataFrame:
    """Count dealers by class (rows) and regularity of demand (X, Y, Z; columns).

    Which plans can be trusted.

    No rows where nobody's regularity is known.
    """
    both = judged[["dealer_id", "composite_class"]].merge(demand, on="dealer_id", how="left")
    if both["variability"].isin(["X", "Y", "Z"]).sum() == 0:
        both = both.head(0)
    counts = pd.crosstab(both["composite_class"], both["variability"].fillna("–"))
    kinds = ["X", "Y", "Z", *(["–"] if "–" in counts else [])]
    return counts.reindex(columns=kinds, fill_value=0).reset_index().rename_axis(columns=None)


def demand_sentences(
    demand: pd.DataFrame, season: pd.Series, least_months: int = XYZ_MONTHS
) -> list[str]:
    """Say which season was taken out, and of how many dealers too little is known to tell.

    Takes `demand_variability` and `season_index`.
    """
    if season.empty:
        return [words.say("demand.no_season", least=SEASON_MONTHS)]
    low, high = season.idxmin(), season.idxmax()
    said = [
        words.say(
            "demand.season",
            low=float(season[low]),
            low_month=words.label(f"month_{int(low)}"),
            high=float(season[high]),
            high_month=words.label(f"month_{int(high)}"),
        )
    ]
    short = int((demand["n_months"] < least_months).sum())
    return [*said, words.say("demand.short", n=short, least=least_months)] if short else said
