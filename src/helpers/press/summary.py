"""Summary: the month in numbers and calls, as the first sheet of the Excel workbook shows them; and
the names that stand beside ids on all its sheets.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from helpers import words
from helpers.press import tiles
from helpers.press.tiles import Tables, table_of
from helpers.result import standing

N_CALLS = 25  # of all account managers; the sheet of the calls holds the others
CALLED = [
    *("dealer_id", "dealer_name", "account_manager", "trigger", "reason", "within_days"),
    *("stake_kind", "stake", "stake_low"),
]
# id → what names it, in the order in which it is looked for; the first one is added where none is
NAMED_BY = {
    "dealer_id": ("dealer_name",),
    "from_dealer_id": ("from_dealer_name", "giver_name"),
    "to_dealer_id": ("to_dealer_name", "taker_name"),
    "product_id": ("product_name",),
    "candidate_id": ("candidate_name",),
    "promotion_id": ("promotion_name",),
    "factor_id": ("factor",),
    "group": ("group_name",),
}
COLUMNS = ("actual", "previous_actual", "target")
NAN = math.nan


class Told(NamedTuple):
    """A figure of a span beside last year's and the target; NaN for what is not known."""

    actual: float = NAN
    before: float = NAN
    target: float = NAN


class Figure(NamedTuple):
    """A key figure: its name, its `kind` ("money", "share" or "days"), the month and the year to
    date.
    """

    label: str
    kind: str
    month: Told
    year: Told = Told()


class Call(NamedTuple):
    """A call: whom, of which account manager (with phone or e-mail), why, for how much, by when."""

    name: str
    manager: str
    trigger: str
    stake: float
    stake_kind: str
    within: float
    reason: str


class Summary(NamedTuple):
    """What the first sheet says: sentences, key figures, the first calls, and how many there
    are.
    """

    said: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    calls: tuple[Call, ...] = ()
    n_calls: int = 0


def summary(
    tables: Tables,
    period: str,
    front: Mapping[str, Any],
    contacts: Mapping[str, str] | None = None,
) -> Summary:
    """Gather what an edition's first sheet says.

    Parameters
    ----------
    front
        As `front_page.front_page` gives it: `verdict`, `reason` and `risk`.
    contacts
        Account manager's name → phone or e-mail.
    """
    risk = front.get("risk")
    said = [front.get("verdict", ""), front.get("reason", ""), risk.text if risk else ""]
    rows = table_of(tables, "call_list", *CALLED)
    calls = rows.sort_values(["stake_low", "stake"], ascending=False, kind="stable")
    return Summary(
        tuple(text for text in said if text),
        tuple(figures(tables, period)),
        tuple(_call(row, contacts or {}) for row in calls.head(N_CALLS).itertuples()),
        len(rows),
    )


def figures(tables: Tables, period: str) -> list[Figure]:
    """Give the key figures of the tiles as numbers, each beside last year and target where known.

    Gross profit of part of the revenue is left out, as on the front page: its margin stands alone.
    """
    rows, made = tiles.standing_of(tables), []
    for measure in tiles.FLOWS:
        spans = [
            Told(*(tiles.cell(rows, span, measure, column) for column in COLUMNS))
            for span in standing.SPANS
        ]
        if period[5:] == "01":  # the year to date is the month
            spans[1] = Told()
        if not math.isnan(spans[0].actual):
            made.append(Figure(words.label(measure), "money", *spans))
        if measure == "gross_profit":
            now, before, _cover = tiles.margins_of(tables, period)
            told = Told(now, before)
            made.append(Figure(words.label("gross_margin_rate"), "share", told))
    made += [*_owed(tables, period), *_stock(tables)]
    return [figure for figure in made if not math.isnan(figure.month.actual)]


