"""Start: which command JupyterLab is, and in which environment; this process becomes it."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from helpers.settings import CHECKOUT, NOTEBOOKS, Workbook, refusal

FOLDER = Path(__file__).parent
START = {"en": "README.md", "zh-Hans": "README.zh.md", "zh-Hant": "README.zh.md"}


def run(book: Workbook, scope: str = "", question: str = "", options: Sequence[str] = ()) -> int:
    """Become JupyterLab on a workbook's notebooks, or on the one of a question.

    Parameters
    ----------
    scope
        As it was given, for the notebooks to cut by.
    options
        Jupyter's own, handed on as they are; they win over ours.

    Raises
    ------
    DataError
        If the workbook has no notebooks of its own, or none of this question.
    """
    told = environment(os.environ, book, scope)
    return _become(command(place(book, question), book.languages[0], options), told)


def place(book: Workbook, question: str = "") -> Path:
    """Find the folder of the notebooks, or the notebook of a question."""
    if not CHECKOUT and book.notebooks == NOTEBOOKS:
        # opened where the package is installed, they would be changed there
        raise refusal("no_notebooks_here", folder=book.project)
    if not question:
        return book.notebooks
    found = sorted(book.notebooks.glob(f"[0-9][0-9]_{question}.ipynb"))
    if not found:
        raise refusal("no_notebook_of", folder=book.notebooks, question=question)
    return found[0]


def command(where: Path, language: str, options: Sequence[str] = ()) -> list[str]:
    """Write the command: JupyterLab at a place, on the start page where that is a folder."""
    made = [sys.executable, "-m", "jupyterlab", str(where)]
    # keeps the pop-up about news and updates away, and opens texts as they are read
    made += [f"--LabApp.app_settings_dir={FOLDER / 'settings'}"]
    page = START[language]
    if where.is_dir() and (where / page).is_file():
        made += [f"--LabApp.default_url=/lab/tree/{page}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        made += ["--allow-root"]  # who starts it as root has decided so
    return [*made, *options]


def environment(given: Mapping[str, str], book: Workbook, scope: str = "") -> dict[str, str]:
    """Give the environment: which workbook, and where Jupyter finds what is ours.

    What stands on its paths already is looked at after ours.
    """
    ours = {"JUPYTER_PATH": FOLDER / "share", "JUPYTER_CONFIG_PATH": FOLDER / "etc"}
    paths = {
        name: os.pathsep.join(filter(None, [str(path), given.get(name, "")]))
        for name, path in ours.items()
    }
    return {**given, **paths, "WORKBOOK_CONFIG": str(book.path), "WORKBOOK_SCOPE": scope}


def _become(made: list[str], told: dict[str, str]) -> int:
    """Replace this process, so that whoever ends it ends JupyterLab, and none is left behind."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "posix":
        return subprocess.call(made, env=told)  # Windows replaces no process
    return os.execve(made[0], made, told)
