"""Numbers: which style a column writes them in, and the one expression that reads it.

A style is found from the shapes of all its values, so nothing is guessed from a sample: a mark is
decimal where some value can be read with no other, and a column of which every value can be read
both ways is refused.
"""

import re
from typing import NamedTuple

from helpers.data.values.text import Shape, literal

POINT, COMMA = ".", ","
GROUP_MARKS = (",", ".", " ", "'", "_")
# as they are written → whose money it is; $ stands for that of the one who writes it
CURRENCIES = {
    "¥": "¥",
    "cny": "¥",
    "rmb": "¥",
    "人民币": "¥",
    "人民幣": "¥",
    "元": "¥",
    "圆": "¥",
    "圓": "¥",
    "hk$": "HKD",
    "hkd": "HKD",
    "nt$": "TWD",
    "twd": "TWD",
    "jpy": "JPY",
    "円": "JPY",
    "us$": "$",
    "usd": "$",
    "$": "$",
    "eur": "€",
    "€": "€",
    "gbp": "£",
    "£": "£",
    "chf": "CHF",
    "sfr.": "CHF",
    "fr.": "CHF",
    "rub": "₽",
    "руб.": "₽",
    "руб": "₽",
    "р.": "₽",
    "₽": "₽",
    "inr": "₹",
    "rs.": "₹",
    "rs": "₹",
    "₹": "₹",
    "sek": "kr",
    "nok": "kr",
    "dkk": "kr",
    "kr.": "kr",
    "kr": "kr",
    "pln": "zł",
    "zł": "zł",
    "czk": "Kč",
    "kč": "Kč",
    "krw": "₩",
    "₩": "₩",
    "brl": "R$",
    "r$": "R$",
    "try": "₺",
    "₺": "₺",
}
TIMES = {
    "千": 10**3,
    "十万": 10**5,
    "百万": 10**6,
    "百萬": 10**6,
    "千万": 10**7,
    "千萬": 10**7,
    "万": 10**4,
    "萬": 10**4,
    "亿": 10**8,
    "億": 10**8,
}
# the contract's unit → how it is written behind a number
UNITS = {
    "m²": ("m2", "m^2", "㎡", "平方米", "平方公尺", "平米", "qm", "sqm", "sq.m", "sq m", "кв.м"),
    "pieces": (
        *("件", "台", "个", "個", "只", "隻", "支", "部", "把", "套"),
        *("pcs.", "pcs", "pc.", "pc", "pieces", "piece", "units", "unit", "ea"),
        *("stk.", "stk", "stück", "st.", "st", "шт.", "шт"),
    ),
    "people": ("人", "people", "persons"),
    "degrees": ("°",),
}
LARGEST = {"degrees": 180, "0–10": 10, "1/9–9": 9}  # of a unit: what is more can't be meant
CREDIT, DEBIT = ("cr.", "cr", "贷", "貸"), ("dr.", "dr", "借")
# digits of an amount before and behind the mark that can be multiplied without an overflow
# 100,- is a hundred even, and no less than nothing
EVEN = r"[0-9⓪][.,]-{1,2}(?= ?[^0-9]*$)"
EXACT = "DECIMAL(28, 10)"


class Style(NamedTuple):
    """How the numbers of a column are written."""

    decimal: str = POINT
    currency: str = ""
    is_percent: bool = False
    has_times: bool = False
    has_side: bool = False  # Cr behind a number makes it negative
    has_power: bool = False  # 3.86E+04
    unit: str = ""  # the contract's


class Refusal(NamedTuple):
    """Why a column can't be read: a check of `findings`, how many values, and examples."""

    check: str
    n: int
    example: str


def _any(words) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=lambda w: (-len(w), w)))


def _numeral(decimal: str) -> str:
    """Write the pattern of plain digits with or without groups of three, or as India groups."""
    grouped = [
        rf"[1-9][0-9]{{0,2}}(?:[{mark}][0-9]{{3}})+" for mark in GROUP_MARKS if mark != decimal
    ]
    indian = [r"[1-9][0-9]?(?:,[0-9]{2})*,[0-9]{3}"] if decimal == POINT else []
    whole = "|".join([*grouped, *indian, "[0-9]+"])
    return rf"(?:(?:{whole})(?:[{decimal}][0-9]*)?|[{decimal}][0-9]+)"


def _pattern(decimal: str, unit: str, named: bool = True) -> str:
    """Write the pattern of a number with all that may stand around it, without its brackets."""

    def part(name: str, pattern: str) -> str:
        return f"(?P<{name}>{pattern})" if named else f"(?:{pattern})"

    units = _any(UNITS.get(unit, ()))
    behind = "|".join(filter(None, [_any(CURRENCIES), units]))
    return " ?".join(
        [
            f"(?i){part('sign', '[+-]')}?",
            f"{part('before', _any(CURRENCIES))}?",
            f"{part('sign_behind', '[+-]')}?",
            part("digits", _numeral(decimal)) + part("power", r"e[+-]?[0-9]{1,3}") + "?",
            f"{part('times', _any(TIMES))}?",
            f"{part('percent', '%')}?",
            f"{part('behind', behind)}?",
            f"{part('minus', '-')}?",
            f"{part('side', _any((*CREDIT, *DEBIT)))}?",
        ]
    )


