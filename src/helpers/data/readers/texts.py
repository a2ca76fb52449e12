"""Texts: a file of delimited text becomes a grid: by its encoding, line ends and dialect."""

import io
import itertools
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from helpers.data.readers import drawn, encodings
from helpers.data.readers.containers import Content
from helpers.data.readers.dialects import HINT, SAMPLE_LINES, Detected, detected
from helpers.data.readers.grid import Grid, ReadAs, Row
from helpers.data.readers.records import Dialect, records
from helpers.settings import refusal

LONE_CR_SHARE = 0.1  # of the line feeds: fewer carriage returns than that are in cells
SAMPLE = encodings.SAMPLE


class Text(NamedTuple):
    """A text file: its grid, and what was told of it."""

    grid: Grid
    encoding: str
    found: Detected


def text(content: Content, read_as: ReadAs, told: str) -> Text:
    """Open a text file.

    Raises
    ------
    DataError
        If its encoding can't be told, or bytes further on are not of it.
    """
    with content.open() as stream:
        sample = stream.read(SAMPLE)
    encoding = (
        encodings.known_encoding(read_as.encoding, told)
        if read_as.encoding
        else encodings.encoding_of(sample, told)
    )
    if not read_as.encoding and encoding == "utf-8-sig" and sample.isascii():
        encoding = _later_encoding(content, told)
    if read_as.encoding:
        encodings.require_not_utf8(sample, encoding, told)
    newline = _newline(sample, encoding)

    def lines() -> Iterator[str]:
        with content.open() as stream:
            whole = io.TextIOWrapper(_buffered(stream), encoding, newline=newline)
            yield from encodings.require_encoded(whole, told)

    head = list(itertools.islice(lines(), SAMPLE_LINES + 1))
    found = detected(head)
    if line := drawn.lists_records(head):
        raise refusal("listed_records", told=told, line=line)
    if shape := _drawn(head, found):
        width = len(shape.header)
        by = Detected(Dialect(shape.bar or " "), width, 1.0)
        return Text(Grid(content.name, lambda: drawn.rows(lines(), shape)), encoding, by)
    hints = 1 if head and HINT.match(head[0]) else 0

    def rows() -> Iterator[Row]:
        source = itertools.islice(lines(), hints, None)
        for row in records(source, found.dialect, found.width):
            yield row._replace(line=row.line + hints) if hints else row

    return Text(Grid(content.name, rows), encoding, found)


def _drawn(head: list[str], found: Detected) -> drawn.Drawn | None:
    """Tell how a text is drawn; None where a delimiter parts its header, too.

    A decimal comma stands in each row of numbers, and in no header.
    """
    shape = drawn.drawn(head)
    mark = found.dialect.delimiter
    if shape is None or shape.bar or mark in ("", " "):
        return shape
    return None if any(mark in cell for cell in shape.header) else shape


def _later_encoding(content: Content, told: str) -> str:
    """Tell the encoding of a file whose first bytes are ASCII: by the first that are not."""
    with content.open() as stream:
        while chunk := stream.read(SAMPLE):
            if not chunk.isascii():
                # a chunk may begin and end within a character: whole lines of it are judged
                start, end = chunk.find(b"\n") + 1, chunk.rfind(b"\n") + 1
                lines = chunk[start:end] if end > start else chunk
                if not lines.isascii():
                    return encodings.encoding_of(lines, told)
    return "utf-8-sig"


def _newline(sample: bytes, encoding: str) -> str:
    r"""Tell where lines end: `""` at \n, \r and \r\n alike, "\n" where a lone \r is of a cell."""
    whole = sample.decode(encoding, "replace")
    feeds, returns = whole.count("\n"), whole.count("\r") - whole.count("\r\n")
    return "\n" if feeds and returns <= LONE_CR_SHARE * feeds else ""


def _buffered(stream: BinaryIO) -> BinaryIO:
    return stream if isinstance(stream, io.BufferedIOBase) else io.BufferedReader(stream)
