"""Where we stand among the brands, over all dealers.

Shares by hand, whom to call, the planted ones on the demo.
"""

import math

import pandas as pd
import pytest
from test_brands import OURS, RIVAL, THIRD, compared, months_of, sums_of
from test_margins import FLAT, falling, trends

from helpers import look, periods, profit, words
from helpers.demo import build, network, trade
from helpers.profit import brands, margins, proof, sheet
from helpers.profit.brands import MEASURES

pytestmark = pytest.mark.usefixtures("looks")

PERIOD = "2026-10"
WORSE = {"margin": 0.10, "shelf": 20.0, "stock": 1000.0}  # than what `months_of` gives the others


def lost_of(comparison: pd.DataFrame, dealers: pd.DataFrame, **rules: float) -> pd.DataFrame:
    return profit.named(profit.losing(comparison, brands.gaps(comparison), **rules), dealers)


def named(*ids: str) -> pd.DataFrame:
    rows = pd.DataFrame(
        {"dealer_id": list(ids), "dealer_name": [f"Shop {i}" for i in ids]}, dtype="str"
    )
    return rows.assign(
        region=["North", "South"] * (len(ids) // 2) + ["North"] * (len(ids) % 2),
        account_manager="Wang",
        store_format="chain",
    )


@pytest.fixture
def comparison() -> pd.DataFrame:
    """Four dealers: a loses on every count, b in margin only, c wins it, d has no rival."""
    return compared(
        months_of("a", Lumora=WORSE, Kaltern={}, Ostwind={"margin": 0.11}),
        months_of("b", Lumora={"margin": 0.14}, Kaltern={"shelf": 30.0, "stock": 5000.0}),
        months_of(
            "c", Lumora={"margin": 0.20, "stock": 450.0}, Kaltern={}, Ostwind={"margin": 0.16}
        ),
        months_of("d", Lumora={}),
    )


# ---- tables --------------------------------------------------------------------------------------


def test_leads_by_hand(comparison):
    found = profit.leads(comparison).set_index(["measure", "dealer_id"])
    assert found.index.get_level_values(0).unique().tolist() == list(MEASURES)
    margin = found.loc["margin_rate"]
    assert margin.index.tolist() == ["a", "b", "c"]
    assert margin["best_rival"].tolist() == [RIVAL, RIVAL, THIRD]
    assert margin["lead"].tolist() == pytest.approx([-0.05, -0.01, 0.04])
    assert margin["ours"].tolist() == pytest.approx([0.12, 0.16, 0.22])
    assert margin["lead_share"].tolist() == pytest.approx([-5 / 17, -1 / 17, 4 / 18])
    assert margin["result"].tolist() == ["lose", "lose", "win"]
    assert margin["is_first"].tolist() == [False, False, True]


def test_the_picture_by_hand(comparison):
    rows = proof.picture(profit.leads(comparison)).set_index("measure")
    assert rows.index.tolist() == list(MEASURES)
    row = rows.loc["margin_rate"]
    assert row["n_dealers"] == 3
    assert row["first_share"] == row["win_share"] == pytest.approx(1 / 3)
    assert row["lose_share"] == pytest.approx(2 / 3)
    shares = ["win_share", "even_share", "unclear_share", "lose_share"]
    assert rows[shares].sum(axis=1).tolist() == pytest.approx([1] * 4)


def test_a_tie_is_first_but_no_win():
    rows = proof.picture(profit.leads(compared(months_of("a", Lumora={}, Kaltern={}))))
    assert rows["first_share"].tolist() == [1, 1, 1, 1]
    assert rows["even_share"].tolist() == [1, 1, 1, 1]


def test_a_rival_who_earns_nothing_has_no_share_to_lead_by():
    found = profit.leads(compared(months_of("a", Lumora={}, Kaltern={"margin": -0.10}))).set_index(
        "measure"
    )
    assert math.isnan(found.loc["margin_rate", "lead_share"])
    assert found.loc["margin_rate", "result"] == "win"
    assert len(profit.plot_leads(found.reset_index()).patches) > 0


def test_places_need_five_dealers():
    ids = "abcdefghijk"
    shops = (months_of(d, Lumora={"margin": 0.2 if d < "h" else 0.1}, Kaltern={}) for d in ids)
    found = profit.leads(compared(*shops))
    dealers = named(*ids).assign(region=["North"] * 6 + ["South"] * 5)
    rows = proof.by_place(found, dealers, "region").set_index("region")
    assert rows["n_dealers"].to_dict() == {"South": 5, "North": 6}  # the weakest first
    assert rows["win_share"].to_dict() == {"South": 0.2, "North": 1.0}
    assert rows.loc["North", "ours"] == pytest.approx(0.22)
    few = proof.by_place(found, dealers.assign(region=["North"] * 7 + ["South"] * 4), "region")
    assert few["region"].tolist() == ["North"]


@pytest.mark.parametrize("n_dealers", range(8))
def test_few_dealers_are_not_called_none(n_dealers):
    """The page compares them one by one; only a place needs five."""
    ids = "abcdefg"[:n_dealers]
    alone = compared(months_of("a", Lumora={}))
    found = profit.leads(
        compared(*(months_of(d, Lumora={}, Kaltern={}) for d in ids)) if ids else alone
    )
    dealers = named(*ids).assign(region="North", store_format=list(ids))
    said = {kind: proof.why_no_place(found, dealers, kind) for kind in proof.PLACES}
    none = words.say("standing.nothing")
    if not n_dealers:
        assert set(said.values()) == {none}
    elif n_dealers < proof.MIN_DEALERS:
        assert len(set(said.values())) == 1 and none not in said.values(), "said once for both"
    else:
        assert said["store_format"].startswith("Store format: nowhere can 5 dealers")


def test_losing_puts_who_loses_on_every_count_first(comparison):
    found = lost_of(comparison, named(*"abcd")).set_index("dealer_id")
    assert found.index.tolist() == ["a", "b"]
    assert found["status"].tolist() == ["earns_less", "loses_some"]
    assert found["rival"].tolist() == [RIVAL, RIVAL]
    assert found["lead_points"].tolist() == pytest.approx([-5, -1])
    assert found.loc["a", "levers"] == "second_pricing floor_given ants_moving"
    assert found.loc["a", "reason"] == (
        "Behind in margin, profit per m² a year, GMROI, stock turns a year. "
        "Levers: second pricing, floor given, ants moving."
    )


def test_less_than_two_points_is_not_earning_less():
    rows = months_of("a", Lumora=WORSE | {"margin": 0.131}, Kaltern={})
    assert lost_of(compared(rows), named("a"))["status"].tolist() == ["loses_some"]
    rows = months_of("a", Lumora=WORSE | {"margin": 0.13}, Kaltern={})
    assert lost_of(compared(rows), named("a"))["status"].tolist() == ["earns_less"]


def test_a_gap_that_costs_next_to_nothing_is_not_earning_less():
    """We are a hundredth of what he sells: five points of that are no call."""
    small = {"revenue": 50.0, "margin": 0.1, "shelf": 0.15, "stock": 10.0}
    rows = months_of(
        "a", Lumora=small, Kaltern={"revenue": 4000.0}, Ostwind={"revenue": 900.0, "margin": 0.05}
    )
    lost = lost_of(compared(rows), named("a"))
    assert lost["lead_points"].tolist() == pytest.approx([-5.0])
    assert lost["gap_money"].item() < 0.01 * rows["earned"].sum()
    assert lost["status"].tolist() == ["loses_some"]


def test_the_rival_to_talk_about_is_the_one_who_wins_on_every_count():
    """Ostwind's floor costs more, but Kaltern beats us in everything."""
    rows = months_of("a", Lumora=WORSE, Kaltern={}, Ostwind={"margin": 0.09, "shelf": 0.5})
    gaps = brands.gaps(compared(rows))
    assert gaps["rival"].tolist() == [THIRD, RIVAL]
    assert lost_of(compared(rows), named("a"))["rival"].tolist() == [RIVAL]


def test_the_table_has_every_dealer_who_reports(comparison):
    dealers = named(*"abcde")
    moved = trends(
        a=FLAT + falling(0.06), c=FLAT * 2, d=FLAT * 2, e=FLAT * 2, x=FLAT * 2
    ).reset_index()
    rows = profit.dealer_table(comparison, moved, lost_of(comparison, dealers), dealers)
    rows = rows.set_index("dealer_id")
    assert rows.index.tolist() == [*"abcde", "x"]  # b has no margin over time, e and x no brands
    assert rows["status"].to_dict() == {
        "a": "earns_less",
        "b": "loses_some",
        "c": "earns_most",
        "d": "–",
        "e": "–",
        "x": "–",
    }
    assert rows.loc["a", "movement"] == "slips"
    assert rows.loc["a", "lead_margin_rate"] == pytest.approx(-0.05)
    assert rows.loc["c", "best_margin_rate"] == THIRD
    assert pd.isna(rows.loc["x", "dealer_name"])


def test_whose_proof_to_show(comparison):
    lost = lost_of(comparison, named(*"abcd"))
    assert proof.proof_dealer(comparison, lost) == "a"
    assert proof.proof_dealer(comparison, lost, "d") == "d"
    # nobody loses: any who can be compared
    assert proof.proof_dealer(comparison, lost.head(0)) == "a"
    alone = comparison[comparison["dealer_id"] == "d"]
    # whose proof says that there is nothing to compare
    assert proof.proof_dealer(alone, lost.head(0)) == "d"
    assert proof.proof_dealer(comparison.head(0), lost.head(0)) == ""
    with pytest.raises(
        ValueError, match=r"^dealer_id: 'z' reports nothing that he earns; .+, e\.g\. 'a'$"
    ):
        proof.proof_dealer(comparison, lost, "z")
    with pytest.raises(ValueError, match=r"choose one who does$"):
        proof.proof_dealer(comparison.head(0), lost.head(0), "z")


# ---- the demo's planted truths -------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo_comparison() -> pd.DataFrame:
    """Compare the demo network's brands, without the door: there everybody reports every month."""
    net = network.network(build.SEED, 600, 30, PERIOD)
    rows = trade.dealer_profit(net, trade.order_lines(net))
    rows = rows[rows["month"].isin(periods.month_range(PERIOD, 12))]
    rows = rows.assign(
        earned=rows["gross_profit"] + rows["rebate"],
        cost_of_sales=rows["revenue"] - rows["gross_profit"],
    )
    return profit.brand_comparison(sums_of(rows), "Norvella", rows)


def test_who_is_planted_to_earn_less_is_called_and_nobody_else(demo_comparison):
    ids = demo_comparison["dealer_id"].unique()
    lost = lost_of(demo_comparison, named(*ids))
    less = lost[lost["status"] == "earns_less"]
    assert sorted(less["dealer_id"]) == build.planted()["earn_less_with_us"]
    assert lost["dealer_id"].head(len(less)).tolist() == less["dealer_id"].tolist()
    assert set(less["rival"]) == {"Kastane"}
    assert set(less["levers"]) == {"second_pricing floor_given ants_moving"}
    assert set(less["lost_measures"]) == {" ".join(MEASURES)}
    assert less["lead_points"].between(-7.5, -3).all()
    assert less["gap_money"].is_monotonic_decreasing
    calls = [
        h for h in proof.headlines(demo_comparison, lost, "Norvella", "") if h["place"] == "call"
    ]
    assert [call["link"].split("#")[1] for call in calls] == [
        look.anchor(i) for i in less["dealer_id"].head(5)
    ]


def test_the_rest_of_the_network_mostly_earns_most_with_us(demo_comparison):
    rows = proof.picture(profit.leads(demo_comparison)).set_index("measure")
    assert 0.65 < rows.loc["margin_rate", "first_share"] < 0.85
    assert rows.loc["margin_rate", "win_share"] > 3 * rows.loc["margin_rate", "lose_share"]


# ---- words ---------------------------------------------------------------------------------------


def test_the_bottom_line_names_who_earns_less(comparison):
    lost = lost_of(comparison, named(*"abcd"))
    said = proof.bottom_line(comparison, lost, OURS)
    assert said[0] == (
        "Lumora earns 33% of 3 dealers the highest margin of all their brands, at 33% beyond "
        "doubt; at 1 a rival earns them more on every count."
    )
    assert said[1].startswith("Margin: first at 33% of the dealers; surely ahead of the best ")
    assert said[2].startswith("Profit per m² a year: first at ")
    assert all("about equal at " in line and "not certain at " in line for line in said[1:5])
    assert len(said) == 6
    assert "1 dealer earns less with Lumora than with Kaltern on every count" in said[-1]
    assert said[-1].endswith("Shop a.")


def test_nothing_to_compare_is_said():
    alone = compared(months_of("a", Lumora={}))
    lost = lost_of(alone, named("a"))
    assert lost.empty
    assert proof.bottom_line(alone, lost, OURS) == [words.say("standing.no_rival", brand=OURS)]
    strangers = compared(months_of("a", Kaltern={}, Ostwind={}), brand="")
    assert proof.bottom_line(strangers, lost, "") == [words.say("standing.no_brand")]
    verdict, quality = proof.headlines(strangers, lost, "", "so many report")
    assert (verdict["place"], quality["place"]) == ("verdict", "quality")
    lead = profit.leads(alone)
    assert proof.picture(lead).empty
    assert proof.by_place(lead, named("a"), "region").empty
    for plot in (profit.plot_results, profit.plot_leads):
        assert plot(lead).figure.alt_text == words.say("standing.nothing")


def test_what_is_missing_is_said(comparison):
    assert proof.missing_sentences(comparison) == []
    rows = months_of(
        "a",
        Lumora={"rebate": 0.0},
        Kaltern={"rebate": 0.0},
        Ostwind={"revenue": 1.0, "rebate": 0.0},
    )
    rows = rows.assign(shelf_area_m2=math.nan)
    said = proof.missing_sentences(profit.brand_comparison(sums_of(rows), OURS, rows))
    assert said[0] == "Left out, since the data don't tell: Profit per m² a year."
    assert said[1] == "No rebates are reported: all margins are before rebates."
    assert said[2].startswith("1 pair of dealer and brand is not compared")


def test_coverage_counts_those_who_buy():
    rows, totals = (
        trends(a=FLAT, b=FLAT, x=FLAT).reset_index(),
        pd.DataFrame({"dealer_id": list("abcd")}),
    )
    said = proof.coverage(rows, totals)
    assert said == "2 of 4 dealers who bought or paid report what they earn (50%)."


def test_headlines(comparison):
    lost = lost_of(comparison, named(*"abcd"))
    verdict, tile, call, quality = proof.headlines(comparison, lost, OURS, "covered")
    assert [h["place"] for h in (verdict, tile, call, quality)] == [
        "verdict",
        "tile",
        "call",
        "quality",
    ]
    assert (tile["text"], tile["tone"]) == ("33%", "bad")
    assert call["label"] == "Shop a"
    assert call["link"] == "08_dealer_profit.html#dealer-a"
    assert call["text"].startswith("Earns 5.0 points less with Lumora than with Kaltern, up to ")
    assert call["text"].endswith("Levers: second pricing, floor given, ants moving.")


@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant"])
def test_every_sentence_is_there_in_every_language(comparison, language):
    look.use(language, "CNY")
    dealers = named(*"abcd")
    lost, moved = (
        lost_of(comparison, dealers),
        trends(a=FLAT + falling(0.06), b=FLAT * 2).reset_index(),
    )
    made = proof.headlines(comparison, lost, OURS, proof.coverage(moved, dealers))
    said = [*proof.bottom_line(comparison, lost, OURS), *margins.slip_sentences(moved, dealers)]
    said += [line["text"] for line in made]
    assert all(said)
    assert not [line for line in said if "{" in line]


# ---- plots ---------------------------------------------------------------------------------------


def test_the_bars_are_the_shares(comparison):
    lead = profit.leads(comparison)
    ax = profit.plot_results(lead)
    widths = [bar.get_width() for bar in ax.patches]
    rows = proof.picture(lead)
    shares = ("win_share", "even_share", "unclear_share", "lose_share")
    assert widths == pytest.approx([width for share in shares for width in rows[share]])
    assert [text.get_text() for text in ax.get_yticklabels()] == [words.label(m) for m in MEASURES]
    assert "margin at 33% of the dealers, stock turns a year at 33%" in ax.figure.alt_text
    one = profit.plot_results(lead[lead["measure"] == "gmroi"])
    assert one.figure.alt_text.startswith("Ahead of the best rival: GMROI at ")


def test_the_columns_count_every_dealer(comparison):
    lead = profit.leads(comparison)
    ax = profit.plot_leads(lead)
    # of the margin's row, the tallest is 0.68
    heights = [bar.get_height() for bar in ax.patches][:40]
    # three dealers, each in a column of his own
    assert sum(heights) / max(heights) == pytest.approx(3)
    behind = [bar.get_x() + bar.get_width() / 2 for bar in ax.patches[:40] if bar.get_height() > 0]
    assert [x < 0 for x in behind] == [True, True, False]


# ---- not known, not certain, equal ---------------------------------------------------------------


@pytest.fixture(scope="module")
def unsure() -> pd.DataFrame:
    """Shops of three kinds: surely equal, surely ahead, and all over the place."""
    wild = [0.02, 0.32, 0.30, 0.04] * 3
    made = [months_of(f"e{i}", Lumora={}, Kaltern={}) for i in range(3)]
    made += [
        months_of(f"w{i}", Lumora={"margin": 0.2, "stock": 400.0}, Kaltern={}) for i in range(3)
    ]
    made += [months_of(f"u{i}", Lumora={"margin": wild}, Kaltern={}) for i in range(3)]
    return compared(*made)


def test_not_certain_is_never_equal(unsure):
    lead = profit.leads(unsure)
    results = lead[lead["measure"] == "margin_rate"].set_index("dealer_id")["result"]
    assert [results[d] for d in ("e0", "w0", "u0")] == ["even", "win", "unclear"]
    found = brands.gaps(unsure)
    rows = profit.dealer_table(
        unsure,
        trends(e0=FLAT * 2).reset_index(),
        profit.losing(unsure, found),
        named(*unsure["dealer_id"].unique()),
    ).set_index("dealer_id")
    assert rows.loc[["e0", "w0", "u0"], "status"].tolist() == [
        "about_equal",
        "earns_most",
        "not_certain",
    ]
    said = profit.verdict(unsure, found, "u0")
    assert any("which is more is not certain" in line for line in said)
    margin = next(line for line in said if line.startswith("Margin:"))
    assert "about equal" not in margin
    assert "about equal" in " ".join(profit.verdict(unsure, found, "e0"))


def test_what_the_tests_can_see_is_said(unsure):
    lead = profit.leads(unsure)
    rows = proof.picture(lead).set_index("measure")
    said = proof.power_sentences(lead, unsure)
    assert said[0].startswith("Margin: of the dealers, a lead of 2.0 points would be found at ")
    assert f"12 months there count as {rows.loc['margin_rate', 'effective_months']:.1f}" in said[0]
    assert rows["power"].between(0, 1).all()
    wide = proof.power_sentences(lead, unsure, notable_points=0.01)
    assert "a lead of 4.0 points" in wide[0]
    rows = pd.concat([months_of("a", Lumora={}, Kaltern={})])
    blind = profit.brand_comparison(sums_of(rows), OURS)
    assert (
        "no lead of whatever size is sure" in proof.power_sentences(profit.leads(blind), blind)[0]
    )


def test_all_are_compared_and_no_one_is_said_not_to_be():
    """Rivals who earn nothing leave no percentage, but a comparison."""
    rows = compared(months_of("a", Lumora={}, Kaltern={"margin": -0.1, "rebate": 0.0}))
    lead = profit.leads(rows)
    lead = lead[lead["lead_share"].isna()]
    assert len(lead)
    said = profit.plot_leads(lead).figure.alt_text
    assert said == words.say("standing.no_lead_share") != words.say("standing.nothing")


def test_a_rival_alongside_who_bears_no_comparison_is_not_called_absent():
    rows = compared(months_of("a", Lumora={}, Kaltern={"revenue": 5.0}))
    (said,) = proof.bottom_line(rows, profit.losing(rows, brands.gaps(rows)), OURS)
    assert said == words.say("standing.none_bears", brand=OURS)
    assert said != words.say("standing.no_rival", brand=OURS)


def test_one_shop_without_a_sheet_is_not_all_shops(unsure):
    rows = compared(months_of("a", Lumora={}), months_of("b", Lumora={}, Kaltern={}))
    assert sheet.why_no_sheet(rows, "a") == words.say("profit.no_rival", brand=OURS)
    assert sheet.why_no_sheet(rows, "z") == words.say("profit.no_report")
