"""Warm kernels: as empty and as exact as any other, gone when they should be, and normal ones where
none can be.
"""

import asyncio
import concurrent.futures
import gc
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import papermill
import psutil
import pytest
import zmq.asyncio
from jupyter_client.manager import start_new_kernel
from jupyter_client.session import Session
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import v4

from helpers.press import printing
from helpers.press.kernels import provisioner
from processes import still_running

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")
PRELOAD = ["pandas", "matplotlib.pyplot"]
CELLS = """
import sys, os, warnings
import numpy as np, pandas as pd, matplotlib.pyplot as plt
print(__name__, sys.argv[0].rpartition("/")[2][:17], sys.path[0], os.getcwd(), plt.get_backend())
###
table = pd.DataFrame({"a": np.arange(3), "b": list("xyz")})
table
###
plt.plot([1, 3, 2]); plt.title("A figure")
###
fig, ax = plt.subplots(); ax.bar(["客", "b"], [1, 2]); plt.show(); print("after")
###
warnings.warn("careful"); print("to stderr", file=sys.stderr)
###
from IPython.display import display, Markdown, update_display
handle = display(Markdown("*one*"), display_id=True); handle.update(Markdown("*two*"))
###
import ipywidgets
ipywidgets.IntSlider(value=3)
###
%who str
###
!echo from a shell
###
import asyncio
await asyncio.sleep(0.01)
task = asyncio.create_task(asyncio.sleep(0, "done"))
print(await task)
###
import multiprocessing, time
child = multiprocessing.get_context("fork").Process(
    target=print, args=("from a child",), kwargs={"flush": True})
child.start(); child.join(); time.sleep(0.3)
###
os.write(1, "past Python\\n".encode()); time.sleep(0.3)
###
import threading
thread = threading.Thread(target=print, args=("from a thread",)); thread.start(); thread.join()
###
box = ipywidgets.Output()
with box:
    print("in a box"); display(Markdown("*three*"))
###
print(box.outputs); print("x" * 300_000)
###
from IPython.display import clear_output
print("gone"); clear_output(); print("stays"); print("\\ud800".encode("utf-8", "replace"))
###
def fails():
    return 1 / 0
fails()
"""


@pytest.fixture(scope="module", autouse=True)
def _end():
    """See that nothing of this module's is left.

    What other tests of the process have running is theirs.
    """
    others = {child.pid for child in psutil.Process().children(recursive=True)}
    yield
    provisioner.end_kernels()
    left = [child for child in psutil.Process().children(recursive=True) if child.pid not in others]
    assert not psutil.wait_procs(left, timeout=10)[1], "killed, they are gone at once, or nearly so"


@pytest.fixture(scope="module", autouse=True)
def _looked_at():
    """Have normal kernels' replies looked for after each send.

    Here cells hold an `Output` on purpose.

    nbclient may otherwise never hear of such a cell's end; see `benchmarks/hanging_output.py`.
    """
    plain = Session.send

    def send(self, stream, *args, **options):
        sent = plain(self, stream, *args, **options)
        if isinstance(stream, zmq.asyncio.Socket):
            stream._schedule_remaining_events()
        return sent

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "send", send)
        yield


def notebook(*sources: str) -> nbformat.NotebookNode:
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return v4.new_notebook(
        cells=[v4.new_code_cell(source.strip()) for source in sources], metadata=spec
    )


def executed(made: nbformat.NotebookNode, engine: str | None = "warm", **options) -> list:
    from traitlets.config import Config

    config = Config({"WarmProvisioner": {"preload": PRELOAD, **options.pop("provisioner", {})}})
    return papermill.execute_notebook(
        made,
        None,
        engine_name=engine,
        progress_bar=False,
        log_output=False,
        request_save_on_cell_execute=False,
        config=config,
        **options,
    ).cells


def said(cells: list) -> str:
    return "".join(output.get("text", "") for cell in cells for output in cell.outputs)


