"""Readers: a file of whatever kind becomes rows of text, before anyone maps their columns."""
