"""Balances told later than the ledger's opening: held against it, by hand."""

import pandas as pd
import pytest

from helpers import words
from helpers.receivables import told
from ledgers import FIRST, entries_of

pytestmark = pytest.mark.usefixtures("looks")

OPENING = ("2025-12-31", "opening", 10_000)
SALE, MONEY = ("2026-01-10", "invoice", 20_000, "a"), ("2026-02-10", "payment", 5_000)


def held(*rows: tuple, vat: float = 0.0) -> list[tuple]:
    found = told.held_against(entries_of(*rows), FIRST, vat)
    days = found["date"].dt.strftime("%m-%d")
    columns = (found[c] for c in ("told_cents", "ledger_cents", "outcome"))
    return list(zip(days, *columns, strict=True))


@pytest.mark.parametrize(
    ("rows", "later"),
    [
        # 100 + 200 − 50
        ((OPENING, SALE, MONEY, ("2026-02-28", "opening", 25_000)), ("agrees", 25_000)),
        # less than one is how two sides round tax
        ((OPENING, SALE, MONEY, ("2026-02-28", "opening", 25_099)), ("agrees", 25_000)),
        ((OPENING, SALE, MONEY, ("2026-02-28", "opening", 31_000)), ("differs", 25_000)),
        # what was booked on the day is part of it
        ((OPENING, SALE, ("2026-01-10", "opening", 30_000)), ("agrees", 30_000)),
        ((OPENING, SALE, ("2026-01-09", "opening", 10_000)), ("agrees", 10_000)),
        # nothing is known of three months in which something happened
        ((OPENING, ("2026-03-31", "opening", 17_000), SALE), ("reopens", 10_000)),
        ((OPENING, ("2026-03-31", "opening", 4_000)), ("reopens", 10_000)),
        # nothing happened, and nothing is known
        ((OPENING, ("2026-01-05", "opening", 10_000), SALE), ("agrees", 10_000)),
    ],
)
def test_a_later_balance_is_held_against_the_ledger(rows, later):
    if rows[1][0] == "2026-03-31":
        rows = tuple(row for row in rows if row is not SALE)
    (_day, _told, _ledger, first), (*_rest, ledger_cents, outcome) = held(*rows)
    assert first == "opens"
    assert (outcome, ledger_cents) == later


def test_what_differs_is_told_again_and_books_nothing():
    rows = (OPENING, SALE, ("2026-01-31", "opening", 36_000), ("2026-02-28", "opening", 36_000))
    assert held(*rows) == [
        ("12-31", 10_000, 10_000, "opens"),
        ("01-31", 36_000, 30_000, "differs"),
        # no document of February, but nothing has changed either: it is January's that is missing
        ("02-28", 36_000, 30_000, "differs"),
    ]
    assert told.corrections(told.held_against(entries_of(*rows), FIRST)).empty


def test_the_ledger_goes_on_from_what_opened_it_again():
    rows = (OPENING, SALE, ("2026-01-31", "opening", 30_000), ("2026-04-30", "opening", 8_000))
    rows += (("2026-05-10", "invoice", 1_000), ("2026-05-31", "opening", 9_500))
    assert held(*rows)[1:] == [
        ("01-31", 30_000, 30_000, "agrees"),
        ("04-30", 8_000, 30_000, "reopens"),
        ("05-31", 9_500, 9_000, "differs"),
    ]
    (row,) = told.corrections(told.held_against(entries_of(*rows), FIRST)).itertuples()
    assert (str(row.date.date()), row.kind, row.cents) == ("2026-04-30", "opening", -22_000)


def test_tax_is_on_invoices_and_dealers_are_apart():
    rows = (
        (*OPENING[:3], None, None, "D1"),
        (*SALE, None, "D1"),
        (*SALE, None, "D2"),
        ("2026-01-31", "opening", 32_600, None, None, "D1"),
        ("2026-02-28", "opening", 7, None, None, "D3"),
    )
    found = told.held_against(entries_of(*rows), FIRST, 0.13).set_index("dealer_id")
    assert found.loc["D1", "ledger_cents"].tolist() == [10_000, 32_600]
    assert found.loc["D3", "outcome"] == "opens"  # the first of his that is told
    assert "D2" not in found.index


def test_nothing_told_is_nothing_held():
    for rows in ((), (SALE,)):
        assert told.held_against(entries_of(*rows), FIRST).empty
    assert told.told_table(told.held_against(entries_of(SALE), FIRST)).columns.tolist() == told.TOLD
    assert told.told_sentences(pd.DataFrame(columns=told.TOLD)) == []


def test_the_table_puts_the_largest_difference_first_and_sentences_sum_it_up():
    rows = []
    for dealer, balance in (("D1", 30_000), ("D2", 36_000), ("D3", 21_000)):
        entries = (OPENING, SALE, ("2026-01-31", "opening", balance))
        rows += [(*row, *(None,) * (5 - len(row)), dealer) for row in entries]
    rows += [("2026-05-31", "opening", 90_000, None, None, "D2")]
    table = told.told_table(told.held_against(entries_of(*rows), FIRST))
    assert table["dealer_id"].tolist() == ["D2", "D3", "D2", "D1"]
    assert table["balance_gap"].tolist() == [600, -90, 60, 0]
    assert table["outcome"].tolist() == ["reopens", "differs", "differs", "agrees"]
    first, differ, reopen = told.told_sentences(table)
    assert first.startswith("4 balances told later, of 3 dealers, are held against the ledger: 1 ")
    # D2's was opened again since
    assert "at 1 dealer: CNY 0 more is owed than the ledger has, CNY 90 less" in differ
    assert reopen.startswith("At 1 dealer no document is known") and "CNY 600" in reopen
    (agreed,) = told.told_sentences(table.tail(1))
    assert agreed == "1 balance told later, of 1 dealer, agrees with the ledger."
    for outcome in told.OUTCOMES:
        assert words.label(outcome) != outcome
