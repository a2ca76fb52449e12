"""The move proposal: against brute force, what no plan may ever do, and the planted dealers who
wait for goods.
"""

import itertools
import math
import random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

import sleepers
from helpers import data, inventory, look, words
from helpers.demo import build
from helpers.inventory import moves, rebalancing

pytestmark = pytest.mark.usefixtures("looks")

END = pd.Timestamp("2026-10-31")
COLUMNS = ["dealer_id", "product_id", "days", "quantity", "unit_cost"]
MODELS = pd.DataFrame({"product_id": ["p", "q"], "product_name": ["Pot", "Quilt"]})
IDS = [f"d{i}" for i in range(6)]


def aged_of(*rows) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=COLUMNS).astype(
        {"days": float, "quantity": float, "unit_cost": float}
    )
    table["received_date"] = END - pd.to_timedelta(table.pop("days"), unit="D")
    return inventory.aged(table, END)


def flows_of(*rows) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["dealer_id", "product_id", "sold_90d"]).astype(
        {"sold_90d": float}
    )
    return table.assign(sold=table["sold_90d"] * 4, last_sold_date=pd.NaT)


def dealers_of(**places) -> pd.DataFrame:
    """Lay out dealers by id: (city, region) or (city, region, latitude, longitude)."""
    rows = [
        (i, i.upper(), *place, *[None] * (4 - len(place)), "Mei") for i, place in places.items()
    ]
    columns = [
        "dealer_id",
        "dealer_name",
        "city",
        "region",
        "latitude",
        "longitude",
        "account_manager",
    ]
    return pd.DataFrame(rows, columns=columns)


HERE = dealers_of(**dict.fromkeys(IDS, ("Here", "North")))


# ---- by hand -------------------------------------------------------------------------------------


def test_one_lot_by_hand():
    aged = aged_of(("a", "p", 120, 20, 10), ("a", "p", 5, 3, 10), ("b", "p", 5, 2, 10))
    flows = flows_of(("a", "p", 6), ("b", "p", 24))
    places = dealers_of(a=("X", "North"), b=("Y", "North"))
    plan = inventory.proposal(aged, flows, places)
    # a needs 3 of his 20 old pieces himself; b sells 12 in 45 days and has 2; ten go at a time
    assert rebalancing.supply(aged, flows)["pieces"].tolist() == [17]
    assert rebalancing.demand(aged, flows)["pieces"].tolist() == [10]
    row = plan.iloc[0]
    assert row[["from_dealer_id", "to_dealer_id", "product_id", "quantity", "value"]].tolist() == [
        "a",
        "b",
        "p",
        10,
        100,
    ]
    assert row[["step", "age_days", "reason"]].tolist() == [1, 120, "slow"]
    assert np.isnan(row["distance_km"])
    assert inventory.proposal(aged, flows, places, max_lot=4)["quantity"].tolist() == [4]
    table = inventory.move_table(plan, places, MODELS)
    assert table["reason"].tolist() == ["120 days old, 6 sold in 90; there 24 sold in 90, 2 left."]
    assert table["product_name"].tolist() == ["Pot"]


def test_the_dearer_goods_win_and_the_nearer_among_equals():
    aged = aged_of(
        ("a", "p", 120, 5, 10),
        ("b", "p", 120, 5, 30),
        ("c", "p", 1, 0.5, 10),
        ("d", "p", 1, 0.5, 10),
    )
    flows = flows_of(("a", "p", 0), ("b", "p", 0), ("c", "p", 11), ("d", "p", 11))
    places = dealers_of(a=("X", "North"), b=("Y", "North"), c=("X", "North"), d=("Y", "North"))
    plan = inventory.proposal(aged, flows, places, min_value=0)
    pairs = plan.set_index(["from_dealer_id", "to_dealer_id"])["quantity"].to_dict()
    assert pairs == {("b", "d"): 5, ("a", "c"): 5}  # each stays in his city


