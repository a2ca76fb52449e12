"""Pareto analysis: which few dealers carry most of a total, judged by three indicators at once."""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import periods, style

INDICATORS = ("payments", "gross_profit", "brand_share")  # in the order of the three-letter code
CLASS_QUOTA = (0.2, 0.4, 0.4)  # A:B:C = 1:2:2 by count; the handbook's ratio, read as a quota
VALUE_CUTS = (0.8, 0.95)  # cumulative share of the total up to which a dealer is A, then B
WEIGHTS = {"payments": 0.4, "gross_profit": 0.4, "brand_share": 0.2}  # of the joint judgement; the page states them
POINTS = {"A": 3, "B": 2, "C": 1}
COMPOSITE_CUTS = (2.5, 1.5)  # weighted points from which a dealer is A, then B
RULES = ("quota", "value", "computed")
NOT_ADDITIVE = ("brand_share",)  # shares of different wholes: no cumulative share, no Lorenz curve, no Gini
MISSING = "–"
SHOWN = ["dealer_id", "dealer_name", "city", *INDICATORS, "code", "composite_class", "diagnosis", "previous_class"]


# ---- one indicator --------------------------------------------------------------------------------------------------


def abc_classes(
    values: pd.Series, rule: str = "quota", *, quota: Sequence[float] = CLASS_QUOTA, cuts: Sequence[float] = VALUE_CUTS
) -> pd.Series:
    """Class values as A, B or C; equal values share a class, a missing value is "–".

    Rules: "quota" by count, "value" by cumulative share (who crosses a cut keeps the better class), "computed" by the
    shape of the curve (see `computed_limits`). Zero and negative values are never A or B. Two or more values that are
    all equal are all B: there are no vital few.

    Raises
    ------
    ValueError
        If the rule is unknown, or quota or cuts make no sense.

    >>> abc_classes(pd.Series([1000] + [1] * 9), "value").tolist()
    ['A', 'C', 'C', 'C', 'C', 'C', 'C', 'C', 'C', 'C']
    >>> "".join(abc_classes(pd.Series([9, 8, 7, 6, 5])))
    'ABBCC'
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
    # who is as good as the last one inside is inside too: equal values share a class, in any order of the rows
    is_a, is_b = v >= _least(known, n_a), v >= _least(known, n_b)
    place = np.where(np.isnan(v), 3, np.where(is_a, 0, np.where(is_b, 1, 2)))
    return pd.Series(pd.array(["A", "B", "C", MISSING], dtype="str").take(place), index=values.index)


def computed_limits(values: pd.Series) -> tuple[int, int]:
    """Count the dealers that are A, and those that are A or B, by the shape of the concentration curve.

    A ends at the smaller of the Pareto point (nearest to "nobody earns everything") and the break-even point (where
    dealers sell the mean); B ends at the curve point nearest to (the larger of the two, 1). Only positive values count.

    Source: Ultsch & Lötsch (2015), Computed ABC analysis for rational selection of most informative variables,
    PLoS ONE 10(6). They smooth the curve with a spline; here its own points are used, so that few dealers suffice.
    """
    v = _whole_cents(_positive(values))
    if not len(v):
        return 0, 0
    x, y = np.arange(1, len(v) + 1) / len(v), np.cumsum(v) / v.sum()
    pareto = int(np.argmin(np.hypot(x, 1 - y))) + 1
    break_even = max(int((v * len(v) > v.sum()).sum()), 1)
    a, other = min(pareto, break_even), max(pareto, break_even)
    b = int(np.argmin(np.hypot(x - other / len(v), 1 - y))) + 1
    return a, max(a, b)


def _least(known: np.ndarray, n: int) -> float:
    """Give the value of the n-th best, below which nobody is inside; zero and negative values never are."""
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
    # a dealer is A while fewer than 20 % of the dealers are better: in fractions, for 0.2 + 0.4 is not 0.6 in floats
    return math.ceil(shares[0] * n), math.ceil((shares[0] + shares[1]) * n)


def _value_cuts(cuts: Sequence[float]) -> tuple[float, float]:
    if len(cuts) != 2 or not 0 < cuts[0] <= cuts[1] <= 1:
        raise ValueError(f"cuts: two rising shares such as (0.8, 0.95) are expected, not {tuple(cuts)}")
    return cuts[0], cuts[1]


# ---- concentration --------------------------------------------------------------------------------------------------


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
    """Measure inequality among positive values: 0 all equal, towards 1 one dealer has it all; NaN without values.

    >>> round(gini(pd.Series([1, 1, 1, 1])), 3), round(gini(pd.Series([0, 0, 0, 8, 0.0])), 3)
    (0.0, 0.0)
    """
    v = _positive(values)[::-1]
    if not len(v):
        return math.nan
    n = len(v)
    return max(float((2 * (np.arange(1, n + 1) * v).sum() / (n * v.sum())) - (n + 1) / n), 0.0)


def gini_interval(
    values: pd.Series, *, level: float = 0.95, n_resamples: int = 500, seed: int = 0
) -> tuple[float, float]:
    """Give the percentile bootstrap interval of the Gini coefficient over dealers."""
    v = _positive(values)
    if len(v) < 2:
        return math.nan, math.nan
    rng = np.random.default_rng(seed)
    draws = [gini(pd.Series(rng.choice(v, len(v)))) for _ in range(n_resamples)]
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def top_share(values: pd.Series, part: float = 0.2) -> float:
    """Give the share of the total that the best `part` of the dealers hold: their number is rounded, and at least one.

    >>> top_share(pd.Series([70, 10, 10, 5, 5]))
    0.7
    """
    v = _positive(values)
    return float(v[: _n_best(len(v), part)].sum() / v.sum()) if len(v) else math.nan


def _n_best(n: int, part: float = 0.2) -> int:
    return min(max(round(part * n), 1), n)


def _positive(values: pd.Series) -> np.ndarray:
    v = np.sort(values.to_numpy(dtype="float64", na_value=np.nan))[::-1]
    return v[v > 0]


# ---- joint judgement ------------------------------------------------------------------------------------------------


def joint_judgement(
    totals: pd.DataFrame, diagnoses: pd.DataFrame, *, rule: str = "quota", weights: Mapping[str, float] = WEIGHTS
) -> pd.DataFrame:
    """Class each indicator by itself, then all three together.

    Parameters
    ----------
    totals
        One row per dealer, with those of `INDICATORS` that are known; the others count as missing.
    diagnoses
        Columns `pattern` (three letters, `*` for any), `en`, `zh`; the first match wins.

    Returns
    -------
    DataFrame
        `totals` with `<indicator>_class`, the three-letter `code`, `composite_class` (weighted points of the known
        letters, A = 3 … C = 1; A from 2.5, B from 1.5) and `diagnosis`, best first.

    Raises
    ------
    ValueError
        If the diagnoses leave a code without a name.
    """
    judged = totals.sort_values("dealer_id", ignore_index=True)
    letters = {}
    for indicator in INDICATORS:
        values = judged[indicator] if indicator in judged else pd.Series(np.nan, index=judged.index)
        # shares of different wholes can't be accumulated: they keep to the quota under every rule
        letters[indicator] = abc_classes(values, "quota" if indicator in NOT_ADDITIVE else rule)
        judged[f"{indicator}_class"] = letters[indicator]
    judged["code"] = letters[INDICATORS[0]].str.cat([letters[indicator] for indicator in INDICATORS[1:]])
    which, codes = pd.factorize(judged["code"])  # at most 64: what hangs on the code is worked out once for each
    composite = [_composite(code, weights) for code in codes]
    judged["composite_class"] = pd.array([letter for letter, _points in composite], dtype="str").take(which)
    judged["diagnosis"] = pd.array([_diagnosis(code, diagnoses) for code in codes], dtype="str").take(which)
    points = np.array([points for _letter, points in composite], dtype="float64")[which]
    first = next((i for i in INDICATORS if i in totals and totals[i].notna().any()), None)
    sizes = judged[first].to_numpy(dtype="float64", na_value=np.nan) if first else points
    return judged.iloc[np.lexsort((-sizes, -points))].reset_index(drop=True)


def _composite(code: str, weights: Mapping[str, float]) -> tuple[str, float]:
    known = [(weights[i], POINTS[letter]) for i, letter in zip(INDICATORS, code, strict=True) if letter in POINTS]
    total = sum(weight for weight, _ in known)
    if total <= 0:
        return MISSING, 0.0
    points = round(sum(weight * point for weight, point in known) / total, 9)  # 2.4999… is 2.5
    return ("A" if points >= COMPOSITE_CUTS[0] else "B" if points >= COMPOSITE_CUTS[1] else "C"), points


def _diagnosis(code: str, diagnoses: pd.DataFrame) -> str:
    for row in diagnoses.itertuples():
        if len(str(row.pattern)) != len(INDICATORS):
            raise ValueError(f"diagnoses.csv: the pattern {row.pattern!r} needs three letters: A, B, C, – or *")
        if all(p in ("*", letter) for p, letter in zip(row.pattern, code, strict=True)):
            return style.translated(row.en, row.zh)
    raise ValueError(f"diagnoses.csv: no pattern fits the code {code!r}; let the last row be '***'")


def overridden_classes(judged: pd.DataFrame, overrides: pd.DataFrame, end_date: pd.Timestamp) -> pd.DataFrame:
    """Put classes set by hand in place of the computed ones, where they are valid on the window's last day.

    Adds `computed_class` and `override_reason` (with the author); of several valid overrides the latest wins.
    """
    result = judged.assign(computed_class=judged["composite_class"], override_reason="")
    end = pd.Timestamp(end_date)
    valid = overrides[(overrides["valid_from"] <= end) & ~(overrides["valid_to"] < end)]
    valid = valid.sort_values("valid_from", kind="stable")
    if bad := sorted(set(valid["class"]) - set(POINTS)):
        raise ValueError(f"overrides.csv: class {bad[0]!r} is none of A, B, C")
    chosen = valid.drop_duplicates("dealer_id", keep="last").set_index("dealer_id")
    by_hand = result["dealer_id"].isin(chosen.index)
    ids = result.loc[by_hand, "dealer_id"]
    result.loc[by_hand, "composite_class"] = ids.map(chosen["class"])
    result.loc[by_hand, "override_reason"] = ids.map(chosen["reason"] + " (" + chosen["author"] + ")")
    return result


def judged_windows(totals: pd.DataFrame, diagnoses: pd.DataFrame, **options) -> pd.DataFrame:
    """Judge each `window_end` by itself: `dealer_id`, `window_end`, `code`, `composite_class`."""
    judged = [
        joint_judgement(window, diagnoses, **options)[["dealer_id", "window_end", "code", "composite_class"]]
        for _end, window in totals.groupby("window_end")
    ]
    return pd.concat(judged, ignore_index=True)


def grouped_totals(totals: pd.DataFrame, dealers: pd.DataFrame) -> pd.DataFrame:
    """Sum up dealers to their `dealer_group`; who has no group stands for himself."""
    group = dealers.set_index("dealer_id")["dealer_group"]
    key = totals["dealer_id"].map(group).fillna(totals["dealer_id"]).rename("dealer_id")
    money = ["purchases", "revenue", "gross_profit", "quantity", "payments", "brand_part", "brand_total"]
    # cents again after adding floats, so that equal groups tie; a column of unknowns stays unknown
    summed = totals[money].groupby(key).sum(min_count=1).round(2)
    summed["brand_share"] = summed["brand_part"] / summed["brand_total"].where(summed["brand_total"] > 0)
    return summed.reset_index()


def group_table(totals: pd.DataFrame, dealers: pd.DataFrame, diagnoses: pd.DataFrame) -> pd.DataFrame:
    """Judge the dealers' groups as one customer each, among all customers; no rows where no group is given."""
    judged = joint_judgement(grouped_totals(totals, dealers), diagnoses)
    sizes = dealers[dealers["dealer_id"].isin(totals["dealer_id"])].groupby("dealer_group").size()
    groups = judged[judged["dealer_id"].isin(sizes.index)].rename(columns={"dealer_id": "dealer_group"})
    groups.insert(1, "n_dealers", groups["dealer_group"].map(sizes))
    columns = ["dealer_group", "n_dealers", *INDICATORS, "code", "composite_class", "diagnosis"]
    return groups[columns].reset_index(drop=True)


