"""Pareto analysis: which few dealers carry most of a total, and how sharply."""

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import look, words

INDICATORS = ("payments", "gross_profit", "brand_share")  # in the order of the three-letter code
CLASS_QUOTA = (0.2, 0.4, 0.4)  # A:B:C = 1:2:2 by count; the handbook's ratio, read as a quota
VALUE_CUTS = (0.8, 0.95)  # cumulative share of the total up to which a dealer is A, then B
RULES = ("quota", "value", "computed")
# shares of different wholes: no cumulative share, no Lorenz curve, no Gini
NOT_ADDITIVE = ("brand_share",)
SEEN = 0.02  # of the height: curves that are nearer are seen as one
MISSING = "–"
LOSS = "L"  # below zero: this dealer costs us money, or gets more back than he pays
LETTERS = ("A", "B", "C", LOSS, MISSING)  # the best first
BETWEEN = "/"  # "A/B": a letter is missing, and with it the class may be either
CLASSES = ("A", "A/B", "B", "A/C", "B/C", "C", LOSS, MISSING)  # a dealer's, the best first


# ---- one indicator -------------------------------------------------------------------------------


def abc_classes(
    values: pd.Series,
    rule: str = "quota",
    *,
    quota: Sequence[float] = CLASS_QUOTA,
    cuts: Sequence[float] = VALUE_CUTS,
) -> pd.Series:
    """Class values as A, B or C; below zero is L, a missing value "–"; equal values share a class.

    Rules: "quota" by count, "value" by cumulative share (who crosses a cut keeps the better class),
    "computed" by the shape of the curve (see `computed_limits`). Exactly zero is C under each. The
    quota counts all known dealers, those below zero too: they are dealers, and who is A must not
    change because another one makes a loss. The other two rules go by the sum of the positive
    values alone. Two or more values that are all equal are all B: there are no vital few.

    Raises
    ------
    ValueError
        If the rule is unknown, or quota or cuts make no sense.

    >>> abc_classes(pd.Series([1000] + [1] * 9), "value").tolist()
    ['A', 'C', 'C', 'C', 'C', 'C', 'C', 'C', 'C', 'C']
    >>> "".join(abc_classes(pd.Series([9, 8, 7, 6, 5])))
    'ABBCC'
    >>> "".join(abc_classes(pd.Series([9, 0, -1])))
    'ACL'
    """
    if rule not in RULES:
        raise ValueError(f"rule: {rule!r} is not known; choose one of {', '.join(RULES)}")
    v = values.to_numpy(dtype="float64", na_value=np.nan)
    known = v[~np.isnan(v)]
    if rule == "quota":
        n_a, n_b = _quota_limits(len(known), quota)
    else:
        n_a, n_b = _value_limits(known, cuts) if rule == "value" else computed_limits(values)
    if len(known) > 1 and known.min() == known.max() > 0:
        n_a, n_b = 0, len(known)
    # who is as good as the last one inside is inside too: equal values share a class, in any order
    # of the rows
    is_a, is_b = v >= _least(known, n_a), v >= _least(known, n_b)
    place = np.select([np.isnan(v), v < 0, is_a, is_b], [4, 3, 0, 1], default=2)
    return pd.Series(pd.array(LETTERS, dtype="str").take(place), index=values.index)


def computed_limits(values: pd.Series) -> tuple[int, int]:
    """Count the dealers that are A, and those that are A or B, by the shape of the concentration
    curve.

    A ends at the smaller of the Pareto point (nearest to "nobody earns everything") and the
    break-even point (where dealers sell the mean); B ends at the curve point nearest to (the larger
    of the two, 1). Only positive values count.

    Source: Ultsch & Lötsch (2015), Computed ABC analysis for rational selection of most informative
    variables, PLoS ONE 10(6). They smooth the curve with a spline; here its own points are used, so
    that few dealers suffice.
    """
    v = _whole_cents(_positive(values))
    if not len(v):
        return 0, 0
    total = np.cumsum(v)
    x, left = np.arange(1, len(v) + 1) / len(v), 1 - total / total[-1]
    # squares, which every machine and a page's script round alike; of two as near, the first
    pareto = int(np.argmin(x * x + left * left)) + 1
    break_even = max(int((v * len(v) > total[-1]).sum()), 1)
    a, other = min(pareto, break_even), max(pareto, break_even)
    far = x - other / len(v)
    b = int(np.argmin(far * far + left * left)) + 1
    return a, max(a, b)


