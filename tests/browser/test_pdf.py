"""Pages on paper: what a PDF holds, what is printed again, and what happens when the browser is
harmed.
"""

import io
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import checks
import psutil
import pytest
import sample
from PIL import Image

from helpers import settings, words
from helpers.press import editions, pdf
from processes import still_running

needs_browser = pytest.mark.skipif(checks.chromium() is None, reason=checks.WHY_NOT)
linux = pytest.mark.skipif(sys.platform != "linux", reason="fonts are described so on Linux only")
# several browsers at once would only wait for each other
pytestmark = pytest.mark.xdist_group("pdf")


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """A sample edition with its PDFs; read only."""
    place = sample.make_edition(tmp_path_factory.mktemp("sample"))
    assert pdf.write_pdfs(place, place.parent / ".pdfs", workers=2) == (
        len(checks.pages(place)),
        {},
    )
    words.speak("en")
    return place


def read(path: Path):
    pypdf = pytest.importorskip("pypdf", reason="the PDFs are read back with the pypdf package")
    return pypdf.PdfReader(path)


def text(path: Path) -> str:
    return " ".join(" ".join(page.extract_text() for page in read(path).pages).split())


def write_pages(folder: Path, n: int) -> Path:
    folder.mkdir()
    for i in range(n):
        (folder / f"page-{i}.html").write_text(
            f'<html lang="en"><title>No. {i}</title><h1>Page {i}</h1></html>'
        )
    return folder


@needs_browser
def test_every_page_is_there_on_paper(printed):
    assert {path.with_suffix("") for path in printed.rglob("*.pdf")} == {
        path.with_suffix("") for path in checks.pages(printed)
    }
    for path in printed.rglob("*.pdf"):
        document = read(path)
        for page in document.pages:
            assert (round(float(page.mediabox.width)), round(float(page.mediabox.height))) == (
                595,
                842,
            ), "A4"
        assert document.trailer["/Root"]["/MarkInfo"]["/Marked"].value, f"{path} is not tagged"
        assert document.trailer["/Root"]["/Lang"] == (
            "zh-Hans" if path.parent.name == "zh-Hans" else "en"
        )
        assert document.outline, f"{path} has no bookmarks"
        for number, page in enumerate(document.pages, 1):
            assert f"{number} / {len(document.pages)}" in page.extract_text()


@needs_browser
def test_bookmarks_are_the_headings(printed):
    def titles(outline) -> list[str]:
        return [
            title
            for part in outline
            for title in (titles(part) if isinstance(part, list) else [part.title])
        ]

    page = (printed / "03_abc_pareto.html").read_text(encoding="utf-8")
    headings = [
        re.sub("<[^>]+>", "", heading).strip()
        for heading in re.findall(r"<h[1-3][^>]*>(.*?)</h", page, re.S)
    ]
    assert [
        " ".join(title.split()) for title in titles(read(printed / "03_abc_pareto.pdf").outline)
    ] == headings


@needs_browser
def test_fonts_are_embedded_and_chinese_can_be_searched(printed):
    path = printed / "zh-Hans" / "03_abc_pareto.pdf"
    assert "哪些客户支撑着生意" in text(path), "letters, not radicals that look like them"
    fonts = [
        font.get_object()
        for page in read(path).pages
        for font in page["/Resources"].get("/Font", {}).values()
    ]
    assert fonts
    for font in fonts:
        if font["/Subtype"] == "/Type0":
            described = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
            assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(described)
        else:
            assert font["/Subtype"] == "/Type3", "which holds its letters itself"


@needs_browser
def test_nothing_leads_out_and_no_folder_of_ours_is_told(printed):
    for path in printed.rglob("*.pdf"):
        for page in read(path).pages:
            for note in page.get("/Annots", []):
                action = note.get_object().get("/A", {})
                assert "/URI" not in action, f"{path}: {action}"
        told = path.read_bytes()
        assert b"file:" not in told
        assert str(printed.parent).encode() not in told


@needs_browser
def test_links_within_a_page_stay(tmp_path):
    place = write_pages(tmp_path / "edition", 1)
    page = (
        '<title>x</title><h1 id="a">A</h1><a href="{}">here</a><a href="{}">also</a><a '
        'href="{}">away</a>'
    )
    (place / "page-0.html").write_text(page.format("#a", "page-0.html#a", "page-1.html#a"))
    pdf.write_pdfs(place, tmp_path / "kept")
    notes = [
        note.get_object() for page in read(place / "page-0.pdf").pages for note in page["/Annots"]
    ]
    assert len(notes) == 2
    assert all("/Dest" in note or note["/A"]["/S"] == "/GoTo" for note in notes)


