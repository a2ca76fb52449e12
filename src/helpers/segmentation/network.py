"""Segmentation: who the dealers are, in which shops they sell, and how the network moves."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from helpers import look, periods, words
from helpers.pareto import shares_of_gains
from helpers.settings import page_of

NOT_STATED, UNDECIDED, OTHER = "not_stated", "undecided", "other_format"
ROUNDING = 0.005  # shares that miss 1 by less are a rounding rest, not a class
PERIOD_MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
MOVEMENTS = ("joined", "won_back", "lost")
QUARTERS_UP_TO = 48  # months of history; cohorts of a longer one are years
ANNOTATED_UP_TO = 12  # columns of a heat map whose cells carry their number
FORMATS_SHOWN = 12
BIG_SCORE = 4  # of five for revenue: the upper two fifths


# ---- who they are --------------------------------------------------------------------------------


def customer_mix(dealers: pd.DataFrame, totals: pd.DataFrame) -> pd.DataFrame:
    """Count dealers and money per customer type, largest revenue first, `not_stated` last.

    A dealer is active if his revenue is above zero. Shares are of the sum of the types above zero;
    a type below has none.

    >>> dealers = pd.DataFrame({"dealer_id": ["a", "b"], "customer_type": ["channel", None]})
    >>> totals = pd.DataFrame({"dealer_id": ["a", "b"], "revenue": [30.0, 10.0]})
    >>> mix = customer_mix(dealers, totals.assign(gross_profit=[3.0, 2.0]))
    >>> mix[["customer_type", "n_dealers", "revenue_share"]].values.tolist()
    [['channel', 1, 0.75], ['not_stated', 1, 0.25]]
    """
    joined = _with_totals(dealers, totals)
    joined["customer_type"] = _stated(joined["customer_type"])
    mix = joined.groupby("customer_type").agg(
        n_dealers=("dealer_id", "count"), n_active=("is_active", "sum"), revenue=("revenue", "sum")
    )
    mix["gross_profit"] = joined.groupby("customer_type")["gross_profit"].sum(min_count=1)
    for column, share in (
        ("n_dealers", "dealer"),
        ("revenue", "revenue"),
        ("gross_profit", "gross_profit"),
    ):
        mix.insert(mix.columns.get_loc(column) + 1, f"{share}_share", _share(mix[column]))
    mix["last"] = mix.index == NOT_STATED
    mix = mix.reset_index().sort_values(
        ["last", "revenue", "customer_type"], ascending=[True, False, True]
    )
    return mix.drop(columns="last").reset_index(drop=True)


def require_formats(rules: pd.DataFrame) -> pd.DataFrame:
    """Return the format rules with limits as numbers, smallest first.

    Raises
    ------
    ValueError
        If a format occurs twice, two formats share a limit, or a limit is negative or no number.
    """
    limits = pd.to_numeric(rules["min_area_m2"], errors="coerce")
    wrong = rules[(limits.isna() & (_stated(rules["min_area_m2"]) != NOT_STATED)) | limits.lt(0)]
    if len(wrong):
        row = wrong.iloc[0]
        raise ValueError(
            f"formats: min_area_m2 of {row['store_format']!r} is {str(row['min_area_m2'])!r}; "
            "give the area in m² from which the format holds, or leave it empty"
        )
    twice = rules.loc[rules["store_format"].duplicated(), "store_format"]
    if len(twice):
        raise ValueError(f"formats: {twice.iloc[0]!r} has more than one row; keep one")
    for area, same in rules[limits.notna()].groupby(limits)["store_format"]:
        if len(same) > 1:
            both = " and ".join(map(repr, same))
            raise ValueError(
                f"formats: {both} begin at the same {area:,.0f} m²; the floor area can't decide"
            )
    return rules.assign(min_area_m2=limits).sort_values("min_area_m2", ignore_index=True)


def store_formats(dealers: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """Decide each shop's format.

    A given one wins, else the rule with the largest area limit the shop reaches.

    Formats without a limit hold only when given. `rules` is `formats.csv`; a format given by its
    English or Chinese name there becomes its code, an unknown one stays as it is. Works for
    candidates too.

    Returns
    -------
    DataFrame
        The rows given, with `store_format` decided ("undecided" where nothing tells) and
        `decided_by`: "given", "by_area" or "undecided".

    >>> rules = pd.DataFrame({"store_format": ["shop", "store"], "min_area_m2": [100, 1000]})
    >>> dealers = pd.DataFrame({"store_format": ["chain", None, None],
    ...                         "floor_area_m2": [50, 1000, 99]})
    >>> store_formats(dealers, rules)["store_format"].tolist()
    ['chain', 'store', 'undecided']
    """
    rules = require_formats(rules)
    names = {
        str(row[c]).casefold(): row["store_format"]
        for c in ("zh", "en", "store_format")
        if c in rules
        for row in rules.dropna(subset=[c]).to_dict("records")
    }
    given = _stated(dealers["store_format"])
    given = given.str.casefold().map(names).fillna(given)
    by_area = rules.dropna(subset=["min_area_m2"])
    area = pd.to_numeric(dealers["floor_area_m2"]).astype(float)
    reached = np.searchsorted(
        by_area["min_area_m2"].to_numpy(float), area.fillna(-1).to_numpy(), side="right"
    )
    decided = np.array([UNDECIDED, *by_area["store_format"]], dtype=object)[
        np.where(area > 0, reached, 0)
    ]
    is_given = (given != NOT_STATED).to_numpy()
    how = np.where(is_given, "given", np.where(decided == UNDECIDED, UNDECIDED, "by_area"))
    return dealers.assign(
        store_format=np.where(is_given, given, decided).astype(object), decided_by=how
    )


def format_mix(dealers: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Share of each format among the dealers of an area type, beside the handbook's.

    `dealers` come from `store_formats`, `reference` is `handbook_formats.csv`. What the handbook's
    shares leave open beyond rounding is its `not_stated`; formats it doesn't name have no
    reference. Where no dealer has an area type, nothing can stand beside the handbook, and its rows
    are left out.

    Returns
    -------
    DataFrame
        area_type, store_format, n_dealers, dealer_share (of the area's dealers), handbook_share;
        every format in each area that has dealers or a reference.
    """
    counts = pd.DataFrame(
        {
            "area_type": _stated(dealers["area_type"]),
            "store_format": _stated(dealers["store_format"]),
        }
    )
    counts = counts.value_counts().rename("n_dealers").reset_index()
    reference = reference.head(0) if counts["area_type"].eq(NOT_STATED).all() else reference
    rest = 1 - reference.groupby("area_type")["share"].sum()
    rest = rest[rest > ROUNDING].rename("share").reset_index().assign(store_format=NOT_STATED)
    handbook = pd.concat(
        [reference[["area_type", "store_format", "share"]], rest], ignore_index=True
    )
    mix = counts.merge(
        handbook.rename(columns={"share": "handbook_share"}), "outer", ["area_type", "store_format"]
    )
    mix["n_dealers"] = mix["n_dealers"].fillna(0).astype(int)
    mix["dealer_share"] = mix["n_dealers"] / mix.groupby("area_type")["n_dealers"].transform(
        "sum"
    ).replace(0, np.nan)
    ordered = [
        "urban",
        "rural",
        *sorted(set(mix["area_type"]) - {"urban", "rural", NOT_STATED}),
        NOT_STATED,
    ]
    mix["order"] = mix["area_type"].map(ordered.index)
    mix["last"] = mix["store_format"].isin([NOT_STATED, UNDECIDED])
    mix = mix.sort_values(
        ["order", "last", "n_dealers", "handbook_share", "store_format"],
        ascending=[True, True, False, False, True],
        ignore_index=True,
    )
    return mix[["area_type", "store_format", "n_dealers", "dealer_share", "handbook_share"]]


