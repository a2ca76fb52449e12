"""SQL errors: what an engine says of the SQL that people wrote, put into words of ours.

An engine's own words stand at the end of the rest at most, in quotation marks.
"""

import difflib
import re
from collections.abc import Iterable

from helpers import words

REASON = 300  # characters of an engine's own words
ADVICE = re.compile(
    r"^\s*(?:LINE \d+:|Possible (?:fixes|solutions?)\b|Stack Trace|Candidate \w+:|Did you mean\b)",
    re.MULTILINE | re.IGNORECASE,
)
# "Binder Error: …", "[UNRESOLVED_COLUMN.WITH_SUGGESTION] …": what an engine calls its errors
CALLED = re.compile(r"^(?:[A-Z][\w -]*(?:Error|Exception):|error:|\[[\w.]+\])\s*")
# how alike two names are of which one may be meant for the other, and a text and a header
NEAR, NEAR_HEADER = 0.6, 0.8
_NAME = r"[\"'`]?(?P<name>[^\"'`]+?)[\"'`]?"
# what engines say of it, and the sentence that says so in our words: DuckDB's, then those of
# PostgreSQL, SQLite and Spark
SAID = (
    (rf"Referenced column {_NAME} not found", "no_column"),
    (r"does not have a column named \"(?P<name>[^\"]+)\"", "no_column_there"),
    (rf"Column {_NAME} does not exist on (?:left|right) side", "no_side"),
    (r"ORDER term out of range|ORDER BY position", "order_place"),
    (rf"Referenced table {_NAME} not found", "no_table"),
    (rf"Table with name {_NAME} does not exist", "no_table"),
    (
        rf"Ambiguous reference to column name {_NAME} \(use: (?P<ways>[^)]*)\)",
        "ambiguous_ways",
    ),
    (rf"Ambiguous reference to .*?{_NAME}(?:\s|$)", "ambiguous"),
    (rf"column {_NAME} must appear in the GROUP BY", "not_grouped"),
    (r"cannot contain aggregates|aggregate function calls cannot be nested", "aggregate"),
    (r"aggregates? (?:functions? )?(?:are|is) not allowed|misuse of aggregate", "aggregate"),
    (r"window functions? (?:calls? )?(?:cannot|are not allowed)|contain window func", "window"),
    (r"Cannot (?:compare|mix) values of type (?P<one>.+?) and (?:type )?(?P<two>\S+)", "mixed"),
    (r"argument types '(?P<function>[^(']+)\((?P<types>.*?)\)'", "types"),
    (r"Could not convert string '(?P<value>.*?)' to (?P<to>\w+)", "value"),
    (r"invalid date field format: \"(?P<value>.*?)\"", "no_date"),
    (r"(?:invalid|date|timestamp).*field.*?\"(?P<value>[^\"]*)\"", "no_date"),
    (r"Type \w+ with value (?P<value>\S+) can't be cast", "too_large"),
    (
        r"Could not parse string \"(?P<value>.*?)\" according to format specifier "
        r"\"(?P<form>.*?)\"",
        "other_format",
    ),
    (r"Failed to parse format specifier (?P<form>[^:]+):", "no_format"),
    (r"square root of a negative|logarithm of (?:zero|a negative)", "no_root"),
    (r"[Oo]verflow|out of range|Out of Range", "too_large_sum"),
    (r"More than one row returned by a subquery", "subquery_rows"),
    (r"Subquery returns (?P<n>\d+) columns", "subquery_columns"),
    (r"same number of (?:result )?columns|each UNION query must have", "set_columns"),
    (rf"Function with name {_NAME} does not exist", "no_function"),
    (r"Malformed JSON", "json"),
    (r"[Dd]ivi(?:de|sion) by zero", "by_zero"),
    (rf"column {_NAME} does not exist", "no_column"),
    (rf"relation {_NAME} does not exist", "no_table"),
    (rf"column reference {_NAME} is ambiguous", "ambiguous"),
    (rf"no such column: {_NAME}$", "no_column"),
    (rf"no such table: {_NAME}$", "no_table"),
    (rf"ambiguous column name: {_NAME}$", "ambiguous"),
    (rf"no such function: {_NAME}$", "no_function"),
    (rf"with name {_NAME} cannot be resolved", "no_column"),
    (rf"table or view {_NAME} cannot be found", "no_table"),
    (r"invalid input syntax for type (?P<to>\w+(?: \w+)*): \"(?P<value>.*?)\"", "value"),
)
# words that a query is put together from, of which one may be misspelled
_KEYWORDS = """
    SELECT DISTINCT FROM WHERE GROUP BY HAVING ORDER LIMIT JOIN LEFT RIGHT INNER OUTER FULL CROSS ON
    USING UNION ALL WITH AS AND OR NOT IN BETWEEN LIKE IS NULL CASE WHEN THEN ELSE END CAST
"""
KEYWORDS = tuple(_KEYWORDS.split())
KINDS = (  # of values, as engines call their types
    (r"\[\]|LIST|STRUCT|MAP|UNION|ARRAY", "list"),
    (r"CHAR|STRING|TEXT", "text"),
    (r"DATE|TIME", "date"),
    (r"BOOL", "truth"),
    (r"INT|DECIMAL|DOUBLE|FLOAT|NUMERIC|REAL|BIGNUM", "number"),
)
# functions that look at several rows, and say over which by OVER
_WINDOWED = """
    cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank
    row_number
"""
WINDOWED = frozenset(_WINDOWED.split())


