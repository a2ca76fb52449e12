"""Migration: how classes move over periods, and how far they can be relied on."""

from collections.abc import Collection

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import look, periods, words
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


# how a dealer moved: `outgrown` has a lower class though he bought no less, for others grew faster
MOVEMENTS = ("fallen", "left", "outgrown", "won_back", "risen", "joined")


def is_present(rows: pd.DataFrame) -> pd.Series:
    """Tell who was there in a window: who bought of ours, returns taken off.

    A late payment is no presence, and a debt is none. Where no purchases are known it is who paid;
    where neither is, whoever has a row. One definition, on every page.

    >>> is_present(pd.DataFrame({"revenue": [5.0, 0.0], "payments": [0.0, 5.0]})).tolist()
    [True, False]
    """
    for column in ("revenue", "payments"):
        if column in rows and rows[column].notna().any():
            return rows[column] > 0
    return pd.Series(True, index=rows.index)


def class_migration(
    now: pd.DataFrame, before: pd.DataFrame, moved: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Count dealers by class before (rows) and now (columns).

    Who was not there is "joined", or "won_back" where `moved` (from `movements`) says so; who is
    gone "left".

    Both have `dealer_id` and `composite_class`, and `code` where it is known who is below zero: he
    counts as L, below C. Every dealer who was there in either is counted once; L, – and what a
    missing letter leaves open (A/B) have a row and a column where there are any, those won back a
    row.
    """
    both = _side_by_side(now[is_present(now)], before[is_present(before)])
    before_, now_ = both["previous_class"].fillna("joined"), both["composite_class"].fillna("left")
    if moved is not None:
        back = moved.loc[moved["movement"] == "won_back", "dealer_id"]
        before_ = before_.mask(both["dealer_id"].isin(back), "won_back")
    rows, columns = [*CLASSES, "joined", "won_back"], [*CLASSES, "left"]
    table = pd.crosstab(before_, now_).reindex(index=rows, columns=columns, fill_value=0)
    rare = [LOSS, MISSING, "won_back", *(c for c in CLASSES if BETWEEN in c)]
    table = table.loc[
        table.any(axis=1) | ~table.index.isin(rare), table.any(axis=0) | ~table.columns.isin(rare)
    ]
    return table.rename_axis(index="previous_class", columns="composite_class")


def movements(
    now: pd.DataFrame, before: pd.DataFrame, earlier: Collection[str] = ()
) -> pd.DataFrame:
    """Say of every dealer how he moved: one of `MOVEMENTS`, or "stayed".

    "–" without a year before, and for who was there in neither year (see `is_present`).

    Who bought in this year and not in the one before is "won_back" if he is among those who bought
    `earlier` still, else "joined"; who bought in the year before alone has "left". Classes are
    compared as in `class_migration`: from C below zero is a fall, from L back to C a rise. Fallen
    is who bought less, too: without that a lower letter is "outgrown". Who came from unknown or
    went there neither rose nor fell: "–"; nor did who is or was A/B, which may be either.
    """
    both = _side_by_side(now, before)
    if before.empty:  # the data do not reach back: nothing moved, nobody "joined"
        return both.assign(movement="–", steps=0)
    here = both["dealer_id"].isin(now.loc[is_present(now), "dealer_id"])
    was = both["dealer_id"].isin(before.loc[is_present(before), "dealer_id"])
    rank = {letter: i for i, letter in enumerate(LETTERS)}
    old, new = (called_classes(both[c]).map(rank) for c in ("previous_class", "composite_class"))
    unknown = ((old == rank[MISSING]) | (new == rank[MISSING])) & (old != new)
    unknown |= undecided(both["previous_class"]) | undecided(both["composite_class"])
    moved = np.select(
        [
            ~here & ~was,
            ~was & both["dealer_id"].isin(list(earlier)),
            ~was,
            ~here,
            unknown,
            new < old,
            (new > old) & grew(both["dealer_id"], now, before),
            new > old,
        ],
        ["–", "won_back", "joined", "left", "–", "risen", "outgrown", "fallen"],
        "stayed",
    )
    old = old.where(~unknown & here & was)
    return both.assign(movement=moved, steps=(old - new).fillna(0).astype(int))


def grew(dealer_ids: pd.Series, now: pd.DataFrame, before: pd.DataFrame) -> pd.Series:
    """Tell who bought no less than before, or where that is not known paid no less."""
    for column in ("revenue", "payments"):
        if all(column in rows and rows[column].notna().any() for rows in (now, before)):
            sums = (dealer_ids.map(rows.set_index("dealer_id")[column]) for rows in (now, before))
            now_, before_ = sums
            return now_ >= before_
    return pd.Series(False, index=dealer_ids.index)


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
    """List the dealers that moved, in the order of `MOVEMENTS`, who fell furthest first."""
    order = {movement: i for i, movement in enumerate(MOVEMENTS)}
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
    came = ["joined", "won_back"]
    if not migration.drop(index=came, errors="ignore").to_numpy().sum():
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
    look.inked(ax)
    ax.set(xlabel=words.label("class_now"), ylabel=words.label("class_before"))
    ax.tick_params(axis="y", rotation=0)
    stayed = sum(int(migration.loc[c, c]) for c in migration.index if c in migration.columns)
    there = int(
        migration.drop(index=came, errors="ignore")
        .drop(columns="left", errors="ignore")
        .to_numpy()
        .sum()
    )
    title = words.say(
        "migration.matrix", stayed=stayed, there=there, share=words.percent(stayed / max(there, 1))
    )
    return look.explain(ax, title, words.say("migration.matrix_how"), note)


def stability_note(title: str, period: str, stability: pd.DataFrame) -> str:
    """Say whose classes are followed, and over which months: the quarters of `class_stability`."""
    n = int(stability["history"].str.len().max()) if len(stability) else 0
    first = periods.shift(period, 1 - 3 * n)
    return look.months_note(title, [first, period] if n else [])


def plot_stability(
    stability: pd.DataFrame, judged: pd.DataFrame, *, note: str = "", ax: Axes | None = None
) -> Axes:
    """Draw how stable the dealers of each class have been: the spread of their stability rates."""
    both = judged.merge(stability, on="dealer_id")
    both = both[both["stability_rate"].notna()]
    if both.empty:
        return look.nothing(words.say("migration.few_quarters"), ax)
    title = words.say(
        "migration.stability", share=words.percent(float((both["stability_rate"] > 0.8).mean()))
    )
    if len(both) == 1:  # one bar
        return look.instead(title, ax)
    ax = ax or look.axes(height=3.2)
    shares = {}
    bands = [("unstable", -0.01, 0.5), ("middling", 0.5, 0.8), ("stable", 0.8, 1.01)]
    for letter in [c for c in CLASSES if (both["composite_class"] == c).any()]:
        rates = both.loc[both["composite_class"] == letter, "stability_rate"]
        shares[letter] = {
            name: float(((rates > low) & (rates <= high)).mean()) for name, low, high in bands
        }
    left, ends = np.zeros(len(shares)), []
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
        ends.append((left[0] + width[0] / 2, words.label(name), look.COLORS[color]))
        left += width
    look.share_axis(ax.xaxis)
    ax.set(xlim=(0, 1), xlabel=words.label("dealer_share"), ylabel=words.label("composite_class"))
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    look.above(ax, ends)
    return look.explain(
        ax, title, words.say("migration.stability_how", n=both["history"].str.len().max()), note
    )
