"""What was worked out once is kept.

For the next page, the next language, the next card, the next morning.

A result is kept by all it is made of: the data's fingerprint, the workbook's settings, the
reference tables, the code as it was loaded, the versions of who computes, and the arguments.
Nothing is kept where one of these can't be told: of a server's tables outside a run of the press,
or after a helper was edited under a running kernel.
"""

import contextlib
import functools
import importlib.metadata
import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import joblib

from helpers import files, words
from helpers.data import connections, tables
from helpers.settings import PACKAGE, Workbook, project_here

# of who computes
VERSIONS = [importlib.metadata.version(name) for name in ("numpy", "pandas", "scikit-learn")]
KEPT_DAYS = 7  # since a result was asked for last
# what we write there, whole or as a part
OWN = re.compile(r"\w+\.[0-9a-f]{32}\.pickle|\.\w+\.[0-9a-f]{32}\.pickle\.\d+\.[0-9a-f]{8}\.part")
IN_USE = True

Arguments, Result = ParamSpec("Arguments"), TypeVar("Result")


def kept(question: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let a function's results be kept.

    Its arguments are workbooks, tables, plain values and tuples.

    It must depend on nothing else, the language spoken included, and give tables, plain values, or
    tuples and dicts of them.
    """

    @functools.wraps(question)
    def asked(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        book = next(
            (value for value in (*args, *kwargs.values()) if isinstance(value, Workbook)), None
        )
        cache = _cache(book)
        made_of = _made_of(question, book, args, kwargs) if cache else ""
        if not made_of:
            return question(*args, **kwargs)
        file = cache / "kept" / f"{question.__name__}.{made_of}.pickle"
        try:
            with file.open("rb") as there:
                found = pickle.load(there)
            os.utime(file)
        except (OSError, EOFError, pickle.UnpicklingError, AttributeError, ImportError, ValueError):
            found = question(*args, **kwargs)
            _keep(file, found)
        return found

    return asked


def _cache(book: Workbook | None) -> Path | None:
    """Give the workbook's cache.

    What is asked of tables alone is kept in the project we stand in; outside of any, nowhere.
    """
    if book:
        return connections.cache_of(book)
    project = project_here()
    return connections.CACHE or (project and project / "data" / "cache")


def _made_of(question: Callable, book: Workbook | None, args: tuple, kwargs: dict) -> str:
    """Hash all that a result is made of; "" where it can't be told."""
    if not IN_USE or not _as_loaded():
        return ""
    data = ""
    if book:
        data = os.environ.get("WORKBOOK_DATA", "") or (
            tables.fingerprint(book) if book.embedded else ""
        )
        if not data:
            return ""
    # what people wrote, and reference tables of their own
    places = (book.folder, book.project / "data" / "reference") if book else ()
    beside = {file for place in places for file in place.glob("*.csv")}
    stamps = _files_stamp([*words.REFERENCE.glob("*.csv"), *beside])
    told = [repr(value) if isinstance(value, Workbook) else value for value in args]
    named = {
        name: repr(value) if isinstance(value, Workbook) else value
        for name, value in kwargs.items()
    }
    # a text is hashed faster than its parts
    plain = repr((question.__module__, _CODE, data, stamps, VERSIONS))
    return joblib.hash((plain, told, sorted(named.items())))


def _files_stamp(paths) -> list[tuple[str, int, int]]:
    stats = ((str(path), path.stat()) for path in paths)
    return sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)


def _as_loaded() -> bool:
    """Tell whether the code is still what this process runs.

    Asked at each question, hence by the names known at the start: a module that joined is imported
    by one that was edited.
    """
    try:
        stats = [path.stat() for path in _PATHS]
    except OSError:
        return False
    return all(
        (stat.st_size, stat.st_mtime_ns) == (size, when)
        for stat, (_, size, when) in zip(stats, _LOADED, strict=True)
    )


def _keep(file: Path, found: object) -> None:
    """Write a result whole or not at all.

    A disk that is full, or can't be written to, keeps nothing.
    """
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        files.write(file, pickle.dumps(found, protocol=pickle.HIGHEST_PROTOCOL), synced=False)
        files.clear(file.parent, OWN, KEPT_DAYS * 86400)


_LOADED = _files_stamp(PACKAGE.rglob("*.py"))  # the code this process runs
_PATHS = [Path(name) for name, *_ in _LOADED]
_CODE = joblib.hash(repr(_LOADED))
