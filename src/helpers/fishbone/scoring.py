"""Scoring: what people and what data say of each factor, and where the two disagree."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from helpers import look, words
from helpers.fishbone.tree import factor_names, leaf_factors

# points by which people praise what a single dealer's figures blame, or the other way round
OPPOSITE = 1.0
DISAGREEMENT = 2.5  # points of ten: a quarter of the scale is more than rounding and mood explain
MIN_BOTH = 3  # factors scored by people and by data, below which centring leaves nothing to compare


class Agreement(NamedTuple):
    """Kendall's W with its chi-square p-value, and of how many people and items."""

    w: float
    p_value: float
    n_participants: int
    n_items: int


# ---- people --------------------------------------------------------------------------------------


def answers(
    scores: pd.DataFrame, *, end_date, dealer_id="", brand="", kind="factor", aspect="performance"
):
    """Pick what was asked, one row per person, item and brand ("" is ours).

    `nth` counts sessions from 0, oldest first.

    A person is a participant of a session. Where a session scored in several rounds, what he said
    last of an item counts; who scored the same twice in a round counts once, with his mean.
    """
    asked = (scores["kind"] == kind) & (scores["aspect"].fillna("performance") == aspect)
    before = scores["scored_date"] < pd.Timestamp(end_date).normalize() + pd.Timedelta(days=1)
    about = scores["dealer_id"].fillna("") == dealer_id
    rows = scores[asked & before & about & scores["score"].notna()]
    _require_scale(rows)
    whose = rows["brand"].fillna("").astype("str")
    rows = rows.assign(brand=whose.mask(whose == brand, ""))
    keys = ["session", "participant", "item_id", "brand"]
    nth = rows["round"].fillna(1) if "round" in rows else pd.Series(1, rows.index)
    if nth.min() < nth.max():
        rows = rows[nth == nth.groupby([rows[key] for key in keys]).transform("max")]
    rows = rows.groupby(keys, as_index=False).agg(
        score=("score", "mean"), scored_date=("scored_date", "max")
    )
    rows["scored_date"] = rows.groupby("session")["scored_date"].transform("max")
    order = (
        rows[["scored_date", "session"]].drop_duplicates().sort_values(["scored_date", "session"])
    )
    nth = pd.Series(range(len(order)), index=order["session"], dtype="int64")
    return rows.assign(nth=rows["session"].map(nth).astype("int64"))


def _require_scale(rows: pd.DataFrame) -> None:
    wrong = rows[~rows["score"].between(0, 10)]
    if len(wrong):
        first = wrong.iloc[0]
        raise ValueError(
            f"scores: {len(wrong)} outside 0–10, e.g. {first['score']:g} for "
            f"{first['item_id']!r} by {first['participant']} in {first['session']}; correct them "
            "or leave the rows out"
        )


def sessions(scores: pd.DataFrame, *, end_date) -> pd.DataFrame:
    """List the sessions up to a day, oldest first.

    `session`, `scored_date` (their last day), `n_participants`.
    """
    rows = scores[scores["scored_date"] < pd.Timestamp(end_date).normalize() + pd.Timedelta(days=1)]
    found = rows.groupby("session", as_index=False).agg(
        scored_date=("scored_date", "max"), n_participants=("participant", "nunique")
    )
    return found.sort_values(["scored_date", "session"], ignore_index=True)


def scores_note(scores: pd.DataFrame, kind: str, *, end_date) -> str:
    """Say which session scored factors or needs last, when, and how many people; "" if none did."""
    found = sessions(scores[scores["kind"] == kind], end_date=end_date)
    return _session_said(found.iloc[-1]) if len(found) else ""


def session_note(title: str, scores: pd.DataFrame, overall: pd.DataFrame) -> str:
    """Say whose lead over a rival this is: the session of `rival_lead`, its day and people."""
    if overall.empty:
        return title
    row = overall.iloc[0]
    days = scores.loc[scores["session"] == row["session"], "scored_date"]
    return f"{title} · {_session_said(row.to_dict() | {'scored_date': days.max()})}"


def _session_said(row: Mapping) -> str:
    return words.say(
        "scoring.note",
        session=row["session"],
        date=f"{row['scored_date']:%Y-%m-%d}",
        n=int(row["n_participants"]),
    )


