"""Text of a cell without what nobody sees, and the marks that stand for no value, as SQL."""

import json
from typing import NamedTuple

# blanks of every width, line ends of cells, then what has no width at all
BLANKS = "\t\n\v\f\r\u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u202f\u205f\u3000"
UNSEEN = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u2060\ufeff"
WIDE = "".join(map(chr, range(0xFF01, 0xFF5F)))  # full-width ASCII, in ASCII's order
ASCII = "".join(map(chr, range(0x21, 0x7F)))
# what spreadsheets, data frames and people write where there is nothing; of ids only those that no
# code can be, for NA may be Namibia's
NO_ID = (
    "nan",
    "none",
    "null",
    "(null)",
    "<na>",
    "nat",
    "n/a",
    "#n/a",
    "#nv",
    "#ref!",
    "#value!",
    "#name?",
    "#null!",
    "#num!",
    "#div/0!",
    "undefined",
)
NOTHING = (*NO_ID, "na", "n.a.", "#na", "-", "--", "---", ".", "/", "无", "暂无", "空", "無")
# ways to write a minus, an apostrophe and a currency by other characters than ASCII's
_LOOKALIKES = {
    "-": "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63",
    "'": "\u2018\u2019\u02bc\u2032\u00b4`",
    "¥": "\uffe5",
    "£": "\uffe1",
    ",": "\u066b\uff64\u3001",
    "%": "\u066a",
    "2": "²",
}


class Shape(NamedTuple):
    """Values that are written alike: each digit stands as 9."""

    shape: str
    n: int
    example: str  # the smallest of them, as it stands
    flags: str = ""  # what their digits tell


def literal(text: str) -> str:
    """Write a text as SQL does."""
    return "'" + text.replace("'", "''") + "'"


def as_toml(text: str) -> str:
    r"""Write a text as TOML does, on one line: as it stands where that can be.

    >>> print(as_toml('lpad("No", 5)'), as_toml("plain"), as_toml('a "b" \'c\''))
    'lpad("No", 5)' "plain" "a \"b\" 'c'"
    """
    if '"' in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def listed(values: tuple[str, ...]) -> str:
    """Write texts as a list of SQL."""
    return f"({', '.join(map(literal, values))})"


def translated(sql: str, given: str, wanted: str) -> str:
    """Write the exchange of single characters; those of `given` beyond `wanted` are left out.

    A text of ASCII alone is left as it is, which spares a clean value the walk.
    """
    return (
        f"CASE WHEN strlen({sql}) = length({sql}) THEN {sql} "
        f"ELSE translate({sql}, {literal(given)}, {literal(wanted)}) END"
    )


def as_text(raw: str) -> str:
    """Write the cell as text, without blanks around it; an empty one is no value."""
    return f"NULLIF(TRIM(CAST({raw} AS VARCHAR)), '')"


def visible(raw: str) -> str:
    """Write what is seen of a cell: no zero width, no full width, plain blanks, none around.

    >>> import duckdb
    >>> sql = visible("'\uff21\uff11\u200b\u3000'")
    >>> duckdb.sql(f"SELECT {sql}").fetchone()
    ('A1',)
    """
    given, wanted = WIDE + BLANKS + UNSEEN, ASCII + " " * len(BLANKS)
    plain = translated(f"CAST({raw} AS VARCHAR)", given, wanted)
    # ASCII's own blanks are not among what `translated` walks for
    return f"NULLIF(TRIM(regexp_replace({plain}, '[\\t\\n\\v\\f\\r]', ' ', 'g')), '')"


def marked(raw: str) -> str:
    """Write a number or date as `visible` does, with ASCII's marks instead of their lookalikes.

    A guard that keeps a spreadsheet from reading a cell as a number is none of its value.
    """
    given = WIDE + "".join(_LOOKALIKES.values()) + BLANKS + UNSEEN
    wanted = ASCII + "".join(k * len(v) for k, v in _LOOKALIKES.items()) + " " * len(BLANKS)
    plain = translated(f"CAST({raw} AS VARCHAR)", given, wanted)
    plain = f"TRIM(regexp_replace({plain}, '[\\t\\n\\v\\f\\r]', ' ', 'g'))"
    return f"NULLIF(TRIM(regexp_replace({plain}, '^=\"(.*)\"$|^''', '\\1')), '')"


def is_nothing(sql: str, marks: tuple[str, ...] = NOTHING) -> str:
    """Write the test for a mark that stands for no value."""
    return f"coalesce(lower({sql}) IN {listed(marks)}, false)"
