"""Standing: at how many dealers our brand earns most, by how much, and whom a rival earns more on
every count.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import look, words
from helpers.profit import brands
from helpers.profit.brands import MEASURES, RESULTS
from helpers.settings import page_of

PAGE = page_of("dealer_profit")
MIN_GAP_SHARE = 0.01  # of what he earns with all brands: less is not worth a call
# of margin behind a rival: an eighth of what a dealer earns, and more than a month's pricing moves
BEHIND_POINTS = 0.02
MIN_DEALERS = 5  # in a region or format: fewer are no picture
STATUS = ("earns_less", "loses_some", "not_certain", "about_equal", "earns_most", "–")
WIDEST = 1.0  # a lead of more than the rival's whole figure is drawn at the border
PLACES = ("region", "store_format")
SHOWN = [
    "dealer_id",
    "dealer_name",
    "account_manager",
    "rival",
    "margin_points",
    "gap_money",
    "stock_to_spare",
    "reason",
]


# ---- tables --------------------------------------------------------------------------------------


def leads(comparison: pd.DataFrame) -> pd.DataFrame:
    """Give our lead over the best rival, one row per dealer and measure that is known of both.

    Columns: `dealer_id`, `measure`, `ours`, `best_rival`, `rival`, `lead`, `lead_share` (lead ÷ his
    figure; NaN where that is not above zero), `low`, `high`, `effective_months`, `power` (see
    `brands.brand_comparison`), `result`, `is_first` (nobody is better, equals included).
    """
    rivals, found = comparison[~comparison["ours"]], []
    for measure in MEASURES:
        known = rivals.dropna(subset=[f"lead_{measure}"]).sort_values(
            [measure, "dealer_id", "brand"], ascending=[False, True, True]
        )
        best = known.drop_duplicates("dealer_id")
        theirs = best[measure]
        found.append(
            pd.DataFrame(
                {
                    "dealer_id": best["dealer_id"],
                    "measure": measure,
                    "ours": theirs + best[f"lead_{measure}"],
                    "best_rival": best["brand"],
                    "rival": theirs,
                    "lead": best[f"lead_{measure}"],
                    "lead_share": best[f"lead_{measure}"] / theirs.where(theirs > 0),
                    "low": best[f"low_{measure}"],
                    "high": best[f"high_{measure}"],
                    "effective_months": best[f"effective_months_{measure}"],
                    "power": best[f"power_{measure}"],
                    "result": best[f"result_{measure}"],
                    "is_first": best[f"lead_{measure}"].round(9) >= 0,
                }
            )
        )
    return pd.concat(found).sort_values(["measure", "dealer_id"], key=_in_order, ignore_index=True)


def _in_order(values: pd.Series) -> pd.Series:
    return (
        values.map({m: i for i, m in enumerate(MEASURES)}) if values.name == "measure" else values
    )


def picture(lead: pd.DataFrame) -> pd.DataFrame:
    """Sum up the leads: per measure the `n_dealers`, the median dealer's `lead_share`, and the
    shares of dealers at whom we are first (`first_share`), surely ahead (`win_share`), surely about
    equal (`even_share`), neither for certain (`unclear_share`), surely behind; `power`, at what
    share of them a lead of `brands.POWER_AT` times what is notable would be found, and the median
    dealer's `effective_months`.
    """
    rows = lead.groupby("measure").agg(
        n_dealers=("dealer_id", "size"),
        lead_share=("lead_share", "median"),
        first_share=("is_first", "mean"),
        power=("power", "mean"),
        effective_months=("effective_months", "median"),
        **{
            f"{result}_share": ("result", lambda values, r=result: (values == r).mean())
            for result in RESULTS
        },
    )
    return (
        rows.reindex([m for m in MEASURES if m in rows.index]).rename_axis("measure").reset_index()
    )


def by_place(
    lead: pd.DataFrame, dealers: pd.DataFrame, column: str, measure: str = "margin_rate"
) -> pd.DataFrame:
    """Sum up one measure's leads by region or format of the dealer, where at least `MIN_DEALERS`
    can be compared.

    Columns: `column`, `n_dealers`, the medians `ours` and `rival`, `win_share`, `lose_share`; the
    worst place first.
    """
    rows = lead[lead["measure"] == measure].merge(dealers[["dealer_id", column]], on="dealer_id")
    rows = rows.groupby(column).agg(
        n_dealers=("dealer_id", "size"),
        ours=("ours", "median"),
        rival=("rival", "median"),
        win_share=("result", lambda r: (r == "win").mean()),
        lose_share=("result", lambda r: (r == "lose").mean()),
    )
    rows = rows[rows["n_dealers"] >= MIN_DEALERS].reset_index()
    return rows.sort_values(["win_share", column], ignore_index=True)


def place_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Name the columns of `by_place` for reading, for the margin."""
    return rows.rename(columns={"ours": "our_margin_rate", "rival": "rival_margin_rate"})


