"""Joint judgement: codes, classes, diagnoses, overrides, groups, and the tables and sentences made
of them.
"""

import itertools
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import data, look, pareto, periods, words
from helpers.pareto import classes, judgement, summary
from helpers.settings import DataError

pytestmark = pytest.mark.usefixtures("looks")

DIAGNOSES = pd.read_csv(words.REFERENCE / "diagnoses.csv")
LETTERS = ("A", "B", "C", "L", classes.MISSING)
RULES = pytest.mark.parametrize("rule", pareto.RULES)

cents = st.integers(-2_000, 10_000_000)


def money(values) -> pd.Series:
    """Turn whole cents into an amount per dealer, None into a missing one."""
    return pd.Series([np.nan if v is None else v / 100 for v in values], dtype="float64")


def abc_letters(values, rule: str = "quota", **options) -> str:
    return "".join(classes.abc_classes(pd.Series(values, dtype="float64"), rule, **options))


def totals_of(**columns) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    return pd.DataFrame({"dealer_id": [f"D{i:03d}" for i in range(n)], **columns})


# ---- joint judgement -----------------------------------------------------------------------------


def judged_code(code: str, diagnoses: pd.DataFrame = DIAGNOSES, **options) -> pd.Series:
    """Judge a dealer that has a given code, among others that make it come about."""
    value = {"A": 9.0, "B": 4.0, "C": 1.0, "L": -1.0, "–": np.nan}
    others = [9.0] * 3 + [4.0] * 5 + [1.0] * 3
    totals = totals_of(
        **{i: [value[x], *others] for i, x in zip(pareto.INDICATORS, code, strict=True)}
    )
    judged = pareto.joint_judgement(totals, diagnoses, **options).set_index("dealer_id")
    assert judged.loc["D000", "code"] == code
    return judged.loc["D000"]


def test_code_order_is_payments_profit_share():
    totals = totals_of(
        payments=[50.0, 4, 3, 2, 1],
        gross_profit=[1.0, 2, 3, 4, 50],
        brand_share=[0.3, 0.9, 0.5, np.nan, 0.1],
    )
    judged = pareto.joint_judgement(totals, DIAGNOSES).set_index("dealer_id").sort_index()
    assert judged["code"].tolist() == ["ACB", "BCA", "BBB", "CB–", "CAC"]
    assert (
        judged[["payments_class", "gross_profit_class", "brand_share_class"]]
        .agg("".join, axis=1)
        .equals(judged["code"])
    )


@pytest.mark.parametrize(
    ("code", "letter"),
    [
        ("AAA", "A"),  # 3
        ("AAC", "A"),  # 0.4 × 3 + 0.4 × 3 + 0.2 × 1 = 2.6
        ("ABA", "A"),  # 1.2 + 0.8 + 0.6 = 2.6
        ("ABB", "B"),  # 2.4
        ("ACA", "B"),  # 2.2
        ("ACC", "B"),  # 1.8
        ("CCA", "C"),  # 1.4
        ("BCC", "C"),  # 1.4
        ("CBB", "B"),  # 1.6
        ("AB–", "A/B"),  # 2.0 and from 0.2 to 0.6 for the share: from 2.2 to 2.6
        ("BC–", "B/C"),  # from 1.4 to 1.8
        ("–CA", "B/C"),  # 0.4 + 0.6 and from 0.4 to 1.2: from 1.4 to 2.2
        ("–AC", "A/B"),  # from 1.8 to 2.6, as AAC is A and CAC is B
        ("––A", "A/C"),  # from 1.4 to 3
        ("AA–", "A"),  # from 2.6 to 3: any letter gives A
        ("BB–", "B"),  # from 1.8 to 2.2
        ("CC–", "C"),  # from 1.0 to 1.4
        ("–––", "–"),
        ("LLL", "C"),
        ("ALA", "C"),  # who costs us money is C, however much he pays
        ("LAA", "C"),
        ("AAL", "C"),
        ("–L–", "C"),
    ],
)
def test_composite_class_by_hand(code, letter):
    assert judged_code(code)["composite_class"] == letter


@given(
    code=st.text("ABC–", min_size=3, max_size=3),
    weights=st.tuples(*[st.integers(1, 5)] * 3),
    cuts=st.sampled_from([(2.5, 1.5), (2.8, 2.0), (2.0, 1.2)]),
)
def test_a_class_stands_only_if_every_possible_letter_gives_it(code, weights, cuts):
    """Fill in every letter by hand, and ask for the class of each whole code."""
    weights = dict(zip(pareto.INDICATORS, weights, strict=True))
    found = judgement._composite(code, weights, cuts)[0]
    whole = itertools.product(*(("ABC" if x == "–" else x) for x in code))
    possible = sorted({judgement._composite("".join(w), weights, cuts)[0] for w in whole})
    ends = dict.fromkeys((possible[0], possible[-1]))
    assert found == ("–" if code == "–––" else "/".join(ends))


def test_an_indicator_that_nobody_has_leaves_no_class_open():
    totals = totals_of(payments=[9.0, 4, 4, 1, 1], gross_profit=[9.0, 4, 4, 1, 1])
    judged = pareto.joint_judgement(totals, DIAGNOSES)
    assert judged["composite_class"].tolist() == ["A", "B", "B", "C", "C"]
    # one dealer whose share is known makes it an indicator, and shares open the others' classes
    judged = pareto.joint_judgement(
        totals.assign(gross_profit=[9.0, 1, 4, 4, 1], brand_share=[0.5] + [np.nan] * 4), DIAGNOSES
    )
    assert dict(zip(judged["code"], judged["composite_class"], strict=True)) == {
        "AAA": "A",
        "BB–": "B",
        "BC–": "B/C",
        "CB–": "B/C",
        "CC–": "C",
    }


