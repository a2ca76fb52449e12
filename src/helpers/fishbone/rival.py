"""Rival: where we lead and where we trail, and whether half a point ahead is reached."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import look, words
from helpers.fishbone import scoring
from helpers.settings import page_of

HALF_A_POINT = 0.5  # the handbook's lead that is enough; read on our scale of 0–10
MIN_PEOPLE = 5  # below it a bootstrap over people is narrower than the truth
N_RESAMPLES, LEVEL = 2000, 0.95
VERDICTS = ("ahead", "level", "unclear", "behind")


def rival_lead(
    scores: pd.DataFrame,
    tree: pd.DataFrame,
    weights: pd.Series,
    *,
    brand: str,
    rival: str = "",
    end_date,
    dealer_id: str = "",
    seed: int = 0,
) -> pd.DataFrame:
    """Compare our score with the rival's at each leaf, among the people who scored both.

    Sessions are pooled: a person's difference is his own, whatever the mood of his session. A
    person is a participant of a session; the interval (95 %) is a percentile bootstrap over people,
    not given for fewer than `MIN_PEOPLE`.

    Parameters
    ----------
    brand
        Our brand as the scores write it; an empty brand is ours too.
    rival
        "" is the one most often scored.

    Returns
    -------
    DataFrame
        One row per leaf with both: `factor_id`, `factor`, `rival`, `n_participants`, `weight`,
        `ours`, `theirs` (means), `lead`, `low`, `high`, `verdict`: "ahead" where the whole interval
        is at half a point or more, "behind" where all of it is below zero, "level" where all of it
        is within half a point either way, else "unclear". No rows where no rival was scored.

    Raises
    ------
    ValueError
        If `rival` was never scored while others were.
    """
    ours, theirs, name = _pairs(scores, tree, brand, rival, end_date, dealer_id)
    lead = (ours - theirs).to_numpy()
    low, high = _interval(_resampled_leads(lead, seed), ours.notna().sum().to_numpy())
    table = pd.DataFrame(
        {
            "factor_id": ours.columns,
            "rival": pd.array([name] * ours.shape[1], dtype="str"),
            "n_participants": ours.notna().sum().to_numpy(),
            "weight": weights.reindex(ours.columns).to_numpy(),
            "ours": ours.mean().to_numpy(),
            "theirs": theirs.mean().to_numpy(),
            "lead": ours.mean().to_numpy() - theirs.mean().to_numpy(),
            "low": low,
            "high": high,
            "verdict": _verdicts(low, high),
        }
    )
    table.insert(1, "factor", table["factor_id"].map(tree.set_index("factor_id")["factor"]))
    return table


def weighted_lead(
    scores: pd.DataFrame,
    tree: pd.DataFrame,
    weights: pd.Series,
    *,
    brand: str,
    rival: str = "",
    end_date,
    dealer_id: str = "",
    seed: int = 0,
) -> pd.DataFrame:
    """Sum up the leads over the leaves by their weights, in one row, and tell whether it passes
    half a point.

    Arguments as `rival_lead`; leaves that nobody scored for both are left out and the other weights
    scaled up. Columns: `rival`, `n_participants`, `n_factors`, `lead`, `low`, `high`, `verdict`,
    `passes` (the whole interval is at half a point or more). No row where no rival was scored, or
    the scored leaves have no weight.
    """
    ours, theirs, name = _pairs(scores, tree, brand, rival, end_date, dealer_id)
    weight = weights.reindex(ours.columns).fillna(0.0).to_numpy()
    columns = ["rival", "n_participants", "n_factors", "lead", "low", "high", "verdict", "passes"]
    if not weight.sum() > 0:
        return pd.DataFrame(columns=columns)
    lead = (ours - theirs).to_numpy()
    n = int((~np.isnan(lead)).any(axis=1).sum())
    low, high = _interval(_weighted(_resampled_leads(lead, seed), weight)[:, None], np.array([n]))
    point = float(_weighted(np.nanmean(lead, axis=0)[None, :], weight)[0])
    passes = bool(round(low[0], 9) >= HALF_A_POINT)
    row = (name, n, ours.shape[1], point, low[0], high[0], _verdicts(low, high)[0], passes)
    return pd.DataFrame([row], columns=columns)


def _pairs(
    scores, tree, brand, rival, end_date, dealer_id
) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Lay out our and the rival's scores, people by leaves.

    Known only where a person scored both.
    """
    leaves = scoring.leaf_factors(tree)["factor_id"]
    rows = scoring.answers(scores, end_date=end_date, dealer_id=dealer_id, brand=brand)
    rows = rows[rows["item_id"].isin(leaves)]
    counts = rows.loc[rows["brand"] != "", "brand"].value_counts()
    if rival and len(counts) and rival not in counts.index:
        raise ValueError(
            f"rival: {rival!r} was never scored; choose one of {', '.join(sorted(counts.index))}"
        )
    name = rival or min(counts[counts == counts.max()].index, default="")
    wide = rows[rows["brand"].isin(["", name])].pivot_table(
        index=["session", "participant"], columns=["brand", "item_id"], values="score"
    )
    ours, theirs = (
        wide[b] if b in wide else wide.iloc[:, :0].droplevel(0, axis=1) for b in ("", name or "-")
    )
    both = [
        leaf
        for leaf in leaves
        if leaf in ours and leaf in theirs and (ours[leaf] + theirs[leaf]).notna().any()
    ]
    ours, theirs = ours[both], theirs[both]
    return ours.where(theirs.notna()), theirs.where(ours.notna()), name


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


