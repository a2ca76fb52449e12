"""Kernels that are forked from a warm process, and an engine that speaks to them over a pipe: a
sealed box, see README.md.

The provisioner and papermill's engine, both named `warm`, are found by their entry points.
"""

from helpers.press.kernels.provisioner import end_kernels, load_ahead

__all__ = ["end_kernels", "load_ahead"]
