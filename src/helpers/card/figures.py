"""The figures of a card: half a page wide, two side by side on paper."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import inventory, look, periods, words
from helpers.card.dossier import N_FACTORS, Dossier, year_sums

HALF_IN = 4.5  # inches: two figures stand side by side on a printed card


def _half(height: float = 2.0) -> Axes:
    return look.axes(height=height, width=HALF_IN)


def window_note(found: Dossier) -> str:
    """Say whose figures these are, and of which months: those of the window that are known."""
    return look.months_note(_name(found), _window(found))


def day_note(found: Dossier) -> str:
    """Say whose figures these are, as they stood at the period's end."""
    day = periods.window(found.period, 1).end.isoformat()
    return words.say("card.note_day", name=_name(found), day=day)


def _name(found: Dossier) -> str:
    return str(found.who.get("dealer_name", found.dealer_id))


def _window(found: Dossier) -> list[str]:
    # months before the data are unknown, not without a purchase
    return periods.month_range(found.period, 12)[12 - found.n_months :]


def plot_purchases(found: Dossier, *, ax: Axes | None = None) -> Axes:
    """Draw what he bought of ours month by month, the year before behind it."""
    window = periods.month_range(found.period, 12)
    by_month = (
        found.months.set_index("month")["revenue"] if len(found.months) else pd.Series(dtype=float)
    )
    if by_month.reindex(window).isna().all():
        return look.nothing(words.say("card.no_purchases"), ax or _half(0.9))
    window = _window(found)
    ax, x = ax or _half(), np.arange(len(window))
    before = by_month.reindex([periods.shift(month, -12) for month in window])
    if before.notna().any():
        # the year before, lighter and behind
        ax.bar(x - 0.14, before.fillna(0), 0.56, color=look.COLORS["muted"])
        spans = (
            (x[len(x) // 4], words.say("card.then"), look.COLORS["muted"]),
            (x[-1], words.say("card.now", n=len(window)), look.COLORS["accent"]),
        )
        look.above(ax, spans)
    ax.bar(x + 0.1, by_month.reindex(window).fillna(0), 0.56, color=look.COLORS["accent"])
    ax.set_xticks(x[::2], [month[2:] for month in window[::2]])
    ax.grid(axis="x", visible=False)
    look.money_axis(ax.yaxis)
    now, then = year_sums(found)
    change = words.change(now, then, 0) if then > 0 else ""
    key = "card.bought_title_change" if change else "card.bought_title"
    title = words.say(key, now=now, change=change, n=len(window))
    return look.explain(ax, title, source=window_note(found))


def plot_places(found: Dossier, *, ax: Axes | None = None) -> Axes:
    """Draw his place among his peers, the best at the right.

    Beside it his figure and the middle peer's.
    """
    rows = found.places.dropna(subset=["percentile"])
    if rows.empty:
        return look.nothing(words.say(f"card.no_places_{found.audience}"), ax or _half(0.9))
    ax, y = ax or _half(), np.arange(len(rows))
    ax.hlines(y, 0, 1, color=look.COLORS["muted"], linewidth=1)
    ax.axvline(0.5, color=look.COLORS["reference"], linewidth=0.8, linestyle="--")
    color = [look.COLORS["good" if p >= 0.5 else "bad"] for p in rows["percentile"]]
    ax.scatter(rows["percentile"], y, color=color, s=46, zorder=3)
    for at, row in zip(y, rows.itertuples(), strict=True):
        ax.annotate(
            _place(row),
            (0.5, at),
            xytext=(0, 5),
            textcoords="offset points",
            fontsize=8,
            ha="center",
            zorder=2,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3},
        )
    ax.set_yticks(y, [words.label(i) for i in rows["indicator"]])
    ax.set(xlim=(-0.06, 1.06), ylim=(len(rows) - 0.5, -0.9))
    ax.set_xticks(
        [0, 0.5, 1], [words.label(t) for t in ("peers_worst", "peers_middle", "peers_best")]
    )
    ax.grid(visible=False)
    first = rows.iloc[0]
    title = words.say(
        "card.places",
        indicator=words.label(first["indicator"]),
        place=int(first["place"]),
        n=int(first["n_peers"]),
        peers=words.say(f"card.peers_{first['peers']}"),
    )
    return look.explain(ax, title, source=window_note(found))


def _place(row) -> str:
    money = row.indicator in ("payments", "gross_profit")
    days = row.indicator.endswith("_days")
    write = (
        words.money
        if money
        else (lambda v: f"{v:,.0f}")
        if days
        else (lambda v: words.percent(v, 1))
    )
    return words.say(
        "card.place",
        value=write(row.value),
        median=write(row.peer_median),
        place=row.place,
        n=row.n_peers,
    )


def plot_stock_age(found: Dossier, *, ax: Axes | None = None) -> Axes:
    """Draw his stock at his cost by age."""
    value = found.aged.groupby("bucket")["value"].sum().reindex(inventory.BUCKETS).fillna(0.0)
    if not value.sum() > 0:
        # pieces without a cost are known to lie there
        said = "card.no_stock" if found.aged.empty else "inventory.no_cost"
        return look.nothing(words.say(said), ax or _half(0.9))
    value = value if value["unknown"] > 0 else value.drop("unknown")
    ax, y = ax or _half(), np.arange(len(value))
    is_old = found.aged.groupby("bucket")["is_old"].any()
    color = [look.COLORS["bad" if is_old.get(b, False) else "accent"] for b in value.index]
    ax.barh(y, value, color=color, height=0.62)
    for at, amount in zip(y, value, strict=True):
        ax.annotate(
            f"{words.money(amount, unit=False)} · {words.percent(amount / value.sum())}",
            (amount, at),
            xytext=(4, 0),
            textcoords="offset points",
            fontsize=8.5,
            va="center",
        )
    ax.set_yticks(y, [words.label(inventory.VALUES[bucket]) for bucket in value.index])
    ax.set(xlim=(0, 1.4 * value.max()), ylim=(len(value) - 0.4, -0.6))
    ax.set_xticks([])
    ax.grid(visible=False)
    old = found.aged.loc[found.aged["is_old"], "value"].sum()
    title = words.say("card.stock", value=value.sum(), share=words.percent(old / value.sum()))
    return look.explain(ax, title, source=day_note(found))


def plot_factors(found: Dossier, *, ax: Axes | None = None) -> Axes:
    """Draw his weakest factors.

    What the data say of him among his peers, and what people scored.
    """
    rows = (
        found.factors.dropna(subset=["data_score"])
        .sort_values("data_score", kind="stable")
        .head(N_FACTORS)
    )
    if rows.empty:
        return look.nothing(words.say(f"card.no_factors_{found.audience}"), ax or _half(0.9))
    row = rows.iloc[0]
    title = words.say(
        "card.factors", factor=row["factor"], score=words.decimal(row["data_score"], 1)
    )
    if len(rows) == 1:  # one mark
        return look.instead(title, ax or _half(0.9))
    ax, y = ax or _half(), np.arange(len(rows))
    ax.hlines(y, 0, rows["data_score"], color=look.COLORS["muted"], linewidth=1)
    color = [look.COLORS["good" if score >= 5 else "bad"] for score in rows["data_score"]]
    ax.scatter(rows["data_score"], y, color=color, s=40, zorder=3)
    scored = rows["score"].notna()
    if scored.any():
        ax.scatter(
            rows.loc[scored, "score"],
            y[scored],
            marker="D",
            s=26,
            facecolor="none",
            zorder=3,
            edgecolor=look.COLORS["text"],
        )
        first = rows[scored].iloc[0]
        told = ((first["data_score"], "by_data"), (first["score"], "by_people"))
        look.above(ax, [(at, words.say(f"card.{term}"), look.COLORS["text"]) for at, term in told])
    ax.set_yticks(y, rows["factor"])
    ax.set(xlim=(-0.3, 10.3), ylim=(len(rows) - 0.4, -0.6))
    ax.grid(axis="y", visible=False)
    return look.explain(ax, title, source=window_note(found))