def test_an_open_class_is_served_and_drawn_as_the_worse():
    totals = totals_of(
        payments=[9.0, 4, 4, 1, 1],
        gross_profit=[9.0, 1, 4, 4, 1],
        brand_share=[0.5] + [np.nan] * 4,
        revenue=[90.0, 40, 40, 10, 10],
    )
    judged = pareto.joint_judgement(totals, DIAGNOSES)
    assert pareto.called_classes(judged["composite_class"]).tolist() == ["A", "B", "C", "C", "C"]
    ax = pareto.plot_class_map(judged)
    drawn = {c.get_label(): len(c.get_offsets()) for c in ax.collections}
    assert drawn == {"A": 1, "B": 1, "C": 3}
    rims = next(c for c in ax.collections if c.get_label() == "C").get_linewidths()
    assert sorted(rims) == [0.4, 1.0, 1.0]
    moved = pd.DataFrame({"dealer_name": [], "movement": [], "steps": []})
    assert words.say("pareto.of_them_open", n=2) in summary.bottom_line(judged, moved, None)[1]
    table = judged.assign(previous_class="C", override_reason="")
    assert not pareto.flagged(table)[table["composite_class"] == "B/C"].any()


def test_composite_class_follows_the_weights():
    weights = {"payments": 0.0, "gross_profit": 0.0, "brand_share": 1.0}
    assert judged_code("CCA", weights=weights)["composite_class"] == "A"
    assert judged_code("AA–", weights=weights)["composite_class"] == "–"
    weights = {"payments": 0.49, "gross_profit": 0.5, "brand_share": 0.01}
    assert 0.49 * 3 + 0.5 * 2 + 0.01 * 3 < 2.5  # as floats; in truth it is the cut itself
    assert judged_code("ABA", weights=weights)["composite_class"] == "A"


def test_all_125_codes_get_the_first_diagnosis_that_fits():
    for code in map("".join, itertools.product(LETTERS, repeat=3)):
        fitting = [
            row.en
            for row in DIAGNOSES.itertuples()
            if all(p in ("*", x) for p, x in zip(row.pattern, code, strict=True))
            and ("L" not in code or "L" in row.pattern or row.pattern == "***")
        ]
        assert judged_code(code)["diagnosis"] == fitting[0]


CLAIMS = {  # what a diagnosis says of an indicator, and the letters for which it is true
    0: {"big": "A", "small": "C", "refunds": "L"},
    1: {"rich": "A", "thin": "C", "loses us": "L"},
    2: {
        "share to win": "B",
        "divided": "C",
        "loyal": "A",
        "side line": "C",
        "below zero with our brand": "L",
    },
}


def test_no_diagnosis_claims_what_is_not_known():
    for code in map("".join, itertools.product(LETTERS, repeat=3)):
        said = judged_code(code)["diagnosis"].lower()
        for place, wording in CLAIMS.items():
            for word, letters in wording.items():
                assert not re.search(rf"\b{word}\b", said) or code[place] in letters, (code, said)
        if set(code) - set("–L") == set() and "L" not in code:
            assert said == "nothing known"
        assert ("loses us money" in said) == (code[1] == "L")


def test_an_old_table_of_diagnoses_calls_no_loss_maker_big():
    mine = pd.DataFrame(
        {"pattern": ["A**", "*A*", "***"], "en": ["Big", "Rich", "?"], "zh": list("xyz")}
    )
    assert [judged_code(code, mine)["diagnosis"] for code in ("ALA", "LAC", "AAL", "ACC")] == [
        "?",
        "?",
        "?",
        "Big",
    ]


def test_the_first_pattern_that_fits_wins():
    table = pd.DataFrame(
        {"pattern": ["AA*", "A**", "**C", "***"], "en": list("wxyz"), "zh": list("wxyz")}
    )
    codes = ("AAC", "AA–", "ABC", "BBC", "BB–")
    assert [judged_code(code, table)["diagnosis"] for code in codes] == list("wwxyz")
    assert judged_code("AAC", table.iloc[[2, 0, 3]])["diagnosis"] == "y"


def test_every_shipped_diagnosis_is_reached_and_said_in_both_languages():
    codes = ["".join(code) for code in itertools.product(LETTERS, repeat=3)]
    assert {judged_code(code)["diagnosis"] for code in codes} == set(DIAGNOSES["en"])
    assert DIAGNOSES.notna().all(axis=None)
    look.use("zh-Hans", "CNY")
    assert {judged_code(code)["diagnosis"] for code in codes} == set(DIAGNOSES["zh"])


def test_diagnoses_without_a_catch_all_are_refused_by_name():
    with pytest.raises(
        ValueError, match=r"diagnoses\.csv: no pattern fits the code 'AAB'.*'\*\*\*'"
    ):
        judged_code("AAB", DIAGNOSES[DIAGNOSES["pattern"].isin(["AAA", "BBB", "CCC"])])
    with pytest.raises(ValueError, match=r"diagnoses\.csv: the pattern 'AA' needs three letters"):
        judged_code(
            "AAB", pd.DataFrame({"pattern": ["AA", "***"], "en": ["x", "y"], "zh": ["x", "y"]})
        )


def test_an_indicator_that_is_not_there_counts_as_missing():
    judged = pareto.joint_judgement(totals_of(gross_profit=[5.0, 4, 3, 2, 1]), DIAGNOSES)
    assert judged["code"].tolist() == ["–A–", "–B–", "–B–", "–C–", "–C–"]
    assert judged["composite_class"].tolist() == list("ABBCC")
    assert pareto.class_table(judged)["indicator"].unique().tolist() == ["gross_profit"]


