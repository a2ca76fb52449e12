"""What can go wrong with a run of the press, done on purpose, round after round.

`test_printing.py` and a benchmark ask.

Each fault prints a second edition over a first one in a folder of its own, does its harm at a
moment that its seed chooses, and says what must hold then: the published edition is whole, the
message names the cause, nothing hangs or is left behind, and the next run prints what is missing.
"""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest import mock

import psutil
import pytest

from helpers import report, settings
from helpers.data import connections
from helpers.press import printing
from helpers.press.kernels import provisioner
from processes import still_running
from toys import cell, write_book, write_notebook

PERIOD = "2026-10"
HANGS = 60  # seconds after which a round counts as hanging, whatever the machine is doing besides
# who is started in the background by a shell has Ctrl-C ignored, and hands that on
RUN = """
import functools, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from helpers import cli, report
from helpers.press import printing
printing.PRELOAD = ["helpers.report"]
folder = Path(sys.argv[1])
report.print_edition = functools.partial(report.print_edition, notebooks=folder / "notebooks")
sys.exit(cli.main(["report", "2026-10", "--config", str(folder),
                   "--out", str(folder / "reports"), "--workers", "2"]))
"""


class Workshop:
    """A folder with a first edition of three pages, and the means to print another over it."""

    def __init__(self, folder: Path) -> None:
        """Print the first edition, unless it is there."""
        self.folder, self.reports, self.notebooks = folder, folder / "reports", folder / "notebooks"
        if not self.reports.exists():
            for name in ("01_fine", "02_abc", "03_last"):
                write_notebook(self.notebooks, name, cell("import time\ntime.sleep(0.3)"))
            write_book(folder)
            self.print()

    def copied(self, to: Path) -> "Workshop":
        """Give a copy, whose first edition another round has not touched."""
        shutil.copytree(self.folder, to)
        return Workshop(to)

    def print(self, **options) -> report.Edition:
        """Print the edition in this process."""
        with (
            mock.patch.object(printing, "PRELOAD", ["helpers.report"]),
            mock.patch.object(connections, "CACHE", self.folder / "cache"),
        ):
            book = settings.workbook(self.folder / "workbook.toml")
            return report.print_edition(
                book,
                PERIOD,
                **{"out": self.reports, "notebooks": self.notebooks, "workers": 2} | options,
            )

    def start(self) -> subprocess.Popen:
        """Print the edition in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-c", RUN, str(self.folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "WORKBOOK_CACHE": str(self.folder / "cache")},
        )

    def change(self, seed: int) -> None:
        """Have another month's figures come in: no finished page can be used again."""
        write_book(self.folder, revenue=50 + seed)

    def edition(self) -> str:
        """Give the fingerprint of the edition that is there, having seen that it is whole."""
        place = self.reports / PERIOD
        manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
        for page in manifest["pages"]:
            assert f"Title of {page['name']}" in (place / f"{page['name']}.html").read_text(
                encoding="utf-8"
            )
            json.loads((place / "notebooks" / f"{page['name']}.ipynb").read_text(encoding="utf-8"))
        assert manifest["data_fingerprint"] in (place / "index.html").read_text(encoding="utf-8")
        assert len(manifest["pages"]) == len(list(self.notebooks.glob("*.ipynb")))
        return manifest["data_fingerprint"]

    def goes_on(self, before: str) -> None:
        """See that the next run prints what is missing and leaves nothing half-done."""
        self.print()
        assert self.edition() != before
        assert not list((self.reports / ".press").glob("*/*"))


@contextmanager
def nothing_left() -> Iterator[None]:
    """See that a round ends in time and leaves no process and no descriptor of ours behind."""
    me = psutil.Process()
    before, started = {child.pid for child in me.children(recursive=True)}, time.monotonic()
    yield
    left = still_running([c for c in me.children(recursive=True) if c.pid not in before], timeout=5)
    assert not left, f"left behind: {left}"
    assert time.monotonic() - started < HANGS


