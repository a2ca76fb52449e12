"""Rebalancing: small lots from where a model sleeps to where it sells.

A proposal, for the stock is the dealers'.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import sparse
from scipy.optimize import linprog

from helpers import look, words
from helpers.inventory import age, turnover
from helpers.inventory.turnover import PAIR
from helpers.settings import page_of

SLEEP_DAYS = age.OLD_DAYS  # a piece that lies longer sleeps
COVER_DAYS = 45  # what a dealer sells in these days is his own need, whether he gives or takes
MAX_LOT = 10  # pieces of one model from one dealer to another: ants carry little, and come again
# takers a giver looks at, per model: beyond them nobody drives, and 2,800 dealers stay quick
N_NEAREST = 30
KM_PER_STEP = 100  # where coordinates are known; else same city 0, same region 1, farther 2
MAX_STEP = 5.0  # 500 km, a day's way; what is not known in kilometres always passes
# part of the value that a step of the way costs: small, so that waking stock comes first
WAY_RATE = 0.02
EARTH_KM = 6371.0088
EPSILON = 1e-9
PAGE = page_of("inventory_age")
N_BARS = 12  # dealers drawn
PLAN = [
    "from_dealer_id",
    "to_dealer_id",
    "product_id",
    "quantity",
    "value",
    "distance_km",
    "step",
    "age_days",
    "reason",
    "from_quantity",
    "from_sold_90d",
    "to_quantity",
    "to_sold_90d",
]
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


# ---- who could give, who could take --------------------------------------------------------------


def supply(aged: pd.DataFrame, flows: pd.DataFrame) -> pd.DataFrame:
    """List what sleeps: pieces older than `SLEEP_DAYS` beyond what their dealer himself sells in
    `COVER_DAYS`.

    Old goods leave first, so his own need is set against the old pieces, and what he keeps covers
    it. Of a dealer of whom `flows` know nothing, or of a model without a cost, nothing is proposed.

    Returns
    -------
    DataFrame
        `dealer_id`, `product_id`, `pieces` (whole, at least 1), `unit_value`, `age_days` (of the
        sleeping pieces, mean), `on_hand`, `sold_90d`.
    """
    return _sleeping(aged, _pairs(aged, flows))


def demand(aged: pd.DataFrame, flows: pd.DataFrame) -> pd.DataFrame:
    """List what is missing.

    Whole pieces a dealer sells in `COVER_DAYS` beyond all he has of the model.

    A dealer without any stock on record takes nothing: who does not report his stock may have
    plenty. Columns: `dealer_id`, `product_id`, `pieces` (at least 1), `on_hand`, `sold_90d`.
    """
    return _missing(aged, _pairs(aged, flows))


def _pairs(aged: pd.DataFrame, flows: pd.DataFrame) -> pd.DataFrame:
    """Put stock and need of every dealer and model side by side: `on_hand`, `sold_90d`, `need`."""
    rows = turnover.stock_and_sales(aged, flows)[[*PAIR, "quantity", "sold_90d"]]
    rows = rows.rename(columns={"quantity": "on_hand"}).assign(
        sold_90d=rows["sold_90d"].clip(lower=0)
    )
    return rows.assign(need=rows["sold_90d"] * COVER_DAYS / turnover.PACE_DAYS)


def _sleeping(aged: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    old = age.older_than(aged, SLEEP_DAYS).rename(columns={"quantity": "old"})
    rows = pairs.merge(old, on=PAIR)
    rows["pieces"] = np.floor(rows["old"] - rows["need"] + EPSILON)
    rows["unit_value"] = rows["value"] / rows["old"]
    rows = rows[(rows["pieces"] >= 1) & (rows["unit_value"] > 0)]
    kept = [*PAIR, "pieces", "unit_value", "age_days", "on_hand", "sold_90d"]
    return rows[kept].sort_values(PAIR, ignore_index=True)


def _missing(aged: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    rows = pairs.assign(pieces=np.floor(pairs["need"] - pairs["on_hand"] + EPSILON))
    rows = rows[(rows["pieces"] >= 1) & rows["dealer_id"].isin(aged["dealer_id"].unique())]
    return rows[[*PAIR, "pieces", "on_hand", "sold_90d"]].sort_values(PAIR, ignore_index=True)


# ---- the proposal --------------------------------------------------------------------------------


def proposal(
    aged: pd.DataFrame,
    flows: pd.DataFrame,
    dealers: pd.DataFrame,
    *,
    max_lot: int = MAX_LOT,
    min_value: float | None = None,
) -> pd.DataFrame:
    """Propose which lots to move where: the most value woken, less a small cost of the way.

    Per model this is a transportation problem: maximise Σ pieces × value of a piece × (1 −
    `WAY_RATE` × steps), with what sleeps (see `supply`) and what is missing (see `demand`) as
    limits and at most `max_lot` pieces from one dealer to another. Its matrix is that of a
    bipartite graph and totally unimodular: with whole limits every corner of the feasible set is
    whole, and the dual simplex ends in a corner. So the answer is exact without search. A lot must
    be worth its way: `min_value` and as much again per step. Pairs that can't reach that are left
    out before, and lots that fall short of it afterwards are dropped.

    Parameters
    ----------
    aged, flows
        From `inventory.aged` and `data.flows`.
    dealers
        `dealer_id`; `city`, `region`, `latitude` and `longitude` where known.
    min_value
        Least value of a lot next door; where not given, the mean value of a piece on hand: no way
        for a trifle.

    Returns
    -------
    DataFrame
        One row per lot: `from_dealer_id`, `to_dealer_id`, `product_id`, `quantity` (whole), `value`
        (dealer's cost), `distance_km` (NaN without coordinates), `step`, `age_days`, `reason`
        ("sold_none" or "slow": how it sells at the giver), and stock and sales of both; most
        valuable first.

    Raises
    ------
    ValueError
        If `max_lot` is below 1.

    Source: Hitchcock (1941), The distribution of a product from several sources to numerous
    localities, J. of Mathematics and Physics 20; Hoffman & Kruskal (1956) on integral corners.
    """
    if max_lot < 1:
        raise ValueError(f"max_lot: {max_lot} carries nothing; give 1 piece or more")
    least = _mean_piece(aged) if min_value is None else min_value
    pairs, places = _pairs(aged, flows), _places(dealers)
    givers, takers = _sleeping(aged, pairs), _missing(aged, pairs)
    wanted = dict(list(takers.groupby("product_id")))
    lots = [
        _lots(rows, wanted[model], places, max_lot, least)
        for model, rows in givers.groupby("product_id")
        if model in wanted
    ]
    lots = [lot for lot in lots if len(lot)]
    if not lots:
        return pd.DataFrame(columns=PLAN).astype(
            dict.fromkeys(("quantity", "value", "distance_km", "age_days"), float)
        )
    plan = pd.concat(lots, ignore_index=True)
    order = ["value", "from_dealer_id", "to_dealer_id", "product_id"]
    return plan.sort_values(order, ascending=[False, True, True, True], ignore_index=True)[PLAN]


def _mean_piece(aged: pd.DataFrame) -> float:
    known = aged[aged["value"].notna()]
    return (
        float(known["value"].sum() / known["quantity"].sum())
        if known["quantity"].sum() > 0
        else 0.0
    )


def _lots(
    givers: pd.DataFrame, takers: pd.DataFrame, places: pd.DataFrame, max_lot: int, least: float
) -> pd.DataFrame:
    """Solve one model's transportation problem and lay its lots out as rows."""
    step, km = _ways(givers["dealer_id"], takers["dealer_id"], places)
    have, want = givers["pieces"].to_numpy(), takers["pieces"].to_numpy()
    worth = givers["unit_value"].to_numpy()
    most = np.minimum(np.minimum(have[:, None], want[None, :]), max_lot)
    least_worth = least * (1 + step)
    allowed = (step <= MAX_STEP) & (most * worth[:, None] >= least_worth)
    allowed &= givers["dealer_id"].to_numpy()[:, None] != takers["dealer_id"].to_numpy()[None, :]
    i, j = _nearest(step, allowed)
    if not len(i):
        return pd.DataFrame()
    pieces = _transported(worth[i] * (1 - WAY_RATE * step[i, j]), i, j, have, want, most[i, j])
    kept = (pieces > 0) & (pieces * worth[i] >= least_worth[i, j])
    i, j, pieces = i[kept], j[kept], pieces[kept]
    given, taken = givers.iloc[i].reset_index(drop=True), takers.iloc[j].reset_index(drop=True)
    return pd.DataFrame(
        {
            "from_dealer_id": given["dealer_id"],
            "to_dealer_id": taken["dealer_id"],
            "product_id": given["product_id"],
            "quantity": pieces,
            "value": (pieces * worth[i]).round(2),
            "distance_km": km[i, j],
            "step": step[i, j],
            "age_days": given["age_days"],
            "reason": np.where(given["sold_90d"] > 0, "slow", "sold_none"),
            "from_quantity": given["on_hand"],
            "from_sold_90d": given["sold_90d"],
            "to_quantity": taken["on_hand"],
            "to_sold_90d": taken["sold_90d"],
        }
    )


def _nearest(step: np.ndarray, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keep each giver's nearest allowed takers, as positions.

    Who is as near comes by his number.
    """
    far = np.where(allowed, step, np.inf)
    if far.shape[1] > N_NEAREST:
        first = np.argsort(far, axis=1, kind="stable")[:, :N_NEAREST]
        kept = np.zeros(far.shape, bool)
        np.put_along_axis(kept, first, True, axis=1)
        far = np.where(kept, far, np.inf)
    return np.nonzero(np.isfinite(far))


def _transported(
    worth: np.ndarray, i: np.ndarray, j: np.ndarray, have, want, most: np.ndarray
) -> np.ndarray:
    """Give the whole pieces on each arc from giver i to taker j that are worth most together."""
    arcs = np.arange(len(i))
    ones = np.ones(len(i))
    given = sparse.csr_array((ones, (i, arcs)), shape=(len(have), len(i)))
    taken = sparse.csr_array((ones, (j, arcs)), shape=(len(want), len(i)))
    limits = np.concatenate([have, want])
    found = linprog(
        -worth / worth.max(),
        sparse.vstack([given, taken]),
        limits,
        bounds=np.column_stack([np.zeros(len(i)), most]),
        method="highs-ds",
    )
    return np.rint(found.x).astype(int)


def _places(dealers: pd.DataFrame) -> pd.DataFrame:
    columns = ["city", "region", "latitude", "longitude"]
    rows = dealers.drop_duplicates("dealer_id").set_index("dealer_id").reindex(columns=columns)
    return rows.astype({"latitude": float, "longitude": float})


def _ways(
    from_ids: pd.Series, to_ids: pd.Series, places: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Measure the way from each giver to each taker.

    Steps, and kilometres where both places are known.
    """
    a, b = places.reindex(from_ids), places.reindex(to_ids)
    km = _great_circle_km(a, b)
    same = {c: _same(a[c], b[c]) for c in ("city", "region")}
    step = np.where(same["city"], 0.0, np.where(same["region"], 1.0, 2.0))
    return np.where(np.isnan(km), step, km / KM_PER_STEP), km


def _same(a: pd.Series, b: pd.Series) -> np.ndarray:
    codes, _ = pd.factorize(pd.concat([a, b]))  # an empty place is −1, and near nobody
    left, right = codes[: len(a), None], codes[None, len(a) :]
    return (left == right) & (left >= 0)


def _great_circle_km(a: pd.DataFrame, b: pd.DataFrame) -> np.ndarray:
    """Measure the great circle by the haversine formula, which keeps its digits for neighbours."""
    lat_a, lon_a = (np.radians(a[c].to_numpy())[:, None] for c in ("latitude", "longitude"))
    lat_b, lon_b = (np.radians(b[c].to_numpy())[None, :] for c in ("latitude", "longitude"))
    half = (
        np.sin((lat_b - lat_a) / 2) ** 2
        + np.cos(lat_a) * np.cos(lat_b) * np.sin((lon_b - lon_a) / 2) ** 2
    )
    return 2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))