def why_no_place(lead: pd.DataFrame, dealers: pd.DataFrame, column: str) -> str:
    """Say why `by_place` has no rows: nobody can be compared, or too few in every place.

    Where no place of any kind has enough, one sentence holds for all kinds.
    """
    if lead.empty:
        return words.say("standing.nothing")
    if all(by_place(lead, dealers, kind).empty for kind in PLACES):
        return words.say("standing.few_places", n=MIN_DEALERS)
    return words.say("standing.few_place", by=words.label(column), n=MIN_DEALERS)


def losing(
    comparison: pd.DataFrame,
    found: pd.DataFrame,
    *,
    behind_points: float = BEHIND_POINTS,
    min_gap_share: float = MIN_GAP_SHARE,
) -> pd.DataFrame:
    """List the dealers at whom a rival surely earns more on any measure, with the rival to talk
    about.

    That is the one who beats us on every measure of earning and most in margin, else the one whose
    lead costs the dealer most. Those who earn less come first, then the largest money.

    Parameters
    ----------
    comparison, found
        From `brand_comparison`, and the `gaps` in it.
    behind_points, min_gap_share
        `status` is "earns_less" where the margin is at least `behind_points` lower, a part of
        revenue, and the gap costs him at least `min_gap_share` of what he earns with all brands,
        else "loses_some".

    Returns
    -------
    DataFrame
        Those of the `gaps` that are to be talked about, with `status`.
    """
    rows = found
    earned = (
        rows["dealer_id"].map(comparison.groupby("dealer_id")["earned"].sum()).astype("float64")
    )
    far = rows["on_all"] & (rows["lead_points"].round(9) <= round(-100 * behind_points, 9))
    far &= rows["gap_money"] >= min_gap_share * earned
    rows = rows.assign(
        status=np.where(far, "earns_less", "loses_some"),
        worst=rows["lead_points"].where(rows["on_all"]),
    )
    rows = rows.sort_values(
        ["worst", "gap_money", "rival"], ascending=[True, False, True]
    ).drop_duplicates("dealer_id")
    rows = rows.sort_values(["status", "gap_money", "dealer_id"], ascending=[True, False, True])
    return rows.drop(columns="worst").reset_index(drop=True)


def named(lost: pd.DataFrame, dealers: pd.DataFrame) -> pd.DataFrame:
    """Put names beside the codes of `losing`, and the reason why in words.

    Adds `dealer_name`, `region`, `account_manager`, `margin_points` and `reason`.
    """
    known = dealers.reindex(columns=["dealer_id", "dealer_name", "region", "account_manager"])
    rows = lost.merge(known, on="dealer_id", how="left")
    # a margin's points, not a score's: the word for people
    rows["margin_points"] = rows["lead_points"]
    rows["reason"] = [_reason(row) for row in rows.itertuples()]
    return rows


def _reason(row) -> str:
    said = words.say("standing.reason", measures=_labels(row.lost_measures))
    return said + (
        words.say("standing.call_levers", levers=_labels(row.levers)) if row.levers else ""
    )


def _labels(codes: str) -> str:
    """Write codes as labels in mid-sentence, with small letters.

    An abbreviation such as GMROI keeps its own.
    """
    labels = [words.label(code) for code in codes.split()]
    return words.listed(
        word if word[1:2].isupper() else word[:1].lower() + word[1:] for word in labels
    )


