"""Joint judgement: three indicators classed by themselves, judged together, named, and told in
sentences.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from helpers import look, periods, words
from helpers.pareto.classes import (
    INDICATORS,
    LETTERS,
    LOSS,
    MISSING,
    NOT_ADDITIVE,
    abc_classes,
    gains_and_losses,
    held_share,
    n_best,
    ranked_classes,
    top_share,
)
from helpers.settings import DataError, page_of

# of the joint judgement; the page states them
WEIGHTS = {"payments": 0.4, "gross_profit": 0.4, "brand_share": 0.2}
POINTS = {"A": 3, "B": 2, "C": 1}
KNOWN_SHARE = 0.5  # of the dealers: an indicator known of fewer says nothing of the others
SAME_COVER = 0.005  # parts of revenue that differ by less are the same
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
    diagnoses: pd.DataFrame,
    *,
    rule: str = "quota",
    weights: Mapping[str, float] = WEIGHTS,
) -> pd.DataFrame:
    """Class each indicator by itself, then all three together.

    Parameters
    ----------
    totals
        One row per dealer, with those of `INDICATORS` that are known; the others count as missing.
    diagnoses
        Columns `pattern` (three letters, `*` for any, known or not), `en`, `zh`; the first match
        wins. A pattern whose words claim something of an indicator names its letter; a code with an
        L is only named by a pattern with an L, or by `***`.

    Returns
    -------
    DataFrame
        `totals` with `<indicator>_class`, the three-letter `code`, `composite_class` (weighted
        points of the known letters, A = 3 … C = 1; A from 2.5, B from 1.5; C where any letter is L)
        and `diagnosis`, best first. Where neither payments nor gross profit are known of anybody,
        the class is that of revenue (`revenue_class`), whose letter then stands first in the code,
        in the place of size.

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
            letters[indicator] = abc_classes(values.round(12), "quota")
        elif _is_told(judged, indicator):
            letters[indicator] = abc_classes(values, rule)
        else:  # nobody is the best of the few who are known; but a loss is a loss
            letters[indicator] = pd.Series(MISSING, judged.index, dtype="str").mask(
                values < 0, LOSS
            )
        judged[f"{indicator}_class"] = letters[indicator]
    if by_revenue(judged):
        letters["payments"] = judged["revenue_class"] = abc_classes(judged["revenue"], rule)
        weights = {**dict.fromkeys(INDICATORS, 0.0), "payments": 1.0}
    judged["code"] = letters[INDICATORS[0]].str.cat(
        [letters[indicator] for indicator in INDICATORS[1:]]
    )
    # at most 125: what hangs on the code is worked out once for each
    which, codes = pd.factorize(judged["code"])
    composite = [_composite(code, weights) for code in codes]
    judged["composite_class"] = pd.array(
        [letter for letter, _points in composite], dtype="str"
    ).take(which)
    judged["diagnosis"] = pd.array(
        [_diagnosis(code, diagnoses) for code in codes], dtype="str"
    ).take(which)
    points = np.array([points for _letter, points in composite], dtype="float64")[which]
    rank = np.array([LETTERS.index(letter) for letter, _points in composite], dtype="int64")[which]
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
    told = [i for i in INDICATORS if _is_told(totals, i)]
    sizes = [i for i in told if i not in NOT_ADDITIVE]
    return told if sizes or not _is_told(totals, "revenue") else ["revenue"]


def _is_told(totals: pd.DataFrame, indicator: str) -> bool:
    """Whether an indicator is known of so many dealers that they can be compared in it.

    Shares are of a whole of their own: who reports one is classed among those who do.
    """
    if indicator not in totals:
        return False
    known = totals[indicator].notna()
    return bool(known.any() if indicator in NOT_ADDITIVE else known.mean() >= KNOWN_SHARE)


