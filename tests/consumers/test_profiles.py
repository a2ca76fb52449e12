"""Profiles: differences worked by hand, names that are unique, movements and demographics that show
no one.
"""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_groups import habits, ids, planted, quick

from helpers import look, words
from helpers.consumers import groups, number_of_groups, profiles, summary

pytestmark = pytest.mark.usefixtures("looks")


def names_of(features: pd.DataFrame, labels: pd.Series, columns=groups.DISTANCE) -> dict[str, str]:
    return summary.group_names(profiles.group_traits(features, labels, columns))


def profile_of(features: pd.DataFrame, labels: pd.Series, names: dict[str, str]) -> pd.DataFrame:
    return profiles.named(profiles.profile_table(features, labels), names)


@pytest.fixture(scope="module")
def found() -> groups.Groups:
    return quick(planted()[0])


def test_profiles_by_hand():
    features = pd.DataFrame({"consumer_id": ids(6), "v": [0.0, 2, np.nan, 4, 6, 8]})
    labels = pd.Series(["g1", "g1", "g1", "g2", "g2", "g2"], index=ids(6))
    rows = profiles.differences(features, labels, {"v": "plain"}).set_index("group")
    assert rows.loc["g1", ["n_consumers", "n_known", "mean", "median", "everyone"]].tolist() == [
        3,
        2,
        1,
        1,
        4,
    ]
    # means 1 and 6, squares within 2 and 8 over 5 − 2 degrees of freedom
    assert rows.loc["g1", "difference"] == pytest.approx(-5 / math.sqrt(10 / 3))
    assert rows.loc["g2", "difference"] == pytest.approx(-rows.loc["g1", "difference"])


def test_names_say_what_sets_groups_apart():
    features, truth = habits()
    assert number_of_groups.adjusted_rand(groups.consumer_groups(features, k=3).labels, truth) > 0.9
    names = names_of(features, truth.map({0: "g1", 1: "g2", 2: "g3"}))
    assert names["g1"] in ("At a discount, in promotions", "In promotions, at a discount")
    assert names["g2"] == "Dear models, at full price"
    assert names["g3"].startswith("In season")
    look.use("zh-Hans")
    assert names_of(features, truth.map({0: "g1", 1: "g2", 2: "g3"}))["g2"] == "买高价、不求折扣"


def test_colliding_names_get_the_next_feature_and_alike_groups_their_code():
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1, 2], 200)
    features = pd.DataFrame(
        {
            "consumer_id": ids(600),
            "discount_share": np.array([9, 9, 0])[group] + rng.normal(size=600),
            "promotion_share": np.array([9, 9, 0])[group] + rng.normal(size=600),
            "price_tier": np.array([0, 1.5, 0])[group] + rng.normal(size=600),
        }
    )
    columns = {"discount_share": "plain", "promotion_share": "plain", "price_tier": "plain"}
    labels = pd.Series(np.array(["g1", "g2", "g3"])[group], index=ids(600))
    names = names_of(features, labels, columns)
    assert len(set(names.values())) == 3
    assert "dear models" in names["g2"].lower()
    halves = pd.Series(np.array(["g1", "g2"])[np.arange(600) % 2], index=ids(600))
    assert names_of(features, halves, columns) == {
        "g1": "Average (g1)",
        "g2": "Average (g2)",
    }
    foreign = names_of(features.rename(columns={"price_tier": "age"}), labels, {"age": "plain"})
    assert foreign["g2"] == "High: age"


@settings(max_examples=20)
@given(st.integers(0, 1000), st.integers(2, 8))
def test_names_are_unique_for_any_groups(seed, k):
    rng = np.random.default_rng(seed)
    labels = pd.Series(rng.integers(0, k, 90), index=ids(90)).map("g{}".format)
    features = pd.DataFrame(rng.lognormal(size=(90, 6)), columns=list(groups.DISTANCE)).assign(
        consumer_id=ids(90)
    )
    names = names_of(features, labels)
    assert set(names) == set(labels)
    assert len(set(names.values())) == len(names)


