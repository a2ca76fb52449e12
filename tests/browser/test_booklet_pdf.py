"""An edition as one PDF: links, bookmarks and page numbers that are right, fonts, and no page that
is mostly white.
"""

import re
import shutil
import subprocess
import unicodedata

import checks
import numpy as np
import pytest
import sample
from PIL import Image

from helpers import words
from helpers.press import booklet, handed, pdf

needs_browser = pytest.mark.skipif(checks.chromium() is None, reason=checks.WHY_NOT)
pytestmark = [needs_browser, pytest.mark.xdist_group("pdf")]
DPI = 40  # of a page that is looked at
WHITE = 250  # a letter is darker
FOOT = 0.055  # of a page's height, in which its number stands


class Printed:
    """A booklet, as it was composed and as it was printed."""

    def __init__(self, place, language: str) -> None:
        pypdf = pytest.importorskip("pypdf", reason="the PDFs are read back with the pypdf package")
        self.folder = place if language == "en" else place / language
        self.language, self.path = language, self.folder / "sample-2026-10.pdf"
        self.document = self.path.with_suffix(".html").read_text(encoding="utf-8")
        self.entries = booklet.entries_of(self.document)
        self.reader = pypdf.PdfReader(self.path)
        self.texts = [plain(page.extract_text()) for page in self.reader.pages]


