"""Warm kernels: ordinary IPython kernels, forked from a process that has imported the heavy
libraries already.

A kernel that imports pandas, seaborn and scikit-learn needs seconds before its first line runs; a
fork of a process that has done so needs a tenth of one, and starts as empty as any other. Three
doors lead here, two of them entry points, so that others may use them without importing this
module:

- the kernel provisioner `warm`: `JUPYTER_DEFAULT_PROVISIONER_NAME=warm` makes JupyterLab, Voila and
  pytest's nbmake fork their Python kernels, or a kernel.json names it under
  `metadata.kernel_provisioner`;
- the papermill engine `warm`: `papermill --engine warm in.ipynb out.ipynb`, whose kernels are at a
  pipe, without sockets, threads and waits (`engine`, `pipe_kernel`);
- `end_kernels`, for a program that goes on after its last notebook.

Where a kernel can't be forked (no Linux, another Python, no ipykernel), or none is to be (`roads`),
the provisioner starts a normal one.
"""

import asyncio
import atexit
import concurrent.futures
import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Dict as DictTrait
from traitlets import Int, List, Unicode

from helpers.press.kernels import roads

PRELOAD = [
    "pandas",
    "pyarrow",
    "seaborn",
    "sklearn.cluster",
    "sklearn.decomposition",
    "sklearn.preprocessing",
]
PACKET = 1 << 16  # bytes an answer may have
KILLED_FIRST = "500"  # of 1000: when memory runs out the system shall end a kernel, not the run
# a killed process that is still there after these is stuck in the system; we don't wait for it
ENDED_SECONDS = 5


class WarmProcess:
    """A running `forks`: gives birth to kernels and tells how they ended.

    All that is said to it goes through one thread of its own: the notebooks of several threads
    don't talk across one another, and an event loop need not stop while libraries load.
    """

    _all: ClassVar[dict[tuple, "WarmProcess"]] = {}  # one per set of libraries and kind of kernel
    _lock = threading.Lock()

    @classmethod
    def of(cls, preload: list[str], piped: bool = False) -> "WarmProcess":
        """Give the one with these libraries; a new one where there is none, or it has died."""
        # a fork of ours has not inherited the right to speak with it
        key = (os.getpid(), piped, *preload)
        with cls._lock:
            found = cls._all.get(key)
            if found is None or not found.is_alive():
                if found:
                    found.end()
                found = cls._all[key] = cls(preload, piped)
            return found

    def __init__(self, preload: list[str], piped: bool) -> None:
        """Start it; the libraries load while we go on."""
        # a packet is a message, with a pipe's end or without
        ours, its = socket.socketpair(type=socket.SOCK_SEQPACKET)
        # debugpy warns of frozen modules otherwise; ipykernel starts its kernels with this option,
        # too
        command = [
            sys.executable,
            "-Xfrozen_modules=off",
            "-m",
            "helpers.press.kernels.forks",
            str(its.fileno()),
        ]
        # a session of its own: the terminal's Ctrl-C is for the run alone
        self.process = subprocess.Popen(
            command, pass_fds=[its.fileno()], stdin=subprocess.DEVNULL, start_new_session=True
        )
        its.close()
        self._socket = ours
        self._speaker = concurrent.futures.ThreadPoolExecutor(1, "warm-process")
        ours.send(json.dumps({"preload": preload, "piped": piped}).encode())

    def ask(self, pipes: Sequence[int] = (), **request: Any) -> concurrent.futures.Future:
        """Send a request, and ends of pipes along.

        The future gives its answer, or an OSError where it has died.
        """
        return self._speaker.submit(self._answer, pipes, request)

    def is_alive(self) -> bool:
        """Tell whether it runs."""
        return self.process.poll() is None

    def end(self) -> None:
        """End it and its kernels."""
        with contextlib.suppress(OSError):
            # its end of file; also frees a thread that waits for an answer
            self._socket.shutdown(socket.SHUT_RDWR)
        self._speaker.shutdown()
        self._socket.close()
        # its kernels go with it; while it loads libraries it would not look at its socket
        self.process.kill()
        self.process.wait()

    def _answer(self, pipes: Sequence[int], request: dict) -> Any:
        socket.send_fds(self._socket, [json.dumps(request).encode()], pipes)
        if not (answer := self._socket.recv(PACKET)):
            raise ConnectionResetError("the process that forks kernels has died")
        return json.loads(answer)


