"""Attacks: what somebody in the same network may try, and what he gets."""

import json
import re

import pytest
import rooms

from helpers.room import server
from helpers.room.live import MOST_TRIES
from helpers.settings import PACKAGE

made, wall, let_in = rooms.made, rooms.wall, rooms.let_in
PAGES = PACKAGE / "room" / "pages"
HOSTILE = {
    "html": "<b>Bo</b><img src=x>",
    "script": "<script>alert(1)",
    "closing": "</script><script>1",
    "quote": '" onfocus="alert(1)',
    "formula": "=cmd|' /C calc'!A0",
    "turned": "\u202egnp.exe\u202c",
    "right-to-left": "محمد العربي",
    "nul": "a\x00b",
    "escape": "\x1b[2J\x1b[31m",
    "template": "{{7*7}}${7*7}{n}",
    "sql": "'); DROP TABLE people;--",
    "path": "../../etc/passwd",
    "surrogate": "\ud800",
}
TRAINERS = (
    ("GET", "/trainer/state"),
    ("GET", "/trainer/events"),
    ("GET", "/trainer/choices"),
    ("GET", "/trainer/figure/fishbone-en"),
    ("GET", "/qr.svg"),
    ("POST", "/trainer/act"),
)


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_is_text(made, wall, let_in, name):
    try:
        phone = let_in(name)
    except UnicodeEncodeError:  # the client can't send it; the server is asked in its own way
        body = json.dumps({"code": made.code, "name": name}).encode()
        phone = rooms.Phone(rooms.server_of(made))
        told = phone.client.post(
            "/join", content=body, headers={"content-type": "application/json"}
        )
        assert told.status_code == 200
    (person,) = wall.get("/trainer/state").json()["people"]
    assert person["name"].isprintable() and len(person["name"]) <= 24
    assert not set("\u202e\u202c\x00\x1b") & set(person["name"])
    assert made.store.people()[0].name == person["name"]
    assert wall.get("/trainer/state").headers["content-type"] == "application/json"


def test_pages_are_made_of_text_never_of_markup():
    """What a script shows it makes of elements and text; markup from a text has no way in."""
    for file in PAGES.glob("*.js"):
        code = file.read_text(encoding="utf-8")
        ways = (
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc"
        )
        assert not re.search(ways, code), file.name
        assert not re.search(r"https?:", code.replace("http://", "", 1)), "nothing from elsewhere"
    for file in PAGES.glob("*.html"):
        page = file.read_text(encoding="utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|<style|\sstyle=|https?://", page)


def test_long_texts_and_messages_are_refused(made, let_in):
    phone = rooms.Phone(rooms.server_of(made))
    assert phone.join(made.code, "x" * 10_000).json() == {"error": "too_long"}
    assert phone.join(made.code, "x" * 20_000).status_code == 413
    chunked = phone.client.post(
        "/join",
        content=(b"x" * 4096 for _ in range(9)),
        headers={"content-type": "application/json"},
    )
    assert chunked.status_code == 413
    assert made.store.people() == []


TORN = (b"", b"[]", b"5", b"null", b"{", b"\xff\xfe", b"[" * 9000, b'{"answers": ' + b"[" * 5000)


def test_what_is_no_message_is_refused(made, let_in):
    phone, headers = let_in(), {"content-type": "application/json"}
    for path in ("/answers", "/idea", "/vote", "/join", "/trainer"):
        for body in TORN:
            told = phone.client.post(path, content=body, headers=headers)
            assert (told.status_code, told.json()) == (400, {"error": "no_message"}), body[:12]


def test_only_the_code_on_the_wall_lets_in(made):
    phone = rooms.Phone(rooms.server_of(made))
    for code in ("", "AAAAAA", made.code[:-1], made.code + "A", None, 5, ["x"], "\ud800"):
        body = json.dumps({"code": code, "name": ""}).encode()
        headers = {"content-type": "application/json"}
        assert phone.client.post("/join", content=body, headers=headers).status_code == 403
    assert phone.join(f" {made.code.lower()} ").status_code == 200


