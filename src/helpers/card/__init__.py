"""One dealer on one page."""

from helpers.card.dossier import (
    ACTIONS,
    AUDIENCES,
    dead_table,
    heading,
    next_steps,
    proof_sentences,
    summary,
    why_nothing_dead,
)
from helpers.card.figures import (
    day_note,
    plot_factors,
    plot_places,
    plot_purchases,
    plot_stock_age,
    window_note,
)
from helpers.card.month import network_tables

__all__ = [
    "ACTIONS",
    "AUDIENCES",
    "day_note",
    "dead_table",
    "heading",
    "network_tables",
    "next_steps",
    "plot_factors",
    "plot_places",
    "plot_purchases",
    "plot_stock_age",
    "proof_sentences",
    "summary",
    "why_nothing_dead",
    "window_note",
]
