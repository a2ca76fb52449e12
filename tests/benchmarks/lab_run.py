"""Run All of every notebook in JupyterLab, on plain and on warm kernels, and use each explorer as a
person would.

`python tests/benchmarks/lab_run.py` opens the notebooks on the demo in a headless Chromium, twice a
kernel each. Every cell must have run without an error, the explorer must be there with its pictures
drawn, and what it shows must change with the first of its controls; then a slider (where there is
one) goes through 20 values as fast as keys repeat, and the last value is the one that stays. Exit
code 1 where that fails. `--pictures DIR` keeps a picture of each explorer.
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from helpers.press import pdf
from helpers.press.lab import start
from helpers.settings import CHECKOUT as ROOT
from helpers.settings import workbook

KERNELS = ("plain", "warm")
SECONDS = 180  # for one notebook, on a machine that does other work, too
KEYS = 20
READY = """() => {
  const book = window.jupyterapp?.shell.currentWidget;
  return book?.sessionContext?.isReady && book.sessionContext.session?.kernel?.status === 'idle';
}"""  # the notebook's own light is green before there is a kernel
STATE = """() => {
  const cells = [...jupyterapp.shell.currentWidget.content.widgets]
      .filter(cell => cell.model.type === 'code');
  return cells.map(cell => ({
    done: cell.model.executionCount !== null,
    errors: cell.model.outputs.toJSON().filter(o => o.output_type === 'error')
          .map(o => o.ename + ': ' + o.evalue)
  }));
}"""
GO_THERE = """async () => {
  const book = jupyterapp.shell.currentWidget.content;
  const at = book.widgets.findIndex(
      cell => (cell.model.getMetadata('tags') || []).includes('interactive')
                                    && cell.model.type === 'code');
  book.activeCellIndex = at;
  await book.scrollToItem(at, 'start');
}"""
BOX = ".jp-Notebook .jp-OutputArea-output .widget-vbox"
DRAWN = f"""() => {{
  const box = document.querySelector('{BOX}');
  return box && [...box.querySelectorAll('img')].every(i => i.complete && i.naturalWidth > 0)
      && box.querySelector('.jp-RenderedHTMLCommon')
      && [...box.querySelectorAll('.jp-RenderedHTMLCommon, .workbook-dealers')]
          .map(part => part.innerHTML).join('');
}}"""
WATCH = f"""() => {{
  window.drawn = 0;
  for (const part of document.querySelectorAll('{BOX} .widget-html-content'))
    new MutationObserver(() => window.drawn++).observe(part, {{childList: true}});
}}"""
# how far what is looked at moves while a change is drawn: tops of the controls, frame by frame
JUMP = f"""() => {{
  const control = document.querySelector('{BOX} select, {BOX} button, {BOX} .noUi-base');
  const from = control.getBoundingClientRect().top;
  window.jump = 0;
  const look = () => {{
    window.jump = Math.max(window.jump, Math.abs(control.getBoundingClientRect().top - from));
    window.looks = requestAnimationFrame(look);
  }};
  look();
}}"""
AT_TOP = """() => {
  const book = jupyterapp.shell.currentWidget.content;
  return book.activeCellIndex === 0 && book.outerNode.scrollTop < 2;
}"""
OTHERS = """() => jupyterapp.shell.currentWidget.content.widgets.filter(cell =>
  (cell.model.getMetadata('tags') || []).includes('lang-zh') && cell.node.offsetHeight > 0).length
