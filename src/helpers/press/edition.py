"""The edition: pages without code from executed notebooks, the front page over them, and what lies
beside them.
"""

import base64
import calendar
import collections
import dataclasses
import datetime as dt
import functools
import html
import importlib.metadata
import io
import json
import platform
import re
import shutil
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from helpers import files, look, periods, words
from helpers.look.svg import inline
from helpers.press import editions
from helpers.settings import DataError, Workbook

TEMPLATES = Path(__file__).parent / "templates"
LANGUAGE_NAMES = {"en": "English", "zh-Hans": "简体中文", "zh-Hant": "繁體中文"}
PACKAGES = (
    "customer-workbook",
    "duckdb",
    "ibis-framework",
    "matplotlib",
    "nbconvert",
    "pandas",
    "papermill",
)
N_TILES, N_CHANGES, N_CALLS = 8, 8, 10  # what two sheets of paper hold
URGENT_CALLS = 5  # of the first page that calls: who has stopped paying comes before what sleeps
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
FORMULA = "\ue000{}\ue001"  # stands for one while a text is cleaned
_drawing = threading.Lock()  # matplotlib's fonts are shared, and don't bear two threads


# ---- a page --------------------------------------------------------------------------------------


def write_page(folder: Path, notebook: Any, name: str) -> None:
    """Keep an executed notebook as a page: body, notebook, thumbnail, title and contents.

    The body has no head and no links to its neighbours: these belong to the edition it is bound
    into.
    """
    import nbformat

    body, contents = page_body(notebook)
    (folder / "page.html").write_text(body, encoding="utf-8")
    nbformat.write(notebook, folder / "notebook.ipynb")
    title = re.search(r"<h1[^>]*>(.*?)</h1>", body, re.DOTALL)
    meta = {"title": _plain(title[1]) if title else name, "contents": contents}
    (folder / "meta.json").write_text(json.dumps(meta, ensure_ascii=False), encoding="utf-8")
    for output in _outputs(notebook):
        if kind := _image_kind(output):
            data = _image_bytes(output["data"][kind])
            (folder / f"thumbnail.{look.IMAGES[kind]}").write_bytes(data)
            (folder / "thumbnail.txt").write_text(alt_text(output), encoding="utf-8")
            break


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

    Any other as an image.
    """
    kind, alt = _image_kind(output), alt_text(output)
    image = _image_bytes(output["data"][kind])
    if kind == "image/svg+xml":
        return inline(image.decode(), letters, alt)
    data = base64.b64encode(image).decode()
    return f'<img alt="{html.escape(alt)}" src="data:{kind};base64,{data}">'


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


def _outputs(notebook: Any) -> list:
    return [
        output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs
    ]


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
        said = re.sub(r"[\x00-\x20]", "", value)
        if name == "src":
            return value if said.startswith("data:image/") else None
        if name == "href":  # within the edition only
            return None if re.match(r"[\w+.-]*:|[/\\]{2}", said) else value
        return None if name == "style" and re.search(r"[\\(@]", said) else value

    return nh3.Cleaner(
        tags=TAGS,
        attributes={"*": ATTRIBUTES, "a": {"href"}, "img": {"src"}},
        attribute_filter=kept,
        url_schemes={"data"},
        filter_style_properties=PROPERTIES,
        link_rel=None,
    )


# ---- the edition ---------------------------------------------------------------------------------


def write_edition(
    folder: Path,
    book: Workbook,
    period: str,
    languages: Sequence[str],
    shelves: Mapping[str, Sequence[editions.Printed]],
    fingerprint: str,
    earlier: Path | None = None,
    made_of: str = "",
    pdf: bool = False,
) -> None:
    """Bind finished pages and cards into an edition.

    The first language at the top, the others in folders.

    `shelves` gives what was printed in each language; `earlier` is the folder of the edition
    before, where there is one: the front page says what changed since. `made_of` is kept, for
    `bound_of`. With `pdf` pages lead to their PDF, which whoever asks for it lays beside.
    """
    from helpers import data, pareto
    from helpers.press import managers

    for language in languages:
        place = folder if language == languages[0] else folder / language
        place.mkdir(parents=True)
        words.speak(language, book.currency)
        shown = _shown(book)
        printed = [made for made in shelves[language] if not made.dealer_id]
        pages = [_page_facts(made.name, made.folder, place) for made in printed]
        bound = {
            "book": shown,
            "language": language,
            "month": month_name(period),
            "period": period,
            "pages": pages,
            "say": words.say,
            "label": words.label,
            "cell": _cell,
            "fingerprint": fingerprint,
            "pdf": pdf,
            "printed": f"{dt.date.today():%Y-%m-%d}",
            "versions": {
                name: versions()[name] for name in ("python", "customer-workbook", "pandas")
            },
            "list_of_editions": ("" if language == languages[0] else "../") + "../index.html",
        }
        cards, dealers = (
            [made for made in shelves[language] if made.dealer_id],
            data.dealers(book, language),
        )
        bound["n_cards"] = len({card.dealer_id for card in cards})
        whole = editions.read_tables(place)
        bound["offices"] = offices = _offices(whole, managers.with_keys(dealers, book), cards)
        _require_apart(pages, offices, cards)
        _cut_dead_links([*pages, *offices])
        for page in pages:
            _write(
                place, page["file"], "page.html.j2", bound, languages, page=page, body=page["body"]
            )
        for office in offices:
            _write(place, office["file"], "manager.html.j2", bound, languages, office=office)
        if offices:
            cover = pareto.cover_sentences(whole["abc_pareto"])
            columns = managers.list_columns(offices)
            _write(
                place,
                "managers.html",
                "managers.html.j2",
                bound,
                languages,
                cover=cover,
                columns=columns,
            )
        if cards:
            _write_cards(place, dealers, bound, languages, cards)
        found, tables = data_quality(book)
        _write(
            place,
            "data.html",
            "data.html.j2",
            bound,
            languages,
            found=_html(found),
            tables=_html(tables),
            quality=quality_line(found, tables),
        )
        front = front_page(
            pages,
            []
            if book.has("sell_in")
            else sales_headlines(data.sold_out_months(book, period), period),
        )
        front |= {"quality_line": quality_line(found, tables)}
        front |= _whole_tables(place, whole, bound, earlier)
        front["changes"] = _in_turn(pages, "change", max(N_CHANGES - len(front["changed"]), 3))
        _write(place, "index.html", "front.html.j2", bound, languages, **front)
        manifest = _manifest(book, period, language, fingerprint, pages, shelves[language]) | {
            "made_of": made_of
        }
        (place / "manifest.json").write_text(
            json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8"
        )


def bound_of(folder: Path) -> str:
    """Say what an edition was made of, as `write_edition` was told.

    "" where there is none, or it is not whole.
    """
    manifest = editions.manifest_of(folder) or {}
    made_of = manifest.get("made_of")
    return made_of if isinstance(made_of, str) and (folder / "index.html").is_file() else ""


def write_list(folder: Path, book: Workbook, language: str) -> None:
    """Write the list of a workbook's editions, the latest first."""
    words.speak(language, book.currency)
    shown = _shown(book)
    rows = []
    for period in reversed(editions.editions(folder, book.name)):
        manifest = editions.manifest_of(folder / period) or {}
        rows.append(
            {
                "period": period,
                "month": month_name(period),
                **{k: manifest[k] for k in ("pages", "printed")},
            }
        )
    page = (
        _environment()
        .get_template("list.html.j2")
        .render(
            book=shown,
            language=language,
            editions=rows,
            say=words.say,
            css=_css(),
            names=LANGUAGE_NAMES,
        )
    )
    editions.write_list(folder, page)


