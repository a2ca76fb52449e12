"""Who the dealers are and how the network moves.

Worked by hand, by a plain-Python twin, and by what must hold.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.container import BarContainer

from helpers import look, periods, words
from helpers.segmentation import kinds, network, summary

pytestmark = pytest.mark.usefixtures("looks")

RULES = pd.read_csv(words.REFERENCE / "formats.csv")
HANDBOOK = pd.read_csv(words.REFERENCE / "handbook_formats.csv")
MONTHS = periods.month_range("2026-10", 14)


def dealers_of(**columns) -> pd.DataFrame:
    given = pd.DataFrame(columns)
    return given.reindex(
        columns=list(
            dict.fromkeys(
                ["dealer_id", "customer_type", "store_format", "floor_area_m2", "area_type", *given]
            )
        )
    )


def totals_of(**columns) -> pd.DataFrame:
    given = pd.DataFrame(columns)
    return given.reindex(
        columns=list(dict.fromkeys(["dealer_id", "revenue", "gross_profit", *given]))
    )


def months_of(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["dealer_id", "month", "revenue"])


# ---- customer types ------------------------------------------------------------------------------


def test_customer_mix_by_hand():
    dealers = dealers_of(dealer_id=list("abcd"), customer_type=["channel", "channel", "b2b", None])
    totals = totals_of(
        dealer_id=list("abd"), revenue=[60.0, -10.0, 50.0], gross_profit=[6.0, np.nan, 2.0]
    )
    mix = kinds.customer_mix(dealers, totals).set_index("customer_type")
    # not stated is last, whatever it brings
    assert mix.index.tolist() == ["channel", "b2b", "not_stated"]
    assert mix["n_dealers"].tolist() == [2, 1, 1]
    assert mix["n_active"].tolist() == [1, 0, 1]
    assert mix["revenue_share"].tolist() == [0.5, 0.0, 0.5]
    assert mix["gross_profit"].fillna(-1).tolist() == [6.0, -1, 2.0]
    assert mix["gross_profit_share"].dropna().tolist() == [0.75, 0.25]


def test_customer_mix_keeps_money_without_a_dealer_but_counts_nobody():
    totals = totals_of(dealer_id=["a", None], revenue=[30.0, 10.0])
    mix = kinds.customer_mix(dealers_of(dealer_id=["a"], customer_type=["channel"]), totals)
    assert mix["revenue"].sum() == 40
    assert mix["n_dealers"].sum() == 1


def test_customer_mix_without_money_has_no_shares():
    mix = kinds.customer_mix(
        dealers_of(dealer_id=["a"], customer_type=["b2b"]),
        totals_of(dealer_id=["a"], revenue=[0.0]),
    )
    assert mix["revenue_share"].isna().all() and mix["gross_profit"].isna().all()


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["channel", "b2b", "", None]), st.integers(-50, 10_000)),
        min_size=1,
    ),
    seed=st.integers(0, 99),
)
def test_customer_mix_shares_sum_to_one_in_any_order(rows, seed):
    ids = [f"d{i}" for i in range(len(rows))]
    dealers = dealers_of(dealer_id=ids, customer_type=[row[0] for row in rows])
    totals = totals_of(dealer_id=ids, revenue=[float(row[1]) for row in rows])
    mix = kinds.customer_mix(dealers, totals)
    assert mix["dealer_share"].sum() == pytest.approx(1)
    if totals["revenue"].sum() > 0:
        assert mix["revenue_share"].sum() == pytest.approx(1)
    shuffled = kinds.customer_mix(
        dealers.sample(frac=1, random_state=seed), totals.sample(frac=1, random_state=seed + 1)
    )
    pd.testing.assert_frame_equal(mix, shuffled)
    scaled = kinds.customer_mix(dealers, totals.assign(revenue=totals["revenue"] * 4))
    assert scaled["customer_type"].tolist() == mix["customer_type"].tolist()


# ---- formats -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("area", "decided"),
    [
        (99, "undecided"),
        (100, "convenience_store"),
        (999.9, "convenience_store"),
        (1000, "supermarket"),
        (2500, "hypermarket"),
        (5000, "department_store"),
        (7000, "mall"),
        (10_000, "warehouse_store"),
        (1e6, "warehouse_store"),
        (0, "undecided"),
        (-5, "undecided"),
        (np.nan, "undecided"),
    ],
)
def test_floor_area_decides_at_the_handbooks_limits(area, decided):
    row = kinds.store_formats(dealers_of(dealer_id=["a"], floor_area_m2=[area]), RULES).iloc[0]
    assert row["store_format"] == decided
    assert row["decided_by"] == ("undecided" if decided == "undecided" else "by_area")


@pytest.mark.parametrize(
    ("given", "decided"),
    [
        ("chain", "chain"),
        ("家电城", "appliance_mall"),
        ("Department Store", "department_store"),
        ("kiosk", "kiosk"),
    ],
)
def test_a_given_format_wins(given, decided):
    row = kinds.store_formats(
        dealers_of(dealer_id=["a"], store_format=[given], floor_area_m2=[9000]), RULES
    ).iloc[0]
    assert (row["store_format"], row["decided_by"]) == (decided, "given")


def test_store_formats_keep_rows_and_input():
    dealers = dealers_of(dealer_id=["a", "b"], store_format=["", None], floor_area_m2=[1200, None])
    before = dealers.copy(deep=True)
    decided = kinds.store_formats(dealers, RULES)
    assert decided["store_format"].tolist() == ["supermarket", "undecided"]
    assert decided["dealer_id"].tolist() == ["a", "b"]
    pd.testing.assert_frame_equal(dealers, before)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("shop", 100), ("shop", 200)], "'shop' has more than one row"),
        ([("shop", 100), ("store", 100)], "'shop' and 'store' begin at the same 100 m²"),
        ([("shop", -1)], "min_area_m2 of 'shop' is '-1'"),
        ([("shop", "big")], "min_area_m2 of 'shop' is 'big'"),
    ],
)
def test_format_rules_that_decide_nothing_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        kinds.require_formats(pd.DataFrame(rows, columns=["store_format", "min_area_m2"]))


def test_format_mix_stands_beside_the_handbook():
    dealers = dealers_of(
        dealer_id=list("abcde"),
        area_type=["urban", "urban", "urban", "urban", None],
        store_format=["chain", "chain", "department_store", "undecided", "chain"],
    )
    mix = kinds.format_mix(dealers, HANDBOOK).set_index(["area_type", "store_format"])
    assert mix.loc[("urban", "chain"), ["dealer_share", "handbook_share"]].tolist() == [0.5, 0.081]
    assert mix.loc[("rural", "not_stated"), "handbook_share"] == pytest.approx(0.037)
    assert ("urban", "not_stated") not in mix.index  # 0.1% is rounding
    assert mix["handbook_share"].groupby("area_type").sum().round(3).to_dict() == {
        "urban": 0.999,
        "rural": 1.0,
        "not_stated": 0.0,
    }
    assert mix["n_dealers"].sum() == 5
    assert mix["dealer_share"].groupby("area_type").sum().loc[["urban", "not_stated"]].tolist() == [
        1,
        1,
    ]
    alone = kinds.format_mix(dealers.assign(area_type=None), HANDBOOK)
    assert alone["n_dealers"].tolist() == [3, 1, 1] and alone["handbook_share"].isna().all()


def test_the_handbooks_figures_are_those_of_the_handbook():
    assert HANDBOOK.groupby("area_type")["share"].sum().round(3).to_dict() == {
        "urban": 0.999,
        "rural": 0.963,
    }
    assert set(HANDBOOK["store_format"]) <= set(RULES["store_format"])
    for row in RULES.itertuples():
        assert words.label(row.store_format) == row.en


# ---- history -------------------------------------------------------------------------------------

STORY = months_of(
    ("old", "2026-01", 5),
    ("old", "2026-04", 5),
    ("old", "2026-07", 5),
    ("back", "2026-03", 5),
    ("back", "2026-09", 5),
    ("new", "2026-04", 5),
    ("new", "2026-05", -5),
    ("new", "2026-06", 9),
    ("new", "2026-08", 7),
    ("returns", "2026-05", -3),
    ("head", "2025-12", 4),
    ("head", "2026-08", 4),
)


def test_network_history_by_hand():
    history = network.network_history(STORY, "quarter", end="2026-09").set_index("period")
    assert history.index.tolist() == ["2026-03", "2026-06", "2026-09"]
    assert history["from_month"].tolist() == ["2026-01", "2026-04", "2026-07"]
    assert history["is_baseline"].tolist() == [True, False, False]
    assert history["n_active"].tolist() == [2, 2, 4]
    assert history.loc["2026-03", ["n_joined", "n_kept", "n_lost", "n_won_back"]].isna().all()
    assert history.loc["2026-06", ["n_joined", "n_kept", "n_lost", "n_won_back"]].tolist() == [
        1,
        1,
        1,
        0,
    ]
    # "head" bought before the first whole quarter: he comes back, he does not join
    assert history.loc["2026-09", ["n_joined", "n_kept", "n_lost", "n_won_back"]].tolist() == [
        0,
        2,
        0,
        2,
    ]


def test_network_moves_name_the_dealers():
    moves = network.network_moves(STORY, "quarter", end="2026-09")
    assert moves[["period", "movement", "dealer_id"]].to_numpy().tolist() == [
        ["2026-09", "won_back", "back"],
        ["2026-09", "won_back", "head"],
        ["2026-06", "joined", "new"],
        ["2026-06", "lost", "back"],
    ]
    assert moves["previous_revenue"].tolist() == [0, 0, 0, 5]
    assert moves["revenue"].tolist() == [5, 4, 9, 0]


def test_dust_of_float_sums_is_no_purchase():
    months = months_of(
        ("a", "2026-01", 0.1), ("a", "2026-01", 0.2), ("a", "2026-01", -0.3), ("b", "2026-01", 1)
    )
    assert network.network_history(months, "month")["n_active"].tolist() == [1]


@pytest.mark.parametrize("months", [months_of(), months_of(("a", "2026-10", 5))])
def test_a_history_shorter_than_a_period_is_empty(months):
    assert network.network_history(months, "quarter").empty
    assert network.network_moves(months, "quarter").empty
    assert network.cohort_retention(months).empty
    assert network.plot_network_history(network.network_history(months)).figure.alt_text.startswith(
        "There are no data"
    )


def test_an_unknown_length_of_period_is_refused():
    with pytest.raises(
        ValueError, match="'week' is no length of period; choose one of month, quarter"
    ):
        network.network_history(STORY, "week")


def history_twin(
    rows: list[tuple[str, str, float]], length: int, end: str
) -> list[tuple[int, ...]]:
    """Count with plain sets, as one would by hand."""
    first = min((month for _, month, _ in rows), default=end)
    n_periods = ((int(end[:4]) - int(first[:4])) * 12 + int(end[5:]) - int(first[5:]) + 1) // length
    known, before, counted = set(), None, []
    for i in range(n_periods, -1, -1):  # the oldest block is the incomplete head
        names = periods.month_range(periods.shift(end, -length * i), length)
        sums: dict[str, float] = {}
        for dealer, month, revenue in rows:
            if month in names:
                sums[dealer] = sums.get(dealer, 0) + revenue
        now = {dealer for dealer, total in sums.items() if total > 0}
        if i < n_periods:
            if before is not None:
                counted.append(
                    (
                        len(now),
                        len(now - known),
                        len(now & before),
                        len(before - now),
                        len((now & known) - before),
                    )
                )
            before = now
        known |= now
    return counted


@settings(deadline=None, max_examples=80)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from("abcdef"), st.sampled_from(MONTHS), st.integers(-3, 9)),
        min_size=1,
    ),
    by=st.sampled_from(["month", "quarter", "half_year"]),
    seed=st.integers(0, 99),
)
def test_history_is_conserved_and_agrees_with_sets(rows, by, seed):
    months = months_of(*rows)
    history = network.network_history(months, by, end="2026-10")
    moved = history.iloc[1:]
    columns = ["n_active", "n_joined", "n_kept", "n_lost", "n_won_back"]
    assert [tuple(row) for row in moved[columns].astype(int).to_numpy()] == history_twin(
        rows, network.PERIOD_MONTHS[by], "2026-10"
    )
    assert (moved["n_active"] == moved["n_joined"] + moved["n_kept"] + moved["n_won_back"]).all()
    assert (moved["n_kept"] + moved["n_lost"] == history["n_active"].shift()[1:]).all()
    listing = network.network_moves(months, by, end="2026-10")
    for move in network.MOVEMENTS:
        assert (listing["movement"] == move).sum() == moved[f"n_{move}"].sum()
    shuffled = months.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(history, network.network_history(shuffled, by, end="2026-10"))
    scaled = months.assign(revenue=months["revenue"] * 7)
    pd.testing.assert_frame_equal(history, network.network_history(scaled, by, end="2026-10"))


# ---- cohorts -------------------------------------------------------------------------------------


def test_cohorts_by_hand():
    months = months_of(
        ("a", "2026-01", 100),
        ("a", "2026-04", 80),
        ("a", "2026-07", 50),
        ("b", "2026-06", 10),
        ("b", "2026-07", 40),
        ("b", "2026-10", 30),
        ("c", "2026-05", 5),
        ("c", "2026-12", 10),
        ("d", "2026-12", 1),
    )
    cohorts = network.cohort_retention(months, "quarter")
    assert network.cohort_grid(cohorts).fillna(-1).to_numpy().tolist() == [
        [1.0, 0.8, 0.5, 0.0],  # there from the start: measured against the first quarter
        [0.375, 1.0, 1.0, -1],  # joined in mid-quarter: measured against the next one
        [-1, -1, -1, -1],  # the base is yet to come
    ]
    assert network.cohort_grid(cohorts, "active_share").loc["2026-06"].dropna().tolist() == [
        1.0,
        0.5,
        1.0,
    ]
    assert cohorts[cohorts["n_periods_since"] == 0][
        ["cohort", "is_baseline", "n_dealers"]
    ].to_numpy().tolist() == [["2026-03", True, 1], ["2026-06", False, 2], ["2026-12", False, 1]]


def test_cohorts_of_a_long_history_are_years():
    long = months_of(*[("a", month, 1.0) for month in periods.month_range("2026-10", 49)])
    assert network.cohort_retention(long)["period"].tolist() == [
        "2023-10",
        "2024-10",
        "2025-10",
        "2026-10",
    ]
    short = months_of(*[("a", month, 1.0) for month in periods.month_range("2026-10", 48)])
    assert len(network.cohort_retention(short)) == 16


@settings(deadline=None, max_examples=30)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from("abcdef"), st.sampled_from(MONTHS), st.integers(-3, 9)),
        min_size=1,
    )
)
def test_cohorts_hold_every_dealer_once_and_all_money(rows):
    months = months_of(*rows, ("z", "2026-10", 1))
    cohorts = network.cohort_retention(months, "quarter")
    history = network.network_history(months, "quarter")
    revenue, known = network._period_revenue(months, "quarter", "")
    ever = (revenue > 0).any(axis=1) | known
    assert cohorts.drop_duplicates("cohort")["n_dealers"].sum() == (
        ever.sum() if len(history) else 0
    )
    assert cohorts.groupby("period")["n_active"].sum().to_dict() == {
        p: n
        for p, n in zip(history["period"], history["n_active"], strict=True)
        if p in set(cohorts["period"])
    }
    active = (revenue > 0).to_numpy(bool) | known.to_numpy(bool)[:, None]
    money = revenue.where(
        np.logical_or.accumulate(active, axis=1)
    ).sum()  # returns before the first purchase have no cohort
    for period, total in cohorts.groupby("period")["revenue"].sum().items():
        assert total == pytest.approx(money[period])
    assert cohorts["active_share"].between(0, 1).all()


# ---- words and figures ---------------------------------------------------------------------------


def test_bottom_line_passes_over_what_is_missing():
    assert summary.bottom_line() == []
    empty = network.network_history(months_of())
    assert (
        summary.bottom_line(
            history=empty, cities=pd.DataFrame({"is_white_spot": [], "population": []})
        )
        == []
    )


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_bottom_line_says_the_figures(language):
    look.use(language, "CNY")
    overdue = pd.DataFrame(
        {"is_big": [True, False], "monetary": [3e6, 1.0], "recency_days": [61, 40]}
    )
    lines = summary.bottom_line(
        mix=pd.DataFrame({"n_dealers": [3], "n_active": [2], "revenue": [5e6]}),
        formats=pd.DataFrame({"store_format": ["undecided", "chain"], "n_dealers": [1, 2]}),
        history=network.network_history(STORY, end="2026-09"),
        cities=pd.DataFrame(
            {"city": ["X", "Y"], "is_white_spot": [True, False], "population": [2e5, 1e6]}
        ),
        ranked=pd.DataFrame(
            {
                "candidate_id": ["c"],
                "candidate_name": [None],
                "expected_revenue": [2e6],
                "expected_low": [1e6],
                "expected_high": [4e6],
            }
        ),
        overdue=overdue,
    )
    assert len(lines) == 6
    assert "2026-09" in lines[1] and "61" in lines[2] and "X" in lines[3]
    if language == "en":
        assert lines[1] == (
            "From 2026-07 to 2026-09, 0 dealers joined, 2 came back and 0 were lost: +2 "
            "net; 4 bought."
        )
        assert lines[4].startswith("Of 1 candidate, c promises most: CNY 2.00 m a year")


@pytest.mark.parametrize("language", words.LANGUAGES)
@pytest.mark.parametrize("n_before", range(4))
@pytest.mark.parametrize("n_now", range(4))
def test_page_and_front_page_say_the_same_of_who_bought_and_call_nobody_active(
    n_before, n_now, language
):
    """Some buy all the time, some only in the first of two periods, some only in the second."""
    look.use(language)
    months = [(f"old {i}", "2026-09", 1.0) for i in range(n_before)]
    months += [(f"new {i}", "2026-10", 1.0) for i in range(n_now)]
    months += [("stays", month, 1.0) for month in ("2026-09", "2026-10")]
    history = network.network_history(months_of(*months), "month")
    tile, change = summary.headlines(history, pd.DataFrame({"is_white_spot": []}, dtype=bool))
    (said,) = summary.bottom_line(history=history)
    net = n_now - n_before
    written = "0" if not net else f"{'+' if net > 0 else '−'}{abs(net)}"
    assert said == change["text"] and f" {written} " in f"{said} "
    assert tile["change"].split()[0 if language == "en" else -2] == written
    active = words.label("n_active")
    assert tile["label"] != active and "active" not in said and "活" not in said


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_headlines_fit_the_front_page(language):
    look.use(language)
    cities = pd.DataFrame(
        {"city": ["X", "Y"], "is_white_spot": [True, False], "population": [2e5, 1e6]}
    )
    lines = summary.headlines(network.network_history(STORY, end="2026-09"), cities)
    assert [line["place"] for line in lines] == ["tile", "change", "tile"]
    assert set().union(*lines) <= {"place", "text", "label", "change", "tone", "trend", "link"}
    assert (lines[0]["text"], lines[0]["tone"], lines[0]["trend"]) == ("4", "good", [2, 2, 4])
    assert lines[2]["text"] == "1"
    assert summary.headlines(network.network_history(months_of()), cities.iloc[:0]) == []


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_every_sentence_of_the_page_has_both_languages(language):
    sentences = pd.read_csv(words.REFERENCE / "sentences.csv").set_index("sentence")
    ours = sentences[sentences.index.str.startswith("segmentation.")]
    fields = {
        key: {f[1] for f in words._Plural().parse(row["en"]) if f[1]}
        for key, row in ours.iterrows()
    }
    assert len(ours) > 30 and ours.notna().all(axis=None)
    for key, row in ours.iterrows():
        assert {f[1] for f in words._Plural().parse(row["zh"]) if f[1]} == fields[key], key


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_every_column_and_code_has_a_name(language):
    dealers = kinds.store_formats(
        dealers_of(dealer_id=["a"], floor_area_m2=[500], area_type=["urban"]), RULES
    )
    tables = [
        kinds.customer_mix(dealers, totals_of(dealer_id=["a"], revenue=[1.0])),
        kinds.format_mix(dealers, HANDBOOK),
        network.network_history(STORY),
        network.network_moves(STORY),
        network.cohort_retention(STORY),
        dealers,
    ]
    for table in tables:
        assert [words.label(column) for column in table.columns]
    assert all(
        words.label(code)
        for code in [*network.MOVEMENTS, "given", "by_area", "undecided", kinds.OTHER]
    )


def bars(ax) -> list[list[float]]:
    return [
        [bar.get_width() for bar in box] for box in ax.containers if isinstance(box, BarContainer)
    ]


def test_plot_customer_mix_draws_the_shares():
    mix = kinds.customer_mix(
        dealers_of(dealer_id=list("ab"), customer_type=["channel", "b2b"]),
        totals_of(dealer_id=list("ab"), revenue=[30.0, 10.0]),
    )
    ax = kinds.plot_customer_mix(mix, note="12 months")
    assert bars(ax) == [[0.5, 0.5], [0.75, 0.25]]  # no gross profit, no bars for it
    assert [t.get_text() for t in ax.get_yticklabels()] == ["Channel", "B2B"]
    assert ax.figure.alt_text == "Channel: 75% of revenue from 50% of the dealers. 12 months"


def test_plot_format_mix_marks_the_handbook_and_folds_rare_formats():
    names = [f"format {i:02d}" for i in range(20) for _ in range(20 - i)] + ["chain"] * 30
    dealers = dealers_of(
        dealer_id=[str(i) for i in range(len(names))], store_format=names, area_type="urban"
    )
    ax = kinds.plot_format_mix(kinds.format_mix(dealers, HANDBOOK))
    labels = [t.get_text() for t in ax.get_yticklabels()]
    assert (
        labels[0] == "Chain store"
        and "Other formats" in labels
        and len(labels) == kinds.FORMATS_SHOWN + 1
    )
    assert sum(bars(ax)[0]) == pytest.approx(1)
    assert np.nansum(ax.lines[0].get_xdata()) == pytest.approx(0.999)
    assert "in the handbook" in ax.figure.alt_text
    none = dealers.assign(area_type=None)
    plain = kinds.plot_format_mix(kinds.format_mix(none, HANDBOOK))
    assert "Chain store" in plain.figure.alt_text and plain.get_legend() is None
    some = dealers.assign(area_type=dealers["area_type"].where(dealers.index > 0))
    assert len(bars(kinds.plot_format_mix(kinds.format_mix(some, HANDBOOK)))) == 1


def test_figures_of_nothing_are_a_sentence():
    dealers = kinds.store_formats(dealers_of(dealer_id=["a"], area_type=["urban"]), RULES)
    undecided = kinds.plot_format_mix(kinds.format_mix(dealers, HANDBOOK))
    assert (
        undecided.figure.alt_text.startswith("No dealer's format can be decided")
        and not undecided.patches
    )
    untyped = kinds.plot_customer_mix(
        kinds.customer_mix(dealers, totals_of(dealer_id=["a"], revenue=[1.0]))
    )
    assert (
        untyped.figure.alt_text.startswith("No dealer's customer type is stated")
        and not untyped.patches
    )
    empty = kinds.plot_customer_mix(
        kinds.customer_mix(dealers.iloc[:0], totals_of(dealer_id=["a"]).iloc[:0])
    )
    assert empty.figure.alt_text.startswith("There are no data")


def test_plot_network_history_draws_gains_above_and_losses_below():
    history = network.network_history(STORY, end="2026-09")
    ax = network.plot_network_history(history)
    joined, won, lost = ([bar.get_height() for bar in box] for box in ax.containers)
    assert (joined, won, lost) == ([1, 0], [0, 2], [-1, 0])
    assert ax.figure.axes[0].lines[0].get_ydata().tolist() == [2, 2, 4]
    assert ax.figure.alt_text.startswith("The network grows: 0 joined and 2 came back, 0 were lost")
    alone = look.axes()
    assert network.plot_network_history(history, ax=alone) is alone


@pytest.mark.parametrize("value", ["revenue_share", "active_share"])
def test_plot_cohorts_leaves_blank_what_is_not_reached(value):
    cohorts = network.cohort_retention(STORY, "quarter", end="2026-09")
    ax = network.plot_cohorts(cohorts, value)
    drawn = ax.collections[0].get_array()
    assert np.ma.count(drawn) == cohorts[value].notna().sum()
    assert len([t for t in ax.texts if t.get_text()]) == np.ma.count(drawn)
    many = network.cohort_retention(
        months_of(*[("a", m, 1.0) for m in periods.month_range("2026-10", 45)]), "quarter"
    )
    assert network.plot_cohorts(many, value).figure.dense


@pytest.mark.parametrize("last", range(3))
@pytest.mark.parametrize("value", ["revenue_share", "active_share"])
def test_a_cohort_that_left_brings_nothing_and_that_is_known(value, last):
    """A cohort joins, buys once more, and has `last` periods in which it may have left again."""
    for stays in {False, bool(last)}:
        bought = [("b", m, 8.0) for m in MONTHS[-2 - last : len(MONTHS) - last]]
        bought += [("b", m, 2.0) for m in MONTHS[len(MONTHS) - last :] if stays]
        months = months_of(*[("a", m, 5.0) for m in MONTHS], *bought)
        cohorts = network.cohort_retention(months, "month")
        said = network.plot_cohorts(cohorts, value).figure.alt_text
        if value == "revenue_share" and not last:  # the first full period is the base of itself
            assert said.startswith("No cohort that joined")
            continue
        kept = 1 if not last else 0 if not stays else 0.25 if value == "revenue_share" else 1
        share = words.percent(kept)
        assert said.startswith(
            words.say(f"segmentation.title_cohorts_{value}", n=last + 1, share=share)
        )


@pytest.mark.parametrize("n_months", [1, 2])
def test_cohorts_that_nobody_can_follow_are_no_figure(n_months):
    """One period is everybody's base; of two, the second tells of who was there already."""
    months = months_of(*[("a", m, 5.0) for m in MONTHS[len(MONTHS) - n_months :]])
    cohorts = network.cohort_retention(months, "month", end=MONTHS[-1])
    said = network.plot_cohorts(cohorts).figure.alt_text
    assert said.startswith("No cohort that joined" if n_months == 2 else "There are no data")
    new = cohorts[~cohorts["is_baseline"]]
    assert network.plot_cohorts(new).figure.alt_text.startswith("There are no data")


def test_nothing_is_mutated():
    dealers = dealers_of(
        dealer_id=["a", "b"], customer_type=["channel", None], area_type=[None, "rural"]
    )
    totals, months = totals_of(dealer_id=["a"], revenue=[1.0]), STORY.copy()
    before = [table.copy(deep=True) for table in (dealers, totals, months, HANDBOOK, RULES)]
    kinds.customer_mix(dealers, totals)
    mix = kinds.format_mix(kinds.store_formats(dealers, RULES), HANDBOOK)
    kept = mix.copy(deep=True)
    kinds.plot_format_mix(mix)
    cohorts = network.cohort_retention(months)
    network.plot_cohorts(cohorts)
    network.plot_network_history(network.network_history(months))
    pd.testing.assert_frame_equal(mix, kept)
    for table, old in zip((dealers, totals, months, HANDBOOK, RULES), before, strict=True):
        pd.testing.assert_frame_equal(table, old)
