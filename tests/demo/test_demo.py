"""The demo: it keeps the contract, looks like a real network, and holds what data/README.md says is
planted in it.
"""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from conftest import write_book
from helpers import data, inventory, periods, settings
from helpers.consumers import uplift
from helpers.demo import build, network
from helpers.settings import CHECKOUT as ROOT
from helpers.settings import contract

NOW, BEFORE = "2026-10", "2025-10"
HANDBOOK = pd.read_csv(ROOT / "data" / "reference" / "handbook_formats.csv")
SMALL = {"n_dealers": 60, "n_months": 15}


@pytest.fixture(scope="module")
def tables():
    return build.make_tables()


@pytest.fixture(scope="module")
def truth():
    return build.planted()


@pytest.fixture(scope="module")
def sell_in(tables):
    lines = tables["sell_in"]
    return lines.assign(
        month=lines["date"].dt.strftime("%Y-%m"), gross=lines.eval("revenue - rebate - cost")
    )


@pytest.fixture(scope="module")
def earned(tables):
    rows = tables["dealer_profit"]
    return rows.assign(earned=rows["gross_profit"] + rows["rebate"])


@pytest.fixture(scope="module")
def demo_book(tables, tmp_path_factory) -> settings.Workbook:
    folder = tmp_path_factory.mktemp("promotions")
    (folder / "data" / "demo").mkdir(parents=True)
    for name in ("sell_out", "promotions", "contacts", "dealers"):
        tables[name].to_parquet(folder / "data" / "demo" / f"{name}.parquet", index=False)
    sources = "".join(
        f'[data.{name}]\nsource = "data/demo/{name}.parquet"\n'
        for name in ("sell_out", "promotions", "contacts", "dealers")
    )
    toml = f'[workbook]\nname = "demo"\nbrand = "{build.BRAND}"\ncurrency = "CNY"\n{sources}'
    (folder / "workbook.toml").write_text(toml, encoding="utf-8")
    return settings.workbook(folder)


def year_to(rows: pd.DataFrame, last: str) -> pd.DataFrame:
    return rows[(rows["month"] > f"{int(last[:4]) - 1}{last[4:]}") & (rows["month"] <= last)]


def letters(values: pd.Series) -> pd.Series:
    """Classes by count quota 20/40/40, best first."""
    ahead = (values.rank(ascending=False, method="min") - 1) / len(values)
    return pd.Series(np.select([ahead < 0.2, ahead < 0.6], ["A", "B"], "C"), index=values.index)


def codes(tables, sell_in, earned, last: str) -> pd.Series:
    """Letters for payments, gross profit and our share of the dealer's profit."""
    payments = tables["payments"].assign(month=tables["payments"]["date"].dt.strftime("%Y-%m"))
    ours = (
        year_to(earned[earned["brand"] == build.BRAND], last).groupby("dealer_id")["earned"].sum()
    )
    table = pd.DataFrame(
        {
            "scale": year_to(payments, last).groupby("dealer_id")["amount"].sum(),
            "gross": year_to(sell_in, last).groupby("dealer_id")["gross"].sum(),
            "share": ours / year_to(earned, last).groupby("dealer_id")["earned"].sum(),
        }
    ).dropna()
    return table.apply(letters).sum(axis=1)


# ---- contract ------------------------------------------------------------------------------------


def assert_keeps_contract(tables):
    assert set(tables) == set(contract()) - {"overrides"}
    for name, table in tables.items():
        columns = contract()[name]
        open_ended = columns.get("*")
        assert set(columns) - {"*"} <= set(table.columns), name
        for column in table.columns:
            kind = columns[column].kind if column in columns else open_ended.kind
            values = table[column]
            if kind in ("number", "money"):
                assert pd.api.types.is_numeric_dtype(values), (name, column)
            elif kind == "date":
                assert pd.api.types.is_datetime64_dtype(values), (name, column)
            else:
                assert isinstance(values.dtype, pd.StringDtype), (name, column)
            if kind == "month":
                assert values.str.fullmatch(r"\d{4}-\d{2}").all()
            if kind == "money":
                assert np.allclose(values, values.round(2), rtol=0, atol=1e-9)
            if (
                column in columns
                and columns[column].required
                and (name, column) != ("sell_in", "dealer_id")
            ):
                assert values.notna().all(), (name, column)
        if key := [column for column, facts in columns.items() if facts.key]:
            assert not table.duplicated(key).any(), name
        assert len(table)


def test_keeps_the_contract(tables):
    assert_keeps_contract(tables)


