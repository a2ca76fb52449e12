"""FIFO event by event.

Cases checked by hand, a twin that moves single pieces, and what must hold for any history.
"""

import random
from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from helpers.data import checks, fifo
from helpers.demo import trade
from sampling import some

COLUMNS = ["date", "kind", "quantity", "dealer_id", "to_dealer_id", "product_id"]


def moves(*rows: tuple) -> pd.DataFrame:
    """Lay out moves as (day of October 2026, kind, pieces, dealer, taker); one model."""
    full = [(*row, *("A", None)[len(row) - 3 :], "P1") for row in rows]
    table = pd.DataFrame(full, columns=COLUMNS)
    return table.assign(date=pd.Timestamp("2026-09-30") + pd.to_timedelta(table["date"], unit="D"))


def left(*rows: tuple) -> list[tuple]:
    """Walk, and give (dealer, day of October or None, pieces, of them at least so old)."""
    layers = fifo.fifo_layers(moves(*rows))
    day = [
        None if pd.isna(d) else (d - pd.Timestamp("2026-09-30")).days
        for d in layers["received_date"]
    ]
    return [
        (d, t, n, a)
        for d, t, n, a in zip(
            layers["dealer_id"], day, layers["quantity"], layers["at_least"], strict=True
        )
    ]


def remarks(*rows: tuple) -> dict[tuple[str, str], float]:
    found = fifo.walk(moves(*rows)).remarks
    return dict(
        zip(zip(found["dealer_id"], found["remark"], strict=True), found["quantity"], strict=True)
    )


# ---- by hand -------------------------------------------------------------------------------------


def test_what_came_first_leaves_first():
    assert left((1, "receipt", 10), (2, "receipt", 10), (3, "sale", 14)) == [("A", 2, 6.0, 0.0)]


def test_sold_out_items_have_no_layer():
    assert left((1, "receipt", 10), (3, "sale", 4), (3, "sale", 6)) == []
    assert remarks((1, "receipt", 10), (3, "sale", 10)) == {}


def test_an_opening_below_zero_is_made_good():
    rows = ((1, "opening", -30), (2, "receipt", 100), (3, "sale", 10))
    assert left(*rows) == [("A", 2, 60.0, 0.0)]
    assert remarks(*rows) == {("A", "negative_opening"): -30.0}


def test_what_was_there_at_the_beginning_is_at_least_that_old():
    assert left((1, "opening", 8), (1, "receipt", 5), (2, "sale", 2)) == [("A", 1, 11.0, 6.0)]
    assert left((1, "opening", 8), (1, "receipt", 5), (2, "sale", 9)) == [("A", 1, 4.0, 0.0)]


def test_what_a_consumer_brings_back_has_its_age():
    rows = ((1, "receipt", 10), (2, "sale", 10), (3, "receipt", 10), (4, "return", 1))
    assert left(*rows) == [("A", 1, 1.0, 0.0), ("A", 3, 10.0, 0.0)]
    assert left(*rows, (5, "sale", 2)) == [("A", 3, 9.0, 0.0)]


def test_who_brings_back_more_than_was_seen_to_leave_had_it_before_the_records():
    rows = moves((2, "receipt", 10), (3, "sale", 1), (4, "return", 3))
    found = fifo.fifo_layers(rows, begin=pd.Timestamp("2026-09-01"))
    assert found["received_date"].tolist() == [
        pd.Timestamp("2026-09-01"),
        pd.Timestamp("2026-10-02"),
    ]
    assert found[["quantity", "at_least"]].to_numpy().tolist() == [[2, 2], [10, 0]]


def test_goods_sent_back_to_us_are_the_oldest_and_of_one_day_a_correction():
    assert left((1, "receipt", 10), (2, "receipt", 10), (3, "receipt", -4)) == [
        ("A", 1, 6.0, 0.0),
        ("A", 2, 10.0, 0.0),
    ]
    assert left((1, "receipt", 10), (2, "receipt", 10), (2, "receipt", -4)) == [
        ("A", 1, 10.0, 0.0),
        ("A", 2, 6.0, 0.0),
    ]
    assert left((1, "receipt", 10), (2, "receipt", 4), (2, "receipt", -6)) == [("A", 1, 8.0, 0.0)]


