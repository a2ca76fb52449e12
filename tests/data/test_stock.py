"""Stock through the door.

Which source tells, the layers it leaves, and twins in SQL, single pieces and the demo.
"""

import dataclasses
import datetime as dt
from decimal import Decimal

import duckdb
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from test_fifo import Twin, history
from test_server import load_network, server  # noqa: F401 - the fixture

from conftest import write_book
from helpers import data, settings, words
from helpers.data import checks, stock
from helpers.settings import DataError

PERIOD = "2026-10"
END = pd.Timestamp("2026-10-31")
SELL_IN = [{"dealer_id": "A", "date": dt.date(2026, 10, 30), "revenue": Decimal(1)}]


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def move(
    date: str,
    kind: str,
    quantity: float,
    dealer: str = "A",
    to: str | None = None,
    product: str = "P1",
) -> dict:
    return {
        "dealer_id": dealer,
        "product_id": product,
        "date": day(date),
        "quantity": float(quantity),
        "kind": kind,
        "to_dealer_id": to,
    }


def lot(
    date: str,
    received: str,
    quantity: float,
    dealer: str = "A",
    product: str = "P1",
    cost: str = "2.50",
) -> dict:
    return {
        "snapshot_date": day(date),
        "dealer_id": dealer,
        "product_id": product,
        "received_date": day(received),
        "quantity": float(quantity),
        "unit_cost": Decimal(cost),
    }


def bought(
    date: str, quantity: float | None, revenue: str, dealer: str = "A", product: str = "P1"
) -> dict:
    return {
        "dealer_id": dealer,
        "date": day(date),
        "revenue": Decimal(revenue),
        "quantity": quantity,
        "product_id": product,
        "brand": "Kaltern",
    }


def sold(
    date: str, quantity: float, amount: str, dealer: str | None = "A", product: str = "P1"
) -> dict:
    return {
        "date": day(date),
        "amount": Decimal(amount),
        "dealer_id": dealer,
        "product_id": product,
        "quantity": float(quantity),
    }


def layers(book, period: str = PERIOD) -> list[tuple]:
    found = data.on_hand(book, period).layers
    dates = [None if pd.isna(d) else f"{d:%Y-%m-%d}" for d in found["received_date"]]
    return list(zip(found["dealer_id"], found["product_id"], dates, found["quantity"], strict=True))


def remarks(book, period: str = PERIOD) -> dict[tuple, float]:
    rows = data.on_hand(book, period).remarks
    assert set(rows["remark"]) <= {
        "negative_opening",
        "negative_stock",
        "age_at_least",
        "age_unknown",
        "transfer_short",
    }
    assert all(words.label(code) for code in rows["remark"]), "each remark can be said"
    keys = zip(rows["dealer_id"], rows["product_id"], rows["remark"], strict=True)
    return dict(zip(keys, rows["quantity"], strict=True))


def cut(book: settings.Workbook, *tables: str) -> settings.Workbook:
    """Leave tables out of a workbook."""
    return dataclasses.replace(
        book, tables={name: t for name, t in book.tables.items() if name not in tables}
    )


# ---- golden cases --------------------------------------------------------------------------------


def test_four_deliveries_of_25_lie_in_four_buckets(make_book):
    rows = [move(f"2026-{month:02d}-15", "receipt", 25) for month in range(3, 11)]
    rows += [move(f"2026-{month:02d}-20", "sale", 25) for month in range(3, 7)]
    found = data.on_hand(make_book(sell_in=SELL_IN, stock_moves=rows), PERIOD)
    assert (found.source, found.as_of) == ("stock_moves", END)
    assert (found.as_of - found.layers["received_date"]).dt.days.tolist() == [108, 77, 46, 16]
    assert found.layers["quantity"].tolist() == [25.0] * 4
    assert found.remarks.empty


def test_an_opening_below_zero_is_made_good_by_the_next_delivery(make_book):
    rows = [
        move("2026-01-01", "opening", -30),
        move("2026-02-01", "receipt", 100),
        move("2026-10-01", "sale", 10),
    ]
    book = make_book(sell_in=SELL_IN, stock_moves=rows)
    assert layers(book) == [("A", "P1", "2026-02-01", 60.0)]
    assert remarks(book) == {("A", "P1", "negative_opening"): -30.0}


