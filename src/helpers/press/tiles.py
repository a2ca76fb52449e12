"""Tiles: the month's key figures beside last year and target, each with a small curve.

From the tables of an edition. A figure of which they tell nothing has no tile: it is named once.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from helpers import periods, words
from helpers.result import standing
from helpers.settings import page_of

FLOWS = ("revenue", "gross_profit", "payments")  # that a month brings; the others stand at its end
N_MONTHS = 24  # of a curve: two years, so that last year's month stands under this one
WIDTH, HEIGHT, EDGE = 120, 36, 3  # of a curve

Tables = Mapping[str, pd.DataFrame]
Line = tuple[str, str, str, str]  # of a tile: what is compared, amount, rate, tone of the rate


def table_of(tables: Tables, name: str, *columns: str) -> pd.DataFrame:
    """Give a table that has rows and all `columns`, else one without rows."""
    rows = tables.get(name, pd.DataFrame())
    return rows if set(columns) <= set(rows.columns) else pd.DataFrame(columns=list(columns))


def key_figures(tables: Tables, period: str, there: Collection[str] = ()) -> list[dict[str, Any]]:
    """Make the tiles of an edition that are known.

    `there` are the pages it has: only these are led to.

    Returns
    -------
    list of dict
        `label`, `link`, `text` (the figure), `lines` (what it is compared with: name, amount, rate,
        and the rate's tone, "good", "bad" or ""), `curve` (as `curve` gives it) and `range` (the
        curve's, in words).
    """
    made = [*_flows(tables, period), *_owed(tables, period), *_stock(tables)]
    return [tile | {"link": tile["link"] if tile["link"] in there else ""} for tile in made]


def missing(tables: Tables, period: str) -> str:
    """Say once what the key figures can't tell; "" where they tell all, or the month nothing."""
    known = standing_of(tables)
    if known.empty or pd.isna(cell(known, "month", "revenue", "actual")):
        return ""
    absent = [m for m in FLOWS[1:] if pd.isna(cell(known, "month", m, "actual"))]
    if "gross_profit" in absent and margins_of(tables, period)[0] == margins_of(tables, period)[0]:
        absent.remove("gross_profit")  # its margin is told
    absent += [] if _owed(tables, period) else ["balance"]
    absent += [] if _stock(tables) else ["tile_value"]
    absent += [] if known["target"].notna().any() else ["target"]
    absent += [] if known["previous_actual"].notna().any() else ["previous_actual"]
    named = [words.label(name) for name in absent]
    named = [name[:1].lower() + name[1:] for name in named]
    return words.say("front.missing", figures=words.listed(named, len(named))) if named else ""


# ---- what a month brings -------------------------------------------------------------------------


def standing_of(tables: Tables) -> pd.DataFrame:
    """Give `month_standing` by span and indicator, its numbers as such; no rows where it is not
    there.
    """
    columns = ["span", "indicator", "actual", "previous_actual", "target"]
    rows = table_of(tables, "month_standing", *columns).copy()
    for column in columns[2:]:
        rows[column] = pd.to_numeric(rows[column], errors="coerce")
    return rows.set_index(["span", "indicator"])


def cell(rows: pd.DataFrame, span: str, indicator: str, column: str) -> float:
    """Give one number of `standing_of`; NaN where there is none."""
    there = (span, indicator) in rows.index
    return float(rows.loc[(span, indicator), column]) if there else math.nan


def _flows(tables: Tables, period: str) -> list[dict]:
    rows, made = standing_of(tables), []
    months = table_of(tables, "network_months", "month", *FLOWS)
    for measure in FLOWS:
        now, before, target = (
            cell(rows, "month", measure, c) for c in ("actual", "previous_actual", "target")
        )
        margin = _margin_lines(tables, period) if measure == "gross_profit" else []
        if math.isnan(now) and not margin:
            continue
        if math.isnan(now):  # gross profit of part of the revenue is nobody's: its margin is told
            label, text, lines, trend = *margin[0][:2], margin[1:], []
        else:
            label, text = words.label(measure), words.money(now)
            known = months[months["month"] <= period].tail(N_MONTHS)
            trend = pd.to_numeric(known[measure], errors="coerce").tolist()
            lines = [*_against(now, before), *_reached(now, target), *margin]
            lines += _year(rows, measure) if period[5:] != "01" else []
        made.append(_tile(label, text, lines, trend, page_of("month")))
    return made


def _line(name: str, amount: str, rate: str = "", tone: str = "") -> Line:
    return words.say(f"front.{name}"), amount, rate, tone


def _against(now: float, before: float, *, is_judged: bool = True) -> list[Line]:
    """Set an amount beside that of a year before; no rate of what is not above zero."""
    if math.isnan(before):
        return []
    change = words.change(now, before) if before > 0 else words.signed_money(now - before)
    tone = _tone(now > before) if is_judged and now != before else ""
    return [_line("before", words.money(before, unit=False), change, tone)]


def _tone(is_more: bool, *, less_is_good: bool = False) -> str:
    return "good" if bool(is_more) != less_is_good else "bad"


def _reached(now: float, target: float, name: str = "target") -> list[Line]:
    if not target > 0:
        return []
    share = words.percent(now / target)
    return [_line(name, words.money(target, unit=False), share, _tone(now >= target))]


def _year(rows: pd.DataFrame, measure: str) -> list[Line]:
    now, before, target = (
        cell(rows, "year_to_date", measure, c) for c in ("actual", "previous_actual", "target")
    )
    if math.isnan(now) or not (before > 0 or target > 0):
        return []
    rate = words.change(now, before) if before > 0 else ""
    tone = _tone(now >= before) if before > 0 else ""
    lines = [_line("year", words.money(now, unit=False), rate, tone)]
    return lines + _reached(now, target, "year_target")


def margins_of(tables: Tables, period: str) -> tuple[float, float, float]:
    """Give the month's margin, that a year before, and the part of revenue that has a cost."""
    columns = ("month", "revenue", "gross_profit", "covered_revenue")
    rows = table_of(tables, "network_months", *columns).set_index("month")
    rows = rows.apply(pd.to_numeric, errors="coerce").astype("float64")
    if rows.empty:
        return math.nan, math.nan, math.nan

    def margin(month: str) -> float:
        row = rows.loc[month] if month in rows.index else {}
        covered = row.get("covered_revenue", math.nan)
        return row["gross_profit"] / covered if covered > 0 else math.nan

    revenue = rows["revenue"].get(period, math.nan)
    cover = rows["covered_revenue"].get(period, math.nan) / revenue if revenue > 0 else math.nan
    return margin(period), margin(periods.shift(period, -12)), cover


def _margin_lines(tables: Tables, period: str) -> list[Line]:
    """Tell the margin against a year before; of part of the revenue, of which part, and no more."""
    now, before, cover = margins_of(tables, period)
    if math.isnan(now):
        return []
    rate = words.percent(now, 1)
    if cover < standing.WHOLE:
        cover_share = words.percent(min(cover, standing.WHOLE), 1)
        name = words.label("gross_margin_rate")
        return [(name, rate, "", ""), _line("cover", cover_share)]
    return [_line("margin", rate, *(_points(now, before) if before == before else ()))]


def _points(now: float, before: float, *, less_is_good: bool = False) -> tuple[str, str]:
    """Write a change of a share in points, and whether it is good."""
    points = round(100 * (now - before), 1)
    said = words.say("front.points", points=words.signed(points, 1))
    return said, _tone(points > 0, less_is_good=less_is_good) if points else ""


# ---- what stands at a month's end ----------------------------------------------------------------


def _owed(tables: Tables, period: str) -> list[dict]:
    rows = table_of(tables, "receivables_months", "month", "balance", "dso_days")
    rows = rows[rows["month"] <= period]
    if rows.empty:
        return []
    now, before = rows.iloc[-1], year_ago_of(rows)
    lines = []
    if before is not None:
        lines += _against(now["balance"], before["balance"], is_judged=False)
    late = pd.to_numeric(
        table_of(tables, "receivables", "overdue_amount")["overdue_amount"], errors="coerce"
    )
    if late.notna().any():
        overdue = float(late[late > 0].sum())
        share = words.percent(overdue / now["balance"]) if now["balance"] > 0 else ""
        tone = "bad" if overdue > 0 else "good"
        lines.append(_line("overdue", words.money(overdue, unit=False), share, tone))
    if pd.notna(now["dso_days"]):
        lines.append(_days(now["dso_days"], math.nan if before is None else before["dso_days"]))
    label, page = words.label("balance"), page_of("receivables")
    return [_tile(label, words.money(now["balance"]), lines, rows["balance"].tolist(), page)]


def year_ago_of(rows: pd.DataFrame) -> pd.Series | None:
    """Give the row of the month a year before the last; None where it is not there."""
    found = rows[rows["month"] == periods.shift(rows["month"].iloc[-1], -12)]
    return found.iloc[0] if len(found) else None


def _days(now: float, before: float) -> Line:
    days = words.say("front.days", days=round(now))
    if pd.isna(before):
        return _line("dso", days)
    more = round(now) - round(before)
    tone = _tone(more > 0, less_is_good=True) if more else ""
    return _line("dso", days, words.signed(more), tone)


def _stock(tables: Tables) -> list[dict]:
    rows = table_of(tables, "stock_months", "month", "value", "old_value", "old_share")
    rows = rows[rows["value"] > 0]
    if rows.empty:
        return []
    # where stock is not looked back on for a year, the first month that is
    now, year_ago = rows.iloc[-1], year_ago_of(rows)
    first = rows.iloc[0] if year_ago is None else year_ago
    lines: list[Line] = []
    if first["month"] != now["month"]:
        name = words.say("front.before") if year_ago is not None else str(first["month"])
        change = words.change(now["value"], first["value"])
        lines.append((name, words.money(first["value"], unit=False), change, ""))
        rate = _points(now["old_share"], first["old_share"], less_is_good=True)
        lines.append(_line("old", words.percent(now["old_share"], 1), *rate))
    dead = table_of(tables, "inventory_age", "dead_value")["dead_value"]
    if (dead := pd.to_numeric(dead, errors="coerce")).notna().any():
        amount = float(dead.sum())
        tone = "bad" if amount > 0 else "good"
        share = words.percent(amount / now["value"], 1)
        lines.append(_line("dead", words.money(amount, unit=False), share, tone))
    trend, page = rows["value"].tolist(), page_of("inventory_age")
    return [_tile(words.label("tile_value"), words.money(now["value"]), lines, trend, page)]


# ---- a tile --------------------------------------------------------------------------------------


def _tile(
    label: str, text: str, lines: Sequence[Line], trend: Sequence[float], link: str
) -> dict[str, Any]:
    return {
        "label": label,
        "text": text,
        "lines": list(lines),
        "link": link,
        "curve": curve(trend),
        "range": range_of(trend),
    }


def known(trend: Sequence[float]) -> list[float]:
    """Give a curve's numbers from the first that is known on; what is not known later is a gap."""
    first = next((i for i, value in enumerate(trend) if value == value), len(trend))
    return [float(value) for value in trend[first:]]


def range_of(trend: Sequence[float]) -> str:
    """Say over how many months a curve goes, and between which amounts; "" where there is none."""
    values = [value for value in known(trend) if value == value]
    if len(values) < 2:
        return ""
    low, high = words.amounts([min(values), max(values)], unit=False)
    return words.say("front.range", n=len(known(trend)), low=low, high=high)


def curve(trend: Sequence[float]) -> dict[str, Any]:
    """Lay out a small curve above its zero line; nothing for fewer than two numbers.

    Returns
    -------
    dict
        `points` as `x,y` pairs in a box of `WIDTH` × `HEIGHT`, `zero` (the line's y), `end` (x, y)
        and `before` (a year before the end; None where the curve is shorter).

    >>> curve([0, 2, 1])["points"]
    '3.0,33.0 60.0,3.0 117.0,18.0'
    """
    values = known(trend)
    there = [value for value in values if value == value]
    low, high = min([0.0, *there]), max([0.0, *there])
    if len(there) < 2 or high == low:
        return {}
    step, scale = (WIDTH - 2 * EDGE) / (len(values) - 1), (HEIGHT - 2 * EDGE) / (high - low)

    def at(i: int) -> tuple[float, float]:
        return round(EDGE + i * step, 1), round(HEIGHT - EDGE - (values[i] - low) * scale, 1)

    marks = [at(i) for i, value in enumerate(values) if value == value]
    year_ago = len(values) - 13
    is_known = year_ago >= 0 and values[year_ago] == values[year_ago]
    return {
        "points": " ".join(f"{x},{y}" for x, y in marks),
        "zero": round(HEIGHT - EDGE + low * scale, 1),
        "end": marks[-1],
        "before": at(year_ago) if is_known else None,
    }
