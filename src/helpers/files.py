"""Files: written whole or not at all, named by text that is no path, and tables as CSV that no
reader tears or runs.
"""

import contextlib
import errno
import hashlib
import io
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import words

# a disk that is full, may not be written to, or has something else where a file or folder should be
DISK_ERRORS = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EFBIG,
    errno.EIO,
    errno.EEXIST,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ESTALE,
}


# ---- whole files ---------------------------------------------------------------------------------


@contextlib.contextmanager
def part(path: Path, *, synced: bool = True) -> Iterator[Path]:
    """Give the name of a file beside `path` that takes its place when it was written, and is gone
    when it was not.

    Who looks there sees the old one or the new one, whole; `synced`, even after a power cut.
    """
    new = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        yield new
        if synced:
            sync(new)
        new.replace(path)
    finally:  # a full disk is not to be filled with parts
        new.unlink(missing_ok=True)


def write(path: Path, content: str | bytes, *, synced: bool = True) -> None:
    """Write a file whole or not at all."""
    # never through what stands there
    with part(path, synced=synced) as new, new.open("xb") as file:
        file.write(content.encode() if isinstance(content, str) else content)


def settle(folder: Path) -> None:
    """Have a folder's files on the disk before anything is renamed to it."""
    for path in (*folder.rglob("*"), folder):
        sync(path)


def sync(path: Path) -> None:
    """Have a file or folder on the disk."""
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


def clear(folder: Path, own: re.Pattern[str], seconds: float) -> None:
    """Remove a folder's plain files whose whole name is one of `own` and that are old.

    Everything else stays: the folder may be one where people keep things of their own.
    """
    for old in folder.iterdir():
        if own.fullmatch(old.name) and _is_plain(old) and is_old(old, seconds):
            old.unlink(missing_ok=True)


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def is_old(path: Path, seconds: float) -> bool:
    """Tell whether nobody wrote to a file or folder, or took it up, for so long."""
    try:
        return time.time() - path.stat().st_mtime > seconds
    except FileNotFoundError:
        return False


def file_name(text: str) -> str:
    """Make a file's name, without ending, of a text from data, which itself is never trusted as a
    path.

    What can be read of it stays; the hash tells texts apart that look alike, on disks that ignore
    case, too.

    >>> file_name("../../etc")
    'etc-74ccf3c5b4c19a8167f9a3d1dd63e0e4'
    """
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:24]
    # 128 bits: nobody finds two names that share them, not even on purpose
    return "-".join(
        filter(
            None, [plain, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]]
        )
    )


def disk_reason(error: BaseException) -> str:
    """Say why a disk did not take a file: it is full, or may not be written to.

    "" for an error of another kind.
    """
    if isinstance(error, OSError) and (
        error.errno in DISK_ERRORS or "temporary directory" in str(error)
    ):
        return f"{f'{error.filename}: ' if error.filename else ''}{error.strerror or error}"
    kind = type(error)
    if kind.__module__.lstrip("_").partition(".")[0] == "duckdb":  # it spills to the cache
        spills = kind.__name__ == "OutOfMemoryException" and "temp_directory" in str(error)
        return str(error) if kind.__name__ == "IOException" or spills else ""
    return ""


# ---- tables as CSV -------------------------------------------------------------------------------

# Text that a spreadsheet would run: where a cell begins, and where one would begin for a reader who
# splits elsewhere. What is blank or unseen before a sign does not hide it; the small and full-width
# signs are read as the plain ones.
BREAKS = ";\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029"
BLANK = (
    "'\x00-\x08\x0e-\x1b\x1f \x7f-\x84\x86-\xa0\xad\u061c\u1680\u180e"
    "\u2000-\u200f\u202a-\u202f\u205f-\u206f\u3000\ufeff"
)
SIGNS = "=+\\-@＝＋－＠﹦﹢﹣﹫"
RUNS = rf"(?:(?:^|(?<=[{BREAKS}])){{}}(?=[{BLANK}]*[{SIGNS}])|^{{}}(?=[{BLANK}]*[\t\n\r]))"
ARMED, DISARMED = re.compile(RUNS.format("", "")), re.compile(RUNS.format("'", "'"))
QUOTED = re.compile(r"[\",;|\x00-\x1f\x7f-\x9f\u2028\u2029]|^\s|\s$")
# 00123 is the number of a shop
NUMBER = re.compile(r"-?(?:(?:0|[1-9]\d{0,14})(?:\.\d+)?(?:e[+-]?\d+)?|inf)")
# text that looks like this is quoted, and so stays text
PLAIN = re.compile(rf"{NUMBER.pattern}|True|False")
CELL = re.compile(r'("[^"]*(?:""[^"]*)*"|[^,\n]*)([,\n]|$)')
# kinds of columns, even where all cells are empty
TEXTS = ("id", "name", "code", "class", "text", "date", "month")
MEASURES = ("indicator", "metric")  # columns that tell of what a row's values are
VALUE_OF = {*MEASURES, "feature", "item", "column", "measure"}  # beside them `value` is no amount