def test_sold_out_items_have_no_layer_and_oversold_ones_a_remark(make_book):
    rows = [move("2026-09-01", "receipt", 5), move("2026-10-01", "sale", 5)]
    rows += [
        move("2026-09-01", "receipt", 5, product="P2"),
        move("2026-10-01", "sale", 7, product="P2"),
    ]
    rows += [
        move("2026-09-01", "receipt", 0.3, product="P3"),
        move("2026-10-01", "sale", 0.1, product="P3"),
        move("2026-10-02", "sale", 0.2, product="P3"),
    ]
    book = make_book(sell_in=SELL_IN, stock_moves=rows)
    assert layers(book) == []
    assert remarks(book) == {("A", "P2", "negative_stock"): -2.0}


def test_a_transfer_keeps_age_and_cost_and_a_return_comes_back_with_its_age(make_book):
    rows = [
        move("2026-06-01", "receipt", 10),
        move("2026-10-01", "receipt", 10),
        move("2026-10-02", "transfer", 12, "A", "B"),
        move("2026-05-01", "receipt", 4, "C"),
        move("2026-06-01", "sale", 4, "C"),
        move("2026-07-01", "receipt", 4, "C"),
        move("2026-07-09", "return", 1, "C"),
    ]
    lines = [
        bought("2026-06-01", 10, "100"),
        bought("2026-10-01", 10, "120"),
        bought("2026-10-30", 1, "1", product="P9"),
    ]
    book = make_book(sell_in=lines, stock_moves=rows)
    assert layers(book) == [
        ("A", "P1", "2026-10-01", 8.0),
        ("B", "P1", "2026-06-01", 10.0),
        ("B", "P1", "2026-10-01", 2.0),
        ("C", "P1", "2026-05-01", 1.0),
        ("C", "P1", "2026-07-01", 4.0),
    ]
    cost = data.on_hand(book, PERIOD).layers["unit_cost"].tolist()
    assert cost[:3] == [12.0, 10.0, 12.0], "what A paid in the month it came, B's too"
    assert cost[3:] == [11.0, 11.0], "C never bought it: what everybody paid"
    assert remarks(book) == {}


def test_what_the_records_cannot_date(make_book):
    rows = [
        move("2026-03-05", "opening", 8),
        move("2026-04-01", "receipt", 5),
        move("2026-05-01", "sale", 6),
        move("2026-04-01", "receipt", 5, product="P2"),
        move("2026-06-01", "return", 2, product="P2"),
        move("2026-05-05", "transfer", 3, "B", "A", "P3"),
    ]
    book = make_book(sell_in=SELL_IN, stock_moves=rows)
    assert layers(book, "2026-07") == [
        ("A", "P1", "2026-03-05", 2.0),
        ("A", "P1", "2026-04-01", 5.0),
        ("A", "P2", "2026-03-05", 2.0),
        ("A", "P2", "2026-04-01", 5.0),
        ("A", "P3", None, 3.0),
    ]
    assert remarks(book, "2026-07") == {
        ("A", "P1", "age_at_least"): 2.0,
        ("A", "P2", "age_at_least"): 2.0,
        ("A", "P3", "age_unknown"): 3.0,
        ("B", "P3", "transfer_short"): 3.0,
        ("B", "P3", "negative_stock"): -3.0,
    }


def test_moves_that_nobody_can_follow_do_not_count(make_book):
    rows = [
        move("2026-09-01", "receipt", 5),
        move("2026-10-01", "given", 3),
        move("2026-10-01", "transfer", 1),
        move("2026-10-02", "transfer", 2, "A", "A"),
    ]
    book = make_book(sell_in=SELL_IN, stock_moves=rows)
    assert layers(book) == [("A", "P1", "2026-09-01", 4.0)]
    without_taker = [{c: v for c, v in row.items() if c != "to_dealer_id"} for row in rows[:3]]
    assert layers(make_book(sell_in=SELL_IN, stock_moves=without_taker)) == [
        ("A", "P1", "2026-09-01", 4.0)
    ]
    assert data.flows(book, PERIOD)[["transferred_in", "transferred_out"]].to_numpy().tolist() == [
        [0.0, 1.0]
    ]


# ---- which source tells --------------------------------------------------------------------------

