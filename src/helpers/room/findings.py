"""Findings: what a room said, as the contract's tables, as medians and spreads, and as figures.

What is judged is judged by the recipes of `fishbone` and `workshop`; here they are only asked.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from helpers import data, fishbone, periods, words, workshop
from helpers.fishbone import effort, factors, needs, plan, scoring, weights
from helpers.look import svg
from helpers.room import questions
from helpers.room.questions import Sheet
from helpers.room.store import Round, Store
from helpers.settings import Workbook, options_in_force
from helpers.workshop import growth

SCORED = ("factor", "need", "self")
MOST_APART = 5  # items that are named as those where the room is furthest apart
FIGURES = ("scores", "fishbone", "causes", "climb")
SHORTEST_DAYS, LONGEST_DAYS = 5, 400  # of effort that a room can promise


class Asked(NamedTuple):
    """A room's workbook: what the door told of the month, and the tables that its words stand in.

    `session` and `date` are what the room's answers are kept under.
    """

    book: Workbook
    period: str
    session: str
    date: dt.date
    month: fishbone.FishboneData
    needs: pd.DataFrame
    statements: pd.DataFrame
    stages: pd.DataFrame


def asked(book: Workbook, period: str, session: str, date: dt.date) -> Asked:
    """Ask the door for what a room needs of a month."""
    return Asked(
        book,
        period,
        session,
        date,
        fishbone.read_month(book, period, words.spoken()),
        data.reference(book, "needs"),
        data.reference(book, "statements"),
        data.reference(book, "stages"),
    )


# ---- tables --------------------------------------------------------------------------------------


def scores(store: Store, sheet: Sheet, room: Asked, rounds: Iterable[Round]) -> pd.DataFrame:
    """Lay out what people scored in some rounds as the contract's `scores`."""
    rows = []
    for one in rounds:
        if one.kind not in SCORED:
            continue
        known = questions.asked(sheet, one.kind, one.subject)
        rows += [
            (
                room.session,
                pd.Timestamp(room.date),
                code,
                one.kind,
                known[item].item_id,
                value,
                known[item].aspect,
                (one.subject or None) if one.kind == "factor" else None,
                None,
                float(one.nth),
            )
            for code, item, value in store.answers(one.id)
            if item in known
        ]
    columns = [*workshop.exercises.KEYS, "round"]
    table = pd.DataFrame(rows, columns=columns).astype({"score": "float64", "round": "float64"})
    texts = [c for c in columns if c not in ("scored_date", "score", "round")]
    return table.astype({**dict.fromkeys(texts, "str"), "scored_date": "datetime64[s]"})


def comparisons(store: Store, sheet: Sheet, room: Asked, rounds: Iterable[Round]) -> pd.DataFrame:
    """Lay out the pairs that people compared as the contract's `comparisons`.

    Of a node that was compared more than once, what a person said last of a pair counts.
    """
    last: dict[tuple[str, str], float] = {}
    for one in sorted(rounds, key=lambda one: one.nth):
        if one.kind == "pair" and one.subject in sheet.nodes:
            found = store.answers(one.id)
            last |= {(code, item): questions.ratio(value) for code, item, value in found}
    rows = [
        (room.session, code, *item.split(":"), ratio)
        for (code, item), ratio in sorted(last.items())
    ]
    columns = ["session", "participant", "item_a", "item_b", "ratio"]
    kinds = {**dict.fromkeys(columns[:4], "str"), "ratio": "float64"}
    return pd.DataFrame(rows, columns=columns).astype(kinds)


def ideas(store: Store, room: Asked, rounds: Iterable[Round]) -> pd.DataFrame:
    """List the ideas that were not struck out, most votes first: `session`, `idea`, `n_votes`."""
    rows = [
        (room.session, idea.text, idea.n_votes)
        for one in rounds
        if one.kind == "idea"
        for idea in store.ideas(one.id)
        if not idea.is_struck
    ]
    table = pd.DataFrame(rows, columns=["session", "idea", "n_votes"])
    return table.sort_values("n_votes", ascending=False, kind="stable", ignore_index=True)


# ---- one round -----------------------------------------------------------------------------------


def round_found(store: Store, sheet: Sheet, room: Asked, one: Round) -> dict[str, Any]:
    """Tell what a round found, without a name, in the language that is spoken.

    `items`, widest spread first: `item`, `values` (sorted), `n`, `median`, `low`, `high`
    (quartiles), `before` (the median of the round it repeats); `sentences`; and for pairs `shares`.
    """
    if one.kind == "pair":
        return _compared(store, sheet, room, one)
    if one.kind == "idea":
        return {"items": [], "sentences": []}
    rows = scores(store, sheet, room, [one])
    earlier = [r for r in store.rounds() if r.id == one.before]
    before = _spreads(scores(store, sheet, room, earlier), one, room).set_index("item")["median"]
    found = _spreads(rows, one, room)
    told = [
        {
            "item": row.item,
            "values": row.scored,
            "n": row.n,
            "median": row.median,
            "low": row.low,
            "high": row.high,
            "before": float(before[row.item]) if row.item in before.index else None,
        }
        for row in found.itertuples(index=False)
    ]
    return {"items": told, "sentences": _sentences(rows, one, room)}


