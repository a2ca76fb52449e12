"""Explorers: each control changes what is shown and back, an error anywhere is a sentence, nothing
missing stops one, and no `Output` is ever opened.
"""

import ast
import base64
import gc
import html
import inspect
import itertools
import re

import ipywidgets
import nbformat
import pytest
from explored import (
    PERIOD,
    QUESTIONS,
    VALUED,
    failed,
    frames,
    opened,
    others,
    parts,
    replaced,
    said,
    seen,
    walk,
)
from explorer_fixtures import _spoken, at_page, given  # noqa: F401 - fixtures
from ipywidgets.widgets.widget import _instances
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from helpers import data, look, pareto, widgets, words
from helpers.look import figures
from helpers.settings import CHECKOUT as ROOT
from helpers.widgets import chosen_rows, drawing
from helpers.widgets.explorer import Explorer

pytestmark = pytest.mark.xdist_group("explorers")
EXPLORERS = sorted(
    name.removeprefix("explore_") for name in dir(widgets) if name.startswith("explore_")
)
OF_DEALERS = [name for name in EXPLORERS if QUESTIONS[name]]
WRITTEN = {"asked.segments", "asked.climb", "statements", "stages"}  # by people
FIRST_OF = {  # who is looked at where there are few dealers only
    "stock": "own.aged",
    "classes": "own.judged",
    "fishbone": "asked.habits",
    "groups": "asked.habits",
}
SOURCES = ROOT / "src" / "helpers" / "widgets"


# ---- what all explorers hold to ------------------------------------------------------------------


def test_all_explorers_are_tested(given):
    assert set(given) == set(EXPLORERS) == set(QUESTIONS)
    for name, tables in given.items():
        asked = inspect.signature(getattr(widgets, f"explore_{name}")).parameters
        assert set(asked) == set(tables)


@pytest.mark.parametrize("name", EXPLORERS)
def test_each_control_changes_what_is_shown_and_back(at_page, name):
    widget = at_page(name)
    # the places are the same everywhere, and a card's network is long in the making
    places = {"classes": 4, "card": 0}.get(name, 1)
    first, controls = seen(widget), walk(widget, places=places)
    assert controls
    assert not failed(widget)
    for control in controls:
        assert control.others, f"{name}: nothing to choose at {control.name}"
        for value in control.others:
            before = control.set(value)
            assert seen(widget) != first, f"{name}: {control.name} = {value!r} changes nothing"
            assert not failed(widget), said(widget)
            control.set(before)
            assert seen(widget) == first, f"{name}: more is shown than {control.name} says"


def test_what_says_nothing_is_not_offered(given):
    """A score says nothing until a factor is chosen; then it changes what is shown."""
    widget = opened("fishbone", given["fishbone"])
    score, factor = widget.controls["score"], widget.controls["factor"]
    assert score.disabled
    factor.value = factor.options[1][1]
    assert not score.disabled
    shown = set()
    for value in (0, 4, 10):
        score.value = value
        shown.add(seen(widget))
    assert len(shown) == 3
    factor.value = ""
    assert score.disabled


def test_the_bar_is_the_same_everywhere(at_page):
    bars = {}
    for name in OF_DEALERS:
        widget = at_page(name)
        bars[name] = [(place, control.options) for place, control in widget.places.items()]
        top = widget.children[0]
        rows = [widget.letter, widget.search] if widget.has_rows else []
        assert [*top.children] == [*widget.places.values(), *rows]
    assert all(bar == bars["classes"] for bar in bars.values())
    assert [place for place, _ in bars["classes"]] == [
        "region",
        "store_format",
        "account_manager",
        "city",
    ]


@pytest.mark.parametrize("name", EXPLORERS)
def test_explorers_speak_the_readers_language(given, name):
    look.use("zh-Hans", "CNY")
    widget = opened(name, given[name])
    assert not failed(widget)
    for control in parts(widget, VALUED):
        assert not re.fullmatch(r"[A-Za-z ]{4,}", control.description), control.description
    assert re.search("[\u4e00-\u9fff]", " ".join(said(widget)))


@pytest.mark.parametrize("name", EXPLORERS)
def test_figures_are_images_with_words_and_no_output_is_opened(at_page, name):
    shown = seen(at_page(name))
    pictures = re.findall(r"<img [^>]*>", shown)
    # a finding that a drawing would add nothing to stands there as a sentence
    assert pictures or name == "card" or '<p class="note">' in shown
    for picture in pictures:
        assert re.search(r'src="data:image/(?:svg\+xml|png);base64,[^"]+"', picture)
        assert re.search(r'alt="[^"]+"', picture)
        assert "aspect-ratio" in picture, "its room is not known before it is decoded"
    assert len(_instances) > 10
    assert not [widget for widget in _instances.values() if isinstance(widget, ipywidgets.Output)]


