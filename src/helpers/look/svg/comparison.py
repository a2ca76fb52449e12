"""The golden figure, drawn by both roads, and whether the two show the same.

A browser would tell for sure, and takes seconds; so shapes are compared: how many there are, of
what kind and look, where each lies, how long its outline is, and what clips it.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from helpers.look import fonts
from helpers.look.svg import drawing, roads

NEAR_PT = 0.15  # as far as a letter's outline may be off: we write 200 steps to its height
IMAGE_NEAR_PT = 1.0  # an image's edges are put on pixels, matplotlib's are finer than ours
LENGTH = 0.03  # of an outline, as a share: a curve counts by its ends
NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?")
N_POINTS = {"M": 1, "L": 1, "T": 1, "Q": 2, "S": 2, "C": 3}  # of each step of an outline
INHERITED = {
    "fill": to_hex("black"),
    "fill-opacity": "1",
    "stroke": "none",
    "stroke-opacity": "1",
    "stroke-width": "1",
    "stroke-dasharray": "none",
}


class Shape(NamedTuple):
    """What is seen of an element: its kind, its look, and where it is, in points."""

    kind: str  # path, image, or a hatch's rect and path
    look: tuple  # fill, its opacity; stroke, its opacity, width and dashes
    box: tuple[float, ...]  # left, top, right, bottom
    length: float  # of the outline
    clip: tuple[float, ...]  # the box of what clips it; empty for nothing


def difference() -> str:
    """Say how the golden figure of ours differs from matplotlib's; "" if it doesn't.

    Leave no setting behind.
    """
    fonts.add()
    with mpl.rc_context():
        mpl.rcdefaults()  # else a page's looks would decide
        mpl.rc("font", family=["DejaVu Sans", "Noto Sans CJK SC"])
        mpl.rc("svg", fonttype="path")
        mpl.rc("text", parse_math=False)
        figure = golden()
        ours, theirs = shapes(drawing.svg(figure)), shapes(roads.plain(figure))
    if not theirs:
        return "nothing of matplotlib's drawing could be read"
    if len(ours) != len(theirs):
        return f"{len(ours)} shapes where matplotlib {mpl.__version__} draws {len(theirs)}"
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True), 1):
        if what := unlike(one, other):
            return f"the {what} of shape {number} is not matplotlib {mpl.__version__}'s"
    return ""


def golden() -> Figure:
    """Make a figure of all that pages are drawn with: text, hatch, marker, clip, Chinese."""
    figure = Figure()
    ax = figure.add_subplot()
    at = np.linspace(0, 9, 40)
    ax.plot(at, np.sin(2 * at), "--", marker="o", markevery=5, label="−1,5 AV fi")
    ax.bar(range(3), [1, -0.5, 0.8], hatch="//", alpha=0.5, edgecolor="white")
    ax.scatter([4, 5, 6], [0, 0.5, -0.5], s=[20, 60, 90], c=["r", "g", "b"], edgecolor="k")
    ax.scatter([7, 8], [-1, 1], marker="s", facecolor="none", edgecolor="k")
    ax.fill_between([0, 9], [0, 0.5], alpha=0.3)
    ax.add_patch(Circle((9, 1), 0.7, color="C4"))
    ax.imshow(np.eye(3), extent=(6, 8, -1.4, -0.8), aspect="auto")
    ax.text(1, -1.2, "斜 text", rotation=30, bbox={"boxstyle": "round", "facecolor": "0.9"})
    ax.text(3, 1.1, "115 家客户贡献了毛利额", fontweight="bold", color="C5")
    ax.set(xlim=(-1, 9), ylim=(-1.5, 1.5), title="库存 gj", ylabel="Pieces")
    # of a shape of its own, not of a box
    ax.lines[0].set_clip_path(Circle((4, 0), 4, transform=ax.transData))
    ax.legend(loc="upper left")
    return figure


def unlike(one: Shape, other: Shape) -> str:
    """Say in what two shapes differ by more than the eye sees; "" if in nothing."""
    if one.kind != other.kind:
        return "kind"
    if not all(
        math.isclose(a, b, abs_tol=0.011) if isinstance(a, float) else a == b
        for a, b in zip(_flat(one.look), _flat(other.look), strict=False)
    ) or len(_flat(one.look)) != len(_flat(other.look)):
        return "look"
    near = IMAGE_NEAR_PT if one.kind == "image" else NEAR_PT
    if not _near(one.box, other.box, near):
        return "place"
    if abs(one.length - other.length) > max(LENGTH * other.length, 4 * near):
        return "outline"
    return "" if _near(one.clip, other.clip) else "clip"


def _near(one: tuple[float, ...], other: tuple[float, ...], near: float = NEAR_PT) -> bool:
    return len(one) == len(other) and bool(np.allclose(one, other, rtol=0, atol=near))


def _flat(look: tuple) -> list:
    return [part for value in look for part in (value if isinstance(value, tuple) else (value,))]


# ---- reading -------------------------------------------------------------------------------------


def shapes(svg: str) -> list[Shape]:
    """List what can be seen of a drawing, ours or matplotlib's, in the order it is drawn."""
    root = ElementTree.fromstring(svg)
    named = {element.get("id"): element for element in root.iter() if element.get("id")}
    return list(_seen(root, np.eye(3), {}, 1.0, (), named))


