"""Containers: what a path holds, told by its bytes, and a stream of it that is read to its end.

A file is called by many names: an `.xls` that is HTML, a `.csv` that is a workbook, a `.gz` that
nobody compressed. What its first bytes say wins over its ending, and the difference is said.
"""

import contextlib
import gzip
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

import pyarrow as pa

from helpers import words
from helpers.data.readers.grid import Note, ReadAs
from helpers.settings import DataError, cause, refusal

HEAD_BYTES = 4096
CHUNK_BYTES = 1 << 20
# what compresses better than this is no list of sales: text of a thousand equal lines reaches 300
MAX_RATIO = 500
ALWAYS_TAKEN_BYTES = 64 << 20  # nobody's memory or disk is full of so much, whatever the ratio
MAX_HELD_BYTES = 1 << 30  # of a spreadsheet, which can't be read piece by piece
MAX_MEMBERS = 10_000

TEXT, JSON, HTML, SHEET_XML = "text", "json", "html", "sheet_xml"
XLSX, XLSB, XLS, ODS, ENCRYPTED = "xlsx", "xlsb", "xls", "ods", "encrypted"
PARQUET, ARROW_FILE, ARROW_STREAM = "parquet", "arrow_file", "arrow_stream"
SQLITE, DUCKDB = "sqlite", "duckdb"
GZIP, ZSTD, ZIP = "gzip", "zstd", "zip"
EMPTY, BINARY = "empty", "binary"

SHEETS = frozenset({XLSX, XLSB, XLS, ODS, HTML, SHEET_XML, ENCRYPTED})
OBJECTS = frozenset({JSON, PARQUET, ARROW_FILE, ARROW_STREAM, SQLITE})

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAGIC = (
    (b"\x1f\x8b", GZIP),
    (b"\x28\xb5\x2f\xfd", ZSTD),
    (b"PAR1", PARQUET),
    (b"ARROW1\x00\x00", ARROW_FILE),
    (b"FEA1", ARROW_FILE),  # Feather before 2020; pyarrow reads it
    (b"SQLite format 3\x00", SQLITE),
)
# what none of the readers reads: its name in `sentences.csv`
_OTHER = (
    (b"%PDF", "pdf"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"ORC", "orc"),
    (b"Obj\x01", "avro"),
    (b"{\\rtf", "rtf"),
)
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_HTML = re.compile(
    r"\s*(<!--.*?-->\s*)*<(!doctype\s+html|html|head|meta|table|style|body|div)\b", re.S
)
_SHEET_XML = "urn:schemas-microsoft-com:office:spreadsheet"
# an object, or a list of objects or of nothing: the header of a CSV does not begin so
_JSON = re.compile(r'\s*(\[\s*)?\{\s*("(?:[^"\\]|\\.)*"\s*:|\})|\s*\[\s*\]\s*$')
_BY_ENDING = {
    ".xlsx": {XLSX},
    ".xlsm": {XLSX},
    ".xlsb": {XLSB},
    ".xls": {XLS},
    ".ods": {ODS},
    ".parquet": {PARQUET},
    ".pq": {PARQUET},
    ".feather": {ARROW_FILE},
    ".arrow": {ARROW_FILE, ARROW_STREAM},
    ".arrows": {ARROW_STREAM},
    ".ipc": {ARROW_FILE, ARROW_STREAM},
    ".json": {JSON},
    ".jsonl": {JSON},
    ".ndjson": {JSON},
    ".html": {HTML},
    ".htm": {HTML},
    ".xml": {SHEET_XML},
    ".sqlite": {SQLITE},
    ".sqlite3": {SQLITE},
    ".db": {SQLITE, DUCKDB},
    ".duckdb": {DUCKDB},
    ".ddb": {DUCKDB},
    ".gz": {GZIP},
    ".zst": {ZSTD},
    ".zip": {ZIP},
    ".csv": {TEXT},
    ".tsv": {TEXT},
    ".txt": {TEXT},
}
_AS_ZIP = dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".ods"), (ZIP,))
_COMPRESSED = {".gz": GZIP, ".zst": ZSTD}
# what a system puts beside the files that a person packed
_JUNK = re.compile(r"(^|/)(__MACOSX/|\.[^./][^/]*$|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)


# what reading a member of an archive raises
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,
    NotImplementedError,
    ValueError,
)


