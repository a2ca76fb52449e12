"""Inventory age: buckets by hand, an SQL twin, the words, the dead stock planted in the demo."""

from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import data, inventory, look, words
from helpers.data import stock
from helpers.demo import build
from helpers.inventory import age, summary

pytestmark = pytest.mark.usefixtures("looks")

END = pd.Timestamp("2026-10-31")
NO_REMARKS = pd.DataFrame(columns=["dealer_id", "product_id", "remark", "quantity"])
COLUMNS = ["dealer_id", "product_id", "days", "quantity", "unit_cost"]
DEALERS = pd.DataFrame(
    {
        "dealer_id": ["a", "b", "c"],
        "dealer_name": ["Ann", "Bob", "Cid"],
        "city": None,
        "account_manager": ["Mei", "Mei", "Li"],
    }
)
MODELS = pd.DataFrame(
    {
        "product_id": ["p", "q"],
        "product_name": ["Pot", "Quilt"],
        "category": ["kitchen", "bed"],
        "brand": "ours",
        "list_price": 1.0,
    }
)

days = st.one_of(
    st.none(), st.integers(0, 400), st.sampled_from([30, 31, 60, 61, 90, 91, 180, 181])
)
layer = st.tuples(
    st.sampled_from("abc"), st.sampled_from("pqrs"), days, st.integers(1, 40), st.integers(1, 900)
)
layers_drawn = st.lists(layer, min_size=1, max_size=25)
sales_drawn = st.dictionaries(
    st.tuples(st.sampled_from("ab"), st.sampled_from("pqrs")), st.integers(-2, 40)
)


def layers_of(*rows) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=COLUMNS).astype(
        {"days": float, "quantity": float, "unit_cost": float}
    )
    table["received_date"] = END - pd.to_timedelta(table.pop("days"), unit="D")
    return table


def aged_of(*rows) -> pd.DataFrame:
    return inventory.aged(layers_of(*rows), END)


def flows_of(*rows) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["dealer_id", "product_id", "sold", "sold_90d"])
    return table.astype({"sold": float, "sold_90d": float}).assign(last_sold_date=pd.NaT)


def wording(ax) -> str:
    return " ".join(text.get_text() for text in ax.figure.texts).replace("\n", " ")


# ---- age -----------------------------------------------------------------------------------------


def test_a_hundred_pieces_of_four_months_lie_in_the_first_four_buckets():
    dates = pd.to_datetime(["2026-10-15", "2026-09-15", "2026-08-15", "2026-07-15"])
    layers = pd.DataFrame(
        {
            "dealer_id": "a",
            "product_id": "p",
            "received_date": dates,
            "quantity": 25.0,
            "unit_cost": 2.0,
        }
    )
    row = inventory.dealer_stock(inventory.aged(layers, END), flows_of(("a", "p", 1, 1))).iloc[0]
    assert [row[c] for c in inventory.VALUES.values()] == [50, 50, 50, 50, 0, 0]
    assert row["quantity"] == 100
    assert row["old_share"] == 0.25
    assert row["stock_age_days"] == (16 + 46 + 77 + 108) / 4


@pytest.mark.parametrize(
    ("days_old", "bucket"),
    [
        (0, "0-30"),
        (30, "0-30"),
        (31, "31-60"),
        (60, "31-60"),
        (61, "61-90"),
        (90, "61-90"),
        (91, "91-180"),
        (180, "91-180"),
        (181, "over_180"),
        (None, "unknown"),
        (-5, "0-30"),
    ],
)
def test_who_reaches_a_limit_is_still_below_it(days_old, bucket):
    assert aged_of(("a", "p", days_old, 1, 1))["bucket"].tolist() == [bucket]


def test_a_layer_without_a_cost_is_valued_at_the_models_mean():
    rows = aged_of(
        ("a", "p", 1, 3, 10), ("b", "p", 1, 1, 50), ("c", "p", 1, 2, None), ("c", "q", 1, 2, None)
    )
    assert rows["value"].tolist()[:3] == [30, 50, 40]
    assert np.isnan(rows["value"][3])
    assert rows["unit_cost"].isna().tolist() == [False, False, True, True]


