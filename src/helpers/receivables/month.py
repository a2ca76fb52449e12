"""The month's answer: who owes what, how old it is, who is over his limit, who has stopped."""

from typing import Annotated, NamedTuple

import pandas as pd

from helpers import data, periods
from helpers.receivables import ageing, dealer_rows, exposure, history, ledger, rhythm, told
from helpers.settings import Scalar, Workbook, options


class ReceivablesData(NamedTuple):
    """What the door tells: ledger `entries` from the `first_month` known on, each dealer's `terms`
    (`dealer_id`, `terms_days`, `credit_limit`), and the days of the window that the data cover.
    """

    period: str
    entries: pd.DataFrame
    terms: pd.DataFrame
    first_month: str
    n_days: int


class ReceivablesMonth(NamedTuple):
    """What is found, in codes: what each dealer is `owed` for, the network by `ageing`, whose
    supply to `stop`, the balance month by month as `history`, the `network`'s own figures, and the
    balances that were `told`, against the ledger.
    """

    owed: pd.DataFrame
    ageing: pd.DataFrame
    stop: pd.DataFrame
    history: pd.DataFrame
    network: history.Network
    told: pd.DataFrame
    options: dict[str, Scalar] = {}  # noqa: RUF012 - filled in by the recipe


class Books(NamedTuple):
    """The opened books, in cents: `entries` of who is paid for, posted as `rows`; told balances
    that were `held` against them; open items as `aged`, and `credit`; `sales` by month; what each
    dealer is `owed` for.
    """

    entries: pd.DataFrame
    rows: pd.DataFrame
    held: pd.DataFrame
    aged: pd.DataFrame
    credit: pd.Series
    sales: pd.DataFrame
    owed: pd.DataFrame


def read_month(book: Workbook, period: str) -> ReceivablesData:
    """Ask the door for a month's figures."""
    return ReceivablesData(
        period,
        data.ledger_entries(book, period),
        data.dealers(book)[["dealer_id", "terms_days", "credit_limit"]],
        data.span(book)[0],
        data.covered(book, period).n_days,
    )


@options.recipe("receivables")
def judge_month(
    found: ReceivablesData,
    *,
    vat: Annotated[float, options.between(0, 1)] = 0.0,
    stop_days: Annotated[int, options.between(0, 720)] = exposure.STOP_DAYS,
    late_days: Annotated[int, options.between(0, 720)] = rhythm.LATE_DAYS,
    slow_times: Annotated[float, options.between(1, 10)] = rhythm.SLOW_TIMES,
    stopped_times: Annotated[float, options.between(1, 10)] = rhythm.STOPPED_TIMES,
    recent_months: Annotated[int, options.between(1, 6)] = dealer_rows.RECENT_MONTHS,
) -> ReceivablesMonth:
    """Judge what every dealer owes and how he pays.

    `vat` is the tax on our invoices, 0.13 for 13 %: payments and balances include it, revenue does
    not. Without payments nothing is known of what is owed, and the tables are empty.

    Raises
    ------
    ValueError
        If an option is not as expected.
    """
    rules = {"slow_times": slow_times, "stopped_times": stopped_times, "late_days": late_days}
    books = opened(found, vat=vat, recent_months=recent_months, **rules)
    by_age = ageing.network_ageing(books.aged, books.credit)
    balance = by_age["open_cents"].sum()
    by_age = by_age.assign(
        open_amount=by_age["open_cents"] / 100,
        open_amount_share=by_age["open_cents"] / (balance if balance > 0 else float("nan")),
    ).drop(columns="open_cents")
    months = history.balance_history(books.rows, books.entries, books.sales)
    return ReceivablesMonth(
        dealer_rows.published(books.owed),
        by_age,
        exposure.stop_supply(books.owed, books.aged, stop_days=stop_days),
        months,
        history.network_figures(books.owed, books.rows, months, books.aged),
        told.told_table(books.held),
    )


def opened(
    found: ReceivablesData,
    *,
    vat: float,
    recent_months: int,
    slow_times: float,
    stopped_times: float,
    late_days: int,
    **_others: Scalar,
) -> Books:
    """Open the books, a part of the month: all that does not hang on when supply stops."""
    window = periods.window(found.period)
    day = pd.Timestamp(window.end)
    first_day = pd.Timestamp(periods.window(found.first_month, 1).start)
    entries = found.entries
    if not (entries["kind"] == "payment").any():
        entries = entries.head(0)  # unknown is not unpaid
    held = told.held_against(entries, first_day, vat)
    rows = ledger.posted(entries, first_day, vat)
    rows = pd.concat([rows, told.corrections(held)], ignore_index=True).astype(rows.dtypes)
    terms = found.terms.drop_duplicates("dealer_id").set_index("dealer_id")
    closed = ledger.open_items(rows)
    aged = ageing.aged_items(closed.items, terms["terms_days"], day)
    sales = history.monthly_sales(entries, found.first_month, found.period, vat)
    owed = dealer_rows.dealer_receivables(
        rows,
        entries,
        ageing.dealer_ageing(aged, closed.credit),
        sales,
        terms,
        found.period,
        found.n_days,
        recent_months=recent_months,
        rules={"slow_times": slow_times, "stopped_times": stopped_times, "late_days": late_days},
    )
    return Books(entries, rows, held, aged, closed.credit, sales, owed)


def receivables_month(book: Workbook, period: str, **given: Scalar | None) -> ReceivablesMonth:
    """Judge a month as the workbook says, or as is `given`, where None stands for the former."""
    return _judged(book, period, **options.options_in_force(judge_month, book, given))


@data.kept
def _judged(book: Workbook, period: str, **told: Scalar) -> ReceivablesMonth:
    """Judge once what several pages, languages and cards ask for."""
    return judge_month(read_month(book, period), **told)
