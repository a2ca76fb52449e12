"""Features of dealers, consumers and groups, against the same figures in plain pandas from the raw
files.
"""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

from conftest import BRAND, RIVALS, write_book
from helpers import data, periods, settings
from helpers.data import consumer_habits, dealer_habits, sell_out
from helpers.settings import DataError

PERIOD = "2026-10"
START, END = pd.Timestamp("2025-11-01"), pd.Timestamp("2026-10-31")
N_MONTHS = 26  # of the small demo


# ---- the twin: plain pandas ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def raw(small_demo) -> dict[str, pd.DataFrame]:
    return {
        name: pd.read_parquet(small_demo.folder / "data" / "demo" / f"{name}.parquet")
        for name in small_demo.tables
    }


def window(rows: pd.DataFrame, column: str = "date") -> pd.DataFrame:
    return rows[rows[column].between(START, END)]


@pytest.fixture(scope="module")
def lines(raw) -> pd.DataFrame:
    rows = raw["sell_out"].merge(raw["products"][["product_id", "category", "brand"]], how="left")
    return rows.assign(bought=rows["amount"] > 0)


def tiers(rows: pd.DataFrame) -> pd.Series:
    rows = rows[rows["bought"] & (rows["quantity"] > 0) & (rows["quantity"] <= 100)]
    price = rows["amount"] / rows["quantity"]
    return price / price.groupby(rows["category"]).transform("median")


@pytest.fixture(scope="module")
def dealers(small_demo) -> pd.DataFrame:
    return data.dealer_features(small_demo, PERIOD).set_index("dealer_id")


@pytest.fixture(scope="module")
def consumers(small_demo) -> pd.DataFrame:
    return data.consumer_features(small_demo, PERIOD).set_index("consumer_id")


def assert_same(found: pd.Series, expected: pd.Series) -> None:
    """Equal to a millionth (tiers have six decimals), empty where the twin is.

    And there is something to compare.
    """
    expected = expected.reindex(found.index).astype("float64")
    assert expected.notna().sum() > 5
    assert_series_equal(found, expected, check_names=False, rtol=0, atol=2e-6)


def at_least(values: pd.Series, n: pd.Series, least: int) -> pd.Series:
    return values.where(n.reindex(values.index).fillna(0) >= least)


# ---- dealers -------------------------------------------------------------------------------------


def test_one_row_per_dealer_of_the_window_in_the_columns_that_are_promised(small_demo, dealers):
    totals = data.dealer_totals(small_demo, PERIOD)
    assert list(dealers.index) == list(totals["dealer_id"])
    assert list(dealers.columns) == dealer_habits.DEALER_FEATURES
    assert (dealers.dtypes == "float64").all()
    assert_same(dealers["revenue"], totals.set_index("dealer_id")["revenue"])


def test_what_he_buys(raw, dealers):
    ours = window(raw["sell_in"]).query("brand == 'Norvella' and dealer_id.notna()")
    sums = ours.groupby("dealer_id")[["rebate", "revenue"]].sum()
    assert_same(dealers["rebate_rate"], sums["rebate"] / sums["revenue"])
    bought = ours[ours["revenue"] > 0].merge(raw["products"][["product_id", "category"]])
    assert_same(dealers["order_gap_days"], 365 / bought.groupby("dealer_id")["date"].nunique())
    categories = bought.groupby("dealer_id")["category"].nunique()
    assert_same(dealers["category_coverage_share"], categories / bought["category"].nunique())


def test_who_sells_ours_beside_him(raw, dealers):
    bought = window(raw["sell_in"]).query(
        "brand == 'Norvella' and dealer_id.notna() and revenue > 0"
    )
    city = raw["dealers"].set_index("dealer_id")["city"]
    active = city[city.index.isin(bought["dealer_id"])]
    others = active.map(active.value_counts()) - 1
    people = raw["regions"].set_index("city")["population"]
    assert_same(dealers["neighbours_per_100k"], others / active.map(people) * 100_000)
    models = bought[["dealer_id", "product_id"]].drop_duplicates()
    models["city"] = models["dealer_id"].map(city)
    models = models.dropna()
    n = models.groupby(["city", "product_id"])["dealer_id"].transform("nunique")
    share = (n > 1).groupby(models["dealer_id"]).mean()
    assert_same(
        dealers["range_overlap_share"], at_least(share, models["dealer_id"].value_counts(), 5)
    )


