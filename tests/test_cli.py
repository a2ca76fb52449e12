"""The command line: what it prints, where it prints it, and the exit code."""

import ast
import asyncio
import configparser
import errno
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from helpers import cli, report, settings
from helpers.data import checks, connections
from helpers.demo import build
from helpers.press import diff, editions, pages
from helpers.settings import places
from sampling import some
from toys import write_manifest


@pytest.fixture
def book(tmp_path, monkeypatch):
    monkeypatch.setattr(connections, "CACHE", tmp_path / "cache")
    lines = "dealer_id,date,revenue\nD1,2026-09-30,5\nD1,2026-10-31,5.5\n"
    (tmp_path / "sell_in.csv").write_text(lines)
    (tmp_path / "workbook.toml").write_text(
        '[workbook]\nname = "cli"\n[data.sell_in]\nsource = "sell_in.csv"\n'
    )
    return tmp_path / "workbook.toml"


def test_check_says_clean_warning_or_error(book, capsys):
    assert cli.main(["check", "--config", str(book)]) == 0
    assert "nothing to remark on in 1 table\n" in capsys.readouterr().out
    data = book.parent / "sell_in.csv"
    data.write_text(data.read_text() + "D2,2026-10-30,-7\n")
    assert cli.main(["check", "--config", str(book.parent)]) == 1
    assert "negative" in capsys.readouterr().out
    data.write_text(data.read_text() + "D2,soon,7\n")
    assert cli.main(["check", "--config", str(book)]) == 2
    said = capsys.readouterr().out
    assert "error" in said
    assert "soon" in said


def test_check_tells_programs_file_line_and_number(book, capsys):
    data = book.parent / "sell_in.csv"
    data.write_text(data.read_text() + "D2,soon,7\nD3,later,8\nD4,2026-10-01,-1\n")
    assert cli.main(["check", "--json", "--config", str(book)]) == 2
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["file"], row["line"], row["table"], row["column"]) == (
        "sell_in.csv",
        5,
        "sell_in",
        "date",
    )
    assert (row["severity"], row["check"], row["n_rows"]) == ("error", "type", 2)
    assert row["example"] == "later"
    assert "2 rows of sell_in.csv hold no date, e.g. 'later' on line 5" in row["message"]
    assert row["next_step"]
    data.write_text("dealer_id,date,revenue\nD1,2026-09-30,5\nD1,2026-10-31\nD1,2026-10-31\n")
    assert cli.main(["check", "--json", "--config", str(book)]) == 2
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["file"], row["line"], row["check"], row["n_rows"]) == (
        "sell_in.csv",
        3,
        "source",
        2,
    )


def test_check_puts_files_and_what_is_grave_first(book, capsys):
    lines = "dealer_id,date,revenue\nD1,2026-09-30,5\nD1,2026-10-31,5.5\nD2,2026-10-30,-7\n"
    (book.parent / "sell_in.csv").write_text(lines)
    (book.parent / "pay.csv").write_text("dealer_id,date,amount\nD1,2026-10-31,x\n")
    book.write_text(book.read_text() + '[data.payments]\nsource = "pay.csv"\n')
    assert cli.main(["check", "--config", str(book)]) == 2
    assert capsys.readouterr().out.startswith("pay.csv\n  error, line 2: payments.amount: 1 row ")


def test_a_header_alone_is_an_error(book, capsys):
    (book.parent / "sell_in.csv").write_text("dealer_id,date,revenue\n")
    assert cli.main(["check", "--config", str(book)]) == 2
    assert "no row of sell_in.csv holds a sale" in capsys.readouterr().out