def test_a_code_can_not_be_guessed(made):
    phone = rooms.Phone(rooms.server_of(made))
    told = [phone.join("WRONG1").status_code for _ in range(MOST_TRIES + 1)]
    assert told[-2:] == [403, 429]
    assert phone.join(made.code).status_code == 429, "a while even the right one waits"


def test_nobody_speaks_without_a_key_or_with_anothers(made, wall, let_in, small, tmp_path):
    anna = let_in("Anna")
    wall.act("open", kind="self")
    said = {"room": made.id, "round": 1, "answers": [{"item": "s01", "value": 5, "seq": 1}]}
    stranger = rooms.Phone(rooms.server_of(made))
    (name, key), *_ = anna.client.cookies.items()
    for forged in ("", "x", key[:-1], key + "x", "' OR 1=1 --", made.token, made.code):
        stranger.client.cookies.clear()
        stranger.client.cookies.set(name, forged)
        assert stranger.post("/answers", said).json() == {"error": "join_first"}
        assert stranger.get("/me").json() == {"me": None}
    with rooms.room(small, tmp_path / "other.sqlite", "W8") as other:
        elsewhere = rooms.Phone(rooms.server_of(other))
        elsewhere.client.cookies = anna.client.cookies
        assert elsewhere.get("/me").json() == {"me": None}, "a key opens one room only"
        assert elsewhere.join(made.code).status_code == 403
    assert made.store.answers(1) == []


def test_an_answer_for_another_session_counts_nowhere(made, wall, let_in):
    anna = let_in("Anna")
    wall.act("open", kind="self")
    answers = [{"item": "s01", "value": 5, "seq": 1}]
    for of in ({"room": "another"}, {}, {"room": None}):
        told = anna.post("/answers", {**of, "round": 1, "answers": answers})
        assert (told.status_code, told.json()) == (409, {"error": "other_room"})
    for number in (0, 2, -1, "1", True, None, [1], 1.5):
        told = anna.post("/answers", {"room": made.id, "round": number, "answers": answers})
        assert told.status_code == 409, number
    assert made.store.answers(1) == []


def test_a_replay_changes_nothing(made, wall, let_in):
    anna = let_in("Anna")
    wall.act("open", kind="self")
    first, then = {"s01": 2.0}, {"s01": 8.0}
    anna.answer(made, 1, first, 1)
    anna.answer(made, 1, then, 2)
    for _ in range(3):
        assert anna.answer(made, 1, first, 1).status_code == 200
    assert [value for _code, _item, value in made.store.answers(1)] == [8.0]