def test_what_his_tills_report(lines, dealers):
    rows = window(lines)
    n, bought = rows["dealer_id"].value_counts(), rows[rows["bought"]]
    under = bought[bought["promotion_id"].notna()]
    amounts = pd.DataFrame(
        {
            "under": under.groupby("dealer_id")["amount"].sum(),
            "all": bought.groupby("dealer_id")["amount"].sum(),
        }
    ).fillna(0)
    assert_same(dealers["promoted_share"], at_least(amounts["under"] / amounts["all"], n, 20))
    promotions = under.groupby("dealer_id")["promotion_id"].nunique().reindex(n.index).fillna(0)
    assert_same(dealers["n_promotions"], at_least(promotions, n, 20))
    assert_same(
        dealers["identified_share"],
        at_least(rows.groupby("dealer_id")["consumer_id"].count() / n, n, 20),
    )
    tier = tiers(rows).groupby(rows["dealer_id"])
    assert_same(dealers["price_tier"], at_least(tier.mean(), tier.count(), 20))


def test_what_his_consumers_do(raw, lines, dealers):
    rows = window(lines).dropna(subset=["dealer_id", "consumer_id"])
    days = (
        rows[rows["bought"]]
        .groupby(["dealer_id", "consumer_id"])["date"]
        .nunique()
        .rename("n")
        .reset_index()
    )
    known = rows.merge(days[["dealer_id", "consumer_id"]])
    n, by_dealer = days["dealer_id"].value_counts(), days.groupby("dealer_id")["n"]
    assert_same(
        dealers["basket"],
        at_least(known.groupby("dealer_id")["amount"].sum() / by_dealer.sum(), n, 10),
    )
    assert_same(
        dealers["repeat_share"], at_least((days["n"] > 1).groupby(days["dealer_id"]).mean(), n, 10)
    )
    reached = days["consumer_id"].isin(window(raw["contacts"], "sent_date")["consumer_id"])
    assert_same(
        dealers["contacted_share"], at_least(reached.groupby(days["dealer_id"]).mean(), n, 10)
    )


def test_what_lies_at_his_shop(raw, dealers):
    last = raw["stock"][raw["stock"]["snapshot_date"] == END].query("quantity > 0")
    value, age = (
        last["quantity"] * last["unit_cost"],
        (last["snapshot_date"] - last["received_date"]).dt.days,
    )
    expected = (value * age).groupby(last["dealer_id"]).sum() / value.groupby(
        last["dealer_id"]
    ).sum()
    assert_same(dealers["stock_age_days"], expected)


def test_what_he_earns(raw, dealers):
    rows = raw["dealer_profit"].query("'2025-11' <= month <= '2026-10'")
    sums = rows.groupby("dealer_id")[
        ["revenue", "gross_profit", "rebate", "average_stock_value"]
    ].sum()
    n_months = rows.groupby("dealer_id")["month"].nunique()
    monthly = sums["average_stock_value"] / n_months
    turn = (sums["revenue"] - sums["gross_profit"]) * (12 / n_months) / monthly
    assert_same(dealers["stock_turn"], at_least(turn, n_months, 3))
    margin = (sums["gross_profit"] + sums["rebate"]) / sums["revenue"]
    assert_same(dealers["dealer_margin_rate"], at_least(margin, n_months, 3))


