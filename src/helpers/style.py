"""Looks and words: fonts, colours, figures, tables, and every term and sentence in the reader's language."""

import csv
import difflib
import functools
import html
import io
import string
import textwrap
import urllib.parse
from collections.abc import Iterable, Mapping
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import noto_cjk_sans_otc
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from opencc import OpenCC
from pandas.io.formats.style import Styler

REFERENCE = Path(__file__).parents[2] / "data" / "reference"
LANGUAGES = ("en", "zh-Hans", "zh-Hant")
WIDTH_IN = 9.2  # the text column of a page
ROWS_SHOWN = 100  # of a long table; flagged rows are shown on top of these

# Colours carry meaning, the same one on every page; the hues stay apart for colour-blind readers.
COLORS = {
    "accent": "#1f5a8c",
    "muted": "#b9c2ca",
    "text": "#1c2733",
    "subtle": "#6b7680",
    "A": "#1f5a8c",
    "B": "#7fa8c9",
    "C": "#cfd8df",
    "–": "#f0f0f0",
    "ours": "#1f5a8c",
    "rival": "#d9822b",
    "good": "#2f7f6f",
    "bad": "#b5442e",
    "urban": "#1f5a8c",
    "rural": "#d9822b",
    "reference": "#8a8f94",
}
SEQUENTIAL = sns.light_palette("#1f5a8c", as_cmap=True)

# Columns whose cells are codes of ours or of the contract, so that they are translated.
CODE_COLUMNS = {"customer_type", "store_format", "area_type", "segment", "category", "diagnosis", "status", "kind",
                "severity", "check", "indicator", "movement", "rule", "variability", "class", "trigger"}  # fmt: skip
FONT = str(Path(noto_cjk_sans_otc.__file__).parent / "NotoSansCJK-Regular.ttc")

_spoken = {"language": "en", "currency": ""}


def use(language: str = "en", currency: str = "") -> None:
    """Set the language, the currency and the looks of all that follows.

    Raises
    ------
    ValueError
        If the language is none of `LANGUAGES`.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language: {language!r} is not known; choose one of {', '.join(LANGUAGES)}")
    _spoken.update(language=language, currency=currency)
    if FONT not in _fonts_added():
        font_manager.fontManager.addfont(FONT)
    mpl.style.use(Path(__file__).parent / "workbook.mplstyle")
    cjk = "Noto Sans CJK TC" if language == "zh-Hant" else "Noto Sans CJK SC"
    mpl.rcParams["font.family"] = ["DejaVu Sans", cjk]
    _show_figures_with_alt_text()


@functools.cache
def _fonts_added() -> frozenset[str]:
    return frozenset(font.fname for font in font_manager.fontManager.ttflist)


# ---- words ---------------------------------------------------------------------------------------------------------


@functools.cache
def _reference(name: str) -> dict[str, dict[str, str]]:
    """Read a reference table of words, keyed by its first column."""
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    first = next(iter(rows[0]))
    return {row[first]: row for row in rows}


@functools.cache
def _traditional() -> OpenCC:
    return OpenCC("s2twp")


def translated(en: str, zh: str) -> str:
    """Choose between the English and the Simplified Chinese words; Traditional is converted from Simplified.

    >>> translated("gross profit", "毛利额")
    'gross profit'
    """
    if _spoken["language"] == "en" or not zh:
        return en
    return _traditional().convert(zh) if _spoken["language"] == "zh-Hant" else zh


def label(term: str) -> str:
    """Name a column, indicator or code in the reader's language; `terms.csv` is the dictionary.

    Raises
    ------
    KeyError
        If the dictionary has no such term; the nearest one is named.
    """
    terms = _reference("terms")
    if term not in terms:
        near = difflib.get_close_matches(term, terms, 1)
        raise KeyError(
            f"data/reference/terms.csv has no term {term!r}" + (f"; did you mean {near[0]!r}?" if near else "")
        )
    return translated(terms[term]["en"], terms[term]["zh"])


def word(code: object) -> str:
    """Name a code that came with the data; what the dictionary does not know is printed as it is."""
    return label(code) if code in _reference("terms") else str(code)


class _Plural(string.Formatter):
    """Format strings in which `{n:dealer|dealers}` chooses the word that goes with the number."""

    def format_field(self, value: object, spec: str) -> str:
        if "|" in spec:
            one, many = spec.split("|")
            return one if value == 1 else many
        if spec == "money":
            return money(value)
        if spec == "lower":  # a label in mid-sentence
            return str(value)[:1].lower() + str(value)[1:]
        return super().format_field(value, spec)


def say(sentence: str, **values: object) -> str:
    """Fill in a sentence of `sentences.csv` in the reader's language.

    Besides Python's format specifications, `{x:money}` writes an amount, `{x:lower}` a label in mid-sentence and
    `{n:dealer|dealers}` a singular or plural.
    """
    sentences = _reference("sentences")
    if sentence not in sentences:
        near = difflib.get_close_matches(sentence, sentences, 1)
        raise KeyError(
            f"data/reference/sentences.csv has no {sentence!r}" + (f"; did you mean {near[0]!r}?" if near else "")
        )
    return _Plural().vformat(translated(sentences[sentence]["en"], sentences[sentence]["zh"]), (), values)


def listed(names: Iterable[object], most: int = 5) -> str:
    """Join names for a sentence; past `most` the rest is counted.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    names = [str(name) for name in names]
    shown, rest = names[:most], len(names) - most
    if _spoken["language"] == "en":
        return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")
    return "、".join(shown) + (translated("", f"等{len(names)}家") if rest > 0 else "")


