"""The season: last year's same weeks by hand, sell-in where they are not known, and the demo."""

import numpy as np
import pandas as pd
import pytest

from helpers import data, inventory, words
from helpers.inventory import moves, rebalancing, season, turnover

pytestmark = pytest.mark.usefixtures("looks")

END = pd.Timestamp("2026-10-31")
RULES = {"pace_days": 90, "cover_days": 45}


def sold(*spans: tuple[str, str, float], category: str = "ac") -> pd.DataFrame:
    """Lay out pieces a day over spans of days."""
    days = [pd.DataFrame({"date": pd.date_range(a, b), "sold": n}) for a, b, n in spans]
    return pd.concat(days, ignore_index=True).assign(category=category)


def bought(years: list[list[float]], last: str = "2026-10", category: str = "ac") -> pd.DataFrame:
    months = pd.period_range(end=last, periods=12 * len(years), freq="M").astype(str)
    return pd.DataFrame({"category": category, "month": months, "bought": np.ravel(years)})


NOTHING = bought([]).astype({"bought": float})


def test_last_years_same_weeks_by_hand():
    days = sold(
        ("2025-10-01", "2025-10-31", 8),
        ("2025-11-01", "2026-08-02", 2),
        ("2026-08-03", "2026-10-31", 4),
    )
    row = season.coming(days, NOTHING, END, **RULES).iloc[0]
    assert row[["coming", "ahead", "season_basis"]].tolist() == [0.5, 0.5, "last_year"]
    # sell-in grew by a tenth: so will the weeks to come
    grown = bought([[10.0] * 12, [11.0] * 12])
    assert season.coming(days, grown, END, **RULES)["coming"].item() == pytest.approx(0.55)
    # what is later than the day is not known
    later = pd.concat([days, sold(("2026-11-01", "2026-12-31", 99))])
    assert season.coming(later, NOTHING, END, **RULES)["coming"].item() == 0.5


def test_sell_in_tells_the_season_where_sales_do_not_reach_a_year_back():
    days = sold(("2026-05-01", "2026-10-31", 4))
    quiet = [1.0] * 12
    quiet[0], quiet[1] = 4.0, 4.0  # November and December
    rows = season.coming(days, bought([quiet, quiet]), END, **RULES)
    share = {True: 4 / 18, False: 1 / 18}
    coming = pd.date_range("2026-11-01", periods=45)
    last = pd.date_range(end=END, periods=90)
    level = [np.mean([share[d.month > 10] / d.days_in_month for d in x]) for x in (coming, last)]
    assert rows["coming"].item() == pytest.approx(level[0] / level[1])
    assert rows["season_basis"].item() == "sell_in"
    # goods that lie for 61 days are sold from January on
    late = season.coming(days, bought([quiet, quiet]), END, **RULES, lags=pd.Series({"ac": 61.0}))
    assert late["coming"].item() == pytest.approx(1, abs=0.05)


def test_where_nothing_tells_the_season_nothing_changes():
    days = sold(("2026-05-01", "2026-10-31", 4))
    row = season.coming(days, bought([]), END, **RULES).iloc[0]
    assert row[["coming", "ahead", "season_basis"]].tolist() == [1, 1, ""]
    few = sold(("2025-10-01", "2026-10-31", 0.1))
    assert season.coming(few, NOTHING, END, **RULES)["season_basis"].item() == ""
    none = season.coming(days.head(0), bought([]), END, **RULES)
    assert none.empty and none.columns.tolist() == season.COLUMNS
    flows = pd.DataFrame({"dealer_id": "a", "product_id": ["p", "q"], "sold_90d": 9.0})
    models = pd.DataFrame({"product_id": ["p"], "category": ["ac"]})
    told = season.with_season(flows, none, models)
    assert told[["coming", "ahead"]].to_numpy().tolist() == [[1, 1], [1, 1]]


@pytest.fixture(scope="module")
def demo(small_demo) -> tuple:
    return small_demo, inventory.stock_month(small_demo, "2026-10", n_history=1)


def test_the_season_is_what_the_moves_say_in_plain_sums(demo):
    """A second opinion, from the raw table: a year before, the 45 days after, and now the 90."""
    book, month = demo
    table = {
        t: pd.read_parquet(book.folder / f"data/demo/{t}.parquet")
        for t in ("stock_moves", "products", "sell_in")
    }
    kind = table["products"].set_index("product_id")["category"]
    rows = table["stock_moves"]
    rows = rows.assign(n=rows["quantity"] * rows["kind"].map({"sale": 1, "return": -1}).fillna(0))
    rows = rows[rows["product_id"].map(kind) == "air_conditioner"]
    then = rows.loc[rows["date"].between("2025-11-01", "2025-12-15"), "n"].sum() / 45
    now = rows.loc[rows["date"] > "2026-08-02", "n"].sum() / 90
    lines = table["sell_in"][table["sell_in"]["product_id"].map(kind) == "air_conditioner"]
    lines = lines[lines["brand"] == book.brand]
    year = [
        lines.loc[lines["date"].between(a, b), "revenue"].sum()
        for a, b in (("2024-11-01", "2025-10-31"), ("2025-11-01", "2026-10-31"))
    ]
    told = month.seasons.set_index("category").loc["air_conditioner"]
    assert told["season_basis"] == "last_year"
    assert told["coming"] == pytest.approx(then / now * year[1] / year[0], rel=1e-6)


def test_nothing_is_sent_into_a_season_that_ends(demo):
    book, month = demo
    kind = data.models(book).set_index("product_id")["category"]
    ending = month.seasons.loc[month.seasons["coming"] < rebalancing.ENDING_RATE, "category"]
    assert "air_conditioner" in set(ending)
    assert not set(month.lots["product_id"].map(kind)) & set(ending)
    # … to which a good part of the lots went by the pace of the last days alone
    blind = month.flows.drop(columns=turnover.COMING)
    before = inventory.proposal(month.aged, blind, data.dealers(book))
    assert before["product_id"].map(kind).isin(ending).any()
    said = moves.season_sentences(month.seasons, month.aged)
    assert said[-1].startswith("The season of ") and words.label("air_conditioner") in said[-1]


def test_before_its_peak_a_water_heater_is_not_called_slow(demo):
    """What sleeps is what lies beyond the coming weeks' sales, and these are higher."""
    book, month = demo
    kind = data.models(book).set_index("product_id")["category"]
    blind = month.flows.drop(columns=turnover.COMING)

    def asleep(flows: pd.DataFrame) -> pd.Series:
        rows = rebalancing.supply(month.aged, flows)
        return rows.groupby(rows["product_id"].map(kind))["pieces"].sum()

    coming = month.seasons.set_index("category")["coming"]
    assert coming["water_heater"] > 1.2
    now, before = asleep(month.flows), asleep(blind)
    assert now.get("water_heater", 0) < before["water_heater"]
    assert now["air_conditioner"] > before["air_conditioner"]


def test_days_of_sales_go_by_the_coming_weeks():
    pairs = pd.DataFrame(
        {
            "d": "d",
            "sold_90d": [9.0],
            "sold": [9.0],
            "unit_cost": [100.0],
            "value": [800.0],
            "quantity": [8.0],
        }
    )
    plain, peak = (turnover.turnover(x, "d").loc["d"] for x in (pairs, pairs.assign(ahead=2.0)))
    assert plain["days_sales_of_inventory"] == pytest.approx(80)
    assert peak["days_sales_of_inventory"] == pytest.approx(40)
    assert peak["stock_turn"] == pytest.approx(365 / 40)
    assert peak["sell_through_rate"] == plain["sell_through_rate"]
