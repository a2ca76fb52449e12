"""Moves: what the proposal comes to, in names and words, and its figure."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import look, words
from helpers.inventory import age
from helpers.inventory.age import DEAD_DAYS, OLD_DAYS
from helpers.inventory.rebalancing import COVER_DAYS, ENDING_RATE, needs
from helpers.inventory.turnover import PACE_DAYS, PAIR
from helpers.settings import Scalar, page_of

PAGE = page_of("inventory_age")
N_BARS = 12  # dealers drawn
SHOWN = [
    "dealer_id",
    "dealer_name",
    "product_name",
    "quantity",
    "value",
    "taker_name",
    "distance_km",
    "reason",
]
GIVERS = [
    "dealer_id",
    "dealer_name",
    "account_manager",
    "sleeping_value",
    "moved_value",
    "n_lots",
    "n_takers",
    "takers_name",
]
FIRST_TAKERS = 2  # named per giver


# ---- tables --------------------------------------------------------------------------------------


def giver_table(givers: pd.DataFrame, plan: pd.DataFrame, dealers: pd.DataFrame) -> pd.DataFrame:
    """Put names beside `giver_sums`, those of who would take most, too: the columns of `GIVERS`."""
    rows = givers.copy()
    rows["takers_name"] = (
        rows["dealer_id"].map(_first_takers(plan, dealers, FIRST_TAKERS)).astype("str")
    )
    rows["dealer_name"] = rows["dealer_id"].map(_names(dealers)).fillna(rows["dealer_id"])
    rows["account_manager"] = rows["dealer_id"].map(_names(dealers, "account_manager"))
    return rows[GIVERS]


def _first_takers(plan: pd.DataFrame, dealers: pd.DataFrame, most: int) -> dict[str, str]:
    """Name, for each giver, who would take most of his lots, the nearest first among equals."""
    pair = ["from_dealer_id", "to_dealer_id"]
    takers = plan.groupby(pair, as_index=False).agg(value=("value", "sum"), step=("step", "min"))
    takers = takers.sort_values(["value", "step", "to_dealer_id"], ascending=[False, True, True])
    named = takers["to_dealer_id"].map(_names(dealers)).fillna(takers["to_dealer_id"])
    return {
        giver: words.listed(names, most) for giver, names in named.groupby(takers["from_dealer_id"])
    }


def _names(dealers: pd.DataFrame, column: str = "dealer_name") -> pd.Series:
    return dealers.drop_duplicates("dealer_id").set_index("dealer_id")[column]


def move_table(
    plan: pd.DataFrame, dealers: pd.DataFrame, models: pd.DataFrame, *, pace_days: int = PACE_DAYS
) -> pd.DataFrame:
    """Lay the lots out for people: the dearest first, then the nearest.

    `dealer_id` and `dealer_name` are the giver's; `reason` is in words. The columns of `SHOWN`, and
    `account_manager`, `to_dealer_id`, `taker_city`, `product_id`, `crosses_region` and `age_days`.
    """
    order = ["value", "step", "from_dealer_id", "to_dealer_id", "product_id"]
    rows = plan.sort_values(order, ascending=[False, True, True, True, True])
    giver, taker = rows["from_dealer_id"], rows["to_dealer_id"]
    known = models.drop_duplicates("product_id").set_index("product_id")["product_name"]
    return pd.DataFrame(
        {
            "account_manager": giver.map(_names(dealers, "account_manager")),
            "dealer_id": giver,
            "dealer_name": giver.map(_names(dealers)).fillna(giver),
            "product_id": rows["product_id"],
            "product_name": rows["product_id"].map(known).fillna(rows["product_id"]),
            "quantity": rows["quantity"],
            "value": rows["value"],
            "to_dealer_id": taker,
            "taker_name": taker.map(_names(dealers)).fillna(taker),
            "taker_city": taker.map(_names(dealers, "city")),
            "distance_km": rows["distance_km"].round(),
            "crosses_region": rows["crosses_region"].astype(bool),
            "age_days": rows["age_days"].round(),
            "reason": [_reason(row, pace_days) for row in rows.itertuples()],
        }
    ).reset_index(drop=True)


def published(moves: pd.DataFrame) -> pd.DataFrame:
    """Name the columns of `move_table` for who reads them without the page.

    Who gives is `from_…`, who takes `to_…`.
    """
    return moves.rename(columns={"dealer_id": "from_dealer_id", "dealer_name": "giver_name"})


def _reason(row, pace_days: int) -> str:
    said = words.say(
        f"rebalancing.{row.reason}",
        days=row.age_days,
        span=pace_days,
        given=row.from_sold,
        taken=row.to_sold,
        left=row.to_quantity,
    )
    return words.say("rebalancing.territory", said=said) if row.crosses_region else said


# ---- sentences -----------------------------------------------------------------------------------


def bottom_line(
    plan: pd.DataFrame,
    givers: pd.DataFrame,
    *,
    old_days: int = OLD_DAYS,
    cover_days: int = COVER_DAYS,
    **_others: Scalar,
) -> list[str]:
    """Say what sleeps beyond its dealers' own need, and what the proposal would wake.

    Nothing where nothing sleeps.
    """
    if givers.empty:
        return []
    asleep = givers["sleeping_value"].sum()
    if plan.empty:
        return [_no_taker(givers, old_days, cover_days)]
    near = float(plan["distance_km"].median())
    said = [
        words.say(
            "rebalancing.frees",
            asleep=asleep,
            old_days=old_days,
            days=cover_days,
            value=plan["value"].sum(),
            n=len(plan),
            quantity=int(plan["quantity"].sum()),
            n_from=plan["from_dealer_id"].nunique(),
            n_to=plan["to_dealer_id"].nunique(),
        )
    ]
    if not np.isnan(near):
        said.append(words.say("rebalancing.near", km=near))
    across = plan[plan["crosses_region"].astype(bool)]
    if len(across):
        worth = across["value"].sum()
        said.append(words.say("rebalancing.crosses", n=len(across), value=worth))
    return said


def season_sentences(seasons: pd.DataFrame, aged: pd.DataFrame) -> list[str]:
    """Say by what the coming weeks are told, category by category, and which season ends.

    `seasons` from `season.coming`; nothing without stock.
    """
    if aged.empty or seasons.empty:
        return []
    said = []
    for basis, sentence in (("last_year", "by_last_year"), ("sell_in", "by_sell_in")):
        rows = seasons[seasons["season_basis"] == basis]
        parts = [
            words.say("season.part", category=words.word(r.category), rate=words.percent(r.coming))
            for r in rows[rows["category"] != ""].itertuples()
        ]
        if parts:
            said.append(words.say(f"season.{sentence}", names=words.listed(parts, len(parts))))
    ending = seasons[(seasons["coming"] < ENDING_RATE) & (seasons["category"] != "")]
    if len(ending):
        names = words.listed([words.word(c) for c in ending["category"]], len(ending))
        said.append(words.say("season.ends", names=names))
    return said


def _no_taker(givers: pd.DataFrame, old_days: int, cover_days: int) -> str:
    asleep = givers["sleeping_value"].sum()
    return words.say("rebalancing.no_taker", asleep=asleep, old_days=old_days, days=cover_days)


def why_no_lots(
    aged: pd.DataFrame,
    flows: pd.DataFrame,
    givers: pd.DataFrame,
    *,
    old_days: int = OLD_DAYS,
    cover_days: int = COVER_DAYS,
    pace_days: int = PACE_DAYS,
    **_others: Scalar,
) -> str:
    """Say why no lot is proposed, in the words of what is missing first.

    No stock, none of it old, sales or value unknown, nothing beyond the dealers' own need, or
    nobody who runs short.
    """
    if aged.empty:
        return words.say("inventory.no_stock")
    if len(givers):
        return _no_taker(givers, old_days, cover_days)
    own = needs(aged, flows, cover_days, pace_days)[[*PAIR, "need"]]
    old = age.summed(aged[aged["is_old"]]).merge(own, on=PAIR)
    if old.empty:
        return words.say("inventory.no_old", days=old_days)
    if old["need"].isna().all():
        return words.say("inventory.dead_unknown")
    return words.say("rebalancing.nothing" if (old["value"] > 0).any() else "inventory.no_cost")


def headlines(
    dead: pd.DataFrame,
    plan: pd.DataFrame,
    dealers: pd.DataFrame,
    *,
    dead_days: int = DEAD_DAYS,
) -> list[dict]:
    """Make the front page's calls.

    The dealers with most dead stock, since when, and where it could go.

    `dead` from `dead_stock` by the same `dead_days`, with names. Keys as `report.headline`.
    """
    worth = dead.groupby("dealer_id")["value"].sum().sort_values(ascending=False, kind="stable")
    made = []
    for dealer in worth[worth > 0].index[: age.N_CALLED]:
        rows = dead[dead["dealer_id"] == dealer]
        days = float(np.average(rows["age_days"], weights=rows["quantity"]))
        said = words.say(
            "rebalancing.dead",
            value=worth[dealer],
            models=_two_models(rows["product_name"]),
            days=days,
            span=dead_days,
        )
        what = _what_to_do(
            plan[(plan["from_dealer_id"] == dealer) & plan["product_id"].isin(rows["product_id"])],
            dealers,
        )
        made.append(
            {
                "place": "call",
                "label": str(rows["dealer_name"].iloc[0]),
                "link": f"{PAGE}#{look.anchor(dealer)}",
                "text": words.say("rebalancing.call", said=said, what=what),
            }
        )
    return made


def _two_models(names: pd.Series) -> str:
    said = words.listed(names.head(2))
    return (
        said
        if len(names) <= 2
        else words.say("rebalancing.more_models", models=said, n=len(names) - 2)
    )


def _what_to_do(lots: pd.DataFrame, dealers: pd.DataFrame) -> str:
    """Say what to do with one giver's lots."""
    if lots.empty:
        return words.say("rebalancing.keep")
    (names,) = _first_takers(lots, dealers, 2).values()
    return words.say("rebalancing.move", n=len(lots), value=lots["value"].sum(), names=names)


