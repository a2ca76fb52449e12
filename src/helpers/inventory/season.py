"""Season: how the coming weeks will sell against the last ones, category by category."""

import numpy as np
import pandas as pd

from helpers import periods

MIN_PIECES = 30  # of a category, in both spans: fewer tell no season
LIMITS = (0.2, 5.0)  # nothing is taken to change more
MAX_LAG = 90  # days between sell-in and sale, at most
COLUMNS = ["category", "coming", "ahead", "season_basis"]


def coming(
    sold: pd.DataFrame,
    bought: pd.DataFrame,
    as_of,
    *,
    pace_days: int,
    cover_days: int,
    lags: pd.Series | None = None,
) -> pd.DataFrame:
    """Say by what the last days' sales are to be multiplied to tell those of the coming days.

    By last year's same weeks: what all dealers sold of the category in the `cover_days` after the
    same day a year before, per day, ÷ what they sold in the last `pace_days`, and the growth of
    sell-in on top. Where sales do not reach a year back, by the season of sell-in over the whole
    years known, put off by the days that goods lie (`lags`): unlagged sell-in tells it worse than
    no season at all. 1 where neither is known.

    Parameters
    ----------
    sold, bought
        From `data.category_days` and `data.seasons`; what is later than `as_of` does not count.
    lags
        Days from sell-in to sale by category; 0 where not given.

    Returns
    -------
    DataFrame
        One row per category: `coming` (the next `cover_days`), `ahead` (as many days as
        `pace_days`), `season_basis` ("last_year", "sell_in" or "").
    """
    as_of = pd.Timestamp(as_of)
    sold = sold[sold["date"] <= as_of]
    bought = bought[bought["month"] <= f"{as_of:%Y-%m}"]
    names = sorted({*sold["category"], *bought["category"]})
    rows = []
    for name in names:
        own = sold[sold["category"] == name].groupby("date")["sold"].sum()
        sums = bought[bought["category"] == name].groupby("month")["bought"].sum()
        reach = sold["date"].min()
        told = [
            _last_year(own, reach, as_of, pace_days, n, _growth(sums, as_of))
            for n in (cover_days, pace_days)
        ]
        basis = "last_year"
        if np.isnan(told).any():
            basis, lag = "sell_in", 0 if lags is None else float(lags.get(name, 0))
            told = [_by_sell_in(sums, as_of, pace_days, n, lag) for n in (cover_days, pace_days)]
        if np.isnan(told).any():
            basis, told = "", [1.0, 1.0]
        rows.append((name, *np.clip(told, *LIMITS), basis))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"category": "str", "season_basis": "str"})


def _last_year(
    own: pd.Series, reach: pd.Timestamp, as_of: pd.Timestamp, pace: int, n_days: int, growth: float
) -> float:
    """Set last year's coming days against the last ones; NaN where they are not known."""
    then = as_of - pd.DateOffset(years=1)
    if pd.isna(reach) or reach > then + pd.Timedelta(days=1) or n_days > 365:
        return np.nan
    next_ = own[(own.index > then) & (own.index <= then + pd.Timedelta(days=n_days))].sum()
    last = own[own.index > as_of - pd.Timedelta(days=pace)].sum()
    if min(next_, last) < MIN_PIECES:
        return np.nan
    return float((next_ / n_days) / (last / pace) * growth)


def _growth(sums: pd.Series, as_of: pd.Timestamp) -> float:
    """Tell how sell-in of the last twelve months grew over the twelve before; 1 if not known."""
    span = periods.month_range(f"{as_of:%Y-%m}", 24)
    if sums.empty or sums.index.min() > span[0]:
        return 1.0
    months = sums.reindex(span, fill_value=0.0)
    before, now = months.iloc[:12].sum(), months.iloc[12:].sum()
    return float(np.clip(now / before, 0.5, 2.0)) if before > 0 and now > 0 else 1.0


def _by_sell_in(sums: pd.Series, as_of: pd.Timestamp, pace: int, n_days: int, lag: float) -> float:
    """Set the season of the coming days against that of the last ones, as sell-in tells it."""
    if sums.empty:
        return np.nan
    known = periods.month_range(f"{as_of:%Y-%m}", 120)
    known = [month for month in known if month >= sums.index.min()]
    n_years = len(known) // 12
    if not n_years:
        return np.nan
    years = sums.reindex(known[-12 * n_years :], fill_value=0.0).to_numpy().reshape(n_years, 12)
    totals = years.sum(axis=1, keepdims=True)
    if (totals <= 0).any():
        return np.nan
    shares = (years / totals).mean(axis=0)
    index = np.empty(12)
    index[[int(month[5:]) - 1 for month in known[-12:]]] = shares
    days = pd.date_range(as_of - pd.Timedelta(days=pace - 1), periods=pace + n_days)
    days = days - pd.Timedelta(days=round(min(lag, MAX_LAG)))
    level = np.asarray(index[days.month - 1] / days.days_in_month)
    last = level[:pace].mean()
    return float(level[pace:].mean() / last) if last > 0 else np.nan


def lags(aged: pd.DataFrame, flows: pd.DataFrame, models: pd.DataFrame) -> pd.Series:
    """Estimate the days from sell-in to sale by category: pieces on hand ÷ pieces sold a day, of
    all dealers whose sales are told.
    """
    kinds = categories(models)
    known = flows[flows["sold"].notna()]
    here = aged[aged["dealer_id"].isin(known["dealer_id"])]
    there = here.groupby(here["product_id"].map(kinds).fillna(""))["quantity"].sum()
    sold = known.groupby(known["product_id"].map(kinds).fillna(""))["sold"].sum()
    days = float(known["n_days"].max()) if "n_days" in known and len(known) else np.nan
    found = there / (sold.where(sold > 0) / days)
    return found.dropna().clip(0, MAX_LAG)


def categories(models: pd.DataFrame) -> pd.Series:
    """Give each model's category, as text, by its number."""
    return models.drop_duplicates("product_id").set_index("product_id")["category"].fillna("")


def with_season(flows: pd.DataFrame, seasons: pd.DataFrame, models: pd.DataFrame) -> pd.DataFrame:
    """Put `coming` and `ahead` of each model's category beside what was sold of it; else 1."""
    kinds = flows["product_id"].map(categories(models)).fillna("")
    by = seasons.set_index("category")
    told = {c: kinds.map(by[c]).astype(float).fillna(1.0) for c in ("coming", "ahead")}
    return flows.assign(**told)
