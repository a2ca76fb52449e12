"""Exercises: how a room scores together, and the folded solutions of the workshop's tour."""

import html
from collections.abc import Iterable

import numpy as np
import pandas as pd

from helpers import fishbone, profit, words
from helpers.pareto import margin_rate

MOST_NAMED = 3  # people named for the same score
# of a sheet, before the people's columns
QUESTION = ["kind", "item_id", "aspect", "brand", "question"]
KEYS = [
    "session",
    "scored_date",
    "participant",
    "kind",
    "item_id",
    "score",
    "aspect",
    "brand",
    "dealer_id",
]


# ---- several score at once -----------------------------------------------------------------------


def speakers(
    scores: pd.DataFrame,
    tree: pd.DataFrame,
    *,
    end_date,
    dealer_id: str = "",
    brand: str = "",
    n: int = 5,
):
    """List the factors at which the room is furthest apart, and who should speak first.

    The lowest and the highest.

    Columns: `factor`, `n_scores`, `score`, `low`, `high` (as `fishbone.people_scores`), `spread`
    (high − low), `lowest_by`, `highest_by` (each with the score), of the last session, widest
    first; of equal spreads the one whose extremes are further apart.
    """
    people = fishbone.people_scores(
        scores, tree, end_date=end_date, dealer_id=dealer_id, brand=brand
    )
    people = people[people["n_scores"] >= 2].assign(spread=lambda p: p["high"] - p["low"])
    rows = fishbone.answers(scores, end_date=end_date, dealer_id=dealer_id, brand=brand)
    rows = rows[(rows["brand"] == "") & rows["item_id"].isin(people["factor_id"])]
    rows = rows[rows["nth"] == rows.groupby("item_id")["nth"].transform("max")]
    by = {
        factor: inside.set_index("participant")["score"]
        for factor, inside in rows.groupby("item_id")
    }
    people = people.assign(reach=[np.ptp(by[factor]) for factor in people["factor_id"]])
    people = people.sort_values(["spread", "reach"], ascending=False, kind="stable").head(n)
    said = people.assign(
        factor=people["factor_id"].map(tree.set_index("factor_id")["factor"]),
        lowest_by=[_those(by[f], by[f].min()) for f in people["factor_id"]],
        highest_by=[_those(by[f], by[f].max()) for f in people["factor_id"]],
    )
    columns = ["factor", "n_scores", "score", "low", "high", "spread", "lowest_by", "highest_by"]
    return said[columns].reset_index(drop=True)


def _those(score: pd.Series, level: float) -> str:
    who = score.index[score == level]
    names = (
        words.listed(who) if len(who) <= MOST_NAMED else words.say("exercises.people", n=len(who))
    )
    return f"{names} ({level:g})"


def score_sheet(
    statements: pd.DataFrame,
    tree: pd.DataFrame,
    needs: pd.DataFrame,
    *,
    brands: Iterable[str] = ("",),
    n: int = 12,
) -> pd.DataFrame:
    """Lay out a sheet to fill in: a row per question, a column per person (P01 …), empty.

    Asked are each statement, each leaf factor for each brand, and how much each need matters and
    how we meet it. Columns before the people: `kind`, `item_id`, `aspect`, `brand`, `question`.
    Fill in 0 to 10, or leave a cell empty.
    """
    leaves = list(fishbone.leaf_factors(tree).itertuples())
    asked = [
        ("self", row.item_id, "performance", "", words.translated(row.en, row.zh))
        for row in statements.itertuples()
    ]
    asked += [
        (
            "factor",
            leaf.factor_id,
            "performance",
            brand,
            " · ".join(filter(None, [leaf.factor, brand])),
        )
        for brand in brands
        for leaf in leaves
    ]
    asked += [
        (
            "need",
            row.need,
            aspect,
            "",
            words.say(f"exercises.{aspect}", need=words.translated(row.en, row.zh)),
        )
        for aspect in ("importance", "performance")
        for row in needs.itertuples()
    ]
    sheet = pd.DataFrame(asked, columns=["kind", "item_id", "aspect", "brand", "question"])
    return sheet.reindex(columns=[*sheet.columns, *(f"P{i:02d}" for i in range(1, n + 1))])


