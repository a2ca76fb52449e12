"""Living tables and the turned page in a browser: by mouse, by keys, on paper, without scripts."""

import re
import shutil

import checks
import lively
import pandas as pd
import pytest

import turns
from helpers import files, look, pareto, words
from helpers.pareto import month, summary

pytestmark = [
    pytest.mark.skipif(checks.chromium() is None, reason=checks.WHY_NOT),
    pytest.mark.xdist_group("living"),
]
READY = "html[data-living=ready]"
TABLES = ".scroll > table"
CLASSES, DEALERS, SOME, WIDE, TWO = range(5)  # in the order of the page


@pytest.fixture(scope="module")
def opened():
    pytest.importorskip("playwright", reason="the browser tests need the playwright package")
    with checks.browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    yield lively.make_edition(tmp_path_factory.mktemp("lively"), ("en", "zh-Hans"))
    words.speak("en")


@pytest.fixture(scope="module")
def address(made):
    return (made / f"{lively.PAGE}.html").as_uri()


@pytest.fixture
def page(opened, address):
    page = opened.new_page(viewport={"width": 1280, "height": 900})
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("dialog", lambda dialog: faults.append("a dialog"))
    page.on("request", lambda asked: checks._note(faults, asked.url))
    page.goto(address)
    page.wait_for_selector(READY, state="attached")
    yield page
    page.close()
    assert faults == []


class Shown:
    """A table of a page, and its tools."""

    def __init__(self, page, at: int) -> None:
        self.table = page.locator(TABLES).nth(at)
        self.output = page.locator(".output:has(table)").nth(at)
        self.tools = self.output.locator(".tools")

    def texts(self) -> list[list[str]]:
        read = "t => [...t.tBodies].filter(b => getComputedStyle(b).display !== 'none')"
        read += ".flatMap(b => [...b.rows]).map(r => [...r.cells].map(c => c.textContent))"
        return self.table.evaluate(read)

    def column(self, name: str) -> list[str]:
        at = self.table.get_attribute("data-columns").split(",").index(name)
        return [row[at] for row in self.texts()]

    def status(self) -> str:
        return self.tools.locator("[role=status]").text_content()


def abc(made) -> pd.DataFrame:
    table = files.read_table(made / "tables" / "abc_pareto.csv")
    return table.assign(dealer_id=table["dealer_id"].astype(str))


def test_a_page_is_as_it_was_until_it_is_touched(page, made):
    dealers = Shown(page, DEALERS)
    assert len(dealers.texts()) == lively.N_PRINTED
    assert dealers.column("dealer_id") == abc(made)["dealer_id"].head(lively.N_PRINTED).to_list()
    assert dealers.status() == f"{lively.N_PRINTED} of {lively.N_DEALERS} rows"


def test_all_rows_are_there_and_sorted_by_what_they_are(page, made):
    dealers, table = Shown(page, DEALERS), abc(made)
    dealers.output.locator("button.more").click()
    assert dealers.column("dealer_id") == table["dealer_id"].to_list()
    head = dealers.table.locator("th", has_text="Gross profit")
    assert head.get_attribute("aria-sort") is None and head.get_attribute("scope") == "col"
    for direction, falling in (("descending", True), ("ascending", False)):
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == direction
        amounts = [
            float(x.replace(",", "").replace("−", "-")) for x in dealers.column("gross_profit")
        ]
        assert len(amounts) == lively.N_DEALERS
        assert amounts == sorted(amounts, reverse=falling)
    head.locator("button").click()
    assert head.get_attribute("aria-sort") is None
    assert dealers.column("dealer_id") == table["dealer_id"].to_list()


