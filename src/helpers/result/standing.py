"""Standing: the month and the running year against the same months a year before, and against the
targets.
"""

import numpy as np
import pandas as pd

from helpers import periods

SPANS = ("month", "year_to_date")
MEASURES = ("revenue", "gross_profit", "payments")
LEVELS = ("network", "region", "account_manager", "dealer")
PLACES = ("region", "account_manager")  # that a table sums dealers up by
# of revenue with a cost, from which gross profit is the whole's: less is margin only
WHOLE = 0.999
STATED = "not_stated"


def months_of(period: str, span: str) -> list[str]:
    """List the months of a span: the period, or the year up to it.

    >>> months_of("2026-02", "year_to_date")
    ['2026-01', '2026-02']
    """
    return periods.month_range(period, 1 if span == "month" else int(period[5:]))


def standing(months: pd.DataFrame, targets: pd.DataFrame, period: str) -> pd.DataFrame:
    """Set the network's spans beside the same months a year before and its own targets.

    Parameters
    ----------
    months
        `month`, `revenue`, `gross_profit`, `covered_revenue`, `payments`, as `data.network_months`.
    targets
        As `data.targets`; of these the network's.

    Returns
    -------
    DataFrame
        One row per `span` and `indicator` of `MEASURES`: `actual`, `previous_actual`, `yoy_rate`
        (change ÷ a year before, where that is above zero), `target`, `reached_rate`. Empty where a
        month of it is not known; gross profit where part of the revenue has no cost.
    """
    own = targets[targets["cut"] == "network"].set_index("month")
    rows = []
    for span in SPANS:
        now, base = months_of(period, span), months_of(periods.shift(period, -12), span)
        sums = [_sums(months, listed) for listed in (now, base)]
        for measure in MEASURES:
            target = own[measure].reindex(now).sum(min_count=len(now), skipna=False)
            rows.append((span, measure, sums[0][measure], sums[1][measure], target))
    columns = ["span", "indicator", "actual", "previous_actual", "target"]
    found = pd.DataFrame(rows, columns=columns)
    found["yoy_rate"] = rate_of(found["actual"], found["previous_actual"]) - 1
    found["reached_rate"] = rate_of(found["actual"], found["target"])
    return found[[*columns[:4], "yoy_rate", "target", "reached_rate"]]


def margins(months: pd.DataFrame, period: str) -> pd.DataFrame:
    """Tell each span's margin of the lines that have a cost, and their share of revenue.

    `span`, `gross_margin_rate`, `cover_share`, and the same a year before with `previous_`.
    """
    rows = []
    for span in SPANS:
        row: dict[str, object] = {"span": span}
        for prefix, end in (("", period), ("previous_", periods.shift(period, -12))):
            inside = months[months["month"].isin(listed := months_of(end, span))]
            sums = inside[["revenue", "gross_profit", "covered_revenue"]].sum(min_count=1)
            sums = sums if len(inside) == len(listed) else sums * np.nan
            margin = rate_of(sums[["gross_profit"]], sums["covered_revenue"]).iloc[0]
            row[f"{prefix}gross_margin_rate"] = margin
            row[f"{prefix}cover_share"] = rate_of(sums[["covered_revenue"]], sums["revenue"]).iloc[
                0
            ]
        rows.append(row)
    return pd.DataFrame(rows)


def rate_of(part: pd.Series, whole: pd.Series | float) -> pd.Series:
    """Divide by what is above zero; by anything else no rate is.

    >>> rate_of(pd.Series([1.0, 2.0]), pd.Series([4.0, 0.0])).tolist()
    [0.25, nan]
    """
    below = pd.Series(whole, part.index, dtype="float64")
    return part.astype("float64") / below.where(below > 0)


def _sums(months: pd.DataFrame, listed: list[str]) -> pd.Series:
    """Sum up months, each of which must be known; gross profit only where all has a cost."""
    inside = months.set_index("month").reindex(listed)
    sums = inside.astype("float64").sum(skipna=False)
    if not is_whole(sums["covered_revenue"], sums["revenue"]):
        sums["gross_profit"] = np.nan
    return sums


def bridges_meet(bridge: pd.DataFrame, standing: pd.DataFrame) -> bool:
    """Whether every bridge of the network's revenue ends, and begins, with what the months say."""
    own = standing[standing["indicator"] == "revenue"].set_index("span")
    rows = bridge[(bridge["cut"] == "network") & (bridge["indicator"] == "revenue")]
    for column, step in (("actual", "bridge_now"), ("previous_actual", "bridge_base")):
        told = rows[rows["step"] == step].set_index("span")["effect"]
        if (told - own[column].reindex(told.index)).abs().gt(0.005).any():
            return False
    return True


def is_whole(covered: float, revenue: float) -> bool:
    """Whether nearly all of a revenue has a cost."""
    return bool(abs(revenue - covered) <= (1 - WHOLE) * abs(revenue))


# ---- by region, account manager and dealer -------------------------------------------------------


def placed(spans: pd.DataFrame, dealers: pd.DataFrame) -> pd.DataFrame:
    """Add to each dealer's span where he is: `region`, `account_manager`, "not_stated" for none."""
    known = dealers.drop_duplicates("dealer_id").reindex(columns=["dealer_id", *PLACES])
    rows = spans.merge(known, on="dealer_id", how="left")
    return rows.assign(**{place: rows[place].astype("str").fillna(STATED) for place in PLACES})


