"""Needs: what dealers want from a supplier, how much it matters, and how well we serve it."""

import functools

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from helpers import look, words
from helpers.fishbone import scoring

QUADRANTS = ("act", "keep", "low_priority", "overdone")


def need_gaps(
    scores: pd.DataFrame, names: pd.DataFrame, *, end_date, brand: str = "", dealer_id: str = ""
) -> pd.DataFrame:
    """Set what dealers need against how we perform.

    Means of the last session that scored the need, largest gap first.

    Columns: `need` (code), `need_name`, `n_scores` (the fewer of both), `importance`,
    `performance`, `gap` (importance less performance, points) and `quadrant`, cut at the medians
    over the needs: "act" (important, below the median in performance), "keep" (important,
    performed), "overdone" (less important, performed), "low_priority". Needs without either score
    are left out. Source: Martilla & James (1977), Importance-performance analysis, J. of Marketing
    41(1).
    """
    found = {}
    for aspect in ("importance", "performance"):
        rows = scoring.answers(
            scores, end_date=end_date, dealer_id=dealer_id, brand=brand, kind="need", aspect=aspect
        )
        rows = rows[(rows["brand"] == "") & rows["item_id"].isin(names["need"])]
        rows = rows[rows["nth"] == rows.groupby("item_id")["nth"].transform("max")]
        found[aspect] = rows.groupby("item_id")["score"].agg(
            **{f"mean_{aspect[0]}": "mean", f"size_{aspect[0]}": "size"}
        )
    both = found["importance"].join(found["performance"], how="inner")
    word = {row.need: words.translated(row.en, row.zh) for row in names.itertuples()}
    important, performed = (
        both[c].round(9) >= round(both[c].median(), 9) for c in ("mean_i", "mean_p")
    )
    table = pd.DataFrame(
        {
            "need": both.index,
            "need_name": both.index.map(word),
            "n_scores": both[["size_i", "size_p"]].min(axis=1),
            "importance": both["mean_i"],
            "performance": both["mean_p"],
            "gap": both["mean_i"] - both["mean_p"],
            "quadrant": np.select(
                [important & ~performed, important & performed, ~important & performed],
                ["act", "keep", "overdone"],
                default="low_priority",
            ),
        }
    )
    return table.sort_values(["gap", "need"], ascending=[False, True], ignore_index=True)


def need_sentences(table: pd.DataFrame) -> list[str]:
    """Say which needs are important and not met, the widest gap first."""
    act = table[table["quadrant"] == "act"]
    if table.empty:
        return [words.say("scoring.no_needs")]
    if act.empty:
        return [words.say("scoring.needs_met_line")]
    return [
        words.say(
            "scoring.need",
            need=r.need_name,
            importance=r.importance,
            performance=r.performance,
            gap=r.gap,
        )
        for r in act.itertuples()
    ]


def plot_needs(
    table: pd.DataFrame, *, note: str = "", narrow: bool = False, ax: Axes | None = None
) -> Axes:
    """Draw importance against performance of each need, cut at the medians.

    What needs action is named in red. `narrow` is for a phone, where names find other places.
    """
    if table.empty:
        return look.nothing(words.say("scoring.no_needs"), ax)
    if ax is None:
        ax = look.axes(height=4.6, narrow=narrow)
        ax.figure.narrow = functools.partial(plot_needs, table, note=note, narrow=True)
    act = (table["quadrant"] == "act").to_numpy()
    x, y = table["performance"].to_numpy(), table["importance"].to_numpy()
    ax.axvline(np.median(x), color=look.COLORS["reference"], linewidth=0.9, linestyle=(0, (3, 3)))
    ax.axhline(np.median(y), color=look.COLORS["reference"], linewidth=0.9, linestyle=(0, (3, 3)))
    ax.scatter(x, y, s=42, color=np.where(act, look.COLORS["bad"], look.COLORS["accent"]), zorder=3)
    for values, bound in ((x, ax.set_xlim), (y, ax.set_ylim)):
        # for the labels of the outermost needs, and the corners' names
        room = max(0.14 * np.ptp(values), 0.3)
        bound(values.min() - room, values.max() + room)
    corners = {"act": (0, 1), "keep": (1, 1), "overdone": (1, 0), "low_priority": (0, 0)}
    names = [
        ax.annotate(
            words.label(name),
            corner,
            xycoords="axes fraction",
            fontsize=9,
            style="normal",
            xytext=(6 - 12 * corner[0], 5 - 10 * corner[1]),
            textcoords="offset points",
            ha="right" if corner[0] else "left",
            va="top" if corner[1] else "bottom",
            color=look.COLORS["bad" if name == "act" else "subtle"],
        )
        for name, corner in corners.items()
    ]
    ax.set(xlabel=words.label("performance_0_10"), ylabel=words.label("importance_0_10"))
    urgent = table[act]
    title = (
        words.say("scoring.needs_title", n=len(urgent), needs=words.listed(urgent["need_name"], 99))
        if len(urgent)
        else words.say("scoring.needs_met")
    )
    look.explain(ax, title, words.say("scoring.needs_how"), note)
    colors = [look.COLORS["bad" if red else "text"] for red in act]
    _name_points(ax, x, y, table["need_name"].tolist(), colors, names)
    return ax


