"""Every figure of the pages, drawn as the inline backend does by default and as we do.

Seconds and bytes.

`python tests/benchmarks/figure_speed.py` runs the notebooks' cells in this process, each cell with
a figure by turns for one side and the other, and prints medians of CPU time. By default means
matplotlib's constrained layout and IPython's own `print_figure`, which crops to a tight bounding
box. Exit code 1 if a target is missed.
"""

import argparse
import os
import statistics
import time

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.pylabtools import print_figure
from matplotlib.figure import Figure

from helpers import settings
from helpers.look import figures as drawing
from helpers.look.svg import markup

NOTEBOOKS = (
    "01_month",
    "02_segmentation",
    "03_abc_pareto",
    "04_receivables",
    "05_fishbone",
    "06_consumer_groups",
    "07_inventory_age",
    "08_dealer_profit",
    "09_dealer_card",
)
# ours in parts of the default's; size of what is SVG on both sides
TARGETS = {"time": 0.5, "size": 0.6}
NOT_RUN = {"interactive", "lang-en", "lang-zh"}


def by_default(figure: Figure, kind: str) -> bytes:
    """Draw as the inline backend does."""
    rect = figure.get_layout_engine().get()["rect"]
    figure.set_layout_engine("constrained", rect=rect)
    return print_figure(figure, fmt=kind, bbox_inches="tight", base64=False)


def ours(figure: Figure, kind: str) -> bytes:
    """Draw as a page of an edition gets it."""
    return drawing.rendered(figure, kind)[0]


def figures(shell: InteractiveShell, source: str, repeats: int) -> list[dict]:
    """Run a cell by turns for each side; -> a row per figure it draws."""
    rows: list[dict] = []
    for turn in range(repeats + 1):
        for side, draw in (("default", by_default), ("ours", ours)):
            plt.close("all")
            start = time.process_time()
            shell.run_cell(source, silent=True).raise_error()
            made = time.process_time() - start
            for at, number in enumerate(plt.get_fignums()):
                figure = plt.figure(number)
                kind = "png" if getattr(figure, "dense", False) else "svg"
                start = time.process_time()
                drawn = draw(figure, kind)
                seconds = time.process_time() - start
                if at == len(rows):
                    rows.append({"kind": kind, "made": [], "default": [], "ours": []})
                rows[at][f"{side} KB"] = len(drawn) / 1000
                if kind == "svg":
                    text = drawn if isinstance(drawn, str) else drawn.decode()
                    rows[at][f"{side} slim KB"] = len(markup.slim_svg(text)) / 1000
                if turn:  # the first warms up
                    rows[at]["made"].append(made)
                    rows[at][side].append(seconds)
    plt.close("all")
    return rows


def page(name: str, language: str, repeats: int) -> list[dict]:
    """Run a notebook; -> the rows of its figures, named by the function that draws them."""
    shell = InteractiveShell.instance()
    shell.reset(new_session=False)
    rows = []
    for cell in nbformat.read(
        settings.CHECKOUT / "notebooks" / f"{name}.ipynb", as_version=4
    ).cells:
        tags = set(cell.metadata.get("tags", []))
        if cell.cell_type != "code" or tags & NOT_RUN:
            continue
        source = cell.source + f"\nlanguage = {language!r}" * ("parameters" in tags)
        shell.run_cell(source, silent=True).raise_error()
        if plt.get_fignums():
            title = source.splitlines()[-1].partition("(")[0]
            rows += [
                {"page": name[:2], "figure": title} | row for row in figures(shell, source, repeats)
            ]
        plt.close("all")
    return rows


def main() -> None:
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ask.add_argument("--repeats", type=int, default=5)
    ask.add_argument("--language", default="en")
    ask.add_argument("--only", default="", help="notebooks whose names hold this")
    asked = ask.parse_args()
    os.chdir(settings.CHECKOUT)
    os.environ["WORKBOOK_PAGE"] = "1"
    mpl.use("Agg")
    rows = [
        row
        for name in NOTEBOOKS
        if asked.only in name
        for row in page(name, asked.language, asked.repeats)
    ]
    middle = [
        {side: 1000 * statistics.median(row[side]) for side in ("made", "default", "ours")}
        for row in rows
    ]
    print(
        f"{len(rows)} figures, CPU milliseconds, medians of {asked.repeats} turns; {asked.language}"
    )
    print(
        "                                         made  by default     ours  ratio   KB  "
        "slimmed     ours"
    )
    for row, ms in zip(rows, middle, strict=True):
        slimmed = f"{row['default slim KB']:8.1f}" if row["kind"] == "svg" else "     PNG"
        print(
            f"{row['page']} {row['figure']:34} {ms['made']:8.1f} {ms['default']:11.1f} "
            f"{ms['ours']:8.1f} {ms['ours'] / ms['default']:6.2f} {row['default KB']:5.0f} "
            f"{slimmed} {row['ours KB']:8.1f}"
        )
    mean = {side: statistics.mean(ms[side] for ms in middle) for side in middle[0]}
    lines = [row for row in rows if row["kind"] == "svg"]
    size = sum(row["ours KB"] for row in lines) / sum(row["default KB"] for row in lines)
    told = ", ".join(f"{side} {ms:.1f}" for side, ms in mean.items())
    print(
        f"mean ms: {told}; {mean['ours'] / mean['default']:.2f} of the time, {size:.2f} of the "
        "bytes"
    )
    missed = ["time"] * (mean["ours"] > TARGETS["time"] * mean["default"]) + ["size"] * (
        size > TARGETS["size"]
    )
    print(f"missed: {', '.join(missed)}" if missed else "every target is met")
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
