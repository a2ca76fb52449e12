"""Scope: every table cut to some dealers, so that all that is made of them agrees.

Whatever has a dealer is cut to those in scope; consumers are those who bought there; products,
promotions and comparisons stay whole. Nothing is cut when it is read: what is kept as Parquet holds
everybody, and so do the data's span and its last complete month.
"""

import dataclasses
import functools
import operator
from collections.abc import Callable

import ibis
from ibis.expr.types import Table

from helpers.settings import Workbook, contract, nearest, refusal

BY_CONSUMER = ("consumers", "contacts")
BY_PLACE = ("regions", "candidates")
OF_NOBODY_TOO = ("scores",)  # an answer about no dealer is about the network, of which these are
PLACE = ("region", "city")
TARGETED = ("region", "account_manager")  # whom a target may be for, besides a dealer

Whole = Callable[[str], Table]  # gives a table uncut


def cut(book: Workbook, name: str, rows: Table, whole: Whole) -> Table:
    """Cut a table to the dealers in scope.

    Parameters
    ----------
    whole
        Gives other tables by name, uncut.
    """
    if name == "dealers":
        return rows.filter(_conditions(book, rows))
    if name in BY_CONSUMER:
        return _bought_there(book, rows, whole)
    if name in BY_PLACE:
        return _in_places(book, name, rows, whole)
    if "dealer_id" not in contract()[name]:
        return rows
    if name == "targets":
        return _targets(book, rows, whole)
    if "dealer_id" not in rows.columns:
        return rows if name in OF_NOBODY_TOO else rows.limit(0)
    inside = rows.dealer_id.isin(_dealers(book, whole).dealer_id)
    if name in OF_NOBODY_TOO:
        return rows.filter(rows.dealer_id.isnull() | inside)
    return rows.filter(inside)


def _targets(book: Workbook, rows: Table, whole: Whole) -> Table:
    """Cut targets to those of which all is in scope: of its dealers, and of the regions or account
    managers that a scope of nothing else names.
    """
    known = [column for column in ("dealer_id", *TARGETED) if column in rows.columns]
    named = dict(book.scope)
    inside = ibis.literal(False)
    if "dealer_id" in known:
        inside = rows.dealer_id.isin(_dealers(book, whole).dealer_id)
    for column in TARGETED:
        if column in known and set(named) == {column}:
            alone = [rows[other].isnull() for other in known if other != column]
            inside = inside | functools.reduce(
                operator.and_, alone, rows[column].isin(named[column])
            )
    return rows.filter(inside)


def _conditions(book: Workbook, rows: Table) -> list:
    """Compare as text what the scope names; numbers as such."""
    found = []
    for column, values in book.scope:
        if column not in rows.columns:
            raise refusal("scope_column", column=column, near=nearest(column, rows.columns))
        if rows[column].type().is_numeric():
            found.append(rows[column].cast("float64").isin([_number(column, v) for v in values]))
        else:
            found.append(rows[column].cast("string").isin(values))
    return found


def _number(column: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise refusal("scope_number", column=column, value=value) from None


def _dealers(book: Workbook, whole: Whole) -> Table:
    rows = whole("dealers")
    return rows.filter(_conditions(book, rows))


def _bought_there(book: Workbook, rows: Table, whole: Whole) -> Table:
    """Cut to the consumers who bought from a dealer in scope."""
    if not book.has("sell_out"):
        return rows.limit(0)
    sold = whole("sell_out")
    if not {"dealer_id", "consumer_id"} <= set(sold.columns):
        return rows.limit(0)
    there = sold.filter(sold.dealer_id.isin(_dealers(book, whole).dealer_id))
    return rows.filter(rows.consumer_id.isin(there.consumer_id))


def _in_places(book: Workbook, name: str, rows: Table, whole: Whole) -> Table:
    """Cut cities by the scope where it names what cities have.

    Else only the cities of its dealers are left, without candidates: whether a city without any of
    them is a white spot of theirs, nothing tells.
    """
    regions = whole("regions") if book.has("regions") else None
    of_places = regions is not None and all(column in regions.columns for column, _v in book.scope)
    if not of_places:
        if name == "candidates":
            return rows.limit(0)
        keys = [key for key in PLACE if key in _dealers(book, whole).columns]
        return rows.semi_join(_dealers(book, whole).select(keys).distinct(), keys) if keys else rows
    regions = regions.filter(_conditions(book, regions))
    if name == "regions":
        return regions
    return rows.filter(rows.city.isin(regions.city))


def in_scope(book: Workbook, table: Callable[[Workbook, str], Table]) -> Workbook:
    """Give the workbook as its scope leaves it.

    Sell-out that names no dealer is nobody's, and left out.

    Raises
    ------
    DataError
        If a column or value of the scope is not among the dealers, or no dealer is in it.
    """
    if not book.scope:
        return book
    if not book.has("dealers"):
        raise refusal("scope_dealers", toml=book.path.name)
    rows = table(book.whole, "dealers")
    for column, values in book.scope:
        # a column that is not there, or a number that is none, is told first
        _conditions(dataclasses.replace(book, scope=((column, values),)), rows)
        known = rows.select(column).distinct().to_pandas()[column].dropna().astype("str")
        is_number = rows[column].type().is_numeric()
        there = {float(value) for value in known} if is_number else set(known)
        for value in values:
            if (float(value) if is_number else value) not in there:
                near = nearest(value, sorted(known))
                raise refusal("scope_no_dealer", column=column, value=value, near=near)
    if not table(book, "dealers").count().to_pyarrow().as_py():
        told = "; ".join(f"{column}: {' | '.join(values)}" for column, values in book.scope)
        raise refusal("scope_nobody", told=told)
    if book.has("sell_out") and "dealer_id" not in table(book.whole, "sell_out").columns:
        left = {name: source for name, source in book.tables.items() if name != "sell_out"}
        if "sell_in" not in left:
            raise refusal("scope_sell_out")
        return dataclasses.replace(book, tables=left, left_out=("sell_out",))
    return book
