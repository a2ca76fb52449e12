"""Association: how each factor's metric goes along with what dealers earn."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_predict

from helpers import look, words
from helpers.fishbone.tree import as_text

# metrics that are part of what they would explain
FROM_PROFIT = ("rebate_rate", "dealer_margin_rate")
MIN_DEALERS = 30
MIN_KNOWN = 0.5  # part of the dealers of whom a metric must be known; the others get its median
SKEWED = 1.0  # skewness from which an all-positive metric is taken as its logarithm
# per dealer; the largest halves a coefficient, more would hide all in zero
PENALTIES = np.logspace(-4, 0, 9)
# dealers beyond so many are resampled in random blocks, which costs no more
N_FOLDS, N_BLOCKS = 5, 2000


class Profit(NamedTuple):
    """Table of `profit_weights`, its R² on dealers held out, and how many dealers it rests on."""

    table: pd.DataFrame
    r2: float
    n_dealers: int


def profit_weights(
    features: pd.DataFrame,
    tree: pd.DataFrame,
    *,
    target: str = "dealer_margin_rate",
    controls: Sequence[str] = (),
    seed: int = 0,
    n_resamples: int = 2000,
) -> Profit:
    """Estimate weights from how the factors' metrics go along with what dealers earn.

    Association, not cause.

    A ridge regression of the target on the metrics, each standardised over the dealers; an
    all-positive metric with a skewness above `SKEWED` is taken as its logarithm, unknown values are
    its median. The penalty is chosen by cross-validation; it shrinks coefficients towards zero, and
    their intervals with them. Intervals are percentile bootstraps over dealers under that penalty,
    expanded for small samples (Hesterberg 2015, The American Statistician 69(4)) and widened
    (Bonferroni) so that with 95 % all of them together hold: fifteen single ones would call chance
    evident every other time.

    Parameters
    ----------
    features
        One row per dealer: the metrics, the target, and the controls; dealers without the target
        are left out.
    controls
        Columns (numbers or text) whose linear effect is taken out of target and metrics beforehand.

    Returns
    -------
    Profit
        `r2` is that of dealers held out (five folds, after the controls). The table has a row per
        leaf: `factor_id`, `metric`, `coefficient` (of the target's units per standard deviation,
        turned so that positive means the better direction goes with a higher target), `low`,
        `high`, `weight` (evident positive coefficients scaled to sum 1, the others 0), `used`,
        `reason` why not ("no_metric", "derived_from_profit", "repeated_metric", "few_values",
        "constant", "few_dealers"), `evident` (the interval excludes zero).

    Raises
    ------
    ValueError
        If the target, a control or a metric is no column of the features.
    """
    _require_columns(features, tree, [target, *controls])
    known = features[features[target].notna()]
    table = _candidates(known, tree, target)
    used = table[table["used"]]
    blank = {
        "coefficient": math.nan,
        "low": math.nan,
        "high": math.nan,
        "weight": 0.0,
        "evident": False,
    }
    table = table.assign(**blank)
    r2 = math.nan
    if len(used):
        metrics = pd.concat([_straight(known[m]) for m in used["metric"]], axis=1).to_numpy()
        metrics, y = _without(known[list(controls)], metrics, known[target].to_numpy("float64"))
        fitted, r2 = _ridge(metrics, y, seed)
        draws = _resampled_ridge(metrics, y, fitted, seed, n_resamples)
        sign = np.where(used["better"] == "low", -1.0, 1.0)
        bounds = _joint_bounds(draws, fitted[0], len(y))
        table.loc[used.index, "coefficient"] = fitted[0] * sign
        table.loc[used.index, ["low", "high"]] = np.sort(bounds * sign, axis=0).T
        table["evident"] = (table["low"] > 0) | (table["high"] < 0)
        positive = table["coefficient"].where(table["evident"], 0.0).clip(lower=0.0)
        table["weight"] = positive / positive.sum() if positive.sum() > 0 else 0.0
    columns = [
        "factor_id",
        "metric",
        "coefficient",
        "low",
        "high",
        "weight",
        "used",
        "reason",
        "evident",
    ]
    return Profit(table[columns], r2, len(known))


def _require_columns(features: pd.DataFrame, tree: pd.DataFrame, wanted: list[str]) -> None:
    known = [c for c in features.columns if c != "dealer_id"]
    metrics = as_text(tree.loc[tree["is_leaf"].astype(bool), "metric"])
    if missing := [c for c in [*wanted, *metrics[metrics != ""]] if c not in known]:
        raise ValueError(f"features: no column {missing[0]!r}; there are {', '.join(known)}")


def _candidates(known: pd.DataFrame, tree: pd.DataFrame, target: str) -> pd.DataFrame:
    """Say of each leaf whether its metric can be used, and if not why."""
    leaves = tree.loc[tree["is_leaf"].astype(bool), ["factor_id", "metric", "better"]].reset_index(
        drop=True
    )
    metric = as_text(leaves["metric"])
    values = known.reindex(columns=metric.unique())
    part, constant = values.notna().mean(), values.nunique() < 2
    reason = np.select(
        [
            metric == "",
            metric.isin([*FROM_PROFIT, target]),
            metric.duplicated(),
            np.full(len(leaves), len(known) < MIN_DEALERS),
            metric.map(part) < MIN_KNOWN,
            metric.map(constant),
        ],
        [
            "no_metric",
            "derived_from_profit",
            "repeated_metric",
            "few_dealers",
            "few_values",
            "constant",
        ],
        default="",
    )
    return leaves.assign(metric=metric, reason=pd.array(reason, dtype="str"), used=reason == "")


def _straight(values: pd.Series) -> pd.Series:
    """Take the logarithm of what is skewed, put the median for what is unknown, standardise."""
    v = values.astype("float64").replace([np.inf, -np.inf], np.nan)
    if v.min() > 0 and v.skew() > SKEWED:
        v = np.log(v)
    v = v.fillna(v.median())
    return (v - v.mean()) / v.std(ddof=0)


def _without(
    controls: pd.DataFrame, metrics: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Take the linear effect of the controls, and the mean, out of metrics and target (Frisch,
    Waugh & Lovell).
    """
    numbers = controls.select_dtypes("number")
    parts = [_straight(numbers[c]).fillna(0.0).to_numpy()[:, None] for c in numbers]
    wording = controls.drop(columns=numbers.columns)
    if wording.shape[1]:
        parts.append(pd.get_dummies(wording, dummy_na=True).to_numpy("float64"))
    design = np.hstack([np.ones((len(y), 1)), *parts])
    both = np.column_stack([metrics, y])
    left = both - design @ np.linalg.lstsq(design, both, rcond=None)[0]
    return left[:, :-1], left[:, -1]


