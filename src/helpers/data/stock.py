"""Stock: what lies at the dealers and since when, what came and what went; part of the door.

What came first leaves first (FIFO). The algebra of a dealer and model without transfers: what lies
there is the opening plus receipts (goods sent back to us below zero) less sales plus returns, and
it lies in the youngest arrivals. So a piece that a consumer brings back is as old as if it had
never left, and what was oversold, or an opening below zero, is made good by the next arrival. The
order of a day is that of `checks.MOVE_KINDS`.
"""

import datetime as dt
from collections.abc import Collection
from typing import NamedTuple

import ibis
import numpy as np
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from helpers import periods
from helpers.data import checks, read
from helpers.data.cache import kept
from helpers.data.fifo import DIGITS, DUST, fifo_layers, walk
from helpers.data.findings import main_span
from helpers.data.read import fetched, within
from helpers.data.tables import described, table
from helpers.settings import Workbook

__all__ = ["fifo_layers"]  # for whoever has moves at hand

WINDOW = 12  # months: an older count or record says nothing of today
RECENT_DAYS = 90  # in which what came is likely to be what is left
SPANS = (30, 60, 90, 180, 360)  # days to the end over which sales are told, each as `sold_…d`
SOLD = [f"sold_{days}d" for days in SPANS]
ARRIVALS = ("opening", "receipt")
PAIR = ["dealer_id", "product_id"]
NAMES = {"dealer_id": "string", "product_id": "string"}
LAYERS = [*PAIR, "received_date", "quantity", "unit_cost"]
REMARKS = [*PAIR, "remark", "quantity"]
FLOWS = [
    *PAIR,
    "received",
    "sold",
    *SOLD,
    "transferred_in",
    "transferred_out",
    "last_received_date",
    "last_sold_date",
    "n_days",
]
MODELS = ["product_id", "product_name", "category", "brand", "list_price"]


class OnHand(NamedTuple):
    """What lies at the dealers: see `on_hand`."""

    layers: pd.DataFrame
    as_of: pd.Timestamp
    source: str
    remarks: pd.DataFrame


class _Records(NamedTuple):
    """The tables that tell what came and went, and the first and last day that all cover."""

    tables: tuple[str, ...]
    start: dt.date
    end: dt.date

    @property
    def source(self) -> str:
        """Name what tells what lies there: without what was sold (or bought), nothing does."""
        return {("stock_moves",): "stock_moves", ("sell_in", "sell_out"): "sell_in"}.get(
            self.tables, ""
        )


# ---- what lies there -----------------------------------------------------------------------------


@kept
def on_hand(book: Workbook, period: str) -> OnHand:
    """Give what lies at the dealers at the end of a period, each layer with the day it came.

    The source is the first that tells: the last count in `stock` (each dealer's last one of that
    month), unless the moves go on in a later month; `stock_moves`; `sell_in` less `sell_out`, both
    in pieces by dealer and model, and only over the months that both have. None counts that ends
    more than a year before the period. Lines after the period never count: the answer for a past
    month stays the same.

    Returns
    -------
    OnHand
        `layers`: one row per dealer, model and arrival with `quantity` > 0: `received_date` (NaT
        where the age is unknown), `unit_cost` (what the dealer paid, rebates not taken off: of the
        count; else revenue ÷ quantity of his purchases in the month it came, else of all his
        purchases of the model, else of everybody's; NaN where nothing tells; a transfer keeps the
        giver's). `as_of`: the day to which ages count, the last of the source's last month (of a
        count, its day). `source`: "stock", "stock_moves", "sell_in", or "" where nothing tells.
        `remarks`: what is odd, as `remark` and pieces: "negative_opening"; "negative_stock" (more
        left than came; no layer); "age_at_least" (there when the records began, and dated so);
        "age_unknown"; "transfer_short" (more was passed on than was there: of unknown age at the
        taker).
    """
    if book.scope:  # goods cross its border with their age
        found = on_hand(book.whole, period)
        inside = set(read.dealers(book)["dealer_id"])
        return found._replace(layers=_of(found.layers, inside), remarks=_of(found.remarks, inside))
    counted, records = _last_count(book, period), _records(book, period)
    if counted and not (
        records and records.source == "stock_moves" and f"{records.end:%Y-%m}" > counted
    ):
        return _counted(book, counted)
    if not (records and records.source):
        return OnHand(_empty(LAYERS), pd.NaT, "", _empty(REMARKS))
    return _followed(book, records)


