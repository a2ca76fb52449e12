"""Checks: what in the data is wrong, or right but worth knowing, counted in the engine with an
example each.
"""

import contextlib
import difflib
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from helpers import files, words
from helpers.data import levels, matches, oddities, places, readers
from helpers.data.connections import cache_of
from helpers.data.findings import Finding
from helpers.data.reference import reference
from helpers.data.tables import described, errors, fingerprint, table, where_it_lies
from helpers.settings import PLAN_STATUSES, DataError, Workbook, contract

REFERS_TO = {  # column → the table whose key it should be found in
    "dealer_id": "dealers",
    "to_dealer_id": "dealers",
    "product_id": "products",
    "consumer_id": "consumers",
    "promotion_id": "promotions",
}
# what of a file has an advice of its own
ADVISED = ("file_wide", "file_labels", "file_like_total", "file_total_differs", "file_balance")
AMOUNTS = ("revenue", "amount", "cost", "rebate", "quantity", "unit_cost", "gross_profit")
# of goods, in the order of one day
MOVE_KINDS = ("opening", "receipt", "return", "transfer", "sale")
UNSIGNED = ("cost", "rebate", "gross_profit")  # zero is nothing to remark on


def findings(book: Workbook) -> pd.DataFrame:
    """Gather all that the checks find, errors first.

    Returns
    -------
    DataFrame
        `table`, `column`, `check`, `severity` ("error" or "warning"), `n_rows`, `example`,
        `file`, `line` (where the example stands, where that is known), `advice`.
    """
    found = [finding for name in book.tables for finding in errors(book, name)]
    brands = [] if found else _brand_findings(book)
    ids = [] if found else _kept(book, "ids", matches.id_findings)
    if not found:
        found = [
            *nothing_errors(book),
            *_errors(brands),
            *_errors(ids),
            *override_errors(book),
            *plan_errors(book),
        ]
    if not found:
        found = [*brands, *ids, *_kept(book, "checks", _all_warnings)]
    rows = pd.DataFrame(found, columns=Finding._fields)
    rows["advice"] = [words.say(f"check.{_advice(check)}") for check in rows["check"]]
    return rows


def rows_of(book: Workbook) -> dict[str, int]:
    """Count the rows of the tables that can be read."""
    found = {}
    for name in book.tables:
        with contextlib.suppress(DataError):
            found[name] = described(book, name).get("rows", 0)
    return found


def _advice(check: str) -> str:
    """Name the sentence on a check: those of a file's rows and cells share one each."""
    if check.startswith("rows_"):
        return "not_rows"
    return "as_found" if check.startswith("file_") and check not in ADVISED else check


def nothing_errors(book: Workbook) -> list[Finding]:
    """Find out whether there is any sale at all: headers alone make no report."""
    given = [name for name in ("sell_in", "sell_out") if book.has(name)]
    if any(described(book, name).get("rows") for name in given):
        return []
    return [Finding(name, "", "nothing", "error", 0, "") for name in given]


def override_errors(book: Workbook) -> list[Finding]:
    """Find classes set by hand that are none.

    L and – are found by the judgement, not set by people.
    """
    if not book.has("overrides"):
        return []
    wrong = table(book, "overrides").filter(_["class"].notin(["A", "B", "C"]) | _["class"].isnull())
    row = wrong.agg(n=_.count(), example=_["class"].min()).to_pandas().iloc[0]
    return (
        [Finding("overrides", "class", "letter", "error", int(row["n"]), str(row["example"]))]
        if row["n"]
        else []
    )


def plan_errors(book: Workbook) -> list[Finding]:
    """Find what makes no sense in the plan, where a page of it would stop the edition.

    A factor that `factors.csv` does not have, a due date before the start, a target outside 0 to
    10, a status that is none.
    """
    if not book.has("plan"):
        return []
    rows = table(book, "plan").to_pandas().reindex(columns=list(contract()["plan"]))
    known = reference(book, "factors")["factor_id"].astype("str")
    start, due = (pd.to_datetime(rows[column]) for column in ("start_date", "due_date"))
    target = rows["target_score"].astype("float64")
    wrong = {
        ("factor_id", "no_factor"): ~rows["factor_id"].astype("str").isin(known),
        ("due_date", "due_before_start"): due < start,
        ("target_score", "no_score"): target.notna() & ~target.between(0, 10),
        ("status", "no_status"): rows["status"].notna() & ~rows["status"].isin(PLAN_STATUSES),
    }
    return [
        Finding("plan", column, check, "error", int(bad.sum()), str(rows.loc[bad, column].iloc[0]))
        for (column, check), bad in wrong.items()
        if bad.any()
    ]


