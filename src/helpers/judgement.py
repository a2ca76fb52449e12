"""Joint judgement: three indicators classed by themselves, judged together, named, and told in sentences."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import periods, style
from helpers.pareto import INDICATORS, MISSING, NOT_ADDITIVE, abc_classes, n_best, top_share

WEIGHTS = {"payments": 0.4, "gross_profit": 0.4, "brand_share": 0.2}  # of the joint judgement; the page states them
POINTS = {"A": 3, "B": 2, "C": 1}
COMPOSITE_CUTS = (2.5, 1.5)  # weighted points from which a dealer is A, then B
SHOWN = ["dealer_id", "dealer_name", "city", *INDICATORS, "code", "composite_class", "diagnosis", "previous_class"]


def joint_judgement(
    totals: pd.DataFrame, diagnoses: pd.DataFrame, *, rule: str = "quota", weights: Mapping[str, float] = WEIGHTS
) -> pd.DataFrame:
    """Class each indicator by itself, then all three together.

    Parameters
    ----------
    totals
        One row per dealer, with those of `INDICATORS` that are known; the others count as missing.
    diagnoses
        Columns `pattern` (three letters, `*` for any), `en`, `zh`; the first match wins.

    Returns
    -------
    DataFrame
        `totals` with `<indicator>_class`, the three-letter `code`, `composite_class` (weighted points of the known
        letters, A = 3 … C = 1; A from 2.5, B from 1.5) and `diagnosis`, best first.

    Raises
    ------
    ValueError
        If the diagnoses leave a code without a name.
    """
    judged = totals.sort_values("dealer_id", ignore_index=True)
    letters = {}
    for indicator in INDICATORS:
        values = judged[indicator] if indicator in judged else pd.Series(np.nan, index=judged.index)
        # shares of different wholes can't be accumulated: they keep to the quota under every rule
        letters[indicator] = abc_classes(values, "quota" if indicator in NOT_ADDITIVE else rule)
        judged[f"{indicator}_class"] = letters[indicator]
    judged["code"] = letters[INDICATORS[0]].str.cat([letters[indicator] for indicator in INDICATORS[1:]])
    which, codes = pd.factorize(judged["code"])  # at most 64: what hangs on the code is worked out once for each
    composite = [_composite(code, weights) for code in codes]
    judged["composite_class"] = pd.array([letter for letter, _points in composite], dtype="str").take(which)
    judged["diagnosis"] = pd.array([_diagnosis(code, diagnoses) for code in codes], dtype="str").take(which)
    points = np.array([points for _letter, points in composite], dtype="float64")[which]
    first = next((i for i in INDICATORS if i in totals and totals[i].notna().any()), None)
    sizes = judged[first].to_numpy(dtype="float64", na_value=np.nan) if first else points
    return judged.iloc[np.lexsort((-sizes, -points))].reset_index(drop=True)


def _composite(code: str, weights: Mapping[str, float]) -> tuple[str, float]:
    known = [(weights[i], POINTS[letter]) for i, letter in zip(INDICATORS, code, strict=True) if letter in POINTS]
    total = sum(weight for weight, _ in known)
    if total <= 0:
        return MISSING, 0.0
    points = round(sum(weight * point for weight, point in known) / total, 9)  # 2.4999… is 2.5
    return ("A" if points >= COMPOSITE_CUTS[0] else "B" if points >= COMPOSITE_CUTS[1] else "C"), points


def _diagnosis(code: str, diagnoses: pd.DataFrame) -> str:
    for row in diagnoses.itertuples():
        if len(str(row.pattern)) != len(INDICATORS):
            raise ValueError(f"diagnoses.csv: the pattern {row.pattern!r} needs three letters: A, B, C, – or *")
        if all(p in ("*", letter) for p, letter in zip(row.pattern, code, strict=True)):
            return style.translated(row.en, row.zh)
    raise ValueError(f"diagnoses.csv: no pattern fits the code {code!r}; let the last row be '***'")


def overridden_classes(judged: pd.DataFrame, overrides: pd.DataFrame, end_date: pd.Timestamp) -> pd.DataFrame:
    """Put classes set by hand in place of the computed ones, where they are valid on the window's last day.

    Adds `computed_class` and `override_reason` (with the author); of several valid overrides the latest wins.
    """
    result = judged.assign(computed_class=judged["composite_class"], override_reason="")
    end = pd.Timestamp(end_date)
    valid = overrides[(overrides["valid_from"] <= end) & ~(overrides["valid_to"] < end)]
    valid = valid.sort_values("valid_from", kind="stable")
    if bad := sorted(set(valid["class"]) - set(POINTS)):
        raise ValueError(f"overrides.csv: class {bad[0]!r} is none of A, B, C")
    chosen = valid.drop_duplicates("dealer_id", keep="last").set_index("dealer_id")
    by_hand = result["dealer_id"].isin(chosen.index)
    ids = result.loc[by_hand, "dealer_id"]
    result.loc[by_hand, "composite_class"] = ids.map(chosen["class"])
    result.loc[by_hand, "override_reason"] = ids.map(chosen["reason"] + " (" + chosen["author"] + ")")
    return result


def judged_windows(totals: pd.DataFrame, diagnoses: pd.DataFrame, **options) -> pd.DataFrame:
    """Judge each `window_end` by itself: `dealer_id`, `window_end`, `code`, `composite_class`."""
    judged = [
        joint_judgement(window, diagnoses, **options)[["dealer_id", "window_end", "code", "composite_class"]]
        for _end, window in totals.groupby("window_end")
    ]
    return pd.concat(judged, ignore_index=True)


def grouped_totals(totals: pd.DataFrame, dealers: pd.DataFrame) -> pd.DataFrame:
    """Sum up dealers to their `dealer_group`; who has no group stands for himself."""
    group = dealers.set_index("dealer_id")["dealer_group"]
    key = totals["dealer_id"].map(group).fillna(totals["dealer_id"]).rename("dealer_id")
    money = ["purchases", "revenue", "gross_profit", "quantity", "payments", "brand_part", "brand_total"]
    # cents again after adding floats, so that equal groups tie; a column of unknowns stays unknown
    summed = totals[money].groupby(key).sum(min_count=1).round(2)
    summed["brand_share"] = summed["brand_part"] / summed["brand_total"].where(summed["brand_total"] > 0)
    return summed.reset_index()


def group_table(totals: pd.DataFrame, dealers: pd.DataFrame, diagnoses: pd.DataFrame) -> pd.DataFrame:
    """Judge the dealers' groups as one customer each, among all customers; no rows where no group is given."""
    judged = joint_judgement(grouped_totals(totals, dealers), diagnoses)
    sizes = dealers[dealers["dealer_id"].isin(totals["dealer_id"])].groupby("dealer_group").size()
    groups = judged[judged["dealer_id"].isin(sizes.index)].rename(columns={"dealer_id": "dealer_group"})
    groups.insert(1, "n_dealers", groups["dealer_group"].map(sizes))
    columns = ["dealer_group", "n_dealers", *INDICATORS, "code", "composite_class", "diagnosis"]
    return groups[columns].reset_index(drop=True)


