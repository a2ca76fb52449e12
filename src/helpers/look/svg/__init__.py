"""Figures as SVG, written by ourselves and put into a page: a sealed box, see README.md."""

from helpers.look.svg.markup import inline
from helpers.look.svg.roads import drawn, road

__all__ = ["drawn", "inline", "road"]
