"""Words: every term, sentence and amount in the reader's language.

The one place that knows which language that is.
"""

import calendar
import contextlib
import csv
import difflib
import functools
import numbers
import re
import string
import unicodedata
from collections.abc import Iterable, Iterator

from opencc import OpenCC

from helpers import SHIPPED

REFERENCE = SHIPPED / "data" / "reference"
LANGUAGES = ("en", "zh-Hans", "zh-Hant")
# as amounts are followed by them in Chinese; others by their code
CURRENCIES = {
    "CNY": "元",
    "RMB": "元",
    "USD": "美元",
    "EUR": "欧元",
    "GBP": "英镑",
    "JPY": "日元",
    "HKD": "港元",
    "TWD": "新台币",
    "SGD": "新加坡元",
    "AUD": "澳元",
}
# Taiwan's words for the Mainland's, once these are in traditional letters; the longer ones first
TAIWAN = {
    "應收賬款": "應收帳款",
    "置信區間": "信賴區間",
    "工作簿": "活頁簿",
    "單元格": "儲存格",
    "平方米": "平方公尺",
    "平均值": "平均值",  # which holds a word of the Mainland's, and is none
    "客戶經理": "業務經理",
    "網絡": "網路",
    "質量": "品質",
    "數據": "資料",
    "渠道": "通路",
    "信息": "資訊",
    "默認": "預設",
    "打印": "列印",
    "文件": "檔案",
    "程序": "程式",
    "軟件": "軟體",
    "保存": "儲存",
    "導出": "匯出",
    "概率": "機率",
    "置信": "信賴",
    "均值": "平均值",
    "變量": "變數",
    "門店": "門市",
    "同比": "較去年同期",
    "環比": "較上期",
    "字段": "欄位",
    "算法": "演算法",
    "運行": "執行",
    "聚類": "分群",
    "賬": "帳",
    "“": "「",
    "”": "」",
    "‘": "『",
    "’": "』",
}
# what a number is not to be parted from at the end of a line
_UNITS = (
    "%|k|m|bn|pp|points?|days?|weeks?|months?|years?|dealers?|pieces?|models?|people|rows?|pages?|"
    "times|m²|km|stores?|shops?|calls?|lots?|tables?"
)
NO_BREAK = "\N{NO-BREAK SPACE}"
# a blank between a number and its unit, in either order: 5 days, 1.2 m, CNY 5, 5 家, 共 5
_TORN = re.compile(
    rf"(?<=\d) (?=(?:{_UNITS}|[A-Z]{{3}})(?![A-Za-z]))|(?<=\b[A-Z]{{3}}) (?=[−-]?\d)"
    r"|(?<=\d) (?=[\u4e00-\u9fff])"
)

_spoken = {"language": "en", "currency": ""}
_own: dict[str, dict[str, str]] = {}  # terms of the workbook that was opened last


def speak(language: str = "en", currency: str = "") -> None:
    """Set the language and the currency of all words that follow.

    Raises
    ------
    ValueError
        If the language is none of `LANGUAGES`.
    """
    if language not in LANGUAGES:
        raise ValueError(
            f"language: {language!r} is not known; choose one of {', '.join(LANGUAGES)}"
        )
    _spoken.update(language=language, currency=currency)


