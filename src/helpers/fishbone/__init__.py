"""Why a dealer earns or does not: factors, scores, weights, the rival, the climb, the plan."""

from helpers.fishbone.effort import plot_climb
from helpers.fishbone.factors import owner_split, plot_fishbone
from helpers.fishbone.month import (
    FishboneData,
    FishboneMonth,
    fishbone_month,
    judge_month,
    network_month,
    read_month,
    reweighed,
)
from helpers.fishbone.plan import proposed_plan
from helpers.fishbone.progress import plot_plan
from helpers.fishbone.scoring import answers, people_scores, plot_scores
from helpers.fishbone.tree import factor_tree, leaf_factors
from helpers.fishbone.weights import HOW

__all__ = [
    "HOW",
    "FishboneData",
    "FishboneMonth",
    "answers",
    "factor_tree",
    "fishbone_month",
    "judge_month",
    "leaf_factors",
    "network_month",
    "owner_split",
    "people_scores",
    "plot_climb",
    "plot_fishbone",
    "plot_plan",
    "plot_scores",
    "proposed_plan",
    "read_month",
    "reweighed",
]