# ---- what it comes to ----------------------------------------------------------------------------


def giver_table(
    plan: pd.DataFrame, aged: pd.DataFrame, flows: pd.DataFrame, dealers: pd.DataFrame
) -> pd.DataFrame:
    """Sum up per giver what sleeps and what of it the proposal moves; who has most asleep first.

    Columns: those of `GIVERS`; `takers_name` are the names of those who would take most. Both
    values are of the same pieces: what moves is never more than what sleeps.
    """
    rows = supply(aged, flows).assign(sleeping_value=lambda r: r["pieces"] * r["unit_value"])
    rows = rows.groupby("dealer_id")["sleeping_value"].sum().round(2).reset_index()
    lots = plan.groupby("from_dealer_id")
    moved = lots.agg(
        moved_value=("value", "sum"), n_lots=("value", "size"), n_takers=("to_dealer_id", "nunique")
    )
    moved = moved.reindex(rows["dealer_id"]).fillna(0).reset_index(drop=True)
    rows = pd.concat([rows, moved.astype({"n_lots": int, "n_takers": int})], axis=1)
    rows["takers_name"] = (
        rows["dealer_id"].map(_first_takers(plan, dealers, FIRST_TAKERS)).astype("str")
    )
    rows["dealer_name"] = rows["dealer_id"].map(_names(dealers)).fillna(rows["dealer_id"])
    rows["account_manager"] = rows["dealer_id"].map(_names(dealers, "account_manager"))
    return rows.sort_values(
        ["sleeping_value", "dealer_id"], ascending=[False, True], ignore_index=True
    )[GIVERS]


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