def _shown(book: Workbook) -> Workbook:
    """Give a workbook whose names fit on a page."""
    return dataclasses.replace(
        book, **{n: words.fitting(getattr(book, n)) for n in ("title", "title_zh", "brand")}
    )


def mark_missing(folder: Path, failed: Mapping[str, str]) -> None:
    """Have an edition say which of its pages have no PDF, and why.

    Where one would be led to it, and in its manifest.

    `failed` gives reasons by the pages' addresses. What the edition is made of is forgotten: the
    next run tries again.
    """
    # a language's, and the first one's
    folders = [*(path.parent for path in folder.glob("*/manifest.json")), folder]
    for language in folders:
        mine = {}
        for address, reason in failed.items():
            page = folder / address
            if language == next(place for place in folders if page.is_relative_to(place)):
                mine[page.relative_to(language).as_posix()] = reason
        manifest = json.loads((language / "manifest.json").read_text(encoding="utf-8"))
        words.speak(manifest["language"])
        for address in mine:
            pages = [address, *(["cards/index.html"] if address.startswith("cards/") else [])]
            for page in map(language.joinpath, pages):
                link = (language / address).with_suffix(".pdf").relative_to(page.parent).as_posix()
                text = page.read_text(encoding="utf-8")
                missing = f'<span class="missing">{words.say("report.pdf_missing")}</span>'
                page.write_text(
                    text.replace(f'<a href="{link}">PDF</a>', missing), encoding="utf-8"
                )
        manifest |= {"missing_pdfs": mine, "made_of": ""}
        (language / "manifest.json").write_text(
            json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8"
        )


