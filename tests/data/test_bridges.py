"""The bridge: exact to the cent, in every cut, and as an independent Bennet says."""

import datetime as dt
import random
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from math import floor

import pandas as pd
import pytest

from conftest import BRAND, RIVALS, network_rows, without, write_book
from helpers import data, periods, settings
from helpers.data import bridges, connections
from servers import load, postgres_cluster

N_LEDGERS = 500
PERIOD = "2026-10"
SPANS = ["month", "year_to_date"]
SQL = {"id": "text", "text": "text", "date": "date", "money": "numeric(18, 2)", "number": "float8"}


def ledger_rows(seed: int = 3) -> dict[str, list[dict]]:
    """Draw 500 ledgers over two years, each with dealers, models and categories of its own.

    With returns, free goods, new and lost dealers and models, missing quantities, products,
    dealers, costs and rebates, models that no list has or that have no category, and a rival's
    lines.
    """
    draw, sell_in, products = random.Random(seed), [], []

    def cents(n: int | None) -> Decimal | None:
        return None if n is None else Decimal(n) / 100

    for k in range(N_LEDGERS):
        models = [f"{k:03d}-P{i}" for i in range(4)]
        kinds = (f"{k:03d} fridge", f"{k:03d} oven", None)
        products += [{"product_id": p, "category": draw.choice(kinds)} for p in models[:3]]
        gaps = 0.08 if k % 3 else 0.0  # a third of them lack nothing
        for year in (2025, 2026):
            here = draw.sample([f"{k:03d}-D{i}" for i in range(3)], draw.randint(1, 3))
            goods = draw.sample(models, draw.randint(1, 4))
            for _ in range(draw.randint(5, 25)):
                n, price, chance = draw.randint(1, 30), draw.randint(1_000, 99_999), draw.random()
                sign = -1 if chance < gaps else 1
                is_free = gaps < chance < 1.5 * gaps
                month = draw.choice((10, 10, draw.randint(1, 10)))
                sell_in.append(
                    {
                        "dealer_id": None if draw.random() < gaps / 2 else draw.choice(here),
                        "date": dt.date(year, month, draw.randint(1, 28)),
                        "revenue": cents(0 if is_free else sign * n * price + draw.randint(-9, 9)),
                        "cost": cents(
                            None if draw.random() < gaps / 2 else sign * n * price * 7 // 10
                        ),
                        "rebate": cents(None if draw.random() < 0.3 else draw.randint(0, 900)),
                        "quantity": None if draw.random() < gaps / 2 else float(sign * n),
                        "product_id": None if draw.random() < gaps / 2 else draw.choice(goods),
                        "brand": RIVALS[0] if draw.random() < 0.05 else BRAND,
                    }
                )
    sell_in[0]["date"], sell_in[-1]["date"] = dt.date(2025, 1, 2), dt.date(2026, 10, 31)
    return {"products": products, "sell_in": sell_in}


def half_up(x: Fraction) -> int:
    return floor(x + Fraction(1, 2))


