"""Pages per account manager.

Every dealer on one page, the urgent first, and nothing that the tables don't say.
"""

import numpy as np
import pandas as pd
import pytest

from helpers import data, files, look
from helpers.press import editions, managers


@pytest.fixture(autouse=True)
def _english():
    look.use("en", "CNY")


def dealers() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "dealer_id": ["d1", "d2", "d3", "d4"],
            "dealer_name": ["One", "Two <b>", "Three", "Four"],
            "account_manager": ["Ms Zhou", "Ms Zhou", "Mr Abel", None],
            "manager_key": ["周", "周", "阿", None],
        }
    )


def tables() -> dict[str, pd.DataFrame]:
    judged = pd.DataFrame(
        {
            "dealer_id": ["d1", "d2", "d3", "d4"],
            "dealer_name": ["One", "Two <b>", "Three", "Four"],
            "composite_class": list("ABCA"),
            "gross_profit": [100.0, 50.0, 20.0, float("nan")],
            "city": "X",
            "payments": 1.0,
        }
    )
    calls = pd.DataFrame(
        {
            "dealer_id": ["d3", "d1", "d9"],
            "dealer_name": ["Three", "One", "?"],
            "city": "X",
            "reason": "fell",
            "measure": "call",
            "within_days": 3,
            "stake": 5.0,
        }
    )
    plan = pd.DataFrame(
        {
            "factor": ["Training", "Stock", "Old"],
            "dealer_id": ["d2", None, "d1"],
            "dealer_name": ["Two <b>", None, "One"],
            "owner": ["us", "Mr Abel", "us"],
            "state": ["overdue", "on_course", "reached"],
            "due_date": "2026-12-01",
            "now_score": 5.0,
            "target_score": 7.0,
        }
    )
    owed = pd.DataFrame(
        {
            "dealer_id": ["d1", "d2", "d3"],
            "status": ["paying", "stopped_paying", "paying"],
            "balance": [900.0, 10.0, -5.0],
            "payments": 1.0,
            "dso_days": 30.0,
        }
    )
    return {
        "abc_pareto": judged,
        "call_list": calls,
        "plan": plan,
        "receivables": owed,
        "inventory_age": pd.DataFrame(
            {"dealer_id": ["d1"], "old_share": [0.4], "dead_value": [7.0]}
        ),
        "dealer_profit": pd.DataFrame(
            {
                "dealer_id": ["d1", "d2", "d3"],
                "rival": "Kaltern",
                "lead_points": -4.0,
                "status": ["about_equal", "earns_less", "earns_most"],
                "gap_money": [1.0, 99.0, 1.0],
            }
        ),
    }


def pages(links=None, **changed) -> dict[str, dict]:
    made = managers.manager_pages(
        changed.pop("dealers", dealers()), tables() | changed, links or {}
    )
    return {page["name"]: page for page in made}


def test_each_manager_has_a_page_with_his_own():
    made = pages()
    assert list(made) == ["Ms Zhou", "Mr Abel", "No account manager"], (
        "most calls first, then most dealers"
    )
    zhou = made["Ms Zhou"]
    known = {
        name: zhou[name]
        for name in ("n_dealers", "n_a", "n_calls", "n_actions", "gross_profit", "balance")
    }
    assert known == {
        "n_dealers": 2,
        "n_a": 1,
        "n_calls": 1,
        "n_actions": 1,
        "gross_profit": 150.0,
        "balance": 910.0,
    }
    assert zhou["said"] == [
        "2 dealers: 1 A, 1 B, 0 C.",
        "Gross profit of the window: CNY 150.",
        "They owe CNY 910 in all.",
        "1 call to make, 1 action open.",
    ]
    assert [call["name"] for call in zhou["calls"]] == ["One"]
    assert [title for title, _rows in zhou["sections"]] == [
        "Open actions",
        "Who owes",
        "What sleeps, and where a rival earns more",
        "All dealers",
    ]


