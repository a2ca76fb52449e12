"""Who is stuffed and who runs dry: by hand, on simulated channels, and what must hold."""

import numpy as np
import pandas as pd
import pytest

from channels import shelves_of, simulated
from helpers import data, inventory, look, words
from helpers.inventory import channel, pace, shortage, stuffing

pytestmark = pytest.mark.usefixtures("looks")

END = pd.Timestamp("2026-10-31")
MONTHS = [f"{m:%Y-%m}" for m in pd.date_range("2025-11-01", "2026-10-01", freq="MS")]
DEALERS = pd.DataFrame({"dealer_id": ["a", "b"], "dealer_name": ["Anna", "Bea"]})
MODELS = pd.DataFrame({"product_id": ["p", "q"], "product_name": ["Pot", "Quilt"]})
STEADY = [100.0] * 12


def told(**dealers: tuple[list[float], list[float]]) -> data.Channel:
    """Lay out dealers who get goods on the 1st and the 16th and sell evenly: (came, sold) by month.

    A hundred lie there before; they bought the year before what they sell in a month, or 100.
    """
    months, arrivals, bought = [], [], []
    for dealer, (came, sold) in dealers.items():
        stock, since = 100.0, np.nan
        for month, c, s in zip(MONTHS, came, sold, strict=True):
            opening = 100.0 if month == MONTHS[0] else 0.0
            months.append((dealer, "", month, c, s, opening, c, s, opening))
            for day, part in (("01", c / 2), ("16", c / 2)):
                if part:
                    stock += part
                    arrivals.append((dealer, f"{month}-{day}", part, since, stock))
                    since = 0.0
                stock -= s / 2
                since += s / 2
        before = [f"{m:%Y-%m}" for m in pd.date_range("2024-05-01", "2025-10-01", freq="MS")]
        bought += [(dealer, month, 100.0) for month in before]
        bought += [(dealer, month, c) for month, c in zip(MONTHS, came, strict=True) if c]
    arrivals = pd.DataFrame(arrivals, columns=["dealer_id", "date", "came", "sold_since", "stock"])
    columns = ["dealer_id", "category", "month", "came", "sold", "other"]
    columns += ["n_came", "n_sold", "n_other"]
    none = pd.DataFrame()
    return data.Channel(
        arrivals.assign(date=pd.to_datetime(arrivals["date"])),
        pd.DataFrame(months, columns=columns),
        none,
        none,
        pd.DataFrame({"dealer_id": [*dealers], "source": "stock_moves"}),
        pd.DataFrame(bought, columns=["dealer_id", "month", "bought"]),
        shelves_of(pd.DataFrame(months, columns=columns)),
        pd.Timestamp("2025-11-01"),
        END,
    )


def judged(found: data.Channel, **rules) -> pd.DataFrame:
    return inventory.pressure(found, **rules).set_index("dealer_id")


# ---- by hand -------------------------------------------------------------------------------------


def test_the_stuffed_by_hand():
    row = judged(told(a=([100.0] * 10 + [200.0] * 2, STEADY))).loc["a"]
    # 500 came and 300 went in three months; a hundred is sold a month
    assert row[["sell_in", "sell_through"]].tolist() == [500, 300]
    assert row["sell_in_ratio"] == pytest.approx(5 / 3)
    assert row["usual_ratio"] == 1
    assert row["status"] == "stuffed"
    # 100 before, 200 more than went: 300 last three months of last year's sales, usually one
    assert row["lasts_days"] == pytest.approx(92, abs=1)
    assert row["usual_lasts_days"] == pytest.approx(30.5, abs=0.6)
    assert row["n_months_over"] == 2
    # after the last order 350 lie there, usually 150 (100 + half an order of 50): 200 too many
    assert row["excess_value"] == pytest.approx(200, abs=6)
    assert row["excess_months"] == pytest.approx(2, abs=0.1)
    assert 0 < row["excess_low"] <= row["excess_value"]
    # each ratio is above the cap, as two in, one out, and 600 against 300
    assert row["pressure"] == pytest.approx(channel.CAP, abs=0.06)


def test_in_step_and_dry_by_hand():
    both = told(a=(STEADY, STEADY), b=([100.0] * 11 + [5.0], STEADY))
    rows = judged(both)
    assert rows["status"].to_dict() == {"a": "in_step", "b": "runs_dry"}
    # 5 of the month's 100 pieces are left in the end. The last usual delivery was in September, so
    # the next is due in one usual gap, 15 days, which sell 15 / 365 of the year's 1,200
    assert rows.loc["b", "lasts_days"] == pytest.approx(1.5, abs=0.2)
    assert rows.loc["b", "until_days"] == 15
    assert rows.loc["b", "missed_value"] == pytest.approx(1200 * 15 / 365 - 5, abs=0.5)
    assert rows.loc["b", "n_short_models"] == 1
    assert rows.loc["a", ["excess_value", "missed_value"]].tolist() == [0, 0]