def last_count(book: Workbook, period: str) -> Table | None:
    """Give the layers of the last count within the year to a period, each dealer's last one of that
    month.
    """
    month = _last_count(book, period)
    if not month:
        return None
    lots = within(table(book, "stock"), "snapshot_date", month, 1)
    return lots.mutate(last=_.snapshot_date.max().over(group_by="dealer_id")).filter(
        _.snapshot_date == _.last
    )


def _last_count(book: Workbook, period: str) -> str:
    """Name the month of the last count; none where there is none in the year to the period."""
    if not book.has("stock"):
        return ""
    table(book, "stock")  # an error in the data is told before its months are asked for
    known = [row[0] for row in described(book, "stock")["months"]]
    return max(
        (month for month in known if periods.shift(period, 1 - WINDOW) <= month <= period),
        default="",
    )


def _counted(book: Workbook, month: str) -> OnHand:
    lots = last_count(book, month).filter(_.quantity != 0)
    lots = lots.mutate(
        received_date=ibis.cases((_.received_date <= _.snapshot_date, _.received_date)),
        quantity=_.quantity.cast("float64"),
        unit_cost=_.unit_cost.cast("float64"),
    )
    rows = fetched(lots.select("snapshot_date", *LAYERS), LAYERS[:3])
    as_of, there = rows.pop("snapshot_date").max(), rows["quantity"] > 0
    unknown = rows[there & rows["received_date"].isna()].assign(remark="age_unknown")
    remarks = pd.concat([rows[~there].assign(remark="negative_stock"), unknown])
    return OnHand(
        rows[there].reset_index(drop=True), pd.Timestamp(as_of), "stock", _summed(remarks)
    )


def _followed(book: Workbook, records: _Records) -> OnHand:
    """Follow the moves: in the engine where no transfer occurs, event by event for the rest."""
    moves = _moves(book, records)
    linked = fetched(_linked(moves))
    balances = _balances(moves, records.end).anti_join(ibis.memtable(linked, schema=NAMES), PAIR)
    odd = fetched(balances.filter((_.opening < 0) | (_.there < 0) | (_.left < 0)))
    # … and where more came back than the records saw go
    apart = ibis.memtable(pd.concat([linked, odd.loc[odd["left"] < 0, PAIR]]), schema=NAMES)
    # categories, for the names repeat: the walk is through numbers
    apart = (
        moves.semi_join(apart, PAIR)
        .to_pyarrow()
        .to_pandas(strings_to_categorical=True, date_as_object=False)
    )
    walked = walk(apart, pd.to_datetime(moves.date.min().execute()))
    rows = _joined(_layers(moves, balances, records.end), walked.layers)
    rows = fetched(_priced(book, rows, records.end), LAYERS[:3])
    odd = odd[odd["left"] >= 0]
    remarks = pd.concat(
        [
            odd[odd["opening"] < 0].assign(remark="negative_opening", quantity=odd["opening"]),
            odd[odd["there"] < 0].assign(remark="negative_stock", quantity=odd["there"]),
            walked.remarks,
            rows[rows["at_least"] > 0].assign(remark="age_at_least", quantity=rows["at_least"]),
            rows[rows["received_date"].isna()].assign(remark="age_unknown"),
        ]
    )
    return OnHand(rows[LAYERS], pd.Timestamp(records.end), records.source, _summed(remarks))


def _of(rows: pd.DataFrame, dealer_ids: Collection[str]) -> pd.DataFrame:
    return rows[rows["dealer_id"].isin(dealer_ids)].reset_index(drop=True)


def _summed(remarks: pd.DataFrame) -> pd.DataFrame:
    rows = remarks.groupby([*PAIR, "remark"], as_index=False)["quantity"].sum()
    return rows.assign(quantity=rows["quantity"].round(DIGITS))[REMARKS]


