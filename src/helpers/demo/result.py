"""Demo, the result: what the month's bridge must name, a price cut and a mix shift, and the targets
the year is held against.
"""

import numpy as np
import pandas as pd

from helpers.demo.network import CATEGORIES, MODELS, Network, shift, stream, unit_price

CUT_MONTHS = 8  # the last ones, in which the price is cut
PRICE_CUT = 0.08
CUT_CATEGORY = "television"
_FIRST_CUT = MODELS * list(CATEGORIES).index(CUT_CATEGORY)
CUT_MODELS = list(range(_FIRST_CUT, _FIRST_CUT + MODELS))
SHIFT_MONTHS = 10  # the last ones, in which cheaper models are bought
SHIFT_SHARE = 0.4  # of the lines of the dear models
SHIFT_CATEGORY = "washing_machine"
_FIRST_SHIFT = MODELS * list(CATEGORIES).index(SHIFT_CATEGORY)
DEAR_MODELS = [_FIRST_SHIFT + 4, _FIRST_SHIFT + 5, _FIRST_SHIFT + 6]
CHEAP_MODELS = [_FIRST_SHIFT, _FIRST_SHIFT + 1, _FIRST_SHIFT + 2]  # the cheapest first
TARGET_GROWTH = 1.05  # over the same month a year before
ROUNDED = 1000  # targets are set in thousands


def _is_plain(net: Network, dealer: np.ndarray) -> np.ndarray:
    """Tell who carries no other truth: a planted dealer carries one only."""
    planted = np.unique(np.concatenate(list(net.marks.values())))
    return ~np.isin(dealer, planted)


def _since(net: Network, n_months: int) -> int:
    """Give the day on which the last so many months begin."""
    return int(net.bounds[-1 - n_months])


def billed_price(net: Network, lines: pd.DataFrame) -> np.ndarray:
    """Give what a piece is billed at: televisions cost less since the cut."""
    price = unit_price(net, lines)
    is_cut = (
        lines["product"].isin(CUT_MODELS)
        & (lines["day"] >= _since(net, CUT_MONTHS))
        & _is_plain(net, lines["dealer"].to_numpy())
    )
    return np.where(is_cut, (price * (1 - PRICE_CUT)).round(1), price)


def with_mix_shift(net: Network, lines: pd.DataFrame) -> pd.DataFrame:
    """Let dealers buy as many pieces of a cheaper washing machine instead of a dear one.

    Of the cheapest that they bought before the shift, so that it is no new model to them; a line
    stays as it is where its order has that model already. `meant` is the model without the shift,
    by which goods take their time, so that the shift changes nothing else of the network.
    """
    rng, begins = stream(net.seed, "mix_shift"), _since(net, SHIFT_MONTHS)
    before = lines[lines["product"].isin(CHEAP_MODELS) & (lines["day"] < begins)]
    cheap = lines["dealer"].map(before.groupby("dealer")["product"].min())
    taken = pd.MultiIndex.from_frame(lines[["order", "product"]])
    would = pd.MultiIndex.from_arrays([lines["order"], cheap.fillna(-1).astype(int)])
    moves = (
        lines["product"].isin(DEAR_MODELS)
        & cheap.notna()
        & (rng.random(len(lines)) < SHIFT_SHARE)
        & (lines["day"] >= begins)
        & _is_plain(net, lines["dealer"].to_numpy())
        & ~would.isin(taken)
    )
    # two dear lines of one order must not become two of one model
    moves &= ~lines["order"].where(moves, -1 - lines.index).duplicated()
    product = lines["product"].mask(moves, cheap).astype(lines["product"].dtype)
    return lines.assign(product=product, meant=lines["product"])


def targets(
    net: Network, dealers: pd.DataFrame, sell_in: pd.DataFrame, payments: pd.DataFrame
) -> pd.DataFrame:
    """Set targets for the last calendar year: each month a twentieth above the year before.

    For the network, each region and each account manager, whose sums agree.
    """
    places = dealers.set_index("dealer_id")[["region", "account_manager"]]
    sold = sell_in.assign(gross_profit=sell_in.eval("revenue - rebate - cost"))
    cells = pd.concat(
        [
            _by_place(sold, places, ["revenue", "gross_profit"]),
            _by_place(payments, places, ["amount"]),
        ],
        axis=1,
    ).rename(columns={"amount": "payments"})
    cells = (cells * TARGET_GROWTH / ROUNDED).round() * ROUNDED
    cells = cells.fillna(0.0).reset_index()
    cells["month"] = [shift(month, 12) for month in cells["month"]]
    year = net.months[-1][:4]
    cells = cells[cells["month"].str[:4] == year]
    money = ["revenue", "gross_profit", "payments"]
    levels = [
        cells.groupby(keys, as_index=False)[money].sum()
        for keys in (["month"], ["month", "region"], ["month", "account_manager"])
    ]
    rows = pd.concat(levels, ignore_index=True)
    columns = ["month", "region", "account_manager", "dealer_id"]
    rows = rows.reindex(columns=[*columns, *money])
    return rows.astype(dict.fromkeys(columns, "str"))


def _by_place(lines: pd.DataFrame, places: pd.DataFrame, money: list[str]) -> pd.DataFrame:
    rows = lines.merge(places, left_on="dealer_id", right_index=True)
    month = rows["date"].dt.strftime("%Y-%m").rename("month")
    return rows.groupby([month, "region", "account_manager"])[money].sum()
