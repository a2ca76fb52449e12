"""A kernel at the end of a pipe: ipykernel's own, without its sockets and threads.

A page asks its kernel one thing after another, and nobody else listens: it needs no ZeroMQ, no
port, no heartbeat, no debugger. What is left needs neither a thread nor a socket before its first
request. So the warm process builds all of it once, shell included, and a fork has only to begin to
listen. Messages are Jupyter's, a line of JSON each; what they hold, ipykernel decides, and hence a
page's outputs are those of any other kernel.
"""

import asyncio
import base64
import importlib
import json
import os
import socket
import sys
import threading
import time
import types
from typing import Any

from ipykernel.iostream import IOPubThread, OutStream
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from jupyter_client.session import Session
from tornado.ioloop import IOLoop
from traitlets.config import Config, catch_config_error

from helpers.press.kernels.forks import BACKEND

STREAMS = {"stdout": 1, "stderr": 2}  # descriptors
CHUNK = 1 << 20  # bytes read at once


class PipedSession(Session):
    """Writes a message as a line to the pipe, whatever channel it is for."""

    pipe: socket.socket | None = None  # None until the fork: whatever is said before is for nobody

    def begin(self, pipe: socket.socket) -> None:
        """Speak through this pipe from now on."""
        self.pipe, self.pid, self._lock = pipe, os.getpid(), threading.Lock()

    def send(
        self,
        stream: Any,
        msg_or_type: Any,
        content: Any = None,
        parent: Any = None,
        ident: Any = None,
        buffers: Any = None,
        track: bool = False,
        header: Any = None,
        metadata: Any = None,
    ) -> dict:
        """Send as Session does; `stream`, `ident` and `track` mean nothing here."""
        if isinstance(msg_or_type, str):
            message = self.msg(msg_or_type, content, parent, header, metadata)
        else:
            message = dict(msg_or_type)
        if not self.pipe:
            return message
        # a fork of a notebook's own: two who write would cut each other short
        if os.getpid() != self.pid:
            if message["msg_type"] == "stream":  # whoever watches the descriptor publishes it
                os.write(STREAMS[message["content"]["name"]], message["content"]["text"].encode())
            return message
        message["buffers"] = [base64.b64encode(buffer).decode() for buffer in buffers or ()]
        line = self.pack(message) + b"\n"
        with self._lock:  # threads of the notebook's print, too
            self.pipe.sendall(line)
        return message

    def feed_identities(self, msg_list: list[bytes], copy: bool = True) -> tuple[list, list]:
        """Give the identities, of which a pipe needs none, and the rest."""
        return [], msg_list

    def deserialize(self, msg_list: list[bytes], content: bool = True, copy: bool = True) -> dict:
        """Read a line."""
        return {"buffers": [], **json.loads(msg_list[0])}  # nbclient sends none


class Publisher(IOPubThread):
    """Stands where ipykernel has a thread that publishes.

    Whatever is to be done is done at once.
    """

    def __init__(self, session: Session) -> None:
        """Start nothing."""
        self.session, self.io_loop, self.socket = session, None, None
        self.thread = threading.Thread()  # never started; streams ask whether it is alive
        self.background_socket = self

    def schedule(self, f: Any) -> None:
        """Do it."""
        f()


class Stream(OutStream):
    """Sends what a notebook prints when a cell ends or shows something, and what is older than
    `flush_interval`.
    """

    _since = 0.0

    def _schedule_flush(self) -> None:
        if not self._flush_pending:
            self._flush_pending, self._since = True, time.monotonic()
        elif time.monotonic() > self._since + self.flush_interval:
            self._flush()


class PipedKernel(IPythonKernel):
    """ipykernel's kernel without subshells."""

    _supports_kernel_subshells = False

    def _abort_queues(self, subshell_id: str | None = None) -> None:
        """Leave out what follows an error.

        Nothing is waiting, a page asks for one cell at a time.
        """


class PipedApp(IPKernelApp):
    """ipykernel's application without what connects it."""

    @catch_config_error
    def initialize(self, argv: list[str] | None = None) -> None:
        """Build kernel and shell as ipykernel does.

        No thread is started, so that all can be forked.
        """
        # a page is nobody's history, and the database that keeps it needs a thread
        self.config = Config({"HistoryManager": {"enabled": False}})
        super(IPKernelApp, self).initialize(argv)
        self.init_pdb()
        self.session = PipedSession(parent=self)
        self.iopub_thread = self.iopub_socket = Publisher(self.session)
        # it is asked where cells run
        reader = types.SimpleNamespace(parent_thread=threading.main_thread())
        self.kernel = PipedKernel.instance(
            parent=self,
            session=self.session,
            iopub_thread=self.iopub_thread,
            iopub_socket=self.iopub_socket,
            shell_channel_thread=reader,
            log=self.log,
            profile_dir=self.profile_dir,
            user_ns=self.user_ns,
        )
        self.kernel._execute_sleep = 0  # a pipe keeps the order; ipykernel's channels need the wait
        self.init_path()
        self.init_shell()
        self.init_gui_pylab()
        self.init_extensions()
        if "matplotlib" in sys.modules:
            importlib.import_module(BACKEND)  # hooks figures into the shell
        # IPython's init_code does this after the user's startup files; in each fork it would copy
        # every page it touches
        self.shell._sys_modules_keys = set(sys.modules)

    def serve(self, descriptor: int) -> None:
        """Answer requests until the pipe is closed."""
        pipe = socket.socket(fileno=descriptor)
        self.session.begin(pipe)
        self.outstream_class = "helpers.press.kernels.pipe_kernel.Stream"
        self.init_io()
        self.displayhook.get_execution_count = lambda: self.kernel.execution_count
        self.init_signal()
        self._run_startup_files()  # of a user's profile: they are for each kernel
        self._run_exec_lines()
        loop = IOLoop.current()
        super(IPythonKernel, self.kernel).start()  # its own would warn that there is no debugger
        loop.add_callback(self._listen, pipe, loop)
        loop.start()

    async def _listen(self, pipe: socket.socket, loop: IOLoop) -> None:
        rest, readable = b"", asyncio.Event()
        while True:
            loop.add_handler(pipe, lambda *_: readable.set(), loop.READ)
            await readable.wait()
            loop.remove_handler(pipe)  # while a cell runs, what comes waits
            readable.clear()
            if not (chunk := pipe.recv(CHUNK)):
                return loop.stop()
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                await self.kernel.dispatch_shell([line, b""])
