"""How classes and demand move.

Worked by hand, and why stability is not read off overlapping windows.
"""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import look, pareto, periods, words
from helpers.pareto import classes, migration

pytestmark = pytest.mark.usefixtures("looks")

NETWORK = st.dictionaries(
    st.sampled_from([f"D{i:02d}" for i in range(30)]), st.sampled_from("ABC–"), max_size=30
)


def judged(abc_letters: dict[str, str], **columns) -> pd.DataFrame:
    rows = pd.DataFrame(
        {"dealer_id": list(abc_letters), "composite_class": list(abc_letters.values())}, dtype="str"
    )
    return rows.assign(**columns)


def text_of(ax) -> str:
    return " ".join(t.get_text() for t in ax.figure.texts).replace("\n", " ")


BEFORE = judged({"stays": "A", "falls": "A", "drops": "A", "rises": "C", "goes": "B", "same": "C"})
NOW = judged({"stays": "A", "falls": "B", "drops": "C", "rises": "A", "comes": "C", "same": "C"})


# ---- year on year --------------------------------------------------------------------------------


def test_movements_by_hand():
    moved = migration.movements(NOW, BEFORE).set_index("dealer_id")
    assert moved["movement"].to_dict() == {
        "stays": "stayed",
        "falls": "fallen",
        "drops": "fallen",
        "rises": "risen",
        "goes": "left",
        "comes": "joined",
        "same": "stayed",
    }
    assert moved["steps"].to_dict() == {
        "stays": 0,
        "falls": -1,
        "drops": -2,
        "rises": 2,
        "goes": 0,
        "comes": 0,
        "same": 0,
    }
    assert moved.loc["drops", ["previous_class", "composite_class"]].tolist() == ["A", "C"]


def test_who_is_there_is_who_bought():
    """A late payment is no presence, who comes back is won back, and a fall needs money."""
    now = judged(
        dict.fromkeys(("stays", "less", "more", "late", "new", "back", "idle"), "B"),
        revenue=[10.0, 9.0, 12.0, 0.0, 5.0, 5.0, 0.0],
        payments=1.0,
    )
    before = judged(
        {
            "stays": "B",
            "less": "A",
            "more": "A",
            "late": "B",
            "gone": "C",
            "paid": "C",
            "back": "C",
        },
        revenue=[10.0, 10.0, 10.0, 4.0, 3.0, 0.0, 0.0],
        payments=1.0,
    )
    moved = migration.movements(now, before, {"back", "gone"}).set_index("dealer_id")
    assert moved["movement"].to_dict() == {
        "stays": "stayed",
        "less": "fallen",
        "more": "outgrown",  # others grew faster: a letter fell, no money did
        "late": "left",  # he pays for what he bought the year before
        "new": "joined",
        "back": "won_back",
        "idle": "–",  # in neither year
        "gone": "left",
        "paid": "–",
    }
    assert moved.loc[["less", "more", "late", "back"], "steps"].tolist() == [-1, -1, 0, 0]
    matrix = pareto.class_migration(now, before, moved.reset_index())
    assert matrix.to_numpy().sum() == 7, "who was there in one year at least"
    assert matrix.loc["won_back"].sum() == matrix.loc["joined"].sum() == 1
    assert matrix["left"].sum() == 2
    without = pareto.class_migration(now, before)
    assert without.loc["joined"].sum() == 2 and "won_back" not in without.index


def test_without_purchases_who_pays_is_there():
    rows = pd.DataFrame({"revenue": [np.nan, np.nan], "payments": [5.0, 0.0]})
    assert migration.is_present(rows).tolist() == [True, False]
    assert migration.is_present(rows[[]]).tolist() == [True, True]


def test_class_migration_by_hand():
    matrix = pareto.class_migration(NOW, BEFORE)
    assert matrix.index.tolist() == ["A", "B", "C", "joined"]  # no dealer was "–": no such row
    assert matrix.columns.tolist() == ["A", "B", "C", "left"]
    assert matrix.to_numpy().tolist() == [[1, 1, 1, 0], [0, 0, 0, 1], [1, 0, 1, 0], [0, 0, 1, 0]]


