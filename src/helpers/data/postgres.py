"""PostgreSQL: asked without anything being made there, and answered by way of Arrow.

Ibis makes a view of each query to learn its columns and a table of what it is given, which a copy
that only reads refuses; and it fetches row by row through a cursor, which the planner takes for a
wish for the first rows and for one core.
"""

import contextlib
import io

import psycopg
import pyarrow as pa
import pyarrow.csv
from ibis.backends.postgres import Backend
from ibis.expr import datatypes as dt
from ibis.expr import operations as ops
from ibis.expr import schema as sch
from ibis.expr.types import Expr

# Of an expression such as a cleaned id the planner takes one row in two hundred to be there, and
# compares each row of one table with each of another, which are a hundred thousand. What it may not
# choose it still does where nothing else is possible. The rest is how answers are written.
SESSION = (
    "SET default_transaction_read_only = on",
    "SET enable_nestloop = off",
    "SET work_mem = '64MB'",
    "SET datestyle = 'ISO'",
    "SET extra_float_digits = 1",
)
PLAIN = ("is_string", "is_integer", "is_floating", "is_decimal", "is_date", "is_boolean")


class ReadOnly(Backend):
    """Ibis's PostgreSQL, in a session that only reads."""

    def _get_schema_using_query(self, query: str) -> sch.Schema:
        with self.con.cursor() as cursor:
            found = cursor.execute(f"SELECT * FROM ({query}) AS asked LIMIT 0").description
            types = {column.name: _type(cursor, column) for column in found}
        return sch.Schema({column: self._of_ibis(kind) for column, kind in types.items()})

    def _of_ibis(self, kind: str) -> dt.DataType:
        try:
            return self.compiler.type_mapper.from_string(kind)
        except Exception:  # a type that Ibis does not know may still be cast to text
            return dt.unknown

    def _run_pre_execute_hooks(self, expr: Expr) -> None:
        """Make no table of what is given: `compile` writes it into the query."""

    def compile(self, expr: Expr, /, **options) -> str:
        """Write a query, its given tables as lists at its head."""
        sql = super().compile(expr, **options)
        given = [self._listed(table) for table in expr.op().find(ops.InMemoryTable)]
        if not given:
            return sql
        own = sql.removeprefix("WITH ")
        return f"WITH {', '.join(given)}{', ' if own != sql else ' '}{own}"

    def _listed(self, op: ops.InMemoryTable) -> str:
        rows, mapper = op.data.to_pyarrow(op.schema), self.compiler.type_mapper
        lists = ", ".join(
            f"{_array(rows[column].to_pylist())}::{mapper.to_string(kind)}[]"
            for column, kind in op.schema.items()
        )
        names = ", ".join(_quoted(column) for column in op.schema.names)
        return f"{_quoted(op.name)} ({names}) AS (SELECT * FROM UNNEST({lists}))"

    def to_pyarrow(self, expr: Expr, /, *, params=None, limit=None, **options):
        """Fetch an answer in one stream of text, which Arrow reads ten times faster than rows."""
        table = expr.as_table()
        schema = table.schema()
        if not all(any(getattr(t, is_)() for is_ in PLAIN) for t in schema.types):
            return super().to_pyarrow(expr, params=params, limit=limit, **options)
        text = io.BytesIO()
        sql = self.compile(table, params=params, limit=limit)
        with (
            self.con.cursor() as cursor,
            cursor.copy(f"COPY ({sql}) TO STDOUT (FORMAT csv)") as out,
        ):
            for block in out:
                text.write(block)
        return expr.__pyarrow_result__(_read(text, schema.to_pyarrow()))


def connect(engine: str) -> ReadOnly:
    """Connect to a server by its URL.

    Raises
    ------
    psycopg.Error
        If it can't be reached.
    """
    # Ibis reads the URL, so that nothing of it is read otherwise here than before
    from ibis import connect as by_url

    con = ReadOnly.from_connection(by_url(engine).con)
    for setting in SESSION:
        # what only speaks PostgreSQL's protocol may not know all of them
        with contextlib.suppress(psycopg.Error), con.con.cursor() as cursor:
            cursor.execute(setting)
    return con


def _type(cursor: psycopg.Cursor, column: psycopg.Column) -> str:
    """Name a column's type as PostgreSQL writes it, digits included."""
    known = cursor.adapters.types.get(column.type_code)
    if known is None:
        return "text"  # a type of somebody's own, such as an enumeration
    if known.name == "numeric" and column.precision is not None:
        return f"numeric({column.precision},{column.scale or 0})"
    return known.regtype + ("[]" if column.type_code == known.array_oid else "")


def _read(text: io.BytesIO, schema: pa.Schema) -> pa.Table:
    if not text.tell():
        return schema.empty_table()
    text.seek(0)
    return pyarrow.csv.read_csv(
        text,
        read_options=pyarrow.csv.ReadOptions(column_names=schema.names),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=schema,
            null_values=[""],
            # a text that is empty stands in quotes, one that is not there does not
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )


def _array(values: list) -> str:
    """Write values as PostgreSQL writes a list."""
    inside = ",".join(
        "NULL"
        if value is None
        else '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
        for value in values
    )
    return "'{" + inside.replace("'", "''") + "}'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
