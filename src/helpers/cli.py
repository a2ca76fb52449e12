"""The command line: `workbook check | report | …`.

What is heavy is imported inside the commands.
"""

import argparse
import contextlib
import json
import os
import re
import signal
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

from helpers.press import terminal
from helpers.room import arguments

UNFORESEEN = 70  # EX_SOFTWARE of sysexits.h: what went wrong is ours
TOLD = 300  # characters of an error nobody foresaw; the log has all


def main(arguments: list[str] | None = None) -> int:
    """Run one command and give its exit code.

    0 done; 1 done with warnings, or with cards or PDFs missing; 2 not done, for a reason told in
    plain lines: data or settings, a full disk, another run, an output nobody can read; 70 something
    unforeseen, whose traceback lies in the log that the last line names; 130 interrupted. Who asks
    wrongly ends with SystemExit(2), as argparse does.
    """
    asked: list[argparse.Namespace] = []
    try:
        return _run(arguments, asked)
    except KeyboardInterrupt:
        terminal.tell("workbook: interrupted")
        return 130
    except terminal.OutputLostError as error:
        terminal.tell(
            f"workbook: standard output can't be written to ({error}); not all could be said"
        )
        return 2
    except _AskedWrongly as error:
        raise SystemExit(error.args[0]) from None
    except BaseException as error:
        # a SystemExit from within a command is as unforeseen as a KeyError
        return _failed(error, *asked)


class _AskedWrongly(Exception):  # noqa: N818
    """The arguments are no command, or ask for help; argparse has said so."""


def _run(arguments: list[str] | None, asked: list[argparse.Namespace]) -> int:
    """Run a command; what it was asked stands in `asked`, whatever becomes of it."""
    terminal.ready()
    if threading.current_thread() is threading.main_thread():
        # asked to end, a run tidies up as after Ctrl-C
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        asked.append(_parser().parse_args(arguments))
    except SystemExit as refused:
        raise _AskedWrongly(refused.code) from None
    return asked[0].command(asked[0])


class _Parser(argparse.ArgumentParser):
    """argparse, but help that nobody can read is no success."""

    def _print_message(self, message: str, file=None) -> None:
        if file is sys.stdout:
            terminal.say(message.rstrip("\n"))
        else:
            super()._print_message(message, file)


def _failed(error: BaseException, options: argparse.Namespace | None = None) -> int:
    """Tell what a person can put right in plain lines (2).

    Anything else in one sentence that names its log (70).
    """
    with contextlib.suppress(Exception):  # what broke may be what these need
        from helpers import files
        from helpers.settings import DataError

        if isinstance(error, DataError):
            for line in str(error).split("\n"):
                terminal.tell(f"workbook: {line}")
            return 2
        if reason := files.disk_reason(error):
            terminal.tell(f"workbook: {_one_line(reason)}")
            return 2
    said = _one_line("".join(traceback.format_exception_only(error)).split("\n")[0])[:TOLD].rstrip(
        " :"
    )
    log, reasons = _logged(error, _cache(options))
    if log:
        where = f"its traceback lies in {log}"
    else:
        at = traceback.extract_tb(error.__traceback__)[-1:]
        last = "".join(
            f", in {frame.name}, {Path(frame.filename).name} line {frame.lineno}" for frame in at
        )
        where = f"no log could be written ({reasons}); it was raised{last}"
    terminal.tell(f"workbook: something unforeseen ended this command: {said}; {where}")
    return UNFORESEEN


def _one_line(text: str) -> str:
    """Join lines, and take passwords out of addresses."""
    return re.sub(r"://\S*@", "://…@", " ".join(text.split()))


