"""Plan: who does what until when, what was promised and what came."""

import math
from collections.abc import Mapping, Sequence

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import look, periods, words
from helpers.settings import page_of

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
STATUSES = ("open", "done", "dropped")
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
ROWS = 20  # actions in the figure
NAMED = 8  # actions in a sentence, and dealers whose gain is told: the table has the rest
PAGE = page_of("fishbone")
SHOWN = [
    "factor",
    "dealer_name",
    "owner",
    "state",
    "due_date",
    "start_score",
    "now_score",
    "target_score",
    "expected_gain",
    "came_gain",
]
# of style.COLORS
STATE_COLORS = {"overdue": "bad", "behind": "rival", "on_course": "accent", "reached": "good"}


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
            status.notna() & ~status.isin(STATUSES),
            "status",
            "an unknown status",
            f"write one of {', '.join(STATUSES)}",
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
        - `came_gain`: our gross profit with this dealer, or the network, in the `n_months` whole
          months since the start, less that of the same months a year before: a change that went
          along with the action, not proven to come from it. `expected_gain` is promised for a year.
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
    came = [_came_gain(months, row, end) for row in rows.itertuples()]
    rows["came_gain"] = np.array([gain for gain, _ in came], dtype="float64")
    rows["n_months"] = np.array([n for _, n in came], dtype="int64")
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


def _came_gain(months: pd.DataFrame | None, action, end: pd.Timestamp) -> tuple[float, int]:
    """Give the change of gross profit over the whole months since the start, and their number."""
    if pd.isna(action.start_date) or action.state in ("dropped", "not_begun"):
        return math.nan, 0
    first = (
        action.start_date + pd.Timedelta(days=0 if action.start_date.day == 1 else 31)
    ).strftime("%Y-%m")
    last = end.strftime("%Y-%m") if end.is_month_end else periods.shift(end.strftime("%Y-%m"), -1)
    n = max((int(last[:4]) - int(first[:4])) * 12 + int(last[5:]) - int(first[5:]) + 1, 0)
    now = periods.month_range(last, n)
    before = [periods.shift(month, -12) for month in now]
    if months is None or not n or months.empty or before[0] < months["month"].min():
        return math.nan, n
    mine = months if pd.isna(action.dealer_id) else months[months["dealer_id"] == action.dealer_id]
    # a month without a line brought nothing; one whose costs are not known makes the sum unknown
    sums = mine.groupby("month")["gross_profit"].sum(min_count=1)
    if pd.isna(months["gross_profit"]).all():
        return math.nan, n
    change = sums.reindex(now, fill_value=0.0).sum(skipna=False) - sums.reindex(
        before, fill_value=0.0
    ).sum(skipna=False)
    return round(float(change), 2), n


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


# ---- sentences -----------------------------------------------------------------------------------


def sentences(proposed: pd.DataFrame, tree: pd.DataFrame) -> list[str]:
    """Say what a proposed plan asks for and promises, and whether its money is an estimate."""
    if proposed.empty:
        return [words.say("plan.none")]
    first, gain = proposed.iloc[0], float(proposed["expected_gain"].sum(min_count=1))
    factor = tree.set_index("factor_id")["factor"].get(first["factor_id"], first["factor_id"])
    begun, due = (f"{day:%Y-%m-%d}" for day in (first["start_date"], proposed["due_date"].iloc[-1]))
    return [
        words.say(
            "plan.proposed",
            n=len(proposed),
            start=begun,
            due=due,
            factor=factor,
            owner=_who(first["owner"]),
        ),
        words.say("plan.calendar", n=WORKING_WEEK.count("1")),
        words.say("plan.no_gain")
        if math.isnan(gain)
        else words.say("plan.proposed_gain", gain=gain),
    ]


