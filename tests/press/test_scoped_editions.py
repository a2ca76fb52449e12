"""Editions of some dealers publish what data of these alone would, and stand apart."""

import json
import shutil

import pandas as pd
import pytest

from helpers import card, data, files, report, settings, words
from helpers.cli import main
from helpers.press import editions
from twins import twin

pytestmark = pytest.mark.xdist_group("scoped")  # printed once, on one worker
PERIOD = "2026-10"
# worked out for the whole network, then cut: goods cross the border with their age
OF_STOCK = {"inventory_age", "dead_stock", "move_proposal", "stock_months"}
# and so is what a piece costs a dealer who never bought it: as it costs the others
OF_STOCK |= {"channel", "stuffed_models", "count_gaps"}
SCOPE = {"region": ["东岸大区"], "store_format": ["independent", "department_store", "chain"]}


@pytest.fixture(scope="module")
def printed(small_demo, tmp_path_factory) -> tuple[settings.Workbook, settings.Workbook, dict]:
    """Print a scope of the small demo, and a workbook whose sources are cut by SQL."""
    folder = tmp_path_factory.mktemp("scoped")
    scoped = small_demo.only(**SCOPE)
    other = twin(small_demo, SCOPE, folder)
    made = {
        name: report.print_edition(
            book, PERIOD, languages=["en"], cards=1, out=folder / "editions" / name
        )
        for name, book in (("scoped", scoped), ("other", other))
    }
    return data.in_scope(scoped), other, made


def tables(edition: report.Edition) -> dict[str, pd.DataFrame]:
    places = sorted((edition.index.parent / "tables").glob("*.csv"))
    return {place.stem: files.read_table(place) for place in places}


def test_every_published_table_is_that_of_these_dealers_alone(printed):
    _scoped, _other, made = printed
    here, there = tables(made["scoped"]), tables(made["other"])
    assert set(here) == set(there)
    compared = set(here) - OF_STOCK
    assert len(compared) > 25
    for name in sorted(compared):
        try:
            pd.testing.assert_frame_equal(
                here[name], there[name], check_exact=False, rtol=1e-9, atol=1e-9
            )
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from None


def test_a_cards_tables_are_those_of_these_dealers_alone(printed):
    scoped, other, _made = printed
    (here, earned), (there, theirs) = (
        card.network_tables(book, PERIOD, "en") for book in (scoped, other)
    )
    for name in set(here) - {"aged", "dead", "lots", "held", "places"}:
        pd.testing.assert_frame_equal(here[name], there[name], rtol=1e-9)
    for before, after in zip(earned, theirs, strict=True):
        if isinstance(before, pd.DataFrame):
            pd.testing.assert_frame_equal(before, after, rtol=1e-9)


def test_the_pages_say_among_whom(printed, small_demo):
    scoped, _other, made = printed
    n, place = len(data.dealers(scoped)), made["scoped"].index.parent
    said = f"Of {n} dealers: classes, places and shares are made among these."
    for page in (made["scoped"].index, *place.glob("0*.html")):
        text = page.read_text("utf-8").replace(words.NO_BREAK, " ")
        assert text.count(said) == 1
        assert "Region" in text and "Store format" in text
    manifest = json.loads((place / "manifest.json").read_text("utf-8"))
    assert manifest["scope"] == settings.scope_text(scoped.scope)
    assert place.parent.parent.name == editions.SCOPES
    other = made["other"].index.read_text("utf-8").replace(words.NO_BREAK, " ")
    assert said not in other


def test_an_edition_of_all_is_never_replaced_and_each_value_has_its_own(
    make_book, tmp_path, capsys
):
    dealers = "dealer_id,region\nA,East\nB,West\nC,\n"
    sold = "dealer_id,date,revenue\nA,2026-10-05,10\nB,2026-10-31,20\nC,2026-10-31,5\n"
    book, out = make_book(dealers=dealers, sell_in=sold), tmp_path / "editions"
    asked = ["report", "--config", str(book.path), "--out", str(out), "--language", "en"]
    asked += ["--only", "abc_pareto"]
    assert main(asked) == 0
    whole = (out / "2026-10-draft" / "index.html").read_bytes()
    assert main([*asked, "--each", "region"]) == 0
    printed = capsys.readouterr().out.splitlines()
    places = sorted((out / "scopes").glob("region-*/2026-10-draft/index.html"))
    assert len(places) == 2 and sorted(printed[-3:-1]) == sorted(map(str, places))
    assert printed[-1] == str(out / "scopes" / "index.html")
    assert (out / "2026-10-draft" / "index.html").read_bytes() == whole
    assert main([*asked, "--each", "regionn"]) == 2
    assert main([*asked, "--scope", "region=North"]) == 2
    told = capsys.readouterr().err
    assert "no column 'regionn'; did you mean 'region'" in told
    assert "no dealer has region 'North'" in told


def test_one_that_fails_stops_no_other(make_book, tmp_path, capsys):
    """A scope whose place somebody else has taken."""
    dealers = "dealer_id,region\nA,East\nB,West\n"
    sold = "dealer_id,date,revenue\nA,2026-10-05,10\nB,2026-10-31,20\n"
    book, out = make_book(dealers=dealers, sell_in=sold), tmp_path / "editions"
    taken = editions.base(book.only(region="East"), out) / "2026-10-draft"
    taken.mkdir(parents=True)
    (taken / "mine.txt").write_text("mine", encoding="utf-8")
    asked = ["report", "--config", str(book.path), "--out", str(out), "--language", "en"]
    assert main([*asked, "--only", "abc_pareto", "--each", "region"]) == 2
    assert (taken / "mine.txt").read_text(encoding="utf-8") == "mine"
    west = editions.base(book.only(region="West"), out) / "2026-10-draft"
    assert (west / "index.html").is_file()
    assert "was not printed by the workbook" in capsys.readouterr().err
    shutil.rmtree(out)
