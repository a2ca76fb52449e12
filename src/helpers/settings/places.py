"""Where the package, the project and its notebooks lie."""

import functools
from pathlib import Path

PACKAGE = Path(__file__).parents[1]  # all that runs
ROOT = PACKAGE.parents[1]  # reports, cache and reference tables lie in the project
NOTEBOOKS = ROOT / "notebooks"
NUMBERED = "[0-9][0-9]_*.ipynb"  # a number for the order, then the question


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
