"""Rival: where we lead and where we trail, and whether half a point ahead is reached."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from helpers import look, words
from helpers.fishbone import scoring
from helpers.fishbone.tree import leaf_factors
from helpers.settings import page_of

HALF_A_POINT = 0.5  # the handbook's lead that is enough; read on our scale of 0–10
MIN_PEOPLE = 5  # below it a bootstrap over people is narrower than the truth
N_RESAMPLES, LEVEL = 2000, 0.95
VERDICTS = ("ahead", "level", "unclear", "behind")
# of the factors, by number: a lead on fewer is told as the lead on those
SCORED_SHARE = 0.5
SESSION_COLUMNS = [
    "session",
    "scored_date",
    "rival",
    "n_participants",
    "n_people",
    "n_factors",
    "of_factors",
    "lead",
    "low",
    "high",
    "verdict",
    "passes",
    "change",
    "change_low",
    "change_high",
]


def rival_lead(
    scores: pd.DataFrame,
    tree: pd.DataFrame,
    weights: pd.Series,
    *,
    brand: str,
    rival: str = "",
    end_date,
    dealer_id: str = "",
    min_people: int = MIN_PEOPLE,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare our score with the rival's at each leaf, among the people who scored both in the last
    session that scored him.

    Sessions are not pooled: a lead of a year ago is not today's, and who came three times is one
    person. The interval (95 %) is a percentile bootstrap over people, expanded for small samples
    (Hesterberg 2015, The American Statistician 69(4)), and not given for fewer than `min_people`.

    Parameters
    ----------
    brand
        Our brand as the scores write it; an empty brand is ours too.
    rival
        "" is the one most often scored in the last session that scored any.

    Returns
    -------
    DataFrame
        One row per leaf with both: `factor_id`, `factor`, `rival`, `session`, `n_participants`,
        `weight`, `ours`, `theirs` (means), `lead`, `low`, `high`, `verdict`: "ahead" where the
        whole interval is at half a point or more, "behind" where all of it is below zero, "level"
        where all of it is within half a point either way, else "unclear". No rows where no rival
        was scored.

    Raises
    ------
    ValueError
        If `rival` was never scored while others were.
    """
    both, name = _answered(scores, tree, brand, rival, end_date, dealer_id)
    session = both["session"].iloc[-1] if len(both) else ""
    ours, theirs = _wide(both[both["session"] == session], tree)
    lead, n = (ours - theirs).to_numpy(), ours.notna().sum().to_numpy()
    point = ours.mean().to_numpy() - theirs.mean().to_numpy()
    low, high = _interval(_resampled_leads(lead, seed), point, n, min_people)
    table = pd.DataFrame(
        {
            "factor_id": ours.columns,
            "rival": pd.array([name] * ours.shape[1], dtype="str"),
            "session": pd.array([session] * ours.shape[1], dtype="str"),
            "n_participants": n,
            "weight": weights.reindex(ours.columns).to_numpy(),
            "ours": ours.mean().to_numpy(),
            "theirs": theirs.mean().to_numpy(),
            "lead": point,
            "low": low,
            "high": high,
            "verdict": _verdicts(low, high),
        }
    )
    table.insert(1, "factor", table["factor_id"].map(tree.set_index("factor_id")["factor"]))
    return table


def session_leads(
    scores: pd.DataFrame,
    tree: pd.DataFrame,
    weights: pd.Series,
    *,
    brand: str,
    rival: str = "",
    end_date,
    dealer_id: str = "",
    min_people: int = MIN_PEOPLE,
    seed: int = 0,
) -> pd.DataFrame:
    """Sum up the leads over the leaves by their weights, session by session, and tell whether each
    passes half a point and how it moved.

    Arguments as `rival_lead`. Leaves that nobody scored for both in a session are left out of it
    and the other weights scaled up.

    Returns
    -------
    DataFrame
        One row per session, oldest first: `session`, `scored_date`, `rival`, `n_participants`,
        `n_people` (all who scored both up to then, each counted once, by the name in
        `participant`), `n_factors` of `of_factors`, `lead`, `low`, `high`, `verdict`, `passes`
        (the whole interval is at half a point or more); and against the session before, over the
        leaves that both scored, `change`, `change_low`, `change_high`: as if other people had come,
        which is right where they did and too wide where they did not. No row where no rival was
        scored, or the scored leaves have no weight.
    """
    both, name = _answered(scores, tree, brand, rival, end_date, dealer_id)
    of_factors, before, people, found = len(leaf_factors(tree)), None, set(), []
    for (session, date), rows in both.groupby(["session", "scored_date"], sort=False):
        ours, theirs = _wide(rows, tree)
        lead = ours - theirs
        weight = weights.reindex(lead.columns).fillna(0.0)
        people |= set(rows["participant"])
        if not weight.sum() > 0:
            continue
        told = _weighted_lead(lead, weight, min_people, seed)
        moved = _change(before, lead, weight, min_people, seed)
        found.append(
            (session, date, name, len(lead), len(people), lead.shape[1], of_factors, *told, *moved)
        )
        before = lead
    return pd.DataFrame(found, columns=SESSION_COLUMNS)


