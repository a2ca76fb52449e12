"""Stuffing: what the page says of the channel: who has too much, who runs dry, and whether the
counts agree with what came and went.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import look, periods, words
from helpers.inventory import channel
from helpers.inventory.turnover import PAIR
from helpers.settings import Scalar

N_NAMED = 3
N_DRAWN = 3  # dealers drawn beside the network
MIN_SOLD = 12  # pieces of a model that its dealer sold in a year: fewer tell no pace
LARGE_LOSS = 0.01  # of the pieces counted at all dealers: as much missing is said first
SHOWN = [
    "dealer_id",
    "dealer_name",
    "account_manager",
    "status",
    "sell_in",
    "sell_through",
    "sell_in_ratio",
    "lasts_days",
    "excess_value",
]
MODELS = [
    "dealer_id",
    "dealer_name",
    "product_name",
    "received",
    "n_sold",
    "sell_in_ratio",
    "n_stock",
    "excess_quantity",
    "excess_value",
]
GAPS = [
    "dealer_id",
    "dealer_name",
    "product_name",
    "opening",
    "received",
    "n_sold",
    "moved",
    "counted",
    "count_gap",
    "gap_value",
]
CALLS = ["dealer_id", "trigger", "stake", "low", "reason"]


# ---- tables --------------------------------------------------------------------------------------


def in_order(pressed: pd.DataFrame) -> pd.DataFrame:
    """Put `channel.pressure` in the order of money: stuffed, then who runs dry, then the others."""
    place = pressed["status"].map({s: i for i, s in enumerate(channel.STATUSES)}).astype(int)
    stake = pressed["excess_value"].fillna(0) + pressed["missed_value"].fillna(0)
    rows = pressed.assign(place=place, stake=-stake)
    rows = rows.sort_values(["place", "stake", "dealer_id"], ignore_index=True)
    return rows.drop(columns=["place", "stake"])


def called(pressed: pd.DataFrame) -> pd.Series:
    """Mark who is stuffed or runs dry."""
    return pressed["status"].isin(channel.STATUSES[:2])


def model_table(
    pressed: pd.DataFrame, found: channel.Told, models: pd.DataFrame, dealers: pd.DataFrame
) -> pd.DataFrame:
    """List, of the stuffed dealers, the models that they have too much of; most money first.

    What is beyond as many days of sales as the dealer's stock usually lasts at a month's end, at
    the pace of the model's own year. A model of which he sold fewer than `MIN_SOLD` pieces tells no
    pace, and is left out. Columns `product_id`, `MODELS`.
    """
    stuffed = pressed[pressed["status"] == "stuffed"]
    rows = found.models.merge(stuffed[["dealer_id", "usual_lasts_days"]], on="dealer_id")
    rows = rows[(rows["n_sold_year"] >= MIN_SOLD) & rows["usual_lasts_days"].notna()]
    usual = rows["n_sold_year"] / 365 * rows["usual_lasts_days"]
    rows["excess_quantity"] = np.floor((rows["n_stock"] - usual).clip(lower=0))
    rows["excess_value"] = (rows["excess_quantity"] * rows["price"]).round(2)
    rows = rows.rename(columns={"n_came": "received"})
    rows["sell_in_ratio"] = rows["received"] / rows["n_sold"].where(rows["n_sold"] > 0)
    rows = rows[rows["excess_value"] > 0]
    rows = rows.sort_values(["excess_value", *PAIR], ascending=[False, True, True])
    return _named(rows, dealers, models)[["product_id", *MODELS]].reset_index(drop=True)


def gap_table(found: channel.Told, models: pd.DataFrame, dealers: pd.DataFrame) -> pd.DataFrame:
    """List where a count is not what came and went make it, most money first.

    Columns `product_id`, `GAPS`.
    """
    rows = found.balances.rename(columns={"gap": "count_gap", "sold": "n_sold"})
    order = rows["gap_value"].abs().fillna(0).sort_values(ascending=False, kind="stable").index
    return _named(rows.loc[order], dealers, models)[["product_id", *GAPS]].reset_index(drop=True)


def _named(rows: pd.DataFrame, dealers: pd.DataFrame, models: pd.DataFrame) -> pd.DataFrame:
    of = dealers.drop_duplicates("dealer_id").set_index("dealer_id")["dealer_name"]
    what = models.drop_duplicates("product_id").set_index("product_id")["product_name"]
    return rows.assign(
        dealer_name=rows["dealer_id"].map(of).fillna(rows["dealer_id"]),
        product_name=rows["product_id"].map(what).astype(object).fillna(rows["product_id"]),
    )


def stock_calls(pressed: pd.DataFrame, margins: pd.Series | None = None) -> pd.DataFrame:
    """Give the list of calls what the channel has to say.

    Parameters
    ----------
    margins
        Our gross profit ÷ revenue by `dealer_id`; where unknown, a shortage is told as revenue.

    Returns
    -------
    DataFrame
        `dealer_id`, `trigger` ("stuffed", "runs_dry"), `stake` (what the excess cost the dealer;
        gross profit on what he would sell before his next usual delivery and does not have), `low`
        (its lower end of 80 %; of a shortage the stake itself, for it counts only what is missing
        for sure at his pace), `reason` in words. Most at stake first, nobody with nothing at stake.
    """
    stuffed = pressed[pressed["status"] == "stuffed"]
    dry = pressed[pressed["status"] == "runs_dry"]
    rates = pd.Series(dtype=float) if margins is None else margins
    rate = dry["dealer_id"].map(rates).astype(float)
    rows = [
        pd.DataFrame(
            {
                "dealer_id": stuffed["dealer_id"],
                "trigger": "stuffed",
                "stake": stuffed["excess_value"],
                "low": stuffed["excess_low"],
                "reason": [_stuffed_reason(row) for row in stuffed.itertuples()],
            }
        ),
        pd.DataFrame(
            {
                "dealer_id": dry["dealer_id"],
                "trigger": "runs_dry",
                "stake": (dry["missed_value"] * rate.fillna(1.0)).round(2),
                "low": (dry["missed_value"] * rate.fillna(1.0)).round(2),
                "reason": [
                    _dry_reason(row, known=known)
                    for row, known in zip(dry.itertuples(), rate.notna(), strict=True)
                ],
            }
        ),
    ]
    text = dict.fromkeys(("dealer_id", "trigger", "reason"), "str")
    found = pd.concat(rows, ignore_index=True).astype(text)
    found = found[found["stake"] > 0]
    return found.sort_values(["stake", "dealer_id"], ascending=[False, True], ignore_index=True)[
        CALLS
    ]


def _stuffed_reason(row) -> str:
    return words.say(
        "channel.still_stuffed" if row.stuffed_month else "channel.stuffed",
        month=row.stuffed_month,
        came=row.sell_in,
        sold=row.sell_through,
        ratio=row.sell_in_ratio,
        days=row.lasts_days,
        usual=row.usual_lasts_days,
        excess=row.excess_value,
    )


def _dry_reason(row, *, known: bool) -> str:
    short = row.lasts_days < channel.DRY_SHARE * row.usual_lasts_days
    said = words.say(
        "channel.runs_dry_all" if short or not row.n_short_models else "channel.runs_dry",
        days=row.lasts_days,
        usual=row.usual_lasts_days,
        models=int(row.n_short_models),
        until=row.until_days,
        missed=row.missed_value,
    )
    gap = " " if words.spoken() == "en" else ""
    return said if known else said + gap + words.say("channel.margin_unknown")


# ---- sentences -----------------------------------------------------------------------------------


def bottom_line(pressed: pd.DataFrame, **_rules: Scalar) -> list[str]:
    """Say who is stuffed and who runs dry, of how many; nothing where nobody can be judged."""
    judged = pressed[pressed["status"] != channel.STATUSES[3]]
    if judged.empty:
        return []
    stuffed = in_order(judged[judged["status"] == "stuffed"])
    n_dry = int((judged["status"] == "runs_dry").sum())
    if stuffed.empty and not n_dry:
        return [words.say("channel.in_step", of=len(judged))]
    if stuffed.empty:
        said = words.say("channel.none_stuffed", of=len(judged))
    else:
        said = words.say(
            "channel.stuffed_found",
            n=len(stuffed),
            of=len(judged),
            excess=stuffed["excess_value"].sum(),
            names=words.listed(stuffed["dealer_name"], N_NAMED),
        )
    dry = in_order(judged[judged["status"] == "runs_dry"])
    if not n_dry:
        return [said]
    more = words.say("channel.dry_found", n=n_dry, names=words.listed(dry["dealer_name"], N_NAMED))
    return [said, more]


def basis_sentences(found: channel.Told, pressed: pd.DataFrame) -> list[str]:
    """Say what tells sell-through, of how many dealers nothing does, and what lifts all of them."""
    if pressed.empty:
        return [words.say("channel.unknown")]
    counts = pressed["sell_through_source"].value_counts()
    said = [
        words.say(f"channel.by_{source}", n=int(counts[source]))
        for source in ("stock_moves", "sell_out")
        if counts.get(source, 0)
    ]
    if not said:
        return [words.say("channel.unknown")]
    unjudged = int((pressed["status"] == channel.STATUSES[3]).sum())
    if unjudged:
        said.append(words.say("channel.not_judged", n=unjudged, of=len(pressed)))
    months = found.months["month"].nunique()
    if months < 12:
        said.append(words.say("channel.no_year", n=months))
    return said


def balance_sentences(found: channel.Told, dealers: pd.DataFrame) -> list[str]:
    """Say whether opening, sell-in and sales come to what was counted, in pieces and money."""
    counted = found.sources[found.sources["n_counted"].notna()]
    if counted.empty:
        return [words.say("channel.not_counted")] if len(found.sources) else []
    rows = found.balances
    if rows.empty:
        return [words.say("channel.adds_up", n=len(counted))]
    names = dealers.drop_duplicates("dealer_id").set_index("dealer_id")["dealer_name"]
    worst = rows.assign(size=rows["gap_value"].abs().fillna(0)).groupby("dealer_id")["size"].sum()
    worst = worst.sort_values(ascending=False, kind="stable").index
    short, over = rows[rows["gap"] < 0], rows[rows["gap"] > 0]
    return [
        words.say(
            "channel.gaps",
            n=len(rows),
            n_dealers=rows["dealer_id"].nunique(),
            of=len(counted),
            short=-short["gap"].sum(),
            short_value=-short["gap_value"].sum(),
            over=over["gap"].sum(),
            over_value=over["gap_value"].sum(),
            names=words.listed([names.get(d, d) for d in worst], N_NAMED),
        )
    ]


# ---- plot ----------------------------------------------------------------------------------------


def _cut(name: str, most: int) -> str:
    """Cut a name to a panel's width; Chinese letters are twice as wide."""
    while words.width(name) > most:
        name = name.rstrip("…")[:-1] + "…"
    return name


