"""The booklet: an edition's pages as one document, in which every link leads somewhere."""

import html
import itertools
import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import look
from helpers.press import booklet

PAGE = '<!DOCTYPE html><html><body><nav><a href="b.html">B</a></nav><main>{}</main></body></html>'


@pytest.fixture(autouse=True)
def _english():
    look.use("en", "CNY")


def written(folder, bodies: dict[str, str]) -> list[booklet.Part]:
    """Write pages; give them as parts, named p1, p2 …"""
    for file, body in bodies.items():
        (folder / file).write_text(PAGE.format(body), encoding="utf-8")
    return [booklet.Part(f"p{i}", f"Page {i}", file) for i, file in enumerate(bodies, 1)]


def links(bodies: list[str]) -> list[str]:
    return [html.unescape(link) for link in re.findall(r'<a[^>]*href="([^"]*)"', "".join(bodies))]


def ids(bodies: list[str]) -> list[str]:
    return [html.unescape(name) for name in re.findall(r'\bid="([^"]*)"', "".join(bodies))]


def test_links_lead_to_where_their_page_stands(tmp_path):
    first = (
        '<h1>A</h1><h2 id="s1">Why &amp; <b>who</b></h2><a href="b.html">b</a>'
        '<a href="b.html#x">x</a><a href="#s1">here</a><a href="b.html#gone">gone</a>'
        '<a href="tables/t.csv">csv</a><a href="mailto:a@b.cn">mail</a>'
    )
    parts = written(tmp_path, {"a.html": first, "b.html": '<p id="x">x</p><p id="s1">1</p>'})
    made, entries = booklet.composed(tmp_path, parts)
    bodies = [part["body"] for part in made]
    assert links(bodies) == ["#p2", "#p2-x", "#p1-s1", "#p2"]
    assert "csv</a>" in bodies[0], "what leads elsewhere is plain text"
    assert ids(bodies) == ["p1-s1", "p2-x", "p2-s1"]
    assert entries == [
        booklet.Entry(1, "Page 1", "p1"),
        booklet.Entry(2, "Why & who", "p1-s1"),
        booklet.Entry(1, "Page 2", "p2"),
    ]


def test_a_card_is_none_of_it_and_its_dealer_is(tmp_path):
    named = {"10/ä": "cards/x.html", "gone": "cards/y.html"}
    body = '<a href="cards/x.html">one</a><a href="cards/y.html">two</a>'
    row = f'<li id="{look.anchor("10/ä")}">one</li>'
    parts = written(tmp_path, {"a.html": body, "b.html": row})
    made, _entries = booklet.composed(tmp_path, parts, named)
    assert links([made[0]["body"]]) == [f"#p2-{look.anchor('10/ä')}"]
    assert "<a>two</a>" in made[0]["body"]


def test_figures_keep_their_letters_and_frames(tmp_path):
    drawn = (
        '<svg aria-labelledby="t u"><title id="t">a &gt; b</title><defs><clipPath id="C1"/>'
        '<path id="D1"/></defs><g clip-path="url(#C1)"><use href="#D1"/></g></svg>'
    )
    parts = written(tmp_path, {"a.html": drawn, "b.html": drawn})
    made, _entries = booklet.composed(tmp_path, parts)
    for part in made:
        name = part["name"]
        assert f"url(#{name}-C1)" in part["body"]
        assert f'<use href="#{name}-D1"/>' in part["body"]
        assert f'aria-labelledby="{name}-t {name}-u"' in part["body"]
    found = ids([part["body"] for part in made])
    assert len(set(found)) == len(found) == 6


def test_what_runs_or_is_for_a_screen_is_left_out(tmp_path):
    body = (
        '<script>document.write("<h2 id=s>x</h2>")</script><nav class="pages"><a href="a.html">'
        '</a></nav><aside class="beside">CSV</aside><input type="search"><button>Sort</button>'
        '<p title="1 > 0 <a href=x>">stays</p>'
    )
    made, _entries = booklet.composed(tmp_path, written(tmp_path, {"a.html": body}))
    assert made[0]["body"] == '<p title="1 > 0 <a href=x>">stays</p>'


def test_a_page_that_is_not_there_is_no_part(tmp_path):
    parts = written(tmp_path, {"a.html": "x"})
    parts.append(booklet.Part("p9", "No such page", "none.html"))
    made, entries = booklet.composed(tmp_path, parts)
    assert [part["name"] for part in made] == [entry.anchor for entry in entries] == ["p1"]


NAMES = st.text(st.sampled_from("ab1-%&<äé顺 "), min_size=1, max_size=4)
PLACES = st.lists(NAMES, max_size=4, unique=True)