def test_rows_are_searched_and_filtered_by_what_the_edition_knows(page, made):
    dealers, table = Shown(page, DEALERS), abc(made)
    manager = dealers.tools.get_by_label("Account manager")
    manager.select_option("Ms. Zhou")
    mine = table[table["account_manager"] == "Ms. Zhou"]
    assert dealers.status() == f"{len(mine)} of {len(mine)} rows (of {lively.N_DEALERS} in all)"
    dealers.tools.get_by_label("Region").select_option("East")
    dealers.tools.get_by_label("Class").select_option("A")
    best = mine[mine["composite_class"] == "A"]
    assert dealers.column("dealer_id") == best["dealer_id"].to_list() and len(best) > 5
    dealers.tools.get_by_label("Search this table").fill("shop d1")
    some = best[best["dealer_id"].str.contains("D1")]
    assert dealers.column("dealer_id") == some["dealer_id"].to_list() and len(some) > 1
    dealers.tools.get_by_label("Region").select_option("南")
    assert dealers.texts() == [] and dealers.status().startswith("No row fits.")
    dealers.tools.get_by_role("button", name="As printed").click()
    assert len(dealers.texts()) == lively.N_PRINTED


def test_what_is_saved_is_what_stands_there_neutralised(page, made):
    dealers = Shown(page, DEALERS)
    dealers.tools.get_by_label("Search this table").fill("D00")
    with page.expect_download() as saved:
        dealers.tools.get_by_role("button", name="Save as CSV").click()
    assert saved.value.suggested_filename == f"{lively.PAGE}-2.csv"
    path = saved.value.path()
    shown = abc(made)[lambda rows: rows["dealer_id"].str.startswith("D00")]
    told = files.read_table(path)
    assert list(told) == dealers.table.locator("th button").all_text_contents()
    assert told.iloc[:, 0].to_list() == shown["dealer_id"].to_list()
    names = [words.fitting(name) for name in shown["dealer_name"]]
    assert told.iloc[:, 1].to_list() == names
    assert "'=2+5" in path.read_text(encoding="utf-8")
    assert told.iloc[:, 4].to_list() == shown["gross_profit"].round().to_list()
    assert told.iloc[:, 5].to_list() == shown["brand_share"].round(3).to_list()


def test_what_is_copied_pastes_into_a_spreadsheet(opened, address):
    context = opened.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(READY, state="attached")
    some = Shown(page, SOME)
    some.tools.get_by_label("Search this table").fill("D00")
    some.tools.get_by_role("button", name="Copy").click()
    page.wait_for_selector("text=10 rows copied.")
    lines = page.evaluate("navigator.clipboard.readText()").split("\n")
    context.close()
    assert len(lines) == 11 and {line.count("\t") for line in lines} == {2}
    assert lines[1].startswith("'=2+5\t")


