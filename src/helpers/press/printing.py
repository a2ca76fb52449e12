"""The press: prints the pages that are missing, several at a time, each in its own kernel and
within its limits.
"""

import asyncio
import concurrent.futures
import contextlib
import itertools
import json
import logging
import os
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from helpers import files
from helpers.press import editions, terminal
from helpers.press.pages import Page
from helpers.settings import PACKAGE, DataError, refusal

FACE = ("cli", "press", "demo")
DRIVERS = ("helpers.data.postgres", "helpers.data.spark")  # of engines that not everyone has
# what a kernel finds done; the press may preload our own modules, for a page's key holds their
# content
PRELOAD = [
    module
    for path in sorted(PACKAGE.rglob("[a-z]*.py"))
    if path.relative_to(PACKAGE).with_suffix("").parts[0] not in FACE
    and (module := ".".join(("helpers", *path.relative_to(PACKAGE).with_suffix("").parts)))
    not in DRIVERS
]
PRELOAD += [
    "ibis.backends.duckdb",
    "pyarrow.pandas_compat",
    "helpers.settings:contract",
    "helpers.look.style:warm_up",
]
START_SECONDS = 60  # a kernel that has not answered by then never will
CELL_SECONDS, PAGE_SECONDS = 300.0, 900.0
MEMORY_SHARE = 0.8  # of the machine's, for a page: more would take the run, or the machine, along

# set when a run is broken off: who waits for a kernel need not try again
_stopped = threading.Event()


class Limits(NamedTuple):
    """What a page may use: seconds for a cell and, from the first one on, for all.

    Until when (epoch) the run must have
    ended; and memory.
    """

    cell_seconds: float
    page_seconds: float
    ends: float = float("inf")
    memory: int = 0  # bytes; 0: no limit


class Outcome(NamedTuple):
    """How a page came out: the seconds it took and, if it failed, why.

    `retried` after its first kernel had died.

    `trace` is the traceback of what nobody foresaw: then the fault is the press's, not the page's.
    `warned` is what its cells wrote to standard error: the run tells it, the page does not.
    """

    seconds: float
    reason: str = ""
    retried: bool = False
    trace: str = ""
    warned: tuple[str, ...] = ()


class Printed(NamedTuple):
    """How a run came out, by the pages' keys.

    Seconds (None: kept from an earlier run), and why cards are missing.
    """

    seconds: dict[str, float | None]
    failed: dict[str, str]


def usual_limits(ends: float = float("inf")) -> Limits:
    """Give the limits of a run that must have ended by then (epoch)."""
    return Limits(CELL_SECONDS, PAGE_SECONDS, ends, memory_limit())


def memory_limit() -> int:
    """Give the bytes a page may allocate.

    Most of the machine's, or of the container's where that has a limit.
    """
    import psutil

    total = psutil.virtual_memory().total
    with contextlib.suppress(OSError, ValueError):  # "max": no limit
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return int(total * MEMORY_SHARE)


def print_pages(
    pages: Sequence[Page],
    folder: Path,
    work: Path,
    fingerprint: str,
    *,
    workers: int | None = None,
    limits: Limits | None = None,
    executor: concurrent.futures.Executor | None = None,
) -> Printed:
    """Print the pages that are not on the shelf yet and put each there as soon as it is finished.

    Parameters
    ----------
    folder, work
        The folder of the editions, with the shelf in `.pages`; a folder for what is not finished.
    fingerprint
        Of the data, so that pages need not find it out each for itself.
    executor
        Where pages are printed: threads of this process where none is given. Another one, of a
        cluster say, must see the same folders; it is not shut down.

    Raises
    ------
    DataError
        If a page fails that is no card: no further page is begun, and all that failed are named.
    RuntimeError
        If that was for a reason nobody foresaw; its notes hold the traceback.
    KeyboardInterrupt
        When interrupted; kernels end first.
    """
    from helpers.press.kernels import end_kernels, load_ahead

    missing = [page for page in pages if not _is_kept(page, folder)]
    display = Display(len(pages), len(missing))
    seconds: dict[str, float | None] = dict.fromkeys((page.key for page in pages), None)
    if not missing:
        display.close()
        return Printed(seconds, {})
    _stopped.clear()
    limits = limits or usual_limits()
    at_once = workers or (len(missing) if executor else os.cpu_count() or 1)
    own = None if executor else concurrent.futures.ThreadPoolExecutor(at_once, "press")
    try:
        if own:
            load_ahead(PRELOAD)  # while this process loads papermill

        def submit(page: Page) -> concurrent.futures.Future:
            return (executor or own).submit(print_page, page, folder, work, fingerprint, limits)

        failed = _gathered(missing, submit, display, seconds, at_once, foreign=executor is not None)
    except BaseException:
        _stopped.set()
        raise
    finally:
        if _stopped.is_set():  # whoever waits for a kernel gets an answer
            end_kernels()
        if own:
            own.shutdown(cancel_futures=True)
            end_kernels()
        display.close()
    return Printed(seconds, failed)


