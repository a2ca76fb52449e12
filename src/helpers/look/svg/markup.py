"""Slim figures within a page: the same SVG in half the bytes, so that a page with eight figures can
still be sent by mail.

Matplotlib spells out six decimals, draws every letter as `<use xlink:href="#DejaVuSans-41"
transform="…"/>`, and writes outlines in absolute coordinates. All of that can be said shorter
without a visible difference.
"""

import html
import re
import urllib.parse

from helpers.look import whole

KEPT_DIGITS = 2  # of coordinates in points
UNSAFE = re.compile(r"[^\w '=/:;,().+!*@?$~<>-]+", re.ASCII)  # in an address within quotation marks
# what `drawing.svg` writes: nothing of it runs, loads or leads outside, since no value holds a
# colon or a slash
DRAWN = re.compile(
    r'<svg xmlns="http://www\.w3\.org/2000/svg"'
    r'( width="[\d.]+pt" height="[\d.]+pt" viewBox="[\d. ]+" '
    r'stroke-linejoin="round">)(.*)</svg>',
    re.DOTALL,
)
ATTRIBUTES = (
    "clip-path|d|fill|fill-opacity|height|href|id|opacity|patternUnits|stroke|stroke-dasharray|"
    "stroke-dashoffset|stroke-linecap|stroke-linejoin|stroke-opacity|stroke-width|transform|width|"
    "x|y"
)
ELEMENT = re.compile(
    rf'<(?:g|defs|path|use|rect|clipPath|pattern)(?: (?:{ATTRIBUTES})="[\w .#()-]*")*/?>|'
    r"</(?:g|defs|clipPath|pattern|path|use)>|<title>[^<>]*</title>"
)
# a shape that is drawn, and the name that it tells
SHAPE = re.compile(r"<((?:path|use)\b[^>]*?)(?:/>|><title>([^<>]*)</title></(?:path|use)>)")
MANY_NAMES = 60  # of a figure
# letters and marks, named by what they look like
SHARED = re.compile(r'<path id="([\w-]+)" d="[^"]*"/>')


def slim_svg(svg: str) -> str:
    """Rewrite a figure of matplotlib's in fewer bytes; what it shows stays the same.

    >>> slim_svg('<path id="Sans-41" d="M 10 20 L 13 24.123456 z"/><use xlink:href="#Sans-41"/>')
    '<path id="a0" d="M 10 20 L 13 24.123456 z"/><use href="#a0"/>'
    >>> slim_svg('<path d="M 10 20 L 13 24.123456 z"/>')
    '<path d="M10 20l3 4.12z"/>'
    """
    if svg.startswith("<svg") and "xlink" not in svg and "\n" not in svg:
        return svg  # drawn so by `drawing.svg`
    svg = re.sub(
        r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL
    )
    # the name of a shape, which matplotlib takes for an address
    svg = re.sub(r"</?a\b[^>]*>", "", svg)
    svg = re.sub(r"\s*\n\s*", " ", re.sub(r">\s+<", "><", svg))
    svg = re.sub(r'(<path id="[^"]+") d="([^"]*)" transform="scale\(0\.015625\)"', _letter, svg)
    svg = re.sub(
        r'<path (?:id="m[^"]+" )?d="[^"]*"', lambda m: _with_path(m[0], digits=KEPT_DIGITS), svg
    )
    svg = re.sub(
        r'\b(?:x|y|width|height)="[^"]*"|translate\([^)]*\)', lambda m: _rounded(m[0]), svg
    )
    svg = re.sub(
        r'<use xlink:href="([^"]*)" transform="translate\((\S+) 0\)"/>',
        r'<use href="\1" x="\2"/>',
        svg,
    )
    svg = svg.replace("xlink:href=", "href=").replace(
        ' xmlns:xlink="http://www.w3.org/1999/xlink"', ""
    )
    svg = re.sub(r'style="([^"]*)"', lambda m: f'style="{re.sub(r"(?<=[:;]) ", "", m[1])}"', svg)
    return _short_names(re.sub(r'<g id="[^"]*"', "<g", svg).replace("<g/>", "")).strip()


def data_address(svg: str) -> str:
    """Give an SVG as a data address.

    Percent signs cost less than base 64, and angle brackets need none.

    The name of its language, which looks like an address, is hidden from those who search a page
    for outside addresses.

    >>> data_address('<path id="a"/>')
    "data:image/svg+xml,<path id='a'/>"
    """
    return "data:image/svg+xml," + UNSAFE.sub(
        lambda m: urllib.parse.quote(m[0]), svg.replace('"', "'")
    ).replace("http:", "http%3A")


