"""What a model is: what an explorer may be asked, and what it then shows; without any widget.

An explorer's model is a plain object: it names its controls, reads what the door tells in a scope,
and judges it by the controls' values. `explorer` lays controls over it and draws; a test asks it
without either.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Protocol

import pandas as pd

from helpers import data, words
from helpers.settings import Scalar, Workbook

ALL = ""  # the value of a choice that leaves nobody out


class Choice(NamedTuple):
    """One of some values: `options` are pairs of what is read and the value."""

    label: str
    options: tuple[tuple[str, Scalar], ...]
    value: Scalar
    long: bool = False  # a list to drop down, not buttons side by side


class Slide(NamedTuple):
    """A number from `low` to `high`; whole where `step` is."""

    label: str
    value: float
    low: float
    high: float
    step: float = 1
    form: str = ".0f"


Control = Choice | Slide


class Seen(NamedTuple):
    """What an explorer shows of one state: sentences, what is drawn, and the rows of dealers.

    `rows` has a `dealer_id` or no rows at all; `columns` are those of it that are shown.
    """

    said: list[str]
    drawn: Iterable[object]
    rows: pd.DataFrame
    columns: list[str]


class Model(Protocol):
    """What `explorer.Explorer` asks of a model."""

    question: str  # as in the toml
    recipe: Callable | None  # whose options the page's `own` month was made by
    own: tuple | None
    book: Workbook  # as the page has it
    period: str

    def controls(self) -> Mapping[str, Control]:
        """Name the controls, each as it stands on the page; none where nothing is to be set."""

    def why_nothing(self) -> str:
        """Say why there is nothing to explore; "" where there is."""

    def read(self, book: Workbook) -> object:
        """Ask the door in a scope; the page's own is not asked again."""

    def seen(self, told: object, **values: Scalar) -> Seen:
        """Judge what `read` gave by the controls' values."""

    def options(self, **values: Scalar) -> Mapping[str, Scalar]:
        """Give the recipe's options that these values stand for: what a toml can say of them."""


def choice(label: str, values: Iterable[str], value: str, prefix: str = "") -> Choice:
    """Make a choice among codes, which are shown by their names in the reader's language."""
    options = tuple((words.word(f"{prefix}{code}"), code) for code in values)
    return Choice(words.label(label), options, value)


def only(column: str, values: Iterable[str]) -> Choice:
    """Make a choice of the rows with one value of a column, or all of them."""
    options = tuple((words.word(value), value) for value in values)
    return Choice(words.label(column), ((words.label("all_of_them"), ALL), *options), ALL, True)


def no_rows() -> pd.DataFrame:
    """Give a table of no dealers: of what is not about them."""
    return pd.DataFrame({"dealer_id": pd.Series(dtype="str")})


def who(book: Workbook) -> pd.DataFrame:
    """Give each dealer's name and place in the reader's language."""
    columns = ["dealer_id", "dealer_name", "region", "city", "store_format", "account_manager"]
    return data.dealers(book, words.spoken()).drop_duplicates("dealer_id").reindex(columns=columns)
