"""Paper: an edition's booklet and what is handed on by itself as PDF, printed by the system's own
Chromium.
"""

import asyncio
import concurrent.futures
import contextlib
import importlib.util
import io
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from helpers import files
from helpers.press import booklet, pages, terminal
from helpers.press.page_body import TEMPLATES
from helpers.settings import refusal

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
)
ELSEWHERE = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGE_SECONDS = 60.0  # a page of an edition takes half of one
BOOKLET_SECONDS = 600.0  # it is all pages, twice: the first time tells where each stands
CLOSE_SECONDS = 20.0  # a tab that doesn't close by then is left to its browser, which ends soon
GONE_SECONDS = 0.5  # after which a browser that died is known to be gone
DEATHS = 5  # of the browser, one after another: it is not the pages
PAGES_A_TAB = 200  # then a new one: a tab gives back its memory only when it closes
FOOTER = """
<div style="font: 7pt 'DejaVu Sans', 'Noto Sans CJK SC', sans-serif; color: #5f6a74;
width: 100%; margin: 0 15mm;
display: flex; justify-content: space-between"><span class="title"></span>
<span><span class="pageNumber"></span> / <span class="totalPages"></span></span></div>
"""
# An address within the edition would be written out with the folder it was printed in, which is
# gone by then.
KEEP_LINKS_WITHIN = """document.querySelectorAll('a[href]').forEach(a => a.hash
&& a.pathname === location.pathname
? a.setAttribute('href', a.hash) : a.removeAttribute('href'))"""
FACES = {2: "SC", 3: "TC"}  # in the figures' font
PAPER_SCRIPT = TEMPLATES / "edition" / "paper.js"
# of a booklet, in mm: how high and wide its text is, how much white a page may end in; and to which
# part of its size a figure is drawn smaller
PAPER = (269, 180, 80, 0.66)
# the table of contents of a booklet, once it is known where what it lists stands
NUMBER_CONTENTS = """places => document.querySelectorAll('[data-place]').forEach(
place => { place.textContent = places[place.dataset.place] || '' })"""
RADICALS = range(0x2E80, 0x2FE0)
FONTS = (
    """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir>{fonts}</dir>
<cachedir>{fonts}</cachedir>
"""
    + "".join(
        f"""<match target="pattern"><test name="family"><string>Noto Sans CJK {face}</string></test>
<edit name="family" mode="assign" binding="strong">
<string>Workbook CJK {face}</string></edit></match>
"""
        for face in FACES.values()
    )
    + "</fontconfig>"
)


def browser() -> str:
    """Find the system's Chromium, Chrome or Edge; "" where there is none.

    `WORKBOOK_BROWSER` names another.
    """
    found = (
        shutil.which(name) for name in (os.environ.get("WORKBOOK_BROWSER", ""), *BROWSERS) if name
    )
    return next(filter(None, (*found, *(path for path in ELSEWHERE if Path(path).is_file()))), "")


def require_browser() -> None:
    """Refuse to print PDF where nothing can.

    Raises
    ------
    DataError
        If there is no browser, or what drives it, or reads its PDFs, is not installed.
    """
    for package in ("playwright", "pypdf"):
        if importlib.util.find_spec(package) is None:
            raise refusal("pdf_package", package=package)
    if not browser():
        raise refusal("no_browser")


class Written(NamedTuple):
    """How pages went on paper.

    How many were not kept from an earlier run, and why others could not be printed.

    `failed` gives reasons by the pages' addresses within the edition.
    """

    n: int
    failed: dict[str, str]


