"""Units: what a file says of its amounts outside of them: currency, thousands, more or less.

A column beside the amounts or the header over them tells; who adds up EUR and USD, takes 万元
for 元 or adds credit notes to sales is wrong in a way that no page shows.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import ibis
from ibis import _
from ibis.expr.types import Table

from helpers.data import readers
from helpers.data.findings import APART, Finding
from helpers.data.mapping import Mapped, quoted
from helpers.data.values import scale
from helpers.data.values.numbers import CURRENCIES
from helpers.data.values.text import literal

CURRENCY = re.compile(
    r"(?:.*[\s/_.])?(?:currency|curr\.?|cur\.?|ccy|waers|währung|wrg|devise|moneda|valuta|валюта)"
    r"(?:\s?(?:code|key))?|币种|币别|幣別|幣種|货币|貨幣",
    re.IGNORECASE,
)
IN_BRACKETS = re.compile(r"[(\[（]\s*([A-Za-z]{3})\s*[)\]）]")  # Amount (USD)
CODES = re.compile(r"[A-Za-z]{3}|[^\w\s]{1,3}|[\u4e00-\u9fff]{2,4}")
UNIT = re.compile(
    r"单位|單位|\b(?:units?|amounts?|figures|in|values?|beträge|angaben|werte|zahlen|montants|importes|cifras)\b",
    re.IGNORECASE,
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
STATUS = re.compile(
    r".*(?:status|statut|zustand|état|estado|stato|\bstate\b|статус|состояние|状态|狀態|状況|状况).*",
    re.IGNORECASE | re.DOTALL,
)
NOT_SOLD = re.compile(
    r"(?:.*\b)?(?:cancel(?:l?ed|lation)?|void(?:ed)?|draft|deleted|rejected|storniert|storno|entwurf|"
    r"abgelehnt|gelöscht|annul[ée]\w*|brouillon|anulad[oa]|cancelad[oa]|borrador|annullat[oa]|bozza|"
    r"отмен\w*|аннулир\w*|черновик|удал[её]н\w*)(?:\b.*)?|(?:已|订单|訂單|单据)?(?:取消|作废|作廢|删除|"
    r"刪除|驳回|駁回|无效|無效)|草稿|未审核|未審核|暂存|暫存",
    re.IGNORECASE,
)
NOT_NOT_SOLD = re.compile(r"\b(?:not|un|nicht|non|no|не)\b|未(?:取消|作废|作廢)", re.IGNORECASE)
FLAG = re.compile(
    r"(?:is[_ ]?|是否|已)?(?:cancelled|canceled|void(?:ed)?|deleted|storno|storniert|annulé|"
    r"作废|作廢|取消|删除)(?:标志|標誌|标记|flag)?",
    re.IGNORECASE,
)
YES = ("1", "y", "yes", "true", "t", "x", "j", "ja", "oui", "si", "sí", "да", "是", "√")
SOLD = {"sell_in": "revenue", "sell_out": "amount"}  # what a return takes away from
PAID = {**SOLD, "payments": "amount"}
MOST_NAMED = 3  # kinds of returns in an example
MOST_KINDS = 40  # of a column
MOST_CODES = 12  # of a column; one that has more names no currencies


# a title, or a header, in so many words: Currency: EUR, amounts in USD, 币种：人民币
SAID = re.compile(
    r"(?:currency|curr\.|währung|devise|moneda|valuta|валюта|币种|币别|幣別|幣種|货币|貨幣|单位|單位|"
    r"\b(?:amounts|values|figures|prices|sales|beträge|angaben|werte|all)\b[^:/]{0,20}?\bin)"
    rf"\s*[:：=(]?\s*({'|'.join(sorted(map(re.escape, CURRENCIES), key=len, reverse=True))})"
    r"(?![^\W\d_])",
    re.IGNORECASE,
)


class Source(NamedTuple):
    """A table as its source has it, ahead of the mapping: a file's rows, or a server's."""

    texts: list[str]  # headers of its columns of text
    select: Callable[[str], Table]  # the table of a select list, in DuckDB's SQL
    has_units: bool = False  # some cells come with what their spreadsheet shows beside them
    titles: tuple[tuple[str, str], ...] = ()  # file and what stands above its header


def errors(name: str, source: Source, columns: Mapping[str, Mapped]) -> list[Finding]:
    """Find amounts of several currencies by a column that says so, by what a spreadsheet shows or
    titles of files say, percents, and those in thousands by their header or a title (单位：万元).

    An amount that is computed by an expression has been thought of, and passes.
    """
    plain = _plain(columns)
    if not plain:
        return []
    title = next((t for _file, t in source.titles if UNIT.search(t) and scale.factor(t) != 1), "")
    found = []
    for column, raw in plain.items():
        header = raw[1:-1].replace('""', '"')
        said = header if scale.factor(header) != 1 else title
        if said:
            n = int(source.select(f"{raw} AS x").x.count().execute())
            example = f"{header}{APART}{said}"
            found.append(Finding(name, column, "in_thousands", "error", n, example))
    for header in _called(source, CURRENCY):
        rows = _codes(source, header)
        if 1 < len(rows) <= MOST_CODES and all(CODES.fullmatch(code) for code, _n in rows):
            told = ", ".join(f"{code} ({n:,})" for code, n in rows)
            n = sum(n for _code, n in rows[1:])
            column = next(iter(plain))
            found.append(Finding(name, column, "currencies", "error", n, f"{header}: {told}"))
    for column, raw in plain.items():
        found += _shown(name, source, column, raw)
    return [*found, *_titled_apart(name, source, next(iter(plain)))]


def _shown(name: str, source: Source, column: str, raw: str) -> list[Finding]:
    """Find an amount that its spreadsheet shows in several currencies, or as a percent."""
    rows = _formats(source, raw)
    found = [
        Finding(name, column, "percent", "error", n, f"{float(example) * 100:.10g}%")
        for unit, n, example in rows
        if unit == "%"
    ]
    if len(_classes(unit for unit, _n, _example in rows)) > 1:
        told = ", ".join(f"{unit} ({n:,})" for unit, n, _example in rows)
        n = sum(n for _unit, n, _example in rows[1:])
        found.append(Finding(name, column, "currencies", "error", n, f"{raw[1:-1]}: {told}"))
    return found


def _titled_apart(name: str, source: Source, column: str) -> list[Finding]:
    """Find files of which titles say another currency each."""
    said = [
        (file, found[1]) for file, title in source.titles for found in [SAID.search(title)] if found
    ]
    if len(_classes(code for _file, code in said)) < 2:
        return []
    told = ", ".join(f"{file}: {code}" for file, code in said[:MOST_NAMED])
    n = int(source.select("1 AS x").x.count().execute())
    return [Finding(name, column, "currencies", "error", n, told)]


def _formats(source: Source, raw: str) -> list[tuple]:
    """Count a column's cells by what their spreadsheet shows beside them, with an example each."""
    if not source.has_units:
        return []
    unit = readers.unit_sql(raw[1:-1].replace('""', '"'))
    cells = source.select(f"{unit} AS unit, {raw} AS x")
    cells = cells.filter(cells.unit != "").group_by("unit").agg(n=_.count(), example=_.x.min())
    return _rows(cells.order_by([ibis.desc("n"), "unit"]).limit(MOST_CODES + 1))