def front_page(pages: Sequence[Mapping], sales: Sequence[dict] = ()) -> dict[str, Any]:
    """Gather the pages' headlines by place.

    The first verdict speaks for the month, the others for their page.

    `sales` are headlines that stand before the pages' own; their verdict speaks where no page has
    one.
    """
    first = {"headlines": [line for line in sales if line["place"] != "verdict"]}
    verdicts = _in_turn(pages, "verdict", 1) or [
        line for line in sales if line["place"] == "verdict"
    ]
    pages = [first, *pages]
    tiles = [
        tile | {"curve": sparkline(tile["trend"])} for tile in _in_turn(pages, "tile", N_TILES)
    ]
    return {
        "verdict": verdicts[0]["text"] if verdicts else "",
        "tiles": tiles,
        "changes": _in_turn(pages, "change", N_CHANGES),
        "calls": _in_turn(pages, "call", N_CALLS, URGENT_CALLS),
        "quality": [
            line for page in pages for line in page["headlines"] if line["place"] == "quality"
        ],
    }


def sales_headlines(months: pd.Series, period: str) -> list[dict]:
    """Say what consumers bought in a month: verdict and tile, where there is no sell-in.

    Keys as `report.headline`.

    `months` as `data.sold_out_months`. The month a year before is compared with where the data
    begin before it: what begins with it may be a part of it.
    """
    now, before = float(months.get(period, 0.0)), periods.shift(period, -12)
    told = {"month": month_name(period), "amount": now, "before": month_name(before)}
    known = months.get(before, 0.0) > 0 and months.index.min() < before
    change = words.change(now, months[before]) if known else ""
    verdict = words.say(f"report.sold{'_change' if known else ''}", **told, change=change)
    tone = ("good" if now >= months[before] else "bad") if known else ""
    against = (
        words.say("report.sold_against", change=change, before=told["before"]) if known else ""
    )
    trend = [
        float(months.get(month, 0.0))
        for month in periods.month_range(period, 24)
        if month >= months.index.min()
    ]
    return [
        {"place": "verdict", "text": verdict},
        {
            "place": "tile",
            "label": words.say("report.sold_tile"),
            "text": words.money(now),
            "trend": trend,
            "link": "",
            "change": against,
            "tone": tone,
        },
    ]


def _in_turn(pages: Sequence[Mapping], place: str, most: int, at_first: int = 1) -> list[dict]:
    """Choose headlines in turn, one of each page, until there are enough.

    The last page is heard too; in page order.

    The first page that has any may say `at_first` in its first turn.
    """
    said = [[line for line in page["headlines"] if line["place"] == place] for page in pages]
    ahead = {next((i for i, lines in enumerate(said) if lines), 0): at_first - 1}
    rounds = [
        (max(turn - ahead.get(i, 0), 0), i, turn)
        for i, lines in enumerate(said)
        for turn in range(len(lines))
    ]
    turns = [(turn, i) for _round, i, turn in sorted(rounds)[:most]]
    return [said[i][turn] for i, turn in sorted((i, turn) for turn, i in turns)]


