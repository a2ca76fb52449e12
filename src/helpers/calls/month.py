"""The month's answer: whom to call, for what, with how much at stake."""

from typing import Annotated, NamedTuple

import pandas as pd

from helpers import data, inventory, pareto, periods, profit, receivables
from helpers.calls import losses, ranking, silence, triggers
from helpers.settings import Scalar, Workbook, options

# of last year's tables of measures: the words by which triggers were called then
FORMERLY = {"lost_money": "fallen", "silent": "left", "overdue": "slowed", "rising": "risen"}


class CallsData(NamedTuple):
    """What the door and the other questions tell: each dealer's `months` and `rhythm` of orders;
    who `moved`; what is `owed`, and whom to `stop`; what is `held`, and is `pressed`; the dealers
    `lost` to a rival, by a `comparison`; the `measures` that people wrote.
    """

    period: str
    dealers: pd.DataFrame
    months: pd.DataFrame
    rhythm: pd.DataFrame
    moved: pd.DataFrame
    owed: pd.DataFrame
    stop: pd.DataFrame
    held: pd.DataFrame
    pressed: pd.DataFrame
    lost: pd.DataFrame
    comparison: pd.DataFrame
    measures: pd.DataFrame
    recent_months: int
    dead_days: int


class CallsMonth(NamedTuple):
    """What is found, in codes, of what was `asked`: the `calls`, so many to a manager, of
    `everyone` who is to be called; the `chances` beside them; all `events`, chances too; who `lost`
    money and who is `silent`, of all dealers; the triggers of which the data tell nothing.
    """

    asked: CallsData
    calls: pd.DataFrame
    everyone: pd.DataFrame
    chances: pd.DataFrame
    events: pd.DataFrame
    lost: pd.DataFrame
    silent: pd.DataFrame
    untold: tuple[str, ...]
    options: dict[str, Scalar] = {}  # noqa: RUF012 - filled in by the recipe


def read_month(book: Workbook, period: str, abc: pareto.AbcMonth | None = None) -> CallsData:
    """Ask the door and the other questions for a month's figures, each as its page finds them.

    `abc` is the classes' month, where it is there already.
    """
    abc = abc or pareto.abc_month(book, period)
    owed = receivables.receivables_month(book, period)
    stock = inventory.stock_month(book, period, n_history=1)
    earned = profit.profit_month(book, period)
    return CallsData(
        period,
        data.dealers(book),
        data.dealer_months(book, period),
        data.order_rhythm(book, period),
        abc.moved,
        owed.owed,
        owed.stop,
        stock.held,
        stock.pressure,
        earned.lost,
        earned.comparison,
        measures_in_force(data.reference(book, "measures")),
        owed.options["recent_months"],
        stock.options["dead_days"],
    )


@options.recipe("abc_pareto")
def judge_month(
    found: CallsData,
    *,
    per_manager: Annotated[int, options.between(1, 1000)] = ranking.PER_MANAGER,
    false_share: Annotated[float, options.between(0.0001, 0.2)] = losses.FALSE_SHARE,
    called_overdue_days: Annotated[int, options.between(0, 720)] = triggers.OVERDUE_DAYS,
) -> CallsMonth:
    """Judge whom to call.

    `false_share` is how many of the dealers whose level did not change may be called in a month for
    lost money or silence; `per_manager` how many calls each account manager gets.

    Raises
    ------
    ValueError
        If an option is not as expected.
    """
    lost = losses.money_losses(found.months, found.period, false_share=false_share)
    day = pd.Timestamp(periods.window(found.period).end)
    size = lost.set_index("dealer_id")[["revenue", "revenue_before"]].max(axis=1)
    silent = silence.silent_dealers(found.rhythm, size, day, false_share=false_share)
    by = margins(found)
    events = pd.concat(
        [
            triggers.fallen(lost, by),
            triggers.silent(silent, lost, found.months, by),
            triggers.debts(found.owed, found.stop, overdue_days=called_overdue_days),
            triggers.stock(found.held, channel_calls(found), by.kind()),
            triggers.rivals(found.lost, found.comparison),
        ],
        ignore_index=True,
    )
    known = list(found.measures["trigger"])
    everyone = ranking.ranked(events, found.dealers, known)
    chances = triggers.chances(lost, found.moved, by)
    good = ranking.ranked(chances, found.dealers, known)
    return CallsMonth(
        found,
        ranking.shortened(everyone, per_manager),
        everyone,
        ranking.shortened(good, per_manager),
        pd.concat([events, chances], ignore_index=True),
        lost,
        silent,
        untold(found, lost),
    )


def margins(found: CallsData) -> triggers.Margins:
    """Give the dealers' margins over two years."""
    two_years = found.months[found.months["month"].isin(periods.month_range(found.period, 24))]
    return triggers.margins(two_years)


def channel_calls(found: CallsData) -> pd.DataFrame:
    """Give what the channel has to say (`inventory.stock_calls`), in the spoken language."""
    by, ids = margins(found), found.pressed["dealer_id"]
    known = None if by.kind() == "revenue" else pd.Series(by.of(ids), index=ids)
    return inventory.stock_calls(found.pressed, known)


def measures_in_force(table: pd.DataFrame) -> pd.DataFrame:
    """Give the table of measures with today's triggers: one that it calls by its former name, too.

    >>> old = pd.DataFrame({"trigger": ["left", "A"], "en": ["Ask why.", "Visit."]})
    >>> measures_in_force(old)["trigger"].tolist()
    ['left', 'A', 'silent']
    """
    there = set(table["trigger"])
    old = {was: now for now, was in FORMERLY.items() if now not in there}
    again = table[table["trigger"].isin(list(old))]
    again = again.assign(trigger=again["trigger"].map(old))
    return pd.concat([table, again], ignore_index=True)


def untold(found: CallsData, lost: pd.DataFrame) -> tuple[str, ...]:
    """List the triggers of which the data tell nothing: that none is known is not that none was."""
    told = {
        "lost_money": len(lost) > 0 and found.months["revenue"].notna().any(),
        "silent": len(found.rhythm) > 0,
        "overdue": receivables.is_told(found.owed) or found.owed["overdue_amount"].notna().any(),
        "over_limit": found.owed["credit_limit"].notna().any(),
        **dict.fromkeys(
            ("never_paid", "stopped_paying", "left_with_debt"), receivables.is_told(found.owed)
        ),
        "stuffed": found.pressed["status"].ne("–").any(),
        "runs_dry": found.pressed["status"].ne("–").any(),
        "sleeps": "dead_value" in found.held and found.held["dead_value"].notna().any(),
        "rival_earns_more": len(found.comparison) > 0 and bool((~found.comparison["ours"]).any()),
        "won_back": bool((found.moved["movement"] != "–").any()),
    }
    told["rising"] = told["lost_money"]
    return tuple(trigger for trigger, is_told in told.items() if not is_told)


def calls_month(
    book: Workbook, period: str, abc: pareto.AbcMonth | None = None, **given: Scalar | None
) -> CallsMonth:
    """Judge a month as the workbook says, or as is `given`, where None stands for the former."""
    return _judged(book, period, abc, **options.options_in_force(judge_month, book, given))


@data.kept
def _judged(book: Workbook, period: str, abc: pareto.AbcMonth | None, **told: Scalar) -> CallsMonth:
    """Judge once what several pages, languages and cards ask for."""
    return judge_month(read_month(book, period, abc), **told)
