"""Figures of the month: the bridge, the months against last year and target, the forecast."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import look, periods, words
from helpers.result import steps, summary
from helpers.result.forecast import Forecast

N_MONTHS = 13  # that are drawn: this month of last year is among them
BAR = 0.62
SLIVER = 0.3  # of the axis: where all steps together are less, it begins above zero


def plot_bridge(
    bridge: pd.Series, span: str, *, period: str, note: str = "", ax: Axes | None = None
) -> Axes:
    """Draw a bridge as a waterfall: from the same months a year before to now, step by step.

    Steps are causes and no times, so they stand below one another (IBCS).

    Parameters
    ----------
    bridge
        Step → effect, as `steps.network_steps`.
    """
    if bridge.empty:
        return look.nothing(words.say(f"month.no_bridge_{span}"), ax)
    moves = bridge.drop(["base", "now"])
    moves = moves[moves.abs() > summary.CENT]
    ax = ax or look.axes(height=1.35 + 0.27 * (len(moves) + 2))
    ends = bridge["base"] + moves.cumsum()
    starts = ends - moves
    y = np.arange(1, len(moves) + 1)
    last = len(moves) + 1
    colors = [look.COLORS["good" if move > 0 else "bad"] for move in moves]
    ax.barh(0, bridge["base"], BAR, color=look.COLORS["muted"])
    ax.barh(y, moves, BAR, left=starts, color=colors)
    ax.barh(last, bridge["now"], BAR, color=look.COLORS["accent"])
    ax.vlines(
        [bridge["base"], *ends],
        np.arange(last) + BAR / 2,
        np.arange(last) + 1 - BAR / 2,
        color=look.COLORS["reference"],
        linewidth=0.7,
    )
    tops = np.maximum(starts, ends)
    marks = [(0, bridge["base"], words.money(bridge["base"], unit=False))]
    marks += [
        (at, top, words.signed_money(move, unit=False))
        for at, top, move in zip(y, tops, moves, strict=True)
    ]
    marks.append((last, bridge["now"], words.money(bridge["now"], unit=False)))
    for at, top, text in marks:
        ax.annotate(text, (top, at), (4, 0), textcoords="offset points", va="center", fontsize=9)
    names = [words.label(f"bridge_{step}") for step in ("base", *moves.index, "now")]
    ax.set_yticks(np.arange(len(names)), names)
    ax.set_ylim(last + 0.5, -0.5)
    ax.grid(visible=False)
    is_cut = _zoomed(ax, bridge, starts, ends)
    ax.set_xticks([])  # each bar says its amount
    ax.set_xlabel(words.say("month.axis", unit=_unit()))
    title = words.say(
        f"month.title_{span}",
        period=period,
        change=words.signed_money(bridge["now"] - bridge["base"]),
    )
    told = ", ".join(
        f"{words.label(f'bridge_{step}')} {words.signed_money(move)}"
        for step, move in moves.items()
    )
    alt = f"{title}. {told}"
    how = words.say("month.bridge_how_cut" if is_cut else "month.bridge_how")
    return look.explain(ax, title, how, note, alt)


def _unit() -> str:
    """Name the currency as amounts are followed by."""
    return words.currency()


def _zoomed(ax: Axes, bridge: pd.Series, starts: pd.Series, ends: pd.Series) -> bool:
    """Set the axis, and tell whether it begins above zero: where steps would else be slivers."""
    levels = np.array([bridge["base"], bridge["now"], *starts, *ends])
    low, high = float(levels.min()), float(levels.max())
    is_cut = low > 0 and high - low < SLIVER * high
    bottom = low - 0.6 * (high - low) if is_cut else min(0.0, low)
    room = (high - bottom) or 1.0
    ax.set_xlim(bottom - (0.06 * room if low < 0 else 0), max(high, 0.0) + 0.02 * room)
    return is_cut


def plot_months(
    months: pd.DataFrame, targets: pd.DataFrame, *, note: str = "", ax: Axes | None = None
) -> Axes:
    """Draw each month's revenue beside the same month a year before and the network's target."""
    rows = months.tail(N_MONTHS)
    if rows.empty or not (rows["revenue"] != 0).any():
        return look.nothing(words.say("month.no_months"), ax)
    before = months.set_index("month")["revenue"]
    last = before.reindex([periods.shift(month, -12) for month in rows["month"]]).to_numpy(float)
    own = targets[targets["cut"] == "network"].set_index("month")["revenue"]
    aims = own.reindex(rows["month"]).to_numpy(float)
    ax, x = ax or look.axes(height=3.4), np.arange(len(rows))
    if not np.isnan(last).all():
        ax.bar(x - 0.2, last, 0.4, color=look.COLORS["muted"])
    ax.bar(x + 0.2, rows["revenue"], 0.4, color=look.COLORS["accent"])
    if not np.isnan(aims).all():
        ax.bar(x + 0.2, aims, 0.5, **look.OUTLINED)
    ax.set_xticks(x, rows["month"], rotation=35, ha="right")
    ax.grid(axis="x", visible=False)
    look.money_axis(ax.yaxis)
    ax.set_ylabel(words.say("month.axis", unit=_unit()))
    ends = (
        (rows["revenue"].to_numpy(), "actual", "accent"),
        (last, "previous_actual", "muted"),
        (aims, "target", "text"),
    )
    told = [(v[~np.isnan(v)], words.label(t), look.COLORS[c]) for v, t, c in ends]
    look.beside(ax, [(values[-1], name, color) for values, name, color in told if len(values)])
    known = ~np.isnan(last)
    above = int((rows["revenue"].to_numpy()[known] > last[known]).sum())
    key = "month.months" if known.any() else "month.months_plain"
    title = words.say(key, n=above, of=int(known.sum()))
    return look.explain(ax, title, words.say("month.months_how"), note)


def plot_forecast(
    months: pd.DataFrame, ahead: Forecast, period: str, *, note: str = "", ax: Axes | None = None
) -> Axes:
    """Draw two years of months and those to come, with their interval."""
    if ahead.months.empty:
        key = "run_rate_only" if ahead.method else "no_forecast"
        return look.nothing(words.say(f"month.{key}"), ax)
    rows, coming = months.tail(24), ahead.months
    ax, n = ax or look.axes(height=3.4), len(rows)
    ax.bar(np.arange(n), rows["revenue"], BAR, color=look.COLORS["accent"])
    x = np.arange(n, n + len(coming))
    look.hatched(ax, x, coming["value"].to_numpy(), BAR)
    ax.vlines(x, coming["low"], coming["high"], color=look.COLORS["text"], linewidth=1.2, zorder=3)
    names = [*rows["month"], *coming["month"]]
    step = max(len(names) // 9, 1)
    ax.set_xticks(np.arange(len(names))[::-1][::step][::-1], names[::-1][::step][::-1])
    ax.set_ylim(bottom=min(0.0, float(rows["revenue"].min()), float(coming["low"].min())))
    look.money_axis(ax.yaxis)
    ax.set_ylabel(words.say("month.axis", unit=_unit()))
    ax.grid(axis="x", visible=False)
    spans = (((n - 1) / 2, "actual"), (float(x.mean()), "forecast"))
    look.above(ax, [(at, words.label(term), look.COLORS["accent"]) for at, term in spans])
    first = coming.iloc[0]
    title = words.say(
        "month.forecast_title",
        month=first["month"],
        value=first["value"],
        low=first["low"],
        high=first["high"],
    )
    how = words.say("month.forecast_how", method=words.label(ahead.method))
    return look.explain(ax, title, how, note)


def bridge_rows(bridge: pd.DataFrame, span: str, indicator: str, cut: str) -> pd.DataFrame:
    """Lay bridges out as a table: a row per step, a column per part, the largest now first."""
    rows = bridge[
        (bridge["span"] == span) & (bridge["indicator"] == indicator) & (bridge["cut"] == cut)
    ]
    if rows.empty:
        return pd.DataFrame()
    order = rows[rows["step"] == "bridge_now"].sort_values("effect", ascending=False)["part"]
    names = ("base", *steps.STEPS, "now")
    wide = rows.pivot_table(index="part", columns="step", values="effect", aggfunc="sum")
    wide = wide.reindex(order)[[c for n in names if (c := f"bridge_{n}") in wide]]
    wide = wide.loc[:, (wide != 0).any()]
    # a name of the data's own, which the column of what is cut by prints as such
    return wide.round().rename_axis(columns=None).reset_index().rename(columns={"part": cut})