def class_table(judged: pd.DataFrame) -> pd.DataFrame:
    """Make the ABC table: per indicator and class the dealers and their part of the total.

    Zero and negative values, and missing ones, are rows of their own; `n_dealers` sums to all dealers per indicator.
    """
    rows = []
    for indicator in [i for i in INDICATORS if i in judged and judged[i].notna().any()]:
        values, letters = judged[indicator], judged[f"{indicator}_class"]
        total = round(float(values.sum()), 2)  # 0.1 + 0.2 − 0.3 is nothing to have a share of
        kind = letters.where(~(values <= 0), "zero_or_negative")
        for name in ["A", "B", "C", "zero_or_negative", MISSING]:
            inside = values[kind == name]
            if name in POINTS or len(inside):
                additive = indicator not in NOT_ADDITIVE
                rows.append(
                    {
                        "indicator": indicator, "class": name, "n_dealers": len(inside),
                        "dealer_share": len(inside) / len(judged),
                        "value": inside.sum() if additive else np.nan,
                        "value_share": inside.sum() / total if additive and total > 0 else np.nan,
                        "least": inside.min() if len(inside) else np.nan,
                    }
                )  # fmt: skip
    columns = ["indicator", "class", "n_dealers", "dealer_share", "value", "value_share", "least"]
    return pd.DataFrame(rows, columns=columns)


