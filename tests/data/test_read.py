"""The door's small tables, against the same sums in plain Python and decimals, and against what is
told of them.
"""

import datetime as dt
import itertools
import random
from collections import defaultdict
from decimal import Decimal

import pandas as pd
import pytest
from ibis.expr.types import Table

from conftest import BRAND, network_rows, small_tables, without, write_book
from helpers import data, periods, settings
from helpers.data import checks, read, tables
from helpers.settings import DataError

MONEY = [
    "purchases",
    "revenue",
    "gross_profit",
    "covered_revenue",
    "quantity",
    "payments",
    "brand_part",
    "brand_total",
]
PERIOD = "2026-10"
NO_LINES = "dealer_id,date,revenue\n"


# ---- the twin ------------------------------------------------------------------------------------


def block_of(month: str, period: str, n_months: int) -> int:
    """Number a month's window backwards from the last, 0; negative after it."""
    return ((int(period[:4]) - int(month[:4])) * 12 + int(period[5:]) - int(month[5:])) // n_months


def brand_of(line: dict, given: dict) -> str | None:
    """Tell a line's brand: its own where sell-in has the column, else its product's."""
    if "brand" in given["sell_in"][0]:
        return line["brand"]
    return {row["product_id"]: row["brand"] for row in given.get("products", [])}.get(
        line["product_id"]
    )


def twin(
    given: dict, period: str = PERIOD, n_months: int = 12, n_windows: int = 1
) -> dict[tuple, dict]:
    """Sum up as `data.dealer_totals` promises, line by line.

    (dealer, window's end) → column → exact sum or None.
    """
    sums: dict[tuple, dict] = defaultdict(lambda: defaultdict(lambda: None))
    seen = set()

    def add(dealer, month: str, **values) -> None:
        block = block_of(month, period, n_months)
        if dealer is None or not 0 <= block < n_windows:
            return
        row = sums[dealer, periods.shift(period, -n_months * block)]
        for column, value in values.items():
            seen.add(column)
            if value is not None:
                row[column] = (row[column] or 0) + value

    has_brand = "brand" in given.get("sell_in", [{}])[0] or "products" in given
    for line in given.get("sell_in", []):
        month, ours = f"{line['date']:%Y-%m}", not has_brand or brand_of(line, given) == BRAND
        add(line["dealer_id"], month, purchases=line["revenue"])
        if ours:
            add(line["dealer_id"], month, revenue=line["revenue"], quantity=line["quantity"])
            if "cost" in line:
                cost = line["cost"]
                profit = (
                    None if cost is None else line["revenue"] - cost - (line.get("rebate") or 0)
                )
                covered = None if cost is None else line["revenue"]
                add(line["dealer_id"], month, gross_profit=profit, covered_revenue=covered)
    for line in given.get("payments", []):
        add(line["dealer_id"], f"{line['date']:%Y-%m}", payments=line["amount"])
    dealt = {
        key
        for key, row in sums.items()
        if row["purchases"] is not None or row["payments"] is not None
    }
    for line in given.get("dealer_profit", []):
        earned = line["gross_profit"] + (line.get("rebate") or 0)
        add(
            line["dealer_id"],
            line["month"],
            brand_total=earned,
            brand_part=earned if line["brand"] == BRAND else 0,
        )
    found = {}
    for key in sorted(dealt or set(sums)):
        row, bought = sums[key], sums[key]["revenue"] is not None
        for column in ("purchases", "revenue", "payments"):
            row[column] = (row[column] or 0) if column in seen else None
        for column in ("gross_profit", "quantity"):
            row[column] = row[column] if bought or column not in seen else 0
        row["covered_revenue"] = (row["covered_revenue"] or 0) if "gross_profit" in seen else None
        if "dealer_profit" not in given and has_brand and "sell_in" in given:
            row["brand_part"], row["brand_total"] = row["revenue"], row["purchases"]
        found[key] = {column: row[column] for column in MONEY}
    return found


def as_twin(rows: pd.DataFrame, end: str = PERIOD) -> dict[tuple, dict]:
    """Lay out the door's answer as the twin's, floats as they are."""
    ends = rows["window_end"] if "window_end" in rows else [end] * len(rows)
    values = rows[MONEY].astype(object).where(rows[MONEY].notna(), None).to_dict("records")
    return dict(zip(zip(rows["dealer_id"], ends, strict=True), values, strict=True))


