"""Living pages: the one script of an edition, what it is told, and that nothing else can run."""

import base64
import functools
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from helpers import look, words
from helpers.press.page_body import TEMPLATES

SCRIPTS = TEMPLATES / "edition"
# what stands on a page loads nothing and runs nothing but our script, whoever wrote the data
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; script-src "
)
WHOLE = re.compile(r' data-columns="([^"]*)" data-whole="([^"]*)"')
TOLD = re.compile(r' data-(?:columns|whole|turn)="[^"]*"')
REMARK = re.compile(r"^ *//.*\n|^ +|^\n", re.MULTILINE)
NAMED = re.compile(r'(?:id="|#)(dealer-[^"]*)"')
FILTERS = ("region", "account_manager", "composite_class")
# a row that others lead to names its dealer in its first cell of a name
ROW = re.compile(
    r'(<tr id="(dealer-[^"]*)">(?:<td(?! class="name")[^>]*>[^<]*</td>)*<td class="name">)'
    r"([^<]*)(</td>)"
)
# our own drawing for a phone, as `page_body.figure` writes it
NARROW = re.compile(r'(<div class="narrow")>(<svg\b.*?</svg>)(?=</div>)', re.DOTALL)
FOR_A_PHONE = re.compile(
    r'<div class="narrow"(?: data-drawing="[^"]*"></div>|>(?:<img\b[^>]*>|<svg\b.*?</svg>)</div>)',
    re.DOTALL,
)
MOST_BYTES = 350_000  # of a page that is sent by mail, besides the rows that its tables carry
LED = re.compile(r'(<a href=")([^"]*#(dealer-[^"]*))(">)')


@functools.cache
def script(turns: bool = False) -> str:
    """Give the script of a page, with that of the turned rules where it has any.

    Without its remarks and the blanks before its lines, which are a quarter of its weight.
    """
    files = ("living.js", "turn.js") if turns else ("living.js",)
    whole = "".join((SCRIPTS / name).read_text(encoding="utf-8") for name in files)
    return REMARK.sub("", whole)


@functools.cache
def policy(script: str) -> str:
    """Say which script may run: this one, by its hash, or none.

    >>> policy("").endswith("script-src 'none'")
    True
    """
    if not script:
        return f"{POLICY}'none'"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return f"{POLICY}'sha256-{digest}'"


def facts(body: str, dealers: pd.DataFrame, links: Mapping[str, str]) -> dict[str, Any]:
    """Give what a page with tables hands to its script: `script`, `living` (words) and `dealers`.

    Parameters
    ----------
    body
        The page's markup.
    dealers
        With `dealer_id`, and those of `FILTERS` that are known.
    links
        Where a dealer is explained, by id: the card, or a row.
    """
    said = words.templates("living.") | words.templates("table.cut")
    turns = " data-turn=" in body
    said |= words.templates("turn.") if turns else {}
    told = _directory(body, dealers, links)
    return {
        "script": script(turns),
        "living": json.dumps(said, ensure_ascii=False, separators=(",", ":")),
        "dealers": look.packed(told) if told else "",
    }


def _directory(body: str, dealers: pd.DataFrame, links: Mapping[str, str]) -> dict[str, list[str]]:
    """List the dealers that a page names, with what its tables are filtered by."""
    carried: set[str] = set()
    for columns, whole in WHOLE.findall(body):
        if "dealer_id" in (names := columns.split(",")):
            carried.update(look.unpacked(whole)["cells"][names.index("dealer_id")])
    anchors = {html.unescape(name) for name in NAMED.findall(body)}
    ids = dealers["dealer_id"].astype("str")
    here = dealers[ids.isin(carried) | ids.map(look.anchor).isin(anchors)]
    if here.empty:
        return {}
    told = {"dealer_id": here["dealer_id"].map(str).to_list(), "link": [], "place": []}
    for dealer_id in told["dealer_id"]:
        address = links.get(dealer_id, "")
        # ids as they stand in addresses are not told twice
        part = next((p for p in (dealer_id, look.anchor(dealer_id)[7:]) if p and p in address), "*")
        told["link"].append(address.replace(part, "*") if part != "*" else address)
        told["place"].append("" if part == dealer_id else part)
    for column in FILTERS:
        if column in here and here[column].notna().any():
            texts = here[column].astype("object").where(here[column].notna(), "")
            told[column] = [words.fitting(str(text)) for text in texts]
    return told


