"""Told balances: what a dealer's books, or a letter of his, say that he owes, against the ledger.

The first balance told opens the ledger. Every later one is held against it, and changes nothing: a
difference is a document that one of the two sides does not know, and is to be found, not booked.
Only where the ledger has no document at all since the balance told before, and yet another amount
is owed, the documents of that time are missing: then the ledger is opened again, by the difference.
"""

import numpy as np
import pandas as pd

from helpers import words
from helpers.receivables import ledger

OUTCOMES = ("reopens", "differs", "agrees", "opens")
SLACK_CENTS = 100  # less than one of the currency is how two sides round tax
TOLD = ["dealer_id", "balance_date", "told_balance", "ledger_balance", "balance_gap", "outcome"]
SHOWN = ["dealer_id", "dealer_name", *TOLD[1:]]


def held_against(entries: pd.DataFrame, first_day: pd.Timestamp, vat: float = 0.0) -> pd.DataFrame:
    """Hold each told balance against the ledger of that day.

    Parameters
    ----------
    entries, first_day, vat
        As `ledger.posted` takes them.

    Returns
    -------
    DataFrame
        By `dealer_id` and `date`, from the balance on that opens the ledger (the last told before
        `first_day`, else the first): `told_cents`, `ledger_cents` (the balance that opened, and
        what was booked since; the told one itself where that opens), `difference_cents` (told less
        ledger) and `outcome`, one of `OUTCOMES`.
    """
    told = entries.loc[entries["kind"] == "opening", ["dealer_id", "date", "cents"]]
    told = told.sort_values(["dealer_id", "date"], kind="stable", ignore_index=True)
    before = told[told["date"] < first_day].groupby("dealer_id")["date"].max()
    begins = before.reindex(told["dealer_id"]).to_numpy()
    told = told[~(told["date"].to_numpy() < begins)].reset_index(drop=True)
    booked, n_booked = _booked_by(told, entries, vat)
    by, cents = told["dealer_id"].to_numpy(), told["cents"].to_numpy()
    first = ~told["dealer_id"].duplicated().to_numpy()

    def since(values: np.ndarray) -> np.ndarray:
        return values - np.concatenate([values[:1], values[:-1]])

    moved = np.abs(since(cents) - since(booked)) > SLACK_CENTS
    opens = first | ((since(n_booked) == 0) & moved)
    # from which told balance each is reckoned: the last that opened before it, or itself the first
    at = pd.Series(np.where(opens, np.arange(len(told)), np.nan)).groupby(by).ffill()
    at = at.groupby(by).shift().fillna(pd.Series(np.arange(len(told)))).to_numpy(dtype="int64")
    ledger_cents = cents[at] + booked - booked[at]
    gap = cents - ledger_cents
    differs = np.where(np.abs(gap) > SLACK_CENTS, "differs", "agrees")
    return pd.DataFrame(
        {
            "dealer_id": told["dealer_id"],
            "date": told["date"],
            "told_cents": cents,
            "ledger_cents": ledger_cents,
            "difference_cents": gap,
            "outcome": np.select([first, opens], ["opens", "reopens"], differs),
        }
    ).astype({"outcome": "str"})


def _booked_by(
    told: pd.DataFrame, entries: pd.DataFrame, vat: float
) -> tuple[np.ndarray, np.ndarray]:
    """Sum up, and count, all that was booked of each dealer up to the day of a told balance."""
    rows = entries[entries["kind"] != "opening"]
    gross = ledger.gross_cents(rows["cents"].to_numpy(), vat)
    signed = np.where(rows["kind"] == "invoice", gross, -rows["cents"].to_numpy())
    flows = rows[["dealer_id", "date"]].assign(cents=signed, n=1)
    both = pd.concat([flows, told[["dealer_id", "date"]].assign(cents=0, n=0)], ignore_index=True)
    both["place"] = np.concatenate([np.full(len(flows), -1), np.arange(len(told))])
    # what was booked on the day itself is part of its balance
    both["is_told"] = both["place"] >= 0
    both = both.sort_values(["dealer_id", "date", "is_told"], kind="stable")
    sums = both.groupby("dealer_id")[["cents", "n"]].cumsum()
    sums = sums.assign(place=both["place"])[both["is_told"]].sort_values("place")
    return sums["cents"].to_numpy(dtype="int64"), sums["n"].to_numpy(dtype="int64")


def corrections(held: pd.DataFrame) -> pd.DataFrame:
    """Give the entries that open a ledger again: the difference, on the day of the told balance."""
    rows = held[(held["outcome"] == "reopens") & (held["difference_cents"] != 0)]
    return pd.DataFrame(
        {
            "dealer_id": rows["dealer_id"],
            "date": rows["date"],
            "kind": pd.array(["opening"] * len(rows), dtype="str"),
            "cents": rows["difference_cents"],
        }
    )


def told_table(held: pd.DataFrame) -> pd.DataFrame:
    """Lay out in money what was held against the ledger, the largest difference first: `TOLD`.

    What only opens the ledger is left out.
    """
    rows = held[held["outcome"] != "opens"].rename(columns={"date": "balance_date"})
    for name in ("told", "ledger"):
        rows[f"{name}_balance"] = rows[f"{name}_cents"] / 100
    rows = rows.assign(
        balance_gap=rows["difference_cents"] / 100,
        size=-rows["difference_cents"].abs(),
        place=rows["outcome"].map({outcome: i for i, outcome in enumerate(OUTCOMES)}),
    )
    rows = rows.sort_values(["size", "place", "dealer_id", "balance_date"], ignore_index=True)
    return rows[TOLD]


def told_sentences(told: pd.DataFrame) -> list[str]:
    """Say how far told balances agree with the ledger, and where one opened it again."""
    if told.empty:
        return []
    n = told["outcome"].value_counts()
    last = told.sort_values("balance_date").drop_duplicates("dealer_id", keep="last")
    off = last[last["outcome"] == "differs"]
    said = [
        words.say(
            "receivables.told_agree" if off.empty and "reopens" not in n else "receivables.told",
            n=len(told),
            of=told["dealer_id"].nunique(),
            agree=int(n.get("agrees", 0)),
        )
    ]
    if len(off):
        said.append(
            words.say(
                "receivables.told_differ",
                n=len(off),
                more=float(off["balance_gap"].clip(lower=0).sum()),
                less=float(-off["balance_gap"].clip(upper=0).sum()),
            )
        )
    again = told[told["outcome"] == "reopens"]
    if len(again):
        said.append(
            words.say(
                "receivables.told_reopen",
                n=again["dealer_id"].nunique(),
                sum=float(again["balance_gap"].abs().sum()),
            )
        )
    return said


def why_none_told(owed: pd.DataFrame) -> str:
    """Say why no balance is held against the ledger."""
    return words.say("receivables.no_payments" if owed.empty else "receivables.none_told")
