"""Settings: what `workbook.toml` says, checked against the table contract before any data is
touched.
"""

import csv
import difflib
import fnmatch
import functools
import importlib.util
import os
import re
import stat
import tomllib
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from helpers import words

PACKAGE = Path(__file__).parent  # all that runs
ROOT = PACKAGE.parents[1]  # reports, cache and reference tables lie in the project
FILE_KINDS = (".parquet", ".csv", ".csv.gz")
WORKBOOK_KEYS = ("name", "title", "title_zh", "brand", "currency", "language", "generated")
GIVEN_BY_THE_RUN = ("period", "config", "language")
# no folder there can have it
RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
WRITTEN_BY_PEOPLE = ("plan", "overrides")  # found beside the toml without being named in it
TABLE_KEYS = ("source", "query", "columns", "format")
MAX_TOML = 1_000_000  # bytes; a longer one was not written by people
MAX_LOOKED_AT = 200_000  # entries of folders that a pattern may look at

# endings that say "file" though none of these can be read: taken for a table, the message would be
# of a schema
OTHER_KINDS = (
    ".tsv",
    ".txt",
    ".json",
    ".jsonl",
    ".ndjson",
    ".xlsx",
    ".xls",
    ".xlsb",
    ".xlsm",
    ".ods",
    ".zst",
    ".gz",
    ".bz2",
    ".xz",
    ".zip",
    ".7z",
    ".tar",
    ".tgz",
    ".db",
    ".duckdb",
    ".ddb",
    ".sqlite",
    ".sqlite3",
    ".arrow",
    ".feather",
    ".orc",
    ".avro",
    ".xml",
    ".html",
    ".pq",
    ".dbf",
    ".vortex",
    ".lance",
    ".shp",
    ".gpkg",
)
NOT_ON_DISK = ("/proc", "/sys")  # what lies there looks like files and is the machine itself

# what an engine's URL may say after the question mark: setting → how its value is written
_SIZE, _WORD, _YES_NO = (
    r"\d{1,6}(\.\d{1,3})? ?([KMGT]i?B)",
    r"[\w.-]{1,64}",
    r"(true|false|1|0|True|False)",
)
DUCKDB_SETTINGS = {"memory_limit": _SIZE, "threads": r"[1-9]\d{0,2}"}
SERVER_SETTINGS: dict[str, Mapping[str, str]] = {
    "postgres": {
        "sslmode": r"allow|prefer|require|verify-ca|verify-full",
        "connect_timeout": r"\d{1,4}",
        "application_name": _WORD,
        "schema": _WORD,
    },
    "mysql": {"charset": _WORD, "connect_timeout": r"\d{1,4}"},
    "mssql": {"driver": r"[\w. -]{1,64}"},
    "oracle": {"service_name": _WORD, "sid": _WORD},
    "clickhouse": {"secure": _YES_NO},
    "trino": {
        "schema": _WORD,
        "source": _WORD,
        "timezone": r"[\w/+-]{1,64}",
        "http_scheme": r"https?",
    },
    "snowflake": {"warehouse": _WORD, "role": _WORD, "schema": _WORD},
    "bigquery": {"location": _WORD},
    "exasol": {},
    "impala": {},
    "materialize": {},
    "risingwave": {},
    "databricks": {"http_path": r"[\w./-]{1,200}", "catalog": _WORD, "schema": _WORD},
    "pyspark": {
        "spark.driver.memory": r"\d{1,6}[kmgt]",
        "spark.sql.shuffle.partitions": r"\d{1,5}",
        "spark.sql.session.timeZone": r"[\w/+-]{1,64}",
        "spark.app.name": _WORD,
    },
}
SERVER_SETTINGS["postgresql"] = SERVER_SETTINGS["postgres"]


class DataError(ValueError):
    """Something in the settings or the data that a person has to put right.

    The message says what and where.
    """


class Column(NamedTuple):
    """One column of the contract."""

    kind: str  # id, text, date, month, money or number
    required: bool
    key: bool
    unit: str
    meaning: str


