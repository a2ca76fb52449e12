"""The press: what a notebook hands over, and the run that turns notebooks into an edition."""

import concurrent.futures
import hashlib
import json
import logging
import multiprocessing
import os
import platform
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from helpers import periods, shelf, words
from helpers.settings import GIVEN_BY_THE_RUN, ROOT, DataError, Workbook, nearest

NOTEBOOKS = ROOT / "notebooks"
IN_EDITIONS = "0[1-6]_*.ipynb"
CARD = "07_dealer_card"  # printed per dealer, on request
AUDIENCES = ("us", "dealer")  # who reads a card: cells tagged for-us or for-dealer are left out for the other
CELL_SECONDS = 300  # a cell that takes longer has lost its kernel
PLACES = ("verdict", "tile", "change", "call", "quality")
TONES = ("", "good", "bad")
WRITTEN_BY_PEOPLE = ("plan.csv", "overrides.csv")


# ---- what a notebook hands over ------------------------------------------------------------------------------------


def publish(name: str, table: pd.DataFrame) -> None:
    """Lay a table beside the page as `tables/<name>.csv`, for Excel and pandas alike; by hand, do nothing.

    The index is not written. Text that a spreadsheet would take for a formula gets a leading apostrophe.

    Raises
    ------
    ValueError
        If the name is no plain word.
    """
    if not re.fullmatch(r"\w[\w-]*", name):
        raise ValueError(f"publish: {name!r} becomes a file name; use letters, digits, - and _ only")
    if page := os.environ.get("WORKBOOK_PAGE"):
        (Path(page) / "tables").mkdir(parents=True, exist_ok=True)
        shelf.write_table(Path(page) / "tables" / f"{name}.csv", table)


def published(book: Workbook, period: str, name: str) -> pd.DataFrame:
    """Read a table back from an edition that exists; ids are text.

    Raises
    ------
    DataError
        If there is no such edition, or no such table in it; what exists is named.
    """
    folder = shelf.require_edition(shelf.base(book), period) / "tables"
    if not (folder / f"{name}.csv").is_file():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.csv"))) or "no table"
        raise DataError(f"{period}: the edition has no table {name!r}; it has {known}")
    return shelf.read_table(folder / f"{name}.csv")


def previous(book: Workbook, period: str, name: str) -> pd.DataFrame:
    """Read a table of the last edition before a period; no rows where there is no such edition or table."""
    before = shelf.earlier(shelf.base(book), period)
    there = before and (shelf.base(book) / before / "tables" / f"{name}.csv").is_file()
    return published(book, before, name) if there else pd.DataFrame()


