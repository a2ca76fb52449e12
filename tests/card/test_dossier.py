"""The dealer card: what it tells us, and that what is handed to a dealer tells him nothing of us or
of others.
"""

import itertools
import json
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from helpers import card, data, inventory, look, settings, words
from helpers.calls import CHANCES
from helpers.card import dossier

PLOTS = (card.plot_purchases, card.plot_places, card.plot_stock_age, card.plot_factors)


def told_by(name: str, book: settings.Workbook, last: str) -> dict:
    """Run a notebook's own cells up to the one that holds `last`; give what they know then."""
    cells = json.loads((settings.CHECKOUT / "notebooks" / name).read_text(encoding="utf-8"))[
        "cells"
    ]
    told: dict = {}
    for source in ("".join(c["source"]) for c in cells if c["cell_type"] == "code"):
        exec(source, told)  # the notebook's own code
        if "period: str" in source:
            told["config"] = str(book.path)
        if last in source:
            break
    plt.close("all")
    return told


@pytest.fixture(scope="module")
def known(small_demo) -> dict:
    """Tell what the card's notebook knows of a small demo network when it has the dossier."""
    return told_by("09_dealer_card.ipynb", small_demo, "found = card.dossier")


@pytest.fixture
def deal(known):
    """Make the dossier of a dealer for an audience."""
    look.use("en", "CNY")

    def make(dealer_id: str = "", audience: str = "us", **changed) -> dossier.Dossier:
        tables = known["everyone"] | changed
        dealer_id = dealer_id or tables["judged"]["dealer_id"].iloc[0]
        return dossier.dossier(dealer_id, audience, known["period"], known["book"].brand, **tables)

    yield make
    plt.close("all")


def actions(known) -> pd.DataFrame:
    return data.reference(known["book"], "measures")


def texts(found: dossier.Dossier, known: dict) -> list[str]:
    """Gather every word of a card.

    Sentences, tables, what the figures show and say to who can't see them.
    """
    said = [
        repr(card.heading(found)),
        *card.next_steps(found, actions(known)),
        *card.summary(found),
        *card.proof_sentences(found, known["earned"]),
        card.dead_table(found).to_string(),
        found.actions.to_string(),
    ]
    for plot in PLOTS:
        ax = plot(found)
        said += [
            ax.figure.alt_text,
            *(text.get_text() for text in ax.figure.findobj(match=plt.Text)),
        ]
        plt.close(ax.figure)
    return [text for text in said if text]


# ---- what we see ---------------------------------------------------------------------------------


def test_a_card_says_class_history_purchases_and_debt(deal, known):
    found = deal()
    row, (now, then) = known["everyone"]["judged"].iloc[0], dossier.year_sums(deal())
    said = card.summary(found)
    assert said[0].startswith(f"Class {row['composite_class']} ({row['code']}: ")
    assert said[1].startswith("Quarter by quarter, oldest first: ")
    months = known["everyone"]["months"]
    mine = months[months["dealer_id"] == row["dealer_id"]].set_index("month")["revenue"]
    assert now == pytest.approx(mine.loc["2025-11":"2026-10"].sum())
    assert then == pytest.approx(mine.loc["2024-11":"2025-10"].sum())
    assert f"Bought {words.money(now)} of ours" in said[2]
    assert re.search(r"Owes nothing|Owes CNY [\d.,]+", said[3])


def test_a_year_that_the_data_do_not_reach_is_not_compared(deal, known):
    months = known["everyone"]["months"]
    found = deal(months=months[months["month"] >= "2025-06"])
    now, then = dossier.year_sums(found)
    assert now > 0
    assert np.isnan(then)
    assert not any("against the year before" in line for line in card.summary(found))


@pytest.mark.parametrize(
    ("since", "n"), [("2026-10", 1), ("2026-09", 2), ("2025-12", 11), ("2025-11", 12)]
)
def test_a_card_counts_the_months_that_are_known(deal, known, since, n):
    months = known["everyone"]["months"]
    found = deal(months=months[months["month"] >= since])
    assert any(re.search(rf" of ours in {n} months?\b", line) for line in card.summary(found))
    ax = card.plot_purchases(found)
    assert len(ax.patches) == n, "what was before is not known, and not nothing"
    assert re.search(rf"Bought .* in {n} months?\.$", ax.figure.alt_text)