def move_table(plan: pd.DataFrame, dealers: pd.DataFrame, models: pd.DataFrame) -> pd.DataFrame:
    """Lay the lots out for people: the dearest first, then the nearest.

    `dealer_id` and `dealer_name` are the giver's; `reason` is in words. The columns of `SHOWN`, and
    `account_manager`, `to_dealer_id`, `taker_city`, `product_id` and `age_days`.
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
            "age_days": rows["age_days"].round(),
            "reason": [_reason(row) for row in rows.itertuples()],
        }
    ).reset_index(drop=True)


def published(moves: pd.DataFrame) -> pd.DataFrame:
    """Name the columns of `move_table` for who reads them without the page.

    Who gives is `from_…`, who takes `to_…`.
    """
    return moves.rename(columns={"dealer_id": "from_dealer_id", "dealer_name": "giver_name"})


def is_sound(plan: pd.DataFrame) -> bool:
    """Whether a proposal can be carried out.

    Lots are whole, nobody gives what he needs himself, to himself, or of a model he takes, nobody
    gets more than he lacks, and no pair is there twice.
    """
    given = plan.groupby(["from_dealer_id", "product_id"]).agg(
        n=("quantity", "sum"), has=("from_quantity", "first"), sold=("from_sold_90d", "first")
    )
    taken = plan.groupby(["to_dealer_id", "product_id"]).agg(
        n=("quantity", "sum"), has=("to_quantity", "first"), sold=("to_sold_90d", "first")
    )
    share = COVER_DAYS / turnover.PACE_DAYS
    return bool(
        (plan["quantity"] >= 1).all()
        and (plan["quantity"] % 1 == 0).all()
        and (plan["from_dealer_id"] != plan["to_dealer_id"]).all()
        and (given["has"] - given["n"] >= given["sold"] * share - EPSILON).all()
        and (taken["has"] + taken["n"] <= taken["sold"] * share + EPSILON).all()
        and not set(given.index) & set(taken.index)
        and not plan.duplicated(["from_dealer_id", "to_dealer_id", "product_id"]).any()
    )


def _reason(row) -> str:
    return words.say(
        f"rebalancing.{row.reason}",
        days=row.age_days,
        given=row.from_sold_90d,
        taken=row.to_sold_90d,
        left=row.to_quantity,
    )


def bottom_line(plan: pd.DataFrame, givers: pd.DataFrame) -> list[str]:
    """Say what sleeps beyond its dealers' own need, and what the proposal would wake.

    Nothing where nothing sleeps.
    """
    if givers.empty:
        return []
    asleep = givers["sleeping_value"].sum()
    if plan.empty:
        return [_no_taker(givers)]
    near = float(plan["distance_km"].median())
    said = [
        words.say(
            "rebalancing.frees",
            asleep=asleep,
            days=COVER_DAYS,
            value=plan["value"].sum(),
            n=len(plan),
            quantity=int(plan["quantity"].sum()),
            n_from=plan["from_dealer_id"].nunique(),
            n_to=plan["to_dealer_id"].nunique(),
        )
    ]
    return said if np.isnan(near) else [*said, words.say("rebalancing.near", km=near)]


def _no_taker(givers: pd.DataFrame) -> str:
    asleep = givers["sleeping_value"].sum()
    return words.say("rebalancing.no_taker", asleep=asleep, days=COVER_DAYS)


def why_no_lots(aged: pd.DataFrame, flows: pd.DataFrame, givers: pd.DataFrame) -> str:
    """Say why no lot is proposed, in the words of what is missing first.

    No stock, none of it old, sales or value unknown, nothing beyond the dealers' own need, or
    nobody who runs short.
    """
    if aged.empty:
        return words.say("inventory.no_stock")
    if len(givers):
        return _no_taker(givers)
    old = age.older_than(aged, SLEEP_DAYS).merge(_pairs(aged, flows)[[*PAIR, "need"]], on=PAIR)
    if old.empty:
        return words.say("inventory.no_old")
    if old["need"].isna().all():
        return words.say("inventory.dead_unknown")
    return words.say("rebalancing.nothing" if (old["value"] > 0).any() else "inventory.no_cost")


def headlines(dead: pd.DataFrame, plan: pd.DataFrame, dealers: pd.DataFrame) -> list[dict]:
    """Make the front page's calls.

    The dealers with most dead stock, since when, and where it could go.

    `dead` from `inventory.dead_stock`, with names. Keys as `report.headline`.
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


