"""A page: what of an executed notebook it shows, as HTML that holds nothing else."""

import base64
import functools
import html
import io
import json
import re
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jinja2
from PIL import Image

from helpers import look
from helpers.look.svg import inline

TEMPLATES = Path(__file__).parent / "templates"
NARROW_PT = 400  # a figure of the page's width has 662 points
TAGS = {
    "a",
    "b",
    "blockquote",
    "br",
    "caption",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "li",
    "ol",
    "p",
    "pre",
    "section",
    "small",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
}
ATTRIBUTES = {
    "align",
    "alt",
    "class",
    "colspan",
    "id",
    "lang",
    "rowspan",
    "scope",
    "style",
    "title",
}
# what a table tells the page's script: column names, and what `look/whole.py` packs; text to it
TOLD = {
    "data-columns": re.compile(r"[\w,]*"),
    "data-whole": re.compile(r"[\w!#$%()*+;=?@^`{|}~,.:-]*", re.ASCII),
    "data-turn": re.compile(r"[\w!#$%()*+;=?@^`{|}~,.:-]*", re.ASCII),
}
PROPERTIES = {
    "background-color",
    "color",
    "font-size",
    "font-style",
    "font-weight",
    "height",
    "text-align",
    "text-decoration",
    "vertical-align",
    "white-space",
    "width",
}
KEPT_TEXTS = 1000  # of the text cells of pages and cards; those of all cards are the same
_drawing = threading.Lock()  # matplotlib's fonts are shared, and don't bear two threads
FORMULA = "\ue000{}\ue001"  # stands for one while a text is cleaned


def write_page(folder: Path, notebook: Any, name: str) -> None:
    """Keep an executed notebook as a page: body, notebook, title and contents.

    The body has no head and no links to its neighbours: these belong to the edition it is bound
    into.
    """
    import nbformat

    body, contents = page_body(notebook)
    (folder / "page.html").write_text(body, encoding="utf-8")
    for told in _images_told(notebook):  # a notebook is read by hand, and not on a phone
        told.pop("narrow", None)
    nbformat.write(notebook, folder / "notebook.ipynb")
    title = re.search(r"<h1[^>]*>(.*?)</h1>", body, re.DOTALL)
    meta = {"title": _plain(title[1]) if title else name, "contents": contents}
    (folder / "meta.json").write_text(json.dumps(meta, ensure_ascii=False), encoding="utf-8")


def page_body(notebook: Any) -> tuple[str, list[tuple[str, str]]]:
    """Turn an executed notebook into HTML, and list its sections as (id, text)."""
    cells = look.shown_cells(notebook.cells)
    body = _page_environment().get_template("notebook.html.j2").render(cells=cells, letters={})
    # a name is not to turn the sentence round it
    body = re.sub("[\\u202a-\\u202e\\u2066-\\u2069]", "", body)
    contents: list[tuple[str, str]] = []

    def numbered(match: re.Match) -> str:
        contents.append((f"s{len(contents) + 1}", _plain(match[1])))
        return f'<h2 id="{contents[-1][0]}">{match[1]}</h2>'

    return re.sub(r"<h2[^>]*>(.*?)</h2>", numbered, body, flags=re.DOTALL), contents


def markup(source: str) -> str:
    """Keep of a piece of HTML what is text, table, list or embedded image.

    Nothing of what remains runs, loads or leads outside.

    >>> markup("<b>ok</b><script>alert(1)</script>")
    '<b>ok</b>'
    """
    # pandas names every cell for its style sheet; there is none here, and the names are half of a
    # page's weight
    source = re.sub(r"<style.*?</style>", "", source, flags=re.DOTALL)
    source = re.sub(r' id="T_\w+"', "", source)
    source = re.sub(
        r' class="((?:data|blank|(?:row|col)_heading|level\d+|row\d+|col\d+|dataframe)[ \w-]*)"',
        _own_classes,
        source,
    )
    clean = _cleaner().clean(re.sub(r' border="\d"| style="text-align: right;"', "", source))
    return clean.replace("<table", '<div class="scroll"><table').replace(
        "</table>", "</table></div>"
    )


@functools.lru_cache(KEPT_TEXTS)
def markdown(source: str) -> str:
    """Turn a text cell into HTML.

    Formulas between dollar signs are drawn, since nothing may be loaded to set them.
    """
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    drawn: list[str] = []

    class Renderer(IPythonRenderer):
        def inline_math(self, body: str) -> str:
            drawn.append(formula(body))
            return FORMULA.format(len(drawn) - 1)

        def block_math(self, body: str) -> str:
            return f"<p>{self.inline_math(body)}</p>"

    renderer = Renderer(escape=False, exclude_anchor_links=True)
    source = re.sub(f"[{FORMULA.format('')}]", "", source)
    clean = markup(MarkdownWithMath(renderer=renderer).render(source))
    # an address with angle brackets would be spelled out by whoever cleans markup
    return re.sub(FORMULA.format(r"(\d+)"), lambda place: drawn[int(place[1])], clean)


