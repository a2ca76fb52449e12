"""Demo, the trade: what the dealers order, pay, earn, keep and sell."""

from collections import defaultdict

import numpy as np
import pandas as pd

from helpers.demo import credit, result
from helpers.demo.network import (
    BRAND,
    BRANDS,
    CROWDED,
    DEAD_DAYS,
    DEAD_MONTHS,
    DRIFT,
    LESS_WITH_US,
    LONG_COVER,
    MODELS,
    MORE_WITH_RIVAL,
    RARE_ORDERS,
    SHORT_COVER,
    SHORT_EVERY,
    SLIP,
    STUFFED_MONTHS,
    STUFFED_SELLS,
    UNKNOWN_DEALERS,
    UNPAID_DAYS,
    Network,
    dates,
    numbered,
    seasons,
    stream,
    unit_price,
)

NEVER = 10**6  # days: a dead lot leaves after the end of time
MAX_GAP = 75  # days a dealer plans ahead
# what dealers earn with ours and the rivals, before rebates
DEALER_MARGIN = (0.145, 0.140, 0.130, 0.125, 0.115)
BRAND_REBATE = (0.030, 0.028, 0.025, 0.026, 0.022)
MOVE_KINDS = ("opening", "receipt", "return", "transfer", "sale")  # the order of one day
BROUGHT_BACK = 0.005  # of the pieces sold, consumers bring back
SOLD_AGAIN = 0.8  # of these


def order_lines(net: Network) -> pd.DataFrame:
    """Order the goods.

    Returns
    -------
    DataFrame
        One row per line: `dealer`, `product` (positions), `day`, `month` (counted from the start),
        `order`, `quantity`, `cover` (days the goods lie at the dealer), `back` (pieces sent back),
        `back_day`, `ordinary` (not planted).
    """
    rng, shops = stream(net.seed, "lines"), net.shops
    orders = _orders(net, rng)
    lines = orders.loc[
        orders.index.repeat(1 + rng.poisson(shops["lines"].to_numpy()[orders["dealer"]]))
    ].copy()
    n, dealer = len(lines), lines["dealer"].to_numpy()
    shares, season = seasons()
    mix = np.cumsum((shares[:, None] * season) / (shares @ season), axis=0).T[
        [int(m[5:]) - 1 for m in net.months]
    ]
    category = (rng.random(n)[:, None] > mix[lines["month"]]).sum(axis=1).clip(max=len(shares) - 1)
    models = np.argsort(
        rng.normal(0, 1, (len(shops), len(shares), MODELS)) + np.arange(MODELS) % 3, axis=2
    )
    # models of a category he carries
    width = np.array([7, 6, 4, 3])[np.searchsorted([0.1, 0.3, 0.6], shops["rank"])]
    model = models[dealer, category, (width[dealer] * rng.random(n) ** 1.3).astype(int)]
    lines["product"] = category * MODELS + model
    value = (
        lines.pop("value")
        / lines.groupby("order")["order"].transform("size")
        * rng.gamma(3, 1 / 3, n)
    )
    pieces = value / unit_price(net, lines)
    lines["quantity"] = (pieces + rng.random(n)).astype(int)
    lines["cover"] = (
        shops["cover"].to_numpy()[dealer]
        * rng.lognormal(0, 0.2, n)
        * np.where(rng.random(n) < 0.02, 4, 1)
    )
    first = dict.fromkeys(["dealer", "day", "month", "cover"], "first")
    lines = lines.groupby(["order", "product"], as_index=False).agg({**first, "quantity": "sum"})
    special = pd.MultiIndex.from_tuples([(d, p) for d, pair in net.models.items() for p in pair])
    special = pd.MultiIndex.from_frame(lines[["dealer", "product"]]).isin(special)
    lines = lines[(lines["quantity"] > 0) & ~special].assign(ordinary=True)
    lines = result.with_mix_shift(net, lines)
    lines = pd.concat([lines, _planted_lines(net, lines["order"].max() + 1)], ignore_index=True)
    lines["meant"] = lines["meant"].fillna(lines["product"]).astype(int)
    back = np.where(
        rng.random(len(lines)) < 0.01,
        np.ceil(lines["quantity"] * rng.uniform(0.2, 1, len(lines))),
        0,
    )
    lines["back_day"] = lines["day"] + rng.integers(15, 60, len(lines))
    month = np.searchsorted(net.bounds, lines["back_day"], side="right") - 1
    # who has left sends nothing back
    buys = np.pad(net.path, ((0, 0), (0, 3)))[lines["dealer"], month] > 0
    lines["back"] = np.where(buys & lines["ordinary"], back, 0).astype(int)
    return lines


