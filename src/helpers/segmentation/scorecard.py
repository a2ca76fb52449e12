"""Scorecard: which shop should join next, by what present dealers like it bring."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from helpers import look, words
from helpers.segmentation.kinds import NOT_STATED, OTHER, UNDECIDED, nothing, stated, with_totals
from helpers.segmentation.territory import PLACE, coverage, number, placed, ranked_axis

MIN_DEALERS = 30  # present dealers a scorecard is estimated from
MIN_PER_FORMAT = 5  # rarer formats are weighted together
FOLDS, INTERVAL = 10, (0.1, 0.9)
N_DRAWS = 2_000  # of the candidates' sum
FEATURES = ["floor_area_m2", "population", "n_dealers_in_city"]
# of the ranking; people may have a column of such a name, too
COMPUTED = (
    "rank",
    "population",
    "n_active",
    "n_dealers_in_city",
    "expected_revenue",
    "expected_low",
    "expected_high",
    "missing",
    "hand_score",
)
CANDIDATE_COLUMNS = [
    "candidate_id",
    "candidate_name",
    "region",
    "city",
    "store_format",
    "floor_area_m2",
]
CANDIDATES_SHOWN = 15


class Scorecard(NamedTuple):
    """The weights estimated from present dealers, and the candidates ranked by them.

    `weights`: feature, weight (standardised: change of log revenue for one standard deviation
    more), n_dealers, r2. `ranked`: rank, the candidate's columns, population, n_dealers_in_city,
    expected_revenue with expected_low and expected_high, hand_score where weights were given, and
    `missing`, the features without which there is no estimate, parted by blanks (`in_words` names
    them). `reason`: "" or why there is no estimate ("few": too few dealers; "weak": R² not above
    zero). `together`: what the estimated ones would bring in sum, with its interval (`n`, `value`,
    `low`, `high`; empty without an estimate).
    """

    weights: pd.DataFrame
    ranked: pd.DataFrame
    n_dealers: int
    r2: float
    reason: str
    together: dict[str, float]


def candidate_scorecard(
    candidates: pd.DataFrame,
    dealers: pd.DataFrame,
    totals: pd.DataFrame,
    regions: pd.DataFrame,
    weights: Mapping[str, float] | None = None,
) -> Scorecard:
    """Rank candidates by the revenue that present dealers like them bring.

    A ridge regression of log revenue on log floor area, log population and log number of our other
    dealers of the city and on the format (as `store_formats` decides it), re-estimated whenever it
    is called. A feature is used if half of the active dealers have it. The expected revenue is the
    mean one of such shops in a year, so that expectations may be added up: the logarithm's estimate
    turned back times the mean of the turned-back cross-validated residuals (Duan's smearing), for
    without it a sum of typical shops misses the few large ones. Its interval holds 80 % of present
    dealers; dealers that joined within the window pull it down. With fewer than
    30 usable dealers, or a cross-validated R² not above zero, nothing is estimated.

    Scored 0–10 columns of `candidates` are shown, but present dealers have no such scores, so no
    weight can be estimated for them: they count only through `weights` given by hand (column →
    weight), and then the ranking goes by their weighted mean, `hand_score`. A column of theirs that
    is called as one of `COMPUTED` is shown as `<name>_given`.

    Source: Duan, Smearing estimate: a nonparametric retransformation method, JASA 78 (1983),
    605–610.

    Raises
    ------
    ValueError
        If `weights` name a column that is no score of the candidates, or are negative or sum to
        zero.
    """
    taken = {column: f"{column}_given" for column in COMPUTED if column in candidates}
    candidates = candidates.rename(columns=taken)
    if weights is not None:
        weights = {taken.get(column, column): weight for column, weight in weights.items()}
    cities = coverage(dealers, totals, regions)
    present = _features(
        with_totals(dealers, totals).query("is_active and dealer_id.notna()"), cities, own=1
    )
    wanted = _features(candidates.reset_index(drop=True), cities)
    numeric = [c for c in FEATURES if present[c].notna().mean() >= 0.5]
    present = present.dropna(subset=numeric).sort_values("dealer_id")
    estimate, table, r2, residuals = _ridge(
        *_design(present, wanted, numeric), np.log(present["revenue"].to_numpy(float))
    )
    reason = "few" if len(present) < MIN_DEALERS else "" if r2 > 0 else "weak"
    shown = [
        c for c in dict.fromkeys([*CANDIDATE_COLUMNS, *FEATURES[1:], *candidates]) if c != "region"
    ]
    ranked = wanted.reindex(columns=shown)
    revenue = estimate * np.nan if reason else smeared(estimate, residuals)
    ranked[list(revenue)] = revenue
    ranked["missing"] = [
        " ".join(c for c in numeric if pd.isna(row[c])) for row in wanted.to_dict("records")
    ]
    order = "expected_revenue"
    if weights is not None:
        order, ranked["hand_score"] = "hand_score", _hand_score(candidates, weights).to_numpy()
    ranked.insert(0, "rank", ranked[order].rank(ascending=False, method="min").astype("Int64"))
    return Scorecard(
        table,
        ranked.sort_values(["rank", "candidate_id"], ignore_index=True),
        len(present),
        r2,
        reason,
        {} if reason else sum_of(estimate["expected_revenue"].dropna(), residuals),
    )


def smeared(estimate: pd.DataFrame, residuals: np.ndarray) -> pd.DataFrame:
    """Turn estimates on the log scale into money: the mean, and both ends of the interval.

    >>> flat = pd.DataFrame({"expected_revenue": [0.0], "expected_low": [0.0]})
    >>> smeared(flat, np.log([1.0, 3.0])).iloc[0].round(6).tolist()
    [2.0, 1.0]
    """
    made = np.exp(estimate)
    return made.assign(expected_revenue=made["expected_revenue"] * np.exp(residuals).mean())


def sum_of(
    estimate: pd.Series, residuals: np.ndarray, *, n_draws: int = N_DRAWS, seed: int = 0
) -> dict[str, float]:
    """Add expectations up, with the 80 % interval of the sum; nothing of nobody.

    Each draw takes as many present dealers' residuals as there are, with repetition, and of these
    one for each shop: shops differ by chance, and how much they do is itself known from so many.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 17.
    """
    if estimate.empty:
        return {}
    typical, rng = np.exp(estimate.to_numpy()), np.random.default_rng(seed)
    off, n = np.exp(residuals), len(residuals)
    sums = np.empty(n_draws)
    for i in range(n_draws):
        drawn = off[rng.integers(0, n, n)]
        sums[i] = typical @ drawn[rng.integers(0, n, len(typical))]
    low, high = np.quantile(sums, INTERVAL)
    value = float(typical.sum() * off.mean())
    return {"n": len(typical), "value": value, "low": float(low), "high": float(high)}


def scorecard_basis(card: Scorecard) -> list[str]:
    """Say what the ranking rests on and what all candidates would bring, or why there is none."""
    if card.ranked.empty:
        return [words.say("segmentation.scorecard_none")]
    said = words.say(
        f"segmentation.scorecard_{card.reason}".rstrip("_"),
        n=card.n_dealers,
        least=MIN_DEALERS,
        r2=card.r2,
        share=words.percent(card.r2),
    )
    together = [words.say("segmentation.together", **card.together)] if card.together else []
    return [said, *together]


def in_words(ranked: pd.DataFrame) -> pd.DataFrame:
    """Name the features that candidates are `missing` in the reader's language."""
    told = ranked["missing"].map(lambda codes: ", ".join(map(words.label, codes.split())))
    return ranked.assign(missing=told.astype(object))


def candidate_columns(ranked: pd.DataFrame) -> list[str]:
    """Name the columns of a scorecard's `ranked` worth printing, the estimate before what it rests
    on.
    """
    spoken = ranked.replace("", np.nan).notna().any()
    named = ranked["candidate_name"].notna().all()
    said = [c for c in ranked if spoken[c] and not (named and c == "candidate_id")]
    first = [
        "rank",
        "candidate_id",
        "candidate_name",
        "city",
        "expected_revenue",
        "expected_low",
        "expected_high",
    ]
    return [c for c in first if c in said] + [c for c in said if c not in first]


# ---- plots ---------------------------------------------------------------------------------------


def plot_candidates(
    ranked: pd.DataFrame, *, ax: Axes | None = None, note: str = "", source: str = ""
) -> Axes:
    """Draw the candidates' expected revenue as a dot on the interval that holds four of five shops
    like them.
    """
    shown = ranked[ranked["expected_revenue"].notna()].head(CANDIDATES_SHOWN).reset_index(drop=True)
    if shown.empty:
        return nothing(ax, "scorecard_none" if ranked.empty else "no_estimate")
    ax = look.axes(height=1.5 + 0.27 * max(len(shown), 2)) if ax is None else ax
    ax.hlines(
        shown.index,
        shown["expected_low"],
        shown["expected_high"],
        color=look.COLORS["muted"],
        linewidth=5,
    )
    ax.plot(shown["expected_revenue"], shown.index, "o", markersize=7, color=look.COLORS["accent"])
    names = shown["candidate_name"].fillna(shown["candidate_id"].astype(str))
    ax.set_yticks(
        shown.index,
        [
            f"{name} · {city}" if pd.notna(city) else name
            for name, city in zip(names, shown["city"], strict=True)
        ],
    )
    ax.set_xlim(left=0)
    ranked_axis(ax, len(shown), "expected_revenue")
    best = shown.loc[shown["expected_revenue"].idxmax()]
    low, high = (
        words.money(best[column], unit=False) for column in ("expected_low", "expected_high")
    )
    title = words.say(
        "segmentation.title_candidates",
        name=names[best.name],
        expected=best["expected_revenue"],
        low=low,
        high=high,
    )
    return look.explain(ax, title, note, source)


# ---- steps ---------------------------------------------------------------------------------------


def _features(rows: pd.DataFrame, cities: pd.DataFrame, own: int = 0) -> pd.DataFrame:
    """Add what the scorecard looks at; a present dealer is not his `own` neighbour."""
    rows = placed(rows, cities).drop(columns=["population", "n_dealers_in_city"], errors="ignore")
    rows = rows.merge(cities[[*PLACE, "population", "n_active"]], "left", PLACE)
    # a city in none of our tables has no dealer of ours; one of several of that name could be any
    others = rows.pop("n_active").where(rows["city"].isin(cities["city"]), 0) - own
    rows["n_dealers_in_city"] = others.where(rows["city"] != NOT_STATED)
    rows["city"] = rows["city"].replace(NOT_STATED, None)
    rows["floor_area_m2"] = number(rows["floor_area_m2"])
    return rows.assign(store_format=stated(rows["store_format"]).replace(NOT_STATED, UNDECIDED))


def _design(
    present: pd.DataFrame, wanted: pd.DataFrame, numeric: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lay out both tables as numbers.

    A format that no present dealer has counts as the average one.
    """
    common = present["store_format"].value_counts()
    common = sorted(common[common >= MIN_PER_FORMAT].index)
    dummies, made = [*common, OTHER], []
    for rows in (present, wanted):
        code = rows["store_format"].where(rows["store_format"].isin(common), OTHER)
        x = {c: np.log1p(rows[c].astype(float)) for c in numeric}
        made.append(
            pd.DataFrame(x | {f: code.eq(f).astype(float) for f in dummies}, index=rows.index)
        )
    x, wanted_x = made
    if not x[OTHER].any():
        wanted_x.loc[wanted_x[OTHER] == 1, dummies] = x[dummies].mean().to_numpy()
    varied = x.columns[x.max() > x.min()]
    return x[varied], wanted_x[varied]


def _ridge(
    x: pd.DataFrame, wanted: pd.DataFrame, y: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame, float, np.ndarray]:
    """Fit; return the candidates' log revenue with its interval, the weights, R² on dealers held
    out, and their residuals.
    """
    estimate = pd.DataFrame(
        np.nan, wanted.index, ["expected_revenue", "expected_low", "expected_high"]
    )
    table = pd.DataFrame(
        {"feature": x.columns.astype(str), "weight": np.nan, "n_dealers": len(x), "r2": np.nan}
    )
    if len(x) < MIN_DEALERS or x.shape[1] == 0 or np.ptp(y) == 0:
        r2 = 0.0 if len(x) >= MIN_DEALERS else float("nan")
        return estimate, table.iloc[:0], r2, np.empty(0)
    model = make_pipeline(StandardScaler(), RidgeCV(alphas=np.logspace(-2, 3, 11)))
    residuals = y - cross_val_predict(model, x, y, cv=KFold(FOLDS, shuffle=True, random_state=0))
    r2 = float(1 - (residuals**2).sum() / ((y - y.mean()) ** 2).sum())
    model.fit(x, y)
    known = wanted.notna().all(axis=1)
    if known.any():
        low, high = np.quantile(residuals, INTERVAL)
        estimate.loc[known] = model.predict(wanted[known])[:, None] + [0, low, high]
    table = table.assign(weight=model[-1].coef_, r2=r2)
    table = table.sort_values("weight", key=abs, ascending=False, ignore_index=True)
    return estimate, table, r2, residuals


def _hand_score(candidates: pd.DataFrame, weights: Mapping[str, float]) -> pd.Series:
    """Weigh the given scores by hand; without any candidate there is nothing to check."""
    scores = [c for c in candidates.select_dtypes("number") if c not in CANDIDATE_COLUMNS]
    for name, weight in weights.items():
        if name not in scores:
            raise ValueError(
                f"weights: candidates have no score {name!r}; they have "
                f"{', '.join(scores) or 'none'}"
            )
        if weight < 0:
            raise ValueError(f"weights: {name!r} is {weight}; a weight is zero or more")
    if not sum(weights.values()):
        raise ValueError("weights: they sum to zero; give at least one a weight")
    return sum(candidates[name] * weight for name, weight in weights.items()) / sum(
        weights.values()
    )
