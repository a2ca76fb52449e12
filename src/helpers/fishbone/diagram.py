"""Bones: a fishbone laid out by measured text, so that no name touches another, and drawn."""

import functools
import math
import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from matplotlib import patches
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import TextToPath

from helpers import look, words

MIDDLE = 0.5  # of the scores: what is below is bad, and red
FULL_SCORE = 10.0  # what is missing of a factor is missing to this

# One breakable piece: a Chinese character with the punctuation that stays with it, or letters up to
# a hyphen or slash.
CJK = r"\u2e80-\u303f\u3040-\u9fff\uf900-\ufaff\uff00-\uffef"
OPEN = r"\uff08\u300a\u300c\u3010"
CLOSE = r"\uff0c\u3002\u3001\uff1a\uff1b\uff09\u300b\u300d\u3011\uff01\uff1f\u201d"
BREAKABLE = rf"[{OPEN}]*[{CJK}][{CLOSE}]*|[^{CJK}/-]+[/-]*|[/-]+"

# The drawing is laid out in inches, so that what is measured fits what is drawn.
POINT = 1 / 72
# how far a bone leans back over its whole length: usually, and where room is scarce
SLANT = (0.8, 0.55)
STEEPEST = 0.55  # … and per inch of height
# the widest column of a bone, beyond which twigs look empty; the shortest twig
WIDEST, SHORTEST = 2.4, 0.7
TAIL, NECK = 0.3, 0.2  # from the left edge to the fork of the tail; from the last joint to the head
CLEAR = 0.12  # from a bone to the tip of the next bone's twigs
PAD = 0.055  # from a line to a text that is not its own
UP, DOWN = 7 * POINT, 6 * POINT  # from a twig to its name above; what its score needs below
APART = 4 * POINT  # between one twig's score and the next one's name
MOST_LINES = 12  # of one name
LINE_SPACING = 1.15
KEY = (1.1, 0.07)  # width and height of the colour key


# ---- the drawing ---------------------------------------------------------------------------------


class Bone(NamedTuple):
    """A bone or a twig as it is drawn; a bone that has twigs has no score of its own."""

    name: str
    weight: float
    score: float
    twigs: tuple = ()


class _Words(NamedTuple):
    """A name, wrapped, with the size it takes."""

    text: str
    width: float
    height: float


class Layout(NamedTuple):
    """The measures of a drawing in inches.

    Where the spine lies, how long and how slanted the bones are.
    """

    names: list[list[_Words]]  # of the twigs, bone by bone
    boxes: list[_Words]
    head: _Words
    head_size: tuple[float, float]
    joints: list[float]
    pitch: float
    slant: float
    twig: float  # the length of a twig
    reach: tuple[float, float]  # of the bones above and below the spine
    spine: float
    size: tuple[float, float]
    fonts: tuple[float, float, float]  # twigs, bones, head


def score_colors() -> Colormap:
    """Give the colours of scores 0-10 (as 0-1): below the middle red, above it green.

    The ends of the scale are alike, and a point from the middle is seen.
    """
    bad, neutral, good = (look.COLORS[name] for name in ("bad", "muted", "good"))
    stops = [(0, bad), (0.4, bad), (MIDDLE, neutral), (0.7, good), (1, good)]
    return LinearSegmentedColormap.from_list("score", stops)


# ---- the layout ----------------------------------------------------------------------------------


