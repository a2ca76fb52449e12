"""The five strategies.

Intervals against scipy and the papers, planted evidence found, silence where there is none.
"""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from helpers import look, words
from helpers.consumers import month, number_of_groups, strategies, sums

pytestmark = pytest.mark.usefixtures("looks")

NAMES = {"g1": "Bargain", "g2": "Premium"}


def text_of(ax) -> str:
    return " ".join(t.get_text() for t in ax.figure.texts).replace("\n", " ")


def nothing(*columns: str) -> pd.DataFrame:
    return pd.DataFrame(
        {c: pd.Series(dtype="float64" if c.startswith("n_") else "str") for c in columns}
    )


def lines(labels, **given) -> pd.DataFrame:
    habits = pd.DataFrame(
        {
            "consumer_id": labels.index,
            "discount_share": np.nan,
            "peak_share": np.nan,
            "recency_days": np.nan,
        }
    )
    habits = {"frequency": 2.0} | dict(given.pop("habits", habits))
    habits = pd.DataFrame(habits)
    given = {"peak": (5, 6, 7), "peak_part": 0.3} | given
    empty = {
        "by_category": nothing("group", "category", "n_consumers"),
        "responses": nothing("group", "promotion_kind", "n_contacts", "n_responses"),
        "by_dealer": nothing("group", "dealer_id", "n_consumers").assign(amount=0.0),
        "dealers": pd.DataFrame({"dealer_id": ["D1", "D2"], "dealer_name": ["North", "South"]}),
    }
    return strategies.strategy_lines(
        strategies.strategy_evidence(habits, labels, **{**empty, **given})
    )


def line(rows: pd.DataFrame, group: str, strategy: str) -> pd.Series:
    return rows[(rows["group"] == group) & (rows["strategy"] == strategy)].iloc[0]


@pytest.fixture
def labels() -> pd.Series:
    return pd.Series(["g1"] * 100 + ["g2"] * 100, index=[f"C{i:03d}" for i in range(200)])


# ---- intervals -----------------------------------------------------------------------------------


@given(n=st.integers(1, 500), part=st.floats(0, 1), level=st.floats(0.5, 0.999))
def test_wilson_interval_is_scipys(n, part, level):
    yes = round(n * part)
    low, high = sums.wilson_interval(yes, n, level)
    theirs = stats.binomtest(yes, n).proportion_ci(level, method="wilson")
    assert low == pytest.approx(theirs.low, abs=1e-9)
    assert high == pytest.approx(theirs.high, abs=1e-9)


def test_no_trial_has_no_interval():
    low, high = sums.wilson_interval([0, 3], [0, 6])
    assert math.isnan(low[0])
    assert math.isnan(high[0])
    assert low[1] < 0.5 < high[1]


@pytest.mark.parametrize(
    ("a", "n", "b", "m", "low", "high"),
    [  # the comparisons of Newcombe's table II, method 10
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
    ],
)
def test_difference_of_rates_is_newcombes(a, n, b, m, low, high):
    assert sums.rate_difference(a, n, b, m) == pytest.approx((low, high), abs=6e-5)


def test_difference_of_means_is_welchs():
    rng = np.random.default_rng(3)
    values, inside = pd.Series(rng.normal(0, 1, 5000)), pd.Series(np.arange(5000) < 1500)
    values[inside] += 0.3
    values[7] = np.nan
    mean, others, low, high = sums.mean_difference(values, inside)
    a, b = values[inside].dropna(), values[~inside]
    theirs = stats.ttest_ind(a, b, equal_var=False).confidence_interval()
    assert (mean, others) == pytest.approx((a.mean(), b.mean()))
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=2e-4)


# ---- the lines -----------------------------------------------------------------------------------


def test_every_group_has_every_strategy_and_is_silent_without_evidence(labels):
    rows = lines(labels)
    assert len(rows) == 10
    assert rows["is_silent"].all()
    assert rows["line"].eq("").all()
    said = strategies.silence(rows, NAMES)
    assert said[0].startswith("For 10 of 10 pairs")
    assert said[1] == "Product: nothing can be said of Bargain, Premium."
    assert strategies.strategy_table(rows, NAMES).empty


