"""The rows that an explorer shows: found without it, saved, and told as one line of code."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from helpers import files
from helpers.press import editions, excel
from helpers.settings import Scalar, Workbook, options
from helpers.settings.scope import scope_text
from helpers.widgets import bar
from helpers.widgets.models import Model, Seen

FOLDER = "explored"  # beside a workbook's editions
KINDS = ("csv", "xlsx")


def chosen(seen: Seen, asked: bar.Asked, letters_of: Callable[[], pd.Series]) -> pd.DataFrame:
    """Choose the rows that class and search leave, in their order.

    The class is that of the rows where they are judged by class, else what `letters_of` gives: the
    workbook's in this scope, by dealer.
    """
    rows = seen.rows
    if asked.letter != bar.ALL:
        letters = (
            rows["composite_class"]
            if "composite_class" in rows
            else rows["dealer_id"].map(letters_of())
        )
        rows = rows[letters.eq(asked.letter).to_numpy()]
    return rows[bar.found(rows, asked.search).to_numpy()].reset_index(drop=True)


def code(
    model: Model, asked: bar.Asked, values: Mapping[str, Scalar], own: Mapping[str, Scalar]
) -> str:
    """Write the line of Python that gives the rows shown.

    What stands on the page is left out; `own` are the controls' values there. Where the page was
    run with options of its own, which the workbook does not say, they are told as such.
    """
    said: dict[str, object] = {}
    if asked.scope:
        said["scope"] = scope_text(asked.scope)
    told = options.options_in_force(model.recipe, model.book, {}) if model.recipe else {}
    ruled = model.own.options if model.own else {}
    if given := {name: value for name, value in ruled.items() if value != told[name]}:
        said["page"] = given
    said |= {name: value for name, value in values.items() if value != own[name]}
    if asked.letter != bar.ALL:
        said["only_class"] = asked.letter
    if asked.search.strip():
        said["search"] = asked.search.strip()
    rest = "".join(f", {name}={value!r}" for name, value in said.items())
    return f"widgets.rows({model.question!r}, book, {model.period!r}{rest})"


def toml(model: Model, book: Workbook, values: Mapping[str, Scalar]) -> list[str]:
    """Write what a toml says to print the same page: a line for the rules, one for the scope.

    They stand above the toml's first section. Which rows are shown is no setting.
    """
    said = model.options(**values)
    lines = []
    if said:
        inside = ", ".join(f"{name} = {_value(value)}" for name, value in said.items())
        lines.append(f"parameters.{model.question} = {{ {inside} }}")
    if book.scope:
        inside = ", ".join(
            f"{column} = [{', '.join(map(_value, values))}]" for column, values in book.scope
        )
        lines.append(f"scope = {{ {inside} }}")
    return lines


def _value(value: Scalar) -> str:
    """Write a value as TOML does."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return repr(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    # the control characters that a basic string may not hold
    return '"' + "".join(c if c.isprintable() or c == " " else _escape(c) for c in escaped) + '"'


def _escape(sign: str) -> str:
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}"


def save(model: Model, book: Workbook, shown: pd.DataFrame, kind: str) -> Path:
    """Write rows beside the workbook's editions, under a name that nothing has yet.

    Text that a spreadsheet would take for a formula is neutralised, as in an edition.

    Raises
    ------
    OSError
        If nothing can be written there.
    """
    folder = editions.base(book.whole) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    stem, n = f"{model.question}-{model.period}", 1
    while (path := folder / f"{stem}{f'-{n}' if n > 1 else ''}.{kind}").exists():
        n += 1
    if kind == "csv":
        files.write(path, files.csv_of(shown))
    else:
        excel.write_workbook(
            path,
            {model.question: shown},
            title=book.heading,
            period=model.period,
            brand=book.brand,
            currency=book.currency,
        )
    return path
