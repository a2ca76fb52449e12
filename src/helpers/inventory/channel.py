"""Channel: who has been sold more than he sells, and who is about to run dry (压货, 动销).

A dealer's stock is measured on the days when goods come, so that a rare order is not taken for
stuffing the day after it, nor for a shortage the day before.
"""

import numpy as np
import pandas as pd

from helpers import periods
from helpers.inventory import shortage
from helpers.inventory.pace import Told, Year, wide
from helpers.settings import options

STUFFED_FROM = "1.22/1.37/1.6"
DRY_DAYS = 10  # what lies there at the end lasts for no more days of the coming weeks' sales
RECENT_DAYS = 62  # two months: how soon stuffing is to be seen
NOW_DAYS = 15  # orders of these last days tell how much lies there now; else the last one
USUAL_UNTIL = 105  # days before the end: what came later tells nothing of the usual
SETTLING_DAYS = 15  # from the first day of the records
CAP = 1.7  # no ratio alone makes a dealer stuffed
MIN_USUAL = 3  # orders that tell the usual
MIN_TIDE = 20  # dealers whose median tells what lifts all of them
MIN_MONTHS = 8  # of records
MIN_EXCESS = 0.3  # months of sales: less is nobody's trouble
DRY_SHARE = 0.5  # of the usual cover at a month's end
MIN_WEAKER = 1.25  # sell-in ÷ sell-through of the weaker of two months
MIN_MISSED = 0.1  # months of sales: as much must be missed before the next usual delivery
MISSED_PART = 0.5  # of what he would sell till then
MIN_RATIO = 1.1  # sell-in ÷ sell-through of three months: else nothing is pushed
OVER_RATIO = 1.2  # sell-in ÷ sell-through of a month in which more came than went
Z80 = 1.2816  # of a normal law: one in ten lies beyond
RECENT_MONTHS = 3
KEPT_MONTHS = 3  # who was stuffed so long ago or less is so till his cover is the usual again
KEPT_COVER = 1.1  # of the usual cover at a month's end: beyond it the excess still lies there
KEPT_PRESSURE = 1.15  # times the limit: who was just above it may have been so by chance
STATUSES = ("stuffed", "runs_dry", "in_step", "–")
COLUMNS = [
    "dealer_id",
    "status",
    "sell_through_source",
    "sell_in",
    "sell_through",
    "sell_in_ratio",
    "usual_ratio",
    "lasts_days",
    "usual_lasts_days",
    "pressure",
    "n_recent_orders",
    "n_months_over",
    "excess_months",
    "excess_quantity",
    "excess_value",
    "excess_low",
    "until_days",
    "missed_value",
    "n_short_models",
    "stuffed_month",
]
_MONEY = ["sell_in", "sell_through", "excess_value", "excess_low", "missed_value"]


def thresholds(text: str) -> tuple[float, float, float]:
    """Read the rule `stuffed_from`: from which pressure on who ordered how often is stuffed.

    Of four orders or more in two months, of two or three, of one.

    >>> thresholds("1.22/1.37/1.6")
    (1.22, 1.37, 1.6)
    """
    often, some, once = options.numbers(text)
    return often, some, once