def _warm_process(wait: float = 20.0) -> psutil.Process:
    """Wait for this process's warm process."""
    until = time.monotonic() + wait
    while time.monotonic() < until:
        with provisioner.WarmProcess._lock:
            for key, warm in provisioner.WarmProcess._all.items():
                if key[0] == os.getpid() and warm.process.poll() is None:
                    return psutil.Process(warm.process.pid)
        time.sleep(0.02)
    raise AssertionError("no warm process was started")


def _kernels(warm: psutil.Process, wait: float = 20.0) -> list[psutil.Process]:
    until = time.monotonic() + wait
    while not (found := warm.children()) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def killed_driver(shop: Workshop, seed: int) -> None:
    """SIGKILL to the run itself, at any moment from its first import to its last rename."""
    before = shop.edition()
    shop.change(seed)
    with nothing_left():
        driver = shop.start()
        time.sleep(random.Random(seed).uniform(0.5, 6.0))
        children = (
            psutil.Process(driver.pid).children(recursive=True) if driver.poll() is None else []
        )
        driver.kill()
        driver.communicate()
        left = still_running(children, timeout=5)
        assert not left, f"kernels outlive their run: {left}"
        shop.edition()
        if driver.returncode:
            shop.goes_on(before)


def killed_kernel(shop: Workshop, seed: int) -> None:
    """SIGKILL to a kernel: its page is printed at the second try, and nobody else's."""
    before = shop.edition()
    shop.change(seed)

    def kill() -> None:
        chosen = random.Random(seed)
        time.sleep(chosen.uniform(0.0, 0.3))
        chosen.choice(_kernels(_warm_process())).kill()

    killer = threading.Thread(target=kill)
    with nothing_left():
        killer.start()
        shop.goes_on(before)
        killer.join()


def killed_kernel_twice(shop: Workshop, seed: int) -> None:
    """A page whose kernel dies each time: told, with the cell, and nothing published."""
    before = shop.edition()
    number = random.Random(seed).choice([9, 11, 15])
    write_notebook(
        shop.notebooks,
        "02_abc",
        cell("## Who dies?", text=True),
        cell(f"import os\nos.kill(os.getpid(), {number})"),
    )
    with nothing_left():
        with pytest.raises(
            settings.DataError, match=r'02_abc \(en\), cell 4 under "Who dies\?": its kernel died'
        ):
            shop.print()
        assert shop.edition() == before


def killed_warm_process(shop: Workshop, seed: int) -> None:
    """SIGKILL to the process that forks kernels, and with it to all of them.

    A new one takes over.
    """
    before = shop.edition()
    shop.change(seed)

    def kill() -> None:
        warm = _warm_process()
        time.sleep(random.Random(seed).uniform(0.0, 2.5))
        with suppress(psutil.NoSuchProcess):  # the run was faster
            warm.kill()

    killer = threading.Thread(target=kill)
    with nothing_left():
        killer.start()
        shop.goes_on(before)
        killer.join()


def full_disk(shop: Workshop, seed: int) -> None:
    """A disk with a few kilobytes left.

    Told, nothing published, and room again when some is made.
    """
    small = shop.folder / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(small)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be made here: {mounted.stderr.strip()}")
    try:
        shutil.copytree(shop.reports, small / "reports")
        shop.reports = small / "reports"
        told = json.loads((shop.reports / PERIOD / "manifest.json").read_text(encoding="utf-8"))
        del told["settings"]  # the editions have moved away from their toml
        (shop.reports / PERIOD / "manifest.json").write_text(json.dumps(told), encoding="utf-8")
        before = shop.edition()
        shop.change(seed)
        free = shutil.disk_usage(small).free
        ballast = small / "ballast"
        ballast.write_bytes(
            bytes(free - random.Random(seed).choice([0, 4096, 16384, 40960, 65536]))
        )
        with nothing_left():
            with pytest.raises(
                settings.DataError, match=r"No space left on device.*\n?.*nothing is published"
            ):
                shop.print()
            assert shop.edition() == before
            ballast.unlink()
            shop.goes_on(before)
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def endless_notebook(shop: Workshop, seed: int) -> None:
    """A loop that never ends, in Python or in a library that hears no interrupt.

    Ended at its deadline.
    """
    before = shop.edition()
    loop = random.Random(seed).choice(
        [
            "while True: pass",
            "import time\ntime.sleep(1e6)",
            "import re\nre.match('(a+)+b', 'a' * 60)",
            "try:\n    while True: pass\nexcept BaseException:\n    while True: pass",
        ]
    )
    write_notebook(shop.notebooks, "02_abc", cell("## For ever", text=True), cell(loop))
    which = random.Random(seed + 1).choice(["CELL_SECONDS", "PAGE_SECONDS", "run"])
    told = {
        "CELL_SECONDS": "the cell took longer than 1 s",
        "PAGE_SECONDS": "the page took longer than 1 s",
        "run": "the run's time was over; run it again, finished pages are kept",
    }[which]
    limit = (
        mock.patch.object(printing, which, 1.0)
        if which != "run"
        else mock.patch.object(printing, "CELL_SECONDS", 300.0)
    )
    with nothing_left(), limit, pytest.raises(settings.DataError) as failed:
        shop.print(**{"seconds": 8.0} if which == "run" else {})
    assert re.search(
        re.escape(f'02_abc (en), cell 4 under "For ever": {told}'), str(failed.value)
    ) or (which == "run" and told in str(failed.value)), str(failed.value)
    assert shop.edition() == before


