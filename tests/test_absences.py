"""Nothing missing in the data stops a page.

Every table and column that may be missing, short histories, few dealers.

Here what is missing meets one of the pages that read it, in turn; tables, histories and networks of
few meet a second month of one page or three. The whole matrix, every page in two months and two
languages, is `tests/benchmarks/absences_matrix.py`.
"""

import concurrent.futures
import pickle
import random

import pandas as pd
import pytest

from absences import (
    CASES,
    EDITIONS,
    LAST,
    N_PAIRS,
    PAIRED,
    SAMPLED,
    Case,
    asked_for,
    body_complaints,
    lay_out,
    pages_that_read,
    print_editions,
    print_pages,
    unsaid,
    whole,
    whole_bodies,
    write_case,
)
from helpers import data, periods, settings
from helpers.press import diff, front_page, pages, printing
from helpers.press.kernels import end_kernels, load_ahead

fcntl = pytest.importorskip("fcntl", reason="there is no such lock on Windows")
LANGUAGES = ("en", "zh-Hans")
MANY = [
    case
    for case in CASES
    if case.name not in EDITIONS and (", no " in case.name or case.name.endswith(" empty"))
]
SINGLE = [case for case in CASES if case.name not in EDITIONS and case not in MANY]
SINGLE += random.Random(7).sample(MANY, SAMPLED)
AT_MOST = 1  # pages of a case; the matrix prints them all
N_FIRST, N_SECOND = 1, 3  # pages of the first and the second of two months
# page of a case → why; strict: one that prints must be taken from here
KNOWN_FAILURES: dict[str, str] = {}


@pytest.fixture(scope="module")
def tables():
    """Generate the network that lacks nothing, once."""
    return whole()


@pytest.fixture(scope="module")
def laid(tables, tmp_path_factory):
    """Write its tables, once."""
    return lay_out(tables, tmp_path_factory.mktemp("laid") / "whole")


