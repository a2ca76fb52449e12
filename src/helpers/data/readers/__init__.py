"""Readers: a file of whatever kind becomes rows of text, before anyone maps their columns.

`containers` tells what a file is and reads it to its end; `encodings`, `dialects` and `records`
make rows of delimited text, `drawn` of lists printed for people, `sheets` of spreadsheets,
`objects` tables of JSON, Arrow and SQLite; `layouts` finds the table among the rows, `opening`
hands it to DuckDB.
"""

from helpers.data.readers.grid import TYPED, Note, typed_names, unit_sql
from helpers.data.readers.opening import (
    FILE,
    LINE,
    PLACES,
    Read,
    Table,
    clean_name,
    each,
    opened,
    read,
    require_alike,
    turned,
    unique_names,
)
from helpers.data.readers.showing import csv_line, is_remarkable, is_whole, said, shown
from helpers.data.readers.totals import SUSPECT
from helpers.data.readers.wide import months_of

__all__ = [
    "FILE",
    "LINE",
    "PLACES",
    "SUSPECT",
    "TYPED",
    "Note",
    "Read",
    "Table",
    "clean_name",
    "csv_line",
    "each",
    "is_remarkable",
    "is_whole",
    "months_of",
    "opened",
    "read",
    "require_alike",
    "said",
    "shown",
    "turned",
    "typed_names",
    "unique_names",
    "unit_sql",
]
