"""The shelf: where editions and finished pages stand, each put there whole or not at all."""

import contextlib
import ctypes
import errno
import filecmp
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import stat
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from helpers import periods, terminal
from helpers.settings import ROOT, DataError, Workbook

try:
    import fcntl
except ImportError:  # Windows: two runs of one edition are not kept apart there
    fcntl = None

KEPT_DAYS = 7  # a finished page that no edition uses is kept this long, so that going back to it costs nothing
WORKSHOPS = (".press", ".pages", ".pdfs")  # where work is done, and what is finished is kept
KEY = r"[0-9a-f]{20}"  # of a page
PAGE_FILES = re.compile(r"(?:page\.html|notebook\.ipynb|meta\.json|headlines\.jsonl|thumbnail\.\w{3}|tables)")
LIST_SEAL = re.compile(r"<!-- customer-workbook ([0-9a-f]{64}) -->\n")
NAMED_KEPT = 5  # files that are named when they are kept aside; the rest are counted
# a disk that is full, may not be written to, or has something else where a file or folder should be
DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG, errno.EIO, errno.EEXIST,
               errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ESTALE}  # fmt: skip
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


# ---- what is ours ---------------------------------------------------------------------------------------------------


def manifest_of(place: Path, name: str = "") -> dict[str, Any] | None:
    """Read the manifest of an edition; None where there is none that a run of ours can have written.

    `name` is the edition's, where its folder has another: a language's, or that of work in progress.
    """
    try:
        file = place / "manifest.json"
        found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
    except (OSError, ValueError, RecursionError):
        return None
    texts, lists = ("workbook", "period", "printed"), ("pages", "cards")
    if not (
        isinstance(found, dict)
        and all(isinstance(found.get(name), str) for name in texts)
        and all(isinstance(found.get(name), list) for name in lists)
        and all(isinstance(page, dict) and isinstance(page.get("key"), str)
                for name in lists for page in found[name])
    ):  # fmt: skip
        return None
    return found if found["period"] == (name or place.name).removesuffix("-draft") else None


def editions(folder: Path, workbook: str = "") -> list[str]:
    """List the periods that have an edition, of the workbook of this name where one is given; oldest first."""
    named = sorted(path.name for path in folder.glob("[0-9][0-9][0-9][0-9]-[01][0-9]"))
    found = {name: manifest_of(folder / name) for name in named if "01" <= name[-2:] <= "12"}
    return [name for name, manifest in found.items() if manifest and workbook in ("", manifest["workbook"])]


def earlier(folder: Path, period: str, workbook: str = "") -> str:
    """Name the last edition before a period; "" where there is none."""
    return max((name for name in editions(folder, workbook) if name < period), default="")


def require_own(folder: Path, name: str, workbook: str) -> None:
    """Refuse to print an edition where something stands that no run of this workbook put there.

    Raises
    ------
    DataError
        Which names it.
    """

    def refuse(path: Path, what: str) -> None:
        raise DataError(f"{path}: {what}; move it away, or choose another folder with --out")

    for path in (folder, *(folder / shop for shop in WORKSHOPS), folder / name):
        if path.is_symlink() and path != folder:
            refuse(path, "a symbolic link stands where the workbook writes")
        if path.exists() and not path.is_dir():
            refuse(path, "a file stands where the workbook needs a folder")
    place, listed = folder / name, folder / "index.html"
    manifest = manifest_of(place)
    if not manifest and place.is_dir() and any(place.iterdir()):
        refuse(place, "this folder was not printed by the workbook, which would replace it")
    if manifest and manifest["workbook"] != workbook:
        refuse(place, f"here stands an edition of another workbook, {manifest['workbook']!r}")
    # an own list that somebody has changed is kept aside; where no edition is ours, neither is the list
    known = _is_own_list(listed) or (not listed.is_dir() and editions(folder, workbook))
    if os.path.lexists(listed) and not known:
        refuse(listed, "this file was not written by the workbook, which would replace it")
    work = folder / ".press" / name
    if work.is_symlink() or (work.exists() and not work.is_dir()):
        refuse(work, "this was not made by the workbook, which works here")
    for path in work.iterdir() if work.is_dir() else ():
        if path.is_symlink() or not path.is_dir() or not re.fullmatch(rf"edition|{KEY}", path.name):
            refuse(path, "this was not made by the workbook, which clears away here what a broken run left")


