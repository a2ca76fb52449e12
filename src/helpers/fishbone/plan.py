"""Plan: who does what until when, what was promised and what came."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from helpers import words
from helpers.fishbone import gains
from helpers.settings import PLAN_STATUSES

COLUMNS = [
    "factor_id",
    "dealer_id",
    "owner",
    "start_date",
    "due_date",
    "target_score",
    "expected_gain",
    "status",
]
SIDES = ("us", "head_office")
STATES = (
    "overdue",
    "behind",
    "on_course",
    "reached",
    "met_before",
    "not_known",
    "not_begun",
    "dropped",
)  # urgent first
LATE = ("overdue", "behind")
CARRIES = ("reached", "on_course")  # states of what works
# Monday to Sunday: a day of effort is a working day; holidays are not known
WORKING_WEEK = "1111100"
LOWEST, HIGHEST = 0.0, 10.0  # of a score
HAIR = 1e-9  # a target missed by less than this is reached
WEAK_SCORE = 5.0  # below the median of one's peers
# robust standard deviations at which a metric is cut: one odd figure does not decide who is alike
EXTREME = 4.0


# ---- the plan as it is proposed and kept ---------------------------------------------------------


def proposed_plan(
    legs: pd.DataFrame,
    tree: pd.DataFrame,
    *,
    start_date: object,
    owners: Mapping[str, str] | None = None,
    dealers: Mapping[str, str] | None = None,
    gain_per_point: float = math.nan,
) -> pd.DataFrame:
    """Turn the legs of a climb into actions, one after another.

    A day of effort is a day of the `WORKING_WEEK`, a started one a whole one; the start and the due
    day are worked on.

    Parameters
    ----------
    legs
        In order: `leg`, `factor_id`, `effort_days`, `to_score`, `weighted_gain`.
    owners, dealers
        By factor_id: who does it (else the tree's `us` or `head_office`), and at which dealer (else
        the network).
    gain_per_point
        Money a year that a point of the weighted score goes with; NaN where no relation is evident.

    Returns
    -------
    DataFrame
        `leg` and the columns of the contract's table `plan`, all "open"; `expected_gain` is money a
        year.

    Raises
    ------
    ValueError
        If a leg's factor is not in the tree.
    """
    side = tree.set_index("factor_id")["owner"]
    if unknown := [factor for factor in legs["factor_id"] if factor not in side.index]:
        raise ValueError(
            f"legs: unknown factor_id {unknown[0]!r}; make the climb from the factors of the "
            "same tree"
        )
    days = np.maximum(np.ceil(legs["effort_days"].to_numpy(dtype="float64") - HAIR), 1).astype(
        "int64"
    )
    first = np.datetime64(pd.Timestamp(start_date), "D")
    begun, ended = (
        _working_day(first, count) for count in (np.cumsum(days) - days, np.cumsum(days) - 1)
    )
    ids = legs["factor_id"].reset_index(drop=True)
    return pd.DataFrame(
        {
            "leg": legs["leg"].to_numpy(),
            "factor_id": ids,
            "dealer_id": ids.map(dealers or {}).astype("str"),
            "owner": ids.map(owners or {})
            .astype("str")
            .fillna(ids.map(side).astype("str"))
            .fillna("us"),
            "start_date": begun,
            "due_date": ended,
            "target_score": legs["to_score"].round(1).to_numpy(),
            "expected_gain": (legs["weighted_gain"] * gain_per_point).round(2).to_numpy(),
            "status": pd.Series("open", index=ids.index, dtype="str"),
        }
    )


def _working_day(first: np.datetime64, counts: np.ndarray) -> pd.DatetimeIndex:
    """Give the working days that come so many after the first one from a day on."""
    return pd.DatetimeIndex(np.busday_offset(first, counts, roll="forward", weekmask=WORKING_WEEK))


def start_note(title: str, start_date: pd.Timestamp) -> str:
    """Say whose plan is proposed, and from when on."""
    return words.say("plan.note_start", title=title, date=f"{start_date:%Y-%m-%d}")


def proposal_table(proposed: pd.DataFrame, tree: pd.DataFrame) -> pd.DataFrame:
    """Lay a proposed plan out for reading: factors by name, in the order of the legs."""
    rows = proposed.assign(factor=proposed["factor_id"].map(tree.set_index("factor_id")["factor"]))
    return rows[
        ["leg", "factor", "owner", "start_date", "due_date", "target_score", "expected_gain"]
    ]


def require_plan(plan: pd.DataFrame, tree: pd.DataFrame) -> pd.DataFrame:
    """Return a plan that makes sense; dates, target, gain and status may be empty.

    Raises
    ------
    ValueError
        If rows are wrong: all that is wrong is listed, a line each.
    """
    target, status = plan["target_score"], plan["status"]
    told = [
        *_problem(
            plan,
            ~plan["factor_id"].isin(tree["factor_id"]),
            "factor_id",
            "an unknown factor_id",
            "correct it, or add the factor to factors.csv",
        ),
        *_problem(
            plan,
            plan["due_date"] < plan["start_date"],
            "due_date",
            "a due date before the start",
            "correct one of the two",
        ),
        *_problem(
            plan,
            target.notna() & ~target.between(LOWEST, HIGHEST),
            "target_score",
            "a target outside 0 to 10",
            "give a score",
        ),
        *_problem(
            plan,
            status.notna() & ~status.isin(PLAN_STATUSES),
            "status",
            "an unknown status",
            f"write one of {', '.join(PLAN_STATUSES)}",
        ),
    ]
    if told:
        raise ValueError("\n".join(told))
    return plan


def _problem(
    plan: pd.DataFrame, wrong: pd.Series, column: str, what: str, advice: str
) -> list[str]:
    if not wrong.any():
        return []
    n, first = int(wrong.sum()), plan[wrong].iloc[0]
    value = first[column].date() if isinstance(first[column], pd.Timestamp) else first[column]
    example = (
        f"{first['factor_id']}" if column == "factor_id" else f"{first['factor_id']} ({value})"
    )
    return [
        f"plan: {n} {'action has' if n == 1 else 'actions have'} {what}, e.g. {example}; {advice}"
    ]


# ---- promised against came -----------------------------------------------------------------------


def promised_against_came(
    plan: pd.DataFrame,
    tree: pd.DataFrame,
    session_scores: pd.DataFrame,
    *,
    end_date: object,
    dealer_scores: pd.DataFrame | None = None,
    months: pd.DataFrame | None = None,
    dealers: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Hold each action's promise against what was scored and earned since.

    One row per action, in the plan's order.

    Parameters
    ----------
    session_scores
        The network's scores of ours: `factor_id`, `scored_date`, `score`, one row per factor and
        session.
    end_date
        Last day that counts.
    dealer_scores
        The same with `dealer_id`. An action at a dealer goes by his scores where there is one up to
        the start and one since, else by the network's: `score_of` is "dealer" or "network".
    months
        `dealer_id`, `month`, `gross_profit` (ours), from the first month known.
    dealers
        `dealer_id`, `dealer_name`; without it a dealer is named by his id.

    Returns
    -------
    DataFrame
        The plan with `factor`, `dealer_name`, `owner_side` ("us", "head_office", "not_stated"),
        `start_score` (last session up to the start), `now_score` (last session after the start, up
        to the end) and its `now_date`, `score_of`, `reached_share` ((now − start) ÷ (target −
        start), cut to 0–1; empty where the start was there already), `elapsed_share` (of the time
        from start to due date, on `now_date`: a score is held against the time that had passed when
        it was given; 1 for what is done), `as_of_date` (the end), and

        - `state`: "dropped"; "not_begun" (starts after the end); "met_before" (now ≥ target, and so
          was the start: the target asked for nothing); "reached" (now ≥ target); "overdue" (still
          open after the due date); "not_known" (a score, the target or a date is missing);
          "on_course" (reached share ≥ elapsed share); "behind" (also what is closed as done short
          of its target). The first that holds counts.
        - `came_gain`: the action's share of what changed in our gross profit with this dealer, in
          the `n_months` whole months since the start, less the same months a year before: a change
          that went along with the action, not proven to come from it. A month is shared evenly
          among the actions at the dealer that had begun (`n_sharing` at most), and what changed at
          dealers who have actions of their own is not the network's: so a change counts once, and
          the shares sum up to it. `expected_gain` is promised for a year.
    """
    end, names = pd.Timestamp(end_date), tree.set_index("factor_id")
    rows = plan[COLUMNS].reset_index(drop=True)
    known = {} if dealers is None else dealers.set_index("dealer_id")["dealer_name"]
    rows["status"] = rows["status"].fillna("open")
    rows["factor"] = rows["factor_id"].map(names["factor"]).fillna(rows["factor_id"])
    rows["dealer_name"] = rows["dealer_id"].map(known).astype("str").fillna(rows["dealer_id"])
    rows["owner_side"] = rows["factor_id"].map(names["owner"]).fillna("not_stated").astype("str")
    scores = _scores_by_dealer(session_scores, dealer_scores)
    measured = [_measured(scores, row, end) for row in rows.itertuples()]
    rows[["start_score", "now_score", "now_date", "score_of"]] = pd.DataFrame(
        measured, columns=["start_score", "now_score", "now_date", "score_of"], index=rows.index
    ).astype(
        {
            "start_score": "float64",
            "now_score": "float64",
            "now_date": "datetime64[s]",
            "score_of": "str",
        }
    )
    rows["reached_share"], rows["elapsed_share"] = _reached_share(rows), _elapsed_share(rows)
    rows["state"] = _state(rows, end)
    spans = [gains.months_since(row, end) for row in rows.itertuples()]
    came = gains.came_gains(months, rows["dealer_id"].fillna("").tolist(), spans)
    rows["came_gain"] = np.array([gain for gain, _ in came], dtype="float64")
    rows["n_months"] = np.array([len(span) for span in spans], dtype="int64")
    rows["n_sharing"] = np.array([n for _, n in came], dtype="int64")
    return rows.assign(as_of_date=end)