def write_pdfs(
    edition: Path,
    kept: Path,
    *,
    asked: Iterable[Path] | None = None,
    fonts: Path | None = None,
    workers: int | None = None,
    ends: float = float("inf"),
) -> Written:
    """Print pages of an edition as PDF beside them.

    One that can't be printed costs its own PDF and no other.

    A4, tagged, with bookmarks and page numbers. What leads to another page is plain text on paper.
    A booklet also gets the page numbers of its table of contents, whose lines are its bookmarks.

    Parameters
    ----------
    kept
        Folder of finished PDFs: one is used again while its page stays the same.
    asked
        The pages; all of the edition where not given.
    fonts
        Folder where the Chinese font is kept, in `kept` where not given.
    workers
        Pages printed at the same time; all cores where not given.
    ends
        When the run must have ended (epoch).

    Raises
    ------
    DataError
        If the browser can't be started, dies again and again whatever it prints, or the run's time
        is over.
    """
    kept.mkdir(parents=True, exist_ok=True)
    wanted = sorted(edition.rglob("*.html") if asked is None else asked)
    places = {page: kept / f"{_key(page)}.pdf" for page in wanted}
    missing = {page: pdf for page, pdf in places.items() if not _is_pdf(pdf)}
    failed: dict[Path, str] = {}
    if missing:
        started = time.monotonic()
        with tqdm(
            total=len(missing),
            file=sys.stderr,
            leave=False,
            disable=not sys.stderr.isatty(),
            bar_format="{n_fmt} of {total_fmt} PDFs |{bar:20}| {remaining} left",
        ) as bar:
            fonts = fonts or kept / "fonts"
            failed = _run(_print_all(missing, fonts, workers or os.cpu_count() or 1, ends, bar))
        took, said = time.monotonic() - started, f", {len(failed)} failed" if failed else ""
        terminal.tell(
            f"{len(missing) - len(failed)} of {len(places)} PDFs printed in {took:.1f} s{said}"
        )
    for page, pdf in places.items():
        if page not in failed:
            os.utime(pdf)  # used today: not pruned for a while
            shutil.copy(pdf, page.with_suffix(".pdf"))
    told = {page.relative_to(edition).as_posix(): reason for page, reason in failed.items()}
    return Written(len(missing), told)


def _is_pdf(path: Path) -> bool:
    """Tell whether a finished PDF stands there, whatever else a full disk or a person may have
    left.
    """
    try:
        with path.open("rb") as file:
            return file.read(5) == b"%PDF-"
    except OSError:
        return False


def _key(page: Path) -> str:
    """Hash what a page on paper is made of: the page, which holds its figures, and how."""
    return pages.digest_of_files(Path(__file__), Path(booklet.__file__), PAPER_SCRIPT, page)


