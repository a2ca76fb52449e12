"""The shelf: where editions and finished pages stand, each put there whole or not at all."""

import contextlib
import ctypes
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from helpers import periods
from helpers.settings import ROOT, DataError, Workbook

try:
    import fcntl
except ImportError:  # Windows: two runs of one edition are not kept apart there
    fcntl = None

KEPT_DAYS = 7  # a finished page that no edition uses is kept this long, so that going back to it costs nothing
AT_CWD, EXCHANGE = -100, 2  # arguments of Linux's renameat2


def base(book: Workbook, out: str | Path | None = None) -> Path:
    """Give the folder of a workbook's editions; while a page is printed, that of the edition it belongs to."""
    given = out or os.environ.get("WORKBOOK_EDITIONS")
    return Path(given).expanduser().resolve() if given else ROOT / "reports" / book.name


def editions(folder: Path) -> list[str]:
    """List the periods that have an edition, oldest first."""
    found = [path.parent.name for path in folder.glob("????-??/manifest.json")]
    return sorted(name for name in found if re.fullmatch(r"\d{4}-\d\d", name))


def earlier(folder: Path, period: str) -> str:
    """Name the last edition before a period; "" where there is none."""
    return max((name for name in editions(folder) if name < period), default="")


@contextlib.contextmanager
def claimed(folder: Path, name: str) -> Iterator[Path]:
    """Keep an edition for this run alone and give it a folder to work in; what a dead run left is put right first.

    Raises
    ------
    DataError
        If another run is at the same edition.
    """
    press = folder / ".press"
    press.mkdir(parents=True, exist_ok=True)
    with (press / f"{name}.lock").open("w") as file:
        try:
            if fcntl:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DataError(f"{name}: another run is printing this edition; wait until it has ended") from None
        _put_right(press / f"{name}.aside", folder / name)
        work = press / name
        _remove(work)
        work.mkdir()
        try:
            yield work
        finally:
            _remove(work)


def put(new: Path, place: Path) -> None:
    """Put a finished folder in its place; whoever looks there sees the old one or the new one, whole."""
    settle(new)
    if not place.exists():
        new.rename(place)
    elif not _exchange(new, place):
        aside = place.parent / ".press" / f"{place.name}.aside"
        aside.parent.mkdir(exist_ok=True)
        place.rename(aside)
        new.rename(place)
        _remove(aside)
    _sync(place.parent)


def settle(folder: Path) -> None:
    """Have a folder's files on the disk before anything is renamed to it."""
    for path in (*folder.rglob("*"), folder):
        _sync(path)


def store(new: Path, place: Path) -> None:
    """Keep a finished page; one that another run has kept in the meantime stays."""
    settle(new)
    place.parent.mkdir(exist_ok=True)
    with contextlib.suppress(OSError):  # "not empty": the same page is there already
        new.rename(place)
    _sync(place.parent)


def write(path: Path, text: str) -> None:
    """Write a single file whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text, encoding="utf-8")
    _sync(part)
    part.replace(path)


def prune(folder: Path) -> None:
    """Remove pages that no edition holds and that were not used for a week."""
    manifests = [*folder.glob("*/manifest.json"), *folder.glob("*/*/manifest.json")]
    used = {page["key"] for path in manifests for page in json.loads(path.read_text(encoding="utf-8"))["pages"]}
    for page in (folder / ".pages").glob("*"):
        if page.name not in used and time.time() - page.stat().st_mtime > KEPT_DAYS * 86400:
            _remove(page)


def require_edition(folder: Path, period: str) -> Path:
    """Give the folder of an edition that exists.

    Raises
    ------
    DataError
        If there is none; those that exist are named.
    """
    periods.require_month(period)
    if period not in editions(folder):
        known = ", ".join(editions(folder)) or "none yet"
        raise DataError(f"{period}: no such edition; there is {known}; print it with: workbook report {period}")
    return folder / period


def _put_right(aside: Path, place: Path) -> None:
    """Bring back an edition that a run without renameat2 had laid aside when it died."""
    if aside.exists() and not place.exists():
        aside.rename(place)
    _remove(aside)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places at once; False where the system can't."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    return renameat2(AT_CWD, os.fsencode(one), AT_CWD, os.fsencode(other), EXCHANGE) == 0


def _sync(path: Path) -> None:
    if os.name == "nt":
        return  # neither folders nor files opened for reading can be synced there
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
