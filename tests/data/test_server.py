"""A server as engine.

PostgreSQL answers to the cent and label as DuckDB does, and nothing of it is copied.
"""

import datetime as dt
import random
from decimal import Decimal

import pandas as pd
import pytest
from ibis.expr.types import Table

from conftest import network_rows, write_book
from helpers import data, periods, settings
from helpers.data import checks, connections, consumer_habits, read, tables
from helpers.settings import DataError
from servers import load, postgres_cluster

PERIOD = "2026-10"
SQL = {
    "id": "text",
    "text": "text",
    "month": "text",
    "date": "date",
    "money": "numeric(18, 2)",
    "number": "float8",
}


@pytest.fixture(scope="module")
def server():
    """Start a private cluster on the loopback and give its URL."""
    with postgres_cluster() as url:
        try:
            yield url
        finally:
            connections.connection.cache_clear()


def load_network(url: str, given: dict[str, list[dict]], prefix: str = "") -> None:
    for table, rows in given.items():
        known = settings.contract()[table]
        load(
            url,
            prefix + table,
            {c: SQL[known[c].kind] for c in rows[0]},
            [tuple(row.values()) for row in rows],
        )


@pytest.fixture(scope="module")
def rows() -> dict[str, list[dict]]:
    return network_rows(seed=5, n_dealers=30, n_lines=2500)


@pytest.fixture
def books(server, rows, make_book, tmp_path, cache):
    """Open the same tables on the server and in DuckDB."""
    load_network(server, rows)
    toml = write_book(
        tmp_path / "served", {}, extra="\n".join(f'[data.{t}]\nsource = "{t}"' for t in rows)
    )
    text = toml.read_text().replace("[data]", f'[data]\nengine = "{server}"')
    toml.write_text(text)
    return settings.workbook(toml), make_book(**rows)


