"""Units: what a file says of its amounts outside of them: in which currency, in thousands of what.

A column beside the amounts or the header over them tells; who adds up EUR and USD, or takes 万元
for 元, is wrong by a factor that no page shows.
"""

import re
from collections.abc import Iterable, Mapping

from helpers.data.findings import APART, Finding
from helpers.data.mapping import Mapped
from helpers.data.values import scale

CURRENCY = re.compile(
    r"(?:.*[\s/_.])?(?:currency|curr\.?|cur\.?|ccy|waers|währung|wrg|devise|moneda|valuta|валюта)"
    r"(?:\s?(?:code|key))?|币种|币别|幣別|幣種|货币|貨幣",
    re.IGNORECASE,
)
CODES = re.compile(r"[A-Za-z]{3}|[^\w\s]{1,3}|[\u4e00-\u9fff]{2,4}")
UNIT = re.compile(
    r"单位|單位|\b(?:units?|amounts?|figures|in|values?|beträge|angaben)\b", re.IGNORECASE
)
MOST_CODES = 12  # of a column; one that has more names no currencies


def errors(
    name: str, con, columns: Mapping[str, Mapped], titles: Iterable[str] = ()
) -> list[Finding]:
    """Find amounts of several currencies by a column that says so, and those in thousands by their
    header, or by a title above it (`titles`: 单位：万元).

    An amount that is computed by an expression has been thought of, and passes.
    """
    money = {c: mapped for c, mapped in columns.items() if mapped.kind == "money"}
    plain = {c: m.raw for c, m in money.items() if re.fullmatch(r'"(?:[^"]|"")*"', m.raw)}
    if not plain:
        return []
    title = next((t for t in titles if UNIT.search(t) and scale.factor(t) != 1), "")
    found = []
    for column, raw in plain.items():
        header = raw[1:-1].replace('""', '"')
        said = header if scale.factor(header) != 1 else title
        if said:
            (n,) = con.raw_sql(f"SELECT COUNT({raw}) FROM raw_{name}").fetchone()
            found.append(
                Finding(name, column, "in_thousands", "error", n, f"{header}{APART}{said}")
            )
    headers = con.raw_sql(
        "SELECT column_name FROM duckdb_columns() WHERE database_name = 'temp' AND table_name = "
        f"'raw_{name}' AND data_type = 'VARCHAR'"
    ).fetchall()
    for (header,) in headers:
        if not CURRENCY.fullmatch(header.strip()):
            continue
        text = '"' + header.replace('"', '""') + '"'
        rows = con.raw_sql(
            f"SELECT upper(trim({text})) AS code, COUNT(*) FROM raw_{name} WHERE trim({text}) <> "
            f"'' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_CODES + 1}"
        ).fetchall()
        if 1 < len(rows) <= MOST_CODES and all(CODES.fullmatch(code) for code, _n in rows):
            told = ", ".join(f"{code} ({n:,})" for code, n in rows)
            n = sum(n for _code, n in rows[1:])
            column = next(iter(plain))
            found.append(Finding(name, column, "currencies", "error", n, f"{header}: {told}"))
    return found
