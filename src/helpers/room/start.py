"""Start: which session, under which address, and what the terminal says about it."""

import contextlib
import datetime as dt
import io
import ipaddress
import os
import re
import socket
from pathlib import Path

import segno

from helpers import data, words
from helpers.press import terminal
from helpers.room.store import Store, file_stem, opened
from helpers.settings import DataError, Workbook, refusal

LOOPBACK = "127.0.0.1"
PORT, PORTS_TRIED = 8750, 20
JUPYTERS = range(8888, 8989)  # Jupyter's port, and those it tries when that is taken
FOLDER = "rooms"  # beside the toml
KEEP_SECONDS = 75  # of a phone's line between two answers: opening a new one costs it time


def run(
    book: Workbook,
    *,
    session: str = "",
    date: str = "",
    period: str = "",
    host: str = LOOPBACK,
    port: int = 0,
) -> None:
    """Open a room and serve it until it is closed by Ctrl-C.

    A room that was not kept yet is taken up where it was.

    Raises
    ------
    DataError
        If the session is known already, the address can't be had, or the data or tables are wrong.
    """
    import matplotlib as mpl

    mpl.use("agg")  # no window opens, whatever the machine can do
    from helpers.room import findings, questions

    names, host = _hosts(host), _require_host(host)
    words.speak(book.languages[0], book.currency)
    book = data.in_scope(book)
    data.prepare(book)
    path, name = _file(book, session)
    if not path.exists():
        require_new(book, name)
    with opened(path) as store:
        month = data.require_period(book, period or store.fact("period"))
        day = _day(date or store.fact("date"), findings.last_day(month))
        try:
            asked = findings.asked(book, month, name, day)
            sheet = questions.sheet(book, asked.month.scores)
        except DataError:
            raise
        except ValueError as error:
            raise DataError(str(error)) from None
        with _listening(host, port or int(store.fact("port", "0"))) as heard:
            port = heard.getsockname()[1]
            told = {"port": str(port), "date": day.isoformat(), "period": month}
            store.note(**told).result()
            _serve(store, sheet, asked, heard, names)


def _serve(store: Store, sheet, asked, heard: socket.socket, names: list[str]) -> None:
    import uvicorn

    from helpers.room.live import Room
    from helpers.room.server import app

    port = heard.getsockname()[1]
    addresses = [f"http://{_in_url(name)}:{port}" for name in names]
    room = Room(store, sheet, asked, address=addresses[0])

    class Serving(uvicorn.Server):
        def handle_exit(self, sig, frame) -> None:
            room.end()  # else it would wait for phones that listen
            super().handle_exit(sig, frame)

    hosts = [address.removeprefix("http://") for address in addresses]
    if ipaddress.ip_address(heard.getsockname()[0]).is_unspecified or names[0] == LOOPBACK:
        hosts += [f"{name}:{port}" for name in (LOOPBACK, "localhost")]
    settings = uvicorn.Config(
        app(room, hosts),
        access_log=False,
        log_config=None,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=KEEP_SECONDS,
    )
    terminal.say(*heading(room, addresses, asked.session, store.path))
    try:
        with contextlib.suppress(KeyboardInterrupt):  # so a room is closed
            Serving(settings).run(sockets=[heard])
    finally:
        room.close()
    words.speak(asked.book.languages[0], asked.book.currency)  # the wall may have spoken another
    said = "kept" if room.is_kept else "left"
    terminal.tell(words.message(f"room_start.{said}", session=asked.session))


def heading(room, addresses: list[str], session: str, path: Path) -> list[str]:
    """Say where the wall is, and how phones join."""
    is_local = ipaddress.ip_address(_host_of(addresses[0])).is_loopback
    said = [
        words.message("room_start.session", session=session, path=path),
        words.message("room_start.wall", address=f"{addresses[0]}/wall#{room.token}"),
    ]
    if is_local:
        return [*said, words.message("room_start.loopback")]
    join = f"{addresses[0]}/#{room.code}"
    drawn = io.StringIO()
    segno.make(join, error="m", micro=False).terminal(drawn, border=2, compact=True)
    others = [words.message("room_start.also", address=address) for address in addresses[1:]]
    return [
        *said,
        words.message("room_start.join", address=addresses[0], code=room.code),
        *others,
        drawn.getvalue(),
        words.message("room_start.network"),
    ]


# ---- the session ---------------------------------------------------------------------------------


def _file(book: Workbook, session: str) -> tuple[Path, str]:
    """Choose the room's file and session: those asked for, else one not kept yet, else the next."""
    folder = book.folder / FOLDER
    if not session:
        for path in sorted(folder.glob("*.sqlite")):
            with opened(path) as store:
                if store.fact("session") and not store.fact("kept"):
                    return path, store.fact("session")
        session = next_session(data.sessions_known(book))
    return folder / f"{file_stem(data.require_session(session))}.sqlite", session


def next_session(known: list[str]) -> str:
    """Name the session after the last one.

    >>> next_session(["W1", "W3", "spring"]), next_session([])
    ('W4', 'W1')
    """
    numbered = [(int(m[2]), m[1]) for name in known if (m := re.fullmatch(r"(.*?)(\d{1,6})", name))]
    number, begins = max(numbered, default=(0, "W"))
    return f"{begins}{number + 1}"


def require_new(book: Workbook, session: str) -> None:
    """Raise a DataError if the workbook knows a session already."""
    if session in (known := data.sessions_known(book)):
        raise refusal(
            "session_had", session=session, toml=book.path.name, other=next_session(known)
        )


def _day(given: str, last: dt.date) -> dt.date:
    if not given:
        return last
    try:
        return dt.date.fromisoformat(given)
    except ValueError:
        raise refusal("room_date", given=given, day=last.isoformat()) from None


# ---- the address ---------------------------------------------------------------------------------


def _require_host(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        raise refusal("room_host", host=host, address=_addresses()[0]) from None


def _hosts(host: str) -> list[str]:
    """List the addresses under which a host is reached, the likeliest first."""
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_unspecified:
            return _addresses()
    return [host]


def _addresses() -> list[str]:
    """List this machine's own addresses, the way out first; nothing is sent for that."""
    found = []
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect(("192.0.2.1", 9))  # an address that nobody has; a datagram is only addressed
        found.append(way.getsockname()[0])
    with contextlib.suppress(OSError):
        found += [a[4][0] for a in socket.getaddrinfo(socket.gethostname(), 0, socket.AF_INET)]
    usable = [a for a in dict.fromkeys(found) if not ipaddress.ip_address(a).is_loopback]
    return usable or [LOOPBACK]


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _host_of(address: str) -> str:
    return address.removeprefix("http://").rpartition(":")[0].strip("[]")


def _listening(host: str, port: int) -> socket.socket:
    """Take a port: the one asked for, else the first free one of ours; never Jupyter's.

    Raises
    ------
    DataError
        If it can't be had.
    """
    if port in JUPYTERS:
        raise refusal("room_port", port=port)
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    for tried in [port] if port else range(PORT, PORT + PORTS_TRIED):
        heard = socket.socket(kind, socket.SOCK_STREAM)
        if os.name == "posix":  # elsewhere it would share the port with who has it
            heard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            heard.bind((host, tried))
            heard.listen(1024)
            return heard
        except OSError as error:
            heard.close()
            reason = error.strerror or str(error)
    raise refusal("room_taken", host=host, port=tried, reason=reason)