def brand_errors(book: Workbook) -> list[Finding]:
    """Find out whether our brand, as the settings write it, occurs in the data at all.

    A table of rivals only is no error where another one has our brand, and this none that is spelt
    nearly so.
    """
    return _errors(_brand_findings(book))


def _errors(found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.severity == "error"]


def _brand_findings(book: Workbook) -> list[Finding]:
    found, is_told = [], False
    for name in ("sell_in", "products", "dealer_profit"):
        if not (book.brand and book.has(name) and "brand" in table(book, name).columns):
            continue
        counted = (
            table(book, name)
            .group_by("brand")
            .agg(n=_.count())
            .order_by([ibis.desc("n"), "brand"])
            .to_pandas()
        )
        is_told |= book.brand in set(counted["brand"])
        if len(counted) and book.brand not in set(counted["brand"]):
            brands = [str(b) for b in counted["brand"].dropna().head(50)]
            found.append(
                Finding(
                    name, "brand", "brand", "error", int(counted["n"].sum()), " | ".join(brands)
                )
            )
    if not is_told:
        return found
    return [
        finding
        if _is_spelt_nearly(book.brand, finding.example.split(" | "))
        else finding._replace(check="rivals_only", severity="warning")
        for finding in found
    ]


def _is_spelt_nearly(brand: str, brands: list[str]) -> bool:
    plain = [name.strip().casefold() for name in brands]
    return bool(difflib.get_close_matches(brand.strip().casefold(), plain, 1, cutoff=0.8))


def require_conservation(totals: pd.DataFrame, reconciliation: pd.DataFrame) -> None:
    """Raise if dealers and lines without a dealer do not add up to the total, to the cent."""
    for row in reconciliation.itertuples():
        gap = round(totals[row.indicator].sum() + row.unidentified - row.total, 2)
        if abs(gap) >= 0.01:
            raise AssertionError(
                f"{row.indicator}: dealers and unidentified lines miss the total by {gap:,.2f}"
            )


def id_errors(book: Workbook) -> list[Finding]:
    """Find ids that split a dealer in two; see `matches.id_findings`.

    A server's tables are asked only where they are checked.
    """
    return _errors(_kept(book, "ids", matches.id_findings)) if book.embedded else []


def _all_warnings(book: Workbook) -> list[Finding]:
    found = [finding for name in book.tables for finding in _warnings(book, name)]
    # a file that several tables are made of says what it left out once
    once: dict[object, Finding] = {}
    for finding in found:
        place = finding[2:] if finding.file else finding
        once.setdefault(place, finding)
    return list(once.values())


def _kept(
    book: Workbook, what: str, found_in: Callable[[Workbook], list[Finding]]
) -> list[Finding]:
    """Keep what was found with the tables it was found in.

    Counting 25 million lines is worth doing once.
    """
    if not book.embedded:  # what a server holds may change at any time
        return found_in(book)
    modules = (__file__, levels.__file__, matches.__file__, oddities.__file__, places.__file__)
    read_by = b"".join(Path(module).read_bytes() for module in modules)
    code = hashlib.sha256(read_by).hexdigest()[:8]
    kept = cache_of(book) / f"{book.name}.{what}.{fingerprint(book)}-{code}.json"
    if kept.exists():
        return [Finding(*row) for row in json.loads(kept.read_text(encoding="utf-8"))]
    found = found_in(book)
    own = rf"{re.escape(book.name)}\.{what}\.[0-9a-f]{{16}}-[0-9a-f]{{8}}\.json"
    files.clear(kept.parent, re.compile(own), 0)
    files.write(kept, json.dumps(found), synced=False)
    return found


def _warnings(book: Workbook, name: str) -> list[Finding]:
    lines = table(where_it_lies(book, name), name)
    found = [Finding(*note) for note in described(book, name).get("notes", [])]
    found += [
        *_read_notes(book, name),
        *_amounts(name, lines),
        *_unidentified(name, lines),
        *oddities.outside_span(name, lines.columns, described(book, name)["months"]),
        *oddities.magnitude_slips(name, lines),
        *oddities.swapped_places(name, lines),
        *oddities.near_brands(book, name, lines),
    ]
    if not any(column.key for column in contract()[name].values()):
        found += _repeated(name, lines)
    if name == "stock_moves":
        found += _moves(name, lines)
    if name == "targets":
        found += levels.findings(lines)
    for column, other in REFERS_TO.items():
        if column in lines.columns and other != name and book.has(other):
            found += _unknown(name, column, table(book, name), table(book, other))
    return places.placed(book, name, found)


