"""Climb: where the next day of effort lifts the score most, leg by leg.

The handbook only names the "S-shaped hill climbing"; all of this is our reading of it. Effort pays
along an S: little at the foot, most on the slope, little again near the ceiling. So effort is not
spread evenly; the climb goes in legs.
"""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import look, words

# the columns of climb.csv: opinions, not measurements
ASSUMED = ("ceiling", "half_effort_days", "steepness")
LOWEST, HIGHEST = 0.0, 10.0  # of a score
# Gains are counted in billionths of a point: whole numbers add up exactly, so that equal plans
# really tie.
PARTS_OF_A_POINT = 1_000_000_000
NEVER = -(2**60)  # less than any sum of gains
CELLS_AT_ONCE = 1_000_000  # of the table of all splits: 8 MB, however long the budget
MOST_STEPS = 20_000  # of a budget: work grows with their square
LEAST_RATIO = 1e-9  # a lift below this is none
POINTS_OF_A_CURVE = 25
LABEL_IN = 0.21  # height of a line of labels beside the figure
NAME_LENGTH = {"en": 22, "zh": 13}  # characters of a factor's name beside a figure


# ---- what is assumed -----------------------------------------------------------------------------


def response(effort_days, start, ceiling, half_effort_days, steepness):
    """Give the score that effort brings: a Hill curve, which climbs from `start` towards `ceiling`.

    score = start + (ceiling − start) · e^k / (e^k + h^k), with e days of effort, h the days that
    bring half of the way, and the steepness k: above 1 the curve is an S. A ceiling below the start
    lifts nothing. Arrays broadcast.

    Source: Hill (1910), The possible effects of the aggregation of the molecules of haemoglobin on
    its dissociation curves, Journal of Physiology 40.

    >>> response([0, 20, 40], 6.0, 9.0, 20, 2.0).tolist()
    [6.0, 7.5, 8.4]
    """
    e, start = np.asarray(effort_days, dtype="float64"), np.asarray(start, dtype="float64")
    # no effort at all: half ÷ 0 is endless, and its part 0
    with np.errstate(divide="ignore", over="ignore"):
        part = 1 / (1 + (np.asarray(half_effort_days) / e) ** np.asarray(steepness))
    return start + np.maximum(np.asarray(ceiling) - start, 0) * part


def require_assumptions(climb: pd.DataFrame, tree: pd.DataFrame) -> pd.DataFrame:
    """Return the assumptions as numbers, in the tree's order.

    A twig without a row is not climbable, and no error.

    `climb` is the editable table: `factor_id`, `ceiling` (a score), `half_effort_days`,
    `steepness`.

    Raises
    ------
    ValueError
        If rows are wrong: all that is wrong is listed, a line each.
    """
    wanted = ("factor_id", *ASSUMED)
    if missing := [c for c in wanted if c not in climb]:
        raise ValueError(f"climb.csv: no column {missing[0]!r}; it needs {', '.join(wanted)}")
    numbers = climb[list(ASSUMED)].apply(pd.to_numeric, errors="coerce")
    rows = numbers.assign(factor_id=climb["factor_id"].astype("str"))[list(wanted)]
    order = {factor: i for i, factor in enumerate(tree.loc[tree["is_leaf"], "factor_id"])}
    checks = [
        (
            ~rows["factor_id"].isin(order),
            "factor_id",
            "with a factor_id that is no twig of factors.csv",
            "correct it or remove the row",
        ),
        (
            rows["factor_id"].duplicated(),
            "factor_id",
            "for a factor that already has one",
            "keep one row per factor",
        ),
        (
            ~rows["ceiling"].between(LOWEST, HIGHEST),
            "ceiling",
            "without a ceiling from 0 to 10",
            "correct it",
        ),
        (
            ~(rows["half_effort_days"].between(0, math.inf, inclusive="neither")),
            "half_effort_days",
            "without half_effort_days above 0",
            "say how many days bring half of the way",
        ),
        (
            ~(rows["steepness"].between(1, math.inf, inclusive="left")),
            "steepness",
            "without a steepness of 1 or more",
            "2 is a usual S, 1 has no flat foot",
        ),
    ]
    if told := [_problem(climb, *check) for check in checks if check[0].any()]:
        raise ValueError("\n".join(told))
    return rows.sort_values("factor_id", key=lambda ids: ids.map(order), ignore_index=True)


