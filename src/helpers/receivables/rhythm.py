"""Rhythm: how often a dealer pays, and what his silence means, measured by his own rhythm."""

import numpy as np
import pandas as pd

STATUSES = (  # worst first
    "left_with_debt",
    "never_paid",
    "stopped_paying",
    "slowed",
    "–",
    "paying",
    "no_debt",
)
LATE = STATUSES[:4]
# rhythms, up to a usual gap of so many days between payments; longer ones follow the season
RHYTHMS = {"monthly": 45, "two_monthly": 75, "quarterly": 135, "half_yearly": 215}
USUAL_PART = 0.75  # of the days between payments, in gaps up to the usual one
MIN_PAYMENTS = 3  # days of payment, for two gaps: with fewer there is no rhythm to speak of
SLOW_TIMES, STOPPED_TIMES = 1.5, 2.5
MOST_CENTS = 2**43  # a dealer's invoices are below 88 thousand millions
LEAST_DAYS = 45  # of silence before anybody is slow; twice as many before he has stopped
SEASON_DAYS = 92  # nobody is given more than so many days for each time of his usual gap
UNKNOWN_DAYS = 183  # of silence after one or two payments: stopped, whatever the rhythm was to be
NEVER_DAYS = 90  # after the first invoice, or 30 past its due date: who has not paid never did
NEVER_OVERDUE_DAYS = 30
LEFT_DAYS = 365  # without an invoice: the dealer has left
LATE_DAYS = 60  # past the due date: slow, however punctual the last payment was


def payment_rhythm(paid: pd.DataFrame) -> pd.DataFrame:
    """Tell how often each dealer pays.

    Silence since the last payment is no gap: it is what the rhythm judges.

    Parameters
    ----------
    paid
        `dealer_id`, `date`, `cents` of payments; what was paid and taken back on a day is one sum.

    Returns
    -------
    DataFrame
        By `dealer_id`: `n_payments` (days with one), `last_payment_date`, `payment_gap_days` (the
        `usual` one of the gaps between them, NaN with one payment), `rhythm` ("–" with fewer than
        `MIN_PAYMENTS`).

    >>> days = pd.to_datetime(["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"])
    >>> rows = payment_rhythm(pd.DataFrame({"dealer_id": "D1", "date": days, "cents": 100}))
    >>> rows[["n_payments", "payment_gap_days", "rhythm"]].to_string(index=False, header=False)
    '4 31.0 monthly'
    """
    days = _payment_days(paid)
    gaps = days.assign(days=days.groupby("dealer_id")["date"].diff().dt.days)
    rows = days.groupby("dealer_id").agg(
        n_payments=("date", "size"), last_payment_date=("date", "max")
    )
    rows["payment_gap_days"] = usual(gaps).reindex(rows.index).astype("float64")
    names = np.array([*RHYTHMS, "seasonal"], dtype=object)
    place = np.searchsorted(list(RHYTHMS.values()), rows["payment_gap_days"].fillna(0))
    rows["rhythm"] = np.where(rows["n_payments"] >= MIN_PAYMENTS, names[place], "–")
    return rows.astype({"rhythm": "str"})


def payment_waits(rows: pd.DataFrame) -> pd.Series:
    """Tell how long each dealer usually owes without paying, in days.

    Before each payment that is the time since the payment before, or since the invoice that was
    then the oldest open one, where that is later: who buys twice a year and pays after a month
    pays twice a year, and waits a month. It is measured as silence is.

    Parameters
    ----------
    rows
        As `ledger.posted` gives them.

    Returns
    -------
    Series
        The `usual` wait by dealer; who only pays in advance has none.
    """
    is_item = (rows["kind"] != "payment") & (rows["cents"] > 0)
    items = rows[is_item].sort_values(["dealer_id", "date"], kind="stable")
    credits = rows[~is_item]
    credits = credits.assign(
        paid=credits["cents"].where(credits["kind"] == "payment", 0),
        cents=credits["cents"].where(credits["kind"] == "payment", -credits["cents"]),
    )
    days = credits.groupby(["dealer_id", "date"], as_index=False)[["cents", "paid"]].sum()
    days["before"] = days.groupby("dealer_id")["cents"].cumsum() - days["cents"]
    days = days[days["paid"] > 0]
    # a dealer's items and payments on one line of numbers, dealer after dealer
    place = {dealer: i for i, dealer in enumerate(items["dealer_id"].unique())}
    at = items["dealer_id"].map(place).to_numpy(dtype="int64") * MOST_CENTS
    upto = at + items.groupby("dealer_id")["cents"].cumsum().to_numpy()
    days = days[days["dealer_id"].isin(place)]
    start = days["dealer_id"].map(place).to_numpy(dtype="int64") * MOST_CENTS
    first = np.searchsorted(upto, start + days["before"].clip(lower=0).to_numpy(), side="right")
    first = np.minimum(first, max(len(items) - 1, 0))
    is_his = items["dealer_id"].to_numpy()[first] == days["dealer_id"].to_numpy()
    oldest = items["date"].to_numpy()[first]
    since = days.assign(oldest=oldest, last=days.groupby("dealer_id")["date"].shift())
    waited = (since["date"] - since[["oldest", "last"]].max(axis=1)).dt.days
    return usual(since.assign(days=waited.where(is_his & (waited > 0))))