def sparkline(trend: Sequence[float], width: int = 120, height: int = 30) -> str:
    """Give the points of a small curve as `x,y` pairs; "" for fewer than two numbers.

    >>> sparkline([1, 2])
    '2.0,28.0 118.0,2.0'
    """
    if len(trend) < 2:
        return ""
    low, step = min(trend), (width - 4) / (len(trend) - 1)
    scale = (height - 4) / ((max(trend) - low) or 1)
    return " ".join(
        f"{2 + i * step:.1f},{height - 2 - (value - low) * scale:.1f}"
        for i, value in enumerate(trend)
    )


def data_quality(book: Workbook) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give what the checks found, and what was read.

    `table`, `n_rows`, `first_date`, `last_date`.
    """
    from helpers import data
    from helpers.data import checks

    rows = []
    for name in book.tables:
        described = data.described(book, name)
        months = described.get("months") or [["", 0, ""]]
        first, last = months[0][0], max(str(month[2]) for month in months)
        rows.append(
            {
                "table": name,
                "source": data.source_name(book, name),
                "n_rows": described.get("rows", 0),
                "first_date": first,
                "last_date": last[:10],
            }
        )
    return checks.findings(book), pd.DataFrame(rows)


def quality_line(found: pd.DataFrame, tables: pd.DataFrame) -> str:
    """Say in one sentence how good the data are."""
    n_rows, n_tables = int(tables["n_rows"].sum()), len(tables)
    if found.empty:
        return words.say("report.clean", rows=n_rows, tables=n_tables)
    return words.say(
        "report.warnings", n=len(found), of=found["table"].nunique(), rows=n_rows, tables=n_tables
    )


def month_name(period: str) -> str:
    """Write a month as the language does, e.g. October 2026."""
    year, month = periods.require_month(period).split("-")
    return words.translated(f"{calendar.month_name[int(month)]} {year}", f"{year}年{int(month)}月")


@functools.cache
def versions() -> dict[str, str]:
    """Give the versions of Python and of the main packages."""
    known = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            known[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            # run from a checkout that was not installed
            known[package] = "–"
    return known


def _page_facts(name: str, shelf_folder: Path, place: Path) -> dict[str, Any]:
    """Copy a page's tables, notebook and thumbnail into the edition and gather what is told about
    it.
    """
    meta = json.loads((shelf_folder / "meta.json").read_text(encoding="utf-8"))
    for folder in ("notebooks", "tables", "thumbnails"):
        (place / folder).mkdir(exist_ok=True)
    shutil.copy(shelf_folder / "notebook.ipynb", place / "notebooks" / f"{name}.ipynb")
    tables = sorted((shelf_folder / "tables").glob("*.csv"))
    for table in tables:
        if (there := place / "tables" / table.name).exists():
            raise DataError(
                f"{name}: a notebook before it publishes the table {table.stem!r}, too; name one "
                "otherwise"
            )
        shutil.copy(table, there)
    thumbnail = next((f for f in shelf_folder.glob("thumbnail.*") if f.suffix != ".txt"), None)
    if thumbnail:
        shutil.copy(thumbnail, place / "thumbnails" / f"{name}{thumbnail.suffix}")
    said = shelf_folder / "headlines.jsonl"
    # no other letter ends one
    lines = said.read_text(encoding="utf-8").split("\n") if said.exists() else []
    body = (shelf_folder / "page.html").read_text(encoding="utf-8")
    headlines = [json.loads(line) for line in lines if line]
    headlines = [
        line | {name: words.fitting(line[name]) for name in ("text", "label", "change")}
        for line in headlines
    ]
    return meta | {
        "name": name,
        "file": f"{name}.html",
        "number": name[:2].lstrip("0"),
        "headlines": headlines,
        "tables": [table.name for table in tables],
        "body": body,
        "thumbnail": f"thumbnails/{name}{thumbnail.suffix}" if thumbnail else "",
        "thumbnail_alt": (shelf_folder / "thumbnail.txt").read_text(encoding="utf-8")
        if thumbnail
        else "",
        "verdict": next((line["text"] for line in headlines if line["place"] == "verdict"), ""),
        "note": "" if thumbnail else look.first_note(body),
    }


def _whole_tables(
    place: Path, whole: Mapping[str, pd.DataFrame], bound: Mapping, earlier: Path | None
) -> dict[str, Any]:
    """Write the edition's tables as an Excel workbook too, and say what changed in them since the
    edition before.
    """
    from helpers.press import diff, excel

    book, pages = bound["book"], bound["pages"]
    titles = {Path(table).stem: page["title"] for page in pages for table in page["tables"]}
    tables = {name: whole[name] for name in titles}
    notes = [
        f"{book.brand or book.heading} · {bound['month']}",
        words.say("excel.data", fingerprint=bound["fingerprint"]),
        *([words.say("report.generated")] if book.generated else []),
    ]
    file = f"{book.name}-{bound['period']}.xlsx"
    excel.write_workbook(
        place / file,
        tables,
        title=book.heading,
        period=bound["period"],
        brand=book.brand,
        currency=book.currency,
        notes=notes,
        pages=titles,
    )
    changed = diff.headlines(
        editions.read_tables(earlier, bound["language"]) if earlier else None, tables
    )
    there = {page["file"] for page in pages}
    return {
        "excel": file,
        "since": words.say("diff.since", month=month_name(earlier.name)) if earlier else "",
        "changed": [
            line | {"link": line["link"] if line["link"] in there else ""} for line in changed
        ],
    }


def _require_apart(
    pages: Sequence[Mapping], offices: Sequence[Mapping], cards: Sequence[editions.Printed]
) -> None:
    """Stop where two pages of an edition would be one file.

    A dealer's card must never show another dealer.
    """
    named = [page["file"] for page in (*pages, *offices)] + [_card_address(card) for card in cards]
    if twice := [
        name for name, n in collections.Counter(name.casefold() for name in named).items() if n > 1
    ]:
        raise RuntimeError(f"{twice[0]}: two pages of the edition would be this file")


def _card_address(card: editions.Printed) -> str:
    """Name a card's page within its edition: what is handed to dealers lies apart."""
    folder = "cards/for-dealers" if card.audience == "dealer" else "cards"
    return f"{folder}/{files.file_name(card.dealer_id)}.html"


