"""Looks: fonts, colours, figures, tables and prose.

The words of `helpers.words` are open through here too.
"""

import functools
import html
import math
import os
import urllib.parse
from collections.abc import Iterable, Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers import periods
from helpers.look import figures, fonts, layout, sections, svg, whole
from helpers.look.figures import WIDTH_IN, explain, picture
from helpers.settings import page_of
from helpers.words import (
    LANGUAGES,
    REFERENCE,
    change,
    decimal,
    fitting,
    label,
    letters,
    listed,
    money,
    percent,
    say,
    signed,
    speak,
    spoken,
    translated,
    word,
)
from helpers.words import kind as column_kind

# words are part of the looks for all who draw: they need one import only
__all__ = [
    "LANGUAGES",
    "REFERENCE",
    "change",
    "label",
    "listed",
    "money",
    "percent",
    "picture",
    "say",
    "signed",
    "translated",
    "word",
]

DEALERS_PAGE = page_of("abc_pareto")  # where a dealer is explained
BY_INDICATOR = ("value", "least", "lowest", "highest")
LAB_STYLE = (  # JupyterLab's own rules weigh more
    "<style>.table td, .table th {text-align: left !important} .table .number {text-align: "
    "right !important}</style>"
)
ROWS_SHOWN = 100  # of a long table; flagged rows are shown on top of these


def use(language: str = "en", currency: str = "") -> None:
    """Set the language, the currency and the looks of all that follows.

    Raises
    ------
    ValueError
        If the language is none of `LANGUAGES`.
    DataError
        In a notebook, if the environment names a way to draw that there isn't.
    """
    speak(language, currency)
    fonts.add()
    mpl.style.use(_looks())
    cjk = "Noto Sans CJK TC" if language == "zh-Hant" else "Noto Sans CJK SC"
    mpl.rcParams["font.family"] = ["DejaVu Sans", cjk]
    _show_figures_with_alt_text()


@functools.cache
def _looks() -> mpl.RcParams:
    return mpl.rc_params_from_file(
        Path(__file__).parent / "workbook.mplstyle", use_default_template=False
    )


def warm_up() -> None:
    """Do ahead what the first figures of a process wait for.

    Read fonts, and outline the letters of our own words.

    For a process that others are forked from: it leaves no figure, no language and no setting
    behind.
    """
    said, plain = spoken(), "".join(map(chr, range(32, 127))).replace("$", "")
    with mpl.rc_context():
        for language in LANGUAGES:
            use(language)
            if svg.road() == "own":  # which keeps outlines; matplotlib makes them anew
                written = Figure()  # nobody lays it out, so no line of it is shortened
                written.text(0, 0, plain + "".join(letters()))
                written.text(0, 0, plain, fontweight="bold")
                svg.drawn(written)
            figure = Figure(figsize=(WIDTH_IN / 2, 3), layout=layout.Layout())
            ax = figure.add_subplot()
            ax.bar([1, 2], [1, 2], label=plain)
            ax.legend()
            for size in (8, 8.5, 9, 9.5):
                ax.annotate(plain, (1, 1), fontsize=size)
            explain(ax, plain, plain, plain)
            svg.drawn(figure)
    speak(said)


def _show_figures_with_alt_text() -> None:
    """Teach a notebook to show figures as compact SVG, dense ones as PNG, each with its alternative
    text.
    """
    try:
        from IPython import get_ipython
    except ImportError:
        return
    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return
    # refuses an unknown one here, where a notebook stops; a figure that can't be shown would not
    svg.road()
    from matplotlib_inline.config import InlineBackend

    # the backend would lay its own formatters over ours at the end of the first cell with a figure
    InlineBackend.instance(parent=shell).figure_formats = set()
    formatters = shell.display_formatter.formatters
    formatters["image/svg+xml"].for_type(Figure, functools.partial(figures.rendered, kind="svg"))
    formatters["image/png"].for_type(Figure, functools.partial(figures.rendered, kind="png"))
    formatters["text/html"].for_type(
        Figure, lambda figure: sections.note(getattr(figure, "nothing", "")) or None
    )
    formatters["text/plain"].for_type(Axes, lambda ax, printer, cycle: None)


# ---- tables and prose ----------------------------------------------------------------------------


class Table:
    """A table laid out for reading; in a notebook it shows itself."""

    def __init__(self, html_text: str, rows: pd.DataFrame) -> None:
        """Keep the markup, and the rows it shows."""
        self._html, self.rows = html_text, rows

    def to_html(self) -> str:
        """Give the markup."""
        return self._html

    def _repr_html_(self) -> str:
        # JupyterLab would align all cells to the right; a page of an edition has its own style
        # sheet
        return self._html if os.environ.get("WORKBOOK_PAGE") else LAB_STYLE + self._html

    def __repr__(self) -> str:
        """Read as plain text."""
        return self.rows.to_string(index=False)


