"""Bars: the bridge and the variances of the front page, as rows of text beside a bar.

Actual is dark, last year light; green is what helps and red what harms, and nothing else is either.
One scale for all bars of a table; what the text says needs no bar, so nothing is lost without them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from helpers import words
from helpers.press.tiles import Tables, table_of
from helpers.result import network_steps, standing, summary

SPAN = 100.0  # of a bar's box, from side to side
SLIVER = 0.3  # of the axis: where all steps together are less, it begins above zero
MOST_ROWS = 10  # of a table of variances
BRIDGE = ("span", "cut", "part", "indicator", "step", "effect")
GROUPS = ("span", "cut", "part", "revenue", "previous_revenue", "target")


def bridge(tables: Tables) -> dict[str, Any]:
    """Lay out the month's bridge from last year to now.

    Returns
    -------
    dict
        `rows` (`name`, `text`, `tone` of "base", "now", "good", "bad", and the bar's `x` and
        `width` in parts of `SPAN`) and `is_cut` (the axis begins above zero); nothing where the
        month has no year before.
    """
    steps = table_of(tables, "month_bridge", *BRIDGE).fillna({"part": ""})
    own = network_steps(steps, "month", "revenue")
    moves = summary.parts(own) if len(own) else {}
    if not moves:
        return {}
    told = words.amounts([own["base"], *moves.values(), own["now"]], unit=False)
    base, *changes, now = told
    # a step that is nothing at this scale is no row
    shown = {n: t for n, t in zip(moves, changes, strict=True) if re.search("[1-9]", t)}
    ends, levels = [float(own["base"])], []
    for value in moves.values():
        levels.append((ends[-1], ends[-1] + value))
        ends.append(ends[-1] + value)
    low, high = min(ends), max(ends)
    is_cut = low > 0 and high - low < SLIVER * high
    bottom = low - 0.6 * (high - low) if is_cut else min(0.0, low)
    scale = SPAN / ((max(high, 0.0) - bottom) or 1.0)

    def row(name: str, text: str, tone: str, start: float, end: float) -> dict[str, Any]:
        left, right = sorted((start, end))
        x, width = round((left - bottom) * scale, 2), round((right - left) * scale, 2)
        return {"name": name, "text": text, "tone": tone, "x": x, "width": width}

    zero = max(bottom, 0.0)
    rows = [row(words.label("bridge_base"), base, "base", zero, ends[0])]
    for (name, value), level in zip(moves.items(), levels, strict=True):
        if name in shown:
            title, sign = _first_upper(words.label(f"part_{name}")), "+" if value > 0 else ""
            rows.append(row(title, sign + shown[name], "good" if value > 0 else "bad", *level))
    rows.append(row(words.label("bridge_now"), now, "now", zero, ends[-1]))
    return {"rows": rows, "is_cut": is_cut}


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def variances(
    tables: Tables, links: Mapping[str, Mapping[str, str]] | None = None
) -> list[dict[str, Any]]:
    """Set each region's and account manager's month beside last year and target.

    Parameters
    ----------
    links
        Level → name as printed → page.

    Returns
    -------
    list of dict
        One table for each level that has anything to compare: `cut`, `title`, `rows` (`name`,
        `link`, `amount`, `change`, `rate`, `tone`, the bar's `x` and `width`, `target` and its
        tone `on_target`, `year`), `more` (rows not shown); the largest first.
    """
    rows = table_of(tables, "month_groups", *GROUPS)
    month, year = (rows[rows["span"] == span] for span in standing.SPANS)
    change = month["revenue"] - month["previous_revenue"]
    month = month.assign(change=pd.to_numeric(change, errors="coerce"))
    shown = [(cut, _compared(month[month["cut"] == cut])) for cut in standing.PLACES]
    shown = [(cut, part) for cut, part in shown if len(part) > 1]
    most = max((part["change"].abs().max() for _cut, part in shown), default=0.0)
    made = []
    for cut, part in shown:
        so_far = _rates(year[year["cut"] == cut])
        there = (links or {}).get(cut, {})
        part, more = part.head(MOST_ROWS), max(len(part) - MOST_ROWS, 0)
        told = [_variance(row, most, so_far) for row in part.itertuples()]
        sizes = words.amounts(part["revenue"], unit=False)
        for row, name, amount in zip(told, part["part"], sizes, strict=True):
            row |= {"link": there.get(name, ""), "amount": amount}
        made.append({"cut": cut, "title": words.label(cut), "rows": told, "more": more})
    return made


def _compared(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep who has a place and anything to be compared with."""
    has_base = rows["previous_revenue"].fillna(0.0) > 0
    return rows[(rows["part"] != standing.STATED) & (has_base | (rows["target"] > 0))]


def _rates(rows: pd.DataFrame) -> dict[str, str]:
    known = rows[rows["previous_revenue"] > 0]
    pairs = zip(known["part"], known["revenue"], known["previous_revenue"], strict=True)
    return {name: words.change(now, before) for name, now, before in pairs}


def _variance(row: tuple, most: float, so_far: Mapping[str, str]) -> dict[str, Any]:
    has_base = row.previous_revenue > 0
    change = row.change if has_base and row.change == row.change else 0.0
    width = round(abs(change) / most * SPAN / 2, 2) if most else 0.0
    has_target = row.target > 0
    return {
        "name": words.fitting(words.word(row.part)),
        "change": words.signed_money(change) if has_base else "",
        "rate": words.change(row.revenue, row.previous_revenue) if has_base else "",
        "tone": "good" if change > 0 else "bad" if change < 0 else "",
        "x": SPAN / 2 if change >= 0 else SPAN / 2 - width,
        "width": width,
        "target": words.percent(row.revenue / row.target) if has_target else "",
        "on_target": ("good" if row.revenue >= row.target else "bad") if has_target else "",
        "year": so_far.get(row.part, ""),
    }


def columns(tables: Sequence[Mapping[str, Any]]) -> list[str]:
    """List which of a variance's columns any row fills: the others are left out."""
    rows = [row for table in tables for row in table["rows"]]
    return [name for name in ("rate", "target", "year") if any(row[name] for row in rows)]
