"""Figures: what is owed by age, by whom, and month by month."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import look, words
from helpers.receivables import ageing

NAMED = 12  # dealers a figure has room to name


def _colors() -> list:
    """Give the ages' colours: the older, the darker; over 90 days as dead stock has it."""
    return [*(look.SEQUENTIAL(x) for x in (0.08, 0.3, 0.52, 0.75)), look.AGES[-1]]


def plot_ageing(by_age: pd.DataFrame, *, note: str = "", ax: Axes | None = None) -> Axes:
    """Draw what is owed by age; what is aged from the invoice, its due date not known, is hollow.

    What was paid in advance is below zero in the table, and no bar.
    """
    rows = by_age[by_age["bucket"].isin(ageing.BUCKETS)]
    if rows.empty:
        return look.nothing(words.say("receivables.nobody_owes"), ax)
    ax, base = ax or look.axes(height=3.4), np.zeros(len(ageing.BUCKETS))
    x = np.arange(len(ageing.BUCKETS))
    both = len(set(rows["basis"])) > 1
    for basis in ("due", "invoice"):
        sums = rows[rows["basis"] == basis].set_index("bucket")["open_amount"]
        sums = sums.reindex(ageing.BUCKETS, fill_value=0.0).to_numpy()
        if not sums.any():
            continue
        ax.bar(
            x,
            sums,
            bottom=base,
            width=0.7,
            color="white" if both and basis == "invoice" else _colors(),
            edgecolor=_colors(),
            linewidth=1.4,
        )
        base = base + sums
    for place, amount in zip(x, base, strict=True):
        if amount:
            ax.annotate(
                words.money(amount, unit=False), (place, amount), ha="center", va="bottom",
                fontsize=8.5,
            )  # fmt: skip
    ax.set_xticks(x, [words.label(bucket) for bucket in ageing.BUCKETS])
    look.money_axis(ax.yaxis)
    ax.margins(y=0.12)
    ax.grid(axis="x", visible=False)
    how = "both" if both else rows["basis"].iloc[0]
    title = _age_title(rows)
    return look.explain(ax, title, words.say(f"receivables.aged_{how}"), note)


def _age_title(rows: pd.DataFrame) -> str:
    total = rows["open_amount"].sum()
    dated = rows[rows["basis"] == "due"]
    late = dated.loc[dated["bucket"] != "not_due", "open_amount"].sum()
    old = rows.loc[rows["bucket"] == "age_over_90", "open_amount"].sum()
    known = {"owed": float(total), "old": float(old), "share": words.percent(old / total)}
    if len(dated) < len(rows):
        return words.say("receivables.title_old", **known)
    return words.say(
        "receivables.title_overdue", late=float(late), part=words.percent(late / total), **known
    )


def plot_owing(
    owed: pd.DataFrame, dealers: pd.DataFrame, *, note: str = "", ax: Axes | None = None
) -> Axes:
    """Draw who owes most, and how old it is."""
    rows = owed[owed["balance"] > 0].sort_values("balance", ascending=False)
    total, rows = rows["balance"].sum(), rows.head(NAMED).iloc[::-1]
    if rows.empty:
        return look.nothing(words.say("receivables.nobody_owes"), ax)
    ax = ax or look.axes(height=1.5 + 0.27 * len(rows))
    y, left, ends = np.arange(len(rows)), np.zeros(len(rows)), []
    for bucket, color in zip(ageing.BUCKETS, _colors(), strict=True):
        part = rows[bucket].to_numpy()
        if part.any():
            ax.barh(y, part, left=left, height=0.7, color=color)
            ends.append((left[-1] + part[-1] / 2, words.label(bucket), look.COLORS["text"]))
            left = left + part
    names = dealers.drop_duplicates("dealer_id").set_index("dealer_id")["dealer_name"]
    ax.set_yticks(y, [str(names.get(d, d)) for d in rows["dealer_id"]])
    look.money_axis(ax.xaxis)
    ax.grid(axis="y", visible=False)
    ax.set_ylim(-0.6, len(rows) - 0.5)
    look.above(ax, ends)
    share = words.percent(rows["balance"].sum() / total)
    title = words.say("receivables.title_owing", n=len(rows), share=share)
    return look.explain(ax, title, words.say("receivables.owing_how"), note)


def plot_history(history: pd.DataFrame, *, note: str = "", ax: Axes | None = None) -> Axes:
    """Draw the network's balance and its days of sales, month by month."""
    if history.empty:
        return look.nothing(words.say("receivables.no_payments"), ax)
    axes = [ax, ax] if ax is not None else list(look.axes(2, height=3.2))
    x, dot = np.arange(len(history)), "o" if len(history) == 1 else ""
    axes[0].plot(x, history["balance"], color=look.COLORS["accent"], marker=dot)
    look.money_axis(axes[0].yaxis)
    axes[0].set_ylabel(words.label("balance"))
    ends = []
    for column, color in (("countback_days", "accent"), ("dso_days", "muted")):
        axes[1].plot(x, history[column], color=look.COLORS[color], marker=dot)
        known = history[column].dropna()
        if len(known):
            ends.append((float(known.iloc[-1]), words.label(column), look.COLORS[color]))
    look.beside(axes[1], ends)
    step = max(len(history) // 4, 1)
    ticks = x[::-1][::step][::-1]
    for one in axes:
        one.set_xticks(ticks, [str(history["month"].iloc[i]) for i in ticks])
        one.set_ylim(min(0, one.get_ylim()[0]), None)
    last = history.iloc[-1]
    known = last["countback_days"] == last["countback_days"]
    key = "title_history" if known else "title_history_beyond"
    title = words.say(
        f"receivables.{key}", balance=float(last["balance"]), days=last["countback_days"]
    )
    return look.explain(axes[0], title, words.say("receivables.history_how"), note)


def plot_collection(
    history: pd.DataFrame, *, recent_months: int, note: str = "", ax: Axes | None = None
) -> Axes:
    """Draw what was invoiced and what was paid, month by month."""
    if history.empty:
        return look.nothing(words.say("receivables.no_payments"), ax)
    ax = ax or look.axes(height=3.2)
    x, dot = np.arange(len(history)), "o" if len(history) == 1 else ""  # one month makes no line
    colors = {"billed": look.COLORS["muted"], "paid": look.COLORS["accent"]}
    for column, color in colors.items():
        ax.plot(x, history[column], color=color, marker=dot)
    last = history.iloc[-1]
    look.beside(ax, [(last[name], words.label(name), color) for name, color in colors.items()])
    step = max(len(history) // 8, 1)
    ticks = x[::-1][::step][::-1]
    ax.set_xticks(ticks, [str(history["month"].iloc[i]) for i in ticks])
    ax.set_ylim(min(0, ax.get_ylim()[0]), None)
    look.money_axis(ax.yaxis)
    recent = history.tail(recent_months)
    billed, paid = float(recent["billed"].sum()), float(recent["paid"].sum())
    key = "receivables.months" if billed > 0 else "receivables.no_sales"
    rate = words.percent(paid / billed if billed > 0 else float("nan"))
    title = words.say(key, rate=rate, n=len(recent), paid=paid)
    return look.explain(ax, title, words.say("receivables.months_how"), note)
