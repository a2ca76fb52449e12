"""The recipe of the network's month: what its options do, and that all who show it agree."""

import re

import pandas as pd
import pytest

from cells import published, run_cells, spoiled, with_rules
from helpers import look, periods, segmentation, settings, widgets, words
from helpers.segmentation import kinds, month, network, rfm, scorecard, summary, territory

pytestmark = pytest.mark.usefixtures("looks")

PERIOD = "2026-10"
# a second value of each option, and the figure of the small demo that it changes
SECOND = {
    "history_by": ("half_year", lambda found: found.history["n_active"].tolist()),
    "least_population": (500_000, lambda found: int(found.cities["is_white_spot"].sum())),
    "near_km": (60.0, lambda found: int(found.overlap["n_neighbours"].sum())),
    "rfm_cuts": ("quantile", lambda found: found.scored["segment"].value_counts().to_dict()),
    "rfm_days": ("5/10/20/40", lambda found: int(found.scored["recency_score"].eq(5).sum())),
    "overdue_times": (0.5, lambda found: len(found.overdue)),
    "overdue_days": (60, lambda found: len(found.overdue)),
    "big_score": (1, lambda found: int(found.overdue["is_big"].sum())),
}
# nobody in the small demo has been silent for long: what follows from it shows beside this rule
BESIDE = {name: {"overdue_times": 0.5} for name in ("overdue_days", "big_score")}


@pytest.fixture(scope="module")
def asked(small_demo) -> segmentation.SegmentationData:
    return segmentation.read_month(small_demo, PERIOD)


@pytest.fixture(scope="module")
def own(asked) -> segmentation.SegmentationMonth:
    return segmentation.judge_month(asked)


def test_the_defaults_give_what_the_functions_give(asked, own):
    dealers = kinds.store_formats(asked.dealers, asked.formats)
    at_place = (dealers, asked.totals, asked.regions)
    scores = rfm.rfm_scores(asked.orders, asked.end_date, cuts=rfm.CALENDAR_CUTS)
    same = {
        "mix": kinds.customer_mix(dealers, asked.totals),
        "formats": kinds.format_mix(dealers, asked.handbook),
        "history": network.network_history(asked.months),
        "moves": network.network_moves(asked.months),
        "cohorts": network.cohort_retention(asked.months),
        "cities": territory.coverage(*at_place),
        "overlap": territory.dealer_overlap(*at_place),
        "scored": rfm.rfm_segments(scores, asked.segments),
        "overdue": rfm.overdue_dealers(scores, n_days=asked.n_days),
    }
    for name, table in same.items():
        pd.testing.assert_frame_equal(getattr(own, name), table, obj=name)
    card = scorecard.candidate_scorecard(asked.candidates, *at_place)
    pd.testing.assert_frame_equal(own.scorecard.ranked, card.ranked)
    assert own.options == segmentation.judge_month.options
    assert set(SECOND) == set(own.options)
    assert asked.end_date == periods.window(PERIOD).end


@pytest.mark.parametrize("name", SECOND)
def test_each_option_changes_a_figure(asked, own, name):
    (value, figure), beside = SECOND[name], BESIDE.get(name, {})
    before = segmentation.judge_month(asked, **beside) if beside else own
    other = segmentation.judge_month(asked, **beside, **{name: value})
    assert figure(other) != figure(before)
    assert other.options == own.options | beside | {name: value}


def test_nothing_that_was_asked_is_changed(small_demo):
    asked = segmentation.read_month(small_demo, PERIOD)
    tables = {n: t.copy() for n, t in asked._asdict().items() if isinstance(t, pd.DataFrame)}
    segmentation.judge_month(asked, **{name: value for name, (value, _) in SECOND.items()})
    for name, table in tables.items():
        pd.testing.assert_frame_equal(getattr(asked, name), table)


@pytest.mark.parametrize(("name", "value"), [*spoiled(segmentation.judge_month)])
def test_a_value_that_no_option_takes_is_refused_by_name(asked, name, value):
    with pytest.raises(ValueError, match=rf"^{name} = "):
        segmentation.judge_month(asked, **{name: value})


@pytest.mark.parametrize(
    "value", ["31/61/92", "31/31/92/183", "183/92/61/31", "0/1/2/3", "a/b/c/d"]
)
def test_days_that_cut_nothing_are_refused(asked, value):
    with pytest.raises(ValueError, match=r"^rfm_days = .*rising"):
        segmentation.judge_month(asked, rfm_days=value)


def test_an_unknown_option_names_the_nearest(asked, small_demo):
    with pytest.raises(TypeError, match=r"'near_kms'.*near_km"):
        segmentation.judge_month(asked, near_kms=3)
    with pytest.raises(settings.DataError, match=r"rfm_day.*rfm_days"):
        segmentation.segmentation_month(small_demo, PERIOD, rfm_day="1/2/3/4")


