"""Oddities: values that each are right by themselves and together make no sense."""

import difflib

from ibis import _
from ibis.expr.types import Table

from helpers import periods
from helpers.data.findings import MAX_GAP_MONTHS, Finding, day_column, main_span
from helpers.data.values.ids import seen
from helpers.settings import Workbook

SLIP = 200  # times: a median line that jumps so much within a month is of another unit
MIN_LINES = 5  # of a month; fewer have no median worth the name
SUMS = {
    "sell_in": "revenue",
    "payments": "amount",
    "sell_out": "amount",
    "dealer_profit": "revenue",
}
NEARLY = 0.8  # alike: a name that is another one's slip of the pen
MOST_NAMED = 5


def outside_span(name: str, columns: list[str], months: list[list]) -> list[Finding]:
    """Find the lines outside the data's span: far from all others, or ahead of them.

    Neither moves the default period; see `findings.main_span`.
    """
    if not months:
        return []
    column = str(day_column(name, columns))
    first, last, _day = main_span(months)
    outside = [row for row in months if not first <= row[0] <= last]
    ahead = [r for r in outside if last < r[0] <= periods.shift(last, MAX_GAP_MONTHS)]
    far = [row for row in outside if row not in ahead]
    found = {"outside_span": far, "ahead_of_data": ahead}
    return [
        Finding(name, column, check, "warning", sum(row[1] for row in rows), rows[0][2])
        for check, rows in found.items()
        if rows
    ]


def magnitude_slips(name: str, lines: Table) -> list[Finding]:
    """Find months whose median line is hundreds of times another's beside it.

    As where half of the months were exported in thousands. The months of the smaller group are
    counted, and told.
    """
    amount, day = SUMS.get(name, ""), day_column(name, lines.columns)
    if not amount or day is None or lines.get_backend().name != "duckdb":
        return []
    rows = (
        lines.filter(lines[amount] != 0)
        .group_by(month=lines[day].cast("string").substr(0, 7))
        .agg(n=_.count(), median=_[amount].abs().cast("float64").median())
        .order_by("month")
        .to_pandas()
        .dropna()
    )
    rows = rows[rows["n"] >= MIN_LINES].reset_index(drop=True)
    ratio = rows["median"] / rows["median"].shift()
    jumps = ratio[(ratio > SLIP) | (ratio < 1 / SLIP)]
    if jumps.empty:
        return []
    # each jump changes sides; the side with fewer lines is the odd one
    side = (ratio > SLIP).astype(int).cumsum() + (ratio < 1 / SLIP).astype(int).cumsum()
    odd = side % 2 == 1
    odd = ~odd if rows.loc[odd, "n"].sum() > rows.loc[~odd, "n"].sum() else odd
    at = jumps.index[0]
    before, after = rows.loc[at - 1], rows.loc[at]
    example = f"{before['month']} {before['median']:,.2f} | {after['month']} {after['median']:,.2f}"
    return [Finding(name, amount, "magnitude", "warning", int(rows.loc[odd, "n"].sum()), example)]


def swapped_places(name: str, lines: Table) -> list[Finding]:
    """Find places that lie beyond a pole, as where latitude and longitude changed places."""
    if not {"latitude", "longitude"} <= set(lines.columns):
        return []
    beyond = (lines.latitude.abs() > 90) | (lines.longitude.abs() > 180)
    row = (
        lines.agg(
            n=beyond.sum().fill_null(0),
            latitude=lines.latitude.max(where=beyond),
            longitude=lines.longitude.max(where=beyond),
        )
        .to_pandas()
        .iloc[0]
    )
    if not row["n"]:
        return []
    example = f"{row['latitude']:g}, {row['longitude']:g}"
    return [Finding(name, "latitude", "beyond_pole", "warning", int(row["n"]), example)]


def near_brands(book: Workbook, name: str, lines: Table) -> list[Finding]:
    """Name the brands that are nearly ours: lines that may be ours and count as a rival's."""
    if not book.brand or "brand" not in lines.columns or name == "scores":
        return []
    has_revenue = "revenue" in lines.columns
    sums = {"revenue": _.revenue.sum().cast("float64")} if has_revenue else {}
    rows = lines.group_by("brand").agg(n=_.count(), **sums).to_pandas().dropna(subset="brand")
    near = rows[[_is_nearly(str(brand), book.brand) for brand in rows["brand"]]]
    if near.empty:
        return []
    near = near.sort_values(["n", "brand"], ascending=[False, True])
    total = rows["revenue"].sum() if has_revenue else 0
    share = f" ({near['revenue'].sum() / total:.1%} of revenue)" if total > 0 else ""
    named = ", ".join(repr(str(brand)) for brand in near["brand"].head(MOST_NAMED))
    n = int(near["n"].sum())
    return [Finding(name, "brand", "near_brand", "warning", n, f"{named}{share}")]


def _is_nearly(brand: str, ours: str) -> bool:
    """Tell whether a brand is ours in other letters, with a word more, or with one mistyped."""
    if brand == ours:
        return False
    one, other = seen(brand).casefold(), seen(ours).casefold()
    if one == other or difflib.SequenceMatcher(None, one, other).ratio() >= NEARLY:
        return True
    if min(len(one), len(other)) < 3:
        return False
    is_part = one.startswith(other) or other.startswith(one)
    n_wrong = sum(a != b for a, b in zip(one, other, strict=False))
    return is_part or (not one.isascii() and len(one) == len(other) and n_wrong == 1)


def repeats_counted(name: str, lines: Table, n_rows: int, n_repeats: int) -> int:
    """Give the repeats that are worth a word.

    Two payments alike without a number of their document are two payments; where as many lines are
    repeats as are not, the export itself was pasted twice.
    """
    if name == "payments" and "document_id" not in lines.columns and 2 * n_repeats < n_rows:
        return 0
    return n_repeats


def with_document(name: str, lines: Table) -> Table:
    """Cut payments to those that have the number of a document."""
    if name == "payments" and "document_id" in lines.columns:
        return lines.filter(lines.document_id.notnull())
    return lines