def _read_notes(book: Workbook, name: str) -> list[Finding]:
    """Tell what of the files is not among the rows: titles, totals, blank rows, remarks."""
    found = []
    for file, _n_rows, _n_in_file, notes in described(book, name).get("files", ()):
        for note in (readers.Note(*note) for note in notes):
            if readers.is_remarkable(note):
                check = f"{'rows' if note.is_left_out else 'file'}_{note.what}"
                place = (file, note.line)
                found.append(Finding(name, "", check, "warning", note.n_rows, note.example, *place))
    return found


def _amounts(name: str, lines: Table) -> list[Finding]:
    """Count negative and zero amounts in one pass, with the largest negative and a row of zero as
    examples.
    """
    asked = [c for c in AMOUNTS if c in lines.columns and c in contract()[name]]
    if not asked:
        return []
    row = (
        lines.agg(
            **{f"{c}_negative": (lines[c] < 0).sum().fill_null(0) for c in asked},
            **{f"{c}_least": lines[c].min().cast("float64") for c in asked},
            **{f"{c}_zero": (lines[c] == 0).sum().fill_null(0) for c in asked},
            **{f"{c}_empty": lines[c].isnull().sum().fill_null(0) for c in asked},
        )
        .to_pandas()
        .iloc[0]
    )
    found = []
    for c in asked:
        found.append(
            Finding(
                name,
                c,
                "negative",
                "warning",
                int(row[f"{c}_negative"]),
                f"{row[f'{c}_least']:,.2f}",
            )
        )
        if c not in UNSIGNED:
            found.append(Finding(name, c, "zero", "warning", int(row[f"{c}_zero"]), "0"))
        found.append(Finding(name, c, "empty", "warning", int(row[f"{c}_empty"]), ""))
    return [finding for finding in found if finding.n_rows]


def _unidentified(name: str, lines: Table) -> list[Finding]:
    """Count lines without a dealer: they stay in the totals and are nobody's."""
    if "dealer_id" not in lines.columns or name in ("scores", "plan", "targets"):
        return []
    n = int(lines.dealer_id.isnull().sum().fill_null(0).execute())
    return [Finding(name, "dealer_id", "unidentified", "warning", n, "")] if n else []


def _moves(name: str, lines: Table) -> list[Finding]:
    """Count moves of goods that tell no direction, and transfers that do not say where to."""
    to = lines.to_dealer_id if "to_dealer_id" in lines.columns else ibis.null("string")
    strange = lines.kind.notin(MOVE_KINDS)
    lost = (lines.kind == "transfer") & to.isnull()
    row = (
        lines.agg(
            strange=strange.sum().fill_null(0),
            kind=lines.kind.min(where=strange),
            lost=lost.sum().fill_null(0),
            giver=lines.dealer_id.min(where=lost),
        )
        .to_pandas()
        .iloc[0]
    )
    found = [
        Finding(name, "kind", "direction", "warning", int(row["strange"]), str(row["kind"])),
        Finding(name, "to_dealer_id", "taker", "warning", int(row["lost"]), str(row["giver"])),
    ]
    return [finding for finding in found if finding.n_rows]


def _repeated(name: str, lines: Table) -> list[Finding]:
    """Count lines that repeat another in every column.

    They are kept, for a till may sell the same thing twice.
    """
    rows, lines = int(lines.count().execute()), oddities.with_document(name, lines)
    if lines.get_backend().name != "duckdb":
        alike = lines.group_by(lines.columns).agg(number_of_lines=_.count())
        extra = alike.agg(n=(_.number_of_lines.sum() - _.count()).fill_null(0))
        n = int(extra.to_pandas()["n"].iloc[0])
    else:
        # hashes take a tenth of the memory of whole rows, and a collision among 10⁸ lines is rare
        columns = ", ".join(f'"{c}"' for c in lines.columns)
        counted = lines.alias("counted").sql(
            f"SELECT COUNT(*) - COUNT(DISTINCT hash({columns})) AS n FROM counted"
        )
        n = int(counted.to_pandas()["n"].iloc[0])
    n = oddities.repeats_counted(name, lines, rows, n)
    return [Finding(name, "", "repeated", "warning", n, "")] if n else []


def _unknown(name: str, column: str, lines: Table, other: Table) -> list[Finding]:
    used = lines.filter(lines[column].notnull()).group_by(column).agg(n=_.count())
    row = used.anti_join(
        other, column if column in other.columns else [used[column] == other.dealer_id]
    ).agg(n=_.n.sum().fill_null(0), example=_[column].min())
    n, example = row.to_pandas().iloc[0]
    return [Finding(name, column, "unknown", "warning", int(n), str(example))] if n else []
