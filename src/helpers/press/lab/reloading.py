"""Reloading: a helper that was edited is taken anew at the next cell, by IPython's autoreload.

Only our own modules are looked after: it would ask the disk about each of some thousand modules
before every cell.
"""

import functools
import sys
from typing import Any

OURS = "helpers"


def load_ipython_extension(shell: Any) -> None:
    """Look after the modules of ours that each cell imports."""
    shell.run_line_magic("load_ext", "autoreload")
    shell.run_line_magic("autoreload", "1")  # what is named, and nothing else
    shell.events.register("post_run_cell", functools.partial(_look_after, shell, set()))


def _look_after(shell: Any, known: set[str], _result: object = None) -> None:
    """Name what was imported since the last cell."""
    there = {name for name in list(sys.modules) if name.split(".")[0] == OURS}
    new = sorted(there - known)
    if new:
        was = shell.user_ns.get(OURS)
        shell.run_line_magic("aimport", ", ".join(new))
        # it imports the package into the notebook, too, which asked for parts of it only
        if was is None:
            shell.user_ns.pop(OURS, None)
        known |= there
