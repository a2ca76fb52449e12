"""The rows that an explorer shows: in the table, saved, and by the line of code beside them."""

import csv
import html
import io
import re
import tomllib
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from explored import PERIOD, QUESTIONS, column, opened, seen
from explorer_fixtures import _spoken, at_page, given  # noqa: F401 - fixtures

from helpers import data, files, look, pareto, widgets
from helpers.settings import DataError, options, workbook
from helpers.widgets import bar, chosen_rows
from helpers.widgets.table import DealerTable

pytestmark = pytest.mark.xdist_group("explorers")
WITH_ROWS = sorted(name for name, q in QUESTIONS.items() if q and name != "groups")
DIRTY = ["=1+1", '@SUM("x")', "<b>Ann</b>", "-cmd|' /C calc'!A0", "a\nb", "\u202eright", "'"]


def lines(widget) -> list[str]:
    (code,) = re.findall(r"<pre>(.*?)</pre>", widget.code.value, re.DOTALL)
    return html.unescape(code).split("\n")


def turned(name: str, widget) -> None:
    """Turn an explorer's bar and controls away from the page."""
    widget.places["region"].value = widget.places["region"].options[1][1]
    widget.search.value = "0"
    for control in widget.controls.values():
        if control.disabled:
            continue
        if hasattr(control, "options"):
            control.value = control.options[-1][1]
        else:
            control.value = control.min + 2 * control.step
    if widget.shown is not None and widget.shown.empty:  # a kind of which there is none
        for control in widget.controls.values():
            if hasattr(control, "options"):
                control.value = control.options[0][1]


@pytest.mark.parametrize("how", ["as on the page", "turned"])
@pytest.mark.parametrize("name", WITH_ROWS)
def test_the_line_of_code_gives_the_rows_shown(given, small_demo, name, how):
    widget = opened(name, given[name])
    if how == "turned":
        turned(name, widget)
    assert len(widget.shown), "nothing is compared"
    found = eval(lines(widget)[0], {"widgets": widgets, "book": small_demo})
    pd.testing.assert_frame_equal(found, widget.shown)


@pytest.mark.parametrize("rules", [{"rule": "value"}, {"quota": "10/30/60"}], ids=str)
def test_the_line_holds_for_a_page_with_rules_of_its_own(given, small_demo, rules):
    own = pareto.judge_month(given["classes"]["asked"], **rules)
    widget = opened("classes", {**given["classes"], "own": own})
    found = eval(lines(widget)[0], {"widgets": widgets, "book": small_demo})
    pd.testing.assert_frame_equal(found, widget.shown)


@pytest.mark.parametrize("name", [n for n in WITH_ROWS if n not in ("card", "month")])
def test_the_lines_of_toml_set_what_is_on_screen(given, small_demo, name, tmp_path):
    widget = opened(name, given[name])
    turned(name, widget)
    told = [line.removeprefix("# workbook.toml: ") for line in lines(widget)[1:]]
    text = "\n".join(told) + "\n" + small_demo.path.read_text(encoding="utf-8")
    taken = re.sub(rf"(?m)^\[parameters\.{QUESTIONS[name]}\]\n(?:.+\n)*", "", text)
    assert tomllib.loads(taken)["scope"] == {"region": [widget.places["region"].value]}
    (tmp_path / "workbook.toml").write_text(taken, encoding="utf-8")
    book = workbook(tmp_path)
    in_force = options.options_in_force(widget.model.recipe, book, {})
    for option, value in widget.model.options(**widget.values).items():
        assert in_force[option] == value
    assert dict(book.scope) == {"region": (widget.places["region"].value,)}


@pytest.mark.parametrize("text", [*DIRTY, 'a "quoted" \\ one', "\x07", "中文|;="])
def test_a_toml_holds_any_text(text):
    assert tomllib.loads(f"a = {chosen_rows._value(text)}")["a"] == text


def test_an_unknown_name_is_refused(small_demo):
    with pytest.raises(DataError, match="abc_pareto"):
        widgets.rows("abc", small_demo, PERIOD)
    with pytest.raises(DataError, match="indicator"):
        widgets.rows("abc_pareto", small_demo, PERIOD, weight=3)
    with pytest.raises(DataError):
        widgets.rows("abc_pareto", small_demo, PERIOD, scope="region=Nowhere")


# ---- saved ---------------------------------------------------------------------------------------


