"""Of a sweep of many alike, each of which takes seconds, the suite has some: `make test-whole` has
them all.
"""

import os
from collections.abc import Sequence
from typing import TypeVar

WHOLE = os.environ.get("WORKBOOK_TESTS") == "whole"
Case = TypeVar("Case")


def some(cases: Sequence[Case], n: int) -> list[Case]:
    """Choose so many of the cases, evenly, from the first to the last; or all.

    >>> some(range(10), 4) if not WHOLE else [0, 3, 6, 9]
    [0, 3, 6, 9]
    """
    if WHOLE or n >= len(cases):
        return list(cases)
    return [cases[round(i * (len(cases) - 1) / max(n - 1, 1))] for i in range(n)]
