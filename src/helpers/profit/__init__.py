"""What dealers earn with us and with rivals: margins, comparison, proof."""

from helpers.profit.brands import brand_comparison, plot_proof, proof_table, verdict
from helpers.profit.margins import (
    margin_spread,
    margin_trends,
    mover_table,
    plot_margins,
    plot_slips,
    why_no_movers,
)
from helpers.profit.proof import (
    by_place,
    call_reason,
    coverage,
    dealer_table,
    leads,
    losing,
    missing_sentences,
    place_table,
    plot_leads,
    plot_results,
    proof_dealer,
    why_no_place,
)

__all__ = [
    "brand_comparison",
    "by_place",
    "call_reason",
    "coverage",
    "dealer_table",
    "leads",
    "losing",
    "margin_spread",
    "margin_trends",
    "missing_sentences",
    "mover_table",
    "place_table",
    "plot_leads",
    "plot_margins",
    "plot_proof",
    "plot_results",
    "plot_slips",
    "proof_dealer",
    "proof_table",
    "verdict",
    "why_no_movers",
    "why_no_place",
]