def test_where_nothing_else_says_how_big_a_dealer_is_revenue_does():
    given = tables()["abc_pareto"].assign(revenue=7.0)
    assert managers.list_columns(list(pages(abc_pareto=given).values()))[2] == "gross_profit"
    unknown = pages(abc_pareto=given.assign(gross_profit=np.nan, payments=np.nan))
    assert managers.list_columns(list(unknown.values()))[2] == "revenue"
    assert unknown["Ms Zhou"]["revenue"] == 14.0
    nobody_owes = pages(receivables=tables()["receivables"].head(0))
    assert "balance" not in managers.list_columns(list(nobody_owes.values())), (
        "what is not known is no column of dashes"
    )
    (rows,) = [rows for title, rows in unknown["Ms Zhou"]["sections"] if title == "All dealers"]
    assert "Revenue" in rows and "Gross profit" not in rows


def test_who_has_stopped_paying_comes_before_who_owes_most():
    (owed,) = [rows for title, rows in pages()["Ms Zhou"]["sections"] if title == "Who owes"]
    assert owed.index("Two") < owed.index("One")


def test_what_is_overdue_is_said_where_due_dates_are_known():
    owed = tables()["receivables"].assign(overdue_amount=[50.0, -1.0, np.nan])
    said = pages(receivables=owed)["Ms Zhou"]["said"]
    assert "They owe CNY 910 in all, of which CNY 50 is overdue." in said
    assert "They owe CNY 910 in all." in pages()["Ms Zhou"]["said"]


def test_a_call_tells_all_that_a_phone_needs():
    link = {"d1": "cards/one.html"}
    told = tables()["call_list"].assign(trigger="overdue", stake_kind="debt", stake=1.15e6)
    (call,) = pages(link, call_list=told)["Ms Zhou"]["calls"]
    assert call == {
        "anchor": "dealer-d1",
        "name": "One",
        "link": "cards/one.html",
        "city": "X",
        "what": "Overdue",
        "stake": "CNY 1.15 m",
        "kind": "debt",
        "within": "within 3 days",
        "happened": "fell",
        "measure": "call",
    }


@pytest.mark.parametrize("missing", ["city", "reason", "measure", "within_days", "stake"])
def test_what_of_a_call_is_not_known_is_left_out(missing):
    told = tables()["call_list"].drop(columns=missing)
    (call,) = pages(call_list=told)["Ms Zhou"]["calls"]
    name = {"reason": "happened", "within_days": "within"}.get(missing, missing)
    assert call[name] == ""
    assert call["name"] == "One"


def groups(**changed) -> pd.DataFrame:
    rows = pd.DataFrame(
        {
            "span": ["month", "month", "year_to_date"],
            "cut": "account_manager",
            "part": ["Ms Zhou", "Mr Abel", "Ms Zhou"],
            "revenue": [1.2e6, 5e6, 11e6],
            "previous_revenue": [1.0e6, 5e6, 12e6],
            "target": [1.1e6, np.nan, 12e6],
            "gross_margin_rate": [0.2, 0.2, 0.2],
            "previous_gross_margin_rate": [0.21, 0.2, 0.2],
            "payments": [9e5, 1.0, 9e6],
            "previous_payments": [1e6, 1.0, 9e6],
        }
    )
    return rows.assign(**changed)


def test_the_result_is_the_managers_own_beside_last_year_and_target():
    found = pages(month_groups=groups())["Ms Zhou"]["result"]
    assert found["columns"] == ["before", "rate", "target", "reached"]
    told = [list(row.values()) for row in found["rows"]]
    assert [row[:2] for row in told] == [
        ["Month", "Revenue"],
        ["Month", "Gross margin"],
        ["Month", "Payments collected"],
        ["Year to date", "Revenue"],
        ["Year to date", "Gross margin"],
        ["Year to date", "Payments collected"],
    ]
    first = found["rows"][0]
    shown = [first[n] for n in ("actual", "before", "rate", "target", "reached")]
    assert shown == ["1.2 m", "1.0 m", "+20.0%", "1.1 m", "109%"]  # as the year below it
    assert (first["tone"], first["on_target"]) == ("good", "good")
    margin = found["rows"][1]
    assert (margin["rate"], margin["tone"]) == ("−1.0 pp", "bad")
    assert found["rows"][3]["on_target"] == "bad"


@pytest.mark.parametrize(
    ("empty", "gone"),
    [
        (["previous_revenue", "previous_payments", "previous_gross_margin_rate"], "rate"),
        (["target"], "target"),
        (["gross_margin_rate"], ""),
        (["payments"], ""),
    ],
    ids=str,
)
def test_what_a_result_can_not_be_compared_with_is_no_column(empty, gone):
    found = pages(month_groups=groups(**dict.fromkeys(empty, np.nan)))["Ms Zhou"]["result"]
    assert gone not in found["columns"]
    assert len(found["rows"]) == 6 - 2 * (gone == "")


