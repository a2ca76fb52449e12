"""Who lost money: by hand, against an independent reckoning, and at which rates of error."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import networks
from helpers import calls, periods
from helpers.calls import losses

PERIOD = "2026-10"


def months_of(n_months: int = 30, **amounts: list[float]) -> pd.DataFrame:
    """Spell out dealers' months, the last of them the period's."""
    names = periods.month_range(PERIOD, n_months)
    rows = [(d, m, x) for d, values in amounts.items() for m, x in zip(names, values, strict=True)]
    return pd.DataFrame(rows, columns=["dealer_id", "month", "revenue"])


def others(rng: np.random.Generator, n: int = 40, n_months: int = 30) -> dict[str, list[float]]:
    """Draw steady dealers with a season and growth in common."""
    season = 1 + 0.4 * np.sin(2 * np.pi * np.arange(n_months) / 12) + 0.01 * np.arange(n_months)
    noise = rng.normal(1, 0.05, (n, n_months))
    return {f"o{i:02d}": (100 * season * noise[i]).round(2).tolist() for i in range(n)}


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    known = others(rng)
    season = np.array(known["o00"])
    known["half"] = [*season[:-3], *(season[-3:] / 2)]
    known["stopped"] = [*season[:-2], 0.0, 0.0]
    known["year"] = [*season[:-10], *(season[-10:] * 0.6)]
    known["young"] = [0.0] * 20 + [500.0, *[20.0] * 9]
    # air conditioners only: his pause comes every year, and this one is no news
    known["summer"] = [x if i % 12 in (0, 1, 2, 3, 11) else 0.0 for i, x in enumerate(season * 3)]
    known["better"] = [*season[:-4], *(season[-4:] * 2)]
    return calls.money_losses(months_of(**known), PERIOD).set_index("dealer_id")


def test_who_lost_is_found_and_nobody_else(found):
    assert set(found.index[found["is_lost"]]) == {"half", "stopped", "year"}
    assert found["is_rising"]["better"] and not found["is_rising"].drop("better").any()
    assert found.loc["half", "window"] == "quarter" and found.loc["year", "window"] == "year"


def test_what_is_lost_is_the_part_missing_of_a_year(found):
    row = found.loc["half"]
    whole = row["lost"] / (1 - row["quarter"] / row["expected_quarter"])
    assert row["quarter"] / row["expected_quarter"] == pytest.approx(0.5, abs=0.06)
    assert whole == pytest.approx(row["revenue"] + row["quarter"], rel=0.1), "of twelve months"
    assert row["lost_low"] < row["lost"] < row["lost_high"]
    assert found.loc["year", "lost"] == pytest.approx(
        0.33 * found.loc["year", "revenue_before"], rel=0.2
    )


def test_expected_by_plain_sums():
    """The same in plain Python: the others' growth, a third by season, two thirds by share."""
    known = others(np.random.default_rng(7), n=12)
    row = calls.money_losses(months_of(**known), PERIOD).set_index("dealer_id").loc["o03"]

    def total(names: list[str], start: int, stop: int) -> float:
        return sum(sum(known[name][start:stop]) for name in names)

    rest = [name for name in known if name != "o03"]
    season = total(["o03"], 15, 18) * total(rest, 27, 30) / total(rest, 15, 18)
    share = total(["o03"], 15, 27) * total(rest, 27, 30) / total(rest, 15, 27)
    assert row["expected_quarter"] == pytest.approx(season / 3 + share * 2 / 3)
    grown = total(["o03"], 6, 18) * total(rest, 18, 30) / total(rest, 6, 18)
    assert row["revenue"] == pytest.approx(total(["o03"], 18, 30))
    error = (row["lost_high"] - row["lost_low"]) / 2 / stats.t.ppf(0.9, losses.DF)
    lost = grown - row["revenue"] if row["window"] == "year" else row["lost"]
    assert row["lost"] == pytest.approx(lost)
    assert row["chance"] == pytest.approx(stats.t.sf(row["lost"] / error, losses.DF))


def test_a_dealer_alone_is_measured_by_himself():
    steady = [100.0] * 27 + [10.0] * 3
    row = calls.money_losses(months_of(a=steady), PERIOD).iloc[0]
    assert row["is_lost"] and row["expected_quarter"] == pytest.approx(300)


