"""ABC by three indicators: every trap that other tools fall into, worked by hand, by twins, and by what must hold."""

import itertools
import math
import random
from decimal import Decimal
from fractions import Fraction

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from matplotlib import pyplot as plt

from helpers import pareto, read, style

DIAGNOSES = pd.read_csv(style.REFERENCE / "diagnoses.csv")
LETTERS = ("A", "B", "C", pareto.MISSING)
RULES = pytest.mark.parametrize("rule", pareto.RULES)

cents = st.integers(-2_000, 10_000_000)
anything = st.lists(st.one_of(st.none(), st.just(0), st.integers(-9, 9), cents), max_size=60)
positive = st.lists(st.one_of(st.integers(1, 9), st.integers(1, 10_000_000)), min_size=1, max_size=60)


@pytest.fixture(autouse=True)
def _looks():
    style.use("en", "CNY")
    yield
    plt.close("all")


def money(values) -> pd.Series:
    """Turn whole cents into an amount per dealer, None into a missing one."""
    return pd.Series([np.nan if v is None else v / 100 for v in values], dtype="float64")


def classes(values, rule: str = "quota", **options) -> str:
    return "".join(pareto.abc_classes(pd.Series(values, dtype="float64"), rule, **options))


def totals_of(**columns) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    return pd.DataFrame({"dealer_id": [f"D{i:03d}" for i in range(n)], **columns})


def lognormal(n: int, seed: int = 11) -> list[float]:
    """Draw skewed amounts without a tie."""
    drawn, found = random.Random(seed), set()
    while len(found) < n:
        found.add(round(drawn.lognormvariate(8, 1.4), 2))
    return drawn.sample(sorted(found), n)


# ---- how other tools go wrong ---------------------------------------------------------------------------------------


@RULES
def test_ties_ten_identical_customers_share_one_class(rule):
    assert classes([7.5] * 10, rule) == "BBBBBBBBBB"


@RULES
def test_ties_at_the_border_share_the_better_class_in_any_row_order(rule):
    values = pd.Series([90.0, 50, 50, 50, 20, 10, 10, 1, 1, 1], index=[f"d{i}" for i in range(10)])
    expected = pareto.abc_classes(values, rule)
    assert expected["d1"] == expected["d2"] == expected["d3"]
    for seed in range(20):
        shuffled = values.sample(frac=1, random_state=seed)
        pd.testing.assert_series_equal(pareto.abc_classes(shuffled, rule).sort_index(), expected)


def test_ties_are_classed_by_their_best_rank():
    assert classes([50, 50, 50, 50, 20, 10, 9, 8, 7, 6]) == "AAAABBCCCC"  # best rank 1: all four are A
    assert classes([90, 80, 30, 30, 30, 30, 30, 2, 1, 1]) == "AABBBBBCCC"  # ranks 3 to 7: one class though it is large


def test_the_crossing_dealer_keeps_the_better_class():
    assert classes([1000, *[1] * 9], "value") == "ACCCCCCCCC"  # alone beyond 80 %, still A
    assert classes([79, 10, 6, 5], "value") == "AABC"  # starts at 79 %, ends at 89 %
    assert classes([80, 15, 5], "value") == "ABC"  # who starts at the cut itself is beyond it


@RULES
@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 11])
def test_class_sizes_at_small_n(rule, n):
    letters = classes([100.0 * 0.5**i for i in range(n)], rule)
    assert len(letters) == n
    assert letters == "".join(sorted(letters))
    assert letters.startswith("A") or n == 0


def test_quota_sizes_at_small_n_by_hand():
    found = {n: classes(range(n, 0, -1)) for n in (0, 1, 2, 3, 4, 11)}
    assert found == {0: "", 1: "A", 2: "AB", 3: "ABC", 4: "ABBC", 11: "AAABBBBCCCC"}


@RULES
def test_all_zero_totals_make_all_c(rule):
    assert classes([0.0] * 6, rule) == "CCCCCC"
    assert classes([-3.0] * 6, rule) == "CCCCCC"


@RULES
def test_zero_and_negative_dealers_are_never_a_or_b(rule):
    assert classes([0, 0, 0, 0, 5], rule) == "CCCCA"
    assert set(classes([9, 0, -1, -900, 0, 8, -0.0], rule)[1:5]) == {"C"}


def test_negative_amounts_do_not_shrink_the_total_of_the_value_rule():
    # 60 of 100 are ahead of the second dealer, not 60 of 50
    assert classes([60, 30, 10, -50], "value") == "AABC"


@RULES
def test_nan_values_do_not_vanish(rule):
    letters = classes([np.nan, 9, 5, np.nan, 1], rule)
    assert letters[0] == letters[3] == pareto.MISSING
    assert letters.replace(pareto.MISSING, "") == classes([9, 5, 1], rule)
    assert classes([np.nan, np.nan], rule) == "––"
    assert classes([np.nan, 4, 4], rule) == "–BB"


