"""The month of stock: its rules, from where they come, and that all who show it follow them."""

import html

import pandas as pd
import pytest

from cells import malformed, walked, with_rules
from helpers import card, data, inventory, look, pareto, settings, widgets, words
from helpers.inventory import moves, rebalancing, summary, turnover
from helpers.press import managers, pages
from helpers.settings import DataError
from sampling import some

pytestmark = pytest.mark.usefixtures("looks")

PERIOD = "2026-10"
OTHER = {"old_days": 60, "dead_days": 180, "pace_days": 30, "cover_days": 90, "max_lot": 3}


@pytest.fixture(scope="module")
def asked(small_demo) -> inventory.StockData:
    return inventory.read_month(small_demo, PERIOD, 6)


@pytest.fixture(scope="module")
def usual(asked) -> inventory.StockMonth:
    return inventory.judge_month(asked)


@pytest.fixture(scope="module")
def other(asked) -> inventory.StockMonth:
    return inventory.judge_month(asked, **OTHER, n_history=1)


# ---- what the rules do ---------------------------------------------------------------------------


def test_the_defaults_are_what_the_functions_gave(asked, usual):
    here, flows, dealers = asked.on_hand[PERIOD], usual.flows, asked.dealers
    aged = inventory.aged(here.layers, here.as_of)
    pd.testing.assert_frame_equal(flows.drop(columns=turnover.COMING), asked.flows[PERIOD])
    plan = inventory.proposal(aged, flows, dealers)
    for found, expected in (
        (usual.held, inventory.dealer_stock(aged, flows)),
        (usual.whole, inventory.network_stock(aged, flows)),
        (usual.dead, inventory.dead_stock(aged, flows)),
        (usual.lots, plan),
        (usual.history.tail(1), inventory.past_months({PERIOD: here}, {PERIOD: flows})),
        (usual.pressure, inventory.pressure(asked.channel)),
    ):
        pd.testing.assert_frame_equal(found.reset_index(drop=True), expected)
    assert usual.options == inventory.judge_month.options


def test_at_ninety_days_the_old_are_the_last_two_buckets(usual):
    for rows in (usual.held, usual.whole, usual.history):
        sums = rows["value_91_180"] + rows["value_over_180"]
        assert rows["old_value"].tolist() == sums.tolist()
        assert rows["old_share"].tolist() == pytest.approx((sums / rows["value"]).tolist())


FIGURES = {
    "old_days": (60, lambda m: m.whole["old_share"].item()),
    "dead_days": (180, lambda m: m.whole["dead_value"].item()),
    "pace_days": (30, lambda m: m.whole["days_sales_of_inventory"].item()),
    "cover_days": (90, lambda m: m.givers["sleeping_value"].sum()),
    "max_lot": (3, lambda m: m.lots["quantity"].max()),
    "max_km": (100, lambda m: m.lots["distance_km"].max()),
    "way_rate": (0.6, lambda m: m.lots["value"].sum()),
    "stuffed_from": ("1.69/1.695/1.7", lambda m: (m.pressure["status"] == "stuffed").sum()),
    "dry_days": (90, lambda m: (m.pressure["status"] == "runs_dry").sum()),
    "n_history": (3, lambda m: len(m.history)),
}


@pytest.mark.parametrize("option", FIGURES)
def test_another_value_changes_the_figure_that_it_rules(asked, usual, option):
    value, figure = FIGURES[option]
    found = inventory.judge_month(asked, **{option: value})
    assert figure(found) != figure(usual)
    assert found.options == usual.options | {option: value}
    assert rebalancing.is_sound(found.lots, **found.options)


def test_every_option_has_a_figure_and_a_name():
    assert set(FIGURES) == set(inventory.judge_month.options)
    assert len(FIGURES) == 10  # eight of age, pace and lots, two of the channel
    for option in FIGURES:
        assert words.label(option) != option


