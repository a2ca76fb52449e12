"""Ranking: one call per dealer, the largest stake first, so many to a manager."""

import pandas as pd

from helpers.calls.triggers import CHANCES, TRIGGERS

PER_MANAGER = 10
CALLS = [
    "account_manager",
    "rank",
    "dealer_id",
    "trigger",
    "stake_kind",
    "stake",
    "stake_low",
    "stake_high",
    "other_triggers",
]


def ranked(events: pd.DataFrame, dealers: pd.DataFrame, known: list[str]) -> pd.DataFrame:
    """Make one call of each dealer's events, the surest money first.

    A call carries the event with the largest stake at its lower end and names the others, for
    stakes of several kinds are never added.

    Parameters
    ----------
    events
        As `triggers` makes them.
    dealers
        `dealer_id`, `account_manager`.
    known
        The triggers that somebody has a measure for; others call for nothing.

    Returns
    -------
    DataFrame
        `CALLS`, the largest `stake_low` first; `rank` counts each manager's own, those of nobody
        together, and `other_triggers` are named in the order of their stakes, by blanks.
    """
    rows = events[events["trigger"].isin(known)]
    place = {trigger: i for i, trigger in enumerate((*TRIGGERS, *CHANCES))}
    rows = rows.assign(place=rows["trigger"].map(place))
    rows = rows.sort_values(
        ["stake_low", "stake", "dealer_id", "place"], ascending=[False, False, True, True]
    )
    first = ~rows["dealer_id"].duplicated()
    others = rows[~first].groupby("dealer_id")["trigger"].agg(" ".join).to_dict()
    named = [others.get(dealer_id, "") for dealer_id in rows.loc[first, "dealer_id"]]
    calls = rows[first].assign(other_triggers=pd.array(named, dtype="str"))
    managers = dealers.drop_duplicates("dealer_id").set_index("dealer_id")["account_manager"]
    calls["account_manager"] = calls["dealer_id"].map(managers)
    calls["rank"] = calls.groupby("account_manager", dropna=False).cumcount() + 1
    return calls[CALLS].reset_index(drop=True)


def shortened(calls: pd.DataFrame, per_manager: int = PER_MANAGER) -> pd.DataFrame:
    """Keep each manager's first calls, so many that he gets round to them."""
    return calls[calls["rank"] <= per_manager].reset_index(drop=True)
