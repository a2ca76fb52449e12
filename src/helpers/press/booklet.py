"""The booklet: an edition in one language as one document for paper, its links within, with a table
of contents that knows its pages.

It is composed of the edition's finished pages, printed by `pdf`, and given its bookmarks here.
"""

import html
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from helpers import look, words
from helpers.press.tiles import Tables, table_of

MARK = 'class="booklet"'  # of the document's body, by which the press knows it
MOST_CALLS = 100  # listed one a line; each account manager's part holds all of his
CALLED = [
    *("dealer_id", "dealer_name", "account_manager", "trigger", "within_days"),
    *("stake_kind", "stake", "stake_low"),
]
BEFORE = "-"  # between a part's name and the id that it had on its own page
# a tag, whatever its attributes hold between quotes
TAG = re.compile(r"<[a-zA-Z](?:[^>\"']|\"[^\"]*\"|'[^']*')*>")
IDS = re.compile(
    r'(?<=\s)(id|for|aria-labelledby|aria-describedby|aria-controls|headers)="([^"]*)"'
)
LINK = re.compile(r'\s(?:xlink:)?href="([^"]*)"')
# what runs, and what leads to where paper does not go
LEFT_OUT = re.compile(
    r"<script\b.*?</script>|<nav\b.*?</nav>|<aside\b.*?</aside>|<input\b[^>]*>|<button\b.*?</button>"
    r'|<p class="ways">.*?</p>',
    re.DOTALL,
)


class Part(NamedTuple):
    """A page of the edition as a part of the booklet: its name, title and file, how deep it stands
    in the table of contents, and the class of its body.
    """

    name: str
    title: str
    file: str
    level: int = 1
    kind: str = "page"


class Entry(NamedTuple):
    """A line of the table of contents, and of the bookmarks: how deep, its text, the id it leads
    to.
    """

    level: int
    text: str
    anchor: str


def is_one(page: Path) -> bool:
    """Tell whether a page is a booklet that waits to be printed."""
    with page.open(encoding="utf-8", errors="replace") as file:
        return any(MARK in line for line in file if line.startswith("<body"))


def composed(
    place: Path, parts: Iterable[Part], dealers: Mapping[str, str] | None = None
) -> tuple[list[dict[str, Any]], list[Entry]]:
    """Take the parts out of an edition's finished pages: their bodies, and the lines of contents.

    Ids are each part's own. A link leads to where its page stands in the booklet; one to a dealer's
    card, which is none of it, to the first part that tells of the dealer. What leads elsewhere is
    plain text.

    Parameters
    ----------
    place
        The folder of the edition's language.
    dealers
        Dealer → the address at which the edition explains them.

    Returns
    -------
    tuple
        `name`, `kind`, `level` and `body` of each part that has a page, and the entries.
    """
    there = [(part, _main(place / part.file)) for part in parts if (place / part.file).is_file()]
    ids = {part.file: (part.name, set(_ids(body))) for part, body in there}
    cards = {address: look.anchor(dealer_id) for dealer_id, address in (dealers or {}).items()}

    def target(link: str, here: Part) -> str:
        file, _, anchor = link.partition("#")
        name, known = ids.get(file or here.file, ("", set()))
        if name:
            return f"{name}{BEFORE}{anchor}" if anchor in known else name if file else ""
        told = cards.get(link, "")
        holding = (name for name, known in ids.values() if told and told in known)
        return next((f"{name}{BEFORE}{told}" for name in holding), "")

    made: list[dict[str, Any]] = []
    entries: list[Entry] = []
    for part, body in there:
        own = TAG.sub(lambda tag, part=part: _tag(tag[0], part, target), body)
        made.append({"name": part.name, "kind": part.kind, "level": part.level, "body": own})
        entries.append(Entry(part.level, part.title, part.name))
        if part.kind == "page":
            entries += _sections(own, part.level + 1)
    return made, entries


def _main(page: Path) -> str:
    """Give what a page says, without its head and foot."""
    text = page.read_text(encoding="utf-8")
    found = re.search(r"<main\b[^>]*>(.*)</main>", text, re.DOTALL)
    return LEFT_OUT.sub("", found[1] if found else "")


def _ids(body: str) -> Iterator[str]:
    for tag in TAG.finditer(body):
        for name, value in IDS.findall(tag[0]):
            if name == "id":
                yield html.unescape(value)


