"""The recipe of the fishbone's month: its options, and that all who show its answer ask it."""

import ast
import html
import json
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cells import run_cells, with_rules
from helpers import card, data, files, fishbone, look, periods, settings, widgets, words
from helpers.data import cache as results
from helpers.fishbone import factors, month, peers, plan, rival, scoring, tree, weights
from helpers.press import managers, pages
from helpers.settings import CHECKOUT as ROOT
from helpers.settings import DataError

PERIOD = "2026-10"
OTHER_RIVAL = "Ostwind"
# option → another value, and the figure of `figures` that it changes
OTHERS = {
    "dealer_id": ("D0007", "score"),
    "weighting": ("equal", "first_weight"),
    "budget_days": (30, "days"),
    "rival": (OTHER_RIVAL, "lead"),
    "vital_share": (0.9, "n_vital"),
    "min_people": (40, "low"),
    "min_peers": (12, "n_of_format_and_area"),
    "disagreement": (1.0, "n_apart"),
}
# but whose fishbone it is: a page's own affair
RULES = {name: value for name, (value, _figure) in OTHERS.items() if name != "dealer_id"}
MALFORMED = {
    "dealer_id": [7, True],
    "weighting": ["best", "Equal", 3],
    "budget_days": [0, -5, 1001, 2.5, "60", True, float("inf")],
    "rival": [1, False],
    "vital_share": [0, 0.05, 1.1, "0.6", float("nan")],
    "min_people": [4, 0, 5.5, "6"],
    "min_peers": [7, 0, 8.5, "9"],
    "disagreement": [0, 0.4, 10.5, "2.5", float("nan")],
}


@pytest.fixture(scope="module")
def book(small_demo, tmp_path_factory) -> settings.Workbook:
    """Give the small demo, where three people scored a second rival, too."""
    folder = tmp_path_factory.mktemp("two_rivals")
    scores = pd.read_parquet(small_demo.folder / "data" / "demo" / "scores.parquet")
    theirs = scores[scores["brand"].notna() & (scores["brand"] != small_demo.brand)]
    theirs = theirs[theirs["session"] == theirs["session"].max()]
    theirs = theirs[theirs["participant"].isin(sorted(theirs["participant"].unique())[:3])]
    theirs = theirs.assign(brand=OTHER_RIVAL, score=(theirs["score"].astype(float) - 2).clip(0))
    pd.concat([scores, theirs], ignore_index=True).to_parquet(folder / "scores.parquet")
    toml = small_demo.path.read_text(encoding="utf-8")
    toml = toml.replace("data/demo/scores.parquet", str(folder / "scores.parquet"))
    toml = toml.replace('"data/demo/', f'"{small_demo.folder}/data/demo/')
    (folder / "workbook.toml").write_text(toml, encoding="utf-8")
    return settings.workbook(folder)


@pytest.fixture(scope="module")
def asked(book) -> fishbone.FishboneData:
    return fishbone.read_month(book, PERIOD)


@pytest.fixture(autouse=True)
def _spoken(small_demo):
    look.use("en", small_demo.currency)
    yield
    plt.close("all")


def figures(found: fishbone.FishboneMonth) -> dict:
    """Give the figures of a month that its options may change, by a name of their own."""
    weight = found.table.set_index("factor_id")["weight"].sort_index()
    return {
        "score": round(float(found.table["shown_score"].mean()), 6),
        "first_weight": round(float(weight.iloc[0]), 6),
        "days": float(found.legs["effort_days"].sum()),
        "lead": round(float(found.overall["lead"].iloc[0]), 6),
        "low": str(found.overall["low"].round(6).iloc[0]),
        "n_vital": int(found.causes["is_vital"].sum()),
        "n_of_format_and_area": int((found.by_dealer["peers"] == "format_area").sum()),
        "n_apart": int(found.scored["disagrees"].sum()),
    }


def same(a: pd.DataFrame, b: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        a.reset_index(drop=True), b.reset_index(drop=True), check_dtype=False
    )


# ---- options -------------------------------------------------------------------------------------


def test_every_option_is_tried():
    assert set(OTHERS) == set(MALFORMED) == set(fishbone.judge_month.options)
    assert len(OTHERS) <= 8
    assert {figure for _value, figure in OTHERS.values()} == {
        "score",
        "first_weight",
        "days",
        "lead",
        "n_vital",
        "low",
        "n_of_format_and_area",
        "n_apart",
    }