def _cache(options: argparse.Namespace | None) -> Path | None:
    """Name the cache of the workbook that a command was about; None where nothing tells."""
    if given := os.environ.get("WORKBOOK_CACHE"):
        return Path(given)
    with contextlib.suppress(Exception):  # what broke may be what tells
        from helpers.settings import near, project_here, project_of

        given = getattr(options, "config", "")
        toml = Path(given).expanduser().resolve() if given else near()
        toml = toml / "workbook.toml" if toml and toml.is_dir() else toml
        # a project that is not there yet is not begun for a log
        project = project_of(toml) if toml and toml.is_file() else project_here()
        return project and project / "data" / "cache"
    return None


def _logged(error: BaseException, cache: Path | None) -> tuple[str, str]:
    """Write a log with the traceback where it can be written.

    Its path, or "" and why there is none.
    """
    text = "".join(traceback.format_exception(error))
    text = f"{time.strftime('%Y-%m-%d %H:%M:%S %z')}  workbook {' '.join(sys.argv[1:])}\n\n{text}"
    reasons = []
    # None: the system's own place
    for folder in (*([cache / "logs"] if cache else []), None):
        path = ""
        try:
            if folder:
                folder.mkdir(parents=True, exist_ok=True)
            # a name nobody can foresee, for nobody else to read: a shared folder may hold traps
            descriptor, path = tempfile.mkstemp(
                ".log", f"workbook-{time.strftime('%Y%m%d-%H%M%S')}-", folder
            )
            with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:  # noqa: PTH123
                file.write(re.sub(r"://\S*@", "://…@", text))
            return path, ""
        except OSError as cause:
            reasons.append(f"{folder or 'temporary folder'}: {cause.strerror or cause}")
            with contextlib.suppress(OSError):
                Path(path).unlink() if path else None
    return "", "; ".join(reasons)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="workbook", description="Which dealers carry the brand: checks and reports."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    check = _command(
        commands,
        "check",
        _check,
        "say what is wrong in the data: exit 0 clean, 1 warnings, 2 errors",
    )
    check.add_argument("--json", action="store_true", help="for programs")
    mapped = _command(
        commands,
        "map",
        _map,
        "draft a workbook.toml from the files of your systems, and check it",
    )
    _map_options(mapped)
    report = _command(
        commands,
        "report",
        _report,
        "print a month's edition; the last line is its front page's path",
    )
    new = _command(commands, "new", _new, "lay out a workbook of your own in a folder")
    new.add_argument("folder", metavar="FOLDER", help="a new folder, or one without such files yet")
    new.add_argument("--demo", action="store_true", help="with the demo network, to look around in")
    demo = _command(commands, "demo", _demo, "make the demo network in the project's data/demo")
    demo.add_argument(
        "folder", nargs="?", default="", metavar="FOLDER", help="a new folder for it instead"
    )
    lab = _command(commands, "lab", _lab, "open the notebooks in JupyterLab")
    workshop = _command(commands, "workshop", _lab, "open the workshop's notebook in JupyterLab")
    workshop.set_defaults(question="workshop")
    for command in (lab, workshop):
        command.add_argument(
            "jupyter",
            nargs="*",
            metavar="-- OPTION",
            help="of JupyterLab, after two dashes, e.g. -- --port 9000 --no-browser",
        )
    room = _command(
        commands, "room", _room, "open the workshop's room: phones score, the wall shows it"
    )
    arguments.add_to(room)
    diff = _command(
        commands, "diff", _diff, "say what changed from one month's edition to another's"
    )
    read = _command(commands, "read", _read, "show what is read of a file, or of a table, as CSV")
    _read_options(read)
    for command in (check, report, lab, workshop, room, diff, read):
        command.add_argument(
            "--config",
            default="",
            metavar="FILE",
            help=(
                "workbook.toml, or its folder (default: the one in this folder or above, else "
                "the checkout's)"
            ),
        )
    for command in (check, report, lab, workshop, room, diff, read):
        command.add_argument(
            "--scope",
            default="",
            metavar="COLUMN=VALUE|…;…",
            help=(
                "only these dealers, by columns of dealers, e.g. "
                '"region=East|North;store_format=chain"'
            ),
        )
    _report_options(report)
    _diff_options(diff)
    return parser


