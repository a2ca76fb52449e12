"""What may be opened: plain files on disk, no device, pipe or view of the machine."""

import os
import stat
from pathlib import Path

from helpers import words
from helpers.settings.columns import refusal

# what each is, its bytes tell; the ending says "a file of data"
FILE_KINDS = (
    ".csv",
    ".tsv",
    ".txt",
    ".gz",
    ".zst",
    ".zip",
    ".xlsx",
    ".xlsm",
    ".xls",
    ".xlsb",
    ".ods",
    ".parquet",
    ".pq",
    ".feather",
    ".arrow",
    ".json",
    ".jsonl",
    ".ndjson",
    ".sqlite",
    ".sqlite3",
    ".db",
)
# endings that say "file" though none of these can be read: taken for a table, the message would be
# of a schema
OTHER_KINDS = (
    ".bz2",
    ".xz",
    ".7z",
    ".tar",
    ".tgz",
    ".duckdb",
    ".ddb",
    ".orc",
    ".avro",
    ".xml",
    ".html",
    ".dbf",
    ".vortex",
    ".lance",
    ".shp",
    ".gpkg",
    ".pdf",
    ".doc",
    ".docx",
    ".rtf",
    ".numbers",
    ".mdb",
    ".accdb",
    ".dta",
    ".rds",
    ".pkl",
)
NOT_ON_DISK = ("/proc", "/sys")  # what lies there looks like files and is the machine itself


def require_plain_file(file: Path, told: str) -> None:
    """Raise unless a name stands, through all links, for a plain file on disk.

    It is looked at, not opened.

    Raises
    ------
    DataError
        If it is a folder, device, pipe or socket, or lies in `/proc` or `/sys`.
    """
    real = os.path.realpath(file)
    if real.startswith(tuple(f"{place}/" for place in NOT_ON_DISK)):
        raise refusal("machine_view", told=told)
    mode = os.stat(real).st_mode  # noqa: PTH116 - of the path that was judged
    if not stat.S_ISREG(mode):
        kinds = {stat.S_ISDIR: "folder", stat.S_ISFIFO: "pipe", stat.S_ISSOCK: "socket"}
        kind = next((name for is_kind, name in kinds.items() if is_kind(mode)), "device")
        what = words.message(f"refused.is_{kind}")
        raise refusal("no_plain_file", told=told, what=what)


def require_plain_database(file: Path, told: str) -> None:
    """Raise unless a database and what the engine opens beside it are plain files.

    Beside `erp.duckdb` these are `erp.duckdb.wal`, beside `erp.db` `erp.db-wal`, and others of such
    names; a pipe there would keep
    a reader waiting for ever. Links stand for what they lead to. A folder is where it spilled.

    Raises
    ------
    DataError
        If one of them is anything else.
    """
    require_plain_file(file, words.message("refused.this", told=told))
    for real in {file, Path(os.path.realpath(file))}:
        begins = (f"{real.name}.", f"{real.name}-")
        with os.scandir(real.parent) as scan:
            beside = sorted(e.name for e in scan if e.name.startswith(begins))
        for name in beside:
            if not (real.parent / name).is_dir():
                require_plain_file(
                    real.parent / name, words.message("refused.beside", told=told, name=name)
                )


def is_file(source: str) -> bool:
    """Whether a source names files (by folder, ending or pattern), no table of the engine."""
    return any(mark in source for mark in "/\\*") or source.lower().endswith(
        (*FILE_KINDS, *OTHER_KINDS)
    )
