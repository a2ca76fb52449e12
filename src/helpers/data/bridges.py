"""Bridge: what of a change of revenue and gross profit is price, volume and mix, summed up in the
engine.

Part of the door.
"""

import functools
import operator
from typing import NamedTuple

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import NumericValue, Table

from helpers import periods
from helpers.data.cache import kept
from helpers.data.read import fetched, of_our_brand, span
from helpers.data.tables import table
from helpers.settings import Workbook

KEYS = ("dealer_id", "product_id", "category")
# what a change of revenue is made of, in the order of a bridge
STEPS = (
    "new_dealers",
    "lost_dealers",
    "new_models",
    "lost_models",
    "price",
    "volume",
    "mix",
    "not_separable",
)
WHOLE_STEPS = STEPS[:4]  # of which each takes the whole change of a line
PROFIT_STEPS = (*STEPS[:5], "rebate", "cost", *STEPS[5:])  # and one of gross profit
PROFIT = "profit_"  # before the names of what is told of gross profit
SUMS = (
    "revenue_base",
    "revenue_now",
    *STEPS,
    "profit_base",
    "profit_now",
    *(PROFIT + step for step in PROFIT_STEPS),
    "covered_base",
    "covered_now",
)


class Spans(NamedTuple):
    """Two equal spans of whole months: the one judged, and the same months a year before."""

    now: periods.Window
    base: periods.Window

    @property
    def first_month(self) -> str:
        """Name the month the earlier one begins with."""
        return f"{self.base.start:%Y-%m}"


def spans(period: str, span: str = "month") -> Spans:
    """Give a month or the running year, which ends with it, and the same months a year before.

    Raises
    ------
    ValueError
        If the span is neither "month" nor "year_to_date".

    >>> [window.start.isoformat() for window in spans("2026-10", "year_to_date")]
    ['2026-01-01', '2025-01-01']
    """
    n_months = {"month": 1, "year_to_date": int(period[5:])}.get(span)
    if n_months is None:
        raise ValueError(f"span: {span!r} is unknown; take 'month' or 'year_to_date'")
    before = periods.shift(period, -12)
    return Spans(periods.window(period, n_months), periods.window(before, n_months))


@kept
def bridge(
    book: Workbook,
    period: str,
    span: str = "month",
    by: tuple[str, ...] = ("dealer_id", "product_id"),
) -> pd.DataFrame:
    """Split the change between a span and the same months a year before, in whole cents.

    A line is a dealer × model. Revenue here is a positive sum over the span: what was only sent
    back, or given away, is none. In this order

    - a dealer without base revenue is new, one without revenue now is lost, with all its lines;
    - of the other dealers, a model without base revenue is new there, one without revenue now lost;
    - lines with positive quantity and revenue in both years are separable: price is
      ½ (q₀ + q₁)(p₁ − p₀), the rest of the change is quantity, of which volume is
      ½ (p₀ + p₁) q₀ g, g being the growth of the category's units over all separable lines, and
      mix the remainder;
    - all else is not separable: lines without dealer, without model, or of which a quantity is
      missing, zero or negative.

    Gross profit is revenue − rebate − cost of the lines that have a cost, in the same steps; rebate
    and cost are −½ (q₀ + q₁) times the change of either per piece, volume and mix weigh pieces with
    the unit's gross profit. A line of which a cost is missing is not separable there. Each step is
    rounded to the cent at the line, half a cent up, and the remainder is mix: so any sum of lines
    adds up to the cent.

    Parameters
    ----------
    span
        "month", or "year_to_date": from January to the period.
    by
        Of `dealer_id`, `product_id` and `category` those that lines are summed up by.

    Returns
    -------
    DataFrame
        One row for each combination of `by`, empty where nobody or nothing is named, and whole
        cents as integers: `revenue_base` and `revenue_now`, and as `STEPS` name them what makes the
        change; the same of gross profit, named `profit_…`; and `covered_base` and `covered_now`,
        the revenue of the lines that have a cost. No rows where the data do not cover both spans,
        or there is no sell-in.

    References
    ----------
    T. L. Bennet, "The theory of measurement of changes in cost of living", Journal of the Royal
    Statistical Society 83 (1920), 455–462.

    Raises
    ------
    ValueError
        If the span or a key of `by` is unknown.
    """
    asked = spans(period, span)
    if unknown := [key for key in by if key not in KEYS]:
        raise ValueError(f"by: {unknown[0]!r} is unknown; take {', '.join(KEYS)}")
    if not is_comparable(book, period, span):
        return pd.DataFrame(
            {key: pd.Series(dtype="str") for key in by}
            | {column: pd.Series(dtype="int64") for column in SUMS}
        )
    rows = _steps(_lines(book, asked), _categories(book))
    sums = rows.group_by(list(by)).agg(**{column: _[column].sum() for column in SUMS})
    found = fetched(sums, list(by))[[*by, *SUMS]]
    return found.astype(dict.fromkeys(SUMS, "int64"))