def test_dealers_of_whom_nothing_is_known_keep_their_row_and_column():
    matrix = pareto.class_migration(judged({"x": "–", "y": "A"}), judged({"x": "B", "y": "–"}))
    assert matrix.loc["B", "–"] == matrix.loc["–", "A"] == 1
    moved = migration.movements(
        judged({"x": "–", "y": "A", "z": "–"}), judged({"x": "B", "y": "–", "z": "–"})
    )
    assert moved["movement"].tolist() == ["–", "–", "stayed"], (
        "out of the unknown nobody rose, into it nobody fell"
    )
    assert (moved["steps"] == 0).all()


def coded(codes: dict[str, str], **columns) -> pd.DataFrame:
    """Spell out codes; the class is C where one letter is L, else the code's first letter."""
    rows = judged(
        {dealer: "C" if "L" in code else code[0] for dealer, code in codes.items()}, **columns
    )
    return rows.assign(code=list(codes.values()))


def test_below_zero_is_below_c():
    before = coded(
        {
            "falls": "CCC",
            "rises": "ALA",
            "sinks": "AAA",
            "stays": "CLC",
            "soars": "LLL",
            "goes": "CLC",
        }
    )
    now = coded(
        {
            "falls": "CLC",
            "rises": "CCC",
            "sinks": "ALA",
            "stays": "LCC",
            "soars": "AAA",
            "comes": "–L–",
        }
    )
    moved = migration.movements(now, before).set_index("dealer_id")
    assert moved["movement"].to_dict() == {
        "comes": "joined",
        "falls": "fallen",
        "goes": "left",
        "rises": "risen",
        "sinks": "fallen",
        "soars": "risen",
        "stays": "stayed",
    }
    assert moved.loc[["falls", "rises", "sinks", "soars", "stays"], "steps"].tolist() == [
        -1,
        1,
        -3,
        3,
        0,
    ]
    assert moved.loc["falls", ["previous_class", "composite_class"]].tolist() == ["C", "L"]
    matrix = pareto.class_migration(now, before)
    assert matrix.index.tolist() == ["A", "B", "C", "L", "joined"]
    assert matrix.columns.tolist() == ["A", "B", "C", "L", "left"]
    assert (
        matrix.loc["C", "L"]
        == matrix.loc["L", "C"]
        == matrix.loc["A", "L"]
        == matrix.loc["L", "L"]
        == 1
    )
    assert matrix.loc["L", "left"] == matrix.loc["joined", "L"] == 1
    by_hand = now.assign(override_reason=["he is new (Lin)"] + [""] * 5)
    assert (
        migration.movements(by_hand, before).set_index("dealer_id").loc["falls", "movement"]
        == "stayed"
    )


def test_a_quarter_below_zero_is_a_change_of_its_own():
    ends = periods.month_range("2026-10", 4)
    rows = pd.concat(
        [
            coded({"x": code}).assign(window_end=end)
            for code, end in zip(("CCC", "CLC", "CCC", "CCC"), ends, strict=True)
        ]
    )
    (found,) = migration.class_stability(rows).to_dict("records")
    assert (found["history"], found["stability_rate"]) == ("CLCC", pytest.approx(1 / 3))


def test_without_a_year_before_nobody_moved():
    moved = migration.movements(NOW, BEFORE.head(0))
    assert moved["movement"].tolist() == ["–"] * len(NOW)
    assert (moved["steps"] == 0).all()
    matrix = pareto.class_migration(NOW, BEFORE.head(0))
    assert matrix.loc["joined"].sum() == len(NOW)
    assert matrix.drop(index="joined").to_numpy().sum() == 0


def test_codes_travel_with_the_classes():
    moved = migration.movements(NOW.assign(code="AB–"), BEFORE.assign(code="CCC")).set_index(
        "dealer_id"
    )
    assert moved.loc["stays", ["previous_code", "code"]].tolist() == ["CCC", "AB–"]
    assert pd.isna(moved.loc["comes", "previous_code"])


def test_a_dealer_that_is_judged_twice_is_refused():
    with pytest.raises(pd.errors.MergeError):
        migration.movements(pd.concat([NOW, NOW]), BEFORE)


@settings(max_examples=15)
@given(now=NETWORK, before=NETWORK)
def test_every_dealer_of_either_window_is_counted_once(now, before):
    present, past = judged(now), judged(before)
    n_either = len(set(now) | set(before))
    matrix = pareto.class_migration(present, past)
    assert matrix.to_numpy().sum() == n_either
    for letter in "ABC":
        assert matrix.loc[letter].sum() == sum(c == letter for c in before.values())
        assert matrix[letter].sum() == sum(c == letter for c in now.values())
    moved = migration.movements(present, past)
    assert len(moved) == n_either
    if before:
        how = moved["movement"].value_counts()
        assert how.get("joined", 0) == matrix.loc["joined"].sum() == len(set(now) - set(before))
        assert how.get("left", 0) == matrix["left"].sum() == len(set(before) - set(now))
        assert how.get("stayed", 0) == sum(before.get(d) == c for d, c in now.items())


