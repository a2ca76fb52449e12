"""The edition: pages without code from executed notebooks, the front page over them, and what lies
beside them.
"""

import collections
import dataclasses
import datetime as dt
import functools
import html
import importlib.metadata
import json
import platform
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from helpers import files, look, words
from helpers.press import editions, handed, living, manifests
from helpers.press.front_page import N_CHANGES, front_page, quality_line, sales_headlines
from helpers.press.page_body import TEMPLATES, markup
from helpers.settings import Workbook, refusal, scope_text

LANGUAGE_NAMES = {"en": "English", "zh-Hans": "简体中文", "zh-Hant": "繁體中文"}
# what is printed as it is, else a text between two tags
TEXT = re.compile(r"(<(style|script|code|pre|svg|head)\b.*?</\2>|<[^>]*>)|[^<]+", re.DOTALL)
PACKAGES = (
    "customer-workbook",
    "duckdb",
    "ibis-framework",
    "matplotlib",
    "nbconvert",
    "pandas",
    "papermill",
)


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
    `bound_of`. With `pdf` pages lead to their PDF, which whoever asks for it lays beside, and each
    language has its booklet, from which one is printed.
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
            "month": words.month_name(period),
            "period": period,
            "pages": pages,
            "say": words.say,
            "label": words.label,
            "fingerprint": fingerprint,
            "pdf": pdf,
            "booklet": handed.booklet_file(book.name, period)[:-5] + ".pdf" if pdf else "",
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
        bound["among"] = _among(book, len(dealers))
        bound["n_cards"] = len({card.dealer_id for card in cards})
        whole = editions.read_tables(place)
        links = _dealer_links(dealers, pages, cards)
        bound["offices"] = offices = _offices(whole, managers.with_keys(dealers, book), links)
        _require_apart(pages, offices, cards)
        printed = (card for card in cards if card.audience == "us" and not card.failed)
        living.lead(
            [*pages, *offices], {look.anchor(c.dealer_id): _card_address(c) for c in printed}
        )
        classed = living.classed(dealers, whole)
        for page in pages:
            page["body"] = living.fold(page["body"])
            told = living.facts(page["body"], classed, links)
            _write(
                place,
                page["file"],
                "page.html.j2",
                bound,
                languages,
                page=page,
                body=page["body"],
                **told,
            )
        for office in offices:
            told = living.facts(office["body"], classed, links)
            told |= {"office": office, "unit": words.currency()}
            _write(place, office["file"], "manager.html.j2", bound, languages, **told)
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
                cells=_cells(offices, columns),
                **living.facts("", classed, links),
            )
        if cards:
            _write_cards(place, dealers, bound, languages, cards)
        found, tables = data_quality(book.whole)  # the data are everybody's
        _write(
            place,
            "data.html",
            "data.html.j2",
            bound,
            languages,
            found=_html(found),
            tables=_html(tables),
            quality=quality_line(found, tables),
            cover=[h["text"] for p in pages for h in p["headlines"] if h["place"] == "quality"],
            **living.facts("", classed, links),
        )
        front = front_page(
            pages,
            whole,
            period,
            sales=[]
            if book.has("sell_in")
            else sales_headlines(data.sold_out_months(book, period), period),
            dealers=links,
            managers={office["name"]: office for office in offices},
        )
        front["excel"] = handed.write_excel(place, whole, bound, front, dealers)
        front |= handed.changed(whole, bound, earlier)
        front["changed"] = front["changed"][:N_CHANGES]
        before = words.month_name(f"{int(period[:4]) - 1}{period[4:]}")
        told = {"title": shown.heading, "month": bound["month"], "before": before}
        told["unit"] = words.currency()
        front["note"] = words.say("front.note" if told["unit"] else "front.note_plain", **told)
        front["gap"] = " " if language == "en" else ""
        listed = look.DEALERS_PAGE in {page["file"] for page in pages}
        front["all_calls"] = "managers.html" if offices else look.DEALERS_PAGE if listed else ""
        _write(place, "index.html", "front.html.j2", bound, languages, **front)
        if pdf:
            facts = handed.booklet_facts(place, whole, bound, links)
            file = handed.booklet_file(book.name, period)
            _write(place, file, "booklet.html.j2", bound, languages, **facts, paper=_css("booklet"))
        manifest = _manifest(book, period, language, fingerprint, pages, shelves[language]) | {
            "made_of": made_of
        }
        (place / "manifest.json").write_text(
            json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8"
        )


