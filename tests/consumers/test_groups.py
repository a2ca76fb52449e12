"""Consumer groups: planted groups are found, noise has none, and the same people keep the same
group and name.
"""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from helpers.consumers import groups, number_of_groups, profiles, summary

pytestmark = pytest.mark.usefixtures("looks")

PLAIN = dict.fromkeys("abcdef", "plain")
# centres in standard deviations
SPOTS = np.array([[0, 0, 0, 0], [9, 0, 0, 0], [0, 9, 0, 0], [0, 0, 9, 9]], float)


def names_of(features: pd.DataFrame, labels: pd.Series, columns=groups.DISTANCE) -> dict[str, str]:
    return summary.group_names(profiles.group_traits(features, labels, columns))


def profile_of(features: pd.DataFrame, labels: pd.Series, names: dict[str, str]) -> pd.DataFrame:
    return profiles.named(profiles.profile_table(features, labels), names)


def ids(n: int) -> list[str]:
    return [f"C{i:05d}" for i in range(n)]


def planted(
    n: int = 900, seed: int = 1, shift: float = 0.0, sizes=(0.4, 0.3, 0.2, 0.1)
) -> tuple[pd.DataFrame, pd.Series]:
    """Draw four groups of plain columns a, b, c, d, far apart.

    -> features and who belongs where.
    """
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), [round(n * size) for size in sizes])
    x = SPOTS[group] + rng.normal(size=(len(group), 4)) + shift
    features = pd.DataFrame(x, columns=list("abcd")).assign(consumer_id=ids(len(group)))
    return features, pd.Series(group, index=features["consumer_id"])


def habits(n: int = 600, seed: int = 2) -> tuple[pd.DataFrame, pd.Series]:
    """Draw bargain hunters, lovers of dear models and season buyers, as the features of a workbook
    tell them.
    """
    rng = np.random.default_rng(seed)
    group = np.arange(n) % 3
    frequency = 1 + rng.poisson(np.array([6, 7, 5])[group])
    tier = np.array([0.7, 2.4, 1.0])[group] * rng.lognormal(0, 0.15, n)
    features = pd.DataFrame(
        {
            "consumer_id": ids(n),
            "frequency": frequency,
            "lines_per_visit": 1 + rng.poisson(1, n) / frequency,
            "price_tier": tier,
            "discount_share": np.array([0.22, 0.03, 0.08])[group] + rng.normal(0, 0.02, n),
            "promotion_share": rng.binomial(frequency, np.array([0.9, 0.05, 0.1])[group])
            / frequency,
            "peak_share": rng.binomial(frequency, np.array([0.3, 0.3, 0.95])[group]) / frequency,
            "monetary": tier * frequency * 1000.0,
        }
    )
    return features, pd.Series(group, index=features["consumer_id"])


def quick(features: pd.DataFrame, **options) -> groups.Groups:
    return groups.consumer_groups(features, columns=dict.fromkeys("abcd", "plain"), **options)


@pytest.fixture(scope="module")
def found() -> groups.Groups:
    return quick(planted()[0])


# ---- scales --------------------------------------------------------------------------------------


def test_scaled_by_hand():
    features = pd.DataFrame(
        {"consumer_id": ["b", "a", "c"], "monetary": [100.0, 10.0, 1000.0], "x": [1.0, 1, 1]}
    )
    x = groups.scaled(features, {"monetary": "log", "x": "plain", "absent": "plain"})
    assert x.index.tolist() == ["a", "b", "c"]
    assert x.columns.tolist() == ["monetary"]  # a constant tells nobody apart
    assert x["monetary"].to_numpy() == pytest.approx([-math.sqrt(1.5), 0, math.sqrt(1.5)])


def test_habits_are_told_from_the_chance_of_few_visits():
    rng = np.random.default_rng(0)
    visits = np.tile([1, 2, 5, 20], 5000)
    taste = rng.beta(2, 6, 20_000)  # true shares: mean 1/4, and a prior of 2 + 6 visits
    features = pd.DataFrame(
        {
            "consumer_id": ids(20_000),
            "frequency": visits,
            "peak_share": rng.binomial(visits, taste) / visits,
        }
    )
    got = groups.consumer_groups(features, columns={"peak_share": "habit"}, k=2)
    assert got.model.prior[0] == pytest.approx(8, rel=0.1)
    assert got.model.deviation[0] == pytest.approx(math.sqrt(0.25 * 0.75 / 9), rel=0.05)
    x = groups.scaled(features, {"peak_share": "habit"})["peak_share"]
    by_visits = x.groupby(visits).std()
    # one visit tells a ninth of the variance
    assert by_visits[1] == pytest.approx(math.sqrt(1 / 9), rel=0.1)
    assert by_visits[20] == pytest.approx(math.sqrt(20 / 28), rel=0.1)


