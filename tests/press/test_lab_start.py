"""`workbook lab`: what it becomes, what a kernel finds, what is saved, and that nothing is left."""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell

from helpers import cli
from helpers.press.lab import reloading, saving, server, start
from helpers.settings import CHECKOUT as ROOT
from helpers.settings import DataError

SECONDS = 120  # for a server on a machine that does other work, too


# ---- what it becomes -----------------------------------------------------------------------------


@pytest.fixture
def became(monkeypatch):
    """Catch the command and the environment that a process becomes."""
    found = []

    def execve(path, command, environment):
        found.append((path, command, environment))

    monkeypatch.setattr(os, "execve", execve)
    return found


@pytest.mark.parametrize(
    "given", [[], ["--port", "9000"], ["--no-browser", "--ServerApp.ip=::1"], ["--LabApp.x=a b"]]
)
def test_options_after_two_dashes_are_jupyters(became, small_demo, given):
    dashes = ["--", *given] if given else []
    cli.main(["lab", "--config", str(small_demo.path), *dashes])
    ((path, command, environment),) = became
    assert path == command[0] == sys.executable
    assert command[len(command) - len(given) :] == given, "and they stand last: they win"
    assert environment["WORKBOOK_CONFIG"] == str(small_demo.path)


@pytest.mark.parametrize("user", [0, 1000])
def test_who_is_root_is_let_in(small_demo, monkeypatch, user):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    made = start.command(small_demo.notebooks, "en", ["--port", "1"])
    assert ("--allow-root" in made) == (user == 0)


@pytest.mark.parametrize("language", start.START)
def test_it_opens_on_the_start_page_of_the_workbooks_language(language):
    (url,) = [part for part in start.command(ROOT / "notebooks", language) if "default_url" in part]
    page = start.START[language]
    assert url.endswith(f"/lab/tree/{page}")
    assert (ROOT / "notebooks" / page).is_file()


def test_a_workshop_opens_on_its_notebook(became, small_demo):
    cli.main(["workshop", "--config", str(small_demo.path), "--scope", "region=x"])
    ((_path, command, environment),) = became
    assert command[3].endswith("10_workshop.ipynb")
    assert not [part for part in command if "default_url" in part]
    assert environment["WORKBOOK_SCOPE"] == "region=x"


def test_what_stands_on_jupyters_paths_stays_behind_ours(small_demo):
    given = {"JUPYTER_PATH": "/a", "OTHER": "1"}
    told = start.environment(given, small_demo)
    first, *rest = told["JUPYTER_PATH"].split(os.pathsep)
    assert (Path(first) / "kernels" / "python3" / "kernel.json").is_file()
    assert rest == ["/a"]
    assert (Path(told["JUPYTER_CONFIG_PATH"]) / "jupyter_server_config.json").is_file()
    assert told["OTHER"] == "1"
    assert given == {"JUPYTER_PATH": "/a", "OTHER": "1"}