# ---- how the network moves -----------------------------------------------------------------------


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


def told(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Give a table for reading, or none of its rows where the data tell nothing of the column that
    it is by.
    """
    return rows if (~rows[column].isin([NOT_STATED, UNDECIDED])).any() else rows.head(0)


def bottom_line(
    *,
    mix: pd.DataFrame | None = None,
    formats: pd.DataFrame | None = None,
    history: pd.DataFrame | None = None,
    cities: pd.DataFrame | None = None,
    ranked: pd.DataFrame | None = None,
    overdue: pd.DataFrame | None = None,
) -> list[str]:
    """Say what an account manager should take home; what is left out or empty is passed over.

    Takes the tables of `customer_mix`, `format_mix`, `network_history`, `coverage`, the `ranked` of
    a scorecard, and `overdue_dealers`.
    """
    lines = []
    if mix is not None and mix["n_dealers"].sum():
        lines.append(
            words.say(
                "segmentation.line_mix",
                n=mix["n_dealers"].sum(),
                active=mix["n_active"].sum(),
                revenue=mix["revenue"].sum(),
            )
        )
    if history is not None and len(history) > 1:
        last = history.iloc[-1]
        lines.append(
            words.say(
                "segmentation.line_history",
                net=_net(int(last["n_joined"] + last["n_won_back"] - last["n_lost"])),
                **_counts(last),
            )
        )
    if overdue is not None and len(big := overdue[overdue["monetary_score"] >= BIG_SCORE]):
        lines.append(
            words.say(
                "segmentation.line_overdue",
                n=len(big),
                days=int(big["recency_days"].min()),
                revenue=big["monetary"].sum(),
            )
        )
    if cities is not None and len(white := cities[cities["is_white_spot"]]):
        top = white.sort_values("population").iloc[-1]
        lines.append(
            words.say(
                "segmentation.line_white",
                n=len(white),
                people=_people(white["population"].sum()),
                city=top["city"],
                city_people=_people(top["population"]),
            )
        )
    if ranked is not None and ranked["expected_revenue"].notna().any():
        best = ranked.loc[ranked["expected_revenue"].idxmax()]
        lines.append(
            words.say(
                "segmentation.line_candidate",
                n=len(ranked),
                name=_named(best),
                expected=best["expected_revenue"],
                low=best["expected_low"],
                high=best["expected_high"],
            )
        )
    undecided = (
        0
        if formats is None
        else formats.loc[formats["store_format"] == UNDECIDED, "n_dealers"].sum()
    )
    # of all, the figure's note says it
    if formats is not None and 0 < undecided < formats["n_dealers"].sum():
        lines.append(
            words.say("segmentation.line_undecided", n=undecided, all=formats["n_dealers"].sum())
        )
    return lines


def headlines(history: pd.DataFrame, cities: pd.DataFrame) -> list[dict]:
    """Make the front page's figures on the network and what changed in it.

    Keys as `report.headline`.
    """
    made, page = [], page_of("segmentation")
    if len(history) > 1:
        last = history.iloc[-1]
        net = int(history["n_active"].diff().iloc[-1])
        tile = {
            "place": "tile",
            "label": words.label("n_buying"),
            "text": f"{last['n_active']:,}",
            "link": page,
        }
        change = words.say("segmentation.against", net=_net(net), start=last["from_month"])
        tone, trend = "good" if net > 0 else "bad" if net < 0 else "", history["n_active"].tolist()
        made.append(tile | {"change": change, "tone": tone, "trend": trend})
        text = words.say("segmentation.line_history", net=_net(net), **_counts(last))
        made.append({"place": "change", "text": text, "link": page})
    if len(white := cities[cities["is_white_spot"]]):
        tile = {
            "place": "tile",
            "label": words.label("n_white_spots"),
            "text": f"{len(white):,}",
            "link": page,
        }
        people = words.say("segmentation.people", people=_people(white["population"].sum()))
        made.append(tile | {"change": people})
    return made


# ---- plots ---------------------------------------------------------------------------------------


def plot_customer_mix(
    mix: pd.DataFrame, *, ax: Axes | None = None, scope: str = "", source: str = ""
) -> Axes:
    """Draw each customer type's share of dealers, revenue and gross profit."""
    if mix["customer_type"].isin([NOT_STATED]).all():
        return _nothing(ax, "title_mix_none" if len(mix) else "nothing")
    ax = look.axes(height=1.7 + 0.55 * len(mix)) if ax is None else ax
    colors = {"dealer_share": "muted", "revenue_share": "accent", "gross_profit_share": "good"}
    _grouped_bars(
        ax, mix, "customer_type", {c: color for c, color in colors.items() if mix[c].notna().any()}
    )
    _legend_above(ax)
    title = words.say(
        "segmentation.title_mix",
        type=words.word(mix["customer_type"].iloc[0]),
        revenue=words.percent(mix["revenue_share"].iloc[0]),
        dealers=words.percent(mix["dealer_share"].iloc[0]),
    )
    return look.explain(ax, title, scope, source)


def plot_format_mix(
    mix: pd.DataFrame, *, ax: Axes | None = None, scope: str = "", source: str = ""
) -> Axes:
    """Draw each format's share of an area's dealers, with the handbook's share as a mark.

    Rare formats are folded; dealers without an area type are drawn only where no dealer has one.
    """
    counts = mix.groupby("area_type", sort=False)["n_dealers"].sum()
    areas = [area for area in counts[counts > 0].index if area != NOT_STATED] or [NOT_STATED]
    mix = mix[mix["area_type"].isin(areas)]
    if not mix.loc[~mix["store_format"].isin([NOT_STATED, UNDECIDED]), "n_dealers"].sum():
        return _nothing(ax, "title_formats_undecided" if counts.sum() else "nothing")
    total = mix.groupby("store_format", sort=False)["n_dealers"].sum()
    kept = (
        total.drop([NOT_STATED, UNDECIDED], errors="ignore")
        .nlargest(FORMATS_SHOWN, keep="first")
        .index
    )
    kept = [*kept, *total.index.intersection([NOT_STATED, UNDECIDED])]
    names = mix["store_format"].where(mix["store_format"].isin(kept), OTHER)
    wide = mix.assign(store_format=names).pivot_table(
        index="store_format",
        columns="area_type",
        values=["dealer_share", "handbook_share"],
        aggfunc=lambda share: share.sum(min_count=1),
        dropna=False,
    )
    wide = wide.reindex(
        [*kept[:FORMATS_SHOWN], *([OTHER] if OTHER in wide.index else []), *kept[FORMATS_SHOWN:]]
    )
    ax = look.axes(height=1.9 + 0.15 * len(wide) * (len(areas) + 0.6)) if ax is None else ax
    shares = wide["dealer_share"].reset_index()
    rows = _grouped_bars(
        ax, shares, "store_format", {a: a if a in ("urban", "rural") else "muted" for a in areas}
    )
    mark = words.label("handbook_share")
    for area in areas:
        if wide["handbook_share"][area].notna().any():
            ax.plot(
                wide["handbook_share"][area],
                rows[area],
                "|",
                markersize=11,
                markeredgewidth=2.4,
                color=look.COLORS["text"],
                label=mark,
            )
            mark = "_"
    if areas != [NOT_STATED]:  # one colour that stands for nothing needs no key
        _legend_above(ax)
    return look.explain(ax, _format_title(mix), scope, source)


def plot_network_history(
    history: pd.DataFrame, *, ax: Axes | None = None, scope: str = "", source: str = ""
) -> Axes:
    """Draw who joined and was won back above the line and who was lost below.

    Beside it, how many were active.

    On a given `ax` only the movement is drawn.
    """
    if len(history) < 2:
        return _nothing(ax)
    count_ax, ax = look.axes(2, width_ratios=[2, 3]) if ax is None else (None, ax)
    at = np.arange(len(history))
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
            label=words.label(name),
        )
    ax.axhline(0, color=look.COLORS["subtle"], linewidth=0.8)
    ax.yaxis.set_major_formatter(lambda value, _: f"{abs(value):,.0f}")
    ax.yaxis.get_major_locator().set_params(integer=True)
    _legend_above(ax)
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
        ax, words.say(f"segmentation.title_history_{trend}", **_counts(last)), scope, source
    )


