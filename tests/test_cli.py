"""The command line: what it prints, where it prints it, and the exit code."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from helpers import checks, cli, pages, report, settings, tables


@pytest.fixture
def book(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "CACHE", tmp_path / "cache")
    lines = "dealer_id,date,revenue\nD1,2026-09-30,5\nD1,2026-10-31,5.5\n"
    (tmp_path / "sell_in.csv").write_text(lines)
    (tmp_path / "workbook.toml").write_text('[workbook]\nname = "cli"\n[data.sell_in]\nsource = "sell_in.csv"\n')
    return tmp_path / "workbook.toml"


def test_check_says_clean_warning_or_error(book, capsys):
    assert cli.main(["check", "--config", str(book)]) == 0
    assert "nothing to remark on in 1 tables" in capsys.readouterr().out
    data = book.parent / "sell_in.csv"
    data.write_text(data.read_text() + "D2,2026-10-30,-7\n")
    assert cli.main(["check", "--config", str(book.parent)]) == 1
    assert "negative" in capsys.readouterr().out
    data.write_text(data.read_text() + "D2,soon,7\n")
    assert cli.main(["check", "--config", str(book)]) == 2
    said = capsys.readouterr().out
    assert "error" in said
    assert "soon" in said


def test_long_examples_are_cut(book, capsys, monkeypatch):
    row = {"table": "t", "column": "c", "check": "k", "severity": "warning", "n_rows": 1, "example": "x" * 90}
    monkeypatch.setattr(checks, "findings", lambda _book: pd.DataFrame([row | {"advice": "a"}]))
    assert cli.main(["check", "--config", str(book)]) == 1
    assert "x" * 39 + "…" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "--config", "gone.toml"], "no such file"),
        (["report", "2026-13"], "'2026-13' is no month"),
        (["report", "2031-01"], "no complete data for 2031-01; workbook.toml has 2026-09 to 2026-10"),
        (["report", "--only", "nothing"], "--only nothing: no such notebook"),
        (["report", "--language", "fr"], "--language fr: not known; choose from en, zh-Hans, zh-Hant"),
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


def test_a_bug_keeps_its_traceback(book, monkeypatch):
    def broken(*_arguments, **_options):
        raise ValueError("ours")

    monkeypatch.setattr(report, "print_edition", broken)
    with pytest.raises(ValueError, match="ours"):
        cli.main(["report", "--config", str(book)])


def test_report_passes_on_what_was_asked_and_ends_with_the_path(book, capsys, monkeypatch):
    seen = {}

    def printed(asked, period, **options):
        seen.update(options, name=asked.name, period=period)
        return SimpleNamespace(index=Path("/x/index.html"), missing=[])

    monkeypatch.setattr(report, "print_edition", printed)
    monkeypatch.chdir(book.parent)
    options = ["--only", "a", "--only", "b", "--language", "zh-Hant", "--workers", "3", "--out", "there",
               "--minutes", "5", "--pdf", "--archive"]  # fmt: skip
    assert cli.main(["report", "2026-10", *options]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(Path("/x/index.html"))
    assert seen == {"name": "cli", "period": "2026-10", "only": ["a", "b"], "languages": ["zh-Hant"], "workers": 3,
                    "out": "there", "cards": 0, "audiences": ["us"], "seconds": 300, "pdf": True,
                    "archive": True}  # fmt: skip
    cards = ["--card", "00123", "--card", "=x", "--audience", "dealer"]
    assert cli.main(["report", *cards]) == 0
    assert (seen["cards"], seen["audiences"]) == (["00123", "=x"], ["dealer"])
    assert [cli.main(["report", "--cards", n]) for n in ("all", "12")] == [0, 0]
    assert seen["cards"] == 12


def test_missing_cards_are_told_and_give_exit_one(book, capsys, monkeypatch):
    missing = ["07_dealer_card (007, us, en), cell 3: KeyError: 'x'"]
    made = SimpleNamespace(index=Path("/x/index.html"), missing=missing)
    monkeypatch.setattr(report, "print_edition", lambda *given, **options: made)
    monkeypatch.chdir(book.parent)
    assert cli.main(["report", "--cards", "all"]) == 1
    said = capsys.readouterr()
    assert said.err.splitlines() == [f"workbook: {missing[0]}", "workbook: 1 card is missing; the rest is published"]
    assert said.out.splitlines()[-1] == str(Path("/x/index.html"))


def test_cards_are_asked_for_in_one_way(book, capsys, monkeypatch):
    monkeypatch.chdir(book.parent)
    assert cli.main(["report", "--cards", "3", "--card", "007"]) == 2
    assert capsys.readouterr().err == "workbook: --cards and --card: give one of the two\n"
    with pytest.raises(SystemExit) as stopped:
        cli.main(["report", "--cards", "few"])
    assert stopped.value.code == 2
    assert "'few' is no number of dealers; give a number or all" in capsys.readouterr().err


def test_the_nearest_settings_above_are_taken(book, capsys, monkeypatch):
    below = book.parent / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert cli.main(["check"]) == 0


def test_the_demo_is_made_first_where_it_is_missing(book, tmp_path, capsys, monkeypatch):
    made = []
    demo = SimpleNamespace(make_demo=made.append)
    monkeypatch.setitem(sys.modules, "helpers.demo", demo)
    monkeypatch.setattr("helpers.demo", demo, raising=False)
    monkeypatch.setattr(cli, "ROOT", tmp_path)
    monkeypatch.setattr(cli, "DEMO", tmp_path / "demo")
    assert cli.main(["check", "--config", str(book)]) == 0
    assert made == [tmp_path / "demo"]
    assert "making the demo network" in capsys.readouterr().err
    (tmp_path / "demo").mkdir()
    assert cli.main(["check", "--config", str(book)]) == 0
    assert len(made) == 1


def test_help_is_fast_and_names_every_command():
    run = (
        "import sys; from helpers import cli\n"
        "try: cli.main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'pandas', 'ibis', 'papermill', 'matplotlib', 'opencc'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True).stdout
    assert told.splitlines()[-1] == "[]"
    for command in ("check", "report", "demo", "lab"):
        assert f"    {command} " in told


@pytest.mark.parametrize("arguments", [[], ["print"], ["report", "--workers", "0"], ["report", "--workers", "x"]])
def test_wrong_arguments_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as refused:
        cli.main(arguments)
    assert refused.value.code == 2