def is_comparable(book: Workbook, period: str, span: str = "month") -> bool:
    """Whether the data cover a span and the same months a year before, from the first day on."""
    return book.has("sell_in") and _first_month(book) <= spans(period, span).first_month


def _first_month(book: Workbook) -> str:
    return span(book)[0]


def _categories(book: Workbook) -> Table | None:
    if not book.has("products") or "category" not in table(book, "products").columns:
        return None
    return table(book, "products").select(_model=_.product_id, category=_.category)


def _cents(amount: NumericValue) -> NumericValue:
    return (amount * 100).cast("int64")


def _lines(book: Workbook, asked: Spans) -> Table:
    """Sum up each dealer × model: in either span (0 base, 1 now) revenue `r`, gross profit `g`,
    rebate `b`, cost `c`, covered revenue `v` in cents, quantity `q`, and whether it `counts` and
    is `costed`.
    """
    lines = of_our_brand(book, table(book, "sell_in"))
    money = ibis.null("decimal(18, 2)")
    lines = lines.mutate(
        product_id=lines.product_id if "product_id" in lines.columns else ibis.null("string"),
        quantity=(lines.quantity if "quantity" in lines.columns else ibis.null()).cast("float64"),
        cost=lines.cost if "cost" in lines.columns else money,
        rebate=lines.rebate.fill_null(0) if "rebate" in lines.columns else money.fill_null(0),
    )
    within = [
        lines.date.between(ibis.literal(window.start), ibis.literal(window.end))
        for window in (asked.base, asked.now)
    ]
    lines = lines.filter(within[0] | within[1]).mutate(
        is_now=lines.date >= ibis.literal(asked.now.start),
        revenue=_cents(_.revenue),
        cost=_cents(_.cost),
        rebate=_cents(_.rebate),
    )
    lines = lines.mutate(is_costed=_.cost.notnull(), earned=_.revenue - _.rebate - _.cost)
    sums = {}
    for year, inside in (("0", ~_.is_now), ("1", _.is_now)):
        for letter, column, where in (
            ("r", _.revenue, inside),
            ("g", _.earned, inside & _.is_costed),
            ("b", _.rebate, inside & _.is_costed),
            ("c", _.cost, inside & _.is_costed),
            ("v", _.revenue, inside & _.is_costed),
            ("q", _.quantity, inside),
        ):
            kind = "float64" if letter == "q" else "int64"
            sums[letter + year] = column.sum(where=where).fill_null(0).cast(kind)
    return lines.group_by("dealer_id", "product_id").agg(
        **sums,
        counts=_.quantity.isnull().sum() == 0,
        costed=(~_.is_costed).sum() == 0,
    )


