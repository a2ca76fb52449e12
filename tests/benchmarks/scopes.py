"""Editions of some dealers against editions of data that hold no others.

Five scopes of the whole demo and one town of Iowa (`IOWA_DATA` names the folder of its files, see
`examples/iowa`): each is printed twice, every page and ten cards for both readers, as a scope and
from a second toml whose sources are cut by SQL. Every published table, what the pages say on the
front page, every dossier and every table of the cards must be the same: ids, letters and order
alike, money to the cent, other numbers to a billionth part. Stock is worked out for the whole
network and then cut, hence its tables are held against the filtered network, once from counts and
once from moves alone, where goods cross the border with their age. Last, the editions of
`--each region` and what is in no scope must add up to the network.

    python tests/benchmarks/scopes.py [--only TEXT]

Exit code 1 if anything differs.
"""

import argparse
import contextlib
import html
import io
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import duckdb
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

import published
from helpers import card, data, files, inventory, report, settings
from helpers.card import dossier
from helpers.cli import main as command
from helpers.data import connections
from helpers.inventory import month, moves
from helpers.press import editions
from helpers.press.kernels import end_kernels
from helpers.settings import options
from twins import twin

ROOT = Path(__file__).parents[2]
DEMO, IOWA = ROOT / "workbook.toml", ROOT / "examples" / "iowa" / "full.toml"
PERIOD, IOWA_PERIOD = "2026-10", "2022-10"
EAST = {"region": ["东岸大区"]}
SCOPES = {
    "a region": EAST,
    "two regions": {"region": ["南丘大区", "江口大区"]},
    "a manager": {"account_manager": ["王晓琳"]},
    "a format": {"store_format": ["department_store"]},
    "a region's urban shops": {**EAST, "area_type": ["urban"]},
}
OF_MOVES = "a format, from moves alone"
TOWN = "AMES"
N_CARDS = 10
OF_STOCK = ("stock_months", "inventory_age", "dead_stock", "move_proposal")
# a dealer's facts do not depend on who else is there; his letters and places do
FACTS = {
    "abc_pareto": ("revenue", "covered_revenue", "gross_profit", "payments"),
    "receivables": ("revenue", "payments", "balance", "recent_revenue", "recent_payments"),
    "inventory_age": ("value", "old_value", "dead_value"),
}
# the same from the files, past the workbook: each line is rounded to the cent, then summed
CENT = "CAST({} AS DECIMAL(18, 2))"
MONEY = {name: CENT.format(name) for name in ("revenue", "rebate", "cost", "amount")}
RAW = {
    "revenue": ("sell_in", MONEY["revenue"]),
    "gross_profit": ("sell_in", "{revenue} - coalesce({rebate}, 0) - {cost}".format_map(MONEY)),
    "payments": ("payments", MONEY["amount"]),
}
WINDOW = "date >= DATE '2025-11-01' AND date < DATE '2026-11-01'"


# ---- one scope -----------------------------------------------------------------------------------


def compared(
    scoped: settings.Workbook, other: settings.Workbook, period: str, folder: Path
) -> tuple[list[str], int, int]:
    """Print both; give what differs, and how many tables and cards were compared."""
    # an edition is told apart by its workbook's name, which is no result
    places = {}
    for name, book in (("scoped", scoped), ("other", other)):
        made = report.print_edition(
            book,
            period,
            languages=["en"],
            cards=N_CARDS,
            audiences=dossier.AUDIENCES,
            out=folder / name,
        )
        assert not made.missing, made.missing
        places[name] = made.index.parent
    end_kernels()
    here, there = (published.read_edition(places[name])["en"] for name in ("scoped", "other"))
    ids = set(data.dealers(other)["dealer_id"])
    there |= as_files(filtered_stock(data.in_scope(scoped), ids, period), set(here), folder)
    # what a page says of its stock is the filtered network's, too, which has no page
    said = [str(difference) for difference in published.differences(here, there)]
    said += list(of_cards(scoped, other, period, places))
    n_cards = len(list(cards_of(places["scoped"])))
    if n_cards != N_CARDS * len(dossier.AUDIENCES):
        said.append(f"{n_cards} cards were printed")
    return said, sum(name[0] != "(" for name in here), n_cards


