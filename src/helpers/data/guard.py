"""Guard: what the SQL of a workbook.toml may say, as DuckDB's own parser reads it.

Nodes and functions known by name.

A list of what is forbidden would have to grow with the engine; this one is of what is allowed. A
second wall stands behind it: the connection that runs the SQL opens no other file than the table's
own (see `tables`).
"""

import functools
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from helpers import words
from helpers.data import sql_errors
from helpers.settings import DataError, nearest, refusal

MAX_LENGTH = 50_000  # characters of a query
# characters that lpad and rpad may fill up to: more is no code but a way to use up memory
MAX_PADDING = 1_000

# expressions, tables and clauses as DuckDB names them when it writes a parsed query as JSON
_EXPRESSIONS = """
    BETWEEN CASE CAST COLLATE COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION LAMBDA OPERATOR
    STAR SUBQUERY WINDOW
"""
_RELATIONS = """
    SELECT_NODE SET_OPERATION_NODE CTE_NODE BASE_TABLE SUBQUERY JOIN EMPTY EXPRESSION_LIST PIVOT
    TABLE_FUNCTION ORDER_MODIFIER LIMIT_MODIFIER LIMIT_PERCENT_MODIFIER DISTINCT_MODIFIER
    ORDER_DEFAULT ORDER_ASC ORDER_DESC ASCENDING DESCENDING DECIMAL_TYPE_INFO LIST_TYPE_INFO
    STRUCT_TYPE_INFO ARRAY_TYPE_INFO STRING_TYPE_INFO ENUM_TYPE_INFO UNBOUND_TYPE_INFO
    GENERIC_TYPE_INFO
"""
EXPRESSIONS, RELATIONS = frozenset(_EXPRESSIONS.split()), frozenset(_RELATIONS.split())
# what people write that is named so: its name in `sentences.csv`
IN_WORDS = {
    "RECURSIVE_CTE_NODE": "recursive",
    "SHOW_REF": "show",
    "PARAMETER": "placeholder",
    "POSITIONAL_REFERENCE": "position",
}

# how DuckDB writes down a view, whatever is quoted in its names
_NAME = r'(?:"(?:[^"]|"")*"|\w+)'
VIEW = re.compile(
    rf"CREATE VIEW (?:{_NAME}\.)*{_NAME}(?: ?\({_NAME}(?:, {_NAME})*\))? AS (?P<select>.*?);?\s*",
    re.DOTALL,
)

# rows by the thousand, stopped by the time limit
TABLE_FUNCTIONS = frozenset(("unnest", "range", "generate_series"))

