"""Refusals: each way to refuse settings or data has its sentence in three languages, with every
place in it filled in; which there are, the code itself tells.
"""

import ast
import csv
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import PACKAGE, settings, words
from helpers.data.readers import containers
from helpers.settings import DataError, options
from helpers.settings.columns import CAUSES, cause, refusal

ROOMS = sorted(
    path
    for path in PACKAGE.rglob("*.py")
    if "DataError" in (text := path.read_text(encoding="utf-8")) or "refus" in text
)
# what stopped a page in the kernel that printed it: the words of Python and of its own cell
OF_A_CELL = "press/printing.py"
BY_CODE = re.compile(r"refused\.|container\.|sql\.|note\.")
HAN = re.compile("[\u4e00-\u9fff]")


def sentences() -> dict[str, dict[str, str]]:
    with (words.REFERENCE / "sentences.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["sentence"]: row for row in csv.DictReader(file)}
    return {key: row for key, row in rows.items() if BY_CODE.match(key)}


OURS = sentences()


def places(text: str) -> set[str]:
    """List what a sentence fills in, but for numbers that only choose a plural."""
    return {name for _text, name, spec, _c in string.Formatter().parse(text) if name}


def calls(path: Path) -> Iterator[tuple[str, set[str], int]]:
    """List (sentence, names of its values, line) of each refusal that a module words."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and node.args):
            continue
        called, first = ast.unparse(node.func), node.args[0]
        if called not in ("refusal", "words.message") or not isinstance(first, ast.Constant):
            continue
        key = f"refused.{first.value}" if called == "refusal" else first.value
        if BY_CODE.match(key) and all(keyword.arg for keyword in node.keywords):
            yield key, {keyword.arg for keyword in node.keywords}, node.lineno


CALLS = [(path, *call) for path in ROOMS for call in calls(path)]


def test_no_refusal_is_worded_where_it_is_raised():
    """An error's text stands in `sentences.csv`: a literal would be English in every language."""
    worded = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in ROOMS
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("DataError", "RowsError")
        and node.args
        and isinstance(node.args[0], (ast.JoinedStr, ast.Constant))
    ]
    assert [place for place in worded if not place.startswith(OF_A_CELL)] == []
    assert len(worded) <= 2
    assert len({key for _path, key, _names, _line in CALLS}) > 300


def test_each_refusal_gives_what_its_sentence_fills_in():
    wrong = [
        f"{path.name}:{line} {key}"
        for path, key, names, line in CALLS
        if key not in OURS or names != places(OURS[key]["en"])
    ]
    assert not wrong


def test_each_sentence_of_a_refusal_is_used():
    code = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    kinds = {f"container.{kind}" for kind in vars(containers).values() if isinstance(kind, str)}
    unused = [
        key
        for key in OURS
        if key not in kinds
        and not re.search(rf"[\"'.]{re.escape(key.partition('.')[2])}\b", code)
        # the end of a name may be a code of the data: refused.unknown_{what}
        and not re.search(rf"{re.escape(key.rpartition('_')[0])}_{{", code)
    ]
    assert not unused


class Anything(str):
    """A value that takes any format: a number's, a text's, an amount's."""

    def __format__(self, spec: str) -> str:
        return "5"


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_each_sentence_is_filled_in_to_the_last_place_in(language):
    words.speak(language)
    for key, row in OURS.items():
        values = {name: 5 if f"{{{name}:" in row["en"] else "…" for name in places(row["en"])}
        said = words.message(key, **values)
        assert said.strip() or not row["en"].strip(), key
        assert not re.search(r"{(?!\.|{| \[)\w", said.replace("${", "")), (key, said)


def test_each_sentence_fills_in_the_same_in_chinese():
    differing = [key for key, row in OURS.items() if places(row["zh"]) - places(row["en"])]
    lacking = [
        key
        for key, row in OURS.items()
        # Chinese has no verb that agrees with a number
        if places(row["en"]) - places(row["zh"]) - {"n"}
    ]
    assert not differing and not lacking


