"""A PostgreSQL of the tests' own, on the loopback, and tables for it."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest


def programs() -> Path | None:
    """Find PostgreSQL's programs, which distributions keep off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [
        Path(p) for p in [shutil.which("initdb")] if p
    ]
    return found[-1].parent if found else None


@contextlib.contextmanager
def postgres_cluster() -> Iterator[str]:
    """Start a private cluster and give its URL; without PostgreSQL the test is skipped."""
    pytest.importorskip("psycopg", reason="without psycopg no PostgreSQL can be asked")
    if (bin_ := programs()) is None:
        pytest.skip("PostgreSQL's initdb and pg_ctl are not installed")
    folder = Path(tempfile.mkdtemp(prefix="workbook-pg-"))
    user = {}
    if os.getuid() == 0:  # the server refuses to run as root
        user = {"user": "postgres", "group": "postgres", "extra_groups": []}
        shutil.chown(folder, "postgres", "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(program: str, *options: str) -> None:
        subprocess.run(
            [bin_ / program, "-D", folder / "data", *options],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            **user,
        )

    try:
        run("initdb", "-A", "trust", "-U", "workbook", "-E", "UTF8", "--no-locale", "--no-sync")
        run(
            "pg_ctl",
            "-w",
            "-l",
            str(folder / "log"),
            "-o",
            f"-p {port} -F -k {folder} -c listen_addresses=127.0.0.1",
            "start",
        )
        try:
            yield f"postgres://workbook@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def load(url: str, table: str, columns: dict[str, str], rows: Iterable[tuple]) -> None:
    """Write rows to a new table of the server; `columns` are names with their SQL types."""
    import psycopg

    listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    named = '"' + table.replace('"', '""') + '"'
    with psycopg.connect(url) as con, con.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {named}; CREATE TABLE {named} ({listed})")
        with cursor.copy(f"COPY {named} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
