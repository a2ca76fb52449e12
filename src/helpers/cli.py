"""The command line: `workbook check | report | …`. What is heavy is imported inside the commands."""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "data" / "demo"
SHOWN = 40  # characters of an example in the table of findings


def main(arguments: list[str] | None = None) -> int:
    """Run one command and give its exit code: 0, 1 for warnings, 2 for errors, which are told in plain lines."""
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except ValueError as error:  # only a DataError is for the reader; anything else is ours and keeps its traceback
        from helpers.settings import DataError

        if not isinstance(error, DataError):
            raise
        for line in str(error).splitlines():
            print(f"workbook: {line}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("workbook: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="workbook", description="Which dealers carry the brand: checks and reports.")
    commands = parser.add_subparsers(required=True, metavar="command")
    check = _command(commands, "check", _check, "say what is wrong in the data: exit 0 clean, 1 warnings, 2 errors")
    report = _command(commands, "report", _report, "print a month's edition; the last line is its front page's path")
    _command(commands, "demo", _demo, "make the demo network in data/demo")
    lab = _command(commands, "lab", _lab, "open the notebooks in JupyterLab")
    workshop = _command(commands, "workshop", _lab, "open the workshop's notebook in JupyterLab")
    workshop.set_defaults(notebook="08_workshop.ipynb")
    diff = _command(commands, "diff", _diff, "say what changed from one month's edition to another's")
    for command in (check, report, lab, workshop, diff):
        command.add_argument(
            "--config", default="", metavar="FILE",
            help="workbook.toml, or its folder (default: the one in this folder or above, else the project's)",
        )  # fmt: skip
    report.add_argument("period", nargs="?", default="", help='month, e.g. "2026-10" (default: last complete month)')
    report.add_argument("--only", action="append", default=[], metavar="NAME",
                        help="only this notebook, as a draft beside the edition; repeatable")  # fmt: skip
    report.add_argument("--language", action="append", default=[], metavar="CODE",
                        help="en, zh-Hans or zh-Hant instead of the workbook's; repeatable")  # fmt: skip
    report.add_argument("--cards", type=_cards, default=0, metavar="all|N",
                        help="print the cards of all dealers, or of the N largest, into the edition")  # fmt: skip
    report.add_argument("--card", action="append", default=[], metavar="ID",
                        help="print this dealer's card into the edition; repeatable")  # fmt: skip
    report.add_argument("--audience", action="append", default=[], metavar="WHO",
                        help="cards for us (default), or for the dealer himself; repeatable")  # fmt: skip
    report.add_argument("--workers", type=_count, metavar="N", help="pages at the same time (default: all cores)")
    report.add_argument("--minutes", type=_count, default=360, metavar="N", help="end the run after so many (360)")
    report.add_argument("--pdf", action="store_true", help="print each page as PDF, too (needs Chromium)")
    report.add_argument("--archive", action="store_true", help="pack the edition into one zip, to mail")
    report.add_argument("--out", metavar="FOLDER", help="folder for the editions (default: reports/<name>)")
    diff.add_argument("before", help='the earlier edition, e.g. "2026-09"')
    diff.add_argument("after", help='the later one, e.g. "2026-10"')
    diff.add_argument("--editions", metavar="FOLDER", help="where the editions lie (default: reports/<name>)")
    diff.add_argument("--out", metavar="FOLDER", help="write all that changed there, as CSV")
    return parser


def _command(commands, name: str, command, words: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
    parser.set_defaults(command=command)
    return parser


def _count(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number; give 1 or more")
    return int(text)


def _cards(text: str) -> int | str:
    if text != "all" and not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of dealers; give a number or all")
    return text if text == "all" else int(text)


def _check(options: argparse.Namespace) -> int:
    from helpers import checks

    book = _workbook(options)
    found = checks.findings(book)
    if found.empty:
        print(f"{book.path.name}: nothing to remark on in {len(book.tables)} tables")
        return 0
    columns = ["severity", "table", "column", "check", "n_rows", "example", "advice"]
    shown = found[columns].astype(str)
    shown["example"] = [text if len(text) <= SHOWN else text[: SHOWN - 1] + "…" for text in shown["example"]]
    print(shown.to_string(index=False, justify="left"))
    return 2 if (found["severity"] == "error").any() else 1


def _report(options: argparse.Namespace) -> int:
    from helpers import report

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # asked to end, the run tidies up as after Ctrl-C
    edition = report.print_edition(
        _workbook(options), options.period, languages=options.language or None, only=options.only,
        cards=_cards_asked_for(options), audiences=options.audience or ["us"], workers=options.workers,
        seconds=options.minutes * 60, pdf=options.pdf, archive=options.archive, out=options.out,
    )  # fmt: skip
    for reason in edition.missing:
        print(f"workbook: {reason}", file=sys.stderr)
    if edition.missing:
        n = len(edition.missing)
        print(f"workbook: {n} {'card is' if n == 1 else 'cards are'} missing; the rest is published", file=sys.stderr)
    print(edition.index)
    return 1 if edition.missing else 0


def _cards_asked_for(options: argparse.Namespace) -> int | str | list[str]:
    from helpers.settings import DataError

    if options.cards and options.card:
        raise DataError("--cards and --card: give one of the two")
    return options.card or options.cards


def _diff(options: argparse.Namespace) -> int:
    from helpers import diff, edition, shelf, words

    book = _workbook(options)
    words.speak(book.languages[0], book.currency)
    folder, months = shelf.base(book, options.editions), (options.before, options.after)
    places = [shelf.require_edition(folder, month) for month in months]  # both are there before either is read
    before, after = (shelf.read_tables(place, book.languages[0]) for place in places)
    found = diff.changes(before, after)
    spoken = dict(zip(("before", "after"), map(edition.month_name, months), strict=True))
    print(words.say("diff.between", title=book.heading, **spoken), "", sep="\n")
    print(*diff.sentences(before, after), "", *diff.summary(found), sep="\n")
    if options.out:
        Path(options.out).mkdir(parents=True, exist_ok=True)
        for name, rows in found._asdict().items():
            shelf.write_table(Path(options.out) / f"{name}.csv", rows)
    return 0


def _demo(_options: argparse.Namespace) -> int:
    from helpers import demo

    demo.make_demo(DEMO)
    print(DEMO)
    return 0


def _lab(options: argparse.Namespace) -> int:
    book = _workbook(options)
    settings = Path(__file__).parent / "templates" / "lab"  # keeps the pop-up about news and updates away
    place = ROOT / "notebooks" / getattr(options, "notebook", "")
    command = [sys.executable, "-m", "jupyterlab", str(place), f"--LabApp.app_settings_dir={settings}"]
    return subprocess.call(command, env={**os.environ, "WORKBOOK_CONFIG": str(book.path)})


def _workbook(options: argparse.Namespace):
    """Read the settings asked for, or the nearest; the demo's data are made when they are not there yet."""
    from helpers.settings import workbook

    near = next((f for f in (p / "workbook.toml" for p in (Path.cwd(), *Path.cwd().parents)) if f.is_file()), None)
    path = Path(options.config) if options.config else near or ROOT / "workbook.toml"
    if path.resolve() in (ROOT, ROOT / "workbook.toml") and not DEMO.is_dir():
        print("making the demo network in data/demo first", file=sys.stderr)
        _demo(options)
    return workbook(path)
