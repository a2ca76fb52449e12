"""The recipe of the ABC month: its options, and that all who show its answer ask it."""

import ast
import inspect
import json
import re

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from cells import run_cells, with_rules
from helpers import card, data, files, look, pareto, settings, widgets, words
from helpers.calls import CHANCES
from helpers.pareto import classes, demand, judgement, month
from helpers.press import managers, pages
from helpers.settings import CHECKOUT as ROOT
from helpers.settings import DataError, options

PERIOD = "2026-10"
# option → another value, and what else must be set for it to matter
OTHERS = {
    "rule": ("value", {}),
    "quota": ("10/30/60", {}),
    "value_cuts": ("50/70", {"rule": "value"}),
    "weights": ("10/20/70", {}),
    "composite_cuts": ("2.8/2", {}),
    "xyz_cuts": ("0.1/0.2", {}),
    "xyz_months": (4, {}),
}
MALFORMED = {
    "rule": ["", "best", 3],
    "quota": ["20/40", "20/40/41", "-20/60/60", "a/b/c", "20;40;40", 20, "nan/50/50"],
    "value_cuts": ["95/80", "80", "0/95", "80/101", 80],
    "weights": ["0.4/0.4/0.2", "40/40/10", "40/60"],
    "composite_cuts": ["1.5/2.5", "4/1", "2.5", "2.5/1.5/1"],
    "xyz_cuts": ["1/0.5", "0.5", "-1/1"],
    "xyz_months": [2, 13, 6.5, "6"],
}


@pytest.fixture(scope="module")
def asked(small_demo) -> pareto.AbcData:
    return pareto.read_month(small_demo, PERIOD)


@pytest.fixture(autouse=True)
def _spoken(small_demo):
    look.use("en", small_demo.currency)
    yield
    plt.close("all")


def figures(found: pareto.AbcMonth) -> dict:
    """Give the figures of a month that its options may change."""
    return {
        "classes": found.judged["composite_class"].value_counts().to_dict(),
        "letters": found.judged["payments_class"].value_counts().to_dict(),
        "demand": found.variability["variability"].value_counts().to_dict(),
    }


def test_every_option_is_tried():
    assert set(OTHERS) == set(MALFORMED) == set(pareto.judge_month.options)
    assert len(OTHERS) <= 8


@pytest.mark.parametrize("name", OTHERS)
def test_an_option_changes_a_figure_and_is_in_force(asked, name):
    value, more = OTHERS[name]
    before, after = (pareto.judge_month(asked, **more, **o) for o in ({}, {name: value}))
    assert figures(before) != figures(after)
    assert after.options == {**pareto.judge_month.options, **more, name: value}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, wrong in MALFORMED.items() for value in wrong]
)
def test_what_is_no_value_of_an_option_is_refused(asked, small_demo, name, value):
    with pytest.raises(ValueError, match=rf"^{name} = {re.escape(repr(value))}: expected "):
        pareto.judge_month(asked, **{name: value})
    if value == "":  # as a notebook's parameter: as the workbook says
        return
    with pytest.raises(DataError, match=rf"^{name} = .*: expected "):
        pareto.abc_month(small_demo, PERIOD, **{name: value})
    if isinstance(value, float) and value != value:
        return  # JSON has none
    book = with_rules(small_demo, "abc_pareto", {name: value})
    where = re.escape(f"{book.path.name}: [parameters.abc_pareto] ")
    with pytest.raises(DataError, match=rf"^{where}{name} = .*: expected "):
        pages.require_notebooks(book, settings.NOTEBOOKS)


def test_an_unknown_option_names_the_nearest(asked, small_demo):
    with pytest.raises(TypeError, match="abc_pareto: no option 'quotas'; did you mean 'quota'"):
        pareto.judge_month(asked, quotas="20/40/40")
    with pytest.raises(DataError, match="quotas: no such option; did you mean 'quota'"):
        pareto.abc_month(small_demo, PERIOD, quotas="20/40/40")


def test_what_is_given_wins_over_the_toml_and_that_over_the_default(small_demo):
    book = with_rules(small_demo, "abc_pareto", quota="10/30/60", rule="value")
    assert pareto.abc_month(book, PERIOD).options == {
        **pareto.judge_month.options,
        "quota": "10/30/60",
        "rule": "value",
    }
    given = pareto.abc_month(book, PERIOD, quota="30/30/40", weights=None, rule="").options
    assert (given["quota"], given["rule"]) == ("30/30/40", "value")