@pytest.mark.parametrize("name", OTHERS)
def test_an_option_changes_its_figure_and_is_in_force(asked, name):
    value, figure = OTHERS[name]
    before, after = (fishbone.judge_month(asked, **o) for o in ({}, {name: value}))
    assert figures(before)[figure] != figures(after)[figure]
    assert after.options == {**fishbone.judge_month.options, name: value}


def test_the_new_figures_are_those_asked_for(asked):
    """Each by another way than the recipe's own."""
    found = fishbone.judge_month(asked, **RULES)
    assert found.weight.to_numpy() == pytest.approx(weights.equal_weights(found.tree).to_numpy())
    assert found.legs["effort_days"].sum() <= 30
    assert found.overall["rival"].tolist() == [OTHER_RIVAL]
    shares = found.causes["shortfall_share"]
    few = shares[found.causes["is_vital"]]
    assert few.sum() >= 0.9 > few.sum() - few.iloc[-1], "the fewest that reach the share"
    assert found.overall["low"].isna().all(), "fewer than forty people scored both"
    assert found.scored["disagrees"].sum() == (found.scored["gap"].abs() >= 1).sum()
    dealers = asked.dealers.set_index("dealer_id")
    placed = found.by_dealer.join(dealers[["store_format", "area_type"]], on="dealer_id")
    circles = placed[placed["value"].notna()].groupby(["factor_id", "store_format", "area_type"])
    narrow = circles.filter(lambda rows: (rows["peers"] == "format_area").any())
    assert narrow.groupby(["factor_id", "store_format", "area_type"]).size().min() >= 12


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, wrong in MALFORMED.items() for value in wrong]
)
def test_what_is_no_value_of_an_option_is_refused(asked, book, name, value):
    with pytest.raises(ValueError, match=rf"^{name} = {re.escape(repr(value))}: expected "):
        fishbone.judge_month(asked, **{name: value})
    with pytest.raises(DataError, match=rf"^{name} = .*: expected "):
        fishbone.fishbone_month(book, PERIOD, **{name: value})
    if isinstance(value, float) and not np.isfinite(value):
        return  # JSON has none
    says = with_rules(book, "fishbone", {name: value})
    where = re.escape(f"{says.path.name}: [parameters.fishbone] ")
    with pytest.raises(DataError, match=rf"^{where}{name} = .*: expected "):
        pages.require_notebooks(says, settings.NOTEBOOKS)


def test_floors_can_only_be_raised(asked):
    for name, floor in (("min_people", rival.MIN_PEOPLE), ("min_peers", peers.MIN_PEERS)):
        assert fishbone.judge_month.options[name] == floor
        with pytest.raises(ValueError, match=f"{name} = {floor - 1}: expected a number from"):
            fishbone.judge_month(asked, **{name: floor - 1})


def test_a_rival_whom_nobody_scored_is_refused_with_those_who_were(asked):
    with pytest.raises(
        ValueError, match=r"rival: 'Nemo' was never scored; choose one of .*Ostwind"
    ):
        fishbone.judge_month(asked, rival="Nemo")


def test_an_unknown_option_names_the_nearest(asked, book):
    with pytest.raises(TypeError, match="fishbone: no option 'budget'; did you mean 'budget_days'"):
        fishbone.judge_month(asked, budget=60)
    with pytest.raises(DataError, match="rivals: no such option; did you mean 'rival'"):
        fishbone.fishbone_month(book, PERIOD, rivals="Ostwind")


def test_what_is_given_wins_over_the_toml_and_that_over_the_default(book):
    says = with_rules(book, "fishbone", budget_days=30, min_peers=12)
    assert fishbone.fishbone_month(says, PERIOD).options == {
        **fishbone.judge_month.options,
        "budget_days": 30,
        "min_peers": 12,
    }
    given = fishbone.fishbone_month(says, PERIOD, budget_days=90, min_peers=None, rival="").options
    assert (given["budget_days"], given["min_peers"], given["rival"]) == (90, 12, "")


# ---- the answer ----------------------------------------------------------------------------------


