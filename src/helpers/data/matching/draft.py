"""Draft: a commented `workbook.toml` of what was placed; what was not is a question in it.

Whatever a file says is data: headers, sheets and paths are written as texts of TOML and names of
SQL, in comments with their control characters shown.
"""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from opencc import OpenCC

from helpers.data import readers
from helpers.data.mapping import quoted
from helpers.data.matching import headers, placing
from helpers.data.matching.placing import KEYS, Placed, Placement
from helpers.data.matching.values import CLOCK
from helpers.data.values.text import as_toml
from helpers.settings import contract, is_file, refusal

SHOWN = 60  # characters of a text from a file in a comment
MOST_NAMED = 15  # headers in a comment
NATIVE = ("%Y-%m-%d", "%Y/%m/%d")  # days that are read without a format
TYPED = (".parquet", ".pq", ".feather", ".arrow")  # elsewhere every column is text
PLAIN_NAME = re.compile(r"\w(?:[\w .-]{0,62}[\w-])?")
CURRENCIES = {
    "USD": re.compile(r"\$|\bUSD\b|\bdollars?\b", re.IGNORECASE),
    "EUR": re.compile(r"€|\bEUR\b|\beuros?\b", re.IGNORECASE),
    "CNY": re.compile(r"[¥￥元]|\b(?:CNY|RMB)\b", re.IGNORECASE),
    "RUB": re.compile(r"₽|\bRUB\b|\bруб", re.IGNORECASE),
    "INR": re.compile(r"₹|\bINR\b", re.IGNORECASE),
    "GBP": re.compile(r"£|\bGBP\b", re.IGNORECASE),
}
REASONS = {
    "synonym": "known from exports",
    "words": "by its words",
    "part": "by some of its words only",
    "only_dates": "the only column of dates",
    "rivals": "another header says the same",
    "table": "it depends on which table this is",
    "told": "as you said",
}
TABLES = {
    "sell_in": "what we sold to dealers, line by line",
    "sell_out": "what dealers sold to consumers, line by line",
    "payments": "what dealers paid us",
    "balances": "what dealers owed us on a day",
    "dealers": "the dealers, one on each row",
    "products": "the products, one on each row",
    "stock": "what dealers have in stock",
    "stock_moves": "what came in and went out of dealers' stock",
    "dealer_profit": "what dealers earned, by month and brand",
    "consumers": "the consumers, one on each row",
    "promotions": "the promotions, one on each row",
    "contacts": "which consumers were contacted",
}


class Choices(NamedTuple):
    """What a person decided beside tables and columns."""

    brand: str = ""
    formats: Mapping[tuple[int, int], str] = {}  # (sheet, position) → how its days are written


def shown(value: str, most: int = SHOWN) -> str:
    r"""Show a text from a file in a comment or a question: on one line, nothing hidden in it.

    >>> shown("Net\nValue\x1b[31m")
    'Net\\nValue\\x1b[31m'
    """
    cut = value[:most] + "…" * (len(value) > most)
    return "".join(
        c if c.isprintable() or unicodedata.category(c) == "Zs" else repr(c)[1:-1] for c in cut
    )


def located(file: str, folder: Path) -> str:
    """Write a file's path as a toml in a folder names it.

    Raises
    ------
    DataError
        If the name holds what a toml fills in.
    """
    path = Path(file).expanduser().resolve()
    try:
        told = os.path.relpath(path, folder)
    except ValueError:  # on another drive
        told = str(path)
    told = told.replace(os.sep, "/")
    told = told if is_file(told) else f"./{told}"
    if "${" in told or not told.isprintable():
        raise refusal("map_name", file=shown(told, 200))
    # a name before a colon would be taken for an address
    return told if not re.match(r"[A-Za-z][\w+.-]+:", told) else f"./{told}"


def draft(found: Sequence[Placed], out: Path, choices: Choices) -> str:
    """Write the toml of some sheets.

    The first sheet of a table is its source; a table of lines that repeats its dealers or products
    is split by queries where no file has them.

    Parameters
    ----------
    found
        The sheets, placed.
    out
        Where the toml will lie: paths are relative to its folder.

    Raises
    ------
    DataError
        If a file can't be named.
    """
    chosen = _chosen(found)
    folder = out.expanduser().resolve().parent
    files = _files(found, chosen, folder)
    parts = [_head(found, out, choices)]
    parts.append(["[data]", 'engine = "duckdb://"'])
    if files:
        parts.append(
            ["[data.files]                     # what the queries below are made of"]
            + [f"{name} = {as_toml(located(file, folder))}" for file, name in files.items()]
        )
    for table in contract():
        if table in chosen:
            position = chosen[table]
            parts.append(_table(found[position], position, folder, choices))
        elif table in KEYS:
            parts += _split(found, chosen, table, files)
    parts += _left_out(found, chosen)
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _chosen(found: Sequence[Placed]) -> dict[str, int]:
    """Choose one sheet for each table, the one that is surest."""
    chosen: dict[str, int] = {}
    for position, placed in enumerate(found):
        # a table of which nothing is known is none
        if not placed.sure():
            continue
        before = chosen.get(placed.table)
        if before is None or placed.confidence > found[before].confidence:
            chosen[placed.table] = position
    return chosen