@pytest.fixture(scope="module")
def known(tables, laid, printer, tmp_path_factory, worker_id):
    """Find out once, for all workers, what each page asks for, and print it where nothing is
    missing.
    """
    folder = tmp_path_factory.getbasetemp()
    folder = folder if worker_id == "master" else folder.parent
    file = folder / "absences.pickle"
    with (folder / "absences.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # who comes second waits, and reads
        if not file.exists():
            book = write_case(
                tmp_path_factory.mktemp("whole") / "book", Case("whole", (), dict), tables, laid
            )
            with concurrent.futures.ThreadPoolExecutor(1) as aside:
                asked = aside.submit(asked_for, book, LAST)
                bodies = whole_bodies(tables, LANGUAGES, tmp_path_factory.mktemp("whole"), laid)
                file.write_bytes(pickle.dumps((asked.result(), bodies)))
        return pickle.loads(file.read_bytes())


@pytest.fixture
def asked(known):
    """Which tables and columns each page asks the door for."""
    return known[0]


@pytest.fixture
def bodies(known):
    """What each page shows where nothing is missing, to see what a page has lost."""
    return known[1]


@pytest.fixture(scope="module")
def printer():
    """Keep one warm process for all pages of this module."""
    load_ahead(printing.PRELOAD)
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        yield executor
    end_kernels()


def language_of(case: Case) -> str:
    """Choose a case's language: they take turns, and the matrix prints both."""
    return LANGUAGES[CASES.index(case) % 2]


def in_turn(case: Case, names: list[str], most: int) -> list[str]:
    """Choose at most so many pages of a case: those of the next one are others."""
    turn, n = CASES.index(case), min(len(names), most)
    return [names[(turn + i * len(names) // n) % len(names)] for i in range(n)]


def nearest(names: list[str]) -> list[str]:
    """Leave the month's page out where another reads it too: it reads what they all read, which
    takes as long as they all; tables and histories meet it in editions, everything in the matrix.
    """
    return [name for name in names if settings.question_of(name) != "month"] or names


@pytest.mark.parametrize("case", SINGLE, ids=str)
def test_pages_print_without_it(case, tables, laid, asked, bodies, tmp_path):
    book = write_case(tmp_path / "book", case, tables, laid)
    names = in_turn(case, nearest(pages_that_read(case, asked)), AT_MOST)
    found = print_pages(book, names, [language_of(case)], [LAST], tmp_path / "editions", bodies)
    assert found, f"{case}: no page reads it; is it still a part of the contract?"
    assert_as_known(case, found)


@pytest.mark.parametrize("case", [case for case in CASES if case.name in EDITIONS], ids=str)
def test_two_editions_and_what_changed(case, tables, laid, asked, printer, bodies, tmp_path):
    """Print a month and the next one through the real press, bind both, and ask for what changed in
    between.
    """
    book, names = write_case(tmp_path / "book", case, tables, laid), pages_that_read(case, asked)
    bound = [name for name in names if settings.question_of(name) not in pages.APART]
    # a dozen and a half have three pages of the second month; the others one
    is_full = CASES.index(case) // 2 % 2 == 0
    second = in_turn(case, bound, N_SECOND) if is_full else in_turn(case, nearest(bound), 1)
    # a card comes beside pages: here with every other case
    cards = [name for name in names if settings.question_of(name) == pages.CARD]
    found = print_editions(
        book,
        [language_of(case)],
        tmp_path / "editions",
        printer,
        bodies,
        [*second, *cards[: CASES.index(case) % 2]],
        second[:N_FIRST],
    )
    assert_as_known(case, found)


def assert_as_known(case: Case, found: dict[str, list[str]]) -> None:
    """Hold pages against the list of known failures, both ways."""
    wrong = {f"{case}: {page}": said for page, said in found.items() if said}
    known = {name for name in KNOWN_FAILURES if name.startswith(f"{case}: ")}
    assert not set(wrong) - known, "\n".join(
        f"{page}: {' | '.join(said)}" for page, said in wrong.items()
    )
    assert not known - set(wrong), "mended: take it from the list of known failures"


def test_the_cases_are_all_that_the_contract_lets_miss():
    lacking = {case.missing[0] for case in CASES if len(case.missing) == 1}
    for table, columns in settings.contract().items():
        if table != "overrides":
            assert table == "sell_in" or table in lacking
            assert all(
                f"{table}.{c}" in lacking for c, column in columns.items() if not column.required
            )
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


def test_what_is_gone_without_a_word_is_seen():
    whole = "<h1>A</h1><p>x</p><h2>B</h2><p>y</p>"
    assert unsaid("<h1>A</h1><p>x</p>", whole) == ["gone without a word: B"]
    assert (
        unsaid('<h1>A</h1><p>x</p><p class="note">No y.</p>', whole) == [] == unsaid(whole, whole)
    )


# ---- what a workbook of next to nothing says -----------------------------------------------------


def test_without_sell_in_the_front_page_tells_what_consumers_bought():
    """Compared with the month a year before only where the data begin before it.

    What begins with it may be a part.
    """
    sold = pd.Series(100.0, index=periods.month_range("2026-10", 14)) + [
        10.0 * (i == 13) for i in range(14)
    ]
    verdict, tile = front_page.sales_headlines(sold, "2026-10")
    assert (
        verdict["text"] == "In October 2026 consumers bought for 110, +10.0% against October 2025."
    )
    assert (tile["text"], tile["change"], tile["tone"]) == (
        "110",
        "+10.0% against October 2025",
        "good",
    )
    assert len(tile["trend"]) == 14
    verdict, tile = front_page.sales_headlines(sold.iloc[1:], "2026-10")
    assert verdict["text"] == "In October 2026 consumers bought for 110."
    assert (tile["change"], tile["tone"]) == ("", "")
    pages = [{"headlines": [{"place": "verdict", "text": "A page's own."}]}]
    said = [verdict, tile | {"change": "+1"}]
    front = front_page.front_page(pages, sales=said)
    assert front["verdict"] == "A page's own."
    assert front_page.front_page([{"headlines": []}], sales=said)["verdict"] == verdict["text"]
    assert [t["label"] for t in front["tiles"]] == ["Sold to consumers in the month"]
    assert front_page.front_page(pages, sales=[verdict, tile])["tiles"] == [], "compared with none"


def test_sold_out_months_are_those_of_the_lines(make_book):
    rows = [
        {"date": day, "amount": 10}
        for day in ("2024-10-31", "2025-01-02", "2026-10-01", "2026-10-31")
    ]
    book = make_book(
        sell_out="date,amount\n"
        + "\n".join(f"{row['date']},{row['amount']}" for row in rows)
        + "\n"
    )
    assert data.sold_out_months(book, "2026-10").to_dict() == {"2025-01": 10.0, "2026-10": 20.0}


def test_a_need_may_be_any_of_several(make_book):
    book = make_book(sell_out="date,amount,dealer_id\n2026-10-31,10,A\n")
    assert data.has(book, "sell_in|sell_out") and data.has(book, "sell_in.cost|sell_out.dealer_id")
    assert not data.has(book, "sell_in|payments") and not data.has(book, "sell_out.cost|sell_in")
    assert data.tells(book, "sell_in|sell_out", "2026-10") and not data.tells(
        book, "sell_in|sell_out", "2026-09"
    )
    assert (
        pages.dealers_asked_for(book, "2026-10", 3)
        == []
        == pages.dealers_asked_for(book, "2026-10", "all")
    )


def test_editions_without_a_table_claim_nothing():
    assert diff.headlines({}, {}) == [] == diff.headlines({"a": pd.DataFrame({"x": []})}, {})
    same = {"a": pd.DataFrame({"dealer_id": ["1"], "x": [1.0]})}
    assert [line["text"] for line in diff.headlines(same, same)] == ["Nothing has changed."]
