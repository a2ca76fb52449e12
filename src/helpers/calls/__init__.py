"""Whom to call, and what to do there."""

from helpers.calls.ranking import (
    by_account_manager,
    call_list,
    events,
    measure_table,
    untold_events,
)

__all__ = [
    "by_account_manager",
    "call_list",
    "events",
    "measure_table",
    "untold_events",
]
