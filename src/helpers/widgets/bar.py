"""The bar on top of every explorer: whose figures these are, and which rows of them are shown.

Region, format, city and account manager are a scope, as `book.only` takes it: everything below
follows. Class and search choose rows. All begin with the page's own state.
"""

from typing import NamedTuple

import pandas as pd

from helpers import data, pareto, words
from helpers.settings import Workbook
from helpers.settings.scope import Scope
from helpers.widgets.models import ALL, Choice

PLACES = ("region", "store_format", "account_manager", "city")
CLASSES = tuple(c for c in pareto.CLASSES if c != "L")  # no dealer's class, an indicator's letter


def places(book: Workbook) -> dict[str, Choice]:
    """Give a choice for each column of a scope in which dealers differ, within the page's scope.

    What is shown is in the reader's language, what is chosen as the data have it.
    """
    # plainly named, as a scope has to name them
    plain, shown = (data.dealers(book, language) for language in ("zh-Hans", words.spoken()))
    found = {}
    for column in PLACES:
        pairs = pd.DataFrame({"plain": plain[column], "shown": shown[column]}).dropna()
        pairs = pairs.drop_duplicates("plain").sort_values("shown")
        if len(pairs) < 2:
            continue
        options = tuple(
            (words.word(name), str(value))
            for value, name in zip(pairs["plain"], pairs["shown"], strict=True)
        )
        everybody = (words.label("all_of_them"), ALL)
        found[column] = Choice(words.label(column), (everybody, *options), ALL, long=True)
    return found


def classes() -> Choice:
    """Give the choice of a class."""
    options = ((words.label("all_of_them"), ALL), *((c, c) for c in CLASSES))
    return Choice(words.label("class"), options, ALL, long=True)


class Asked(NamedTuple):
    """What the bar says: places of the scope, a class, and a text to search for."""

    places: tuple[tuple[str, str], ...] = ()
    letter: str = ALL
    search: str = ""

    @property
    def scope(self) -> Scope:
        """Give the places that are chosen, as a workbook's scope."""
        return tuple(sorted((column, (value,)) for column, value in self.places if value != ALL))


def scoped(book: Workbook, scope: Scope) -> Workbook:
    """Cut a workbook to what the bar says.

    Raises
    ------
    DataError
        If no dealer is in it.
    """
    return data.in_scope(book.only(**dict(scope))) if scope else book


def letters(book: Workbook, period: str) -> pd.Series:
    """Give each dealer's class as the workbook judges it in this scope, by `dealer_id`."""
    judged = pareto.abc_month(book, period).judged
    return judged.set_index("dealer_id")["composite_class"]


def found(rows: pd.DataFrame, search: str) -> pd.Series:
    """Tell which rows have a text in the dealer's number or name; letters' case does not matter.

    >>> rows = pd.DataFrame({"dealer_id": ["D1", "D2"], "dealer_name": ["Ann [A]", None]})
    >>> found(rows, " [a] ").tolist(), found(rows, "d2").tolist(), found(rows, "").tolist()
    ([True, False], [False, True], [True, True])
    """
    wanted = search.strip().casefold()
    here = pd.Series(not wanted, index=rows.index)
    for column in ("dealer_id", "dealer_name") if wanted else ():
        if column in rows:
            texts = rows[column].astype("str").str.lower()
            here |= texts.str.contains(wanted, regex=False, na=False)
    return here.astype("bool")
