"""The trainer's guide.

Its times add up, what it points to is there, and what it says to type works.
"""

import itertools
import json
import re
import shutil
import subprocess

import pandas as pd
import pytest

from helpers import data, fishbone, periods, settings, words, workshop
from helpers.settings import CHECKOUT as ROOT

GUIDES = {"en": ROOT / "docs" / "trainer.md", "zh": ROOT / "docs" / "trainer.zh.md"}
BOTH = pytest.mark.parametrize("language", GUIDES)


def guide(language: str) -> str:
    return GUIDES[language].read_text(encoding="utf-8")


def timetable(language: str) -> list[tuple[int, int]]:
    """Give each block's start, in minutes after midnight, and its length."""
    rows = re.findall(r"^\| (\d\d):(\d\d) \| (\d+) \|", guide(language), re.M)
    return [(60 * int(hour) + int(minute), int(length)) for hour, minute, length in rows]


def blocks(language: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", guide(language), re.S)


def headings(notebook: str, language: str) -> set[str]:
    cells = json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8"))[
        "cells"
    ]
    told = [
        "".join(c["source"]) for c in cells if f"lang-{language}" in c["metadata"].get("tags", [])
    ]
    return set(re.findall(r"^#+ (.+)$", "\n".join(told), re.M))


@BOTH
def test_the_times_add_up(language):
    table = timetable(language)
    for (start, length), (following, _) in itertools.pairwise(table):
        assert start + length == following, f"after {start // 60:02d}:{start % 60:02d}"
    end = table[-1][0] + table[-1][1]
    total = sum(length for _, length in table)
    assert f"{end // 60:02d}:{end % 60:02d}" in guide(language)
    assert re.search(rf"{total} (minutes|分钟)", guide(language))
    assert table == timetable("en")


@BOTH
def test_every_block_is_explained_under_its_time(language):
    explained = re.findall(r"^### (\d\d):(\d\d) ", guide(language), re.M)
    assert [60 * int(hour) + int(minute) for hour, minute in explained] == [
        start for start, _ in timetable(language)
    ]


@BOTH
def test_every_place_it_names_is_in_the_notebooks(language):
    named = re.findall(r"`(\d\d_\w+)` › ((?:\*[^*]+\*(?:, |\uff0c)?)+)", guide(language))
    assert len(named) >= 12
    for notebook, places in named:
        for place in re.findall(r"\*([^*]+)\*", places):
            assert place in headings(notebook, language), f"{notebook} has no section {place!r}"
    stops = {h for h in headings("10_workshop", language) if re.match(r"\d+ · ", h)}
    assert len(stops) == 12
    assert all(f"*{stop}*" in guide(language) for stop in stops), "a stop has no time"


@BOTH
def test_both_languages_say_the_same_commands_and_sections(language):
    for kind in ("sh", "python"):
        assert blocks(language, kind) == blocks("en", kind)
    assert len(re.findall(r"^#", guide(language), re.M)) == len(
        re.findall(r"^#", guide("en"), re.M)
    )
    half_width = r"[\u4e00-\u9fff][,:;?!]|[,:;?!][\u4e00-\u9fff]"
    assert not re.search(half_width, re.sub(r"`[^`]*`", "", guide("zh")))


@BOTH
def test_links_commands_and_files_are_there(language):
    text = guide(language)
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert (ROOT / "docs" / link).exists()
    for file in re.findall(r"`((?:notebooks|data)/[\w./]+)`", text):
        assert (ROOT / file).exists(), file
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(
        re.search(rf"^{target}:", makefile, re.M)
        for target in re.findall(r"\bmake (\w+) CONFIG", text)
    )
    from helpers import cli

    for line in re.findall(r"^\.venv/bin/workbook (.+)$", text, re.M):
        assert cli._parser().parse_args(line.split()).command
    assert (
        f"*{re.search('plan.save,(.*?),(.*)', sentences())[1 if language == 'en' else 2]}*" in text
    )


@BOTH
def test_every_button_of_the_room_is_called_as_the_wall_calls_it(language):
    words.speak("en" if language == "en" else "zh-Hans")
    called = set(words.templates("room.").values())
    named = re.findall(r"^\| \*([^*]+)\* \|", guide(language), re.M)
    assert len(named) == 5 and set(named) <= called
    desk = "The trainer's desk" if language == "en" else "培训师桌面"
    assert desk in called and f"*{desk}*" in guide(language)


def sentences() -> str:
    return (ROOT / "data" / "reference" / "sentences.csv").read_text(encoding="utf-8")


def test_what_it_says_to_type_brings_a_room_into_the_workbook(small_demo, tmp_path):
    """Follow the guide from the day before to the second run, in a folder of this test's own."""
    shutil.copytree(small_demo.folder, tmp_path, dirs_exist_ok=True)
    day_before, _room, _plan = blocks("en", "sh")
    save, read_in = blocks("en", "python")

    def shell(lines: str) -> None:
        own = [line for line in lines.splitlines() if not line.startswith((".venv/", "make "))]
        subprocess.run(["bash", "-ec", "\n".join(own)], cwd=tmp_path, check=True)

    shell(day_before)
    book = settings.workbook(tmp_path / "workshop")
    assert book.name == "workshop"
    period = data.require_period(book)
    tree = fishbone.factor_tree(data.reference(book, "factors"), data.reference(book, "causes"))
    known = {
        "data": data,
        "book": book,
        "end": periods.window(period).end,
        "scores": data.records(book, "scores"),
        "workshop": workshop,
        "sheet": workshop.score_sheet(
            data.reference(book, "statements"),
            tree,
            data.reference(book, "needs"),
            brands=[book.brand],
            n=3,
        ),
    }
    exec(save, known)
    sheet = pd.read_csv(tmp_path / "workshop" / "sheet.csv", encoding="utf-8-sig", dtype=str)
    sheet = sheet[sheet["kind"] != "need"]
    assert len(sheet) == 27, "as the guide says"
    sheet.assign(P01="8", P02="6,5", P03="").to_csv(
        tmp_path / "workshop" / "sheet.csv", index=False, sep=";"
    )
    for _twice in range(2):  # a second reading replaces the first
        exec(read_in, known)
    book = settings.workbook(tmp_path / "workshop")
    scores = data.records(book, "scores")
    found = workshop.profile(
        scores,
        data.reference(book, "statements"),
        data.reference(book, "stages"),
        end_date=known["end"],
    )
    assert (found.session, found.people["participant"].tolist()) == ("W4", ["P01", "P02"])
    assert found.scores.loc["P02"].eq(6.5).all()
    assert {"W1", "W2", "W3"} < set(scores["session"]), "the sessions before are still there"
    people = fishbone.people_scores(scores, tree, end_date=known["end"], brand=book.brand)
    assert people["n_scores"].eq(2).all()
    assert settings.workbook(tmp_path).name == "demo", "the demo is as it was"
    assert not (tmp_path / "scores.csv").exists()
