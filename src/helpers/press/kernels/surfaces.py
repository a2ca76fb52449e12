"""What the box reaches for in libraries, much of it private, and whether it is there as expected.

A function is written as `module:name` with the names of its parameters, anything else with None.
What we override has to take these and no others; what we only call may take more (`...`) that need
not be given. Each list is looked at where it is used: the engine's in the process that drives, the
kernel's in the warm process.
"""

import importlib
import inspect
from collections.abc import Mapping

Expected = Mapping[str, tuple | None]

PROVISIONER: Expected = {
    "jupyter_client.manager:KernelManager.kernel_spec": None,
    "jupyter_client.provisioning:LocalProvisioner.launch_kernel": ("self", "cmd", "kwargs"),
    "jupyter_client.provisioning:LocalProvisioner.kill": ("self", "restart"),
}
ENGINE: Expected = {
    "jupyter_client.manager:KernelManager.format_kernel_cmd": ("self", "extra_arguments", ...),
    "jupyter_client.session:Session.msg": (
        "self",
        "msg_type",
        "content",
        "parent",
        "header",
        "metadata",
        ...,
    ),
    "jupyter_client.session:Session.pack": None,
    "nbclient.client:timestamp": ("msg", ...),
    "nbclient.client:NotebookClient.create_kernel_manager": ("self", ...),
    "nbclient.client:NotebookClient.setup_kernel": ("self", "kwargs"),
    "nbclient.client:NotebookClient.process_message": ("self", "msg", "cell", "cell_index", ...),
    "nbclient.client:NotebookClient._async_handle_timeout": ("self", "timeout", "cell", ...),
    "nbclient.client:NotebookClient._async_poll_kernel_alive": ("self",),
    "nbclient.client:NotebookClient._async_poll_output_msg": (
        "self",
        "parent_msg_id",
        "cell",
        "cell_index",
    ),
    "nbclient.client:NotebookClient._async_poll_for_reply": (
        "self",
        "msg_id",
        "cell",
        "timeout",
        "task_poll_output_msg",
        "task_poll_kernel_alive",
    ),
    "nbclient.exceptions:CellExecutionComplete": None,
    "nbclient.exceptions:DeadKernelError": None,
    "nbclient.util:run_hook": ("hook", "kwargs"),
    "nbclient.util:run_sync": ("coro", ...),
    "papermill.clientwrap:PapermillNotebookClient.execute": ("self", "kwargs"),
    "papermill.engines:NBClientEngine.execute_managed_notebook": (
        "cls",
        "nb_man",
        "kernel_name",
        "log_output",
        "stdout_file",
        "stderr_file",
        "start_timeout",
        "execution_timeout",
        "kwargs",
    ),
    "papermill.log:logger": None,
}
KERNEL: Expected = {
    "jupyter_client.session:Session.send": (
        "self",
        "stream",
        "msg_or_type",
        "content",
        "parent",
        "ident",
        "buffers",
        "track",
        "header",
        "metadata",
    ),
    "jupyter_client.session:Session.feed_identities": ("self", "msg_list", "copy"),
    "jupyter_client.session:Session.deserialize": ("self", "msg_list", "content", "copy"),
    "ipykernel.iostream:IOPubThread.schedule": ("self", "f"),
    "ipykernel.iostream:OutStream.flush_interval": None,
    "ipykernel.iostream:OutStream._flush": ("self", ...),
    "ipykernel.iostream:OutStream._schedule_flush": ("self",),
    "ipykernel.kernelbase:Kernel.start": ("self", ...),
    "ipykernel.kernelbase:Kernel.dispatch_shell": ("self", "msg", ...),
    "ipykernel.kernelbase:Kernel.shell_channel_thread": None,
    "ipykernel.kernelbase:Kernel._execute_sleep": None,
    "ipykernel.ipkernel:IPythonKernel._abort_queues": ("self", "subshell_id"),
    "ipykernel.ipkernel:IPythonKernel._supports_kernel_subshells": None,
    "ipykernel.kernelapp:IPKernelApp.outstream_class": None,
    "ipykernel.kernelapp:IPKernelApp.initialize": ("self", "argv"),
    "ipykernel.kernelapp:IPKernelApp.init_pdb": ("self", ...),
    "ipykernel.kernelapp:IPKernelApp.init_path": ("self", ...),
    "ipykernel.kernelapp:IPKernelApp.init_shell": ("self", ...),
    "ipykernel.kernelapp:IPKernelApp.init_gui_pylab": ("self", ...),
    "ipykernel.kernelapp:IPKernelApp.init_extensions": ("self", ...),
    "ipykernel.kernelapp:IPKernelApp.init_io": ("self", ...),
    "ipykernel.kernelapp:IPKernelApp.init_signal": ("self", ...),
    "ipykernel.kernelapp:IPKernelApp._run_startup_files": ("self", ...),
    "ipykernel.kernelapp:IPKernelApp._run_exec_lines": ("self", ...),
}


def strange(expected: Expected) -> str:
    """Say what is missing or takes other parameters; "" if all is as expected.

    >>> strange({"json:dumps": None, "shlex:quote": ("s",), "shlex:split": ("s", ...)})
    ''
    >>> strange({"shlex:quote": ("text", "safe", ...)})
    'shlex:quote takes (s), not (text, safe, …)'
    >>> strange({"shlex:quoted": ("s",)})
    'shlex:quoted is not there'
    """
    for name, parameters in expected.items():
        module, _, path = name.partition(":")
        try:
            found = importlib.import_module(module)
            for part in path.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError):
            return f"{name} is not there"
        if parameters is None:
            continue
        found = getattr(found, "__func__", found)  # of a classmethod, with its `cls`
        try:
            taken = inspect.signature(found).parameters
        except (TypeError, ValueError):
            return f"{name} is no function"
        wanted = parameters[:-1] if parameters[-1] is ... else parameters
        more = list(taken.values())[len(wanted) :]
        needed = more if parameters[-1] is not ... else [p for p in more if _is_needed(p)]
        if tuple(taken)[: len(wanted)] != wanted or needed:
            asked = ", ".join("…" if part is ... else part for part in parameters)
            return f"{name} takes ({', '.join(taken)}), not ({asked})"
    return ""


def _is_needed(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty and parameter.kind not in (
        parameter.VAR_POSITIONAL,
        parameter.VAR_KEYWORD,
    )
