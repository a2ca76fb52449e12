"""Promotions by simulation: consumers who buy as they like, whoever writes to them."""

import numpy as np
import pandas as pd

N_DAYS = 900
FIRST = pd.Timestamp("2024-05-01")


def purchases(draw: np.random.Generator, n: int) -> pd.DataFrame:
    """Let n consumers buy, each at his own rate, more in summer, at prices of a wide spread."""
    rate = draw.gamma(1.2, 3.0, n)
    who = np.repeat(np.arange(n), draw.poisson(rate))
    day = draw.integers(0, N_DAYS, 2 * len(who))
    kept = draw.random(len(day)) < 0.6 + 0.4 * np.sin(2 * np.pi * (day % 365) / 365)
    day = day[kept][: len(who)]
    who = draw.permutation(who)[: len(day)]
    amount = np.exp(draw.normal(6.5, 1.1, len(day))).round(2)
    return pd.DataFrame({"consumer": who, "day": day, "amount": amount})


def plan_rows(starts: list[int], n_days: int, assignment: str) -> pd.DataFrame:
    """Lay out promotions as the door gives them."""
    first = FIRST + pd.to_timedelta(starts, unit="D")
    return pd.DataFrame(
        {
            "promotion_id": [f"M{i:02d}" for i in range(len(starts))],
            "name": [f"promotion {i}" for i in range(len(starts))],
            "kind": "gift",
            "start_date": first,
            "end_date": first + pd.Timedelta(days=n_days - 1),
            "cost": np.nan,
            "assignment": assignment,
            "first_date": first,
        }
    )


def arms_of(bought: pd.DataFrame, letters: dict[str, set], plans: pd.DataFrame) -> pd.DataFrame:
    """Sum up both sides of each promotion, consumer by consumer: the door's work, done slowly."""
    met, rows = bought.groupby("consumer")["day"].min(), []
    for plan in plans.itertuples():
        start = (plan.first_date - FIRST).days
        n = (plan.end_date - plan.first_date).days + 1
        known = met.index[met < start]
        spans = {
            "after": (start, start + n),
            "before": (start - n, start),
            "earlier": (start - 2 * n, start - n),
            "year": (start - max(365, 2 * n), start),
        }
        of, buys = {}, {}
        for name, (low, high) in spans.items():
            inside = bought[(bought["day"] >= low) & (bought["day"] < high)]
            of[name] = inside.groupby("consumer")["amount"].sum().reindex(known, fill_value=0.0)
            up = inside[inside["amount"] > 0].groupby("consumer")["day"].nunique()
            buys[name] = up.reindex(known, fill_value=0)
        each = pd.DataFrame(
            {
                "after": of["after"],
                "before": of["before"],
                "gain": of["after"] - of["before"],
                "drift": of["before"] - of["earlier"],
                "buys": (buys["after"] > 0).astype(float),
                "bought": (buys["before"] > 0).astype(float),
                "year": of["year"],
                "visits": buys["year"].astype(float),
            }
        )
        each["buys_gain"] = each["buys"] - each["bought"]
        each["buys_drift"] = each["bought"] - (buys["earlier"] > 0)
        told = each.index.isin(list(letters[plan.promotion_id]))
        for is_contacted in (False, True):
            mine = each[told == is_contacted]
            sums = {f"{c}_sum": mine[c].sum() for c in each}
            sums |= {f"{c}_squares": (mine[c] ** 2).sum() for c in each}
            rows.append(
                {
                    "promotion_id": plan.promotion_id,
                    "is_contacted": is_contacted,
                    "n_consumers": len(mine),
                    **sums,
                }
            )
    return pd.DataFrame(rows)


def network(
    draw: np.random.Generator,
    *,
    assignment: str,
    n: int = 3_000,
    n_promotions: int = 8,
    effect: float = 0.0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw a network with promotions that do nothing, or bring in `effect` of those written to.

    A tenth is written to: drawn by lot, or chosen where they buy often ("chosen").
    """
    bought = purchases(draw, n)
    starts = sorted(int(day) for day in draw.integers(250, N_DAYS - 20, n_promotions))
    plans, letters, more = plan_rows(starts, 12, assignment), {}, []
    often = bought.groupby("consumer").size().reindex(range(n), fill_value=0).to_numpy()
    for name, start in zip(plans["promotion_id"], starts, strict=True):
        weight = np.ones(n) if assignment == "random" else often + 0.2
        chosen = draw.choice(n, n // 10, replace=False, p=weight / weight.sum())
        letters[name] = set(chosen.tolist())
        came = chosen[draw.random(len(chosen)) < effect]
        day = draw.integers(start, start + 12, len(came))
        amount = np.exp(draw.normal(6.5, 1.1, len(came)))
        more.append(pd.DataFrame({"consumer": came, "day": day, "amount": amount}))
    return plans, arms_of(pd.concat([bought, *more], ignore_index=True), letters, plans)