def test_what_has_no_date_is_of_unknown_age_and_not_old():
    row = inventory.network_stock(
        aged_of(("a", "p", None, 1, 60), ("a", "p", 100, 1, 40)), flows_of()
    ).iloc[0]
    assert row["value_unknown"] == 60
    assert row["old_share"] == 0.4
    assert row["stock_age_days"] == 100  # of what has a date


@settings(max_examples=15)
@given(layers_drawn)
def test_an_sql_twin_finds_the_same_buckets(rows):
    layers = layers_of(*rows)
    found = (
        inventory.dealer_stock(inventory.aged(layers, END), flows_of())
        .set_index("dealer_id")
        .sort_index()
    )
    with duckdb.connect() as con:
        con.register("layers", layers)
        twin = (
            con.sql("""
            WITH days AS (SELECT *, date_diff('day', received_date::date, DATE '2026-10-31') AS age
                          FROM layers)
            SELECT dealer_id, sum(quantity * unit_cost) FILTER (age <= 30) AS value_0_30,
                sum(quantity * unit_cost) FILTER (age BETWEEN 31 AND 60) AS value_31_60,
                sum(quantity * unit_cost) FILTER (age BETWEEN 61 AND 90) AS value_61_90,
                sum(quantity * unit_cost) FILTER (age BETWEEN 91 AND 180) AS value_91_180,
                sum(quantity * unit_cost) FILTER (age > 180) AS value_over_180,
                sum(quantity * unit_cost) FILTER (age IS NULL) AS value_unknown,
                sum(quantity * unit_cost) AS value,
                sum(quantity * unit_cost * age) / sum(quantity * unit_cost)
                  FILTER (age >= 0) AS stock_age_days
            FROM days GROUP BY ALL ORDER BY dealer_id""")
            .df()
            .set_index("dealer_id")
            .astype(float)
        )
    money = [*inventory.VALUES.values(), "value"]
    pd.testing.assert_frame_equal(found[money], twin[money].fillna(0.0), check_names=False)
    pd.testing.assert_series_equal(found["stock_age_days"], twin["stock_age_days"])


@settings(max_examples=15)
@given(layers_drawn, sales_drawn)
def test_nothing_is_lost_and_the_order_of_rows_is_nothing(rows, sold):
    layers, flows = layers_of(*rows), flows_of(*((*pair, 2 * n, n) for pair, n in sold.items()))
    aged = inventory.aged(layers, END)
    held = inventory.dealer_stock(aged, flows)
    assert held["value"].sum() == pytest.approx((layers["quantity"] * layers["unit_cost"]).sum())
    assert held[list(inventory.VALUES.values())].sum(axis=1).tolist() == pytest.approx(
        held["value"].tolist()
    )
    assert held["quantity"].sum() == layers["quantity"].sum()
    assert (held["dead_value"].fillna(0) <= held["old_value"] + 0.01).all()
    assert inventory.network_stock(aged, flows)["value"].item() == pytest.approx(
        held["value"].sum()
    )
    shuffled = aged.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(
        inventory.dealer_stock(shuffled, flows.sample(frac=1, random_state=3)), held
    )
    pd.testing.assert_frame_equal(
        inventory.dead_stock(shuffled, flows), inventory.dead_stock(aged, flows)
    )


def test_input_is_not_mutated():
    layers, flows = (
        layers_of(("a", "p", 100, 2, 10), ("b", "q", None, 1, None)),
        flows_of(("a", "p", 0, 0)),
    )
    aged = inventory.aged(layers, END)
    kept = [table.copy() for table in (layers, flows, aged)]
    held = inventory.named(inventory.dealer_stock(aged, flows), DEALERS)
    inventory.named(inventory.dead_stock(aged, flows), DEALERS, MODELS)
    inventory.group_stock(aged, flows, MODELS, "category")
    inventory.plot_dealers(held)
    for table, before in zip((layers, flows, aged), kept, strict=True):
        pd.testing.assert_frame_equal(table, before)


# ---- what is dead --------------------------------------------------------------------------------


