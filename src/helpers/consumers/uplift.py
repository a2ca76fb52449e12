"""Uplift: what a promotion brought beyond what would have been bought anyway."""

from statistics import NormalDist
from typing import Annotated

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import look, words
from helpers.consumers.sums import FEWEST, rate_difference

LEVEL = 0.975  # of all intervals of a page together
BALANCE = 0.1  # standardised mean difference of the time before, up to which two sides are alike
BEFORE = ("before", "year", "visits")  # what must be alike: money just before, a year's, its visits
VERDICTS = ("more", "less", "nothing_seen", "placebo", "few")
# what is compared: the difference where people were drawn by lot, else the difference of changes
COMPARED = {
    "buyers": ("buys", "buys_gain"),
    "buyers_before": ("bought", "buys_drift"),
    "money": ("after", "gain"),
    "money_before": ("before", "drift"),
}
RATES = ("buys", "bought")
SHOWN = [
    "promotion_name",
    "start_date",
    "n_contacted",
    "method",
    "buyers_uplift",
    "buyers_low",
    "buyers_high",
    "uplift",
    "low",
    "high",
    "cost",
    "verdict",
]
Rate = Annotated[float, "0 to 1"]


def uplift_table(
    plans: pd.DataFrame,
    arms: pd.DataFrame,
    *,
    level: Rate = LEVEL,
    balance: float = BALANCE,
    fewest: int = FEWEST,
) -> pd.DataFrame:
    """Compare what was bought by who was written to and by who was not, promotion by promotion.

    Who was not written to is the control. Where people were drawn by lot (`assignment` "random")
    and the two sides were alike before (standardised mean differences of `BEFORE` up to `balance`),
    the difference of means is the letters' doing: method "random". Else the difference of the gains
    on as many days before is told ("difference"): it takes off what the sides differed by before,
    and claims no cause. The same computation on the days before the first letter, when nothing had
    happened yet, is the placebo: where that of buyers or of money is surely not zero, the sides
    moved apart by themselves, and nothing is claimed. Whether a promotion did anything is judged by
    how many bought, which tells more than what they paid; what it was worth, by the money.
    Intervals of rates are Newcombe's, the others normal ones of unequal variances; their level is
    shared out over both intervals of all promotions judged (Bonferroni).

    Parameters
    ----------
    plans, arms
        As `data.promotion_plans` and `data.promotion_arms` give them.
    fewest
        Consumers on either side, at least; below there is no figure.

    Returns
    -------
    DataFrame
        A row per promotion, the newest first: `promotion_id`, `promotion_name`, `promotion_kind`,
        `start_date`, `n_contacted`, `n_control`, `contacted_rate` and `control_rate` (who bought),
        `imbalance` (the largest standardised mean difference), `method`, `buyers_uplift` (share
        of those written to who bought because of it) with `buyers_low`, `buyers_high`, the same
        before as `placebo`, `placebo_low`, `placebo_high`; `uplift` (money, of all written to
        together) with `low` and `high`, `cost`, and the `verdict`: one of `VERDICTS`.

    Source: standardised differences: Austin, Balance diagnostics for comparing the distribution of
    baseline covariates between treatment groups in propensity-score matched samples, Statistics in
    Medicine 28 (2009), 3083–3107; differences in differences: Card and Krueger, Minimum wages and
    employment, American Economic Review 84 (1994), 772–793.
    """
    wide = arms.pivot_table(index="promotion_id", columns="is_contacted", aggfunc="first")
    sides = {
        name: wide.xs(key, axis=1, level=1).astype("float64")
        if len(wide) and key in wide.columns.get_level_values(1)
        else pd.DataFrame(index=wide.index, columns=arms.columns[2:], dtype="float64")
        for key, name in ((True, "told"), (False, "control"))
    }
    rows = plans.set_index("promotion_id").reindex(wide.index)
    told, control = (sides[name].reindex(columns=arms.columns[2:]) for name in ("told", "control"))
    n, n_control = (side["n_consumers"].fillna(0) for side in (told, control))
    enough = (n >= fewest) & (n_control >= fewest)
    z = NormalDist().inv_cdf(1 - (1 - level) / 2 / max(2 * int(enough.sum()), 1))
    apart = pd.DataFrame({what: _standardised(told, control, what) for what in BEFORE})
    imbalance = apart.abs().max(axis=1)
    is_random = rows["assignment"].eq("random") & (imbalance <= balance)
    found = {
        name: _difference(told, control, pd.Series(np.where(is_random, *pair), rows.index), z)
        for name, pair in COMPARED.items()
    }
    (buyers, low, high), (then, then_low, then_high) = found["buyers"], found["buyers_before"]
    (now, least, most), (_was, money_low, money_high) = found["money"], found["money_before"]
    moved = (then_low > 0) | (then_high < 0) | (money_low > 0) | (money_high < 0)
    verdict = np.select(
        [~enough, moved, low > 0, high < 0],
        ["few", "placebo", "more", "less"],
        "nothing_seen",
    )
    rates = {
        f"{name}_rate": side["buys_sum"] / side["n_consumers"]
        for name, side in (("contacted", told), ("control", control))
    }
    rates |= {"buyers_uplift": buyers, "buyers_low": low, "buyers_high": high}
    rates |= {"placebo": then, "placebo_low": then_low, "placebo_high": then_high}
    money = {"uplift": now, "low": least, "high": most}
    table = pd.DataFrame(
        {
            "promotion_name": rows["name"].fillna(rows.index.to_series()).astype("str"),
            "promotion_kind": rows["kind"].fillna("not_stated").astype("str"),
            "start_date": rows["start_date"],
            "n_contacted": n.astype("int64"),
            "n_control": n_control.astype("int64"),
            **{name: value.where(enough) for name, value in rates.items()},
            "imbalance": imbalance.where(enough),
            "method": np.where(enough, np.where(is_random, "random", "difference"), ""),
            **{name: (value * n).where(enough) for name, value in money.items()},
            "cost": rows["cost"].astype("float64"),
            "verdict": pd.array(verdict, dtype="str"),
        }
    )
    table = table.rename_axis("promotion_id").reset_index()
    order = {"start_date": False, "promotion_id": True}
    return table.sort_values(list(order), ascending=list(order.values()), ignore_index=True)


