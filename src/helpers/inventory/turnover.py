"""Turnover: what was sold set against what is on hand, and how many days the stock will last."""

import re

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from helpers import look, words

# sales of the last quarter tell how long stock will last; a year would mix in the season that is
# over
PACE_DAYS = 90
YEAR_DAYS = 365
PAIR = ["dealer_id", "product_id"]
COMING = ["coming", "ahead"]  # of `season.with_season`, where the season is told
SOLD = re.compile(r"sold(?:_(\d+)d)?")  # columns that tell what was sold, and in how many days
MEASURES = ["days_sales_of_inventory", "stock_turn", "sell_through_rate"]


def model_costs(layers: pd.DataFrame) -> pd.Series:
    """Average the cost of a piece of each model over all dealers, weighted by pieces."""
    known = layers[layers["unit_cost"].notna()]
    sums = (
        known.assign(value=known["quantity"] * known["unit_cost"])
        .groupby("product_id")[["value", "quantity"]]
        .sum()
    )
    return sums["value"] / sums["quantity"]


def stock_and_sales(aged: pd.DataFrame, flows: pd.DataFrame) -> pd.DataFrame:
    """Put stock and sales of every dealer and model side by side, also where there is only one of
    them.

    A model that `flows` do not name was not sold, if they name the dealer; of a dealer they know
    nothing of, sales are NaN: he may not report. So are those of more days than `flows` (their
    `n_days`, if given) reach back. Columns: `dealer_id`, `product_id`, `quantity`, `value`,
    `unit_cost` (the dealer's mean, else all dealers'), `sold` (in the months of `flows`), and the
    sales of the last days that `flows` tell, such as `sold_90d`; `coming` and `ahead`, by what
    these are to be multiplied to tell the coming days, where `flows` tell the season.
    """
    told = [column for column in flows if SOLD.fullmatch(column)]
    flows = flows.astype(dict.fromkeys(told, float))  # where there is no row, columns have no type
    have = aged.groupby(PAIR)[["quantity", "value"]].sum(min_count=1).reset_index()
    rows = have.merge(flows[[*PAIR, *told]], on=PAIR, how="outer", indicator="found")
    silent = (rows["found"] == "left_only") & rows["dealer_id"].isin(flows["dealer_id"].unique())
    for column in told:
        rows[column] = rows[column].mask(silent & flows[column].notna().any(), 0.0)
        days = SOLD.fullmatch(column)[1]
        if days and "n_days" in flows and (flows["n_days"] < int(days)).any():
            rows[column] = np.nan  # nobody can say that nothing was sold in so many days
    everywhere = rows["product_id"].map(model_costs(aged)).astype(float)
    models = flows.drop_duplicates("product_id").set_index("product_id")
    for column in [column for column in COMING if column in flows]:
        rows[column] = rows["product_id"].map(models[column]).astype(float).fillna(1.0)
    rows["unit_cost"] = (rows["value"] / rows["quantity"].where(rows["quantity"] > 0)).fillna(
        everywhere
    )
    # no piece is worth nothing; no cost is unknown
    rows["value"] = rows["value"].mask(rows["quantity"].isna(), 0.0)
    return rows.assign(quantity=rows["quantity"].fillna(0.0)).drop(columns="found")


def days_sales_of_inventory(value: pd.Series, cost_of_sales: pd.Series, n_days: int) -> pd.Series:
    """Give the days that stock lasts at the pace of `n_days`: stock ÷ cost of sales × days.

    NaN without sales.

    Stock is what lies there at the end, not the average. Source: "days sales of inventory" or "days
    of supply", the reciprocal of inventory turnover (ASCM Supply Chain Dictionary).

    >>> days_sales_of_inventory(pd.Series([100.0, 100.0]), pd.Series([200.0, 0.0]), 90).tolist()
    [45.0, nan]
    """
    return value / cost_of_sales.where(cost_of_sales > 0) * n_days