# ---- sentences ------------------------------------------------------------------------------------------------------


def main_indicator(judged: pd.DataFrame) -> str:
    """Name the indicator that stands for the size of a dealer: the first additive one that is known."""
    return next((i for i in ("gross_profit", "payments", "revenue") if judged[i].notna().any()), "revenue")


def bottom_line(judged: pd.DataFrame, moved: pd.DataFrame, overdue: pd.DataFrame | None) -> list[str]:
    """Say what the page found, most important first; what the data don't tell is said too.

    `judged` has `dealer_name`; `moved` comes from `migration.movements` with `dealer_name`, `overdue` from
    `receivables.overdue` with `dealer_name`, or None without payments.
    """
    size, names = main_indicator(judged), style.label(main_indicator(judged))
    counts, positive = judged["composite_class"].value_counts(), judged[judged[size] > 0]
    held = judged.loc[judged["composite_class"] == "A", size].clip(lower=0).sum() / max(positive[size].sum(), 1e-9)
    said = [
        style.say("pareto.top", n=_n_best(len(positive)), of=len(positive), indicator=names,
                  share=style.percent(top_share(judged[size]))),
        style.say("pareto.classes", a=counts.get("A", 0), b=counts.get("B", 0), c=counts.get("C", 0),
                  share=style.percent(held), indicator=names),
    ]  # fmt: skip
    how = moved["movement"].value_counts()
    if not (moved["movement"] == "–").all():
        said.append(style.say("pareto.moved", **{m: how.get(m, 0) for m in ("risen", "fallen", "joined", "left")}))
    for movement, steps in (("fallen", -2), ("risen", 2)):
        far = moved[moved["steps"] == steps]
        said += [style.say(f"pareto.{movement}", names=style.listed(far["dealer_name"]))] if len(far) else []
    stopped = overdue[overdue["status"] == "stopped_paying"] if overdue is not None else moved.head(0)
    if len(stopped):
        said.append(style.say("pareto.stopped", n=len(stopped), balance=stopped["balance"].sum(),
                              names=style.listed(stopped["dealer_name"])))  # fmt: skip
    by_hand = int((judged["override_reason"] != "").sum()) if "override_reason" in judged else 0
    said += [style.say("pareto.overridden", n=by_hand)] if by_hand else []
    unknown = [i for i in INDICATORS if judged[i].isna().all()]
    return said + [style.say("pareto.no_indicator", indicator=style.label(i)) for i in unknown]