def seal(edition: Path, archive: str = "") -> None:
    """Have an edition's manifest name all its files by their digests, and the zip that it is packed into.

    What the manifest does not name, or names otherwise, is somebody else's: see `put`.
    """
    file = edition / "manifest.json"
    manifest = json.loads(file.read_text(encoding="utf-8"))
    manifest["files"] = {path: _digest(edition / path) for path in _files(edition) if path != "manifest.json"}
    manifest |= {"archive": archive} if archive else {}
    manifest["seal"] = _sealed(manifest)
    file.write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")


def _sealed(manifest: Mapping[str, Any]) -> str:
    told = {name: value for name, value in manifest.items() if name != "seal"}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def laid_in(edition: Path, name: str = "") -> list[str]:
    """List the files of an edition that people laid into it, or changed: all that its manifest does not name as it is.

    A manifest that was itself changed names nothing.
    """
    manifest = manifest_of(edition, name) or {}
    named = manifest.get("files")
    if not isinstance(named, dict) or manifest.get("seal") != _sealed(manifest):
        return _files(edition)
    found = [path for path in _files(edition) if path != "manifest.json" and _digest(edition / path) != named.get(path)]
    return [path for path in found if not (path == manifest.get("archive") and _is_packed(edition / path, edition))]


def is_whole(edition: Path) -> bool:
    """Tell whether all that an edition's manifest names is there as it names it; what people laid in is beside that."""
    manifest = manifest_of(edition) or {}
    named, archive = manifest.get("files"), manifest.get("archive")
    return (
        isinstance(named, dict) and manifest.get("seal") == _sealed(manifest)
        and all(_digest(edition / path) == digest for path, digest in named.items())
        and (not archive or _is_packed(edition / archive, edition))
    )  # fmt: skip


def _files(folder: Path) -> list[str]:
    """List the files of a folder by their paths within; links are not followed."""

    def told(error: OSError) -> None:
        raise error  # what can't be looked into can't be kept

    found = []
    for at, folders, files in os.walk(folder, onerror=told):
        linked = [name for name in folders if (Path(at) / name).is_symlink()]
        found += [(Path(at) / name).relative_to(folder).as_posix() for name in (*files, *linked)]
    return sorted(found)