@pytest.mark.parametrize("known", range(6))
@pytest.mark.parametrize("indicator", ["payments", "gross_profit"])
def test_what_few_are_known_of_makes_no_class_but_a_loss_is_a_loss(indicator, known):
    """One of five dealers is not the best of them for being the one who is known."""
    values = [90.0, -10.0, 40.0, 30.0, 20.0]
    given = [value if i < known else np.nan for i, value in enumerate(values)]
    totals = totals_of(revenue=[10.0, 20, 30, 40, 50], **{indicator: given})
    judged = judgement.joint_judgement(totals, DIAGNOSES).sort_values("dealer_id")
    letters = "".join(judged[f"{indicator}_class"])
    assert (letters == "–" * 5) == (known < 2)
    assert (letters == "–L–––") == (known == 2)
    assert ("A" in letters) == (known >= 3)
    assert judgement.main_indicator(judged) == (indicator if known >= 3 else "revenue")
    assert ("revenue_class" in judged) == (known < 3)
    # page, manager's page, bottom line and explorer go by the same
    other = {i: np.nan for i in ("payments", "gross_profit") if i != indicator}
    assert judgement.told_size(judged.assign(**other)) == ["revenue"] * (known < 3)
    assert judgement.classed_by(totals) == [indicator if known >= 3 else "revenue"]
    said = " ".join(
        summary.basis_sentences(
            judged.assign(**{i: np.nan for i in pareto.INDICATORS if i not in judged}), ""
        )
    )
    assert (f"of {known} of 5 dealers only" in said) == (0 < known < 3)


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("profit", [-5.0, 0.0])
def test_where_nobody_earns_us_anything_the_size_has_classes(n, profit):
    totals = totals_of(revenue=[10.0] * n, gross_profit=[profit] * n)
    judged = judgement.joint_judgement(totals, DIAGNOSES)
    assert f"{judgement.main_indicator(judged)}_class" in judged


def test_best_dealers_come_first_and_ties_by_id():
    totals = totals_of(payments=[1.0, 5, 5, 9, np.nan], gross_profit=[1.0, 5, 5, 9, 2]).iloc[
        [4, 2, 0, 3, 1]
    ]
    judged = pareto.joint_judgement(totals, DIAGNOSES)
    # D004 pays nobody knows what: B/C, before who is C
    assert judged["dealer_id"].tolist() == ["D003", "D001", "D002", "D004", "D000"]
    assert judged["composite_class"].tolist() == ["A", "B", "B", "B/C", "C"]
    sizes = pareto.joint_judgement(totals_of(payments=[float(i) for i in range(20)]), DIAGNOSES)[
        "payments"
    ]
    assert sizes.tolist() == sorted(sizes, reverse=True)  # within a class the largest first
    assert judged.index.tolist() == list(range(5))


def test_no_dealer_is_doubled_by_a_repeated_index():
    totals = totals_of(payments=[3.0, 2, 1]).set_axis([0, 0, 0])
    assert pareto.joint_judgement(totals, DIAGNOSES)["dealer_id"].tolist() == [
        "D000",
        "D001",
        "D002",
    ]


def test_nobody_at_all_is_judged_without_complaint():
    judged = pareto.joint_judgement(
        totals_of(payments=[1.0], gross_profit=[1.0], brand_share=[1.0]).head(0), DIAGNOSES
    )
    assert judged.empty
    assert pareto.class_table(judged).empty
    assert {"code", "composite_class", "diagnosis"} <= set(judged.columns)


def test_input_is_not_mutated():
    totals = totals_of(
        payments=[5.0, np.nan, 1],
        gross_profit=[5.0, 2, -1],
        brand_share=[0.5, 0.2, np.nan],
        revenue=[9.0, 8, 7],
    )
    kept, diagnoses = totals.copy(), DIAGNOSES.copy()
    judged = pareto.joint_judgement(totals, DIAGNOSES)
    judged_kept = judged.copy()
    pareto.class_table(judged)
    pareto.overridden_classes(
        judged, overrides(("D000", "C", "2026-01-01", None)), pd.Timestamp("2026-10-31")
    )
    pareto.plot_pareto(judged)
    pareto.plot_lorenz(totals)
    pareto.plot_class_map(judged)
    pd.testing.assert_frame_equal(totals, kept)
    pd.testing.assert_frame_equal(DIAGNOSES, diagnoses)
    pd.testing.assert_frame_equal(judged, judged_kept)


def test_equal_shares_are_equal_though_their_floats_are_not():
    parts = np.array([100.10 * i for i in range(1, 10)])
    totals = totals_of(brand_share=parts / (parts + [50.05 * i for i in range(1, 10)]))
    assert len(set(totals["brand_share"])) > 1, "two thirds of each, as floats they differ"
    assert set(pareto.joint_judgement(totals, DIAGNOSES)["brand_share_class"]) == {"B"}


def test_windows_are_judged_each_by_itself():
    one, two = totals_of(payments=[5.0, 4, 3, 2, 1]), totals_of(payments=[1.0, 2, 3, 4, 5])
    both = pd.concat([one.assign(window_end="2025-10"), two.assign(window_end="2026-10")])
    judged = judgement.judged_windows(both).pivot_table(
        index="dealer_id", columns="window_end", values="composite_class", aggfunc="first"
    )
    assert judged["2025-10"].tolist() == list("ABBCC")
    assert judged["2026-10"].tolist() == list("CCBBA")


# ---- ids that look like something else -----------------------------------------------------------

ODD_IDS = ["00123", "1e5", "123", "=1+1", "-7", "10003.0", "true", "2026-10-01"]


