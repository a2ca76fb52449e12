"""Rhythms and silence: each rhythm × each silence, and that no status gets better by waiting."""

import itertools
from random import Random

import numpy as np
import pandas as pd
import pytest

from helpers.receivables import judge_month, month, rhythm
from ledgers import FIRST, entries_of, random_entries

MONTHS = pd.period_range("2022-01", "2026-12", freq="M")
# months in which a payer of each rhythm pays, counted from a January
RHYTHMS = {
    "monthly": range(12),
    "two_monthly": (0, 2, 4, 6, 8, 10),
    "quarterly": (2, 5, 8, 11),
    "half_yearly": (5, 11),
    "seasonal": (3, 4, 5, 6),
}
LONGEST = {"monthly": 31, "two_monthly": 62, "quarterly": 92, "half_yearly": 184, "seasonal": 275}
WORSE = {status: i for i, status in enumerate(reversed(rhythm.STATUSES))}


def judged_all(dealers: dict[str, list[tuple]], last: str, terms: float = np.nan, **options):
    """Judge dealers' entries at a month's end, as the recipe does; beside them one who pays."""
    rows = [(*row[:3], *(*row[3:], None, None)[:2], d) for d, of in dealers.items() for row in of]
    rows += [("2022-01-05", "payment", 1, None, None, "somebody else")]
    entries = entries_of(*rows)
    entries = entries[entries["date"] <= pd.Timestamp(last) + pd.offsets.MonthEnd(0)]
    given = pd.DataFrame({"dealer_id": [*dealers], "terms_days": terms, "credit_limit": np.nan})
    found = month.ReceivablesData(last, entries.reset_index(drop=True), given, "2022-01", 365)
    return judge_month(found, **options).owed.set_index("dealer_id").drop("somebody else")


def judged(rows: list[tuple], last: str, terms: float = np.nan, **options) -> pd.Series:
    return judged_all({"D1": rows}, last, terms, **options).loc["D1"]