def _digest(path: Path) -> str:
    """Hash a plain file; "" for a link, a device, and what may not be read."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _is_packed(archive: Path, edition: Path) -> bool:
    """Tell whether a zip is the one that was packed with this edition."""
    try:
        with zipfile.ZipFile(archive) as packed:
            names = [name for name in packed.namelist() if name.endswith("/manifest.json") and name.count("/") == 1]
            manifest = packed.read(names[0]) if len(names) == 1 else b""
            if manifest != (edition / "manifest.json").read_bytes():
                return False
            inside, named = f"{names[0].partition('/')[0]}/", json.loads(manifest)["files"]
            digests = {name: hashlib.sha256(packed.read(name)).hexdigest() for name in packed.namelist()}
            digests.pop(names[0])
            return not packed.comment and digests == {inside + path: digest for path, digest in named.items()}
    except (OSError, ValueError, LookupError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return False


def _keep(folder: Path, paths: Iterable[str], place: Path) -> Path | None:
    """Keep files of a folder beside its place, in `<place>.kept`; None where they are kept there already."""
    kept = [old for old in place.parent.glob(f"{_escaped(place.name)}.kept*") if old.is_dir() and not old.is_symlink()]
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
    terminal.tell(f"workbook: {place.name}: not printed by the workbook, or changed since, and now kept in {new}: "
                  f"{', '.join(paths[:NAMED_KEPT])}{more}")  # fmt: skip
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
    """Write the list of editions, under a seal by which the next run knows it for its own; another is kept aside."""
    listed = folder / "index.html"
    if os.path.lexists(listed) and not _is_own_list(listed):
        _keep(folder, [listed.name], listed)
    page = page.rstrip("\n") + "\n"
    write(listed, f"{page}<!-- customer-workbook {hashlib.sha256(page.encode()).hexdigest()} -->\n")


def _is_own_list(listed: Path) -> bool:
    try:
        text = "" if listed.is_symlink() or not listed.is_file() else listed.read_bytes().decode()
    except (OSError, ValueError):
        return False
    page, line = text[: text.rfind("<!--")], text[text.rfind("<!--") :]
    found = LIST_SEAL.fullmatch(line)
    return found is not None and found[1] == hashlib.sha256(page.encode()).hexdigest()


def disk_reason(error: BaseException) -> str:
    """Say why a disk did not take a file: it is full, or may not be written to; "" for an error of another kind."""
    if isinstance(error, OSError) and (error.errno in DISK_ERRORS or "temporary directory" in str(error)):
        return f"{f'{error.filename}: ' if error.filename else ''}{error.strerror or error}"
    kind = type(error)
    if kind.__module__.lstrip("_").partition(".")[0] == "duckdb":  # it spills to the cache
        spills = kind.__name__ == "OutOfMemoryException" and "temp_directory" in str(error)
        return str(error) if kind.__name__ == "IOException" or spills else ""
    return ""


# ---- putting things there -------------------------------------------------------------------------------------------


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
    # neither through a link nor into a pipe, and what stands in the file stays
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(press / f"{name}.lock", flags, 0o666), "r+b", buffering=0) as file:
        try:
            if fcntl:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DataError(f"{name}: another run is printing this edition; wait until it has ended") from None
        _put_right(press / f"{name}.aside", folder / name)
        work = press / name
        if "seal" in (manifest_of(work / "edition", name) or {}):  # replaced, but not looked through, when its run died
            _keep(work / "edition", laid_in(work / "edition", name), folder / name)
        remove(work)
        work.mkdir()
        try:
            yield work
        finally:
            remove(work)


def file_name(text: str) -> str:
    """Make a file's name, without ending, of a text from data, which itself is never trusted as a path.

    What can be read of it stays; the hash tells texts apart that look alike, on disks that ignore case, too.

    >>> file_name("../../etc")
    'etc-74ccf3c5b4c19a8167f9a3d1dd63e0e4'
    """
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:24]
    # 128 bits: nobody finds two names that share them, not even on purpose
    return "-".join(filter(None, [plain, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]]))


def put(new: Path, place: Path) -> None:
    """Put a finished folder in its place; whoever looks there sees the old one or the new one, whole.

    What people laid into the old one, or changed in it, is kept in `<place>.kept`, and said.
    """
    settle(new)
    if not place.exists():
        new.rename(place)
        _sync(place.parent)
        return
    seen = _stamps(place)
    _keep(place, laid_in(place), place)
    old = new
    if not _exchange(new, place):
        old = place.parent / ".press" / f"{place.name}.aside"
        old.parent.mkdir(exist_ok=True)
        place.rename(old)
        new.rename(place)
    if late := [path for path, stamp in _stamps(old).items() if seen.get(path) != stamp]:  # while we looked
        _keep(old, late, place)
    if old is not new:
        remove(old)
    _sync(place.parent)


def _stamps(folder: Path) -> dict[str, tuple]:
    """Tell by number, size and time which files stand in a folder."""
    stats = {path: (folder / path).lstat() for path in _files(folder)}
    return {path: (found.st_ino, found.st_size, found.st_mtime_ns) for path, found in stats.items()}


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
    part = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with part.open("xb") as file:  # never through what stands there
            file.write(content.encode() if isinstance(content, str) else content)
        _sync(part)
        part.replace(path)
    except OSError:  # a full disk is not to be filled with parts
        part.unlink(missing_ok=True)
        raise


def require_writable(folder: Path, names: Iterable[str]) -> None:
    """Refuse to write tables over files that `write_tables` did not write there, or that were changed since.

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
    own = isinstance(named, dict) and "diff" in manifest and manifest.get("seal") == _sealed(manifest)
    if os.path.lexists(folder) and not folder.is_dir():
        raise DataError(f"{folder}: this is a file; name a folder with --out")
    for name in ("manifest.json", *names):
        if not os.path.lexists(folder / name) or (own and name == "manifest.json"):
            continue
        if not own or _digest(folder / name) != named.get(name):
            raise DataError(f"{folder / name}: this file was not written by the workbook, or was changed since; "
                            f"move it away, or choose another folder with --out")  # fmt: skip


