"""Widgets: each control changes what is shown, nothing missing stops one, and no `Output` is ever
opened.
"""

import ast
import base64
import gc
import html
import inspect
import itertools
import re
import shutil

import ipywidgets
import nbformat
import pandas as pd
import pytest
from ipywidgets import HTML, Button, Combobox, Dropdown, FloatSlider, IntSlider, ToggleButtons
from ipywidgets.widgets.widget import _instances
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from helpers import (
    card,
    consumers,
    data,
    fishbone,
    inventory,
    look,
    pareto,
    periods,
    profit,
    receivables,
    result,
    segmentation,
    widgets,
    words,
    workshop,
)
from helpers.data import plan_file
from helpers.fishbone import effort
from helpers.look import figures, style
from helpers.profit import sheet
from helpers.settings import CHECKOUT as ROOT

PERIOD, END = "2026-10", "2026-10-31"
EXPLORERS = sorted(
    name.removeprefix("explore_") for name in dir(widgets) if name.startswith("explore_")
)
# by people, of data/reference
WRITTEN = {"diagnoses", "asked.segments", "asked.climb", "statements", "stages", "actions"}
CONTROLS = (Combobox, Dropdown, FloatSlider, IntSlider, ToggleButtons)


def parts(widget, kind):
    found = [widget] if isinstance(widget, kind) else []
    return found + [
        part for child in getattr(widget, "children", ()) for part in parts(child, kind)
    ]


def seen(widget) -> str:
    """Give what an explorer shows under its controls, or in their place."""
    (shown,) = (part.value for part in parts(widget, HTML) if "jp-RenderedHTMLCommon" in part.value)
    return shown


def said(widget) -> list[str]:
    """Give the sentences that are shown."""
    return [html.unescape(text) for text in re.findall(r"<li>(.*?)</li>", seen(widget))]


def failed(widget) -> bool:
    return any(text.startswith(words.say("explore.failed", error="")) for text in said(widget))


def column(widget, name: str, table: int = -1) -> list[str]:
    """Give a column of a table that is shown; none where a sentence stands in its place."""
    tables = re.findall(r'<table class="table">.*?</table>|<p class="note">', seen(widget))
    heads = re.findall(r"<th(?: [^>]*)?>(.*?)</th>", tables[table])
    rows = [
        re.findall(r"<td.*?>(.*?)</td>", row)
        for row in re.findall(r"<tr>(.*?)</tr>", tables[table])
    ]
    return [html.unescape(row[heads.index(words.word(name))]) for row in rows if row]


# who is looked at where there are few dealers only
FIRST_OF = {
    "card": "everyone.judged",
    "stock": "own.aged",
    "classes": "own.judged",
    "fishbone": "asked.habits",
}


def others(control) -> list:
    """Choose values of a control other than the one it has: some options, both ends of a slider."""
    if not hasattr(control, "options"):
        return [value for value in (control.min, control.max) if value != control.value]
    found = [option[1] if isinstance(option, tuple) else option for option in control.options]
    return [value for value in found if value != control.value][:3]