@contextlib.contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak a language for a while, as for an error about a workbook before it is opened."""
    before = dict(_spoken)
    _spoken["language"] = language
    try:
        yield
    finally:
        _spoken.update(before)


def spoken() -> str:
    """Tell which language is set."""
    return _spoken["language"]


@functools.cache
def _reference(name: str) -> dict[str, dict[str, str]]:
    """Read a reference table of words, keyed by its first column."""
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    first = next(iter(rows[0]))
    return {row[first]: row for row in rows}


def dictionary() -> dict[str, dict[str, str]]:
    """Give the terms that are shipped: term → column of `terms.csv` → text."""
    return _reference("terms")


def add_terms(own: dict[str, dict[str, str]]) -> None:
    """Let a workbook's own terms win over the shipped ones; those of another are forgotten.

    Rows as in `dictionary`. Opening a workbook does it, so that all that follows speaks its words.
    """
    if own != _own:
        _own.clear()
        _own.update(own)
        for told in (_terms, kind, key):
            told.cache_clear()


@functools.cache
def _terms() -> dict[str, dict[str, str]]:
    return {**_reference("terms"), **_own}


@functools.cache
def _letters_of_taiwan() -> OpenCC:
    # characters only: with phrases, a window of months becomes one of a computer
    return OpenCC("s2tw")


_OF_TAIWAN = re.compile("|".join(sorted(TAIWAN, key=len, reverse=True)))


@functools.cache
def traditional(text: str) -> str:
    """Write Simplified Chinese as it is written in Taiwan: its letters, words and quotes.

    >>> traditional("“网络”的数据质量")
    '「網路」的資料品質'
    """
    return _OF_TAIWAN.sub(lambda found: TAIWAN[found[0]], _letters_of_taiwan().convert(text))


def translated(en: str, zh: str) -> str:
    """Choose between the English and the Simplified Chinese words.

    Traditional is converted from Simplified.

    >>> translated("gross profit", "毛利额")
    'gross profit'
    """
    if _spoken["language"] == "en" or not zh:
        return en
    return traditional(zh) if _spoken["language"] == "zh-Hant" else zh


def label(term: str) -> str:
    """Name a column, indicator or code in the reader's language; `terms.csv` is the dictionary.

    Raises
    ------
    KeyError
        If the dictionary has no such term; the nearest one is named.
    """
    terms = _terms()
    if term not in terms:
        near = difflib.get_close_matches(term, terms, 1)
        raise KeyError(
            f"data/reference/terms.csv has no term {term!r}"
            + (f"; did you mean {near[0]!r}?" if near else "")
        )
    return translated(terms[term]["en"], terms[term]["zh"])


@functools.cache
def kind(column: str) -> str:
    """Tell what a column is.

    Id, name, code, class, money, number, share, days, count, score, date, month, text, truth.

    `terms.csv` says so of what is published and `columns.csv` of what comes in; "" where neither
    does.

    >>> kind("dealer_id"), kind("gross_profit"), kind("list_price"), kind("whatever")
    ('id', 'money', 'money', '')
    """
    if told := _terms().get(column, {}).get("kind"):
        return told
    with (REFERENCE / "columns.csv").open(encoding="utf-8", newline="") as file:
        return next((row["kind"] for row in csv.DictReader(file) if row["column"] == column), "")


@functools.cache
def key(table: str) -> tuple[str, ...]:
    """Tell which columns of a published table name its rows, as `terms.csv` says.

    None for a table it does not know.

    >>> key("abc_pareto"), key("whatever")
    (('dealer_id',), ())
    """
    return tuple(_terms().get(f"table_{table}", {}).get("key", "").split())


def letters() -> list[str]:
    """List the letters that our terms and sentences are written with in the reader's language."""
    written = (
        translated(row["en"], row["zh"])
        for rows in (_terms(), _reference("sentences"))
        for row in rows.values()
    )
    return sorted(set("".join(written)))


def word(code: object) -> str:
    """Name a code that came with the data.

    What the dictionary does not know is printed as it is.
    """
    return label(code) if code in _terms() else str(code)


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
        written = super().format_field(value, spec)
        # numbers of numpy and pandas, too
        return written.replace("-", "−") if isinstance(value, numbers.Number) else written


def say(sentence: str, **values: object) -> str:
    """Fill in a sentence of `sentences.csv` in the reader's language, fitting for a page.

    Besides Python's format specifications, `{x:money}` writes an amount, `{x:lower}` a label in
    mid-sentence and `{n:dealer|dealers}` a singular or plural.
    """
    fit = {name: fitting(v) if isinstance(v, str) else v for name, v in values.items()}
    return message(sentence, **fit)


