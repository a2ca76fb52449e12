"""The shelf: nothing of others is touched, and an edition stands whole."""

import errno
import itertools
import json
import os
import shutil
import time
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from helpers import cli, files, report, settings, words
from helpers.data import connections
from helpers.press import diff, edition, editions, manifests, printing
from toys import cell, write_book, write_manifest, write_notebook

# ---- editions of any shape -----------------------------------------------------------------------

SHAPES = {
    "inventory_age": ["dealer_id", "value_91_180", "value_over_180"],
    "receivables": ["dealer_id", "balance", "status"],
    "call_list": ["dealer_id", "reason", "stake"],
    "abc_pareto": ["dealer_id", "dealer_name", "composite_class", "gross_profit"],
}
FULL = {
    "dealer_id": "1",
    "dealer_name": "Shop",
    "composite_class": "A",
    "status": "paying",
    "reason": "x",
}


@pytest.mark.parametrize(
    "months",
    [*itertools.product(["none", "no columns", "no rows", "no values", "whole"], repeat=2)],
)
@pytest.mark.parametrize("name", SHAPES)
def test_editions_of_any_shape_are_compared(tmp_path, name, months):
    def stored(shape: str) -> dict[str, pd.DataFrame]:
        columns = SHAPES[name] if shape != "no columns" else []
        n = {"no values": 2, "whole": 2}.get(shape, 0)
        rows = [
            {c: FULL.get(c, 5.0) if shape == "whole" else None for c in columns}
            | ({"dealer_id": str(i)} if columns else {})
            for i in range(n)
        ]
        if shape != "none":
            (tmp_path / shape / "tables").mkdir(parents=True, exist_ok=True)
            files.write_table(
                tmp_path / shape / "tables" / f"{name}.csv", pd.DataFrame(rows, columns=columns)
            )
        return editions.read_tables(tmp_path / shape)

    before, after = map(stored, months)
    found = diff.changes(before, after)
    assert (
        "nan"
        not in " ".join([*diff.sentences(before, after), *diff.summary(found)]).lower().split()
    )


def test_two_cards_in_one_file_stop_the_edition(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "file_name", lambda text: "one")
    cards = [
        editions.Printed("09_dealer_card", tmp_path, kept=True, dealer_id=d, audience="us")
        for d in ("1", "2")
    ]
    with pytest.raises(
        RuntimeError, match=r"cards/one\.html: two pages of the edition would be this file"
    ):
        edition._require_apart([], [], cards)


# ---- what is not ours ----------------------------------------------------------------------------