def scope(title: str, period: str, n_dealers: int) -> str:
    """Say whose figures these are, for which window, and of how many dealers."""
    first = periods.shift(period, -11)
    return style.say("pareto.scope", title=title, first=first, last=period, n=n_dealers)


def basis_sentences(judged: pd.DataFrame, basis: str) -> list[str]:
    """Say what our brand's share is a share of, what is missing, and the weights of the joint judgement."""
    said = [style.say(f"pareto.basis_{basis}")] if basis else []
    said += [style.say("pareto.no_indicator", indicator=style.label(i)) for i in INDICATORS if judged[i].isna().all()]
    known = {i: w for i, w in WEIGHTS.items() if judged[i].notna().any()}
    weights = ", ".join(f"{style.label(i)} {style.percent(w / sum(known.values()))}" for i, w in known.items())
    return [*said, style.say("pareto.weights", weights=weights)]


def abc_table(judged: pd.DataFrame, moved: pd.DataFrame, dealers: pd.DataFrame) -> pd.DataFrame:
    """Make the ABC table for people: one row per dealer, best first, in the columns of the contract and a few more."""
    rows = judged.drop(columns="dealer_name", errors="ignore").merge(dealers, on="dealer_id", how="left")
    rows = rows.merge(moved[["dealer_id", "previous_class", "movement"]], on="dealer_id", how="left")
    letters = [f"{i}_class" for i in INDICATORS]
    columns = ["dealer_id", "dealer_name", "city", "account_manager", *INDICATORS, *letters, "code", "composite_class",
               "diagnosis", "previous_class", "movement", "override_reason"]  # fmt: skip
    return rows[columns]


