"""Figures: every one of every page, of a small network and of books that lack much, is read wide
and on a phone, by everybody, and says whose and of when it is.
"""

import itertools
import re
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import absences
import figure_faults
from cells import run_cells
from helpers import look, words
from helpers.look import colors, figures, labels, svg
from helpers.settings import DataError

# what is missing changes what can be drawn
MEAGRE = ("three columns", "1 dealers")
PAGES = [path.stem for path in absences.NOTEBOOKS]
LONG = (
    "Shenzhen Longhua District Central Household Appliance and Home Electronics Wholesale Centre",
    "深圳市龙华区中心家用电器与家居电子批发零售综合服务有限责任公司第三分公司",
)
# what meets in one figure and is to be told apart by its colour alone
MEETINGS = (
    ("A", "B", "C"),
    ("accent", "muted"),
    ("accent", "good", "bad"),
    ("ours", "muted", "–", "rival"),
    ("urban", "rural"),
    ("good", "bad", "muted"),
    ("accent", "muted", "B"),
)


def shown_of(book, **given) -> list[tuple[str, object]]:
    """Run all pages; give their figures and tables, each with its place.

    A page of which the book has no table is not printed.
    """
    found = []
    for name in PAGES:
        try:
            cells = run_cells(name, book, **given)["__shown__"]
        except DataError:
            continue
        for place, shown in cells.items():
            if hasattr(shown, "figure") or hasattr(shown, "rows"):
                found.append((f"{name} {place}", getattr(shown, "figure", shown)))
    return found


def drawn(found) -> list[tuple[str, plt.Figure]]:
    """Choose the figures that are drawn, no sentence in their place."""
    return [(place, f) for place, f in found if hasattr(f, "said") and not hasattr(f, "nothing")]


def wrong(found, check) -> list[str]:
    """Give what is wrong with figures, by their places."""
    return [f"{place}: {fault}" for place, figure in drawn(found) for fault in check(figure)]


def on_a_phone(figure) -> list[str]:
    """Tell what is wrong with a figure's drawing for a phone."""
    width = figure.get_size_inches()[0]
    if width < figures.WIDTH_IN / 1.5:  # of a card: as wide as a phone is
        return []
    with figures.narrowed(figure) as narrow:
        found = figure_faults.faults(narrow)
        if narrow.get_size_inches()[0] > figures.NARROW_IN:
            found.append("wider than a phone")
    assert figure.get_size_inches()[0] == width
    return found