def _among(book: Workbook, n_dealers: int) -> list[str]:
    """Say among whom a scope's dealers are compared, and what is left out of it."""
    if not book.scope:
        return []
    left = [words.say("scope.left_out", table=words.word(name)) for name in book.left_out]
    return [words.say("scope.among", n=n_dealers), *left]


def bound_of(folder: Path) -> str:
    """Say what an edition was made of, as `write_edition` was told.

    "" where there is none, or it is not whole.
    """
    manifest = manifests.manifest_of(folder) or {}
    made_of = manifest.get("made_of")
    return made_of if isinstance(made_of, str) and (folder / "index.html").is_file() else ""


def write_list(folder: Path, book: Workbook, language: str) -> None:
    """Write the list of a workbook's editions, the latest first."""
    words.speak(language, book.currency)
    rows = []
    for period in reversed(editions.editions(folder, book.name)):
        manifest = manifests.manifest_of(folder / period) or {}
        rows.append(
            {
                "period": period,
                "month": words.month_name(period),
                **{k: manifest[k] for k in ("pages", "printed")},
            }
        )
    editions.write_list(folder, _list_page(_shown(book), language, rows))


def _list_page(shown: Workbook, language: str, rows: Sequence[Mapping]) -> str:
    template = _environment().get_template("list.html.j2")
    return template.render(
        book=shown,
        language=language,
        editions=rows,
        say=words.say,
        css=_css(),
        policy=living.policy(""),
        names=LANGUAGE_NAMES,
    )


def write_scopes(folder: Path, book: Workbook, language: str) -> None:
    """List the scopes of which a workbook has editions, each with its last one."""
    words.speak(language, book.currency)
    rows = []
    for place in sorted(folder.glob("*/")):
        for period in editions.editions(place, book.name)[-1:]:
            manifest = manifests.manifest_of(place / period) or {}
            of = book.whole.only(manifest.get("scope", ""))
            rows.append(
                {
                    "period": f"{place.name}/{period}",
                    "month": words.fitting(f"{of.about} · {words.month_name(period)}"),
                    **{k: manifest[k] for k in ("pages", "printed")},
                }
            )
    rows.sort(key=lambda row: row["month"])
    editions.write_list(folder, _list_page(_shown(book.whole), language, rows))


