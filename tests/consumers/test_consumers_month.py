"""The recipe of the consumers' month: what its options do, and that all who show it agree."""

import re

import pandas as pd
import pytest

from cells import published, run_cells, spoiled, with_rules
from helpers import consumers, data, look, settings, widgets, words
from helpers.consumers import groups, month, number_of_groups, profiles, strategies, sums

pytestmark = pytest.mark.usefixtures("looks")

PERIOD = "2026-10"


def n_silent(found: consumers.ConsumersMonth) -> int:
    return int(found.evidence["is_silent"].sum())


def lapsed(found: consumers.ConsumersMonth) -> list[float]:
    rows = found.evidence[found.evidence["strategy"] == "sales_management"]
    return rows["figure"].round(9).tolist()


# a second value of each option, and the figure of the small demo that it changes
SECOND = {
    "n_months": (12, lambda found: len(found.judged.groups.labels)),
    "k": (3, lambda found: len(found.judged.profile)),
    "stable_index": (1.0, lambda found: len(found.judged.profile)),
    "strong_difference": (1.5, lambda found: sum(map(len, found.judged.traits.values()))),
    "min_group_people": (245, lambda found: int(found.judged.profile["spent"].isna().sum())),
    "min_evidence": (60, lambda found: found.served["dealer_id"].nunique()),
    "worth": (0.3, n_silent),
    "lapsed_days": (100, lapsed),
    "max_imbalance": (0.0, lambda found: found.uplift["method"].tolist()),
    "uplift_level": (0.6, lambda found: found.uplift["low"].round(2).tolist()),
}


@pytest.fixture(scope="module", autouse=True)
def _fitted_once():
    """A fit takes seconds, and depends on nothing but what it is asked."""
    made, fit = {}, groups.consumer_groups

    def fitted(habits, **asked):
        known = str((len(habits), habits["monetary"].sum(), *sorted(asked.items())))
        return made.get(known) or made.setdefault(known, fit(habits, **asked))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups, "consumer_groups", fitted)
        yield


@pytest.fixture(scope="module")
def asked(small_demo) -> consumers.ConsumersData:
    return consumers.read_month(small_demo, PERIOD)


@pytest.fixture(scope="module")
def own(asked) -> consumers.ConsumersMonth:
    return consumers.judge_month(asked)


def judged(book: settings.Workbook, asked, name: str, value: object) -> consumers.ConsumersMonth:
    if name == "n_months":
        asked = consumers.read_month(book, PERIOD, n_months=value)
    return consumers.judge_month(asked, **{name: value})


def test_the_defaults_give_what_the_functions_give(small_demo, asked, own):
    habits = data.consumer_features(small_demo, PERIOD, 36)
    made = groups.consumer_groups(habits, k=0, stable_index=0.9, previous=None)
    pd.testing.assert_series_equal(own.judged.groups.labels, made.labels)
    pd.testing.assert_frame_equal(own.judged.groups.choice, made.choice)
    ours = {
        by: data.group_sums(small_demo, PERIOD, 36, made.labels, by)
        for by in ("category", "dealer_id", "calendar_month")
    }
    answers = data.responses(small_demo, PERIOD, 36, made.labels)
    dealers, peak = data.dealers(small_demo), data.peak_months(small_demo, PERIOD, 36)
    evidence = strategies.strategy_evidence(
        habits,
        made.labels,
        by_category=ours["category"],
        by_dealer=ours["dealer_id"],
        responses=answers,
        dealers=dealers,
        peak=peak,
        peak_part=month.peak_part(peak, asked.first, asked.n_known),
        made_of=made.model.columns,
    )
    year_ago = groups.assigned(data.previous_consumers(small_demo, PERIOD, 36), made.model)
    same = {
        "apart": (own.judged.apart, profiles.differences(habits, made.labels)),
        "profile": (own.judged.profile, profiles.profile_table(habits, made.labels)),
        "evidence": (own.evidence, evidence),
        "rates": (own.rates, sums.response_rates(answers)),
        "season": (own.season, sums.seasonality(ours["calendar_month"], asked.n_known)),
        "served": (own.served, sums.group_dealers(ours["dealer_id"], dealers)),
        "margin": (own.margin, data.group_margin(small_demo, PERIOD, 36, made.labels)),
        "moved": (own.moved, profiles.movements(year_ago, made.labels)),
        "described": (
            own.described,
            profiles.demographic_profile(data.records(small_demo, "consumers"), made.labels),
        ),
    }
    for name, (ours, theirs) in same.items():
        pd.testing.assert_frame_equal(ours, theirs, obj=name)
    assert own.judged.traits == profiles.group_traits(habits, made.labels)
    assert own.options == consumers.judge_month.options
    assert set(SECOND) == set(own.options)