def test_ids_are_known(tables, truth):
    known = {
        f"{table[:-1]}_id": set(tables[table][f"{table[:-1]}_id"])
        for table in ("dealers", "products", "consumers")
    }
    known["dealer_id"] |= set(truth["unknown_dealers"])
    known["to_dealer_id"] = known["dealer_id"]
    for name, table in tables.items():
        for column in set(known) & set(table.columns):
            assert set(table[column].dropna()) <= known[column], (name, column)


def test_same_seed_same_tables():
    first, again, other = (build.make_tables(seed=seed, **SMALL) for seed in (1, 1, 2))
    for name in first:
        assert_frame_equal(first[name], again[name])
    for name in ("dealers", "sell_in", "payments", "dealer_profit", "stock", "sell_out", "scores"):
        assert not first[name].equals(other[name]), name


@pytest.mark.parametrize("seed", range(3))
def test_small_network_has_everything(seed):
    small, truth = build.make_tables(seed=seed, **SMALL), build.planted(seed=seed, **SMALL)
    assert_keeps_contract(small)
    assert all(len(truth[name]) >= 2 for name in [*network.PLANTED, "runs_short", "white_spots"])
    assert small["sell_in"]["date"].dt.strftime("%Y-%m").nunique() == 15
    by_month = small["sell_in"].assign(month=small["sell_in"]["date"].dt.strftime("%Y-%m"))
    by_month = by_month.pivot_table(
        index="dealer_id", columns="month", values="revenue", aggfunc="sum", fill_value=0
    )
    change = by_month.loc[:, "2025-11":].mean(axis=1) / by_month["2025-08"]
    assert change[truth["fallen"]].max() < 0.1
    assert change[truth["risen"]].min() > 10
    assert by_month.loc[truth["lost"], "2025-11":].to_numpy().sum() == 0
    assert by_month.loc[truth["joined"], :"2025-10"].to_numpy().sum() == 0
    stock = small["stock"][small["stock"]["received_date"] < "2026-03-01"]
    assert set(truth["dead_stock"]) <= set(stock.loc[stock["quantity"] >= 10, "dealer_id"])
    paid = small["payments"][small["payments"]["date"] > "2026-07-14"]
    assert not set(truth["stopped_paying"]) & set(paid["dealer_id"])


def test_too_small_says_what_it_needs():
    with pytest.raises(
        ValueError, match="59 dealers and 30 months; give at least 60 dealers and 15 months"
    ):
        build.make_tables(n_dealers=59)


def test_folder_is_swapped_whole(tmp_path):
    folder = tmp_path / "demo"
    build.make_demo(folder, seed=1, **SMALL)
    (folder / "old.parquet").write_bytes(b"")
    tables = build.make_demo(folder, seed=2, **SMALL)
    assert {path.stem for path in folder.iterdir()} == set(tables)
    assert [path.name for path in tmp_path.iterdir()] == ["demo"], "nothing is left beside it"
    for name, table in tables.items():
        assert_frame_equal(pd.read_parquet(folder / f"{name}.parquet"), table)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"also holds 'notes.txt'"):
        build.make_demo(folder, **SMALL)
    assert (folder / "notes.txt").exists()


# ---- what it looks like --------------------------------------------------------------------------


def test_volumes_and_mess(tables, truth):
    lines = tables["sell_in"]
    assert 150_000 <= len(lines) <= 300_000
    assert len(tables["stock_moves"]) <= 400_000
    assert 100_000 <= len(tables["sell_out"]) <= 140_000
    assert len(tables["consumers"]) == 12_000
    assert 0.0005 < lines["dealer_id"].isna().mean() < 0.002
    assert set(truth["unknown_dealers"]) <= set(lines["dealer_id"]) - set(
        tables["dealers"]["dealer_id"]
    )
    assert 0.005 < (lines["revenue"] < 0).mean() < 0.015
    assert set(lines["brand"]) == {build.BRAND}
    assert 0.69 < tables["consumers"]["age_band"].notna().mean() < 0.71


def test_names_are_unique_twins(tables):
    dealers, products, regions = tables["dealers"], tables["products"], tables["regions"]
    for table, column in ((dealers, "dealer_name"), (products, "product_name"), (regions, "city")):
        for name in (table[column], table[f"{column}_en"]):
            assert name.is_unique
            assert name.notna().all()
        assert table[f"{column}_en"].str.isascii().all()
    assert dealers["dealer_group"].value_counts().ge(2).all()
    assert dealers["account_manager"].nunique() == 8