def _ridge(metrics: np.ndarray, y: np.ndarray, seed: int) -> tuple[tuple[np.ndarray, float], float]:
    """Fit on all dealers, and measure on dealers held out: (coefficients, penalty), R²."""
    model = RidgeCV(PENALTIES * len(y))
    fitted = model.fit(metrics, y)
    foretold = cross_val_predict(
        model, metrics, y, cv=KFold(N_FOLDS, shuffle=True, random_state=seed)
    )
    total = ((y - y.mean()) ** 2).sum()
    r2 = 1 - ((y - foretold) ** 2).sum() / total if total > 0 else math.nan
    return (fitted.coef_, float(fitted.alpha_)), float(r2)


def _resampled_ridge(
    metrics: np.ndarray, y: np.ndarray, fitted, seed: int, n_resamples: int
) -> np.ndarray:
    """Draw dealers with replacement and fit each time in closed form: resamples × metrics.

    All a fit needs are sums over dealers, so a resample is a product of how often each was drawn
    with those sums.
    """
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(len(y)), metrics, y])
    blocks = np.array_split(rng.permutation(len(y)), min(len(y), N_BLOCKS))
    sums = np.stack([design[block].T @ design[block] for block in blocks])
    drawn = rng.multinomial(len(blocks), np.full(len(blocks), 1 / len(blocks)), n_resamples).astype(
        "float64"
    )
    width = design.shape[1]
    totals = (drawn @ sums.reshape(len(blocks), -1)).reshape(n_resamples, width, width)
    penalty = np.diag([0.0, *[fitted[1]] * (width - 2)])
    return np.linalg.solve(totals[:, :-1, :-1] + penalty, totals[:, :-1, -1:])[:, 1:, 0]


