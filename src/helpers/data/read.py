"""The door: canonical tables → small pandas tables.

Lines never reach pandas, only aggregates do.
"""

import os
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from helpers import periods
from helpers.data import checks, scope
from helpers.data.cache import kept
from helpers.data.connections import source_name
from helpers.data.findings import day_column, main_span
from helpers.data.orders import order_days
from helpers.data.tables import described, errors, fingerprint, table
from helpers.data.wording import in_words
from helpers.settings import DataError, Workbook, contract, nearest, refusal
from helpers.settings import workbook as settings_workbook

# the settings and tables too, for notebooks and the press, which know no other door
__all__ = ["DataError", "Workbook", "fingerprint"]


def workbook(path: str | Path, scope: str = "") -> Workbook:
    """Open a workbook, cut to a scope such as "region=East|North;store_format=chain".

    What the toml's own scope leaves is cut further; `WORKBOOK_SCOPE` in the environment cuts where
    the path is the bare "workbook.toml".

    Raises
    ------
    DataError
        If the settings are wrong, or no dealer is in the scope.
    """
    book = settings_workbook(path)
    if str(path) == "workbook.toml":
        book = book.only(os.environ.get("WORKBOOK_SCOPE", ""))
    return in_scope(book.only(scope))


def in_scope(book: Workbook) -> Workbook:
    """Give a workbook as its scope leaves it; see `data.scope`.

    Raises
    ------
    DataError
        If a column or value of the scope is not among the dealers, or no dealer is in it.
    """
    return scope.in_scope(book, table)


# ---- periods of the data -------------------------------------------------------------------------


@kept
def span(book: Workbook) -> tuple[str, str]:
    """Give the first month with data and the last complete one, of sell-in or else sell-out.

    Raises
    ------
    DataError
        If there is no dated line.
    """
    name = "sell_in" if book.has("sell_in") else "sell_out"
    table(book, name)  # an error in the data is told before its span is asked for
    months = described(book, name)["months"]
    if not months:
        raise refusal("no_day", name=name, source=source_name(book, name))
    first, _last, day = main_span(months)
    last = periods.last_complete_month(pd.Timestamp(day).date())
    if last < first:
        raise refusal(
            "no_whole_month", name=name, source=source_name(book, name), first=first, day=day
        )
    return first, last


def require_period(book: Workbook, period: str = "") -> str:
    """Return the period asked for, or the last complete month where none is.

    Raises
    ------
    ValueError
        If it is malformed or without data; the months that have data are named.
    """
    first, last = span(book)
    if not period:
        return last
    periods.require_month(period)
    if not first <= period <= last:
        raise refusal("no_period", period=period, toml=book.path.name, first=first, last=last)
    return period


@kept
def covered(book: Workbook, period: str, n_months: int = 12) -> periods.Covered:
    """Tell which part of a window the data cover.

    No figure over the rest may be made up, or scaled to it.

    A window is whole from the month of the first dated line on: who invoices on the fifth has a
    whole month. A window that is not begins with the first line itself, or, where all lines of a
    month have one date, with its month. A year counts 365 days, a leap year too.
    """
    start, end = periods.window(period, n_months)
    first, _last = span(book)
    if first <= f"{start:%Y-%m}":
        return periods.Covered(start, end, min((end - start).days + 1, 365), n_months, True)
    known = max(_n_covered(book, period, 1), 1)
    start = periods.window(period, known).start
    name = "sell_in" if book.has("sell_in") else "sell_out"
    lines = within(table(book.whole, name), "date", period, known)
    row = lines.agg(first=lines.date.min(), n=lines.date.nunique()).to_pandas().iloc[0]
    if pd.notna(row["first"]) and row["n"] > known:
        start = pd.Timestamp(row["first"]).date()
    return periods.Covered(start, end, (end - start).days + 1, known, False)


def values_of(book: Workbook, column: str) -> list[str]:
    """List what a column of `dealers` holds among those in scope, in order; nothing for empty.

    Raises
    ------
    DataError
        If there is no such column.
    """
    rows = table(book, "dealers")
    if column not in rows.columns:
        raise refusal("dealers_column", column=column, near=nearest(column, rows.columns))
    return sorted(rows.select(column).distinct().to_pandas()[column].dropna().astype("str"))


def prepare(book: Workbook) -> None:
    """Read, check and keep every table, so that all that follows only aggregates.

    Raises
    ------
    DataError
        If any table holds an error: all of them are named, a line each.
    """
    found = [finding for name in book.tables for finding in errors(book, name)]
    found = found or [*checks.brand_errors(book.whole), *checks.override_errors(book.whole)]
    found = found or checks.plan_errors(book.whole)
    found = found or checks.id_errors(book.whole)
    if found:
        raise DataError("\n".join(in_words(book, finding) for finding in found))