def scores_of_sheet(sheet: pd.DataFrame, *, session: str, scored_date) -> pd.DataFrame:
    """Turn a filled sheet into the contract's `scores` of a session.

    `data.keep_session` lays them beside the toml. Empty cells are no rows; a decimal comma is one.

    Raises
    ------
    ValueError
        If a cell is no number from 0 to 10, a column is missing, or nobody filled anything in.
    """
    if missing := [c for c in ("kind", "item_id", "aspect", "brand") if c not in sheet]:
        raise ValueError(
            f"sheet: no column {missing[0]!r}; keep the columns that the empty sheet had"
        )
    people = [c for c in sheet if c not in ("kind", "item_id", "aspect", "brand", "question")]
    rows = sheet.melt(["kind", "item_id", "aspect", "brand"], people, "participant", "said")
    rows["said"] = rows["said"].astype("str").str.strip().str.replace(",", ".", regex=False)
    rows = rows[~rows["said"].isin(["", "nan", "None", "<NA>"]) & rows["said"].notna()]
    rows["score"] = pd.to_numeric(rows["said"], errors="coerce")
    if len(wrong := rows[~rows["score"].between(0, 10)]):
        first = wrong.iloc[0]
        raise ValueError(
            f"sheet: {len(wrong)} cells are no score, e.g. {first['said']!r} at "
            f"{first['item_id']} by {first['participant']}; write a number from 0 to 10, or "
            "nothing"
        )
    if rows.empty:
        raise ValueError("sheet: nobody has filled anything in; write scores under P01, P02 …")
    rows = rows.assign(
        session=session, scored_date=pd.Timestamp(scored_date).normalize(), dealer_id=None
    )
    rows["brand"] = (
        rows["brand"].astype(object).where(rows["brand"].notna() & (rows["brand"] != ""), None)
    )
    return rows[KEYS].astype(object).astype({"score": "float64"}).reset_index(drop=True)


# ---- folded solutions ----------------------------------------------------------------------------


class Solution:
    """Sentences that stay folded until somebody clicks.

    Escaped, for a dealer's name is text and never markup.
    """

    def __init__(self, sentences: Iterable[str]) -> None:
        """Keep the sentences that say something."""
        self.sentences = [sentence for sentence in sentences if sentence]

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in self.sentences)
        summary = html.escape(words.say("exercises.summary"))
        return (
            f'<details class="solution"><summary>{summary}</summary><ul '
            f'class="prose">{items}</ul></details>'
        )

    def __repr__(self) -> str:
        """Read as plain lines."""
        return "\n".join(self.sentences)


def solution(key: str, **numbers: object) -> Solution:
    """Fold the sentence `exercises.<key>`, filled in with what was computed."""
    return Solution([words.say(f"exercises.{key}", **numbers)])


def white_spot_solution(cities: pd.DataFrame) -> Solution:
    """Name the largest place without a dealer, of `segmentation.coverage`, and what such bring."""
    spots = cities[cities["is_white_spot"].astype(bool)].sort_values(
        "population", ascending=False, kind="stable"
    )
    if spots.empty:
        return solution("no_white_spot")
    first = spots.iloc[0]
    return solution(
        "white_spot",
        n=len(spots),
        city=first["city"],
        people=float(first["population"]),
        expected=float(first["expected_revenue"]),
        n_like=int(first["n_comparable"]),
    )


def rule_solution(
    judged: pd.DataFrame, one: pd.DataFrame, other: pd.DataFrame, indicator: str
) -> Solution:
    """Compare who is A by an indicator under one rule and another, from `pareto.judge_month`.

    `judged` has the dealers' names.
    """
    before, after = (
        set(rows.loc[rows[f"{indicator}_class"] == "A", "dealer_id"]) for rows in (one, other)
    )
    said = [
        words.say(
            "exercises.rule",
            before=len(before),
            after=len(after),
            lost=len(before - after),
            won=len(after - before),
        )
    ]
    moved = judged[judged["dealer_id"].isin(before ^ after)].sort_values(
        indicator, ascending=False, kind="stable"
    )
    names = words.listed(moved["dealer_name"], 3)
    return Solution([*said, words.say("exercises.rule_first", names=names) if len(moved) else ""])


def thin_solution(judged: pd.DataFrame) -> Solution:
    """Name those who pay like an A and earn us less than one, from `pareto.joint_judgement` with
    `dealer_name`.
    """
    judged = judged.assign(margin=margin_rate(judged))
    thin = judged[(judged["payments_class"] == "A") & judged["gross_profit_class"].isin(["B", "C"])]
    if thin.empty:
        return solution("no_thin")
    first = thin.sort_values("margin", kind="stable").iloc[0]
    return solution(
        "thin",
        n=len(thin),
        name=first["dealer_name"],
        margin=words.percent(first["margin"], 1),
        median=words.percent(judged["margin"].median(), 1),
        diagnosis=first["diagnosis"],
    )


