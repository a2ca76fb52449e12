"""The month of the result: its rules, its bridge at every level, and what it says and keeps to
itself.
"""

import html
import shutil

import pandas as pd
import pytest

from conftest import small_tables
from helpers import data, files, look, report, result, settings, widgets, words
from helpers.result import standing, steps, summary
from helpers.settings import DataError

pytestmark = pytest.mark.usefixtures("looks")

PERIOD = "2026-10"


@pytest.fixture(scope="module")
def asked(small_demo) -> result.ResultData:
    return result.read_month(small_demo, PERIOD)


@pytest.fixture(scope="module")
def own(asked) -> result.ResultMonth:
    return result.judge_month(asked)


def test_every_bridge_adds_up_to_the_cent_at_every_level(own):
    rows = own.bridge.assign(cents=(own.bridge["effect"] * 100).round())
    keys = ["span", "cut", "part", "indicator"]
    is_end = rows["step"] == "bridge_now"
    sums = rows[~is_end].groupby(keys)["cents"].sum()
    ends = rows[is_end].set_index(keys)["cents"]
    assert len(sums) == len(ends) and (sums - ends).eq(0).all()
    whole = rows.pivot_table(
        index=["span", "indicator", "step"], columns="cut", values="cents", aggfunc="sum"
    )
    assert set(whole) == {"network", "region", "account_manager", "category"}
    assert (whole.sub(whole["network"], axis=0) == 0).all(axis=None)


def test_the_bridge_ends_with_what_the_months_say(own):
    assert standing.bridges_meet(own.bridge, own.standing)
    off = own.bridge.assign(effect=own.bridge["effect"] + 0.01)
    assert not standing.bridges_meet(off, own.standing)


def test_who_made_the_change_is_all_of_it(asked, own):
    names = asked.dealers[["dealer_id", "dealer_name"]]
    change = own.standing.set_index(["span", "indicator"]).loc[("year_to_date", "revenue")]
    by_dealer = result.contributions(asked.by_dealer, "year_to_date", "dealer", names)
    by_model = result.contributions(asked.by_model, "year_to_date", "product", asked.products)
    for rows in (by_dealer, by_model):
        total = rows["revenue_change"].sum()
        assert total == pytest.approx(change["actual"] - change["previous_actual"], abs=0.005)
        assert rows["revenue_change"].is_monotonic_decreasing


FIGURES = {
    "interval_level": (0.95, lambda m: m.forecast.year_end["high"]),
    "min_history": (36, lambda m: m.forecast.method),
    "held_back": (3, lambda m: tuple(m.forecast.tried.values())),
}


@pytest.mark.parametrize("option", FIGURES)
def test_another_value_changes_the_figure_that_it_rules(asked, own, option):
    value, figure = FIGURES[option]
    months = asked.months
    if option == "held_back":  # of 26 months two can be held back: asked of a longer history
        more = months.head(20).assign(
            month=[f"{2022 + i // 12}-{i % 12 + 1:02d}" for i in range(20)]
        )
        asked = asked._replace(months=pd.concat([more, months], ignore_index=True))
    found = result.judge_month(asked, **{option: value})
    assert figure(found) != figure(result.judge_month(asked))
    assert found.options == own.options | {option: value}


@pytest.mark.parametrize(
    ("option", "value"), [("interval_level", 1.0), ("min_history", 12), ("held_back", 2.5)]
)
def test_an_option_that_makes_no_sense_is_refused(asked, small_demo, option, value):
    with pytest.raises(ValueError, match=option):
        result.judge_month(asked, **{option: value})
    with pytest.raises(DataError, match=option):
        result.result_month(small_demo, PERIOD, **{option: value})


def test_the_first_sentence_is_the_result_with_numbers(asked, own):
    said = result.bottom_line(asked, own)
    row = own.standing.iloc[0]
    assert said[0].startswith(f"2026-10: revenue of {words.money(row['actual'])}")
    assert words.change(row["actual"], row["previous_actual"]) in said[0]
    assert words.percent(row["reached_rate"], 1) in said[0]
    assert any(text.startswith("2026 is on course for") for text in said)
    assert any("To reach the year's target" in text for text in said)


def test_the_parts_of_a_sentence_add_up(own):
    for span in standing.SPANS:
        bridge = result.network_steps(own.bridge, span, "revenue")
        told = sum(summary.parts(bridge).values())
        assert told == pytest.approx(bridge["now"] - bridge["base"], abs=0.05)


def test_what_is_needed_is_what_is_left_by_the_months_left(own):
    need = summary.needed(own.forecast, own.year_target, PERIOD)
    assert own.forecast.so_far + 2 * need == pytest.approx(own.year_target)


def test_figures_draw_what_they_say(asked, own):
    bridge = result.network_steps(own.bridge, "year_to_date", "revenue")
    ax = result.plot_bridge(bridge, "year_to_date", period=PERIOD)
    heights = [patch.get_width() for patch in ax.patches]
    assert heights[0] == bridge["base"] and heights[-1] == bridge["now"]
    assert sum(heights[:-1]) == pytest.approx(heights[-1], abs=0.1)
    ax = result.plot_months(asked.months, asked.targets)
    bars = [patch.get_height() for patch in ax.patches]
    assert asked.months["revenue"].iloc[-1] in bars
    ax = result.plot_forecast(asked.months, own.forecast, PERIOD)
    hollow = [bar for bar in ax.patches if not bar.get_facecolor()[3]]
    assert [bar.get_height() for bar in hollow] == own.forecast.months["value"].tolist()


