"""Processes that must not outlive what started them."""

import time
from collections.abc import Iterable

import psutil


def still_running(processes: Iterable[psutil.Process], timeout: float) -> list[psutil.Process]:
    """Wait until they have ended; give those that still run after so many seconds.

    Who has ended stays in the list of processes until his parent looks: children of ours are looked
    after here, an orphan's new parent may never do it where it is a container's first process.
    """
    processes, until = list(processes), time.monotonic() + timeout
    while (left := [p for p in processes if _runs(p)]) and time.monotonic() < until:
        psutil.wait_procs(left, timeout=0.1)  # a child of ours is gone when it is waited for
    return left


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