def test_what_the_rules_give_is_told_by_the_layers(asked, other):
    aged = other.aged
    assert other.whole["old_value"].item() == pytest.approx(
        aged.loc[aged["age_days"] > 60, "value"].sum(), abs=0.1
    )
    sold = asked.flows[PERIOD].set_index(["dealer_id", "product_id"])["sold_180d"]
    for row in other.dead.itertuples():
        assert sold.get((row.dealer_id, row.product_id), 0) <= 0
        assert row.age_days > 180
    assert other.lots["quantity"].max() <= 3
    assert len(other.history) == 1


@pytest.mark.parametrize("max_km", some([0, 50, 200, 20_000], 2))
def test_no_lot_travels_farther_but_what_is_not_known_passes(asked, max_km):
    near = inventory.judge_month(asked, max_km=max_km).lots
    assert (near["distance_km"] <= max_km).all()
    blind = asked._replace(dealers=asked.dealers.assign(latitude=None, longitude=None))
    unknown = inventory.judge_month(blind, max_km=max_km).lots
    pd.testing.assert_frame_equal(unknown, inventory.judge_month(blind).lots)
    assert len(unknown)


def test_a_way_that_costs_all_the_value_wakes_nothing(asked):
    plan = inventory.judge_month(asked, way_rate=1).lots
    assert (plan["step"] < 1).all()


def test_records_of_two_months_tell_the_pace_of_sixty_days_and_no_more(asked):
    flows = asked.flows[PERIOD].assign(n_days=61)
    short = asked._replace(flows={PERIOD: flows})
    month = inventory.judge_month(short, n_history=1, pace_days=60)
    assert month.whole["days_sales_of_inventory"].notna().all()
    long = inventory.judge_month(short, n_history=1)
    assert long.whole["days_sales_of_inventory"].isna().all()
    assert long.dead.empty and long.held["dead_value"].isna().all()


def test_input_is_not_changed(asked):
    here = asked.on_hand[PERIOD].layers
    kept = [here.copy(), asked.flows[PERIOD].copy(), asked.dealers.copy()]
    inventory.judge_month(asked, **OTHER)
    for table, before in zip((here, asked.flows[PERIOD], asked.dealers), kept, strict=True):
        pd.testing.assert_frame_equal(table, before)


# ---- from where a rule comes ---------------------------------------------------------------------


@pytest.mark.parametrize(("option", "value"), malformed(inventory.judge_month))
def test_a_malformed_value_is_refused_by_its_name(asked, option, value):
    with pytest.raises(ValueError, match=rf"^{option} = .*: expected "):
        inventory.judge_month(asked, **{option: value})


def test_an_argument_wins_over_the_toml_and_the_toml_over_the_default(small_demo):
    book = with_rules(small_demo, "inventory_age", old_days=60, max_lot=3)
    told = inventory.stock_month(book, PERIOD, old_days=45, max_lot=None, n_history=1).options
    assert told == inventory.judge_month.options | {"old_days": 45, "max_lot": 3, "n_history": 1}


def test_what_the_workbook_says_wrong_is_refused_before_anything_is_printed(small_demo):
    folder = settings.CHECKOUT / "notebooks"
    pages.require_notebooks(with_rules(small_demo, "inventory_age", pace_days=60), folder)
    book = with_rules(small_demo, "inventory_age", pace_days=45)
    with pytest.raises(DataError, match=r"\[parameters.inventory_age\] pace_days = 45: expected"):
        pages.require_notebooks(book, folder)


def test_an_unknown_option_names_the_nearest(small_demo, asked):
    with pytest.raises(DataError, match=r"old_day: no such option.*old_days"):
        inventory.stock_month(small_demo, PERIOD, old_day=30)
    with pytest.raises(TypeError, match=r"inventory_age: no option 'max_lots'.*max_lot"):
        inventory.judge_month(asked, max_lots=3)


# ---- who shows it --------------------------------------------------------------------------------