def class_table(judged: pd.DataFrame) -> pd.DataFrame:
    """Make the ABC table: per indicator and class the dealers and their part of the total.

    Zero and negative values, and missing ones, are rows of their own; `n_dealers` sums to all dealers per indicator.
    """
    rows = []
    for indicator in [i for i in INDICATORS if i in judged and judged[i].notna().any()]:
        values, letters = judged[indicator], judged[f"{indicator}_class"]
        total = round(float(values.sum()), 2)  # 0.1 + 0.2 − 0.3 is nothing to have a share of
        kind = letters.where(~(values <= 0), "zero_or_negative")
        for name in ["A", "B", "C", "zero_or_negative", MISSING]:
            inside = values[kind == name]
            if name in POINTS or len(inside):
                additive = indicator not in NOT_ADDITIVE
                rows.append(
                    {
                        "indicator": indicator, "class": name, "n_dealers": len(inside),
                        "dealer_share": len(inside) / len(judged),
                        "value": inside.sum() if additive and name != MISSING else np.nan,
                        "value_share": inside.sum() / total if additive and total > 0 and name != MISSING else np.nan,
                        "least": inside.min() if len(inside) else np.nan,
                    }
                )  # fmt: skip
    columns = ["indicator", "class", "n_dealers", "dealer_share", "value", "value_share", "least"]
    return pd.DataFrame(rows, columns=columns)