def outputs(engine: str | None, tmp_path: Path) -> list:
    """Execute the cells; give their outputs, without what is random in any kernel."""
    path = tmp_path / f"{engine}.ipynb"
    with pytest.raises(papermill.PapermillExecutionError, match="ZeroDivisionError"):
        papermill.execute_notebook(
            notebook(*CELLS.split("###")), str(path), engine_name=engine, progress_bar=False
        )
    made = nbformat.read(path, as_version=4)
    text = json.dumps([cell.get("outputs") for cell in made.cells])
    for model in (
        o["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]
        for c in made.cells
        for o in c.get("outputs", [])
        if "application/vnd.jupyter.widget-view+json" in o.get("data", {})
    ):
        text = text.replace(model, "model")
    for pid in {int(found) for found in __import__("re").findall(r"ipykernel_(\d+)", text)}:
        text = text.replace(f"ipykernel_{pid}", "ipykernel_0")
    return json.loads(text)


def test_outputs_are_those_of_a_normal_kernel_to_the_byte(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # it keeps ipykernel from watching descriptors
    warm, normal = outputs("warm", tmp_path), outputs(None, tmp_path)
    for number, (one, other) in enumerate(zip(warm, normal, strict=True)):
        assert one == other, f"cell {number}"
    everything = json.dumps(warm)
    assert all(
        text in everything
        for text in ("from a child", "past Python", "from a thread", "in a box", "done")
    )
    assert sum("image/png" in o.get("data", {}) for cell in warm for o in cell or []) == 2


def test_our_own_figures_are_those_of_a_normal_kernel(tmp_path):
    drawn = notebook(
        "from helpers import look; look.use('zh-Hans')",
        "ax = look.axes(); ax.bar([1, 2], [2, 1]); look.explain(ax, '客户');",
        "look.axes(dense=True).plot([1, 2]);",
    )
    warm, normal = (
        executed(drawn, provisioner={"preload": printing.PRELOAD}),
        executed(drawn, engine=None),
    )
    assert [cell.outputs for cell in warm] == [cell.outputs for cell in normal]
    assert [list(output.data) for cell in warm for output in cell.outputs] == [
        ["text/plain", "image/svg+xml"],
        ["text/plain", "image/png"],
    ]


def test_every_notebook_starts_afresh(tmp_path, monkeypatch):
    monkeypatch.setenv("GIVEN", "now")
    spoil = notebook(
        "import os, random, pandas as pd\nos.environ['LEFT'] = 'x'\nos.chdir('/')\npd.left = "
        "1\nx = 1\nimport numpy as np\nnp.random.seed(1)\nrandom.seed(1)"
    )
    look = (
        "import os, random, pandas as pd, numpy as np\nprint('x' in dir(), "
        "os.environ.get('LEFT'), hasattr(pd, 'left'), os.getcwd(), "
        "os.environ['GIVEN'])\nprint(random.random(), np.random.rand(), os.getpid(), "
        "os.getppid())"
    )
    executed(spoil)
    one, two = (
        said(executed(notebook(look), resources={"metadata": {"path": str(tmp_path)}}))
        for _ in range(2)
    )
    first = one.splitlines()[0]
    assert first == two.splitlines()[0] == f"False None False {tmp_path} now"
    numbers, others = one.splitlines()[1].split(), two.splitlines()[1].split()
    assert not set(numbers[:3]) & set(others[:3]), (
        "two kernels with the same random numbers, or the same process"
    )
    assert (
        numbers[3] == others[3] == str(provisioner.WarmProcess.of(PRELOAD, piped=True).process.pid)
    )


def test_a_kernel_has_the_environment_it_is_given():
    cells = executed(
        notebook("import os\nprint(os.environ['ONLY'])"),
        provisioner={"extra_env": {"ONLY": "here"}},
    )
    assert said(cells) == "here\n"


def test_libraries_are_loaded_before_and_ours_are_not():
    cells = executed(
        notebook(
            "import sys\nprint([m for m in ('pandas', 'helpers.data.read') if m in sys.modules])"
        )
    )
    assert said(cells) == "['pandas']\n"


def test_memory_has_a_limit():
    with pytest.raises(papermill.PapermillExecutionError, match="MemoryError"):
        executed(notebook("x = bytearray(10**9)"), provisioner={"memory_limit": 500_000_000})


def test_a_kernel_that_dies_is_noticed_within_seconds():
    started = time.monotonic()
    with pytest.raises(Exception, match="Kernel died"):
        executed(notebook("import os\nos.kill(os.getpid(), 9)"))
    assert time.monotonic() - started < 20


def test_a_library_that_is_missing_gives_a_normal_kernel(caplog):
    made = notebook("import os\nprint(os.getppid())")
    assert said(executed(made, provisioner={"preload": ["there_is_none"]})) == f"{os.getpid()}\n"


@pytest.mark.parametrize("why", ["system", "python", "command"])
def test_where_no_fork_can_be_a_normal_kernel_starts(monkeypatch, why):
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "x"]
    assert provisioner.can_fork(command)
    assert provisioner.can_fork([command[0], "-Xfrozen_modules=off", *command[1:]])
    if why == "system":
        monkeypatch.setattr(provisioner.sys, "platform", "darwin")
        assert not provisioner.can_fork(command)
        assert said(executed(notebook("import os\nprint(os.getppid())"))) == f"{os.getpid()}\n"
    elif why == "python":
        assert not provisioner.can_fork(["/usr/bin/another-python", *command[1:]])
    else:
        assert not provisioner.can_fork(["R", "-e", "IRkernel::main()"])


def test_papermills_command_knows_the_engine(tmp_path):
    path, made = tmp_path / "in.ipynb", tmp_path / "out.ipynb"
    nbformat.write(notebook("import os\nprint('parent', os.getppid())"), path)
    done = subprocess.run(
        [Path(sys.executable).parent / "papermill", "--engine", "warm", path, made],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "without encryption" not in done.stderr
    parent = int(said(nbformat.read(made, as_version=4).cells).split()[1])
    left = [process for process in psutil.process_iter() if process.pid == parent]
    assert not still_running(left, timeout=0), "its warm process outlives the command"


def test_any_program_of_jupyter_can_fork_its_kernels(monkeypatch):
    """As JupyterLab, Voila and nbmake start kernels.

    Through the default provisioner, restarted and interrupted.
    """
    monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "warm")
    from jupyter_client.provisioning import KernelProvisionerFactory

    monkeypatch.setattr(KernelProvisionerFactory, "_instance", None)
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        warm = provisioner.WarmProcess.of(provisioner.PRELOAD).process.pid

        def ask(code: str) -> str:
            heard = []
            client.execute_interactive(
                code,
                timeout=60,
                stop_on_error=False,
                output_hook=lambda message: heard.append(message["content"]),
            )
            return "".join(content.get("text", "") for content in heard) or str(heard)

        assert ask("import os; x = 1; print(os.getppid())") == f"{warm}\n"
        manager.restart_kernel(now=True)
        client.wait_for_ready(timeout=60)
        assert "NameError" in ask("x")
        # a kernel that stops on errors drops what it is asked while its queue is emptied
        asked = client.execute("import time\ntime.sleep(60)", stop_on_error=False)
        time.sleep(0.5)
        manager.interrupt_kernel()
        while (reply := client.get_shell_msg(timeout=20))["parent_header"]["msg_id"] != asked:
            pass
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        assert ask("print('heard')") == "heard\n"
        assert manager.is_alive()
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
    assert not psutil.Process(warm).children(), "a kernel outlives its shutdown"


def test_a_kernel_asked_to_end_ends_by_itself_and_tells_its_code():
    async def run() -> list:
        warm = provisioner.WarmProcess.of(PRELOAD)
        manager = provisioner.WarmKernelManager(kernel_name="python3")
        await manager.start_kernel()
        process = manager.provisioner.process
        codes = [process.poll()]
        process.send_signal(random.choice([signal.SIGTERM, signal.SIGKILL]))
        codes += [process.wait(10), process.poll()]
        assert warm.process.poll() is None
        await manager.cleanup_resources()
        return codes

    running, ended, again = asyncio.run(run())
    assert running is None
    assert ended == again
    assert ended in (-signal.SIGTERM, -signal.SIGKILL, 0)


def test_pipes_leave_nothing_open():
    executed(notebook("1"))
    before = psutil.Process().num_fds()
    sleeper = notebook("import subprocess\nprint(subprocess.Popen(['sleep', '1000']).pid)")
    sleepers = [int(said(executed(sleeper))) for _ in range(5)]
    assert psutil.Process().num_fds() <= before
    assert provisioner.WarmProcess.of(PRELOAD, piped=True).process.poll() is None
    left = [process for process in psutil.process_iter() if process.pid in sleepers]
    assert not still_running(left, timeout=5), "what a notebook started outlives it"


def test_a_kernel_that_came_too_late_shares_no_pipe_with_another_page():
    """A request that its page no longer waits for must not hand over whatever has its descriptor's
    number by then.
    """
    executed(notebook("1"))
    before = psutil.Process().num_fds()
    warm = provisioner.WarmProcess.of(PRELOAD, piped=True)
    pages = [notebook(f"print({i}); left = 20", *["left -= 1; print(left)"] * 20) for i in range(6)]
    warm.process.send_signal(signal.SIGSTOP)
    try:
        with concurrent.futures.ThreadPoolExecutor(6) as threads:
            late = [threads.submit(executed, notebook("1"), start_timeout=1) for _ in pages]
            assert all("within 1 s" in str(page.exception(60)) for page in late)
        del late  # the errors hold on to their frames, and those to what was open
        gc.collect()
        with concurrent.futures.ThreadPoolExecutor(6) as threads:
            ready = [threads.submit(executed, page) for page in pages]
            time.sleep(0.5)  # they wait with pipes that got the numbers of those before
            warm.process.send_signal(signal.SIGCONT)
            counted = "".join(f"{left}\n" for left in reversed(range(20)))
            assert [said(page.result(60)) for page in ready] == [
                f"{i}\n{counted}" for i in range(6)
            ]
    finally:
        warm.process.send_signal(signal.SIGCONT)
    gc.collect()
    assert psutil.Process().num_fds() <= before


def test_a_kernel_is_missed_though_a_child_of_it_keeps_its_pipe():
    started = time.monotonic()
    with pytest.raises(DeadKernelError):
        executed(
            notebook(
                "import os, time\nif os.fork():\n    os.kill(os.getpid(), "
                "9)\ntime.sleep(15)\nos._exit(0)"
            )
        )
    assert time.monotonic() - started < 10


def test_what_widgets_hold_is_kept():
    made = notebook("import ipywidgets\nipywidgets.Image(value=bytes(range(256)))")

    def states(engine: str | None) -> list:
        done = papermill.execute_notebook(made, None, engine_name=engine, progress_bar=False)
        found = done.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
        return sorted(
            (state["model_name"], json.dumps(state.get("buffers", []))) for state in found
        )

    assert states("warm") == states(None)
    assert any(held != "[]" for _name, held in states("warm"))


def test_a_cell_may_be_interrupted_at_its_end_of_time():
    sleeper = "import time\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    print('woken')"
    cells = executed(notebook(sleeper, "print('on')"), timeout=1, interrupt_on_timeout=True)
    assert said(cells) == "woken\non\n"


def test_a_kernel_that_never_stops_talking_is_out_of_time_all_the_same():
    started = time.monotonic()
    with pytest.raises(CellTimeoutError):
        executed(notebook("while True:\n    print('x' * 1000, flush=True)"), timeout=1)
    assert time.monotonic() - started < 10


def test_a_busy_kernel_and_who_listens_do_not_wait_for_each_other():
    """An output box is sent all it holds after each output, and reads it only after the cell."""
    box = (
        "import ipywidgets\nfrom IPython.display import display, Markdown\nbox = "
        "ipywidgets.Output()\nwith box:\n    for i in range(100):\n        display(Markdown('x' "
        "* 2000))"
    )
    cells = executed(
        notebook(box, "print(len(box.outputs))", "print('x' * 20_000_000)"), timeout=60
    )
    assert said(cells[1:2]) == "100\n"
    assert len(said(cells[2:])) == 20_000_001


def test_it_is_told_when_a_cell_ran():
    warm, normal = (
        executed(notebook("1"), engine)[0].metadata.execution for engine in ("warm", None)
    )
    assert set(warm) == set(normal)
    told = [warm[f"iopub.{what}"] for what in ("status.busy", "execute_input", "status.idle")]
    assert told == sorted(told)


def test_a_users_profile_counts_for_a_page_too(tmp_path, monkeypatch):
    profile = tmp_path / "profile_default"
    (profile / "startup").mkdir(parents=True)
    (profile / "startup" / "first.py").write_text(
        "import os\ngiven = os.getpid()\n", encoding="utf-8"
    )
    (profile / "ipython_kernel_config.py").write_text(
        'c.IPKernelApp.exec_lines = ["told = 2"]\n', encoding="utf-8"
    )
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    made = notebook("import os\nprint(given == os.getpid(), told)\n%who")
    for engine in ("warm", None):
        assert said(executed(made, engine, provisioner={"preload": ["json"]})).startswith(
            "True 2\n"
        ), engine
    assert not (profile / "history.sqlite").exists(), "a page is nobody's history"


def test_printed_text_is_there_while_a_cell_runs():
    made = notebook("import time\nfor i in range(3):\n    print(i)\n    time.sleep(0.3)")
    cells = executed(made)
    assert len(cells[0].outputs) > 1, "all in one, at the end"
    assert said(cells) == "0\n1\n2\n"