def test_profile_table_adds_up_and_small_groups_show_no_figure():
    features, truth = habits()
    labels = truth.map({0: "g1", 1: "g2", 2: "g3"})
    labels.iloc[:9] = "g4"
    names = {"g1": "One", "g2": "Two", "g3": "Three", "g4": "Four"}
    table = profile_of(features, labels, names)
    assert table["group"].tolist() == ["g1", "g2", "g3", "g4"]
    assert table["group_name"].iloc[-1] == "Four"
    assert table.iloc[-1].drop(["group", "group_name"]).isna().all()
    own = features[(labels == "g2").to_numpy()]
    row = table.set_index("group").loc["g2"]
    assert row["spent"] == pytest.approx(own["monetary"].sum())
    assert row["spent_share"] == pytest.approx(own["monetary"].sum() / features["monetary"].sum())
    assert row["n_visits"] == own["frequency"].median()
    assert row["peak_share"] == pytest.approx(own["peak_share"].mean())
    assert (
        summary.suppressed_sentence(table)
        == "1 group has fewer than 10 consumers and shows no figures: Four."
    )
    assert summary.suppressed_sentence(table.head(3)) == ""
    full = profile_of(features, truth.map({0: "g1", 1: "g2", 2: "g3"}), names)
    assert full[["consumer_share", "spent_share"]].sum().tolist() == pytest.approx([1, 1])


def test_bottom_line_and_headlines(found):
    features, _ = habits()
    got = groups.consumer_groups(features.drop(columns="lines_per_visit"))
    names = names_of(features, got.labels)
    table = profile_of(features, got.labels, names)
    lines = summary.bottom_line(got, table)
    assert lines[0] == "600 consumers fall into 3 groups of those who buy alike."
    assert lines[1].startswith("Samples of the consumers agree on the groups to ")
    assert lines[2].startswith(f"They are: {table['group_name'][0]} (34%); ")
    assert lines[3].startswith("“" + table.loc[table["spent"].idxmax(), "group_name"])
    assert lines[4] == "Left out, for the data do not tell it or all are alike: Lines per visit."
    tile, change = summary.headlines(got, table)
    assert (tile["place"], tile["text"], tile["link"]) == ("tile", "3", "06_consumer_groups.html")
    assert change["text"] == lines[3]


def test_movements_by_hand():
    before = pd.Series(["g1"] * 30 + ["g2"] * 25, index=ids(55))
    now = pd.Series(
        ["g1"] * 20 + ["g2"] * 10 + ["g1"] * 5 + ["g2"] * 15 + ["g2"] * 12,
        index=[*ids(50), *[f"N{i}" for i in range(12)]],
    )
    moved = profiles.movements(before, now)
    assert moved.loc["g1"].tolist() == [20, 10, 0]
    assert moved.loc["g2"].isna().tolist() == [True, False, True]  # 5 and 5 are too few to be shown
    assert moved.loc["joined"].tolist() == [0, 12, 0]
    assert profiles.stayed_share(before, now) == moved.attrs["stayed_share"] == 35 / 50
    assert math.isnan(profiles.stayed_share(before, now.tail(12)))


@given(
    st.lists(
        st.tuples(st.sampled_from(["g1", "g2", None]), st.sampled_from(["g1", "g3", None])),
        min_size=1,
        max_size=80,
    )
)
def test_movements_show_no_count_under_ten(pairs):
    frame = pd.DataFrame(pairs, columns=["before", "now"], index=ids(len(pairs)), dtype="object")
    moved = profiles.movements(frame["before"].dropna(), frame["now"].dropna())
    shown = moved.to_numpy()[~np.isnan(moved.to_numpy())]
    assert ((shown == 0) | (shown >= profiles.SMALLEST_SHOWN)).all()
    hidden = int(np.isnan(moved.to_numpy()).sum())
    there = int((frame.notna().any(axis=1)).sum())
    assert shown.sum() + hidden <= there <= shown.sum() + 9 * hidden