def floats(found: dict[tuple, dict]) -> dict[tuple, dict]:
    return {
        key: {c: None if v is None else float(v) for c, v in row.items()}
        for key, row in found.items()
    }


@pytest.fixture(scope="module")
def open_network(tmp_path_factory, network):
    """Open workbooks of parts of the random network.

    Equal parts share a folder, so that each is built once.
    """
    folder, opened = tmp_path_factory.mktemp("network"), {}

    def open_(given: dict, brand: str = BRAND, name: str = "network") -> settings.Workbook:
        key = (name, brand, tuple(given))
        if key not in opened:
            opened[key] = settings.workbook(
                write_book(folder / f"{name}{len(opened)}", given, brand, name=f"n{len(opened)}")
            )
        return opened[key]

    return open_


def parts_of(network: dict, *, payments: bool, profit: bool, cost: bool, line_brand: bool) -> dict:
    lines = without(
        network["sell_in"], [*([] if cost else ["cost"]), *([] if line_brand else ["brand"])]
    )
    given = {"sell_in": lines, "products": network["products"]}
    given |= {"payments": network["payments"]} if payments else {}
    return given | ({"dealer_profit": network["dealer_profit"]} if profit else {})


COMBINATIONS = [
    dict(zip(("payments", "profit", "cost", "line_brand"), chosen, strict=True))
    for chosen in itertools.product((True, False), repeat=4)
]


@pytest.mark.parametrize(
    "chosen", COMBINATIONS, ids=lambda c: "+".join(k for k, v in c.items() if v) or "bare"
)
def test_totals_equal_the_decimal_twin_to_the_cent(open_network, network, chosen):
    given = parts_of(network, **chosen)
    book = open_network(given, name="_".join(str(int(v)) for v in chosen.values()))
    rows = data.dealer_totals(book, PERIOD)
    assert as_twin(rows) == floats(twin(given))
    assert rows["dealer_id"].is_monotonic_increasing
    assert rows["dealer_id"].is_unique
    share = rows["brand_part"] / rows["brand_total"].where(rows["brand_total"] > 0)
    pd.testing.assert_series_equal(rows["brand_share"], share, check_names=False)
    several = data.dealer_totals(book, PERIOD, n_months=3, n_windows=4)
    assert as_twin(several) == floats(twin(given, n_months=3, n_windows=4))
    assert several[["dealer_id", "window_end"]].duplicated().sum() == 0


@pytest.mark.parametrize("period", ["2025-04", "2026-03", PERIOD])
def test_totals_of_other_periods_equal_the_twin(open_network, network, period):
    book = open_network(network)
    assert as_twin(data.dealer_totals(book, period), period) == floats(twin(network, period))
    assert as_twin(data.dealer_totals(book, period, n_months=1), period) == floats(
        twin(network, period, 1)
    )


def test_each_window_alone_is_that_window_of_several(open_network, network):
    book = open_network(network)
    several = data.dealer_totals(book, PERIOD, n_months=6, n_windows=5)
    for end in sorted(set(several["window_end"])):
        alone = data.dealer_totals(book, end, n_months=6)
        part = (
            several[several["window_end"] == end].drop(columns="window_end").reset_index(drop=True)
        )
        pd.testing.assert_frame_equal(part, alone)


def test_only_windows_that_the_data_cover_whole_are_given(small):
    ends = data.dealer_totals(small, PERIOD, n_months=12, n_windows=9)["window_end"]
    assert sorted(set(ends)) == ["2025-10", "2026-10"]  # 30 months hold two years
    # 14 months hold one
    assert set(data.dealer_totals(small, "2025-06", n_windows=2)["window_end"]) == {"2025-06"}
    assert data.dealer_totals(small, "2024-08", n_windows=2).empty  # and four months none


def test_months_add_up_to_the_window(open_network, network):
    book = open_network(network)
    months = data.dealer_months(book, PERIOD)
    assert set(months["month"]) == set(periods.month_range(PERIOD, 30))
    year = months[months["month"] > "2025-10"].groupby("dealer_id")[["purchases", "payments"]].sum()
    totals = data.dealer_totals(book, PERIOD).set_index("dealer_id")[["purchases", "payments"]]
    pd.testing.assert_frame_equal(year.round(2), totals.round(2))