def headline(
    place: str, text: str, *, label: str = "", change: str = "", tone: str = "", trend: Iterable[float] = (),
    link: str = "",
) -> None:  # fmt: skip
    """Hand a headline to the front page; by hand, do nothing. All texts come formatted, in the page's language.

    Parameters
    ----------
    place
        verdict (a sentence), tile (a value), change (a sentence), call (why to call a dealer) or quality (a sentence).
    label
        Of a tile, what is measured; of a call, the dealer's name.
    change
        Of a tile: its value against the last edition or year; `tone` says whether that is good or bad.
    trend
        Of a tile: numbers for a small curve, oldest first.
    link
        Where the reader finds more, e.g. `02_abc_pareto.html#dealer-D0012`.

    Raises
    ------
    ValueError
        If there is no such place or tone.
    """
    if place not in PLACES or tone not in TONES:
        raise ValueError(f"headline: {place!r} {tone!r}; places are {', '.join(PLACES)}, tones good, bad or empty")
    if page := os.environ.get("WORKBOOK_PAGE"):
        numbers = [float(number) for number in trend if not pd.isna(number)]
        line = {"place": place, "text": text, "label": label, "change": change, "tone": tone, "link": link}
        with (Path(page) / "headlines.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line | {"trend": numbers}, ensure_ascii=False) + "\n")


def headlines(lines: Iterable[Mapping]) -> None:
    """Hand several headlines to the front page, each a dict of `headline`'s arguments."""
    for line in lines:
        headline(**line)


# ---- the run -------------------------------------------------------------------------------------------------------


class Page(NamedTuple):
    """One notebook in one language, ready to be printed; a card also has a dealer and an audience."""

    name: str
    language: str
    key: str  # hash of all it is made of
    notebook: str  # JSON, without the cells that are left out
    parameters: dict[str, str | int | float]
    dealer_id: str = ""
    audience: str = ""

    def __str__(self) -> str:
        """Name it for a line of progress or of an error."""
        about = ", ".join(filter(None, [repr(self.dealer_id)[1:-1], self.audience, self.language]))
        return f"{self.name} ({about})"


class Edition(NamedTuple):
    """A published edition: its front page, its month, the seconds each page took (none: it was kept), what is missing.

    `seconds` are by (name, language) and hold no cards; `missing` are the reasons of cards that failed.
    """

    index: Path
    period: str
    seconds: dict[tuple[str, str], float | None]
    missing: list[str]


def print_edition(
    book: Workbook, period: str = "", *, languages: Sequence[str] | None = None, only: Iterable[str] = (),
    cards: int | str | Sequence[str] = (), audiences: Sequence[str] = ("us",), workers: int | None = None,
    out: str | Path | None = None, notebooks: Path = NOTEBOOKS,
) -> Edition:  # fmt: skip
    """Print a month's edition and put it in its place, whole; finished pages are used again.

    Parameters
    ----------
    only
        Names of notebooks, with or without number. A part of an edition is a draft: it goes to `<period>-draft/`.
    cards
        Whose cards are printed too: a number of dealers, the largest first, "all", or ids of dealers. A card that fails
        is marked as missing.
    audiences
        For whom: us, or the dealer himself, or both.
    workers
        Pages printed at the same time; all cores where not given.
    out
        Folder instead of `reports/<name>/`.

    Raises
    ------
    DataError
        If anything asked for does not exist (told before anything runs), or a page fails; then nothing is published.
    """
    from helpers import edition, read

    chosen = notebooks_asked_for(notebooks, only)
    languages = _require_languages(languages or book.languages)
    for notebook in chosen:
        require_parameters(book, notebook)
    _require_notebooks(book, notebooks)
    period = read.require_period(book, _require_month(period))
    folder = shelf.base(book, out)
    name = f"{period}-draft" if list(only) else period
    with shelf.claimed(folder, name) as work:
        read.prepare(book)
        wanted = dealers_asked_for(book, period, cards)
        made_of = ingredients(book, folder, period)
        pages = [ready_page(book, path, language, period, made_of) for language in languages for path in chosen]
        pages += [
            ready_page(book, _card(book, notebooks), language, period, made_of, dealer_id, audience)
            for language in languages for dealer_id in wanted for audience in _require_audiences(audiences)
        ]  # fmt: skip
        seconds, failed = _print_pages(pages, folder, work, workers)
        new = work / "edition"
        before = shelf.earlier(folder, period)
        edition.write_edition(new, book, period, languages, _bound(pages, folder, seconds, failed), made_of["data"],
                              folder / before if before else None)  # fmt: skip
        shelf.put(new, folder / name)
        edition.write_list(folder, book, languages[0])
        shelf.prune(folder)
    known = {(page.name, page.language): seconds.get(page.key) for page in pages if not page.dealer_id}
    return Edition(folder / name / "index.html", period, known, list(failed.values()))


def notebooks_asked_for(folder: Path, only: Iterable[str] = ()) -> list[Path]:
    """List the notebooks of an edition, sorted; `only` chooses among them.

    Raises
    ------
    DataError
        If there is none, or `only` names one that does not exist.
    """
    there = sorted(folder.glob(IN_EDITIONS))
    known = ", ".join(path.stem for path in there)
    if not there:
        raise DataError(f"{folder}: no notebook {IN_EDITIONS} to print")
    asked = {name: [path for path in there if name in (path.stem, path.stem[3:], path.name)] for name in only}
    for name, found in asked.items():
        if not found:
            raise DataError(f"--only {name}: no such notebook; there are {known}")
    return sorted({path for found in asked.values() for path in found}) if asked else there


def dealers_asked_for(book: Workbook, period: str, cards: int | str | Sequence[str]) -> list[str]:
    """List the dealers whose cards are printed: the largest so many, all of the window, or the ids given.

    Raises
    ------
    DataError
        If an id is no dealer of the window.
    """
    from helpers import read

    if not cards:
        return []
    known = read.dealers_by_size(book, period)
    if cards == "all" or isinstance(cards, int):
        return known if cards == "all" else known[:cards]
    there = set(known)
    for dealer_id in cards:
        if dealer_id not in there:
            window = periods.window(period)
            raise DataError(
                f"--card {dealer_id}: no dealer of that id bought or paid between {window.start} and {window.end}"
                f"{nearest(dealer_id, known)}; `tables/abc_pareto.csv` of an edition lists them all"
            )
    return list(dict.fromkeys(cards))


def _card(book: Workbook, folder: Path) -> Path:
    path = folder / f"{CARD}.ipynb"
    if not path.is_file():
        raise DataError(f"{folder}: no notebook {CARD}.ipynb to print cards from")
    require_parameters(book, path, ("dealer_id", "audience"))
    return path


def _require_audiences(audiences: Sequence[str]) -> list[str]:
    for audience in audiences:
        if audience not in AUDIENCES:
            raise DataError(f"--audience {audience}: not known; choose from {', '.join(AUDIENCES)}")
    return list(dict.fromkeys(audiences))


def _require_notebooks(book: Workbook, folder: Path) -> None:
    known = [name for path in sorted(folder.glob("[0-9][0-9]_*.ipynb")) for name in (path.stem, path.stem[3:])]
    for name in book.parameters:
        if name not in known:
            raise DataError(f"[parameters.{name}]: there is no such notebook{nearest(name, known)}")


def parameters_of(book: Workbook, notebook: Path) -> dict:
    """Give what the workbook's toml tells a notebook, which may be named there with its number or without."""
    return {**book.parameters.get(notebook.stem[3:], {}), **book.parameters.get(notebook.stem, {})}


def require_parameters(book: Workbook, notebook: Path, more: Sequence[str] = ()) -> None:
    """Refuse a notebook whose cell tagged `parameters` does not declare all that the press passes on, and `more`.

    Raises
    ------
    DataError
        If one is missing: papermill would pass it on to nobody.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    tagged = ["".join(c["source"]) for c in cells if "parameters" in c["metadata"].get("tags", [])]
    declared = set(re.findall(r"^(\w+)\s*(?::[^=]+)?=", "\n".join(tagged), re.MULTILINE))
    asked = (*GIVEN_BY_THE_RUN, *parameters_of(book, notebook), *more)
    if missing := [name for name in asked if name not in declared]:
        raise DataError(f"{notebook.name}: the cell tagged 'parameters' doesn't declare {', '.join(missing)}; add it")


def ready_page(
    book: Workbook, path: Path, language: str, period: str, made_of: dict[str, str], dealer_id: str = "",
    audience: str = "",
) -> Page:  # fmt: skip
    """Leave out what a language or an audience does not get, and name the page by the hash of all it is made of."""
    import nbformat

    from helpers import read

    notebook = nbformat.read(path, as_version=4)
    left_out = {"interactive", "by-hand", "lang-zh" if language == "en" else "lang-en"}
    left_out |= {f"for-{other}" for other in AUDIENCES if audience and other != audience}
    notebook.cells = [c for c in notebook.cells if not left_out & set(c.metadata.get("tags", []))]
    words.speak(language, book.currency)
    missing = [name for name in notebook.metadata.get("workbook", {}).get("needs", []) if not read.has(book, name)]
    if missing:  # the question stays, one sentence stands for its answer
        said = words.say("report.missing", tables=words.listed(missing), n=len(missing))
        notebook.cells = [notebook.cells[0], nbformat.v4.new_markdown_cell(said)]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = words.translated(cell.source, cell.source)  # converts to Traditional only
    inside = book.path.is_relative_to(ROOT)  # the executed notebook should not tell where the project lies
    config = book.path.relative_to(ROOT).as_posix() if inside else str(book.path)
    given = parameters_of(book, path) | ({"dealer_id": dealer_id, "audience": audience} if dealer_id else {})
    told = {**made_of, "notebook": _digest(path), "period": period, "language": language, "parameters": given}
    key = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:20]
    parameters = {**given, "period": period, "config": config, "language": language}
    return Page(path.stem, language, key, nbformat.writes(notebook), parameters, dealer_id, audience)


def ingredients(book: Workbook, folder: Path, period: str) -> dict[str, str]:
    """Hash what every page of an edition is made of, besides its notebook and language.

    Earlier editions are among it, for a page may compare with their tables.
    """
    from helpers import read

    package = [f for f in Path(__file__).parent.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    shared = sorted(words.REFERENCE.glob("*.csv"))
    beside = [book.folder / name for name in (*(file.name for file in shared), *WRITTEN_BY_PEOPLE)]
    editions = [name for name in shelf.editions(folder) if name < period]
    return {
        "package": _digest(*package),
        "lock": _digest(ROOT / "requirements.lock"),
        "python": platform.python_version(),
        "settings": _digest(book.path),
        "reference": _digest(*shared, *beside),
        "data": read.fingerprint(book),
        "earlier editions": _digest(*(file for name in editions for file in (folder / name / "tables").glob("*.csv"))),
    }


def _digest(*files: Path) -> str:
    """Hash files by name and content, in any order; a missing one counts as missing."""
    parts = sorted((f.name, hashlib.sha256(f.read_bytes()).hexdigest() if f.is_file() else "") for f in files)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _require_month(period: str) -> str:
    try:
        return periods.require_month(period) if period else ""
    except ValueError as error:
        raise DataError(str(error)) from None


def _require_languages(languages: Sequence[str]) -> list[str]:
    for language in languages:
        if language not in words.LANGUAGES:
            raise DataError(f"--language {language}: not known; choose from {', '.join(words.LANGUAGES)}")
    return list(dict.fromkeys(languages))


# ---- workers -------------------------------------------------------------------------------------------------------

_worker = {"slot": 0}


def _print_pages(pages: list[Page], folder: Path, work: Path, workers: int | None) -> tuple[dict, dict]:
    """Print the pages that are not on the shelf yet.

    Gives, by key, the seconds each took (None for one that was kept) and the reasons of the cards that failed.
    """
    seconds: dict[str, float | None] = {}
    missing = []
    for page in pages:
        if (kept := folder / ".pages" / page.key).is_dir():
            os.utime(kept)
            seconds[page.key] = None
            _tell(f"{page}  kept")
        else:
            missing.append(page)
    if not missing:
        return seconds, {}
    context = multiprocessing.get_context("spawn")  # a fork would carry open engines and locks along
    bars, lock, slots = sys.stderr.isatty(), context.RLock(), context.Value("i", 0)
    if bars:
        from tqdm import tqdm

        tqdm.set_lock(lock)  # one lock for all who write to the terminal
    before = multiprocessing.active_children()
    executor = concurrent.futures.ProcessPoolExecutor(
        min(workers or os.cpu_count() or 1, len(missing)), context, _start_worker, (lock, slots)
    )
    with executor:
        try:
            futures = {executor.submit(_print_page, page, folder, work, bars): page for page in missing}
            printed, failed = _gathered(futures, executor)
        except KeyboardInterrupt:
            executor.shutdown(wait=False, cancel_futures=True)
            for process in set(multiprocessing.active_children()) - set(before):
                process.terminate()
            raise
    return seconds | printed, failed


def _gathered(futures: dict, executor: concurrent.futures.Executor) -> tuple[dict, dict]:
    """Wait for pages; after the first that fails no further one is begun, and all that failed are named.

    A card that fails stops nobody.
    """
    seconds, failed, cards = {}, [], {}
    for future in concurrent.futures.as_completed(futures):
        page, reason = futures[future], ""
        try:
            seconds[page.key] = future.result()
            _tell(f"{page}  {future.result():.1f} s")
        except concurrent.futures.CancelledError:
            continue
        except concurrent.futures.process.BrokenProcessPool:
            reason = f"{page}: the process that printed it died; was there enough memory?"
        except DataError as error:
            reason = str(error)
        if reason and page.dealer_id:
            cards[page.key] = reason
            _tell(f"{page}  failed")
        elif reason:
            failed.append(reason)
            executor.shutdown(wait=False, cancel_futures=True)
    if failed:
        raise DataError("\n".join([*dict.fromkeys(failed), "nothing is published; an earlier edition is as it was"]))
    return seconds, cards


def _tell(line: str) -> None:
    if sys.stderr.isatty():
        from tqdm import tqdm

        tqdm.write(line, file=sys.stderr)
    else:
        print(line, file=sys.stderr, flush=True)


def _start_worker(lock, slots) -> None:
    """Give a worker its line for progress, and let it and its kernel end with the run, however that ends."""
    from tqdm import tqdm

    tqdm.set_lock(lock)
    with slots.get_lock():
        _worker["slot"] = slots.value
        slots.value += 1
    threading.Thread(target=_end_with_the_run, daemon=True).start()


def _end_with_the_run() -> None:
    import psutil

    multiprocessing.parent_process().join()
    for child in psutil.Process().children(recursive=True):
        child.kill()
    os._exit(1)


def _print_page(page: Page, folder: Path, work: Path, bars: bool) -> float:
    """Execute one page in its own kernel and keep it; give the seconds it took."""
    from helpers import edition

    started = time.perf_counter()
    made = work / page.key
    made.mkdir()
    os.environ.update(WORKBOOK_PAGE=str(made), WORKBOOK_EDITIONS=str(folder))
    executed = _executed(page, bars)
    edition.write_page(made, executed, page.name)
    seconds = round(time.perf_counter() - started, 2)
    meta = json.loads((made / "meta.json").read_text(encoding="utf-8"))
    meta |= {"name": page.name, "language": page.language, "parameters": page.parameters, "seconds": seconds}
    (made / "meta.json").write_text(json.dumps(meta, ensure_ascii=False, indent=1), encoding="utf-8")
    shelf.store(made, folder / ".pages" / page.key)
    return seconds


def _executed(page: Page, bars: bool):
    """Run a page's notebook with papermill; a failing cell is named with its heading and reason."""
    import nbformat
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    logging.getLogger("papermill").setLevel(logging.ERROR)  # what it warns of, require_parameters has refused
    notebook = nbformat.reads(page.notebook, as_version=4)
    bar = {"desc": str(page), "position": _worker["slot"], "leave": False, "file": sys.stderr}

    def run():
        with tempfile.TemporaryDirectory(prefix="workbook-") as sockets:
            return papermill.execute_notebook(
                notebook, None, page.parameters, kernel_name="python3", language="python", cwd=ROOT,
                progress_bar=bar if bars else False, execution_timeout=CELL_SECONDS,
                request_save_on_cell_execute=False, shutdown_kernel="immediate", config=_transport(sockets),
            )  # fmt: skip

    try:
        try:
            executed = run()
        except (CellTimeoutError, DeadKernelError):
            executed = run()  # now and then a kernel loses a message and waits for ever: a new one gets a second chance
    except papermill.PapermillExecutionError as error:
        reason = " ".join(f"{error.ename}: {error.evalue}".split())[:500]
        where = _place(notebook.cells, error.source)
        raise DataError(f"{page}, {where}: {reason}") from None
    except Exception as error:  # a kernel that died or never started says so in its own words
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:500]
        raise DataError(f"{page}: {reason}") from None
    executed.metadata.papermill = {"parameters": page.parameters}
    return executed


def _transport(sockets: str):
    """Let driver and kernel talk through sockets in a folder: no open port, and no warning about one per kernel."""
    from traitlets.config import Config

    return Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets}/k"}} if sys.platform == "linux" else {})


def _place(cells: list, source: str) -> str:
    """Say where a cell stands: its number, and the heading above it."""
    heading = ""
    for number, cell in enumerate(cells, 1):
        if cell.cell_type == "markdown" and (found := re.search(r"^#+ +(.+)", cell.source, re.MULTILINE)):
            heading = found[1].strip()
        if cell.cell_type == "code" and cell.source == source:
            return f"cell {number}" + (f' under "{heading}"' if heading else "")
    return "a cell of the press"


def _bound(pages: list[Page], folder: Path, seconds: dict, failed: dict) -> dict[str, list[shelf.Printed]]:
    """Group pages by language, as they are bound."""
    found: dict[str, list[shelf.Printed]] = {}
    for page in pages:
        kept = page.key in seconds and seconds[page.key] is None
        printed = shelf.Printed(page.name, folder / ".pages" / page.key, kept, page.dealer_id, page.audience,
                                failed.get(page.key, ""))  # fmt: skip
        found.setdefault(page.language, []).append(printed)
    return found