def test_whom_the_month_does_not_tell_of_has_no_result():
    assert pages(month_groups=groups(part="Somebody"))["Ms Zhou"]["result"] == {}
    assert pages(month_groups=groups())["No account manager"]["result"] == {}


def test_dead_stock_and_a_rival_who_earns_more_are_concerns():
    made = pages()
    concerns = dict(made["Ms Zhou"]["sections"])["What sleeps, and where a rival earns more"]
    assert concerns.index("Two") < concerns.index("One"), "99 a year before 7 that lie dead"
    assert concerns.count("Kaltern") == 1
    assert ">99<" in concerns
    assert not [
        title for title, _rows in made["Mr Abel"]["sections"] if title.startswith("What sleeps")
    ]


def test_an_action_is_his_by_dealer_or_by_owner():
    made = pages()
    assert made["Mr Abel"]["n_actions"] == 1
    (actions,) = [rows for title, rows in made["Mr Abel"]["sections"] if title == "Open actions"]
    assert "Stock" in actions
    assert "Training" not in actions


def test_what_is_reached_is_no_open_action():
    assert "Old" not in dict(pages()["Ms Zhou"]["sections"])["Open actions"]


def test_nobody_is_lost_and_names_are_text():
    made = pages()
    assert sum(page["n_dealers"] for page in made.values()) == 4
    listed = dict(made["Ms Zhou"]["sections"])["All dealers"]
    assert "Two &lt;b&gt;" in listed
    assert "Two <b>" not in listed


def test_names_lead_to_the_address_given():
    listed = dict(pages({"d1": "cards/one.html"})["Ms Zhou"]["sections"])["All dealers"]
    assert '<a href="cards/one.html">One</a>' in listed
    assert listed.count("<a ") == 1


def test_a_page_is_named_alike_in_every_language():
    there = pages()["Ms Zhou"]["file"]
    look.use("zh-Hans", "CNY")
    chinese = dealers().assign(account_manager=["周", "周", "阿", None])
    assert pages(dealers=chinese)["周"]["file"] == there == f"manager-{files.file_name('周')}.html"


def test_without_managers_or_judgement_there_is_no_page():
    nobody = dealers().assign(account_manager=None, manager_key=None)
    assert not pages(dealers=nobody)
    assert not pages(abc_pareto=pd.DataFrame())


def test_missing_tables_leave_their_section_out():
    bare = {
        name: pd.DataFrame()
        for name in ("plan", "call_list", "receivables", "inventory_age", "dealer_profit")
    }
    page = pages(**bare)["Ms Zhou"]
    assert [title for title, _rows in page["sections"]] == ["All dealers"]
    assert page["n_calls"] == page["n_actions"] == 0
    assert page["calls"] == page["chances"] == []
    assert page["result"] == {}, "no table of the month"
    assert not any("owe" in line for line in page["said"])


def test_keys_do_not_depend_on_the_language(small_demo):
    made = [
        managers.with_keys(data.dealers(small_demo, language), small_demo)
        for language in ("en", "zh-Hans")
    ]
    assert made[0]["manager_key"].equals(made[1]["manager_key"])
    assert made[0]["account_manager"].nunique() == made[1]["account_manager"].nunique() > 1
    assert set(made[0]["account_manager"].dropna()).isdisjoint(made[1]["account_manager"].dropna())


def test_an_edition_with_few_tables_still_has_its_pages(tmp_path):
    given = tables()["abc_pareto"].assign(dealer_name=["=1+1", "Two", "Three", "Four"])
    (tmp_path / "tables").mkdir()
    files.write_table(tmp_path / "tables" / "abc_pareto.csv", given)
    found = editions.read_tables(tmp_path)
    assert list(found) == ["abc_pareto"]
    assert found["abc_pareto"]["dealer_name"].tolist() == given["dealer_name"].tolist()
    made = {page["name"]: page for page in managers.manager_pages(dealers(), found, {})}
    assert [title for title, _rows in made["Ms Zhou"]["sections"]] == ["All dealers"]
    assert "=1+1" in dict(made["Ms Zhou"]["sections"])["All dealers"]
