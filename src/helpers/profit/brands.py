"""Brands: what a dealer earns with ours and with each rival he carries, and where one is ahead."""

import numpy as np
import pandas as pd
from scipy import stats

from helpers.profit import serial

MEASURES = ("margin_rate", "profit_per_m2", "gmroi", "stock_turn")
# of revenue earned, of the rival's figure: less is "about equal", however sure
NOTABLE_POINTS, NOTABLE_SHARE = 0.005, 0.05
MIN_MONTHS = 3  # of a brand, and of its stock: fewer are no habit
MIN_REVENUE_SHARE = 0.01  # of the dealer's sales: a sideline's margin is that of a few models
LEVER_SHARE = 0.9  # a turn or sales per m² below this part of the rival's is a lever
YEAR = 12
RESULTS = ("win", "even", "unclear", "lose")
POWER_AT = 4  # times what is notable: the lead of which the power is told
LEVERS = ("second_pricing", "rebate_policy", "floor_given", "ants_moving", "line_up")
# numerator, denominator and months in the unit of each measure
RATIOS = {
    "margin_rate": ("earned", "revenue", 1),
    "profit_per_m2": ("earned", "shelf_area_m2", YEAR),
    "gmroi": ("earned", "average_stock_value", YEAR),
    "stock_turn": ("cost_of_sales", "average_stock_value", YEAR),
}
FLOWS = ("revenue", "gross_profit", "rebate", "earned", "cost_of_sales")


# ---- every dealer, every brand -------------------------------------------------------------------


def brand_comparison(
    sums: pd.DataFrame,
    brand: str,
    months: pd.DataFrame | None = None,
    *,
    notable_points: float = NOTABLE_POINTS,
    notable_share: float = NOTABLE_SHARE,
) -> pd.DataFrame:
    """Set our brand against each rival a dealer carries, over the same months.

    `margin_rate` = (gross profit + rebate) ÷ revenue; `profit_per_m2` = the same earned in a year ÷
    mean floor; `gmroi` (gross margin return on inventory) = the same ÷ average stock at cost;
    `stock_turn` = a year's cost of sales ÷ average stock at cost. Rebates count: the dealer can
    spend them. A lead is "win" or "lose" where it is notable and a t-test at the effective number
    of months leaves out zero; "even" where two one-sided tests leave out that it is notable either
    way; else "unclear". The tests hold for all rivals of a dealer together (Bonferroni), and over
    all dealers at most one in twenty of those said to be apart, or to be even, is so by chance (see
    `serial.level`). How months hang together is estimated per measure, over all dealers.

    Parameters
    ----------
    sums, months
        As `data.brand_sums` and `data.brand_months` give them. Without months nothing is sure.
    brand
        Ours, as the data write it; empty or never sold, there is no lead.
    notable_points, notable_share
        From where a lead is notable: in margin, as a part of revenue (0.005: half a point); in the
        other measures, as a part of the rival's figure.

    Returns
    -------
    DataFrame
        One row per dealer and brand: `dealer_id`, `brand`, `ours`, `left_out` (why it is not
        compared: "short_window", "no_revenue", "sideline" below `MIN_REVENUE_SHARE`; else ""), the
        measures (NaN where left out or a denominator is not above zero) with `rank_<measure>`
        within the dealer (1 best, equals share it) and `n_brands` compared; `revenue_share`; a
        year's `revenue`, `gross_profit`, `rebate`, `earned`, `cost_of_sales`; `shelf_area_m2`,
        `average_stock_value`, `front_rate` (gross profit ÷ revenue), `rebate_rate`, `sales_per_m2`;
        the like window; and for rivals `lead_<measure>` (ours − his), `low_`, `high_`, `error_`
        (standard error), `effective_months_`, `power_` (the chance that a lead of `POWER_AT` times
        what is notable is found), `result_<measure>`.

    Source: Sweeney (1973), Improving the profitability of retail merchandising decisions, Journal
    of Marketing 37(1); the error is that of a ratio of means over paired months (Cochran 1977,
    Sampling Techniques, chapter 6).
    """
    rows = _measured(sums.reset_index(drop=True), brand)
    by_dealer = rows.groupby("dealer_id")
    rows["n_brands"] = (
        (rows["left_out"] == "").groupby(rows["dealer_id"]).transform("sum").astype(int)
    )
    for measure in MEASURES:
        rows[f"rank_{measure}"] = by_dealer[measure].rank(method="min", ascending=False)
    ours = rows[rows["ours"]].drop_duplicates("dealer_id")
    place = (
        pd.Series(ours.index, index=ours["dealer_id"])
        .reindex(rows["dealer_id"])
        .to_numpy(dtype="float64")
    )
    sure = _sure(rows, months, place)
    for measure in MEASURES:
        notable = _notable(measure, notable_points, notable_share)
        _add_lead(rows, measure, place, sure[measure], notable)
    return rows