def flagged(table: pd.DataFrame) -> pd.Series:
    """Mark the dealers that other parts of the edition point to: who moved by two classes, or is set by hand."""
    pair = table["previous_class"].fillna("") + table["composite_class"]
    return pair.isin(["AC", "CA"]) | (table["override_reason"] != "")


def require_conservation(totals: pd.DataFrame, reconciliation: pd.DataFrame) -> None:
    """Raise if dealers and lines without a dealer do not add up to the total, to the cent."""
    for row in reconciliation.itertuples():
        gap = round(totals[row.indicator].sum() + row.unidentified - row.total, 2)
        if abs(gap) >= 0.01:
            raise AssertionError(f"{row.indicator}: dealers and unidentified lines miss the total by {gap:,.2f}")


def headlines(judged: pd.DataFrame, moved: pd.DataFrame, overdue: pd.DataFrame) -> list[dict]:
    """Make the front page's verdict, its figures on classes and payers, and what changed; keys as `report.headline`."""
    size = main_indicator(judged)
    held = judged[judged["composite_class"] == "A"]
    share = held[size].clip(lower=0).sum() / max(judged[size].clip(lower=0).sum(), 1e-9)
    how = moved["movement"].value_counts()
    stopped = overdue[overdue["status"] == "stopped_paying"]
    verdict = style.say("pareto.verdict", n=len(held), share=style.percent(share), indicator=style.label(size))
    made = [{"place": "verdict", "text": verdict}]
    if judged["payments"].notna().any():
        owed = {"place": "tile", "label": style.say("pareto.tile_stopped"), "text": f"{len(stopped):,}"}
        change = style.say("pareto.owe", balance=float(stopped["balance"].sum()))
        made.append({**owed, "change": change, "tone": "bad" if len(stopped) else "good"})
    if not (moved["movement"] == "–").all():
        said = style.say("pareto.moved", **{m: how.get(m, 0) for m in ("risen", "fallen", "joined", "left")})
        made.append({"place": "change", "text": said, "link": "02_abc_pareto.html"})
    for movement, steps in (("fallen", -2), ("risen", 2)):
        far = moved[moved["steps"] == steps]
        if len(far):
            said = style.say(f"pareto.{movement}", names=style.listed(far["dealer_name"]))
            made.append({"place": "change", "text": said, "link": "02_abc_pareto.html"})
    return made


def tiles(months: pd.DataFrame, period: str) -> list[dict]:
    """Make the front page's figures: each known total of the window, against the window a month before.

    Keys as `report.headline` takes them; `trend` is the last 24 months.
    """
    made = []
    for column in ("revenue", "payments", "gross_profit"):
        sums = months.groupby("month")[column].sum(min_count=1).dropna()
        sums = sums.reindex(periods.month_range(period, 24), fill_value=0.0)
        now, before = sums.iloc[-12:].sum(), sums.iloc[-13:-1].sum()
        if now and before > 0:
            change = now / before - 1
            made.append(
                {
                    "place": "tile", "label": style.say("pareto.tile", indicator=style.label(column)),
                    "text": style.money(now), "tone": "good" if change >= 0 else "bad",
                    "change": style.say("pareto.change", change=f"{change * 100:+.1f} %".replace("-", "−")),
                    "trend": [float(x) for x in sums],
                }
            )  # fmt: skip
    return made


# ---- plots ----------------------------------------------------------------------------------------------------------