def _map_options(mapped: argparse.ArgumentParser) -> None:
    mapped.add_argument("files", nargs="+", metavar="FILE", help="an export; several, of any table")
    mapped.add_argument(
        "--out", default="workbook.toml", metavar="FILE", help="the toml (default: workbook.toml)"
    )
    mapped.add_argument(
        "--yes", action="store_true", help="ask nothing: place what is sure, leave the rest open"
    )


def _report_options(report: argparse.ArgumentParser) -> None:
    report.add_argument(
        "--each",
        default="",
        metavar="COLUMN",
        help="an edition for each value of a column of dealers, e.g. region",
    )
    report.add_argument(
        "period", nargs="?", default="", help='month, e.g. "2026-10" (default: last complete month)'
    )
    report.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="only this notebook, as a draft beside the edition; repeatable",
    )
    report.add_argument(
        "--language",
        action="append",
        default=[],
        metavar="CODE",
        help="en, zh-Hans or zh-Hant instead of the workbook's; repeatable",
    )
    report.add_argument(
        "--cards",
        type=_cards,
        metavar="called|all|N",
        help="print the cards of who is called (default), of all dealers, or of the N largest, "
        "into the edition; 0: none",
    )
    report.add_argument(
        "--card",
        action="append",
        default=[],
        metavar="ID",
        help="print this dealer's card into the edition; repeatable",
    )
    report.add_argument(
        "--audience",
        action="append",
        default=[],
        metavar="WHO",
        help="cards for us (default), or for the dealer himself; repeatable",
    )
    report.add_argument(
        "--workers", type=_count, metavar="N", help="pages at the same time (default: all cores)"
    )
    report.add_argument(
        "--minutes", type=_count, default=360, metavar="N", help="end the run after so many (360)"
    )
    report.add_argument(
        "--pdf",
        action="store_true",
        help="print the edition as one PDF, too, and managers' pages and cards (needs Chromium)",
    )
    report.add_argument(
        "--archive",
        action="store_true",
        help="pack the edition into one zip, to mail, that opens at its front page",
    )
    report.add_argument(
        "--out", metavar="FOLDER", help="folder for the editions (default: reports/<name>)"
    )


def _diff_options(diff: argparse.ArgumentParser) -> None:
    diff.add_argument("before", help='the earlier edition, e.g. "2026-09"')
    diff.add_argument("after", help='the later one, e.g. "2026-10"')
    diff.add_argument(
        "--editions", metavar="FOLDER", help="where the editions lie (default: reports/<name>)"
    )
    diff.add_argument("--out", metavar="FOLDER", help="write all that changed there, as CSV")


def _read_options(read: argparse.ArgumentParser) -> None:
    read.add_argument("files", nargs="*", metavar="FILE", help="files of any kind that is read")
    read.add_argument("--table", default="", metavar="NAME", help="of the workbook, e.g. sell_in")
    read.add_argument("--out", metavar="FOLDER", help="write each there instead of showing it")
    for name, what in (
        ("encoding", "of text, e.g. gb18030"),
        ("sheet", "of a spreadsheet, a database or an archive"),
        ("header", "line of the header"),
    ):
        read.add_argument(f"--{name}", default="", metavar=name.upper(), help=what)