def test_with_one_group_there_is_nobody_to_compare_with(labels):
    habits = pd.DataFrame(
        {"consumer_id": labels.index, "discount_share": 0.3, "peak_share": 0.1, "recency_days": 9.0}
    )
    alone = lines(labels.replace("g2", "g1"), habits=habits)
    assert alone["is_silent"].all()
    assert strategies.silence(alone, NAMES) == [words.say("strategies.one_group")]
    sent = pd.DataFrame(
        {
            "group": "g1",
            "promotion_kind": ["gift", "event"],
            "n_contacts": 400,
            "n_responses": [120, 20],
        }
    )
    rows = lines(labels.replace("g2", "g1"), responses=sent)
    assert rows.loc[~rows["is_silent"], "strategy"].tolist() == ["promotion"], (
        "kinds can still be compared"
    )


def test_product_names_the_category_that_the_group_itself_buys_most(labels):
    bought = pd.DataFrame(
        {
            "group": ["g1", "g2", "g1", "g2", "g1", "g2"],
            "category": ["fan", "fan", "oven", "oven", "hood", "hood"],
            "n_consumers": [70, 20, 30, 45, 5, 0],
        }
    )
    rows = lines(labels, by_category=bought)
    found = line(rows, "g1", "product")
    # three categories: a third of the error each; nobody is supposed to have bought both
    half = stats.norm.ppf(1 - 0.05 / 2 / 3) * np.sqrt((0.7 + 0.3 - 0.4**2) / 100)
    assert found["line"].startswith(
        "Lead with fan: 70% of them bought it, more than any other category (oven comes next with"
        " 30%;"
    )
    assert found[["figure", "others", "low", "high", "n"]].tolist() == pytest.approx(
        [0.7, 0.2, 0.4 - half, 0.4 + half, 100]
    )
    # hoods are what the others lack, ovens what half of these buy: 45 beside 20 of 100
    other = line(rows, "g2", "product")
    assert other["line"].startswith("Lead with oven: 45% of them bought it")
    level = lines(labels, by_category=bought.assign(n_consumers=[40, 20, 38, 45, 5, 0]))
    assert line(level, "g1", "product")["is_silent"], "two lead, and none of them surely"


def test_a_leading_category_is_told_at_least_as_surely_as_the_people_say():
    """Where who bought what is known, McNemar's interval lies within the one that is told."""
    draw = np.random.default_rng(6)
    for _ in range(50):
        first, second = draw.random((2, 400)) < np.array([[0.5], [0.35]])
        apart = first.mean() - second.mean()
        exact = np.sqrt(np.var(first.astype(float) - second, ddof=0) / 400)
        told = np.sqrt((first.mean() + second.mean() - apart**2) / 400)
        assert exact <= told


def test_a_category_with_few_buyers_is_no_evidence(labels):
    bought = pd.DataFrame({"group": ["g1", "g2"], "category": "fan", "n_consumers": [29, 0]})
    assert lines(labels, by_category=bought)["is_silent"].all()


