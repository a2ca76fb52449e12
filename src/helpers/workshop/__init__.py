"""How far sellers have come, and the exercises of a workshop."""

from helpers.workshop.exercises import (
    group_solution,
    owner_solution,
    proof_solution,
    rule_solution,
    score_sheet,
    speakers,
    spread_solution,
    stock_solution,
    thin_solution,
    white_spot_solution,
)
from helpers.workshop.growth import (
    THRESHOLD,
    Profile,
    basis_sentences,
    monday_table,
    own_profile,
    plot_ladder,
    plot_profile,
    profile,
    session_note,
    session_table,
)

__all__ = [
    "THRESHOLD",
    "Profile",
    "basis_sentences",
    "group_solution",
    "monday_table",
    "own_profile",
    "owner_solution",
    "plot_ladder",
    "plot_profile",
    "profile",
    "proof_solution",
    "rule_solution",
    "score_sheet",
    "session_note",
    "session_table",
    "speakers",
    "spread_solution",
    "stock_solution",
    "thin_solution",
    "white_spot_solution",
]
