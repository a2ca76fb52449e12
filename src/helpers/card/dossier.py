"""Dealer card: one dealer on one page, for us before the visit or for the dealer to keep."""

import html
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers import periods, profit, words
from helpers.calls import CHANCES
from helpers.pareto import INDICATORS, called_classes, cover_sentences, ranked_classes

AUDIENCES = ("us", "dealer")
# dealers of his format and area, himself included, for a place among them to mean something
MIN_PEERS = 5
LOWER_IS_BETTER = ("dso_days", "old_share")
PLACED = (*INDICATORS, "dealer_margin_rate", "dso_days", "old_share")
# the narrowest first
CIRCLES = {"format_area": ["store_format", "area_type"], "area": ["area_type"], "all": []}
N_FACTORS = 6  # drawn: the weakest by data
N_MODELS = 4  # named in a sentence or table of his stock
# states of actions that have not ended
STANDING = ("overdue", "behind", "on_course", "not_known", "not_begun")
ACTIONS = ["factor", "owner", "state", "due_date", "now_score", "target_score"]
DEAD = ["product_name", "quantity", "value", "age_days", "last_sold_date"]


class Dossier(NamedTuple):
    """What one audience may see of one dealer.

    For the dealer himself the tables of others and of our judgement are
    empty.
    """

    dealer_id: str
    audience: str
    period: str
    brand: str
    who: pd.Series  # of dealers
    months: pd.DataFrame  # his `month`, `revenue`, `payments`
    owed: pd.DataFrame  # his row of receivables, or none
    aged: pd.DataFrame  # his layers of stock
    dead: pd.DataFrame  # his dead stock, with `product_name`
    lots: pd.DataFrame  # what is proposed to leave him, as `inventory.move_table`
    # us: his row with class, code, diagnosis, `previous_class`, `history`, `stability_rate`
    judged: pd.DataFrame
    places: pd.DataFrame  # us: his place among his peers, as `places_among_peers`
    stakes: pd.DataFrame  # us: all that is at stake there, the surest money first
    lost: pd.DataFrame  # us: his row of `profit.losing`, named, or none
    actions: pd.DataFrame  # us: his open actions of the plan
    factors: pd.DataFrame  # us: `factor`, `score`, `data_score`
    n_months: int = 12  # of the window that the data cover
    has_left: bool = False  # neither bought nor paid in the window


def dossier(
    dealer_id: str,
    audience: str,
    period: str,
    brand: str,
    *,
    dealers: pd.DataFrame,
    months: pd.DataFrame,
    owed: pd.DataFrame,
    judged: pd.DataFrame,
    stakes: pd.DataFrame,
    places: pd.DataFrame,
    aged: pd.DataFrame,
    dead: pd.DataFrame,
    lots: pd.DataFrame,
    lost: pd.DataFrame,
    came: pd.DataFrame,
    factors: pd.DataFrame,
) -> Dossier:
    """Take from the network's tables what an audience may see of a dealer.

    What is handed to a dealer holds his own figures only: no class, no margin of ours, no other
    dealer's name. That is decided here, once; nothing else reads the network's tables.
    Of who left before the window there is what is still known: what he bought before, owes and
    has at stake.

    Parameters
    ----------
    months, owed, stakes
        From `data.dealer_months`, `receivables.receivables_month` and `calls.stakes`.
    judged, places
        From `with_history` and `places_among_peers`.
    aged, dead, lots
        From `inventory.aged`, `inventory.dead_stock` (with `product_name`) and
        `inventory.move_table`.
    lost, came, factors
        From `profit.named`, `fishbone.promised_against_came` and `factor_rows`.

    Raises
    ------
    ValueError
        If nothing is known of the dealer, or there is no such audience.
    """
    if audience not in AUDIENCES:
        raise ValueError(
            f"audience: {audience!r} is not known; choose one of {', '.join(AUDIENCES)}"
        )
    inside = set(judged["dealer_id"])
    known = inside.union(*(table["dealer_id"] for table in (months, owed, stakes)))
    if dealer_id not in known:
        raise ValueError(
            f"dealer_id: {dealer_id!r} is none of the {len(known):,} dealers of whom anything is "
            f"known; choose one of them, e.g. {min(known)!r}"
        )
    his = {
        "months": months,
        "owed": owed,
        "aged": aged,
        "dead": dead,
        "lots": lots,
        "judged": judged,
        "places": places,
        "stakes": stakes,
        "lost": lost,
        "factors": factors,
    }
    found = Dossier(
        dealer_id,
        audience,
        period,
        brand,
        who=_who(dealers, dealer_id),
        actions=_open(_his(came, dealer_id)),
        n_months=_n_known(months, period),
        has_left=dealer_id not in inside,
        **{name: _his(table, dealer_id) for name, table in his.items()},
    )
    return found if audience == "us" else _for_dealer(found)