def _joint_bounds(draws: np.ndarray, coefficients: np.ndarray, n: int) -> np.ndarray:
    """Give the lower and upper bounds, which with 95 % hold for all coefficients together."""
    tail = 0.05 / len(coefficients) / 2
    # residuals are smaller than the errors they stand for
    expanded = math.sqrt(n / max(n - len(coefficients) - 1, 1))
    return coefficients + (np.quantile(draws, [tail, 1 - tail], axis=0) - coefficients) * expanded


def profit_sentences(
    profit: Profit, tree: pd.DataFrame, target: str = "dealer_margin_rate"
) -> list[str]:
    """Say which factors evidently go along with what dealers earn, how much is explained, and what
    was left out.
    """
    names = dict(zip(tree["factor_id"], tree["factor"], strict=True))
    table, goal = profit.table, words.word(target)
    if not table["used"].any():
        if not profit.n_dealers:
            return [words.say("weights.no_dealers")]
        few = (table["reason"] == "few_dealers").any()
        return [
            words.say("weights.few_dealers", n=profit.n_dealers, least=MIN_DEALERS)
            if few
            else words.say("weights.no_metrics")
        ]
    key = "weights.explained" if profit.r2 > 0 else "weights.explains_nothing"
    r2 = {"share": words.percent(profit.r2), "r2": words.decimal(profit.r2, 2)}
    said = [words.say(key, n=profit.n_dealers, target=goal, **r2)]
    for key, rows in (("better", table[table["low"] > 0]), ("worse", table[table["high"] < 0])):
        if len(rows):
            factors = [
                names[f]
                for f in rows.sort_values("coefficient", key=abs, ascending=False)["factor_id"]
            ]
            said.append(
                words.say(f"weights.evident_{key}", factors=words.listed(factors, 99), target=goal)
            )
    said += [] if table["evident"].any() else [words.say("weights.none_evident", target=goal)]
    derived = [names[f] for f in table.loc[table["reason"] == "derived_from_profit", "factor_id"]]
    return said + (
        [words.say("weights.derived", factors=words.listed(derived, 99), target=goal)]
        if derived
        else []
    )


# ---- plot ----------------------------------------------------------------------------------------


def plot_weights(
    profit: Profit,
    tree: pd.DataFrame,
    *,
    target: str = "dealer_margin_rate",
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw how each factor's metric goes along with what dealers earn, with intervals.

    Evident ones are filled.
    """
    is_share = target.endswith(("_rate", "_share"))
    rows = profit.table[profit.table["used"]].sort_values("coefficient", ignore_index=True)
    shown = ["coefficient", "low", "high"]
    rows = rows.assign(**{c: rows[c] * (100 if is_share else 1) for c in shown})
    if rows.empty:
        return look.nothing(profit_sentences(profit, tree, target)[0], ax)
    names = dict(zip(tree["factor_id"], tree["factor"], strict=True))
    ax, y = ax or look.axes(height=max(1.4 + 0.25 * len(rows), 2.4)), np.arange(len(rows))
    ax.axvline(0, color=look.COLORS["reference"], linewidth=0.9)
    kinds = {"plus": rows["low"] > 0, "minus": rows["high"] < 0, "open": ~rows["evident"]}
    for kind, color in (("plus", "good"), ("minus", "bad"), ("open", "reference")):
        at, shade = kinds[kind].to_numpy(), look.COLORS[color]
        if at.any():
            ax.hlines(y[at], rows["low"][at], rows["high"][at], color=shade, linewidth=2)
            ax.plot(
                rows["coefficient"][at],
                y[at],
                "o",
                color=shade,
                markersize=6,
                markerfacecolor="white" if kind == "open" else shade,
            )
    ax.set_yticks(y, [names[f] for f in rows["factor_id"]])
    axis = words.say(
        "weights.axis_points" if is_share else "weights.axis", target=words.word(target)
    )
    ax.set(ylim=(-0.6, len(rows) - 0.4), xlabel=axis)
    ax.grid(axis="y", visible=False)
    best = rows[rows["low"] > 0]
    key, factor = (
        ("weights.title", names[best["factor_id"].iloc[-1]])
        if len(best)
        else ("weights.title_none", "")
    )
    title = words.say(key, factor=factor, target=words.word(target))
    return look.explain(
        ax,
        title,
        words.say("weights.plot_how", n=profit.n_dealers, r2=words.decimal(profit.r2, 2)),
        note,
    )