def plot_proposal(
    plan: pd.DataFrame,
    givers: pd.DataFrame,
    *,
    scope: str = "",
    empty: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw what sleeps at the dealers with most of it, and what of it the proposal would move.

    Where nothing sleeps `empty` says why (see `why_no_lots`).
    """
    if givers.empty:
        return look.nothing(empty or words.say("rebalancing.nothing"), ax)
    shown = givers.head(N_BARS)
    ax, y = ax or look.axes(height=1.5 + 0.27 * len(shown)), np.arange(len(shown))
    stays = (shown["sleeping_value"] - shown["moved_value"]).clip(lower=0)
    ax.barh(
        y, shown["moved_value"], 0.7, color=look.COLORS["good"], label=words.label("moved_value")
    )
    ax.barh(
        y,
        stays,
        0.7,
        left=shown["moved_value"],
        color=look.COLORS["muted"],
        label=words.label("staying_value"),
    )
    ax.set_yticks(y, shown["dealer_name"])
    ax.set(xlabel=words.label("sleeping_value"), ylim=(len(shown) - 0.4, -0.6))
    ax.grid(axis="y", visible=False)
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2)
    look.money_axis(ax.xaxis)
    asleep = givers["sleeping_value"].sum()
    title = words.say(
        "rebalancing.title", share=words.percent(plan["value"].sum() / asleep), asleep=asleep
    )
    return look.explain(ax, title, words.say("rebalancing.title_how", days=COVER_DAYS), scope)
