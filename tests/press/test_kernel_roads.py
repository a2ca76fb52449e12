"""Both roads of a kernel give the same page; which is taken is tried once, and told."""

import asyncio
import copy
import json
import os
import queue
import re
import sys
import types

import papermill
import psutil
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient.client import NotebookClient
from nbclient.exceptions import DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from test_kernels import executed, notebook, said

from helpers import settings
from helpers.look.svg import comparison
from helpers.look.svg import roads as drawing_roads
from helpers.press import kernels, pages, printing
from helpers.press.kernels import engine, provisioner, roads, surfaces, trial

linux = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")
PARENT = notebook("import os\nprint(os.getppid())")


@pytest.fixture(autouse=True)
def _untried(monkeypatch):
    """Let each test find out anew, and none decide for those that follow."""
    monkeypatch.delenv(roads.SWITCH, raising=False)
    monkeypatch.setattr(roads, "_reason", "")
    monkeypatch.setattr(engine, "_tried", set())
    roads._strange.cache_clear()
    yield
    roads._strange.cache_clear()


@pytest.fixture(scope="module", autouse=True)
def _end():
    yield
    kernels.end_kernels()


def is_warm(cells: list) -> bool:
    """Whether a kernel's parent is another one than this process."""
    return said(cells) != f"{os.getpid()}\n"


def told_of_roads(capfd) -> list[str]:
    """List what was told of roads; a plain kernel has its own words for the terminal."""
    return [x for x in capfd.readouterr().err.splitlines() if x.startswith("plain kernels")]


@pytest.fixture
def spoilt(tmp_path, monkeypatch):
    """Give a way to change the libraries of a warm process, and of no other."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))

    def spoil(name: str, source: str) -> dict:
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
        return {"preload": [name]}

    return spoil


# ---- the same ------------------------------------------------------------------------------------


class Plain:
    """A plain kernel of Jupyter's, as a trial speaks with one."""

    def __init__(self, client) -> None:
        self.client, self.said = client, queue.Queue()

    def execute(self, code: str) -> str:
        asked = self.client.execute(code)
        # what was asked to see whether it is ready may be answered more than once
        while (reply := self.client.get_shell_msg(timeout=60))["parent_header"]["msg_id"] != asked:
            pass
        while (message := self.client.get_iopub_msg(timeout=60))["content"] != {
            "execution_state": "idle"
        } or message["parent_header"]["msg_id"] != asked:
            self.said.put(message)
        self.said.put(reply)
        self.said.put(message)
        return asked

    def hear(self, timeout: float | None = None) -> dict:
        return self.said.get(timeout=timeout)


def test_the_stored_messages_are_those_of_a_plain_kernel():
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        assert trial.difference(Plain(client)) == ""
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def printed(small_demo, tmp_path_factory):
    """Print a real page, with figures and tables, on each road; give its files by name."""
    made = {}
    notebook_file = settings.NOTEBOOKS / f"{settings.notebook_of('abc_pareto')}.ipynb"
    for road in ("warm own", "plain own", "warm plain"):
        folder = tmp_path_factory.mktemp("road")
        (folder / "work").mkdir()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(roads.SWITCH, road.split()[0])
            patch.setenv(drawing_roads.SWITCH, road.split()[1])
            made_of = pages.ingredients(small_demo, folder, "2026-10")
            (page,) = pages.ready_pages(small_demo, [notebook_file], ["en"], "2026-10", made_of)
            found = printing.print_pages([page], folder, folder / "work", made_of["data"])
        assert found.failed == {}
        shelf = folder / ".pages" / page.key
        made[road] = {
            str(path.relative_to(shelf)): path.read_bytes()
            for path in sorted(shelf.rglob("*"))
            if path.is_file()
        }
    return made


def without_chance(files: dict[str, bytes]) -> dict[str, bytes]:
    """Leave out what is by chance: times, and the id of the cell that papermill adds."""
    meta = re.sub(rb'"seconds": [\d.]+', b"", files["meta.json"])
    done = json.loads(files["notebook.ipynb"])
    for cell in done["cells"]:
        for told in ("execution", "papermill"):
            cell["metadata"].pop(told, None)
        if "injected-parameters" in cell["metadata"].get("tags", []):
            del cell["id"]
    return {**files, "meta.json": meta, "notebook.ipynb": json.dumps(done).encode()}


@linux
def test_a_real_page_is_the_same_to_the_byte(printed):
    warm, plain = (without_chance(printed[road]) for road in ("warm own", "plain own"))
    assert list(warm) == list(plain)
    assert "page.html" in warm
    assert any(name.endswith(".csv") for name in warm)
    for name in warm:
        assert warm[name] == plain[name], name