def _who(dealers: pd.DataFrame, dealer_id: str) -> pd.Series:
    """Give a dealer's own row; who is in no table of dealers is named by the id."""
    his = _his(dealers, dealer_id)
    if len(his):
        return his.iloc[0]
    unknown = dict.fromkeys(dealers.columns)
    return pd.Series(unknown | {"dealer_id": dealer_id, "dealer_name": dealer_id}, dtype="object")


def _n_known(months: pd.DataFrame, period: str) -> int:
    """Count the months of the window that the data of the network reach back over."""
    window = periods.month_range(period, 12)
    return sum(month >= months["month"].min() for month in window) if len(months) else len(window)


def factor_rows(
    by_dealer: pd.DataFrame, session_scores: pd.DataFrame, tree: pd.DataFrame
) -> pd.DataFrame:
    """Put what the data and what people say of each dealer's factors side by side.

    Parameters
    ----------
    by_dealer, session_scores
        From `fishbone.data_scores` and `fishbone.dealer_session_scores`; the last session counts.

    Returns
    -------
    DataFrame
        `dealer_id`, `factor_id`, `factor`, `score`, `data_score`.
    """
    keys = ["dealer_id", "factor_id"]
    said = session_scores.sort_values("scored_date", kind="stable").drop_duplicates(
        keys, keep="last"
    )
    rows = by_dealer[[*keys, "data_score"]].merge(said[[*keys, "score"]], on=keys, how="outer")
    rows["factor"] = rows["factor_id"].map(tree.set_index("factor_id")["factor"])
    return rows[[*keys, "factor", "score", "data_score"]]


def with_history(
    judged: pd.DataFrame, before: pd.DataFrame, stability: pd.DataFrame
) -> pd.DataFrame:
    """Set beside each dealer's judgement `previous_class`, `history` and `stability_rate`.

    `has_past` where known.

    `before` is the judgement a year earlier, `stability` comes from `pareto.class_stability`.
    """
    past = before[["dealer_id"]].assign(previous_class=ranked_classes(before))
    known = stability[["dealer_id", "history", "stability_rate"]]
    rows = judged.drop(columns="previous_class", errors="ignore").merge(
        past, on="dealer_id", how="left"
    )
    return rows.merge(known, on="dealer_id", how="left").assign(has_past=len(before) > 0)


def peer_figures(
    judged: pd.DataFrame, owed: pd.DataFrame, trends: pd.DataFrame, held: pd.DataFrame
) -> pd.DataFrame:
    """Gather the figures of `PLACED` by dealer, from judgement, receivables, `margin_trends` and
    `dealer_stock`.
    """
    rows = judged[["dealer_id", *(i for i in INDICATORS if i in judged)]]
    rows = rows.merge(
        owed[["dealer_id", "dso_days", "payments"]].rename(columns={"payments": "paid"}), how="left"
    )
    rows["dso_days"] = rows["dso_days"].where(rows.pop("paid").notna())
    rows = rows.merge(
        trends[["dealer_id", "margin_rate"]].rename(columns={"margin_rate": "dealer_margin_rate"}),
        how="left",
    )
    return rows.merge(held[["dealer_id", "old_share"]], how="left")


def _for_dealer(found: Dossier) -> Dossier:
    ours = ("judged", "places", "stakes", "lost", "actions", "factors")
    anonymous = found.lots.drop(
        columns=["to_dealer_id", "taker_name", "taker_city", "reason", "account_manager"]
    )
    return found._replace(lots=anonymous, **{name: getattr(found, name).head(0) for name in ours})


def _his(rows: pd.DataFrame, dealer_id: str) -> pd.DataFrame:
    return rows[rows["dealer_id"] == dealer_id].reset_index(drop=True)