def _name_points(ax: Axes, x, y, names: list[str], colors: list[str], taken: list) -> None:
    """Write a name beside each point where it hides neither another name nor a point, as near as
    there is room.

    The layout is settled first, for room is measured in pixels; offsets in points hold at any
    resolution.
    """
    ax.figure.draw_without_rendering()
    pixels = ax.figure.dpi / 72
    points = ax.transData.transform(np.column_stack([x, y]))
    dots = [
        Bbox.from_bounds(px - 4 * pixels, py - 4 * pixels, 8 * pixels, 8 * pixels)
        for px, py in points
    ]
    boxes = [text.get_window_extent() for text in taken]
    for i, (name, color) in enumerate(zip(names, colors, strict=True)):
        marks = {
            "textcoords": "offset points",
            "fontsize": 9,
            "color": color,
            "ha": "center",
            "va": "center",
            "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        }
        text = ax.annotate(name, (x[i], y[i]), xytext=(0, 0), **marks)
        size = text.get_window_extent()
        others = boxes + dots[:i] + dots[i + 1 :]
        dx, dy, box, far = _free_place(points[i], size.width, size.height, pixels, others, ax.bbox)
        if far:  # a thin line says whose name it is
            text.remove()
            line = {
                "arrowstyle": "-",
                "color": look.COLORS["reference"],
                "linewidth": 0.7,
                "shrinkB": 3,
            }
            text = ax.annotate(name, (x[i], y[i]), xytext=(0, 0), arrowprops=line, **marks)
        text.set_position((dx / pixels, dy / pixels))
        text.set_in_layout(False)
        boxes.append(box)


def _free_place(
    point, width: float, height: float, pixels: float, others: list[Bbox], inside: Bbox
):
    """Choose the nearest place around a point, right first, whose box meets no other.

    The least hidden if none is.
    """
    places = []
    for reach in (7, 11, 16, 22, 30, 40):
        across, up = reach * pixels + width / 2, reach * pixels + height / 2 - 2 * pixels
        for dx, dy in (
            (across, 0),
            (-across, 0),
            (0, up),
            (0, -up),
            (across, up),
            (-across, up),
            (across, -up),
            (-across, -up),
        ):
            left, bottom = point[0] + dx - width / 2, point[1] + dy - height / 2
            box = Bbox.from_bounds(left, bottom, width, height)
            hidden = sum(_overlap(box, other) for other in others) + 1e6 * _outside(box, inside)
            places.append((hidden, dx, dy, box, reach > 11))
            if hidden == 0:
                return places[-1][1:]
    return min(places, key=lambda place: place[0])[1:]


def _overlap(a: Bbox, b: Bbox) -> float:
    return max(min(a.x1, b.x1) - max(a.x0, b.x0), 0) * max(min(a.y1, b.y1) - max(a.y0, b.y0), 0)


def _outside(box: Bbox, frame: Bbox) -> bool:
    return box.x0 < frame.x0 or box.x1 > frame.x1 or box.y0 < frame.y0 or box.y1 > frame.y1