def test_stock_turns_at_the_pace_of_a_year(make_book):
    def months(dealer: str, n: int, stock: str | None = "50.00") -> list[dict]:
        return [
            {
                "dealer_id": dealer,
                "month": month,
                "brand": brand,
                "revenue": Decimal("120.00"),
                "gross_profit": Decimal("20.00"),
                "rebate": Decimal("4.00") if brand == BRAND else None,
                "average_stock_value": stock and Decimal(stock),
            }
            for month in periods.month_range(PERIOD, n)
            for brand in (BRAND, RIVALS[0])
        ]

    ids = ("year", "quarter", "new", "empty")
    lines = [
        {"dealer_id": d, "date": dt.date(2026, 10, 31), "revenue": Decimal("5.00"), "brand": BRAND}
        for d in ids
    ]
    profit = (
        months("year", 12) + months("quarter", 3) + months("new", 2) + months("empty", 12, None)
    )
    found = data.dealer_features(make_book(sell_in=lines, dealer_profit=profit), PERIOD).set_index(
        "dealer_id"
    )
    assert found.loc[["year", "quarter"], "stock_turn"].tolist() == [24, 24], (
        "1200 a year of cost over 50 of stock"
    )
    assert found.loc[["year", "quarter", "empty"], "dealer_margin_rate"].tolist() == pytest.approx(
        [44 / 240] * 3
    )
    assert found.loc[["new", "empty"], "stock_turn"].isna().all() and pd.isna(
        found.loc["new", "dealer_margin_rate"]
    )


def test_the_window_before_is_asked_for_by_its_period(small_demo, raw):
    before = data.dealer_features(small_demo, periods.shift(PERIOD, -12)).set_index("dealer_id")
    ours = raw["sell_in"].query("'2024-11-01' <= date <= '2025-10-31' and brand == 'Norvella'")
    assert_same(
        before["revenue"].where(before["revenue"] > 0), ours.groupby("dealer_id")["revenue"].sum()
    )
    assert before["stock_age_days"].isna().all(), "the stock was counted later"


def only(
    folder,
    raw: dict,
    names: list[str],
    drop: dict[str, list[str]] | None = None,
    name: str = "part",
):
    """Open a workbook of some tables, without some of their columns."""
    kept = {n: raw[n].drop(columns=(drop or {}).get(n, [])) for n in names}
    return settings.workbook(write_book(folder / name, kept, "Norvella", name=name))


WITHOUT = {  # what is taken away, and what nobody knows then
    "stock": (["stock"], {}, ["stock_age_days"]),
    "dealer_profit": (["dealer_profit"], {}, ["stock_turn", "dealer_margin_rate"]),
    "sell_out": (
        ["sell_out"],
        {},
        [
            "promoted_share",
            "n_promotions",
            "basket",
            "price_tier",
            "identified_share",
            "contacted_share",
            "repeat_share",
        ],
    ),
    "contacts": (["contacts"], {}, ["contacted_share"]),
    "dealers": (["dealers"], {}, ["range_overlap_share", "neighbours_per_100k"]),
    "regions": (["regions"], {}, ["neighbours_per_100k"]),
    "products": (["products"], {}, ["category_coverage_share", "price_tier"]),
    "columns": (
        [],
        {
            "sell_in": ["rebate", "product_id"],
            "sell_out": ["consumer_id", "promotion_id"],
            "dealer_profit": ["average_stock_value"],
            "regions": ["population"],
        },
        [
            "rebate_rate",
            "category_coverage_share",
            "range_overlap_share",
            "promoted_share",
            "n_promotions",
            "identified_share",
            "basket",
            "repeat_share",
            "contacted_share",
            "stock_turn",
            "neighbours_per_100k",
        ],
    ),
    "sell_in": (
        ["sell_in"],
        {},
        [
            "category_coverage_share",
            "rebate_rate",
            "order_gap_days",
            "range_overlap_share",
            "neighbours_per_100k",
            "revenue",
        ],
    ),
}


@pytest.mark.parametrize("case", WITHOUT)
def test_what_is_not_there_is_empty_and_the_rest_stays(tmp_path, cache, raw, dealers, case):
    tables, columns, unknown = WITHOUT[case]
    found = data.dealer_features(
        only(tmp_path, raw, sorted(set(raw) - set(tables)), columns), PERIOD
    )
    found = found.set_index("dealer_id").loc[lambda rows: rows.index.isin(dealers.index)]
    assert found[unknown].isna().all(axis=None)
    rest = [c for c in dealer_habits.DEALER_FEATURES if c not in unknown]
    assert_frame_equal(found[rest], dealers[rest].reindex(found.index))


