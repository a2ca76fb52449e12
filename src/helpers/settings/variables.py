"""Environment variables: filled in where a path or an engine's URL stands, shown by their names."""

import os
import re
import urllib.parse
from collections.abc import Callable, Mapping
from pathlib import Path

from helpers.settings.columns import refusal


def filled_in(text: str, where: str, filled: dict[str, str]) -> str:
    """Fill in environment variables written as `${NAME}`, and remember where values came from."""

    def value(match: re.Match) -> str:
        if match[1] not in os.environ:
            raise refusal("no_variable", where=where, variable=match[1])
        filled[os.environ[match[1]]] = match[0]
        return os.environ[match[1]]

    found = re.sub(r"\$\{(\w+)\}", value, text)
    if where == "engine":
        for part, name in _parts(text, value).items():
            filled.setdefault(part, name)
    return found


def _parts(text: str, value: Callable[[re.Match], str]) -> dict[str, str]:
    """Take an engine's URL apart as its readers may, and find what holds something of a variable.

    Of a path only what stands after a question mark: its folders have names of everyday words.
    """
    written = re.split(r"(\$\{\w+\})", text)
    filled = [re.sub(r"\$\{(\w+)\}", value, piece) for piece in written]
    url, names = "".join(filled), []
    for piece, given in zip(written, filled, strict=True):
        names += [piece if piece.startswith("${") else ""] * len(given)
    begins = url.find("?" if text.startswith(("duckdb://", "sqlite://")) else "://")
    if begins < 0:
        begins = len(url) if text.startswith(("duckdb://", "sqlite://")) else 0
    # before a question mark a path is hidden as the whole that it is
    found = {
        part: piece
        for piece, given in zip(written, filled, strict=True)
        for part in given.split("?")
        if piece.startswith("${") and part
    }
    for pattern in (r"\w+", r"[\w.-]+", r"[^/@:?&=#]+"):
        for part in re.compile(pattern).finditer(url, begins):
            if name := next(filter(None, names[part.start() : part.end()]), ""):
                found.setdefault(part[0], name)
    return found


def ways_to_write(filled: Mapping[str, str]) -> dict[str, str]:
    """List how a variable's value may be written in a message.

    Quoted, as a path, decoded, or in parts of a URL.
    """
    found = {}
    for value, name in filled.items():
        ways = [
            value,
            urllib.parse.unquote_plus(value),
            urllib.parse.unquote(value),
            urllib.parse.quote(value),
        ]
        if "://" in value:
            url = value.partition("://")[2].partition("?")[0]
            ways += [
                part
                for way in (url, urllib.parse.unquote_plus(url))
                for part in re.split(r"[/@:]", way)
            ]
        for way in ways:
            # a message is told in one line
            lines = "; ".join(line.strip().rstrip(";") for line in way.split("\n") if line.strip())
            ways_to_write = (way, str(Path(way)), repr(way)[1:-1], way.replace("'", "''"), lines)
            found |= {text: name for text in ways_to_write if text.strip("./ ~")}
    # the longest first: it may hold another
    return dict(sorted(found.items(), key=lambda pair: -len(pair[0])))


def hidden(text: str, filled: Mapping[str, str]) -> str:
    """Write `${NAME}` where the value of a variable stands in a text; see `ways_to_write`."""
    for value, name in filled.items():
        # a short one would tear words; where it stands alone it is hidden all the same
        whole = re.escape(value) if len(value) > 3 else rf"(?<!\w){re.escape(value)}(?!\w)"
        # a driver may write a host in small letters
        text = re.sub(whole, lambda _match, name=name: name, text, flags=re.IGNORECASE)
    return text
