"""Demo: a seeded home-appliance brand and its dealers, with planted truths that the pages must
find.
"""

import os
import shutil
from pathlib import Path

import pandas as pd

from helpers.demo import credit, idle, people, result, trade
from helpers.demo.network import BRAND, RIVALS, TRAILING, UNKNOWN_DEALERS, WHITE_SPOTS, network
from helpers.settings import refusal

__all__ = ["BRAND", "RIVALS", "SEED", "make_demo", "make_tables", "planted"]

SEED = 20261031


def make_demo(
    folder: Path,
    *,
    seed: int = SEED,
    n_dealers: int = 600,
    n_months: int = 30,
    last_month: str = "2026-10",
) -> dict[str, pd.DataFrame]:
    """Write the demo into `folder`, one Parquet file per table, and return the tables.

    The folder is swapped in whole: it holds the old demo or the new one, never a mixture.

    Raises
    ------
    ValueError
        If the network is too small.
    DataError
        If `folder` holds anything but Parquet files: those are of an older demo.
    """
    folder = Path(folder)
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise refusal("demo_no_folder", folder=folder)
    tables = make_tables(seed=seed, n_dealers=n_dealers, n_months=n_months, last_month=last_month)
    if folder.exists() and (
        others := sorted(path.name for path in folder.iterdir() if path.suffix != ".parquet")
    ):
        raise refusal("demo_holds", folder=folder, other=others[0])
    new, old = (
        folder.with_name(f".{folder.name}-{os.getpid()}-{state}") for state in ("new", "old")
    )
    new.mkdir(parents=True)
    try:
        for name, table in tables.items():
            table.to_parquet(new / f"{name}.parquet", index=False)
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)
    return tables


def make_tables(
    *, seed: int = SEED, n_dealers: int = 600, n_months: int = 30, last_month: str = "2026-10"
) -> dict[str, pd.DataFrame]:
    """Generate every table of the contract but `overrides`, which people write.

    The same seed gives the same tables.

    Raises
    ------
    ValueError
        If there are fewer than 60 dealers or 15 months.
    """
    net = network(seed, n_dealers, n_months, last_month)
    lines = trade.order_lines(net)
    moves = trade.goods_moves(net, lines)
    everybody = people.consumers(net)
    promotions = people.promotions(net)
    contacts = people.contacts(net, everybody, promotions)
    sell_in, payments = trade.sell_in(net, lines), trade.payments(net, lines)
    dealers = people.dealers(net)
    sold = people.sell_out(net, everybody, promotions, contacts)
    nothing, nobody = idle.idle_promotion(net, everybody, sold, len(promotions))
    told = people.contact_table(net, everybody, promotions, contacts)
    return {
        "dealers": dealers.assign(
            terms_days=credit.terms_days(net),
            credit_limit=credit.credit_limits(net, sell_in, payments),
        ),
        "regions": net.places[
            ["region", "region_en", "city", "city_en", "population", "area_type"]
        ].copy(),
        "candidates": people.candidates(net),
        "products": net.products.drop(columns=["line", "cost"]),
        "sell_in": sell_in,
        "payments": payments,
        "balances": credit.balances(net),
        "targets": result.targets(net, dealers, sell_in, payments),
        "dealer_profit": trade.dealer_profit(net, lines),
        "stock": trade.stock(net, moves),
        "stock_moves": trade.stock_moves(net, moves),
        "sell_out": sold,
        "consumers": everybody.drop(columns=["group", "home_dealer"]),
        "promotions": pd.concat(
            [promotions.drop(columns=["first", "last"]), nothing], ignore_index=True
        ),
        "contacts": pd.concat([told, nobody], ignore_index=True),
        "scores": people.scores(net),
        "comparisons": people.comparisons(net),
        "plan": people.plan(net),
    }


def planted(
    *, seed: int = SEED, n_dealers: int = 600, n_months: int = 30, last_month: str = "2026-10"
) -> dict[str, list[str]]:
    """Name what is planted, truth -> sorted ids, which no table tells.

    Takes the arguments of `make_tables`.

    Dealers' ids for `fallen`, `risen`, `big_but_thin`, `small_but_rich`, `dead_stock`,
    `runs_short`, `stopped_paying`, `earn_less_with_us`, `margin_slips`, `won_back`, `lost`,
    `joined`, `over_limit`, `never_paid`, `quarterly_stopped` and `stuffed`;
    cities for `white_spots`, the
    large one first; factors for `trailing_factors`; models for `price_cut` and `mix_shift` (those
    of which fewer are bought); a promotion for `promotion_without_effect`; a participant for
    `inconsistent_participant`; one of the `dead_stock` dealers for `overrated_dealer`; ids that
    `dealers` lacks for `unknown_dealers`; consumers' ids for `consumers_<group>`, all four groups.
    """
    net = network(seed, n_dealers, n_months, last_month)
    everybody = people.consumers(net)
    return {
        **{truth: sorted(net.shops["dealer_id"].iloc[rows]) for truth, rows in net.marks.items()},
        "stuffed": sorted(net.shops["dealer_id"].iloc[net.stuffed]),
        "white_spots": list(WHITE_SPOTS),
        "trailing_factors": sorted(TRAILING),
        "price_cut": sorted(net.products["product_id"].iloc[result.CUT_MODELS]),
        "mix_shift": sorted(net.products["product_id"].iloc[result.DEAR_MODELS]),
        "promotion_without_effect": [f"M{len(people.promotions(net)) + 1:02d}"],
        "inconsistent_participant": [people.GUESSER],
        "overrated_dealer": [people.overrated_dealer(net)],
        "unknown_dealers": list(UNKNOWN_DEALERS),
        **{
            f"consumers_{group}": sorted(rows["consumer_id"])
            for group, rows in everybody.groupby("group")
        },
    }
