"""RFM: how recently, how often and for how much each dealer buys, and what to do about it."""

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from helpers import look, words
from helpers.pareto import shares_of_gains

MEASURES = {"recency": "recency_days", "frequency": "frequency", "monetary": "monetary"}
SCORES = [f"{measure}_score" for measure in MEASURES]
N_SCORES = 5
CALENDAR_CUTS = {"recency_days": (31, 61, 92, 183)}  # a purchase within one, two, three, six months
WINDOW_DAYS = 365
OVERDUE_TIMES, OVERDUE_DAYS = 3.0, 30  # of the usual gap, and at least
BIG_SCORE = 4  # of five for revenue: the upper two fifths
INACTIVE = "inactive"
NEARLY_ALL = 0.9  # of the dealers with one score: a grid of two scores is all but empty


def rfm_scores(
    totals: pd.DataFrame,
    end_date: str | dt.date | pd.Timestamp,
    *,
    cuts: str | Mapping[str, Sequence[float]] = "quantile",
    n: int = N_SCORES,
) -> pd.DataFrame:
    """Score each dealer from 1 to `n`, `n` the best: recency, frequency, monetary.

    Recency is the days since the last purchase up to `end_date` (in customer-lifetime libraries the
    word means something else), frequency the days with a purchase, monetary the revenue. By
    "quantile" the score depends on a value's middle rank alone: equal values share a score in any
    row order, and if all are equal they get the middle one. Such scores only compare: where all
    dealers order daily, two days are a low recency.

    Custom `cuts` give the `n` − 1 inner limits of a column (`CALENDAR_CUTS`, for one): a frequency
    or amount that reaches a limit, or a recency within it, earns the better score; columns left out
    go by quantile. Without a purchase, or with revenue not above zero, a dealer has no score.

    Parameters
    ----------
    totals
        One row per dealer: dealer_id, n_orders, revenue, last_order_date.

    Returns
    -------
    DataFrame
        dealer_id, recency_days, frequency, monetary, recency_score, frequency_score,
        monetary_score; rows as given.

    Raises
    ------
    ValueError
        If a last purchase lies after `end_date`, or the cuts do not fit.

    >>> totals = pd.DataFrame({
    ...     "dealer_id": ["a", "b"], "n_orders": [9, 2], "revenue": [500.0, 80.0],
    ...     "last_order_date": pd.to_datetime(["2026-10-30", "2026-03-01"])})
    >>> rfm_scores(totals, "2026-10-31").iloc[:, 1:].values.tolist()
    [[1, 9, 500.0, 4, 4, 4], [244, 2, 80.0, 2, 2, 2]]
    """
    end = pd.Timestamp(end_date).normalize()
    last = pd.to_datetime(totals["last_order_date"]).dt.normalize()
    _require_past(totals, last, end)
    scores = pd.DataFrame(
        {"dealer_id": totals["dealer_id"], "recency_days": (end - last).dt.days.astype("Int64")}
    )
    scores["frequency"] = totals["n_orders"].fillna(0).astype(int)
    scores["monetary"] = totals["revenue"].astype(float)
    scored = (last.notna() & scores["frequency"].gt(0) & scores["monetary"].gt(0)).to_numpy()
    limits = _require_cuts(cuts, n)
    for measure, column in MEASURES.items():
        sign = -1 if measure == "recency" else 1
        values = sign * scores.loc[scored, column].to_numpy(float)
        given = (
            _cut_scores(values, sign * limits[column])
            if column in limits
            else _rank_scores(values, n)
        )
        scores[f"{measure}_score"] = pd.array([pd.NA] * len(scores), dtype="Int64")
        scores.loc[scored, f"{measure}_score"] = given
    return scores


def rfm_thresholds(scores: pd.DataFrame) -> pd.DataFrame:
    """Show what each score stands for: the range of values that got it, best score first.

    Returns
    -------
    DataFrame
        indicator, score, lowest, highest, n_dealers; scores nobody got are left out.
    """
    found = []
    for measure, column in MEASURES.items():
        scored = scores[scores[f"{measure}_score"].notna()]
        ranges = scored[column].astype(float).groupby(scored[f"{measure}_score"].astype(int))
        table = ranges.agg(lowest="min", highest="max", n_dealers="count").sort_index(
            ascending=False
        )
        found.append(table.rename_axis("score").reset_index().assign(indicator=column))
    return pd.concat(found, ignore_index=True)[
        ["indicator", "score", "lowest", "highest", "n_dealers"]
    ]