@pytest.mark.parametrize("length", [39, 40, 41, 90, 5000])
def test_examples_are_whole(book, capsys, monkeypatch, length):
    row = {
        "table": "sell_in",
        "column": "revenue",
        "check": "k",
        "severity": "warning",
        "n_rows": 1,
        "example": "x" * length,
    }
    monkeypatch.setattr(
        checks, "findings", lambda _book: pd.DataFrame([row | {"advice": "a" * length}] * 2)
    )
    assert cli.main(["check", "--config", str(book)]) == 1
    said = capsys.readouterr().out
    assert said.count(f"e.g. {'x' * length}\n") == said.count(f"    {'a' * length}\n") == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "--config", "gone.toml"], "no such file"),
        (["report", "2026-13"], "'2026-13' is no month"),
        (
            ["report", "2031-01"],
            "no complete data for 2031-01; workbook.toml has 2026-09 to 2026-10",
        ),
        (["report", "--only", "nothing"], "--only nothing: no such notebook"),
        (
            ["report", "--language", "fr"],
            "--language fr: not known; choose from en, zh-Hans, zh-Hant",
        ),
    ],
)
def test_errors_are_one_line_and_exit_2(book, capsys, monkeypatch, arguments, words):
    notebook = book.parent / "02_abc.ipynb"
    monkeypatch.setattr(pages, "notebooks_asked_for", lambda *given: _asked(notebook, *given))
    monkeypatch.setattr(pages, "require_parameters", lambda *_: None)
    monkeypatch.chdir(book.parent)
    assert cli.main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("workbook: ")
    assert words in told.err
    assert len(told.err.splitlines()) == 1


def _asked(notebook: Path, _folder: Path, only=()) -> list[Path]:
    if list(only):
        raise settings.DataError(f"--only {only[0]}: no such notebook; there are {notebook.stem}")
    return [notebook]


def test_report_passes_on_what_was_asked_and_ends_with_the_path(book, capsys, monkeypatch):
    seen = {}

    def printed(asked, period, **options):
        seen.update(options, name=asked.name, period=period)
        return SimpleNamespace(index=Path("/x/index.html"), missing=[], missing_pdfs=[])

    monkeypatch.setattr(report, "print_edition", printed)
    monkeypatch.chdir(book.parent)
    options = [
        "--only",
        "a",
        "--only",
        "b",
        "--language",
        "zh-Hant",
        "--workers",
        "3",
        "--out",
        "there",
        "--minutes",
        "5",
        "--pdf",
        "--archive",
    ]
    assert cli.main(["report", "2026-10", *options]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(Path("/x/index.html"))
    assert seen == {
        "name": "cli",
        "period": "2026-10",
        "only": ["a", "b"],
        "languages": ["zh-Hant"],
        "workers": 3,
        "out": "there",
        "cards": 0,
        "audiences": ["us"],
        "seconds": 300,
        "pdf": True,
        "archive": True,
    }
    cards = ["--card", "00123", "--card", "=x", "--audience", "dealer"]
    assert cli.main(["report", *cards]) == 0
    assert (seen["cards"], seen["audiences"]) == (["00123", "=x"], ["dealer"])
    assert cli.main(["report"]) == 0
    assert seen["cards"] == "called", "where nobody asks for others; but for a draft, as above"
    assert [cli.main(["report", "--cards", n]) for n in ("all", "12")] == [0, 0]
    assert seen["cards"] == 12


def test_missing_cards_are_told_and_give_exit_one(book, capsys, monkeypatch):
    missing = ["09_dealer_card (007, us, en), cell 3: KeyError: 'x'"]
    made = SimpleNamespace(index=Path("/x/index.html"), missing=missing, missing_pdfs=[])
    monkeypatch.setattr(report, "print_edition", lambda *given, **options: made)
    monkeypatch.chdir(book.parent)
    assert cli.main(["report", "--cards", "all"]) == 1
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        f"workbook: {missing[0]}",
        "workbook: 1 card is missing; the rest is published",
    ]
    assert said.out.splitlines()[-1] == str(Path("/x/index.html"))


def test_cards_are_asked_for_in_one_way(book, capsys, monkeypatch):
    monkeypatch.chdir(book.parent)
    assert cli.main(["report", "--cards", "3", "--card", "007"]) == 2
    assert capsys.readouterr().err == "workbook: --cards and --card: give one of the two\n"
    with pytest.raises(SystemExit) as stopped:
        cli.main(["report", "--cards", "few"])
    assert stopped.value.code == 2
    assert "'few' is no number of dealers; give a number, called or all" in capsys.readouterr().err


def test_the_nearest_settings_above_are_taken(book, capsys, monkeypatch):
    below = book.parent / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert cli.main(["check"]) == 0


