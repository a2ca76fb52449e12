"""Nothing missing in the data stops a page: every table and column that may be missing, short histories, few dealers.

Here each absence meets the pages that read it; the whole matrix, every page in two months and two languages, is
`tests/benchmarks/absences_matrix.py`.
"""

import concurrent.futures

import pytest

from absences import (
    CASES,
    EDITIONS,
    LAST,
    N_PAIRS,
    PAIRED,
    Case,
    asked_for,
    body_complaints,
    pages_that_read,
    print_editions,
    print_pages,
    whole,
    write_case,
)
from helpers import kernels, press, settings

LANGUAGES = ("en", "zh-Hans")
KNOWN_FAILURES: dict[str, str] = {}  # page of a case → why; strict: one that prints must be taken from here


@pytest.fixture(scope="module")
def tables():
    """Generate the network that lacks nothing, once."""
    return whole()


@pytest.fixture(scope="module")
def asked(tables, tmp_path_factory):
    """Find out which tables and columns each page asks the door for."""
    return asked_for(write_case(tmp_path_factory.mktemp("whole"), Case("whole", (), dict), tables), LAST)


@pytest.fixture(scope="module")
def printer():
    """Keep one warm process for all pages of this module."""
    kernels.load_ahead(press.PRELOAD)
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        yield executor
    kernels.end_kernels()


def language_of(case: Case) -> str:
    """Choose a case's language: they take turns, and the matrix prints both."""
    return LANGUAGES[CASES.index(case) % 2]


@pytest.mark.usefixtures("printer")
@pytest.mark.parametrize("case", [case for case in CASES if case.name not in EDITIONS], ids=str)
def test_pages_print_without_it(case, tables, asked, tmp_path):
    book = write_case(tmp_path / "book", case, tables)
    found = print_pages(book, pages_that_read(case, asked), [language_of(case)], [LAST], tmp_path / "editions")
    assert found, f"{case}: no page reads it; is it still a part of the contract?"
    assert_as_known(case, found)


@pytest.mark.parametrize("case", [case for case in CASES if case.name in EDITIONS], ids=str)
def test_two_editions_and_what_changed(case, tables, printer, tmp_path):
    """Print a month and the next one through the real press, bind both, and ask for what changed in between."""
    book = write_case(tmp_path / "book", case, tables)
    assert_as_known(case, print_editions(book, [language_of(case)], tmp_path / "editions", printer))


def assert_as_known(case: Case, found: dict[str, list[str]]) -> None:
    """Hold pages against the list of known failures, both ways."""
    wrong = {f"{case}: {page}": said for page, said in found.items() if said}
    known = {name for name in KNOWN_FAILURES if name.startswith(f"{case}: ")}
    assert not set(wrong) - known, "\n".join(f"{page}: {' | '.join(said)}" for page, said in wrong.items())
    assert not known - set(wrong), "mended: take it from the list of known failures"


def test_the_cases_are_all_that_the_contract_lets_miss():
    lacking = {case.missing[0] for case in CASES if len(case.missing) == 1}
    for table, columns in settings.contract().items():
        if table != "overrides":
            assert table == "sell_in" or table in lacking
            assert all(f"{table}.{c}" in lacking for c, column in columns.items() if not column.required)
    pairs = [set(case.missing) for case in CASES if ", no " in case.name]
    assert len(pairs) == N_PAIRS
    assert all({a, b} in pairs for a in PAIRED for b in PAIRED if a != b)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<h1>A</h1><p>x</p><h2>B</h2><p>y</p>", []),
        ("<h1>A</h1><h2>B</h2><p>y</p>", []),
        ("<h1>A</h1><p>x</p><h2>B</h2>", ['nothing under "B"']),
        ("<h2>A</h2><h2>B</h2><svg aria-label='z'></svg>", ['nothing under "A"']),
        ("<p>a nan b</p>", ["nan: a nan b"]),
        ('<svg aria-label="to inf"></svg>', ["inf: to inf"]),
        ("<td>None</td><td>NaT</td>", ["None: None", "NaT: NaT"]),
        ("<p>Nanjing Banana, infinite; not None-the-less</p>", []),
        ('<ul><li>No.</li></ul><p class="note">No.</p>', ["said twice: No."]),
    ],
)
def test_the_verdict_can_fail(body, said):
    assert body_complaints(body) == said
