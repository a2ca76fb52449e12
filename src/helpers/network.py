"""The network behind a card.

What pages 02, 03, 05 and 06 say of all dealers, worked out once a month and kept.
"""

import pandas as pd

from helpers import (
    card,
    earnings,
    features,
    fishbone,
    inventory,
    judgement,
    margins,
    measures,
    migration,
    periods,
    plan,
    profit,
    read,
    rebalancing,
    receivables,
    scoring,
    standing,
    stock,
    words,
)
from helpers.kept import kept
from helpers.settings import Workbook

N_QUARTERS = 8  # of a dealer's history of classes


@kept
def network_tables(
    book: Workbook, period: str, language: str
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Give the tables of all dealers that `card.dossier` cuts a card from, and the comparison of
    their brands.

    A card compares one dealer with all others; for thousands of cards all others are the same. Each
    table is made as on the page that explains it.

    Returns
    -------
    tuple
        A dict of `card.dossier`'s tables by name, and `profit.brand_comparison`.
    """
    # reasons of calls and names are written in the reader's language
    words.speak(language, book.currency)
    end = periods.window(period).end
    dealers, months = read.dealers(book, language), read.dealer_months(book, period)
    owed = receivables.receivables(months, period, read.covered(book, period).n_days)
    judged, calls = _judgement(book, period, dealers, owed)
    stocked = _stock(book, period, dealers, language)
    sums, by_month = earnings.brand_sums(book, period), earnings.brand_months(book, period)
    comparison = profit.brand_comparison(sums, book.brand, by_month)
    trends = margins.margin_trends(earnings.dealer_margins(book, period), period)
    tree = fishbone.factor_tree(read.reference(book, "factors"), read.reference(book, "causes"))
    scores = read.records(book, "scores", language)
    there = scoring.dealer_session_scores(scores, tree, end_date=end, brand=book.brand)
    by_dealer = scoring.data_scores(features.dealer_features(book, period), tree, dealers)
    agreed = plan.require_plan(read.records(book, "plan", language), tree)
    since = scoring.session_scores(scores, tree, end_date=end, brand=book.brand)
    places = card.places_among_peers(
        card.peer_figures(judged, owed, trends, stocked.pop("held")), dealers
    )
    return {
        "dealers": dealers,
        "months": months,
        "owed": owed,
        "judged": judged,
        "calls": calls,
        "places": places,
        **stocked,
        "lost": standing.losing(comparison, dealers),
        "factors": card.factor_rows(by_dealer, there, tree),
        "came": plan.promised_against_came(
            agreed, tree, since, end_date=end, months=months, dealer_scores=there, dealers=dealers
        ),
    }, comparison


def _judgement(book: Workbook, period: str, dealers: pd.DataFrame, owed: pd.DataFrame) -> tuple:
    """Judge as page 02 does: classes now, a year ago and by quarter, and whom to call for it."""
    diagnoses, end = read.reference(book, "diagnoses"), periods.window(period).end
    totals = read.dealer_totals(book, period)
    judged = judgement.joint_judgement(totals, diagnoses)
    judged = judgement.overridden_classes(judged, read.records(book, "overrides"), end)
    before = judgement.joint_judgement(read.previous_totals(book, period), diagnoses)
    quarters = read.dealer_totals(book, period, n_months=3, n_windows=N_QUARTERS)
    stability = migration.class_stability(judgement.judged_windows(quarters, diagnoses))
    moved = migration.movements(judged, before).merge(totals[["dealer_id", "revenue"]], how="left")
    late = receivables.overdue(owed, dealers)
    calls = measures.call_list(
        measures.events(moved, before, late), read.reference(book, "measures"), dealers
    )
    return card.with_history(judged, before, stability), calls


def _stock(
    book: Workbook, period: str, dealers: pd.DataFrame, language: str
) -> dict[str, pd.DataFrame]:
    """See what lies in the shops as page 05 does.

    Layers, what is dead among them, and what should move.
    """
    here, flows, models = (
        stock.on_hand(book, period),
        stock.flows(book, period),
        stock.models(book, language),
    )
    aged = inventory.aged(here.layers, here.as_of)
    return {
        "aged": aged,
        "dead": inventory.named(inventory.dead_stock(aged, flows), dealers, models),
        "lots": rebalancing.move_table(rebalancing.proposal(aged, flows, dealers), dealers, models),
        "held": inventory.dealer_stock(aged, flows),
    }
