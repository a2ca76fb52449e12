"""Warnings name their file and line, and files that hold the same lines name each other."""

import random

import openpyxl
import pytest

from helpers.data import checks, places, telling
from helpers.settings import workbook

HEAD = "dealer_id,date,revenue,cost"


def rows(month: str, n: int = 12, seed: int = 1) -> list[str]:
    draw = random.Random(f"{month} {seed}")
    return [
        f"D{draw.randint(1, 5)},{month}-{i + 1:02},{draw.randint(100, 99999) / 100:.2f},1.00"
        for i in range(n)
    ]


@pytest.fixture
def found(tmp_path, cache):
    """Give the warnings of files of one pattern, as they are told."""

    def made(**files: list[str]) -> list[dict]:
        for name, lines in files.items():
            (tmp_path / f"m_{name}.csv").write_text("\n".join([HEAD, *lines]) + "\n")
        toml = tmp_path / "workbook.toml"
        toml.write_text(
            '[workbook]\nname = "small"\ncurrency = "EUR"\n[data.sell_in]\nsource = "m_*.csv"\n'
        )
        book = workbook(toml)
        return telling.told(book, checks.findings(book), {})

    return made


def of(told: list[dict], check: str) -> list[dict]:
    return [row for row in told if row["check"] == check]


@pytest.mark.parametrize("change", ["same", "shuffled", "more", "fewer"])
def test_files_that_hold_the_same_lines_name_each_other(found, change):
    one, other = rows("2026-09"), rows("2026-09")
    if change == "shuffled":
        random.Random(3).shuffle(other)
    other = [*other, *rows("2026-10")] if change == "more" else other
    other = [*rows("2026-08"), *other[4:]] if change == "fewer" else other
    other = [*other, "D1,2026-10-01,1.00,1.00"] if change == "same" else other
    n = len(set(one) & set(other))
    [told] = of(found(a=one, b=other), "overlap")
    where = [i + 2 for i, row in enumerate(other) if row in one]
    assert (told["n_rows"], told["file"], told["line"]) == (n, "m_b.csv", min(where))
    lines = [i + 2 for i, row in enumerate(one) if row in other]
    assert told["example"] == (
        f"m_a.csv:{min(lines)}–{max(lines)} = m_b.csv:{min(where)}–{max(where)}"
    )


def test_files_of_other_months_do_not_overlap(found):
    told = found(a=rows("2026-09"), b=[*rows("2026-10"), *rows("2026-10", 2)], c=rows("2026-08"))
    assert not of(told, "overlap")
    # two lines alike in one file are repeated there
    [repeated] = of(told, "repeated")
    assert (repeated["file"], repeated["line"], repeated["n_rows"]) == ("m_b.csv", 14, 2)


@pytest.mark.parametrize("at", [0, 7, 11])
@pytest.mark.parametrize(("check", "amount"), [("negative", "-7.50"), ("zero", "0")])
def test_a_warning_on_an_amount_names_its_line(found, check, amount, at):
    lines = rows("2026-10")
    lines[at] = f"D1,2026-10-01,{amount},1.00"
    [told] = of(found(a=rows("2026-09"), b=lines), check)
    assert (told["file"], told["line"], told["column"]) == ("m_b.csv", at + 2, "revenue")


def test_the_line_of_a_sheet_is_its_row(tmp_path, cache):
    book = openpyxl.Workbook()
    book.active.append(["A title"])
    for row in ([], HEAD.split(","), ["D1", "2026-10-01", 5, 1], ["D1", "2026-10-31", -5, 1]):
        book.active.append(row)
    book.save(tmp_path / "m.xlsx")
    toml = tmp_path / "workbook.toml"
    toml.write_text('[workbook]\nname = "small"\n[data.sell_in]\nsource = "m.xlsx"\n')
    opened = workbook(toml)
    [told] = of(telling.told(opened, checks.findings(opened), {}), "negative")
    assert (told["file"], told["line"]) == ("m.xlsx", 5)


def test_of_large_files_the_file_is_told(found, monkeypatch):
    monkeypatch.setattr(places, "LARGE", 10)
    told = found(a=rows("2026-09"), b=[*rows("2026-09"), "D1,2026-10-01,-1.00,1.00"])
    [overlap], [negative] = of(told, "overlap"), of(told, "negative")
    assert (overlap["example"], overlap["n_rows"]) == ("m_a.csv = m_b.csv", 12)
    assert (negative["file"], negative["line"]) == ("m_b.csv", None)