def test_price_and_season_follow_the_sign_of_the_difference(labels):
    rng = np.random.default_rng(1)
    first = (labels == "g1").to_numpy()
    habits = pd.DataFrame(
        {
            "consumer_id": labels.index,
            "discount_share": np.where(first, 0.2, 0.05) + rng.normal(0, 0.02, 200),
            "peak_share": np.where(first, 0.2, 0.8) + rng.normal(0, 0.05, 200),
            "recency_days": np.where(first, 500.0, 20.0) + rng.normal(0, 5, 200),
            "frequency": np.where(np.arange(200) % 10 == 0, 1.0, 3.0),
        }
    )
    before = habits.copy()
    evidence = strategies.strategy_evidence(
        habits,
        labels,
        by_category=nothing("group", "category", "n_consumers"),
        peak=(5, 6, 7),
        peak_part=0.3,
        responses=nothing("group", "promotion_kind", "n_contacts", "n_responses"),
        by_dealer=nothing("group", "dealer_id", "n_consumers").assign(amount=0.0),
        dealers=pd.DataFrame({"dealer_id": [], "dealer_name": []}),
    )
    rows = strategies.strategy_lines(evidence)
    assert line(rows, "g1", "price")["line"].startswith(
        "Price decides: they pay 20% less than list, all others 5%"
    )
    assert line(rows, "g2", "price")["line"].startswith("Hold the price: they pay 5% less")
    assert line(rows, "g1", "season")["line"].startswith("Fill the quiet months")
    assert line(rows, "g2", "season")["line"].startswith(
        "Have stock before May–Jul: they buy 80% of all they buy then, and these are 30% of the"
    )
    assert line(rows, "g1", "sales_management")["line"].startswith(
        "Win them back: of those who used to come (twice at least), 100% bought nothing"
    )
    # one in ten came once: nobody can win back who never had the habit
    assert "(90 people)" in line(rows, "g1", "sales_management")["line"]
    assert line(rows, "g2", "sales_management")["line"].startswith(
        "Keep the tie: of those who used to come (twice at least), 0%"
    )
    assert not rows[rows["strategy"].isin(["price", "season"])]["is_silent"].any()
    pd.testing.assert_frame_equal(habits, before)


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_what_the_groups_were_made_of_is_called_so_and_not_tested(labels, language):
    look.use(language, "CNY")
    first = (labels == "g1").to_numpy()
    habits = pd.DataFrame(
        {
            "consumer_id": labels.index,
            "discount_share": np.where(first, 0.2, 0.05),
            "peak_share": np.where(first, 0.1, 0.8),
            "recency_days": np.nan,
        }
    )
    rows = lines(labels, habits=habits, made_of=("discount_share", "peak_share"))
    told = rows[~rows["is_silent"]]
    assert set(told["strategy"]) == {"price", "season"} and len(told) == 4
    assert told[["low", "high"]].isna().all(axis=None), "no interval of what is so by making"
    made = {"en": "The groups were made by this, so it is no finding.", "zh-Hans": "并非发现"}
    assert told["line"].str.contains(made[language]).all()
    tested = lines(labels, habits=habits)
    assert tested.loc[~tested["is_silent"], "low"].notna().all()
    assert not tested["line"].str.contains(made[language]).any()


def test_season_is_held_against_the_calendar_and_not_against_the_others(labels):
    """Nine of thirty months are of the peak: who buys evenly buys 30 % then."""
    rng = np.random.default_rng(4)
    first = (labels == "g1").to_numpy()
    habits = pd.DataFrame(
        {
            "consumer_id": labels.index,
            "discount_share": np.nan,
            "peak_share": np.where(first, 0.3, 0.9) + rng.normal(0, 0.05, 200),
            "recency_days": np.nan,
        }
    )
    rows = lines(labels, habits=habits)
    assert line(rows, "g1", "season")["is_silent"], "even buyers fill no quiet months"
    found = line(rows, "g2", "season")
    own = habits["peak_share"][~first]
    ends = stats.norm.interval(0.95, own.mean() - 0.3, own.std() / 10)
    assert (found["low"], found["high"]) == pytest.approx(ends)
    assert month.peak_part((5, 6, 7), "2024-05", 30) == pytest.approx(9 / 30)


def test_few_consumers_are_too_few_to_tell_and_not_none(labels):
    alone = lines(labels.replace("g2", "g1"))
    said = strategies.silence(alone, NAMES, n=20)
    assert said == [words.say("strategies.too_few", n=20, least=number_of_groups.FEWEST)]
    assert strategies.silence(alone, NAMES, n=5000) == [words.say("strategies.one_group")]


def test_a_difference_that_may_be_chance_is_not_told(labels):
    habits = pd.DataFrame(
        {
            "consumer_id": labels.index,
            "discount_share": np.tile([0.1, 0.3], 100),
            "peak_share": np.tile([0.2, 0.4], 100),  # the calendar's part: 0.3
            "recency_days": np.tile([10.0, 600.0], 100),
        }
    )
    assert lines(labels, habits=habits)["is_silent"].all()


def test_a_difference_that_nobody_would_notice_is_not_told():
    labels = pd.Series(np.repeat(["g1", "g2"], 5000), index=[f"C{i}" for i in range(10_000)])
    rng = np.random.default_rng(2)
    habits = pd.DataFrame(
        {
            "consumer_id": labels.index,
            "peak_share": np.nan,
            "recency_days": np.nan,
            "discount_share": rng.normal(0.1, 0.02, 10_000) + 0.012 * (labels == "g1").to_numpy(),
        }
    )
    _mean, _others, low, _high = sums.mean_difference(
        habits["discount_share"].set_axis(labels.index), labels == "g1"
    )
    assert low > 0, "chance can tell it"
    assert lines(labels, habits=habits)["is_silent"].all()