# ---- what came and what went ---------------------------------------------------------------------


@kept
def flows(book: Workbook, period: str, n_months: int = WINDOW) -> pd.DataFrame:
    """Sum up what came and went in the months to a period.

    From `stock_moves`, else from `sell_in` and `sell_out`.

    The window ends with the last month that the source covers, as `on_hand` does.

    Returns
    -------
    DataFrame
        One row per `dealer_id`, `product_id` with a move; in pieces `received` (less what was sent
        back to us, without transfers and openings), `sold` (less what consumers brought back),
        `sold_30d` and so on (the same, in the last days, for each of `SPANS`), `transferred_in`,
        `transferred_out`;
        `last_received_date`, `last_sold_date` (NaT: not in the window); `n_days` of the window that
        the source covers, the same in each row. Empty where nothing tells: `sold` without sell-out
        in pieces, `received` without sell-in. Models a dealer never bought from us are left out,
        where sell-in tells.
    """
    if book.scope:
        return _of(flows(book.whole, period, n_months), set(read.dealers(book)["dealer_id"]))
    records = _records(book, period)
    if records is None:
        return _empty(FLOWS)
    start = max(periods.window(f"{records.end:%Y-%m}", n_months).start, records.start)
    moves = _moves(book, records).filter(_.date >= ibis.literal(start))
    moves = moves.filter(_.kind.isin(checks.MOVE_KINDS))
    moves = moves.filter((_.kind != "transfer") | (_.to_dealer_id != _.dealer_id).fill_null(True))
    taken = moves.filter(_.kind == "transfer", _.to_dealer_id.notnull())
    moves = ibis.union(moves, taken.mutate(dealer_id=_.to_dealer_id, kind=ibis.literal("taken")))
    sold = ibis.cases((_.kind == "sale", _.quantity), (_.kind == "return", -_.quantity), else_=0.0)
    recent = {f"sold_{days}d": _.date > _cut(records.end, days) for days in SPANS}
    sums = moves.group_by(PAIR).agg(
        received=_.quantity.sum(where=_.kind == "receipt"),
        sold=sold.sum(),
        **{column: sold.sum(where=where) for column, where in recent.items()},
        transferred_in=_.quantity.sum(where=_.kind == "taken"),
        transferred_out=_.quantity.sum(where=_.kind == "transfer"),
        last_received_date=_.date.max(where=(_.kind == "receipt") & (_.quantity > 0)),
        last_sold_date=_.date.max(where=(_.kind == "sale") & (_.quantity > 0)),
    )
    rows = fetched(sums, PAIR)
    pieces = ["received", "sold", *SOLD, "transferred_in", "transferred_out"]
    # no minus before a zero
    rows[pieces] = rows[pieces].astype("float64").fillna(0.0).round(DIGITS) + 0.0
    for alone, unknown in (("sell_in", ["sold", *SOLD]), ("sell_out", ["received"])):
        if records.tables == (alone,):
            rows[unknown] = np.nan
    return rows.assign(n_days=(records.end - start).days + 1)[FLOWS]


@kept
def models(book: Workbook, language: str = "en") -> pd.DataFrame:
    """List the models of `products` and those that only occur where goods are counted, moved or
    bought.

    Returns
    -------
    DataFrame
        `product_id`, `product_name` (the id where there is none), `category`, `brand`,
        `list_price`; empty where unknown.
    """
    rows = read.records(book, "products", language)[MODELS]
    seen = [
        table(book.whole, name).select("product_id").distinct()
        for name in ("stock", "stock_moves", "sell_in")
        if read.has(book, f"{name}.product_id")
    ]
    if seen:
        ids = set(
            (ibis.union(*seen, distinct=True) if len(seen) > 1 else seen[0])
            .to_pandas()["product_id"]
            .dropna()
        )
        rows = pd.concat(
            [rows, pd.DataFrame({"product_id": sorted(ids - set(rows["product_id"]))}, dtype="str")]
        )
    rows["product_name"] = rows["product_name"].fillna(rows["product_id"])
    return rows.sort_values("product_id", ignore_index=True)


