"""Settings: what `workbook.toml` says, checked against the table contract before any data is touched."""

import csv
import difflib
import functools
import glob
import importlib.util
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from helpers import words

ROOT = Path(__file__).parents[2]  # reports, cache and reference tables lie in the project
FILE_KINDS = (".parquet", ".csv", ".csv.gz")
WORKBOOK_KEYS = ("name", "title", "title_zh", "brand", "currency", "language", "generated")
GIVEN_BY_THE_RUN = ("period", "config", "language")
WRITTEN_BY_PEOPLE = ("plan", "overrides")  # found beside the toml without being named in it
TABLE_KEYS = ("source", "query", "columns", "format")


class DataError(ValueError):
    """Something in the settings or the data that a person has to put right; the message says what and where."""


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
    engine: str
    files: Mapping[str, str]
    tables: Mapping[str, TableSource]
    title_zh: str = ""
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # of notebooks, by their names

    @property
    def heading(self) -> str:
        """Title in the reader's language, where the settings give one."""
        return words.translated(self.title, self.title_zh)

    @property
    def folder(self) -> Path:
        """Folder of the toml: relative paths start here; plan, overrides and own reference tables lie here."""
        return self.path.parent

    @property
    def embedded(self) -> bool:
        """Whether DuckDB inside this process does the work (and may keep a cache), not a server."""
        return self.engine.startswith("duckdb://")

    def has(self, *tables: str) -> bool:
        """Whether all these tables are there."""
        return all(table in self.tables for table in tables)


@functools.cache
def contract() -> dict[str, dict[str, Column]]:
    """Read the table contract: table → column → kind, whether it is required, whether it is part of the key."""
    tables: dict[str, dict[str, Column]] = {}
    with (words.REFERENCE / "columns.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            tables.setdefault(row["table"], {})[row["column"]] = Column(
                row["kind"], row["required"] == "yes", row["key"] == "yes", row["unit"], row["meaning"]
            )
    return tables


def workbook(path: str | Path) -> Workbook:
    """Read and check a `workbook.toml`; a folder stands for the file of that name in it.

    The environment's `WORKBOOK_CONFIG` stands in for the bare name "workbook.toml".

    Raises
    ------
    DataError
        If the file is missing, is no TOML, or holds an unknown key, table or column; the nearest one is named.
    """
    # `workbook lab --config` names the file for all notebooks that ask for the default one
    path = os.environ.get("WORKBOOK_CONFIG", path) if str(path) == "workbook.toml" else path
    path = Path(path).expanduser()
    if not path.is_absolute():
        path = next((p / path for p in (Path.cwd(), *Path.cwd().parents) if (p / path).exists()), ROOT / path)
    path = (path / "workbook.toml" if path.is_dir() else path).resolve()
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; give the path of a workbook.toml with --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: this is no TOML: {error}") from None
    _require_known(raw, ("workbook", "data", "parameters"), path.name, "section")
    head, data = raw.get("workbook", {}), raw.get("data", {})
    _require_known(head, WORKBOOK_KEYS, "[workbook]", "key")
    _require_known(data, ("engine", "files", *contract()), "[data]", "table")
    book = Workbook(
        path=path, name=_name(head, path), title=_text(head, "title", path.parent.name), brand=_text(head, "brand", ""),
        currency=_text(head, "currency", ""), languages=_languages(head), generated=head.get("generated") is True,
        engine=_engine(data, path),
        files={key: _located(value, path, f"[data.files] {key}") for key, value in _texts(data, "files").items()},
        tables=_tables(data, path), title_zh=_text(head, "title_zh", ""),
        parameters=_parameters(raw.get("parameters", {})),
    )  # fmt: skip
    if not (book.has("sell_in") or book.has("sell_out")):
        raise DataError(f"{path.name}: neither [data.sell_in] nor [data.sell_out] is there; at least one is needed")
    return book


def sources(book: Workbook, table: str, mapping: TableSource | None = None) -> list[Path]:
    """List the files a table is made of, sorted; empty where it comes from the engine.

    Raises
    ------
    DataError
        If a source has no file, or a file of a kind that cannot be read.
    """
    mapping = mapping or book.tables[table]
    named = [book.files[name] for name in files_in_query(book, mapping.query)] if mapping.query else [mapping.source]
    found = []
    for source in filter(is_file, named):
        # a file of that very name wins over a pattern: sales[1].csv
        named_so = [source] if Path(source).is_file() else glob.glob(source, recursive=True)  # noqa: PTH207
        files = sorted(Path(name) for name in named_so)
        if not files:
            raise DataError(f"{table}: no file {source}; correct the path in {book.path.name}")
        if bad := [f for f in files if not f.name.lower().endswith(FILE_KINDS)]:
            raise DataError(f"{table}: {bad[0].name} can't be read; save it as one of {', '.join(FILE_KINDS)}")
        found += files
    return found