def comparison_sessions(comparisons: pd.DataFrame, scores: pd.DataFrame, *, end_date) -> list[str]:
    """List the sessions whose comparisons count on a day, oldest first.

    Comparisons carry no date: their session's scores do. Sessions without any score have none, and
    come first.
    """
    asked, dated = set(comparisons["session"]), sessions(scores, end_date=end_date)["session"]
    undated = asked - set(scores["session"])
    return [*sorted(undated), *(s for s in dated if s in asked)]


def people_scores(
    scores: pd.DataFrame, tree: pd.DataFrame, *, end_date, dealer_id: str = "", brand: str = ""
) -> pd.DataFrame:
    """Score each leaf by people: the median and quartiles of the last session that scored it.

    Parameters
    ----------
    scores
        The contract's table; rows of other kinds, of rivals, of bones and of items the tree lacks
        are left out.
    dealer_id
        Whose scores; "" are those of the network as a whole, which name no dealer.
    brand
        Our brand as the scores write it; an empty brand is ours too.

    Returns
    -------
    DataFrame
        One row per leaf: `factor_id`, `n_scores` (behind the median), `n_participants` (people of
        all sessions, each counted once, by the name in `participant`), `n_sessions`, `score`,
        `low`, `high` (quartiles), `previous_score` (median of the session before that scored it).
        NaN where nobody scored.

    Raises
    ------
    ValueError
        If a score lies outside 0–10.
    """
    leaves = leaf_factors(tree)["factor_id"]
    rows = answers(scores, end_date=end_date, dealer_id=dealer_id, brand=brand)
    rows = rows[(rows["brand"] == "") & rows["item_id"].isin(leaves)]
    is_last = rows["nth"] == rows.groupby("item_id")["nth"].transform("max")
    last, every = rows[is_last].groupby("item_id")["score"], rows.groupby("item_id")
    older = rows[~is_last]
    before = older[older["nth"] == older.groupby("item_id")["nth"].transform("max")]
    table = pd.DataFrame(
        {
            "n_scores": last.size(),
            "n_participants": every["participant"].nunique(),
            "n_sessions": every["session"].nunique(),
            "score": last.median(),
            "low": last.quantile(0.25),
            "high": last.quantile(0.75),
            "previous_score": before.groupby("item_id")["score"].median(),
        }
    )
    table = table.reindex(leaves.to_numpy()).rename_axis("factor_id")
    counts = ["n_scores", "n_participants", "n_sessions"]
    return table.assign(**{c: table[c].fillna(0).astype(int) for c in counts}).reset_index()


def session_scores(
    scores: pd.DataFrame, tree: pd.DataFrame, *, end_date, dealer_id: str = "", brand: str = ""
) -> pd.DataFrame:
    """Follow each leaf from session to session.

    `session`, `scored_date`, `factor_id`, `score` (median), `n_scores`.
    """
    leaves = leaf_factors(tree)["factor_id"]
    rows = answers(scores, end_date=end_date, dealer_id=dealer_id, brand=brand)
    rows = rows[(rows["brand"] == "") & rows["item_id"].isin(leaves)].rename(
        columns={"item_id": "factor_id"}
    )
    keys = ["nth", "session", "scored_date", "factor_id"]
    table = rows.groupby(keys, as_index=False).agg(
        score=("score", "median"), n_scores=("score", "size")
    )
    place = table["factor_id"].map({factor: i for i, factor in enumerate(leaves)})
    return table.assign(place=place).sort_values(["nth", "place"], ignore_index=True)[
        [*keys[1:], "score", "n_scores"]
    ]


def _dealers(scores: pd.DataFrame) -> list[str]:
    """List the dealers who were scored by themselves."""
    return sorted(scores.loc[scores["kind"] == "factor", "dealer_id"].dropna().unique())


def dealer_session_scores(
    scores: pd.DataFrame, tree: pd.DataFrame, *, end_date, brand: str = ""
) -> pd.DataFrame:
    """Follow the leaves of every dealer who was scored by himself.

    As `session_scores`, with `dealer_id`.
    """
    none = session_scores(scores.head(0), tree, end_date=end_date).assign(dealer_id="")
    each = [
        session_scores(scores, tree, end_date=end_date, dealer_id=d, brand=brand).assign(
            dealer_id=d
        )
        for d in _dealers(scores)
    ]
    return pd.concat([none, *each], ignore_index=True)