def plot_pareto(judged: pd.DataFrame, indicator: str = "payments", *, scope: str = "", ax: Axes | None = None) -> Axes:
    """Draw the Pareto curve of an additive indicator with the class borders, best dealers first."""
    ax = ax or style.axes(height=3.9)
    values = judged[judged[indicator] > 0].sort_values(indicator, ascending=False)
    curve = lorenz_curve(values[indicator])
    x = np.arange(len(curve))
    ax.fill_between(x, curve["value_share"], color=style.COLORS["C"], alpha=0.35, linewidth=0)
    ax.plot(x, curve["value_share"], color=style.COLORS["accent"])
    for letter in ("A", "B"):
        n = int((values[f"{indicator}_class"] <= letter).sum())
        if 0 < n < len(values):
            _mark_border(ax, n, float(curve["value_share"].iloc[n]), letter)
    style.share_axis(ax.yaxis)
    ax.set(
        xlim=(0, max(len(values), 1)),
        ylim=(0, 1.04),
        xlabel=style.label("n_dealers"),
        ylabel=style.label("value_share"),
    )
    n_a = int((values[f"{indicator}_class"] == "A").sum())
    if len(values) == len(judged) > 1 and values[indicator].min() == values[indicator].max():
        title = style.say("pareto.no_few", indicator=style.label(indicator))
    else:
        title = style.say(
            "pareto.curve", n=n_a, share=style.percent(n_a / max(len(judged), 1)), indicator=style.label(indicator),
            value=style.percent(float(curve["value_share"].iloc[n_a])),
        )  # fmt: skip
    return style.explain(ax, title, style.say("pareto.curve_how", indicator=style.label(indicator)), scope)


def _mark_border(ax: Axes, n: int, share: float, letter: str) -> None:
    ax.plot([n, n], [0, share], color=style.COLORS["text"], linewidth=0.9, linestyle=(0, (3, 3)))
    text = f"{letter} | {chr(ord(letter) + 1)}   {n} · {style.percent(share)}"
    right = n > 0.6 * ax.get_xlim()[1] if ax.get_xlim()[1] > 1 else False
    ax.annotate(text, (n, share / 2), xytext=(-6 if right else 6, 0), textcoords="offset points",
                ha="right" if right else "left", va="center", fontsize=9)  # fmt: skip


def plot_lorenz(totals: pd.DataFrame, *, scope: str = "", ax: Axes | None = None) -> Axes:
    """Draw the Lorenz curves of the additive indicators, poorest dealers first, with their Gini coefficients."""
    ax = ax or style.axes(height=4.2)
    ax.plot([0, 1], [0, 1], color=style.COLORS["reference"], linewidth=0.9, linestyle=(0, (3, 3)))
    names = [i for i in INDICATORS if i not in NOT_ADDITIVE and i in totals and (totals[i] > 0).any()]
    colors = {"payments": style.COLORS["accent"], "gross_profit": style.COLORS["rival"]}
    found = []
    for indicator in names:
        curve = 1 - lorenz_curve(totals[indicator])[::-1]
        low, high = gini_interval(totals[indicator])
        name = style.label(indicator)
        found.append(style.say("pareto.gini", indicator=name, gini=gini(totals[indicator]), low=low, high=high))
        ax.plot(curve["dealer_share"], curve["value_share"], color=colors[indicator], label=name)
    style.share_axis(ax.xaxis)
    style.share_axis(ax.yaxis)
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel=style.label("dealer_share"), ylabel=style.label("value_share"))
    if names:
        ax.legend(loc="upper left")
    return style.explain(ax, style.say("pareto.lorenz"), " · ".join(found), scope)


def plot_class_map(judged: pd.DataFrame, *, scope: str = "", ax: Axes | None = None) -> Axes:
    """Draw dealers by size and margin, coloured by composite class: who is big but thin, small but rich."""
    ax = ax or style.axes(height=4.2, dense=True)
    shown = judged[(judged["revenue"] > 0) & judged["gross_profit"].notna()]
    margin = (shown["gross_profit"] / shown["revenue"]).clip(-0.5, 1)
    for letter in ("C", "B", "A"):
        inside = shown["composite_class"] == letter
        ax.scatter(shown["revenue"][inside], margin[inside], s=20, color=style.COLORS[letter], label=letter,
                   edgecolor="white", linewidth=0.4)  # fmt: skip
    ax.set_xscale("log")
    style.money_axis(ax.xaxis)
    style.share_axis(ax.yaxis)
    ax.set(xlabel=style.label("revenue"), ylabel=style.label("gross_margin_rate"))
    ax.legend(title=style.label("composite_class"), loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2)
    thin = int(((shown["composite_class"] == "A") & (margin < margin.median())).sum())
    title = style.say("pareto.map", n=thin, of=int((shown["composite_class"] == "A").sum()))
    return style.explain(ax, title, style.say("pareto.map_how"), scope)