def test_counts_per_visit_are_told_from_chance_too():
    rng = np.random.default_rng(0)
    visits = np.tile([1, 2, 5, 20], 5000)
    # true extras per visit: mean 1, variance 1/2, so a prior of two visits
    rate = rng.gamma(2, 0.5, 20_000)
    features = pd.DataFrame(
        {"consumer_id": ids(20_000), "frequency": visits, "b": rng.normal(size=20_000)}
    )
    seen = features.assign(lines_per_visit=1 + rng.poisson(rate * visits) / visits)
    got = groups.consumer_groups(seen, columns={"lines_per_visit": "per_visit"}, k=2)
    assert got.model.prior[0] == pytest.approx(2, rel=0.1)
    columns = {"lines_per_visit": "per_visit", "b": "plain"}
    chance = groups.scaled(
        features.assign(lines_per_visit=1 + rng.poisson(visits) / visits), columns
    )
    assert "lines_per_visit" not in chance or chance["lines_per_visit"].std() < 0.3


def test_what_chance_explains_is_no_habit():
    rng = np.random.default_rng(1)
    visits = 1 + rng.poisson(0.3, 3000)
    features = pd.DataFrame(
        {
            "consumer_id": ids(3000),
            "frequency": visits,
            "b": rng.normal(size=3000),
            "peak_share": rng.binomial(visits, 0.3) / visits,
        }
    )
    x = groups.scaled(features, {"peak_share": "habit", "b": "plain"})
    assert "peak_share" not in x or x["peak_share"].std() < 0.3
    once = groups.scaled(features.assign(frequency=1), {"peak_share": "habit", "b": "plain"})
    assert "peak_share" not in once  # all came once: nobody's habit can be known
    unseen = groups.scaled(features.drop(columns="frequency"), {"peak_share": "habit"})[
        "peak_share"
    ]
    assert unseen.std(ddof=0) == pytest.approx(1)  # visits are not known: as it is


def test_quantile_scale_is_the_normal_score_of_the_rank():
    values = np.random.default_rng(0).lognormal(0, 3, 5000)
    x = groups.scaled(pd.DataFrame({"consumer_id": ids(5000), "v": values}), {"v": "quantile"})["v"]
    expected = norm.ppf((pd.Series(values).rank() - 0.5) / 5000)
    inner = (expected > -2) & (expected < 2)
    assert np.abs(x.to_numpy() - expected / x.to_numpy().std())[inner].max() < 0.06
    ties = groups.scaled(
        pd.DataFrame({"consumer_id": ids(4), "v": [1, 1, 1, 5]}), {"v": "quantile"}
    )["v"]
    assert ties.iloc[0] == ties.iloc[2] < ties.iloc[3]


anything = st.one_of(st.none(), st.floats(-1e9, 1e9), st.sampled_from([0.0, 1.0, math.inf]))


@given(st.lists(anything, min_size=3, max_size=40), st.sampled_from(groups.SCALES))
def test_scaled_is_whole_and_standardised_whatever_comes(values, scale):
    features = pd.DataFrame(
        {
            "consumer_id": ids(len(values)),
            "v": pd.array(values, dtype="float64"),
            "w": range(len(values)),
        }
    )
    kept = features.copy()
    x = groups.scaled(features, {"v": scale, "w": "plain"})
    assert np.isfinite(x.to_numpy()).all()
    assert x.to_numpy().mean(axis=0) == pytest.approx(0, abs=1e-5)
    assert x.drop(columns="v", errors="ignore").to_numpy().std(axis=0) == pytest.approx(1, abs=1e-5)
    assert (
        scale in groups.HABITS or "v" not in x or x["v"].std(ddof=0) == pytest.approx(1, abs=1e-5)
    )
    pd.testing.assert_frame_equal(features, kept)


