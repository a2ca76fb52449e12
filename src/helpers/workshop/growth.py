"""Workshop: how far sellers have come, by what they say of themselves, and their next steps."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import fishbone, look, words

# the first half point above the middle of the scale: more often yes than no; our reading
THRESHOLD = 5.5
# Cronbach's alpha from which answers are taken together: Nunnally (1978), Psychometric Theory
HANGS_TOGETHER = 0.7
MOST_NAMED = 3  # people out of order who get a sentence of their own; the rest is counted
ABREAST = 7  # people side by side on a step of the drawn ladder


class Profile(NamedTuple):
    """What a session's answers say, by person and for the room."""

    scores: pd.DataFrame  # indexed by participant, a column per stage: his score there, or NaN
    people: pd.DataFrame  # a row per person: participant, stage, ladder, n_answers
    # a row per stage: stage, n_people, mean, median, low, high, pass_share, n_here
    room: pd.DataFrame
    reliability: pd.DataFrame  # a row per stage, then "all": stage, n_items, n_people, alpha
    stages: pd.DataFrame  # the ladder, lowest first
    session: str
    scored_date: pd.Timestamp
    threshold: float


# ---- the ladder ----------------------------------------------------------------------------------


def require_ladder(statements: pd.DataFrame, stages: pd.DataFrame) -> pd.DataFrame:
    """Check that every statement belongs to a stage and every stage but the first has one.

    Give the statements.

    The first stage is where everybody is who has not passed the second: nothing is asked about it.

    Raises
    ------
    ValueError
        If they do not fit together; all that is wrong is named at once.
    """
    rungs, wrong = list(stages["stage"][1:]), []
    twice = statements.loc[statements["item_id"].duplicated(), "item_id"]
    strange = statements[~statements["stage"].isin(rungs)]
    bare = [stage for stage in rungs if stage not in set(statements["stage"])]
    if len(twice):
        wrong.append(
            f"statements.csv: {twice.iloc[0]!r} stands there twice; give each statement a code "
            "of its own"
        )
    if len(strange):
        row = strange.iloc[0]
        wrong.append(
            f"statements.csv: {row['item_id']!r} belongs to {row['stage']!r}; choose "
            f"{', '.join(rungs)}, the stages of stages.csv after the first"
        )
    if bare:
        wrong.append(
            f"stages.csv: no statement asks about {bare[0]!r}; write one, or take the stage out"
        )
    if wrong:
        raise ValueError("\n".join(wrong))
    return statements


def profile(
    scores: pd.DataFrame,
    statements: pd.DataFrame,
    stages: pd.DataFrame,
    *,
    end_date,
    session: str = "",
    threshold: float = THRESHOLD,
) -> Profile:
    """Place each person of a session, and the room, on the ladder of stages.

    A stage's score is the mean of its answered statements; with fewer than half of them answered it
    is not known. A person stands at the highest stage that reaches the threshold together with all
    below it, as on a ladder whose rungs can't be skipped (Guttman 1944, A basis for scaling
    qualitative data, American Sociological Review 9(2)): who passes a stage above one he misses
    stands below the missed one, and is out of order. An unknown stage is not passed.

    Parameters
    ----------
    scores
        The contract's table; only rows of kind "self" count, up to `end_date`. Statements not
        listed are left out.
    statements, stages
        From `statements.csv` and `stages.csv`, the lowest stage first.
    session
        Which session; "" is the last one that answered.

    Returns
    -------
    Profile
        `people.ladder` is "in_order", "out_of_order" or "unanswered"; `room` has mean, median and
        quartiles over those with a score, `pass_share` of them, and `n_here` who stand at the
        stage. No rows where nobody answered.

    Raises
    ------
    ValueError
        If the statements and stages do not fit together, a score lies outside 0–10, or the session
        is unknown.
    """
    require_ladder(statements, stages)
    rows = fishbone.answers(scores, end_date=end_date, kind="self")
    rows = rows[(rows["brand"] == "") & rows["item_id"].isin(statements["item_id"])]
    known = rows.drop_duplicates("session").sort_values("nth")["session"].tolist()
    if session and session not in known:
        there = f"those that did are {', '.join(known)}" if known else "nobody did so far"
        raise ValueError(f"session: {session!r} answered no statements; {there}")
    session = session or (known[-1] if known else "")
    rows = rows[rows["session"] == session]
    date = rows["scored_date"].max() if len(rows) else pd.NaT
    return _profile(rows, statements, stages, session, date, threshold)