COUNTED = [lot("2026-08-31", "2026-05-01", 7), lot("2026-09-30", "2026-05-01", 6)]
MOVED = [move("2026-03-01", "opening", 10), move("2026-09-09", "sale", 5)]


def asked(book, period: str) -> tuple[str, str, float]:
    found = data.on_hand(book, period)
    return found.source, f"{found.as_of:%Y-%m-%d}", found.layers["quantity"].sum()


def test_the_last_count_tells_unless_the_moves_go_on(make_book):
    book = make_book(sell_in=SELL_IN, stock=COUNTED, stock_moves=MOVED)
    assert asked(book, "2026-08") == ("stock", "2026-08-31", 7.0)
    assert asked(book, "2026-09") == ("stock", "2026-09-30", 6.0)
    assert asked(book, "2026-10") == ("stock", "2026-09-30", 6.0), (
        "the moves end in September as well"
    )
    book = make_book(
        sell_in=SELL_IN, stock=COUNTED, stock_moves=[*MOVED, move("2026-10-05", "sale", 1)]
    )
    assert asked(book, "2026-10") == ("stock_moves", "2026-10-31", 4.0)
    assert asked(book, "2026-07") == ("stock_moves", "2026-03-31", 10.0), "before the first count"


def test_nothing_older_than_a_year_tells(make_book):
    book = make_book(sell_in=SELL_IN, stock=COUNTED)
    assert asked(book, "2027-08") == ("stock", "2026-09-30", 6.0)
    assert data.on_hand(book, "2027-09").source == ""
    assert data.on_hand(make_book(sell_in=SELL_IN, stock_moves=MOVED), "2027-09").source == ""


def test_each_dealers_last_count_of_the_month_holds(make_book):
    rows = [
        lot("2026-10-10", "2026-10-01", 9),
        lot("2026-10-28", "2026-10-01", 4),
        lot("2026-10-30", "2026-09-01", 5, "B"),
        lot("2026-10-30", "2026-09-02", 0, "B"),
        lot("2026-10-30", "2026-09-03", -2, "B"),
        lot("2026-10-30", "2026-12-24", 3, "B", cost="7.00"),
    ]
    book = make_book(sell_in=SELL_IN, stock=rows)
    assert layers(book) == [
        ("A", "P1", "2026-10-01", 4.0),
        ("B", "P1", "2026-09-01", 5.0),
        ("B", "P1", None, 3.0),
    ]
    assert data.on_hand(book, PERIOD).as_of == pd.Timestamp("2026-10-30")
    assert data.on_hand(book, PERIOD).layers["unit_cost"].tolist() == [2.5, 2.5, 7.0]
    assert remarks(book) == {("B", "P1", "age_unknown"): 3.0, ("B", "P1", "negative_stock"): -2.0}


TRADED = {
    "sell_in": [
        bought("2026-03-05", 10, "100"),
        bought("2026-08-05", 10, "120"),
        bought("2026-09-05", 2, "-24"),
        bought("2026-09-06", -1, "-12"),
        bought("2026-10-02", None, "5"),
        bought("2026-08-05", 3, "9", "B"),
    ],
    "sell_out": [
        sold("2026-03-20", 4, "80"),
        sold("2026-09-20", 5, "100"),
        sold("2026-10-20", 2, "-40"),
        sold("2026-10-21", -1, "-20"),
        sold("2026-10-21", 3, "60", None),
        sold("2026-10-22", 3, "60", "B", "P2"),
        sold("2026-10-23", 4, "60", "B"),
    ],
}


def test_sell_in_less_sell_out(make_book):
    book = make_book(**TRADED)
    # 10 + 10 − 2 − 1 came, 4 + 5 − 2 − 1 left: 11 there, 10 of them from August
    assert layers(book) == [("A", "P1", "2026-03-05", 1.0), ("A", "P1", "2026-08-05", 10.0)]
    assert remarks(book) == {("B", "P1", "negative_stock"): -1.0}, (
        "P2 was never bought from us: no oddity"
    )
    assert asked(book, PERIOD)[:2] == ("sell_in", "2026-10-31")
    assert data.on_hand(book, PERIOD).layers["unit_cost"].tolist() == [10.0, 12.0]