def filtered_stock(
    scoped: settings.Workbook, ids: Collection[str], period: str
) -> dict[str, pd.DataFrame]:
    """Give the published tables of stock, of the whole network's layers and flows, filtered."""
    rules = options.options_in_force(month.judge_month, scoped, {})
    whole = month.read_month(scoped.whole, period, rules["n_history"])

    def cut(rows: pd.DataFrame) -> pd.DataFrame:
        return rows[rows["dealer_id"].isin(ids)].reset_index(drop=True)

    there = {
        name: found._replace(layers=cut(found.layers), remarks=cut(found.remarks))
        for name, found in whole.on_hand.items()
    }
    flows = {name: cut(rows) for name, rows in whole.flows.items()}
    found = month.judge_month(month.StockData(period, there, flows, cut(whole.dealers)), **rules)
    dealers, models = cut(data.dealers(scoped.whole)), data.models(scoped.whole)
    lots = inventory.move_table(found.lots, dealers, models, pace_days=rules["pace_days"])
    return {
        "stock_months": found.history,
        "inventory_age": inventory.named(found.held, dealers),
        "dead_stock": inventory.named(found.dead, dealers, models),
        "move_proposal": moves.published(lots),
    }


def as_files(
    tables: Mapping[str, pd.DataFrame], wanted: Collection[str], folder: Path
) -> dict[str, published.Table]:
    """Write tables as an edition does, and read them as the comparator reads an edition's."""
    found = {}
    for name, rows in tables.items():
        if name in wanted:
            files.write_table(folder / f"{name}.csv", rows)
            found[name] = published.read_table(folder / f"{name}.csv")
    return found


# ---- cards ---------------------------------------------------------------------------------------


def of_cards(
    scoped: settings.Workbook, other: settings.Workbook, period: str, places: Mapping[str, Path]
) -> Iterator[str]:
    """Tell which dossiers, and which tables of printed cards, are not the same."""
    sides = [(data.in_scope(book), *network(book, period)) for book in (scoped, other)]
    ids = [data.dealers_by_size(book, period)[:N_CARDS] for book, _tables, _earned in sides]
    if ids[0] != ids[1]:
        yield f"cards of {ids[0]} and {ids[1]}"
        return
    for dealer_id in ids[0]:
        for audience in dossier.AUDIENCES:
            one, two = (
                dossier.dossier(dealer_id, audience, period, book.brand, **tables)
                for book, tables, _earned in sides
            )
            for field, here, there in zip(one._fields, one, two, strict=True):
                if reason := unequal(here, there):
                    yield f"card of {dealer_id} for {audience}, {field}: {reason}"
    for place in cards_of(places["scoped"]):
        twin_of = places["other"] / place.relative_to(places["scoped"])
        shown = [shown_tables(path) for path in (place, twin_of)]
        if shown[0] != shown[1]:
            yield f"{place.name}: {first_apart(*shown)}"


def network(book: settings.Workbook, period: str) -> tuple:
    return card.network_tables(data.in_scope(book), period, "en")


def cards_of(edition: Path) -> list[Path]:
    return [path for path in sorted((edition / "cards").rglob("*.html")) if path.stem != "index"]


def unequal(here: object, there: object) -> str:
    """Say how two fields differ; "" where they don't."""
    try:
        if isinstance(here, pd.DataFrame):
            pd.testing.assert_frame_equal(
                here.reset_index(drop=True), there.reset_index(drop=True), rtol=1e-9, atol=1e-9
            )
        elif isinstance(here, pd.Series):
            pd.testing.assert_series_equal(here, there, rtol=1e-9, check_names=False)
        else:
            assert here == there, f"{here!r}, {there!r}"
    except AssertionError as error:
        return " ".join(str(error).split())
    return ""