def test_without_any_dealer_table_it_says_so(tmp_path, cache, raw):
    with pytest.raises(DataError, match=r"without a table of sell_in, payments or dealer_profit"):
        data.dealer_features(only(tmp_path, raw, ["sell_out"]), PERIOD)


def test_places_of_the_same_name_are_told_apart_by_region(make_book):
    day, sale = dt.date(2026, 5, 5), {"revenue": Decimal("5.00"), "brand": BRAND}
    book = make_book(
        sell_in=[{"dealer_id": d, "date": day, **sale} for d in "abcde"]
        + [{"dealer_id": "f", "date": day, "revenue": Decimal("5.00"), "brand": RIVALS[0]}]
        + [{"dealer_id": "a", "date": dt.date(2026, 10, 31), **sale}],
        dealers=[
            {"dealer_id": d, "region": r, "city": c}
            for d, r, c in (
                ("a", "north", "Lake"),
                ("b", "south", "Lake"),
                ("c", "south", "Lake"),
                ("d", None, "Hill"),
                ("e", None, "Lake"),
                ("f", "south", "Lake"),
                ("g", "south", "Lake"),
            )
        ],
        regions=[
            {"region": r, "city": c, "population": p}
            for r, c, p in (("north", "Lake", 1e5), ("south", "Lake", 2e5), ("south", "Hill", 5e4))
        ],
    )
    found = data.dealer_features(book, PERIOD).set_index("dealer_id")["neighbours_per_100k"]
    # f sells a rival's goods, g bought nothing; e could be in either Lake, d's Hill is unique
    assert found[list("abcd")].tolist() == [0.0, 0.5, 0.5, 0.0]
    assert found[list("ef")].isna().all()


def test_who_has_little_is_not_judged(make_book):
    def till(dealer: str, n: int) -> list[dict]:
        return [
            {
                "date": dt.date(2026, 9, 1 + i),
                "amount": Decimal("3.00"),
                "dealer_id": dealer,
                "consumer_id": f"{dealer}{i % 10}",
                "product_id": "P1",
                "quantity": 1.0,
                "promotion_id": None,
            }
            for i in range(n)
        ]

    book = make_book(
        sell_in=[
            {"dealer_id": d, "date": dt.date(2026, 10, 31), "revenue": Decimal("5.00")}
            for d in ("a", "b", "c")
        ],
        products=[{"product_id": "P1", "category": "x", "brand": BRAND}],
        sell_out=till("a", 20) + till("b", 19),
    )
    found = data.dealer_features(book, PERIOD).set_index("dealer_id")
    judged = ["promoted_share", "n_promotions", "price_tier", "identified_share"]
    assert found.loc["a", judged].tolist() == [0, 0, 1, 1]
    assert found.loc[["b", "c"], judged].isna().all(axis=None)
    assert found.loc[["a", "b"], "basket"].tolist() == [3, 3], "ten consumers each"


# ---- consumers -----------------------------------------------------------------------------------


def test_history_is_what_the_data_have(small_demo):
    assert data.history(small_demo, PERIOD) == ("2024-09", N_MONTHS)
    assert data.history(small_demo, PERIOD, 12) == ("2025-11", 12)
    assert data.history(small_demo, "2024-09") == ("2024-09", 1)
    with pytest.raises(
        DataError, match=r"sell_out.parquet has no dated line up to 2024-08; choose a later period"
    ):
        data.history(small_demo, "2024-08")


