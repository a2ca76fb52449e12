"""Sections: what of an executed notebook a page shows, so that it names once what it can't say and
prints no skeleton.

A *note* is an output that stands in the place of a figure or a table and says why there is none
(`look.nothing`, an empty `look.table`). A section is a heading with all that follows it up to the
next heading of its level or above.
"""

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

IMAGES = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpg"}
HOW_TO_READ = "how-to-read"  # the tag of a text that explains the figure above it, and goes with it
# at the end of a line of text: it holds only where the code cell of that id shows something
WITH = re.compile(r"[ \t]*<!-- with ([\w-]+) -->[ \t]*$", re.MULTILINE)
HEADING = re.compile(r"^(#{1,6}) +(.*)$", re.MULTILINE)
SAID = re.compile(r'<ul class="prose"><li>(.*?)</li>', re.DOTALL)
NOTE = re.compile(r'\s*<p class="note">(.*?)</p>\s*', re.DOTALL)
PROSE = re.compile(r'\s*<ul class="prose">(.*)</ul>\s*', re.DOTALL)
ITEM = re.compile(r"<li>(.*?)</li>", re.DOTALL)


def note(sentence: str) -> str:
    """Write the markup of a note; "" says nothing, and so does an empty sentence."""
    return f'<p class="note">{html.escape(sentence)}</p>' if sentence else ""


def first_note(body: str) -> str:
    """Give the text of the first note of a page's body, else of its first sentence of prose.

    "" where it has neither.

    >>> first_note("<h1>Stock</h1>" + note("Nobody < counts.") + note("No moves."))
    'Nobody < counts.'
    >>> first_note('<h1>Stock</h1><ul class="prose"><li>There is none.</li><li>So.</li></ul>')
    'There is none.'
    """
    found = NOTE.search(body) or SAID.search(body)
    return html.unescape(found[1]) if found else ""


