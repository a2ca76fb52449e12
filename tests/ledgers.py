"""Ledgers: entries by hand and at random, and a slow walk through them in Decimal."""

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from random import Random

import pandas as pd

FIRST = pd.Timestamp("2026-01-01")  # of the records
COLUMNS = ["dealer_id", "date", "kind", "document_id", "due_date", "cents"]


def entries_of(*rows: tuple) -> pd.DataFrame:
    """Lay out (date, kind, cents, document, due date, dealer); the last three may be left out."""
    filled = [(*row, *(None, None, "D1")[len(row) - 3 :]) for row in rows]
    table = pd.DataFrame(
        filled, columns=["date", "kind", "cents", "document_id", "due_date", "dealer_id"]
    )
    days = {c: pd.to_datetime(table[c]).astype("datetime64[s]") for c in ("date", "due_date")}
    table = table.assign(**days).astype({"document_id": "str", "dealer_id": "str"})
    return table.astype({"kind": "str", "cents": "int64"})[COLUMNS]


def slow_ledger(rows: list[dict], vat: Decimal) -> tuple[dict, Decimal]:
    """Walk through one dealer's entries, day by day, in Decimal: (day, document, due) → open.

    What names an invoice that is still to come is laid aside for it. The money goes where the
    ledger's rule sends it, an invoice at a time; nothing is shared with the code under test.
    """
    told = [r for r in rows if r["kind"] == "opening"]
    before = [r for r in told if r["date"] < FIRST.date()]
    opening = max(before, key=lambda r: r["date"], default=None)
    opening = opening or min(told, key=lambda r: r["date"], default=None)
    booked = [r for r in rows if r["kind"] != "opening"]
    if opening:
        booked = [r for r in booked if r["date"] > opening["date"]]
    cent = Decimal("0.01")
    invoices, money, own, refunds = [], Decimal(0), {}, []
    if opening:
        amount = Decimal(opening["cents"]) / 100
        if amount > 0:
            invoices.append([opening["date"], None, None, amount])
        else:
            money -= amount
    for day, amount in again(told, booked, opening, vat):
        if amount > 0:
            invoices.append([day, None, None, amount])
        else:
            money -= amount
    numbers = set()
    for row in sorted(booked, key=lambda r: (r["date"], r["due_date"] or dt.date.max)):
        amount = Decimal(row["cents"]) / 100
        if row["kind"] == "invoice":
            amount = (amount * (1 + vat)).quantize(cent, ROUND_HALF_UP)
            if amount > 0:
                invoices.append([row["date"], row["document_id"], row["due_date"], amount])
                numbers.add(row["document_id"])
    for row in booked:
        amount = Decimal(row["cents"]) / 100
        if row["kind"] == "invoice":
            amount = -(amount * (1 + vat)).quantize(cent, ROUND_HALF_UP)
            if amount <= 0:
                continue
        elif amount < 0:
            refunds.append(row["date"])
        if row["document_id"] and row["document_id"] in numbers:
            own[row["document_id"]] = own.get(row["document_id"], Decimal(0)) + amount
        else:
            money += amount
    for number, amount in own.items():
        for invoice in [i for i in invoices if i[1] == number]:
            if amount > 0:
                used = min(amount, invoice[3])
                invoice[3] -= used
                amount -= used
        money += amount
    if money < 0:
        invoices.append([max(refunds), None, None, -money])
        money = Decimal(0)
    for invoice in sorted(invoices, key=lambda i: i[0]):  # as booked where the day is the same
        used = min(money, invoice[3])
        invoice[3] -= used
        money -= used
    left: dict = {}
    for day, number, due, amount in invoices:
        if amount:
            left[day, number, due] = left.get((day, number, due), Decimal(0)) + amount
    return left, money


def again(
    told: list[dict], booked: list[dict], opening: dict | None, vat: Decimal
) -> list[tuple[dt.date, Decimal]]:
    """Walk from one told balance to the next; where nothing is booked between two that differ by
    more than one, tell by how much the ledger is off on that day.
    """

    def value(row: dict) -> Decimal:
        amount = Decimal(row["cents"]) / 100
        if row["kind"] == "invoice":
            return (amount * (1 + vat)).quantize(Decimal("0.01"), ROUND_HALF_UP)
        return -amount

    if not opening:
        return []
    made, last = [], opening
    balance, at = Decimal(opening["cents"]) / 100, opening["date"]
    for row in sorted(told, key=lambda r: r["date"]):
        if row["date"] <= opening["date"]:
            continue
        between = [b for b in booked if at < b["date"] <= row["date"]]
        balance += sum(map(value, between))
        changed = Decimal(row["cents"] - last["cents"]) / 100
        if not between and abs(changed) > 1:
            made.append((row["date"], Decimal(row["cents"]) / 100 - balance))
            balance = Decimal(row["cents"]) / 100
        last, at = row, row["date"]
    return [(day, amount) for day, amount in made if amount]


def random_entries(random: Random) -> list[dict]:
    """Draw one dealer's entries: whatever may be booked, in any order."""
    first = FIRST.date()

    def day(low: int = 0) -> dt.date:
        return first + dt.timedelta(days=random.randint(low, 300))

    rows, seen = [], set()
    numbers = [None, *(f"o{i}" for i in range(random.randint(0, 8)))]
    for _ in range(random.randint(0, 14)):
        date, number = day(), random.choice(numbers)
        due = date + dt.timedelta(days=random.choice((30, 60))) if random.random() < 0.5 else None
        cents = random.choice((1, 1, 1, -1)) * random.randint(1, 100_000)
        if (date, number, due) not in seen:  # of these the engine makes one sum
            seen.add((date, number, due))
            rows.append(("invoice", date, number, due, cents))
    for _ in range(random.randint(0, 12)):
        cents = random.choice((1, 1, 1, 1, -1)) * random.randint(1, 150_000)
        rows.append(("payment", day(), random.choice((*numbers, "zz")), None, cents))
    rows += [
        ("opening", day(-200), None, None, random.randint(-50_000, 90_000))
        for _ in range(random.choice((0, 0, 1, 2, 4)))
    ]
    random.shuffle(rows)
    keys = ("kind", "date", "document_id", "due_date", "cents")
    made = [dict(zip(keys, row, strict=True)) for row in rows]
    days = {}
    for row in made:
        if row["kind"] == "opening":
            days[row["date"]] = row
    return [r for r in made if r["kind"] != "opening"] + list(days.values())
