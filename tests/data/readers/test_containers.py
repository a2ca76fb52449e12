"""What a path holds: told by its bytes, read to its verified end, or refused."""

import bz2
import gzip
import io
import random
import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.data import plain_csv
from helpers.data.readers import containers
from helpers.data.readers.grid import ReadAs
from helpers.settings import DataError, plain_files

CSV = "dealer_id,date,revenue\n" + "".join(
    f"{n % 97:05},2026-{n % 12 + 1:02}-03,{n * 7919 % 100003 / 100}\n" for n in range(20_000)
)


def _zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


PACK = {".gz": gzip.compress, ".zst": _zstd}


def _zip(members: dict[str, bytes], **given) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, **given) as archive:
        for name, data in members.items():
            # without the time of day, which would be in a test's name
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _xlsx() -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["dealer_id", "revenue"])
    book.save(file)
    return file.getvalue()


def _parquet() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"x": [1, 2]}), sink)
    return sink.getvalue().to_pybytes()


def _ipc(new) -> bytes:
    sink, table = pa.BufferOutputStream(), pa.table({"x": [1, 2]})
    with new(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _only(path: Path) -> containers.Content:
    [found] = containers.contents(path)
    return found


def _read(content: containers.Content) -> bytes:
    with content.open() as stream:
        return stream.read()


@pytest.fixture
def put(tmp_path):
    def write(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


BYTES = {
    "text": CSV.encode(),
    "json": b'[{"dealer_id": "00101"}]',
    "html": b"<table><tr><td>1</td></tr></table>",
    "sheet_xml": b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:'
    b'spreadsheet"/>',
    "xlsx": _xlsx(),
    "parquet": _parquet(),
    "arrow_file": _ipc(pa.ipc.new_file),
    "arrow_stream": _ipc(pa.ipc.new_stream),
    "sqlite": b"SQLite format 3\x00" + bytes(84),
    "duckdb": bytes(8) + b"DUCK" + b"\x43" + bytes(100),
}


@pytest.mark.parametrize("ending", ["", ".csv", ".xls", ".xlsx", ".txt", ".parquet", ".db", ".zip"])
@pytest.mark.parametrize("kind", BYTES)
def test_bytes_win_over_the_ending(put, kind, ending):
    found = _only(put(f"sell_in{ending}", BYTES[kind]))
    assert found.kind == kind
    assert found.name == "" and found.path is not None


@pytest.mark.parametrize("kind", BYTES)
@pytest.mark.parametrize("packed", [".gz", ".zst"])
def test_what_is_compressed_is_told_by_what_comes_out(put, kind, packed):
    found = _only(put(f"sell_in.csv{packed}", PACK[packed](BYTES[kind])))
    assert found.kind == kind
    assert _read(found) == BYTES[kind]
    assert [note.what for note in found.notes] == ([] if kind == "text" else ["misnamed"])


@pytest.mark.parametrize(
    ("name", "kind", "note"),
    [
        ("sell_in.xls", "html", "sell_in.xls is an HTML page"),
        ("sell_in.xls", "text", "sell_in.xls is plain text"),
        ("sell_in.xls", "xlsx", "sell_in.xls is an XLSX workbook"),
        ("sell_in.csv", "xlsx", "sell_in.csv is an XLSX workbook"),
        ("sell_in.csv.gz", "text", "sell_in.csv.gz is plain text"),
        ("sell_in.csv.zst", "text", "sell_in.csv.zst is plain text"),
        ("sell_in.zip", "xlsx", "sell_in.zip is an XLSX workbook"),
        ("sell_in.parquet", "text", "sell_in.parquet is plain text"),
    ],
)
def test_a_file_that_is_not_what_it_is_called_is_said(put, name, kind, note):
    [said] = _only(put(name, BYTES[kind])).notes
    assert (said.what, said.example, said.is_left_out) == ("misnamed", note, False)


@pytest.mark.parametrize(
    "text",
    [
        "PAR1,PAR2\n1,2\n",
        "ORC_id,amount\n1,2\n",
        "BZh,amount\n1,2\n",
        "product,DUCK sales,x\n1,2,3\n",
        "FEA1;b\n1;2\n",
        "PK,amount\n1,2\n",
        "[id],[amount]\n1,2\n",
        "{id},amount\n1,2\n",
        "<5,amount\n1,2\n",
        "id,amount\n\x001,2\n",
        "id\n",
        "客户,金额\n上海,1\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
def test_text_is_text_whatever_it_begins_with(put, text, encoding):
    assert _only(put("sell_in.csv", text.encode(encoding))).kind == "text"


@pytest.mark.parametrize(
    "text",
    ['[{"a":1}]', '  {"a": 1}\n{"a": 2}', "[]", "[\n]", '\ufeff[{"a":1}]', "{}"],
)
def test_json_is_told_without_its_ending(text):
    assert containers.kind_of(text.encode(), "sell_in.txt") == "json"


@pytest.mark.parametrize("packed", [".gz", ".zst"])
def test_several_members_one_after_another_are_read_to_the_end(put, packed):
    half = len(CSV) // 2
    data = PACK[packed](CSV[:half].encode()) + PACK[packed](CSV[half:].encode())
    assert _read(_only(put(f"sell_in.csv{packed}", data))) == CSV.encode()


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.999])
@pytest.mark.parametrize("packed", [".gz", ".zst"])
def test_what_is_cut_is_refused(put, packed, share):
    data = PACK[packed](CSV.encode())
    path = put(f"sell_in.csv{packed}", data[: int(len(data) * share)])
    with pytest.raises(DataError, match=rf"^sell_in.csv{packed} is cut: .*export it anew$"):
        _read(_only(path))


@pytest.mark.parametrize("n_bytes", [1, 2, 4, 7, 8])
def test_a_gzip_without_its_last_bytes_is_refused(put, n_bytes):
    path = put("sell_in.csv.gz", gzip.compress(CSV.encode())[:-n_bytes])
    with pytest.raises(DataError, match="is cut"):
        _read(_only(path))


def test_flipped_bits_of_a_gzip_are_refused(put):
    data, rng = gzip.compress(CSV.encode()), random.Random(7)
    for _case in range(20):
        flipped = bytearray(data)
        flipped[rng.randrange(20, len(data))] ^= 1 << rng.randrange(8)
        with pytest.raises(DataError, match=r"sell_in.csv.gz is (cut|damaged)"):
            _read(_only(put("sell_in.csv.gz", bytes(flipped))))


def test_zeros_after_a_gzip_are_padding(put):
    assert _read(_only(put("x.csv.gz", gzip.compress(b"a,b\n") + bytes(512)))) == b"a,b\n"


def test_bytes_after_a_gzip_are_refused(put):
    with pytest.raises(DataError, match="is damaged"):
        _read(_only(put("x.csv.gz", gzip.compress(CSV.encode()) + b"junk")))


def test_what_grows_beyond_all_measure_is_refused(put, monkeypatch):
    monkeypatch.setattr(containers, "ALWAYS_TAKEN_BYTES", 1 << 20)
    zeros = b"a,b\n" * (2 << 20)
    for packed in (".gz", ".zst"):
        path = put(f"x.csv{packed}", PACK[packed](zeros))
        with pytest.raises(DataError, match="times as much, which no table does"):
            _read(_only(path))
    with pytest.raises(DataError, match="times as much"):
        containers.contents(put("x.zip", _zip({"x.csv": zeros})))


def test_an_archive_that_understates_what_it_holds_is_refused(put):
    data = bytearray(_zip({"x.csv": CSV.encode()}))
    told = len(CSV).to_bytes(4, "little")
    for at in (data.find(told), data.rfind(told)):
        data[at : at + 4] = (1000).to_bytes(4, "little")
    with pytest.raises(DataError, match=r"x.zip, x.csv is (damaged|cut)"):
        _read(_only(put("x.zip", bytes(data))))


@pytest.mark.parametrize(
    "name", ["sell_in.csv", "../../etc/passwd", "/abs.csv", "C:\\x.csv", "销售.csv"]
)
def test_the_one_member_of_an_archive_is_read_and_its_name_is_no_path(put, name):
    found = _only(put("sell_in.zip", _zip({name: CSV.encode()})))
    assert (found.name, found.kind, found.path) == (name, "text", None)
    assert _read(found) == CSV.encode()


def test_a_name_in_gbk_is_read_as_it_was_written(put):
    data = _zip({"abcd.csv": b"a,b\n"}).replace(b"abcd", "销售".encode("gb2312"))
    assert _only(put("x.zip", data)).name == "销售.csv"


def test_what_a_system_packs_with_the_files_is_no_file_of_a_person(put):
    members = {
        "__MACOSX/._a.csv": b"\0\5",
        ".DS_Store": b"\0",
        "a.csv": b"x,y\n",
        "Thumbs.db": b"1",
    }
    assert _only(put("x.zip", _zip(members))).name == "a.csv"


def test_of_several_members_one_is_named(put):
    path = put("x.zip", _zip({"2026/a.csv": b"x\n", "2026/b.csv": b"y\n", "c.xlsx": _xlsx()}))
    found = containers.contents(path)
    assert [(content.name, content.kind) for content in found] == [
        ("2026/a.csv", "text"),
        ("2026/b.csv", "text"),
        ("c.xlsx", "xlsx"),
    ]
    with pytest.raises(DataError, match=r"holds 3 files: '2026/a.csv', .* sheet = \"2026/a.csv\"$"):
        containers.chosen_content(found, ReadAs(), "x.zip")
    content, rest = containers.chosen_content(found, ReadAs(sheet="2026/b.csv"), "x.zip")
    assert (_read(content), rest.sheet) == (b"y\n", "")
    content, rest = containers.chosen_content(found, ReadAs(sheet="c.xlsx/Sheet"), "x.zip")
    assert (content.name, rest.sheet) == ("c.xlsx", "Sheet")
    with pytest.raises(DataError, match=r"holds no 'd\.csv'"):
        containers.chosen_content(found, ReadAs(sheet="d.csv"), "x.zip")


@pytest.mark.parametrize("sheet", ["", "c.xlsx", "c.xlsx/Sales", "Sales"])
def test_a_sheet_of_the_only_member_may_be_named_either_way(put, sheet):
    found = containers.contents(put("x.zip", _zip({"c.xlsx": _xlsx()})))
    content, rest = containers.chosen_content(found, ReadAs(sheet=sheet), "x.zip")
    assert content.kind == "xlsx"
    assert rest.sheet == ("Sales" if "Sales" in sheet else "")


def test_an_encrypted_archive_says_so(put):
    data = bytearray(_zip({"x.csv": b"a,b\n"}))
    data[6] |= 1
    data[data.find(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(DataError, match="is encrypted; unpack it with its password"):
        containers.contents(put("x.zip", bytes(data)))


def test_a_flipped_bit_in_an_archive_is_refused(put):
    data = bytearray(_zip({"x.csv": CSV.encode()}))
    data[2000] ^= 4
    with pytest.raises(DataError, match=r"x.zip, x.csv is (damaged|cut)"):
        _read(_only(put("x.zip", bytes(data))))


REFUSED = {
    "x.pdf": (b"%PDF-1.7\nabc", "is a PDF"),
    "x.csv": (bz2.compress(CSV.encode()), "is bzip2-compressed"),
    "x.xls": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
        "is encrypted",
    ),
    "x.xlsx": (b"PK", "is cut or damaged"),
    "cut.xlsx": (_xlsx()[:2000], "is cut or damaged"),
    "cut.zip": (_zip({"a.csv": CSV.encode()})[:-30], "is cut or damaged"),
    "x.docx": (_zip({"[Content_Types].xml": b"<a/>", "word/document.xml": b"<a/>"}), "binary data"),
    "no.zip": (_zip({}), "holds no file"),
    "twice.csv.gz": (gzip.compress(gzip.compress(b"a,b\n")), "is compressed twice"),
    "zips.zip": (_zip({"a.zip": _zip({"b.csv": b"a\n"})}), "an archive within an archive"),
    "random.csv": (random.Random(3).randbytes(4000), "can't be read"),
    "pictures.zip": (_zip({"a.png": b"\x89PNG\r\n\x1a\n" + bytes(50)}), "is a picture"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table_is_refused_in_one_sentence(put, name):
    data, reason = REFUSED[name]
    with pytest.raises(DataError, match=reason) as raised:
        containers.contents(put(name, data))
    assert name in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "data"),
    [("x.csv", b""), ("x.csv.gz", gzip.compress(b"", mtime=0)), ("x.zip", _zip({"x.csv": b""}))],
)
def test_what_is_empty_is_left_to_its_reader(put, name, data):
    found = _only(put(name, data))
    assert (found.kind, _read(found)) == ("empty", b"")


def test_a_big_file_is_never_held_whole(put):
    found = _only(put("x.csv.gz", gzip.compress(CSV.encode() * 5, 1)))
    with found.open() as stream:
        sizes = {len(chunk) for chunk in iter(lambda: stream.read1(1 << 16), b"")}
    assert max(sizes) <= 1 << 16


def test_each_ending_that_is_read_promises_a_kind_and_texts_keep_theirs():
    promised = containers._BY_ENDING
    assert set(promised) >= set(plain_files.FILE_KINDS)
    texts = {ending for ending, kinds in promised.items() if containers.TEXT in kinds}
    assert set(plain_csv.TEXTS) == texts
