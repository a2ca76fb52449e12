"""Levels of targets: a target is for the network, a region, an account manager or a dealer.

A level is only ever compared with itself: a region's sum with the region's target.
"""

import pandas as pd
from ibis import _
from ibis.expr.types import Table

from helpers.data.findings import Finding

# for whom a target may be; what names nobody is for the network
COLUMNS = {"dealer": "dealer_id", "account_manager": "account_manager", "region": "region"}
LEVELS = ("network", "region", "account_manager", "dealer")
MEASURES = ("revenue", "gross_profit", "payments")
CENT = 0.005


def named(targets: pd.DataFrame) -> pd.DataFrame:
    """Name each target's `cut` and whom it is for, `part`, empty for the network.

    A row that names several is for the narrowest of them: a dealer, else an account manager, else a
    region.

    >>> rows = pd.DataFrame({"month": "2026-10", "region": ["East", None], "revenue": [5.0, 9.0]})
    >>> named(rows)[["cut", "part", "revenue"]].to_numpy().tolist()
    [['region', 'East', 5.0], ['network', '', 9.0]]
    """
    rows = targets.reindex(columns=["month", *COLUMNS.values(), *MEASURES])
    level = pd.Series("network", rows.index, dtype="str")
    group = pd.Series("", rows.index, dtype="str")
    for name, column in reversed(COLUMNS.items()):
        told = rows[column].notna()
        level, group = level.mask(told, name), group.mask(told, rows[column].astype("str"))
    return pd.DataFrame(
        {"month": rows["month"].astype("str"), "cut": level, "part": group}
        | {measure: rows[measure].astype("float64") for measure in MEASURES}
    )


def findings(lines: Table) -> list[Finding]:
    """Warn of months in which the levels' targets do not sum up to the same."""
    known = [column for column in COLUMNS.values() if column in lines.columns]
    measures = [measure for measure in MEASURES if measure in lines.columns]
    if not known or not measures:
        return []
    amounts = lines.group_by("month", *known).agg(
        **{measure: _[measure].sum().cast("float64") for measure in measures}
    )
    rows = named(amounts.to_pandas())
    sums = rows.groupby(["cut", "month"])[list(MEASURES)].sum(min_count=1)
    found = []
    for measure in measures:
        wide = (
            sums[measure]
            .reset_index()
            .pivot_table(index="month", columns="cut", values=measure, aggfunc="sum", dropna=False)
        )
        wide = wide.reindex(columns=[*LEVELS])
        apart = wide[(wide.max(axis=1) - wide.min(axis=1)) > CENT]
        if len(apart):
            told = [f"{name} {value:,.2f}" for name, value in apart.iloc[0].dropna().items()]
            example = f"{apart.index[0]}: {', '.join(told)}"
            found.append(Finding("targets", measure, "levels", "warning", len(apart), example))
    return found