@given(st.lists(PLACES, min_size=1, max_size=4), st.data())
def test_every_link_of_a_booklet_has_its_place(tmp_path_factory, places, data):
    """Whatever pages, ids and links there are: ids are apart, and no link leads to nothing."""
    files = [f"{i}.html" for i in range(len(places))]
    known = [f"{file}#{place}" for file, own in zip(files, places, strict=True) for place in own]
    targets = st.sampled_from([*files, *known, "#a", "0.html#none", "other.html", "t.csv", "//x"])
    bodies = {}
    for file, own in zip(files, places, strict=True):
        told = [f'<p id="{html.escape(place)}">x</p>' for place in own]
        led = data.draw(st.lists(targets, max_size=4))
        told += [f'<a href="{html.escape(link)}">x</a>' for link in led]
        bodies[file] = "".join(told)
    folder = tmp_path_factory.mktemp("any")
    made, entries = booklet.composed(folder, written(folder, bodies))
    own = [part["body"] for part in made]
    there = ids(own)
    assert len(set(there)) == len(there) == sum(map(len, places))
    assert set(links(own)) <= {f"#{name}" for name in (*there, *(part["name"] for part in made))}
    assert {entry.anchor for entry in entries} <= {*there, *(part["name"] for part in made)}


# ---- calls ---------------------------------------------------------------------------------------


def call_list(n: int, **changed) -> pd.DataFrame:
    rows = pd.DataFrame(
        {
            "dealer_id": [f"d{i}" for i in range(n)],
            "dealer_name": [f"Dealer <{i}>" for i in range(n)],
            "account_manager": ["Ms Zhou", "Mr Abel"] * (n // 2) + ["Ms Zhou"] * (n % 2),
            "trigger": "overdue",
            "within_days": 14,
            "stake_kind": "debt",
            "stake": [1000.0 * (i + 1) for i in range(n)],
            "stake_low": [1000.0 * (i + 1) for i in range(n)],
        }
    )
    return rows.assign(**changed)


def test_calls_of_all_managers_stand_in_one_list_the_surest_money_first():
    part = {"kind": "manager office", "body": f'<li id="m1-{look.anchor("d3")}">d3</li>'}
    found = booklet.calls({"call_list": call_list(4)}, [part])
    assert [row["name"] for row in found["rows"]] == [f"Dealer <{i}>" for i in (3, 2, 1, 0)]
    assert [row["link"] for row in found["rows"]] == ["m1-dealer-d3", "", "", ""]
    first = found["rows"][0]
    known = {name: first[name] for name in ("place", "manager", "trigger", "within", "kind")}
    assert known == {
        "place": 1,
        "manager": "Mr Abel",
        "trigger": "Overdue",
        "within": "14",
        "kind": "Debt",
    }
    assert (found["unit"], found["n"], found["managed"]) == ("CNY", 4, True)


def test_more_calls_than_a_list_holds_are_counted():
    found = booklet.calls({"call_list": call_list(booklet.MOST_CALLS + 5)}, [])
    assert (len(found["rows"]), found["n"]) == (booklet.MOST_CALLS, booklet.MOST_CALLS + 5)


@pytest.mark.parametrize("missing", ["account_manager", "within_days"])
def test_what_of_a_call_is_not_known_is_left_open(missing):
    found = booklet.calls({"call_list": call_list(2, **{missing: None})}, [])
    key = {"account_manager": "manager", "within_days": "within"}[missing]
    assert [row[key] for row in found["rows"]] == ["", ""]
    assert found["managed"] is (missing != "account_manager")


@pytest.mark.parametrize("table", [pd.DataFrame(), call_list(0), call_list(2)[["dealer_id"]]])
def test_without_calls_there_is_no_list(table):
    assert booklet.calls({"call_list": table}, []) == {}


# ---- bookmarks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", list(itertools.product((1, 2, 3), repeat=3)), ids=str)
def test_bookmarks_stand_below_what_they_belong_to(levels):
    """A PDF of three pages: whatever the levels, no bookmark is lost, and each has its page."""
    import io

    pypdf = pytest.importorskip("pypdf", reason="bookmarks are set with the pypdf package")
    writer = pypdf.PdfWriter()
    for number in range(3):
        writer.add_blank_page(595, 842)
        writer.add_named_destination(f"a{number}", number)
    plain = io.BytesIO()
    writer.write(plain)
    assert booklet.places(plain.getvalue()) == {"a0": 1, "a1": 2, "a2": 3}
    entries = [booklet.Entry(level, f"E{i}", f"a{i}") for i, level in enumerate(levels)]
    lost = booklet.Entry(1, "nowhere", "b")
    made = booklet.bookmarked(plain.getvalue(), [lost, *entries], "Title")
    reader = pypdf.PdfReader(io.BytesIO(made))

    def flat(outline, depth=1):
        for item in outline:
            if isinstance(item, list):
                yield from flat(item, depth + 1)
            else:
                yield depth, item.title, reader.get_destination_page_number(item)

    found = list(flat(reader.outline))
    assert [(title, page) for _depth, title, page in found] == [("E0", 0), ("E1", 1), ("E2", 2)]
    depths = [depth for depth, _title, _page in found]
    assert depths[0] == 1
    for (one, two), (deep, deeper) in zip(
        itertools.pairwise(levels), itertools.pairwise(depths), strict=True
    ):
        assert (deeper > deep) is (two > one)
    assert reader.metadata.title == "Title"