def shown_tables(page: Path) -> list[str]:
    """Give the rows of a page's tables as a reader sees them."""
    body = page.read_text(encoding="utf-8")
    rows = re.findall(r"<tr\b.*?</tr>", body, re.DOTALL)
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", row)).split()) for row in rows]


def first_apart(one: list[str], other: list[str]) -> str:
    pair = next(
        (pair for pair in zip(one, other, strict=False) if pair[0] != pair[1]),
        (f"{len(one)} rows", f"{len(other)} rows"),
    )
    return " → ".join(map(repr, pair))


# ---- workbooks -----------------------------------------------------------------------------------


def without_counts(folder: Path) -> settings.Workbook:
    """Write the demo's toml without counts of stock: what lies there is told by the moves."""
    folder.mkdir(parents=True)
    text = DEMO.read_text(encoding="utf-8").replace('"data/demo', f'"{ROOT}/data/demo')
    told = f'[data.stock]\nsource = "{ROOT}/data/demo/stock.parquet"\n'
    assert told in text
    (folder / "workbook.toml").write_text(text.replace(told, ""), encoding="utf-8")
    return settings.workbook(folder)


def town_of_iowa(folder: Path) -> settings.Workbook:
    """Write a second toml for Iowa: dealers, cities and lines of one town only."""
    folder.mkdir(parents=True)
    text, inside = IOWA.read_text(encoding="utf-8"), f"\"City\" = '{TOWN}'"
    stores = f"(select * from stores where {inside})"
    items = 'left join items using ("Item Number")'
    cut = {
        'source = "${IOWA_DATA}/stores.csv"': f"query = '''select * from {stores}'''",
        'is not null group by "City"': f'is not null and {inside} group by "City"',
        # the lines' number is text, the stores' is none
        items: f'{items} where cast("Store Number" as varchar) in (select cast("Store Number" '
        f"as varchar) from {stores})",
    }
    for old, new in cut.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "workbook.toml").write_text(text, encoding="utf-8")
    return settings.workbook(folder)


def of_moves(folder: Path) -> list[str]:
    """Hold the stock of a format, told by moves alone, against the filtered network's."""
    scope = SCOPES["a format"]
    scoped = without_counts(folder / "book").only(**scope)
    made = report.print_edition(
        scoped, PERIOD, languages=["en"], only=["inventory_age"], out=folder / "scoped"
    )
    end_kernels()
    rows = data.records(scoped.whole, "dealers")
    ids = set(rows.loc[rows["store_format"].isin(scope["store_format"]), "dealer_id"])
    here = published.read_edition(made.index.parent)["en"]
    assert data.on_hand(scoped, PERIOD).source == "stock_moves"
    borders = duckdb.sql(
        f"SELECT count(*) FROM '{ROOT}/data/demo/stock_moves.parquet' WHERE kind = 'transfer' AND "
        f"(dealer_id IN {tuple(ids)}) <> (to_dealer_id IN {tuple(ids)})"
    ).fetchone()[0]
    print(f"  {borders} transfers cross the border of {len(ids)} dealers", flush=True)
    there = as_files(filtered_stock(data.in_scope(scoped), ids, PERIOD), OF_STOCK, folder)
    return [str(d) for d in published.differences({n: here[n] for n in OF_STOCK}, there)]


# ---- sums ----------------------------------------------------------------------------------------