def load_ahead(preload: list[str], *, piped: bool = True) -> None:
    """Start to load what kernels will soon be forked with, and return at once.

    Parameters
    ----------
    preload
        Names of modules; 'module:function' is called, too.
    piped
        For kernels of the engine `warm`; else of the provisioner, which are JupyterLab's.

    Raises
    ------
    DataError
        If the environment's `WORKBOOK_KERNELS` names a road that there isn't.
    """
    # where there is no fork to load for, an unknown road is refused all the same
    if roads.is_warm("PROVISIONER") and sys.platform == "linux":
        with contextlib.suppress(OSError):  # then who asks for a kernel is told
            WarmProcess.of(preload, piped=piped)


@atexit.register
def end_kernels() -> None:
    """End this program's kernels, forked or plain, and the warm processes."""
    with WarmProcess._lock:
        mine = [key for key in WarmProcess._all if key[0] == os.getpid()]
        for key in mine:
            WarmProcess._all.pop(key).end()
    for provisioner in list(WarmProvisioner.started):
        if provisioner.process:
            provisioner.process.kill()


class ForkedProcess:
    """What jupyter_client wants of a `subprocess.Popen`, for a process that is another's child."""

    stdin = stdout = stderr = None

    def __init__(self, parent: WarmProcess, pid: int) -> None:
        """Hold on to the process itself: a number may be given to another one after its end."""
        self.pid, self.returncode, self._parent = pid, None, parent
        self._handle = os.pidfd_open(pid)

    def fileno(self) -> int:
        """Give a descriptor that can be read from when it has ended."""
        return self._handle

    def poll(self) -> int | None:
        """Give the exit code, negative for a signal; None while it runs."""
        if self.returncode is None and self._has_ended(0):
            try:
                self.returncode = self._parent.ask(ended=self.pid).result()
            except (OSError, RuntimeError):
                # the parent has died, or was ended: it took its kernels along
                self.returncode = -signal.SIGKILL
            os.close(self._handle)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end; give the exit code."""
        if self.returncode is None:
            self._has_ended(timeout)
        return self.poll()

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def _has_ended(self, timeout: float | None) -> bool:
        watch = select.poll()  # select.select fails beyond 1,024 open files
        watch.register(self._handle, select.POLLIN)
        return bool(watch.poll(None if timeout is None else timeout * 1000))


class WarmProvisioner(LocalProvisioner):
    """Forks a Python kernel from a warm process.

    Any other kernel it starts as jupyter_client would.
    """

    started: ClassVar[weakref.WeakSet] = weakref.WeakSet()  # also the kernels that were not forked

    preload = List(
        Unicode(), PRELOAD, help="What a kernel finds imported; 'module:function' is called, too."
    ).tag(config=True)
    memory_limit = Int(
        0, help="Bytes a kernel may allocate; then it gets a MemoryError. Linux only. 0: no limit."
    ).tag(config=True)
    extra_env = DictTrait(help="Environment variables for the kernel, besides the usual ones.").tag(
        config=True
    )

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork a kernel, or launch a normal one where that can't be."""
        kwargs["env"] = {**(kwargs.get("env") or os.environ), **self.extra_env}
        WarmProvisioner.started.add(self)
        if not can_fork(cmd) or not roads.is_warm("PROVISIONER"):
            return await self._launch_plain(cmd, **kwargs)
        asked = self.request(
            cmd[cmd.index("ipykernel_launcher") + 1 :], kwargs["env"], kwargs.get("cwd")
        )
        try:
            parent = WarmProcess.of(list(self.preload))
            self.process = ForkedProcess(
                parent, await asyncio.wrap_future(parent.ask(kernel=asked))
            )
        except (OSError, RuntimeError) as error:
            # a library that is not there, or the process was killed meanwhile
            self.log.warning("no warm kernel (%s); starting a normal one", error)
            return await self._launch_plain(cmd, **kwargs)
        self.pid = self.pgid = self.process.pid
        self.cwd = asked["cwd"]
        return self.connection_info

    async def _launch_plain(self, cmd: list[str], **kwargs: Any) -> Any:
        launched = await super().launch_kernel(cmd, **kwargs)
        # it may have ended already; who waits for it is told
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            set_limits(self.pid, self.memory_limit)
        return launched

    def request(self, argv: list[str], env: Mapping[str, Any], cwd: Any = None) -> dict[str, Any]:
        """Say what kernel a warm process shall fork.

        `argv` is what follows ipykernel's name in its command.
        """
        return {
            "argv": argv,
            "env": {str(name): str(value) for name, value in env.items()},
            "cwd": str(cwd or Path.cwd()),
            "memory_limit": self.memory_limit,
        }

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel and see it end, which takes a millisecond.

        Who asks later would sleep a tenth of a second.
        """
        await super().kill(restart)
        if isinstance(self.process, ForkedProcess):
            self.process.wait(ENDED_SECONDS)


def set_limits(pid: int, memory_limit: int) -> None:
    """Limit the bytes that a kernel may allocate (0: don't), and have it ended before the run is.

    Linux only; elsewhere nothing is done.
    """
    if sys.platform != "linux":
        return
    import resource  # not everywhere

    Path(f"/proc/{pid}/oom_score_adj").write_text(KILLED_FIRST, encoding="ascii")
    # what is allocated, not what is mapped: shared libraries and files don't count
    if memory_limit:
        resource.prlimit(pid, resource.RLIMIT_DATA, (memory_limit, memory_limit))


def can_fork(cmd: list[str]) -> bool:
    """Whether a kernel's command can be answered by a fork.

    On Linux, by this Python's ipykernel.
    """
    options = [part for part in cmd[1:] if part != "-Xfrozen_modules=off"]
    return (
        sys.platform == "linux"
        and options[:2] == ["-m", "ipykernel_launcher"]
        and Path(shutil.which(cmd[0]) or cmd[0])
        in (Path(sys.executable), Path(sys.executable).resolve())
    )


class WarmKernelManager(AsyncKernelManager):
    """A manager whose kernels are forked, or can at least be ended with `end_kernels`."""

    @property
    def kernel_spec(self) -> KernelSpec | None:
        """Give the kernel's description, with the warm provisioner where it names none."""
        if (found := super().kernel_spec) and "kernel_provisioner" not in found.metadata:
            found.metadata["kernel_provisioner"] = {"provisioner_name": "warm", "config": {}}
        return found


class WarmEngine:
    """papermill's engine `warm`, at the door.

    The engine itself is loaded when a notebook is executed.

    papermill loads all engines while its own module is not complete yet, and a kernel in JupyterLab
    has no use for it.
    """

    @staticmethod
    def execute_notebook(nb: Any, kernel_name: str, **options: Any) -> Any:
        """Execute a notebook as papermill's own engine does; `options` are its options.

        Where what `Engine` reaches for is not as expected, papermill's own does it.

        Raises
        ------
        DataError
            If the environment's `WORKBOOK_KERNELS` names a road that there isn't.
        """
        if roads.is_warm("PROVISIONER", "ENGINE"):
            from helpers.press.kernels.engine import Engine

            return Engine.execute_notebook(nb, kernel_name, **options)
        from papermill.engines import NBClientEngine

        # the provisioner still hands over environment and limits, and ends what is left
        given = {"kernel_manager_class": WarmKernelManager, "shutdown_kernel": "immediate"}
        return NBClientEngine.execute_notebook(nb, kernel_name, **{**given, **options})

    @staticmethod
    def nb_kernel_name(nb: Any, name: str | None = None) -> str:
        """Give the kernel's name as papermill's own engine does."""
        from papermill.utils import nb_kernel_name

        return nb_kernel_name(nb, name)

    @staticmethod
    def nb_language(nb: Any, language: str | None = None) -> str:
        """Give the notebook's language as papermill's own engine does."""
        from papermill.utils import nb_language

        return nb_language(nb, language)
