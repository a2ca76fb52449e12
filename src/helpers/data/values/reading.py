"""Reading: one look at all columns, a closer one at those that are not written plainly."""

from typing import NamedTuple

import pyarrow.parquet

from helpers.data.findings import Finding, Question, answers, type_questions
from helpers.data.mapping import Mapped, quoted, typed
from helpers.data.values import dates, ids, numbers
from helpers.data.values.numbers import Refusal
from helpers.data.values.origins import Origins, Refused, by_file, styles_of
from helpers.data.values.scale import is_other
from helpers.data.values.text import Shape, as_text, is_nothing, literal, marked
from helpers.settings import Workbook, contract, decimal_mark, sources

ONE = Origins()
MAX_SHAPES = 5_000  # of a column; one that has more holds no numbers
MAX_SPELLINGS = 10_000  # of brands in a table; more are no brands
ZONE = "UTC"  # of the connection: what a timestamp with a zone is cast in
LEDGERS = ("payments", "balances")  # where Cr is what was paid
# a zero before a decimal mark forms no group of thousands, and is kept apart from other digits
_LEADING_ZERO = r"'(^|[^0-9.,''_ ])0+([.,])', '\1⓪\2', 'g'"
_DIGITS = "'012345678⓪', '9999999990'"


class Read(NamedTuple):
    """How a table's columns are read."""

    columns: dict[str, Mapped]
    errors: list[Finding]  # what stops the table
    notes: list[Finding]  # what was read though it was not written plainly


class _Column(NamedTuple):
    """A column that was looked at closer: as it is read now, or why it can't be."""

    mapped: Mapped | None = None
    refused: Finding | None = None
    noted: Finding | None = None


def read_columns(
    book: Workbook,
    name: str,
    con,
    columns: dict[str, Mapped],
    decimal: str = "",
    origins: Origins = ONE,
) -> Read:
    """Find how each column of `raw_<name>` is written.

    Where the plain cast reads all columns whole, this costs one pass over the table; each column
    that it leaves something of costs one pass more, and one for all of them.

    Parameters
    ----------
    columns
        As `mapped_columns` gives them.
    decimal
        "." or ",", where a person has said it of the whole file; a column's `format` wins.
    origins
        The files that the rows come from, each of which is written as it is written.

    Returns
    -------
    Read
        Errors: `type` and `missing` as `type_questions` asks for them, and one refusal for a column
        that could be read in two ways. Notes: `read_as` (an example, and what was made of it),
        `not_available` (marks such as N/A where a value may be missing), `zone`.
    """
    asked = [*type_questions(name, columns), *_odd_questions(book, columns, origins)]
    plain = answers(name, con, asked, origins.file_column)
    seen = {(finding.column, finding.check): finding for finding in plain}
    marks = {c: _given_mark(book, name, c, mapped, decimal) for c, mapped in columns.items()}
    found: dict[str, _Column] = {}
    for column, mapped in columns.items():
        is_odd = any((column, check) in seen for check in ("type", "odd", "zoned"))
        if is_odd or marks[column]:
            found[column] = _looked_at(book, name, con, column, mapped, marks[column], origins)
    read = {c: one.mapped for c, one in found.items() if one.mapped is not None}
    refusals = [one.refused for one in found.values() if one.refused is not None]
    told = {*read, *(finding.column for finding in refusals)}
    again = answers(name, con, type_questions(name, read)) if read else []
    refused = {finding.column for finding in refusals}
    kept = {"type": told, "missing": told - refused}
    errors = [f for f in plain if f.check in kept and f.column not in kept[f.check]]
    errors = [_of_format(book, f) for f in (*errors, *refusals, *again)]
    errors.sort(key=lambda finding: list(columns).index(finding.column))
    notes = [] if errors or not read else _notes(name, con, columns, read)
    notes += [one.noted for one in found.values() if one.noted is not None and not errors]
    return Read({**columns, **read}, errors, notes)


def _odd_questions(book: Workbook, columns: dict[str, Mapped], origins: Origins) -> list[Question]:
    """Ask cheaply what no cast fails on: values that are read, though not as they are meant."""
    asked = []
    for column, mapped in columns.items():
        test = _odd_test(book, column, mapped, origins)
        if test:
            asked.append(Question(column, "odd", test))
        if mapped.kind in ("date", "month") and mapped.raw_type.startswith("timestamp('"):
            asked.append(Question(column, "zoned", f"COUNT({mapped.raw})"))
    return asked


