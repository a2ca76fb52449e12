"""News: the month in one sentence, and what made most of it in another; for the front page."""

import pandas as pd

from helpers import words
from helpers.result import standing, steps, summary
from helpers.result.month import ResultData, ResultMonth

PLACE = standing.PLACES[0]  # by which the sentence says where


def headlines(found: ResultData, own: ResultMonth) -> list[dict]:
    """Make the front page's verdict, and say where the year will end.

    Keys as `report.headline`: of the verdict `text` is what happened, `change` what made most of
    it. None where the month's revenue is not known.
    """
    if not (said := news(own.standing, found.period)):
        return []
    why = reason(own.bridge, own.groups)
    ahead = summary.forecast_sentences(
        own.forecast, own.year_target, found.period, len(found.months)
    )
    return [
        {"place": "verdict", "text": said, "change": why, "link": summary.PAGE},
        {"place": "change", "text": ahead[0], "link": summary.PAGE},
    ]


def news(table: pd.DataFrame, period: str) -> str:
    """Say the month's revenue against last year and target, then how the year stands.

    "" where it is not known.
    """
    rows = table[table["indicator"] == "revenue"].set_index("span")
    month, year = (rows.loc[span] for span in standing.SPANS)
    if pd.isna(month["actual"]):
        return ""
    before = words.month_name(f"{int(period[:4]) - 1}{period[4:]}")
    told = _against(month, before)
    if told and period[5:] != "01" and (so_far := _against(year, "")):
        told += words.say("news.year", told=so_far)
    key = "news.month" if told else "news.month_alone"
    return words.say(key, month=words.month_name(period), amount=month["actual"], told=told)


def _against(row: pd.Series, before: str) -> str:
    """Say how a span stands against last year and its target; "" where neither is known."""
    told = []
    if pd.notna(row["yoy_rate"]):
        change = words.change(row["actual"], row["previous_actual"])
        told.append(words.say("news.on" if before else "news.yoy", change=change, before=before))
    if pd.notna(row["reached_rate"]):
        told.append(words.say("news.target", share=words.percent(row["reached_rate"])))
    return words.translated(" and ", "，").join(told)


def reason(bridge: pd.DataFrame, groups: pd.DataFrame) -> str:
    """Say what made most of the month's change, in the direction it went, and where.

    "" without a year before, or where nothing changed.
    """
    own = steps.network_steps(bridge, "month", "revenue")
    if own.empty or abs(change := float(own["now"] - own["base"])) <= summary.CENT:
        return ""
    way = 1 if change > 0 else -1
    part, value = max(summary.parts(own).items(), key=lambda told: way * told[1])
    at = _where(groups, way)
    if part == "not_separable":  # which names no cause: where it came from is all that is known
        return words.say("news.place", **at) if at else ""
    where = words.say("news.where", **at) if at else ""
    told = {"part": words.label(f"part_{part}"), "value": words.signed_money(value), "where": where}
    return words.say("news.gain" if way > 0 else "news.loss", **told)


def _where(groups: pd.DataFrame, way: int) -> dict[str, str]:
    """Name the region whose change went furthest that way; nothing where there is only one."""
    rows = groups[(groups["span"] == "month") & (groups["cut"] == PLACE)]
    rows = rows[rows["part"] != standing.STATED]
    moved = (rows["revenue"] - rows["previous_revenue"]).fillna(0.0) * way
    if len(rows) < 2 or not moved.max() > summary.CENT:
        return {}
    at = moved.idxmax()
    return {"place": rows.loc[at, "part"], "value": words.signed_money(float(moved[at]) * way)}