def tables_of(book: data.Workbook) -> dict[str, dict]:
    """Gather what the notebooks hand to each explorer, by the names of its parameters."""
    dealers, end = data.dealers(book), periods.window(PERIOD).end
    scores = data.records(book, "scores")
    statements, stages = data.reference(book, "statements"), data.reference(book, "stages")
    everyone, earned = card.network_tables(book, PERIOD, "en")
    network, shoppers = (room.read_month(book, PERIOD) for room in (segmentation, consumers))
    return {
        "classes": {
            "asked": pareto.read_month(book, PERIOD),
            "own": pareto.abc_month(book, PERIOD),
            "dealers": dealers,
            "diagnoses": data.reference(book, "diagnoses"),
        },
        "rfm": {"asked": network, "own": segmentation.judge_month(network)},
        "fishbone": {
            "book": book,
            "asked": fishbone.read_month(book, PERIOD),
            "own": fishbone.fishbone_month(book, PERIOD),
        },
        "groups": {"asked": shoppers, "own": consumers.judge_month(shoppers)},
        "growth": {
            "statements": statements,
            "stages": stages,
            "found": workshop.profile(scores, statements, stages, end_date=end),
        },
        "stock": {
            "own": inventory.stock_month(book, PERIOD, n_history=1),
            "flows": data.flows(book, PERIOD),
            "dealers": dealers,
            "models": data.models(book),
        },
        "profit": {"own": earned, "dealers": dealers, "chosen": ""},
        "receivables": {
            "asked": receivables.read_month(book, PERIOD),
            "own": receivables.receivables_month(book, PERIOD),
            "dealers": dealers,
        },
        "month": {
            "asked": result.read_month(book, PERIOD),
            "own": result.result_month(book, PERIOD),
        },
        "card": {
            "everyone": everyone,
            "period": PERIOD,
            "brand": book.brand,
            "actions": data.reference(book, "measures"),
        },
    }


@pytest.fixture(scope="module")
def given(small_demo):
    look.use("en", small_demo.currency)
    return tables_of(small_demo)


@pytest.fixture(autouse=True)
def _spoken(small_demo):
    look.use("en", small_demo.currency)
    yield
    assert not plt.get_fignums(), "an explorer leaves a figure open"


def explored(name: str, tables: dict) -> ipywidgets.Widget:
    return getattr(widgets, f"explore_{name}")(**tables)


def frames(tables: dict) -> dict[str, pd.DataFrame]:
    """List an explorer's tables by name, those of a dict or a month, too."""
    found = {}
    for name, value in tables.items():
        value = value._asdict() if hasattr(value, "_asdict") else value
        inner = (
            {f"{name}.{key}": table for key, table in value.items()}
            if isinstance(value, dict)
            else {name: value}
        )
        found |= {key: table for key, table in inner.items() if isinstance(table, pd.DataFrame)}
    return found


def replaced(tables: dict, other: dict[str, pd.DataFrame]) -> dict:
    """Put other tables in their places."""
    made = {
        name: dict(value) if isinstance(value, dict) else value for name, value in tables.items()
    }
    for name, table in other.items():
        place, _, key = name.partition(".")
        if key and hasattr(made[place], "_replace"):
            made[place] = made[place]._replace(**{key: table})
        elif key:
            made[place][key] = table
        else:
            made[place] = table
    return made


# ---- what all explorers hold to ------------------------------------------------------------------


def test_all_explorers_are_tested(given):
    assert set(given) == set(EXPLORERS)
    for name, tables in given.items():
        asked = inspect.signature(getattr(widgets, f"explore_{name}")).parameters.values()
        assert {p.name for p in asked if p.kind is not p.KEYWORD_ONLY} == set(tables)


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
@pytest.mark.parametrize("name", EXPLORERS)
def test_each_control_changes_what_is_shown_and_back(given, name, language):
    look.use(language, "CNY")
    widget = explored(name, given[name])
    first, controls = seen(widget), parts(widget, CONTROLS)
    assert controls
    assert not failed(widget)
    for control in controls:
        before = control.value
        assert others(control), f"{name}: nothing to choose at {control.description}"
        for value in others(control):
            control.value = value
            assert seen(widget) != first, (
                f"{name}: {control.description} = {value!r} changes nothing"
            )
            assert not failed(widget), said(widget)
            control.value = before
            assert seen(widget) == first, f"{name}: what is shown depends on more than the controls"


@pytest.mark.parametrize("name", EXPLORERS)
def test_figures_are_images_with_words_and_no_output_is_opened(given, name):
    before = set(_instances)
    shown = seen(explored(name, given[name]))
    assert re.findall(r'<img src="data:image/(?:svg\+xml|png);base64,[^"]+" alt="[^"]+">', shown)
    assert shown.count("<img ") == len(re.findall(r'<img src="data:[^"]+" alt="[^"]+">', shown))
    opened = [widget for key, widget in _instances.items() if key not in before]
    assert opened
    assert not [widget for widget in opened if isinstance(widget, ipywidgets.Output)]


