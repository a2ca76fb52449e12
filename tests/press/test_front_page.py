"""The front page: what happened, why, whom to call; nothing without a comparison, nothing torn."""

import datetime as dt
import json
import re

import pandas as pd
import pytest

from helpers import files, periods, result, words
from helpers.press import bars, edition, editions, front_page, risks, tiles

PERIOD = "2026-10"
MONTHS = periods.month_range(PERIOD, 24)


@pytest.fixture(autouse=True)
def _yuan():
    words.speak("en", "CNY")


def standing(**actual: tuple) -> pd.DataFrame:
    """Lay out (actual, a year before, target) of the month; the year is ten times as much."""
    rows = [
        (span, name, *(None if x is None else x * times for x in told))
        for span, times in (("month", 1), ("year_to_date", 10))
        for name, told in actual.items()
    ]
    return pd.DataFrame(rows, columns=["span", "indicator", "actual", "previous_actual", "target"])


def history(revenue: float, profit: float | None, covered: float | None) -> pd.DataFrame:
    """24 months of a revenue, in the first of which a tenth less was earned."""
    table = pd.DataFrame({"month": MONTHS, "revenue": revenue, "payments": revenue})
    table = table.assign(gross_profit=profit, covered_revenue=covered)
    table.loc[11, "gross_profit"] = None if profit is None else profit * 0.9
    return table


def a_month() -> dict[str, pd.DataFrame]:
    ends = {"month": ["2025-10", PERIOD], "balance": [2000.0, 3000.0], "dso_days": [40.2, 46.0]}
    stock = {"month": ["2026-05", PERIOD], "value": [800.0, 1000.0], "old_value": [80.0, 50.0]}
    return {
        "month_standing": standing(
            revenue=(9000.0, 10_000.0, 9500.0),
            gross_profit=(2000.0, 1800.0, None),
            payments=(5000.0, -1.0, 4000.0),
        ),
        "network_months": history(9000.0, 2000.0, 9000.0),
        "receivables_months": pd.DataFrame(ends),
        "receivables": pd.DataFrame(
            {
                "dealer_id": ["a", "b"],
                "status": ["paying", "stopped_paying"],
                "balance": [1000.0, 2000.0],
                "overdue_amount": [300.0, 450.0],
            }
        ),
        "stock_months": pd.DataFrame(stock).assign(old_share=[0.1, 0.05]),
        "inventory_age": pd.DataFrame(
            {"dealer_id": ["a", "b"], "value": [400.0, 600.0], "dead_value": [0.0, 30.0]}
        ),
        "abc_pareto": pd.DataFrame({"dealer_id": ["a", "b"], "dealer_name": ["Ann", "Bob"]}),
    }


# ---- tiles ---------------------------------------------------------------------------------------


def test_a_tile_stands_beside_last_year_and_target():
    made = {tile["label"]: tile for tile in tiles.key_figures(a_month(), PERIOD, ["01_month.html"])}
    assert list(made) == [
        "Revenue",
        "Gross profit",
        "Payments collected",
        "Balance owed",
        "Stock at the dealers",
    ]
    change, short, reached = words.change(9, 10), words.percent(9000 / 9500), words.percent(1.25)
    sales = made["Revenue"]
    assert sales["text"] == words.money(9000)
    assert sales["lines"][:2] == [
        ("Last year", "10.0 k".replace("10.0 k", words.money(10_000, unit=False)), change, "bad"),
        ("Target", words.money(9500, unit=False), short, "bad"),
    ]
    assert sales["link"] == "01_month.html" and made["Balance owed"]["link"] == "", "no such page"
    margin = made["Gross profit"]["lines"][1]
    assert margin == ("Margin", words.percent(2 / 9, 1), "+2.2 pp", "good")
    paid = made["Payments collected"]["lines"]
    assert paid[0][1:] == ("−1", words.signed_money(5001), "good"), "no rate of what is below zero"
    assert paid[1][1:] == ("4,000", reached, "good")
    owed = made["Balance owed"]["lines"]
    assert owed == [
        ("Last year", "2,000", words.change(3, 2), ""),
        ("Overdue", "750", words.percent(0.25), "bad"),
        ("DSO", "46 days", "+6", "bad"),
    ]
    held = made["Stock at the dealers"]["lines"]
    assert held == [
        ("2026-05", "800", words.change(10, 8), ""),
        ("Over 90 days", words.percent(0.05, 1), "−5.0 pp", "good"),
        ("Dead", "30", words.percent(0.03, 1), "bad"),
    ]
    assert tiles.missing(a_month(), PERIOD) == ""