def test_formats_follow_the_handbook(tables):
    dealers = tables["dealers"][tables["dealers"]["customer_type"] == "channel"]
    by_floor = pd.cut(dealers["floor_area_m2"], [1000, 2500, 5000, 7000], right=False)
    by_floor = by_floor.cat.rename_categories(
        ["supermarket", "hypermarket", "department_store"]
    ).astype("str")
    found = dealers.assign(found=dealers["store_format"].fillna(by_floor)).groupby("area_type")[
        "found"
    ]
    found = found.value_counts(normalize=True)
    for area_type, rows in HANDBOOK.groupby("area_type"):
        for row, share in zip(rows.itertuples(), rows["share"] / rows["share"].sum(), strict=True):
            assert found[area_type, row.store_format] == pytest.approx(share, abs=0.02)
    assert 0.03 < dealers["store_format"].isna().mean() < 0.07
    neither = tables["dealers"][["store_format", "floor_area_m2"]].isna().all(axis=1)
    assert neither.sum() == 12
    limits = {"department_store": 5000, "supermarket": 1000}
    assert (dealers["floor_area_m2"] >= dealers["store_format"].map(limits).fillna(0)).all()


@pytest.mark.parametrize("seed", [build.SEED, 7])
def test_best_fifth_carries_three_quarters(seed, tables):
    lines = (tables if seed == build.SEED else build.make_tables(seed=seed))["sell_in"]
    revenue = (
        lines[lines["date"] >= "2025-11-01"]
        .groupby("dealer_id")["revenue"]
        .sum()
        .sort_values(ascending=False)
    )
    assert 0.72 <= revenue.head(round(0.2 * len(revenue))).sum() / revenue.sum() <= 0.76


def test_seasons(tables, sell_in):
    lines = sell_in.merge(tables["products"][["product_id", "category"]])
    lines = lines[lines["month"] > "2024-10"].assign(number=lambda rows: rows["date"].dt.month)
    by_month = lines.pivot_table(
        index="category", columns="number", values="revenue", aggfunc="sum"
    )
    assert set(by_month.loc["air_conditioner"].nlargest(4).index) <= {4, 5, 6, 7}
    assert set(by_month.loc["refrigerator"].nlargest(3).index) <= {5, 6, 7, 8}
    assert set(by_month.loc["water_heater"].nlargest(3).index) == {10, 11, 12}
    assert set(by_month.loc["television"].nlargest(3).index) <= {1, 10, 11, 12}


def test_rhythms_differ(sell_in):
    by_month = sell_in.pivot_table(
        index="dealer_id", columns="month", values="revenue", aggfunc="sum", fill_value=0
    )
    variation = by_month.std(axis=1) / by_month.mean(axis=1)
    assert (variation < 0.4).mean() > 0.2
    assert (variation > 1).mean() > 0.1


def test_elasticities(tables, truth, sell_in):
    odd = set().union(
        *(
            truth[name]
            for name in ("fallen", "risen", "joined", "won_back", "dead_stock", "runs_short")
        )
    )
    people = tables["regions"].set_index("city")["population"]
    dealers = tables["dealers"].dropna(subset=["store_format", "floor_area_m2"])
    revenue = year_to(sell_in, NOW).groupby("dealer_id")["revenue"].sum()
    dealers = dealers[dealers["dealer_id"].isin(set(revenue[revenue > 0].index) - odd)]
    known = [np.log(dealers["floor_area_m2"]), np.log(dealers["city"].map(people))]
    known = np.column_stack([*known, pd.get_dummies(dealers["store_format"], dtype=float)])
    area, population, *_ = np.linalg.lstsq(
        known, np.log(dealers["dealer_id"].map(revenue)), rcond=None
    )[0]
    assert area == pytest.approx(network.AREA_ELASTICITY, abs=0.1)
    assert population == pytest.approx(network.POPULATION_ELASTICITY, abs=0.1)


# ---- what is planted -----------------------------------------------------------------------------


def test_planted_dealers_are_disjoint(truth):
    names = [*network.PLANTED, "runs_short"]
    assert all(3 <= len(truth[name]) <= 10 for name in names)
    assert sum(len(truth[name]) for name in names) == len(
        set().union(*(truth[name] for name in names))
    )


def test_fallen_and_risen(tables, truth, sell_in, earned):
    before, now = (codes(tables, sell_in, earned, last) for last in (BEFORE, NOW))
    assert set(before[truth["fallen"]]) == set(now[truth["risen"]]) == {"AAA"}
    assert set(now[truth["fallen"]]) == set(before[truth["risen"]]) == {"CCC"}


def test_big_but_thin_and_small_but_rich(tables, truth, sell_in, earned):
    now = codes(tables, sell_in, earned, NOW)
    assert all(code[0] == "A" and code[1] in "BC" for code in now[truth["big_but_thin"]])
    assert all(code[:2] == "BA" for code in now[truth["small_but_rich"]])
    year = year_to(sell_in, NOW).groupby("dealer_id")[["gross", "revenue"]].sum()
    margin = year["gross"] / year["revenue"]
    assert margin[truth["big_but_thin"]].max() < 0.06
    assert margin[truth["small_but_rich"]].min() > 0.34
    assert 0.19 < margin.median() < 0.22


