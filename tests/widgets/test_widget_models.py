"""Models of the explorers, one by one: what each finds, and where it begins; no browser needed."""

import datetime as dt
import html
import itertools
import re
import shutil

import pandas as pd
import pytest
from explored import END, PERIOD, column, failed, opened, parts, said, seen
from explorer_fixtures import _spoken, at_page, given  # noqa: F401 - fixtures
from ipywidgets import HTML, Button, FloatSlider
from matplotlib import pyplot as plt

from helpers import (
    card,
    consumers,
    data,
    fishbone,
    inventory,
    look,
    pareto,
    profit,
    receivables,
    segmentation,
    words,
)
from helpers.data import plan_file
from helpers.fishbone import effort
from helpers.profit import sheet
from helpers.widgets import stocks
from helpers.widgets.classes import Classes
from helpers.widgets.consumer_groups import ConsumerGroups
from helpers.widgets.owing import Owing

pytestmark = pytest.mark.xdist_group("explorers")

# ---- classes -------------------------------------------------------------------------------------


def of_classes(given, totals: pd.DataFrame, **options):
    """Explore a month of these totals, judged by these options."""
    asked = given["classes"]["asked"]._replace(totals=totals)
    own = pareto.judge_month(asked, **options)
    return opened("classes", {**given["classes"], "asked": asked, "own": own})


def nobody_changes(widget) -> bool:
    return any("0 dealers change class" in text for text in said(widget))


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
    weights = set(widget.controls) & set(pareto.INDICATORS)
    assert weights == (set(indicators) if len(indicators) > 1 else set()), "a weight alone is all"
    assert "rule" in widget.controls, "without payments and gross profit the rule is revenue's"
    assert not failed(widget)
    assert nobody_changes(widget)
    widget = of_classes(given, totals.assign(revenue=float("nan")))
    assert ("rule" in getattr(widget, "controls", {})) == bool(
        set(indicators) - set(pareto.NOT_ADDITIVE)
    )
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
        widget.controls["rule"].value = "value"
        assert not failed(widget)


def test_who_changes_class_comes_first_and_who_loses_an_a_is_named(given):
    tables = given["classes"]
    page = tables["own"].judged
    by_hand = page.assign(computed_class=page["composite_class"], composite_class="C")
    widget = opened("classes", {**tables, "own": tables["own"]._replace(judged=by_hand)})
    assert nobody_changes(widget), "a class set by hand is compared as it was computed"
    widget.controls["rule"].value = "value"
    for name, weight in zip(pareto.INDICATORS, (75, 25, 0), strict=True):
        widget.controls[name].value = weight
    judged = pareto.judge_month(tables["asked"], rule="value", weights="75/25/0").judged
    before = page.set_index("dealer_id")["composite_class"]
    moved = judged[judged["composite_class"] != judged["dealer_id"].map(before)]
    assert 0 < len(moved) <= widget.table.n_rows
    first = widget.shown.head(len(moved))
    assert first["dealer_id"].tolist() == moved["dealer_id"].tolist()
    assert first["page_class"].tolist() == moved["dealer_id"].map(before).tolist()
    assert first["composite_class"].tolist() == moved["composite_class"].tolist()
    counts = judged["composite_class"].value_counts()
    told = " ".join(said(widget))
    assert f"Dealers by class: A {counts['A']}, B {counts['B']}, C {counts['C']}." in told
    lost = moved[moved["dealer_id"].map(before) == "A"]
    won = moved[moved["composite_class"] == "A"]
    for rows, key in ((lost, "lose"), (won, "get")):
        found = re.search(rf"(\d+) dealers? {key}s?", told)
        assert (int(found[1]) if found else 0) == len(rows)
    for name in pareto.INDICATORS:
        widget.controls[name].value = 0
    assert said(widget)[0] == words.say("explore.no_weight"), "without any weight is no class"
    assert widget.table.n_rows == 0


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
    widget = of_classes(given, given["classes"]["asked"].totals, **options)
    assert nobody_changes(widget)
    other = opened("classes", given["classes"])
    assert seen(widget) != seen(other), "the option is of no effect"