def stored(asked, folder: Path, *_given, **_options) -> printing.Printed:
    """Lay finished pages on the shelf, as the press does, without a kernel's time."""
    for page in asked:
        place = folder / ".pages" / page.key
        if not printing._is_kept(page, folder):
            (place / "tables").mkdir(parents=True)
            (place / "page.html").write_text(f"<h1>Title of {page.name}</h1>")
            (place / "notebook.ipynb").write_text(page.notebook)
            (place / "meta.json").write_text(
                json.dumps(
                    {
                        "title": page.name,
                        "contents": [],
                        "seconds": 1,
                        "parameters": page.parameters,
                    }
                )
            )
            files.write_table(place / "tables" / "t.csv", pd.DataFrame({"dealer_id": ["1"]}))
    return printing.Printed({page.key: 1.0 for page in asked}, {})


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Print an edition of one page; what it is made of changes with `n`."""
    monkeypatch.setattr(connections, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(printing, "print_pages", stored)
    notebooks, out, book = tmp_path / "notebooks", tmp_path / "own", write_book(tmp_path)

    def printed(n: int = 1, **options) -> Path:
        if printed.last != n:  # a notebook that is written anew has other numbers for its cells
            write_notebook(notebooks, "02_abc", cell(f"{n} + 1"))
        printed.last = n
        made = report.print_edition(book, "2026-10", out=out, notebooks=notebooks, **options)
        words.speak("en")
        return made.index.parent

    printed.out, printed.book, printed.last = out, book, None
    return printed


def tree(folder: Path) -> dict[str, bytes]:
    """Read all files of a folder; of links, where they lead."""
    found = {path: folder / path for path in manifests.files_of(folder) if path != "workbook.toml"}
    return {
        name: str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        for name, path in found.items()
    }


def file(path: Path, text: str = "mine") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def link(path: Path, to: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(to)


def broken_edition(out: Path, text: str) -> None:
    file(out / "2026-10" / "index.html")
    file(out / "2026-10" / "manifest.json", text)


FOREIGN = {  # what stands in the folder → what the refusal names
    "an edition's folder with a file": (lambda out: file(out / "2026-10" / "notes.txt"), "2026-10"),
    "an edition's folder with a folder": (
        lambda out: file(out / "2026-10" / "a" / "b" / "c.txt"),
        "2026-10",
    ),
    "a hidden file": (lambda out: file(out / "2026-10" / ".hidden"), "2026-10"),
    "a link in an edition's folder": (
        lambda out: link(out / "2026-10" / "x", out.parent),
        "2026-10",
    ),
    "a file for a folder": (lambda out: file(out / "2026-10"), "2026-10"),
    "a link for a folder": (lambda out: link(out / "2026-10", out.parent / "elsewhere"), "2026-10"),
    "a dead link": (lambda out: link(out / "2026-10", out / "nowhere"), "2026-10"),
    "a page of somebody's site": (
        lambda out: file(out / "index.html", "<h1>Mine</h1>"),
        "index.html",
    ),
    "a page that is a link": (
        lambda out: link(out / "index.html", out.parent / "workbook.toml"),
        "index.html",
    ),
    "a page that is a folder": (lambda out: file(out / "index.html" / "x"), "index.html"),
    "a page with a false seal": (
        lambda out: file(out / "index.html", f"x\n<!-- customer-workbook {'0' * 64} -->\n"),
        "index.html",
    ),
    "another workbook's edition": (lambda out: write_manifest(out / "2026-10", "other"), "'other'"),
    "another month's manifest": (
        lambda out: write_manifest(out / "2026-10", period="2026-09"),
        "2026-10",
    ),
    ".press is a file": (lambda out: file(out / ".press"), ".press"),
    ".pages is a file": (lambda out: file(out / ".pages"), ".pages"),
    ".pdfs is a file": (lambda out: file(out / ".pdfs"), ".pdfs"),
    ".press is a link": (lambda out: link(out / ".press", out.parent / "elsewhere"), ".press"),
    ".pages is a link": (lambda out: link(out / ".pages", out.parent / "elsewhere"), ".pages"),
    ".pdfs is a link": (lambda out: link(out / ".pdfs", out.parent / "elsewhere"), ".pdfs"),
    "somebody works in .press": (
        lambda out: file(out / ".press" / "2026-10" / "notes.txt"),
        "notes.txt",
    ),
    "a folder in .press": (
        lambda out: file(out / ".press" / "2026-10" / "a" / "b.txt"),
        "2026-10/a",
    ),
    "a link in .press": (
        lambda out: link(out / ".press" / "2026-10", out.parent / "elsewhere"),
        "2026-10",
    ),
    "out is a file": (lambda out: file(out), "own"),
}
MANIFESTS = [
    "",
    "{",
    "{}",
    "[]",
    "null",
    "1",
    '"x"',
    "\x00",
    '{"workbook": "tiny"',
    "[" * 100_000,
    '{"workbook": "tiny", "period": "2026-10", "pages": [], "cards": []}',
    '{"workbook": 1, "period": 2, "printed": 3, "pages": 4, "cards": 5}',
    '{"workbook": "tiny", "period": "2026-10", "printed": "x", "pages": [1], "cards": []}',
    '{"workbook": "tiny", "period": "2026-10", "printed": "x", "pages": [{"key": 1}], "cards": []}',
    '{"workbook": "tiny", "period": "2026-10", "printed": "x", "pages": [{}], "cards": [null]}',
    '{"workbook": "tiny", "period": "../..", "printed": "x", "pages": [], "cards": []}',
    '{"workbook": "tiny", "period": "2026-10", "printed": null, "pages": [], "cards": []}',
    '{"pages": [{"key": "../../x"}]}',
    '{"made_of": []}',
    "1" * 5000,
]
FOREIGN |= {
    f"a manifest {text[:60]!r}": (lambda out, text=text: broken_edition(out, text), "2026-10")
    for text in MANIFESTS
}


@pytest.mark.parametrize("what", FOREIGN)
def test_what_is_not_ours_is_refused_by_name_before_anything_runs(run, tmp_path, what, monkeypatch):
    monkeypatch.setattr(printing, "print_pages", lambda *_, **__: pytest.fail("something ran"))
    file(tmp_path / "elsewhere" / "2026-10" / "precious.txt")
    lay, named = FOREIGN[what]
    lay(run.out)
    before = [
        tree(tmp_path / "elsewhere"),
        tree(run.out) if run.out.is_dir() else run.out.read_text(),
    ]
    with pytest.raises(settings.DataError) as refused:
        run()
    assert named in str(
        refused.value
    ) and "move it away, or choose another folder with --out" in str(refused.value)
    assert [
        tree(tmp_path / "elsewhere"),
        tree(run.out) if run.out.is_dir() else run.out.read_text(),
    ] == before


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_manifest_that_was_cut_off_is_told_as_such(run, share):
    place = run()
    text = (place / "manifest.json").read_text(encoding="utf-8")
    (place / "manifest.json").write_text(text[: int(len(text) * share)])
    before = tree(run.out)
    with pytest.raises(settings.DataError, match=r"its manifest\.json can't be read") as refused:
        run(2)
    assert "bring that file back from a copy" in str(refused.value)
    assert "not printed by the workbook" not in str(refused.value)
    assert tree(run.out) == before
    (place / "manifest.json").write_text(text, encoding="utf-8")
    assert run(2) == place


def printed_from(toml: Path, run) -> Path:
    made = report.print_edition(
        settings.workbook(toml), "2026-10", out=run.out, notebooks=toml.parents[1] / "notebooks"
    )
    words.speak("en")
    return made.index.parent


def test_another_toml_of_the_same_name_replaces_no_edition(run, tmp_path, monkeypatch):
    place = run()
    (tmp_path / "stranger").mkdir()
    write_book(tmp_path / "stranger", revenue=70)
    before = tree(run.out)
    with pytest.raises(settings.DataError) as refused:
        printed_from(tmp_path / "stranger" / "workbook.toml", run)
    for told in (str(place), "another workbook.toml", "'tiny'", "another name", "--out"):
        assert told in str(refused.value)
    assert tree(run.out) == before
    assert run(2) == place  # its own toml does


@pytest.mark.parametrize("where", [".", "a", "stranger", "/"])
@pytest.mark.parametrize("given", ["file", "folder", "relative", "link"])
def test_the_same_toml_from_elsewhere_is_no_other(run, tmp_path, monkeypatch, where, given):
    place = run()
    for name in ("a", "stranger"):
        (tmp_path / name).mkdir()
    (tmp_path / "linked").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path / where)
    path = {
        "file": tmp_path / "workbook.toml",
        "folder": tmp_path,
        "relative": Path(os.path.relpath(tmp_path / "workbook.toml")),
        "link": tmp_path / "linked" / "workbook.toml",
    }[given]
    book = settings.workbook(path)
    assert manifests.settings_of(book, run.out) == manifests.settings_of(run.book, run.out)
    editions.require_own(run.out, place.name, book)


def test_a_project_that_moved_with_its_tomls_knows_its_editions(run, tmp_path):
    place = run()
    (tmp_path / "new").mkdir()
    write_book(tmp_path / "new")
    shutil.copytree(tmp_path / "notebooks", tmp_path / "new" / "notebooks")
    editions.require_own(run.out, place.name, settings.workbook(tmp_path / "new"))


def test_a_folder_that_moved_with_its_editions_knows_them(run, tmp_path):
    place = run()
    shutil.copytree(run.out, tmp_path / "elsewhere" / run.out.name)
    write_book(tmp_path / "elsewhere")
    moved = settings.workbook(tmp_path / "elsewhere")
    editions.require_own(tmp_path / "elsewhere" / run.out.name, place.name, moved)


def test_an_edition_that_tells_no_toml_is_its_workbooks(run):
    place = run()
    manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
    manifest.pop("settings")
    (place / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert run(2) == place


def test_the_command_refuses_with_exit_2(run, tmp_path, capsys):
    file(run.out / "2026-10" / "notes.txt")
    assert cli.main(["report", "2026-10", "--config", str(tmp_path), "--out", str(run.out)]) == 2
    told = capsys.readouterr().err
    assert f"workbook: {run.out / '2026-10'}: this folder was not printed by the workbook" in told


def edit(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8") + "\nmy remark", encoding="utf-8")


LAID_IN = {
    "a note": lambda place: file(place / "notes.txt"),
    "a nested folder": lambda place: file(place / "a" / "b" / "c.txt"),
    "a hidden file": lambda place: file(place / ".notes"),
    "among the tables": lambda place: file(place / "tables" / "own.csv", "a,b\n"),
    "an edited front page": lambda place: edit(place / "index.html"),
    "an edited page": lambda place: edit(place / "02_abc.html"),
    "an edited table": lambda place: edit(place / "tables" / "t.csv"),
    "an edited manifest": lambda place: (place / "manifest.json").write_text(
        (place / "manifest.json").read_text().replace("2026-10-", "2026-10-")[:-1]
        + ' , "note": "mine"}'
    ),
    "a link to a file": lambda place: link(place / "x", place.parent.parent / "workbook.toml"),
    "a link to a folder": lambda place: link(place / "folder", place.parent.parent / "notebooks"),
    "a page that became a link": lambda place: (
        (place / "data.html").unlink(),
        link(place / "data.html", place / "x"),
    ),
    "a name with a break": lambda place: file(place / "a\nb\u2028c.txt"),
    "several": lambda place: [file(place / f"n{i}.txt", str(i)) for i in range(9)],
}


@pytest.mark.parametrize(("can_exchange", "can_link"), [(True, True), (False, False)])
@pytest.mark.parametrize("what", LAID_IN)
def test_what_people_laid_into_an_edition_is_kept_aside(
    run, capsys, monkeypatch, what, can_exchange, can_link
):
    place = run(1)
    first = tree(place)
    LAID_IN[what](place)
    changed = {path: text for path, text in tree(place).items() if first.get(path) != text}
    if not can_exchange:
        monkeypatch.setattr(editions, "_exchange", lambda *_: False)
    if not can_link:
        monkeypatch.setattr(
            os,
            "link",
            lambda *_, **__: (_ for _ in ()).throw(OSError(errno.EPERM, "no links here")),
        )
    capsys.readouterr()
    run(2)
    told = capsys.readouterr().err
    kept = run.out / "2026-10.kept"
    assert {path: tree(kept).get(path) for path in changed} == changed
    assert what == "an edited manifest" or set(tree(kept)) == set(changed)
    assert str(kept) in told and all(line.isprintable() for line in told.split("\n"))
    assert manifests.laid_in(place) == [] and not list((run.out / ".press").glob("*/*"))
    run(3)
    assert not (run.out / "2026-10.kept-2").exists(), "what is ours is not kept"
    file(place / "notes.txt", "another")
    run(4)
    assert (run.out / "2026-10.kept-2" / "notes.txt").read_text() == "another", (
        "and nothing kept is overwritten"
    )


@pytest.mark.parametrize("harm", ["emptied", "edited", "gone"])
@pytest.mark.parametrize(
    "name", ["02_abc.html", "index.html", "tables/t.csv", "notebooks/02_abc.ipynb"]
)
def test_an_edition_that_was_spoilt_is_bound_anew(run, name, harm):
    """Made of the same as before, but not what was printed.

    What people made of it is kept, then it is whole again.
    """
    place = run()
    before = (place / name).read_bytes()
    if harm == "gone":
        (place / name).unlink()
    else:
        (place / name).write_text("" if harm == "emptied" else "mine")
    spoilt = (place / name).read_bytes() if harm != "gone" else None
    run()
    assert manifests.is_whole(place)
    assert len((place / name).read_bytes()) == len(before)
    kept = run.out / "2026-10.kept"
    assert (kept / name).read_bytes() == spoilt if spoilt is not None else not kept.exists()


def test_a_list_of_editions_that_is_gone_is_written_again(run):
    place = run()
    stamp = (place / "index.html").stat().st_mtime_ns
    (run.out / "index.html").unlink()
    run()
    assert "2026-10/index.html" in (run.out / "index.html").read_text()
    assert (place / "index.html").stat().st_mtime_ns == stamp, "the edition itself stands"


def test_two_notebooks_that_publish_one_table_are_told(run, tmp_path):
    write_notebook(tmp_path / "notebooks", "03_other", cell("1"))
    with pytest.raises(
        settings.DataError, match="03_other: a notebook before it publishes the table 't', too"
    ):
        run()
    assert not (run.out / "2026-10").exists()


def test_an_untouched_edition_leaves_nothing_aside(run):
    place = run(1, archive=True)
    assert manifests.laid_in(place) == []
    run(2, archive=True)
    assert sorted(path.name for path in run.out.iterdir()) == [
        ".pages",
        ".press",
        "2026-10",
        "index.html",
    ]


@pytest.mark.parametrize(
    "harm", ["a member changed", "a member added", "a comment", "cut", "another file"]
)
def test_a_zip_that_was_changed_is_kept_aside(run, harm):
    place = run(1, archive=True)
    packed = place / "tiny-2026-10.zip"
    if harm == "cut":
        packed.write_bytes(packed.read_bytes()[:-30])
    elif harm == "another file":
        packed.write_bytes(b"mine")
    elif harm == "a comment":
        with zipfile.ZipFile(packed, "a") as archive:
            archive.comment = b"mine"
    else:
        with zipfile.ZipFile(packed) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        members |= {
            "tiny-2026-10/data.html"
            if harm == "a member changed"
            else "tiny-2026-10/mine.txt": b"mine"
        }
        with zipfile.ZipFile(packed, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
    changed = packed.read_bytes()
    run(2)
    assert (run.out / "2026-10.kept" / packed.name).read_bytes() == changed


def test_what_is_laid_in_while_an_edition_is_swapped_is_kept_too(run, monkeypatch):
    place, exchange = run(1), editions._exchange

    def late(new: Path, old: Path) -> bool:
        file(old / "late.txt")
        return exchange(new, old)

    monkeypatch.setattr(editions, "_exchange", late)
    run(2)
    assert (run.out / "2026-10.kept" / "late.txt").read_text() == "mine"
    assert not (place / "late.txt").exists()


def test_a_run_that_died_after_the_swap_loses_nothing(run):
    """The old edition lies among the work then, with what came in too late to be kept aside."""
    place = run(1)
    work = run.out / ".press" / "2026-10" / "edition"
    shutil.copytree(place, work)
    file(work / "late.txt")
    run(2)
    assert tree(run.out / "2026-10.kept") == {"late.txt": b"mine"}


def test_an_edition_of_an_earlier_version_is_kept_whole(run):
    """Its manifest names no files: nothing tells ours from others'."""
    place = run(1)
    manifest = json.loads((place / "manifest.json").read_text())
    (place / "manifest.json").write_text(
        json.dumps({k: v for k, v in manifest.items() if k not in ("files", "seal")})
    )
    before = tree(place)
    run(2)
    assert tree(run.out / "2026-10.kept") == before