def test_where_a_year_before_is_not_covered_nothing_is_claimed(make_book):
    given = small_tables()
    given["sell_in"] = [row for row in given["sell_in"] if f"{row['date']}" >= "2026-02"]
    given["payments"] = []
    book = make_book(**given)
    asked = result.read_month(book, PERIOD)
    own = result.judge_month(asked)
    assert own.bridge.empty and own.claims.empty
    said = " ".join(result.bottom_line(asked, own))
    assert "nothing is compared with them" in said
    assert "no targets of this year" in said
    assert "on course" not in said and "a year before," not in said
    assert result.plot_bridge(
        result.network_steps(own.bridge, "month", "revenue"), "month", period=PERIOD
    ).figure.nothing


def test_english_pages_name_regions_in_english(small_demo):
    found = result.result_month(small_demo, PERIOD, "en")
    known = set(data.dealers(small_demo, "en")["region"])
    parts = found.reached[found.reached["cut"] == "region"]["part"]
    assert len(parts) and set(parts) <= known
    chinese = result.result_month(small_demo, PERIOD, "zh-Hans")
    aims = [found.reached["target"].sum() for found in (found, chinese)]
    assert aims[0] == aims[1]


def test_a_scope_keeps_the_targets_that_are_its_own(small_demo):
    region = data.dealers(small_demo, "zh-Hans")["region"].dropna().iloc[0]
    east = data.in_scope(small_demo.only(region=region))
    aims = data.targets(east, PERIOD)
    assert set(aims["cut"]) == {"region"} and set(aims["part"]) == {region}
    manager = data.dealers(small_demo, "zh-Hans")["account_manager"].dropna().iloc[0]
    aims = data.targets(data.in_scope(small_demo.only(account_manager=manager)), PERIOD)
    assert set(aims["part"]) == {manager}


def test_levels_that_differ_are_a_warning(make_book):
    from helpers.data import checks

    given = small_tables() | {
        "targets": "month,region,dealer_id,revenue\n2026-10,,,100\n2026-10,East,,60\n"
        "2026-10,West,,40\n2026-09,,,10\n2026-09,East,,7\n2026-10,,001,5\n"
    }
    rows = checks.findings(make_book(**given))
    found = rows[rows["check"] == "levels"]
    assert found["n_rows"].tolist() == [2]
    assert found["example"].iloc[0] == "2026-09: network 10.00, region 7.00"
    assert found["advice"].iloc[0]


def test_the_next_edition_scores_what_the_last_one_claimed(small_demo, tmp_path):
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    shutil.copy(settings.NOTEBOOKS / "01_month.ipynb", notebooks)
    made = {}
    for month in ("2026-09", PERIOD):
        report.print_edition(
            small_demo, month, languages=["en"], out=tmp_path / "out", notebooks=notebooks
        )
        folder = tmp_path / "out" / month / "tables"
        made[month] = {path.stem: files.read_table(path) for path in folder.glob("*.csv")}
    claimed = made["2026-09"]["claims"].set_index(["claim", "due_month"])
    scored = made[PERIOD]["claims_scored"]
    assert made["2026-09"]["claims_scored"].empty
    assert scored[["claim", "due_month"]].to_numpy().tolist() == [["month_revenue", PERIOD]]
    row, before = scored.iloc[0], claimed.loc[("month_revenue", PERIOD)]
    assert row["claimed_amount"] == before["claimed_amount"]
    came = data.network_months(small_demo, PERIOD)["revenue"].iloc[-1]
    assert row["came_amount"] == pytest.approx(came, abs=0.005)
    assert row["is_inside"] == (before["low_amount"] <= came <= before["high_amount"])


def test_targets_beside_the_toml_win(make_book):
    book = make_book(**small_tables())
    (book.folder / "targets.csv").write_text("month,revenue\n2026-10,1234.50\n")
    rows = data.targets(settings.workbook(book.path), PERIOD)
    assert rows[["cut", "revenue"]].to_numpy().tolist() == [["network", 1234.5]]


def test_the_explorer_shows_the_bridge_it_is_asked_for(small_demo, asked, own):
    shown = widgets.explore_month(small_demo, asked, own)
    assert 'src="data:image/' in shown.figure.value
    gone = own._replace(bridge=own.bridge.head(0))
    empty = widgets.explore_month(small_demo, asked, gone)
    assert words.say("month.no_bridge_month") in html.unescape(empty.value)


def test_tables_of_the_bridge_are_cut_by_name(own):
    rows = result.bridge_rows(own.bridge, "year_to_date", "revenue", "category")
    assert (
        rows.columns[0] == "category" and "television" in look.table(rows).rows["category"].tolist()
    )
    assert steps.LEVELS == ("network", "region", "account_manager", "category")


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_a_year_that_began_before_the_data_is_not_summed_up(make_book, language):
    """Two months and three columns: the month is told, of the year to date nothing."""
    look.use(language, "CNY")
    lines = "D1,2026-09-03,100\nD2,2026-09-30,50\nD1,2026-10-05,120\nD2,2026-10-31,70\n"
    book = make_book(brand="", sell_in=f"dealer_id,date,revenue\n{lines}")
    asked, own = result.read_month(book, PERIOD), result.result_month(book, PERIOD)
    said = result.bottom_line(asked, own)
    assert "190" in said[0]
    assert not any("–" in sentence for sentence in said)