@needs_browser
def test_a_page_that_is_the_same_is_not_printed_again(printed, tmp_path, capsys):
    place, kept = write_pages(tmp_path / "edition", 3), tmp_path / "kept"
    assert [pdf.write_pdfs(place, kept, workers=1).n for _turn in range(2)] == [3, 0]
    assert re.search(r"^3 of 3 PDFs printed in \d+\.\d s\n$", capsys.readouterr().err)
    (place / "page-1.html").write_text("<title>x</title><h1>Changed</h1>")
    assert pdf.write_pdfs(place, kept) == (1, {})
    assert "Changed" in text(place / "page-1.pdf")
    assert "Page 2" in text(place / "page-2.pdf")


@needs_browser
@linux
@pytest.mark.parametrize("ours", [True, False])
def test_chinese_needs_no_font_of_the_system(tmp_path, monkeypatch, ours):
    """Two letters look different with our font alone, and both like a box with none."""
    import asyncio

    fonts = pdf.FONTS.replace('<include ignore_missing="yes">/etc/fonts/fonts.conf</include>', "")
    monkeypatch.setattr(
        pdf, "FONTS", fonts if ours else fonts.replace("<dir>{fonts}", "<dir>/nowhere")
    )

    async def drawn() -> list[bytes]:
        async with pdf._opened(tmp_path / "fonts") as opened:
            tab = await opened.new_page(viewport={"width": 60, "height": 60})
            pictures = []
            for letter in "国鑫":
                await tab.set_content(
                    f"<p style=\"font: 40px 'Noto Sans CJK SC'; margin: 0\">{letter}</p>"
                )
                pictures.append(
                    Image.open(io.BytesIO(await tab.screenshot())).convert("L").tobytes()
                )
            return pictures

    assert (len(set(asyncio.run(drawn()))) == 2) is ours


@needs_browser
def test_it_prints_from_within_a_notebook_too(tmp_path):
    import asyncio

    async def cell() -> int:
        return pdf.write_pdfs(write_pages(tmp_path / "edition", 1), tmp_path / "kept").n

    assert asyncio.run(cell()) == 1


# ---- harm ----------------------------------------------------------------------------------------