def test_a_list_of_editions_that_was_changed_is_kept_aside(run):
    run(1)
    edit(run.out / "index.html")
    before = (run.out / "index.html").read_text()
    run(2)
    assert (run.out / "index.html.kept" / "index.html").read_text() == before
    assert "my remark" not in (run.out / "index.html").read_text()
    run(3)
    assert not (run.out / "index.html.kept-2").exists()


@pytest.mark.parametrize("text", MANIFESTS, ids=lambda text: repr(text[:60]))
def test_a_broken_manifest_stops_nothing(run, tmp_path, capsys, text):
    """Whatever stands beside, or in a folder that looks like an edition: it is none of ours."""
    place = run(1)
    for other in (
        run.out / "2026-08",
        run.out / "2026-08" / "zh-Hans",
        run.out / "2026-13",
        run.out / "x",
        place / "zh",
    ):
        file(other / "manifest.json", text)
        file(other / "tables" / "t.csv", "dealer_id\n1\n")
    (run.out / "2026-07").mkdir()
    (run.out / "2026-07" / "manifest.json").mkdir()
    os.mkfifo(run.out / "2026-07" / "pipe")
    assert editions.editions(run.out) == ["2026-10"]
    assert editions.earlier(run.out, "2026-10") == ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBOOK_EDITIONS", str(run.out))
        assert report.previous(run.book, "2026-10", "t").empty
        assert len(report.previous(run.book, "2026-11", "t")) == 1
    asked = ["diff", "2026-08", "2026-10", "--config", str(tmp_path), "--editions", str(run.out)]
    assert cli.main(asked) == 2
    assert "2026-08: no such edition; there is 2026-10" in capsys.readouterr().err
    editions.prune(run.out)
    run(2)
    assert "2026-08" not in (run.out / "index.html").read_text()
    assert (run.out / "2026-08" / "manifest.json").read_text() == text


