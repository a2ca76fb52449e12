"""Run cells of a notebook in the process, and spoil options: what tests of recipes share."""

import ast
import json
import math
import typing
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import pandas as pd

from helpers import report, settings

NOT_RUN = {"parameters", "interactive", "by-hand", "solution"}


def run_cells(name: str, book: settings.Workbook, upto: str = "", **given: object) -> dict:
    """Run a notebook's code up to a cell, that one included, and give its variables.

    `upto` is the cell's id, or a text that it is the first to hold.

    What a last line shows is kept as `__shown__`, by the cell's id.
    """
    path = settings.CHECKOUT / "notebooks" / f"{name}.ipynb"
    room: dict = {"__shown__": {}}
    for cell in nbformat.read(path, as_version=4).cells:
        tags = set(cell.metadata.get("tags", []))
        if cell.cell_type == "code" and "parameters" in tags:
            exec(cell.source, room)
            room |= {"config": str(book.path), **given}
        if cell.cell_type == "code" and not tags & NOT_RUN:
            room["__shown__"][cell.id] = _run(cell.source, room)
        if upto and (cell.id == upto or (cell.cell_type == "code" and upto in cell.source)):
            break
    return room


def _run(source: str, room: dict) -> object:
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "cell", "exec"), room)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), room) if last else None


def published(folder: Path) -> dict[str, pd.DataFrame]:
    """Read what a notebook published into a page's folder (`WORKBOOK_PAGE`)."""
    return {path.stem: pd.read_csv(path) for path in sorted((folder / "tables").glob("*.csv"))}


def with_rules(
    book: settings.Workbook, question: str, rules: dict | None = None, **more: object
) -> settings.Workbook:
    """Open a workbook as it is, but with rules of its own for a question."""
    told = {**(rules or {}), **more}
    lines = [f"{name} = {json.dumps(value)}" for name, value in told.items()]
    there = len([*book.folder.glob("rules_*.toml")])  # an earlier one may still be read
    toml = book.path.with_name(f"rules_{there}.toml")  # beside it, for paths are relative
    head = book.path.read_text(encoding="utf-8")
    toml.write_text("\n".join([head, f"[parameters.{question}]", *lines, ""]), encoding="utf-8")
    return settings.workbook(toml)


def spoiled(recipe: Callable) -> Iterator[tuple[str, object]]:
    """Give values that no option of a recipe may take, with their names."""
    hints = typing.get_type_hints(recipe)
    wrong: dict[type, Iterable[object]] = {
        str: ["no such thing", "1/2", 5],
        int: ["x", 2.5, -1, 10**12, True],
        float: ["x", math.nan, math.inf, -1.0, 1e12, True],
    }
    for name in recipe.options:
        for value in wrong[hints[name]]:
            yield name, value


def walked(
    name: str, book: settings.Workbook, monkeypatch, *, only: Iterable[str] = (), **parameters
) -> tuple[dict, dict[str, pd.DataFrame]]:
    """Run a notebook's own cells, or `only` those of some ids and what comes before any heading.

    Gives what is known then, and the tables that were published.
    """
    published: dict[str, pd.DataFrame] = {}
    monkeypatch.setattr(report, "publish", lambda title, rows: published.setdefault(title, rows))
    path = settings.CHECKOUT / "notebooks" / name
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    known: dict = {}
    for cell in (c for c in cells if c["cell_type"] == "code"):
        if only and cell["id"] not in only and known.get("book"):
            continue
        exec("".join(cell["source"]), known)  # the notebook's own code
        if "parameters" in cell["metadata"].get("tags", []):
            known |= {"config": str(book.path), **parameters}
    plt.close("all")
    return known, published


def malformed(recipe) -> list[tuple[str, object]]:
    """Give for each option of a recipe values that no option of its kind may have."""
    values = (float("nan"), float("inf"), -1, 10**9, "many", "", True, None, [1])
    found = [(name, value) for name in recipe.options for value in values]
    whole = [name for name, default in recipe.options.items() if isinstance(default, int)]
    return found + [(name, recipe.options[name] + 0.5) for name in whole]