def test_ids_that_look_like_numbers_or_formulas_stay_text(make_book):
    lines = "\n".join(
        [
            "dealer_id,date,revenue,cost",
            *[f"{i},2026-10-30,{r}.10,1.00" for r, i in enumerate(ODD_IDS)],
        ]
    )
    totals = data.dealer_totals(make_book(brand="", sell_in=lines), "2026-10")
    judged = pareto.joint_judgement(totals, DIAGNOSES)
    # 10003.0 is dealer 10003, where no id has another digit behind a point
    ids = [i.removesuffix(".0") for i in ODD_IDS]
    assert sorted(judged["dealer_id"]) == sorted(ids)
    assert judged.set_index("dealer_id").loc["00123", "purchases"] == 0.10
    assert judged.set_index("dealer_id").loc["123", "purchases"] == 2.10
    assert judged["dealer_id"].dtype == "str"


# ---- classes set by hand -------------------------------------------------------------------------


def overrides(*rows: tuple) -> pd.DataFrame:
    rows = [(*row, f"reason {i}", "Lin") for i, row in enumerate(rows)]
    columns = ["dealer_id", "class", "valid_from", "valid_to", "reason", "author"]
    found = pd.DataFrame(rows, columns=columns, dtype=object)
    return found.assign(
        valid_from=pd.to_datetime(found["valid_from"]), valid_to=pd.to_datetime(found["valid_to"])
    )


def judged_five() -> pd.DataFrame:
    return pareto.joint_judgement(totals_of(payments=[5.0, 4, 3, 2, 1]), DIAGNOSES)


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "holds"),
    [
        ("2026-10-31", None, True),  # the first day is inside
        ("2026-11-01", None, False),
        ("2026-01-01", "2026-10-31", True),  # and so is the last
        ("2026-01-01", "2026-10-30", False),
        ("2026-01-01", None, True),  # without an end it goes on
        ("2026-10-31", "2026-10-31", True),
    ],
)
def test_overrides_hold_on_the_windows_last_day_borders_included(valid_from, valid_to, holds):
    found = pareto.overridden_classes(
        judged_five(), overrides(("D004", "A", valid_from, valid_to)), pd.Timestamp("2026-10-31")
    ).set_index("dealer_id")
    assert found.loc["D004", "composite_class"] == ("A" if holds else "C")
    assert found.loc["D004", "computed_class"] == "C"
    assert found.loc["D004", "override_reason"] == ("reason 0 (Lin)" if holds else "")
    others = found.drop(index="D004")
    assert others["composite_class"].equals(others["computed_class"])
    assert (others["override_reason"] == "").all()


def test_of_several_overrides_the_latest_wins():
    rows = [
        ("D004", "A", "2026-05-01", None),
        ("D004", "B", "2026-02-01", None),
        ("D004", "C", "2025-02-01", None),
    ]
    for order in itertools.permutations(rows):
        found = pareto.overridden_classes(
            judged_five(), overrides(*order), pd.Timestamp("2026-10-31")
        )
        assert found.set_index("dealer_id").loc["D004", "composite_class"] == "A"
    rows[0] = ("D004", "A", "2026-05-01", "2026-06-30")  # over by then
    found = pareto.overridden_classes(judged_five(), overrides(*rows), pd.Timestamp("2026-10-31"))
    assert found.set_index("dealer_id").loc["D004", "composite_class"] == "B"


def test_an_unknown_override_class_is_refused():
    with pytest.raises(ValueError, match=r"overrides\.csv: class 'AA' is none of A, B, C"):
        pareto.overridden_classes(
            judged_five(), overrides(("D001", "AA", "2026-01-01", None)), pd.Timestamp("2026-10-31")
        )


@pytest.mark.parametrize("letter", ["L", "–", "D", "a", "", None])
@pytest.mark.parametrize("valid_to", [None, "2020-01-31"])
def test_only_a_b_and_c_can_be_set_by_hand_and_the_message_says_where(letter, valid_to):
    rows = overrides(
        ("D000", "A", "2026-01-01", None),
        ("D001", letter, "2019-02-03", valid_to),
        ("D002", letter, "2026-03-04", None),
    )
    with pytest.raises(DataError) as error:
        pareto.overridden_classes(judged_five(), rows, pd.Timestamp("2026-10-31"))
    for told in ("overrides.csv", "2 rows", "'D001'", "2019-02-03", "write one of them"):
        assert told in str(error.value)


def test_overrides_of_nobody_change_nothing():
    for rows in ([], [("nobody", "A", "2026-01-01", None)]):
        found = pareto.overridden_classes(
            judged_five(), overrides(*rows), pd.Timestamp("2026-10-31")
        )
        assert found["composite_class"].tolist() == list("ABBCC")
        assert len(found) == 5


# ---- groups --------------------------------------------------------------------------------------


def test_groups_sum_up_their_dealers_and_others_stand_for_themselves():
    totals = totals_of(
        purchases=[0.1, 0.2, 5, 7],
        revenue=[0.1, 0.2, 4, 7],
        gross_profit=[1.0, np.nan, 2, 3],
        quantity=[1.0, 2, 3, 4],
        payments=np.nan,
        brand_part=[1.0, 3, 2, 0],
        brand_total=[2.0, 8, 4, 0],
    )
    dealers = pd.DataFrame(
        {"dealer_id": ["D000", "D001", "D002"], "dealer_group": ["Chain", "Chain", None]}
    )
    kept = totals.copy()
    grouped = judgement.grouped_totals(totals, dealers).set_index("dealer_id")
    assert grouped.index.tolist() == ["Chain", "D002", "D003"]  # D003 is not listed at all
    assert grouped["purchases"].tolist() == [0.3, 5, 7]  # cents, not 0.30000000000000004
    assert grouped["gross_profit"].tolist() == [1, 2, 3]
    assert grouped["payments"].isna().all()  # unknown stays unknown, not zero
    assert grouped["brand_share"].tolist()[:2] == [
        0.4,
        0.5,
    ]  # 4 of 10: a share of the group's profit, no mean of shares
    assert math.isnan(grouped["brand_share"]["D003"])
    pd.testing.assert_frame_equal(totals, kept)