# ---- the moves -----------------------------------------------------------------------------------


def _records(book: Workbook, period: str) -> _Records | None:
    """Choose the tables that tell what came and went, and the whole months up to the period that
    all of them cover.
    """
    pieces = tuple(name for name in ("sell_in", "sell_out") if _in_pieces(book, name))
    return _records_of(book, period, ("stock_moves",)) or _records_of(book, period, pieces)


def _records_of(book: Workbook, period: str, names: tuple[str, ...]) -> _Records | None:
    """Give the whole months up to the period that all of these tables cover; None if none."""
    spans = [_span(book, name, period) for name in names if book.has(name)]
    if not spans or not all(spans):
        return None
    first, last = max(span[0] for span in spans), min(span[1] for span in spans)
    if first > last:
        return None
    return _Records(names, periods.window(first, 1).start, periods.window(last, 1).end)


def _in_pieces(book: Workbook, name: str) -> bool:
    return all(read.has(book, f"{name}.{column}") for column in (*PAIR, "quantity"))


def _span(book: Workbook, name: str, period: str) -> tuple[str, str] | None:
    """Give a table's first and last month up to the period.

    Nothing where it ended more than a year before.
    """
    table(book, name)  # an error in the data is told before its span is asked for
    months = [row for row in described(book, name)["months"] if row[0] <= period]
    if not months:
        return None
    first, last, _day = main_span(months)
    return (first, last) if last >= periods.shift(period, 1 - WINDOW) else None


def _moves(book: Workbook, records: _Records) -> Table:
    """Give the moves of the records' days, of whatever source, as `stock_moves` has them."""
    if records.tables == ("stock_moves",):
        lines = table(book, "stock_moves")
        to = _.to_dealer_id if "to_dealer_id" in lines.columns else ibis.null("string")
        lines = lines.mutate(to_dealer_id=to)
        return _dated(lines, records)
    bought, *sold = (_dated(_traded(table(book, name), name), records) for name in records.tables)
    # a till also sells what others deliver
    return (
        ibis.union(bought, sold[0].semi_join(bought.select(PAIR).distinct(), PAIR))
        if sold
        else bought
    )


def _traded(lines: Table, name: str) -> Table:
    """Read invoice or till lines as moves.

    A negative amount tells that goods came back, whatever the pieces' sign.
    """
    amount, kind = (_.revenue, "receipt") if name == "sell_in" else (_.amount, "sale")
    signed = ibis.cases((amount < 0, -_.quantity.abs()), else_=_.quantity)
    return lines.mutate(quantity=signed, kind=ibis.literal(kind), to_dealer_id=ibis.null("string"))


def _dated(lines: Table, records: _Records) -> Table:
    lines = lines.filter(_.dealer_id.notnull(), _.product_id.notnull(), _.quantity.notnull())
    lines = lines.filter(_.date.between(ibis.literal(records.start), ibis.literal(records.end)))
    return lines.select(*PAIR, "date", "kind", "to_dealer_id", quantity=_.quantity.cast("float64"))


# ---- first in, first out, in the engine ----------------------------------------------------------


def _linked(moves: Table) -> Table:
    """List the pairs of dealer and model that transfers link: few enough to be walked through."""
    given = moves.filter(_.kind == "transfer", _.to_dealer_id.notnull())
    takers = given.select(dealer_id=_.to_dealer_id, product_id=_.product_id)
    return ibis.union(given.select(PAIR), takers, distinct=True)


def _balances(moves: Table, end: dt.date) -> Table:
    """Sum up by pair: the opening, what left, what came of late, and what must lie there, transfers
    in aside.
    """
    came = _.kind.isin(ARRIVALS)
    sums = moves.group_by(PAIR).agg(
        opening=_.quantity.sum(where=_.kind == "opening").fill_null(0),
        left=ibis.cases(
            (_.kind.isin(["sale", "transfer"]), _.quantity),
            (_.kind == "return", -_.quantity),
            else_=0.0,
        ).sum(),
        late=_.quantity.sum(where=came & (_.date > _cut(end))).fill_null(0),
        came=_.quantity.sum(where=came).fill_null(0),
    )
    return sums.select(
        *PAIR,
        "late",
        opening=_.opening.round(DIGITS),
        left=_.left.round(DIGITS),
        there=(_.came - _.left).round(DIGITS),
    )


