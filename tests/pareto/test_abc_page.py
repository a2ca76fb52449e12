"""The page of the classes over books that lack something.

It prints, and says once what is not known.
"""

import ast
import datetime as dt
import html
import re
from decimal import Decimal

import nbformat
import pytest
from matplotlib import pyplot as plt

from conftest import BRAND, RIVALS, small_tables, without
from helpers import data, look, pareto, periods, receivables, words
from helpers.settings import CHECKOUT as ROOT
from sampling import some

CELLS = nbformat.read(ROOT / "notebooks" / "03_abc_pareto.ipynb", as_version=4).cells
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh-Hans"])
MISSING = ("no_payments", "no_gross_profit", "no_brand_share", "by_revenue")


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def shown(source: str, room: dict) -> list[str]:
    """Run a cell as a kernel would, and give the text of what it shows.

    The last value, and the figures it left.
    """
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "cell", "exec"), room)
    value = eval(compile(ast.Expression(last.value), "cell", "eval"), room) if last else None
    told = (
        [value._repr_html_()]
        if hasattr(value, "_repr_html_") and not source.rstrip().endswith(";")
        else []
    )
    if getattr(value, "rows", None) is not None and value.rows.empty and "calls.none" not in source:
        told = []  # a table without rows says nothing by itself
    for number in plt.get_fignums():
        figure = plt.figure(number)
        texts = [t.get_text() for t in figure.texts]
        for ax in figure.axes:
            texts += [
                t.get_text()
                for t in (*ax.texts, *ax.get_xticklabels(), *ax.get_yticklabels(), ax.xaxis.label)
            ]
        told.append("\n".join(texts))
        plt.close(figure)
    return [
        text
        for text in (re.sub(r"<[^>]+>", " ", html.unescape(text)).strip() for text in told)
        if text
    ]


def printed(book, language: str, period: str = "") -> list[tuple[str, list[str]]]:
    """Print the ABC page: its sections that show anything, as (heading, what their code shows)."""
    room: dict = {}
    exec(next(c.source for c in CELLS if "parameters" in c.metadata.get("tags", [])), room)
    room |= {"period": period, "config": str(book.path), "language": language}
    sections: list[tuple[str, list[str], bool]] = [("", [], False)]
    for cell in CELLS:
        tags = cell.metadata.get("tags", [])
        if (
            cell.cell_type == "markdown"
            and ("lang-en" in tags) == (language == "en")
            and cell.source.startswith("#")
        ):
            sections.append((cell.source.splitlines()[0], [], False))
        if cell.cell_type == "code" and not {"parameters", "interactive"} & set(tags):
            heading, told, _had = sections.pop()
            sections.append((heading, [*told, *shown(cell.source, room)], True))
    return [(heading, told) for heading, told, had_code in sections if told or not had_code]


def words_of(page: list[tuple[str, list[str]]]) -> str:
    return "\n".join(text for _heading, told in page for text in told)


def require_honest(book, language: str, period: str = "") -> str:
    """Print the page and assert what holds of every page, whatever its book lacks."""
    page = printed(book, language, period)
    text = words_of(page)
    assert not re.search(r"\b(nan|NaN|None|NaT|inf)\b|∞", text), re.search(
        r".*\b(nan|NaN|None|NaT|inf)\b.*", text
    )
    look.use(language, book.currency)
    for key in MISSING:
        assert text.count(html.unescape(words.say(f"pareto.{key}"))) <= 1, f"{key} is told twice"
    lines = [line.strip() for _heading, told in page for part in told for line in part.splitlines()]
    assert lines
    return text


def cut(tables: dict, columns: dict | None = None, names: tuple = ()) -> dict:
    """Leave out tables, and columns by table."""
    left = {name: rows for name, rows in tables.items() if name not in names}
    return {name: without(rows, (columns or {}).get(name, ())) for name, rows in left.items()}


def since(tables: dict, n_months: int, day: int = 1) -> dict:
    """Let the data begin so many months before the end of October 2026."""
    year, month = map(int, periods.month_range("2026-10", n_months)[0].split("-"))
    start = dt.date(year, month, day)
    return {
        name: [row for row in rows if row.get("date", start) >= start]
        for name, rows in tables.items()
    }


