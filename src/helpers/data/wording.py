"""Wording: a finding as one sentence for people, in the workbook's language."""

import datetime as dt
from typing import Any

from helpers import words
from helpers.data.connections import source_name
from helpers.data.findings import APART, Finding
from helpers.data.values import dates, numbers, scale
from helpers.data.values.text import as_toml
from helpers.settings import Workbook, contract, nearest

FORMATTED = ("date", "month")
TYPES = ("money", "id")  # what a column of other kinds lacks is a number
ALONE = ("nothing", "brand")  # of a table as a whole, not of some of its rows
# their example is two values side by side, and said as it is
SIDE_BY_SIDE = ("two_decimals", "two_days", "two_currencies", "swapped_days")


def in_words(book: Workbook, finding: Finding) -> str:
    """Say an error in one line.

    File, table, column, number of rows, an example, and the next step.
    """
    if finding.check == "source":
        return finding.example
    where = {"where": _where(finding), "source": finding.file or source_name(book, finding.table)}
    said = words.message(f"finding.{_sentence(book, finding)}", **where, **_told(book, finding))
    if finding.check in ALONE:
        return said
    return words.message("finding.rows", n=finding.n_rows, said=said, **where)


def as_warning(finding: Finding, file: str) -> str:
    """Say a warning in one line; its next step is told below it."""
    example = finding.example.removeprefix(f"{file}: ")
    return words.message(
        "finding.warning_eg" if example else "finding.warning",
        where=_where(finding),
        n=finding.n_rows,
        label=words.label(finding.check),
        check=finding.check,
        example=example,
    )


def _where(finding: Finding) -> str:
    return f"{finding.table}.{finding.column}" if finding.column else finding.table


def _sentence(book: Workbook, finding: Finding) -> str:
    """Name the sentence that tells a finding."""
    column = contract()[finding.table].get(finding.column)
    kind = column.kind if column else "number"
    if finding.check in ("type", "format") and kind in FORMATTED:
        if dates.is_no_day(finding.example):
            return "no_day"
        if finding.check == "format":
            return "format"
        return "date" if dates.formats(finding.example) else "no_date"
    if finding.check == "type":
        if kind != "id" and _is_divided(book, finding):
            return "divided"
        return kind if kind in TYPES else "number"
    if finding.check == "missing" and finding.example:
        return "missing_eg"
    return finding.check


def _is_divided(book: Workbook, finding: Finding) -> bool:
    """Whether a number that is none came of a division that the toml asks for."""
    given = book.tables[finding.table]
    is_none = finding.example.strip().lower().lstrip("-") in ("inf", "nan", "infinity")
    return is_none and "/" in (given.columns.get(finding.column) or given.query)


def _told(book: Workbook, finding: Finding) -> dict[str, Any]:
    """Give what the sentences fill in."""
    toml, table, column, example = book.path.name, finding.table, finding.column, finding.example
    said: dict[str, Any] = {
        "n": finding.n_rows,
        "table": table,
        "column": column,
        "toml": toml,
        "eg": _eg(repr(example), finding.line),
        "shown": repr(example),
        "example": example,
    }
    if finding.line:
        said["shown"] = words.message(
            "finding.shown_on_line", value=repr(example), line=finding.line
        )
    if finding.check in SIDE_BY_SIDE:
        said["example"] = _eg(example, 0)
    for part in ("keys", "expression"):
        said[part] = words.message(f"finding.{part}", table=table, toml=toml)
    if column and contract()[table].get(column) and contract()[table][column].kind in FORMATTED:
        said |= _days(book, finding)
    if finding.check == "either_decimal":
        said["point"], said["comma"] = numbers.both_readings(example)
    if finding.check == "in_thousands":
        header, mark = example.split(APART)
        quoted = header.replace('"', '""')
        computed = f'CAST("{quoted}" AS DECIMAL(18, 4)) * {scale.factor(mark)}'
        said |= {"said": repr(mark), "computed": as_toml(computed)}
    if finding.check == "twins":
        said |= _twins(finding)
    if finding.check == "brand":
        brands = example.split(APART)
        others = "；数据中的品牌有 " + words.listed(brands)
        said |= {
            "brand": repr(book.brand),
            "near": words.translated(nearest(book.brand, brands), others),
        }
    return said


def _eg(value: str, line: int) -> str:
    return words.message("finding.eg_on_line" if line else "finding.eg", value=value, line=line)


def _days(book: Workbook, finding: Finding) -> dict[str, str]:
    """Give the formats in which an example is a day, and the days that it would be."""
    given = book.tables[finding.table].format.get(finding.column, "")
    known = dates.formats(finding.example)
    day = finding.example.split()[0] if finding.example.strip() else ""
    read = [dt.datetime.strptime(day, form).date().isoformat() for form in dates.formats(day)]
    fitting = [repr(form) for form in known if form != given]
    would = words.message("finding.would_fit", forms=_either(fitting)) if fitting else ""
    return {
        "given": repr(given),
        "would": would,
        "form": f'"{known[0]}"' if known else "",
        "forms": _either(f'"{form}"' for form in known or ["%d-%m-%y"]),
        "days": _either(dict.fromkeys(read)),
    }


def _either(choices) -> str:
    return words.translated(" or ", " 或 ").join(choices)


def _twins(finding: Finding) -> dict[str, str]:
    """Give which ids are one but for case, zeros or .0, and what would mend it."""
    one, other, home, mend = (*finding.example.split(APART), "", "")[:4]
    return {
        "one": repr(one),
        "other": repr(other),
        "of": words.message("finding.twins_of", home=home) if home else "",
        "would": words.message("finding.twins_would", column=finding.column, mend=as_toml(mend))
        if mend
        else "",
        "listed": {"product_id": "products"}.get(finding.column, "dealers"),
    }