def abc_table(judged: pd.DataFrame, moved: pd.DataFrame, dealers: pd.DataFrame) -> pd.DataFrame:
    """Make the ABC table for people: one row per dealer, best first, in the columns of the contract and a few more."""
    rows = judged.drop(columns="dealer_name", errors="ignore").merge(dealers, on="dealer_id", how="left")
    rows = rows.merge(moved[["dealer_id", "previous_class", "movement"]], on="dealer_id", how="left")
    letters = [f"{i}_class" for i in INDICATORS]
    columns = ["dealer_id", "dealer_name", "city", "account_manager", *INDICATORS, *letters, "code", "composite_class",
               "diagnosis", "previous_class", "movement", "override_reason"]  # fmt: skip
    return rows[columns]


def flagged(table: pd.DataFrame) -> pd.Series:
    """Mark the dealers that other parts of the edition point to: who moved by two classes, or is set by hand."""
    pair = table["previous_class"].fillna("") + table["composite_class"]
    return pair.isin(["AC", "CA"]) | (table["override_reason"] != "")


def main_indicator(judged: pd.DataFrame) -> str:
    """Name the indicator that stands for the size of a dealer: the first additive one that is known."""
    return next((i for i in ("gross_profit", "payments", "revenue") if judged[i].notna().any()), "revenue")


def bottom_line(judged: pd.DataFrame, moved: pd.DataFrame, overdue: pd.DataFrame | None) -> list[str]:
    """Say what the page found, most important first; what the data don't tell is said too.

    `judged` has `dealer_name`; `moved` comes from `migration.movements` with `dealer_name`, `overdue` from
    `receivables.overdue` with `dealer_name`, or None without payments.
    """
    size, names = main_indicator(judged), style.label(main_indicator(judged))
    counts, positive = judged["composite_class"].value_counts(), judged[judged[size] > 0]
    held = judged.loc[judged["composite_class"] == "A", size].clip(lower=0).sum() / max(positive[size].sum(), 1e-9)
    said = [
        style.say("pareto.top", n=n_best(len(positive)), of=len(positive), indicator=names,
                  share=style.percent(top_share(judged[size]))),
        style.say("pareto.classes", a=counts.get("A", 0), b=counts.get("B", 0), c=counts.get("C", 0),
                  share=style.percent(held), indicator=names),
    ]  # fmt: skip
    how = moved["movement"].value_counts()
    if not (moved["movement"] == "–").all():
        said.append(style.say("pareto.moved", **{m: how.get(m, 0) for m in ("risen", "fallen", "joined", "left")}))
    for movement, steps in (("fallen", -2), ("risen", 2)):
        far = moved[moved["steps"] == steps]
        said += [style.say(f"pareto.{movement}", names=style.listed(far["dealer_name"]))] if len(far) else []
    stopped = overdue[overdue["status"] == "stopped_paying"] if overdue is not None else moved.head(0)
    if len(stopped):
        said.append(style.say("pareto.stopped", n=len(stopped), balance=stopped["balance"].sum(),
                              names=style.listed(stopped["dealer_name"])))  # fmt: skip
    by_hand = int((judged["override_reason"] != "").sum()) if "override_reason" in judged else 0
    said += [style.say("pareto.overridden", n=by_hand)] if by_hand else []
    unknown = [i for i in INDICATORS if judged[i].isna().all()]
    return said + [style.say("pareto.no_indicator", indicator=style.label(i)) for i in unknown]


def basis_sentences(judged: pd.DataFrame, basis: str) -> list[str]:
    """Say what our brand's share is a share of, what is missing, and the weights of the joint judgement."""
    said = [style.say(f"pareto.basis_{basis}")] if basis else []
    said += [style.say("pareto.no_indicator", indicator=style.label(i)) for i in INDICATORS if judged[i].isna().all()]
    known = {i: w for i, w in WEIGHTS.items() if judged[i].notna().any()}
    weights = ", ".join(f"{style.label(i)} {style.percent(w / sum(known.values()))}" for i, w in known.items())
    return [*said, style.say("pareto.weights", weights=weights)]