def test_the_demo_is_made_first_where_it_is_missing(book, tmp_path, capsys, monkeypatch):
    made = []
    demo = SimpleNamespace(make_demo=made.append)
    monkeypatch.setitem(sys.modules, "helpers.demo.build", demo)
    monkeypatch.setattr("helpers.demo.build", demo, raising=False)
    monkeypatch.setattr(settings, "CHECKOUT", tmp_path)
    assert cli.main(["check", "--config", str(book)]) == 0
    assert made == [tmp_path / "data" / "demo"]
    assert "making the demo network" in capsys.readouterr().err
    made[0].mkdir(parents=True)
    assert cli.main(["check", "--config", str(book)]) == 0
    assert len(made) == 1


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """Have the package be no checkout's, and demos be made at once."""
    for module in (settings, places):
        monkeypatch.setattr(module, "CHECKOUT", None)
    monkeypatch.setattr(build, "make_demo", lambda folder: folder.mkdir(parents=True))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "elsewhere"


def test_the_demo_goes_into_the_nearest_workbook_or_a_new_folder(
    installed, tmp_path, capsys, monkeypatch
):
    assert cli.main(["demo"]) == 2
    assert "no workbook.toml here or above; make one with" in capsys.readouterr().err
    assert cli.main(["demo", "net"]) == 0
    assert capsys.readouterr().out == f"{installed / 'net'}\n" and (installed / "net").is_dir()
    (installed / "net" / "sell_in.parquet").write_text("my own")
    assert cli.main(["demo", "net"]) == 2
    assert "is there, and not empty; name a new folder" in capsys.readouterr().err
    assert (installed / "net" / "sell_in.parquet").read_text() == "my own"
    assert cli.main(["new", "mine", "--demo"]) == 0
    assert (installed / "mine" / "data" / "demo").is_dir()
    (installed / "mine" / "data" / "demo").rmdir()
    monkeypatch.chdir(installed / "mine" / "notebooks")
    assert cli.main(["demo"]) == 0
    assert (installed / "mine" / "data" / "demo").is_dir()


def test_where_there_is_no_workbook_a_log_goes_to_the_systems_folder(
    installed, tmp_path, capsys, monkeypatch
):
    monkeypatch.delenv("WORKBOOK_CACHE")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(build, "make_demo", lambda _folder: 1 / 0)
    assert cli.main(["demo", "net"]) == 70
    assert str(tmp_path / "tmp") in capsys.readouterr().err
    assert not [*installed.iterdir()]


def test_help_is_fast_and_names_every_command():
    run = (
        "import sys; from helpers import cli\n"
        "try: cli.main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'pandas', 'ibis', 'papermill', 'matplotlib', 'opencc'} & set(sys.modules)))"
    )
    told = subprocess.run(
        [sys.executable, "-c", run], capture_output=True, text=True, check=True
    ).stdout
    assert told.splitlines()[-1] == "[]"
    for command in ("check", "report", "demo", "lab", "new"):
        assert f"    {command} " in told


@pytest.mark.parametrize(
    "arguments", [[], ["print"], ["report", "--workers", "0"], ["report", "--workers", "x"]]
)
def test_wrong_arguments_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as refused:
        cli.main(arguments)
    assert refused.value.code == 2


# ---- what nobody foresaw -------------------------------------------------------------------------

