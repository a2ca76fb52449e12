"""Placing: which header is which column, by headers and by what stands below them."""

import datetime as dt
import itertools
import random
import sys
from pathlib import Path

import pytest

from helpers.data.matching import placing, values
from helpers.data.matching.placing import Sheet

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
import layouts


def lines(n: int = 40, seed: int = 1) -> list[dict[str, str]]:
    """Make invoice lines in which quantity × price is the amount and a dealer has one name."""
    draw = random.Random(seed)
    rows = []
    for i in range(n):
        dealer, product = draw.randrange(7), draw.randrange(5)
        quantity, price = draw.randint(1, 9), 100 + product * 7.25
        net = quantity * price
        rows.append(
            {
                "dealer_id": f"D{dealer:03d}",
                "dealer_name": f"Shop {dealer}",
                "product_id": f"P{product}",
                "product_name": f"Model {product}",
                "date": str(dt.date(2026, 1, 1) + dt.timedelta(i)),
                "quantity": str(quantity),
                "price": f"{price:.2f}",
                "net": f"{net:.2f}",
                "tax": f"{net * 0.13:.2f}",
                "gross": f"{net + float(f'{net * 0.13:.2f}'):.2f}",
                "text": draw.choice(["", "urgent", "-"]),
            }
        )
    return rows


def sheet(columns: dict[str, str], file: str = "x.csv", rows: list | None = None) -> Sheet:
    """Make a sheet of headers, each with what stands below it."""
    rows = lines() if rows is None else rows
    return Sheet(file, "", list(columns), [[row[v] for v in columns.values()] for row in rows])


def sure(columns: dict[str, str], file: str = "x.csv", rows: list | None = None) -> dict[str, str]:
    """Give what is placed for sure: header → column."""
    found = placing.placed(sheet(columns, file, rows))
    return {p.header: p.column for p in found.placements if p.is_sure and p.column}


PLAIN = {
    "Customer No.": "dealer_id",
    "Invoice Date": "date",
    "Item No.": "product_id",
    "Quantity": "quantity",
    "Net Amount": "net",
}


def test_a_plain_export_is_placed_in_any_order():
    wanted = {
        "Customer No.": "dealer_id",
        "Invoice Date": "date",
        "Item No.": "product_id",
        "Quantity": "quantity",
        "Net Amount": "revenue",
    }
    for order in itertools.islice(itertools.permutations(PLAIN.items()), 0, 120, 7):
        assert sure(dict(order)) == wanted


def test_a_code_is_the_id_and_a_text_its_name_and_alone_the_name_is_the_id():
    both = sure({**PLAIN, "Customer": "dealer_name"})
    assert both["Customer No."] == "dealer_id" and both["Customer"] == "dealer_name"
    alone = {"Customer": "dealer_name", **{h: v for h, v in PLAIN.items() if h != "Customer No."}}
    assert sure(alone)["Customer"] == "dealer_id"


def test_the_amount_that_holds_the_tax_is_not_the_revenue():
    for net, gross in (("Amount", "Total"), ("Total", "Amount"), ("Subtotal", "Total")):
        columns = {**PLAIN, net: "net", "Tax": "tax", gross: "gross"}
        del columns["Net Amount"]
        assert sure(columns).get(gross) != "revenue", (net, gross)


def test_what_pieces_and_price_make_is_no_quantity():
    found = sure({**PLAIN, "Qty": "net", "Price": "price"})
    assert found["Quantity"] == "quantity" and "Qty" not in found


@pytest.mark.parametrize(
    ("header", "below"),
    [("Invoice Date", "text"), ("Invoice Date", "dealer_name"), ("Quantity", "product_name"),
     ("Net Amount", "date"), ("Net Amount", "product_id"), ("Customer No.", "net"),
     ("Item No.", "price")],
)  # fmt: skip
def test_a_header_that_its_values_contradict_is_not_placed(header, below):
    columns = {**PLAIN, header: below}
    assert header not in sure(columns)


def test_two_headers_that_say_the_same_are_asked():
    rows = [{**row, "later": row["date"]} for row in lines()]
    without = {header: below for header, below in PLAIN.items() if header != "Invoice Date"}
    found = sure({**without, "Posting date": "date", "Sales date": "later"}, rows=rows)
    assert "date" not in found.values()


def test_a_header_that_stands_twice_or_can_t_be_named_is_not_placed():
    rows = [list(row.values())[:4] for row in lines()]
    twice = Sheet("x.csv", "", ["Customer No.", "Customer No.", "Item No.", "Quantity"], rows)
    assert "dealer_id" not in {p.column for p in placing.placed(twice).placements if p.is_sure}
    for header in ("${Customer No.}", "Customer No.\0", "Customer No." + " " * 300):
        assert header not in sure({header: "dealer_id", **PLAIN})


