"""Store: one SQLite file that holds a room: who is in, what was asked, and what they answered.

All writing is done by one thread, which takes whatever waits into one transaction and confirms it
when it is on the disk: a room that answers all at once waits for a few writes, not for hundreds.
"""

import concurrent.futures
import contextlib
import hashlib
import json
import os
import queue
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from helpers import files
from helpers.settings import DataError, refusal

MOST_AT_ONCE = 500  # writes in one transaction
BUSY_SECONDS = 10.0
PLAIN = re.compile(r"[A-Z][A-Z0-9_-]{0,39}")  # told apart by disks that ignore case, too
FORMAT = "1"  # of the file; another one was written by another version of the workbook
TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS people (
    id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE, name TEXT NOT NULL, key TEXT UNIQUE,
    joined REAL NOT NULL, is_gone INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS rounds (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, nth INTEGER NOT NULL,
    before INTEGER, items TEXT NOT NULL, state TEXT NOT NULL, UNIQUE (kind, subject, nth));
CREATE TABLE IF NOT EXISTS answers (
    round INTEGER NOT NULL, person INTEGER NOT NULL, item TEXT NOT NULL, value REAL,
    seq INTEGER NOT NULL, revision INTEGER NOT NULL, PRIMARY KEY (round, person, item));
CREATE TABLE IF NOT EXISTS ideas (
    id INTEGER PRIMARY KEY, round INTEGER NOT NULL, person INTEGER NOT NULL, mark TEXT NOT NULL,
    text TEXT NOT NULL, is_struck INTEGER NOT NULL DEFAULT 0, revision INTEGER NOT NULL,
    UNIQUE (round, person, mark));
CREATE TABLE IF NOT EXISTS votes (
    idea INTEGER NOT NULL, person INTEGER NOT NULL, revision INTEGER NOT NULL,
    PRIMARY KEY (idea, person));
"""


class Person(NamedTuple):
    """Somebody in the room; who has no key has no phone, and the trainer answers for him."""

    id: int
    code: str
    name: str
    has_phone: bool


class Round(NamedTuple):
    """One asking: of what kind, about what, for which time, and how far it is.

    `subject` is the brand that factors are scored for, or the node whose children are compared;
    `before` the round it repeats. `state` is "open", "voting" (ideas only) or "revealed".
    """

    id: int
    kind: str
    subject: str
    nth: int
    before: int | None
    items: tuple[str, ...]
    state: str


class Answer(NamedTuple):
    """What a person says of an item; no value: he can't tell. `seq` orders his own answers."""

    item: str
    value: float | None
    seq: int


class Idea(NamedTuple):
    """A text that somebody contributed, and its votes."""

    id: int
    text: str
    n_votes: int
    is_struck: bool


class RoomError(ValueError):
    """What a person asked for can't be done; the reason is a key of the room's sentences."""


class Store:
    """A room's file; closed by `close`. Reading waits for nobody, writing is confirmed when done.

    Raises
    ------
    DataError
        If the file is no room, or another process has it open.
    """

    def __init__(self, path: Path) -> None:
        """Open a room's file, or begin one that only its owner may read."""
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self.path, self._lock = path, _alone(path)
        try:
            self._writing = _connected(path)
            self._writing.executescript(TABLES)
            self._reading, self._one_reads = _connected(path), threading.Lock()
            self._facts = dict(self._all("SELECT name, value FROM facts"))
            if self._facts.get("format", FORMAT) != FORMAT:
                raise refusal("room_version", path=path)
        except (sqlite3.Error, DataError) as error:
            os.close(self._lock)
            if isinstance(error, DataError):
                raise
            raise refusal("room_file", path=path, reason=error) from None
        asked = "SELECT MAX(r) FROM (SELECT MAX(revision) AS r FROM {})"
        found = (self._all(asked.format(t))[0][0] for t in ("answers", "ideas", "votes"))
        self.revision = max((r or 0 for r in found), default=0)
        self._waiting: queue.SimpleQueue = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_on, name="room writer", daemon=True)
        self._writer.start()

    def close(self) -> None:
        """Finish what waits, and let go of the file; closed twice, it is closed."""
        if not self._writer.is_alive():
            return
        self._waiting.put(None)
        self._writer.join()
        self._reading.close()
        os.close(self._lock)

    # ---- writing -------------------------------------------------------------------------------

    def write(self, change: Callable[[sqlite3.Connection], Any]) -> concurrent.futures.Future:
        """Have a change made; the result comes when it is on the disk."""
        done: concurrent.futures.Future = concurrent.futures.Future()
        self._waiting.put((change, done))
        return done

    def _write_on(self) -> None:
        """Write what waits, many changes in one transaction, until told to stop."""
        go_on = True
        while go_on:
            taken = [self._waiting.get()]
            with contextlib.suppress(queue.Empty):
                while len(taken) < MOST_AT_ONCE:
                    taken.append(self._waiting.get_nowait())
            go_on = None not in taken
            self._commit([one for one in taken if one is not None])
        self._writing.close()

    def _commit(self, taken: list) -> None:
        told: list[tuple[concurrent.futures.Future, Any, BaseException | None]] = []
        try:
            self._writing.execute("BEGIN IMMEDIATE")
            for change, done in taken:
                try:
                    self._writing.execute("SAVEPOINT one")
                    found, error = change(self._writing), None
                    self._writing.execute("RELEASE one")
                except Exception as failed:  # one that can't be made stops no other
                    self._writing.execute("ROLLBACK TO one")
                    self._writing.execute("RELEASE one")
                    found, error = None, failed
                told.append((done, found, error))
            self._writing.execute("COMMIT")
        except Exception as error:  # a full disk: nothing of it holds, and nobody is told it does
            with contextlib.suppress(sqlite3.Error):
                self._writing.execute("ROLLBACK")
            told = [(done, None, error) for _change, done in taken]
        for done, found, error in told:
            done.set_exception(error) if error else done.set_result(found)

    def _next(self) -> int:
        self.revision += 1
        return self.revision

    # ---- facts ---------------------------------------------------------------------------------

    def fact(self, name: str, default: str = "") -> str:
        """Give what was noted about the room."""
        return self._facts.get(name, default)

    def note(self, **facts: str) -> concurrent.futures.Future:
        """Note something about the room."""

        def change(con: sqlite3.Connection) -> None:
            con.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())
            self._facts.update(facts)

        return self.write(change)

    # ---- people --------------------------------------------------------------------------------

    def join(self, name: str, *, most: int, has_phone: bool = True) -> concurrent.futures.Future:
        """Let somebody in: the person and the key that proves it is him, which is nowhere kept.

        The code is drawn, so that its number does not tell who came first.
        """

        def change(con: sqlite3.Connection) -> tuple[Person, str]:
            taken = {code for (code,) in con.execute("SELECT code FROM people")}
            if len(taken) >= most:
                raise RoomError("full")
            size = next(n for n in (20, 99, 999, 9999) if n >= 2 * len(taken) + 2)
            free = [c for c in (f"P{i:02d}" for i in range(1, size + 1)) if c not in taken]
            code, key = secrets.choice(free), secrets.token_urlsafe(24)
            row = (code, name, _hashed(key) if has_phone else None, time.time())
            asked = "INSERT INTO people (code, name, key, joined) VALUES (?, ?, ?, ?)"
            return Person(con.execute(asked, row).lastrowid, code, name, has_phone), key

        return self.write(change)

    def rename(self, person: int, name: str) -> concurrent.futures.Future:
        """Call somebody otherwise on the wall."""
        return self.write(
            lambda con: con.execute("UPDATE people SET name = ? WHERE id = ?", (name, person))
        )

    def remove(self, person: int) -> concurrent.futures.Future:
        """Show somebody out: he is counted nowhere any more, and his key opens nothing."""
        asked = "UPDATE people SET is_gone = 1, key = NULL WHERE id = ?"
        return self.write(lambda con: con.execute(asked, (person,)))

    def person(self, key: str) -> Person | None:
        """Find who has a key; None where nobody has."""
        asked = "SELECT id, code, name, 1 FROM people WHERE key = ? AND NOT is_gone"
        found = self._all(asked, _hashed(key)) if key else []
        return Person(*found[0][:3], True) if found else None

    def people(self) -> list[Person]:
        """List who is in, in the order of their codes."""
        asked = "SELECT id, code, name, key FROM people WHERE NOT is_gone ORDER BY code"
        return [Person(i, code, name, key is not None) for i, code, name, key in self._all(asked)]

    # ---- rounds --------------------------------------------------------------------------------

    def open_round(
        self, kind: str, subject: str, items: Iterable[str], before: int | None = None
    ) -> concurrent.futures.Future:
        """Open a round, and close the one that was open; the same is asked for a next time."""
        listed = json.dumps(list(items), ensure_ascii=False)

        def change(con: sqlite3.Connection) -> int:
            con.execute("UPDATE rounds SET state = 'revealed' WHERE state <> 'revealed'")
            asked = "SELECT COALESCE(MAX(nth), 0) FROM rounds WHERE kind = ? AND subject = ?"
            (nth,) = con.execute(asked, (kind, subject)).fetchone()
            row = (kind, subject, nth + 1, before, listed, "open")
            columns = "(kind, subject, nth, before, items, state)"
            asked = f"INSERT INTO rounds {columns} VALUES (?, ?, ?, ?, ?, ?)"
            return con.execute(asked, row).lastrowid

        return self.write(change)

    def move_round(self, number: int, state: str) -> concurrent.futures.Future:
        """Take a round a step further; answers come in only while it is open."""
        asked = "UPDATE rounds SET state = ? WHERE id = ? AND state <> 'revealed'"
        return self.write(lambda con: con.execute(asked, (state, number)).rowcount)

    def rounds(self) -> list[Round]:
        """List the rounds, oldest first."""
        asked = "SELECT id, kind, subject, nth, before, items, state FROM rounds ORDER BY id"
        return [Round(*row[:5], tuple(json.loads(row[5])), row[6]) for row in self._all(asked)]

    # ---- answers -------------------------------------------------------------------------------

    def answer(
        self, number: int, person: int, given: Iterable[Answer]
    ) -> concurrent.futures.Future:
        """Keep a person's answers in an open round; gives the revision that holds them all.

        An answer is kept once: sent again it changes nothing, and one that is older than what is
        there is passed over.
        """
        answers = list(given)

        def change(con: sqlite3.Connection) -> int:
            _require_state(con, number, "open")
            for answer in answers:
                con.execute(
                    "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                    "value = excluded.value, seq = excluded.seq, revision = excluded.revision "
                    "WHERE excluded.seq > answers.seq",
                    (number, person, answer.item, answer.value, answer.seq, self._next()),
                )
            return self.revision

        return self.write(change)

    def answers(self, number: int) -> list[tuple[str, str, float]]:
        """List a round's scores of those who are in: code, item, value. Who can't tell has none."""
        asked = (
            "SELECT p.code, a.item, a.value FROM answers a JOIN people p ON p.id = a.person WHERE "
            "a.round = ? AND a.value IS NOT NULL AND NOT p.is_gone ORDER BY p.code, a.item"
        )
        return self._all(asked, number)

    def own_answers(self, person: int) -> dict[int, dict[str, tuple[float | None, int]]]:
        """Give a person what he said himself: by round and item, the value and its `seq`."""
        found: dict[int, dict[str, tuple[float | None, int]]] = {}
        asked = "SELECT round, item, value, seq FROM answers WHERE person = ?"
        for number, item, value, seq in self._all(asked, person):
            found.setdefault(number, {})[item] = (value, seq)
        return found

    def n_answers(self, number: int) -> dict[int, int]:
        """Count by person how many items of a round he has answered or passed over."""
        asked = "SELECT person, COUNT(*) FROM answers WHERE round = ? GROUP BY person"
        return dict(self._all(asked, number))

    # ---- ideas ---------------------------------------------------------------------------------

    def add_idea(
        self, number: int, person: int, mark: str, text: str, *, most: int
    ) -> concurrent.futures.Future:
        """Keep an idea once, however often it is sent; `mark` is its sender's name for it."""

        def change(con: sqlite3.Connection) -> int:
            _require_state(con, number, "open")
            mine = "round = ? AND person = ?"
            known = con.execute(
                f"SELECT id FROM ideas WHERE {mine} AND mark = ?", (number, person, mark)
            ).fetchone()
            if known:
                return self.revision
            asked = f"SELECT COUNT(*) FROM ideas WHERE {mine}"
            if con.execute(asked, (number, person)).fetchone()[0] >= most:
                raise RoomError("enough_ideas")
            con.execute(
                "INSERT INTO ideas (round, person, mark, text, revision) VALUES (?, ?, ?, ?, ?)",
                (number, person, mark, text, self._next()),
            )
            return self.revision

        return self.write(change)

    def vote(self, idea: int, person: int, is_for: bool, *, most: int) -> concurrent.futures.Future:
        """Give or take back a person's vote for an idea."""

        def change(con: sqlite3.Connection) -> int:
            found = con.execute(
                "SELECT round FROM ideas WHERE id = ? AND NOT is_struck", (idea,)
            ).fetchone()
            if not found:
                raise RoomError("no_idea")
            _require_state(con, found[0], "voting")
            if not is_for:
                con.execute("DELETE FROM votes WHERE idea = ? AND person = ?", (idea, person))
                return self._next()
            asked = (
                "SELECT COUNT(*) FROM votes v JOIN ideas i ON i.id = v.idea WHERE v.person = ? "
                "AND i.round = ? AND v.idea <> ? AND NOT i.is_struck"
            )
            if con.execute(asked, (person, found[0], idea)).fetchone()[0] >= most:
                raise RoomError("enough_votes")
            row = (idea, person, self._next())
            con.execute("INSERT OR IGNORE INTO votes VALUES (?, ?, ?)", row)
            return self.revision

        return self.write(change)

    def strike(self, idea: int) -> concurrent.futures.Future:
        """Take an idea off the wall; what it said stays in the file."""
        asked = "UPDATE ideas SET is_struck = 1, revision = ? WHERE id = ?"
        return self.write(lambda con: con.execute(asked, (self._next(), idea)))

    def ideas(self, number: int) -> list[Idea]:
        """List a round's ideas, in the order they came."""
        asked = (
            "SELECT i.id, i.text, (SELECT COUNT(*) FROM votes v JOIN people p ON p.id = v.person "
            "WHERE v.idea = i.id AND NOT p.is_gone), i.is_struck FROM ideas i JOIN people p "
            "ON p.id = i.person WHERE i.round = ? AND NOT p.is_gone ORDER BY i.id"
        )
        return [Idea(*row[:3], bool(row[3])) for row in self._all(asked, number)]

    def own_ideas(self, person: int) -> tuple[dict[str, str], list[int]]:
        """Give a person his own ideas, by his names for them, and which ones he votes for."""
        mine = dict(self._all("SELECT mark, text FROM ideas WHERE person = ?", person))
        return mine, [i for (i,) in self._all("SELECT idea FROM votes WHERE person = ?", person)]

    def n_ideas(self, number: int) -> dict[int, int]:
        """Count by person the ideas of a round."""
        asked = "SELECT person, COUNT(*) FROM ideas WHERE round = ? GROUP BY person"
        return dict(self._all(asked, number))

    def n_votes(self, number: int) -> dict[int, int]:
        """Count by person the votes in a round."""
        asked = (
            "SELECT v.person, COUNT(*) FROM votes v JOIN ideas i ON i.id = v.idea WHERE "
            "i.round = ? AND NOT i.is_struck GROUP BY v.person"
        )
        return dict(self._all(asked, number))

    def _all(self, asked: str, *given: object) -> list[tuple]:
        with self._one_reads:
            return self._reading.execute(asked, given).fetchall()


def _connected(path: Path) -> sqlite3.Connection:
    con = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    # a confirmed answer survives a power cut: each commit waits for the disk
    con.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
    return con


def _alone(path: Path) -> int:
    """Hold a room's file for this process; the system lets go of it when the process ends."""
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:  # Windows has no such lock; there the port is taken
        pass
    except OSError:
        os.close(descriptor)
        raise refusal("room_open", path=path) from None
    return descriptor


def _hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _require_state(con: sqlite3.Connection, number: int, state: str) -> None:
    found = con.execute("SELECT state FROM rounds WHERE id = ?", (number,)).fetchone()
    if not found or found[0] != state:
        raise RoomError("closed")


def file_stem(session: str) -> str:
    """Name a session's files: a name that a disk can't tell from another's, or hold, is changed.

    >>> file_stem("W4")
    'W4'
    """
    return session if PLAIN.fullmatch(session) else files.file_name(session)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Store]:
    """Open a room's file for a while."""
    store = Store(path)
    try:
        yield store
    finally:
        store.close()