def plot_cohorts(
    cohorts: pd.DataFrame,
    value: str = "revenue_share",
    *,
    ax: Axes | None = None,
    scope: str = "",
    source: str = "",
) -> Axes:
    """Draw cohorts as a heat map of `revenue_share` or `active_share`.

    Cells not yet reached stay blank.
    """
    grid = cohort_grid(cohorts, value)
    # what is 100 % by definition tells nothing of who stayed
    base_at = (~cohorts["is_baseline"]).astype(int) if value == "revenue_share" else 0
    if not (cohorts[value].notna() & (cohorts["n_periods_since"] > base_at)).any():
        return _nothing(ax)
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
    if not few:
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
    return look.explain(ax, _cohort_title(cohorts, value), scope, source)


# ---- steps ---------------------------------------------------------------------------------------


def _stated(column: pd.Series) -> pd.Series:
    """Read a column of names or codes; empty ones become `not_stated`."""
    text = column.astype(object).where(column.notna(), "").astype(str).str.strip()
    return text.mask(text == "", NOT_STATED)


def _with_totals(dealers: pd.DataFrame, totals: pd.DataFrame) -> pd.DataFrame:
    """Join dealers and window; money of a dealer nobody listed stays in the sums."""
    money = [c for c in ("dealer_id", "revenue", "gross_profit") if c in totals]
    joined = dealers.merge(totals[money], "outer", "dealer_id")
    joined["revenue"] = joined["revenue"].astype(float).fillna(0)
    return joined.assign(is_active=joined["revenue"] > 0)