def test_gross_profit_of_a_part_is_told_as_its_margin():
    tables = a_month()
    tables["month_standing"] = standing(
        revenue=(9000.0, None, None), gross_profit=(None, None, None), payments=(None, None, None)
    )
    tables["network_months"] = history(9000.0, 1000.0, 4500.0)
    made = {tile["label"]: tile for tile in tiles.key_figures(tables, PERIOD)}
    part = made["Gross margin"]
    assert (part["text"], part["curve"]) == (words.percent(2 / 9, 1), {})
    assert part["lines"] == [("Of revenue with known cost", words.percent(0.5, 1), "", "")], (
        "and nothing is compared with it"
    )
    said = tiles.missing(tables, PERIOD)
    assert said == "Not told by the data: payments collected, target, a year before."


def test_a_curve_has_its_zero_and_last_year():
    plain = tiles.curve([float("nan"), *range(1, 15)])
    assert plain["zero"] == tiles.HEIGHT - tiles.EDGE
    x, y = plain["end"]
    assert (x, y) == (tiles.WIDTH - tiles.EDGE, tiles.EDGE)
    assert plain["before"][0] == pytest.approx(tiles.EDGE + 114 / 13, abs=0.06)
    below = tiles.curve([-1.0, 1.0])
    assert below["zero"] == tiles.HEIGHT / 2 and below["before"] is None
    assert tiles.curve([1.0]) == {} == tiles.curve([0.0, 0.0])
    gap = tiles.curve([1.0, float("nan"), 3.0])
    assert len(gap["points"].split()) == 2, "what is not known is no zero"


# ---- bars ----------------------------------------------------------------------------------------


def bridge(**steps: float) -> dict[str, pd.DataFrame]:
    told = {"span": "month", "cut": "network", "part": "", "indicator": "revenue"}
    rows = [{**told, "step": f"bridge_{name}", "effect": value} for name, value in steps.items()]
    return {"month_bridge": pd.DataFrame(rows)}


@pytest.mark.parametrize("base", [100.0, 1e6, 0.0, -50.0])
def test_each_step_begins_where_the_one_before_ends(base):
    k = 1000.0 if base == 1e6 else 1.0
    told = {"new_dealers": 70 * k, "lost_dealers": -20 * k, "price": -30 * k, "volume": 0.001}
    made = bars.bridge(bridge(base=base, **told, now=base + 20 * k))
    *_, dealers, price, now = made["rows"]
    assert [row["tone"] for row in made["rows"]] == ["base", "good", "bad", "now"]
    said = ("+0.05 m", "−0.03 m") if k > 1 else ("+50", "−30")
    assert (dealers["text"], price["text"]) == said, "who comes and goes is one step, of one scale"
    assert price["x"] + price["width"] == pytest.approx(dealers["x"] + dealers["width"], abs=0.05)
    assert price["width"] == pytest.approx(dealers["width"] * 0.6, abs=0.05)
    if base > 0:
        assert now["x"] + now["width"] == pytest.approx(price["x"], abs=0.05)
    assert made["is_cut"] is (base == 1e6)
    assert all(0 <= row["x"] <= row["x"] + row["width"] <= 100.01 for row in made["rows"])


def test_without_a_year_before_there_is_no_bridge_and_nothing_to_compare():
    groups = pd.DataFrame(
        [("month", "region", name, 5.0, float("nan"), float("nan")) for name in "ab"],
        columns=list(bars.GROUPS),
    )
    assert bars.bridge({}) == {} and bars.variances({"month_groups": groups}) == []


def test_variances_have_one_scale_and_say_the_rest():
    rows = [("month", "region", "x", 150.0, 100.0, 100.0), ("month", "region", "y", 80.0, 100.0, 0)]
    rows += [("year_to_date", "region", "x", 99.0, 100.0, 0)]
    rows += [("month", "account_manager", f"m{i:02d}", 10.0, 20.0 - i, 0) for i in range(12)]
    rows += [("month", "region", "not_stated", 10.0, 90.0, 0)]
    tables = {"month_groups": pd.DataFrame(rows, columns=list(bars.GROUPS))}
    regions, managers = bars.variances(tables, {"account_manager": {"m00": "m.html"}})
    x, y = regions["rows"]
    assert (x["tone"], x["x"], x["width"]) == ("good", 50, 50)
    assert (y["tone"], y["x"], y["width"]) == ("bad", 30, 20)
    assert (x["target"], x["on_target"], x["year"]) == (
        words.percent(1.5),
        "good",
        words.change(99, 100),
    )
    assert managers["rows"][0]["width"] == 10, "of the same scale"
    assert (managers["more"], len(managers["rows"])) == (2, bars.MOST_ROWS)
    assert [row["link"] for row in managers["rows"][:2]] == ["m.html", ""]


