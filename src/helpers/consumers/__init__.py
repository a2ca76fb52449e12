"""Who buys in the dealers' shops: groups, how many there are, profiles, strategies."""

from helpers.consumers.groups import model_from_table
from helpers.consumers.month import (
    ConsumersData,
    ConsumersMonth,
    judge_month,
    judged_groups,
    read_month,
)
from helpers.consumers.profiles import named, plot_profiles, shown
from helpers.consumers.summary import group_names

__all__ = [
    "ConsumersData",
    "ConsumersMonth",
    "group_names",
    "judge_month",
    "judged_groups",
    "model_from_table",
    "named",
    "plot_profiles",
    "read_month",
    "shown",
]