def _problem(climb: pd.DataFrame, wrong: pd.Series, column: str, what: str, advice: str) -> str:
    first, n = climb[wrong].iloc[0], int(wrong.sum())
    given = (
        ""
        if column == "factor_id"
        else " (empty)"
        if pd.isna(first[column])
        else f" ({first[column]})"
    )
    return (
        f"climb.csv: {n} {'row' if n == 1 else 'rows'} {what}, e.g. {first['factor_id']}{given}; "
        f"{advice}"
    )


def starting_points(
    scores: pd.DataFrame, weights: pd.Series, assumptions: pd.DataFrame, tree: pd.DataFrame
) -> pd.DataFrame:
    """Lay out what the climb starts from.

    One row per twig that people have scored, in the tree's order.

    Parameters
    ----------
    scores
        `factor_id` and `score` (0–10); a twig without a score is left out, for nobody knows where
        it stands.
    weights
        By factor_id. They are scaled to sum to 1 over the twigs that are left.
    assumptions
        As `require_assumptions` returns them; a twig without a row keeps its score, and can't be
        climbed.

    Returns
    -------
    DataFrame
        `factor_id`, `factor`, `owner`, `start`, `weight`, `ceiling`, `half_effort_days`,
        `steepness`.
    """
    twigs = tree.loc[tree["is_leaf"], ["factor_id", "factor", "owner"]]
    start = scores.drop_duplicates("factor_id").set_index("factor_id")["score"]
    rows = twigs.assign(
        start=twigs["factor_id"].map(start), weight=twigs["factor_id"].map(weights).fillna(0.0)
    )
    rows = rows[rows["start"].notna()].merge(assumptions, on="factor_id", how="left")
    total = rows["weight"].sum()
    return rows.assign(weight=rows["weight"] / total if total > 0 else rows["weight"])


# ---- the best use of a budget --------------------------------------------------------------------


def allocation(
    factors: pd.DataFrame, budget_days: float, *, step_days: float = 1.0
) -> pd.DataFrame:
    """Split a budget of effort over the factors so that the weighted score gains most.

    Exact, by dynamic programming over steps of `step_days`: on S-curves, giving the next day to
    where it gains most never leaves a flat foot. Of plans that gain the same, the one with the
    least effort wins, then the one that gives more to the factors that come first.

    Parameters
    ----------
    factors
        `factor_id`, `start`, `weight`, `ceiling`, `half_effort_days`, `steepness`; where one is
        empty, nothing gains.

    Returns
    -------
    DataFrame
        Per factor, in the same order: `factor_id`, `effort_days`, `score` (reached), `gain`
        (points), `weighted_gain`.

    Raises
    ------
    ValueError
        If budget or step are no positive numbers, or make too many steps.

    >>> two = pd.DataFrame({"factor_id": ["a", "b"], "start": 5.0, "weight": 0.5, "ceiling": 9.0,
    ...                     "half_effort_days": [10.0, 40.0], "steepness": 3.0})
    >>> allocation(two, 20)["effort_days"].tolist()
    [20.0, 0.0]
    """
    gains = _gains(factors, _n_steps(budget_days, step_days), step_days)
    best, chosen = _best_splits(gains)
    left, effort = int(best.argmax()), []  # the first of equal bests: the least effort
    for steps in chosen:
        effort.append(int(steps[left]))
        left -= effort[-1]
    effort = np.array(effort, dtype="float64") * step_days
    score = response(effort, *(factors[c].to_numpy(dtype="float64") for c in ("start", *ASSUMED)))
    score = np.where(np.isnan(score), factors["start"].to_numpy(dtype="float64"), score)
    gain = score - factors["start"].to_numpy(dtype="float64")
    return pd.DataFrame(
        {
            "factor_id": factors["factor_id"].to_numpy(),
            "effort_days": effort,
            "score": score,
            "gain": gain,
            "weighted_gain": gain * factors["weight"].to_numpy(dtype="float64"),
        }
    )