def _answers(
    rows: pd.DataFrame, one: Round, room: Asked, aspect: str = "performance"
) -> pd.DataFrame:
    """Pick a round's answers as the recipes do; of a rival, too."""
    found = fishbone.answers(
        rows, end_date=room.date, brand=one.subject, kind=one.kind, aspect=aspect
    )
    return found[found["brand"] == ""]


def _spreads(rows: pd.DataFrame, one: Round, room: Asked) -> pd.DataFrame:
    aspects = sorted(rows["aspect"].unique()) if one.kind == "need" else ["performance"]
    parts = []
    for aspect in aspects:
        picked = _answers(rows, one, room, aspect)
        ends = f":{aspect}" if one.kind == "need" else ""
        parts.append(picked.assign(item=picked["item_id"].astype("str") + ends))
    columns = ["item", "scored", "n", "median", "low", "high", "spread", "reach"]
    if not parts or not sum(map(len, parts)):
        return pd.DataFrame(columns=columns)
    found = [
        (
            item,
            sorted(score.tolist()),
            len(score),
            float(score.median()),
            low := float(score.quantile(0.25)),
            high := float(score.quantile(0.75)),
            high - low,
            float(np.ptp(score)),
        )
        for item, score in pd.concat(parts).groupby("item")["score"]
    ]
    # as `workshop.speakers`: of equal spreads the one whose extremes are further apart
    return pd.DataFrame(found, columns=columns).sort_values(
        ["spread", "reach", "item"], ascending=[False, False, True], ignore_index=True
    )


def _sentences(rows: pd.DataFrame, one: Round, room: Asked) -> list[str]:
    """Say how far people agree, and how far the one who differs most is from the others."""
    if one.kind == "need":
        table = needs.need_gaps(rows, room.needs, end_date=room.date)
        return needs.need_sentences(table) if len(table) else []
    picked = _answers(rows, one, room)
    if one.kind == "self":
        found = growth.profile(rows, room.statements, room.stages, end_date=room.date)
        # the room's sentence and how many stand where; never who
        return growth.bottom_line(found)[:2] if len(found.people) > 1 else []
    together, _n_left_out = scoring.concordance(picked)
    table = pd.DataFrame([(room.session, room.date, *together)])
    table.columns = ["session", "scored_date", *together._fields]
    return [*scoring.agreement_sentences(table), *_furthest(picked)]


def _furthest(picked: pd.DataFrame) -> list[str]:
    """Say how far the one who differs most is from the room's medians, without saying who."""
    n = picked.groupby("item_id")["score"].transform("size")
    middle = picked.groupby("item_id")["score"].transform("median")
    away = (picked["score"] - middle).abs()[n > 1].groupby(picked["participant"]).mean()
    if len(away) < 3:  # of two people each is as far from the middle
        return []
    return [words.say("room.furthest", most=away.max(), usual=away.median(), n=len(away))]


def _compared(store: Store, sheet: Sheet, room: Asked, one: Round) -> dict[str, Any]:
    """Weigh the children of a node by what people said of their pairs."""
    rows, node = comparisons(store, sheet, room, [one]), sheet.nodes[one.subject]
    tree = fishbone.factor_tree(room.month.factors, room.month.causes)
    leaves, table = weights.ahp_weights(rows, tree, sessions=[room.session])
    said = weights.ahp_sentences(table)[:1]  # the rest names people
    if not table["accepted"].any():
        return {"items": [], "shares": [], "sentences": said}
    parents = dict(zip(tree["factor_id"], tree["parent_id"], strict=True))

    def child(leaf: str) -> str:
        while leaf in parents and leaf not in node.children:
            leaf = parents[leaf]
        return leaf

    sums = leaves.groupby(leaves.index.map(child)).sum().reindex([*node.children])
    shares = (sums / sums.sum()).sort_values(ascending=False, kind="stable")
    told = [{"item": item, "share": float(share)} for item, share in shares.items()]
    return {"items": [], "shares": told, "sentences": said}


