"""Pages to print: what is asked for, refused before anything runs, and the key that says what a
page is made of.
"""

import hashlib
import importlib
import json
import platform
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from helpers import files, look, periods, words
from helpers.look.svg import road
from helpers.press import editions
from helpers.settings import (
    GIVEN_BY_THE_RUN,
    NUMBERED,
    PACKAGE,
    SHIPPED,
    DataError,
    Workbook,
    nearest,
    options_in_force,
    own_table,
    question_of,
    refusal,
    scope_text,
)

CARD = "dealer_card"  # printed per dealer
CALLED = "called"  # whose cards are printed where nobody asks for others
CALL_LIST = "call_list.csv"
APART = (CARD, "workshop")  # in no edition
# rooms whose rules stand on another's page: that of the classes prints the calls
ON_THE_PAGE_OF = {"abc_pareto": ("calls",)}
# question → its room, loaded where a toml has options of it
RECIPES = {
    "abc_pareto": "pareto",
    "dealer_profit": "profit",
    "receivables": "receivables",
    "fishbone": "fishbone",
    "inventory_age": "inventory",
    "month": "result",
    "consumer_groups": "consumers",
    "segmentation": "segmentation",
}
# who reads a card: cells tagged for-us or for-dealer are left out for the other
AUDIENCES = ("us", "dealer")
WRITTEN_BY_PEOPLE = ("plan.csv", "overrides.csv", "targets.csv")


class Page(NamedTuple):
    """One notebook in one language, ready to be printed.

    A card also has a dealer and an audience.
    """

    name: str
    language: str
    key: str  # hash of all it is made of
    notebook: str  # JSON, without the cells that are left out
    parameters: dict[str, str | int | float]
    dealer_id: str = ""
    audience: str = ""
    project: str = "."  # the folder its notebook runs in

    def __str__(self) -> str:
        """Name it for a line of progress or of an error."""
        about = ", ".join(filter(None, [repr(self.dealer_id)[1:-1], self.audience, self.language]))
        return f"{self.name} ({about})"


def notebooks_asked_for(folder: Path, only: Iterable[str] = ()) -> list[Path]:
    """List the notebooks of an edition, sorted; `only` chooses among them.

    Raises
    ------
    DataError
        If there is none, or `only` names one that does not exist.
    """
    there = [p for p in sorted(folder.glob(NUMBERED)) if question_of(p.stem) not in APART]
    known = ", ".join(path.stem for path in there)
    if not there:
        raise refusal("nothing_to_print", folder=folder)
    asked = {
        name: [path for path in there if name in (path.stem, question_of(path.stem), path.name)]
        for name in only
    }
    for name, found in asked.items():
        if not found:
            raise refusal("only_unknown", name=name, known=known)
    return sorted({path for found in asked.values() for path in found}) if asked else there


def dealers_asked_for(book: Workbook, period: str, cards: int | str | Sequence[str]) -> list[str]:
    """List the dealers whose cards are printed.

    The largest so many, all of the window, or the ids given, of who ever bought or paid.

    Where nothing tells of each dealer, a number of them is none; who is called is only known when
    the pages are printed (`called_dealers`).

    Raises
    ------
    DataError
        If an id is no dealer who bought or paid up to the window's end.
    """
    from helpers import data

    if not cards or cards == CALLED:
        return []
    if isinstance(cards, int | str) and not data.has(book, data.JUDGED_BY):
        return []
    known = data.dealers_by_size(book, period)
    if cards == "all" or isinstance(cards, int):
        return known if cards == "all" else known[:cards]
    there = {*known, *data.dealer_months(book, period)["dealer_id"]}
    for dealer_id in cards:
        if dealer_id not in there:
            raise refusal(
                "card_unknown",
                dealer=dealer_id,
                end=periods.window(period).end,
                near=nearest(dealer_id, known),
            )
    return list(dict.fromkeys(cards))


def called_dealers(printed: Iterable[Page], folder: Path) -> list[str]:
    """List whom the pages of an edition call, from the finished pages in `folder`, in their order.

    Nobody where none of them prints the call list.
    """
    for page in printed:
        table = folder / ".pages" / page.key / "tables" / CALL_LIST
        if table.is_file():
            rows = files.read_table(table)
            return rows["dealer_id"].to_list() if "dealer_id" in rows else []
    return []