def _is_kept(page: Page, folder: Path) -> bool:
    """Tell whether a page stands on the shelf, whole.

    What else stands in its place is cleared away or refused.
    """
    kept = folder / ".pages" / page.key
    if not os.path.lexists(kept):
        return False
    if not editions.is_page(kept):
        raise refusal("kept_foreign", path=kept)
    if not all((kept / name).is_file() for name in ("page.html", "notebook.ipynb", "meta.json")):
        files.remove(kept)
        return False
    os.utime(kept)  # used today: not pruned for a while
    return True


def _gathered(
    missing: Iterable[Page],
    submit: Callable[[Page], concurrent.futures.Future],
    display: "Display",
    seconds: dict[str, float | None],
    at_once: int,
    *,
    foreign: bool = False,
) -> dict[str, str]:
    """Have pages printed and see how they come out.

    After the first that fails no further one is begun.

    A card that fails stops nobody. Twice as many are under way as are printed at once, so that
    nobody waits for work, and no thousands are looked through after each page.
    """
    failed: dict[str, str] = {}
    stopping: list[str] = []
    traces: list[str] = []
    to_do, futures = iter(missing), {}
    try:
        while True:
            futures |= {
                submit(page): page for page in itertools.islice(to_do, 2 * at_once - len(futures))
            }
            if not futures:
                break
            done, waiting = concurrent.futures.wait(futures, 1, concurrent.futures.FIRST_COMPLETED)
            for future in done:
                page = futures.pop(future)
                outcome = _outcome(future, page, foreign)
                seconds[page.key] = outcome.seconds
                if outcome.reason and page.dealer_id:
                    failed[page.key] = outcome.reason
                elif outcome.reason and not _stopped.is_set():
                    stopping.append(outcome.reason)
                    traces += [outcome.trace] if outcome.trace else []
                display.tell(page, outcome)
            if stopping:
                to_do = iter(())
                futures = {future: page for future, page in futures.items() if not future.cancel()}
            display.show(sum(future.running() for future in waiting))
    finally:
        for future in futures:
            future.cancel()
    if traces:
        unforeseen = RuntimeError("; ".join(dict.fromkeys(stopping)))
        for trace in traces:
            unforeseen.add_note(trace)
        raise unforeseen
    if stopping:
        raise refusal("nothing_published", reason="\n".join(dict.fromkeys(stopping)))
    return failed


def _outcome(future: concurrent.futures.Future, page: Page, foreign: bool) -> Outcome:
    try:
        return future.result()
    except Exception as error:
        # of another's executor: a process of its own has died, a node can't be reached
        trace = "" if foreign else "".join(traceback.format_exception(error))
        return Outcome(0.0, f"{page}: where it was printed, {_in_words(error)}", trace=trace)


