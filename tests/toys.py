"""Toy notebooks and a toy workbook, for the tests of the press."""

import json
from pathlib import Path

import nbformat
from nbformat import v4

from helpers import settings

PARAMETERS = (
    'period: str = ""  # month\nconfig: str = "workbook.toml"  # whose data\nlanguage: str = '
    '"en"  # en or zh'
)


def cell(source: str, *tags: str, text: bool = False):
    made = v4.new_markdown_cell(source) if text else v4.new_code_cell(source)
    made.metadata.tags = list(tags)
    return made


def write_notebook(folder: Path, name: str, *cells) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    first = [cell(f"# Title of {name}", text=True), cell(PARAMETERS, "parameters")]
    nbformat.write(v4.new_notebook(cells=[*first, *cells]), folder / f"{name}.ipynb")
    return folder / f"{name}.ipynb"


def write_book(folder: Path, language: str = '["en"]', revenue: int = 5) -> settings.Workbook:
    rows = [f"00{i},2026-{month:02d}-28,{revenue + i}" for month in (9, 10) for i in range(1, 4)]
    (folder / "sell_in.csv").write_text(
        "\n".join(["dealer_id,date,revenue", *rows, f",2026-10-30,{revenue}"]) + "\n"
    )
    (folder / "workbook.toml").write_text(
        '[workbook]\nname = "tiny"\ntitle = "Tiny <b>"\nbrand = "Ours"\ncurrency = '
        f'"CNY"\nlanguage = {language}\ngenerated = true\n[data.sell_in]\nsource = '
        '"sell_in.csv"\n',
        encoding="utf-8",
    )
    return settings.workbook(folder / "workbook.toml")


def write_manifest(place: Path, workbook: str = "tiny", **more) -> Path:
    """Make a folder an edition of a workbook, as far as others look at it."""
    place.mkdir(parents=True, exist_ok=True)
    told = {
        "workbook": workbook,
        "period": place.name,
        "printed": "2026-11-02T05:30:00",
        "pages": [],
        "cards": [],
    }
    (place / "manifest.json").write_text(json.dumps(told | more), encoding="utf-8")
    return place
