"""The ledger: payments against invoices by hand, and against a slow walk in Decimal."""

from decimal import ROUND_HALF_UP, Decimal
from random import Random

import numpy as np
import pandas as pd
import pytest

from helpers.receivables import ageing, ledger, told
from ledgers import FIRST, entries_of, random_entries, slow_ledger

CLOSED = pd.Timestamp("2026-10-31")


def closed(*rows: tuple, vat: float = 0.0) -> ledger.Ledger:
    return ledger.open_items(ledger.posted(entries_of(*rows), FIRST, vat))


def booked(entries: pd.DataFrame, vat: float = 0.0) -> pd.DataFrame:
    """Post entries as the month does, with what opens the ledger again."""
    more = told.corrections(told.held_against(entries, FIRST, vat))
    rows = ledger.posted(entries, FIRST, vat)
    return pd.concat([rows, more], ignore_index=True).astype(rows.dtypes)


def open_by_day(found: ledger.Ledger) -> dict[str, int]:
    left = found.items[found.items["open_cents"] != 0]
    return dict(zip(left["date"].dt.strftime("%m-%d"), left["open_cents"], strict=True))


JANUARY, FEBRUARY, MARCH = (
    ("2026-01-10", "invoice", 10_000, "a"),
    ("2026-02-10", "invoice", 20_000, "b"),
    ("2026-03-10", "invoice", 30_000, "c"),
)
INVOICES = (JANUARY, FEBRUARY, MARCH)


# ---- by hand -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("booked", "open_cents", "credit"),
    [
        ((), {"01-10": 10_000, "02-10": 20_000, "03-10": 30_000}, 0),
        # the oldest first, the next in part
        ((("2026-04-01", "payment", 15_000),), {"02-10": 15_000, "03-10": 30_000}, 0),
        # what names an invoice goes there
        ((("2026-04-01", "payment", 20_000, "b"),), {"01-10": 10_000, "03-10": 30_000}, 0),
        # and what is left of it to the oldest
        ((("2026-04-01", "payment", 25_000, "b"),), {"01-10": 5_000, "03-10": 30_000}, 0),
        # a number that nobody knows names nothing
        ((("2026-04-01", "payment", 10_000, "zz"),), {"02-10": 20_000, "03-10": 30_000}, 0),
        # a credit note likewise: by its order, else the oldest
        ((("2026-04-01", "invoice", -5_000, "c"),), {"01-10": 10_000, "02-10": 20_000,
                                                     "03-10": 25_000}, 0),
        ((("2026-04-01", "invoice", -5_000),), {"01-10": 5_000, "02-10": 20_000,
                                                "03-10": 30_000}, 0),
        ((("2026-04-01", "invoice", -35_000, "c"),), {"01-10": 5_000, "02-10": 20_000}, 0),
        # what is too much stays as credit, and pays what comes
        ((("2026-04-01", "payment", 60_500),), {}, 500),
        ((("2026-01-02", "payment", 61_000),), {}, 1_000),
        # a payment in advance waits for the invoice that it names
        ((("2026-01-02", "payment", 30_000, "c"),), {"01-10": 10_000, "02-10": 20_000}, 0),
        # a cheque that bounced has paid nothing: the oldest is open from its day on
        ((("2026-04-01", "payment", 10_000), ("2026-04-09", "payment", -10_000)),
         {"01-10": 10_000, "02-10": 20_000, "03-10": 30_000}, 0),
        # what was paid back beyond what had come is owed from that day on
        ((("2026-04-01", "payment", 60_000), ("2026-04-09", "payment", -60_700)),
         {"01-10": 10_000, "02-10": 20_000, "03-10": 30_000, "04-09": 700}, 0),
    ],
)  # fmt: skip
def test_payments_go_where_they_belong(booked, open_cents, credit):
    found = closed(*INVOICES, *booked)
    assert open_by_day(found) == open_cents
    assert found.credit.sum() == credit


def test_who_pays_what_he_does_not_owe_has_credit():
    found = closed(("2026-04-01", "payment", 700))
    assert found.items.empty and found.credit.to_dict() == {"D1": 700}


def test_a_dealers_money_pays_nobody_elses_invoice():
    found = closed(
        ("2026-01-10", "invoice", 100, "a", None, "D1"),
        ("2026-01-10", "invoice", 100, "a", None, "D2"),
        ("2026-01-11", "payment", 150, "a", None, "D1"),
    )
    assert found.items["open_cents"].tolist() == [0, 100]
    assert found.credit.to_dict() == {"D1": 50}


# ---- opening balances ----------------------------------------------------------------------------


def test_the_opening_balance_is_the_oldest_item():
    found = closed(("2025-12-31", "opening", 5_000), *INVOICES, ("2026-04-01", "payment", 8_000))
    assert open_by_day(found) == {"01-10": 7_000, "02-10": 20_000, "03-10": 30_000}


