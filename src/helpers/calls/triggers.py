"""Triggers: what happened at a dealer that calls for a call, and what is at stake there.

A letter never decides. Each trigger has a stake of one kind, and kinds are never added: the gross
profit of twelve months that is at risk (revenue where no cost is known), what is owed, stock at
cost, what a dealer would earn more with a rival. What is owed is certain; of the rest the lower end
of an 80 % interval counts, where one is known.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

TRIGGERS = (
    "lost_money",
    "silent",
    "overdue",
    "over_limit",
    "never_paid",
    "stopped_paying",
    "left_with_debt",
    "stuffed",
    "runs_dry",
    "sleeps",
    "rival_earns_more",
)
CHANCES = ("won_back", "rising")  # they stand apart: nothing is lost there
KINDS = ("gross_profit", "revenue", "debt", "stock_at_cost", "dealer_gain")
EVENTS = ["dealer_id", "trigger", "stake_kind", "stake", "stake_low", "stake_high"]
OVERDUE_DAYS = 30  # past the due date, from which what is overdue is a call's
MIN_STAKE = 0.005  # less than a cent is nothing
WIDER = 1.2816 / 1.96  # an interval of 80 % beside one of 95 %


class Margins(NamedTuple):
    """What of a dealer's revenue is our gross profit: his own, else the network's, else nothing."""

    own: pd.Series  # by dealer_id, NaN where nothing he bought has a cost
    network: float

    def kind(self) -> str:
        """Name the kind of a stake that is reckoned by these."""
        return "revenue" if np.isnan(self.network) else "gross_profit"

    def of(self, dealer_ids: pd.Series) -> np.ndarray:
        """Give the margin of dealers; 1 where no cost is known: then revenue is at stake."""
        if np.isnan(self.network):
            return np.ones(len(dealer_ids))
        return dealer_ids.map(self.own).fillna(self.network).to_numpy(dtype="float64")


def margins(months: pd.DataFrame) -> Margins:
    """Give gross profit ÷ the revenue it is the profit of, over the months given.

    `months` has `dealer_id`, `gross_profit`, `covered_revenue`.
    """
    sums = months.groupby("dealer_id")[["gross_profit", "covered_revenue"]].sum(min_count=1)
    whole = sums.sum(min_count=1)
    own = sums["gross_profit"] / sums["covered_revenue"].where(sums["covered_revenue"] > 0)
    covered = whole["covered_revenue"]
    network = whole["gross_profit"] / covered if covered > 0 else float("nan")
    return Margins(own, float(network))


def fallen(found: pd.DataFrame, by: Margins) -> pd.DataFrame:
    """Call who lost money, as `losses.money_losses` gives it; with `window`.

    At stake is what twelve months lose, at his margin: where that is not above zero, nothing.
    """
    rows = found[found["is_lost"]]
    margin = by.of(rows["dealer_id"])
    return _events(rows, "lost_money", by.kind(), ["lost", "lost_low", "lost_high"], margin)


def silent(
    found: pd.DataFrame, losses: pd.DataFrame, months: pd.DataFrame, by: Margins
) -> pd.DataFrame:
    """Call who is silent, as `silence.silent_dealers` gives it.

    At stake is a year's purchases, those of the year up to his last order, within the interval
    that his years have by chance. Who bought nothing for two years has nothing left to lose.
    """
    rows = found[found["is_silent"]]
    known = losses.set_index("dealer_id")
    until = rows["last_order_date"].dt.strftime("%Y-%m")
    first = (rows["last_order_date"].dt.to_period("M") - 11).dt.strftime("%Y-%m")
    spans = pd.DataFrame({"dealer_id": rows["dealer_id"], "first": first, "until": until})
    bought = months[["dealer_id", "month", "revenue"]].merge(spans, on="dealer_id")
    inside = (bought["month"] >= bought["first"]) & (bought["month"] <= bought["until"])
    year = bought[inside].groupby("dealer_id")["revenue"].sum()
    rows = rows.assign(year=rows["dealer_id"].map(year).fillna(0.0).to_numpy())
    wide = (known["lost_high"] - known["lost_low"]).reindex(rows["dealer_id"]).to_numpy() / 2
    wide = np.minimum(np.nan_to_num(wide), rows["year"])
    rows = rows.assign(low=rows["year"] - wide, high=rows["year"] + wide)
    two_years = known[["revenue", "revenue_before"]].fillna(0.0).sum(axis=1)
    lately = two_years.reindex(rows["dealer_id"]).fillna(rows["year"].sum()).to_numpy() > 0
    rows = rows[lately]
    return _events(rows, "silent", by.kind(), ["year", "low", "high"], by.of(rows["dealer_id"]))


def debts(
    owed: pd.DataFrame, stop: pd.DataFrame, *, overdue_days: int = OVERDUE_DAYS
) -> pd.DataFrame:
    """Call who owes and does not pay as agreed.

    At stake is what is overdue, else, where no due date is known, all that he owes; of who is over
    his limit, what is beyond it.

    Parameters
    ----------
    owed, stop
        From `receivables.judge_month`.
    overdue_days
        What is fewer days past its due date is not overdue yet.
    """
    overdue = owed["overdue_amount"].where(owed["overdue_amount"] > 0)
    rows = owed.assign(stake=overdue.fillna(owed["balance"]))
    rows = rows[rows["balance"] > 0]
    gone = ("left_with_debt", "never_paid", "stopped_paying")
    made = [_certain(rows[rows["status"] == status], status) for status in gone]
    late = (rows["status"] == "slowed") | (
        (rows["overdue_amount"] > 0) & (rows["past_due_days"] > overdue_days)
    )
    made.append(_certain(rows[late & ~rows["status"].isin(gone)], "overdue"))
    over = stop[stop["over_limit_amount"] > 0]
    made.append(_certain(over.assign(stake=over["over_limit_amount"]), "over_limit"))
    return pd.concat(made, ignore_index=True)


def _certain(rows: pd.DataFrame, trigger: str, kind: str = "debt") -> pd.DataFrame:
    return _events(rows, trigger, kind, ["stake"] * 3)


def stock(held: pd.DataFrame, channel: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Call where stock sleeps or was pressed in, at cost, and where it runs dry.

    Parameters
    ----------
    held
        From `inventory.judge_month`: `dealer_id`, `dead_value`.
    channel
        From `inventory.stock_calls`: `dealer_id`, `trigger`, `stake`, `low`. What is missed by who
        runs dry is of this `kind`.
    """
    asleep = held[["dealer_id"]].assign(stake=held.get("dead_value", np.nan))
    pressed = channel[channel["trigger"] == "stuffed"]
    pressed = pressed.assign(high=2 * pressed["stake"] - pressed["low"])
    return pd.concat(
        [
            _certain(asleep, "sleeps", "stock_at_cost"),
            _certain(channel[channel["trigger"] == "runs_dry"], "runs_dry", kind),
            _events(pressed, "stuffed", "stock_at_cost", ["stake", "low", "high"]),
        ],
        ignore_index=True,
    )