def test_the_defaults_give_what_the_functions_give(asked):
    """As the notebook put them together before there was a recipe."""
    found = month.in_words(fishbone.judge_month(asked), asked)
    end = periods.window(PERIOD).end
    told = {"end_date": end, "brand": asked.brand}
    names = tree.factor_tree(asked.factors, asked.causes)
    people = scoring.people_scores(asked.scores, names, **told)
    by_dealer = peers.data_scores(asked.habits, names, asked.dealers)
    scored = scoring.factor_scores(people, peers.own_data_scores(by_dealer, asked.habits))
    last = scoring.comparison_sessions(asked.comparisons, asked.scores, end_date=end)
    weight, how = weights.chosen_weights("", names, asked.comparisons, asked.habits, sessions=last)
    table = factors.factor_table(names, scored, weight)
    assert how == found.how
    same(names, found.tree)
    same(scored, found.scored)
    same(table, found.table)
    same(factors.merged_causes(table), found.causes)
    same(rival.rival_lead(asked.scores, names, weight, **told), found.lead)
    gaps = scoring.dealer_gaps(asked.scores, by_dealer, names, asked.dealers, **told)
    same(gaps, found.gaps)
    since = scoring.session_scores(asked.scores, names, **told)
    there = scoring.dealer_session_scores(asked.scores, names, **told)
    given = {"dealer_scores": there, "months": asked.months, "dealers": asked.dealers}
    came = plan.promised_against_came(asked.agreed, names, since, end_date=end, **given)
    same(came, found.came)


def test_a_month_is_the_same_in_each_language_and_named_in_each(asked):
    look.use("zh-Hans", "CNY")
    chinese = fishbone.judge_month(asked)
    look.use("en", "CNY")
    english = fishbone.judge_month(asked)
    for one, other in zip(chinese, english, strict=True):
        if isinstance(one, pd.DataFrame):
            same(one, other)
    assert set(english.table["factor"]) <= set(english.tree["factor_id"]), "codes, not words"
    named = month.in_words(english, asked)
    assert "Continuous training" in set(named.table["factor"])
    assert set(named.came["dealer_name"].dropna()) <= set(asked.dealers["dealer_name"])


def test_other_weights_and_days_are_as_if_judged_with_them(asked):
    own = fishbone.judge_month(asked)
    changed = fishbone.reweighed(asked, own, weighting="equal", budget_days=30)
    judged = fishbone.judge_month(asked, weighting="equal", budget_days=30)
    assert changed.options == judged.options
    for name in ("table", "causes", "starts", "legs"):
        same(getattr(changed, name), getattr(judged, name))
    with pytest.raises(ValueError, match="budget_days = 0: expected"):
        fishbone.reweighed(asked, own, weighting="equal", budget_days=0)


def test_inputs_are_not_mutated(asked):
    kept = [t.copy() for t in asked if isinstance(t, pd.DataFrame)]
    month.in_words(fishbone.judge_month(asked, **RULES), asked)
    for before, after in zip(kept, [t for t in asked if isinstance(t, pd.DataFrame)], strict=True):
        pd.testing.assert_frame_equal(before, after)


# ---- who shows it --------------------------------------------------------------------------------


@pytest.fixture
def kept_results(monkeypatch):
    """Keep what the door worked out: a page, a card and a workshop ask for the same."""
    monkeypatch.setattr(results, "IN_USE", True)