def test_the_mover_table_puts_the_deepest_fall_first_and_leaves_out_who_stayed():
    moved = migration.movements(NOW, BEFORE)
    moved["dealer_name"] = moved["dealer_id"].str.upper()
    dealers = pd.DataFrame({"dealer_id": moved["dealer_id"], "city": "X", "account_manager": "Y"})
    assert pareto.mover_table(moved, dealers)["dealer_id"].tolist() == [
        "drops",
        "falls",
        "goes",
        "rises",
        "comes",
    ]


# ---- stability -----------------------------------------------------------------------------------


def quarters_of(**history: str) -> pd.DataFrame:
    """Spell out histories, oldest quarter first; "·" is a quarter without a line."""
    n = max(map(len, history.values()))
    ends = [periods.shift("2026-10", -3 * (n - 1 - i)) for i in range(n)]
    rows = [
        (d, e, c)
        for d, letters in history.items()
        for e, c in zip(ends, letters, strict=True)
        if c != "·"
    ]
    return pd.DataFrame(rows, columns=["dealer_id", "window_end", "composite_class"])


@pytest.mark.parametrize(
    ("history", "rate", "n_steps"),
    [
        ("AAAAAAAA", 1.0, 7),
        ("AABBAABB", 4 / 7, 7),
        ("ABABABAB", 0.0, 7),
        ("····BBBB", 1.0, 3),  # what was before he joined is no change of his
        ("····BBCB", 1 / 3, 3),
        ("AAAA·AAA", 5 / 7, 7),  # absent is a class of its own: out and in again are two changes
        ("AAA·····", 2 / 3, 3),  # gone for good: he left once, and does not go on being stable
        ("·····AAA", 1.0, 2),
        ("······AA", math.nan, 1),  # one step is no habit
        ("······AB", math.nan, 1),
        ("A·······", math.nan, 1),
        ("·······C", math.nan, 0),  # one quarter shows no step
    ],
)
def test_stability_by_hand(history, rate, n_steps):
    found = (
        migration.class_stability(quarters_of(x=history, all="AAAAAAAA"))
        .set_index("dealer_id")
        .loc["x"]
    )
    assert found["history"] == history
    assert found["n_steps"] == n_steps
    assert found["stability_rate"] == pytest.approx(rate, nan_ok=True)


def test_stability_reads_the_quarters_in_time_whatever_the_rows_order():
    rows = quarters_of(x="AABBCCAA", y="AAAABBBB")
    expected = migration.class_stability(rows)
    for seed in range(5):
        pd.testing.assert_frame_equal(
            migration.class_stability(rows.sample(frac=1, random_state=seed)), expected
        )


def test_stability_of_nobody_and_of_one_quarter():
    assert migration.class_stability(quarters_of(x="A").head(0)).empty
    one = migration.class_stability(quarters_of(x="A"))
    assert one["n_steps"].tolist() == [0]
    assert one["stability_rate"].isna().all()


def rolling_and_separate(seed: int) -> tuple[float, float]:
    """Share of classes that stay.

    Between windows a month apart, and between windows that share no month.
    """
    random = np.random.default_rng(seed)
    size = random.lognormal(9, 1.0, 300)[:, None]
    drift = np.cumsum(random.normal(0, 0.12, (300, 24)), axis=1)
    months = size * np.exp(drift + random.normal(0, 0.5, (300, 24)))

    def abc_letters(end: int) -> pd.Series:
        return classes.abc_classes(pd.Series(months[:, end - 12 : end].sum(axis=1)))

    last = abc_letters(24)
    return float((abc_letters(23) == last).mean()), float((abc_letters(12) == last).mean())


def test_overlapping_windows_look_more_stable_than_they_are():
    found = [rolling_and_separate(seed) for seed in range(10)]
    for overlapping, separate in found:
        assert overlapping > separate + 0.05  # eleven shared months: they measure their overlap
    assert np.median([o for o, _ in found]) > 0.9
    assert np.median([s for _, s in found]) < 0.85