def _open(actions: pd.DataFrame) -> pd.DataFrame:
    rows = actions[actions["state"].isin(STANDING)]
    return rows.assign(
        order=rows["state"].map({state: i for i, state in enumerate(STANDING)})
    ).sort_values(["order", "due_date"], ignore_index=True)


def places_among_peers(figures: pd.DataFrame, dealers: pd.DataFrame) -> pd.DataFrame:
    """Place each dealer among those of his format and area.

    Fewer than `MIN_PEERS`: of his area, else among all.

    Parameters
    ----------
    figures
        `dealer_id` and any of `PLACED`; of `LOWER_IS_BETTER` less is better.

    Returns
    -------
    DataFrame
        A row per dealer and figure he has: `dealer_id`, `indicator`, `value`, `peer_median`,
        `place` (1 best, equals share it), `n_peers` (himself included), `percentile` (part of the
        others he is ahead of, equals half; NaN where he is alone), `peers` ("format_area", "area",
        "all").
    """
    known = figures.reindex(columns=["dealer_id", *PLACED])
    known = known.merge(
        dealers[["dealer_id", "store_format", "area_type"]], on="dealer_id", how="left"
    )
    return pd.concat([_placed(known.dropna(subset=[i]), i) for i in PLACED], ignore_index=True)


def _placed(told: pd.DataFrame, indicator: str) -> pd.DataFrame:
    """Place those whose figure is known, each in the narrowest circle that is large enough."""
    rows = pd.concat([_among(told, indicator, circle) for circle in CIRCLES])
    rows = rows[~rows.index.duplicated()].sort_index()
    return rows.astype({"place": int, "n_peers": int})


def _among(told: pd.DataFrame, indicator: str, circle: str) -> pd.DataFrame:
    """Place dealers within a circle, but for those in whose circle there are too few."""
    sign = -1 if indicator in LOWER_IS_BETTER else 1
    # who lacks a key is in no group
    by = [told[key] for key in CIRCLES[circle]] or np.zeros(len(told))
    peers = (sign * told[indicator]).groupby(by)
    n, ahead, behind = (
        peers.transform("size"),
        peers.rank("min", ascending=False) - 1,
        peers.rank("min") - 1,
    )
    rows = pd.DataFrame(
        {
            "dealer_id": told["dealer_id"],
            "indicator": indicator,
            "value": told[indicator],
            "peer_median": sign * peers.transform("median"),
            "place": ahead + 1,
            "n_peers": n,
            "percentile": (behind + (n - 1 - ahead - behind) / 2) / (n - 1).where(n > 1),
            "peers": circle,
        }
    )
    return rows if circle == "all" else rows[n >= MIN_PEERS]


class Heading:
    """A dealer's name with what is known of him below it, escaped."""

    def __init__(self, name: str, facts: Sequence[str]) -> None:
        """Keep name and facts."""
        self.name, self.facts = name, [fact for fact in facts if fact]

    def _repr_html_(self) -> str:
        facts = " · ".join(html.escape(words.fitting(fact)) for fact in self.facts)
        return (
            f'<p class="who">{html.escape(words.fitting(self.name))}</p><p '
            f'class="facts">{facts}</p>'
        )

    def __repr__(self) -> str:
        """Read as plain text."""
        return f"{self.name}\n{' · '.join(self.facts)}"


def heading(found: Dossier) -> Heading:
    """Say who the dealer is."""
    who = found.who
    place = "，".join if words.spoken() != "en" else ", ".join
    area = f"{who['floor_area_m2']:,.0f} m²" if pd.notna(who["floor_area_m2"]) else ""
    since = (
        words.say("card.since", year=pd.Timestamp(who["opened_date"]).year)
        if pd.notna(who["opened_date"])
        else ""
    )
    store_format = words.word(who["store_format"]) if pd.notna(who["store_format"]) else ""
    where = place([str(who[c]) for c in ("city", "region") if pd.notna(who[c])])
    manager = (
        words.say("card.manager", name=who["account_manager"])
        if pd.notna(who["account_manager"])
        else ""
    )
    return Heading(who["dealer_name"], [found.dealer_id, store_format, area, where, since, manager])


