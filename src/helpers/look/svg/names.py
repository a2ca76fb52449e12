"""Names of bars: what a bar stands for and how long it is, for who points at it."""

from matplotlib.axis import Axis
from matplotlib.category import StrCategoryFormatter
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter

from helpers.words import fitting

REACH = 0.5  # of the way from one category to the next: as far a bar may stand beside its name


def name_bars(figure: Figure) -> None:
    """Give every bar of a category its name, series and length, as the figure's axes write them.

    Matplotlib carries a shape's name as its address. Bars that have one keep it; bars of a scale of
    numbers have none.
    """
    for ax in figure.axes:
        for bars in (c for c in ax.containers if isinstance(c, BarContainer)):
            upright = bars.orientation == "vertical"
            along, across = (ax.xaxis, ax.yaxis) if upright else (ax.yaxis, ax.xaxis)
            names, series = _categories(along), str(bars.get_label())
            series = "" if series.startswith("_") else series
            for bar in bars.patches if names else ():
                x, y, width, height = bar.get_bbox().bounds
                at, length = (x + width / 2, height) if upright else (y + height / 2, width)
                nearest = min(names, key=lambda place, at=at: abs(place - at))
                if bar.get_url() or abs(nearest - at) > REACH:
                    continue
                written = across.get_major_formatter().format_data_short(length).strip()
                told = (fitting(" ".join(names[nearest].split())), series, written)
                bar.set_url(" · ".join(part for part in told if part))


def _categories(axis: Axis) -> dict[float, str]:
    """Give the names of an axis' categories by their places; none of a scale of numbers."""
    formatter = axis.get_major_formatter()
    # names set at places of their own: matplotlib wraps them in a function
    is_set = isinstance(formatter, FuncFormatter) and isinstance(
        axis.get_major_locator(), FixedLocator
    )
    if not is_set and not isinstance(formatter, FixedFormatter | StrCategoryFormatter):
        return {}
    places = [float(place) for place in axis.get_majorticklocs()]
    return dict(zip(places, formatter.format_ticks(places), strict=False))
