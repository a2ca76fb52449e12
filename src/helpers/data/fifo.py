"""FIFO: what came first leaves first, move by move.

A transfer keeps its age, and what is brought back has its own.
"""

import gc
from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import pandas as pd

DIGITS = 6  # of a piece: metres and kilograms have fractions, and 0.1 + 0.2 − 0.3 is nothing
DUST = 0.5 * 10**-DIGITS
UNKNOWN = -(10**9)  # the day of goods of unknown age: the oldest
# the order of one day; between them, sums of what follows
CAME, RETURN, TRANSFER, SALE = range(0, 8, 2)
ORDER = {"opening": CAME, "receipt": CAME, "return": RETURN, "transfer": TRANSFER, "sale": SALE}
MOMENTS = 2**24  # eight a day, for two thousand years before and after 1970


class Walk(NamedTuple):
    """What is left in the end, and what is odd: `dealer_id`, `product_id`, `remark`, `quantity`."""

    layers: pd.DataFrame
    remarks: pd.DataFrame


def fifo_layers(moves: pd.DataFrame, begin: pd.Timestamp | None = None) -> pd.DataFrame:
    """Walk through moves in the order of their days, and give what is left of each arrival.

    A transfer takes the oldest goods along with their age, and waits until the giver has them where
    that happens the same day; what is not there is of unknown age at the taker. A return brings
    back what left last, as old as if it had never left; beyond that, what had left before the
    records began, on `begin` (by default the first day of `moves`). What was oversold is made good
    by the next arrival. What came and what was sent back to us on one day is one sum.

    Parameters
    ----------
    moves
        `dealer_id`, `product_id`, `date`, `quantity`, `kind`, `to_dealer_id` as in the codebook. A
        transfer to nobody is gone, one to oneself is none, a negative one goes the other way; a
        negative sale is a return. Other kinds do not count.

    Returns
    -------
    DataFrame
        `dealer_id`, `product_id`, `received_date` (NaT: unknown), `first_dealer_id` (who had it
        from us), `quantity` and, of it, `at_least`: pieces that were there when the records began,
        and may be older.

    >>> moves = pd.DataFrame({
    ...     "dealer_id": "D1", "product_id": "P1", "to_dealer_id": None,
    ...     "date": pd.to_datetime(["2026-01-01", "2026-02-01", "2026-03-01"]),
    ...     "quantity": [-30, 100, 10], "kind": ["opening", "receipt", "sale"]})
    >>> fifo_layers(moves)[["received_date", "quantity"]].to_string(index=False, header=False)
    '2026-02-01 60.0'
    """
    return walk(moves, begin).layers


def walk(moves: pd.DataFrame, begin: pd.Timestamp | None = None) -> Walk:
    """Do as `fifo_layers`, and remark on negative openings and stock, and short transfers."""
    rows, dealers, products = _coded(moves)
    first = rows["day"].min() if pd.isna(begin) else _days(begin)
    with _no_search_for_cycles():
        shelves, short = _shelves(rows, first, len(products))
        left = [(pair, *layer) for pair, shelf in shelves.items() for layer in shelf.here]
    left = pd.DataFrame(left, columns=["pair", "day", "sure", "first", "quantity"])
    odd = [
        (pair, "negative_stock", -shelf.owed)
        for pair, shelf in shelves.items()
        if shelf.owed > DUST
    ]
    odd += [(pair, "transfer_short", n) for pair, n in short.items()]
    opened = rows.groupby("pair")["opening"].sum()
    odd += [(pair, "negative_opening", n) for pair, n in opened[opened < -DUST].items()]
    odd = pd.DataFrame(odd, columns=["pair", "remark", "quantity"])
    odd = _named(odd, dealers, products).assign(
        remark=odd["remark"].astype("str"), quantity=odd["quantity"]
    )
    return Walk(_layers(left, dealers, products), odd)


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Stop the garbage collector.

    A third of the time it would search hundreds of thousands of tuples for nothing.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _layers(left: pd.DataFrame, dealers: pd.Index, products: pd.Index) -> pd.DataFrame:
    """Give layers their names; what came the same day from the same first dealer is one layer."""
    left = left.astype(
        {"pair": "int64", "day": "int64", "first": "int64", "sure": "bool", "quantity": "float64"}
    )
    left["at_least"] = left["quantity"].where((left["day"] > UNKNOWN) & ~left["sure"], 0.0)
    rows = left.groupby(["pair", "day", "first"], as_index=False)[["quantity", "at_least"]].sum()
    day = np.where(rows["day"] > UNKNOWN, rows["day"], np.iinfo("int64").min).view("datetime64[D]")
    return _named(rows, dealers, products).assign(
        received_date=day.astype("datetime64[s]"),
        first_dealer_id=dealers.take(rows["first"]),
        quantity=rows["quantity"].round(DIGITS),
        at_least=rows["at_least"].round(DIGITS),
    )


