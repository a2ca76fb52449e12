"""What dealers earn with us and with rivals: margins, comparison, proof."""

from helpers.profit.brands import brand_comparison, gaps
from helpers.profit.margins import (
    margin_spread,
    margin_trends,
    mover_table,
    plot_margins,
    plot_slips,
)
from helpers.profit.month import (
    ProfitData,
    ProfitMonth,
    judge_month,
    profit_month,
    read_month,
)
from helpers.profit.proof import (
    call_reason,
    dealer_table,
    leads,
    losing,
    named,
    plot_leads,
    plot_results,
)
from helpers.profit.sheet import plot_proof, proof_table, verdict

__all__ = [
    "ProfitData",
    "ProfitMonth",
    "brand_comparison",
    "call_reason",
    "dealer_table",
    "gaps",
    "judge_month",
    "leads",
    "losing",
    "margin_spread",
    "margin_trends",
    "mover_table",
    "named",
    "plot_leads",
    "plot_margins",
    "plot_proof",
    "plot_results",
    "plot_slips",
    "profit_month",
    "proof_table",
    "read_month",
    "verdict",
]
