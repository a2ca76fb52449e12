"""Demo, what is owed: terms of payment, due dates, credit limits, balances of before the records.

Whatever is drawn here has a stream of its own, so that the rest of the network stays as it was.
"""

import numpy as np
import pandas as pd

from helpers.demo.network import Network, dates, numbered, stream

TERMS = np.array([45, 60, 75, 90, 120])  # days, of which a dealer gets the least that suits him
ON_TOP_DAYS = 25  # he pays so many days before it is due
NO_TERMS = 0.05  # of the dealers, nobody wrote down the terms
DATED = 0.4  # of the dealers, invoices bear their due date
NAMES_ORDER = 0.5  # of those who pay in full, each payment names its order
ROOM = 1.3  # credit limit over the most a dealer ever owed at a month's end
OVER = 0.7  # credit limit of who is over it, as part of what he owes
MONTHS_OF_CREDIT = 3  # of purchases: the limit of who does not pay
SILENT_DAYS = 300  # nothing received from the quarterly payer who stopped
QUARTER_DAY = 25  # of March, June, September and December: he pays


def terms_days(net: Network) -> np.ndarray:
    """Agree each dealer's terms of payment, in days; NaN where nobody wrote them down."""
    rng, lag = stream(net.seed, "terms"), net.shops["lag"].to_numpy()
    agreed = TERMS[np.searchsorted(TERMS, lag + ON_TOP_DAYS).clip(max=len(TERMS) - 1)]
    unknown = rng.random(len(agreed)) < NO_TERMS
    unknown[np.concatenate([net.marks[truth] for truth in net.owing])] = False
    return np.where(unknown, np.nan, agreed)


def due_dates(net: Network, dealer: np.ndarray, day: np.ndarray) -> pd.Series:
    """Write the due date on the invoices of some dealers, by their positions and days."""
    dated = stream(net.seed, "due_dates").random(len(net.shops)) < DATED
    days = np.append(np.where(dated, terms_days(net), np.nan), [np.nan] * 3)[dealer]
    known = ~np.isnan(days)
    due = pd.Series(dates(net, np.where(known, day + np.nan_to_num(days), 0).astype(int)))
    return due.where(known)


def openings(net: Network) -> pd.DataFrame:
    """Say what each dealer owed on the day before the records begin: `dealer`, `amount`, `day`
    (counted from the start) on which he pays it.
    """
    rng, shops = stream(net.seed, "openings"), net.shops
    amount = net.expected[:, 0] * shops["lag"].to_numpy() / 30.4
    amount = (amount * rng.uniform(0.8, 1.2, len(shops))).round(2)
    day = (shops["lag"].to_numpy() * rng.uniform(0.4, 0.9, len(shops))).astype(int)
    rows = pd.DataFrame({"dealer": np.arange(len(shops)), "amount": amount, "day": day})
    rows = rows[~rows["dealer"].isin(net.marks["never_paid"])]
    return rows[rows["amount"] > 0].reset_index(drop=True)


def as_received(net: Network, paid: pd.DataFrame) -> pd.DataFrame:
    """Add what came for the openings, and let those who are planted pay as they do.

    `paid` has `dealer`, `order`, `day`, `amount`; orders of the openings are -1.
    """
    rows = pd.concat([paid, openings(net).assign(order=-1)], ignore_index=True)
    rows = rows[~rows["dealer"].isin(net.marks["never_paid"])]
    quarterly = rows["dealer"].isin(net.marks["quarterly_stopped"])
    rows["day"] = np.where(quarterly, _quarter_days(net, rows["day"].to_numpy()), rows["day"])
    stopped = quarterly & (rows["day"] > net.bounds[-1] - SILENT_DAYS)
    return rows[~stopped & (rows["day"] < net.bounds[-1])]


def _quarter_days(net: Network, day: np.ndarray) -> np.ndarray:
    """Put off each day to the day of payment that comes next: one in a quarter."""
    month = (net.start.astype("datetime64[D]") + day).astype("datetime64[M]").astype(int)

    def day_of(quarters_on: int) -> np.ndarray:
        last = (month // 3 * 3 + 2 + 3 * quarters_on).astype("datetime64[M]")
        return (last.astype("datetime64[D]") - net.start).astype(int) + QUARTER_DAY - 1

    return np.where(day_of(0) >= day, day_of(0), day_of(1))


def named_orders(net: Network, paid: pd.DataFrame) -> np.ndarray:
    """Name the order that a payment is for, where the dealer does so."""
    full = net.shops["pay_rate"].to_numpy() == 1.0
    names = full & (stream(net.seed, "named").random(len(net.shops)) < NAMES_ORDER)
    names[np.concatenate([net.marks[truth] for truth in net.owing])] = False
    told = names[paid["dealer"]] & (paid["order"] >= 0).to_numpy()
    ids = numbered("O", int(paid["order"].max()) + 1, 6)
    return np.where(told, ids[paid["order"]], None)


def credit_limits(net: Network, sell_in: pd.DataFrame, payments: pd.DataFrame) -> np.ndarray:
    """Set each dealer's limit by what he owed at month ends, in thousands.

    Who does not pay has some months of purchases; who is planted owes more than he may.
    """
    ids, n_months = net.shops["dealer_id"], len(net.months)

    def by_month(rows: pd.DataFrame, amount: str) -> pd.DataFrame:
        sums = rows.assign(month=rows["date"].dt.strftime("%Y-%m")).pivot_table(
            index="dealer_id", columns="month", values=amount, aggfunc="sum", fill_value=0
        )
        return sums.reindex(index=ids, columns=net.months, fill_value=0)

    bought = by_month(sell_in, "revenue")
    opened = openings(net).set_index("dealer")["amount"].reindex(range(len(ids)), fill_value=0)
    owed = (bought - by_month(payments, "amount")).cumsum(axis=1).add(opened.to_numpy(), axis=0)
    limit = ROOM * owed.max(axis=1).to_numpy()
    late = np.concatenate(
        [net.marks[t] for t in ("never_paid", "quarterly_stopped", "stopped_paying")]
    )
    limit[late] = MONTHS_OF_CREDIT * bought.sum(axis=1).to_numpy()[late] / n_months
    over = net.marks["over_limit"]
    limit[over] = OVER * owed.iloc[:, -1].to_numpy()[over]
    return np.maximum(limit.round(-3), 1_000.0)


def balances(net: Network) -> pd.DataFrame:
    """Write down what was owed on the day before the records begin."""
    rows = openings(net)
    return pd.DataFrame(
        {
            "dealer_id": net.shops["dealer_id"].to_numpy()[rows["dealer"]],
            "date": dates(net, np.full(len(rows), -1)),
            "balance": rows["amount"].to_numpy(),
        }
    )
