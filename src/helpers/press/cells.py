"""Cells: what a sheet of Excel may hold, how it looks there, and how it is printed."""

import re
from typing import Any, NamedTuple

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from helpers import look, words

MAX_TEXT = 32_767  # of a cell, in the units of UTF-16
LINE_PT = 15
# a true minus, as on a page
NUMBER_FORMATS = {
    "percent": '0.0%;"−"0.0%',
    "whole": '#,##0;"−"#,##0',
    "decimal": '#,##0.00;"−"#,##0.00',
    "date": "yyyy-mm-dd",
}
NOT_XML = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class Formats:
    """The looks of cells, each made once."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        """Make what every workbook needs; the rest is made when it is asked for."""
        self._book, self._made = book, {}
        self.title = book.add_format(
            {"bold": True, "font_size": 16, "font_color": look.COLORS["text"]}
        )
        self.subtle = book.add_format({"font_color": look.COLORS["subtle"]})
        across = {"text_wrap": True, "valign": "top", "align": "left"}
        self.verdict = book.add_format({**across, "bold": True, "font_size": 13})
        self.wide = book.add_format(across)
        self.head = book.add_format(
            {
                "bold": True,
                "bg_color": look.COLORS["–"],
                "bottom": 1,
                "text_wrap": True,
                "border_color": look.COLORS["muted"],
                "valign": "top",
                "align": "left",
                "indent": 1,
            }
        )

    def number(self, num_format: str) -> Format:
        """Give the look of a number of the summary, each row of which has its own."""
        if num_format not in self._made:
            self._made[num_format] = self._book.add_format(
                {"num_format": num_format, "valign": "top"}
            )
        return self._made[num_format]

    def cell(
        self, kind: str, letter: str = "", *, wrap: bool = False, quoted: bool = False
    ) -> Format:
        """Give the look of a cell; `quoted` text stays text even after somebody has edited it."""
        key = (kind, letter, wrap, quoted)
        if key not in self._made:
            looks: dict[str, Any] = {"valign": "top", "text_wrap": wrap, "quote_prefix": quoted}
            if kind in NUMBER_FORMATS:
                looks["num_format"] = NUMBER_FORMATS[kind]
            elif not letter:
                looks |= {"align": "left", "indent": 1}  # away from the numbers before it
            if letter:
                looks |= {
                    "bg_color": look.COLORS[letter],
                    "align": "center",
                    "font_color": "white" if letter == "A" else look.COLORS["text"],
                }
            self._made[key] = self._book.add_format(looks)
        return self._made[key]


class Paper(NamedTuple):
    """What stands above every printed sheet."""

    title: str
    month: str


def set_page(sheet: Worksheet, about: Paper, n_wide: int = 1) -> None:
    """Print on A4, across, on so many sheets side by side, with title and month above, the sheet's
    name and number below.
    """
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.4, right=0.4, top=0.7, bottom=0.6)
    sheet.fit_to_pages(n_wide, 0)
    title, month = (text_of(text).replace("&", "&&")[:100] for text in about)
    sheet.set_header(f"&L&9 {title}&R&9 {month}")
    sheet.set_footer("&L&9&A&R&9&P / &N")


def write_text(sheet: Worksheet, row: int, column: int, text: str, cell_format: Format) -> None:
    """Write text as text, whatever it looks like; of none, only the look of its cell."""
    if not text:
        sheet.write_blank(row, column, None, cell_format)
    # XlsxWriter takes this for markup it made itself
    elif text.startswith("<r>") and text.endswith("</r>"):
        sheet.write_rich_string(row, column, text[0], text[1], text[2:], cell_format)
    else:
        sheet.write_string(row, column, text, cell_format)


def text_of(value: object) -> str:
    """Leave out what XML can't hold and cut what Excel can't."""
    text = str(value)
    if not text.isprintable():
        text = NOT_XML.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if len(text) > MAX_TEXT // 2 and len(coded := text.encode("utf-16-le")) > 2 * MAX_TEXT:
        mark = words.say("excel.cut_text", n=len(text))
        text = coded[: 2 * (MAX_TEXT - len(mark))].decode("utf-16-le", "ignore") + mark
    return text