@pytest.mark.parametrize("name", SECOND)
def test_each_option_changes_a_figure(small_demo, asked, own, name):
    value, figure = SECOND[name]
    other = judged(small_demo, asked, name, value)
    assert figure(other) != figure(own)
    assert other.options == own.options | {name: value}


@pytest.mark.parametrize(("name", "value"), [*spoiled(consumers.judge_month)])
def test_a_value_that_no_option_takes_is_refused_by_name(asked, name, value):
    with pytest.raises(ValueError, match=rf"^{name} = "):
        consumers.judge_month(asked, **{name: value})


@pytest.mark.parametrize("name", ["min_group_people", "min_evidence"])
def test_a_floor_of_confidentiality_is_only_raised(asked, name):
    with pytest.raises(ValueError, match=f"^{name} = 9: expected a number from 10"):
        consumers.judge_month(asked, **{name: 9})


def test_figures_read_over_other_months_are_refused(asked):
    with pytest.raises(ValueError, match="read over 36 months, not 12"):
        consumers.judge_month(asked, n_months=12)


def test_an_unknown_option_names_the_nearest(asked, small_demo):
    with pytest.raises(TypeError, match=r"'lapsed_day'.*lapsed_days"):
        consumers.judge_month(asked, lapsed_day=3)
    with pytest.raises(settings.DataError, match=r"stable_idx.*stable_index"):
        settings.options_in_force(consumers.judge_month, small_demo, {"stable_idx": 1.0})


def test_what_is_given_wins_over_the_toml_and_the_toml_over_the_default(small_demo):
    book = with_rules(small_demo, "consumer_groups", {"k": 3, "worth": 0.3})
    told = settings.options_in_force(consumers.judge_month, book, {"k": 5, "n_months": None})
    assert told == consumers.judge_month.options | {"k": 5, "worth": 0.3}
    wrong = with_rules(small_demo, "consumer_groups", {"min_group_people": 3})
    with pytest.raises(
        settings.DataError, match=r"\[parameters.consumer_groups\] min_group_people"
    ):
        settings.options_in_force(consumers.judge_month, wrong, {})


# ---- a raised floor ------------------------------------------------------------------------------


def test_of_fewer_people_than_the_floor_nothing_is_shown(asked, own):
    sizes = own.judged.groups.labels.value_counts()
    small = set(sizes.index[sizes < 245])
    assert small and small != set(sizes.index)
    found = consumers.judge_month(asked, min_group_people=245)
    profile = found.judged.profile.set_index("group")
    assert profile.loc[sorted(small)].isna().all(axis=None)
    assert found.evidence.loc[found.evidence["group"].isin(small), "is_silent"].all()
    for table in (found.rates, found.season, found.served):
        assert not set(table["group"]) & small
    assert not (found.moved.gt(0) & found.moved.lt(245)).any(axis=None)
    counted = found.described["n_consumers"].dropna()
    assert counted.ge(245).all()
    assert found.evidence.loc[~found.evidence["is_silent"], "n"].ge(245).all()
    names = consumers.group_names(found.judged.traits)
    ax = consumers.plot_profiles(found.judged.apart, names, least=245)
    assert len(ax.get_yticklabels()) == len(sizes) - len(small)


# ---- who shows it --------------------------------------------------------------------------------

SHOWN = {"k": 3, "worth": 0.06, "lapsed_days": 100, "min_evidence": 60, "strong_difference": 1.5}