def rivals(lost: pd.DataFrame, comparison: pd.DataFrame) -> pd.DataFrame:
    """Call at whom a rival earns the dealer more, as `profit.judge_month` finds it.

    At stake is what he would earn more with the rival in a year; its interval is that of the lead
    in margin, of which the comparison tells 95 %.
    """
    rows = lost[lost["status"] == "earns_less"]
    known = comparison.rename(columns={"brand": "rival"})
    columns = ["lead_margin_rate", "low_margin_rate", "high_margin_rate"]
    rows = rows.merge(
        known[["dealer_id", "rival", *columns]], on=["dealer_id", "rival"], how="left"
    )
    lead = rows["lead_margin_rate"]
    behind = lead.where(lead < 0)
    nearest = (behind + WIDER * (rows["high_margin_rate"] - lead)) / behind
    farthest = (behind + WIDER * (rows["low_margin_rate"] - lead)) / behind
    rows = rows.assign(
        low=rows["gap_money"] * nearest.fillna(1.0).clip(0, 1),
        high=rows["gap_money"] * farthest.fillna(1.0).clip(lower=1),
    )
    return _events(rows, "rival_earns_more", "dealer_gain", ["gap_money", "low", "high"])


def chances(found: pd.DataFrame, moved: pd.DataFrame, by: Margins) -> pd.DataFrame:
    """Name who came back and who rises; at stake is the gross profit that they bring more.

    `found` from `losses.money_losses`, `moved` from `pareto.judge_month`.
    """
    up = found[found["is_rising"]]
    rising = _events(
        up.assign(high=2 * up["gained"] - up["gained_low"]),
        "rising",
        by.kind(),
        ["gained", "gained_low", "high"],
        by.of(up["dealer_id"]),
    )
    back = moved[moved["movement"] == "won_back"]
    won = _events(back, "won_back", by.kind(), ["revenue"] * 3, by.of(back["dealer_id"]))
    # who has just come back rises by nothing but that
    rising = rising[~rising["dealer_id"].isin(won["dealer_id"])]
    return pd.concat([won, rising], ignore_index=True)


def _events(
    rows: pd.DataFrame,
    trigger: str,
    kind: str,
    money: list[str],
    margin: np.ndarray | float = 1.0,
) -> pd.DataFrame:
    """Lay out events of a trigger; where nothing is at stake there is none."""
    stakes = {
        name: rows[column].to_numpy(dtype="float64") * margin
        for name, column in zip(EVENTS[3:], money, strict=True)
    }
    made = pd.DataFrame(
        {"dealer_id": rows["dealer_id"].to_numpy(), "trigger": trigger}, dtype="str"
    )
    made = made.assign(stake_kind=kind, **stakes)
    # at a dealer who costs us money nothing is lost with him
    return made[(made["stake"] > MIN_STAKE) & (made["stake_low"] > 0)].reset_index(drop=True)
