"""The month of profit: its rules, from where they come, and that all who show it follow them."""

import html

import pytest
from pandas.testing import assert_frame_equal

from cells import malformed, walked, with_rules
from helpers import card, data, look, pareto, profit, settings, widgets, words, workshop
from helpers.press import managers, pages
from helpers.profit import brands, proof, sheet
from helpers.settings import DataError

pytestmark = pytest.mark.usefixtures("looks")

PERIOD = "2026-10"
SHORT = "2025-03"  # seven months after the small demo begins
OTHER = {"min_margin_points": 0.1, "slip_points": 0.1, "notable_share": 0.5, "lever_share": 0.5}
OTHER |= {"behind_points": 0.05}


@pytest.fixture(scope="module")
def asked(small_demo) -> profit.ProfitData:
    return profit.read_month(small_demo, PERIOD)


@pytest.fixture(scope="module")
def usual(asked) -> profit.ProfitMonth:
    return profit.judge_month(asked)


# ---- what the rules do ---------------------------------------------------------------------------


def test_the_defaults_are_what_the_functions_gave(asked, usual):
    comparison = profit.brand_comparison(asked.sums, asked.ours, asked.months)
    gaps = brands.gaps(comparison)
    for found, expected in (
        (usual.spread, profit.margin_spread(asked.margins)),
        (usual.trends, profit.margin_trends(asked.margins, PERIOD)),
        (usual.comparison, comparison),
        (usual.gaps, gaps),
        (usual.lost, profit.losing(comparison, gaps)),
    ):
        assert_frame_equal(found, expected)
    assert usual.options == profit.judge_month.options


def n_slipping(month: profit.ProfitMonth) -> int:
    return int((month.trends["movement"] == "slips").sum())


def n_wearing(month: profit.ProfitMonth) -> int:
    """Count who slips by a slope: else who breaks off as well slips by that."""
    rows = month.trends[month.trends["movement"] == "slips"]
    return int((rows["change_rate"] == rows["slope_rate"]).sum())


def n_levers(month: profit.ProfitMonth) -> int:
    return int(month.gaps["levers"].str.split().str.len().sum())


def n_less(month: profit.ProfitMonth) -> int:
    return int((month.lost["status"] == "earns_less").sum())


FIGURES = {
    "min_margin_points": (0.1, n_wearing),
    "slip_points": (0.1, n_slipping),
    "min_months": (6, lambda m: int((m.trends["movement"] == "–").sum())),
    "notable_points": (0.05, lambda m: int((m.comparison["result_margin_rate"] == "win").sum())),
    "notable_share": (0.5, lambda m: int((m.comparison["result_gmroi"] == "lose").sum())),
    "lever_share": (0.5, n_levers),
    "behind_points": (0.2, n_less),
    "min_gap_share": (0.5, n_less),
}


BESIDE = {"slip_points": {"min_margin_points": 0.1}}  # else who breaks off also wears away


@pytest.mark.parametrize("option", FIGURES)
def test_another_value_changes_the_figure_that_it_rules(small_demo, asked, option):
    value, figure = FIGURES[option]
    if option == "min_months":  # nobody of the demo misses a month: asked when it had few
        asked = profit.read_month(small_demo, SHORT)
    usual = profit.judge_month(asked, **BESIDE.get(option, {}))
    found = profit.judge_month(asked, **BESIDE.get(option, {}), **{option: value})
    assert figure(found) != figure(usual)
    assert found.options == usual.options | {option: value}


def test_every_option_has_a_figure_and_a_name():
    assert set(FIGURES) == set(profit.judge_month.options)
    assert len(FIGURES) <= 8
    for option in FIGURES:
        assert words.label(option) != option


def test_a_gap_is_a_lever_by_the_rule_of_what_is_notable(asked):
    """What is about equal in margin before rebates is no lever on the price."""
    found = profit.judge_month(asked, notable_points=0.05)
    priced = found.gaps[found.gaps["levers"].str.contains("second_pricing")]
    keys = ["dealer_id", "brand"]
    rows = found.comparison.set_index(keys)
    ours = found.comparison[found.comparison["ours"]].set_index("dealer_id")["front_rate"]
    for row in priced.itertuples():
        theirs = rows.loc[(row.dealer_id, row.rival), "front_rate"]
        assert theirs - ours[row.dealer_id] >= 0.05


def test_input_is_not_changed(asked):
    kept = [table.copy() for table in (asked.margins, asked.sums, asked.months)]
    profit.judge_month(asked, **OTHER)
    for table, before in zip((asked.margins, asked.sums, asked.months), kept, strict=True):
        assert_frame_equal(table, before)


# ---- from where a rule comes ---------------------------------------------------------------------


@pytest.mark.parametrize(("option", "value"), malformed(profit.judge_month))
def test_a_malformed_value_is_refused_by_its_name(asked, option, value):
    with pytest.raises(ValueError, match=rf"^{option} = .*: expected "):
        profit.judge_month(asked, **{option: value})