def write_tables(folder: Path, tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> None:
    """Write tables as CSV into a folder, and a manifest that names them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        write(folder / f"{name}.csv", _csv(table))
    manifest = {**about, "files": {f"{name}.csv": _digest(folder / f"{name}.csv") for name in tables}}
    manifest["seal"] = _sealed(manifest)
    write(folder / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1))


# ---- tables ---------------------------------------------------------------------------------------------------------

# Text that a spreadsheet would run: where a cell begins, and where one would begin for a reader who splits elsewhere.
# What is blank or unseen before a sign does not hide it; the small and full-width signs are read as the plain ones.
BREAKS = ";\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029"
BLANK = (
    "'\x00-\x08\x0e-\x1b\x1f \x7f-\x84\x86-\xa0\xad\u061c\u1680\u180e"
    "\u2000-\u200f\u202a-\u202f\u205f-\u206f\u3000\ufeff"
)
SIGNS = "=+\\-@＝＋－＠﹦﹢﹣﹫"
RUNS = rf"(?:(?:^|(?<=[{BREAKS}])){{}}(?=[{BLANK}]*[{SIGNS}])|^{{}}(?=[{BLANK}]*[\t\n\r]))"
ARMED, DISARMED = re.compile(RUNS.format("", "")), re.compile(RUNS.format("'", "'"))
QUOTED = re.compile(r"[\",;|\x00-\x1f\x7f-\x9f\u2028\u2029]|^\s|\s$")
NUMBER = re.compile(r"-?(?:(?:0|[1-9]\d{0,14})(?:\.\d+)?(?:e[+-]?\d+)?|inf)")  # 00123 is the number of a shop
PLAIN = re.compile(rf"{NUMBER.pattern}|True|False")  # text that looks like this is quoted, and so stays text
CELL = re.compile(r'("[^"]*(?:""[^"]*)*"|[^,\n]*)([,\n]|$)')
ALWAYS_TEXT = re.compile(r"(?:.*_)?(?:id|name|date|month|class|city|region|brand)")  # even where all cells are empty
# Money is plain by the contract, and so are scores and weights: an amount is known by its name.
AMOUNT = re.compile(
    r"(?:\w+_)?(?:revenue|profit|payments|purchases|rebate|cost|amount|value|balance|stake|spent|basket|monetary|earned|"
    r"earns|price)(?:_per_\w+|_\d\w*|_over_\w+|_unknown)?|usual_3m|expected_(?:low|high|gain)|came_gain"
)
MEASURES = ("indicator", "metric")  # columns that tell of what a row's values are
VALUE_OF = {*MEASURES, "feature", "item", "column", "measure"}  # beside them `value` is no amount


def is_amount(column: str, beside: Iterable[str] = ()) -> bool:
    """Tell whether numbers of this name are money; `beside` are the columns of the same table.

    >>> is_amount("revenue_3m"), is_amount("old_value"), is_amount("value", ["metric"]), is_amount("n_payments")
    (True, True, False, False)
    """
    if column.startswith(("n_", "rank_")) or (column == "value" and VALUE_OF & set(beside)):
        return False
    return AMOUNT.fullmatch(column) is not None


def is_formula(text: str) -> bool:
    """Tell whether a spreadsheet, or one that splits cells elsewhere, might run a text."""
    return ARMED.search(text) is not None


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table for Excel and pandas alike; text that a spreadsheet would take for a formula gets an apostrophe.

    Money has two decimals. What another reader might split a cell or a line at stands in quotes.
    """
    path.write_bytes(_csv(table))


def _csv(table: pd.DataFrame) -> bytes:
    names = [str(name) for name in table.columns]
    columns = [_texts(table.iloc[:, i], name, is_amount(name, names)) for i, name in enumerate(names)]
    rows = [[_text_cell(name, True) for name in names], *zip(*columns, strict=True)]
    if len(names) == 1:  # an empty line would be none
        rows = [[cell or '""'] for (cell,) in rows]
    text = "".join(",".join(row) + "\n" for row in rows)
    return text.encode("utf-8-sig", "backslashreplace")  # the mark at the start tells Excel that it is UTF-8


def _texts(values: pd.Series, name: str, money: bool) -> list[str]:
    """Write a column's cells; what is not known is empty."""
    if pd.api.types.is_datetime64_any_dtype(values):
        whole = bool((values.dropna() == values.dropna().dt.normalize()).all())
        return ["" if pd.isna(day) else str(day)[:10] if whole else str(day) for day in values]
    is_id = name.endswith("_id")
    return [_cell(value, money, is_id) for value in values.astype("object")]


def _cell(value: Any, money: bool, is_id: bool) -> str:
    if isinstance(value, str):
        return _text_cell(value, is_id)
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return ""
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return str(bool(value))
    if money and pd.api.types.is_number(value) and abs(value) < 1e15:
        return f"{value:.2f}".replace("-0.00", "0.00") if abs(value) < 0.01 else f"{value:.2f}"
    if pd.api.types.is_integer(value):
        return str(int(value))
    if pd.api.types.is_number(value):
        if isinstance(value, Decimal):
            return str(value)
        return f"{value:.16e}" if 1e15 <= abs(value) < 1e16 else repr(float(value))  # NUMBER's digits
    return _text_cell(str(value), is_id)


def _text_cell(text: str, is_id: bool = False) -> str:
    safe = ARMED.sub("'", text)
    if QUOTED.search(safe) or (not is_id and PLAIN.fullmatch(safe)):
        return '"' + safe.replace('"', '""') + '"'
    return safe


def read_table(path: Path) -> pd.DataFrame:
    """Read such a table back as it was; ids are text, and so is a column that holds a number like 00123."""
    source = path.read_bytes()
    try:
        rows = pd.read_csv(io.BytesIO(source), dtype="str", encoding="utf-8-sig", keep_default_na=False, na_values=[""],
                           lineterminator="\n")  # fmt: skip
    except pd.errors.EmptyDataError:  # a table without columns
        return pd.DataFrame()
    texts = _quoted_numbers(source.decode("utf-8-sig"))
    # column by column: `apply` leaves a table without rows as it is
    typed = [_typed(rows.iloc[:, i], i in texts) for i in range(rows.shape[1])]
    names = [DISARMED.sub("", name) for name in rows.columns]
    return pd.concat(typed, axis=1).set_axis(names, axis=1) if typed else rows


def _quoted_numbers(text: str) -> set[int]:
    """Find the columns that hold text which looks like a number, by the quotes in which it was written."""
    if not re.search(rf'"(?:{PLAIN.pattern})"', text):
        return set()
    found, column = set(), 0
    for cell in CELL.finditer(text):
        if cell[1].startswith('"') and PLAIN.fullmatch(cell[1][1:-1]):
            found.add(column)
        column = column + 1 if cell[2] == "," else 0
    return found


def read_tables(edition: Path, language: str = "") -> dict[str, pd.DataFrame]:
    """Read all tables of an edition, as printed in a language or, where it was not, in the edition's first one."""
    folder = edition / language if language and (edition / language / "manifest.json").is_file() else edition
    return {path.stem: read_table(path) for path in sorted((folder / "tables").glob("*.csv"))}


def _typed(values: pd.Series, is_text: bool = False) -> pd.Series:
    known, name = values.dropna(), str(values.name)
    if known.empty:
        return values if is_text or ALWAYS_TEXT.fullmatch(name) else values.astype("float64")
    if not (is_text or name.endswith("_id")):
        if known.isin(["True", "False"]).all():
            return values.map({"True": True, "False": False})
        if known.str.fullmatch(NUMBER).all():
            whole = len(known) == len(values) and known.str.fullmatch(r"-?\d+").all()
            return values.astype("int64" if whole else "float64")
    armed = known[known.str.contains("'", regex=False)]
    return values.where(~values.index.isin(armed.index), armed.map(lambda text: DISARMED.sub("", text)))


# ---- what is done with editions --------------------------------------------------------------------------------------


def pack(edition: Path, name: str) -> Path:
    """Pack an edition into one zip within it, to mail; unpacked, it is a folder of that name."""
    place = edition / f"{name}.zip"
    files = sorted(path for path in edition.rglob("*") if path.is_file())
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, f"{name}/{file.relative_to(edition).as_posix()}")
    return place


