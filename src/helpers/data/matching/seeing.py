"""Seeing: the header and the first rows of each sheet of a file, as its reader gives them."""

import csv
import itertools
from collections.abc import Callable
from pathlib import Path

from helpers.data.matching.placing import Sheet
from helpers.settings import DataError

ROWS = 2_000  # of a sheet that are looked at


def sheets(file: str, opened: Callable[[Path], list[Sheet]] | None = None) -> list[Sheet]:
    """List what is seen of a file's sheets.

    Parameters
    ----------
    file
        Its path, as it was given.
    opened
        Gives the sheets of a path, with their header and as many rows as are looked at.

    Raises
    ------
    DataError
        If there is no such file, or it can't be read.
    """
    path = Path(file).expanduser()
    if not path.is_file():
        raise DataError(f"map: {file}: no such file; give the path of an export")
    return (opened or _text)(path)


def _text(path: Path) -> list[Sheet]:
    """Read a CSV in UTF-8 whose first row is its header."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as rows:
            found = list(itertools.islice(csv.reader(rows), ROWS + 1))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"map: {path}: this is no CSV in UTF-8: {error}") from None
    header, *rest = found or [[]]
    return [Sheet(str(path), "", [cell.strip() for cell in header], rest)]