def test_a_card_says_what_a_dealer_loses_us_and_what_he_owes_without_purchases(deal, known):
    found = deal()
    judged = found.judged.assign(
        gross_profit=-1234.0, code="ALA", composite_class="C", previous_class="L", has_past=True
    )
    said = card.summary(found._replace(judged=judged))
    assert "Loses us CNY 1,234 of gross profit in 12 months." in said
    assert "as a year ago" in said[0], "L then, L now: both are told as below zero"
    owed = found.owed.assign(balance=500.0, collection_rate=np.nan, dso_days=np.nan)
    assert any(
        line == "Owes CNY 500 and bought nothing of ours in 12 months."
        for line in card.summary(found._replace(owed=owed))
    )


def test_a_card_says_of_which_part_his_gross_profit_is(deal):
    found = deal()
    half = found.judged.assign(covered_revenue=found.judged["revenue"] / 2)
    assert words.say("pareto.cost_cover", share="50.0%") in card.summary(
        found._replace(judged=half)
    )
    for judged in (found.judged, half.assign(gross_profit=np.nan)):
        assert not any(
            "Cost is known" in line for line in card.summary(found._replace(judged=judged))
        )


def test_a_year_ago_below_zero_is_told_as_l():
    now = pd.DataFrame(
        {"dealer_id": ["a", "b"], "composite_class": ["C", "A"], "code": ["CCC", "AAA"]}
    )
    before = pd.DataFrame({"dealer_id": ["a"], "composite_class": ["C"], "code": ["CLC"]})
    stability = pd.DataFrame({"dealer_id": ["a"], "history": ["CL"], "stability_rate": [0.0]})
    rows = dossier.with_history(now, before, stability).set_index("dealer_id")
    assert rows.loc["a", "previous_class"] == "L" and pd.isna(rows.loc["b", "previous_class"])


def test_hardly_any_change_has_no_minus(deal, known):
    months = known["everyone"]["months"]
    mine = months["dealer_id"] == months["dealer_id"].iloc[0]
    rows = months[mine].assign(
        revenue=[1000.0 if month > "2025-10" else 1001.0 for month in months[mine]["month"]]
    )
    found = deal()._replace(months=rows)
    assert any("+0% against the year before" in line for line in card.summary(found))


def stakes(**changed) -> pd.DataFrame:
    """Three things at stake and a chance, in the order in which they are told."""
    rows = pd.DataFrame(
        {
            "trigger": ["overdue", "sleeps", "rival_earns_more", "rising"],
            "reason": ["Late.", "Old stock.", "Rival.", "More."],
            "measure": ["Settle.", "Move.", "Show.", "Learn."],
            "within_days": [14.0, 30.0, np.nan, 30.0],
            "stake_kind": ["debt", "stock_at_cost", "dealer_gain", "gross_profit"],
            "stake": [5e5, 3e5, 9e5, 2e6],
            "stake_low": [5e5, 3e5, 1e5, 1e6],
        }
    )
    return rows.assign(**changed)


def quiet(found: dossier.Dossier) -> dossier.Dossier:
    """Take from a dossier all that a step is made of."""
    names = ("stakes", "actions", "lots", "dead", "lost", "factors")
    return found._replace(**{name: getattr(found, name).head(0) for name in names})


def test_the_next_step_follows_the_money_on_the_card(deal, known):
    first = known["everyone"]["stakes"].iloc[0]
    said = card.next_steps(deal(first["dealer_id"]), actions(known))[0]
    assert f"{words.money(first['stake'])} at stake (" in said
    assert said.endswith(f"): {first['reason']} {first['measure']}")


def test_steps_stand_in_the_order_of_the_money(deal, known):
    said = card.next_steps(quiet(deal())._replace(stakes=stakes()), actions(known))
    assert said == [
        "Most money first: CNY 500 k at stake (debt, within 14 days): Late. Settle.",
        "CNY 300 k at stake (stock at cost, within 30 days): Old stock. Move.",
        "CNY 900 k at stake (what they would earn more): Rival. Show.",
        "A chance, CNY 2.00 m (gross profit, within 30 days): More. Learn.",
    ], "what is surely at stake decides, and no chance stands before a loss"
    only = quiet(deal())._replace(stakes=stakes().head(1))
    assert card.next_steps(only, actions(known)) == [
        "CNY 500 k at stake (debt, within 14 days): Late. Settle."
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(("stock", "rival", "stake"))))
def test_whatever_is_most_money_is_the_first_step(deal, known, order):
    """Stock, a rival and what a call is for: the largest stands first, whichever it is."""
    amount = {name: 9e5 / 3**place for place, name in enumerate(order)}
    dead = pd.DataFrame({"product_name": ["Model"], "value": [amount["stock"]]})
    lost = known["everyone"]["lost"]
    lost = lost[lost["status"] == "earns_less"].head(1).assign(gap_money=amount["rival"])
    call = stakes(stake=amount["stake"], stake_low=amount["stake"]).head(1)
    found = quiet(deal())._replace(dead=dead, lost=lost, stakes=call)
    said = card.next_steps(found, actions(known))
    marks = {"stock": "lies dead", "rival": words.money(amount["rival"]), "stake": "Settle."}
    assert [next(name for name in order if marks[name] in line) for line in said] == list(order)


