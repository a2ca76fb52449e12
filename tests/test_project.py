"""The project as a whole: what its documents promise is there, and its lists agree."""

import csv
import importlib
import re
import tomllib

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from helpers.settings import CHECKOUT as ROOT
from helpers.settings import PACKAGE, contract
from helpers.settings.terms import KINDS, STORED

LOCKS = ("requirements.lock", "requirements-spark.lock")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONDA_NAMES = {
    "python-duckdb": "duckdb",
    "ibis-duckdb": "ibis-framework",
    "jupyter_client": "jupyter-client",
}


def name_and_version(text: str) -> tuple[str, str]:
    name, version = re.match(
        r"([\w.-]+)(?:\[[\w,]+\])?\s*(\S*)", text.split("#")[0].strip()
    ).groups()
    return CONDA_NAMES.get(name, name).lower(), version


def test_environment_is_in_step_with_pyproject():
    lines = re.findall(
        r"^ +- +([\w.-]+[^\s#]*)", (ROOT / "environment.yml").read_text(encoding="utf-8"), re.M
    )
    conda = dict(
        name_and_version(line) for line in lines if line not in ("conda-forge", "pip", "-e", "pip:")
    )
    conda.pop("python"), conda.pop("pip", None)
    needed = dict(name_and_version(line) for line in PYPROJECT["project"]["dependencies"])
    assert conda == needed


def test_lock_holds_every_dependency_with_hashes_and_no_address():
    # Spark's, of one extra, is no part of what everybody installs
    lock = "".join((ROOT / name).read_text(encoding="utf-8") for name in LOCKS)
    assert not re.search(r"https?://|--(extra-)?index-url|file:", lock)
    pinned = {m.lower() for m in re.findall(r"^([\w.-]+)==", lock, re.M)}
    lists = [
        PYPROJECT["project"]["dependencies"],
        *PYPROJECT["project"]["optional-dependencies"].values(),
    ]
    asked = {name_and_version(line)[0] for lines in lists for line in lines}
    assert asked - {PYPROJECT["project"]["name"]} <= pinned
    blocks = re.split(r"^(?=[\w.-]+==)", lock, flags=re.M)[1:]
    assert all("--hash=sha256:" in block for block in blocks)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "data" / "reference").glob("*.csv")), ids=lambda p: p.stem
)
def test_reference_tables_are_whole(path):
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert len({len(row) for row in rows}) == 1, "every row has as many fields as the head"
    first = [row[0] for row in rows[1:]]
    if path.stem in ("terms", "sentences", "formats", "measures", "diagnoses"):
        assert len(first) == len(set(first)), "a key occurs twice"


def test_a_column_is_the_same_where_it_comes_in_and_where_it_is_published():
    with (ROOT / "data" / "reference" / "terms.csv").open(encoding="utf-8", newline="") as file:
        told = {row["term"]: row["kind"] for row in csv.DictReader(file) if row["kind"]}
    assert set(told.values()) <= set(KINDS)
    for table, columns in contract().items():
        for name, column in columns.items():
            if name in told:
                assert STORED.get(told[name], told[name]) == column.kind, f"{table}.{name}"


def test_every_published_table_has_a_key_of_known_columns():
    with (ROOT / "data" / "reference" / "terms.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["term"]: row for row in csv.DictReader(file)}
    tables = {term: row["key"].split() for term, row in rows.items() if term.startswith("table_")}
    assert all(tables.values()), [name for name, key in tables.items() if not key]
    assert {column for key in tables.values() for column in key} <= {
        term for term, row in rows.items() if row["kind"]
    }
    assert not any(row["key"] for term, row in rows.items() if term not in tables)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "data" / "reference").glob("*.csv")), ids=lambda p: p.stem
)
def test_whatever_has_english_has_chinese(path):
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows if "zh" in rows[0] else []:
        assert row["en"] and row["zh"], row
        fields = [set(re.findall(r"{(\w+)", row[language])) for language in ("en", "zh")]
        assert fields[1] <= fields[0], (
            f"the Chinese sentence asks for what the English doesn't: {row}"
        )