def _named(rows: pd.DataFrame, dealers: pd.Index, products: pd.Index) -> pd.DataFrame:
    dealer, product = np.divmod(rows["pair"].to_numpy(dtype="int64"), max(len(products), 1))
    return pd.DataFrame({"dealer_id": dealers.take(dealer), "product_id": products.take(product)})


# ---- moves in numbers, for a million of them -----------------------------------------------------


def _coded(moves: pd.DataFrame) -> tuple[pd.DataFrame, pd.Index, pd.Index]:
    """Give the moves that count in numbers, and the names of dealers and products.

    A pair is dealer × products + model.

    `at` is the pair and the moment: a number that sorts them by pair, day and the order of one day.
    """
    givers, takers, models, kinds = (
        moves[c].astype("category").cat for c in ("dealer_id", "to_dealer_id", "product_id", "kind")
    )
    dealers = givers.categories.astype("str").union(takers.categories.astype("str"))
    products = models.categories.astype("str")
    dealer, to = (
        np.append(dealers.get_indexer(ids.categories.astype("str")), -1)[ids.codes]
        for ids in (givers, takers)
    )
    kind = np.array([*(ORDER.get(kind, -1) for kind in kinds.categories), -1])[kinds.codes]
    n = moves["quantity"].to_numpy(dtype="float64", na_value=np.nan)
    opening = np.where(moves["kind"] == "opening", n, 0.0)
    kind = np.where((kind == TRANSFER) & (to < 0), SALE, kind)
    kind = np.where(n < 0, np.select([kind == SALE, kind == RETURN], [RETURN, SALE], kind), kind)
    n = np.where((kind == SALE) | (kind == RETURN), np.abs(n), n)
    turned = (kind == TRANSFER) & (n < 0)
    dealer, to, n = (
        np.where(turned, to, dealer),
        np.where(turned, dealer, to),
        np.where(turned, -n, n),
    )
    pair, day = dealer * len(products) + models.codes.to_numpy(), _days(moves["date"])
    rows = pd.DataFrame(
        {
            "pair": pair,
            "dealer": dealer,
            "to": to * len(products) + models.codes.to_numpy(),
            "day": day,
            "kind": kind,
            "at": pair * MOMENTS + MOMENTS // 2 + day * 8 + kind,
            "quantity": n,
            "opening": opening,
        }
    )
    known = (
        (kind >= 0)
        & (givers.codes >= 0)
        & (models.codes >= 0)
        & moves["date"].notna()
        & ~np.isnan(n)
    )
    return rows[known.to_numpy() & ((kind != TRANSFER) | (dealer != to))], dealers, products


def _days(dates: pd.Series | pd.Timestamp) -> np.ndarray | int:
    return np.asarray(pd.to_datetime(dates), dtype="datetime64[D]").astype("int64")


