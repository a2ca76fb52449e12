"""The network behind a card.

What other pages say of all dealers, worked out once a month and kept.
"""

import pandas as pd

from helpers import calls, data, fishbone, inventory, pareto, periods, profit, words
from helpers.card import dossier
from helpers.data import kept
from helpers.settings import Workbook

N_QUARTERS = 8  # of a dealer's history of classes


@kept
def network_tables(
    book: Workbook, period: str, language: str
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Give the tables of all dealers that `dossier.dossier` cuts a card from, and the comparison of
    their brands.

    A card compares one dealer with all others; for thousands of cards all others are the same. Each
    table is made as on the page that explains it.

    Returns
    -------
    tuple
        A dict of `dossier.dossier`'s tables by name, and `profit.brand_comparison`.
    """
    # reasons of calls and names are written in the reader's language
    words.speak(language, book.currency)
    end = periods.window(period).end
    dealers, months = data.dealers(book, language), data.dealer_months(book, period)
    owed = pareto.receivables(months, period, data.covered(book, period).n_days)
    judged, to_call = _judgement(book, period, dealers, owed)
    stocked = _stock(book, period, dealers, language)
    sums, by_month = data.brand_sums(book, period), data.brand_months(book, period)
    comparison = profit.brand_comparison(sums, book.brand, by_month)
    trends = profit.margin_trends(data.dealer_margins(book, period), period)
    tree = fishbone.factor_tree(data.reference(book, "factors"), data.reference(book, "causes"))
    scores = data.records(book, "scores", language)
    there = fishbone.dealer_session_scores(scores, tree, end_date=end, brand=book.brand)
    by_dealer = fishbone.data_scores(data.dealer_features(book, period), tree, dealers)
    agreed = fishbone.require_plan(data.records(book, "plan", language), tree)
    since = fishbone.session_scores(scores, tree, end_date=end, brand=book.brand)
    places = dossier.places_among_peers(
        dossier.peer_figures(judged, owed, trends, stocked.pop("held")), dealers
    )
    return {
        "dealers": dealers,
        "months": months,
        "owed": owed,
        "judged": judged,
        "calls": to_call,
        "places": places,
        **stocked,
        "lost": profit.losing(comparison, dealers),
        "factors": dossier.factor_rows(by_dealer, there, tree),
        "came": fishbone.promised_against_came(
            agreed, tree, since, end_date=end, months=months, dealer_scores=there, dealers=dealers
        ),
    }, comparison


def _judgement(book: Workbook, period: str, dealers: pd.DataFrame, owed: pd.DataFrame) -> tuple:
    """Judge as the ABC page does: classes now, a year ago, by quarter; whom to call for it."""
    diagnoses, end = data.reference(book, "diagnoses"), periods.window(period).end
    totals = data.dealer_totals(book, period)
    judged = pareto.joint_judgement(totals, diagnoses)
    judged = pareto.overridden_classes(judged, data.records(book, "overrides"), end)
    before = pareto.joint_judgement(data.previous_totals(book, period), diagnoses)
    quarters = data.dealer_totals(book, period, n_months=3, n_windows=N_QUARTERS)
    stability = pareto.class_stability(pareto.judged_windows(quarters, diagnoses))
    moved = pareto.movements(judged, before).merge(totals[["dealer_id", "revenue"]], how="left")
    late = pareto.overdue(owed, dealers)
    to_call = calls.call_list(
        calls.events(moved, before, late), data.reference(book, "measures"), dealers
    )
    return dossier.with_history(judged, before, stability), to_call


def _stock(
    book: Workbook, period: str, dealers: pd.DataFrame, language: str
) -> dict[str, pd.DataFrame]:
    """See what lies in the shops as the page on stock does.

    Layers, what is dead among them, and what should move.
    """
    here, flows, models = (
        data.on_hand(book, period),
        data.flows(book, period),
        data.models(book, language),
    )
    aged = inventory.aged(here.layers, here.as_of)
    return {
        "aged": aged,
        "dead": inventory.named(inventory.dead_stock(aged, flows), dealers, models),
        "lots": inventory.move_table(inventory.proposal(aged, flows, dealers), dealers, models),
        "held": inventory.dealer_stock(aged, flows),
    }
