"""Options: the rules of a question that a person may change.

A recipe (`judge_month` of a question's room) declares them once, as keyword arguments with a
default and what they may be. Each is a scalar, so that a notebook's parameter, a toml, a command
line and a widget carry it alike; several numbers are a text such as "20/40/40".
"""

import functools
import inspect
import math
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from helpers import words
from helpers.settings.book import Workbook
from helpers.settings.columns import nearest, refusal

Scalar = str | int | float | bool
Month = TypeVar("Month", bound=tuple)  # what a recipe gives


class Expected(NamedTuple):
    """What an option may be: by a sentence that is filled in, and a test of a value of the right
    type.
    """

    sentence: str
    fits: Callable[[Any], bool]
    values: Mapping[str, Any] = {}

    @property
    def told(self) -> str:
        """Say it in the language that is spoken."""
        return words.message(f"refused.{self.sentence}", **self.values)


def one_of(*known: str) -> Expected:
    """Expect one of some words."""
    return Expected("one_of", lambda value: value in known, {"known": ", ".join(known)})


def between(low: float, high: float) -> Expected:
    """Expect a number from `low` to `high`, both among them."""
    return Expected("between", lambda value: low <= value <= high, {"low": low, "high": high})


def parts(n: int, example: str) -> Expected:
    """Expect n percentages that sum to 100, written as in the example."""

    def fits(value: str) -> bool:
        found = numbers(value)
        return len(found) == n and min(found) >= 0 and math.isclose(sum(found), 100, abs_tol=1e-9)

    return Expected("percentages", fits, {"n": n, "example": example})


def cuts(example: str, *, low: float, high: float) -> Expected:
    """Expect as many cuts as the example has, running the same way, from `low` to `high`."""
    model = numbers(example)
    rising = model == tuple(sorted(model))

    def fits(value: str) -> bool:
        found = numbers(value)
        in_order = found == tuple(sorted(found, reverse=not rising))
        return len(found) == len(model) and in_order and all(low < x <= high for x in found)

    told = {"n": len(model), "low": low, "high": high, "example": example}
    return Expected("rising" if rising else "falling", fits, told)


def numbers(text: str) -> tuple[float, ...]:
    """Read several numbers from a text with slashes; none where it holds anything else.

    >>> numbers("20/40/40"), numbers("2.5 / 1.5"), numbers("20;40")
    ((20.0, 40.0, 40.0), (2.5, 1.5), ())
    """
    try:
        found = tuple(float(part) for part in text.split("/"))
    except ValueError:
        return ()
    return found if all(map(math.isfinite, found)) else ()


def recipe(question: str) -> Callable[[Callable[..., Month]], Callable[..., Month]]:
    """Make a function the recipe of a question.

    Its keyword arguments are options, each annotated with what is `Expected`. They are checked at
    each call, and the month that it gives, a named tuple, holds those in force as `options`.

    Raises
    ------
    ValueError
        At a call, if an option is not as expected; it is named with its value.
    """

    def declared(judge: Callable[..., Month]) -> Callable[..., Month]:
        hints = typing.get_type_hints(judge, include_extras=True)
        known = {
            name: parameter.default
            for name, parameter in inspect.signature(judge).parameters.items()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY
        }

        @functools.wraps(judge)
        def judged(data: object, **given: Scalar) -> Month:
            if unknown := [name for name in given if name not in known]:
                raise TypeError(f"{question}: no option {unknown[0]!r}{nearest(unknown[0], known)}")
            options = known | {
                name: _fitting(name, value, known[name], hints[name])
                for name, value in given.items()
            }
            return judge(data, **options)._replace(options=options)

        judged.question, judged.options = question, known
        judged.fitting = lambda name, value: _fitting(name, value, known[name], hints[name])
        return judged

    return declared


def options_in_force(
    recipe: Callable, book: Workbook, given: Mapping[str, Scalar | None]
) -> dict[str, Scalar]:
    """Choose each option's value: what is given, else what the workbook says, else the default.

    None, or an empty text, stands for "as the workbook says".

    Raises
    ------
    DataError
        If a value is not as the recipe expects it.
    """
    told = {
        name: value
        for name, value in book.parameters.get(recipe.question, {}).items()
        if name in recipe.options
    }
    _require_fitting(recipe, told, f"{book.path.name}: [parameters.{recipe.question}] ")
    given = {name: value for name, value in given.items() if value not in (None, "")}
    _require_fitting(recipe, given, "")
    return {**recipe.options, **told, **given}


def require_options(book: Workbook, recipes: Sequence[Callable]) -> None:
    """Raise a DataError unless what the workbook says of these recipes' options is as expected."""
    for recipe in recipes:
        options_in_force(recipe, book, {})


def _require_fitting(recipe: Callable, given: Mapping[str, Scalar], where: str) -> None:
    for name, value in given.items():
        if name not in recipe.options:
            raise refusal("no_option", where=where, name=name, near=nearest(name, recipe.options))
        try:
            recipe.fitting(name, value)
        except ValueError as error:
            raise refusal("option_of", where=where, said=error) from None


def _fitting(name: str, value: Scalar, default: Scalar, hint: Any) -> Scalar:
    """Give a value as its option's type; a ValueError where it is not as expected."""
    kind, *expected = typing.get_args(hint) or (hint,)
    kinds = "refused.true_or_false" if kind is bool else "refused.a_text"
    both = words.message("refused.and")
    told = both.join(e.told for e in expected) or words.message(kinds)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    right = is_number and math.isfinite(value) if kind in (int, float) else isinstance(value, kind)
    if kind is int and right and value != int(value):
        right = False
    if not right or not all(e.fits(value) for e in expected):
        raise ValueError(words.message("refused.option", name=name, value=value, told=told))
    return kind(value)
