"""ABC by three indicators.

Every trap that other tools fall into, worked by hand, by twins, and by what must hold.
"""

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

from helpers import data, look, pareto, words
from helpers.pareto import classes

pytestmark = pytest.mark.usefixtures("looks")

DIAGNOSES = pd.read_csv(words.REFERENCE / "diagnoses.csv")
RULES = pytest.mark.parametrize("rule", pareto.RULES)

cents = st.integers(-2_000, 10_000_000)
anything = st.lists(st.one_of(st.none(), st.just(0), st.integers(-9, 9), cents), max_size=60)
positive = st.lists(
    st.one_of(st.integers(1, 9), st.integers(1, 10_000_000)), min_size=1, max_size=60
)


def money(values) -> pd.Series:
    """Turn whole cents into an amount per dealer, None into a missing one."""
    return pd.Series([np.nan if v is None else v / 100 for v in values], dtype="float64")


def abc_letters(values, rule: str = "quota", **options) -> str:
    return "".join(classes.abc_classes(pd.Series(values, dtype="float64"), rule, **options))


def totals_of(**columns) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    return pd.DataFrame({"dealer_id": [f"D{i:03d}" for i in range(n)], **columns})


def lognormal(n: int, seed: int = 11) -> list[float]:
    """Draw skewed amounts without a tie."""
    drawn, found = random.Random(seed), set()
    while len(found) < n:
        found.add(round(drawn.lognormvariate(8, 1.4), 2))
    return drawn.sample(sorted(found), n)


# ---- how other tools go wrong --------------------------------------------------------------------


@RULES
def test_ties_ten_identical_customers_share_one_class(rule):
    assert abc_letters([7.5] * 10, rule) == "BBBBBBBBBB"


@RULES
def test_ties_at_the_border_share_the_better_class_in_any_row_order(rule):
    values = pd.Series([90.0, 50, 50, 50, 20, 10, 10, 1, 1, 1], index=[f"d{i}" for i in range(10)])
    expected = classes.abc_classes(values, rule)
    assert expected["d1"] == expected["d2"] == expected["d3"]
    for seed in range(20):
        shuffled = values.sample(frac=1, random_state=seed)
        pd.testing.assert_series_equal(classes.abc_classes(shuffled, rule).sort_index(), expected)


def test_ties_are_classed_by_their_best_rank():
    # best rank 1: all four are A
    assert abc_letters([50, 50, 50, 50, 20, 10, 9, 8, 7, 6]) == "AAAABBCCCC"
    # ranks 3 to 7: one class though it is large
    assert abc_letters([90, 80, 30, 30, 30, 30, 30, 2, 1, 1]) == "AABBBBBCCC"


def test_the_crossing_dealer_keeps_the_better_class():
    assert abc_letters([1000, *[1] * 9], "value") == "ACCCCCCCCC"  # alone beyond 80%, still A
    assert abc_letters([79, 10, 6, 5], "value") == "AABC"  # starts at 79%, ends at 89%
    assert abc_letters([80, 15, 5], "value") == "ABC"  # who starts at the cut itself is beyond it


@RULES
@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 11])
def test_class_sizes_at_small_n(rule, n):
    letters = abc_letters([100.0 * 0.5**i for i in range(n)], rule)
    assert len(letters) == n
    assert letters == "".join(sorted(letters))
    assert letters.startswith("A") or n == 0


def test_quota_sizes_at_small_n_by_hand():
    found = {n: abc_letters(range(n, 0, -1)) for n in (0, 1, 2, 3, 4, 11)}
    assert found == {0: "", 1: "A", 2: "AB", 3: "ABC", 4: "ABBC", 11: "AAABBBBCCCC"}


@RULES
def test_all_zero_totals_make_all_c(rule):
    assert abc_letters([0.0] * 6, rule) == "CCCCCC"


@RULES
def test_all_dealers_with_losses_make_all_l(rule):
    assert abc_letters([-3.0] * 6, rule) == "LLLLLL"
    assert abc_letters([-3.0, -0.01, -900], rule) == "LLL"


