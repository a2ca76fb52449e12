"""The front page: what happened, why, and whom to call; from an edition's tables and headlines.

Every figure on it stands beside what it is compared with, and leads to its page.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from helpers import periods, words
from helpers.press import bars, risks, tiles
from helpers.press.tiles import Tables, table_of
from helpers.settings import page_of, question_of

N_TILES, N_CHANGES, N_CALLS = 5, 6, 8  # what two sheets of paper, and three screens, hold
URGENT_CALLS = 5  # of the first page that calls, where the page of the call list is not printed
CALLING = "abc_pareto"  # whose page ranks all calls by what is at stake: one list, everywhere
# whose own figures the tiles are made of: theirs would say a thing twice
TOLD_BY_TILES = ("month", "abc_pareto", "receivables", "inventory_age")
CALLED = [
    *("dealer_id", "dealer_name", "account_manager", "trigger", "reason", "measure"),
    *("within_days", "stake_kind", "stake", "stake_low"),
]


def front_page(
    pages: Sequence[Mapping],
    tables: Tables | None = None,
    period: str = "",
    *,
    sales: Sequence[dict] = (),
    dealers: Mapping[str, str] | None = None,
    managers: Mapping[str, Mapping[str, str]] | None = None,
) -> dict[str, Any]:
    """Gather what the front page shows.

    Parameters
    ----------
    pages
        Of the edition, in order, with their `headlines`; the first verdict speaks for the month.
    tables
        All of the edition, in the reader's language.
    sales
        Headlines for where no page tells of sales; their verdict speaks where no page has one.
    dealers
        Dealer → where they are explained: their card, where one is printed.
    managers
        Account manager's name → the page's `file`, `contact` and `contact_link`.
    """
    tables, managers = tables or {}, managers or {}
    verdicts = in_turn(pages, "verdict", 1) or [h for h in sales if h["place"] == "verdict"]
    verdict = verdicts[0] if verdicts else {}
    there = {page.get("file", "") for page in pages}
    links = {"account_manager": {name: told["file"] for name, told in managers.items()}}
    month_page = page_of("month")
    if month_page in there:
        regions = table_of(tables, "month_groups", *bars.GROUPS)
        links["region"] = dict.fromkeys(regions.loc[regions["cut"] == "region", "part"], month_page)
    compared = bars.variances(tables, links)
    return {
        "verdict": verdict.get("text", ""),
        "reason": verdict.get("change", ""),
        "risk": risks.largest(tables),
        "tiles": _tiles(pages, tables, period, sales, there),
        "missing": tiles.missing(tables, period),
        "bridge": bars.bridge(tables),
        "bridge_link": month_page if month_page in there else "",
        "variances": compared,
        "columns": bars.columns(compared),
        "calls": _calls(tables, dealers or {}, managers) or _told_calls(pages),
        "n_calls": len(table_of(tables, "call_list", *CALLED)),
        "found": [_found(page, verdict) for page in pages],
    }


# ---- tiles ---------------------------------------------------------------------------------------


def _tiles(
    pages: Sequence[Mapping],
    tables: Tables,
    period: str,
    sales: Sequence[dict],
    there: set[str],
) -> list[dict[str, Any]]:
    """Give the key figures, and beside them, while there is room, those that pages compare."""
    made = tiles.key_figures(tables, period, there)
    told = {page_of(name) for name in TOLD_BY_TILES} if made else set()
    others = [page for page in pages if page.get("file") not in told]
    more = [h for h in sales if h["place"] == "tile"]
    more += in_turn(others, "tile", N_TILES)
    handed = [
        {
            **{name: tile[name] for name in ("label", "text", "link")},
            "lines": [(tile["change"], "", "", tile["tone"])],
            "curve": tiles.curve(tile["trend"]),
            "range": "",
        }
        for tile in more
        if tile["change"]
    ]
    return [*made, *handed[: max(N_TILES - len(made), 0)]]


# ---- calls ---------------------------------------------------------------------------------------


def _calls(
    tables: Tables, dealers: Mapping[str, str], managers: Mapping[str, Mapping[str, str]]
) -> list[dict[str, Any]]:
    """Group the first calls of all by what happened, the surest money first.

    Returns
    -------
    list of dict
        `title`, `measure`, `within` and `rows`: `name`, `link`, `manager`, `manager_link`,
        `contact`, `contact_link`, `stake`, `text`.
    """
    rows = table_of(tables, "call_list", *CALLED)
    first = rows.sort_values(["stake_low", "stake"], ascending=False, kind="stable").head(N_CALLS)
    groups: dict[str, dict[str, Any]] = {}
    for row in first.itertuples():
        group = groups.setdefault(
            row.trigger,
            {
                "title": words.word(row.trigger),
                # a table of measures that people wrote may leave both open
                "measure": words.fitting(str(row.measure)) if pd.notna(row.measure) else "",
                "within": words.say("front.within", days=int(row.within_days))
                if pd.notna(row.within_days)
                else "",
                "rows": [],
            },
        )
        name = words.fitting(str(row.account_manager)) if pd.notna(row.account_manager) else ""
        office = managers.get(name, {})
        kind = words.say("front.kind", kind=words.word(row.stake_kind))
        group["rows"].append(
            {
                "name": words.fitting(str(row.dealer_name)),
                "link": dealers.get(row.dealer_id, ""),
                "manager": name,
                "manager_link": office.get("file", ""),
                "contact": office.get("contact", ""),
                "contact_link": office.get("contact_link", ""),
                "stake": words.money(row.stake),
                "kind": kind,
                "text": words.fitting(str(row.reason)),
            }
        )
    return list(groups.values())


def _told_calls(pages: Sequence[Mapping]) -> list[dict[str, Any]]:
    """Give the calls that pages handed over, where no call list is printed."""
    told = in_turn(_calling(pages), "call", N_CALLS, URGENT_CALLS)
    rows = [{"name": h["label"], "link": h["link"], "text": h["text"]} for h in told]
    return [{"title": "", "rows": rows}] if rows else []


def _calling(pages: Sequence[Mapping]) -> Sequence[Mapping]:
    """Choose the page of the call list, which knows what the others found; else all of them."""
    first = [
        page
        for page in pages
        if question_of(page.get("name", "")) == CALLING
        and any(h["place"] == "call" for h in page["headlines"])
    ]
    return first or pages


# ---- the pages -----------------------------------------------------------------------------------


def _found(page: Mapping, verdict: Mapping) -> dict[str, str]:
    """Say what a page found, in one line: its verdict, else what changed, else its figure.

    The verdict over the front page is not said twice; a page without a figure tells its note.
    """
    lines = {
        place: [h for h in page["headlines"] if h["place"] == place]
        for place in ("verdict", "change", "tile")
    }
    said = [h["text"] for h in (*lines["verdict"], *lines["change"]) if h is not verdict]
    said += [
        words.say("front.figure", **{name: h[name] for name in ("label", "text", "change")})
        for h in lines["tile"]
        if h["change"]
    ]
    text = said[0] if said else page.get("note", "")
    return {name: page.get(name, "") for name in ("number", "title", "file")} | {"text": text}


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


# ---- a workbook without sell-in ------------------------------------------------------------------


def sales_headlines(months: pd.Series, period: str) -> list[dict]:
    """Say what consumers bought in a month: verdict and tile, where there is no sell-in.

    Keys as `report.headline`.

    `months` as `data.sold_out_months`. The month a year before is compared with where the data
    begin before it: what begins with it may be a part of it.
    """
    now, before = float(months.get(period, 0.0)), periods.shift(period, -12)
    told = {"month": words.month_name(period), "amount": now, "before": words.month_name(before)}
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


# ---- data quality --------------------------------------------------------------------------------


def quality_line(found: pd.DataFrame, tables: pd.DataFrame) -> str:
    """Say in one sentence how good the data are."""
    n_rows, n_tables = int(tables["n_rows"].sum()), len(tables)
    if found.empty:
        return words.say("report.clean", rows=n_rows, tables=n_tables)
    return words.say(
        "report.warnings", n=len(found), of=found["table"].nunique(), rows=n_rows, tables=n_tables
    )