@pytest.mark.parametrize("weights", [(1, 1, 1), (3, 3, 1), (100, 0, 0), (5, 45, 95)])
def test_weights_of_sliders_are_ones_that_the_recipe_takes(given, small_demo, weights):
    model = Classes(small_demo, given["classes"]["asked"], given["classes"]["own"])
    told = model.options(rule="quota", **dict(zip(pareto.INDICATORS, weights, strict=True)))
    judged = pareto.judge_month(given["classes"]["asked"], **told)
    found = pareto.judging_rules(**judged.options)["weights"]
    assert [round(w, 9) for w in found.values()] == [round(w / sum(weights), 9) for w in weights]


def test_a_part_of_the_month_is_the_months_own(given):
    asked, own = given["classes"]["asked"], given["classes"]["own"]
    pd.testing.assert_frame_equal(pareto.judged_dealers(asked, **own.options), own.judged)


# ---- receivables, month, segments ----------------------------------------------------------------


@pytest.mark.parametrize("days", [0, 30, 200])
def test_whose_supply_stops_is_what_the_recipe_says(given, small_demo, days):
    asked = given["receivables"]["asked"]
    widget = opened("receivables", given["receivables"])
    widget.controls["stop_days"].value = days
    stop = receivables.judge_month(
        asked, **given["receivables"]["own"].options | {"stop_days": days}
    ).stop
    first = widget.shown[widget.shown["stop_reason"].notna()]
    assert first["dealer_id"].tolist() == stop["dealer_id"].tolist()
    before = set(given["receivables"]["own"].stop["dealer_id"])
    more, less = set(stop["dealer_id"]) - before, before - set(stop["dealer_id"])
    told = " ".join(said(widget))
    assert (f"{len(more):,} more than on the page" in told) == bool(more)
    assert (f"{len(less):,} of the page are delivered to again" in told) == bool(less)


def test_books_hold_all_but_the_stop(given, small_demo):
    tables = given["receivables"]
    books = Owing(small_demo, tables["asked"], tables["own"]).read(small_demo)
    stop = receivables.stop_supply(books.owed, books.aged, stop_days=90)
    pd.testing.assert_frame_equal(stop, tables["own"].stop)


def test_who_made_the_change_sums_up_to_it(given):
    widget = opened("month", given["month"])
    for span in ("month", "year_to_date"):
        widget.controls["span"].value = span
        bridge = given["month"]["asked"].by_dealer[span]
        whole = (bridge["revenue_now"].sum() - bridge["revenue_base"].sum()) / 100
        assert widget.shown["revenue_change"].sum() == pytest.approx(whole)
        assert widget.shown["revenue_change"].is_monotonic_decreasing


@pytest.mark.parametrize("cuts", ["calendar", "quantile"])
def test_segments_are_those_of_the_recipe(given, cuts):
    widget = opened("rfm", given["rfm"])
    widget.controls["rfm_cuts"].value = cuts
    scored = segmentation.judge_month(given["rfm"]["asked"], rfm_cuts=cuts).scored
    found = widget.shown.set_index("dealer_id")["segment"].sort_index()
    assert found.equals(scored.set_index("dealer_id")["segment"].sort_index())
    own = given["rfm"]["own"].scored.set_index("dealer_id")["segment"]
    moved = [d for d in found.index if found[d] != own[d]]
    assert set(widget.shown["dealer_id"].head(len(moved))) == set(moved)


# ---- fishbone ------------------------------------------------------------------------------------


@pytest.fixture
def asked(given, small_demo, tmp_path):
    """Take the small demo into a folder of this test's own, with all that the fishbone's widget is
    given.
    """
    shutil.copytree(small_demo.folder, tmp_path / "book")
    return {**given["fishbone"], "book": data.workbook(tmp_path / "book")}


def save_of(widget) -> Button:
    return widget.model.save