def test_what_is_missed_is_held_against_other_month_ends():
    """In every second month as little comes: what is missed now was missed before."""
    came = [100.0, *[5.0, 195.0] * 4, 100.0, 100.0, 5.0]
    found = told(a=(came, STEADY), b=(STEADY, STEADY))
    rows = shortage.shortages(found, pace.Year(found)).set_index("dealer_id")
    now = rows.loc["a"]
    # half of a middle delivery or more is one of the usual, which come all 15 days or skip a month
    assert now["until_days"] == pytest.approx(15.5, abs=0.5)
    assert now["needed_value"] == pytest.approx(1200 * now["until_days"] / 365)
    assert now["missed_value"] == pytest.approx(now["needed_value"] - 5)
    assert now["most_missed_value"] == pytest.approx(now["missed_value"], rel=0.1)
    # a delivery a day after the month's end, and a hundred on the shelf
    assert rows.loc["b", ["until_days", "missed_value", "n_short_models"]].tolist() == [1, 0, 0]


def test_one_large_order_is_no_stuffing():
    row = judged(told(a=([100.0] * 11 + [300.0], STEADY))).loc["a"]
    assert row["status"] == "in_step"  # the month before, as much came as went
    assert row["excess_value"] > 100


def test_stuffed_stays_who_still_has_what_was_pushed_in():
    """Two months of double orders, then in step: two months of sales lie there beyond the usual."""
    pushed = [*[100.0] * 8, 200.0, 200.0]
    found = told(
        a=([*pushed, 100.0, 100.0], STEADY),
        b=([*pushed, 0.0, 0.0], STEADY),
        c=([*[100.0] * 8, 130.0, 130.0, 100.0, 100.0], STEADY),
    )
    rows = judged(found)
    assert rows["status"].to_dict() == {"a": "stuffed", "b": "in_step", "c": "in_step"}
    a = rows.loc["a"]
    assert a["stuffed_month"] == "2026-08"  # of the two months before, both were pushed
    assert rows.loc[["b", "c"], "stuffed_month"].tolist() == ["", ""]
    # 300 lie there, of which 100 are the usual, as its three months' orders no longer say
    assert a["excess_value"] == pytest.approx(200, abs=6)
    assert 0 < a["excess_low"] <= a["excess_value"]
    (call,) = inventory.stock_calls(rows.reset_index()).itertuples()
    assert call.reason.startswith("Sold too much until 2026-08, and it still lies there")
    early = judged(channel._until(found, 2))
    assert early.loc["a", ["status", "stuffed_month"]].tolist() == ["stuffed", ""]


def test_a_season_bought_before_it_is_sold_is_no_stuffing():
    """Nine quiet months, then three in which twice as much is bought, and sold a year before."""
    sold = [200.0] * 3 + [100.0] * 9
    came = [200.0] * 2 + [100.0] * 9 + [200.0]
    assert judged(told(a=(came, sold))).loc["a", "status"] == "in_step"


def test_what_is_not_known_is_not_judged():
    found = told(a=([100.0] * 10 + [200.0] * 2, STEADY), b=(STEADY, [0.0] * 12))
    rows = judged(found)
    assert rows.loc["b", "status"] == "–"  # nothing went on: no pace
    untold = found._replace(sources=found.sources.assign(source=["", "stock_moves"]))
    assert judged(untold)["status"].to_dict() == {"a": "–", "b": "–"}
    short = found._replace(
        months=found.months[found.months["month"] > "2026-04"],
        arrivals=found.arrivals[found.arrivals["date"] >= "2026-05-01"],
    )
    assert set(judged(short)["status"]) == {"–"}
    nothing = found._replace(months=found.months.head(0), sources=found.sources.head(0), end=pd.NaT)
    assert inventory.pressure(nothing).empty
    assert inventory.pressure(nothing).columns.tolist() == channel.COLUMNS


def test_without_a_year_before_two_ratios_tell():
    found = told(a=([100.0] * 10 + [200.0] * 2, STEADY))
    short = found._replace(bought=found.bought[found.bought["month"] >= "2025-11"])
    assert judged(short).loc["a", "status"] == "stuffed"