def unknown_items(scores: pd.DataFrame, tree: pd.DataFrame) -> list[str]:
    """Name the scored factors that the tree does not have, sorted.

    Their scores are left out everywhere.
    """
    scored = scores.loc[scores["kind"] == "factor", "item_id"].dropna()
    return sorted(set(scored) - set(tree["factor_id"]))


def kendalls_w(matrix: pd.DataFrame | np.ndarray) -> Agreement:
    """Measure how far people rank items alike (Kendall's coefficient of concordance).

    0 not at all, 1 all the same.

    `matrix` has a row per participant and a column per item. Ties are corrected for; who misses an
    item is left out. NaN with fewer than two people or items, or where nobody makes a difference.
    The p-value is that of Friedman's chi-square with n − 1 degrees of freedom, too cautious with
    few people.

    Source: Kendall & Babington Smith (1939), The problem of m rankings, Annals of Mathematical
    Statistics 10(3).

    >>> kendalls_w([[1, 2, 3], [2, 4, 6], [0, 5, 9]]).w
    1.0
    """
    rows = pd.DataFrame(matrix).dropna()
    m, n = rows.shape
    if m < 2 or n < 2:
        return Agreement(math.nan, math.nan, m, n)
    ranks = rows.rank(axis=1).to_numpy(dtype="float64")
    # tied ranks make the sum of squared ranks smaller by (t³ − t) / 12 for every group of t equals
    ties = 12 * (m * n * (n + 1) * (2 * n + 1) / 6 - (ranks**2).sum())
    most = m**2 * (n**3 - n) - m * ties
    if most < 1e-9:
        return Agreement(math.nan, math.nan, m, n)
    w = float(12 * ((ranks.sum(axis=0) - m * (n + 1) / 2) ** 2).sum() / most)
    return Agreement(w, float(stats.chi2.sf(m * (n - 1) * w, n - 1)), m, n)


def agreement(
    scores: pd.DataFrame, tree: pd.DataFrame, *, end_date, dealer_id: str = "", brand: str = ""
) -> pd.DataFrame:
    """Measure in each session how far people rank our factors alike, oldest session first.

    Compared are the leaves that at least half of the session's people scored; who misses one of
    those is left out. Columns: `session`, `scored_date`, `w`, `p_value`, `n_participants`,
    `n_items`, `n_left_out`.
    """
    rows = answers(scores, end_date=end_date, dealer_id=dealer_id, brand=brand)
    rows = rows[(rows["brand"] == "") & rows["item_id"].isin(leaf_factors(tree)["factor_id"])]
    found = []
    for (_nth, session, date), inside in rows.groupby(["nth", "session", "scored_date"]):
        together, n_left_out = concordance(inside)
        found.append((session, date, *together, n_left_out))
    columns = ["session", "scored_date", *Agreement._fields, "n_left_out"]
    return pd.DataFrame(found, columns=columns)


def concordance(rows: pd.DataFrame) -> tuple[Agreement, int]:
    """Measure how far people rank items alike, from their `answers` of one session.

    Compared are the items that at least half of the people scored; who misses one of those is left
    out, and counted.
    """
    wide = rows.pivot_table(index="participant", columns="item_id", values="score")
    wide = wide.loc[:, wide.notna().mean() >= 0.5]
    together = kendalls_w(wide)
    return together, len(wide) - together.n_participants


# ---- people and data -----------------------------------------------------------------------------


def factor_scores(
    people: pd.DataFrame, data: pd.DataFrame, *, disagreement: float = DISAGREEMENT
) -> pd.DataFrame:
    """Put people's scores and data scores side by side, for the network or for one dealer.

    Parameters
    ----------
    people
        From `people_scores`, which tells the rows.
    data
        `factor_id`, `data_score`: from `network_data_scores`, or one dealer's rows of
        `data_scores`.
    disagreement
        Points of ten from which people and data disagree.

    Returns
    -------
    DataFrame
        `factor_id`, `n_scores`, `score`, `low`, `high`, `data_score`, `gap`, `disagrees`. The
        levels of opinions and of percentiles can't be compared, so `gap` is people's score less the
        data score after both are centred on their own median over the factors that have both; NaN
        where those are fewer than three. `disagrees` from so many points
        either way.
    """
    table = people[["factor_id", "n_scores", "score", "low", "high"]].merge(
        data[["factor_id", "data_score"]], on="factor_id", how="left", validate="one_to_one"
    )
    both = table["score"].notna() & table["data_score"].notna()
    said, measured = (table[c] - table.loc[both, c].median() for c in ("score", "data_score"))
    gap = (said - measured).where(both & (both.sum() >= MIN_BOTH))
    return table.assign(gap=gap, disagrees=gap.abs().round(9) >= disagreement)