def test_the_climb_is_saved_as_the_plan(asked):
    book, tree = asked["book"], asked["own"].tree
    shown = opened("fishbone", asked)
    shown.controls["weighting"].value, shown.controls["budget_days"].value = "equal", 30
    assert not (book.folder / "plan.csv").exists(), "nothing is written before somebody asks for it"
    assert save_of(shown) in parts(shown, Button)
    shown.model.start.value = dt.date(2027, 2, 3)
    save_of(shown).click()
    plan = data.records(data.workbook(book.folder), "plan")
    assert set(plan["factor_id"]) <= set(tree["factor_id"])
    assert set(plan["status"]) == {"open"}
    assert plan["start_date"].min() == pd.Timestamp(2027, 2, 3)
    shown.controls["budget_days"].value = 5
    save_of(shown).click()
    assert len(data.records(data.workbook(book.folder), "plan")) < len(plan)
    assert (book.folder / "plan.csv.bak").exists()


@pytest.mark.parametrize("options", [{}, {"weighting": "profit", "budget_days": 37}], ids=str)
def test_the_explorer_of_the_fishbone_begins_with_the_pages_rules(given, options):
    asked = given["fishbone"]["asked"]
    own = fishbone.judge_month(asked, **options)
    widget = opened("fishbone", {**given["fishbone"], "own": own})
    # what finds nothing to go by stays chosen, and is said
    assert widget.controls["weighting"].value == (options.get("weighting") or own.how)
    assert widget.controls["budget_days"].value == own.options["budget_days"]
    spent, start = own.legs["effort_days"].sum(), (own.starts["weight"] * own.starts["start"]).sum()
    told = f"{spent:.0f} days lift the weighted score from {start:.1f}"
    assert told in html.unescape(seen(widget)), "the climb is the page's"


def test_a_score_that_is_tried_moves_the_climb_and_no_table_of_the_page(given):
    tables = given["fishbone"]
    before = tables["own"].scored.copy()
    widget = opened("fishbone", tables)
    first = tables["own"].legs["factor_id"].iloc[0]
    widget.controls["factor"].value = first
    widget.controls["score"].value = 10
    assert first not in set(widget.model.legs["factor_id"]), "nothing is left to climb there"
    pd.testing.assert_frame_equal(tables["own"].scored, before)


def test_what_can_not_be_climbed_or_written_is_not_said_to_be_saved(asked, monkeypatch):
    book = asked["book"]
    told = []

    def click(widget) -> str:
        save_of(widget).click()
        told.append(widget.model.kept.value)
        return html.unescape(re.sub("<.*?>", "", told[-1]))

    flat = asked["asked"]._replace(climb=asked["asked"].climb.head(0))
    assert click(opened("fishbone", {**asked, "asked": flat})) == words.say("climb.nothing")
    assert not (book.folder / "plan.csv").exists()
    widget = opened("fishbone", asked)
    with monkeypatch.context() as patch:
        patch.setattr(effort, "legs", lambda *_: 1 / 0)
        widget.controls["budget_days"].value = 40
        assert click(widget) == words.say("climb.nothing"), (
            "what was shown before the error is not what is asked for"
        )
    widget.controls["budget_days"].value = 45
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


# ---- the others ----------------------------------------------------------------------------------


def test_growth_without_a_room(given):
    tables = {**given["growth"], "found": None}
    widget = opened("growth", tables)
    for slider in parts(widget, FloatSlider):
        slider.value = 10
    assert any(
        "You stand at “Consultant”, the highest step, with a score of 10.0" in text
        for text in said(widget)
    )


def test_growth_follows_the_sliders_and_keeps_nothing(given, small_demo):
    tables = given["growth"]
    statements, stages = tables["statements"], tables["stages"]
    files = sorted(small_demo.folder.rglob("*"))
    shown = opened("growth", tables)
    sliders = parts(shown, FloatSlider)
    assert len(sliders) == 12
    texts = {part.value for part in parts(shown, HTML)[:-1]}
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


