"""The shelf: where editions and finished pages stand, each put there whole or not at all."""

import contextlib
import ctypes
import filecmp
import hashlib
import json
import os
import re
import shutil
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from helpers import files, periods, words
from helpers.press import terminal
from helpers.press.manifests import (
    file_digest,
    files_of,
    laid_in,
    manifest_of,
    sealed,
    settings_of,
    start_page,
)
from helpers.settings import DataError, Workbook, refusal, scope_text

try:
    import fcntl
except ImportError:  # Windows: two runs of one edition are not kept apart there
    fcntl = None

# a finished page that no edition uses is kept this long, so that going back to it costs nothing
KEPT_DAYS = 7
SCOPES = "scopes"  # where editions of some dealers stand, beside those of all
WORKSHOPS = (".press", ".pages", ".pdfs")  # where work is done, and what is finished is kept
KEY = r"[0-9a-f]{20}"  # of a page
PAGE_FILES = re.compile(  # thumbnails are of earlier versions
    r"(?:page\.html|notebook\.ipynb|meta\.json|headlines\.jsonl|thumbnail\.\w{3}|tables)"
)
LIST_SEAL = re.compile(r"<!-- customer-workbook ([0-9a-f]{64}) -->\n")
NAMED_KEPT = 5  # files that are named when they are kept aside; the rest are counted
AT_CWD, EXCHANGE = -100, 2  # arguments of Linux's renameat2


class Printed(NamedTuple):
    """A page as it is bound into an edition.

    Where it stands, whether it was kept from an earlier run.

    A card also has its dealer and audience, and one that failed its reason instead of a folder's
    content.
    """

    name: str
    folder: Path
    kept: bool
    dealer_id: str = ""
    audience: str = ""
    failed: str = ""


def base(book: Workbook, out: str | Path | None = None) -> Path:
    """Give the folder of a workbook's editions.

    While a page is printed, that of the edition it belongs to.
    """
    given = out or os.environ.get("WORKBOOK_EDITIONS")
    folder = Path(given).expanduser().resolve() if given else book.project / "reports" / book.name
    # what is printed of some dealers stands apart, and compares with its own kind
    return folder / SCOPES / slug(book) if book.scope and (out or not given) else folder


def slug(book: Workbook) -> str:
    """Name the folder of a scope's editions."""
    return files.file_name(scope_text(book.scope))


def editions(folder: Path, workbook: str = "") -> list[str]:
    """List the periods that have an edition, of the workbook of this name where one is given.

    Oldest first.
    """
    named = sorted(path.name for path in folder.glob("[0-9][0-9][0-9][0-9]-[01][0-9]"))
    found = {name: manifest_of(folder / name) for name in named if "01" <= name[-2:] <= "12"}
    return [
        name
        for name, manifest in found.items()
        if manifest and workbook in ("", manifest["workbook"])
    ]


def earlier(folder: Path, period: str, workbook: str = "") -> str:
    """Name the last edition before a period; "" where there is none."""
    return max((name for name in editions(folder, workbook) if name < period), default="")


def _is_unreadable(file: Path) -> bool:
    """Tell whether a manifest is there that was cut off, or may not be read."""
    try:
        json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return file.is_file()
    return False


def require_own(folder: Path, name: str, book: Workbook) -> None:
    """Refuse to print an edition where something stands that no run of this workbook put there.

    Raises
    ------
    DataError
        Which names it.
    """

    for path in (folder, *(folder / shop for shop in WORKSHOPS), folder / name):
        if path.is_symlink() and path != folder:
            raise refusal("out_link", path=path)
        if path.exists() and not path.is_dir():
            raise refusal("out_file", path=path)
    place, listed = folder / name, folder / "index.html"
    manifest = manifest_of(place)
    workbook, tomls = book.name, settings_of(book, folder)
    if not manifest and _is_unreadable(place / "manifest.json"):
        raise refusal("out_manifest", path=place)
    if not manifest and place.is_dir() and any(place.iterdir()):
        raise refusal("out_foreign", path=place)
    if manifest and manifest["workbook"] != workbook:
        raise refusal("out_other", path=place, workbook=manifest["workbook"])
    # an edition of before this was written down has none
    if manifest and not set(tomls) & set(manifest.get("settings", tomls)):
        raise refusal("out_other_toml", path=place, workbook=workbook, toml=book.path)
    # an own list that somebody has changed is kept aside; where no edition is ours, neither is the
    # list
    known = _is_own_list(listed) or (not listed.is_dir() and editions(folder, workbook))
    if os.path.lexists(listed) and not known:
        raise refusal("out_index", path=listed)
    work = folder / ".press" / name
    if work.is_symlink() or (work.exists() and not work.is_dir()):
        raise refusal("out_work", path=work)
    for path in work.iterdir() if work.is_dir() else ():
        if path.is_symlink() or not path.is_dir() or not re.fullmatch(rf"edition|{KEY}", path.name):
            raise refusal("out_left", path=path)