def test_a_single_month_of_data_has_its_months_too(make_book):
    book = make_book(sell_in="dealer_id,date,revenue\n1,2026-10-01,5\n1,2026-10-30,6\n")
    months = data.dealer_months(book, "2026-10")
    assert months[["dealer_id", "month", "revenue"]].to_numpy().tolist() == [["1", "2026-10", 11.0]]


def test_row_order_is_irrelevant(open_network, network):
    shuffled = {name: random.Random(1).sample(rows, len(rows)) for name, rows in network.items()}
    book, other = open_network(network), open_network(shuffled, name="shuffled")
    pd.testing.assert_frame_equal(
        data.dealer_totals(book, PERIOD), data.dealer_totals(other, PERIOD)
    )
    pd.testing.assert_frame_equal(
        data.dealer_orders(book, PERIOD), data.dealer_orders(other, PERIOD)
    )
    pd.testing.assert_frame_equal(data.dealers(book), data.dealers(other))
    pd.testing.assert_frame_equal(checks.findings(book), checks.findings(other))


@pytest.mark.parametrize("kind", ["decimal", "float", "text"])
def test_sums_are_exact_whatever_the_source_holds(make_book, kind):
    cents = (
        [("a", "0.10")] * 10
        + [("b", "1.00")]
        + [("c", "0.01")] * 99
        + [("c", "0.01")]
        + [("d", "1e2"), ("d", "-99")]
    )
    raw = pd.DataFrame(cents, columns=["dealer_id", "revenue"]).assign(date=dt.date(2026, 10, 30))
    if kind != "text":
        raw["revenue"] = raw["revenue"].map(Decimal if kind == "decimal" else float)
    book = make_book(sell_in=raw.to_csv(index=False) if kind == "text" else raw)
    # 0.1 ten times is 1, not less
    assert data.dealer_totals(book, PERIOD)["revenue"].tolist() == [1.0, 1.0, 1.0, 1.0]


def test_totals_by_hand(small):
    rows = data.dealer_totals(small, PERIOD).set_index("dealer_id")
    # 9 stands in no table of dealers
    assert rows.index.tolist() == [f"{i:03d}" for i in range(1, 10)]
    three = rows.loc["003"]
    assert three["revenue"] == 3603.60  # 12 × 3 × 100.10
    assert three["purchases"] == 5405.40  # and 12 × 3 × 50.05 of the rival
    assert three["gross_profit"] == 1407.24  # 12 × 3 × (100.10 − 60 − 1.01)
    assert three["quantity"] == 36
    assert three["payments"] == 3240
    assert three["brand_share"] == pytest.approx(2 / 3)
    assert rows.loc["008", "revenue"] == 2402.40  # three months, then no more
    assert rows.loc["008", "payments"] == 2880  # he paid for October 2025 too


# ---- what is missing -----------------------------------------------------------------------------


def test_a_cost_that_nobody_gave_is_unknown_and_not_zero(make_book):
    head = "dealer_id,date,revenue,cost,brand\n"
    lines = [
        "1,2026-10-01,10,4,Lumora",
        "2,2026-10-01,10,,Lumora",
        "3,2026-10-01,10,4,Kaltern",
        "4,2026-10-30,10,4,Lumora",
        "4,2026-10-30,10,,Lumora",
    ]
    rows = data.dealer_totals(make_book(sell_in=head + "\n".join(lines)), PERIOD).set_index(
        "dealer_id"
    )
    assert rows["gross_profit"].fillna(-1).to_dict() == {"1": 6, "2": -1, "3": 0, "4": 6}
    assert rows["revenue"].to_dict() == {"1": 10, "2": 10, "3": 0, "4": 20}
    # what the profit is the margin of
    assert rows["covered_revenue"].to_dict() == {"1": 10, "2": 0, "3": 0, "4": 10}