def test_what_lifts_everybody_lifts_nobody():
    lifted = {f"d{i:02d}": ([100.0] * 10 + [130.0] * 2, STEADY) for i in range(25)}
    lifted["z"] = ([100.0] * 10 + [200.0] * 2, STEADY)
    rows = judged(told(**lifted))
    assert rows["status"].value_counts().to_dict() == {"in_step": 25, "stuffed": 1}
    assert rows.loc["d00", "pressure"] == pytest.approx(1)


def test_the_rules_rule():
    # what he has lasts nine days of fifteen: he misses less than half of what he would sell
    found = told(a=([100.0] * 10 + [150.0] * 2, STEADY), b=([100.0] * 11 + [30.0], STEADY))
    assert judged(found)["status"].to_dict() == {"a": "stuffed", "b": "runs_dry"}
    strict = judged(found, stuffed_from="1.6/1.65/1.7", dry_days=1)
    assert strict["status"].to_dict() == {"a": "in_step", "b": "in_step"}


def test_input_is_not_changed_and_the_order_of_rows_is_nothing():
    found = simulated(3, n=30, planted="stuffed").channel
    kept = found._replace(**{f: getattr(found, f).copy() for f in ("arrivals", "months", "bought")})
    first = inventory.pressure(found)
    mixed = {f: getattr(found, f).sample(frac=1, random_state=1) for f in ("arrivals", "months")}
    pd.testing.assert_frame_equal(inventory.pressure(found._replace(**mixed)), first)
    for field in ("arrivals", "months", "bought"):
        pd.testing.assert_frame_equal(getattr(found, field), getattr(kept, field))


# ---- simulated channels --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def quiet() -> pd.DataFrame:
    found = [simulated(seed, n=120) for seed in range(7)]
    return pd.concat([inventory.pressure(x.channel).merge(x.dealers) for x in found])


@pytest.fixture(scope="module")
def pushed() -> pd.DataFrame:
    found = [simulated(seed, n=120, planted="stuffed", share=0.2) for seed in range(50, 55)]
    rows = pd.concat([inventory.pressure(x.channel).merge(x.dealers) for x in found])
    return rows[rows["planted"]]


def test_nobody_is_stuffed_where_nothing_is_planted(quiet):
    """Allow what chance does around the one in a hundred that `stuffing_rates` measures."""
    assert (quiet["status"] == "stuffed").mean() <= 0.015
    assert (quiet["status"] == "runs_dry").mean() <= 0.01
    assert (quiet["status"] == "–").mean() <= 0.01


def test_the_stuffed_who_get_goods_weekly_are_found_within_two_months(pushed):
    weekly = pushed[pushed["rhythm"] == 7]
    assert len(weekly) >= 20
    assert (weekly["status"] == "stuffed").mean() >= 0.85
    # the pressure on them is what the simulation put there, whatever their size
    assert weekly["pressure"].median() == pytest.approx(1.5, abs=0.12)


def test_what_lies_there_too_much_is_what_was_pushed():
    """A second opinion: of twins of whom one is stuffed, the other's stock is the usual."""
    with_, without = (
        simulated(7, n=150, planted=planted, share=1.0, promotions=False)
        for planted in ("stuffed", "")
    )
    rows = inventory.pressure(with_.channel).merge(with_.dealers)
    stocks = [
        x.channel.months.assign(n=lambda m: m["came"] - m["sold"] + m["other"])
        for x in (with_, without)
    ]
    there = [m.groupby("dealer_id")["n"].sum() for m in stocks]
    pushed = rows["dealer_id"].map(there[0] - there[1])
    often = (rows["rhythm"] <= 14) & (rows["size"] >= 120)
    told = rows.loc[often, "excess_value"].sum()
    assert told == pytest.approx(pushed[often].sum(), rel=0.25)


# ---- tables, sentences, calls --------------------------------------------------------------------


@pytest.fixture
def two() -> tuple[data.Channel, pd.DataFrame]:
    found = told(a=([100.0] * 10 + [200.0] * 2, STEADY), b=([100.0] * 11 + [5.0], STEADY))
    models = pd.DataFrame(
        {
            "dealer_id": ["a", "a", "b"],
            "product_id": ["p", "q", "p"],
            "price": [2.0, 5.0, 2.0],
            "n_came": [60.0, 9.0, 3.0],
            "n_sold": [20.0, 0.0, 9.0],
            "n_sold_year": [73.0, 6.0, 40.0],
            "n_stock": [50.0, 9.0, 1.0],
        }
    )
    return found._replace(models=models), inventory.named(inventory.pressure(found), DEALERS)


