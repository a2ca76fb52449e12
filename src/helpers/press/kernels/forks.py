"""The warm process: imports the heavy libraries once, then forks a kernel for each request, all
imports done.

`provisioner` starts it as `python -m helpers.press.kernels.forks FD` and speaks with it in packets
of JSON over a socket, one answer to each request. What is forked must find nothing it could trip
over, so this process stays a single thread: it opens no socket of zmq's, no event loop, no
database, and fits no model (OpenMP's threads would not be there in a fork). When its socket closes,
because whoever started it is gone, it ends, and its kernels with it.

A fork becomes one of two: the kernel that ipykernel's launcher would start, for JupyterLab and
others; or one at a pipe, built before the fork (`pipe_kernel`), for papermill's engine.
"""

import contextlib
import ctypes
import gc
import importlib
import io
import json
import os
import random
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from helpers.press.kernels import provisioner, surfaces

KERNEL = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.debugger_backport",
    "IPython.core.history",
    "IPython.core.logger",
    "IPython.core.magics.ast_mod",
    "IPython.core.magics.execution",
    "IPython.core.magics.pylab",
    "IPython.core.oinspect",
    "IPython.core.pylabtools",
    "IPython.extensions.storemagic",
    "IPython.utils.module_paths",
    "IPython.utils.wildcard",
    "jedi",
    "pdb",
    "sqlite3",
    "tornado.platform.asyncio",
)
BACKEND = "matplotlib_inline.backend_inline"
PR_SET_PDEATHSIG = 1
PACKET = 1 << 20  # bytes a request may have; the system allows fewer


def main(descriptor: int) -> None:
    """Answer requests until the socket closes."""
    # the folder that `python -m` adds; a kernel is to find what it would find without us
    del sys.path[0]
    channel = socket.socket(fileno=descriptor)
    # Ctrl-C is for the run, which tells us by closing the socket
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked = json.loads(channel.recv(PACKET))
    _preload(asked["preload"], lambda: _end_if_alone(channel))
    app, strange = _piped_app() if asked["piped"] else (None, "")
    gc.collect()
    # else the first collection in a kernel copies every page of memory that is shared until then
    gc.freeze()
    ended: dict[int, int] = {}
    while True:
        packet, pipes, *_ = socket.recv_fds(channel, PACKET, 1)
        if not packet:
            return
        request = json.loads(packet)
        if "kernel" in request:
            if not (pid := os.fork()):
                channel.close()
                _become_kernel(app, *pipes, **request["kernel"])
            for pipe in pipes:
                os.close(pipe)
            answer = pid
        elif "strange" in request:
            answer = strange
        else:
            # the driver asks when the kernel has ended; until then its number is not given to
            # another process
            answer = _exit_code(request["ended"], ended)
        channel.send(json.dumps(answer).encode())


def _end_if_alone(channel: socket.socket) -> None:
    """End before all is loaded if whoever asked is gone; else nobody would notice for seconds."""
    with contextlib.suppress(BlockingIOError):
        if not channel.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
            os._exit(0)


def _preload(modules: list[str], after_each: Callable[[], None] = lambda: None) -> None:
    os.environ.setdefault("MPLBACKEND", f"module://{BACKEND}")  # read when matplotlib is imported
    # before the libraries, which look whether a shell is there; some differ between versions
    for name in KERNEL:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for name in modules:
        module, _, function = name.partition(":")
        found = importlib.import_module(module)
        if function:  # that does ahead what the module's first use would wait for
            getattr(found, function)()
        after_each()
    if "matplotlib" in sys.modules:
        _draw_once()
    # its import hooks figures into the shell, and the shell is still to come
    sys.modules.pop(BACKEND, None)


def _draw_once() -> None:
    """Draw a figure without pyplot, so that fonts are found and tables are built before anyone
    waits for them.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    axes.plot([1, 2], label="x")
    axes.legend()
    axes.set_title("$x$")
    for kind in ("png", "svg"):
        FigureCanvasAgg(axes.figure).print_figure(io.BytesIO(), format=kind)


def _piped_app() -> tuple[Any, str]:
    """Build what kernels at a pipe are forked from; give it, and what was not as expected."""
    strange = surfaces.strange(surfaces.KERNEL)
    try:
        from helpers.press.kernels import pipe_kernel

        app = pipe_kernel.PipedApp.instance(parent_handle=1)  # see `_run_kernel`
        app.initialize([])
    except Exception as error:  # whatever it is, plain kernels may do
        return None, strange or f"no kernel can be built ({type(error).__name__}: {error})"
    return app, strange


def _exit_code(pid: int, ended: dict[int, int]) -> int | None:
    """Give the code of a kernel that has ended, negative for a signal; None for one that runs."""
    found, status = os.waitpid(pid, os.WNOHANG) if pid not in ended else (pid, None)
    if found and status is not None:
        ended[pid] = os.waitstatus_to_exitcode(status)
    return ended.pop(pid, None)


def _become_kernel(
    app: Any,
    pipe: int | None = None,
    *,
    argv: list[str],
    cwd: str,
    env: dict[str, str],
    memory_limit: int,
) -> NoReturn:
    """Run as the kernel that `python -m ipykernel_launcher ARGV` would be, or as one at a pipe.

    Never return.
    """
    code = 1
    try:
        parent = os.getppid()
        ctypes.CDLL(None).prctl(
            PR_SET_PDEATHSIG, signal.SIGKILL
        )  # no kernel outlives the warm process, however it ends
        if os.getppid() != parent:
            return os._exit(code)
        # a group of its own: an interrupt reaches this kernel and what it started, nobody else
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(
                number, signal.SIG_DFL if number != signal.SIGINT else signal.default_int_handler
            )
        provisioner.set_limits(os.getpid(), memory_limit)
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update({"MPLBACKEND": f"module://{BACKEND}"} | env)
        time.tzset()
        _reseed()
        sys.argv = ["ipykernel_launcher", *argv]
        if pipe is None:
            _run_kernel(argv)
        else:
            app.serve(pipe)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        _leave(code)


def _reseed() -> None:
    """Give each kernel random numbers of its own, as a new process has.

    A fork would repeat its brothers'.
    """
    random.seed()
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


def _run_kernel(argv: list[str]) -> None:
    from ipykernel.kernelapp import IPKernelApp

    # 1: started by a program, so no word about Ctrl-C on the terminal, and no thread that watches
    # the parent: see above
    kernel: Any = IPKernelApp.instance(parent_handle=1)
    kernel.initialize(argv)
    kernel.start()


def _leave(code: int) -> NoReturn:
    """End without taking apart the libraries, which would take longer than many a notebook."""
    import atexit

    try:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main(int(sys.argv[1]))
