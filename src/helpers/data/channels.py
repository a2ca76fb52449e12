"""Channel: what came to each dealer, what went on to consumers, and whether his count agrees; part
of the door.

Sell-through is what `stock_moves` call a sale. Where a dealer has none, it is `sell_out`, and only
where his count follows from it within `MEETS_RATE`: tills that tell a part would make everybody
look stuffed.
"""

from typing import NamedTuple

import ibis
import numpy as np
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from helpers import periods
from helpers.data import read, stock
from helpers.data.cache import kept
from helpers.data.read import fetched
from helpers.data.stock import NAMES, PAIR
from helpers.data.tables import table
from helpers.settings import Workbook

MEETS_RATE = 0.02  # of the pieces counted: as much may differ where tills stand for sell-through
RECENT = 3  # months of the comparison that a model is told by
MONEY = "decimal(18, 2)"
ARRIVALS = ["dealer_id", "date", "came", "sold_since", "stock"]
MONTHS = ["dealer_id", "category", "month", "came", "sold", "other", "n_came", "n_sold", "n_other"]
MODELS = [*PAIR, "price", "n_came", "n_sold", "n_sold_year", "n_stock"]
BALANCES = [*PAIR, "opening", "received", "sold", "moved", "counted", "gap", "gap_value"]
SHELVES = [*PAIR, "category", "month", "price", "net", "sold"]
SOURCES = ["dealer_id", "source", "n_counted", "n_gap", "gap_value", "counted_date"]
BOUGHT = ["dealer_id", "month", "bought"]
SEASONS = ["category", "month", "bought"]
DAYS = ["category", "date", "sold"]


class Channel(NamedTuple):
    """What the channel took in and gave on: see `channel`."""

    arrivals: pd.DataFrame
    months: pd.DataFrame
    models: pd.DataFrame
    balances: pd.DataFrame
    sources: pd.DataFrame
    bought: pd.DataFrame
    shelves: pd.DataFrame
    start: pd.Timestamp
    end: pd.Timestamp


@kept
def channel(book: Workbook, period: str) -> Channel:
    """Tell what came to each dealer and what he sold, over the months that the records cover.

    Money is pieces × one price per dealer and model, for what came as for what went, so that both
    compare: what he paid on the average, else all dealers, else the cost of the count.

    Returns
    -------
    Channel
        `arrivals`: per dealer and day on which goods came from us, `came`, `sold_since` the arrival
        before it (that day's sales with the arrival) and `stock` at the end of that day. `months`:
        per dealer, category ("" where unknown) and month, in money and pieces (`n_…`), what `came`,
        was `sold` (less what consumers brought back) and came or went in `other` ways (opening,
        transfers; what the count corrects stands in the first month). `models`: per dealer and
        model, pieces of the last `RECENT` months, sold in the year, and there at the end.
        `balances`: per dealer and model that was counted, opening + received − sold + moved against
        the count, only where they differ; the `gap` is what was counted less what should be there.
        `sources`: per dealer what tells his sell-through: "stock_moves", "sell_out", "" (nothing);
        pieces counted and missed, whatever their sign. `bought`: sell-in by month, all that the
        data have. `shelves`: per dealer, model and month in which anything moved, its category, its
        price, the pieces by which his stock grew (`net`) and those `sold`. `start`, `end`: the days
        that the records cover.
    """
    if book.scope:
        found, inside = channel(book.whole, period), set(read.dealers(book)["dealer_id"])
        cut = {
            name: rows[rows["dealer_id"].isin(inside)].reset_index(drop=True)
            for name, rows in found._asdict().items()
            if isinstance(rows, pd.DataFrame)
        }
        return found._replace(**cut)
    bought = _bought(book, period)
    told = _told(book, period)
    if told is None:
        return _nothing(bought)
    moves, records = told
    counted = _counted(book, records)
    opened = moves.filter(_.kind == "opening").limit(1).count().execute() > 0
    balances = _balances(book, moves, counted, records, opened)
    sources = _sources(moves, balances, counted, opened)
    known = ibis.memtable(sources.loc[sources["source"] != "", ["dealer_id"]], schema=_DEALER)
    moves = moves.filter(_.dealer_id.isin(known.dealer_id))
    moves = _valued(book, moves, balances, records)
    return Channel(
        _arrivals(moves),
        _months(book, moves),
        _models(moves, records),
        balances[balances["gap"] != 0].reset_index(drop=True)[BALANCES],
        sources,
        bought,
        _shelves(book, moves),
        pd.Timestamp(records.start),
        pd.Timestamp(records.end),
    )