def bottom_line(table: pd.DataFrame) -> list[str]:
    """Say in sentences how the plan stands.

    Which actions are late, what was reached, what came in money.
    """
    if table.empty:
        return [words.say("plan.none")]
    said = [_counted(table)]
    for state in ("overdue", "behind", "reached", "met_before", "not_known"):
        rows = table[table["state"] == state]
        names = [
            words.say("plan.action", factor=r.factor, where=_where(r), owner=_who(r.owner))
            for r in rows.itertuples()
        ]
        said += [words.say(f"plan.{state}", names=_listed(names))] if names else []
    return said + _sides(table) + _came(table)


def _counted(table: pd.DataFrame) -> str:
    counts = table["state"].value_counts()
    states = [
        words.say("plan.count", n=int(counts[s]), state=words.label(s))
        for s in STATES
        if s in counts
    ]
    return words.say("plan.counts", n=len(table), states=words.listed(states, len(STATES)))


def _sides(table: pd.DataFrame) -> list[str]:
    standing = table[table["status"] != "dropped"]
    gain = standing.groupby("owner_side")["expected_gain"].sum(min_count=1)
    if gain.isna().all():
        return [words.say("plan.no_gain")]
    if len(set(standing["owner_side"])) == 1:
        side = standing["owner_side"].iloc[0]
        return [
            words.say(
                "plan.one_side", gain=float(gain[side]), side=words.label(side), n=len(standing)
            )
        ]
    values = {side: float(np.nan_to_num(gain.get(side, 0.0))) for side in SIDES}
    counts = {f"n_{side}": int((standing["owner_side"] == side).sum()) for side in values}
    return [words.say("plan.sides", **values, **counts)]


def _came(table: pd.DataFrame) -> list[str]:
    """Tell what came, once for each dealer and span.

    The network's figure stands for several actions alike.
    """
    known = table[table["came_gain"].notna()].fillna({"dealer_id": ""})
    known = known.sort_values("expected_gain", ascending=False, kind="stable")
    said = []
    for (_, start), rows in list(known.groupby(["dealer_id", "start_date"], sort=False))[:NAMED]:
        first, expected = rows.iloc[0], rows["expected_gain"].sum(min_count=1)
        said.append(
            words.say(
                "plan.came_plain" if pd.isna(expected) else "plan.came",
                where=_where(first),
                came=first["came_gain"],
                n=int(first["n_months"]),
                start=f"{start:%Y-%m-%d}",
                expected=expected,
            )
        )
    return [*said, words.say("plan.association")] if said else []


def carried(found: pd.DataFrame) -> list[str]:
    """Say to whom each success may carry over."""
    if found.empty:
        return [words.say("plan.carried_none")]
    return [
        words.say(
            "plan.carried",
            factor=rows["factor"].iloc[0],
            where=rows["from_dealer_name"].iloc[0],
            names=words.listed(rows["dealer_name"]),
        )
        for _, rows in found.groupby(["factor_id", "from_dealer_id"], sort=False)
    ]


def headlines(table: pd.DataFrame) -> list[dict]:
    """Make the front page's line on the plan, and the calls for what is late at a dealer.

    Keys as `report.headline`.
    """
    if table.empty:
        return []
    made = [{"place": "change", "text": _counted(table), "link": PAGE}]
    late = table[table["state"].isin(LATE) & table["dealer_id"].notna()]
    for row in late.sort_values("due_date", kind="stable").itertuples():
        text = words.say(
            "plan.call",
            factor=row.factor,
            state=words.label(row.state),
            due=_day(row.due_date),
            now=_points(row.now_score),
            target=_points(row.target_score),
            owner=_who(row.owner),
        )
        made.append({"place": "call", "label": str(row.dealer_name), "text": text, "link": PAGE})
    return made


def _where(row) -> str:
    return (
        words.label("network")
        if pd.isna(row.dealer_id) or row.dealer_id == ""
        else str(row.dealer_name)
    )


def _who(owner: str) -> str:
    """Name an owner in mid-sentence: a person, or a side."""
    return words.label(owner).lower() if owner in SIDES else str(owner)


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - NAMED
    shown = words.translated("; ", "；").join(names[:NAMED])
    return shown + (
        words.translated(f" and {rest} more", f"等 {len(names)} 项") if rest > 0 else ""
    )


