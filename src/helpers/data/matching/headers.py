"""Headers: what a header may be, by synonyms and by the words it is made of.

`headers.csv` knows headers as systems write them, `header_words.csv` the words that people make
their own of: both say "customer number" of Kundennummer, Cust #, 客户编码 and Код клиента.
"""

import csv
import functools
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from opencc import OpenCC

from helpers import words
from helpers.settings import contract

LONGEST = 200  # characters of a header that are read: what is longer is no header
# words that narrow a header without making it another column
NEUTRAL = frozenset(
    {"local", "line", "main", "document", "base", "posting", "sales", "on", "money"}
)
# what a bracket behind a header may say about it; anything else there is a unit or a remark
IN_BRACKETS = frozenset({"gross", "net", "tax", "including", "excluding", "percent"})
SHORT_ENDS = ("nr", "no", "id", "dt", "cd", "key", "num", "code", "date", "name")
ENDING = 3  # letters that a word may have after its stem
ALONE = 0.8  # what one character alone says: 量 is a quantity, or what is left of an amount
LINKS = ("", "s", "es", "n", "en")  # between the parts of a German compound

BRACKETS = re.compile(r"[(\[{<（【《]([^()\[\]{}<>（）【】《》]*)[)\]}>）】》]")
HUMPS = re.compile(r"(?<=[a-zà-öø-ÿ0-9])(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-Z])(?=[A-Z][a-zà-öø-ÿ]{2})")
TOKENS = re.compile(r"[\u3400-\u9fff]+|[^\W\d_\u3400-\u9fff]+\d?|\d+|[#%]")
CJK = re.compile(r"[\u3400-\u9fff]")


class Match(NamedTuple):
    """What a header may be.

    `column` is "table.column", or "column" in whichever table has it, or "" for what is known and
    no column of the contract. `certainty` is 0–1; `reason` is "synonym", "words" or "part".
    """

    column: str
    certainty: float
    reason: str


@functools.cache
def _simplified() -> OpenCC:
    return OpenCC("t2s")


def _readable(header: str) -> str:
    """Cut a header to what is read of it, in one width and one script."""
    text = unicodedata.normalize("NFKC", header[:LONGEST].replace("°", "o"))
    # half a character, as a broken file gives, is none
    return _simplified().convert(text.encode(errors="replace").decode())


def written_key(header: str) -> str:
    r"""Write a header as it is looked up: case, width, blanks and script don't matter.

    >>> written_key(" Net\n Value ") == written_key("ＮＥＴ value"), written_key("客戶代號")
    (True, '客户代号')
    """
    return " ".join(_readable(header).casefold().split())


class Reading(NamedTuple):
    """The words of a header: what they mean, and how many are not known."""

    concepts: frozenset[str]
    n_unknown: int


@functools.lru_cache(maxsize=4096)
def reading(header: str) -> Reading:
    """Read the words of a header.

    >>> sorted(reading("Cust #").concepts), sorted(reading("Kundennr.").concepts)
    (['customer', 'number'], ['customer', 'number'])
    >>> sorted(reading("提货金额（不含税）").concepts), reading("Quux").n_unknown
    (['amount', 'net', 'sales'], 1)
    """
    text = _readable(header)
    found, n_unknown = set(), 0
    for inside in BRACKETS.findall(text):
        concepts = _concepts(inside).concepts
        found |= concepts if concepts and concepts <= IN_BRACKETS else frozenset()
    plain = _concepts(BRACKETS.sub(" ", text))
    found |= plain.concepts
    n_unknown += plain.n_unknown
    return Reading(_settled(frozenset(found)), n_unknown)


def _settled(concepts: frozenset[str]) -> frozenset[str]:
    """Say the same thing in one way: without tax is net, with tax is gross."""
    if "excluding" in concepts and "tax" in concepts:
        return concepts - {"excluding", "including", "tax"} | {"net"}
    if "including" in concepts and "tax" in concepts:
        return concepts - {"including", "tax"} | {"gross"}
    if "net" in concepts or "gross" in concepts:
        return concepts - {"including", "excluding"}
    return concepts