def test_network_history(truth, sell_in):
    sell_in = sell_in[~sell_in["dealer_id"].isin(truth["unknown_dealers"])]
    now, before = (set(year_to(sell_in, last)["dealer_id"].dropna()) for last in (NOW, BEFORE))
    early = set(sell_in.loc[sell_in["month"] <= "2024-10", "dealer_id"].dropna())
    assert now - before - early == set(truth["joined"])
    assert before - now == set(truth["lost"])
    assert (now & early) - before == set(truth["won_back"])


def test_white_spots(tables, truth):
    empty = tables["regions"][~tables["regions"]["city"].isin(tables["dealers"]["city"])]
    assert set(empty["city"]) == set(truth["white_spots"])
    assert (empty["population"] > 0).all()
    large = empty.loc[empty["population"].idxmax()]
    assert large["city"] == truth["white_spots"][0]
    assert large["population"] > tables["regions"]["population"].quantile(0.8)


def test_stopped_paying(tables, truth, sell_in):
    late = "2026-07-14"
    bought = (
        sell_in[(sell_in["date"] > late) & ~sell_in["dealer_id"].isin(truth["unknown_dealers"])]
        .groupby("dealer_id")["revenue"]
        .sum()
    )
    paid = (
        tables["payments"][tables["payments"]["date"] > late].groupby("dealer_id")["amount"].sum()
    )
    large = bought[bought > 50_000].index.difference(truth["joined"])
    silent = ("stopped_paying", "never_paid", "quarterly_stopped")
    assert set(large.difference(paid.index)) == {d for name in silent for d in truth[name]}
    year = year_to(sell_in, NOW).groupby("dealer_id")["revenue"].sum().sum()
    rate = tables["payments"].query("date >= '2025-11-01'")["amount"].sum() / year
    assert 0.9 < rate < 1


def test_dead_stock(tables, truth):
    stock = tables["stock"]
    last = stock[stock["snapshot_date"] == "2026-10-31"]
    value, age = (
        last["quantity"] * last["unit_cost"],
        (last["snapshot_date"] - last["received_date"]).dt.days,
    )
    dead = value.where(age > 180, 0).groupby(last["dealer_id"]).sum()
    share = dead / value.groupby(last["dealer_id"]).sum()
    assert set(dead.nlargest(len(truth["dead_stock"])).index) == set(truth["dead_stock"])
    assert share[truth["dead_stock"]].min() > 0.5
    assert share.drop(truth["dead_stock"]).max() < 0.45


def test_the_stuffed_buy_twice_what_they_sell_and_sell_in_does_not_know_it(tables, truth):
    moves = tables["stock_moves"]
    late = moves[(moves["date"] >= "2026-07-01") & moves["dealer_id"].isin(truth["stuffed"])]
    sums = late.pivot_table(index="dealer_id", columns="kind", values="quantity", aggfunc="sum")
    assert "return" not in sums
    ratio = sums["receipt"] / sums["sale"]
    assert len(ratio) == 4 and ratio.between(1.7, 2.6).all()
    others = set(itertools.chain(*(truth[name] for name in [*network.PLANTED, *network.OWING])))
    assert not set(truth["stuffed"]) & others
    # a count is what came less what went: nothing is lost
    there = tables["stock"]
    last = there[there["snapshot_date"] == there["snapshot_date"].max()]
    counted = last.groupby("dealer_id")["quantity"].sum()
    sign = moves["kind"].map({"opening": 1, "receipt": 1, "return": 1, "sale": -1, "transfer": -1})
    left = (moves["quantity"] * sign).groupby(moves["dealer_id"]).sum()
    came = moves[moves["kind"] == "transfer"].groupby("to_dealer_id")["quantity"].sum()
    left = left.add(came, fill_value=0)
    assert (left[truth["stuffed"]] == counted[truth["stuffed"]]).all()


def test_the_page_finds_the_stuffed_first(tables, truth, tmp_path):
    names = ("dealers", "products", "sell_in", "stock", "stock_moves")
    path = write_book(tmp_path, {name: tables[name] for name in names}, brand=build.BRAND)
    pressed = inventory.pressure(data.channel(settings.workbook(path), NOW))
    found = pressed[pressed["status"] == "stuffed"]
    assert set(found.nlargest(4, "excess_low")["dealer_id"]) == set(truth["stuffed"])
    four = pressed.set_index("dealer_id").loc[truth["stuffed"]]
    assert four["sell_in_ratio"].between(1.6, 2.2).all()
    assert (four["lasts_days"] > 200).all() and (four["usual_lasts_days"] < 60).all()
    # besides them only dealers whose orders are uneven or erratic, one in thirty of all; and whom
    # an earlier month's orders told, as long as more lies there than usual
    by_orders = ~found["stuffed_month"].str.len().gt(0)
    assert by_orders.sum() - 4 <= len(pressed) / 30
    earlier = found[~by_orders]
    assert (earlier["stuffed_month"] >= periods.shift(NOW, -3)).all()
    assert (earlier["excess_value"] > 0).all() and len(earlier) <= len(pressed) / 60


