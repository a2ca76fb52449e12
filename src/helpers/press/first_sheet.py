"""The first sheet of the Excel workbook: what the month says, its key figures and calls, and the
list of the other sheets.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from helpers import files, words
from helpers.press.cells import LINE_PT, NUMBER_FORMATS, Formats, Paper, text_of, write_text
from helpers.press.summary import Call, Figure, Summary

# of the summary: its columns in digits, and where its parts stand
WIDTHS = (30, 18, 15, 13, 15, 11, 13, 13, 13, 13, 13)
SPAN = len(WIDTHS) - 1
REASON = 6  # its first column: it takes the rest


def write_head(sheet: Worksheet, head: list[str], summary: Summary, formats: Formats) -> int:
    """Write whose workbook it is and what the month says; give the next free row."""
    sheet.hide_gridlines(2)
    for i, width in enumerate(WIDTHS):
        sheet.set_column(i, i, width)
    for row, line in enumerate(head):
        write_text(sheet, row, 0, text_of(line), formats.subtle if row else formats.title)
    row = len(head) + 1
    for place, text in enumerate(summary.said):
        _write_wide(sheet, row, 0, text, formats.verdict if not place else formats.wide)
        size = 1.2 if not place else 1.0  # of its letters
        sheet.set_row(row, LINE_PT * size * _lines_in(text, sum(WIDTHS) / size))
        row += 1
    return row + bool(summary.said)


def _write_wide(sheet: Worksheet, row: int, first: int, text: str, cell_format: Format) -> None:
    """Write a text over the columns from one to the last."""
    sheet.merge_range(row, first, row, SPAN, "", cell_format)
    write_text(sheet, row, first, text_of(text), cell_format)


def _lines_in(text: str, width: float) -> int:
    return sum(math.ceil(1.1 * words.width(line) / width) or 1 for line in text.split("\n"))


def short_amounts(values: Iterable[float]) -> str:
    """Give the number format in which amounts of one column are as short as on a page.

    One scale for all, the largest one's, unless the middle one would be but a tenth of it, or less
    than one 亿; the middle one chooses the decimals. Excel counts in thousands, so that ten
    thousands are the thousands with a point before their last digit.

    >>> short_amounts([62_737_501.4, 11_458_217.1])
    '#,##0.0,," m";"−"#,##0.0,," m"'
    """
    sizes = pd.Series(list(values), dtype="float64").abs()
    middle = sizes[sizes > 0].median()
    scale, name = words.scale_of(sizes.max())
    if middle < scale / (1 if scale == 1e8 else 10):
        scale, name = words.scale_of(middle)
    digits = 0 if scale == 1 else words.digits_of(middle / scale)
    point = f"0.{'0' * digits}" if digits else "0"
    if name and scale in (1e3, 1e6, 1e9):
        number = f'#,##{point}{"," * (len(f"{scale:.0f}") // 3)}" {name}"'
    elif scale == 1e8:
        number = f'0\\.00,,"\u00a0{name}"'
    elif scale == 1e4:
        number = f'0\\.0,"\u00a0{name}"'
        large = f'#\\,##0\\.0,"\u00a0{name}"'
        return f'[>=10000000]{large};[<=-10000000]"−"{large};{number}'
    else:
        return NUMBER_FORMATS["whole"]
    return f'{number};"−"{number}'


def write_figures(
    sheet: Worksheet,
    row: int,
    figures: Iterable[Figure],
    about: Paper,
    formats: Formats,
    currency: str,
) -> int:
    """Write the key figures, each beside last year and target; give the next free row."""
    figures = list(figures)
    if not figures:
        return row
    spans = [(about.month or words.label("month"), [figure.month for figure in figures])]
    years = [figure.year for figure in figures]
    if any(not math.isnan(told.actual) for told in years):
        spans.append((words.label("year_to_date"), years))
    heading = words.say("report.figures")
    heading = words.say("excel.amount", label=heading, currency=currency) if currency else heading
    write_text(sheet, row, 0, heading, formats.head)
    for at, (name, _told) in enumerate(spans):
        sheet.merge_range(row, 1 + 5 * at, row, 5 + 5 * at, name, formats.head)
    fields = ("actual", "previous_actual", "yoy_rate", "target", "reached_rate")
    sheet.set_row(row + 1, 2 * LINE_PT)
    write_text(sheet, row + 1, 0, "", formats.head)
    for i in range(5 * len(spans)):
        write_text(sheet, row + 1, 1 + i, words.label(fields[i % 5]), formats.head)
    money = [
        value
        for _name, told in spans
        for figure, of in zip(figures, told, strict=True)
        if figure.kind == "money"
        for value in of
    ]
    shown = {"money": short_amounts(money), "share": NUMBER_FORMATS["percent"]}
    shown["days"] = NUMBER_FORMATS["whole"]
    for i, figure in enumerate(figures):
        at = row + 2 + i
        write_text(sheet, at, 0, text_of(figure.label), formats.cell("text"))
        for first, told in zip((1, 6), (of[i] for _name, of in spans), strict=False):
            _write_told(sheet, at, first, told, figure.kind, shown[figure.kind], formats)
    return row + len(figures) + 3


def _write_told(
    sheet: Worksheet,
    row: int,
    first: int,
    told: Any,
    kind: str,
    shown: str,
    formats: Formats,
) -> None:
    """Write a figure's numbers and what they come to against each other."""
    more = told.actual - told.before
    change, looks = more, '+#,##0;"−"#,##0;0'
    if kind == "share":
        points = words.say("front.points", points="").strip()
        change, looks = 100 * more, f'+0.0" {points}";"−"0.0" {points}";0.0" {points}"'
    elif kind == "money":
        change = more / told.before if told.before > 0 else math.nan
        looks = '+0.0%;"−"0.0%;0.0%'
    reached = told.actual / told.target if told.target > 0 else math.nan
    numbers = (told.actual, told.before, change, told.target, reached)
    how = (shown, shown, looks, shown, "0%")
    for column, (value, as_what) in enumerate(zip(numbers, how, strict=True), first):
        if math.isfinite(value):
            sheet.write_number(row, column, value, formats.number(as_what))