def test_models_of_the_stuffed_by_hand(two):
    found, pressed = two
    row = stuffing.model_table(pressed, found, MODELS, DEALERS).iloc[0]
    usual = 73 / 365 * pressed.set_index("dealer_id").loc["a", "usual_lasts_days"]
    assert row["excess_quantity"] == np.floor(50 - usual)
    assert row["excess_value"] == 2 * row["excess_quantity"]
    assert row["sell_in_ratio"] == 3
    # six a year tell no pace, and who is not stuffed has no model too many
    assert len(stuffing.model_table(pressed, found, MODELS, DEALERS)) == 1


def test_the_list_of_calls_is_told_what_is_at_stake(two):
    _found, pressed = two
    calls = inventory.stock_calls(pressed, pd.Series({"b": 0.2}))
    assert calls.columns.tolist() == ["dealer_id", "trigger", "stake", "low", "reason"]
    by = calls.set_index("trigger")
    kept = pressed.set_index("dealer_id")
    assert by.loc["stuffed", "stake"] == kept.loc["a", "excess_value"]
    assert by.loc["stuffed", "low"] == kept.loc["a", "excess_low"]
    assert by.loc["runs_dry", "stake"] == pytest.approx(
        0.2 * kept.loc["b", "missed_value"], abs=0.01
    )
    assert "1.7 times" in by.loc["stuffed", "reason"]
    assert "margin" not in by.loc["runs_dry", "reason"]
    unknown = inventory.stock_calls(pressed).set_index("trigger")
    assert unknown.loc["runs_dry", "stake"] == kept.loc["b", "missed_value"]
    assert "margin there is not known" in unknown.loc["runs_dry", "reason"]
    calm = pressed.assign(status="in_step")
    assert inventory.stock_calls(calm).empty
    assert inventory.stock_calls(calm).columns.tolist() == calls.columns.tolist()


def test_sentences_say_what_was_found_and_nothing_of_what_is_not_known(two):
    _found, pressed = two
    first, second = stuffing.bottom_line(pressed)
    assert first.startswith("1 of 2 dealers is stuffed") and first.endswith("Anna.")
    assert second == "1 is about to run dry: Bea."
    assert stuffing.bottom_line(pressed.assign(status="in_step")) == [
        words.say("channel.in_step", of=2)
    ]
    assert stuffing.bottom_line(pressed.assign(status="–")) == []


def test_where_a_count_is_off_it_is_told_in_pieces_and_money(two):
    found, _pressed = two
    columns = ["dealer_id", "product_id", "opening", "received", "sold", "moved", "counted"]
    rows = pd.DataFrame(
        [["a", "p", 10.0, 5.0, 3.0, 0.0, 9.0], ["b", "q", 1.0, 1.0, 1.0, 0.0, 2.0]], columns=columns
    ).assign(gap=[-3.0, 1.0], gap_value=[-60.0, 5.0])
    sources = found.sources.assign(n_counted=[9.0, 2.0])
    off = found._replace(balances=rows, sources=sources)
    (said,) = stuffing.balance_sentences(off, DEALERS)
    assert "3 pieces (CNY 60) are missing, 1 (CNY 5) too many" in said and "Anna" in said
    table = stuffing.gap_table(off, MODELS, DEALERS)
    assert table["dealer_name"].tolist() == ["Anna", "Bea"]
    assert table["count_gap"].tolist() == [-3, 1]
    right = off._replace(balances=rows.head(0))
    assert stuffing.balance_sentences(right, DEALERS) == [words.say("channel.adds_up", n=2)]
    uncounted = off._replace(sources=sources.assign(n_counted=np.nan))
    assert stuffing.balance_sentences(uncounted, DEALERS) == [words.say("channel.not_counted")]


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_the_figure_draws_the_network_and_who_is_stuffed(two, language):
    look.use(language, "CNY")
    found, pressed = two
    figure = inventory.plot_channel(found, pressed, note="2026").figure
    assert len(figure.axes) == 2  # the network and Anna
    came, sold = (line.get_ydata() for line in figure.axes[1].lines)
    assert came.tolist() == [100.0] * 10 + [200.0] * 2
    assert sold.tolist() == STEADY
    both = figure.axes[0].lines[0].get_ydata()
    assert both.tolist() == [200.0] * 10 + [300.0, 205.0]
    empty = inventory.plot_channel(found, pressed.assign(sell_through_source=""))
    assert empty.figure.alt_text == words.say("channel.unknown")


def test_every_column_and_status_has_a_name():
    shown = {*channel.COLUMNS, *stuffing.MODELS, *stuffing.GAPS, *stuffing.SHOWN}
    for name in (*shown, *channel.STATUSES[:3], "sell_out", "stock_moves"):
        assert words.label(name)
