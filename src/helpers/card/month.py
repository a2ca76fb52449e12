"""The network behind a card.

What other pages say of all dealers, worked out once a month and kept.
"""

import pandas as pd

from helpers import calls, data, fishbone, inventory, pareto, profit, words
from helpers.card import dossier
from helpers.data import kept
from helpers.settings import Workbook


@kept
def network_tables(
    book: Workbook, period: str, language: str
) -> tuple[dict[str, pd.DataFrame], profit.ProfitMonth]:
    """Give the tables of all dealers that `dossier.dossier` cuts a card from, and what is found of
    the brands they carry.

    A card compares one dealer with all others; for thousands of cards all others are the same. Each
    table is made as on the page that explains it.

    Returns
    -------
    tuple
        A dict of `dossier.dossier`'s tables by name, and what `profit.profit_month` gives.
    """
    # reasons of calls and names are written in the reader's language
    words.speak(language, book.currency)
    dealers, months = data.dealers(book, language), data.dealer_months(book, period)
    abc = pareto.abc_month(book, period)
    month = calls.calls_month(book, period, abc)
    owed, judged = (
        month.asked.owed,
        pareto.named(abc.judged, dealers, data.reference(book, "diagnoses")),
    )
    judged = dossier.with_history(judged.drop(columns="dealer_name"), abc.before, abc.stability)
    judged = judged.merge(abc.moved[["dealer_id", "movement"]], on="dealer_id", how="left")
    # a card is of one dealer: all that is at stake there is told, if he is on a short list or not
    at_stake = calls.stakes(month, dealers, book.brand)
    stocked = _stock(book, period, dealers, language)
    earned = profit.profit_month(book, period)
    fish = fishbone.network_month(book, period, language)
    places = dossier.places_among_peers(
        dossier.peer_figures(judged, owed, earned.trends, stocked.pop("held")), dealers
    )
    return {
        "dealers": dealers,
        "months": months,
        "owed": owed,
        "judged": judged,
        "stakes": at_stake,
        "places": places,
        **stocked,
        "lost": profit.named(earned.lost, dealers),
        "factors": dossier.factor_rows(fish.by_dealer, fish.there, fish.tree),
        "came": fish.came,
    }, earned


def _stock(
    book: Workbook, period: str, dealers: pd.DataFrame, language: str
) -> dict[str, pd.DataFrame]:
    """See what lies in the shops as the page on stock does.

    Layers, what is dead among them, and what should move.
    """
    # a card looks back on no month end, and need not wait for them
    found = inventory.stock_month(book, period, n_history=1)
    models, pace = data.models(book, language), found.options["pace_days"]
    return {
        "aged": found.aged,
        "dead": inventory.named(found.dead, dealers, models),
        "lots": inventory.move_table(found.lots, dealers, models, pace_days=pace),
        "held": found.held,
    }
