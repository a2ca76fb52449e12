"""What a browser must see in any edition.

Checks over the folder of an edition, for made-up and for real ones.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.press import pdf
from helpers.settings import CHECKOUT

WIDTHS = (390, 1280)  # a phone and a desk
# Deque's checks of accessibility, for these tests alone: `npm install --no-save axe-core@4`
AXE = CHECKOUT / "node_modules" / "axe-core" / "axe.min.js"
NO_AXE = "no axe-core in node_modules; `npm install --no-save axe-core@4` puts it there"
WHY_NOT = "no chromium on this machine; install it to run the browser tests"


def chromium() -> str | None:
    """Find the system's browser."""
    return pdf.browser() or None


@contextmanager
def browser() -> Iterator:
    """Open a headless browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=chromium(), args=[*pdf.FLAGS, "--no-sandbox"])
        yield opened
        opened.close()


def pages(edition: Path) -> list[Path]:
    """List the pages of an edition in all its languages."""
    return sorted(edition.rglob("*.html"))


def page_faults(opened, path: Path, width: int) -> list[str]:
    """Open one page and tell all that is wrong with it.

    Requests, errors, sideways scrolling, images.
    """
    page = opened.new_page(viewport={"width": width, "height": 844})
    faults: list[str] = []
    page.on("request", lambda request: _note(faults, request.url))
    page.on(
        "console",
        lambda said: faults.append(f"console: {said.text}") if said.type == "error" else None,
    )
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.goto(path.as_uri(), wait_until="load")
    if (wide := page.evaluate("document.documentElement.scrollWidth")) > width:
        faults.append(f"the page is {wide} pixels wide on a screen of {width}")
    for image in page.evaluate(
        "[...document.images].map(i => [i.alt, i.naturalWidth, i.src.slice(0, 60)])"
    ):
        if not image[0].strip():
            faults.append(f"an image without alternative text: {image[2]}")
        if not image[1]:
            faults.append(f"an image that shows nothing: {image[2]}")
    page.close()
    return [f"{path.parent.name}/{path.name} at {width}: {fault}" for fault in faults]


def barriers(opened, path: Path, width: int) -> list[str]:
    """Tell what axe-core finds on a page that would keep somebody out, by any of its rules."""
    page = opened.new_page(viewport={"width": width, "height": 844})
    page.goto(path.as_uri(), wait_until="load")
    if page.locator("body[data-words]").count():
        page.wait_for_selector("html[data-living=ready]", state="attached")
    if page.locator(".turning").count():
        page.locator(".turning summary").click()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document).then(told => told.violations)")
    page.close()
    return [
        f"{path.parent.name}/{path.name} at {width}: {one['id']} ({one['help']}), "
        f"{len(one['nodes'])} times, e.g. {one['nodes'][0]['html'][:160]}"
        for one in found
    ]


def printed_sheets(opened, path: Path) -> int:
    """Count the A4 sheets a page takes on paper."""
    page = opened.new_page()
    page.goto(path.as_uri(), wait_until="load")
    printed = page.pdf(format="A4", prefer_css_page_size=True)
    page.close()
    return (
        printed.count(b"/Type /Page\n")
        + printed.count(b"/Type /Page ")
        + printed.count(b"/Type /Page/")
    )


def _note(faults: list[str], address: str) -> None:
    if not address.startswith(("file:", "data:")):
        faults.append(f"request: {address}")
