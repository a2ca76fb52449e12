"""Rooms for the tests: one on a small workbook, its server, and phones that ask it."""

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from starlette.testclient import TestClient

from helpers import data, fishbone, words
from helpers.room import findings, questions
from helpers.room.live import Room
from helpers.room.server import app
from helpers.room.store import Store

HOST = "10.0.0.5:8750"
BRAND = "Lumora"


def asked(book, session: str = "W9") -> findings.Asked:
    """Ask for a room of a workbook without its figures: what people say needs none of them."""
    none = pd.DataFrame()
    scores = data.records(book, "scores")
    month = fishbone.FishboneData(
        "2026-10",
        book.brand,
        data.reference(book, "factors"),
        data.reference(book, "causes"),
        data.reference(book, "climb"),
        scores,
        data.records(book, "comparisons"),
        *(none for _ in range(4)),
    )
    tables = (data.reference(book, name) for name in ("needs", "statements", "stages"))
    return findings.Asked(book, "2026-10", session, dt.date(2026, 10, 31), month, *tables)


_sheets: list[questions.Sheet] = []


def sheet(of: findings.Asked) -> questions.Sheet:
    """Write the questions once: in every test they stand in the shipped tables."""
    if not _sheets:
        _sheets.append(questions.sheet(of.book, of.month.scores))
    return _sheets[0]


@contextlib.contextmanager
def room(book, path: Path, session: str = "W9") -> Iterator[Room]:
    """Open a room."""
    of = asked(book, session)
    store = Store(path)
    made = Room(store, sheet(of), of, address=f"http://{HOST}")
    try:
        yield made
    finally:
        made.close()
        store.close()
        words.speak("en")


class Phone:
    """A browser of its own: what it sends comes from the room's own page, unless told otherwise."""

    def __init__(self, server, headers: dict[str, str] | None = None) -> None:
        self.client = TestClient(
            server, base_url=f"http://{HOST}", headers=headers or {}, raise_server_exceptions=False
        )

    def get(self, path: str, **given):
        return self.client.get(path, **given)

    def post(self, path: str, message: object, **headers: str):
        return self.client.post(path, json=message, headers=headers)

    def join(self, code: str, name: str = ""):
        return self.post("/join", {"code": code, "name": name})

    def answer(self, made: Room, number: int, answers: dict[str, float | None], seq: int = 1):
        """Answer several items at once."""
        given = [{"item": i, "value": v, "seq": seq} for i, v in answers.items()]
        return self.post("/answers", {"room": made.id, "round": number, "answers": given})

    def act(self, do: str, **message: object):
        """Do as the trainer."""
        return self.post("/trainer/act", {"do": do, **message})


def server_of(made: Room):
    """Make a room's server."""
    return app(made, [HOST])


def trainer(made: Room) -> Phone:
    """Open the wall."""
    wall = Phone(server_of(made))
    assert wall.post("/trainer", {"token": made.token}).status_code == 200
    return wall


@pytest.fixture
def made(small, tmp_path):
    """Open a room on the small workbook."""
    with room(small, tmp_path / "rooms" / "W9.sqlite") as opened:
        yield opened


@pytest.fixture
def wall(made):
    """Open its wall."""
    return trainer(made)


@pytest.fixture
def let_in(made):
    """Let a phone in under a name."""

    def join(name: str = "") -> Phone:
        phone = Phone(server_of(made))
        assert phone.join(made.code, name).status_code == 200
        return phone

    return join