def test_demographics_describe_with_wilson_intervals():
    labels = pd.Series(["g1"] * 100 + ["g2"] * 100, index=ids(200))
    home = ["own"] * 60 + ["rent"] * 20 + [None] * 20 + ["own"] * 20 + ["rent"] * 75 + [None] * 5
    age = [20 + i % 40 for i in range(200)]
    everybody = pd.DataFrame(
        {"consumer_id": ids(200), "home": home, "age": age, "street": [f"s{i}" for i in range(200)]}
    )
    kept = everybody.copy()
    rows = profiles.demographic_profile(everybody, labels)
    own = rows[(rows["column"] == "home") & (rows["group"] == "g1")].set_index("value")
    assert own.loc["own", ["n_consumers", "within_share"]].tolist() == [60, 0.75]
    assert own.loc["own", "lift"] == pytest.approx(0.75 / (80 / 175))
    # Wilson's interval of 60 of 80: (0.75 + z²/160 ± z √(0.75·0.25/80 + z²/25600)) / (1 + z²/80), z
    # = 1.96
    assert own.loc["own", ["low_share", "high_share"]].tolist() == pytest.approx(
        [0.6452, 0.8318], abs=5e-4
    )
    assert own.loc["not_stated", "within_share"] == 0.2  # of the group, not of those who told
    assert math.isnan(own.loc["not_stated", "lift"])
    few = rows[(rows["value"] == "not_stated") & (rows["group"] == "g2")]
    assert few[["n_consumers", "within_share", "low_share"]].isna().all(axis=None)  # five people
    assert rows.loc[rows["column"] == "age", "value"].unique().tolist() == [
        "20–29",
        "30–39",
        "40–49",
        "50–59",
    ]
    assert "street" not in set(rows["column"])
    assert profiles.demographics_left_out(everybody) == ["street"]
    pd.testing.assert_frame_equal(everybody, kept)


def test_demographics_of_nobody():
    labels = pd.Series(["g1"] * 20, index=ids(20))
    nobody = pd.DataFrame({"consumer_id": ["x"], "home": ["own"]})
    assert profiles.demographic_profile(nobody, labels).empty
    told = profiles.demographic_profile(
        pd.DataFrame({"consumer_id": ids(12), "home": "own"}), labels
    )
    assert told.set_index("value")["n_consumers"].to_dict() == pytest.approx(
        {"own": 12.0, "not_stated": math.nan}, nan_ok=True
    )


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_plots_say_what_they_show(found, language):
    look.use(language)
    features, _ = planted()
    names = {code: f"{code} 群" for code in found.model.codes}
    ax = number_of_groups.plot_choice(found.choice, note="here")
    ring = ax.collections[-1]
    assert ring.get_offsets().tolist() == [[4, pytest.approx(found.choice["stability"][2])]]
    assert "4" in ax.figure.texts[0].get_text()
    assert ax.lines[0].get_ydata().tolist() == found.choice["stability"].tolist()
    ax = profiles.plot_map(groups.scaled(features, found.model), found.labels, names)
    assert sum(len(c.get_offsets()) for c in ax.collections) == 900
    assert sorted(t.get_text() for t in ax.texts) == sorted(names.values())
    assert ax.figure.dense
    profiled = profiles.differences(features, found.labels, dict.fromkeys("abcd", "plain"))
    ax = profiles.plot_profiles(profiled, names)
    assert [t.get_text() for t in ax.get_yticklabels()] == list(names.values())
    first = profiled[(profiled["group"] == "g1") & (profiled["feature"] == "a")]["difference"].iloc[
        0
    ]
    assert ax.texts[0].get_text() == f"{first:+.1f}".replace("-", "−")
    moved = profiles.movements(found.labels.iloc[:600], found.labels)
    ax = profiles.plot_movement(moved, names)
    assert "100%" in ax.figure.texts[0].get_text()
    assert ax.texts[0].get_text() == f"{moved.iloc[0, 0]:,.0f}"


def test_suppressed_movements_are_drawn_as_such():
    before = pd.Series(["g1"] * 30, index=ids(30))
    now = pd.Series(["g1"] * 25 + ["g2"] * 5, index=ids(30))
    ax = profiles.plot_movement(profiles.movements(before, now), {"g1": "One", "g2": "Two"})
    assert [t.get_text() for t in ax.texts][:3] == ["25", "<10", "0"]
    assert "83%" in ax.figure.texts[0].get_text()


def test_plots_without_groups_say_so():
    nothing = number_of_groups.choice_of_k(np.empty((0, 2)))
    assert "takes 60 consumers" in number_of_groups.plot_choice(nothing).figure.alt_text
    flat = number_of_groups.choice_of_k(
        np.random.default_rng(0).normal(size=(200, 2)), n_references=2
    )
    assert (
        number_of_groups.plot_choice(flat).figure.texts[0].get_text()
        == "There are no natural groups of consumers"
    )
    features = planted(40)[0]
    one = pd.Series("all", index=features["consumer_id"])
    profiled = profiles.differences(features, one, {"a": "plain"})
    alone = profiles.plot_profiles(profiled, {"all": "All"})
    assert alone.figure.alt_text == "There are no two groups to set against each other."
    x = groups.scaled(features, {"a": "plain"})
    assert "too little" in profiles.plot_map(x, one, {"all": "All"}).figure.alt_text
    moved = profiles.movements(one.head(0), one)
    assert (
        "no groups of an earlier period"
        in profiles.plot_movement(moved, {"all": "All"}).figure.alt_text
    )