def classed(dealers: pd.DataFrame, whole: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Give the dealers with their class, where a page judged them; `whole` are all tables."""
    if (judged := whole.get("abc_pareto")) is None or "composite_class" not in judged:
        return dealers
    letters = judged.drop_duplicates("dealer_id").set_index("dealer_id")["composite_class"]
    return dealers.assign(composite_class=dealers["dealer_id"].map(letters))


def still(body: str) -> str:
    """Leave out what only a page's script would read: a card has none, and shows what it prints.

    >>> still('<table class="table" data-columns="a" data-whole="eJw="><tr>')
    '<table class="table"><tr>'
    """
    return TOLD.sub("", body)


# ---- links ---------------------------------------------------------------------------------------


def fold(body: str) -> str:
    """Pack the drawings for a phone, a third of a page's weight, for its script to unfold there.

    A phone without scripts scales the wide ones. Nobody points at a dot there: names stay out.
    """

    def packed(match: re.Match) -> str:
        drawing = re.sub(r' data-names="[^"]*"', "", match[2])
        return f'{match[1]} data-drawing="{look.packed(drawing)}">'

    return NARROW.sub(packed, body)


def fitted(text: str, most: int = MOST_BYTES) -> str:
    """Leave out drawings for a phone, the heaviest first, where a whole page weighs too much.

    Who has none is shown the wide one, scaled. Chinese letters weigh most: their outlines come
    along.
    """
    drawings = FOR_A_PHONE.findall(text)
    carried = sum(len(told) for found in WHOLE.findall(text) for told in found)
    over = len(text.encode()) - carried - most
    for drawing in sorted(drawings, key=len, reverse=True):
        if over <= 0:
            break
        text = text.replace(drawing, '<div class="narrow"></div>', 1)
        over -= len(drawing)
    return text


def lead(pages: Sequence[dict], cards: Mapping[str, str]) -> None:
    """Lead a dealer's name to the card, and turn links to places that no page has into plain text.

    A table prints only some of its dealers; `cards` are addresses by the anchors of dealers.
    Changes the `body` and the `headlines` of `pages`.
    """
    for page in pages:
        page["body"] = with_cards(page["body"], cards)
    there = {page["file"]: set(re.findall(r'\bid="([^"]*)"', page["body"])) for page in pages}

    def alive(link: str, here: str) -> bool:
        file, _, place = link.partition("#")
        return not place or place in there.get(file or here, ())

    for page in pages:
        page["body"] = re.sub(
            r'<a href="([^"]*)">(.*?)</a>',
            lambda m, here=page["file"]: m[0] if alive(m[1], here) else m[2],
            page["body"],
            flags=re.DOTALL,
        )
        for line in page["headlines"]:
            line["link"] = (
                line["link"]
                if alive(line["link"], page["file"])
                else line["link"].partition("#")[0]
            )


def with_cards(body: str, cards: Mapping[str, str]) -> str:
    """Lead a dealer's name to the card, where one is printed.

    `cards` are their addresses by the anchors of dealers.

    >>> row = '<tr id="dealer-D1"><td>D1</td><td class="name">Fuhe</td></tr>'
    >>> with_cards(row, {"dealer-D1": "cards/D1.html"}).partition("</td>")[2]
    '<td class="name"><a href="cards/D1.html">Fuhe</a></td></tr>'
    """

    def row(found: re.Match) -> str:
        address = cards.get(html.unescape(found[2]))
        name = f'<a href="{html.escape(address)}">{found[3]}</a>' if address else found[3]
        return f"{found[1]}{name}{found[4]}"

    def led(found: re.Match) -> str:
        address = cards.get(html.unescape(found[3]))
        return f"{found[1]}{html.escape(address) if address else found[2]}{found[4]}"

    return LED.sub(led, ROW.sub(row, body)) if cards else body
