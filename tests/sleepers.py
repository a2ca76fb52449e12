"""A network with stock that sleeps, for the move plan's tests and its benchmark."""

import numpy as np
import pandas as pd

from helpers import inventory


def sleeping_stock(n_dealers: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Make the stock of many dealers, a tenth of it old, what they sold, and where they are."""
    draw = np.random.default_rng(5)
    places = pd.DataFrame(
        {
            "dealer_id": [f"d{i:04d}" for i in range(n_dealers)],
            "dealer_name": "x",
            "account_manager": None,
            "city": draw.choice(list("ABCDEFGHIJ"), n_dealers),
            "region": draw.choice(list("NSEW"), n_dealers),
            "latitude": draw.uniform(24, 42, n_dealers),
            "longitude": draw.uniform(104, 121, n_dealers),
        }
    )
    pairs = pd.MultiIndex.from_product([places["dealer_id"], [f"p{i}" for i in range(30)]])
    pairs = pairs.to_frame(index=False, name=["dealer_id", "product_id"]).sample(
        frac=0.7, random_state=1
    )
    end = pd.Timestamp("2026-10-31")
    pieces = draw.integers(1, 40, len(pairs)).astype(float)
    age = pd.to_timedelta(draw.exponential(40, len(pairs)).astype(int), unit="D")
    aged = inventory.aged(
        pairs.assign(quantity=pieces, unit_cost=100.0, received_date=end - age), end
    )
    flows = pairs.assign(
        sold_90d=draw.integers(0, 60, len(pairs)).astype(float), sold=0.0, last_sold_date=pd.NaT
    )
    return aged, flows, places