# ---- plot ----------------------------------------------------------------------------------------


def plot_proposal(
    plan: pd.DataFrame,
    givers: pd.DataFrame,
    *,
    old_days: int = OLD_DAYS,
    cover_days: int = COVER_DAYS,
    note: str = "",
    empty: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw what sleeps at the dealers with most of it, and what of it the proposal would move.

    Where nothing sleeps `empty` says why (see `why_no_lots`).
    """
    if givers.empty:
        return look.nothing(empty or words.say("rebalancing.nothing"), ax)
    shown = givers.head(N_BARS)
    asleep = givers["sleeping_value"].sum()
    title = words.say(
        "rebalancing.title", share=words.percent(plan["value"].sum() / asleep), asleep=asleep
    )
    is_whole = shown["moved_value"].iloc[0] in (0, shown["sleeping_value"].iloc[0])
    if len(shown) == 1 and is_whole:  # one bar
        return look.instead(title, ax)
    ax, y = ax or look.axes(height=1.5 + 0.27 * len(shown)), np.arange(len(shown))
    stays = (shown["sleeping_value"] - shown["moved_value"]).clip(lower=0)
    moved, accent, muted = shown["moved_value"], look.COLORS["accent"], look.COLORS["muted"]
    ax.barh(y, moved, 0.7, color=accent)
    ax.barh(y, stays, 0.7, left=moved, color=muted)
    first, rest = float(moved.iloc[0]), float(stays.iloc[0])
    places = ((first / 2, "moved_value", accent), (first + rest / 2, "staying_value", muted))
    look.above(ax, [(at, words.label(term), color) for at, term, color in places])
    ax.set_yticks(y, shown["dealer_name"])
    ax.set(xlabel=words.label("sleeping_value"), ylim=(len(shown) - 0.4, -0.6))
    ax.grid(axis="y", visible=False)
    look.money_axis(ax.xaxis)
    how = words.say("rebalancing.title_how", old_days=old_days, days=cover_days)
    return look.explain(ax, title, how, note)
