"""The contract of tables and columns, and the error for what breaks it."""

import csv
import difflib
import errno
import functools
import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from helpers import words

MOST_NAMED = 30  # of what is known, where nothing is near


# what a system says most often of a file, as its own Chinese editions do
CAUSES = {
    errno.EACCES: "没有权限",
    errno.EPERM: "不允许的操作",
    errno.ENOENT: "没有这个文件或文件夹",
    errno.ENOTDIR: "不是文件夹",
    errno.EISDIR: "是文件夹",
    errno.ENAMETOOLONG: "文件名过长",
    errno.ELOOP: "链接层数过多",
    errno.ENOSPC: "磁盘空间不足",
    errno.EROFS: "文件系统只读",
    errno.EIO: "读写错误",
    errno.EMFILE: "打开的文件过多",
}
PLAN_STATUSES = ("open", "done", "dropped")  # of an action; who names none has it open


class DataError(ValueError):
    """Something in the settings or the data that a person has to put right.

    The message says what and where.
    """


def refusal(sentence: str, /, **values: object) -> DataError:
    """Word an error by the sentence `refused.<sentence>`, in the language that is spoken.

    >>> refusal("source_or_query", where="[data.sell_in]")
    DataError('[data.sell_in]: give either source or query')
    """
    return DataError(words.message(f"refused.{sentence}", **values))


def cause(error: OSError) -> str:
    """Tell why the system did not do something: in the language that is spoken, where it is usual.

    >>> cause(OSError(13, "Permission denied"))
    'Permission denied'
    """
    said = os.strerror(error.errno) if error.errno else str(error)
    return words.translated(error.strerror or said, CAUSES.get(error.errno or 0, ""))


class RowsError(DataError):
    """Rows of a file that are not as they should be: where the first stands, and how many."""

    def __init__(self, said: str, file: str, line: int, n_rows: int) -> None:
        """Say it as any error; file, line and number are for programs."""
        super().__init__(said)
        self.file, self.line, self.n_rows = file, line, n_rows

    @property
    def place(self) -> tuple[str, int]:
        """File and line."""
        return self.file, self.line

    def told(self, said: str) -> "RowsError":
        """Say the same in other words."""
        return RowsError(said, self.file, self.line, self.n_rows)


class Column(NamedTuple):
    """One column of the contract."""

    kind: str  # id, text, date, month, money or number
    required: bool
    key: bool
    unit: str
    meaning: str


@functools.cache
def contract() -> dict[str, dict[str, Column]]:
    """Read the table contract.

    Table → column → kind, whether it is required, whether it is part of the key.
    """
    tables: dict[str, dict[str, Column]] = {}
    with (words.REFERENCE / "columns.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            tables.setdefault(row["table"], {})[row["column"]] = Column(
                row["kind"],
                row["required"] == "yes",
                row["key"] == "yes",
                row["unit"],
                row["meaning"],
            )
    return tables


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest what was meant, as the end of a sentence.

    >>> nearest("sel_in", ["sell_in", "stock"])
    "; did you mean 'sell_in'?"
    """
    known = list(known)
    near = difflib.get_close_matches(name, known, 1, cutoff=0.5)
    if near:
        return words.message("refused.did_you_mean", near=near[0])
    sentence = "refused.known_are_some" if len(known) > MOST_NAMED else "refused.known_are"
    return words.message(sentence, known=", ".join(known[:MOST_NAMED]), n=len(known))


def require_known(given: Mapping, known: Iterable[str], where: str, what: str) -> None:
    """Raise a DataError that names the nearest known key, unless a section has known keys only.

    `what` they are is a "section", "key", "table" or "column".
    """
    if not isinstance(given, Mapping):
        raise refusal("keys_expected", where=where, given=given)
    for name in given:
        if name not in known:
            what = words.message(f"refused.unknown_{what}", name=name)
            raise refusal("unknown", where=where, what=what, near=nearest(name, known))