def shown_cells(cells: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Choose the cells of a page, with the outputs that it shows.

    A sentence is said once, where it stands first. A section whose cells have nothing else to say
    is its heading and its notes; one without any is left out, with its texts, and so are the texts
    around figures that are not there, and lines `WITH` a cell that shows nothing. What has no code
    cell is kept while the page shows anything at all.

    Parameters
    ----------
    cells
        Of an executed notebook, in one language; they are not changed.
    """
    said: set[str] = set()
    cells = _bottom_line_first(list(cells))
    cells = [
        _with_outputs(cell, said) if cell["cell_type"] == "code" else dict(cell) for cell in cells
    ]
    speaking = {c.get("id") for c in cells if c["cell_type"] == "code" and _speaks(c)}
    cells = [c if c["cell_type"] == "code" else _holding(c, speaking) for c in cells]
    sections = _sections(cells)
    head, rest = sections[0], sections[1:]
    kept = [_shown(section) for section in rest]
    asks = any(cell["cell_type"] == "code" for section in rest for cell in section)
    answers = any(has_code(section) and shown for section, shown in zip(rest, kept, strict=True))
    texts = answers or not asks
    shown = [
        part
        for section, part in zip(rest, kept, strict=True)
        if has_code(section) or texts
        for part in part
    ]
    return [*head, *_without_empty_parents(shown)]


def _bottom_line_first(cells: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Put what is tagged `bottom-line` behind the title.

    A notebook comes to it at its end, when everything is found; a page begins with it.
    """
    tagged = [c for c in cells if "bottom-line" in c["metadata"].get("tags", [])]
    rest = [c for c in cells if "bottom-line" not in c["metadata"].get("tags", [])]
    begins = (i for i, c in enumerate(rest) if HEADING.match("".join(c["source"])) and i)
    at = next((i for i in begins if rest[i]["cell_type"] == "markdown"), len(rest))
    return [*rest[:at], *tagged, *rest[at:]] if tagged else rest


def _holding(cell: Mapping[str, Any], speaking: set[str]) -> dict[str, Any]:
    """Leave out a text's lines about what the page does not show."""
    if not WITH.search(cell["source"]):
        return dict(cell)
    lines = cell["source"].split("\n")
    kept = [line for line in lines if not (about := WITH.search(line)) or about[1] in speaking]
    return {**cell, "source": WITH.sub("", "\n".join(kept)).rstrip("\n")}


def has_code(section: list[dict]) -> bool:
    """Whether a section asks the data anything: else it is text that holds in any case."""
    return any(cell["cell_type"] == "code" for cell in section)


def _with_outputs(cell: Mapping[str, Any], said: set[str]) -> dict[str, Any]:
    """Leave out what a page does not show, and sentences that it has said already."""
    kept = []
    for output in cell["outputs"]:
        data = output.get("data", {})
        if output["output_type"] == "stream":
            if output.get("name") == "stderr":  # a library speaks to who runs it, not to the reader
                continue
            kept += [output] if output["text"].strip() else []
        elif any(kind in data for kind in IMAGES):
            kept.append(output)
        elif "text/html" in data:
            written = "".join(data["text/html"])
            fresh = _fresh(written, said)
            if fresh:
                kept.append(
                    output if fresh == written else {**output, "data": {**data, "text/html": fresh}}
                )
        elif "text/markdown" in data:
            kept.append(output)
    return {**cell, "outputs": kept}


def _fresh(written: str, said: set[str]) -> str:
    """Give a piece of markup without the sentences that were said before.

    "" where nothing is left.
    """
    if found := NOTE.fullmatch(written):
        return written if found[1].strip() and _first_time(found[1], said) else ""
    if found := PROSE.fullmatch(written):
        items = [item for item in ITEM.findall(found[1]) if _first_time(item, said)]
        return (
            f'<ul class="prose">{"".join(f"<li>{item}</li>" for item in items)}</ul>'
            if items
            else ""
        )
    return written if written.strip() else ""


def _first_time(sentence: str, said: set[str]) -> bool:
    key = " ".join(sentence.split())
    return not (key in said or said.add(key))


def _sections(cells: list[dict]) -> list[list[dict]]:
    """Cut cells before each heading.

    The first section is the page's head, which may have no heading at all.
    """
    found: list[list[dict]] = [[]]
    for cell in cells:
        if found[-1] and _heading(cell):
            found.append([])
        found[-1].append(cell)
    return found


def _heading(cell: Mapping[str, Any]) -> re.Match | None:
    return HEADING.search(cell["source"]) if cell["cell_type"] == "markdown" else None


def _is_note(output: Mapping[str, Any]) -> bool:
    return bool(NOTE.fullmatch("".join(output.get("data", {}).get("text/html", ""))))


def _is_prose(output: Mapping[str, Any]) -> bool:
    return bool(PROSE.fullmatch("".join(output.get("data", {}).get("text/html", ""))))


def _speaks(cell: Mapping[str, Any]) -> bool:
    """Whether a code cell shows more than a note."""
    return any(not _is_note(output) for output in cell["outputs"])


def _shown(section: list[dict]) -> list[dict]:
    """Give what a section shows.

    All but the texts of what is missing, its heading and notes, or nothing.
    """
    if not has_code(section):
        return section
    code = [cell for cell in section if cell["cell_type"] == "code"]
    if any(_speaks(cell) for cell in code):
        return _around(section)
    if not any(cell["outputs"] for cell in code):
        return []
    heading = _heading(section[0])
    return [{**section[0], "source": heading[0]} if heading else section[0], *code]


def _around(section: list[dict]) -> list[dict]:
    """Leave out texts that explain or announce what is not there.

    A text stands before its figure, or is tagged.
    """
    kept = []
    for i, cell in enumerate(section):
        if cell["cell_type"] == "code" or i == 0:
            kept.append(cell)
            continue
        if HOW_TO_READ in cell["metadata"].get("tags", []):
            about = _code_run(reversed(section[:i]))
            there = not about or _is_figure_there(about)
        else:
            about, there = _code_run(section[i + 1 :]), True
        if there and (not about or any(_speaks(other) for other in about)):
            kept.append(cell)
    return kept


def _is_figure_there(cells: Iterable[Mapping[str, Any]]) -> bool:
    """Whether cells show what can be explained: a figure or a table, and no note instead.

    A note stands in a figure's place, an empty output for one that was not drawn; sentences beside
    it are nothing to be read like one.
    """
    outputs = [output for cell in cells for output in cell["outputs"]]
    drawn = any(kind in output.get("data", {}) for output in outputs for kind in IMAGES)
    tables = (o for o in outputs if not _is_note(o) and not _is_prose(o))
    return drawn or (not any(map(_is_note, outputs)) and any(True for _table in tables))


def _code_run(cells: Iterable[dict]) -> list[dict]:
    """Take the code cells from here on, up to the next text; texts at the start are passed over."""
    run: list[dict] = []
    for cell in cells:
        if cell["cell_type"] == "code":
            run.append(cell)
        elif run:
            break
    return run


def _without_empty_parents(cells: list[dict]) -> list[dict]:
    """Leave out headings that nothing but a heading of their level or above follows."""
    kept: list[dict] = []
    for cell in reversed(cells):
        heading = _heading(cell)
        if heading and cell["source"].strip() == heading[0].strip():
            following = next(
                (c for c in reversed(kept) if c["cell_type"] != "code" or c["outputs"]), None
            )
            below = following and _heading(following)
            if following is None or (below and len(below[1]) <= len(heading[1])):
                continue
        kept.append(cell)
    return kept[::-1]
