"""Seeing: the header and the first rows of each sheet of a file, as its reader gives them."""

import itertools
from pathlib import Path

from helpers.data import readers
from helpers.data.matching.placing import Sheet
from helpers.settings import DataError, refusal

ROWS = 2_000  # of a sheet that are looked at


def sheets(file: str) -> list[Sheet]:
    """List what is seen of a file's sheets.

    Parameters
    ----------
    file
        Its path, as it was given.

    Raises
    ------
    DataError
        If there is no such file, it can't be read, or holds no table with a header.
    """
    path = Path(file).expanduser()
    if not path.is_file():
        raise refusal("map_no_file", file=file)
    try:
        tables = list(readers.each(path, path.name))
    except DataError as error:
        raise refusal("map_error", error=error) from None
    if not tables:
        raise refusal("map_no_table", file=path.name)
    return [_sheet(path, table, len(tables) > 1) for table in tables]


def _sheet(path: Path, table: readers.Read, is_one_of_several: bool) -> Sheet:
    header, seen, _notes = readers.turned(table)
    names = readers.unique_names(header)
    rows = [
        [*row.cells[: len(names)], *[""] * (len(names) - len(row.cells))]
        for row in itertools.islice(seen, ROWS)
    ]
    return Sheet(str(path), table.grid.name if is_one_of_several else "", names, rows)
