"""Run cells of a notebook in the process, and spoil options: what tests of recipes share."""

import ast
import math
import typing
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import nbformat
import pandas as pd

from helpers import settings

NOT_RUN = {"parameters", "interactive", "by-hand", "solution"}


def run_cells(name: str, book: settings.Workbook, upto: str = "", **given: object) -> dict:
    """Run a notebook's code up to a cell, that one included, and give its variables.

    What a last line shows is kept as `__shown__`, by the cell's id.
    """
    path = settings.ROOT / "notebooks" / f"{name}.ipynb"
    room: dict = {"__shown__": {}}
    for cell in nbformat.read(path, as_version=4).cells:
        tags = set(cell.metadata.get("tags", []))
        if cell.cell_type == "code" and "parameters" in tags:
            exec(cell.source, room)
            room |= {"config": str(book.path), **given}
        if cell.cell_type == "code" and not tags & NOT_RUN:
            room["__shown__"][cell.id] = _run(cell.source, room)
        if cell.id == upto:
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


def with_rules(book: settings.Workbook, question: str, rules: dict) -> settings.Workbook:
    """Write the workbook's toml anew, with options of a question."""
    lines = [f"{name} = {repr(value).replace(chr(39), chr(34))}" for name, value in rules.items()]
    there = len([*book.folder.glob("rules_*.toml")])  # an earlier one may still be read
    toml = book.path.with_name(f"rules_{there}.toml")
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