def test_a_line_without_a_rebate_has_none_and_one_without_a_cost_is_not_covered(make_book):
    head = "dealer_id,date,revenue,cost,rebate\n"
    lines = ["1,2026-10-01,10,4,1", "1,2026-10-30,10,4,", "1,2026-10-30,7,,3"]
    row = data.dealer_totals(make_book(sell_in=head + "\n".join(lines), brand=""), PERIOD).iloc[0]
    assert (row["revenue"], row["gross_profit"], row["covered_revenue"]) == (27, 11, 20)
    uncosted = "dealer_id,date,revenue,cost\n1,2026-10-30,7,\n"
    row = data.dealer_totals(make_book(sell_in=uncosted, brand=""), PERIOD).iloc[0]
    assert pd.isna(row["gross_profit"]) and pd.isna(row["covered_revenue"])


@pytest.mark.parametrize("n_months", [1, 2, 3, 5, 11, 12, 13, 23, 24, 25])
def test_windows_that_the_data_do_not_cover_are_no_windows(make_book, n_months):
    months = periods.month_range(PERIOD, n_months)
    lines = "dealer_id,date,revenue\n" + "".join(
        f"{d},{m}-28,5\n{d},{m}-14,5\n" for m in months for d in "ab"
    )
    book = make_book(sell_in=lines + "a,2026-10-30,5\n", brand="")
    assert len(data.dealer_months(book, PERIOD)) == 2 * n_months
    assert data.previous_totals(book, PERIOD).empty == (n_months < 24)
    assert data.dealer_totals(book, PERIOD, n_months=3, n_windows=8)["window_end"].nunique() == min(
        n_months // 3, 8
    )
    covered = data.covered(book, PERIOD)
    assert (covered.n_months, covered.is_whole) == (min(n_months, 12), n_months >= 12)
    assert f"{covered.end}" == "2026-10-31"
    assert f"{covered.start}" == ("2025-11-01" if n_months >= 12 else f"{months[0]}-14")
    assert covered.n_days == (365 if n_months >= 12 else (covered.end - covered.start).days + 1)


def test_columns_without_their_table_are_empty(make_book):
    rows = data.dealer_totals(make_book(sell_in=NO_LINES + "1,2026-10-30,5\n", brand=""), PERIOD)
    assert (
        rows[["gross_profit", "quantity", "payments", "brand_part", "brand_total", "brand_share"]]
        .isna()
        .all(axis=None)
    )
    assert rows[["purchases", "revenue"]].to_numpy().tolist() == [[5.0, 5.0]]


def test_a_window_in_which_we_sold_nothing_is_zero_of_ours(make_book):
    lines = (
        "dealer_id,date,revenue,brand\n1,2024-10-01,5,Lumora\n1,2025-10-01,5,Kaltern\n1,"
        "2026-10-30,7,Kaltern\n"
    )
    rows = data.dealer_totals(make_book(sell_in=lines), PERIOD)
    assert rows[["purchases", "revenue", "brand_share"]].to_numpy().tolist() == [[7.0, 0.0, 0.0]]


def test_the_brand_of_a_line_wins_over_its_products(make_book):
    head = "dealer_id,date,revenue,product_id,brand\n"
    lines = head + "1,2026-10-30,5,P1,Kaltern\n1,2026-10-30,7,P2,Lumora\n1,2026-10-30,1,P1,\n"
    products = "product_id,brand\nP1,Lumora\nP2,Kaltern\n"
    assert data.dealer_totals(make_book(sell_in=lines, products=products), PERIOD)[
        "revenue"
    ].tolist() == [7.0]
    by_product = lines.replace(",brand\n", ",other\n")
    assert data.dealer_totals(make_book(sell_in=by_product, products=products), PERIOD)[
        "revenue"
    ].tolist() == [6.0]