def test_runs_short_where_others_have_too_much(tables, truth):
    region = tables["dealers"].set_index("dealer_id")["region"]
    stock, moves = tables["stock"], tables["stock_moves"]
    age = (stock["snapshot_date"] - stock["received_date"]).dt.days
    old = stock[
        (stock["snapshot_date"] == "2026-10-31")
        & (age > 180)
        & stock["dealer_id"].isin(truth["dead_stock"])
    ]
    dead = old[old["quantity"] >= 20].groupby("dealer_id")["product_id"].agg(list)
    assert set(dead.map(len)) == {2}
    sold = moves[(moves["kind"] == "sale") & (moves["date"] > "2026-08-02")]
    sold = sold.groupby(["dealer_id", "product_id"])["quantity"].sum()
    kept = stock.groupby(["dealer_id", "product_id", "snapshot_date"])["quantity"].sum()
    for dealer, models in dead.items():
        takers = [taker for taker in truth["runs_short"] if region[taker] == region[dealer]]
        assert len(takers) == 2
        for taker, model in itertools.product(takers, models):
            assert sold[taker, model] >= 20
            assert kept[taker, model, "2026-10-31"] <= 4


def test_earn_less_with_us(truth, earned):
    year = year_to(earned, NOW).groupby(["dealer_id", "brand"])
    year = year.agg(
        {"earned": "sum", "revenue": "sum", "average_stock_value": "mean", "shelf_area_m2": "mean"}
    )
    for base, lead in (("revenue", 0.03), ("average_stock_value", 0.5), ("shelf_area_m2", 50)):
        ratio = year.assign(ratio=year["earned"] / year[base])
        ratio = ratio.pivot_table(index="dealer_id", columns="brand", values="ratio")
        behind = ratio[list(build.RIVALS)].max(axis=1) - ratio[build.BRAND]
        assert behind[truth["earn_less_with_us"]].min() > lead
        rivalled = ratio[ratio.notna().sum(axis=1) > 1].dropna(subset=[build.BRAND])
        assert (rivalled.rank(axis=1, ascending=False)[build.BRAND] <= 2).mean() > 0.75


def test_frequent_orders_and_short_cover_earn_more(truth, sell_in, earned):
    year, odd = year_to(earned, NOW), set().union(*(truth[name] for name in network.PLANTED))
    sums = year[~year["dealer_id"].isin(odd)].groupby("dealer_id")
    sums = sums[["gross_profit", "revenue", "average_stock_value"]].sum()
    orders = year_to(sell_in[sell_in["revenue"] > 0], NOW).groupby("dealer_id")["date"].nunique()
    habits = pd.DataFrame(
        {
            "gap": np.log(365 / orders),
            "cover": np.log(sums["average_stock_value"] / (sums["revenue"] - sums["gross_profit"])),
        }
    ).dropna()
    habits = (habits - habits.mean()) / habits.std()
    margin = (sums["gross_profit"] / sums["revenue"])[habits.index]
    _, gap, cover = np.linalg.lstsq(
        np.column_stack([np.ones(len(habits)), habits]), margin, rcond=None
    )[0]
    assert gap == pytest.approx(-network.RARE_ORDERS, abs=0.002)
    assert cover == pytest.approx(-network.LONG_COVER, abs=0.002)


def test_margins_slip(truth, earned):
    sums = earned.pivot_table(
        index="dealer_id", columns="month", values=["earned", "revenue"], aggfunc="sum"
    )
    margin = sums["earned"] / sums["revenue"]
    change = margin.iloc[:, -3:].mean(axis=1) - margin.iloc[:, -15:-12].mean(axis=1)
    assert change[truth["margin_slips"]].max() < -0.045
    assert change.drop(truth["margin_slips"]).min() > -0.045
    assert -0.02 < (margin["2026-10"] - margin["2024-05"]).mean() < -0.01


SIGNS = {"opening": 1, "receipt": 1, "return": 1, "transfer": -1, "sale": -1}


