"""The examples on the real data they were written for: figures that are known, and nothing lost on the way.

The data are not part of the project: set IOWA_DATA to their folder, or these tests are skipped.
"""

import os
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from helpers import checks, periods, read, settings

PERIOD = "2022-10"
BRAND = "DIAGEO AMERICAS"


@pytest.fixture(scope="module")
def iowa() -> Path:
    folder = Path(os.environ.get("IOWA_DATA") or settings.ROOT.parent / "shared" / "data" / "iowa")
    if not (folder / "invoices_full.parquet").exists():
        pytest.skip("the Iowa data are not here; IOWA_DATA names their folder")
    return folder


@pytest.fixture
def open_example(iowa, project_cache, monkeypatch):
    monkeypatch.setenv("IOWA_DATA", str(iowa))
    return lambda name: settings.workbook(settings.ROOT / "examples" / "iowa" / f"{name}.toml")


def raw(sql: str, iowa: Path) -> pd.DataFrame:
    """Ask the raw files, past everything of ours."""
    with duckdb.connect() as con:
        con.sql("SET memory_limit = '1500MB'")
        return con.sql(sql.format(iowa=iowa)).df()


@pytest.fixture(scope="module")
def dealers_by_sql(iowa) -> pd.DataFrame:
    """Sum up the window's stores from the raw invoices."""
    return raw("""
        SELECT CAST("Store Number" AS VARCHAR) AS dealer_id, SUM("Sale (Dollars)") AS purchases,
               COALESCE(SUM("Sale (Dollars)") FILTER (items.brand = '""" + BRAND + """'), 0) AS revenue
        FROM '{iowa}/invoices_full.parquet' LEFT JOIN (
            SELECT CAST("Item Number" AS VARCHAR) AS item, "Vendor Name" AS brand FROM '{iowa}/products.csv') AS items
          ON CAST("Item Number" AS VARCHAR) = items.item
        WHERE "Date" BETWEEN DATE '2021-11-01' AND DATE '2022-10-31' GROUP BY 1 ORDER BY 1
    """, iowa).astype({"purchases": float, "revenue": float})  # fmt: skip


def test_full_loses_no_dealer_and_no_cent(open_example, dealers_by_sql):
    totals = read.dealer_totals(open_example("full"), PERIOD)
    pd.testing.assert_frame_equal(totals[["dealer_id", "purchases", "revenue"]], dealers_by_sql, check_exact=True,
                                  check_dtype=False)  # fmt: skip
    assert len(totals) > 1500


def test_full_shows_the_figures_that_are_known(open_example):
    book = open_example("full")
    totals = read.dealer_totals(book, PERIOD)
    best = totals["purchases"].sort_values(ascending=False)
    assert best.head(round(len(best) * 0.2)).sum() / best.sum() == pytest.approx(0.73, abs=0.005)
    low, middle, high = np.nanpercentile(totals["brand_share"], [5, 50, 95])
    assert (low, middle, high) == pytest.approx((0.13, 0.21, 0.30), abs=0.005)
    assert totals["revenue"].sum() / totals["purchases"].sum() == pytest.approx(0.20, abs=0.02)
    assert read.brand_share_basis(book) == "purchases"


def test_full_adds_up(open_example, iowa):
    book = open_example("full")
    told = read.reconciliation(book, PERIOD).set_index("indicator").loc["purchases"]
    (total,) = raw("""SELECT SUM("Sale (Dollars)") AS s FROM '{iowa}/invoices_full.parquet'
                      WHERE "Date" BETWEEN DATE '2021-11-01' AND DATE '2022-10-31'""", iowa)["s"]  # fmt: skip
    assert told["total"] == float(total)
    assert told["identified"] + told["unidentified"] == pytest.approx(told["total"], abs=0.005)
    assert read.dealer_totals(book, PERIOD)["purchases"].sum() == pytest.approx(told["identified"], abs=0.01)


def test_full_tells_what_is_wrong_with_the_data(open_example):
    rows = checks.findings(open_example("full")).set_index(["table", "column", "check"])
    assert not (rows["severity"] == "error").any()
    assert rows.loc[("sell_in", "revenue", "negative"), "n_rows"] == 606
    assert ("sell_in", "dealer_id", "unknown") in rows.index
    assert read.span(open_example("full")) == ("2012-01", PERIOD)


def test_wide_agrees_with_the_portals_export(open_example, iowa):
    book = open_example("wide")
    window = periods.window(PERIOD)
    expected = raw(
        """
        SELECT "Store Number" AS dealer_id, SUM(CAST("Sale (Dollars)" AS DECIMAL(18, 2))) AS purchases,
               COALESCE(SUM(CAST("Sale (Dollars)" AS DECIMAL(18, 2))) FILTER ("Vendor Name" = '"""
        + f"""{BRAND}'), 0) AS revenue
        FROM read_csv('{{iowa}}/invoices_wide_14m.csv.gz', all_varchar = true)
        WHERE strptime("Date", '%m/%d/%Y') BETWEEN DATE '{window.start}' AND DATE '{window.end}'
        GROUP BY 1 ORDER BY 1""",
        iowa,
    )
    totals = read.dealer_totals(book, read.require_period(book))
    expected = expected.astype({"purchases": float, "revenue": float})
    pd.testing.assert_frame_equal(totals[list(expected)], expected, check_exact=True, check_dtype=False)
    assert len(read.dealers(book)) == 165
    assert read.previous_totals(book, PERIOD).empty  # fourteen months hold no year before
    assert not (checks.findings(book)["severity"] == "error").any()


@pytest.mark.parametrize(
    "path", sorted((settings.ROOT / "examples").glob("*/*.toml")), ids=lambda p: f"{p.parent.name}-{p.stem}"
)
def test_examples_name_their_data_by_environment(path, monkeypatch, tmp_path):
    """Without the data an example still reads, and names nothing of this machine."""
    monkeypatch.setenv("IOWA_DATA", str(tmp_path))
    book = settings.workbook(path)
    assert book.has("sell_in", "dealers")
    assert "/home/" not in path.read_text(encoding="utf-8")
    assert (path.parent / "README.md").exists()