def test_oversold_goods_are_made_good_by_the_next_arrival():
    rows = ((1, "receipt", 10), (2, "sale", 15), (3, "receipt", 20))
    assert left(*rows) == [("A", 3, 15.0, 0.0)]
    assert left(*rows[:2]) == []
    assert remarks(*rows[:2]) == {("A", "negative_stock"): -5.0}
    assert left(*rows[:2], (4, "return", 6)) == [("A", 1, 1.0, 0.0)], (
        "a return first pays what is owed"
    )


def test_a_transfer_takes_the_oldest_goods_and_keeps_their_age():
    rows = (
        (1, "receipt", 10),
        (5, "receipt", 10),
        (6, "transfer", 12, "A", "B"),
        (7, "receipt", 3, "B"),
    )
    assert left(*rows) == [
        ("A", 5, 8.0, 0.0),
        ("B", 1, 10.0, 0.0),
        ("B", 5, 2.0, 0.0),
        ("B", 7, 3.0, 0.0),
    ]
    assert left(*rows, (8, "sale", 11, "B"))[1:] == [("B", 5, 1.0, 0.0), ("B", 7, 3.0, 0.0)]
    layers = fifo.fifo_layers(moves(*rows))
    assert layers["first_dealer_id"].tolist() == ["A", "A", "A", "B"]


def test_a_transfer_of_more_than_is_there_is_of_unknown_age():
    rows = ((1, "receipt", 10), (2, "transfer", 12, "A", "B"), (3, "receipt", 5))
    assert left(*rows) == [("A", 3, 3.0, 0.0), ("B", None, 2.0, 0.0), ("B", 1, 10.0, 0.0)]
    assert remarks(*rows) == {("A", "transfer_short"): 2.0}


def test_a_transfer_of_one_day_waits_until_the_giver_has_the_goods():
    chain = [
        (2, "transfer", 4, "A", "B"),
        (2, "transfer", 4, "B", "C"),
        (2, "transfer", 3, "C", "D"),
    ]
    for rows in (chain, chain[::-1]):
        assert left((1, "receipt", 5), *rows) == [
            ("A", 1, 1.0, 0.0),
            ("C", 1, 1.0, 0.0),
            ("D", 1, 3.0, 0.0),
        ]
    assert left((1, "receipt", 5), *chain, (2, "sale", 2, "B"))[-1] == ("D", 1, 3.0, 0.0)
    assert remarks((1, "receipt", 5), *chain, (2, "sale", 2, "B")) == {
        ("B", "negative_stock"): -2.0
    }


def test_odd_transfers():
    assert left((1, "receipt", 5), (2, "transfer", 2, "A", None)) == [("A", 1, 3.0, 0.0)]
    assert left((1, "receipt", 5), (2, "transfer", 2, "A", "A")) == [("A", 1, 5.0, 0.0)]
    assert left((1, "receipt", 5), (2, "transfer", -2, "B", "A")) == [
        ("A", 1, 3.0, 0.0),
        ("B", 1, 2.0, 0.0),
    ]
    assert left((1, "receipt", 5), (2, "lost", 2), (3, "Sale", 2)) == [("A", 1, 5.0, 0.0)]


def test_fractions_leave_no_ghost():
    assert left((1, "receipt", 0.1), (1, "receipt", 0.2), (2, "sale", 0.3)) == []
    assert (
        left(
            (1, "receipt", 0.1),
            (2, "receipt", 0.2),
            (3, "transfer", 0.3, "A", "B"),
            (4, "sale", 0.3, "B"),
        )
        == []
    )
    assert remarks((1, "receipt", 0.3), (2, "sale", 0.1), (3, "sale", 0.2)) == {}


def test_no_moves_no_layers():
    found = fifo.walk(moves().head(0))
    assert found.layers.empty and found.remarks.empty
    assert list(found.layers) == [
        "dealer_id",
        "product_id",
        "received_date",
        "first_dealer_id",
        "quantity",
        "at_least",
    ]
    assert list(found.remarks) == ["dealer_id", "product_id", "remark", "quantity"]


def test_the_order_of_a_day_is_one_everywhere():
    assert tuple(fifo.ORDER) == checks.MOVE_KINDS == trade.MOVE_KINDS


