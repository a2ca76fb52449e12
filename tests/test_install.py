"""Installed as others install: a wheel in an environment of its own, used in another folder."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from helpers.settings import CHECKOUT, NOTEBOOKS

pytestmark = pytest.mark.xdist_group("install")  # the wheel is built once

LINES = "dealer_id,date,revenue\n" + "".join(
    f"D{dealer},{year}-{month:02d}-28,{100 * dealer + month}\n"
    for dealer in range(1, 9)
    for year in (2025, 2026)
    for month in range(1, 13)
    if (year, month) <= (2026, 10)
)
BUILT = "from setuptools import build_meta; print(build_meta.build_{}({!r}))"


def _built(tree: Path, kind: str, out: Path) -> Path:
    """Build as pip does, with the backend that is here: nothing is fetched."""
    done = subprocess.run(
        [sys.executable, "-c", BUILT.format(kind, str(out))],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out / done.stdout.splitlines()[-1]


@pytest.fixture(scope="session")
def wheels(tmp_path_factory) -> tuple[Path, Path]:
    """Build the wheel from the checkout, and from its sdist."""
    asked = "import setuptools; print(setuptools.__version__)"
    told = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=False
    ).stdout
    if int((told or "0").split(".")[0]) < 77:
        pytest.skip("setuptools 77, which builds the wheel, is not here")
    folder = tmp_path_factory.mktemp("built")
    tree = folder / "checkout"  # a copy: building writes into the tree
    left_out = shutil.ignore_patterns(
        ".*", "__pycache__", "cache", "demo", "*.egg-info", "build", "tests", "examples", "docs"
    )
    for part in ("src", "notebooks", "data"):
        shutil.copytree(CHECKOUT / part, tree / part, ignore=left_out)
    shutil.copytree(CHECKOUT / "src/helpers/demo", tree / "src/helpers/demo", dirs_exist_ok=True)
    for file in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / file, tree)
    for file in ("requirements.lock", "workbook.toml"):
        shutil.copy(CHECKOUT / file, tree)
    sdist = _built(tree, "sdist", folder / "sdist")
    shutil.unpack_archive(sdist, folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    return _built(tree, "wheel", folder / "wheel"), _built(unpacked, "wheel", folder / "again")


def _contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def test_the_wheel_ships_what_stands_beside_the_package(wheels):
    held = _contents(wheels[0])
    for path in (
        *(CHECKOUT / "data" / "reference").glob("*.csv"),
        *NOTEBOOKS.glob("*.ipynb"),
        CHECKOUT / "data" / "README.md",
        CHECKOUT / "workbook.toml",
        CHECKOUT / "requirements.lock",
    ):
        name = f"helpers/shipped/{path.relative_to(CHECKOUT).as_posix()}"
        assert held.get(name) == path.read_bytes(), name
    package = CHECKOUT / "src" / "helpers"
    for path in package.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert f"helpers/{path.relative_to(package).as_posix()}" in held, path
    assert not [name for name in held if "/demo/" in name and not name.endswith(".py")]


def test_the_sdist_builds_the_same_wheel(wheels):
    first, again = map(_contents, wheels)
    assert first == again


@pytest.fixture(scope="session")
def environment(wheels, tmp_path_factory) -> Path:
    """Make an environment that has the wheel, and this one's libraries but not its checkout."""
    if not importlib.util.find_spec("pip"):
        pytest.skip("pip, which installs the wheel, is not here")
    place = tmp_path_factory.mktemp("installed") / "env"
    python = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    run = [sys.executable, "-m", "venv", "--without-pip", str(place)]
    subprocess.run(run, check=True, capture_output=True)
    asked = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    told = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    # a line of a .pth is put on the path, and no .pth of that folder is read: the checkout is not
    Path(told.strip(), "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheels[0])],
        check=True,
        capture_output=True,
        env=_environ(),
    )
    return place


def _environ(**more: str) -> dict[str, str]:
    """Give this process's variables without what would lead to the checkout."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "WORKBOOK_", "PIP_", "JUPYTER_"))
    }
    # data files of nbconvert, which a whole installation has in its own prefix
    return {**kept, "JUPYTER_PATH": str(Path(sys.prefix, "share", "jupyter")), **more}


@pytest.fixture
def run(environment, tmp_path):
    """Run a program of the environment in a folder."""
    bin_ = environment / ("Scripts" if os.name == "nt" else "bin")

    def run(*command: str | Path, cwd: Path = tmp_path) -> subprocess.CompletedProcess:
        program = [bin_ / "python", "-m", "papermill"] if command[0] == "papermill" else None
        return subprocess.run(
            [*map(str, program or [bin_ / command[0]]), *map(str, command[1:])],
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
            env=_environ(HOME=str(tmp_path / "home"), USERPROFILE=str(tmp_path / "home")),
        )

    (tmp_path / "home").mkdir()
    return run


def _listing(folder: Path) -> dict[str, tuple[int, int]]:
    """List files with size and time; what Python compiles for itself is its own."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts and path.is_file()
    }


