"""What dealers report that they earn.

Sums to the cent, the like window by hand, twins in plain Python and SQL.
"""

from decimal import Decimal
from random import Random

import duckdb
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from conftest import BRAND, RIVALS, arrow, without
from helpers import data, periods
from helpers.data import brand_profit
from helpers.data.brand_profit import MIN_COMMON, MIN_MONTHS, MONEY

PERIOD = "2026-10"
YEAR = periods.month_range(PERIOD, 12)
KASTELL, OST = RIVALS


def report(
    dealer: str, brand: str | None, months, revenue="100.00", profit="10.00", **more
) -> list[dict]:
    """Report the same for each of the months."""
    row = {
        "dealer_id": dealer,
        "brand": brand,
        "revenue": Decimal(revenue),
        "gross_profit": Decimal(profit),
    }
    return [{**row, "rebate": Decimal("1.00"), "month": month, **more} for month in months]


@pytest.fixture
def book(make_book):
    def make(rows: list[dict], **settings):
        sell_in = [
            {
                "dealer_id": "a",
                "date": periods.window(PERIOD).end,
                "revenue": Decimal(1),
                "brand": BRAND,
            }
        ]
        return make_book(dealer_profit=rows, sell_in=sell_in, **settings)

    return make


def sums(book, **options) -> pd.DataFrame:
    return data.brand_sums(book, PERIOD, **options).set_index(["dealer_id", "brand"])


# ---- by hand -------------------------------------------------------------------------------------


def test_sums_and_means_by_hand(book):
    rows = [
        *report(
            "a",
            BRAND,
            YEAR[:11],
            "100.10",
            "20.02",
            average_stock_value=Decimal(50),
            shelf_area_m2=8.0,
        ),
        *report(
            "a",
            BRAND,
            YEAR[11:],
            "100.10",
            "20.02",
            average_stock_value=Decimal(170),
            shelf_area_m2=None,
        ),
        *report("a", KASTELL, YEAR, "0.10", "-0.01", average_stock_value=None, shelf_area_m2=2.0),
    ]
    found = sums(book(rows))
    ours, rival = found.loc[("a", BRAND)], found.loc[("a", KASTELL)]
    assert ours["revenue"] == 1201.2
    assert ours["gross_profit"] == 240.24
    assert ours["rebate"] == 12
    assert ours["earned"] == 252.24
    assert ours["cost_of_sales"] == 960.96
    assert ours["average_stock_value"] == (11 * 50 + 170) / 12 == 60
    assert ours["shelf_area_m2"] == 8  # over the months it is known
    assert (ours["n_months"], ours["n_stock_months"], ours["n_shelf_months"]) == (12, 12, 11)
    assert rival["revenue"] == 1.2  # twelve times 0.10, to the cent
    assert rival["gross_profit"] == -0.12
    assert rival["n_stock_months"] == 0
    assert pd.isna(rival["average_stock_value"])
    assert (ours["first_month"], ours["last_month"], ours["window_months"]) == (
        YEAR[0],
        YEAR[-1],
        12,
    )


def test_brands_are_compared_over_the_same_months(book):
    came, left = YEAR[2:], YEAR[:-1]
    found = sums(
        book([*report("a", BRAND, YEAR), *report("a", KASTELL, came), *report("a", OST, left)])
    )
    assert set(found["window_months"]) == {9}
    assert set(found["revenue"]) == {900.0}
    assert set(found["first_month"] + found["last_month"]) == {YEAR[2] + YEAR[-2]}
    assert found["alike"].all()


def test_who_came_lately_does_not_cut_the_window_for_all(book):
    found = sums(
        book([*report("a", BRAND, YEAR), *report("a", KASTELL, YEAR), *report("a", OST, YEAR[-8:])])
    )
    assert found["alike"].to_dict() == {("a", BRAND): True, ("a", KASTELL): True, ("a", OST): False}
    assert set(found["window_months"]) == {12}
    assert found.loc[("a", OST), "n_months"] == 8
    # three quarters of ours
    enough = sums(book([*report("a", BRAND, YEAR), *report("a", OST, YEAR[-9:])]))
    assert enough["alike"].all()
    assert set(enough["window_months"]) == {9}