@linux
def test_a_real_pages_figures_are_the_same_drawing(printed):
    ours, theirs = (
        [
            output.data["image/svg+xml"]
            for cell in _read(printed[road]["notebook.ipynb"]).cells
            for output in cell.get("outputs", ())
            if "image/svg+xml" in output.get("data", {})
        ]
        for road in ("warm own", "warm plain")
    )
    assert len(ours) == len(theirs) > 2
    for one, other in zip(ours, theirs, strict=True):
        seen, seen_there = comparison.shapes(one), comparison.shapes(other)
        assert len(seen) == len(seen_there)
        unlike = [comparison.unlike(*pair) for pair in zip(seen, seen_there, strict=True)]
        assert not any(unlike), unlike
    assert b'role="img"' in printed["warm own"]["page.html"]
    assert b'role="img"' not in printed["warm plain"]["page.html"]
    tables = [
        {name: text for name, text in printed[road].items() if name.endswith(".csv")}
        for road in ("warm own", "warm plain")
    ]
    assert tables[0] == tables[1]


def _read(text: bytes):
    import nbformat

    return nbformat.reads(text.decode(), as_version=4)


# ---- the road ------------------------------------------------------------------------------------


@linux
def test_a_trial_goes_before_the_first_kernel_and_no_other(monkeypatch, capsys):
    tried, difference = [], trial.difference
    monkeypatch.setattr(
        trial, "difference", lambda kernel: tried.append(kernel) or difference(kernel)
    )
    assert [is_warm(executed(PARENT)) for _ in range(2)] == [True, True]
    assert len(tried) == 1
    assert not psutil.pid_exists(tried[0].process.pid), "the trial kernel is left"
    assert capsys.readouterr().err == ""


@linux
@pytest.mark.parametrize("road", roads.ROADS)
def test_a_named_road_is_taken_untried(road, monkeypatch, capsys):
    monkeypatch.setattr(trial, "difference", lambda kernel: pytest.fail("tried"))
    monkeypatch.setattr(surfaces, "strange", lambda expected: pytest.fail("compared"))
    monkeypatch.setenv(roads.SWITCH, road)
    assert is_warm(executed(PARENT)) is (road == "warm")
    assert capsys.readouterr().err == ""


def test_an_unknown_road_is_refused_before_anything_is_printed(monkeypatch, tmp_path):
    monkeypatch.setenv(roads.SWITCH, "fast")
    said_of = "WORKBOOK_KERNELS = 'fast': not known; choose from warm, plain"
    with pytest.raises(settings.DataError, match=said_of):
        executed(PARENT)
    page = pages.Page("p", "en", "key", "{}", {})
    with pytest.raises(settings.DataError, match=said_of):
        printing.print_pages([page], tmp_path, tmp_path, "data")


def gone(monkeypatch) -> str:
    # only `Client` asks for it as a method that can be overridden; nbclient keeps what it calls
    poll = NotebookClient._async_poll_kernel_alive
    monkeypatch.delattr(NotebookClient, "_async_poll_kernel_alive")
    monkeypatch.setattr(PapermillNotebookClient, "_async_poll_kernel_alive", poll, raising=False)
    return "nbclient.client:NotebookClient._async_poll_kernel_alive is not there"


def other_parameters(monkeypatch) -> str:
    handle = NotebookClient._async_handle_timeout

    async def changed(self, timeout, reason, cell=None):
        return await handle(self, timeout, cell)

    monkeypatch.setattr(NotebookClient, "_async_handle_timeout", changed)
    return (
        "nbclient.client:NotebookClient._async_handle_timeout takes (self, timeout, reason, "
        "cell), not (self, timeout, cell, …)"
    )


@linux
@pytest.mark.parametrize("harm", [gone, other_parameters])
def test_where_nbclient_is_not_as_expected_all_kernels_are_plain(harm, monkeypatch, capfd):
    with monkeypatch.context() as patch:
        why = harm(patch)
        assert not is_warm(executed(PARENT))
    assert not is_warm(executed(PARENT)), "for the whole run"
    assert told_of_roads(capfd) == [f"plain kernels, which take seconds to start: {why}"]


SPOILT = {
    "a method that takes more": (
        "import ipykernel.ipkernel as k\nk.IPythonKernel._abort_queues = lambda self: None",
        "ipykernel.ipkernel:IPythonKernel._abort_queues takes (self), not (self, subshell_id)",
    ),
    "a class that is gone": (
        "import ipykernel.iostream as i\ndel i.IOPubThread",
        "ipykernel.iostream:IOPubThread.schedule is not there",
    ),
    "an application that can't be built": (
        "import ipykernel.kernelapp as k\n"
        "def init_path(self):\n    raise RuntimeError('no way')\n"
        "k.IPKernelApp.init_path = init_path",
        "no kernel can be built (RuntimeError: no way)",
    ),
    "a stream that says something else": (
        "import ipykernel.iostream as i\nwrite = i.OutStream.write\n"
        "i.OutStream.write = lambda self, text: write(self, text.upper())",
        "a trial kernel that prints said ('stream', {'name': 'stdout', 'text': 'PRINTED\\n'}), "
        "not ('stream', {'name': 'stdout', 'text': 'printed\\n'})",
    ),
    "a result that isn't shown": (
        "import ipykernel.displayhook as d\n"
        "d.ZMQShellDisplayHook.finish_displayhook = lambda self: None",
        "a trial kernel that shows said ",
    ),
    "an error that passes": (
        "import ipykernel.zmqshell as z\n"
        "z.ZMQInteractiveShell._showtraceback = lambda self, *error: None",
        "a trial kernel that fails said ",
    ),
    "a kernel that dies": (
        "import os, ipykernel.ipkernel as k\n"
        "async def do_execute(self, *given, **named):\n    os._exit(1)\n"
        "k.IPythonKernel.do_execute = do_execute",
        "a trial kernel died, twice",
    ),
}