def inline(svg: str, shared: dict[str, str], alt: str) -> str:
    """Give a figure as markup for a page.

    One of our drawing becomes part of the page: its letters are taken out into `shared`, since a
    page's figures have most of them in common, and in Chinese they are half of a figure's weight.
    Any other becomes an image that holds its own drawing, slimmed.

    Parameters
    ----------
    svg
        The whole drawing, ours, matplotlib's or anybody's.
    shared
        The page's letters, by name; those of this figure are added. Who lays out the page writes
        them once, within `<defs>`.
    alt
        What the figure shows, for who can't see it; escaped here.
    """
    return part(svg, shared, alt) or (
        f'<img alt="{html.escape(alt)}" src="{data_address(slim_svg(svg))}">'
    )


def part(svg: str, shared: dict[str, str], alt: str) -> str:
    """Give a figure of our drawing as part of a page, its letters taken out into `shared`.

    "" for any other, and for one whose letters go by the names of others.
    """
    drawn = DRAWN.fullmatch(svg)
    if drawn is None or ELEMENT.sub("", drawn[2]):
        return ""
    own = {found[1]: found[0] for found in SHARED.finditer(drawn[2])}
    if any(shared.get(name, path) != path for name, path in own.items()):
        return ""
    shared |= own
    body = SHARED.sub("", drawn[2]).replace("<defs></defs>", "")
    body, names = _names_apart(body)
    return f'<svg role="img" aria-label="{html.escape(alt)}"{names}{drawn[1]}{body}</svg>'


def _names_apart(body: str) -> tuple[str, str]:
    """Take the names of many shapes out of a drawing, and pack them for the page's script.

    Written out they are as heavy as what is drawn; those of a few bars stay.
    """
    if body.count("<title>") < MANY_NAMES:
        return body, ""
    at, names, before = [], [], 0
    for i, shape in enumerate(SHAPE.finditer(body)):
        if shape[2]:
            at.append(i - before)
            names.append(html.unescape(shape[2]))
            before = i
    told = whole.packed({"at": at, "names": names})
    return SHAPE.sub(r"<\1/>", body), f' data-names="{told}"'


def _letter(match: re.Match) -> str:
    """Write a letter's outline in steps of a 256th of its height.

    Matplotlib's are sixteen times finer.
    """
    outline = re.sub(r"-?\d[\d.]*", lambda number: f"{float(number[0]) / 16:.0f}", match[2])
    return f'{match[1]} d="{_relative(outline, 0)}" transform="scale(.25)"'


def _short_names(svg: str) -> str:
    """Name whatever is referred to a0, a1, …"""
    used = dict.fromkeys(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg))
    short = {name: f"a{i}" for i, name in enumerate(dict.fromkeys("".join(pair) for pair in used))}
    return re.sub(
        r'(?<=id=")[^"]+(?=")|(?<=href="#)[^"]+(?=")|(?<=url\(#)[^)]+(?=\))',
        lambda m: short.get(m[0], m[0]),
        svg,
    )


def _with_path(element: str, digits: int) -> str:
    head, _, outline = element[:-1].partition(' d="')
    return f'{head} d="{_relative(outline, digits)}"'


def _relative(outline: str, digits: int) -> str:
    """Write an outline of M, L, Q, C and z in steps from point to point.

    Leave any other as it is.
    """
    parts = re.findall(r"([A-Za-z])([^A-Za-z]*)", outline)
    if any(command not in "MLQCz" for command, _ in parts):
        return outline
    said, here, start, before = [], (0.0, 0.0), (0.0, 0.0), ""
    for command, numbers in parts:
        values = [round(float(number), digits) for number in numbers.split()]
        points = list(zip(values[::2], values[1::2], strict=True))
        if command == "z":
            said.append("z")
            here = start
        elif command == "M":
            said.append("M" + _joined(points[0], digits))
            here = start = points[0]
        else:
            steps = [round(v - here[i % 2], digits) for i, v in enumerate(values)]
            text = _joined(steps, digits)
            again = command == before
            said.append((("" if text[0] == "-" else " ") if again else command.lower()) + text)
            here = points[-1]
        before = command
    return "".join(said)


def _joined(values, digits: int) -> str:
    return re.sub(r" (?=-)", "", " ".join(_short(value, digits) for value in values))


def _short(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else re.sub(r"^(-?)0\.", r"\1.", text)


def _rounded(text: str) -> str:
    return re.sub(r"-?\d+\.\d+", lambda m: _short(float(m[0]), KEPT_DIGITS), text)
