"""Which road kernels take: forked from a warm process, or plain ones of jupyter_client's.

The environment's `WORKBOOK_KERNELS` names one, and then nothing is compared. Without it kernels are
warm until something is not as expected; from then on, in this process, all are plain.
"""

import functools
import os
import sys
import threading

from helpers.press.kernels import surfaces

SWITCH, ROADS = "WORKBOOK_KERNELS", ("warm", "plain")

_lock = threading.Lock()
_reason = ""  # why all kernels are plain


def asked() -> str:
    """Give the road that the environment names; "" if it names none.

    Raises
    ------
    DataError
        If there is no such road.
    """
    found = os.environ.get(SWITCH, "")
    if found and found not in ROADS:
        # here only: the settings load what a process that forks is to load in its own order
        from helpers.settings import refusal

        raise refusal("road", name=SWITCH, given=found, known=", ".join(ROADS))
    return found


def is_warm(*reached: str) -> bool:
    """Tell whether kernels are forked; look first at these lists of `surfaces`, each once.

    Raises
    ------
    DataError
        As `asked`.
    """
    if found := asked():
        return found == "warm"
    for name in reached:
        if why := _strange(name):
            take_plain(why)
    return not _reason


def take_plain(why: str) -> None:
    """Have all kernels of this process be plain from now on, and say why, once."""
    global _reason
    with _lock:
        told, _reason = _reason, _reason or why
    if not told:
        print(f"plain kernels, which take seconds to start: {why}", file=sys.stderr, flush=True)


@functools.cache
def _strange(name: str) -> str:
    return surfaces.strange(getattr(surfaces, name))