_DEALER = {"dealer_id": "string"}


def _nothing(bought: pd.DataFrame) -> Channel:
    frames = [_typed(columns) for columns in (ARRIVALS, MONTHS, MODELS, BALANCES, SOURCES)]
    return Channel(*frames, bought, _typed(SHELVES), pd.NaT, pd.NaT)


def _typed(columns: list[str]) -> pd.DataFrame:
    text = (*PAIR, "category", "month", "source")
    return pd.DataFrame(columns=columns).astype(
        {
            c: "str" if c in text else "datetime64[s]" if c in ("date", "counted_date") else float
            for c in columns
        }
    )


# ---- which records tell --------------------------------------------------------------------------


def _told(book: Workbook, period: str) -> tuple[Table, stock._Records] | None:
    """Give the moves of all dealers, each by the first source that knows him, and its days.

    A dealer whom `stock_moves` do not know is followed by what he bought and his tills.
    """
    records = stock._records(book, period)
    if records is None or not records.source:
        return None
    moves = _signed(stock._moves(book, records), records.source)
    both = all(stock._in_pieces(book, name) for name in ("sell_in", "sell_out"))
    tills = stock._records_of(book, period, ("sell_in", "sell_out")) if both else None
    if records.source == "stock_moves" and tills:
        both = tills._replace(
            start=max(tills.start, records.start), end=min(tills.end, records.end)
        )
        if both.end == records.end and both.start < both.end:
            others = _signed(stock._moves(book, both), "sell_in")
            moves = ibis.union(moves, others.anti_join(moves.select("dealer_id"), "dealer_id"))
    return moves, records


def _signed(moves: Table, source: str) -> Table:
    """Tell of each move what `came` from us, was `sold`, or came or went in `other` ways.

    Transfers stand with both dealers.
    """
    moves = moves.filter((_.kind != "transfer") | (_.to_dealer_id != _.dealer_id).fill_null(True))
    taken = moves.filter(_.kind == "transfer", _.to_dealer_id.notnull())
    moves = ibis.union(moves, taken.mutate(dealer_id=_.to_dealer_id, kind=ibis.literal("taken")))
    kind, n = _.kind, _.quantity
    return moves.select(
        *PAIR,
        "date",
        "kind",
        came=ibis.cases((kind == "receipt", n), else_=0.0),
        sold=ibis.cases((kind == "sale", n), (kind == "return", -n), else_=0.0),
        other=ibis.cases((kind.isin(["opening", "taken"]), n), (kind == "transfer", -n), else_=0.0),
        source=ibis.literal("stock_moves" if source == "stock_moves" else "sell_out"),
    )


# ---- does the count agree ------------------------------------------------------------------------


def _counted(book: Workbook, records: stock._Records) -> Table | None:
    """Give the counts of the records' months, pieces by dealer, model and day."""
    if not book.has("stock"):
        return None
    lots = table(book, "stock").filter(
        _.dealer_id.notnull(),
        _.product_id.notnull(),
        _.snapshot_date.between(ibis.literal(records.start), ibis.literal(records.end)),
    )
    return lots.group_by(*PAIR, day=_.snapshot_date).agg(
        n=_.quantity.sum().cast("float64"),
        cost=(_.quantity * _.unit_cost).sum().cast("float64"),
    )