def pressure(
    found: Told, *, stuffed_from: str = STUFFED_FROM, dry_days: int = DRY_DAYS
) -> pd.DataFrame:
    """Judge who is stuffed and who runs dry, of all dealers whose moves `found` tells.

    The pressure on a dealer is the geometric mean of three ratios, none of which counts for more
    than `CAP`: sell-in ÷ sell-through over whole order cycles, of the weaker of the last two
    months; how many days his stock lasts after an order, against his usual; and his purchases of
    three months against the same a year before, less his growth (left out where 27 months are not
    known). One of them alone is a large order, a season, a pre-buy; all three are stuffing. What
    lifts the whole network (`tide`) is taken off. Besides, more must have come than went in both
    months, and what is there beyond the usual must be more than his own ups and downs. Who ordered
    seldom needs more: `stuffed_from`, as `thresholds` reads it. How long stock lasts goes by last
    year's same weeks, category by category, at the dealer's own pace.

    Who was clearly stuffed (`KEPT_PRESSURE`) at one of the last `KEPT_MONTHS` month ends stays so,
    though his orders have fallen back in step, while his stock has lasted longer than usual
    (`KEPT_COVER`) at every month's end since.

    He runs dry where, before his next usual delivery, he would miss `MIN_MISSED` months of sales or
    more (`shortage.shortages`), and beyond what is usual with him: half of all that he would sell
    till then, and twice as much as at any month's end of the year before; or since his stock lasts
    for `dry_days` or less, less than half of the usual, and less than at any month's end.

    Returns
    -------
    DataFrame
        Columns as `COLUMNS`, by `dealer_id`. `sell_in`, `sell_through`: money of the last three
        months at the dealer's cost; `sell_in_ratio` and, of the months before, `usual_ratio`;
        `lasts_days` at the end and `usual_lasts_days` (median of month ends); `n_recent_orders` in
        the last two months; `n_months_over` in a row in which a fifth more came than went;
        `excess_value` and pieces beyond what he usually has after an order, its lower end of 80 %
        and `excess_months` of sales, 0 where there is none; for who runs dry
        `missed_value`, what he would sell of `n_short_models` models in the `until_days` to his
        next usual delivery, beyond what he has; of who stays stuffed `stuffed_month`, the last at
        whose end his orders said so ("" of all others), and as excess what lies there beyond the
        usual cover of a month's end. `status` is one of `STATUSES`, "–" where less
        is known than the rule needs.
    """
    rows = _judged(found, stuffed_from, dry_days)
    if rows["usual_lasts_days"].notna().any():
        rows = _kept(found, rows, stuffed_from, dry_days)
    for name in ("missed_value", "n_short_models"):
        rows[name] = rows[name].where(rows["status"] == "runs_dry", 0.0)
    rows["excess_quantity"] = (rows["excess_value"] / rows["per_piece"]).round()
    rows[_MONEY] = rows[_MONEY].astype(float).round(2)
    return rows[COLUMNS]


def _judged(found: Told, stuffed_from: str, dry_days: int) -> pd.DataFrame:
    """Judge by the last two months' orders alone."""
    sources = found.sources
    rows = sources[["dealer_id", "source"]].rename(columns={"source": "sell_through_source"})
    rows = rows.sort_values("dealer_id", ignore_index=True)
    if rows.empty or pd.isna(found.end):
        return _empty()
    if found.months.empty:  # nothing tells what anybody sold
        return _empty().merge(rows.assign(status=STATUSES[3]), how="right")
    year = Year(found)
    rows = rows.merge(_flows(found.months, year), on="dealer_id", how="left")
    rows = rows.merge(
        _after_orders(_orders(found.arrivals, year), year), on="dealer_id", how="left"
    )
    rows = rows.merge(_month_ends(year), on="dealer_id", how="left")
    rows = rows.merge(shortage.shortages(found, year), on="dealer_id", how="left")
    rows["yearly"] = rows["dealer_id"].map(_yearly_ratio(found.bought, found.end))
    parts = np.log(rows[["weaker", "more_cover", "yearly"]].astype(float).clip(0.05, CAP))
    enough = parts["weaker"].notna() & parts["more_cover"].notna()
    pressed = np.exp(parts.mean(axis=1)).where(enough)
    rows["pressure"] = pressed / tide(pressed)
    rows["status"] = _statuses(rows, year, stuffed_from, dry_days)
    return rows.assign(stuffed_month="")


