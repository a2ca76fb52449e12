"""Workbooks that lack something, and what a page that is printed of them must not show.

`CASES` are generated from the contract: every table and column that may be missing, singly and in
pairs, short histories, few dealers, losses, an absent brand. `complaints` is the verdict on a page.
"""

import concurrent.futures
import html
import itertools
import json
import random
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from helpers import periods, report, settings, words
from helpers.demo import build
from helpers.press import diff, editions, pages, printing

Tables = dict[str, pd.DataFrame]
Bodies = Mapping[tuple[str, str], str]  # of pages, by name and language
LAST = "2026-10"
FIRST = periods.shift(LAST, -1)  # of the two months that are printed
N_MONTHS, N_DEALERS = 26, 60
HISTORIES = (1, 2, 3, 5, 11, 12, 13, 25)
PAIRED = ("sell_in.cost", "sell_in.brand", "sell_in.product_id", "sell_in.quantity", "dealers")
N_PAIRS = 30
SPAN = {
    "sell_in": "date",
    "payments": "date",
    "targets": "month",
    "dealer_profit": "month",
    "stock": "snapshot_date",
    "stock_moves": "date",
    "sell_out": "date",
    "contacts": "sent_date",
    "scores": "scored_date",
}
NOTEBOOKS = sorted(settings.NOTEBOOKS.glob("[01]*.ipynb"))


class Case(NamedTuple):
    """A workbook that lacks something.

    `table` or `table.column`, and how the whole one is changed.
    """

    name: str
    missing: tuple[str, ...]
    change: Callable[[Tables], Tables]
    brand: str = build.BRAND

    def __str__(self) -> str:
        """Name it in a list of tests."""
        return self.name


def _without(*missing: str) -> Callable[[Tables], Tables]:
    def change(tables: Tables) -> Tables:
        kept = dict(tables)
        for what in missing:
            table, _, column = what.partition(".")
            if column == "*":
                known = settings.contract()[table]
                kept[table] = kept[table][[c for c in kept[table] if c in known]]
            elif column:
                rows, known = kept[table].drop(columns=column), settings.contract()[table]
                key = [c for c in rows if c in known and known[c].key]
                # who has no such column has no two rows that only it tells apart
                kept[table] = rows.drop_duplicates(key) if known[column].key else rows
            else:
                kept.pop(table, None)
        return kept

    return change


def _months(n: int) -> Callable[[Tables], Tables]:
    """Keep n months before the last one, and the last.

    An edition has n, the next one a month more.
    """
    first = periods.shift(LAST, -n)

    def change(tables: Tables) -> Tables:
        return {
            name: rows[rows[SPAN[name]].astype(str).str[:7] >= first] if name in SPAN else rows
            for name, rows in tables.items()
        }

    return change


def _dealers(n: int) -> Callable[[Tables], Tables]:
    """Keep the n dealers who buy most."""

    def change(tables: Tables) -> Tables:
        ids = set(tables["sell_in"].groupby("dealer_id")["revenue"].sum().nlargest(n).index)
        return {
            name: rows[rows["dealer_id"].isin(ids)] if "dealer_id" in rows else rows
            for name, rows in tables.items()
        }

    return change


def _all_lose(tables: Tables) -> Tables:
    sold = tables["sell_in"]
    return {**tables, "sell_in": sold.assign(cost=sold["revenue"] * 2)}


def _some_lose(tables: Tables) -> Tables:
    sold = tables["sell_in"]
    thin = sold["dealer_id"].isin(sorted(sold["dealer_id"].dropna().unique())[::7])
    return {**tables, "sell_in": sold.assign(cost=sold["cost"].mask(thin, sold["revenue"] * 2))}


def _half_cost(tables: Tables) -> Tables:
    """Forget the cost of every other line, and of every fifth dealer's lines altogether."""
    sold = tables["sell_in"].reset_index(drop=True)
    known = (sold.index % 2 == 0) & ~sold["dealer_id"].isin(
        sorted(sold["dealer_id"].dropna().unique())[::5]
    )
    return {**tables, "sell_in": sold.assign(cost=sold["cost"].where(known))}


def _brand_gone(tables: Tables) -> Tables:
    """Let every line of the last three months be a rival's."""
    sold = tables["sell_in"]
    late = sold["date"].astype(str).str[:7] > periods.shift(LAST, -3)
    return {**tables, "sell_in": sold.assign(brand=sold["brand"].mask(late, build.RIVALS[0]))}