def test_the_stock_shown_is_of_the_category_and_age_chosen(small_demo):
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
    own = own._replace(flows=flows)
    model = stocks.Stocks(small_demo, PERIOD, own)
    model.dealers, model.models = dealers, models
    model.kinds = models.set_index("product_id")["category"]
    category, days = model.controls().values()
    assert days.value == own.options["old_days"]
    assert [value for _label, value in category.options] == ["", "bed", "kitchen"]
    for chosen, names in ((("", 90), "Ann Bob Cid"), (("kitchen", 90), "Ann Bob")):
        found = model.seen((own.aged, flows), *chosen)
        assert sorted(found.rows["dealer_name"]) == names.split()
        assert (found.rows["old_value"] > 0).all()
    assert (model.seen((own.aged, flows), "", 180).rows["old_value"] == 0).all()
    for thing in model.seen((own.aged, flows), "bed", 180).drawn:
        assert thing is not None
    plt.close("all")


def test_ages_of_a_scope_give_what_the_month_gives(given, small_demo):
    own = given["stock"]["own"]
    aged, flows = inventory.read_ages(small_demo, PERIOD, **own.options)
    sold = {name: own.options[name] for name in ("dead_days", "pace_days")}
    pd.testing.assert_frame_equal(inventory.dealer_stock(aged, flows, **sold), own.held)


def test_the_proof_shown_is_of_the_dealer_chosen(given, small_demo):
    own = given["profit"]["own"]
    comparison = own.comparison
    shown = opened("profit", given["profit"])
    chosen = sorted(set(comparison["dealer_id"]))[-1]
    shown.table.chosen = chosen
    told = html.unescape(shown.card.value)
    for sentence in profit.verdict(comparison, own.gaps, chosen):
        assert sentence in told
    assert (
        look.table(profit.proof_table(sheet.proof(comparison, chosen))).to_html()
        in shown.card.value
    )


@pytest.mark.parametrize("points", [0.0, 0.05, 0.2])
def test_who_earns_less_is_what_the_recipe_says(given, points):
    own = given["profit"]["own"]
    shown = opened("profit", given["profit"])
    shown.controls["behind_points"].value = points
    rule = {"behind_points": points, "min_gap_share": own.options["min_gap_share"]}
    lost = profit.losing(own.comparison, own.gaps, **rule)
    less = lost.loc[lost["status"] == "earns_less", "dealer_id"]
    assert set(shown.shown["dealer_id"].head(len(less))) == set(less)
    assert f"{len(less)} dealer" in said(shown)[0]


def test_groups_are_fitted_once_each(given, small_demo, monkeypatch):
    tables, fits = given["groups"], []
    model = ConsumerGroups(small_demo, PERIOD, tables["asked"], tables["own"])
    real = consumers.groups.consumer_groups
    monkeypatch.setattr(
        consumers.groups, "consumer_groups", lambda *a, **k: fits.append(k["k"]) or real(*a, **k)
    )
    for k in (3, 4, 3, 4, 3):
        found = model.seen(tables["asked"], k=k)
        assert f"{k} groups" in found.said[0]
    assert sorted(fits) == sorted(set(fits))


def test_the_card_shown_is_of_the_dealer_and_the_reader_chosen(given, small_demo):
    shown = opened("card", given["card"])
    everyone = card.network_tables(small_demo, PERIOD, "en")[0]
    names = everyone["dealers"].set_index("dealer_id")["dealer_name"]
    assert html.escape(names[given["card"]["dealer_id"]]) in shown.card.value, "the page's own"
    shown.table.chosen = chosen = shown.table.ids[3]
    assert html.escape(names[chosen]) in shown.card.value
    shown.controls["audience"].value = "dealer"
    own = everyone["judged"].set_index("dealer_id").loc[chosen, "diagnosis"]
    assert html.escape(own) not in shown.card.value, (
        "what is handed to a dealer does not hold our judgement of him"
    )
    shown.table.chosen = ""
    assert shown.card.value == ""


@pytest.mark.parametrize("name", ["classes", "receivables", "stock", "month"])
def test_a_row_opens_that_dealers_card_in_place(given, name):
    widget = opened(name, given[name])
    at = widget.table.ids.index(next(i for i in widget.table.ids if i.startswith("D")))
    widget.table.chosen = widget.table.ids[at]
    assert html.escape(column(widget, "dealer_name")[at]) in widget.card.value
    assert "<img" in widget.card.value
    assert not failed(widget)
