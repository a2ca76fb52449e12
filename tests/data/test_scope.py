"""Scope: what the door tells of some dealers is what it would tell of data that hold no others.

The oracle is a second workbook whose sources are cut by SQL.
"""

import pandas as pd
import pytest

from helpers import data, settings
from helpers.data import plan_file, read, tables
from helpers.press import editions
from helpers.settings import DataError
from twins import twin

PERIOD = "2026-10"
EAST = {"region": ["东岸大区"]}
SCOPES = {
    "a region": EAST,
    "two regions": {"region": ["东岸大区", "北原大区"]},
    "a manager": {"account_manager": None},  # the first one
    "a format": {"store_format": ["chain", "independent"]},
    "both": {**EAST, "store_format": ["independent", "department_store"]},
}
DOOR = {
    "dealers": data.dealers,
    "totals": lambda b: data.dealer_totals(b, PERIOD),
    "quarters": lambda b: data.dealer_totals(b, PERIOD, n_months=3, n_windows=8),
    "before": lambda b: data.previous_totals(b, PERIOD),
    "months": lambda b: data.dealer_months(b, PERIOD),
    "orders": lambda b: data.dealer_orders(b, PERIOD),
    "rhythm": lambda b: data.order_rhythm(b, PERIOD),
    "features": lambda b: data.dealer_features(b, PERIOD),
    "reconciliation": lambda b: data.reconciliation(b, PERIOD),
    "brand_sums": lambda b: data.brand_sums(b, PERIOD),
    "brand_months": lambda b: data.brand_months(b, PERIOD),
    "margins": lambda b: data.dealer_margins(b, PERIOD),
    "consumers": lambda b: data.consumer_features(b, PERIOD),
    "sold out": lambda b: data.sold_out_months(b, PERIOD),
    **{
        name: lambda b, name=name: data.records(b, name)
        for name in ("regions", "candidates", "scores", "comparisons", "plan", "overrides")
    },
    "people": lambda b: data.records(b, "consumers"),
    "history": lambda b: data.history(b, PERIOD),
    "peak": lambda b: data.peak_months(b, PERIOD),
    "unidentified": lambda b: data.unidentified_share(b, PERIOD),
    "basis": lambda b: data.brand_share_basis(b, PERIOD),
    "span": read.span,
    "covered": lambda b: data.covered(b, PERIOD),
}


@pytest.fixture(scope="module", params=SCOPES)
def pair(request, small_demo, tmp_path_factory) -> tuple[settings.Workbook, settings.Workbook]:
    """Give a scope of the small demo, and the workbook whose sources are cut by SQL."""
    scope = dict(SCOPES[request.param])
    if None in scope.values():
        scope["account_manager"] = [sorted(data.values_of(small_demo, "account_manager"))[0]]
    folder = tmp_path_factory.mktemp("twin")
    return data.in_scope(small_demo.only(**scope)), twin(small_demo, scope, folder)


@pytest.mark.parametrize("asked", DOOR)
def test_the_door_tells_what_data_of_these_dealers_alone_would(pair, asked):
    scoped, other = (DOOR[asked](book) for book in pair)
    if isinstance(scoped, pd.DataFrame):
        pd.testing.assert_frame_equal(scoped, other, check_exact=False, rtol=1e-9, atol=1e-9)
        assert len(scoped) or asked in ("overrides", "candidates", "regions", "plan")
    elif isinstance(scoped, pd.Series):
        pd.testing.assert_series_equal(scoped, other, rtol=1e-9)
    else:
        assert scoped == other


def test_stock_is_the_networks_then_cut(pair, small_demo):
    scoped, _other = pair
    inside = set(data.dealers(scoped)["dealer_id"])
    for asked in (
        lambda b: data.on_hand(b, PERIOD).layers,
        lambda b: data.on_hand(b, PERIOD).remarks,
        lambda b: data.flows(b, PERIOD),
    ):
        here, all_ = asked(scoped), asked(small_demo)
        expected = all_[all_["dealer_id"].isin(inside)].reset_index(drop=True)
        pd.testing.assert_frame_equal(here, expected)
    assert data.on_hand(scoped, PERIOD).as_of == data.on_hand(small_demo, PERIOD).as_of
    assert len(data.on_hand(scoped, PERIOD).layers)


def test_each_value_and_nobodys_add_up_to_the_network(small_demo):
    whole = data.dealer_totals(small_demo, PERIOD)
    parts = [
        data.dealer_totals(small_demo.only(region=value), PERIOD)
        for value in data.values_of(small_demo, "region")
    ]
    inside = pd.concat(parts)
    placed = set(data.records(small_demo, "dealers").dropna(subset=["region"])["dealer_id"])
    outside = whole[~whole["dealer_id"].isin(placed)]
    assert len(inside) + len(outside) == len(whole)
    for column in ("revenue", "payments", "gross_profit"):
        total = inside[column].sum() + outside[column].sum()
        assert total == pytest.approx(whole[column].sum(), abs=0.005)