# what computes a value from values, and nothing else: no file, no setting, no chance, no waiting,
# no text or list that is longer than what it is made of
_FUNCTIONS = """
    !__postfix !~~ !~~* % & && * ** + - ->> / // <-> << <=> <@ >> @ @> ^ ^@ | || ~ ~~ ~~* ~~~
    ilike_escape like_escape not_ilike_escape not_like_escape

    abs acos acosh add asin asinh atan atan2 atanh bit_count cbrt ceil ceiling cos cosh cot degrees
    divide even exp factorial fdiv floor fmod gamma gcd greatest greatest_common_divisor isfinite
    isinf isnan lcm least least_common_multiple lgamma ln log log10 log2 mod multiply nextafter pi
    pow power radians round round_even roundbankers sign signbit sin sinh sqrt subtract tan tanh
    trunc xor nullif constant_or_null

    ascii bit_length char_length character_length chr concat concat_ws contains damerau_levenshtein
    editdist3 ends_with from_base64 from_hex hamming hash hex instr jaccard jaro_similarity
    jaro_winkler_similarity lcase left left_grapheme len length length_grapheme levenshtein lower
    lpad ltrim md5 mismatches nfc_normalize octet_length ord parse_dirname parse_dirpath
    parse_filename parse_path position prefix regexp_escape regexp_extract regexp_extract_all
    regexp_full_match regexp_matches regexp_replace regexp_split_to_array replace reverse right
    right_grapheme rpad rtrim sha1 sha256 split split_part starts_with str_split str_split_regex
    string_split string_split_regex string_to_array strip_accents strlen strpos substr substring
    substring_grapheme suffix to_base64 to_hex translate trim ucase unhex unicode upper url_decode
    url_encode bin unbin to_binary from_binary encode decode

    age ago century current_date current_localtime current_localtimestamp date_add date_diff
    date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname dayofmonth
    dayofweek dayofyear days_in_month decade epoch epoch_ms epoch_ns epoch_us era get_current_time
    get_current_timestamp hour isodow isoyear julian last_day make_date make_time make_timestamp
    make_timestamp_ms make_timestamp_ns make_timestamptz microsecond millennium millisecond minute
    month monthname nanosecond normalized_interval now quarter second strftime strptime time_bucket
    timezone timezone_hour timezone_minute to_centuries to_days to_decades to_hours to_microseconds
    to_millennia to_milliseconds to_minutes to_months to_quarters to_seconds to_timestamp to_weeks
    to_years today transaction_timestamp try_strptime week weekday weekofyear year yearweek

    aggregate apply array_aggr array_aggregate array_append array_apply array_cat array_concat
    array_contains array_distinct array_extract array_filter array_has array_has_all array_has_any
    array_indexof array_intersect array_length array_pop_back array_pop_front array_position
    array_prepend array_push_back array_push_front array_reduce array_reverse array_reverse_sort
    array_select array_slice array_sort array_to_string array_to_string_comma_default
    array_transform array_unique array_value array_where array_zip cardinality element_at filter
    flatten grade_up list_aggr list_aggregate list_any_value list_append list_apply list_avg
    list_cat list_concat list_contains list_count list_distinct list_element list_extract
    list_filter list_first list_grade_up list_has list_has_all list_has_any list_indexof
    list_intersect list_last list_max list_median list_min list_mode list_pack list_position
    list_prepend list_product list_reduce list_reverse list_reverse_sort list_select list_slice
    list_sort list_stddev_pop list_stddev_samp list_string_agg list_sum list_transform list_unique
    list_value list_var_pop list_var_samp list_where list_zip reduce map map_concat map_contains
    map_contains_entry map_contains_value map_entries map_extract map_extract_value map_from_entries
    map_keys map_values row struct_concat struct_contains struct_extract struct_extract_at
    struct_has struct_indexof struct_insert struct_keys struct_pack struct_position struct_update
    struct_values switch enum_code enum_first enum_last typeof pg_typeof

    json json_array json_array_length json_exists json_extract json_extract_path
    json_extract_path_text json_extract_string json_keys json_object json_quote json_type json_valid
    json_value row_to_json to_json array_to_json

    any_value approx_count_distinct approx_quantile arbitrary arg_max arg_max_null
    arg_max_nulls_last arg_min arg_min_null arg_min_nulls_last argmax argmin array_agg avg bit_and
    bit_or bit_xor bool_and bool_or corr count count_if count_star countif covar_pop covar_samp
    entropy favg first fsum geomean geometric_mean group_concat histogram kahan_sum kurtosis
    kurtosis_pop last list listagg mad max max_by mean median min min_by mode product quantile
    quantile_cont quantile_disc regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope
    regr_sxx regr_sxy regr_syy sem skewness stddev stddev_pop stddev_samp string_agg sum sumkahan
    var_pop var_samp variance wavg weighted_avg

    cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank
    rank_dense row_number unnest
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
# functions and types that call themselves once for each bracket of a text: DuckDB counts none of
# them, and a text with enough of them, from a file or made on the spot, crashes the process
RECURSIVE = frozenset(
    [
        "from_json",
        "from_json_strict",
        "json_contains",
        "json_transform",
        "json_transform_strict",
        "variant",
    ]
)
# functions that compare each letter of one text with each of another, all within one call, which
# no time limit can interrupt
COMPARING = frozenset(
    [
        "damerau_levenshtein",
        "editdist3",
        "jaro_similarity",
        "jaro_winkler_similarity",
        "levenshtein",
    ]
)
MAX_COMPARED = 200  # letters

# a server runs the query with the rights it gives the account; these leave its tables, and no
# account needs them here
LEAVE_THE_SERVER = re.compile(
    r"pg_read_\w+|pg_ls_\w+|pg_stat_file|pg_sleep\w*|pg_(terminate|cancel)_backend|pg_(rotate|switch|reload)_\w+"
    r"|lo_\w+|dblink\w*|query_to_xml\w*|database_to_xml\w*|set_config|current_setting|nextval|setval|pg_notify"
    r"|pg_advisory\w*|copy_\w+|load_file|load_extension|sys_\w+|sleep|benchmark|xp_\w+|sp_\w+|open(rowset|query|datasource)"
    r"|utl_\w+|dbms_\w+|httpuritype|reflect|try_reflect|java_method|file|url|s3|s3cluster|remote|remotesecure|hdfs"
    r"|executable|mysql|postgresql|mongodb|redis|sqlite|jdbc|odbc|input|getenv|system\$\w+|external_query|read_files"
    r"|read_\w+|ai_query|http_request",
    re.IGNORECASE,
)
CHANGES_DATA = (
    exp.Insert,
    exp.Update,
    exp.Delete,
    exp.Merge,
    exp.Create,
    exp.Drop,
    exp.Alter,
    exp.Command,
    exp.Copy,
    exp.Into,
    exp.Lock,
    exp.QueryTransform,
    exp.Set,
    exp.Use,
    exp.Attach,
    exp.Pragma,
)
FILE_FORMATS = (
    "avro",
    "binaryfile",
    "csv",
    "delta",
    "iceberg",
    "json",
    "jdbc",
    "orc",
    "parquet",
    "text",
    "xml",
)


def require_query(
    where: str,
    text: str,
    tables: Iterable[tuple[str, str]],
    catalog: str = "",
    named: Iterable[str] = (),
) -> None:
    """Let through one SELECT over its own CTEs and `tables`, (schema, name) each.

    A file's schema is empty. Where a table is none of them, the nearest is named, or that of the
    files that are `named` in the toml.

    Raises
    ------
    DataError
        If DuckDB reads anything else in it; the message names what.
    """
    _require_short(where, text)
    told = _parsed(text)
    if told["error"]:
        if told["error_type"] == "not implemented":
            raise refusal("no_select", where=where)
        raise refusal(
            "no_sql",
            where=where,
            what=sql_errors.breaks(text, told["error_message"], int(told.get("position") or 0)),
        )
    if len(told["statements"]) != 1:
        raise refusal("one_select", where=where)
    nodes = list(_nodes(told))
    _require_known_nodes(words.message("refused.of_query", where=where), nodes)
    known = {(schema.casefold(), name.casefold()) for schema, name in tables}
    own = {
        entry["key"].casefold()
        for node in nodes
        if isinstance(map_ := node.get("map"), list)
        for entry in map_
    }
    for node in nodes:
        if node.get("type") == "BASE_TABLE" and "table_name" in node:
            _require_table(where, node, known, own, catalog.casefold(), named)


def names_given(text: str) -> tuple[list[str], bool]:
    """Give the names that a query gives its columns by its outermost SELECT, and whether it takes
    all of a table's besides (*).

    >>> names_given("SELECT *, a AS b, t.c FROM t")
    (['b', 'c'], True)
    """
    (told, *_rest) = _parsed(text).get("statements") or [{}]
    node = told.get("node", {})
    while node.get("type") == "SET_OPERATION_NODE":  # the first of a UNION names the columns
        node = node["left"] if "left" in node else node["children"][0]
    listed = node.get("select_list", [])
    names = [one.get("alias") or (one.get("column_names") or [""])[-1] for one in listed]
    return [name for name in names if name], any(one.get("class") == "STAR" for one in listed)


def tables_named(text: str) -> set[str]:
    """Name all tables that a query reads, without their schemas, in small letters."""
    nodes = [node for node in _nodes(_parsed(text)) if node.get("type") == "BASE_TABLE"]
    return {node["table_name"].casefold() for node in nodes if "table_name" in node}


def require_definitions(
    where: str,
    named: Iterable[str],
    definitions: Iterable[tuple[str, str]],
    tables: Iterable[tuple[str, str]],
    catalog: str,
) -> None:
    """Let through what a database computes when these of its tables are read.

    `definitions` are (table, SQL): a view's statement, or the expression of a column. What they
    read in turn is looked at as well.

    Raises
    ------
    DataError
        If one of them says what a query may not; the message names which.
    """
    tables, known = list(tables), list(definitions)
    waiting, seen = {name.casefold() for name in named}, set()
    while waiting:
        seen |= waiting
        found = set()
        for name, sql in known:
            if name.casefold() in waiting:
                inside = words.message("refused.of_database", where=where, name=name)
                text = _defined(inside, sql)
                require_query(inside, text, tables, catalog)
                found |= tables_named(text)
        waiting = found - seen


def _defined(where: str, sql: str) -> str:
    """Give a view's SELECT, or the one of a column's expression."""
    if not sql.startswith("CREATE "):
        return f"SELECT ({sql}\n)"
    found = VIEW.fullmatch(sql)
    if not found:
        raise refusal("view_unread", where=where)
    return found["select"]


def _require_table(
    where: str, node: dict, known: set, own: set, catalog: str, named: Iterable[str]
) -> None:
    of, schema, name = (node[f"{part}_name"].casefold() for part in ("catalog", "schema", "table"))
    written = ".".join(
        node[f"{part}_name"] for part in ("catalog", "schema", "table") if node[f"{part}_name"]
    )
    # a CTE out of its scope is no file
    if not re.search(r"[./\\:*]", name) and not of and not schema and name in own:
        return
    if of in ("", catalog) and (
        (schema, name) in known or (not schema and ("main", name) in known)
    ):
        return
    # erp.invoices may mean erp.main.invoices
    if not of and catalog and schema == catalog and ("main", name) in known:
        return
    if re.search(r"[./\\:*]", name):
        raise refusal("file_in_query", where=where, written=written)
    names = sorted({table for _schema, table in known} | own | set(named))
    hint = nearest(name, names) if names else words.message("refused.name_its_file")
    raise refusal("no_query_table", where=where, written=written, hint=hint)


def require_expression(where: str, text: str, headers: Iterable[str] = ()) -> None:
    """Let through one expression over a table's columns, row by row: no SELECT, no function but the
    known ones, none over several rows.

    Where it is none, the nearest of the `headers` is named.

    Raises
    ------
    DataError
        If DuckDB reads anything else in it.
    """
    _require_short(where, text)
    alone, called = _select_list(f"SELECT {text}"), _select_list(f"SELECT f({text}) AS x")
    # it stands in brackets later: what reads otherwise there, as a comment to the line's end does,
    # is none
    whole = (
        len(alone) == 1
        and not alone[0]["alias"]
        and len(called) == 1
        and called[0].get("children") == alone
    )
    if not whole or alone[0]["class"] == "STAR":
        raise no_expression(where, text, headers)
    nodes = list(_nodes(alone))
    shown = _shown(text)
    if any(node.get("class") == "SUBQUERY" for node in nodes):
        raise refusal("holds_select", where=where, shown=shown)
    if any(node.get("class") == "WINDOW" for node in nodes):
        raise refusal("holds_window", where=where, shown=shown)
    called = [node["function_name"].casefold() for node in nodes if "function_name" in node]
    if "unnest" in called:
        raise refusal("holds_rows", where=where, shown=shown)
    if sql_errors.did_you_mean(text, headers) and any(name not in FUNCTIONS for name in called):
        raise no_expression(where, text, headers)  # a header with brackets, misspelled
    _require_known_nodes(words.message("refused.of_expression", where=where, shown=shown), nodes)


def no_expression(where: str, text: str, headers: Iterable[str] = ()) -> DataError:
    """Say that a text is neither a header nor an expression, and which header is near."""
    near = sql_errors.did_you_mean(text, headers)
    return refusal("no_expression", where=where, shown=_shown(text), near=near)


def constant(text: str) -> str | float | None:
    """Give the value of an expression that is one text or number; None of any other.

    >>> constant("'Kunde'"), constant("5"), constant("Umsatz * 2"), constant("NULL")
    ('Kunde', 5.0, None, None)
    """
    (parsed,) = _select_list(f"SELECT {text}") or ({},)
    if parsed.get("class") != "CONSTANT" or parsed["value"].get("is_null"):
        return None
    value = parsed["value"]["value"]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return value if isinstance(value, str) else float(value)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 200 else text[:200] + "…")


def _select_list(text: str) -> list[dict]:
    """Read a bare SELECT's expressions, without the places they stand at.

    None where it has any further clause.
    """
    told = _parsed(text)
    if told["error"] or len(told["statements"]) != 1:
        return []
    node = told["statements"][0]["node"]
    bare = _parsed("SELECT 1")["statements"][0]["node"]
    if {**node, "select_list": []} != {**bare, "select_list": []}:
        return []
    return node["select_list"]


def _require_known_nodes(where: str, nodes: list[dict]) -> None:
    as_tables = {id(node["function"]) for node in nodes if node.get("type") == "TABLE_FUNCTION"}
    for node in nodes:
        class_, type_ = node.get("class"), node.get("type")
        if class_ is not None:
            if class_ not in EXPRESSIONS:
                raise _holds(where, class_)
        elif isinstance(type_, str) and type_ not in RELATIONS:
            raise _holds(where, type_)
        if id(node) in as_tables:
            _require_table_function(where, node)
        elif "function_name" in node:
            _require_function(where, node)
        if class_ == "LAMBDA":
            _require_one_lambda(where, node)
        if "id" in node and "type_info" in node:
            _require_type(where, node)
        if node.get("at_clause") is not None:
            raise _holds(where, "AT")


def _holds(where: str, what: str) -> DataError:
    told = words.message(f"refused.holds_{IN_WORDS[what]}") if what in IN_WORDS else f" {what}"
    return refusal("holds", where=where, what=told.strip() if words.spoken() == "en" else told)


def _require_table_function(where: str, function: dict) -> None:
    name = function.get("function_name", "")
    if name.casefold() not in TABLE_FUNCTIONS:
        raise refusal("file_function", where=where, name=name)


def _require_function(where: str, node: dict) -> None:
    name = node["function_name"].casefold()
    if name in ("range", "generate_series"):
        raise refusal("as_list", where=where, name=name)
    if name in RECURSIVE:
        raise refusal("many_brackets", where=where, name=name)
    if name in COMPARING and not all(map(_is_short, node["children"])):
        raise refusal("compares", where=where, name=name, most=MAX_COMPARED)
    if name not in FUNCTIONS:
        raise refusal("function", where=where, function=node["function_name"])
    if name in ("lpad", "rpad"):
        length = _number(node["children"][1:2])
        if length is None or length > MAX_PADDING:
            raise refusal("padding", where=where, name=name, most=MAX_PADDING)


def _require_one_lambda(where: str, node: dict) -> None:
    """Refuse a loop within a loop over lists: all of it is one call, which nothing interrupts."""
    # the arrow that takes a value out of JSON is read as a lambda, too: it ends in a constant
    inner = [within for within in _nodes(node["expr"]) if within.get("class") == "LAMBDA"]
    if any(within["expr"]["class"] != "CONSTANT" for within in inner):
        raise refusal("two_lambdas", where=where)


def _require_type(where: str, node: dict) -> None:
    name = (node["type_info"] or {}).get("name") if node["id"] == "UNBOUND" else node["id"]
    if str(name).casefold() in RECURSIVE:
        raise refusal("cast_brackets", where=where, name=name)
    if node["id"] == "UNBOUND" and str(name).casefold() not in _types():
        raise refusal("no_type", where=where, name=name)


@functools.cache
def _types() -> frozenset[str]:
    """List DuckDB's own types: a database may hold others, that stand for anything."""
    found = _parser().cursor().execute("SELECT DISTINCT lower(type_name) FROM duckdb_types()")
    return frozenset(name for (name,) in found.fetchall())