def spread_solution(apart: pd.DataFrame, gaps: pd.DataFrame) -> Solution:
    """Say who speaks first, from `speakers`, and which dealer's figures the room overlooks
    (`fishbone.dealer_gaps`).
    """
    if apart.empty:
        return solution("no_spread")
    first = apart.iloc[0]
    said = [
        words.say(
            "exercises.spread",
            **{c: first[c] for c in ("factor", "low", "high", "lowest_by", "highest_by")},
        )
    ]
    if len(gaps):
        row = gaps.iloc[0]
        key = "exercises.rosy" if row["gap"] > 0 else "exercises.gloomy"
        said.append(
            words.say(
                key,
                name=row["dealer_name"],
                factor=row["factor"],
                score=row["score"],
                data=row["data_score"],
            )
        )
    return Solution(said)


def owner_solution(split: pd.DataFrame) -> Solution:
    """Say how much of what is missing is ours to change, from `fishbone.owner_split`."""
    parts = split.set_index("owner")
    if parts["shortfall_share"].isna().all():
        return solution("no_owner")
    return solution(
        "owner",
        n=int(parts.loc["us", "n_factors"]),
        of=int(parts["n_factors"].sum()),
        share=words.percent(parts.loc["us", "shortfall_share"]),
    )


def group_solution(profile: pd.DataFrame) -> Solution:
    """Set the group that buys most under promotions against the one that does least, from
    `consumers.profile_table`.
    """
    asked = ("promotion_share", "discount_share")
    known = profile.dropna(subset=[c for c in asked if c in profile])
    if len(known) < 2 or not set(asked) <= set(profile):
        return solution("no_groups")
    known = known.sort_values("promotion_share", kind="stable")
    least, most = known.iloc[0], known.iloc[-1]
    return solution(
        "groups",
        most=most["group_name"],
        most_promoted=words.percent(most["promotion_share"]),
        most_discount=words.percent(most["discount_share"]),
        least=least["group_name"],
        least_promoted=words.percent(least["promotion_share"]),
        least_discount=words.percent(least["discount_share"]),
    )


def stock_solution(stock: pd.DataFrame, moves: pd.DataFrame, dead_days: int) -> Solution:
    """Name the dealer with most dead stock and the first lot that could leave him.

    `stock` from `inventory.dealer_stock` by the rule `dead_days`, with `dealer_name`; `moves` from
    `inventory.move_table`.
    """
    dead = stock[stock["dead_value"] > 0].sort_values("dead_value", ascending=False, kind="stable")
    if dead.empty:
        return solution("no_dead_stock")
    first = dead.iloc[0]
    said = [
        words.say(
            "exercises.dead_stock",
            n=len(dead),
            name=first["dealer_name"],
            value=first["dead_value"],
            days=dead_days,
            share=words.percent(first["dead_share"]),
        )
    ]
    lots = moves[moves["dealer_id"] == first["dealer_id"]]
    if lots.empty:
        return Solution([*said, words.say("exercises.no_lot")])
    lot = lots.iloc[0]
    return Solution(
        [
            *said,
            words.say(
                "exercises.lot",
                n=len(lots),
                quantity=int(lot["quantity"]),
                model=lot["product_name"],
                taker=lot["taker_name"],
            ),
        ]
    )


def proof_solution(lost: pd.DataFrame, earned: profit.ProfitMonth) -> Solution:
    """Name the dealer to visit first because a rival earns him more, and say to him what his sheet
    says.

    `lost` are those of `earned`, from `profit.profit_month`, with their names.
    """
    if lost.empty:
        return solution("never_lost")
    first, n_less = lost.iloc[0], int((lost["status"] == "earns_less").sum())
    said = words.say(
        "exercises.lost" if n_less else "exercises.lost_some",
        n=len(lost),
        n_less=n_less,
        of=earned.comparison["dealer_id"].nunique(),
        name=first["dealer_name"],
        rival=first["rival"],
        points=abs(first["lead_points"]),
        money=first["gap_money"],
    )
    return Solution([said, *profit.verdict(earned.comparison, earned.gaps, first["dealer_id"])])