def test_what_sleeps_is_told_once_with_its_models(deal, known):
    dead = pd.DataFrame({"product_name": ["Model"], "value": [3e5]})
    told = stakes().iloc[[1]]
    (said,) = card.next_steps(quiet(deal())._replace(dead=dead, stakes=told), actions(known))
    head = "CNY 300 k at stake (stock at cost, within 30 days): Old stock. Move."
    assert said == f"{head} These are Model."


def test_where_nothing_happened_the_measure_of_his_class_stands(deal, known):
    found = deal()
    letter = found.judged["composite_class"].iloc[0]
    table = actions(known).set_index("trigger")
    assert card.next_steps(quiet(found), actions(known)) == [table.loc[letter, "en"]]
    assert card.next_steps(quiet(found), actions(known).head(0)) == [
        "Nothing presses; no measure is set for this class."
    ]


@pytest.mark.parametrize("age_days", [[], [5.0, 90.0], [5.0, 91.0], [5.0, np.nan]], ids=str)
def test_a_dealer_is_told_only_what_is_known_of_his_stock(deal, known, age_days):
    found = deal()._replace(
        audience="dealer",
        aged=inventory.with_old(
            pd.DataFrame({"bucket": "0-30", "value": 9.0, "age_days": age_days}), 90
        ),
        **{name: getattr(deal(), name).head(0) for name in ("stakes", "actions", "lots", "dead")},
        **{name: getattr(deal(), name).head(0) for name in ("lost", "factors", "judged")},
    )
    (said,) = card.next_steps(found, actions(known))
    assert ("is old" in said) is (age_days == [5.0, 90.0])
    assert "there is nothing to propose this month." in said.lower()
    assert (card.why_nothing_dead(found) == words.say("card.no_stock")) is (not age_days)


def test_a_late_action_and_dead_stock_are_steps(deal, known):
    found = deal()
    late = pd.DataFrame({"factor": ["Training", "Stock age"], "state": ["overdue", "behind"]})
    dead = pd.DataFrame({"product_name": list("abcdef"), "value": [6e3, 5e3, 4e3, 3e3, 2e3, 1e3]})
    said = card.next_steps(
        found._replace(actions=late, dead=dead, lots=found.lots.head(0)), actions(known)
    )
    assert "2 actions are late: Training, Stock age." in said
    assert any(
        line.startswith("CNY 21.0 k of stock lies dead (a, b, c, d … 6 models)") for line in said
    )


def test_places_among_peers_by_hand():
    dealers = pd.DataFrame(
        {
            "dealer_id": list("abcdefg"),
            "store_format": ["chain"] * 5 + ["mall", None],
            "area_type": ["urban"] * 7,
        }
    )
    figures = pd.DataFrame(
        {
            "dealer_id": list("abcdefg"),
            "payments": [5.0, 3, 3, 1, 4, 9, 2],
            "dso_days": [10.0, 50, 30, 20, np.nan, 5, 6],
        }
    )
    places = dossier.places_among_peers(figures, dealers).set_index(["dealer_id", "indicator"])
    rows, alone = places.loc["b"], places.loc["g"]
    assert rows.loc["payments", ["value", "peer_median", "place", "n_peers", "peers"]].tolist() == [
        3.0,
        3.0,
        3,
        5,
        "format_area",
    ]
    assert rows.loc["payments", "percentile"] == pytest.approx((1 + 0.5) / 4)
    # four of his format are known by their days: all of his area are asked, and fewer days are
    # better
    assert rows.loc["dso_days", ["place", "n_peers", "peers"]].tolist() == [6, 6, "area"]
    assert rows.loc["dso_days", "percentile"] == 0
    assert alone.loc["payments", ["place", "n_peers", "peers"]].tolist() == [6, 7, "area"]


def test_order_of_rows_and_other_dealers_names_change_nothing(deal, known):
    shuffled = {
        name: table.sample(frac=1, random_state=3) for name, table in known["everyone"].items()
    }
    first = known["everyone"]["judged"]["dealer_id"].iloc[0]
    one, other = deal(first), deal(first, **shuffled)
    assert card.summary(one) == card.summary(other)
    assert card.next_steps(one, actions(known)) == card.next_steps(other, actions(known))


