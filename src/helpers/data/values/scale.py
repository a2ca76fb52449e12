"""Scale: headers that say in thousands of what the amounts under them are, and in what money."""

import re

from helpers.data.values import numbers

CURRENCIES = r"(?:eur|usd|cny|rmb|gbp|inr|€|\$|£)(?![a-z])"
_MONEY = r"(?:eur|usd|cny|rmb|gbp|inr|chf|€|\$|£|¥)"
# the first that fits tells: 百万 is a million, and holds 万
SCALES = tuple(
    (re.compile(written, re.IGNORECASE), times)
    for written, times in (
        (
            rf"百万|百萬|\bmillions?\b|\bmillionen\b|\bmio\b|\bmln\b|млн|(?<![a-z])m{CURRENCIES}"
            rf"|{_MONEY}\s?(?:m|mio|mn)\b",
            10**6,
        ),
        (r"\bcrores?\b", 10**7),
        (r"\blakhs?\b", 10**5),
        (r"[万萬](?:元|円|圆)", 10**4),
        (
            rf"千元|\bthousands?\b|\btausend\b|\btsd\b|\bmilliers\b|\ben miles\b|\bmiles de\b"
            rf"|'000|тыс|(?<![a-z])[kt]{CURRENCIES}|{_MONEY}\s?(?:'?000s?|k)\b",
            10**3,
        ),
    )
)
LIKE = {"$": ("HKD", "TWD"), "¥": ("JPY",)}  # others that are written by the same sign


def factor(header: str) -> int:
    """Tell by what the amounts under a header are to be multiplied.

    >>> [factor(text) for text in ("金额(万元)", "百万元", "TEUR", "Sales (k€)", "Token")]
    [10000, 1000000, 1000, 1000, 1]
    >>> [factor(text) for text in ("Sales (€000)", "Sales $'000", "Umsatz Mio", "EUR market")]
    [1000, 1000, 1000000, 1]
    """
    return next((times for written, times in SCALES if written.search(header)), 1)


def is_other(code: str, currency: str) -> bool:
    """Tell whether a code is another currency than the workbook's: both known, and not the same.

    >>> is_other("USD", "EUR"), is_other("RMB", "CNY"), is_other("USD", "points")
    (True, False, False)
    """
    one, other = (numbers.CURRENCIES.get(text.strip().casefold()) for text in (code, currency))
    is_like = code.strip() in LIKE and other in LIKE[code.strip()]
    return bool(one and other and one != other and not is_like)