def group_table(
    spans: pd.DataFrame, dealers: pd.DataFrame, targets: pd.DataFrame, period: str
) -> pd.DataFrame:
    """Sum up dealers by region and by account manager, the largest first.

    Parameters
    ----------
    spans
        As `data.dealer_spans`.
    dealers
        `dealer_id`, `region`, `account_manager`.

    Returns
    -------
    DataFrame
        One row per `span`, `cut` and `part`: `n_dealers` with revenue now, `revenue`,
        `previous_revenue`, `yoy_rate`, `target` of revenue, `reached_rate`, `gross_margin_rate`,
        `previous_gross_margin_rate`, `payments`, `previous_payments`. Places that no dealer has
        are left out, and a level at which no dealer is placed.
    """
    rows, found = placed(spans, dealers), []
    reached = reached_table(spans, dealers, targets, period)
    reached = reached[reached["indicator"] == "revenue"]
    for level in PLACES:
        if (rows[level] == STATED).all():
            continue
        keys = ["span", level]
        now, base = _two_years(rows, keys)
        buying = rows[(rows["side"] == "now") & (rows["revenue"] > 0)]
        table = pd.DataFrame(
            {
                "n_dealers": buying.groupby(keys)["dealer_id"].nunique().reindex(now.index),
                "revenue": now["revenue"],
                "previous_revenue": base["revenue"],
                "yoy_rate": rate_of(now["revenue"], base["revenue"]) - 1,
                "gross_margin_rate": now["margin"],
                "previous_gross_margin_rate": base["margin"],
                "payments": now["payments"],
                "previous_payments": base["payments"],
            }
        )
        table["n_dealers"] = table["n_dealers"].fillna(0).astype("int64")
        table = table.rename_axis(["span", "part"]).reset_index().assign(cut=level)
        own = reached[reached["cut"] == level][["span", "part", "target", "reached_rate"]]
        found.append(table.merge(own, on=["span", "part"], how="left"))
    columns = [
        *("span", "cut", "part", "n_dealers", "revenue", "previous_revenue", "yoy_rate"),
        *("target", "reached_rate", "gross_margin_rate", "previous_gross_margin_rate"),
        *("payments", "previous_payments"),
    ]
    if not found:
        return pd.DataFrame(columns=columns)
    table = pd.concat(found, ignore_index=True)[columns]
    at = table["span"].map(SPANS.index), table["cut"].map(LEVELS.index)
    table = table.assign(span_at=at[0], cut_at=at[1]).sort_values(
        ["span_at", "cut_at", "revenue", "part"], ascending=[True, True, False, True]
    )
    return table[columns].reset_index(drop=True)


def _two_years(rows: pd.DataFrame, keys: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sum up each place's spans now and a year before, the same places in both.

    Who bought nothing in a span that is known bought for nothing.
    """
    sides = []
    for side in ("now", "base"):
        part = rows[rows["side"] == side].groupby(keys)
        sums = part[["revenue", "gross_profit", "covered_revenue", "payments"]].sum(min_count=1)
        sides.append(sums.assign(margin=rate_of(sums["gross_profit"], sums["covered_revenue"])))
    places = sides[0].index.union(sides[1].index)
    now, base = (sums.reindex(places) for sums in sides)
    known = places.get_level_values("span").isin(rows.loc[rows["side"] == "base", "span"])
    now["revenue"] = now["revenue"].fillna(0.0)
    base["revenue"] = base["revenue"].fillna(0.0).where(known)
    return now, base


def reached_table(
    spans: pd.DataFrame, dealers: pd.DataFrame, targets: pd.DataFrame, period: str
) -> pd.DataFrame:
    """Set each target below the network's beside what its own dealers came to.

    Returns
    -------
    DataFrame
        One row per `span`, `cut`, `part` (a dealer's id) and `indicator` that has a target
        in every month of the span: `actual`, `target`, `reached_rate`.
    """
    now = placed(spans[spans["side"] == "now"], dealers).rename(columns={"dealer_id": "dealer"})
    found = []
    for span in SPANS:
        asked = months_of(period, span)
        inside = targets[targets["month"].isin(asked) & (targets["cut"] != "network")]
        for level, rows in inside.groupby("cut"):
            sums = now[now["span"] == span].groupby(level)[list(MEASURES)].sum(min_count=1)
            for measure in MEASURES:
                aims = rows.groupby("part")[measure]
                aims = aims.sum(min_count=1).where(aims.count() == len(asked)).dropna()
                came = sums[measure].reindex(aims.index)
                came = came.fillna(0.0) if sums[measure].notna().any() else came
                part = pd.DataFrame({"actual": came, "target": aims}).rename_axis("part")
                part["reached_rate"] = rate_of(part["actual"], part["target"])
                part = part.reset_index().assign(span=span, cut=level, indicator=measure)
                found.append(part)
    columns = ["span", "cut", "part", "indicator", "actual", "target", "reached_rate"]
    known = [part for part in found if len(part)]
    return pd.concat(known, ignore_index=True)[columns] if known else pd.DataFrame(columns=columns)


def level_sums(reached: pd.DataFrame) -> pd.DataFrame:
    """Sum up each level's targets, and what those came to who have one.

    A level is compared with itself only: `span`, `cut`, `indicator`, `n_groups`, `actual`,
    `target`, `reached_rate`.
    """
    keys = ["span", "cut", "indicator"]
    rows = reached.groupby(keys, as_index=False).agg(
        n_groups=("part", "size"), actual=("actual", "sum"), target=("target", "sum")
    )
    return rows.assign(reached_rate=rate_of(rows["actual"], rows["target"]))