def test_nothing_given_is_changed(deal, known):
    before = {name: table.copy() for name, table in known["everyone"].items()}
    found = deal()
    texts(found, known)
    for name, table in known["everyone"].items():
        pd.testing.assert_frame_equal(table, before[name])


def test_who_is_unknown_is_told(deal):
    with pytest.raises(
        ValueError,
        match=r"dealer_id: 'nobody' is none of the \d+ dealers of whom anything is known; choose",
    ):
        deal("nobody")
    with pytest.raises(ValueError, match="audience: 'boss' is not known; choose one of us, dealer"):
        deal(audience="boss")


# ---- who has left --------------------------------------------------------------------------------


@pytest.fixture
def left(known) -> dict:
    """The tables of a network in which its first dealer neither bought nor paid in the window."""
    everyone = known["everyone"]
    dealer_id = everyone["judged"]["dealer_id"].iloc[0]
    months = everyone["months"]
    before = (months["dealer_id"] != dealer_id) | (months["month"] <= "2025-06")
    others = {
        name: everyone[name][everyone[name]["dealer_id"] != dealer_id]
        for name in ("judged", "places", "lost", "factors")
    }
    return {"months": months[before], **others} | {"id": dealer_id}


@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant"])
def test_who_has_left_has_a_card_of_what_is_known(deal, known, left, language):
    dealer_id = left.pop("id")
    row = stakes().head(1).assign(dealer_id=dealer_id)
    found = deal(dealer_id, **left, stakes=row)
    look.use(language, "CNY")
    assert found.has_left
    mine = left["months"][left["months"]["dealer_id"] == dealer_id]
    bought = mine[mine["revenue"] > 0]
    last = bought["month"].max()
    year = mine[mine["month"].between(f"{int(last[:4]) - 1}{last[4:]}", last, "right")]
    said = card.summary(found)[0]
    assert words.month_name(last) in said
    assert words.money(year["revenue"].sum()) in said
    assert card.next_steps(found, actions(known))[0].endswith(("Late. Settle.", "Late.Settle."))
    told = texts(found, known)
    assert not any("nan" in text for text in told)


def test_who_has_left_without_any_month_is_told(deal, known, left):
    dealer_id = left.pop("id")
    months = left.pop("months")
    months = months[months["dealer_id"] != dealer_id]
    found = deal(dealer_id, **left, months=months, stakes=stakes(dealer_id=dealer_id))
    assert card.summary(found)[0] == (
        "Neither bought nor paid in the window, nor before it in the data."
    )


def test_who_is_in_no_table_of_dealers_is_named_by_the_id(deal, known, left):
    row = stakes().head(1).assign(dealer_id="unlisted")
    found = deal("unlisted", stakes=row)
    assert (found.who["dealer_name"], found.has_left) == ("unlisted", True)
    assert all(texts(found, known))


def test_who_has_left_is_told_nothing_of_it(deal, left):
    dealer_id = left.pop("id")
    found = deal(dealer_id, "dealer", **left)
    assert not any("left" in line.lower() for line in card.summary(found))
    assert found.stakes.empty


# ---- the figures ---------------------------------------------------------------------------------


def test_the_figures_show_the_figures(deal, known):
    found = deal()
    bars = [patch.get_height() for patch in card.plot_purchases(found).patches]
    # the year before lies behind
    now, then = dossier.year_sums(found)
    assert sum(bars[12:] or bars) == pytest.approx(now)
    assert sum(bars[:12]) == pytest.approx(then)
    ages = [patch.get_width() for patch in card.plot_stock_age(found).patches]
    assert sum(ages) == pytest.approx(found.aged["value"].sum())
    places = card.plot_places(found).collections[-1].get_offsets()[:, 0]
    assert places.tolist() == pytest.approx(found.places["percentile"].tolist())
    scores = sorted(found.factors["data_score"].dropna())[: dossier.N_FACTORS]
    assert card.plot_factors(found).collections[1].get_offsets()[:, 0].tolist() == pytest.approx(
        scores
    )


def test_a_figure_without_data_says_so(deal):
    found = deal()
    empty = found._replace(
        months=found.months.head(0),
        places=found.places.head(0),
        aged=found.aged.head(0),
        factors=found.factors.head(0),
    )
    said = [plot(empty).figure.alt_text for plot in PLOTS]
    assert said == [
        "No purchases of ours in the window.",
        "Nothing is known of this dealer that could be set against their peers.",
        "What lies in this shop is not known.",
        "No factor of this dealer is measured.",
    ]


