"""Errors of an XLS (#N/A, #DIV/0!): python-calamine gives such a cell as empty.

The records of the workbook's stream are walked over, in the compound file that an XLS is, before
calamine makes room for as many cells as they say there are. Sources: [MS-CFB] 2.2-2.6 and [MS-XLS]
2.4 (BoundSheet8, Dimensions, BoolErr, Formula, FilePass), 2.5.10 (BErr).
"""

import struct
from collections.abc import Iterator

from helpers.data.readers import containers
from helpers.settings import refusal

_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}
_BOF, _EOF, _FILE_PASS, _BOUND_SHEET, _BOOL_ERR = 0x809, 0x0A, 0x2F, 0x85, 0x205
_FORMULAS = frozenset({0x06, 0x206, 0x406})  # as versions of Excel wrote it
_DIMENSIONS = 0x200
# blank, number, label, error, text, several blanks, several numbers, rich text, number of few bytes
_CELLS = frozenset({0x201, 0x203, 0x204, 0x205, 0xFD, 0xBE, 0xBD, 0xD6, 0x27E}) | _FORMULAS
_SEVERAL = frozenset({0xBE, 0xBD})  # they end with their last column
MAX_ROWS, MAX_COLUMNS = 65_536, 256
_LAST_SECTOR = 0xFFFFFFFA  # numbers from here on are marks


def xls_errors(data: bytes, told: str) -> list[dict[tuple[int, int], str]]:
    """List the errors of each sheet, in the file's order, as (row, column) from 0 and text.

    Raises
    ------
    DataError
        If it is encrypted, cut or damaged, or says that a sheet is larger than one can be.
    """
    try:
        stream = _workbook_stream(data)
        sheets = []
        for kind, body in _records(stream, 0):
            if kind == _FILE_PASS:
                raise containers.encrypted(told)
            if kind == _BOUND_SHEET:
                sheets.append(struct.unpack_from("<I", body)[0])
        return [_errors_of(stream, begin) for begin in sheets]
    except (struct.error, IndexError, KeyError, OverflowError) as error:
        raise refusal("cut_xls", told=told, error=error) from None


def _errors_of(stream: bytes, begin: int) -> dict[tuple[int, int], str]:
    found = {}
    for kind, body in _records(stream, begin):
        if kind == _DIMENSIONS:
            _require_room(body)
        if kind not in _CELLS:
            continue
        place = row, column = struct.unpack_from("<HH", body)
        if kind in _SEVERAL:
            column = struct.unpack_from("<H", body, len(body) - 2)[0]
        if column >= MAX_COLUMNS:
            raise OverflowError(f"row {row + 1:,} has a cell in column {column + 1:,}")
        if kind == _BOOL_ERR and body[7]:
            found[place] = _ERRORS.get(body[6], "#ERROR!")
        elif kind in _FORMULAS and body[12:14] == b"\xff\xff" and body[6] == 2:
            found[place] = _ERRORS.get(body[8], "#ERROR!")
    return found


def _require_room(body: bytes) -> None:
    """Look at how many rows and columns a sheet says that it has."""
    shape = "<IIHH" if len(body) >= 14 else "<HHHH"  # since 1997, and before
    _first, n_rows, _left, n_columns = struct.unpack_from(shape, body)
    if n_rows > MAX_ROWS or n_columns > MAX_COLUMNS:
        raise OverflowError(f"a sheet of {n_rows:,} rows and {n_columns:,} columns")


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Give a part's records, not those of a chart within it."""
    depth = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        if kind == _BOF:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                return
        elif depth == 1:
            yield kind, stream[at + 4 : at + 4 + size]
        at += 4 + size


def _workbook_stream(data: bytes) -> bytes:
    """Take the workbook's stream out of a compound file."""
    data += bytes(-len(data) % 4096)  # some programs leave the last sector short
    shift, mini_shift = struct.unpack_from("<HH", data, 30)
    first_directory = struct.unpack_from("<I", data, 48)[0]
    cutoff, first_mini, _n_mini, first_more, _n_more = struct.unpack_from("<IIIII", data, 56)
    size = 1 << shift
    tables = list(struct.unpack_from("<109I", data, 76))
    seen = set()
    while first_more < _LAST_SECTOR and first_more not in seen:  # a circle would never end
        seen.add(first_more)
        more = struct.unpack_from(f"<{size // 4}I", data, (first_more + 1) * size)
        tables += more[:-1]
        first_more = more[-1]
    chain: list[int] = []
    for sector in tables:
        if sector < _LAST_SECTOR:
            chain += struct.unpack_from(f"<{size // 4}I", data, (sector + 1) * size)
    directory = _chained(data, chain, first_directory, size, size)
    entries = {}
    for at in range(0, len(directory) - 127, 128):
        length = struct.unpack_from("<H", directory, at + 64)[0]
        name = directory[at : at + max(length - 2, 0)].decode("utf-16-le", "replace")
        entries[name] = struct.unpack_from("<II", directory, at + 116)
    begin, n_bytes = entries["Workbook"] if "Workbook" in entries else entries["Book"]
    if n_bytes >= cutoff:
        return _chained(data, chain, begin, size, size)[:n_bytes]
    # what is small lies in a stream of small sectors
    root, _size = entries["Root Entry"]
    small = _chained(data, chain, root, size, size)
    packed = _chained(data, chain, first_mini, size, size)
    mini_chain = list(struct.unpack(f"<{len(packed) // 4}I", packed))
    return _chained(small, mini_chain, begin, 1 << mini_shift, 0)[:n_bytes]


def _chained(data: bytes, chain: list[int], sector: int, size: int, offset: int) -> bytes:
    found, n_left = [], len(chain)
    while sector < _LAST_SECTOR and n_left >= 0:  # a circle would never end
        found.append(data[offset + sector * size : offset + (sector + 1) * size])
        sector, n_left = chain[sector], n_left - 1
    return b"".join(found)