def _kept(found: Told, rows: pd.DataFrame, stuffed_from: str, dry_days: int) -> pd.DataFrame:
    """Keep who was stuffed while what was too much still lies there."""
    rows, ids = rows.copy(), rows["dealer_id"]
    lies = _is_more_than_usual(rows) & (rows["status"] == "in_step") & (rows["lying_value"] > 0)
    for back in range(1, KEPT_MONTHS + 1):
        then = _until(found, back)
        if not lies.any() or len(set(then.months["month"])) < MIN_MONTHS:
            break
        past = _judged(then, stuffed_from, dry_days).set_index("dealer_id").reindex(ids)
        past = past.reset_index()
        clearly = past["pressure"] >= KEPT_PRESSURE * _limits(past, stuffed_from)
        kept = lies & clearly & (past["status"] == "stuffed") & (rows["status"] != "stuffed")
        rows.loc[kept, ["status", "stuffed_month"]] = ["stuffed", f"{then.end:%Y-%m}"]
        sure = (past["excess_low"] / past["excess_value"]).where(past["excess_value"] > 0)
        rows.loc[kept, "excess_value"] = rows["lying_value"]
        rows.loc[kept, "excess_low"] = rows["lying_value"] * sure
        lies &= _is_more_than_usual(past)
    return rows


def _is_more_than_usual(rows: pd.DataFrame) -> pd.Series:
    return rows["lasts_days"] > KEPT_COVER * rows["usual_lasts_days"]


def _until(found: Told, back: int) -> Told:
    """Tell what was known so many months before."""
    end = (found.end.to_period("M") - back).end_time.normalize()
    month = f"{end:%Y-%m}"
    return found._replace(
        arrivals=found.arrivals[found.arrivals["date"] <= end],
        months=found.months[found.months["month"] <= month],
        bought=found.bought[found.bought["month"] <= month],
        shelves=found.shelves[found.shelves["month"] <= month],
        end=end,
    )


def tide(pressures: pd.Series) -> float:
    """Tell what lifts all dealers alike, such as buying ahead of a promotion: the median pressure.

    1 where it is lower, or fewer than `MIN_TIDE` dealers are judged.

    >>> tide(pd.Series([1.0] * 10 + [1.2] * 20)), tide(pd.Series([1.2] * 5))
    (1.2, 1.0)
    """
    known = pressures.dropna()
    return max(1.0, float(known.median())) if len(known) >= MIN_TIDE else 1.0


def _empty() -> pd.DataFrame:
    text = ("dealer_id", "status", "sell_through_source", "stuffed_month")
    columns = [*COLUMNS, "per_piece"]
    return pd.DataFrame(columns=columns).astype(
        {c: "str" if c in text else "float64" for c in columns}
    )


def _limits(rows: pd.DataFrame, stuffed_from: str) -> np.ndarray:
    """Give from which pressure each is stuffed, who ordered as often as he did."""
    often, some, once = thresholds(stuffed_from)
    n = rows["n_recent_orders"]
    return np.select([n >= 4, n >= 2], [often, some], once)


def _statuses(rows: pd.DataFrame, year: Year, stuffed_from: str, dry_days: int) -> pd.Series:
    stuffed = (
        (rows["pressure"] >= _limits(rows, stuffed_from))
        & (rows["weaker"] >= MIN_WEAKER)
        & (rows["sell_in_ratio"] >= MIN_RATIO)
        & (rows["excess_months"] >= MIN_EXCESS)
        & (rows["excess_low"] > 0)
    )
    dry = (
        (rows["lasts_days"] <= dry_days)
        & (rows["lasts_days"] < DRY_SHARE * rows["usual_lasts_days"])
        & (rows["lasts_days"] < rows["least_lasts_days"])
    )
    some = (rows["missed_value"] >= MISSED_PART * rows["needed_value"]) & (
        rows["missed_value"] > rows["most_missed_value"] / DRY_SHARE
    )
    material = rows["missed_value"] >= MIN_MISSED * rows["sell_through"] / RECENT_MONTHS
    known = (
        (rows["sell_through_source"] != "")
        & (rows["sell_through"] > 0)
        & rows["usual_lasts_days"].notna()
        & (len(year.months) >= MIN_MONTHS)
    )
    # whoever bought nothing for two months is not stuffed now; else his orders must tell
    judged = known & ((rows["n_recent_orders"] == 0) | rows["pressure"].notna())
    found = np.select(
        [judged & stuffed, known & (dry | some) & material, judged], STATUSES[:3], STATUSES[3]
    )
    return pd.Series(found, index=rows.index, dtype="str")