# what tells of each dealer, and so makes a card of him
JUDGED_BY = "sell_in.dealer_id|payments|dealer_profit"


def has(book: Workbook, name: str) -> bool:
    """Whether the workbook has a table, or a column of it written as "table.column".

    Any of several between bars.
    """
    asked = [one.partition(".") for one in name.split("|")]
    return any(
        book.has(name) and (not column or column in table(book, name).columns)
        for name, _dot, column in asked
    )


def tells(book: Workbook, name: str, period: str) -> bool:
    """Whether the workbook has what `has` asks for, with a line up to a period, or any where lines
    have no date.

    A column tells something where a line up to then has it: of who buys, one on which something
    was bought, for who only brings back is nobody's customer.
    """

    def reaches(one: str) -> bool:
        of, _dot, column = one.partition(".")
        known = described(book, of)
        months = known.get("months", [])
        if not (months[0][0] <= period if months else known.get("rows", 0) > 0):
            return False
        if not column and not book.scope:
            return True
        lines = table(book, of)
        lines = lines.filter(_[column].notnull()) if column else lines
        if months and (day := day_column(of, lines.columns)):
            last = periods.window(period).end.isoformat()
            lines = lines.filter(_[day].cast("string").substr(0, len(last)) <= last)
        lines = lines.filter(_.amount > 0) if column == "consumer_id" else lines
        return lines.limit(1).count().to_pyarrow().as_py() > 0

    return any(has(book, one) and reaches(one) for one in name.split("|"))


# ---- small tables for pandas ---------------------------------------------------------------------


def records(book: Workbook, name: str, language: str = "en") -> pd.DataFrame:
    """Read a small table whole, with all columns of the contract; without the table, no rows.

    On English pages a column that has a twin ending in `_en` shows that.
    """
    known = [c for c in contract()[name] if c != "*"]
    rows = table(book, name).to_pandas() if book.has(name) else pd.DataFrame(columns=known)
    rows = rows.reindex(columns=[*known, *(c for c in rows.columns if c not in known)])
    for column in known:
        kind = contract()[name][column].kind
        if kind == "date":
            rows[column] = pd.to_datetime(rows[column])
        else:
            rows[column] = rows[column].astype("float64" if kind in ("number", "money") else "str")
    for twin in [c for c in known if c.endswith("_en")]:
        plain = twin.removesuffix("_en")
        wanted, other = (twin, plain) if language == "en" else (plain, twin)
        rows[plain] = rows[wanted].fillna(rows[other])
        rows = rows.drop(columns=twin)
    return rows.sort_values(list(rows.columns), ignore_index=True)


@kept
def dealers(book: Workbook, language: str = "en") -> pd.DataFrame:
    """Give one row per dealer.

    Those of `dealers` and those that only occur in transactions, named by their id.

    `listed` tells them apart; each column of the contract is there, empty where nothing is known.
    """
    rows = records(book, "dealers", language)
    seen = [
        table(book, t).select("dealer_id")
        for t in ("sell_in", "payments", "dealer_profit", "sell_out")
        if book.has(t) and "dealer_id" in table(book, t).columns
    ]
    ids = (
        ibis.union(*seen, distinct=True) if len(seen) > 1 else seen[0].distinct() if seen else None
    )
    known = (
        set() if ids is None else set(ids.filter(_.dealer_id.notnull()).to_pandas()["dealer_id"])
    )
    rows["listed"] = True
    unknown = pd.DataFrame({"dealer_id": sorted(known - set(rows["dealer_id"])), "listed": False})
    rows = pd.concat([rows, unknown], ignore_index=True) if len(unknown) else rows
    rows["dealer_name"] = rows["dealer_name"].fillna(rows["dealer_id"])
    return rows.sort_values("dealer_id", ignore_index=True)


def brand_share_basis(book: Workbook, period: str = "") -> str:
    """Tell what our brand's share is a share of.

    "dealer_profit", else "purchases", else "" where nothing tells. With a period, dealers must
    have reported in its twelve months: an empty table, or one of other years, is no basis.
    """
    if not book.brand:
        return ""
    if book.has("dealer_profit"):
        inside = _.month.between(periods.shift(period, -11), period) if period else True
        reports = table(book, "dealer_profit").filter(_.dealer_id.notnull(), inside).limit(1)
        if not period or len(reports.select("month").to_pandas()):
            return "dealer_profit"
    if not book.has("sell_in") or _brand(book, table(book, "sell_in")) is None:
        return ""
    # a brand's own books hold no rival: a share of them would be 100 % everywhere
    lines = _branded(book, table(book, "sell_in"))
    rivals = lines.filter(_.brand.notnull() & (_.brand != book.brand)).limit(1)
    return "purchases" if len(rivals.select("brand").to_pandas()) else ""


