"""Demo, the promotion that did nothing: a response rate without an uplift."""

import numpy as np
import pandas as pd

from helpers.demo.network import CONTACTED, Network, dates, stream

# a promotion that did nothing: months before the last, day, number of days, kind, name, cost
IDLE = (13, 10, 12, "message", "会员短信", "Message to members", 9_600.0)


def idle_promotion(
    net: Network, people: pd.DataFrame, sell_out: pd.DataFrame, n_before: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Plant a promotion that did nothing, and its contacts.

    A tenth of the consumers, drawn by lot, as for the `n_before` others. Nobody came because of it:
    who is told to have answered came in its days anyway, by what is rung up in `sell_out` already.
    """
    rng, (ago, day, n_days, kind, name, name_en, cost) = stream(net.seed, "idle"), IDLE
    month = len(net.months) - 1 - ago
    first = net.bounds[month] + day - 1
    days = dates(net, np.array([first - 4, first, first + n_days - 1]))
    year, promotion_id = net.months[month][:4], f"M{n_before + 1:02d}"
    promotion = {
        "promotion_id": promotion_id,
        "name": f"{year}年{name}",
        "name_en": f"{name_en} {year}",
        "kind": kind,
        "start_date": days[1:2],
        "end_date": days[2:],
        "cost": cost,
        "assignment": "random",
    }
    n = len(people)
    chosen = np.sort(rng.choice(n, round(CONTACTED * n), replace=False))
    contacts = pd.DataFrame(
        {
            "consumer_id": people["consumer_id"].to_numpy()[chosen],
            "promotion_id": promotion_id,
            "sent_date": days[0],
        }
    )
    inside = sell_out["date"].between(days[1], days[2]) & (sell_out["amount"] > 0)
    came = sell_out[inside].groupby("consumer_id")["date"].min()
    contacts["responded_date"] = contacts["consumer_id"].map(came)
    return pd.DataFrame(promotion), contacts