def own_profile(
    answers: Mapping[str, float],
    statements: pd.DataFrame,
    stages: pd.DataFrame,
    threshold: float = THRESHOLD,
) -> Profile:
    """Place one person by answers given on the spot, by statement; who he is stays with him."""
    rows = pd.DataFrame(
        {"item_id": list(answers), "score": list(answers.values()), "participant": ""}
    )
    return _profile(rows, require_ladder(statements, stages), stages, "", pd.NaT, threshold)


def _profile(rows, statements, stages, session: str, date, threshold: float) -> Profile:
    wide = rows.pivot_table(index="participant", columns="item_id", values="score")
    wide = wide.reindex(columns=statements["item_id"])
    rungs = list(stages["stage"][1:])
    items = {stage: statements.loc[statements["stage"] == stage, "item_id"] for stage in rungs}
    n = pd.DataFrame(
        {stage: wide[items[stage]].notna().sum(axis=1) for stage in rungs}, index=wide.index
    )
    score = pd.DataFrame(
        {stage: wide[items[stage]].mean(axis=1) for stage in rungs}, index=wide.index
    )
    score = score.where(n.ge(pd.Series({stage: len(items[stage]) / 2 for stage in rungs})))
    people = _placed(score, list(stages["stage"]), threshold).assign(
        n_answers=n.sum(axis=1).to_numpy()
    )
    alphas = [(stage, cronbachs_alpha(wide[items[stage]])) for stage in rungs] + [
        ("all", cronbachs_alpha(wide))
    ]
    reliability = pd.DataFrame(
        [(stage, *alpha) for stage, alpha in alphas],
        columns=["stage", "n_items", "n_people", "alpha"],
    )
    room = _room(score, people, threshold)
    return Profile(score, people, room, reliability, stages, session, pd.Timestamp(date), threshold)


def _passed(score: pd.DataFrame, threshold: float) -> pd.DataFrame:
    return score.round(9) >= threshold  # the mean of 5, 5.5 and 6 is 5.5


def _placed(score: pd.DataFrame, ladder: list[str], threshold: float) -> pd.DataFrame:
    """Count the rungs passed from below without a gap, and see whether any is passed above it."""
    passed = _passed(score, threshold).to_numpy()
    reached = np.cumprod(passed, axis=1).sum(axis=1)
    order = np.select(
        [score.isna().any(axis=1), passed.sum(axis=1) > reached],
        ["unanswered", "out_of_order"],
        default="in_order",
    )
    stage = pd.array(np.array(ladder, dtype=object)[reached.astype(int)], dtype="str")
    return pd.DataFrame(
        {"participant": score.index, "stage": stage, "ladder": pd.array(order, dtype="str")}
    )


def _room(score: pd.DataFrame, people: pd.DataFrame, threshold: float) -> pd.DataFrame:
    n = score.notna().sum()
    room = pd.DataFrame(
        {
            "n_people": n,
            "mean": score.mean(),
            "median": score.median(),
            "low": score.quantile(0.25),
            "high": score.quantile(0.75),
            "pass_share": _passed(score, threshold).sum() / n.where(n > 0),
            "n_here": people["stage"].value_counts().reindex(score.columns, fill_value=0),
        }
    )
    return room.rename_axis("stage").reset_index()


def room_stage(found: Profile) -> str:
    """Place the room by the medians of its stages, as one person is placed.

    "" where nobody answered.
    """
    if found.people.empty:
        return ""
    medians = found.room.set_index("stage")[["median"]].T
    return str(_placed(medians, list(found.stages["stage"]), found.threshold)["stage"].iloc[0])


class Alpha(NamedTuple):
    """Cronbach's alpha, of how many items and people who answered all of them."""

    n_items: int
    n_people: int
    alpha: float


def cronbachs_alpha(matrix: pd.DataFrame | np.ndarray) -> Alpha:
    """Measure how far the items of a scale say the same of a person.

    k ÷ (k − 1) × (1 − sum of the items' variances ÷ variance of the people's sums). `matrix` has a
    row per person and a column per item; who misses one is left out. 1: all items agree, 0: they
    have nothing in common; negative where they contradict each other. NaN for fewer than two people
    or items, or where all people have the same sum.

    Source: Cronbach (1951), Coefficient alpha and the internal structure of tests, Psychometrika
    16(3).

    >>> cronbachs_alpha([[1, 2], [2, 3], [3, 4]]).alpha
    1.0
    """
    rows = pd.DataFrame(matrix).dropna().to_numpy(dtype="float64")
    m, k = rows.shape
    if m < 2 or k < 2:
        return Alpha(k, m, math.nan)
    total = rows.sum(axis=1).var(ddof=1)
    if total < 1e-12:
        return Alpha(k, m, math.nan)
    return Alpha(k, m, float(k / (k - 1) * (1 - rows.var(axis=0, ddof=1).sum() / total)))