def _interval(draws: np.ndarray, n_people: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if not draws.shape[1]:
        return np.empty(0), np.empty(0)
    low, high = np.nanquantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    few = n_people < MIN_PEOPLE
    return np.where(few, np.nan, low), np.where(few, np.nan, high)


def _verdicts(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    # a mean of half points may miss 0.5 by a rounding
    low, high = np.round(low, 9), np.round(high, 9)
    level = (low > -HALF_A_POINT) & (high < HALF_A_POINT)
    return np.select(
        [low >= HALF_A_POINT, high < 0, level], ["ahead", "behind", "level"], default="unclear"
    )


# ---- sentences -----------------------------------------------------------------------------------


def rival_sentences(lead: pd.DataFrame, overall: pd.DataFrame) -> list[str]:
    """Say whether we are half a point ahead of the rival in all, and where we are behind."""
    if lead.empty or overall.empty:
        return [words.say("scoring.no_rival")]
    row = overall.iloc[0]
    said = [_lead_sentence(row)]
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


def _lead_title(row: pd.Series) -> str:
    by = words.decimal(abs(row["lead"]), 2)
    if row["passes"]:
        return words.say("scoring.lead_passes", rival=row["rival"], lead=by)
    if row["lead"] < 0:
        return words.say("scoring.lead_trails", rival=row["rival"], lead=by)
    if row["lead"] < HALF_A_POINT:
        return words.say("scoring.lead_short", rival=row["rival"], lead=by)
    return words.say("scoring.lead_unsure", rival=row["rival"], lead=by)


def _lead_sentence(row: pd.Series) -> str:
    if math.isnan(row["low"]):
        return words.say("scoring.sentence_few", said=_lead_title(row))
    low, high = words.decimal(row["low"], 2), words.decimal(row["high"], 2)
    interval = words.say("scoring.interval", low=low, high=high, n=row["n_participants"])
    return words.say("scoring.sentence", said=_lead_title(row), interval=interval)


# ---- plots ---------------------------------------------------------------------------------------


def plot_rival(
    lead: pd.DataFrame, overall: pd.DataFrame, *, scope: str = "", ax: Axes | None = None
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
                label=f"{words.label(verdict)} ({at.sum()})",
            )
    ax.set_yticks(y, rows["factor"])
    ax.set(ylim=(-0.6, len(rows) - 0.4), xlabel=words.label("lead_points"))
    ax.grid(axis="y", visible=False)
    ax.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.1, handletextpad=0.3
    )
    row = overall.iloc[0]
    how = words.say("scoring.rival_how", rival=row["rival"], n=row["n_participants"])
    return look.explain(ax, _rival_title(rows, row), how, scope)


def _rival_title(rows: pd.DataFrame, row: pd.Series) -> str:
    behind = int((rows["verdict"] == "behind").sum())
    said = _lead_title(row)
    return said + words.say("scoring.and_behind", n=behind) if behind else said


def headlines(lead: pd.DataFrame, overall: pd.DataFrame) -> list[dict]:
    """Make the front page's figure on the rival.

    Keys as `report.headline`, none without a rival.
    """
    if overall.empty or math.isnan(overall["lead"].iloc[0]):
        return []
    whole, behind = overall.iloc[0], int((lead["verdict"] == "behind").sum())
    return [
        {
            "place": "tile",
            "label": words.say("rival.tile", rival=whole["rival"]),
            "link": page_of("fishbone"),
            "text": f"{'+' if whole['lead'] > 0 else ''}{words.decimal(whole['lead'], 1)}",
            "change": words.say("rival.tile_change", n=behind),
            "tone": "good" if whole["verdict"] == "ahead" else "bad",
        }
    ]
