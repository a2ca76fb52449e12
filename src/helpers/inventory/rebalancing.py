"""Rebalancing: small lots from where a model sleeps to where it sells.

A proposal, for the stock is the dealers'.
"""

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from helpers.inventory import age, turnover
from helpers.inventory.turnover import PACE_DAYS, PAIR
from helpers.settings import Scalar

COVER_DAYS = 45  # what a dealer sells in these days is his own need, whether he gives or takes
MAX_LOT = 10  # pieces of one model from one dealer to another: ants carry little, and come again
# takers a giver looks at, per model: beyond them nobody drives, and 2,800 dealers stay quick
N_NEAREST = 30
KM_PER_STEP = 100  # where coordinates are known; else same city 0, same region 1, farther 2
MAX_KM = 500.0  # a day's way; what is not known in kilometres always passes
# part of the value that a step of the way costs: small, so that waking stock comes first
WAY_RATE = 0.02
EARTH_KM = 6371.0088
ENDING_RATE = 2 / 3  # of the last days' sales: where the coming ones sell less, a season ends
GAP = 1e-3  # of the plan's worth: as near the optimum is proven, model by model
MAX_NODES = 5_000  # of the search for it, so that the plan is the same on every machine
EPSILON = 1e-9
PLAN = [
    "from_dealer_id",
    "to_dealer_id",
    "product_id",
    "quantity",
    "value",
    "distance_km",
    "step",
    "crosses_region",
    "age_days",
    "reason",
    "coming",
    "from_quantity",
    "from_sold",
    "to_quantity",
    "to_sold",
]

# ---- who could give, who could take --------------------------------------------------------------


def supply(
    aged: pd.DataFrame,
    flows: pd.DataFrame,
    *,
    cover_days: int = COVER_DAYS,
    pace_days: int = PACE_DAYS,
) -> pd.DataFrame:
    """List what sleeps: old pieces beyond what their dealer himself sells in `cover_days`.

    Old goods leave first, so his own need is set against the old pieces, and what he keeps covers
    it. Of a dealer of whom `flows` know nothing, or of a model without a cost, nothing is proposed.

    Parameters
    ----------
    aged
        From `inventory.aged`, by whose rule a piece is old.
    cover_days, pace_days
        His own need is the sales of `cover_days` at the pace of the last `pace_days`, one of the
        spans that `flows` tell, times `coming` of the season, where `flows` tell it.

    Returns
    -------
    DataFrame
        `dealer_id`, `product_id`, `pieces` (whole, at least 1), `unit_value`, `age_days` (of the
        sleeping pieces, mean), `on_hand`, `sold` (in `pace_days`).
    """
    return _sleeping(aged, needs(aged, flows, cover_days, pace_days))


def demand(
    aged: pd.DataFrame,
    flows: pd.DataFrame,
    *,
    cover_days: int = COVER_DAYS,
    pace_days: int = PACE_DAYS,
) -> pd.DataFrame:
    """List what is missing.

    Whole pieces a dealer sells in `cover_days`, at the pace of `pace_days`, beyond all he has of
    the model.

    A dealer without any stock on record takes nothing: who does not report his stock may have
    plenty; nor does anybody of what goes out of season: of which the coming days sell less than
    `ENDING_RATE` of what the last ones did. Columns: `dealer_id`, `product_id`, `pieces` (at least
    1), `on_hand`, `sold`.
    """
    return _missing(aged, needs(aged, flows, cover_days, pace_days))


def needs(aged: pd.DataFrame, flows: pd.DataFrame, cover_days: int, pace_days: int) -> pd.DataFrame:
    """Put stock and need of every dealer and model side by side.

    Columns: `on_hand`, `sold`, `coming`, `need`. The need of `cover_days` goes by the season of the
    coming days.
    """
    recent = turnover.sold_in(pace_days)
    rows = turnover.stock_and_sales(aged, flows).assign(coming=lambda r: r.get("coming", 1.0))
    rows = rows[[*PAIR, "quantity", recent, "coming"]]
    rows = rows.rename(columns={"quantity": "on_hand", recent: "sold"})
    rows["sold"] = rows["sold"].clip(lower=0)
    return rows.assign(need=rows["sold"] * rows["coming"] * cover_days / pace_days)