def _scores_by_dealer(
    session_scores: pd.DataFrame, dealer_scores: pd.DataFrame | None
) -> pd.DataFrame:
    """Lay network and dealer scores into one table, oldest first; the network's dealer_id is ""."""
    columns = ["factor_id", "dealer_id", "scored_date", "score"]
    parts = [session_scores.assign(dealer_id="")[columns]]
    if dealer_scores is not None and len(dealer_scores):
        parts.append(dealer_scores.loc[dealer_scores["dealer_id"].notna(), columns])
    scores = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return scores[scores["score"].notna()].sort_values("scored_date", kind="stable")


def _measured(
    scores: pd.DataFrame, action, end: pd.Timestamp
) -> tuple[float, float, pd.Timestamp, str]:
    """Find an action's score at its start and now.

    The dealer's own where both are known, else the network's.
    """
    found = (math.nan, math.nan, pd.NaT)
    for dealer, name in ((action.dealer_id, "dealer"), ("", "network")):
        mine = scores[(scores["factor_id"] == action.factor_id) & (scores["dealer_id"] == dealer)]
        before = mine[mine["scored_date"] <= action.start_date]
        since = mine[(mine["scored_date"] > action.start_date) & (mine["scored_date"] <= end)]
        found = (
            float(before["score"].iloc[-1]) if len(before) else math.nan,
            float(since["score"].iloc[-1]) if len(since) else math.nan,
            since["scored_date"].iloc[-1] if len(since) else pd.NaT,
        )
        if len(before) and len(since):
            return *found, name
    return *found, "network"


