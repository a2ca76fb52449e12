"""Progress: what the page says of a plan, action by action."""

import math
from collections.abc import Sequence

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import look, words
from helpers.fishbone.plan import LATE, SIDES, STATES, WORKING_WEEK
from helpers.settings import page_of

ROWS = 20  # actions in the figure
NAMED = 8  # actions in a sentence, and dealers whose gain is told: the table has the rest
PAGE = page_of("fishbone")
SHOWN = [
    "factor",
    "dealer_name",
    "owner",
    "state",
    "due_date",
    "start_score",
    "now_score",
    "target_score",
    "expected_gain",
    "came_gain",
]
# of look.COLORS
STATE_COLORS = {"overdue": "bad", "behind": "rival", "on_course": "accent", "reached": "good"}


# ---- sentences -----------------------------------------------------------------------------------


def sentences(proposed: pd.DataFrame, tree: pd.DataFrame) -> list[str]:
    """Say what a proposed plan asks for and promises, and whether its money is an estimate."""
    if proposed.empty:
        return [words.say("plan.none")]
    first, gain = proposed.iloc[0], float(proposed["expected_gain"].sum(min_count=1))
    factor = tree.set_index("factor_id")["factor"].get(first["factor_id"], first["factor_id"])
    begun, due = (f"{day:%Y-%m-%d}" for day in (first["start_date"], proposed["due_date"].iloc[-1]))
    return [
        words.say(
            "plan.proposed",
            n=len(proposed),
            start=begun,
            due=due,
            factor=factor,
            owner=_who(first["owner"]),
        ),
        words.say("plan.calendar", n=WORKING_WEEK.count("1")),
        words.say("plan.no_gain")
        if math.isnan(gain)
        else words.say("plan.proposed_gain", gain=gain),
    ]


def bottom_line(table: pd.DataFrame) -> list[str]:
    """Say in sentences how the plan stands.

    Which actions are late, what was reached, what came in money.
    """
    if table.empty:
        return [words.say("plan.none")]
    said = [_counted(table)]
    for state in ("overdue", "behind", "reached", "met_before", "not_known"):
        rows = table[table["state"] == state]
        names = [
            words.say("plan.action", factor=r.factor, where=_where(r), owner=_who(r.owner))
            for r in rows.itertuples()
        ]
        said += [words.say(f"plan.{state}", names=_listed(names))] if names else []
    return said + _sides(table) + _came(table)


def _counted(table: pd.DataFrame) -> str:
    counts = table["state"].value_counts()
    states = [
        words.say("plan.count", n=int(counts[s]), state=words.label(s))
        for s in STATES
        if s in counts
    ]
    return words.say("plan.counts", n=len(table), states=words.listed(states, len(STATES)))


def _sides(table: pd.DataFrame) -> list[str]:
    standing = table[table["status"] != "dropped"]
    gain = standing.groupby("owner_side")["expected_gain"].sum(min_count=1)
    if gain.isna().all():
        return [words.say("plan.no_gain")]
    if len(set(standing["owner_side"])) == 1:
        side = standing["owner_side"].iloc[0]
        return [
            words.say(
                "plan.one_side", gain=float(gain[side]), side=words.label(side), n=len(standing)
            )
        ]
    values = {side: float(np.nan_to_num(gain.get(side, 0.0))) for side in SIDES}
    counts = {f"n_{side}": int((standing["owner_side"] == side).sum()) for side in values}
    return [words.say("plan.sides", **values, **counts)]


def _came(table: pd.DataFrame) -> list[str]:
    """Tell what came, once for each dealer and the rest of the network, however many actions share
    it.
    """
    known = table[table["came_gain"].notna()].fillna({"dealer_id": ""})
    known = known.sort_values("expected_gain", ascending=False, kind="stable")
    said = []
    for dealer, rows in list(known.groupby("dealer_id", sort=False))[:NAMED]:
        expected = rows["expected_gain"].sum(min_count=1)
        where = _where(rows.iloc[0])
        if not dealer and (known["dealer_id"] != "").any():
            where = words.say("plan.rest")
        told = words.say(
            "plan.came_plain" if pd.isna(expected) else "plan.came",
            where=where,
            came=rows["came_gain"].sum(),
            n=int(rows["n_months"].max()),
            start=f"{rows['start_date'].min():%Y-%m-%d}",
            expected=expected,
        )
        said.append(told + (words.say("plan.shared", n=len(rows)) if len(rows) > 1 else ""))
    return [*said, words.say("plan.association")] if said else []


def carried(found: pd.DataFrame) -> list[str]:
    """Say to whom each success may carry over."""
    if found.empty:
        return [words.say("plan.carried_none")]
    return [
        words.say(
            "plan.carried",
            factor=rows["factor"].iloc[0],
            where=rows["from_dealer_name"].iloc[0],
            names=words.listed(rows["dealer_name"]),
        )
        for _, rows in found.groupby(["factor_id", "from_dealer_id"], sort=False)
    ]