def plain(text: str) -> str:
    """Write a text without blanks, its letters one by one: "ﬁ" is two."""
    return "".join(unicodedata.normalize("NFKC", text).split())


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A sample edition with account managers, its booklets and their pages printed; read only."""
    place = sample.make_edition(tmp_path_factory.mktemp("booklet"), handed_on=True)
    asked = handed.on_paper(place)
    assert pdf.write_pdfs(place, place.parent / ".pdfs", asked=asked, workers=2) == (len(asked), {})
    words.speak("en")
    return place


@pytest.fixture(scope="module", params=["en", "zh-Hans"])
def printed(place, request) -> Printed:
    return Printed(place, request.param)


def outline(printed: Printed) -> list[tuple[int, str, int]]:
    """List the bookmarks: depth, title, page from 0."""

    def flat(items, depth=1):
        for item in items:
            if isinstance(item, list):
                yield from flat(item, depth + 1)
            else:
                yield depth, item.title, printed.reader.get_destination_page_number(item)

    return list(flat(printed.reader.outline))


def test_what_is_handed_on_by_itself_has_a_pdf_of_its_own(place):
    names = {page.relative_to(place).as_posix() for page in place.rglob("*.pdf")}
    managers = {path.with_suffix(".pdf").name for path in place.glob("manager-*.html")}
    assert len(managers) == 3
    both = {"sample-2026-10.pdf", *managers}
    assert names == both | {f"zh-Hans/{name}" for name in both}


def test_bookmarks_are_the_table_of_contents(printed):
    found = outline(printed)
    assert [title for _depth, title, _page in found] == [entry.text for entry in printed.entries]
    assert [depth for depth, _title, _page in found] == [entry.level for entry in printed.entries]
    pages = [page for _depth, _title, page in found]
    assert pages == sorted(pages), "in the order in which they stand"
    for _depth, title, page in found[1:]:  # the front page's is its name, and not written there
        told = printed.texts[page]
        assert plain(re.sub(r"^\d+", "", title)) in told, f"{title} is not on page {page + 1}"


def test_the_table_of_contents_tells_the_pages(printed):
    (at,) = [page for _depth, title, page in outline(printed)[:1]]
    contents = "".join(printed.texts[at : at + 4])
    for _depth, title, page in outline(printed):
        assert f"{plain(title)}{page + 1}" in contents


def test_every_link_leads_to_its_place(printed):
    known = printed.reader.named_destinations
    led = []
    for page in printed.reader.pages:
        for note in page.get("/Annots", []):
            note = note.get_object()
            action = note.get("/A", {})
            assert "/URI" not in action, "nothing leads out of the document"
            name = note.get("/Dest") or action.get("/D")
            assert name is not None
            assert str(name) in known or str(name).removeprefix("/") in known
            led.append(str(name).removeprefix("/"))
    assert {entry.anchor for entry in printed.entries} <= set(led)
    called = [name for name in led if re.fullmatch(r"m\d-dealer-D\d+", name)]
    assert len(set(called)) == sample.N_CALLS, "each call leads to what happened"


def test_fonts_are_embedded_once_and_the_document_is_told(printed):
    root = printed.reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"].value, "tagged"
    assert root["/Lang"] == printed.language
    assert root["/PageMode"] == "/UseOutlines"
    assert "2026" in printed.reader.metadata.title
    fonts = {}
    for page in printed.reader.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            fonts[font.idnum if hasattr(font, "idnum") else id(font)] = font.get_object()
    assert fonts
    for font in fonts.values():
        if font["/Subtype"] == "/Type0":
            described = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
            assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(described)
        else:
            assert font["/Subtype"] == "/Type3", "which holds its letters itself"
    whole = [font for font in fonts.values() if font["/Subtype"] == "/Type0"]
    assert 0 < len(whole) < 10, "each is there once, and not once a page"
    told = printed.path.read_bytes()
    assert b"file:" not in told


def test_pages_are_a4_and_numbered(printed):
    n = len(printed.reader.pages)
    for number, (page, text) in enumerate(zip(printed.reader.pages, printed.texts, strict=True), 1):
        size = round(float(page.mediabox.width)), round(float(page.mediabox.height))
        assert size == (595, 842)
        assert f"{number}/{n}" in text


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="pages are drawn with pdftoppm")
def test_no_page_is_a_third_white_and_no_heading_stands_alone(printed, tmp_path):
    args = ["pdftoppm", "-r", str(DPI), "-gray", str(printed.path), str(tmp_path / "page")]
    subprocess.run(args, check=True, timeout=120)
    drawn = [np.asarray(Image.open(path)) for path in sorted(tmp_path.glob("page*.pgm"))]
    assert len(drawn) == len(printed.reader.pages)
    inks = []
    for pixels in drawn:
        body = pixels[: int(len(pixels) * (1 - FOOT))]
        inks.append(np.flatnonzero((body < WHITE).any(axis=1)) / len(pixels))
    for number, rows in enumerate(inks[:-1], 1):
        assert rows[-1] > 2 / 3, f"page {number} ends at {rows[-1]:.0%}"
    at = printed.reader.named_destinations
    for entry in printed.entries[1:]:
        place = at[f"/{entry.anchor}" if f"/{entry.anchor}" in at else entry.anchor]
        number = printed.reader.get_destination_page_number(place)
        top = 1 - float(place.top) / 842
        below = inks[number][inks[number] > top + 0.05]
        assert len(below), f"{entry.text}: nothing stands below it on page {number + 1}"


def test_a_booklet_is_not_printed_again_while_it_is_the_same(place):
    asked = [page for page in handed.on_paper(place) if booklet.is_one(page)]
    assert len(asked) == 2
    assert pdf.write_pdfs(place, place.parent / ".pdfs", asked=asked) == (0, {})


def test_an_edition_that_is_published_holds_no_booklet_to_print(place, tmp_path):
    copied = shutil.copytree(place, tmp_path / "copy")
    handed.clear_booklets(copied)
    left = {path.name for path in copied.rglob("sample-2026-10.*")}
    assert left == {"sample-2026-10.pdf", "sample-2026-10.xlsx"}


def test_a_booklet_that_could_not_be_printed_is_said_to_be_missing(place, tmp_path):
    copied = shutil.copytree(place, tmp_path / "copy")
    handed.mark_missing(copied, {"sample-2026-10.html": "too long"})
    front = (copied / "index.html").read_text(encoding="utf-8")
    assert 'href="sample-2026-10.pdf"' not in front
    assert words.say("report.pdf_missing") in front
    assert 'href="sample-2026-10.pdf"' in (copied / "zh-Hans" / "index.html").read_text()
    manager = next(copied.glob("manager-*.html"))
    assert f'href="{manager.stem}.pdf"' in manager.read_text(encoding="utf-8"), "it has its own"
    assert "too long" in (copied / "manifest.json").read_text(encoding="utf-8")
