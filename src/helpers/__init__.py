"""Helpers of the Customer Workbook: one room for each question, on a few that all stand on.

Ground: `settings`, `periods`, `files`, `words`. Door: `data`, the only room that knows engines and
raw columns. Looks: `look`. Questions, DataFrames in and out: `pareto`, `segmentation`, `fishbone`,
`consumers`, `inventory`, `profit`, `calls`, then `workshop` and `card`. Face: `press`, `report`,
`widgets`, `demo`, `cli`. Imports only run downwards; see CONTRIBUTING.md.
"""

from pathlib import Path

PACKAGE = Path(__file__).parent  # all that runs
# reference tables, notebooks, the demo's toml and the lock: an installed package has its copies of
# them, laid there when it was built; in a checkout they stand where people edit them
CHECKOUT = None if (PACKAGE / "shipped").is_dir() else PACKAGE.parents[1]
SHIPPED = CHECKOUT or PACKAGE / "shipped"