def dealer_table(
    comparison: pd.DataFrame, trends: pd.DataFrame, lost: pd.DataFrame, dealers: pd.DataFrame
) -> pd.DataFrame:
    """Make the table of the page.

    One row per dealer who reports, whether he can be compared or not.

    Columns: who he is; `dealer_margin_rate` (all brands), `previous_margin_rate`, `slope_rate`,
    `movement`; our figure per measure with `best_<measure>`, `lead_<measure>`, `result_<measure>`;
    `status` ("earns_most": ahead in margin and nowhere behind; "about_equal": surely so in margin,
    and nowhere behind; "not_certain": neither; "–": nothing to compare), and from `losing` the
    `rival`, `lead_points`, `gap_money`, `stock_to_spare`, `levers`.
    """
    rows = trends.rename(columns={"margin_rate": "dealer_margin_rate"}).drop(
        columns=["low_rate", "high_rate"]
    )
    here = pd.DataFrame({"dealer_id": comparison["dealer_id"].unique()})
    rows = rows.merge(here, on="dealer_id", how="outer")
    ours = comparison[comparison["ours"]]
    rows = rows.merge(ours[["dealer_id", *MEASURES]], on="dealer_id", how="left")
    for measure, best in leads(comparison).groupby("measure", sort=False):
        names = {
            "best_rival": f"best_{measure}",
            "lead": f"lead_{measure}",
            "result": f"result_{measure}",
        }
        rows = rows.merge(
            best[["dealer_id", *names]].rename(columns=names), on="dealer_id", how="left"
        )
    results = rows.reindex(columns=[f"result_{m}" for m in MEASURES])
    none_lost = ~(results == "lose").any(axis=1)
    found = lost[
        ["dealer_id", "status", "rival", "lead_points", "gap_money", "stock_to_spare", "levers"]
    ]
    rows = rows.merge(found, on="dealer_id", how="left")
    missing = np.select(
        [
            results.isna().all(axis=1),
            none_lost & (results.iloc[:, 0] == "win"),
            none_lost & (results.iloc[:, 0] == "even"),
        ],
        ["–", "earns_most", "about_equal"],
        default="not_certain",
    )
    rows["status"] = rows["status"].fillna(pd.Series(missing, index=rows.index))
    known = ["dealer_id", "dealer_name", "region", "store_format", "account_manager"]
    return dealers.reindex(columns=known).merge(rows, on="dealer_id", how="right")


def proof_dealer(comparison: pd.DataFrame, lost: pd.DataFrame, dealer_id: str = "") -> str:
    """Choose whose proof to show.

    The one asked for, the first of `losing`, any who can be compared, any who reports.

    Raises
    ------
    ValueError
        If the dealer asked for reports nothing.
    """
    known = comparison["dealer_id"]
    if dealer_id and dealer_id not in set(known):
        like = f", e.g. {known.iloc[0]!r}" if len(known) else ""
        raise ValueError(
            f"dealer_id: {dealer_id!r} reports nothing that he earns; choose one who does{like}"
        )
    found = [*lost["dealer_id"], *brands.shared_brands(comparison)["dealer_id"], *known, ""]
    return dealer_id or found[0]


# ---- sentences -----------------------------------------------------------------------------------


def bottom_line(comparison: pd.DataFrame, lost: pd.DataFrame, brand: str) -> list[str]:
    """Say at how many dealers we earn most, where we don't, and whom a rival earns more on every
    count.
    """
    rows = picture(leads(comparison))
    if rows.empty:
        return [words.say(f"standing.{_why_none(comparison)}", brand=brand)]
    said = [verdict(rows, lost, brand)]
    said += [
        words.say(
            "standing.measure",
            measure=words.label(row.measure),
            first=words.percent(row.first_share),
            win=words.percent(row.win_share),
            even=words.percent(row.even_share),
            unclear=words.percent(row.unclear_share),
            lose=words.percent(row.lose_share),
        )
        for row in rows.itertuples()
    ]
    less = lost[lost["status"] == "earns_less"]
    if len(less):
        named = {
            "names": words.listed(_names(less)),
            "rivals": words.listed(less["rival"].unique()),
        }
        said.append(
            words.say(
                "standing.less",
                n=len(less),
                brand=brand,
                money=float(less["gap_money"].sum()),
                **named,
            )
        )
    return said


def _why_none(comparison: pd.DataFrame) -> str:
    """Say why nobody is compared: no sales of ours, no rival alongside, or none that bears it."""
    ours = comparison.loc[comparison["ours"], "dealer_id"]
    if not len(ours):
        return "no_brand"
    beside = comparison["dealer_id"].isin(ours) & ~comparison["ours"]
    return "none_bears" if beside.any() else "no_rival"


