"""Server: the room over HTTP: pages, messages, and events as they happen.

Whoever is in the same network may knock, so nothing is taken on trust: who sends a message is told
by a key that only he has, where it comes from by its browser, and what it may be long by a limit.
"""

import asyncio
import contextlib
import hashlib
import io
import json
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import segno
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from helpers import look, words
from helpers.room.live import Room
from helpers.room.store import Person, RoomError
from helpers.settings import DataError

PAGES = Path(__file__).parent / "pages"
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
MOST_BYTES = 16_384  # of a message
APART_SECONDS = 0.1  # between two pictures of the wall
ALIVE_SECONDS = 15.0  # of silence, then a sign of life: routers forget who says nothing
KEEP_SECONDS = 3 * 86_400  # that a phone remembers its key
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# a figure as an image runs nothing; its strokes carry their own style
OF_FIGURES = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
# what is wrong with the request itself, not with what it says
REFUSED = {"host": 421, "origin": 403, "kind": 415, "too_big": 413, "no_message": 400}
STATUS = {
    "join_first": 403,
    "wrong_code": 403,
    "trainer_only": 403,
    "wait": 429,
    "closed": 409,
    "other_room": 409,
    "full": 409,
    "still_open": 409,
    **REFUSED,
}

Page = Callable[[Request], Awaitable[Response]]


def app(room: Room, hosts: Iterable[str]) -> ASGIApp:
    """Make the server of a room.

    Parameters
    ----------
    hosts
        Names, with port, under which it may be asked for: a page elsewhere that calls itself by
        another name for this address gets nothing.
    """
    server = _Server(room)
    routes = [
        Route("/", server.page("phone")),
        Route("/wall", server.page("wall")),
        Route("/desk", server.page("desk")),
        Route("/assets/{name}", server.asset),
        Route("/words/{language}", server.words),
        Route("/qr.svg", server.qr),
        Route("/favicon.ico", server.nothing),
        Route("/join", server.join, methods=["POST"]),
        Route("/me", server.me),
        Route("/events", server.events),
        Route("/own", server.own),
        Route("/answers", server.answers, methods=["POST"]),
        Route("/idea", server.idea, methods=["POST"]),
        Route("/vote", server.vote, methods=["POST"]),
        Route("/trainer", server.enter, methods=["POST"]),
        Route("/trainer/state", server.state),
        Route("/trainer/events", server.wall_events),
        Route("/trainer/choices", server.choices),
        Route("/trainer/act", server.act, methods=["POST"]),
        Route("/trainer/figure/{name}", server.figure),
    ]
    refusals = {RoomError: _told, DataError: _told_data}
    return Guard(Starlette(routes=routes, exception_handlers=refusals), hosts)


class Guard:
    """Refuse what comes from elsewhere or is too long, before anybody reads it; and tell browsers
    to trust nothing but our own files.
    """

    def __init__(self, inner: ASGIApp, hosts: Iterable[str]) -> None:
        """Stand before an application."""
        self._inner, self._hosts = inner, frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or say why not."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _value in message["headers"]}
                ours = ((n.lower().encode(), v.encode()) for n, v in HEADERS.items())
                message["headers"] += [(n, v) for n, v in ours if n not in given]
            await send(message)

        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        reason = self._why_not(scope["method"], headers)
        body = b""
        if not reason and scope["method"] == "POST":
            body, reason = await _body(receive, headers)
        if reason:
            response = JSONResponse({"error": reason}, STATUS[reason])
            await response(scope, receive, with_headers)
            return
        await self._inner(scope, _given(body, receive), with_headers)

    def _why_not(self, method: str, headers: Mapping[str, list[str]]) -> str:
        host = headers.get("host", [])
        if len(host) != 1 or host[0].lower() not in self._hosts:
            return "host"
        if method in ("GET", "HEAD"):
            return ""
        origin, site = headers.get("origin", []), headers.get("sec-fetch-site", [])
        if origin and [o.lower() for o in origin] != [f"http://{host[0].lower()}"]:
            return "origin"
        if site and site != ["same-origin"]:
            return "origin"
        kind = headers.get("content-type", [])
        # no form of another page can send this without asking us first
        if len(kind) != 1 or kind[0].split(";")[0].strip().lower() != "application/json":
            return "kind"
        return ""


