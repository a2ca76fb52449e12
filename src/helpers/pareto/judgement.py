"""Joint judgement: three indicators classed by themselves, judged together, named, and told in
sentences.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from helpers import look, words
from helpers.pareto.classes import (
    BETWEEN,
    CLASS_QUOTA,
    CLASSES,
    INDICATORS,
    LETTERS,
    LOSS,
    MISSING,
    NOT_ADDITIVE,
    VALUE_CUTS,
    abc_classes,
    called_classes,
    gains_and_losses,
    held_share,
    ranked_classes,
    undecided,
)
from helpers.settings import refusal

# of the joint judgement; the page states them
WEIGHTS = {"payments": 0.4, "gross_profit": 0.4, "brand_share": 0.2}
POINTS = {"A": 3, "B": 2, "C": 1}
KNOWN_SHARE = 0.5  # of the dealers: an indicator known of fewer says nothing of the others
# what can stand for the size of a dealer, the most telling first
SIZES = ("gross_profit", "payments", "revenue")
ANY = "*" * len(INDICATORS)
COMPOSITE_CUTS = (2.5, 1.5)  # weighted points from which a dealer is A, then B
SHOWN = [
    "dealer_id",
    "dealer_name",
    "city",
    *INDICATORS,
    "code",
    "composite_class",
    "diagnosis",
    "previous_class",
]


def joint_judgement(
    totals: pd.DataFrame,
    diagnoses: pd.DataFrame | None = None,
    *,
    rule: str = "quota",
    quota: Sequence[float] = CLASS_QUOTA,
    value_cuts: Sequence[float] = VALUE_CUTS,
    weights: Mapping[str, float] = WEIGHTS,
    composite_cuts: Sequence[float] = COMPOSITE_CUTS,
) -> pd.DataFrame:
    """Class each indicator by itself, then all three together.

    Parameters
    ----------
    totals
        One row per dealer, with those of `INDICATORS` that are known; the others count as missing.
    diagnoses
        As `named_codes` takes them; without any there is no `diagnosis`.
    rule, quota, value_cuts
        How each indicator is classed, see `abc_classes`.
    weights, composite_cuts
        Of the indicators, by their names; weighted points from which a dealer is A, then B.

    Returns
    -------
    DataFrame
        `totals` with `<indicator>_class`, the three-letter `code`, `composite_class` (weighted
        points, A = 3 … C = 1; C where any letter is L)
        and `diagnosis`, best first. An indicator that makes no classes at all counts for nobody.
        Where one that does is missing of a dealer, his class stands only if A, B and C in its
        place would all give it; else it is told as both ends of what it may be: "A/B". Where
        neither payments nor gross profit are known of anybody, the class is that of revenue
        (`revenue_class`), whose letter then stands first in the code, in the place of size.

    Raises
    ------
    ValueError
        If the diagnoses leave a code without a name.
    """
    judged = totals.sort_values("dealer_id", ignore_index=True)
    letters = {}
    for indicator in INDICATORS:
        values = judged[indicator] if indicator in judged else pd.Series(np.nan, index=judged.index)
        if indicator in NOT_ADDITIVE:
            # shares of different wholes can't be accumulated: they keep to the quota under every
            # rule; two thirds of 1 and of 3 are one share, though not as floats
            letters[indicator] = abc_classes(values.round(12), "quota", quota=quota)
        elif is_known(judged, indicator):
            letters[indicator] = abc_classes(values, rule, quota=quota, cuts=value_cuts)
        else:  # nobody is the best of the few who are known; but a loss is a loss
            letters[indicator] = pd.Series(MISSING, judged.index, dtype="str").mask(
                values < 0, LOSS
            )
        judged[f"{indicator}_class"] = letters[indicator]
    if by_revenue(judged):
        letters["payments"] = judged["revenue_class"] = abc_classes(
            judged["revenue"], rule, quota=quota, cuts=value_cuts
        )
        weights = {**dict.fromkeys(INDICATORS, 0.0), "payments": 1.0}
    judged["code"] = letters[INDICATORS[0]].str.cat(
        [letters[indicator] for indicator in INDICATORS[1:]]
    )
    # at most 125: what hangs on the code is worked out once for each
    which, codes = pd.factorize(judged["code"])
    counted = {} if by_revenue(judged) else dict.fromkeys(classed_by(judged))
    counted = {i: weights[i] for i in counted or INDICATORS[:1]}
    composite = [_composite(code, counted, composite_cuts) for code in codes]
    judged["composite_class"] = pd.array(
        [letter for letter, _points in composite], dtype="str"
    ).take(which)
    if diagnoses is not None:
        judged["diagnosis"] = named_codes(judged["code"], diagnoses)
    points = np.array([points for _letter, points in composite], dtype="float64")[which]
    rank = np.array([CLASSES.index(letter) for letter, _points in composite], dtype="int64")[which]
    first = next(iter(classed_by(totals)), None)
    sizes = judged[first].to_numpy(dtype="float64", na_value=np.nan) if first else points
    return judged.iloc[np.lexsort((-sizes, -points, rank))].reset_index(drop=True)


def by_revenue(totals: pd.DataFrame) -> bool:
    """Whether classes can only go by revenue.

    Neither payments nor gross profit are known of half the dealers, revenue is.
    """
    return classed_by(totals) == ["revenue"]


def classed_by(totals: pd.DataFrame) -> list[str]:
    """Name the indicators that make the classes, in the order of the code.

    Revenue alone where no other size is told of half the dealers.
    """
    told = [i for i in INDICATORS if is_known(totals, i)]
    sizes = [i for i in told if i not in NOT_ADDITIVE]
    return told if sizes or not is_known(totals, "revenue") else ["revenue"]


def is_known(totals: pd.DataFrame, indicator: str) -> bool:
    """Whether an indicator is known of so many dealers that they can be compared in it.

    Shares are of a whole of their own: who reports one is classed among those who do.
    """
    if indicator not in totals:
        return False
    known = totals[indicator].notna()
    return bool(known.any() if indicator in NOT_ADDITIVE else known.mean() >= KNOWN_SHARE)


def _composite(code: str, weights: Mapping[str, float], cuts: Sequence[float]) -> tuple[str, float]:
    """Give class and points by the indicators of `weights`; points are those of known letters.

    A letter L counts nothing, and makes the class C whatever the others are. A missing one may be
    A or C: that it hides a loss is not supposed of anybody.
    """
    letters = {i: x for i, x in zip(INDICATORS, code, strict=True) if i in weights}
    known = {i: POINTS.get(x, 0) for i, x in letters.items() if x != MISSING}
    total = sum(weights[i] for i in known)
    told = sum(weights[i] * points for i, points in known.items())
    points = round(told / total, 9) if total > 0 else 0.0  # 2.4999… is 2.5
    if LOSS in code:
        return "C", points
    if total <= 0:
        return MISSING, 0.0
    whole = sum(weights.values())
    best, worst = (
        _class_of(round((told + (whole - total) * POINTS[x]) / whole, 9), cuts) for x in "AC"
    )
    return (best if best == worst else f"{best}{BETWEEN}{worst}"), points


def _class_of(points: float, cuts: Sequence[float]) -> str:
    return "A" if points >= cuts[0] else "B" if points >= cuts[1] else "C"


def named(judged: pd.DataFrame, dealers: pd.DataFrame, diagnoses: pd.DataFrame) -> pd.DataFrame:
    """Add `dealer_name` and `diagnosis`, in the language spoken."""
    names = dealers.drop_duplicates("dealer_id").set_index("dealer_id")["dealer_name"]
    return judged.assign(
        dealer_name=judged["dealer_id"].map(names), diagnosis=named_codes(judged["code"], diagnoses)
    )


def named_codes(codes: pd.Series, diagnoses: pd.DataFrame) -> pd.Series:
    """Name three-letter codes in the language spoken.

    Parameters
    ----------
    diagnoses
        Columns `pattern` (three letters, `*` for any, known or not), `en`, `zh`; the first match
        wins. A pattern whose words claim something of an indicator names its letter; a code with an
        L is only named by a pattern with an L, or by `***`.

    Raises
    ------
    ValueError
        If the diagnoses leave a code without a name.
    """
    return codes.map({code: _diagnosis(code, diagnoses) for code in codes.unique()}).astype("str")


def _diagnosis(code: str, diagnoses: pd.DataFrame) -> str:
    for row in diagnoses.itertuples():
        if len(str(row.pattern)) != len(INDICATORS):
            raise ValueError(
                f"diagnoses.csv: the pattern {row.pattern!r} needs three letters: A, B, C, L, – "
                "or *"
            )
        if LOSS in code and LOSS not in row.pattern and row.pattern != ANY:
            # "big" is not the name of a dealer who costs us money, whoever wrote the table
            continue
        if all(p in ("*", letter) for p, letter in zip(row.pattern, code, strict=True)):
            return words.translated(row.en, row.zh)
    raise ValueError(f"diagnoses.csv: no pattern fits the code {code!r}; let the last row be '***'")


def overridden_classes(
    judged: pd.DataFrame, overrides: pd.DataFrame, end_date: pd.Timestamp
) -> pd.DataFrame:
    """Put classes set by hand in place of the computed ones, where they are valid on the window's
    last day.

    Adds `computed_class` and `override_reason` (with the author); of several valid overrides the
    latest wins.

    Raises
    ------
    DataError
        If any of them, valid or not, sets a class that is none of A, B, C: L and – are found, not
        set.
    """
    wrong = overrides[~overrides["class"].isin(POINTS)]
    if len(wrong):
        row = wrong.iloc[0]
        raise refusal(
            "class_set",
            given=row["class"],
            n=len(wrong),
            dealer=row["dealer_id"],
            day=str(row["valid_from"])[:10],
        )
    result = judged.assign(computed_class=judged["composite_class"], override_reason="")
    end = pd.Timestamp(end_date)
    valid = overrides[(overrides["valid_from"] <= end) & ~(overrides["valid_to"] < end)]
    valid = valid.sort_values("valid_from", kind="stable")
    chosen = valid.drop_duplicates("dealer_id", keep="last").set_index("dealer_id")
    by_hand = result["dealer_id"].isin(chosen.index)
    ids = result.loc[by_hand, "dealer_id"]
    result.loc[by_hand, "composite_class"] = ids.map(chosen["class"])
    result.loc[by_hand, "override_reason"] = ids.map(
        chosen["reason"] + " (" + chosen["author"] + ")"
    )
    return result


def judged_windows(totals: pd.DataFrame, **options: object) -> pd.DataFrame:
    """Judge each `window_end` by itself: `dealer_id`, `window_end`, `code`, `composite_class`.

    No window, no rows; `options` as for `joint_judgement`.
    """
    columns = ["dealer_id", "window_end", "code", "composite_class"]
    judged = [
        joint_judgement(window, **options)[columns] for _end, window in totals.groupby("window_end")
    ]
    return (
        pd.concat(judged, ignore_index=True)
        if judged
        else pd.DataFrame(columns=columns, dtype="str")
    )


def grouped_totals(totals: pd.DataFrame, dealers: pd.DataFrame) -> pd.DataFrame:
    """Sum up dealers to their `dealer_group`; who has no group stands for himself."""
    group = dealers.set_index("dealer_id")["dealer_group"]
    key = totals["dealer_id"].map(group).fillna(totals["dealer_id"]).rename("dealer_id")
    money = [
        "purchases",
        "revenue",
        "gross_profit",
        "covered_revenue",
        "quantity",
        "payments",
        "brand_part",
        "brand_total",
    ]
    money = [column for column in money if column in totals]
    # cents again after adding floats, so that equal groups tie; a column of unknowns stays unknown
    summed = totals[money].groupby(key).sum(min_count=1).round(2)
    summed["brand_share"] = summed["brand_part"] / summed["brand_total"].where(
        summed["brand_total"] > 0
    )
    return summed.reset_index()


def group_table(
    totals: pd.DataFrame, dealers: pd.DataFrame, diagnoses: pd.DataFrame, **options: object
) -> pd.DataFrame:
    """Judge the dealers' groups as one customer each, among all customers.

    No rows where no group is given; `options` as for `joint_judgement`.
    """
    judged = joint_judgement(grouped_totals(totals, dealers), diagnoses, **options)
    sizes = dealers[dealers["dealer_id"].isin(totals["dealer_id"])].groupby("dealer_group").size()
    groups = judged[judged["dealer_id"].isin(sizes.index)].rename(
        columns={"dealer_id": "dealer_group"}
    )
    groups.insert(1, "n_dealers", groups["dealer_group"].map(sizes))
    columns = ["dealer_group", "n_dealers", *INDICATORS, "code", "composite_class", "diagnosis"]
    return groups[columns].reset_index(drop=True)


def class_table(judged: pd.DataFrame) -> pd.DataFrame:
    """Make the ABC table: per indicator and class the dealers and their part of what is above zero.

    Dealers below zero (L) and those of whom nothing is known (–) are rows of their own; `n_dealers`
    of the classes sums to all dealers per indicator. `value_share` is of the sum of what is above
    zero; the losses stand beside it in money, and where there are any a row `net` says what is left
    of both. Without payments and gross profit the indicator is revenue.
    """
    rows = []
    for indicator in [i for i in (*INDICATORS, "revenue") if has_letters(judged, i)]:
        values, letters = judged[indicator], judged[f"{indicator}_class"]
        sums, additive = gains_and_losses(values), indicator not in NOT_ADDITIVE
        for name in LETTERS:
            inside = letters == name
            if name in POINTS or inside.any():
                # who has no letter may hold a part of it, where too few others are known
                holds = name not in (LOSS, MISSING) or values[inside].gt(0).any()
                rows.append(
                    {
                        "indicator": indicator,
                        "class": name,
                        "n_dealers": int(inside.sum()),
                        "dealer_share": inside.sum() / len(judged),
                        "value": round(values[inside].sum(min_count=name == MISSING), 2)
                        if additive
                        else np.nan,
                        "value_share": held_share(values, inside) if additive and holds else np.nan,
                        "least": values[inside].min() if inside.any() else np.nan,
                    }
                )
        if additive and sums.n_losing:
            known = int(values.notna().sum())
            rows.append(
                {
                    "indicator": indicator,
                    "class": "net",
                    "n_dealers": known,
                    "dealer_share": known / len(judged),
                    "value": sums.net,
                }
            )
    columns = ["indicator", "class", "n_dealers", "dealer_share", "value", "value_share", "least"]
    return pd.DataFrame(rows, columns=columns)


def has_letters(judged: pd.DataFrame, indicator: str) -> bool:
    """Whether anybody has a letter in an indicator.

    Revenue has some only where classes go by it.
    """
    return f"{indicator}_class" in judged and judged[f"{indicator}_class"].ne(MISSING).any()


def loss_table(judged: pd.DataFrame) -> pd.DataFrame:
    """List the dealers that are below zero in an indicator, who costs us most first.

    No rows where nobody is.
    """
    losing = judged[judged["code"].str.contains(LOSS)].assign(far=lambda rows: _loss(rows))
    columns = [
        "dealer_id",
        "dealer_name",
        "city",
        "account_manager",
        "code",
        "diagnosis",
        "gross_profit",
        "payments",
        "brand_share",
        "revenue",
    ]
    losing = losing.sort_values(["far", "dealer_id"])
    return losing[[c for c in columns if c in losing]].reset_index(drop=True)


def _loss(rows: pd.DataFrame) -> pd.Series:
    """Give what is below zero in money: of gross profit, else of payments, else of revenue.

    Else nothing.
    """
    parts = [rows[i].where(rows[i] < 0) for i in SIZES if i in rows]
    found = parts[0]
    for part in parts[1:]:
        found = found.fillna(part)
    return found.fillna(0.0)


def abc_table(judged: pd.DataFrame, moved: pd.DataFrame, dealers: pd.DataFrame) -> pd.DataFrame:
    """Make the ABC table for people.

    One row per dealer, best first, in the columns of the contract and a few more.
    """
    rows = judged.drop(columns="dealer_name", errors="ignore").merge(
        dealers, on="dealer_id", how="left"
    )
    rows = rows.merge(
        moved[["dealer_id", "previous_class", "movement"]], on="dealer_id", how="left"
    )
    letters = [f"{i}_class" for i in INDICATORS]
    columns = [
        "dealer_id",
        "dealer_name",
        "city",
        "account_manager",
        *INDICATORS,
        *letters,
        "code",
        "composite_class",
        "diagnosis",
        "previous_class",
        "movement",
        "override_reason",
        "revenue",
        "covered_revenue",
    ]
    return rows.reindex(columns=columns)


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Choose the columns of the ABC table that a page shows.

    Revenue where no payments nor profit are known.
    """
    at = SHOWN.index("code")
    return table[[*SHOWN[:at], *told_size(table), *SHOWN[at:]]]