def usual(gaps: pd.DataFrame) -> pd.Series:
    """Give the usual one of each dealer's gaps, in days.

    Three quarters of all the days lie in gaps no longer than it: counted by days, not by gaps, so
    that the long pause of who pays in one season counts for what it is. A pause that came only once
    is no rhythm: the longest gap counts for at most twice the second longest.

    >>> usual(pd.DataFrame({"dealer_id": "D1", "days": [30, 30, 30, 600.0, None]})).tolist()
    [60.0]
    """
    known = gaps[["dealer_id", "days"]].dropna().sort_values(["dealer_id", "days"], kind="stable")
    by_dealer = known.groupby("dealer_id")["days"]
    second = by_dealer.shift().fillna(known["days"])
    is_longest = ~known["dealer_id"].duplicated(keep="last")
    known["days"] = known["days"].where(~is_longest, np.minimum(known["days"], 2 * second))
    passed = known.groupby("dealer_id")["days"]
    enough = passed.cumsum() >= USUAL_PART * passed.transform("sum")
    return known[enough].groupby("dealer_id")["days"].first()


def _payment_days(paid: pd.DataFrame) -> pd.DataFrame:
    days = paid.groupby(["dealer_id", "date"], as_index=False)["cents"].sum()
    return days[days["cents"] > 0].sort_values(["dealer_id", "date"], ignore_index=True)


def silence_limit(gap_days: pd.Series, times: float, least_days: int) -> pd.Series:
    """Give the days of silence that a usual gap, or wait, allows.

    So many times the gap, of which all beyond the first is at most a quarter of a year each: who
    pays once a year need not be silent for two and a half before he is missed.

    >>> silence_limit(pd.Series([10.0, 91.0, 365.0]), 1.5, 45).tolist()
    [45.0, 136.5, 411.0]
    """
    more = (times - 1) * gap_days.clip(upper=SEASON_DAYS)
    return (gap_days + more).clip(lower=least_days)


def payer_status(
    rows: pd.DataFrame,
    day: pd.Timestamp,
    *,
    slow_times: float = SLOW_TIMES,
    stopped_times: float = STOPPED_TIMES,
    late_days: int = LATE_DAYS,
) -> pd.DataFrame:
    """Judge each dealer by what he owes and how long he has been silent, on a day.

    Silence counts from his last payment, or from the day of his oldest open invoice where that is
    later: who owed nothing was not silent. It never betters a status, and without money nobody who
    owes is "paying" beyond his own rhythm, or having never paid.

    - `no_debt`: nothing is owed.
    - `left_with_debt`: no invoice for a year, and silent beyond his rhythm.
    - `never_paid`: no payment is known, and the oldest invoice is 90 days old, or 30 past its due
      date where that is known.
    - `stopped_paying`: silent for `stopped_times` his usual wait (at least 90 days).
    - `slowed`: silent for `slow_times` his usual wait (at least 45 days), or an invoice is more
      than `late_days` past its due date.
    - `–`: fewer than three payments are known, and nothing is late yet: too short to tell. After
      half a year of silence such a dealer has stopped, too.
    - `paying`: the rest.

    Parameters
    ----------
    rows
        By dealer: `balance` (any unit), `oldest_date` of what is open, `is_dated` (whether all of
        that has a due date), `past_due_days` (of the oldest past it, NaN for none),
        `last_invoice_date`, `usual_wait_days` from `payment_waits`, and the columns of
        `payment_rhythm`, empty for who never paid.

    Returns
    -------
    DataFrame
        `unpaid_days` of silence (NaN for who owes nothing) and `status`, indexed as `rows`.
    """
    owes = rows["balance"] > 0
    paid = rows["n_payments"].fillna(0).astype("int64")
    since = rows[["last_payment_date", "oldest_date"]].max(axis=1)
    silent = (day - since).dt.days.where(owes)
    gap, overdue = rows["usual_wait_days"], rows["past_due_days"].fillna(-1)
    known = paid >= MIN_PAYMENTS
    slow = silence_limit(gap, slow_times, LEAST_DAYS)
    stopped = silence_limit(gap, stopped_times, 2 * LEAST_DAYS)
    slow, stopped = (limit.fillna(0).clip(lower=0) for limit in (slow, stopped))
    stopped = np.maximum(stopped, slow)  # nobody stops before he is slow
    slow = slow.where(known, np.maximum(stopped, UNKNOWN_DAYS))
    stopped = stopped.where(known, np.maximum(stopped, UNKNOWN_DAYS))
    never = (overdue > NEVER_OVERDUE_DAYS) | (~rows["is_dated"] & (silent > NEVER_DAYS))
    never &= paid == 0
    gone = (day - rows["last_invoice_date"]).dt.days
    left = ~(gone <= LEFT_DAYS) & np.where(paid == 0, never, silent > slow)
    status = np.select(
        [
            ~owes,
            left,
            never,
            (paid > 0) & (silent > stopped),
            (paid > 0) & (((silent > slow) & known) | (overdue > late_days)),
            ~known,
        ],
        ["no_debt", "left_with_debt", "never_paid", "stopped_paying", "slowed", "–"],
        default="paying",
    )
    return pd.DataFrame({"unpaid_days": silent, "status": status}, index=rows.index)