def test_nan_ids_are_no_phantom_a(make_book):
    lines = [{"dealer_id": i, "date": pd.Timestamp("2026-10-31").date(), "revenue": Decimal(r)}
             for i, r in (("01", 50), ("02", 40), (None, 9_000), ("  ", 9_000))]  # fmt: skip
    totals = read.dealer_totals(make_book(brand="", sell_in=lines), "2026-10")
    assert totals["dealer_id"].tolist() == ["01", "02"]
    assert "".join(pareto.abc_classes(totals["purchases"])) == "AB"
    money_rows = read.reconciliation(make_book(brand="", sell_in=lines), "2026-10")
    assert money_rows["unidentified"].tolist() == [18_000.0]  # not dropped either


@RULES
def test_float_sums_cannot_flip_a_border(rule):
    values = [0.1, 0.2, 0.3, 0.7, 1.1, 2.2, 3.3, 4.4, 0.1, 0.2] * 7
    expected = dict(zip(values, classes(values, rule), strict=True))
    for seed in range(10):
        shuffled = random.Random(seed).sample(values, len(values))
        assert classes(shuffled, rule) == "".join(expected[v] for v in shuffled)


def test_float_sums_the_value_cut_is_exact_in_cents():
    assert (0.49 + 0.19) / (0.49 + 0.19 + 0.17) < 0.8  # as floats; in truth exactly 80 % lie ahead of the third
    assert classes([0.49, 0.19, 0.17], "value") == "AAB"
    assert classes([0.99, 0.86, 0.35, 0.28, 0.27], "value") == "AAABB"


@pytest.mark.parametrize("n", [5, 10, 15, 20, 25, 35, 45, 55, 85, 1000])
def test_quota_is_exact_where_floats_are_not(n):
    assert 0.2 + 0.4 != 0.6  # what float arithmetic would make of it: one B too many
    letters = classes(range(n, 0, -1))
    assert [letters.count(x) for x in "ABC"] == [n // 5, 2 * n // 5, 2 * n // 5]


def test_brand_share_is_never_classed_by_value_or_by_computed_limits():
    totals = totals_of(payments=[100.0, 5, 4, 3, 2], brand_share=[0.9, 0.2, 0.19, 0.18, 0.17])
    for rule in pareto.RULES:
        judged = pareto.joint_judgement(totals, DIAGNOSES, rule=rule).set_index("dealer_id")
        assert "".join(judged["brand_share_class"].sort_index()) == "ABBCC"  # the quota
        assert "".join(judged["payments_class"].sort_index()) == classes(totals["payments"], rule)
    table = pareto.class_table(pareto.joint_judgement(totals, DIAGNOSES))
    shares = table[table["indicator"] == "brand_share"]
    assert shares[["value", "value_share"]].isna().all(axis=None)  # not additive: no sum, no share of a sum
    labels = [line.get_label() for line in pareto.plot_lorenz(totals).lines]
    assert style.label("payments") in labels
    assert style.label("brand_share") not in labels


def test_a_borderline_cut_follows_the_options():
    assert classes([50, 30, 20], "value", cuts=(0.5, 0.5)) == "ACC"
    assert classes(range(10, 0, -1), quota=(0.1, 0.2, 0.7)) == "ABBCCCCCCC"
    assert classes([3, 2, 1], quota=(0, 1, 0)) == "BBB"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rule": "pareto"}, "rule: 'pareto' is not known; choose one of quota, value, computed"),
        ({"quota": (0.2, 0.4, 0.5)}, "quota: three shares that sum to 1"),
        ({"quota": (0.5, 0.5)}, "quota: three shares that sum to 1"),
        ({"quota": (-0.2, 0.8, 0.4)}, "quota: three shares that sum to 1"),
        ({"rule": "value", "cuts": (0.95, 0.8)}, "cuts: two rising shares"),
        ({"rule": "value", "cuts": (0.0, 0.8)}, "cuts: two rising shares"),
        ({"rule": "value", "cuts": (80, 95)}, "cuts: two rising shares"),
    ],
)
def test_senseless_options_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        pareto.abc_classes(pd.Series([1.0, 2.0]), **options)


def test_index_and_input_stay():
    values = pd.Series([3, None, 1], index=["x", "y", "x"], dtype="Int64")
    kept = values.copy()
    assert pareto.abc_classes(values).to_dict() == {"x": "B", "y": "–"}
    assert pareto.abc_classes(values).index.tolist() == ["x", "y", "x"]
    pd.testing.assert_series_equal(values, kept)


# ---- what must hold -------------------------------------------------------------------------------------------------


