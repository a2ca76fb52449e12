"""Inventory age: how long goods have lain at the dealers, how fast they sell, and what nobody asks
for any more.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import look, words
from helpers.inventory import turnover
from helpers.inventory.turnover import MEASURES, PAIR
from helpers.settings import page_of

BUCKETS = ("0-30", "31-60", "61-90", "91-180", "over_180", "unknown")
LIMITS = (30, 60, 90, 180)  # days; who reaches a limit is still below it
OLD = ("91-180", "over_180")
OLD_DAYS = 90  # older: the buckets of `OLD`
# older than this, and none of the model sold in as many days: `sold_90d` tells no other span
DEAD_DAYS = 90
VITAL_SHARE = 0.8  # Pareto: the fewest dealers who together hold this part of the old stock
N_BARS = 15  # dealers drawn
FRESH_DAYS = 31  # a count older than a month is said to be old
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


def aged(layers: pd.DataFrame, as_of) -> pd.DataFrame:
    """Add `age_days`, `bucket` (one of `BUCKETS`) and `value` (pieces × dealer's cost) to layers of
    stock.

    A layer without a date is "unknown", one dated after `as_of` is new. Where a layer has no cost,
    it is valued at the model's mean over all layers; where no dealer's cost of it is known, `value`
    is NaN.

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
    return layers.assign(age_days=days, bucket=bucket, value=layers["quantity"] * cost)


def bucket_values(aged: pd.DataFrame, by: str | list[str]) -> pd.DataFrame:
    """Sum up stock per `by`.

    `n_models`, `quantity`, `value`, one `value_…` per bucket, `old_share`, `stock_age_days`.

    `old_share` is the part of the value older than `OLD_DAYS`, of all value: what has no date
    counts as not old. `stock_age_days` is the mean age weighted by value, of what has a date.
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
    rows["old_share"] = rows[[VALUES[b] for b in OLD]].sum(axis=1) / money["value"].where(
        money["value"] > 0
    )
    rows["stock_age_days"] = money["weighted"] / money["dated"].where(money["dated"] > 0)
    return rows.assign(value=rows["value"].round(2)).reset_index()


# ---- what sleeps, and what is dead ---------------------------------------------------------------


def older_than(aged: pd.DataFrame, n_days: int) -> pd.DataFrame:
    """List per dealer and model what has lain longer than `n_days`.

    `quantity`, `value`, `age_days`; dearest first.
    """
    rows = aged[aged["age_days"] > n_days]
    rows = rows.assign(weighted=rows["age_days"] * rows["quantity"])
    rows = rows.groupby(PAIR)[["quantity", "value", "weighted"]].sum(min_count=1).reset_index()
    rows["age_days"] = rows.pop("weighted") / rows["quantity"]
    rows["value"] = rows["value"].round(2)
    return rows.sort_values(["value", *PAIR], ascending=[False, True, True], ignore_index=True)


def dead_stock(aged: pd.DataFrame, flows: pd.DataFrame) -> pd.DataFrame:
    """List what is dead: pieces older than `DEAD_DAYS` of a model of which the dealer sold none in
    as many days.

    Where nothing tells what a dealer sold, or since when a piece lies there, it is not called dead.
    Columns: `dealer_id`, `product_id`, `quantity`, `value`, `age_days` (mean of the pieces),
    `last_sold_date`; dearest first.
    """
    pairs = turnover.stock_and_sales(aged, flows)
    rows = older_than(aged, DEAD_DAYS).merge(pairs.loc[pairs["sold_90d"] <= 0, PAIR], on=PAIR)
    last = flows.drop_duplicates(PAIR)[[*PAIR, "last_sold_date"]]
    rows = rows.merge(
        last.assign(last_sold_date=pd.to_datetime(last["last_sold_date"])), on=PAIR, how="left"
    )
    return rows.sort_values(["value", *PAIR], ascending=[False, True, True], ignore_index=True)


# ---- tables --------------------------------------------------------------------------------------


def dealer_stock(aged: pd.DataFrame, flows: pd.DataFrame) -> pd.DataFrame:
    """Describe each dealer's stock: age, dead stock and pace; who has most old stock first.

    Columns: `dealer_id`, those of `bucket_values`, `dead_value` and `dead_share` (of his value; NaN
    where nothing tells what he sold) and `MEASURES`.
    """
    pairs = turnover.stock_and_sales(aged, flows)
    rows = _described(aged, pairs, "dealer_id")
    dead = dead_stock(aged, flows).groupby("dealer_id")["value"].sum()
    told = set(pairs.loc[pairs["sold_90d"].notna(), "dealer_id"])
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


def network_stock(aged: pd.DataFrame, flows: pd.DataFrame) -> pd.DataFrame:
    """Describe the stock of all dealers together: one row as `dealer_stock`, with `n_dealers`.

    None without stock.
    """
    pairs = turnover.stock_and_sales(aged, flows).assign(network="network")
    rows = _described(aged.assign(network="network"), pairs, "network")
    return rows.assign(
        n_dealers=aged["dealer_id"].nunique(), dead_value=dead_stock(aged, flows)["value"].sum()
    )


def _described(aged: pd.DataFrame, pairs: pd.DataFrame, by: str) -> pd.DataFrame:
    rows = bucket_values(aged, by).merge(turnover.turnover(pairs, by), on=by, how="left")
    first = (
        pd.DataFrame({"old": -old_value(rows), "name": rows[by]}).sort_values(["old", "name"]).index
    )
    return rows.loc[first].reset_index(drop=True)


def old_value(rows: pd.DataFrame) -> pd.Series:
    """Sum up the buckets beyond `OLD_DAYS`."""
    return rows[[VALUES[bucket] for bucket in OLD]].sum(axis=1)


def group_stock(
    aged: pd.DataFrame, flows: pd.DataFrame, models: pd.DataFrame, by: str
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

    return _described(with_name(aged), with_name(turnover.stock_and_sales(aged, flows)), by)


def past_months(on_hand: Mapping[str, tuple], flows: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Describe the stock of several month ends, each told by what was known then; oldest first.

    `on_hand` and `flows` give what `data.on_hand` and `data.flows` tell, by month. A month
    without a count of its own is left out. Columns: `month`, `as_of_date`, those of
    `bucket_values`, and `MEASURES`.
    """
    rows = []
    for month in sorted(on_hand):
        then = on_hand[month]
        if len(then.layers) and str(then.as_of)[:7] == month:
            old = aged(then.layers, then.as_of).assign(month=month)
            pairs = turnover.stock_and_sales(old, flows[month]).assign(month=month)
            rows.append(_described(old, pairs, "month").assign(as_of_date=then.as_of))
    return (
        pd.concat(rows, ignore_index=True)
        if rows
        else pd.DataFrame(columns=["month", "value", "old_share"])
    )


def vital_holders(rows: pd.DataFrame) -> pd.DataFrame:
    """Choose the fewest dealers of `dealer_stock` who hold `VITAL_SHARE` of the old stock."""
    held = old_value(rows)
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
        rows.insert(at, "product_name", rows["product_id"].map(names).fillna(rows["product_id"]))
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


# ---- sentences -----------------------------------------------------------------------------------


def scope(title: str, as_of, whole: pd.DataFrame) -> str:
    """Say whose stock this is, of which day, and at how many dealers."""
    if whole.empty:
        return title
    return words.say(
        "inventory.scope", title=title, date=str(as_of)[:10], n=int(whole["n_dealers"].iloc[0])
    )


def bottom_line(whole: pd.DataFrame, stock: pd.DataFrame, dead: pd.DataFrame, as_of) -> list[str]:
    """Say what lies there, how old it is, who holds it and what is dead.

    One sentence where there is no stock.

    `whole` from `network_stock`; `stock` and `dead` with `dealer_name`, from `dealer_stock` and
    `dead_stock`.
    """
    if whole.empty:
        # counted, and nothing there; or nothing that would tell
        why = [words.say("inventory.nothing")] if pd.isna(as_of) else []
        return [words.say("inventory.no_stock"), *why]
    row, date = whole.iloc[0], str(pd.Timestamp(as_of).date())
    if not row["value"] > 0:
        return [
            words.say(
                "inventory.no_value",
                date=date,
                quantity=row["quantity"],
                n_dealers=int(row["n_dealers"]),
            )
        ]
    said = [
        words.say(
            "inventory.on_hand",
            date=date,
            value=row["value"],
            quantity=row["quantity"],
            n_dealers=int(row["n_dealers"]),
            n_models=int(row["n_models"]),
        ),
        _pace_sentence(row),
        _old_sentence(row),
    ]
    vital = vital_holders(stock)
    if len(vital):
        share = words.percent(VITAL_SHARE)
        names = words.listed(vital["dealer_name"])
        said.append(
            words.say("inventory.vital", n=len(vital), of=len(stock), share=share, names=names)
        )
    return [*said, _dead_sentence(row, stock, dead)]


def _pace_sentence(row: pd.Series) -> str:
    if np.isnan(row["days_sales_of_inventory"]):
        return words.say("inventory.no_pace")
    return words.say(
        "inventory.pace",
        days=row["days_sales_of_inventory"],
        turn=row["stock_turn"],
        sold=words.percent(row["sell_through_rate"]),
    )


def _old_sentence(row: pd.Series) -> str:
    old, very_old = old_value(row.to_frame().T).item(), row[VALUES["over_180"]]
    return words.say(
        "inventory.old",
        old=old,
        share=words.percent(row["old_share"], 1),
        very_old=very_old,
        very_share=words.percent(very_old / row["value"], 1),
    )


def _dead_sentence(row: pd.Series, stock: pd.DataFrame, dead: pd.DataFrame) -> str:
    if dead.empty:
        return why_nothing_dead(stock)
    held = (
        dead.groupby(["dealer_id", "dealer_name"])["value"]
        .sum()
        .sort_values(ascending=False, kind="stable")
    )
    most = held.head(N_CALLED)
    names = words.listed(most.index.get_level_values("dealer_name"))
    return words.say(
        "inventory.dead",
        value=row["dead_value"],
        n=len(held),
        n_most=len(most),
        share=words.percent(most.sum() / held.sum()),
        names=names,
    )


def basis_sentences(source: str) -> list[str]:
    """Say where the ages come from: the `source` of `data.on_hand`."""
    return [words.say(f"inventory.basis_{source}")] if source else []


def why_empty(aged: pd.DataFrame, sentence: str, **values: str) -> str:
    """Say why a table has no rows: `sentence`, or that there is no stock at all."""
    return words.say("inventory.no_stock") if aged.empty else words.say(sentence, **values)


def why_nothing_dead(stock: pd.DataFrame) -> str:
    """Say why no dead stock is listed: none lies there, no sales tell, or all of it sells.

    `stock` from `dealer_stock`. Of a dealer whose sales are not known nothing can be called dead,
    and nothing alive.
    """
    if stock.empty:
        return words.say("inventory.no_stock")
    untold = stock["dead_value"].isna().any()
    return words.say("inventory.dead_unknown" if untold else "inventory.no_dead")


def quality_sentences(whole: pd.DataFrame, remarks: pd.DataFrame, as_of, end_date) -> list[str]:
    """Say what is odd in the records, how much has no age, and whether the last count is an old
    one.

    `remarks` and `as_of` from `data.on_hand`; `end_date` is the last day of the period.
    """
    if whole.empty:
        return []
    row, date = whole.iloc[0], pd.Timestamp(as_of)
    late = (pd.Timestamp(end_date) - date).days
    said = (
        [words.say("inventory.late", date=str(date.date()), days=late)] if late > FRESH_DAYS else []
    )
    if row[VALUES["unknown"]] > 0:
        share = words.percent(row[VALUES["unknown"]] / row["value"], 1)
        said.append(words.say("inventory.no_age", share=share, value=row[VALUES["unknown"]]))
    if len(remarks):
        kinds = [f"{words.word(r.check)} {r.n_rows:,}" for r in remark_table(remarks).itertuples()]
        said.append(words.say("inventory.odd", n=len(remarks), kinds=words.listed(kinds, 9)))
    return said


def headlines(
    months: pd.DataFrame, whole: pd.DataFrame, stock: pd.DataFrame, quality: list[str]
) -> list[dict]:
    """Make the front page's verdict, figures, change and remarks.

    Keys as `report.headline`, none without stock.
    """
    if whole.empty or not whole["value"].iloc[0] > 0:
        return []
    row, vital = whole.iloc[0], vital_holders(stock)
    old = old_value(whole).item()
    # of nothing nobody holds four fifths
    said = words.say(
        "inventory.verdict" if len(vital) else "inventory.verdict_young",
        value=row["value"],
        old=old,
        share=words.percent(row["old_share"], 1),
        n=len(vital),
        of=len(stock),
        part=words.percent(VITAL_SHARE),
    )
    made = [{"place": "verdict", "text": said}]
    for column, written, less_is_good in (
        ("value", words.money, None),
        ("old_share", lambda share: words.percent(share, 1), True),
        ("days_sales_of_inventory", lambda days: words.say("inventory.days", days=days), True),
    ):
        if not np.isnan(row[column]):
            made.append(
                {
                    "place": "tile",
                    "label": words.label(f"tile_{column}"),
                    "text": written(row[column]),
                    "link": page_of("inventory_age"),
                    **_against_before(months, column, less_is_good),
                }
            )
    if len(months) > 1:
        now, before = (old_value(months.tail(2)).iloc[i] for i in (-1, 0))
        how = "rose" if now > before else "fell" if now < before else "same"
        made.append(
            {
                "place": "change",
                "link": page_of("inventory_age"),
                "text": words.say(
                    f"inventory.{how}",
                    now=now,
                    by=abs(now - before),
                    since=months["month"].iloc[-2],
                ),
            }
        )
    return made + [{"place": "quality", "text": text} for text in quality]


def _against_before(months: pd.DataFrame, column: str, less_is_good: bool | None) -> dict:
    """Set the last month against the one before, as a tile says it; nothing where there is none."""
    known = (
        months[column].dropna() if column in months else months.get(column, pd.Series(dtype=float))
    )
    if len(known) < 2:
        return {}
    now, before = known.iloc[-1], known.iloc[-2]
    since = months.loc[known.index[-2], "month"]
    if column == "old_share":
        change = words.say(
            "inventory.points", points=words.signed((now - before) * 100, 1), since=since
        )
    elif before > 0:
        change = words.say("inventory.change", change=words.change(now, before), since=since)
    else:
        return {"trend": known.tolist()}
    tone = (
        ""
        if less_is_good is None or now == before
        else "good"
        if (now < before) == less_is_good
        else "bad"
    )
    return {"change": change, "tone": tone, "trend": known.tolist()}


# ---- plots ---------------------------------------------------------------------------------------


def _colors() -> dict[str, object]:
    """Colour the buckets from calm to alarm; what has no date is grey."""
    young = [look.SEQUENTIAL(x) for x in (0.25, 0.55, 0.9)]
    old = [look.COLORS[name] for name in ("rival", "bad", "muted")]
    return dict(zip(BUCKETS, [*young, *old], strict=True))


def _nothing_to_draw(rows: pd.DataFrame) -> str:
    """Say why there is no figure, if there is none."""
    if rows.empty:
        return words.say("inventory.no_stock")
    return "" if rows["value"].sum() > 0 else words.say("inventory.no_cost")


def plot_ages(whole: pd.DataFrame, *, scope: str = "", ax: Axes | None = None) -> Axes:
    """Draw the value on hand by age bucket, of `network_stock`."""
    if said := _nothing_to_draw(whole):
        return look.nothing(said, ax)
    ax, row = ax or look.axes(height=3.2), whole.iloc[0]
    shown = [b for b in BUCKETS if b != "unknown" or row[VALUES[b]] > 0]
    values, colors = [row[VALUES[b]] for b in shown], _colors()
    bars = ax.bar(
        [words.label(VALUES[b]) for b in shown], values, color=[colors[b] for b in shown], width=0.7
    )
    texts = [f"{words.money(v, unit=False)} · {words.percent(v / row['value'], 1)}" for v in values]
    ax.bar_label(bars, texts, padding=2, fontsize=9)
    ax.set(ylim=(0, max(values) * 1.12), ylabel=words.label("stock_value"))
    ax.grid(axis="x", visible=False)
    look.money_axis(ax.yaxis)
    title = words.say(
        "inventory.ages", share=words.percent(row["old_share"], 1), old=old_value(whole).item()
    )
    return look.explain(ax, title, words.say("inventory.ages_how"), scope)


def plot_months(months: pd.DataFrame, *, scope: str = "", ax: Axes | None = None) -> Axes:
    """Draw the stock of the past month ends by age bucket, with the part older than `OLD_DAYS` over
    each.
    """
    if said := _nothing_to_draw(months):
        return look.nothing(said, ax)
    months = months[months["value"] > 0]  # of goods without a value no part is old
    ax = ax or look.axes(height=3.4)
    _stacked(ax, months, ax.bar, "bottom", BUCKETS)
    tops = months[list(VALUES.values())].sum(axis=1)
    for x, (top, share) in enumerate(zip(tops, months["old_share"], strict=True)):
        ax.annotate(
            words.percent(share, 1),
            (x, top),
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
    first, last = months["old_share"].iloc[[0, -1]]
    known = "inventory.months" if len(months) > 1 else "inventory.months_one"
    title = words.say(
        known, first=words.percent(first, 1), last=words.percent(last, 1), n=len(months)
    )
    return look.explain(ax, title, words.say("inventory.months_how"), scope)


def plot_dealers(stock: pd.DataFrame, *, scope: str = "", ax: Axes | None = None) -> Axes:
    """Draw what the dealers with most old stock hold, by age.

    `stock` from `dealer_stock`, with `dealer_name`.
    """
    if said := _nothing_to_draw(stock):
        return look.nothing(said, ax)
    shown = stock[old_value(stock) > 0].head(N_BARS)
    if shown.empty:
        return look.nothing(words.say("inventory.no_old"), ax)
    ax = ax or look.axes(height=1.5 + 0.27 * len(shown))
    # the old at the axis, where lengths compare
    _stacked(ax, shown, ax.barh, "left", BUCKETS[-2::-1] + BUCKETS[-1:])
    ax.set_yticks(range(len(shown)), shown["dealer_name"])
    ax.invert_yaxis()
    ax.set(xlabel=words.label("stock_value"), ylim=(len(shown) - 0.4, -0.6))
    ax.grid(axis="y", visible=False)
    look.money_axis(ax.xaxis)
    part = old_value(shown).sum() / old_value(stock).sum()
    title = words.say("inventory.dealers", n=len(shown), of=len(stock), share=words.percent(part))
    return look.explain(ax, title, words.say("inventory.dealers_how"), scope)


def _stacked(ax: Axes, rows: pd.DataFrame, bar, start: str, order: tuple[str, ...]) -> None:
    """Stack the buckets of each row, with a legend beside the bars."""
    base, colors = np.zeros(len(rows)), _colors()
    for bucket in [b for b in order if b != "unknown" or rows[VALUES[b]].any()]:
        values = rows[VALUES[bucket]].to_numpy(float)
        bar(
            np.arange(len(rows)),
            values,
            0.7,
            color=colors[bucket],
            label=words.label(VALUES[bucket]),
            **{start: base},
        )
        base = base + values
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2)