def test_another_workbooks_editions_are_not_compared_with(run):
    run(1)
    write_manifest(run.out / "2026-09", "other")
    file(run.out / "2026-09" / "tables" / "t.csv", "dealer_id\n1\n")
    assert editions.earlier(run.out, "2026-10", "tiny") == ""
    assert "September" not in (run(2) / "index.html").read_text()


# ---- the store -----------------------------------------------------------------------------------

OLD = time.time() - 30 * 86400
KEY = "a" * 20
STORED = {  # in .pages, whether it goes when it is old
    "a page": (
        lambda page: [file(page / name) for name in ("page.html", "meta.json", "tables/t.csv")],
        True,
    ),
    "an empty page": (lambda page: page.mkdir(parents=True), True),
    "a page with a note": (
        lambda page: [file(page / "page.html"), file(page / "notes.txt")],
        False,
    ),
    "a note among its tables": (lambda page: file(page / "tables" / "notes.txt"), False),
    "a link in it": (
        lambda page: link(page / "tables" / "t.csv", page.parent.parent / "index.html"),
        False,
    ),
    "a file": (lambda page: file(page), False),
    "a link": (lambda page: link(page, page.parent.parent), False),
}


@pytest.mark.parametrize("named", [KEY, "holiday pictures"])
@pytest.mark.parametrize("what", STORED)
def test_only_what_is_ours_is_pruned(tmp_path, what, named):
    lay, goes = STORED[what]
    page = tmp_path / ".pages" / named
    lay(page)
    os.utime(page, (OLD, OLD), follow_symlinks=False)
    editions.prune(tmp_path)
    assert os.path.lexists(page) is not (goes and named == KEY)


