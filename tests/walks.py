"""Walking through a notebook's cells by hand, as far as a test needs them."""

import json
from collections.abc import Iterable

import matplotlib.pyplot as plt
import pandas as pd

from helpers import report, settings


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


def with_rules(book: settings.Workbook, question: str, **rules: object) -> settings.Workbook:
    """Open a workbook as it is, but with rules of its own for a question."""
    told = [f"{name} = {json.dumps(value)}" for name, value in rules.items()]
    text = book.path.read_text(encoding="utf-8")
    path = book.folder / f"{question}.toml"  # beside it, for paths are relative
    path.write_text("\n".join([text, f"[parameters.{question}]", *told, ""]), encoding="utf-8")
    return settings.workbook(path)


def malformed(recipe) -> list[tuple[str, object]]:
    """Give for each option of a recipe values that no option of its kind may have."""
    values = (float("nan"), float("inf"), -1, 10**9, "many", "", True, None, [1])
    found = [(name, value) for name in recipe.options for value in values]
    whole = [name for name, default in recipe.options.items() if isinstance(default, int)]
    return found + [(name, recipe.options[name] + 0.5) for name in whole]
