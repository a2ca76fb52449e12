"""Figures drawn once, as small SVG: a renderer for matplotlib that writes short.

Matplotlib's own way takes several times as long and writes twice the bytes: it measures each text
anew whenever it is asked, spells out six decimals and names every group. Here the width of a text
and the outline of a letter are kept for the next figure of the process; months, percentages and
names come again and again.
"""

import base64
import functools
import html
import io
import itertools
import math
import urllib.parse
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font, LoadFlags
from matplotlib.path import Path
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Affine2D, Bbox, Transform
from PIL import Image

from helpers.look.svg.names import name_bars

EM = 200  # steps to the height of a letter: finer than a fifteenth of a pixel on screen
FINE = 100  # steps to a point
STEP = EM / text_to_path.FONT_SCALE
SUBPIXELS = 64  # FreeType's, to a pixel
KEPT = 20_000  # texts and letters of a process
FONTS = {
    "DejaVuSans": "D",
    "DejaVuSans-Bold": "B",
    "NotoSansCJKsc-Regular": "S",
    "NotoSansCJKtc-Regular": "T",
    "NotoSansCJKjp-Regular": "J",
}  # short for their letters' names; any other says its own
EASE = 0.6  # steps by which a letter's curve may miss: what two handles draw, one does mostly
CAPS = {"projecting": "square", "butt": "butt", "round": "round"}
STEPS = {Path.LINETO: ("l", 1), Path.CURVE3: ("q", 2), Path.CURVE4: ("c", 3)}


def svg(figure: Figure) -> str:
    """Draw a figure as SVG; the same figure gives the same text.

    Raises
    ------
    NotImplementedError
        If it holds what is not drawn here (shading by triangles, TeX).
    """
    dpi, engine = figure.dpi, figure.get_layout_engine()
    # `look.layout` measures with what it is lent; an engine of matplotlib's asks for nothing
    lent = hasattr(engine, "renderer")
    try:
        figure.dpi = 72
        if lent:
            engine.take_back()  # bars are called as they were named, not as they were cut
        name_bars(figure)
        renderer = Renderer(*figure.bbox.size)
        if lent:
            engine.renderer = renderer
        figure.draw(renderer)
        return renderer.text()
    finally:
        figure.dpi = dpi
        if lent:
            engine.renderer = None


# ---- text ----------------------------------------------------------------------------------------


def _font_key(prop: FontProperties) -> tuple:
    return (
        tuple(prop.get_family()),
        prop.get_style(),
        prop.get_variant(),
        prop.get_weight(),
        prop.get_stretch(),
        prop.get_file(),
    )


class Letter(NamedTuple):
    """An outline, for letters of `EM` steps.

    Where it begins and ends in height, and how far it takes the line on.
    """

    outline: str  # "" of a blank
    bottom: float  # as the others, for letters of `FONT_SCALE`
    top: float
    advance: float


_letters: dict[str, Letter] = {}  # by name; a font has a limited number


@functools.lru_cache(KEPT)
def _set(text: str, key: tuple) -> tuple[tuple[str, float, float], ...]:
    """Set a line, for letters of `FONT_SCALE`: the name of each letter, and where it stands.

    Measuring and drawing a text both ask; matplotlib would set it anew for each.
    """
    placed = []
    for item in _font(key)._layout(text, LoadFlags.NO_HINTING):
        font, index = item.ft_object, item.glyph_index
        name = f"{_short_name(font.postscript_name)}{index:x}"
        if name not in _letters:
            glyph = font.load_glyph(index, flags=LoadFlags.NO_HINTING)
            _letters[name] = _outlined(*font.get_path(), glyph.horiAdvance / SUBPIXELS)
        placed.append((name, item.x, item.y))
    return tuple(placed)


def _outlined(vertices: np.ndarray, codes: np.ndarray, advance: float) -> Letter:
    if not len(vertices):
        return Letter("", 0.0, 0.0, advance)
    steps = np.rint(vertices * (STEP, -STEP)).astype(int).tolist()
    heights = vertices[codes != Path.CLOSEPOLY, 1]  # which is written as if it led to 0, 0
    return Letter(
        _said(steps, codes.tolist(), str, EASE), float(heights.min()), float(heights.max()), advance
    )


