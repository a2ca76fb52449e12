"""Cells that hold an ipywidgets `Output` and never end under nbclient.

How many, and what keeps them from it.

`python hanging_output.py` needs nbclient and ipywidgets only, and none of this project. Two
processes side by side execute 1,000 cells each; a cell shows a slider and what it draws. A cell
counts as stalled if the kernel's reply to it lay in nbclient's socket for `LATE` seconds, by the
time that the kernel wrote on it; nothing but the deadline that is set here (papermill sets none)
ends such a cell. Exit code 1 if another variant than `output` stalls.

The cause, as found with jupyter_client 8.10, nbclient 0.11, pyzmq 27.3 and ZeroMQ's edge-triggered
descriptors:

1. nbclient waits for the cell's reply on the shell channel: a future of `zmq.asyncio.Socket`, which
   is woken when the descriptor of the socket becomes readable, and looks then (`_handle_events`).
2. For each output that the kernel sends into an `Output` widget, nbclient's mimic of a front end
   answers with the widget's new state: `OutputWidget.sync_state`, a `comm_msg` on that same shell
   channel.
3. jupyter_client sends it past the asyncio socket (`Session.send`:
   `zmq.Socket.shadow(stream.underlying)`). A send handles ZeroMQ's pending commands, and so takes
   the signal off the descriptor. If the reply has come in that moment, it now lies in the socket,
   the descriptor is not readable, and nobody has called `_schedule_remaining_events`, which is
   there for this: the future waits for a signal that was given before.

The variants change one thing each:

- `output`: `interactive_output`, as ipywidgets' manual has it.
- `html`: the same values shown in an `HTML` widget; nbclient has nothing to answer.
- `looked`: `output`, but after each send the socket is looked at: `_schedule_remaining_events()`.
"""

import argparse
import json
import subprocess
import sys
import time
from datetime import UTC, datetime

import nbformat
from nbclient import NotebookClient

START = "import ipywidgets as widgets\nfrom IPython.display import display"
OUTPUT = """
slider = widgets.IntSlider()
def show(value):
    print(value)
    display(value + 1)
widgets.VBox([slider, widgets.interactive_output(show, {"value": slider})])
"""
HTML = """
slider, shown = widgets.IntSlider(), widgets.HTML()
def show(change=None):
    shown.value = f"<pre>{slider.value}</pre><pre>{slider.value + 1}</pre>"
slider.observe(show, "value")
show()
widgets.VBox([slider, shown])
"""
VARIANTS = {"output": OUTPUT, "html": HTML, "looked": OUTPUT}
PER_NOTEBOOK = 50  # cells of one kernel
DEADLINE = 8  # seconds of a cell
LATE = 5  # seconds that a reply lies unread: no machine is as slow as that


def executed(source: str, cells: int) -> list[float]:
    """Execute one notebook.

    -> for each cell the seconds between the kernel's reply and nbclient's reading it.
    """
    lay = []

    def read(cell: nbformat.NotebookNode, cell_index: int, execute_reply: dict) -> None:
        date = execute_reply.get("header", {}).get("date")  # none where nbclient gave up
        lay.append((datetime.now(UTC) - date).total_seconds() if date else float("inf"))

    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(text) for text in (START, *[source] * cells)]
    )
    NotebookClient(made, timeout=DEADLINE, on_cell_executed=read).execute(stderr=subprocess.DEVNULL)
    return lay[1:]


def look_after_each_send() -> None:
    """Have jupyter_client look at an asyncio socket after it has sent past it.

    What a repair could be.
    """
    import zmq.asyncio
    from jupyter_client.session import Session

    plain = Session.send

    def send(self: Session, stream: zmq.Socket, *args: object, **options: object) -> object:
        sent = plain(self, stream, *args, **options)
        if isinstance(stream, zmq.asyncio.Socket):
            stream._schedule_remaining_events()
        return sent

    Session.send = send


def work(variant: str, cells: int) -> None:
    """Be one of the processes: execute so many cells, and print what was seen."""
    if variant == "looked":
        look_after_each_send()
    lay = []
    while len(lay) < cells:
        lay += executed(VARIANTS[variant], min(PER_NOTEBOOK, cells - len(lay)))
    print(json.dumps(lay))


def measured(variant: str, cells: int, processes: int) -> tuple[int, float, float]:
    """Run a variant in processes side by side.

    -> stalled cells, the longest other wait, seconds.
    """
    start = time.monotonic()
    command = [sys.executable, __file__, "--be", variant, "--cells", str(cells)]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    lay = [
        seconds
        for said in [process.communicate()[0] for process in running]
        for seconds in json.loads(said)
    ]
    if any(process.returncode for process in running) or len(lay) != cells * processes:
        raise SystemExit(f"{variant}: not all cells were executed")
    quick = [seconds for seconds in lay if seconds < LATE]
    return len(lay) - len(quick), max(quick, default=0.0), time.monotonic() - start


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=1000, help="of each process")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", choices=VARIANTS, action="append")
    parser.add_argument("--be", choices=VARIANTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.be:
        work(options.be, options.cells)
        return 0
    bad = False
    for variant in options.only or VARIANTS:
        stalled, longest, seconds = measured(variant, options.cells, options.processes)
        bad |= variant != "output" and stalled > 0
        print(
            f"{variant:8}{stalled:5} of {options.processes} x {options.cells:,} cells stalled; "
            f"else a reply lay {longest:.2f} s at most; {seconds:.0f} s in all",
            flush=True,
        )
    return bad


if __name__ == "__main__":
    sys.exit(main())
