"""Exposure: what dealers owe against their credit limits, and to whom nothing more is delivered."""

import numpy as np
import pandas as pd

STOP_DAYS = 90  # past the due date
STOP = [
    "dealer_id",
    "stop_reason",
    "balance",
    "credit_limit",
    "over_limit_amount",
    "long_overdue_amount",
    "past_due_days",
    "status",
]


def stop_supply(
    owed: pd.DataFrame, aged: pd.DataFrame, *, stop_days: int = STOP_DAYS
) -> pd.DataFrame:
    """List the dealers whose supply is to be stopped: over their limit, or overdue for too long.

    Only a limit and a due date that are known can be passed; a limit of zero means that nothing may
    be owed.

    Parameters
    ----------
    owed, aged
        From `dealer_rows.dealer_receivables` and `ageing.aged_items`, in cents.
    stop_days
        An invoice more than so many days past its due date stops supply.

    Returns
    -------
    DataFrame
        `STOP`, the largest amount beyond what is allowed first; money in the currency.
    """
    late = aged[(aged["basis"] == "due") & (aged["age_days"] > stop_days)]
    late = late.groupby("dealer_id")["open_cents"].sum()
    limit = (owed["credit_limit"] * 100).round()
    over = (owed["balance"] - limit).clip(lower=0).fillna(0)
    beyond = owed["dealer_id"].map(late).astype("float64").fillna(0)
    reason = np.select(
        [(over > 0) & (beyond > 0), over > 0, beyond > 0],
        ["over_limit_and_overdue", "over_limit", "long_overdue"],
        default="",
    )
    rows = owed.assign(
        stop_reason=reason,
        balance=owed["balance"] / 100,
        over_limit_amount=(over / 100).where(limit.notna()),
        long_overdue_amount=beyond / 100,
        order=np.maximum(over, beyond),
    )
    rows = rows[rows["stop_reason"] != ""]
    rows = rows.sort_values(["order", "dealer_id"], ascending=[False, True], ignore_index=True)
    return rows[STOP]
