"""What `workbook.toml` says, checked against the table contract before any data is touched."""

import importlib.util
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from helpers import CHECKOUT, words
from helpers.settings.columns import DataError, cause, contract, refusal, require_known
from helpers.settings.engines import is_embedded, located_engine
from helpers.settings.places import notebooks_of, own_table, project_of, question_of
from helpers.settings.plain_files import is_file, require_plain_file
from helpers.settings.scope import Scope, narrowed, read_scope, scope_of
from helpers.settings.terms import own_terms
from helpers.settings.variables import filled_in, hidden, ways_to_write

WORKBOOK_KEYS = ("name", "title", "title_zh", "brand", "currency", "language", "generated")
GIVEN_BY_THE_RUN = ("period", "config", "language", "scope")
# no folder there can have it
RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
# found beside the toml without being named in it
WRITTEN_BY_PEOPLE = ("plan", "overrides", "targets")
# so, too, but added to what the toml names: each session is another one's
ADDED_BY_SESSION = ("scores", "comparisons")
TABLE_KEYS = ("source", "query", "columns", "format", "read")
DECIMALS = (".", ",")
MAX_TOML = 1_000_000  # bytes; a longer one was not written by people


class ReadAs(NamedTuple):
    """What a person says about a file that the file can't tell, as `[data.<table>.read]` does."""

    encoding: str = ""
    sheet: str = ""  # of a spreadsheet, a table of a database, or a member of an archive
    header: int = 0  # line of the header, from 1; 0: to be found
    decimal: str = ""  # "." or ","


AS_FOUND = ReadAs()


@dataclass(frozen=True)
class TableSource:
    """Where one table comes from and how its columns are named there."""

    source: str = ""
    query: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    format: Mapping[str, str] = field(default_factory=dict)
    read: ReadAs = AS_FOUND


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
    scope: Scope = ()  # only these dealers; without any, all
    left_out: tuple[str, ...] = ()  # tables of which nothing can be in the scope
    # sessions kept beside the toml, which come on top of the table that it names
    added: Mapping[str, TableSource] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        """Title in the reader's language, where the settings give one, and whose figures these
        are, where they are not everybody's.
        """
        title = words.translated(self.title, self.title_zh)
        return " · ".join(filter(None, [title, self.about]))

    @property
    def about(self) -> str:
        """Whose figures these are, in the reader's language; "" where they are everybody's."""
        return " · ".join(
            f"{words.label(column)} {words.listed([words.word(value) for value in values])}"
            for column, values in self.scope
        )

    @property
    def whole(self) -> "Workbook":
        """The same workbook with all dealers."""
        return replace(self, scope=())

    def only(self, scope: str = "", **columns: object) -> "Workbook":
        """Cut the workbook to some dealers; what is cut already is cut further.

        Parameters
        ----------
        scope
            As on the command line: "region=East|North;store_format=chain".
        columns
            Columns of `dealers` with a value each, or a list of them: region="East".

        Raises
        ------
        DataError
            If a column is not one of `dealers`, or no value can be in both scopes. Whether any
            dealer is in it, the data tell: see `data.in_scope`.
        """
        asked = narrowed(read_scope(scope), scope_of(columns))
        return replace(self, scope=narrowed(self.scope, asked))

    @property
    def folder(self) -> Path:
        """Folder of the toml: relative paths start here.

        Plan, overrides and own reference tables lie here.
        """
        return self.path.parent

    @property
    def project(self) -> Path:
        """Folder of its reports, cache and demo; see `places.project_of`."""
        return project_of(self.path)

    @property
    def notebooks(self) -> Path:
        """Folder of the notebooks that its editions are printed from: the project's own, else the
        shipped ones.
        """
        return notebooks_of(self.project)

    @property
    def embedded(self) -> bool:
        """Whether DuckDB inside this process does the work (and may keep a cache), not a server."""
        return is_embedded(self.engine)

    def has(self, *tables: str) -> bool:
        """Whether all these tables are there."""
        return all(table in self.tables for table in tables)

    def told(self, text: object) -> str:
        """Write a path or an engine's message as it may be shown.

        With `${NAME}` where a variable's value was.
        """
        return hidden(str(text) or type(text).__name__, self.filled)


