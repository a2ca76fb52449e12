"""The channel through the door: what tells sell-through, whether counts agree, a twin in SQL."""

import datetime as dt

import duckdb
import pandas as pd
import pytest
from test_stock import bought, day, lot, move, sold

from helpers import data

PERIOD = "2026-10"
NOISE = {"product_id": "P1", "category": "pots", "product_name": "Pot"}


def months(*, first: str = "2025-11", last: str = "2026-10") -> list[str]:
    return [f"{m}" for m in pd.period_range(first, last, freq="M")]


def year(dealer: str = "A", *, came: float = 10, went: float = 8) -> list[dict]:
    """Lay out a year of moves: 20 at first, some come on the 3rd and go on the 20th."""
    rows = [move("2025-11-01", "opening", 20, dealer)]
    for month in months():
        rows.append(move(f"{month}-03", "receipt", came, dealer))
        rows.append(move(f"{month}-20", "sale", went, dealer))
    return rows


def invoices(dealer: str = "A", n: float = 10) -> list[dict]:
    return [bought(f"{m}-03", n, str(20 * n), dealer) for m in months()]


def test_what_came_went_and_lies_there_by_hand(make_book):
    book = make_book(brand="Kaltern", stock_moves=year(), sell_in=invoices(), products=[NOISE])
    found = data.channel(book, PERIOD)
    assert found.sources[["dealer_id", "source"]].to_numpy().tolist() == [["A", "stock_moves"]]
    # 20 CNY a piece: 10 come each month, and 8 have gone since the arrival before
    assert set(found.arrivals["came"]) == {200.0}
    assert found.arrivals["sold_since"].tolist()[1:] == [160.0] * 11
    assert found.arrivals["stock"].tolist() == [400 + 200 + 40 * i for i in range(12)]
    row = found.months.iloc[0]
    assert row[["category", "came", "sold", "other"]].tolist() == ["pots", 200, 160, 400]
    assert len(found.months) == 12
    (model,) = found.models.itertuples(index=False)
    assert (model.price, model.n_came, model.n_sold, model.n_sold_year) == (20, 30, 24, 96)
    assert model.n_stock == 20 + 12 * 2
    assert found.balances.empty  # nobody counted
    assert found.sources["n_counted"].isna().all()
    assert found.bought["bought"].tolist() == [200.0] * 12
    assert (str(found.start)[:10], str(found.end)[:10]) == ("2025-11-01", "2026-10-31")


def test_a_count_that_differs_is_told_and_is_what_lies_there(make_book):
    count = [lot("2026-10-31", "2026-10-03", 40)]
    book = make_book(**{"stock_moves": year(), "sell_in": invoices(), "stock": count})
    found = data.channel(book, PERIOD)
    (row,) = found.balances.itertuples(index=False)
    assert (row.opening, row.received, row.sold, row.counted) == (20, 120, 96, 40)
    assert (row.gap, row.gap_value) == (-4, -80)
    assert found.models["n_stock"].item() == 40  # the count is the truth
    assert found.sources[["n_counted", "n_gap"]].to_numpy().tolist() == [[40, 4]]
    right = make_book(
        **{
            "stock_moves": year(),
            "sell_in": invoices(),
            "stock": [lot("2026-10-31", "2026-10-03", 44)],
        }
    )
    assert data.channel(right, PERIOD).balances.empty


def test_what_we_invoiced_and_nobody_received_is_missing(make_book):
    lines = [*invoices(), bought("2026-10-30", 5, "100")]
    count = [lot("2026-10-31", "2026-10-03", 44)]
    book = make_book(**{"stock_moves": year(), "sell_in": lines, "stock": count})
    found = data.channel(book, PERIOD).balances
    assert found["gap"].tolist() == [-5]


def test_transfers_stand_with_both_dealers(make_book):
    rows = [*year(), *year("B"), move("2026-10-10", "transfer", 3, "A", "B")]
    counts = [lot("2026-10-31", "2026-10-03", n, d) for d, n in (("A", 41), ("B", 47))]
    book = make_book(
        **{"stock_moves": rows, "stock": counts, "sell_in": [*invoices(), *invoices("B")]}
    )
    found = data.channel(book, PERIOD)
    assert found.balances.empty
    assert set(found.arrivals["came"]) == {200.0}  # a transfer is no sell-in


@pytest.mark.parametrize(("left", "source"), [(44, "sell_out"), (40, ""), (44.5, "sell_out")])
def test_tills_tell_only_where_the_count_follows_from_them(make_book, left, source):
    """20 counted at first, 10 come and 8 go each month: 44 within 2 %, else not."""
    tills = [sold(f"{m}-20", 8, "200") for m in months()]
    counts = [lot("2025-11-01", "2025-10-03", 20), lot("2026-10-31", "2026-10-03", left)]
    book = make_book(**{"sell_in": invoices(), "sell_out": tills, "stock": counts})
    found = data.channel(book, PERIOD)
    assert found.sources["source"].tolist() == [source]
    assert found.arrivals.empty is (source == "")
    # nobody counts: a part of the tills would look the same
    blind = make_book(**{"sell_in": invoices(), "sell_out": tills})
    assert data.channel(blind, PERIOD).sources["source"].tolist() == [""]