def _balances(
    book: Workbook,
    moves: Table,
    counted: Table | None,
    records: stock._Records,
    opened: bool,
) -> pd.DataFrame:
    """Set opening + received − sold + moved against the last count, per dealer and model.

    The opening is that of the moves, else the dealer's first count; what was received is what we
    invoiced, where it is told in pieces over all these months, else the moves' receipts. Counts
    before the last month of the records are no last counts.
    """
    columns = [*BALANCES, "counted_date", "cost"]
    if counted is None:
        return _typed(columns)
    days = counted.group_by("dealer_id").agg(last=_.day.max(), first=_.day.min())
    days = days.filter(_.last >= ibis.literal(periods.window(f"{records.end:%Y-%m}", 1).start))
    if not opened:
        days = days.filter(_.first < _.last)
    moves = moves.inner_join(days, "dealer_id").filter(_.date <= _.last)
    if not opened:
        moves = moves.filter(_.date > _.first)
    sums = moves.group_by(PAIR).agg(
        opening=_.other.sum(where=_.kind == "opening").fill_null(0.0),
        received=_.came.sum(),
        sold=_.sold.sum(),
        moved=_.other.sum(where=_.kind != "opening").fill_null(0.0),
    )
    counts = counted.inner_join(days, "dealer_id")
    last = counts.filter(_.day == _.last).select(*PAIR, counted="n", cost="cost")
    rows = sums.outer_join(last, PAIR)
    rows = rows.select(
        **{key: ibis.coalesce(rows[key], rows[f"{key}_right"]) for key in PAIR},
        **{c: rows[c] for c in ("opening", "received", "sold", "moved", "counted", "cost")},
    )
    found = fetched(rows, PAIR)
    pieces = ["opening", "received", "sold", "moved", "counted"]
    found[pieces] = found[pieces].astype(float).fillna(0.0).round(stock.DIGITS)
    if not opened:
        first = fetched(counts.filter(_.day == _.first).select(*PAIR, opened="n"), PAIR)
        if len(found) or len(first):
            found = found.merge(first, on=PAIR, how="outer")
        else:
            found["opened"] = 0.0
        found[pieces] = found[pieces].fillna(0.0)
        found["opening"] = found.pop("opened").fillna(0.0)
    if (invoiced := _invoiced(book, records, days, opened)) is not None:
        own = found["dealer_id"].isin(invoiced["dealer_id"])
        keyed = _looked_up(found, invoiced, "invoiced")
        found["received"] = found["received"].mask(own, pd.Series(keyed).fillna(0.0))
    found["gap"] = found.eval("counted - (opening + received - sold + moved)").round(stock.DIGITS)
    found["gap"] = found["gap"] + 0.0  # no minus before a zero
    dates = fetched(days.select("dealer_id", counted_date="last"), ["dealer_id"])
    dates = dates.set_index("dealer_id")["counted_date"]
    found["counted_date"] = pd.to_datetime(found["dealer_id"].map(dates.to_dict()))
    return found.assign(gap_value=float("nan"))[columns]


def _invoiced(
    book: Workbook,
    records: stock._Records,
    days: Table,
    opened: bool,
) -> pd.DataFrame | None:
    """Sum up the pieces that we invoiced in the days of a balance; nothing where they are not all
    told.
    """
    if not stock._in_pieces(book, "sell_in"):
        return None
    span = stock._span(book, "sell_in", f"{records.end:%Y-%m}")
    if not span or span[0] > f"{records.start:%Y-%m}" or span[1] < f"{records.end:%Y-%m}":
        return None
    lines = stock._dated(stock._traded(table(book, "sell_in"), "sell_in"), records)
    lines = lines.inner_join(days, "dealer_id").filter(_.date <= _.last)
    if not opened:
        lines = lines.filter(_.date > _.first)
    return fetched(lines.group_by(PAIR).agg(invoiced=_.quantity.sum()), PAIR)


def _sources(
    moves: Table,
    balances: pd.DataFrame,
    counted: Table | None,
    opened: bool,
) -> pd.DataFrame:
    """Say what tells each dealer's sell-through, and how far his count is off."""
    rows = fetched(
        moves.group_by("dealer_id").agg(
            source=_.source.min(), n_sales=_.sold.sum(where=_.kind == "sale")
        ),
        ["dealer_id"],
    )
    sums = balances.assign(n_gap=balances["gap"].abs()).groupby("dealer_id")
    sums = sums.agg(
        n_counted=("counted", "sum"), n_gap=("n_gap", "sum"), counted_date=("counted_date", "max")
    )
    rows = rows.merge(sums, left_on="dealer_id", right_index=True, how="left")
    meets = (rows["n_gap"] <= MEETS_RATE * rows["n_counted"]).fillna(value=False)
    level = opened | rows["n_counted"].notna()  # else nobody knows what lay there at first
    known = (rows["n_sales"] > 0) & level & ((rows["source"] == "stock_moves") | meets)
    rows["source"] = rows["source"].where(known, "").astype("str")
    return rows.assign(gap_value=float("nan"))[SOURCES]


def _looked_up(rows: pd.DataFrame, known: pd.DataFrame, column: str) -> np.ndarray:
    """Give a column by dealer and model, NaN where it is not known."""
    if rows.empty or known.empty:  # pandas can't merge two empty columns of Arrow's text
        return np.full(len(rows), np.nan)
    return rows[PAIR].merge(known, on=PAIR, how="left")[column].to_numpy(float)


# ---- what came and what went, in money -----------------------------------------------------------


