"""SQLite: a database file, read once into the room in which DuckDB then does the work.

SQLite has no dates and no exact amounts, and a column of it may hold anything: sums of floats would
flip class borders. So its rows are read as those of a file are, and kept; what is asked is
aggregated in DuckDB. Nothing is written, and no code comes in: neither by an extension nor by a
function that a view of the file names.
"""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa

from helpers import words
from helpers.data import dialects, guard
from helpers.data.mapping import quoted
from helpers.settings import TableSource, nearest, refusal

ROWS = 50_000  # fetched at a time
BESIDE = ("-wal", "-journal")  # what SQLite opens beside a file, and reads as part of it
KINDS = ("integer", "real", "text", "blob")  # how SQLite stores a value, whatever is declared


class Source:
    """One table of a database file, open to be read; `con` may be interrupted by another thread."""

    def __init__(self, name: str, file: Path, given: TableSource) -> None:
        """Open the file, only to read it, and the table that is given."""
        self.con = sqlite3.connect(
            f"file:{quote(str(file))}?mode=ro", uri=True, check_same_thread=False
        )
        self.con.execute("PRAGMA query_only = ON")
        self.con.execute("PRAGMA trusted_schema = OFF")
        self.sql = given.query.rstrip("; \t\r\n")
        if given.query:
            guard.require_server_query(name, given.query, "sqlite")
        else:
            self.sql = dialects.table_of(self._known(name, given.source), "sqlite")

    def disconnect(self) -> None:
        """Close the file."""
        self.con.close()

    def _known(self, name: str, source: str) -> str:
        """Require a table or view of that name; of what is none SQLite tells no more than that."""
        asked = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name"
        known = [row[0] for row in self.con.execute(asked)]
        plain = source.removeprefix("main.")
        if plain.casefold() not in {table.casefold() for table in known}:
            there = nearest(plain, known) if known else words.message("refused.no_tables")
            raise refusal("no_sqlite_source", name=name, source=source, there=there)
        return plain if "." not in plain else source

    def read(self, name: str) -> pa.RecordBatchReader:
        """Give the rows with a type for each column: whole numbers, numbers, or text as it stands.

        Columns that hold bytes, as pictures are, are left out.

        Raises
        ------
        DataError
            If two columns have one name.
        """
        # in brackets that no comment of it can swallow
        inside = f"(\n{self.sql}\n)"
        found = self.con.execute(f"SELECT * FROM {inside} LIMIT 0").description
        headers = [column[0] for column in found]
        # SQLite calls the second of a name so
        again = (re.fullmatch(r"(.*):\d+", header, re.DOTALL) for header in headers)
        if twice := [found[1] for found in again if found and found[1] in headers]:
            raise refusal("query_column_twice", name=name, column=twice[0])
        stored = ", ".join(
            f"MAX(TYPEOF({quoted(header)}) = '{kind}')" for header in headers for kind in KINDS
        )
        row = self.con.execute(f"SELECT {stored} FROM {inside}").fetchone()
        types = {h: _type(*row[len(KINDS) * i :][: len(KINDS)]) for i, h in enumerate(headers)}
        fields = [pa.field(header, kind) for header, kind in types.items() if kind is not None]
        listed = ", ".join(
            quoted(f.name) if f.type != pa.string() else f"CAST({quoted(f.name)} AS TEXT)"
            for f in fields
        )
        cursor = self.con.execute(f"SELECT {listed} FROM {inside}")
        return pa.RecordBatchReader.from_batches(pa.schema(fields), _batches(cursor, fields))


def _batches(cursor: sqlite3.Cursor, fields: list[pa.Field]) -> Iterator[pa.RecordBatch]:
    while rows := cursor.fetchmany(ROWS):
        columns = zip(*rows, strict=True)
        yield pa.record_batch(
            [pa.array(c, f.type) for c, f in zip(columns, fields, strict=True)],
            schema=pa.schema(fields),
        )


def _type(integer: int | None, real: int | None, text: int | None, blob: int | None):
    """Choose the narrowest type that holds all values as they are stored; none for bytes."""
    if blob:
        return None
    if text or not (integer or real):
        return pa.string()
    return pa.float64() if real else pa.int64()