# ---- risk ----------------------------------------------------------------------------------------


def test_the_largest_risk_is_told_and_kinds_are_not_added():
    tables = a_month()
    risk = risks.largest(tables)
    assert (risk.amount, risk.link) == (750, "04_receivables.html")
    assert risk.text == (
        f"The largest risk: {words.money(750)} is overdue at 2 dealers, {words.percent(0.25)} of "
        "all that is owed; most at Bob."
    )
    tables["receivables"]["overdue_amount"] = float("nan")
    assert "Bob" in risks.largest(tables).text and risks.largest(tables).amount == 2000
    tables["receivables"] = tables["receivables"].head(0)
    assert risks.largest(tables).amount == 30
    tables["call_list"] = pd.DataFrame(
        {"dealer_id": ["a"], "trigger": "silent", "stake_kind": "revenue", "stake": 31.0}
    )
    assert risks.largest(tables).text.endswith("at Ann.")
    assert risks.largest({}) is None


# ---- calls ---------------------------------------------------------------------------------------


def test_alike_calls_stand_together_the_surest_money_first():
    rows = [
        ("a", "Ann", "Li", "overdue", 14, 500.0),
        ("b", "Bob", None, "silent", 7, 400.0),
        ("c", "Cid", "Li", "overdue", 14, 300.0),
        *((f"d{i}", f"D{i}", "Wu", "sleeps", 30, 200.0 - i) for i in range(9)),
    ]
    columns = ["dealer_id", "dealer_name", "account_manager", "trigger", "within_days", "stake"]
    table = pd.DataFrame(rows, columns=columns).assign(
        reason="Why.", measure="Ask.", stake_kind="debt", stake_low=lambda t: t["stake"]
    )
    office = {"Li": {"file": "li.html", "contact": "+86 1", "contact_link": "tel:+861"}}
    page = {"name": "03_abc_pareto", "headlines": []}
    made = front_page.front_page(
        [page], {"call_list": table}, PERIOD, dealers={"a": "cards/a.html"}, managers=office
    )
    groups = {group["title"]: group for group in made["calls"]}
    assert list(groups) == ["Overdue", "Silent", "Stock sleeps"]
    first, second = groups["Overdue"]["rows"]
    assert (first["name"], first["link"], second["name"]) == ("Ann", "cards/a.html", "Cid")
    assert (first["manager_link"], first["contact_link"]) == ("li.html", "tel:+861")
    assert (first["stake"], first["kind"]) == (words.money(500), "debt")
    assert groups["Overdue"]["within"] == "within 14 days"
    assert groups["Silent"]["rows"][0]["manager"] == ""
    assert sum(len(group["rows"]) for group in groups.values()) == front_page.N_CALLS
    assert made["n_calls"] == 12
    table.loc[0, ["measure", "within_days"]] = None, float("nan")
    (first, *_rest) = front_page.front_page([page], {"call_list": table}, PERIOD)["calls"]
    assert (first["measure"], first["within"]) == ("", ""), "nobody wrote what to do, or when"


# ---- a workbook of next to nothing ---------------------------------------------------------------


def three_columns(n_months: int) -> str:
    rows = [
        f"{dealer},{month}-{day:02d},{100 * (1 + i) + 10 * n}"
        for n, month in enumerate(periods.month_range(PERIOD, n_months))
        for i, dealer in enumerate(["A1", "B2", "C3"])
        for day in (3, 28)
    ]
    return "dealer_id,date,revenue\n" + "\n".join(rows) + "\n"


