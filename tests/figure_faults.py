"""What is wrong with a figure, seen as a reader sees it: drawn, with each line of text recorded.

Colours in other eyes: Machado, Oliveira & Fernandes (2009), "A Physiologically-based Model for
Simulation of Color Vision Deficiency", severity 1.0; grey is CIE lightness.
"""

import itertools
import re
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

READABLE = 4.5  # contrast
SEEN_SHARE = 0.15  # of what lies behind a line of text: less is a thin line that passes
SMALLEST_PX = 9.0  # CSS pixels of text
PX = 4 / 3  # CSS pixels to a point, where a figure is shown as wide as it is
DRAWING = 0.5  # of a figure's width
APART, APART_GREY = 12.0, 8.0  # CIE76 in each eye; lightness
MONTH = r"\d{4}-\d{2}"
EYES = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


class Line(NamedTuple):
    """A line of text as drawn: its box from the top left, in points."""

    text: str
    box: tuple[float, float, float, float]
    size: float
    color: tuple
    turned: bool
    owner: int  # the text that it is a line of


class Recorder(RendererAgg):
    """Draws all but texts, which it notes."""

    def __init__(self, width: float, height: float) -> None:
        """Open a sheet of so many points, one to a pixel."""
        super().__init__(width, height, 72)
        self.lines: list[Line] = []

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None) -> None:
        """Note where a line of text would be drawn."""
        wide, high, down = self.get_text_width_height_descent(s, prop, ismath)
        if angle:
            extent = mtext.get_window_extent(self)
            box = (extent.x0, self.height - extent.y1, extent.x1, self.height - extent.y0)
        else:
            box = (x, y - high + down, x + wide, y + down)
        size = prop.get_size_in_points()
        self.lines.append(Line(s, box, size, gc.get_rgb(), bool(angle), id(mtext)))


def seen(figure: Figure) -> tuple[list[Line], np.ndarray]:
    """Draw a figure; -> its lines of text, and all else as pixels, one to a point."""
    before, engine = figure.dpi, figure.get_layout_engine()
    try:
        figure.dpi = 72
        recorder = Recorder(*figure.bbox.size)
        engine.renderer = recorder
        figure.draw(recorder)
        pixels = np.asarray(recorder.buffer_rgba()).astype(float) / 255
        return recorder.lines, pixels
    finally:
        figure.dpi, engine.renderer = before, None


def faults(figure: Figure) -> list[str]:
    """Tell all that is wrong with a figure as it is laid out now."""
    lines, pixels = seen(figure)
    lines = [line for line in lines if line.text.strip()]
    return [
        *unreadable(lines, pixels),
        *small(lines),
        *outside(lines, figure),
        *overlaps(lines),
        *squeezed(figure),
        *legends(figure),
        *empty(figure),
        *alike(figure),
    ]


def unreadable(lines: list[Line], pixels: np.ndarray) -> list[str]:
    """List texts that stand out too little from what lies behind them."""
    found = []
    for line in lines:
        x0, y0, x1, y1 = (round(v) for v in line.box)
        behind = pixels[max(y0, 0) : max(y1, 1), max(x0, 0) : max(x1, 1), :3].reshape(-1, 3)
        if not len(behind):
            continue
        colors, counts = np.unique(np.round(behind * 31), axis=0, return_counts=True)
        worst = min(
            contrast(line.color[:3], color / 31)
            for color, count in zip(colors, counts, strict=True)
            if count >= SEEN_SHARE * len(behind) or count == counts.max()
        )
        if worst < READABLE - 0.15:  # colours are rounded to 32 steps
            found.append(f"contrast: {line.text!r} {worst:.2f}")
    return found


def small(lines: list[Line]) -> list[str]:
    """List texts that are too small."""
    return [
        f"small: {line.text!r} {line.size * PX:.1f} px"
        for line in lines
        if line.size * PX < SMALLEST_PX - 1e-6
    ]


