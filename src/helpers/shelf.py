"""The shelf: where editions and finished pages stand, each put there whole or not at all."""

import contextlib
import ctypes
import hashlib
import json
import os
import re
import shutil
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from helpers import periods
from helpers.settings import ROOT, DataError, Workbook

try:
    import fcntl
except ImportError:  # Windows: two runs of one edition are not kept apart there
    fcntl = None

KEPT_DAYS = 7  # a finished page that no edition uses is kept this long, so that going back to it costs nothing
FORMULA = re.compile(r"'*[=+\-@＝＋－＠\t\r\n]")  # how text begins that a spreadsheet would run
NUMBER = re.compile(r"-?(?:(?:0|[1-9]\d{0,14})(?:\.\d+)?(?:e[+-]?\d+)?|inf)")  # 00123 is the number of a shop
AT_CWD, EXCHANGE = -100, 2  # arguments of Linux's renameat2


class Printed(NamedTuple):
    """A page as it is bound into an edition: where it stands, whether it was kept from an earlier run.

    A card also has its dealer and audience, and one that failed its reason instead of a folder's content.
    """

    name: str
    folder: Path
    kept: bool
    dealer_id: str = ""
    audience: str = ""
    failed: str = ""


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
        remove(work)
        work.mkdir()
        try:
            yield work
        finally:
            remove(work)


def file_name(text: str) -> str:
    """Make a file's name, without ending, of a text from data, which itself is never trusted as a path.

    What can be read of it stays; the hash tells texts apart that look alike, on disks that ignore case, too.

    >>> file_name("D0012"), file_name("../../etc")
    ('d0012-b3a48119', 'etc-74ccf3c5')
    """
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40]
    return "-".join(filter(None, [plain, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]]))


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
        remove(aside)
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


def write(path: Path, content: str | bytes) -> None:
    """Write a single file whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        _sync(part)
        part.replace(path)
    except OSError:  # a full disk is not to be filled with parts
        part.unlink(missing_ok=True)
        raise


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table for Excel and pandas alike; text that a spreadsheet would take for a formula gets an apostrophe."""
    safe = table.rename(columns=_disarmed).map(_disarmed)
    # the mark at the start of the file tells Excel that it is UTF-8
    safe.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")


def read_table(path: Path) -> pd.DataFrame:
    """Read such a table back as it was; ids are text, and so is a column that holds a number like 00123."""
    try:
        rows = pd.read_csv(path, dtype="str", encoding="utf-8-sig", keep_default_na=False, na_values=[""],
                           lineterminator="\n")  # fmt: skip
    except pd.errors.EmptyDataError:  # a table without columns
        return pd.DataFrame()
    return rows.apply(_typed).rename(columns=_rearmed)


def read_tables(edition: Path, language: str = "") -> dict[str, pd.DataFrame]:
    """Read all tables of an edition, as printed in a language or, where it was not, in the edition's first one."""
    folder = edition / language if language and (edition / language / "manifest.json").is_file() else edition
    return {path.stem: read_table(path) for path in sorted((folder / "tables").glob("*.csv"))}


def _typed(values: pd.Series) -> pd.Series:
    known = values.dropna()
    if known.empty:
        return values.astype("float64")
    if not str(values.name).endswith("_id"):
        if known.isin(["True", "False"]).all():
            return values.map({"True": True, "False": False})
        if known.str.fullmatch(NUMBER).all():
            whole = len(known) == len(values) and known.str.fullmatch(r"-?\d+").all()
            return values.astype("int64" if whole else "float64")
    armed = known.index[known.str.startswith("'")]
    return values.where(~values.index.isin(armed), known[armed].map(_rearmed)) if len(armed) else values


def _disarmed(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def _rearmed(value: object) -> object:
    return value[1:] if isinstance(value, str) and value.startswith("'") and FORMULA.match(value) else value


def pack(edition: Path, name: str) -> Path:
    """Pack an edition into one zip within it, to mail; unpacked, it is a folder of that name."""
    place = edition / f"{name}.zip"
    files = sorted(path for path in edition.rglob("*") if path.is_file())
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, f"{name}/{file.relative_to(edition).as_posix()}")
    return place


def prune(folder: Path) -> None:
    """Remove pages that no edition holds, and finished PDFs, that were not used for a week."""
    manifests = [*folder.glob("*/manifest.json"), *folder.glob("*/*/manifest.json")]
    used = {page["key"] for path in manifests for page in json.loads(path.read_text(encoding="utf-8"))["pages"]}
    for page in (folder / ".pages").glob("*"):
        if page.name not in used and _is_old(page):
            remove(page)
    for pdf in (folder / ".pdfs").glob("*"):  # an edition has a copy
        if _is_old(pdf):
            pdf.unlink()


def _is_old(path: Path) -> bool:
    return time.time() - path.stat().st_mtime > KEPT_DAYS * 86400


def require_edition(folder: Path, period: str) -> Path:
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
    if period not in editions(folder):
        known = ", ".join(editions(folder)) or "none yet"
        raise DataError(f"{period}: no such edition; there is {known}; print it with: workbook report {period}")
    return folder / period


def _put_right(aside: Path, place: Path) -> None:
    """Bring back an edition that a run without renameat2 had laid aside when it died."""
    if aside.exists() and not place.exists():
        aside.rename(place)
    remove(aside)


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


def remove(folder: Path) -> None:
    """Remove a folder, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)