def test_an_argument_wins_over_the_toml_and_the_toml_over_the_default(small_demo):
    book = with_rules(small_demo, "dealer_profit", behind_points=0.05, lever_share=0.5)
    told = profit.profit_month(book, PERIOD, behind_points=0.1, lever_share=None).options
    assert told == profit.judge_month.options | {"behind_points": 0.1, "lever_share": 0.5}


def test_what_the_workbook_says_wrong_is_refused_before_anything_is_printed(small_demo):
    folder = settings.CHECKOUT / "notebooks"
    pages.require_notebooks(with_rules(small_demo, "dealer_profit", min_months=6), folder)
    book = with_rules(small_demo, "dealer_profit", min_months=13)
    with pytest.raises(DataError, match=r"\[parameters.dealer_profit\] min_months = 13: expected"):
        pages.require_notebooks(book, folder)


def test_an_unknown_option_names_the_nearest(small_demo, asked):
    with pytest.raises(DataError, match=r"slip_point: no such option.*slip_points"):
        profit.profit_month(small_demo, PERIOD, slip_point=0.1)
    with pytest.raises(TypeError, match=r"dealer_profit: no option 'lever'.*lever_share"):
        profit.judge_month(asked, lever=0.5)


# ---- who shows it --------------------------------------------------------------------------------


def seen(explorer) -> str:
    shown = (explorer.said, explorer.figure, explorer.card)
    return html.unescape("\n".join(part.value for part in shown))


def test_page_card_workshop_widget_and_managers_page_follow_the_toml(
    small_demo, asked, usual, monkeypatch
):
    book = with_rules(small_demo, "dealer_profit", **OTHER)
    other = profit.judge_month(asked, **OTHER)
    assert n_less(other) != n_less(usual) and n_levers(other) != n_levers(usual)
    page, published = walked("08_dealer_profit.ipynb", book, monkeypatch)
    assert_frame_equal(published["brand_comparison"], other.comparison)
    there = published["dealer_profit"].set_index("dealer_id")
    assert (there["movement"] == "slips").sum() == n_slipping(other) != n_slipping(usual)
    assert (there["status"] == "earns_less").sum() == n_less(other)
    lost = published["earns_less"]
    assert lost["levers"].str.split().str.len().sum() == (
        other.lost["levers"].str.split().str.len().sum()
    )

    everyone, earned = card.network_tables(book, PERIOD, "en")
    assert_frame_equal(everyone["lost"], lost)
    chosen = lost["dealer_id"].iloc[0]
    verdict = profit.verdict(page["found"].comparison, page["found"].gaps, chosen)
    assert profit.verdict(earned.comparison, earned.gaps, chosen) == verdict
    assert verdict != profit.verdict(usual.comparison, usual.gaps, chosen)

    cells = ["51a605d9", "880c531d"]
    shop, _none = walked("10_workshop.ipynb", book, monkeypatch, only=cells)
    told = workshop.proof_solution(
        profit.named(shop["earned"].lost, shop["dealers"]), shop["earned"]
    )
    assert told.sentences[1:] == verdict

    explorer = widgets.explore_profit(book, PERIOD, page["found"])
    explorer.table.chosen = chosen
    for sentence in verdict:
        assert sentence in seen(explorer)
    rows = profit.proof_table(sheet.proof(other.comparison, chosen))
    assert html.unescape(look.table(rows).to_html()) in seen(explorer)
    said = words.say("explore.earns_less", n=n_less(other), points="5.0")
    assert said in seen(explorer)

    dealers = managers.with_keys(page["dealers"], book)
    abc = pareto.abc_month(book, PERIOD)
    judged = pareto.named(abc.judged, dealers, data.reference(book, "diagnoses"))
    tables = {
        "abc_pareto": pareto.abc_table(judged, abc.moved, dealers),
        "dealer_profit": published["dealer_profit"],
    }
    made = managers.manager_pages(dealers, tables, {})
    concerns = [
        text
        for page_ in made
        for title, text in page_["sections"]
        if title == words.say("managers.concerns")
    ]
    assert sum(text.count("<tr>") - 1 for text in concerns) == n_less(other)


def test_a_parameter_changes_its_page_alone(small_demo, monkeypatch):
    cells = ["45281a63"]
    page, _none = walked(
        "08_dealer_profit.ipynb", small_demo, monkeypatch, only=cells, slip_points=0.01
    )
    assert page["found"].options["slip_points"] == 0.01
    assert profit.profit_month(small_demo, PERIOD).options["slip_points"] == 0.04


def test_the_explorer_changes_who_earns_less_by_the_rule_of_the_recipe(asked, usual, small_demo):
    dealers = data.dealers(small_demo)
    explorer = widgets.explore_profit(small_demo, PERIOD, usual)
    behind = explorer.controls["behind_points"]
    assert behind.value == usual.options["behind_points"]
    behind.value = 0.05
    expected = profit.judge_month(asked, behind_points=0.05)
    assert words.say("explore.earns_less", n=n_less(expected), points="5.0") in seen(explorer)
    less = profit.named(expected.lost.query("status == 'earns_less'"), dealers)
    if len(less):
        assert html.unescape(look.table(less[proof.SHOWN], limit=10).to_html()) in seen(explorer)
    else:
        assert words.say("standing.nobody_less") in seen(explorer)