@pytest.mark.parametrize("n_months", [0, 1, 14, 15, 23, 24])
def test_a_short_history_tells_what_it_can(n_months):
    known = {
        name: row[-n_months:] if n_months else []
        for name, row in others(np.random.default_rng(1)).items()
    }
    rows = calls.money_losses(months_of(n_months, **known), PERIOD)
    assert rows.empty == (n_months < losses.MIN_MONTHS)
    if n_months < 24:
        assert rows["revenue_before"].isna().all()
    assert not rows["is_lost"].astype(bool).any()


def test_without_revenue_nothing_is_lost():
    rows = months_of(a=[math.nan] * 30, b=[0.0] * 30)
    found = calls.money_losses(rows, PERIOD)
    assert not found["is_lost"].any() and not found["is_rising"].any()


def test_the_false_share_is_spent_where_money_is():
    size = np.random.default_rng(0).lognormal(0, 1.4, 500)
    parts = losses.false_parts(size, 0.005)
    assert parts.mean() == pytest.approx(0.005, rel=0.02) and parts.max() <= losses.MOST_FALSE
    assert (np.diff(parts[np.argsort(size)]) >= -1e-12).all()
    assert losses.false_parts(np.zeros(3), 0.01).tolist() == [0.01] * 3
    assert losses.false_parts(np.zeros(0), 0.01).tolist() == []


def test_more_false_calls_find_more_and_lose_nobody():
    net = networks.network(np.random.default_rng(3), planted=0.2)
    few, many = (losses.lost_money(net.revenue, false_share=s)["is_lost"] for s in (0.001, 0.05))
    assert many.sum() > few.sum() and (many | ~few).all()


def test_input_is_not_changed_and_the_order_of_rows_does_not_matter():
    rows = months_of(**others(np.random.default_rng(2), n=8))
    kept, mixed = rows.copy(), rows.sample(frac=1, random_state=0)
    first, second = (calls.money_losses(r, PERIOD) for r in (rows, mixed))
    pd.testing.assert_frame_equal(first, second)
    pd.testing.assert_frame_equal(rows, kept)


# ---- rates: a sample of tests/benchmarks/call_rates.py -------------------------------------------

N = 12  # networks at each autocorrelation


@pytest.fixture(scope="module")
def simulated() -> dict[str, float]:
    rng, sums = np.random.default_rng(11), dict.fromkeys(("false", "of", "hit", "lost"), 0.0)
    true = called = 0
    for rho in (0.0, 0.3, 0.6):
        for _network in range(N):
            empty = networks.call_months(networks.network(rng, rho=rho), (29,))
            sums["false"] += empty.sum()
            sums["of"] += empty.size
            net = networks.network(rng, rho=rho, planted=networks.PLANTED)
            told = networks.call_months(net, (28, 29, 30))
            sums["hit"] += net.missed[told.any(axis=0)].sum()
            sums["lost"] += net.missed.sum()
            true, called = true + (told[-1] & (net.fall > 0)).sum(), called + told[-1].sum()
    return {
        "false": sums["false"] / sums["of"],
        "found": sums["hit"] / sums["lost"],
        "true": true / called,
        "n": sums["of"],
    }


def test_few_calls_are_false(simulated):
    """Half a percent of the dealers; of 7,200 the sample may give 0.7 % (three errors)."""
    bound = 0.005 + 3 * math.sqrt(0.005 * 0.995 / simulated["n"])
    assert simulated["false"] < bound


def test_most_of_a_loss_is_called_and_most_calls_are_true(simulated):
    told = pd.read_csv(calls_rates()).set_index(["rate", "cell"])["simulated_rate"]
    assert simulated["found"] == pytest.approx(told["found", "at_once"], abs=0.08)
    assert simulated["true"] > 0.8


def calls_rates() -> str:
    from helpers import words

    return words.REFERENCE / "call_rates.csv"


def test_the_rates_on_the_page_are_within_what_is_promised():
    told = pd.read_csv(calls_rates()).set_index(["rate", "cell"])
    rates = told["simulated_rate"]
    false = rates["false"]
    alone = [cell for cell in false.index if cell.startswith(("only_", "autocorrelation_"))]
    assert len(alone) == 9 and false[[*alone, "all"]].max() <= 0.005
    assert rates["true", "all"] >= 0.8
    # what cannot be had: nobody finds more at this rate of false calls who knows all levels
    for how in ("at_once", "over_3_months", "over_6_months"):
        assert rates["found", how] < rates["ceiling", how] < 0.9
    assert rates["found", "at_once"] > 0.9 * rates["ceiling", "at_once"]
    assert (told["n_networks"] >= 50).all()