@pytest.mark.parametrize(
    "harm", ["empty", "a page is missing", "meta.json is missing", "somebody's", "a file", "a link"]
)
def test_a_page_on_the_shelf_that_is_not_whole_is_printed_again(run, tmp_path, harm):
    place = run(1)
    page = run.out / ".pages" / json.loads((place / "manifest.json").read_text())["pages"][0]["key"]
    if harm == "somebody's":
        file(page / "notes.txt")
    else:
        for path in (
            (page / "meta.json",)
            if harm.startswith("meta")
            else (page / "page.html", page / "meta.json")
        ):
            path.unlink()
    if harm in ("empty", "a file", "a link"):
        shutil.rmtree(page)
        {"empty": page.mkdir, "a file": lambda: file(page), "a link": lambda: link(page, tmp_path)}[
            harm
        ]()
    shutil.rmtree(place)
    if harm in ("somebody's", "a file", "a link"):
        with pytest.raises(settings.DataError, match=f"{page}: this was not made by the workbook"):
            run(1)
        assert os.path.lexists(page) and (tmp_path / "workbook.toml").exists()
    else:
        assert "Title of 02_abc" in (run(1) / "02_abc.html").read_text()


@pytest.mark.parametrize("what", ["a link", "a pipe", "a text"])
def test_a_lock_is_nobody_elses_file(run, tmp_path, what):
    lock, precious = run.out / ".press" / "2026-10.lock", tmp_path / "precious.txt"
    file(precious)
    lock.parent.mkdir(parents=True)
    {
        "a link": lambda: lock.symlink_to(precious),
        "a pipe": lambda: os.mkfifo(lock),
        "a text": lambda: file(lock),
    }[what]()
    if what == "a link":
        with pytest.raises(settings.DataError, match="symbolic links"):
            run()
    else:
        run()
    assert precious.read_text() == "mine" and (what != "a text" or lock.read_text() == "mine")