def is_amount(column: str, beside: Iterable[str] = ()) -> bool:
    """Tell whether a column of numbers is money; `beside` are the columns of the same table.

    >>> is_amount("recent_revenue"), is_amount("n_payments")
    (True, False)
    >>> is_amount("value"), is_amount("value", ["metric"])
    (True, False)
    """
    if column == "value" and VALUE_OF & set(beside):
        return False
    return words.kind(column) == "money"


def amount(value: Any) -> Any:
    """Round a number to two decimals, which are written.

    What is no number, or too large to have as many, stays.

    >>> amount(2.5), amount(-0.001), amount("x")
    (Decimal('2.50'), Decimal('0.00'), 'x')
    """
    if not pd.api.types.is_number(value) or pd.isna(value) or not abs(value) < 1e15:
        return value
    return Decimal(f"{value:.2f}") + 0  # no minus before nothing


def is_formula(text: str) -> bool:
    """Tell whether a spreadsheet, or one that splits cells elsewhere, might run a text."""
    return ARMED.search(text) is not None


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table for Excel and pandas alike.

    Text that a spreadsheet would take for a formula gets an apostrophe.

    Money has two decimals. What another reader might split a cell or a line at stands in quotes.
    """
    path.write_bytes(csv_of(table))


def csv_of(table: pd.DataFrame) -> bytes:
    """Give a table as `write_table` writes it."""
    names = [str(name) for name in table.columns]
    columns = [
        _texts(table.iloc[:, i], name, is_amount(name, names)) for i, name in enumerate(names)
    ]
    rows = [[_text_cell(name, True) for name in names], *zip(*columns, strict=True)]
    if len(names) == 1:  # an empty line would be none
        rows = [[cell or '""'] for (cell,) in rows]
    text = "".join(",".join(row) + "\n" for row in rows)
    # the mark at the start tells Excel that it is UTF-8
    return text.encode("utf-8-sig", "backslashreplace")


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
    if money:
        value = amount(value)
    if pd.api.types.is_integer(value):
        return str(int(value))
    if pd.api.types.is_number(value):
        if isinstance(value, Decimal):
            return str(value)
        # NUMBER's digits
        return f"{value:.16e}" if 1e15 <= abs(value) < 1e16 else repr(float(value))
    return _text_cell(str(value), is_id)


def _text_cell(text: str, is_id: bool = False) -> str:
    safe = ARMED.sub("'", text)
    if QUOTED.search(safe) or (not is_id and PLAIN.fullmatch(safe)):
        return '"' + safe.replace('"', '""') + '"'
    return safe


def read_table(path: Path) -> pd.DataFrame:
    """Read such a table back as it was.

    Ids are text, and so is a column that holds a number like 00123.
    """
    source = path.read_bytes()
    try:
        rows = pd.read_csv(
            io.BytesIO(source),
            dtype="str",
            encoding="utf-8-sig",
            keep_default_na=False,
            na_values=[""],
            lineterminator="\n",
        )
    except pd.errors.EmptyDataError:  # a table without columns
        return pd.DataFrame()
    texts = _quoted_numbers(source.decode("utf-8-sig"))
    # column by column: `apply` leaves a table without rows as it is
    typed = [_typed(rows.iloc[:, i], i in texts) for i in range(rows.shape[1])]
    names = [DISARMED.sub("", name) for name in rows.columns]
    return pd.concat(typed, axis=1).set_axis(names, axis=1) if typed else rows


def _quoted_numbers(text: str) -> set[int]:
    """Find the columns that hold text which looks like a number, by the quotes in which it was
    written.
    """
    if not re.search(rf'"(?:{PLAIN.pattern})"', text):
        return set()
    found, column = set(), 0
    for cell in CELL.finditer(text):
        if cell[1].startswith('"') and PLAIN.fullmatch(cell[1][1:-1]):
            found.add(column)
        column = column + 1 if cell[2] == "," else 0
    return found


def _typed(values: pd.Series, is_text: bool = False) -> pd.Series:
    known, name = values.dropna(), str(values.name)
    if known.empty:
        return (
            values
            if is_text or name.endswith("_id") or words.kind(name) in TEXTS
            else values.astype("float64")
        )
    if not (is_text or name.endswith("_id")):
        if known.isin(["True", "False"]).all():
            return values.map({"True": True, "False": False})
        if known.str.fullmatch(NUMBER).all():
            whole = len(known) == len(values) and known.str.fullmatch(r"-?\d+").all()
            return values.astype("int64" if whole else "float64")
    armed = known[known.str.contains("'", regex=False)]
    return values.where(
        ~values.index.isin(armed.index), armed.map(lambda text: DISARMED.sub("", text))
    )
