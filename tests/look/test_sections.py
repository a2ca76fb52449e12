"""Sections: a page says once what it can't say, prints no heading over nothing, and loses nothing
that was found.
"""

import copy
import re
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat import v4

from helpers import look
from helpers.look import figures
from helpers.press import page_body

NO_STOCK, NO_PACE = "Nobody counted the stock.", "Nothing tells what was sold."


def text(source: str, *tags: str):
    made = v4.new_markdown_cell(source)
    made.metadata.tags = list(tags)
    return made


def code(*outputs):
    return v4.new_code_cell("", outputs=list(outputs))


def html(markup: str):
    return v4.new_output("execute_result", {"text/html": markup, "text/plain": "…"})


def note(sentence: str):
    return html(look.note(sentence))


def prose(*sentences: str):
    return html(look.Prose(sentences)._repr_html_())


TABLE = html('<table class="table"><tr><td>1</td></tr></table>')
FIGURE = v4.new_output("display_data", {"image/png": "iVBORw0KGgo="})
PRINTED = v4.new_output("stream", text="said\n")
TITLE, LOADED = text("# Stock"), code()


def body(*cells) -> str:
    """Print cells and give what a reader sees.

    Headings, sentences, and a word for each table and figure.
    """
    page, _contents = page_body.page_body(
        types.SimpleNamespace(cells=[copy.deepcopy(cell) for cell in cells])
    )
    page = re.sub(
        r"<img[^>]*>", "[figure]", re.sub(r"<table.*?</table>", "[table]", page, flags=re.DOTALL)
    )
    page = re.sub(r"<h(\d)[^>]*>", lambda m: "#" * int(m[1]) + " ", page)
    return "\n".join(
        line.strip() for line in re.sub(r"<[^>]+>", "\n", page).splitlines() if line.strip()
    )


def test_what_a_cell_warns_of_is_nothing_to_read():
    warned = v4.new_output("stream", name="stderr", text="RuntimeWarning: divided\n")
    assert body(TITLE, LOADED, text("## Stock"), code(warned, TABLE)) == body(
        TITLE, LOADED, text("## Stock"), code(TABLE)
    )
    silent = body(TITLE, LOADED, text("## Pace"), code(warned), text("## Rest"), code(TABLE))
    assert "Pace" not in silent


def bottom_line(*cells):
    for cell in cells:
        cell.metadata.tags = ["bottom-line"]
    return cells


def test_a_page_begins_with_what_its_notebook_comes_to():
    """The cells tagged bottom-line stand behind the title, the others in their order."""
    said = bottom_line(text("## The bottom line"), code(prose("Ten are A.")))
    one, two = (text("## One"), code(TABLE)), (text("## Two"), code(FIGURE))
    shown = body(TITLE, LOADED, *one, *two, *said)
    order = ["# Stock", "## The bottom line", "Ten are A.", "## One", "[table]", "## Two"]
    at = [shown.index(part) for part in order]
    assert at == sorted(at)
    assert shown == body(TITLE, LOADED, *said, *one, *two) == body(TITLE, *said, LOADED, *one, *two)
    again = bottom_line(text("## The bottom line"), code(prose("Nobody is late.")))
    late = (text("## Late"), code(prose("Nobody is late.")))
    assert body(TITLE, *late, *again).count("Nobody is late.") == 1, "said once, where it is first"
    assert body(*bottom_line(text("# Stock"))) == "# Stock"


def test_a_missing_table_is_named_once_and_leaves_no_skeleton():
    page = body(
        TITLE,
        LOADED,
        text("## The bottom line"),
        code(prose("9 dealers.", NO_STOCK)),
        text("## How old is it?\n\nAge = days."),
        code(note(NO_STOCK)),
        text("*How to read it.* Blue.", "how-to-read"),
        text("By category:"),
        code(note(NO_STOCK)),
        text("## How fast?\n\nPace = sales."),
        code(note(NO_PACE)),
        code(html(look.note(""))),
        text("## Checks"),
        code(),
        text("## When not to trust this\n\n- Always."),
    )
    assert page.split("\n") == [
        "# Stock",
        "## The bottom line",
        "9 dealers.",
        NO_STOCK,
        "## How fast?",
        NO_PACE,
        "## When not to trust this",
        "Always.",
    ]


def test_what_is_there_stays_with_its_texts():
    page = body(
        TITLE,
        LOADED,
        text("## Ages\n\nAge = days."),
        code(FIGURE),
        text("*How to read it.* Blue.", "how-to-read"),
        text("By month:"),
        code(note(NO_PACE)),
        text("By dealer:"),
        code(TABLE),
        text("Call him."),
    )
    assert page.split("\n") == [
        "# Stock",
        "## Ages",
        "Age = days.",
        "[figure]",
        "How to read it.",
        "Blue.",
        NO_PACE,
        "By dealer:",
        "[table]",
        "Call him.",
    ]


@pytest.mark.parametrize("missing", [(), (note(NO_PACE),), (note(""),), (html(""),)], ids=str)
@pytest.mark.parametrize("before", [(), (prose("9 dealers."),)], ids=["alone", "under a sentence"])
def test_nobody_is_told_how_to_read_what_was_not_drawn(before, missing):
    how = text("*How to read it.* The steeper.", "how-to-read")
    section = [TITLE, LOADED, text("## Curve"), *map(code, before)]
    assert "steeper" not in body(*section, code(*missing), how, text("## Rest"), code(TABLE))
    for shown in (FIGURE, TABLE):
        assert "steeper" in body(*section, code(shown), how, text("## Rest"), code(TABLE))


