"""Figures as SVG, written by ourselves and slimmed for a page."""