ABSENT = {
    "cost": ({"sell_in": ["cost"]}, ()),
    "rebate": ({"sell_in": ["rebate"]}, ()),
    "brand": ({"sell_in": ["brand"]}, ()),
    "product_id": ({"sell_in": ["product_id"]}, ()),
    "quantity": ({"sell_in": ["quantity"]}, ()),
    "order_id": ({"sell_in": ["order_id"]}, ()),
    "dealers": ({}, ("dealers",)),
    "products": ({}, ("products",)),
    "payments": ({}, ("payments",)),
    "names": ({"dealers": ["dealer_name", "dealer_name_en"]}, ()),
    "opened": ({"dealers": ["opened_date"]}, ()),
}
COMBINED = [(name,) for name in ABSENT] + [
    ("cost", "payments"),
    ("cost", "brand"),
    ("cost", "dealers"),
    ("payments", "dealers"),
    ("payments", "quantity"),
    ("brand", "product_id"),
    ("brand", "products"),
    ("cost", "rebate"),
]


def lacking(*absent: str) -> dict:
    columns: dict[str, list[str]] = {}
    for name in absent:
        for table, left_out in ABSENT[name][0].items():
            columns.setdefault(table, []).extend(left_out)
    return cut(
        since(small_tables(), 25), columns, tuple(t for name in absent for t in ABSENT[name][1])
    )


def in_turns(cases: list[tuple]) -> list[tuple]:
    """Give each case one of the two languages, in turns: a page takes two seconds."""
    return [(*case, ("en", "zh-Hans")[i % 2]) for i, case in enumerate(cases)]


@pytest.mark.parametrize(
    ("absent", "language"), some(in_turns([(names,) for names in COMBINED]), 7)
)
def test_the_page_prints_whatever_is_missing(make_book, absent, language):
    brand = (
        ""
        if {"brand", "products"} <= set(absent) or {"brand", "product_id"} <= set(absent)
        else BRAND
    )
    book = make_book(brand=brand, **lacking(*absent))
    text = require_honest(book, language)
    look.use(language, book.currency)
    both = {"cost", "payments"} <= set(absent)
    assert (words.say("pareto.by_revenue") in text) == both
    assert (words.say("pareto.no_payments") in text) == ("payments" in absent and not both)
    assert (words.say("pareto.no_gross_profit") in text) == ("cost" in absent and not both)


@pytest.mark.parametrize(
    ("n_months", "absent", "language"),
    some(
        in_turns(
            [(n, ()) for n in (1, 2, 3, 5, 11, 12, 13, 24, 25)]
            + [(1, ("payments",)), (2, ("cost", "payments")), (5, ("cost",))]
        ),
        6,
    ),
)
def test_the_page_prints_however_short_the_history(make_book, n_months, absent, language):
    columns = {"sell_in": [c for c in absent if c == "cost"]}
    book = make_book(
        **cut(since(small_tables(), n_months), columns, tuple(t for t in absent if t == "payments"))
    )
    period = data.require_period(book)
    text = require_honest(book, language)
    look.use(language, book.currency)
    unwrapped = text.replace("\n", " " if language == "en" else "")
    assert (words.say("migration.no_year") in unwrapped) == (n_months < 24)
    for word in ("joined", "left"):  # the data begin: nobody has joined for that
        assert (words.word(word) in text) == (n_months >= 24), word
    assert (words.say("migration.few_quarters") in unwrapped) == (n_months < 9)
    tiles = pareto.tiles(data.dealer_months(book, period), period)
    assert all(str(min(n_months, 12)) in tile["label"] for tile in tiles)
    assert all(("change" in tile) == (n_months >= 13) for tile in tiles)
    covered = data.covered(book, period)
    assert (covered.n_months, covered.is_whole) == (min(n_months, 12), n_months >= 12)