def payer(of: str, until: str, pays: int = 900) -> list[tuple]:
    """Invoice 100 each month; pay in the rhythm, most of what is owed, and stop after a month."""
    rows, owed = [], 0
    for each in MONTHS:
        rows.append((f"{each}-03", "invoice", 1_000))
        owed += 1_000
        if each.month - 1 in RHYTHMS[of] and f"{each}" <= until:
            rows.append((f"{each}-20", "payment", owed * pays // 1_000))
            owed -= owed * pays // 1_000
    return rows


def test_each_rhythm_is_recognized():
    found = judged_all({of: payer(of, "2025-12") for of in RHYTHMS}, "2025-12")
    assert found["rhythm"].to_dict() == {of: of for of in RHYTHMS}
    assert (found["status"] == "paying").all()


def test_silence_is_judged_by_the_dealers_own_rhythm():
    """While he keeps it he pays; then he is slow, then he has stopped, and so it stays."""
    rows = {of: payer(of, f"2025-{max(paid) + 1:02d}") for of, paid in RHYTHMS.items()}
    seen = {of: [] for of in RHYTHMS}
    for later in pd.period_range("2025-12", "2026-12", freq="M"):
        found = judged_all(rows, str(later))
        for of, longest in LONGEST.items():
            status, silent = found.loc[of, ["status", "unpaid_days"]]
            if silent <= longest:
                assert status == "paying", (of, silent)
            if silent > longest * 1.5 and silent > rhythm.LEAST_DAYS:
                assert status != "paying", (of, silent)
            gone = longest + 1.5 * min(longest, rhythm.SEASON_DAYS) + 10
            if silent > max(gone, 2 * rhythm.LEAST_DAYS):
                assert status == "stopped_paying", (of, silent)
            seen[of].append(status)
    for of, statuses in seen.items():
        ranks = [WORSE[status] for status in statuses]
        assert ranks == sorted(ranks), of
        assert statuses[0] == "paying" and statuses[-1] != "paying", of


def test_a_quarterly_payer_is_not_missed_after_a_month_and_a_monthly_one_is_after_two():
    quarterly, monthly = payer("quarterly", "2025-12"), payer("monthly", "2025-12")
    assert judged(quarterly, "2026-03")["status"] == "paying"
    assert judged(monthly, "2026-02")["status"] == "slowed"
    assert judged(monthly, "2026-04")["status"] == "stopped_paying"


def test_one_forgotten_month_makes_no_rhythm():
    rows = [row for row in payer("monthly", "2025-12") if not row[0].startswith("2024-0") or
            row[1] == "invoice"]  # fmt: skip
    row = judged(rows, "2026-04")
    assert row["rhythm"] == "monthly" and row["status"] == "stopped_paying"


def test_who_buys_rarely_and_pays_after_a_month_is_missed_after_his_month():
    rows = []
    for year, half in itertools.product(range(2022, 2026), ("01", "07")):
        rows += [(f"{year}-{half}-05", "invoice", 1_000), (f"{year}-{half}-25", "payment", 1_000)]
    rows += [("2026-01-05", "invoice", 1_000)]
    assert judged(rows, "2025-12")["status"] == "no_debt"
    row = judged(rows, "2026-01")
    assert (row["rhythm"], row["usual_wait_days"], row["status"]) == ("half_yearly", 20, "paying")
    assert [judged(rows, f"2026-{m:02d}")["status"] for m in (2, 3, 4, 6)] == [
        "slowed",
        "slowed",
        "stopped_paying",
        "stopped_paying",
    ]


@pytest.mark.parametrize(
    ("terms", "statuses"),
    [
        # nothing is known of when it is due: after 90 days
        (np.nan, ["–", "–", "–", "never_paid", "never_paid"]),
        # due at once: after 30 days
        (0, ["–", "never_paid", "never_paid", "never_paid", "never_paid"]),
        # due after four months
        (120, ["–", "–", "–", "–", "–"]),
    ],
)
def test_who_never_paid_is_never_paying(terms, statuses):
    rows = [(f"2026-{m:02d}-04", "invoice", 1_000) for m in range(1, 6)]
    found = [judged(rows, f"2026-{m:02d}", terms)["status"] for m in range(1, 6)]
    assert found == statuses


def test_who_left_with_a_debt_stays_on_the_list_for_ever():
    rows = [row for row in payer("monthly", "2024-06") if row[0] < "2024-07"]
    assert judged(rows, "2024-06")["status"] == "paying"
    assert judged(rows, "2025-05")["status"] == "stopped_paying"
    for later in ("2025-07", "2026-01", "2026-12"):
        row = judged(rows, later)
        assert row["status"] == "left_with_debt" and row["balance"] > 0
        assert row["revenue"] == row["payments"] == 0


def test_money_makes_good():
    rows = [*payer("monthly", "2025-06"), ("2026-01-31", "payment", 1_000)]
    assert judged(rows, "2025-12")["status"] == "stopped_paying"
    assert judged(rows, "2026-01")["status"] == "paying"


def test_an_invoice_long_past_its_due_date_is_slow_however_often_small_money_comes():
    rows = payer("monthly", "2026-12", pays=20)
    assert judged(rows, "2025-12")["status"] == "paying"
    assert judged(rows, "2025-12", terms=30)["status"] == "slowed"
    assert judged(rows, "2025-12", terms=30, late_days=720)["status"] == "slowed"


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_few_payments_are_too_short_to_tell(n):
    rows = [(f"2026-{m:02d}-03", "invoice", 1_000) for m in range(1, 4)]
    rows += [(f"2026-{m:02d}-20", "payment", 500) for m in range(1, n + 1)]
    assert judged(rows, "2026-03")["status"] == ("paying" if n == 3 else "–")
    later = [judged(rows, f"2026-{m:02d}")["status"] for m in range(3, 13)]
    ranks = [WORSE[status] for status in later]
    assert ranks == sorted(ranks) and later[-1] in rhythm.LATE


@pytest.mark.parametrize("terms", [np.nan, 0.0, 45.0])
def test_no_status_gets_better_by_silence(terms):
    """Random dealers, silent from some day on: month after month nobody looks better."""
    random = Random(7)
    rows = {
        f"D{i}": [
            (str(r["date"]), r["kind"], r["cents"], r["document_id"], r["due_date"])
            for r in random_entries(random)
            if r["kind"] != "opening" or r["date"] < FIRST.date()
        ]
        for i in range(200)
    }
    before = pd.Series(dtype="int64")
    for later in pd.period_range("2026-10", "2028-04", freq="2M"):
        found = judged_all(rows, str(later), terms)
        ranks = found["status"].map(WORSE)
        owes = found["balance"] > 0
        assert ((found["status"] != "no_debt") == owes).all()
        assert (found.loc[found["status"] == "paying", "n_payments"] >= rhythm.MIN_PAYMENTS).all()
        still = before.index[before.index.isin(ranks.index)]
        assert (ranks[still] >= before[still]).all()
        gone = before.index.difference(ranks.index)
        assert (before[gone] == WORSE["no_debt"]).all(), "who owes leaves the list"
        before = ranks
    assert (before == WORSE["left_with_debt"]).sum() > 50