def _parts(shape: str, decimal: str, unit: str) -> dict[str, str] | None:
    """Take a shape apart as one with this decimal mark; nothing where it is none."""
    shape = re.sub(EVEN, "9", shape)
    in_brackets = re.fullmatch(r"\((.*)\)", shape)
    found = re.fullmatch(_pattern(decimal, unit), in_brackets[1].strip() if in_brackets else shape)
    if not found:
        return None
    parts = {name: (text or "").lower() for name, text in found.groupdict().items()}
    signs = [parts["sign"], parts["sign_behind"], parts["minus"], "-" if in_brackets else ""]
    if sum(map(bool, signs)) > 1 or (any(signs) and parts["side"]):
        return None
    return parts


def number_style(
    shapes: list[Shape],
    *,
    unit: str = "",
    is_money: bool = False,
    decimal: str = "",
    has_ledger: bool = False,
) -> Style | Refusal:
    """Find the style of a column from the shapes of its values.

    Parameters
    ----------
    shapes
        Of all its values, but for those that stand for nothing; a leading zero stands as 0.
    unit
        The contract's, of which the values may bear the name.
    is_money
        Whether it is an amount, of which no percent can be read.
    decimal
        "." or ",", where a person has said it.
    has_ledger
        Whether debit and credit are sides of an account here, so that Cr is no minus.

    Returns
    -------
    Style | Refusal
        A shape that the style does not fit is none of a number: its values read as NULL.

    >>> number_style([Shape("9.999,99", 3, "1.234,50"), Shape("9.999", 2, "1.234")]).decimal
    ','
    >>> number_style([Shape("9.999", 2, "1.234")]).check
    'either_decimal'
    """
    readings = {
        shape: {
            mark: parts for mark in (POINT, COMMA) if (parts := _parts(shape.shape, mark, unit))
        }
        for shape in shapes
    }
    mark = _decimal_mark(readings, unit, decimal)
    if isinstance(mark, Refusal):
        return mark
    read = {shape: found[mark] for shape, found in readings.items() if mark in found}
    currencies: dict[str, Shape] = {}
    for shape, parts in read.items():
        for written in filter(CURRENCIES.get, (parts["before"], parts["behind"])):
            currencies.setdefault(CURRENCIES[written], shape)
    if len(currencies) > 1:
        one, other = list(currencies.values())[:2]
        n = sum(shape.n for shape, parts in read.items() if parts["before"] or parts["behind"])
        return Refusal("two_currencies", n, _side_by_side(one, other))
    percents = [shape for shape, parts in read.items() if parts["percent"]]
    if percents and (is_money or unit or len(percents) < len(read)):
        return Refusal("percent", sum(s.n for s in percents), percents[0].example)
    sides = {shape: parts["side"] for shape, parts in read.items() if parts["side"]}
    is_credit_only = len(sides) == len(read) and all(side in CREDIT for side in sides.values())
    if sides and (has_ledger or is_credit_only):
        return Refusal("credit", sum(s.n for s in sides), next(iter(sides)).example)
    return Style(
        decimal=mark,
        currency=next(iter(currencies), ""),
        is_percent=bool(percents),
        has_times=any(parts["times"] for parts in read.values()),
        has_side=bool(sides),
        has_power=any(parts["power"] for parts in read.values()),
        unit=unit,
    )


def _decimal_mark(
    readings: dict[Shape, dict[str, dict[str, str]]], unit: str, given: str
) -> str | Refusal:
    """Find which mark is decimal: the one that some value needs and none forbids."""
    if given:
        return given
    needs = {
        mark: [shape for shape, found in readings.items() if list(found) == [mark]]
        for mark in (POINT, COMMA)
    }
    if needs[POINT] and needs[COMMA]:
        n = sum(shape.n for shapes in needs.values() for shape in shapes)
        most = [max(shapes, key=lambda shape: shape.n) for shapes in needs.values()]
        return Refusal("two_decimals", n, _side_by_side(*most))
    if needs[POINT] or needs[COMMA]:
        return POINT if needs[POINT] else COMMA
    either = [
        shape
        for shape, found in readings.items()
        if len(found) == 2 and re.search("[.,]", found[POINT]["digits"])
    ]
    if not either:
        return POINT
    # a latitude of 31.234 is none of 31,234 degrees
    if unit in LARGEST and all("." in shape.shape for shape in either):
        return POINT
    n = sum(shape.n for shape in either)
    return Refusal("either_decimal", n, max(either, key=lambda shape: shape.n).example)


def _side_by_side(*shapes: Shape) -> str:
    return " and ".join(f"{shape.example!r} ({shape.n:,})" for shape in shapes)