def test_what_the_brands_share_is_a_share_of(make_book):
    plain = "dealer_id,date,revenue\n1,2026-10-30,5\n"
    ours, mixed = (
        plain.replace("revenue\n", "revenue,brand\n").replace("5\n", f"5,{b}\n")
        for b in ("Lumora", "Lumora\n1,2026-10-30,5,Kaltern")
    )
    unknown = ours + "1,2026-10-30,5,\n"
    profit = (
        "dealer_id,month,brand,revenue,gross_profit\n1,2026-10,Lumora,3,1\n1,2026-10,Kaltern,3,3\n"
    )
    assert data.brand_share_basis(make_book(sell_in=plain)) == ""
    # only our own books: 100 % everywhere says nothing
    assert data.brand_share_basis(make_book(sell_in=ours)) == ""
    assert data.brand_share_basis(make_book(sell_in=unknown)) == ""
    assert data.brand_share_basis(make_book(sell_in=mixed)) == "purchases"
    assert data.brand_share_basis(make_book(sell_in=mixed, brand="")) == ""
    assert data.brand_share_basis(make_book(sell_in=mixed, dealer_profit=profit, brand="")) == ""
    book = make_book(sell_in=mixed, dealer_profit=profit)
    assert data.brand_share_basis(book) == "dealer_profit"
    assert data.dealer_totals(book, PERIOD)["brand_share"].tolist() == [0.25]


@pytest.mark.parametrize("months", [[], ["2027-01"], ["2025-10"], ["2025-11"], ["2026-10"]])
def test_without_reports_in_the_window_our_share_is_of_purchases(make_book, months):
    """Dealer profit of no month, of later ones, of earlier ones, of the window's first and last."""
    lines = "dealer_id,date,revenue,brand\n" + "".join(
        f"1,{day},{amount},{brand}\n"
        for day in ("2024-11-30", "2025-10-31", "2026-10-30")
        for amount, brand in ((6, "Lumora"), (2, "Kaltern"))
    )
    profit = "dealer_id,month,brand,revenue,gross_profit\n" + "".join(
        f"1,{month},Lumora,3,1\n1,{month},Kaltern,3,3\n" for month in months
    )
    book = make_book(sell_in=lines, dealer_profit=profit)
    inside = bool(set(months) & set(periods.month_range(PERIOD, 12)))
    assert data.brand_share_basis(book, PERIOD) == ("dealer_profit" if inside else "purchases")
    assert data.dealer_totals(book, PERIOD)["brand_share"].tolist() == [0.25 if inside else 0.75]
    before = data.previous_totals(book, PERIOD)["brand_share"]
    whole = before.isna() if inside else before == 0.75
    assert whole.all(), "the year before is compared on the same basis, or not at all"


def test_a_share_of_a_loss_is_no_share(make_book):
    profit = "dealer_id,month,brand,revenue,gross_profit\n"
    profit += "1,2026-10,Lumora,3,1\n1,2026-10,Kaltern,3,-1\n2,2026-10,Kaltern,1,-5\n"
    lines = NO_LINES + "1,2026-10-30,5\n2,2026-10-30,5\n"
    assert (
        data.dealer_totals(make_book(sell_in=lines, dealer_profit=profit), PERIOD)["brand_share"]
        .isna()
        .all()
    )


def test_the_dealers_rebate_counts_as_his_profit(make_book):
    profit = (
        "dealer_id,month,brand,revenue,gross_profit,rebate\n1,2026-10,Lumora,9,2,1\n1,2026-10,"
        "Kaltern,9,2,\n"
    )
    rows = data.dealer_totals(
        make_book(sell_in=NO_LINES + "1,2026-10-30,5\n", dealer_profit=profit), PERIOD
    )
    assert rows["brand_share"].tolist() == [0.6]


# ---- lines without a dealer ----------------------------------------------------------------------


@pytest.mark.parametrize("period", [PERIOD, "2025-12"])
def test_dealers_and_unidentified_lines_are_the_total(open_network, network, period):
    book = open_network(network)
    told = data.reconciliation(book, period).set_index("indicator")
    totals = data.dealer_totals(book, period)
    window = periods.window(period)
    for indicator, table, column in (
        ("purchases", "sell_in", "revenue"),
        ("payments", "payments", "amount"),
    ):
        lines = [line for line in network[table] if window.start <= line["date"] <= window.end]
        row = told.loc[indicator]
        assert row["total"] == float(sum(line[column] for line in lines))
        assert row["identified"] == pytest.approx(totals[indicator].sum(), abs=0.005)
        assert row["unidentified"] == float(
            sum(line[column] for line in lines if line["dealer_id"] is None)
        )
        assert row["n_unidentified"] == sum(line["dealer_id"] is None for line in lines) > 0