# ---- diff --out ----------------------------------------------------------------------------------


@pytest.fixture
def compared(run, tmp_path, capsys):
    place = run(1)
    shutil.copytree(place, run.out / "2026-09")
    told = json.loads((place / "manifest.json").read_text()) | {"period": "2026-09"}
    (run.out / "2026-09" / "manifest.json").write_text(json.dumps(told))

    def asked(out: Path) -> tuple[int, str]:
        capsys.readouterr()
        code = cli.main(
            [
                "diff",
                "2026-09",
                "2026-10",
                "--config",
                str(tmp_path),
                "--editions",
                str(run.out),
                "--out",
                str(out),
            ]
        )
        return code, capsys.readouterr().err

    return asked


def test_a_diff_may_be_written_again_over_itself(compared, tmp_path):
    assert compared(tmp_path / "changes") == (0, "")
    file(tmp_path / "changes" / "notes.txt")
    assert compared(tmp_path / "changes") == (0, "")
    assert (tmp_path / "changes" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["tables.csv", "rows.csv", "cells.csv", "manifest.json"])
@pytest.mark.parametrize("how", ["foreign", "edited", "a link", "a folder"])
def test_a_diff_replaces_nothing_of_others(compared, tmp_path, name, how):
    out = tmp_path / "changes"
    if how == "edited":
        assert compared(out)[0] == 0
        edit(out / name)
    elif how == "a folder":
        (out / name).mkdir(parents=True)
    else:
        file(out / name) if how == "foreign" else link(out / name, tmp_path / "workbook.toml")
    before = tree(tmp_path)
    code, told = compared(out)
    assert (code, tree(tmp_path)) == (2, before)
    assert str(out) in told and "move it away, or choose another folder with --out" in told


