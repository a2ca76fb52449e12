"""Whether two editions publish the same.

Every table, row and cell, and what is said on the front page.

    .venv/bin/python tests/published.py BEFORE AFTER

Each is an edition, or a folder of editions; exit code 0 where nothing differs, 1 where something
does, 2 where there is nothing to compare. Tables are read as plain text, past what the product
reads them with: a fault there shows, too.
"""

import argparse
import csv
import io
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from helpers import files, settings, words

CENTS = 0.005  # an amount written to the cent is at most this far from the one it was rounded from
# relative and absolute: sums of the same lines in another order differ by less
SAME, TINY = 1e-9, 1e-12
# 00123 is the number of a shop
NUMBER = re.compile(r"-?(?:(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|inf)")
DATE = re.compile(r"\d{4}-\d\d(?:-\d\d)?")
GUARD = re.compile(r"'+(?=[=+\-@＝＋－＠;\t\r\n])")  # what keeps a spreadsheet from running a cell
SHOWN = 60  # characters of a cell in the list of differences
BETWEEN = " · "  # the parts of a key
WORDS = "…"  # stands for a text, where only numbers are compared
KINDS = {
    "edition_gone": "the edition is gone",
    "edition_new": "a new edition",
    "table_gone": "the table is gone, with {of} rows",
    "table_new": "a new table of {of} rows",
    "column_gone": "the column is gone",
    "column_new": "a new column",
    "column_renamed": "the column is now called {after}",
    "row_gone": "{n} of {of} rows are gone, e.g. {key}",
    "row_new": "{n} of {of} rows are new, e.g. {key}",
    "order": "{n} of {of} rows stand elsewhere, e.g. {key}: {before} → {after}",
    "torn": "lines without as many cells as the head: {before} → {after}",
    "cell": "{n} of {of} cells differ{most}, e.g. {key}: {before} → {after}",
}


class Table(NamedTuple):
    """A published table as its file spells it.

    The names of its columns, its rows, how many lines are torn.
    """

    columns: list[str]
    rows: list[list[str]]
    n_torn: int = 0


class Difference(NamedTuple):
    """One way in which a table differs: its kind, of `KINDS`.

    How many of how many; one of them as an example.

    Of cells the example is the pair of numbers furthest apart, `most` being how far, else the first
    pair.
    """

    table: str
    kind: str
    column: str = ""
    n: int = 1
    of: int = 1
    key: str = ""
    before: str = ""
    after: str = ""
    most: float = math.nan

    def __str__(self) -> str:
        most = "" if math.isnan(self.most) else f", by {self.most:.6g} at most"
        told = {
            "before": _short(self.before),
            "after": _short(self.after),
            "key": _short(self.key),
            "most": most,
        }
        place = f"{self.table}.{self.column}" if self.column else self.table
        return f"{place}: {KINDS[self.kind].format_map(self._asdict() | told)}"


# ---- reading -------------------------------------------------------------------------------------


def read_table(path: Path) -> Table:
    """Read a CSV file as text; a column's name that comes again is numbered."""
    csv.field_size_limit(2**31 - 1)
    text = path.read_bytes().decode("utf-8-sig", errors="backslashreplace")
    head, *rows = list(csv.reader(io.StringIO(text, newline=""))) or [[]]
    if len(head) == 1:  # an empty line is a row whose only cell is empty
        rows = [row or [""] for row in rows]
    seen: Counter = Counter()
    columns = []
    for name in head:
        seen[name] += 1
        columns.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    whole = [row for row in rows if len(row) == len(columns)]
    return Table(columns, whole, len(rows) - len(whole))


def read_edition(folder: Path) -> dict[str, dict[str, Table]]:
    """Read all tables of an edition by language, with its pages, cards and headlines as further
    tables in brackets.
    """
    places = [folder, *sorted(path.parent for path in folder.glob("*/manifest.json"))]
    found = {}
    for place in places:
        manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
        tables = {path.stem: read_table(path) for path in sorted((place / "tables").glob("*.csv"))}
        found[manifest["language"]] = tables | _facts(manifest, folder.parent / ".pages")
    return found


def editions(folder: Path) -> dict[str, Path]:
    """Find the editions that a folder holds, by name; an edition holds itself.

    Raises
    ------
    FileNotFoundError
        If there are none.
    """
    if (folder / "manifest.json").is_file():
        return {"": folder}
    found = {path.parent.name: path.parent for path in sorted(folder.glob("*/manifest.json"))}
    if not found:
        raise FileNotFoundError(
            f"{folder}: no edition here (a folder with a manifest.json), nor in its folders"
        )
    return found