def _valued(book: Workbook, moves: Table, balances: pd.DataFrame, records: stock._Records) -> Table:
    """Add each model's price at the dealer, and its moves in money; fill in what pieces cost.

    What the count has more or less than the moves stands as an `other` move on the first day, so
    that stock comes to what was counted. `balances` get their `gap_value`.
    """
    fixed = balances.loc[balances["gap"] != 0, [*PAIR, "gap"]].rename(columns={"gap": "other"})
    fixed = ibis.memtable(fixed, schema={**NAMES, "other": "float64"})
    fixed = fixed.filter(_.dealer_id.isin(moves.dealer_id))
    fixed = fixed.select(
        *PAIR,
        date=ibis.literal(records.start),
        kind=ibis.literal("count"),
        came=ibis.literal(0.0),
        sold=ibis.literal(0.0),
        other=_.other,
        source=ibis.literal(""),
    )
    moves = ibis.union(moves, fixed)
    prices = _prices(book, moves, balances, records)
    moves = moves.left_join(prices, PAIR).drop("dealer_id_right", "product_id_right")
    money = {
        f"{c}_value": (moves[c] * moves.price).round(2).cast(MONEY)
        for c in ("came", "sold", "other")
    }
    valued = moves.mutate(**money)
    known = fetched(prices, PAIR)
    price = _looked_up(balances, known, "price")
    balances["gap_value"] = (balances["gap"] * price).round(2)
    return valued


def _prices(book: Workbook, moves: Table, balances: pd.DataFrame, records: stock._Records) -> Table:
    """Give what a piece of a model costs a dealer, in cents: his own average, else everybody's."""
    pairs = moves.select(PAIR).distinct()
    costs = balances[balances["cost"].notna() & (balances["counted"] > 0)]
    costs = costs.groupby("product_id")[["cost", "counted"]].sum()
    costs = (costs["cost"] / costs["counted"]).rename("cost").reset_index()
    costs = ibis.memtable(costs, schema={"product_id": "string", "cost": "float64"})
    costs = costs.select(counted=_.product_id, cost=_.cost)
    rows = pairs.left_join(costs, pairs.product_id == costs.counted)
    if not stock._in_pieces(book, "sell_in"):
        return rows.select(*PAIR, price=_.cost.round(2))
    lines = table(book, "sell_in").filter(
        _.revenue > 0, _.quantity > 0, _.date <= ibis.literal(records.end)
    )
    paid, n = _.revenue.sum().cast("float64"), _.quantity.sum().cast("float64")
    own = lines.group_by(whose=_.dealer_id, what=_.product_id).agg(own=paid / n)
    usual = lines.group_by(model=_.product_id).agg(usual=paid / n)
    rows = rows.left_join(own, [rows.dealer_id == own.whose, rows.product_id == own.what])
    rows = rows.left_join(usual, rows.product_id == usual.model)
    return rows.select(*PAIR, price=ibis.coalesce(_.own, _.usual, _.cost).round(2))


def _arrivals(moves: Table) -> pd.DataFrame:
    """Follow each dealer's stock through his days, and keep those on which goods came."""
    days = moves.filter(_.price.notnull()).group_by("dealer_id", "date")
    days = days.agg(
        came=_.came_value.sum(),
        sold=_.sold_value.sum(),
        other=_.other_value.sum(),
    )
    so_far = {"group_by": "dealer_id", "order_by": _.date}
    days = days.mutate(
        gone=_.sold.cumsum(**so_far),
        stock=(_.came - _.sold + _.other).cumsum(**so_far),
    )
    days = days.filter(_.came > 0)
    before = _.gone.lag().over(group_by="dealer_id", order_by=_.date)
    days = days.select("dealer_id", "date", "came", "stock", sold_since=_.gone - before)
    rows = fetched(days, ["dealer_id", "date"])
    rows["date"] = pd.to_datetime(rows["date"])
    money = ["came", "sold_since", "stock"]
    return rows.astype(dict.fromkeys(money, "float64"))[ARRIVALS]


def _months(book: Workbook, moves: Table) -> pd.DataFrame:
    sums = _of_categories(book, moves.filter(_.price.notnull()))
    sums = sums.group_by("dealer_id", "category", month=_.date.strftime("%Y-%m")).agg(
        came=_.came_value.sum(),
        sold=_.sold_value.sum(),
        other=_.other_value.sum(),
        n_came=_.came.sum(),
        n_sold=_.sold.sum(),
        n_other=_.other.sum(),
    )
    rows = fetched(sums, ["dealer_id", "category", "month"])
    return rows.astype(dict.fromkeys(MONTHS[3:], "float64"))[MONTHS]