def test_a_diff_into_a_file_or_an_edition_is_refused(compared, run, tmp_path):
    file(tmp_path / "out")
    assert compared(tmp_path / "out")[0] == 2
    before = tree(run.out)
    assert compared(run.out / "2026-10")[0] == 2
    assert tree(run.out) == before


def test_an_edition_that_is_not_as_it_was_printed_is_seen(tmp_path):
    edition = tmp_path / "2026-10"
    (edition / "tables").mkdir(parents=True)
    (edition / "tables" / "a.csv").write_text("x\n1\n")
    write_manifest(edition)
    manifests.seal(edition)
    assert manifests.is_whole(edition)
    (edition / "note.txt").write_text("somebody's")
    assert manifests.is_whole(edition), "what people laid in is beside it"
    for spoilt in ("", "x\n2\n"):
        (edition / "tables" / "a.csv").write_text(spoilt)
        assert not manifests.is_whole(edition)
    (edition / "tables" / "a.csv").unlink()
    assert not manifests.is_whole(edition)
    (edition / "tables" / "a.csv").write_text("x\n1\n")
    assert manifests.is_whole(edition)
    told = json.loads((edition / "manifest.json").read_text())
    (edition / "manifest.json").write_text(json.dumps(told | {"workbook": "other"}))
    assert not manifests.is_whole(edition), "its manifest was changed"


def test_the_zip_of_an_edition_belongs_to_it(tmp_path):
    edition = tmp_path / "2026-10"
    edition.mkdir()
    (edition / "index.html").write_text("<html><head></head></html>", encoding="utf-8")
    write_manifest(edition)
    manifests.seal(edition, "small-2026-10.zip")
    editions.pack(edition, "small-2026-10")
    assert manifests.is_whole(edition)
    (edition / "small-2026-10.zip").write_bytes(b"PK")
    assert not manifests.is_whole(edition)
