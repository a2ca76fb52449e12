"""Turning: what a page's script needs to judge its dealers anew by other rules, offline.

The script is `press/templates/edition/turn.js`. It is given what was measured, in whole cents, and
the words of the sentences that hang on the rules; the judgement it makes is that of
`joint_judgement`, letter by letter.
"""

from typing import Any

import numpy as np
import pandas as pd

from helpers import words
from helpers.look import ROWS_CARRIED
from helpers.pareto.classes import INDICATORS, LOSS, RULES, ranked_classes
from helpers.pareto.judgement import by_revenue, classed_by, is_known, main_indicator
from helpers.pareto.migration import grew, is_present
from helpers.pareto.month import AbcMonth
from helpers.pareto.summary import judged_by
from helpers.settings import page_of

TURNS = ("rule", "quota", "value_cuts", "weights", "composite_cuts")  # options that are turned
SAID = (
    "pareto.classes",
    "pareto.classes_only",
    "pareto.of_them_open",
    "pareto.moved",
    "pareto.fallen",
    "pareto.risen",
    "pareto.fewer_letters",
    "pareto.weights",
    "table.rules",
)
EXACT = 2**53  # cents up to which sums are whole


def turnable(
    found: AbcMonth, diagnoses: pd.DataFrame, period: str, scope: str = ""
) -> dict[str, Any] | None:
    """Give what a page's script judges anew from, in the language spoken.

    Parameters
    ----------
    found
        The month as it was judged; its rows stand in the page's table in this order.
    diagnoses
        As `named_codes` takes them.
    period, scope
        Of the page, for the parameters that it hands back.

    Returns
    -------
    dict
        Of what JSON holds: `now` and `before` (None where the data do not reach back), each with
        whole cents or ranks per dealer of either window, by id. None altogether where there are
        more dealers than a page carries, or an amount is no whole number of cents.
    """
    now, before = found.judged, found.before
    ids = pd.Index(sorted({*now["dealer_id"], *before["dealer_id"]}))
    windows = [_window(judged, ids) for judged in (now, before)]
    if not 0 < len(now) <= len(ids) <= ROWS_CARRIED or None in windows:
        return None
    by_hand = now.get("override_reason", pd.Series("", now.index)) != ""
    moved = found.moved.set_index("dealer_id")["movement"].reindex(ids)
    return {
        "page": page_of("abc_pareto").removesuffix(".html"),
        "period": period,
        "scope": scope,
        "options": found.options,
        "turns": list(TURNS),
        "now": windows[0],
        "before": windows[1] if len(before) else None,
        "here": _flags(ids.isin(now.loc[is_present(now), "dealer_id"])),
        "was": _flags(ids.isin(before.loc[is_present(before), "dealer_id"])),
        "earlier": _flags(moved.eq("won_back")),
        "grew": _flags(grew(pd.Series(ids), now, before)),
        "by_hand": {
            str(ids.get_loc(dealer)): letter
            for dealer, letter in zip(
                now.loc[by_hand, "dealer_id"], now.loc[by_hand, "composite_class"], strict=True
            )
        },
        "size": main_indicator(now),
        "diagnoses": [
            [row.pattern, words.fitting(words.word(words.translated(row.en, row.zh)))]
            for row in diagnoses.itertuples()
        ],
        "words": _words(now, found.options),
    }


def _window(judged: pd.DataFrame, ids: pd.Index) -> dict[str, Any] | None:
    """Give what is known of a window's dealers; None where an amount is no whole cents."""
    rows = judged.set_index("dealer_id").reindex(ids)
    made_by = classed_by(judged)
    money = [*INDICATORS[:-1], "revenue"] if by_revenue(judged) else [*INDICATORS[:-1]]
    money += [] if main_indicator(judged) in money else [main_indicator(judged)]
    columns = {name: _cents(_column(rows, name)) for name in money}
    if None in columns.values():
        return None
    share = _column(rows, "brand_share")
    # as shares are classed: two thirds of 1 and of 3 are one share, though not as floats
    columns["brand_share"] = _places(share.round(12))
    told = {
        "there": _flags(ids.isin(judged["dealer_id"])),
        "by": made_by,
        "known": [i for i in INDICATORS if is_known(judged, i)],
        "columns": columns,
    }
    return told | ({"size": _places(share)} if made_by == ["brand_share"] else {})


def _column(rows: pd.DataFrame, name: str) -> pd.Series:
    return rows[name].astype("float64") if name in rows else pd.Series(np.nan, rows.index)


def _flags(told: Any) -> str:
    return "".join("1" if flag else "0" for flag in told)


def _cents(values: pd.Series) -> list[int | None] | None:
    """Write amounts as whole cents; None where one is none, or their sum would not be exact."""
    cents = (values * 100).round()
    if not (values.isna() | (cents / 100 == values)).all() or cents.abs().sum() >= EXACT:
        return None
    return [None if cent != cent else int(cent) for cent in cents]


def _places(values: pd.Series) -> list[int | None]:
    """Number values by their size, equal ones alike, with their sign; zero is nothing.

    >>> _places(pd.Series([0.3, 0.1, 0.3, 0.0, -0.2, None]))
    [2, 1, 2, 0, -1, None]
    """
    size = values.abs().where(values != 0).groupby(np.sign(values)).rank(method="dense")
    places = (size * np.sign(values)).mask(values == 0, 0.0)
    return [None if place != place else int(place) for place in places]


def _words(judged: pd.DataFrame, options: dict[str, Any]) -> dict[str, Any]:
    """Give the words that are the same by any rules, and the sentences that are filled in."""
    below = int((ranked_classes(judged) == LOSS).sum())
    said = words.templates("pareto.") | words.templates("table.")
    names = dict.fromkeys([*INDICATORS, "revenue", "net", *options])
    return {key: said[key] for key in SAID} | {
        "below": words.say("pareto.of_them_below", n=below) if below else "",
        "by": judged_by(judged),
        "comma": words.translated(", ", "、"),
        "more": words.translated(" and {rest} more", "等{n}家"),  # as `words.listed` has it
        "size": words.label(main_indicator(judged)),
        "rules": {rule: words.label(f"rule_{rule}") for rule in RULES},
        "labels": {name: words.label(name) for name in names},
    }
