"""What sleeps in the dealers' stock: its age, what nobody asks for, lots to move; and who has been
sold more than he sells.
"""

from helpers.inventory.age import (
    BUCKETS,
    VALUES,
    aged,
    dead_stock,
    dealer_stock,
    group_stock,
    most_dead,
    named,
    network_stock,
    older_than,
    past_months,
    plot_ages,
    plot_dealers,
    plot_months,
    shown,
    with_old,
)
from helpers.inventory.channel import pressure
from helpers.inventory.month import (
    StockData,
    StockMonth,
    judge_month,
    read_ages,
    read_month,
    stock_month,
)
from helpers.inventory.moves import move_table, plot_proposal
from helpers.inventory.rebalancing import proposal
from helpers.inventory.stuffing import plot_channel, stock_calls
from helpers.inventory.summary import stock_note
from helpers.inventory.turnover import plot_days_of_sales

__all__ = [
    "BUCKETS",
    "VALUES",
    "StockData",
    "StockMonth",
    "aged",
    "dead_stock",
    "dealer_stock",
    "group_stock",
    "judge_month",
    "most_dead",
    "move_table",
    "named",
    "network_stock",
    "older_than",
    "past_months",
    "plot_ages",
    "plot_channel",
    "plot_days_of_sales",
    "plot_dealers",
    "plot_months",
    "plot_proposal",
    "pressure",
    "proposal",
    "read_ages",
    "read_month",
    "shown",
    "stock_calls",
    "stock_month",
    "stock_note",
    "with_old",
]