def message(sentence: str, **values: object) -> str:
    """Fill in a sentence as `say` does, with its values whole: a path or an example to copy."""
    sentences = _reference("sentences")
    if sentence not in sentences:
        near = difflib.get_close_matches(sentence, sentences, 1)
        raise KeyError(
            f"data/reference/sentences.csv has no {sentence!r}"
            + (f"; did you mean {near[0]!r}?" if near else "")
        )
    return _Plural().vformat(
        translated(sentences[sentence]["en"], sentences[sentence]["zh"]), (), values
    )


def templates(beginning: str) -> dict[str, str]:
    """Give the sentences whose keys begin so, for a page that fills them in itself.

    >>> templates("table.empt")
    {'table.empty': 'There is nothing to list.'}
    """
    return {
        name: translated(row["en"], row["zh"])
        for name, row in _reference("sentences").items()
        if name.startswith(beginning)
    }


def fitting(text: str, word_most: int = 60, most: int = 2000) -> str:
    """Give text from data as it can stand on a page.

    On one line, in its own direction, no word longer than a line.

    Tables in CSV hold it whole.

    >>> fitting("Fuhe\\r\\u202e" + "x" * 99, 12)
    'Fuhe xxxxxxxxxxx…'
    """
    if len(text) <= word_most and text.isprintable():
        return text
    text = re.sub("[\t-\r\x1c-\x1f\x85\u2028\u2029]+", " ", text)
    # these would turn the rest of the sentence, too
    text = re.sub("[\u202a-\u202e\u2066-\u2069]", "", text)
    text = re.sub(
        rf"[^\s,;:，。；、：！？·|/()（）]{{{word_most + 1},}}",
        lambda word: word[0][: word_most - 1] + "…",
        text,
    )
    return text if len(text) <= most else text[: most - 1] + "…"


