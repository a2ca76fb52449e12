"""Settings: what `workbook.toml` says, checked before any data is touched.

`columns` is the contract of tables, `book` what a toml says, `engines`, `variables` and
`plain_files` what it may reach, `sources` the files of a table, `places` where all this lies.
"""

from helpers.settings.book import (
    GIVEN_BY_THE_RUN,
    TableSource,
    Workbook,
    workbook,
)
from helpers.settings.columns import DataError, contract, nearest
from helpers.settings.engines import database_file, engine_settings, shown_engine
from helpers.settings.places import NOTEBOOKS, PACKAGE, ROOT, notebook_of, page_of, question_of
from helpers.settings.plain_files import FILE_KINDS, is_file, require_plain_database
from helpers.settings.sources import files_in_query, sources

__all__ = [
    "FILE_KINDS",
    "GIVEN_BY_THE_RUN",
    "NOTEBOOKS",
    "PACKAGE",
    "ROOT",
    "DataError",
    "TableSource",
    "Workbook",
    "contract",
    "database_file",
    "engine_settings",
    "files_in_query",
    "is_file",
    "nearest",
    "notebook_of",
    "page_of",
    "question_of",
    "require_plain_database",
    "shown_engine",
    "sources",
    "workbook",
]
