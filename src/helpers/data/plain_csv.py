"""Plain CSV: what is read of a file, and the canonical tables made of it, for people to look at."""

import argparse
import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from helpers import files
from helpers.data import readers, tables
from helpers.settings import DataError, ReadAs, Workbook, nearest, refusal

TEXTS = (".csv", ".tsv", ".txt")  # a file called so keeps its name; others become name.csv
BATCH_ROWS = 50_000


def show_files(options: argparse.Namespace, terminal) -> int:
    """Show what is read of each file; a refused one does not stop the others.

    Returns
    -------
    0 if all were read as they stand, 1 if rows were left out or amiss, 2 if any was refused.
    """
    read_as = ReadAs(options.encoding, options.sheet, _line_number(options.header))
    out = Path(options.out) if options.out else None
    worst, names = 0, set()
    for given in options.files:
        path = Path(given)
        try:
            if not path.is_file():
                raise refusal("is_a_folder" if path.is_dir() else "no_such_file")
            lines, notes = readers.shown(path, read_as)
            if out is None:
                for line in lines:
                    terminal.say(line.removesuffix("\n"))
            else:
                _write(lines, _place(path, out, names))
            if not readers.is_whole(notes):
                worst = max(worst, 1)
                for said in readers.said(notes):
                    terminal.tell(f"{path.name}: {said}")
        except DataError as error:
            worst = 2
            said = str(error).replace("[data.<table>.read]", "--encoding, --sheet or --header")
            terminal.tell(f"{path.name}: {said.removeprefix(f'{path.name}: ')}")
    return worst


def show_table(book: Workbook, name: str, out: str | None, terminal) -> int:
    """Show a canonical table: the contract's names, days as ISO writes them, plain numbers.

    Returns
    -------
    0 if its files were read as they stand, 1 if rows were left out.

    Raises
    ------
    DataError
        If the workbook has no such table, or it can't be read.
    """
    if not book.has(name):
        raise refusal(
            "no_table_there", toml=book.path.name, name=name, near=nearest(name, book.tables)
        )
    lines = _canonical(book, name)
    if out:
        _write(lines, _place(Path(f"{name}.csv"), Path(out), set()))
    else:
        for line in lines:
            terminal.say(line.removesuffix("\n"))
    worst = 0
    for file, _n_rows, _n_in_file, notes in tables.described(book, name).get("files", ()):
        found = tuple(readers.Note(*note) for note in notes)
        worst = worst or int(not readers.is_whole(found))
        for said in readers.said(found):
            terminal.tell(f"{name}: {file}: {said}")
    return worst


def _canonical(book: Workbook, name: str) -> Iterator[str]:
    rows = tables.table(book, name)
    yield readers.csv_line(rows.columns)
    for batch in rows.to_pyarrow_batches(chunk_size=BATCH_ROWS):
        for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            # what a spreadsheet would run is disarmed: a canonical table is ours, not the file's
            yield readers.csv_line(["" if cell is None else _plain(cell) for cell in cells])


def _plain(cell: object) -> str:
    if isinstance(cell, str):
        return files.ARMED.sub("'", cell)
    if isinstance(cell, float):
        return f"{cell:.15g}" if cell != int(cell) else str(int(cell))
    return str(cell)


def _place(path: Path, out: Path, names: set[str]) -> Path:
    """Name a file in a folder that nothing stands in the place of."""
    name = path.name if path.suffix.lower() in TEXTS else f"{path.name}.csv"
    if name in names:
        raise refusal("same_name", path=path)
    names.add(name)
    with contextlib.suppress(FileExistsError):
        out.mkdir(parents=True)
    place = out / name
    if place.exists() or place.is_symlink():
        raise refusal("out_there", place=place)
    return place


def _write(lines: Iterable[str], place: Path) -> None:
    with (
        files.part(place, synced=False) as new,
        new.open("x", encoding="utf-8", newline="") as file,
    ):
        file.writelines(lines)


def _line_number(given: str) -> int:
    if given and not given.isdigit():
        raise refusal("header_option", given=given)
    return int(given or 0)