@RULES
@settings(max_examples=50)
@given(values=anything, seed=st.integers(0, 9))
def test_row_order_is_irrelevant(rule, values, seed):
    rows = money(values)
    shuffled = rows.sample(frac=1, random_state=seed)
    pd.testing.assert_series_equal(pareto.abc_classes(shuffled, rule).sort_index(), pareto.abc_classes(rows, rule))


@RULES
@settings(max_examples=50)
@given(values=anything, factor=st.sampled_from([2, 3, 7, 10, 100, 4096, 99_999]))
@example(values=[30, 20, 10], factor=3)  # the middle one earns the mean exactly
def test_scaling_money_changes_no_class(rule, values, factor):
    scaled = [None if v is None else v * factor for v in values]
    assert classes(money(values), rule) == classes(money(scaled), rule)


@RULES
@settings(max_examples=50)
@given(values=anything)
def test_equal_values_share_a_class_and_better_ones_are_never_worse(rule, values):
    rows = pd.DataFrame({"value": money(values), "letter": pareto.abc_classes(money(values), rule)}).dropna()
    assert len(rows.drop_duplicates()) == rows["value"].nunique()
    assert rows.sort_values("value", ascending=False)["letter"].is_monotonic_increasing
    assert (rows.loc[rows["value"] <= 0, "letter"] == "C").all()


@RULES
@given(values=positive)
def test_a_is_never_empty_where_values_differ(rule, values):
    letters = classes(money(values), rule)
    if len(set(values)) > 1 or len(values) == 1:
        assert letters[values.index(max(values))] == "A"
    else:
        assert set(letters) == {"B"}


@given(values=anything)
def test_quota_is_the_definition(values):
    known = [v for v in values if v is not None]
    for value, letter in zip(values, classes(money(values)), strict=True):
        better = sum(v > value for v in known) if value is not None else 0
        part = Fraction(better, max(len(known), 1))
        flat = len(known) > 1 and len(set(known)) == 1
        if value is None:
            assert letter == "–"
        elif value <= 0:
            assert letter == "C"
        elif flat:
            assert letter == "B"
        else:
            assert letter == ("A" if part < Fraction(1, 5) else "B" if part < Fraction(3, 5) else "C")


@given(values=anything)
def test_value_rule_is_the_definition(values):
    known = [v for v in values if v is not None]
    whole = sum(v for v in known if v > 0)
    assume(len(known) < 2 or len(set(known)) > 1)
    for value, letter in zip(values, classes(money(values), "value"), strict=True):
        if value is not None and value > 0:
            ahead = Fraction(sum(v for v in known if v > value), whole)
            assert letter == ("A" if ahead < Fraction(4, 5) else "B" if ahead < Fraction(19, 20) else "C")


@settings(max_examples=40)
@given(values=anything)
def test_class_table_leaves_no_dealer_and_no_money_out(values):
    totals = totals_of(payments=money(values), gross_profit=money(values)[::-1].to_numpy())
    judged = pareto.joint_judgement(totals, DIAGNOSES)
    for indicator, rows in pareto.class_table(judged).groupby("indicator"):
        assert rows["n_dealers"].sum() == len(values)
        assert rows["dealer_share"].sum() == pytest.approx(1)
        assert rows["value"].sum() == pytest.approx(judged[indicator].sum(), abs=1e-6)
        if judged[indicator].sum() > 0.005:
            assert rows["value_share"].sum() == pytest.approx(1)


@given(values=anything)
def test_lorenz_curve_runs_from_nothing_to_everything_and_is_concave(values):
    curve = pareto.lorenz_curve(money(values))
    n = sum(v is not None and v > 0 for v in values)
    assert len(curve) == n + 1
    assert curve.iloc[0].tolist() == [0, 0]
    assert curve.iloc[-1].tolist() == ([1, 1] if n else [0, 0])
    steps = np.diff(curve["value_share"])
    assert (steps >= 0).all()
    assert (np.diff(steps) <= 1e-12).all()  # best first: each dealer adds no more than the one before


@given(values=positive, factor=st.integers(2, 1000))
def test_gini_is_the_mean_difference_and_knows_no_unit(values, factor):
    found, n = pareto.gini(money(values)), len(values)
    twin = Fraction(sum(abs(a - b) for a in values for b in values), 2 * n * sum(values))
    assert found == pytest.approx(float(twin), abs=1e-9)
    assert 0 <= found < 1
    assert pareto.gini(money([v * factor for v in values])) == pytest.approx(found, abs=1e-9)


def test_gini_of_nothing_is_unknown_and_counts_positive_values_only():
    assert math.isnan(pareto.gini(pd.Series([], dtype="float64")))
    assert math.isnan(pareto.gini(pd.Series([0.0, -2, np.nan])))
    assert pareto.gini(pd.Series([1, 3, 0, -5, np.nan])) == pareto.gini(pd.Series([1, 3])) == 0.25