# ---- tables --------------------------------------------------------------------------------------


def stage_names(found: Profile) -> dict[str, str]:
    """Name the stages in the reader's language, lowest first."""
    return {row.stage: words.translated(row.en, row.zh) for row in found.stages.itertuples()}


def next_steps(found: Profile) -> dict[str, str]:
    """Give the next step of whoever stands at each stage."""
    return {
        row.stage: words.translated(row.next_en, row.next_zh) for row in found.stages.itertuples()
    }


def people_table(found: Profile) -> pd.DataFrame:
    """Lay out a row per person, highest first.

    His score at each stage, where he stands, and whether in order.
    """
    names, place = stage_names(found), list(found.stages["stage"])
    rows = found.people.assign(order=found.people["stage"].map(place.index)).join(
        found.scores, on="participant"
    )
    rows = rows.sort_values(["order", "participant"], ascending=[False, True], ignore_index=True)
    rows = rows.assign(stage=rows["stage"].map(names), ladder=rows["ladder"].map(words.label))
    return rows[["participant", *place[1:], "stage", "ladder"]].rename(columns=names)


def monday_table(found: Profile) -> pd.DataFrame:
    """Lay out a row per stage where somebody stands, highest first.

    `stage`, `n_people`, `who`, `next_step`.
    """
    names, steps = stage_names(found), next_steps(found)
    rows = [
        (
            names[stage],
            int(here.sum()),
            words.listed(found.people.loc[here, "participant"], 99),
            steps[stage],
        )
        for stage in found.stages["stage"][::-1]
        if (here := found.people["stage"] == stage).any()
    ]
    return pd.DataFrame(rows, columns=["stage", "n_people", "who", "next_step"])


def session_table(
    scores: pd.DataFrame, statements: pd.DataFrame, stages: pd.DataFrame, *, end_date, **options
):
    """Follow the room from session to session.

    `session`, `scored_date`, `n_people`, its median at each stage, `stage`.

    Sessions gather different people: a step up may be another room.
    """
    rows = fishbone.answers(scores, end_date=end_date, kind="self")
    rows = rows[rows["item_id"].isin(statements["item_id"])].sort_values("nth")
    made = []
    for session in rows["session"].unique():
        found = profile(scores, statements, stages, end_date=end_date, session=session, **options)
        names = stage_names(found)
        medians = {names[row.stage]: row.median for row in found.room.itertuples()}
        made.append(
            {
                "session": session,
                "scored_date": found.scored_date,
                "n_people": len(found.people),
                **medians,
                "stage": names[room_stage(found)],
            }
        )
    return pd.DataFrame(made)


def session_note(found: Profile) -> str:
    """Say whose answers these are; "" where nobody answered."""
    if found.people.empty:
        return ""
    return words.say(
        "workshop.note",
        session=found.session,
        date=f"{found.scored_date:%Y-%m-%d}",
        n=len(found.people),
    )


# ---- sentences -----------------------------------------------------------------------------------


def bottom_line(found: Profile) -> list[str]:
    """Say where the room stands, how many stand where, who is out of order, and what to do on
    Monday.
    """
    if found.people.empty:
        return [words.say("workshop.nobody")]
    names, here = stage_names(found), room_stage(found)
    places = [
        f"{name} {n}"
        for stage, name in names.items()
        if (n := int((found.people["stage"] == stage).sum()))
    ]
    said = [_where(found, here)]
    if len(found.people) > 1:
        said.append(
            words.say("workshop.count", n=len(found.people), places=words.listed(places, 99))
        )
    return [
        *said,
        *order_sentences(found),
        words.say("workshop.monday", step=next_steps(found)[here]),
    ]