def _points(score: float) -> str:
    return "–" if pd.isna(score) else f"{score:.1f}"


def _day(date: pd.Timestamp) -> str:
    return "–" if pd.isna(date) else f"{date:%Y-%m-%d}"


# ---- the figure ----------------------------------------------------------------------------------


def plot_plan(table: pd.DataFrame, *, scope: str = "", ax: Axes | None = None) -> Axes:
    """Draw each action from start to due date, filled as far as its target is reached.

    A line marks the end date.
    """
    if table.empty:
        return look.nothing(words.say("plan.none"), ax)
    if table[["start_date", "due_date"]].isna().all(axis=None):
        return look.nothing(words.say("plan.no_dates"), ax)
    shown = _in_order(table)
    ax = ax or look.axes(height=1.75 + 0.3 * len(shown))
    for place, row in enumerate(shown.itertuples()):
        _draw_action(ax, place, row)
    day = table["as_of_date"].iloc[0]
    ax.axvline(day, color=look.COLORS["text"], linewidth=0.9, linestyle=(0, (3, 3)), zorder=3)
    names = [
        words.say("plan.row", factor=_short(row.factor), where=_short(_where(row)))
        for row in shown.itertuples()
    ]
    ax.set_yticks(range(len(shown)), names)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    _date_axis(ax, shown)
    late, reached = int(table["state"].isin(LATE).sum()), int((table["state"] == "reached").sum())
    how = words.say(
        "plan.how" if len(shown) == len(table) else "plan.how_some",
        day=_day(day),
        shown=len(shown),
        n=len(table),
    )
    return look.explain(
        ax, words.say("plan.title", n=len(table), reached=reached, late=late), how, scope
    )


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the most urgent actions, then show them as they begin."""
    urgency = table["state"].map(STATES.index)
    kept = (
        table.assign(urgency=urgency).sort_values(["urgency", "due_date"], kind="stable").head(ROWS)
    )
    return kept.sort_values(["start_date", "due_date", "urgency"], kind="stable")


def _draw_action(ax: Axes, place: int, row) -> None:
    color = look.COLORS[STATE_COLORS.get(row.state, "reference")]
    days = [mdates.date2num(day) for day in (row.start_date, row.due_date) if not pd.isna(day)]
    if len(days) < 2:  # half of its dates: a point in time
        ax.plot(days, [place] * len(days), "D", color=color, markersize=6, zorder=2)
    else:
        start, length = days[0], days[1] - days[0] + 1  # the due day is worked on too
        ax.barh(place, length, left=start, height=0.5, color=look.COLORS["C"], zorder=1)
        ax.barh(
            place,
            length * np.nan_to_num(row.reached_share),
            left=start,
            height=0.5,
            color=color,
            zorder=2,
        )
    said = words.say(
        "plan.row_state",
        state=words.label(row.state),
        start=_points(row.start_score),
        now=_points(row.now_score),
        target=_points(row.target_score),
    )
    ax.text(
        1.015, place, said, transform=ax.get_yaxis_transform(), va="center", fontsize=9, color=color
    )


def _date_axis(ax: Axes, shown: pd.DataFrame) -> None:
    """Print months as 2026-10, days where the plan is short: month names would need a language."""
    dates = pd.concat([shown["start_date"], shown["due_date"], shown["as_of_date"]]).dropna()
    first, last = mdates.date2num([dates.min(), dates.max()])
    margin = max((last - first) * 0.03, 1)
    ax.set_xlim(first - margin, last + margin)
    locator = mdates.AutoDateLocator(minticks=3, maxticks=6)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(
        mdates.DateFormatter("%Y-%m" if last - first > 150 else "%Y-%m-%d")
    )


def _short(name: str) -> str:
    most = 12 if any("\u4e00" <= c <= "\u9fff" for c in name) else 26
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"
