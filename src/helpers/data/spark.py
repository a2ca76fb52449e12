"""Spark: asked in SQL, and answered by way of Arrow.

Ibis fetches Spark's answers through pandas, of which Spark knows no version as new as ours.
"""

import logging
import os
import warnings

import ibis
import pyarrow as pa
from ibis.expr import datatypes as dt
from ibis.expr import operations as ops
from ibis.expr.types import Expr

from helpers.settings import engine_settings, refusal

with warnings.catch_warnings():
    # of pandas, which is not asked for anything here
    warnings.simplefilter("ignore", FutureWarning)
    from ibis.backends.pyspark import Backend
    from pyspark.sql import SparkSession

# what is no number, or no date, is an error and not silently nothing; days are those of the data
SESSION = {"spark.sql.ansi.enabled": "true", "spark.sql.session.timeZone": "UTC"}


class ByArrow(Backend):
    """Ibis's Spark, whose answers and given tables are Arrow's."""

    def compile(self, expr: Expr, /, **options) -> str:
        """Write a query, means of amounts with digits enough: Spark gives six."""
        return super().compile(expr.op().replace(_finer_means).to_expr(), **options)

    def _register_in_memory_table(self, op: ops.InMemoryTable) -> None:
        rows = op.data.to_pyarrow(op.schema)
        self._session.createDataFrame(rows).createOrReplaceTempView(op.name)

    def to_pyarrow(self, expr: Expr, /, *, params=None, limit=None, **_options):
        """Fetch an answer, its columns as Ibis names their types."""
        self._run_pre_execute_hooks(expr)
        table = expr.as_table()
        schema = table.schema().to_pyarrow()
        sql = self.compile(table, params=params, limit=limit)
        found: pa.Table = self._session.sql(sql).toArrow()
        return expr.__pyarrow_result__(found.rename_columns(schema.names).cast(schema))

    def execute(self, expr: Expr, /, *, params=None, limit=None, **options):
        """Fetch an answer for pandas."""
        rows = self.to_pyarrow(expr.as_table(), params=params, limit=limit, **options)
        return expr.__pandas_result__(rows.to_pandas())


def _finer_means(node: ops.Node, changed: dict | None) -> ops.Node:
    node = node.__recreate__(changed) if changed else node
    if isinstance(node, ops.Mean) and node.arg.dtype.is_decimal():
        return ops.Mean(ops.Cast(node.arg, dt.Decimal(30, 12)), where=node.where)
    return node


def connect(engine: str) -> ByArrow:
    """Start Spark in this process, or take the session that runs, as the engine's URL sets it.

    Raises
    ------
    DataError
        If there is no Java.
    """
    builder = SparkSession.builder
    for name, value in {"spark.ui.enabled": "false", **engine_settings(engine)}.items():
        builder = builder.config(name, value)
    logging.getLogger("py4j").setLevel(logging.ERROR)
    try:
        session = builder.getOrCreate()
    except Exception as error:
        if "JAVA" in str(error).upper() and not os.environ.get("JAVA_HOME"):
            raise refusal("no_java") from None
        raise
    _ = ibis.pyspark  # by being named it registers the options of what it writes
    con = ByArrow()
    con.do_connect(session)
    for name, value in SESSION.items():
        session.conf.set(name, value)
    return con