def _steps(lines: Table, categories: Table | None) -> Table:
    """Tell of each line which steps its change is made of."""
    if categories is None:
        lines = lines.mutate(category=ibis.null("string"))
    else:
        lines = lines.left_join(categories, lines.product_id == categories._model)
    lines = lines.mutate(
        dealer0=_.r0.sum().over(group_by="dealer_id"), dealer1=_.r1.sum().over(group_by="dealer_id")
    )
    lines = lines.mutate(step=_step_of_whole_lines())
    lines = lines.mutate(splits=_.step == "separable")
    lines = lines.mutate(profit_splits=_.splits & _.costed)
    for prefix, splits in (("u", _.splits), ("w", _.profit_splits)):
        lines = lines.mutate(
            **{
                f"{prefix}{year}": splits.ifelse(_[f"q{year}"], 0.0)
                .sum()
                .over(group_by="category")
                .cast("float64")
                for year in "01"
            }
        )
    return _priced(
        _priced(lines, "r", "u", _.splits, ""), "g", "w", _.profit_splits, PROFIT
    ).select(*KEYS, *SUMS)


def _step_of_whole_lines() -> ibis.Deferred:
    """Name the one step that a line's whole change is, or "separable"."""
    new_dealer = (_.dealer0 <= 0) & (_.dealer1 > 0)
    lost_dealer = (_.dealer0 > 0) & (_.dealer1 <= 0)
    named = _.dealer_id.notnull() & (_.dealer0 > 0)
    return ibis.cases(
        (_.dealer_id.isnull(), "not_separable"),
        (new_dealer, "new_dealers"),
        (lost_dealer, "lost_dealers"),
        (~named | _.product_id.isnull(), "not_separable"),
        ((_.r0 <= 0) & (_.r1 > 0), "new_models"),
        ((_.r0 > 0) & (_.r1 <= 0), "lost_models"),
        ((_.r0 > 0) & (_.q0 > 0) & (_.q1 > 0) & _.counts, "separable"),
        else_="not_separable",
    )


def _priced(lines: Table, letter: str, units: str, splits: ibis.Deferred, prefix: str) -> Table:
    """Add the steps of one sum, `letter`, to each line; `units` are those of its category."""
    before, now = _[f"{letter}0"], _[f"{letter}1"]
    change = now - before
    whole = {step: (_.step == step).ifelse(change, 0) for step in WHOLE_STEPS}
    # what separates in revenue, but lacks a cost, too
    whole["not_separable"] = (~splits & _.step.isin(["not_separable", "separable"])).ifelse(
        change, 0
    )
    parts = {"price": _rate_effect(_.r0, _.r1)}
    if prefix:
        parts |= {"rebate": -_rate_effect(_.b0, _.b1), "cost": -_rate_effect(_.c0, _.c1)}
    before_units, now_units = _[f"{units}0"], _[f"{units}1"]
    weight = before.cast("float64") * _.q1 + now.cast("float64") * _.q0
    parts["volume"] = weight * (now_units - before_units) / (2 * _.q1 * before_units).nullif(0)
    lines = lines.mutate(
        **{
            # not every engine rounds halves alike: all know the floor
            prefix + step: splits.ifelse((effect + 0.5).floor().cast("int64"), 0)
            for step, effect in parts.items()
        }
    )
    told = functools.reduce(operator.add, (_[prefix + step] for step in parts))
    base, over = ("revenue", "r") if not prefix else ("profit", "g")
    lines = lines.mutate(
        **{prefix + step: amount for step, amount in whole.items()},
        **{prefix + "mix": splits.ifelse(change - told, 0)},
        **{f"{base}_base": _[f"{over}0"], f"{base}_now": _[f"{over}1"]},
    )
    return lines.mutate(covered_base=_.v0, covered_now=_.v1) if prefix else lines


def _rate_effect(before: NumericValue, now: NumericValue) -> NumericValue:
    """Give ½ (q₀ + q₁) times the change of an amount per piece.

    As one fraction: of whole pieces and cents both its terms are exact, and so is half a cent.
    """
    crossed = now.cast("float64") * _.q0 - before.cast("float64") * _.q1
    return (_.q0 + _.q1) * crossed / (2 * _.q0 * _.q1).nullif(0)