def test_equal_groups_tie_whatever_their_members():
    totals = pd.DataFrame({"dealer_id": list("abcde")}).assign(
        **{
            c: [0.1, 0.2, 0.3, 9, 5]
            for c in (
                "purchases",
                "revenue",
                "gross_profit",
                "quantity",
                "payments",
                "brand_part",
                "brand_total",
            )
        }
    )
    dealers = pd.DataFrame(
        {"dealer_id": list("abcde"), "dealer_group": ["g", "g", "h", None, None]}
    )
    judged = pareto.joint_judgement(judgement.grouped_totals(totals, dealers), DIAGNOSES).set_index(
        "dealer_id"
    )
    assert judged.loc["g", "payments"] == judged.loc["h", "payments"]
    assert judged.loc["g", "payments_class"] == judged.loc["h", "payments_class"]


# ---- tables and sentences ------------------------------------------------------------------------


def test_class_table_by_hand():
    judged = pareto.joint_judgement(
        totals_of(payments=[60.0, 20, 20, 10, 0, -10, np.nan]), DIAGNOSES
    )
    table = pareto.class_table(judged).set_index("class")
    assert table.index.tolist() == ["A", "B", "C", "L", "–", "net"]
    # six known: ranks 1 and the tie of rank 2 are A
    assert table["n_dealers"].tolist() == [3, 1, 1, 1, 1, 6]
    assert table["value"].tolist()[:4] == [100, 10, 0, -10]
    assert math.isnan(table.loc["–", "value"])
    assert table.loc["net", "value"] == 100
    # of what came in
    np.testing.assert_allclose(table["value_share"].tolist()[:3], [100 / 110, 10 / 110, 0])
    assert table.loc[["L", "–", "net"], "value_share"].isna().all()
    assert table.loc["A", "least"] == 20
    assert table.loc["C", "least"] == 0


def test_class_table_has_no_shares_where_nobody_is_above_zero():
    judged = pareto.joint_judgement(totals_of(payments=[0.0, -0.2, -0.3]), DIAGNOSES)
    assert pareto.class_table(judged)["value_share"].isna().all()
    assert (
        "net"
        not in pareto.class_table(judged.assign(payments_class="C", payments=0.0))["class"].tolist()
    )


def lossy() -> pd.DataFrame:
    totals = totals_of(
        payments=[100.0, 90, 10, 5, -20],
        gross_profit=[60.0, -30, 40, 2, 1],
        brand_share=0.5,
        revenue=[200.0, 150, 20, 10, 8],
        covered_revenue=[200.0, 150, 20, 10, 8],
    )
    names = pd.DataFrame(
        {
            "dealer_id": totals["dealer_id"],
            "dealer_name": list("vwxyz"),
            "city": "X",
            "account_manager": "Lin",
        }
    )
    return pareto.joint_judgement(totals, DIAGNOSES).merge(names, on="dealer_id")


def test_who_is_below_zero_is_listed_with_the_loss_in_money():
    rows = pareto.loss_table(lossy())
    # who costs us most first; then who got most back
    assert rows["dealer_name"].tolist() == ["w", "z"]
    assert rows["gross_profit"].tolist() == [-30, 1]
    assert rows["payments"].tolist() == [90, -20]
    assert rows["diagnosis"].tolist() == ["Loses us money", "Refunds exceed payments"]
    assert pareto.loss_table(judged_five()).empty
    assert pareto.loss_sentences(judged_five()) == []


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_one_denominator_wherever_a_share_is_told(language):
    """The table, the sentence, the verdict and the chart say one share for one thing, and the loss
    beside it.
    """
    look.use(language, "CNY")
    judged = lossy()
    moved = pd.DataFrame({"dealer_name": ["v"], "movement": ["–"], "steps": [0]})
    table = pareto.class_table(judged).set_index(["indicator", "class"])
    best = judged[judged["composite_class"] == "A"]
    share = words.percent(best["gross_profit"].clip(lower=0).sum() / 103)
    said = " ".join(summary.bottom_line(judged, moved, None))
    verdict = summary.headlines(judged, moved)[0]["text"]
    assert share in said and share in verdict
    assert table.loc[("gross_profit", "A"), "value_share"] == pytest.approx(60 / 103)
    assert table.loc[("gross_profit", "L"), "value"] == -30
    assert table.loc[("gross_profit", "net"), "value"] == 73
    losses = words.say("pareto.below_gross_profit", n=1, losses=30.0, gains=103.0, net=73.0)
    assert losses in said and losses in verdict
    title = " ".join(
        text.get_text() for text in pareto.plot_pareto(judged, "gross_profit").figure.texts
    )
    assert words.percent(60 / 103) in title.replace("\n", " ")


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_a_network_of_losses_says_so_and_breaks_nothing(language):
    look.use(language, "CNY")
    totals = totals_of(
        payments=[-5.0] * 3,
        gross_profit=[-1.0, -2, -3],
        brand_share=[-0.5, -0.1, -0.2],
        revenue=-9.0,
        covered_revenue=-9.0,
    )
    for rule in pareto.RULES:
        judged = pareto.joint_judgement(totals, DIAGNOSES, rule=rule).assign(dealer_name="x")
        assert judged["code"].tolist() == ["LLL"] * 3
        assert judged["composite_class"].tolist() == ["C"] * 3
        moved = pd.DataFrame({"dealer_name": ["x"], "movement": ["–"], "steps": [0]})
        said = summary.bottom_line(judged, moved, None)
        lost = words.say("pareto.all_below_gross_profit", n=3, losses=6.0)
        assert lost in said
        nothing = words.say("pareto.none_positive", indicator=words.label("gross_profit"))
        assert said[0] == nothing
        assert summary.headlines(judged, moved)[0]["text"] == lost
        assert not any(word in " ".join(said) for word in ("nan", "None", "inf", "–"))
        assert pareto.plot_class_map(judged) is None
        assert len(pareto.loss_table(judged)) == 3
        assert pareto.class_table(judged)["value_share"].isna().all()


