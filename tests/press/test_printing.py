"""The press: what a page may use, what becomes of a run that is harmed, and where pages can be
printed.
"""

import concurrent.futures
import gc
import json
import multiprocessing
import re
import subprocess
import sys
import time

import psutil
import pytest

import faults
from helpers import words
from helpers.press import pages, printing
from sampling import some
from toys import PARAMETERS, cell

linux = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")


@pytest.fixture(scope="module")
def first(tmp_path_factory) -> faults.Workshop:
    """A first edition, printed once, for every round to start from."""
    made = faults.Workshop(tmp_path_factory.mktemp("first") / "workshop")
    words.speak("en")
    return made


@linux
@pytest.mark.parametrize("seed", some(range(2), 1))  # a hundred rounds: benchmarks/press_faults.py
@pytest.mark.parametrize("fault", faults.FAULTS, ids=lambda fault: fault.__name__)
def test_whatever_happens_the_edition_stays_whole(first, tmp_path, fault, seed):
    fault(first.copied(tmp_path / "workshop"), seed)


# ---- pages without an edition --------------------------------------------------------------------


def page(name: str, *cells, dealer_id: str = "") -> pages.Page:
    made = [{**c, "source": c["source"]} for c in (cell(PARAMETERS, "parameters"), *cells)]
    text = json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    key = pages.digest_of(name)
    return pages.Page(
        name, "en", key, text, {"period": "2026-10"}, dealer_id, "us" if dealer_id else ""
    )


@pytest.fixture
def print_pages(tmp_path, monkeypatch):
    """Print pages to a shelf of the test's own."""
    monkeypatch.setattr(printing, "PRELOAD", ["helpers.report"])
    (tmp_path / "work").mkdir()

    def run(*asked, **options) -> printing.Printed:
        return printing.print_pages(asked, tmp_path, tmp_path / "work", "data", **options)

    run.shelf = tmp_path / ".pages"
    return run


def test_pages_go_to_any_executor(print_pages, monkeypatch):
    """A cluster's executor sends what it is given to other processes: so does this one."""
    spread = page("spread", cell("import os\nprint('printed by', os.getppid())"))
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as others:
        found = print_pages(spread, executor=others)
        assert others.submit(int).result() == 0, "an executor that was given is not shut down"
    assert found.failed == {}
    text = (print_pages.shelf / spread.key / "page.html").read_text(encoding="utf-8")
    assert int(re.search(r"printed by (\d+)", text)[1]) not in {
        c.pid for c in psutil.Process().children()
    }


def test_a_place_to_print_that_is_gone_is_told(print_pages):
    class Gone(concurrent.futures.Executor):
        def submit(self, *_args, **_kwargs):
            future = concurrent.futures.Future()
            future.set_exception(
                concurrent.futures.process.BrokenProcessPool("a node can't be reached")
            )
            return future

    found = print_pages(page("card", dealer_id="D1"), executor=Gone())
    said = "card (D1, us, en): where it was printed, BrokenProcessPool: a node can't be reached"
    assert found.failed == {pages.digest_of("card"): said}


def test_what_is_told_without_a_terminal(print_pages, capsys):
    fine, bad = page("fine", cell("1")), page("card", cell("1 / 0"), dealer_id="D1")
    print_pages(fine, bad, workers=1)
    told = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"1/2  fine \(en\)  [\d.]+ s", told[0])
    assert told[1] == "2/2  card (D1, us, en)  failed"
    assert re.fullmatch(r"2 of 2 pages printed in [\d.]+ s, 1 failed", told[2])
    print_pages(fine)
    assert capsys.readouterr().err == "1 of 1 pages kept from an earlier run\n"