def _spells(
    rows: pd.DataFrame, cuts: np.ndarray, n_products: int
) -> tuple[list[tuple], list[tuple]]:
    """Cut each pair's moves at its transfers and returns.

    Between two of them only sums matter: what came, what left.

    Gives the lots that came as (day, whether that is sure, first dealer, pieces), and the spells as
    (moment, pair, first and last of its lots, what left).
    """
    starts = np.sort(np.concatenate([rows["pair"].unique() * MOMENTS, cuts]))
    came, sold = rows[rows["kind"] == CAME], rows[rows["kind"] == SALE]
    at, place = np.unique(came["at"], return_inverse=True)
    n, opened = (np.bincount(place, came[c], minlength=len(at)) for c in ("quantity", "opening"))
    opened = np.clip(opened, 0, np.maximum(n, 0))
    lots = pd.DataFrame(
        {"at": np.repeat(at, 2), "n": np.column_stack([opened, n - opened]).ravel()}
    )
    lots = lots.assign(sure=lots.index % 2 == 1)[lots["n"] > DUST]

    def per_spell(at: np.ndarray, n: np.ndarray | None = None) -> np.ndarray:
        return np.bincount(np.searchsorted(starts, at), n, minlength=len(starts) + 1)[1:]

    left = per_spell(np.append(sold["at"], at), np.append(sold["quantity"], np.maximum(-n, 0)))
    n_lots = per_spell(lots["at"])
    end = n_lots.cumsum()
    spells = pd.DataFrame(
        {
            "when": starts % MOMENTS + 1,
            "pair": starts // MOMENTS,
            "start": end - n_lots,
            "end": end,
            "left": left,
        }
    )
    day, first = (
        (lots["at"] % MOMENTS - MOMENTS // 2) // 8,
        lots["at"] // MOMENTS // max(n_products, 1),
    )
    lots = pd.DataFrame({"day": day, "sure": lots["sure"], "first": first, "n": lots["n"]})
    return _tuples(lots), _tuples(spells[(n_lots > 0) | (left > 0)])


def _tuples(rows: pd.DataFrame) -> list[tuple]:
    return list(zip(*(rows[c].tolist() for c in rows.columns), strict=True))


# ---- one shelf -----------------------------------------------------------------------------------


class _Shelf:
    """What lies of one model at one dealer: `here`, oldest first.

    `gone`, what left last at the end; `owed`.
    """

    __slots__ = ("gone", "here", "owed")

    def __init__(self) -> None:
        self.here: list[tuple] = []  # (day, whether that is sure, first dealer, pieces)
        self.gone: list[tuple] = []
        self.owed = 0.0  # left without having been there

    def put(self, layers: list[tuple]) -> None:
        """Take goods in, oldest first: they make good what is owed before anything lies there."""
        if self.owed <= DUST and layers and (not self.here or layers[0] >= self.here[-1]):
            self.here += layers
            return
        for *what, n in layers:
            paid = min(self.owed, n)
            self.owed -= paid
            if paid > DUST:
                self.gone.append((*what, paid))
            if n - paid > DUST:
                insort(self.here, (*what, n - paid))

    def take(self, n: float) -> list[tuple]:
        """Let the oldest goods go; what is not there is owed."""
        n_whole, here = 0, self.here
        while n > DUST and n_whole < len(here) and here[n_whole][-1] <= n + DUST:
            n -= here[n_whole][-1]
            n_whole += 1
        taken = here[:n_whole]
        del here[:n_whole]
        if n > DUST and here:
            *what, there = here[0]
            taken.append((*what, n))
            here[0] = (*what, there - n)
        elif n > DUST:
            self.owed += n
        return taken

    def take_back(self, n: float, before: tuple) -> None:
        """Put back what left last; beyond that, what had left `before` the records began."""
        paid = min(self.owed, n)
        self.owed -= paid
        n -= paid
        while n > DUST and self.gone:
            *what, there = self.gone.pop()
            insort(self.here, (*what, min(n, there)))
            if there - n > DUST:
                self.gone.append((*what, there - n))
            n -= min(n, there)
        if n > DUST:
            insort(self.here, (*before, n))

    def pieces(self) -> float:
        return sum(layer[-1] for layer in self.here)


# ---- all shelves ---------------------------------------------------------------------------------


def _shelves(
    rows: pd.DataFrame, first: int, n_products: int
) -> tuple[dict[int, _Shelf], dict[int, float]]:
    """Let the goods come and go.

    Give each pair's shelf, and what givers passed on without having it.
    """
    passed = (
        rows[rows["kind"] == TRANSFER]
        .groupby(["at", "pair", "to", "dealer"], as_index=False)["quantity"]
        .sum()
    )
    back = (
        rows[rows["kind"] == RETURN]
        .groupby(["at", "pair", "dealer"], as_index=False)["quantity"]
        .sum()
    )
    cuts = np.concatenate(
        [passed["at"], passed["to"] * MOMENTS + passed["at"] % MOMENTS, back["at"]]
    )
    lots, events = _spells(rows, cuts, n_products)
    events += [
        event
        for table in (passed, back)
        for event in _tuples(table.assign(at=table["at"] % MOMENTS))
    ]
    shelves: defaultdict[int, _Shelf] = defaultdict(_Shelf)
    short: defaultdict[int, float] = defaultdict(float)
    for when, moment in groupby(sorted(events), key=itemgetter(0)):
        if when % 8 == TRANSFER:
            _pass_on(shelves, short, list(moment))
        elif when % 8 == RETURN:
            for _when, pair, dealer, n in moment:
                shelves[pair].take_back(n, (first, False, dealer))
        else:
            for _when, pair, start, end, left in moment:
                shelf = shelves[pair]
                shelf.put(lots[start:end])
                shelf.gone += shelf.take(left)
    return shelves, short


def _pass_on(shelves: dict[int, _Shelf], short: dict[int, float], waiting: Iterable[tuple]) -> None:
    """Pass on a day's transfers, each as soon as its giver has the goods."""
    while waiting:
        late = []
        for transfer in waiting:
            _when, pair, to, _dealer, n = transfer
            if (giver := shelves[pair]).pieces() > n - DUST:
                shelves[to].put(giver.take(n))
            else:
                late.append(transfer)
        if len(late) == len(waiting):  # none of them has what he passes on
            _when, pair, to, dealer, n = late.pop(0)
            taken = shelves[pair].take(n)
            missing = n - sum(layer[-1] for layer in taken)
            short[pair] += missing
            shelves[to].put([(UNKNOWN, False, dealer, missing), *taken])
        waiting = late
