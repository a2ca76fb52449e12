"""Exercises: who speaks first, a sheet that comes back as scores through the door, solutions with
the right figures.
"""

import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import data, fishbone, look, profit, settings, workshop
from helpers.demo import build
from helpers.fishbone import peers, scoring
from helpers.settings import CHECKOUT as ROOT
from helpers.workshop import exercises

pytestmark = pytest.mark.usefixtures("looks")

END = pd.Timestamp("2026-10-31")
REFERENCE = ROOT / "data" / "reference"
STATEMENTS, NEEDS = (pd.read_csv(REFERENCE / f"{name}.csv") for name in ("statements", "needs"))
STAGES = pd.read_csv(REFERENCE / "stages.csv")


@pytest.fixture
def tree() -> pd.DataFrame:
    return factor_tree()


def factor_tree() -> pd.DataFrame:
    return fishbone.factor_tree(
        pd.read_csv(REFERENCE / "factors.csv", keep_default_na=False, na_values=[""]),
        pd.read_csv(REFERENCE / "causes.csv"),
    )


def factor_scores(
    given: dict[str, dict[str, float]], session: str = "W1", date: str = "2026-10-15"
) -> pd.DataFrame:
    rows = [
        (item, person, score) for item, people in given.items() for person, score in people.items()
    ]
    return pd.DataFrame(rows, columns=["item_id", "participant", "score"]).assign(
        session=session,
        scored_date=pd.Timestamp(date),
        kind="factor",
        aspect="performance",
        brand=None,
        dealer_id=None,
    )


# ---- several score at once -----------------------------------------------------------------------


def test_the_lowest_and_the_highest_speak_where_the_room_is_furthest_apart(tree):
    wide = {"P1": 2.0, "P2": 2.0, "P3": 5.0, "P4": 8.0, "P5": 9.5}
    close = dict.fromkeys(wide, 6.0)
    many = {f"P{i}": 3.0 for i in range(4)} | {"P8": 4.0}
    apart = workshop.speakers(
        factor_scores({"f01": close, "f02": wide, "f03": many}), tree, end_date=END
    )
    assert apart["factor"].tolist()[0] == "Incentive policy"
    first = apart.iloc[0]
    assert first[["n_scores", "score", "low", "high", "spread"]].tolist() == [5, 5, 2, 8, 6]
    assert first["lowest_by"] == "P1, P2 (2)"
    assert first["highest_by"] == "P5 (9.5)"
    by = apart.set_index("factor")
    assert by.loc["Product promotion", "lowest_by"] == "4 people (3)"
    assert len(workshop.speakers(factor_scores({"f01": close}), tree, end_date=END, n=3)) == 1


def test_of_equal_spreads_the_extremes_decide(tree):
    even = {"P1": 4.0, "P2": 4.0, "P3": 6.0, "P4": 6.0}
    odd = {"P1": 0.0, "P2": 4.0, "P3": 4.0, "P4": 6.0, "P5": 6.0}
    apart = workshop.speakers(factor_scores({"f01": even, "f02": odd}), tree, end_date=END)
    assert apart["spread"].tolist() == [2, 2]
    assert apart["factor"].tolist()[0] == "Incentive policy"


def test_speakers_are_those_of_the_last_session_about_ours(tree):
    early = factor_scores({"f01": {"P1": 0.0, "P2": 10.0}}, "W1", "2026-01-15")
    late = factor_scores({"f01": {"P1": 5.0, "P2": 7.0}}, "W2")
    rival = late.assign(brand="Rival", score=[0.0, 10.0])
    apart = workshop.speakers(pd.concat([early, late, rival]), tree, end_date=END, brand="Ours")
    assert apart[["lowest_by", "highest_by"]].iloc[0].tolist() == ["P1 (5)", "P2 (7)"]
    assert workshop.speakers(late.head(1), tree, end_date=END).empty, (
        "one person has nobody to differ from"
    )
    assert workshop.speakers(late.head(0), tree, end_date=END).empty