def test_no_code_of_ours_asks_for_an_output():
    """Neither here nor in a notebook; nor does an explorer print, which nobody would see."""
    sources = {f"widgets {p.stem}": p.read_text(encoding="utf-8") for p in SOURCES.glob("*.py")}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        sources[path.stem] = "\n".join(
            c.source for c in cells if c.cell_type == "code" and c.source[:1] != "%"
        )
    for name, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            called = getattr(node, "attr", None) or getattr(node, "id", None)
            assert called not in {
                "Output",
                "interact",
                "interactive",
                "interactive_output",
                "interact_manual",
            }, name
            assert not name.startswith("widgets ") or called not in {"print", "display"}


@pytest.mark.parametrize("name", EXPLORERS)
def test_a_saved_notebook_holds_what_is_shown(at_page, name):
    widget = at_page(name)
    bundle = widget._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "VBox" not in bundle["text/html"] + bundle["text/plain"]
    for sentence in said(widget):
        assert html.escape(sentence) in bundle["text/html"]
    assert bundle["text/html"].count("<img ") == seen(widget).count("<img ")
    if getattr(widget, "has_rows", False) and name != "groups":
        assert bundle["text/html"].count("<tr>") > 1


# ---- an error in any callback --------------------------------------------------------------------

BROKEN = {  # what breaks, by what is then done
    "the door": (lambda w: (w.model, "read"), lambda w: w.places["region"]),
    "the recipe": (lambda w: (w.model, "seen"), lambda w: next(iter(w.controls.values()))),
    "the rows": (lambda _: (chosen_rows, "chosen"), lambda w: w.letter),
    "the search": (lambda _: (chosen_rows.bar, "found"), lambda w: w.search),
    "the code": (lambda _: (chosen_rows, "code"), lambda w: w.letter),
    "the card": (lambda w: (w, "_card"), None),
    "saving": (lambda _: (chosen_rows, "save"), None),
}
ERRORS = [ValueError("<script>alert(1)</script>"), KeyError("revenue_class"), ZeroDivisionError()]


@pytest.mark.parametrize("name", OF_DEALERS)
def test_an_error_in_any_callback_is_a_sentence_and_the_next_choice_works(
    at_page, name, monkeypatch, capfd
):
    widget = at_page(name)
    monkeypatch.setattr(widget.model, "_drawn", lambda *_: (), raising=False)
    widget._judge()
    good, error = seen(widget), ERRORS[len(name) % len(ERRORS)]
    told = words.say("explore.failed", error=f"{type(error).__name__}: {error}")

    def raising(*_given, **_named):
        raise error

    for broken, (where, control) in BROKEN.items():
        if not widget.has_rows and broken not in ("the door", "the recipe", "the code"):
            continue  # of what is about no dealer there is no such callback
        with monkeypatch.context() as patch:
            patch.setattr(*where(widget), raising)
            widget._asked.clear()  # a scope seen before would not be asked again
            if broken == "saving":
                widget.save["csv"].click()
            elif broken == "the card":
                before, widget.table.chosen = widget.table.chosen, widget.table.ids[1]
            else:
                acted = control(widget)
                before, acted.value = acted.value, others(acted)[0]
            assert failed(widget) == [told], broken
        assert "<script" not in seen(widget)
        assert not plt.get_fignums()
        if broken == "saving":
            widget._choose()
        elif broken == "the card":
            widget.table.chosen = before
        else:
            acted.value = before
        assert seen(widget) == good, f"after {broken} the next choice works"
    monkeypatch.undo()
    widget._judge()
    assert capfd.readouterr() == ("", "")


def test_nobody_in_a_scope_is_said(at_page):
    widget = at_page("classes")
    good = seen(widget)
    region, city = widget.places["region"], widget.places["city"]
    dealers = widget.model.dealers
    here = dealers.dropna(subset=["region", "city"])
    elsewhere = here[here["region"] != here["region"].iloc[0]]["city"].iloc[0]
    region.value = next(v for label, v in region.options if label == here["region"].iloc[0])
    city.value = next(v for label, v in city.options if label == elsewhere)
    assert len(said(widget)) == 1
    assert not failed(widget), "it is no fault, and told as the command line tells it"
    assert widget.table.n_rows == 0
    region.value = city.value = ""
    assert seen(widget) == good


# ---- the mechanism -------------------------------------------------------------------------------


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_what_was_drawn_before_an_error_is_closed(language):
    look.use(language, "CNY")

    def things():
        yield look.axes()
        raise MemoryError("too <large>")

    told = words.say("explore.failed", error="MemoryError: too <large>")
    assert html.escape(told) in drawing.drawn(things)
    assert not plt.get_fignums()


def test_an_interrupt_is_no_error_of_the_choice():
    def things():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drawing.drawn(things)