def reckoned(moves: pd.DataFrame, dealer: str, product: str, day: pd.Timestamp) -> dict:
    """Layers left of one model at one dealer: whatever left was taken from the oldest arrivals.

    No transfers in.
    """
    rows = moves[
        (moves["dealer_id"] == dealer) & (moves["product_id"] == product) & (moves["date"] <= day)
    ]
    coming = rows["kind"].isin(["opening", "receipt"]) & (rows["quantity"] > 0)
    left, layers = -(rows["quantity"] * rows["kind"].map(SIGNS).astype("int64"))[~coming].sum(), {}
    for date, quantity in rows[coming].groupby("date")["quantity"].sum().items():
        taken = min(left, quantity)
        left -= taken
        if quantity > taken:
            layers[date] = quantity - taken
    assert left == 0, "more left than came"
    return layers


def test_stock_is_what_the_moves_leave(tables):
    moves, stock = tables["stock_moves"], tables["stock"]
    assert set(moves.loc[moves["quantity"] <= 0, "kind"]) == {"receipt"}, "goods sent back to us"
    given = set(
        zip(
            *moves.loc[moves["kind"] == "transfer", ["to_dealer_id", "product_id"]].T.to_numpy(),
            strict=True,
        )
    )
    pairs = moves[["dealer_id", "product_id"]].drop_duplicates().sample(60, random_state=1)
    days = sorted(stock["snapshot_date"].unique())
    assert len(days) == 6
    checked = 0
    for pair in pairs.itertuples(index=False):
        for day in (days[0], days[-1]) if tuple(pair) not in given else ():
            here = stock[
                (stock["dealer_id"] == pair.dealer_id) & (stock["product_id"] == pair.product_id)
            ]
            here = (
                here[here["snapshot_date"] == day].set_index("received_date")["quantity"].to_dict()
            )
            assert here == reckoned(moves, *pair, day)
            checked += 1
    assert checked > 80


def test_transfers_keep_the_age_and_lose_nothing(tables):
    moves, stock = tables["stock_moves"], tables["stock"]
    transfers = moves[moves["kind"] == "transfer"]
    assert transfers["to_dealer_id"].notna().all()
    assert (transfers["to_dealer_id"] != transfers["dealer_id"]).all()
    sign = moves["kind"].map(SIGNS | {"transfer": 0})
    counted = stock[stock["snapshot_date"] == "2026-10-31"]
    assert (moves["quantity"] * sign).sum() == counted["quantity"].sum()
    arrived = moves[moves["kind"].isin(["opening", "receipt"])][["dealer_id", "product_id", "date"]]
    arrived = arrived.rename(columns={"date": "received_date"}).drop_duplicates()
    layers = counted.merge(arrived, how="left", indicator="origin")
    strange = layers.loc[layers["origin"] == "left_only", "dealer_id"]
    assert set(strange) <= set(transfers["to_dealer_id"]), (
        "only a transfer brings an age from elsewhere"
    )
    assert len(strange)


def test_consumers_bring_a_few_pieces_back(tables):
    moves = tables["stock_moves"]
    pieces = moves.groupby("kind")["quantity"].sum()
    assert 0.004 < pieces["return"] / pieces["sale"] < 0.006
    back = moves[moves["kind"] == "return"].groupby(["dealer_id", "product_id"])["quantity"].sum()
    sold = moves[moves["kind"] == "sale"].groupby(["dealer_id", "product_id"])["quantity"].sum()
    assert (back <= sold.reindex(back.index)).all(), "nothing comes back that was not sold"


# ---- consumers -----------------------------------------------------------------------------------


def consumer_features(tables, truth) -> tuple[pd.DataFrame, pd.Series]:
    lines = tables["sell_out"].query("amount > 0 and consumer_id.notna()")
    lines = lines.assign(
        summer=lines["date"].dt.month.isin([5, 6, 7]), used=lines["promotion_id"].notna()
    )
    own = lines.groupby("consumer_id").agg(
        visits=("date", "nunique"),
        n=("date", "size"),
        listed=("list_amount", "sum"),
        amount=("amount", "sum"),
        pieces=("quantity", "sum"),
        summer=("summer", "mean"),
        used=("used", "mean"),
    )
    features = pd.DataFrame(
        {
            "visits": np.log(own["visits"]),
            "lines": np.log(own["n"] / own["visits"]),
            "price": np.log(own["listed"] / own["pieces"]),
            "discount": 1 - own["amount"] / own["listed"],
            "used": own["used"],
            "summer": own["summer"],
        }
    )
    groups = pd.Series(
        {i: name for name, ids in truth.items() if name.startswith("consumers_") for i in ids}
    )
    return (features - features.mean()) / features.std(), groups[features.index]