def test_from_new_to_report_and_papermill_in_another_folder(run, environment, tmp_path):
    before = _listing(environment)
    made = run("workbook", "new", "mine")
    assert made.returncode == 0, made.stderr
    assert [line[:3] for line in made.stdout.splitlines()[1:]] == ["1. ", "2. ", "3. "]
    mine = tmp_path / "mine"
    names = {path.name for kind in ("ipynb", "md") for path in NOTEBOOKS.glob(f"*.{kind}")}
    assert {path.name for path in (mine / "notebooks").iterdir()} == names

    missing = run("workbook", "check", cwd=mine)
    assert missing.returncode == 2 and "sell_in.csv" in missing.stdout
    (mine / "data" / "sell_in.csv").write_text(LINES)
    checked = run("workbook", "check", cwd=mine / "notebooks")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "nothing to remark on in 1 table" in checked.stdout

    # what analysts changed is what is printed
    page = mine / "notebooks" / "03_abc_pareto.ipynb"
    notebook = json.loads(page.read_text(encoding="utf-8"))
    notebook["cells"][0]["source"] = "# Our own words"
    page.write_text(json.dumps(notebook), encoding="utf-8")
    # so is what they call things
    (mine / "data" / "reference" / "terms.csv").write_text("term,en\nrevenue,Takings\n")
    asked = ("--only", "abc_pareto", "--config", "mine/workbook.toml")
    printed = run("workbook", "report", "2026-10", *asked)
    assert printed.returncode == 0, printed.stderr
    index = Path(printed.stdout.splitlines()[-1])
    assert index == mine / "reports" / "mine" / "2026-10-draft" / "index.html"
    text = (index.parent / "03_abc_pareto.html").read_text(encoding="utf-8")
    assert "Our own words" in text and "Takings" in text
    assert "\nD8," in (index.parent / "tables" / "abc_pareto.csv").read_text("utf-8-sig")
    assert [*(mine / "data" / "cache").glob("mine.sell_in.*.parquet")]

    ran = run(
        *("papermill", "02_segmentation.ipynb", tmp_path / "out.ipynb", "-p", "period", "2026-09"),
        cwd=mine / "notebooks",
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    cells = json.loads((tmp_path / "out.ipynb").read_text(encoding="utf-8"))["cells"]
    assert any(cell.get("outputs") for cell in cells)

    assert _listing(environment) == before, "nothing is written beside the environment"
    assert {path.name for path in tmp_path.iterdir()} == {"mine", "home", "out.ipynb"}
    assert {path.name for path in (mine / "data").iterdir()} == {
        "README.md",
        "cache",
        "reference",
        "sell_in.csv",
    }


@pytest.mark.parametrize(
    "command", [["check"], ["report"], ["lab"], ["workshop"], ["demo"], ["diff", "a", "b"]], ids=str
)
def test_outside_a_workbook_a_command_says_so(run, environment, tmp_path, command):
    before = _listing(environment)
    done = run("workbook", *command)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "workbook: no workbook.toml here or above; make one with `workbook new FOLDER`, or name "
        "it with --config\n"
    )
    assert _listing(environment) == before
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_toml_alone_is_a_project(run, environment, tmp_path):
    """Without notebooks of its own it is printed with the package's, which nobody may open."""
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "sell_in.csv").write_text(LINES)
    toml = tmp_path / "bare" / "workbook.toml"
    toml.write_text('[data.sell_in]\nsource = "sell_in.csv"\n')
    before = _listing(environment)
    opened = run("workbook", "lab", "--config", toml)
    assert opened.returncode == 2 and "no notebooks here or above" in opened.stderr
    asked = (
        "from helpers import data; book = data.workbook('bare/workbook.toml'); "
        "print(book.project, book.notebooks, len(data.dealers(book)), len(data.reference(book, "
        "'measures')) > 0)"
    )
    told = run("python", "-c", asked)
    shipped = next(environment.rglob("shipped"))
    assert told.stdout.split() == [str(toml.parent), str(shipped / "notebooks"), "8", "True"]
    assert {path.name for path in (toml.parent / "data").iterdir()} == {"cache"}
    assert _listing(environment) == before


def test_what_nobody_foresaw_is_logged_in_the_project_or_the_systems_folder(run, environment):
    """Never where the package lies."""
    asked = (
        "import sys; from helpers import cli; from helpers.data import checks\n"
        "checks.findings = lambda book: 1 / 0\nsys.exit(cli.main(sys.argv[1:]))"
    )
    run("workbook", "new", "mine")
    before = _listing(environment)
    done = run("python", "-c", asked, "check", "--config", "mine")
    assert done.returncode == 70
    assert f"{os.sep}mine{os.sep}data{os.sep}cache{os.sep}logs{os.sep}" in done.stderr
    assert _listing(environment) == before