def _command(commands, name: str, command, words: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
    parser.set_defaults(command=command)
    return parser


def _count(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number; give 1 or more")
    return int(text)


def _cards(text: str) -> int | str:
    if text not in ("all", "called") and not text.isdigit():
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number of dealers; give a number, called or all"
        )
    return int(text) if text.isdigit() else text


def _check(options: argparse.Namespace) -> int:
    from helpers import data, words
    from helpers.data import checks, telling

    book = _workbook(options)
    data.in_scope(book)  # the data are checked whole; a scope must have dealers
    found = checks.findings(book.whole)
    rows = telling.told(book, found, checks.rows_of(book.whole))
    if options.json:
        terminal.say(json.dumps(rows, ensure_ascii=False, indent=1))
    elif found.empty:
        terminal.say(
            terminal.visible(words.message("finding.none", toml=book.path.name, n=len(book.tables)))
        )
    else:
        terminal.say(*telling.listed(rows, terminal.visible))
    return 2 if (found["severity"] == "error").any() else int(not found.empty)


def _read(options: argparse.Namespace) -> int:
    """Show files as they are read, or a table of the workbook: 0 as it stands, 1 with rows left out
    or amiss, 2 where one was refused.
    """
    from helpers.data import plain_csv

    if bool(options.files) == bool(options.table):
        terminal.tell("workbook read: name files, or a table with --table")
        return 2
    if options.table:
        return plain_csv.show_table(_workbook(options), options.table, options.out, terminal)
    return plain_csv.show_files(options, terminal)


def _map(options: argparse.Namespace) -> int:
    """Draft a toml of files, asking where a person sits there, and check it at once."""
    from helpers import files
    from helpers.data.matching import asking, seeing
    from helpers.settings import refusal

    out = Path(options.out).expanduser()
    out = out / "workbook.toml" if out.is_dir() else out
    if os.path.lexists(out):
        raise refusal("map_there", out=out)
    sheets = [sheet for file in options.files for sheet in seeing.sheets(file)]
    ask = None if options.yes or not sys.stdin.isatty() else terminal.answer
    drafted, unused = asking.drafted(sheets, out, ask)
    out.parent.mkdir(parents=True, exist_ok=True)
    files.write(out, drafted)
    terminal.say(terminal.visible(f"{out}: drafted; look it through. This is what check says:"))
    for name in unused:
        terminal.tell(f"workbook map: nothing of {name} is used; see the end of the draft")
    code = _check(argparse.Namespace(config=str(out), scope="", json=False))
    return max(code, int(bool(unused)))


def _report(options: argparse.Namespace) -> int:
    book = _workbook(options)
    return _each(book, options) if options.each else _one(book, options)


def _each(book, options: argparse.Namespace) -> int:
    """Print an edition for each value of a column.

    One that fails does not stop the others; the worst exit code is given.
    """
    from helpers import data
    from helpers.press import edition, editions

    codes = []
    for value in data.values_of(data.in_scope(book), options.each):
        terminal.tell(terminal.visible(f"workbook: {options.each} {value}"))
        try:
            codes.append(_one(book.only(**{options.each: value}), options))
        except (KeyboardInterrupt, terminal.OutputLostError):
            raise
        except BaseException as error:
            codes.append(_failed(error))
    folder = editions.base(book.whole, options.out) / editions.SCOPES
    if folder.is_dir():
        edition.write_scopes(folder, book, (options.language or book.languages)[0])
        terminal.say(str(folder / "index.html"))
    return max(codes, default=0)


def _one(book, options: argparse.Namespace) -> int:
    from helpers import report

    edition = report.print_edition(
        book,
        options.period,
        languages=options.language or None,
        only=options.only,
        cards=_cards_asked_for(options),
        audiences=options.audience or ["us"],
        workers=options.workers,
        seconds=options.minutes * 60,
        pdf=options.pdf,
        archive=options.archive,
        out=options.out,
    )
    for reason in (*edition.missing, *edition.missing_pdfs):
        terminal.tell(f"workbook: {_one_line(reason)}")
    counted = [_missing(len(edition.missing), "card"), _missing(len(edition.missing_pdfs), "PDF")]
    if any(counted):
        terminal.tell(
            f"workbook: {' and '.join(filter(None, counted))} missing; the rest is published"
        )
    try:
        terminal.say(str(edition.index))
    except terminal.OutputLostError:
        terminal.tell(f"workbook: the edition is published: {edition.index}")
        raise
    return 1 if any(counted) else 0


def _missing(n: int, what: str) -> str:
    return f"{n} {what} is" if n == 1 else f"{n} {what}s are" if n else ""


def _cards_asked_for(options: argparse.Namespace) -> int | str | list[str]:
    from helpers.settings import refusal

    if options.cards and options.card:
        raise refusal("cards_and_card")
    # a draft of a page is no reason to print a hundred cards
    unasked = 0 if options.only else "called"
    return options.card or (unasked if options.cards is None else options.cards)


def _diff(options: argparse.Namespace) -> int:
    from helpers import words
    from helpers.press import diff, editions

    book = _workbook(options)
    folder, months = editions.base(book, options.editions), (options.before, options.after)
    # both are there before either is read
    places = [editions.require_edition(folder, month, book.name) for month in months]
    out = Path(options.out).expanduser().resolve() if options.out else None
    if out:
        editions.require_writable(out, [f"{name}.csv" for name in diff.Changes._fields])
    before, after = (editions.read_tables(place, book.languages[0]) for place in places)
    found = diff.changes(before, after)
    spoken = dict(zip(("before", "after"), map(words.month_name, months), strict=True))
    said = [
        words.say("diff.between", title=book.heading, **spoken),
        "",
        *diff.sentences(before, after),
        "",
        *diff.summary(found),
    ]
    if out:
        written = found._replace(cells=diff.with_amounts(found.cells, (before, after)))
        editions.write_tables(out, written._asdict(), {"workbook": book.name, "diff": list(months)})
    terminal.say(*map(terminal.visible, said))
    return 0


def _new(options: argparse.Namespace) -> int:
    from helpers.press import layout

    demo = None
    if options.demo:
        from helpers.demo import build

        demo = build.make_demo
    folder = Path(options.folder).expanduser().resolve()
    layout.make_workbook(folder, demo=demo)
    terminal.say(*map(terminal.visible, layout.next_steps(folder, demo=options.demo)))
    return 0


def _demo(options: argparse.Namespace) -> int:
    from helpers.demo import build
    from helpers.settings import project_of, refusal

    folder = Path(options.folder).expanduser().resolve()
    if not options.folder:
        folder = project_of(_nearest()) / "data" / "demo"
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        # a demo is replaced whole: where somebody says, data of their own may lie
        raise refusal("demo_there", folder=folder)
    build.make_demo(folder)
    terminal.say(str(folder))
    return 0


def _lab(options: argparse.Namespace) -> int:
    from helpers.press.lab import start

    question = getattr(options, "question", "")
    return start.run(_workbook(options), options.scope, question, options.jupyter)


def _room(options: argparse.Namespace) -> int:
    from helpers.room import start

    asked = {name: getattr(options, name) for name in ("session", "date", "period", "host", "port")}
    start.run(_workbook(options), **asked)
    return 0


def _workbook(options: argparse.Namespace):
    """Read the settings asked for, or the nearest.

    The checkout's demo is made when it is not there yet.
    """
    from helpers import words
    from helpers.settings import CHECKOUT, workbook

    path = Path(options.config) if options.config else _nearest()
    demo = CHECKOUT and CHECKOUT / "data" / "demo"
    if demo and path.resolve() in (CHECKOUT, CHECKOUT / "workbook.toml") and not demo.is_dir():
        from helpers.demo import build

        terminal.tell("making the demo network in data/demo first")
        build.make_demo(demo)
    book = workbook(path)
    words.speak(book.languages[0], book.currency)  # what is refused from here on, as what is said
    return book.only(options.scope)


def _nearest() -> Path:
    """Find the toml of the folder we stand in, or above, else the checkout's."""
    from helpers.settings import CHECKOUT, near, refusal

    if toml := near() or (CHECKOUT and CHECKOUT / "workbook.toml"):
        return toml
    raise refusal("no_toml_here")