def filled(sheet: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    numbers = iter(range(10_000))
    people = [c for c in sheet if c.startswith("P")]
    return sheet.assign(
        **{p: [f"{(next(numbers) * 7 + seed) % 21 / 2:g}" for _ in sheet.index] for p in people}
    )


def test_the_sheet_asks_everything_once(tree):
    sheet = workshop.score_sheet(STATEMENTS, tree, NEEDS, brands=("Ours", "Theirs"), n=3)
    leaves = len(fishbone.leaf_factors(tree))
    assert sheet["kind"].value_counts().to_dict() == {
        "self": 12,
        "factor": 2 * leaves,
        "need": 2 * len(NEEDS),
    }
    assert not sheet.duplicated(["kind", "item_id", "aspect", "brand"]).any()
    assert sheet["question"].is_unique
    assert sheet[["P01", "P02", "P03"]].isna().all(axis=None)
    look.use("zh-Hans")
    assert (
        workshop.score_sheet(STATEMENTS, factor_tree(), NEEDS)["question"]
        .str.contains(r"[\u4e00-\u9fff]")
        .all()
    )


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_filled_sheet_comes_back_through_the_door(tree, make_book, tmp_path, separator):
    sheet = filled(workshop.score_sheet(STATEMENTS, tree, NEEDS, brands=("Lumora", "Kaltern"), n=4))
    sheet.loc[0, "P01"], sheet.loc[1, "P01"] = "", "6,5"
    sheet.to_csv(tmp_path / "sheet.csv", index=False, encoding="utf-8-sig", sep=separator)
    back = pd.read_csv(tmp_path / "sheet.csv", sep=None, engine="python", encoding="utf-8-sig")
    scores = exercises.scores_of_sheet(back, session="W4", scored_date=END)
    assert len(scores) == 4 * len(sheet) - 1, "an empty cell is no row"
    before = factor_scores({"f01": {"P1": 3.0}}, "W3", "2026-04-15").to_csv(index=False)
    book = make_book(sell_in="dealer_id,date,revenue\n1,2026-10-31,5\n", scores=before)
    data.keep_session(book, scores)
    read_back = data.records(settings.workbook(book.path), "scores")
    assert len(read_back) == 1 + len(scores)
    found = workshop.profile(read_back, STATEMENTS, STAGES, end_date=END)
    assert found.session == "W4"
    assert found.people["n_answers"].tolist() == [11, 12, 12, 12]
    mine = read_back[(read_back["session"] == "W4") & (read_back["participant"] == "P01")]
    assert mine.loc[mine["item_id"] == "s02", "score"].tolist() == [6.5]
    people = fishbone.people_scores(read_back, tree, end_date=END, brand="Lumora")
    assert people["n_scores"].eq(4).all()


def test_a_corrected_sheet_replaces_its_session(tree, make_book):
    sheet = filled(workshop.score_sheet(STATEMENTS, tree, NEEDS, n=2))
    book = make_book(sell_in="dealer_id,date,revenue\n1,2026-10-31,5\n")

    def kept(answers: pd.DataFrame) -> pd.DataFrame:
        scores = exercises.scores_of_sheet(answers, session="W4", scored_date=END)
        data.keep_session(settings.workbook(book.path), scores, again=True)
        return data.records(settings.workbook(book.path), "scores")

    once, again = kept(sheet), kept(filled(sheet, 3))
    assert len(again) == len(once)
    assert not again["score"].equals(once["score"])
    assert set(once["session"]) == set(again["session"]) == {"W4"}


def test_a_sheet_that_cannot_be_read_is_refused(tree):
    empty = workshop.score_sheet(STATEMENTS, tree, NEEDS, n=2)
    at = {"session": "W4", "scored_date": END}
    with pytest.raises(
        ValueError, match="sheet: nobody has filled anything in; write scores under P01"
    ):
        exercises.scores_of_sheet(empty, **at)
    with pytest.raises(
        ValueError, match="sheet: no column 'aspect'; keep the columns that the empty sheet had"
    ):
        exercises.scores_of_sheet(empty.drop(columns="aspect"), **at)
    wrong = filled(empty)
    wrong.loc[2, "P02"], wrong.loc[3, "P02"] = "ca. 7", "12"
    with pytest.raises(
        ValueError, match=r"sheet: 2 cells are no score, e.g. 'ca. 7' at s03 by P02; write a number"
    ):
        exercises.scores_of_sheet(wrong, **at)


# ---- solutions -----------------------------------------------------------------------------------


def said(solution: exercises.Solution) -> str:
    return " ".join(solution.sentences)


@given(st.text(alphabet="<>&\"'ab店 ", min_size=1))
def test_a_solution_stays_folded_and_runs_nothing(name):
    made = exercises.Solution([name])._repr_html_()
    assert made.startswith('<details class="solution"><summary>Solution</summary>')
    assert " open" not in made.split(">")[0]
    assert re.findall(r"<[a-z/]+", made) == [
        "<details",
        "<summary",
        "</summary",
        "<ul",
        "<li",
        "</li",
        "</ul",
        "</details",
    ]
    assert str(exercises.Solution([name, ""])) == name


def test_the_largest_white_spot():
    cities = pd.DataFrame(
        {
            "city": ["Aa", "Bb", "Cc"],
            "population": [5e5, 2e6, 9e6],
            "n_comparable": [7, 8, 9],
            "is_white_spot": [True, True, False],
            "expected_revenue": [1e6, 3e6, 1e7],
        }
    )
    assert said(workshop.white_spot_solution(cities)).startswith(
        "2 places are white spots: people enough and no dealer of ours. The largest is Bb with "
        "2,000,000 people; "
        "what 8 places like it bring per head would make CNY 3.00 m a year there."
    )
    assert "no white spot" in said(workshop.white_spot_solution(cities[~cities["is_white_spot"]]))


def judged(classes: str, letters: str = "") -> pd.DataFrame:
    n = len(classes)
    return pd.DataFrame(
        {
            "dealer_id": [f"D{i}" for i in range(n)],
            "dealer_name": [f"Shop {i}" for i in range(n)],
            "composite_class": list(classes),
            "payments_class": list(classes),
            "gross_profit_class": list(letters or classes),
            "revenue": 100.0,
            "gross_profit": [30.0 - i for i in range(n)],
            "diagnosis": "Big but thin",
        }
    )


def test_who_is_a_under_two_rules():
    told = said(
        workshop.rule_solution(judged("AAAB"), judged("AAAB"), judged("ABBA"), "gross_profit")
    )
    assert told.startswith(
        "By count 3 dealers are A, by cumulative value 2: 2 lose their A, 1 gain one."
    )
    assert "The largest who change: Shop 1, Shop 2, Shop 3." in told
    same = judged("AB")
    assert "who change" not in said(workshop.rule_solution(same, same, same, "gross_profit"))


def test_who_pays_like_an_a_and_earns_us_less():
    told = said(workshop.thin_solution(judged("AAAB", "ABCB")))
    assert told.startswith(
        "2 dealers pay like an A and earn us less than one. The thinnest is Shop 2: our margin "
        "there is 28.0%, the median dealer's is 28.5% (“Big but thin”)."
    )
    assert said(workshop.thin_solution(judged("AAB"))).startswith(
        "Whoever pays like an A also earns us like one"
    )


def test_who_speaks_and_which_dealer_is_overrated(tree):
    apart = workshop.speakers(factor_scores({"f02": {"P1": 2.0, "P2": 9.0}}), tree, end_date=END)
    gap = {
        "dealer_name": ["Shop 7"],
        "factor": ["Stock-age analysis"],
        "score": [8.5],
        "data_score": [0.4],
    }
    gap = pd.DataFrame(gap)
    told = said(workshop.spread_solution(apart, gap.assign(gap=5.0)))
    assert "furthest apart at “Incentive policy”: the middle half reaches from 3.75 to 7.25" in told
    assert "P1 (2), then P2 (9)" in told
    praised = (
        "at Shop 7 people praise “Stock-age analysis” with 8.5, where their figures place them"
    )
    assert f"{praised} at 0.4" in told
    assert "only 8.5" in said(workshop.spread_solution(apart, gap.assign(gap=-5.0)))
    assert len(workshop.spread_solution(apart, gap.assign(gap=5.0).head(0)).sentences) == 1
    assert "Nobody scored factors" in said(workshop.spread_solution(apart.head(0), gap))


def test_what_is_in_our_hands():
    split = pd.DataFrame(
        {"owner": ["us", "head_office"], "n_factors": [9, 6], "shortfall_share": [0.7, 0.3]}
    )
    assert said(workshop.owner_solution(split)).startswith(
        "9 of the 15 factors are in our own hands, and with them 70% of all that is missing."
    )
    assert "Without scores of factors" in said(
        workshop.owner_solution(split.assign(shortfall_share=float("nan")))
    )


def test_which_group_to_write_to():
    profile = pd.DataFrame(
        {
            "group_name": ["loyal", "bargain", "season"],
            "promotion_share": [0.08, 0.8, 0.1],
            "discount_share": [0.03, 0.2, 0.07],
        }
    )
    assert said(workshop.group_solution(profile)).startswith(
        "bargain: 80% of what they buy is bought under a promotion, 20% below list. loyal: 8% "
        "and 3%."
    )
    assert "do not tell" in said(workshop.group_solution(profile.head(1)))
    assert "do not tell" in said(workshop.group_solution(profile.drop(columns="promotion_share")))


def test_whose_stock_is_dead_and_where_a_lot_could_go():
    stock = pd.DataFrame(
        {
            "dealer_id": ["D1", "D2", "D3"],
            "dealer_name": ["One", "Two", "Three"],
            "dead_value": [50.0, 20_000.0, 0.0],
            "dead_share": [0.1, 0.6, 0.0],
        }
    )
    moves = pd.DataFrame(
        {
            "dealer_id": ["D1", "D2"],
            "quantity": [1, 4],
            "product_name": ["KFR", "BCD"],
            "taker_name": ["Four", "Five"],
        }
    )
    told = said(workshop.stock_solution(stock, moves, 90))
    assert told.startswith(
        "2 dealers have dead stock. Most of it lies at Two: CNY 20.0 k, or 60% of what they have"
    )
    assert "1 small lot could leave them; the first: 4 of BCD to Five" in told
    assert "Nobody near them runs short" in said(workshop.stock_solution(stock, moves.head(1), 90))
    assert "No dealer has dead stock" in said(workshop.stock_solution(stock.tail(1), moves, 90))


def test_whom_to_visit_because_a_rival_wins(monkeypatch):
    lost = pd.DataFrame(
        {
            "dealer_id": ["D1", "D2"],
            "dealer_name": ["One", "Two"],
            "rival": "Kaltern",
            "status": ["earns_less", "loses_some"],
            "lead_points": [-5.4, 0.2],
            "gap_money": [50_000.0, 30.0],
        }
    )
    comparison = pd.DataFrame({"dealer_id": ["D1", "D1", "D2", "D3", "D4"]})
    nothing = pd.DataFrame()
    earned = profit.ProfitMonth(nothing, nothing, comparison, nothing, lost)
    monkeypatch.setattr(
        exercises.profit, "verdict", lambda _rows, _gaps, dealer_id: [f"said to {dealer_id}"]
    )
    told = workshop.proof_solution(lost, earned).sentences
    assert told[0].startswith(
        "At 2 of 4 dealers a rival earns the dealer more on at least one measure, at 1 on every "
        "measure of earning. The first to visit is One: Kaltern is 5.4 points of margin ahead, "
        "and closing the gap is worth CNY 50.0 k a year to them."
    )
    assert told[1:] == ["said to D1"]
    some = said(workshop.proof_solution(lost.tail(1), earned))
    assert some.startswith(
        "At 1 of 4 dealers a rival earns the dealer more on some measure, at none on all."
    )
    assert "No rival earns a dealer more" in said(workshop.proof_solution(lost.head(0), earned))


# ---- the demo ------------------------------------------------------------------------------------


def test_the_demos_overrated_dealer_is_in_the_solution(small_demo, tree):
    from helpers import data

    look.use("en", small_demo.currency)
    scores, dealers = data.records(small_demo, "scores"), data.dealers(small_demo)
    by_dealer = peers.data_scores(data.dealer_features(small_demo, "2026-10"), tree, dealers)
    gaps = scoring.dealer_gaps(
        scores, by_dealer, tree, dealers, end_date=END, brand=small_demo.brand
    )
    apart = workshop.speakers(scores, tree, end_date=END, brand=build.BRAND)
    assert len(apart) == 5
    assert (apart["n_scores"] == 11).all()
    net = build.network(build.SEED, 60, 26, "2026-10")
    name = dealers.set_index("dealer_id")["dealer_name"][build.people.overrated_dealer(net)]
    assert f"at {name} people praise" in said(workshop.spread_solution(apart, gaps))