def test_returns_count_as_the_smallest_purchase_and_break_nothing():
    features = pd.DataFrame({"consumer_id": ids(5), "monetary": [-500.0, 0.0, 10.0, 100.0, 1000.0]})
    x = groups.scaled(features, {"monetary": "log"})["monetary"]
    assert x.iloc[0] == x.iloc[1] == pytest.approx(x.iloc[2], abs=0.02)
    assert x.is_monotonic_increasing


def test_consumers_without_values_stay_in():
    features, _ = planted()
    features.loc[features.index % 7 == 0, "a"] = np.nan
    features.loc[3, list("abcd")] = np.nan
    got = quick(features, k=4)
    assert len(got.labels) == len(features)
    assert got.labels.notna().all()
    x = groups.scaled(features, {"a": "plain"})["a"]
    middle = (features["a"].median() - features["a"].mean()) / features["a"].std()
    assert x[features.loc[features["a"].isna(), "consumer_id"]].to_numpy() == pytest.approx(
        middle, abs=0.05
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda f: f.drop(columns="consumer_id"),
            r"features: no column 'consumer_id'; there are 'a', 'b', 'c', 'd'",
        ),
        (
            lambda f: pd.concat([f, f.head(2)]),
            r"features: 2 consumer_ids are repeated, e.g. 'C00000'; give one",
        ),
        (
            lambda f: f.assign(consumer_id=f["consumer_id"].mask(f.index < 3)),
            "3 rows have no consumer_id; leave them",
        ),
        (lambda f: f[["consumer_id"]], "features: none of a, b, c, d is there"),
    ],
)
def test_bad_features_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        quick(change(planted()[0]))


def test_senseless_options_are_refused(found):
    features = planted()[0]
    with pytest.raises(
        ValueError,
        match=(
            "the scale 'ln' of a is not known; choose one of log, log1p, quantile, habit, per_visit"
        ),
    ):
        groups.scaled(features, {"a": "ln"})
    with pytest.raises(
        ValueError, match="k: 901 groups can't be made of 900 consumers, some of them alike; 0 lets"
    ):
        quick(features, k=901)
    with pytest.raises(ValueError, match=r"consumers: 1 consumer_ids are repeated, e.g. 'x'"):
        profiles.demographic_profile(pd.DataFrame({"consumer_id": ["x", "x"]}), found.labels)
    with pytest.raises(
        ValueError,
        match="features: no column 'd', which the groups are made of; make the groups anew",
    ):
        groups.assigned(features.drop(columns="d"), found.model)


# ---- how many ------------------------------------------------------------------------------------


def test_planted_groups_are_found(found):
    _, truth = planted()
    assert number_of_groups.chosen_k(found.choice) == 4
    assert number_of_groups.adjusted_rand(found.labels, truth) > 0.98
    # the largest first
    assert found.labels.value_counts().index.tolist() == ["g1", "g2", "g3", "g4"]
    chosen = found.choice[found.choice["chosen"]].iloc[0]
    assert chosen["stability"] > max(number_of_groups.STABLE, chosen["reference_95"])
    assert chosen["valley"] < 0.2
    more = found.choice[found.choice["k"] > 4]
    assert not more["eligible"].any()  # a cut through a crowd, however stable
    assert (more["valley"] > number_of_groups.VALLEY).all()


def test_buyers_of_one_kind_seen_once_or_twice_are_no_groups():
    rng = np.random.default_rng(0)
    visits = 1 + rng.poisson(rng.exponential(1.0, 1500))
    features = pd.DataFrame(
        {
            "consumer_id": ids(1500),
            "frequency": visits,
            "lines_per_visit": 1 + rng.poisson(0.6 * visits) / visits,
            "price_tier": rng.lognormal(0, 0.5, 1500),
            "peak_share": rng.binomial(visits, rng.beta(2, 5, 1500)) / visits,
        }
    )
    assert (
        number_of_groups.chosen_k(
            number_of_groups.choice_of_k(groups.scaled(features), n_references=0)
        )
        == 1
    )