class Content(NamedTuple):
    """One thing that a path holds: the file itself, what was compressed, a member of an archive.

    `open` gives its bytes from the start each time. Reading them raises a DataError where they end
    too early, are damaged, or are too many.
    """

    name: str  # of the member of an archive; "" where the path holds one thing
    kind: str  # one of the constants above
    open: Callable[[], BinaryIO]
    notes: tuple[Note, ...] = ()
    path: Path | None = None  # where it lies on disk as it is, neither compressed nor packed


def kind_of(head: bytes, name: str = "", tail: bytes = b"") -> str:
    """Tell what a file is, by its first bytes and then by its ending.

    Parameters
    ----------
    head : the first bytes, `HEAD_BYTES` or all.
    name : its name; it decides only where bytes don't.
    tail : what is known of the rest. It tells an encrypted workbook from an old one.

    Returns
    -------
    One of the constants of this module. Inside of a ZIP is not looked: `contents` does.

    >>> kind_of(b"PAR1\\x15\\x00", "sales.csv"), kind_of(b"id,amount", "sales.xls")
    ('parquet', 'text')
    """
    if not head:
        return EMPTY
    ending = PurePosixPath(name).suffix.lower()
    for magic, kind in (*_MAGIC, (b"PK\x03\x04", ZIP), (_OLE, XLS)):
        # what was cut within its first bytes is still what it says in two places
        if magic.startswith(head) and kind in {
            *_BY_ENDING.get(ending, ()),
            *_AS_ZIP.get(ending, ()),
        }:
            return kind
    # a CSV may well begin with PAR1 or ORC, but no Parquet goes on in letters
    is_text = head[:16].isascii() and head[:16].translate(None, b"\t\r\n").decode().isprintable()
    for magic, kind in _MAGIC:
        if head.startswith(magic) and not is_text:
            return kind
    if head[8:12] == b"DUCK" and head[13:20] == bytes(7):
        return DUCKDB
    if head.startswith(_OLE):
        named = "EncryptedPackage".encode("utf-16-le")
        return ENCRYPTED if named in head or named in tail else XLS
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return ZIP
    if head.startswith(b"\xff\xff\xff\xff") and len(head) > 8:
        return ARROW_STREAM
    if (
        _is_binary(head)
        or (_other(head) and not is_text)
        or head.startswith((b"%PDF-", b"{\\rtf1"))
    ):
        return BINARY
    text = _as_text(head)
    if _SHEET_XML in text and text.lstrip().startswith("<"):
        return SHEET_XML
    if _HTML.match(text.lower()) or (text.lstrip().startswith("<?xml") and "<html" in text.lower()):
        return HTML
    is_json = name.lower().endswith((".json", ".jsonl", ".ndjson")) and text.lstrip()[:1] in "[{"
    return JSON if is_json or _JSON.match(text) else TEXT


def contents(path: Path) -> list[Content]:
    """List what a path holds.

    Raises
    ------
    DataError
        If it is damaged, an archive of nothing or of too much, or nothing that can be read. What is
        empty is a content of the kind `EMPTY`: its reader says what that means.
    """
    told = path.name
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            # the directory of an old container may lie anywhere
            tail = file.read(MAX_HELD_BYTES) if head.startswith(_OLE) else b""
    except OSError as error:
        raise refusal("unreadable", told=told, reason=cause(error)) from None
    kind = kind_of(head, told, tail)
    if kind == ZIP:
        return _packed(path, told)
    if kind in (GZIP, ZSTD):
        return [_compressed(path, told, kind)]
    _require_readable(told, kind, head)
    return [Content("", kind, lambda: path.open("rb"), _misnamed(told, kind), path)]