"""


@contextlib.contextmanager
def lab(folder: Path, kernel: str) -> Iterator[str]:
    """Start JupyterLab on a folder, with nothing of its user's.

    Give its address, with the token.
    """
    kinds = ("JUPYTER_CONFIG", "JUPYTER_RUNTIME", "JUPYTERLAB_SETTINGS", "JUPYTERLAB_WORKSPACES")
    own = {f"{kind}_DIR": str(folder / ".own" / kind.lower()) for kind in kinds}
    book = workbook(ROOT / "workbook.toml")
    told = {**os.environ, **own, "WORKBOOK_KERNELS": kernel}
    environment = start.environment(told, book)
    options = ["--no-browser", "--ip=127.0.0.1", "--port=0", "--expose-app-in-browser"]
    command = start.command(folder, "en", options)
    with (folder / "lab.log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            told = Path(own["JUPYTER_RUNTIME_DIR"]) / f"jpserver-{server.pid}.json"
            while not told.exists():
                if server.poll() is not None:
                    raise SystemExit(
                        "JupyterLab did not start: "
                        f"{(folder / 'lab.log').read_text(encoding='utf-8')}"
                    )
                time.sleep(0.1)
            time.sleep(0.5)  # it is written at once, but opened before
            here = json.loads(told.read_text(encoding="utf-8"))
            yield f"{here['url']}lab/tree/{{}}?token={here['token']}&reset"
        finally:
            server.terminate()
            server.wait(SECONDS)


def run_all(page, address: str) -> tuple[float, list[str]]:
    """Open a notebook and run all its cells.

    -> seconds that the cells took, and all that is wrong.
    """
    page.goto(address)
    page.wait_for_function(READY, timeout=SECONDS * 1000)
    begun = time.monotonic()
    page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_selector(
        '.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=SECONDS * 1000
    )
    seconds = time.monotonic() - begun
    cells = page.evaluate(STATE)
    wrong = [error for cell in cells for error in cell["errors"]]
    wrong += [f"{n} cells did not run"] if (n := sum(not cell["done"] for cell in cells)) else []
    wrong += [] if page.evaluate(AT_TOP) else ["the view is not at the top"]
    wrong += [f"{n} texts of another language"] if (n := page.evaluate(OTHERS)) else []
    return seconds, wrong


def shown(page, other_than: str = "") -> str:
    """Wait until the explorer shows something, pictures drawn, that is not what it showed before.

    Give it.
    """
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if (found := page.evaluate(DRAWN)) and found != other_than:
            return found
        time.sleep(0.02)
    return ""


def use(page) -> tuple[float, str, list[str]]:
    """Change the explorer's first control and then a slider.

    -> seconds to screen, what the keys did, what is wrong.
    """
    page.evaluate(GO_THERE)
    before = shown(page)
    if not before:
        return 0.0, "", ["the explorer shows nothing"]
    box = page.locator(BOX).first
    page.evaluate(JUMP)
    begun = time.monotonic()
    if (buttons := box.locator(".widget-toggle-buttons button:not(.mod-active)")).count():
        buttons.first.click()
    elif (choices := box.locator("select")).count():
        choices.first.select_option(index=1)
    else:
        box.locator(".noUi-handle").first.press("ArrowRight")
    after = shown(page, before)
    seconds, wrong = (
        time.monotonic() - begun,
        [] if after else ["the first control changes nothing"],
    )
    jump = page.evaluate("() => { cancelAnimationFrame(window.looks); return window.jump; }")
    wrong += [f"the page jumps by {jump:.0f} pixels"] if jump > 1 else []
    if not (handles := box.locator(".noUi-handle")).count():
        return seconds, "", wrong
    page.evaluate(WATCH)
    begun = time.monotonic()
    handle = handles.first
    handle.focus()
    for _ in range(KEYS):
        page.keyboard.press("ArrowRight")
    pressed, n, last = time.monotonic() - begun, -1, begun
    # what is drawn at all is drawn within a minute; quiet for three seconds more than that took,
    # nothing waits any more
    while time.monotonic() < (last + 3 + (last - begun) if n > 0 else begun + 60):
        if (now := page.evaluate("() => window.drawn")) != n:
            n, last = now, time.monotonic()
        time.sleep(0.02)
    at, of = (float(handle.get_attribute(name)) for name in ("aria-valuenow", "aria-valuemax"))
    wrong += [] if n > 0 else ["a slider changes nothing"]
    late = last - begun - pressed
    return (
        seconds,
        (
            f"{KEYS} keys in {pressed:.1f} s: drawn {n} x, last {late:.1f} s after; at {at:g} of "
            f"{of:g}"
        ),
        wrong,
    )


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="notebooks whose name begins so")
    parser.add_argument("--kernel", choices=KERNELS, action="append")
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    failed, took = 0, []
    with sync_playwright() as play, tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        names = [path.name for path in sorted((ROOT / "notebooks").glob(f"{options.only}*.ipynb"))]
        opened = play.chromium.launch(
            executable_path=pdf.browser(), args=[*pdf.FLAGS, "--no-sandbox"]
        )
        for kernel in options.kernel or KERNELS:
            shutil.copytree(ROOT / "notebooks", folder / kernel)
            with lab(folder / kernel, kernel) as address:
                for turn in range(options.turns):
                    for name in names:
                        page = opened.new_page(viewport={"width": 1400, "height": 1300})
                        ran, wrong = run_all(page, address.format(name))
                        used, keys, more = use(page)
                        if options.pictures:
                            options.pictures.mkdir(parents=True, exist_ok=True)
                            page.screenshot(
                                path=options.pictures / f"{kernel}{turn + 1}_{name[:2]}.png"
                            )
                        page.evaluate(
                            "() => jupyterapp.shell.currentWidget.sessionContext.shutdown()"
                        )
                        page.close()
                        took.append(used)
                        failed += bool(wrong + more)
                        told = (
                            f"{kernel:6} {turn + 1} {name[:-6]:20} all cells {ran:5.1f} s, a "
                            f"click {used:4.2f} s"
                        )
                        print(
                            "; ".join(filter(None, [told, keys])),
                            *wrong,
                            *more,
                            sep="\n    ! ",
                            flush=True,
                        )
        opened.close()
    print(
        f"{len(took)} runs, {failed} failed; from click to screen {statistics.median(took):.2f} "
        "s in the median"
    )
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