def test_gini_interval_contains_the_point_mostly_and_is_the_same_each_time():
    inside = 0
    for seed in range(40):
        values = pd.Series(np.random.default_rng(seed).lognormal(8, 1.2, 120))
        low, high = pareto.gini_interval(values, n_resamples=120)
        assert 0 <= low < high < 1
        inside += low <= pareto.gini(values) <= high
    assert inside >= 36
    assert pareto.gini_interval(values) == pareto.gini_interval(values)
    assert pareto.gini_interval(values, seed=1) != pareto.gini_interval(values, seed=2)
    wide = pareto.gini_interval(values, level=0.99)
    assert wide[0] < pareto.gini_interval(values, level=0.5)[0]
    assert all(math.isnan(end) for end in pareto.gini_interval(pd.Series([5.0])))


def test_top_share_by_hand():
    assert pareto.top_share(pd.Series([1.0] * 9 + [11])) == 0.6  # two of ten: 11 and 1 of 20
    assert pareto.top_share(pd.Series([3.0, 1])) == 0.75  # at least one dealer: a fifth of two is none
    assert pareto.top_share(pd.Series([4.0, 4, -9, np.nan])) == 0.5
    assert math.isnan(pareto.top_share(pd.Series([0.0, -1])))


# ---- independent implementations ------------------------------------------------------------------------------------

TWIN = """
WITH known AS (SELECT *, SUM(v) FILTER (v > 0) OVER () AS whole, COUNT(v) OVER () AS n,
        5 * (RANK() OVER (ORDER BY v DESC NULLS LAST) - 1) AS better5,
        SUM(greatest(v, 0)) OVER (ORDER BY v DESC NULLS LAST) - greatest(v, 0) * COUNT(*) OVER (PARTITION BY v) AS ahead
    FROM (SELECT i, CAST(v AS DECIMAL(18, 2)) AS v FROM given))
SELECT CASE WHEN v IS NULL THEN '–' WHEN v <= 0 THEN 'C' WHEN better5 < n THEN 'A' WHEN better5 < 3 * n THEN 'B'
        ELSE 'C' END AS quota,
    CASE WHEN v IS NULL THEN '–' WHEN v <= 0 THEN 'C' WHEN ahead * 100 < whole * 80 THEN 'A'
        WHEN ahead * 100 < whole * 95 THEN 'B' ELSE 'C' END AS value
FROM known ORDER BY i
"""


@settings(max_examples=25)
@given(values=anything)
def test_an_sql_twin_on_decimals_gives_the_same_letters(values):
    assume(len({v for v in values if v is not None}) > 1)
    given_rows = pd.DataFrame({"i": range(len(values)), "v": money(values)})
    con = duckdb.connect()
    con.register("given", given_rows)
    twin = con.sql(TWIN).df()
    for rule in ("quota", "value"):
        assert classes(given_rows["v"], rule) == "".join(twin[rule])


def ultsch_loetsch(values: list[int]) -> tuple[int, int]:
    """Limits of Ultsch & Lötsch from their definitions alone, in fractions: sizes of A and of A with B."""
    v = sorted((x for x in values if x > 0), reverse=True)
    n, total = len(v), sum(v)
    points = [(Fraction(i, n), Fraction(sum(v[:i]), total)) for i in range(1, n + 1)]

    def nearest(x: Fraction) -> int:
        return min(range(n), key=lambda i: (points[i][0] - x) ** 2 + (points[i][1] - 1) ** 2) + 1

    pareto_point = nearest(Fraction(0))
    break_even = max(sum(x * n > total for x in v), 1)  # while one more dealer brings more than the mean
    a = min(pareto_point, break_even)
    return a, max(nearest(Fraction(max(pareto_point, break_even), n)), a)


@given(values=st.lists(st.integers(1, 10_000_000), min_size=1, max_size=50, unique=True))
@example(values=[36, 28, 23, 21, 7])  # the third earns the mean exactly: the break-even point lies before him
def test_computed_limits_equal_a_reference_written_from_the_paper(values):
    assert pareto.computed_limits(money(values)) == ultsch_loetsch(values)


def test_computed_limits_where_abc_analysis_finds_no_a():
    for values in ([9, 5, 1], [9, 5, 3, 1], [1000, *[1] * 9]):
        assert pareto.computed_limits(pd.Series(values))[0] >= 1
    assert pareto.computed_limits(pd.Series([0.0, -1])) == (0, 0)


@pytest.mark.parametrize(("n", "n_a", "n_b"), [(25, 6, 4), (60, 15, 7), (200, 45, 22), (1000, 238, 111)])
def test_computed_limits_are_near_those_of_abc_analysis(n, n_a, n_b):
    """Sizes printed by abc-analysis 0.1.23 on these very values: it smooths with a spline, so it is a loose oracle."""
    a, ab = pareto.computed_limits(pd.Series(lognormal(n)))
    assert abs(a - n_a) <= 3
    assert abs(ab - n_a - n_b) <= 3