@linux
@pytest.mark.parametrize("what", SPOILT)
def test_where_ipykernel_is_not_as_expected_all_kernels_are_plain(what, spoilt, capfd):
    source, why = SPOILT[what]
    preload = spoilt(f"spoilt_{list(SPOILT).index(what)}", source)
    assert not is_warm(executed(PARENT, provisioner=preload))
    assert not is_warm(executed(PARENT)), "for the whole run"
    (told,) = told_of_roads(capfd)
    assert told.startswith(f"plain kernels, which take seconds to start: {why}")


@linux
def test_a_warm_process_that_was_killed_decides_nothing(monkeypatch, capsys):
    parent = provisioner.WarmProcess.of(["json"], piped=True)
    difference = trial.difference

    def killed(kernel):
        parent.process.kill()
        parent.process.wait()
        raise DeadKernelError("Kernel died")

    monkeypatch.setattr(trial, "difference", killed)
    executed(PARENT, provisioner={"preload": ["json"]})
    monkeypatch.setattr(trial, "difference", difference)
    assert is_warm(executed(PARENT, provisioner={"preload": ["json"]}))
    assert capsys.readouterr().err == ""


@linux
def test_a_plain_kernel_has_the_same_limits_and_environment(monkeypatch):
    monkeypatch.setenv(roads.SWITCH, "plain")
    given = {"memory_limit": 900_000_000, "extra_env": {"ONLY": "here"}}
    shown = "import os\nprint(os.environ['ONLY'], open('/proc/self/oom_score_adj').read().strip())"
    assert said(executed(notebook(shown), provisioner=given)) == "here 500\n"
    with pytest.raises(papermill.PapermillExecutionError, match="MemoryError"):
        executed(notebook("x = bytearray(10**9)"), provisioner=given)


@linux
def test_other_programs_of_jupyter_get_plain_kernels_too(monkeypatch):
    monkeypatch.setenv(roads.SWITCH, "plain")

    async def parent() -> int:
        manager = provisioner.WarmKernelManager(kernel_name="python3")
        await manager.start_kernel()
        found = psutil.Process(manager.provisioner.pid).ppid()
        await manager.shutdown_kernel(now=True)
        return found

    assert asyncio.run(parent()) == os.getpid()


# ---- what is compared ----------------------------------------------------------------------------


LISTS = ("PROVISIONER", "ENGINE", "KERNEL")


@pytest.mark.parametrize("name", LISTS)
def test_the_libraries_are_as_expected(name):
    assert surfaces.strange(getattr(surfaces, name)) == ""


def test_what_is_overridden_is_on_a_list():
    """Methods of ours that a library calls: it may call them otherwise, or no longer."""
    from helpers.press.kernels import pipe_kernel

    listed = {path.rpartition(".")[2] for name in LISTS for path in getattr(surfaces, name)}
    ours = (
        engine.Client,
        engine.Engine,
        provisioner.WarmProvisioner,
        provisioner.WarmKernelManager,
        pipe_kernel.PipedSession,
        pipe_kernel.Publisher,
        pipe_kernel.Stream,
        pipe_kernel.PipedKernel,
        pipe_kernel.PipedApp,
    )
    kinds = (types.FunctionType, property, classmethod, bool)  # traits are public
    overridden = {
        name
        for cls in ours
        for name, value in vars(cls).items()
        if isinstance(value, kinds)
        and any(name in vars(base) for base in cls.__mro__[1:])
        and not name.startswith("__")
    }
    assert len(overridden) > 12
    assert overridden <= listed


class Said:
    """A kernel that says what it is told to."""

    def __init__(self, answers: list) -> None:
        self.answers, self.messages = copy.deepcopy(answers), []

    def execute(self, code: str) -> str:
        given = self.answers[trial.CELLS.index(code)]
        self.messages = [
            {"msg_type": kind, "content": content, "parent_header": {"msg_id": "asked"}}
            for kind, content in given
        ]
        return "asked"

    def hear(self, timeout: float | None = None) -> dict:
        if not self.messages:
            raise queue.Empty
        return self.messages.pop(0)


def test_a_trial_sees_what_is_said_otherwise():
    assert trial.difference(Said(trial.EXPECTED)) == ""
    for turn, answers in enumerate(trial.EXPECTED):
        for at in range(len(answers) - 1):
            other = copy.deepcopy(trial.EXPECTED)
            del other[turn][at]
            assert trial.difference(Said(other)), "a message less"
            other = copy.deepcopy(trial.EXPECTED)
            other[turn].insert(at, ("stream", {"name": "stderr", "text": "a warning"}))
            assert trial.difference(Said(other)), "a message more"
    silent = [answers[:-1] for answers in trial.EXPECTED]
    assert "that prints did not answer within 0.1 s" in trial.difference(Said(silent), 0.1)