def _reached_share(rows: pd.DataFrame) -> pd.Series:
    """Give the part of the way that was made.

    None where the score has fallen below a target it had met before.
    """
    way, made = rows["target_score"] - rows["start_score"], rows["now_score"] - rows["start_score"]
    share = (made / way.where(way > HAIR)).clip(0, 1)
    return share.mask((way <= HAIR) & (rows["now_score"] < rows["target_score"] - HAIR), 0.0)


def _elapsed_share(rows: pd.DataFrame) -> pd.Series:
    length, passed = (
        (rows["due_date"] - rows["start_date"]).dt.days,
        (rows["now_date"] - rows["start_date"]).dt.days,
    )
    share = (passed / length.where(length > 0)).clip(0, 1)
    share = share.where((length > 0) | length.isna() | passed.isna(), 1.0)
    return share.mask((rows["status"] == "done") & rows["now_date"].notna(), 1.0)


def _state(rows: pd.DataFrame, end: pd.Timestamp) -> pd.Series:
    share, elapsed = rows["reached_share"], rows["elapsed_share"]
    met, met_before = (
        rows[score] >= rows["target_score"] - HAIR for score in ("now_score", "start_score")
    )
    rules = [
        ("dropped", rows["status"] == "dropped"),
        ("not_begun", rows["start_date"] > end),
        ("met_before", met & met_before),
        ("reached", met),
        ("overdue", (rows["due_date"] < end) & (rows["status"] == "open")),
        ("not_known", share.isna() | elapsed.isna()),
        ("on_course", share >= elapsed - HAIR),
    ]
    found = np.select(
        [rule.to_numpy(bool) for _, rule in rules], [state for state, _ in rules], default="behind"
    )
    return pd.Series(found, index=rows.index, dtype="str")