def outside(lines: list[Line], figure: Figure) -> list[str]:
    """List texts that reach over the figure's edge."""
    wide, high = 72 * figure.get_size_inches()
    return [
        f"outside: {line.text!r}"
        for line in lines
        if line.box[0] < -1 or line.box[2] > wide + 1 or line.box[1] < -2 or line.box[3] > high + 2
    ]


def overlaps(lines: list[Line]) -> list[str]:
    """List texts that lie on one another; turned ones are judged by their distance, not here."""
    found = []
    for one, other in itertools.combinations([line for line in lines if not line.turned], 2):
        if one.owner == other.owner:
            continue
        wide = min(one.box[2], other.box[2]) - max(one.box[0], other.box[0])
        high = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
        if wide > 1.0 and high > 1.5:
            found.append(f"overlap: {one.text!r} and {other.text!r}")
    return found


def squeezed(figure: Figure) -> list[str]:
    """Say where names leave less than half of the width to draw on."""
    drawn = [ax.get_window_extent() for ax in figure.axes if ax.axison and _is_main(ax)]
    if not drawn:
        return []
    stacked = len({round(box.x0) for box in drawn}) == 1
    width = max(box.width for box in drawn) if stacked else sum(box.width for box in drawn)
    part = width / figure.bbox.width
    # several panels in a row each have their own scale
    least = DRAWING if stacked else 0.4
    return [f"squeezed: {part:.0%} of the width is drawn on"] if part < least - 0.01 else []


def _is_main(ax) -> bool:
    return ax.get_label() != "<colorbar>"


def legends(figure: Figure) -> list[str]:
    """Say where a legend stands instead of names at what they name."""
    return ["legend"] * any(ax.get_legend() is not None for ax in figure.axes)


def empty(figure: Figure) -> list[str]:
    """Say what a figure draws that tells nothing: one bar, lines on each other, one full row."""
    found = []
    bars, grids, other = [], [], 0
    for ax in figure.axes:
        if not _is_main(ax):
            continue
        bars += [p for p in ax.patches if isinstance(p, Rectangle) and _size(p) > 1e-9]
        other += sum(len(np.unique(np.asarray(line.get_xdata(), object))) > 1 for line in ax.lines)
        other += sum(len(c.get_offsets()) > 1 or len(c.get_paths()) > 1 for c in ax.collections)
        other += len([p for p in ax.patches if not isinstance(p, Rectangle)])
        grids += [c for c in ax.collections if hasattr(c, "get_coordinates")]
        found += _coincident(ax)
    if len(bars) == 1 and not other:
        found.append("empty: one bar")
    if not bars and not other and any(ax.axison for ax in figure.axes):
        found.append("empty: nothing is drawn")
    for grid in grids:
        values = np.ma.filled(np.ma.asarray(grid.get_array(), float), np.nan)
        if values.size <= 1 or np.isnan(values).all():
            found.append("empty: a grid of one cell")
    return found


def _size(bar: Rectangle) -> float:
    return abs(bar.get_width() * bar.get_height())


def _coincident(ax) -> list[str]:
    """Curves of several points that lie on one another over all of the height."""
    low, high = sorted(ax.get_ylim())
    curves = []
    for line in ax.lines:
        if line.get_transform() != ax.transData or line.get_linestyle() in ("None", ""):
            continue
        x, y = (np.asarray(v, float) for v in (line.get_xdata(), line.get_ydata()))
        if len(x) > 2 and np.isfinite(y).sum() > 2:
            curves.append((x[np.isfinite(y)], y[np.isfinite(y)]))
    for (x, y), (u, v) in itertools.combinations(curves, 2):
        at = np.linspace(max(x.min(), u.min()), min(x.max(), u.max()), 101)
        if at[0] < at[-1] and all(np.all(np.diff(part) >= 0) for part in (x, u)):
            apart = np.abs(np.interp(at, x, y) - np.interp(at, u, v)).max()
            if apart < 0.01 * (high - low):
                return ["empty: two lines on each other"]
    return []


# ---- colours -------------------------------------------------------------------------------------