def _offices(
    whole: Mapping[str, pd.DataFrame], dealers: pd.DataFrame, cards: Sequence[editions.Printed]
) -> list[dict[str, Any]]:
    """Make the pages per account manager.

    A dealer's name leads to his card, or to where he is explained.
    """
    from helpers import look
    from helpers.press import managers

    links = {
        dealer_id: f"{look.DEALERS_PAGE}#{look.anchor(dealer_id)}"
        for dealer_id in dealers["dealer_id"]
    }
    links |= {card.dealer_id: _card_address(card) for card in cards if card.audience == "us"}
    offices = managers.manager_pages(dealers, whole, links)
    for office in offices:
        sections = (
            f"<h2>{html.escape(title)}</h2>{markup(rows)}" for title, rows in office["sections"]
        )
        office |= {"body": "".join(sections), "headlines": []}
    return offices


def _write_cards(
    place: Path,
    dealers: pd.DataFrame,
    bound: Mapping,
    languages: Sequence[str],
    cards: Sequence[editions.Printed],
) -> None:
    """Write the dealers' cards, and the list in which they are found."""
    rows: dict[str, dict] = {}
    known = dealers.set_index("dealer_id")[["dealer_name", "city", "account_manager"]].astype(
        "object"
    )
    known = known.where(known.notna(), "").map(words.fitting).to_dict("index")
    for card in cards:
        row = rows.setdefault(
            card.dealer_id, known[card.dealer_id] | {"dealer_id": card.dealer_id, "cards": []}
        )
        address = _card_address(card)
        row["cards"].append((card.audience, address.removeprefix("cards/"), card.failed))
        (place / address).parent.mkdir(parents=True, exist_ok=True)
        body = "" if card.failed else (card.folder / "page.html").read_text(encoding="utf-8")
        _write(place, address, "card.html.j2", bound, languages, body=body, card=card, dealer=row)
    groups: dict[str, list] = {}
    for row in sorted(
        rows.values(), key=lambda row: (row["account_manager"] == "", row["account_manager"])
    ):
        groups.setdefault(row["account_manager"], []).append(row)
    _write(place, "cards/index.html", "cards.html.j2", bound, languages, groups=groups, n=len(rows))