# ---- what a missing letter leaves open -----------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "movement"),
    [
        ("A/B", "A/B", "–"),
        ("A", "A/B", "–"),
        ("A/B", "C", "–"),
        ("C", "A/B", "–"),
        ("B/C", "A", "–"),
        ("A", "B", "fallen"),
    ],
)
def test_an_open_class_is_no_move(before, now, movement):
    was, is_ = judged({"x": before, "y": "A"}), judged({"x": now, "y": "A"})
    moved = migration.movements(is_, was).set_index("dealer_id")
    assert moved.loc["x", "movement"] == movement
    assert (moved.loc["x", "steps"] == 0) is np.bool_(movement == "–")
    table = pareto.class_migration(is_, was)
    assert table.to_numpy().sum() == 2 and table.loc[before, now] == 1


def test_an_open_class_is_no_step_of_stability():
    # B to B stays, B to C moves; the two steps at the open quarter are none
    found = migration.class_stability(quarters_of(x=["B", "B", "A/B", "B", "C"])).iloc[0]
    assert (found["history"], found["n_steps"], found["stability_rate"]) == ("BB/BC", 2, 0.5)


# ---- plots ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_the_matrix_is_drawn_as_it_is(language):
    look.use(language, "CNY")
    matrix = pareto.class_migration(NOW, BEFORE)
    kept = matrix.copy()
    ax = pareto.plot_migration(matrix)
    assert [int(t.get_text()) for t in ax.texts] == matrix.to_numpy().ravel().tolist()
    assert [t.get_text() for t in ax.get_yticklabels()] == [words.word(c) for c in matrix.index]
    # of five dealers that were there in both years two kept their class
    assert words.say("migration.matrix", stayed=2, there=5, share="40%") in text_of(ax)
    pd.testing.assert_frame_equal(matrix, kept)


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_the_stability_plot_draws_the_shares_of_each_class(language):
    look.use(language, "CNY")
    stability = migration.class_stability(
        quarters_of(
            a="AAAAAAAA",
            b="AABBAABB",
            c="ABABABAB",
            d="CCCCCCCC",
            new="······AA",
            newest="·······A",
        )
    )
    abc_letters = judged(
        {"a": "A", "b": "A", "c": "A", "d": "C", "new": "A", "newest": "A", "unseen": "B"}
    )
    kept = stability.copy(), abc_letters.copy()
    ax = pareto.plot_stability(stability, abc_letters)
    drawn = {c.get_label(): [bar.get_width() for bar in c] for c in ax.containers}
    third = 1 / 3
    # A: one of three stable, one middling, one unstable; who has fewer than two steps is left out
    np.testing.assert_allclose(drawn[words.label("stable")], [third, 1])
    np.testing.assert_allclose(drawn[words.label("middling")], [third, 0])
    np.testing.assert_allclose(drawn[words.label("unstable")], [third, 0])
    assert words.say("migration.stability", share="50%") in text_of(ax)
    pd.testing.assert_frame_equal(stability, kept[0])
    pd.testing.assert_frame_equal(abc_letters, kept[1])


def test_what_is_not_known_is_a_sentence_instead_of_a_figure():
    matrix = pareto.plot_migration(pareto.class_migration(NOW, BEFORE.head(0)))
    assert matrix.figure.alt_text == words.say("migration.no_year")
    assert not matrix.texts
    stability = migration.class_stability(quarters_of(a="AA", b="AB"))
    ax = pareto.plot_stability(stability, judged({"a": "A", "b": "B"}))
    assert ax.figure.alt_text == words.say("migration.few_quarters")
    assert not ax.patches
    assert stability["stability_rate"].isna().all(), "no figure, no rate on a card"
    four = pareto.plot_stability(
        migration.class_stability(quarters_of(a="AAAA", b="AAAA")), judged({"a": "A", "b": "A"})
    )
    assert words.say("migration.stability_how", n=4) in text_of(four), (
        "the quarters are counted, not assumed"
    )


def test_inputs_are_not_mutated():
    now, before = NOW.copy(), BEFORE.copy()
    quarters = quarters_of(x="AAB")
    kept = [frame.copy() for frame in (now, before, quarters)]
    migration.movements(now, before)
    pareto.class_migration(now, before)
    migration.class_stability(quarters)
    for frame, old in zip((now, before, quarters), kept, strict=True):
        pd.testing.assert_frame_equal(frame, old)
