"""Reports: what a notebook hands over to its page, and the run that turns notebooks into an
edition.
"""

import contextlib
import functools
import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from helpers import files, words
from helpers.press import editions, manifests, pages, printing
from helpers.settings import Workbook, refusal

PLACES = ("verdict", "tile", "change", "call", "quality")
TONES = ("", "good", "bad")
RUN_SECONDS = 6 * 3600  # a run that takes longer has met something that no waiting will end


# ---- what a notebook hands over ------------------------------------------------------------------


def publish(name: str, table: pd.DataFrame) -> None:
    """Lay a table beside the page as `tables/<name>.csv`, for Excel and pandas alike.

    By hand, do nothing.

    The index is not written. Text that a spreadsheet would take for a formula gets a leading
    apostrophe.

    Raises
    ------
    ValueError
        If the name is no plain word.
    """
    if not re.fullmatch(r"\w[\w-]*", name):
        raise ValueError(
            f"publish: {name!r} becomes a file name; use letters, digits, - and _ only"
        )
    if page := os.environ.get("WORKBOOK_PAGE"):
        (Path(page) / "tables").mkdir(parents=True, exist_ok=True)
        files.write_table(Path(page) / "tables" / f"{name}.csv", table)


def published(book: Workbook, period: str, name: str) -> pd.DataFrame:
    """Read a table back from an edition that exists; ids are text.

    Raises
    ------
    DataError
        If there is no such edition, or no such table in it; what exists is named.
    """
    folder = editions.require_edition(editions.base(book), period, book.name) / "tables"
    if not (folder / f"{name}.csv").is_file():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.csv")))
        known = known or words.message("refused.none_at_all")
        raise refusal("edition_lacks", period=period, name=name, known=known)
    return files.read_table(folder / f"{name}.csv")


def previous(book: Workbook, period: str, name: str) -> pd.DataFrame:
    """Read a table of the last edition before a period.

    No rows where there is no such edition or table.
    """
    before = editions.earlier(editions.base(book), period, book.name)
    there = before and (editions.base(book) / before / "tables" / f"{name}.csv").is_file()
    return published(book, before, name) if there else pd.DataFrame()


