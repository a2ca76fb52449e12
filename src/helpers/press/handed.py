"""What of an edition is handed on: the booklet, the Excel workbook, and which pages are printed by
themselves.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import words
from helpers.press import booklet, diff, editions, excel, summary

# sheets in the order in which the month is gone through; what is not named follows, page by page
SHEETS = (
    *("call_list", "chances", "plan", "plan_proposed", "month_standing", "month_groups"),
    *("month_dealers", "losses", "stop_supply", "receivables", "abc_pareto", "abc_groups"),
    *("movements", "dealer_profit", "earns_less", "inventory_age", "channel", "stuffed_models"),
    *("dead_stock", "move_proposal"),
)
# of the method, or for reckoning on: last
METHOD = (
    *("month_bridge", "targets_reached", "claims", "claims_scored", "number_of_groups"),
    *("brand_comparison", "demographics", "dealer_factors", "consumer_group_model"),
)


# ---- the Excel workbook --------------------------------------------------------------------------


def sheet_order(tables: Sequence[str]) -> list[str]:
    """Put tables in the order in which a manager goes through a month.

    >>> sheet_order(["claims", "rfm", "receivables", "call_list"])
    ['call_list', 'receivables', 'rfm', 'claims']
    """
    between = [name for name in tables if name not in (*SHEETS, *METHOD)]
    return [
        *(name for name in SHEETS if name in tables),
        *between,
        *(name for name in METHOD if name in tables),
    ]


def write_excel(
    place: Path,
    whole: Mapping[str, pd.DataFrame],
    bound: Mapping[str, Any],
    front: Mapping[str, Any],
    dealers: pd.DataFrame,
) -> str:
    """Write an edition's tables as one Excel workbook behind a summary, and name its file.

    Parameters
    ----------
    whole
        All tables of the edition, by name.
    front
        As `front_page.front_page` gives it: what the summary says.
    dealers
        `dealer_id`, `dealer_name`, in the reader's language.
    """
    book, pages = bound["book"], bound["pages"]
    titles = {Path(table).stem: page["title"] for page in pages for table in page["tables"]}
    tables = {name: whole[name] for name in sheet_order(list(titles))}
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
        currency=words.currency(),
        notes=notes,
        pages=titles,
        names=summary.names(tables, dealers),
        summary=summary.summary(
            tables,
            bound["period"],
            front,
            {office["name"]: office["contact"] for office in bound["offices"]},
        ),
    )
    return file


def changed(
    tables: Mapping[str, pd.DataFrame], bound: Mapping[str, Any], earlier: Path | None
) -> dict[str, Any]:
    """Say what changed in an edition's tables since the one before: `since` when, and `changed`."""
    pages = bound["pages"]
    own = [Path(table).stem for page in pages for table in page["tables"]]
    before = editions.read_tables(earlier, bound["language"]) if earlier else None
    lines = diff.headlines(before, {name: tables[name] for name in own})
    there = {page["file"] for page in pages}
    return {
        "since": words.say("diff.since", month=words.month_name(earlier.name)) if earlier else "",
        "changed": [
            line | {"link": line["link"] if line["link"] in there else ""} for line in lines
        ],
    }


# ---- paper ---------------------------------------------------------------------------------------


def booklet_file(name: str, period: str) -> str:
    """Name the booklet as it is before it is printed; its PDF has the same name."""
    return f"{name}-{period}.html"


def booklet_facts(
    place: Path,
    whole: Mapping[str, pd.DataFrame],
    bound: Mapping[str, Any],
    links: Mapping[str, str],
) -> dict[str, Any]:
    """Gather what the booklet shows: `parts`, `entries` of its contents, and `calls`.

    Front page, calls, account managers and pages, in this order; a dealer's card is none of it, and
    stays a page to hand on by itself.
    """
    offices, pages = bound["offices"], bound["pages"]
    parts = [booklet.Part("front", words.say("report.front"), "index.html", kind="front")]
    if offices:
        title = words.say("managers.title")
        parts.append(booklet.Part("managers", title, "managers.html", kind="list"))
    parts += [
        booklet.Part(f"m{i}", office["name"], office["file"], 2, "manager office")
        for i, office in enumerate(offices, 1)
    ]
    parts += [
        booklet.Part(f"p{i}", f"{page['number']} {page['title']}".strip(), page["file"])
        for i, page in enumerate(pages, 1)
    ]
    parts.append(booklet.Part("data", words.say("report.data"), "data.html", kind="list"))
    made, entries = booklet.composed(place, parts, links)
    calls = booklet.calls(whole, made)
    if calls:
        entries.insert(1, booklet.Entry(1, words.say("report.calls"), "calls"))
    return {"parts": made, "entries": entries, "calls": calls}


def on_paper(edition: Path) -> list[Path]:
    """List what of an edition is printed: the booklets, and what is handed on by itself.

    These are the account managers' pages and the dealers' cards; every other page is part of its
    booklet.
    """
    pages = sorted(edition.rglob("*.html"))
    return [
        page
        for page in pages
        if page.name.startswith("manager-")
        or ("cards" in page.relative_to(edition).parts and page.name != "index.html")
        or booklet.is_one(page)
    ]


def clear_booklets(edition: Path) -> None:
    """Remove the booklets as they were before they were printed: their PDFs are what is read."""
    for page in edition.rglob("*.html"):
        if booklet.is_one(page):
            page.unlink()


def mark_missing(folder: Path, failed: Mapping[str, str]) -> None:
    """Have an edition say which of its PDFs are missing, and why.

    Where one would be led to it, and in its manifest.

    `failed` gives reasons by the addresses of what could not be printed. What the edition is made
    of is forgotten: the next run tries again.
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
        missing = f'<span class="missing">{words.say("report.pdf_missing")}</span>'
        lost = {(language / address).with_suffix(".pdf") for address in mine}
        others = [place for place in folders if place != language and place != folder]
        for page in language.rglob("*.html") if lost else ():
            if any(page.is_relative_to(place) for place in others):
                continue

            def led(
                found: re.Match, here: Path = page.parent, lost: set = lost, said: str = missing
            ) -> str:
                return said if Path(os.path.normpath(here / found[1])) in lost else found[0]

            text = page.read_text(encoding="utf-8")
            marked = re.sub(r'<a href="([^":#]*\.pdf)">[^<]*</a>', led, text)
            if marked != text:
                page.write_text(marked, encoding="utf-8")
        manifest |= {"missing_pdfs": mine, "made_of": ""}
        (language / "manifest.json").write_text(
            json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8"
        )