def test_without_pieces_sold_nobody_pretends_to_know(make_book):
    for sell_out in (
        [],
        [{c: v for c, v in row.items() if c != "quantity"} for row in TRADED["sell_out"]],
    ):
        given = {"sell_in": TRADED["sell_in"], **({"sell_out": sell_out} if sell_out else {})}
        found = data.on_hand(make_book(**given), PERIOD)
        assert (found.source, len(found.layers), len(found.remarks)) == ("", 0, 0)
        assert pd.isna(found.as_of)
        assert list(found.layers) == [
            "dealer_id",
            "product_id",
            "received_date",
            "quantity",
            "unit_cost",
        ]
        flows = data.flows(make_book(**given), PERIOD)
        assert flows[["sold", *stock.SOLD, "last_sold_date"]].isna().all(axis=None)
        assert flows["received"].tolist() == [17.0, 3.0]
    assert data.flows(make_book(sell_in=SELL_IN), PERIOD).empty
    assert list(data.flows(make_book(sell_in=SELL_IN), PERIOD)) == stock.FLOWS
    alone = data.flows(make_book(sell_in=SELL_IN, sell_out=TRADED["sell_out"]), PERIOD)
    assert alone["received"].isna().all() and alone["sold"].tolist() == [6.0, 4.0, 3.0]


def test_only_the_months_that_both_tables_cover_count(make_book):
    early = {
        **TRADED,
        "sell_in": [
            bought("2025-12-01", 50, "500"),
            bought("2026-02-01", 7, "70"),
            *TRADED["sell_in"],
        ],
    }
    book = make_book(**early)
    assert layers(book)[0] == ("A", "P1", "2026-03-05", 1.0), (
        "what came before the tills tell would seem to lie there"
    )
    late = {
        **TRADED,
        "sell_in": [row for row in TRADED["sell_in"] if row["date"] < day("2026-09-01")],
    }
    assert asked(make_book(**late), PERIOD) == ("sell_in", "2026-08-31", 19.0)


def test_an_error_in_the_data_is_told(make_book):
    book = make_book(
        sell_in=SELL_IN,
        stock="snapshot_date,dealer_id,product_id,received_date,quantity,unit_cost\n"
        "2026-10-31,A,P1,2026-10-01,many,1\n",
    )
    with pytest.raises(
        DataError, match=r"stock\.quantity: 1 row of stock\.csv holds no number, e\.g\. 'many'"
    ):
        data.on_hand(book, PERIOD)


# ---- what a piece cost ---------------------------------------------------------------------------


def test_the_cost_is_of_the_month_else_of_the_pair_else_of_the_model(make_book):
    rows = [
        move("2026-09-03", "receipt", 1),
        move("2026-08-01", "receipt", 1),
        move("2026-09-01", "receipt", 1, "B"),
        move("2026-09-01", "receipt", 1, "B", product="P2"),
        move("2026-10-30", "receipt", 1, "C", product="P2"),
    ]
    lines = [
        bought("2026-09-20", 3, "30"),
        bought("2026-09-25", 1, "20"),
        bought("2026-10-01", 2, "40"),
        bought("2026-09-20", -3, "-90"),
        bought("2026-09-20", 4, "0"),
        bought("2026-11-01", 1, "999"),
    ]
    found = data.on_hand(make_book(sell_in=lines, stock_moves=rows), PERIOD).layers
    assert found["unit_cost"].isna().tolist() == [False, False, False, True, True]
    assert found["unit_cost"].dropna().tolist() == [15.0, 12.5, 15.0], (
        "August's from all he paid, B's from everybody's"
    )


# ---- past months stay what they were -------------------------------------------------------------


