"""The layout of figures: axes get the room their labels leave, measured once."""

import functools
import itertools
import math
import re
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backend_bases import RendererBase
from matplotlib.category import StrCategoryFormatter
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, MaxNLocator
from matplotlib.transforms import Bbox

from helpers import words
from helpers.look.labels import BESIDE, sides, spread

# of a tick's name, a line among the axes, and one of the figure's
NAME_WIDTH, TEXT_WIDTH, LINE_WIDTH = 48, 96, 240
DRAWING = 0.54  # of a figure's width, at least, is drawn on
NAMES = 0.16  # of a figure's width, that names are left in any case
SMALLEST = 7.0  # points of a number in a cell: a little over nine pixels
MONTH = re.compile(r"(?:\d\d)?\d\d-\d\d(?:-\d\d)?|\d{4}(?:-?[HQ]\d)?|[-−+]?[\d.,]+\D{0,3}|")


class Layout(ConstrainedLayoutEngine):
    """Give the axes of one row all the room their labels leave, from one measure.

    Any other figure as matplotlib does.

    Matplotlib solves equations for grids within grids; a row needs sums only. Names are cut where
    they would leave less than half of the width to draw on. What is changed for one drawing is
    taken back before the next, so that a figure can be drawn wide and for a phone.
    """

    # which measures, lent by who draws (`look.svg`); without one, the canvas's
    renderer: RendererBase | None = None
    # left, bottom, right, top: so near that ticks seldom change afterwards
    GUESS_IN = (0.9, 0.5, 0.3, 0.3)

    def __init__(self, *, is_narrow: bool = False) -> None:
        """Lay out for a page, or `is_narrow`, for a phone: axes stand below one another."""
        super().__init__()
        self.is_narrow = is_narrow
        self._changes: list[Callable[[], None]] = []
        self._full: dict[str, str] = {}  # of what was cut

    @property
    def cut(self) -> list[str]:
        """The names in full of those that the last drawing cut."""
        return sorted({" ".join(name.split("\n")) for name in self._full.values()})

    def execute(self, fig: Figure) -> None:
        """Place the axes."""
        self.take_back()
        self._fit(fig)
        row = [ax for ax in fig.axes if ax.get_in_layout()]
        # the canvas's renderer is asked for by a private name: without it, matplotlib lays out
        measurable = self.renderer or hasattr(fig, "_get_renderer")
        if not _is_row(row) or fig.subfigs or not measurable:
            super().execute(fig)
            return
        renderer = self.renderer or fig._get_renderer()
        self._wrap_beside(row, renderer)
        self._place(row, np.tile(self.GUESS_IN, (len(row), 1)))
        margins = self._settled(row, renderer)
        if self._cut_names(row, margins, renderer):
            margins = self._settled(row, renderer)
        crowded = [self._thin_ticks(ax, renderer) for ax in row]
        if self._wrap_titles(row, renderer) or any(crowded):
            self._settled(row, renderer)
        if any(self._shrink_numbers(ax, renderer) for ax in row) or self._set_apart(row, renderer):
            self._settled(row, renderer)
            self._set_apart(row, renderer)

    def _settled(self, row: Sequence[Axes], renderer: RendererBase) -> np.ndarray:
        """Place axes by what is measured around them; -> their margins in pixels."""
        ticks: list = []
        measured: list[np.ndarray] = []
        for turn in range(3):
            # they may change with the room there is, and reach less or more beyond it
            if ticks == (ticks := _ticks(row)) and turn > 1:
                fixed = measured[-1]
                break
            measured.append(np.array([_overhang(ax, _others(ax), renderer) for ax in row]))
            self._place(row, measured[-1] / row[0].figure.dpi)
        else:  # they change with every turn: there is room for all of them
            fixed = np.max(measured, axis=0)
            self._place(row, fixed / row[0].figure.dpi)
        if not any(ax.texts for ax in row):
            return fixed
        for _turn in range(2):  # texts at the data's edge reach less far beyond wider axes
            written = np.array([_overhang(ax, ax.texts, renderer, whole=False) for ax in row])
            self._place(row, np.maximum(fixed, written) / row[0].figure.dpi)
            if (written <= fixed).all():
                break
        return np.maximum(fixed, written)

    def _place(self, row: Sequence[Axes], margins: np.ndarray) -> None:
        """Give axes what is left between margins.

        Left, bottom, right and top of each, in inches.
        """
        size = np.tile(row[0].figure.get_size_inches(), 2)
        x, y, width, height = np.array(self.get()["rect"]) * size
        pad_x, pad_y = self.get()["w_pad"], self.get()["h_pad"]
        left, bottom, right, top = margins.T
        if self.is_narrow and len(row) > 1:
            before, wide = x + pad_x + left.max(), width - left.max() - right.max() - 2 * pad_x
            room = max((height - (bottom + top).sum()) / len(row) - 2 * pad_y, 0.1)
            over = y + height
            for ax, below, above in zip(row, bottom, top, strict=True):
                over -= pad_y + above + room
                ax.set_position(np.array([before, over, max(wide, 0.1), room]) / size)
                ax.set_in_layout(True)
                over -= below + pad_y
            return
        ratios = np.array(row[0].get_gridspec().get_width_ratios() or [1] * len(row), dtype=float)
        inner = (
            max(width - (left + right).sum() - 2 * pad_x * len(row), 0.1 * len(row))
            * ratios
            / ratios.sum()
        )
        floor, room = (
            y + pad_y + bottom.max(),
            max(height - 2 * pad_y - bottom.max() - top.max(), 0.1),
        )
        for ax, wide, before, after in zip(row, inner, left, right, strict=True):
            ax.set_position(np.array([x + pad_x + before, floor, wide, room]) / size)
            ax.set_in_layout(True)  # who is placed by hand is left out from then on
            x += before + wide + after + 2 * pad_x

    # -- what is changed for a drawing

    def take_back(self) -> None:
        """Put everything as it was before the drawing before."""
        for undo in reversed(self._changes):
            undo()
        self._changes.clear()
        self._full.clear()

    def _set(self, artist: Artist, **looks: object) -> None:
        """Change an artist for this drawing."""
        before = {name: getattr(artist, f"get_{name}")() for name in looks}
        self._changes.append(lambda: artist.set(**before))
        artist.set(**looks)

    def _rename(self, axis: Axis, names: list[str]) -> None:
        """Name an axis' ticks otherwise for this drawing."""
        before, said = axis.get_major_formatter(), _names(axis)
        self._changes.append(lambda: axis.set_major_formatter(before))
        axis.set_major_formatter(FixedFormatter(names))
        for old, new in zip(said, names, strict=True):
            self._shorten(old, new)

    def _shorten(self, old: str, new: str) -> None:
        """Remember in full what is cut, be it cut once or twice."""
        full = self._full.pop(old, old)
        if "…" in new:
            self._full[new] = full

    def _fit(self, fig: Figure) -> None:
        """Shorten names from data that would leave a figure no room, or take minutes to set."""
        for axis in (axis for ax in fig.axes for axis in (ax.xaxis, ax.yaxis)):
            full = _names(axis)
            fitted = [
                "\n".join(_fitted(line, NAME_WIDTH) for line in name.split("\n")) for name in full
            ]
            if fitted != full:
                self._rename(axis, fitted)
        ticks = {
            label
            for ax in fig.axes
            for axis in (ax.xaxis, ax.yaxis)
            for label in axis.get_ticklabels(which="both")
        }
        for text in set(fig.findobj(Text)) - ticks:
            most = LINE_WIDTH if text in fig.texts else TEXT_WIDTH
            lines = [_fitted(line, most) for line in text.get_text().split("\n")]
            if lines != text.get_text().split("\n"):
                said = text.get_text()
                self._set(text, text="\n".join(lines))
                self._shorten(said, text.get_text())

    def _cut_names(self, row: Sequence[Axes], margins: np.ndarray, renderer: RendererBase) -> bool:
        """Cut the names of rows where they take the room to draw on; -> whether any were."""
        fig = row[0].figure
        whole = fig.bbox.width
        across = (
            [margins[:, 0].max() + margins[:, 2].max()]
            if self._is_stacked(row)
            else (margins[:, 0] + margins[:, 2])
        )
        excess = sum(across) - (1 - DRAWING - 0.01 * len(row)) * whole
        named = [ax for ax in row if _names(ax.yaxis)]
        if excess <= 0 or not named:
            return False
        each = excess if self._is_stacked(row) else excess / len(named)
        done = False
        for ax in named:
            names, measure = _names(ax.yaxis), _measure(ax.yaxis, renderer)
            widest = max(measure(line) for name in names for line in name.split("\n"))
            most = max(widest - each, NAMES * whole)
            pitch = ax.get_window_extent().height / max(abs(np.ptp(ax.get_ylim())), 1e-9)
            size = ax.yaxis.get_ticklabels()[0].get_fontsize() * fig.dpi / 72
            n_lines = 2 if pitch > 2.1 * size else 1
            fitted = [
                _wrapped(name, most, measure, max(n_lines, name.count("\n") + 1)) for name in names
            ]
            if fitted != names:
                self._rename(ax.yaxis, fitted)
                done = True
        return done

    def _is_stacked(self, row: Sequence[Axes]) -> bool:
        return self.is_narrow and len(row) > 1

    def _wrap_beside(self, row: Sequence[Axes], renderer: RendererBase) -> None:
        """Break names beside axes into lines of the room that they may take."""
        share = BESIDE[any(_names(ax.yaxis) for ax in row) or self.is_narrow]
        most = share * row[0].figure.bbox.width
        for text in (text for ax in row for text in sides(ax, "right")):
            self._wrap(text, most, 3, renderer)

    def _thin_ticks(self, ax: Axes, renderer: RendererBase) -> bool:
        """Thin out months and numbers below axes that touch, and turn names; -> whether it did."""
        if not ax.xaxis.get_visible():
            return False
        if not _touch(ax.xaxis, renderer):
            return False
        names = _names(ax.xaxis)
        if not names:  # numbers of a scale
            locator = ax.xaxis.get_major_locator()
            if isinstance(locator, MaxNLocator):
                before = locator._nbins
                self._changes.append(lambda: locator.set_params(nbins=before))
                for most in (4, 3, 2, 1):
                    locator.set_params(nbins=most)
                    if not _touch(ax.xaxis, renderer):
                        break
            return True
        if all(MONTH.fullmatch(name) for name in names):
            for every in range(2, len(names)):
                kept = [
                    name if (len(names) - 1 - i) % every == 0 else ""
                    for i, name in enumerate(names)
                ]
                self._rename(ax.xaxis, kept)
                if not _touch(ax.xaxis, renderer):
                    break
            return True
        top = ax.xaxis.get_ticks_position() == "top"
        for label in ax.xaxis.get_ticklabels():
            ha = "left" if top else "right"
            self._set(label, rotation=62, horizontalalignment=ha, rotation_mode="anchor")
        joined = [" ".join(name.split("\n")) for name in names]
        if self.is_narrow and joined != names:
            self._rename(ax.xaxis, [_fitted(name, 18) for name in joined])
        return True

    def _shrink_numbers(self, ax: Axes, renderer: RendererBase) -> bool:
        """Write the numbers of a heat map so small that they stay in their cells, else upright."""
        cells = [text for text in ax.texts if hasattr(text, "cell") and text.get_text()]
        if not cells:
            return False
        points = 72 / ax.figure.dpi
        (x0, y0), (x1, y1) = ax.transData.transform([(0, 0), (1, 1)])
        # of which the lines between cells take some
        room, high = abs(x1 - x0) * points - 3, abs(y1 - y0) * points - 3
        boxes = [text.get_window_extent(renderer) for text in cells]
        widest, size = max(box.width for box in boxes) * points, cells[0].get_fontsize()
        if widest <= room:
            return False
        looks: dict = {"fontsize": size * room / widest}
        if looks["fontsize"] < SMALLEST:
            small = min(size, high * size / widest, 0.8 * room)
            looks = {"rotation": 90, "fontsize": max(small, SMALLEST)}
        for text in cells:
            self._set(text, **looks)
        return True

    def _wrap_titles(self, row: Sequence[Axes], renderer: RendererBase) -> bool:
        """Break the names of axes that reach beyond the figure into lines; -> whether any did."""
        whole, done = row[0].figure.bbox.width, False
        for ax in row:
            frame, text = ax.get_window_extent(), ax.xaxis.label
            middle = (frame.x0 + frame.x1) / 2
            before = text.get_text()
            self._wrap(text, 2 * min(middle, whole - middle) - 6, 4, renderer)
            done |= text.get_text() != before
        return done

    def _wrap(self, text: Text, most: float, n_lines: int, renderer: RendererBase) -> None:
        font, said = text.get_fontproperties(), text.get_text()
        fitted = _wrapped(
            said,
            most,
            lambda line: renderer.get_text_width_height_descent(line, font, False)[0],
            n_lines,
        )
        if fitted != said:
            self._set(text, text=fitted)
            self._shorten(said, fitted)

    def _set_apart(self, row: Sequence[Axes], renderer: RendererBase) -> bool:
        """Move names beside and above axes apart; -> whether there are any."""
        found, points = False, 72 / row[0].figure.dpi
        for ax in row:
            frame = ax.get_window_extent()
            for side, way in (("right", 1), ("top", 0)):
                texts = sides(ax, side)
                if not texts:
                    continue
                found = True
                at = np.array([ax.transData.transform((t.xy[0], t.xy[1]))[way] for t in texts])
                boxes = [text.get_window_extent(renderer) for text in texts]
                if side == "right":
                    sizes = [box.height + 2 for box in boxes]
                    moved = spread(at, sizes, frame.y0 - 6, frame.y1 + 10) - at
                    for text, by in zip(texts, moved, strict=True):
                        self._set(text, position=(text.xyann[0], by * points))
                else:
                    self._set_above(ax, texts, at, boxes, points)
        return found

    def _set_above(self, ax: Axes, texts, at, boxes, points: float) -> None:
        """Stand names above axes in as few rows as hold them."""
        low, high = 0.0, ax.figure.bbox.width - 2
        order = list(np.argsort(at, kind="stable"))
        wide = [box.width + 9 / points for box in boxes]
        n_rows = max(int(np.ceil(sum(wide) / max(high - ax.get_window_extent().x0, 1))), 1)
        height = max(box.height for box in boxes) + 2
        for level in range(n_rows):
            part = order[level::n_rows]
            placed = spread([at[i] for i in part], [wide[i] for i in part], low, high)
            for i, x in zip(part, placed, strict=True):
                up = 3 + (n_rows - 1 - level) * height * points
                self._set(texts[i], position=((x - at[i]) * points, up))