def bound(book, folder, language: str = "en", more: dict | None = None) -> str:
    """Bind an edition of one page, that of the month, and give its front page."""
    words.speak(language, "CNY")
    asked = result.read_month(book, PERIOD, language)
    found = result.judge_month(asked)
    page = folder / f"page-{language}"
    (page / "tables").mkdir(parents=True)
    tables = {
        "network_months": asked.months,
        "month_standing": found.standing,
        "month_groups": found.groups,
        "month_bridge": found.bridge,
        **(more or {}),
    }
    for name, rows in tables.items():
        files.write_table(page / "tables" / f"{name}.csv", rows)
    (page / "page.html").write_text("<h1>How?</h1>")
    (page / "notebook.ipynb").write_text("{}")
    (page / "meta.json").write_text(
        json.dumps({"title": "How?", "contents": [], "seconds": 1, "parameters": {}})
    )
    line = {"label": "", "change": "", "tone": "", "trend": []}
    said = [json.dumps(line | told, ensure_ascii=False) for told in result.headlines(asked, found)]
    (page / "headlines.jsonl").write_text("\n".join(said) + "\n", encoding="utf-8")
    shelf = {language: [editions.Printed("01_month", page, kept=True)]}
    edition.write_edition(folder / language, book, PERIOD, [language], shelf, "d564")
    page = (folder / language / "index.html").read_text(encoding="utf-8")
    return page.replace(words.NO_BREAK, " ")


def text_of(page: str) -> str:
    page = re.sub(r"<(style|head).*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.mark.parametrize(
    ("n_months", "language"), list(zip((1, 2, 14), words.LANGUAGES, strict=True))
)
def test_three_columns_make_a_front_page_without_empty_places(
    make_book, tmp_path, n_months, language
):
    page = bound(make_book(brand="", sell_in=three_columns(n_months)), tmp_path, language)
    said = text_of(page)
    assert not re.search(r"\bnan\b|\bNone\b|\binf\b|\{|\}", said)
    assert page.count('class="tile"') == 1, "only sales are known"
    words.speak(language, "CNY")
    for name in ("gross_profit", "payments", "target"):
        assert words.label(name)[1:] in said, "what is missing is said"
    assert words.label("balance")[1:] in said
    assert ('class="bridge"' in page) is (n_months == 14)
    assert 'class="variances"' not in page and 'class="calls' not in page
    assert not re.search(r"<(h2|h3|p|ul|ol|table|tbody|section)[^>]*>\s*</\1>", page)


def test_the_news_are_the_month_the_reason_and_nothing_of_the_machine(make_book, tmp_path):
    book = make_book(brand="", sell_in=three_columns(14))
    page = bound(book, tmp_path)
    now, before = (sum(2 * (100 * i + 10 * n) for i in (1, 2, 3)) for n in (13, 1))
    assert (
        f'<h1 class="verdict">October 2026: revenue of {words.money(now)}, '
        f"{words.change(now, before)} on October 2025"
    ) in page
    said = text_of(page)
    for machine in ("python", "pandas", "d564", ".csv", ".ipynb", "read; the checks"):
        assert machine not in said, machine
    assert f"{dt.date.today():%Y-%m-%d}" in said and "d564" in page, "the file knows its data"


def test_who_stands_on_the_page_leads_to_a_card_where_one_is_printed(make_book, tmp_path):
    dealers = "dealer_id,account_manager,account_manager_contact\nA1,Li,+86 10 5550 0101\nB2,Wu,\n"
    book = make_book(brand="", sell_in=three_columns(2), dealers=dealers)
    calls = pd.DataFrame(
        {
            "dealer_id": ["A1", "B2"],
            "dealer_name": ["A1", "B2"],
            "account_manager": ["Li", "Wu"],
            "trigger": "silent",
            "reason": "No order.",
            "measure": "Ask.",
            "within_days": 7,
            "stake_kind": "revenue",
            "stake": 5.0,
            "stake_low": 5.0,
        }
    )
    judged = pd.DataFrame({"dealer_id": ["A1", "B2"], "dealer_name": ["A1", "B2"]}).assign(
        composite_class="A", gross_profit=1.0, revenue=2.0
    )
    page = bound(book, tmp_path, more={"call_list": calls, "abc_pareto": judged})
    told = re.search(r"<b>A1</b>.*?</li>", page, re.DOTALL)[0]
    assert re.search(r'<a href="manager-li-[^"]*\.html">Li</a>', told), told
    assert '<a href="tel:+861055500101">+86 10 5550 0101</a>' in told
    assert "<b>B2</b>" in page, "no card is printed, and no page explains the dealer"