def _odd_test(book: Workbook, column: str, mapped: Mapped, origins: Origins) -> str:
    raw, text = mapped.raw, f"CAST({mapped.raw} AS VARCHAR)"
    if mapped.kind == "id" and mapped.raw_type.startswith("float"):
        return f"COUNT(*) FILTER (ABS({raw}) > {ids.MAX_FLOAT})"
    if mapped.kind == "money" and mapped.raw_type.startswith("float"):
        return f"COUNT(*) FILTER (isnan({raw}))"
    if not mapped.raw_type.startswith("string"):
        return ""
    if mapped.kind in ("money", "number"):
        # 1.234 is read as one and a bit: it is, unless all that have a mark could be thousands
        typed = origins.typed(raw)
        is_text = f" AND NOT {typed}" if typed else ""
        marked_ = f"COUNT(*) FILTER (contains({text}, '.'){is_text})"
        return (
            f"CASE WHEN {marked_} = COUNT(*) FILTER (substr(rtrim({text}), -4, 1) = '.'{is_text}) "
            f"THEN {marked_} ELSE 0 END"
        )
    if mapped.kind == "id":
        return f"COUNT(*) FILTER {ids.odd_id(raw)}"
    if mapped.kind == "text":
        test = ids.odd_text(raw)
        if column == "brand":
            test += f" OR {ids.odd_brand(raw, book.brand)}"
        if column == "kind":
            test += f" OR {ids.odd_move(raw)}"
        return f"COUNT(*) FILTER ({test})"
    return ""


def _given_mark(book: Workbook, name: str, column: str, mapped: Mapped, decimal: str) -> str:
    """Give the decimal mark that a person has said of a column of text."""
    if mapped.kind not in ("money", "number") or not mapped.raw_type.startswith("string"):
        return ""
    example = book.tables[name].format.get(column, "")
    return decimal_mark(example) if example else decimal


def _looked_at(
    book: Workbook,
    name: str,
    con,
    column: str,
    mapped: Mapped,
    decimal: str,
    origins: Origins,
) -> _Column:
    """Find how one column is written."""
    is_text = mapped.raw_type.startswith("string")
    if mapped.kind in ("money", "number"):
        if is_text:
            return _number(name, con, column, mapped, decimal, origins, book.currency)
        # what a data frame writes where there is nothing
        return _Column(mapped._replace(empty=f"({mapped.raw}) IS NULL OR isnan({mapped.raw})"))
    if mapped.kind in ("date", "month"):
        if mapped.raw_type.startswith("timestamp('"):
            return _zoned(book, name, con, column, mapped)
        if mapped.raw_type.startswith(("date", "timestamp")):
            return _Column()
        return _day(book, name, con, column, mapped, origins)
    if mapped.kind == "id":
        return _id(name, con, column, mapped)
    return _text(book, name, con, column, mapped)


def _refused(name: str, column: str, why: Refusal, file: str = "") -> _Column:
    return _Column(refused=Finding(name, column, why.check, "error", why.n, why.example, file))


def _shapes(
    name: str,
    con,
    raw: str,
    shape: str,
    origins: Origins,
    flags: str = "''",
    without: str = "",
) -> dict[str, list[Shape]]:
    """Group the values of a column by file and by how they are written.

    Those for which the test `without` holds are left out. A file has no shapes where no style can
    be in so many of them.
    """
    file = origins.file_column or "''"
    where = f" WHERE NOT {without}" if without else ""
    rows = con.raw_sql(
        f"SELECT file, {shape} AS shape, COUNT(*), MIN(raw), {flags} AS flags FROM (SELECT "
        f"{file} AS file, {marked(raw)} AS x, CAST({raw} AS VARCHAR) AS raw FROM raw_{name}{where})"
        f" WHERE x IS NOT NULL AND NOT {is_nothing('x')} GROUP BY file, shape, flags "
        f"QUALIFY row_number() OVER (PARTITION BY file ORDER BY shape, flags) <= {MAX_SHAPES + 1} "
        "ORDER BY file, shape, flags"
    ).fetchall()
    found: dict[str, list[Shape]] = {name: [] for name in origins.files or [""]}
    for of_file, *shape_of in rows:
        found.setdefault(of_file if origins.file_column else next(iter(found)), []).append(
            Shape(*shape_of)
        )
    return {f: shapes if len(shapes) <= MAX_SHAPES else [] for f, shapes in found.items()}