def plot_channel(
    found: channel.Told,
    pressed: pd.DataFrame,
    *,
    note: str = "",
) -> Axes:
    """Draw sell-in against sell-through, month by month: the network, and who is stuffed most.

    `pressed` with `dealer_name`.
    """
    known = pressed[pressed["sell_through_source"] != ""]
    rows = found.months[found.months["dealer_id"].isin(known["dealer_id"])]
    if rows.empty:
        return look.nothing(words.say("channel.unknown"))
    stuffed = in_order(known[known["status"] == "stuffed"]).head(N_DRAWN)
    months = periods.month_range(max(rows["month"]), 12)
    months = [month for month in months if month >= min(rows["month"])]
    shown = [(words.label("network"), rows)]
    shown += [(d.dealer_name, rows[rows["dealer_id"] == d.dealer_id]) for d in stuffed.itertuples()]
    made = np.atleast_1d(look.axes(len(shown), height=3.1))
    for ax, (name, own) in zip(made, shown, strict=True):
        sums = own.groupby("month")[["came", "sold"]].sum().reindex(months, fill_value=0.0)
        x = np.arange(len(months))
        ax.fill_between(
            x,
            sums["came"],
            sums["sold"],
            where=(sums["came"] > sums["sold"]).to_numpy(),
            interpolate=True,
            color=look.COLORS["muted"],
            alpha=0.45,
            linewidth=0,
        )
        ends = []
        for column, color, label in (
            ("came", "accent", "sell_in"),
            ("sold", "rival", "sell_through"),
        ):
            ax.plot(x, sums[column], color=look.COLORS[color])
            ends.append((float(sums[column].iloc[-1]), words.label(label), look.COLORS[color]))
        ax.set_title(_cut(str(name), 72 // len(shown)), fontsize=9, loc="left")
        ax.set_xticks([0, len(months) - 1], [months[0], months[-1]], fontsize=8)
        ax.set_ylim(0, max(float(sums.max().max()), 1.0) * 1.1)
        look.money_axis(ax.yaxis)
    look.beside(made[-1], ends)
    recent = known[["sell_in", "sell_through"]].sum()
    title = words.say(
        "channel.title" if recent["sell_through"] > 0 else "channel.title_none",
        ratio=recent["sell_in"] / recent["sell_through"] if recent["sell_through"] > 0 else 0.0,
        n=int((known["status"] == "stuffed").sum()),
    )
    look.explain(made[0], title, words.say("channel.title_how"), note)
    return made[0]