def test_dead_is_old_and_not_sold():
    aged = aged_of(
        ("a", "p", 100, 4, 10),
        ("a", "p", 200, 1, 10),
        ("a", "p", 20, 9, 10),
        ("a", "q", 300, 5, 10),
        ("b", "p", 90, 5, 10),
        ("b", "q", None, 5, 10),
        ("silent", "p", 400, 5, 10),
    )
    flows = flows_of(("a", "q", 3, 1), ("b", "p", 0, 0))
    flows["last_sold_date"] = pd.to_datetime(["2026-10-01", None])
    dead = inventory.dead_stock(aged, flows)
    # a sold one q; b's p is 90 days old and no more, his q of unknown age; of "silent" nothing is
    # known
    assert dead[
        ["dealer_id", "product_id", "quantity", "value", "age_days"]
    ].to_numpy().tolist() == [["a", "p", 5, 50, 120]]
    held = inventory.dealer_stock(aged, flows).set_index("dealer_id")
    assert held["dead_value"].to_dict() | {"silent": None} == {"a": 50, "b": 0, "silent": None}
    assert np.isnan(held.loc["silent", "dead_value"])
    assert held.loc["a", "dead_share"] == 50 / 190


def test_more_brought_back_than_sold_is_dead_all_the_same():
    dead = inventory.dead_stock(aged_of(("a", "p", 100, 4, 10)), flows_of(("a", "p", 5, -1)))
    assert dead["value"].tolist() == [40]
    assert dead["last_sold_date"].isna().all()


def test_where_sales_are_unknown_nothing_is_called_dead():
    aged, flows = aged_of(("a", "p", 400, 4, 10)), flows_of(("a", "p", None, None))
    assert inventory.dead_stock(aged, flows).empty
    held = inventory.named(inventory.dealer_stock(aged, flows), DEALERS)
    said = summary.bottom_line(
        inventory.network_stock(aged, flows), held, inventory.dead_stock(aged, flows), END
    )
    assert said[-1] == words.say("inventory.dead_unknown")
    assert words.say("inventory.no_pace", days=90) in said


def test_older_than_counts_the_pieces_beyond_a_limit():
    rows = inventory.older_than(
        aged_of(("a", "p", 61, 1, 10), ("a", "p", 60, 5, 10), ("b", "q", 70, 1, 99)), 60
    )
    assert rows[["dealer_id", "quantity", "value"]].to_numpy().tolist() == [
        ["b", 1, 99],
        ["a", 1, 10],
    ]


# ---- tables --------------------------------------------------------------------------------------


def test_vital_holders_are_the_fewest_with_four_fifths():
    aged = aged_of(
        ("a", "p", 100, 70, 1),
        ("b", "p", 100, 10, 1),
        ("c", "p", 200, 20, 1),
        ("d", "p", 1, 900, 1),
    )
    held = inventory.dealer_stock(aged, flows_of())
    assert held["dealer_id"].tolist() == ["a", "c", "b", "d"]  # most old stock first
    assert age.vital_holders(held)["dealer_id"].tolist() == ["a", "c"]
    assert age.vital_holders(held.tail(1)).empty


def test_groups_need_two_and_name_what_is_not_stated():
    aged = aged_of(("a", "p", 100, 1, 10), ("b", "q", 1, 1, 10), ("b", "unlisted", 1, 1, 5))
    rows = inventory.group_stock(aged, flows_of(("a", "p", 1, 1)), MODELS, "category")
    assert rows["category"].tolist() == ["kitchen", "bed", "not_stated"]
    assert rows["value"].tolist() == [10, 10, 5]
    assert rows["days_sales_of_inventory"].tolist()[0] == 90
    assert inventory.group_stock(aged, flows_of(), MODELS, "brand").empty  # all is of one brand
    assert set(age.GROUPS) <= set(
        inventory.group_stock(aged.head(0), flows_of(), MODELS, "category").columns
    )