def test_lines_without_a_dealer_are_nobodys(small):
    assert data.dealer_totals(small, PERIOD)["dealer_id"].notna().all()
    assert data.dealer_orders(small, PERIOD)["dealer_id"].notna().all()
    assert data.dealers(small)["dealer_id"].notna().all()
    assert data.reconciliation(small, PERIOD).loc[
        0, ["unidentified", "n_unidentified"]
    ].tolist() == [7.7, 1]


def test_nothing_to_reconcile_is_an_empty_table(make_book):
    rows = data.reconciliation(make_book(sell_out="date,amount\n2026-10-30,5\n"), PERIOD)
    assert rows.empty
    assert list(rows) == ["indicator", "identified", "unidentified", "total", "n_unidentified"]


# ---- dealers and other small tables --------------------------------------------------------------


def test_dealers_that_only_trade_appear_under_their_number(small):
    rows = data.dealers(small).set_index("dealer_id")
    assert rows["listed"].to_dict() == {f"{i:03d}": i != 9 for i in range(1, 10)}
    assert rows.loc["009", "dealer_name"] == "009"
    assert rows.loc["009", "floor_area_m2"] != rows.loc["009", "floor_area_m2"]  # missing


def test_no_table_of_dealers_is_needed(make_book):
    rows = data.dealers(make_book(sell_in=NO_LINES + "b,2026-10-30,5\na,2026-10-30,5\n"))
    assert rows[["dealer_id", "dealer_name", "listed"]].to_numpy().tolist() == [
        ["a", "a", False],
        ["b", "b", False],
    ]
    assert {c for c in settings.contract()["dealers"] if not c.endswith("_en")} <= set(rows)


def test_names_are_in_the_readers_language(small):
    assert data.dealers(small, "en").set_index("dealer_id").loc[
        ["001", "008", "009"], "dealer_name"
    ].tolist() == [
        "Shop 1",
        "店8",
        "009",
    ]
    for language in ("zh-Hans", "zh-Hant"):
        assert data.dealers(small, language)["dealer_name"].tolist()[:2] == ["店1", "店2"]
    assert not [c for c in data.dealers(small) if c.endswith("_en")]


def test_the_english_name_serves_where_there_is_no_other(make_book):
    book = make_book(
        sell_in=NO_LINES + "1,2026-10-30,5\n",
        dealers="dealer_id,dealer_name,dealer_name_en\n1,,One\n",
    )
    assert data.dealers(book, "zh-Hans")["dealer_name"].tolist() == ["One"]


def test_small_tables_have_the_contracts_columns_and_plain_types(small):
    rows = data.records(small, "products")
    assert rows["list_price"].dtype == "float64"  # money is a float once it is in pandas
    assert rows["list_price"].fillna(-1).tolist() == [99.9, -1]
    assert data.dealers(small)["opened_date"].dtype.kind == "M"
    nothing = data.records(small, "overrides")
    assert nothing.empty
    assert list(nothing) == list(settings.contract()["overrides"])
    assert nothing["valid_from"].dtype.kind == "M"


def test_overrides_written_by_people_come_with_dates(make_book, tmp_path):
    (tmp_path / "overrides.csv").write_text(
        "dealer_id,class,reason,author,valid_from,valid_to\n"
        "2,A,new shop,Li,2026-01-01,\n1,C,closing,Wu,2026-02-01,2026-12-31\n"
    )
    rows = data.records(make_book(sell_in=NO_LINES), "overrides")
    assert rows["dealer_id"].tolist() == ["1", "2"]
    assert rows["valid_from"].tolist() == [pd.Timestamp("2026-02-01"), pd.Timestamp("2026-01-01")]
    assert rows["valid_to"].isna().tolist() == [False, True]


def test_further_columns_of_candidates_are_scores(make_book):
    book = make_book(
        sell_in=NO_LINES,
        candidates="candidate_id,city,traffic\n2,X,7\n1,Y,3\n",
        extra="[data.candidates.columns]\ntraffic = 'CAST(\"traffic\" AS DOUBLE)'",
    )
    rows = data.records(book, "candidates")
    assert rows["candidate_id"].tolist() == ["1", "2"]