@pytest.mark.usefixtures("kept_results")
def test_page_card_manager_workshop_and_widget_show_the_same(book, tmp_path, monkeypatch):
    """Each asks the recipe, with all that the toml says: every rule has another value here."""
    says = with_rules(book, "fishbone", RULES)
    expected = fishbone.fishbone_month(says, PERIOD)
    default = fishbone.fishbone_month(book, PERIOD)

    monkeypatch.setenv("WORKBOOK_PAGE", str(tmp_path / "page"))
    room = run_cells("05_fishbone", says, period=PERIOD)
    page = {
        file.stem: files.read_table(file) for file in (tmp_path / "page" / "tables").glob("*.csv")
    }
    assert figures(room["found"]) == figures(expected) != figures(default)
    for name, column, table in (
        ("factors", "weight", expected.table),
        ("causes", "is_vital", expected.causes),
        ("rival_lead", "lead", expected.lead),
        ("climb", "effort_days", expected.legs),
        ("dealer_factors", "data_score", expected.by_dealer),
        ("factor_gaps", "gap", expected.gaps),
        ("plan", "now_score", expected.came),
    ):
        assert page[name][column].astype(float).tolist() == pytest.approx(
            table[column].astype(float).tolist(), nan_ok=True
        ), name
    assert page["rival_lead"]["low"].isna().all()
    printed = look.rules(room["found"].options).sentences[0]
    assert all(words.label(name) in printed for name in OTHERS)
    assert "Days of effort to spend: 30" in printed

    everyone, _comparison = card.network_tables(says, PERIOD, "en")
    of_data = expected.by_dealer.dropna(subset=["data_score"])
    both = everyone["factors"].merge(
        of_data[["dealer_id", "factor_id", "data_score"]], on=["dealer_id", "factor_id"]
    )
    assert len(both)
    assert both["data_score_x"].tolist() == pytest.approx(both["data_score_y"].tolist())
    same(everyone["came"], expected.came)

    dealers = managers.with_keys(data.dealers(says), says)
    tables = {"plan": page["plan"], "abc_pareto": everyone["judged"]}
    offices = managers.manager_pages(dealers, tables, {})
    standing = expected.came[expected.came["state"].isin(managers.STANDING)]
    for office in offices:
        his = dealers.loc[dealers["account_manager"] == office["name"], "dealer_id"]
        mine = standing["dealer_id"].isin(his) | (standing["owner"] == office["name"])
        assert office["n_actions"] == mine.sum()
    assert sum(office["n_actions"] for office in offices)

    asked = fishbone.read_month(says, PERIOD)
    shown = widgets.explore_fishbone(says, asked, expected)
    explorer = html.unescape(shown.said.value + shown.figure.value)
    start = (expected.starts["weight"] * expected.starts["start"]).sum()
    spent, to = expected.legs["effort_days"].sum(), start + expected.legs["weighted_gain"].sum()
    assert f"{spent:.0f} days lift the weighted score from {start:.1f} to {to:.1f}" in explorer

    workshop = run_cells("10_workshop", says, period=PERIOD, upto="owner_split(fish.table))")[
        "fish"
    ]
    assert figures(workshop) == figures(expected)
    same(workshop.gaps, expected.gaps)
    same(fishbone.owner_split(workshop.table), fishbone.owner_split(expected.table))


@pytest.mark.usefixtures("kept_results")
def test_one_dealers_fishbone_is_the_pages_own(book):
    says = with_rules(book, "fishbone", dealer_id="D0007")
    page, network = fishbone.fishbone_month(says, PERIOD), fishbone.network_month(says, PERIOD)
    assert page.options["dealer_id"] == "D0007"
    assert figures(network) == figures(fishbone.fishbone_month(book, PERIOD)) != figures(page)
    same(page.by_dealer, network.by_dealer)
    same(page.came, network.came)
    with pytest.raises(ValueError, match="dealer_id: no figures of 'D9999'"):
        fishbone.fishbone_month(book, PERIOD, dealer_id="D9999")


def test_nobody_else_has_a_copy_of_the_rules():
    """The rules' functions are called in their room alone; others take the recipe's answer."""
    rules = {
        "data_scores",
        "factor_scores",
        "chosen_weights",
        "factor_table",
        "merged_causes",
        "rival_lead",
        "weighted_lead",
        "session_leads",
        "dealer_gaps",
        "starting_points",
        "legs",
        "promised_against_came",
    }
    sources = {p: p.read_text("utf-8") for p in (ROOT / "src" / "helpers").rglob("*.py")}
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        code = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
        sources[path] = "\n".join(code)
    for path, source in sources.items():
        called = {
            getattr(n.func, "attr", None) or getattr(n.func, "id", None)
            for n in ast.walk(ast.parse(source))
            if isinstance(n, ast.Call)
        }
        if path.parent.name != "fishbone":
            assert not called & rules, f"{path.name} calls {called & rules}"
    modules = (factors, month.effort, peers, plan, rival, scoring, weights)
    known = {name for module in modules for name in dir(module)}
    assert rules <= known, "a rule has another name"


def test_static_texts_state_no_figure_of_an_option():
    cells = json.loads((ROOT / "notebooks" / "05_fishbone.ipynb").read_text("utf-8"))["cells"]
    texts = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    assert not re.search(r"2\.5|60 ?(%|days)|60 ?天|six tenths|sixty", texts)