def headlines(judged: pd.DataFrame, moved: pd.DataFrame, overdue: pd.DataFrame) -> list[dict]:
    """Make the front page's verdict, its figures on classes and payers, and what changed; keys as `report.headline`."""
    size = main_indicator(judged)
    held = judged[judged["composite_class"] == "A"]
    share = held[size].clip(lower=0).sum() / max(judged[size].clip(lower=0).sum(), 1e-9)
    how = moved["movement"].value_counts()
    stopped = overdue[overdue["status"] == "stopped_paying"]
    verdict = style.say("pareto.verdict", n=len(held), share=style.percent(share), indicator=style.label(size))
    made = [{"place": "verdict", "text": verdict}]
    if judged["payments"].notna().any():
        owed = {"place": "tile", "label": style.say("pareto.tile_stopped"), "text": f"{len(stopped):,}"}
        change = style.say("pareto.owe", balance=float(stopped["balance"].sum()))
        made.append({**owed, "change": change, "tone": "bad" if len(stopped) else "good"})
    if not (moved["movement"] == "–").all():
        said = style.say("pareto.moved", **{m: how.get(m, 0) for m in ("risen", "fallen", "joined", "left")})
        made.append({"place": "change", "text": said, "link": "02_abc_pareto.html"})
    for movement, steps in (("fallen", -2), ("risen", 2)):
        far = moved[moved["steps"] == steps]
        if len(far):
            said = style.say(f"pareto.{movement}", names=style.listed(far["dealer_name"]))
            made.append({"place": "change", "text": said, "link": "02_abc_pareto.html"})
    return made


def tiles(months: pd.DataFrame, period: str) -> list[dict]:
    """Make the front page's figures: each known total of the window, against the window a month before.

    Keys as `report.headline` takes them; `trend` is the last 24 months, or those that are known. Where the data don't
    reach back over the window a month before, there is no change: eleven months would make every total grow.
    """
    made = []
    for column in ("revenue", "payments", "gross_profit"):
        sums = months.groupby("month")[column].sum(min_count=1).dropna()
        known = [month for month in periods.month_range(period, 24) if month >= sums.index.min()] if len(sums) else []
        sums = sums.reindex(known, fill_value=0.0)
        if not (now := sums.iloc[-12:].sum()):
            continue
        tile = {"place": "tile", "label": style.say("pareto.tile", indicator=style.label(column)),
                "text": style.money(now), "trend": [float(x) for x in sums]}  # fmt: skip
        if len(sums) > 12 and (before := sums.iloc[-13:-1].sum()) > 0:
            change = style.change(now, before)
            tile |= {"tone": "good" if now >= before else "bad", "change": style.say("pareto.change", change=change)}
        made.append(tile)
    return made


def plot_class_map(judged: pd.DataFrame, *, scope: str = "", ax: Axes | None = None) -> Axes:
    """Draw dealers by size and margin, coloured by composite class: who is big but thin, small but rich."""
    shown = judged[(judged["revenue"] > 0) & judged["gross_profit"].notna()]
    ax = ax or style.axes(height=4.2, dense=len(shown) > style.MANY)
    margin = (shown["gross_profit"] / shown["revenue"]).clip(-0.5, 1)
    for letter in ("C", "B", "A"):
        inside = shown["composite_class"] == letter
        ax.scatter(shown["revenue"][inside], margin[inside], s=20, color=style.COLORS[letter], label=letter,
                   edgecolor="white", linewidth=0.4)  # fmt: skip
    ax.set_xscale("log")
    style.money_axis(ax.xaxis)
    style.share_axis(ax.yaxis)
    ax.set(xlabel=style.label("revenue"), ylabel=style.label("gross_margin_rate"))
    ax.legend(title=style.label("composite_class"), loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2)
    thin = int(((shown["composite_class"] == "A") & (margin < margin.median())).sum())
    title = style.say("pareto.map", n=thin, of=int((shown["composite_class"] == "A").sum()))
    return style.explain(ax, title, style.say("pareto.map_how"), scope)