def dealer_gaps(
    scores: pd.DataFrame,
    dealer_scores: pd.DataFrame,
    tree: pd.DataFrame,
    dealers: pd.DataFrame,
    *,
    end_date,
    brand: str = "",
    disagreement: float = DISAGREEMENT,
) -> pd.DataFrame:
    """List where people who scored a single dealer disagree strongly with his figures, the widest
    gap first.

    One praises and the other blames: a single dealer's percentiles reach from 0 to 10 where
    opinions stay between 6 and 7, so that who agrees on the side but not on the size would fill the
    list.

    Columns: `dealer_id`, `dealer_name`, `factor`, `owner`, `score`, `data_score`, `gap` (as
    `factor_scores`, which says what `disagreement` is).
    """
    found = []
    for dealer in _dealers(scores):
        people = people_scores(scores, tree, end_date=end_date, dealer_id=dealer, brand=brand)
        own = dealer_scores[dealer_scores["dealer_id"] == dealer]
        both = factor_scores(people, own, disagreement=disagreement)
        told = both.dropna(subset=["gap"])
        said, measured = (told[c] - told[c].median() for c in ("score", "data_score"))
        opposite = (said * measured < 0) & (
            np.minimum(said.abs(), measured.abs()).round(9) >= OPPOSITE
        )
        found.append(told[told["disagrees"] & opposite].assign(dealer_id=dealer))
    columns = ["dealer_id", "dealer_name", "factor", "owner", "score", "data_score", "gap"]
    if not found:
        return pd.DataFrame(columns=columns)
    rows = pd.concat(found).merge(
        leaf_factors(tree)[["factor_id", "factor", "owner"]], on="factor_id"
    )
    rows["dealer_name"] = rows["dealer_id"].map(dealers.set_index("dealer_id")["dealer_name"])
    return rows.sort_values("gap", key=abs, ascending=False)[columns].reset_index(drop=True)


# ---- sentences -----------------------------------------------------------------------------------


def unknown_sentences(scores: pd.DataFrame, tree: pd.DataFrame) -> list[str]:
    """Say which scored factors are left out because the tree does not have them."""
    items = unknown_items(scores, tree)
    return [words.say("scoring.unknown_items", names=words.listed(items, 99))] if items else []


def agreement_sentences(together: pd.DataFrame) -> list[str]:
    """Say how far the people of the last session rank the factors alike, in words for a W."""
    known = together[together["w"].notna()]
    if known.empty:
        return []
    last = known.iloc[-1]
    # 0.7 is strong agreement, 0.3 weak: Schmidt (1997), Decision Sciences 28(3)
    how = "strong" if last["w"] >= 0.7 else "fair" if last["w"] >= 0.3 else "weak"
    said = [
        words.say(
            f"scoring.agree_{how}", session=last["session"], n=last["n_participants"], w=last["w"]
        )
    ]
    return said + ([words.say("scoring.agree_chance")] if last["p_value"] > 0.05 else [])


def disagreement_sentences(
    table: pd.DataFrame, tree: pd.DataFrame, disagreement: float = DISAGREEMENT
) -> list[str]:
    """Say of which factors people think strongly otherwise than the data, the widest gap first.

    `table` as `factor_scores` gives it with this `disagreement`.
    """
    if not table["gap"].notna().any():
        # that nobody or no data score at all is said elsewhere on the page
        both = table[["score", "data_score"]].notna().any().all()
        return [words.say("scoring.gap_unknown")] if both else []
    rows = table[table["disagrees"]].sort_values("gap", key=abs, ascending=False, kind="stable")
    if rows.empty:
        return [words.say("scoring.gap_none", points=disagreement)]
    keys = np.where(rows["gap"] > 0, "scoring.gap_rosy", "scoring.gap_gloomy")
    return [
        words.say(key, factor=name, score=row.score, data=row.data_score, gap=abs(row.gap))
        for key, name, row in zip(
            keys, factor_names(tree, rows["factor_id"]), rows.itertuples(), strict=True
        )
    ]