def test_nothing_is_left_over_after_200_changes(at_page):
    """Of 1,000 `explorer_speed.py` counts the bytes."""
    widget = at_page("receivables")
    first = seen(widget)
    gc.collect()
    opened_before, kept = len(_instances), plt.figure()  # somebody's own stays open
    drawing_of = widget.model._drawn
    widget.model._drawn = lambda *_: ()  # what drawing leaves is asked of a few
    for n in range(100):
        widget.controls["stop_days"].value = 1 + n % 300
        widget.letter.value = ("", "A", "B")[n % 3]
    widget.model._drawn = drawing_of
    for n in range(5):
        widget.controls["stop_days"].value = 10 + n
    widget.letter.value, widget.controls["stop_days"].value = "", widget.own["stop_days"]
    assert seen(widget) == first
    gc.collect()
    assert len(_instances) == opened_before
    assert plt.get_fignums() == [kept.number]
    assert sum(isinstance(thing, Figure) for thing in gc.get_objects()) <= 3
    assert len(widget._asked) <= 6
    plt.close(kept)


def test_a_picture_is_what_a_notebook_would_show():
    ax = look.axes(height=1)
    ax.plot([1, 2])
    look.explain(ax, 'A "title" <b>')
    shown = figures.picture(ax.figure)
    assert html.unescape(re.search('alt="(.*?)"', shown)[1]) == ax.figure.alt_text
    drawn, _alt = figures.rendered(ax.figure, "svg")
    assert base64.b64decode(re.search(r'svg\+xml;base64,(.*?)"', shown)[1]).decode() == drawn
    ax.figure.dense = True
    assert 'src="data:image/png;base64,iVBOR' in figures.picture(ax.figure)
    plt.close(ax.figure)


# ---- nothing missing stops one -------------------------------------------------------------------


def absences() -> list:
    """Each table of each explorer empty, singly and in pairs."""
    tables = {
        "classes": ["asked.totals", "asked.months", "asked.quarters", "own.judged"],
        "rfm": ["asked.orders", "asked.segments", "own.scored"],
        "fishbone": ["own.scored", "asked.comparisons", "asked.habits", "asked.climb"],
        "groups": ["asked.habits"],
        "growth": ["statements", "stages"],
        "stock": ["own.aged", "own.flows"],
        "profit": ["own.comparison", "own.gaps", "own.trends"],
        "receivables": ["asked.entries", "asked.terms", "own.owed", "own.stop"],
        "month": ["own.bridge", "asked.dealers"],
    }
    gone = [
        (name, left_out)
        for name, all_its in tables.items()
        for n in (1, 2)
        for left_out in itertools.combinations(all_its, n)
    ]
    return [
        pytest.param(name, left_out, id=f"{name}-{'+'.join(left_out)}") for name, left_out in gone
    ]


def sound(widget: ipywidgets.Widget, expect_told: bool) -> None:
    """Hold an explorer to it.

    Controls over something to see, or one sentence in their place, and nothing between.
    """
    text = html.unescape(re.sub("<.*?>", " ", seen(widget)))
    assert not re.search(r"\b(nan|NaT|inf|None(?! of the\b))\b", text), text
    if parts(widget, VALUED):
        assert expect_told or not failed(widget), said(widget)
        assert text.strip() or "<img" in seen(widget)
    else:
        assert isinstance(widget, ipywidgets.HTML)
        assert len(said(widget)) == 1
        assert not failed(widget)


@pytest.mark.parametrize(("name", "left_out"), absences())
def test_an_empty_table_stops_nothing(given, name, left_out):
    found = frames(given[name])
    widget = opened(
        name, replaced(given[name], {table: found[table].head(0) for table in left_out})
    )
    # a file of people's that says nothing is told as what it is: a fault of that file
    sound(widget, expect_told=bool(WRITTEN & set(left_out)))


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("name", [name for name in EXPLORERS if name not in ("card", "growth")])
def test_one_or_two_dealers_are_enough(given, name, n):
    key = "consumer_id" if name == "groups" else "dealer_id"
    few = {}
    for table, rows in frames(given[name]).items():
        if key in rows:
            some = frames(given[name])[FIRST_OF.get(name, table)]
            few[table] = rows[rows[key].isin(some[key].unique()[:n])]
    assert few or name == "month"  # of which a dealer's part is summed up already
    widget = opened(name, replaced(given[name], few))
    sound(widget, expect_told=False)
    controls = walk(widget, most=1, places=0) if isinstance(widget, Explorer) and n == 1 else ()
    for control in controls:
        for value in control.others:
            before = control.set(value)
            sound(widget, expect_told=False)
            control.set(before)


def test_a_scope_of_the_page_is_the_bars_too(given, at_page, small_demo):
    """What the page is cut to can't be left: one region is no choice."""
    region = next(v for _label, v in at_page("classes").places["region"].options if v)
    book = data.in_scope(small_demo.only(region=region))
    asked, own = pareto.read_month(book, PERIOD), pareto.abc_month(book, PERIOD)
    widget = opened("classes", {"book": book, "asked": asked, "own": own})
    assert {"region"} == set(at_page("classes").places) - set(widget.places)
    inside = {v for _label, v in widget.places["city"].options}
    assert inside < {v for _label, v in at_page("classes").places["city"].options}
    assert widget.asked.scope == ()
    assert set(widget.shown["dealer_id"]) == set(own.judged["dealer_id"])