def year_sums(found: Dossier, column: str = "revenue") -> tuple[float, float]:
    """Sum up his months of the window, and of the twelve before.

    NaN where the data don't reach back.
    """
    by_month = found.months.set_index("month")[column]
    now, then = (periods.month_range(periods.shift(found.period, back), 12) for back in (0, -12))
    whole = len(found.months) and found.months["month"].min() <= then[0]
    sums = [by_month.reindex(window).sum(min_count=1) for window in (now, then)]
    return float(sums[0]), float(sums[1]) if whole else float("nan")


def summary(found: Dossier) -> list[str]:
    """Say what he bought and owes; to us also how he is judged, and since when he has left."""
    said = _left_sentences(found) if found.has_left else _class_sentences(found)
    now, then = year_sums(found)
    if now == now:
        change = words.change(now, then, 0) if then > 0 else ""
        key = "card.bought_change" if change else "card.bought"
        said.append(words.say(key, now=now, change=change, n=found.n_months))
    if len(found.owed) and found.owed["payments"].notna().all():
        row = found.owed.iloc[0]
        key = "owes" if row["balance"] > 0 else "owes_nothing"
        # nothing bought: no days of purchases, and no part of them
        if pd.isna(row["collection_rate"]):
            key = "owes_no_purchases" if row["balance"] > 0 else "no_debt"
        said.append(
            words.say(
                f"card.{key}",
                balance=row["balance"],
                days=row["dso_days"],
                n=found.n_months,
                rate=words.percent(row["collection_rate"]),
            )
        )
    return said


def _class_sentences(found: Dossier) -> list[str]:
    if found.judged.empty:
        return []
    row = found.judged.iloc[0]
    key = "stayed" if row["previous_class"] == ranked_classes(found.judged).iloc[0] else "class"
    if pd.isna(row["previous_class"]):
        back = row.get("movement") == "won_back"
        key = ("back" if back else "new") if row["has_past"] else "no_past"
    said = [
        words.say(
            f"card.{key}",
            letter=row["composite_class"],
            code=row["code"],
            then=row["previous_class"],
            diagnosis=words.word(row["diagnosis"]),
        )
    ]
    if row.get("gross_profit", 0.0) < 0:
        said.append(words.say("card.loses", losses=-row["gross_profit"], n=found.n_months))
    said += cover_sentences(found.judged) if pd.notna(row.get("gross_profit")) else []
    if pd.notna(row["history"]) and pd.notna(row["stability_rate"]):
        said.append(
            words.say(
                "card.history",
                history=" ".join(row["history"]),
                rate=words.percent(row["stability_rate"]),
            )
        )
    reason = row.get("override_reason", "")
    return said + ([words.say("card.override", reason=reason)] if reason else [])


def _left_sentences(found: Dossier) -> list[str]:
    """Say when somebody who has left bought last, and how much in the year up to then."""
    if found.audience != "us":
        return []
    bought = found.months[found.months["revenue"] > 0] if len(found.months) else found.months
    if bought.empty:
        return [words.say("card.left")]
    last = str(bought["month"].max())
    year = found.months["month"].isin(periods.month_range(last, 12))
    amount = found.months.loc[year, "revenue"].sum()
    return [words.say("card.left_since", month=words.month_name(last), amount=amount)]


def next_steps(found: Dossier, measures: pd.DataFrame) -> list[str]:
    """Say what to do next, the most money first; to the dealer, what we propose for his stock.

    Money is compared at the end of its interval that is sure, as where calls are ranked. What has
    no amount follows: late actions, chances, the weakest factor. Where nothing is at stake and
    nothing is known to do, the measure of his class stands: `measures` is the editable table.
    """
    steps = sorted(_money_steps(found), key=lambda step: -step[0])
    said = [text for _amount, text in steps]
    late = found.actions[found.actions["state"].isin(("overdue", "behind"))]
    if len(late):
        said.append(
            words.say("card.late", n=len(late), factors=words.listed(late["factor"], len(late)))
        )
    chances = found.stakes[found.stakes["trigger"].isin(CHANCES)]
    said += [words.say("card.chance", **_told(row)) for row in chances.itertuples()]
    weak = (
        found.factors.dropna(subset=["data_score"]).sort_values("data_score", kind="stable").head(1)
    )
    for row in weak[weak["data_score"] < 5].itertuples():
        said.append(
            words.say("card.weakest", factor=row.factor, score=words.decimal(row.data_score, 1))
        )
    if not said and len(found.judged):
        served = called_classes(found.judged["composite_class"]).iloc[0]
        mine = measures[measures["trigger"] == served]
        said = [words.translated(row.en, row.zh) for row in mine.itertuples()]
    if said:
        return said
    if found.audience == "us":
        return [words.say("card.nothing_to_do")]
    # of goods without a date, or of which nothing is known, nobody can say that they don't sleep
    young = len(found.aged) and (found.aged["age_days"].notna() & ~found.aged["is_old"]).all()
    return [words.say("card.nothing_sleeps" if young else "card.nothing_to_propose")]