def test_a_past_month_is_the_same_without_what_came_later(small_demo, tmp_path, cache):
    folder = small_demo.folder / "data" / "demo"
    raw = {
        name: pd.read_parquet(folder / f"{name}.parquet")
        for name in ("stock", "stock_moves", "sell_in", "sell_out")
    }
    before = {
        name: rows[rows["snapshot_date" if name == "stock" else "date"] <= "2026-06-30"]
        for name, rows in raw.items()
    }
    whole, early = (
        settings.workbook(write_book(tmp_path / name, given, "Norvella", name=name))
        for name, given in (("whole", raw), ("early", before))
    )
    for gone, source in (
        ((), "stock"),
        (("stock",), "stock_moves"),
        (("stock", "stock_moves"), "sell_in"),
    ):
        now, then = (data.on_hand(cut(book, *gone), "2026-06") for book in (whole, early))
        assert now.source == then.source == source and len(now.layers) > 100
        assert now.as_of == then.as_of == pd.Timestamp("2026-06-30")
        assert_frame_equal(now.layers, then.layers)
        assert_frame_equal(now.remarks, then.remarks)
        assert_frame_equal(
            data.flows(cut(whole, *gone), "2026-06"), data.flows(cut(early, *gone), "2026-06")
        )


# ---- twins ---------------------------------------------------------------------------------------


def many_histories(n: int, *, transfers: bool) -> pd.DataFrame:
    """Put histories beside each other, each with dealers of its own."""
    parts = [history(seed, transfers=transfers).assign(seed=f"{seed:03d}") for seed in range(n)]
    rows = pd.concat(parts, ignore_index=True)
    for column in ("dealer_id", "to_dealer_id"):
        rows[column] = (rows["seed"] + rows[column].astype("str")).where(rows[column].notna(), None)
    return rows.drop(columns="seed").assign(quantity=rows["quantity"].astype("float64"))


def as_rows(table: pd.DataFrame) -> list[dict]:
    rows = table.assign(date=table["date"].dt.date).astype("object")
    return rows.where(rows.notna(), None).to_dict("records")


def test_a_hundred_histories_end_as_single_pieces_do(make_book):
    table = many_histories(100, transfers=True)
    book = make_book(sell_in=SELL_IN, stock_moves=as_rows(table))
    found, twin = data.on_hand(book, PERIOD), Twin(table.astype({"quantity": "int64"}))
    pieces = {
        (*key[:2], None if key[2] is None else f"{key[2]:%Y-%m-%d}"): n
        for key, (n, _old) in twin.layers().items()
    }
    assert {row[:3]: row[3] for row in layers(book)} == pieces
    assert len(pieces) > 500
    told = remarks(book)
    expected = twin.remarks()
    for (dealer, product, date), (n, old) in twin.layers().items():
        for code, pieces in (("age_at_least", old), ("age_unknown", n if date is None else 0)):
            if pieces:
                key = (dealer, product, code)
                expected[key] = expected.get(key, 0) + pieces
    opened = (
        table[table["kind"] == "opening"].groupby(["dealer_id", "product_id"])["quantity"].sum()
    )
    expected |= {(*pair, "negative_opening"): n for pair, n in opened[opened < 0].items()}
    assert told == expected
    shuffled = make_book(
        sell_in=SELL_IN, stock_moves=as_rows(table.sample(frac=1, random_state=1)), name="shuffled"
    )
    assert_frame_equal(data.on_hand(shuffled, PERIOD).layers, found.layers)


PIECES = """
WITH days AS (
    SELECT dealer_id, product_id, date, SUM(quantity) AS n,
               SUM(quantity) FILTER (kind = 'opening') AS opened
    FROM moves WHERE kind IN ('opening', 'receipt') GROUP BY ALL),
gone AS (
    SELECT dealer_id, product_id, SUM(n) AS n FROM (
        SELECT dealer_id, product_id, CASE kind WHEN 'sale' THEN quantity ELSE -quantity END AS n
        FROM moves WHERE kind IN ('sale', 'return')
        UNION ALL SELECT dealer_id, product_id, -n FROM days WHERE n < 0) GROUP BY ALL),
pieces AS (
    SELECT dealer_id, product_id, date,
               ROW_NUMBER() OVER (PARTITION BY dealer_id, product_id ORDER BY date) AS place
    FROM (SELECT dealer_id, product_id, date, UNNEST(RANGE(CAST(n AS BIGINT)))
              FROM days WHERE n > 0)
    UNION ALL  -- sold before the records began, and brought back: they stand before the first
    SELECT dealer_id, product_id, DATE '2026-10-01', -place FROM (
        SELECT dealer_id, product_id, UNNEST(RANGE(CAST(-n AS BIGINT))) AS place
        FROM gone WHERE n < 0))
SELECT dealer_id, product_id, CAST(CAST(date AS DATE) AS VARCHAR) AS date,
       CAST(COUNT(*) AS DOUBLE) AS quantity
FROM pieces LEFT JOIN gone USING (dealer_id, product_id) WHERE place > COALESCE(gone.n, 0)
GROUP BY ALL
ORDER BY dealer_id, product_id, date
"""