def test_no_code_of_ours_asks_for_an_output():
    """Neither here nor in a notebook; nor does an explorer print, which nobody would see."""
    sources = {"widgets": inspect.getsource(widgets)}
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
            assert name != "widgets" or called not in {"print", "display"}


# ---- the mechanism -------------------------------------------------------------------------------


def slider_over(show) -> tuple[IntSlider, ipywidgets.Widget]:
    slider = IntSlider(max=1000)
    return slider, ipywidgets.VBox([slider, widgets._following({"n": slider}, show)])


@pytest.mark.parametrize(
    "error",
    [
        ValueError("<script>alert(1)</script>"),
        KeyError("revenue_class"),
        ZeroDivisionError(),
        MemoryError("too large"),
        RecursionError("deep"),
    ],
)
@pytest.mark.parametrize("language", words.LANGUAGES)
def test_an_error_is_a_sentence_and_the_next_choice_works(error, language, capfd):
    look.use(language, "CNY")

    def show(n):
        yield look.axes()
        yield look.Prose([f"n is {n}"])
        if n == 1:
            raise error

    slider, widget = slider_over(show)
    good = seen(widget)
    assert said(widget) == ["n is 0"]
    slider.value = 1
    assert said(widget) == [words.say("explore.failed", error=f"{type(error).__name__}: {error}")]
    assert "<script" not in seen(widget)
    assert "Traceback" not in seen(widget)
    assert not plt.get_fignums(), "what was drawn before the error is closed, too"
    slider.value = 2
    assert said(widget) == ["n is 2"]
    slider.value = 0
    assert seen(widget) == good
    assert capfd.readouterr() == ("", "")


def test_an_interrupt_is_no_error_of_the_choice():
    def show(n):
        if n:
            raise KeyboardInterrupt
        yield look.Prose(["good"])

    slider, _widget = slider_over(show)
    with pytest.raises(KeyboardInterrupt):
        slider.value = 1


def test_nothing_is_left_over_after_300_changes():
    def show(n):
        ax = plt.figure(figsize=(1, 1)).add_subplot()
        ax.set_axis_off()
        ax.plot([0, n])
        ax.figure.alt_text = f"drawn for {n}"
        yield ax

    kept = plt.figure()  # somebody's own, open before, stays open
    slider, widget = slider_over(show)
    for value in range(1, 301):
        slider.value = value
    gc.collect()
    assert 'alt="drawn for 300"' in seen(widget)
    assert plt.get_fignums() == [kept.number]
    assert sum(isinstance(thing, Figure) for thing in gc.get_objects()) <= 3
    plt.close(kept)


def test_a_picture_is_what_a_notebook_would_show():
    ax = look.axes(height=1)
    ax.plot([1, 2])
    look.explain(ax, 'A "title" <b>')
    shown = style.picture(ax.figure)
    assert html.unescape(re.search('alt="(.*?)"', shown)[1]) == ax.figure.alt_text
    drawn, _alt = figures.rendered(ax.figure, "svg")
    assert base64.b64decode(re.search(r'svg\+xml;base64,(.*?)"', shown)[1]).decode() == drawn
    ax.figure.dense = True
    assert 'src="data:image/png;base64,iVBOR' in style.picture(ax.figure)
    plt.close(ax.figure)


# ---- nothing missing stops one -------------------------------------------------------------------