@pytest.mark.parametrize("outputs", [(), (note(NO_STOCK),), (note(NO_STOCK), TABLE), (FIGURE,)])
def test_a_line_about_a_cell_stands_only_where_the_cell_shows_something(outputs):
    about = code(*outputs)
    about.id = "0a1b-c2"
    limits = "## When not to trust this\n\n- Always.\n- Stock. <!-- with 0a1b-c2 -->\n"
    limits += "- Nobody. <!-- with gone -->\n\n*Try.* Move it. <!-- with 0a1b-c2 -->"
    page = body(TITLE, LOADED, text("## Rest"), code(TABLE), text("## Age"), about, text(limits))
    shows = any(output is not outputs[0] or output == FIGURE for output in outputs)
    assert [word in page for word in ("Always.", "Stock.", "Move it.")] == [True, shows, shows]
    assert "Nobody." not in page and "with" not in page and "<!--" not in page
    alone = text("## Only\n\n- Stock. <!-- with 0a1b-c2 -->")
    assert ("## Only" in body(TITLE, LOADED, text("## Age"), code(TABLE), about, alone)) is shows


@pytest.mark.parametrize(
    "shown", [TABLE, FIGURE, PRINTED, prose("Once."), html("<b>own</b>")], ids=str
)
def test_whatever_a_cell_shows_keeps_its_section(shown):
    page = body(TITLE, text("## Found\n\nWhy."), code(shown))
    assert page.startswith("# Stock\n## Found\nWhy.\n") and len(page.split("\n")) == 4


def test_explanations_of_nothing_go_too():
    page = body(TITLE, text("## Ages"), code(), text("## When not to trust this\n\n- Always."))
    assert page == "# Stock"
    assert "Always." in body(TITLE, text("## When not to trust this\n\n- Always.")), (
        "a page of texts stays whole"
    )


def test_how_to_read_goes_with_its_figure_though_sentences_stand_beside_it():
    how = text("*How to read it.* Each dot.", "how-to-read")
    missing = body(TITLE, text("## Weights"), code(prose("Equal.")), code(note(NO_PACE)), how)
    assert missing.split("\n") == ["# Stock", "## Weights", "Equal.", NO_PACE]
    assert "Each dot." in body(TITLE, text("## Weights"), code(prose("Equal.")), code(FIGURE), how)
    assert "Each dot." in body(TITLE, text("## Lots"), code(TABLE), how), (
        "a table is explained, too"
    )


def test_a_heading_over_sections_goes_with_the_last_of_them():
    above, below = text("## Stock"), text("### Ages")
    assert body(TITLE, above, below, code(TABLE)).split("\n") == [
        "# Stock",
        "## Stock",
        "### Ages",
        "[table]",
    ]
    assert body(TITLE, above, below, code(), text("## Pace"), code(TABLE)).split("\n")[1:] == [
        "## Pace",
        "[table]",
    ]


def test_a_repeated_sentence_is_left_out_but_not_its_neighbours():
    page = body(
        TITLE,
        text("## A"),
        code(prose("x", "y")),
        text("## B"),
        code(prose("y", "z")),
        text("## C"),
        code(prose("x")),
    )
    assert page.split("\n") == ["# Stock", "## A", "x", "y", "## B", "z"]


def test_a_figure_that_is_not_there_is_a_sentence():
    ax = look.nothing("Nobody <counted> it.")
    assert ax.figure.nothing == "Nobody <counted> it."
    assert figures.rendered(ax.figure, "svg") is None is figures.rendered(ax.figure, "png")
    assert look.note(ax.figure.nothing) == '<p class="note">Nobody &lt;counted&gt; it.</p>'


cells = st.lists(
    st.one_of(
        st.sampled_from(
            [
                text("## One\n\nWhy."),
                text("## Two"),
                text("### Three"),
                text("Between."),
                text("*How to read it.*", "how-to-read"),
            ]
        ),
        st.lists(
            st.sampled_from(
                [
                    TABLE,
                    FIGURE,
                    PRINTED,
                    note(NO_STOCK),
                    note(NO_PACE),
                    note(""),
                    prose("a", "b"),
                    prose(),
                ]
            ),
            max_size=3,
        ).map(lambda outputs: code(*outputs)),
    ),
    max_size=14,
)


@given(cells)
def test_every_page_holds_its_findings_once_each_and_no_heading_is_bare(drawn):
    notebook = [TITLE, LOADED, *drawn]
    before = copy.deepcopy(notebook)
    shown = look.shown_cells(notebook)
    assert notebook == before, "the executed notebook stays whole"
    given_, kept = (
        [o for c in some if c["cell_type"] == "code" for o in c["outputs"]]
        for some in (notebook, shown)
    )
    for found in (TABLE, FIGURE, PRINTED):
        assert kept.count(found) == given_.count(found), "a finding was lost"
    for sentence in (NO_STOCK, NO_PACE, "<li>a</li>"):
        told = [sum(sentence in str(o.get("data")) for o in some) for some in (given_, kept)]
        assert told[1] == min(told[0], 1), "what is missing is named once"
    lines = body(*notebook).split("\n")
    for line, following in zip(lines, [*lines[1:], "# end"], strict=True):
        if line.startswith("## "):
            assert not following.startswith(("# ", "## ")), lines
        if line.startswith("### "):
            assert not following.startswith("#"), lines