def _facts(manifest: Mapping, shelf: Path) -> dict[str, Table]:
    """Lay out what a manifest tells, and what the pages it names hand to the front page, where
    these are kept still.

    A page is named by its question, whatever its number was.
    """
    pages, cards = manifest["pages"], manifest.get("cards", [])
    found = {
        "(pages)": Table(
            ["page_id", "title", "tables"],
            [
                [settings.question_of(page["name"]), page["title"], ", ".join(page["tables"])]
                for page in pages
            ],
        ),
        "(cards)": Table(
            ["card_id", "failed"],
            [[f"{card['dealer_id']}/{card['audience']}", card["failed"]] for card in cards],
        ),
    }
    rows = []
    for page in pages:
        if not (shelf / page["key"]).is_dir():
            return found
        said, seen = shelf / page["key"] / "headlines.jsonl", Counter()
        # not splitlines: a name may hold what Unicode takes for a line's end
        lines = said.read_text(encoding="utf-8").split("\n") if said.is_file() else []
        for line in map(json.loads, filter(None, lines)):
            seen[line["place"]] += 1
            # sums of the same lines in another order differ in the last places
            trend = " ".join(f"{number:.9g}" for number in line.get("trend", []))
            question = settings.question_of(page["name"])
            name = f"{question}/{line['place']}/{seen[line['place']]}"
            line["link"] = settings.question_of(line.get("link", ""))
            rows.append(
                [
                    name,
                    *(line.get(c, "") for c in ("label", "text", "change", "tone", "link")),
                    trend,
                ]
            )
    columns = ["headline_id", "label", "text", "change", "tone", "link", "trend"]
    return found | {"(headlines)": Table(columns, rows)}


# ---- comparing -----------------------------------------------------------------------------------


def compared(before: Path, after: Path) -> Iterator[tuple[str, Difference]]:
    """Compare editions, or folders of them.

    Each difference with the edition and language it was found in.
    """
    old, new = editions(before), editions(after)
    if "" in old or "" in new:  # one edition against one, whatever their months
        for folder, found in ((before, old), (after, new)):
            if len(found) > 1:
                raise FileNotFoundError(
                    f"{folder}: {len(found)} editions here; name one: {', '.join(found)}"
                )
        old, new = ({"": next(iter(found.values()))} for found in (old, new))
    for name in sorted({*old, *new}):
        if name not in old or name not in new:
            yield name, Difference(name, "edition_new" if name not in old else "edition_gone")
            continue
        told, tells = read_edition(old[name]), read_edition(new[name])
        for language in dict.fromkeys([*told, *tells]):
            where = f"{name} {language}".strip()
            if language not in told or language not in tells:
                yield (
                    where,
                    Difference(where, "edition_new" if language not in told else "edition_gone"),
                )
                continue
            one, other = told[language], tells[language]
            # a copy came without the pages it was bound from
            if ("(headlines)" in one) != ("(headlines)" in other):
                one.pop("(headlines)", None), other.pop("(headlines)", None)
            yield from ((where, found) for found in differences(one, other))


def differences(before: Mapping[str, Table], after: Mapping[str, Table]) -> list[Difference]:
    """Compare tables by their names; see `KINDS` for what may differ.

    Rows are the same where their keys are. Numbers are equal up to a billionth part, and amounts of
    money up to half a cent, so that one written to the cent equals the one it was rounded from.
    Texts are equal letter by letter.
    """
    found = []
    for name in dict.fromkeys([*before, *after]):
        if name in before and name in after:
            found += _of_table(name, before[name], after[name])
        else:
            rows = (before.get(name) or after[name]).rows
            found.append(
                Difference(name, "table_gone" if name in before else "table_new", of=len(rows))
            )
    return found


def numbers(tables: Mapping[str, Table]) -> dict[str, Table]:
    """Put one sign in place of every text that is no id and no date.

    What is left is the same in all languages.

    Rows without an id stand in the order of their numbers: names are sorted otherwise in each
    language.
    """

    def plain(column: str, cell: str) -> str:
        kept = (
            not cell or column.endswith("_id") or DATE.fullmatch(cell) or _number(cell) is not None
        )
        return cell if kept else WORDS

    found = {}
    for name, table in tables.items():
        rows = [
            [plain(c, cell) for c, cell in zip(table.columns, row, strict=True)]
            for row in table.rows
        ]
        if not any(column.endswith("_id") for column in table.columns):
            rows.sort(
                key=lambda row: [
                    (_number(cell) is None, _number(cell) or 0.0, cell) for cell in row
                ]
            )
        found[name] = table._replace(rows=rows)
    return found


def _of_table(name: str, before: Table, after: Table) -> list[Difference]:
    found = []
    if before.n_torn != after.n_torn:
        found.append(Difference(name, "torn", before=str(before.n_torn), after=str(after.n_torn)))
    renamed = _renamed(before, after)
    found += [Difference(name, "column_renamed", old, after=new) for old, new in renamed.items()]
    before = before._replace(columns=[renamed.get(column, column) for column in before.columns])
    shared = [column for column in after.columns if column in before.columns]
    found += [
        Difference(name, "column_gone", column) for column in before.columns if column not in shared
    ]
    found += [
        Difference(name, "column_new", column) for column in after.columns if column not in shared
    ]
    if not shared:
        return found
    old_rows, new_rows = _by_key(name, before, after, shared)
    for kind, ones, others in (("row_gone", old_rows, new_rows), ("row_new", new_rows, old_rows)):
        left = [key for key in ones if key not in others]
        if left:
            found.append(Difference(name, kind, n=len(left), of=len(ones), key=left[0]))
    both = [key for key in old_rows if key in new_rows]
    places = {key: i for i, key in enumerate((key for key in new_rows if key in old_rows), start=1)}
    moved = [(key, i) for i, key in enumerate(both, start=1) if places[key] != i]
    if moved:
        key, place = moved[0]
        found.append(
            Difference(
                name,
                "order",
                n=len(moved),
                of=len(both),
                key=key,
                before=f"row {place}",
                after=f"row {places[key]}",
            )
        )
    for column in shared:
        pairs = [(key, old_rows[key][column], new_rows[key][column]) for key in both]
        if unequal := [pair for pair in pairs if not _equal(column, shared, *pair[1:])]:
            found.append(_cells(name, column, unequal, len(pairs)))
    return found