def test_quota_equals_openretailscience_on_tie_free_data():
    """Letters of openretailscience 0.48.1, thresholds .4 .8 1; for n in fives its percent rank cuts where ours does."""
    assert classes(lognormal(25)) == "BCCCACCBBCBCAAABCCBCBBBAB"


# ---- joint judgement ------------------------------------------------------------------------------------------------


def judged_code(code: str, diagnoses: pd.DataFrame = DIAGNOSES, **options) -> pd.Series:
    """Judge a dealer that has a given code, among others that make it come about."""
    value = {"A": 9.0, "B": 4.0, "C": 1.0, "–": np.nan}
    others = [9.0] * 3 + [4.0] * 5 + [1.0] * 3
    totals = totals_of(**{i: [value[x], *others] for i, x in zip(pareto.INDICATORS, code, strict=True)})
    judged = pareto.joint_judgement(totals, diagnoses, **options).set_index("dealer_id")
    assert judged.loc["D000", "code"] == code
    return judged.loc["D000"]


def test_code_order_is_payments_profit_share():
    totals = totals_of(
        payments=[50.0, 4, 3, 2, 1], gross_profit=[1.0, 2, 3, 4, 50], brand_share=[0.3, 0.9, 0.5, np.nan, 0.1]
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
        ("AB–", "A"),  # (1.2 + 0.8) ÷ 0.8 = 2.5: a missing letter weighs nothing, and the cut itself is A
        ("BC–", "B"),  # 1.5
        ("–CA", "B"),  # (0.4 + 0.6) ÷ 0.6 = 1.67
        ("––A", "A"),
        ("–––", "–"),
    ],
)
def test_composite_class_by_hand(code, letter):
    assert judged_code(code)["composite_class"] == letter


def test_composite_class_follows_the_weights():
    weights = {"payments": 0.0, "gross_profit": 0.0, "brand_share": 1.0}
    assert judged_code("CCA", weights=weights)["composite_class"] == "A"
    assert judged_code("AA–", weights=weights)["composite_class"] == "–"
    weights = {"payments": 0.49, "gross_profit": 0.5, "brand_share": 0.01}
    assert 0.49 * 3 + 0.5 * 2 + 0.01 * 3 < 2.5  # as floats; in truth it is the cut itself
    assert judged_code("ABA", weights=weights)["composite_class"] == "A"


def test_all_64_codes_get_the_first_diagnosis_that_fits():
    for code in map("".join, itertools.product(LETTERS, repeat=3)):
        fitting = [row.en for row in DIAGNOSES.itertuples()
                   if all(p in ("*", x) for p, x in zip(row.pattern, code, strict=True))]  # fmt: skip
        assert judged_code(code)["diagnosis"] == fitting[0]


def test_the_first_pattern_that_fits_wins():
    table = pd.DataFrame({"pattern": ["AA*", "A**", "**C", "***"], "en": list("wxyz"), "zh": list("wxyz")})
    codes = ("AAC", "AA–", "ABC", "BBC", "BB–")
    assert [judged_code(code, table)["diagnosis"] for code in codes] == list("wwxyz")
    assert judged_code("AAC", table.iloc[[2, 0, 3]])["diagnosis"] == "y"


def test_every_shipped_diagnosis_is_reached_and_said_in_both_languages():
    codes = ["".join(code) for code in itertools.product(LETTERS, repeat=3)]
    assert {judged_code(code)["diagnosis"] for code in codes} == set(DIAGNOSES["en"])
    assert DIAGNOSES.notna().all(axis=None)
    style.use("zh-Hans", "CNY")
    assert {judged_code(code)["diagnosis"] for code in codes} == set(DIAGNOSES["zh"])


def test_diagnoses_without_a_catch_all_are_refused_by_name():
    with pytest.raises(ValueError, match=r"diagnoses\.csv: no pattern fits the code 'AAB'.*'\*\*\*'"):
        judged_code("AAB", DIAGNOSES[DIAGNOSES["pattern"].isin(["AAA", "BBB", "CCC"])])
    with pytest.raises(ValueError, match=r"diagnoses\.csv: the pattern 'AA' needs three letters"):
        judged_code("AAB", pd.DataFrame({"pattern": ["AA", "***"], "en": ["x", "y"], "zh": ["x", "y"]}))


def test_an_indicator_that_is_not_there_counts_as_missing():
    judged = pareto.joint_judgement(totals_of(gross_profit=[5.0, 4, 3, 2, 1]), DIAGNOSES)
    assert judged["code"].tolist() == ["–A–", "–B–", "–B–", "–C–", "–C–"]
    assert judged["composite_class"].tolist() == list("ABBCC")
    assert pareto.class_table(judged)["indicator"].unique().tolist() == ["gross_profit"]


