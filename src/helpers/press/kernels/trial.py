"""The trial kernel: what it says to a few requests must be what any kernel of Jupyter's says."""

import itertools
from collections.abc import Callable
from queue import Empty
from typing import Any, Protocol

SECONDS = 30  # a kernel that has not answered by then is no good, on a busy machine either
CELLS = (
    "print('printed')",
    "from IPython.display import display\n"
    "display({'text/plain': 'shown'}, raw=True, metadata={'text/plain': {'alt': 'told'}})\n"
    "'given'",
    "raise ValueError('failed')",
)
# ids, times, versions, and the words of a traceback, which are IPython's own affair
LEFT_OUT = {"code", "transient", "traceback", "engine_info", "engine_uuid", "payload"}
BUSY, IDLE = (("status", {"execution_state": state}) for state in ("busy", "idle"))
GONE_WELL = {"status": "ok", "user_expressions": {}}
FAILED = {"ename": "ValueError", "evalue": "failed"}
EXPECTED = [
    [
        BUSY,
        ("execute_input", {"execution_count": 1}),
        ("stream", {"name": "stdout", "text": "printed\n"}),
        ("execute_reply", {**GONE_WELL, "execution_count": 1}),
        IDLE,
    ],
    [
        BUSY,
        ("execute_input", {"execution_count": 2}),
        (
            "display_data",
            {"data": {"text/plain": "shown"}, "metadata": {"text/plain": {"alt": "told"}}},
        ),
        (
            "execute_result",
            {"data": {"text/plain": "'given'"}, "metadata": {}, "execution_count": 2},
        ),
        ("execute_reply", {**GONE_WELL, "execution_count": 2}),
        IDLE,
    ],
    [
        BUSY,
        ("execute_input", {"execution_count": 3}),
        ("error", FAILED),
        (
            "execute_reply",
            {"status": "error", **FAILED, "user_expressions": {}, "execution_count": 3},
        ),
        IDLE,
    ],
]


class Kernel(Protocol):
    """What a trial wants of a kernel: `engine.Pipe` has it."""

    def execute(self, code: str) -> str:
        """Ask for an execution; give the request's id."""

    def hear(self, timeout: float | None = None) -> dict:
        """Give the next message; raise Empty after so many seconds."""


def difference(kernel: Kernel, seconds: float = SECONDS) -> str:
    """Say in what a kernel's messages differ from the stored ones; "" if in nothing.

    Raises
    ------
    DeadKernelError
        If it has died.
    """
    for what, cell, expected in zip(("prints", "shows", "fails"), CELLS, EXPECTED, strict=True):
        try:
            said = [
                plain(message) for message in answer(kernel.execute(cell), kernel.hear, seconds)
            ]
        except Empty:
            return f"a trial kernel that {what} did not answer within {seconds:g} s"
        for one, other in itertools.zip_longest(said, expected, fillvalue="nothing more"):
            if one != other:
                return f"a trial kernel that {what} said {one}, not {other}"
    return ""


def answer(asked: str, hear: Callable[[float], dict], seconds: float) -> list[dict]:
    """List the messages about a request, up to the one after which the kernel is idle again."""
    heard: list[dict] = []
    while not heard or heard[-1]["content"].get("execution_state") != "idle":
        message = hear(seconds)
        # what a user's own startup files say is about nothing we asked
        if message["parent_header"].get("msg_id") == asked:
            heard.append(message)
    return heard


def plain(message: dict) -> tuple[str, dict[str, Any]]:
    """Give a message's kind and content without what differs from kernel to kernel."""
    content = message["content"].items()
    return message["msg_type"], {name: value for name, value in content if name not in LEFT_OUT}