def table(
    rows: pd.DataFrame,
    title: str = "",
    note: str = "",
    *,
    flagged: pd.Series | None = None,
    limit: int = ROWS_SHOWN,
    anchors: Iterable[str] = (),
    shares: Iterable[str] = (),
    links: Mapping[str, str] | None = None,
    empty: str = "",
    turn: object = None,
) -> Table:
    """Lay out a table: names in the reader's language, numbers by the suffix of their column, all
    text escaped.

    Columns ending in `_share` or `_rate`, and those named in `shares`, are percentages, `_days`
    whole days, `_date` dates; `n_` are counts. Beyond `limit` rows only the `flagged` ones
    (boolean, indexed as `rows`) are shown, and the note says so. Columns without any value are left
    out. In an edition a dealer's name leads to the row of the table that has him in `anchors`, or
    to his address in `links`. `empty` is what a table without rows says. A page of an edition
    carries the rows that it does not print, too, and `turn`, for its script (`look/whole.py`).
    """
    if rows.empty:
        # by hand an empty table says that it is empty; a page prints only what somebody has to say
        # about it
        return Table(
            sections.note(empty or ("" if os.environ.get("WORKBOOK_PAGE") else say("table.empty"))),
            rows,
        )
    # what the data don't tell needs no column of dashes
    rows = rows.dropna(axis="columns", how="all")
    shown = rows.head(limit)
    if len(rows) > limit:
        if flagged is not None:
            more = rows.index[flagged.reindex(rows.index, fill_value=False).to_numpy(bool)]
            shown = rows.loc[rows.index[:limit].union(more, sort=False)]
        # by hand no whole table lies beside what is shown
        key = "table.cut" if os.environ.get("WORKBOOK_PAGE") else "table.cut_here"
        note = " · ".join(filter(None, [note, say(key, shown=len(shown), rows=len(rows))]))
    kinds = [_kind(rows[column], str(column)) for column in rows.columns]
    heads = "".join(
        f'<th scope="col"{_of(kind)}>{html.escape(word(c))}</th>'
        for c, kind in zip(rows.columns, kinds, strict=True)
    )
    anchored = set(anchors)
    printed, digits = _with_percents(shown, shares), _digits_of(shown)
    body = "".join(
        _row(row, rows.columns, kinds, digits, anchored, links)
        for row in printed.to_dict("records")
    )
    caption = f"<b>{html.escape(fitting(title))}</b>" * bool(
        title
    ) + f"<span>{html.escape(fitting(note))}</span>" * bool(note)
    caption = f"<caption>{caption}</caption>" * bool(caption)
    told = ""
    if os.environ.get("WORKBOOK_PAGE"):
        carried = _with_percents(rows.head(whole.ROWS_CARRIED), shares)
        of = functools.partial(_text, digits=digits)
        cells = whole.cells(carried, of, BY_INDICATOR) if len(rows) > len(shown) else None
        told = whole.attributes(rows.columns, cells, len(rows), turn)
    return Table(
        (
            f'<table class="table"{told}>'
            f"{caption}<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
        ),
        shown,
    )


def _with_percents(rows: pd.DataFrame, shares: Iterable[str]) -> pd.DataFrame:
    return rows.assign(**{c: [percent(share) for share in rows[c]] for c in shares if c in rows})


def digits_of(rows: pd.DataFrame) -> dict[tuple[str, str], int]:
    """Choose the decimals of each column, for `cells` of some of the rows."""
    return _digits_of(rows)


def cells(rows: pd.DataFrame, digits: Mapping[tuple[str, str], int]) -> list[list[str]]:
    """Write the cells of some rows as `table` does, as plain text: nothing is escaped.

    Parameters
    ----------
    digits
        From `digits_of` the whole table: what stands below one another is written alike.
    """
    return [
        [_cell(row[column], str(column), digits.get((column, str(column)))) for column in row]
        for row in rows.to_dict("records")
    ]


def _kind(values: pd.Series, column: str) -> str:
    if pd.api.types.is_numeric_dtype(values) and values.dtype != bool:
        return "number"
    if column_kind(column) == "date":
        return "date"
    return "name" if column.endswith("_name") or column in ("reason", "measure") else ""