def test_two_months_are_never_enough(book):
    found = sums(book([*report("a", BRAND, YEAR[:2]), *report("a", KASTELL, YEAR)]))
    assert not found.loc[("a", KASTELL), "alike"]


def test_a_month_without_our_line_sold_nothing(book):
    """Leaving out the months in which a brand sells nothing would make it look busy all year."""
    seldom = [YEAR[0], YEAR[3], YEAR[6], YEAR[11]]
    found = sums(book([*report("a", BRAND, seldom), *report("a", KASTELL, YEAR)]))
    assert set(found["window_months"]) == {12}
    assert found.loc[("a", BRAND), "n_months"] == 4
    assert found.loc[("a", KASTELL), "revenue"] == 1200


def test_without_our_brand_a_dealer_has_all_his_months(book):
    found = sums(
        book([*report("a", BRAND, YEAR), *report("b", KASTELL, YEAR), *report("b", OST, YEAR[1:])])
    )
    assert set(found.loc["b", "window_months"]) == {11}
    nameless = data.brand_sums(book(report("b", KASTELL, YEAR), brand=""), PERIOD)
    assert nameless["alike"].tolist() == [True]


def test_the_window_ends_with_the_period_and_has_its_length(book):
    made = book(report("a", BRAND, periods.month_range("2026-12", 30)))
    assert sums(made).loc[("a", BRAND), "revenue"] == 1200
    assert sums(made, n_months=24).loc[("a", BRAND), "window_months"] == 24
    assert data.dealer_margins(made, PERIOD)["month"].tolist() == periods.month_range(PERIOD, 24)


@pytest.mark.parametrize("column", ["rebate", "average_stock_value", "shelf_area_m2"])
def test_columns_that_nobody_has_are_empty(book, column):
    rows = report("a", BRAND, YEAR, average_stock_value=Decimal(5), shelf_area_m2=5.0)
    made = book(without(rows, [column]))
    row = sums(made).loc[("a", BRAND)]
    assert row["rebate"] == 0 if column == "rebate" else pd.isna(row[column])
    assert row["earned"] == (120 if column == "rebate" else 132)
    assert len(data.brand_months(made, PERIOD)) == 12


def test_a_rebate_that_nobody_wrote_down_is_none(book):
    made = book(report("a", BRAND, YEAR[:6]) + report("a", BRAND, YEAR[6:], rebate=None))
    assert sums(made).loc[("a", BRAND), "earned"] == 126
    assert data.dealer_margins(made, PERIOD)["earned"].sum() == 126


def test_without_the_table_there_are_no_rows_but_all_columns(small):
    assert not small.has("dealer_profit")
    for made in (data.brand_sums, data.brand_months, data.dealer_margins):
        assert made(small, PERIOD).empty
    assert list(data.brand_sums(small, PERIOD)) == brand_profit.SUM_COLUMNS


# ---- twins ---------------------------------------------------------------------------------------


def compared(rows: list[dict], brand: str) -> dict[tuple, dict]:
    """Do it again in plain Python, dealer by dealer, with decimals."""
    made = {}
    inside = [row for row in rows if row["month"] in YEAR and row["dealer_id"] and row["brand"]]
    for dealer in {row["dealer_id"] for row in inside}:
        his = [row for row in inside if row["dealer_id"] == dealer]
        spans = {
            b: [row["month"] for row in his if row["brand"] == b]
            for b in {row["brand"] for row in his}
        }
        base = spans.get(brand) or [row["month"] for row in his]
        ours = set(YEAR[YEAR.index(min(base)) : YEAR.index(max(base)) + 1])
        shared = {
            b: ours & set(YEAR[YEAR.index(min(m)) : YEAR.index(max(m)) + 1])
            for b, m in spans.items()
        }
        alike = {
            b
            for b, m in shared.items()
            if b == brand or len(m) >= max(MIN_MONTHS, MIN_COMMON * len(ours))
        }
        if not alike:
            continue
        window = set.intersection(*(shared[b] for b in alike))
        for b in spans:
            lines = [row for row in his if row["brand"] == b and row["month"] in window]
            if lines:
                made[dealer, b] = {
                    "revenue": float(sum(row["revenue"] for row in lines)),
                    "earned": float(
                        sum(row["gross_profit"] + (row["rebate"] or 0) for row in lines)
                    ),
                    "n_months": len(lines),
                    "alike": b in alike,
                    "window_months": len({row["month"] for row in his if row["month"] in window}),
                }
    return made