def test_a_terminal_gets_one_line_that_is_written_over(print_pages, capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    print_pages(*(page(f"p{i}", cell("1")) for i in range(3)), workers=1)
    told = capsys.readouterr().err
    assert "\r" in told
    assert re.search(r"2 of 3 done, 1 running, 0 failed", told)
    assert "left" in told


def test_nobody_but_us_tells_of_a_page_that_failed(print_pages, caplog):
    late, dead = cell("import time; time.sleep(99)"), cell("import os; os._exit(1)")
    found = print_pages(
        page("late", late, dealer_id="D1"),
        page("dead", dead, dealer_id="D2"),
        limits=printing.Limits(1, 99),
    )
    gc.collect()  # then asyncio tells of those who still waited
    assert len(found.failed) == 2
    assert [record.getMessage() for record in caplog.records] == []


WARNS = {
    "warning": "import warnings; warnings.warn('careful')",
    "error stream": "import sys; print('careful', file=sys.stderr)",
    "log": "import logging; logging.warning('careful')",
    "division": "import numpy as np; np.divide(*np.zeros(2))",
}


@linux
@pytest.mark.parametrize("how", WARNS)
def test_what_a_cell_warns_of_is_told_of_the_run_and_not_on_the_page(print_pages, capsys, how):
    said = "careful" if how != "division" else "RuntimeWarning: inval"
    warns = page("warns", cell("## Stock", text=True), cell(f"{WARNS[how]}; print('a figure')"))
    print_pages(warns)
    kept = print_pages.shelf / warns.key
    assert "a figure" in (kept / "page.html").read_text(encoding="utf-8")
    assert said not in (kept / "page.html").read_text(encoding="utf-8")
    notebook = json.loads((kept / "notebook.ipynb").read_text(encoding="utf-8"))
    assert said not in str([c.get("outputs") for c in notebook["cells"]])
    told = capsys.readouterr().err
    assert re.search(rf'warns \(en\), cell \d under "Stock": .*{said}', told)


def test_a_second_try_is_told(print_pages, tmp_path, capsys):
    once = f"import os, pathlib\nmark = pathlib.Path({str(tmp_path / 'mark')!r})\n"
    once += "if not mark.exists():\n    mark.touch()\n    os._exit(1)"
    assert print_pages(page("twice", cell(once))).failed == {}
    assert "(second try)" in capsys.readouterr().err


def test_nothing_is_left_of_many_pages(print_pages):
    print_pages(page("warm", cell("1")))
    me = psutil.Process()
    before = me.num_fds() if hasattr(me, "num_fds") else 0, len(me.children(recursive=True))
    print_pages(*(page(f"p{i}", dealer_id=str(i)) for i in range(12)))
    assert (me.num_fds() if before[0] else 0, len(me.children(recursive=True))) == before


def test_after_a_page_that_fails_no_further_one_begins(print_pages):
    bad, later = page("bad", cell("1 / 0")), [page(f"p{i}", cell("1")) for i in range(8)]
    with pytest.raises(ValueError, match=r"bad \(en\), cell 2: ZeroDivisionError"):
        print_pages(bad, *later, workers=1)
    assert len(list(print_pages.shelf.glob("*"))) <= 1


def test_the_time_left_is_the_least_of_all_limits():
    now = time.monotonic()
    assert printing._seconds_left(printing.Limits(5, 100), now) == 5
    assert printing._seconds_left(printing.Limits(50, 10), now - 4) == pytest.approx(6, abs=0.1)
    assert printing._seconds_left(printing.Limits(50, 100, time.time() + 3), now) == pytest.approx(
        3, abs=0.1
    )
    assert printing._seconds_left(printing.Limits(50, 10), now - 40) > 0, (
        "none left is not no limit"
    )


def test_a_page_may_use_most_of_the_machines_memory():
    assert 0 < printing.memory_limit() < psutil.virtual_memory().total


def test_what_is_preloaded_needs_no_engine_that_not_everyone_has():
    """Without Spark or psycopg the kernels are warm all the same."""
    code = (
        "import sys\n"
        "for name in ('pyspark', 'psycopg', 'sqlalchemy'):\n"
        "    sys.modules[name] = None\n"
        "import importlib\n"
        "from helpers.press.printing import PRELOAD\n"
        "for module in PRELOAD:\n"
        "    importlib.import_module(module.partition(':')[0])\n"
        "print(len(PRELOAD))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-500:]
    assert int(done.stdout) > 100