def test_what_is_given_wins_over_the_toml_and_the_toml_over_the_default(small_demo):
    book = with_rules(small_demo, "segmentation", {"near_km": 60.0, "big_score": 2})
    told = segmentation.segmentation_month(book, PERIOD, big_score=1, rfm_cuts=None).options
    assert told == segmentation.judge_month.options | {"near_km": 60.0, "big_score": 1}
    wrong = with_rules(small_demo, "segmentation", {"near_km": -1})
    with pytest.raises(settings.DataError, match=r"\[parameters.segmentation\] near_km = -1"):
        segmentation.segmentation_month(wrong, PERIOD)


# ---- who shows it --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page(small_demo, tmp_path_factory) -> dict:
    """The page, and what it publishes, by second values of the toml; one is given to it."""
    rules = {name: value for name, (value, _figure) in SECOND.items()} | {"near_km": 1.0}
    book = with_rules(small_demo, "segmentation", rules)
    folder = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBOOK_PAGE", str(folder))
        room = run_cells("02_segmentation", book, near_km=SECOND["near_km"][0])
    return {"book": book, "room": room, "tables": published(folder)}


def test_the_page_publishes_the_same_figures(asked, page):
    found = segmentation.judge_month(asked, **{name: value for name, (value, _) in SECOND.items()})
    tables = page["tables"]
    assert tables["coverage"]["is_white_spot"].sum() == SECOND["least_population"][1](found)
    assert tables["overlap"]["n_neighbours"].sum() == SECOND["near_km"][1](found)
    assert tables["rfm"]["segment"].value_counts().to_dict() == SECOND["rfm_cuts"][1](found)
    moved = found.moves.merge(found.dealers[["dealer_id"]])
    assert tables["network_moves"]["period"].tolist() == moved["period"].tolist()
    own = {"ranked": found.scorecard.ranked} | {
        name: getattr(found, name) for name in ("mix", "formats", "history", "cities", "overdue")
    }
    (said,) = (shown for cell, shown in page["room"]["__shown__"].items() if cell == "728b7250")
    assert said.sentences == summary.bottom_line(**own)
    late = found.overdue
    assert late["is_big"].all() and len(late)
    told = {
        "n": len(late),
        "days": int(late["recency_days"].min()),
        "revenue": late["monetary"].sum(),
    }
    look.use("en", "CNY")
    assert words.say("segmentation.line_overdue", **told) in said.sentences


def test_days_of_the_calendar_reach_the_page(small_demo, asked, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBOOK_PAGE", str(tmp_path))
    days, figure = SECOND["rfm_days"]
    run_cells("02_segmentation", small_demo, upto="bd0788e2", rfm_days=days)
    shown = published(tmp_path)["rfm"]
    assert shown["recency_score"].eq(5).sum() == figure(
        segmentation.judge_month(asked, rfm_days=days)
    )


def test_the_page_prints_every_option_in_force(page):
    look.use("en", "CNY")
    (said,) = page["room"]["__shown__"]["5e6ru1e5"].sentences
    for name in SECOND:
        assert f"{words.label(name)}: " in said
    for told in ("half-years", "500000", "60", "by quantile", "5/10/20/40"):
        assert told in said


def test_the_workshop_shows_the_pages_white_spots(page):
    room = run_cells("10_workshop", page["book"], upto="efc6fc3d")
    spots = page["tables"]["coverage"]["is_white_spot"].sum()
    assert room["cities"]["is_white_spot"].sum() == spots


@pytest.mark.parametrize("how", month.RFM_CUTS)
def test_the_explorer_starts_from_the_page(small_demo, asked, how):
    found = segmentation.judge_month(asked, rfm_cuts=how)
    widget = widgets.explore_rfm(small_demo, PERIOD, asked, found)
    control, shown = widget.controls["rfm_cuts"], widget.figure
    assert control.value == how
    counts = segmentation.segment_mix(found.scored, asked.segments)["n_dealers"].tolist()
    rows = re.findall(r"<tr>(.*?)</tr>", shown.value)
    cells = [re.findall(r"<td.*?>(.*?)</td>", row) for row in rows]
    assert [int(re.sub(r"\D", "", row[1])) for row in cells if row] == counts
    before = shown.value
    control.value = next(other for other in month.RFM_CUTS if other != how)
    assert shown.value != before


# ---- a floor of people ---------------------------------------------------------------------------


def test_a_floor_of_people_leaves_small_places_out_and_says_nothing_untrue(asked, own):
    least = 10**9
    none = segmentation.judge_month(asked, least_population=least)
    assert not none.cities["is_white_spot"].any()
    assert none.cities["expected_revenue"].isna().all()
    title = segmentation.plot_coverage(none.cities).figure.alt_text
    assert title.startswith(words.say("segmentation.title_covered"))
    regions = territory.coverage_by_region(none.cities)
    assert regions["n_white_spots"].eq(0).all()
    assert segmentation.plot_coverage(regions)
    pd.testing.assert_series_equal(none.cities["revenue"], own.cities["revenue"])


def test_where_no_table_but_sell_in_is_given_the_month_is_judged(make_book):
    from conftest import small_tables

    tables = {name: rows for name, rows in small_tables().items() if name == "sell_in"}
    found = segmentation.segmentation_month(make_book(**tables), PERIOD)
    assert found.scorecard.ranked.empty and not found.cities["is_white_spot"].any()
