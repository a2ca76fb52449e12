"""What the page says of receivables, in sentences and tables, and what it hands to the front."""

import pandas as pd

from helpers import words
from helpers.receivables import ageing, rhythm
from helpers.receivables.history import Network
from helpers.settings import page_of

LATE_SHOWN = [
    "dealer_id",
    "dealer_name",
    "account_manager",
    "status",
    "balance",
    "overdue_amount",
    "past_due_days",
    "rhythm",
    "usual_wait_days",
    "unpaid_days",
    "last_payment_date",
]
STOP_SHOWN = [
    "dealer_id",
    "dealer_name",
    "account_manager",
    "stop_reason",
    "balance",
    "credit_limit",
    "over_limit_amount",
    "long_overdue_amount",
    "past_due_days",
]


def named(rows: pd.DataFrame, dealers: pd.DataFrame) -> pd.DataFrame:
    """Add `dealer_name` and `account_manager` to rows of dealers, in their order."""
    known = dealers.drop_duplicates("dealer_id")[["dealer_id", "dealer_name", "account_manager"]]
    found = rows.merge(known, on="dealer_id", how="left")
    return found.assign(dealer_name=found["dealer_name"].fillna(found["dealer_id"]))


def late_payers(owed: pd.DataFrame, dealers: pd.DataFrame) -> pd.DataFrame:
    """List who is late by any status, worst status first, then the largest balance."""
    return named(owed[owed["status"].isin(rhythm.LATE)].reset_index(drop=True), dealers)


def status_table(owed: pd.DataFrame) -> pd.DataFrame:
    """Count dealers and what they owe by status, worst first."""
    rows = owed.groupby("status").agg(n_dealers=("dealer_id", "size"), balance=("balance", "sum"))
    rows = rows.reindex([s for s in rhythm.STATUSES if s in rows.index])
    return rows.rename_axis("status").reset_index()


def ageing_table(by_age: pd.DataFrame) -> pd.DataFrame:
    """Lay the ages out for reading: what is aged from the invoice apart, where both occur."""
    rows = by_age.assign(basis=by_age["basis"].map(lambda b: b if b == "–" else f"basis_{b}"))
    return rows if len(set(by_age["basis"])) > 1 else rows.drop(columns="basis")


def is_told(owed: pd.DataFrame) -> bool:
    """Whether the data tell who pays and who does not: else an empty list of them says nothing."""
    return bool(owed["status"].isin([*rhythm.LATE, "paying"]).any())


def why_none_late(owed: pd.DataFrame) -> str:
    """Say why nobody is listed as late: nobody is, or it can't be told yet."""
    if owed.empty:
        return words.say("receivables.no_payments")
    key = "nobody_late" if is_told(owed) or (owed["status"] == "no_debt").all() else "too_short"
    return words.say(f"receivables.{key}", n=rhythm.MIN_PAYMENTS)


def why_none_stopped(owed: pd.DataFrame, network: Network) -> str:
    """Say why nobody's supply is stopped: nobody's is to be, or nothing tells."""
    if owed["credit_limit"].notna().any() or network.n_dated:
        return words.say("receivables.nobody_stopped")
    return words.say("receivables.no_rule_known")


def status_sentences(owed: pd.DataFrame, dealers: pd.DataFrame) -> list[str]:
    """Say who is late, by status, the worst first; where nobody is, that."""
    late, said = late_payers(owed, dealers), []
    for status in rhythm.LATE:
        rows = late[late["status"] == status].sort_values("balance", ascending=False)
        if len(rows):
            told = {"n": len(rows), "balance": float(rows["balance"].sum())}
            names = words.listed(rows["dealer_name"], 3)
            said.append(words.say(f"receivables.say_{status}", names=names, **told))
    return said or [why_none_late(owed)]


def basis_sentences(network: Network, first_month: str) -> list[str]:
    """Say what the figures rest on: due dates, and what was owed before the records began."""
    said = []
    if network.dated_share == network.dated_share:
        share = words.percent(network.dated_share)
        if network.dated_share == 0:
            said.append(words.say("receivables.no_due_dates"))
        elif network.dated_share < 1:
            said.append(words.say("receivables.some_due_dates", share=share))
    if network.balance == network.balance:
        key = "opened" if network.n_opened else "not_opened"
        said.append(words.say(f"receivables.{key}", n=network.n_opened, month=first_month))
    return said


def bottom_line(
    owed: pd.DataFrame, stop: pd.DataFrame, network: Network, dealers: pd.DataFrame
) -> list[str]:
    """Say what is owed, how old it is, how well it is collected, who is late, whom to stop."""
    if owed.empty:
        return [words.say("receivables.no_payments")]
    balance = network.balance
    if balance <= 0:
        said = [words.say("receivables.say_ahead", balance=-balance)]
    elif network.countback_days == network.countback_days:
        said = [words.say("receivables.say_balance", balance=balance, days=network.countback_days)]
    else:
        said = [words.say("receivables.say_balance_beyond", balance=balance)]
    if network.dso_days == network.dso_days and balance > 0:
        said.append(words.say("receivables.say_simple", days=network.dso_days))
    if network.overdue == network.overdue:
        said.append(words.say("receivables.say_overdue", late=network.overdue, old=network.over_90))
    elif network.over_90 > 0:
        said.append(words.say("receivables.say_old", old=network.over_90))
    if network.effectiveness == network.effectiveness:
        rate = words.percent(network.effectiveness, 1)
        said.append(words.say("receivables.say_effectiveness", rate=rate, n=network.n_dated))
    said += status_sentences(owed, dealers)
    if len(stop):
        over = int((stop["over_limit_amount"] > 0).sum())
        told = {"n": len(stop), "balance": float(stop["balance"].sum()), "over": over}
        said.append(words.say("receivables.say_stop", **told))
    else:
        said.append(why_none_stopped(owed, network))
    return said


def headlines(owed: pd.DataFrame, history: pd.DataFrame, network: Network) -> list[dict]:
    """Make the front page's figure on what is owed; keys as `report.headline` takes them."""
    if owed.empty or history.empty:
        return []
    tile = {
        "place": "tile",
        "label": words.label("balance"),
        "text": words.money(network.balance),
        "trend": [float(x) for x in history["balance"]],
        "link": page_of("receivables"),
    }
    stopped = int(owed["status"].isin(["never_paid", "stopped_paying"]).sum())
    said = []
    if network.overdue == network.overdue:
        said.append(words.say("receivables.tile_overdue", late=network.overdue))
    if stopped:
        said.append(words.say("receivables.tile_stopped", n=stopped))
    if said:
        comma = "; " if words.spoken() == "en" else "；"
        tile["change"] = comma.join(said)
        tile["tone"] = "bad" if stopped or network.overdue > 0 else "good"
    return [tile]


def rest_cents(owed: pd.DataFrame, by_age: pd.DataFrame) -> int:
    """Give what is left when all ages are taken from all balances, in cents: 0, or a fault."""
    parts = (owed[list(ageing.PARTS)] * 100).round().to_numpy().sum()
    balances = (owed["balance"] * 100).round().sum()
    ages = (by_age["open_amount"] * 100).round().sum()
    return int(abs(parts - balances) + abs(ages - balances))