# ---- a twin that moves single pieces -------------------------------------------------------------


def history(seed: int, *, transfers: bool = True) -> pd.DataFrame:
    """Draw a history with all that goes wrong, in whole pieces."""
    draw = random.Random(seed)
    kinds = (
        ["receipt"] * 4 + ["sale"] * 6 + ["return"] * 2 + ["back"] + ["transfer"] * 3 * transfers
    )
    rows = [
        (1, "opening", draw.randint(-5, 9), d, None, p)
        for d in "ABC"
        for p in "PQ"
        if draw.random() < 0.5
    ]
    for _ in range(draw.randint(3, 60)):
        kind, dealer = draw.choice(kinds), draw.choice("ABC")
        n, to = draw.randint(1, 6), draw.choice([d for d in "ABC" if d != dealer] + [None])
        rows.append(
            (
                draw.randint(1, 25),
                "receipt" if kind == "back" else kind,
                -n if kind == "back" else n,
                dealer,
                to if kind == "transfer" else None,
                draw.choice("PQ"),
            )
        )
    rows.insert(0, (1, "receipt", 1, "A", None, "P"))
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.assign(date=pd.Timestamp("2026-09-30") + pd.to_timedelta(table["date"], unit="D"))


class Twin:
    """Move single pieces, day by day.

    A queue that is served from its front, and a pile of what left.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        # a piece is (day, 0 if it may be older); UNKNOWN is older
        self.here: dict[tuple, list] = defaultdict(list)
        self.gone: dict[tuple, list] = defaultdict(list)
        self.owed: dict[tuple, int] = defaultdict(int)
        self.short: dict[tuple, int] = defaultdict(int)
        self.begin = table["date"].min()
        for day, rows in table.sort_values("date").groupby("date"):
            self.arrivals(day, rows[rows["kind"].isin(["opening", "receipt"])])
            for row in rows[rows["kind"] == "return"].itertuples():
                self.bring_back((row.dealer_id, row.product_id), row.quantity)
            given = rows[rows["kind"] == "transfer"].sort_values(
                ["dealer_id", "product_id", "to_dealer_id"]
            )
            nobody = given["to_dealer_id"].isna()
            self.transfers(
                given[~nobody]
                .groupby(["dealer_id", "product_id", "to_dealer_id"])["quantity"]
                .sum()
            )
            for row in pd.concat([rows[rows["kind"] == "sale"], given[nobody]]).itertuples():
                self.sell((row.dealer_id, row.product_id), row.quantity)

    def arrivals(self, day: pd.Timestamp, rows: pd.DataFrame) -> None:
        for pair, came in rows.groupby(["dealer_id", "product_id"]):
            n, opened = (
                came["quantity"].sum(),
                came.loc[came["kind"] == "opening", "quantity"].sum(),
            )
            if n < 0:
                self.sell(pair, -n)
            for i in range(max(n, 0)):
                self.arrive(pair, (day, 0 if i < opened else 1))

    def arrive(self, pair: tuple, piece: tuple) -> None:
        if self.owed[pair]:
            self.owed[pair] -= 1
            self.gone[pair].append(piece)
        else:
            self.here[pair] = sorted([*self.here[pair], piece])

    def sell(self, pair: tuple, n: int) -> None:
        for _ in range(n):
            if self.here[pair]:
                self.gone[pair].append(self.here[pair].pop(0))
            else:
                self.owed[pair] += 1

    def bring_back(self, pair: tuple, n: int) -> None:
        for _ in range(n):
            if self.owed[pair]:
                self.owed[pair] -= 1
            else:
                piece = self.gone[pair].pop() if self.gone[pair] else (self.begin, 0)
                self.here[pair] = sorted([*self.here[pair], piece])

    def transfers(self, given: pd.Series) -> None:
        """Go round by round: who has the goods passes them on.

        Where nobody has, the first does so all the same.
        """
        waiting = list(given.items())
        while waiting:
            stuck = True
            for transfer in list(waiting):
                ((*pair, _to), n) = transfer
                if len(self.here[tuple(pair)]) >= n:
                    self.pass_on(*transfer)
                    waiting.remove(transfer)
                    stuck = False
            if stuck:
                self.pass_on(*waiting.pop(0))

    def pass_on(self, key: tuple, n: int) -> None:
        dealer, product, to = key
        taken, self.here[dealer, product] = (
            self.here[dealer, product][:n],
            self.here[dealer, product][n:],
        )
        missing = n - len(taken)
        self.owed[dealer, product] += missing
        self.short[dealer, product] += missing
        for piece in [(pd.Timestamp.min, 0)] * missing + taken:
            self.arrive((to, product), piece)

    def layers(self) -> dict[tuple, tuple[int, int]]:
        """Count pieces, and those that may be older, by dealer, model and day (None: unknown)."""
        found: dict[tuple, list[int]] = defaultdict(lambda: [0, 0])
        for pair, pieces in self.here.items():
            for day, sure in pieces:
                known = day != pd.Timestamp.min
                found[(*pair, day if known else None)][0] += 1
                found[(*pair, day if known else None)][1] += known and not sure
        return {key: tuple(n) for key, n in found.items()}

    def remarks(self) -> dict[tuple, int]:
        found = {(*pair, "negative_stock"): -n for pair, n in self.owed.items() if n}
        return found | {(*pair, "transfer_short"): n for pair, n in self.short.items() if n}


def counted(layers: pd.DataFrame) -> dict[tuple, tuple[float, float]]:
    found: dict[tuple, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in layers.itertuples():
        day = None if pd.isna(row.received_date) else row.received_date
        found[row.dealer_id, row.product_id, day][0] += row.quantity
        found[row.dealer_id, row.product_id, day][1] += row.at_least
    return {key: tuple(n) for key, n in found.items()}


@pytest.mark.parametrize("start", some(range(0, 100, 20), 2))
def test_a_hundred_histories_end_as_single_pieces_do(start):
    n_odd = 0
    for seed in range(start, start + 20):
        table = history(seed)
        twin, walked = Twin(table), fifo.walk(table)
        assert counted(walked.layers) == twin.layers(), f"seed {seed}"
        found = walked.remarks[walked.remarks["remark"] != "negative_opening"]
        keys = zip(found["dealer_id"], found["product_id"], found["remark"], strict=True)
        assert dict(zip(keys, found["quantity"], strict=True)) == twin.remarks(), f"seed {seed}"
        n_odd += len(found)
    assert n_odd > 20, "the histories are as odd as they should be"


# ---- what holds for any history ------------------------------------------------------------------

SIGNS = {"opening": 1, "receipt": 1, "return": 1, "sale": -1, "transfer": -1}


@given(
    st.integers(0, 10_000),
    st.sampled_from([0.1, 0.001, 3, 1000]),
    st.randoms(use_true_random=False),
)
def test_pieces_are_conserved_rows_have_no_order_and_pieces_no_unit(seed, factor, shuffled):
    table = history(seed)
    walked = fifo.walk(table)
    signed = table["quantity"] * table["kind"].map(SIGNS)
    arrived = table.loc[
        (table["kind"] == "transfer") & table["to_dealer_id"].notna(), "quantity"
    ].sum()
    below = walked.remarks.loc[walked.remarks["remark"] == "negative_stock", "quantity"].sum()
    assert walked.layers["quantity"].sum() + below == pytest.approx(
        signed.sum() + arrived, abs=1e-6
    )
    assert (walked.layers["quantity"] > 0).all()
    assert walked.layers["at_least"].between(0, walked.layers["quantity"]).all()
    order = list(range(len(table)))
    shuffled.shuffle(order)
    again = fifo.walk(table.iloc[order])
    assert_frame_equal(again.layers, walked.layers)
    scaled = fifo.walk(table.assign(quantity=table["quantity"] * factor))
    assert_frame_equal(
        scaled.layers.assign(quantity=0.0, at_least=0.0),
        walked.layers.assign(quantity=0.0, at_least=0.0),
    )
    np.testing.assert_allclose(
        scaled.layers["quantity"], walked.layers["quantity"] * factor, rtol=1e-6, atol=1e-6
    )


def test_the_moves_are_left_as_they_were():
    table = history(3)
    before = table.copy()
    fifo.fifo_layers(table)
    assert_frame_equal(table, before)