def test_consumer_groups_can_be_found(tables, truth):
    features, groups = consumer_features(tables, truth)
    assert len(features) == 12_000
    centres = features.groupby(groups).mean()
    spread = np.sqrt(
        features.groupby(groups).var().mul(groups.value_counts(normalize=True), axis=0).sum()
    )
    pairs = itertools.combinations(centres.index, 2)
    distances = [np.linalg.norm((centres.loc[a] - centres.loc[b]) / spread) for a, b in pairs]
    assert min(distances) > 4
    found = KMeans(4, n_init=4, random_state=0).fit_predict(features)
    assert adjusted_rand_score(groups, found) > 0.9


def test_ids_do_not_tell_the_group(truth):
    number = {
        group: np.mean([int(i[1:]) for i in ids])
        for group, ids in truth.items()
        if group.startswith("consumers_")
    }
    assert len(number) == 4
    assert all(5700 < mean < 6300 for mean in number.values())


def test_response_by_group_and_kind(tables, truth):
    names = [name for name in truth if name.startswith("consumers_")]
    groups = pd.concat(
        [pd.Series(name.removeprefix("consumers_"), index=truth[name]) for name in names]
    )
    contacts = tables["contacts"].merge(tables["promotions"], on="promotion_id")
    contacts["group"] = groups[contacts["consumer_id"]].to_numpy()
    rate = contacts["responded_date"].notna().groupby([contacts["group"], contacts["kind"]]).mean()
    assert rate["bargain_hunters", "discount"] == pytest.approx(0.18, abs=0.03)
    assert rate["loyal_premium", "event"] == pytest.approx(0.15, abs=0.04)
    assert rate["first_home_buyers"].max() < 0.04
    came = contacts.dropna(subset=["responded_date"])
    assert came["responded_date"].between(came["start_date"], came["end_date"]).all()
    idle = came["promotion_id"].isin(truth["promotion_without_effect"])
    bought = tables["sell_out"][["consumer_id", "promotion_id"]].dropna().drop_duplicates()
    assert len(came[~idle].merge(bought)) == (~idle).sum(), "who came also bought"
    days = tables["sell_out"][["consumer_id", "date"]].rename(columns={"date": "responded_date"})
    anyway = came[idle].merge(days.drop_duplicates())
    assert len(anyway) == idle.sum() > 10, "who came to the idle one had bought there anyway"
    assert contacts.groupby("promotion_id")["consumer_id"].nunique().eq(1200).all(), (
        "a tenth; the others are control"
    )


def test_contacts_win_more_than_the_control(tables):
    contacted = pd.MultiIndex.from_frame(tables["contacts"][["consumer_id", "promotion_id"]])
    bought = tables["sell_out"].dropna(subset=["consumer_id", "promotion_id"])[
        ["consumer_id", "promotion_id"]
    ]
    bought = pd.MultiIndex.from_frame(bought.drop_duplicates())
    with_contact = bought.isin(contacted).sum() / len(contacted)
    n_others = len(tables["consumers"]) * len(tables["promotions"]) - len(contacted)
    assert 0.05 < with_contact - (~bought.isin(contacted)).sum() / n_others < 0.09


def test_a_promotion_did_nothing_and_the_page_finds_which(demo_book, truth):
    plans, arms = data.promotion_plans(demo_book, NOW), data.promotion_arms(demo_book, NOW)
    found = uplift.uplift_table(plans, arms).set_index("promotion_id")
    (idle,) = truth["promotion_without_effect"]
    assert found.loc[idle, "verdict"] == "nothing_seen" and found.loc[idle, "contacted_rate"] > 0.01
    assert found.loc[idle, "buyers_low"] < 0 < found.loc[idle, "buyers_high"] < 0.03
    others = found.drop(index=idle)
    assert others["method"].eq("random").all() and (others["verdict"] == "more").sum() == 20
    assert not others["verdict"].isin(["less", "placebo"]).any()


# ---- workshop ------------------------------------------------------------------------------------


def test_scores(tables, truth):
    scores = tables["scores"]
    people = scores.groupby("session")["participant"].nunique()
    assert people.between(9, 14).all()
    assert len(people) == 3
    assert scores["score"].between(0, 10).all()
    factors = scores[(scores["kind"] == "factor") & scores["dealer_id"].isna()]
    factors = factors.pivot_table(index="item_id", columns="brand", values="score")
    lead = factors[build.BRAND] - factors[build.RIVALS[0]]
    assert list(factors.index) == [f"f{i:02d}" for i in range(1, 16)]
    assert lead[truth["trailing_factors"]].max() < -1
    assert lead.drop(truth["trailing_factors"]).min() > 0.2
    needs = scores[scores["kind"] == "need"].pivot_table(
        index="item_id", columns="aspect", values="score"
    )
    gap = needs["importance"] - needs["performance"]
    assert set(gap.nlargest(2).index) == {"profit", "quick"}
    assert scores.loc[scores["kind"] == "self", "item_id"].nunique() == 12