def _only(**columns: str) -> Callable[[Tables], Tables]:
    """Keep these tables with these columns (a space between two) and nothing else."""
    return lambda tables: {name: tables[name][kept.split()] for name, kept in columns.items()}


def _empty(table: str) -> Callable[[Tables], Tables]:
    """Leave a table its header only."""
    return lambda tables: {**tables, table: tables[table].head(0)}


SOLD = ["dealer_id", "date", "revenue"]


def _each(sign: float) -> Callable[[Tables], Tables]:
    """Keep three columns of sell-in, each line turned into a refund, or into nothing."""
    return lambda tables: {
        "sell_in": tables["sell_in"][SOLD].assign(revenue=lambda rows: rows["revenue"].abs() * sign)
    }


def _one_cost(tables: Tables) -> Tables:
    """Let the cost of one dealer be known, who makes a loss."""
    sold = tables["sell_in"][[*SOLD, "cost"]]
    of_one = sold["dealer_id"].eq(sold["dealer_id"].dropna().min())
    return {"sell_in": sold.assign(cost=(sold["revenue"] * 2).where(of_one))}


def _nobody(tables: Tables) -> Tables:
    return {"sell_in": tables["sell_in"][SOLD].assign(dealer_id=None)}


def _receipts(sign: float = 1.0, n_consumers: int = 0) -> Callable[[Tables], Tables]:
    """Keep three columns of sell-out, of some consumers or all, as purchases or as returns."""

    def change(tables: Tables) -> Tables:
        rows = tables["sell_out"][["date", "amount", "consumer_id"]]
        if n_consumers:
            in_turn = [f"C{i % n_consumers}" for i in range(len(rows))]
            rows = rows.assign(consumer_id=in_turn)
        return {"sell_out": rows.assign(amount=rows["amount"].abs() * sign)}

    return change


def _own_scores(tables: Tables) -> Tables:
    given = dict.fromkeys(("rank", "missing", "n_active", "expected_revenue"), 5.0)
    return {**tables, "candidates": tables["candidates"].assign(**given)}


def _cases() -> list[Case]:
    optional = [
        f"{t}.{c}"
        for t, known in settings.contract().items()
        if t != "overrides"
        for c, column in known.items()
        if not column.required
    ]
    tables = [table for table in settings.contract() if table not in ("sell_in", "overrides")]
    made = [Case(f"no {what}", (what,), _without(what)) for what in (*tables, *optional)]
    made.append(Case("sell-out only", ("sell_in",), _without("sell_in")))
    pairs = list(itertools.combinations(PAIRED, 2))
    others = [p for p in itertools.combinations(tables, 2) if not set(p) <= set(PAIRED)]
    pairs += random.Random(12).sample(others, N_PAIRS - len(pairs))
    made += [Case(f"no {a}, no {b}", (a, b), _without(a, b)) for a, b in pairs]
    made += [Case(f"{n} months", (), _months(n)) for n in HISTORIES]
    made += [Case(f"{n} dealers", (), _dealers(n)) for n in (1, 2, 3)]
    made += [Case(f"{table} empty", (table,), _empty(table)) for table in tables]
    sold = "dealer_id date revenue"
    return [
        *made,
        Case("all lose", (), _all_lose),
        Case("some lose", (), _some_lose),
        Case("half the cost", (), _half_cost),
        Case("brand gone", (), _brand_gone),
        Case("no brand told", (), dict, brand=""),
        Case("three columns", tuple(tables), _only(sell_in=sold)),
        Case(
            "three columns, two months",
            tuple(tables),
            lambda t: _months(2)(_only(sell_in=sold)(t)),
            brand="",
        ),
        Case("four columns", tuple(tables), _only(sell_in=f"{sold} cost"), brand=""),
        Case(
            "three columns and payments",
            tuple(tables),
            _only(sell_in=sold, payments="dealer_id date amount"),
        ),
        Case("till receipts", ("sell_in", *tables), _only(sell_out="date amount")),
        Case(
            "till receipts by dealer",
            ("sell_in", *tables),
            _only(sell_out="date amount dealer_id product_id"),
        ),
        Case(
            "till receipts by consumer",
            ("sell_in", *tables),
            _only(sell_out="date amount consumer_id"),
        ),
        Case(
            "four columns, all lose",
            tuple(tables),
            lambda t: _only(sell_in=f"{sold} cost")(_all_lose(t)),
            brand="",
        ),
        Case("one cost, a loss", tuple(tables), _one_cost, brand=""),
        Case("refunds only", tuple(tables), _each(-1.0), brand=""),
        Case("revenue of zero", tuple(tables), _each(0.0), brand=""),
        Case("no line has a dealer", tuple(tables), _nobody, brand=""),
        Case("receipts of returns only", ("sell_in", *tables), _receipts(sign=-1.0)),
        Case("receipts of two consumers", ("sell_in", *tables), _receipts(n_consumers=2)),
        Case("scores called as ours", ("candidates",), _own_scores),
    ]