@pytest.mark.parametrize(
    ("n_dealers", "losing", "language"),
    in_turns([(n, losing) for losing in (False, True) for n in (1, 2, 3)]),
)
def test_the_page_prints_of_one_two_and_three_dealers(make_book, n_dealers, losing, language):
    tables = since(small_tables(), 25)
    kept = {f"{i:03d}" for i in range(1, n_dealers + 1)}
    tables = {
        n: [r for r in rows if r.get("dealer_id", "001") in kept or n == "products"]
        for n, rows in tables.items()
    }
    last = {
        "dealer_id": "001",
        "revenue": Decimal("10.00"),
        "cost": Decimal("6.00"),
        "rebate": None,
        "quantity": 1.0,
        "product_id": "P1",
        "brand": BRAND,
        "date": dt.date(2026, 10, 30),
        "order_id": "z",
    }
    tables["sell_in"].append(last)
    if losing:
        tables["sell_in"] = [{**row, "cost": row["revenue"] * 2} for row in tables["sell_in"]]
    book = make_book(**tables)
    text = require_honest(book, language)
    look.use(language, book.currency)
    nothing = words.say("pareto.none_positive", indicator=words.label("gross_profit"))
    assert (words.word("Loses us money" if language == "en" else "亏损客户") in text) == losing
    assert nothing not in text or losing


@LANGUAGES
def test_dealers_below_zero_are_listed_with_their_loss(make_book, language):
    tables = since(small_tables(), 25)
    for row in tables["sell_in"]:
        if row["dealer_id"] == "002" and row["brand"] == BRAND:
            row["cost"] = row["revenue"] * 2
    for row in tables["payments"]:
        if row["dealer_id"] == "003":
            row["amount"] = -row["amount"]
    page = printed(make_book(**tables), language)
    look.use(language, "CNY")
    heading = {"en": "### Below zero", "zh-Hans": "### 负值客户"}[language]
    (told,) = [told for title, told in page if title == heading]
    assert len(told) == 2
    assert "002" in told[1] and "003" in told[1] and "004" not in told[1]
    # revenue − rebate − twice the revenue, twelve months of 2 × 100.10
    loss = -2 * (12 * 100.10 + 12 * 1.01)
    assert words.money(-loss) in told[0]
    assert heading not in dict(printed(make_book(**since(small_tables(), 25)), language)), (
        "only where there are any"
    )


@LANGUAGES
def test_no_line_of_ours_in_the_last_months(make_book, language):
    tables = since(small_tables(), 25)
    for row in tables["sell_in"]:
        if row["date"] > dt.date(2025, 6, 1):
            row["brand"] = RIVALS[0]
    text = require_honest(make_book(**tables), language)
    look.use(language, "CNY")
    assert words.say("pareto.no_gross_profit") not in text, (
        "of nothing bought the profit is zero, not unknown"
    )


@pytest.mark.parametrize(("share", "language"), in_turns([(share,) for share in (0.0, 0.3, 0.9)]))
def test_the_cover_of_cost_is_said(make_book, language, share):
    tables = since(small_tables(), 25)
    for i, row in enumerate(tables["sell_in"]):
        if (i % 10) / 10 < share:
            row["cost"] = None
    book = make_book(**tables)
    text = require_honest(book, language)
    look.use(language, "CNY")
    told = words.say("pareto.cost_cover", share="@").split("@")
    assert all(part in text for part in told) == (share > 0)
    lines = pareto.tiles(data.dealer_months(book, "2026-10"), "2026-10")
    (profit,) = [tile["label"] for tile in lines if words.label("gross_profit") in tile["label"]]
    assert ("%" in profit) == (share > 0)


def test_days_outstanding_over_64_days_are_over_64_days(make_book):
    days = [dt.date(2026, 8, 29) + dt.timedelta(days=i) for i in range(64)]
    lines = [{"dealer_id": "1", "date": day, "revenue": Decimal("10.00")} for day in days]
    book = make_book(
        brand="",
        sell_in=lines,
        payments=[{"dealer_id": "1", "date": days[9], "amount": Decimal("320.00")}],
    )
    covered = data.covered(book, "2026-10")
    assert (covered.start, covered.n_days, covered.is_whole) == (dt.date(2026, 8, 29), 64, False)
    text = require_honest(book, "en")
    assert "2026-08-29 to 2026-10-31" in text and "2025-11" not in text
    owed = receivables.receivables_month(book, "2026-10").owed
    assert owed["dso_days"].tolist() == [32.0], "half of what was sold in 64 days is unpaid"


def test_who_invoices_once_a_month_has_whole_months(make_book):
    lines = [
        {"dealer_id": "1", "date": periods.window(m).end, "revenue": Decimal("10.00")}
        for m in periods.month_range("2026-10", 3)
    ]
    covered = data.covered(make_book(brand="", sell_in=lines), "2026-10")
    assert (covered.start, covered.n_days, covered.n_months) == (dt.date(2026, 8, 1), 92, 3)
