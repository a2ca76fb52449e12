"""Helpers of the Customer Workbook: one room for each question, on a few that all stand on.

Ground: `settings`, `periods`, `files`, `words`. Door: `data`, the only room that knows engines and
raw columns. Looks: `look`. Questions, DataFrames in and out: `pareto`, `segmentation`, `fishbone`,
`consumers`, `inventory`, `profit`, `calls`, then `workshop` and `card`. Face: `press`, `report`,
`widgets`, `demo`, `cli`. Imports only run downwards; see CONTRIBUTING.md.
"""