def money(amount: float, *, unit: bool = True) -> str:
    """Write an amount short, as the language counts: thousands and millions, or 万 and 亿.

    >>> money(1_234_567, unit=False)
    '1.23 M'
    """
    if pd.isna(amount):
        return "–"
    if _spoken["language"] == "en":
        steps = ((1e9, " bn"), (1e6, " M"), (1e3, " k"))
    else:
        steps = ((1e8, translated("", "亿")), (1e4, translated("", "万")))
    # 999 999 is "1 M", not "1,000 k": the step is chosen by what is printed
    scale, suffix = next((s for s in steps if abs(amount) >= s[0] * 0.9995), (1.0, ""))
    value = amount / scale
    digits = 0 if abs(value) >= 99.95 or scale == 1 else 1 if abs(value) >= 9.995 else 2
    sign = "−" if amount < 0 and round(abs(value), digits) > 0 else ""
    return f"{sign}{abs(value):,.{digits}f}{suffix}" + (f" {_spoken['currency']}".rstrip() if unit else "")


def percent(share: float, digits: int = 0) -> str:
    """Write a share; a missing one is a dash.

    >>> percent(0.734), percent(float("nan"))
    ('73 %', '–')
    """
    return "–" if pd.isna(share) else f"{share * 100:,.{digits}f} %".replace("-", "−")


# ---- figures -------------------------------------------------------------------------------------------------------


def axes(n_columns: int = 1, *, height: float = 3.6, width_ratios: list[float] | None = None, dense: bool = False):
    """Make the axes of one figure of page width, with room for title, subtitle and source.

    Parameters
    ----------
    height
        Inches of the whole figure.
    dense
        Many marks: the page gets a PNG instead of an SVG.
    """
    figure, made = plt.subplots(
        1, n_columns, figsize=(WIDTH_IN, height), layout="constrained",
        gridspec_kw={"width_ratios": width_ratios} if width_ratios else None,
    )  # fmt: skip
    figure.dense = dense
    return made


def explain(ax: Axes, title: str, subtitle: str = "", source: str = "", alt: str = "") -> Axes:
    """Write the finding over a figure, its scope under that, the source below, and the words for who can't see it.

    `ax` may be any of the figure's axes. Without `alt`, title and subtitle are its alternative text.
    """
    figure = ax.figure
    bold = {"fontweight": "bold"} if _spoken["language"] == "en" else {}  # the Chinese font comes in one weight
    width, height = figure.get_size_inches()
    per_line = int(width * (10.0 if _spoken["language"] == "en" else 5.6))
    head = textwrap.wrap(title, per_line) or [""]
    top = 0.04 + 0.23 * len(head)
    figure.text(0.006, 1 - 0.04 / height, "\n".join(head), fontsize=13, va="top", **bold)
    if subtitle:
        figure.text(0.006, 1 - (top + 0.03) / height, subtitle, fontsize=9.5, va="top", color=COLORS["subtle"])
        top += 0.24
    if source:
        figure.text(0.006, 0.04 / height, source, fontsize=8, va="bottom", color=COLORS["subtle"])
    bottom = 0.24 if source else 0.0
    if layout := figure.get_layout_engine():
        layout.set(rect=(0, bottom / height, 1, 1 - (top + 0.1 + bottom) / height))
    figure.alt_text = alt or f"{title}. {subtitle}".strip()
    return ax


def share_axis(axis: mpl.axis.Axis, digits: int = 0) -> None:
    """Print an axis of shares 0–1 as percent."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: percent(value, digits)))


def money_axis(axis: mpl.axis.Axis) -> None:
    """Print an axis of amounts short, without unit: the axis label names it."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: money(value, unit=False)))


