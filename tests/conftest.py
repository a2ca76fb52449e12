"""Fixtures: a cache of the tests' own, small workbooks written by hand, a random network as plain
rows, the demo.
"""

import datetime as dt
import os
import shutil
import signal
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from random import Random

import hypothesis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers import periods, settings, words
from helpers.data import cache as results
from helpers.data import connections
from helpers.demo import build

BRAND, RIVALS = "Lumora", ("Kaltern", "Ostwind")
ARROW = {
    "id": pa.string(),
    "text": pa.string(),
    "month": pa.string(),
    "date": pa.date32(),
    "money": pa.decimal128(18, 2),
    "number": pa.float64(),
}

hypothesis.settings.register_profile("workbook", deadline=None)  # a shared machine is slow at times
hypothesis.settings.load_profile("workbook")


def _redirect(patch: pytest.MonkeyPatch, folder: Path) -> Path:
    patch.setattr(connections, "CACHE", folder)
    return folder


@pytest.fixture
def looks():
    """Draw in English and in yuan; close what was drawn."""
    import matplotlib.pyplot as plt

    from helpers import look

    look.use("en", "CNY")
    yield
    plt.close("all")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Keep every test out of the project's cache."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("WORKBOOK_CACHE", str(folder))  # kernels and commands follow
        yield _redirect(patch, folder)


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch):
    """Have every test work out its own results.

    One that changes a function would read another's.
    """
    monkeypatch.setattr(results, "IN_USE", False)


@pytest.fixture(autouse=True)
def _no_command():
    """Have no test take the process for a command, which ends as a whole when it hears nobody."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(autouse=True)
def _english_again():
    """Keep a test's language, and its workbook's own terms, from the next one."""
    yield
    words.speak("en")
    words.add_terms({})


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """Give this test an empty cache."""
    return _redirect(monkeypatch, tmp_path / "cache")


@pytest.fixture
def project_cache(monkeypatch) -> Path:
    """Use the project's own cache, where large real data are built once."""
    return _redirect(monkeypatch, settings.CHECKOUT / "data" / "cache")


def arrow(table: str, rows: list[dict]) -> pa.Table:
    """Give rows the types of the contract."""
    known = settings.contract()[table]
    names = [c for c in known if c in rows[0]] if rows else [c for c in known if known[c].required]
    return pa.Table.from_pylist(rows, schema=pa.schema([(c, ARROW[known[c].kind]) for c in names]))


