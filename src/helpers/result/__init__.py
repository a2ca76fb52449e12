"""How the month went against last year and the target, why, and where the year will end."""

from helpers.result.claims import scored
from helpers.result.figures import bridge_rows, plot_bridge, plot_forecast, plot_months
from helpers.result.forecast import Forecast, holt_winters, seasonal_naive
from helpers.result.month import (
    Bridges,
    ResultData,
    ResultMonth,
    judge_month,
    read_bridges,
    read_month,
    result_month,
)
from helpers.result.news import headlines
from helpers.result.steps import bridge_table, contributions, largest, network_steps
from helpers.result.summary import bottom_line, scored_sentences

__all__ = [
    "Bridges",
    "Forecast",
    "ResultData",
    "ResultMonth",
    "bottom_line",
    "bridge_rows",
    "bridge_table",
    "contributions",
    "headlines",
    "holt_winters",
    "judge_month",
    "largest",
    "network_steps",
    "plot_bridge",
    "plot_forecast",
    "plot_months",
    "read_bridges",
    "read_month",
    "result_month",
    "scored",
    "scored_sentences",
    "seasonal_naive",
]