def test_past_months_are_told_by_their_own_counts_only():
    then = {
        "2026-10": SimpleNamespace(
            layers=layers_of(("a", "p", 100, 1, 10), ("a", "p", 1, 3, 10)), as_of=END
        ),
        "2026-09": SimpleNamespace(
            layers=layers_of(("a", "p", 200, 1, 10)), as_of=pd.Timestamp("2026-09-30")
        ),
        "2026-08": SimpleNamespace(
            layers=layers_of(("a", "p", 200, 1, 10)), as_of=pd.Timestamp("2026-05-31")
        ),
        "2026-07": SimpleNamespace(layers=layers_of(), as_of=pd.NaT),
    }
    rows = inventory.past_months(then, dict.fromkeys(then, flows_of(("a", "p", 1, 1))))
    # August has an old count, July has none
    assert rows["month"].tolist() == ["2026-09", "2026-10"]
    assert rows["old_share"].tolist() == [1, 0.25]
    assert rows["days_sales_of_inventory"].tolist() == [90, 360]
    assert inventory.past_months({}, {}).empty


def test_names_fall_back_on_numbers():
    dead = inventory.dead_stock(
        aged_of(("zz", "unlisted", 100, 1, 1)), flows_of(("zz", "unlisted", 0, 0))
    )
    row = inventory.named(dead, DEALERS, MODELS).iloc[0]
    assert (row["dealer_name"], row["product_name"]) == ("zz", "unlisted")


def test_most_dead_are_five_and_their_equals():
    held = pd.DataFrame({"dead_value": [9.0, 8, 7, 6, 5, 5, 1, 0, np.nan]})
    assert inventory.most_dead(held).tolist() == [True] * 6 + [False] * 3
    assert not inventory.most_dead(held * 0).any()


def test_remarks_are_counted_with_an_example():
    remarks = pd.DataFrame(
        [
            ("b", "q", "negative_stock", -3.0),
            ("a", "p", "negative_stock", -1.0),
            ("a", "p", "age_unknown", 5.0),
        ],
        columns=NO_REMARKS.columns,
    )
    table = age.remark_table(remarks)
    assert table.to_numpy().tolist() == [
        ["negative_stock", 2, 2, -4, "a · p"],
        ["age_unknown", 1, 1, 5, "a · p"],
    ]
    assert age.remark_table(NO_REMARKS).empty
    whole = inventory.network_stock(
        aged_of(("a", "p", None, 1, 60), ("a", "p", 1, 1, 40)), flows_of()
    )
    late, unknown, odd = summary.quality_sentences(whole, remarks, END, "2026-12-31")
    assert "2026-10-31, 61 days before" in late
    assert "60.0% of the stock (CNY 60)" in unknown
    assert odd.startswith("The stock records have 3 oddities")
    clean = inventory.network_stock(aged_of(("a", "p", 1, 1, 40)), flows_of())
    assert summary.quality_sentences(clean, NO_REMARKS, END, "2026-10-31") == []


# ---- words and figures ---------------------------------------------------------------------------


@pytest.fixture
def told():
    """Tell of three dealers: a has most, b's is dead, c is young."""
    aged = aged_of(
        ("a", "p", 100, 10, 10),
        ("a", "q", 10, 10, 20),
        ("b", "q", 200, 4, 10),
        ("c", "p", 5, 66, 10),
    )
    flows = flows_of(("a", "p", 40, 10), ("b", "q", 0, 0), ("c", "p", 90, 10))
    held = inventory.named(inventory.dealer_stock(aged, flows), DEALERS)
    dead = inventory.named(inventory.dead_stock(aged, flows), DEALERS, MODELS)
    return inventory.network_stock(aged, flows), held, dead


def test_the_bottom_line_by_hand(told):
    assert summary.bottom_line(*told, END) == [
        "On 2026-10-31, 3 dealers had CNY 1,000 on hand: 90 pieces of 2 models.",
        "At the pace of the last 90 days that is 450 days of sales, a turn of 0.8 times a year. "
        "Of what there was to sell in up to twelve months, 59% has been sold.",
        "CNY 140 of it (14.0%) has lain for more than 90 days, CNY 40 (4.0%) for more than 180.",
        "2 of 3 dealers hold 80% of the stock over 90 days. Most lies at Ann, Bob.",
        "CNY 40 is dead, at 1 dealer: older than 90 days, and none of the model sold there in "
        "as many. 100% of it lies at 1: Bob.",
    ]