def _run(work: Coroutine) -> Any:
    """Run to the end, from within a notebook, too.

    Its own loop is busy with the cell that called.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _print_all(
    missing: Mapping[Path, Path], fonts: Path, n_workers: int, ends: float, bar: tqdm
) -> dict[Path, str]:
    """Print pages in several tabs of one browser; give why some could not be printed.

    Should the browser die, another one prints what is missing: first what was not under way, then
    each of those that were by itself, in a browser of its own: one with which it dies again is at
    fault, and the others are not.
    """
    from playwright.async_api import Error

    waiting, suspects, n_died = list(missing)[::-1], [], 0
    failed: dict[Path, str] = {}
    while waiting or suspects:
        alone = not waiting
        batch = [suspects.pop(0)] if alone else waiting
        under_way: set[Path] = set()
        n_before = len(batch)
        async with _opened(fonts) as opened:
            tabs = [
                _print_some(opened, batch, missing, ends, bar, under_way, failed)
                for _ in range(1 if alone else min(n_workers, len(batch)))
            ]
            try:
                async with asyncio.TaskGroup() as group:
                    for tab in tabs:
                        group.create_task(tab)
            except ExceptionGroup as group_failed:
                told = next(
                    (error for error in group_failed.exceptions if not isinstance(error, Error)),
                    None,
                )
                if told:
                    raise told from None
                reason = _first_line(group_failed.exceptions[0])
                n_died = 1 if len(batch) < n_before - n_workers else n_died + 1
                if n_died > DEATHS:
                    raise refusal(
                        "browser_died", browser=browser(), n=n_died, reason=reason
                    ) from None
                if alone and under_way:
                    failed |= dict.fromkeys(under_way, f"the browser died: {reason}")
                    bar.update()
                else:
                    suspects += sorted(under_way) or (batch if alone else [])
            else:
                n_died = 0
    return failed


async def _print_some(
    opened: Any,
    waiting: list[Path],
    missing: Mapping[Path, Path],
    ends: float,
    bar: tqdm,
    under_way: set[Path],
    failed: dict[Path, str],
) -> None:
    """Print waiting pages one after another in a tab of its own, until none is left."""
    from playwright.async_api import Error

    while waiting:
        # nothing of a page runs or leads outside; should anything ever try, it can't
        context = await opened.new_context(java_script_enabled=False, offline=True)
        tab = await context.new_page()
        for _turn in range(PAGES_A_TAB):
            if not waiting:
                break
            page = waiting.pop()
            under_way.add(page)
            most = BOOKLET_SECONDS if booklet.is_one(page) else PAGE_SECONDS
            seconds = min(most, ends - time.time())
            try:
                printed = await asyncio.wait_for(_printed(tab, page), max(seconds, 0.01))
            except TimeoutError:
                if seconds < most:
                    raise refusal("pdf_time", page=page.name) from None
                failed[page] = f"took longer than {most:g} s"
            except Error as error:
                # of the page; should the browser be gone, nothing can be opened again
                await asyncio.sleep(GONE_SECONDS)
                if not opened.is_connected():
                    raise
                failed[page] = _first_line(error)
            else:
                files.write(missing[page], printed)
            under_way.discard(page)
            bar.update()
            if page in failed:  # its tab still waits for it
                break
        with contextlib.suppress(Error, TimeoutError):
            await asyncio.wait_for(context.close(), CLOSE_SECONDS)


async def _printed(tab: Any, page: Path) -> bytes:
    await tab.goto(page.as_uri(), wait_until="load")
    await tab.evaluate(KEEP_LINKS_WITHIN)
    if not booklet.is_one(page):
        return await _on_paper(tab, outline=True)
    await tab.emulate_media(media="print")
    await tab.evaluate(PAPER_SCRIPT.read_text(encoding="utf-8"), PAPER)
    # numbers of three digits were laid out: filling in the true ones moves nothing
    places = booklet.places(await _on_paper(tab))
    await tab.evaluate(NUMBER_CONTENTS, places)
    text = page.read_text(encoding="utf-8")
    return booklet.bookmarked(await _on_paper(tab), booklet.entries_of(text), await tab.title())


async def _on_paper(tab: Any, *, outline: bool = False) -> bytes:
    return await tab.pdf(
        prefer_css_page_size=True,
        print_background=True,
        tagged=True,
        outline=outline,
        display_header_footer=True,
        header_template="<i></i>",
        footer_template=FOOTER,
    )


@contextlib.asynccontextmanager
async def _opened(fonts: Path) -> AsyncIterator[Any]:
    """Open the browser; on Linux it writes Chinese in the figures' font, on any system."""
    from playwright.async_api import Error, async_playwright

    with tempfile.TemporaryDirectory(prefix="fonts-") as folder:
        env = dict(os.environ)
        if sys.platform == "linux":
            _make_fonts(fonts)
            Path(folder, "fonts.conf").write_text(FONTS.format(fonts=fonts), encoding="utf-8")
            env["FONTCONFIG_FILE"] = f"{folder}/fonts.conf"
        # root has no other way
        flags = FLAGS + ["--no-sandbox"] * (hasattr(os, "geteuid") and os.geteuid() == 0)
        async with async_playwright() as driver:
            try:
                opened = await driver.chromium.launch(
                    executable_path=browser(), args=flags, env=env
                )
            except Error as error:
                raise refusal(
                    "browser_start", browser=browser(), reason=_first_line(error)
                ) from None
            yield opened
            with contextlib.suppress(Error):
                await opened.close()


def _make_fonts(folder: Path) -> None:
    """Make the figures' Chinese font as PDFs need it, where it is not there yet.

    Noto draws 户 and the radical ⼾ with one letter, and a PDF would name it by the radical: nobody
    would find 客户.
    """
    from fontTools.ttLib import TTFont

    from helpers import look

    folder.mkdir(parents=True, exist_ok=True)
    for number, face in FACES.items():
        place = folder / f"WorkbookCJK{face}.otf"
        if place.exists():
            continue
        font = TTFont(look.FONT, fontNumber=number, lazy=True, recalcBBoxes=False)
        for table in font["cmap"].tables:
            table.cmap = {
                code: letter for code, letter in table.cmap.items() if code not in RADICALS
            }
        for record in font["name"].names:
            record.string = (
                str(record)
                .replace("Noto Sans CJK", "Workbook CJK")
                .replace("NotoSansCJK", "WorkbookCJK")
            )
        made = io.BytesIO()
        font.save(made)
        files.write(place, made.getvalue())


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