def regions_add_up(folder: Path) -> list[str]:
    """Print each region by the command, and the network, and add up."""
    asked = ["report", PERIOD, "--config", str(DEMO), "--out", str(folder), "--language", "en"]
    for more in ([], ["--each", "region"]):
        with contextlib.redirect_stdout(io.StringIO()):
            code = command([*asked, *more])
        assert code == 0, code
    end_kernels()
    book, said = settings.workbook(DEMO), []
    whole, parts = folder / PERIOD, sorted((folder / editions.SCOPES).glob(f"*/{PERIOD}"))
    known = data.records(book, "dealers")
    placed = set(known.dropna(subset=["region"])["dealer_id"])
    if len(parts) != known["region"].nunique():
        said.append(f"{len(parts)} editions of {known['region'].nunique()} regions")
    sums = {}
    for name, columns in FACTS.items():
        rows = files.read_table(whole / "tables" / f"{name}.csv")
        inside = pd.concat([files.read_table(p / "tables" / f"{name}.csv") for p in parts])
        outside = rows[~rows["dealer_id"].isin(placed)]
        both = pd.concat([inside, outside])
        if sorted(both["dealer_id"]) != sorted(rows["dealer_id"]):
            said.append(f"{name}: {len(inside)} + {len(outside)} dealers, not {len(rows)}")
        for column in columns:
            sums[name, column] = both[column].sum()
            if abs(both[column].sum() - rows[column].sum()) >= published.CENTS:
                said.append(f"{name}.{column}: {both[column].sum()} → {rows[column].sum()}")
    # past the workbook: all lines of the window, and those that name no dealer, from the files
    for column, (name, amount) in RAW.items():
        query = (
            f"SELECT sum(amount), coalesce(sum(amount) FILTER (dealer_id IS NULL), 0) FROM (SELECT "
            f"dealer_id, {amount} AS amount FROM '{ROOT}/data/demo/{name}.parquet' WHERE {WINDOW})"
        )
        total, nobodys = map(float, duckdb.sql(query).fetchone())
        told = sums["abc_pareto", column] + nobodys
        print(f"  {column}: {told:,.2f} of {total:,.2f}, {nobodys:,.2f} of it names no dealer")
        if abs(told - total) >= published.CENTS:
            said.append(f"{column}: {told} → {total} in the files")
    return said


# ---- all of them ---------------------------------------------------------------------------------


def scope_of_demo(scope: Mapping[str, list[str]], folder: Path) -> tuple[list[str], int, int]:
    book = settings.workbook(DEMO)
    (folder / "twin").mkdir(parents=True)
    return compared(book.only(**scope), twin(book, dict(scope), folder / "twin"), PERIOD, folder)


def of_town(folder: Path) -> tuple[list[str], int, int]:
    other = town_of_iowa(folder / "twin")
    return compared(settings.workbook(IOWA).only(city=TOWN), other, IOWA_PERIOD, folder)


def main() -> int:
    """Compare all; exit 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", metavar="TEXT", help="those whose name holds this")
    options_ = parser.parse_args()
    parts: dict[str, Callable[[Path], object]] = {
        name: lambda folder, scope=scope: scope_of_demo(scope, folder)
        for name, scope in SCOPES.items()
    }
    parts |= {
        OF_MOVES: of_moves,
        f"Iowa: {TOWN}": of_town,
        "each region and nobody's": regions_add_up,
    }
    if not os.environ.get("IOWA_DATA"):
        print("Iowa is left out: IOWA_DATA does not say where its files are")
        parts.pop(f"Iowa: {TOWN}")
    n_wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        # the project's would grow by all these
        connections.CACHE = Path(folder) / "cache"
        os.environ["WORKBOOK_CACHE"] = str(connections.CACHE)
        for i, (name, part) in enumerate(parts.items()):
            if options_.only not in name:
                continue
            started = time.monotonic()
            found = part(Path(folder) / str(i))
            said, *counts = found if isinstance(found, tuple) else (found,)
            told = "{} tables and {} cards: ".format(*counts) if counts else ""
            verdict = f"{len(said)} differences" if said else "nothing differs"
            print(f"{name}: {told}{verdict}, {time.monotonic() - started:.0f} s", flush=True)
            for line in said:
                print(f"  {line}", flush=True)
            n_wrong += bool(said)
    return int(n_wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
