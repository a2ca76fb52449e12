"""Profit: what a dealer earns with our brand and with each rival he carries, and the proof to hand
him.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import t as student

from helpers import look, words

MEASURES = ("margin_rate", "profit_per_m2", "gmroi", "stock_turn")
# of margin, of the rival's figure: less is "about equal", however sure
NOTABLE_POINTS, NOTABLE_SHARE = 0.005, 0.05
MIN_MONTHS = 3  # of a brand, and of its stock: fewer are no habit
MIN_REVENUE_SHARE = 0.01  # of the dealer's sales: a sideline's margin is that of a few models
MOST_BRANDS = 8  # side by side in a figure
# behind a median that a dealer may see: from fewer, another's figure could be guessed
MIN_DEALERS = 5
LESS = 0.9  # a turn or sales per m² below this part of the rival's is a lever
LEVEL = 0.95
LONGEST = 18  # characters of a brand's name beside four panels
YEAR = 12
RESULTS = ("win", "even", "lose")
LEVERS = ("second_pricing", "rebate_policy", "floor_given", "ants_moving", "line_up")
SHEET = [
    "measure",
    "ours",
    "best_rival",
    "rival",
    "lead",
    "low",
    "high",
    "result",
    "rank",
    "n_brands",
    "gap_money",
    "stock_to_spare",
    "network",
]
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
    sums: pd.DataFrame, brand: str, months: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Set our brand against each rival a dealer carries, over the same months.

    `margin_rate` = (gross profit + rebate) ÷ revenue; `profit_per_m2` = the same earned in a year ÷
    mean floor; `gmroi` (gross margin return on inventory) = the same ÷ average stock at cost;
    `stock_turn` = a year's cost of sales ÷ average stock at cost. Rebates count: the dealer can
    spend them. A lead is "win" or "lose" only if it is notable (`NOTABLE_POINTS`, `NOTABLE_SHARE`)
    and its interval leaves out zero, which holds 95 % for all his rivals together (Bonferroni);
    else "even".

    Parameters
    ----------
    sums, months
        As `data.brand_sums` and `data.brand_months` give them. Without months there are no
        intervals, and a notable lead is taken for a sure one.
    brand
        Ours, as the data write it; empty or never sold, there is no lead.

    Returns
    -------
    DataFrame
        One row per dealer and brand: `dealer_id`, `brand`, `ours`, `left_out` (why it is not
        compared: "short_window", "no_revenue", "sideline" below `MIN_REVENUE_SHARE`; else ""), the
        measures (NaN where left out or a denominator is not above zero) with `rank_<measure>`
        within the dealer (1 best, equals share it) and `n_brands` compared; `revenue_share`; a
        year's `revenue`, `gross_profit`, `rebate`, `earned`, `cost_of_sales`; `shelf_area_m2`,
        `average_stock_value`, `front_rate` (gross profit ÷ revenue), `rebate_rate`, `sales_per_m2`;
        the like window; and for rivals `lead_<measure>` (ours − his), `low_`, `high_`,
        `result_<measure>`.

    Source: Sweeney (1973), Improving the profitability of retail merchandising decisions, Journal
    of Marketing 37(1); the interval is that of a ratio of means over paired months (Cochran 1977,
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
    errors = _standard_errors(rows, months, place)
    for measure in MEASURES:
        _add_lead(rows, measure, place, errors.get(measure))
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


def _add_lead(
    rows: pd.DataFrame, measure: str, place: np.ndarray, error: np.ndarray | None
) -> None:
    """Add our lead over each rival, its interval, and whether it is one."""
    values = rows[measure].to_numpy(dtype="float64")
    theirs = np.where(rows["ours"], np.nan, values)
    lead = np.append(values, np.nan)[np.where(np.isnan(place), -1, place).astype(int)] - theirs
    error = np.full(len(rows), np.nan) if error is None else error
    freedom = (rows["window_months"] - 1).clip(lower=1)
    # the rival to talk about is the best of all he carries: with forty of them chance alone would
    # put one ahead
    n_rivals = (rows["n_brands"] - 1).clip(lower=1)
    width = student.ppf(1 - (1 - LEVEL) / 2 / n_rivals, freedom) * error
    low, high = lead - width, lead + width
    notable = NOTABLE_POINTS if measure == "margin_rate" else NOTABLE_SHARE * np.abs(theirs)
    win = (lead.round(9) >= notable) & ~(low <= 0)
    lose = (lead.round(9) <= -notable) & ~(high >= 0)
    rows[f"lead_{measure}"], rows[f"low_{measure}"], rows[f"high_{measure}"] = lead, low, high
    rows[f"result_{measure}"] = np.select(
        [np.isnan(lead), win, lose], ["", "win", "lose"], default="even"
    )


def _standard_errors(
    rows: pd.DataFrame, months: pd.DataFrame | None, place: np.ndarray
) -> dict[str, np.ndarray]:
    """Give the standard error of each lead, from the differences between the two brands month by
    month.

    A ratio of means is off by the mean of (numerator − ratio × denominator) ÷ mean denominator;
    what moves both brands, a season or a sinking margin, cancels in the difference.
    """
    if months is None or months.empty:
        return {}
    names = sorted(months["month"].unique())
    keys = pd.MultiIndex.from_frame(rows[["dealer_id", "brand"]])
    at = keys.get_indexer(pd.MultiIndex.from_frame(months[["dealer_id", "brand"]]))
    dealer = pd.factorize(rows["dealer_id"])[0]
    column = pd.Categorical(months["month"], names).codes
    reported = np.zeros((dealer.max() + 1, len(names)), bool)
    reported[dealer[at], column] = True
    inside, pair = reported[dealer], np.where(np.isnan(place), 0, place).astype(int)
    grids = {
        c: _grid(months[c], at, column, inside, c in FLOWS)
        for c in {c for r in RATIOS.values() for c in r[:2]}
    }
    n, found = inside.sum(axis=1), {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for measure, (top, bottom, unit) in RATIOS.items():
            a, b = grids[top], grids[bottom]
            mean = b.sum(axis=1) / n
            ratio = a.sum(axis=1) / b.sum(axis=1)
            off = np.where(inside, unit * (a - ratio[:, None] * b) / mean[:, None], 0.0)
            variance = ((off[pair] - off) ** 2).sum(axis=1) / (n - 1)
            found[measure] = np.where(n >= MIN_MONTHS, np.sqrt(variance / n), np.nan)
    return found


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


# ---- one dealer ----------------------------------------------------------------------------------


def proof(comparison: pd.DataFrame, dealer_id: str) -> pd.DataFrame:
    """Give the sheet for one dealer: each measure with our brand and with his best rival.

    It may be handed to him: only his own figures, and the median dealer's with our brand where
    `MIN_DEALERS` stand behind it. The best rival is chosen after the fact, which flatters him and
    never us.

    Returns
    -------
    DataFrame
        One row per measure that is known of our brand and of a rival: `measure`, `ours`,
        `best_rival` (brand), `rival` (his figure), `lead`, `low`, `high`, `result` ("win", "even",
        "lose"), `rank` of ours and `n_brands`; where we lose, `gap_money`, what the gap costs the
        dealer a year (our sales at the rival's margin, our floor as productive as his; the two
        overlap and don't add up), and `stock_to_spare`, the stock he could do without if ours
        turned as fast; `network`. No rows where there is nothing to compare.
    """
    here = comparison[comparison["dealer_id"] == dealer_id].to_dict("records")
    us = next((row for row in here if row["ours"]), None)
    network, rows = comparison.loc[comparison["ours"], list(MEASURES)], []
    for measure in MEASURES if us else ():
        known = [row for row in here if not row["ours"] and pd.notna(row[f"lead_{measure}"])]
        if not known:
            continue
        best = max(known, key=lambda row: row[measure])
        money, capital = (
            _cost(us, best, measure) if best[f"result_{measure}"] == "lose" else (np.nan, np.nan)
        )
        rows.append(
            (
                measure,
                us[measure],
                best["brand"],
                best[measure],
                best[f"lead_{measure}"],
                best[f"low_{measure}"],
                best[f"high_{measure}"],
                best[f"result_{measure}"],
                int(us[f"rank_{measure}"]),
                len(known) + 1,
                money,
                capital,
                _network_median(network[measure].dropna()),
            )
        )
    return pd.DataFrame(rows, columns=SHEET)


def _cost(us, rival, measure: str):
    """Value a gap in a measure: money a year, and stock that could be done without.

    Of rows or of whole tables.
    """
    if measure in ("margin_rate", "profit_per_m2"):
        return (rival[measure] - us[measure]) * us[RATIOS[measure][1]], np.nan
    if measure == "stock_turn":
        return np.nan, us["average_stock_value"] - us["cost_of_sales"] / rival["stock_turn"]
    return np.nan, np.nan  # GMROI loses by margin or by turn, which are valued by themselves


def _network_median(known: pd.Series) -> float:
    return float(known.median()) if len(known) >= MIN_DEALERS else np.nan


def gaps(comparison: pd.DataFrame) -> pd.DataFrame:
    """List where a rival earns a dealer more than we do.

    One row per dealer and rival who wins on any measure.

    Returns
    -------
    DataFrame
        `dealer_id`, `rival`, `n_behind` (measures), `lost_measures`, `lead_points` of margin,
        `gap_money` (the larger of what the gaps in margin and profit per m² cost him a year) and
        `stock_to_spare` (see `proof`), `levers` (codes of `LEVERS`), `on_all` (beaten on margin and
        on profit per m² and GMROI, where these are known). The largest money first.
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
    costs = pd.DataFrame({m: _cost(ours, rivals, m)[0] for m in valued}, index=rivals.index).where(
        lost[valued]
    )
    known = rivals[[f"lead_{m}" for m in earning]].notna().to_numpy()
    rows = pd.DataFrame(
        {
            "dealer_id": rivals["dealer_id"],
            "rival": rivals["brand"],
            "n_behind": lost.sum(axis=1).astype(int),
            "lost_measures": _codes(MEASURES, lost.to_numpy()),
            "lead_points": 100 * rivals["lead_margin_rate"],
            "gap_money": costs.max(axis=1),
            "stock_to_spare": _cost(ours, rivals, "stock_turn")[1].where(lost["stock_turn"]),
            "levers": _levers(rivals, ours, lost),
            "on_all": lost["margin_rate"] & (lost[earning].to_numpy() | ~known).all(axis=1),
        }
    )
    rows, order = rows[rows["n_behind"] > 0], ["gap_money", "dealer_id", "rival"]
    return rows.sort_values(order, ascending=[False, True, True], ignore_index=True)


def _levers(rivals: pd.DataFrame, ours: pd.DataFrame, lost: pd.DataFrame) -> list[str]:
    """Name the part that makes a lost measure lose. Our reading of the handbook."""
    margin, floor, stock = (
        lost["margin_rate"],
        lost["profit_per_m2"],
        lost["gmroi"] | lost["stock_turn"],
    )
    slow_floor = floor & (ours["sales_per_m2"] <= LESS * rivals["sales_per_m2"])
    slow_stock = stock & (ours["stock_turn"] <= LESS * rivals["stock_turn"])
    holds = {
        "second_pricing": margin & (rivals["front_rate"] - ours["front_rate"] >= NOTABLE_POINTS),
        "rebate_policy": margin & (rivals["rebate_rate"] - ours["rebate_rate"] >= NOTABLE_POINTS),
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


# ---- sentences -----------------------------------------------------------------------------------


def verdict(comparison: pd.DataFrame, dealer_id: str, *, in_short: bool = False) -> list[str]:
    """Say to the dealer where our brand earns him more, where less, by how much, and what would
    change it.

    What is said follows the sheet of `proof`; it names no other dealer and nothing of ours but his
    own figures. `in_short` leaves each measure's figures to `plot_proof`.
    """
    here = comparison[comparison["dealer_id"] == dealer_id]
    sheet, ours = proof(comparison, dealer_id), here[here["ours"]]
    if sheet.empty:
        return [_nothing(here, ours), *_left_out(here)]
    us, n = ours.iloc[0], _counted(sheet)
    won, level = n["n_win"] == len(sheet), not (n["n_win"] or n["n_lose"])
    key = "profit.all_won" if won else "profit.equal" if level else "profit.overall"
    said = [words.say(key, brand=us["brand"], first=us["first_month"], last=us["last_month"], **n)]
    said += [] if in_short else [_measure_sentence(row, us["brand"]) for row in sheet.itertuples()]
    said += _lever_sentences(here, sheet, us)
    missing = [words.label(m) for m in MEASURES if m not in set(sheet["measure"])]
    said += [words.say("profit.no_measure", measures=words.listed(missing))] if missing else []
    return said + _left_out(here)


def _counted(sheet: pd.DataFrame) -> dict[str, int]:
    return {
        "of": len(sheet),
        **{f"n_{result}": int((sheet["result"] == result).sum()) for result in RESULTS},
    }


def _nothing(here: pd.DataFrame, ours: pd.DataFrame) -> str:
    if here.empty:
        return words.say("profit.no_report")
    if ours.empty:
        return words.say("profit.no_ours")
    if reason := ours["left_out"].iloc[0]:
        return words.say(
            "profit.ours_left_out", brand=ours["brand"].iloc[0], reason=words.label(reason)
        )
    return words.say("profit.no_rival", brand=ours["brand"].iloc[0])


def _left_out(here: pd.DataFrame) -> list[str]:
    rows = here[~here["ours"] & (here["left_out"] != "")]
    names = [f"{row.brand} ({words.label(row.left_out)})" for row in rows.itertuples()]
    return [words.say("profit.left_out", names=words.listed(names))] if names else []


def _measure_sentence(row, brand: str) -> str:
    said = {
        "measure": words.label(row.measure),
        "brand": brand,
        "ours": figure(row.ours, row.measure),
        "best": row.best_rival,
        "rival": figure(row.rival, row.measure),
    }
    lead = words.say(f"profit.{row.result}", **said, lead=difference(abs(row.lead), row.measure))
    if row.result != "even":
        low, high = (_bound(bound, row.measure) for bound in sorted([abs(row.low), abs(row.high)]))
        known = row.low == row.low and low != high
        lead += (
            words.say("profit.interval", low=low, high=high) if known else words.say("profit.stop")
        )
    worth = row.stock_to_spare if row.measure == "stock_turn" else row.gap_money
    if worth == worth:
        lead += words.say(
            f"profit.cost_{row.measure}", money=worth, best=row.best_rival, brand=brand
        )
    return lead


def _lever_sentences(here: pd.DataFrame, sheet: pd.DataFrame, us: pd.Series) -> list[str]:
    """Say what to pull, with the figures behind it, against the rival who costs most."""
    ahead = sheet.loc[sheet["result"] == "lose", "best_rival"]
    if ahead.empty:
        return []
    found = gaps(here)
    found = found[found["rival"].isin(ahead)]
    if found.empty or not found["levers"].iloc[0]:
        return []
    rival = here[here["brand"] == found["rival"].iloc[0]].iloc[0]
    figures = {
        "second_pricing": "front_rate",
        "rebate_policy": "rebate_rate",
        "floor_given": "sales_per_m2",
        "ants_moving": "stock_turn",
        "line_up": "sales_per_m2",
    }
    return [
        words.say(
            f"profit.lever_{lever}",
            brand=us["brand"],
            best=rival["brand"],
            ours=figure(us[figures[lever]], figures[lever]),
            rival=figure(rival[figures[lever]], figures[lever]),
        )
        for lever in found["levers"].iloc[0].split()
    ]


def _bound(value: float, measure: str) -> str:
    """Write an end of an interval: the unit stands in front of it already."""
    return words.decimal(100 * value, 1) if measure.endswith("_rate") else figure(value, measure)


def figure(value: float, measure: str) -> str:
    """Write a measure in its unit.

    A rate as percent, money per m² as an amount, GMROI and turns as a number.
    """
    if measure.endswith("_rate"):
        return words.percent(value, 1)
    return (
        words.money(value)
        if measure.endswith("_m2")
        else "–"
        if value != value
        else words.decimal(value, 2)
    )


def difference(value: float, measure: str) -> str:
    """Write a difference of two measures: rates differ by points."""
    if measure.endswith("_rate"):
        return words.say("profit.points", points=words.decimal(100 * value, 1))
    return figure(value, measure)


def _signed(lead: float, measure: str) -> str:
    """Write a lead with its sign; what rounds to nothing has none."""
    size = difference(abs(lead), measure)
    if size == difference(0.0, measure):
        return size
    return ("+" if lead > 0 else "−" if lead < 0 else "") + size


def proof_table(sheet: pd.DataFrame) -> pd.DataFrame:
    """Write the sheet for reading, each measure in its unit."""

    def written(column: str) -> list[str]:
        return [figure(value, m) for value, m in zip(sheet[column], sheet["measure"], strict=True)]

    leads = zip(sheet["lead"], sheet["measure"], strict=True)
    return pd.DataFrame(
        {
            "indicator": [words.label(m) for m in sheet["measure"]],
            "our_figure": written("ours"),
            "best_rival": sheet["best_rival"],
            "rival_figure": written("rival"),
            "lead": [_signed(lead, measure) for lead, measure in leads],
            "result": [words.label(result) for result in sheet["result"]],
            "rank": [
                words.say("profit.rank", rank=r.rank, n=r.n_brands) for r in sheet.itertuples()
            ],
            "gap_money": sheet["gap_money"],
            "stock_to_spare": sheet["stock_to_spare"],
            "network_figure": written("network"),
        }
    )


# ---- plots ---------------------------------------------------------------------------------------


def _short(name: str) -> str:
    """Cut a name that would take the panels' room."""
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def plot_proof(
    comparison: pd.DataFrame, dealer_id: str, *, scope: str = "", ax: Axes | None = None
) -> Axes:
    """Draw one dealer's brands side by side, a panel a measure, ours in our colour.

    `ax` takes the first measure.

    Of many brands ours, the best rival of each measure, and then the largest are drawn:
    `MOST_BRANDS` in all.
    """
    here = comparison[(comparison["dealer_id"] == dealer_id) & (comparison["left_out"] == "")]
    sheet = proof(comparison, dealer_id)
    if sheet.empty:
        all_his = comparison[comparison["dealer_id"] == dealer_id]
        return look.nothing(_nothing(all_his, all_his[all_his["ours"]]), ax)
    told = here["ours"] | here["brand"].isin(sheet["best_rival"])
    largest = here[~told].sort_values(["revenue", "brand"], ascending=[False, True]).index
    here = here[told | here.index.isin(largest[: max(MOST_BRANDS - told.sum(), 0)])]
    here = here.sort_values(["ours", "margin_rate"], ascending=[False, False])
    panels = [ax] if ax else np.atleast_1d(look.axes(len(sheet), height=1.7 + 0.36 * len(here)))
    for panel, row in zip(panels, sheet.itertuples(), strict=False):
        known = here[row.measure].fillna(0.0)
        colors = [look.COLORS["ours" if is_ours else "muted"] for is_ours in here["ours"]]
        panel.barh(np.arange(len(here)), known, color=colors, height=0.62)
        for y, value in enumerate(here[row.measure]):
            panel.annotate(
                figure(value, row.measure),
                (max(known.iloc[y], 0), y),
                xytext=(4, 0),
                fontsize=8.5,
                textcoords="offset points",
                va="center",
            )
        panel.set(
            xlim=(min(known.min(), 0), 1.55 * max(known.max(), 1e-9)), ylim=(len(here) - 0.5, -0.5)
        )
        panel.set_title(words.label(row.measure), fontsize=9.5)
        panel.set(xticks=[], yticks=[])
        panel.grid(visible=False)
    panels[0].set_yticks(np.arange(len(here)), here["brand"].map(_short))
    title = words.say("profit.proof_title", brand=here["brand"].iloc[0], **_counted(sheet))
    return look.explain(panels[0], title, words.say("profit.proof_how"), scope)