@dataclass(frozen=True)
class TableSource:
    """Where one table comes from and how its columns are named there."""

    source: str = ""
    query: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    format: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Workbook:
    """One `workbook.toml`: whose brand, which languages, and where each table lies."""

    path: Path
    name: str
    title: str
    brand: str
    currency: str
    languages: tuple[str, ...]
    generated: bool
    engine: str = field(repr=False)  # may hold a password
    files: Mapping[str, str]
    tables: Mapping[str, TableSource]
    title_zh: str = ""
    # of notebooks, by their names
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    # value of a variable → ${NAME}, to be told so
    filled: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def heading(self) -> str:
        """Title in the reader's language, where the settings give one."""
        return words.translated(self.title, self.title_zh)

    @property
    def folder(self) -> Path:
        """Folder of the toml: relative paths start here.

        Plan, overrides and own reference tables lie here.
        """
        return self.path.parent

    @property
    def embedded(self) -> bool:
        """Whether DuckDB inside this process does the work (and may keep a cache), not a server."""
        return self.engine.startswith("duckdb://")

    def has(self, *tables: str) -> bool:
        """Whether all these tables are there."""
        return all(table in self.tables for table in tables)

    def told(self, text: object) -> str:
        """Write a path or an engine's message as it may be shown.

        With `${NAME}` where a variable's value was.
        """
        return _hidden(str(text) or type(text).__name__, self.filled)


@functools.cache
def contract() -> dict[str, dict[str, Column]]:
    """Read the table contract.

    Table → column → kind, whether it is required, whether it is part of the key.
    """
    tables: dict[str, dict[str, Column]] = {}
    with (words.REFERENCE / "columns.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            tables.setdefault(row["table"], {})[row["column"]] = Column(
                row["kind"],
                row["required"] == "yes",
                row["key"] == "yes",
                row["unit"],
                row["meaning"],
            )
    return tables


def workbook(path: str | Path) -> Workbook:
    """Read and check a `workbook.toml`; a folder stands for the file of that name in it.

    The environment's `WORKBOOK_CONFIG` stands in for the bare name "workbook.toml".

    Raises
    ------
    DataError
        If the file is missing, is no TOML, or holds an unknown key, table or column; the nearest
        one is named.
    """
    # `workbook lab --config` names the file for all notebooks that ask for the default one
    path = os.environ.get("WORKBOOK_CONFIG", path) if str(path) == "workbook.toml" else path
    path = Path(path).expanduser()
    if not path.is_absolute():
        path = next(
            (p / path for p in (Path.cwd(), *Path.cwd().parents) if (p / path).exists()),
            ROOT / path,
        )
    path = (path / "workbook.toml" if path.is_dir() else path).resolve()
    raw = _toml(path)
    _require_known(raw, ("workbook", "data", "parameters"), path.name, "section")
    filled: dict[str, str] = {}
    try:
        return _workbook(raw, path, filled)
    except DataError as error:  # whatever it is about, the value of a variable is nobody's business
        raise DataError(_hidden(str(error), _variants(filled))) from None


def _workbook(raw: Mapping, path: Path, filled: dict[str, str]) -> Workbook:
    head, data = raw.get("workbook", {}), raw.get("data", {})
    _require_known(head, WORKBOOK_KEYS, "[workbook]", "key")
    _require_known(data, ("engine", "files", *contract()), "[data]", "table")
    book = Workbook(
        path=path,
        name=_name(head, path),
        title=_text(head, "title", path.parent.name),
        brand=_text(head, "brand", ""),
        currency=_text(head, "currency", ""),
        languages=_languages(head),
        generated=head.get("generated") is True,
        engine=_engine(data, path, filled),
        files={
            k: _located(value, path, f"[data.files] {k}", filled)
            for k, value in _texts(data, "files").items()
        },
        tables=_tables(data, path, filled),
        title_zh=_text(head, "title_zh", ""),
        parameters=_parameters(raw.get("parameters", {})),
        filled=_variants(filled),
    )
    if not (book.has("sell_in") or book.has("sell_out")):
        raise DataError(
            f"{path.name}: neither [data.sell_in] nor [data.sell_out] is there; at least one is "
            "needed"
        )
    return book