def _shelves(book: Workbook, moves: Table) -> pd.DataFrame:
    sums = _of_categories(book, moves.filter(_.price.notnull()))
    sums = sums.group_by(*PAIR, "category", month=_.date.strftime("%Y-%m")).agg(
        price=_.price.max(), net=(_.came - _.sold + _.other).sum(), sold=_.sold.sum()
    )
    rows = fetched(sums, [*PAIR, "month"])
    return rows.astype(dict.fromkeys(SHELVES[4:], "float64"))[SHELVES]


def _of_categories(book: Workbook, lines: Table) -> Table:
    """Add each line's category, "" where none is told."""
    if not read.has(book, "products.category"):
        return lines.mutate(category=ibis.literal(""))
    kinds = table(book, "products").filter(_.product_id.notnull())
    kinds = kinds.group_by(kind_of=_.product_id).agg(category=_.category.min())
    rows = lines.left_join(kinds, lines.product_id == kinds.kind_of).drop("kind_of")
    return rows.mutate(category=_.category.fill_null(""))


def _models(moves: Table, records: stock._Records) -> pd.DataFrame:
    end = f"{records.end:%Y-%m}"
    recent = _.date >= ibis.literal(periods.window(end, RECENT).start)
    year = _.date >= ibis.literal(periods.window(end).start)
    sums = moves.group_by(PAIR).agg(
        price=_.price.max(),
        n_came=_.came.sum(where=recent),
        n_sold=_.sold.sum(where=recent),
        n_sold_year=_.sold.sum(where=year),
        n_stock=(_.came - _.sold + _.other).sum(),
    )
    rows = fetched(sums, PAIR)
    rows[MODELS[2:]] = rows[MODELS[2:]].astype("float64")
    pieces = MODELS[3:]
    rows[pieces] = rows[pieces].fillna(0.0).round(stock.DIGITS) + 0.0
    return rows[MODELS]


def _bought(book: Workbook, period: str) -> pd.DataFrame:
    """Sum up what each dealer bought of ours, month by month, all that the data have."""
    if not book.has("sell_in"):
        return _typed(BOUGHT).astype({"bought": float})
    lines = read.of_our_brand(book, table(book, "sell_in"))
    lines = lines.filter(
        _.dealer_id.notnull(), _.date <= ibis.literal(periods.window(period, 1).end)
    )
    sums = lines.group_by("dealer_id", month=_.date.strftime("%Y-%m")).agg(bought=_.revenue.sum())
    rows = fetched(sums, BOUGHT[:2])
    return rows.astype({"bought": "float64"})[BOUGHT]


@kept
def seasons(book: Workbook, period: str) -> pd.DataFrame:
    """Sum up sell-in by category and month, all dealers together, over all months to a period.

    Returns
    -------
    DataFrame
        `category` ("" where unknown), `month`, `bought`; empty where sell-in names no model.
        A network's season is its own, whatever part of it is asked for: the scope does not cut it.
    """
    book = book.whole
    if not read.has(book, "sell_in.product_id"):
        return _typed(SEASONS).astype({"bought": float})
    lines = _of_categories(book, read.of_our_brand(book, table(book, "sell_in")))
    lines = lines.filter(_.date <= ibis.literal(periods.window(period, 1).end))
    sums = lines.group_by("category", month=_.date.strftime("%Y-%m")).agg(bought=_.revenue.sum())
    rows = fetched(sums, SEASONS[:2])
    return rows.astype({"bought": "float64"})[SEASONS]


@kept
def category_days(book: Workbook, period: str) -> pd.DataFrame:
    """Sum up what all dealers sold by category and day, in pieces, to the end of a period.

    Less what consumers brought back; of whatever tells what they sold, as `flows` does. The scope
    does not cut it, for the season is the network's.

    Returns
    -------
    DataFrame
        `category` ("" where unknown), `date`, `sold`; empty where nothing tells.
    """
    book = book.whole
    records = stock._records(book, period)
    if records is None or not records.source:
        return _typed(DAYS).astype({"sold": float})
    moves = stock._moves(book, records).filter(_.kind.isin(["sale", "return"]))
    moves = moves.mutate(n=ibis.cases((_.kind == "sale", _.quantity), else_=-_.quantity))
    sums = _of_categories(book, moves).group_by("category", "date").agg(sold=_.n.sum())
    rows = fetched(sums, DAYS[:2])
    rows["date"] = pd.to_datetime(rows["date"])
    return rows.astype({"sold": "float64"})[DAYS]