def _number(
    name: str,
    con,
    column: str,
    mapped: Mapped,
    decimal: str,
    origins: Origins,
    currency: str = "",
) -> _Column:
    shape = f"translate(regexp_replace(x, {_LEADING_ZERO}), {_DIGITS})"
    is_typed = origins.typed(mapped.raw)
    shapes = _shapes(name, con, mapped.raw, shape, origins, without=is_typed)
    known, is_money = contract()[name].get(column), mapped.kind == "money"

    def style_of(of_file: list[Shape], decimal: str = decimal) -> numbers.Style | Refusal:
        # what is said of a column is meant for those of several files that do not tell themselves
        if decimal and len(shapes) > 1 and isinstance(told := style_of(of_file, ""), numbers.Style):
            return told
        return numbers.number_style(
            of_file,
            unit=known.unit if known and not is_money else "",
            is_money=is_money,
            decimal=decimal,
            has_ledger=name in LEDGERS,
        )

    def own_style(of_file: list[Shape], style: numbers.Style) -> numbers.Style | Refusal:
        # thousands are whole; amounts of which each has three decimals are none
        own = style_of(of_file, "") if is_money else style
        is_open = isinstance(own, Refusal) and own.check == "either_decimal"
        return style_of(of_file) if is_open and numbers.is_decimal(own.example, style) else style

    styles = styles_of(shapes, origins, style_of, own_style)
    if isinstance(styles, Refused):
        return _refused(name, column, styles.why, styles.file)
    if differs := numbers.contradiction([(shapes[file], style) for file, style in styles.items()]):
        return _refused(name, column, differs)
    text = marked(mapped.raw)
    read = by_file({f: numbers.number_sql(text, s, is_money) for f, s in styles.items()}, origins)
    if is_typed:
        plain = typed(mapped.raw, "string", mapped.kind)
        read = f"CASE WHEN {is_typed} THEN {plain} ELSE {read} END"
    others = [(shapes[f], s) for f, s in styles.items() if is_other(s.currency, currency)]
    noted = None
    if is_money and others:
        n = sum(shape.n for of_file, _style in others for shape in of_file)
        noted = Finding(name, column, "other_currency", "warning", n, others[0][0][0].example)
    return _Column(mapped._replace(typed=read, empty=_empty(text)), noted=noted)


def _empty(text: str) -> str:
    return f"({text}) IS NULL OR {is_nothing(text)}"


def _day(book: Workbook, name: str, con, column: str, mapped: Mapped, origins: Origins) -> _Column:
    text, given = marked(mapped.raw), book.tables[name].format.get(column)
    if given:
        read = typed(text, "string", mapped.kind, given)
        return _Column(mapped._replace(typed=read, empty=_empty(text)))
    day = dates.day_text("x")
    shape = f"translate({day}, '012345678', '999999999')"
    shapes = _shapes(name, con, mapped.raw, shape, origins, dates.flags(day))
    ways = styles_of(shapes, origins, lambda of_file: dates.date_ways(of_file, mapped.kind))
    if isinstance(ways, Refused):
        return _refused(name, column, ways.why, ways.file)
    day = dates.day_text(text)
    read = by_file({file: dates.day_sql(day, found) for file, found in ways.items()}, origins)
    read = read if mapped.kind == "date" else f"STRFTIME({read}, '%Y-%m')"
    return _Column(mapped._replace(typed=read, empty=_empty(text)))


def _of_format(book: Workbook, finding: Finding) -> Finding:
    """Tell a day that does not fit the format given from one that is written in no known way."""
    kind = contract()[finding.table].get(finding.column)
    is_day = kind is not None and kind.kind in ("date", "month")
    is_given = finding.column in book.tables[finding.table].format
    return (
        finding._replace(check="format")
        if finding.check == "type" and is_day and is_given
        else finding
    )


def _zoned(book: Workbook, name: str, con, column: str, mapped: Mapped) -> _Column:
    """Read the days of a timestamp in the zone that its files name.

    Where they name none, they hold moments in UTC. All at one time of day other than midnight were
    the midnights of some zone, and which one nobody wrote down.
    """
    zone = _zone_of(book, name, mapped.raw)
    if zone and zone != ZONE:
        local = f"timezone({literal(zone)}, {mapped.raw})"
        return _Column(mapped._replace(typed=typed(local, "timestamp", mapped.kind)))
    times, hour, n, example = con.raw_sql(
        "SELECT COUNT(DISTINCT hour), MIN(hour), COUNT(hour), MIN(raw) FROM (SELECT "
        f"CAST(timezone('{ZONE}', {mapped.raw}) AS TIME) AS hour, CAST({mapped.raw} AS VARCHAR) AS "
        f"raw FROM raw_{name})"
    ).fetchone()
    if times == 1 and n > 1 and str(hour) != "00:00:00":
        return _refused(name, column, Refusal("zone", n, example))
    return _Column()


