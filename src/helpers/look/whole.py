"""Whole tables: the rows that a page carries beside those it prints, for its script to show.

They are written as attributes of the table: a reader without scripts, a printer and a mail program
see nothing of them, and to the script they are text.
"""

import base64
import json
import zlib
from collections.abc import Callable, Collection, Sequence
from typing import Any

import pandas as pd

ROWS_CARRIED = 5000  # of a table: a page is to be sent by mail


# of base 85, which says 4 bytes in 5 letters; those that markup has a use for are others here
_WRITTEN = bytes.maketrans(b"&<>", b",.:")
_READ = bytes.maketrans(b",.:", b"&<>")


def packed(content: Any) -> str:
    """Pack what JSON can hold into letters that an attribute can hold: deflated, in base 85.

    >>> unpacked(packed({"n": 2, "cells": [["Fuhe & <Co>", None]]}))
    {'n': 2, 'cells': [['Fuhe & <Co>', None]]}
    """
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    small = zlib.compress(text.encode("utf-8", "replace"), 9)
    return base64.b85encode(small).translate(_WRITTEN).decode("ascii")


def unpacked(text: str) -> Any:
    """Give what was packed."""
    return json.loads(zlib.decompress(base64.b85decode(text.encode("ascii").translate(_READ))))


def cells(
    rows: pd.DataFrame, write: Callable[[object, str, str], str], by_indicator: Collection[str]
) -> list[list[str | None]]:
    """Write a table's cells column by column; None is not known.

    `write` takes a value, its column, and what the value is of: in a column `by_indicator` that
    is what the row says under `indicator`, in any other the column itself.
    """
    written = []
    for column in map(str, rows.columns):
        told = column in by_indicator and "indicator" in rows
        of = rows["indicator"].astype("str") if told else [column] * len(rows)
        values = rows[column].astype("object")
        written.append(
            [
                None if is_missing(v) else write(v, column, o)
                for v, o in zip(values, of, strict=True)
            ]
        )
    return written


def is_missing(value: object) -> bool:
    """Tell whether a cell has nothing to show; a list is something."""
    return value is None or (not isinstance(value, (list, tuple)) and bool(pd.isna(value)))


def attributes(
    columns: Sequence[object],
    carried: Sequence[Sequence[str | None]] | None = None,
    n_rows: int = 0,
    turn: Any = None,
) -> str:
    """Write the attributes of a table by which a page's script knows it.

    Parameters
    ----------
    columns
        Their names, as the contract and `terms.csv` have them; any other is left unnamed.
    carried
        As `cells` gives them; None where the page prints every row.
    n_rows
        Of the table, carried or not.
    turn
        What the script needs to judge anew, as `pareto.turnable` gives it.

    >>> attributes(["dealer_id", "a, b"])
    ' data-columns="dealer_id,"'
    """
    plain = (str(name) if str(name).isidentifier() else "" for name in columns)
    told = f' data-columns="{",".join(plain)}"'
    if carried is not None:
        told += f' data-whole="{packed({"n": n_rows, "cells": carried})}"'
    return told + (f' data-turn="{packed(turn)}"' if turn is not None else "")