def test_an_unknown_question_is_refused(small_demo):
    with pytest.raises(DataError, match="no notebook of nothing"):
        start.place(small_demo, "nothing")


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_the_start_page_leads_to_each_notebook(page):
    text = (ROOT / "notebooks" / page).read_text(encoding="utf-8")
    linked = re.findall(r"\]\((\d\d_\w+\.ipynb)\)", text)
    assert linked == [path.name for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    asked = re.findall(r"(?m)^\| ([^|]+?) ?\| \[", text)
    whole = (ROOT / page).read_text(encoding="utf-8")
    assert len(asked) == len(linked)
    assert all(question in whole for question in asked), "they ask what the README says"


# ---- what a kernel finds -------------------------------------------------------------------------


def test_only_libraries_are_loaded_ahead():
    """A helper may be edited: none is in the process that kernels are forked from."""
    for name in server.preloaded():
        assert name.split(".")[0] != "helpers"
        assert importlib.util.find_spec(name), f"{name} is not there to load"


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Lay out a package that stands for the helpers, and a shell that looks after it."""
    place = tmp_path / "toyhelpers"
    place.mkdir()
    (place / "__init__.py").write_text("")
    (place / "rule.py").write_text("def share():\n    return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(reloading, "OURS", "toyhelpers")
    shell = InteractiveShell()
    reloading.load_ipython_extension(shell)
    yield shell, place / "rule.py"
    for name in [name for name in sys.modules if name.split(".")[0] == "toyhelpers"]:
        del sys.modules[name]


def run(shell, code: str) -> object:
    done = shell.run_cell(code)
    done.raise_error()
    return done.result


def edit(path: Path, text: str) -> None:
    path.write_text(text)
    later = time.time() + 10  # a second is the least that every disk tells apart
    os.utime(path, (later, later))


@pytest.mark.parametrize("asked", ["rule.share()", "share()"], ids=["module", "function"])
def test_a_helper_that_is_edited_is_taken_anew_at_the_next_cell(toy, asked):
    shell, path = toy
    run(shell, "from toyhelpers import rule\nfrom toyhelpers.rule import share")
    assert run(shell, asked) == 1
    edit(path, "def share():\n    return 22\n")
    assert run(shell, asked) == 22
    assert "toyhelpers" not in shell.user_ns, "the notebook asked for parts of it only"


def test_a_helper_that_can_not_be_read_leaves_the_old_one(toy, capsys):
    shell, path = toy
    run(shell, "from toyhelpers import rule")
    edit(path, "def share(:\n")
    assert run(shell, "rule.share()") == 1
    assert "toyhelpers.rule" in "".join(capsys.readouterr())


def test_other_modules_are_left_alone(toy):
    shell, _path = toy
    run(shell, "import toyhelpers, json")
    reloader = shell.magics_manager.registry["AutoreloadMagics"]._reloader
    assert set(reloader.modules) == {"toyhelpers"}
    assert run(shell, "toyhelpers.__name__") == "toyhelpers"


# ---- what is saved -------------------------------------------------------------------------------

VIEW = {"model_id": "abc", "version_major": 2, "version_minor": 0}


def notebook_of(*data: dict) -> dict:
    outputs = [nbformat.v4.new_output("display_data", data=dict(one)) for one in data]
    cell = nbformat.v4.new_code_cell("widgets.explore()", outputs=outputs)
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A"), cell])
    made.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {}}
    return {"type": "notebook", "content": made}


def test_a_widget_is_saved_as_what_it_showed():
    static = {"text/html": "<p>12 dealers</p>", "text/plain": "", saving.WIDGET: VIEW}
    model = notebook_of(static)
    saving.static(model=model, path="a.ipynb", contents_manager=None)
    (output,) = model["content"]["cells"][1]["outputs"]
    assert output["data"] == {"text/html": "<p>12 dealers</p>"}
    assert "widgets" not in model["content"]["metadata"]
    nbformat.validate(model["content"])


def test_what_has_no_other_form_and_what_is_no_widget_stays():
    alone, picture = {"text/plain": "IntSlider()", saving.WIDGET: VIEW}, {"image/png": "aaaa"}
    model = notebook_of(alone, picture)
    saving.static(model)
    data = [output["data"] for output in model["content"]["cells"][1]["outputs"]]
    assert data == [alone, picture]


@pytest.mark.parametrize(
    "model", [{"type": "file", "content": "text"}, {"type": "notebook"}, {"type": "directory"}]
)
def test_other_files_are_left_alone(model):
    before = json.dumps(model)
    saving.static(model)
    assert json.dumps(model) == before


# ---- a server ------------------------------------------------------------------------------------


def asked(address: str, token: str, path: str, method: str = "GET", body: bytes | None = None):
    headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}{path}", body, headers, method=method)
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        return json.loads(answer.read() or b"null")


def below(pid: int) -> set[int]:
    """List the processes that descend from one."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            parents[int(stat.parent.name)] = int(fields[1])
        except OSError:  # it has ended meanwhile
            continue
    found, new = set(), {pid}
    while new:
        found |= new
        new = {child for child, parent in parents.items() if parent in new} - found
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux")
def test_the_command_is_the_server_its_kernels_are_warm_and_none_is_left(small_demo, tmp_path):
    kinds = ("JUPYTER_CONFIG", "JUPYTER_RUNTIME", "JUPYTERLAB_SETTINGS", "JUPYTERLAB_WORKSPACES")
    own = {f"{kind}_DIR": str(tmp_path / kind.lower()) for kind in kinds}
    code = "import sys; from helpers import cli; sys.exit(cli.main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "lab", "--config", str(small_demo.path)]
    command += ["--", "--no-browser", "--port=0", "--ip=127.0.0.1"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command, env={**os.environ, **own}, stdout=log, stderr=log, start_new_session=True
        )
    try:
        told = Path(own["JUPYTER_RUNTIME_DIR"]) / f"jpserver-{process.pid}.json"
        end = time.monotonic() + SECONDS
        # the server's own file bears the number of the process that was started
        while not told.exists():
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < end, (tmp_path / "log").read_text()
            time.sleep(0.1)
        time.sleep(0.5)
        here = json.loads(told.read_text())
        assert here["hostname"] == "127.0.0.1"
        made = asked(here["url"], here["token"], "api/kernels", "POST", b'{"name": "python3"}')
        assert made["name"] == "python3"
        lines = {
            pid: Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " ")
            for pid in below(process.pid)
        }
        warm = [pid for pid, line in lines.items() if "helpers.press.kernels.forks" in line]
        assert len(warm) >= 2, f"the warm process and its fork: {lines}"
        assert not [line for line in lines.values() if "ipykernel_launcher" in line]
        with pytest.raises(urllib.error.HTTPError):
            asked(here["url"], "another", "api/kernels")
    finally:
        left = below(process.pid) - {process.pid}
        process.send_signal(signal.SIGKILL)
        process.wait(SECONDS)
    end = time.monotonic() + SECONDS
    while alive := [pid for pid in left if is_alive(pid)]:
        assert time.monotonic() < end, f"left behind: {alive}"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that waits for its parent to look has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