def exhausted_memory(shop: Workshop, seed: int) -> None:
    """A notebook that takes all memory there is for a page.

    A MemoryError in its cell, and nobody else is hurt.
    """
    before = shop.edition()
    greedy = random.Random(seed).choice(
        [
            "x = bytearray(10**10)",
            "x = []\nwhile True: x.append(bytes(10**7))",
            "import numpy as np\nx = np.ones(10**9)",
        ]
    )
    write_notebook(shop.notebooks, "02_abc", cell("## More", text=True), cell(greedy))
    told = r'02_abc \(en\), cell 4 under "More": .*MemoryError.*; a page may use 0\.8 GB'
    with nothing_left(), mock.patch.object(printing, "memory_limit", lambda: 800_000_000):
        with pytest.raises(settings.DataError, match=told):
            shop.print()
        assert shop.edition() == before


def two_runs(shop: Workshop, seed: int) -> None:
    """Two runs of one edition at the same moment: one prints, the other says so and leaves."""
    before = shop.edition()
    shop.change(seed)
    with nothing_left():
        runs = [shop.start(), shop.start()]
        said = [run.communicate(timeout=HANGS)[1] for run in runs]
        codes = sorted(run.returncode for run in runs)
        if codes == [0, 2]:
            assert "another run is printing this edition; wait until it has ended" in "".join(said)
        else:  # on a busy machine one may have ended before the other looked: it finds all finished
            assert codes == [0, 0], said
        assert shop.edition() != before


def interrupted(shop: Workshop, seed: int) -> None:
    """Ctrl-C, or a polite request to end, while pages are printed.

    The run says so, ends soon, and tidies up.
    """
    before, chosen = shop.edition(), random.Random(seed)
    shop.change(seed)
    write_notebook(shop.notebooks, "03_last", cell("import time\ntime.sleep(3)"))
    with nothing_left():
        driver = shop.start()
        for line in driver.stderr:
            if re.match(r"\d/3 ", line):  # a page is finished, others are not
                break
        time.sleep(chosen.uniform(0, 1))
        driver.send_signal(chosen.choice([signal.SIGINT, signal.SIGTERM]))
        said = driver.communicate(timeout=HANGS)[1]
        assert driver.returncode == 130, said
        assert said.splitlines()[-1] == "workbook: interrupted"
        assert "Traceback" not in said
        assert not list((shop.reports / ".press").glob("*/*"))
        manifest = json.loads((shop.reports / PERIOD / "manifest.json").read_text(encoding="utf-8"))
        assert manifest["data_fingerprint"] == before
        shop.goes_on(before)


FAULTS: list[Callable[[Workshop, int], None]] = [
    killed_driver,
    killed_kernel,
    killed_kernel_twice,
    killed_warm_process,
    full_disk,
    endless_notebook,
    exhausted_memory,
    two_runs,
    interrupted,
]