def test_an_opening_balance_below_zero_is_credit():
    assert open_by_day(closed(("2025-12-31", "opening", -12_000), *INVOICES)) == {
        "02-10": 18_000,
        "03-10": 30_000,
    }


def test_the_last_balance_before_the_records_counts_and_only_that():
    told = [("2025-06-30", "opening", 1), ("2025-12-31", "opening", 2_000)]
    found = closed(*told, ("2026-05-31", "opening", 99_999), *INVOICES)
    assert found.items["open_cents"].tolist() == [2_000, 10_000, 20_000, 30_000]


def test_what_was_booked_up_to_a_later_balance_is_part_of_it():
    found = closed(
        *INVOICES,
        ("2026-02-10", "payment", 1, "b"),
        ("2026-02-10", "opening", 27_000),
        ("2026-03-20", "payment", 7_000, "b"),
    )
    assert found.items["open_cents"].tolist() == [20_000, 30_000]


def test_a_balance_of_nothing_settles_all_before_it():
    found = closed(*INVOICES, ("2026-02-28", "opening", 0))
    assert open_by_day(found) == {"03-10": 30_000}


# ---- tax -----------------------------------------------------------------------------------------


def test_invoices_and_credit_notes_bear_tax_and_nothing_else_does():
    found = closed(
        ("2025-12-31", "opening", 1_000),
        JANUARY,
        ("2026-03-01", "invoice", -1_000, "a"),
        ("2026-03-02", "payment", 1_000),
        vat=0.13,
    )
    assert found.items["open_cents"].tolist() == [0, 11_300 - 1_130]


@pytest.mark.parametrize("vat", [0.0, 0.13, 0.0825, 0.08875, 0.255, 1.0])
def test_tax_is_rounded_as_on_an_invoice(vat):
    random = Random(1)
    cents = [random.randint(-(10**11), 10**11) for _ in range(2_000)] + list(range(-300, 300))
    expected = [
        int((n * (1 + Decimal(str(vat)))).quantize(Decimal(1), ROUND_HALF_UP)) for n in cents
    ]
    assert ledger.gross_cents(np.array(cents), vat).tolist() == expected


# ---- against a slow walk -------------------------------------------------------------------------


@pytest.mark.parametrize("vat", ["0", "0.13"])
def test_four_hundred_random_ledgers_are_as_the_slow_walk_says(vat):
    random, tables, expected = Random(15), [], {}
    for i in range(400):
        rows = random_entries(random)
        expected[f"D{i:03d}"] = slow_ledger(rows, Decimal(vat))
        tables += [
            (str(r["date"]), r["kind"], r["cents"], r["document_id"], r["due_date"], f"D{i:03d}")
            for r in rows
        ]
    entries = entries_of(*tables)
    before = entries.copy()
    rows = booked(entries, float(vat))
    assert (rows["date"][rows["kind"] == "opening"] >= FIRST).sum() > 20
    found = ledger.open_items(rows)
    pd.testing.assert_frame_equal(entries, before)
    left = found.items[found.items["open_cents"] > 0]
    for dealer_id, (items, credit) in expected.items():
        mine: dict = {}
        for row in left[left["dealer_id"] == dealer_id].itertuples():
            number = None if pd.isna(row.document_id) else row.document_id
            due = None if pd.isna(row.due_date) else row.due_date.date()
            key = (row.date.date(), number, due)
            mine[key] = mine.get(key, Decimal(0)) + Decimal(row.open_cents) / 100
        assert mine == items, dealer_id
        assert Decimal(int(found.credit.get(dealer_id, 0))) / 100 == credit, dealer_id
    # what is open, less credit, is all that was booked; and the ages share it out to the cent
    signed = rows["cents"].where(rows["kind"] != "payment", -rows["cents"])
    balance = signed.groupby(rows["dealer_id"]).sum()
    terms = pd.Series({f"D{i:03d}": float(i % 90) for i in range(0, 400, 2)})
    aged = ageing.aged_items(found.items, terms, CLOSED)
    parts = ageing.dealer_ageing(aged, found.credit)
    assert parts["balance"].reindex(balance.index, fill_value=0).tolist() == balance.tolist()
    assert (parts[list(ageing.PARTS)].sum(axis=1) == parts["balance"]).all()
    assert ageing.network_ageing(aged, found.credit)["open_cents"].sum() == balance.sum()
    assert left["open_cents"].dtype == found.credit.dtype == np.dtype("int64")


def test_the_order_of_rows_does_not_matter():
    random = Random(4)
    rows = [
        (str(r["date"]), r["kind"], r["cents"], r["document_id"], r["due_date"], f"D{i}")
        for i in range(30)
        for r in random_entries(random)
    ]
    once, again = (
        ledger.open_items(booked(table))
        for table in (entries_of(*rows), entries_of(*random.sample(rows, len(rows))))
    )
    pd.testing.assert_frame_equal(once.items, again.items)
    pd.testing.assert_series_equal(once.credit, again.credit)


def test_an_empty_ledger_owes_nothing():
    found = closed()
    assert found.items.empty and found.credit.empty
