"""The terminal: what a command says on standard output and standard error, and nothing that steers
who reads it.
"""

import contextlib
import os
import sys
import unicodedata


class OutputLostError(Exception):
    """Standard output is closed, full or gone: what a command had to say has not all been heard."""


def visible(text: str) -> str:
    r"""Show what steers a terminal, turns text round or hides in it as an escape, instead of
    sending it.

    >>> print(visible("Shop \x1b[31m\u202e 顺达\r"))
    Shop \x1b[31m\u202e 顺达\r
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or unicodedata.category(c) == "Zs" else repr(c)[1:-1] for c in text
    )


def ready() -> None:
    """Put the three standard streams in order before anything is opened or said.

    A descriptor that was handed over closed would be given to the next file that is opened, and a
    library's message would be written into it.

    Raises
    ------
    OutputLostError
        If there is no standard output.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stdout is None:
        raise OutputLostError("it is closed")
    # a letter that the terminal's encoding lacks stops nothing
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def say(*lines: str) -> None:
    """Print lines on standard output.

    Raises
    ------
    OutputLostError
        If they can't be written.
    """
    try:
        print(*lines, sep="\n", flush=True)
    except (OSError, ValueError) as error:  # "I/O operation on closed file" is a ValueError
        # what is still in the buffer would be tried once more when Python ends, and told in
        # Python's words
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputLostError(getattr(error, "strerror", None) or str(error)) from None


def tell(text: str) -> None:
    """Print text on standard error, its control characters shown.

    Where nobody listens, nothing is lost.

    Its lines end in "\\n": whatever else ends a line elsewhere may stand in a name.
    """
    with contextlib.suppress(OSError, ValueError):
        print(*map(visible, text.split("\n")), sep="\n", file=sys.stderr, flush=True)


def answer(question) -> int:
    """Put a question with numbered choices on standard error, and read one from standard input.

    Return gives the position of the choice; Enter takes the proposed one, 0 none, and a third
    answer that is no choice leaves it open.

    Parameters
    ----------
    question
        With `text`, `choices` and `proposed`, the position of the one that Enter takes or -1.
    """
    tell(f"\n{question.text}")
    for number, choice in enumerate(question.choices, 1):
        tell(f"  {number}  {choice}{'  ← Enter' if number == question.proposed + 1 else ''}")
    tell(f"  0  leave it open{'  ← Enter' if question.proposed < 0 else ''}")
    for _attempt in range(3):
        given = sys.stdin.readline()
        if not given:  # nobody is there any more
            return -1
        if not given.strip():
            return question.proposed
        if given.strip().isdecimal() and int(given) <= len(question.choices):
            return int(given) - 1
        tell(f"give a number from 0 to {len(question.choices)}")
    return -1
