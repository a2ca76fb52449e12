"""Widgets: what they show follows what is chosen, and what is saved is read back."""

import shutil

import pytest
from ipywidgets import Button, IntSlider, ToggleButtons
from matplotlib import pyplot as plt

from helpers import climb, features, fishbone, read, scoring, style, widgets


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
