"""Files that a table is made of: found and looked at, never opened."""

import difflib
import fnmatch
import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path

from helpers import words
from helpers.settings.book import TableSource, Workbook
from helpers.settings.columns import cause, refusal
from helpers.settings.plain_files import FILE_KINDS, is_file, require_plain_file

MAX_LOOKED_AT = 200_000  # entries of folders that a pattern may look at
MAX_BESIDE = 1_000  # entries of a folder among which a misspelled name is looked for


def sources(book: Workbook, table: str, mapping: TableSource | None = None) -> list[Path]:
    """List the files a table is made of, sorted; empty where it comes from the engine.

    None of them is opened.

    Raises
    ------
    DataError
        If a source has no file, a file of a kind that cannot be read, or one that is no plain file
        on disk.
    """
    mapping = mapping or book.tables[table]
    named = (
        [book.files[name] for name in files_in_query(book, mapping.query)]
        if mapping.query
        else [mapping.source]
    )
    found = []
    for source in filter(is_file, named):
        told = book.told(source)
        try:
            # a file of that very name wins over a pattern: sales[1].csv
            files = [Path(source)] if os.path.lexists(source) else sorted(matching(source))
            for file in files:
                require_plain_file(
                    file, words.message("refused.of_table", table=table, said=book.told(file))
                )
        except OSError as error:
            # a name too long, a loop of links, a folder that may not be looked into
            raise refusal("source_unread", table=table, told=told, reason=cause(error)) from None
        except OverflowError:
            raise refusal("looks_far", table=table, told=told, most=MAX_LOOKED_AT) from None
        if not files:
            near = _beside(Path(source))
            raise refusal("no_file", table=table, told=told, toml=book.path.name, near=near)
        if bad := [f for f in files if not f.name.lower().endswith(FILE_KINDS)]:
            name = Path(book.told(bad[0])).name
            raise refusal("file_kind", table=table, name=name, kinds=", ".join(FILE_KINDS))
        found += files
    return found


def _beside(file: Path) -> str:
    """Name the file beside it that may have been meant, as the end of a sentence; "" for none."""
    try:
        with os.scandir(file.parent) as scan:
            first = itertools.islice(scan, MAX_BESIDE)
            names = {e.name.lower(): e.name for e in first if e.name.lower().endswith(FILE_KINDS)}
    except OSError:
        return ""
    near = difflib.get_close_matches(file.name.lower(), sorted(names), 1, cutoff=0.7)
    return words.message("refused.did_you_mean", near=names[near[0]]) if near else ""


def matching(pattern: str) -> set[Path]:
    """List what a pattern stands for, as `glob` does; `**` follows no links.

    Raises
    ------
    OverflowError
        If more than `MAX_LOOKED_AT` entries of folders would be looked at: /**/*.csv would take
        minutes.
    """
    looked_at = 0

    def entries(folder: Path) -> list[os.DirEntry]:
        nonlocal looked_at
        try:
            with os.scandir(folder) as scan:
                found = []
                for entry in scan:
                    found.append(entry)
                    looked_at += 1
                    if looked_at > MAX_LOOKED_AT:
                        raise OverflowError
                return found
        except (NotADirectoryError, FileNotFoundError, PermissionError):
            return []

    def matches(folder: Path, parts: tuple[str, ...]) -> Iterator[Path]:
        if not parts:
            yield folder
        elif parts[0] == "**":
            yield from matches(folder, parts[1:])
            for entry in entries(folder):
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                    yield from matches(folder / entry.name, parts)
        elif re.search(r"[*?\[]", parts[0]):
            for entry in entries(folder):
                hidden = entry.name.startswith(".") and not parts[0].startswith(".")
                if not hidden and fnmatch.fnmatchcase(entry.name, parts[0]):
                    yield from matches(folder / entry.name, parts[1:])
        elif os.path.lexists(folder / parts[0]):
            yield from matches(folder / parts[0], parts[1:])

    # **/** is **, and would look at each folder as often as there are ways to it
    parts = re.sub(r"(?<=/)\*\*/(\*\*/)+", "**/", str(Path(pattern))).split("/")
    return {file for file in matches(Path(parts[0] or "/"), tuple(parts[1:])) if file.exists()}


def files_in_query(book: Workbook, query: str) -> list[str]:
    """List the names of `[data.files]` that occur as words in a query."""
    return [
        name
        for name in book.files
        if re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", query, re.IGNORECASE)
    ]
