"""Arguments: what `workbook room` may be told; nothing heavy is imported for them."""

import argparse


def add_to(room: argparse.ArgumentParser) -> None:
    """Let a command take them."""
    room.add_argument(
        "--session",
        default="",
        metavar="NAME",
        help='whose answers they are, e.g. "W5" (default: the room that is not kept yet, else the '
        "session after the last one)",
    )
    room.add_argument(
        "--date",
        default="",
        metavar="DAY",
        help="day they are kept under (default: the month's last, so that they count for it)",
    )
    room.add_argument(
        "--period", default="", metavar="MONTH", help="month (default: last complete one)"
    )
    room.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="of this machine, for phones to reach; 0.0.0.0 for all (default: this machine only)",
    )
    room.add_argument(
        "--port", type=_port, default=0, metavar="N", help="(default: the first free from 8750)"
    )


def _port(text: str) -> int:
    if not text.isdigit() or not 1024 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give 1024 to 65535")
    return int(text)
