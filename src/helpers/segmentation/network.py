"""Network: who joined, stayed, was lost or won back, and what became of those who joined."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from helpers import look, periods, words
from helpers.segmentation.kinds import nothing

PERIOD_MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
MOVEMENTS = ("joined", "won_back", "lost")
QUARTERS_UP_TO = 48  # months of history; cohorts of a longer one are years
ANNOTATED_UP_TO = 12  # columns of a heat map whose cells carry their number


def network_history(months: pd.DataFrame, by: str = "quarter", *, end: str = "") -> pd.DataFrame:
    """Count per period who was active, and who joined, stayed, was lost or won back since the
    period before.

    Active means revenue above zero in the period; on the page these dealers *buy*, for there an
    active one has revenue in the window. Periods are whole blocks counted back from `end`
    (default: the last month there is), so the last one is complete. Months before the first whole
    period are only remembered: who bought in them has not "joined" later. The first period is the
    baseline and has no movement.

    Returns
    -------
    DataFrame
        period (its last month), from_month, n_active, n_joined, n_kept, n_lost, n_won_back,
        is_baseline; always n_active = n_joined + n_kept + n_won_back, and n_kept + n_lost = the
        n_active before.

    >>> months = pd.DataFrame({"dealer_id": list("aabb"), "revenue": [5, 5, 5, 5],
    ...                        "month": ["2026-01", "2026-03", "2026-01", "2026-02"]})
    >>> history = network_history(months, "month").fillna(0)
    >>> history[["n_active", "n_lost", "n_won_back"]].values.tolist()
    [[2, 0, 0], [1, 1, 0], [1, 1, 1]]
    """
    revenue, known = _period_revenue(months, by, end)
    moves = _moves(revenue, known)
    history = pd.DataFrame({"period": revenue.columns.astype(str)})
    history["from_month"] = [
        periods.shift(period, 1 - PERIOD_MONTHS[by]) for period in history["period"]
    ]
    history["n_active"] = (revenue > 0).sum().to_numpy()
    for move in ("joined", "kept", "lost", "won_back"):
        history[f"n_{move}"] = pd.array(moves[move].sum(axis=0), dtype="Int64")
        history.loc[:0, f"n_{move}"] = pd.NA
    return history.assign(is_baseline=history.index == 0)


def network_moves(months: pd.DataFrame, by: str = "quarter", *, end: str = "") -> pd.DataFrame:
    """List who joined, was won back or was lost in which period (as `network_history` counts), the
    largest first.

    Returns
    -------
    DataFrame
        period, movement, dealer_id, revenue (of that period), previous_revenue (of the one before);
        last period first.
    """
    revenue, known = _period_revenue(months, by, end)
    moves, ids, names = _moves(revenue, known), revenue.index.to_numpy(), revenue.columns.to_numpy()
    money, found = revenue.to_numpy(), []
    for move in MOVEMENTS:
        row, column = np.nonzero(moves[move])
        now, before = money[row, column], money[row, column - 1]
        found.append(
            pd.DataFrame(
                {
                    "period": names[column],
                    "movement": move,
                    "dealer_id": ids[row],
                    "revenue": now,
                    "previous_revenue": before,
                }
            )
        )
    listing = pd.concat(found, ignore_index=True)
    listing["size"] = listing[["revenue", "previous_revenue"]].max(axis=1)
    listing["order"] = listing["movement"].map(MOVEMENTS.index)
    listing = listing.sort_values(
        ["period", "order", "size", "dealer_id"], ascending=[False, True, False, True]
    )
    return listing.drop(columns=["size", "order"]).reset_index(drop=True)


def cohort_retention(months: pd.DataFrame, by: str = "", *, end: str = "") -> pd.DataFrame:
    """Follow the dealers that joined in the same period: how many still buy, and how much.

    Without `by`, cohorts are quarters, or years where the history is longer than four years. The
    base of `revenue_share` is the cohort's first *full* period, the one after joining, since
    dealers join in mid-period. The first cohort is left-censored: it holds everyone who was there
    already, and its base is the period itself.

    Returns
    -------
    DataFrame
        cohort (last month of the joining period), is_baseline, n_periods_since, period, n_dealers
        (of the cohort), n_active, active_share, revenue, revenue_share (missing where the base is
        not above zero or yet to come).
    """
    names = months["month"].dropna()
    if not by:
        span = _months_between(names.min(), end or names.max()) + 1 if len(names) else 0
        by = "quarter" if span <= QUARTERS_UP_TO else "year"
    revenue, known = _period_revenue(months, by, end)
    active = revenue > 0
    seen = active.any(axis=1) | known
    revenue, active = revenue[seen], active[seen]
    first = np.where(known[seen], 0, np.column_stack([active, np.ones(len(active))]).argmax(axis=1))
    sums, counts, sizes = (
        revenue.groupby(first).sum(),
        active.groupby(first).sum(),
        pd.Series(first).value_counts(),
    )
    rows = []
    for cohort in sums.index:
        base_at = cohort + (cohort > 0)
        base = sums.loc[cohort].iloc[base_at] if base_at < sums.shape[1] else np.nan
        for at in range(cohort, sums.shape[1]):
            money, n = sums.loc[cohort].iloc[at], counts.loc[cohort].iloc[at]
            rows.append(
                (
                    sums.columns[cohort],
                    cohort == 0,
                    at - cohort,
                    sums.columns[at],
                    sizes[cohort],
                    n,
                    n / sizes[cohort],
                    money,
                    money / base if base > 0 else np.nan,
                )
            )
    columns = [
        "cohort",
        "is_baseline",
        "n_periods_since",
        "period",
        "n_dealers",
        "n_active",
        "active_share",
        "revenue",
        "revenue_share",
    ]
    return pd.DataFrame(rows, columns=columns)


def cohort_grid(cohorts: pd.DataFrame, value: str = "revenue_share") -> pd.DataFrame:
    """Lay cohorts out as a grid: a row per cohort, a column per period since joining.

    Blank where not yet reached.
    """
    return cohorts.pivot(index="cohort", columns="n_periods_since", values=value)  # noqa: PD010 - a cell has one row


# ---- plots ---------------------------------------------------------------------------------------


def plot_network_history(
    history: pd.DataFrame, *, ax: Axes | None = None, note: str = "", source: str = ""
) -> Axes:
    """Draw who joined and was won back above the line and who was lost below.

    Beside it, how many were active.

    On a given `ax` only the movement is drawn.
    """
    if len(history) < 2:
        return nothing(ax)
    count_ax, ax = look.axes(2, width_ratios=[2, 3]) if ax is None else (None, ax)
    at = np.arange(len(history))
    ends = []
    joined, won, lost = (history[f"n_{m}"].fillna(0).to_numpy(float) for m in MOVEMENTS)
    for heights, bottom, color, name in (
        (joined, 0, "good", "n_joined"),
        (won, joined, "accent", "n_won_back"),
        (-lost, 0, "bad", "n_lost"),
    ):
        ax.bar(
            at[1:],
            heights[1:],
            0.72,
            bottom=bottom[1:] if name == "n_won_back" else 0,
            color=look.COLORS[color],
        )
        middle = (bottom if name == "n_won_back" else 0 * heights) + heights / 2
        ends.append((float(middle[-1]), words.label(name), look.COLORS[color]))
    look.beside(ax, ends)
    ax.axhline(0, color=look.COLORS["subtle"], linewidth=0.8)
    ax.yaxis.set_major_formatter(lambda value, _: f"{abs(value):,.0f}")
    ax.yaxis.get_major_locator().set_params(integer=True)
    _period_ticks(ax, history["period"], 7)
    if count_ax is not None:
        count_ax.plot(
            at, history["n_active"], color=look.COLORS["accent"], marker="o", markersize=3.5
        )
        count_ax.set_ylim(0, history["n_active"].max() * 1.15 + 1)
        count_ax.set_title(words.label("n_buying"), fontsize=9)
        _period_ticks(count_ax, history["period"], 4)
    last = history.iloc[-1]
    net = last["n_joined"] + last["n_won_back"] - last["n_lost"]
    trend = "up" if net > 0 else "down" if net < 0 else "even"
    return look.explain(
        ax, words.say(f"segmentation.title_history_{trend}", **counts(last)), note, source
    )


def plot_cohorts(
    cohorts: pd.DataFrame,
    value: str = "revenue_share",
    *,
    ax: Axes | None = None,
    note: str = "",
    source: str = "",
) -> Axes:
    """Draw cohorts as a heat map of `revenue_share` or `active_share`.

    Cells not yet reached stay blank.
    """
    grid = cohort_grid(cohorts, value)
    # what is 100 % by definition tells nothing of who stayed
    base_at = (~cohorts["is_baseline"]).astype(int) if value == "revenue_share" else 0
    if not (cohorts[value].notna() & (cohorts["n_periods_since"] > base_at)).any():
        return nothing(ax)
    few = grid.shape[1] <= ANNOTATED_UP_TO
    ax = look.axes(height=1.9 + 0.27 * len(grid), dense=not few) if ax is None else ax
    top = max(1.0, min(2.0, float(np.nanquantile(grid.to_numpy(), 0.95))))
    sns.heatmap(
        grid,
        ax=ax,
        cmap=look.SEQUENTIAL,
        vmin=0,
        vmax=top,
        cbar=not few,
        linewidths=1 if few else 0,
        annot=grid.map(words.percent) if few else None,
        fmt="",
        annot_kws={"fontsize": 8.5},
    )
    if few:
        look.inked(ax)
    else:
        look.share_axis(ax.collections[0].colorbar.ax.yaxis)
        ax.collections[0].colorbar.outline.set_visible(False)
    sizes = cohorts.drop_duplicates("cohort").set_index("cohort")
    ax.set_yticks(
        np.arange(len(grid)) + 0.5,
        [
            words.say(
                "segmentation.cohort_first"
                if sizes["is_baseline"][name]
                else "segmentation.cohort",
                period=name,
                n=sizes["n_dealers"][name],
            )
            for name in grid.index
        ],
        rotation=0,
    )
    ax.set(xlabel=words.label("n_periods_since"), ylabel="")
    ax.grid(False)
    return look.explain(ax, _cohort_title(cohorts, value), note, source)


# ---- steps ---------------------------------------------------------------------------------------


def _months_between(first: str, last: str) -> int:
    return (int(last[:4]) - int(first[:4])) * 12 + int(last[5:]) - int(first[5:])


def _period_revenue(months: pd.DataFrame, by: str, end: str) -> tuple[pd.DataFrame, pd.Series]:
    """Lay revenue out as dealers × whole periods, and tell who bought in the months before the
    first of them.
    """
    if by not in PERIOD_MONTHS:
        raise ValueError(
            f"by: {by!r} is no length of period; choose one of {', '.join(PERIOD_MONTHS)}"
        )
    rows = months.loc[
        months["dealer_id"].notna() & months["month"].notna(), ["dealer_id", "month", "revenue"]
    ]
    end = end or (rows["month"].max() if len(rows) else "")
    rows = rows[rows["month"] <= end]
    if rows.empty:
        return pd.DataFrame(index=pd.Index([], name="dealer_id"), dtype=float), pd.Series(
            dtype=bool
        )
    length = PERIOD_MONTHS[by]
    n_periods = (_months_between(rows["month"].min(), end) + 1) // length
    age = {month: _months_between(month, end) // length for month in rows["month"].unique()}
    rows = rows.assign(age=rows["month"].map(age))
    sums = rows.pivot_table(
        index="dealer_id", columns="age", values="revenue", aggfunc="sum", fill_value=0
    )
    # cents are whole, so what a sum of floats leaves beyond them is dust and no purchase
    sums = sums.reindex(columns=range(n_periods, -1, -1), fill_value=0).round(2)
    known = sums.pop(n_periods) > 0
    return sums.set_axis([periods.shift(end, -length * age) for age in sums.columns], axis=1), known


def _moves(revenue: pd.DataFrame, known: pd.Series) -> dict[str, np.ndarray]:
    """Mark per dealer and period who joined, was kept, lost or won back.

    Nobody moves in the first period.
    """
    active = revenue.to_numpy() > 0
    if not active.shape[1]:
        return dict.fromkeys(("joined", "kept", "lost", "won_back"), active)
    seen = np.logical_or.accumulate(np.column_stack([known, active]), axis=1)[:, 1:-1]
    before, now = active[:, :-1], active[:, 1:]
    moves = {
        "joined": now & ~seen,
        "kept": now & before,
        "lost": before & ~now,
        "won_back": now & ~before & seen,
    }
    return {
        move: np.column_stack([np.zeros(len(active), bool), mark]) for move, mark in moves.items()
    }


def counts(row: pd.Series) -> dict[str, object]:
    """Give what sentences say of a period of `network_history`."""
    moved = {move: int(row[f"n_{move}"]) for move in MOVEMENTS}
    return {
        "start": row["from_month"],
        "period": row["period"],
        "active": int(row["n_active"]),
        **moved,
    }


def net_change(n: int) -> str:
    """Write a change in dealers; none has no sign."""
    return words.signed(n) if n else "0"


def _cohort_title(cohorts: pd.DataFrame, value: str) -> str:
    """Compare the cohorts that joined, at the greatest age that half of them have reached.

    Revenue is that of the first full period by definition one period after joining: only what
    comes later says anything.
    """
    youngest = 2 if value == "revenue_share" else 1
    joined = cohorts[
        ~cohorts["is_baseline"] & cohorts[value].notna() & (cohorts["n_periods_since"] >= youngest)
    ]
    if joined.empty:
        return words.say("segmentation.title_cohorts_none")
    reached = joined.groupby("n_periods_since")["cohort"].nunique()
    at = joined[joined["n_periods_since"] == reached[reached >= reached.max() / 2].index.max()]
    # shares are weighted by the cohort, so that a cohort of one dealer does not speak for all
    share = at["n_active"].sum() / at["n_dealers"].sum()
    if value == "revenue_share":
        # a cohort that has left brings nothing of its base; its share is no way back to the base
        base = cohorts[cohorts["n_periods_since"] == 1].set_index("cohort")["revenue"]
        share = at["revenue"].sum() / at["cohort"].map(base).sum()
    return words.say(
        f"segmentation.title_cohorts_{value}",
        n=int(at["n_periods_since"].iloc[0]),
        share=words.percent(share),
    )


def _period_ticks(ax: Axes, names: pd.Series, most: int) -> None:
    """Name periods below an axis, the last one always, as many as fit."""
    at = np.arange(len(names))[:: -max(1, -(-len(names) // most))]
    ax.set_xticks(at, [names.iloc[i] for i in at])
    ax.grid(False, axis="x")
