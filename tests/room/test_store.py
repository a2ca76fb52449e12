"""The room's file: what is confirmed is in it, once, whatever happens."""

import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading

import pytest

from helpers.room import store as stores
from helpers.room.store import Answer, RoomError, Store
from helpers.settings import DataError


@pytest.fixture
def store(tmp_path):
    with stores.opened(tmp_path / "room.sqlite") as opened:
        yield opened


def someone(store, name="Anna"):
    return store.join(name, most=500).result()[0]


def test_an_answer_is_on_the_disk_when_it_is_confirmed(store):
    who = someone(store)
    number = store.open_round("factor", "ours", ["f01", "f02"]).result()
    store.answer(number, who.id, [Answer("f01", 7.5, 1), Answer("f02", None, 1)]).result()
    with sqlite3.connect(store.path) as other:
        assert other.execute("SELECT item, value FROM answers ORDER BY item").fetchall() == [
            ("f01", 7.5),
            ("f02", None),
        ]
    full = store._writing.execute("PRAGMA synchronous").fetchone()[0]
    assert full == 2, "each commit waits for the disk"
    assert store._writing.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_what_was_confirmed_outlives_a_kill(tmp_path):
    """A process that is killed with no time to tidy up has lost nothing it confirmed."""
    path = tmp_path / "room.sqlite"
    program = textwrap.dedent(
        f"""
        import os, pathlib, signal
        from helpers.room.store import Answer, Store
        store = Store(pathlib.Path({str(path)!r}))
        who = store.join("Anna", most=9).result()[0]
        number = store.open_round("factor", "ours", [f"f{{i}}" for i in range(50)]).result()
        for i in range(50):
            store.answer(number, who.id, [Answer(f"f{{i}}", i / 5, 1)]).result()
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode < 0
    with stores.opened(path) as store:
        assert len(store.answers(store.rounds()[0].id)) == 50
        assert store.revision == 50, "counted on from where it was"


def test_the_same_sent_again_is_kept_once_and_older_changes_nothing(store):
    who = someone(store)
    number = store.open_round("factor", "ours", ["f01"]).result()
    store.answer(number, who.id, [Answer("f01", 3.0, 5)]).result()
    before = store.own_answers(who.id)
    for late in (Answer("f01", 3.0, 5), Answer("f01", 9.0, 4), Answer("f01", 9.0, 5)):
        store.answer(number, who.id, [late]).result()
    assert store.own_answers(who.id) == before == {number: {"f01": (3.0, 5)}}
    store.answer(number, who.id, [Answer("f01", 8.0, 6)]).result()
    assert store.answers(number) == [(who.code, "f01", 8.0)]


def test_nothing_comes_into_a_round_that_is_closed(store):
    who = someone(store)
    number = store.open_round("factor", "ours", ["f01"]).result()
    store.move_round(number, "revealed").result()
    with pytest.raises(RoomError, match="closed"):
        store.answer(number, who.id, [Answer("f01", 3.0, 5)]).result()
    assert store.answers(number) == []


def test_rounds_of_the_same_are_kept_apart_and_only_one_is_open(store):
    who = someone(store)
    first = store.open_round("factor", "ours", ["f01"]).result()
    store.answer(first, who.id, [Answer("f01", 3.0, 1)]).result()
    second = store.open_round("factor", "ours", ["f01"], first).result()
    other = store.open_round("factor", "theirs", ["f01"]).result()
    assert [(r.id, r.nth, r.before, r.state) for r in store.rounds()] == [
        (first, 1, None, "revealed"),
        (second, 2, first, "revealed"),
        (other, 1, None, "open"),
    ]
    assert store.answers(second) == []


def test_codes_are_drawn_once_each_though_all_join_at_the_same_time(store):
    found, waiting = [], threading.Barrier(8)

    def join():
        waiting.wait()
        found.extend(store.join("", most=500).result()[0].code for _ in range(10))

    threads = [threading.Thread(target=join) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 80 == len(store.people())
    assert found != sorted(found), "a code does not tell who came first"


def test_a_room_has_room_for_so_many(store):
    someone(store)
    with pytest.raises(RoomError, match="full"):
        store.join("", most=1).result()


def test_a_change_that_fails_stops_no_other(store):
    who = someone(store)
    number = store.open_round("idea", "", []).result()
    fails = [store.answer(number + 99, who.id, [Answer("x", 1.0, 1)]) for _ in range(3)]
    works = store.add_idea(number, who.id, "mark-1234", "Walk the shop", most=2)
    assert all(isinstance(one.exception(), RoomError) for one in fails)
    assert works.result() > 0 and [i.text for i in store.ideas(number)] == ["Walk the shop"]


def test_nothing_is_confirmed_that_could_not_be_written(store):
    def breaks(con):
        con.execute("ROLLBACK")  # as when the disk is full: the transaction is gone

    broken = store.write(breaks)
    assert isinstance(broken.exception(), sqlite3.Error)
    assert someone(store).name == "Anna", "the next one finds a store that works"


def test_ideas_and_votes_are_counted_once(store):
    anna, bo = someone(store), someone(store, "Bo")
    number = store.open_round("idea", "", []).result()
    for _ in range(2):
        store.add_idea(number, anna.id, "mark-1234", "Walk the shop", most=2).result()
    store.add_idea(number, anna.id, "mark-5678", "Ring them up", most=2).result()
    with pytest.raises(RoomError, match="enough_ideas"):
        store.add_idea(number, anna.id, "mark-9999", "One more", most=2).result()
    first, second = (i.id for i in store.ideas(number))
    with pytest.raises(RoomError, match="closed"):
        store.vote(first, bo.id, True, most=1).result()
    store.move_round(number, "voting").result()
    for _ in range(2):
        store.vote(first, bo.id, True, most=1).result()
    with pytest.raises(RoomError, match="enough_votes"):
        store.vote(second, bo.id, True, most=1).result()
    assert [i.n_votes for i in store.ideas(number)] == [1, 0]
    store.strike(first).result()
    store.vote(second, bo.id, True, most=1).result()
    with pytest.raises(RoomError, match="no_idea"):
        store.vote(first, bo.id, True, most=1).result()
    assert [(i.n_votes, i.is_struck) for i in store.ideas(number)] == [(1, True), (1, False)]


def test_who_was_shown_out_counts_nowhere(store):
    anna, key = store.join("Anna", most=9).result()
    number = store.open_round("factor", "ours", ["f01"]).result()
    store.answer(number, anna.id, [Answer("f01", 3.0, 1)]).result()
    assert store.person(key) == anna
    store.remove(anna.id).result()
    assert store.person(key) is None and store.people() == [] and store.answers(number) == []


def test_keys_stand_nowhere_in_the_file_which_only_its_owner_reads(store):
    _who, key = store.join("Anna", most=9).result()
    held = b"".join(f.read_bytes() for f in store.path.parent.glob("room.sqlite*"))
    assert key.encode() not in held
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_a_room_is_open_once(store):
    with pytest.raises(DataError, match="open already"):
        Store(store.path)


def test_what_is_no_room_is_told(tmp_path):
    path = tmp_path / "room.sqlite"
    path.write_bytes(b"no database at all, but long enough to be taken for one" * 9)
    with pytest.raises(DataError, match="no room's file"):
        Store(path)
