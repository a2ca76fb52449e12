"""An engine's URL: what it may say, and how it is shown."""

import re
import urllib.parse
from collections.abc import Iterable, Mapping
from pathlib import Path

from helpers import words
from helpers.settings.columns import cause, refusal
from helpers.settings.plain_files import require_plain_database
from helpers.settings.variables import filled_in

# what an engine's URL may say after the question mark: setting → how its value is written
_SIZE, _WORD, _YES_NO = (
    r"\d{1,6}(\.\d{1,3})? ?([KMGT]i?B)",
    r"[\w.-]{1,64}",
    r"(true|false|1|0|True|False)",
)
# read inside this process, by DuckDB; a path follows
EMBEDDED_SETTINGS: dict[str, Mapping[str, str]] = {
    "duckdb": {"memory_limit": _SIZE, "threads": r"[1-9]\d{0,2}"},
    "sqlite": {},
}
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
    known = EMBEDDED_SETTINGS.get(scheme) or SERVER_SETTINGS.get(scheme, {})
    found: dict[str, str] = {}
    for name, value in urllib.parse.parse_qsl(rest.partition("?")[2], keep_blank_values=True):
        if name not in known:
            raise refusal("engine_setting", scheme=scheme, name=name, known=_listed(known))
        if name in found or not re.fullmatch(known[name], value):
            raise refusal("setting_twice", scheme=scheme, name=name)
        found[name] = value
    return found


def is_embedded(engine: str) -> bool:
    """Whether DuckDB inside this process does the work, and no server.

    >>> is_embedded("sqlite:///data/erp.db"), is_embedded("postgres://host/erp")
    (True, False)
    """
    return engine.partition("://")[0] in EMBEDDED_SETTINGS


def shown_engine(engine: str) -> str:
    """Write an engine's URL as it may be shown: without user, password and settings.

    >>> shown_engine("postgres://me:pa/ss@wd@host/db?sslmode=require")
    'postgres://…@host/db'
    """
    if is_embedded(engine):  # a path, which has no account
        return engine.partition("?")[0]
    # a password may hold a question mark: what is before the last @ goes first
    return re.sub(r"://.*@", "://…@", engine, flags=re.DOTALL).partition("?")[0]


def database_file(engine: str) -> Path | None:
    """Name the file of an embedded database; none where it lives in memory or is a server's.

    >>> database_file("duckdb:///data/erp.duckdb?threads=2").name, database_file("duckdb://")
    ('erp.duckdb', None)
    """
    file = engine.partition("://")[2].partition("?")[0]
    return Path(file) if is_embedded(engine) and file not in ("", ":memory:") else None


def located_engine(written: str, path: Path, filled: dict[str, str]) -> str:
    """Give the engine's URL, its settings checked.

    A database file lies relative to the toml, as other sources do.
    """
    engine = filled_in(written, "engine", filled)
    scheme, colon, rest = engine.partition("://")
    if not colon or scheme not in (*EMBEDDED_SETTINGS, *SERVER_SETTINGS):
        told = shown_engine(written)
        raise refusal(
            "no_engine", told=told, known=", ".join((*EMBEDDED_SETTINGS, *SERVER_SETTINGS))
        )
    if scheme not in (*EMBEDDED_SETTINGS, "pyspark"):
        _require_address(scheme, rest)
    engine_settings(engine)
    if "#" in rest or ";" in rest.partition("?")[0]:
        raise refusal("url_marks", scheme=scheme)
    # a driver might take it for settings
    if not is_embedded(engine) and "=" in rest.partition("?")[0].rpartition("@")[2]:
        raise refusal("url_equals", scheme=scheme)
    if scheme == "pyspark" and rest.partition("?")[0]:
        raise refusal("spark_url")
    if (file := database_file(engine)) is None:
        if scheme == "sqlite":
            raise refusal("sqlite_file")
        return engine
    file = path.parent / file
    told = words.message("refused.engine_of", engine=shown_engine(written))
    try:
        if file.exists():  # where it is not, the table says so
            require_plain_database(file, told)
    except OSError as error:
        raise refusal("told_reason", told=told, reason=cause(error)) from None
    return engine.replace(f"{scheme}://{database_file(engine)}", f"{scheme}://{file}", 1)


def _require_address(scheme: str, rest: str) -> None:
    """Refuse what a driver would read otherwise than it was meant, and quote in its message.

    A password with a slash ends the host for it, and what follows is a port. None of it is shown.
    """
    account, _at, place = rest.rpartition("@")
    place, _mark, settings = place.partition("?")
    if re.search(r"[/?#\[\]\s\x00-\x20\x7f]", account):
        raise refusal("url_account", scheme=scheme)
    host, _slash, inside = place.partition("/")
    found = re.fullmatch(r"(?:\[[0-9a-fA-F:.]+\]|[\w.%\\-]*)(?::(?P<port>.*))?", host, re.DOTALL)
    if not found or re.search(r"[\[\]\s\x00-\x20\x7f]", inside + settings.split("#")[0].strip(" ")):
        raise refusal("url_host", scheme=scheme)
    port = found["port"]
    if port and not (re.fullmatch(r"[0-9]{1,5}", port) and 0 < int(port) < 65536):
        raise refusal("url_port", scheme=scheme)


def _listed(known: Iterable[str]) -> str:
    if not known:
        return words.message("refused.no_settings")
    return words.message("refused.settings_are", known=", ".join(known))