def _is_short(node: dict) -> bool:
    """Tell whether a text is short whatever the data hold: written out, or cut off by `left`."""
    if node["class"] == "CONSTANT":
        return len(str(node["value"].get("value") or "")) <= MAX_COMPARED
    if node["class"] != "FUNCTION" or node["function_name"].casefold() != "left":
        return False
    length = _number(node["children"][1:2])
    return length is not None and 0 <= length <= MAX_COMPARED  # a negative one cuts off the end


def _number(nodes: list[dict]) -> int | None:
    """Give the whole number that is written out there, if one is."""
    if not nodes or nodes[0]["class"] != "CONSTANT":
        return None
    value = nodes[0].get("value", {}).get("value")
    return value if isinstance(value, int) else None


def _require_short(where: str, text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise refusal("long_sql", where=where, size=len(text), most=MAX_LENGTH)


@functools.cache
def _parser() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(
        config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    )
    con.execute("SET enable_external_access = false; SET lock_configuration = true")
    return con


@functools.lru_cache(maxsize=1024)
def _json(text: str) -> str:
    try:
        return (
            _parser()
            .cursor()
            .execute("SELECT json_serialize_sql(?::VARCHAR)", [text])
            .fetchone()[0]
        )
    except duckdb.Error as error:  # what the parser throws instead of telling
        return json.dumps({"error": True, "error_type": "parser", "error_message": str(error)})


def _parsed(text: str) -> dict[str, Any]:
    """Read SQL as DuckDB does: a tree, or why there is none."""
    try:
        told = json.loads(_json(text))
    except RecursionError:
        return {
            "error": True,
            "error_type": "parser",
            "error_message": "too many brackets in one another",
        }
    for node in _nodes(told):
        node.pop("query_location", None)
    return told


def _nodes(tree: Any) -> Iterator[dict]:
    """Walk over all objects of a tree, however deep."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


# ---- a server's own SQL --------------------------------------------------------------------------


def require_server_query(where: str, text: str, dialect: Any) -> None:
    """Let through one SELECT in a server's SQL that changes nothing and calls nothing that leaves
    its tables.

    What the account may read is the server's to say. Spark and SQLite have no such rights and run
    in a process of ours: of them only functions are taken that sqlglot knows.

    Raises
    ------
    DataError
        If it is anything else, or can't be read.
    """
    _require_short(where, text)
    try:
        parsed = [
            statement for statement in sqlglot.parse(text, dialect=dialect) if statement is not None
        ]
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        reason = str(error).split("\n")[0][:300]
        what = words.message("refused.sql_reason", reason=reason)
        raise refusal("no_sql", where=where, what=what) from None
    if len(parsed) != 1 or not isinstance(parsed[0], exp.Query):
        raise refusal("one_select", where=where)
    if (change := parsed[0].find(*CHANGES_DATA)) is not None:
        raise refusal("only_read", where=where, change=type(change).__name__.upper())
    named = str(getattr(dialect, "__name__", dialect)).lower()
    local = "spark" in named or "sqlite" in named
    for node in parsed[0].walk():
        if isinstance(node, exp.Anonymous) and (local or LEAVE_THE_SERVER.fullmatch(node.name)):
            raise refusal("server_function", where=where, function=node.name)
        if isinstance(node, (exp.ReadCSV, exp.ReadParquet)):
            raise refusal("server_file", where=where)
        if (
            local
            and isinstance(node, exp.Table)
            and (node.db.lower() in FILE_FORMATS or "/" in node.name)
        ):
            raise refusal("engine_file", where=where, file=node.name)