def taller(figure: Figure, width: float) -> float:
    """Say how many times as high a drawing is to be on a figure so wide, for names of two lines.

    And for numbers that stand upright in their cells.
    """
    letters = 0.3 * width * 72 / 5  # to a third of the width
    for ax in figure.axes:
        names = _names(ax.yaxis)
        long = [name for name in names if max(map(words.width, name.split("\n"))) > letters]
        if len(long) > len(names) / 3 or any(hasattr(text, "cell") for text in ax.texts):
            return 1.4
    return 1.0


def _names(axis: Axis) -> list[str]:
    """Give the names of an axis' ticks, [] where it is a scale of numbers."""
    formatter = axis.get_major_formatter()
    # names given with their places are looked up by a partial function
    named = isinstance(formatter, FixedFormatter | StrCategoryFormatter) or isinstance(
        getattr(formatter, "func", None), functools.partial
    )
    if not named or not axis.get_visible():
        return []
    return [str(name) for name in formatter.format_ticks(axis.get_majorticklocs())]


def _measure(axis: Axis, renderer: RendererBase) -> Callable[[str], float]:
    labels = axis.get_ticklabels()
    font = labels[0].get_fontproperties()
    return lambda line: renderer.get_text_width_height_descent(line, font, False)[0]


def _wrapped(name: str, most: float, measure: Callable[[str], float], n_lines: int) -> str:
    """Break a name into lines of a width, the last of them cut."""
    if all(measure(line) <= most for line in name.split("\n")):
        return name
    lines, rest = [], " ".join(name.split("\n"))
    while len(lines) < n_lines - 1 and measure(rest) > most:
        parts = re.findall(r"[\u2e80-\uffef]|[^\s\u2e80-\uffef]+\s?|\s", rest)
        taken = ""
        while parts and measure((taken + parts[0]).rstrip()) <= most:
            taken += parts.pop(0)
        if not taken.strip():
            break
        lines.append(taken.strip())
        rest = "".join(parts).strip()
    if measure(rest) > most:
        while len(rest) > 1 and measure(rest + "…") > most:
            rest = rest[:-1].rstrip()
        rest += "…"
    return "\n".join([*lines, rest])