COMMANDS = {  # by name: what it is asked, and where it breaks
    "check": (["check"], checks, "findings"),
    "report": (["report"], report, "print_edition"),
    "diff": (["diff", "2026-09", "2026-10"], diff, "changes"),
    "diff --out": (["diff", "2026-09", "2026-10", "--out", "there"], editions, "write_tables"),
    "lab": (["lab"], os, "execve"),
    "workshop": (["workshop"], os, "execve"),
    "demo": (["demo"], build, "make_demo"),
    "settings": (["check"], settings, "workbook"),
    "imports": (["report"], report, "__getattr__"),
}
UNFORESEEN = [
    ValueError("ours"),
    KeyError("x\u2028\x1b[31m"),
    RuntimeError("one\ntwo"),
    AssertionError(),
    MemoryError(),
    RecursionError("deep"),
    SystemExit(0),
    SystemExit("bye"),
    GeneratorExit(),
    asyncio.CancelledError(),
    ImportError("no such library"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
    OSError("odd"),
    FileNotFoundError(errno.ENOENT, "No such file", "gone.csv"),
    ConnectionError("duckdb://me:secret@host"),
    ExceptionGroup("several", [ValueError("a")]),
    Exception("x" * 5000),
]
ON_DISK = [
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EFBIG,
    errno.EIO,
]


@pytest.fixture
def broken(book, monkeypatch):
    """Run a command that raises at its heart; two editions are there."""
    for period in ("2026-09", "2026-10"):
        write_manifest(book.parent / "reports" / period, "cli")
    monkeypatch.setenv("WORKBOOK_EDITIONS", str(book.parent / "reports"))
    monkeypatch.setenv("WORKBOOK_CACHE", str(book.parent / "kept"))
    monkeypatch.chdir(book.parent)

    def run(command: str, error: BaseException) -> int:
        arguments, module, name = COMMANDS[command]

        def breaks(*_given, **_options):
            raise error

        if name == "__getattr__":  # a module that can't be imported
            monkeypatch.setitem(sys.modules, "helpers.report", None)
            monkeypatch.delattr("helpers.report")
        else:
            monkeypatch.setattr(module, name, breaks)
        return cli.main(arguments)

    return run


@pytest.mark.parametrize(
    "error", UNFORESEEN, ids=lambda error: f"{type(error).__name__} {str(error)[:9]!r}"
)
@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "imports"])
def test_what_nobody_foresaw_is_one_sentence_a_log_and_70(broken, capsys, command, error):
    assert broken(command, error) == 70
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("workbook: something unforeseen ended this command: ")
    assert type(error).__name__ in told.err
    assert told.err.count("\n") == 1 and told.err[:-1].isprintable() and len(told.err) < 600
    log = Path(re.search(r"its traceback lies in (\S+\.log)", told.err)[1])
    text = log.read_text(encoding="utf-8")
    assert "Traceback (most recent call last)" in text and "in breaks" in text
    assert type(error).__name__ in text
    assert "secret" not in text + told.err, "an address's password is nobody's business"
    assert log.parent.name == "logs"
    if os.name != "nt":
        assert log.stat().st_mode & 0o077 == 0, "a traceback may quote data"


@pytest.mark.parametrize("place", ["/proc/none", "/dev/null/x", "file", "file/x", "x" * 300])
@pytest.mark.parametrize("command", [["check"], ["report", "2026-10"]], ids=str)
@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_cache_that_can_be_nowhere_is_told(book, monkeypatch, capsys, place, command):
    (book.parent / "file").write_text("x")
    monkeypatch.setattr(connections, "CACHE", book.parent / place)
    monkeypatch.setenv("WORKBOOK_EDITIONS", str(book.parent / "reports"))
    assert cli.main([*command, "--config", str(book)]) == 2
    told = capsys.readouterr()
    assert place in told.err + told.out
    assert (
        place != "/proc/none"
        or "the environment variable WORKBOOK_CACHE names another" in told.err + told.out
    )


def test_a_module_that_cannot_be_imported_is_unforeseen_too(broken, capsys):
    assert broken("imports", ImportError()) == 70
    assert "helpers.report" in capsys.readouterr().err


@pytest.mark.parametrize("number", ON_DISK, ids=errno.errorcode.get)
@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "imports"])
def test_a_disk_that_takes_nothing_stays_2_wherever_it_strikes(broken, capsys, command, number):
    assert broken(command, OSError(number, os.strerror(number), "/some/where")) == 2
    told = capsys.readouterr()
    assert told.err == f"workbook: /some/where: {os.strerror(number)}\n"


@pytest.mark.parametrize("temporary", [True, False])
def test_where_no_log_can_be_written_it_says_so(broken, book, capsys, monkeypatch, temporary):
    (book.parent / "kept").write_text("a file stands where the cache should be")
    there = book.parent / "tmp"
    if temporary:
        there.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(there))
    assert broken("check", KeyError("x")) == 70
    told = capsys.readouterr().err
    assert "KeyError: 'x'" in told and told.count("\n") == 1
    if temporary:
        assert [path.suffix for path in there.iterdir()] == [".log"]
        assert str(there) in told
    else:
        assert (
            "no log could be written" in told
            and "Not a directory" in told
            and "No such file" in told
        )
        assert re.search(r"it was raised, in breaks, test_cli\.py line \d+$", told.strip())