def _keep(folder: Path, paths: Iterable[str], place: Path) -> Path | None:
    """Keep files of a folder beside its place, in `<place>.kept`.

    None where they are kept there already.
    """
    kept = [
        old
        for old in place.parent.glob(f"{_escaped(place.name)}.kept*")
        if old.is_dir() and not old.is_symlink()
    ]
    paths = [path for path in paths if not any(_is_same(folder / path, old / path) for old in kept)]
    if not paths:
        return None
    new, number = place.with_name(f"{place.name}.kept"), 1
    while os.path.lexists(new):
        number += 1
        new = place.with_name(f"{place.name}.kept-{number}")
    for path in paths:
        (new / path).parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(folder / path, new / path, follow_symlinks=False)
        except (OSError, NotImplementedError):  # a disk that has no links
            shutil.copy2(folder / path, new / path, follow_symlinks=False)
    more = f" and {len(paths) - NAMED_KEPT} more" if len(paths) > NAMED_KEPT else ""
    terminal.tell(
        f"workbook: {place.name}: not printed by the workbook, or changed since, and now kept in "
        f"{new}: {', '.join(paths[:NAMED_KEPT])}{more}"
    )
    return new


def _is_same(one: Path, other: Path) -> bool:
    try:
        if one.is_symlink() or other.is_symlink():
            return one.readlink() == other.readlink()
        return other.exists() and (one.samefile(other) or filecmp.cmp(one, other, shallow=False))
    except OSError:
        return False


def _escaped(name: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", name)


def write_list(folder: Path, page: str) -> None:
    """Write the list of editions, under a seal by which the next run knows it for its own.

    Another is kept aside.
    """
    listed = folder / "index.html"
    if os.path.lexists(listed) and not _is_own_list(listed):
        _keep(folder, [listed.name], listed)
    page = page.rstrip("\n") + "\n"
    files.write(
        listed, f"{page}<!-- customer-workbook {hashlib.sha256(page.encode()).hexdigest()} -->\n"
    )


def _is_own_list(listed: Path) -> bool:
    try:
        text = "" if listed.is_symlink() or not listed.is_file() else listed.read_bytes().decode()
    except (OSError, ValueError):
        return False
    page, line = text[: text.rfind("<!--")], text[text.rfind("<!--") :]
    found = LIST_SEAL.fullmatch(line)
    return found is not None and found[1] == hashlib.sha256(page.encode()).hexdigest()


@contextlib.contextmanager
def claimed(folder: Path, name: str) -> Iterator[Path]:
    """Keep an edition for this run alone and give it a folder to work in.

    What a dead run left is put right first.

    Raises
    ------
    DataError
        If another run is at the same edition.
    """
    press = folder / ".press"
    press.mkdir(parents=True, exist_ok=True)
    # neither through a link nor into a pipe, and what stands in the file stays
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(press / f"{name}.lock", flags, 0o666), "r+b", buffering=0) as file:
        try:
            if fcntl:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise refusal("another_run", name=name) from None
        _put_right(press / f"{name}.aside", folder / name)
        work = press / name
        # replaced, but not looked through, when its run died
        if "seal" in (manifest_of(work / "edition", name) or {}):
            _keep(work / "edition", laid_in(work / "edition", name), folder / name)
        files.remove(work)
        work.mkdir()
        try:
            yield work
        finally:
            files.remove(work)


def put(new: Path, place: Path) -> None:
    """Put a finished folder in its place.

    Whoever looks there sees the old one or the new one, whole.

    What people laid into the old one, or changed in it, is kept in `<place>.kept`, and said.
    """
    files.settle(new)
    if not place.exists():
        new.rename(place)
        files.sync(place.parent)
        return
    seen = _stamps(place)
    _keep(place, laid_in(place), place)
    old = new
    if not _exchange(new, place):
        old = place.parent / ".press" / f"{place.name}.aside"
        old.parent.mkdir(exist_ok=True)
        place.rename(old)
        new.rename(place)
    # while we looked
    if late := [path for path, stamp in _stamps(old).items() if seen.get(path) != stamp]:
        _keep(old, late, place)
    if old is not new:
        files.remove(old)
    files.sync(place.parent)


def _stamps(folder: Path) -> dict[str, tuple]:
    """Tell by number, size and time which files stand in a folder."""
    stats = {path: (folder / path).lstat() for path in files_of(folder)}
    return {path: (found.st_ino, found.st_size, found.st_mtime_ns) for path, found in stats.items()}


def store(new: Path, place: Path) -> None:
    """Keep a finished page; one that another run has kept in the meantime stays."""
    files.settle(new)
    place.parent.mkdir(exist_ok=True)
    with contextlib.suppress(OSError):  # "not empty": the same page is there already
        new.rename(place)
    files.sync(place.parent)