def _weighted_lead(
    lead: pd.DataFrame, weight: pd.Series, min_people: int, seed: int
) -> tuple[float, float, float, str, bool]:
    """Give lead, low, high, verdict and whether half a point is passed."""
    point, draws = _summed(lead, weight, seed)
    n = np.array([len(lead)])
    low, high = _interval(draws[:, None], np.array([point]), n, min_people)
    passes = bool(round(low[0], 9) >= HALF_A_POINT)
    return point, float(low[0]), float(high[0]), str(_verdicts(low, high)[0]), passes


def _summed(lead: pd.DataFrame, weight: pd.Series, seed: int) -> tuple[float, np.ndarray]:
    """Sum up leads over leaves: that of all people, and of people drawn with replacement."""
    w = weight.to_numpy(dtype="float64")
    mean = np.nanmean(lead.to_numpy(dtype="float64"), axis=0)
    draws = _resampled_leads(lead.to_numpy(dtype="float64"), seed)
    return float(_weighted(mean[None, :], w)[0]), _weighted(draws, w)


def _change(
    before: pd.DataFrame | None, now: pd.DataFrame, weight: pd.Series, min_people: int, seed: int
) -> tuple[float, float, float]:
    """Compare a session's lead with that of the session before, on the leaves that both have."""
    none = (math.nan, math.nan, math.nan)
    if before is None:
        return none
    common = [leaf for leaf in now.columns if leaf in before.columns]
    shared = weight.reindex(common).fillna(0.0)
    if not shared.sum() > 0:
        return none
    (point, draws), (old, old_draws) = (
        _summed(lead[common].dropna(how="all"), shared, draw)
        # other people came: their draws are not those of the same places in the room
        for lead, draw in ((now, seed), (before, seed + 1))
    )
    few = np.array([min(len(now), len(before))])
    change = np.array([point - old])
    low, high = _interval((draws - old_draws)[:, None], change, few, min_people)
    return float(change[0]), float(low[0]), float(high[0])


def weighted_lead(scores: pd.DataFrame, tree: pd.DataFrame, weights: pd.Series, **told):
    """Give the last row of `session_leads`: how far we lead over all factors, in one session."""
    return session_leads(scores, tree, weights, **told).tail(1).reset_index(drop=True)


def _answered(scores, tree, brand, rival, end_date, dealer_id) -> tuple[pd.DataFrame, str]:
    """List what was scored of ours and of one rival by the same person, session and leaf.

    Oldest session first, with `ours` and `theirs`; and the rival's name.
    """
    leaves = leaf_factors(tree)["factor_id"]
    rows = scoring.answers(scores, end_date=end_date, dealer_id=dealer_id, brand=brand)
    rows = rows[rows["item_id"].isin(leaves)]
    theirs = rows[rows["brand"] != ""]
    if rival and len(theirs) and rival not in set(theirs["brand"]):
        known = ", ".join(sorted(theirs["brand"].unique()))
        raise ValueError(f"rival: {rival!r} was never scored; choose one of {known}")
    counts = theirs.loc[theirs["nth"] == theirs["nth"].max(), "brand"].value_counts()
    name = rival or min(counts[counts == counts.max()].index, default="")
    keys = ["session", "participant", "item_id"]
    his = theirs.loc[theirs["brand"] == name, [*keys, "score"]].rename(columns={"score": "theirs"})
    both = rows[rows["brand"] == ""].rename(columns={"score": "ours"}).merge(his, on=keys)
    return both.sort_values(["nth", "participant"], kind="stable", ignore_index=True), name