def headlines(table: pd.DataFrame) -> list[dict]:
    """Make the front page's line on the plan, and the calls for what is late at a dealer.

    Keys as `report.headline`.
    """
    if table.empty:
        return []
    made = [{"place": "change", "text": _counted(table), "link": PAGE}]
    late = table[table["state"].isin(LATE) & table["dealer_id"].notna()]
    for row in late.sort_values("due_date", kind="stable").itertuples():
        text = words.say(
            "plan.call",
            factor=row.factor,
            state=words.label(row.state),
            due=_day(row.due_date),
            now=_points(row.now_score),
            target=_points(row.target_score),
            owner=_who(row.owner),
        )
        made.append({"place": "call", "label": str(row.dealer_name), "text": text, "link": PAGE})
    return made


def _where(row) -> str:
    return (
        words.label("network")
        if pd.isna(row.dealer_id) or row.dealer_id == ""
        else str(row.dealer_name)
    )


def _who(owner: str) -> str:
    """Name an owner in mid-sentence: a person, or a side."""
    return words.label(owner).lower() if owner in SIDES else str(owner)


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - NAMED
    shown = words.translated("; ", "；").join(names[:NAMED])
    return shown + (
        words.translated(f" and {rest} more", f"等 {len(names)} 项") if rest > 0 else ""
    )


def _points(score: float) -> str:
    return "–" if pd.isna(score) else f"{score:.1f}"


def _day(date: pd.Timestamp) -> str:
    return "–" if pd.isna(date) else f"{date:%Y-%m-%d}"


def plan_note(title: str, table: pd.DataFrame) -> str:
    """Say whose plan this is, held against which day, and how many actions it has."""
    if table.empty:
        return title
    as_of = table["as_of_date"].iloc[0]
    days = pd.concat([table["start_date"], table["due_date"]]).dropna()
    first, last = (days.min(), days.max()) if len(days) else (as_of, as_of)
    told = {"first": f"{first:%Y-%m}", "last": f"{last:%Y-%m}", "date": _day(as_of)}
    return words.say("plan.note", title=title, n=len(table), **told)


# ---- the figure ----------------------------------------------------------------------------------


def plot_plan(table: pd.DataFrame, *, note: str = "", ax: Axes | None = None) -> Axes:
    """Draw each action from start to due date, filled as far as its target is reached.

    A line marks the end date.
    """
    if table.empty:
        return look.nothing(words.say("plan.none"), ax)
    if table[["start_date", "due_date"]].isna().all(axis=None):
        return look.nothing(words.say("plan.no_dates"), ax)
    shown = _in_order(table)
    ax = ax or look.axes(height=1.75 + 0.3 * len(shown))
    for place, row in enumerate(shown.itertuples()):
        _draw_action(ax, place, row)
    day = table["as_of_date"].iloc[0]
    ax.axvline(day, color=look.COLORS["text"], linewidth=0.9, linestyle=(0, (3, 3)), zorder=3)
    names = [
        words.say("plan.row", factor=_short(row.factor), where=_short(_where(row)))
        for row in shown.itertuples()
    ]
    ax.set_yticks(range(len(shown)), names)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    _date_axis(ax, shown)
    late, reached = int(table["state"].isin(LATE).sum()), int((table["state"] == "reached").sum())
    how = words.say(
        "plan.how" if len(shown) == len(table) else "plan.how_some",
        day=_day(day),
        shown=len(shown),
        n=len(table),
    )
    return look.explain(
        ax, words.say("plan.title", n=len(table), reached=reached, late=late), how, note
    )


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the most urgent actions, then show them as they begin."""
    urgency = table["state"].map(STATES.index)
    kept = (
        table.assign(urgency=urgency).sort_values(["urgency", "due_date"], kind="stable").head(ROWS)
    )
    return kept.sort_values(["start_date", "due_date", "urgency"], kind="stable")


def _draw_action(ax: Axes, place: int, row) -> None:
    color = look.COLORS[STATE_COLORS.get(row.state, "reference")]
    days = [mdates.date2num(day) for day in (row.start_date, row.due_date) if not pd.isna(day)]
    if len(days) < 2:  # half of its dates: a point in time
        ax.plot(days, [place] * len(days), "D", color=color, markersize=6, zorder=2)
    else:
        start, length = days[0], days[1] - days[0] + 1  # the due day is worked on too
        ax.barh(place, length, left=start, height=0.5, color=look.COLORS["C"], zorder=1)
        ax.barh(
            place,
            length * np.nan_to_num(row.reached_share),
            left=start,
            height=0.5,
            color=color,
            zorder=2,
        )
    said = words.say(
        "plan.row_state",
        state=words.label(row.state),
        start=_points(row.start_score),
        now=_points(row.now_score),
        target=_points(row.target_score),
    )
    look.beside(ax, [(place, said, color)])


def _date_axis(ax: Axes, shown: pd.DataFrame) -> None:
    """Print months as 2026-10, days where the plan is short: month names would need a language."""
    dates = pd.concat([shown["start_date"], shown["due_date"], shown["as_of_date"]]).dropna()
    first, last = mdates.date2num([dates.min(), dates.max()])
    margin = max((last - first) * 0.03, 1)
    ax.set_xlim(first - margin, last + margin)
    locator = mdates.AutoDateLocator(minticks=3, maxticks=6)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(
        mdates.DateFormatter("%Y-%m" if last - first > 150 else "%Y-%m-%d")
    )


def _short(name: str) -> str:
    most = 12 if any("\u4e00" <= c <= "\u9fff" for c in name) else 26
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"
