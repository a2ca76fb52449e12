"""Ids and names: what nobody sees of them is read away, what a spreadsheet destroyed is refused."""

import unicodedata

from helpers.data.values.text import (
    BLANKS,
    NO_ID,
    UNSEEN,
    WIDE,
    as_text,
    is_nothing,
    listed,
    literal,
    visible,
)

# of goods, as a stock ledger in Chinese or a till in English writes what `kind` calls otherwise
MOVE_WORDS = {
    "opening": ("期初", "期初库存", "期初庫存", "期初余额", "opening stock", "opening balance"),
    "receipt": (
        "入库",
        "入庫",
        "采购入库",
        "採購入庫",
        "进货",
        "進貨",
        "收货",
        "收貨",
        "到货",
        "receipts",
    ),
    "sale": ("销售", "銷售", "销售出库", "銷售出庫", "售出", "零售", "sales", "sold"),
    "return": (
        "退货",
        "退貨",
        "销售退货",
        "銷售退貨",
        "顾客退货",
        "客户退货",
        "returns",
        "returned",
    ),
    "transfer": (
        "调拨",
        "調撥",
        "调出",
        "調出",
        "调拨出库",
        "調撥出庫",
        "transfers",
        "transfer out",
    ),
}
# a long number that a spreadsheet wrote as a float: what stood behind its digits is lost
DESTROYED = "[0-9]([.,][0-9]+)?[eE][+][0-9]{1,3}"
MAX_FLOAT = 2**53  # above it, a float no longer tells one whole number from the next


def odd_id(raw: str) -> str:
    """Write the cheap test for an id that may not be what it looks like."""
    text = f"CAST({raw} AS VARCHAR)"
    tests = [
        f"strlen({text}) <> length({text})",
        f"contains({text}, '.0')",
        f"contains({text}, '+')",
        f"contains({text}, '\"')",
        f"({text} < '!' AND {text} <> '')",
        f"(right({text}, 1) < '!' AND {text} <> '')",
        f"starts_with({text}, '''')",
        is_nothing(text, NO_ID),
    ]
    return f"({' OR '.join(tests)})"


def odd_text(raw: str) -> str:
    """Write the test for a text that holds what has no width, or a line's end at its edge."""
    text = f"CAST({raw} AS VARCHAR)"
    return (
        f"((strlen({text}) <> length({text}) AND regexp_matches({text}, '[{UNSEEN}]')) OR "
        f"(right({text}, 1) < ' ' AND {text} <> '') OR ({text} < ' ' AND {text} <> ''))"
    )


def odd_brand(raw: str, ours: str) -> str:
    """Write the test for a brand that is written wide, or with a strange blank."""
    text = f"CAST({raw} AS VARCHAR)"
    strange = f"[{BLANKS}{WIDE}]|^ | $|  "
    test = f"regexp_matches({text}, {literal(strange)})"
    if ours != seen(ours):  # the settings themselves hold what nobody sees
        test += f" OR {text} = {literal(seen(ours))}"
    return f"({test})"


def odd_move(raw: str) -> str:
    """Write the test for a word that is not one of the contract's for a move of goods."""
    return f"(TRIM(CAST({raw} AS VARCHAR)) NOT IN {listed(tuple(MOVE_WORDS))})"


def plain_id(raw: str) -> str:
    """Write an id as it is seen, without the guards that keep a spreadsheet from reading it."""
    return f"NULLIF(TRIM(regexp_replace({visible(raw)}, '^=\"(.*)\"$|^''([0-9]+)$', '\\1\\2')), '')"


def id_sql(raw: str, is_float_text: bool) -> str:
    """Write what reads a column of ids: `plain_id`, of which none is nobody's.

    `is_float_text` says that all that have a point end in .0, as a data frame writes whole numbers
    where one is missing.
    """
    text = plain_id(raw)
    value = f"regexp_replace({text}, '^([0-9]+)[.]0+$', '\\1')" if is_float_text else text
    return f"CASE WHEN NOT {is_nothing(text, NO_ID)} THEN {value} END"


def text_sql(raw: str) -> str:
    """Write a text without what has no width, and without blanks around it.

    Its widths stay: a name is printed as its writer wants it.
    """
    kept = f"translate(CAST({raw} AS VARCHAR), {literal(UNSEEN)}, '')"
    return f"NULLIF(regexp_replace({kept}, '^[{BLANKS} ]+|[{BLANKS} ]+$', '', 'g'), '')"


def seen(text: str) -> str:
    r"""Fold a name to what is seen of it: one width, single blanks, nothing without width.

    >>> seen("\uff2e\uff2f\uff32\u200b\u00a0"), seen("A\u3000 B")
    ('NOR', 'A B')
    """
    shown = "".join(letter for letter in text if letter not in UNSEEN)
    return " ".join(unicodedata.normalize("NFKC", shown).split())


def respelt_brands(found: list[str], ours: str) -> dict[str, str]:
    """Map each brand that is written with something unseen to the brand it is.

    Ours is written as the settings write it; other cases of its letters are another spelling.

    >>> respelt_brands(["Nor\u00a0", "NOR", "Rival", "\uff32ival"], "Nor")
    {'Nor\\xa0': 'Nor', 'Ｒival': 'Rival'}
    """
    known = {}
    for text in found:
        plain = seen(text)
        if ours and plain == seen(ours):
            plain = ours
        if plain != text.strip(" "):
            known[text] = plain
    return known


def respelt_moves(found: list[str]) -> dict[str, str]:
    """Map the words of a stock ledger to the contract's kinds of moves."""
    kinds = {word: kind for kind, words in MOVE_WORDS.items() for word in (kind, *words)}
    wanted = {text: kinds.get(seen(text).casefold()) for text in found}
    return {text: kind for text, kind in wanted.items() if kind and kind != text.strip(" ")}


def respelt_sql(raw: str, spellings: dict[str, str]) -> str:
    """Write the exchange of whole texts."""
    cases = " ".join(
        f"WHEN {literal(given)} THEN {literal(wanted)}" for given, wanted in spellings.items()
    )
    return f"CASE CAST({raw} AS VARCHAR) {cases} ELSE {as_text(raw)} END"