def _tag(tag: str, part: Part, target: Callable[[str, Part], str]) -> str:
    """Give a tag's ids their part's name, and have its link lead to within the booklet."""
    if "=" not in tag:
        return tag

    def named(found: re.Match) -> str:
        several = found[2].split() if found[1] not in ("id", "for") else [found[2]]
        ids = " ".join(f"{part.name}{BEFORE}{one}" for one in several)
        return f'{found[1]}="{ids}"'

    def led(found: re.Match) -> str:
        link = html.unescape(found[1])
        if tag.startswith("<use"):  # a letter of a figure
            return f' href="#{part.name}{BEFORE}{html.escape(link[1:])}"'
        there = target(link, part)
        return f' href="#{html.escape(there)}"' if there else ""

    tag = LINK.sub(led, IDS.sub(named, tag))
    return tag.replace("url(#", f"url(#{part.name}{BEFORE}")


def _sections(body: str, level: int) -> list[Entry]:
    found = re.findall(r'<h2 id="([^"]+)"[^>]*>(.*?)</h2>', body, re.DOTALL)
    plain = ((name, html.unescape(re.sub(r"<[^>]+>", "", text)).strip()) for name, text in found)
    return [Entry(level, text, html.unescape(name)) for name, text in plain if text]


# ---- the calls -----------------------------------------------------------------------------------


def calls(tables: Tables, made: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """List the calls of all account managers, the surest money first, one a line.

    Each leads to where the account manager's part says what happened and what to do.

    Parameters
    ----------
    made
        The parts, as `composed` gives them.

    Returns
    -------
    dict
        `rows` (`place`, `name`, `link`, `manager`, `trigger`, `within`, `kind`, `stake`), `unit`
        of the stakes, `n` of all calls, and whether any of them is `managed` by somebody; nothing
        where nobody is called.
    """
    known = table_of(tables, "call_list", *CALLED)
    if known.empty:
        return {}
    rows = known.sort_values(["stake_low", "stake"], ascending=False, kind="stable")
    rows = rows.head(MOST_CALLS)
    stakes = words.amounts(rows["stake"], unit=False)
    bodies = "".join(part["body"] for part in made if "manager" in part["kind"])
    there = {name.partition(BEFORE)[2]: name for name in reversed(list(_ids(bodies)))}
    listed = [
        {
            "place": place,
            "name": words.fitting(str(row.dealer_name)),
            "link": there.get(look.anchor(row.dealer_id), ""),
            "manager": words.fitting(str(row.account_manager))
            if pd.notna(row.account_manager)
            else "",
            "trigger": words.word(row.trigger),
            "within": "" if pd.isna(row.within_days) else f"{int(row.within_days):,}",
            "kind": words.word(row.stake_kind),
            "stake": stake,
        }
        for place, (row, stake) in enumerate(zip(rows.itertuples(), stakes, strict=True), 1)
    ]
    managed = any(row["manager"] for row in listed)
    return {"rows": listed, "unit": words.currency(), "n": len(known), "managed": managed}


# ---- the printed document ------------------------------------------------------------------------


def entries_of(document: str) -> list[Entry]:
    """Read the entries of a booklet's table of contents out of the document.

    >>> entries_of('<li class="level2"><a href="#p1-s1"><span>Why &amp; who</span><b></b></a></li>')
    [Entry(level=2, text='Why & who', anchor='p1-s1')]
    """
    lines = re.findall(
        r'<li class="level(\d)"><a href="#([^"]*)"><span>(.*?)</span>', document, re.DOTALL
    )
    return [Entry(int(level), html.unescape(text), html.unescape(at)) for level, at, text in lines]


def places(printed: bytes) -> dict[str, int]:
    """Tell on which page of a PDF, from 1, each place stands that something in it leads to."""
    import pypdf

    reader = pypdf.PdfReader(io.BytesIO(printed))
    found = {
        name.removeprefix("/"): reader.get_destination_page_number(place)
        for name, place in reader.named_destinations.items()
    }
    return {name: number + 1 for name, number in found.items() if number is not None}


def bookmarked(printed: bytes, entries: Sequence[Entry], title: str) -> bytes:
    """Give a PDF the bookmarks of its table of contents, and its title.

    An entry whose place is not in it is left out, and what stands under it moves up.
    """
    import pypdf
    from pypdf.generic import Fit, NullObject

    reader = pypdf.PdfReader(io.BytesIO(printed))
    writer = pypdf.PdfWriter(clone_from=reader)
    known = {name.removeprefix("/"): to for name, to in reader.named_destinations.items()}
    above: list[tuple[int, Any]] = []
    for entry in entries:
        place = known.get(entry.anchor)
        number = None if place is None else reader.get_destination_page_number(place)
        if number is None:
            continue
        while above and above[-1][0] >= entry.level:
            above.pop()
        top = None if isinstance(place.top, NullObject) else float(place.top)
        item = writer.add_outline_item(
            title=entry.text,
            page_number=number,
            parent=above[-1][1] if above else None,
            fit=Fit.xyz(left=0, top=top),
        )
        above.append((entry.level, item))
    writer.page_mode = "/UseOutlines"
    writer.add_metadata({"/Title": title})
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()