def test_peak_is_three_months_in_a_row_each_counted_as_often_as_it_occurs(small_demo, lines):
    month = lines["date"].dt.month
    occurs = pd.Series([int(m[5:]) for m in periods.month_range(PERIOD, N_MONTHS)]).value_counts()
    mean = lines.groupby(month)["amount"].sum() / occurs
    best = max(range(1, 13), key=lambda m: sum(mean[(m - 1 + i) % 12 + 1] for i in range(3)))
    assert data.peak_months(small_demo, PERIOD) == tuple((best - 1 + i) % 12 + 1 for i in range(3))
    assert data.peak_months(small_demo, PERIOD, 11) == ()


def test_peak_may_lie_around_new_year(make_book):
    amounts = {1: 30, 2: 1, 12: 30, 11: 20}
    sold = [
        {
            "date": dt.date(int(m[:4]), int(m[5:]), 28),
            "amount": Decimal(amounts.get(int(m[5:]), 10)),
        }
        for m in periods.month_range(PERIOD, 14)
    ]
    # September and October occur twice: together they sell most, a year they do not
    sold[0]["amount"] = sold[1]["amount"] = sold[12]["amount"] = sold[13]["amount"] = Decimal(24)
    book = make_book(sell_out=sold)
    assert data.peak_months(book, PERIOD) == (11, 12, 1)


def test_every_consumer_feature(raw, lines, consumers):
    rows = lines.dropna(subset=["consumer_id"])
    bought = rows[rows["bought"]]
    by_all, by = rows.groupby("consumer_id"), bought.groupby("consumer_id")
    assert list(consumers.columns) == consumer_habits.CONSUMER_FEATURES
    assert list(consumers.index) == sorted(bought["consumer_id"].unique())
    frequency, monetary = by["date"].nunique(), by_all["amount"].sum()
    assert_same(consumers["recency_days"], (END - by["date"].max()).dt.days)
    assert_same(consumers["frequency"], frequency)
    assert_same(consumers["monetary"], monetary.round(2))
    assert_same(consumers["basket"], monetary / frequency)
    assert_same(consumers["lines_per_visit"], by.size() / frequency)
    tier = tiers(lines)  # of all lines: the median is everybody's
    assert_same(consumers["price_tier"], tier.groupby(lines["consumer_id"]).mean())
    left = (monetary > 0.005).reindex(frequency.index)
    shares = {
        "promotion_share": bought["promotion_id"].notna(),
        "peak_share": bought["date"].dt.month.isin([5, 6, 7]),
    }
    for column, chosen in shares.items():
        share = (
            bought["amount"].where(chosen, 0).groupby(bought["consumer_id"]).sum()
            / by["amount"].sum()
        )
        assert_same(consumers[column], share.where(left))
    assert_same(
        consumers["discount_share"], (1 - by["amount"].sum() / by["list_amount"].sum()).where(left)
    )
    assert_same(consumers["n_categories"], by["category"].nunique())
    asked = raw["contacts"][raw["contacts"]["sent_date"].between(pd.Timestamp("2024-09-01"), END)]
    n = (
        asked.groupby("consumer_id")["responded_date"]
        .agg(["size", "count"])
        .reindex(consumers.index)
        .fillna(0)
    )
    assert_same(consumers["n_contacts"], n["size"])
    assert_same(consumers["n_responses"], n["count"])
    assert 0 < n["count"].sum() < n["size"].sum()


def test_history_ends_with_the_period(small_demo, lines):
    found = data.consumer_features(small_demo, "2026-03", 12).set_index("consumer_id")
    rows = lines[
        lines["bought"]
        & lines["date"].between(pd.Timestamp("2025-04-01"), pd.Timestamp("2026-03-31"))
    ]
    by = rows.groupby("consumer_id")["date"]
    assert_same(found["frequency"], by.nunique())
    assert_same(found["recency_days"], (pd.Timestamp("2026-03-31") - by.max()).dt.days)


def sale(consumer: str | None, day: str, amount: str, **more) -> dict:
    return {
        "date": dt.date.fromisoformat(day),
        "amount": Decimal(amount),
        "consumer_id": consumer,
        "product_id": "P1",
        "quantity": 1.0,
        "list_amount": Decimal("10.00"),
        "promotion_id": None,
        **more,
    }