def workbook(path: str | Path) -> Workbook:
    """Read and check a `workbook.toml`; a folder stands for the file of that name in it.

    The environment's `WORKBOOK_CONFIG` stands in for the bare name "workbook.toml".

    Raises
    ------
    DataError
        If the file is missing, is no TOML, or holds an unknown key, table or column; the nearest
        one is named. Also if a `terms.csv` of its own is no dictionary.
    """
    # `workbook lab --config` names the file for all notebooks that ask for the default one
    path = os.environ.get("WORKBOOK_CONFIG", path) if str(path) == "workbook.toml" else path
    path = Path(path).expanduser()
    if not path.is_absolute():
        here = Path.cwd()
        path = next(
            (p / path for p in (here, *here.parents) if (p / path).exists()),
            (CHECKOUT or here) / path,
        )
    path = (path / "workbook.toml" if path.is_dir() else path).resolve()
    with words.speaking(_language_of(path)):
        return _opened(path)


def _language_of(path: Path) -> str:
    """Tell in which language a toml is to be refused: its own, as far as that can be read."""
    try:
        text = path.read_bytes()[:MAX_TOML].decode("utf-8", "replace") if path.is_file() else ""
    except OSError:
        text = ""
    found = re.search(r"""^\s*language\s*=\s*\[?\s*["']([\w-]+)["']""", text, re.MULTILINE)
    return found[1] if found and found[1] in words.LANGUAGES else words.spoken()


def _opened(path: Path) -> Workbook:
    raw = _toml(path)
    require_known(raw, ("workbook", "scope", "data", "parameters"), path.name, "section")
    filled: dict[str, str] = {}
    try:
        book = _workbook(raw, path, filled)
        own = own_table(path, "terms")
        words.add_terms(own_terms(own) if own else {})
        return book
    except DataError as error:  # whatever it is about, the value of a variable is nobody's business
        raise DataError(hidden(str(error), ways_to_write(filled))) from None


def _workbook(raw: Mapping, path: Path, filled: dict[str, str]) -> Workbook:
    head, data = raw.get("workbook", {}), raw.get("data", {})
    require_known(head, WORKBOOK_KEYS, "[workbook]", "key")
    require_known(data, ("engine", "files", *contract()), "[data]", "table")
    tables = _tables(data, path, filled)
    book = Workbook(
        path=path,
        name=_name(head, path),
        title=_text(head, "title", path.parent.name),
        brand=_text(head, "brand", ""),
        currency=_text(head, "currency", ""),
        languages=_languages(head),
        generated=head.get("generated") is True,
        engine=located_engine(_text(data, "engine", "duckdb://"), path, filled),
        files={
            k: _located(value, path, f"[data.files] {k}", filled)
            for k, value in _texts(data, "files").items()
        },
        tables=tables,
        added=_added(tables, path),
        title_zh=_text(head, "title_zh", ""),
        parameters=_parameters(raw.get("parameters", {})),
        filled=ways_to_write(filled),
        scope=scope_of(_section(raw, "scope")),
    )
    if not (book.has("sell_in") or book.has("sell_out")):
        raise refusal("no_sales", toml=path.name)
    if not book.engine.startswith("duckdb:") and all(
        given.source and is_file(given.source) for given in book.tables.values()
    ):
        raise refusal("engine_of_files", toml=path.name)
    return book