def power_sentences(
    lead: pd.DataFrame,
    comparison: pd.DataFrame,
    *,
    notable_points: float = brands.NOTABLE_POINTS,
    notable_share: float = brands.NOTABLE_SHARE,
) -> list[str]:
    """Say how much the tests can see, per measure: at what share of the dealers a lead of a stated
    size would be found, and for how many independent months theirs count.

    `comparison` is what `lead` was made of, by the same rules of what is notable.
    """
    compared = comparison["dealer_id"].isin(lead["dealer_id"])
    months = comparison.loc[compared, "window_months"].median()
    said = []
    for row in picture(lead).itertuples():
        if row.measure == "margin_rate":
            size = words.decimal(100 * brands.POWER_AT * notable_points, 1)
            size = words.say("profit.points", points=size)
        else:
            size = words.percent(brands.POWER_AT * notable_share)
        known = row.effective_months == row.effective_months
        said.append(
            words.say(
                "standing.power" if known else "standing.power_none",
                measure=words.label(row.measure),
                lead=size,
                power=words.percent(row.power),
                n=int(months),
                effective=words.decimal(row.effective_months, 1) if known else "",
            )
        )
    return said


def verdict(rows: pd.DataFrame, lost: pd.DataFrame, brand: str) -> str:
    """Say in one sentence who earns with us."""
    first, n_less = rows.iloc[0], int((lost["status"] == "earns_less").sum())
    said = words.say(
        "standing.verdict",
        brand=brand,
        measure=_labels(first["measure"]),
        n=first["n_dealers"],
        first=words.percent(first["first_share"]),
        win=words.percent(first["win_share"]),
    )
    return said + (
        words.say("standing.verdict_less", n=n_less) if n_less else words.say("profit.stop")
    )


def missing_sentences(comparison: pd.DataFrame) -> list[str]:
    """Say which measure the data don't tell, and how many brands are not compared."""
    missing = [words.label(m) for m in MEASURES if comparison[m].isna().all()]
    said = (
        [words.say("profit.no_measure", measures=words.listed(missing))]
        if 0 < len(missing) < len(MEASURES)
        else []
    )
    if len(comparison) and not comparison["rebate"].any():
        said.append(words.say("standing.no_rebate"))
    n = int((comparison["left_out"] != "").sum())
    return said + ([words.say("standing.left_out", n=n)] if n else [])


def coverage(trends: pd.DataFrame, totals: pd.DataFrame) -> str:
    """Say how many of the dealers who bought or paid also report what they earn."""
    n = int(totals["dealer_id"].isin(trends["dealer_id"]).sum())
    return words.say(
        "standing.coverage", n=n, of=len(totals), share=words.percent(n / max(len(totals), 1))
    )


def headlines(
    comparison: pd.DataFrame, lost: pd.DataFrame, brand: str, covered: str, most: int = 5
) -> list[dict]:
    """Make the front page's verdict, our standing, the dealers to call, and how many report.

    Keys as
    `report.headline` takes them.
    """
    rows, less = picture(leads(comparison)), lost[lost["status"] == "earns_less"]
    text = bottom_line(comparison, lost, brand)[0]
    made = [{"place": "verdict", "text": text, "link": PAGE}]
    if len(rows):
        row = rows.iloc[0]
        tile = {
            "place": "tile",
            "label": words.say("standing.tile", measure=_labels(row["measure"])),
            "text": words.percent(row["first_share"]),
            "link": PAGE,
        }
        made.append(
            tile
            | {
                "change": words.say("standing.tile_change", n=len(less)),
                "tone": "bad" if len(less) else "good",
            }
        )
    for row, name in zip(less.head(most).itertuples(), _names(less), strict=False):
        made.append(
            {
                "place": "call",
                "label": name,
                "text": call_reason(row, brand),
                "link": f"{PAGE}#{look.anchor(row.dealer_id)}",
            }
        )
    return [*made, {"place": "quality", "text": covered, "link": PAGE}]


def call_reason(row, brand: str) -> str:
    """Say why to call a dealer of `losing`.

    With whom he earns more, what it costs him, and what to pull.
    """
    points = words.decimal(-row.lead_points, 1)
    return words.say(
        "standing.call",
        brand=brand,
        rival=row.rival,
        points=points,
        money=row.gap_money,
        why=_reason(row),
    )


def _names(rows: pd.DataFrame) -> list[str]:
    return list(rows["dealer_name"].fillna(rows["dealer_id"]))


# ---- plots ---------------------------------------------------------------------------------------