def _cut_dead_links(pages: Sequence[dict]) -> None:
    """Turn links to places that no page has into plain text.

    A table shows only some of its dealers.
    """
    there = {page["file"]: set(re.findall(r'\bid="([^"]*)"', page["body"])) for page in pages}

    def alive(link: str, here: str) -> bool:
        file, _, place = link.partition("#")
        return not place or place in there.get(file or here, ())

    for page in pages:
        page["body"] = re.sub(
            r'<a href="([^"]*)">(.*?)</a>',
            lambda m, here=page["file"]: m[0] if alive(m[1], here) else m[2],
            page["body"],
            flags=re.DOTALL,
        )
        for line in page["headlines"]:
            line["link"] = (
                line["link"]
                if alive(line["link"], page["file"])
                else line["link"].partition("#")[0]
            )


def _manifest(
    book: Workbook, period: str, language: str, fingerprint: str, pages: list, kept: list
) -> dict[str, Any]:
    return {
        "workbook": book.name,
        # finished pages lie beside the editions
        "settings": editions.settings_of(book, kept[0].folder.parents[1]),
        "period": period,
        "language": language,
        "languages": list(book.languages),
        "generated_data": book.generated,
        "data_fingerprint": fingerprint,
        "parameters": pages[0]["parameters"],
        "printed": dt.datetime.now().astimezone().isoformat(timespec="seconds"),
        "versions": versions(),
        "pages": [
            {
                "name": page["name"],
                "title": page["title"],
                "key": made.folder.name,
                "seconds": page["seconds"],
                "kept": made.kept,
                "tables": page["tables"],
            }
            for page, made in zip(pages, [made for made in kept if not made.dealer_id], strict=True)
        ],
        "cards": [
            {
                "dealer_id": card.dealer_id,
                "audience": card.audience,
                "key": card.folder.name,
                "failed": card.failed,
            }
            for card in kept
            if card.dealer_id
        ],
    }


def _write(
    place: Path, address: str, template: str, bound: Mapping, languages: Sequence[str], **facts: Any
) -> None:
    """Fill in a template of the edition, with a switch to the same page in the other languages.

    `address` is the page's, from its language's folder; `root` leads back there.
    """
    root = "../" * address.count("/")
    up = root + ("" if bound["language"] == languages[0] else "../")
    switch = [
        (name, LANGUAGE_NAMES[name], f"{up}{'' if name == languages[0] else name + '/'}{address}")
        for name in languages
    ]
    page = _environment().get_template(template)
    pdf_address = Path(address).with_suffix(".pdf").name if bound["pdf"] else ""
    text = page.render(
        **bound,
        **facts,
        here=address,
        root=root,
        switch=switch,
        css=_css(),
        pdf_address=pdf_address,
    )
    (place / address).write_text(text, encoding="utf-8")


def _html(rows: pd.DataFrame) -> str:
    from helpers import look

    return markup(look.table(rows, limit=len(rows))._repr_html_()) if len(rows) else ""


def _cell(value: float, column: str) -> str:
    """Write a number of the list of account managers: money short, counts whole."""
    return f"{value:,}" if column.startswith("n_") else words.money(value)


@functools.cache
def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(TEMPLATES / "edition")
    return jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)


@functools.cache
def _css() -> str:
    return (TEMPLATES / "edition" / "edition.css").read_text(encoding="utf-8")