def _concepts(text: str) -> Reading:
    found: set[str] = set()
    n_unknown = 0
    for token in _tokens(text):
        told = _meaning(token.casefold())
        found |= told.concepts
        n_unknown += told.n_unknown and not token.isdigit()
    return Reading(frozenset(found), n_unknown)


def _tokens(text: str) -> list[str]:
    """Cut a text into words; at humps, too, where what is between them is none: MwSt is one."""
    whole, _stems = _words()
    found: list[str] = []
    for token in TOKENS.findall(text):
        is_word = token.casefold() in whole
        found += [token] if is_word else TOKENS.findall(HUMPS.sub(" ", token))
    return found


@functools.cache
def _words() -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """Read what words mean: whole ones, and stems that a word begins with."""
    whole, stems = {}, {}
    with (words.REFERENCE / "header_words.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            word, means = row["word"].casefold(), frozenset(row["means"].split())
            if word.endswith("*"):
                stems.setdefault(word[:-1], means)
            else:
                whole.setdefault(_simplified().convert(word), means)
    return whole, stems


@functools.lru_cache(maxsize=8192)
def _meaning(token: str) -> Reading:
    whole, stems = _words()
    if token in whole:
        return Reading(whole[token], 0)
    if CJK.match(token):
        return _chinese(token)
    if token.endswith("s") and token[:-1] in whole and len(token) > ENDING:
        return Reading(whole[token[:-1]], 0)  # several of them
    if parts := _compound(token):
        return Reading(frozenset().union(*parts), 0)
    stem = max(
        (s for s in stems if token.startswith(s) and len(token) - len(s) <= ENDING),
        key=len,
        default="",
    )
    return Reading(stems[stem], 0) if stem else Reading(frozenset(), 1)


def _chinese(token: str) -> Reading:
    """Cut a run of characters into known words, so that the fewest characters are left over."""
    whole, _stems = _words()
    # the fewest unknown characters first, then the fewest words
    best: list[tuple[int, int, frozenset[str]]] = [(0, 0, frozenset())]
    for end in range(1, len(token) + 1):
        ways = [(best[end - 1][0] + 1, best[end - 1][1] + 1, best[end - 1][2])]
        for start in range(max(0, end - 6), end):
            means = whole.get(token[start:end])
            if means is not None:
                unknown, n, before = best[start]
                ways.append((unknown, n + 1, before | means))
        best.append(min(ways, key=lambda way: way[:2]))
    return Reading(best[-1][2], min(1, best[-1][0]))


def _compound(token: str) -> list[frozenset[str]] | None:
    """Cut a compound such as kundennummer or invoicedquantity into known words."""
    if not 5 <= len(token) <= 40:
        return None
    whole, stems = _words()
    ways: dict[int, list[frozenset[str]]] = {0: []}
    for start in range(len(token)):
        if start not in ways:
            continue
        for end in range(start + 2, len(token) + 1):
            part = token[start:end]
            is_short_end = end == len(token) and part in SHORT_ENDS
            if len(part) < 3 and not is_short_end and part != "to":
                continue
            means = whole.get(part, stems.get(part))
            if means is None:
                continue
            for link in LINKS:
                if token.startswith(link, end) and end + len(link) not in ways:
                    ways[end + len(link)] = [*ways[start], means]
    found = ways.get(len(token))
    return found if found and len(found) > 1 else None


class _Rule(NamedTuple):
    columns: tuple[str, ...]
    certainty: float
    is_named: bool  # as a system writes it, not as words that people may order otherwise


@functools.cache
def _rules() -> tuple[dict[str, list[_Rule]], dict[frozenset[str], list[_Rule]]]:
    """Read `headers.csv`: rules by a header as it is written, and by what its words mean."""
    written: dict[str, list[_Rule]] = {}
    meant: dict[frozenset[str], list[_Rule]] = {}
    with (words.REFERENCE / "headers.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            columns = tuple(c for c in row["columns"].split("|") if _is_known(c))
            rule = _Rule(columns, float(row["certainty"]), bool(row["system"]))
            if row["columns"] and not columns:
                rule = rule._replace(columns=())  # of a table that this contract does not have
            if not row["system"]:
                meant.setdefault(_ruled(row["header"]), []).append(rule)
            else:
                written.setdefault(written_key(row["header"]), []).append(rule)
                written.setdefault(_plain_key(row["header"], keeps_brackets=True), []).append(rule)
    return written, meant


def _ruled(phrase: str) -> frozenset[str]:
    """Read a rule's phrase: what words mean by their own name, other words by their meaning."""
    whole, stems = _words()
    named = frozenset().union(*whole.values(), *stems.values())
    told = (frozenset({w}) if w in named else reading(w).concepts for w in phrase.split())
    return _settled(frozenset().union(*told))


def _is_known(column: str) -> bool:
    """Tell whether the contract has it: "sell_in.product_name" is the name on sell-in's lines."""
    table, _dot, name = column.rpartition(".")
    tables = contract()
    return (not table or table in tables) and any(name in columns for columns in tables.values())


def _plain_key(header: str, *, keeps_brackets: bool = False) -> str:
    """Write a header as it is looked up without its punctuation, and without its unit."""
    text = _readable(header)
    text = text if keeps_brackets else BRACKETS.sub(" ", text)
    return "=" + " ".join(TOKENS.findall(HUMPS.sub(" ", text))).casefold()


def matches(header: str) -> list[Match]:
    """List what a header may be, the most certain first; nothing for one that says nothing.

    >>> matches("Sold-to party")[0]
    Match(column='dealer_id', certainty=0.98, reason='synonym')
    >>> matches("Код клиента")[0].column, matches("Quux")
    ('dealer_id', [])
    """
    best: dict[str, Match] = {}
    for match in _all_matches(header):
        if match.certainty > best.get(match.column, Match("", 0, "")).certainty:
            best[match.column] = match
    return sorted(best.values(), key=lambda match: -match.certainty)


def _all_matches(header: str) -> Iterator[Match]:
    written, meant = _rules()
    exact = written.get(written_key(header), [])
    plain = []
    if not exact:
        plain = written.get(_plain_key(header, keeps_brackets=True), [])
        plain = plain or written.get(_plain_key(header), [])
    for rule in exact:
        yield from _told(rule, 1, "synonym")
    for rule in plain:
        yield from _told(rule, 0.99, "synonym")
    if not (exact or plain) and "/" in header[:LONGEST]:
        last = header[:LONGEST].rsplit("/", 1)[1]
        for rule in written.get(written_key(last), []):
            yield from _told(rule, 0.9, "synonym")
    said = reading(header)
    if not said.concepts:
        return
    share = 1.0 if not said.n_unknown else 0.55
    # a system's own header is that first, and only then what its words mean
    share *= 0.9 if exact else 0.97
    share *= ALONE if len(header.strip()) == 1 else 1
    if said.concepts in meant:
        for rule in meant[said.concepts]:
            yield from _told(rule, share, "words" if not said.n_unknown else "part")
        return
    if exact or plain:
        return
    inside = [concepts for concepts in meant if concepts < said.concepts]
    longest = max(map(len, inside), default=0)
    for concepts in inside:
        if len(concepts) < longest:
            continue
        is_same = said.concepts - concepts <= NEUTRAL
        for rule in meant[concepts]:
            yield from _told(
                rule, share * (0.93 if is_same else 0.5), "words" if is_same else "part"
            )


def _told(rule: _Rule, share: float, reason: str) -> Iterator[Match]:
    for column in rule.columns or ("",):
        yield Match(column, round(rule.certainty * share, 3), reason)
