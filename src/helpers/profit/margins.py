"""Margins: what dealers earn per unit of revenue, month by month, how far they spread, and whose
slips.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import look, periods, words
from helpers.profit import serial, slopes
from helpers.profit.slopes import HALF
from helpers.settings import page_of

PAGE = page_of("dealer_profit")
WINDOW = 12
SLIP_POINTS = 0.04  # within a year, beyond the network: more than selling other brands does
MIN_MONTHS = 8  # of twelve: over fewer, one season's mix of brands looks like a trend
# a year, beyond the network: an eighth of what a dealer earns; less is mix and chance
MIN_MARGIN_POINTS = 0.02
TESTS = 2  # of a dealer: whether it wears away, and whether it breaks off
QUANTILES = {
    "low10_rate": 0.1,
    "low25_rate": 0.25,
    "median_rate": 0.5,
    "high75_rate": 0.75,
    "high90_rate": 0.9,
}
MOVEMENTS = ("slips", "recovers", "mix", "steady", "–")
SEEN = 0.0005  # of margin: lines that are nearer are seen as one
NAMED = 12  # dealers a figure has room to name


# ---- tables --------------------------------------------------------------------------------------


def margin_spread(margins: pd.DataFrame) -> pd.DataFrame:
    """Tell each month's margin of the network and its spread over dealers.

    Parameters
    ----------
    margins
        `dealer_id`, `month`, `revenue`, `earned` (gross profit + rebates of all brands), as
        `data.dealer_margins`.

    Returns
    -------
    DataFrame
        One row per `month`, oldest first: `n_dealers` with revenue, `weighted_rate` (all earned ÷
        all revenue: what the network earns), and over dealers the median and the quantiles in
        `QUANTILES`, in which every shop counts alike.

    >>> rows = pd.DataFrame({"dealer_id": list("abc"), "month": "2026-10",
    ...                      "revenue": [100.0, 100, 800], "earned": [10.0, 20, 240]})
    >>> margin_spread(rows)[["weighted_rate", "median_rate"]].round(3).to_numpy().tolist()
    [[0.27, 0.2]]
    """
    known = margins[margins["revenue"] > 0]
    rate = (known["earned"] / known["revenue"]).astype("float64").groupby(known["month"])
    sums = known.groupby("month")[["revenue", "earned"]].sum()
    rows = pd.DataFrame(
        {"n_dealers": rate.size(), "weighted_rate": sums["earned"] / sums["revenue"]}
    )
    for column, quantile in QUANTILES.items():
        rows[column] = rate.quantile(quantile)
    return rows.rename_axis("month").reset_index()


def margin_trends(
    margins: pd.DataFrame,
    period: str,
    *,
    min_margin_points: float = MIN_MARGIN_POINTS,
    slip_points: float = SLIP_POINTS,
    min_months: int = MIN_MONTHS,
) -> pd.DataFrame:
    """Judge how each dealer's margin moves within the year, against how everybody's does.

    Judged is the margin at a constant mix of brands, where `usual` is told: the month's, less what
    it would be above or below the dealer's whole had each brand earned what it usually does with
    him. Who moves only because other brands sold has the movement "mix".

    A margin "slips", surely and beyond what everybody's median does, in one of two ways. It wears
    away: the median of the slopes between all pairs of months (Theil–Sen), which one odd month
    can't turn, is `min_margin_points` a year lower, its whole 95 % interval (Sen's) lies below the
    network's slope and below zero, and the year is below the year before, where that is known. Or
    it breaks off, which a slope over level months misses: the last six months are `slip_points`
    below the same months a year before, each of the six is lower, and the margin is not on its way
    up again. It "recovers" by the same rules upwards. With fewer than `min_months` months of
    revenue it is "–".

    Months hang together, by one autocorrelation for all dealers (`slopes.autocorrelation`): the
    interval, and both tests, are as wide as that makes them, and months that are worth fewer than
    `serial.MIN_EFFECTIVE` independent ones move nobody. Of all dealers said to move at most one in
    twenty may do so by chance (`serial.level`).

    Parameters
    ----------
    margins
        As `margin_spread` takes them, of two years; with `usual`, as `data.dealer_margins`.
    min_margin_points, slip_points
        Parts of revenue: 0.02 is two points.
    min_months
        Of the twelve.

    Returns
    -------
    DataFrame
        One row per dealer of the window: `n_months`, `margin_rate` and `previous_margin_rate` (this
        year and the one before: sums ÷ sums), `mix_rate` (the part of that change that other brands
        made), `slope_rate` with its 95 % interval `low_rate`, `high_rate` (a month's times twelve),
        `step_rate` (six months against the same a year before), `change_rate` (the slope, or the
        step where only that tells), `network_rate` (the median slope), `movement`.

    """
    held = _at_constant_mix(margins)
    rules = {"least": min_margin_points, "step": slip_points, "min_months": min_months}
    rows = _moves(held, period, **rules)
    if held is not margins:
        sold = _moves(margins, period, **rules)
        mix = rows["movement"].eq("steady") & sold["movement"].isin(["slips", "recovers"])
        rows["movement"] = rows["movement"].mask(mix, "mix")
        for column in ("margin_rate", "previous_margin_rate"):
            rows[column] = sold[column]
        usual = _moves(margins.assign(earned=margins["usual"]), period, **rules)
        rows["mix_rate"] = usual["margin_rate"] - usual["previous_margin_rate"]
    return rows.rename_axis("dealer_id").reset_index()


def _at_constant_mix(margins: pd.DataFrame) -> pd.DataFrame:
    """Take out of each month what other brands made of it; as given where that is not told."""
    if "usual" not in margins or margins["usual"].isna().all():
        return margins
    sums = margins.groupby("dealer_id")[["usual", "revenue"]].transform("sum")
    whole = sums["usual"] / sums["revenue"].where(sums["revenue"] > 0)
    earned = margins["earned"] - margins["usual"] + margins["revenue"] * whole
    return margins.assign(earned=earned)


def _moves(
    margins: pd.DataFrame, period: str, *, least: float, step: float, min_months: int
) -> pd.DataFrame:
    """Judge how each dealer's margin moves: `margin_trends` by dealer, of one kind of margin."""
    now, before = (_window(margins, month) for month in (period, periods.shift(period, -WINDOW)))
    grid, last_year = _grid(now, period), _grid(before, periods.shift(period, -WINDOW))
    rows = _yearly(now).to_frame("margin_rate").reindex(grid.index)
    rows["previous_margin_rate"] = _yearly(before).reindex(grid.index)
    rows["mix_rate"] = np.nan
    year = grid.to_numpy(dtype="float64")
    past = last_year.reindex(grid.index).to_numpy(dtype="float64")
    rho = slopes.autocorrelation([past, year])
    slope, low, high = slopes.sen_slopes(year, rho)
    rows.insert(0, "n_months", grid.notna().sum(axis=1))
    known = (rows["n_months"] >= min_months).to_numpy()
    for column, values in (("slope_rate", slope), ("low_rate", low), ("high_rate", high)):
        rows[column] = np.where(known, WINDOW * values, np.nan)
    rows["network_rate"] = rows["slope_rate"].median()
    steps = pd.DataFrame(year - past, grid.index).iloc[:, -HALF:]
    rows["step_rate"] = steps.mean(axis=1, skipna=False).where(known)
    network = rows[["network_rate", "step_rate"]].median()
    slope_p = slopes.slope_p(year, rho, (0.0, network["network_rate"] / WINDOW))
    step_p = slopes.step_p(past, year, rho, (0.0, network["step_rate"]))
    wears_surely, breaks_surely = _surely(np.where(known, slope_p, np.nan), step_p, known)
    wears = {sign: _wears(rows, sign, least) & wears_surely for sign in (-1, 1)}
    breaks = {sign: _breaks(rows, steps, sign, step) & breaks_surely for sign in (-1, 1)}
    by_slope = wears[-1] | wears[1] | ~(breaks[-1] | breaks[1])
    rows["change_rate"] = rows["slope_rate"].where(by_slope, rows["step_rate"])
    slips, recovers = wears[-1] | breaks[-1], wears[1] | breaks[1]
    rows["movement"] = np.select(
        [~known, slips, recovers], ["–", "slips", "recovers"], default="steady"
    )
    return rows


def _surely(slope_p: np.ndarray, step_p: np.ndarray, known: np.ndarray) -> list[np.ndarray]:
    """Tell whose slope and whose step chance does not explain, of all dealers together."""
    p = np.where(known, [slope_p, step_p], np.nan)
    dealer = np.tile(np.arange(p.shape[1]), (TESTS, 1))
    n_tests = np.broadcast_to((~np.isnan(p)).sum(axis=0), p.shape)
    level = serial.level(p.ravel(), dealer.ravel(), n_tests.ravel())
    with np.errstate(invalid="ignore", divide="ignore"):
        return list(p <= level / n_tests * (1 + 1e-9))


def _wears(rows: pd.DataFrame, sign: int, least: float) -> pd.Series:
    """Tell whose margin wears away (-1) or grows (1), month by month."""
    near, network = rows["high_rate" if sign < 0 else "low_rate"], rows["network_rate"]
    year = rows["margin_rate"] - rows["previous_margin_rate"]
    beyond = (sign * (rows["slope_rate"] - network)).round(9) >= least
    return beyond & (sign * (near - network) > 0) & (sign * near > 0) & ~(sign * year <= 0)


def _breaks(rows: pd.DataFrame, steps: pd.DataFrame, sign: int, least: float) -> pd.Series:
    """Tell whose margin breaks off (-1) or jumps (1).

    Each of six months against the same a year before.
    """
    step, back = rows["step_rate"], rows["low_rate" if sign < 0 else "high_rate"]
    each = (sign * (steps - step.median()) > 0).all(axis=1)
    beyond = (sign * (step - step.median())).round(9) >= least
    return each & beyond & ~(sign * back < 0) & (sign * step > 0)


def _grid(rows: pd.DataFrame, period: str) -> pd.DataFrame:
    """Lay the rates out as dealer x month of the year to a period."""
    grid = rows.pivot_table(index="dealer_id", columns="month", values="rate", aggfunc="first")
    return grid.reindex(columns=periods.month_range(period, WINDOW)).astype("float64")


def _window(margins: pd.DataFrame, period: str) -> pd.DataFrame:
    inside = margins["month"].isin(periods.month_range(period, WINDOW)) & (margins["revenue"] > 0)
    return margins[inside].assign(rate=lambda rows: rows["earned"] / rows["revenue"])


def _yearly(rows: pd.DataFrame) -> pd.Series:
    sums = rows.groupby("dealer_id")[["earned", "revenue"]].sum()
    return sums["earned"] / sums["revenue"]


def mover_table(trends: pd.DataFrame, dealers: pd.DataFrame) -> pd.DataFrame:
    """List whose margin slips, the steepest fall first, then whose recovers, with the year's change
    in points.
    """
    known = dealers.reindex(columns=["dealer_id", "dealer_name", "region", "account_manager"])
    rows = trends[trends["movement"].isin(["slips", "recovers"])].merge(
        known, on="dealer_id", how="left"
    )
    rows = rows.assign(
        order=rows["movement"].map(MOVEMENTS.index),
        change_points=100 * rows["change_rate"],
        mix_points=100 * rows["mix_rate"],
    )
    rows = rows.sort_values(["order", "change_rate", "dealer_id"], ignore_index=True)
    return rows[
        [
            "dealer_id",
            "dealer_name",
            "region",
            "account_manager",
            "movement",
            "previous_margin_rate",
            "margin_rate",
            "change_points",
            "mix_points",
        ]
    ]


def why_no_movers(trends: pd.DataFrame) -> str:
    """Say why nobody is listed who slips or recovers: nobody does, or nobody can be judged."""
    known = (trends["movement"] != "–").any()
    return words.say("margins.no_movers" if known else "margins.no_trend")


def points(rate: float, digits: int = 1) -> str:
    """Write a difference of two rates in points, without the word.

    >>> points(-0.0612)
    '−6.1'
    """
    return words.decimal(100 * rate, digits)


# ---- sentences -----------------------------------------------------------------------------------


def bottom_line(trends: pd.DataFrame, spread: pd.DataFrame, dealers: pd.DataFrame) -> list[str]:
    """Say what dealers earn, how it moves, how far they are apart, and whose margin slips."""
    if trends.empty:
        return [words.say("margins.nothing")]
    last, median = spread.iloc[-1], float(trends["margin_rate"].median())
    said = [
        words.say(
            "margins.median",
            rate=words.percent(median, 1),
            low=words.percent(last["low10_rate"], 1),
            high=words.percent(last["high90_rate"], 1),
            month=last["month"],
        )
    ]
    change = year_change(trends)
    if change == change:
        said.append(
            words.say(
                f"margins.{_direction(change)}",
                points=points(abs(change)),
                share=words.percent(_falling_share(trends)),
            )
        )
    return said + slip_sentences(trends, dealers)


def slip_sentences(trends: pd.DataFrame, dealers: pd.DataFrame) -> list[str]:
    """Say whose margin slips and whose recovers; without anybody, that nobody's does."""
    movers, said = mover_table(trends, dealers), []
    for movement in ("slips", "recovers"):
        rows = movers[movers["movement"] == movement]
        if len(rows):
            said.append(
                words.say(
                    f"margins.{movement}",
                    n=len(rows),
                    names=words.listed(rows["dealer_name"].fillna(rows["dealer_id"])),
                    least=points(rows["change_points"].abs().min() / 100),
                    most=points(rows["change_points"].abs().max() / 100),
                    network=_network(trends),
                )
            )
        elif movement == "slips" and (trends["movement"] != "–").any():
            change = float(trends["network_rate"].iloc[0])
            key = f"margins.nobody_{_direction(change)}"
            said.append(words.say(key, network=points(abs(change))))
    return said + _mix_sentences(trends, dealers)


def _mix_sentences(trends: pd.DataFrame, dealers: pd.DataFrame) -> list[str]:
    """Say at whom the margin moved because other brands sold."""
    names = dealers.drop_duplicates("dealer_id").set_index("dealer_id")["dealer_name"]
    here = trends.loc[trends["movement"] == "mix", "dealer_id"]
    if here.empty:
        return []
    named = here.map(names).fillna(here)
    return [words.say("margins.by_mix", n=len(here), names=words.listed(named))]


def _network(trends: pd.DataFrame) -> str:
    """Write what everybody's margin does, in points a year with its sign."""
    return words.signed(100 * float(trends["network_rate"].iloc[0]), 1)


def year_change(trends: pd.DataFrame) -> float:
    """Give the median dealer's change of margin, this year against the one before, among dealers
    known in both.
    """
    return float((trends["margin_rate"] - trends["previous_margin_rate"]).median())


def _direction(change: float) -> str:
    return "level" if abs(change) < 0.0005 else "fell" if change < 0 else "rose"


def _falling_share(trends: pd.DataFrame) -> float:
    both = trends.dropna(subset=["margin_rate", "previous_margin_rate"])
    return float((both["margin_rate"] < both["previous_margin_rate"]).mean())


def headlines(trends: pd.DataFrame, spread: pd.DataFrame, dealers: pd.DataFrame) -> list[dict]:
    """Make the front page's figure on dealers' margin, and who slips.

    Keys as `report.headline` takes them.
    """
    if trends.empty:
        return []
    change, slips = year_change(trends), mover_table(trends, dealers).query("movement == 'slips'")
    tile = {
        "place": "tile",
        "label": words.label("median_dealer_margin"),
        "link": PAGE,
        "text": words.percent(float(trends["margin_rate"].median()), 1),
        "trend": [float(rate) for rate in spread["median_rate"]],
    }
    if change == change:
        sign = "+" if change > 0 else ""
        tile |= {
            "change": words.say("margins.change", points=sign + points(change)),
            "tone": "good" if change >= 0 else "bad",
        }
    said = slip_sentences(trends, dealers)[:1] if len(slips) else []
    return [tile, *({"place": "change", "text": text, "link": PAGE} for text in said)]


# ---- plots ---------------------------------------------------------------------------------------


def plot_margins(spread: pd.DataFrame, *, note: str = "", ax: Axes | None = None) -> Axes:
    """Draw the dealers' margin month by month.

    The median, half of the dealers, eight in ten, and the network's sum.
    """
    if spread.empty:
        return look.nothing(words.say("margins.nothing"), ax)
    ax, x = ax or look.axes(height=3.8), np.arange(len(spread))
    bands = (
        ("low10_rate", "high90_rate", 0.14, "eight_in_ten"),
        ("low25_rate", "high75_rate", 0.25, "half_of_dealers"),
    )
    ends = []
    for low, high, alpha, term in bands:
        ax.fill_between(
            x,
            spread[low],
            spread[high],
            color=look.COLORS["accent"],
            alpha=alpha,
            linewidth=0,
        )
        ends.append((float(spread[high].iloc[-1]), words.label(term), look.COLORS["B"]))
    ax.plot(x, spread["median_rate"], color=look.COLORS["accent"], label=words.label("median_rate"))
    lines = {"median_rate": "accent"}
    # of one dealer both are one line
    if (spread["weighted_rate"] - spread["median_rate"]).abs().max() > SEEN:
        lines["weighted_rate"] = "rival"
        ax.plot(
            x,
            spread["weighted_rate"],
            color=look.COLORS["rival"],
            linestyle=(0, (4, 2)),
            label=words.label("weighted_rate"),
        )
    for column, color in lines.items():
        ends.append((float(spread[column].iloc[-1]), words.label(column), look.COLORS[color]))
    look.beside(ax, ends)
    step = max(len(x) // 8, 1)
    ax.set_xticks(x[::-1][::step][::-1], spread["month"].iloc[::-1].iloc[::step].iloc[::-1])
    ax.set_ylabel(words.label("dealer_margin_rate"))
    look.share_axis(ax.yaxis)
    first, last = spread.iloc[0], spread.iloc[-1]
    title = words.say(
        "margins.months",
        first=words.percent(first["median_rate"], 1),
        start=first["month"],
        last=words.percent(last["median_rate"], 1),
        end=last["month"],
    )
    return look.explain(ax, title, words.say("margins.months_how"), note)


def plot_slips(
    trends: pd.DataFrame, dealers: pd.DataFrame, *, note: str = "", ax: Axes | None = None
) -> Axes:
    """Draw how every dealer's margin moves in a year as a strip, and name those whose slips or
    recovers.
    """
    known = trends[trends["movement"] != "–"]
    if known.empty:
        return look.nothing(words.say("margins.no_trend"), ax)
    movers = mover_table(known, dealers)
    moved = pd.concat(
        [
            movers[movers["movement"] == m].head(NAMED // 2 if m == "recovers" else NAMED)
            for m in ("slips", "recovers")
        ],
        ignore_index=True,
    )
    n = int((known["movement"] == "slips").sum())
    key = "margins.slipping" if n else "margins.slipping_none"
    title = words.say(key, n=n, of=len(known), network=_network(trends))
    if len(known) == 1:  # one mark
        return look.instead(title, ax)
    ax = ax or look.axes(height=1.9 + 0.27 * len(moved), dense=len(known) > look.MANY)
    ax.axvline(0, color=look.COLORS["reference"], linewidth=0.9)
    ax.plot(
        100 * known["change_rate"],
        np.zeros(len(known)),
        "|",
        color=look.COLORS["muted"],
        markersize=14,
    )
    rows, y = known.set_index("dealer_id").loc[moved["dealer_id"]], np.arange(1, len(moved) + 1)
    color = [look.COLORS["bad" if m == "slips" else "good"] for m in moved["movement"]]
    # a break has no slope to give an interval of
    slopes = rows[["low_rate", "high_rate"]].where(rows["change_rate"] == rows["slope_rate"])
    ax.hlines(y, 100 * slopes["low_rate"], 100 * slopes["high_rate"], color=color, linewidth=2)
    ax.scatter(100 * rows["change_rate"], y, color=color, s=34, zorder=3)
    names = moved["dealer_name"].fillna(moved["dealer_id"])
    ax.set_yticks([0, *y], [words.label("all_dealers"), *names])
    ax.set(ylim=(len(moved) + 0.6, -0.6), xlabel=words.label("change_points"))
    ax.grid(axis="y", visible=False)
    return look.explain(ax, title, words.say("margins.slipping_how"), note)