def _toml(path: Path) -> dict[str, Any]:
    try:
        if not path.exists():
            raise DataError(f"{path}: no such file; give the path of a workbook.toml with --config")
        require_plain_file(path, str(path))
        if path.stat().st_size > MAX_TOML:
            raise DataError(
                f"{path}: {path.stat().st_size:,} bytes are no workbook.toml; {MAX_TOML:,} are read"
            )
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{path}: this is no TOML: {error}") from None
    except OSError as error:
        raise DataError(f"{path}: can't be read: {error.strerror}") from None
    if _holds_nul(raw):
        raise DataError(f"{path}: a text holds the character NUL, which no file, header or SQL has")
    return raw


def _holds_nul(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(_holds_nul(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return any(map(_holds_nul, value))
    return isinstance(value, str) and "\0" in value


def sources(book: Workbook, table: str, mapping: TableSource | None = None) -> list[Path]:
    """List the files a table is made of, sorted; empty where it comes from the engine.

    None of them is opened.

    Raises
    ------
    DataError
        If a source has no file, a file of a kind that cannot be read, or one that is no plain file
        on disk.
    """
    mapping = mapping or book.tables[table]
    named = (
        [book.files[name] for name in files_in_query(book, mapping.query)]
        if mapping.query
        else [mapping.source]
    )
    found = []
    for source in filter(is_file, named):
        told = book.told(source)
        try:
            # a file of that very name wins over a pattern: sales[1].csv
            files = [Path(source)] if os.path.lexists(source) else sorted(matching(source))
            for file in files:
                require_plain_file(file, f"{table}: {book.told(file)}")
        except OSError as error:
            # a name too long, a loop of links, a folder that may not be looked into
            raise DataError(f"{table}: {told} can't be read: {error.strerror}") from None
        except OverflowError:
            raise DataError(
                f"{table}: {told} looks at more than {MAX_LOOKED_AT:,} files; name a folder "
                "nearer to them"
            ) from None
        if not files:
            raise DataError(f"{table}: no file {told}; correct the path in {book.path.name}")
        if bad := [f for f in files if not f.name.lower().endswith(FILE_KINDS)]:
            name = Path(book.told(bad[0])).name
            raise DataError(
                f"{table}: {name} can't be read; save it as one of {', '.join(FILE_KINDS)}"
            )
        found += files
    return found


def require_plain_file(file: Path, told: str) -> None:
    """Raise unless a name stands, through all links, for a plain file on disk.

    It is looked at, not opened.

    Raises
    ------
    DataError
        If it is a folder, device, pipe or socket, or lies in `/proc` or `/sys`.
    """
    real = os.path.realpath(file)
    if real.startswith(tuple(f"{place}/" for place in NOT_ON_DISK)):
        raise DataError(
            f"{told} is no file on disk but a view of the machine; save the data as a file"
        )
    mode = os.stat(real).st_mode  # noqa: PTH116 - of the path that was judged
    if not stat.S_ISREG(mode):
        kinds = {
            stat.S_ISDIR: "a folder; name the files in it, e.g. folder/*.csv",
            stat.S_ISFIFO: "a pipe",
            stat.S_ISSOCK: "a socket",
        }
        what = next((word for is_kind, word in kinds.items() if is_kind(mode)), "a device")
        raise DataError(f"{told} is no plain file but {what}")


def require_plain_database(file: Path, told: str) -> None:
    """Raise unless a database and what the engine opens beside it are plain files.

    Beside `erp.duckdb` these are `erp.duckdb.wal` and others of such names; a pipe there would keep
    a reader waiting for ever. Links stand for what they lead to. A folder is where it spilled.

    Raises
    ------
    DataError
        If one of them is anything else.
    """
    require_plain_file(file, f"{told}: this")
    for real in {file, Path(os.path.realpath(file))}:
        with os.scandir(real.parent) as scan:
            beside = sorted(e.name for e in scan if e.name.startswith(f"{real.name}."))
        for name in beside:
            if not (real.parent / name).is_dir():
                require_plain_file(real.parent / name, f"{told}: {name} beside it")


def matching(pattern: str) -> set[Path]:
    """List what a pattern stands for, as `glob` does; `**` follows no links.

    Raises
    ------
    OverflowError
        If more than `MAX_LOOKED_AT` entries of folders would be looked at: /**/*.csv would take
        minutes.
    """
    looked_at = 0

    def entries(folder: Path) -> list[os.DirEntry]:
        nonlocal looked_at
        try:
            with os.scandir(folder) as scan:
                found = []
                for entry in scan:
                    found.append(entry)
                    looked_at += 1
                    if looked_at > MAX_LOOKED_AT:
                        raise OverflowError
                return found
        except (NotADirectoryError, FileNotFoundError, PermissionError):
            return []

    def matches(folder: Path, parts: tuple[str, ...]) -> Iterator[Path]:
        if not parts:
            yield folder
        elif parts[0] == "**":
            yield from matches(folder, parts[1:])
            for entry in entries(folder):
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                    yield from matches(folder / entry.name, parts)
        elif re.search(r"[*?\[]", parts[0]):
            for entry in entries(folder):
                hidden = entry.name.startswith(".") and not parts[0].startswith(".")
                if not hidden and fnmatch.fnmatchcase(entry.name, parts[0]):
                    yield from matches(folder / entry.name, parts[1:])
        elif os.path.lexists(folder / parts[0]):
            yield from matches(folder / parts[0], parts[1:])

    # **/** is **, and would look at each folder as often as there are ways to it
    parts = re.sub(r"(?<=/)\*\*/(\*\*/)+", "**/", str(Path(pattern))).split("/")
    return {file for file in matches(Path(parts[0] or "/"), tuple(parts[1:])) if file.exists()}


def is_file(source: str) -> bool:
    """Whether a source names files (it has a folder or an ending), not a table of the engine."""
    return "/" in source or "\\" in source or source.lower().endswith((*FILE_KINDS, *OTHER_KINDS))


def files_in_query(book: Workbook, query: str) -> list[str]:
    """List the names of `[data.files]` that occur as words in a query."""
    return [
        name
        for name in book.files
        if re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", query, re.IGNORECASE)
    ]


def database_file(engine: str) -> Path | None:
    """Name the file of an embedded database; none where it lives in memory or is a server's.

    >>> database_file("duckdb:///data/erp.duckdb?threads=2").name, database_file("duckdb://")
    ('erp.duckdb', None)
    """
    file = engine.removeprefix("duckdb://").partition("?")[0]
    return Path(file) if engine.startswith("duckdb://") and file not in ("", ":memory:") else None


def engine_settings(engine: str) -> dict[str, str]:
    """Read what an engine's URL sets after the question mark.

    Only the listed settings are taken, since others load code, read files, or send what they find
    elsewhere.

    >>> engine_settings("duckdb://?memory_limit=2GB&threads=4")
    {'memory_limit': '2GB', 'threads': '4'}

    Raises
    ------
    DataError
        If a setting is not among the engine's, is given twice, or its value is not written as it
        should be.
    """
    scheme, _colon, rest = engine.partition("://")
    known = DUCKDB_SETTINGS if scheme == "duckdb" else SERVER_SETTINGS[scheme]
    found: dict[str, str] = {}
    for name, value in urllib.parse.parse_qsl(rest.partition("?")[2], keep_blank_values=True):
        if name not in known:
            raise DataError(
                f"engine {scheme}://: the setting {name!r} is not taken; {_listed(known)}"
            )
        if name in found or not re.fullmatch(known[name], value):
            raise DataError(
                f"engine {scheme}://: the setting {name!r} is given twice, or not as it is written"
            )
        found[name] = value
    return found


def shown_engine(engine: str) -> str:
    """Write an engine's URL as it may be shown: without user, password and settings.

    >>> shown_engine("postgres://me:pa/ss@wd@host/db?sslmode=require")
    'postgres://…@host/db'
    """
    if engine.startswith("duckdb://"):  # a path, which has no account
        return engine.partition("?")[0]
    # a password may hold a question mark: what is before the last @ goes first
    return re.sub(r"://.*@", "://…@", engine, flags=re.DOTALL).partition("?")[0]


def _listed(known: Iterable[str]) -> str:
    return f"known are {', '.join(known)}" if known else "it takes none"


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest what was meant, as the end of a sentence.

    >>> nearest("sel_in", ["sell_in", "stock"])
    "; did you mean 'sell_in'?"
    """
    near = difflib.get_close_matches(name, list(known), 1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"


def _require_known(given: Mapping, known: Iterable[str], where: str, what: str) -> None:
    if not isinstance(given, Mapping):
        raise DataError(f"{where}: here a section with keys is expected, not {given!r}")
    for name in given:
        if name not in known:
            raise DataError(f"{where}: unknown {what} {name!r}{nearest(name, known)}")


def _tables(data: Mapping, path: Path, filled: dict[str, str]) -> dict[str, TableSource]:
    tables = {
        table: _mapping(table, data[table], path, filled) for table in contract() if table in data
    }
    for table in WRITTEN_BY_PEOPLE:
        # what people wrote wins over what came with the data
        if (beside := path.parent / f"{table}.csv").exists():
            tables[table] = TableSource(source=str(beside))
    return tables


def _parameters(raw: Mapping) -> dict[str, Mapping[str, Any]]:
    """Take what each notebook is to be told besides month, workbook and language.

    `[parameters.04_consumer_groups]`.
    """
    for notebook, given in raw.items():
        where = f"[parameters.{notebook}]"
        if not isinstance(given, Mapping):
            raise DataError(f"{where}: here a section with keys is expected, not {given!r}")
        for name, value in given.items():
            if not name.isidentifier():  # it becomes a line of Python
                raise DataError(f"{where} {name!r}: such a name no parameter has")
            if name in GIVEN_BY_THE_RUN:
                raise DataError(
                    f"{where} {name}: the report gives this to every page; use its own option "
                    "instead"
                )
            if not isinstance(value, (str, int, float)):
                raise DataError(
                    f"{where} {name}: text, a number or true/false is expected, not {value!r}"
                )
    return dict(raw)


def _text(section: Mapping, key: str, default: str) -> str:
    value = section.get(key, default)
    if not isinstance(value, str):
        raise DataError(f"{key}: text in quotation marks is expected, not {value!r}")
    return value


def _texts(section: Mapping, key: str) -> Mapping[str, str]:
    values = section.get(key, {})
    _require_known(values, values, f"[{key}]", "key")
    for name in values:
        _text(values, name, "")
    return values


def _engine(data: Mapping, path: Path, filled: dict[str, str]) -> str:
    """Give the engine's URL, its settings checked.

    A database file lies relative to the toml, as other sources do.
    """
    written = _text(data, "engine", "duckdb://")
    engine = _filled(written, "engine", filled)
    scheme, colon, rest = engine.partition("://")
    if not colon or scheme not in ("duckdb", *SERVER_SETTINGS):
        told = shown_engine(written)
        raise DataError(
            f"engine {told}: such an engine is not taken; known are duckdb, "
            f"{', '.join(SERVER_SETTINGS)}"
        )
    if scheme not in ("duckdb", "pyspark"):
        _require_address(scheme, rest)
    engine_settings(engine)
    if "#" in rest or ";" in rest.partition("?")[0]:
        raise DataError(
            f"engine {scheme}://: a URL without # and ; is expected; write %23 and %3B in a "
            "password"
        )
    # a driver might take it for settings
    if scheme != "duckdb" and "=" in rest.partition("?")[0].rpartition("@")[2]:
        raise DataError(f"engine {scheme}://: a host, a database and a schema hold no =")
    if scheme == "pyspark" and rest.partition("?")[0]:
        raise DataError(
            "engine pyspark://: nothing is taken here but settings; Spark's own lie in "
            "spark-defaults.conf"
        )
    if (file := database_file(engine)) is None:
        return engine
    file = path.parent / file
    told = f"engine {shown_engine(written)}"
    try:
        if file.exists():  # where it is not, the table says so
            require_plain_database(file, told)
    except OSError as error:
        raise DataError(f"{told}: {error.strerror}") from None
    return engine.replace(f"duckdb://{database_file(engine)}", f"duckdb://{file}", 1)


def _require_address(scheme: str, rest: str) -> None:
    """Refuse what a driver would read otherwise than it was meant, and quote in its message.

    A password with a slash ends the host for it, and what follows is a port. None of it is shown.
    """
    account, _at, place = rest.rpartition("@")
    place, _mark, settings = place.partition("?")
    if re.search(r"[/?#\[\]\s\x00-\x20\x7f]", account):
        raise DataError(
            f"engine {scheme}://: user and password hold no / ? # [ ] and no blank; write %2F, "
            "%3F, %23, %5B, %5D and %20"
        )
    host, _slash, inside = place.partition("/")
    found = re.fullmatch(r"(?:\[[0-9a-fA-F:.]+\]|[\w.%\\-]*)(?::(?P<port>.*))?", host, re.DOTALL)
    if not found or re.search(r"[\[\]\s\x00-\x20\x7f]", inside + settings.split("#")[0].strip(" ")):
        raise DataError(
            f"engine {scheme}://: a host holds letters, digits, dots, - and _, and a database no "
            "blank; other characters of a password are written as %40 (@) or %3A (:)"
        )
    port = found["port"]
    if port and not (re.fullmatch(r"[0-9]{1,5}", port) and 0 < int(port) < 65536):
        raise DataError(
            f"engine {scheme}://: after the host's colon a port up to 65535 is expected"
        )


def _name(head: Mapping, path: Path) -> str:
    name = _text(head, "name", path.parent.name if path.name == "workbook.toml" else path.stem)
    # the name becomes a folder below reports/: text from a file is never a path
    if not re.fullmatch(r"\w(?:[\w .-]{0,62}[\w-])?", name):
        raise DataError(
            f"[workbook] name = {name!r}: use letters, digits, space, dot, - and _ only; no dot "
            "at the end"
        )
    if RESERVED.fullmatch(name):
        raise DataError(
            f"[workbook] name = {name!r}: Windows keeps this name for a device; choose another"
        )
    return name


def _languages(head: Mapping) -> tuple[str, ...]:
    given = head.get("language", ["en"])
    given = [given] if isinstance(given, str) else given
    if not isinstance(given, list):
        raise DataError(f'[workbook] language: a list such as ["en"] is expected, not {given!r}')
    for language in given:
        if language not in words.LANGUAGES:
            raise DataError(
                f"[workbook] language: {language!r} is not known; choose from "
                f"{', '.join(words.LANGUAGES)}"
            )
    return tuple(dict.fromkeys(given)) or ("en",)


def _mapping(table: str, raw: Mapping, path: Path, filled: dict[str, str]) -> TableSource:
    where = f"[data.{table}]"
    _require_known(raw, TABLE_KEYS, where, "key")
    columns, formats = _texts(raw, "columns"), _texts(raw, "format")
    known = contract()[table]
    if "*" not in known:  # where the contract takes any further column, any further name is right
        _require_known(columns, known, f"[data.{table}.columns]", "column")
    _require_known(
        formats,
        [c for c, column in known.items() if column.kind in ("date", "month")],
        f"[data.{table}.format]",
        "date column",
    )
    source, query = _text(raw, "source", "").strip(), _text(raw, "query", "").strip()
    if bool(source) == bool(query):
        raise DataError(f"{where}: give either source or query")
    source = _located(source, path, f"{where} source", filled) if source else ""
    for key, text in (
        ("query", query),
        *((f"columns.{column}", text) for column, text in columns.items()),
    ):
        if "${" in text:
            raise DataError(
                f"{where} {key}: variables are filled in only where a path or the engine's URL "
                "stands, never in SQL; name the file under [data.files]"
            )
    return TableSource(source, query, dict(columns), dict(formats))


def _filled(text: str, where: str, filled: dict[str, str]) -> str:
    """Fill in environment variables written as `${NAME}`, and remember where values came from."""

    def value(match: re.Match) -> str:
        if match[1] not in os.environ:
            raise DataError(
                f"{where}: the environment variable {match[1]} is not set; set it to the data's "
                "folder"
            )
        filled[os.environ[match[1]]] = match[0]
        return os.environ[match[1]]

    found = re.sub(r"\$\{(\w+)\}", value, text)
    if where == "engine":
        for part, name in _parts(text, value).items():
            filled.setdefault(part, name)
    return found


def _parts(text: str, value: Callable[[re.Match], str]) -> dict[str, str]:
    """Take an engine's URL apart as its readers may, and find what holds something of a variable.

    Of a path only what stands after a question mark: its folders have names of everyday words.
    """
    written = re.split(r"(\$\{\w+\})", text)
    filled = [re.sub(r"\$\{(\w+)\}", value, piece) for piece in written]
    url, names = "".join(filled), []
    for piece, given in zip(written, filled, strict=True):
        names += [piece if piece.startswith("${") else ""] * len(given)
    begins = url.find("?" if text.startswith("duckdb://") else "://")
    if begins < 0:
        begins = len(url) if text.startswith("duckdb://") else 0
    # before a question mark a path is hidden as the whole that it is
    found = {
        part: piece
        for piece, given in zip(written, filled, strict=True)
        for part in given.split("?")
        if piece.startswith("${") and part
    }
    for pattern in (r"\w+", r"[\w.-]+", r"[^/@:?&=#]+"):
        for part in re.compile(pattern).finditer(url, begins):
            if name := next(filter(None, names[part.start() : part.end()]), ""):
                found.setdefault(part[0], name)
    return found


def _variants(filled: Mapping[str, str]) -> dict[str, str]:
    """List how a variable's value may be written in a message.

    Quoted, as a path, decoded, or in parts of a URL.
    """
    found = {}
    for value, name in filled.items():
        ways = [
            value,
            urllib.parse.unquote_plus(value),
            urllib.parse.unquote(value),
            urllib.parse.quote(value),
        ]
        if "://" in value:
            url = value.partition("://")[2].partition("?")[0]
            ways += [
                part
                for way in (url, urllib.parse.unquote_plus(url))
                for part in re.split(r"[/@:]", way)
            ]
        for way in ways:
            # a message is told in one line
            lines = "; ".join(line.strip().rstrip(";") for line in way.split("\n") if line.strip())
            ways_to_write = (way, str(Path(way)), repr(way)[1:-1], way.replace("'", "''"), lines)
            found |= {text: name for text in ways_to_write if text.strip("./ ~")}
    # the longest first: it may hold another
    return dict(sorted(found.items(), key=lambda pair: -len(pair[0])))


def _hidden(text: str, filled: Mapping[str, str]) -> str:
    for value, name in filled.items():
        # a short one would tear words; where it stands alone it is hidden all the same
        whole = re.escape(value) if len(value) > 3 else rf"(?<!\w){re.escape(value)}(?!\w)"
        # a driver may write a host in small letters
        text = re.sub(whole, lambda _match, name=name: name, text, flags=re.IGNORECASE)
    return text


def _located(source: str, path: Path, where: str, filled: dict[str, str]) -> str:
    """Give a source's full path.

    Relative ones start at the toml, `package:NAME/path` in an installed package.
    """
    told, source = source, _filled(source, where, filled)
    if source.startswith("package:"):
        return _in_package(source.removeprefix("package:"), where)
    if re.match(r"[A-Za-z][\w+.-]+:", source):  # one letter is a drive
        raise DataError(
            f"{where}: {told!r} is an address; only files are read: load it down and name the file"
        )
    if not is_file(source):
        return source
    try:
        return str(path.parent / Path(source).expanduser())
    except RuntimeError:
        raise DataError(f"{where}: {told!r}: there is no such user's folder") from None


def _in_package(source: str, where: str) -> str:
    package, _slash, inside = source.partition("/")
    try:  # a name without a dot is looked up, not imported
        spec = importlib.util.find_spec(package) if re.fullmatch(r"\w+", package) else None
    except (ValueError, ImportError):
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise DataError(f"{where}: the package {package!r} is not installed; install it with pip")
    if ".." in re.split(r"[/\\]", inside) or inside.startswith(("/", "\\", "~")):
        raise DataError(
            f"{where}: {inside!r} leads out of the package {package!r}; give the file's own path "
            "instead"
        )
    return str(Path(next(iter(spec.submodule_search_locations))) / inside)