def test_best_dealers_come_first_and_ties_by_id():
    totals = totals_of(payments=[1.0, 5, 5, 9, np.nan], gross_profit=[1.0, 5, 5, 9, 2]).iloc[[4, 2, 0, 3, 1]]
    judged = pareto.joint_judgement(totals, DIAGNOSES)
    assert judged["dealer_id"].tolist() == ["D003", "D001", "D002", "D000", "D004"]
    sizes = pareto.joint_judgement(totals_of(payments=[float(i) for i in range(20)]), DIAGNOSES)["payments"]
    assert sizes.tolist() == sorted(sizes, reverse=True)  # within a class the largest first
    assert judged.index.tolist() == list(range(5))


def test_no_dealer_is_doubled_by_a_repeated_index():
    totals = totals_of(payments=[3.0, 2, 1]).set_axis([0, 0, 0])
    assert pareto.joint_judgement(totals, DIAGNOSES)["dealer_id"].tolist() == ["D000", "D001", "D002"]


def test_nobody_at_all_is_judged_without_complaint():
    judged = pareto.joint_judgement(totals_of(payments=[1.0], gross_profit=[1.0], brand_share=[1.0]).head(0), DIAGNOSES)
    assert judged.empty
    assert pareto.class_table(judged).empty
    assert {"code", "composite_class", "diagnosis"} <= set(judged.columns)


def test_input_is_not_mutated():
    totals = totals_of(payments=[5.0, np.nan, 1], gross_profit=[5.0, 2, -1], brand_share=[0.5, 0.2, np.nan],
                       revenue=[9.0, 8, 7])  # fmt: skip
    kept, diagnoses = totals.copy(), DIAGNOSES.copy()
    judged = pareto.joint_judgement(totals, DIAGNOSES)
    judged_kept = judged.copy()
    pareto.class_table(judged)
    pareto.overridden_classes(judged, overrides(("D000", "C", "2026-01-01", None)), pd.Timestamp("2026-10-31"))
    pareto.plot_pareto(judged)
    pareto.plot_lorenz(totals)
    pareto.plot_class_map(judged)
    pd.testing.assert_frame_equal(totals, kept)
    pd.testing.assert_frame_equal(DIAGNOSES, diagnoses)
    pd.testing.assert_frame_equal(judged, judged_kept)


def test_windows_are_judged_each_by_itself():
    one, two = totals_of(payments=[5.0, 4, 3, 2, 1]), totals_of(payments=[1.0, 2, 3, 4, 5])
    both = pd.concat([one.assign(window_end="2025-10"), two.assign(window_end="2026-10")])
    judged = pareto.judged_windows(both, DIAGNOSES).pivot_table(
        index="dealer_id", columns="window_end", values="composite_class", aggfunc="first"
    )
    assert judged["2025-10"].tolist() == list("ABBCC")
    assert judged["2026-10"].tolist() == list("CCBBA")


# ---- ids that look like something else ------------------------------------------------------------------------------

ODD_IDS = ["00123", "1e5", "123", "=1+1", "-7", "10003.0", "true", "2026-10-01"]


def test_ids_that_look_like_numbers_or_formulas_stay_text(make_book):
    lines = "\n".join(["dealer_id,date,revenue,cost", *[f"{i},2026-10-30,{r}.10,1.00" for r, i in enumerate(ODD_IDS)]])
    totals = read.dealer_totals(make_book(brand="", sell_in=lines), "2026-10")
    judged = pareto.joint_judgement(totals, DIAGNOSES)
    assert sorted(judged["dealer_id"]) == sorted(ODD_IDS)
    assert judged.set_index("dealer_id").loc["00123", "purchases"] == 0.10
    assert judged.set_index("dealer_id").loc["123", "purchases"] == 2.10
    assert judged["dealer_id"].dtype == "str"


# ---- classes set by hand --------------------------------------------------------------------------------------------


def overrides(*rows: tuple) -> pd.DataFrame:
    rows = [(*row, f"reason {i}", "Lin") for i, row in enumerate(rows)]
    columns = ["dealer_id", "class", "valid_from", "valid_to", "reason", "author"]
    found = pd.DataFrame(rows, columns=columns, dtype=object)
    return found.assign(valid_from=pd.to_datetime(found["valid_from"]), valid_to=pd.to_datetime(found["valid_to"]))


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
    rows = [("D004", "A", "2026-05-01", None), ("D004", "B", "2026-02-01", None), ("D004", "C", "2025-02-01", None)]
    for order in itertools.permutations(rows):
        found = pareto.overridden_classes(judged_five(), overrides(*order), pd.Timestamp("2026-10-31"))
        assert found.set_index("dealer_id").loc["D004", "composite_class"] == "A"
    rows[0] = ("D004", "A", "2026-05-01", "2026-06-30")  # over by then
    found = pareto.overridden_classes(judged_five(), overrides(*rows), pd.Timestamp("2026-10-31"))
    assert found.set_index("dealer_id").loc["D004", "composite_class"] == "B"