def _show_figures_with_alt_text() -> None:
    """Teach a notebook to show figures as compact SVG, dense ones as PNG, each with its alternative text."""
    try:
        from IPython import get_ipython
    except ImportError:
        return
    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return
    from matplotlib_inline.config import InlineBackend

    # the backend would lay its own formatters over ours at the end of the first cell with a figure
    InlineBackend.instance(parent=shell).figure_formats = set()
    formatters = shell.display_formatter.formatters
    formatters["image/svg+xml"].for_type(Figure, functools.partial(_rendered, kind="svg"))
    formatters["image/png"].for_type(Figure, functools.partial(_rendered, kind="png"))
    formatters["text/plain"].for_type(Axes, lambda ax, printer, cycle: None)


def _rendered(figure: Figure, kind: str):
    if (kind == "png") is not getattr(figure, "dense", False):
        return None
    buffer = io.BytesIO()
    # no date in the file: the same figure is the same bytes
    figure.savefig(buffer, format=kind, metadata={"Date": None} if kind == "svg" else None)
    data = buffer.getvalue().decode() if kind == "svg" else buffer.getvalue()
    return data, {"alt": getattr(figure, "alt_text", "")}


# ---- tables and prose ----------------------------------------------------------------------------------------------


def table(
    rows: pd.DataFrame, title: str = "", note: str = "", *, flagged: pd.Series | None = None, limit: int = ROWS_SHOWN
) -> Styler:
    """Lay out a table for reading: names in the reader's language, numbers by the suffix of their column.

    Columns ending in `_share` or `_rate` are percentages, `n_` counts, `_days` whole days, `_date` dates. Beyond
    `limit` rows only the `flagged` ones (boolean, indexed as `rows`) are shown, and the note says so.
    """
    shown = rows.head(limit)
    if len(rows) > limit:
        if flagged is not None:
            more = rows.index[flagged.reindex(rows.index, fill_value=False).to_numpy(bool)]
            shown = rows.loc[rows.index[:limit].union(more, sort=False)]
        note = " ".join(filter(None, [note, say("table.cut", shown=len(shown), rows=len(rows))]))
    text = shown.copy()
    for column in text.columns:
        text[column] = [_cell(value, str(column)) for value in text[column]]
    numeric = [c for c in rows.columns if pd.api.types.is_numeric_dtype(rows[c]) and rows[c].dtype != bool]
    text.columns = [html.escape(word(column)) for column in text.columns]
    styler = text.reset_index(drop=True).style.format(escape="html").hide(axis="index")
    styler = styler.set_table_attributes('class="table"')
    styler.set_td_classes(_classes(text.reset_index(drop=True), [rows.columns.get_loc(c) for c in numeric]))
    caption = "".join(
        [f"<b>{html.escape(title)}</b>" if title else "", f"<span>{html.escape(note)}</span>" if note else ""]
    )
    return styler.set_caption(caption) if caption else styler


def _classes(text: pd.DataFrame, numeric: list[int]) -> pd.DataFrame:
    made = pd.DataFrame("", index=text.index, columns=text.columns)
    made.iloc[:, numeric] = "number"
    return made


def _cell(value: object, column: str) -> str:
    if value is None or (not isinstance(value, (list, tuple)) and pd.isna(value)):
        return "–"
    if isinstance(value, (bool, np.bool_)):
        return "✓" if value else ""
    if isinstance(value, (int, float, np.number)):
        return _number(float(value), column)
    if isinstance(value, pd.Timestamp) or column.endswith("_date"):
        return str(value)[:10]
    return word(value) if column in CODE_COLUMNS else str(value)


def _number(value: float, column: str) -> str:
    if column.endswith(("_share", "_rate")):
        return percent(value, 1)
    digits = 0 if column.startswith("n_") or column.endswith("_days") or abs(value) >= 1000 else 2
    if value == int(value) and abs(value) < 1000:
        digits = 0
    return f"{value:,.{digits}f}".replace("-", "−")


def anchor(dealer_id: str) -> str:
    """Name the place of a dealer on a page, whatever his id is made of.

    >>> anchor("10 003/ä")
    'dealer-10%20003%2F%C3%A4'
    """
    return "dealer-" + urllib.parse.quote(str(dealer_id), safe="")


class Prose:
    """Sentences as a list, escaped: a dealer's name is text and never markup."""

    def __init__(self, sentences: Iterable[str]) -> None:
        """Keep the sentences that say something."""
        self.sentences = [sentence for sentence in sentences if sentence]

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in self.sentences)
        return f'<ul class="prose">{items}</ul>'

    def __repr__(self) -> str:
        """Read as plain lines."""
        return "\n".join(self.sentences)


def terms(codes: Iterable[str]) -> Mapping[str, str]:
    """Give the names of several codes at once, for axes and legends."""
    return {code: word(code) for code in codes}
