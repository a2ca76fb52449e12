"""The press on tiny notebooks.

What is kept, what is left out, and what a run that fails or dies leaves behind.
"""

import dataclasses
import html
import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import nbformat
import pandas as pd
import psutil
import pytest
from nbformat import v4

from helpers import files, report, settings, words
from helpers.data import connections, tables
from helpers.press import editions, front_page, living, page_body, pages, pdf, printing
from processes import still_running
from toys import PARAMETERS, cell, write_book, write_manifest, write_notebook

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="90pt" height="40pt"><rect width="90" '
    'height="40"/></svg>'
)
FIGURE = f"""
class Figure:
    def _repr_mimebundle_(self, include=None, exclude=None):
        data = {{"image/svg+xml": {SVG!r}, "text/plain": "a figure"}}
        return data, {{"image/svg+xml": {{"alt": "A <flat> \\"line\\""}}}}
Figure()
"""
EVIL = "<script>alert('=1')</script>"
TABLE = f"""
import pandas as pd
from helpers import report
table = pd.DataFrame({{
    "dealer_id": ["007", "008"], "dealer_name": [{EVIL!r}, "顺达电器"], "revenue": [0.5, 1e9]}})
report.publish("dealers", table)
report.headline("verdict", "Two of five {EVIL.replace('"', "")} carry it all")
report.headline("tile", "1.2 m", label="Revenue", change="+3%", tone="good", trend=[1, 3, 2])
report.headline("call", "Owes 5", label={EVIL!r}, link="02_abc.html#dealer-007")
report.headline("change", "It rose", link="02_abc.html#dealer-999")
class Rows:
    def _repr_html_(self):
        row = '<tr id="dealer-007"><td><a href="02_abc.html#dealer-%s">%s</a></td></tr>'
        return "<table><tbody>" + row % ("007", "linked") + row % (
            "999", "unlinked") + "</tbody></table>"
display(Rows())
table
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setattr(connections, "CACHE", tmp_path_factory.getbasetemp() / "cache")
    monkeypatch.delenv("WORKBOOK_PAGE", raising=False)
    monkeypatch.setattr(
        printing, "PRELOAD", ["helpers.report"]
    )  # toy notebooks need no more, and it loads in half the time
    yield
    words.speak("en")


@pytest.fixture
def book(tmp_path):
    return write_book(tmp_path)


@pytest.fixture
def run(tmp_path, book):
    """Print the notebooks of the test; its folder is where they go."""
    notebooks, out = tmp_path / "notebooks", tmp_path / "reports"
    write_notebook(notebooks, "02_abc", cell("1 + 1"))

    def printed(period: str = "2026-10", **options) -> report.Edition:
        return report.print_edition(
            book, period, **{"out": out, "notebooks": notebooks, "workers": 1} | options
        )

    printed.notebooks, printed.out = notebooks, out
    return printed


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """An edition in three languages with everything a page may hold; read only."""
    folder = tmp_path_factory.mktemp("rich")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "CACHE", folder / "cache")
        book = write_book(folder, '["en", "zh-Hans", "zh-Hant"]')
        twins = [
            cell(
                "## Where? <script>x</script>\n\nEnglish text, $x^2$ <i>fine</i>",
                "lang-en",
                text=True,
            ),
            cell("## 软件里的数据?\n\n这里有两家客户。", "lang-zh", text=True),
        ]
        interactive = [cell("raise SystemError('never run')", "interactive")]
        spoken = cell(
            "import sys\nprint('said <b>', language)\nprint('\\x1b[31mwarned', file=sys.stderr)"
        )
        write_notebook(
            folder / "notebooks", "02_abc", *twins, cell(FIGURE), cell(TABLE), spoken, *interactive
        )
        made = report.print_edition(
            book, "2026-10", out=folder / "reports", notebooks=folder / "notebooks"
        )
    return made.index.parent


def page_of(folder: Path, name: str = "02_abc.html") -> str:
    return (folder / name).read_text(encoding="utf-8")


# ---- what a notebook hands over ------------------------------------------------------------------


def test_by_hand_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report.publish("dealers", pd.DataFrame({"a": [1]}))
    report.headline("verdict", "It goes well.")
    assert not list(tmp_path.iterdir())


def test_published_tables_come_back_as_they_were(tmp_path, book, monkeypatch):
    text = [
        "=HYPERLINK(1)",
        "+1",
        "-1",
        "@x",
        "\tx",
        "\rx",
        "'=x",
        "'t Hof",
        "顺达电器",
        "–",
        "NA",
        '"a",b\nc',
    ]
    table = pd.DataFrame(
        {"dealer_id": [f"{i:05d}" for i in range(12)], "name": text, "revenue": [0.1 + 0.2] * 12}
    )
    table["empty"], table["score"] = [None, *["x"] * 11], 0.1 + 0.2
    place = tmp_path / "reports" / "2026-10"
    (place / "tables").mkdir(parents=True)
    write_manifest(place)
    monkeypatch.setenv("WORKBOOK_PAGE", str(place))
    monkeypatch.setenv("WORKBOOK_EDITIONS", str(tmp_path / "reports"))
    report.publish("dealers", table)
    back = report.published(book, "2026-10", "dealers")
    pd.testing.assert_frame_equal(back, table, check_dtype=False)
    assert back["revenue"][0] == 0.3, "money has two decimals"
    assert back["score"][0] == 0.1 + 0.2, "all else comes back to the last digit"
    raw = (place / "tables" / "dealers.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")  # Excel reads UTF-8 only with this mark
    cells = pd.read_csv(place / "tables" / "dealers.csv", dtype=str, keep_default_na=False)["name"]
    assert not cells.str.match(r"[=+\-@\t\r]").any()
    with pytest.raises(settings.DataError, match="no table 'abc'; it has dealers"):
        report.published(book, "2026-10", "abc")
    with pytest.raises(
        settings.DataError, match="2026-09: no such edition; there is 2026-10; print it with"
    ):
        report.published(book, "2026-09", "dealers")
    pd.testing.assert_frame_equal(report.previous(book, "2026-11", "dealers"), back)
    assert report.previous(book, "2026-10", "dealers").empty, "no edition came before"
    assert report.previous(book, "2026-11", "abc").empty, "the last edition has no such table"


def test_publish_and_headline_refuse_what_they_do_not_know():
    with pytest.raises(ValueError, match=r"'\.\./x' becomes a file name"):
        report.publish("../x", pd.DataFrame())
    with pytest.raises(ValueError, match="places are verdict, tile"):
        report.headline("top", "x")


# ---- the page ------------------------------------------------------------------------------------


def beside_our_script(page: Path) -> str:
    """Give a page without the one script that is ours, byte by byte, and see that it may run."""
    text = page.read_text(encoding="utf-8")
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1])
    ours = living.script(" data-turn=" in text)
    if f"<script>{ours}</script>" not in text:
        ours = ""
    assert policy == living.policy(ours)
    return text.replace(f"<script>{ours}</script>", "", 1) if ours else text


def test_data_never_becomes_markup(rich):
    for page in rich.rglob("*.html"):
        text = beside_our_script(page)
        assert "<script" not in text.lower()
        assert "javascript:" not in text
    assert html.escape(EVIL, quote=False).replace("'", "&#x27;") in page_of(rich).replace(
        "'", "&#x27;"
    )
    assert "&lt;script&gt;" in page_of(rich, "index.html")
    assert "Tiny &lt;b&gt;" in page_of(rich, "index.html")


@pytest.mark.parametrize(
    "source",
    [
        "<img src=x onerror=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href=' JaVaScript:1'>x</a>",
        "<svg onload=alert(1)>",
        "<iframe src='//x'></iframe>",
        "<div style='background:url(//x)'>",
        "<link href=//x>",
        "<a href='//evil'>x</a>",
        "<img src='file:///etc/passwd'>",
        "<style>@import '//x'</style>",
    ],
)
def test_markup_keeps_nothing_that_runs_or_loads(source):
    left = re.sub(r"&lt;.*?&gt;", "", page_body.markup(source))
    assert not re.search(
        r"onerror|onload|script:|src=|href=|url\(|@import|<iframe|<svg", left, re.IGNORECASE
    )


def test_our_script_makes_no_code_of_data_and_asks_nobody():
    ours = living.script(True)
    forbidden = r"\beval\b|\bFunction\(|innerHTML|outerHTML|insertAdjacent|document\.write"
    forbidden += r"|\bfetch\b|XMLHttp|WebSocket|import\(|https?:|Storage\b|cookie"
    forbidden += r"|set(?:Timeout|Interval)\([\"'`]"
    assert not re.search(forbidden, ours)
    assert "</script" not in ours and "<!--" not in ours
    assert "unsafe-eval" not in living.policy(ours)
    assert "script-src 'sha256-" in living.policy(ours)


def test_no_outside_reference_and_no_code(rich):
    for page in rich.rglob("*.html"):
        text = beside_our_script(page)
        assert not re.search(r"https?:|[\"'(]//\w", text)
        assert "<link" not in text.replace('<link rel="icon" href="data:,">', "")
    assert "import pandas" not in page_of(rich)
    assert "a figure" not in page_of(rich)  # plain values are not printed
    assert "said &lt;b&gt; en" in page_of(rich)
    assert "warned" not in page_of(rich)  # what a cell warns of is told by the run
    assert len(page_of(rich)) < 350_000


def test_language_twins_are_told_apart_and_traditional_is_converted(rich):
    english, simple, traditional = (
        page_of(rich),
        page_of(rich / "zh-Hans"),
        page_of(rich / "zh-Hant"),
    )
    assert "English text" in english
    assert "客户。" not in english
    assert "这里有两家客户" in simple
    assert "English text" not in simple
    words.speak("zh-Hant")
    converted = words.translated("", "这里有两家客户")
    assert converted != "这里有两家客户"
    assert converted in traditional
    assert "顺达电器" in traditional  # a name is data, not text
    assert '<html lang="zh-Hant">' in traditional
    for text, there in (
        (english, "zh-Hans/02_abc.html"),
        (simple, "../02_abc.html"),
        (simple, "../zh-Hant/02_abc.html"),
    ):
        assert f'href="{there}"' in text


def test_interactive_cells_are_left_out(rich):
    executed = nbformat.read(rich / "notebooks" / "02_abc.ipynb", as_version=4)
    assert "never run" not in json.dumps(executed)
    assert executed.cells[-1].outputs


def test_figures_have_alternative_text_and_sections_a_table_of_contents(rich):
    text = page_of(rich)
    assert all('alt="' in image for image in re.findall(r"<img[^>]*>", text))
    assert 'alt="A &lt;flat&gt; &#34;line&#34;"' in text.replace("&quot;", "&#34;")
    assert re.search(r'<nav class="contents".*?<a href="#s1">Where\?', text, re.DOTALL)
    assert '<h2 id="s1">' in text
    assert 'class="formula"' in text


def test_links_between_pages_lead_somewhere(rich):
    for page in rich.rglob("*.html"):
        for link in re.findall(r'(?:href|src)="([^"#][^"]*)"', page.read_text(encoding="utf-8")):
            if not link.startswith("data:"):
                assert (page.parent / link.split("#")[0]).exists(), f"{page.name}: {link}"


def test_links_to_dealers_who_are_not_shown_become_text(rich):
    text = page_of(rich)
    assert '<a href="02_abc.html#dealer-007">linked</a>' in text
    assert "<td>unlinked</td>" in text
    for page in rich.rglob("*.html"):
        for file, place in re.findall(r'href="([^"#]*)#([^"]+)"', page.read_text(encoding="utf-8")):
            assert f'id="{place}"' in page_of(page.parent, file or page.name)


def test_front_page_and_manifest_tell_what_the_pages_said(rich):
    front = page_of(rich, "index.html").replace(words.NO_BREAK, " ")
    manifest = json.loads((rich / "manifest.json").read_text())
    for said in (
        "1.2 m",
        "+3%",
        'points="3.0,23.0 60.0,3.0 117.0,13.0"',  # above a zero line
        "October 2026",
        "Generated data",
        'href="02_abc.html#dealer-007"',
        'href="02_abc.html"',
        "data.html",
    ):
        assert said in front, said
    assert manifest["data_fingerprint"] in front
    assert manifest["parameters"]["period"] == "2026-10"
    assert manifest["pages"][0]["name"] == "02_abc"
    assert manifest["pages"][0]["seconds"] > 0
    assert manifest["versions"]["pandas"] == pd.__version__
    assert "2026-10/index.html" in (rich.parent / "index.html").read_text()
    assert "sell_in" in page_of(rich, "data.html")


# ---- the store -----------------------------------------------------------------------------------


def test_finished_pages_are_used_again(run):
    assert run().seconds["02_abc", "en"] > 0
    assert run().seconds["02_abc", "en"] is None
    write_notebook(run.notebooks, "02_abc", cell("1 + 2"))
    assert run().seconds["02_abc", "en"] > 0


def test_the_key_changes_with_each_ingredient(run, tmp_path, book, monkeypatch):
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "reference").mkdir()
    package, lock, shared = (
        root / "src" / "report.py",
        root / "requirements.lock",
        root / "reference" / "measures.csv",
    )
    for file in (package, lock, shared):
        file.write_text("1")
    tables.fingerprint(book)  # how sources are read is read once, and not from there
    monkeypatch.setattr(pages, "PACKAGE", package.parent)
    monkeypatch.setattr(pages, "SHIPPED", root)
    monkeypatch.setattr(words, "REFERENCE", shared.parent)
    notebook = run.notebooks / "02_abc.ipynb"

    def key(period="2026-10", language="en") -> str:
        made_of = pages.ingredients(settings.workbook(book.path), run.out, period)
        return pages.ready_pages(book, [notebook], [language], period, made_of)[0].key

    seen = [key(), key("2026-09"), key(language="zh-Hans")]
    earlier = run.out / "2026-09" / "tables" / "abc.csv"
    earlier.parent.mkdir(parents=True)
    write_manifest(run.out / "2026-09")
    for file in (
        package,
        lock,
        shared,
        root / "src" / "templates.css",
        tmp_path / "plan.csv",
        tmp_path / "overrides.csv",
        tmp_path / "measures.csv",
        earlier,
    ):
        file.write_text(f"changed {file.name}")
        seen.append(key())
    book.path.write_text(book.path.read_text() + "\n")
    seen.append(key())
    write_book(tmp_path, revenue=7)
    seen.append(key())
    write_notebook(run.notebooks, "02_abc", cell("2"))
    seen.append(key())
    assert len(set(seen)) == len(seen)
    assert key() == key()


def test_old_pages_go_but_those_of_editions_stay(run):
    run()
    kept = json.loads((run.out / "2026-10" / "manifest.json").read_text())["pages"][0]["key"]
    for name, age in ((kept, 30), ("f" * 20, 30), ("e" * 20, 1)):
        page = run.out / ".pages" / name
        page.mkdir(exist_ok=True)
        os.utime(page, (time.time() - age * 86400,) * 2)
    editions.prune(run.out)
    assert sorted(page.name for page in (run.out / ".pages").iterdir()) == sorted([kept, "e" * 20])


# ---- refusals and failures -----------------------------------------------------------------------


def test_what_does_not_exist_is_refused_before_anything_runs(run, monkeypatch):
    monkeypatch.setattr(printing, "print_pages", lambda *_, **__: pytest.fail("something ran"))
    refusals = [
        ({"period": "2026-13"}, "'2026-13' is no month"),
        ({"period": "2031-01"}, "no complete data for 2031-01"),
        ({"only": ["03_x"]}, "--only 03_x: no such notebook; there are 02_abc"),
        ({"languages": ["fr"]}, "--language fr: not known; choose from en"),
        ({"notebooks": run.out}, "no notebook"),
    ]
    for options, words_of_error in refusals:
        with pytest.raises(settings.DataError, match=words_of_error):
            run(**options)
    made = v4.new_notebook(cells=[cell('period: str = ""\nperiode = 1', "parameters")])
    nbformat.write(made, run.notebooks / "03_x.ipynb")
    with pytest.raises(
        settings.DataError, match=r"03_x.ipynb: .* doesn't declare config, language"
    ):
        run()
    assert not list(run.out.glob("*"))


def test_the_toml_tells_a_notebook_its_parameters(run, book, tmp_path):
    more = {"parameters": {"abc": {"weighting": "hand"}}}
    with pytest.raises(settings.DataError, match=r"02_abc.ipynb: .* doesn't declare weighting"):
        report.print_edition(
            dataclasses.replace(book, **more), out=run.out, notebooks=run.notebooks
        )
    with pytest.raises(
        settings.DataError,
        match=r"\[parameters\.acb\]: there is no such notebook; did you mean 'abc'",
    ):
        report.print_edition(
            dataclasses.replace(book, parameters={"acb": {}}), out=run.out, notebooks=run.notebooks
        )
    made = nbformat.read(run.notebooks / "02_abc.ipynb", as_version=4)
    made.cells[1].source += '\nweighting: str = ""  # whose'
    made.cells.append(cell('assert weighting == "hand"'))
    nbformat.write(made, run.notebooks / "02_abc.ipynb")
    report.print_edition(dataclasses.replace(book, **more), out=run.out, notebooks=run.notebooks)
    with pytest.raises(settings.DataError, match="AssertionError"):
        report.print_edition(book, out=tmp_path / "other", notebooks=run.notebooks)


def test_a_failing_cell_is_named_and_nothing_is_published(run):
    run()
    before = {path: path.read_bytes() for path in (run.out / "2026-10").rglob("*.*")}
    write_notebook(
        run.notebooks, "02_abc", cell("## Who pays?", text=True), cell("x = {}\nx['paid\\nup']")
    )
    write_notebook(run.notebooks, "01_fine", cell("1"))
    with pytest.raises(settings.DataError) as failed:
        run()
    assert str(failed.value).splitlines() == [
        "02_abc (en), cell 4 under \"Who pays?\": KeyError: 'paid\\nup'",
        "nothing is published; an earlier edition is as it was",
    ]
    assert {path: path.read_bytes() for path in (run.out / "2026-10").rglob("*.*")} == before
    assert not list((run.out / ".press").glob("*/*"))


def test_a_kernel_that_dies_is_told(run):
    write_notebook(run.notebooks, "02_abc", cell("import os\nos._exit(3)"))
    with pytest.raises(settings.DataError, match=r"02_abc \(en\).*[Kk]ernel died"):
        run()


def test_a_part_of_an_edition_is_a_draft(run):
    write_notebook(run.notebooks, "01_fine", cell("1"))
    whole = run()
    draft = run(only=["abc"])
    assert draft.index.parent.name == "2026-10-draft"
    assert not (draft.index.parent / "01_fine.html").exists()
    assert (whole.index.parent / "01_fine.html").exists()
    assert editions.editions(run.out) == ["2026-10"]


def test_two_runs_of_one_edition_do_not_collide(run):
    with editions.claimed(run.out, "2026-10"):
        with pytest.raises(settings.DataError, match="another run is printing this edition"):
            run()
        assert run("2026-09").index.exists()
    assert run().index.exists()


# ---- the swap ------------------------------------------------------------------------------------


def make_edition(folder: Path, version: int) -> Path:
    folder.mkdir(parents=True)
    for name in ("index.html", "manifest.json"):
        (folder / name).write_text(str(version))
    return folder


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux exchanges two folders at once")
def test_whoever_looks_during_a_swap_sees_a_whole_edition(tmp_path):
    place, seen, done = make_edition(tmp_path / "2026-10", 0), set(), threading.Event()

    def look() -> None:
        while not done.is_set():
            try:
                folder = os.open(place, os.O_RDONLY)
            except FileNotFoundError:
                seen.add("missing")
                continue
            versions = []
            for name in ("index.html", "manifest.json"):
                with os.fdopen(os.open(name, os.O_RDONLY, dir_fd=folder)) as file:
                    versions.append(file.read())
            os.close(folder)
            seen.add("whole" if versions[0] == versions[1] else "mixed")

    watcher = threading.Thread(target=look)
    watcher.start()
    for version in range(1, 21):
        new = make_edition(tmp_path / f"new-{version}", version)
        editions.put(new, place)
        # the old one lies where the new one was
        assert (new / "index.html").read_text() == str(version - 1)
    done.set()
    watcher.join()
    assert seen == {"whole"}
    assert (place / "index.html").read_text() == "20"


def test_without_exchange_an_edition_laid_aside_comes_back(tmp_path, monkeypatch):
    monkeypatch.setattr(editions, "_exchange", lambda *_: False)
    place = make_edition(tmp_path / "2026-10", 1)
    editions.put(make_edition(tmp_path / "new", 2), place)
    assert (place / "index.html").read_text() == "2"
    # as if the run had died between the two renames
    place.rename(tmp_path / ".press" / "2026-10.aside")
    make_edition(tmp_path / ".press" / "2026-10" / "edition", 3)
    with editions.claimed(tmp_path, "2026-10") as work:
        assert (place / "index.html").read_text() == "2"
        assert not list(work.iterdir())


@pytest.fixture(scope="module")
def first_edition(tmp_path_factory):
    """An edition of two pages, printed once, for the runs that are killed to replace."""
    folder = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "CACHE", folder / "cache")
        write_notebook(folder / "notebooks", "01_fine", cell("import time\ntime.sleep(0.2)"))
        write_notebook(folder / "notebooks", "02_abc", cell("1 + 1"))
        report.print_edition(
            write_book(folder), out=folder / "reports", notebooks=folder / "notebooks"
        )
    return folder


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("seed", range(5))
def test_a_killed_run_leaves_the_edition_whole_and_no_kernel_behind(first_edition, tmp_path, seed):
    out, notebooks = tmp_path / "reports", first_edition / "notebooks"
    shutil.copytree(first_edition / "reports", out)
    first = (out / "2026-10" / "manifest.json").read_text()
    write_book(tmp_path, revenue=50 + seed)
    run = (
        "from pathlib import Path; from helpers import report, settings; "
        "from helpers.data import connections; "
        f"connections.CACHE = Path({str(tmp_path / 'cache')!r}); "
        f"report.print_edition(settings.workbook({str(tmp_path / 'workbook.toml')!r}), '2026-10', "
        f"out={str(out)!r}, notebooks=Path({str(notebooks)!r}))"
    )
    driver = subprocess.Popen([sys.executable, "-c", run], stderr=subprocess.DEVNULL)
    time.sleep(random.Random(seed).uniform(1.0, 6.0))
    children = psutil.Process(driver.pid).children(recursive=True) if driver.poll() is None else []
    driver.kill()
    driver.wait()
    manifest = json.loads((out / "2026-10" / "manifest.json").read_text())
    for page in manifest["pages"]:
        assert f"Title of {page['name']}" in page_of(out / "2026-10", f"{page['name']}.html")
    assert manifest["data_fingerprint"] in page_of(out / "2026-10", "index.html")
    assert not still_running(children, timeout=5)
    report.print_edition(
        settings.workbook(tmp_path / "workbook.toml"), out=out, notebooks=notebooks
    )
    assert (out / "2026-10" / "manifest.json").read_text() != first
    assert not list((out / ".press").glob("*/*"))


def test_a_page_without_its_tables_or_columns_says_so_in_one_sentence(make_book, tmp_path):
    book = make_book(sell_out="date,amount\n2026-08-31,5\n2026-09-30,5\n2026-10-31,5\n")
    edition = report.print_edition(book, out=tmp_path / "reports", languages=["en"])
    page = (edition.index.parent / "03_abc_pareto.html").read_text(encoding="utf-8")
    assert "Which dealers carry the business?" in page
    assert "This page needs sell_in" in page
    assert "<table" not in page
    assert "<img" not in page
    page = (edition.index.parent / "06_consumer_groups.html").read_text(encoding="utf-8")
    assert "This page needs sell_out.consumer_id" in page
    front = edition.index.read_text(encoding="utf-8")
    assert "This page needs sell_out.consumer_id, of which" in front, "a link to it says so, too"


def test_a_table_that_is_missing_is_named_without_its_columns(make_book, tmp_path):
    book = make_book(sell_in="dealer_id,date,revenue\n1,2026-09-30,5\n1,2026-10-31,5\n")
    edition = report.print_edition(
        book, out=tmp_path / "reports", languages=["en"], only=["06_consumer_groups"]
    )
    page = (edition.index.parent / "06_consumer_groups.html").read_text(encoding="utf-8")
    assert "This page needs sell_out, of which this workbook has nothing" in page


def test_the_front_page_hears_every_page_in_turn():
    def page(name: str, n: int) -> dict:
        said = {"place": "tile", "label": "", "change": "+1", "tone": "", "link": "", "trend": []}
        lines = [said | {"text": f"{name}{i}"} for i in range(n)]
        call = {"place": "call", "label": "", "link": "", "text": f"call {name}"}
        return {"headlines": [*lines, call]}

    front = front_page.front_page([page("a", 2), page("b", 9), page("c", 1)])
    assert [tile["text"] for tile in front["tiles"]] == ["a0", "a1", "b0", "b1", "c0"]
    (calls,) = front["calls"]
    assert [call["text"] for call in calls["rows"]] == ["call a", "call b", "call c"]
    assert front["verdict"] == ""


def test_the_first_page_that_calls_is_the_urgent_one():
    def page(name: str, n: int) -> dict:
        call = {"place": "call", "label": "", "link": ""}
        return {"headlines": [call | {"text": f"{name}{i}"} for i in range(n)]}

    front = front_page.front_page([page("–", 0), page("a", 9), page("b", 9), page("c", 2)])
    (calls,) = front["calls"]
    assert [call["text"] for call in calls["rows"]] == [
        *(f"a{i}" for i in range(6)),
        "b0",
        "c0",
    ]


def test_an_archive_opens_at_the_front_page(run, tmp_path):
    place = run(archive=True).index.parent
    packed = place / "tiny-2026-10.zip"
    with zipfile.ZipFile(packed) as archive:
        top = [name for name in archive.namelist() if "/" not in name]
        assert top == archive.namelist()[:1] == ["tiny-2026-10.html"], "one page to open"
    shutil.unpack_archive(packed, tmp_path)
    opened = (tmp_path / "tiny-2026-10.html").read_text(encoding="utf-8")
    front = (place / "index.html").read_text(encoding="utf-8")
    assert opened.replace('\n<base href="tiny-2026-10/">', "", 1) == front
    links = re.findall(r'<a href="([^":#]+)', opened)
    inside = [link for link in links if not link.startswith("../")]
    assert inside
    assert all((tmp_path / "tiny-2026-10" / link).is_file() for link in inside)
    assert not re.search(r'(?:href|src)="#', opened), "which the base would lead astray"


def test_an_edition_is_packed_whole(run, tmp_path):
    made = run(archive=True)
    place = made.index.parent
    packed = place / "tiny-2026-10.zip"
    shutil.unpack_archive(packed, tmp_path / "mailed")
    files = {path.relative_to(place) for path in place.rglob("*") if path.is_file()} - {
        packed.relative_to(place)
    }
    mailed = tmp_path / "mailed" / "tiny-2026-10"
    assert {path.relative_to(mailed) for path in mailed.rglob("*") if path.is_file()} == files
    assert all((mailed / path).read_bytes() == (place / path).read_bytes() for path in files)
    assert run().index.parent == place
    assert not packed.exists(), "what is asked for is what there is"


def test_pages_lead_to_their_pdf_where_one_is_asked_for(run, monkeypatch):
    asked = []

    def write_pdfs(edition, kept, **options):
        asked.append((edition.name, kept, options["workers"]))
        for page in edition.rglob("*.html"):
            page.with_suffix(".pdf").write_bytes(b"%PDF")
        return pdf.Written(1, {})

    monkeypatch.setattr(pdf, "write_pdfs", write_pdfs)
    monkeypatch.setattr(pdf, "require_browser", lambda: None)
    card = v4.new_notebook(cells=[cell("# Card", text=True), cell(CARD_PARAMETERS, "parameters")])
    nbformat.write(card, run.notebooks / "09_dealer_card.ipynb")
    place = run(pdf=True, cards=1, audiences=["us", "dealer"]).index.parent
    assert [*asked] == [("edition", run.out / ".pdfs", 1)]
    pages_there = [page for page in place.rglob("*.html") if "for-dealers" not in page.parts]
    assert len(pages_there) == 5
    for page in pages_there:
        links = re.findall(r'href="([^"]+\.pdf)"', page.read_text(encoding="utf-8"))
        assert links
        assert all((page.parent / link).is_file() for link in links)
    assert len(run(pdf=True, cards=1, audiences=["us", "dealer"]).seconds) == len(asked) == 1, (
        "nothing changed"
    )
    assert ".pdf" not in page_of(run().index.parent)


def test_without_a_browser_nothing_is_printed(run, monkeypatch):
    monkeypatch.setattr(pdf, "browser", lambda: "")
    with pytest.raises(settings.DataError, match="--pdf: no Chromium"):
        run(pdf=True)
    assert not run.out.exists()


# ---- cards ---------------------------------------------------------------------------------------

HOSTILE = "../../Ü <b>=1"  # an id is text from data, whatever it holds
CARD_PARAMETERS = PARAMETERS + '\ndealer_id: str = ""\naudience: str = "us"\n'


def card_book(folder: Path) -> settings.Workbook:
    """Write a workbook of three dealers with an account manager each or none, one with a hostile
    id.
    """
    ids = ["001", "002", HOSTILE]
    rows = [f"{d},2026-{month:02d}-28,{10 - i}" for month in (9, 10) for i, d in enumerate(ids)]
    (folder / "sell_in.csv").write_text(
        "\n".join(["dealer_id,date,revenue", *rows, ",2026-10-30,1"]) + "\n"
    )
    people = ["001,Shop <i>,Ms. Zhou", "002,Shop 2,Mr. Abel", f"{HOSTILE},Shop 3,"]
    (folder / "dealers.csv").write_text(
        "\n".join(["dealer_id,dealer_name,account_manager", *people]) + "\n"
    )
    (folder / "workbook.toml").write_text(
        '[workbook]\nname = "cards"\nbrand = "Ours"\ncurrency = "CNY"\nlanguage = ["en", '
        '"zh-Hans"]\n[data.sell_in]\nsource = "sell_in.csv"\n[data.dealers]\nsource = '
        '"dealers.csv"\n',
        encoding="utf-8",
    )
    return settings.workbook(folder / "workbook.toml")


CALLS = """
import pandas as pd
from helpers import report
report.publish("call_list", pd.DataFrame({"dealer_id": ["gone", "001"]}))
"""


@pytest.fixture(scope="module")
def dealt(tmp_path_factory):
    """An edition with the cards of all three dealers for both audiences.

    The second dealer's for us fails.
    """
    folder = tmp_path_factory.mktemp("dealt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "CACHE", folder / "cache")
        book = card_book(folder)
        write_notebook(folder / "notebooks", "02_abc", cell(CALLS))
        path = write_notebook(folder / "notebooks", "09_dealer_card")
        fails = cell('assert (dealer_id, audience) != ("002", "us"), "no card today"')
        secret, greeting = (
            cell("print('our margin', 5)", "for-us"),
            cell("Dear dealer", "for-dealer", text=True),
        )
        first = [cell("# Card", text=True), cell(CARD_PARAMETERS, "parameters")]
        nbformat.write(
            v4.new_notebook(
                cells=[*first, fails, secret, greeting, cell("print(repr(dealer_id))")]
            ),
            path,
        )
        made = report.print_edition(
            book,
            "2026-10",
            cards="all",
            audiences=["us", "dealer"],
            out=folder / "reports",
            notebooks=folder / "notebooks",
            workers=2,
        )
        yield made, book, folder
    words.speak("en")


def card_file(dealer_id: str, audience: str = "us") -> str:
    return f"cards/{'for-dealers/' * (audience == 'dealer')}{files.file_name(dealer_id)}.html"


def test_cards_lie_under_safe_names_in_every_language(dealt):
    made, _book, _folder = dealt
    place = made.index.parent
    for language in ("", "zh-Hans"):
        cards = {
            p.relative_to(place / language).as_posix()
            for p in (place / language / "cards").rglob("*.html")
        }
        asked = {card_file(d, who) for d in ("001", "002", HOSTILE) for who in ("us", "dealer")}
        assert cards == {"cards/index.html", *asked}
    assert repr(HOSTILE) in html.unescape(page_of(place, card_file(HOSTILE)))
    assert "<b>=1" not in page_of(place, card_file(HOSTILE))
    assert re.fullmatch(r"[a-z0-9-]+", files.file_name(HOSTILE))


def test_names_of_cards_never_meet():
    ids = ["D1", "d1", "D 1", "D-1", "", " ", "客户", "用户", "x" * 500, "x" * 501, "\ud800"]
    assert len({files.file_name(i) for i in ids}) == len(ids)
    assert max(len(files.file_name(i)) for i in ids) < 60


def test_a_card_that_fails_is_marked_and_stops_nobody(dealt):
    made, _book, _folder = dealt
    place = made.index.parent
    assert sorted(made.missing) == [
        f'09_dealer_card (002, us, {language}), cell 3 under "Card": AssertionError: no card today'
        for language in ("en", "zh-Hans")
    ]
    assert "could not be printed" in page_of(place, card_file("002"))
    assert "no card today" in page_of(place, card_file("002"))
    assert "could not be printed" not in page_of(place, card_file("002", "dealer"))
    listed = page_of(place, "cards/index.html")
    assert listed.count("card missing") == 1
    assert f'href="{card_file("001").removeprefix("cards/")}"' in listed
    manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
    assert [c["dealer_id"] for c in manifest["cards"] if c["failed"]] == ["002"]


def test_each_audience_gets_its_own_cells(dealt):
    made, _book, folder = dealt
    place = made.index.parent
    ours, theirs = page_of(place, card_file("001")), page_of(place, card_file("001", "dealer"))
    assert "our margin" in ours
    assert "Dear dealer" not in ours
    assert "Dear dealer" in theirs
    assert "our margin" not in theirs
    assert "index.html" not in theirs, "what is handed over leads nowhere else"
    for card in json.loads((place / "manifest.json").read_text(encoding="utf-8"))["cards"]:
        if card["audience"] == "dealer":
            kept = (folder / "reports" / ".pages" / card["key"] / "notebook.ipynb").read_text(
                encoding="utf-8"
            )
            assert "our margin" not in kept


def test_cards_are_found_by_account_manager(dealt):
    made, _book, _folder = dealt
    listed = page_of(made.index.parent, "cards/index.html")
    order = [
        listed.index(f"<h2>{name}</h2>") for name in ("Mr. Abel", "Ms. Zhou", "No account manager")
    ]
    assert order == sorted(order)
    assert "Shop &lt;i&gt;" in listed
    assert "Shop <i>" not in listed
    assert 'href="cards/index.html"' in page_of(made.index.parent, "index.html")


def test_a_second_run_keeps_the_cards_that_were_printed(dealt):
    _made, book, folder = dealt
    options = {
        "out": folder / "reports",
        "notebooks": folder / "notebooks",
        "languages": ["en"],
        "workers": 1,
    }
    again = report.print_edition(book, "2026-10", cards=["001"], **options)
    manifest = json.loads((again.index.parent / "manifest.json").read_text(encoding="utf-8"))
    assert [(c["dealer_id"], c["audience"], c["failed"]) for c in manifest["cards"]] == [
        ("001", "us", "")
    ]
    assert again.seconds == {("02_abc", "en"): None}
    assert not (again.index.parent / card_file("002")).exists()


def test_who_is_called_has_a_card_where_nobody_asks_for_others(dealt, tmp_path):
    _made, book, folder = dealt
    options = {"out": folder / "reports", "languages": ["en"], "workers": 1, "cards": "called"}
    made = report.print_edition(book, "2026-10", notebooks=folder / "notebooks", **options)
    manifest = json.loads((made.index.parent / "manifest.json").read_text(encoding="utf-8"))
    # who left before the window is called, too, and has a card of what is known
    called = [(c["dealer_id"], c["audience"]) for c in manifest["cards"]]
    assert called == [("gone", "us"), ("001", "us")]
    assert (made.index.parent / card_file("001")).is_file()
    assert (made.index.parent / card_file("gone")).is_file()
    shutil.copytree(folder / "notebooks", tmp_path / "notebooks")
    (tmp_path / "notebooks" / "09_dealer_card.ipynb").unlink()
    made = report.print_edition(book, "2026-10", notebooks=tmp_path / "notebooks", **options)
    assert not (made.index.parent / "cards").exists(), "there is nothing to print them from"


def test_the_largest_dealers_come_first(dealt):
    _made, book, _folder = dealt
    assert pages.dealers_asked_for(book, "2026-10", 2) == ["001", "002"]
    assert pages.dealers_asked_for(book, "2026-10", "all") == ["001", "002", HOSTILE]
    assert pages.dealers_asked_for(book, "2026-10", ()) == []


def test_who_or_what_does_not_exist_is_told_before_anything_runs(dealt, tmp_path):
    _made, book, folder = dealt
    options = {"out": tmp_path / "reports", "notebooks": folder / "notebooks"}
    with pytest.raises(
        settings.DataError,
        match=r"--card 003: no dealer of that id bought or paid up to 2026-10-31",
    ):
        report.print_edition(book, "2026-10", cards=["003"], **options)
    with pytest.raises(
        settings.DataError, match="--audience boss: not known; choose from us, dealer"
    ):
        report.print_edition(book, "2026-10", cards=1, audiences=["boss"], **options)
    write_notebook(tmp_path / "bare", "02_abc", cell("1"))
    with pytest.raises(settings.DataError, match=r"no notebook of dealer_card to print cards from"):
        report.print_edition(
            book, "2026-10", cards=1, out=tmp_path / "reports", notebooks=tmp_path / "bare"
        )
    write_notebook(tmp_path / "bare", "09_dealer_card")
    with pytest.raises(settings.DataError, match="doesn't declare dealer_id, audience; add it"):
        report.print_edition(
            book, "2026-10", cards=1, out=tmp_path / "reports", notebooks=tmp_path / "bare"
        )
    assert not list((tmp_path / "reports").glob("2026*"))