@RULES
def test_zero_and_negative_dealers_are_never_a_or_b(rule):
    assert abc_letters([0, 0, 0, 0, 5], rule) == "CCCCA"
    # exactly zero earns nothing, and costs nothing
    assert abc_letters([9, 0, -1, -900, 0, 8, -0.0], rule)[1:5] == "CLLC"
    assert abc_letters([9, 0, -1, -900, 0, 8, -0.0], rule)[6] == "C"


def test_negative_amounts_do_not_shrink_the_total_of_the_value_rule():
    # 60 of 100 are ahead of the second dealer, not 60 of 50
    assert abc_letters([60, 30, 10, -50], "value") == "AABL"
    assert abc_letters([60, 30, 10, -50], "computed")[:3] == abc_letters([60, 30, 10], "computed")


def test_who_loses_stays_a_dealer_of_the_quota():
    # twenty per cent of ten dealers are two, whether the others earn or lose: nobody rises because
    # another one loses
    assert abc_letters([9, 8, 7, 6, 5, 4, 3, 2, 1, 0.5]) == "AABBBBCCCC"
    assert abc_letters([9, 8, 7, 6, 5, 4, 3, -2, -1, -0.5]) == "AABBBBCLLL"


@RULES
def test_nan_values_do_not_vanish(rule):
    letters = abc_letters([np.nan, 9, 5, np.nan, 1], rule)
    assert letters[0] == letters[3] == classes.MISSING
    assert letters.replace(classes.MISSING, "") == abc_letters([9, 5, 1], rule)
    assert abc_letters([np.nan, np.nan], rule) == "––"
    assert abc_letters([np.nan, 4, 4], rule) == "–BB"


def test_nan_ids_are_no_phantom_a(make_book):
    lines = [
        {"dealer_id": i, "date": pd.Timestamp("2026-10-31").date(), "revenue": Decimal(r)}
        for i, r in (("01", 50), ("02", 40), (None, 9_000), ("  ", 9_000))
    ]
    totals = data.dealer_totals(make_book(brand="", sell_in=lines), "2026-10")
    assert totals["dealer_id"].tolist() == ["01", "02"]
    assert "".join(classes.abc_classes(totals["purchases"])) == "AB"
    money_rows = data.reconciliation(make_book(brand="", sell_in=lines), "2026-10")
    assert money_rows["unidentified"].tolist() == [18_000.0]  # not dropped either


@RULES
def test_float_sums_cannot_flip_a_border(rule):
    values = [0.1, 0.2, 0.3, 0.7, 1.1, 2.2, 3.3, 4.4, 0.1, 0.2] * 7
    expected = dict(zip(values, abc_letters(values, rule), strict=True))
    for seed in range(10):
        shuffled = random.Random(seed).sample(values, len(values))
        assert abc_letters(shuffled, rule) == "".join(expected[v] for v in shuffled)


def test_float_sums_the_value_cut_is_exact_in_cents():
    # as floats; in truth exactly 80 % lie ahead of the third
    assert (0.49 + 0.19) / (0.49 + 0.19 + 0.17) < 0.8
    assert abc_letters([0.49, 0.19, 0.17], "value") == "AAB"
    assert abc_letters([0.99, 0.86, 0.35, 0.28, 0.27], "value") == "AAABB"