@functools.lru_cache(KEPT)
def _measured(text: str, key: tuple) -> tuple[float, float, float]:
    """Give width, height and descent of a line, for letters of one point."""
    placed = [(x, y, _letters[name]) for name, x, y in _set(text, key)]
    if not placed:
        return 0.0, 0.0, 0.0
    x, _y, last = placed[-1]
    low, high = (
        min(y + part.bottom for _x, y, part in placed),
        max(y + part.top for _x, y, part in placed),
    )
    return tuple(part / text_to_path.FONT_SCALE for part in (x + last.advance, high - low, -low))


@functools.lru_cache(KEPT)
def _line_height(key: tuple) -> tuple[float, float, float]:
    """Give ascent, descent and gap of a font, for letters of one point."""
    font = _font(key)
    wanted, known = font.get_sfnt_table("OS/2"), font.get_sfnt_table("head")["unitsPerEm"]
    if wanted is None:
        return font.ascender / known, -font.descender / known, 0.0
    return (
        wanted["sTypoAscender"] / known,
        -wanted["sTypoDescender"] / known,
        wanted["sTypoLineGap"] / known,
    )


@functools.lru_cache(KEPT)
def _spelled(text: str, key: tuple) -> tuple[str, tuple[str, ...]]:
    """Give the uses of a line's letters, and the letters' names."""
    seen = [(name, x, y) for name, x, y in _set(text, key) if _letters[name].outline]
    uses = []
    for name, x, y in seen:
        at = "".join(f' {k}="{v:.0f}"' for k, v in (("x", x * STEP), ("y", -y * STEP)) if round(v))
        uses.append(f'<use href="#{name}"{at}/>')
    return "".join(uses), tuple(dict.fromkeys(name for name, *_ in seen))


@functools.cache
def _short_name(font: str) -> str:
    return FONTS.get(font) or urllib.parse.quote(font)


def _of_one_point(key: tuple) -> FontProperties:
    family, slant, variant, weight, stretch, file = key
    return FontProperties(
        family=list(family),
        style=slant,
        variant=variant,
        weight=weight,
        stretch=stretch,
        size=1,
        fname=file,
    )


def _font(key: tuple) -> FT2Font:
    return text_to_path._get_font(_of_one_point(key))


# ---- paths ---------------------------------------------------------------------------------------


@functools.lru_cache(KEPT)
def _point(n: int) -> str:
    """Write hundredths.

    >>> _point(1250), _point(-7), _point(300), _point(0)
    ('12.5', '-.07', '3', '0')
    """
    whole, part = divmod(abs(n), FINE)
    text = f"{whole or ''}{f'.{part:02}'.rstrip('0') if part else ''}"
    return f"{'-' * (n < 0)}{text}" if n else "0"


def _short(value: float) -> str:
    return _point(round(value * FINE))


def _telling(element: str, name: str | None) -> str:
    """Have a shape tell its name to who points at it; matplotlib carries it as the shape's address.

    >>> _telling('<use href="#M1"/>', "Fuhe & <Co>")
    '<use href="#M1"><title>Fuhe &amp; &lt;Co&gt;</title></use>'
    """
    if not name:
        return element
    return f"{element[:-2]}><title>{html.escape(name)}</title></{element[1:].partition(' ')[0]}>"


def _said_of(name: str, value: float) -> str:
    return f' {name}="{_short(value)}"'


def _said(
    points: Sequence[Sequence[int]],
    codes: Sequence[int],
    write: Callable[[int], str],
    ease: float = 0,
) -> str:
    """Write an outline in steps from point to point, a repeated letter once.

    Curves of two handles are written with one where that misses by less than `ease`.

    >>> _said([(0, 0), (9, 0), (9, 5), (0, 5), (0, 0), (0, 0)], [1, 2, 2, 2, 2, 79], str)
    'M0 0h9v5h-9z'
    """
    said: list[str] = []
    x = y = x0 = y0 = at = 0
    before = ""
    while at < len(points) and (code := codes[at]) != Path.STOP:
        if code == Path.CLOSEPOLY:
            if (x, y) == (x0, y0) and before in ("l", "h", "v"):
                said.pop()  # closing draws it
            said.append("z")
            x, y, before, at = x0, y0, "z", at + 1
            continue
        if code == Path.MOVETO:
            x, y = x0, y0 = points[at]
            said.append(f"M{write(x)}{_next(write(y))}")
            before, at = "M", at + 1
            continue
        letter, n = STEPS[code]
        steps = [(px - x, py - y) for px, py in points[at : at + n]]
        x, y = points[at + n - 1]
        at += n
        if letter == "l" and 0 in steps[0]:
            letter, steps = ("h", [steps[0][:1]]) if steps[0][1] == 0 else ("v", [steps[0][1:]])
        elif letter == "c" and ease:
            letter, steps = _eased(steps, ease)
        first, *rest = (write(number) for step in steps for number in step)
        said.append(
            (_next(first) if letter == before else letter + first) + "".join(map(_next, rest))
        )
        before = letter
    return "".join(said)