def _zone_of(book: Workbook, name: str, raw: str) -> str:
    """Read the zone of a timestamp from the Parquet files that hold it; "" where there is none."""
    zones = set()
    for path in sources(book, name):
        if path.name.lower().endswith(".parquet"):
            schema = pyarrow.parquet.read_schema(path)
            zones |= {getattr(f.type, "tz", None) for f in schema if quoted(f.name) == raw}
    return zones.pop() or "" if len(zones) == 1 else ""


def _id(name: str, con, column: str, mapped: Mapped) -> _Column:
    raw = mapped.raw
    if not mapped.raw_type.startswith("string"):
        n, example = con.raw_sql(
            f"SELECT COUNT(*), MIN(CAST({raw} AS VARCHAR)) FROM raw_{name} WHERE ABS({raw}) > "
            f"{ids.MAX_FLOAT}"
        ).fetchone()
        return _refused(name, column, Refusal("destroyed_id", n, example)) if n else _Column()
    n_points, n_zeros, n_destroyed, example = con.raw_sql(
        "SELECT COUNT(*) FILTER (contains(x, '.')), "
        "COUNT(*) FILTER (regexp_full_match(x, '[0-9]+[.]0+')), "
        f"COUNT(*) FILTER (regexp_full_match(x, '{ids.DESTROYED}')), "
        f"MIN(x) FILTER (regexp_full_match(x, '{ids.DESTROYED}')) "
        f"FROM (SELECT {ids.plain_id(raw)} AS x FROM raw_{name})"
    ).fetchone()
    if n_destroyed:
        return _refused(name, column, Refusal("destroyed_id", n_destroyed, example))
    read = ids.id_sql(raw, n_points == n_zeros)
    plain = ids.plain_id(raw)
    empty = f"{plain} IS NULL OR {is_nothing(plain, ids.NO_ID)}"
    return _Column(mapped._replace(typed=read, empty=empty))


def _text(book: Workbook, name: str, con, column: str, mapped: Mapped) -> _Column:
    if column == "brand" or (name, column) == ("stock_moves", "kind"):
        rows = con.raw_sql(
            f"SELECT DISTINCT CAST({mapped.raw} AS VARCHAR) AS x FROM raw_{name} WHERE x IS NOT "
            f"NULL ORDER BY x LIMIT {MAX_SPELLINGS}"
        ).fetchall()
        found = [text for (text,) in rows]
        spelt = (
            ids.respelt_brands(found, book.brand) if column == "brand" else ids.respelt_moves(found)
        )
        return (
            _Column(mapped._replace(typed=ids.respelt_sql(mapped.raw, spelt)))
            if spelt
            else _Column()
        )
    return _Column(mapped._replace(typed=ids.text_sql(mapped.raw)))


def _notes(name: str, con, columns: dict[str, Mapped], read: dict[str, Mapped]) -> list[Finding]:
    """Count what was read that the plain cast would not have read, or otherwise."""
    asked = []
    for column, mapped in read.items():
        text, now = as_text(mapped.raw), f"CAST({mapped.typed} AS VARCHAR)"
        was = columns[column].typed
        differs = f"({mapped.typed}) IS NOT NULL AND ({mapped.typed}) IS DISTINCT FROM ({was})"
        shown = f"arg_min({text} || chr(0) || {now}, {text}) FILTER ({differs})"
        asked.append(Question(column, "read_as", f"COUNT(*) FILTER ({differs})", shown))
        gone = f"{text} IS NOT NULL AND ({mapped.typed}) IS NULL"
        asked.append(
            Question(
                column, "not_available", f"COUNT(*) FILTER ({gone})", f"MIN({text}) FILTER ({gone})"
            )
        )
    return [
        f._replace(severity="warning", example=_shown(f.example)) for f in answers(name, con, asked)
    ]


def _shown(example: str) -> str:
    """Show a value and what was made of it, what is unseen of it too."""
    given, _made, made = example.partition("\0")
    return f"{ascii(given) if given.strip() == made else repr(given)} → {made}" if made else given