def has_card(folder: Path) -> bool:
    """Tell whether there is a notebook to print cards from."""
    return any(True for _ in _cards_of(folder))


def _cards_of(folder: Path) -> Iterator[Path]:
    return iter(sorted(folder.glob(f"[0-9][0-9]_{CARD}.ipynb")))


def card_notebook(book: Workbook, folder: Path) -> Path:
    """Give the notebook that cards are printed from.

    A DataError where there is none, or it lacks a parameter.
    """
    path = next(_cards_of(folder), None)
    if path is None:
        raise refusal("no_card_notebook", folder=folder, question=CARD)
    require_parameters(book, path, ("dealer_id", "audience"))
    return path


def require_audiences(audiences: Sequence[str]) -> list[str]:
    """Give the audiences, each once; a DataError where one is not known."""
    for audience in audiences:
        if audience not in AUDIENCES:
            raise refusal("audience", given=audience, known=", ".join(AUDIENCES))
    return list(dict.fromkeys(audiences))


def require_notebooks(book: Workbook, folder: Path) -> None:
    """Refuse a workbook that has parameters for a notebook that is not there, or an option that is
    not as its recipe expects it.
    """
    known = [question_of(path.stem) for path in sorted(folder.glob(NUMBERED))]
    for name in book.parameters:
        if name not in known:
            raise refusal("parameters_of_none", name=name, near=nearest(name, known))
        rooms = [RECIPES[name], *ON_THE_PAGE_OF.get(name, ())] if name in RECIPES else []
        for room in rooms:
            month = importlib.import_module(f"helpers.{room}.month")
            options_in_force(month.judge_month, book, {})


def parameters_of(book: Workbook, notebook: Path) -> dict:
    """Give what the workbook's toml tells a notebook, named there by its question."""
    return dict(book.parameters.get(question_of(notebook.stem), {}))


