"""Names that hold whatever a name can hold: the whole edition, twice, through the real press."""

import json
import re

import pandas as pd
import pytest

from helpers import cli, files, report, settings, words
from helpers.data import connections
from helpers.data.values.text import UNSEEN
from helpers.demo import build
from helpers.press import editions, manifests

ENDS = [
    "\u2028",
    "\u2029",
    "\x85",
    "\r",
    "\r\n=1+1",
    "\n",
    "\x0b\x0c\x1c\x1d\x1e",
    "\x01\x07\x1b[31m",
    "\u202eabc",
    "שלום",
    "\t=cmd",
    ";=cmd|x",
    "$x^{$",
    "\\frac{",
    "\x7f\u200b\ufeff",
    "'\"<b>&</script>",
    "＝1",
    "/../",
    "]]>",
    "{{ 7 * 7 }}",
]
LONG = "长" * 5000 + "L" * 5000
COLUMNS = (
    "dealer_name",
    "dealer_name_en",
    "dealer_group",
    "account_manager",
    "account_manager_en",
    "account_manager_contact",
    "city",
    "city_en",
    "region",
    "region_en",
    "product_name",
    "category",
    "brand",
    "name",
    "owner",
    "participant",
    "candidate_name",
)
EDITIONS = ("2026-09", "2026-10")


pytestmark = pytest.mark.xdist_group("hostile")  # printed once, on one worker


def hostile_tables() -> dict[str, pd.DataFrame]:
    """Give the demo's tables with something in the middle of every name, the same for the same
    name; one is long.
    """
    made = build.make_tables(n_dealers=60, n_months=26)
    for turn, column in enumerate(COLUMNS):
        having = [table for table in made.values() if column in table]
        known = pd.concat([table[column] for table in having]).dropna().unique() if having else []
        other = {
            name: name + LONG
            if i == 3
            else name[: len(name) // 2] + ENDS[(i + turn) % len(ENDS)] + name[len(name) // 2 :]
            for i, name in enumerate(known)
        }
        made = {
            title: table.assign(
                **{column: table[column].map(other).where(table[column].notna(), table[column])}
            )
            if column in table
            else table
            for title, table in made.items()
        }
        if column == "brand":
            made["brand"] = other[build.BRAND]
    return made


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Two months' editions of it, with a card each."""
    folder = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "CACHE", folder / "cache")
        patch.setenv("WORKBOOK_CACHE", str(folder / "cache"))
        given = hostile_tables()
        title = "Title\u2028\u202e\x85 \r\n" + "T" * 10_000
        head = {"name": "hostile", "title": title, "brand": given.pop("brand"), "currency": "CNY"}
        lines = [
            "[workbook]",
            *(f"{key} = {json.dumps(value)}" for key, value in head.items()),
            "[data]",
        ]
        for name, table in given.items():
            table.to_parquet(folder / f"{name}.parquet")
            lines += [f"[data.{name}]", f'source = "{name}.parquet"']
        (folder / "workbook.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        book = settings.workbook(folder)
        for period in EDITIONS:
            made = report.print_edition(book, period, cards=1, out=folder / "reports")
            assert made.missing == []
            assert max(made.seconds.values()) < 300, "names take no minutes"
        words.speak("en")
        yield folder


def test_every_headline_comes_whole(place):
    kept = list((place / "reports" / ".pages").glob("*/headlines.jsonl"))
    assert len(kept) > 10
    lines = [line for path in kept for line in path.read_text(encoding="utf-8").split("\n") if line]
    assert all(json.loads(line)["place"] for line in lines)
    assert any(len(line.splitlines()) > 1 for line in lines), (
        "some hold what another reader takes for a line's end"
    )


@pytest.mark.parametrize("period", EDITIONS)
def test_no_text_on_a_page_breaks_its_layout_or_its_markup(place, period):
    pages = list((place / "reports" / period).rglob("*.html"))
    assert len(pages) > 6 + 1 + 3
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not re.search("[L长T]{200}", text), f"{page.name}: a name is not shortened"
        assert "\u202e" not in re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL), page.name
        assert "<b>&</script>" not in text and "49" not in re.findall(
            r"\{\{ 7 \* 7 \}\}|(?<=Shop)49", text
        )
        assert "could not be printed" not in text
    assert manifests.laid_in(place / "reports" / period) == []


@pytest.mark.parametrize("period", EDITIONS)
def test_names_are_whole_in_csv_and_excel(place, period):
    import openpyxl

    found = editions.read_tables(place / "reports" / period)
    names = (
        pd.read_parquet(place / "dealers.parquet").set_index("dealer_id")["dealer_name_en"].dropna()
    )
    judged = found["abc_pareto"].set_index("dealer_id")["dealer_name"]
    known = judged.index.intersection(names.index)
    assert len(known) > 40
    # what nobody sees and has no width is read away; all else stands as it was
    seen = names.str.replace(f"[{UNSEEN}]", "", regex=True)
    assert judged[known].to_dict() == seen[known].to_dict()
    assert judged.str.len().max() > 10_000
    book = openpyxl.load_workbook(
        place / "reports" / period / f"hostile-{period}.xlsx", read_only=True
    )
    assert len(book.sheetnames) == len(found) + 1
    for sheet in book:
        for row in sheet.iter_rows():
            assert all(cell.data_type != "f" for cell in row if cell.value is not None)


def test_plain_pandas_reads_as_many_rows(place):
    for path in sorted((place / "reports" / EDITIONS[1] / "tables").glob("*.csv")):
        found = files.read_table(path)
        assert pd.read_csv(path).shape == found.shape, path.name


def test_what_changed_is_told_without_steering_anything(place, capsys):
    asked = [
        "diff",
        *EDITIONS,
        "--config",
        str(place),
        "--editions",
        str(place / "reports"),
        "--out",
        str(place / "changes"),
    ]
    assert cli.main(asked) == 0
    told = capsys.readouterr().out
    assert "→" in told
    assert all(
        line.isprintable() for line in told.replace("\xa0", " ").replace("\u3000", " ").split("\n")
    )
    assert len(files.read_table(place / "changes" / "cells.csv")) > 100


def test_the_checks_say_it_without_steering_anything(place, capsys):
    assert cli.main(["check", "--config", str(place)]) in (0, 1)
    assert all(line.isprintable() for line in capsys.readouterr().out.split("\n"))
