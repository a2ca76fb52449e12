"""Units: what a file says of its amounts outside of them: currency, thousands, more or less.

A column beside the amounts or the header over them tells; who adds up EUR and USD, takes 万元
for 元 or adds credit notes to sales is wrong in a way that no page shows.
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
TYPE = re.compile(
    r".*(?:type|kind|status|category|class|reason|vorgang|beleg|art|тип|вид|tipo|类型|類型|类别|類別|"
    r"性质|性質|标志|標誌|红蓝|紅藍|业务|業務|单据|單據).*",
    re.IGNORECASE | re.DOTALL,
)
RETURNS = (
    r"credit\s?(?:note|memo)|refund|\breturn|\breversal|storno|gutschrift|rückgabe|retour|\bavoir\b|"
    r"возврат|devoluci|nota de cr[eé]d|退货|退貨|退回|退款|红字|紅字|红冲|紅沖|冲红|沖紅|"
    r"贷项|貸項"
)
SOLD = {"sell_in": "revenue", "sell_out": "amount"}  # what a return takes away from
MOST_NAMED = 3  # kinds of returns in an example
MOST_TYPES = 40  # of a column; one that has more names no kinds of document
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
    for header, text in _texts(name, con, CURRENCY):
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


def warnings(name: str, con, columns: Mapping[str, Mapped]) -> list[Finding]:
    """Find returns that add to the sales: a column says credit note, the amount is above zero."""
    if SOLD.get(name) not in columns:
        return []
    amount, found = columns[SOLD[name]].typed, []
    for header, text in _texts(name, con, TYPE):
        (n_kinds,) = con.raw_sql(f"SELECT approx_count_distinct({text}) FROM raw_{name}").fetchone()
        if n_kinds > MOST_TYPES:
            continue
        rows = con.raw_sql(
            f"SELECT trim({text}) AS kind, COUNT(*) FILTER (({amount}) > 0) AS n, COUNT(*) FILTER "
            f"(({amount}) < 0) AS less FROM raw_{name} GROUP BY 1 ORDER BY n DESC, 1"
        ).fetchall()
        said = [
            (kind, n)
            for kind, n, less in rows
            if n > less and re.search(RETURNS, kind or "", re.IGNORECASE)
        ]
        # a column that calls every row a return is of a file of returns, or of something else
        if said and len(said) < len(rows):
            told = ", ".join(f"{kind} ({n:,})" for kind, n in said[:MOST_NAMED])
            n = sum(n for _kind, n in said)
            found.append(
                Finding(name, SOLD[name], "returns_added", "warning", n, f"{header}: {told}")
            )
    return found


def _texts(name: str, con, called: re.Pattern[str]) -> list[tuple[str, str]]:
    """List the columns of text that are called so: header, and header as SQL."""
    headers = con.raw_sql(
        "SELECT column_name FROM duckdb_columns() WHERE database_name = 'temp' AND table_name = "
        f"'raw_{name}' AND data_type = 'VARCHAR'"
    ).fetchall()
    return [
        (header, '"' + header.replace('"', '""') + '"')
        for (header,) in headers
        if called.fullmatch(header.strip())
    ]