ELSEWHERE = (
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": f"https://{rooms.HOST}"},
    {"origin": "http://10.0.0.5:8888"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
)


def test_another_page_sends_nothing(made, wall):
    """Not even with the trainer's own cookie, which his browser may lend to it."""
    for headers in ELSEWHERE:
        told = wall.post("/trainer/act", {"do": "open", "kind": "self"}, **headers)
        assert told.status_code == 403, headers
    assert made.store.rounds() == []
    ours = {"origin": f"http://{rooms.HOST}", "sec-fetch-site": "same-origin"}
    assert wall.post("/trainer/act", {"do": "open", "kind": "self"}, **ours).status_code == 200


def test_a_form_sends_nothing(made, wall):
    body = b'{"do": "open", "kind": "self", "x": "="}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        told = wall.client.post("/trainer/act", content=body, headers={"content-type": kind})
        assert told.status_code == 415 and made.store.rounds() == [], kind


def test_another_name_for_this_address_gets_nothing(made):
    for host in ("evil.example", "127.0.0.1:8750", "10.0.0.5", "10.0.0.5:8888", ""):
        phone = rooms.Phone(rooms.server_of(made), {"host": host})
        assert phone.get("/").status_code == 421, host
        assert phone.join(made.code).status_code == 421, host


def test_the_wall_needs_the_trainers_token(made, wall, let_in):
    phone = let_in("Anna")
    for token in ("", "x", made.code, made.token[:-1], None, 5, ["x"]):
        assert phone.post("/trainer", {"token": token}).status_code == 403
    name = next(name for name in wall.client.cookies if name.startswith("trainer_"))
    for forged in ("", "x", made.code, made.token[:-1]):
        phone.client.cookies.set(name, forged)
        for method, path in TRAINERS:
            given = {"json": {"do": "open", "kind": "self"}} if method == "POST" else {}
            told = phone.client.request(method, path, **given)
            assert (told.status_code, told.json()) == (403, {"error": "trainer_only"}), path
    assert made.store.rounds() == []
    routes = {r.path for r in server.app(made, [])._inner.routes if r.path.startswith("/trainer/")}
    known = {re.sub(r"/figure/.*", "/figure/{name}", path) for _method, path in TRAINERS}
    assert routes <= known, "a new route of the trainer's is on this list, too"


NOWHERE = (
    "/assets/../server.py",
    "/assets/..%2fserver.py",
    "/assets/%2e%2e/server.py",
    "/assets/....//server.py",
    "/assets/..%5cserver.py",
    "/assets//etc/passwd",
    "/assets/%2fetc%2fpasswd",
    "/assets/wall.js%00.css",
    "/words/..%2fme",
    "/words/de",
    "/server.py",
    "/rooms/W9.sqlite",
)


def test_paths_lead_nowhere(made, wall):
    assert {path: wall.get(path).status_code for path in NOWHERE} == dict.fromkeys(NOWHERE, 404)


def test_only_what_is_served_is_served(made, let_in):
    phone = let_in()
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        headers = {"content-type": "application/json"}
        told = phone.client.request(method, "/me", headers=headers)
        assert told.status_code in (405, 415), method


def test_browsers_are_told_to_trust_our_own_files_only(made, wall):
    for path in (
        "/",
        "/wall",
        "/desk",
        "/assets/wall.js",
        "/words/en",
        "/me",
        "/nowhere",
        "/qr.svg",
    ):
        told = wall.get(path).headers
        assert told["x-content-type-options"] == "nosniff" and told["x-frame-options"] == "DENY"
        assert told["referrer-policy"] == "no-referrer" and told["cache-control"] == "no-store"
        policy = told["content-security-policy"]
        assert policy.startswith("default-src 'none'") and "unsafe-eval" not in policy
        assert "unsafe-inline" not in policy or "script-src" not in policy
        assert not re.search(r"https?:|\*", policy)
        assert "server" not in told and "access-control-allow-origin" not in told
    for cookie in wall.client.cookies.jar:
        assert cookie.has_nonstandard_attr("HttpOnly")
        assert cookie.get_nonstandard_attr("SameSite") == "strict"


def test_a_language_is_one_of_ours(made, wall):
    for path in ("/trainer/state", "/trainer/choices"):
        assert wall.get(f"{path}?language=../../etc").status_code == 422
    for days in (0, 4, 401, "60", None, 60.5):
        assert wall.act("result", days=days).status_code == 422, days


def test_one_person_does_not_fill_the_room(made, wall, let_in):
    anna = let_in("Anna")
    wall.act("open", kind="idea")
    sent = {"room": made.id, "round": 1, "text": "one more"}
    told = [anna.post("/idea", {**sent, "mark": f"mark-{i:04d}"}).status_code for i in range(21)]
    assert told == [200] * 20 + [422]
    for text in ("", "  ", "\u202e", "x" * 201, None, 5):
        assert anna.post("/idea", {**sent, "mark": "mark-last", "text": text}).status_code == 422
    for mark in ("", "short", "x" * 65, "a b c d e f", "../../../x", None):
        assert anna.post("/idea", {**sent, "mark": mark}).status_code == 422