def _wide(found: Sequence[Placed], chosen: Mapping[str, int], table: str) -> int | None:
    """Find the sheet that repeats a table's columns on its lines, where no sheet is that table."""
    if table in chosen:
        return None
    sources = [
        position
        for position in chosen.values()
        if KEYS[table] in found[position].sure() and found[position].sure(table)
    ]
    return max(sources, default=None, key=lambda position: len(found[position].sure(table)))


def _files(found: Sequence[Placed], chosen: Mapping[str, int], folder: Path) -> dict[str, str]:
    named: dict[str, str] = {}
    for table in KEYS:
        position = _wide(found, chosen, table)
        if position is not None:
            file = found[position].sheet.file
            named.setdefault(file, "export" if not named else f"export_{len(named) + 1}")
    return named


# ---- the workbook's head -------------------------------------------------------------------------


def _head(found: Sequence[Placed], out: Path, choices: Choices) -> list[str]:
    name = out.expanduser().resolve().parent.name
    name = name if PLAIN_NAME.fullmatch(name) else "workbook"
    currency, brands = currency_of(found), brands_of(found)
    brand = "ours, as the brand column writes it; empty: all lines are ours"
    if brands and not choices.brand:
        (first, n), total = brands[0], sum(n for _brand, n in brands)
        brand = (
            f"QUESTION: which brand is ours? The most frequent of {len(brands)} in the first rows "
            f"is {as_toml(shown(first))} ({n / total:.0%})"
        )
    said = "as the files write it" if currency else "QUESTION: which? The files don't say"
    n_files = len({placed.sheet.file for placed in found})
    return [
        f"# Drafted by `workbook map` from {n_files} file{'s' if n_files != 1 else ''}. Behind a "
        "column stands how sure it is (0–1), and why.",
        "# What is not sure is a comment: take off its # where it is right, then `workbook check`.",
        "[workbook]",
        f"name = {as_toml(name)}",
        f"title = {as_toml(name)}",
        f"brand = {as_toml(choices.brand)}  # {brand}",
        f"currency = {as_toml(currency)}  # {said}",
        f'language = ["{language_of(found)}"]  # en, zh-Hans, zh-Hant',
    ]


def currency_of(found: Sequence[Placed]) -> str:
    """Tell the currency that headers or a column of currencies name; "" where they don't."""
    for placed in found:
        for position, header in enumerate(placed.sheet.header):
            if headers.reading(header).concepts == {"currency"}:
                cells = {row[position] for row in placed.sheet.rows if position < len(row)}
                if len(cells) == 1 and re.fullmatch(r"[A-Z]{3}", only := cells.pop()):
                    return only
    said = "\n".join(header for placed in found for header in placed.sheet.header)
    named = [code for code, pattern in CURRENCIES.items() if pattern.search(said)]
    return named[0] if len(named) == 1 else ""


def brands_of(found: Sequence[Placed]) -> list[tuple[str, int]]:
    """Count the brands on the rows that were read, the most frequent first.

    Nothing where there are fewer than two: then all lines are ours.
    """
    for placed in found:
        for table in (placed.table, "products"):
            if "brand" in placed.sure(table):
                position = placed.sure(table)["brand"].position
                cells = [row[position].strip() for row in placed.sheet.rows if position < len(row)]
                counted = Counter(cell for cell in cells if cell)
                if len(counted) > 1:
                    return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return []


def language_of(found: Sequence[Placed]) -> str:
    """Tell the language of the pages from that of most headers."""
    said = [header for placed in found for header in placed.sheet.header]
    chinese = [header for header in said if headers.CJK.search(header)]
    if 2 * len(chinese) <= len(said):
        return "en"
    joined = "".join(chinese)
    return "zh-Hans" if OpenCC("t2s").convert(joined) == joined else "zh-Hant"


