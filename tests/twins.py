"""The twin of a scope: a workbook whose sources are cut by SQL."""

import shutil
from pathlib import Path

from helpers import settings

BY_DEALER = (
    "sell_in",
    "payments",
    "balances",
    "dealer_profit",
    "stock",
    "stock_moves",
    "sell_out",
    "plan",
)


def twin(book: settings.Workbook, scope: dict, folder: Path) -> settings.Workbook:
    """Write the second toml: a query per table."""
    files = {name: source.source for name, source in book.tables.items() if source.source}
    where = " AND ".join(
        f"{column} IN ({', '.join(repr(value) for value in values)})"
        for column, values in scope.items()
    )
    inside = f"dealer_id IN (SELECT dealer_id FROM all_dealers WHERE {where})"
    # those of regions or account managers, where the scope is of nothing else
    others = {"region": "account_manager", "account_manager": "region"}
    (level, *more) = scope
    is_level = not more and level in others
    alone = f"{others[level]} IS NULL AND dealer_id IS NULL" if is_level else "1 = 0"
    of_targets = f"{where} AND {alone}" if is_level else alone
    of_places = set(scope) <= set(settings.contract()["regions"])
    queries = {
        "dealers": f"SELECT * FROM all_dealers WHERE {where}",
        "scores": f"SELECT * FROM all_scores WHERE dealer_id IS NULL OR {inside}",
        **{name: f"SELECT * FROM all_{name} WHERE {inside}" for name in BY_DEALER},
        "targets": f"SELECT * FROM all_targets WHERE {inside} OR ({of_targets})",
        **{
            name: f"SELECT * FROM all_{name} WHERE consumer_id IN (SELECT consumer_id FROM "
            f"all_sell_out WHERE {inside})"
            for name in ("consumers", "contacts")
        },
        "regions": f"SELECT * FROM all_regions WHERE {where}"
        if of_places
        else "SELECT r.* FROM all_regions r SEMI JOIN (SELECT region, city FROM all_dealers WHERE "
        f"{where}) d ON r.region = d.region AND r.city = d.city",
        "candidates": f"SELECT * FROM all_candidates WHERE city IN (SELECT city FROM all_regions "
        f"WHERE {where})"
        if of_places
        else "SELECT * FROM all_candidates WHERE 1 = 0",
    }
    lines = ["[workbook]", 'name = "twin"', f'brand = "{book.brand}"', 'currency = "CNY"']
    lines += ["[data.files]", *(f'all_{name} = "{path}"' for name, path in files.items())]
    for name, path in files.items():
        source = f'query = "{queries[name]}"' if name in queries else f'source = "{path}"'
        lines += [f"[data.{name}]", source]
    (folder / "workbook.toml").write_text("\n".join(lines), encoding="utf-8")
    for beside in book.folder.glob("*.csv"):
        shutil.copy(beside, folder)
    return settings.workbook(folder)
