"""Both roads of a figure show the same; which is taken is compared once, kept, and told."""

import json
import os
import re
import types

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from test_drawing import KINDS, drawn

from helpers import look
from helpers.data import connections
from helpers.look import figures, svg
from helpers.look.svg import comparison, drawing, markup, roads
from helpers.press import pages
from helpers.settings import DataError


@pytest.fixture(autouse=True)
def _undecided(cache, monkeypatch):
    """Let each test find out anew, in a cache of its own."""
    monkeypatch.delenv(roads.SWITCH, raising=False)
    roads._difference.cache_clear()
    look.use("en")
    yield
    roads._difference.cache_clear()
    plt.close("all")
    mpl.rcdefaults()


def kept() -> list:
    return sorted((connections.CACHE / "kept").glob("drawing.*.json"))


def unlike(ours: str, theirs: str) -> list[str]:
    one, other = comparison.shapes(ours), comparison.shapes(theirs)
    assert len(one) == len(other) > 20
    return [what for pair in zip(one, other, strict=True) if (what := comparison.unlike(*pair))]


# ---- the same ------------------------------------------------------------------------------------


def test_the_golden_figure_is_the_same_on_both_roads():
    assert comparison.difference() == ""


@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant"])
@pytest.mark.parametrize("kind", KINDS)
def test_both_roads_show_the_same(kind, language, monkeypatch):
    look.use(language)
    figure, texts = drawn(kind)[0].figure, {}
    for road in roads.ROADS:
        monkeypatch.setenv(roads.SWITCH, road)
        texts[road] = svg.drawn(figure)
        assert svg.drawn(figure) == texts[road], "the same figure is the same text"
    assert unlike(texts["own"], texts["plain"]) == []
    assert len(texts["own"]) < len(texts["plain"])
    assert svg.inline(texts["own"], {}, "seen").startswith('<svg role="img" aria-label="seen"')
    assert svg.inline(texts["plain"], {}, "seen").startswith('<img alt="seen" src="data:image/svg')


def test_a_slim_figure_is_the_same_figure():
    whole = roads.plain(drawn(KINDS[2])[0].figure)
    assert unlike(markup.slim_svg(whole), whole) == []


HARM = {
    "a letter less": lambda text: re.sub(r'<use href="#D[^>]*/>', "", text, count=1),
    "a line of another colour": lambda text: text.replace("#1f77b4", "#1f77b5"),
    "a hatch that is fainter": lambda text: text.replace(' stroke-opacity=".5"', "", 1),
    "a line without dashes": lambda text: text.replace("stroke-dasharray", "stroke-dashes", 1),
    "nothing clipped": lambda text: text.replace("clip-path=", "clip-by="),
    "marks a point to the right": lambda text: text.replace(
        '<use href="#M', '<use transform="translate(1 0)" href="#M'
    ),
    "all of half the size": lambda text: text.replace(
        "</defs>", '</defs><g transform="scale(.5)">', 1
    ).replace("</svg>", "</g></svg>"),
}


@pytest.mark.parametrize("harm", HARM)
def test_another_drawing_is_noticed(harm, monkeypatch):
    draw = drawing.svg
    harmed = []

    def other(figure):
        text = draw(figure)
        harmed.append(HARM[harm](text))
        return harmed[0] if harmed[0] != text else pytest.fail("nothing was harmed")

    monkeypatch.setattr(drawing, "svg", other)
    assert comparison.difference()


# ---- the road ------------------------------------------------------------------------------------


def test_the_verdict_is_kept(monkeypatch, capsys):
    assert svg.road() == "own"
    assert [json.loads(file.read_text())["difference"] for file in kept()] == [""]
    monkeypatch.setattr(comparison, "difference", lambda: pytest.fail("compared again"))
    roads._difference.cache_clear()
    assert svg.road() == "own"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "null", "\udcff"])
def test_a_torn_verdict_is_found_again(content):
    assert svg.road() == "own"
    (file,) = kept()
    whole = file.read_bytes()
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    roads._difference.cache_clear()
    assert svg.road() == "own"
    assert file.read_bytes() == whole


def test_another_version_is_compared_for_itself(monkeypatch):
    assert svg.road() == "own"
    monkeypatch.setattr(roads.mpl, "__version__", "3.99")
    roads._difference.cache_clear()
    assert svg.road() == "own"
    assert len(kept()) == 2


def test_a_cache_that_cannot_be_written_keeps_nothing(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(connections, "CACHE", tmp_path / "file")
    assert svg.road() == "own"


def gone(monkeypatch) -> None:
    # matplotlib's own drawing goes on with what it has
    scale = types.SimpleNamespace(FONT_SCALE=drawing.text_to_path.FONT_SCALE)
    monkeypatch.setattr(drawing, "text_to_path", scale)


def other_parameters(monkeypatch) -> None:
    monkeypatch.setattr(
        drawing.Renderer, "_iter_collection", lambda self, gc, paths: iter(()), raising=False
    )


@pytest.mark.parametrize("harm", [gone, other_parameters])
def test_where_matplotlib_is_not_as_expected_it_draws_itself(harm, monkeypatch, capsys):
    figure = drawn(KINDS[0])[0].figure
    drawing._set.cache_clear()  # what was set before needs no font
    drawing._measured.cache_clear()
    with monkeypatch.context() as patch:
        harm(patch)
        assert svg.road() == "plain"
        assert 'role="img"' not in svg.inline(figures.rendered(figure, "svg")[0], {}, "")
        svg.drawn(figure)
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told.startswith("figures are drawn by matplotlib, not by us: ")
    roads._difference.cache_clear()
    assert svg.road() == "plain", "the verdict is kept"


def test_a_named_road_is_taken_unseen(monkeypatch, capsys):
    monkeypatch.setattr(comparison, "difference", lambda: pytest.fail("compared"))
    for road in roads.ROADS:
        monkeypatch.setenv(roads.SWITCH, road)
        assert svg.road() == road
    assert kept() == []
    assert capsys.readouterr().err == ""


def test_an_unknown_road_is_refused(monkeypatch):
    monkeypatch.setenv(roads.SWITCH, "fast")
    with pytest.raises(DataError, match="WORKBOOK_SVG = 'fast': not known; choose from own, plain"):
        svg.drawn(plt.figure())
    assert os.environ[roads.SWITCH] == "fast"


def test_a_page_of_one_road_is_never_taken_for_the_others(small, monkeypatch, tmp_path):
    made_of = {}
    for road in roads.ROADS:
        monkeypatch.setenv(roads.SWITCH, road)
        made_of[road] = pages.ingredients(small, tmp_path, "2026-10")
    assert {name for name in made_of["own"] if made_of["own"][name] != made_of["plain"][name]} == {
        "drawing"
    }
    monkeypatch.setenv(roads.SWITCH, "fast")
    with pytest.raises(DataError, match="not known"):
        pages.ingredients(small, tmp_path, "2026-10")