def test_every_column_of_the_contract_is_named_in_the_codebook():
    book = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    for table, columns in contract().items():
        assert table in book
        assert all(
            f"`{column}`" in book or f"| {column} |" in book for column in columns if column != "*"
        )


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_readme_names_the_commands_pictures_and_notebooks_there_are(readme):
    text = (ROOT / readme).read_text(encoding="utf-8")
    assert "make report" in text and "make test" in text
    targets = set(
        re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    )
    assert set(re.findall(r"`make (\w+)", text)) <= targets
    for link in re.findall(r"\]\((?!http|#)([^)]+)\)", text):
        assert (ROOT / link.split("#")[0]).exists(), (
            f"{readme} points to {link}, which is not there"
        )
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        assert notebook.name in text


@pytest.mark.parametrize("page", ["README.md", "README.zh.md", "docs/schedule.md"])
def test_commands_in_the_documents_are_understood(page):
    import shlex

    from helpers import cli

    said = re.findall(
        r"\.venv/bin/workbook ((?:report|check|diff)\b[^\n>|`\"#]*)",
        (ROOT / page).read_text(encoding="utf-8"),
    )
    assert said
    for command in said:
        # refuses what it doesn't know by ending the program
        cli._parser().parse_args(shlex.split(command))


def test_the_public_names_of_helpers_are_explained():
    import ast

    for path in (ROOT / "src" / "helpers").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), path.name
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{path.name}: {node.name}"


def test_the_lock_installs_whatever_the_code_imports():
    import ast
    import importlib.metadata
    import sys

    lock = "".join((ROOT / name).read_text(encoding="utf-8") for name in LOCKS)
    pinned = {m.lower().replace("_", "-") for m in re.findall(r"^([\w.-]+)==", lock, re.M)}
    known = importlib.metadata.packages_distributions()
    for path in (ROOT / "src" / "helpers").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            for top in {name.split(".")[0] for name in names} - {
                *sys.stdlib_module_names,
                "helpers",
            }:
                providers = {name.lower().replace("_", "-") for name in known.get(top, [top])}
                assert providers & pinned, (
                    f"{path.name} imports {top}, which the lock doesn't install"
                )


# ---- the house -----------------------------------------------------------------------------------


def test_imports_only_run_downwards(monkeypatch, capsys):
    """The contracts of import-linter in pyproject.toml, which name every room."""
    monkeypatch.chdir(ROOT)
    assert lint_imports() == EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_rooms_are_few_and_modules_short():
    rooms = [path for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()]
    rooms = [path.stem for path in rooms if path.stem not in ("__init__", "__pycache__")]
    assert len(rooms) <= 23, "one to a question, the face with its live room, press and ground"
    modules = {path: path.read_text("utf-8").count("\n") for path in PACKAGE.rglob("*.py")}
    assert not {path.name for path, n_lines in modules.items() if n_lines > 600}


def test_a_room_offers_what_is_there():
    for room in sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py")):
        offered = importlib.import_module(f"helpers.{room}")
        names = getattr(offered, "__all__", [])
        assert len(set(names)) == len(names) and all(hasattr(offered, name) for name in names)


def test_the_walks_lead_through_what_is_there():
    """Each file named in CONTRIBUTING's walks has the functions named behind it."""
    told = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    walks = told.split("## Four walks")[1].split("\n## ")[0]
    here, found = None, []
    for name in re.findall(r"`([\w/.]+)`", walks):
        if name.endswith(".py"):
            here = (PACKAGE / name).read_text(encoding="utf-8")
        elif here and re.fullmatch(r"[a-z_]+", name) and name != "parameters":
            assert f"def {name}(" in here, name
            found.append(name)
    assert len(found) > 15


@pytest.mark.xdist_group("kept together")
def test_tests_of_a_group_run_on_one_worker(request):
    """What is printed once for a group is printed for each worker where groups fall apart."""
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("the tests run on one worker, or as they come")
    assert request.node.nodeid.endswith("@kept together")