ASKED = {
    "totals": lambda book: data.dealer_totals(book, PERIOD),
    "quarters": lambda book: data.dealer_totals(book, PERIOD, n_months=3, n_windows=8),
    "months": lambda book: data.dealer_months(book, PERIOD),
    "orders": lambda book: data.dealer_orders(book, PERIOD),
    "rhythm": lambda book: data.order_rhythm(book, PERIOD),
    "previous": lambda book: data.previous_totals(book, PERIOD),
    "reconciliation": lambda book: data.reconciliation(book, PERIOD),
    "network": lambda book: data.network_months(book, PERIOD),
    "spans": lambda book: data.dealer_spans(book, PERIOD),
    "bridge": lambda book: data.bridge(book, PERIOD, "year_to_date"),
    "dealers": data.dealers,
    "findings": lambda book: checks.findings(book).drop(columns=["file", "line"]),
    "records": lambda book: data.records(book, "products"),
    "span": lambda book: pd.DataFrame(
        [[*read.span(book), data.require_period(book), data.brand_share_basis(book)]]
    ),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_the_server_answers_as_duckdb_does(books, ask):
    served, embedded = books
    pd.testing.assert_frame_equal(ask(served), ask(embedded), check_exact=True)


def shop_rows() -> dict[str, list[dict]]:
    """Draw what features are made of.

    Sell-out with returns and gaps, contacts, stock, places, dealers' profit.
    """
    draw, first = random.Random(11), dt.date(2025, 8, 1)
    ids, products = [f"{i:04d}" for i in range(12)], [f"P{i}" for i in range(9)]

    def maybe(value, chance: float = 0.15):
        return None if draw.random() < chance else value

    def day(n: int = 450) -> dt.date:
        return first + dt.timedelta(days=draw.randrange(n))

    sold = [
        {
            "date": day(),
            "amount": Decimal(draw.randint(-900, 20_000)) / 100,
            "dealer_id": maybe(draw.choice(ids)),
            "consumer_id": maybe(f"C{draw.randrange(150)}"),
            "product_id": f"P{draw.randrange(10)}",
            "quantity": maybe(float(draw.choice((0, 1, 2, 500)))),
            "list_amount": maybe(Decimal("150.00")),
            "promotion_id": maybe(f"M{draw.randrange(4)}", 0.6),
        }
        for _ in range(1500)
    ]
    profit = [
        {
            "dealer_id": d,
            "month": m,
            "brand": "Lumora",
            "revenue": Decimal(draw.randint(10, 90)),
            "gross_profit": Decimal(draw.randint(1, 9)),
            "rebate": maybe(Decimal("1.50")),
            "average_stock_value": maybe(Decimal("33.30")),
        }
        for d in ids[:9]
        for m in periods.month_range(PERIOD, 14)
    ]
    return {
        "sell_in": network_rows(seed=9, n_dealers=12, n_lines=900)["sell_in"],
        "sell_out": sold,
        "dealer_profit": profit,
        "dealers": [
            {"dealer_id": f"{i:04d}", "region": maybe("R"), "city": f"city {i % 3}"}
            for i in range(1, 13)
        ],
        "regions": [
            {"region": r, "city": f"city {i}", "population": 1e5 + i} for i, r in enumerate("RRS")
        ],
        "products": [
            {"product_id": p, "category": maybe(f"c{i % 4}"), "brand": maybe("Lumora")}
            for i, p in enumerate(products)
        ],
        "promotions": [
            {
                "promotion_id": f"M{i}",
                "kind": f"k{i % 2}",
                "start_date": dt.date(2026, 1 + i, 1),
                "end_date": maybe(dt.date(2026, 1 + i, 20)),
            }
            for i in range(3)
        ],
        "contacts": [
            {
                "consumer_id": f"C{i % 160}",
                "promotion_id": f"M{i // 160}",
                "sent_date": maybe(day()),
                "responded_date": maybe(day(), 0.6),
            }
            for i in range(640)
        ],
        "stock": [
            {
                "snapshot_date": snapshot,
                "dealer_id": d,
                "product_id": p,
                "received_date": dt.date(2026, 1, n),
                "quantity": float(draw.randint(0, 5)),
                "unit_cost": Decimal(draw.randint(100, 99_999)) / 100,
            }
            for snapshot in (dt.date(2026, 9, 30), dt.date(2026, 10, 31))
            for d in ids
            for p in products
            for n in (3, 17)
        ],
    }


@pytest.fixture(scope="module")
def shops(server, tmp_path_factory):
    """Open the same shops on the server and in DuckDB."""
    folder, rows = tmp_path_factory.mktemp("shops"), shop_rows()
    load_network(server, rows, "shop_")  # beside the tables of `books`
    toml = write_book(
        folder / "served", {}, extra="\n".join(f'[data.{t}]\nsource = "shop_{t}"' for t in rows)
    )
    toml.write_text(toml.read_text().replace("[data]", f'[data]\nengine = "{server}"'))
    return settings.workbook(toml), settings.workbook(
        write_book(folder / "embedded", rows, name="shops")
    )


LABELS = pd.Series({f"C{i}": f"g{i % 3}" for i in range(140)})
FEATURES = {
    "dealers": lambda book: data.dealer_features(book, PERIOD),
    "consumers": lambda book: data.consumer_features(book, PERIOD),
    **{
        by: lambda book, by=by: data.group_sums(book, PERIOD, 36, LABELS, by)
        for by in consumer_habits.GROUPED_BY
    },
    "responses": lambda book: data.responses(book, PERIOD, 36, LABELS),
    "margin": lambda book: data.group_margin(book, PERIOD, 36, LABELS),
    "unidentified": lambda book: pd.Series([data.unidentified_share(book, PERIOD)]).to_frame(),
    "peak": lambda book: pd.DataFrame([data.peak_months(book, PERIOD)]),
}


@pytest.mark.parametrize("ask", FEATURES.values(), ids=FEATURES)
def test_the_server_measures_features_as_duckdb_does(shops, ask):
    served, embedded = (ask(book) for book in shops)
    assert len(embedded) and embedded.notna().any().all(), "every column has something to compare"
    # tiers and costs of pieces are divisions of floats, the last digit of which is the engine's own
    pd.testing.assert_frame_equal(served, embedded, rtol=1e-6, check_dtype=False)


def test_nothing_is_copied_and_only_aggregates_leave_the_server(books, cache, monkeypatch):
    served, _embedded = books
    sizes, to_pandas = [], Table.to_pandas

    def counted(self, **options) -> pd.DataFrame:
        answer = to_pandas(self, **options)
        sizes.append(len(answer))
        return answer

    monkeypatch.setattr(Table, "to_pandas", counted)
    data.prepare(served)
    data.dealer_totals(served, PERIOD)
    checks.findings(served)
    assert max(sizes) <= 33  # dealers, or months
    assert not cache.exists() or not list(cache.iterdir())


def test_the_fingerprint_follows_the_servers_lines(books, server):
    import psycopg

    served, _embedded = books
    before = tables.fingerprint(served)
    assert tables.fingerprint(served) == before
    with psycopg.connect(server) as con:
        con.execute(
            "INSERT INTO payments (dealer_id, date, amount) VALUES ('0001', '2026-10-01', 1)"
        )
    assert tables.fingerprint(served) != before


@pytest.fixture
def served(server, tmp_path, cache):
    def open_(extra: str, **head) -> settings.Workbook:
        toml = write_book(tmp_path, {}, extra=extra, **head)
        toml.write_text(toml.read_text().replace("[data]", f'[data]\nengine = "{server}"'))
        return settings.workbook(toml)

    return open_


FOREIGN = {
    "Store Number": "float8",
    "Day": "text",
    "Sale (Dollars)": "float8",
    "Qty": "int",
    "Tax": "numeric(9, 3)",
}
MAPPING = """[data.sell_in]
source = "public.export"
[data.sell_in.columns]
dealer_id = "Store Number"
date = "Day"
revenue = "Sale (Dollars)"
cost = 'COALESCE("Tax", 0) * CASE WHEN "Qty" > 1 THEN 2 ELSE 1 END'
quantity = "Qty"
"""


def test_foreign_headers_and_expressions_are_mapped_on_the_server(server, served):
    load(
        server,
        "export",
        FOREIGN,
        [
            (10003.0, "2026-10-30", 1.005, 1, "1.005"),
            (10003.0, "2026-10-29", -0.1, 2, None),
            (float("nan"), "2026-10-29", 5.0, 1, 0),
            (None, "2026-10-29", 6.0, 1, 0),
        ],
    )
    book = served(MAPPING, brand="")
    found = data.dealer_totals(book, PERIOD)
    assert found[["dealer_id", "revenue", "gross_profit", "quantity"]].to_numpy().tolist() == [
        ["10003", 0.91, -0.1, 3.0]
    ]
    assert data.reconciliation(book, PERIOD)["unidentified"].tolist() == [11.0]


def test_a_date_format_is_carried_over(server, served):
    load(server, "export", FOREIGN, [(1, "10/30/2026", 2, 1, 1), (1, "01/02/2026", 3, 1, 1)])
    assert read.span(served(MAPPING + '[data.sell_in.format]\ndate = "%m/%d/%Y"', brand="")) == (
        "2026-01",
        "2026-10",
    )


@pytest.mark.parametrize(("day", "words"), [("30/10/2026", "sell_in"), ("yesterday?", "sell_in")])
def test_a_value_that_does_not_fit_is_an_error_of_that_table(server, served, day, words):
    load(server, "export", FOREIGN, [(1, "2026-10-01", 2, 1, 1), (1, day, 3, 1, 1)])
    (finding,) = checks.findings(served(MAPPING, brand="")).itertuples()
    assert (finding.table, finding.severity) == (words, "error")


def test_keys_and_required_values_are_checked_on_the_server(server, served):
    load(server, "export", FOREIGN, [(1, "2026-10-01", 2, 1, 1), (1, "2026-10-01", None, 1, 1)])
    load(server, "shops", {"dealer_id": "text"}, [("1",), ("1",), (None,), ("  ",)])
    book = served(MAPPING + '[data.dealers]\nsource = "shops"', brand="")
    told = {
        (row.table, row.column, row.check): row.n_rows for row in checks.findings(book).itertuples()
    }
    assert told == {
        ("sell_in", "revenue", "missing"): 1,
        ("dealers", "dealer_id", "missing"): 2,
        ("dealers", "dealer_id", "duplicate_key"): 2,
    }
    with pytest.raises(DataError, match=r"dealers\.dealer_id: 2 rows of shops are empty"):
        data.prepare(book)


def test_a_query_is_the_servers_own_sql(server, served):
    load(server, "export", FOREIGN, [(1, "2026-10-01", 2, 1, 1), (1, "2026-10-30", 3, 1, 1)])
    query = """select "Store Number"::int::text as dealer_id, to_date("Day", 'YYYY-MM-DD') as date,
               "Sale (Dollars)"::numeric as revenue from export where "Qty" >= 1"""
    book = served(f"[data.sell_in]\nquery = '''{query}'''", brand="")
    assert data.dealer_totals(book, PERIOD)["revenue"].tolist() == [5.0]


def test_a_table_that_is_not_there_is_told(served):
    (finding,) = checks.findings(served('[data.sell_in]\nsource = "nosuch"')).itertuples()
    assert finding.check == "source"
    assert "sell_in: nosuch can't be read: " in finding.example


def test_expressions_that_would_change_their_meaning_are_refused(server, served):
    load(server, "export", FOREIGN, [])
    book = served(MAPPING.replace('"Sale (Dollars)"', "'TRY_CAST(\"Day\" AS DECIMAL(18,2))'"))
    (finding,) = checks.findings(book).itertuples()
    assert (
        "'TRY_CAST(\"Day\" AS DECIMAL(18, 2))' is not carried over to another engine"
        in finding.example
    )