def chosen_content(found: list[Content], read_as: ReadAs, told: str) -> tuple[Content, ReadAs]:
    """Choose the content that is meant, and what is left to say of it.

    `sheet` names a member of an archive, or a sheet in it as `book.xlsx/Sales`.

    Parameters
    ----------
    told : the name of the file, for a message.

    Raises
    ------
    DataError
        If several could be meant, or none is called so.
    """
    if len(found) == 1 and not read_as.sheet.startswith(found[0].name + "/"):
        is_named = found[0].name and read_as.sheet == found[0].name
        return found[0], read_as._replace(sheet="") if is_named else read_as
    for content in found:
        if read_as.sheet == content.name:
            return content, read_as._replace(sheet="")
        if read_as.sheet.startswith(content.name + "/"):
            return content, read_as._replace(sheet=read_as.sheet[len(content.name) + 1 :])
    names = ", ".join(repr(content.name) for content in found[:8])
    more = words.message("refused.in_all", n=len(found)) if len(found) > 8 else ""
    if read_as.sheet:
        raise refusal("no_member", told=told, sheet=read_as.sheet, names=names, more=more)
    raise refusal(
        "several_files", told=told, n=len(found), names=names, more=more, first=found[0].name
    )


def held(content: Content, told: str) -> bytes:
    """Give all bytes of a content that can't be read piece by piece.

    Raises
    ------
    DataError
        If it is damaged or too large to be held.
    """
    with content.open() as stream:
        found = stream.read(MAX_HELD_BYTES + 1)
    if len(found) > MAX_HELD_BYTES:
        raise refusal("held_size", told=told, most=MAX_HELD_BYTES >> 20)
    return found


def plain_name(kind: str) -> str:
    """Name a kind for a message: "an XLSX workbook"."""
    return words.message(f"container.{kind}")


def _is(told: str, kind: str) -> str:
    return words.message("refused.is", told=told, kind=plain_name(kind))


def kind_in_zip(packed: zipfile.ZipFile) -> str:
    """Tell a spreadsheet, which is a ZIP archive, from an archive of files."""
    # some programs write names in other cases, and with the other slash
    names = {name.replace("\\", "/").lower(): name for name in packed.namelist()}
    if "[content_types].xml" in names:
        if "xl/workbook.bin" in names:
            return XLSB
        return XLSX if any(name.endswith("workbook.xml") for name in names) else BINARY
    if "mimetype" in names and "content.xml" in names:
        try:
            is_sheet = b"opendocument.spreadsheet" in packed.read("mimetype")
        except UNREADABLE:
            is_sheet = True  # its reader says what is damaged
        return ODS if is_sheet else BINARY
    return ZIP


def encrypted(told: str) -> DataError:
    """Say that a spreadsheet is encrypted."""
    return refusal("encrypted", told=told)


def archive(file: BinaryIO | Path, told: str) -> zipfile.ZipFile:
    """Open an archive that is whole and does not grow beyond all measure.

    Raises
    ------
    DataError
        If it is cut or damaged, or a bomb.
    """
    try:
        found = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
        # a ValueError: names that are no text
        raise refusal("cut_archive", told=told, error=error) from None
    require_no_bomb(found, told)
    return found


def require_no_bomb(packed: zipfile.ZipFile, told: str) -> None:
    """Refuse an archive that would grow beyond all measure.

    Raises
    ------
    DataError
        If it says so itself. What says less than it holds fails its check sum when it is read.
    """
    members = packed.infolist()
    size = sum(member.file_size for member in members)
    n_bytes = sum(member.compress_size for member in members)
    if len(members) > MAX_MEMBERS:
        raise refusal("many_members", told=told, n=len(members), most=MAX_MEMBERS)
    if size > ALWAYS_TAKEN_BYTES and size > MAX_RATIO * max(n_bytes, 1):
        raise _grows(told, size, n_bytes)


# ---- inside --------------------------------------------------------------------------------------


def _require_readable(told: str, kind: str, head: bytes) -> None:
    if kind == ENCRYPTED:
        raise encrypted(told)
    if kind == BINARY:
        raise refusal("other_kind", told=told, kind=plain_name(_other(head) or BINARY))


def _other(head: bytes) -> str:
    return next((name for magic, name in _OTHER if head.startswith(magic)), "")