def write_book(
    folder: Path, given: dict, brand: str = BRAND, extra: str = "", name: str = "small"
) -> Path:
    """Write a toml and its tables.

    CSV from text, Parquet from rows, data frames and Arrow tables.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "[workbook]",
        f'name = "{name}"',
        f'brand = "{brand}"',
        'currency = "CNY"',
        "",
        "[data]",
    ]
    for table, content in given.items():
        path = folder / f"{table}.{'csv' if isinstance(content, str) else 'parquet'}"
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            content = (
                pa.Table.from_pandas(content) if isinstance(content, pd.DataFrame) else content
            )
            pq.write_table(
                content if isinstance(content, pa.Table) else arrow(table, content), path
            )
        lines += [f"[data.{table}]", f'source = "{path.name}"']
    toml = folder / "workbook.toml"
    toml.write_text("\n".join([*lines, extra]) + "\n", encoding="utf-8")
    return toml


@pytest.fixture
def make_book(tmp_path, cache):
    """Write a workbook of the given tables into the test's folder and read it.

    `extra` is more TOML.
    """

    def make(
        brand: str = BRAND, extra: str = "", name: str = "small", **given
    ) -> settings.Workbook:
        return settings.workbook(write_book(tmp_path, given, brand, extra, name))

    return make


def small_tables() -> dict[str, list[dict]]:
    """Lay out eight dealers over 30 months.

    Dealer i buys i × 100.10 of ours and i × 50.05 of a rival's each month.

    Dealer 8 stops in January 2026, 9 is not listed, 5 of March each year comes without a dealer;
    all pay 90 % a month later.
    """
    months = periods.month_range("2026-10", 30)
    sell_in, payments = [], []
    for month in months:
        day = dt.date.fromisoformat(f"{month}-05")
        for i in range(1, 10):
            if i == 8 and month > "2026-01":
                continue
            dealer = {"dealer_id": f"{i:03d}", "date": day, "order_id": f"{month}/{i}"}
            ours, rival = i * Decimal("100.10"), i * Decimal("50.05")
            sell_in.append(
                {
                    **dealer,
                    "revenue": ours,
                    "cost": i * Decimal("60.00"),
                    "rebate": i * Decimal("1.01"),
                    "quantity": float(i),
                    "product_id": "P1",
                    "brand": BRAND,
                }
            )
            sell_in.append(
                {
                    **dealer,
                    "revenue": rival,
                    "cost": i * Decimal("40.00"),
                    "rebate": None,
                    "quantity": 1.0,
                    "product_id": "P2",
                    "brand": RIVALS[0],
                }
            )
            payments.append(
                {
                    "dealer_id": f"{i:03d}",
                    "date": day + dt.timedelta(days=30),
                    "amount": i * Decimal("90"),
                }
            )
        if month.endswith("-03"):
            sell_in.append(
                {
                    **dealer,
                    "dealer_id": None,
                    "revenue": Decimal("7.70"),
                    "cost": None,
                    "rebate": None,
                    "quantity": 1.0,
                    "product_id": "P1",
                    "brand": BRAND,
                }
            )
    sell_in[-1]["date"] = dt.date(2026, 10, 29)
    return {
        "dealers": [
            {
                "dealer_id": f"{i:03d}",
                "dealer_name": f"店{i}",
                "dealer_name_en": f"Shop {i}" if i < 8 else None,
                "floor_area_m2": 50.0 * i,
                "opened_date": dt.date(2020, 1, i),
            }
            for i in range(1, 9)
        ],
        "products": [
            {"product_id": "P1", "brand": BRAND, "list_price": Decimal("99.90")},
            {"product_id": "P2", "brand": RIVALS[0], "list_price": None},
        ],
        "sell_in": sell_in,
        "payments": payments,
    }


@pytest.fixture
def small(make_book) -> settings.Workbook:
    """Open the workbook of `small_tables`."""
    return make_book(**small_tables())


def network_rows(seed: int = 7, n_dealers: int = 40, n_lines: int = 4000) -> dict[str, list[dict]]:
    """Draw a network with everything that goes wrong.

    Returns, missing dealers, brands and costs, stray dates.
    """
    random = Random(seed)
    ids = [f"{i:04d}" for i in range(1, n_dealers + 1)]
    first, n_days = dt.date(2024, 5, 1), 912  # to 2026-10-29

    def cents(low: int, high: int) -> Decimal:
        return Decimal(random.randint(low, high)) / 100

    def day() -> dt.date:
        return first + dt.timedelta(days=random.randrange(n_days))

    def maybe(value, chance: float):
        return None if random.random() < chance else value

    products = [
        {"product_id": f"P{i}", "brand": maybe(random.choice((BRAND, *RIVALS)), 0.1)}
        for i in range(30)
    ]
    sell_in = [
        {
            "dealer_id": maybe(random.choice(ids), 0.02),
            "date": day(),
            "revenue": cents(-20_000, 900_000),
            "cost": maybe(cents(0, 500_000), 0.1),
            "rebate": maybe(cents(0, 9_000), 0.4),
            "quantity": maybe(float(random.randint(-3, 40)), 0.05),
            "product_id": f"P{random.randrange(33)}",
            "brand": maybe(random.choice((BRAND, *RIVALS)), 0.05),
            "order_id": f"o{i // 3}",
        }
        for i in range(n_lines)
    ]
    sell_in[0]["date"], sell_in[1]["date"] = first, first + dt.timedelta(days=n_days)
    sell_in += [
        {**sell_in[2], "date": dt.date(1970, 1, 1)},
        {**sell_in[3], "date": dt.date(2062, 2, 3)},
    ]
    sell_in += [
        {
            **sell_in[4],
            "dealer_id": "no-cost",
            "cost": None,
            "brand": BRAND,
            "date": dt.date(2026, 9, 9),
        }
    ]
    payments = [
        {
            "dealer_id": maybe(random.choice([*ids, "only-pays"]), 0.02),
            "date": day(),
            "amount": cents(-9_000, 800_000),
        }
        for _ in range(n_lines // 4)
    ]
    keys = [
        (d, m, b)
        for d in [*ids, "only-profit"]
        for m in periods.month_range("2026-10", 30)
        for b in (BRAND, *RIVALS)
        if random.random() < 0.6
    ]
    profit = [
        {
            "dealer_id": d,
            "month": m,
            "brand": b,
            "revenue": cents(0, 90_000),
            "gross_profit": cents(-2_000, 30_000),
            "rebate": maybe(cents(0, 900), 0.5),
        }
        for d, m, b in keys
    ]
    dealers = [{"dealer_id": d, "dealer_name": f"Shop {d}"} for d in ids[:-3]]
    return {
        "dealers": dealers,
        "products": products,
        "sell_in": sell_in,
        "payments": payments,
        "dealer_profit": profit,
    }


def without(rows: list[dict], columns: Iterable[str]) -> list[dict]:
    """Leave columns out of rows."""
    return [{c: value for c, value in row.items() if c not in columns} for row in rows]


@pytest.fixture(scope="session")
def network() -> dict[str, list[dict]]:
    """Draw the random network once."""
    return network_rows()


@pytest.fixture(scope="session")
def small_demo(tmp_path_factory) -> settings.Workbook:
    """Generate a small demo: 60 dealers, 26 months, all tables of the contract."""
    folder = tmp_path_factory.mktemp("small_demo")
    build.make_demo(folder / "data" / "demo", n_dealers=60, n_months=26)
    shutil.copy(settings.CHECKOUT / "workbook.toml", folder / "workbook.toml")
    return settings.workbook(folder)


def pytest_xdist_auto_num_workers() -> int:
    """Work with one process more than there are cores.

    A test that waits, for a browser, a server or a limit of time, leaves its core to another.
    """
    return (os.cpu_count() or 1) + 1
