"""Opening a room: which session, which address, which port, and what the terminal says."""

import socket
import subprocess
import sys
import types

import pytest

from conftest import small_tables
from helpers import cli, words
from helpers.room import start
from helpers.room.store import file_stem, opened
from helpers.settings import DataError


def test_a_session_follows_the_last_one():
    assert start.next_session(["W2", "W10", "W9"]) == "W11"
    assert start.next_session(["2026-09", "2026-10"]) == "2026-11"
    assert start.next_session(["spring"]) == "W1"


def test_a_room_that_is_not_kept_is_taken_up_and_a_kept_one_is_not(small):
    path, session = start._file(small, "")
    assert (path.name, session) == ("W1.sqlite", "W1") and not path.exists()
    with opened(path) as store:
        store.note(session="W1").result()
    assert start._file(small, "") == (path, "W1")
    with opened(path) as store:
        store.note(kept="[]").result()
    assert start._file(small, "spring")[0].name != path.name
    assert start._file(small, "")[1] == "W1", "nothing was kept beside the toml by this test"


def test_sessions_that_differ_have_files_that_differ_on_any_disk():
    names = ["W4", "w4", "W 4", "CON", "李雷", "ß", "SS"]
    assert len({file_stem(name).lower() for name in names}) == len(names)


def test_a_known_session_is_refused_and_the_next_one_named(make_book):
    rows = "session,scored_date,participant,kind,item_id,score\nW4,2026-10-31,P01,factor,f01,6\n"
    book = make_book(scores=rows, **small_tables())
    with pytest.raises(DataError, match="the next one is W5"):
        start.run(book, session="W4")
    assert not (book.folder / "rooms").exists()


@pytest.mark.parametrize("port", [8888, 8889, 8900])
def test_jupyters_ports_are_left_to_jupyter(port):
    with pytest.raises(DataError, match="Jupyter"):
        start._listening("127.0.0.1", port)


def test_a_port_that_is_taken_is_told_and_another_one_tried_where_none_was_asked_for():
    with start._listening("127.0.0.1", 0) as first, start._listening("127.0.0.1", 0) as second:
        taken = first.getsockname()[1]
        assert start.PORT <= taken < second.getsockname()[1] < start.PORT + start.PORTS_TRIED
        with pytest.raises(DataError, match=f"port {taken}.*--port"):
            start._listening("127.0.0.1", taken)


@pytest.mark.parametrize("host", ["", "everywhere", "http://10.0.0.5", "10.0.0.5:80", "300.1.1.1"])
def test_a_host_is_an_address(host):
    with pytest.raises(DataError, match=r"0\.0\.0\.0"):
        start._require_host(host)


def test_nothing_is_sent_to_find_the_own_addresses(monkeypatch):
    def refuse(*_given):
        raise AssertionError("something was sent")

    for name in ("send", "sendto", "sendall"):
        monkeypatch.setattr(socket.socket, name, refuse)
    assert start._addresses()
    assert start._hosts("0.0.0.0") == start._addresses()
    assert start._hosts("10.0.0.5") == ["10.0.0.5"]


def test_the_terminal_says_whether_phones_can_join(tmp_path):
    room = types.SimpleNamespace(token="t0ken", code="K7QXMB")
    alone = "\n".join(start.heading(room, ["http://127.0.0.1:8750"], "W4", tmp_path))
    assert "Phones cannot join" in alone and "--host" in alone
    assert "http://127.0.0.1:8750/wall#t0ken" in alone and "K7QXMB" not in alone
    words.speak("zh-Hans")
    reached = "\n".join(start.heading(room, ["http://10.0.0.5:8750"], "W4", tmp_path))
    assert "手机打开 http://10.0.0.5:8750" in reached and "K7QXMB" in reached
    assert "█" in reached or "▀" in reached, "a code to photograph"
    assert "无法加入" not in reached


def test_the_command_is_understood_and_costs_other_commands_nothing():
    parsed = cli._parser().parse_args(["room", "--session", "W5", "--host", "0.0.0.0"])
    assert (parsed.session, parsed.host, parsed.port) == ("W5", "0.0.0.0", 0)
    for port in ("80", "70000", "x"):
        with pytest.raises(SystemExit):
            cli._parser().parse_args(["room", "--port", port])
    heavy = "starlette", "uvicorn", "segno", "helpers.room.server", "matplotlib", "pandas"
    program = "import sys; from helpers import cli; cli._parser(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert not set(heavy) & set(loaded.stdout.split())