def _as_text(head: bytes) -> str:
    """Decode the first bytes as far as telling kinds needs it: Latin letters and brackets."""
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return head[len(bom) :].decode(encoding, "replace")
    if head[1:2] == b"\0":
        return head.decode("utf-16-le", "replace")
    if head[:1] == b"\0":
        return head.decode("utf-16-be", "replace")
    return head.decode("utf-8", "replace")


def _is_binary(head: bytes) -> bool:
    """Tell bytes that are text in no encoding.

    One NUL in a CSV is a fault of its cell. Text of two bytes a letter has many, and is text if
    what it says is made of letters.
    """
    if any(head.startswith(bom) for bom, _encoding in _BOMS):
        return False
    controls = sum(byte < 32 and byte not in b"\t\n\r\f\x1a\0" for byte in head)
    if controls + head.count(0) <= 0.05 * len(head):
        return False
    for encoding in ("utf-16-le", "utf-16-be"):
        with contextlib.suppress(UnicodeDecodeError):
            text = head[: len(head) // 2 * 2].decode(encoding)
            strange = sum(
                unicodedata.category(letter) in ("Cc", "Cn", "Co") and letter not in "\t\r\n\0"
                for letter in text
            )
            if strange <= 0.02 * len(text) and text.count("\0") <= 0.1 * len(text):
                return False
    return True


def _misnamed(told: str, kind: str) -> tuple[Note, ...]:
    """Note that a file is not what its ending says."""
    ending = PurePosixPath(told).suffix.lower()
    expected = _BY_ENDING.get(ending)
    if expected is None or kind in expected:
        return ()
    if ending in (".json", ".jsonl", ".ndjson", ".txt") and kind in (TEXT, JSON):
        return ()  # text under the name of text: its reader says what is wrong with it
    return (Note("misnamed", 0, 0, _is(told, kind)),)


def _grows(told: str, size: int, packed: int) -> DataError:
    return refusal(
        "grows", told=told, packed=packed, size=size, times=size // max(packed, 1), most=MAX_RATIO
    )


class _Verified(io.RawIOBase):
    """Bytes of a stream that is read to its verified end.

    Whatever its library raises becomes one DataError; a stream that ends well ends.
    """

    def __init__(self, stream: BinaryIO, told: str, packed: int):
        super().__init__()
        self._stream, self._told, self._packed, self._size = stream, told, packed, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        try:
            found = self._stream.read(len(buffer))
        except (*UNREADABLE, pa.ArrowException) as error:
            raise _damaged(self._told, self._size, error) from None
        self._size += len(found)
        if self._size > ALWAYS_TAKEN_BYTES and self._size > MAX_RATIO * max(self._packed, 1):
            raise _grows(self._told, self._size, self._packed)
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        if not self.closed:
            # what is closed before its end was not asked whether it is whole
            with contextlib.suppress(*UNREADABLE, pa.ArrowException):
                self._stream.close()
        super().close()


def _damaged(told: str, size: int, error: Exception) -> DataError:
    text = str(error)
    is_cut = isinstance(error, EOFError) or "runcated" in text or "end-of-stream" in text
    return refusal("cut_bytes" if is_cut else "damaged_bytes", told=told, size=size)


def _verified(stream: BinaryIO, told: str, packed: int) -> BinaryIO:
    return io.BufferedReader(_Verified(stream, told, packed), CHUNK_BYTES)


def _compressed(path: Path, told: str, kind: str) -> Content:
    """Open what was compressed; its kind is told by what comes out."""

    def opened() -> BinaryIO:
        size = path.stat().st_size
        if kind == GZIP:
            # its pads of zeros are taken, which Arrow's is not
            return _verified(gzip.GzipFile(path, "rb"), told, size)
        return _verified(pa.CompressedInputStream(pa.OSFile(str(path)), "zstd"), told, size)

    with opened() as stream:
        head = stream.read(HEAD_BYTES)
        inner = PurePosixPath(told)
        ending = inner.suffix.lower()
        name = inner.stem if ending in _COMPRESSED else told
        found = kind_of(head, name)
        if found == XLS:
            found = kind_of(head, name, stream.read(MAX_HELD_BYTES))
    if found in (GZIP, ZSTD):
        raise refusal("packed_twice", told=told)
    if found == ZIP:
        found = _kind_of_packed(opened, told)
    _require_readable(told, found, head)
    if ending in _COMPRESSED and _COMPRESSED[ending] != kind:
        notes: tuple[Note, ...] = (Note("misnamed", 0, 0, _is(told, kind)),)
    elif ending not in _COMPRESSED:
        notes = (Note("misnamed", 0, 0, _is(told, kind)),)
    else:
        notes = _misnamed(name, found)
    return Content("", found, opened, notes)


def _kind_of_packed(opened: Callable[[], BinaryIO], told: str) -> str:
    """Tell a workbook within a compressed file or an archive; archives are not opened twice."""
    with opened() as stream:
        packed = stream.read(MAX_HELD_BYTES)
    with archive(io.BytesIO(packed), told) as inner:
        kind = kind_in_zip(inner)
    if kind == ZIP:
        raise refusal("archive_in_archive", told=told)
    return kind


def _packed(path: Path, told: str) -> list[Content]:
    """List the members of an archive, or the one workbook that it is."""
    with archive(path, told) as opened:
        kind = kind_in_zip(opened)
        if kind != ZIP:
            _require_readable(told, kind, b"")
            return [Content("", kind, lambda: path.open("rb"), _misnamed(told, kind), path)]
        members = [
            member
            for member in opened.infolist()
            if not member.is_dir() and not _JUNK.search(member.filename)
        ]
    if not members:
        raise refusal("empty_archive", told=told)
    if any(member.flag_bits & 1 for member in members):
        raise refusal("encrypted_archive", told=told)
    called = "" if path.suffix.lower() == ".zip" else _is(told, ZIP)
    notes = (Note("misnamed", 0, 0, called),) if called else ()
    # a member that can't be read is no reason against the one that is meant
    found = [_member(path, told, member, notes) for member in members]
    if len(found) == 1:
        _require_readable(f"{told}, {found[0].name}", found[0].kind, _head(found[0]))
        return found
    readable = [content for content in found if content.kind not in (BINARY, EMPTY, ENCRYPTED)]
    if not readable:
        names = ", ".join(repr(content.name) for content in found[:8])
        raise refusal("no_table_in_archive", told=told, names=names)
    return readable


def _head(content: Content) -> bytes:
    with content.open() as stream:
        return stream.read(HEAD_BYTES)


def _member(path: Path, told: str, member: zipfile.ZipInfo, notes: tuple[Note, ...]) -> Content:
    """Make a content of an archive's member, whose name is a name and never a path."""
    name = _member_name(member)
    full = f"{told}, {name}"

    def opened() -> BinaryIO:
        with archive(path, told) as opened_archive:
            try:
                # the archive's file stays open until the stream of its member is closed
                stream = opened_archive.open(member)
            except UNREADABLE as error:
                raise _damaged(full, 0, error) from None
        return _verified(stream, full, member.compress_size)

    with opened() as stream:
        head = stream.read(HEAD_BYTES)
        kind = kind_of(head, name, stream.read(MAX_HELD_BYTES) if head.startswith(_OLE) else b"")
    if kind == ZIP:
        kind = _kind_of_packed(opened, full)
    if kind in (GZIP, ZSTD):
        kind = BINARY  # compressed twice
    return Content(name, kind, opened, (*notes, *_misnamed(name, kind)))


def _member_name(member: zipfile.ZipInfo) -> str:
    """Give a member's name as whoever packed it saw it.

    Without the flag of UTF-8 a name's bytes are of the packer's own encoding, which zipfile takes
    for code page 437 and loses nothing. Windows in China writes GBK: its common letters, those of
    GB 2312, are no likely pairs of Europe's.
    """
    name = member.filename
    if not member.flag_bits & 0x800:
        for encoding in ("utf-8", "gb2312"):
            with contextlib.suppress(UnicodeError):
                return name.encode("cp437").decode(encoding)
    return name
