"""Time of the press: cards and the monthly edition against papermill's command, nbconvert's, and
one plain process.

`python tests/benchmarks/press_speed.py` runs every side on the demo network, each in processes of
its own, and prints seconds and ratios; `--only cards`, `edition`, `pages` or `iowa` runs one part.
"""

import argparse
import concurrent.futures
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PERIOD, IOWA_PERIOD = "2026-10", "2022-10"
WORKERS = 2
CARD = ROOT / "notebooks" / "09_dealer_card.ipynb"
SECONDS_A_CARD, TIMES_FASTER, TIMES_LIMIT = 0.45, 10.0, 1.35  # targets
EDITION_FASTER, AGAIN_SECONDS = 4.0, 3.0
MEGABYTES_MORE = 20.0
CONFIG = "workbook.toml"


def timed(command: list, **more) -> float:
    """Run a command to its end; give its seconds."""
    started = time.perf_counter()
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, capture_output=True, text=True, **more
    )
    if done.returncode:
        raise SystemExit(f"{command}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    return time.perf_counter() - started


def by_commands(notebook: Path, folder: Path, parameters: dict) -> float:
    """Print a notebook as one would without us: papermill's command, then nbconvert's."""
    made = folder / f"{notebook.stem}-{'-'.join(map(str, parameters.values()))}.ipynb".replace(
        "/", "-"
    )
    given = [part for name, value in parameters.items() for part in ("-r", name, value)]
    seconds = timed([BIN / "papermill", notebook, made, "--no-progress-bar", "--cwd", ROOT, *given])
    return seconds + timed(
        [BIN / "jupyter", "nbconvert", "--to", "html", "--no-input", "--log-level=ERROR", made]
    )


# ---- dealers' cards ------------------------------------------------------------------------------


def card_pages(n: int, folder: Path) -> tuple:
    from helpers import data
    from helpers.press import pages

    book = data.workbook(ROOT / CONFIG)
    made_of = pages.ingredients(book, folder, PERIOD)
    ids = pages.dealers_asked_for(book, PERIOD, n)
    return pages.ready_pages(book, [CARD], ["en"], PERIOD, made_of, ids, ["us"]), made_of["data"]


def press_cards(n: int, folder: Path) -> None:
    """Print cards with the press, its warm process and the network's tables included."""
    from helpers.press import printing

    (folder / "work").mkdir(parents=True)
    asked, fingerprint = card_pages(n, folder)
    found = printing.print_pages(asked, folder, folder / "work", fingerprint, workers=WORKERS)
    assert not found.failed, found.failed
    assert len(list((folder / ".pages").glob("*/page.html"))) == n


def plain_cells(n: int, turn: int, folder: Path) -> None:
    """Run the cells of every second card one after another in this process, figures drawn.

    The limit.

    There is no kernel, no message, no isolation: what a card leaves behind, the next one finds.
    """
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.enable_gui = lambda *_args, **_options: None
    shell.kernel = None  # that there is one tells `style` to draw a figure as on a page, once
    shell.run_line_magic("matplotlib", "inline")
    import matplotlib.pyplot as plt
    from nbformat import v4

    from helpers.press import edition

    asked, _fingerprint = card_pages(n, folder)
    for page in itertools.islice(asked, turn, None, WORKERS):
        notebook = json.loads(page.notebook)
        made = []
        for cell in notebook["cells"]:
            if cell["cell_type"] != "code":
                made.append(v4.new_markdown_cell(cell["source"]))
                continue
            source = "".join(cell["source"])
            if "parameters" in cell["metadata"].get("tags", []):
                source += "".join(
                    f"\n{name} = {value!r}" for name, value in page.parameters.items()
                )
            ran = shell.run_cell(source, silent=True)
            ran.raise_error()
            shown = [ran.result] if ran.result is not None else []
            shown += [plt.figure(number) for number in plt.get_fignums()]
            outputs = [
                v4.new_output("display_data", *shell.display_formatter.format(thing))
                for thing in shown
            ]
            plt.close("all")
            made.append(v4.new_code_cell(source, outputs=outputs))
        (folder / page.key).mkdir(parents=True)
        edition.write_page(folder / page.key, v4.new_notebook(cells=made), page.name)


def cards(n: int, n_peer: int, n_turns: int, folder: Path) -> bool:
    """Compare the press with commands and with plain processes, all on the same cards."""
    here = [sys.executable, __file__, "--side"]
    print(f"{n} dealer cards, English, {WORKERS} workers", flush=True)
    cache = {**os.environ, "WORKBOOK_CACHE": str(folder / "cache")}
    # the tables are read once, whoever comes first
    timed([*here, "prepare", folder / "prepare"], env=cache)

    def apart(name: str) -> dict:  # each side works out what it keeps for itself
        shutil.copytree(folder / "cache", folder / f"cache-{name}")
        return {**os.environ, "WORKBOOK_CACHE": str(folder / f"cache-{name}")}

    def pressed(turn: int) -> float:
        return timed([*here, f"press {n}", folder / f"press{turn}"], env=apart(f"press{turn}")) / n

    def plain(turn: int) -> float:
        env, started = apart(f"plain{turn}"), time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as both:
            sides = [
                [*here, f"plain {n} {worker}", folder / f"plain{turn}-{worker}"]
                for worker in range(WORKERS)
            ]
            list(both.map(lambda side: timed(side, env=env), sides))
        return (time.perf_counter() - started) / n

    # a machine's speed changes within minutes
    turns = [(pressed(turn), plain(turn)) for turn in range(n_turns)]
    ours, limit = (statistics.median(side) for side in zip(*turns, strict=True))
    ratio = statistics.median(one / other for one, other in turns)
    asked, _fingerprint = card_pages(n_peer, folder)
    (folder / "peer").mkdir()
    peers = apart("peer")
    os.environ |= peers
    by_commands(CARD, folder / "peer", asked[0].parameters)  # works out what is kept
    peer = sum(by_commands(CARD, folder / "peer", page.parameters) for page in asked) / len(asked)
    print(f"  ours                               {ours:6.2f} s a card   (at most {SECONDS_A_CARD})")
    print(
        f"  papermill, then nbconvert          {peer:6.2f} s a card   ratio {peer / ours:5.1f}  "
        f"(at least {TIMES_FASTER:g}; of {len(asked)} cards, one after another)"
    )
    print(
        f"  plain processes, one a core        {limit:6.2f} s a card   ratio {ratio:5.2f}  (at "
        f"most {TIMES_LIMIT}; the same cells and HTML; medians of {n_turns} turns)",
        flush=True,
    )
    return ours <= SECONDS_A_CARD and peer / ours >= TIMES_FASTER and ratio <= TIMES_LIMIT


# ---- the edition ---------------------------------------------------------------------------------


def edition(folder: Path) -> bool:
    """Compare a month's edition in two languages with the same pages printed by commands, one after
    another.
    """
    languages = ("en", "zh-Hans")
    env = {**os.environ, "WORKBOOK_CACHE": str(folder / "cache")}
    command = [
        BIN / "workbook",
        "report",
        PERIOD,
        "--out",
        folder / "reports",
        "--workers",
        WORKERS,
    ]
    command += [part for language in languages for part in ("--language", language)]
    timed([sys.executable, __file__, "--side", "prepare", folder / "prepare"], env=env)
    ours = timed(command, env=env)
    again = timed(command, env=env)
    pages = sorted((ROOT / "notebooks").glob("0[1-6]_*.ipynb"))
    (folder / "peer").mkdir()
    os.environ["WORKBOOK_CACHE"] = str(folder / "cache-peer")
    shutil.copytree(folder / "cache", folder / "cache-peer", ignore=shutil.ignore_patterns("kept"))
    given = {"period": PERIOD, "config": CONFIG}
    peer = sum(
        by_commands(page, folder / "peer", given | {"language": code})
        for code in languages
        for page in pages
    )
    print(f"an edition of {len(pages)} pages in {len(languages)} languages, Excel included")
    print(f"  ours                               {ours:6.1f} s")
    print(
        f"  again, nothing changed             {again:6.1f} s            (under {AGAIN_SECONDS:g})"
    )
    print(
        f"  papermill, then nbconvert          {peer:6.1f} s   ratio {peer / ours:5.1f}  (at least "
        f"{EDITION_FASTER:g})",
        flush=True,
    )
    return peer / ours >= EDITION_FASTER and again < AGAIN_SECONDS


# ---- many pages ----------------------------------------------------------------------------------


def many(n: int, folder: Path) -> bool:
    """Print trivial pages, and see what the driver gains and what is left."""
    import threading

    import psutil

    from helpers.press import pages, printing

    (folder / "work").mkdir(parents=True)
    cells = [
        {
            "cell_type": "code",
            "id": "a",
            "metadata": {"tags": ["parameters"]},
            "source": 'period = ""',
            "execution_count": None,
            "outputs": [],
        },
        {"cell_type": "markdown", "id": "b", "metadata": {}, "source": "# A page"},
    ]
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    text = json.dumps({"cells": cells, "metadata": spec, "nbformat": 4, "nbformat_minor": 5})

    def asked(first: int, last: int) -> list:
        return [
            pages.Page("page", "en", f"k{i:06}", text, {"period": PERIOD}, f"D{i}", "us")
            for i in range(first, last)
        ]

    me = psutil.Process()
    printing.PRELOAD = ["helpers.report"]
    quiet = open(os.devnull, "w")  # noqa: PTH123, SIM115
    shown, sys.stderr = sys.stderr, quiet
    # imports and caches fill
    printing.print_pages(asked(0, 50), folder, folder / "work", "data", workers=WORKERS)
    thousands = asked(50, n + 50)
    before = (me.num_fds(), threading.active_count(), len(me.children(recursive=True)))
    memory, started = me.memory_info().rss, time.perf_counter()
    printing.print_pages(thousands, folder, folder / "work", "data", workers=WORKERS)
    seconds, grown = time.perf_counter() - started, (me.memory_info().rss - memory) / 1e6
    sys.stderr = shown
    after = (me.num_fds(), threading.active_count(), len(me.children(recursive=True)))
    whole = len(list((folder / ".pages").glob("*/page.html")))
    print(
        f"{n:,} trivial pages: {1000 * seconds / n:.0f} ms each; the driver grew by {grown:.1f} "
        f"MB (under {MEGABYTES_MORE:g}); descriptors, threads, children before {before}, after "
        f"{after}",
        flush=True,
    )
    return grown < MEGABYTES_MORE and after <= before and whole == n + 50


# ---- real data -----------------------------------------------------------------------------------


def iowa(n: int, folder: Path) -> bool:
    """Print Iowa's edition, then store cards into it; figures only, nothing may be lost."""
    if not os.environ.get("IOWA_DATA"):
        print("iowa: left out, IOWA_DATA does not say where its files are")
        return True
    command = [
        BIN / "workbook",
        "report",
        IOWA_PERIOD,
        "--config",
        ROOT / "examples/iowa/full.toml",
        "--language",
        "en",
        "--out",
        folder / "iowa",
        "--workers",
        WORKERS,
    ]
    os.environ["WORKBOOK_CACHE"] = str(folder / "cache")
    first = timed(command)
    with_cards = timed([*command, "--cards", n])
    again = timed([*command, "--cards", n])
    place = next((folder / "iowa").glob("????-??"))
    cards = [page for page in (place / "cards").glob("*.html") if page.name != "index.html"]
    heaviest = max(page.stat().st_size for page in cards) / 1000
    print(
        f"Iowa: edition {first:.1f} s from nothing; {n} store cards into it {with_cards:.1f} s "
        f"({with_cards / n:.2f} s a card, binding included); again {again:.1f} s; {len(cards)} "
        f"cards there, the heaviest {heaviest:.0f} KB",
        flush=True,
    )
    return len(cards) == n


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["cards", "edition", "pages", "iowa"], action="append")
    parser.add_argument("--cards", type=int, default=200)
    parser.add_argument("--peer-cards", type=int, default=8, help="cards printed by commands")
    parser.add_argument("--turns", type=int, default=3, help="of the press and of plain processes")
    parser.add_argument("--pages", type=int, default=5000)
    parser.add_argument("--iowa-cards", type=int, default=500)
    parser.add_argument("--side", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        what, folder = options.side[0].split(), Path(options.side[1])
        if what[0] == "prepare":
            from helpers import data

            data.prepare(data.workbook(ROOT / CONFIG))
        elif what[0] == "press":
            press_cards(int(what[1]), folder)
        else:
            plain_cells(int(what[1]), int(what[2]), folder)
        return 0
    parts = {
        "cards": lambda folder: cards(options.cards, options.peer_cards, options.turns, folder),
        "edition": edition,
        "pages": lambda folder: many(options.pages, folder),
        "iowa": lambda folder: iowa(options.iowa_cards, folder),
    }
    met = []
    for name in options.only or parts:
        with tempfile.TemporaryDirectory(prefix="press-") as folder:
            met.append(parts[name](Path(folder)))
    print("every target is met" if all(met) else "a target is missed")
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