PRODUCTS = [
    {"product_id": "P1", "category": "x", "brand": BRAND},
    {"product_id": "P2", "category": None, "brand": None},
]


def test_returns_reduce_amounts_but_are_no_visits(make_book):
    book = make_book(
        products=PRODUCTS,
        sell_out=[
            sale("a", "2026-09-01", "8.00", promotion_id="M1"),
            sale("a", "2026-09-01", "10.00"),
            sale("a", "2026-10-31", "-5.00", quantity=-1.0),
            sale("gone", "2026-09-02", "10.00"),
            sale("gone", "2026-09-09", "-10.00"),
            sale("never", "2026-09-03", "-7.00"),
            sale("free", "2026-09-04", "0.00"),
            sale(None, "2026-10-31", "9.00"),
        ],
    )
    found = data.consumer_features(book, PERIOD).set_index("consumer_id")
    assert list(found.index) == ["a", "gone"], "who bought nothing is no buyer"
    a, gone = found.loc["a"], found.loc["gone"]
    assert a[["recency_days", "frequency", "monetary", "basket", "lines_per_visit"]].tolist() == [
        60,
        1,
        13,
        13,
        2,
    ]
    assert a["discount_share"] == pytest.approx(0.1) and a["promotion_share"] == pytest.approx(
        8 / 18
    )
    assert gone[["frequency", "monetary", "lines_per_visit"]].tolist() == [1, 0, 1]
    assert gone[["discount_share", "promotion_share", "peak_share"]].isna().all(), (
        "nothing is left to have shares of"
    )
    assert found["peak_share"].isna().all(), "two months tell no season"


def test_pieces_without_number_tell_no_price(make_book):
    usual = [sale(f"c{i}", "2026-09-05", "10.00") for i in range(9)]
    book = make_book(
        products=PRODUCTS,
        sell_out=[
            *usual,
            sale("dear", "2026-10-31", "60.00", quantity=2.0),
            sale("dear", "2026-10-31", "900.00", quantity=0.0),
            sale("fuel", "2026-10-30", "40.00", quantity=14_000.0),
            sale("bare", "2026-10-30", "40.00", quantity=None),
            sale("other", "2026-10-30", "40.00", product_id="P2"),
            sale("lost", "2026-10-30", "40.00", product_id="P9"),
            sale("slip", "2026-10-30", "99999999.00"),
        ],
    )
    found = data.consumer_features(book, PERIOD).set_index("consumer_id")
    assert found.loc[["c0", "dear", "slip"], "price_tier"].tolist() == [1, 3, sell_out.MAX_TIER]
    assert found.loc[["fuel", "bare", "other", "lost"], "price_tier"].isna().all()
    assert found.loc[["fuel", "dear"], "n_categories"].tolist() == [1, 1]
    assert found.loc[["other", "lost"], "n_categories"].isna().all()


BARE = ["list_amount", "promotion_id", "quantity"]
LACKING = {
    "products": (["products"], [], ["price_tier", "n_categories"]),
    "contacts": (["contacts"], [], ["n_contacts", "n_responses"]),
    "columns": ([], BARE, ["discount_share", "promotion_share", "price_tier"]),
    "product_id": ([], ["product_id"], ["price_tier", "n_categories"]),
}


@pytest.mark.parametrize("case", LACKING)
def test_consumers_of_thinner_tables(tmp_path, cache, raw, consumers, case):
    tables, columns, unknown = LACKING[case]
    names = sorted({"sell_out", "products", "contacts", "promotions"} - set(tables))
    found = data.consumer_features(only(tmp_path, raw, names, {"sell_out": columns}), PERIOD)
    found = found.set_index("consumer_id")
    assert found[unknown].isna().all(axis=None)
    rest = [c for c in consumer_habits.CONSUMER_FEATURES if c not in unknown]
    assert_frame_equal(found[rest], consumers[rest])