def split_by_owner(table: pd.DataFrame, tree: pd.DataFrame) -> pd.DataFrame:
    """Split actions and promises by who can influence the factor: us, or head office.

    `table` is a plan or what was promised against came. Columns: `owner_side`, `n_actions`,
    `n_dropped`, `expected_gain` (money a year, of what is not dropped; NaN where no amount is
    given).
    """
    side = table["factor_id"].map(tree.set_index("factor_id")["owner"]).fillna("not_stated")
    dropped = table["status"] == "dropped"
    rows = pd.DataFrame(
        {
            "owner_side": side,
            "n_dropped": dropped,
            "expected_gain": table["expected_gain"].mask(dropped),
        }
    ).groupby("owner_side")
    split = pd.DataFrame(
        {
            "n_actions": rows.size(),
            "n_dropped": rows["n_dropped"].sum().astype("int64"),
            "expected_gain": rows["expected_gain"].sum(min_count=1),
        }
    )
    order = [name for name in (*SIDES, "not_stated") if name in split.index]
    return split.reindex(order).rename_axis("owner_side").reset_index()


# ---- carrying over what worked -------------------------------------------------------------------


def similar_dealers(
    features: pd.DataFrame,
    dealers: pd.DataFrame,
    dealer_id: str,
    *,
    metric: str = "",
    better: str = "high",
    data_scores: pd.Series | None = None,
    metrics: Sequence[str] = (),
    n: int = 5,
) -> pd.DataFrame:
    """List the dealers most like one dealer who are weak where he does well.

    A success may carry over to them.

    Likeness is the root mean square distance over the metrics that both have, each scaled by median
    and quartiles; who shares fewer than half of his metrics is not compared. Peers of the same area
    and format are taken where there are `n` of them, else of the same area, else all.

    Parameters
    ----------
    features
        `dealer_id` and metrics as numbers.
    dealers
        `dealer_id`, `dealer_name`, `city`, `account_manager`, `area_type`, `store_format`.
    metric, better
        The factor's metric, and whether "high" or "low" is better; it takes no part in the
        distance.
    data_scores
        The factor's score from data (0–10), by dealer_id. Weak is who has less than `WEAK_SCORE`;
        where that is not known, whose metric is worse than the dealer's.
    metrics
        The metrics that make dealers alike; all of `features` where none is named.

    Returns
    -------
    DataFrame
        At most `n` rows, the nearest first: `dealer_id`, `dealer_name`, `city`, `account_manager`,
        `distance`, and the metric under its name where there is one.

    Raises
    ------
    ValueError
        If the dealer has no features.
    """
    wide = features.set_index("dealer_id")
    if dealer_id not in wide.index:
        raise ValueError(
            f"features: no row for dealer {dealer_id!r}; choose one of the {len(wide)} who have one"
        )
    alike = [c for c in (metrics or wide.columns) if c in wide and c != metric]
    rows = dealers.drop_duplicates("dealer_id").set_index("dealer_id").reindex(wide.index)
    rows = rows.assign(distance=_distances(wide[alike], dealer_id))
    weak = _is_weak(wide, dealer_id, metric, better, data_scores)
    near = rows[weak & rows["distance"].notna() & (rows.index != dealer_id)]
    near = _peers(near, rows.loc[dealer_id], n)
    columns = ["dealer_name", "city", "account_manager", "distance"]
    near = near[columns].assign(
        **{metric: wide[metric].reindex(near.index)} if metric in wide else {}
    )
    near = (
        near.rename_axis("dealer_id")
        .reset_index()
        .sort_values(["distance", "dealer_id"], ignore_index=True)
    )
    return near.head(n)