def test_reference_tables_beside_the_toml_win(small):
    shared = data.reference(small, "diagnoses")
    own = small.folder / "diagnoses.csv"
    shared.head(1).to_csv(own, index=False)
    assert len(data.reference(small, "diagnoses")) == 1 < len(shared)
    own.write_text("pattern\n***\n")
    with pytest.raises(DataError, match=r"diagnoses\.csv: no column '.*'; it needs "):
        data.reference(small, "diagnoses")
    with pytest.raises(
        DataError, match="reference table 'nosuch': there is none in data/reference"
    ):
        data.reference(small, "nosuch")


# ---- orders --------------------------------------------------------------------------------------


def test_days_with_a_purchase_are_counted_and_returns_are_none(make_book):
    # 1 buys twice on one day and returns later; 2 only returns; 3 buys a rival's; 4 gets a gift
    lines = [
        "1,2026-08-01,10,Lumora",
        "1,2026-08-01,5,Lumora",
        "1,2026-09-01,7,Lumora",
        "1,2026-10-20,-7,Lumora",
        "2,2026-10-02,-3,Lumora",
        "3,2026-10-03,9,Kaltern",
        "4,2026-10-30,0,Lumora",
        "5,2025-10-31,9,Lumora",
        ",2026-10-30,99,Lumora",
    ]
    rows = data.dealer_orders(
        make_book(sell_in="dealer_id,date,revenue,brand\n" + "\n".join(lines)), PERIOD
    )
    assert rows["dealer_id"].tolist() == ["1", "2", "4"]
    assert rows["n_orders"].tolist() == [2, 0, 0]
    assert rows["revenue"].tolist() == [15, -3, 0]
    assert rows["last_order_date"].tolist() == [pd.Timestamp("2026-09-01"), pd.NaT, pd.NaT]


def test_orders_of_the_network_equal_plain_python(open_network, network):
    window, days = periods.window(PERIOD), defaultdict(set)
    for line in network["sell_in"]:
        if (
            line["brand"] == BRAND
            and line["revenue"] > 0
            and line["dealer_id"]
            and window.start <= line["date"] <= window.end
        ):
            days[line["dealer_id"]].add(line["date"])
    rows = data.dealer_orders(open_network(network), PERIOD).set_index("dealer_id")
    assert rows["n_orders"][rows["n_orders"] > 0].to_dict() == {
        dealer: len(found) for dealer, found in days.items()
    }
    assert rows["last_order_date"].dropna().dt.date.to_dict() == {
        dealer: max(found) for dealer, found in days.items()
    }


# ---- periods of the data -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "period"),
    [("2026-10-28", "2026-10"), ("2026-10-27", "2026-09"), ("2026-11-01", "2026-10")],
)
def test_the_default_period_is_the_last_complete_month(make_book, last, period):
    assert (
        data.require_period(
            make_book(sell_in=f"dealer_id,date,revenue\n1,2026-01-15,5\n1,{last},5\n")
        )
        == period
    )


def test_stray_dates_move_no_period(make_book):
    lines = [f"1,{month}-15,5" for month in periods.month_range("2026-10", 14)]
    stray = [
        "1,1970-01-01,5",
        "1,2062-03-04,5",
        "1,0001-01-01,5",
        "1,9999-12-31,5",
        "1,2026-10-30,5",
    ]
    book = make_book(sell_in=NO_LINES + "\n".join(lines + stray))
    assert read.span(book) == ("2025-09", "2026-10")
    # twelve months and the last line
    assert data.dealer_totals(book, PERIOD)["revenue"].tolist() == [65.0]


def test_a_period_asked_for_must_be_a_month_with_data(small):
    assert data.require_period(small, "2025-01") == "2025-01"
    with pytest.raises(ValueError, match="'2026-13' is no month"):
        data.require_period(small, "2026-13")
    for period in ("2024-04", "2026-11"):
        with pytest.raises(
            DataError,
            match=rf"period: no complete data for {period}; workbook\.toml has 2024-05 to 2026-10",
        ):
            data.require_period(small, period)