# ---- tables --------------------------------------------------------------------------------------


def _table(placed: Placed, position: int, folder: Path, choices: Choices) -> list[str]:
    """Write the section of a table; as comments where a table beside the sales is not whole."""
    table, sure = placed.table, placed.sure()
    missing = placed.missing()
    is_whole = not missing or table in ("sell_in", "sell_out")
    lines = [f"[data.{table}]  # {placed.confidence:.2f}: {TABLES.get(table, table)}"]
    if placed.rivals:
        lines.append(f"# QUESTION: or is it {' or '.join(placed.rivals)}?")
    lines.append(f"source = {as_toml(located(placed.sheet.file, folder))}")
    lines += _read_as(placed)
    lines.append(f"[data.{table}.columns]")
    lines += [_placed_line(column, sure[column]) for column in contract()[table] if column in sure]
    lines += _questions(placed, missing)
    lines += _formats(placed, position, choices)
    if not is_whole:
        why = f"# {', '.join(missing)}: not found, so that {table} can't be read yet"
        return [why, *(line if line.startswith("#") else f"# {line}" for line in lines)]
    return lines


def _read_as(placed: Placed) -> list[str]:
    return [f"read = {{ sheet = {as_toml(placed.sheet.name)} }}"] if placed.sheet.name else []


def _placed_line(column: str, placement: Placement) -> str:
    reason = REASONS.get(placement.reason, placement.reason)
    return f"{column} = {as_toml(placement.header)}  # {placement.confidence:.2f} {reason}"


def _questions(placed: Placed, missing: Sequence[str]) -> list[str]:
    """Write what is not placed, as comments that become right by taking off their #."""
    lines = []
    own = contract()[placed.table]
    doubtful = [p for p in placed.placements if p.column and not p.is_sure]
    named = {p.column for p in doubtful}
    lines += [
        f"# QUESTION: which header is {column} ({own[column].meaning})?"
        for column in missing
        if column not in named
    ]
    for p in doubtful:
        if p.column in placed.sure(p.table):
            continue
        of = "" if p.table == placed.table else f" (of {p.table})"
        reason = REASONS.get(p.reason, p.reason)
        lines.append(f"# {p.column} = {as_toml(p.header)}  # {p.confidence:.2f}?{of} {reason}")
    lines += _computed(placed)
    sure = {p.position for p in placed.placements if p.is_sure and p.column}
    doubted = {p.position for p in doubtful}
    rest = [
        shown(header)
        for i, header in enumerate(placed.sheet.header)
        if i not in sure | doubted and header.strip()
    ]
    if rest:
        more = f" and {len(rest) - MOST_NAMED} more" if len(rest) > MOST_NAMED else ""
        lines.append(f"# not used: {', '.join(rest[:MOST_NAMED])}{more}")
    if why := _no_year(placed):
        lines.append(f"# QUESTION: {why}")
    return lines


def _no_year(placed: Placed) -> str:
    """Say what is missing where a sheet has a column for each month, of no year."""
    if not readers.months_of(placed.sheet.header, "2000"):
        return ""
    return (
        "its months name no year: write 2026-01 and so on above them, or the year in a title above "
        "the header"
    )


def _computed(placed: Placed) -> list[str]:
    """Propose what pieces and a price of one make, where no header has it."""
    sure = placed.sure()
    if placed.table != "sell_in" or "quantity" not in sure:
        return []
    lines = []
    said = {
        i: headers.reading(header).concepts
        for i, header in enumerate(placed.sheet.header)
        if placing.usable(header, placed.sheet.header)
    }
    taken = {p.position for p in placed.placements if p.is_sure and p.column}
    for column, wanted in (
        ("cost", ({"unit", "cost"}, {"purchase", "price"}, {"average", "cost"})),
        ("revenue", ({"unit", "price"}, {"price"})),
    ):
        if column in sure:
            continue
        price = next(
            (i for want in wanted for i in said if want <= said[i] and i not in taken), None
        )
        if price is not None:
            names = (placed.sheet.header[price], sure["quantity"].header)
            product = " * ".join(f"CAST({quoted(name)} AS DECIMAL(18, 2))" for name in names)
            lines.append(f"# {column} = {as_toml(product)}  # 0.50? of one piece, times pieces")
    return lines


