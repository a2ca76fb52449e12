"""Inventory age: how long goods have lain at the dealers, how fast they sell, and what nobody asks
for any more.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import look, words
from helpers.inventory import turnover
from helpers.inventory.turnover import MEASURES, PACE_DAYS, PAIR

# a fixed reading, and columns of published tables: months and editions are compared by them
BUCKETS = ("0-30", "31-60", "61-90", "91-180", "over_180", "unknown")
LIMITS = (30, 60, 90, 180)  # days; who reaches a limit is still below it
OLD_DAYS = 90  # a piece that has lain longer is old
DEAD_DAYS = 90  # longer, and none of the model sold in as many days: dead
VITAL_SHARE = 0.8  # Pareto: the fewest dealers who together hold this part of the old stock
NOTED = 0.005  # of the stock: a part that was higher between two months is told
MANY_MONTHS = 5  # beyond, a phone has no room for a number over each
N_BARS = 15  # dealers drawn
N_CALLED = 5  # dealers with most dead stock whom the front page says to call
VALUES = {bucket: "value_" + bucket.replace("-", "_") for bucket in BUCKETS}

SHOWN = [
    "dealer_id",
    "dealer_name",
    "account_manager",
    "value",
    "value_91_180",
    "value_over_180",
    "old_share",
    "dead_value",
    "days_sales_of_inventory",
    "sell_through_rate",
]
DEAD = [
    "dealer_id",
    "dealer_name",
    "account_manager",
    "product_name",
    "quantity",
    "value",
    "age_days",
    "last_sold_date",
]
GROUPS = [
    "n_models",
    "quantity",
    "value",
    "value_91_180",
    "value_over_180",
    "old_share",
    "days_sales_of_inventory",
    "stock_turn",
    "sell_through_rate",
]


# ---- age -----------------------------------------------------------------------------------------


def aged(layers: pd.DataFrame, as_of, *, old_days: int = OLD_DAYS) -> pd.DataFrame:
    """Add `age_days`, `bucket` (one of `BUCKETS`), `is_old` (more than `old_days`) and `value`
    (pieces × dealer's cost) to layers of stock.

    A layer without a date is "unknown" and not old, one dated after `as_of` is new. Where a layer
    has no cost, it is valued at the model's mean over all layers; where no dealer's cost of it is
    known, `value` is NaN.

    >>> days = pd.to_datetime(["2026-10-15", "2026-09-15", "2026-08-15", "2026-07-15"])
    >>> layers = pd.DataFrame({"dealer_id": "d", "product_id": "p", "quantity": 25.0,
    ...                        "unit_cost": 10.0, "received_date": days})
    >>> aged(layers, "2026-10-31")["bucket"].tolist()
    ['0-30', '31-60', '61-90', '91-180']
    """
    # where there is no row, columns have no type
    layers = layers.astype({"quantity": float, "unit_cost": float})
    days = (
        (pd.Timestamp(as_of) - pd.to_datetime(layers["received_date"]))
        .dt.days.clip(lower=0)
        .astype(float)
    )
    place = np.searchsorted(LIMITS, days.fillna(0), side="left")
    bucket = pd.array(BUCKETS, dtype="str").take(np.where(days.isna(), len(BUCKETS) - 1, place))
    cost = layers["unit_cost"].fillna(
        layers["product_id"].map(turnover.model_costs(layers)).astype(float)
    )
    rows = layers.assign(age_days=days, bucket=bucket, value=layers["quantity"] * cost)
    return with_old(rows, old_days)


def with_old(aged: pd.DataFrame, old_days: int) -> pd.DataFrame:
    """Mark by another rule what `is_old`: what has lain for more than `old_days`."""
    return aged.assign(is_old=aged["age_days"] > old_days)


def bucket_values(aged: pd.DataFrame, by: str) -> pd.DataFrame:
    """Sum up stock per `by`.

    `n_models`, `quantity`, `value`, one `value_…` per bucket, `old_value`, `old_share`,
    `stock_age_days`.

    `old_share` is the part of the value that `is_old`, of all value: what has no date counts as not
    old. `stock_age_days` is the mean age weighted by value, of what has a date.
    """
    known = aged.assign(
        weighted=aged["age_days"] * aged["value"],
        dated=aged["value"].where(aged["age_days"].notna()),
    )
    sums = known.groupby(by).agg(n_models=("product_id", "nunique"), quantity=("quantity", "sum"))
    money = known.groupby(by)[["value", "weighted", "dated"]].sum(min_count=1)
    wide = known.pivot_table(index=by, columns="bucket", values="value", aggfunc="sum")
    wide = wide.reindex(index=sums.index, columns=BUCKETS).fillna(0.0).rename(columns=VALUES)
    rows = pd.concat([sums, money["value"], wide.round(2)], axis=1).rename_axis(columns=None)
    # to the cent by bucket, so that it is the sum of the columns beside it where the rule is one of
    # their limits
    old = known[known["is_old"]].groupby([by, "bucket"])["value"].sum().round(2)
    rows["old_value"] = old.groupby(by).sum().reindex(sums.index, fill_value=0.0)
    rows["old_share"] = rows["old_value"] / money["value"].where(money["value"] > 0)
    rows["stock_age_days"] = money["weighted"] / money["dated"].where(money["dated"] > 0)
    return rows.assign(value=rows["value"].round(2)).reset_index()


# ---- what sleeps, and what is dead ---------------------------------------------------------------


def older_than(aged: pd.DataFrame, n_days: int) -> pd.DataFrame:
    """List per dealer and model what has lain longer than `n_days`, as `summed`."""
    return summed(aged[aged["age_days"] > n_days])


def summed(rows: pd.DataFrame) -> pd.DataFrame:
    """Sum up layers per dealer and model.

    `quantity`, `value`, `age_days` (mean of the pieces); dearest first.
    """
    rows = rows.assign(weighted=rows["age_days"] * rows["quantity"])
    rows = rows.groupby(PAIR)[["quantity", "value", "weighted"]].sum(min_count=1).reset_index()
    rows["age_days"] = rows.pop("weighted") / rows["quantity"]
    rows["value"] = rows["value"].round(2)
    return rows.sort_values(["value", *PAIR], ascending=[False, True, True], ignore_index=True)


def dead_stock(
    aged: pd.DataFrame, flows: pd.DataFrame, *, dead_days: int = DEAD_DAYS
) -> pd.DataFrame:
    """List what is dead: pieces older than `dead_days`, one of the spans that `flows` tell, of a
    model of which the dealer sold none in as many days.

    Where nothing tells what a dealer sold, or since when a piece lies there, it is not called dead.
    Columns: `dealer_id`, `product_id`, `quantity`, `value`, `age_days` (mean of the pieces),
    `last_sold_date`; dearest first.
    """
    pairs = turnover.stock_and_sales(aged, flows)
    unsold = pairs.loc[pairs[turnover.sold_in(dead_days)] <= 0, PAIR]
    rows = older_than(aged, dead_days).merge(unsold, on=PAIR)
    last = flows.drop_duplicates(PAIR)[[*PAIR, "last_sold_date"]]
    rows = rows.merge(
        last.assign(last_sold_date=pd.to_datetime(last["last_sold_date"])), on=PAIR, how="left"
    )
    return rows.sort_values(["value", *PAIR], ascending=[False, True, True], ignore_index=True)


# ---- tables --------------------------------------------------------------------------------------


def dealer_stock(
    aged: pd.DataFrame,
    flows: pd.DataFrame,
    *,
    dead_days: int = DEAD_DAYS,
    pace_days: int = PACE_DAYS,
) -> pd.DataFrame:
    """Describe each dealer's stock: age, dead stock and pace; who has most old stock first.

    Columns: `dealer_id`, those of `bucket_values`, `dead_value` and `dead_share` (of his value; NaN
    where nothing tells what he sold) and `MEASURES`.
    """
    pairs = turnover.stock_and_sales(aged, flows)
    rows = _described(aged, pairs, "dealer_id", pace_days)
    dead = dead_stock(aged, flows, dead_days=dead_days).groupby("dealer_id")["value"].sum()
    told = set(pairs.loc[pairs[turnover.sold_in(dead_days)].notna(), "dealer_id"])
    dead_value = (
        rows["dealer_id"]
        .map(dead)
        .astype(float)
        .round(2)
        .fillna(0.0)
        .where(rows["dealer_id"].isin(told))
    )
    at = rows.columns.get_loc(MEASURES[0])
    rows.insert(at, "dead_value", dead_value)
    rows.insert(at + 1, "dead_share", dead_value / rows["value"].where(rows["value"] > 0))
    return rows


def network_stock(
    aged: pd.DataFrame,
    flows: pd.DataFrame,
    *,
    dead_days: int = DEAD_DAYS,
    pace_days: int = PACE_DAYS,
) -> pd.DataFrame:
    """Describe the stock of all dealers together: one row as `dealer_stock`, with `n_dealers`.

    None without stock.
    """
    pairs = turnover.stock_and_sales(aged, flows).assign(network="network")
    rows = _described(aged.assign(network="network"), pairs, "network", pace_days)
    return rows.assign(
        n_dealers=aged["dealer_id"].nunique(),
        dead_value=dead_stock(aged, flows, dead_days=dead_days)["value"].sum(),
    )


def _described(aged: pd.DataFrame, pairs: pd.DataFrame, by: str, pace_days: int) -> pd.DataFrame:
    paced = turnover.turnover(pairs, by, pace_days=pace_days)
    rows = bucket_values(aged, by).merge(paced, on=by, how="left")
    return rows.sort_values(["old_value", by], ascending=[False, True], ignore_index=True)


def group_stock(
    aged: pd.DataFrame,
    flows: pd.DataFrame,
    models: pd.DataFrame,
    by: str,
    *,
    pace_days: int = PACE_DAYS,
) -> pd.DataFrame:
    """Describe stock per `by`, "category" or "brand" of the models, as `bucket_values` and
    `turnover` do.

    No rows where there are fewer than two on hand: one is the whole. Most old stock first.
    """
    named = models.drop_duplicates("product_id").set_index("product_id")[by]
    if aged["product_id"].map(named).nunique() < 2:
        return pd.DataFrame(columns=[by, *GROUPS])

    def with_name(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(**{by: rows["product_id"].map(named).fillna("not_stated")})

    pairs = with_name(turnover.stock_and_sales(aged, flows))
    return _described(with_name(aged), pairs, by, pace_days)


def past_months(
    on_hand: Mapping[str, tuple],
    flows: Mapping[str, pd.DataFrame],
    *,
    old_days: int = OLD_DAYS,
    pace_days: int = PACE_DAYS,
) -> pd.DataFrame:
    """Describe the stock of several month ends, each told by what was known then; oldest first.

    `on_hand` and `flows` give what `data.on_hand` and `data.flows` tell, by month. A month
    without a count of its own is left out. Columns: `month`, `as_of_date`, those of
    `bucket_values`, and `MEASURES`.
    """
    rows = []
    for month in sorted(on_hand):
        then = on_hand[month]
        if len(then.layers) and str(then.as_of)[:7] == month:
            layers = aged(then.layers, then.as_of, old_days=old_days).assign(month=month)
            pairs = turnover.stock_and_sales(layers, flows[month]).assign(month=month)
            described = _described(layers, pairs, "month", pace_days)
            rows.append(described.assign(as_of_date=then.as_of))
    return (
        pd.concat(rows, ignore_index=True)
        if rows
        else pd.DataFrame(columns=["month", "value", "old_value", "old_share"])
    )


def vital_holders(rows: pd.DataFrame) -> pd.DataFrame:
    """Choose the fewest dealers of `dealer_stock` who hold `VITAL_SHARE` of the old stock."""
    held = rows["old_value"]
    ahead = (held.cumsum() - held) / max(held.sum(), 1e-9)
    return rows[(held > 0) & (ahead.round(9) < VITAL_SHARE)]


def named(
    rows: pd.DataFrame, dealers: pd.DataFrame, models: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Put names beside the numbers: `dealer_name`, `city`, `account_manager`.

    `product_name`, else its number.
    """
    known = dealers.drop_duplicates("dealer_id").reindex(
        columns=["dealer_id", "dealer_name", "city", "account_manager"]
    )
    rows = known.merge(rows, on="dealer_id", how="right")
    rows["dealer_name"] = rows["dealer_name"].fillna(rows["dealer_id"])
    if models is not None:
        names = models.drop_duplicates("product_id").set_index("product_id")["product_name"]
        at = rows.columns.get_loc("product_id") + 1
        named = rows["product_id"].map(names).astype(object)
        rows.insert(at, "product_name", named.fillna(rows["product_id"]))
    return rows


def shown(rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Choose columns for reading: money and days without fractions, turns with one.

    `value` under a plainer name.
    """
    digits = {column: 0 for column in columns if "value" in column or column == MEASURES[0]}
    return rows[columns].round({**digits, "stock_turn": 1}).rename(columns={"value": "goods_value"})


def most_dead(stock: pd.DataFrame) -> pd.Series:
    """Mark the `N_CALLED` dealers of `dealer_stock` with most dead stock, and who ties with the
    last.
    """
    return (stock["dead_value"] > 0) & (
        stock["dead_value"].rank(method="min", ascending=False) <= N_CALLED
    )


def remark_table(remarks: pd.DataFrame) -> pd.DataFrame:
    """Count what is odd in the records: `check`, `n_rows`, `n_dealers`, `quantity`, an `example`.

    Most rows first.
    """
    rows = remarks.sort_values(PAIR).assign(
        example=lambda r: r["dealer_id"] + " · " + r["product_id"]
    )
    table = rows.groupby("remark").agg(
        n_rows=("quantity", "size"),
        n_dealers=("dealer_id", "nunique"),
        quantity=("quantity", "sum"),
        example=("example", "first"),
    )
    table = table.reset_index(names="check")
    return table.sort_values(["n_rows", "check"], ascending=[False, True], ignore_index=True)


# ---- plots ---------------------------------------------------------------------------------------


def _looks() -> dict[str, dict]:
    """Give each bucket's look: the older, the darker, warm where old; unknown hollow."""
    edge = {"edgecolor": look.COLORS["reference"], "linewidth": 1}
    aged = [{"color": color} for color in look.AGES]
    return dict(zip(BUCKETS, [*aged, {"facecolor": "white", **edge}], strict=True))


def _nothing_to_draw(rows: pd.DataFrame) -> str:
    """Say why there is no figure, if there is none."""
    if rows.empty:
        return words.say("inventory.no_stock")
    return "" if rows["value"].sum() > 0 else words.say("inventory.no_cost")


def plot_ages(
    whole: pd.DataFrame, *, old_days: int = OLD_DAYS, note: str = "", ax: Axes | None = None
) -> Axes:
    """Draw the value on hand by age bucket, of `network_stock`."""
    if said := _nothing_to_draw(whole):
        return look.nothing(said, ax)
    row = whole.iloc[0]
    shown = [b for b in BUCKETS if b != "unknown" or row[VALUES[b]] > 0]
    values, looks = [row[VALUES[b]] for b in shown], _looks()
    ax, y = ax or look.axes(height=1.2 + 0.32 * len(shown)), np.arange(len(shown))
    for at, bucket, value in zip(y, shown, values, strict=True):
        ax.barh(at, value, 0.7, **looks[bucket])
        said = f"{words.money(value, unit=False)} · {words.percent(value / row['value'], 1)}"
        ax.annotate(said, (value, at), (5, 0), textcoords="offset points", va="center", fontsize=9)
    ax.set_yticks(y, [words.label(VALUES[b]) for b in shown])
    ax.set(ylim=(len(shown) - 0.4, -0.6), xlim=(0, max(values)), xticks=[])
    ax.set_xlabel(words.label("stock_value"))
    ax.grid(visible=False)
    title = words.say(
        "inventory.ages",
        share=words.percent(row["old_share"], 1),
        days=old_days,
        old=row["old_value"],
    )
    return look.explain(ax, title, words.say("inventory.ages_how"), note)


def plot_months(
    months: pd.DataFrame, *, old_days: int = OLD_DAYS, note: str = "", ax: Axes | None = None
) -> Axes:
    """Draw the stock of the past month ends by age bucket, with the part that is old over each.

    `months` from `past_months`, by the same `old_days`.
    """
    if said := _nothing_to_draw(months):
        return look.nothing(said, ax)
    months = months[months["value"] > 0]  # of goods without a value no part is old
    title = _months_title(months, old_days)
    if len(months) == 1:
        return look.instead(title, ax)
    ax = ax or look.axes(height=3.4)
    _stacked(ax, months, ax.bar, "bottom", BUCKETS)
    tops, shares = months[list(VALUES.values())].sum(axis=1), months["old_share"].to_numpy()
    # of many months the first, the last and the highest
    some = {0, len(shares) - 1, int(shares.argmax())}
    for x in sorted(some if len(shares) > MANY_MONTHS else range(len(shares))):
        ax.annotate(
            words.percent(shares[x], 1),
            (x, tops.iloc[x]),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=9,
        )
    ax.set_xticks(range(len(months)), months["month"])
    ax.set(
        ylim=(0, tops.max() * 1.12),
        ylabel=words.label("stock_value"),
        xlim=(-0.7, max(len(months), 4) - 0.3),
    )
    ax.grid(axis="x", visible=False)
    look.money_axis(ax.yaxis)
    return look.explain(ax, title, words.say("inventory.months_how", days=old_days), note)


def _months_title(months: pd.DataFrame, old_days: int) -> str:
    """Say how the old part went, and where between its ends it was higher."""
    shares = months["old_share"].reset_index(drop=True)
    first, last, top = shares.iloc[0], shares.iloc[-1], shares.max()
    key = "months_peak" if top > max(first, last) + NOTED else "months"
    return words.say(
        f"inventory.{key if len(months) > 1 else 'months_one'}",
        days=old_days,
        first=words.percent(first, 1),
        last=words.percent(last, 1),
        top=words.percent(top, 1),
        month=months["month"].iloc[int(shares.argmax())],
        n=len(months),
    )


def plot_dealers(
    stock: pd.DataFrame, *, old_days: int = OLD_DAYS, note: str = "", ax: Axes | None = None
) -> Axes:
    """Draw what the dealers with most old stock hold, by age.

    `stock` from `dealer_stock`, with `dealer_name`, by the same `old_days`.
    """
    if said := _nothing_to_draw(stock):
        return look.nothing(said, ax)
    shown = stock[stock["old_value"] > 0].head(N_BARS)
    if shown.empty:
        return look.nothing(words.say("inventory.no_old", days=old_days), ax)
    ax = ax or look.axes(height=1.5 + 0.27 * len(shown))
    # the old at the axis, where lengths compare
    _stacked(ax, shown, ax.barh, "left", BUCKETS[-2::-1] + BUCKETS[-1:])
    ax.set_yticks(range(len(shown)), shown["dealer_name"])
    ax.invert_yaxis()
    ax.set(xlabel=words.label("stock_value"), ylim=(len(shown) - 0.4, -0.6))
    ax.grid(axis="y", visible=False)
    look.money_axis(ax.xaxis)
    part = words.percent(shown["old_value"].sum() / stock["old_value"].sum())
    title = words.say("inventory.dealers", n=len(shown), of=len(stock), share=part, days=old_days)
    return look.explain(ax, title, words.say("inventory.dealers_how", days=old_days), note)


def _stacked(ax: Axes, rows: pd.DataFrame, bar, start: str, order: tuple[str, ...]) -> None:
    """Stack the buckets of each row, named beside the last column or above the first row."""
    base, looks, told = np.zeros(len(rows)), _looks(), []
    place = -1 if start == "bottom" else 0
    for bucket in [b for b in order if b != "unknown" or rows[VALUES[b]].any()]:
        values = rows[VALUES[bucket]].to_numpy(float)
        bar(np.arange(len(rows)), values, 0.7, **looks[bucket], **{start: base})
        at = float(base[place] + values[place] / 2)
        told.append((at, words.label(VALUES[bucket]), look.COLORS["text"]))
        base = base + values
    (look.beside if start == "bottom" else look.above)(ax, told)