def _measured(sums: pd.DataFrame, brand: str) -> pd.DataFrame:
    rows = sums.copy()
    rows["ours"] = (rows["brand"] == brand) & (brand != "")
    sold = rows["revenue"].clip(lower=0)
    rows["revenue_share"] = sold / _positive(sold.groupby(rows["dealer_id"]).transform("sum"))
    short = ~rows["alike"].astype(bool) | (rows["n_months"] < MIN_MONTHS)
    rows["left_out"] = np.select(
        [short, rows["revenue"] <= 0, rows["revenue_share"] < MIN_REVENUE_SHARE],
        ["short_window", "no_revenue", "sideline"],
        default="",
    )
    for column in FLOWS:
        rows[column] = rows[column] * YEAR / rows["window_months"]
    rows["average_stock_value"] = rows["average_stock_value"].where(
        rows["n_stock_months"] >= MIN_MONTHS
    )
    kept = rows["left_out"] == ""
    for measure, (top, bottom, _unit) in RATIOS.items():
        rows[measure] = (rows[top] / _positive(rows[bottom])).where(kept)
    rows["front_rate"] = (rows["gross_profit"] / _positive(rows["revenue"])).where(kept)
    rows["rebate_rate"] = (rows["rebate"] / _positive(rows["revenue"])).where(kept)
    rows["sales_per_m2"] = (rows["revenue"] / _positive(rows["shelf_area_m2"])).where(kept)
    return rows


def _positive(values: pd.Series) -> pd.Series:
    """Empty what can be no denominator."""
    return values.where(values > 0)


def _notable(measure: str, points: float, share: float) -> tuple[float, float]:
    """Say from where a lead in a measure is notable: an amount, a part of the rival's figure."""
    return (points, 0.0) if measure == "margin_rate" else (0.0, share)


def _add_lead(
    rows: pd.DataFrame,
    measure: str,
    place: np.ndarray,
    sure: serial.Sure,
    notable: tuple[float, float],
) -> None:
    """Add our lead over each rival, its interval, how sure it is, and whether it is one."""
    values = rows[measure].to_numpy(dtype="float64")
    theirs = np.where(rows["ours"], np.nan, values)
    lead = np.append(values, np.nan)[np.where(np.isnan(place), -1, place).astype(int)] - theirs
    sure = serial.Sure(*(np.where(np.isnan(lead), np.nan, part) for part in sure))
    # the rival to talk about is the best of all he carries: with forty of them chance alone would
    # put one ahead
    n_rivals = (rows["n_brands"] - 1).clip(lower=1).to_numpy()
    dealer = pd.factorize(rows["dealer_id"])[0]
    far = notable[0] + notable[1] * np.abs(theirs)
    apart, alike = serial.difference_p(lead, sure), serial.equality_p(lead, sure, far)
    alpha = serial.level(apart, dealer, n_rivals) / n_rivals
    is_apart = apart <= alpha
    is_alike = alike <= serial.level(alike, dealer, n_rivals) / n_rivals
    width = stats.t.isf(alpha / 2, sure.freedom) * sure.error
    width = np.where(serial.is_borne(sure.months), width, np.nan)
    power = serial.power(POWER_AT * far, sure, alpha)
    for name, column in (
        ("lead", lead),
        ("low", lead - width),
        ("high", lead + width),
        ("error", sure.error),
        ("effective_months", sure.months),
        ("power", np.where(np.isnan(lead), np.nan, power)),
    ):
        rows[f"{name}_{measure}"] = column
    rows[f"result_{measure}"] = np.select(
        [
            np.isnan(lead),
            is_apart & (lead.round(9) >= far),
            is_apart & (lead.round(9) <= -far),
            is_alike,
        ],
        ["", "win", "lose", "even"],
        default="unclear",
    )