def test_kilometres_are_the_great_circle_and_limit_the_way():
    places = dealers_of(
        a=("X", "N", 31.2304, 121.4737),
        b=("Y", "N", 39.9042, 116.4074),
        c=("Z", "N", 31.2989, 120.5853),
    )
    step, km = rebalancing._ways(
        pd.Series(["a"]), pd.Series(["b", "c"]), rebalancing._places(places)
    )
    assert km[0] == pytest.approx([1067, 84.7], abs=1)
    assert step[0] == pytest.approx(km[0] / 100)
    aged = aged_of(("a", "p", 120, 9, 10), ("b", "p", 1, 0.5, 10), ("c", "p", 1, 0.5, 10))
    plan = inventory.proposal(
        aged, flows_of(("a", "p", 0), ("b", "p", 90), ("c", "p", 3)), places, min_value=0
    )
    assert plan["to_dealer_id"].tolist() == ["c"]  # Beijing is beyond 500 km, though it needs more


def test_without_coordinates_city_and_region_tell_and_an_empty_place_is_near_nobody():
    places = dealers_of(a=("X", "N"), b=("X", "N"), c=("Y", "N"), d=(None, None), e=(None, None))
    step, km = rebalancing._ways(
        pd.Series(["a", "d"]), pd.Series(["b", "c", "e"]), rebalancing._places(places)
    )
    assert step.tolist() == [[0, 1, 2], [2, 2, 2]]
    assert np.isnan(km).all()


def test_a_lot_must_be_worth_its_way():
    places = dealers_of(a=("X", "N"), b=("X", "N"), c=("Y", "N"))
    aged = aged_of(
        ("a", "p", 120, 1, 10),
        ("a", "q", 120, 1, 10),
        ("b", "p", 1, 0.5, 10),
        ("c", "q", 1, 0.5, 10),
    )
    flows = flows_of(("a", "p", 0), ("b", "p", 9), ("c", "q", 9))
    assert set(inventory.proposal(aged, flows, places, min_value=0)["to_dealer_id"]) == {"b", "c"}
    # ten is enough next door, not for the next city, which asks for as much again
    assert inventory.proposal(aged, flows, places, min_value=10)["to_dealer_id"].tolist() == ["b"]
    assert inventory.proposal(aged, flows, places, min_value=11).empty
    assert len(inventory.proposal(aged, flows, places)) == 1  # the mean piece is worth 10


def test_who_is_not_known_neither_gives_nor_takes():
    aged = aged_of(
        ("silent", "p", 200, 9, 10), ("b", "p", 1, 0.5, 10), ("dated", "p", None, 50, 10)
    )
    flows = flows_of(("b", "p", 90), ("no stock on record", "p", 90), ("dated", "p", 0))
    assert rebalancing.supply(aged, flows).empty  # sales unknown; age unknown
    assert rebalancing.demand(aged, flows)["dealer_id"].tolist() == ["b"]
    assert inventory.proposal(aged, flows, HERE).empty
    unknown = flows.assign(sold_90d=np.nan)
    assert rebalancing.supply(aged, unknown).empty
    assert rebalancing.demand(aged, unknown).empty


def test_a_lot_of_nothing_is_refused():
    with pytest.raises(ValueError, match="max_lot: 0 carries nothing; give 1 piece or more"):
        inventory.proposal(aged_of(), flows_of(), HERE, max_lot=0)


def test_the_nearest_takers_are_asked_only(monkeypatch):
    monkeypatch.setattr(rebalancing, "N_NEAREST", 1)
    places = dealers_of(a=("X", "N"), b=("X", "N"), c=("Y", "N"))
    aged = aged_of(("a", "p", 120, 9, 10), ("b", "p", 1, 0.5, 10), ("c", "p", 1, 0.5, 10))
    plan = inventory.proposal(
        aged, flows_of(("a", "p", 0), ("b", "p", 5), ("c", "p", 90)), places, min_value=0
    )
    assert plan["to_dealer_id"].tolist() == ["b"]


# ---- brute force ---------------------------------------------------------------------------------


