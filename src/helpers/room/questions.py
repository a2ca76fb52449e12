"""Questions: what a room can be asked, in all its languages, and what is an answer to it."""

import itertools
import math
import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from helpers import data, fishbone, words, workshop
from helpers.room.store import Answer, RoomError
from helpers.settings import Workbook

KINDS = ("factor", "need", "self", "pair", "idea")
SPINE = ""  # the node whose children are the bones
LEAST_CHILDREN = 3  # of a node: one pair needs no method
STEP = 0.5  # of a score
STRONGEST = 8  # steps to either side of a pair: 9 to 1
MOST_SEQ = 2**53 - 1  # the largest whole number that a phone can count with
MOST_NAME, MOST_IDEA = 24, 200  # letters
MOST_MARKS = 2  # accents upon one letter: more climb over the lines above
MARK = re.compile(r"[A-Za-z0-9-]{8,64}")

Texts = Mapping[str, str]  # by language


class Question(NamedTuple):
    """One thing asked: `item` is its key, `item_id` and `aspect` what the contract calls it."""

    item: str
    item_id: str
    aspect: str
    text: Texts
    low: Texts
    high: Texts


class Node(NamedTuple):
    """A node of the tree whose children can be compared in pairs; `children` by their names."""

    node: str
    name: Texts
    children: Mapping[str, Texts]


class Sheet(NamedTuple):
    """All that a room can be asked of a workbook."""

    questions: Mapping[str, tuple[Question, ...]]  # by kind: factor, need, self
    nodes: Mapping[str, Node]
    brands: tuple[str, ...]  # ours first
    said: Mapping[str, Mapping[str, str]]  # by language: the pages' words


def sheet(book: Workbook, scores: pd.DataFrame) -> Sheet:
    """Write the questions of a workbook in all languages; the language spoken stays as it was.

    `scores` tells which rivals were scored before.

    Raises
    ------
    DataError, ValueError
        If an editable table is wrong.
    """
    tables = {
        name: data.reference(book, name) for name in ("factors", "causes", "needs", "statements")
    }
    spoken = words.spoken()
    try:
        told = {language: _told(language, book, tables) for language in words.LANGUAGES}
    finally:
        words.speak(spoken, book.currency)
    rows, trees = ({language: one[i] for language, one in told.items()} for i in (0, 1))
    rivals = sorted(set(scores["brand"].dropna().astype("str")) - {book.brand, ""})
    return Sheet(
        _questions(rows, {language: one[2] for language, one in told.items()}),
        _nodes(trees, {language: one[2] for language, one in told.items()}),
        (book.brand, *rivals),
        {language: one[2] for language, one in told.items()},
    )


def _told(language: str, book: Workbook, tables: Mapping[str, pd.DataFrame]) -> tuple:
    """Speak a language: the rows of the workshop's sheet, the tree, and the pages' words."""
    words.speak(language, book.currency)
    tree = fishbone.factor_tree(tables["factors"], tables["causes"])
    rows = workshop.score_sheet(tables["statements"], tree, tables["needs"], n=0)
    return rows, tree, words.templates("room.")


def _questions(
    rows: Mapping[str, pd.DataFrame], said: Mapping[str, Mapping[str, str]]
) -> dict[str, tuple[Question, ...]]:
    found: dict[str, list[Question]] = {kind: [] for kind in ("factor", "need", "self")}
    for i, row in enumerate(rows["en"].itertuples()):
        scale = f"{row.kind}_{row.aspect}"
        found[row.kind].append(
            Question(
                f"{row.item_id}:{row.aspect}" if row.kind == "need" else row.item_id,
                row.item_id,
                row.aspect,
                {language: table["question"].iloc[i] for language, table in rows.items()},
                {language: texts[f"room.low_{scale}"] for language, texts in said.items()},
                {language: texts[f"room.high_{scale}"] for language, texts in said.items()},
            )
        )
    return {kind: tuple(asked) for kind, asked in found.items()}