def _classes(codes: Iterable[str]) -> set[str]:
    return {CURRENCIES[code.casefold()] for code in codes if code.casefold() in CURRENCIES}


def warnings(
    name: str, source: Source, columns: Mapping[str, Mapped], currency: str
) -> list[Finding]:
    """Find amounts in another currency than the workbook's, and returns that add to the sales."""
    return [
        *_in_another(name, source, columns, currency),
        *_added(name, source, columns),
        *_not_sold(name, source, columns),
    ]


def _in_another(
    name: str, source: Source, columns: Mapping[str, Mapped], currency: str
) -> list[Finding]:
    """Find what a column or a header says of all amounts: USD, where the workbook has EUR."""
    found, plain = [], _plain(columns)
    for header in _called(source, CURRENCY) if plain else ():
        rows = _codes(source, header)
        if len(rows) == 1 and scale.is_other(rows[0][0], currency):
            (code, n), column = rows[0], next(iter(plain))
            example = f"{header}: {code}"
            found.append(Finding(name, column, "other_currency", "warning", n, example))
    for column, raw in plain.items():
        code = next(iter(IN_BRACKETS.findall(raw[1:-1])), "")
        if scale.is_other(code, currency):
            n = int(source.select(f"{raw} AS x").x.count().execute())
            found.append(Finding(name, column, "other_currency", "warning", n, raw[1:-1]))
        for unit, n, _example in _formats(source, raw):
            if scale.is_other(unit, currency):
                example = f"{raw[1:-1]}: {unit}"
                found.append(Finding(name, column, "other_currency", "warning", n, example))
    for file, title in source.titles if plain else ():
        code = SAID.search(title)
        if code and scale.is_other(code[1], currency):
            column, raw = next(iter(plain.items()))
            n = int(source.select(f"{raw} AS x").x.count().execute())
            place = (n, code[0], file)
            found.append(Finding(name, column, "other_currency", "warning", *place))
            break
    return found