def require_segments(rules: pd.DataFrame, n: int = N_SCORES) -> pd.DataFrame:
    """Return the segment rules if every triple of scores falls under exactly one of them.

    A rule is a box: `recency_min` … `recency_max` and the same of frequency and monetary, ends
    included; an empty limit is open. A segment may have several rules.

    Raises
    ------
    ValueError
        If a triple falls under none or several; the first one is named.
    """
    under = _under(np.array(list(itertools.product(range(1, n + 1), repeat=3))), rules, n)
    for triple, hits in zip(itertools.product(range(1, n + 1), repeat=3), under, strict=True):
        if hits.sum() != 1:
            which = " and ".join(repr(name) for name in rules["segment"][hits]) or "no rule"
            at = ", ".join(
                f"{measure} {score}" for measure, score in zip(MEASURES, triple, strict=True)
            )
            raise ValueError(
                f"rfm_segments: {at} falls under {which}; each triple of scores needs exactly "
                "one rule"
            )
    return rules


def rfm_segments(scores: pd.DataFrame, rules: pd.DataFrame, n: int = N_SCORES) -> pd.DataFrame:
    """Name each dealer's segment by `rules` (`rfm_segments.csv`); who has no scores is "inactive".

    Returns
    -------
    DataFrame
        The rows given, with `segment`.
    """
    require_segments(rules, n)
    scored = scores[SCORES].notna().all(axis=1).to_numpy()
    segment = np.full(len(scores), INACTIVE, dtype=object)
    if scored.any():
        which = _under(scores.loc[scored, SCORES].to_numpy(int), rules, n).argmax(axis=1)
        segment[scored] = rules["segment"].to_numpy(object)[which]
    return scores.assign(segment=segment)