@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant"])
def test_a_card_speaks_the_readers_language(deal, known, language):
    # their reasons were written in English
    found = deal()._replace(stakes=known["everyone"]["stakes"].head(0))
    look.use(language, "CNY")
    said = [
        *card.summary(found),
        *card.next_steps(found, actions(known)),
        card.plot_purchases(found).figure.alt_text,
    ]
    assert [bool(re.search(r"[\u4e00-\u9fff]", line)) for line in said] == [language != "en"] * len(
        said
    )


# ---- what a dealer sees --------------------------------------------------------------------------


def forbidden(known: dict, dealer_id: str) -> dict[str, list[str]]:
    """List what a dealer must not read.

    Others' names and ids, classes and diagnoses, what we earn with him.
    """
    dealers, judged = known["everyone"]["dealers"], known["everyone"]["judged"]
    own = repr(
        card.heading(dossier.dossier(dealer_id, "us", known["period"], "", **known["everyone"]))
    )
    others = dealers[dealers["dealer_id"] != dealer_id]
    names = [n for n in (*others["dealer_name"], *others["dealer_id"]) if n not in own]
    mine = judged[judged["dealer_id"] == dealer_id].iloc[0]
    profit = mine["gross_profit"]
    return {
        "others": names,
        "class": [f"Class {letter}" for letter in "ABC"] + [mine["code"], mine["diagnosis"]],
        "ours": [words.money(profit), f"{profit:,.0f}", str(profit), words.label("gross_profit")],
    }


@pytest.mark.parametrize("place", [0, 1, 2, 5, 10, 25, -1])
def test_a_dealers_page_holds_nothing_of_ours_or_of_others(deal, known, place):
    dealer_id = known["everyone"]["judged"]["dealer_id"].iloc[place]
    told = "\n".join(texts(deal(dealer_id, "dealer"), known))
    for what, wording in forbidden(known, dealer_id).items():
        assert not [word for word in wording if word in told], what
    assert known["everyone"]["dealers"].set_index("dealer_id").loc[dealer_id, "dealer_name"] in told


def test_what_is_forbidden_stands_on_our_own_card(deal, known):
    """Else the test above could not fail."""
    lots, at_stake = known["everyone"]["lots"], known["everyone"]["stakes"]
    dealer_id = lots["dealer_id"].iloc[0]
    told = "\n".join(texts(deal(dealer_id), known))
    wording = forbidden(known, dealer_id)
    assert lots.loc[lots["dealer_id"] == dealer_id, "taker_name"].iloc[0] in told
    assert any(word in told for word in wording["class"])
    assert words.label("gross_profit") in told
    assert len(at_stake)


def test_a_dossier_for_the_dealer_keeps_no_table_of_ours(deal):
    found = deal(audience="dealer")
    assert all(
        getattr(found, name).empty
        for name in ("judged", "places", "stakes", "lost", "actions", "factors")
    )
    assert not {"to_dealer_id", "taker_name", "taker_city"} & set(found.lots.columns)
    ours = deal()
    assert len(ours.judged) == 1
    assert len(ours.places) >= 3


def test_calls_are_those_of_the_abc_page(known, small_demo):
    there = told_by("03_abc_pareto.ipynb", small_demo, "to_call = ")
    at_stake = known["everyone"]["stakes"]
    first = at_stake[~at_stake["trigger"].isin(CHANCES)].drop_duplicates("dealer_id")
    same = ["dealer_id", "trigger", "stake", "stake_low", "measure", "within_days"]
    pd.testing.assert_frame_equal(
        there["to_call"][same].reset_index(drop=True), first[same].reset_index(drop=True)
    )
    assert len(there["to_call"])


def test_the_network_is_that_of_the_other_pages(known, small_demo):
    stocked = told_by("07_inventory_age.ipynb", small_demo, "proposed = ")
    earned = told_by("08_dealer_profit.ipynb", small_demo, "lost = ")
    scored = told_by("05_fishbone.ipynb", small_demo, "found = ")
    for name, table in (
        ("lots", stocked["proposed"]),
        ("dead", stocked["dead"]),
        ("lost", earned["lost"]),
        ("came", scored["found"].came),
    ):
        pd.testing.assert_frame_equal(table, known["everyone"][name], obj=name)
    for name in ("comparison", "gaps", "trends"):
        there, here = (getattr(month, name) for month in (earned["found"], known["earned"]))
        pd.testing.assert_frame_equal(there, here, obj=name)