def best_by_brute_force(givers: dict, takers: dict, steps: dict, max_lot: int) -> float:
    """Try every whole plan.

    `givers` id -> (pieces, worth), `takers` id -> pieces, `steps` (from, to) -> steps.
    """
    pairs = list(itertools.product(givers, takers))
    ranges = [range(min(givers[i][0], takers[j], max_lot) + 1) for i, j in pairs]
    best = 0.0
    for amounts in itertools.product(*ranges):
        out, into = dict.fromkeys(givers, 0), dict.fromkeys(takers, 0)
        for (i, j), n in zip(pairs, amounts, strict=True):
            out[i] += n
            into[j] += n
        if all(out[i] <= givers[i][0] for i in givers) and all(
            into[j] <= takers[j] for j in takers
        ):
            worth = sum(
                n * givers[i][1] * (1 - rebalancing.WAY_RATE * steps[i, j])
                for (i, j), n in zip(pairs, amounts, strict=True)
            )
            best = max(best, worth)
    return best


@pytest.mark.parametrize("max_lot", [1, 2, 3])
def test_two_hundred_small_cases_against_brute_force(max_lot):
    """Put the cases into one network: a model of his own each, and dealers of their own."""
    cases, layers, sold, towns = {}, [], [], {}
    for seed in range(67):
        draw, model = random.Random(1000 * max_lot + seed), f"p{seed:02d}"
        givers = {
            f"{model}g{i}": (draw.randint(1, 3), draw.randint(1, 99))
            for i in range(draw.randint(1, 2))
        }
        takers = {f"{model}t{i}": draw.randint(1, 3) for i in range(draw.randint(1, 3))}
        towns |= {i: (draw.choice("XYZ"), draw.choice("NS")) for i in (*givers, *takers)}
        layers += [(i, model, 200, n, worth) for i, (n, worth) in givers.items()] + [
            (j, "x", 1, 1, 1) for j in takers
        ]
        sold += [(i, model, 0) for i in givers] + [(j, model, 2 * n) for j, n in takers.items()]
        cases[model] = givers, takers
    plan = inventory.proposal(
        aged_of(*layers), flows_of(*sold), dealers_of(**towns), max_lot=max_lot, min_value=0
    )
    for model, (givers, takers) in cases.items():
        steps = {
            (i, j): 0 if towns[i][0] == towns[j][0] else 1 if towns[i][1] == towns[j][1] else 2
            for i in givers
            for j in takers
        }
        lots = plan[plan["product_id"] == model].itertuples()
        found = sum(
            lot.quantity * givers[lot.from_dealer_id][1] * (1 - rebalancing.WAY_RATE * lot.step)
            for lot in lots
        )
        assert found == pytest.approx(best_by_brute_force(givers, takers, steps, max_lot)), model


# ---- what must hold ------------------------------------------------------------------------------

layer = st.tuples(
    st.sampled_from(IDS),
    st.sampled_from("pq"),
    st.one_of(st.none(), st.integers(0, 300)),
    st.integers(1, 30),
    st.one_of(st.none(), st.integers(1, 500)),
)
sales = st.dictionaries(st.tuples(st.sampled_from(IDS), st.sampled_from("pq")), st.integers(-3, 60))
town = st.one_of(
    st.tuples(st.sampled_from("XY"), st.sampled_from("NS")),
    st.tuples(st.none(), st.none()),
    st.tuples(st.just("X"), st.just("N"), st.floats(30, 34), st.floats(110, 114)),
)