def first_line(error: Exception | str) -> str:
    r"""Tell what an engine says is wrong, in one line and without what it calls it.

    Its message up to where it quotes the query or gives advice.

    >>> first_line(ValueError("CSV Error on Line: 3\nExpected Columns: 2\n\nPossible fixes:\n* x"))
    'CSV Error on Line: 3; Expected Columns: 2'
    >>> first_line("Binder Error: WHERE clause cannot contain aggregates!")
    'WHERE clause cannot contain aggregates!'
    """
    told = CALLED.sub("", ADVICE.split(str(error).strip(), maxsplit=1)[0].strip())
    lines = [line.strip() for line in told.split("\n") if line.strip()]
    return "; ".join(line.rstrip(";") for line in lines)[:REASON] or type(error).__name__


def reason(
    error: Exception | str,
    columns: Iterable[str] = (),
    tables: Iterable[str] = (),
    functions: Iterable[str] = (),
) -> str:
    """Say why SQL can't be computed, with the next step, in the language that is spoken.

    Parameters
    ----------
    columns, tables, functions
        Names that are there: the nearest is named where one is not.

    >>> reason('Binder Error: Referenced column "Umsaz" not found in FROM clause!', ["Umsatz"])
    "there is no column 'Umsaz' (did you mean 'Umsatz'?)"
    """
    whole = " ".join(str(error).split())
    known = {"no_column": columns, "no_table": tables, "no_function": functions}
    for pattern, sentence in SAID:
        if not (found := re.search(pattern, whole)):
            continue
        told = found.groupdict()
        if sentence in known:
            name = told["name"].rpartition(".")[2] if sentence == "no_column" else told["name"]
            if sentence == "no_function" and name.casefold() in WINDOWED:
                return words.message("sql.no_over", name=name)
            return words.message(
                f"sql.{sentence}", name=told["name"], near=_meant(name, known[sentence])
            )
        if sentence == "ambiguous_ways":
            told["ways"] = told["ways"].replace('"', "").replace(" or ", words.message("sql.or"))
        for part in ("one", "two"):
            if part in told:
                told[part] = _kind(told[part])
        if sentence == "value":
            told["type"] = _kind(told["to"])
        if "types" in told:
            types = re.split(r",\s*(?![^()]*\))", told["types"]) if told["types"] else []
            told["types"] = words.message("sql.and").join(map(_kind, types))
            sentence = sentence if types else "no_arguments"
        return words.message(f"sql.{sentence}", **told)
    return words.message("sql.other", reason=first_line(error))


def breaks(text: str, reason: str, at: int) -> str:
    """Say where SQL breaks by what DuckDB's parser says: in which line, at what, and which word may
    have been meant.

    >>> breaks("SELECT * FORM sales", 'syntax error at or near "sales"', 14)
    "it breaks in its line 1 at 'FORM' (did you mean 'FROM'?)"
    """
    if reason.endswith("at end of input"):
        return words.message("refused.sql_end")
    found = re.search(r'at or near "(.*)"$', reason, re.DOTALL)
    if not found:
        return words.message("refused.sql_reason", reason=reason[:300])
    before = text.encode()[:at].decode(errors="replace")  # it counts bytes
    line = before.count("\n") + 1
    if reason.startswith("unterminated"):
        return words.message("refused.sql_quote", line=line, at=found[1][:40])
    # what is misspelled may be the word before the one it breaks at: SELECT * FORM sales
    for word in (found[1], *re.findall(r"\w+", before)[-1:]):
        if word.upper() not in KEYWORDS and (near := _meant(word, KEYWORDS)):
            return words.message("refused.sql_at", line=line, at=word, near=near)
    return words.message("refused.sql_at", line=line, at=found[1][:40], near="")


def _meant(name: str, known: Iterable[str], cutoff: float = NEAR) -> str:
    """Name what is near, whatever its case, in brackets; "" where nothing is."""
    folded = {one.casefold(): one for one in known}
    near = difflib.get_close_matches(name.casefold(), folded, 1, cutoff=cutoff)
    return words.message("sql.meant", near=folded[near[0]]) if near else ""


def did_you_mean(text: str, known: Iterable[str], cutoff: float = NEAR_HEADER) -> str:
    """Name the header that a text is nearly, in brackets; "" where it is nearly none.

    >>> did_you_mean("Sale (Dollar)", ["Sale (Dollars)", "Qty"]), did_you_mean("a * b", ["c"])
    (" (did you mean 'Sale (Dollars)'?)", '')
    """
    return _meant(text.strip().strip('"'), known, cutoff)


def _kind(type_: str) -> str:
    kind = next((kind for pattern, kind in KINDS if re.search(pattern, type_.upper())), "")
    return words.message(f"sql.kind_{kind}") if kind else type_
