"""Settings: what `workbook.toml` says, checked before any data is touched.

`columns` is the contract of tables, `book` what a toml says, `terms` what labels are its own,
`options` the rules it may set, `scope` whose data these are, `engines`, `variables` and
`plain_files` what it may reach, `table_files` the files of a table, `places` where all this lies.
"""

from helpers import CHECKOUT, PACKAGE, SHIPPED
from helpers.settings.book import (
    GIVEN_BY_THE_RUN,
    ReadAs,
    TableSource,
    Workbook,
    decimal_mark,
    workbook,
)
from helpers.settings.columns import (
    PLAN_STATUSES,
    DataError,
    RowsError,
    cause,
    contract,
    nearest,
    refusal,
)
from helpers.settings.engines import (
    database_file,
    engine_settings,
    is_embedded,
    shown_engine,
)
from helpers.settings.options import Scalar, options_in_force
from helpers.settings.places import (
    NOTEBOOKS,
    NUMBERED,
    near,
    notebook_of,
    notebooks_of,
    own_table,
    page_of,
    project_here,
    project_of,
    question_of,
)
from helpers.settings.plain_files import FILE_KINDS, is_file, require_plain_database
from helpers.settings.scope import scope_text
from helpers.settings.table_files import files_in_query, sources

__all__ = [
    "CHECKOUT",
    "FILE_KINDS",
    "GIVEN_BY_THE_RUN",
    "NOTEBOOKS",
    "NUMBERED",
    "PACKAGE",
    "PLAN_STATUSES",
    "SHIPPED",
    "DataError",
    "ReadAs",
    "RowsError",
    "Scalar",
    "TableSource",
    "Workbook",
    "cause",
    "contract",
    "database_file",
    "decimal_mark",
    "engine_settings",
    "files_in_query",
    "is_embedded",
    "is_file",
    "near",
    "nearest",
    "notebook_of",
    "notebooks_of",
    "options_in_force",
    "own_table",
    "page_of",
    "project_here",
    "project_of",
    "question_of",
    "refusal",
    "require_plain_database",
    "scope_text",
    "shown_engine",
    "sources",
    "workbook",
]