def _of(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _row(
    row: dict,
    columns: Iterable[str],
    kinds: list[str],
    digits: Mapping[tuple[str, str], int],
    anchored: set[str],
    links: Mapping[str, str] | None,
) -> str:
    cells, here = [], row.get("dealer_id") in anchored
    address = _address(row.get("dealer_id"), links) if not here else ""
    for column, kind in zip(columns, kinds, strict=True):
        # a row about one indicator prints its values as that indicator is printed
        named = str(row.get("indicator", column)) if column in BY_INDICATOR else column
        text = html.escape(_text(row[column], column, named, digits))
        if column == "dealer_name" and address:
            text = f'<a href="{html.escape(address)}">{text}</a>'
        cells.append(f"<td{_of(kind)}>{text}</td>")
    at = f' id="{anchor(row["dealer_id"])}"' if here else ""
    return f"<tr{at}>{''.join(cells)}</tr>"


def _address(dealer_id: object, links: Mapping[str, str] | None) -> str:
    if links is not None:
        return links.get(dealer_id, "")
    in_edition = os.environ.get("WORKBOOK_PAGE") and isinstance(dealer_id, str)
    return f"{DEALERS_PAGE}#{anchor(dealer_id)}" if in_edition else ""


def _digits_of(rows: pd.DataFrame) -> dict[tuple[str, str], int]:
    """Choose the decimals of each column: what stands below one another is written alike.

    Keyed by column and by what its values are: where a row says its indicator, each has its own.
    """
    found = {}
    for column in rows.columns:
        if not pd.api.types.is_numeric_dtype(rows[column]) or rows[column].dtype == bool:
            continue
        if column in BY_INDICATOR and "indicator" in rows:
            parts = {str(name): part[column] for name, part in rows.groupby("indicator")}
        else:
            parts = {str(column): rows[column]}
        found |= {(column, name): _digits(values, name) for name, values in parts.items()}
    return found


def _digits(values: pd.Series, column: str) -> int:
    sizes = values.astype("float64").abs()
    sizes = sizes[np.isfinite(sizes)]
    whole = column_kind(column) in ("count", "days") or (sizes == sizes.round()).all()
    return 0 if whole or sizes.max() >= 1000 else 2


def _text(value: object, column: str, named: str, digits: Mapping[tuple[str, str], int]) -> str:
    return _cell(value, named, digits.get((column, named)))


def _cell(value: object, column: str, digits: int | None = None) -> str:
    if whole.is_missing(value):
        return "–"
    if isinstance(value, (bool, np.bool_)):
        return "✓" if value else ""
    if isinstance(value, (int, float, np.number)):
        return _number(float(value), column, digits)
    if isinstance(value, pd.Timestamp) or column_kind(column) == "date":
        return str(value)[:10]
    return fitting(
        word(value) if column_kind(column) == "code" or value == "not_stated" else str(value)
    )


def _number(value: float, column: str, digits: int | None) -> str:
    if column_kind(column) == "share":
        return percent(value, 1)
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if digits is None:  # among texts, where no other number stands below
        digits = _digits(pd.Series([value]), column)
    return decimal(value, digits)


def anchor(dealer_id: str) -> str:
    """Name the place of a dealer on a page, whatever his id is made of.

    >>> anchor("10 003/ä")
    'dealer-10%20003%2F%C3%A4'
    """
    return "dealer-" + urllib.parse.quote(str(dealer_id), safe="")


def window_note(
    title: str, period: str, n_dealers: int, covered: periods.Covered | None = None
) -> str:
    """Say whose figures these are, for which window, and of how many dealers.

    `covered` is the window's, from `data.covered`: where the data don't cover it whole, the days
    they do are named.
    """
    first, last = periods.shift(period, -11), period
    if covered is not None and not covered.is_whole:
        first, last = covered.start.isoformat(), covered.end.isoformat()
    return say("table.note", title=title, first=first, last=last, n=n_dealers)


def months_note(title: str, months: Iterable[str], n_months: int | None = None) -> str:
    """Say whose figures these are, and of which months: the first to the last of a history.

    With `n_months` only its last ones are shown. Without any month the title stands alone.

    >>> months_note("Network", ["2026-08", "2026-09", "2026-10"], 2)
    'Network, 2026-09 to 2026-10'
    """
    shown = list(months)[-n_months:] if n_months else list(months)
    return say("table.months", title=title, first=shown[0], last=shown[-1]) if shown else title


def against_note(title: str, period: str, n_dealers: int) -> str:
    """Say whose figures compare a window with the twelve months before it, and of how many dealers.

    >>> against_note("Network", "2026-10", 3)
    'Network, 2025-11 to 2026-10 against the twelve months before; 3 dealers'
    """
    first = periods.shift(period, -11)
    return say("table.against", title=title, first=first, last=period, n=n_dealers)


def day_note(title: str, period: str, n_dealers: int) -> str:
    """Say whose figures these are, as they stood on the last day of a period.

    >>> day_note("Network", "2026-02", 3)
    'Network, at the end of 2026-02-28; 3 dealers'
    """
    day = periods.window(period, 1).end.isoformat()
    return say("table.day", title=title, day=day, n=n_dealers)


def rules(options: Mapping[str, object]) -> "Prose":
    """Print the options in force, by their names in the reader's language."""
    told = [f"{label(name)}: {_option(name, value)}" for name, value in options.items()]
    return Prose([say("table.rules", rules=" · ".join(told))] if told else [])


def _option(name: str, value: object) -> str:
    if isinstance(value, bool):
        return say("table.yes" if value else "table.no")
    # a word among several has a name of its own, such as `rule_quota`
    named = word(key := f"{name}_{value}")
    return f"{value:g}" if isinstance(value, float) else str(value) if named == key else named


class Prose:
    """Sentences as a list, escaped: a dealer's name is text and never markup."""

    def __init__(self, sentences: Iterable[str]) -> None:
        """Keep the sentences that say something."""
        self.sentences = [sentence for sentence in sentences if sentence]

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{html.escape(fitting(sentence))}</li>" for sentence in self.sentences)
        return f'<ul class="prose">{items}</ul>' if items else ""

    def __repr__(self) -> str:
        """Read as plain lines."""
        return "\n".join(self.sentences)