def test_sentences_say_the_days_of_the_rules(asked, other):
    flows, rules = asked.flows[PERIOD], other.options
    held = inventory.named(other.held, asked.dealers)
    dead = inventory.named(
        other.dead, asked.dealers, pd.DataFrame(columns=["product_id", "product_name"], dtype="str")
    )
    as_of = asked.on_hand[PERIOD].as_of
    told = summary.bottom_line(other.whole, held, dead, as_of, **rules)
    told += [
        line.get("text", "")
        for line in summary.headlines(other.history, other.whole, held, [], old_days=60)
    ]
    givers = moves.giver_table(other.givers, other.lots, asked.dealers)
    told += moves.bottom_line(other.lots, givers, **rules)
    told += moves.bottom_line(other.lots.head(0), givers, **rules)
    told += [moves.why_no_lots(other.aged, flows, givers.head(0), **rules)]
    told += [summary.why_nothing_dead(held.fillna(0.0), dead_days=180)]
    text = " ".join(told)
    assert "60 days" in text and "180 days" in text and "last 30 days" in text
    assert "sell in 90 days" in text  # the dealer's own need
    assert "than 90 days" not in text and "last 90" not in text


def seen(explorer) -> str:
    shown = (explorer.said, explorer.figure, explorer.card)
    return html.unescape("\n".join(part.value for part in shown))


def test_page_card_workshop_widget_and_managers_page_follow_the_toml(
    small_demo, other, monkeypatch
):
    book = with_rules(small_demo, "inventory_age", **OTHER)
    page, published = walked("07_inventory_age.ipynb", book, monkeypatch, n_history=1)
    assert page["found"].options == other.options
    columns = ["dealer_id", "old_share", "dead_value", "days_sales_of_inventory"]
    there = published["inventory_age"]
    pd.testing.assert_frame_equal(there[columns], other.held[columns])
    assert there["old_value"].sum() == pytest.approx(other.whole["old_value"].item())

    everyone, _earned = card.network_tables(book, PERIOD, "en")
    pd.testing.assert_frame_equal(everyone["dead"], published["dead_stock"])
    pd.testing.assert_frame_equal(moves.published(everyone["lots"]), published["move_proposal"])
    old = everyone["aged"][everyone["aged"]["is_old"]]
    assert old["value"].sum() == pytest.approx(there["old_value"].sum(), abs=0.1)

    cells = ["51a605d9", "045707f5", "cbe75509"]
    workshop, _none = walked("10_workshop.ipynb", book, monkeypatch, only=cells)
    pd.testing.assert_frame_equal(workshop["held"], there)
    pd.testing.assert_frame_equal(moves.published(workshop["moves"]), published["move_proposal"])

    explorer = widgets.explore_stock(book, PERIOD, page["found"])
    figure = inventory.plot_dealers(there, old_days=60).figure.alt_text
    assert figure.split("\n")[0] in seen(explorer)
    assert "60 days" in figure

    dealers = managers.with_keys(page["dealers"], book)
    judged = pareto.abc_table(
        pareto.named(
            pareto.abc_month(book, PERIOD).judged, dealers, data.reference(book, "diagnoses")
        ),
        pareto.abc_month(book, PERIOD).moved,
        dealers,
    )
    made = managers.manager_pages(dealers, {"abc_pareto": judged, "inventory_age": there}, {})
    shown = " ".join(text for page_ in made for _title, text in page_["sections"])
    dead = look.table(there[["dead_value", "old_share"]].head(1)).to_html()
    for figure in pd.Series(dead).str.findall(r"<td[^>]*>(.*?)</td>").item():
        assert figure in shown


def test_a_parameter_changes_its_page_alone(small_demo, monkeypatch):
    cells = ["9e3cca19"]
    page, _none = walked("07_inventory_age.ipynb", small_demo, monkeypatch, only=cells, old_days=60)
    assert page["found"].options["old_days"] == 60
    assert inventory.stock_month(small_demo, PERIOD, n_history=1).options["old_days"] == 90
