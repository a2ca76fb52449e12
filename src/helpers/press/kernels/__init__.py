"""Kernels that are forked from a warm process, and an engine that speaks to them over a pipe."""
