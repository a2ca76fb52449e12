"""The layout of figures: axes get the room their labels leave, measured once."""

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.category import StrCategoryFormatter
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FuncFormatter
from matplotlib.transforms import Bbox

from helpers import words

# of a tick's name, a line among the axes, and one of the figure's
NAME_WIDTH, TEXT_WIDTH, LINE_WIDTH = 48, 96, 240


class Layout(ConstrainedLayoutEngine):
    """Give the axes of one row all the room their labels leave, from one measure.

    Any other figure as matplotlib does.

    Matplotlib solves equations for grids within grids; a row needs sums only.
    """

    # which measures, lent by who draws (`look.svg`); without one, the canvas's
    renderer: RendererBase | None = None
    # left, bottom, right, top: so near that ticks seldom change afterwards
    GUESS_IN = (0.9, 0.5, 0.3, 0.3)

    def execute(self, fig: Figure) -> None:
        """Place the axes."""
        _fit(fig)
        row = [ax for ax in fig.axes if ax.get_in_layout()]
        # the canvas's renderer is asked for by a private name: without it, matplotlib lays out
        measurable = self.renderer or hasattr(fig, "_get_renderer")
        if not _is_row(row) or fig.subfigs or not measurable:
            super().execute(fig)
            return
        renderer = self.renderer or fig._get_renderer()
        self._place(row, np.tile(self.GUESS_IN, (len(row), 1)))
        ticks: list = []
        for _turn in range(3):
            if ticks == (ticks := _ticks(row)):
                break  # they may change with the room there is
            fixed = np.array([_overhang(ax, _others(ax), renderer) for ax in row])
            self._place(row, fixed / fig.dpi)
        if any(ax.texts for ax in row):
            for _turn in range(2):  # texts at the data's edge reach less far beyond wider axes
                written = np.array([_overhang(ax, ax.texts, renderer, whole=False) for ax in row])
                self._place(row, np.maximum(fixed, written) / fig.dpi)
                if (written <= fixed).all():
                    break

    def _place(self, row: Sequence[Axes], margins: np.ndarray) -> None:
        """Give axes what is left between margins.

        Left, bottom, right and top of each, in inches.
        """
        size = np.tile(row[0].figure.get_size_inches(), 2)
        x, y, width, height = np.array(self.get()["rect"]) * size
        pad_x, pad_y = self.get()["w_pad"], self.get()["h_pad"]
        left, bottom, right, top = margins.T
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


def _fit(fig: Figure) -> None:
    """Shorten names from data that would leave a figure no room, or take minutes to set."""
    for axis in (axis for ax in fig.axes for axis in (ax.xaxis, ax.yaxis)):
        formatter = axis.get_major_formatter()
        if isinstance(formatter, FixedFormatter):
            formatter.seq = [_fitted(str(name), NAME_WIDTH) for name in formatter.seq]
        elif isinstance(formatter, StrCategoryFormatter):
            axis.set_major_formatter(
                FuncFormatter(lambda value, at, of=formatter: _fitted(of(value, at), NAME_WIDTH))
            )
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
            text.set_text("\n".join(lines))


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
