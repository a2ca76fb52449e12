"""A new workbook: the folder that `workbook new` lays out, whole or not at all."""

import contextlib
import os
import re
import shlex
import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path

from helpers import files, words
from helpers.settings import NOTEBOOKS, NUMBERED, SHIPPED, contract, refusal
from helpers.settings.book import RESERVED

TEMPLATES = Path(__file__).parent / "templates" / "workbook"
# reference tables in which nobody decides anything: the code's, our words, the handbook's counts,
# what a simulation found, and the headers that are known before there is a workbook
NOT_DECIDED = (
    "call_rates",
    "columns",
    "terms",
    "sentences",
    "handbook_formats",
    "headers",
    "header_words",
)
# what is laid out, by the path that must not be there yet
LAID_OUT = (
    "workbook.toml",
    "README.md",
    ".gitignore",
    "notebooks",
    "reports",
    "data/README.md",
    "data/reference",
)
# of a folder, to be a workbook's name too; some names Windows keeps for devices
PLAIN_NAME = re.compile(rf"(?!{RESERVED.pattern}$)\w[\w-]{{0,62}}", re.IGNORECASE)


def make_workbook(folder: Path, *, demo: Callable[[Path], object] | None = None) -> None:
    """Lay out a workbook in a folder: its toml, notebooks, and the reference tables people edit.

    All of it or nothing: what fails leaves the folder as it was.

    Parameters
    ----------
    demo
        Writes the demo network into the folder given to it; the toml is the demo's then.

    Raises
    ------
    DataError
        If the folder holds anything that would be laid out, which is named.
    """
    parts = [*LAID_OUT, *(["data/demo"] if demo else [])]
    if there := next((part for part in parts if os.path.lexists(folder / part)), None):
        raise refusal("laid_there", path=folder / there, parts=", ".join(parts))
    if folder.exists() and not folder.is_dir():
        raise refusal("laid_file", folder=folder)
    home = next(place for place in (folder, *folder.parents) if place.is_dir())
    new = home / f".workbook-{os.getpid()}-new"
    new.mkdir()
    try:
        _lay_out(new, folder.name)
        if demo:
            shutil.copy(SHIPPED / "workbook.toml", new / "workbook.toml")
            demo(new / "data" / "demo")
        files.settle(new)
        _put(new, folder, parts)
    finally:
        files.remove(new)


def next_steps(folder: Path, *, demo: bool = False) -> list[str]:
    """Say what comes after a workbook was laid out: where it lies, and three steps, a line each."""
    first = (
        f"1. cd {shlex.quote(str(folder))}"
        if demo
        else f"1. cd {shlex.quote(str(folder))}, and say in workbook.toml where your tables lie"
    )
    return [
        f"{folder}: a workbook is laid out; next",
        first,
        "2. workbook check    says what is wrong in the data",
        "3. workbook report   prints the last complete month; workbook lab opens the notebooks",
    ]


def template(name: str) -> str:
    """Write the toml of a new workbook, with a line on every key and table there is."""
    name = name if PLAIN_NAME.fullmatch(name) else "workbook"
    text = (TEMPLATES / "workbook.toml").read_text(encoding="utf-8")
    # what stands behind it stays in its column
    text = re.sub(r'"NAME" +', lambda found: f'"{name}"'.ljust(len(found[0]) - 1) + " ", text)
    return text.replace("TABLES\n", "\n".join(map(_section, contract())))


def _section(table: str) -> str:
    """Write a table's section; all but sell-in, without which hardly anybody begins, is asleep."""
    columns = contract()[table]
    named = [
        "any further ones" if name == "*" else f"{name}{'*' * column.required}"
        for name, column in columns.items()
    ]
    told = textwrap.fill(
        f"{table}: {', '.join(named)}", 100, initial_indent="# ", subsequent_indent="#   "
    )
    asleep = "" if table == "sell_in" else "# "
    return f'{told}\n{asleep}[data.{table}]\n{asleep}source = "data/{table}.csv"\n'


def _lay_out(new: Path, name: str) -> None:
    for part in ("notebooks", "reports", "data/reference"):
        (new / part).mkdir(parents=True)
    (new / "workbook.toml").write_text(template(name), encoding="utf-8")
    page = (TEMPLATES / "README.md").read_text(encoding="utf-8")
    (new / "README.md").write_text(page.replace("NAME", name or "Workbook"), encoding="utf-8")
    shutil.copyfile(TEMPLATES / "gitignore", new / ".gitignore")
    shutil.copyfile(SHIPPED / "data" / "README.md", new / "data" / "README.md")
    # content alone: an environment may be read-only, a workbook is not
    for notebook in sorted([*NOTEBOOKS.glob(NUMBERED), *NOTEBOOKS.glob("README*.md")]):
        shutil.copyfile(notebook, new / "notebooks" / notebook.name)
    for table in sorted(words.REFERENCE.glob("*.csv")):
        if table.stem not in NOT_DECIDED:
            shutil.copyfile(table, new / "data" / "reference" / table.name)


def _put(new: Path, folder: Path, parts: list[str]) -> None:
    """Move what was laid out to its place: at once where there is no folder yet."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        new.rename(folder)
        return
    moved: list[Path] = []
    data = folder / "data"
    made = not data.exists()
    try:
        data.mkdir(exist_ok=True)
        for part in parts:
            (new / part).rename(folder / part)
            moved.append(folder / part)
    except BaseException:
        for place in moved:
            files.remove(place) if place.is_dir() else place.unlink()
        with contextlib.suppress(OSError):
            data.rmdir() if made else None
        raise