@kept
def dealer_totals(
    book: Workbook, period: str, *, n_months: int = 12, n_windows: int = 1, basis_at: str = ""
) -> pd.DataFrame:
    """Sum up each dealer's window; with several windows each of those that the data cover whole.

    `basis_at` is the period whose `brand_share_basis` holds, where it is another one: only shares
    of the same whole can be compared.

    Returns
    -------
    DataFrame
        One row per dealer who bought or paid in the window (and per `window_end`, where there are
        several): `purchases` of all brands, and of ours `revenue`, `gross_profit` (revenue − rebate
        − cost, of the lines that have a cost; a line without rebate has none), `covered_revenue`
        (of the same lines: what gross profit is the margin of), `quantity`; `payments`;
        `brand_part` and `brand_total`, whose ratio is `brand_share`. Money is summed exactly before
        it becomes a float; a column is empty where its table or its cost is missing. Lines without
        a dealer are left out: see `reconciliation`.
    """
    if n_windows > 1:
        n_windows = max(min(n_windows, _n_covered(book, period, n_months)), 2)
    parts = [
        part
        for part in (
            _sell_in_sums(book, period, n_months, n_windows),
            _payment_sums(book, period, n_months, n_windows),
            _profit_sums(book, period, n_months, n_windows),
        )
        if part is not None
    ]
    if not parts:
        raise refusal("no_dealers_without", toml=book.path.name)
    keys = ["dealer_id"] + (["block"] if n_windows > 1 else [])
    # by way of Arrow: to_pandas() alone would convert each column anew, a fifth of the time of
    # 500,000 dealers
    rows = (
        _joined([part.filter(_.dealer_id.notnull()) for part in parts], keys)
        .to_pyarrow()
        .to_pandas()
    )
    return _finished(rows, book, period, n_months, n_windows, basis_at or period)


def _joined(parts: list[Table], keys: list[str]) -> Table:
    """Join aggregates that have the same keys, keeping every dealer."""
    joined = parts[0]
    for part in parts[1:]:
        right = part.rename({f"{key}_right": key for key in keys})
        joined = joined.outer_join(right, [joined[key] == right[f"{key}_right"] for key in keys])
        joined = joined.mutate(
            **{key: ibis.coalesce(joined[key], joined[f"{key}_right"]) for key in keys}
        )
        joined = joined.drop(*[f"{key}_right" for key in keys])
    return joined


def _finished(
    rows: pd.DataFrame, book: Workbook, period: str, n_months: int, n_windows: int, basis_at: str
) -> pd.DataFrame:
    basis = brand_share_basis(book, basis_at)
    if dealt := [c for c in ("purchases", "payments") if c in rows]:
        # who only sells rivals is no dealer of the window
        rows = rows[rows[dealt].notna().any(axis=1)].copy()
    # where the table is there, a dealer without a line really has zero; where it is not, nothing is
    # known
    bought = "purchases" in rows and rows["purchases"].notna().any()
    # bought ours: a profit of zero, not an unknown one
    nobody = bought and rows["revenue"].isna().all()
    for column in ("gross_profit", "quantity", "revenue", "purchases", "payments"):
        told = bought if column == "revenue" else column in rows and rows[column].notna().any()
        if not told and not (nobody and column in rows and column in ("gross_profit", "quantity")):
            rows[column] = np.nan
        elif column in ("gross_profit", "quantity"):
            # he bought, but no line of his has a cost: unknown, not zero
            rows[column] = rows[column].mask(rows["revenue"].isna(), 0.0)
        else:
            rows[column] = rows[column].fillna(0.0)
    costed = rows["gross_profit"].notna().any()
    rows["covered_revenue"] = rows["covered_revenue"].fillna(0.0) if costed else np.nan
    if basis == "purchases":
        rows["brand_part"], rows["brand_total"] = rows["revenue"], rows["purchases"]
    elif not basis:
        rows["brand_part"] = rows["brand_total"] = np.nan
    rows["brand_share"] = rows["brand_part"] / rows["brand_total"].where(rows["brand_total"] > 0)
    first = ["dealer_id"]
    if n_windows > 1:
        rows = rows[rows["block"] < _n_covered(book, period, n_months)].copy()
        rows["window_end"] = rows.pop("block").map(
            {block: periods.shift(period, -n_months * block) for block in range(n_windows)}
        )
        first.append("window_end")
    columns = [
        "purchases",
        "revenue",
        "gross_profit",
        "covered_revenue",
        "quantity",
        "payments",
        "brand_part",
        "brand_total",
        "brand_share",
    ]
    return rows[[*first, *columns]].sort_values(first, ignore_index=True)