def _moments(side: pd.DataFrame, what: str) -> tuple[pd.Series, pd.Series]:
    """Give mean and variance of one measure from its sums."""
    n = side["n_consumers"]
    mean = side[f"{what}_sum"] / n
    return mean, ((side[f"{what}_squares"] - n * mean**2) / (n - 1)).clip(lower=0)


def _standardised(told: pd.DataFrame, control: pd.DataFrame, what: str) -> pd.Series:
    (mean, variance), (other, others) = _moments(told, what), _moments(control, what)
    spread = np.sqrt((variance + others) / 2)
    return ((mean - other) / spread.where(spread > 0)).fillna(0.0)


def _difference(
    told: pd.DataFrame, control: pd.DataFrame, what: pd.Series, z: float
) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Give the difference of means of the measure that each row names, and its interval."""
    parts = {}
    for name in what.unique():
        (mean, variance), (other, others) = _moments(told, name), _moments(control, name)
        half = z * np.sqrt(variance / told["n_consumers"] + others / control["n_consumers"])
        parts[name] = (mean - other, half)
    empty = pd.Series(np.nan, what.index)
    difference, half = empty.copy(), empty.copy()
    for name, (value, width) in parts.items():
        mine = what == name
        difference[mine], half[mine] = value[mine], width[mine]
    low, high = difference - half, difference + half
    for name in {*what} & {*RATES}:  # few of many bought: the normal interval would be too sure
        counted = (side[c] for side in (told, control) for c in (f"{name}_sum", "n_consumers"))
        ends = rate_difference(*counted, 2 * NormalDist().cdf(z) - 1)
        low, high = (
            side.mask(what == name, pd.Series(end, side.index))
            for side, end in zip((low, high), ends, strict=True)
        )
    return difference, low, high


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Choose what a page shows of `uplift_table`, words in the reader's language."""
    # a column that says nothing, or the same of all, takes the place that figures need
    told = {"cost": table["cost"].notna().any(), "method": len({*table["method"]}) > 1}
    rows = table[[c for c in SHOWN if told.get(c, True)]]
    said = {"verdict": [words.say(f"uplift.verdict_{v}") for v in table["verdict"]]}
    if "method" in rows:
        said["method"] = [words.say(f"uplift.method_{m}") if m else "–" for m in table["method"]]
    return rows.assign(**said)