def _cells(name: str, column: str, unequal: list[tuple[str, str, str]], n_pairs: int) -> Difference:
    apart = {}
    for i, (_key, old, new) in enumerate(unequal):
        if not _is_text(column) and None not in (values := (_number(old), _number(new))):
            apart[i] = abs(values[1] - values[0])
    example = max(apart, key=apart.__getitem__, default=0)
    return Difference(
        name, "cell", column, len(unequal), n_pairs, *unequal[example], apart.get(example, math.nan)
    )


def _equal(column: str, beside: Iterable[str], old: str, new: str) -> bool:
    if old == new:
        return True
    one, other = (None, None) if _is_text(column) else (_number(old), _number(new))
    if one is None or other is None or math.isinf(one) or math.isinf(other):
        return one is not None and one == other
    exact = SAME * max(abs(one), abs(other)) + TINY
    return abs(one - other) <= exact + CENTS * files.is_amount(column, beside)


def _is_text(column: str) -> bool:
    return column.endswith(("_id", "_name"))


def _number(text: str) -> float | None:
    return float(text) if NUMBER.fullmatch(text) else None


def _renamed(before: Table, after: Table) -> dict[str, str]:
    """Find columns under another name.

    The same values in the same order, and not the same one throughout.
    """
    if len(before.rows) != len(after.rows):
        return {}
    found: dict[str, str] = {}
    for old in before.columns:
        values = _column(before, old) if old not in after.columns else []
        if len(set(values)) < 2:
            continue
        for new in after.columns:
            pairs = zip(values, _column(after, new), strict=True)
            if new not in (*before.columns, *found.values()) and all(
                _equal(new, (), *pair) for pair in pairs
            ):
                found[old] = new
                break
    return found


def _column(table: Table, name: str) -> list[str]:
    place = table.columns.index(name)
    return [row[place] for row in table.rows]


# ---- keys ----------------------------------------------------------------------------------------


def _by_key(name: str, before: Table, after: Table, shared: list[str]) -> tuple[dict, dict]:
    """Give both tables' rows by key, in their order; rows of one key are numbered.

    Of a table that nobody tells the key of, it is the first id, else all columns without numbers.
    """
    told = words.key(name) or [column for column in shared if column.endswith("_id")][:1]
    cells = {column: _column(before, column) + _column(after, column) for column in shared}
    texts = [column for column in shared if all(_number(cell) is None for cell in cells[column])]
    key = [column for column in told if column in shared] or texts
    return tuple(_keyed(table, key, shared) for table in (before, after))


def _keyed(table: Table, key: list[str], shared: list[str]) -> dict[str, dict[str, str]]:
    places = {column: table.columns.index(column) for column in shared}
    found, seen = {}, Counter()
    for row in table.rows:
        name = BETWEEN.join(_spelled(column, row[places[column]]) for column in key)
        seen[name] += 1
        again = f"#{seen[name]}" if seen[name] > 1 or not key else ""
        unique = " ".join(filter(None, [", ".join(key), name, again]))
        found[unique] = {column: row[place] for column, place in places.items()}
    return found


def _spelled(column: str, cell: str) -> str:
    """Spell a part of a key in one way, however an edition writes numbers and keeps formulas from
    running.
    """
    number = None if _is_text(column) else _number(cell)
    return f"{number:.12g}" if number is not None else GUARD.sub("", cell) or "–"


# ---- command -------------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """Compare two editions, or two folders of them, and list what differs."""
    parser = argparse.ArgumentParser(description="Whether two editions publish the same.")
    parser.add_argument("before", type=Path, help="an edition, or a folder of editions")
    parser.add_argument("after", type=Path, help="the other")
    options = parser.parse_args(arguments)
    try:
        found = list(compared(options.before, options.after))
    except (FileNotFoundError, json.JSONDecodeError) as error:
        print(f"published: {error}", file=sys.stderr)
        return 2
    where = None
    for place, difference in found:
        if place != where:
            print(place or options.after.name)
            where = place
        print(f"  {difference}")
    tables = {(place, difference.table) for place, difference in found}
    print(f"{len(found)} differences in {len(tables)} tables" if found else "nothing differs")
    return 1 if found else 0


def _short(text: str) -> str:
    plain = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text) or "nothing"
    return plain if len(plain) <= SHOWN else f"{plain[: SHOWN - 1]}…"


if __name__ == "__main__":
    sys.exit(main())