def test_an_unknown_override_class_is_refused():
    with pytest.raises(ValueError, match=r"overrides\.csv: class 'AA' is none of A, B, C"):
        pareto.overridden_classes(
            judged_five(), overrides(("D001", "AA", "2026-01-01", None)), pd.Timestamp("2026-10-31")
        )


def test_overrides_of_nobody_change_nothing():
    for rows in ([], [("nobody", "A", "2026-01-01", None)]):
        found = pareto.overridden_classes(judged_five(), overrides(*rows), pd.Timestamp("2026-10-31"))
        assert found["composite_class"].tolist() == list("ABBCC")
        assert len(found) == 5


# ---- groups ---------------------------------------------------------------------------------------------------------


def test_groups_sum_up_their_dealers_and_others_stand_for_themselves():
    totals = totals_of(
        purchases=[0.1, 0.2, 5, 7], revenue=[0.1, 0.2, 4, 7], gross_profit=[1.0, np.nan, 2, 3], quantity=[1.0, 2, 3, 4],
        payments=np.nan, brand_part=[1.0, 3, 2, 0], brand_total=[2.0, 8, 4, 0],
    )  # fmt: skip
    dealers = pd.DataFrame({"dealer_id": ["D000", "D001", "D002"], "dealer_group": ["Chain", "Chain", None]})
    kept = totals.copy()
    grouped = pareto.grouped_totals(totals, dealers).set_index("dealer_id")
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
        **{c: [0.1, 0.2, 0.3, 9, 5] for c in ("purchases", "revenue", "gross_profit", "quantity", "payments",
                                              "brand_part", "brand_total")})  # fmt: skip
    dealers = pd.DataFrame({"dealer_id": list("abcde"), "dealer_group": ["g", "g", "h", None, None]})
    judged = pareto.joint_judgement(pareto.grouped_totals(totals, dealers), DIAGNOSES).set_index("dealer_id")
    assert judged.loc["g", "payments"] == judged.loc["h", "payments"]
    assert judged.loc["g", "payments_class"] == judged.loc["h", "payments_class"]


# ---- tables and sentences -------------------------------------------------------------------------------------------


def test_class_table_by_hand():
    judged = pareto.joint_judgement(totals_of(payments=[60.0, 20, 20, 10, 0, -10, np.nan]), DIAGNOSES)
    table = pareto.class_table(judged).set_index("class")
    assert table.index.tolist() == ["A", "B", "C", "zero_or_negative", "–"]
    assert table["n_dealers"].tolist() == [3, 1, 0, 2, 1]  # six known: ranks 1 and the tie of rank 2 are A
    assert table["value"].tolist() == [100, 10, 0, -10, 0]
    assert table["value_share"].tolist() == [1, 0.1, 0, -0.1, 0]
    assert table.loc["A", "least"] == 20
    assert math.isnan(table.loc["C", "least"])


def test_class_table_has_no_shares_of_a_total_that_is_none():
    judged = pareto.joint_judgement(totals_of(payments=[0.1, 0.2, -0.3]), DIAGNOSES)
    assert pareto.class_table(judged)["value_share"].isna().all()


def bottom_line_of(totals: pd.DataFrame, moved: list[tuple] = (), **stopped) -> list[str]:
    totals = totals.assign(revenue=totals.get("payments", 1.0)).reindex(
        columns=[*totals.columns, *(i for i in pareto.INDICATORS if i not in totals), "revenue"]
    )
    judged = pareto.joint_judgement(totals, DIAGNOSES)
    moves = pd.DataFrame(moved, columns=["dealer_name", "movement", "steps"])
    late = pd.DataFrame({"status": "stopped_paying", **stopped}) if stopped else None
    return pareto.bottom_line(judged, moves, late)


def test_bottom_line_says_the_computed_figures_and_what_is_unknown():
    said = bottom_line_of(
        totals_of(payments=[60.0, 10, 10, 10, 10]),
        [("Nan Hai", "fallen", -2), ("Bei Hai", "risen", 1), ("Dong Hai", "joined", 0)],
        dealer_name=["Xi Hu"],
        balance=[1234.0],
    )
    label = style.label("payments")
    assert said[:3] == [
        style.say("pareto.top", n=1, of=5, share="60 %", indicator=label),
        style.say("pareto.classes", a=1, b=4, c=0, share="60 %", indicator=label),
        style.say("pareto.moved", risen=1, fallen=1, joined=1, left=0),
    ]
    assert any("Nan Hai" in s for s in said)
    assert not any("Bei Hai" in s for s in said)  # one class up is no headline
    assert any("Xi Hu" in s and style.money(1234.0) in s for s in said)
    unknown = ("gross_profit", "brand_share")
    assert said[-2:] == [style.say("pareto.no_indicator", indicator=style.label(i)) for i in unknown]


