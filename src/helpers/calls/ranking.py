"""Measures: what to do with each class, and whom to call first and why."""

from collections.abc import Collection

import pandas as pd

from helpers import look, words
from helpers.pareto import called_classes
from helpers.settings import page_of

MOVED = ("left", "fallen", "joined", "risen")
LATE = ("left_with_debt", "never_paid", "stopped_paying", "slowed")


def measure_table(
    judged: pd.DataFrame,
    happened: pd.DataFrame,
    measures: pd.DataFrame,
    untold: Collection[str] = (),
) -> pd.DataFrame:
    """Put each class's and each event's measure beside the number of dealers it holds for.

    `measures` is the editable table: `trigger` (a class or an event), `priority`, `within_days`,
    `en`, `zh`. Events that the data can't tell of (`untold`, from `untold_events`) are left out:
    that none is known is not that none was.
    """
    measures = measures[~measures["trigger"].isin(list(untold))].reset_index(drop=True)
    served = called_classes(judged["composite_class"])
    counts = pd.concat([served, happened["trigger"]]).value_counts()
    return pd.DataFrame(
        {
            "trigger": measures["trigger"],
            "n_dealers": measures["trigger"].map(counts).fillna(0).astype(int),
            "within_days": measures["within_days"],
            "measure": [words.translated(row.en, row.zh) for row in measures.itertuples()],
        }
    )


def untold_events(moved: pd.DataFrame, receivables: pd.DataFrame) -> list[str]:
    """List the events that the data can't tell of.

    Moves without a year before, late payers where no status is known.

    `receivables` is the table of all dealers, not only of those who are late.
    """
    told = receivables["status"].isin([*LATE, "paying"]).any()
    return [*(MOVED if (moved["movement"] == "–").all() else ()), *(() if told else LATE)]


def events(
    moved: pd.DataFrame,
    before: pd.DataFrame,
    receivables: pd.DataFrame | None,
    recent_months: int,
) -> pd.DataFrame:
    """Gather what happened to dealers that calls for a call.

    `dealer_id`, `trigger`, `stake` (money), `reason`.

    Parameters
    ----------
    moved
        Dealers with `movement`, class and code now and before, and `revenue`.
    before
        Last year's window: `dealer_id`, `revenue`.
    receivables
        With `status`, `balance`, `recent_payments`, `usual_payments`; None where payments are not
        known.
    recent_months
        How many months are recent there.
    """
    rows = []
    revenue_before = before.set_index("dealer_id")["revenue"]
    for row in moved[~moved["movement"].isin(["stayed", "–"])].itertuples():
        now, then = _known(row.revenue), _known(revenue_before.get(row.dealer_id))
        stake = {"fallen": then - now, "left": then}.get(row.movement, now)
        said = words.say(
            f"calls.{row.movement}",
            old=f"{row.previous_class} ({row.previous_code})",
            new=f"{row.composite_class} ({row.code})",
            now=now,
            then=then,
        )
        rows.append((row.dealer_id, row.movement, stake, said))
    for row in (
        receivables if receivables is not None else moved.head(0).assign(status="")
    ).itertuples():
        if row.status in LATE:
            said = words.say(
                f"calls.{row.status}",
                paid=row.recent_payments,
                usual=row.usual_payments,
                balance=row.balance,
                n=recent_months,
            )
            rows.append((row.dealer_id, row.status, row.balance, said))
    return pd.DataFrame(rows, columns=["dealer_id", "trigger", "stake", "reason"])


def call_list(found: pd.DataFrame, measures: pd.DataFrame, dealers: pd.DataFrame) -> pd.DataFrame:
    """Order the calls: per dealer the most urgent event with its measure, the others named behind
    it.

    Events whose trigger the table of measures does not name call for nothing. Columns:
    `account_manager`, `dealer_id`, `dealer_name`, `city`, `priority`, `trigger`, `reason`,
    `measure`, `within_days`, `stake`; most urgent first, then by stake.
    """
    chosen = measures.assign(
        measure=[words.translated(row.en, row.zh) for row in measures.itertuples()]
    )
    calls = found.merge(chosen[["trigger", "priority", "within_days", "measure"]], on="trigger")
    calls = calls.sort_values(["priority", "stake", "dealer_id"], ascending=[True, False, True])
    reasons = calls.groupby("dealer_id", sort=False)["reason"].agg(" ".join)
    calls = calls.drop_duplicates("dealer_id").assign(reason=lambda c: c["dealer_id"].map(reasons))
    known = dealers[["dealer_id", "dealer_name", "city", "account_manager"]]
    calls = calls.merge(known, on="dealer_id", how="left")
    columns = [
        "account_manager",
        "dealer_id",
        "dealer_name",
        "city",
        "priority",
        "trigger",
        "reason",
        "measure",
        "within_days",
        "stake",
    ]
    return calls[columns].reset_index(drop=True)


def headlines(calls: pd.DataFrame, most: int = 5) -> list[dict]:
    """Make the front page's first calls; keys as `report.headline` takes them."""
    return [
        {
            "place": "call",
            "label": str(row.dealer_name),
            "text": f"{row.reason} {row.measure}",
            "link": f"{page_of('abc_pareto')}#{look.anchor(row.dealer_id)}",
        }
        for row in calls.head(most).itertuples()
    ]


def by_account_manager(calls: pd.DataFrame) -> pd.DataFrame:
    """Lay the calls out for printing.

    Account managers one after another, each with the most urgent call first.
    """
    shown = [
        "account_manager",
        "dealer_id",
        "dealer_name",
        "city",
        "trigger",
        "reason",
        "within_days",
        "stake",
    ]
    return calls.sort_values("account_manager", kind="stable", na_position="last")[
        shown
    ].reset_index(drop=True)


def _known(amount: float | None) -> float:
    return 0.0 if amount is None or pd.isna(amount) else float(amount)
