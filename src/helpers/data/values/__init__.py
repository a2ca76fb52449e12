"""Values: how a column's values are written is found in the engine, then read by one expression.

`reading` looks once at all columns; only those that their plain cast leaves something of are
looked at closer: `numbers`, `dates` and `ids` find the style, `text` writes what they share.
"""