@given(
    values=st.lists(st.one_of(st.none(), cents), min_size=1, max_size=12),
    profits=st.lists(st.one_of(st.none(), cents), min_size=12, max_size=12),
    by_hand=st.lists(st.sampled_from("ABC"), max_size=3),
    seed=st.integers(0, 9),
)
@settings(max_examples=60)
def test_below_zero_is_l_and_c_in_any_order_and_under_any_override(values, profits, by_hand, seed):
    totals = totals_of(
        payments=money(values), gross_profit=money(profits[: len(values)]), revenue=1.0
    )
    judged = pareto.joint_judgement(totals, DIAGNOSES)
    for indicator in ("payments", "gross_profit"):
        assert ((judged[indicator] < 0) == (judged[f"{indicator}_class"] == "L")).all()
    losing = judged["code"].str.contains("L")
    assert (judged.loc[losing, "composite_class"] == "C").all()
    assert len(pareto.loss_table(judged)) == losing.sum()
    shuffled = pareto.joint_judgement(totals.sample(frac=1, random_state=seed), DIAGNOSES)
    pd.testing.assert_frame_equal(shuffled, judged)
    rows = [(f"D{i:03d}", letter, "2026-01-01", None) for i, letter in enumerate(by_hand)]
    found = pareto.overridden_classes(judged, overrides(*rows), pd.Timestamp("2026-10-31"))
    assert found["composite_class"].isin(pareto.CLASSES).all()
    ranked = pareto.ranked_classes(found)
    assert (ranked[losing & (found["override_reason"] == "")] == "L").all()
    assert (
        ranked[found["override_reason"] != ""]
        == found["composite_class"][found["override_reason"] != ""]
    ).all()


# ---- what is not known ---------------------------------------------------------------------------


def test_without_payments_and_gross_profit_the_classes_are_by_revenue():
    totals = totals_of(
        revenue=[50.0, 4, 3, 2, 1, -5],
        payments=np.nan,
        gross_profit=np.nan,
        brand_share=[0.1, 0.9, 0.5, np.nan, 0.2, 0.3],
    )
    for rule in pareto.RULES:
        judged = (
            pareto.joint_judgement(totals, DIAGNOSES, rule=rule).set_index("dealer_id").sort_index()
        )
        assert judged["revenue_class"].tolist() == list(abc_letters(totals["revenue"], rule))
        assert (
            judged["composite_class"].tolist() == judged["revenue_class"].replace("L", "C").tolist()
        )
        assert judged["code"].str[0].tolist() == judged["revenue_class"].tolist(), (
            "revenue stands for size"
        )
        assert (judged["code"].str[1] == "–").all()
        assert (judged["payments_class"] == "–").all()
    judged = pareto.joint_judgement(totals, DIAGNOSES)
    assert pareto.main_indicator(judged) == "revenue"
    assert pareto.plot_pareto(judged, "revenue") is not None
    assert pareto.plot_lorenz(totals) is not None
    assert "revenue" in pareto.class_table(judged)["indicator"].tolist()
    said = pareto.basis_sentences(judged, "")
    assert said == [words.say("pareto.by_revenue")], "what is missing is named once"


@pytest.mark.parametrize(
    "missing",
    list(
        itertools.chain.from_iterable(
            itertools.combinations(("payments", "gross_profit", "brand_share"), n) for n in range(4)
        )
    ),
)
@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_what_is_missing_is_named_once_and_nothing_is_made_of_it(missing, language):
    look.use(language, "CNY")
    totals = totals_of(
        payments=[5.0, 4, 3, 2, 1],
        gross_profit=[2.0, 2, 1, 1, -1],
        brand_share=0.5,
        revenue=[9.0, 8, 7, 6, 5],
        covered_revenue=[9.0, 8, 7, 6, 5],
        dealer_name=list("vwxyz"),
    )
    totals[list(missing)] = np.nan
    totals["covered_revenue"] = np.nan if "gross_profit" in missing else totals["covered_revenue"]
    judged = pareto.joint_judgement(totals, DIAGNOSES)
    moved = pd.DataFrame({"dealer_name": ["v"], "movement": ["–"], "steps": [0]})
    basis, bottom = (
        pareto.basis_sentences(judged, ""),
        summary.bottom_line(judged, moved, None),
    )
    lines = summary.headlines(judged, moved)
    text = " ".join([*basis, *bottom, *(line["text"] for line in lines)])
    assert not any(word in text for word in ("nan", "None", "inf", "– "))
    assert len(basis) == len(set(basis))
    for indicator in ("payments", "gross_profit", "brand_share"):
        alone = words.say(f"pareto.no_{indicator}")
        whole = {"payments", "gross_profit"} <= set(missing) and indicator != "brand_share"
        assert basis.count(alone) == (indicator in missing and not whole)
        assert alone not in bottom
    assert (pareto.plot_class_map(judged) is None) == ("gross_profit" in missing)
    assert judged["composite_class"].isin(list("ABC")).all()


@pytest.mark.parametrize("basis", ["", "purchases", "dealer_profit"])
@pytest.mark.parametrize("n_known", range(3))
@pytest.mark.parametrize("sized", [True, False], ids=["payments", "revenue alone"])
def test_what_our_share_is_of_and_why_it_is_missing_exclude_each_other(basis, n_known, sized):
    if n_known and not basis:
        return  # without a basis no dealer has a share
    totals = totals_of(
        revenue=[9.0, 8],
        payments=[5.0, 4] if sized else np.nan,
        gross_profit=np.nan,
        brand_share=[0.5] * n_known + [np.nan] * (2 - n_known),
    )
    said = pareto.basis_sentences(pareto.joint_judgement(totals, DIAGNOSES), basis)
    told = [words.say(f"pareto.basis_{b}") for b in ("purchases", "dealer_profit")]
    missing = ("brand_share", "share_purchases", "share_dealer_profit")
    missing = [words.say(f"pareto.no_{key}") for key in missing]
    found = [sentence for sentence in said if sentence in (*told, *missing)]
    assert len(found) == 1 and (found[0] in told) is bool(n_known)
    assert (missing[0] in found) is (not basis), "what the data hold is not called missing"