def test_each_column_has_one_header_and_each_header_one_column():
    for layout in [one for one in layouts.layouts() if not one.is_held_out][::7]:
        found = placing.placed(Sheet("", "", layout.headers, layouts.sample(layout)))
        named = [(p.table, p.column) for p in found.placements if p.column]
        assert len(named) == len(set(named))
        assert len({p.position for p in found.placements}) == len(found.placements)
        assert all(0 <= p.confidence <= 1 for p in found.placements)


def test_a_name_that_its_id_does_not_decide_is_not_the_dealer_s():
    draw = random.Random(3)
    rows = [{**row, "person": draw.choice("abcdefgh")} for row in lines()]
    assert "Customer Name" not in sure({**PLAIN, "Customer Name": "person"}, rows=rows)
    assert sure({**PLAIN, "Customer Name": "dealer_name"})["Customer Name"] == "dealer_name"


@pytest.mark.parametrize("unknown", ["Quux", "Quux No.", "Xyzzy Code"])
def test_a_name_is_no_id_where_an_unknown_header_may_be_the_id(unknown):
    columns = {"Customer": "dealer_name", unknown: "dealer_id", **PLAIN}
    del columns["Customer No."]
    assert "dealer_id" not in sure(columns).values()
    if unknown != "Quux":  # without rows its words alone say that it is some id
        assert "dealer_id" not in sure(columns, rows=[]).values()


PARTIES = {
    "en": ("Store no.", "Customer name", "Item no.", "Qty", "Amount", "Date"),
    "zh": ("店家号", "售达方名称", "机型编码", "台量", "销售额（元）", "日期"),
    "zh-Hant": ("店家代碼", "客戶名稱", "型號", "台數", "銷售額", "日期"),
    "de": ("Filiale Nr.", "Kundenname", "Artikelnr.", "Menge", "Betrag", "Datum"),
}


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4, 5), (5, 1, 0, 4, 3, 2), (2, 3, 4, 5, 1, 0)])
@pytest.mark.parametrize("language", PARTIES)
def test_a_shop_s_number_and_a_customer_s_name_are_one_dealer_where_each_has_one(language, order):
    """Else a shop sells to its customers: then there are many to a shop."""
    meant = ("dealer_id", "dealer_name", "product_id", "quantity", "net", "date")
    columns = {PARTIES[language][i]: meant[i] for i in order}
    assert placing.placed(sheet(columns)).table == "sell_in"
    named = {header: c for header, c in sure(columns).items() if c == "consumer_id"}
    assert not named
    bought = [{**row, "dealer_name": f"Person {i % 31}"} for i, row in enumerate(lines(120))]
    found = placing.placed(sheet(columns, rows=bought))
    sold = {p.column for p in found.placements if p.is_sure and p.table == "sell_in"}
    assert found.table == "sell_out" or "dealer_name" not in sold


def test_goods_that_come_in_are_no_money_that_comes_in():
    header = ["经销商编号", "产品型号", "进货日期", "进货数量", "进货金额"]
    found = placing.placed(Sheet("x.csv", "", header, []))
    assert found.table == "sell_in" and "amount" not in {p.column for p in found.placements}


def test_the_only_column_of_days_is_the_date():
    columns = {**PLAIN, "Whenever": "date"}
    del columns["Invoice Date"]
    assert sure(columns)["Whenever"] == "date"


@pytest.mark.parametrize(
    "header", ["Received Date", "入库日期", "入库时间", "Snapshot Date", "Opening Date", "开业日期"]
)
def test_a_day_that_its_header_says_of_something_else_is_no_date_of_a_sale(header):
    """It is asked, though it is the only day there is."""
    columns = {h: c for h, c in PLAIN.items() if c != "date"} | {header: "date"}
    assert "date" not in sure(columns).values()


@pytest.mark.parametrize("value", ["Total Value", "Value", "金额"])
@pytest.mark.parametrize("party", ["", "Customer No.", "客户编码"])
def test_a_day_goods_and_a_value_are_no_sale_for_sure_where_nobody_is_named(party, value):
    """A store's valuation looks so, too: which table it is, is asked."""
    columns = {"Date": "date", "Product": "product_id", "Quantity": "quantity", value: "net"}
    placed = sure(columns | ({party: "dealer_id"} if party else {}))
    assert ("date" in placed.values()) == bool(party)