class Display:
    """What is told of a run while it goes on.

    A line that is written over on a terminal, else a line per page.
    """

    def __init__(self, n_pages: int, n_missing: int) -> None:
        """Say how much there is to do."""
        from tqdm import tqdm

        self.n, self.n_done, self.n_failed, self.started = n_missing, 0, 0, time.monotonic()
        if n_pages > n_missing:
            terminal.tell(f"{n_pages - n_missing} of {n_pages} pages kept from an earlier run")
        tqdm.monitor_interval = 0  # no thread that outlives the run
        shown = n_missing and sys.stderr.isatty()
        self.bar = tqdm(
            total=n_missing,
            file=sys.stderr,
            leave=False,
            disable=not shown,
            bar_format="{n_fmt} of {total_fmt} done{postfix} |{bar:20}| {remaining} left",
        )

    def tell(self, page: Page, outcome: Outcome) -> None:
        """Tell how a page came out."""
        self.n_done += 1
        self.n_failed += bool(outcome.reason)
        said = (
            "failed"
            if outcome.reason
            else f"{outcome.seconds:.1f} s" + " (second try)" * outcome.retried
        )
        line = f"{page}  {said}"
        if self.bar.disable:
            terminal.tell(f"{self.n_done}/{self.n}  {line}")
        elif outcome.reason:
            self.say(line)
        for warning in outcome.warned:
            self.say(f"{page}, {warning}")
        self.bar.update()

    def say(self, line: str) -> None:
        """Say a line on standard error, above the one that is written over."""
        if self.bar.disable:
            terminal.tell(line)
        else:
            self.bar.write(terminal.visible(line), file=sys.stderr)

    def show(self, running: int) -> None:
        """Show the line anew."""
        self.bar.set_postfix_str(f"{running} running, {self.n_failed} failed")

    def close(self) -> None:
        """Sum up, where there was something to do."""
        self.bar.close()
        if self.n:
            took = time.monotonic() - self.started
            failed = f", {self.n_failed} failed" if self.n_failed else ""
            terminal.tell(f"{self.n_done} of {self.n} pages printed in {took:.1f} s{failed}")


# ---- a page --------------------------------------------------------------------------------------


def print_page(page: Page, folder: Path, work: Path, fingerprint: str, limits: Limits) -> Outcome:
    """Execute one page in a kernel of its own and put it on the shelf.

    A failure is an outcome, too.

    A kernel that dies gets one more try: now and then the system ends one that did nothing wrong.
    """
    from helpers.press import page_body

    started = time.monotonic()
    made, retried = work / page.key, False
    try:
        for retried in (False, True):
            made.mkdir()
            env = {
                "WORKBOOK_PAGE": str(made),
                "WORKBOOK_EDITIONS": str(folder),
                "WORKBOOK_DATA": fingerprint,
            }
            try:
                executed = _executed(page, env, limits)
                break
            except _KernelDiedError:
                if retried or _stopped.is_set():
                    raise
                files.remove(made)  # the second try begins anew
        warned = _warnings_taken(executed.cells)
        page_body.write_page(made, executed, page.name)
        seconds = round(time.monotonic() - started, 2)
        meta = json.loads((made / "meta.json").read_text(encoding="utf-8"))
        meta |= {
            "name": page.name,
            "language": page.language,
            "parameters": page.parameters,
            "seconds": seconds,
        }
        (made / "meta.json").write_text(
            json.dumps(meta, ensure_ascii=False, indent=1), encoding="utf-8"
        )
        editions.store(made, folder / ".pages" / page.key)
    except Exception as error:
        files.remove(made)
        told = str(error) if isinstance(error, DataError) else f"{page}: {_in_words(error)}"
        foreseen = isinstance(error, DataError) or files.disk_reason(error)
        trace = "" if foreseen else "".join(traceback.format_exception(error))
        return Outcome(round(time.monotonic() - started, 2), told, retried, trace)
    finally:
        _close_event_loop()
    return Outcome(seconds, retried=retried, warned=warned)


def _warnings_taken(cells: list) -> tuple[str, ...]:
    """Take what cells wrote to standard error out of a notebook, and say where it was written.

    It names files of this machine, and the notebook is published with its page.
    """
    told = []
    for cell in cells:
        written = [o for o in cell.get("outputs", ()) if o.get("name") == "stderr"]
        if not written:
            continue
        cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
        text = _shortened("".join(o["text"] for o in written))
        told += [f"{_place(cells, cell.source)}: {text}"] if text else []
    return tuple(told)