def prune(folder: Path) -> None:
    """Remove pages that no edition holds, and finished PDFs, that were not used for a week; and nothing but these."""
    places = [path.parent for path in (*folder.glob("*/manifest.json"), *folder.glob("*/*/manifest.json"))]
    held = [manifest_of(place) or manifest_of(place, place.parent.name) or {} for place in places]
    used = {page["key"] for manifest in held for page in (*manifest.get("pages", ()), *manifest.get("cards", ()))}
    for page in (folder / ".pages").glob("*"):
        if page.name not in used and is_page(page) and _is_old(page):
            remove(page)
    finished = re.compile(rf"{KEY}\.pdf|\.{KEY}\.pdf\.\d+\.[0-9a-f]{{8}}")
    for pdf in (folder / ".pdfs").glob("*"):  # an edition has a copy
        if finished.fullmatch(pdf.name) and pdf.is_file() and not pdf.is_symlink() and _is_old(pdf):
            pdf.unlink()


def is_page(place: Path) -> bool:
    """Tell whether a folder is nothing but a finished page."""
    if place.is_symlink() or not place.is_dir() or not re.fullmatch(KEY, place.name):
        return False
    return all(PAGE_FILES.fullmatch(path.name) for path in place.iterdir()) and all(
        path.is_file() and path.suffix == ".csv" and not path.is_symlink() for path in (place / "tables").glob("*")
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
        known = ", ".join(editions(folder, workbook)) or "none yet"
        raise DataError(f"{period}: no such edition; there is {known}; print it with: workbook report {period}")
    return folder / period


def _put_right(aside: Path, place: Path) -> None:
    """Bring back an edition that a run without renameat2 had laid aside when it died."""
    if aside.exists() and not place.exists():
        aside.rename(place)
    elif aside.is_dir() and not aside.is_symlink():
        _keep(aside, laid_in(aside, place.name), place)
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