@pytest.mark.skipif(sys.platform != "linux", reason="the full device is Linux's")
def test_a_log_that_does_not_fit_is_not_left_half_written(broken, book, capsys, monkeypatch):
    made = []

    def full(descriptor, *_how, **_options):
        made.append(descriptor)
        os.close(descriptor)
        return os.fdopen(os.open("/dev/full", os.O_WRONLY), "w")

    monkeypatch.setattr(cli, "open", full, raising=False)
    assert broken("check", KeyError("x")) == 70
    assert len(made) == 2 and not list((book.parent / "kept" / "logs").iterdir())
    assert capsys.readouterr().err.count("No space left on device") == 2


def test_being_ended_is_130_in_every_command(broken, capsys):
    for command in ("check", "report", "diff", "lab", "demo"):
        assert broken(command, KeyboardInterrupt()) == 130
        assert capsys.readouterr().err == "workbook: interrupted\n"


# ---- who listens ---------------------------------------------------------------------------------

ENDS = "import sys; from helpers import cli; sys.exit(cli.main(sys.argv[1:]))"
PUBLISHED = (
    "import pathlib, sys; from helpers import cli, report\nreport.print_edition = lambda *a, "
    "**k: report.Edition(pathlib.Path('/x/index.html'), '2026-10', {}, [], "
    "[])\nsys.exit(cli.main(sys.argv[1:]))"
)


