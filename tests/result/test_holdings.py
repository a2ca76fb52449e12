"""What is owed and what lies in stock: by hand, and as the pages of their owners find it."""

import numpy as np
import pandas as pd
import pytest

from conftest import small_tables
from helpers import data, inventory, look, receivables, result
from helpers.result import holdings, summary

pytestmark = pytest.mark.usefixtures("looks")

PERIOD = "2026-10"
ROWS = [
    ("balance", "now", 300.0, 60.0),
    ("balance", "base", 200.0, 45.0),
    ("overdue_amount", "now", 30.0, np.nan),
    ("stock_value", "now", 50.0, 33.0),
]


def held(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=holdings.HELD)


def test_each_stands_beside_a_year_before_as_far_as_that_is_known():
    found = holdings.holding_table(held(*ROWS[::-1])).set_index("indicator")
    assert found.index.tolist() == ["balance", "overdue_amount", "stock_value"]
    owed = found.loc["balance"]
    assert owed.tolist() == [300, 200, pytest.approx(0.5), 60, 45]
    assert found.loc["stock_value"].isna().tolist() == [False, True, True, False, True]
    # what is known of a year before only is not told
    assert holdings.holding_table(held(("balance", "base", 1.0, 2.0))).empty
    nothing = holdings.holding_table(held())
    assert nothing.empty and nothing.columns.tolist() == holdings.COLUMNS


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            [
                "Owed by dealers: CNY 300, +50.0% on a year before, 60 days of sales (45 a year "
                "before).",
                "Overdue of it: CNY 30.",
                "In stock at dealers: CNY 50 at cost, 33 days of sales.",
            ],
        ),
        (
            "zh-Hans",
            [
                "应收账款 300 元，同比 +50.0%，相当于 60 天的销售（上年同期 45 天）。",
                "其中逾期 30 元。",
                "客户库存 50 元（按成本），相当于 33 天的销售。",
            ],
        ),
    ],
)
def test_sentences_say_what_is_known(language, said):
    look.use(language, "CNY")
    found = holdings.holding_sentences(holdings.holding_table(held(*ROWS)))
    assert [s.replace("\N{NO-BREAK SPACE}", " ").replace("\u202f", " ") for s in found] == said


def test_the_month_tells_what_the_pages_of_their_owners_tell(small_demo):
    found = result.result_month(small_demo, PERIOD)
    rows = found.holdings.set_index("indicator")
    now, before = (receivables.receivables_month(small_demo, m) for m in (PERIOD, "2025-10"))
    assert rows.loc["balance", "actual"] == pytest.approx(now.owed["balance"].sum(), abs=0.005)
    assert rows.loc["balance", "previous_actual"] == before.network.balance
    assert rows.loc["balance", "holding_days"] == now.network.countback_days
    overdue = rows.loc["overdue_amount", ["actual", "previous_actual"]]
    assert overdue.tolist() == [now.network.overdue, before.network.overdue]
    stock = inventory.stock_month(small_demo, PERIOD, n_history=1)
    assert rows.loc["stock_value", "actual"] == pytest.approx(stock.whole["value"].iloc[0])
    # a year ago nothing counted it, and what came less a part of the tills is no stock
    assert data.on_hand(small_demo, "2025-10").source == "sell_in"
    assert np.isnan(rows.loc["stock_value", "previous_actual"])
    said = summary.bottom_line(result.read_month(small_demo, PERIOD), found)
    assert said[-3:] == holdings.holding_sentences(found.holdings)


@pytest.mark.parametrize("gone", ["payments", "stock stock_moves sell_out", "both"])
def test_without_such_a_table_the_month_is_silent(make_book, gone):
    names = "payments stock stock_moves sell_out" if gone == "both" else gone
    tables = {k: v for k, v in small_tables().items() if k not in names.split()}
    told = set(result.result_month(make_book(**tables), PERIOD).holdings["indicator"])
    assert ("balance" in told) == ("payments" in tables)
    assert gone == "payments" or "stock_value" not in told