def test_who_has_no_moves_is_told_by_his_tills(make_book):
    tills = [sold(f"{m}-20", 8, "200", "B") for m in months()]
    counts = [lot("2025-11-01", "2025-10-03", 20, "B"), lot("2026-10-31", "2026-10-03", 44, "B")]
    book = make_book(
        **{
            "stock_moves": year(),
            "stock": counts,
            "sell_out": tills,
            "sell_in": [*invoices(), *invoices("B")],
        }
    )
    found = data.channel(book, PERIOD).sources.set_index("dealer_id")["source"]
    assert found["A"] == "stock_moves"
    assert found.get("B") in ("sell_out", "")  # no opening of his own is told by the moves


@pytest.mark.parametrize(
    "given", [{"sell_in": invoices()}, {"stock": [lot("2026-10-31", "2026-10-03", 4)]}]
)
def test_without_what_was_sold_nothing_is_told(make_book, given):
    given = {"sell_in": [bought("2026-10-30", None, "1")]} | given
    found = data.channel(make_book(**given), PERIOD)
    assert found.arrivals.empty and found.months.empty and found.models.empty
    assert pd.isna(found.end)
    assert data.category_days(make_book(**given), PERIOD).empty


def test_no_price_no_money_and_no_category_is_no_error(make_book):
    book = make_book(**{"stock_moves": year(), "sell_in": [bought("2026-10-30", None, "1")]})
    found = data.channel(book, PERIOD)
    assert found.arrivals.empty and found.months.empty
    assert found.models["n_stock"].tolist() == [44]
    days = data.category_days(book, PERIOD)
    assert set(days["category"]) == {""}
    assert days["sold"].sum() == 96


def test_what_comes_later_does_not_count(make_book):
    book = make_book(brand="Kaltern", stock_moves=year(), sell_in=invoices(), products=[NOISE])
    found = data.channel(book, "2026-08")
    assert str(found.end)[:10] == "2026-08-31"
    assert found.arrivals["date"].max() == pd.Timestamp("2026-08-03")
    assert data.seasons(book, "2026-08")["month"].max() == "2026-08"
    assert data.category_days(book, "2026-08")["date"].max() == pd.Timestamp("2026-08-20")


@pytest.fixture(scope="module")
def whole(small_demo) -> data.Channel:
    return data.channel(small_demo, PERIOD)


def test_the_scope_cuts_dealers_and_not_the_season(small_demo, whole):
    place = data.dealers(small_demo)["region"].dropna().iloc[0]
    part = small_demo.only(region=place)
    inside = set(data.dealers(part)["dealer_id"])
    cut = data.channel(part, PERIOD)
    for name in ("arrivals", "months", "models", "sources", "bought"):
        rows = getattr(whole, name)
        rows = rows[rows["dealer_id"].isin(inside)].reset_index(drop=True)
        pd.testing.assert_frame_equal(getattr(cut, name), rows)
    pd.testing.assert_frame_equal(data.seasons(part, PERIOD), data.seasons(small_demo, PERIOD))


def test_the_demo_adds_up_and_a_twin_in_sql_says_the_same(small_demo, whole):
    found = whole
    assert found.balances.empty
    assert found.sources["n_gap"].dropna().eq(0).all()
    folder = small_demo.folder / "data/demo"
    twin = duckdb.sql(
        f"""
        with price as (
            select dealer_id, product_id,
                   round(sum(revenue::double) / sum(quantity::double), 2)::decimal(18, 2) as price
            from '{folder}/sell_in.parquet' where revenue > 0 and quantity > 0 group by all)
        select dealer_id, strftime(date, '%Y-%m') as month,
               sum((case when kind = 'receipt' then quantity else 0 end * price)::decimal(18, 2))
                   as came,
               sum((case kind when 'sale' then quantity when 'return' then -quantity else 0 end
                    * price)::decimal(18, 2)) as sold
        from '{folder}/stock_moves.parquet' join price using (dealer_id, product_id)
        group by all order by all
        """
    ).df()
    own = found.months.groupby(["dealer_id", "month"])[["came", "sold"]].sum().reset_index()
    both = own.merge(twin, on=["dealer_id", "month"], suffixes=("", "_twin"), how="left")
    priced = both["came_twin"].notna()
    assert priced.mean() > 0.99
    # of a model that came by transfer alone he has no price of his own
    gap = (both["came"] - both["came_twin"]).abs()[priced]
    assert gap.max() < 0.01
    off = (both["sold"] - both["sold_twin"]).abs()[priced] > 0.01
    assert off.mean() < 0.05
    assert dt.date(2026, 10, 31) == found.end.date() == day("2026-10-31")