def test_without_a_browser_it_is_told_before_anything_runs(monkeypatch):
    monkeypatch.setattr(pdf, "BROWSERS", ())
    monkeypatch.setattr(pdf, "ELSEWHERE", ())
    monkeypatch.delenv("WORKBOOK_BROWSER", raising=False)
    with pytest.raises(
        settings.DataError, match="no Chromium, Chrome or Edge on this machine; install one"
    ):
        pdf.require_browser()
    monkeypatch.setenv("WORKBOOK_BROWSER", sys.executable)
    pdf.require_browser()
    monkeypatch.setattr(pdf.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(settings.DataError, match=r"pip install 'customer-workbook\[pdf\]'"):
        pdf.require_browser()


def test_a_browser_that_is_none_is_told(tmp_path, monkeypatch):
    pytest.importorskip("playwright", reason="the browser tests need the playwright package")
    monkeypatch.setenv("WORKBOOK_BROWSER", sys.executable)
    with pytest.raises(settings.DataError, match=r"--pdf: .*python.* can't be started: "):
        pdf.write_pdfs(write_pages(tmp_path / "edition", 1), tmp_path / "kept")


@needs_browser
def test_what_takes_too_long_is_told(tmp_path, monkeypatch):
    place = write_pages(tmp_path / "edition", 2)
    with pytest.raises(
        settings.DataError, match=r"page-\d\.html: the run's time was over; run it again"
    ):
        pdf.write_pdfs(place, tmp_path / "kept", ends=time.time())
    assert not list(place.glob("*.pdf"))
    monkeypatch.setattr(pdf, "PAGE_SECONDS", 0.02)
    failed = {f"page-{i}.html": "took longer than 0.02 s" for i in range(2)}
    assert pdf.write_pdfs(place, tmp_path / "kept") == (2, failed)
    assert not list(place.glob("*.pdf"))


def _browsers(of: psutil.Process) -> list[psutil.Process]:
    """List a process's browsers, but for their own children."""
    found = []
    for child in of.children(recursive=True):
        try:
            if "--headless" in " ".join(child.cmdline()) and "--type=" not in " ".join(
                child.cmdline()
            ):
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


HARMS = ("sleeps", "fails", "crashes", "kills the browser")


@needs_browser
@pytest.mark.parametrize(("harm", "workers"), list(zip(HARMS, (1, 2, 2, 1), strict=True)))
def test_a_page_that_cannot_be_printed_costs_its_own_pdf(
    tmp_path, monkeypatch, capsys, harm, workers
):
    """Whatever a page does to its tab or its browser.

    The others are printed, and it is tried again the next time.
    """
    import asyncio

    place, whole = write_pages(tmp_path / "edition", 6), pdf._printed

    async def harmed(tab, page):
        if page.stem == "page-3":
            if harm == "sleeps":
                await asyncio.sleep(99)
            elif harm == "fails":
                await tab.goto("chrome://no-such-place")
            elif harm == "crashes":
                await tab.goto("chrome://crash")
            else:
                for browser in _browsers(psutil.Process()):
                    browser.kill()
        return await whole(tab, page)

    monkeypatch.setattr(pdf, "_printed", harmed)
    monkeypatch.setattr(pdf, "PAGE_SECONDS", 60.0 if harm == "kills the browser" else 6.0)
    found = pdf.write_pdfs(place, tmp_path / "kept", workers=workers)
    assert (found.n, list(found.failed)) == (6, ["page-3.html"])
    assert sorted(path.stem for path in place.glob("*.pdf")) == [
        f"page-{i}" for i in range(6) if i != 3
    ]
    assert "5 of 6 PDFs printed" in capsys.readouterr().err
    assert not _browsers(psutil.Process())
    monkeypatch.setattr(pdf, "_printed", whole)
    assert pdf.write_pdfs(place, tmp_path / "kept") == (1, {}), "it was the harm, not the page"


@needs_browser
@pytest.mark.parametrize("times", [1, 2])
def test_a_browser_that_dies_is_replaced(tmp_path, monkeypatch, times):
    place, killed, whole = write_pages(tmp_path / "edition", 6), [], pdf._printed

    async def harmed(tab, page):
        if len(killed) < times and len(list((tmp_path / "kept").glob("*.pdf"))) >= 2 + len(killed):
            killed.append(page)
            for browser in _browsers(psutil.Process()):
                browser.kill()
        return await whole(tab, page)

    monkeypatch.setattr(pdf, "_printed", harmed)
    assert pdf.write_pdfs(place, tmp_path / "kept", workers=1) == (6, {})
    assert "Page 5" in text(place / "page-5.pdf")
    assert len(killed) == times
    assert not _browsers(psutil.Process())


@needs_browser
def test_a_browser_that_always_dies_is_given_up(tmp_path, monkeypatch):
    place = write_pages(tmp_path / "edition", 12)

    async def harmed(tab, page):
        for browser in _browsers(psutil.Process()):
            browser.kill()
        await tab.goto("about:blank")

    monkeypatch.setattr(pdf, "_printed", harmed)
    with pytest.raises(
        settings.DataError, match=r"--pdf: .* died 6 times, whatever it printed: .*closed"
    ):
        pdf.write_pdfs(place, tmp_path / "kept", workers=1)
    assert not list(place.glob("*.pdf"))
    assert not _browsers(psutil.Process())


@needs_browser
@linux
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_ended_leaves_no_browser_behind(tmp_path, number):
    place = write_pages(tmp_path / "edition", 60)
    # who is started in the background by a shell has Ctrl-C ignored, and hands that on
    program = (
        "import sys, pathlib, signal\nfrom helpers.press import pdf\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "pdf.write_pdfs(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), workers=2)"
    )
    driver = subprocess.Popen(
        [sys.executable, "-c", program, str(place), str(tmp_path / "kept")],
        stderr=subprocess.DEVNULL,
    )
    while not list((tmp_path / "kept").glob("*.pdf")) and driver.poll() is None:
        time.sleep(0.02)
    children = psutil.Process(driver.pid).children(recursive=True)
    assert _browsers(psutil.Process(driver.pid))
    os.kill(driver.pid, number)
    driver.wait(20)
    assert not still_running(children, timeout=10)
    assert driver.returncode
    kept = len(list((tmp_path / "kept").glob("*.pdf")))
    assert 0 < kept < 60
    assert pdf.write_pdfs(place, tmp_path / "kept", workers=2).n == 60 - kept, (
        "what was finished is kept"
    )


def test_pdfs_that_nobody_asks_for_go_after_a_week(tmp_path):
    for name, days in ((f"{'a' * 20}.pdf", 8), (f"{'b' * 20}.pdf", 1), ("somebody's own.pdf", 8)):
        (tmp_path / ".pdfs").mkdir(exist_ok=True)
        (tmp_path / ".pdfs" / name).write_bytes(b"%PDF")
        os.utime(tmp_path / ".pdfs" / name, (time.time() - days * 86400,) * 2)
    editions.prune(tmp_path)
    left = sorted(path.name for path in (tmp_path / ".pdfs").iterdir())
    assert left == [f"{'b' * 20}.pdf", "somebody's own.pdf"]