def absences() -> list:
    """Each table of each explorer empty, singly and in pairs.

    Whose names are needed, as the explorers take them.
    """
    tables = {
        "classes": [
            "asked.totals",
            "asked.months",
            "asked.quarters",
            "dealers",
            "diagnoses",
            "own.judged",
        ],
        "rfm": ["asked.orders", "asked.segments"],
        "fishbone": ["own.scored", "asked.comparisons", "asked.habits", "asked.climb"],
        "groups": ["asked.habits"],
        "growth": ["statements", "stages"],
        "stock": ["own.aged", "flows", "dealers", "models"],
        "profit": ["own.comparison", "own.gaps", "dealers"],
        "receivables": ["asked.entries", "asked.terms", "own.owed", "dealers"],
        "card": [
            f"everyone.{name}"
            for name in inspect.signature(widgets.dossier.dossier).parameters
            if name not in ("dealer_id", "audience", "period", "brand")
        ]
        + ["actions"],
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
    if parts(widget, CONTROLS):
        assert expect_told or not failed(widget), said(widget)
        assert text.strip() or "<img" in seen(widget)
    else:
        assert isinstance(widget, HTML)
        assert len(said(widget)) == 1
        assert not failed(widget)


@pytest.mark.parametrize(("name", "left_out"), absences())
def test_an_empty_table_stops_nothing(given, name, left_out):
    found = frames(given[name])
    widget = explored(
        name, replaced(given[name], {table: found[table].head(0) for table in left_out})
    )
    # a file of people's that says nothing is told as what it is: a fault of that file
    sound(widget, expect_told=bool(WRITTEN & set(left_out)))


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("name", EXPLORERS)
def test_one_or_two_dealers_are_enough(given, name, n):
    key = "consumer_id" if name == "groups" else "dealer_id"
    few = {}
    for table, rows in frames(given[name]).items():
        if key in rows:
            some = frames(given[name])[FIRST_OF.get(name, table)]
            few[table] = rows[rows[key].isin(some[key].unique()[:n])]
    assert few or name == "growth"
    widget = explored(name, replaced(given[name], few))
    sound(widget, expect_told=False)
    for control in parts(widget, CONTROLS):
        for value in others(control):
            control.value = value
            sound(widget, expect_told=False)


def of_classes(given, totals: pd.DataFrame, **options) -> ipywidgets.Widget:
    """Explore a month of these totals, judged by these options."""
    asked = given["classes"]["asked"]._replace(totals=totals)
    return explored(
        "classes",
        {**given["classes"], "asked": asked, "own": pareto.judge_month(asked, **options)},
    )


@pytest.mark.parametrize(
    "indicators",
    [c for n in range(4) for c in itertools.combinations(pareto.INDICATORS, n)],
    ids="+".join,
)
@pytest.mark.parametrize("how", ["empty", "absent"])
def test_classes_with_the_indicators_that_are_known(given, indicators, how):
    gone = [i for i in pareto.INDICATORS if i not in indicators]
    totals = given["classes"]["asked"].totals
    totals = (
        totals.drop(columns=gone)
        if how == "absent"
        else totals.assign(**dict.fromkeys(gone, float("nan")))
    )
    widget = of_classes(given, totals)
    assert len(parts(widget, FloatSlider)) == (len(indicators) if len(indicators) > 1 else 0), (
        "a weight alone is all"
    )
    assert parts(widget, ToggleButtons), "without payments and gross profit the rule is revenue's"
    assert not failed(widget)
    assert words.say("explore.nobody_changes") in seen(widget)
    widget = of_classes(given, totals.assign(revenue=float("nan")))
    assert bool(parts(widget, ToggleButtons)) == bool(set(indicators) - set(pareto.NOT_ADDITIVE))
    assert (said(widget) == [words.say("explore.no_dealers")]) == (not indicators)


def test_classes_by_revenue_and_of_a_network_of_losses(given):
    unknown = {"payments": float("nan"), "gross_profit": float("nan"), "brand_share": float("nan")}
    losing = {"payments": -1.0, "gross_profit": -2.0}
    for columns in (unknown, losing):
        widget = of_classes(given, given["classes"]["asked"].totals.assign(**columns))
        assert not failed(widget)
        assert ("<img" in seen(widget)) == (columns is unknown), (
            "of losses alone there is nothing to draw"
        )
        for control in parts(widget, ToggleButtons):
            control.value = "value"
        assert not failed(widget)


def test_growth_without_a_room(given):
    tables = {**given["growth"], "found": None}
    widget = explored("growth", tables)
    for slider in parts(widget, FloatSlider):
        slider.value = 10
    assert any(
        "You stand at “Consultant”, the highest step, with a score of 10.0" in text
        for text in said(widget)
    )


# ---- one by one ----------------------------------------------------------------------------------


def test_who_changes_class_is_shown_against_the_page(given):
    tables = given["classes"]
    page = tables["own"].judged
    by_hand = page.assign(computed_class=page["composite_class"], composite_class="C")
    widget = explored("classes", {**tables, "own": tables["own"]._replace(judged=by_hand)})
    assert words.say("explore.nobody_changes") in seen(widget), (
        "a class set by hand is compared as it was computed"
    )
    (rule,), sliders = parts(widget, ToggleButtons), parts(widget, FloatSlider)
    rule.value = "value"
    for slider, weight in zip(sliders, (75, 25, 0), strict=True):
        slider.value = weight
    judged = pareto.judge_month(tables["asked"], rule="value", weights="75/25/0").judged
    before = page.set_index("dealer_id")["composite_class"]
    moved = judged[judged["composite_class"] != judged["dealer_id"].map(before)]
    assert 0 < len(moved) <= 20
    assert column(widget, "dealer_id") == moved["dealer_id"].tolist()
    assert column(widget, "page_class") == moved["dealer_id"].map(before).tolist()
    assert column(widget, "composite_class") == moved["composite_class"].tolist()
    counts = judged["composite_class"].value_counts()
    assert (
        f"Dealers by class: A {counts['A']}, B {counts['B']}, C {counts['C']}." in said(widget)[0]
    )
    assert f"{len(moved)} dealer" in said(widget)[0]
    for slider in sliders:
        slider.value = 0
    assert said(widget) == [words.say("explore.no_weight")], "without any weight there is no class"


@pytest.mark.parametrize(
    "options",
    [
        {"rule": "value"},
        {"quota": "10/30/60"},
        {"rule": "value", "value_cuts": "50/70"},
        {"weights": "10/20/70"},
        {"composite_cuts": "2.8/2"},
    ],
    ids=str,
)
def test_the_explorer_of_classes_begins_with_the_pages_rules(given, options):
    totals = given["classes"]["asked"].totals
    widget = of_classes(given, totals, **options)
    assert words.say("explore.nobody_changes") in seen(widget)
    other = explored("classes", {**given["classes"]})
    assert said(widget) != said(other) or seen(widget) != seen(other), "the option is of no effect"


@pytest.fixture
def asked(given, small_demo, tmp_path):
    """Take the small demo into a folder of this test's own, with all that the fishbone's widget is
    given.
    """
    shutil.copytree(small_demo.folder, tmp_path / "book")
    return {**given["fishbone"], "book": data.workbook(tmp_path / "book")}


def test_the_climb_is_saved_as_the_plan(asked):
    book, tree = asked["book"], asked["own"].tree
    shown = explored("fishbone", asked)
    (how,), (days,), (save,) = (parts(shown, kind) for kind in (ToggleButtons, IntSlider, Button))
    how.value, days.value = "equal", 30
    assert not (book.folder / "plan.csv").exists(), "nothing is written before somebody asks for it"
    save.click()
    plan = data.records(data.workbook(book.folder), "plan")
    assert set(plan["factor_id"]) <= set(tree["factor_id"])
    assert set(plan["status"]) == {"open"}
    days.value = 5
    save.click()
    assert len(data.records(data.workbook(book.folder), "plan")) < len(plan)
    assert (book.folder / "plan.csv.bak").exists()


@pytest.mark.parametrize("options", [{}, {"weighting": "profit", "budget_days": 37}], ids=str)
def test_the_explorer_of_the_fishbone_begins_with_the_pages_rules(given, options):
    asked = given["fishbone"]["asked"]
    own = fishbone.judge_month(asked, **options)
    widget = explored("fishbone", {**given["fishbone"], "own": own})
    (how,), (days,) = parts(widget, ToggleButtons), parts(widget, IntSlider)
    # what finds nothing to go by stays chosen, and is said
    assert how.value == (options.get("weighting") or own.how)
    assert days.value == own.options["budget_days"]
    spent, start = own.legs["effort_days"].sum(), (own.starts["weight"] * own.starts["start"]).sum()
    told = f"{spent:.0f} days lift the weighted score from {start:.1f}"
    assert told in html.unescape(seen(widget)), "the climb is the page's"


def test_what_can_not_be_climbed_or_written_is_not_said_to_be_saved(asked, monkeypatch):
    book = asked["book"]
    told = []

    def click(widget) -> str:
        parts(widget, Button)[0].click()
        told.append(parts(widget, HTML)[-1].value)
        return html.unescape(re.sub("<.*?>", "", told[-1]))

    flat = asked["asked"]._replace(climb=asked["asked"].climb.head(0))
    assert click(explored("fishbone", {**asked, "asked": flat})) == words.say("climb.nothing")
    assert not (book.folder / "plan.csv").exists()
    widget = explored("fishbone", asked)
    with monkeypatch.context() as patch:
        patch.setattr(effort, "legs", lambda *_: 1 / 0)
        parts(widget, IntSlider)[0].value = 40
        assert click(widget) == words.say("climb.nothing"), (
            "what was shown before the error is not what is asked for"
        )
    parts(widget, IntSlider)[0].value = 45
    with monkeypatch.context() as patch:
        patch.setattr(
            plan_file,
            "keep_plan",
            lambda *_: (_ for _ in ()).throw(OSError(28, "No space left <on> device")),
        )
        assert "No space left <on> device" in click(widget)
    assert "<on>" not in told[-1]
    assert "plan.csv" in click(widget)
    assert (book.folder / "plan.csv").exists()


def test_growth_follows_the_sliders_and_keeps_nothing(given, small_demo):
    tables = given["growth"]
    statements, stages = tables["statements"], tables["stages"]
    files = sorted(small_demo.folder.rglob("*"))
    shown = explored("growth", tables)
    sliders = parts(shown, FloatSlider)
    assert len(sliders) == 12
    texts = {part.value for part in parts(shown, HTML)} - {seen(shown)}
    assert texts == {html.escape(text) for text in statements["en"]}
    assert "You stand at “Setting out”" in said(shown)[0], "all at the middle: no step is reached"
    for slider in sliders[:6]:  # the statements of the two lower stages come first
        slider.value = 8
    assert "You stand at “Responsible”" in said(shown)[0]
    assert stages.set_index("stage").loc["responsible", "next_en"] in " ".join(said(shown))
    for slider in sliders[9:]:
        slider.value = 9
    assert "Out of order: 9.0 at “Consultant”" in " ".join(said(shown))
    assert sorted(small_demo.folder.rglob("*")) == files


def test_the_stock_shown_is_of_the_region_category_and_age_chosen(monkeypatch):
    ids = ["a", "b", "c"]
    dealers = pd.DataFrame(
        {
            "dealer_id": ids,
            "dealer_name": ["Ann", "Bob", "Cid"],
            "region": ["N", "S", None],
            "city": None,
            "account_manager": None,
        }
    )
    models = pd.DataFrame(
        {"product_id": ["p", "q"], "product_name": ["Pot", "Quilt"], "category": ["kitchen", "bed"]}
    )
    layers = pd.DataFrame(
        {
            "dealer_id": [*ids, "a"],
            "product_id": ["p", "p", "q", "q"],
            "quantity": 1.0,
            "unit_cost": 10.0,
            "received_date": pd.Timestamp("2026-06-01"),
        }
    )
    flows = pd.DataFrame(columns=["dealer_id", "product_id", "sold", "sold_90d", "last_sold_date"])
    here = data.OnHand(layers, pd.Timestamp(END), "stock", pd.DataFrame())
    nothing = pd.DataFrame(columns=["category", "date", "month", "sold", "bought"])
    told = data.Channel(*[nothing] * 7, pd.NaT, pd.NaT)
    told = told._replace(sources=pd.DataFrame(columns=["dealer_id", "source"]))
    months = {PERIOD: here}, {PERIOD: flows}
    asked = inventory.StockData(PERIOD, *months, dealers, models, nothing, nothing, told)
    own = inventory.judge_month(asked)
    shown = widgets.explore_stock(own, flows, dealers, models)
    assert [days.value for days in parts(shown, IntSlider)] == [own.options["old_days"]]
    (region, category), (days,) = (parts(shown, kind) for kind in (Dropdown, IntSlider))
    assert [value for _label, value in region.options] == ["", "N", "S"]
    assert [value for _label, value in category.options] == ["", "bed", "kitchen"]

    figures, picture = [], style.picture
    monkeypatch.setattr(style, "picture", lambda figure: figures.append(figure) or picture(figure))
    for chosen, names in (
        (("N", "", 90), "Ann Ann"),
        (("", "kitchen", 90), "Ann Bob"),
        (("S", "bed", 90), ""),
    ):
        region.value, category.value, days.value = chosen
        assert sorted(column(shown, "dealer_name") if names else []) == names.split()
    assert words.say("inventory.none_older", days=90) in seen(shown)
    assert figures[-1].alt_text == words.say("inventory.no_stock")
    region.value, category.value = "", ""
    labels = [label.get_text() for label in figures[-1].axes[0].get_yticklabels()]
    assert sorted(labels) == ["Ann", "Bob", "Cid"]
    days.value = 180
    assert words.say("inventory.none_older", days=180) in seen(shown)


def test_the_proof_shown_is_of_the_dealer_chosen(given, small_demo):
    own = given["profit"]["own"]
    comparison = own.comparison
    shown = explored("profit", given["profit"])
    (choice,) = parts(shown, Dropdown)
    assert {value for _name, value in choice.options} == set(comparison["dealer_id"])
    sums = data.brand_sums(small_demo, PERIOD)
    assert set(sums["dealer_id"]) == set(comparison["dealer_id"])
    choice.value = chosen = choice.options[-1][1]
    assert said(shown) == [*profit.verdict(comparison, own.gaps, chosen), said(shown)[-1]]
    assert look.table(profit.proof_table(sheet.proof(comparison, chosen))).to_html() in seen(shown)


def test_a_dealer_without_a_name_is_shown_by_his_number(given):
    tables = given["profit"]
    named = tables["dealers"].iloc[1:]
    shown = explored("profit", {**tables, "dealers": named})
    missing = set(tables["own"].comparison["dealer_id"]) - set(named["dealer_id"])
    assert {name for name, value in parts(shown, Dropdown)[0].options if value in missing} == {
        f"{dealer} ({dealer})" for dealer in missing
    }


def test_the_card_shown_is_of_the_dealer_and_the_reader_chosen(given):
    tables = given["card"]
    shown = explored("card", tables)
    (dealer,), (audience,) = parts(shown, Combobox), parts(shown, ToggleButtons)
    dealer.value = name = dealer.options[3]
    assert html.escape(name.rpartition(" · ")[0]) in seen(shown)
    audience.value = "dealer"
    theirs = seen(shown)
    own = (
        tables["everyone"]["judged"]
        .set_index("dealer_id")
        .loc[name.rpartition(" · ")[2], "diagnosis"]
    )
    assert html.escape(own) not in theirs, (
        "what is handed to a dealer does not hold our judgement of him"
    )
    dealer.value = ""
    assert said(shown) == [words.say("explore.choose")]