def _nodes(
    trees: Mapping[str, pd.DataFrame], said: Mapping[str, Mapping[str, str]]
) -> dict[str, Node]:
    """Find the nodes that have as many children as can be compared."""
    names = {
        language: dict(zip(tree["factor_id"], tree["factor"], strict=True))
        for language, tree in trees.items()
    }
    found = {}
    for parent, rows in trees["en"].groupby(trees["en"]["parent_id"].fillna(SPINE), sort=False):
        if LEAST_CHILDREN <= len(rows) <= fishbone.weights.MOST_ITEMS:
            called = {
                language: names[language].get(parent, said[language]["room.spine"])
                for language in trees
            }
            children = {
                factor: {language: names[language][factor] for language in trees}
                for factor in rows["factor_id"]
            }
            found[parent] = Node(parent, called, children)
    return found


def asked(sheet: Sheet, kind: str, subject: str) -> dict[str, Question]:
    """Give what a round of a kind asks about its subject, by item; nothing for ideas.

    Raises
    ------
    RoomError
        If there is no such round.
    """
    if kind == "factor" and subject in sheet.brands:
        return {question.item: question for question in sheet.questions["factor"]}
    if kind in ("need", "self") and not subject:
        return {question.item: question for question in sheet.questions[kind]}
    if kind == "pair" and subject in sheet.nodes:
        return _pairs(sheet.nodes[subject])
    if kind == "idea" and not subject:
        return {}
    raise RoomError("no_round")


def _pairs(node: Node) -> dict[str, Question]:
    pairs = itertools.combinations(node.children.items(), 2)
    return {
        f"{a}:{b}": Question(f"{a}:{b}", "", "", dict.fromkeys(left, ""), left, right)
        for (a, left), (b, right) in pairs
    }


def ratio(steps: float) -> float:
    """Give how much more the left one matters, from the place between the two.

    −8 is the left end (9 times as much), 0 the middle, 8 the right end.

    >>> ratio(-2), ratio(0), ratio(1)
    (3.0, 1.0, 0.5)
    """
    return 1.0 - steps if steps <= 0 else 1 / (1 + steps)


def answer(given: object, kind: str, items: tuple[str, ...]) -> Answer:
    """Take one answer of a phone: {"item", "value", "seq"}; without a value, he can't tell.

    Raises
    ------
    RoomError
        If it is none: an item that was not asked, a value off the scale.
    """
    if not isinstance(given, Mapping) or set(given) - {"item", "value", "seq"}:
        raise RoomError("no_answer")
    item, value, seq = given.get("item"), given.get("value"), given.get("seq")
    if item not in items:
        raise RoomError("not_asked")
    if not _is_number(seq) or seq != int(seq) or not 1 <= seq <= MOST_SEQ:
        raise RoomError("no_answer")
    low, high, step = (-STRONGEST, STRONGEST, 1) if kind == "pair" else (0, 10, STEP)
    if value is not None and not (
        _is_number(value) and low <= value <= high and value / step == int(value / step)
    ):
        raise RoomError("off_scale")
    return Answer(item, None if value is None else float(value), int(seq))


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= MOST_SEQ if isinstance(value, int) else math.isfinite(value)


def plain(given: object, most: int) -> str:
    """Take a text that somebody typed, as one line of plain letters.

    What steers, hides or turns text round is left out, and so are accents beyond two upon a letter.

    Raises
    ------
    RoomError
        If it is no text, or longer than `most` letters.

    >>> plain(" A\\n\\u202eda <b>", 24)
    'A da <b>'
    """
    if not isinstance(given, str):
        raise RoomError("no_text")
    if len(given) > 4 * most + 64:  # not worth looking at
        raise RoomError("too_long")
    text = unicodedata.normalize("NFC", re.sub(r"\s+", " ", given))
    kept: list[str] = []
    marks = 0
    for letter in text:
        kind = unicodedata.category(letter)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if kind[0] != "C" and kind not in ("Zl", "Zp") and marks <= MOST_MARKS:
            kept.append(letter)
    text = "".join(kept).strip()
    if len(text) > most:
        raise RoomError("too_long")
    return text


def mark(given: object) -> str:
    """Take a phone's name for an idea of its own.

    Raises
    ------
    RoomError
        If it is none.
    """
    if not isinstance(given, str) or not MARK.fullmatch(given):
        raise RoomError("no_answer")
    return given