def _share(amounts: pd.Series) -> pd.Series:
    return shares_of_gains(amounts.astype(float))


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


def _counts(row: pd.Series) -> dict[str, object]:
    moved = {move: int(row[f"n_{move}"]) for move in MOVEMENTS}
    return {
        "start": row["from_month"],
        "period": row["period"],
        "active": int(row["n_active"]),
        **moved,
    }


def _net(n: int) -> str:
    """Write a change in dealers; none has no sign."""
    return words.signed(n) if n else "0"


def _people(number: float) -> str:
    return words.money(number, unit=False)


def _named(row: pd.Series) -> str:
    name = row.get("candidate_name")
    return str(row["candidate_id"] if name is None or pd.isna(name) else name)


def _format_title(mix: pd.DataFrame) -> str:
    """Find the widest gap to the handbook among formats it names.

    Without one, the commonest format.
    """
    both = mix[
        mix["handbook_share"].notna()
        & mix["dealer_share"].notna()
        & (mix["store_format"] != NOT_STATED)
    ]
    if both.empty:
        counts = mix.groupby("store_format")["n_dealers"].sum()
        top = counts.drop([NOT_STATED, UNDECIDED], errors="ignore")
        return words.say(
            "segmentation.title_formats_none",
            format=words.word(top.idxmax()),
            share=words.percent(top.max() / counts.sum()),
        )
    row = both.loc[(both["dealer_share"] - both["handbook_share"]).abs().idxmax()]
    return words.say(
        "segmentation.title_formats",
        format=words.word(row["store_format"]),
        area=words.word(row["area_type"]),
        share=words.percent(row["dealer_share"]),
        handbook=words.percent(row["handbook_share"]),
    )


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