def told_size(table: pd.DataFrame) -> list[str]:
    """Name the column that says how big a dealer is where neither payments nor gross profit do."""
    return [] if any(is_known(table, i) for i in ("payments", "gross_profit")) else ["revenue"]


def flagged(table: pd.DataFrame) -> pd.Series:
    """Mark the dealers that other parts of the edition point to.

    Who moved by two classes, or is set by hand.
    """
    # who may be either of two classes has not moved
    rank = {letter: i for i, letter in enumerate(LETTERS) if letter != MISSING}
    steps = table["previous_class"].map(rank) - ranked_classes(table).map(rank)
    return (steps.abs() >= 2) | (table["override_reason"] != "")


def main_indicator(judged: pd.DataFrame) -> str:
    """Name the indicator that stands for the size of a dealer, of those that have classes.

    The first in which anybody is above zero; where nobody is in any, the first that is known.
    """
    known = [i for i in SIZES if has_letters(judged, i) and is_known(judged, i)]
    return next((i for i in known if (judged[i] > 0).any()), (known or ["revenue"])[0])


def cost_cover(totals: pd.DataFrame) -> float:
    """Give the part of our revenue whose lines have a cost, which gross profit is the profit of.

    NaN without any.

    What is not covered counts by its amount, a return too, so that nothing uncovered can cancel
    out.
    """
    if "covered_revenue" not in totals or totals["covered_revenue"].isna().all():
        return float("nan")
    covered = totals["covered_revenue"].fillna(0.0)
    gap = (totals["revenue"].fillna(0.0) - covered).round(2).abs().sum()
    whole = covered.abs().sum() + gap
    return float(covered.abs().sum() / whole) if whole > 0 else float("nan")


