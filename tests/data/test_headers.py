"""Headers: what they may be, however they are written."""

import csv
import itertools
import re

import pytest

from helpers import words
from helpers.data.matching import headers
from helpers.settings import contract

# of tables and columns that later versions of the contract have
TO_COME = {"due_date", "terms_days", "credit_limit", "document_id", "balance", "month"}


def rows_of(name: str) -> list[dict[str, str]]:
    """Read a reference table."""
    with (words.REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


RULES = rows_of("headers")
NAMED = sorted({row["header"] for row in RULES if row["system"]})


def best(header: str) -> str:
    """Give the likeliest column of a header."""
    found = headers.matches(header)
    return found[0].column if found else "?"


def test_every_rule_names_columns_of_the_contract_and_a_certainty():
    known = {column for columns in contract().values() for column in columns} | TO_COME
    tables = {*contract(), "balances", "targets"}
    for row in RULES:
        for column in filter(None, row["columns"].split("|")):
            table, _dot, name = column.rpartition(".")
            assert name in known and (not table or table in tables), row
        assert 0 < float(row["certainty"]) <= 1 and row["source"], row


def test_every_rule_of_words_is_made_of_words_that_are_known():
    whole, stems = headers._words()
    named = frozenset().union(*whole.values(), *stems.values())
    for row in RULES:
        if not row["system"]:
            for word in row["header"].split():
                assert word in named or not headers.reading(word).n_unknown, (row, word)


def test_every_word_stands_once_and_every_header_once_for_a_column():
    said = [row["word"] for row in rows_of("header_words")]
    assert len(said) == len(set(said))
    pairs = [(row["header"], row["columns"]) for row in RULES]
    assert len(pairs) == len(set(pairs))


def test_each_header_of_a_system_is_known_as_it_is_written():
    for row in RULES:
        if row["system"]:
            columns = {match.column for match in headers.matches(row["header"])}
            wanted = set(filter(headers._is_known, filter(None, row["columns"].split("|"))))
            assert wanted <= columns and (row["columns"] or "" in columns), row


WAYS = {
    "upper": str.upper,
    "lower": str.lower,
    "blanks": lambda h: f"  {h} ",
    "no-break": lambda h: h.replace(" ", "\u00a0"),
    "two lines": lambda h: h.replace(" ", "\n", 1),
    "full width": lambda h: "".join(
        chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in h
    ),
    "required": lambda h: f"{h}*",
    "colon": lambda h: f"{h}:",
    "remark": lambda h: f"{h} (see manual)",
}  # fmt: skip
PLAIN = {
    "Customer No.": "dealer_id",
    "Customer Name": "dealer_name",
    "Invoice Date": "sell_in.date",
    "Invoice Number": "sell_in.order_id",
    "Net Amount": "sell_in.revenue",
    "Quantity": "quantity",
    "Item Description": "product_name",
    "Sales Region": "region",
    "Kundennummer": "dealer_id",
    "Rechnungsdatum": "sell_in.date",
    "Nettobetrag": "sell_in.revenue",
    "Код клиента": "dealer_id",
    "Количество": "quantity",
    "Quantité": "quantity",
    "Montant HT": "sell_in.revenue",
    "Cantidad": "quantity",
    "客户编码": "dealer_id",
    "存货名称": "product_name",
    "数量": "quantity",
    "無稅金額": "sell_in.revenue",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_header_is_the_same_however_it_is_written(way):
    for header, column in PLAIN.items():
        written = WAYS[way](header)
        columns = [m.column for m in headers.matches(written) if m.certainty >= 0.8]
        assert column in columns, (written, headers.matches(written))


ENTITIES = {
    "dealer_id": (
        ("Customer", "Cust", "Client", "Dealer", "Distributor", "Shop", "Store", "Debtor"),
        ("No", "No.", "Nr", "#", "ID", "Code", "Number", "Key"),
    ),
    "product_id": (
        ("Product", "Item", "Article", "Material", "Model", "Part"),
        ("No", "Nr", "#", "ID", "Code", "Number"),
    ),
    "dealer_name": (("Customer", "Client", "Dealer", "Shop", "Store"), ("Name", "name")),
    "product_name": (("Product", "Item", "Article", "Material"), ("Name", "Description", "Desc.")),
}


@pytest.mark.parametrize("column", ENTITIES)
def test_what_people_say_is_put_together_of_words(column):
    for entity, attribute in itertools.product(*ENTITIES[column]):
        for header in (
            f"{entity} {attribute}",
            f"{entity}_{attribute}",
            f"{entity}-{attribute}".lower(),
            f"{attribute} of {entity}",
        ):
            assert best(header) == column, (header, headers.matches(header))


CHINESE = {
    "dealer_id": (("客户", "经销商", "门店", "代理商", "店铺"), ("编码", "编号", "代码", "号")),
    "product_id": (("产品", "商品", "物料", "存货", "货品", "机型"), ("编码", "编号", "代码")),
    "dealer_name": (("客户", "经销商", "门店"), ("名称", "全名", "名")),
    "product_name": (("产品", "商品", "物料", "存货"), ("名称", "全名")),
    "sell_in.revenue": (("未税", "无税", "不含税", "销售"), ("金额", "收入")),
    "quantity": (("销售", "出库", "提货", ""), ("数量", "台数", "件数")),
}


@pytest.mark.parametrize("column", CHINESE)
def test_chinese_words_are_found_without_blanks_in_both_scripts(column):
    from opencc import OpenCC

    traditional = OpenCC("s2tw")
    for entity, attribute in itertools.product(*CHINESE[column]):
        for header in (entity + attribute, traditional.convert(entity + attribute)):
            columns = [m.column for m in headers.matches(header) if m.certainty >= 0.8]
            assert column in columns, (header, headers.matches(header))


@pytest.mark.parametrize(
    ("unit", "tax"),
    [("(USD)", ""), ("（元）", ""), ("[EUR]", ""), ("($)", ""), ("（含税）", "gross"),
     ("(incl. VAT)", "gross"), ("(不含税)", "net"), ("(excl. tax)", "net"), ("HT", "net"),
     ("TTC", "gross"), ("inkl. MwSt.", "gross"), ("ohne MwSt", "net"), ("без НДС", "net"),
     ("с НДС", "gross"), ("sin IVA", "net")],
)  # fmt: skip
def test_a_unit_is_no_other_column_and_a_tax_is(unit, tax):
    for amount in ("Amount", "金额", "Betrag", "Montant", "Importe", "Сумма"):
        concepts = headers.reading(f"{amount} {unit}").concepts
        assert {"gross", "net"} & concepts == ({tax} if tax else set()), (amount, unit, concepts)
        assert "amount" in concepts


def test_what_is_no_word_says_nothing_and_a_part_is_never_sure():
    assert headers.matches("Quux") == [] and headers.matches("") == []
    for header in ("Customer Quux", "Quux Amount", "客户啊", "Kunde Xyzzy", "Invoice Date Foo"):
        assert all(match.certainty < 0.8 for match in headers.matches(header)), header


@pytest.mark.parametrize(
    "header",
    ["x" * 10_000, "客" * 10_000, "(" * 500, "a_" * 5_000, "Aa" * 5_000, "\0", "\ud800", "=1+1",
     "'; DROP TABLE x; --", '"""', "${HOME}", "<b>x</b>", "\u202ecba", "🙂" * 40],
)  # fmt: skip
def test_hostile_headers_are_read_at_once(header):
    assert isinstance(headers.matches(header), list)
    assert isinstance(headers.reading(header), headers.Reading)


def test_field_names_and_compounds_are_cut_into_words():
    for header, wanted in {
        "INVOICEDQUANTITY": {"invoice", "quantity"},
        "customer_no": {"customer", "number"},
        "SoldToParty": {"sold", "to", "customer"},
        "Kundennr": {"customer", "number"},
        "Rechnungsdatum": {"invoice", "date"},
        "ArtNr": {"product", "number"},
    }.items():
        assert set(headers.reading(header).concepts) == wanted, header
    assert not any(re.search(r"\s", row["word"]) for row in rows_of("header_words"))