def test_a_letter_that_is_not_known_is_counted():
    totals = totals_of(
        payments=[5.0, 4, 3, 2, 1], gross_profit=[5.0, 4, np.nan, np.nan, 1], brand_share=np.nan
    )
    said = pareto.basis_sentences(pareto.joint_judgement(totals, DIAGNOSES), "")
    # –: payments B and C, so from 1.6 to 2.4 ÷ 0.8 … of whom one may be two
    assert words.say("pareto.fewer_letters", n=2, of=5, open=2) in said


def test_a_margin_is_of_the_lines_that_have_a_cost_and_the_cover_is_said():
    totals = totals_of(
        payments=[1.0] * 4,
        revenue=[100.0, 80, 50, 0],
        gross_profit=[10.0, 20, np.nan, 0],
        covered_revenue=[50.0, 80, 0, 0],
        brand_share=np.nan,
    )
    assert pareto.margin_rate(totals).fillna(-1).tolist() == [0.2, 0.25, -1, -1]
    assert pareto.cost_cover(totals) == pytest.approx(130 / 230)
    judged = pareto.joint_judgement(totals, DIAGNOSES)
    assert words.say("pareto.cost_cover", share="56.5%") in pareto.basis_sentences(judged, "")
    whole = pareto.joint_judgement(totals.assign(covered_revenue=totals["revenue"]), DIAGNOSES)
    assert not any("cost" in s.lower() for s in pareto.basis_sentences(whole, ""))
    assert math.isnan(pareto.cost_cover(totals.assign(covered_revenue=np.nan)))
    # a line sold and one returned, both without a cost: their sum is nothing, and they are not
    # covered all the same
    back = totals_of(revenue=[100.0, 0.0], covered_revenue=[150.0, -50.0])
    assert pareto.cost_cover(back) < 1
    nearly = totals_of(
        payments=[1.0] * 2, gross_profit=[1.0, 1], brand_share=np.nan, revenue=[1e6, 1.0]
    )
    nearly = pareto.joint_judgement(nearly.assign(covered_revenue=[1e6, 0.0]), DIAGNOSES)
    assert words.say("pareto.cost_cover", share="99.9%") in pareto.basis_sentences(nearly, "")


def test_a_page_shows_revenue_where_the_classes_go_by_it():
    table = pd.DataFrame({c: [1.0] for c in [*judgement.SHOWN, "revenue", "covered_revenue"]})
    assert list(pareto.shown(table).columns) == judgement.SHOWN
    assert list(pareto.shown(table.assign(payments=np.nan)).columns) == judgement.SHOWN
    unknown = pareto.shown(table.assign(payments=np.nan, gross_profit=np.nan))
    assert list(unknown.columns)[-5:] == ["revenue", *judgement.SHOWN[-4:]]


def test_no_window_is_judged_without_complaint():
    totals = totals_of(payments=[1.0]).assign(window_end="2026-10").head(0)
    judged = judgement.judged_windows(totals)
    assert judged.empty and judged.columns.tolist() == [
        "dealer_id",
        "window_end",
        "code",
        "composite_class",
    ]


def bottom_line_of(totals: pd.DataFrame, moved: list[tuple] = (), **stopped) -> list[str]:
    totals = totals.assign(revenue=totals.get("payments", 1.0)).reindex(
        columns=[*totals.columns, *(i for i in pareto.INDICATORS if i not in totals), "revenue"]
    )
    judged = pareto.joint_judgement(totals, DIAGNOSES)
    moves = pd.DataFrame(moved, columns=["dealer_name", "movement", "steps"])
    late = pd.DataFrame({"status": "stopped_paying", **stopped}) if stopped else None
    return summary.bottom_line(judged, moves, late)


def test_bottom_line_says_the_computed_figures_and_what_is_unknown():
    said = bottom_line_of(
        totals_of(payments=[60.0, 10, 10, 10, 10]),
        [("Nan Hai", "fallen", -2), ("Bei Hai", "risen", 1), ("Dong Hai", "joined", 0)],
        dealer_name=["Xi Hu"],
        balance=[1234.0],
    )
    label = words.label("payments")
    assert said[:3] == [
        words.say("pareto.top", n=1, of=5, share="60%", indicator=label),
        words.say(
            "pareto.classes",
            by="By payments collected alone",
            a=1,
            b=4,
            c=0,
            share="60%",
            indicator=label,
            below="",
        ),
        words.say("pareto.moved", risen=1, fallen=1, outgrown=0, joined=1, won_back=0, left=0),
    ]
    assert any("Nan Hai" in s for s in said)
    assert not any("Bei Hai" in s for s in said)  # one class up is no headline
    assert any("Xi Hu" in s and words.money(1234.0) in s for s in said)
    assert not any(words.label(i) in s for s in said for i in ("gross_profit", "brand_share")), (
        "told once, in the basis"
    )