def _added(name: str, source: Source, columns: Mapping[str, Mapped]) -> list[Finding]:
    """Find returns above zero: a column says credit note."""
    if SOLD.get(name) not in columns:
        return []
    found = []
    for header in _called(source, TYPE):
        amount = columns[SOLD[name]].typed
        lines = source.select(f"TRIM({quoted(header)}) AS kind, {amount} AS amount")
        kinds = lines.group_by("kind").agg(
            n=(lines.amount > 0).sum().fill_null(0), less=(lines.amount < 0).sum().fill_null(0)
        )
        rows = _rows(kinds.order_by([ibis.desc("n"), "kind"]).limit(MOST_KINDS + 1))
        if len(rows) > MOST_KINDS:
            continue  # it names no kinds of document
        said = [
            (kind, n)
            for kind, n, less in rows
            if n > less and re.search(RETURNS, kind or "", re.IGNORECASE)
        ]
        # a column that calls every row a return is of a file of returns, or of something else
        if said and len(said) < len(rows):
            told = ", ".join(f"{kind} ({n:,})" for kind, n in said[:MOST_NAMED])
            n = sum(n for _kind, n in said)
            example = f"{header}: {told}"
            found.append(Finding(name, SOLD[name], "returns_added", "warning", n, example))
    return found


def _not_sold(name: str, source: Source, columns: Mapping[str, Mapped]) -> list[Finding]:
    """Find lines that a column says are cancelled, drafts or void, and are counted all the same.

    The example names the column, the values with their lines, their sum, and the condition that
    leaves them out.
    """
    column = PAID.get(name, "")
    if column not in columns:
        return []
    found = []
    for header in source.texts:
        is_flag = bool(FLAG.fullmatch(header.strip()))
        if not is_flag and not STATUS.fullmatch(header.strip()):
            continue
        lines = source.select(f"{quoted(header)} AS kind, {columns[column].typed} AS amount")
        kinds = lines.group_by("kind").agg(
            n=(lines.amount != 0).sum().fill_null(0), total=lines.amount.sum()
        )
        rows = _rows(kinds.order_by([ibis.desc("n"), "kind"]).limit(MOST_KINDS + 1))
        said = [row for row in rows if row[1] and _says_not_sold(row[0], is_flag)]
        if len(rows) > MOST_KINDS or not said:
            continue
        n, total = sum(row[1] for row in said), sum(row[2] for row in said)
        told = ", ".join(f"{kind} ({count:,})" for kind, count, _total in said[:MOST_NAMED])
        values = ", ".join(literal(kind) for kind, _n, _total in said)
        example = f"{header}: {told} = {total:,.2f}; where {quoted(header)} not in ({values})"
        found.append(Finding(name, column, "not_sold", "warning", n, example))
    return found


def _says_not_sold(kind: str | None, is_flag: bool) -> bool:
    text = (kind or "").strip()
    if is_flag:
        return text.casefold() in YES
    return bool(NOT_SOLD.fullmatch(text)) and not NOT_NOT_SOLD.search(text)


def _plain(columns: Mapping[str, Mapped]) -> dict[str, str]:
    """Give the amounts that are a column of the source as it stands, with its quoted header."""
    money = {c: mapped for c, mapped in columns.items() if mapped.kind == "money"}
    return {c: m.raw for c, m in money.items() if re.fullmatch(r'"(?:[^"]|"")*"', m.raw)}


def _codes(source: Source, header: str) -> list[tuple]:
    """Count the codes of a column, the most frequent first; one more than are currencies."""
    codes = source.select(f"UPPER(TRIM({quoted(header)})) AS code")
    codes = codes.filter(codes.code != "").group_by("code").agg(n=_.count())
    return _rows(codes.order_by([ibis.desc("n"), "code"]).limit(MOST_CODES + 1))


def _called(source: Source, pattern: re.Pattern[str]) -> list[str]:
    return [header for header in source.texts if pattern.fullmatch(header.strip())]


def _rows(table: Table) -> list[tuple]:
    return list(table.to_pandas().itertuples(index=False, name=None))