def margin_rate(totals: pd.DataFrame) -> pd.Series:
    """Give our gross margin: gross profit ÷ revenue of the lines that have a cost.

    NaN where that is not above zero.
    """
    covered = totals["covered_revenue"] if "covered_revenue" in totals else totals["revenue"]
    return totals["gross_profit"] / covered.where(covered > 0)


def plot_class_map(judged: pd.DataFrame, *, note: str = "", ax: Axes | None = None) -> Axes | None:
    """Draw dealers by size and margin, coloured by composite class.

    Who is big but thin, small but rich.

    Nothing is drawn where fewer than two dealers have both revenue and lines with a cost.
    """
    shown = judged[(judged["revenue"] > 0) & margin_rate(judged).notna()]
    if len(shown) < 2:
        return None
    ax = ax or look.axes(height=4.2, dense=len(shown) > look.MANY)
    margin = margin_rate(shown).clip(-0.5, 1)
    served, is_open = called_classes(shown["composite_class"]), undecided(shown["composite_class"])
    for letter in ("C", "B", "A"):
        inside = served == letter
        dots = ax.scatter(
            shown["revenue"][inside],
            margin[inside],
            s=20,
            color=look.COLORS[letter],
            label=letter,
            edgecolor=np.where(is_open[inside], look.COLORS["text"], "white"),
            linewidth=np.where(is_open[inside], 1.0, 0.4),
        )
        if "dealer_name" in shown:  # a dot tells its dealer to who points at it
            named = shown[inside].itertuples()
            dots.set_urls([f"{words.fitting(str(row.dealer_name))} · {row.code}" for row in named])
    ax.set_xscale("log")
    # powers of ten alone would be too few marks to read
    if shown["revenue"].max() < 30 * shown["revenue"].min():
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    look.money_axis(ax.xaxis)
    look.share_axis(ax.yaxis)
    ax.set(xlabel=words.label("revenue"), ylabel=words.label("gross_margin_rate"))
    for letter in "CBA":
        inside = served == letter
        if inside.any():  # named in the middle of its dots
            ax.annotate(
                letter,
                (shown["revenue"][inside].median(), margin[inside].median()),
                ha="center",
                va="center",
                fontsize=13,
                zorder=4,
                bbox={"boxstyle": "circle,pad=0.2", "facecolor": "white", "linewidth": 0.8}
                | {"edgecolor": look.ink(look.COLORS[letter])},
            )
    best = shown["composite_class"] == "A"
    thin, key = (
        int((best & (margin < margin.median())).sum()),
        "pareto.map" if best.any() else "pareto.map_no_best",
    )
    return look.explain(
        ax,
        words.say(key, n=thin, of=int(best.sum())),
        words.say("pareto.map_how_open" if is_open.any() else "pareto.map_how"),
        note,
    )