def dealers_by_size(book: Workbook, period: str) -> list[str]:
    """List the dealers of a window, the largest first.

    By what they bought of ours, else of all, else by payments.
    """
    rows = dealer_totals(book, period)
    size = next(
        (rows[c] for c in ("revenue", "purchases", "payments") if rows[c].notna().any()),
        rows["purchases"],
    )
    rows = rows.assign(size=size.fillna(0.0)).sort_values(
        ["size", "dealer_id"], ascending=[False, True]
    )
    return rows["dealer_id"].to_list()


def previous_totals(book: Workbook, period: str) -> pd.DataFrame:
    """Sum up the twelve months before the window.

    No rows where the data do not reach back that far.
    """
    totals = dealer_totals(book, periods.shift(period, -12), basis_at=period)
    return totals if _n_covered(book, period, 12) >= 2 else totals.head(0)


def _n_covered(book: Workbook, period: str, n_months: int) -> int:
    """Count the whole windows between the first month with data and the period."""
    first, _last = span(book)
    n = (int(period[:4]) - int(first[:4])) * 12 + int(period[5:]) - int(first[5:]) + 1
    return n // n_months


def dealer_months(book: Workbook, period: str) -> pd.DataFrame:
    """Sum up each dealer's months up to a period, all that the data have.

    Columns as `dealer_totals`, with `month`.
    """
    n = _n_covered(book, period, 1)
    rows = dealer_totals(book, period, n_months=1, n_windows=max(n, 2))
    return rows.rename(columns={"window_end": "month"})


@kept
def sold_out_months(book: Workbook, period: str) -> pd.Series:
    """Sum up what consumers bought, month by month with any sale, over the 24 months that end with
    a period.
    """
    lines = within(table(book, "sell_out"), "date", period, 24)
    rows = lines.group_by(month=_.date.strftime("%Y-%m")).agg(amount=_.amount.sum())
    return fetched(rows, ["month"]).set_index("month")["amount"].astype("float64")


@kept
def dealer_orders(book: Workbook, period: str) -> pd.DataFrame:
    """Count each dealer's days with a purchase of ours in the window.

    `n_orders`, `last_order_date`, `revenue`.

    Returns and lines of zero are no purchase, nor is what was cancelled the day it was booked; a
    dealer without one has 0 days and no date.
    """
    lines = of_our_brand(book, table(book, "sell_in"))
    lines = within(lines.filter(_.dealer_id.notnull()), "date", period, 12)
    days = order_days(lines).group_by(ordered_by=_.dealer_id)
    days = days.agg(n_orders=_.count(), last_order_date=_.date.max())
    sums = lines.group_by("dealer_id").agg(revenue=_.revenue.sum().cast("float64"))
    rows = sums.left_join(days, sums.dealer_id == days.ordered_by)
    rows = rows.select("dealer_id", "n_orders", "last_order_date", "revenue").to_pandas()
    rows["n_orders"] = rows["n_orders"].fillna(0).astype("int64")
    rows["last_order_date"] = pd.to_datetime(rows["last_order_date"])
    return rows.sort_values("dealer_id", ignore_index=True)


@kept
def reconciliation(book: Workbook, period: str) -> pd.DataFrame:
    """Sum up the window's lines with and without a dealer id: rows revenue, purchases, payments.

    `identified`,
    `unidentified`, `total` as money and `n_unidentified` as lines.
    """
    found = {}
    for name, column in (("sell_in", "revenue"), ("payments", "amount")):
        if not book.has(name):
            continue
        lines = within(table(book, name), "date", period, 12)
        known = lines.dealer_id.notnull()
        sums = lines.agg(
            identified=lines[column].sum(where=known).cast("float64"),
            total=lines[column].sum().cast("float64"),
            n_unidentified=lines.dealer_id.isnull().sum(),
        ).to_pandas()
        found["purchases" if name == "sell_in" else "payments"] = sums.iloc[0]
    if not found:
        return pd.DataFrame(
            columns=["indicator", "identified", "unidentified", "total", "n_unidentified"]
        )
    rows = pd.DataFrame(found).T.fillna(0.0).rename_axis("indicator").reset_index()
    rows["unidentified"] = (rows["total"] - rows["identified"]).round(2)
    return rows[["indicator", "identified", "unidentified", "total", "n_unidentified"]]