def test_without_consumers_it_says_so(tmp_path, cache, raw):
    book = only(tmp_path, raw, ["sell_out"], {"sell_out": ["consumer_id"]})
    one = pd.Series({"C1": "g"})
    for ask in (
        lambda: data.consumer_features(book, PERIOD),
        lambda: data.group_margin(book, PERIOD, 12, one),
        lambda: data.group_sums(book, PERIOD, 12, one, "brand"),
    ):
        with pytest.raises(
            DataError,
            match=r"sell_out: no column 'consumer_id'; .* under \[data.sell_out.columns\]",
        ):
            ask()
    assert data.unidentified_share(book, PERIOD) == 1.0


def test_contacts_of_any_shape(make_book):
    asked = [
        ("a", "M1", None),
        ("a", "M2", None),
        ("b", "M1", "2026-05-02"),
        ("b", "M2", "2026-11-01"),
        ("c", "M1", "2026-05-31"),
        (None, "M1", "2026-05-03"),
        ("d", "M9", "2026-06-01"),
    ]
    contacts = [
        {"consumer_id": c, "promotion_id": p, "responded_date": d and dt.date.fromisoformat(d)}
        for c, p, d in asked
        if c
    ]
    book = make_book(
        sell_out=[sale(c, day, "1.00") for c in "abcde" for day in ("2026-04-30", "2026-10-31")],
        contacts=contacts,
        promotions=[
            {
                "promotion_id": "M1",
                "start_date": dt.date(2026, 5, 1),
                "end_date": dt.date(2026, 5, 10),
            },
            {
                "promotion_id": "M2",
                "start_date": dt.date(2026, 10, 20),
                "end_date": dt.date(2026, 11, 20),
            },
            {"promotion_id": "M0", "start_date": dt.date(2020, 5, 1), "end_date": None},
        ],
    )
    found = data.consumer_features(book, PERIOD).set_index("consumer_id")
    # sent when the promotion began; b came after the window's end, c after the promotion, d for one
    # nobody knows
    assert found["n_contacts"].to_dict() == {"a": 2, "b": 2, "c": 1, "d": 1, "e": 0}
    assert found["n_responses"].to_dict() == {"a": 0, "b": 1, "c": 0, "d": 1, "e": 0}


# ---- groups --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def labels(consumers) -> pd.Series:
    """Put three in four consumers into groups, by chance."""
    group = np.random.default_rng(3).choice(["g1", "g2", None, "g3"], len(consumers))
    return pd.Series(group, index=consumers.index, dtype="str")


@pytest.fixture(scope="module")
def labelled(raw, lines, labels) -> pd.DataFrame:
    rows = lines.assign(
        group=lines["consumer_id"].map(labels), calendar_month=lines["date"].dt.month
    )
    kinds = raw["promotions"].set_index("promotion_id")["kind"]
    return rows.assign(promotion_kind=rows["promotion_id"].map(kinds)).dropna(subset=["group"])


@pytest.mark.parametrize("by", consumer_habits.GROUPED_BY)
def test_group_sums(small_demo, labels, labelled, by):
    found = data.group_sums(small_demo, PERIOD, 36, labels, by)
    expected = labelled.groupby(["group", by], dropna=False)
    bought = labelled[labelled["bought"]]
    visits = bought.drop_duplicates(["group", by, "consumer_id", "date"])
    bought, visits = (
        bought.groupby(["group", by], dropna=False),
        visits.groupby(["group", by], dropna=False),
    )
    expected = pd.DataFrame(
        {
            "amount": expected["amount"].sum().round(2),
            "list_amount": expected["list_amount"].sum(),
            "n_lines": bought.size(),
            "n_visits": visits.size(),
            "n_consumers": bought["consumer_id"].nunique(),
        }
    ).reset_index()
    if by == "calendar_month":
        expected["n_months"] = np.where(expected[by].isin([9, 10]), 3, 2)
    assert_frame_equal(found, expected, check_dtype=False)
    assert found["amount"].sum() == pytest.approx(labelled["amount"].sum())