def frontier(factors: pd.DataFrame, budget_days: float, *, step_days: float = 1.0) -> pd.DataFrame:
    """Give the best weighted score for every budget up to this one, all from one table of splits.

    Columns: `effort_days` (0 to the budget), `weighted_gain`, `weighted_score` (the weighted start
    and the gain). Parameters and errors as `allocation`.
    """
    n_steps = _n_steps(budget_days, step_days)
    best, _ = _best_splits(_gains(factors, n_steps, step_days))
    gain = np.maximum.accumulate(best) / PARTS_OF_A_POINT
    start = float((factors["weight"] * factors["start"]).sum())
    days = np.arange(n_steps + 1) * step_days
    return pd.DataFrame(
        {"effort_days": days, "weighted_gain": gain, "weighted_score": start + gain}
    )


def _n_steps(budget_days: float, step_days: float) -> int:
    if not (0 <= budget_days < math.inf and 0 < step_days < math.inf):
        raise ValueError(
            f"budget_days {budget_days}, step_days {step_days}: give days of effort from 0 on, "
            "and a step above 0"
        )
    n = math.floor(budget_days / step_days + LEAST_RATIO)
    if n > MOST_STEPS:
        raise ValueError(
            f"budget_days: {budget_days} days are {n:,} steps of {step_days}; choose a larger "
            "step_days"
        )
    return n


def _gains(factors: pd.DataFrame, n_steps: int, step_days: float) -> np.ndarray:
    """Count each factor's weighted gain (rows) after 0, 1, 2 … steps of effort, in parts of a
    point.
    """
    start, weight, *assumed = (
        factors[c].to_numpy(dtype="float64")[:, None] for c in ("start", "weight", *ASSUMED)
    )
    score = response(np.arange(n_steps + 1) * step_days, start, *assumed)
    return np.rint(np.nan_to_num(weight * (score - start)) * PARTS_OF_A_POINT).astype("int64")