def test_headers_without_rows_are_placed_by_their_words():
    found = placing.placed(Sheet("sales.csv", "", list(PLAIN), []))
    assert found.table == "sell_in" and found.missing() == []


def test_what_a_person_said_is_placed_whatever_it_looks_like():
    found = placing.placed(sheet({**PLAIN, "Quux": "net"}), "sell_in", {5: "sell_in.revenue"})
    assert found.sure()["revenue"].header == "Quux" and found.sure()["revenue"].reason == "told"


TABLES = {
    "dealers": ["Customer No.", "Customer Name", "City", "Region"],
    "products": ["Item No.", "Item Name", "Category", "Brand"],
    "payments": ["Customer No.", "Payment Date", "Paid Amount"],
    "stock": ["Snapshot Date", "Shop Code", "Item No.", "Received Date", "On hand", "Unit Cost"],
    "stock_moves": ["Shop Code", "Item No.", "Date", "Quantity", "Movement Type", "To Shop Code"],
    "sell_out": ["Sales Date", "Store", "Member ID", "Item No.", "Quantity", "Net Amount"],
    "sell_in": ["Invoice No", "Invoice Date", "Dealer Code", "Item No.", "Quantity", "Net Amount"],
    "dealer_profit": ["Dealer Code", "Month", "Brand", "Revenue", "Gross Profit"],
}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_told_by_its_headers_or_by_its_name(table):
    assert placing.placed(Sheet("Sheet1.csv", "", TABLES[table], [])).table == table
    assert placing.placed(Sheet("x.xlsx", table, TABLES[table], [])).table == table


def test_rows_of_any_length_and_wide_sheets_are_looked_at():
    ragged = Sheet("x.csv", "", list(PLAIN), [["D1"], [], ["D2", "2026-01-02", "P", "1", "2", "x"]])
    assert placing.placed(ragged).placements
    wide = {f"Field {i}": "text" for i in range(300)}
    assert sure({**PLAIN, **wide})["Net Amount"] == "revenue"
    assert placing.placed(Sheet("x.csv", "", ["", " "], [["1", "2"]])).placements == []


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,234.50", 1234.5), ("1.234,50", 1234.5), ("1 234,50", 1234.5), ("1'234.50", 1234.5),
     ("(12)", -12), ("12-", -12), ("-0.5", -0.5), ("￥1,200", 1200), ("12 %", 12), ("EUR 5", 5),
     ("１２３", 123), ("1,5", 1.5), ("1.5", 1.5), ("", None), ("WH-1", None), ("2026-01-02", None),
     ("1.2.3", None), ("--", None), ("1,234,567", 1234567)],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them(text, number):
    if text == "1.2.3":  # groups of one digit: whatever it is, it is not refused by a crash
        assert values.number(text) in (None, 123.0)
    else:
        assert values.number(text) == number


def test_days_are_read_in_every_form_that_fits():
    day = dt.date(2026, 3, 25)
    for form in values.DATE_FORMATS:
        if "%d" in form:
            assert form in values.date_formats([day.strftime(form)]), form
    assert values.date_formats(["2026-03-25T10:00:00Z"]) == ("%Y-%m-%d",)
    assert values.date_formats(["25/03/2026 10:00"]) == ("%d/%m/%Y",)
    assert values.date_formats(["12345678", "D1", ""]) == () == values.date_formats([])


def test_the_layouts_for_tuning_are_placed_and_none_is_wrong_for_sure():
    chosen = layouts.layouts()
    assert len(chosen) >= 200
    assert sum(one.is_renamed for one in chosen) >= 0.3 * len(chosen)
    assert sum(one.is_held_out for one in chosen) >= 0.3 * len(chosen)
    found = layouts.score([one for one in chosen if not one.is_held_out])
    assert found.n_wanted_right / found.n_wanted >= layouts.TARGET
    assert found.wrong == []


@pytest.mark.parametrize("odd", ["2026-13-04", "soon", "n/a", "04.05.2026"])
def test_one_odd_day_unplaces_no_column(odd):
    """What can't be read is for `check` to name: it makes the column no less one of days."""
    days = [f"2026-{1 + i % 6:02d}-{3 + i % 20:02d}" for i in range(19)]
    seen = values.column([*days, odd])
    assert seen.is_date
    assert seen.date_formats == ("%Y-%m-%d",)
    # half of them one way and half another: days, in no one form
    mixed = values.column([*days, *(f"{day[8:]}.{day[5:7]}.2026" for day in days)])
    assert (mixed.is_date, mixed.date_formats) == (True, ())
    assert not values.column([*days, *["open"] * 3]).is_date
