"""Where things lie: what the package ships, and a workbook's project.

Shipped are the reference tables, the notebooks and the lock (`helpers.SHIPPED`); nothing is ever
written there but by who works on a checkout. Reports, cache and demo lie in the project.
"""

import functools
from pathlib import Path

from helpers import CHECKOUT, SHIPPED

NUMBERED = "[0-9][0-9]_*.ipynb"  # a number for the order, then the question
NOTEBOOKS = SHIPPED / "notebooks"


def near() -> Path | None:
    """Find the workbook.toml of the folder we stand in, or the nearest above it."""
    here = Path.cwd()
    tomls = (folder / "workbook.toml" for folder in (here, *here.parents))
    return next((toml for toml in tomls if toml.is_file()), None)


def project_of(toml: Path) -> Path:
    """Give the project of a toml: the nearest folder, its own or above, that has notebooks.

    Else the checkout where the package runs from one, and the toml's own folder where it is
    installed.
    """
    return _with_notebooks(toml.parent) or CHECKOUT or toml.parent


def project_here() -> Path | None:
    """Give the project of the folder we stand in, as `project_of` does; None where there is none.

    It is asked for what belongs to no toml.
    """
    return _with_notebooks(Path.cwd()) or CHECKOUT


def notebooks_of(project: Path) -> Path:
    """Give the folder of a project's notebooks; the shipped ones where it has none."""
    return project / "notebooks" if _has_notebooks(project) else NOTEBOOKS


def own_table(toml: Path, name: str) -> Path | None:
    """Find a reference table of a workbook's own.

    Beside its toml, else where `workbook new` lays it, in the project's `data/reference/`.
    """
    laid = project_of(toml) / "data" / "reference"
    # with the contract among them they are those that a checkout ships, whichever one it is
    places = [toml.parent] if (laid / "columns.csv").exists() else [toml.parent, laid]
    return next((f for f in (place / f"{name}.csv" for place in places) if f.is_file()), None)


def question_of(notebook: str) -> str:
    """Give the question a numbered notebook answers; other names stand for themselves.

    >>> question_of("03_abc_pareto"), question_of("scratch")
    ('abc_pareto', 'scratch')
    """
    number, _line, question = notebook.partition("_")
    return question if len(number) == 2 and number.isdecimal() and question else notebook


@functools.cache
def notebook_of(question: str) -> str:
    """Name the notebook that answers a question, with its number; a question that has none stands
    for itself.
    """
    found = sorted(NOTEBOOKS.glob(f"[0-9][0-9]_{question}.ipynb"))
    return found[0].stem if found else question


def page_of(question: str) -> str:
    """Name the page that answers a question, as a link to it is written."""
    return f"{notebook_of(question)}.html"


def _with_notebooks(folder: Path) -> Path | None:
    return next((place for place in (folder, *folder.parents) if _has_notebooks(place)), None)


def _has_notebooks(folder: Path) -> bool:
    return any((folder / "notebooks").glob(NUMBERED))