@settings(max_examples=40)
@given(
    st.lists(layer, min_size=2, max_size=20),
    sales,
    st.lists(town, min_size=6, max_size=6),
    st.integers(1, 12),
    st.sampled_from([0, None, 300]),
)
def test_no_plan_does_harm(rows, sold, towns, max_lot, least):
    aged, flows = aged_of(*rows), flows_of(*((*pair, n) for pair, n in sold.items()))
    places = dealers_of(**dict(zip(IDS, towns, strict=True)))
    kept = [table.copy() for table in (aged, flows, places)]
    plan = inventory.proposal(aged, flows, places, max_lot=max_lot, min_value=least)
    has = aged.groupby(["dealer_id", "product_id"])["quantity"].sum().to_dict()
    old = (
        aged[aged["age_days"] > 90].groupby(["dealer_id", "product_id"])["quantity"].sum().to_dict()
    )
    need = {pair: max(n, 0) / 2 for pair, n in sold.items()}
    given_, taken = {}, {}
    for row in plan.itertuples():
        giver, taker = (row.from_dealer_id, row.product_id), (row.to_dealer_id, row.product_id)
        assert row.from_dealer_id != row.to_dealer_id
        assert row.quantity == int(row.quantity)
        assert 1 <= row.quantity <= max_lot
        assert row.value >= (least or 0) * (1 + row.step) - 0.01
        assert row.step <= rebalancing.MAX_KM / rebalancing.KM_PER_STEP
        assert math.isnan(row.distance_km) or row.distance_km <= 500
        given_[giver] = given_.get(giver, 0) + row.quantity
        taken[taker] = taken.get(taker, 0) + row.quantity
    for pair, n in given_.items():
        assert n <= old[pair]  # old pieces only, and never more than he has
        assert has[pair] - n >= need.get(pair, 0)  # never what he runs short of himself
    for pair, n in taken.items():
        assert has.get(pair, 0) + n <= need[pair]  # nobody gets what he cannot sell in 45 days
    assert not set(given_) & set(taken)  # no goods are passed through a dealer
    assert not plan.duplicated(["from_dealer_id", "to_dealer_id", "product_id"]).any()
    assert rebalancing.is_sound(plan)
    for table, before in zip((aged, flows, places), kept, strict=True):
        pd.testing.assert_frame_equal(table, before)


@settings(max_examples=12)
@given(
    st.lists(layer, min_size=2, max_size=20),
    sales,
    st.lists(town, min_size=6, max_size=6),
    st.integers(0, 9),
)
def test_the_order_of_rows_is_nothing(rows, sold, towns, seed):
    aged, flows = aged_of(*rows), flows_of(*((*pair, n) for pair, n in sold.items()))
    places = dealers_of(**dict(zip(IDS, towns, strict=True)))
    again = [table.sample(frac=1, random_state=seed) for table in (aged, flows, places)]
    pd.testing.assert_frame_equal(
        inventory.proposal(*again), inventory.proposal(aged, flows, places)
    )


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("quantity", 1.5),
        ("quantity", 0),
        ("quantity", 11),
        ("to_dealer_id", "a"),
        ("from_sold", 30),
        ("to_quantity", 9),
    ],
)
def test_an_unsound_plan_is_seen(column, value):
    aged, flows = (
        aged_of(("a", "p", 120, 20, 10), ("b", "p", 5, 2, 10)),
        flows_of(("a", "p", 6), ("b", "p", 24)),
    )
    plan = inventory.proposal(aged, flows, HERE)
    assert rebalancing.is_sound(plan)
    assert not rebalancing.is_sound(plan.assign(**{column: value}))
    assert not rebalancing.is_sound(pd.concat([plan.assign(quantity=1), plan.assign(quantity=1)]))
    assert rebalancing.is_sound(plan.head(0))


def test_a_larger_network_is_planned_soundly():
    """How long 2,800 dealers take is measured in `tests/benchmarks/move_plan.py`."""
    plan = inventory.proposal(*sleepers.sleeping_stock(700))
    assert len(plan) > 250
    assert rebalancing.is_sound(plan)


# ---- the best plan, where a lot must be worth its way --------------------------------------------