def sentences(
    table: pd.DataFrame, *, fewest: int = FEWEST, balance: float = BALANCE, level: float = LEVEL
) -> list[str]:
    """Say what promotions brought, causal words only where people were drawn by lot."""
    if table.empty:
        return [words.say("uplift.none")]
    rows = table[table["verdict"] != "few"]
    n_few = len(table) - len(rows)
    few = [words.say("uplift.few", n=n_few, least=fewest)] if n_few else []
    if rows.empty:
        return few
    said = []
    for method in ("random", "difference"):
        mine = rows[rows["method"] == method]
        if mine.empty:
            continue
        counts = mine["verdict"].value_counts()
        said.append(
            words.say(
                f"uplift.{method}",
                n=len(mine),
                balance=balance,
                level=words.percent(level, 1),
                **{v: int(counts.get(v, 0)) for v in VERDICTS},
            )
        )
        sure = mine[mine["verdict"] == "more"]
        if len(sure):
            best = sure.loc[sure["uplift"].idxmax()]
            said.append(_told(f"uplift.best_{method}", best))
        nothing = mine[mine["verdict"] == "nothing_seen"]
        if method == "random" and len(nothing):
            least = nothing.loc[nothing["buyers_uplift"].idxmin()]
            said.append(_told("uplift.nothing", least))
        said += _costs(mine) if method == "random" else []
    n_lost = int((rows["verdict"] == "placebo").sum())
    said += [words.say("uplift.placebo", n=n_lost)] if n_lost else []
    return said + few


def _told(sentence: str, row: pd.Series) -> str:
    return words.say(
        sentence,
        promotion=row["promotion_name"],
        uplift=row["uplift"],
        low=row["low"],
        high=row["high"],
        n=row["n_contacted"],
        more=words.signed(100 * row["buyers_uplift"], 1),
        rate=words.percent(row["contacted_rate"]),
        control=words.percent(row["control_rate"]),
    )


def _costs(mine: pd.DataFrame) -> list[str]:
    """Say which promotions surely brought less in sales than they cost, and where none is known."""
    known = mine[mine["cost"].notna() & (mine["verdict"] != "placebo")]
    if known.empty:
        return [words.say("uplift.no_cost")]
    names = known.loc[known["high"] < known["cost"], "promotion_name"]
    key = "uplift.below_cost" if len(names) else "uplift.none_below_cost"
    return [words.say(key, n=len(names), of=len(known), names=words.listed(names))]


def months(table: pd.DataFrame) -> list[str]:
    """List the months in which promotions of an `uplift_table` began, the first one first."""
    return sorted(f"{day:%Y-%m}" for day in pd.to_datetime(table["start_date"].dropna()))


def plot_uplift(table: pd.DataFrame, *, note: str = "", ax: Axes | None = None) -> Axes:
    """Draw how many more bought, with its interval: drawn by lot full, compared only hollow."""
    rows = table[~table["verdict"].isin(["few", "placebo"])].reset_index(drop=True)
    if rows.empty:
        return look.nothing(words.say("uplift.nothing_drawn"), ax)
    ax = ax or look.axes(height=1.7 + 0.24 * max(len(rows), 2))
    color = look.COLORS["accent"]
    ax.axvline(0, color=look.COLORS["reference"], linewidth=0.9)
    ax.hlines(rows.index, rows["buyers_low"], rows["buyers_high"], color=color, linewidth=1.6)
    for method, filled in (("random", color), ("difference", "white")):
        mine = rows[rows["method"] == method]
        if len(mine):
            y, at = mine.index, mine["buyers_uplift"]
            ax.plot(at, y, "o", color=color, markerfacecolor=filled, markersize=5)
    ax.set_yticks(rows.index, rows["promotion_name"])
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    look.share_axis(ax.xaxis)
    ax.set_xlabel(words.label("buyers_uplift"))
    n = int((rows["verdict"] == "more").sum())
    return look.explain(
        ax, words.say("uplift.title", n=n, of=len(rows)), words.say("uplift.how"), note
    )