# ---- a dealer's orders ---------------------------------------------------------------------------


def _orders(arrivals: pd.DataFrame, year: Year) -> pd.DataFrame:
    """Measure what lies there after each order of the year: `day`, `lasts`, and the pace."""
    rows = arrivals.assign(day=(arrivals["date"] - year.start).dt.days + 1.0)
    rows = rows[(rows["day"] > 0) & (rows["day"] <= year.end_day)]
    rows = rows.sort_values(["dealer_id", "day"], ignore_index=True)
    at = year.dealers.get_indexer(rows["dealer_id"])
    lasts, month = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    for dealer, places in pd.Series(range(len(rows))).groupby(at):
        if dealer >= 0:
            place, day = places.to_numpy(), rows["day"].to_numpy()[places]
            lasts[place] = year.lasts(dealer, day, rows["stock"].to_numpy()[places].clip(min=0))
            month[place] = year.sells(dealer, day - 30.4, np.full(len(day), 30.4))
    rows = rows.assign(at=at, lasts=np.maximum(lasts, 1.0), month=month, left=year.end_day)
    rows["left"] -= rows["day"]
    return rows


def _after_orders(orders: pd.DataFrame, year: Year) -> pd.DataFrame:
    """Compare each dealer's last orders with his usual ones."""
    if orders.empty:
        columns = ["dealer_id", "weaker", "more_cover", "n_recent_orders", "excess_months"]
        columns += ["excess_value", "excess_low"]
        return pd.DataFrame(columns=columns).astype(dict.fromkeys(columns[1:], float))
    by = "dealer_id"
    rows = orders.assign(log=np.log(orders["lasts"]))
    past = rows[(rows["left"] >= USUAL_UNTIL) & (rows["day"] > SETTLING_DAYS)].groupby(by)["log"]
    usual, n_usual, spread = past.median(), past.size(), past.std()
    usual = usual[n_usual >= MIN_USUAL]
    last = rows.groupby(by).tail(1)
    now = rows[(rows["left"] < NOW_DAYS) | rows.index.isin(last.index)].groupby(by)["log"].mean()
    found = last.set_index(by)[["at", "day", "stock", "month"]]
    found["n_recent_orders"] = rows[rows["left"] < RECENT_DAYS].groupby(by).size()
    found["n_recent_orders"] = found["n_recent_orders"].fillna(0)
    recent = found["n_recent_orders"] > 0
    found["more_cover"] = np.exp(now - usual.reindex(found.index)).where(recent)
    half = RECENT_DAYS / 2
    found["weaker"] = np.fmin(_cycles(rows, 0, half), _cycles(rows, half, RECENT_DAYS)).where(
        recent
    )
    sure = np.exp(Z80 * (spread * np.sqrt(1 + 1.57 / n_usual)).reindex(found.index).fillna(0))
    days = np.exp(usual).reindex(found.index)
    for name, usually in (("excess_value", days), ("excess_low", days * sure)):
        needs = [
            year.sells(at, np.array([day]), np.array([n]))[0]
            for at, day, n in zip(found["at"], found["day"], usually, strict=True)
        ]
        found[name] = (found["stock"] - needs).clip(lower=0).where(recent, 0.0)
    found["excess_months"] = found["excess_value"] / found["month"].where(found["month"] > 0)
    return found.drop(columns=["at", "day", "stock", "month"]).reset_index()