def _orders(net: Network, rng: np.random.Generator) -> pd.DataFrame:
    """Place each dealer's orders in his own rhythm; `value` is their expected worth."""
    shops, n_days = net.shops, net.bounds[-1]
    counts = np.ceil(n_days / shops["interval"]).astype(int).to_numpy()
    dealer = np.repeat(np.arange(len(shops)), counts)
    turn = np.arange(len(dealer)) - np.repeat(np.cumsum(counts) - counts, counts)
    turn = turn + rng.random(len(shops))[dealer] + rng.normal(0, shops["jitter"].to_numpy()[dealer])
    day = np.clip(turn * shops["interval"].to_numpy()[dealer], 0, n_days - 2).astype(int)
    # nobody takes orders on a Sunday
    day += (net.start + day).astype("datetime64[D]").astype(int) % 7 == 3
    month = np.searchsorted(net.bounds, day, side="right") - 1
    noise = shops["noise"].to_numpy()[dealer]
    value = net.expected[dealer, month] * shops["interval"].to_numpy()[dealer] / 30.4
    value = value * rng.lognormal(-(noise**2) / 2, noise)
    orders = pd.DataFrame({"dealer": dealer, "day": day, "month": month, "value": value})
    orders = orders[orders["value"] > 0].sort_values(["day", "dealer"], ignore_index=True)
    return orders.assign(order=orders.index)


def _planted_lines(net: Network, order: int) -> pd.DataFrame:
    """Order the lots that will not sell, and the small frequent ones that sell out at once."""
    rows, end = [], net.bounds[-1] - 1
    price = net.products["list_price"].to_numpy()
    for d, models in net.models.items():
        dead, monthly = d in net.marks["dead_stock"], net.shops["base"].iloc[d] / 12
        for day in [end - DEAD_DAYS] if dead else end - 6 - SHORT_EVERY * np.arange(12):
            order += 1
            for p in models:
                worth = (
                    monthly
                    * (DEAD_MONTHS / 2 if dead else 0.04)
                    / (price[p] * net.shops["price"].iloc[d])
                )
                rows.append(
                    (d, day, order, p, max(3, round(worth)), NEVER if dead else SHORT_COVER, False)
                )
    planted = pd.DataFrame(
        rows, columns=["dealer", "day", "order", "product", "quantity", "cover", "ordinary"]
    )
    return planted.assign(month=np.searchsorted(net.bounds, planted["day"], side="right") - 1)


def sell_in(net: Network, lines: pd.DataFrame) -> pd.DataFrame:
    """Write the invoices: lines, returns, and a few lines of nobody and of dealers nobody knows."""
    rng = stream(net.seed, "sell_in")
    back = lines[lines["back"] > 0]
    back = back.assign(quantity=-back["back"], day=back["back_day"])
    stray = lines[lines["ordinary"]].sample(round(0.0014 * len(lines)), random_state=rng)
    stray = stray.assign(order=lines["order"].max() + 1 + np.arange(len(stray)))
    ids = np.append(net.shops["dealer_id"].to_numpy(), [None, *UNKNOWN_DEALERS])
    nobody = rng.choice(len(net.shops) + np.arange(3), len(stray), p=[0.7, 0.15, 0.15])
    rows = pd.concat([lines, back, stray], ignore_index=True)
    price, dealer = result.billed_price(net, rows), rows["dealer"].to_numpy()
    known = np.r_[dealer[: len(rows) - len(stray)], nobody]
    revenue = (rows["quantity"] * price).round(2)
    return pd.DataFrame(
        {
            "dealer_id": ids[known],
            "date": dates(net, rows["day"]),
            "revenue": revenue,
            "cost": (rows["quantity"] * net.products["cost"].to_numpy()[rows["product"]]).round(2),
            "rebate": (revenue * net.shops["rebate"].to_numpy()[dealer]).round(2),
            "quantity": rows["quantity"],
            "product_id": net.products["product_id"].to_numpy()[rows["product"]],
            "brand": BRAND,
            "order_id": numbered("O", rows["order"].max() + 1, 6)[rows["order"]],
            "due_date": credit.due_dates(net, known, rows["day"].to_numpy()),
        }
    ).sort_values(["date", "order_id"], kind="stable", ignore_index=True)