def test_each_sentence_has_its_own_words_in_three_languages():
    for key, row in OURS.items():
        said = {}
        for language in words.LANGUAGES:
            words.speak(language)
            said[language] = words.translated(row["en"], row["zh"])
        # what is only put together, or the name of a kind, may be the same everywhere
        plain = re.sub(r"{[^}]*}", "", row["en"])
        if not re.search("[A-Za-z]{3,}", plain) or key in ("container.json",):
            continue
        assert HAN.search(said["zh-Hans"]) and HAN.search(said["zh-Hant"]), key
        assert not HAN.search(said["en"]), key
        sentences_left = re.findall(r"[a-z]{3,} [a-z]{3,} [a-z]{3,}", said["zh-Hans"])
        assert not sentences_left, (key, sentences_left)


@pytest.mark.parametrize("kind", sorted(k for k in vars(containers) if k.isupper()))
def test_each_kind_of_file_has_a_name(kind):
    value = getattr(containers, kind)
    if isinstance(value, str) and f"container.{value}" in OURS:
        assert containers.plain_name(value)


def test_what_a_system_says_of_a_file_is_said_in_the_language():
    error = PermissionError(13, "Permission denied")
    assert cause(error) == "Permission denied"
    words.speak("zh-Hant")
    assert cause(error) == "沒有權限"
    assert cause(OSError(9999, "odd")) == "odd"
    assert len(CAUSES) > 8


HEAD = '[workbook]\nlanguage = ["{language}"]\n'
BAD = {
    "no table": "[data]\n",
    "unknown section": "[dat]\n",
    "unknown key": "[data.sell_in]\nsorce = 'x.csv'\n",
    "unknown column": "[data.sell_in]\nsource = 'x.csv'\n[data.sell_in.columns]\nrevenu = 'a'\n",
    "both": "[data.sell_in]\nsource = 'x.csv'\nquery = 'SELECT 1'\n",
    "no TOML": "[data.sell_in\n",
    "a number for a text": "[data.sell_in]\nsource = 5\n",
    "address": "[data.sell_in]\nsource = 'https://a.b/c.csv'\n",
    "variable": "[data.sell_in]\nsource = '${NO_SUCH_VARIABLE_HERE}/x.csv'\n",
    "engine": "[data]\nengine = 'nosuch://x'\n[data.sell_in]\nsource = 'x'\n",
    "setting": "[data]\nengine = 'duckdb://?x=1'\n[data.sell_in]\nsource = 'x.csv'\n",
    "decimal": "[data.sell_in]\nsource = 'x.csv'\n[data.sell_in.read]\ndecimal = ';'\n",
    "format": "[data.sell_in]\nsource = 'x.csv'\n[data.sell_in.format]\nrevenue = '%d'\n",
    "parameter": "[data.sell_in]\nsource = 'x.csv'\n[parameters.03_abc]\nk = 1\n",
}


@pytest.mark.parametrize("language", ["zh-Hans", "zh-Hant"])
@pytest.mark.parametrize("bad", BAD)
def test_settings_are_refused_in_their_own_language(tmp_path, bad, language):
    toml = tmp_path / "workbook.toml"
    toml.write_text(HEAD.format(language=language) + BAD[bad], encoding="utf-8")
    with pytest.raises(DataError) as error:
        settings.workbook(toml)
    said = str(error.value)
    assert HAN.search(said) and not re.search(r"[a-z]{3,} [a-z]{3,} [a-z]{3,}", said)
    assert words.spoken() == "en", "a refused toml does not leave its language behind"


def test_options_are_refused_in_the_language():
    words.speak("zh-Hans")
    assert options.between(0, 1).told == "0 至 1 之间的数字"
    assert options.one_of("a", "b").told == "以下之一：a, b"
    assert str(refusal("no_table_there", toml="w.toml", name="x", near="")) == "w.toml 中没有表 'x'"