def test_people_praise_stock_that_is_old(tables, truth):
    scores, (dealer,) = tables["scores"], truth["overrated_dealer"]
    own = scores[scores["dealer_id"] == dealer]
    assert set(scores["dealer_id"].dropna()) == {dealer}
    assert (set(own["session"]), set(own["kind"]), set(own["brand"])) == (
        {"W2", "W3"},
        {"factor"},
        {build.BRAND},
    )
    assert own.groupby(["session", "item_id"])["participant"].nunique().tolist() == [6] * 30
    median = own.pivot_table(index="item_id", columns="session", values="score", aggfunc="median")
    assert (median.loc["f07"] >= 8).all()
    assert median.loc["f08", "W2"] < 5.6 < 7 <= median.loc["f08", "W3"], (
        "he learns to order small frequent lots"
    )
    usual = median.drop(["f07", "f08"]).to_numpy()
    assert usual.min() >= 5.5 and usual.max() <= 7.5
    stock = tables["stock"][tables["stock"]["snapshot_date"] == "2026-10-31"]
    value, age = (
        stock["quantity"] * stock["unit_cost"],
        (stock["snapshot_date"] - stock["received_date"]).dt.days,
    )
    mean = (value * age).groupby(stock["dealer_id"]).sum() / value.groupby(stock["dealer_id"]).sum()
    assert mean.rank(pct=True)[dealer] > 0.98
    assert dealer in truth["dead_stock"]


def test_one_comparer_is_inconsistent(tables, truth):
    ratios = {}
    for participant, rows in tables["comparisons"].groupby("participant"):
        matrix = np.eye(7)
        for row in rows.itertuples():
            a, b = int(row.item_a[1]) - 1, int(row.item_b[1]) - 1
            matrix[a, b], matrix[b, a] = row.ratio, 1 / row.ratio
        # Saaty's random index for seven
        ratios[participant] = (np.linalg.eigvals(matrix).real.max() - 7) / 6 / 1.32
    assert len(ratios) == 5
    assert [participant for participant, ratio in ratios.items() if ratio >= 0.1] == truth[
        "inconsistent_participant"
    ]


# ---- the month's result --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def split(tables, tmp_path_factory):
    """Split the change of the year to date by category, in millions."""
    given = {name: tables[name] for name in ("products", "sell_in")}
    book = settings.workbook(write_book(tmp_path_factory.mktemp("split"), given, build.BRAND))
    rows = data.bridge(book, NOW, "year_to_date", ("category",)).set_index("category")
    return rows / 1e8


def test_the_bridge_names_the_price_cut(split, tables, truth):
    price = split["price"]
    assert price["television"] == pytest.approx(-4.7, abs=0.1)
    assert price.drop("television").abs().max() < 0.001
    assert split["profit_price"]["television"] == price["television"]
    models = tables["products"].set_index("product_id").loc[truth["price_cut"]]
    assert set(models["category"]) == {"television"} and set(models["brand"]) == {build.BRAND}


def test_the_bridge_names_the_mix_shift(split):
    mix = split["mix"]
    assert mix["washing_machine"] == mix.min() == pytest.approx(-3.3, abs=0.1)
    shares = (mix / split["revenue_base"]).sort_values()
    assert shares.index[0] == "washing_machine"
    assert shares.iloc[0] == pytest.approx(-0.044, abs=0.002)
    assert shares.iloc[1] > shares.iloc[0] / 2


def test_levels_of_targets_agree(tables):
    rows = tables["targets"]
    sums = rows[["revenue", "gross_profit", "payments"]].groupby(rows["month"]).sum()
    own = rows[rows[["region", "account_manager", "dealer_id"]].isna().all(axis=1)]
    own = own.set_index("month")[list(sums.columns)]
    assert len(own) == 12
    assert_frame_equal(sums, 3 * own)


# ---- codebook ------------------------------------------------------------------------------------


def test_codebook_covers_the_contract_exactly():
    text = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    for name, columns in contract().items():
        section = re.search(rf"^### {name}\n(.*?)(?=^##)", text, re.M | re.S).group(1)
        rows = re.findall(r"^\| `(\S+)`(\*?) \| (.+?) \| (.*?) \| (.+?) \|$", section, re.M)
        assert [row[0] for row in rows] == list(columns), name
        for column, star, meaning, unit, source in rows:
            assert (star == "*") == columns[column].required, (name, column)
            assert unit.strip() == columns[column].unit, (name, column)
            assert len(meaning.split()) > 1
            assert source.strip()


def test_codebook_names_every_truth(truth):
    text = (
        (ROOT / "data" / "README.md")
        .read_text(encoding="utf-8")
        .split("## What is planted in the demo")[1]
    )
    for name in truth:
        assert f"`{name}`" in text, name