def test_no_natural_groups_is_one_group_of_all():
    x = np.random.default_rng(5).normal(size=(200, 4))
    features = pd.DataFrame(x, columns=list("abcd")).assign(consumer_id=ids(200))
    got = quick(features)
    assert set(got.labels) == {groups.EVERYONE}
    assert got.model.centres.shape == (1, 4)
    assert (groups.assigned(features, got.model) == got.labels).all()
    assert names_of(features, got.labels) == {"all": "All consumers"}
    table = profile_of(features, got.labels, {"all": "All consumers"})
    assert summary.bottom_line(got, table, columns=list("abcd")) == [
        (
            "200 consumers form no natural groups: any cut would run through a crowd of people who "
            "buy alike."
        )
    ]
    assert summary.headlines(got, table)[0]["text"] == "none"


def test_identical_consumers_make_no_groups_of_their_own():
    features = pd.DataFrame({"consumer_id": ids(300), "a": np.arange(300) % 2, "b": 1})
    got = quick(features)
    assert got.choice["k"].tolist() == [2]  # two kinds of people: more groups can't be asked for
    assert number_of_groups.adjusted_rand(quick(features, k=2).labels, features["a"]) == 1
    with pytest.raises(
        ValueError, match="k: 3 groups can't be made of 300 consumers, some of them alike"
    ):
        quick(features, k=3)


def test_few_consumers_are_no_groups():
    got = quick(planted(20)[0])
    assert got.choice.empty
    assert set(got.labels) == {groups.EVERYONE}


# ---- the same people, the same groups ------------------------------------------------------------


def test_row_order_and_repetition_change_nothing(found):
    features = planted()[0]
    again = quick(features.sample(frac=1, random_state=3))
    pd.testing.assert_series_equal(again.labels, found.labels)
    pd.testing.assert_frame_equal(again.choice, found.choice)
    assert (again.model.centres == found.model.centres).all()
    assert features.equals(planted()[0])


@settings(max_examples=25)
@given(st.permutations(["g1", "g2", "g3", "g4"]), st.integers(0, 10))
def test_relabelling_changes_neither_the_index_nor_the_match(names, seed):
    rng = np.random.default_rng(seed)
    labels = pd.Series(
        rng.choice(["g1", "g2", "g3", "g4"], 200, p=[0.4, 0.3, 0.2, 0.1]), index=ids(200)
    )
    renamed = labels.map(dict(zip(["g1", "g2", "g3", "g4"], names, strict=True)))
    assert number_of_groups.adjusted_rand(labels, renamed) == pytest.approx(1)
    pd.testing.assert_series_equal(groups.matched(renamed, labels), labels)


def test_who_descends_from_none_gets_a_new_code():
    before = pd.Series(["g1"] * 50 + ["g2"] * 50, index=ids(100))
    now = pd.Series(["x"] * 48 + ["y"] * 12 + ["z"] * 40, index=ids(100))
    assert groups.matched(now, before).drop_duplicates().tolist() == ["g1", "g3", "g2"]
    # both halves of both: chance, no descent
    mixed = pd.Series((["x"] * 25 + ["y"] * 25) * 2, index=ids(100))
    assert set(groups.matched(mixed, before)) == {"g3", "g4"}
    everyone = pd.Series("all", index=ids(100))
    assert set(groups.matched(now, everyone)) == {"g1", "g2", "g3"}


def test_last_periods_model_holds_while_people_drift(found):
    drifted = planted(seed=8, shift=0.3)[0]
    later = quick(drifted, previous=found.model)
    assert not later.refitted
    assert later.model is found.model
    pd.testing.assert_series_equal(later.labels, groups.assigned(drifted, found.model))
    assert groups.still_fits(drifted, found.model) > groups.REFIT_BELOW
    assert "The groups are last period's: a new fit finds the same ones." in summary.bottom_line(
        later, profile_of(drifted, later.labels, dict.fromkeys(found.model.codes, ""))
    )


def test_groups_are_made_anew_when_they_no_longer_fit_and_keep_their_codes(found):
    features, truth = planted(seed=4, sizes=(0.1, 0.2, 0.3, 0.4))  # the smallest is now the largest
    fifth = pd.DataFrame(
        np.random.default_rng(0).normal([-9, -9, 0, -9], size=(60, 4)), columns=list("abcd")
    )
    features = pd.concat(
        [features, fifth.assign(consumer_id=[f"N{i:05d}" for i in range(60)])], ignore_index=True
    )
    later = quick(features, k=5, previous=found.model)
    assert later.refitted
    assert sorted(later.model.codes) == ["g1", "g2", "g3", "g4", "g5"]
    now = later.labels.reindex(truth.index)
    assert [now[truth == i].mode().iloc[0] for i in range(4)] == ["g1", "g2", "g3", "g4"]
    assert set(later.labels[later.labels.index.str.startswith("N")]) == {"g5"}