@pytest.fixture(scope="module")
def demo(small_demo):
    """Draw the figures of all of the demo's pages, in English."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setenv("WORKBOOK_SVG", "own")
        warnings.simplefilter("ignore")
        yield shown_of(small_demo)
    plt.close("all")


@pytest.fixture(scope="module")
def meagre(tmp_path_factory):
    """Draw the figures of all pages of books that lack much, in Chinese."""
    folder = tmp_path_factory.mktemp("meagre")
    tables = absences.whole()
    laid, found = absences.lay_out(tables, folder / "whole"), []
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setenv("WORKBOOK_SVG", "own")
        warnings.simplefilter("ignore")
        for case in (case for case in absences.CASES if case.name in MEAGRE):
            book = absences.write_case(folder / re.sub(r"\W+", "_", case.name), case, tables, laid)
            given = {"language": "zh-Hans"}
            found += [(f"{case.name}: {place}", it) for place, it in shown_of(book, **given)]
        yield found
    plt.close("all")


# ---- all figures of all pages --------------------------------------------------------------------


@pytest.mark.xdist_group("figures")
class TestAllPages:
    """What a reader sees of every figure; each test walks over all of them."""

    def test_there_are_figures_to_walk_over(self, demo, meagre):
        assert len(drawn(demo)) >= 40
        assert len({place.split(": ")[0] for place, _ in meagre}) == len(MEAGRE)
        assert len(drawn(meagre)) > len(MEAGRE)

    def test_wide(self, demo):
        look.use("en", "CNY")
        assert wrong(demo, figure_faults.faults) == []

    def test_on_a_phone(self, demo):
        look.use("en", "CNY")
        assert wrong(demo, on_a_phone) == []

    def test_of_meagre_books(self, meagre):
        look.use("zh-Hans", "CNY")
        assert wrong(meagre, figure_faults.faults) == []
        assert wrong(meagre, on_a_phone) == []

    def test_whose_and_of_when(self, demo, meagre):
        for found in (demo, meagre):
            assert wrong(found, figure_faults.unscoped) == []
        assert untold(demo) == untold(meagre) == []


def untold(found) -> list[str]:
    """List the tables whose caption does not say of when they are.

    A score sheet is a form, and sessions have their days in their rows.
    """
    captions = {
        place: re.search(r"<caption>(.*?)</caption>", table.to_html(), re.DOTALL)
        for place, table in found
        if hasattr(table, "rows")
        and len(table.rows)
        and not {"question", "scored_date"} & set(table.rows)
    }
    return [
        place
        for place, caption in captions.items()
        if not (caption and re.search(r"\d{4}-\d{2}|\d{4}", caption[1]))
    ]


# ---- what is checked with, seen to find what is wrong --------------------------------------------


def spoiled(what: str):
    ax = look.axes(height=3)
    ax.bar([0, 1, 2], [3, 1, 2], color=look.COLORS["accent"])
    if what == "contrast":
        ax.annotate("dark", (0, 1), ha="center")
    elif what == "small":
        ax.set_ylabel("tiny", fontsize=5)
    elif what == "outside":
        ax.figure.text(0.99, 0.5, "much too far to the right")
    elif what == "overlap":
        ax.figure.text(0.3, 0.92, "one")
        ax.figure.text(0.3, 0.92, "other")
    elif what == "legend":
        ax.legend(["x"])
    elif what == "alike":
        ax.bar([3], [1], color="#205b8d")
    elif what == "empty":
        ax.clear()
        ax.bar([0], [1])
    elif what == "squeezed":
        ax.figure.set_layout_engine(None)
        ax.figure.subplots_adjust(left=0.6, right=0.9)
        ax.figure.set_layout_engine("none")
    look.explain(ax, "Title", "how", "Network, 2026-10")
    return ax.figure


@pytest.mark.parametrize(
    "what", ["contrast", "small", "outside", "overlap", "legend", "alike", "empty", "squeezed"]
)
def test_what_is_wrong_is_found(what, looks):
    figure = spoiled(what)
    # a layout would mend it
    check = figure_faults.squeezed if what == "squeezed" else figure_faults.faults
    found = check(figure)
    assert [fault for fault in found if fault.startswith(what)], found
    assert {fault.split(":")[0] for fault in found} == {what}


def test_a_sound_figure_has_no_fault(looks):
    figure = spoiled("")
    assert figure_faults.faults(figure) == on_a_phone(figure) == []


def test_other_months_and_none_are_found(looks):
    ax = look.axes()
    ax.plot([0, 1], [1, 2])
    ax.set_xticks([0, 1], ["2026-01", "2026-10"])
    look.explain(ax, "Title", "", "Network, 2025-11 to 2026-10")
    assert figure_faults.unscoped(ax.figure) == []
    look.explain(ax, "Title", "", "Network, 2026-05 to 2026-10")
    assert "other months" in figure_faults.unscoped(ax.figure)[0]
    look.explain(ax, "Title", "", "Network")
    assert "no dates" in figure_faults.unscoped(ax.figure)[0]


# ---- colours -------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", MEETINGS, ids="-".join)
def test_colours_that_meet_are_told_apart_by_everybody(names):
    for one, other in itertools.combinations(names, 2):
        apart = figure_faults.distances(look.COLORS[one], look.COLORS[other])
        assert apart.pop("grey") >= 8, (one, other)
        assert min(apart.values()) >= 12, (one, other, apart)


def test_ages_grow_darker_and_groups_differ_in_hue_or_mark():
    light = [figure_faults.lab(color)[0] for color in look.AGES]
    assert (np.diff(light) < -8).all()
    for one, other in itertools.combinations(look.GROUPS, 2):
        apart = figure_faults.distances(one, other)
        apart.pop("grey")  # eight lightnesses are more than are told apart: each has a mark
        assert min(apart.values()) >= 10, (one, other, apart)
    assert len(set(look.MARKS)) == len(look.GROUPS)


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_text_is_read_on_every_colour(parts):
    fill = tuple(part / 255 for part in parts)
    assert colors.contrast(look.ink_on(fill), fill) >= colors.READABLE
    named = "#{:02x}{:02x}{:02x}".format(*parts)
    assert colors.contrast(look.ink(named), "white") >= colors.READABLE
    assert colors.contrast(named, "white") == pytest.approx(figure_faults.contrast(named, "white"))


# ---- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
@pytest.mark.parametrize("n", [1, 3, 15])
def test_long_names_leave_half_of_the_width_and_are_told_in_full(n, language, looks, monkeypatch):
    look.use(language, "CNY")
    monkeypatch.setenv("WORKBOOK_PAGE", "1")
    monkeypatch.setenv("WORKBOOK_SVG", "own")
    ax = look.axes(height=1.5 + 0.27 * n)
    names = [f"{i} {LONG[language != 'en']}" for i in range(n)]
    ax.barh(range(n), np.arange(n) + 1.0)
    ax.set_yticks(range(n), names)
    look.beside(ax, [(i, name, look.COLORS["accent"]) for i, name in enumerate(names[:3])])
    look.explain(ax, "Title", "how", "Network, 2026-10")
    _svg, seen = figures.rendered(ax.figure, "svg")
    assert all(name in seen["alt"] for name in names)
    for check in (figure_faults.squeezed, lambda f: figure_faults.outside(*lines_of(f))):
        assert check(ax.figure) == []
        with figures.narrowed(ax.figure) as narrow:
            narrow.draw_without_rendering()
            assert check(narrow) == []


def lines_of(figure):
    return figure_faults.seen(figure)[0], figure


@pytest.mark.parametrize("road", ["own", "plain"])
def test_a_figure_is_the_same_before_and_after_its_drawing_for_a_phone(road, looks, monkeypatch):
    monkeypatch.setenv("WORKBOOK_PAGE", "1")
    monkeypatch.setenv("WORKBOOK_SVG", road)
    made = look.axes(2, height=3)
    for ax in made:
        ax.barh(range(4), range(1, 5))
        ax.set_yticks(range(4), [LONG[0]] * 4)
        ax.set_xticks(range(5), [f"2026-0{i + 1}" for i in range(5)])
    look.above(made[0], [(1, "one", look.COLORS["bad"]), (1.1, "another", look.COLORS["good"])])
    look.explain(made[0], "A title that takes two lines on a phone, and one here", "how", "note")
    before = svg.drawn(made[0].figure)
    wide, seen = figures.rendered(made[0].figure, "svg")
    assert wide == before == svg.drawn(made[0].figure)
    assert seen["narrow"] != wide
    sizes = [float(re.search(r'width="([\d.]+)pt"', text)[1]) for text in (wide, seen["narrow"])]
    assert sizes == pytest.approx([72 * figures.WIDTH_IN, 72 * figures.NARROW_IN], abs=0.1)
    monkeypatch.delenv("WORKBOOK_PAGE")
    assert "narrow" not in figures.rendered(made[0].figure, "svg")[1], "by hand there is no phone"


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.5, 10)), min_size=1, max_size=12))
def test_names_are_moved_apart_in_order_and_stay_within_their_room(boxes):
    centres, sizes = map(np.array, zip(*boxes, strict=True))
    placed = labels.spread(centres, sizes, 0, 130)
    order = np.argsort(centres, kind="stable")
    low, high = placed[order] - sizes[order] / 2, placed[order] + sizes[order] / 2
    assert (low[1:] >= high[:-1] - 1e-6).all()
    assert low.min() >= -1e-6
    assert high.max() <= 130 + 1e-6
    if (np.sort(centres)[1:] - np.sort(centres)[:-1] >= 10).all() and centres.min() > 5:
        assert np.allclose(placed, centres), "who is apart stays where he is"


def test_a_forecast_is_hatched_with_strokes_of_its_own(looks):
    ax = look.axes()
    look.hatched(ax, np.arange(3), np.array([4.0, -2.0, 0.0]), 0.6)
    (strokes,) = ax.collections
    for segment in strokes.get_segments():
        (x0, y0), (x1, y1) = segment
        at = round((x0 + x1) / 2)
        height = {0: 4.0, 1: -2.0}[at]
        assert abs(x0 - at) <= 0.3 + 1e-9 and abs(x1 - at) <= 0.3 + 1e-9
        assert min(0, height) - 1e-9 <= min(y0, y1) <= max(y0, y1) <= max(0, height) + 1e-9
    assert all(bar.get_facecolor()[3] == 0 for bar in ax.patches)


@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant"])
def test_a_finding_stands_alone_where_a_drawing_adds_nothing(language, looks):
    look.use(language)
    ax = look.instead(words.translated("All of one kind", "全部同类"))
    assert ax.figure.nothing.endswith("." if language == "en" else "。")


@pytest.mark.parametrize(
    "name",
    ["长" * 10_000, "T" * 10_000, "a\u202eb\u2028c\r\x85" + "L" * 900],
    ids=["Chinese", "Latin", "controls"],
)
@pytest.mark.parametrize("at_once", [True, False], ids=["first", "again"])
def test_a_name_from_the_data_is_told_as_a_page_can_hold_it(name, at_once, looks, monkeypatch):
    """In what a bar tells and in a figure's words, the first time it is drawn and the next."""
    monkeypatch.setenv("WORKBOOK_SVG", "own")
    ax = look.axes(height=3)
    ax.barh(range(2), [1, 2])
    ax.set_yticks(range(2), [name, "Fuhe"])
    look.explain(ax, "A title")
    drawn, told = figures.rendered(ax.figure, "svg")
    if not at_once:
        drawn, told = figures.rendered(ax.figure, "svg")
    bars = re.findall("<title>(.*?) · ", drawn)
    assert bars[-1] == "Fuhe" and len(bars) == 2
    for said in (*bars, told["alt"]):
        assert not re.search("[L长T]{100}", said)
        assert "\u202e" not in said and len(said.splitlines()) == 1
