"""The notebooks as documents.

Their shape, their parameters, their languages, and that each runs on a small network.
"""

import ast
import re
from pathlib import Path
from statistics import median

import nbformat
import papermill
import pytest

from helpers.look import sections
from helpers.press.pages import RECIPES
from helpers.settings import CHECKOUT as ROOT
from helpers.settings import contract, question_of
from sampling import WHOLE

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PARAMETERS = {"period": "str", "config": "str", "language": "str", "scope": "str"}
SECONDS = 90  # of a cell


def cells(path: Path, kind: str = "") -> list:
    return [c for c in nbformat.read(path, as_version=4).cells if not kind or c.cell_type == kind]


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request) -> Path:
    return request.param


def executed(notebook: Path, folder: Path, parameters: dict):
    """Run a notebook under plain papermill, the interactive cell included."""
    made = papermill.execute_notebook(
        str(notebook),
        str(folder / "made.ipynb"),
        parameters,
        progress_bar=False,
        cwd=str(ROOT),
        execution_timeout=SECONDS,
    )
    # a reply that nobody looks for is found when the time is up, and the cell passes
    assert max(c.metadata.papermill.duration or 0 for c in made.cells) < SECONDS, (
        "a cell waited for its own end"
    )
    return made


def widget_models(made) -> list[dict]:
    """List the widgets that a notebook has opened."""
    held = made.metadata.get("widgets", {}).get(
        "application/vnd.jupyter.widget-state+json", {"state": {}}
    )
    return list(held["state"].values())


def test_there_are_notebooks():
    assert len(NOTEBOOKS) >= 2


def test_names_lead_to_rooms(notebook):
    rooms = [ROOT / "src" / "helpers" / word for word in notebook.stem.split("_")[1:]]
    rooms += [room.with_name(f"{room.name}s") for room in rooms]
    # where another word names the question, its recipe says whose it is
    rooms += [ROOT / "src" / "helpers" / RECIPES.get(question_of(notebook.stem), "none")]
    rooms = sorted({room.name for room in rooms if room.is_dir()})
    assert rooms, "one word of the notebook's name is the name of its room"
    sources = "\n".join(c.source for c in cells(notebook, "code"))
    for room in rooms:
        assert f"{room}." in sources, f"{notebook.name} never calls helpers.{room}"
        assert [*(ROOT / "tests" / room).glob("test_*.py")]


def test_names_the_tables_it_cannot_do_without(notebook):
    needs = nbformat.read(notebook, as_version=4).metadata["workbook"]["needs"]
    for one in [one for name in needs for one in name.split("|")]:
        table, _, column = one.partition(".")
        assert not column or column in contract()[table]
        assert table in contract()


def test_begins_with_the_question(notebook):
    first = cells(notebook)[0]
    assert re.match(r"# .+\?\n", first.source), "the title is the question the page answers"


def test_is_of_readable_length(notebook):
    told = [c for c in cells(notebook) if "lang-zh" not in tags(c)]
    assert 20 <= len(told) <= 60, f"{len(told)} cells"


def test_code_cells_are_calls_not_code(notebook):
    code = cells(notebook, "code")
    # a notebook has as many parameters as its question has rules
    lines = [len(c.source.strip().splitlines()) for c in code if "parameters" not in tags(c)]
    assert median(lines) <= 4
    assert max(lines) <= 8
    for cell in code:
        assert not any(
            isinstance(n, (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.For))
            for n in ast.walk(ast.parse(cell.source))
        )


def test_never_more_than_two_code_cells_in_a_row(notebook):
    told = [c for c in cells(notebook) if not {"lang-zh", "interactive"} & set(tags(c))]
    kinds = "".join("c" if c.cell_type == "code" else "t" for c in told[4:])
    assert "ccc" not in kinds, f"at cell {kinds.index('ccc') + 4}"


def test_no_outputs_are_stored(notebook):
    assert all(not c.outputs and c.execution_count is None for c in cells(notebook, "code"))


def test_parameters_are_typed_and_explained(notebook):
    found = papermill.inspect_notebook(str(notebook))
    assert {
        name: p["inferred_type_name"] for name, p in found.items()
    }.items() >= PARAMETERS.items()
    assert all(p["help"] for p in found.values()), "each parameter says what it is"