def test_bottom_line_does_not_speak_of_movement_without_a_year_before():
    said = bottom_line_of(totals_of(payments=[6.0, 1]), [("x", "–", 0)])
    assert style.say("pareto.moved", risen=0, fallen=0, joined=0, left=0) not in said


# ---- plots ----------------------------------------------------------------------------------------------------------


def text_of(ax) -> str:
    return " ".join(t.get_text() for t in ax.figure.texts).replace("\n", " ")


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_the_pareto_plot_draws_the_table(language):
    style.use(language, "CNY")
    judged = pareto.joint_judgement(totals_of(payments=[500.0, 200, 100, 80, 60, 40, 20, 0, -5, np.nan]), DIAGNOSES)
    ax = pareto.plot_pareto(judged, "payments", scope="2026")
    curve = ax.lines[0]
    np.testing.assert_allclose(curve.get_ydata(), [0, 0.5, 0.7, 0.8, 0.88, 0.94, 0.98, 1])
    assert curve.get_xdata().tolist() == list(range(8))  # zero, negative and missing are no point of the curve
    table = pareto.class_table(judged).set_index("class")["n_dealers"]
    borders = [line.get_xdata()[0] for line in ax.lines[1:]]
    assert borders == [table["A"], table["A"] + table["B"]] == [2, 6]
    heights = [line.get_ydata()[1] for line in ax.lines[1:]]
    np.testing.assert_allclose(heights, [0.7, 0.98])
    assert "2" in text_of(ax)
    assert "20 %" in text_of(ax)  # two of ten dealers …
    assert "70 %" in text_of(ax)  # … carry so much
    assert style.label("payments").lower() in text_of(ax).lower()
    assert ax.figure.alt_text


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_the_pareto_plot_says_where_there_are_no_vital_few(language):
    style.use(language, "CNY")
    ax = pareto.plot_pareto(pareto.joint_judgement(totals_of(payments=[3.0] * 6), DIAGNOSES))
    assert style.say("pareto.no_few", indicator=style.label("payments")) in text_of(ax)
    assert len(ax.lines) == 1  # no border


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_the_lorenz_plot_draws_each_curve_and_says_its_gini(language):
    style.use(language, "CNY")
    totals = totals_of(payments=[70.0, 20, 10], gross_profit=[5.0, 5, 5])
    ax = pareto.plot_lorenz(totals)
    lines = {line.get_label(): line for line in ax.lines}
    np.testing.assert_allclose(lines[style.label("payments")].get_ydata(), [0, 0.1, 0.3, 1])  # poorest first
    np.testing.assert_allclose(lines[style.label("gross_profit")].get_ydata(), [0, 1 / 3, 2 / 3, 1])
    assert f"{pareto.gini(totals['payments']):.2f}" == "0.40"
    assert "0.40" in text_of(ax)
    assert "0.00" in text_of(ax)


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_the_class_map_draws_each_dealer_once_in_his_class(language):
    style.use(language, "CNY")
    totals = totals_of(
        payments=[9.0, 8, 7, 6, 5], revenue=[100.0, 50, 40, 0, 10], gross_profit=[5.0, 20, 10, 3, np.nan]
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
    assert str(n_a) in text_of(ax)


def test_plots_survive_nobody():
    judged = pareto.joint_judgement(
        totals_of(payments=[1.0], gross_profit=[1.0], brand_share=[1.0], revenue=[1.0]).head(0), DIAGNOSES
    )
    assert pareto.plot_pareto(judged).figure.alt_text
    assert pareto.plot_lorenz(judged).figure.alt_text


def test_a_plot_takes_given_axes():
    judged = judged_five()
    _figure, ax = plt.subplots()
    assert pareto.plot_pareto(judged, ax=ax) is ax


def test_a_chain_is_judged_as_one_customer_among_all():
    known = {"purchases": 0.0, "revenue": 0.0, "quantity": 0.0, "gross_profit": np.nan, "brand_part": np.nan,
             "brand_total": np.nan}  # fmt: skip
    totals = pd.DataFrame({"dealer_id": list("abcde"), "payments": [3.0, 4.0, 5.0, 1.0, 1.0], **known})
    dealers = pd.DataFrame({"dealer_id": list("abcdef"), "dealer_group": ["chain", "chain", None, None, None, "gone"]})
    rules = pd.DataFrame({"pattern": ["***"], "en": ["x"], "zh": ["x"]})
    groups = pareto.group_table(totals, dealers, rules)
    assert groups[["dealer_group", "n_dealers", "payments", "composite_class"]].values.tolist() == [["chain", 2, 7.0, "A"]]
    assert pareto.group_table(totals, dealers.assign(dealer_group=None), rules).empty