def test_rows_are_saved_whole_neutral_and_never_over_another(given, monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBOOK_EDITIONS", str(tmp_path))
    widget = opened("classes", given["classes"])
    names = DIRTY * (len(widget.shown) // len(DIRTY) + 1)
    widget.shown = widget.shown.assign(dealer_name=names[: len(widget.shown)])
    for kind in ("csv", "xlsx", "csv"):
        widget.save[kind].click()
        assert str(tmp_path / "explored") in html.unescape(widget.saved.value)
    stem = f"abc_pareto-{PERIOD}"
    saved = sorted(path.name for path in (tmp_path / "explored").iterdir())
    assert saved == [f"{stem}-2.csv", f"{stem}.csv", f"{stem}.xlsx"]
    text = (tmp_path / "explored" / f"{stem}.csv").read_text(encoding="utf-8-sig")
    head, *back = csv.reader(io.StringIO(text))
    assert head == list(widget.shown.columns)
    at, name = head.index("dealer_id"), head.index("dealer_name")
    assert [row[at] for row in back] == widget.shown["dealer_id"].tolist()
    armed = [text for text in widget.shown["dealer_name"] if text[:1] in "=+-@"]
    assert len([row for row in back if row[name][:2] in ("'=", "'@", "'-")]) == len(armed) > 0
    assert not [row for row in back if row[name][:1] in ("=", "+", "-", "@")]
    sheet = openpyxl.load_workbook(tmp_path / "explored" / f"{stem}.xlsx").worksheets[1]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert len(cells) > len(widget.shown)
    assert not [cell for cell in cells if cell.data_type == "f"]


def test_only_the_rows_shown_are_saved(given, monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBOOK_EDITIONS", str(tmp_path))
    widget = opened("receivables", given["receivables"])
    whole = len(widget.shown)
    widget.search.value = "1"
    assert 0 < len(widget.shown) < whole
    widget.save["csv"].click()
    back = files.read_table(next((tmp_path / "explored").glob("*.csv")))
    assert back["dealer_id"].tolist() == widget.shown["dealer_id"].tolist()


def test_a_disk_that_is_full_is_said(given, monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBOOK_EDITIONS", str(tmp_path))
    widget = opened("rfm", given["rfm"])
    shown = widget.said.value

    def full(*_given):
        raise OSError(28, "No space left <on> device")

    with monkeypatch.context() as patch:
        patch.setattr(files, "write", full)
        widget.save["csv"].click()
    assert "No space left &lt;on&gt; device" in widget.saved.value
    assert widget.said.value == shown, "what is shown stays"


# ---- the table -----------------------------------------------------------------------------------


def rows_of(n: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "dealer_id": [f"D{i}" for i in range(n)],
            "dealer_name": [DIRTY[i % len(DIRTY)] for i in range(n)],
            "revenue": [float(i * 7919 % 1000) for i in range(n)],
            "region": None,
        }
    )


@pytest.mark.parametrize("n", [0, 1, 2, 11, 12, 13, 10_000])
def test_the_table_is_sorted_whole_and_turned_by_pages(looks, n):
    table, rows = DealerTable(), rows_of(n)
    table.show(rows, ["dealer_id", "dealer_name", "revenue", "region", "not_there"])
    kept = ["dealer_id", "dealer_name", "revenue"]
    expected = [*kept, "region"] if n == 0 else kept  # a column of dashes is left out
    assert [head["name"] for head in table.heads] == expected
    found: list[str] = []
    table.order = "revenue"
    for first in range(0, max(n, 1), table.page):
        table.first = first
        assert len(table.ids) == len(table.cells) <= table.page
        found += table.ids
    order = rows.sort_values("revenue", ascending=False, kind="stable")["dealer_id"]
    assert found == order.tolist()
    table.descending = False
    assert table.first == 0, "another order begins at its top"
    rising = rows.sort_values("revenue", kind="stable")["dealer_id"]
    assert table.ids == rising.tolist()[: table.page]
    assert table.n_rows == n
    assert (f"{n:,}" in table.told) == (n > 0)


def test_what_is_sorted_by_stays_with_other_rows(looks):
    table = DealerTable()
    table.show(rows_of(40), ["dealer_id", "revenue"])
    table.order, table.first = "revenue", 12
    table.show(rows_of(30), ["dealer_id", "revenue"])
    assert (table.order, table.first) == ("revenue", 0)
    table.show(rows_of(30), ["dealer_id"])
    assert table.order == ""


def test_a_browser_is_handed_texts_and_sets_them_as_such(looks):
    table = DealerTable()
    table.show(rows_of(7), ["dealer_id", "dealer_name", "revenue"])
    assert {cell for row in table.cells for cell in row if "<b>" in cell} == {"<b>Ann</b>"}
    text = Path(widgets.__file__).with_name("table.js").read_text(encoding="utf-8")
    assert "textContent" in text
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)


def test_numbers_are_written_as_on_a_page(given):
    widget = opened("receivables", given["receivables"])
    page = widget.table.sorted.head(widget.table.page)[["balance"]]
    whole = look.table(widget.table.sorted[["balance"]], limit=10**6).to_html()
    cells = [html.unescape(text) for text in re.findall(r'<td class="number">(.*?)</td>', whole)]
    assert column(widget, "balance") == cells[: len(page)]


# ---- the bar -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WITH_ROWS)
def test_a_class_leaves_its_dealers(given, small_demo, name):
    letters = pareto.abc_month(small_demo, PERIOD).judged.set_index("dealer_id")["composite_class"]
    widget = opened(name, given[name])
    everybody = widget.shown["dealer_id"]
    widget.letter.value = "A"
    assert widget.shown["dealer_id"].tolist() == [
        dealer for dealer in everybody if letters.get(dealer) == "A"
    ]
    assert len(widget.shown)


@pytest.mark.parametrize(
    ("search", "n"), [("ann", 1), ("ANN", 1), (" d1 ", 1), (".", 0), ("(", 1), ("", 7), ("d", 7)]
)
def test_a_search_is_a_text_and_no_pattern(search, n):
    assert bar.found(rows_of(7), search).sum() == n


def test_letters_follow_the_scope(given, small_demo):
    """In a region the classes are those of its own dealers, as everywhere under that scope."""
    widget = opened("classes", given["classes"])
    for _label, region in widget.places["region"].options[1:3]:
        widget.places["region"].value = region
        judged = pareto.abc_month(data.in_scope(small_demo.only(region=region)), PERIOD).judged
        mine = widget.shown.set_index("dealer_id")["composite_class"].sort_index()
        theirs = judged.set_index("dealer_id")["composite_class"].sort_index()
        pd.testing.assert_series_equal(mine, theirs, check_dtype=False)


def test_there_and_back_again_asks_the_door_once(given, monkeypatch):
    widget = opened("receivables", given["receivables"])
    asked, read = [], widget.model.read
    monkeypatch.setattr(widget.model, "read", lambda book: asked.append(book) or read(book))
    first = seen(widget)
    region = widget.places["region"]
    for value in (region.options[1][1], "", region.options[1][1], ""):
        region.value = value
    assert len(asked) == 1
    assert seen(widget) == first