def payments(net: Network, lines: pd.DataFrame) -> pd.DataFrame:
    """Collect each order after the dealer's usual delay, some in two parts.

    What is due after the end is not there.
    """
    rng, shops = stream(net.seed, "payments"), net.shops
    due = lines.assign(amount=(lines["quantity"] - lines["back"]) * result.billed_price(net, lines))
    due = due.groupby("order").agg(
        dealer=("dealer", "first"), day=("day", "min"), amount=("amount", "sum")
    )
    n, dealer = len(due), due["dealer"].to_numpy()
    parts = np.where(rng.random(n) < 0.15, 0.6, 1.0)
    due["amount"] *= shops["pay_rate"].to_numpy()[dealer]
    due["day"] += np.maximum(3, rng.normal(shops["lag"].to_numpy()[dealer], 5)).astype(int)
    due = due.reset_index()
    rest = due.assign(amount=due["amount"] * (1 - parts), day=due["day"] + rng.integers(10, 35, n))
    paid = pd.concat([due.assign(amount=due["amount"] * parts), rest], ignore_index=True)
    stopped = paid["dealer"].isin(net.marks["stopped_paying"]) & (
        paid["day"] > net.bounds[-1] - UNPAID_DAYS
    )
    paid = paid[(paid["day"] < net.bounds[-1]) & (paid["amount"] > 0.005) & ~stopped]
    paid = credit.as_received(net, paid).sort_values(["day", "dealer"])
    return pd.DataFrame(
        {
            "dealer_id": shops["dealer_id"].to_numpy()[paid["dealer"]],
            "date": dates(net, paid["day"]),
            "amount": paid["amount"].to_numpy().round(2),
            "document_id": credit.named_orders(net, paid),
        }
    )


def dealer_profit(net: Network, lines: pd.DataFrame) -> pd.DataFrame:
    """Tell what each dealer earns with us and with the rivals he carries.

    Arrays are dealer x month x brand.
    """
    rng, shops, less = stream(net.seed, "dealer_profit"), net.shops, net.marks["earn_less_with_us"]
    carried = rng.random((len(shops), len(BRANDS))) < 0.7
    carried[shops["format"] == "brand_store"] = np.arange(len(BRANDS)) < 2
    carried[less, 1] = True
    carried[:, 1] |= ~carried[:, 1:].any(axis=1)
    split = carried * rng.gamma(4, 0.25, carried.shape) * np.array([0, 1.6, 1.2, 1, 0.8])
    split *= ((1 - shops["share"]) / split.sum(axis=1)).to_numpy()[:, None]
    split[:, 0] = shops["share"]  # now the parts of his turnover
    margin, (cost, dead) = _margins(net, rng), _sales(net, rng, lines, split)
    crowd = np.ones(carried.shape)
    crowd[less, 0] = CROWDED
    shelf = split * crowd * rng.lognormal(0, 0.05, carried.shape)
    shelf *= (shops["appliance_area"] / shelf.sum(axis=1)).to_numpy()[:, None]
    cover = shops["cover"].to_numpy()[:, None] * crowd * rng.lognormal(0, 0.05, carried.shape)
    kept = cost * cover[:, None, :] / 30.4
    kept[:, :, 0] += dead
    d, m, b = np.nonzero((cost > 1) & shops["channel"].to_numpy()[:, None, None])
    margin, revenue = margin[d, m, b], (cost / (1 - margin))[d, m, b]
    return pd.DataFrame(
        {
            "dealer_id": shops["dealer_id"].to_numpy()[d],
            "month": np.array(net.months, object)[m],
            "brand": np.array(BRANDS, object)[b],
            "revenue": revenue.round(2),
            "gross_profit": (revenue * margin).round(2),
            "rebate": (revenue * np.array(BRAND_REBATE)[b]).round(2),
            "average_stock_value": kept[d, m, b].round(2),
            "shelf_area_m2": shelf[d, b].round(1),
        }
    )