def listed(names: Iterable[object], most: int = 5) -> str:
    """Join names for a sentence; past `most` the rest is counted.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    names = [fitting(str(name)) for name in names]
    shown, rest = names[:most], len(names) - most
    if _spoken["language"] == "en":
        comma = "; " if any("," in name for name in shown) else ", "  # "Fuhe, Yingling" is one shop
        return comma.join(shown) + (f" and {rest} more" if rest > 0 else "")
    return "、".join(shown) + (translated("", f"等{len(names)}家") if rest > 0 else "")


def money(amount: float, *, unit: bool = True) -> str:
    """Write an amount short, as the language counts: thousands and millions, or 万 and 亿.

    >>> money(1_234_567), money(-1_234_567, unit=False)
    ('1.23 m', '−1.23 m')
    """
    if amount is None or amount != amount:
        return "–"
    scale = _scale(abs(amount))
    return _amount(amount, scale, _decimals(abs(amount) / scale, scale), unit)


def amounts(values: Iterable[float], *, unit: bool = True) -> list[str]:
    """Write the amounts of one column alike: the largest chooses scale and decimals of all.

    >>> amounts([13_120_000, -657_000, float("nan")])
    ['13.1 m', '−0.7 m', '–']
    """
    values = list(values)
    largest = max((abs(value) for value in values if value == value), default=0.0)
    scale = _scale(largest)
    digits = _decimals(largest / scale, scale)
    return ["–" if v is None or v != v else _amount(v, scale, digits, unit) for v in values]


def scale_of(size: float) -> tuple[float, str]:
    """Tell how an amount of a size is counted: by what it is divided, and that unit's name.

    >>> scale_of(62_737_501.4), scale_of(950.0)
    ((1000000.0, 'm'), (1.0, ''))
    """
    scale = _scale(0.0 if size != size else abs(size))
    return scale, dict(_scales()).get(scale, "")


def _scales() -> tuple[tuple[float, str], ...]:
    if _spoken["language"] == "en":
        return ((1e9, "bn"), (1e6, "m"), (1e3, "k"))
    return ((1e8, translated("", "亿")), (1e4, translated("", "万")))


def _scale(size: float) -> float:
    """Choose what an amount is counted in: 999 999 is "1 m", not "1,000 k", as it is printed."""
    return next((at for at, _ in _scales() if size >= max(at * 0.9995, 9999.5)), 1.0)


def _decimals(value: float, scale: float) -> int:
    return 0 if scale == 1 else digits_of(value)


def digits_of(value: float) -> int:
    """Count the decimals by which a number has three digits.

    >>> digits_of(62.7), digits_of(571.1), digits_of(0.8)
    (1, 0, 2)
    """
    return 0 if value >= 99.95 else 1 if value >= 9.995 else 2


def _amount(amount: float, scale: float, digits: int, unit: bool) -> str:
    suffix = dict(_scales()).get(scale, "")
    value = abs(amount) / scale
    sign = "−" if amount < 0 and round(value, digits) > 0 else ""
    number, named = f"{value:,.{digits}f}", currency() if unit else ""
    if _spoken["language"] == "en":
        return sign + " ".join(filter(None, [named, number, suffix]))
    return sign + f"{number} {suffix}{named}".rstrip()


def currency() -> str:
    """Name the currency as amounts do, in Chinese by its word; "" where none is set.

    >>> currency()
    ''
    """
    code = _spoken["currency"]
    return translated(code, CURRENCIES.get(code.upper(), code))


def signed_money(amount: float, *, unit: bool = True) -> str:
    """Write a change of an amount with its sign.

    >>> signed_money(1_234_567.0), signed_money(-5.0)
    ('+1.23 m', '−5')
    """
    return ("+" if amount > 0 else "") + money(amount, unit=unit)


def percent(share: float, digits: int = 0) -> str:
    """Write a share; a missing one is a dash.

    >>> percent(0.734), percent(float("nan"))
    ('73%', '–')
    """
    return "–" if share is None or share != share else f"{decimal(share * 100, digits)}%"


def decimal(value: float, digits: int = 2) -> str:
    """Write a number with thousands separators and a true minus sign; what rounds to zero has none.

    >>> decimal(-1234.5, 1), decimal(-0.001)
    ('−1,234.5', '0.00')
    """
    return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "−")


def signed(value: float, digits: int = 0) -> str:
    """Write a difference with its sign; what rounds to zero is a plus.

    >>> signed(-1234.56, 1), signed(-0.04, 1)
    ('−1,234.6', '+0.0')
    """
    return f"{round(value, digits) + 0.0:+,.{digits}f}".replace("-", "−")


def change(now: float, before: float, digits: int = 1) -> str:
    """Write a change against something above zero in percent.

    >>> change(110, 100), change(99.99, 100, 0)
    ('+10.0%', '+0%')
    """
    return f"{signed((now / before - 1) * 100, digits)}%"


def month_name(period: str) -> str:
    """Write a month as the language does.

    >>> month_name("2026-10")
    'October 2026'
    """
    year, month = int(period[:4]), int(period[5:])
    return translated(f"{calendar.month_name[month]} {year}", f"{year}年{month}月")


def bound(text: str) -> str:
    """Keep each number on one line with its unit, by no-break spaces; nothing else is changed.

    For what is printed: text that goes into tables of data keeps its plain blanks.

    >>> bound("CNY 1.23 m in 12 days at 5").replace(chr(160), "_")
    'CNY_1.23_m in 12_days at 5'
    """
    return _TORN.sub(NO_BREAK, text)


def width(text: str) -> int:
    """Count the places a text takes where all letters are as wide: a Chinese character takes two.

    >>> width("A 类")
    4
    """
    return len(text) + (
        0
        if text.isascii()
        else sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    )