def _least(known: np.ndarray, n: int) -> float:
    """Give the value of the n-th best, below which nobody is inside.

    Zero and negative values never are.
    """
    if n == 0:
        return math.inf
    return max(np.partition(known, len(known) - n)[len(known) - n], np.nextafter(0, 1))


def _value_limits(known: np.ndarray, cuts: Sequence[float]) -> tuple[int, int]:
    a, b = _value_cuts(cuts)
    v = _whole_cents(np.sort(known[known > 0])[::-1])
    total = np.cumsum(v)
    ahead = np.concatenate([[0.0], total[:-1]]) / total[-1] if len(v) else v
    return int((ahead < a).sum()), int((ahead < b).sum())


def _whole_cents(v: np.ndarray) -> np.ndarray:
    """Turn money into whole cents, which sum up exactly: no class border hangs on a rounded sum."""
    cents = np.rint(v * 100)
    return cents if np.allclose(cents, v * 100, rtol=0, atol=1e-4) and cents.sum() < 2**53 else v


def _quota_limits(n: int, quota: Sequence[float]) -> tuple[int, int]:
    shares = [Fraction(str(share)) for share in quota]
    if len(shares) != 3 or min(shares) < 0 or sum(shares) != 1:
        raise ValueError(f"quota: three shares that sum to 1 are expected, not {tuple(quota)}")
    # a dealer is A while fewer than 20 % of the dealers are better: in fractions, for 0.2 + 0.4 is
    # not 0.6 in floats
    return math.ceil(shares[0] * n), math.ceil((shares[0] + shares[1]) * n)


def _value_cuts(cuts: Sequence[float]) -> tuple[float, float]:
    if len(cuts) != 2 or not 0 < cuts[0] <= cuts[1] <= 1:
        raise ValueError(
            f"cuts: two rising shares such as (0.8, 0.95) are expected, not {tuple(cuts)}"
        )
    return cuts[0], cuts[1]


def ranked_classes(judged: pd.DataFrame) -> pd.Series:
    """Give the classes as they are compared over time.

    L, below C, for who is below zero in an indicator.

    A class set by hand stands as it was set.
    """
    if "code" not in judged:
        return judged["composite_class"]
    by_hand = judged["override_reason"] != "" if "override_reason" in judged else False
    losing = judged["code"].fillna("").str.contains(LOSS) & ~pd.Series(by_hand, index=judged.index)
    return judged["composite_class"].mask(losing, LOSS)


def undecided(classes: pd.Series) -> pd.Series:
    """Mark classes that a missing letter leaves open.

    >>> undecided(pd.Series(["A", "A/B", "–"])).tolist()
    [False, True, False]
    """
    return classes.astype("str").str.contains(BETWEEN, regex=False, na=False)


def called_classes(classes: pd.Series) -> pd.Series:
    """Give the class by which a dealer is served: of two that are possible, the worse.

    >>> called_classes(pd.Series(["A", "A/B", "B/C", "–"])).tolist()
    ['A', 'B', 'C', '–']
    """
    return classes.mask(undecided(classes), classes.astype("str").str[-1])


# ---- what a share is a share of ------------------------------------------------------------------


class Sums(NamedTuple):
    """Money above zero, money below zero, what is left of both, and how many dealers are below
    zero.
    """

    gains: float
    losses: float
    net: float
    n_losing: int


def gains_and_losses(values: pd.Series) -> Sums:
    """Sum up what is above zero and what is below it, each by itself, in whole cents.

    >>> gains_and_losses(pd.Series([70.0, 30.0, -20.0, None]))
    Sums(gains=100.0, losses=-20.0, net=80.0, n_losing=1)
    """
    v = values.to_numpy(dtype="float64", na_value=np.nan)
    gains, losses = round(float(v[v > 0].sum()), 2), round(float(v[v < 0].sum()), 2)
    return Sums(gains, losses, round(gains + losses, 2), int((v < 0).sum()))


def shares_of_gains(parts: pd.Series) -> pd.Series:
    """Give each part's share of the sum of the parts above zero, so that the shares sum to 1.

    Below zero has none.

    >>> shares_of_gains(pd.Series([60.0, 40.0, -50.0])).tolist()
    [0.6, 0.4, nan]
    """
    gains = parts.where(parts > 0).sum()
    return parts.where(parts >= 0) / (gains if gains > 0 else math.nan)