@functools.lru_cache(KEPT_TEXTS)
def formula(tex: str) -> str:
    """Draw a formula as an image; what matplotlib can't set stays as it was written."""
    from matplotlib import mathtext

    drawn = io.BytesIO()
    try:
        with _drawing:
            mathtext.math_to_image(f"${tex.strip()}$", drawn, format="svg", dpi=72)
    except ValueError:
        return f"<code>{html.escape(tex.strip())}</code>"
    size = re.search(rb'width="([\d.]+)pt"', drawn.getvalue())
    width = f' style="width: {float(size[1]) / 9:.2f}em"' if size else ""
    shown = inline(drawn.getvalue().decode(), {}, tex.strip())
    return shown.replace("<img", f'<img class="formula"{width}', 1)


def figure(output: Mapping, letters: dict[str, str]) -> str:
    """Show a figure: ours as part of the page, its letters put with `letters`.

    Any other as an image. One that is drawn for a phone, too, is shown by either drawing.
    """
    kind, alt = _image_kind(output), alt_text(output)
    wide = _image(kind, output["data"][kind], letters, alt)
    narrow = output.get("metadata", {}).get(kind, {}).get("narrow", "")
    if not narrow:
        return wide
    narrow = _image(kind, narrow, letters, alt)
    return f'<div class="wide">{wide}</div><div class="narrow">{narrow}</div>'


def _image(kind: str, data: str, letters: dict[str, str], alt: str) -> str:
    image = _image_bytes(data)
    if kind == "image/svg+xml":
        return inline(image.decode(), letters, alt)
    if kind == "image/png":
        kind, image = _lighter(image)
    packed = base64.b64encode(image).decode()
    return f'<img alt="{html.escape(alt)}" src="data:{kind};base64,{packed}">'


def _lighter(image: bytes) -> tuple[str, bytes]:
    """Write the same pixels as lossless WebP where that is smaller, by a fifth for our dense
    figures: a page is to be sent by mail.
    """
    drawn = io.BytesIO()
    try:
        with Image.open(io.BytesIO(image)) as opened:
            if getattr(opened, "n_frames", 1) > 1 or opened.mode not in ("P", "L", "RGB", "RGBA"):
                return "image/png", image  # it would lose its motion, or its depth
            opened.save(drawn, "WEBP", lossless=True, quality=100, method=6)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return "image/png", image  # whatever it is, it is somebody's own
    small = drawn.getvalue()
    return ("image/webp", small) if len(small) < len(image) else ("image/png", image)


def _images_told(notebook: Any) -> Iterator[dict]:
    """Go through what a notebook's outputs say of their images."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            yield from (output.get("metadata", {}).get(kind, {}) for kind in look.IMAGES)


def alt_text(output: Mapping) -> str:
    """Give a figure's alternative text, from its output's metadata."""
    metadata = output.get("metadata", {})
    return metadata.get(_image_kind(output), {}).get("alt") or metadata.get("alt") or ""


def _image_kind(output: Mapping) -> str:
    return next((kind for kind in look.IMAGES if kind in output.get("data", {})), "")


def _is_narrow(output: Mapping) -> bool:
    """Whether a figure leaves room for a neighbour: drawings say how wide they are."""
    drawn = output.get("data", {}).get("image/svg+xml", "")
    width = re.search(r'<svg[^>]*? width="([\d.]+)pt"', drawn)
    return bool(width) and float(width[1]) < NARROW_PT


def _image_bytes(data: str) -> bytes:
    return data.encode() if data.lstrip().startswith("<") else base64.b64decode(data)


def _own_classes(match: re.Match) -> str:
    own = re.sub(
        r"\b(?:data|blank|(?:row|col)_heading|level\d+|row\d+|col\d+|dataframe)(?= |$)",
        "",
        match[1],
    ).split()
    return (
        f' class="{" ".join(own)}"' if own else ' class="table"' if "dataframe" in match[1] else ""
    )


def _printed(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text).strip()


def _plain(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", markup)).strip()


@functools.cache
def _page_environment() -> jinja2.Environment:
    filters = {
        "markdown": markdown,
        "markup": markup,
        "image_kind": _image_kind,
        "figure": figure,
        "is_narrow": _is_narrow,
        "printed": _printed,
    }
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES / "edition"))
    environment.filters |= filters
    return environment


@functools.cache
def _cleaner():
    import nh3

    def kept(tag: str, name: str, value: str) -> str | None:
        if name in TOLD:
            return value if TOLD[name].fullmatch(value) else None
        said = re.sub(r"[\x00-\x20]", "", value)
        if name == "src":
            return value if said.startswith("data:image/") else None
        if name == "href":  # within the edition only
            return None if re.match(r"[\w+.-]*:|[/\\]{2}", said) else value
        return None if name == "style" and re.search(r"[\\(@]", said) else value

    return nh3.Cleaner(
        tags=TAGS,
        attributes={"*": ATTRIBUTES, "a": {"href"}, "img": {"src"}, "table": set(TOLD)},
        attribute_filter=kept,
        url_schemes={"data"},
        filter_style_properties=PROPERTIES,
        link_rel=None,
    )