def _formats(placed: Placed, position: int, choices: Choices) -> list[str]:
    """Write how days are written where that is not read by itself; a question where it is open."""
    lines = []
    for column, placement in placed.sure().items():
        if contract()[placed.table][column].kind not in ("date", "month"):
            continue
        forms = placed.formats.get(placement.position, ())
        told = choices.formats.get((position, placement.position))
        if told:
            forms = (told,)
        if not forms or forms[0] in NATIVE:
            continue
        clock = clock_of(placed, placement.position)
        # a year of two digits may be the day: a person says which
        if len(forms) == 1 and (told or not forms[0].lower().endswith("%y") or "%Y" in forms[0]):
            lines.append(f"{column} = {as_toml(forms[0] + clock)}")
        else:
            example = next(row[placement.position] for row in placed.sheet.rows if row)
            lines.append(
                f"# QUESTION: {as_toml(shown(example))} can be read in more than one way: which?"
            )
            lines += [f"# {column} = {as_toml(form + clock)}" for form in forms]
    if not lines:
        return []
    return [f"[data.{placed.table}.format]", *lines]


def clock_of(placed: Placed, position: int) -> str:
    """Tell how the time behind a day is written, as strptime says it; "" where there is none."""
    cells = [row[position].strip() for row in placed.sheet.rows if position < len(row)]
    clocks = {found.group() for cell in cells if (found := CLOCK.search(cell))}
    if not clocks:
        return ""
    return " %H:%M:%S" if all(clock.count(":") == 2 for clock in clocks) else " %H:%M"


# ---- one wide export -----------------------------------------------------------------------------


def _split(
    found: Sequence[Placed], chosen: Mapping[str, int], table: str, files: Mapping[str, str]
) -> list[list[str]]:
    """Write the query that takes dealers or products out of the lines that repeat them."""
    position = _wide(found, chosen, table)
    if position is None:
        return []
    placed = found[position]
    key = placed.sure()[KEYS[table]]
    is_typed = placed.sheet.file.lower().endswith(TYPED)
    # blanks around an id are no other id; where a file has types, the mapping sees to it
    by = quoted(key.header) if is_typed else f"trim({quoted(key.header)})"
    columns = placed.sure(table)
    selected = [_last(columns[c].header, c) for c in contract()[table] if c in columns]
    query = "\n".join(
        [
            f"select {by} as {KEYS[table]},",
            *(f"       {one}," for one in selected[:-1]),
            f"       {selected[-1]}",
            f"from {files[placed.sheet.file]} where {quoted(key.header)} is not null group by 1",
        ]
    )
    lines = [
        f"[data.{table}]  # the columns that each line repeats; of several texts the last by "
        "alphabet",
        *(
            f"# {c}: {as_toml(columns[c].header)}  # {columns[c].confidence:.2f} "
            f"{REASONS.get(columns[c].reason, columns[c].reason)}"
            for c in contract()[table]
            if c in columns
        ),
        f"query = {block(query)}",
        *_read_as(placed),
    ]
    return [lines]


def _last(header: str, column: str) -> str:
    name = quoted(header)
    if column == "list_price":  # as text, 9 would be more than 10
        name = f"try_cast({name} as decimal(18, 2))"
    return f"max({name}) as {column}"


def block(query: str) -> str:
    """Write a query as TOML does: as it stands where its text allows it, else on one line."""
    is_plain = "'''" not in query and all(c.isprintable() or c == "\n" for c in query)
    return f"'''\n{query}\n'''" if is_plain and not query.endswith("'") else as_toml(query)


def unused(found: Sequence[Placed]) -> list[str]:
    """Name the sheets of which nothing is read, with their rows, for a person to hear of them."""
    taken = _chosen(found).values()
    names = []
    for position, placed in enumerate(found):
        if position not in taken:
            sheet = f", sheet {shown(placed.sheet.name)!r}" if placed.sheet.name else ""
            names.append(f"{shown(placed.sheet.file, 200)}{sheet}")
    return names


def _left_out(found: Sequence[Placed], chosen: Mapping[str, int]) -> list[list[str]]:
    """Say which sheets are not used, and what they may be."""
    lines = []
    for position, placed in enumerate(found):
        if position in chosen.values():
            continue
        name = f" sheet {as_toml(shown(placed.sheet.name))}" if placed.sheet.name else ""
        file = as_toml(shown(placed.sheet.file, 200))
        if placed.sure():
            lines.append(
                f"# {file}{name} looks like {placed.table}, too ({placed.confidence:.2f}): name "
                'both by a pattern such as "2026/*.csv" where their headers are the same'
            )
        else:
            why = _no_year(placed) or "nothing in it is known to be of a table"
            lines.append(f"# {file}{name}: {why}")
    return [lines] if lines else []