def held_share(values: pd.Series, inside: pd.Series) -> float:
    """Give the share that some dealers hold of the sum of all that is above zero.

    The one denominator of all pages.

    A sum of gains and losses is no whole that parts could be taken of: 83 % of it may be 66 % of
    what is earned. Losses inside count as nothing here and are told beside the share; NaN where
    nobody is above zero.

    >>> held_share(pd.Series([70.0, 30.0, -20.0]), pd.Series([True, False, True]))
    0.7
    """
    gains = gains_and_losses(values).gains
    return gains_and_losses(values[inside.to_numpy(bool)]).gains / gains if gains > 0 else math.nan


# ---- concentration -------------------------------------------------------------------------------


def lorenz_curve(values: pd.Series) -> pd.DataFrame:
    """Trace the cumulative share of dealers against the cumulative share of the total, best first.

    Only positive values count; columns `dealer_share` and `value_share`, from (0, 0) to (1, 1).

    >>> lorenz_curve(pd.Series([70, 20, 10]))["value_share"].round(2).tolist()
    [0.0, 0.7, 0.9, 1.0]
    """
    total = np.cumsum(_positive(values))
    return pd.DataFrame(
        {
            "dealer_share": np.arange(len(total) + 1) / max(len(total), 1),
            "value_share": np.concatenate([[0.0], total / total[-1] if len(total) else total]),
        }
    )


def gini(values: pd.Series) -> float:
    """Measure inequality among positive values: 0 all equal, towards 1 one dealer has it all.

    NaN without values.

    >>> round(gini(pd.Series([1, 1, 1, 1])), 3), round(gini(pd.Series([0, 0, 0, 8, 0.0])), 3)
    (0.0, 0.0)
    """
    v = _positive(values)[::-1]
    return _gini(v) if len(v) else math.nan


def _gini(rising: np.ndarray) -> float:
    n = len(rising)
    return max(
        float((2 * (np.arange(1, n + 1) * rising).sum() / (n * rising.sum())) - (n + 1) / n), 0.0
    )


def gini_interval(
    values: pd.Series, *, level: float = 0.95, n_resamples: int = 500, seed: int = 0
) -> tuple[float, float]:
    """Give the percentile bootstrap interval of the Gini coefficient over dealers."""
    v = _positive(values)[::-1]
    n = len(v)
    if n < 2:
        return math.nan, math.nan
    rng = np.random.default_rng(seed)
    # how often each dealer is drawn: repeated in order, so that no resample needs sorting
    drawn = (np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(n_resamples))
    draws = [_gini(np.repeat(v, times)) for times in drawn]
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def top_share(values: pd.Series, part: float = 0.2) -> float:
    """Give the share of the total that the best `part` of the dealers hold.

    Their number is rounded, and at least one.

    >>> top_share(pd.Series([70, 10, 10, 5, 5]))
    0.7
    """
    v = _positive(values)
    return float(v[: n_best(len(v), part)].sum() / v.sum()) if len(v) else math.nan


def n_best(n: int, part: float = 0.2) -> int:
    """Count the dealers that are the best `part`: rounded, at least one where there is any."""
    return min(max(round(part * n), 1), n)


def _positive(values: pd.Series) -> np.ndarray:
    v = np.sort(values.to_numpy(dtype="float64", na_value=np.nan))[::-1]
    return v[v > 0]


# ---- plots ---------------------------------------------------------------------------------------


def plot_pareto(
    judged: pd.DataFrame, indicator: str = "payments", *, note: str = "", ax: Axes | None = None
) -> Axes | None:
    """Draw the Pareto curve of an additive indicator with the class borders, best dealers first.

    The whole is the sum of what is above zero; nothing is drawn where nobody is.
    """
    values = judged[judged[indicator] > 0].sort_values(indicator, ascending=False)
    if values.empty:
        return None
    ax = ax or look.axes(height=3.9)
    curve = lorenz_curve(values[indicator])
    x = np.arange(len(curve))
    ax.fill_between(x, curve["value_share"], color=look.COLORS["C"], alpha=0.35, linewidth=0)
    ax.plot(x, curve["value_share"], color=look.COLORS["accent"])
    for letter in ("A", "B"):
        n = int((values[f"{indicator}_class"] <= letter).sum())
        if 0 < n < len(values):
            _mark_border(ax, n, float(curve["value_share"].iloc[n]), letter)
    look.share_axis(ax.yaxis)
    ax.set(
        xlim=(0, max(len(values), 1)),
        ylim=(0, 1.04),
        xlabel=words.label("n_dealers"),
        ylabel=words.label("value_share"),
    )
    n_a = int((values[f"{indicator}_class"] == "A").sum())
    if len(values) == len(judged) > 1 and values[indicator].min() == values[indicator].max():
        title = words.say("pareto.no_few", indicator=words.label(indicator))
    else:
        title = words.say(
            "pareto.curve",
            n=n_a,
            share=words.percent(n_a / max(len(judged), 1)),
            indicator=words.label(indicator),
            value=words.percent(float(curve["value_share"].iloc[n_a])),
        )
    how, sums = (
        words.say("pareto.curve_how", indicator=words.label(indicator)),
        gains_and_losses(judged[indicator]),
    )
    if sums.n_losing:
        how += words.say("pareto.curve_losses", n=sums.n_losing, losses=sums.losses)
    return look.explain(ax, title, how, note)