def bennet(given: dict, now: set[str], base: set[str]) -> dict[tuple, dict[str, int]]:
    """Split the change line by line in exact fractions: an independent second opinion."""
    category = {row["product_id"]: row["category"] for row in given["products"]}
    sums: dict[tuple, dict] = {}
    for row in given["sell_in"]:
        month = f"{row['date']:%Y-%m}"
        if row["brand"] != BRAND or month not in now | base:
            continue
        key = (row["dealer_id"], row["product_id"])
        year = 1 if month in now else 0
        line = sums.setdefault(
            key, {c: [0, 0] for c in ("r", "q", "g", "b", "c", "v")} | {"q?": False, "c?": False}
        )
        line["r"][year] += int(row["revenue"] * 100)
        line["q?"] |= row["quantity"] is None
        line["q"][year] += Fraction(row["quantity"] or 0)
        line["c?"] |= row["cost"] is None
        if row["cost"] is not None:
            rebate = row["rebate"] or Decimal(0)
            for column, amount in (
                ("g", row["revenue"] - row["cost"] - rebate),
                ("b", rebate),
                ("c", row["cost"]),
                ("v", row["revenue"]),
            ):
                line[column][year] += int(amount * 100)
    of_dealer = defaultdict(lambda: [0, 0])
    for (dealer, _), line in sums.items():
        of_dealer[dealer] = [a + b for a, b in zip(of_dealer[dealer], line["r"], strict=True)]

    def step_of(key: tuple, line: dict) -> str:
        dealer, product = key
        had, has = (total > 0 for total in of_dealer[dealer])
        if dealer is None or not (had or has):
            return "not_separable"
        if had != has:
            return "new_dealers" if has else "lost_dealers"
        had, has = (total > 0 for total in line["r"])
        if product is None or not (had or has):
            return "not_separable"
        if had != has:
            return "new_models" if has else "lost_models"
        return "not_separable" if line["q?"] or min(line["q"]) <= 0 else "separable"

    steps = {key: step_of(key, line) for key, line in sums.items()}
    found = {}
    units = {"": defaultdict(lambda: [0, 0]), "profit_": defaultdict(lambda: [0, 0])}
    for key, line in sums.items():
        if steps[key] == "separable":
            of = category.get(key[1])
            for prefix in ("", "profit_"):
                if not (prefix and line["c?"]):
                    total = units[prefix][of]
                    units[prefix][of] = [a + b for a, b in zip(total, line["q"], strict=True)]
    for key, line in sums.items():
        row = dict.fromkeys(bridges.SUMS, 0)
        row["revenue_base"], row["revenue_now"] = line["r"]
        row["profit_base"], row["profit_now"] = line["g"]
        row["covered_base"], row["covered_now"] = line["v"]
        (q0, q1), of = line["q"], category.get(key[1])
        for prefix, column in (("", "r"), ("profit_", "g")):
            m0, m1 = line[column]
            step = steps[key]
            if step == "separable" and prefix and line["c?"]:
                step = "not_separable"
            if step != "separable":
                row[prefix + step] = m1 - m0
                continue
            mean = Fraction(q0 + q1, 2)
            row[prefix + "price"] = half_up(mean * (line["r"][1] / q1 - line["r"][0] / q0))
            if prefix:
                row["profit_rebate"] = half_up(-mean * (line["b"][1] / q1 - line["b"][0] / q0))
                row["profit_cost"] = half_up(-mean * (line["c"][1] / q1 - line["c"][0] / q0))
            u0, u1 = units[prefix][of]
            worth = (m0 / q0 + m1 / q1) / 2
            row[prefix + "volume"] = half_up(worth * q0 * (u1 / u0 - 1))
            told = sum(
                row[prefix + s] for s in ("price", "rebate", "cost", "volume") if prefix + s in row
            )
            row[prefix + "mix"] = m1 - m0 - told
        found[key] = row
    return found


def as_dict(rows: pd.DataFrame) -> dict[tuple, dict[str, int]]:
    keys = [tuple(None if pd.isna(v) else v for v in key) for key in rows.iloc[:, :2].to_numpy()]
    return dict(zip(keys, rows[list(bridges.SUMS)].to_dict("records"), strict=True))


@pytest.fixture(scope="module")
def ledgers() -> dict[str, list[dict]]:
    return ledger_rows()


@pytest.fixture(scope="module")
def ledger_book(ledgers, tmp_path_factory) -> settings.Workbook:
    return settings.workbook(write_book(tmp_path_factory.mktemp("ledgers"), ledgers))


@pytest.mark.parametrize("span", SPANS)
def test_500_ledgers_are_split_as_an_independent_bennet_says(ledger_book, ledgers, span):
    now, base = (
        set(periods.month_range(month, 1 if span == "month" else 10))
        for month in (PERIOD, "2025-10")
    )
    asked = data.bridge(ledger_book, PERIOD, span)
    assert as_dict(asked) == bennet(ledgers, now, base)
    of = asked["dealer_id"].str[:3].to_frame("ledger").join(asked[list(bridges.SUMS)] != 0)
    seen = of.dropna().groupby("ledger").any().sum()
    assert len(of["ledger"].dropna().unique()) == N_LEDGERS
    assert seen.min() > N_LEDGERS / 5, "a step that the ledgers hardly have is not tested"


