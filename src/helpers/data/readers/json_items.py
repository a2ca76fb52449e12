"""Items of a JSON, one by one: a list is never held whole, and numbers stay as written."""

import codecs
import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, BinaryIO

from helpers import words
from helpers.data.readers.grid import Number
from helpers.settings import DataError, refusal

CHUNK_BYTES = 1 << 18
MAX_LETTERS = 1 << 30  # of one object, which is held whole
_SPACE = re.compile(r"[ \t\r\n]*")
MAX_EXPONENT = 300
LONGEST_MARK = 16  # letters that may be read as wrong when what follows them is not there yet


def document(open_: Callable[[], BinaryIO], told: str, encoding: str = "") -> dict[str, Any] | None:
    """Give a JSON's one object; nothing where it has several, or a list of them.

    Raises
    ------
    DataError
        If it is neither, is cut or damaged, or not in its encoding.
    """
    text = _Text(open_, told, encoding)
    with text:
        first = text.peek()
        if first == "[":
            return None
        if first != "{":
            raise refusal("no_json", told=told, line=text.line, first=first)
        found = text.item()
        return None if text.peek() else found


def items(open_: Callable[[], BinaryIO], told: str, encoding: str = "") -> Iterator[dict[str, Any]]:
    """Give the objects of a list, or those that stand one after another (JSONL), from the start.

    Raises
    ------
    DataError
        With line and column, if one of them is no object, or the file is cut or damaged.
    """
    text = _Text(open_, told, encoding)
    with text:
        if text.peek() != "[":
            while text.peek():
                yield text.item()
            return
        text.take()
        if text.peek() == "]":
            text.take()
        else:
            while True:
                yield text.item()
                mark = text.peek()
                if mark not in (",", "]"):
                    raise text.fault("json_comma")
                text.take()
                if mark == "]":
                    break
        if text.peek():
            raise text.fault("json_more")


def cell_text(value: Any) -> str | None:
    """Write a value as text: a number as it is written (without exponent), what is nested as JSON.

    >>> [cell_text(value) for value in (Number("1.10"), Number("1E3"), True, None, ["a"])]
    ['1.10', '1000', 'true', None, '["a"]']
    """
    if value is None:
        return None
    if isinstance(value, Number):
        return _plain(value)
    return value if isinstance(value, str) else _json(value)


def _plain(number: Number) -> str:
    if "e" not in number.lower():
        return number
    exact = Decimal(number)
    is_long = abs(exact.adjusted()) > MAX_EXPONENT
    return number if is_long else Number(format(exact, "f"))


def _json(value: Any) -> str:
    """Write JSON with its numbers as they were."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_json(str(k))}: {_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


class _RepeatedError(ValueError):
    """A name that occurs twice in an object: which of its values is meant can't be told."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        raise _RepeatedError(next(name for name in names if names.count(name) > 1))
    return found


class _Text:
    """The text of a JSON, held only as far as the item that is read."""

    def __init__(self, open_: Callable[[], BinaryIO], told: str, encoding: str):
        self._told, self._stream = told, open_()
        self._buffer, self._at, self._is_all = "", 0, False
        self.line, self._column = 1, 1
        self._decoder = json.JSONDecoder(
            object_pairs_hook=_object,
            parse_float=Number,
            parse_int=Number,
            parse_constant=lambda name: None if name == "NaN" else name,
        )
        head = self._stream.read(CHUNK_BYTES)
        self._encoding = encoding or json.detect_encoding(head[:4])
        try:
            self._bytes = codecs.getincrementaldecoder(self._encoding)()
        except LookupError:
            raise refusal("no_encoding", told=told, encoding=encoding) from None
        self._buffer = self._decoded(head, not head).removeprefix("\ufeff")

    def __enter__(self) -> "_Text":
        return self

    def __exit__(self, *_given: object) -> None:
        self._stream.close()

    def _decoded(self, data: bytes, is_end: bool) -> str:
        try:
            return self._bytes.decode(data, is_end)
        except UnicodeDecodeError as error:
            line = (
                self.line + self._buffer.count("\n", self._at) + data.count(b"\n", 0, error.start)
            )
            raise refusal(
                "not_in",
                told=self._told,
                line=line,
                bytes=error.object[error.start : error.start + 4],
                encoding=self._encoding,
            ) from None

    def _more(self) -> bool:
        """Read on; False at the end."""
        if self._is_all:
            return False
        if len(self._buffer) - self._at > MAX_LETTERS:
            raise self.fault("json_large")
        # as much again as is held: what does not fit yet is looked at few times
        size = max(CHUNK_BYTES, len(self._buffer) - self._at)
        data = self._stream.read(size)
        self._is_all = not data
        self._buffer = self._buffer[self._at :] + self._decoded(data, not data)
        self._at = 0
        return True

    def _move(self, end: int) -> None:
        n_lines = self._buffer.count("\n", self._at, end)
        if n_lines:
            self.line += n_lines
            self._column = end - self._buffer.rfind("\n", self._at, end)
        else:
            self._column += end - self._at
        self._at = end

    def peek(self) -> str:
        """Give the next letter that is no white space; "" at the end."""
        while True:
            self._move(_SPACE.match(self._buffer, self._at).end())
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def take(self) -> None:
        """Leave the letter that was looked at behind."""
        self._move(self._at + 1)

    def item(self) -> dict[str, Any]:
        """Read one object.

        Raises
        ------
        DataError
            If there is none, or it is cut or damaged.
        """
        if self.peek() != "{":
            raise self.fault("json_object" if self.peek() else "json_cut_object")
        while True:
            try:
                found, end = self._decoder.raw_decode(self._buffer, self._at)
            except json.JSONDecodeError as error:
                end = len(self._buffer.rstrip())
                is_open = error.msg.startswith("Unterminated")
                # what is wrong long before the end of what was read does not come right after it
                if (is_open or error.pos >= end - LONGEST_MARK) and self._more():
                    continue
                is_cut = is_open or error.pos >= end
                self._move(error.pos)
                what = "json_cut" if is_cut else "json_wrong"
                raise self.fault(what, reason=error.msg) from None
            except RecursionError:
                raise self.fault("json_brackets") from None
            except _RepeatedError as error:
                raise self.fault("json_name_twice", name=str(error)) from None
            self._move(end)
            return found

    def fault(self, sentence: str, /, **values: object) -> DataError:
        """Say what is wrong, and where."""
        what = words.message(f"refused.{sentence}", **values)
        return refusal("bad_json", file=self._told, line=self.line, column=self._column, what=what)