@pytest.fixture
def shell(book):
    """Run a command with its streams led elsewhere by a shell."""
    for period in ("2026-09", "2026-10"):
        write_manifest(book.parent / "reports" / period, "cli")

    def run(command: str, streams: str) -> subprocess.CompletedProcess:
        program = PUBLISHED if command == "report" else ENDS
        command += " 2026-09 2026-10 --editions reports" if command == "diff" else ""
        asked = f'set -o pipefail; {sys.executable} -c "$0" {command} {streams}'
        return subprocess.run(
            ["bash", "-c", asked, program],
            cwd=book.parent,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.skipif(sys.platform != "linux", reason="the full device is Linux's")
@pytest.mark.parametrize("streams", [">/dev/full", ">&-", "| (exec <&-; sleep 4)"])
@pytest.mark.parametrize("command", ["check", "report", "diff", "--help", "report --help"])
def test_an_output_that_nobody_can_read_is_no_success(shell, command, streams):
    done = shell(command, streams)
    assert done.returncode == 2
    if "help" not in command or streams != ">&-":  # argparse would say it on standard error instead
        *before, last = done.stderr.strip().split("\n")
        assert last.startswith("workbook: standard output can't be written to (")
        assert before == ["workbook: the edition is published: /x/index.html"] * (
            command == "report" and streams != ">&-"
        )
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the full device is Linux's")
@pytest.mark.parametrize(
    ("command", "code", "streams"),
    some(
        [
            (*command, streams)
            for streams in ("2>/dev/full", "2>&-", "<&-", "<&- 2>&-", "2> >(exec <&-)")
            for command in (("check", 0), ("report", 0), ("diff", 0), ("check --config gone", 2))
        ],
        8,
    ),
)
def test_an_error_output_that_nobody_reads_changes_nothing(shell, command, code, streams):
    done = shell(command, streams)
    assert done.returncode == code
    assert bool(done.stdout) is (code == 0)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_a_letter_that_the_terminal_lacks_stops_nothing(book, encoding):
    data = book.parent / "sell_in.csv"
    data.write_text(data.read_text() + "顺达,昨天,7\n", encoding="utf-8")
    asked = [sys.executable, "-c", ENDS, "check", "--config", str(book)]
    done = subprocess.run(
        asked, capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": encoding}
    )
    assert done.returncode == 2
    said = done.stdout.decode(encoding)
    assert ("昨天" if encoding == "utf-8" else r"\u6628\u5929") in said


# ---- text from data on a terminal ----------------------------------------------------------------

STEERING = [
    "\x1b[31mred",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\r\x1b[Kworkbook: nothing to remark on",
    "\b\b\b",
    "\x00",
    "\u202egnp.exe",
    "\u2066x\u2069",
    "\u200b",
    "\ufeff",
    "\u2028",
    "\u2029",
    "\x85",
    "\x7f",
    "\u00ad",
]


@pytest.mark.parametrize("text", STEERING, ids=ascii)
def test_nothing_in_the_data_steers_the_terminal(book, capsys, text):
    (book.parent / "sell_in.parquet").unlink(missing_ok=True)
    dealer = f"D{text}1"
    lines = pd.DataFrame(
        {"dealer_id": [dealer] * 2, "date": ["2026-09-30", f"no day{text}"], "revenue": [1.0, 2.0]}
    )
    lines.to_parquet(book.parent / "sell_in.parquet")
    book.write_text(
        # a toml that holds NUL is refused whole: here it stands in the data alone
        f'[workbook]\nname = "cli"\nbrand = {json.dumps(text.replace(chr(0), ""))}\n'
        '[data.sell_in]\nsource = "sell_in.parquet"\n'
    )
    assert cli.main(["check", "--config", str(book)]) == 2
    assert cli.main(["report", "--config", str(book), "--only", text or "x"]) == 2
    assert cli.main(["diff", f"2026{text}", "2026-10", "--config", str(book)]) == 2
    told = capsys.readouterr()
    assert "no day" in told.out
    for said in (told.out, told.err):
        assert said and all(line.isprintable() for line in said.split("\n"))


def test_a_readers_reason_is_told_whole(book, capsys):
    (book.parent / "sell_in.csv").write_bytes(
        b"dealer_id,date,revenue\nD1,2026-10-01,5\nD\xff2,2026-10-02,6\n"
    )
    assert cli.main(["check", "--config", str(book)]) == 2
    said = capsys.readouterr().out
    assert "sell_in: sell_in.csv: its encoding can't be told by line 3" in said
    assert "say which under [data.sell_in.read]" in said


# ---- who runs it ---------------------------------------------------------------------------------

SCHEDULE = (settings.CHECKOUT / "docs" / "schedule.md").read_text(encoding="utf-8")
CODES = {0: "whole", 1: "published", 2: "untouched", cli.UNFORESEEN: "", 130: "untouched"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", SCHEDULE, re.DOTALL)


def test_the_page_on_schedules_lists_the_codes_there_are():
    rows = dict(re.findall(r"^\| (\d+) \| (.*) \|$", SCHEDULE, re.MULTILINE))
    assert {int(code) for code in rows} == set(CODES)
    assert all(CODES[int(code)] in said for code, said in rows.items())
    assert "log" in rows["70"] and "PDF" in rows["1"] and "disk is full" in rows["2"]


@pytest.mark.skipif(sys.platform == "win32", reason="cron is not Windows'")
@pytest.mark.parametrize("code", CODES)
def test_crons_line_mails_the_log_of_whatever_is_not_whole(tmp_path, code):
    line = re.search(r"^30 5 \* \* 1-5 +(.+)$", blocks("cron")[0], re.MULTILINE)[1]
    program = tmp_path / ".venv" / "bin" / "workbook"
    program.parent.mkdir(parents=True)
    (tmp_path / "reports").mkdir()
    program.write_text(f"#!/bin/sh\necho index.html\necho workbook: told >&2\nexit {code}\n")
    program.chmod(0o755)
    done = subprocess.run(
        ["sh", "-c", line.replace("/srv/workbook", str(tmp_path))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert bool(done.stdout + done.stderr) is (code != 0)
    assert (tmp_path / "reports" / "last-run.log").read_text() == "index.html\nworkbook: told\n"


def test_systemd_tells_somebody_of_2_70_and_130_only():
    units = [configparser.RawConfigParser(strict=False) for _block in blocks("ini")]
    for unit, block in zip(units, blocks("ini"), strict=True):
        unit.optionxform = str
        unit.read_string(block)
    service, timer, failed = units
    assert service["Service"]["SuccessExitStatus"].split() == ["1"], (
        "all other codes but 0 start OnFailure"
    )
    assert service["Unit"]["OnFailure"] == "workbook-failed.service"
    assert failed["Service"]["Type"] == service["Service"]["Type"] == "oneshot"
    assert timer["Timer"]["OnCalendar"]
    minutes = int(re.search(r"--minutes (\d+)", service["Service"]["ExecStart"])[1])
    assert int(service["Service"]["TimeoutStartSec"].removesuffix("min")) > minutes, (
        "the run ends itself first"
    )


def test_airflow_skips_1_and_tries_again_what_failed():
    called = next(
        node
        for node in ast.walk(ast.parse(blocks("python")[0]))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "BashOperator"
    )
    given = {
        word.arg: word.value.value
        for word in called.keywords
        if isinstance(word.value, ast.Constant)
    }
    assert given["skip_on_exit_code"] == 1 and given["retries"] >= 1