@pytest.mark.parametrize("n_old", range(4))
def test_nobody_holds_a_part_of_nothing(n_old):
    aged = aged_of(*((f"d{i}", "p", 200 if i < n_old else 5, 10, 10) for i in range(4)))
    flows = flows_of()
    whole, held = inventory.network_stock(aged, flows), inventory.dealer_stock(aged, flows)
    said = summary.headlines(whole.assign(month="2026-10"), whole, held, [])[0]["text"]
    assert ("80%" in said) is bool(n_old)
    assert (f"{n_old} of 4 dealers hold" in said) is bool(n_old)
    assert n_old or said.startswith("Nothing of the CNY 400")


def test_headlines_have_one_verdict_and_compare_with_the_month_before(told):
    whole, held, _dead = told
    before = whole.assign(
        month="2026-09",
        old_share=0.2,
        value=500.0,
        days_sales_of_inventory=400.0,
        value_over_180=90.0,
        old_value=190.0,
    )
    months = pd.concat([before, whole.assign(month="2026-10")], ignore_index=True)
    made = summary.headlines(months, whole, held, ["odd"])
    assert [line["place"] for line in made] == [
        "verdict",
        "tile",
        "tile",
        "tile",
        "change",
        "quality",
    ]
    assert [line.get("change") for line in made[1:4]] == [
        "+100.0% since 2026-09",
        "−6.0 points since 2026-09",
        "+12.5% since 2026-09",
    ]
    assert [line.get("tone") for line in made[1:4]] == ["", "good", "bad"]
    assert made[2]["trend"] == [0.2, 0.14]
    assert made[4]["text"] == "Stock older than 90 days fell by CNY 50 since 2026-09, to CNY 140."
    alone = summary.headlines(months.tail(1), whole, held, [])
    assert [line["place"] for line in alone] == ["verdict", "tile", "tile", "tile"]
    assert "change" not in alone[1]


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_figures_draw_what_the_tables_say(told, language):
    look.use(language, "CNY")
    whole, held, _dead = told
    ages = inventory.plot_ages(whole, note="2026")
    assert [bar.get_width() for bar in ages.patches] == [860, 0, 0, 100, 40]
    assert words.say("inventory.ages", share="14.0%", days=90, old=140.0) in wording(ages)
    dealers = inventory.plot_dealers(held, note="2026")
    # Cid holds nothing old
    assert [label.get_text() for label in dealers.get_yticklabels()] == ["Ann", "Bob"]
    assert [bar.get_width() for bar in dealers.patches[:2]] == [0, 40]  # the oldest at the axis
    assert sum(bar.get_width() for bar in dealers.patches) == 340
    months = pd.concat([whole.assign(month=m) for m in ("2026-09", "2026-10")], ignore_index=True)
    ax = inventory.plot_months(months, note="2026")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["2026-09", "2026-10"]
    assert sum(bar.get_height() for bar in ax.patches) == 2000
    assert words.say("inventory.months_one", days=90, last="14.0%") in wording(
        inventory.plot_months(months.tail(1))
    )


@pytest.mark.parametrize("values", [(500.0, 0.0), (500.0, np.nan), (0.0, 500.0), (500.0, 500.0)])
def test_months_without_a_value_have_no_part_that_is_old(told, values):
    whole, _held, _dead = told
    months = pd.concat(
        [
            whole.assign(month=month, value=value, old_share=0.14 if value > 0 else np.nan)
            for month, value in zip(("2026-09", "2026-10"), values, strict=True)
        ],
        ignore_index=True,
    )
    ax = inventory.plot_months(months)
    assert "–" not in wording(ax).split("(")[0]
    there = months.loc[months["value"] > 0, "month"].tolist()
    if len(there) == 1:  # one column is a sentence
        assert ax.figure.nothing and not ax.patches
    else:
        assert [label.get_text() for label in ax.get_xticklabels()] == there


