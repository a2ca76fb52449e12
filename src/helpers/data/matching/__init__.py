"""Matching: which file of an ERP's exports is which table, and which header is which column.

`headers` reads a header, `values` looks at what stands below it, `placing` decides between them;
`draft` writes a `workbook.toml` of it, `asking` puts what is not certain to a person.
"""