def test_every_text_is_there_in_both_languages(notebook):
    told = cells(notebook)
    at = [
        (i, "lang-en" in tags(c), "lang-zh" in tags(c))
        for i, c in enumerate(told)
        if c.cell_type == "markdown"
    ]
    assert all(en != zh for _, en, zh in at), "every text cell has exactly one language"
    twins = [(told[i], told[i + 1]) for i, en, _ in at if en]
    assert all("lang-zh" in tags(zh) for _, zh in twins), "the Chinese twin follows at once"
    assert len(at) == 2 * len(twins)
    for en, zh in twins:
        assert re.findall(r"^#+", en.source, re.M) == re.findall(r"^#+", zh.source, re.M), (
            en.source[:60]
        )
        assert en.source.count("\n- ") == zh.source.count("\n- "), en.source[:60]
        assert re.search(r"[\u4e00-\u9fff]", zh.source)
        assert not re.search(r"[\u4e00-\u9fff]", en.source)
        assert set(tags(en)) - {"lang-en"} == set(tags(zh)) - {"lang-zh"}, (
            "twins are printed together"
        )


def test_what_explains_a_figure_goes_with_it(notebook):
    """A page without the figure is to be without the text that says how to read it."""
    for cell in cells(notebook, "markdown"):
        explains = cell.source.startswith(("*How to read it", "*读"))
        assert explains == (sections.HOW_TO_READ in tags(cell)), cell.source[:60]


def test_lines_that_go_with_a_cell_name_one(notebook):
    ids = {c.id for c in cells(notebook, "code")}
    named = [sections.WITH.findall(c.source) for c in cells(notebook, "markdown")]
    assert {name for found in named for name in found} <= ids
    comments = sum(c.source.count("<!--") for c in cells(notebook, "markdown"))
    assert comments == sum(map(len, named)), "any other comment would be printed, or lost"


def test_ends_with_checks_and_limits(notebook):
    headings = [
        c.source.splitlines()[0] for c in cells(notebook, "markdown") if "lang-en" in tags(c)
    ]
    assert headings[-2:] == ["## Checks", "## When not to trust this"]
    checks = cells(notebook, "code")[-1].source
    assert checks.count("assert ") >= 2
    assert all(
        isinstance(n.msg, ast.Constant)
        for n in ast.walk(ast.parse(checks))
        if isinstance(n, ast.Assert)
    )


def test_has_one_interactive_call(notebook):
    interactive = [c for c in cells(notebook, "code") if "interactive" in tags(c)]
    assert len(interactive) == 1
    assert interactive[0].source.splitlines()[-1].startswith("widgets.")


# zh-Hans is printed by test_absences.py
@pytest.mark.parametrize(
    ("notebook", "language"),
    [
        (path, ("en", "zh-Hant")[(i + turn) % 2])
        for turn in range(2 if WHOLE else 1)  # the suite has them in turn
        for i, path in enumerate(NOTEBOOKS)
    ],
    ids=lambda value: getattr(value, "stem", value),
)
def test_runs_on_a_small_network(notebook, language, small_demo, tmp_path):
    made = executed(
        notebook, tmp_path, {"config": str(small_demo.path), "language": language, "period": ""}
    )
    figures = [
        o
        for c in made.cells
        if c.cell_type == "code"
        for o in c.outputs
        if "image/svg+xml" in o.get("data", {}) or "image/png" in o.get("data", {})
    ]
    assert len(figures) >= 4
    for figure in figures:
        kind = "image/svg+xml" if "image/svg+xml" in figure.data else "image/png"
        assert figure.metadata[kind]["alt"], "every figure has words for who can't see it"
    warned = [
        o.text
        for c in made.cells
        if c.cell_type == "code"
        for o in c.outputs
        if o.get("name") == "stderr"
    ]
    assert not warned
    opened = widget_models(made)
    assert "OutputModel" not in {model["model_name"] for model in opened}, (
        "nbclient may never hear of such a cell's end"
    )
    shown = [model["state"]["value"] for model in opened if model["model_name"] == "HTMLModel"]
    drawn = ('<img src="data:image/', '<p class="note">')  # or its finding, as a sentence
    assert any(way in value for value in shown for way in drawn), "the explorer shows its figure"
