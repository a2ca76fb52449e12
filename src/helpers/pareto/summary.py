"""What the ABC page says in sentences, and what it hands to the front page."""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from helpers import periods, words
from helpers.pareto.classes import (
    INDICATORS,
    LOSS,
    MISSING,
    NOT_ADDITIVE,
    gains_and_losses,
    held_share,
    n_best,
    ranked_classes,
    top_share,
    undecided,
)
from helpers.pareto.judgement import (
    COMPOSITE_CUTS,
    POINTS,
    WEIGHTS,
    by_revenue,
    classed_by,
    cost_cover,
    has_letters,
    is_known,
    main_indicator,
)
from helpers.settings import page_of

COUNTED = ("risen", "fallen", "outgrown", "joined", "won_back", "left")
SAME_COVER = 0.005  # parts of revenue that differ by less are the same


def loss_sentences(
    judged: pd.DataFrame, indicators: Iterable[str] = (*INDICATORS, "revenue")
) -> list[str]:
    """Say per indicator who is below zero.

    In money what they cost, what the others bring, and what is left.
    """
    said = []
    for indicator in indicators:
        if not has_letters(judged, indicator) or not (judged[f"{indicator}_class"] == LOSS).any():
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
    n_open = int(undecided(judged["composite_class"]).sum())
    counts["below"] += words.say("pareto.of_them_open", n=n_open) if n_open else ""
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
                "pareto.classes", by=judged_by(judged), **counts, share=share, indicator=label
            )
        )
    else:
        said.append(words.say("pareto.classes_only", by=judged_by(judged), **counts))
    said += loss_sentences(judged)
    how = moved["movement"].value_counts()
    if not (moved["movement"] == "–").all():
        said.append(words.say("pareto.moved", **{m: how.get(m, 0) for m in COUNTED}))
    for movement, steps in (("fallen", -2), ("risen", 2)):
        far = moved[(moved["steps"] == steps) & (moved["movement"] == movement)]
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


def judged_by(judged: pd.DataFrame) -> str:
    """Say what the classes rest on: all indicators together, or the only one that is known."""
    known = classed_by(judged)
    return (
        words.say("pareto.by_one", indicator=words.label(known[0]))
        if len(known) == 1
        else words.say("pareto.by_all")
    )


def basis_sentences(
    judged: pd.DataFrame,
    basis: str,
    weights: Mapping[str, float] = WEIGHTS,
    cuts: Sequence[float] = COMPOSITE_CUTS,
) -> list[str]:
    """Say what our brand's share is a share of, what is missing, what the classes rest on, and the
    weights.
    """
    told = {i: int(judged[i].notna().sum()) for i in INDICATORS}
    known = {i: w for i, w in weights.items() if is_known(judged, i)}
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
        n_open = int(undecided(judged["composite_class"]).sum())
        said.append(
            words.say("pareto.fewer_letters", n=int(partly.sum()), of=len(judged), open=n_open)
        )
    if len(known) < 2:
        return said
    whole = round(sum(known.values()), 12) or 1  # 0.125 of 0.9999… is no 12.5%
    weights = ", ".join(f"{words.label(i)} {words.percent(w / whole)}" for i, w in known.items())
    return [*said, words.say("pareto.weights", weights=weights, a=cuts[0], b=cuts[1])]


def headlines(judged: pd.DataFrame, moved: pd.DataFrame) -> list[dict]:
    """Make the front page's verdict, and what changed in the classes.

    Keys as `report.headline`.

    The verdict's share is of what is above zero; what is lost stands behind it.
    """
    how, verdict = moved["movement"].value_counts(), " ".join(_verdict(judged))
    made = [
        {
            "place": "verdict",
            "text": verdict if words.spoken() == "en" else verdict.replace("。 ", "。"),
        }
    ]
    made += [{"place": "quality", "text": said} for said in cover_sentences(judged)]
    if not (moved["movement"] == "–").all():
        said = words.say("pareto.moved", **{m: how.get(m, 0) for m in COUNTED})
        made.append({"place": "change", "text": said, "link": page_of("abc_pareto")})
    for movement, steps in (("fallen", -2), ("risen", 2)):
        far = moved[(moved["steps"] == steps) & (moved["movement"] == movement)]
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