def test_without_transfers_sql_counts_the_same_pieces(make_book):
    moves = many_histories(100, transfers=False)
    expected = duckdb.sql(PIECES).fetchall()
    assert len(moves) > 1000 and len(expected) > 500
    assert layers(make_book(sell_in=SELL_IN, stock_moves=as_rows(moves))) == expected


def test_the_server_answers_as_duckdb_does(server, tmp_path, cache):  # noqa: F811
    rows = {"stock_moves": as_rows(many_histories(8, transfers=True)), **TRADED, "stock": COUNTED}
    rows["sell_in"] = [
        *rows["sell_in"],
        bought("2026-10-05", 3, "33", "000A", "P"),
        bought("2026-10-05", 3, "10", "1", "Q"),
    ]
    load_network(server, rows, "aged_")
    toml = write_book(
        tmp_path / "served", {}, extra="\n".join(f'[data.{t}]\nsource = "aged_{t}"' for t in rows)
    )
    toml.write_text(toml.read_text().replace("[data]", f'[data]\nengine = "{server}"'))
    served, embedded = (
        settings.workbook(toml),
        settings.workbook(write_book(tmp_path / "embedded", rows, name="aged")),
    )
    for gone, source in (
        ((), "stock_moves"),
        (("stock", "stock_moves"), "sell_in"),
        (("stock_moves",), "stock"),
    ):
        one, other = (data.on_hand(cut(book, *gone), PERIOD) for book in (served, embedded))
        assert one.source == other.source == source and one.as_of == other.as_of and len(one.layers)
        assert_frame_equal(one.layers, other.layers)
        assert_frame_equal(one.remarks, other.remarks)
        assert_frame_equal(*(data.flows(cut(book, *gone), PERIOD) for book in (served, embedded)))
    assert_frame_equal(data.models(served), data.models(embedded))


@pytest.mark.parametrize("period", ["2026-05", "2026-10"])
def test_the_demos_moves_leave_what_the_demo_counts(small_demo, period):
    counted = data.on_hand(small_demo, period)
    moved = data.on_hand(cut(small_demo, "stock"), period)
    assert (counted.source, moved.source) == ("stock", "stock_moves")
    assert counted.as_of == moved.as_of
    assert len(counted.layers) > 500
    columns = ["dealer_id", "product_id", "received_date", "quantity"]
    assert_frame_equal(counted.layers[columns], moved.layers[columns])
    # a few invoices of the demo bear another dealer's name, and his price
    off = (counted.layers["unit_cost"] / moved.layers["unit_cost"] - 1).abs()
    assert off.median() < 1e-6 and (off < 0.001).mean() > 0.97
    assert set(moved.remarks["remark"]) <= {"age_at_least"}


def test_planted_stock_is_found(small_demo):
    from helpers.demo import build

    truth = build.planted(n_dealers=60, n_months=26)
    for book in (small_demo, cut(small_demo, "stock")):
        found = data.on_hand(book, PERIOD)
        rows = found.layers.assign(age=(found.as_of - found.layers["received_date"]).dt.days)
        rows["value"] = rows["quantity"] * rows["unit_cost"]
        old = rows["value"].where(rows["age"] > 180, 0).groupby(rows["dealer_id"]).sum()
        share = old / rows.groupby("dealer_id")["value"].sum()
        assert set(share.nlargest(len(truth["dead_stock"])).index) == set(truth["dead_stock"])
        assert truth["overrated_dealer"][0] in truth["dead_stock"]


# ---- flows and models ----------------------------------------------------------------------------


