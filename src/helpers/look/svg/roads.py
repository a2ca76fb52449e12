"""Which road a figure takes: our own drawing, or matplotlib's SVG where the two would differ."""

import contextlib
import functools
import hashlib
import io
import json
import os
import re
import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from helpers import files
from helpers.look.svg import markup
from helpers.settings import project_here, refusal

SWITCH, ROADS = "WORKBOOK_SVG", ("own", "plain")
KEPT_DAYS = 7  # since another verdict was written: then its version is no longer in use
OWN = re.compile(r"drawing\.[0-9a-f]{32}\.json")  # what we write into the cache


def road() -> str:
    """Give the road that figures take: "own" or "plain".

    The environment's `WORKBOOK_SVG` names it, and then nothing is compared; else it is our own, if
    it draws the golden figure as matplotlib does.

    Raises
    ------
    DataError
        If the environment names another one.
    """
    asked = os.environ.get(SWITCH, "")
    if asked and asked not in ROADS:
        raise refusal("road", name=SWITCH, given=asked, known=", ".join(ROADS))
    return asked or ("plain" if _difference() else "own")


def drawn(figure: Figure) -> str:
    """Draw a figure as small SVG, of 72 points to the inch; the same figure gives the same text.

    A figure that holds what we don't draw (formulas, shading by triangles) is drawn by matplotlib,
    whatever road the others take.

    Raises
    ------
    DataError
        As `road`.
    """
    if road() == "own":
        from helpers.look.svg import drawing

        with contextlib.suppress(NotImplementedError):
            return drawing.svg(figure)
    return markup.slim_svg(plain(figure))


def plain(figure: Figure) -> str:
    """Draw a figure by matplotlib's own SVG backend."""
    buffer = io.StringIO()
    # the same figure is the same bytes
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


@functools.cache
def _difference() -> str:
    """Say how our drawing differs from matplotlib's, "" where it doesn't; kept in the cache.

    Once in a process it is told, for pages weigh more and come slower.
    """
    # the door, which takes a second to load, is open already in whatever draws from data
    from helpers.data import connections

    # a drawing belongs to no workbook: its verdict is kept where we stand, or, where that is no
    # project, nowhere
    place = connections.CACHE or ((here := project_here()) and here / "data" / "cache")
    if place is None:
        return _told(_compared())
    kept = place / "kept" / f"drawing.{_made_of()}.json"
    try:
        difference = str(json.loads(kept.read_text(encoding="utf-8"))["difference"])
    except (OSError, ValueError, LookupError, TypeError):  # not there, or torn
        difference = _compared()
        # a cache that can't be written: the next process compares again
        with contextlib.suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            files.write(kept, json.dumps({"difference": difference}), synced=False)
            files.clear(kept.parent, OWN, KEPT_DAYS * 86400)
    return _told(difference)


def _told(difference: str) -> str:
    if difference:
        print(f"figures are drawn by matplotlib, not by us: {difference}", file=sys.stderr)
    return difference


def _made_of() -> str:
    """Hash what the verdict depends on: matplotlib's version, and how we draw and compare."""
    code = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    return hashlib.sha256(repr((mpl.__version__, code)).encode()).hexdigest()[:32]


def _compared() -> str:
    # whatever is not as expected, a name that is gone or a figure that can't be read
    try:
        from helpers.look.svg import comparison

        return comparison.difference()
    except Exception as error:
        return " ".join(f"{type(error).__name__}: {error}".split())