def require_writable(folder: Path, names: Iterable[str]) -> None:
    """Refuse to write tables over files that `write_tables` did not write there, or that were
    changed since.

    Raises
    ------
    DataError
        Which names the first.
    """
    try:
        file = folder / "manifest.json"
        manifest = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except (OSError, ValueError, RecursionError):
        manifest = {}
    manifest = manifest if isinstance(manifest, dict) else {}
    named = manifest.get("files")
    own = (
        isinstance(named, dict) and "diff" in manifest and manifest.get("seal") == sealed(manifest)
    )
    if os.path.lexists(folder) and not folder.is_dir():
        raise refusal("out_is_file", folder=folder)
    for name in ("manifest.json", *names):
        if not os.path.lexists(folder / name) or (own and name == "manifest.json"):
            continue
        if not own or file_digest(folder / name) != named.get(name):
            raise refusal("out_changed", path=folder / name)


def write_tables(
    folder: Path, tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]
) -> None:
    """Write tables as CSV into a folder, and a manifest that names them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        files.write(folder / f"{name}.csv", files.csv_of(table))
    manifest = {
        **about,
        "files": {f"{name}.csv": file_digest(folder / f"{name}.csv") for name in tables},
    }
    manifest["seal"] = sealed(manifest)
    files.write(folder / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1))


def read_tables(edition: Path, language: str = "") -> dict[str, pd.DataFrame]:
    """Read all tables of an edition, as printed in a language or, where it was not, in the
    edition's first one.
    """
    folder = (
        edition / language
        if language and (edition / language / "manifest.json").is_file()
        else edition
    )
    return {path.stem: files.read_table(path) for path in sorted((folder / "tables").glob("*.csv"))}


def pack(edition: Path, name: str) -> Path:
    """Pack an edition into one zip within it, to mail.

    Unpacked, it is a folder of that name, and beside it the one page to open: the front page, which
    can be read before anything is unpacked, and leads into the folder afterwards.
    """
    place = edition / f"{name}.zip"
    files = sorted(path for path in edition.rglob("*") if path.is_file())
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.html", start_page(edition, name))
        for file in files:
            archive.write(file, f"{name}/{file.relative_to(edition).as_posix()}")
    return place


def prune(folder: Path) -> None:
    """Remove pages that no edition holds, and finished PDFs, that were not used for a week.

    And nothing but these.
    """
    places = [
        path.parent for path in (*folder.glob("*/manifest.json"), *folder.glob("*/*/manifest.json"))
    ]
    held = [manifest_of(place) or manifest_of(place, place.parent.name) or {} for place in places]
    used = {
        page["key"]
        for manifest in held
        for page in (*manifest.get("pages", ()), *manifest.get("cards", ()))
    }
    for page in (folder / ".pages").glob("*"):
        if page.name not in used and is_page(page) and _is_old(page):
            files.remove(page)
    finished = re.compile(rf"{KEY}\.pdf|\.{KEY}\.pdf\.\d+\.[0-9a-f]{{8}}\.part")
    for pdf in (folder / ".pdfs").glob("*"):  # an edition has a copy
        if finished.fullmatch(pdf.name) and pdf.is_file() and not pdf.is_symlink() and _is_old(pdf):
            pdf.unlink()


def is_page(place: Path) -> bool:
    """Tell whether a folder is nothing but a finished page."""
    if place.is_symlink() or not place.is_dir() or not re.fullmatch(KEY, place.name):
        return False
    return all(PAGE_FILES.fullmatch(path.name) for path in place.iterdir()) and all(
        path.is_file() and path.suffix == ".csv" and not path.is_symlink()
        for path in (place / "tables").glob("*")
    )


def _is_old(path: Path) -> bool:
    return time.time() - path.stat().st_mtime > KEPT_DAYS * 86400


def require_edition(folder: Path, period: str, workbook: str = "") -> Path:
    """Give the folder of an edition that exists.

    Raises
    ------
    DataError
        If there is none; those that exist are named.
    """
    try:
        periods.require_month(period)
    except ValueError as error:
        raise DataError(str(error)) from None
    if period not in editions(folder, workbook):
        known = ", ".join(editions(folder, workbook)) or words.message("refused.none_yet")
        raise refusal("no_edition", period=period, known=known)
    return folder / period


def _put_right(aside: Path, place: Path) -> None:
    """Bring back an edition that a run without renameat2 had laid aside when it died."""
    if aside.exists() and not place.exists():
        aside.rename(place)
    elif aside.is_dir() and not aside.is_symlink():
        _keep(aside, laid_in(aside, place.name), place)
        files.remove(aside)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places at once; False where the system can't."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    return renameat2(AT_CWD, os.fsencode(one), AT_CWD, os.fsencode(other), EXCHANGE) == 0