def exact_worth(givers, takers, step, least: float, max_lot: int) -> float:
    """Solve one model's plan by a programme of its own: pieces and choices are whole numbers."""
    have, worth = givers["pieces"].to_numpy(), givers["unit_value"].to_numpy()
    want = takers["pieces"].to_numpy()
    arcs = [(i, j) for i in range(len(have)) for j in range(len(want))]
    most = np.array([min(have[i], want[j], max_lot) for i, j in arcs], float)
    gain = np.array([worth[i] * (1 - rebalancing.WAY_RATE * step[i, j]) for i, j in arcs])
    few = np.array([least * (1 + step[i, j]) / worth[i] for i, j in arcs])
    n = len(arcs)
    rows = []
    rows += [[float(a == i) for a, _ in arcs] + [0.0] * n for i in range(len(have))]
    rows += [[float(b == j) for _, b in arcs] + [0.0] * n for j in range(len(want))]
    one = np.eye(n)
    found = milp(
        np.r_[-gain, np.zeros(n)],
        constraints=[
            LinearConstraint(np.array(rows), ub=np.r_[have, want]),
            LinearConstraint(np.hstack([one, -np.diag(most)]), ub=0),
            LinearConstraint(np.hstack([one, -np.diag(few)]), lb=0),
        ],
        integrality=np.ones(2 * n),
        bounds=Bounds(0, np.r_[most, np.ones(n)]),
    )
    return -found.fun


@pytest.mark.parametrize("seed", range(2))
def test_no_plan_is_better_by_half_a_percent_where_small_lots_are_not_worth_their_way(seed):
    draw = np.random.default_rng(seed)
    layers, sold = [], []
    for k in range(12):
        model = f"p{k:02d}"
        layers += [
            (f"{model}g{i}", model, 200, int(draw.integers(2, 25)), int(draw.integers(20, 90)))
            for i in range(4)
        ]
        for i in range(6):
            layers.append((f"{model}t{i}", "x", 1, 1, 1))
            sold.append((f"{model}t{i}", model, 2 * int(draw.integers(1, 14))))
        sold += [(f"{model}g{i}", model, 0) for i in range(4)]
    ids = sorted({row[0] for row in layers})
    places = dealers_of(**{i: (draw.choice(list("XYZ")), draw.choice(list("NS"))) for i in ids})
    aged, flows = aged_of(*layers), flows_of(*sold)
    plan = inventory.proposal(aged, flows, places, min_value=150)
    assert rebalancing.is_sound(plan)
    givers, takers = rebalancing.supply(aged, flows), rebalancing.demand(aged, flows)
    best, dropped = 0.0, 0.0
    for model, own in givers.groupby("product_id"):
        other = takers[takers["product_id"] == model]
        step, _km = rebalancing._ways(
            own["dealer_id"], other["dealer_id"], rebalancing._places(places)
        )
        best += exact_worth(own, other, step, 150, rebalancing.MAX_LOT)
    worth = (plan["value"] * (1 - rebalancing.WAY_RATE * plan["step"])).sum()
    assert best * 0.995 <= worth <= best * 1.0001
    assert (plan["value"] >= 150 * (1 + plan["step"]) - 0.01).all()
    # dropping the small lots of the corner, as before, is worse in sum
    corner = rebalancing._best_lots
    try:
        rebalancing._best_lots = lambda gain, i, j, have, want, fewest, most: np.where(
            (x := rebalancing._transported(gain, i, j, have, want, 0 * most, most)) >= fewest, x, 0
        )
        old = inventory.proposal(aged, flows, places, min_value=150)
    finally:
        rebalancing._best_lots = corner
    dropped = (old["value"] * (1 - rebalancing.WAY_RATE * old["step"])).sum()
    assert dropped < worth