def test_a_row_opens_the_dealers_card_where_one_is_printed(page, made):
    dealers = Shown(page, DEALERS)
    card = f"cards/{files.file_name('D001')}.html"
    assert (made / card).is_file()
    dealers.tools.get_by_label("Search this table").fill("D001")
    (row,) = dealers.texts()
    assert words.fitting(lively.name_of(1)) in row
    dealers.table.locator("tbody.living tr td").first.click()
    page.wait_for_url(f"**/{card}")
    page.go_back()
    page.wait_for_selector(READY, state="attached")
    some = Shown(page, SOME)  # printed, and led there without a script
    links = some.table.locator("a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert links[:3] == [f"cards/{files.file_name(f'D00{i}')}.html" for i in range(3)]
    printed = abc(made)["dealer_id"].head(lively.N_PRINTED)
    led = {f"{lively.PAGE}.html#{look.anchor(dealer)}" for dealer in printed}
    assert set(links[3:]) <= led


def test_a_place_among_rows_that_were_put_aside_is_shown(page, made):
    first = abc(made)["dealer_id"].iloc[7]
    dealers = Shown(page, DEALERS)
    dealers.tools.get_by_label("Search this table").fill("nobody")
    assert dealers.texts() == []
    page.evaluate(f"location.hash = '#{look.anchor(first)}'")
    page.wait_for_selector(f"[id='{look.anchor(first)}']", state="visible")
    assert len(dealers.texts()) == lively.N_PRINTED


def test_text_from_data_stays_text(page, made):
    dealers = Shown(page, DEALERS)
    dealers.output.locator("button.more").click()
    names = abc(made)["dealer_name"].map(words.fitting).to_list()
    assert dealers.column("dealer_name") == names
    assert set(map(words.fitting, lively.DIRTY)) <= set(names)
    assert page.locator("main b:text('bold'), main script").count() == 0


def test_nothing_but_our_script_runs(opened, made, tmp_path):
    shutil.copytree(made, tmp_path / "edition")
    path = tmp_path / "edition" / f"{lively.PAGE}.html"
    text = path.read_text(encoding="utf-8")
    evil = "<script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\">"
    path.write_text(text.replace("<main", f"{evil}<main", 1), encoding="utf-8")
    page = opened.new_page()
    refused = []
    page.on("console", lambda said: refused.append(said.text))
    page.goto(path.as_uri())
    page.wait_for_selector(READY, state="attached")
    assert page.title() != "run"
    assert sum("Content Security Policy" in text for text in refused) >= 2
    page.close()


def test_keys_alone_do_it_all(page, made):
    dealers = Shown(page, DEALERS)
    dealers.tools.get_by_label("Search this table").focus()
    page.keyboard.type("shop d01")
    assert {row[1][:7] for row in dealers.texts()} == {"Shop 01"}
    reached, wanted = [], words.label("payments")
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
        if reached[-1] == wanted:
            break
    assert {"Copy", "Save as CSV", "As printed", wanted} <= set(reached)
    page.keyboard.press("Enter")
    head = dealers.table.locator("th", has_text=wanted)
    assert head.get_attribute("aria-sort") == "descending"
    page.keyboard.press("Space")
    assert head.get_attribute("aria-sort") == "ascending"


def test_a_table_that_does_not_fit_scrolls_by_keys_with_its_head_in_sight(page):
    wide = Shown(page, WIDE).output.locator(".scroll")
    assert wide.get_attribute("tabindex") == "0" and wide.get_attribute("role") == "group"
    assert wide.get_attribute("aria-label") == "Wide"
    wide.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    assert wide.evaluate("s => s.scrollLeft") > 0
    wide.evaluate("s => s.scrollTop = 300")
    at = "s => s.querySelector('th').getBoundingClientRect().top - s.getBoundingClientRect().top"
    assert abs(wide.evaluate(at)) < 2


def test_a_table_that_fits_keeps_its_head_in_sight(page):
    dealers = Shown(page, DEALERS)
    assert dealers.output.locator(".scroll").get_attribute("tabindex") is None
    dealers.table.locator("tbody tr").nth(20).evaluate("r => r.scrollIntoView({block: 'start'})")
    top = dealers.table.locator("th").first.evaluate("h => h.getBoundingClientRect().top")
    assert -1 <= top < 5


@pytest.mark.parametrize("at", [CLASSES, TWO])
def test_small_tables_have_no_tools(page, at):
    assert Shown(page, at).tools.count() == 0
    assert Shown(page, at).table.locator("th button").count() == (0 if at == TWO else 7)


def texts_on_paper(page) -> str:
    page.emulate_media(media="print")
    return page.evaluate("document.body.innerText")


def test_paper_and_a_page_without_scripts_show_what_was_printed(opened, page, address):
    still = opened.new_context(java_script_enabled=False).new_page()
    still.goto(address)
    without = still.locator("body").inner_text()
    still.emulate_media(media="print")
    printed = still.locator("body").inner_text()
    still.context.close()
    assert "Search this table" not in without and "Turn the rules" not in without
    assert texts_on_paper(page) == printed
    page.emulate_media(media="screen")
    dealers = Shown(page, DEALERS)
    dealers.table.locator("th button").nth(3).click()
    page.locator("details.turning summary").click()
    page.locator(".turning input[value=value]").check()
    assert texts_on_paper(page) == printed, "what was sorted and turned"


# ---- turned rules ----


def turned_to(page, rules: dict[str, str]) -> None:
    """Set the rules as a hand on the sliders does."""
    page.evaluate(
        """rules => {
          const turning = globalThis.workbook.turning;
          turning.set(rules);
          turning.turn();
        }""",
        rules,
    )


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
@pytest.mark.parametrize("seed", [1, 2, 3, 5])
def test_the_turned_page_is_the_page_printed_by_these_rules(opened, made, language, seed):
    rules, folder = turns.options(seed), made if language == "en" else made / language
    page = opened.new_page()
    page.goto((folder / f"{lively.PAGE}.html").as_uri())
    page.wait_for_selector(READY, state="attached")
    words.speak(language, "CNY")
    told = turns.told_by_recipe(month.judge_month(lively.network(), **rules))
    page.locator("details.turning summary").click()
    turned_to(page, rules)
    Shown(page, DEALERS).output.locator("button.more").click()
    dealers = Shown(page, DEALERS)
    columns = ["dealer_id", "code", "composite_class", "diagnosis"]
    rows = list(map(list, zip(*(dealers.column(c) for c in columns), strict=True)))
    assert rows == told["rows"]
    assert dealers.column("previous_class") == [x or "–" for x in told["before"]]
    seen = page.locator("ul.prose > li:visible").all_text_contents()
    wanted = [s for s in told["sentences"] if "Fuhe" not in s]  # names are others here
    assert [s for s in map(words.bound, wanted) if s not in seen] == []
    assert Shown(page, CLASSES).texts() == told["classes"]
    turned_to(page, turns.BASE)
    assert page.locator("main.turned").count() == 0
    page.close()
    words.speak("en")


def test_sliders_turn_the_page_and_hand_back_what_reproduces_it(page):
    page.locator("details.turning summary").focus()
    page.keyboard.press("Enter")
    panel = page.locator(".turning")
    panel.get_by_label("By cumulative value").check()
    first = panel.locator("fieldset", has_text="A / B up to").get_by_label("A", exact=True)
    first.focus()
    page.keyboard.press("ArrowLeft")
    first.evaluate("i => { i.value = 97; i.dispatchEvent(new Event('input', {bubbles: true})); }")
    assert "97%" in panel.inner_text()
    given = turns.handed_back(panel.locator("pre").first.text_content())
    assert given["value_cuts"] == "97/97", "the other cut gives way"
    given.pop("period")
    found = month.judge_month(lively.network(), **given)
    Shown(page, DEALERS).output.locator("button.more").click()
    assert Shown(page, DEALERS).column("composite_class") == (
        found.judged["composite_class"].to_list()
    )
    own = month.judge_month(lively.network(), **turns.BASE).judged.set_index("dealer_id")
    now = found.judged.set_index("dealer_id")["composite_class"]
    n = int((now != own["composite_class"].reindex(now.index)).sum())
    assert n > 0 and panel.locator("[role=status]").text_content() == words.bound(
        words.say("turn.changed", n=n)
    )
    assert "would change class" in page.locator("main > .notice:visible").text_content()
    panel.get_by_role("button", name="Back to the printed rules").click()
    assert page.locator(".notice:visible").count() == 0
    assert Shown(page, DEALERS).column("dealer_id")[:3] == own.index[:3].to_list()


def test_rows_that_were_turned_can_be_filtered(page):
    page.locator("details.turning summary").click()
    turned_to(page, {**turns.BASE, "quota": "5/5/90"})
    dealers = Shown(page, DEALERS)
    found = month.judge_month(lively.network(), **{**turns.BASE, "quota": "5/5/90"}).judged
    dealers.tools.get_by_label("Class").select_option("A")
    best = found.loc[found["composite_class"] == "A", "dealer_id"].to_list()
    assert dealers.column("dealer_id") == best


def test_the_sample_says_what_follows(made):
    """Else the tests above would compare nothing."""
    text = (made / f"{lively.PAGE}.html").read_text(encoding="utf-8")
    found = month.judge_month(lively.network(), **turns.BASE)
    assert " data-turn=" in text and " data-whole=" in text and " data-dealers=" in text
    assert re.search("Judged by all indicators together", text)
    assert len(summary.loss_sentences(found.judged)) >= 1
    assert set(found.judged["composite_class"]) == set("ABC")
    assert pareto.class_table(found.judged)["class"].isin(["L", "net"]).any()