def _margins(net: Network, rng: np.random.Generator) -> np.ndarray:
    """Give gross margins before rebates.

    They differ by dealer, his habits and brand, and wear away month by month.
    """
    n, n_months, n_brands = len(net.shops), len(net.months), len(BRANDS)
    margin = DEALER_MARGIN + rng.normal(0, 0.008, (n, n_brands)) + rng.normal(0, 0.015, (n, 1))
    # small frequent lots earn, old stock costs
    habits = np.log(net.shops[["interval", "cover"]].to_numpy())
    margin -= ((habits - habits.mean(axis=0)) / habits.std(axis=0) @ [RARE_ORDERS, LONG_COVER])[
        :, None
    ]
    margin[net.marks["earn_less_with_us"], 0] -= LESS_WITH_US
    margin[net.marks["earn_less_with_us"], 1] += MORE_WITH_RIVAL
    lost = np.tile(DRIFT * np.arange(n_months), (n, 1))
    lost[net.marks["margin_slips"], -12:] += SLIP * np.arange(1, 13) / 12
    return margin[:, None, :] - lost[:, :, None] + rng.normal(0, 0.004, (n, n_months, n_brands))


def _sales(net: Network, rng: np.random.Generator, lines: pd.DataFrame, split: np.ndarray) -> tuple:
    """Give what the goods sold had cost the dealer, and (dealer x month) what lies dead.

    Ours follow his purchases.
    """
    shops, n_months = net.shops, len(net.months)
    worth = (lines["quantity"] - lines["back"]) * unit_price(net, lines)
    bought, dead = np.zeros((2, len(shops), n_months))
    for sums, rows in ((bought, lines["cover"] < NEVER), (dead, lines["cover"] == NEVER)):
        np.add.at(
            sums, (lines.loc[rows, "dealer"], lines.loc[rows, "month"].astype(int)), worth[rows]
        )
    # all brands, whatever happens to ours
    normal = net.swing * (shops["base"] / 12 / split[:, 0]).to_numpy()[:, None]
    cost = (
        normal[:, :, None]
        * split[:, None, :]
        * rng.lognormal(0, 0.08, (len(shops), n_months, len(BRANDS)))
    )
    late = np.pad(bought, ((0, 0), (2, 0)), mode="edge")
    cost[:, :, 0] = 0.4 * bought + 0.35 * late[:, 1:-1] + 0.25 * late[:, :-2]
    return cost, dead.cumsum(axis=1)


# ---- stock ---------------------------------------------------------------------------------------


