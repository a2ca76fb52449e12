"""Workshop: steps worked by hand, a ladder that can't be skipped, alpha against an analysis of
variance, the demo.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.collections import LineCollection, PathCollection

from helpers import look, workshop
from helpers.demo import build
from helpers.settings import CHECKOUT as ROOT
from helpers.workshop import growth

pytestmark = pytest.mark.usefixtures("looks")

END = pd.Timestamp("2026-10-31")
STAGES = pd.read_csv(ROOT / "data" / "reference" / "stages.csv")
STATEMENTS = pd.read_csv(ROOT / "data" / "reference" / "statements.csv")
LADDER = STAGES["stage"].tolist()
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant"])


def answers(
    levels: dict[str, tuple], session: str = "W1", date: str = "2026-10-15"
) -> pd.DataFrame:
    """Let each person answer: one level per stage, given to its three statements.

    None leaves them out.

    A tuple in place of a level gives the three answers one by one.
    """
    rows = []
    for person, stages in levels.items():
        for stage, level in zip(LADDER[1:], stages, strict=False):
            each = level if isinstance(level, tuple) else (level,) * 3
            items = STATEMENTS.loc[STATEMENTS["stage"] == stage, "item_id"]
            rows += [
                (person, item, score)
                for item, score in zip(items, each, strict=True)
                if score is not None
            ]
    table = pd.DataFrame(rows, columns=["participant", "item_id", "score"]).astype(
        {"score": "float64"}
    )
    return table.assign(
        session=session,
        scored_date=pd.Timestamp(date),
        kind="self",
        aspect="performance",
        brand=None,
        dealer_id=None,
    )


def profile(levels: dict[str, tuple], **options) -> workshop.Profile:
    return workshop.profile(answers(levels), STATEMENTS, STAGES, end_date=END, **options)


def stages_of(found: workshop.Profile) -> dict[str, tuple[str, str]]:
    return {row.participant: (row.stage, row.ladder) for row in found.people.itertuples()}


# ---- the reference tables ------------------------------------------------------------------------


def test_the_tables_say_everything_twice():
    for column in ("en", "zh", "next_en", "next_zh"):
        assert STAGES[column].str.len().gt(1).all()
    assert LADDER == ["start", "manual", "responsible", "proactive", "consultant"]
    assert STATEMENTS["item_id"].tolist() == [f"s{i:02d}" for i in range(1, 13)]
    assert STATEMENTS.groupby("stage").size().to_dict() == dict.fromkeys(LADDER[1:], 3)
    half_width = r"[\u4e00-\u9fff][,:;?!]|[,:;?!][\u4e00-\u9fff]"
    assert not STATEMENTS["zh"].str.contains(half_width).any()
    assert not STAGES["next_zh"].str.contains(half_width).any()


def test_a_ladder_that_does_not_fit_is_refused_with_all_that_is_wrong():
    bad = pd.concat(
        [
            STATEMENTS[STATEMENTS["stage"] != "proactive"],
            STATEMENTS.iloc[[0]],
            STATEMENTS.iloc[[1]].assign(item_id="s99", stage="start"),
        ]
    )
    with pytest.raises(ValueError) as told:
        growth.require_ladder(bad, STAGES)
    assert str(told.value).splitlines() == [
        "statements.csv: 's01' stands there twice; give each statement a code of its own",
        "statements.csv: 's99' belongs to 'start'; choose manual, responsible, proactive, "
        "consultant, the stages of stages.csv after the first",
        "stages.csv: no statement asks about 'proactive'; write one, or take the stage out",
    ]


# ---- steps ---------------------------------------------------------------------------------------


def test_steps_by_hand():
    found = profile(
        {
            "P1": (9, 9, 9, 9),
            "P2": (7, 6, 5, 4),
            "P3": (5, 5, 5, 5),
            "P4": (8, 4, 3, 7),
            "P5": (5, 8, 8, 8),
        }
    )
    assert stages_of(found) == {
        "P1": ("consultant", "in_order"),
        "P2": ("responsible", "in_order"),
        "P3": ("start", "in_order"),
        "P4": ("manual", "out_of_order"),
        "P5": ("start", "out_of_order"),
    }
    room = found.room.set_index("stage")
    assert room.loc["manual", ["mean", "median", "low", "high"]].tolist() == [6.8, 7, 5, 8]
    assert room.loc["responsible", ["n_people", "pass_share", "n_here"]].tolist() == [5, 0.6, 1]
    assert growth.room_stage(found) == "responsible", (
        "medians 7, 6, 5, 7: proactive is missed, consultant in vain"
    )


def test_the_threshold_itself_is_reached_and_a_rounded_mean_is_no_miss():
    found = profile({"P1": ((5, 5.5, 6), (5.4, 5.5, 5.6), (5.4, 5.4, 5.6), 0)})
    assert stages_of(found)["P1"] == ("responsible", "in_order")
    assert stages_of(profile({"P1": (6, 6, 6, 6)}, threshold=6.5))["P1"] == ("start", "in_order")


def test_half_the_answers_are_enough_and_fewer_are_not():
    found = profile(
        {"P1": ((8, None, 6), 8, 8, 8), "P2": (8, (9, None, None), 8, 8), "P3": (8, 8, None, 2)}
    )
    assert stages_of(found) == {
        "P1": ("consultant", "in_order"),
        "P2": ("manual", "unanswered"),
        "P3": ("responsible", "unanswered"),
    }
    assert found.people["n_answers"].tolist() == [11, 10, 9]
    assert found.scores.loc["P1", "manual"] == 7
    assert np.isnan(found.scores.loc["P2", "responsible"])
    said = growth.order_sentences(found)
    assert said == [
        "2 people left more than half of a step unanswered (P2, P3): from that step on nothing "
        "is said of them."
    ]


def test_nobody_one_and_equals():
    empty = workshop.profile(answers({}), STATEMENTS, STAGES, end_date=END)
    nobody = (
        "Nobody has answered the statements yet: move the sliders under Explore, or read in a "
        "score sheet."
    )
    assert len(empty.people) == 0
    assert growth.room_stage(empty) == ""
    assert growth.bottom_line(empty) == [nobody]
    assert workshop.session_note(empty) == ""
    early = workshop.profile(answers({"P1": [5.0] * 3}), STATEMENTS, STAGES, end_date="2020-01-31")
    assert workshop.session_note(early) == "", "the first session came later"
    assert growth.people_table(empty).empty
    assert workshop.monday_table(empty).empty
    assert (
        workshop.plot_ladder(empty).figure.alt_text
        == nobody
        == workshop.plot_profile(empty).figure.alt_text
    )
    one = profile({"P1": (8, 7, 3, 2)})
    assert growth.bottom_line(one)[0] == (
        "One person, at “Responsible”; the score at “Proactive”, the next step, is 3.0, and 5.5 "
        "is needed."
    )
    assert not any("people" in said for said in growth.bottom_line(one)), "one person is no room"
    alike = profile({"P1": (8, 7, 3, 2), "P2": (8, 7, 3, 2)})
    assert set(stages_of(alike).values()) == {("responsible", "in_order")}
    assert alike.reliability["alpha"].isna().all(), (
        "nobody differs: there is nothing to be reliable about"
    )


def test_the_last_session_counts_unless_one_is_named_or_it_is_later_than_the_month():
    rows = pd.concat(
        [
            answers({"P1": (9, 9, 9, 9)}, "W1", "2026-04-15"),
            answers({"P1": (9, 2, 2, 2)}, "W2"),
            answers({"P1": (1, 1, 1, 1)}, "W3", "2026-11-02"),
        ]
    )
    at = {"statements": STATEMENTS, "stages": STAGES, "end_date": END}
    assert workshop.profile(rows, **at).session == "W2"
    assert stages_of(workshop.profile(rows, **at, session="W1"))["P1"][0] == "consultant"
    with pytest.raises(
        ValueError, match=r"session: 'W9' answered no statements; those that did are W1, W2"
    ):
        workshop.profile(rows, **at, session="W9")
    with pytest.raises(ValueError, match="nobody did so far"):
        workshop.profile(rows.head(0), **at, session="W9")
    said = workshop.basis_sentences(workshop.profile(rows, **at), rows, end_date=END)
    assert said[-1].startswith("Not counted, because held after 2026-10-31: W3.")
    told = workshop.session_table(rows, **at)
    assert told[["session", "Manual", "stage"]].to_numpy().tolist() == [
        ["W1", 9, "Consultant"],
        ["W2", 9, "Manual"],
    ]


def test_rows_of_other_kinds_statements_dealers_and_wrong_scores():
    rows = answers({"P1": (8, 7, 3, 2)})
    strange = pd.concat(
        [
            rows,
            rows.assign(kind="factor", score=0.0),
            rows.assign(dealer_id="D1", score=0.0),
            rows.assign(item_id="s77", score=0.0),
        ]
    )
    found = workshop.profile(strange, STATEMENTS, STAGES, end_date=END)
    assert stages_of(found) == stages_of(profile({"P1": (8, 7, 3, 2)}))
    with pytest.raises(ValueError, match=r"scores: 12 outside 0–10, e.g. 80 for 's01' by P1 in W1"):
        workshop.profile(rows.assign(score=80.0), STATEMENTS, STAGES, end_date=END)


@settings(max_examples=40)
@given(st.lists(st.lists(st.integers(0, 20), min_size=4, max_size=4), min_size=1, max_size=12))
def test_the_ladder_as_a_rule(levels):
    found = profile(
        {f"P{i:02d}": tuple(level / 2 for level in row) for i, row in enumerate(levels)}
    )
    for (_, stage, ladder, _), row in zip(
        found.people.itertuples(index=False), levels, strict=True
    ):
        climbed = 0
        for level in row:  # a second opinion, rung by rung
            if level / 2 < workshop.THRESHOLD:
                break
            climbed += 1
        assert stage == LADDER[climbed]
        assert (ladder == "out_of_order") == any(
            level / 2 >= workshop.THRESHOLD for level in row[climbed:]
        )
    counts = found.people["stage"].value_counts()
    assert found.room["n_here"].sum() + counts.get("start", 0) == len(levels)
    assert (found.room["low"] <= found.room["median"]).all()
    assert (found.room["median"] <= found.room["high"]).all()


def test_row_order_does_not_matter_and_nothing_given_is_changed():
    rows = answers({f"P{i}": (9 - i, 7 - i, 5, i) for i in range(6)})
    kept = rows.copy(), STATEMENTS.copy(), STAGES.copy()
    first = workshop.profile(rows, STATEMENTS, STAGES, end_date=END)
    again = workshop.profile(rows.sample(frac=1, random_state=3), STATEMENTS, STAGES, end_date=END)
    pd.testing.assert_frame_equal(first.people, again.people)
    pd.testing.assert_frame_equal(first.room, again.room)
    for before, after in zip(kept, (rows, STATEMENTS, STAGES), strict=True):
        pd.testing.assert_frame_equal(before, after)


# ---- reliability ---------------------------------------------------------------------------------


def test_alpha_by_hand():
    # the items' variances are 1, 1 and 4, the sums 6, 10 and 14 have 16: 3/2 × (1 − 6/16) = 15/16
    assert growth.cronbachs_alpha([[2, 3, 1], [3, 4, 3], [4, 5, 5]]) == (3, 3, 0.9375)
    assert growth.cronbachs_alpha([[1, 2], [2, 3], [3, 4]]).alpha == 1


@given(st.lists(st.lists(st.integers(0, 10), min_size=4, max_size=4), min_size=3, max_size=12))
def test_alpha_is_that_of_an_analysis_of_variance(rows):
    """Hoyt (1941): one less the mean square of what is left over, over that between people."""
    x = np.array(rows, dtype=float)
    n, k = x.shape
    people = k * ((x.mean(axis=1) - x.mean()) ** 2).sum() / (n - 1)
    left = x - x.mean(axis=1, keepdims=True) - x.mean(axis=0) + x.mean()
    found = growth.cronbachs_alpha(x).alpha
    if people < 1e-9:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(1 - (left**2).sum() / ((n - 1) * (k - 1)) / people, abs=1e-6)
        # and by the mean covariance, the formula of the textbooks
        covariance = np.cov(x, rowvar=False)
        mean = (covariance.sum() - np.trace(covariance)) / (k * (k - 1))
        assert found == pytest.approx(
            k * mean / (np.trace(covariance) / k + (k - 1) * mean), abs=1e-6
        )


def test_alpha_without_enough_to_go_on():
    assert np.isnan(growth.cronbachs_alpha([[1, 2, 3]]).alpha)
    assert np.isnan(growth.cronbachs_alpha([[1], [2]]).alpha)
    assert growth.cronbachs_alpha([[1, 2], [2, 3], [3, np.nan]]).n_people == 2
    loose = profile(
        {
            "P1": ((9, 1, 9), (1, 9, 1), (9, 1, 9), (1, 9, 2)),
            "P2": ((1, 9, 1), (9, 1, 9), 5, 5),
            "P3": ((1, 9, 1), (8, 2, 9), (4, 6, 5), 5),
        }
    )
    said = workshop.basis_sentences(loose, answers({}), end_date=END)
    assert "hang together loosely" in said[1]


# ---- words and pictures --------------------------------------------------------------------------


def test_who_is_out_of_order_is_told_with_his_scores():
    found = profile({f"P{i}": (8, 4, 3, 7) for i in range(5)} | {"P9": (8, 8, 8, 8)})
    said = growth.order_sentences(found)
    assert said[0] == (
        "P0 is out of order: 7.0 at “Consultant”, but 4.0 at “Responsible” below it. The lower "
        "step comes first."
    )
    assert said[-1] == "2 more people are out of order."
    assert len(said) == 4


def test_the_room_above_all_steps_and_beyond_what_it_answered():
    assert growth.bottom_line(profile({"P1": (9, 9, 9, 9), "P2": (8, 8, 8, 8)}))[0] == (
        "The room stands at “Consultant”, the highest step, with a median of 8.5."
    )
    assert growth.bottom_line(profile({"P1": (9,), "P2": (8,)}))[0] == (
        "The room stands at “Manual”; too few answered about “Responsible”, the next step."
    )


@LANGUAGES
def test_monday_is_told_in_every_language(language):
    look.use(language, "CNY")
    found = profile({"P1": (9, 9, 9, 9), "P2": (8, 2, 2, 2), "P3": (8, 3, 3, 3)})
    table = workshop.monday_table(found)
    assert table["n_people"].tolist() == [1, 2]
    assert table["stage"].tolist() == [
        growth.stage_names(found)[stage] for stage in ("consultant", "manual")
    ]
    assert table["next_step"].is_unique
    assert table["who"].tolist() == ["P1", "P2, P3" if language == "en" else "P2、P3"]
    people = growth.people_table(found)
    assert people["participant"].tolist() == ["P1", "P2", "P3"]
    assert people.columns[0] == "participant"


@LANGUAGES
def test_the_profile_shows_everybody_the_middle_half_and_oneself(language):
    look.use(language, "CNY")
    found = profile({f"P{i}": (8, 4 + i % 3, 3, 2) for i in range(7)})
    own = workshop.own_profile(dict.fromkeys(STATEMENTS["item_id"], 7), STATEMENTS, STAGES)
    ax = workshop.plot_profile(found, own, note="source")
    mine = next(line for line in ax.lines if line.get_marker() == "D")
    assert list(mine.get_xdata()) == [7, 7, 7, 7]
    dots = [line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata()) == 7]
    assert sum(len(line.get_xdata()) for line in dots) == 28, "a dot for each person and stage"
    for line in dots:  # equal scores stand on each other
        assert len(set(zip(line.get_xdata(), line.get_ydata(), strict=True))) == 7
    bars = next(c for c in ax.collections if isinstance(c, LineCollection)).get_segments()
    assert [segment[:, 0].tolist() for segment in bars] == found.room[
        ["low", "high"]
    ].to_numpy().tolist()
    assert [t.get_text() for t in ax.get_yticklabels()] == list(growth.stage_names(found).values())[
        1:
    ]


def test_one_person_is_drawn_without_a_middle_half():
    ax = workshop.plot_profile(profile({"P1": (8, 7, 3, 2)}))
    assert not [c for c in ax.collections if isinstance(c, LineCollection)]
    assert [t.get_text() for t in ax.texts] == ["One person"]


@pytest.mark.parametrize("n", [1, 7, 8, 60])
def test_everybody_stands_on_his_step(n):
    found = profile(
        {f"P{i:02d}": [(8, 7, 3, 2), (8, 3, 8, 2), (8, 8, 8, 2)][i % 3] for i in range(n)}
    )
    ax = workshop.plot_ladder(found)
    drawn = [c for c in ax.collections if isinstance(c, PathCollection)]
    at = np.concatenate([c.get_offsets() for c in drawn])
    assert len(at) == n
    assert len({(round(x, 6), round(y, 6)) for x, y in at}) == n, "nobody hides another"
    standing = np.floor(at[:, 0]).astype(int)
    counts = found.people["stage"].value_counts()
    assert [int((standing == i).sum()) for i in range(5)] == [
        counts.get(stage, 0) for stage in LADDER
    ]
    assert (at[:, 1] < ax.get_ylim()[1]).all()
    hollow = sum((c.get_facecolors() == 1).all(axis=1).sum() for c in drawn)
    assert hollow == (found.people["ladder"] != "in_order").sum()


def test_ties_at_the_top_of_the_ladder_are_named_together():
    ax = workshop.plot_ladder(profile({"P1": (8, 2, 2, 2), "P2": (8, 8, 2, 2), "P3": (1, 1, 1, 1)}))
    assert ax.figure.alt_text.startswith(
        "1 of 3 people each stand at Setting out, Manual, Responsible"
    )


# ---- the demo ------------------------------------------------------------------------------------


def test_the_demo_people_are_strong_below_and_weak_above():
    scores = build.people.scores(build.network(build.SEED, 600, 30, "2026-10"))
    scores = scores.assign(scored_date=pd.to_datetime(scores["scored_date"]))
    for session in ("W1", "W2", "W3"):
        found = workshop.profile(scores, STATEMENTS, STAGES, end_date=END, session=session)
        assert found.room["median"].is_monotonic_decreasing
        assert growth.room_stage(found) == "responsible"
        room = found.room.set_index("stage")["pass_share"]
        assert room["manual"] == 1
        assert room["responsible"] > 0.7
        assert room["consultant"] == 0
    assert len(found.people) == 11
    whole = found.reliability.set_index("stage").loc["all"]
    assert whole["alpha"] > growth.HANGS_TOGETHER, "a person's mood is in all his answers"