@pytest.mark.parametrize("span", SPANS)
def test_every_cut_adds_up_to_the_cent(ledger_book, ledgers, span):
    whole = [
        sum(
            int(row["revenue"] * 100)
            for row in ledgers["sell_in"]
            if row["brand"] == BRAND and window.start <= row["date"] <= window.end
        )
        for window in bridges.spans(PERIOD, span)
    ]
    for by in (("dealer_id",), ("product_id",), ("category",), ("category", "dealer_id")):
        rows = data.bridge(ledger_book, PERIOD, span, by)
        assert not rows.duplicated(list(by)).any()
        for prefix, name, steps in (
            ("", "revenue", bridges.STEPS),
            ("profit_", "profit", bridges.PROFIT_STEPS),
        ):
            change = rows[f"{name}_now"] - rows[f"{name}_base"]
            parts = rows[[prefix + step for step in steps]].sum(axis=1)
            pd.testing.assert_series_equal(change, parts, check_names=False)
        assert [rows["revenue_now"].sum(), rows["revenue_base"].sum()] == whole


def test_a_worked_example(make_book):
    """By hand: 10 at 5.00 become 20 at 4.00 beside 10 at 2.00 that stay; the category's units grow
    from 20 to 30, so that each model "would have had" half as many more.
    """
    book = make_book(
        products="product_id,category\na,oven\nb,oven\n",
        sell_in="dealer_id,date,revenue,quantity,product_id\n1,2024-10-01,1,,\n"
        "1,2025-10-01,50,10,a\n1,2026-10-01,80,20,a\n1,2025-10-01,20,10,b\n1,2026-10-31,20,10,b\n",
        brand="",
    )
    rows = data.bridge(book, "2026-10").set_index("product_id")
    # price ½·30·(4 − 5); volume of a ½·(5 + 4)·10·½, of b 2·10·½
    assert rows["price"].to_dict() == {"a": -1500, "b": 0}
    assert rows["volume"].to_dict() == {"a": 2250, "b": 1000}
    assert rows["mix"].to_dict() == {"a": 2250, "b": -1000}


def test_nothing_is_claimed_where_the_year_before_is_not_covered(make_book):
    sell_in = "dealer_id,date,revenue\n1,2025-02-01,5\n1,2026-02-28,5\n"
    book = make_book(sell_in=sell_in, brand="")
    assert len(data.bridge(book, "2026-02")) == 1
    assert data.bridge(book, "2026-02", "year_to_date").empty
    assert data.bridge(book, "2026-01").empty


@pytest.mark.parametrize(
    "left_out", [["quantity"], ["product_id"], ["cost"], ["rebate"], ["cost", "quantity", "brand"]]
)
def test_a_missing_column_leaves_the_change_whole(make_book, left_out):
    given = network_rows()
    given["sell_in"] = without(given["sell_in"], left_out)
    rows = data.bridge(make_book(**given), "2026-09", "year_to_date")
    steps = rows[list(bridges.STEPS)].sum()
    assert steps.sum() == (rows["revenue_now"] - rows["revenue_base"]).sum()
    if {"quantity", "product_id"} & set(left_out):
        assert not steps[["price", "volume", "mix"]].any()
    if "cost" in left_out:
        assert not rows[["profit_base", "profit_now", "covered_now"]].any(axis=None)


def test_what_is_unknown_is_named(small):
    with pytest.raises(ValueError, match="span: 'week' is unknown; take 'month' or 'year_to_date'"):
        data.bridge(small, "2026-10", "week")
    with pytest.raises(ValueError, match="by: 'city' is unknown; take dealer_id"):
        data.bridge(small, "2026-10", "month", ("city",))


@pytest.mark.xdist_group("postgres")
def test_a_server_splits_as_duckdb_does(ledger_book, ledgers, tmp_path, cache):
    with postgres_cluster() as url:
        try:
            for name, rows in ledgers.items():
                known = settings.contract()[name]
                columns = {c: SQL[known[c].kind] for c in rows[0]}
                load(url, name, columns, [tuple(row.values()) for row in rows])
            extra = "\n".join(f'[data.{t}]\nsource = "{t}"' for t in ledgers)
            toml = write_book(tmp_path / "served", {}, extra=extra)
            toml.write_text(toml.read_text().replace("[data]", f'[data]\nengine = "{url}"'))
            served = settings.workbook(toml)
            for span in SPANS:
                pd.testing.assert_frame_equal(
                    data.bridge(served, PERIOD, span),
                    data.bridge(ledger_book, PERIOD, span),
                    check_exact=True,
                )
        finally:
            connections.connection.cache_clear()