def _touch(axis: Axis, renderer: RendererBase) -> bool:
    """Whether names below axes are less than a letter apart; turned ones, less than a line."""
    shown = [t for t in axis.get_ticklabels() if t.get_visible() and t.get_text()]
    boxes = sorted((t.get_window_extent(renderer) for t in shown), key=lambda box: box.x0)
    if len(boxes) < 2:
        return False
    if turned := shown[0].get_rotation() % 180:
        size = shown[0].get_fontsize() * axis.figure.dpi / 72
        pitch = min(b.x1 - a.x1 for a, b in itertools.pairwise(boxes))
        return pitch * math.sin(math.radians(turned)) < size
    return any(a.x1 + 2 > b.x0 for a, b in itertools.pairwise(boxes))


def _fitted(line: str, most: int) -> str:
    if len(line) < most / 2 or words.width(line) <= most:
        return line
    line = words.fitting(line, most, most)
    while words.width(line) > most:
        line = line[:-2] + "…"
    return line


def _is_row(axes: Sequence[Axes]) -> bool:
    if not axes or any(ax.get_subplotspec() is None or ax.get_aspect() != "auto" for ax in axes):
        return False
    grid = axes[0].get_gridspec()
    return (grid.nrows, grid.ncols) == (1, len(axes)) and all(
        ax.get_gridspec() is grid for ax in axes
    )


def _ticks(row: Sequence[Axes]) -> list[list[float]]:
    return [list(axis.get_majorticklocs()) for ax in row for axis in (ax.xaxis, ax.yaxis)]


def _others(ax: Axes) -> list[Artist]:
    """List what may reach beyond axes, but for the texts in them."""
    return [artist for artist in ax.get_default_bbox_extra_artists() if artist not in ax.texts]


def _overhang(
    ax: Axes, artists: Sequence[Artist], renderer: RendererBase, whole: bool = True
) -> list[float]:
    """Measure in pixels how far artists reach beyond axes.

    As a `whole`, with ticks, labels and title.
    """
    frame = ax.get_window_extent()
    if whole:
        boxes = [ax.get_tightbbox(renderer, bbox_extra_artists=artists, for_layout_only=True)]
    else:
        boxes = [artist.get_tightbbox(renderer) for artist in artists if artist.get_in_layout()]
    box = Bbox.union(
        [frame, *(box for box in boxes if box is not None and np.isfinite(box.extents).all())]
    )
    return [frame.x0 - box.x0, frame.y0 - box.y0, box.x1 - frame.x1, box.y1 - frame.y1]