@pytest.mark.parametrize("payments", [None, [60.0, 10, 10, 10, 10]], ids=["no payments", "paid"])
@pytest.mark.parametrize("n_losing", range(6))
def test_who_loses_us_money_is_counted_in_bottom_line_table_and_on_the_front_page(
    n_losing, payments
):
    totals = totals_of(
        revenue=[50.0, 40, 30, 20, 10],
        payments=payments or [np.nan] * 5,
        gross_profit=[-5.0] * n_losing + [4.0] * (5 - n_losing),
        brand_share=[np.nan] * 5,
    )
    moved = pd.DataFrame({"dealer_name": ["v"], "movement": ["–"], "steps": [0]})
    judged = pareto.joint_judgement(totals.assign(dealer_name="x"), DIAGNOSES)
    said = summary.bottom_line(judged, moved, None)
    (classes,) = [sentence for sentence in said if sentence.startswith(("By ", "Judged "))]
    table = pareto.class_table(judged)
    lost = table[(table["indicator"] == "gross_profit") & (table["class"] == "L")]
    assert lost["n_dealers"].sum() == n_losing
    assert (f"({n_losing} of them below zero: L)" in classes) is bool(n_losing)
    front = summary.headlines(judged, moved)[0]["text"]
    said = pareto.loss_sentences(judged)
    assert len(said) == bool(n_losing) and all(sentence in front for sentence in said)
    assert n_losing < 5 or front == said[0], "nobody stands out where nobody earns us anything"


@pytest.mark.parametrize("sign", list(itertools.product((1, -1), repeat=3)))
def test_a_total_below_zero_is_the_first_tile(sign):
    rows = months_of(14).assign(payments=7.0)
    for column, way in zip(("revenue", "payments", "gross_profit"), sign, strict=True):
        rows[column] *= way
    shown = [tile["text"] for tile in pareto.tiles(rows, "2026-10")]
    below = ["−" in text for text in shown]
    assert below == sorted(below, reverse=True)
    assert len(shown) == 3


def test_bottom_line_does_not_speak_of_movement_without_a_year_before():
    said = bottom_line_of(totals_of(payments=[6.0, 1]), [("x", "–", 0)])
    assert words.say("pareto.moved", **dict.fromkeys(summary.COUNTED, 0)) not in said


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_the_class_map_draws_each_dealer_once_in_his_class(language):
    look.use(language, "CNY")
    totals = totals_of(
        payments=[9.0, 8, 7, 6, 5],
        revenue=[100.0, 50, 40, 0, 10],
        gross_profit=[5.0, 20, 10, 3, np.nan],
    )
    judged = pareto.joint_judgement(totals, DIAGNOSES)
    ax = pareto.plot_class_map(judged)
    shown = judged[(judged["revenue"] > 0) & judged["gross_profit"].notna()]
    dots = {c.get_label(): c.get_offsets() for c in ax.collections}
    for letter in "ABC":
        inside = shown[shown["composite_class"] == letter]
        np.testing.assert_allclose(dots[letter][:, 0], inside["revenue"])
        np.testing.assert_allclose(dots[letter][:, 1], inside["gross_profit"] / inside["revenue"])
    n_a = int((shown["composite_class"] == "A").sum())
    assert str(n_a) in " ".join(text.get_text() for text in ax.figure.texts)


def test_a_chain_is_judged_as_one_customer_among_all():
    known = {
        "purchases": 0.0,
        "revenue": 0.0,
        "quantity": 0.0,
        "gross_profit": np.nan,
        "brand_part": np.nan,
        "brand_total": np.nan,
    }
    totals = pd.DataFrame(
        {"dealer_id": list("abcde"), "payments": [3.0, 4.0, 5.0, 1.0, 1.0], **known}
    )
    dealers = pd.DataFrame(
        {"dealer_id": list("abcdef"), "dealer_group": ["chain", "chain", None, None, None, "gone"]}
    )
    rules = pd.DataFrame({"pattern": ["***"], "en": ["x"], "zh": ["x"]})
    groups = pareto.group_table(totals, dealers, rules)
    (chain,) = groups.to_dict("records")
    assert (chain["dealer_group"], chain["n_dealers"], chain["payments"]) == ("chain", 2, 7.0)
    assert chain["composite_class"] == "A"
    assert pareto.group_table(totals, dealers.assign(dealer_group=None), rules).empty


def months_of(n: int, revenue: float = 10.0) -> pd.DataFrame:
    rows = pd.DataFrame(
        {"dealer_id": "a", "month": periods.month_range("2026-10", n), "revenue": revenue}
    )
    return rows.assign(payments=np.nan, gross_profit=3.0)


def test_a_tile_is_measured_against_the_window_a_month_before_where_that_is_known():
    months = months_of(30)
    months.loc[29, "revenue"] = 22.0  # October 2026: 132 a year against 120
    revenue, profit = pareto.tiles(months, "2026-10")
    assert (revenue["text"], revenue["tone"]) == (words.money(132), "good")
    assert "+10.0%" in revenue["change"]
    assert revenue["trend"] == [10.0] * 23 + [22.0]
    assert "+0.0%" in profit["change"]


def test_gross_profits_of_other_parts_of_revenue_are_not_compared():
    months = months_of(30).assign(covered_revenue=10.0)
    assert "change" in pareto.tiles(months, "2026-10")[1]
    # nobody has entered the last month's costs yet
    months.loc[months.index[-1:], "covered_revenue"] = 0.0
    revenue, profit = pareto.tiles(months, "2026-10")
    assert "change" in revenue and not {"change", "tone"} & set(profit)
    months["covered_revenue"] = 5.0  # of half of the lines, now as before
    assert "change" in pareto.tiles(months, "2026-10")[1]


def test_a_tile_knows_no_change_where_the_data_begin_with_the_window():
    revenue, _profit = pareto.tiles(months_of(12), "2026-10")
    assert revenue["text"] == words.money(120)
    assert revenue["trend"] == [10.0] * 12, "months before the data are unknown, not zero"
    assert not {"change", "tone"} & set(revenue)
    assert pareto.tiles(months_of(12), "2024-01") == [], "before the data there is nothing to show"