def is_file(source: str) -> bool:
    """Whether a source names files (it has a folder or an ending), not a table of the engine."""
    return "/" in source or "\\" in source or source.lower().endswith((".xlsx", ".xls", *FILE_KINDS))


def files_in_query(book: Workbook, query: str) -> list[str]:
    """List the names of `[data.files]` that occur as words in a query."""
    return [name for name in book.files if re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", query, re.IGNORECASE)]


def database_file(engine: str) -> Path | None:
    """Name the file of an embedded database; none where it lives in memory or is a server's.

    >>> database_file("duckdb:///data/erp.duckdb?threads=2").name, database_file("duckdb://")
    ('erp.duckdb', None)
    """
    file = engine.removeprefix("duckdb://").partition("?")[0]
    return Path(file) if engine.startswith("duckdb://") and file not in ("", ":memory:") else None


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


def _tables(data: Mapping, path: Path) -> dict[str, TableSource]:
    tables = {table: _mapping(table, data[table], path) for table in contract() if table in data}
    for table in WRITTEN_BY_PEOPLE:
        if (beside := path.parent / f"{table}.csv").exists():  # what people wrote wins over what came with the data
            tables[table] = TableSource(source=str(beside))
    return tables


def _parameters(raw: Mapping) -> dict[str, Mapping[str, Any]]:
    """Take what each notebook is to be told besides month, workbook and language: `[parameters.04_consumer_groups]`."""
    for notebook, given in raw.items():
        where = f"[parameters.{notebook}]"
        if not isinstance(given, Mapping):
            raise DataError(f"{where}: here a section with keys is expected, not {given!r}")
        for name, value in given.items():
            if name in GIVEN_BY_THE_RUN:
                raise DataError(f"{where} {name}: the report gives this to every page; use its own option instead")
            if not isinstance(value, (str, int, float)):
                raise DataError(f"{where} {name}: text, a number or true/false is expected, not {value!r}")
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


def _engine(data: Mapping, path: Path) -> str:
    """Give the engine's URL; a database file lies relative to the toml, as other sources do."""
    engine = _filled(_text(data, "engine", "duckdb://"), "engine")
    file = database_file(engine)
    return engine.replace(f"duckdb://{file}", f"duckdb://{path.parent / file}", 1) if file else engine


def _name(head: Mapping, path: Path) -> str:
    name = _text(head, "name", path.parent.name if path.name == "workbook.toml" else path.stem)
    # the name becomes a folder below reports/: text from a file is never a path
    if not re.fullmatch(r"[\w][\w .-]{0,63}", name):
        raise DataError(f"[workbook] name = {name!r}: use letters, digits, space, dot, - and _ only")
    return name


def _languages(head: Mapping) -> tuple[str, ...]:
    given = head.get("language", ["en"])
    given = [given] if isinstance(given, str) else given
    if not isinstance(given, list):
        raise DataError(f'[workbook] language: a list such as ["en"] is expected, not {given!r}')
    for language in given:
        if language not in words.LANGUAGES:
            raise DataError(f"[workbook] language: {language!r} is not known; choose from {', '.join(words.LANGUAGES)}")
    return tuple(dict.fromkeys(given)) or ("en",)


def _mapping(table: str, raw: Mapping, path: Path) -> TableSource:
    where = f"[data.{table}]"
    _require_known(raw, TABLE_KEYS, where, "key")
    columns, formats = _texts(raw, "columns"), _texts(raw, "format")
    known = contract()[table]
    if "*" not in known:  # where the contract takes any further column, any further name is right
        _require_known(columns, known, f"[data.{table}.columns]", "column")
    _require_known(formats, [c for c, column in known.items() if column.kind in ("date", "month")],
                   f"[data.{table}.format]", "date column")  # fmt: skip
    source, query = _text(raw, "source", "").strip(), _text(raw, "query", "").strip()
    if bool(source) == bool(query):
        raise DataError(f"{where}: give either source or query")
    source = _located(source, path, f"{where} source") if source else ""
    return TableSource(source, _filled(query, f"{where} query"), dict(columns), dict(formats))


def _filled(text: str, where: str) -> str:
    """Fill in environment variables written as `${NAME}`."""

    def value(match: re.Match) -> str:
        if match[1] not in os.environ:
            raise DataError(f"{where}: the environment variable {match[1]} is not set; set it to the data's folder")
        return os.environ[match[1]]

    return re.sub(r"\$\{(\w+)\}", value, text)


def _located(source: str, path: Path, where: str) -> str:
    """Give a source's full path: relative ones start at the toml, `package:NAME/path` in an installed package."""
    source = _filled(source, where)
    if source.startswith("package:"):
        package, _, inside = source.removeprefix("package:").partition("/")
        spec = importlib.util.find_spec(package) if re.fullmatch(r"\w+", package) else None
        if spec is None or not spec.submodule_search_locations:
            raise DataError(f"{where}: the package {package!r} is not installed; install it with pip")
        return str(Path(spec.submodule_search_locations[0]) / inside)
    return str(path.parent / Path(source).expanduser()) if is_file(source) else source