def require_parameters(book: Workbook, notebook: Path, more: Sequence[str] = ()) -> None:
    """Refuse a notebook whose cell tagged `parameters` does not declare all that the press passes
    on, and `more`.

    Raises
    ------
    DataError
        If one is missing: papermill would pass it on to nobody.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    tagged = ["".join(c["source"]) for c in cells if "parameters" in c["metadata"].get("tags", [])]
    declared = set(re.findall(r"^(\w+)\s*(?::[^=]+)?=", "\n".join(tagged), re.MULTILINE))
    told = [name for name in GIVEN_BY_THE_RUN if name != "scope" or book.scope]
    asked = (*told, *parameters_of(book, notebook), *more)
    if missing := [name for name in asked if name not in declared]:
        raise refusal("not_declared", notebook=notebook.name, missing=", ".join(missing))


def ready_pages(
    book: Workbook,
    notebooks: Iterable[Path],
    languages: Iterable[str],
    period: str,
    made_of: dict[str, str],
    dealer_ids: Sequence[str] = (),
    audiences: Sequence[str] = (),
) -> list[Page]:
    """Ready notebooks as pages in each language, for each dealer and audience where these are
    given.

    `made_of` are the `ingredients`. Pages of one notebook share its text: thousands of cards weigh
    no more than one.
    """
    made = []
    for language in languages:
        for path in notebooks:
            digest = digest_of_files(path)
            for audience in audiences or [""]:
                text = _notebook_text(book, path, period, language, audience)
                for dealer_id in dealer_ids or [""]:
                    given = parameters_of(book, path)
                    given |= {"dealer_id": dealer_id, "audience": audience} if dealer_id else {}
                    told = {
                        **made_of,
                        "notebook": digest,
                        "period": period,
                        "language": language,
                        "parameters": given,
                    }
                    key = digest_of(json.dumps(told, sort_keys=True))
                    parameters = {
                        **given,
                        "period": period,
                        "config": _told_path(book),
                        "language": language,
                        **({"scope": scope_text(book.scope)} if book.scope else {}),
                    }
                    page = Page(path.stem, language, key, text, parameters, dealer_id, audience)
                    made.append(page._replace(project=str(book.project)))
    return made


def _notebook_text(book: Workbook, path: Path, period: str, language: str, audience: str) -> str:
    """Read a notebook without the cells that a language or an audience does not get.

    A notebook is JSON, and read as such: the library that checks its form takes a second to load,
    which a run that finds all its pages finished does not need.
    """
    from helpers import data

    notebook = json.loads(path.read_text(encoding="utf-8"))
    left_out = {"interactive", "by-hand", "lang-zh" if language == "en" else "lang-en"}
    left_out |= {f"for-{other}" for other in AUDIENCES if audience and other != audience}
    cells = [
        cell for cell in notebook["cells"] if not left_out & set(cell["metadata"].get("tags", []))
    ]
    # what is refused afterwards is said in the language of who asked
    with words.speaking(language):
        needs = notebook["metadata"].get("workbook", {}).get("needs", [])
        missing = [name for name in needs if not data.tells(book, name, period)]
        missing = [
            name for name in missing if "." not in name or name.partition(".")[0] not in missing
        ]
        if missing:  # the question stays, one sentence stands for its answer
            named = [
                name.replace("|", words.translated(" or ", "\u2009或\u2009")) for name in missing
            ]
            said = words.say(
                "report.missing", tables=words.listed(named), n=len(missing), period=period
            )
            note = look.note(said)
            cells = [cells[0], {**cells[0], "id": f"{cells[0]['id']}-missing", "source": note}]
        for cell in cells:
            if cell["cell_type"] == "markdown":
                source = "".join(cell["source"])  # a text, or a list of its lines
                cell["source"] = words.translated(source, source)  # converts to Traditional only
    return json.dumps({**notebook, "cells": cells}, ensure_ascii=False)


def _told_path(book: Workbook) -> str:
    """Name the workbook's toml as a page is told it.

    The executed notebook need not say where the project lies.
    """
    inside = book.path.is_relative_to(book.project)
    return book.path.relative_to(book.project).as_posix() if inside else str(book.path)


def ingredients(book: Workbook, folder: Path, period: str) -> dict[str, str]:
    """Hash what every page of an edition is made of, besides its notebook and language.

    Earlier editions are among it, for a page may compare with their tables.
    """
    from helpers import data

    package = [f for f in PACKAGE.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    shared = sorted(words.REFERENCE.glob("*.csv"))
    own = [own_table(book.path, file.stem) or book.folder / file.name for file in shared]
    beside = [*own, *(book.folder / name for name in WRITTEN_BY_PEOPLE)]
    past = [name for name in editions.editions(folder, book.name) if name < period]
    return {
        "package": digest_of_files(*package, within=PACKAGE),
        "lock": digest_of_files(SHIPPED / "requirements.lock"),
        "python": platform.python_version(),
        "drawing": road(),
        "settings": digest_of_files(book.path),
        "reference": digest_of_files(*shared, *beside),
        "data": data.fingerprint(book),
        "earlier editions": digest_of_files(
            *(file for name in past for file in (folder / name / "tables").glob("*.csv"))
        ),
    }


def digest_of_files(*files: Path, within: Path | None = None) -> str:
    """Hash files by name and content, in any order; a missing one counts as missing.

    Those of a folder with further folders are named by where they lie `within` it.
    """
    return digest_of(
        sorted(
            (
                f.relative_to(within).as_posix() if within else f.name,
                hashlib.sha256(f.read_bytes()).hexdigest() if f.is_file() else "",
            )
            for f in files
        )
    )


def digest_of(*parts: object) -> str:
    """Hash what can be written down."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


def require_month(period: str) -> str:
    """Give the month asked for, or "" where none is; a DataError where it is malformed."""
    try:
        return periods.require_month(period) if period else ""
    except ValueError as error:
        raise DataError(str(error)) from None


def require_languages(languages: Sequence[str]) -> list[str]:
    """Give the languages, each once; a DataError where one is not known."""
    for language in languages:
        if language not in words.LANGUAGES:
            raise refusal("language_asked", given=language, known=", ".join(words.LANGUAGES))
    return list(dict.fromkeys(languages))
