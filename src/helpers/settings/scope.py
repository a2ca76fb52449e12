"""Scope: which dealers a workbook is about, by columns of `dealers` and the values asked for.

Or within a column, and between columns: `region=East|North;store_format=chain`.
"""

import re
from collections.abc import Iterable, Mapping

from helpers.settings.columns import contract, refusal, require_known

Scope = tuple[tuple[str, tuple[str, ...]], ...]  # columns and their values, each in order


def read_scope(text: str) -> Scope:
    """Read a scope as it is written on a command line; a backslash goes before | ; = of a value.

    >>> read_scope("region=East|North;store_format=chain")
    (('region', ('East', 'North')), ('store_format', ('chain',)))
    >>> read_scope("")
    ()

    Raises
    ------
    DataError
        If it is written otherwise, or names a column that `dealers` does not have.
    """
    given: dict[str, list[str]] = {}
    for part in filter(None, map(str.strip, _split(text, ";"))):
        column, *rest = _split(part, "=")
        if len(rest) != 1 or not column.strip():
            raise refusal("scope_part", part=part)
        if column.strip() in given:
            raise refusal("scope_twice", column=column.strip())
        values = [re.sub(r"\\(.)", r"\1", value).strip() for value in _split(rest[0], "|")]
        given[column.strip()] = values
    return scope_of(given)


def scope_of(given: Mapping[str, object]) -> Scope:
    """Make a scope of columns and values, each a value or a list of them.

    Raises
    ------
    DataError
        If a column is not one of `dealers`, or has no value.
    """
    known = contract()["dealers"]
    require_known(given, known, "scope", "column")
    found = []
    for column, values in given.items():
        listed = values if isinstance(values, list | tuple | set) else [values]
        # what a toml or a caller gives as a number is compared as it is written
        texts = sorted({_text(column, value) for value in listed})
        if not texts:
            raise refusal("scope_empty", column=column)
        found.append((column, tuple(texts)))
    return tuple(sorted(found))


def _text(column: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
        raise refusal("scope_value", column=column, value=value)
    return str(value)


def narrowed(one: Scope, other: Scope) -> Scope:
    """Give what is in both scopes.

    Raises
    ------
    DataError
        If no value of a column is in both.
    """
    found = dict(one)
    for column, values in other:
        both = tuple(value for value in values if value in found.get(column, values))
        if not both:
            raise refusal(
                "scope_outside",
                column=column,
                values=" | ".join(values),
                own=" | ".join(found[column]),
            )
        found[column] = both
    return tuple(sorted(found.items()))


def scope_text(scope: Scope) -> str:
    """Write a scope as `read_scope` reads it.

    >>> scope_text((("city", ("a|b", "c")),))
    'city=a\\\\|b|c'
    """

    def told(values: Iterable[str]) -> str:
        return "|".join(re.sub(r"([\\|;=])", r"\\\1", value) for value in values)

    return ";".join(f"{column}={told(values)}" for column, values in scope)


def _split(text: str, sign: str) -> list[str]:
    """Split at a sign that has no backslash before it; backslashes stay."""
    parts = [""]
    for piece in re.findall(r"\\.|.|\n", text, re.DOTALL):
        if piece == sign:
            parts.append("")
        else:
            parts[-1] += piece
    return parts