def _cycles(rows: pd.DataFrame, low: float, high: float) -> pd.Series:
    """Set what came in some days against what was sold since the order before; NaN if none came."""
    part = rows[(rows["left"] >= low) & (rows["left"] < high)]
    sums = part.groupby("dealer_id")[["came", "sold_since"]].sum(min_count=1)
    ratio = sums["came"] / sums["sold_since"].where(sums["sold_since"] > 0)
    return ratio.reindex(rows["dealer_id"].unique())


# ---- months --------------------------------------------------------------------------------------


def _flows(months: pd.DataFrame, year: Year) -> pd.DataFrame:
    """Sum up sell-in and sell-through, recent and before; count the months in which more came."""
    came, sold = (
        wide(months, c).reindex(columns=year.months, fill_value=0.0) for c in ("came", "sold")
    )
    recent, before = year.months[-RECENT_MONTHS:], year.months[:-RECENT_MONTHS]
    over = (came > OVER_RATIO * sold.clip(lower=0)) & (came > 0)
    run = over.iloc[:, ::-1].astype(int).cumprod(axis=1).sum(axis=1)
    rows = pd.DataFrame({"sell_in": came[recent].sum(axis=1)})
    rows["sell_through"] = sold[recent].sum(axis=1)
    rows["sell_in_ratio"] = _ratio(rows["sell_in"], rows["sell_through"])
    rows["usual_ratio"] = _ratio(came[before].sum(axis=1), sold[before].sum(axis=1))
    pieces = months.groupby("dealer_id")[["n_came", "n_sold", "n_other"]].sum()
    money = months.groupby("dealer_id")[["came", "sold", "other"]].sum()
    n_there = pieces["n_came"] - pieces["n_sold"] + pieces["n_other"]
    there = money["came"] - money["sold"] + money["other"]
    rows["per_piece"] = there / n_there.where((n_there > 0) & (there > 0))
    return rows.assign(n_months_over=run).reset_index()


def _ratio(above: pd.Series, below: pd.Series) -> pd.Series:
    return above / below.where(below > 0)


def _month_ends(year: Year) -> pd.DataFrame:
    """Tell how long the stock of each month's end lasts: now, usually, and at its least."""
    stock = year.opened[:, None] + year.net.cumsum(axis=1)
    days = year.bounds[1 : stock.shape[1] + 1]
    lasts = np.vstack([year.lasts(i, days, np.maximum(stock[i], 0)) for i in range(len(stock))])
    past = lasts[:, :-RECENT_MONTHS]
    blank = np.full(len(stock), np.nan)
    known = past.shape[1] >= MIN_USUAL
    usual = np.median(past, axis=1) if known else blank
    needs = [year.sells(i, days[-1:], usual[i : i + 1])[0] for i in range(len(stock))]
    return pd.DataFrame(
        {
            "dealer_id": year.dealers,
            "lasts_days": lasts[:, -1],
            "usual_lasts_days": usual,
            "least_lasts_days": lasts[:, :-1].min(axis=1) if known else blank,
            "lying_value": np.maximum(stock[:, -1] - needs, 0),
        }
    )


def _yearly_ratio(bought: pd.DataFrame, end: pd.Timestamp) -> pd.Series:
    """Set three months' purchases against the same a year before, less the growth of the year
    before them; NaN where 27 months are not known, or nothing was bought in one of them.
    """
    last = f"{end:%Y-%m}"
    span = periods.month_range(last, 27)
    if bought.empty or bought["month"].min() > span[0]:
        return pd.Series(dtype=float)
    sums = wide(bought, "bought").reindex(columns=span, fill_value=0.0)
    now, then = sums[span[24:]].sum(axis=1), sums[span[12:15]].sum(axis=1)
    growth = _ratio(sums[span[12:24]].sum(axis=1), sums[span[:12]].sum(axis=1))
    return _ratio(_ratio(now, then), growth.where(growth > 0))