def extremes(store: Store, one: Round, person_code: str) -> dict[str, str]:
    """Tell somebody, for him alone, where he gave the lowest or the highest score of those items at
    which the room is furthest apart: "low" or "high" by item.
    """
    rows = pd.DataFrame(store.answers(one.id), columns=["code", "item", "score"])
    if one.kind not in SCORED or rows.empty:
        return {}
    found = {}
    grouped = {item: part for item, part in rows.groupby("item") if np.ptp(part["score"]) > 0}
    spread = {
        item: (np.ptp(np.quantile(part["score"], [0.25, 0.75])), np.ptp(part["score"]))
        for item, part in grouped.items()
    }
    for item in sorted(spread, key=lambda item: (*(-x for x in spread[item]), item))[:MOST_APART]:
        part = grouped[item]
        own = part.loc[part["code"] == person_code, "score"]
        if len(own) and own.iloc[0] in (part["score"].min(), part["score"].max()):
            found[item] = "low" if own.iloc[0] == part["score"].min() else "high"
    return found


def own_step(room: Asked, answers: Mapping[str, float]) -> list[str]:
    """Say to one person on which step he stands by his own answers, and what comes next."""
    known = {item: value for item, value in answers.items() if value is not None}
    if not known:
        return []
    return growth.bottom_line(workshop.own_profile(known, room.statements, room.stages))


# ---- the end -------------------------------------------------------------------------------------


class Result(NamedTuple):
    """What the room found in the end: figures as SVG or a sentence in their place, and the plan.

    `plan` are the contract's columns with `leg` and `factor`, as it is proposed.
    """

    figures: dict[str, str]
    sentences: list[str]
    plan: pd.DataFrame


def result(store: Store, sheet: Sheet, room: Asked, days: int, start: dt.date) -> Result:
    """Judge the month with what the room said added to it, by the recipe of the fishbone's page.

    `days` of effort, to be spent from `start` on; in the language that is spoken.
    """
    rounds = store.rounds()
    own = scores(store, sheet, room, rounds)
    # held after the month's end, the wall still shows what the room has just said
    own["scored_date"] = own["scored_date"].clip(upper=pd.Timestamp(last_day(room.period)))
    found = room.month._replace(
        scores=_added(room.month.scores, own),
        comparisons=_added(room.month.comparisons, comparisons(store, sheet, room, rounds)),
    )
    told = options_in_force(fishbone.judge_month, room.book, {"budget_days": days})
    month = fishbone.month.in_words(fishbone.judge_month(found, **told | {"dealer_id": ""}), found)
    few = factors.why_too_few(month.table)
    note = words.say("room.note", session=room.session, title=room.book.heading)
    drawn = {
        "scores": lambda: fishbone.plot_scores(
            month.scored, month.tree, disagreement=told["disagreement"], note=note
        ),
        "fishbone": lambda: fishbone.plot_fishbone(
            month.tree, month.table, head=words.label("dealer_earns"), note=note
        ),
        "causes": lambda: factors.plot_causes(
            month.causes, vital_share=told["vital_share"], note=note
        ),
        "climb": lambda: fishbone.plot_climb(
            month.legs, effort.frontier(month.starts, days), month.tree, note=note, empty=few
        ),
    }
    proposed = pd.DataFrame(columns=["leg", "factor", *plan.COLUMNS])
    if len(month.legs):
        proposed = fishbone.proposed_plan(month.legs, month.tree, start_date=start)
        names = month.tree.set_index("factor_id")["factor"]
        proposed = proposed.assign(factor=proposed["factor_id"].map(names))
    said = [
        *factors.bottom_line(month.table, month.causes),
        *effort.sentences(month.legs, month.starts, month.tree, empty=few),
    ]
    return Result(
        {name: picture(draw()) for name, draw in drawn.items()}, list(dict.fromkeys(said)), proposed
    )


def self_figure(store: Store, sheet: Sheet, room: Asked, one: Round) -> str:
    """Draw how many people stand on which step, from their answers in a round."""
    rows = scores(store, sheet, room, [one])
    found = growth.profile(rows, room.statements, room.stages, end_date=room.date)
    return picture(workshop.plot_ladder(found, note=workshop.session_note(found)))


def picture(ax: plt.Axes) -> str:
    """Give a figure as SVG, and the sentence in its place where there is none; it is closed."""
    try:
        return getattr(ax.figure, "nothing", "") or svg.drawn(ax.figure)
    finally:
        plt.close(ax.figure)


def _added(before: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Add the room's rows; what was known of its session before is what it said until then."""
    if rows.empty:
        return before
    kept = before[before["session"] != rows["session"].iloc[0]]
    return (
        pd.concat([kept, rows.reindex(columns=before.columns)], ignore_index=True)
        if len(kept)
        else rows.reindex(columns=before.columns)
    )


def last_day(period: str) -> dt.date:
    """Give the last day of a month's window: what is scored on it counts for that month."""
    return pd.Timestamp(periods.window(period).end).date()