@pytest.mark.parametrize("n", [5, 10, 15, 20, 25, 35, 45, 55, 85, 1000])
def test_quota_is_exact_where_floats_are_not(n):
    assert 0.2 + 0.4 != 0.6  # what float arithmetic would make of it: one B too many
    letters = abc_letters(range(n, 0, -1))
    assert [letters.count(x) for x in "ABC"] == [n // 5, 2 * n // 5, 2 * n // 5]


def test_brand_share_is_never_classed_by_value_or_by_computed_limits():
    totals = totals_of(payments=[100.0, 5, 4, 3, 2], brand_share=[0.9, 0.2, 0.19, 0.18, 0.17])
    for rule in pareto.RULES:
        judged = pareto.joint_judgement(totals, DIAGNOSES, rule=rule).set_index("dealer_id")
        assert "".join(judged["brand_share_class"].sort_index()) == "ABBCC"  # the quota
        assert "".join(judged["payments_class"].sort_index()) == abc_letters(
            totals["payments"], rule
        )
    table = pareto.class_table(pareto.joint_judgement(totals, DIAGNOSES))
    shares = table[table["indicator"] == "brand_share"]
    # not additive: no sum, no share of a sum
    assert shares[["value", "value_share"]].isna().all(axis=None)
    labels = [line.get_label() for line in pareto.plot_lorenz(totals).lines]
    assert words.label("payments") in labels
    assert words.label("brand_share") not in labels


def test_a_borderline_cut_follows_the_options():
    assert abc_letters([50, 30, 20], "value", cuts=(0.5, 0.5)) == "ACC"
    assert abc_letters(range(10, 0, -1), quota=(0.1, 0.2, 0.7)) == "ABBCCCCCCC"
    assert abc_letters([3, 2, 1], quota=(0, 1, 0)) == "BBB"


@pytest.mark.parametrize(
    ("options", "wording"),
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
def test_senseless_options_are_refused(options, wording):
    with pytest.raises(ValueError, match=wording):
        classes.abc_classes(pd.Series([1.0, 2.0]), **options)


def test_index_and_input_stay():
    values = pd.Series([3, None, 1], index=["x", "y", "x"], dtype="Int64")
    kept = values.copy()
    assert classes.abc_classes(values).to_dict() == {"x": "B", "y": "–"}
    assert classes.abc_classes(values).index.tolist() == ["x", "y", "x"]
    pd.testing.assert_series_equal(values, kept)


# ---- what must hold ------------------------------------------------------------------------------


@RULES
@settings(max_examples=50)
@given(values=anything, seed=st.integers(0, 9))
def test_row_order_is_irrelevant(rule, values, seed):
    rows = money(values)
    shuffled = rows.sample(frac=1, random_state=seed)
    pd.testing.assert_series_equal(
        classes.abc_classes(shuffled, rule).sort_index(), classes.abc_classes(rows, rule)
    )


@RULES
@settings(max_examples=50)
@given(values=anything, factor=st.sampled_from([2, 3, 7, 10, 100, 4096, 99_999]))
@example(values=[30, 20, 10], factor=3)  # the middle one earns the mean exactly
def test_scaling_money_changes_no_class(rule, values, factor):
    scaled = [None if v is None else v * factor for v in values]
    assert abc_letters(money(values), rule) == abc_letters(money(scaled), rule)


@RULES
@settings(max_examples=50)
@given(values=anything)
def test_equal_values_share_a_class_and_better_ones_are_never_worse(rule, values):
    rows = pd.DataFrame(
        {"value": money(values), "letter": classes.abc_classes(money(values), rule)}
    ).dropna()
    assert len(rows.drop_duplicates()) == rows["value"].nunique()
    assert rows.sort_values("value", ascending=False)["letter"].is_monotonic_increasing
    assert (rows.loc[rows["value"] == 0, "letter"] == "C").all()
    assert ((rows["value"] < 0) == (rows["letter"] == "L")).all()


@RULES
@given(values=positive)
def test_a_is_never_empty_where_values_differ(rule, values):
    letters = abc_letters(money(values), rule)
    if len(set(values)) > 1 or len(values) == 1:
        assert letters[values.index(max(values))] == "A"
    else:
        assert set(letters) == {"B"}


@given(values=anything)
def test_quota_is_the_definition(values):
    known = [v for v in values if v is not None]
    for value, letter in zip(values, abc_letters(money(values)), strict=True):
        better = sum(v > value for v in known) if value is not None else 0
        part = Fraction(better, max(len(known), 1))
        flat = len(known) > 1 and len(set(known)) == 1
        if value is None:
            assert letter == "–"
        elif value <= 0:
            assert letter == ("L" if value < 0 else "C")
        elif flat:
            assert letter == "B"
        else:
            assert letter == (
                "A" if part < Fraction(1, 5) else "B" if part < Fraction(3, 5) else "C"
            )


@given(values=anything)
def test_value_rule_is_the_definition(values):
    known = [v for v in values if v is not None]
    whole = sum(v for v in known if v > 0)
    assume(len(known) < 2 or len(set(known)) > 1)
    for value, letter in zip(values, abc_letters(money(values), "value"), strict=True):
        if value is not None and value > 0:
            ahead = Fraction(sum(v for v in known if v > value), whole)
            assert letter == (
                "A" if ahead < Fraction(4, 5) else "B" if ahead < Fraction(19, 20) else "C"
            )


@settings(max_examples=40)
@given(values=anything)
@example(values=[None, None, None, 1, -1])  # whose payments are known has no letter either
def test_class_table_leaves_no_dealer_and_no_money_out(values):
    totals = totals_of(payments=money(values), gross_profit=money(values)[::-1].to_numpy())
    judged = pareto.joint_judgement(totals, DIAGNOSES)
    for indicator, told in pareto.class_table(judged).groupby("indicator"):
        rows, net = told[told["class"] != "net"], told[told["class"] == "net"]
        assert rows["n_dealers"].sum() == len(values)
        assert rows["dealer_share"].sum() == pytest.approx(1)
        assert rows["value"].sum() == pytest.approx(judged[indicator].sum(), abs=1e-6)
        if (judged[indicator] > 0).any():
            # of what is above zero, whatever the losses
            assert rows["value_share"].sum() == pytest.approx(1)
        assert len(net) == (judged[indicator] < 0).any()
        assert (net["value"] - judged[indicator].sum()).abs().lt(0.01).all()


@settings(max_examples=60)
@given(values=anything, seed=st.integers(0, 9))
def test_the_shares_of_the_classes_are_one_whole_in_any_order(values, seed):
    v, letters = money(values), classes.abc_classes(money(values))
    sums = pareto.gains_and_losses(v)
    assert sums.net == pytest.approx(v.sum(), abs=0.006) and sums.n_losing == (v < 0).sum()
    parts = [classes.held_share(v, letters == letter) for letter in "ABC"]
    if sums.gains > 0:
        assert sum(parts) == pytest.approx(1)
        assert classes.held_share(v, letters.isin(["L", "–"])) == 0
    else:
        assert all(math.isnan(part) for part in parts)
    mixed = v.sample(frac=1, random_state=seed)
    assert classes.held_share(mixed, (letters == "A").reindex(mixed.index)) == pytest.approx(
        parts[0], nan_ok=True
    )
    assert pareto.gains_and_losses(mixed) == sums


@given(values=anything)
def test_shares_of_parts_sum_to_one_and_a_loss_has_none(values):
    parts = pareto.shares_of_gains(money(values))
    assert (parts.isna() == ~(money(values) >= 0)).all() or not (money(values) > 0).any()
    assert parts.sum() == pytest.approx(1 if (money(values) > 0).any() else 0)


@given(values=anything)
def test_lorenz_curve_runs_from_nothing_to_everything_and_is_concave(values):
    curve = classes.lorenz_curve(money(values))
    n = sum(v is not None and v > 0 for v in values)
    assert len(curve) == n + 1
    assert curve.iloc[0].tolist() == [0, 0]
    assert curve.iloc[-1].tolist() == ([1, 1] if n else [0, 0])
    steps = np.diff(curve["value_share"])
    assert (steps >= 0).all()
    # best first: each dealer adds no more than the one before
    assert (np.diff(steps) <= 1e-12).all()


@given(values=positive, factor=st.integers(2, 1000))
def test_gini_is_the_mean_difference_and_knows_no_unit(values, factor):
    found, n = classes.gini(money(values)), len(values)
    twin = Fraction(sum(abs(a - b) for a in values for b in values), 2 * n * sum(values))
    assert found == pytest.approx(float(twin), abs=1e-9)
    assert 0 <= found < 1
    assert classes.gini(money([v * factor for v in values])) == pytest.approx(found, abs=1e-9)


def test_gini_of_nothing_is_unknown_and_counts_positive_values_only():
    assert math.isnan(classes.gini(pd.Series([], dtype="float64")))
    assert math.isnan(classes.gini(pd.Series([0.0, -2, np.nan])))
    assert classes.gini(pd.Series([1, 3, 0, -5, np.nan])) == classes.gini(pd.Series([1, 3])) == 0.25


def test_gini_interval_contains_the_point_mostly_and_is_the_same_each_time():
    inside = 0
    for seed in range(40):
        values = pd.Series(np.random.default_rng(seed).lognormal(8, 1.2, 120))
        low, high = classes.gini_interval(values, n_resamples=120)
        assert 0 <= low < high < 1
        inside += low <= classes.gini(values) <= high
    assert inside >= 36
    assert classes.gini_interval(values) == classes.gini_interval(values)
    assert classes.gini_interval(values, seed=1) != classes.gini_interval(values, seed=2)
    wide = classes.gini_interval(values, level=0.99)
    assert wide[0] < classes.gini_interval(values, level=0.5)[0]
    assert all(math.isnan(end) for end in classes.gini_interval(pd.Series([5.0])))


def test_top_share_by_hand():
    assert classes.top_share(pd.Series([1.0] * 9 + [11])) == 0.6  # two of ten: 11 and 1 of 20
    # at least one dealer: a fifth of two is none
    assert classes.top_share(pd.Series([3.0, 1])) == 0.75
    assert classes.top_share(pd.Series([4.0, 4, -9, np.nan])) == 0.5
    assert math.isnan(classes.top_share(pd.Series([0.0, -1])))


# ---- independent implementations -----------------------------------------------------------------

TWIN = """
WITH known AS (SELECT *, SUM(v) FILTER (v > 0) OVER () AS whole, COUNT(v) OVER () AS n,
        5 * (RANK() OVER (ORDER BY v DESC NULLS LAST) - 1) AS better5,
        SUM(greatest(v, 0)) OVER (ORDER BY v DESC NULLS LAST)
          - greatest(v, 0) * COUNT(*) OVER (PARTITION BY v) AS ahead
    FROM (SELECT i, CAST(v AS DECIMAL(18, 2)) AS v FROM given))
SELECT CASE WHEN v IS NULL THEN '–'
    WHEN v < 0 THEN 'L' WHEN v = 0 THEN 'C' WHEN better5 < n THEN 'A'
        WHEN better5 < 3 * n THEN 'B' ELSE 'C' END AS quota,
    CASE WHEN v IS NULL THEN '–'
    WHEN v < 0 THEN 'L' WHEN v = 0 THEN 'C' WHEN ahead * 100 < whole * 80 THEN 'A'
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
        assert abc_letters(given_rows["v"], rule) == "".join(twin[rule])


def ultsch_loetsch(values: list[int]) -> tuple[int, int]:
    """Limits of Ultsch & Lötsch from their definitions alone, in fractions.

    Sizes of A and of A with B.
    """
    v = sorted((x for x in values if x > 0), reverse=True)
    n, total = len(v), sum(v)
    points = [(Fraction(i, n), Fraction(sum(v[:i]), total)) for i in range(1, n + 1)]

    def nearest(x: Fraction) -> int:
        return min(range(n), key=lambda i: (points[i][0] - x) ** 2 + (points[i][1] - 1) ** 2) + 1

    pareto_point = nearest(Fraction(0))
    # while one more dealer brings more than the mean
    break_even = max(sum(x * n > total for x in v), 1)
    a = min(pareto_point, break_even)
    return a, max(nearest(Fraction(max(pareto_point, break_even), n)), a)


@given(values=st.lists(st.integers(1, 10_000_000), min_size=1, max_size=50, unique=True))
# the third earns the mean exactly: the break-even point lies before him
@example(values=[36, 28, 23, 21, 7])
def test_computed_limits_equal_a_reference_written_from_the_paper(values):
    assert classes.computed_limits(money(values)) == ultsch_loetsch(values)


def test_computed_limits_where_abc_analysis_finds_no_a():
    for values in ([9, 5, 1], [9, 5, 3, 1], [1000, *[1] * 9]):
        assert classes.computed_limits(pd.Series(values))[0] >= 1
    assert classes.computed_limits(pd.Series([0.0, -1])) == (0, 0)


@pytest.mark.parametrize(
    ("n", "n_a", "n_b"), [(25, 6, 4), (60, 15, 7), (200, 45, 22), (1000, 238, 111)]
)
def test_computed_limits_are_near_those_of_abc_analysis(n, n_a, n_b):
    """Sizes printed by abc-analysis 0.1.23 on these very values.

    It smooths with a spline, so it is a loose oracle.
    """
    a, ab = classes.computed_limits(pd.Series(lognormal(n)))
    assert abs(a - n_a) <= 3
    assert abs(ab - n_a - n_b) <= 3


def test_quota_equals_openretailscience_on_tie_free_data():
    """Letters of openretailscience 0.48.1, thresholds .4 .8 1.

    For n in fives its percent rank cuts where ours does.
    """
    assert abc_letters(lognormal(25)) == "BCCCACCBBCBCAAABCCBCBBBAB"


# ---- plots ---------------------------------------------------------------------------------------


def text_of(ax) -> str:
    return " ".join(t.get_text() for t in ax.figure.texts).replace("\n", " ")


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_the_pareto_plot_draws_the_table(language):
    look.use(language, "CNY")
    judged = pareto.joint_judgement(
        totals_of(payments=[500.0, 200, 100, 80, 60, 40, 20, 0, -5, np.nan]), DIAGNOSES
    )
    ax = pareto.plot_pareto(judged, "payments", note="2026")
    curve = ax.lines[0]
    np.testing.assert_allclose(curve.get_ydata(), [0, 0.5, 0.7, 0.8, 0.88, 0.94, 0.98, 1])
    # zero, negative and missing are no point of the curve
    assert curve.get_xdata().tolist() == list(range(8))
    table = pareto.class_table(judged).set_index("class")["n_dealers"]
    borders = [line.get_xdata()[0] for line in ax.lines[1:]]
    assert borders == [table["A"], table["A"] + table["B"]] == [2, 6]
    heights = [line.get_ydata()[1] for line in ax.lines[1:]]
    np.testing.assert_allclose(heights, [0.7, 0.98])
    assert "2" in text_of(ax)
    assert "20%" in text_of(ax)  # two of ten dealers …
    assert "70%" in text_of(ax)  # … carry so much
    assert words.label("payments").lower() in text_of(ax).lower()
    assert ax.figure.alt_text


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_the_pareto_plot_says_where_there_are_no_vital_few(language):
    look.use(language, "CNY")
    ax = pareto.plot_pareto(pareto.joint_judgement(totals_of(payments=[3.0] * 6), DIAGNOSES))
    assert words.say("pareto.no_few", indicator=words.label("payments")) in text_of(ax)
    assert len(ax.lines) == 1  # no border


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_the_lorenz_plot_draws_each_curve_and_says_its_gini(language):
    look.use(language, "CNY")
    totals = totals_of(payments=[70.0, 20, 10], gross_profit=[5.0, 5, 5])
    ax = pareto.plot_lorenz(totals)
    lines = {line.get_label(): line for line in ax.lines}
    # poorest first
    np.testing.assert_allclose(lines[words.label("payments")].get_ydata(), [0, 0.1, 0.3, 1])
    np.testing.assert_allclose(lines[words.label("gross_profit")].get_ydata(), [0, 1 / 3, 2 / 3, 1])
    assert f"{classes.gini(totals['payments']):.2f}" == "0.40"
    assert "0.40" in text_of(ax)
    assert "0.00" in text_of(ax)


def test_plots_survive_nobody():
    judged = pareto.joint_judgement(
        totals_of(payments=[1.0], gross_profit=[1.0], brand_share=[1.0], revenue=[1.0]).head(0),
        DIAGNOSES,
    )
    assert pareto.plot_pareto(judged) is None  # an empty frame would look like a finding
    assert pareto.plot_lorenz(judged) is None


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_the_pareto_plot_of_gains_says_what_it_leaves_out(language):
    look.use(language, "CNY")
    judged = pareto.joint_judgement(totals_of(payments=[80.0, 20, -40]), DIAGNOSES)
    ax = pareto.plot_pareto(judged)
    assert "80%" in text_of(ax)  # of 100 that came in, not of the 60 left
    assert words.say("pareto.curve_losses", n=1, losses=-40.0) in text_of(ax)
    alone = pareto.plot_lorenz(totals_of(payments=[80.0, -40]))
    assert "nan" not in text_of(alone)
    losing = pareto.joint_judgement(totals_of(payments=[-1.0, -2]), DIAGNOSES)
    assert pareto.plot_pareto(losing) is None and pareto.plot_lorenz(losing) is None


def test_a_plot_takes_given_axes():
    judged = pareto.joint_judgement(totals_of(payments=[5.0, 4, 3, 2, 1]), DIAGNOSES)
    _figure, ax = plt.subplots()
    assert pareto.plot_pareto(judged, ax=ax) is ax
