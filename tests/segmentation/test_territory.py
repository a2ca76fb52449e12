"""Where the network is missing, where it is crowded, and what the scorecard may and may not say."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from helpers import look, words
from helpers.segmentation import kinds, scorecard, territory

pytestmark = pytest.mark.usefixtures("looks")

DEALER_COLUMNS = [
    "dealer_id",
    "dealer_name",
    "store_format",
    "floor_area_m2",
    "area_type",
    "region",
    "city",
    "latitude",
    "longitude",
]
REGIONS = pd.DataFrame(
    [
        ("North", "A", 100_000, "urban"),
        ("North", "B", 50_000, "urban"),
        ("South", "C", 200_000, "urban"),
        ("South", "D", 40_000, "urban"),
        ("South", "E", 10_000, "rural"),
        ("West", "A", 30_000, "rural"),
    ],
    columns=["region", "city", "population", "area_type"],
)
NO_REGIONS = REGIONS.iloc[:0]
NO_CANDIDATES = pd.DataFrame(
    columns=["candidate_id", "candidate_name", "city", "store_format", "floor_area_m2"]
)


def dealers_of(**columns) -> pd.DataFrame:
    return pd.DataFrame(columns).reindex(columns=DEALER_COLUMNS)


def totals_of(dealers: pd.DataFrame, revenue: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"dealer_id": dealers["dealer_id"], "revenue": revenue})


@pytest.fixture
def network() -> tuple[pd.DataFrame, pd.DataFrame]:
    dealers = dealers_of(
        dealer_id=list("abcdefg"),
        city=["A", "A", "B", "C", "D", "Z", None],
        floor_area_m2=100.0,
        region=["North", "North", None, "South", "South", None, None],
    )
    return dealers, totals_of(dealers, [100_000.0, 100_000, 50_000, 600_000, 0, 7, 5])


# ---- coverage ------------------------------------------------------------------------------------


def test_coverage_by_hand(network):
    cities = territory.coverage(*network, REGIONS).set_index(["region", "city"])
    assert cities["revenue"].sum() == network[1]["revenue"].sum()
    assert cities["n_dealers"].sum() == 7
    assert cities.loc[
        ("North", "A"), ["n_active", "revenue_per_head", "dealers_per_100k"]
    ].tolist() == [2, 2.0, 2.0]
    assert cities.loc[("North", "A"), ["floor_area_m2", "floor_area_per_1000"]].tolist() == [200, 2]
    assert cities.loc[("North", "B"), "n_active"] == 1  # the region of a city that is unique
    assert (
        cities.loc[("not_stated", "Z"), "revenue"] == 7
        and cities.loc[("not_stated", "not_stated"), "revenue"] == 5
    )
    white = cities[cities["is_white_spot"]]
    # a closed dealer serves nobody
    assert white.index.tolist() == [("South", "D"), ("South", "E"), ("West", "A")]
    # urban: 850,000 of 350,000 people; rural: no city of that type is served, so all three
    a_head = 850_000 / 350_000
    assert white["expected_revenue"].tolist() == pytest.approx(
        [40_000 * a_head, 10_000 * a_head, 30_000 * a_head]
    )
    assert white["n_comparable"].tolist() == [3, 3, 3]
    assert white[["expected_low", "expected_high"]].isna().all(axis=None), "three are no interval"


def test_coverage_rolls_up_without_loss(network):
    cities = territory.coverage(*network, REGIONS)
    rolled = territory.coverage_by_region(cities).set_index("region")
    assert rolled.index.tolist() == ["South", "North", "West", "not_stated"]
    assert rolled[["n_dealers", "n_active", "revenue"]].sum().tolist() == [7, 6, 850_012]
    assert rolled["n_white_spots"].tolist() == [2, 0, 1, 0]
    assert rolled.loc[
        "South", ["population", "white_spot_population", "expected_revenue"]
    ].tolist() == pytest.approx([250_000, 50_000, 50_000 * 850_000 / 350_000])
    assert rolled.loc["North", "revenue_per_head"] == pytest.approx(250 / 150)
    partly = territory.coverage(
        *network, REGIONS.assign(population=[100_000, None, 200_000, 40_000, 0, 30_000])
    )
    north = territory.coverage_by_region(partly).set_index("region").loc["North"]
    assert north["revenue_per_head"] == 2  # only the city whose people are known


def test_too_few_served_cities_give_no_estimate():
    dealers = dealers_of(dealer_id=["a", "b"], city=["B", "C"])
    cities = territory.coverage(dealers, totals_of(dealers, [1.0, 2.0]), REGIONS)
    assert cities["is_white_spot"].sum() == 4 and cities["expected_revenue"].isna().all()


@pytest.mark.parametrize("people", [100_000, 0, None])
@pytest.mark.parametrize("served", [["A"], ["Z"], []])
def test_nobody_served_and_nobody_counted_divide_nothing(people, served):
    dealers = dealers_of(dealer_id=[str(i) for i, _ in enumerate(served)], city=served)
    regions = REGIONS.assign(population=pd.Series([people] * len(REGIONS), dtype="Int64"))
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        cities = territory.coverage(dealers, totals_of(dealers, [9.0] * len(served)), regions)
        territory.coverage_by_region(cities)
    per_head = ["dealers_per_100k", "revenue_per_head", "floor_area_per_1000"]
    assert people or cities[per_head].isna().all(axis=None)


def test_coverage_without_regions_has_no_white_spots(network):
    cities = territory.coverage(*network, NO_REGIONS)
    assert not cities["is_white_spot"].any() and cities["revenue_per_head"].isna().all()
    assert cities["revenue"].sum() == network[1]["revenue"].sum()
    nobody = territory.coverage(network[0].iloc[:0], network[1].iloc[:0], NO_REGIONS)
    assert nobody.empty and territory.coverage_by_region(nobody).empty
    uncounted = territory.coverage(*network, REGIONS.drop(columns="population"))
    rolled = territory.coverage_by_region(uncounted)
    assert rolled[["n_white_spots", "white_spot_population"]].isna().all(axis=None), (
        "not known is not none"
    )
    assert rolled["revenue"].sum() == network[1]["revenue"].sum()
    ax = territory.plot_coverage(cities)
    assert ax.figure.alt_text.startswith("No population is given")


@settings(deadline=None, max_examples=25)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["A", "B", "C", "Q", None]), st.integers(-5, 90)), min_size=1
    ),
    seed=st.integers(0, 99),
)
def test_coverage_loses_no_dealer_and_no_money(rows, seed):
    dealers = dealers_of(
        dealer_id=[f"d{i}" for i in range(len(rows))], city=[row[0] for row in rows]
    )
    totals = totals_of(dealers, [float(row[1]) for row in rows])
    cities = territory.coverage(dealers, totals, REGIONS)
    assert cities["n_dealers"].sum() == len(rows)
    assert cities["revenue"].sum() == pytest.approx(totals["revenue"].sum())
    shuffled = territory.coverage(
        dealers.sample(frac=1, random_state=seed), totals, REGIONS.sample(frac=1, random_state=seed)
    )
    pd.testing.assert_frame_equal(cities, shuffled)
    scaled = territory.coverage(dealers, totals.assign(revenue=totals["revenue"] * 8), REGIONS)
    assert scaled["is_white_spot"].tolist() == cities["is_white_spot"].tolist()
    np.testing.assert_allclose(scaled["expected_revenue"], cities["expected_revenue"] * 8)


# ---- overlap -------------------------------------------------------------------------------------


def test_overlap_by_distance_and_by_city():
    dealers = dealers_of(
        dealer_id=list("abcdef"),
        city=["A", "A", "A", "B", "B", None],
        latitude=[31.0, 31.01, 32.0, np.nan, 0.0, None],
        longitude=[121.0, 121.0, 121.0, 121.0, 0.0, None],
    )
    near = territory.dealer_overlap(
        dealers, totals_of(dealers, [1.0] * 6), REGIONS, radius_km=2
    ).set_index("dealer_id")
    assert near["n_neighbours"].astype(float).fillna(-1).to_dict() == {
        "a": 1,
        "b": 1,
        "d": 1,
        "e": 1,
        "c": 0,
        "f": -1,
    }
    assert near["overlap_by"].to_dict() == {
        "a": "distance",
        "b": "distance",
        "c": "distance",
        "d": "city",
        "e": "city",
        "f": "not_stated",
    }
    # a hundredth of a degree of latitude
    assert near.loc["a", "nearest_km"] == pytest.approx(1.112, abs=0.001)
    assert near.index.tolist() == ["a", "b", "c", "d", "e", "f"]  # by distance, by city, unknown


def test_overlap_counts_only_active_dealers_and_agrees_with_plain_trigonometry():
    rng = np.random.default_rng(2)
    n = 40
    dealers = dealers_of(
        dealer_id=[f"d{i:02d}" for i in range(n)],
        city="A",
        latitude=30 + rng.normal(0, 0.1, n),
        longitude=110 + rng.normal(0, 0.1, n),
    )
    revenue = np.where(np.arange(n) % 4 == 0, 0.0, 5.0)
    near = territory.dealer_overlap(
        dealers, totals_of(dealers, revenue), REGIONS, radius_km=8
    ).sort_values("dealer_id")
    active = dealers[revenue > 0]
    assert near["dealer_id"].tolist() == active["dealer_id"].tolist()
    lat, lon = np.radians(active["latitude"].to_numpy()), np.radians(active["longitude"].to_numpy())
    cosine = np.sin(lat)[:, None] * np.sin(lat) + np.cos(lat)[:, None] * np.cos(lat) * np.cos(
        lon[:, None] - lon
    )
    km = territory.EARTH_KM * np.arccos(np.clip(cosine, -1, 1))
    np.fill_diagonal(km, np.inf)
    assert near["n_neighbours"].tolist() == (km <= 8).sum(axis=1).tolist()
    np.testing.assert_allclose(near["nearest_km"], km.min(axis=1), rtol=1e-4)


# ---- scorecard -----------------------------------------------------------------------------------


def made_network(n: int = 300, noise: float = 0.3, seed: int = 7) -> tuple[pd.DataFrame, ...]:
    """Draw dealers whose revenue is floor area to the power 0.8 times a format's factor, with known
    noise.
    """
    rng = np.random.default_rng(seed)
    regions = pd.DataFrame(
        {
            "region": "R",
            "city": [f"c{i}" for i in range(20)],
            "area_type": "urban",
            "population": np.exp(rng.normal(12, 1, 20)).round(),
        }
    )
    area, form = np.exp(rng.normal(6, 1, n)), rng.choice(["chain", "independent"], n)
    dealers = dealers_of(
        dealer_id=[f"d{i:03d}" for i in range(n)],
        floor_area_m2=area,
        store_format=form,
        region="R",
        city=rng.choice(regions["city"][:19], n),
    )
    revenue = np.exp(3 + 0.8 * np.log(area) + 0.5 * (form == "chain") + rng.normal(0, noise, n))
    candidates = pd.DataFrame(
        [
            ("x", "X", "c1", "chain", 2000, 3),
            ("y", "Y", "c19", "independent", 400, 9),
            ("z", "Z", "c2", "kiosk", None, 5),
            ("w", None, "nowhere", None, 300, 1),
        ],
        columns=[*NO_CANDIDATES, "drive"],
    )
    return candidates, dealers, totals_of(dealers, revenue), regions


def test_the_scorecard_finds_what_was_planted():
    candidates, dealers, totals, regions = made_network()
    card = scorecard.candidate_scorecard(candidates, dealers, totals, regions)
    assert card.reason == "" and card.n_dealers == 300 and card.r2 > 0.8
    weights = card.weights.set_index("feature")["weight"]
    assert weights.index[0] == "floor_area_m2"
    assert weights["floor_area_m2"] == pytest.approx(
        0.8 * np.log(dealers["floor_area_m2"]).std(), rel=0.1
    )
    assert weights["chain"] > 0 > weights["independent"]
    assert abs(weights["population"]) < 0.05
    ranked = card.ranked.set_index("candidate_id")
    assert ranked["rank"].fillna(0).to_dict() == {"x": 1, "y": 2, "z": 0, "w": 0}
    # a mean: of log-normal noise with deviation 0.3
    mean = np.exp(3.5 + 0.3**2 / 2) * 2000**0.8
    assert ranked.loc["x", "expected_revenue"] == pytest.approx(mean, rel=0.2)
    assert ranked.loc["y", "n_dealers_in_city"] == 0
    assert (
        ranked.loc["z", "missing"] == "floor_area_m2" and ranked.loc["w", "missing"] == "population"
    )
    told = scorecard.in_words(card.ranked).set_index("candidate_id")["missing"]
    assert told[["x", "z", "w"]].tolist() == ["", "Floor area (m²)", "Population"]
    assert (
        ranked.loc[["x", "y"], "expected_low"] < ranked.loc[["x", "y"], "expected_revenue"]
    ).all()
    basis = scorecard.scorecard_basis(card)
    assert basis[0].startswith("Weights rest on 300 present dealers and explain 8")
    assert basis[1].startswith("Taken together the 2 candidates with an estimate would bring")
    assert card.together["value"] == pytest.approx(ranked["expected_revenue"].sum())


def test_the_interval_holds_four_of_five_and_agrees_with_least_squares():
    _, dealers, totals, regions = made_network(500, noise=0.5)
    _, fresh, revenue, _ = made_network(500, noise=0.5, seed=8)
    candidates = fresh.rename(columns={"dealer_id": "candidate_id"}).assign(
        candidate_name="new", city="c3"
    )
    card = scorecard.candidate_scorecard(candidates, dealers, totals, regions)
    ranked = card.ranked.merge(
        revenue.rename(columns={"dealer_id": "candidate_id"}), on="candidate_id"
    )
    inside = ranked["revenue"].between(ranked["expected_low"], ranked["expected_high"]).mean()
    assert inside == pytest.approx(0.8, abs=0.05)
    x = np.column_stack([np.log(dealers["floor_area_m2"]), dealers["store_format"] == "chain"])
    plain = LinearRegression().fit(x, np.log(totals["revenue"]))
    there = np.column_stack([np.log(ranked["floor_area_m2"]), ranked["store_format"] == "chain"])
    assert np.corrcoef(plain.predict(there), np.log(ranked["expected_revenue"]))[0, 1] > 0.99


def test_what_was_held_out_lies_in_the_interval_of_the_sum():
    """Half of the dealers are candidates: 24 networks whose noise has a deviation of 1.2."""
    inside, of_mean, of_median = [], [], []
    for seed in range(24):
        _, dealers, totals, regions = made_network(300, noise=1.2, seed=seed)
        candidates = dealers.iloc[150:].rename(columns={"dealer_id": "candidate_id"})
        present = dealers.iloc[:150], totals.iloc[:150]
        card = scorecard.candidate_scorecard(
            candidates.assign(candidate_name="new"), *present, regions
        )
        came = totals["revenue"].iloc[150:].sum()
        inside.append(card.together["low"] <= came <= card.together["high"])
        of_mean.append(card.ranked["expected_revenue"].sum() / came)
        log = np.log(card.ranked["expected_revenue"])
        # both ends of the interval hang on the typical shop, and so does what smearing adds
        of_median.append(
            np.exp(log).sum() / came / (card.together["value"] / _typical_sum(card, present))
        )
    # 80 % of 24 are 19.2, give or take 2
    assert 15 <= sum(inside) <= 23
    assert np.mean(of_mean) == pytest.approx(1, abs=0.12)
    assert np.mean(of_median) < 0.65, "the typical shops alone sum to about half of what comes"


def _typical_sum(card: scorecard.Scorecard, present: tuple[pd.DataFrame, pd.DataFrame]) -> float:
    """Sum the shops up without smearing, by least squares of our own."""
    dealers, totals = present
    x = np.column_stack([np.log(dealers["floor_area_m2"]), dealers["store_format"] == "chain"])
    fit = LinearRegression().fit(x, np.log(totals["revenue"]))
    ranked = card.ranked
    there = np.column_stack([np.log(ranked["floor_area_m2"]), ranked["store_format"] == "chain"])
    return float(np.exp(fit.predict(there)).sum())


def test_a_sum_of_nobody_has_no_interval_and_one_shops_is_its_own():
    assert scorecard.sum_of(pd.Series(dtype=float), np.zeros(5)) == {}
    off = np.log(np.arange(1.0, 12.0))
    one = scorecard.sum_of(pd.Series([0.0]), off, n_draws=20_000)
    assert one["value"] == pytest.approx(6)
    assert (one["low"], one["high"]) == pytest.approx((2.0, 10.0))


def test_a_white_spots_interval_holds_four_of_five_cities():
    n = 200
    rng = np.random.default_rng(1)
    regions = pd.DataFrame(
        {
            "region": "R",
            "city": [f"c{i}" for i in range(2 * n)],
            "population": np.exp(rng.normal(11, 0.7, 2 * n)).round(),
            "area_type": "urban",
        }
    )
    dealers = dealers_of(
        dealer_id=[f"d{i}" for i in range(2 * n)], region="R", city=regions["city"]
    )
    revenue = regions["population"].to_numpy() * np.exp(rng.normal(0, 0.6, 2 * n))
    served = dealers.iloc[:n], totals_of(dealers.iloc[:n], revenue[:n])
    cities = territory.coverage(*served, regions).set_index("city").loc[regions["city"][n:]]
    assert cities["is_white_spot"].all()
    inside = (revenue[n:] >= cities["expected_low"]) & (revenue[n:] <= cities["expected_high"])
    assert inside.mean() == pytest.approx(0.8, abs=0.06)
    assert cities["expected_revenue"].sum() == pytest.approx(revenue[n:].sum(), rel=0.15)


def test_row_order_and_currency_change_no_rank():
    candidates, dealers, totals, regions = made_network(80)
    card = scorecard.candidate_scorecard(candidates, dealers, totals, regions)
    mixed = scorecard.candidate_scorecard(
        candidates.iloc[::-1],
        dealers.sample(frac=1, random_state=3),
        totals.sample(frac=1, random_state=4),
        regions.iloc[::-1],
    )
    pd.testing.assert_frame_equal(card.ranked, mixed.ranked)
    pd.testing.assert_frame_equal(card.weights, mixed.weights)
    dear = scorecard.candidate_scorecard(
        candidates, dealers, totals.assign(revenue=totals["revenue"] * 100), regions
    )
    assert dear.ranked["rank"].equals(card.ranked["rank"])
    np.testing.assert_allclose(
        dear.ranked["expected_revenue"], card.ranked["expected_revenue"] * 100
    )


def test_too_few_dealers_or_nothing_to_learn_give_no_ranking():
    candidates, dealers, totals, regions = made_network(29)
    few = scorecard.candidate_scorecard(candidates, dealers, totals, regions)
    assert few.reason == "few" and few.weights.empty and few.ranked["rank"].isna().all()
    assert "only 29 present dealers have" in scorecard.scorecard_basis(few)[0]
    candidates, dealers, totals, regions = made_network(60)
    noise = totals.assign(revenue=np.random.default_rng(0).lognormal(5, 1, 60))
    weak = scorecard.candidate_scorecard(candidates, dealers, noise, regions)
    assert weak.reason == "weak" and weak.r2 <= 0 and weak.ranked["expected_revenue"].isna().all()
    assert "does not predict revenue" in scorecard.scorecard_basis(weak)[0]
    same = scorecard.candidate_scorecard(candidates, dealers, totals.assign(revenue=5.0), regions)
    assert same.reason == "weak" and scorecard.scorecard_basis(same)
    assert scorecard.plot_candidates(weak.ranked).figure.alt_text.startswith(
        "No candidate's revenue can be estimated"
    )


COLUMNS = ["dealer_id", "revenue", "n_dealers", "is_white_spot", "area_type", "index", "level_0"]


@pytest.mark.parametrize("name", [*scorecard.COMPUTED, *COLUMNS])
def test_a_score_may_be_called_as_a_column_of_ours(name):
    candidates, dealers, totals, regions = made_network(60)
    given = candidates.assign(**{name: 7.0})
    plain = scorecard.candidate_scorecard(candidates, dealers, totals, regions).ranked
    card = scorecard.candidate_scorecard(given, dealers, totals, regions, weights={name: 1.0})
    shown = f"{name}_given" if name in scorecard.COMPUTED else name
    assert (card.ranked[shown] == 7.0).all() and (card.ranked["hand_score"] == 7.0).all()
    ours = ["candidate_id", "expected_revenue", "population", "n_dealers_in_city"]
    by_id = [
        rows[ours].sort_values("candidate_id", ignore_index=True) for rows in (plain, card.ranked)
    ]
    pd.testing.assert_frame_equal(*by_id)


def test_features_that_most_dealers_lack_are_left_out():
    candidates, dealers, totals, regions = made_network(100)
    dealers["floor_area_m2"] = dealers["floor_area_m2"].where(dealers.index < 40)
    card = scorecard.candidate_scorecard(candidates, dealers, totals, regions)
    assert card.n_dealers == 100 and "floor_area_m2" not in set(card.weights["feature"])
    bare = scorecard.candidate_scorecard(candidates, dealers, totals, NO_REGIONS)
    assert not {"population"} & set(bare.weights["feature"])


def test_an_unknown_format_counts_as_the_average_one():
    candidates, dealers, totals, regions = made_network()
    twins = pd.concat([candidates.iloc[[0]]] * 3, ignore_index=True)
    twins = twins.assign(candidate_id=list("abc"), store_format=["chain", "independent", "new"])
    money = scorecard.candidate_scorecard(twins, dealers, totals, regions).ranked.set_index(
        "candidate_id"
    )["expected_revenue"]
    assert money["b"] < money["c"] < money["a"]


def test_scores_count_only_through_weights_given_by_hand():
    candidates, dealers, totals, regions = made_network(60)
    plain = scorecard.candidate_scorecard(candidates, dealers, totals, regions)
    assert (
        "drive" in plain.ranked
        and "hand_score" not in plain.ranked
        and "drive" not in set(plain.weights["feature"])
    )
    hand = scorecard.candidate_scorecard(candidates, dealers, totals, regions, {"drive": 2})
    assert hand.ranked["candidate_id"].tolist() == ["y", "z", "x", "w"]
    assert hand.ranked["hand_score"].tolist() == [9, 5, 3, 1]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"charm": 1}, "candidates have no score 'charm'; they have drive"),
        ({"drive": -1}, "'drive' is -1"),
        ({"drive": 0}, "sum to zero"),
    ],
)
def test_weights_that_mean_nothing_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        scorecard.candidate_scorecard(*made_network(30), weights)


def test_without_candidates_the_weights_still_stand():
    _, dealers, totals, regions = made_network(60)
    card = scorecard.candidate_scorecard(NO_CANDIDATES, dealers, totals, regions)
    assert card.ranked.empty and len(card.weights) and card.reason == ""
    assert scorecard.scorecard_basis(card) == ["No candidates are given."]
    assert scorecard.plot_candidates(card.ranked).figure.alt_text.startswith("No candidate")


def test_columns_that_say_nothing_are_not_printed():
    card = scorecard.candidate_scorecard(*made_network(29))
    assert scorecard.candidate_columns(card.ranked) == [
        "candidate_id",
        "candidate_name",
        "city",
        "store_format",
        "floor_area_m2",
        "population",
        "n_dealers_in_city",
        "drive",
        "missing",
    ]
    named = scorecard.candidate_scorecard(*made_network()).ranked.query("rank == 1")
    assert {"candidate_id", "missing"}.isdisjoint(scorecard.candidate_columns(named))
    assert set(territory.WHITE_SPOT_COLUMNS) <= set(territory.coverage(*made_network(29)[1:]))


# ---- figures -------------------------------------------------------------------------------------


def test_plot_coverage_shows_the_top_the_white_spots_and_the_rest():
    regions = pd.DataFrame(
        {
            "region": "R",
            "city": [f"city {i:02d}" for i in range(60)],
            "population": 1000.0,
            "area_type": "urban",
        }
    )
    dealers = dealers_of(
        dealer_id=[f"d{i}" for i in range(50)], city=regions["city"][:50], region="R"
    )
    cities = territory.coverage(
        dealers, totals_of(dealers, [1000.0 * (i + 1) for i in range(50)]), regions
    )
    ax = territory.plot_coverage(cities)
    served, rest, white = ([bar.get_width() for bar in box] for box in ax.containers)
    assert len(served) == territory.CITIES_SHOWN - territory.WHITE_SPOTS_SHOWN and max(served) == 50
    assert white == [25.5] * territory.WHITE_SPOTS_SHOWN
    assert rest == [pytest.approx(np.mean(range(1, 39)))]
    assert [t.get_text() for t in ax.get_yticklabels()][-1] == "38 more places"
    assert ax.figure.alt_text.startswith(
        "10 white spots, 10.0 k people without an active dealer: worth about CNY 255 k"
    )


def test_plot_coverage_takes_regions_and_a_single_row(network):
    ax = territory.plot_coverage(
        territory.coverage_by_region(territory.coverage(*network, REGIONS))
    )
    assert [t.get_text() for t in ax.get_yticklabels()] == [
        "West · 1 white spot",  # its white spot at 2.43 a head, beside the 2.4 that South has
        "South · 2 white spots",
        "North",
    ]
    one = territory.coverage(network[0].iloc[:1], network[1].iloc[:1], REGIONS.iloc[:1])
    assert territory.plot_coverage(one).figure.alt_text.startswith("There is no white spot")


def test_plot_candidates_draws_dot_and_interval():
    card = scorecard.candidate_scorecard(*made_network())
    ax = scorecard.plot_candidates(card.ranked)
    assert ax.lines[0].get_xdata().tolist() == card.ranked["expected_revenue"].dropna().tolist()
    assert [s[0][0] for s in ax.collections[0].get_segments()] == card.ranked[
        "expected_low"
    ].dropna().tolist()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["X · c1", "Y · c19"]


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_every_column_and_code_has_a_name(network, language):
    look.use(language)
    cities, card = (
        territory.coverage(*network, REGIONS),
        scorecard.candidate_scorecard(*made_network(40)),
    )
    tables = (
        cities,
        territory.coverage_by_region(cities),
        territory.dealer_overlap(*network, REGIONS),
        card.weights,
        card.ranked.drop(columns="drive"),
    )
    for table in tables:
        assert [words.label(column) for column in table.columns]
    assert all(words.label(code) for code in ["distance", kinds.OTHER, *scorecard.FEATURES])


def test_nothing_is_mutated(network):
    tables = (*network, REGIONS, *made_network(40))
    before = [table.copy(deep=True) for table in tables]
    cities = territory.coverage(*network, REGIONS)
    kept = cities.copy(deep=True)
    territory.plot_coverage(cities)
    territory.plot_coverage(territory.coverage_by_region(cities))
    territory.dealer_overlap(*network, REGIONS)
    scorecard.plot_candidates(scorecard.candidate_scorecard(*tables[3:]).ranked)
    pd.testing.assert_frame_equal(cities, kept)
    for table, old in zip(tables, before, strict=True):
        pd.testing.assert_frame_equal(table, old)
