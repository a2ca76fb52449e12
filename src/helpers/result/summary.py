"""The month in sentences: how it went, why, where the year will end, how earlier claims fared."""

import math

import pandas as pd

from helpers import words
from helpers.result import holdings, standing, steps
from helpers.result.forecast import RATE_MONTHS, Forecast
from helpers.result.month import ResultData, ResultMonth
from helpers.settings import page_of

PAGE = page_of("month")
# what a sentence names together: who comes and goes is one thing
TOGETHER = {
    "dealers": ("new_dealers", "lost_dealers"),
    "models": ("new_models", "lost_models"),
    **{step: (step,) for step in ("price", "volume", "mix", "not_separable")},
}
CENT = 0.005


def bottom_line(found: ResultData, own: ResultMonth) -> list[str]:
    """Say the result first, then why, where the year will end, and what is owed and in stock."""
    return [
        *standing_sentences(found, own),
        *why_sentences(own.bridge, found.period),
        *forecast_sentences(own.forecast, own.year_target, found.period, len(found.months)),
        *holdings.holding_sentences(own.holdings),
    ]


def standing_sentences(found: ResultData, own: ResultMonth) -> list[str]:
    """Say what the month and the year to date came to, against the year before and the target."""
    rows = own.standing[own.standing["indicator"] == "revenue"].set_index("span")
    spans = standing.SPANS if found.period[5:] != "01" else standing.SPANS[:1]
    said = [
        words.say(
            f"month.{span}",
            period=found.period,
            year=found.period[:4],
            result=rows.loc[span, "actual"],
            details=_details(rows.loc[span]),
        )
        for span in spans
        if pd.notna(rows.loc[span, "actual"])  # a year that began before the data is not known
    ]
    said += _margin_sentences(own.margins)
    if rows["previous_actual"].isna().all():
        said.append(words.say("month.no_base"))
    if rows["target"].isna().all():
        said += _level_sentences(own.reached, found)
    return said


def _details(row: pd.Series) -> str:
    told = ""
    if row["yoy_rate"] == row["yoy_rate"]:
        change = words.change(row["actual"], row["previous_actual"])
        told += words.say("month.yoy", change=change)
    if row["reached_rate"] == row["reached_rate"]:
        told += words.say("month.reached", reached=words.percent(row["reached_rate"], 1))
    return told


def _margin_sentences(margins: pd.DataFrame) -> list[str]:
    row = margins.set_index("span").loc["year_to_date"]
    if row.isna()["gross_margin_rate"]:
        row = margins.set_index("span").loc["month"]
    now, before = row["gross_margin_rate"], row["previous_gross_margin_rate"]
    if now != now:
        return [words.say("month.no_margin")]
    told = {"span": words.label(str(row.name)), "rate": words.percent(now, 1)}
    covers = (row["cover_share"], row["previous_cover_share"])
    if min(covers) < standing.WHOLE:
        cover = words.percent(min(covers[0], 0.999), 1)
        return [words.say("month.margin_cover", **told, cover=cover)]
    if before != before:
        return [words.say("month.margin", **told)]
    points = words.signed(100 * (now - before), 1)
    return [words.say("month.margin_change", **told, points=points)]


def _level_sentences(reached: pd.DataFrame, found: ResultData) -> list[str]:
    """Say what a level of targets came to, where the network has none."""
    sums = standing.level_sums(reached)
    sums = sums[(sums["indicator"] == "revenue") & (sums["span"] == "year_to_date")]
    for level in standing.LEVELS[1:]:
        row = sums[sums["cut"] == level]
        if len(row):
            told = row.iloc[0]
            rate = words.percent(told["reached_rate"], 1)
            label, n = words.label(level), int(told["n_groups"])
            return [words.say("month.reached_level", cut=label, n=n, reached=rate)]
    return [words.say("month.no_target" if found.targets.empty else "month.no_network_target")]


def parts(bridge: pd.Series) -> dict[str, float]:
    """Sum up what a sentence names together; what comes to nothing is left out."""
    sums = {name: float(bridge.reindex(of).fillna(0.0).sum()) for name, of in TOGETHER.items()}
    return {name: value for name, value in sums.items() if abs(value) > CENT}


def why_sentences(bridge: pd.DataFrame, period: str) -> list[str]:
    """Say what made the change of revenue, span by span, in parts that add up."""
    said = []
    for span in reversed(standing.SPANS):
        own = steps.network_steps(bridge, span, "revenue")
        if own.empty or (span == "year_to_date" and period[5:] == "01"):
            continue
        told = [
            f"{words.label(f'part_{name}')} {words.signed_money(value)}"
            for name, value in parts(own).items()
        ]
        change = words.signed_money(own["now"] - own["base"])
        key = f"month.why_{span}"
        if told:
            joined = words.translated(", ", "、").join(told)
            said.append(words.say(key, period=period, change=change, parts=joined))
    return said


def forecast_sentences(
    ahead: Forecast, target: float, period: str, n_months: int, *, tried: bool = False
) -> list[str]:
    """Say where the year will end, how sure that is, and what the target still takes a month."""
    end, n_left = ahead.year_end, 12 - int(period[5:])
    if not ahead.method:
        return [words.say("month.no_forecast")]
    said = []
    if n_left and end["value"] == end["value"]:
        if ahead.method == "run_rate":
            k = min(n_months, RATE_MONTHS)
            said.append(words.say("month.run_rate", n=n_months, k=k, value=end["value"]))
        else:
            method = words.label(ahead.method)
            said.append(words.say("month.year_end", **end, year=period[:4], method=method))
    elif n_left:
        said.append(words.say("month.part_year", year=period[:4]))
    if n_left and not math.isnan(target) and end["value"] == end["value"]:
        said += [_needed(ahead, target, period)]
    if tried and ahead.tried:
        told = {"naive": ahead.tried["seasonal_naive"], "smooth": ahead.tried["holt_winters"]}
        said.append(words.say("month.tried", **told))
    if not n_left:
        said.insert(0, words.say("month.year_over", year=period[:4], value=end["value"]))
    return said


def _needed(ahead: Forecast, target: float, period: str) -> str:
    """Say what is still needed a month to reach the year's target."""
    n_left = 12 - int(period[5:])
    need = needed(ahead, target, period)
    if need <= 0:
        return words.say("month.target_reached", target=target)
    expected = (ahead.year_end["value"] - ahead.so_far) / n_left
    return words.say("month.needed", target=target, need=need, expected=expected, n=n_left)


def needed(ahead: Forecast, target: float, period: str) -> float:
    """Give what the rest of the year's months must bring each to reach a target."""
    return (target - ahead.so_far) / (12 - int(period[5:]))


def scored_sentences(scored: pd.DataFrame) -> list[str]:
    """Say how many of the last edition's claims came out within their interval."""
    if scored.empty:
        return [words.say("month.none_scored")]
    n, of = int(scored["is_inside"].sum()), len(scored)
    return [words.say("month.scored", n=n, of=of)]