def test_page_card_manager_workshop_and_widget_show_the_same(small_demo, tmp_path, monkeypatch):
    """Each asks the recipe, with all that the toml says: every option has another value here."""
    others = {name: value for name, (value, _more) in OTHERS.items()}
    book = with_rules(small_demo, "abc_pareto", others)
    expected = pareto.abc_month(book, PERIOD)
    letters = expected.judged.set_index("dealer_id")["composite_class"].sort_index()

    monkeypatch.setenv("WORKBOOK_PAGE", str(tmp_path / "page"))
    room = run_cells("03_abc_pareto", book, period=PERIOD)
    page = {
        file.stem: files.read_table(file) for file in (tmp_path / "page" / "tables").glob("*.csv")
    }
    there = page["abc_pareto"].set_index("dealer_id")["composite_class"].sort_index()
    assert there.tolist() == letters.tolist()
    printed = look.rules(room["found"].options).sentences[0]
    assert all(words.label(name) in printed for name in others)

    everyone, _comparison = card.network_tables(book, PERIOD, "en")
    judged = everyone["judged"].set_index("dealer_id")["composite_class"].sort_index()
    assert judged.tolist() == letters.tolist()
    # a card tells all that is at stake; the list has each manager's first calls, in one order
    lost = everyone["stakes"][~everyone["stakes"]["trigger"].isin(CHANCES)]
    called = lost.drop_duplicates("dealer_id")
    ranks = called.groupby("account_manager", dropna=False).cumcount()
    first = called.loc[ranks < 10, "dealer_id"]
    assert first.tolist() == page["call_list"]["dealer_id"].tolist()

    dealers = managers.with_keys(data.dealers(book), book)
    offices = managers.manager_pages(dealers, page, {})
    assert sum(office["n_a"] for office in offices) == (letters == "A").sum()

    asked = pareto.read_month(book, PERIOD)
    explorer = widgets.explore_classes(book, asked, expected)
    assert f"A {(letters == 'A').sum()}" in explorer.said.value
    assert "0 dealers change class" in explorer.said.value
    mine = explorer.shown.set_index("dealer_id")["composite_class"].sort_index()
    assert mine.tolist() == letters.tolist()

    workshop = run_cells("10_workshop", book, "judged = ", period=PERIOD)
    assert (
        workshop["judged"].set_index("dealer_id")["composite_class"].sort_index().tolist()
        == letters.tolist()
    )


def test_nobody_else_has_a_copy_of_the_rules():
    """The rules' functions are called by the recipe alone; who is given options passes them on."""
    rules = {
        "joint_judgement",
        "abc_classes",
        "judged_windows",
        "demand_variability",
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
        if path.parent.name != "pareto":
            assert not called & rules, f"{path.name} calls {called & rules}"
    known = {name for room in (pareto, month.judgement, month.demand) for name in dir(room)}
    assert rules <= known, "a rule has another name"


def test_inputs_are_not_mutated(asked):
    kept = [t.copy() for t in asked if isinstance(t, pd.DataFrame)]
    pareto.judge_month(asked, rule="value")
    for before, after in zip(kept, [t for t in asked if isinstance(t, pd.DataFrame)], strict=True):
        pd.testing.assert_frame_equal(before, after)


def test_an_options_default_is_the_rule_of_the_room():
    """Several numbers stand as text in the signature, and as numbers beside what they decide."""
    signature = inspect.signature(month.judge_month)
    given = {name: option.default for name, option in signature.parameters.items()}
    shares = {
        "quota": classes.CLASS_QUOTA,
        "value_cuts": classes.VALUE_CUTS,
        "weights": tuple(judgement.WEIGHTS.values()),
    }
    for option, rule in shares.items():
        assert options.numbers(given[option]) == pytest.approx([100 * share for share in rule])
    assert options.numbers(given["composite_cuts"]) == judgement.COMPOSITE_CUTS
    assert options.numbers(given["xyz_cuts"]) == demand.XYZ_CUTS