def segment_mix(segments: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """Sum up the segments in the order of the rules, with what to do.

    Segments without dealers are shown with zero.

    Returns
    -------
    DataFrame
        segment, n_dealers, dealer_share, revenue, revenue_share, recency_days (median), action (in
        the reader's language).
    """
    order = [*dict.fromkeys(rules["segment"]), INACTIVE]
    grouped = segments.groupby("segment")
    mix = pd.DataFrame(
        {
            "n_dealers": grouped.size(),
            "revenue": grouped["monetary"].sum(),
            "recency_days": grouped["recency_days"].median().astype(float),
        }
    ).reindex(order)
    mix[["n_dealers", "revenue"]] = mix[["n_dealers", "revenue"]].fillna(0)
    mix["dealer_share"], mix["revenue_share"] = (
        shares_of_gains(mix["n_dealers"]),
        shares_of_gains(mix["revenue"]),
    )
    actions = {
        r["segment"]: words.translated(r["action_en"], r["action_zh"])
        for r in rules.to_dict("records")
    }
    mix = mix.astype({"n_dealers": int}).rename_axis("segment").reset_index()
    mix["action"] = mix["segment"].map(actions).fillna("")
    return mix[
        [
            "segment",
            "n_dealers",
            "dealer_share",
            "revenue",
            "revenue_share",
            "recency_days",
            "action",
        ]
    ]


def overdue_dealers(
    scores: pd.DataFrame,
    *,
    times: float = OVERDUE_TIMES,
    least_days: float = OVERDUE_DAYS,
    big_score: int = BIG_SCORE,
    n_days: int = WINDOW_DAYS,
) -> pd.DataFrame:
    """List who has been silent far longer than is usual for him, largest revenue first.

    His usual gap is the days of the window that the data cover (`n_days`) over his order days;
    overdue means silent for more than `times` as long and more than `least_days`. If orders came at
    random, a gap of three times the mean would come up once in twenty.

    Returns
    -------
    DataFrame
        dealer_id, recency_days, usual_gap_days, monetary, monetary_score, is_big (from `big_score`
        for revenue on).
    """
    scored = scores.dropna(subset=SCORES)
    scored = scored.assign(usual_gap_days=n_days / scored["frequency"])
    late = scored["recency_days"].astype(float) > (times * scored["usual_gap_days"]).clip(
        lower=least_days
    )
    late = scored[late].sort_values(
        ["monetary", "dealer_id"], ascending=[False, True], ignore_index=True
    )
    late = late[["dealer_id", "recency_days", "usual_gap_days", "monetary", "monetary_score"]]
    return late.assign(is_big=(late["monetary_score"] >= big_score).astype(bool))


def plot_rfm(
    scores: pd.DataFrame, *, ax: Axes | None = None, note: str = "", source: str = ""
) -> Axes:
    """Draw how many dealers stand at each pair of recency and frequency scores.

    Recent and often is top right.
    """
    scored = scores.dropna(subset=SCORES)
    if scored.empty:
        return look.nothing(words.say("segmentation.nothing"), ax)
    steps = range(1, max(N_SCORES, int(scored[SCORES].max().max())) + 1)
    counts = pd.crosstab(scored["recency_score"].astype(int), scored["frequency_score"].astype(int))
    counts = counts.reindex(index=reversed(steps), columns=steps, fill_value=0)
    if said := _one_score(counts):
        return look.nothing(said, ax)
    ax = look.axes(height=4.2) if ax is None else ax
    sns.heatmap(
        counts,
        ax=ax,
        cmap=look.SEQUENTIAL,
        annot=True,
        fmt=",d",
        cbar=False,
        linewidths=1.5,
        vmin=0,
    )
    look.inked(ax)
    ax.set(
        xlabel=words.say("segmentation.axis_frequency"),
        ylabel=words.say("segmentation.axis_recency"),
    )
    ax.tick_params(axis="y", rotation=0)
    ax.grid(False)
    middle = (1 + max(steps)) / 2
    often, recency = scored["frequency_score"] > middle, scored["recency_score"]
    title = words.say(
        "segmentation.title_rfm",
        n=len(scored),
        often=int((often & (recency > middle)).sum()),
        silent=int((often & (recency < middle)).sum()),
    )
    return look.explain(ax, title, note, source)


# ---- steps ---------------------------------------------------------------------------------------


def _one_score(counts: pd.DataFrame) -> str:
    """Say what a grid of which one row or column holds nearly all would tell; "" of any other."""
    for axis, measure in ((1, "recency"), (0, "frequency")):
        sums = counts.sum(axis=axis)
        if sums.max() >= NEARLY_ALL * counts.to_numpy().sum():
            by_other = counts.sum(axis=1 - axis).sort_index(ascending=False)
            return words.say(
                f"segmentation.rfm_one_{measure}",
                n=int(sums.sum()),
                share=words.percent(sums.max() / sums.sum()),
                score=int(sums.idxmax()),
                of=len(sums),
                counts=" · ".join(f"{score}: {n:,}" for score, n in by_other.items() if n),
            )
    return ""


def _require_past(totals: pd.DataFrame, last: pd.Series, end: pd.Timestamp) -> None:
    future = last[last > end]
    if len(future):
        example = totals.loc[future.index[0], "dealer_id"]
        raise ValueError(
            f"totals: {len(future)} of {len(totals)} dealers ordered last after {end:%Y-%m-%d}, "
            f"e.g. {example!r} on {future.iloc[0]:%Y-%m-%d}; pass the end of their period"
        )


def _require_cuts(cuts: str | Mapping[str, Sequence[float]], n: int) -> dict[str, np.ndarray]:
    if isinstance(cuts, str):
        if cuts != "quantile":
            raise ValueError(
                f'cuts: {cuts!r} is not known; write "quantile" or a dict of limits per column'
            )
        return {}
    for column in cuts:
        if column not in MEASURES.values():
            raise ValueError(
                f"cuts: {column!r} is not scored; give limits for {', '.join(MEASURES.values())}"
            )
    for column, limits in cuts.items():
        if len(limits) != n - 1 or any(a >= b for a, b in itertools.pairwise(limits)):
            raise ValueError(
                f"cuts: {column} has {list(limits)}; {n} scores need {n - 1} limits, each above "
                "the one before"
            )
    return {column: np.asarray(limits, float) for column, limits in cuts.items()}


def _rank_scores(values: np.ndarray, n: int) -> np.ndarray:
    """Score by middle rank, in whole numbers so that no rounding moves a border."""
    twice_rank = (2 * pd.Series(values).rank(method="average")).to_numpy().astype(int)
    return (twice_rank - 1) * n // (2 * max(len(values), 1)) + 1


def _cut_scores(values: np.ndarray, limits: np.ndarray) -> np.ndarray:
    return 1 + np.searchsorted(np.sort(limits), values, side="right")


def _under(triples: np.ndarray, rules: pd.DataFrame, n: int) -> np.ndarray:
    """Tell for each triple (row) under which rules (column) it falls."""
    hit = np.ones((len(triples), len(rules)), bool)
    for i, measure in enumerate(MEASURES):
        low = pd.to_numeric(rules[f"{measure}_min"]).fillna(1).to_numpy()
        high = pd.to_numeric(rules[f"{measure}_max"]).fillna(n).to_numpy()
        hit &= (triples[:, [i]] >= low) & (triples[:, [i]] <= high)
    return hit