def test_data_without_a_complete_month_are_refused(make_book):
    with pytest.raises(
        DataError,
        match=r"sell_in: sell_in\.csv starts in 2026-10 and ends on 2026-10-09: no month is "
        r"complete",
    ):
        data.require_period(make_book(sell_in=NO_LINES + "1,2026-10-02,5\n1,2026-10-09,5\n"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"sell_in": NO_LINES},
            r"sell_in: sell_in\.csv has no dated line; nothing can be analysed",
        ),
        (
            {"sell_in": NO_LINES, "dealers": "dealer_id\n1\n"},
            r"sell_in: sell_in\.csv has no dated line",
        ),
        ({"sell_out": "date,amount\n"}, r"sell_out: sell_out\.csv has no dated line"),
    ],
)
def test_tables_without_a_line_are_refused_in_words(make_book, given, words):
    book = make_book(**given)
    data.prepare(book)
    assert set(checks.findings(book)["check"]) == {"nothing"}
    with pytest.raises(DataError, match=words):
        data.require_period(book)


def test_an_empty_table_beside_is_as_if_it_were_not_there(make_book):
    book = make_book(
        sell_in=NO_LINES + "1,2026-10-30,5\n",
        dealers="dealer_id\n",
        payments="dealer_id,date,amount\n",
        products="product_id,brand\n",
        dealer_profit="dealer_id,month,brand,revenue,gross_profit\n",
    )
    rows = data.dealer_totals(book, PERIOD)
    assert rows["purchases"].tolist() == [5.0]
    assert rows[["payments", "brand_share"]].isna().all(axis=None)
    assert data.dealers(book)["dealer_id"].tolist() == ["1"]
    assert data.previous_totals(book, PERIOD).empty


def test_only_sell_out_is_a_workbook_that_cannot_judge_dealers(make_book):
    book = make_book(sell_out="date,amount,dealer_id\n2026-10-30,5,7\n2026-09-01,5,\n")
    assert data.require_period(book) == PERIOD
    assert data.dealers(book)["dealer_id"].tolist() == ["7"]
    assert data.brand_share_basis(book) == ""
    for ask in (data.dealer_totals, data.dealer_months, data.previous_totals):
        with pytest.raises(
            DataError,
            match="dealers can't be judged without a table of sell_in, payments or dealer_profit",
        ):
            ask(book, PERIOD)
    with pytest.raises(DataError, match="sell_in: this workbook has no such table"):
        data.dealer_orders(book, PERIOD)


def test_the_year_before_needs_data_of_the_whole_year(small):
    before = data.previous_totals(small, PERIOD)
    pd.testing.assert_frame_equal(before, data.dealer_totals(small, "2025-10"))
    assert len(data.previous_totals(small, "2026-04")) == 9  # 24 months, the first of them included
    nothing = data.previous_totals(small, "2026-03")
    assert nothing.empty
    assert list(nothing) == list(before)


def test_only_aggregates_reach_pandas(small, monkeypatch):
    sizes, to_pandas = [], Table.to_pandas

    def counted(self, **options) -> pd.DataFrame:
        rows = to_pandas(self, **options)
        sizes.append(len(rows))
        return rows

    monkeypatch.setattr(Table, "to_pandas", counted)
    for ask in (data.dealer_totals, data.dealer_orders, data.reconciliation):
        ask(small, PERIOD)
    data.dealers(small)
    checks.findings(small)
    assert 9 <= max(sizes) <= 30  # a row per dealer, or per month, but never one per line
    assert len(small_tables()["sell_in"]) > 500


def test_another_seed_gives_other_data_and_the_same_truth(make_book):
    given = network_rows(seed=11, n_dealers=5, n_lines=300)
    assert as_twin(data.dealer_totals(make_book(**given), PERIOD)) == floats(twin(given))


def test_the_demo_is_clean_and_conserved(small_demo):
    data.prepare(small_demo)
    assert not (checks.findings(small_demo)["severity"] == "error").any()
    period = data.require_period(small_demo)
    told = data.reconciliation(small_demo, period).set_index("indicator")
    totals = data.dealer_totals(small_demo, period)
    for indicator in ("purchases", "payments"):
        assert told.loc[indicator, "identified"] == pytest.approx(totals[indicator].sum(), abs=0.01)
    assert set(totals["dealer_id"]) <= set(data.dealers(small_demo)["dealer_id"])
    assert tables.fingerprint(small_demo) == tables.fingerprint(settings.workbook(small_demo.path))