def headline(
    place: str,
    text: str,
    *,
    label: str = "",
    change: str = "",
    tone: str = "",
    trend: Iterable[float] = (),
    link: str = "",
) -> None:
    """Hand a headline to the front page; by hand, do nothing.

    All texts come formatted, in the page's language.

    Parameters
    ----------
    place
        verdict (a sentence), tile (a value), change (a sentence), call (why to call a dealer) or
        quality (a sentence).
    label
        Of a tile, what is measured; of a call, the dealer's name.
    change
        Of a tile: its value against the last edition or year; `tone` says whether that is good or
        bad. Without it the front page does not show the tile. Of a verdict: the reason.
    trend
        Of a tile: numbers for a small curve, oldest first.
    link
        Where the reader finds more, e.g. `03_abc_pareto.html#dealer-D0012`.

    Raises
    ------
    ValueError
        If there is no such place or tone.
    """
    if place not in PLACES or tone not in TONES:
        raise ValueError(
            f"headline: {place!r} {tone!r}; places are {', '.join(PLACES)}, tones good, bad or "
            "empty"
        )
    if page := os.environ.get("WORKBOOK_PAGE"):
        numbers = [float(number) for number in trend if not pd.isna(number)]
        line = {
            "place": place,
            "text": text,
            "label": label,
            "change": change,
            "tone": tone,
            "link": link,
        }
        with (Path(page) / "headlines.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line | {"trend": numbers}, ensure_ascii=False) + "\n")


def headlines(lines: Iterable[Mapping]) -> None:
    """Hand several headlines to the front page, each a dict of `headline`'s arguments."""
    for line in lines:
        headline(**line)


# ---- the run -------------------------------------------------------------------------------------


class Edition(NamedTuple):
    """A published edition.

    Its front page, its month, the seconds each page took (none: it was kept), what is missing.

    `seconds` are by (name, language) and hold no cards; `missing` are the reasons of cards that
    failed, `missing_pdfs` those of pages that could not be put on paper.
    """

    index: Path
    period: str
    seconds: dict[tuple[str, str], float | None]
    missing: list[str]
    missing_pdfs: list[str]


def print_edition(
    book: Workbook,
    period: str = "",
    *,
    languages: Sequence[str] | None = None,
    only: Iterable[str] = (),
    cards: int | str | Sequence[str] = (),
    audiences: Sequence[str] = ("us",),
    workers: int | None = None,
    seconds: float = RUN_SECONDS,
    pdf: bool = False,
    archive: bool = False,
    out: str | Path | None = None,
    notebooks: Path | None = None,
    executor: Executor | None = None,
) -> Edition:
    """Print a month's edition and put it in its place, whole; finished pages are used again.

    An edition that stands there already, made of the same, is left as it is.

    Parameters
    ----------
    only
        Names of notebooks, with or without number. A part of an edition is a draft: it goes to
        `<period>-draft/`.
    cards
        Whose cards are printed too: a number of dealers, the largest first, "all", "called" (who
        is on the call list), or ids of dealers. A card that fails is marked as missing.
    audiences
        For whom: us, or the dealer himself, or both.
    workers, executor
        Pages printed at the same time (all cores where not given), and where; see
        `printing.print_pages`.
    seconds
        For the whole run; what is not finished by then fails.
    pdf, archive
        Whether each language is also printed as one PDF, and what is handed on by itself (account
        managers' pages, dealers' cards) as one of its own; and all is packed into one zip, to mail.
    out, notebooks
        Folders instead of the project's `reports/<name>/` and `notebooks/`.

    Raises
    ------
    DataError
        If anything asked for does not exist, or something that is not ours stands where the edition
        goes (told before anything runs), a page fails, or the disk is full; then nothing is
        published, and the edition before stays whole. What people laid into it, or changed in it,
        is kept aside when another takes its place.
    """
    from helpers import data
    from helpers.press import edition, handed
    from helpers.press.pdf import require_browser, write_pdfs

    ends, notebooks = time.time() + seconds, notebooks or book.notebooks
    book = data.in_scope(book)
    chosen = pages.notebooks_asked_for(notebooks, only)
    languages = pages.require_languages(languages or book.languages)
    audiences = pages.require_audiences(audiences)
    if pdf:
        require_browser()
    for notebook in chosen:
        pages.require_parameters(book, notebook)
    pages.require_notebooks(book, notebooks)
    period = data.require_period(book, pages.require_month(period))
    folder = editions.base(book, out)
    name = f"{period}-draft" if list(only) else period
    editions.require_own(folder, name, book)
    missing_pdfs: dict[str, str] = {}
    with _disk_told(), editions.claimed(folder, name) as work:
        data.prepare(book)
        wanted = pages.dealers_asked_for(book, period, cards)
        made_of = pages.ingredients(book, folder, period)
        asked = pages.ready_pages(book, chosen, languages, period, made_of)
        if wanted:
            card = pages.card_notebook(book, notebooks)
            asked += pages.ready_pages(book, [card], languages, period, made_of, wanted, audiences)
        print_all = functools.partial(
            printing.print_pages,
            folder=folder,
            work=work,
            fingerprint=made_of["data"],
            workers=workers,
            limits=printing.usual_limits(ends),
            executor=executor,
        )
        printed = print_all(asked)
        has_card = cards == pages.CALLED and pages.has_card(notebooks)
        if has_card and (wanted := pages.called_dealers(asked, folder)):
            card = pages.card_notebook(book, notebooks)
            called = pages.ready_pages(book, [card], languages, period, made_of, wanted, audiences)
            more, asked = print_all(called), asked + called
            printed = printing.Printed(printed.seconds | more.seconds, printed.failed | more.failed)
        bound_of = pages.digest_of(
            [tuple(page)[1:3] for page in asked], sorted(printed.failed), pdf, archive
        )
        stands = bound_of == edition.bound_of(folder / name) and manifests.is_whole(folder / name)
        if not stands:  # else what stands there is whole, and made of the same
            new, before = work / "edition", editions.earlier(folder, period, book.name)
            edition.write_edition(
                new,
                book,
                period,
                languages,
                _by_language(asked, folder, printed),
                made_of["data"],
                folder / before if before else None,
                bound_of,
                pdf,
            )
            if pdf:
                missing_pdfs = write_pdfs(
                    new,
                    folder / ".pdfs",
                    asked=handed.on_paper(new),
                    fonts=data.cache_of(book) / "fonts",
                    workers=workers,
                    ends=ends,
                ).failed
                handed.clear_booklets(new)
                if missing_pdfs:
                    handed.mark_missing(new, missing_pdfs)
            manifests.seal(new, f"{book.name}-{name}.zip" if archive else "")
            if archive:
                editions.pack(new, f"{book.name}-{name}")
            editions.put(new, folder / name)
            editions.prune(folder)
        if not stands or not (folder / "index.html").exists():
            edition.write_list(folder, book, languages[0])
    known = {
        (page.name, page.language): printed.seconds.get(page.key)
        for page in asked
        if not page.dealer_id
    }
    told = [f"--pdf: {address}: {reason}" for address, reason in missing_pdfs.items()]
    return Edition(folder / name / "index.html", period, known, list(printed.failed.values()), told)


def _by_language(
    asked: Iterable[pages.Page], folder: Path, printed: printing.Printed
) -> dict[str, list[editions.Printed]]:
    """Group pages by language, as they are bound."""
    found: dict[str, list[editions.Printed]] = {}
    for page in asked:
        made = editions.Printed(
            page.name,
            folder / ".pages" / page.key,
            printed.seconds.get(page.key) is None,
            page.dealer_id,
            page.audience,
            printed.failed.get(page.key, ""),
        )
        found.setdefault(page.language, []).append(made)
    return found


@contextlib.contextmanager
def _disk_told() -> Iterator[None]:
    """Say in plain words that a disk is full, or may not be written to."""
    try:
        yield
    except Exception as error:
        if not (reason := files.disk_reason(error)):
            raise
        raise refusal("disk", reason=reason) from None
