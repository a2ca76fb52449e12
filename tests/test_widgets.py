"""Widgets: what they show follows what is chosen, and what is saved is read back."""

import html
import shutil

import pandas as pd
import pytest
from ipywidgets import HTML, Button, Dropdown, FloatSlider, IntSlider, ToggleButtons
from matplotlib import pyplot as plt

from helpers import climb, earnings, features, fishbone, inventory, profit, read, scoring, style, widgets, workshop


@pytest.fixture
def asked(small_demo, tmp_path):
    """Take the small demo into a folder of this test's own, with all that the fishbone's widget is given."""
    shutil.copytree(small_demo.folder, tmp_path / "book")
    book = read.workbook(tmp_path / "book")
    style.use("en", book.currency)
    tree = fishbone.factor_tree(read.reference(book, "factors"), read.reference(book, "causes"))
    scores = read.records(book, "scores")
    people = scoring.people_scores(scores, tree, end_date="2026-10-31", brand=book.brand)
    scored = scoring.factor_scores(people, people.assign(data_score=5.0))
    hills = climb.require_assumptions(read.reference(book, "climb"), tree)
    yield book, tree, scored, read.records(book, "comparisons"), features.dealer_features(book, "2026-10"), hills
    plt.close("all")


def parts(widget, kind):
    found = [widget] if isinstance(widget, kind) else []
    return found + [part for child in getattr(widget, "children", ()) for part in parts(child, kind)]


def test_the_climb_is_saved_as_the_plan(asked):
    book, tree = asked[:2]
    shown = widgets.explore_fishbone(*asked)
    (how,), (days,), (save,) = (parts(shown, kind) for kind in (ToggleButtons, IntSlider, Button))
    how.value, days.value = "equal", 30
    assert not (book.folder / "plan.csv").exists(), "nothing is written before somebody asks for it"
    save.click()
    plan = read.records(read.workbook(book.folder), "plan")
    assert set(plan["factor_id"]) <= set(tree["factor_id"])
    assert set(plan["status"]) == {"open"}
    days.value = 5
    save.click()
    assert len(read.records(read.workbook(book.folder), "plan")) < len(plan)
    assert (book.folder / "plan.csv.bak").exists()


def test_growth_follows_the_sliders_and_keeps_nothing(asked, capsys):
    book = asked[0]
    statements, stages = read.reference(book, "statements"), read.reference(book, "stages")
    found = workshop.profile(read.records(book, "scores"), statements, stages, end_date="2026-10-31")
    files = sorted(book.folder.rglob("*"))
    shown = widgets.explore_growth(statements, stages, found)
    sliders = parts(shown, FloatSlider)
    assert len(sliders) == 12
    assert {text.value for text in parts(shown, HTML)} == {html.escape(text) for text in statements["en"]}
    assert "You stand at “Setting out”" in capsys.readouterr().out, "all at the middle: no step is reached"
    for slider in sliders[:6]:  # the statements of the two lower stages come first
        slider.value = 8
    last = capsys.readouterr().out
    assert last.rindex("You stand at “Responsible”") > last.rindex("You stand at “Manual”")
    assert stages.set_index("stage").loc["responsible", "next_en"] in last
    for slider in sliders[9:]:
        slider.value = 9
    assert "Out of order: 9.0 at “Consultant”" in capsys.readouterr().out
    assert sorted(book.folder.rglob("*")) == files


def test_growth_without_a_room(asked, capsys):
    book = asked[0]
    statements, stages = read.reference(book, "statements"), read.reference(book, "stages")
    for slider in parts(widgets.explore_growth(statements, stages), FloatSlider):
        slider.value = 10
    assert "You stand at “Consultant”, the highest step, with a score of 10.0" in capsys.readouterr().out


def test_the_stock_shown_is_of_the_region_category_and_age_chosen(monkeypatch):
    style.use("en", "CNY")
    ids = ["a", "b", "c"]
    dealers = pd.DataFrame({"dealer_id": ids, "dealer_name": ["Ann", "Bob", "Cid"], "region": ["N", "S", None],
                            "city": None, "account_manager": None})  # fmt: skip
    models = pd.DataFrame({"product_id": ["p", "q"], "product_name": ["Pot", "Quilt"], "category": ["kitchen", "bed"]})
    layers = pd.DataFrame({"dealer_id": [*ids, "a"], "product_id": ["p", "p", "q", "q"], "quantity": 1.0,
                           "unit_cost": 10.0, "received_date": pd.Timestamp("2026-06-01")})  # fmt: skip
    aged = inventory.aged(layers, "2026-10-31")
    flows = pd.DataFrame(columns=["dealer_id", "product_id", "sold", "sold_90d", "last_sold_date"])
    shown = widgets.explore_stock(aged, flows, dealers, models)
    (region, category), (days,) = (parts(shown, kind) for kind in (Dropdown, IntSlider))
    assert [value for _label, value in region.options] == ["", "N", "S"]
    assert [value for _label, value in category.options] == ["", "bed", "kitchen"]

    tables, figures = [], []
    monkeypatch.setattr(widgets, "display", tables.append)
    monkeypatch.setattr(widgets, "_display", figures.append)
    for chosen, names in ((("N", "", 90), "Ann Ann"), (("", "kitchen", 90), "Ann Bob"), (("S", "bed", 90), "")):
        region.value, category.value, days.value = chosen
        assert sorted(tables[-1].rows.get("dealer_name", [])) == names.split()
    assert figures[-1].figure.alt_text == style.say("inventory.no_stock")
    region.value, category.value = "", ""
    assert sorted(label.get_text() for label in figures[-1].get_yticklabels()) == ["Ann", "Bob", "Cid"]
    days.value = 180
    assert style.say("inventory.none_older", days=180) in tables[-1].to_html()
    plt.close("all")


def test_the_proof_shown_is_of_the_dealer_chosen(small_demo, monkeypatch):
    sums, months = earnings.brand_sums(small_demo, "2026-10"), earnings.brand_months(small_demo, "2026-10")
    comparison = profit.brand_comparison(sums, small_demo.brand, months)
    style.use("en", small_demo.currency)
    shown = []
    monkeypatch.setattr(widgets, "display", shown.append)
    (choice,) = parts(widgets.explore_profit(comparison, read.dealers(small_demo)), Dropdown)
    assert {value for _name, value in choice.options} == set(comparison["dealer_id"])
    chosen = choice.options[-1][1]
    shown.clear()
    choice.value = chosen
    prose, sheet, _figure = shown
    assert prose.sentences == profit.verdict(comparison, chosen)
    expected = profit.proof_table(profit.proof(comparison, chosen))
    assert sheet.rows["our_figure"].tolist() == expected["our_figure"].tolist()