def _mark_border(ax: Axes, n: int, share: float, letter: str) -> None:
    ax.plot([n, n], [0, share], color=look.COLORS["text"], linewidth=0.9, linestyle=(0, (3, 3)))
    text = f"{letter} | {chr(ord(letter) + 1)}   {n} · {words.percent(share)}"
    right = n > 0.6 * ax.get_xlim()[1] if ax.get_xlim()[1] > 1 else False
    ax.annotate(
        text,
        (n, share / 2),
        xytext=(-6 if right else 6, 0),
        textcoords="offset points",
        ha="right" if right else "left",
        va="center",
        fontsize=9,
    )


def _name_curves(ax: Axes, curves: list[tuple[str, pd.DataFrame, str]]) -> None:
    """Name Lorenz curves on them: the upper one at its upper left, the others below."""
    at = 0.62  # where they are apart, and leave room on both sides
    heights = [
        float(np.interp(at, curve["dealer_share"], curve["value_share"])) for _, curve, _ in curves
    ]
    for (name, _curve, color), y in zip(curves, heights, strict=True):
        upper = y == max(heights)
        ax.annotate(
            name,
            (at, y),
            xytext=(-5, 5) if upper else (7, -5),
            textcoords="offset points",
            ha="right" if upper else "left",
            va="bottom" if upper else "top",
            fontsize=9,
            color=look.ink(color),
        )


def _alike(curves: list[pd.DataFrame]) -> str:
    """Say which curves lie on each other: "even" on the diagonal, "alike" one on another, or ""."""
    at = np.linspace(0, 1, 201)
    drawn = [np.interp(at, curve["dealer_share"], curve["value_share"]) for curve in curves]
    if all(np.abs(heights - at).max() < SEEN for heights in drawn):
        return "even"
    pairs = itertools.combinations(drawn, 2)
    return "alike" if any(np.abs(a - b).max() < SEEN for a, b in pairs) else ""


def plot_lorenz(totals: pd.DataFrame, *, note: str = "", ax: Axes | None = None) -> Axes | None:
    """Draw the Lorenz curves of the additive indicators, poorest dealers first, with their Gini
    coefficients.

    Only what is above zero counts; without payments and gross profit the curve is revenue's, and
    where nobody is above zero nothing is drawn.
    """
    names = [
        i for i in INDICATORS if i not in NOT_ADDITIVE and i in totals and (totals[i] > 0).any()
    ]
    names = names or [i for i in ("revenue",) if i in totals and (totals[i] > 0).any()]
    if not names:
        return None
    colors = {
        "payments": look.COLORS["accent"],
        "gross_profit": look.COLORS["rival"],
        "revenue": look.COLORS["accent"],
    }
    found, curves = [], []
    for indicator in names:
        curve = 1 - lorenz_curve(totals[indicator])[::-1]
        low, high = gini_interval(totals[indicator])
        name = words.label(indicator)
        # of one dealer there is no spread
        known = "pareto.gini" if low == low else "pareto.gini_alone"
        found.append(
            words.say(known, indicator=name, gini=gini(totals[indicator]), low=low, high=high)
        )
        curves.append((name, curve, colors[indicator]))
    if said := _alike([curve for _, curve, _ in curves]):
        return look.nothing(words.say(f"pareto.lorenz_{said}", found=" · ".join(found)), ax)
    ax = ax or look.axes(height=4.2)
    ax.plot([0, 1], [0, 1], color=look.COLORS["reference"], linewidth=0.9, linestyle=(0, (3, 3)))
    for name, curve, color in curves:
        ax.plot(curve["dealer_share"], curve["value_share"], color=color, label=name)
    look.share_axis(ax.xaxis)
    look.share_axis(ax.yaxis)
    ax.set(
        xlim=(0, 1),
        ylim=(0, 1),
        xlabel=words.label("dealer_share"),
        ylabel=words.label("value_share"),
    )
    _name_curves(ax, curves)
    return look.explain(ax, words.say("pareto.lorenz"), " · ".join(found), note)
