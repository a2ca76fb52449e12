"""Matching: which file of an ERP's exports is which table, and which header is which column.

`headers` reads a header, `values` and `sheet` look at what stands below it, `assignment` gives each
header its column, `documents` tells the table, `placing` puts the two together; `draft` writes a
`workbook.toml` of it, `asking` puts what is not certain to a person, `seeing` opens the files.
"""