def layout(bones: list[Bone], head: str, width: float) -> Layout:
    """Measure the names, and find where everything goes on a width in inches.

    The height follows from them.

    Bones lie above and below the spine by turns, as far out and as steep as the fullest of a side
    needs.
    """
    n_columns = math.ceil(len(bones) / 2)
    crowded = n_columns > 4
    fonts = (7.2, 8.2, 10.0) if crowded else (8.0, 9.0, 10.5)
    slant = SLANT[crowded]
    head_words = wrapped(head, functools.partial(_room, 0.95, 0.0), fonts[2])
    head_size = (max(head_words.width, 0.45) + 0.42, max(head_words.height + 0.36, 0.8))
    pitch = min((width - slant - NECK - head_size[0]) / n_columns, WIDEST)
    boxes = [
        wrapped(bone.name, functools.partial(_room, pitch - 0.22 - _tag(bone), 0.0), fonts[1])
        for bone in bones
    ]
    above, reach_above = _named(bones[::2], pitch, slant, fonts[0])
    below, reach_below = _named(bones[1::2], pitch, slant, fonts[0])
    names = [(below if i % 2 else above)[i // 2] for i in range(len(bones))]
    longest = max(
        (
            name.width + (name.height + UP) * slant / (reach_below if i % 2 else reach_above) + PAD
            for i, twigs in enumerate(names)
            for name in twigs
        ),
        default=0,
    )
    half = head_size[1] / 2 + 0.05
    spine = 0.35 + max(reach_below + _tallest(boxes[1::2]) if below else 0, half)
    top = spine + max(reach_above + _tallest(boxes[::2]), half)
    joints = [slant + pitch * (1 + i // 2) - CLEAR / 2 for i in range(len(bones))]
    twig = min(max(longest + PAD, SHORTEST), pitch - CLEAR)
    return Layout(
        names,
        boxes,
        head_words,
        head_size,
        joints,
        pitch,
        slant,
        twig,
        (reach_above, reach_below),
        spine,
        (width, top),
        fonts,
    )


def _named(
    bones: list[Bone], pitch: float, slant: float, size: float
) -> tuple[list[list[_Words]], float]:
    """Wrap the names of the twigs of one side, and find how far its bones reach out.

    So far that the fullest has room.

    A slanting bone takes from the room of a name what the name's height costs; the longer the
    bones, the less they lean, so the least slope is sought that its own bones keep to.
    """
    for slope in (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, STEEPEST):
        room = functools.partial(_room, pitch - CLEAR - 2 * PAD, slope)
        names = [[wrapped(twig.name, room, size) for twig in bone.twigs] for bone in bones]
        blocks = [sum(name.height + UP + DOWN + APART for name in twigs) + APART for twigs in names]
        reach = max([slant / STEEPEST, *blocks])
        if slant / reach <= slope:
            break
    return names, reach


def _room(width: float, slope: float, height: float) -> float:
    return width - slope * (height + UP)


def _tag(bone: Bone) -> float:
    """Give the room for the score that stands before the name of a bone without twigs."""
    return 0.0 if bone.twigs else 0.28


def _tallest(wording: list[_Words]) -> float:
    return max((word.height for word in wording), default=0) + 0.14


def wrapped(name: str, room: Callable[[float], float], size: float) -> _Words:
    """Wrap a name into as few lines as its room allows, which may shrink with their height.

    Lines of even length.
    """
    pieces = _pieces(name, size)
    for n_lines in range(1, MOST_LINES + 1):
        width = max(room(_height(n_lines, size)), 3 * size * POINT)
        lines = _lines(_cut(pieces, width, size), width)
        if len(lines) <= n_lines:
            break
    widest = min(max(piece.width for piece in pieces), width)
    for narrower in np.linspace(width, widest, 24):
        if len(tighter := _lines(_cut(pieces, width, size), narrower)) <= len(lines):
            lines = tighter
    widths = [_width(line, size) for line in lines]
    return _Words("\n".join(lines), max(widths), _height(len(lines), size))


class _Piece(NamedTuple):
    """A part of a name that stays on one line.

    `gap` is the width of the space before it, within a line.
    """

    text: str
    width: float
    gap: float = 0.0


def _pieces(name: str, size: float) -> list[_Piece]:
    """Break a name at spaces, after hyphens and slashes, and between Chinese characters, where
    their rules allow it.
    """
    pieces = []
    for word in name.split() or ["–"]:
        for i, text in enumerate(re.findall(BREAKABLE, word)):
            space = " " if i == 0 and pieces else ""
            pieces.append(
                _Piece(
                    text,
                    _width(text, size),
                    _width("n n", size) - _width("nn", size) if space else 0.0,
                )
            )
    return pieces


def _cut(pieces: list[_Piece], width: float, size: float) -> list[_Piece]:
    """Cut what is longer than a line by itself."""
    cut = []
    for piece in pieces:
        rest, gap = piece.text, piece.gap
        while len(rest) > 1 and _width(rest, size) > width:
            n = max(
                next(
                    (
                        n
                        for n in range(len(rest) - 1, 1, -1)
                        if _width(rest[:n] + "-", size) <= width
                    ),
                    1,
                ),
                1,
            )
            cut.append(_Piece(rest[:n] + "-", _width(rest[:n] + "-", size), gap))
            rest, gap = rest[n:], 0.0
        cut.append(_Piece(rest, _width(rest, size), gap))
    return cut


def _lines(pieces: list[_Piece], width: float) -> list[str]:
    lines, used = [pieces[0].text], pieces[0].width
    for piece in pieces[1:]:
        if used + piece.gap + piece.width <= width + 1e-9:
            lines[-1] += " " * (piece.gap > 0) + piece.text
            used += piece.gap + piece.width
        else:
            lines.append(piece.text)
            used = piece.width
    return lines


@functools.cache
def _width(text: str, size: float) -> float:
    """Measure a text as a vector drawing sets it; a screen's grid may make it a little wider."""
    width, _height, _descent = TextToPath().get_text_width_height_descent(
        text, FontProperties(size=size), ismath=False
    )
    return width * POINT * 1.02


def _height(n_lines: int, size: float) -> float:
    return n_lines * size * LINE_SPACING * 1.05 * POINT


# ---- the strokes ---------------------------------------------------------------------------------


def draw(ax: Axes, bones: list[Bone], plan: Layout) -> None:
    """Draw the bones as they were laid out, in inches; the axes become a sheet without axes."""
    ax.set_axis_off()
    ax.set(xlim=(0, plan.size[0]), ylim=(0, plan.size[1]), aspect="equal")
    _draw_spine(ax, plan)
    _draw_bones(ax, bones, plan)
    _draw_twigs(ax, bones, plan)
    _draw_key(ax, plan)


def _draw_spine(ax: Axes, plan: Layout) -> None:
    """Draw tail, spine and head, and the words in the head."""
    color, y = look.COLORS["accent"], plan.spine
    neck = plan.joints[-1] + NECK
    ax.plot(
        [TAIL - 0.1, neck + 0.1], [y, y], color=color, linewidth=3, solid_capstyle="round", zorder=2
    )
    for up in (-1, 1):
        fork = Path(
            [(TAIL, y), (TAIL - 0.12, y + up * 0.03), (TAIL - 0.24, y + up * 0.2)],
            [Path.MOVETO, Path.CURVE3, Path.CURVE3],
        )
        ax.add_patch(
            patches.PathPatch(
                fork, fill=False, edgecolor=color, linewidth=3, capstyle="round", zorder=2
            )
        )
    width, half = plan.head_size[0], plan.head_size[1] / 2
    head = Path(
        [
            (neck, y),
            (neck + 0.02, y + half * 0.8),
            (neck - 0.06, y + half),
            (neck + width * 0.5, y + half * 1.02),
            (neck + width * 0.86, y + half * 0.4),
            (neck + width, y),
            (neck + width * 0.86, y - half * 0.4),
            (neck + width * 0.5, y - half * 1.02),
            (neck - 0.06, y - half),
            (neck + 0.02, y - half * 0.8),
            (neck, y),
        ],
        [
            Path.MOVETO,
            Path.CURVE3,
            Path.CURVE3,
            Path.CURVE4,
            Path.CURVE4,
            Path.CURVE4,
            Path.CURVE4,
            Path.CURVE4,
            Path.CURVE4,
            Path.CURVE3,
            Path.CURVE3,
        ],
    )
    ax.add_patch(
        patches.PathPatch(
            head, facecolor=color, edgecolor=color, linewidth=1.5, joinstyle="round", zorder=3
        )
    )
    ax.text(
        neck + 0.45 * width,
        y,
        plan.head.text,
        fontsize=plan.fonts[2],
        color="white",
        ha="center",
        va="center",
        linespacing=LINE_SPACING,
        zorder=4,
    )


def _draw_bones(ax: Axes, bones: list[Bone], plan: Layout) -> None:
    """Draw the bones, and their names in the boxes at their ends.

    A bone without twigs shows its own score.
    """
    mean = sum(bone.weight for bone in bones) / len(bones)
    lines = []
    for i, (bone, box) in enumerate(zip(bones, plan.boxes, strict=True)):
        up, reach, tag = (1, -1)[i % 2], plan.reach[i % 2], _tag(bone)
        end = (plan.joints[i] - plan.slant, plan.spine + up * reach)
        lines.append([(plan.joints[i], plan.spine), end])
        width, height = box.width + 0.16 + tag, box.height + 0.1
        left, bottom = end[0] - width / 2, end[1] - (height if up < 0 else 0)
        ax.add_patch(
            patches.FancyBboxPatch(
                (left, bottom),
                width,
                height,
                boxstyle="round,pad=0,rounding_size=0.05",
                linewidth=0,
                facecolor=look.SEQUENTIAL(0.08),
                zorder=3,
            )
        )
        ax.text(
            left + tag + (width - tag) / 2,
            bottom + height / 2,
            box.text,
            fontsize=plan.fonts[1],
            ha="center",
            va="center",
            linespacing=LINE_SPACING,
            zorder=4,
        )
        if tag:
            draw_score(ax, (left + 0.06, bottom + height / 2), bone.score)
    colors = [look.COLORS["reference"] if bone.twigs else color(bone.score) for bone in bones]
    widths = [thickness(bone.weight, mean, 1.6) for bone in bones]
    dashes = ["-" if bone.twigs else dash(bone.score) for bone in bones]
    ax.add_collection(
        LineCollection(
            lines,
            colors=colors,
            linewidths=widths,
            linestyles=dashes,
            capstyle="round",
            zorder=1,
            label="bones",
        )
    )


def _draw_twigs(ax: Axes, bones: list[Bone], plan: Layout) -> None:
    """Draw the twigs, evenly along their bones and read from above, with names and scores."""
    flat = [twig for bone in bones for twig in bone.twigs]
    if not flat:
        return
    mean = sum(twig.weight for twig in flat) / len(flat)
    widths = [thickness(twig.weight, mean, 2.2) for twig in flat]
    places = [place for i in range(len(bones)) for place in _places(plan, i)]
    names = [name for names in plan.names for name in names]
    lines = []
    for twig, name, width, (tip, end, y, left) in zip(flat, names, widths, places, strict=True):
        cap = width / 2 * POINT  # a round end reaches that far
        lines.append([(tip + cap, y), (end - cap, y)])
        ax.text(
            left,
            y + UP,
            name.text,
            fontsize=plan.fonts[0],
            va="bottom",
            linespacing=LINE_SPACING,
            zorder=4,
        )
        draw_score(ax, (tip, y), twig.score)
    ax.add_collection(
        LineCollection(
            lines,
            colors=[color(twig.score) for twig in flat],
            linewidths=widths,
            linestyles=[dash(twig.score) for twig in flat],
            capstyle="round",
            zorder=1,
            label="twigs",
        )
    )


def _places(plan: Layout, i: int) -> list[tuple[float, float, float, float]]:
    """Place the twigs of a bone: tip and end of each, its height, and where its name begins."""
    names, up, reach = plan.names[i], (1, -1)[i % 2], plan.reach[i % 2]
    slope = plan.slant / reach
    space = (reach - sum(name.height + UP + DOWN for name in names)) / (len(names) + 1)
    places = []
    y = reach if up > 0 else 0.0  # from the spine
    for name in names:
        y -= space + name.height + UP
        end = plan.joints[i] - slope * abs(y)
        # below the spine the next bone to the left leans towards the top of the name
        behind = plan.joints[i] - plan.pitch - slope * abs(y if up > 0 else y + UP + name.height)
        places.append((end - plan.twig, end, plan.spine + y, max(end - plan.twig, behind + PAD)))
        y -= DOWN
    return places


def draw_score(ax: Axes, at: tuple[float, float], score: float, size: float = 7) -> None:
    """Write a score on a tag of its colour, which begins at a place.

    The text is as dark or light as it must be.
    """
    fill = "white" if math.isnan(score) else color(score)
    tag = {
        "boxstyle": "round,pad=0.28,rounding_size=0.6",
        "facecolor": fill,
        "edgecolor": color(score),
        "linewidth": 0.8,
    }
    text = f" {score_text(score)} " if math.isnan(score) else score_text(score)
    ax.text(
        at[0] + 2 * POINT,
        at[1],
        text,
        fontsize=size,
        bbox=tag,
        color=look.ink_on(fill),
        va="center_baseline",
        zorder=4,
    )


def _draw_key(ax: Axes, plan: Layout) -> None:
    """Draw the slim key of colours into the corner below the head."""
    width, height = KEY
    right, y = plan.joints[-1] + NECK + plan.head_size[0] - 0.25, 0.09
    steps = np.linspace(0, 1, 21)
    cells = [
        patches.Rectangle((right - width + width * low, y), width / 20, height)
        for low in steps[:-1]
    ]
    middle = score_colors()((steps[:-1] + steps[1:]) / 2)
    for cell, color in zip(cells, middle, strict=True):
        cell.set(facecolor=color, edgecolor=color, linewidth=0.3, label="key")
        ax.add_patch(cell)
    faint = {"fontsize": 7.5, "color": look.COLORS["subtle"], "va": "center"}
    ax.text(right + 0.05, y + height / 2, "10", ha="left", **faint)
    ax.text(
        right - width - 0.05, y + height / 2, f"{words.label('score')}   0", ha="right", **faint
    )


def color(score: float) -> str | tuple:
    """Give the colour of a score; a missing one is grey."""
    return look.COLORS["reference"] if math.isnan(score) else score_colors()(score / FULL_SCORE)


def dash(score: float) -> str | tuple:
    """Give the stroke of a line of that score; of a missing one it is dotted."""
    return (0, (1, 1.6)) if math.isnan(score) else "-"


def score_text(score: float) -> str:
    """Write a score with one digit; a missing one is a dash."""
    return "–" if math.isnan(score) else "10" if score >= 9.95 else f"{score:.1f}"


def thickness(weight: float, mean: float, usual: float) -> float:
    """Give a line's width in points.

    In proportion to the weight, but never invisible nor a beam.
    """
    return float(np.clip(usual * weight / mean, 0.8, 2.6 * usual)) if mean > 0 else usual