def test_a_lot_that_leaves_its_region_is_marked_and_told():
    aged = aged_of(("a", "p", 120, 9, 10), ("b", "p", 1, 0.5, 10), ("c", "p", 1, 0.5, 10))
    flows = flows_of(("a", "p", 0), ("b", "p", 7), ("c", "p", 7))
    places = dealers_of(a=("X", "North"), b=("Y", "South"), c=("Z", "North"))
    plan = inventory.proposal(aged, flows, places, min_value=0)
    crosses = plan.set_index("to_dealer_id")["crosses_region"].to_dict()
    assert crosses == {"b": True, "c": False}
    table = inventory.move_table(plan, places, MODELS).set_index("to_dealer_id")
    assert table.loc["b", "reason"].endswith("Leaves the region.")
    assert "region" not in table.loc["c", "reason"]
    said = moves.bottom_line(plan, givers_of(plan, aged, flows, places))
    assert "1 of these lots, worth CNY 30, leaves its region" in said[-1]
    untold = dealers_of(a=("X", "North"), b=("Y", None), c=("Z", "North"))
    blind = inventory.proposal(aged, flows, untold, min_value=0)
    assert not blind["crosses_region"].any()  # of an untold region nothing is said


def test_nothing_goes_where_the_season_ends_and_more_where_it_begins():
    aged = aged_of(("a", "p", 120, 40, 10), ("b", "p", 1, 2, 10))
    flows = flows_of(("a", "p", 0), ("b", "p", 8))
    for coming, pieces in ((1.0, 2), (2.0, 6), (0.7, 0), (0.66, 0)):
        plan = inventory.proposal(aged, flows.assign(coming=coming), HERE, min_value=0)
        assert plan["quantity"].sum() == pieces, coming
        assert rebalancing.is_sound(plan)
    rich = flows.assign(sold_90d=[0.0, 80.0])
    assert not inventory.proposal(aged, rich.assign(coming=0.67), HERE, min_value=0).empty
    assert inventory.proposal(aged, rich.assign(coming=0.66), HERE, min_value=0).empty


# ---- words, figures, the demo --------------------------------------------------------------------


def givers_of(plan, aged, flows, places) -> pd.DataFrame:
    sums = rebalancing.giver_sums(plan, rebalancing.supply(aged, flows))
    return moves.giver_table(sums, plan, places)


@pytest.fixture
def told():
    aged = aged_of(
        ("a", "p", 200, 20, 10), ("a", "q", 200, 3, 10), ("b", "p", 5, 2, 10), ("c", "p", 5, 1, 10)
    )
    flows = flows_of(("a", "p", 0), ("b", "p", 24), ("c", "p", 10))
    places = dealers_of(a=("X", "N"), b=("X", "N"), c=("Y", "N"))
    plan = inventory.proposal(aged, flows, places)
    dead = inventory.named(inventory.dead_stock(aged, flows), places, MODELS)
    return plan, givers_of(plan, aged, flows, places), dead, places


def test_the_sum_per_giver_and_its_words(told):
    plan, givers, _dead, _places = told
    assert givers.to_numpy().tolist() == [["a", "A", "Mei", 230, 140, 2, 2, "B, C"]]
    assert moves.bottom_line(plan, givers) == [
        "CNY 230 sleeps: older than 90 days, and beyond what its dealers sell in 45 days. 2 "
        "small lots (14 pieces from 1 to 2 dealers) would bring CNY 140 of it to where it sells "
        "and runs short."
    ]
    assert moves.bottom_line(plan.head(0), givers)[0].startswith("CNY 230 sleeps")
    assert "No dealer within reach" in moves.bottom_line(plan.head(0), givers)[0]
    assert moves.bottom_line(plan.head(0), givers.head(0)) == []


def test_calls_say_since_when_and_where_to(told):
    plan, _givers, dead, places = told
    (call,) = moves.headlines(dead, plan, places)
    assert call == {
        "place": "call",
        "label": "A",
        "link": "07_inventory_age.html#dealer-a",
        "text": (
            "CNY 230 of Pot, Quilt has lain here for 200 days, and none was sold in 90. "
            "Propose 2 small lots worth CNY 140 to B, C."
        ),
    }
    (alone,) = moves.headlines(dead, plan.head(0), places)
    assert alone["text"].endswith(words.say("rebalancing.keep"))
    assert moves.headlines(dead.head(0), plan, places) == []


