"""The front page: the verdict, the figures, what changed, whom to call first."""

import calendar
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from helpers import periods, words
from helpers.settings import question_of

N_TILES, N_CHANGES, N_CALLS = 8, 8, 10  # what two sheets of paper hold
URGENT_CALLS = 5  # of the first page that calls, where the page of the call list is not printed
CALLING = "abc_pareto"  # whose page ranks all calls by what is at stake: one list, everywhere


def front_page(pages: Sequence[Mapping], sales: Sequence[dict] = ()) -> dict[str, Any]:
    """Gather the pages' headlines by place.

    The first verdict speaks for the month, the others for their page.

    `sales` are headlines that stand before the pages' own; their verdict speaks where no page has
    one.
    """
    first = {"headlines": [line for line in sales if line["place"] != "verdict"]}
    verdicts = in_turn(pages, "verdict", 1) or [
        line for line in sales if line["place"] == "verdict"
    ]
    pages = [first, *pages]
    tiles = [tile | {"curve": sparkline(tile["trend"])} for tile in in_turn(pages, "tile", N_TILES)]
    return {
        "verdict": verdicts[0]["text"] if verdicts else "",
        "tiles": tiles,
        "changes": in_turn(pages, "change", N_CHANGES),
        "calls": in_turn(_calling(pages), "call", N_CALLS, URGENT_CALLS),
        "quality": [
            line for page in pages for line in page["headlines"] if line["place"] == "quality"
        ],
    }


def _calling(pages: Sequence[Mapping]) -> Sequence[Mapping]:
    """Choose the page of the call list, which knows what the others found; else all of them."""
    first = [
        page
        for page in pages
        if question_of(page.get("name", "")) == CALLING
        and any(h["place"] == "call" for h in page["headlines"])
    ]
    return first or pages


def sales_headlines(months: pd.Series, period: str) -> list[dict]:
    """Say what consumers bought in a month: verdict and tile, where there is no sell-in.

    Keys as `report.headline`.

    `months` as `data.sold_out_months`. The month a year before is compared with where the data
    begin before it: what begins with it may be a part of it.
    """
    now, before = float(months.get(period, 0.0)), periods.shift(period, -12)
    told = {"month": month_name(period), "amount": now, "before": month_name(before)}
    known = months.get(before, 0.0) > 0 and months.index.min() < before
    change = words.change(now, months[before]) if known else ""
    verdict = words.say(f"report.sold{'_change' if known else ''}", **told, change=change)
    tone = ("good" if now >= months[before] else "bad") if known else ""
    against = (
        words.say("report.sold_against", change=change, before=told["before"]) if known else ""
    )
    trend = [
        float(months.get(month, 0.0))
        for month in periods.month_range(period, 24)
        if month >= months.index.min()
    ]
    return [
        {"place": "verdict", "text": verdict},
        {
            "place": "tile",
            "label": words.say("report.sold_tile"),
            "text": words.money(now),
            "trend": trend,
            "link": "",
            "change": against,
            "tone": tone,
        },
    ]


def in_turn(pages: Sequence[Mapping], place: str, most: int, at_first: int = 1) -> list[dict]:
    """Choose headlines in turn, one of each page, until there are enough.

    The last page is heard too; in page order.

    The first page that has any may say `at_first` in its first turn.
    """
    said = [[line for line in page["headlines"] if line["place"] == place] for page in pages]
    ahead = {next((i for i, lines in enumerate(said) if lines), 0): at_first - 1}
    rounds = [
        (max(turn - ahead.get(i, 0), 0), i, turn)
        for i, lines in enumerate(said)
        for turn in range(len(lines))
    ]
    turns = [(turn, i) for _round, i, turn in sorted(rounds)[:most]]
    return [said[i][turn] for i, turn in sorted((i, turn) for turn, i in turns)]


def sparkline(trend: Sequence[float], width: int = 120, height: int = 30) -> str:
    """Give the points of a small curve as `x,y` pairs; "" for fewer than two numbers.

    >>> sparkline([1, 2])
    '2.0,28.0 118.0,2.0'
    """
    if len(trend) < 2:
        return ""
    low, step = min(trend), (width - 4) / (len(trend) - 1)
    scale = (height - 4) / ((max(trend) - low) or 1)
    return " ".join(
        f"{2 + i * step:.1f},{height - 2 - (value - low) * scale:.1f}"
        for i, value in enumerate(trend)
    )


def quality_line(found: pd.DataFrame, tables: pd.DataFrame) -> str:
    """Say in one sentence how good the data are."""
    n_rows, n_tables = int(tables["n_rows"].sum()), len(tables)
    if found.empty:
        return words.say("report.clean", rows=n_rows, tables=n_tables)
    return words.say(
        "report.warnings", n=len(found), of=found["table"].nunique(), rows=n_rows, tables=n_tables
    )


def month_name(period: str) -> str:
    """Write a month as the language does, e.g. October 2026."""
    year, month = periods.require_month(period).split("-")
    return words.translated(f"{calendar.month_name[int(month)]} {year}", f"{year}年{int(month)}月")