def _sleeping(aged: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    old = age.summed(aged[aged["is_old"]]).rename(columns={"quantity": "old"})
    rows = pairs.merge(old, on=PAIR)
    rows["pieces"] = np.floor(rows["old"] - rows["need"] + EPSILON)
    rows["unit_value"] = rows["value"] / rows["old"]
    rows = rows[(rows["pieces"] >= 1) & (rows["unit_value"] > 0)]
    kept = [*PAIR, "pieces", "unit_value", "age_days", "on_hand", "sold", "coming"]
    return rows[kept].sort_values(PAIR, ignore_index=True)


def _missing(aged: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    rows = pairs.assign(pieces=np.floor(pairs["need"] - pairs["on_hand"] + EPSILON))
    rows = rows[(rows["pieces"] >= 1) & rows["dealer_id"].isin(aged["dealer_id"].unique())]
    rows = rows[rows["coming"] >= ENDING_RATE]
    return rows[[*PAIR, "pieces", "on_hand", "sold"]].sort_values(PAIR, ignore_index=True)


# ---- the proposal --------------------------------------------------------------------------------


def proposal(
    aged: pd.DataFrame,
    flows: pd.DataFrame,
    dealers: pd.DataFrame,
    *,
    max_lot: int = MAX_LOT,
    cover_days: int = COVER_DAYS,
    pace_days: int = PACE_DAYS,
    max_km: float = MAX_KM,
    way_rate: float = WAY_RATE,
    min_value: float | None = None,
) -> pd.DataFrame:
    """Propose which lots to move where: the most value woken, less a small cost of the way.

    Per model this is a transportation problem: maximise Σ pieces × value of a piece × (1 −
    `way_rate` × steps), with what sleeps (see `supply`) and what is missing (see `demand`) as
    limits and at most `max_lot` pieces from one dealer to another. Its matrix is that of a
    bipartite graph and totally unimodular: with whole limits every corner of the feasible set is
    whole, and the dual simplex ends in a corner. A lot must be worth its way: `min_value` and as
    much again per step. Pairs that can't reach that are left out before. Where a lot of the corner
    falls short of it, each lot is either nothing or large enough, and the best such plan is
    searched for, until no other can be better by more than `GAP` of its worth.

    Parameters
    ----------
    aged, flows
        From `inventory.aged` and `data.flows`.
    cover_days, pace_days
        As `supply` and `demand` take them.
    max_km
        No lot travels farther; a way that is not known in kilometres always passes.
    way_rate
        Part of the value that a step of the way costs: 100 km, or from city to region, or on.
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
    localities, J. of Mathematics and Physics 20; Hoffman & Kruskal (1956) on integral corners; lots
    that are nothing or large are semicontinuous variables (Land & Doig 1960, branch and bound).
    """
    if max_lot < 1:
        raise ValueError(f"max_lot: {max_lot} carries nothing; give 1 piece or more")
    least = _mean_piece(aged) if min_value is None else min_value
    pairs, places = needs(aged, flows, cover_days, pace_days), _places(dealers)
    givers, takers = _sleeping(aged, pairs), _missing(aged, pairs)
    wanted = dict(list(takers.groupby("product_id")))
    lots = [
        _lots(rows, wanted[model], places, max_lot, least, max_km, way_rate)
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
    givers: pd.DataFrame,
    takers: pd.DataFrame,
    places: pd.DataFrame,
    max_lot: int,
    least: float,
    max_km: float,
    way_rate: float,
) -> pd.DataFrame:
    """Solve one model's transportation problem and lay its lots out as rows."""
    step, km = _ways(givers["dealer_id"], takers["dealer_id"], places)
    have, want = givers["pieces"].to_numpy(), takers["pieces"].to_numpy()
    worth = givers["unit_value"].to_numpy()
    most = np.minimum(np.minimum(have[:, None], want[None, :]), max_lot)
    least_worth = least * (1 + step)
    # a way that costs the whole value wakes nothing
    allowed = ~(km > max_km) & (way_rate * step < 1) & (most * worth[:, None] >= least_worth)
    allowed &= givers["dealer_id"].to_numpy()[:, None] != takers["dealer_id"].to_numpy()[None, :]
    i, j = _nearest(step, allowed)
    if not len(i):
        return pd.DataFrame()
    gain = worth[i] * (1 - way_rate * step[i, j])
    # the fewest pieces that are worth their way
    fewest = np.maximum(np.ceil(least_worth[i, j] / worth[i] - EPSILON), 1)
    pieces = _best_lots(gain, i, j, have, want, fewest, most[i, j])
    kept = pieces > 0
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
            "crosses_region": _crosses(given["dealer_id"], taken["dealer_id"], places),
            "age_days": given["age_days"],
            "reason": np.where(given["sold"] > 0, "slow", "sold_none"),
            "coming": given["coming"],
            "from_quantity": given["on_hand"],
            "from_sold": given["sold"],
            "to_quantity": taken["on_hand"],
            "to_sold": taken["sold"],
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


def _best_lots(
    gain: np.ndarray, i: np.ndarray, j: np.ndarray, have, want, fewest: np.ndarray, most: np.ndarray
) -> np.ndarray:
    """Give the pieces on each arc, none or `fewest` to `most`, that gain most together."""
    pieces = _transported(gain, i, j, have, want, np.zeros(len(i)), most)
    if not ((pieces > 0) & (pieces < fewest)).any():
        return pieces  # the corner itself: no plan is better
    whole = np.where(pieces >= fewest, pieces, 0)  # what is left of it, if the search finds less
    chosen = _chosen_arcs(gain, i, j, have, want, fewest, most)
    if chosen is None:
        return whole
    a = np.flatnonzero(chosen)
    found = np.zeros(len(i), int)
    found[a] = _transported(gain[a], i[a], j[a], have, want, fewest[a], most[a])
    return found if gain @ found >= gain @ whole else whole


def _chosen_arcs(
    gain: np.ndarray, i: np.ndarray, j: np.ndarray, have, want, fewest: np.ndarray, most: np.ndarray
) -> np.ndarray | None:
    """Choose the arcs that a lot goes by: a mixed-integer programme, within `GAP` of its optimum.

    Only arcs on which a lot can be too small need a decision.
    """
    n, decided = len(i), np.flatnonzero(fewest > 1)
    k = len(decided)
    limits = sparse.hstack(
        [_limits(i, j, len(have), len(want)), sparse.csr_array((_rows(have, want), k))]
    )
    pick = sparse.csr_array((np.ones(k), (np.arange(k), decided)), shape=(k, n))
    at_most = sparse.hstack([pick, -sparse.diags_array(most[decided].astype(float))])
    at_least = sparse.hstack([pick, -sparse.diags_array(fewest[decided].astype(float))])
    found = milp(
        np.concatenate([-gain / gain.max(), np.zeros(k)]),
        constraints=[
            LinearConstraint(limits, ub=np.concatenate([have, want])),
            LinearConstraint(at_most, ub=0),
            LinearConstraint(at_least, lb=0),
        ],
        integrality=np.concatenate([np.zeros(n), np.ones(k)]),
        bounds=Bounds(0, np.concatenate([most, np.ones(k)])),
        options={"mip_rel_gap": GAP, "node_limit": MAX_NODES},
    )
    if found.x is None:
        return None
    chosen = found.x[:n] > EPSILON
    chosen[decided] = found.x[n:] > 0.5
    return chosen


def _rows(have: np.ndarray, want: np.ndarray) -> int:
    return len(have) + len(want)


def _limits(i: np.ndarray, j: np.ndarray, n_givers: int, n_takers: int) -> sparse.csr_array:
    """Sum up the arcs of each giver, then of each taker."""
    arcs, ones = np.arange(len(i)), np.ones(len(i))
    given = sparse.csr_array((ones, (i, arcs)), shape=(n_givers, len(i)))
    taken = sparse.csr_array((ones, (j, arcs)), shape=(n_takers, len(i)))
    return sparse.vstack([given, taken])


def _transported(
    gain: np.ndarray, i: np.ndarray, j: np.ndarray, have, want, least: np.ndarray, most: np.ndarray
) -> np.ndarray:
    """Give the whole pieces on each arc from giver i to taker j that gain most together."""
    found = linprog(
        -gain / gain.max(),
        _limits(i, j, len(have), len(want)),
        np.concatenate([have, want]),
        bounds=np.column_stack([least, most]),
        method="highs-ds",
    )
    return np.rint(found.x).astype(int)


def _crosses(from_ids: pd.Series, to_ids: pd.Series, places: pd.DataFrame) -> np.ndarray:
    """Tell which lots leave their region; of a dealer whose region is not told nothing is said."""
    here, there = (places["region"].reindex(ids).to_numpy(object) for ids in (from_ids, to_ids))
    return (here != there) & ~pd.isna(here) & ~pd.isna(there)


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


def giver_sums(plan: pd.DataFrame, supplied: pd.DataFrame) -> pd.DataFrame:
    """Sum up per giver what sleeps, of `supply`, and what of it the proposal moves.

    Columns: `dealer_id`, `sleeping_value`, `moved_value`, `n_lots`, `n_takers`; who has most asleep
    first. Both values are of the same pieces: what moves is never more than what sleeps.
    """
    rows = supplied.assign(sleeping_value=lambda r: r["pieces"] * r["unit_value"])
    rows = rows.groupby("dealer_id")["sleeping_value"].sum().round(2).reset_index()
    lots = plan.groupby("from_dealer_id")
    moved = lots.agg(
        moved_value=("value", "sum"), n_lots=("value", "size"), n_takers=("to_dealer_id", "nunique")
    )
    moved = moved.reindex(rows["dealer_id"]).fillna(0).reset_index(drop=True)
    rows = pd.concat([rows, moved.astype({"n_lots": int, "n_takers": int})], axis=1)
    return rows.sort_values(
        ["sleeping_value", "dealer_id"], ascending=[False, True], ignore_index=True
    )


def is_sound(
    plan: pd.DataFrame,
    *,
    cover_days: int = COVER_DAYS,
    pace_days: int = PACE_DAYS,
    **_others: Scalar,
) -> bool:
    """Whether a proposal can be carried out.

    Lots are whole, nobody gives what he needs himself, to himself, or of a model he takes, nobody
    gets more than he lacks, and no pair is there twice.
    """
    given = plan.groupby(["from_dealer_id", "product_id"]).agg(
        n=("quantity", "sum"), has=("from_quantity", "first"), sold=("from_sold", "first")
    )
    taken = plan.groupby(["to_dealer_id", "product_id"]).agg(
        n=("quantity", "sum"), has=("to_quantity", "first"), sold=("to_sold", "first")
    )
    # a model's season is the same for who gives and who takes
    share = cover_days / pace_days * plan.groupby("product_id")["coming"].first()
    given["share"], taken["share"] = (
        share.reindex(rows.index.get_level_values("product_id")).to_numpy()
        for rows in (given, taken)
    )
    return bool(
        (plan["quantity"] >= 1).all()
        and (plan["quantity"] % 1 == 0).all()
        and (plan["from_dealer_id"] != plan["to_dealer_id"]).all()
        and (given["has"] - given["n"] >= given["sold"] * given["share"] - EPSILON).all()
        and (taken["has"] + taken["n"] <= taken["sold"] * taken["share"] + EPSILON).all()
        and not set(given.index) & set(taken.index)
        and not plan.duplicated(["from_dealer_id", "to_dealer_id", "product_id"]).any()
    )