def _close_event_loop() -> None:
    """Close the event loop that Jupyter made for this thread, which would keep it, and its sockets.

    Who waited for a cell that took too long still waits in it, and would be missed on the terminal.
    """
    from jupyter_core.utils import ensure_event_loop

    loop = ensure_event_loop()
    if waiting := asyncio.all_tasks(loop):
        for task in waiting:
            task.cancel()
        loop.run_until_complete(asyncio.wait(waiting, timeout=1))
    loop.close()


class _KernelDiedError(DataError):
    """A kernel that is gone, and nothing in its notebook to blame."""


def _executed(page: Page, env: dict[str, str], limits: Limits) -> Any:
    """Run a page's notebook with papermill.

    A cell that fails or takes too long is named with its heading.
    """
    import nbformat
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    # what it says, the page's outcome says in our words
    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    notebook = nbformat.reads(page.notebook, as_version=4)
    at: dict[str, Any] = {"source": ""}

    def seconds_left(_cell: Any) -> float:
        return _seconds_left(limits, at["since"])

    def begin(cell: Any, **_rest: Any) -> None:
        at["source"] = cell.source
        # the page's time; until then libraries were loaded for all pages
        at.setdefault("since", time.monotonic())

    try:
        executed = papermill.execute_notebook(
            notebook,
            None,
            page.parameters,
            kernel_name="python3",
            language="python",
            engine_name="warm",
            progress_bar=False,
            request_save_on_cell_execute=False,
            start_timeout=START_SECONDS,
            timeout_func=seconds_left,
            on_cell_start=begin,
            resources={"metadata": {"path": page.project}},
            config=_config(env, limits),
        )
    except papermill.PapermillExecutionError as error:
        where = _place(notebook.cells, error.source)
        raise DataError(
            f"{page}, {where}: "
            f"{_shortened(f'{error.ename}: {error.evalue}')}{_hint(error.ename, limits)}"
        ) from None
    except CellTimeoutError:
        where = _place(notebook.cells, at["source"])
        raise DataError(f"{page}, {where}: {_limit_reached(limits, at['since'])}") from None
    except (DeadKernelError, RuntimeError) as error:
        where = _place(notebook.cells, at["source"]) if at["source"] else "before its first cell"
        told = "its kernel died" if isinstance(error, DeadKernelError) else _shortened(str(error))
        raise _KernelDiedError(
            f"{page}, {where}: {told}, twice; was there enough memory?"
        ) from None
    executed.metadata.papermill = {"parameters": page.parameters}
    return executed


def _config(env: dict[str, str], limits: Limits) -> Any:
    from traitlets.config import Config

    return Config(
        {"WarmProvisioner": {"preload": PRELOAD, "extra_env": env, "memory_limit": limits.memory}}
    )


def _seconds_left(limits: Limits, started: float) -> float:
    page = started + limits.page_seconds - time.monotonic()
    # nbclient takes 0 for no limit
    return max(min(limits.cell_seconds, page, limits.ends - time.time()), 0.01)


def _limit_reached(limits: Limits, started: float) -> str:
    if time.time() >= limits.ends:
        return "the run's time was over; run it again, finished pages are kept"
    if time.monotonic() - started >= limits.page_seconds:
        return f"the page took longer than {limits.page_seconds:g} s"
    return f"the cell took longer than {limits.cell_seconds:g} s"


def _hint(ename: str, limits: Limits) -> str:
    memory = f"; a page may use {limits.memory / 1e9:.1f} GB" if limits.memory else ""
    return (
        memory
        if ename in ("MemoryError", "ArrayMemoryError", "_ArrayMemoryError", "OutOfMemoryException")
        else ""
    )


def _in_words(error: Exception) -> str:
    return _shortened(f"{type(error).__name__}: {error}")


def _shortened(text: str) -> str:
    return " ".join(text.split())[:500]


def _place(cells: list, source: str) -> str:
    """Say where a cell stands: its number, and the heading above it."""
    heading = ""
    for number, cell in enumerate(cells, 1):
        if cell.cell_type == "markdown" and (
            found := re.search(r"^#+ +(.+)", cell.source, re.MULTILINE)
        ):
            heading = found[1].strip()
        if cell.cell_type == "code" and cell.source == source:
            return f"cell {number}" + (f' under "{heading}"' if heading else "")
    return "a cell of the press"
