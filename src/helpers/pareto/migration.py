"""Migration: how classes move over periods, and how far they can be relied on."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import look, words
from helpers.pareto.classes import (
    BETWEEN,
    CLASSES,
    LETTERS,
    LOSS,
    MISSING,
    called_classes,
    ranked_classes,
    undecided,
)

N_QUARTERS = 8
MIN_STEPS = 2  # from quarter to quarter: one step is an event, no habit


def class_migration(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Count dealers by class before (rows) and now (columns).

    Who was not there is "joined", who is gone "left".

    Both have `dealer_id` and `composite_class`, and `code` where it is known who is below zero: he
    counts as L, below C. Every dealer of either is counted once; L, – and what a
    missing letter leaves open (A/B) have a row and a column where there are any.
    """
    both = _side_by_side(now, before)
    before_, now_ = both["previous_class"].fillna("joined"), both["composite_class"].fillna("left")
    rows, columns = [*CLASSES, "joined"], [*CLASSES, "left"]
    table = pd.crosstab(before_, now_).reindex(index=rows, columns=columns, fill_value=0)
    rare = [LOSS, MISSING, *(c for c in CLASSES if BETWEEN in c)]
    table = table.loc[
        table.any(axis=1) | ~table.index.isin(rare), table.any(axis=0) | ~table.columns.isin(rare)
    ]
    return table.rename_axis(index="previous_class", columns="composite_class")


