"""papermill's engine `warm`: papermill's own, with kernels at a pipe.

papermill and nbclient decide what a cell is, what its outputs are and what an error is; here is
only how messages come and go. Where a notebook asks for another kernel than this Python's, or no
fork can be, all is done as they would.
"""

import base64
import collections
import contextlib
import json
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from queue import Empty
from typing import Any

from jupyter_client.session import Session
from nbclient.client import timestamp
from nbclient.exceptions import CellExecutionComplete, DeadKernelError
from nbclient.util import run_hook, run_sync
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine
from papermill.log import logger

from helpers.press.kernels import provisioner, roads, trial

CHUNK = 1 << 20  # bytes read at once

_trying = threading.Lock()
_tried: set[int] = set()  # processes, each of which tries a kernel once: a fork of ours has not


class Pipe:
    """A kernel at a pipe, and what nbclient wants of a kernel's manager, client and channel."""

    def __init__(self, process: provisioner.ForkedProcess, ours: socket.socket) -> None:
        """Speak with this process through this end of the pipe."""
        self.process, self.session, self.shell_channel = process, Session(), self
        self._socket, self._unsent, self._rest, self._lines = (
            ours,
            b"",
            [],
            collections.deque[bytes](),
        )
        self._watch = select.poll()
        self._watch.register(ours, select.POLLIN)
        # a process of the notebook's own may keep the pipe open
        self._watch.register(process, select.POLLIN)

    def execute(self, code: str, store_history: bool = True, stop_on_error: bool = True) -> str:
        """Ask for a cell's execution; give the request's id."""
        content = {
            "code": code,
            "silent": False,
            "store_history": store_history,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": stop_on_error,
        }
        return self.send(self.session.msg("execute_request", content))

    def kernel_info(self) -> str:
        """Ask what the kernel is; give the request's id."""
        return self.send(self.session.msg("kernel_info_request", {}))

    def send(self, message: dict) -> str:
        """Send a message, now or while we listen; give its id.

        A kernel that is busy does not read what widgets send it, and may itself be waiting for us
        to read.
        """
        self._unsent += self.session.pack(message) + b"\n"
        self._send_on()
        return message["header"]["msg_id"]

    def hear(self, timeout: float | None = None) -> dict:
        """Give the next message, whatever channel it would have come through.

        Raises
        ------
        Empty
            If none comes within so many seconds.
        DeadKernelError
            If the kernel has died.
        """
        ends = None if timeout is None else time.monotonic() + timeout
        # whatever is there: a kernel may say more than we can hear
        if timeout is not None and timeout <= 0:
            raise Empty
        while not self._lines:
            self._watch.modify(
                self._socket, select.POLLIN | (select.POLLOUT if self._unsent else 0)
            )
            left = None if ends is None else max(1000 * (ends - time.monotonic()), 0)
            if not (events := dict(self._watch.poll(left))):
                raise Empty
            event = events.get(self._socket.fileno(), 0)
            if event & select.POLLOUT:
                self._send_on()
            if event != select.POLLOUT:
                self._receive()
        message = json.loads(self._lines.popleft())
        message["header"]["date"] = datetime.fromisoformat(message["header"]["date"])
        message["buffers"] = [base64.b64decode(buffer) for buffer in message["buffers"]]
        return message

    def _send_on(self) -> None:
        with contextlib.suppress(OSError):  # no room yet; or it has died, which who listens is told
            self._unsent = self._unsent[self._socket.send(self._unsent, socket.MSG_DONTWAIT) :]

    def _receive(self) -> None:
        chunk = b""
        with contextlib.suppress(OSError):
            chunk = self._socket.recv(CHUNK, socket.MSG_DONTWAIT)
        if not chunk:
            raise DeadKernelError("Kernel died")
        *lines, rest = chunk.split(b"\n")
        if lines:
            lines[0] = b"".join([*self._rest, lines[0]])
            self._rest.clear()
        self._lines.extend(lines)
        self._rest.append(rest)

    def get_msg(self, timeout: float | None = None) -> dict:
        """Give the next reply."""
        while not (message := self.hear(timeout))["msg_type"].endswith("_reply"):
            pass
        return message

    def is_alive(self) -> bool:
        """Tell whether the kernel runs."""
        return self.process.poll() is None

    def interrupt_kernel(self) -> None:
        """Raise a KeyboardInterrupt in the cell that runs."""
        self.process.send_signal(signal.SIGINT)

    def close(self) -> None:
        """End the kernel, and what its notebook started and left."""
        self._socket.close()
        if self.process.returncode is None:  # until it is asked for, its number is nobody else's
            with contextlib.suppress(OSError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait(provisioner.ENDED_SECONDS)


class Client(PapermillNotebookClient):
    """papermill's client, that listens to a pipe instead of to several sockets in turn."""

    pipe: Pipe | None = None

    @contextlib.contextmanager
    def setup_kernel(self, **options: Any) -> Iterator[None]:
        """Start a kernel, and end it when the notebook is done."""
        self.pipe = self._forked()
        if self.pipe is None:
            with super().setup_kernel(**options):
                yield
            return
        self.km = self.kc = self.pipe
        try:
            run_sync(run_hook)(self.on_notebook_start, notebook=self.nb)
            yield
        finally:
            self.pipe.close()
            self.km = self.kc = None

    def _forked(self) -> Pipe | None:
        """Give a forked kernel; None where a normal one must do."""
        manager = self.create_kernel_manager()
        command, spec = manager.format_kernel_cmd(self.extra_arguments), manager.kernel_spec
        # no option of its own
        plain = provisioner.can_fork(command) and command[-3:-1] == ["ipykernel_launcher", "-f"]
        if not plain or spec.metadata["kernel_provisioner"]["provisioner_name"] != "warm":
            return None
        given = provisioner.WarmProvisioner(config=self.config)
        if not self._is_warm(given):
            return None
        env = {**os.environ, **spec.env, **given.extra_env}
        path = self.resources.get("metadata", {}).get("path")
        return self._fork(list(given.preload), given.request([], env, path))

    def _is_warm(self, given: provisioner.WarmProvisioner) -> bool:
        """Tell whether kernels are forked; try one first, once in a process.

        Where nobody can say yet, for the warm process has died, the answer is yes: who asks for a
        kernel next is told.
        """
        if roads.asked():
            return roads.is_warm()
        if not _trying.acquire(timeout=self.startup_timeout):
            raise self._too_late()
        try:
            if os.getpid() not in _tried and roads.is_warm():
                why = self._difference(given)
                if why is not None:
                    _tried.add(os.getpid())
                if why:
                    roads.take_plain(why)
        finally:
            _trying.release()
        return roads.is_warm()

    def _difference(self, given: provisioner.WarmProvisioner) -> str | None:
        """Say what is not as expected of forked kernels, "" if nothing; None: nobody can say."""
        preload = list(given.preload)
        try:
            parent = provisioner.WarmProcess.of(preload, piped=True)
            if why := parent.ask(strange=True).result(self.startup_timeout):
                return why
        except TimeoutError:
            raise self._too_late() from None
        except (OSError, RuntimeError):
            return None
        for _turn in range(2):  # now and then the system ends a kernel that did nothing wrong
            kernel = self._fork(preload, given.request([], os.environ))
            if kernel is None:
                return None
            try:
                return trial.difference(kernel)
            except DeadKernelError:
                if not parent.is_alive():
                    return None
            finally:
                kernel.close()
        return "a trial kernel died, twice"

    def _too_late(self) -> RuntimeError:
        return RuntimeError(f"no kernel was there within {self.startup_timeout:g} s")

    def _fork(self, preload: list[str], asked: dict[str, Any]) -> Pipe | None:
        """Fork a kernel; None where the warm process has died."""
        ours, its = socket.socketpair()
        with its:
            # a request may wait for longer than we do: its end of the pipe has to stay what it is
            # until it was sent, or the number would by then be the pipe of another page, and two
            # kernels would share that
            handed = os.dup(its.fileno())
            answer = None
            try:
                parent = provisioner.WarmProcess.of(preload, piped=True)
                answer = parent.ask([handed], kernel=asked)
                answer.add_done_callback(lambda _done: os.close(handed))
                pid = answer.result(self.startup_timeout)
                return Pipe(provisioner.ForkedProcess(parent, pid), ours)
            except TimeoutError:
                answer.cancel()
                ours.close()
                raise self._too_late() from None
            except (OSError, RuntimeError):
                # the provisioner, asked next, says why, and starts a normal one
                if answer is None:
                    os.close(handed)
                ours.close()
                return None

    async def _async_poll_kernel_alive(self) -> None:
        if self.pipe is None:
            await super()._async_poll_kernel_alive()

    async def _async_poll_output_msg(self, parent_msg_id: str, cell: Any, cell_index: int) -> Any:
        if self.pipe is None:
            return await super()._async_poll_output_msg(parent_msg_id, cell, cell_index)
        return cell_index  # for who waits for the reply: a pipe brings outputs and reply in order

    async def _async_poll_for_reply(
        self,
        msg_id: str,
        cell: Any,
        timeout: int | None,
        task_poll_output_msg: Any,
        task_poll_kernel_alive: Any,
    ) -> Any:
        if self.pipe is None:
            return await super()._async_poll_for_reply(
                msg_id, cell, timeout, task_poll_output_msg, task_poll_kernel_alive
            )
        cell_index, reply = await task_poll_output_msg, None
        ends = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                message = self.pipe.hear(ends and max(ends - time.monotonic(), 0))
            except Empty:
                if reply := await self._async_handle_timeout(timeout, cell):
                    return reply
                # it was interrupted, and may go on for as long again
                ends = time.monotonic() + timeout
                continue
            if message["parent_header"].get("msg_id") != msg_id:
                continue
            if message["msg_type"] == "execute_reply":
                reply = message
                if self.record_timing:
                    cell.metadata["execution"]["shell.execute_reply"] = timestamp(reply)
                continue
            try:
                self.process_message(message, cell, cell_index)
            except CellExecutionComplete:
                return reply


class Engine(NBClientEngine):
    """papermill's engine with our client."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        log_output: bool = False,
        stdout_file: Any = None,
        stderr_file: Any = None,
        start_timeout: float = 60,
        execution_timeout: float | None = None,
        timeout: float | None = None,
        input_path: Any = None,
        **options: Any,
    ) -> Any:
        """Execute a notebook with papermill's options."""
        given = {
            "kernel_manager_class": provisioner.WarmKernelManager,
            "shutdown_kernel": "immediate",
        } | options
        return Client(
            nb_man,
            kernel_name=kernel_name,
            timeout=execution_timeout or timeout,
            startup_timeout=start_timeout,
            log=logger,
            log_output=log_output,
            stdout_file=stdout_file,
            stderr_file=stderr_file,
            **given,
        ).execute()