def both_readings(example: str) -> tuple[str, str]:
    """Give what a number is with "." as its decimal mark, and with ",".

    >>> both_readings("1.234")
    ('1.234', '1234')
    """
    digits = "".join(re.findall("[0-9.,]", example))
    return tuple(
        "".join(digits.split(group)).replace(decimal, ".")
        for decimal, group in ((POINT, COMMA), (COMMA, POINT))
    )


def is_decimal(example: str, style: Style) -> bool:
    """Tell whether the mark of a number parts decimals by this style.

    >>> is_decimal("1.234", Style(".")), is_decimal("1.234", Style(","))
    (True, False)
    """
    return style.decimal in example


def contradiction(read: list[tuple[list[Shape], Style]]) -> Refusal | None:
    """Tell why values of several files can't be one column: other currencies, or only some percent.

    >>> euro, dollar = [Shape("€9", 2, "€5")], [Shape("$9", 1, "$7")]
    >>> contradiction([(euro, Style(currency="€")), (dollar, Style(currency="$"))]).example
    "'€5' (2) and '$7' (1)"
    """
    filled = [(max(shapes, key=lambda s: s.n), shapes, style) for shapes, style in read if shapes]
    currencies = {style.currency: most for most, _shapes, style in filled if style.currency}
    if len(currencies) > 1:
        n = sum(s.n for _most, shapes, style in filled if style.currency for s in shapes)
        return Refusal("two_currencies", n, _side_by_side(*list(currencies.values())[:2]))
    percents = [shapes for _most, shapes, style in filled if style.is_percent]
    if percents and len(percents) < len(filled):
        return Refusal(
            "percent", sum(s.n for shapes in percents for s in shapes), percents[0][0].example
        )
    return None


def number_sql(text: str, style: Style, is_money: bool) -> str:
    """Write what reads a column's numbers, given its `marked` text.

    Money is DECIMAL(18, 2) and never a float on its way; what is no number is NULL.
    """
    text = f"regexp_replace({text}, '([0-9])[.,]-{{1,2}}( ?[^0-9]*)$', '\\1\\2')"
    inner = _pattern(style.decimal, style.unit, named=False)
    bare = inner.removeprefix("(?i)")
    fits = f"regexp_full_match({text}, {literal(f'(?i)(?:{bare}|[(] ?{bare} ?[)])')})"
    core = f"lower({text})"
    if style.currency or style.unit:
        # "Rs." holds a mark that is none of the number's
        around = [*CURRENCIES, *UNITS.get(style.unit, ())]
        core = f"regexp_replace({core}, {literal(_any(around))}, '', 'g')"
    power = rf"({_numeral(style.decimal)}e[+-]?[0-9]{{1,3}})"
    digits = f"regexp_replace({core}, '[^0-9{style.decimal}]', '', 'g')"
    digits = f"replace({digits}, ',', '.')" if style.decimal == COMMA else digits
    negatives = f"(starts_with({text}, '(')::INT + {_count(_without_power(text, style), '-')}"
    if style.has_side:
        negatives += f" + regexp_matches({core}, {literal(_any(CREDIT))})::INT"
    negatives += ")"
    if style.has_times:
        times = " ".join(
            f"WHEN contains({core}, {literal(word)}) THEN {factor}"
            for word, factor in sorted(TIMES.items(), key=lambda item: -len(item[0]))
        )
        factor = f"CAST(CASE {times} ELSE 1 END AS DECIMAL(10, 0))"
        value = f"TRY_CAST({digits} AS {EXACT}) * {factor}"
        value = f"TRY_CAST({value} AS {'DECIMAL(18, 2)' if is_money else 'DOUBLE'})"
    else:
        value = f"TRY_CAST({digits} AS {'DECIMAL(18, 2)' if is_money else 'DOUBLE'})"
    value = f"({value} / 100)" if style.is_percent else value
    value = f"CASE {negatives} WHEN 0 THEN {value} WHEN 1 THEN -{value} END"
    if style.has_power:
        written = f"regexp_extract({core}, {literal(power)}, 1)"
        written = f"regexp_replace({written}, '[^0-9e{style.decimal}+-]', '', 'g')"
        written = f"replace({written}, ',', '.')" if style.decimal == COMMA else written
        large = f"CASE {negatives} WHEN 0 THEN {_float(written)} WHEN 1 THEN -{_float(written)} END"
        if is_money:
            small = f"CASE WHEN ABS({large}) < 0.001 THEN '0' ELSE CAST({large} AS VARCHAR) END"
            large = f"TRY_CAST({small} AS DECIMAL(18, 2))"
        value = (
            f"CASE WHEN regexp_matches({core}, '[0-9]e[+-]?[0-9]') THEN {large} ELSE {value} END"
        )
    return f"CASE WHEN {fits} THEN {value} END"


def _float(text: str) -> str:
    number = f"TRY_CAST({text} AS DOUBLE)"
    return f"(CASE WHEN isfinite({number}) THEN {number} END)"


def _without_power(text: str, style: Style) -> str:
    return f"regexp_replace({text}, '[eE]-', 'e')" if style.has_power else text


def _count(text: str, mark: str) -> str:
    return f"(length({text}) - length(replace({text}, '{mark}', '')))"