def _money_steps(found: Dossier) -> list[tuple[float, str]]:
    """Give each step with the money that it follows.

    What is at stake, with the measure that goes with it; what to do with stock; where a rival earns
    him more. What is said by one is not said again by another.
    """
    lost = found.stakes[~found.stakes["trigger"].isin(CHANCES)]
    stock = _stock_step(found)
    steps = []
    for row in lost.itertuples():
        key = "card.stake_most" if len(lost) > 1 and not steps else "card.stake"
        text = words.say(key, **_told(row))
        if row.trigger == "sleeps" and stock:  # which models, or where to
            dead = words.say("card.dead_models", models=_models(found.dead))
            more = stock[0][1] if len(found.lots) else dead
            text += (" " if words.spoken() == "en" else "") + more
            stock = []
        steps.append((float(row.stake_low), text))
    less = found.lost[found.lost["status"] == "earns_less"]
    if "rival_earns_more" not in set(lost["trigger"]):  # it is said already
        steps += [
            (float(row.gap_money), profit.call_reason(row, found.brand))
            for row in less.itertuples()
        ]
    return steps + stock


def _told(row: tuple) -> dict[str, object]:
    """Give what a sentence tells of a stake: how much of what, by when, what happened, what to do.

    A table of measures that people wrote may leave the last ones open.
    """
    days = row.within_days
    return {
        "stake": row.stake,
        "kind": words.word(row.stake_kind),
        "within": words.say("card.within", days=int(days)) if pd.notna(days) else "",
        "reason": row.reason,
        "measure": row.measure if pd.notna(row.measure) else "",
    }


def _stock_step(found: Dossier) -> list[tuple[float, str]]:
    """Propose what to do with what lies dead, or sleeps and is wanted elsewhere, by its value."""
    if found.lots.empty:
        value = found.dead["value"].sum()
        told = words.say("card.dead", value=value, models=_models(found.dead))
        return [(float(value), told)] * bool(len(found.dead))
    lots = found.lots
    said = words.say(
        "card.move", n=int(lots["quantity"].sum()), value=lots["value"].sum(), models=_models(lots)
    )
    names = lots["taker_name"].unique() if "taker_name" in lots else []
    where = words.say("card.move_to", names=words.listed(names, 3))
    told = said + (where if len(names) else words.say("card.move_on"))
    return [(float(lots["value"].sum()), told)]


def _models(rows: pd.DataFrame) -> str:
    """Name models, the dearest first; the rest is counted in words that fit goods."""
    names = (
        rows.groupby("product_name")["value"]
        .sum()
        .sort_values(ascending=False, kind="stable")
        .index
    )
    shown = words.listed(names[:N_MODELS])
    return shown if len(names) <= N_MODELS else words.say("card.models", names=shown, n=len(names))


def proof_sentences(found: Dossier, earned: profit.ProfitMonth) -> list[str]:
    """Say what our brand earns him.

    To us in short, since the figure shows each measure, to him in full.

    `earned` is the network's, from `profit.profit_month`: what is said of it holds his figures
    only.
    """
    in_short = found.audience == "us"
    return profit.verdict(earned.comparison, earned.gaps, found.dealer_id, in_short=in_short)


def dead_table(found: Dossier) -> pd.DataFrame:
    """List his dead stock, dearest first."""
    return found.dead[DEAD].head(N_MODELS)


def why_nothing_dead(found: Dossier) -> str:
    """Say why no dead stock is listed."""
    return words.say("card.no_stock" if found.aged.empty else "inventory.no_dead_rows")
