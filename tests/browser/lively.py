"""A small edition whose page has every kind of table: cut, whole, wide, of dirty text, with cards.

Made without kernels; what it shows is what a page shows.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from nbformat import v4

import turns
from helpers import look, pareto, report, settings, words
from helpers.data import connections
from helpers.pareto import month, summary
from helpers.press import edition, editions, page_body

N_DEALERS, N_PRINTED = 260, 30
PAGE = "03_abc_pareto"
DIRTY = ("=2+5", "<b>bold</b>", '"><script>alert(1)</script>', "a\tb;c", "‮gnol", "x" * 90)
REGIONS, MANAGERS = ("East", "North & West", "南"), ("Ms. Zhou", "Mr. <Abel>", "")


def name_of(i: int) -> str:
    """Name the i-th dealer; some names would run, were they not text."""
    return DIRTY[i] if i < len(DIRTY) else f"Shop {i:03d}"


def make_edition(
    folder: Path, languages: tuple[str, ...] = ("en",), n_dealers: int = N_DEALERS
) -> Path:
    """Write an edition of one page, with the cards of the first three dealers; give its folder."""
    ids = [f"D{i:03d}" for i in range(n_dealers)]
    people = pd.DataFrame(
        {
            "dealer_id": ids,
            "dealer_name": [name_of(i) for i in range(n_dealers)],
            "region": [REGIONS[i % 3] for i in range(n_dealers)],
            "city": [f"City {i % 9}" for i in range(n_dealers)],
            "account_manager": [MANAGERS[i % 3] for i in range(n_dealers)],
        }
    )
    people.to_csv(folder / "dealers.csv", index=False)
    lines = "\n".join(f"{dealer},2026-10-{1 + i % 30:02d},5" for i, dealer in enumerate(ids))
    (folder / "sell_in.csv").write_text(f"dealer_id,date,revenue\n{lines}\n")
    (folder / "workbook.toml").write_text(
        '[workbook]\nname = "lively"\nbrand = "Norvella"\ncurrency = "CNY"\n'
        f'language = {json.dumps(languages)}\n[data.sell_in]\nsource = "sell_in.csv"\n'
        '[data.dealers]\nsource = "dealers.csv"\n'
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "CACHE", folder / "cache")
        book = settings.workbook(folder / "workbook.toml")
        shelves = {}
        for language in languages:
            look.use(language, "CNY")
            place = folder / "pages" / language / PAGE
            place.mkdir(parents=True)
            patch.setenv("WORKBOOK_PAGE", str(place))
            _write_page(place, people, network(n_dealers))
            patch.delenv("WORKBOOK_PAGE")
            shelves[language] = [
                editions.Printed(PAGE, place, kept=False),
                *(_card(folder / "pages" / language, dealer) for dealer in ids[:3]),
            ]
        edition.write_edition(folder / "new", book, "2026-10", languages, shelves, "0" * 16)
    words.speak("en")
    return folder / "new"


def network(n_dealers: int = N_DEALERS) -> pareto.AbcData:
    """Make up what the door tells of the dealers: amounts that tie, and some below zero."""
    rng = np.random.default_rng(5)
    made = {}
    for window in ("now", "before"):
        cents = np.rint(rng.lognormal(11, 1.2, (2, n_dealers)) / 50) * 50
        made[window] = pd.DataFrame(
            {
                "dealer_id": [f"D{i:03d}" for i in range(n_dealers)],
                "revenue": cents[0] / 100,
                "payments": cents[0] / 100,
                "gross_profit": np.where(rng.random(n_dealers) < 0.05, -1, 1) * cents[1] / 100,
                "brand_share": rng.integers(0, 9, n_dealers) / 9,
                "covered_revenue": cents[0] / 100,
            }
        )
    months = made["now"][["dealer_id", "revenue", "payments"]].assign(month="2026-10")
    none = pd.DataFrame(
        columns=["dealer_id", "class", "reason", "author", "valid_from", "valid_to"]
    ).astype({"valid_from": "datetime64[ns]", "valid_to": "datetime64[ns]"})
    quarters = made["now"].assign(window_end=pd.Timestamp("2026-10-31"))
    return pareto.AbcData("2026-10", made["now"], made["before"], quarters, months, none)


def _write_page(place: Path, people: pd.DataFrame, asked: pareto.AbcData) -> None:
    found = month.judge_month(asked, **turns.BASE)
    diagnoses = turns.diagnoses()
    judged = pareto.named(found.judged, people, diagnoses)
    moved = found.moved.merge(people[["dealer_id", "dealer_name"]], on="dealer_id")
    table = pareto.abc_table(judged, found.moved, people)
    report.publish("abc_pareto", table)
    rules = pareto.judging_rules(**found.options)
    turn = pareto.turnable(found, diagnoses, "2026-10")
    shown = pareto.shown(table)
    wide = pd.DataFrame({f"a long name of column {i}": range(30) for i in range(14)})
    outputs = [
        look.Prose(summary.bottom_line(judged, moved, None)),
        look.Prose(pareto.basis_sentences(judged, "", rules["weights"], rules["composite_cuts"])),
        look.rules(found.options),
        look.table(pareto.class_table(judged), note="Classes"),
        look.table(shown, note="Dealers", limit=N_PRINTED, anchors=shown["dealer_id"], turn=turn),
        look.table(people[["dealer_name", "city", "dealer_id"]].head(25), note="Some"),
        look.table(wide, note="Wide"),
        look.table(people[["dealer_id", "city"]].head(2), note="Two"),
    ]
    cells = [v4.new_markdown_cell("# Which dealers carry the business?")]
    for i, shown_output in enumerate(outputs):
        cells.append(v4.new_markdown_cell(f"## Section {i}"))
        markup = shown_output._repr_html_()
        output = v4.new_output("execute_result", {"text/html": markup})
        cells.append(v4.new_code_cell("x", outputs=[output]))
    _finish(place, v4.new_notebook(cells=cells))


def _card(folder: Path, dealer_id: str) -> editions.Printed:
    place = folder / f"card-{dealer_id}"
    place.mkdir()
    cells = [v4.new_markdown_cell(f"# Card\n\nOf {dealer_id}.")]
    _finish(place, v4.new_notebook(cells=cells))
    return editions.Printed("09_dealer_card", place, False, dealer_id, "us")


def _finish(place: Path, notebook) -> None:
    page_body.write_page(place, notebook, place.name)
    meta = json.loads((place / "meta.json").read_text(encoding="utf-8"))
    (place / "meta.json").write_text(json.dumps(meta | {"seconds": 1.0, "parameters": {}}))