def test_the_file_says_who_gives_and_who_takes(told):
    plan, _givers, _dead, places = told
    rows = moves.published(inventory.move_table(plan, places, MODELS))
    columns = ["from_dealer_id", "to_dealer_id", "product_id", "quantity"]
    assert rows[columns].to_numpy().tolist() == plan[columns].to_numpy().tolist()
    for column in (*rows, *moves.GIVERS, *moves.SHOWN):
        assert words.label(column), f"{column} has a name"


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_the_figure_draws_what_moves_and_what_stays(told, language):
    look.use(language, "CNY")
    plan, givers, _dead, _places = told
    ax = inventory.plot_proposal(plan, givers, note="2026")
    assert [bar.get_width() for bar in ax.patches] == [140, 90]
    title = " ".join(text.get_text() for text in ax.figure.texts)
    assert words.say("rebalancing.title", share="61%", asleep=230.0) in title.replace("\n", " ")
    nothing = inventory.plot_proposal(plan.head(0), givers.head(0))
    assert nothing.figure.alt_text == words.say("rebalancing.nothing")


WHY_NO_LOTS = {
    "inventory.no_stock": ([], []),
    "inventory.no_old": ([("d0", "p", 10, 5, 2)], [("d0", "p", 0)]),
    "inventory.dead_unknown": ([("d0", "p", 200, 5, 2)], [("d1", "p", 9)]),
    "inventory.no_cost": ([("d0", "p", 200, 5, None)], [("d0", "p", 0)]),
    "rebalancing.nothing": ([("d0", "p", 200, 5, 2)], [("d0", "p", 20)]),
    "rebalancing.no_taker": ([("d0", "p", 200, 5, 2)], [("d0", "p", 0)]),
}


@pytest.mark.parametrize("why", WHY_NO_LOTS)
def test_why_no_lot_is_proposed_is_what_is_known_of_it(why):
    stock, sold = WHY_NO_LOTS[why]
    aged, flows = aged_of(*stock), flows_of(*sold)
    plan = inventory.proposal(aged, flows, HERE)
    givers = givers_of(plan, aged, flows, HERE)
    said = moves.why_no_lots(aged, flows, givers)
    bottom = moves.bottom_line(plan, givers)
    assert plan.empty and givers.empty is (why != "rebalancing.no_taker")
    assert said == words.say(
        why,
        asleep=10.0,
        old_days=90,
        days=90 if why == "inventory.no_old" else rebalancing.COVER_DAYS,
    )
    assert bottom == ([said] if len(givers) else []), "what the bottom line says is said once"
    figure = inventory.plot_proposal(plan, givers, empty=said).figure
    assert len(givers) or figure.alt_text == said


def test_dead_stock_goes_to_the_planted_dealers_who_run_short(small_demo):
    planted = build.planted(n_dealers=60, n_months=26)
    book = data.workbook(small_demo.path)
    on_hand, flows = data.on_hand(book, "2026-10"), data.flows(book, "2026-10")
    aged, dealers = inventory.aged(on_hand.layers, on_hand.as_of), data.dealers(book)
    plan = inventory.proposal(
        aged, flows, dealers, min_value=0
    )  # in a small network a cheap lot is not worth its way
    region = dealers.set_index("dealer_id")["region"]
    for giver in planted["dead_stock"]:
        takers = [taker for taker in planted["runs_short"] if region[taker] == region[giver]]
        mine = plan[(plan["from_dealer_id"] == giver) & (plan["reason"] == "sold_none")]
        assert takers
        for taker in takers:
            assert mine.loc[mine["to_dealer_id"] == taker, "product_id"].nunique() == 2
    dead = inventory.named(inventory.dead_stock(aged, flows), dealers, data.models(book))
    calls = moves.headlines(dead, plan, dealers)
    names = dealers.set_index("dealer_id").loc[planted["dead_stock"], "dealer_name"]
    assert {call["label"] for call in calls[: len(names)]} == set(names)
    assert all("250 days" in call["text"] for call in calls[: len(names)])
    (overrated,) = planted["overrated_dealer"]
    assert f"07_inventory_age.html#{look.anchor(overrated)}" in {call["link"] for call in calls}