def _layers(moves: Table, balances: Table, end: dt.date) -> Table:
    """Lay what must lie there into the youngest arrivals, for the oldest left first.

    For pairs without transfers.
    """
    there = balances.filter(_.there > 0, _.left >= 0).select(*PAIR, "late", "there")
    came = moves.filter(_.kind.isin(ARRIVALS)).inner_join(there, PAIR)
    # the older ones have left: most need not be sorted
    came = came.filter((_.late < _.there) | (_.date > _cut(end)))
    days = came.group_by(*PAIR, "date").agg(
        n=_.quantity.sum(),
        opening=_.quantity.sum(where=_.kind == "opening").fill_null(0),
        there=_.there.max(),
    )
    days = days.filter(_.n > 0).mutate(so_far=_.n.cumsum(group_by=PAIR, order_by=_.date.desc()))
    days = days.mutate(quantity=ibis.least(_.there - _.so_far + _.n, _.n)).filter(_.quantity > DUST)
    # an opening leaves before what came the same day
    at_least = ibis.greatest(_.quantity - (_.n - ibis.least(_.opening, _.n)), 0.0).round(DIGITS)
    return days.select(
        *PAIR,
        quantity=_.quantity.round(DIGITS),
        received_date=_.date,
        first_dealer_id=_.dealer_id,
        at_least=ibis.cases((_.opening > 0, at_least), else_=0.0),
    )


def _cut(end: dt.date, days: int = RECENT_DAYS) -> ibis.Scalar:
    return ibis.literal(end - dt.timedelta(days=days))


def _joined(layers: Table, walked: pd.DataFrame) -> Table:
    if walked.empty:
        return layers
    given = walked.assign(
        received_date=walked["received_date"].dt.date.where(walked["received_date"].notna(), None)
    )
    given = ibis.memtable(given[list(layers.columns)], schema=layers.schema())
    return ibis.union(layers, given)


def _priced(book: Workbook, layers: Table, end: dt.date) -> Table:
    """Add what a piece cost the dealer who bought it from us.

    Give one row per dealer, model and arrival.
    """
    layers = layers.mutate(month=_month(_.received_date))
    if _in_pieces(book, "sell_in"):
        lines = table(book, "sell_in").filter(
            _.revenue > 0, _.quantity > 0, _.date <= ibis.literal(end)
        )
        lines = lines.mutate(first_dealer_id=_.dealer_id, month=_month(_.date))
        for i, keys in enumerate(
            (
                ["first_dealer_id", "product_id", "month"],
                ["first_dealer_id", "product_id"],
                ["product_id"],
            )
        ):
            prices = lines.group_by(keys).agg(
                paid=_.revenue.sum().cast("float64"), n=_.quantity.sum().cast("float64")
            )
            prices = prices.select(
                **{f"{key}_{i}": _[key] for key in keys}, **{f"price_{i}": _.paid / _.n}
            )
            layers = layers.left_join(prices, [layers[key] == prices[f"{key}_{i}"] for key in keys])
        layers = layers.mutate(price=ibis.coalesce(_.price_0, _.price_1, _.price_2))
    else:
        layers = layers.mutate(price=ibis.null("float64"))
    sums = layers.group_by(LAYERS[:3]).agg(
        quantity=_.quantity.sum(),
        at_least=_.at_least.sum(),
        value=(_.quantity * _.price).sum(),
        n=_.quantity.sum(where=_.price.notnull()),
    )
    return sums.select(*LAYERS[:4], "at_least", unit_cost=_.value / _.n)


def _month(day) -> ibis.Deferred:
    return day.year() * 12 + day.month()


def _empty(columns: list[str]) -> pd.DataFrame:
    kinds = {
        c: "datetime64[s]"
        if c.endswith("_date")
        else "str"
        if c in (*PAIR, "remark")
        else "float64"
        for c in columns
    }
    return pd.DataFrame(columns=columns).astype(kinds)