def _eased(steps: list[tuple[int, int]], ease: float) -> tuple[str, list[tuple[int, int]]]:
    """Replace two handles by one where the curve stays the same but for `ease`."""
    (ax, ay), (bx, by), (x, y) = steps
    if math.hypot(x - 3 * bx + 3 * ax, y - 3 * by + 3 * ay) * math.sqrt(3) / 36 > ease:
        return "c", steps
    return "q", [(round((3 * ax + 3 * bx - x) / 4), round((3 * ay + 3 * by - y) / 4)), (x, y)]


def _next(number: str) -> str:
    return number if number[0] == "-" else f" {number}"


# ---- the renderer --------------------------------------------------------------------------------


class Renderer(RendererBase):
    """Writes what matplotlib draws as SVG.

    Coordinates in hundredths of a point, letters and marks defined once.

    Names come from what they name, so that several figures can stand in one document.
    """

    def __init__(self, width: float, height: float) -> None:
        """Open a sheet of so many points."""
        super().__init__()
        self.width, self.height = width, height
        self._defs: dict[str, str] = {}
        # attributes, element: neighbours of one look share a group
        self._drawn: list[tuple[str, str]] = []

    def text(self) -> str:
        """Give the whole drawing."""
        size = f'width="{_short(self.width)}pt" height="{_short(self.height)}pt"'
        box = f'viewBox="0 0 {_short(self.width)} {_short(self.height)}"'
        body = "".join(self._grouped())
        defs = f"<defs>{''.join(self._defs.values())}</defs>" if self._defs else ""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box} '
            f'stroke-linejoin="round">{defs}{body}</svg>'
        )

    def _grouped(self) -> Iterator[str]:
        for attributes, run in itertools.groupby(self._drawn, key=lambda drawn: drawn[0]):
            elements = [element for _, element in run]
            if len(elements) == 1 and elements[0].startswith("<path"):
                yield elements[0].replace(" ", f"{attributes} ", 1)
            else:  # where an element is moved, so would be what clips it
                yield f"<g{attributes}>{''.join(elements)}</g>" if attributes else "".join(elements)

    # -- what matplotlib asks for

    def points_to_pixels(self, points: float) -> float:
        """Take a pixel for a point."""
        return points

    def get_canvas_width_height(self) -> tuple[float, float]:
        """Give the sheet's size."""
        return self.width, self.height

    def option_scale_image(self) -> bool:
        """Let an image be stretched by who shows it."""
        return True

    def draw_path(
        self,
        gc: GraphicsContextBase,
        path: Path,
        transform: Transform,
        rgbFace=None,  # noqa: N803
    ) -> None:
        """Write a path."""
        open_line = rgbFace is None and gc.get_hatch_path() is None
        outline = self._path(
            path,
            transform,
            clip=open_line,
            simplify=path.should_simplify and open_line,
            sketch=gc.get_sketch_params(),
        )
        if outline:
            element = _telling(f'<path d="{outline}"/>', gc.get_url())
            self._drawn.append((self._look(gc, rgbFace), element))

    def draw_markers(self, gc, marker_path, marker_trans, path, trans, rgbFace=None) -> None:  # noqa: N803
        """Write a mark once, and where it stands."""
        name = self._defined("M", self._path(marker_path, marker_trans, up=0))
        look, inside = self._look(gc, rgbFace), Bbox([[0, 0], [self.width, self.height]])
        for vertices, _ in path.iter_segments(trans, simplify=False):
            x, y = vertices[-2:]
            if inside.contains(x, y):
                self._drawn.append(
                    (look, f'<use href="#{name}" x="{_short(x)}" y="{_short(self.height - y)}"/>')
                )

    def draw_path_collection(
        self,
        gc,
        master_transform,
        paths,
        all_transforms,
        offsets,
        offset_trans,
        facecolors,
        edgecolors,
        linewidths,
        linestyles,
        antialiaseds,
        urls,
        offset_position,
        *,
        hatchcolors=None,
    ) -> None:
        """Write a collection: what comes several times is defined once."""
        hatchcolors = [] if hatchcolors is None else hatchcolors
        outlines = list(self._iter_collection_raw_paths(master_transform, paths, all_transforms))
        # of marks there may be thousands, of looks a few
        alone, looks = len(offsets) <= len(outlines), {}
        drawn = [
            (
                path,
                transform,
                None if alone else self._defined("M", self._path(path, transform, up=0)),
            )
            for path, transform in outlines
        ]
        for x, y, (path, transform, name), look, face in self._iter_collection(
            gc,
            drawn,
            offsets,
            offset_trans,
            facecolors,
            edgecolors,
            linewidths,
            linestyles,
            antialiaseds,
            urls,
            offset_position,
            hatchcolors=hatchcolors,
        ):
            if name is None:
                outline = self._path(path, transform + Affine2D().translate(x, y))
                element = f'<path d="{outline}"/>'
            else:
                element = f'<use href="#{name}" x="{_short(x)}" y="{_short(self.height - y)}"/>'
            element = _telling(element, look.get_url())
            key = (
                look.get_rgb(),
                look.get_linewidth(),
                str(look.get_dashes()),
                None if face is None else tuple(face),
                str(look.get_hatch_color()) if look.get_hatch() else "",
            )
            if key not in looks:
                looks[key] = self._look(look, face)
            self._drawn.append((looks[key], element))

    def draw_image(self, gc, x, y, im, transform=None) -> None:
        """Write an image as PNG within the drawing."""
        height, width = im.shape[:2]
        if not width or not height:
            return
        packed = io.BytesIO()
        Image.fromarray(np.asarray(im)[::-1] if transform is None else np.asarray(im)).save(
            packed, "png"
        )
        source = base64.b64encode(packed.getvalue()).decode()
        if transform is None:
            place = f'x="{_short(x)}" y="{_short(self.height - y - height)}"'
        else:
            at = Affine2D().scale(1 / width, 1 / height) + transform + Affine2D().translate(x, y)
            at = (at + self._turned_over()).frozen().to_values()
            place = (
                f'transform="matrix({" ".join(f"{v:.6g}" for v in at)})" '
                'style="image-rendering:pixelated"'
            )
        opacity = "" if gc.get_alpha() == 1 else f' opacity="{_short(gc.get_alpha())}"'
        image = (
            f'<image width="{width}" height="{height}" {place} href="data:image/png;base64,'
            f'{source}"/>'
        )
        self._drawn.append(("", f"<g{self._clip(gc)}{opacity}>{image}</g>"))

    def draw_gouraud_triangles(self, *_args) -> None:
        """Refuse: no figure of ours is shaded so."""
        raise NotImplementedError("shading by triangles")

    def draw_tex(self, *_args, **_options) -> None:
        """Refuse: there is no TeX."""
        raise NotImplementedError("TeX")

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None) -> None:
        """Write a line of text by its letters' outlines, since no font is sure to be there."""
        if ismath:
            raise NotImplementedError("formulas")
        uses, letters = _spelled(s, _font_key(prop))
        if not uses:
            return
        for letter in letters:
            self._defs[letter] = f'<path id="{letter}" d="{_letters[letter].outline}"/>'
        color, alpha = to_hex(gc.get_rgb()), gc.get_rgb()[3]
        look = (
            f' fill="{color}"'
            + ("" if alpha == 1 else f' opacity="{_short(alpha)}"')
            + self._clip(gc)
        )
        turn = f"rotate({_short(-angle)})" if angle else ""
        scale = f"{prop.get_size_in_points() / EM:.4f}".strip("0")
        at = f"translate({_short(x)} {_short(y)})"
        self._drawn.append((look, f'<g transform="{at}{turn}scale({scale})">{uses}</g>'))

    def get_text_width_height_descent(self, s, prop, ismath) -> tuple[float, float, float]:
        """Measure a line of text, each only once in a process."""
        if ismath:
            return text_to_path.get_text_width_height_descent(s, prop, ismath)
        size = prop.get_size_in_points()
        return tuple(part * size for part in _measured(s, _font_key(prop)))

    def _get_font_height_metrics(self, prop) -> tuple[float, float, float]:
        # matplotlib asks for it under this name; where it no longer does, it reads the font's
        # tables for each text
        size = prop.get_size_in_points()
        return tuple(part * size for part in _line_height(_font_key(prop)))

    # -- how it is written

    def _path(self, path, transform, *, up=None, clip=False, simplify=False, sketch=None) -> str:
        box = (0.0, 0.0, self.width, self.height) if clip else None
        clean = path.cleaned(
            transform, remove_nans=True, clip=box, simplify=simplify, curves=True, sketch=sketch
        )
        points = clean.vertices * (FINE, -FINE) + (0, FINE * (self.height if up is None else up))
        return _said(
            np.rint(np.nan_to_num(points)).astype(int).tolist(), clean.codes.tolist(), _point
        )

    def _turned_over(self) -> Affine2D:
        return Affine2D().scale(1, -1).translate(0, self.height)

    def _defined(self, kind: str, outline: str) -> str:
        name = f"{kind}{zlib.crc32(outline.encode()):x}"
        self._defs[name] = f'<path id="{name}" d="{outline}"/>'
        return name

    def _look(self, gc: GraphicsContextBase, face) -> str:
        said, forced = [], gc.get_forced_alpha()
        if gc.get_hatch() is not None:
            said.append(f'fill="url(#{self._hatched(gc, face)})"')
            if face is not None and len(face) == 4 and face[3] != 1 and not forced:
                said.append(f'fill-opacity="{_short(face[3])}"')
        elif face is None:
            said.append('fill="none"')
        else:
            said.append(f'fill="{to_hex(face)}"')
            if len(face) == 4 and face[3] != 1 and not forced:
                said.append(f'fill-opacity="{_short(face[3])}"')
        if forced and gc.get_alpha() != 1:
            said.append(f'opacity="{_short(gc.get_alpha())}"')
        if width := gc.get_linewidth():
            said += self._line(gc, width, forced)
        return " " + " ".join(said) + self._clip(gc)

    def _line(self, gc: GraphicsContextBase, width: float, forced: bool) -> Iterator[str]:
        rgb, (offset, dashes) = gc.get_rgb(), gc.get_dashes()
        yield f'stroke="{to_hex(rgb)}"'
        if not forced and rgb[3] != 1:
            yield f'stroke-opacity="{_short(rgb[3])}"'
        if width != 1:
            yield f'stroke-width="{_short(width)}"'
        if dashes is not None:
            yield f'stroke-dasharray="{" ".join(map(_short, dashes))}"'
            if offset:
                yield f'stroke-dashoffset="{_short(offset)}"'
        if gc.get_joinstyle() != "round":
            yield f'stroke-linejoin="{gc.get_joinstyle()}"'
        if gc.get_capstyle() != "butt":
            yield f'stroke-linecap="{CAPS[gc.get_capstyle()]}"'

    def _hatched(self, gc: GraphicsContextBase, face) -> str:
        outline = self._path(gc.get_hatch_path(), Affine2D().scale(72), up=72)
        color, ground = to_hex(gc.get_hatch_color()), "none" if face is None else to_hex(face)
        # its lines are as transparent as its edge, and then once more as the whole shape
        alpha = to_rgba(gc.get_hatch_color())[3]
        opacity = "" if alpha == 1 else f' stroke-opacity="{_short(alpha)}"'
        body = (
            f'<rect width="73" height="73" fill="{ground}"/><path d="{outline}" fill="{color}" '
            f'stroke="{color}"{opacity} stroke-width="{_short(gc.get_hatch_linewidth())}" '
            f'stroke-linejoin="miter"/>'
        )
        name = f"H{zlib.crc32(body.encode()):x}"
        self._defs[name] = (
            f'<pattern id="{name}" patternUnits="userSpaceOnUse" width="72" '
            f'height="72">{body}</pattern>'
        )
        return name

    def _clip(self, gc: GraphicsContextBase) -> str:
        path, transform = gc.get_clip_path()
        if path is not None:
            body = f'<path d="{self._path(path, transform)}"/>'
        elif (box := gc.get_clip_rectangle()) is not None:
            x, y, width, height = box.bounds
            place = {"x": x, "y": self.height - y - height, "width": width, "height": height}
            body = f"<rect{''.join(_said_of(name, value) for name, value in place.items())}/>"
        else:
            return ""
        name = f"C{zlib.crc32(body.encode()):x}"
        self._defs[name] = f'<clipPath id="{name}">{body}</clipPath>'
        return f' clip-path="url(#{name})"'