def _seen(
    element: ElementTree.Element,
    matrix: np.ndarray,
    look: Mapping[str, str],
    opacity: float,
    clip: tuple[float, ...],
    named: Mapping[str, ElementTree.Element],
) -> Iterator[Shape]:
    kind = element.tag.rpartition("}")[2]
    if kind in ("defs", "clipPath", "pattern", "style", "metadata"):
        return
    own = _attributes(element)
    matrix = matrix @ _matrix(own.get("transform", ""))
    opacity *= float(own.get("opacity", 1))
    look = {**look, **{name: own[name] for name in INHERITED if name in own}}
    if reference := re.match(r"url\(#(.+)\)", own.get("clip-path", "")):
        clip = _box(_corners(named[reference[1]][0], matrix))
    if kind == "use":
        at = matrix @ _moved(float(own.get("x", 0)), float(own.get("y", 0)))
        used = next(value for name, value in element.items() if name.rpartition("}")[2] == "href")
        yield from _seen(named[used.removeprefix("#")], at, look, opacity, clip, named)
    elif kind in ("path", "image", "rect"):
        yield from _shape(element, kind, matrix, look, opacity, clip, named)
    for child in element:
        yield from _seen(child, matrix, look, opacity, clip, named)


def _shape(element, kind, matrix, look, opacity, clip, named) -> Iterator[Shape]:
    corners = _corners(element, matrix)
    fill, line = ({**INHERITED, **look}[name] for name in ("fill", "stroke"))
    outline = float(np.hypot(*np.diff(corners, axis=0).T).sum())
    if not outline or (kind != "image" and fill == line == "none"):
        return  # a blank; a frame that nobody sees
    hatch = re.match(r"url\(#(.+)\)", fill)
    told = ("image",) if kind == "image" else _told({**INHERITED, **look}, opacity, bool(hatch))
    yield Shape(kind, told, _box(corners), outline, clip)
    for part in named[hatch[1]] if hatch else ():
        yield from _seen(part, np.eye(3), {}, 1.0, (), named)


def _told(look: Mapping[str, str], opacity: float, hatched: bool) -> tuple:
    fill = "hatch" if hatched else look["fill"]
    told: tuple = (fill,)
    if fill not in ("none", "hatch"):
        told += (opacity * float(look["fill-opacity"]),)
    told += (look["stroke"],)
    if look["stroke"] != "none":
        told += (opacity * float(look["stroke-opacity"]), float(look["stroke-width"]))
        told += (tuple(map(float, NUMBER.findall(look["stroke-dasharray"]))),)
    return told


def _attributes(element: ElementTree.Element) -> dict[str, str]:
    """Give attributes, those within `style` too, which weigh more."""
    styled = (part.partition(":") for part in element.get("style", "").split(";") if ":" in part)
    return {**element.attrib, **{name.strip(): value.strip() for name, _, value in styled}}


def _matrix(transform: str) -> np.ndarray:
    made = np.eye(3)
    for kind, said in re.findall(r"(\w+)\(([^)]*)\)", transform):
        numbers = [float(n) for n in NUMBER.findall(said)]
        if kind == "translate":
            made = made @ _moved(*numbers)
        elif kind == "scale":
            made = made @ np.diag([numbers[0], numbers[-1], 1.0])
        elif kind == "rotate":
            sin, cos = math.sin(math.radians(numbers[0])), math.cos(math.radians(numbers[0]))
            made = made @ np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
        elif kind == "matrix":
            a, b, c, d, e, f = numbers
            made = made @ np.array([[a, c, e], [b, d, f], [0, 0, 1.0]])
        else:
            raise ValueError(f"a transform {kind!r}")
    return made


def _moved(x: float, y: float = 0.0) -> np.ndarray:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def _corners(element: ElementTree.Element, matrix: np.ndarray) -> np.ndarray:
    """List the points an outline leads through, as x and y on the sheet."""
    if element.get("d") is not None:
        points = _led_through(element.get("d"))
    else:
        x, y, width, height = (
            float(element.get(name, 0)) for name in ("x", "y", "width", "height")
        )
        points = [
            (x, y),
            (x + width, y),
            (x + width, y + height),
            (x, y + height),
            (x, y),
        ]
    return (np.array([(x, y, 1.0) for x, y in points]).reshape(-1, 3) @ matrix.T)[:, :2]


def _led_through(outline: str) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    x = y = x0 = y0 = 0.0
    for letter, said in re.findall(r"([A-Za-z])([^A-Za-z]*)", re.sub(r"e-\d+", "", outline)):
        numbers, kind = [float(n) for n in NUMBER.findall(said)], letter.upper()
        if kind == "Z":
            x, y = x0, y0
            found.append((x, y))
        elif kind in "HV":
            for n in numbers:
                x = (x if letter == "h" else 0.0) + n if kind == "H" else x
                y = (y if letter == "v" else 0.0) + n if kind == "V" else y
                found.append((x, y))
        else:
            width = 2 * N_POINTS[kind]
            for first in range(0, len(numbers), width):
                step = numbers[first + width - 2 : first + width]
                x, y = (step[0] + x, step[1] + y) if letter.islower() else step
                found.append((x, y))
            if kind == "M":
                x0, y0 = found[-1]
    return found


def _box(corners: np.ndarray) -> tuple[float, ...]:
    return (*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist())