def _composite(code: str, weights: Mapping[str, float]) -> tuple[str, float]:
    """Give class and points.

    A letter L counts nothing, and makes the class C whatever the others are.
    """
    known = [
        (weights[i], POINTS.get(x, 0))
        for i, x in zip(INDICATORS, code, strict=True)
        if x != MISSING
    ]
    total = sum(weight for weight, _ in known)
    # 2.4999… is 2.5
    points = round(sum(weight * point for weight, point in known) / total, 9) if total > 0 else 0.0
    if LOSS in code:
        return "C", points
    if total <= 0:
        return MISSING, 0.0
    return (
        "A" if points >= COMPOSITE_CUTS[0] else "B" if points >= COMPOSITE_CUTS[1] else "C"
    ), points


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
        rows = f"{len(wrong):,} {'row' if len(wrong) == 1 else 'rows'}"
        raise DataError(
            f"overrides.csv: class {row['class']!r} is none of A, B, C ({rows}, e.g. of dealer "
            f"{row['dealer_id']!r} from {str(row['valid_from'])[:10]}); write one of them, or "
            "take the row out"
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


def judged_windows(totals: pd.DataFrame, diagnoses: pd.DataFrame, **options) -> pd.DataFrame:
    """Judge each `window_end` by itself: `dealer_id`, `window_end`, `code`, `composite_class`.

    No window, no rows.
    """
    columns = ["dealer_id", "window_end", "code", "composite_class"]
    judged = [
        joint_judgement(window, diagnoses, **options)[columns]
        for _end, window in totals.groupby("window_end")
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
    totals: pd.DataFrame, dealers: pd.DataFrame, diagnoses: pd.DataFrame
) -> pd.DataFrame:
    """Judge the dealers' groups as one customer each, among all customers.

    No rows where no group is given.
    """
    judged = joint_judgement(grouped_totals(totals, dealers), diagnoses)
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
    for indicator in [i for i in (*INDICATORS, "revenue") if _classed(judged, i)]:
        values, letters = judged[indicator], judged[f"{indicator}_class"]
        sums, additive = gains_and_losses(values), indicator not in NOT_ADDITIVE
        for name in LETTERS:
            inside = letters == name
            if name in POINTS or inside.any():
                counted = additive and name not in (LOSS, MISSING)
                rows.append(
                    {
                        "indicator": indicator,
                        "class": name,
                        "n_dealers": int(inside.sum()),
                        "dealer_share": inside.sum() / len(judged),
                        # who has no letter may be known, where too few others are
                        "value": values[inside].sum(min_count=name == MISSING)
                        if additive
                        else np.nan,
                        "value_share": held_share(values, inside) if counted else np.nan,
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


def _classed(judged: pd.DataFrame, indicator: str) -> bool:
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


def loss_sentences(
    judged: pd.DataFrame, indicators: Iterable[str] = (*INDICATORS, "revenue")
) -> list[str]:
    """Say per indicator who is below zero.

    In money what they cost, what the others bring, and what is left.
    """
    said = []
    for indicator in indicators:
        if not _classed(judged, indicator) or not (judged[f"{indicator}_class"] == LOSS).any():
            continue
        sums = gains_and_losses(judged[indicator])
        key = "below" if sums.gains > 0 or indicator in NOT_ADDITIVE else "all_below"
        said.append(
            words.say(
                f"pareto.{key}_{indicator}",
                n=sums.n_losing,
                losses=-sums.losses,
                gains=sums.gains,
                net=sums.net,
            )
        )
    return said


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
    return [] if any(_is_told(table, i) for i in ("payments", "gross_profit")) else ["revenue"]


def flagged(table: pd.DataFrame) -> pd.Series:
    """Mark the dealers that other parts of the edition point to.

    Who moved by two classes, or is set by hand.
    """
    rank = {letter: i for i, letter in enumerate(LETTERS) if letter != MISSING}
    steps = table["previous_class"].map(rank) - ranked_classes(table).map(rank)
    return (steps.abs() >= 2) | (table["override_reason"] != "")


def main_indicator(judged: pd.DataFrame) -> str:
    """Name the indicator that stands for the size of a dealer, of those that have classes.

    The first in which anybody is above zero; where nobody is in any, the first that is known.
    """
    known = [i for i in SIZES if _classed(judged, i) and _is_told(judged, i)]
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


def bottom_line(
    judged: pd.DataFrame, moved: pd.DataFrame, overdue: pd.DataFrame | None
) -> list[str]:
    """Say what the page found, most important first; what the data don't tell is said too.

    `judged` has `dealer_name`; `moved` comes from `pareto.movements` with `dealer_name`,
    `overdue` from `pareto.overdue` with `dealer_name`, or None without payments.
    """
    counts = judged["composite_class"].value_counts()
    counts = {x.lower(): int(counts.get(x, 0)) for x in POINTS}
    # the class of who makes a loss is C, his letter in the table is L
    below = int((ranked_classes(judged) == LOSS).sum())
    counts["below"] = words.say("pareto.of_them_below", n=below) if below else ""
    size, label = main_indicator(judged), words.label(main_indicator(judged))
    n, best = int((judged[size] > 0).sum()), judged["composite_class"] == "A"
    if n:
        share = words.percent(top_share(judged[size]))
        said = [words.say("pareto.top", n=n_best(n), of=n, indicator=label, share=share)]
    else:
        said = [words.say("pareto.none_positive", indicator=label)]
    if n and best.any():
        share = words.percent(held_share(judged[size], best))
        said.append(
            words.say(
                "pareto.classes", by=_judged_by(judged), **counts, share=share, indicator=label
            )
        )
    else:
        said.append(words.say("pareto.classes_only", by=_judged_by(judged), **counts))
    said += loss_sentences(judged)
    how = moved["movement"].value_counts()
    if not (moved["movement"] == "–").all():
        said.append(
            words.say(
                "pareto.moved", **{m: how.get(m, 0) for m in ("risen", "fallen", "joined", "left")}
            )
        )
    for movement, steps in (("fallen", -2), ("risen", 2)):
        far = moved[moved["steps"] == steps]
        said += (
            [words.say(f"pareto.{movement}", names=words.listed(far["dealer_name"]))]
            if len(far)
            else []
        )
    stopped = (
        overdue[overdue["status"] == "stopped_paying"] if overdue is not None else moved.head(0)
    )
    if len(stopped):
        said.append(
            words.say(
                "pareto.stopped",
                n=len(stopped),
                balance=stopped["balance"].sum(),
                names=words.listed(stopped["dealer_name"]),
            )
        )
    by_hand = int((judged["override_reason"] != "").sum()) if "override_reason" in judged else 0
    said += [words.say("pareto.overridden", n=by_hand)] if by_hand else []
    return said


def _judged_by(judged: pd.DataFrame) -> str:
    """Say what the classes rest on: all indicators together, or the only one that is known."""
    known = classed_by(judged)
    return (
        words.say("pareto.by_one", indicator=words.label(known[0]))
        if len(known) == 1
        else words.say("pareto.by_all")
    )


def basis_sentences(judged: pd.DataFrame, basis: str) -> list[str]:
    """Say what our brand's share is a share of, what is missing, what the classes rest on, and the
    weights.
    """
    told = {i: int(judged[i].notna().sum()) for i in INDICATORS}
    known = {i: w for i, w in WEIGHTS.items() if _is_told(judged, i)}
    shared = "brand_share" in known
    said = [words.say(f"pareto.basis_{basis}")] if basis and shared else []
    # of a whole that is not above zero there is no share, though the data tell it
    no_share = words.say(f"pareto.no_share_{basis}" if basis else "pareto.no_brand_share")
    few = [
        words.say(f"pareto.few_{i}", n=told[i], of=len(judged))
        for i in INDICATORS
        if told[i] and i not in known
    ]
    gone = [words.say(f"pareto.no_{i}") for i in INDICATORS[:-1] if not told[i]]
    if by_revenue(judged):
        rest = [*gone, *few, words.say("pareto.so_by_revenue")]
        said += rest if few else [words.say("pareto.by_revenue")]
        return said + ([] if shared else [no_share])
    said += [*gone, *few]
    said += [] if shared else [no_share]
    said += cover_sentences(judged)
    partly = judged[[f"{i}_class" for i in known]].eq(MISSING).any(axis=1)
    if partly.any():
        said.append(words.say("pareto.fewer_letters", n=int(partly.sum()), of=len(judged)))
    if len(known) < 2:
        return said
    weights = ", ".join(
        f"{words.label(i)} {words.percent(w / sum(known.values()))}" for i, w in known.items()
    )
    return [*said, words.say("pareto.weights", weights=weights)]


def headlines(
    judged: pd.DataFrame, moved: pd.DataFrame, overdue: pd.DataFrame | None
) -> list[dict]:
    """Make the front page's verdict, its figures on classes and payers, and what changed.

    Keys as `report.headline`.

    The verdict's share is of what is above zero; what is lost stands behind it. `overdue` is None
    where who has stopped paying can't be told.
    """
    how, verdict = moved["movement"].value_counts(), " ".join(_verdict(judged))
    made = [
        {
            "place": "verdict",
            "text": verdict if words.spoken() == "en" else verdict.replace("。 ", "。"),
        }
    ]
    if overdue is not None:
        stopped = overdue[overdue["status"] == "stopped_paying"]
        owed = {
            "place": "tile",
            "label": words.say("pareto.tile_stopped"),
            "text": f"{len(stopped):,}",
        }
        change = (
            words.say("pareto.owe", balance=float(stopped["balance"].sum())) if len(stopped) else ""
        )
        made.append({**owed, "change": change, "tone": "bad" if len(stopped) else "good"})
    made += [{"place": "quality", "text": said} for said in cover_sentences(judged)]
    if not (moved["movement"] == "–").all():
        said = words.say(
            "pareto.moved", **{m: how.get(m, 0) for m in ("risen", "fallen", "joined", "left")}
        )
        made.append({"place": "change", "text": said, "link": page_of("abc_pareto")})
    for movement, steps in (("fallen", -2), ("risen", 2)):
        far = moved[moved["steps"] == steps]
        if len(far):
            said = words.say(f"pareto.{movement}", names=words.listed(far["dealer_name"]))
            made.append({"place": "change", "text": said, "link": page_of("abc_pareto")})
    return made


def _verdict(judged: pd.DataFrame) -> list[str]:
    """Say what the A dealers hold of all that is above zero, and what is lost beside it.

    Where no dealer earns us anything, that alone: nobody can stand out then.
    """
    size, best = main_indicator(judged), judged["composite_class"] == "A"
    label = words.label(size)
    lost = loss_sentences(judged, dict.fromkeys((size, "gross_profit")))
    profit = judged["gross_profit"] if "gross_profit" in judged else pd.Series(dtype=float)
    if lost and profit.notna().any() and not (profit > 0).any() and not best.any():
        return lost
    if not (judged[size] > 0).any():
        said = [words.say("pareto.none_positive", indicator=label)]
    else:
        share = words.percent(held_share(judged[size], best))
        said = [
            words.say(
                "pareto.verdict" if best.any() else "pareto.no_best",
                n=int(best.sum()),
                share=share,
                indicator=label,
            )
        ]
    return said + lost


def cover_sentences(judged: pd.DataFrame) -> list[str]:
    """Say where gross profit is that of a part of the lines.

    What is nearly all is not called all.
    """
    cover = cost_cover(judged)
    return (
        [words.say("pareto.cost_cover", share=words.percent(min(cover, 0.999), 1))]
        if cover < 1
        else []
    )


def tiles(months: pd.DataFrame, period: str) -> list[dict]:
    """Make the front page's figures.

    Each known total of the window, against the window a month before.

    Keys as `report.headline` takes them; `trend` is the last 24 months, or those that are known.
    The label counts the months that are summed up, and says which part of revenue gross profit is
    the profit of, if not of all. Where the data don't reach back over the window a month before,
    there is no change: eleven months would make every total grow. Nor is there one of gross profits
    that are of different parts of revenue.
    """
    made = []
    inside = months[months["month"].isin(periods.month_range(period, 12))]
    then = cost_cover(
        months[months["month"].isin(periods.month_range(periods.shift(period, -1), 12))]
    )
    for column in ("revenue", "payments", "gross_profit"):
        sums = months.groupby("month")[column].sum(min_count=1).dropna()
        known = (
            [month for month in periods.month_range(period, 24) if month >= sums.index.min()]
            if len(sums)
            else []
        )
        sums = sums.reindex(known, fill_value=0.0)
        if not (now := sums.iloc[-12:].sum()):
            continue
        n, cover = len(sums.iloc[-12:]), cost_cover(inside) if column == "gross_profit" else 1.0
        key, part = (
            ("pareto.tile_cover", words.percent(min(cover, 0.999), 1))
            if cover < 1
            else ("pareto.tile", "")
        )
        tile = {
            "place": "tile",
            "label": words.say(key, indicator=words.label(column), n=n, share=part),
            "text": words.money(now),
            "trend": [float(x) for x in sums],
        }
        is_same = column != "gross_profit" or not abs(cover - then) > SAME_COVER
        if is_same and len(sums) > 12 and (before := sums.iloc[-13:-1].sum()) > 0:
            change = words.change(now, before)
            said = words.say("pareto.change", change=change, month=periods.shift(period, -1))
            tile |= {"tone": "good" if now >= before else "bad", "change": said}
        made.append((now >= 0, tile))
    # the front page shows the first of each page: a total below zero is not to be cut off
    return [tile for _is_gain, tile in sorted(made, key=lambda told: told[0])]


def plot_class_map(judged: pd.DataFrame, *, scope: str = "", ax: Axes | None = None) -> Axes | None:
    """Draw dealers by size and margin, coloured by composite class.

    Who is big but thin, small but rich.

    Nothing is drawn where no dealer has both revenue and lines with a cost.
    """
    shown = judged[(judged["revenue"] > 0) & margin_rate(judged).notna()]
    if shown.empty:
        return None
    ax = ax or look.axes(height=4.2, dense=len(shown) > look.MANY)
    margin = margin_rate(shown).clip(-0.5, 1)
    for letter in ("C", "B", "A"):
        inside = shown["composite_class"] == letter
        ax.scatter(
            shown["revenue"][inside],
            margin[inside],
            s=20,
            color=look.COLORS[letter],
            label=letter,
            edgecolor="white",
            linewidth=0.4,
        )
    ax.set_xscale("log")
    # powers of ten alone would be too few marks to read
    if shown["revenue"].max() < 30 * shown["revenue"].min():
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    look.money_axis(ax.xaxis)
    look.share_axis(ax.yaxis)
    ax.set(xlabel=words.label("revenue"), ylabel=words.label("gross_margin_rate"))
    ax.legend(
        title=words.label("composite_class"),
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        borderaxespad=0.2,
    )
    best = shown["composite_class"] == "A"
    thin, key = (
        int((best & (margin < margin.median())).sum()),
        "pareto.map" if best.any() else "pareto.map_no_best",
    )
    return look.explain(
        ax, words.say(key, n=thin, of=int(best.sum())), words.say("pareto.map_how"), scope
    )
