"""Claims: what is claimed is scored when it is due, and not before."""

import numpy as np
import pandas as pd

from helpers.periods import month_range
from helpers.result import claims, forecast, scored


def months(values, last: str) -> pd.DataFrame:
    return pd.DataFrame(
        {"month": month_range(last, len(values)), "revenue": np.array(values, float)}
    )


def made(last: str = "2026-10") -> pd.DataFrame:
    values = np.random.default_rng(2).normal(100, 5, 34)
    series = months(values, last).set_index("month")["revenue"]
    return claims.made(forecast.year_forecast(series, last), last)


def test_an_edition_claims_the_next_months_and_the_year():
    found = made()
    assert found["claim"].tolist() == [*["month_revenue"] * 3, "year_revenue"]
    assert found["due_month"].tolist() == ["2026-11", "2026-12", "2027-01", "2026-12"]
    assert (found["low_amount"] <= found["claimed_amount"]).all()
    assert not found.duplicated(["claim", "subject", "due_month"]).any()


def test_a_run_rate_and_a_year_that_is_over_claim_nothing():
    series = months([5.0] * 12, "2026-10").set_index("month")["revenue"]
    assert claims.made(forecast.year_forecast(series, "2026-10"), "2026-10").empty
    assert "year_revenue" not in set(made("2026-12")["claim"])


def test_what_is_due_is_scored_by_what_came():
    before = made()
    came = months([100.0] * 21 + [1e6], "2026-11")
    found = scored(before, came, "2026-11")
    assert found["due_month"].tolist() == ["2026-11"]
    assert found["came_amount"].tolist() == [1e6] and not found["is_inside"].any()
    year = scored(before, months([before["claimed_amount"].iloc[0]] * 24, "2026-12"), "2026-12")
    assert year["claim"].tolist() == ["month_revenue", "month_revenue", "year_revenue"]
    assert year["is_inside"].iloc[0]
    assert year["came_amount"].iloc[2] == 12 * before["claimed_amount"].iloc[0]


def test_an_edition_without_claims_is_not_scored():
    came = months([100.0] * 22, "2026-11")
    for before in (pd.DataFrame(), pd.DataFrame({"claim": ["month_revenue"]}), made().head(0)):
        assert scored(before, came, "2026-11").empty