def plot_results(lead: pd.DataFrame, *, note: str = "", ax: Axes | None = None) -> Axes:
    """Draw for each measure at which share of the dealers our brand is ahead of, about equal to or
    behind his best rival, and where that is not certain.
    """
    rows = picture(lead)
    if rows.empty:
        return look.nothing(words.say("standing.nothing"), ax)
    ax, y, left = (
        ax or look.axes(height=1.6 + 0.42 * len(rows)),
        np.arange(len(rows)),
        np.zeros(len(rows)),
    )
    ends = []
    for result, color in zip(RESULTS, ("ours", "muted", "–", "rival"), strict=True):
        width = rows[f"{result}_share"].to_numpy()
        ax.barh(y, width, left=left, color=look.COLORS[color], height=0.6)
        if width.any():
            ends.append((left[0] + width[0] / 2, words.label(result), look.COLORS[color]))
        for at, start, share in zip(y, left, width, strict=True):
            if share >= 0.05:
                ax.text(
                    start + share / 2,
                    at,
                    words.percent(share),
                    ha="center",
                    va="center",
                    fontsize=9,
                    color=look.ink_on(look.COLORS[color]),
                )
        left = left + width
    ax.set_yticks(y, [words.label(m) for m in rows["measure"]])
    ax.set(xlim=(0, 1), ylim=(len(rows) - 0.5, -0.5), xlabel=words.label("dealer_share"))
    look.share_axis(ax.xaxis)
    ax.grid(axis="y", visible=False)
    look.above(ax, ends)
    first, weakest = rows.iloc[0], rows.iloc[1:].sort_values("win_share", kind="stable").head(1)
    said = {"measure": _labels(first["measure"]), "win": words.percent(first["win_share"])}
    if len(weakest):
        said |= {
            "weakest": _labels(weakest["measure"].iloc[0]),
            "least": words.percent(weakest["win_share"].iloc[0]),
        }
    title = words.say("standing.results" if len(weakest) else "standing.results_one", **said)
    return look.explain(ax, title, words.say("standing.results_how"), note)


def plot_leads(lead: pd.DataFrame, *, note: str = "", ax: Axes | None = None) -> Axes:
    """Draw how our lead over the best rival is spread over dealers, a row of columns a measure,
    zero in the middle.
    """
    known = lead.dropna(subset=["lead_share"])
    shown = [m for m in MEASURES if (known["measure"] == m).any()]
    if not shown:
        # all may be compared, with rivals who earn nothing
        said = "standing.nothing" if lead.empty else "standing.no_lead_share"
        return look.nothing(words.say(said), ax)
    ax, edges = ax or look.axes(height=1.5 + 0.75 * len(shown)), np.linspace(-WIDEST, WIDEST, 41)
    middle = (edges[1:] + edges[:-1]) / 2
    color = np.where(middle > 0, look.COLORS["ours"], look.COLORS["rival"])
    for row, measure in enumerate(shown):
        values = known.loc[known["measure"] == measure, "lead_share"]
        counts = np.histogram(values.clip(-WIDEST, WIDEST), edges)[0]
        ax.bar(
            middle,
            0.68 * counts / counts.max(),
            width=0.9 * (edges[1] - edges[0]),
            bottom=-row,
            color=color,
        )
        ax.plot([values.median()] * 2, [-row, -row + 0.8], color=look.COLORS["text"], linewidth=1.2)
        ax.annotate(
            _signed(values.median()),
            (values.median(), -row + 0.8),
            xytext=(4, -5),
            fontsize=8.5,
            textcoords="offset points",
        )
    ax.axvline(0, color=look.COLORS["reference"], linewidth=0.9)
    ax.set_yticks([0.3 - row for row in range(len(shown))], [words.label(m) for m in shown])
    ax.set(
        xlim=(-WIDEST, WIDEST),
        ylim=(0.05 - len(shown) + 0.9, 1.1),
        xlabel=words.label("lead_share"),
    )
    look.share_axis(ax.xaxis)
    ax.grid(axis="y", visible=False)
    first = known.loc[known["measure"] == shown[0], "lead_share"].median()
    key = "standing.spread_ahead" if first >= 0 else "standing.spread_behind"
    title = words.say(key, measure=words.label(shown[0]), share=words.percent(abs(first)))
    return look.explain(ax, title, words.say("standing.spread_how"), note)


def _signed(share: float) -> str:
    return ("+" if share > 0 else "") + words.percent(share)