def _grouped_bars(
    ax: Axes, rows: pd.DataFrame, name: str, colors: dict[str, str]
) -> dict[str, np.ndarray]:
    """Draw shares as bars side by side, first row on top; return where each column's bars lie."""
    width, middle, centres = 0.8 / len(colors), (len(colors) - 1) / 2, {}
    for i, (column, color) in enumerate(colors.items()):
        centres[column] = np.arange(len(rows)) + (i - middle) * width
        ax.barh(
            centres[column],
            rows[column].fillna(0),
            width,
            color=look.COLORS[color],
            label=words.word(column),
        )
    ax.set_yticks(np.arange(len(rows)), [words.word(code) for code in rows[name]])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.grid(False, axis="y")
    look.share_axis(ax.xaxis)
    return centres


def _legend_above(ax: Axes) -> None:
    handles, labels = ax.get_legend_handles_labels()
    # marks after bars
    order = sorted(range(len(labels)), key=lambda i: isinstance(handles[i], Line2D))
    ax.legend(
        [handles[i] for i in order],
        [labels[i] for i in order],
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=5,
        borderaxespad=0.2,
        handlelength=1.2,
    )


def _period_ticks(ax: Axes, names: pd.Series, most: int) -> None:
    """Name periods below an axis, the last one always, as many as fit."""
    at = np.arange(len(names))[:: -max(1, -(-len(names) // most))]
    ax.set_xticks(at, [names.iloc[i] for i in at])
    ax.grid(False, axis="x")


def _nothing(ax: Axes | None, sentence: str = "nothing") -> Axes:
    return look.nothing(words.say(f"segmentation.{sentence}"), ax)