def _shown(book: Workbook) -> Workbook:
    """Give a workbook whose names fit on a page."""
    return dataclasses.replace(
        book, **{n: words.fitting(getattr(book, n)) for n in ("title", "title_zh", "brand")}
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
    found = checks.findings(book)
    places = zip(found["table"], found["file"], found["line"], strict=True)
    named = [_place(file or data.source_name(book, table), line) for table, file, line in places]
    found.insert(1, "source", named)
    return found.drop(columns=["file", "line"]), pd.DataFrame(rows)


def _place(file: str, line: int) -> str:
    """Say where in a file an example stands."""
    return words.say("check.place", file=file, line=line) if line else file


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
    """Copy a page's tables and notebook into the edition and gather what is told about
    it.
    """
    meta = json.loads((shelf_folder / "meta.json").read_text(encoding="utf-8"))
    for folder in ("notebooks", "tables"):
        (place / folder).mkdir(exist_ok=True)
    shutil.copy(shelf_folder / "notebook.ipynb", place / "notebooks" / f"{name}.ipynb")
    tables = sorted((shelf_folder / "tables").glob("*.csv"))
    for table in tables:
        if (there := place / "tables" / table.name).exists():
            raise refusal("table_twice", notebook=name, table=table.stem)
        shutil.copy(table, there)
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
        "note": look.first_note(body),
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


def _dealer_links(
    dealers: pd.DataFrame, pages: Sequence[Mapping], cards: Sequence[editions.Printed]
) -> dict[str, str]:
    """Tell where each dealer is explained: the own card, else a row of the page that has it."""
    there = {page["file"]: page["body"] for page in pages}
    known = set(re.findall(r'\bid="(dealer-[^"]*)"', there.get(look.DEALERS_PAGE, "")))
    links = {
        dealer_id: f"{look.DEALERS_PAGE}#{look.anchor(dealer_id)}"
        for dealer_id in dealers["dealer_id"]
        if look.anchor(dealer_id) in known
    }
    return links | {card.dealer_id: _card_address(card) for card in cards if card.audience == "us"}


def _offices(
    whole: Mapping[str, pd.DataFrame], dealers: pd.DataFrame, links: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Make the pages per account manager.

    A dealer's name leads to the own card, or to where the dealer is explained.
    """
    from helpers.press import managers

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
        # who is in no table of dealers is named by the id
        nobody = {"dealer_name": words.fitting(card.dealer_id), "city": "", "account_manager": ""}
        told = known.get(card.dealer_id, nobody)
        row = rows.setdefault(card.dealer_id, told | {"dealer_id": card.dealer_id, "cards": []})
        address = _card_address(card)
        row["cards"].append((card.audience, address.removeprefix("cards/"), card.failed))
        (place / address).parent.mkdir(parents=True, exist_ok=True)
        body = "" if card.failed else (card.folder / "page.html").read_text(encoding="utf-8")
        body = living.still(body)
        _write(place, address, "card.html.j2", bound, languages, body=body, card=card, dealer=row)
    groups: dict[str, list] = {}
    for row in sorted(
        rows.values(), key=lambda row: (row["account_manager"] == "", row["account_manager"])
    ):
        groups.setdefault(row["account_manager"], []).append(row)
    told = {"groups": groups, "n": len(rows), "script": living.script()}
    _write(place, "cards/index.html", "cards.html.j2", bound, languages, **told)


def _manifest(
    book: Workbook, period: str, language: str, fingerprint: str, pages: list, kept: list
) -> dict[str, Any]:
    return {
        "workbook": book.name,
        # finished pages lie beside the editions
        "settings": manifests.settings_of(book, kept[0].folder.parents[1]),
        "period": period,
        "language": language,
        "languages": list(book.languages),
        "scope": scope_text(book.scope),
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
    facts = {"script": "", "living": "", "dealers": "", **facts}
    # what is handed on by itself has a PDF of its own
    own = template in ("manager.html.j2", "card.html.j2")
    pdf_file = Path(address).with_suffix(".pdf").name if own else root + bound["booklet"]
    pdf_address = pdf_file if bound["pdf"] else ""
    text = page.render(
        **bound,
        **facts,
        here=address,
        root=root,
        switch=switch,
        css=_css(),
        policy=living.policy(facts["script"]),
        pdf_address=pdf_address,
    )
    (place / address).write_text(living.fitted(unbroken(text)), encoding="utf-8")


def unbroken(page: str) -> str:
    """Keep each number on a page on one line with its unit; code and styles are left alone.

    >>> unbroken('<p title="5 days">5 days<code>5 days</code></p>').count(words.NO_BREAK)
    1
    """
    return TEXT.sub(lambda found: found[1] or words.bound(found[0]), page)


def _html(rows: pd.DataFrame) -> str:
    from helpers import look

    return markup(look.table(rows, limit=len(rows))._repr_html_()) if len(rows) else ""


def _cells(offices: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[list[str]]:
    """Write the list of account managers: money short, counts whole; each column alike."""
    written = []
    for column in columns:
        values = [office[column] for office in offices]
        is_count = column.startswith("n_")
        written.append([f"{n:,}" for n in values] if is_count else words.amounts(values))
    return [list(row) for row in zip(*written, strict=True)]


@functools.cache
def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(TEMPLATES / "edition")
    return jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)


@functools.cache
def _css(name: str = "edition") -> str:
    return (TEMPLATES / "edition" / f"{name}.css").read_text(encoding="utf-8")