def test_promotion_names_the_kind_answered_best(labels):
    sent = pd.DataFrame(
        {
            "group": ["g1", "g1", "g2", "g2"],
            "promotion_kind": ["gift", "event", "gift", "event"],
            "n_contacts": [400, 400, 400, 400],
            "n_responses": [120, 20, 20, 22],
        }
    )
    rows = lines(labels, responses=sent)
    assert line(rows, "g1", "promotion")["line"].startswith(
        "Write to them about Gift: 30% of 400 contacts came"
    )
    assert line(rows, "g1", "promotion")["others"] == pytest.approx(0.05)
    assert line(rows, "g2", "promotion")["line"].startswith(
        "Save the letters: 5% of 800 contacts came"
    ), "no best kind"


def test_promotion_is_silent_below_thirty_contacts(labels):
    sent = pd.DataFrame(
        {
            "group": ["g1", "g2"],
            "promotion_kind": "gift",
            "n_contacts": [29, 29],
            "n_responses": [29, 0],
        }
    )
    rates = sums.response_rates(sent)
    assert rates["is_thin"].all()
    assert lines(labels, responses=sent)["is_silent"].all()


def test_dealers_that_serve_a_group_more_than_the_network(labels):
    by_dealer = pd.DataFrame(
        {
            "group": ["g1", "g2", "g1", "g2", "g1"],
            "dealer_id": ["D1", "D1", "D2", "D2", "D3"],
            "n_consumers": [90, 10, 10, 90, 20],
            "amount": 1.0,
        }
    )
    dealers = pd.DataFrame({"dealer_id": ["D1", "D2"], "dealer_name": ["North", "South"]})
    served = sums.group_dealers(by_dealer, dealers)
    assert set(served["dealer_id"]) == {"D1", "D2"}, (
        "a dealer with 20 known consumers is not judged"
    )
    assert served[served["serves_more"]][["group", "dealer_name"]].to_numpy().tolist() == [
        ["g1", "North"],
        ["g2", "South"],
    ]
    low, high = sums.wilson_interval(90, 100, 1 - 0.05 / 4)
    assert served.iloc[0][["low_share", "high_share"]].tolist() == pytest.approx([low, high])
    assert sums.served_sentences(served) == []
    assert sums.served_most(served, NAMES)["group"].tolist() == ["Bargain", "Premium"]
    alike = sums.group_dealers(
        by_dealer[by_dealer["dealer_id"] != "D3"].assign(n_consumers=50), dealers
    )
    assert sums.served_most(alike, NAMES).empty
    assert sums.served_sentences(alike)[0].startswith(
        "2 dealers have at least 30 known consumers; none"
    )
    found = line(lines(labels, by_dealer=by_dealer, dealers=dealers), "g1", "sales_management")
    assert found["line"].startswith(
        "1 dealer serves more of them than usual: North. At the first, 90% of the known"
    )


def test_chance_rarely_speaks():
    # 200 consumers with habits that have nothing to do with the groups: each strategy may err in
    # one of twenty pairs
    told = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        labels = pd.Series(np.repeat(["g1", "g2"], 150), index=[f"C{i}" for i in range(300)])
        habits = pd.DataFrame(
            {
                "consumer_id": labels.index,
                "discount_share": rng.normal(0.1, 0.05, 300),
                "peak_share": rng.uniform(0, 0.6, 300),
                "recency_days": rng.exponential(400, 300),
            }
        )
        buyers = rng.binomial(150, 0.4, (2, 6))
        bought = pd.DataFrame(
            {
                "group": np.repeat(["g1", "g2"], 6),
                "category": list("abcdef") * 2,
                "n_consumers": buyers.ravel(),
            }
        )
        sent = pd.DataFrame(
            {
                "group": np.repeat(["g1", "g2"], 3),
                "promotion_kind": list("abc") * 2,
                "n_contacts": 200,
                "n_responses": rng.binomial(200, 0.1, 6),
            }
        )
        told.append(
            ~lines(labels, habits=habits, by_category=bought, responses=sent)[
                "is_silent"
            ].to_numpy()
        )
    assert np.mean(told) < 0.08


# ---- seasons and responses -----------------------------------------------------------------------