def test_sums_like_a_twin_in_plain_python(make_book, network):
    book = make_book(**network)
    found = sums(book)
    expected = pd.DataFrame.from_dict(
        compared(network["dealer_profit"], BRAND), orient="index"
    ).sort_index()
    assert len(expected) > 80
    assert (~expected["alike"]).sum() > 5, (
        "the twin would prove nothing without brands that are not alike"
    )
    assert_frame_equal(
        found[list(expected)], expected, check_names=False, check_dtype=False, check_exact=True
    )


def test_months_add_up_to_the_sums(make_book, network):
    book = make_book(**network)
    months = data.brand_months(book, PERIOD).groupby(["dealer_id", "brand"])[list(MONEY)].sum()
    assert_frame_equal(months.round(2), sums(book)[list(MONEY)].round(2))


def test_margins_like_sql(make_book, network):
    book = make_book(**network)
    lines = arrow("dealer_profit", network["dealer_profit"])  # noqa: F841  DuckDB finds it by its name
    expected = duckdb.sql(
        "with known as (select *, gross_profit + coalesce(rebate, 0) as earned from lines where "
        "month between '2024-11' and '2026-10' and dealer_id is not null), "
        "rated as (select *, sum(earned) over b / nullif(sum(revenue) over b, 0) as rate from "
        "known window b as (partition by dealer_id, brand)) "
        "select dealer_id, month, sum(revenue)::double revenue, sum(earned)::double earned, "
        "sum(revenue * rate)::double usual from rated group by all order by dealer_id, month"
    ).df()
    found = data.dealer_margins(book, PERIOD)
    money = ["dealer_id", "month", "revenue", "earned"]
    assert_frame_equal(found[money], expected[money], check_dtype=False, check_exact=True)
    assert found["usual"].to_numpy() == pytest.approx(expected["usual"].to_numpy(), abs=1e-6)
    # each brand's months together earn what they earned, so the whole does
    whole = found.groupby("dealer_id")[["earned", "usual"]].sum()
    assert whole["usual"].to_numpy() == pytest.approx(whole["earned"].to_numpy(), abs=1e-6)


def test_a_brand_that_sold_nothing_has_no_margin_to_hold(book):
    made = book(report("a", BRAND, YEAR) + report("a", KASTELL, YEAR[:1], revenue=Decimal(0)))
    found = data.dealer_margins(made, PERIOD)
    assert found["usual"].notna().all()
    assert found["usual"].sum() == pytest.approx(found["earned"].sum())


def test_what_is_earned_is_the_basis_of_our_share(make_book, network):
    """Over all of a dealer's months, what he earns is what `data.dealer_totals` makes our brand's
    share of.
    """
    book = make_book(**network)
    earned = data.dealer_margins(book, PERIOD, 12).groupby("dealer_id")["earned"].sum()
    totals = data.dealer_totals(book, PERIOD).set_index("dealer_id")["brand_total"].dropna()
    assert (earned.reindex(totals.index).round(2) == totals.round(2)).all()


def test_all_that_is_alike_has_the_same_window(book):
    """Forty dealers whose three brands come and go.

    Where nothing is missing in between, each month is everybody's.
    """
    random = Random(5)
    spans = {
        f"d{i:02d}": [sorted(random.choices(range(12), k=2)) for _ in range(3)] for i in range(40)
    }
    rows = [
        row
        for dealer, his in spans.items()
        for brand, (first, last) in zip((BRAND, *RIVALS), his, strict=True)
        for row in report(dealer, brand, YEAR[first : last + 1])
    ]
    found = sums(book(rows)).reset_index()
    alike = found[found["alike"]]
    assert set(alike.loc[alike["brand"] == BRAND, "dealer_id"]) == set(spans)
    assert (alike["n_months"] == alike["window_months"]).all()
    assert (alike["revenue"] == 100 * alike["window_months"]).all()
    assert alike["brand"].value_counts()[KASTELL] > 2
