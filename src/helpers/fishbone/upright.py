"""The fishbone on a phone: the spine runs down, bones and twigs stand below one another."""

import functools

from matplotlib import patches
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from helpers import look
from helpers.fishbone import diagram

SPINE, RIB, TWIG = 0.12, 0.34, 0.5  # inches from the left: spine, ribs, how far a twig reaches
SCORE, NAME = 0.88, 1.24  # … where a score and a name begin
FONTS = (8.2, 9.2, 10.0)  # points: twigs, bones, head
GAP = 0.07  # inches between rows


def plan(bones: list[diagram.Bone], head: str, width: float) -> list[tuple]:
    """Lay out rows from the top.

    Each is its kind (head, bone or twig), its bone or twig, its words and the middle of its height,
    in inches below the top.
    """
    rows, y = [], 0.05
    entries = [("head", None, head, width - 0.3, FONTS[2])]
    for bone in bones:
        entries.append(("bone", bone, bone.name, width - NAME, FONTS[1]))
        entries += [("twig", twig, twig.name, width - NAME - 0.05, FONTS[0]) for twig in bone.twigs]
    for kind, drawn, text, room, size in entries:
        wording = diagram.wrapped(text, functools.partial(_room, room), size)
        space = 0.1 if kind != "twig" else 0.0  # boxes, and air between bones
        height = max(wording.height, 0.14) + 2 * space
        rows.append((kind, drawn, wording, y + height / 2))
        y += height + GAP
    return rows


def height(rows: list[tuple]) -> float:
    """Give the inches that rows take."""
    _kind, _drawn, wording, y = rows[-1]
    return y + wording.height / 2 + 0.12


def draw(ax: Axes, bones: list[diagram.Bone], rows: list[tuple], width: float) -> None:
    """Draw the rows; the axes become a sheet in inches, from the top down."""
    ax.set_axis_off()
    ax.set(xlim=(0, width), ylim=(height(rows), 0), aspect="equal")
    accent, grey = look.COLORS["accent"], look.COLORS["reference"]
    twigs = [drawn for kind, drawn, *_ in rows if kind == "twig"]
    usual = sum(twig.weight for twig in twigs) / len(twigs) if twigs else 1.0
    mean = sum(bone.weight for bone in bones) / len(bones)
    last = max(y for kind, _, _, y in rows if kind == "bone")
    ax.plot([SPINE, SPINE], [rows[0][3], last], color=accent, linewidth=3, zorder=1)
    lines, looks, rib = [], [], 0.0
    for kind, drawn, wording, y in rows:
        if kind == "head":
            _box(ax, 0.02, y, wording, FONTS[2], accent, "white")
        elif kind == "bone":
            rib, own = y, not drawn.twigs
            lines.append([(SPINE, y), (RIB, y)])
            thick = diagram.thickness(drawn.weight, mean, 1.6)
            looks.append((diagram.color(drawn.score) if own else grey, thick, drawn.score, own))
            left = NAME if own else RIB
            _box(ax, left, y, wording, FONTS[1], look.SEQUENTIAL(0.08), look.COLORS["text"])
            if own:
                lines.append([(RIB, y), (SCORE - 0.04, y)])
                looks.append((diagram.color(drawn.score), thick, drawn.score, own))
                diagram.draw_score(ax, (SCORE, y), drawn.score, 7.4)
        else:
            lines += [[(RIB, rib), (RIB, y)], [(RIB, y), (SCORE - 0.04, y)]]
            thick = diagram.thickness(drawn.weight, usual, 2.2)
            looks += [(grey, 1.2, 0.0, False)]
            looks.append((diagram.color(drawn.score), thick, drawn.score, True))
            ax.text(
                NAME,
                y,
                wording.text,
                fontsize=FONTS[0],
                va="center",
                linespacing=diagram.LINE_SPACING,
            )
            diagram.draw_score(ax, (SCORE, y), drawn.score, 7.4)
    ax.add_collection(
        LineCollection(
            lines,
            colors=[color for color, *_ in looks],
            linewidths=[thick for _, thick, *_ in looks],
            linestyles=[diagram.dash(score) if own else "-" for *_, score, own in looks],
            zorder=1,
        )
    )


def _room(width: float, _height: float) -> float:
    return width


def _box(ax: Axes, left: float, y: float, wording, size: float, fill, color) -> None:
    high = wording.height + 0.12
    ax.add_patch(
        patches.FancyBboxPatch(
            (left, y - high / 2),
            wording.width + 0.16,
            high,
            boxstyle="round,pad=0,rounding_size=0.05",
            linewidth=0,
            facecolor=fill,
            zorder=2,
        )
    )
    ax.text(
        left + 0.08,
        y,
        wording.text,
        fontsize=size,
        color=color,
        va="center",
        linespacing=diagram.LINE_SPACING,
        zorder=3,
    )
