"""A Spark of the tests' own: two threads, no page of its own, nothing beyond the loopback."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.ui.showConsoleProgress": "false",
    # ten thousand rows: compiling a plan to bytes of Java would take longer than to run it
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.adaptive.enabled": "false",
    "spark.log.level": "OFF",
}


@contextlib.contextmanager
def spark_session(warehouse: Path) -> Iterator:
    """Start Spark; without pyspark or Java the test is skipped."""
    pytest.importorskip("pyspark", reason="pyspark is not installed (the extra `spark`)")
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        pytest.skip("Java is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.master("local[2]")
        for name, value in {**SETTINGS, "spark.sql.warehouse.dir": str(warehouse)}.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        try:
            yield session
        finally:
            session.stop()