CASES = _cases()
# of the pairs and of the tables of which only the header is there, in the suite; the matrix has
# them all
SAMPLED = 10
# a table, a history, a network of few, or next to nothing: the next month meets what this one
# published
EDITIONS = {
    case.name
    for case in CASES
    if case.name.startswith(("three", "four", "till", "sell-out", "all", "brand"))
    # each is followed by a month more
    or re.fullmatch(r"(1|3|5|11|25) months|[12] dealers", case.name)
    or (len(case.missing) == 1 and "." not in case.missing[0] and case.name.startswith("no "))
}


def whole() -> Tables:
    """Give the tables of a small network that lacks nothing."""
    return build.make_tables(n_dealers=N_DEALERS, n_months=N_MONTHS, last_month=LAST)


def lay_out(tables: Tables, folder: Path) -> Path:
    """Write the tables of the network that lacks nothing, for the cases that leave them alone."""
    folder.mkdir(parents=True)
    for name, rows in tables.items():
        rows.to_parquet(folder / f"{name}.parquet", index=False)
    return folder


def write_case(folder: Path, case: Case, tables: Tables, laid: Path) -> settings.Workbook:
    """Write a case's tables and its toml, and read that.

    What the case leaves alone stays where it is `laid` out: one file of one name has its canonical
    table once, not once a case.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "[workbook]",
        f'name = "{folder.name}"',
        'title = "Some network"',
        f'brand = "{case.brand}"',
        'currency = "CNY"',
        'language = ["en", "zh-Hans"]',
    ]
    for name, rows in case.change(tables).items():
        source = laid / f"{name}.parquet"
        if rows is not tables.get(name):
            source = folder / source.name
            rows.to_parquet(source, index=False)
        lines += [f"[data.{name}]", f"source = {json.dumps(str(source))}"]
    (folder / "workbook.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return settings.workbook(folder)


# ---- printing ------------------------------------------------------------------------------------


def print_pages(
    book: settings.Workbook,
    names: Iterable[str],
    languages: Sequence[str],
    periods_: Sequence[str],
    folder: Path,
    whole: Bodies | None = None,
) -> dict[str, list[str]]:
    """Print pages as the press does, unbound, each by itself; give the complaints about each.

    `whole` are the bodies of the pages where nothing is missing.
    """
    found = {}
    chosen = [path for path in NOTEBOOKS if path.stem in names]
    for period in periods_:
        made_of = pages.ingredients(book, folder, period)
        for page in pages.ready_pages(book, chosen, languages, period, made_of):
            (folder / "work").mkdir(parents=True, exist_ok=True)
            outcome = printing.print_page(
                page, folder, folder / "work", made_of["data"], printing.usual_limits()
            )
            place, before = (
                folder / ".pages" / page.key,
                (whole or {}).get((page.name, page.language), ""),
            )
            said = [outcome.reason] if outcome.reason else complaints(place, before)
            found[f"{page.name} {period} {page.language}"] = said
    return found


def print_editions(
    book: settings.Workbook,
    languages: Sequence[str],
    folder: Path,
    executor: concurrent.futures.Executor,
    whole: Bodies | None = None,
    names: Collection[str] = (),
    first: Collection[str] = (),
) -> dict[str, list[str]]:
    """Print a month and the next one with the press, with a card, and compare them.

    Give the complaints about all.

    `names` chooses pages, and `first` those of the first month: all where none is given.
    """
    found: dict[str, list[str]] = {}
    for month, chosen in ((FIRST, first or names), (LAST, names)):
        notebooks, n_cards = (
            folder.parent / f"notebooks of {month}",
            int(not chosen or pages.CARD in map(settings.question_of, chosen)),
        )
        shutil.copytree(settings.NOTEBOOKS, notebooks)
        for path in pages.notebooks_asked_for(notebooks):
            if chosen and path.stem not in chosen:
                path.unlink()
        try:
            made = report.print_edition(
                book,
                month,
                languages=languages,
                cards=n_cards,
                out=folder,
                executor=executor,
                notebooks=notebooks,
            )
        except settings.DataError as error:
            return found | {month: str(error).split("\n")}
        found[month] = list(made.missing)
        for place in sorted(folder.glob(".pages/*")):
            meta = json.loads((place / "meta.json").read_text(encoding="utf-8"))
            name = f"{meta['name']} {meta['parameters']['period']} {meta['language']}"
            before = (
                ""
                if meta["parameters"].get("audience")
                else (whole or {}).get((meta["name"], meta["language"]), "")
            )
            # a card for one reader has half of the headings
            found.setdefault(name, complaints(place, before))
        for page in sorted((folder / month).rglob("*.html")):
            body = page.read_text(encoding="utf-8")
            if page.stem in ("index", "managers") or page.stem.startswith("manager"):
                found[str(page.relative_to(folder))] = body_complaints(body[body.index("<main") :])
    words.speak(languages[0], book.currency)
    before, after = (editions.read_tables(folder / month) for month in (FIRST, LAST))
    lines = [*diff.sentences(before, after), *diff.summary(diff.changes(before, after))]
    return found | {"diff": [line for line in lines if NOTHING.search(line)]}


def whole_bodies(tables: Tables, languages: Sequence[str], folder: Path, laid: Path) -> Bodies:
    """Print all pages of the workbook that lacks nothing, and give their bodies."""
    book = write_case(folder / "book", Case("whole", (), dict), tables, laid)
    found = print_pages(
        book, [path.stem for path in NOTEBOOKS], languages, [LAST], folder / "editions"
    )
    assert not any(found.values()), found
    places = {
        place: json.loads((place / "meta.json").read_text(encoding="utf-8"))
        for place in (folder / "editions" / ".pages").iterdir()
    }
    return {
        (meta["name"], meta["language"]): (place / "page.html").read_text(encoding="utf-8")
        for place, meta in places.items()
    }


# ---- the verdict ---------------------------------------------------------------------------------

NOTHING = re.compile(r"(?<![\w.-])(?:nan|NaN|NaT|None|inf|-inf|<NA>)(?![\w-])|(?<!\w)NaN(?!\w)")
BLOCK = re.compile(r"<h([1-6])[^>]*>(.*?)</h\1>", re.DOTALL)


def complaints(page: Path, whole: str = "") -> list[str]:
    """Judge a finished page: its body, its headlines and its tables.

    `whole` is its body where nothing is missing.
    """
    body = (page / "page.html").read_text(encoding="utf-8")
    found = [*body_complaints(body), *(unsaid(body, whole) if whole else [])]
    if (page / "headlines.jsonl").exists():
        for line in (page / "headlines.jsonl").read_text(encoding="utf-8").split("\n"):
            told = json.loads(line) if line else {}
            found += [
                f"headline {told['place']}: {told[key]}"
                for key in ("text", "label", "change")
                if told and NOTHING.search(told[key])
            ]
    for table in sorted((page / "tables").glob("*.csv")):
        text = table.read_text(encoding="utf-8-sig")
        found += [
            f"{table.name}: {match[0]}" for match in itertools.islice(NOTHING.finditer(text), 1)
        ]
    return found


def body_complaints(body: str) -> list[str]:
    """Judge the body of a page.

    No words of a computer, no heading without text, nothing said twice.

    >>> body_complaints("<h2>Ages</h2><h2>Moves</h2><ul class='prose'><li>It is nan.</li></ul>")
    ['nothing under "Ages"', 'nan: It is nan.']
    """
    found = []
    heads = list(BLOCK.finditer(body))
    for head, following in itertools.zip_longest(heads, heads[1:]):
        below = body[head.end() : following.start() if following else len(body)]
        is_over = following and int(following[1]) > int(head[1])
        if not is_over and not _text(below) and "<svg" not in below and "<img" not in below:
            found.append(f'nothing under "{_text(head[2])}"')
    for text in _texts(body):
        found += [
            f"{match[0]}: {text[:200]}" for match in itertools.islice(NOTHING.finditer(text), 1)
        ]
    said = sentences(body)
    found += [f"said twice: {text}" for text in dict.fromkeys(said) if said.count(text) > 1]
    return found


def unsaid(body: str, whole: str) -> list[str]:
    """Complain about a section that is gone without a sentence that says why."""
    lost = [heading for heading in headings(whole) if heading not in headings(body)]
    fresh = set(sentences(body)) - set(sentences(whole))
    return [f"gone without a word: {', '.join(lost)}"] if lost and not fresh else []


def sentences(body: str) -> list[str]:
    """List what a page says in sentences: its lists, its notes, and its paragraphs."""
    found = re.findall(r'<li>(.*?)</li>|<p(?: class="note")?>(.*?)</p>', body, re.DOTALL)
    return [_text(item) for items in found for item in items if item]


def headings(body: str) -> list[str]:
    """List the headings of a page."""
    return [_text(match[2]) for match in BLOCK.finditer(body)]


def _texts(body: str) -> list[str]:
    alternative = [
        html.unescape(text) for text in re.findall(r'(?:aria-label|alt|title)="([^"]*)"', body)
    ]
    # letters are outlines: what it says is its label; and a page's script is read by nobody
    drawn = re.sub(r"<(svg|script)\b.*?</\1>", "", body, flags=re.DOTALL)
    return [
        *alternative,
        *(html.unescape(text).strip() for text in re.split(r"<[^>]+>", drawn) if text.strip()),
    ]


def _text(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", markup)).strip()


# ---- what a page asks the door for ---------------------------------------------------------------

RECORDER = textwrap.dedent(
    """
    import json, re, sys
    import matplotlib
    import matplotlib.pyplot
    matplotlib.use("agg")
    import nbformat
    from ibis.backends.duckdb import Backend
    from ibis.expr import operations as ops
    from helpers import settings
    from helpers.data import cache, tables

    cache.IN_USE = False
    asked, views = set(), {}
    opened, compiled = tables.table, Backend.compile

    def recorded(book, name):
        lines = opened(book, name)
        asked.add(name)
        views[lines.op().name] = name
        return lines

    def compile(self, expr, *args, **kwargs):
        op = expr.op()
        names = {views[t.name] for t in op.find(ops.DatabaseTable) if t.name in views}
        words = {field.name for field in op.find(ops.Field)}
        words |= set(getattr(getattr(op, "schema", None), "names", ()))
        for text in op.find((ops.SQLStringView, ops.SQLQueryResult)):
            words |= set(re.findall(r"\\w+", text.query))
        for name in names:
            known = settings.contract()[name]
            asked.update(f"{name}.{word}" for word in words if word in known)
            if "*" in known and words - set(known):
                asked.add(f"{name}.*")
        return compiled(self, expr, *args, **kwargs)

    Backend.compile = compile
    for module in [m for name, m in sys.modules.items() if name.startswith("helpers.data")]:
        if getattr(module, "table", None) is opened:
            module.table = recorded
    config, period, *paths = sys.argv[1:]
    found = {}
    for path in paths:
        asked.clear()
        scope = {}
        for cell in nbformat.read(path, 4).cells:
            if cell.cell_type == "code" and "interactive" not in cell.metadata.get("tags", []):
                exec(cell.source, scope)
                if "parameters" in cell.metadata.get("tags", []):
                    scope |= {"config": config, "period": period}
        matplotlib.pyplot.close("all")
        found[path] = sorted(asked)
    print(json.dumps(found))
    """
)


def asked_for(book: settings.Workbook, period: str) -> dict[str, set[str]]:
    """Tell which tables and columns each page asks the door for.

    Notebook → names as `table` and `table.column`.
    """
    command = [sys.executable, "-c", RECORDER, str(book.path), period, *map(str, NOTEBOOKS)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    return {
        Path(path).stem: set(asked)
        for path, asked in json.loads(run.stdout.split("\n")[-2]).items()
    }


def pages_that_read(case: Case, asked: Mapping[str, set[str]]) -> list[str]:
    """List the pages that ask for what a case lacks.

    All of them where it lacks no table or column.
    """
    if not case.missing:
        return list(asked)
    return [name for name, known in asked.items() if set(case.missing) & known]