@pytest.fixture(scope="module")
def page(small_demo, tmp_path_factory) -> dict:
    """The page, and what it publishes, by second values of the toml; one is given to it."""
    book = with_rules(small_demo, "consumer_groups", SHOWN | {"worth": 0.5})
    folder = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBOOK_PAGE", str(folder))
        room = run_cells("06_consumer_groups", book, worth=SHOWN["worth"])
    return {"book": book, "room": room, "tables": published(folder)}


def test_the_page_publishes_the_same_figures(asked, page):
    found, tables = consumers.judge_month(asked, **SHOWN), page["tables"]
    names = consumers.group_names(found.judged.traits)
    profile = consumers.named(found.judged.profile, names)
    pd.testing.assert_frame_equal(tables["consumer_groups"], profile, check_dtype=False)
    lines = strategies.strategy_lines(found.evidence)
    told = tables["strategies"].assign(line=tables["strategies"]["line"].fillna(""))
    pd.testing.assert_frame_equal(told, lines, check_dtype=False)
    assert tables["group_dealers"]["dealer_id"].nunique() == SECOND["min_evidence"][1](found)
    said = " ".join(page["room"]["__shown__"]["aefde715"].sentences)
    assert "fewer than 60 behind" in said and "under 6 points" in said
    assert "over 100 days" in " ".join(lines["line"])


def test_other_months_and_samples_reach_the_page(small_demo, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBOOK_PAGE", str(tmp_path))
    given = {"n_months": 12, "stable_index": 1.0, "min_group_people": 300}
    run_cells("06_consumer_groups", small_demo, upto="7d4e7f77", **given)
    asked = consumers.read_month(small_demo, PERIOD, n_months=12)
    found = consumers.judge_month(asked, **given)
    tables = published(tmp_path)
    counts = found.judged.profile["n_consumers"].tolist()
    assert tables["consumer_groups"]["n_consumers"].tolist() == counts
    assert not tables["number_of_groups"]["chosen"].any() or number_of_groups.chosen_k(
        tables["number_of_groups"]
    ) == len(counts)


def test_the_page_prints_every_option_in_force(page):
    look.use("en", "CNY")
    (said,) = page["room"]["__shown__"]["9a6ru1e5"].sentences
    for name in SECOND:
        assert f"{words.label(name)}: " in said
    for name, value in SHOWN.items():
        assert f"{words.label(name)}: {value:g}" in said


def test_where_the_data_decide_the_rules_say_so(own):
    look.use("en", "CNY")
    (said,) = look.rules(own.options).sentences
    assert f"{words.label('k')}: {words.label('k_0')}" in said


def table_shown(markup: str, column: str) -> list[str]:
    heads = re.findall(r"<th(?: [^>]*)?>(.*?)</th>", markup)
    rows = [re.findall(r"<td.*?>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", markup)]
    return [row[heads.index(words.word(column))] for row in rows if row]


def test_workshop_and_explorer_show_the_pages_groups(asked, page):
    look.use("en", "CNY")
    names = page["tables"]["consumer_groups"]["group_name"].tolist()
    room = run_cells("10_workshop", page["book"], upto="49545471")
    assert room["profile"]["group_name"].tolist() == names
    assert room["profile"]["n_consumers"].tolist() == [
        *page["tables"]["consumer_groups"]["n_consumers"]
    ]
    look.use("en", "CNY")
    found = consumers.judge_month(asked, **SHOWN)
    widget = widgets.explore_groups(page["book"], PERIOD, asked, found)
    control, shown = widget.controls["k"], widget.figure
    assert control.value == SHOWN["k"] == len(names)
    assert table_shown(shown.value, "group_name") == names
    before = shown.value
    control.value = 5
    assert shown.value != before and len(table_shown(shown.value, "group_name")) == 5


def test_the_explorer_starts_from_what_the_data_show(small_demo, asked, own):
    widget = widgets.explore_groups(small_demo, PERIOD, asked, own)
    assert widget.controls["k"].value == len(own.judged.profile)
    alone = consumers.judge_month(asked, stable_index=1.0)
    assert widgets.explore_groups(small_demo, PERIOD, asked, alone).controls["k"].value == 1


def test_the_fit_is_asked_of_the_month_so_that_it_is_kept(asked):
    found = month.kept_groups(asked.habits, 0, 0.9, None)
    assert found.labels.equals(consumers.judge_month(asked).judged.groups.labels)