def _where(found: Profile, here: str) -> str:
    """Say the stage reached and the score of the step above, for a room or for one person."""
    names, medians = stage_names(found), found.room.set_index("stage")["median"]
    above = list(names)[list(names).index(here) + 1 :]
    who = "room" if len(found.people) > 1 else "one" if found.session else "you"
    if not above:
        return words.say(f"workshop.{who}_top", stage=names[here], score=medians[here])
    if medians.isna()[above[0]]:
        return words.say(f"workshop.{who}_unknown", stage=names[here], above=names[above[0]])
    return words.say(
        f"workshop.{who}",
        stage=names[here],
        above=names[above[0]],
        score=medians[above[0]],
        threshold=found.threshold,
    )


def order_sentences(found: Profile) -> list[str]:
    """Say who passes a stage above one he misses, and who left a stage unanswered."""
    names, place = stage_names(found), list(found.stages["stage"])
    odd, said = found.people[found.people["ladder"] == "out_of_order"], []
    for row in odd.head(MOST_NAMED).itertuples():
        score = found.scores.loc[row.participant]
        passed = score.index[_passed(score.to_frame(), found.threshold).iloc[:, 0]]
        low, high = place[place.index(row.stage) + 1], passed[-1]
        said.append(
            words.say(
                "workshop.out_of_order" if row.participant else "workshop.you_out_of_order",
                name=row.participant,
                high=names[high],
                above=score[high],
                low=names[low],
                below=score[low],
            )
        )
    if len(odd) > MOST_NAMED:
        said.append(words.say("workshop.more_out_of_order", n=len(odd) - MOST_NAMED))
    if len(partly := found.people.loc[found.people["ladder"] == "unanswered", "participant"]):
        said.append(words.say("workshop.incomplete", n=len(partly), names=words.listed(partly, 99)))
    return said


def basis_sentences(found: Profile, scores: pd.DataFrame, *, end_date) -> list[str]:
    """Say which session answered, how far a person's answers hang together, and what is not
    counted.
    """
    if found.people.empty:
        return [words.say("workshop.nobody"), *_later(scores, end_date)]
    said = [
        words.say(
            "workshop.basis",
            session=found.session,
            date=f"{found.scored_date:%Y-%m-%d}",
            n=len(found.people),
            threshold=found.threshold,
        )
    ]
    whole = found.reliability.iloc[-1]
    if math.isnan(whole["alpha"]):
        said.append(words.say("workshop.alpha_unknown"))
    else:
        key = "workshop.alpha" if whole["alpha"] >= HANGS_TOGETHER else "workshop.alpha_low"
        said.append(
            words.say(
                key, n=int(whole["n_items"]), alpha=whole["alpha"], people=int(whole["n_people"])
            )
        )
    return said + _later(scores, end_date)


def _later(scores: pd.DataFrame, end_date) -> list[str]:
    after = scores[
        scores["scored_date"] >= pd.Timestamp(end_date).normalize() + pd.Timedelta(days=1)
    ]
    names = sorted(after["session"].dropna().unique())
    day = f"{pd.Timestamp(end_date):%Y-%m-%d}"
    return (
        [words.say("workshop.later", names=words.listed(names), date=day, n=len(names))]
        if names
        else []
    )


# ---- plots ---------------------------------------------------------------------------------------


def plot_profile(
    found: Profile, own: Profile | None = None, *, note: str = "", ax: Axes | None = None
) -> Axes:
    """Draw each stage's scores, the lowest stage at the foot.

    People as dots, the middle half as a bar, the median.

    `own` is one person's profile, drawn over the room's.
    """
    if found.people.empty and own is None:
        return look.nothing(words.say("workshop.nobody"), ax)
    # one person has no median and no middle half
    own = found if own is None and len(found.people) == 1 else own
    ax, names, rungs = (
        ax or look.axes(height=3.7),
        stage_names(found),
        list(found.stages["stage"][1:]),
    )
    ax.axvline(
        found.threshold, color=look.COLORS["reference"], linewidth=0.9, linestyle=(0, (3, 3))
    )
    told = _draw_room(ax, found, rungs) if len(found.people) > 1 else []
    if own is not None:
        mine = own.scores.iloc[0][rungs].to_numpy()
        ax.plot(
            mine,
            range(len(rungs)),
            "-D",
            color=look.COLORS["rival"],
            markersize=8,
            linewidth=1.4,
            zorder=5,
        )
        who = words.label("you" if own is not found else "one_person")
        told.append((float(mine[-1]), who, look.COLORS["rival"]))
    ax.set_yticks(range(len(rungs)), [names[stage] for stage in rungs])
    ax.set(
        xlim=(-0.2, 10.2),
        ylim=(-0.4, len(rungs) - 0.35),
        xticks=range(0, 11, 2),
        xlabel=words.label("score_0_10"),
    )
    ax.grid(axis="y", visible=False)
    look.above(ax, told)
    whose = own if own is not None else found
    title, how = (
        _where(whose, room_stage(whose)),
        words.say("workshop.profile_how", threshold=found.threshold),
    )
    return look.explain(ax, title.rstrip(".\u3002"), how, note)