def sell_through_rate(sold: pd.Series, left: pd.Series) -> pd.Series:
    """Give the part sold of the pieces there were to sell.

    Opening and received, which is what was sold and is left.

    Pieces passed on to another dealer were not there to sell. More brought back than sold is 0; NaN
    without pieces. Source: sell-through, units sold ÷ units available (Levy, Weitz & Grewal,
    Retailing Management).

    >>> sell_through_rate(pd.Series([30.0]), pd.Series([10.0])).tolist()
    [0.75]
    """
    sold = sold.clip(lower=0)
    return sold / (sold + left).where(sold + left > 0)


def sold_in(days: int) -> str:
    """Name the column of the sales of the last days.

    >>> sold_in(90)
    'sold_90d'
    """
    return f"sold_{days}d"


def turnover(pairs: pd.DataFrame, by: str, *, pace_days: int = PACE_DAYS) -> pd.DataFrame:
    """Measure how fast stock sells, per `by`.

    The three of `MEASURES`, NaN where nothing tells what was sold.

    Days of sales and `stock_turn` (a year) go by the cost of the pieces sold in the last
    `pace_days`, one of the spans that `pairs` (`stock_and_sales`) tell, and by the season: as many
    days to come sell `ahead` times as much. Each is the other's reciprocal: turn = 365 ÷ days.
    Sell-through goes by all months of `flows`.
    """
    recent = pairs[sold_in(pace_days)]
    paced = recent.notna()
    parts = pd.DataFrame(
        {
            by: pairs[by],
            "cost": recent.clip(lower=0) * pairs.get("ahead", 1.0) * pairs["unit_cost"],
            "value": pairs["value"].where(paced),
            "sold": pairs["sold"],
            "left": pairs["quantity"].where(pairs["sold"].notna()),
        }
    )
    sums = parts.groupby(by)[["cost", "value", "sold", "left"]].sum(min_count=1)
    days = days_sales_of_inventory(sums["value"], sums["cost"], pace_days)
    turn = sums["cost"] * (YEAR_DAYS / pace_days) / sums["value"].where(sums["value"] > 0)
    rates = [days, turn, sell_through_rate(sums["sold"], sums["left"])]
    return pd.DataFrame(dict(zip(MEASURES, rates, strict=True)))


def plot_days_of_sales(
    stock: pd.DataFrame,
    *,
    pace_days: int = PACE_DAYS,
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw each dealer's days of sales on hand against his stock.

    Red are those whose stock is half dead; a line stands at the days by which the pace goes.
    """
    if stock.empty:
        return look.nothing(words.say("inventory.no_stock"), ax)
    shown = stock[(stock["days_sales_of_inventory"] > 0) & (stock["value"] > 0)]
    if shown.empty:
        return look.nothing(words.say("inventory.no_pace", days=pace_days), ax)
    ax = ax or look.axes(height=3.9, dense=len(shown) > look.MANY)
    dead, days = shown["dead_share"] >= 0.5, shown["days_sales_of_inventory"]
    for at, color, mark in ((~dead, "accent", "o"), (dead, "bad", "s")):
        ax.scatter(
            shown["value"][at],
            days[at],
            s=20,
            marker=mark,
            color=look.COLORS[color],
            edgecolor="white",
            linewidth=0.4,
        )
    ax.axhline(pace_days, color=look.COLORS["reference"], linewidth=0.9, linestyle=(0, (3, 3)))
    ax.set(
        xscale="log",
        yscale="log",
        xlabel=words.label("stock_value"),
        ylabel=words.label(MEASURES[0]),
    )
    look.money_axis(ax.xaxis)
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.yaxis.set_minor_formatter(NullFormatter())  # else powers of ten stand between
    title = words.say(
        "inventory.turn",
        n=int((days > pace_days).sum()),
        of=len(shown),
        days=pace_days,
        middle=float(days.median()),
    )
    how = "inventory.turn_how" if dead.any() else "inventory.turn_how_none"
    return look.explain(ax, title, words.say(how, days=pace_days), note)