def _best_splits(gains: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find for every number of steps the most they gain, all used, and what each factor takes of
    those left to it.

    Factors join from the last to the first: best(b) = max over s of gain(s) + best without it (b −
    s). Of equal splits the largest s is kept, so that walking forwards, the first factor gets the
    most.
    """
    n_factors, n = gains.shape
    best, chosen = np.r_[0, np.full(n - 1, NEVER)], np.zeros((n_factors, n), dtype="int32")
    for i in range(n_factors - 1, -1, -1):
        # window b, read forwards, is the best without the factor for b − (n − 1) … b steps: none
        # below 0
        windows = np.lib.stride_tricks.sliding_window_view(np.r_[np.full(n - 1, NEVER), best], n)
        falling, rows = gains[i, ::-1], max(CELLS_AT_ONCE // n, 1)
        parts = []
        for first in range(0, n, rows):
            totals = windows[first : first + rows] + falling
            at = totals.argmax(axis=1)
            chosen[i, first : first + rows] = n - 1 - at
            parts.append(totals[np.arange(len(at)), at])
        best = np.concatenate(parts)
    return best, chosen


# ---- the way up ----------------------------------------------------------------------------------


def legs(factors: pd.DataFrame, budget_days: float, *, step_days: float = 1.0) -> pd.DataFrame:
    """Walk the best allocation leg by leg.

    One factor at a time, the best average gain per day first.

    The best plans of growing budgets are not nested: 30 days may leave alone what 20 days would
    climb. So the plan for the whole budget is made first and then put in order. A factor's effort
    stays in one leg: cut in two, its first half could end on the flat foot of the S, with days
    spent and nothing to show. Part of the way up, the walk may therefore lie below the frontier; at
    the end it meets it.

    `factors` as for `allocation`, with `owner` where known.

    Returns
    -------
    DataFrame
        `leg` (from 1), `factor_id`, `owner`, `effort_days`, `from_score`, `to_score`, `weight`,
        `weighted_gain`, `cum_effort_days`, `cum_weighted_gain` and the assumptions; factors without
        effort are left out.
    """
    best = allocation(factors, budget_days, step_days=step_days)
    rows = pd.DataFrame(
        {
            "factor_id": best["factor_id"],
            "owner": factors["owner"].to_numpy() if "owner" in factors else np.nan,
            "effort_days": best["effort_days"],
            "from_score": factors["start"].to_numpy(),
            "to_score": best["score"],
            "weight": factors["weight"].to_numpy(),
            "weighted_gain": best["weighted_gain"],
            **{column: factors[column].to_numpy() for column in ASSUMED},
        }
    )
    rows = rows[rows["effort_days"] > 0]
    per_day = rows["weighted_gain"] / rows["effort_days"]
    rows = rows.loc[per_day.sort_values(ascending=False, kind="stable").index].reset_index(
        drop=True
    )
    rows.insert(0, "leg", np.arange(1, len(rows) + 1))
    for column in ("effort_days", "weighted_gain"):
        rows.insert(rows.columns.get_loc(ASSUMED[0]), f"cum_{column}", rows[column].cumsum())
    return rows


def sentences(
    legs: pd.DataFrame, factors: pd.DataFrame, tree: pd.DataFrame, *, empty: str = ""
) -> list[str]:
    """Say in sentences what the climb brings, where it starts, who can do it, and what it only
    assumes.

    Where nothing can be climbed, `empty` says why, if that is known: then that is all.
    """
    if legs.empty and empty:
        return [empty]
    names = _names(tree)
    said = [_gained(legs, factors)]
    if len(legs):
        first = legs.iloc[0]
        said.append(
            words.say(
                "climb.first",
                factor=names[first["factor_id"]],
                days=first["effort_days"],
                start=first["from_score"],
                to=first["to_score"],
            )
        )
        days = legs.groupby(legs["owner"].astype("str").fillna("not_stated"))["effort_days"].sum()
        if set(days.index) != {"not_stated"}:
            said.append(
                words.say(
                    "climb.owners", us=days.get("us", 0.0), head_office=days.get("head_office", 0.0)
                )
            )
    twigs = tree.loc[tree["is_leaf"], "factor_id"]
    assumed, reached = (
        factors[list(ASSUMED)].notna().all(axis=1),
        factors["ceiling"] <= factors["start"],
    )
    for key, ids in (
        # where none has a score that counts, the first sentence has said so
        ("climb.not_scored", twigs[~twigs.isin(factors["factor_id"])] if len(factors) else []),
        ("climb.not_assumed", factors.loc[~assumed, "factor_id"]),
        ("climb.at_ceiling", factors.loc[assumed & reached, "factor_id"]),
    ):
        said += (
            [words.say(key, n=len(ids), names=words.listed([names[i] for i in ids], len(ids)))]
            if len(ids)
            else []
        )
    return [*said, words.say("climb.assumed")] if len(legs) else said


def _gained(legs: pd.DataFrame, factors: pd.DataFrame) -> str:
    if legs.empty:
        return words.say("climb.nothing")
    last, start = legs.iloc[-1], float((factors["weight"] * factors["start"]).sum())
    return words.say(
        "climb.gain",
        days=last["cum_effort_days"],
        n=len(legs),
        start=start,
        to=start + last["cum_weighted_gain"],
    )


def _names(tree: pd.DataFrame) -> Mapping[str, str]:
    return tree.set_index("factor_id")["factor"].to_dict()


# ---- the figure ----------------------------------------------------------------------------------


def plot_climb(
    legs: pd.DataFrame,
    frontier: pd.DataFrame,
    tree: pd.DataFrame,
    *,
    note: str = "",
    empty: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the climb leg by leg, each along its S, under the frontier of what every budget could
    reach at best.

    Where there is no leg, `empty` says why, if that is known.
    """
    if legs.empty:
        return look.nothing(empty or words.say("climb.nothing"), ax)
    ax = ax or look.axes(height=max(4.4, 1.7 + 1.15 * LABEL_IN * len(legs)))
    start, names = float(frontier["weighted_score"].iloc[0]), _names(tree)
    ax.plot(
        frontier["effort_days"],
        frontier["weighted_score"],
        color=look.COLORS["muted"],
        linewidth=1.4,
        linestyle=(0, (4, 2)),
        zorder=2,
    )
    x, y = _walk(legs, start)
    ax.plot(x, y, color=look.COLORS["accent"], zorder=3)
    ends = legs["cum_effort_days"].to_numpy(), start + legs["cum_weighted_gain"].to_numpy()
    ax.plot(
        *ends,
        "o",
        color=look.COLORS["accent"],
        markersize=4.5,
        markeredgecolor="white",
        zorder=4,
        clip_on=False,
    )
    top = float(frontier["weighted_score"].iloc[-1])
    right = float(max(frontier["effort_days"].iloc[-1], ends[0][-1]))
    ax.set(
        xlim=(0, right),
        ylim=(start - 0.03 * (top - start), top + 0.06 * (top - start)),
        xlabel=words.label("cum_effort_days"),
        ylabel=words.label("weighted_score"),
    )
    ax.grid(visible=False, axis="y")  # the legs bring their own lines
    texts = [
        words.say(
            "climb.leg",
            leg=row.leg,
            factor=_short(names[row.factor_id]),
            days=row.effort_days,
            start=row.from_score,
            to=row.to_score,
        )
        for row in legs.itertuples()
    ]
    _label_ends(ax, *ends, texts)
    title = words.say(
        "climb.title",
        days=ends[0][-1],
        start=start,
        to=ends[1][-1],
        factor=names[legs["factor_id"].iloc[0]],
    )
    return look.explain(ax, title, words.say("climb.how"), note)


def _walk(legs: pd.DataFrame, start: float) -> tuple[np.ndarray, np.ndarray]:
    """Trace the weighted score over all legs, each along its curve."""
    x, y = [], []
    for row in legs.itertuples():
        effort = np.linspace(0, row.effort_days, POINTS_OF_A_CURVE)
        score = response(effort, row.from_score, row.ceiling, row.half_effort_days, row.steepness)
        x.append(row.cum_effort_days - row.effort_days + effort)
        y.append(
            start
            + row.cum_weighted_gain
            - row.weighted_gain
            + row.weight * (score - row.from_score)
        )
    return np.concatenate(x), np.concatenate(y)


def _label_ends(ax: Axes, x: np.ndarray, y: np.ndarray, texts: list[str]) -> None:
    """Name the end of each leg beside the figure, with a thin line that leads there.

    The walk only rises, so that a line to the right of a leg's end crosses nothing.
    """
    right, color = ax.get_xlim()[1], look.COLORS["muted"]
    ax.hlines(y, x, right, color=color, linewidth=0.6, zorder=1)
    text_color = look.COLORS["text"]
    look.beside(ax, [(at, text, text_color) for at, text in zip(y, texts, strict=True)], leads=True)


def _short(name: str) -> str:
    most = NAME_LENGTH["zh" if any("\u4e00" <= c <= "\u9fff" for c in name) else "en"]
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"