def _draw_room(ax: Axes, found: Profile, rungs: list[str]) -> list[tuple[float, str, str]]:
    """Draw median and middle half on a stage's line, and the people above it.

    Equal scores stand on each other. Returned is how the marks of the top stage are named.
    """
    for y, stage in enumerate(rungs):
        score = found.scores[stage].dropna()
        column = score.groupby(score.round(2))
        step = min(0.1, 0.36 / max(int(column.size().max()) if len(score) else 1, 1))
        ax.plot(
            score,
            y + 0.18 + step * column.cumcount(),
            "o",
            color=look.COLORS["muted"],
            markersize=4.5,
            zorder=2,
        )
    room = found.room.set_index("stage").reindex(rungs)
    y = np.arange(len(rungs))
    ax.hlines(
        y,
        room["low"],
        room["high"],
        color=look.COLORS["B"],
        linewidth=7,
        alpha=0.55,
        zorder=1,
    )
    ax.plot(
        room["median"],
        y,
        "o",
        color=look.COLORS["accent"],
        markersize=8,
        zorder=4,
    )
    top = room.iloc[-1]
    places = ((top["median"], "median", "accent"), (top["high"], "middle_half", "B"))
    return [(float(at), words.label(term), look.COLORS[c]) for at, term, c in places if at == at]


def plot_ladder(found: Profile, *, note: str = "", ax: Axes | None = None) -> Axes:
    """Draw the stages as stairs with a dot for each person.

    Who is out of order or incomplete is hollow.
    """
    if found.people.empty:
        return look.nothing(words.say("workshop.nobody"), ax)
    ladder, names = list(found.stages["stage"]), stage_names(found)
    counts = found.people["stage"].value_counts().reindex(ladder, fill_value=0)
    n_rows = max(-(-int(counts.max()) // ABREAST), 1)
    ax, foot = ax or look.axes(height=3.0 + 0.16 * n_rows), 1.4 + np.arange(len(ladder))
    for i, stage in enumerate(ladder):
        ax.fill_between([i, i + 1], 0, foot[i], color=look.SEQUENTIAL(0.1 + 0.18 * i), linewidth=0)
        ax.text(
            i + 0.5,
            0.12,
            f"{names[stage]}\n{counts[stage]}",
            ha="center",
            va="bottom",
            fontsize=8.5,
            linespacing=1.4,
            color=look.ink_on(look.SEQUENTIAL(0.1 + 0.18 * i)),
        )
        _draw_people(ax, i, foot[i], found.people[found.people["stage"] == stage])
    ax.set(xlim=(0, len(ladder)), ylim=(0, foot[-1] + 0.35 + 0.3 * n_rows))
    ax.set_axis_off()
    odd = int((found.people["ladder"] != "in_order").sum())
    top = counts[counts == counts.max()].index
    title = words.say(
        "workshop.ladder_tie" if len(top) > 1 else "workshop.ladder",
        n=int(counts.max()),
        of=len(found.people),
        stages=words.listed([names[stage] for stage in top], 99),
    )
    how = words.say("workshop.ladder_how_odd" if odd else "workshop.ladder_how", n=odd)
    return look.explain(ax, title, how, note)


def _draw_people(ax: Axes, left: int, foot: float, people: pd.DataFrame) -> None:
    """Stand people on a step, `ABREAST` to a row; who is in order first."""
    hollow = np.sort((people["ladder"] != "in_order").to_numpy())
    place = np.arange(len(people))
    row, column = place // ABREAST, place % ABREAST
    width = np.where(row == row.max(initial=0), (len(people) - 1) % ABREAST + 1, ABREAST)
    x = left + 0.5 + (column - (width - 1) / 2) * 0.125
    faces = np.where(hollow, "white", look.COLORS["accent"])
    edges = np.where(hollow, look.COLORS["bad"], look.COLORS["accent"])
    ax.scatter(
        x,
        foot + 0.2 + 0.3 * row,
        s=46,
        c=faces,
        edgecolors=edges,
        linewidths=1.4,
        zorder=3,
        clip_on=False,
    )