def _sure(
    rows: pd.DataFrame, months: pd.DataFrame | None, place: np.ndarray
) -> dict[str, serial.Sure]:
    """Give the standard error of each lead, from the differences between the two brands month by
    month, and for how many independent months they count.

    A ratio of means is off by the mean of (numerator − ratio × denominator) ÷ mean denominator;
    what moves both brands, a season or a sinking margin, cancels in the difference. What is earned
    by month from a floor or a stock has a season even where one brand earns twice what the other
    does: there the dealer's own, of the sales of all his brands, is taken out first.
    """
    unknown = np.full(len(rows), np.nan)
    if months is None or months.empty:
        return dict.fromkeys(MEASURES, serial.Sure(unknown, unknown, unknown))
    names = sorted(months["month"].unique())
    keys = pd.MultiIndex.from_frame(rows[["dealer_id", "brand"]])
    at = keys.get_indexer(pd.MultiIndex.from_frame(months[["dealer_id", "brand"]]))
    dealer = pd.factorize(rows["dealer_id"])[0]
    column = pd.Categorical(months["month"], names).codes
    reported = np.zeros((dealer.max() + 1, len(names)), bool)
    reported[dealer[at], column] = True
    inside, pair = reported[dealer], np.where(np.isnan(place), 0, place).astype(int)
    # what is compared: our own row, and rows that are left out, have no lead
    rival = ~rows["ours"].to_numpy(bool) & ~np.isnan(place)
    grids = {
        c: _grid(months[c], at, column, inside, c in FLOWS)
        for c in {c for r in RATIOS.values() for c in r[:2]}
    }
    n, found = inside.sum(axis=1), {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for measure, (top, bottom, unit) in RATIOS.items():
            a, b = grids[top], grids[bottom]
            mean = b.sum(axis=1) / n
            usual = (a.sum(axis=1) / b.sum(axis=1))[:, None]
            if bottom not in FLOWS:
                usual = usual * _season(grids["revenue"], b, dealer)
            off = np.where(inside, unit * (a - usual * b) / mean[:, None], 0.0)
            apart = off[pair] - off
            # what differs by rounding does not move
            apart = np.where(np.abs(apart) > 1e-9 * np.abs(unit * usual), apart, 0.0)
            told = rival & rows[measure].notna().to_numpy() & np.isfinite(apart).all(axis=1)
            rho = serial.pooled_autocorrelation(apart[told], inside[told], dealer[told])
            found[measure] = serial.standard_errors(apart, inside, rho)
    return found


def _season(sold: np.ndarray, bottom: np.ndarray, dealer: np.ndarray) -> np.ndarray:
    """Give each dealer's season, rows × months: what all his brands sold from what they hold, a
    month against his year, so that over a row's own months it changes nothing.
    """
    sales, held = (np.clip(_by_dealer(grid, dealer), 0, None) for grid in (sold, bottom))
    season = (sales / np.where(held > 0, held, np.inf))[dealer]
    whole = (bottom * season).sum(axis=1)
    usual = bottom.sum(axis=1) / np.where(whole > 0, whole, np.nan)
    return np.where((whole > 0)[:, None], season * usual[:, None], 1.0)


def _by_dealer(grid: np.ndarray, dealer: np.ndarray) -> np.ndarray:
    """Sum up a dealer's rows, month by month; a brand of whom nothing is known adds nothing."""
    sums = np.zeros((dealer.max() + 1, grid.shape[1]))
    np.add.at(sums, dealer, np.nan_to_num(grid))
    return sums


def _grid(
    values: pd.Series, at: np.ndarray, column: np.ndarray, inside: np.ndarray, is_flow: bool
) -> np.ndarray:
    """Lay a column out as brand x month.

    A month without a report sold nothing, and its stock and floor were usual.
    """
    grid = np.full(inside.shape, np.nan)
    grid[at, column] = values.to_numpy(dtype="float64")
    known = ~np.isnan(grid)
    mean = np.where(known, grid, 0).sum(axis=1) / np.where(
        known.any(axis=1), known.sum(axis=1), np.nan
    )
    usual = np.zeros(len(grid)) if is_flow else mean
    return np.where(inside, np.where(known, grid, usual[:, None]), 0.0)


def shared_brands(comparison: pd.DataFrame) -> pd.DataFrame:
    """Give the rows of rivals that ours could be set against on one measure at least."""
    return comparison[comparison[[f"lead_{measure}" for measure in MEASURES]].notna().any(axis=1)]


# ---- where a rival earns more --------------------------------------------------------------------


def gap_cost(us, rival, measure: str):
    """Value a gap in a measure: money a year, and stock that could be done without.

    Of rows or of whole tables.
    """
    if measure in ("margin_rate", "profit_per_m2"):
        return (rival[measure] - us[measure]) * us[RATIOS[measure][1]], np.nan
    if measure == "stock_turn":
        return np.nan, us["average_stock_value"] - us["cost_of_sales"] / rival["stock_turn"]
    return np.nan, np.nan  # GMROI loses by margin or by turn, which are valued by themselves


def gaps(
    comparison: pd.DataFrame,
    *,
    notable_points: float = NOTABLE_POINTS,
    lever_share: float = LEVER_SHARE,
) -> pd.DataFrame:
    """List where a rival earns a dealer more than we do.

    One row per dealer and rival who wins on any measure.

    Parameters
    ----------
    comparison
        From `brand_comparison`, by the same `notable_points`.
    lever_share
        A turn or sales per m² up to this part of the rival's are levers.

    Returns
    -------
    DataFrame
        `dealer_id`, `rival`, `n_behind` (measures), `lost_measures`, `lead_points` of margin,
        `gap_money` (the larger of what the gaps in margin and profit per m² cost him a year) and
        `stock_to_spare` (see `proof`), `levers` (codes of `LEVERS`), `on_all` (surely beaten on
        margin, and so on profit per m² and GMROI where these are known; where their months are too
        few for a test, by the figures). The largest money first.
    """
    rivals = shared_brands(comparison)
    ours = (
        comparison[comparison["ours"]]
        .set_index("dealer_id")
        .reindex(rivals["dealer_id"])
        .set_index(rivals.index)
    )
    lost = pd.DataFrame({m: rivals[f"result_{m}"] == "lose" for m in MEASURES}, index=rivals.index)
    earning, valued = list(MEASURES[:3]), list(MEASURES[:2])
    costs = pd.DataFrame(
        {m: gap_cost(ours, rivals, m)[0] for m in valued}, index=rivals.index
    ).where(lost[valued])
    beaten = lost[earning].to_numpy() | _untested(rivals, earning)
    rows = pd.DataFrame(
        {
            "dealer_id": rivals["dealer_id"],
            "rival": rivals["brand"],
            "n_behind": lost.sum(axis=1).astype(int),
            "lost_measures": _codes(MEASURES, lost.to_numpy()),
            "lead_points": 100 * rivals["lead_margin_rate"],
            "gap_money": costs.max(axis=1),
            "stock_to_spare": gap_cost(ours, rivals, "stock_turn")[1].where(lost["stock_turn"]),
            "levers": _levers(rivals, ours, lost, notable_points, lever_share),
            "on_all": lost["margin_rate"] & beaten.all(axis=1),
        }
    )
    rows, order = rows[rows["n_behind"] > 0], ["gap_money", "dealer_id", "rival"]
    return rows.sort_values(order, ascending=[False, True, True], ignore_index=True)


def _untested(rivals: pd.DataFrame, measures: list[str]) -> np.ndarray:
    """Tell which measures say nothing against a rival: they are not known, or no test can be made
    of them and their figures are for him.
    """
    leads = rivals[[f"lead_{m}" for m in measures]].round(9).to_numpy()
    months = rivals[[f"effective_months_{m}" for m in measures]].to_numpy()
    return np.isnan(leads) | (~serial.is_borne(months) & (leads < 0))


def _levers(
    rivals: pd.DataFrame,
    ours: pd.DataFrame,
    lost: pd.DataFrame,
    notable_points: float,
    lever_share: float,
) -> list[str]:
    """Name the part that makes a lost measure lose. Our reading of the handbook."""
    margin, floor, stock = (
        lost["margin_rate"],
        lost["profit_per_m2"],
        lost["gmroi"] | lost["stock_turn"],
    )
    slow_floor = floor & (ours["sales_per_m2"] <= lever_share * rivals["sales_per_m2"])
    slow_stock = stock & (ours["stock_turn"] <= lever_share * rivals["stock_turn"])
    holds = {
        "second_pricing": margin & (rivals["front_rate"] - ours["front_rate"] >= notable_points),
        "rebate_policy": margin & (rivals["rebate_rate"] - ours["rebate_rate"] >= notable_points),
        "floor_given": slow_floor,
        "ants_moving": slow_stock,
        # what earns its margin but neither leaves the floor nor the stock is the wrong model for
        # this shop
        "line_up": slow_floor & slow_stock & ~margin,
    }
    return _codes(LEVERS, np.column_stack([holds[lever].to_numpy(bool) for lever in LEVERS]))


def _codes(names: tuple[str, ...], holds: np.ndarray) -> list[str]:
    """Write the names that hold in each row, apart by blanks.

    A cell of a CSV file holds no list.
    """
    return [" ".join(name for name, here in zip(names, row, strict=True) if here) for row in holds]