# ---- plots ---------------------------------------------------------------------------------------


def rows_axes(n: int) -> Axes:
    """Make axes for a row per factor."""
    return look.axes(height=max(1.5 + 0.25 * n, 2.4))


def _name_marks(ax: Axes, rows: pd.DataFrame) -> None:
    """Name the marks of the topmost row, each above its place."""
    top = rows.iloc[-1]
    places = {
        "people_median": (top["score"], "accent"),
        "data_score": (top["data_score"], "text"),
        "middle_half": (top["high"] if top["high"] > top["low"] else np.nan, "B"),
    }
    look.above(
        ax,
        [
            (float(at), words.label(term), look.COLORS[color])
            for term, (at, color) in places.items()
            if not pd.isna(at)
        ],
    )


def plot_scores(
    table: pd.DataFrame,
    tree: pd.DataFrame,
    *,
    disagreement: float = DISAGREEMENT,
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw per factor what people say (median and quartiles) and what the data say, the lowest
    scores on top.

    `table` as `factor_scores` gives it with this `disagreement`.
    """
    known = table.dropna(subset=["score", "data_score"], how="all")
    if known.empty:
        return look.nothing(words.say("fishbone.no_score", n=len(table)), ax)
    rows = known.sort_values(
        ["score", "data_score"], ascending=False, na_position="first", kind="stable"
    )
    title = _scores_title(rows, tree)
    if rows[["score", "data_score"]].notna().to_numpy().sum() == 1:  # one mark
        return look.instead(title, ax)
    ax, y, odd = ax or rows_axes(len(rows)), np.arange(len(rows)), rows["disagrees"].to_numpy(bool)
    ax.hlines(
        y[odd],
        rows["score"][odd],
        rows["data_score"][odd],
        color=look.COLORS["bad"],
        linewidth=1.4,
    )
    ax.hlines(
        y,
        rows["low"],
        rows["high"],
        color=look.COLORS["B"],
        linewidth=6,
        label=words.label("middle_half"),
    )
    ax.plot(
        rows["score"],
        y,
        "o",
        color=look.COLORS["accent"],
        markersize=6,
        label=words.label("people_median"),
    )
    ax.plot(
        rows["data_score"],
        y,
        "D",
        color="white",
        markeredgecolor=look.COLORS["text"],
        markersize=5.5,
        label=words.label("data_score"),
    )
    for place, row in zip(y[odd], rows[odd].itertuples(), strict=True):
        ax.annotate(
            words.signed(row.gap, 1),
            (max(row.score, row.data_score, row.high), place),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=look.COLORS["bad"],
        )
    ax.set_yticks(y, factor_names(tree, rows["factor_id"]))
    for tick, strong in zip(ax.get_yticklabels(), odd, strict=True):
        tick.set_color(look.COLORS["bad"] if strong else look.COLORS["text"])
    ax.set(
        xlim=(0, 10.6),
        ylim=(-0.6, len(rows) - 0.4),
        xticks=range(0, 11, 2),
        xlabel=words.label("score_0_10"),
    )
    ax.grid(axis="y", visible=False)
    _name_marks(ax, rows)
    key = "scoring.scores_how" if odd.any() else "scoring.scores_how_none"
    return look.explain(ax, title, words.say(key, points=disagreement), note)


def _scores_title(rows: pd.DataFrame, tree: pd.DataFrame) -> str:
    """Name what is scored lowest, ties together, and count where people and data are apart."""
    if len(rows) == 1:  # the lowest of one is no finding
        return words.say("scoring.few_title", n=len(rows))
    by_people = rows["score"].notna().any()
    shown = rows["score"] if by_people else rows["data_score"]
    lowest = factor_names(
        tree, rows.loc[shown.round(9) == round(shown.min(), 9), "factor_id"][::-1]
    )
    factor = (
        words.listed(lowest) if len(lowest) <= 3 else words.say("scoring.n_factors", n=len(lowest))
    )
    n = int(rows["disagrees"].sum())
    compared = "" if n else "_agree" if rows["gap"].notna().any() else "_alone"
    key = f"scoring.people_title{compared}" if by_people else "scoring.data_title"
    return words.say(key, factor=factor, score=float(shown.min()), n=n)