@pytest.mark.parametrize("dtype", ["str", "object", "float64"])
def test_without_stock_every_part_says_one_sentence(dtype):
    layers, flows = (
        pd.DataFrame(columns=names).astype(dtype)
        for names in ([*COLUMNS[:2], *COLUMNS[3:], "received_date"], stock.FLOWS)
    )
    aged = inventory.aged(layers, pd.NaT)
    whole, held = (
        inventory.network_stock(aged, flows),
        inventory.named(inventory.dealer_stock(aged, flows), DEALERS),
    )
    dead = inventory.named(inventory.dead_stock(aged, flows), DEALERS, MODELS)
    said = words.say("inventory.no_stock")
    assert summary.bottom_line(whole, held, dead, pd.NaT) == [said, words.say("inventory.nothing")]
    assert summary.bottom_line(whole, held, dead, END) == [said], "counted, and nothing was there"
    assert summary.why_nothing_dead(held) == said
    assert summary.basis_sentences("") == []
    assert summary.why_empty(aged, "inventory.no_odd") == said
    months = inventory.past_months({}, {})
    for ax in (
        inventory.plot_ages(whole),
        inventory.plot_months(months),
        inventory.plot_dealers(held),
    ):
        assert ax.figure.alt_text == said
    assert (
        summary.headlines(
            months, whole, held, summary.quality_sentences(whole, NO_REMARKS, pd.NaT, END)
        )
        == []
    )
    assert inventory.stock_note("Demo", pd.NaT, whole) == "Demo"
    for rows, columns in ((held, age.SHOWN), (dead, age.DEAD)):
        assert look.table(inventory.shown(rows, columns), empty=said).rows.empty
    assert not inventory.most_dead(held).any()


@pytest.mark.parametrize("sold", [[], [1.0], [1.0, 1.0]])
def test_why_nothing_is_dead_is_said_in_the_words_of_the_bottom_line(sold):
    """Of two dealers with old stock, none, one or both tell what they sold."""
    aged = aged_of(("a", "p", 100, 4, 5), ("b", "p", 100, 4, 5))
    flows = flows_of(*[(dealer, "p", n, n) for dealer, n in zip("ab", sold, strict=False)])
    held = inventory.named(inventory.dealer_stock(aged, flows), DEALERS)
    whole, dead = inventory.network_stock(aged, flows), inventory.dead_stock(aged, flows)
    said = summary.why_nothing_dead(held)
    assert said in summary.bottom_line(whole, held, dead, END), "then the page says it once"
    assert said == words.say(
        f"inventory.{'no_dead' if len(sold) == 2 else 'dead_unknown'}", days=90
    )


def test_without_any_cost_pieces_are_counted_and_no_value_is_drawn():
    aged, flows = aged_of(("a", "p", 100, 4, None)), flows_of(("a", "p", 0, 0))
    whole, held = (
        inventory.network_stock(aged, flows),
        inventory.named(inventory.dealer_stock(aged, flows), DEALERS),
    )
    (said,) = summary.bottom_line(whole, held, inventory.dead_stock(aged, flows), END)
    assert "4 pieces on hand; no cost above zero is known" in said
    for ax in (inventory.plot_ages(whole), inventory.plot_dealers(held)):
        assert ax.figure.alt_text == words.say("inventory.no_cost")
    assert summary.headlines(pd.DataFrame(), whole, held, []) == []


# ---- the demo ------------------------------------------------------------------------------------


def test_the_planted_dead_stock_is_named_first(small_demo):
    planted = build.planted(n_dealers=60, n_months=26)["dead_stock"]
    book = data.workbook(small_demo.path)
    on_hand, flows = data.on_hand(book, "2026-10"), data.flows(book, "2026-10")
    aged, dealers = inventory.aged(on_hand.layers, on_hand.as_of), data.dealers(book)
    held = inventory.named(inventory.dealer_stock(aged, flows), dealers)
    dead = inventory.named(inventory.dead_stock(aged, flows), dealers, data.models(book))
    assert set(held["dealer_id"].head(len(planted))) == set(planted)
    assert set(dead["dealer_id"].head(2 * len(planted))) == set(planted)
    mine = held.set_index("dealer_id").loc[planted]
    assert (mine["dead_share"] > 0.5).all()
    assert held.loc[~held["dealer_id"].isin(planted), "dead_share"].max() < 0.5
    two = dead.groupby("dealer_id").head(2)
    assert (two.loc[two["dealer_id"].isin(planted), "age_days"] == 250).all()
    said = summary.bottom_line(inventory.network_stock(aged, flows), held, dead, on_hand.as_of)
    names = dealers.set_index("dealer_id").loc[planted, "dealer_name"]
    assert all(name in said[-1] for name in names)