def fetched(rows: Table, by: list[str] | None = None) -> pd.DataFrame:
    """Fetch an aggregate in order.

    By way of Arrow, which converts a million rows in half the time.
    """
    found = rows.to_pyarrow()
    found = (found.sort_by([(column, "ascending") for column in by]) if by else found).to_pandas()
    for column, kind in rows.schema().items():
        if kind.is_date():
            found[column] = pd.to_datetime(found[column]).astype("datetime64[s]")
    return found


# ---- aggregates in the engine --------------------------------------------------------------------


def within(lines: Table, day: str, period: str, n_months: int) -> Table:
    """Cut lines to the months that end with a period, by the column `day`."""
    start, end = periods.window(period, n_months)
    return lines.filter(lines[day].between(ibis.literal(start), ibis.literal(end)))


def _block(
    lines: Table, day: str, period: str, n_months: int, n_windows: int
) -> tuple[Table, list[str]]:
    """Cut lines to the windows; with several, number them backwards from the last, 0."""
    lines = within(lines, day, period, n_months * n_windows)
    if n_windows == 1:
        return lines, ["dealer_id"]
    last = int(period[:4]) * 12 + int(period[5:])
    month = lines[day].year() * 12 + lines[day].month()
    return lines.mutate(block=((ibis.literal(last) - month) // n_months).cast("int64")), [
        "dealer_id",
        "block",
    ]


def _brand(book: Workbook, lines: Table) -> str | None:
    """Say where the brand of a sell-in line stands: in the line, with its product, or nowhere."""
    if "brand" in lines.columns:
        return "line"
    has_product = (
        book.has("products")
        and "product_id" in lines.columns
        and "brand" in table(book, "products").columns
    )
    return "product" if has_product else None


def _branded(book: Workbook, lines: Table) -> Table:
    """Add `ours`: whether a sell-in line is of our brand.

    Without any brand in the data all lines are.
    """
    where = _brand(book, lines) if book.brand else None
    if where == "product":
        brands = table(book, "products").select(_product_id=_.product_id, brand=_.brand)
        lines = lines.left_join(brands, lines.product_id == brands._product_id)
    if where is None:
        return lines.mutate(ours=ibis.literal(True))
    return lines.mutate(ours=(_.brand == book.brand).fill_null(False))


def of_our_brand(book: Workbook, lines: Table) -> Table:
    """Cut lines of sell-in to our brand; without any brand in the data all are ours."""
    return _branded(book, lines).filter(_.ours)


def _sell_in_sums(book: Workbook, period: str, n_months: int, n_windows: int) -> Table | None:
    if not book.has("sell_in"):
        return None
    lines, keys = _block(table(book, "sell_in"), "date", period, n_months, n_windows)
    all_ours = not book.brand or _brand(book, lines) is None
    lines = lines if all_ours else _branded(book, lines)
    where = None if all_ours else _.ours
    sums = {
        "purchases": _.revenue.sum().cast("float64"),
        "revenue": _.revenue.sum(where=where).cast("float64"),
    }
    if "cost" in lines.columns:
        profit = _.revenue - _.cost
        profit = profit - _.rebate.fill_null(0) if "rebate" in lines.columns else profit
        sums["gross_profit"] = profit.sum(where=where).cast("float64")
        costed = _.cost.notnull() if where is None else _.ours & _.cost.notnull()
        sums["covered_revenue"] = _.revenue.sum(where=costed).cast("float64")
    if "quantity" in lines.columns:
        sums["quantity"] = _.quantity.sum(where=where)
    return lines.group_by(keys).agg(**sums)


def _payment_sums(book: Workbook, period: str, n_months: int, n_windows: int) -> Table | None:
    if not book.has("payments"):
        return None
    lines, keys = _block(table(book, "payments"), "date", period, n_months, n_windows)
    return lines.group_by(keys).agg(payments=_.amount.sum().cast("float64"))


def _profit_sums(book: Workbook, period: str, n_months: int, n_windows: int) -> Table | None:
    if not book.has("dealer_profit"):
        return None
    lines = table(book, "dealer_profit")
    earned = _.gross_profit + _.rebate.fill_null(0) if "rebate" in lines.columns else _.gross_profit
    lines = lines.mutate(date=(_.month + "-01").cast("date"), earned=earned)
    lines, keys = _block(lines, "date", period, n_months, n_windows)
    return lines.group_by(keys).agg(
        brand_part=_.earned.sum(where=_.brand == book.brand).fill_null(0).cast("float64"),
        brand_total=_.earned.sum().cast("float64"),
    )