def linear(color: object) -> np.ndarray:
    """Take the gamma off a colour."""
    parts = np.array(to_rgb(color))
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(one: object, other: object) -> float:
    """Give the contrast of WCAG 2.2."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    low, high = sorted((float(linear(one) @ weights), float(linear(other) @ weights)))
    return (high + 0.05) / (low + 0.05)


def lab(color: object, eye: str = "usual") -> np.ndarray:
    """Give a colour's place in CIE L*a*b* (D65) as an eye sees it."""
    xyz = TO_XYZ @ np.clip(EYES[eye] @ linear(color), 0, 1) / [0.95047, 1.0, 1.08883]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distances(one: object, other: object) -> dict[str, float]:
    """Give how far two colours are apart in each eye, and in grey."""
    found = {eye: float(np.linalg.norm(lab(one, eye) - lab(other, eye))) for eye in EYES}
    return found | {"grey": float(abs(lab(one)[0] - lab(other)[0]))}


def alike(figure: Figure) -> list[str]:
    """List pairs of looks in one axes that are not told apart by everybody.

    What stands apart by its mark, stroke or outline is; a grid of shades is read by its numbers.
    """
    found = []
    for ax in figure.axes:
        for (one, how), (other, kind) in itertools.combinations(sorted(_looks(ax)), 2):
            if how.split()[0] != kind.split()[0] or how != kind:
                continue  # a bar and a line; a filled and a hollow mark
            for eye, apart in distances(one, other).items():
                if apart < (APART_GREY if eye == "grey" else APART):
                    found.append(f"alike: {one} {other} {how} in {eye} {apart:.0f}")
    return found


def _looks(ax) -> set[tuple[str, str]]:
    """Give the fills of bars and the colours of lines and marks in axes, and their kinds."""
    looks = set()
    for patch in ax.patches:
        if not isinstance(patch, Rectangle) or patch.get_label() == "key":
            continue  # a scale of colours, which shades are read by
        if _size(patch) > 1e-9 and patch.get_facecolor()[3] > 0.3:
            hollow = contrast(patch.get_facecolor()[:3], "white") < 1.1
            looks.add((to_hex(patch.get_facecolor()), "bar hollow" if hollow else "bar full"))
    for line in ax.lines:
        if len(line.get_xdata()) < 1 or line.get_transform() != ax.transData:
            continue
        mark = line.get_marker()
        stroke = str(line.get_linestyle())
        if mark not in ("None", "", None, " "):
            fill = to_rgba(line.get_markerfacecolor())
            hollow = contrast(fill[:3], "white") < 1.1
            looks.add((to_hex(line.get_color()), f"mark {mark} {'hollow' if hollow else 'full'}"))
        elif len(line.get_xdata()) > 2:
            looks.add((to_hex(line.get_color()), f"line {stroke}"))
    for collection in ax.collections:
        if isinstance(collection, PathCollection) and len(collection.get_offsets()):
            shape = len(collection.get_paths()[0].vertices) if len(collection.get_paths()) else 0
            for color in np.unique(np.round(collection.get_facecolors(), 3), axis=0):
                if color[3] > 0.3 and contrast(color[:3], "white") > 1.1:
                    looks.add((to_hex(color), f"mark {shape} full"))
    return looks


# ---- what a figure is of -------------------------------------------------------------------------


def unscoped(figure: Figure) -> list[str]:
    """Say where a figure does not tell whose figures it shows, and of when."""
    title, subtitle, source = figure.said
    told = f"{source} {subtitle}"
    if not re.search(MONTH, told):
        return [f"no dates: {title!r}"]
    months = [
        label.get_text()
        for ax in figure.axes
        for label in (*ax.get_xticklabels(), *ax.get_yticklabels())
        if re.fullmatch(MONTH, label.get_text())
    ]
    named = re.findall(MONTH, told)
    if months and (min(months) < min(named) or max(months) > max(named)):
        return [f"other months: {min(months)}–{max(months)} under {title!r}, told {told!r}"]
    return []


def close() -> None:
    """Close all figures."""
    plt.close("all")