async def _body(receive: Receive, headers: Mapping[str, list[str]]) -> tuple[bytes, str]:
    """Read a message whole, but no more of it than one may be long."""
    told = headers.get("content-length", ["0"])[0]
    if not told.isdecimal() or int(told) > MOST_BYTES:
        return b"", "too_big"
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"", "no_message"
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MOST_BYTES:
            return b"", "too_big"
    return body, ""


def _given(body: bytes, receive: Receive) -> Receive:
    """Hand a body on that was read already."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def once() -> Message:
        return waiting.pop() if waiting else await receive()

    return once


async def _told(_request: Request, error: Exception) -> Response:
    reason = str(error)
    return JSONResponse({"error": reason}, STATUS.get(reason, 422))


async def _told_data(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "data", "said": str(error)}, 409)


async def _message(request: Request) -> dict[str, Any]:
    """Take the object that a message is."""
    body = await request.body()
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise RoomError("no_message") from None
    if not isinstance(found, dict):
        raise RoomError("no_message")
    return found


def _language(request: Request) -> str:
    language = request.query_params.get("language", "en")
    if language not in words.LANGUAGES:
        raise RoomError("no_language")
    return language


class _Server:
    """The routes of one room."""

    def __init__(self, room: Room) -> None:
        self.room = room
        # of its own: two rooms on one machine share its cookies, whatever their ports are
        mark = hashlib.sha256(room.id.encode()).hexdigest()[:8]
        self.key, self.trainer = f"room_{mark}", f"trainer_{mark}"
        self.files = {file.name: file.read_bytes() for file in PAGES.iterdir() if file.is_file()}
        colors = "; ".join(
            f"--{name}: {look.COLORS[name]}"
            for name in ("accent", "muted", "text", "subtle", "rival", "good", "bad", "B")
        )
        self.files["room.css"] = f":root {{ {colors} }}\n".encode() + self.files["room.css"]
        drawn = io.BytesIO()
        code = segno.make(f"{room.address}/#{room.code}", error="m", micro=False)
        code.save(drawn, kind="svg", xmldecl=False, scale=8, border=2, omitsize=True)
        self._qr = drawn.getvalue()

    # ---- pages ---------------------------------------------------------------------------------

    def page(self, name: str) -> Page:
        """Give a page, which holds nothing of the room: its script asks for that."""

        async def given(_request: Request) -> Response:
            return Response(self.files[f"{name}.html"], media_type=KINDS[".html"])

        return given

    async def asset(self, request: Request) -> Response:
        """Give a style or script; only what was there when the room was opened."""
        name = request.path_params["name"]
        kind = KINDS.get(Path(name).suffix)
        if name not in self.files or kind is None:
            return Response(status_code=404)
        return Response(self.files[name], media_type=kind)

    async def nothing(self, _request: Request) -> Response:
        """Give no icon, so that no browser asks again."""
        return Response(status_code=204)

    async def words(self, request: Request) -> Response:
        """Give the words of the pages in a language."""
        language = request.path_params["language"]
        if language not in self.room.sheet.said:
            return Response(status_code=404)
        said = self.room.sheet.said[language]
        return JSONResponse({name.removeprefix("room."): text for name, text in said.items()})

    async def qr(self, request: Request) -> Response:
        """Give the code that phones photograph; it lets in, so it is the trainer's to show."""
        self._require_trainer(request)
        return self._svg(self._qr)

    def _svg(self, drawn: bytes) -> Response:
        return Response(
            drawn, media_type="image/svg+xml", headers={"Content-Security-Policy": OF_FIGURES}
        )

    # ---- phones --------------------------------------------------------------------------------

    async def join(self, request: Request) -> Response:
        """Let a phone in; who is in stays who he is."""
        message, language = await _message(request), _language(request)
        person = self.room.store.person(request.cookies.get(self.key, ""))
        if person is not None:
            return JSONResponse(self.room.phone(person, language))
        person, key = await self.room.join(message.get("code"), message.get("name", ""))
        response = JSONResponse(self.room.phone(person, language))
        self._remember(response, self.key, key)
        return response

    def _remember(self, response: Response, name: str, key: str) -> None:
        response.set_cookie(name, key, max_age=KEEP_SECONDS, httponly=True, samesite="strict")

    def _person(self, request: Request) -> Person:
        person = self.room.store.person(request.cookies.get(self.key, ""))
        if person is None:
            raise RoomError("join_first")
        return person

    async def me(self, request: Request) -> Response:
        """Tell a phone what is asked, and what its owner said; one that is not in, just that."""
        person = self.room.store.person(request.cookies.get(self.key, ""))
        told = {"me": None} if person is None else self.room.phone(person, _language(request))
        return JSONResponse(told)

    async def own(self, request: Request) -> Response:
        """Tell a phone what concerns its owner alone."""
        return JSONResponse(await self.room.own(self._person(request), _language(request)))

    async def answers(self, request: Request) -> Response:
        """Keep answers, and say so when they are on the disk."""
        person, message = self._person(request), await _message(request)
        return JSONResponse({"revision": await self.room.answer(person, message)})

    async def idea(self, request: Request) -> Response:
        """Keep an idea."""
        person, message = self._person(request), await _message(request)
        return JSONResponse({"revision": await self.room.idea(person, message)})

    async def vote(self, request: Request) -> Response:
        """Keep a vote."""
        person, message = self._person(request), await _message(request)
        return JSONResponse({"revision": await self.room.vote(person, message)})

    async def events(self, request: Request) -> Response:
        """Tell a phone whenever something else is asked; it then asks what."""
        person, _language_known = self._person(request), _language(request)

        async def told() -> AsyncGenerator[str, None]:
            present = self.room.present
            present[person.id] = present.get(person.id, 0) + 1
            self.room.changed()
            try:
                async with contextlib.aclosing(self._changes(for_phones=True)) as changes:
                    async for _ in changes:
                        yield json.dumps({"version": self.room.version(for_phones=True)})
            finally:
                present[person.id] -= 1
                self.room.changed()

        return _stream(told())

    # ---- the trainer ---------------------------------------------------------------------------

    async def enter(self, request: Request) -> Response:
        """Let the trainer in by the token that the terminal printed."""
        token = (await _message(request)).get("token")
        if not isinstance(token, str) or not secrets.compare_digest(
            token.encode("utf-8", "surrogatepass"), self.room.token.encode()
        ):
            raise RoomError("trainer_only")
        response = JSONResponse({})
        self._remember(response, self.trainer, self.room.token)
        return response

    def _require_trainer(self, request: Request) -> None:
        given = request.cookies.get(self.trainer, "").encode("utf-8", "surrogatepass")
        if not secrets.compare_digest(given, self.room.token.encode()):
            raise RoomError("trainer_only")

    async def state(self, request: Request) -> Response:
        """Tell the wall how the room stands."""
        self._require_trainer(request)
        return JSONResponse(await self.room.wall(_language(request)))

    async def wall_events(self, request: Request) -> Response:
        """Tell the wall how the room stands, whenever that changes."""
        self._require_trainer(request)
        language = _language(request)

        async def told() -> AsyncGenerator[str, None]:
            async with contextlib.aclosing(self._changes(for_phones=False)) as changes:
                async for _ in changes:
                    yield json.dumps(await self.room.wall(language), ensure_ascii=False)

        return _stream(told())

    async def choices(self, request: Request) -> Response:
        """Tell the trainer what can be asked."""
        self._require_trainer(request)
        return JSONResponse(self.room.choices(_language(request)))

    async def act(self, request: Request) -> Response:
        """Do what the trainer asks for."""
        self._require_trainer(request)
        return JSONResponse(await self.room.act(await _message(request)))

    async def figure(self, request: Request) -> Response:
        """Give a figure of the wall."""
        self._require_trainer(request)
        drawn = self.room.drawn(request.path_params["name"])
        return self._svg(drawn.encode()) if drawn else Response(status_code=404)

    async def _changes(self, *, for_phones: bool) -> AsyncGenerator[None, None]:
        """Come round at once, and then at each change, or after a while of silence."""
        event, seen = self.room.listen(for_phones=for_phones), -1
        try:
            while not self.room.is_ending:
                event.clear()
                if seen != (now := self.room.version(for_phones=for_phones)):
                    seen = now
                    yield
                    await asyncio.sleep(APART_SECONDS)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(event.wait(), ALIVE_SECONDS)
                    continue
                seen = -1  # said once more: a sign of life that also mends what was lost
        finally:
            self.room.leave(event)


def _stream(told: AsyncGenerator[str, None]) -> Response:
    async def lines() -> AsyncGenerator[str, None]:
        yield "retry: 1000\n\n"
        async with contextlib.aclosing(told):
            async for text in told:
                yield f"data: {text}\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream")