def test_group_sums_ask_for_what_they_know(small_demo, labels):
    with pytest.raises(
        ValueError,
        match=r"by: 'weather' is not known; choose one of category, brand, calendar_month",
    ):
        data.group_sums(small_demo, PERIOD, 12, labels, "weather")
    twice = pd.Series(["g1", "g2"], index=["C000007", "C000007"])
    with pytest.raises(
        ValueError, match=r"labels: consumer 'C000007' occurs twice; give each consumer one group"
    ):
        data.group_sums(small_demo, PERIOD, 12, twice, "brand")


def test_groups_may_be_numbers(small_demo, labels):
    numbers = labels.map({"g1": 1, "g2": 2, "g3": 3}).dropna().astype(int)
    found = data.group_sums(small_demo, PERIOD, 12, numbers, "brand")
    named = data.group_sums(small_demo, PERIOD, 12, labels, "brand")
    assert set(found["group"]) == {1, 2, 3}
    assert_frame_equal(found.drop(columns="group"), named.drop(columns="group"))


def test_responses(small_demo, raw, labels):
    found = data.responses(small_demo, PERIOD, 36, labels)
    rows = raw["contacts"].merge(raw["promotions"][["promotion_id", "kind"]])
    rows = rows[rows["sent_date"].between(pd.Timestamp("2024-09-01"), END)]
    rows["group"] = rows["consumer_id"].map(labels)
    expected = rows.groupby(["group", "kind"])["responded_date"].agg(["size", "count"])
    assert (
        found.set_index(["group", "promotion_kind"]).to_numpy().tolist()
        == expected.to_numpy().tolist()
    )
    assert len(found) == 15


def test_responses_without_contacts(tmp_path, cache, raw, labels):
    found = data.responses(only(tmp_path, raw, ["sell_out"]), PERIOD, 12, labels)
    assert found.empty and list(found) == ["group", "promotion_kind", "n_contacts", "n_responses"]


def test_group_margin(small_demo, raw, labels, labelled):
    found = data.group_margin(small_demo, PERIOD, 36, labels).set_index("group")
    last = raw["stock"][raw["stock"]["snapshot_date"] == END].query("quantity > 0")
    value = (last["quantity"] * last["unit_cost"]).groupby(last["product_id"]).sum()
    cost = (
        labelled["product_id"].map(value / last.groupby("product_id")["quantity"].sum())
        * labelled["quantity"]
    )
    rows = labelled.assign(cost=cost, covered=labelled["amount"].where(cost.notna()))
    expected = rows.groupby("group")[["amount", "covered", "cost"]].sum()
    np.testing.assert_allclose(found[["amount", "amount_covered", "cost"]], expected, rtol=1e-6)
    assert_series_equal(
        found["gross_profit"], (found["amount_covered"] - found["cost"]).round(2), check_names=False
    )
    assert found["covered_share"].between(0.5, 0.99).all(), (
        "the rivals' goods lie in no stock of ours"
    )


def test_group_margin_without_stock_is_unknown(tmp_path, cache, raw, labels):
    found = data.group_margin(only(tmp_path, raw, ["sell_out"]), PERIOD, 12, labels)
    assert found[["amount_covered", "cost", "gross_profit"]].isna().all(axis=None)
    assert (found["covered_share"] == 0).all() and (found["amount"] > 0).all()


def test_unidentified_share(small_demo, lines):
    rows = window(lines)
    expected = rows.loc[rows["consumer_id"].isna(), "amount"].sum() / rows["amount"].sum()
    assert data.unidentified_share(small_demo, PERIOD, 12) == pytest.approx(expected, abs=1e-12)


def test_a_year_ago_needs_a_year_of_data(small_demo):
    now = data.consumer_features(small_demo, "2026-10")
    before = data.previous_consumers(small_demo, "2026-10")  # the small demo begins in 2024-09
    pd.testing.assert_frame_equal(before, data.consumer_features(small_demo, "2025-10"))
    none = data.previous_consumers(small_demo, "2026-07")
    assert none.empty
    assert list(none.columns) == list(now.columns)