def test_seasonality_is_one_on_average():
    rng = np.random.default_rng(5)
    months = pd.DataFrame(
        {
            "group": np.repeat(["g1", "g2"], 12),
            "calendar_month": list(range(1, 13)) * 2,
            "amount": rng.gamma(2, 50, 24),
            "n_months": [3] * 10 + [2] * 2 + [3] * 10 + [2] * 2,
        }
    )
    index = sums.seasonality(months)
    assert index.groupby("group")["index"].mean().tolist() == pytest.approx([1, 1])
    assert len(index) == 24
    same = sums.seasonality(months.assign(amount=months["amount"] * 7))
    pd.testing.assert_frame_equal(index, same)  # money's unit is of no account


def test_months_that_occur_more_often_are_not_higher():
    months = pd.DataFrame(
        {
            "group": "g1",
            "calendar_month": range(1, 13),
            "amount": [20.0] * 6 + [30.0] * 6,
            "n_months": [2] * 6 + [3] * 6,
        }
    )
    assert sums.seasonality(months)["index"].tolist() == pytest.approx([1.0] * 12)


def test_plot_season_names_the_highest_month():
    months = pd.DataFrame(
        {
            "group": "g2",
            "calendar_month": range(1, 13),
            "amount": [10.0] * 6 + [54.0] + [10.0] * 5,
            "n_months": 1,
        }
    )
    ax = sums.plot_season(sums.seasonality(months), NAMES)
    assert "“Premium” buys 4.0 times its average month in Jul" in text_of(ax)
    assert [t.get_text() for t in ax.texts].count("4.0") == 1


def test_plot_responses_draws_rate_and_interval():
    sent = pd.DataFrame(
        {
            "group": ["g1", "g2", "g1"],
            "promotion_kind": ["gift", "gift", "event"],
            "n_contacts": [100, 100, 5],
            "n_responses": [30, 5, 5],
        }
    )
    rates = sums.response_rates(sent)
    ax = sums.plot_responses(rates, NAMES)
    assert "“Bargain” answers best: 30% came after “Gift”" in text_of(ax)
    assert [round(float(mark.get_xdata()[0]), 2) for mark in ax.lines] == [0.3, 0.05]
    low, high = sums.wilson_interval(30, 100)
    assert ax.collections[0].get_segments()[0][:, 0].tolist() == pytest.approx([low, high])


def test_nothing_to_draw_is_said():
    assert "response rates are not drawn" in text_of(
        sums.plot_responses(
            sums.response_rates(nothing("group", "promotion_kind", "n_contacts", "n_responses")),
            {},
        )
    )
    empty = nothing("group", "calendar_month", "n_months").assign(amount=0.0)
    assert "no season is drawn" in text_of(sums.plot_season(sums.seasonality(empty), {}))


@pytest.mark.parametrize(("n_months", "told"), [(1, False), (3, False), (11, False), (12, True)])
def test_no_season_where_some_months_were_never_seen(n_months, told):
    months = pd.DataFrame(
        {"group": "g1", "calendar_month": range(1, 4), "amount": 20.0, "n_months": 1}
    )
    assert len(sums.seasonality(months, n_months)) == 12 * told


@pytest.mark.parametrize(
    ("covered", "said"),
    [([0.0, np.nan], "is not known: no cost"), ([5.0, 0.0], "No group is large enough")],
)
def test_why_no_margin_is_shown_is_said(covered, said):
    assert said in sums.no_margin(pd.DataFrame({"amount_covered": covered}))


@pytest.mark.parametrize("months", [(5, 6, 7), (12, 1, 2), (1, 5, 9), (4,), ()])
def test_month_names(months):
    said = {
        (5, 6, 7): "May–Jul",
        (12, 1, 2): "Dec–Feb",
        (1, 5, 9): "Jan, May, Sep",
        (4,): "Apr",
        (): "–",
    }
    assert strategies.month_names(months) == said[months]


def test_margin_is_that_of_the_lines_whose_cost_is_known():
    margin = pd.DataFrame(
        {
            "group": ["g1", "g2"],
            "amount": [100.0, 50.0],
            "amount_covered": [80.0, 0.0],
            "gross_profit": [20.0, np.nan],
            "covered_share": [0.8, 0.0],
        }
    )
    rows = sums.margin_table(margin, NAMES)
    assert rows["gross_margin_rate"].tolist()[0] == pytest.approx(0.25)
    assert math.isnan(rows["gross_margin_rate"][1])
    assert rows["group"].tolist() == ["Bargain", "Premium"]
    assert sums.margin_table(margin.assign(amount_covered=0.0), NAMES).empty, "no cost is known"