def _toml(path: Path) -> dict[str, Any]:
    try:
        if not path.exists():
            raise refusal("no_toml", path=path)
        require_plain_file(path, str(path))
        if path.stat().st_size > MAX_TOML:
            raise refusal("long_toml", path=path, size=path.stat().st_size, most=MAX_TOML)
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refusal("bad_toml", path=path, error=error) from None
    except OSError as error:
        raise refusal("path_unread", path=path, reason=cause(error)) from None
    if _holds_nul(raw):
        raise refusal("nul", path=path)
    return raw


def _holds_nul(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(_holds_nul(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return any(map(_holds_nul, value))
    return isinstance(value, str) and "\0" in value


def _tables(data: Mapping, path: Path, filled: dict[str, str]) -> dict[str, TableSource]:
    tables = {
        table: _mapping(table, data[table], path, filled) for table in contract() if table in data
    }
    for table in WRITTEN_BY_PEOPLE:
        # what people wrote wins over what came with the data
        if (beside := path.parent / f"{table}.csv").exists():
            tables[table] = TableSource(source=str(beside))
    for table in ADDED_BY_SESSION:
        if table not in tables and (beside := path.parent / f"{table}.csv").exists():
            tables[table] = TableSource(source=str(beside))
    return tables


def _added(tables: Mapping[str, TableSource], path: Path) -> dict[str, TableSource]:
    """Find the sessions that lie beside the toml where another source is named in it."""
    beside = {table: path.parent / f"{table}.csv" for table in ADDED_BY_SESSION}
    return {
        table: TableSource(source=str(file))
        for table, file in beside.items()
        if file.exists() and tables[table].source != str(file)
    }


def _mapping(table: str, raw: Mapping, path: Path, filled: dict[str, str]) -> TableSource:
    where = f"[data.{table}]"
    require_known(raw, TABLE_KEYS, where, "key")
    columns, formats = _texts(raw, "columns"), _texts(raw, "format")
    known = contract()[table]
    if "*" not in known:  # where the contract takes any further column, any further name is right
        require_known(columns, known, f"[data.{table}.columns]", "column")
    _require_formats(table, formats)
    source, query = _text(raw, "source", "").strip(), _text(raw, "query", "").strip()
    if bool(source) == bool(query):
        raise refusal("source_or_query", where=where)
    source = _located(source, path, f"{where} source", filled) if source else ""
    for key, text in (
        ("query", query),
        *((f"columns.{column}", text) for column, text in columns.items()),
    ):
        if "${" in text:
            raise refusal("variable_in_sql", where=where, key=key)
    return TableSource(source, query, dict(columns), dict(formats), _read_as(raw, where))


def _read_as(raw: Mapping, where: str) -> ReadAs:
    """Take what is said about a table's files: `[data.sell_in.read] encoding = "gb18030"`."""
    given = raw.get("read", {})
    told = f"{where[:-1]}.read]"
    require_known(given, ReadAs._fields, told, "key")
    header = given.get("header", 0)
    if isinstance(header, bool) or not isinstance(header, int) or not 0 <= header <= 1_000_000:
        raise refusal("header_number", told=told, header=header)
    decimal = _text(given, "decimal", "")
    if decimal not in ("", *DECIMALS):
        raise refusal("decimal_mark", told=told, decimal=decimal)
    return ReadAs(_text(given, "encoding", ""), _text(given, "sheet", ""), header, decimal)


def _require_formats(table: str, formats: Mapping[str, str]) -> None:
    """Refuse a format of a column that is neither a date nor a number, or no example of a number.

    A number's format is the number 1234.56 as the file would write it, for its marks are two.
    """
    where, known = f"[data.{table}.format]", contract()[table]
    kinds = {c: column.kind for c, column in known.items()}
    taken = ("date", "month", "money", "number")
    require_known(formats, [c for c, kind in kinds.items() if kind in taken], where, "column")
    for column, example in formats.items():
        if kinds[column] in ("money", "number") and not decimal_mark(example):
            raise refusal("number_format", where=where, column=column, example=example)


def decimal_mark(example: str) -> str:
    """Tell the decimal mark of the number 1234.56 as a file would write it; "" for anything else.

    >>> decimal_mark("1,234.56"), decimal_mark("1.234,56"), decimal_mark("%d")
    ('.', ',', '')
    """
    found = re.fullmatch(r"1[ .,'_\u00a0\u202f]?234([.,])56", example.strip())
    return found[1] if found and example.count(found[1]) == 1 else ""


def _parameters(raw: Mapping) -> dict[str, Mapping[str, Any]]:
    """Take what each notebook is to be told besides month, workbook and language.

    `[parameters.consumer_groups]`: by question, whatever the notebook's number is.
    """
    for notebook, given in raw.items():
        where = f"[parameters.{notebook}]"
        if (question := question_of(notebook)) != notebook:
            raise refusal("by_question", where=where, question=question)
        if not isinstance(given, Mapping):
            raise refusal("keys_expected", where=where, given=given)
        for name, value in given.items():
            if not name.isidentifier():  # it becomes a line of Python
                raise refusal("parameter_name", where=where, name=name)
            if name in GIVEN_BY_THE_RUN:
                raise refusal("given_by_run", where=where, name=name)
            if not isinstance(value, (str, int, float)):
                raise refusal("parameter_value", where=where, name=name, value=value)
    return dict(raw)


def _name(head: Mapping, path: Path) -> str:
    name = _text(head, "name", path.parent.name if path.name == "workbook.toml" else path.stem)
    # the name becomes a folder below reports/: text from a file is never a path
    if not re.fullmatch(r"\w(?:[\w .-]{0,62}[\w-])?", name):
        raise refusal("book_name", name=name)
    if RESERVED.fullmatch(name):
        raise refusal("device_name", name=name)
    return name


def _languages(head: Mapping) -> tuple[str, ...]:
    given = head.get("language", ["en"])
    given = [given] if isinstance(given, str) else given
    if not isinstance(given, list):
        raise refusal("language_list", given=given)
    for language in given:
        if language not in words.LANGUAGES:
            raise refusal("language_unknown", language=language, known=", ".join(words.LANGUAGES))
    return tuple(dict.fromkeys(given)) or ("en",)


def _section(raw: Mapping, name: str) -> Mapping:
    section = raw.get(name, {})
    if not isinstance(section, Mapping):
        raise refusal("section", name=name, section=section)
    return section


def _text(section: Mapping, key: str, default: str) -> str:
    value = section.get(key, default)
    if not isinstance(value, str):
        raise refusal("text_expected", key=key, value=value)
    return value


def _texts(section: Mapping, key: str) -> Mapping[str, str]:
    values = section.get(key, {})
    require_known(values, values, f"[{key}]", "key")
    for name in values:
        _text(values, name, "")
    return values


def _located(source: str, path: Path, where: str, filled: dict[str, str]) -> str:
    """Give a source's full path.

    Relative ones start at the toml, `package:NAME/path` in an installed package.
    """
    told, source = source, filled_in(source, where, filled)
    if source.startswith("package:"):
        return _in_package(source.removeprefix("package:"), where)
    if re.match(r"[A-Za-z][\w+.-]+:", source):  # one letter is a drive
        raise refusal("address", where=where, told=told)
    if not is_file(source):
        return source
    try:
        return str(path.parent / Path(source).expanduser())
    except RuntimeError:
        raise refusal("no_home", where=where, told=told) from None


def _in_package(source: str, where: str) -> str:
    package, _slash, inside = source.partition("/")
    try:  # a name without a dot is looked up, not imported
        spec = importlib.util.find_spec(package) if re.fullmatch(r"\w+", package) else None
    except (ValueError, ImportError):
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise refusal("no_package", where=where, package=package)
    if ".." in re.split(r"[/\\]", inside) or inside.startswith(("/", "\\", "~")):
        raise refusal("out_of_package", where=where, inside=inside, package=package)
    return str(Path(next(iter(spec.submodule_search_locations))) / inside)