def movements(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Say of every dealer how he moved: "risen", "fallen", "joined", "left" or "stayed".

    "–" without a year before.

    Classes are compared as in `class_migration`: from C below zero is a fall, from L back to C a
    rise. Who came from unknown or went there neither rose nor fell: "–"; nor did who is or was
    A/B, which may be either.
    """
    both = _side_by_side(now, before)
    if before.empty:  # the data do not reach back: nothing moved, nobody "joined"
        return both.assign(movement="–", steps=0)
    rank = {letter: i for i, letter in enumerate(LETTERS)}
    old, new = (called_classes(both[c]).map(rank) for c in ("previous_class", "composite_class"))
    unknown = ((old == rank[MISSING]) | (new == rank[MISSING])) & (old != new)
    unknown |= undecided(both["previous_class"]) | undecided(both["composite_class"])
    moved = np.select(
        [old.isna(), new.isna(), unknown, new < old, new > old],
        ["joined", "left", "–", "risen", "fallen"],
        "stayed",
    )
    old = old.where(~unknown)
    return both.assign(movement=moved, steps=(old - new).fillna(0).astype(int))


def _side_by_side(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    names = {"composite_class": "previous_class", "code": "previous_code"}
    kept = [
        "dealer_id",
        "composite_class",
        *(["code"] if "code" in now and "code" in before else []),
    ]
    previous = before[kept].assign(composite_class=ranked_classes(before)).rename(columns=names)
    return (
        now[kept]
        .assign(composite_class=ranked_classes(now))
        .merge(previous, on="dealer_id", how="outer", validate="one_to_one")
    )


def mover_table(moved: pd.DataFrame, dealers: pd.DataFrame) -> pd.DataFrame:
    """List the dealers that moved: who fell furthest first, then left, risen, joined."""
    order = {"fallen": 0, "left": 1, "risen": 2, "joined": 3}
    known = dealers[["dealer_id", "city", "account_manager"]]
    rows = moved[moved["movement"].isin(order)].merge(known, on="dealer_id", how="left")
    rows = rows.assign(order=rows["movement"].map(order), far=-rows["steps"].abs())
    rows = rows.sort_values(["order", "far", "previous_class", "dealer_id"])
    columns = [
        "dealer_id",
        "dealer_name",
        "city",
        "account_manager",
        "movement",
        "previous_class",
        "composite_class",
    ]
    return rows[columns].reset_index(drop=True)


def class_stability(quarters: pd.DataFrame) -> pd.DataFrame:
    """Judge each dealer's stability.

    The share of quarter-to-quarter steps in which his class stayed.

    `quarters` has `dealer_id`, `window_end`, `composite_class` (and `code`: below zero is L) for
    windows that do not overlap: rolling windows share most of their months and would call nearly
    everyone stable. A quarter without a line counts as class "left". Columns: `dealer_id`,
    `history` (classes, oldest first, "·" where absent, "/" where a missing letter leaves it open),
    `stability_rate` (NaN where there are fewer than `MIN_STEPS`), `n_steps`: an open class is no
    step, neither to it nor from it.
    """
    ranked = ranked_classes(quarters)
    quarters = quarters.assign(composite_class=ranked.mask(undecided(ranked), BETWEEN))
    wide = quarters.pivot_table(
        index="dealer_id", columns="window_end", values="composite_class", aggfunc="first"
    )
    wide = wide.reindex(columns=sorted(wide.columns)).fillna("·")
    codes = wide.to_numpy(dtype=object)
    present = codes != "·"
    # a step has the dealer at one end at least: neither the time before he joined nor after he left
    # is his stability
    steps = present[:, :-1] | (np.maximum.accumulate(present, axis=1)[:, :-1] & present[:, 1:])
    steps &= (codes[:, :-1] != BETWEEN) & (codes[:, 1:] != BETWEEN)
    same = (codes[:, 1:] == codes[:, :-1]) & steps
    n_steps = steps.sum(axis=1)
    rate = np.where(n_steps >= MIN_STEPS, same.sum(axis=1) / np.maximum(n_steps, 1), np.nan)
    history = ["".join(row) for row in codes]
    return pd.DataFrame(
        {"dealer_id": wide.index, "history": history, "stability_rate": rate, "n_steps": n_steps}
    )


def plot_migration(migration: pd.DataFrame, *, note: str = "", ax: Axes | None = None) -> Axes:
    """Draw the migration matrix: rows a year ago, columns now, numbers of dealers."""
    # no year before: nobody "joined"
    if not migration.drop(index="joined", errors="ignore").to_numpy().sum():
        return look.nothing(words.say("migration.no_year"), ax)
    ax = ax or look.axes(height=3.6)
    counts = migration.rename(index=words.word, columns=words.word)
    import seaborn as sns  # a second of loading, which who binds an edition need not wait for

    sns.heatmap(
        counts,
        annot=True,
        fmt=",d",
        cmap=look.SEQUENTIAL,
        cbar=False,
        linewidths=2,
        linecolor="white",
        ax=ax,
    )
    ax.set(xlabel=words.label("class_now"), ylabel=words.label("class_before"))
    ax.tick_params(axis="y", rotation=0)
    stayed = sum(int(migration.loc[c, c]) for c in migration.index if c in migration.columns)
    there = int(
        migration.drop(index="joined", errors="ignore")
        .drop(columns="left", errors="ignore")
        .to_numpy()
        .sum()
    )
    title = words.say(
        "migration.matrix", stayed=stayed, there=there, share=words.percent(stayed / max(there, 1))
    )
    return look.explain(ax, title, words.say("migration.matrix_how"), note)


def plot_stability(
    stability: pd.DataFrame, judged: pd.DataFrame, *, note: str = "", ax: Axes | None = None
) -> Axes:
    """Draw how stable the dealers of each class have been: the spread of their stability rates."""
    both = judged.merge(stability, on="dealer_id")
    both = both[both["stability_rate"].notna()]
    if both.empty:
        return look.nothing(words.say("migration.few_quarters"), ax)
    ax = ax or look.axes(height=3.2)
    shares = {}
    bands = [("unstable", -0.01, 0.5), ("middling", 0.5, 0.8), ("stable", 0.8, 1.01)]
    for letter in [c for c in CLASSES if (both["composite_class"] == c).any()]:
        rates = both.loc[both["composite_class"] == letter, "stability_rate"]
        shares[letter] = {
            name: float(((rates > low) & (rates <= high)).mean()) for name, low, high in bands
        }
    left = np.zeros(len(shares))
    for name, color in zip(("stable", "middling", "unstable"), ("A", "B", "C"), strict=True):
        width = np.array([shares[letter][name] for letter in shares])
        ax.barh(
            list(shares),
            width,
            left=left,
            color=look.COLORS[color],
            label=words.label(name),
            height=0.62,
        )
        left += width
    look.share_axis(ax.xaxis)
    ax.set(xlim=(0, 1), xlabel=words.label("dealer_share"), ylabel=words.label("composite_class"))
    ax.invert_yaxis()
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2)
    title = words.say(
        "migration.stability", share=words.percent(float((both["stability_rate"] > 0.8).mean()))
    )
    return look.explain(
        ax, title, words.say("migration.stability_how", n=both["history"].str.len().max()), note
    )