def _distances(wide: pd.DataFrame, dealer_id: str) -> pd.Series:
    """Measure how far each dealer is from one.

    NaN where they share fewer than half of his metrics.
    """
    values = wide.astype("float64")
    middle = values.median()
    spread = values.quantile(0.75) - values.quantile(0.25)
    # half of the dealers alike: the quartiles tell nothing
    spread = spread.where(spread > 0, values.std())
    scaled = ((values - middle) / spread.where(spread > 0)).clip(-EXTREME, EXTREME)
    scaled = scaled.loc[:, scaled.loc[dealer_id].notna()]
    apart = (scaled - scaled.loc[dealer_id]) ** 2
    enough = apart.notna().sum(axis=1) >= max(scaled.shape[1] / 2, 1)
    return np.sqrt(apart.mean(axis=1)).where(enough)


def _is_weak(
    wide: pd.DataFrame, dealer_id: str, metric: str, better: str, data_scores: pd.Series | None
) -> pd.Series:
    worse = pd.Series(False, index=wide.index)
    if metric in wide:
        here = wide.loc[dealer_id, metric]
        worse = wide[metric] < here if better != "low" else wide[metric] > here
    if data_scores is None:
        return worse
    score = data_scores.reindex(wide.index)
    return (score < WEAK_SCORE).where(score.notna(), worse)


def _peers(near: pd.DataFrame, here: pd.Series, n: int) -> pd.DataFrame:
    same_area = near["area_type"] == here["area_type"]
    for peers in (
        near[same_area & (near["store_format"] == here["store_format"])],
        near[same_area],
    ):
        if len(peers) >= n:
            return peers
    return near


def carry_over(
    table: pd.DataFrame,
    features: pd.DataFrame,
    dealers: pd.DataFrame,
    tree: pd.DataFrame,
    data_scores: pd.DataFrame | None = None,
    *,
    n: int = 5,
) -> pd.DataFrame:
    """List, for each action at a dealer that is reached or on course, similar dealers who are weak
    on its factor.

    `table` is what was promised against came; an action of the network is nobody's success in
    particular, and a dealer who has an action on the factor already is left out. `data_scores` has
    `dealer_id`, `factor_id`, `data_score`.

    Returns
    -------
    DataFrame
        `factor_id`, `factor`, `from_dealer_id`, `from_dealer_name`, `dealer_id`, `dealer_name`,
        `city`, `account_manager`, `distance`, `metric`, `value`.
    """
    columns = [
        "factor_id",
        "factor",
        "from_dealer_id",
        "from_dealer_name",
        "dealer_id",
        "dealer_name",
        "city",
        "account_manager",
        "distance",
        "metric",
        "value",
    ]
    factors, metrics = (
        tree.set_index("factor_id"),
        [m for m in tree["metric"].dropna().unique() if m],
    )
    worked = table[table["state"].isin(CARRIES) & table["dealer_id"].isin(features["dealer_id"])]
    found = [pd.DataFrame(columns=columns)]
    for row in worked.drop_duplicates(["factor_id", "dealer_id"]).itertuples():
        metric, better = factors["metric"].get(row.factor_id), factors["better"].get(row.factor_id)
        metric = metric if isinstance(metric, str) else ""
        scores = None
        if data_scores is not None:
            of_factor = data_scores[data_scores["factor_id"] == row.factor_id]
            scores = of_factor.drop_duplicates("dealer_id").set_index("dealer_id")["data_score"]
        busy = table.loc[
            (table["factor_id"] == row.factor_id) & (table["dealer_id"] != row.dealer_id),
            "dealer_id",
        ]
        near = similar_dealers(
            features[~features["dealer_id"].isin(busy.dropna())],
            dealers,
            row.dealer_id,
            metric=metric,
            better=better,
            data_scores=scores,
            metrics=metrics,
            n=n,
        )
        found.append(
            near.rename(columns={metric: "value"})
            .reindex(columns=columns)
            .assign(
                factor_id=row.factor_id,
                factor=row.factor,
                from_dealer_id=row.dealer_id,
                from_dealer_name=row.dealer_name,
                metric=metric,
            )
        )
    return pd.concat([part for part in found if len(part)] or found[:1], ignore_index=True)