def test_flows_by_hand(make_book):
    rows = [
        move("2025-12-01", "opening", 50),
        move("2025-12-03", "receipt", 9),
        move("2026-03-01", "receipt", 5),
        move("2026-08-02", "sale", 8),
        move("2026-08-03", "sale", 4),
        move("2026-10-05", "return", 1),
        move("2026-10-06", "receipt", -2),
        move("2026-10-07", "transfer", 6, "A", "B"),
        move("2026-10-08", "transfer", 1),
        move("2026-11-02", "sale", 1),
    ]
    book = make_book(sell_in=SELL_IN, stock_moves=rows)
    found = data.flows(book, PERIOD)
    assert found.drop(columns=["last_received_date", "last_sold_date"]).to_numpy().tolist() == [
        # sold: in all, and in the last 30, 60, 90, 180 and 360 days
        ["A", "P1", 12.0, 11.0, -1.0, -1.0, 3.0, 11.0, 11.0, 0.0, 7.0, 335],
        ["B", "P1", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 6.0, 0.0, 335],
    ]
    assert found.loc[0, ["last_received_date", "last_sold_date"]].tolist() == [
        pd.Timestamp("2026-03-01"),
        pd.Timestamp("2026-08-03"),
    ]
    assert found.loc[1, ["last_received_date", "last_sold_date"]].isna().all()
    short = data.flows(book, PERIOD, n_months=1).set_index("dealer_id")
    assert short.loc["A", ["received", "sold", "n_days"]].tolist() == [-2.0, -1.0, 31]


def test_flows_of_invoices_and_tills(make_book):
    found = data.flows(make_book(**TRADED), PERIOD)
    pieces = [
        "dealer_id",
        "product_id",
        "received",
        "sold",
        "sold_90d",
        "transferred_in",
        "transferred_out",
        "n_days",
    ]
    assert found[pieces].to_numpy().tolist() == [
        ["A", "P1", 17.0, 6.0, 2.0, 0.0, 0.0, 245],
        ["B", "P1", 3.0, 4.0, 4.0, 0.0, 0.0, 245],
    ]


def test_what_came_less_what_went_is_what_lies_there(small_demo):
    flows = data.flows(small_demo, PERIOD)  # twelve months: all the moves there are
    there = data.on_hand(small_demo, PERIOD).layers["quantity"].sum()
    raw = pd.read_parquet(small_demo.folder / "data" / "demo" / "stock_moves.parquet")
    opening = raw.loc[raw["kind"] == "opening", "quantity"].sum()
    assert opening + flows["received"].sum() - flows["sold"].sum() == there
    assert flows["transferred_in"].sum() == flows["transferred_out"].sum() > 0
    raw = raw[raw["kind"].isin(["sale", "return"])]
    sold = raw["quantity"] * raw["kind"].map({"sale": 1, "return": -1})
    for days in data.SPANS:
        recent = raw["date"] > END - pd.Timedelta(days=days)
        assert flows[f"sold_{days}d"].sum() == sold[recent].sum()


def test_models_of_the_master_file_and_those_only_seen(make_book, small_demo):
    names = ["product_id", "product_name", "category", "brand", "list_price"]
    products = [
        dict(zip(names, row, strict=True))
        for row in (("P1", "Eins", "c", "Lumora", Decimal(9)), ("P2", None, None, None, None))
    ]
    book = make_book(
        sell_in=[bought("2026-10-30", 1, "1", product="P8")],
        products=products,
        stock=COUNTED,
        stock_moves=[move("2026-10-01", "receipt", 1, product="P9")],
    )
    found = data.models(book)
    assert found["product_id"].tolist() == ["P1", "P2", "P8", "P9"]
    assert found["product_name"].tolist() == ["Eins", "P2", "P8", "P9"]
    assert found["list_price"].tolist()[:1] == [9.0] and found.loc[
        1:, ["category", "brand", "list_price"]
    ].isna().all(axis=None)
    assert data.models(make_book(sell_in=SELL_IN)).empty
    assert list(data.models(make_book(sell_in=SELL_IN))) == stock.MODELS
    assert not data.models(small_demo, "zh-Hans")["product_name"].equals(
        data.models(small_demo, "en")["product_name"]
    )


def test_the_findings_name_what_the_layers_leave_out(make_book):
    rows = [
        move("2026-09-01", "receipt", 5),
        move("2026-10-01", "given", 3),
        move("2026-10-01", "transfer", 1),
    ]
    found = checks.findings(make_book(sell_in=SELL_IN, stock_moves=rows))
    assert {"direction", "taker"} <= set(found["check"])
    assert data.has(make_book(sell_in=SELL_IN, stock_moves=rows), "stock_moves.kind")