@pytest.mark.parametrize(
    ("scope", "message"),
    [
        ("regin=East", "unknown column 'regin'; did you mean 'region'"),
        ("region=东岸大", "no dealer has region '东岸大'; did you mean '东岸大区'"),
        ("region", "'region' is no column with its values; write e.g. region=East"),
        ("region=", "region: a value as in `dealers` is expected, not ''"),
        ("region=a;region=b", "'region' is given twice; put | between its values"),
        ("=East", "'=East' is no column with its values"),
        ("floor_area_m2=large", "floor_area_m2 holds numbers; 'large' is none"),
        ("zzz=30", "unknown column 'zzz'; known are"),
        ("revenue=1", "unknown column 'revenue'"),
        ("region=东岸大区;city=nowhere", "no dealer has city 'nowhere'"),
    ],
)
def test_a_scope_that_makes_no_sense_is_refused(small_demo, scope, message):
    with pytest.raises(DataError, match=rf"^scope: .*{message.replace('|', '[|]')}"):
        data.workbook(small_demo.path, scope)


def test_nobody_in_it_is_refused(small_demo):
    dealers = data.records(small_demo, "dealers", "zh-Hans").dropna(subset=["region", "city"])
    city = dealers.loc[dealers["region"] != "东岸大区", "city"].iloc[0]
    assert not ((dealers["region"] == "东岸大区") & (dealers["city"] == city)).any()
    with pytest.raises(DataError, match=r"scope: no dealer has all of city: .*; region: 东岸大区"):
        data.workbook(small_demo.path, f"region=东岸大区;city={city}")


def test_a_scope_within_the_tomls_is_narrower(small_demo, tmp_path):
    toml = small_demo.path.read_text("utf-8")
    toml = toml.replace("data/demo", str(small_demo.folder / "data/demo"))
    toml = toml.replace("[data]\n", '[scope]\nregion = ["东岸大区", "北原大区"]\n[data]\n', 1)
    (tmp_path / "workbook.toml").write_text(toml, encoding="utf-8")
    book = data.workbook(tmp_path)
    assert set(data.dealers(book)["region"]) <= {
        "东岸大区",
        "北原大区",
        "East Coast",
        "North Plain",
    }
    one = data.workbook(tmp_path, "region=北原大区")
    assert len(data.dealers(one)) < len(data.dealers(book)) < len(data.dealers(small_demo))
    assert settings.scope_text(one.scope) == "region=北原大区"
    with pytest.raises(DataError, match="scope: region 西岭大区 lies outside the workbook's own"):
        data.workbook(tmp_path, "region=西岭大区")
    again = data.workbook(tmp_path, settings.scope_text(one.scope))
    assert again.scope == one.scope, "a page is told the whole scope, and cuts no further"


def test_what_is_kept_and_where_editions_stand_depend_on_the_scope(small_demo):
    east = small_demo.only(**EAST)
    assert data.fingerprint(east) != data.fingerprint(small_demo)
    assert tables.table_fingerprint(east, "sell_in") == tables.table_fingerprint(
        small_demo, "sell_in"
    ), "a table is read once for all scopes"
    whole, part = editions.base(small_demo), editions.base(east)
    assert part.parent == whole / "scopes"
    other = editions.base(small_demo.only(**SCOPES["both"]))
    assert other.parent == part.parent and other != part


def test_sell_out_that_names_no_dealer_is_left_out(make_book):
    dealers = "dealer_id,region\nA,East\nB,West\n"
    sold_in = "dealer_id,date,revenue\nA,2026-10-05,10\nB,2026-10-31,20\n,2026-10-31,1\n"
    sold_out = "date,amount\n2026-10-05,99\n"
    book = make_book(dealers=dealers, sell_in=sold_in, sell_out=sold_out)
    east = data.in_scope(book.only(region="East"))
    assert (east.has("sell_out"), east.left_out) == (False, ("sell_out",))
    assert data.dealer_totals(east, "2026-10")["revenue"].tolist() == [10.0]
    assert data.require_period(east) == "2026-10", "the span is that of the uncut data"
    book = make_book(dealers=dealers, sell_out=sold_out)
    with pytest.raises(DataError, match="sell_out names no dealer"):
        data.in_scope(book.only(region="East"))
    book = make_book(sell_in=sold_in)
    with pytest.raises(DataError, match=r"has no \[data\.dealers\]"):
        data.in_scope(book.only(region="East"))


@pytest.mark.parametrize(
    "values", [["a|b"], ["a;b", "c=d"], ["back\\slash"], ["two  blanks", "中文|值"], ["\\|"]]
)
def test_a_scope_is_read_as_it_is_written(values):
    scope = (("city", tuple(sorted(values))),)
    book = settings.Workbook(*[None] * 10)
    assert book.only(settings.scope_text(scope)).scope == scope


def test_a_plan_saved_from_a_scope_keeps_what_it_does_not_show(make_book):
    dealers = "dealer_id,region\nA,East\nB,West\n"
    sold_in = "dealer_id,date,revenue\nA,2026-10-05,10\nB,2026-10-31,20\n"
    plan = "factor_id,dealer_id,owner,status\nf1,A,Ann,open\nf2,B,Ben,open\nf3,,Cy,open\n"
    book = make_book(dealers=dealers, sell_in=sold_in, plan=plan)
    east = data.in_scope(book.only(region="East"))
    assert data.records(east, "plan")["factor_id"].tolist() == ["f1"]
    new = pd.DataFrame({"factor_id": ["f9", "f3"], "dealer_id": ["A", None], "owner": ["Di", "Cy"]})
    for _twice in range(2):
        plan_file.keep_plan(east, new)
        kept = data.records(settings.workbook(book.path), "plan")
        assert sorted(kept["factor_id"]) == ["f2", "f3", "f9"]
