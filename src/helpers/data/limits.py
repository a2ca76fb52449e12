"""Limits: the time in which a table's source must be read, held even where the engine does not
listen.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import NoReturn

LATE_SECONDS = 5.0  # after the limit: what has not ended by then hears nobody, and is ended
ASKED_SECONDS = 2.0  # the same after Ctrl-C, or a request to end
ASKED = (signal.SIGINT, signal.SIGTERM)
EVERY = 0.2  # seconds between two looks at the clock


class Overdue(Exception):  # noqa: N818
    """The time is over, and what ran was stopped."""


@contextlib.contextmanager
def held(
    seconds: float, told: str, stop: Callable[[], None], tidy: Callable[[], None]
) -> Iterator[None]:
    """Stop what runs in here when its time is over.

    An engine looks for `stop` between two calls of a function; one call may take hours. A command
    then ends as a whole: it says `told`, calls `tidy` and is gone, with all its threads. So it does
    when it was asked to end and is not heard. Nothing is torn by it: files get their names when
    they are whole.

    Raises
    ------
    Overdue
        If it took too long.
    KeyboardInterrupt
        If somebody asked it to end.
    """
    done, late = threading.Event(), threading.Event()
    ends = time.monotonic() + seconds

    with _asked_to_end() as asked:

        def watch() -> None:
            since = None
            while not done.wait(max(0.0, min(EVERY, ends - time.monotonic())) or EVERY):
                now = time.monotonic()
                since = since or (now if asked() else None)
                if now >= ends:
                    late.set()
                if late.is_set():  # once would miss what begins just now
                    with contextlib.suppress(Exception):  # it is closing already
                        stop()
                if not _is_command():
                    continue
                if since and now > since + ASKED_SECONDS:
                    _end("interrupted", 130, tidy)
                if now > ends + LATE_SECONDS:
                    _end(
                        f"{told}; it did not stop when told to, and so this command has ended",
                        2,
                        tidy,
                    )

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        except Exception as error:
            if late.is_set():
                raise Overdue from None
            # DuckDB's word for Ctrl-C, or a request to end
            if "Query interrupted" in str(error):
                raise KeyboardInterrupt from None
            raise
        finally:
            done.set()
            watcher.join()


def _is_command() -> bool:
    """Whether this process is a command of ours, which takes SIGTERM for Ctrl-C.

    A notebook's kernel holds what somebody worked out, and a page's has a limit of its own: neither
    is ended from here.
    """
    return signal.getsignal(signal.SIGTERM) is signal.default_int_handler


@contextlib.contextmanager
def _asked_to_end() -> Iterator[Callable[[], bool]]:
    """Hear of signals at once: Python's own handlers wait until the engine comes back."""
    if threading.current_thread() is not threading.main_thread() or not _is_command():
        yield lambda: False
        return
    hears, tells = socket.socketpair()
    with hears, tells:
        hears.setblocking(False)
        tells.setblocking(False)
        before = signal.set_wakeup_fd(tells.fileno(), warn_on_full_buffer=False)
        if before != -1:  # somebody else listens
            signal.set_wakeup_fd(before, warn_on_full_buffer=False)

        def asked() -> bool:
            with contextlib.suppress(BlockingIOError):
                return any(number in ASKED for number in hears.recv(64))
            return False

        try:
            yield asked
        finally:
            if before == -1:
                signal.set_wakeup_fd(-1)


def _end(told: str, code: int, tidy: Callable[[], None]) -> NoReturn:
    """End this process in the middle of a call."""
    with contextlib.suppress(Exception):
        shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in told)
        print(f"workbook: {shown}", file=sys.stderr, flush=True)
    with contextlib.suppress(Exception):
        tidy()
    os._exit(code)