def _wide(both: pd.DataFrame, tree: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lay out our and the rival's scores of one session, people by leaves in the tree's order.

    Known only where a person scored both.
    """
    leaves = [f for f in leaf_factors(tree)["factor_id"] if f in set(both["item_id"])]
    return tuple(
        both.pivot_table(whose, "participant", "item_id").reindex(columns=leaves)
        for whose in ("ours", "theirs")
    )


def _resampled_leads(lead: np.ndarray, seed: int) -> np.ndarray:
    """Draw people with replacement and average their differences.

    Resamples × leaves, NaN where nobody was drawn.
    """
    n_people = len(lead)
    if not lead.size:
        return np.empty((N_RESAMPLES, lead.shape[1]))
    drawn = np.random.default_rng(seed).multinomial(
        n_people, np.full(n_people, 1 / n_people), N_RESAMPLES
    )
    known = ~np.isnan(lead)
    with np.errstate(invalid="ignore"):
        return (drawn @ np.where(known, lead, 0.0)) / (drawn @ known)


def _weighted(leads: np.ndarray, weight: np.ndarray) -> np.ndarray:
    known = ~np.isnan(leads)
    with np.errstate(invalid="ignore"):
        return (np.where(known, leads, 0.0) @ weight) / (known @ weight)


def _interval(
    draws: np.ndarray, point: np.ndarray, n_people: np.ndarray, min_people: int
) -> tuple[np.ndarray, np.ndarray]:
    """Give the bounds of each column, widened for few people, or none where they are too few.

    A resample of n people spreads as if divided by n, and knows no Student.
    """
    if not draws.shape[1]:
        return np.empty(0), np.empty(0)
    bounds = np.nanquantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    n = np.maximum(n_people, 2)
    tail = (1 + LEVEL) / 2
    expanded = np.sqrt(n / (n - 1)) * stats.t.ppf(tail, n - 1) / stats.norm.ppf(tail)
    low, high = point + (bounds - point) * expanded
    few = n_people < min_people
    return np.where(few, np.nan, low), np.where(few, np.nan, high)


def _verdicts(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    # a mean of half points may miss 0.5 by a rounding
    low, high = np.round(low, 9), np.round(high, 9)
    level = (low > -HALF_A_POINT) & (high < HALF_A_POINT)
    return np.select(
        [low >= HALF_A_POINT, high < 0, level], ["ahead", "behind", "level"], default="unclear"
    )


# ---- sentences -----------------------------------------------------------------------------------


def rival_sentences(
    lead: pd.DataFrame, overall: pd.DataFrame, sessions: pd.DataFrame | None = None
) -> list[str]:
    """Say whether we are half a point ahead of the rival in the last session, how that moved over
    the sessions, and where we are behind.

    `overall` from `weighted_lead`, `sessions` from `session_leads`.
    """
    if lead.empty or overall.empty:
        return [words.say("scoring.no_rival")]
    row = overall.iloc[0]
    said = [_lead_sentence(row), *([] if sessions is None else trend_sentences(sessions))]
    behind = lead.assign(lead=lead["lead"].round(9))[lead["verdict"] == "behind"].sort_values(
        "lead", kind="stable"
    )
    if len(behind):
        factors = [f"{r.factor} {words.decimal(r.lead, 1)}" for r in behind.itertuples()]
        said.append(
            words.say(
                "scoring.behind",
                rival=row["rival"],
                n=len(behind),
                factors=words.listed(factors, 99),
            )
        )
    return said


def trend_sentences(sessions: pd.DataFrame) -> list[str]:
    """Say the lead of each session, how many people that are, and whether the last change is
    certain; nothing of a single session.
    """
    if len(sessions) < 2:
        return []
    told = [
        words.say(
            "scoring.session_lead",
            session=row.session,
            lead=words.decimal(row.lead, 2),
            n=row.n_participants,
        )
        for row in sessions.itertuples()
    ]
    last, before = sessions.iloc[-1], sessions.iloc[-2]
    said = words.say(
        "scoring.trend", leads=words.listed(told, len(told)), n=last["n_people"], of=len(sessions)
    )
    if math.isnan(last["change"]):
        return [said]
    if math.isnan(last["change_low"]):
        key = "few"
    elif round(last["change_low"], 9) > 0:
        key = "rose"
    else:
        key = "fell" if round(last["change_high"], 9) < 0 else "unsure"
    moved = last[["change", "change_low", "change_high"]].tolist()
    if key in ("rose", "fell"):  # the verb says the sign
        moved = [moved[0], *sorted(moved[1:], key=abs)]
        moved = [words.decimal(abs(value), 2) for value in moved]
    else:
        moved = [words.signed(value, 2) for value in moved]
    named = dict(zip(("change", "change_low", "change_high"), moved, strict=True))
    return [said, words.say(f"scoring.trend_{key}", before=before["session"], **named)]


def _is_part(row: pd.Series) -> bool:
    """Whether fewer of the factors were scored than could stand for all."""
    return bool(row["n_factors"] < SCORED_SHARE * row["of_factors"])


def _lead_title(row: pd.Series) -> str:
    said = _lead_alone(row)
    if not _is_part(row):
        return said
    return words.say("scoring.lead_part", said=said, n=row["n_factors"], of=row["of_factors"])


def _lead_alone(row: pd.Series) -> str:
    """Say the lead; "short" and "trail" only where the whole interval is, else "not certain"."""
    if row["passes"]:
        key = "passes"
    elif row["lead"] < 0:
        key = "trails" if round(row["high"], 9) < 0 else "trails_unsure"
    else:
        key = "short" if round(row["high"], 9) < HALF_A_POINT else "unsure"
    by = words.decimal(abs(row["lead"]), 2)
    return words.say(f"scoring.lead_{key}", rival=row["rival"], lead=by)


def _lead_sentence(row: pd.Series) -> str:
    told = {"n": row["n_participants"], "session": row["session"]}
    if math.isnan(row["low"]):
        return words.say("scoring.sentence_few", said=_lead_title(row), **told)
    low, high = words.decimal(row["low"], 2), words.decimal(row["high"], 2)
    interval = words.say("scoring.interval", low=low, high=high, **told)
    return words.say("scoring.sentence", said=_lead_title(row), interval=interval)


# ---- plots ---------------------------------------------------------------------------------------


def plot_rival(
    lead: pd.DataFrame, overall: pd.DataFrame, *, note: str = "", ax: Axes | None = None
) -> Axes:
    """Draw our lead over the rival per factor with its interval, the largest on top.

    A band marks half a point.
    """
    if lead.empty or overall.empty:
        return look.nothing(words.say("scoring.no_rival"), ax)
    rows = lead.sort_values(["lead", "factor_id"], ignore_index=True)
    ax, y = ax or scoring.rows_axes(len(rows)), np.arange(len(rows))
    ax.axvspan(0, HALF_A_POINT, color=look.COLORS["–"], linewidth=0, zorder=0)
    ax.axvline(0, color=look.COLORS["reference"], linewidth=0.9)
    ax.axvline(HALF_A_POINT, color=look.COLORS["reference"], linewidth=0.9, linestyle=(0, (3, 3)))
    colors = {"ahead": "ours", "behind": "rival", "level": "reference", "unclear": "reference"}
    told = []
    for verdict in VERDICTS:
        at = (rows["verdict"] == verdict).to_numpy()
        if at.any():
            color = look.COLORS[colors[verdict]]
            ax.hlines(y[at], rows["low"][at], rows["high"][at], color=color, linewidth=2)
            face = "white" if verdict in ("level", "unclear") else color
            ax.plot(
                rows["lead"][at],
                y[at],
                "o",
                color=color,
                markerfacecolor=face,
                markersize=6,
            )
            said = f"{words.label(verdict)} ({at.sum()})"
            told.append((float(y[at].mean()), said, color))
    ax.set_yticks(y, rows["factor"])
    ax.set(ylim=(-0.6, len(rows) - 0.4), xlabel=words.label("lead_points"))
    ax.grid(axis="y", visible=False)
    look.beside(ax, told)
    row = overall.iloc[0]
    who = {"rival": row["rival"], "n": row["n_participants"], "session": row["session"]}
    how = words.say("scoring.rival_how", **who)
    return look.explain(ax, _rival_title(rows, row), how, note)


def _rival_title(rows: pd.DataFrame, row: pd.Series) -> str:
    behind = int((rows["verdict"] == "behind").sum())
    said = _lead_title(row)
    return said + words.say("scoring.and_behind", n=behind) if behind else said


def headlines(lead: pd.DataFrame, overall: pd.DataFrame) -> list[dict]:
    """Make the front page's figure on the rival.

    Keys as `report.headline`; none without a rival, or where few of the factors were scored.
    """
    if overall.empty or math.isnan(overall["lead"].iloc[0]) or _is_part(overall.iloc[0]):
        return []
    whole, behind = overall.iloc[0], int((lead["verdict"] == "behind").sum())
    return [
        {
            "place": "tile",
            "label": words.say("rival.tile", rival=whole["rival"]),
            "link": page_of("fishbone"),
            "text": f"{'+' if whole['lead'] > 0 else ''}{words.decimal(whole['lead'], 1)}",
            "change": words.say("rival.tile_change", n=behind),
            # a lead of which half a point is neither certain nor out of reach is neither
            "tone": {"ahead": "good", "unclear": ""}.get(whole["verdict"], "bad"),
        }
    ]