def _owed(tables: Tables, period: str) -> list[Figure]:
    rows = table_of(tables, "receivables_months", "month", "balance", "dso_days")
    rows = rows[rows["month"] <= period]
    if rows.empty:
        return []
    made = [
        _at_end(rows, "balance", "money"),
        _at_end(rows, "dso_days", "days", words.say("front.dso")),
    ]
    late = table_of(tables, "receivables", "overdue_amount")["overdue_amount"]
    late = pd.to_numeric(late, errors="coerce").clip(lower=0).sum(min_count=1)
    overdue = Figure(words.label("overdue_amount"), "money", Told(float(late)))
    return [made[0], overdue, made[1]]


def _stock(tables: Tables) -> list[Figure]:
    rows = table_of(tables, "stock_months", "month", "value", "old_share")
    rows = rows[rows["value"] > 0]
    if rows.empty:
        return []
    dead = table_of(tables, "inventory_age", "dead_value")["dead_value"]
    dead = pd.to_numeric(dead, errors="coerce").sum(min_count=1)
    return [
        _at_end(rows, "value", "money", words.label("tile_value")),
        _at_end(rows, "old_share", "share"),
        Figure(words.label("dead_value"), "money", Told(float(dead))),
    ]


def _at_end(rows: pd.DataFrame, column: str, kind: str, label: str = "") -> Figure:
    """Take what stands at the last month's end, and a year before."""
    year_ago = tiles.year_ago_of(rows)
    before = NAN if year_ago is None else float(year_ago[column])
    told = Told(float(rows.iloc[-1][column]), before)
    return Figure(label or words.label(column), kind, told)


def _call(row: Any, contacts: Mapping[str, str]) -> Call:
    manager = str(row.account_manager) if pd.notna(row.account_manager) else ""
    contact = contacts.get(words.fitting(manager), "")
    return Call(
        str(row.dealer_name),
        "\n".join(filter(None, [manager, contact])),
        words.word(row.trigger),
        float(row.stake),
        words.word(row.stake_kind),
        float(row.within_days) if pd.notna(row.within_days) else NAN,
        str(row.reason) if pd.notna(row.reason) else "",
    )


# ---- names beside ids ----------------------------------------------------------------------------


def names(tables: Tables, dealers: pd.DataFrame) -> dict[str, dict[Any, str]]:
    """Learn the names of all ids that an edition's tables know, by the id's column.

    `dealers` has `dealer_id` and `dealer_name`, in the reader's language.
    """
    known: dict[str, dict[Any, str]] = {}
    for column, naming in NAMED_BY.items():
        for rows in tables.values():
            name = next((n for n in naming if {column, n} <= set(rows.columns)), "")
            if name:
                told = rows[[column, name]].dropna().drop_duplicates(column)
                known.setdefault(column, {}).update(zip(told[column], told[name], strict=True))
    told = dealers[["dealer_id", "dealer_name"]].dropna()
    everyone = dict(zip(told["dealer_id"], told["dealer_name"], strict=True))
    for column in ("dealer_id", "from_dealer_id", "to_dealer_id"):
        known[column] = known.get(column, {}) | everyone
    return known


def with_names(rows: pd.DataFrame, known: Mapping[str, Mapping[Any, str]]) -> pd.DataFrame:
    """Have the name stand right beside each id of a table, added where it lacks one.

    >>> rows = pd.DataFrame({"dealer_id": ["a"], "balance": [5]})
    >>> list(with_names(rows, {"dealer_id": {"a": "Ann's"}}))
    ['dealer_id', 'dealer_name', 'balance']
    """
    if not rows.columns.is_unique:
        return rows
    order = list(rows.columns)
    for column, naming in NAMED_BY.items():
        if column not in order:
            continue
        name = next((n for n in naming if n in order), "")
        if not name and known.get(column):
            found = rows[column].map(known[column])
            if found.isna().all():
                continue
            name, rows = naming[0], rows.assign(**{naming[0]: found})
        if name:
            order = [c for c in order if c != name]
            order.insert(order.index(column) + 1, name)
    return rows[order]