def write_calls(
    sheet: Worksheet, row: int, summary: Summary, all_calls: str, formats: Formats, currency: str
) -> int:
    """Write the first calls with what is at stake; give the next free row."""
    if not summary.calls:
        return row
    stake = words.label("stake")
    stake = words.say("excel.amount", label=stake, currency=currency) if currency else stake
    heads = [words.say("report.calls"), words.label("account_manager"), words.label("trigger")]
    heads += [stake, words.label("stake_kind"), words.label("within_days")]
    for i, head in enumerate(heads):
        write_text(sheet, row, i, head, formats.head)
    sheet.set_row(row, 2 * LINE_PT)
    _write_wide(sheet, row, REASON, words.label("reason"), formats.head)
    shown = short_amounts(call.stake for call in summary.calls)
    for call in summary.calls:
        row += 1
        _write_call(sheet, row, call, shown, formats)
    if all_calls and summary.n_calls > len(summary.calls):
        row += 1
        told = words.say("excel.all_calls", n=summary.n_calls)
        sheet.write_url(row, 0, f"internal:'{all_calls}'!A1", string=told)
    return row + 2


def _write_call(sheet: Worksheet, row: int, call: Call, shown: str, formats: Formats) -> None:
    texts = {0: call.name, 1: call.manager, 2: call.trigger, 4: call.stake_kind}
    n_lines = [_lines_in(text, WIDTHS[column] - 2) for column, text in texts.items()]
    n_lines.append(_lines_in(call.reason, sum(WIDTHS[REASON:]) - 2))
    sheet.set_row(row, LINE_PT * max(n_lines))
    for column, text in texts.items():
        write_text(sheet, row, column, text_of(text), _wrapped(text, formats))
    sheet.write_number(row, 3, call.stake, formats.number(shown))
    if math.isfinite(call.within):
        sheet.write_number(row, 5, call.within, formats.cell("whole"))
    _write_wide(sheet, row, REASON, call.reason, _wrapped(call.reason, formats))


def _wrapped(text: str, formats: Formats) -> Format:
    return formats.cell("text", wrap=True, quoted=files.is_formula(text))


def write_contents(
    sheet: Worksheet,
    top: int,
    tables: Mapping[str, pd.DataFrame],
    labels: Mapping[str, str],
    remarks: Mapping[str, str],
    pages: Mapping[str, str],
    formats: Formats,
) -> None:
    """List the sheets with links.

    What each holds, the page it belongs to, its rows and what did not fit.
    """
    fields = {0: "sheet", 1: "page", REASON: "n_rows", REASON + 1: "file"}
    for column in range(SPAN + 1):
        head = words.label(fields[column]) if column in fields else ""
        write_text(sheet, top, column, head, formats.head)
    for row, (name, rows) in enumerate(tables.items(), top + 1):
        sheet.write_url(row, 0, f"internal:'{labels[name]}'!A1", string=labels[name])
        write_text(sheet, row, 1, text_of(pages.get(name, "")), formats.cell("text"))
        sheet.write_number(row, REASON, len(rows), formats.cell("whole"))
        sheet.write_string(row, REASON + 1, f"tables/{text_of(name)}.csv", formats.subtle)
        if remarks[name]:
            sheet.write_string(row, SPAN + 1, remarks[name], formats.subtle)
    sheet.write_string(top + len(tables) + 2, 0, words.say("excel.how"), formats.subtle)