def test_a_turned_world_is_refitted_though_the_number_is_the_same(found):
    rng = np.random.default_rng(3)
    turned = (SPOTS - SPOTS.mean(axis=0))[np.arange(900) % 4] @ np.linalg.qr(
        rng.normal(size=(4, 4))
    )[0]
    features = pd.DataFrame(turned + rng.normal(size=(900, 4)), columns=list("abcd")).assign(
        consumer_id=ids(900)
    )
    assert groups.still_fits(features, found.model) < groups.REFIT_BELOW
    later = quick(features, k=4, previous=found.model)
    assert later.refitted
    assert number_of_groups.adjusted_rand(later.labels, np.arange(900) % 4) > 0.95


@pytest.mark.parametrize("scale", groups.SCALES)
def test_a_model_survives_its_table(tmp_path, scale):
    features = planted()[0].assign(frequency=np.arange(900) % 5 + 1)
    features[list("abcd")] = (
        features[list("abcd")] + 20 if scale != "habit" else norm.cdf(features[list("abcd")])
    )
    got = groups.consumer_groups(features, columns=dict.fromkeys("abcd", scale), k=3)
    groups.model_table(got.model).to_csv(tmp_path / "model.csv", index=False)
    back = groups.model_from_table(pd.read_csv(tmp_path / "model.csv"))
    pd.testing.assert_series_equal(groups.assigned(features, back), got.labels)
    half = features[::2]
    pd.testing.assert_series_equal(groups.assigned(half, back), got.labels[half["consumer_id"]])


def test_a_mutilated_model_is_refused(found):
    table = groups.model_table(found.model)
    with pytest.raises(
        ValueError, match="the table of last period's model has no 'mean'; take it as its edition"
    ):
        groups.model_from_table(table[table["item"] != "mean"])
    with pytest.raises(ValueError, match="has no 'centre'"):
        groups.model_from_table(table[~table["item"].str.startswith("centre")])


def test_a_large_table_is_fitted_on_a_sample_and_then_whole(monkeypatch):
    features, truth = planted(6000)
    monkeypatch.setattr(number_of_groups, "N_SAMPLE", 1000)
    monkeypatch.setattr(number_of_groups, "N_STARTED", 500)
    got = quick(features, k=4)
    assert number_of_groups.adjusted_rand(got.labels, truth) > 0.98
    own = groups.scaled(features, dict.fromkeys("abcd", "plain")).groupby(got.labels).mean()
    assert own.loc[list(got.model.codes)].to_numpy() == pytest.approx(
        got.model.centres, abs=1e-3
    )  # of all, not the sample


# ---- what sets them apart ------------------------------------------------------------------------


def test_skewed_money_does_not_make_one_giant_group():
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1, 2], [400, 300, 300])
    money = np.array([100, 3_000, 90_000])[group] * rng.lognormal(0, 0.4, 1000)
    features = pd.DataFrame({"consumer_id": ids(1000), "monetary": money})
    plain = groups.consumer_groups(features, columns={"monetary": "plain"}, k=3)
    assert plain.labels.value_counts(normalize=True).max() > 0.7  # what unscaled money makes of it
    choice = number_of_groups.choice_of_k(
        groups.scaled(features, {"monetary": "log"}), n_references=2
    )
    assert number_of_groups.chosen_k(choice) == 3
    got = groups.consumer_groups(features, columns={"monetary": "log"}, k=3)
    assert number_of_groups.adjusted_rand(got.labels, group) > 0.95


def test_consumers_who_are_all_alike_are_one_group():
    """Each came once and bought the same: nothing tells them apart, and that is no error."""
    alike = pd.DataFrame(
        {"consumer_id": [f"C{i}" for i in range(13)], "frequency": 1.0, "price_tier": 0.5}
    )
    found = groups.consumer_groups(alike, columns={"frequency": "log", "price_tier": "plain"})
    assert set(found.labels) == {found.labels.iloc[0]} and len(found.labels) == 13