@pytest.mark.parametrize("n", [1, 2, 9, 10, 59, 60])
def test_of_too_few_consumers_nothing_is_claimed(n):
    """Neither that they form groups nor that they form none."""
    features = planted(80)[0].head(n)
    assert len(features) == n
    found = groups.consumer_groups(features, columns=dict.fromkeys("abcd", "plain"))
    table = pd.DataFrame({"group": ["g1"], "group_name": ["All"], "n_consumers": [n]})
    said, (tile,) = (
        summary.bottom_line(found, table, columns="abcd"),
        summary.headlines(found, table),
    )
    few = n < 60
    assert ("too few to look for groups" in said[0], tile["text"] == "too few to tell") == (
        few,
        few,
    )
    if len(found.model.columns) > 1 and n > 2:
        points = groups.scaled(features, found.model)
        title = profiles.plot_map(points, found.labels, {"g1": "All"}).figure.texts[0].get_text()
        assert ("too few" in title) == few


def test_groups_of_under_ten_show_no_figures():
    rows = pd.DataFrame({"group": ["g1", "g2", "g3"], "amount": [1.0, 2.0, 3.0]})
    labels = pd.Series(["g1"] * 10 + ["g2"] * 9 + ["g3"] * 11)
    assert profiles.large_enough(rows, labels)["group"].tolist() == ["g1", "g3"]
    assert profiles.large_enough(rows.head(0), labels).empty


def test_colours_are_enough_and_differ():
    assert len(set(look.GROUPS)) == len(look.GROUPS) >= max(number_of_groups.KS)


def test_every_habit_has_words_in_both_languages():
    for language in ("en", "zh-Hans"):
        look.use(language)
        for feature in profiles.NAMED:
            said = {words.say(f"groups.{part}_{feature}") for part in ("feature", "high", "low")}
            assert len(said) == 3
        assert all(
            words.label(column)
            for column in ("group_name", "consumer_share", "spent", *profiles.SHOWN.values())
        )


def test_groups_that_were_asked_for_are_called_so():
    features, _ = planted()
    got = quick(features, k=3)
    names = names_of(features, got.labels, dict.fromkeys("abcd", "plain"))
    table = profile_of(features, got.labels, names)
    said = summary.bottom_line(got, table, columns=list("abcd"))
    assert said[1] == "This number of groups was asked for; the data by themselves show 4."
    assert summary.headlines(got, table)[0]["text"] == "3"
    crowd = pd.DataFrame(
        np.random.default_rng(5).normal(size=(200, 4)), columns=list("abcd")
    ).assign(consumer_id=ids(200))
    none = quick(crowd, k=2)
    said = summary.bottom_line(none, profile_of(crowd, none.labels, {"g1": "One", "g2": "Two"}))
    assert said[1].startswith(
        "This number of groups was asked for; by themselves the consumers form none"
    )
    assert said[2].startswith("They are: One (")


def test_what_the_groups_rest_on_is_said():
    features, _ = planted(200)
    said = summary.basis_sentences(quick(features, k=2), 30, 0.38, "May–Jul")
    assert said[0].startswith(
        "200 known consumers are described by what they bought in 30 months; 38% of all sales"
    )
    assert said[-1] == "The peak months are May–Jul: then all consumers together buy most."
    assert len(summary.basis_sentences(quick(features, k=2), 30, 0.38, "–")) == 2, (
        "less than a year has no season"
    )


def test_demographics_stand_side_by_side():
    described = pd.DataFrame(
        {
            "column": ["age"] * 4,
            "value": ["young", "young", "not_stated", "old"],
            "group": ["g1", "g2", "g1", "g1"],
            "within_share": [0.5, 0.2, np.nan, 0.5],
        }
    )
    table = profiles.demographic_table(described, {"g1": "One", "g2": "Two"})
    assert table.columns.tolist() == ["feature", "value", "One", "Two"]
    assert table["value"].tolist() == ["young", "old"]
    assert table["One"].tolist() == [0.5, 0.5]