def goods_moves(net: Network, lines: pd.DataFrame) -> pd.DataFrame:
    """Move the goods through the shops in the last year.

    Each lot leaves after it came, so stock is never negative.

    Returns
    -------
    DataFrame
        `day`, `kind`, `dealer`, `product`, `to` (a dealer or -1), `quantity`; in the order in which
        it happens.
    """
    rng, first, end = stream(net.seed, "stock"), net.bounds[-13], net.bounds[-1]
    lots = lines[net.shops["channel"].to_numpy()[lines["dealer"]] & (lines["day"] > first - 400)]
    lots = lots[
        ["dealer", "product", "meant", "day", "quantity", "cover", "back", "back_day", "ordinary"]
    ].assign(to=-1)
    kept, stay = lots["quantity"] - lots["back"], _stay(lots)
    soon = np.maximum(1, stay * rng.uniform(0.2, 0.7, len(lots))).astype(int)
    late = np.maximum(2, stay * rng.uniform(1.0, 1.4, len(lots))).astype(int)
    out = pd.concat(
        [
            lots.assign(kind="sale", quantity=kept // 2, day=lots["day"] + soon),
            lots.assign(kind="sale", quantity=kept - kept // 2, day=lots["day"] + late),
        ],
        ignore_index=True,
    )
    came = pd.concat([lots, lots.assign(quantity=-lots["back"], day=lots["back_day"])]).assign(
        kind="receipt"
    )
    pair = ["dealer", "product"]
    opening = came[came["day"] < first].groupby(pair)["quantity"].sum()
    opening = opening.sub(out[out["day"] < first].groupby(pair)["quantity"].sum(), fill_value=0)
    scarce = pd.MultiIndex.from_tuples(
        [(d, p) for d in net.marks["runs_short"] for p in net.models[d]], names=pair
    )
    opening = opening.reindex(opening.index.union(scarce), fill_value=0)
    opening[scarce] += 1  # one piece is always left on show
    out = out[(out["day"] >= first) & (out["day"] < end)]
    moved = _transfers(net, rng, out)
    bought = moved.assign(
        dealer=moved["to"], kind="sale", day=moved["day"] + rng.integers(5, 40, len(moved)), to=-1
    )
    sold = pd.concat([out.drop(moved.index), bought])
    moves = pd.concat(
        [
            opening[opening > 0].reset_index().assign(day=first, kind="opening", to=-1),
            came[came["day"] >= first],
            moved.assign(kind="transfer"),
            sold,
            _brought_back(net, sold),
        ]
    )
    moves["kind"] = pd.Categorical(moves["kind"], MOVE_KINDS, ordered=True)
    moves = moves[moves["day"] < end]
    moves = moves.groupby(
        ["day", "kind", "dealer", "product", "to"], observed=True, as_index=False
    )["quantity"].sum()
    moves = _stuffed(net, moves)
    return moves[moves["quantity"] != 0].reset_index(drop=True).astype({"quantity": int})


def _stuffed(net: Network, moves: pd.DataFrame) -> pd.DataFrame:
    """Let who is stuffed sell a part of what he would have sold of each model, evenly.

    Nothing is brought back to him then: it may be among what he did not sell.
    """
    late = moves["dealer"].isin(net.stuffed) & (moves["day"] >= net.bounds[-1 - STUFFED_MONTHS])
    slow, back = late & (moves["kind"] == "sale"), late & (moves["kind"] == "return")
    shelf = [moves["dealer"], moves["product"]]
    does = np.floor(moves["quantity"].where(slow, 0).groupby(shelf).cumsum() * STUFFED_SELLS)
    does = does.groupby(shelf).diff().fillna(does)
    sold = moves["quantity"].where(~slow, does).where(~back, 0)
    return moves.assign(quantity=sold.astype(int))


def _brought_back(net: Network, sold: pd.DataFrame) -> pd.DataFrame:
    """Let consumers bring back a few pieces within three weeks.

    Most are sold again, the rest stay.
    """
    rng, back = stream(net.seed, "brought_back"), sold[sold["ordinary"]]
    back = back.assign(quantity=rng.binomial(back["quantity"], BROUGHT_BACK), kind="return")
    back = back[back["quantity"] > 0]
    back["day"] += rng.integers(5, 21, len(back))
    again = back.assign(kind="sale", day=back["day"] + rng.integers(3, 40, len(back)))
    left = net.path[back["dealer"], -1] == 0  # who has left keeps nothing
    return pd.concat([back, again[left | (rng.random(len(back)) < SOLD_AGAIN)]])


def _stay(lots: pd.DataFrame) -> np.ndarray:
    """Give the days until a lot is sold.

    A dealer keeps some until the next comes, where that is not too long.
    """
    ordered = lots.sort_values(["dealer", "meant", "day"], kind="stable")
    pair = ordered.groupby(["dealer", "meant"])["day"]
    gap = pair.shift(-1) - ordered["day"]
    gap = gap.fillna(gap.groupby([ordered["dealer"], ordered["meant"]]).transform("mean")).fillna(
        MAX_GAP
    )
    ordinary = lots["ordinary"].to_numpy()
    return np.where(
        ordinary, gap.reindex(lots.index).clip(upper=MAX_GAP) + 0.4 * lots["cover"], lots["cover"]
    )


def _transfers(net: Network, rng: np.random.Generator, out: pd.DataFrame) -> pd.DataFrame:
    """Choose sales that become transfers to another dealer of the region instead."""
    moved = (
        out[(out["kind"] == "sale") & (out["quantity"] > 0)]
        .sample(frac=0.004, random_state=rng)
        .copy()
    )
    region, steady = (
        net.shops["region"].to_numpy(),
        net.shops["channel"].to_numpy() & (net.path.min(axis=1) == 1),
    )
    steady[list(net.models)] = False
    for name in np.unique(region):
        rows = region[moved["dealer"]] == name
        moved.loc[rows, "to"] = rng.choice(np.flatnonzero(steady & (region == name)), rows.sum())
    return moved[moved["to"] != moved["dealer"]]


def stock(net: Network, moves: pd.DataFrame) -> pd.DataFrame:
    """Count the layers at the last six month ends."""
    found = pd.DataFrame(
        _layers(net, moves),
        columns=["snapshot", "dealer", "product", "received", "quantity", "value"],
    )
    found["value"] *= found["quantity"]
    found = found.groupby(["snapshot", "dealer", "product", "received"], as_index=False).sum()
    return pd.DataFrame(
        {
            "snapshot_date": dates(net, found["snapshot"]),
            "dealer_id": net.shops["dealer_id"].to_numpy()[found["dealer"]],
            "product_id": net.products["product_id"].to_numpy()[found["product"]],
            "received_date": dates(net, found["received"]),
            "quantity": found["quantity"],
            "unit_cost": (found["value"] / found["quantity"]).round(2),
        }
    )


def _layers(net: Network, moves: pd.DataFrame) -> list[tuple]:
    """Let the oldest goods leave first, move by move, for a transfer keeps the age.

    Take the snapshots on the way.

    What a consumer brings back is what left last, and as old as if it had never left.
    """
    layers: defaultdict[tuple[int, int], list[list]] = defaultdict(list)
    left: defaultdict[tuple[int, int], list[list]] = defaultdict(list)
    counted, snapshots = [], [int(day) - 1 for day in net.bounds[-6:]]
    columns = [moves[c].tolist() for c in ("day", "kind", "dealer", "product", "to", "quantity")]
    end = (10**9, "", 0, 0, -1, 0, 0.0)
    for day, kind, dealer, product, to, quantity, cost in [
        *zip(*columns, result.billed_price(net, moves), strict=True),
        end,
    ]:
        while snapshots and day > snapshots[0]:
            counted += [
                (snapshots[0], *pair, *layer) for pair, kept in layers.items() for layer in kept
            ]
            snapshots.pop(0)
        here, gone = layers[dealer, product], left[dealer, product]
        if kind in ("opening", "receipt") and quantity > 0:
            here.append([day, quantity, cost])
            continue
        giver, taker = (
            (gone, here) if kind == "return" else (here, layers[to, product] if to >= 0 else gone)
        )
        for layer in _moved(giver, abs(quantity), -1 if kind == "return" else 0):
            taker.append(layer)
        if taker is not gone:
            taker.sort()
    return counted


def _moved(layers: list[list], quantity: int, end: int) -> list[list]:
    """Take pieces out of layers, from their first or last one on."""
    taken = []
    while quantity > 0:
        day, there, cost = layers[end]
        taken.append([day, min(quantity, there), cost])
        layers[end][1] -= taken[-1][1]
        quantity -= taken[-1][1]
        if layers[end][1] == 0:
            layers.pop(end)
    return taken


def stock_moves(net: Network, moves: pd.DataFrame) -> pd.DataFrame:
    """Write the moves with names instead of positions."""
    ids = np.append(net.shops["dealer_id"].to_numpy(), None)  # -1 is nobody
    return pd.DataFrame(
        {
            "dealer_id": ids[moves["dealer"]],
            "product_id": net.products["product_id"].to_numpy()[moves["product"]],
            "date": dates(net, moves["day"]),
            "quantity": moves["quantity"],
            "kind": moves["kind"].astype("str"),
            "to_dealer_id": ids[moves["to"]],
        }
    )
