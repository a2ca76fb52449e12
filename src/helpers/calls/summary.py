"""What is said of a call: what happened, what to do, what is at stake; and of its error rates."""

from collections.abc import Mapping

import pandas as pd

from helpers import look, profit, words
from helpers.calls.losses import FALSE_SHARE
from helpers.calls.month import CallsMonth, channel_calls
from helpers.calls.triggers import CHANCES, TRIGGERS
from helpers.pareto import called_classes
from helpers.settings import page_of

PAGE = page_of("abc_pareto")
LARGEST = 20  # losses of the year that are looked at one by one
CALL_LIST = [
    "account_manager",
    "rank",
    "dealer_id",
    "dealer_name",
    "city",
    "trigger",
    "reason",
    "measure",
    "within_days",
    "stake_kind",
    "stake",
    "stake_low",
    "stake_high",
    "other_triggers",
]
SHOWN = [  # money before the words, for a phone shows no more
    "account_manager",
    "dealer_id",
    "dealer_name",
    "trigger",
    "stake_low",
    "stake_kind",
    "reason",
    "within_days",
]
LOSSES = [
    "dealer_id",
    "dealer_name",
    "certainty",
    "account_manager",
    "previous_revenue",
    "revenue",
    "expected_quarter_revenue",
    "quarter_revenue",
    "lost_revenue",
    "lost_low",
    "lost_high",
]
RATES = ["false", "true", "found", "found_late", "ceiling"]


# ---- the list ------------------------------------------------------------------------------------


def call_list(
    calls: pd.DataFrame, found: CallsMonth, dealers: pd.DataFrame, brand: str
) -> pd.DataFrame:
    """Write calls, or chances, in words: `CALL_LIST`, in their order.

    `dealers` carry names in the reader's language.
    """
    known = dealers.drop_duplicates("dealer_id").set_index("dealer_id")
    measures = found.asked.measures.drop_duplicates("trigger").set_index("trigger")
    wording = {
        trigger: words.translated(en, zh)
        for trigger, en, zh in zip(measures.index, measures["en"], measures["zh"], strict=True)
    }
    tell = _Telling(found, brand)
    rows = calls.assign(
        account_manager=calls["dealer_id"].map(known["account_manager"]),
        dealer_name=calls["dealer_id"].map(known["dealer_name"]).fillna(calls["dealer_id"]),
        city=calls["dealer_id"].map(known["city"]),
        reason=[tell.reason(row) for row in calls.itertuples()],
        measure=calls["trigger"].map(wording),
        within_days=calls["trigger"].map(measures["within_days"]),
    )
    return rows[CALL_LIST].reset_index(drop=True)


def stakes(found: CallsMonth, dealers: pd.DataFrame, brand: str) -> pd.DataFrame:
    """Write all that is at stake at each dealer in words, the surest money first, chances last.

    Columns of `CALL_LIST`; a dealer has a row for each trigger, in the order in which a call is
    chosen, so that the first is his call. `rank` counts his own.
    """
    known = found.events["trigger"].isin(list(found.asked.measures["trigger"]))
    place = {trigger: i for i, trigger in enumerate((*TRIGGERS, *CHANCES))}
    rows = found.events[known]
    rows = rows.assign(
        place=rows["trigger"].map(place), is_chance=rows["trigger"].isin(CHANCES), other_triggers=""
    )
    rows = rows.sort_values(
        ["is_chance", "stake_low", "stake", "dealer_id", "place"],
        ascending=[True, False, False, True, True],
        ignore_index=True,
    )
    rows["rank"] = rows.groupby("dealer_id").cumcount() + 1
    return call_list(rows, found, dealers, brand)


class _Telling:
    """The tables from which a call's sentence takes its figures, by dealer."""

    def __init__(self, found: CallsMonth, brand: str) -> None:
        self.asked, self.brand = found.asked, brand
        asked, channel = found.asked, channel_calls(found.asked)
        self.channel = dict(zip(channel["dealer_id"], channel["reason"], strict=True))
        by = {
            "lost": found.lost,
            "silent": found.silent,
            "owed": asked.owed,
            "stop": asked.stop,
            "moved": asked.moved,
            "rival": asked.lost,
        }
        self.rows: dict[str, Mapping[str, tuple]] = {
            name: {row.dealer_id: row for row in table.itertuples()} for name, table in by.items()
        }

    def reason(self, call: tuple) -> str:
        """Say in one sentence what happened, and name what else did."""
        said = getattr(self, f"_{call.trigger}", self._debt)(call)
        if call.other_triggers:
            others = [words.label(trigger) for trigger in call.other_triggers.split()]
            others = [name.lower() for name in others] if words.spoken() == "en" else others
            also = words.translated(", ", "、").join(others)
            gap = " " if words.spoken() == "en" else ""
            said += gap + words.say("calls.also", triggers=also)
        return said

    def _lost_money(self, call: tuple) -> str:
        row, moved = self.rows["lost"][call.dealer_id], self.rows["moved"].get(call.dealer_id)
        letters = ""
        if moved is not None and moved.movement == "fallen":
            old, new = moved.previous_class, moved.composite_class
            letters = words.say("calls.letters", old=old, new=new)
        told = {"lost": row.lost, "low": row.lost_low, "high": row.lost_high, "letters": letters}
        if row.window == "quarter":
            base = {"now": row.quarter, "expected": row.expected_quarter}
            return words.say("calls.lost_quarter", **base, **told)
        return words.say("calls.lost_year", now=row.revenue, then=row.revenue_before, **told)

    def _silent(self, call: tuple) -> str:
        row = self.rows["silent"][call.dealer_id]
        days, gap = int(row.silent_days), round(row.mean_gap_days)
        return words.say("calls.silent", days=days, gap=max(gap, 1))

    def _debt(self, call: tuple) -> str:
        row = self.rows["owed"][call.dealer_id]
        told = {"balance": row.balance, "n": self.asked.recent_months}
        told |= {"paid": row.recent_payments, "usual": row.usual_payments}
        if call.trigger != "overdue":
            said = words.say(f"calls.{call.trigger}", **told)
        elif row.overdue_amount > 0:
            days = int(row.past_due_days)
            return words.say("calls.overdue", overdue=row.overdue_amount, days=days, **told)
        else:
            said = words.say("calls.slowed", **told)
        unknown = row.overdue_amount != row.overdue_amount
        gap = " " if words.spoken() == "en" else ""
        return said + (gap + words.say("calls.due_unknown") if unknown else "")

    def _over_limit(self, call: tuple) -> str:
        row = self.rows["stop"][call.dealer_id]
        return words.say("calls.over_limit", balance=row.balance, limit=row.credit_limit)

    def _stuffed(self, call: tuple) -> str:
        return self.channel[call.dealer_id]

    def _runs_dry(self, call: tuple) -> str:
        return self.channel[call.dealer_id]

    def _sleeps(self, call: tuple) -> str:
        return words.say("calls.sleeps", value=call.stake, days=self.asked.dead_days)

    def _rival_earns_more(self, call: tuple) -> str:
        return profit.call_reason(self.rows["rival"][call.dealer_id], self.brand)

    def _won_back(self, call: tuple) -> str:
        return words.say("calls.won_back", now=self.rows["moved"][call.dealer_id].revenue)

    def _rising(self, call: tuple) -> str:
        row = self.rows["lost"][call.dealer_id]
        return words.say("calls.rising", gained=row.gained, low=row.gained_low)


def by_account_manager(calls: pd.DataFrame) -> pd.DataFrame:
    """Lay the calls out for printing: managers one after another, each with his surest money first.

    A column of which nothing is known is left out.
    """
    rows = calls.sort_values("account_manager", kind="stable", na_position="last")[SHOWN]
    empty = [c for c in ("account_manager",) if len(rows) and rows[c].isna().all()]
    return rows.drop(columns=empty).reset_index(drop=True)


def measure_table(judged: pd.DataFrame, found: CallsMonth) -> pd.DataFrame:
    """Put each class's and each trigger's measure beside the number of dealers it holds for.

    Triggers that the data can't tell of are left out: that none is known is not that none was. So
    are those that nobody looks for any more.
    """
    known = [*"ABC", *TRIGGERS, *CHANCES]
    measures = found.asked.measures
    told = measures["trigger"].isin(known) & ~measures["trigger"].isin(list(found.untold))
    measures = measures[told].reset_index(drop=True)
    served = called_classes(judged["composite_class"])
    counts = pd.concat([served, found.events["trigger"]]).value_counts()
    return pd.DataFrame(
        {
            "trigger": measures["trigger"],
            "n_dealers": measures["trigger"].map(counts).fillna(0).astype(int),
            "within_days": measures["within_days"],
            "measure": [words.translated(row.en, row.zh) for row in measures.itertuples()],
        }
    )


def headlines(calls: pd.DataFrame, most: int = 10) -> list[dict]:
    """Make the front page's first calls, the surest money first; keys as `report.headline`."""
    first = calls.sort_values(["stake_low", "stake"], ascending=False, kind="stable").head(most)
    return [
        {
            "place": "call",
            "label": str(row.dealer_name),
            "text": f"{row.reason} {row.measure}"
            if words.spoken() == "en"
            else f"{row.reason}{row.measure}",
            "link": f"{PAGE}#{look.anchor(row.dealer_id)}",
        }
        for row in first.itertuples()
    ]


# ---- losses --------------------------------------------------------------------------------------


def loss_table(found: CallsMonth, dealers: pd.DataFrame, most: int = LARGEST) -> pd.DataFrame:
    """List the dealers who lost money, and how certain that is; the largest fall of the year first.

    Beside those whose loss is sure, or likely (its 80 % interval is above zero), the `most` largest
    falls of the year: a fall that chance may explain is "not certain", which is not "none".
    """
    rows = found.lost.assign(fall=found.lost["revenue_before"] - found.lost["revenue"])
    largest = rows[rows["fall"] > 0].nlargest(most, "fall").index
    rows = rows[rows["is_lost"] | (rows["lost_low"] > 0) | rows.index.isin(largest)]
    known = dealers.drop_duplicates("dealer_id")[["dealer_id", "dealer_name", "account_manager"]]
    rows = rows.merge(known, on="dealer_id", how="left")
    silent = set(found.silent.loc[found.silent["is_silent"], "dealer_id"])
    sure = rows["is_lost"] | rows["dealer_id"].isin(silent)
    rows = rows.assign(
        dealer_name=rows["dealer_name"].fillna(rows["dealer_id"]),
        certainty=sure.map({True: "sure", False: "not_certain"}).astype("str"),
        fall=rows["fall"].fillna(rows["lost"]),
    )
    names = {
        "revenue_before": "previous_revenue",
        "quarter": "quarter_revenue",
        "expected_quarter": "expected_quarter_revenue",
        "lost": "lost_revenue",
    }
    rows = rows.rename(columns=names).sort_values(["fall", "dealer_id"], ascending=[False, True])
    return rows[LOSSES].reset_index(drop=True)


def why_no_losses(found: CallsMonth) -> str:
    """Say why nobody is listed as a loser: nobody bought less, or nothing tells."""
    known = "lost_money" not in found.untold
    return words.say("calls.nobody_lost" if known else "calls.no_losses_known")


def why_no_calls(found: CallsMonth) -> str:
    """Say why there is no call: nothing asks for one, and of what nothing is known."""
    return words.say("calls.none")


def why_no_chances(found: CallsMonth) -> str:
    """Say why there is no chance: there is none, or nothing tells."""
    known = "rising" not in found.untold or "won_back" not in found.untold
    return words.say("calls.no_chances" if known else "calls.no_chances_known")


def loss_sentences(found: CallsMonth, table: pd.DataFrame) -> list[str]:
    """Say how many lost money for sure, and how many may have; why nobody is known to have."""
    if "lost_money" in found.untold:
        return [words.say("calls.no_losses_known")]
    sure = table[table["certainty"] == "sure"]
    said = [words.say("calls.losses", n=len(sure), more=len(table) - len(sure))]
    fall = table["previous_revenue"] - table["revenue"]
    first = table[fall > 0].head(LARGEST)
    if len(first):
        told = {"n": len(first), "sure": int((first["certainty"] == "sure").sum())}
        said.append(words.say("calls.largest", **told))
    return said


def basis_sentences(found: CallsMonth) -> list[str]:
    """Say what is at stake where no cost is known, and how many calls found no place."""
    kinds = set(found.events["stake_kind"])
    said = [words.say("calls.no_cost")] if "revenue" in kinds else []
    n, of = len(found.calls), len(found.everyone)
    if of > n:
        said.append(words.say("calls.cut", n=n, of=of, per=found.options["per_manager"]))
    return said


# ---- error rates ---------------------------------------------------------------------------------


def rate_sentences(rates: pd.DataFrame, false_share: float) -> list[str]:
    """Say how often calls for lost money and silence are wrong, and what they miss; simulated.

    `rates` is the reference table `call_rates`, which the simulation writes for the usual share of
    false calls; for another the rates are not known.
    """
    if rates.empty or false_share != FALSE_SHARE:
        return [words.say("calls.no_rates", share=words.percent(false_share, 2))]
    told = {(row.rate, row.cell): row for row in rates.itertuples()}

    def share(rate: str, cell: str, decimals: int = 0) -> str:
        return words.percent(told[rate, cell].simulated_rate, decimals)

    false = told["false", "all"]
    between = [words.percent(x, 2) for x in (false.low_rate, false.high_rate)]
    return [
        words.say(
            "calls.rate_false",
            n=int(false.n_networks),
            share=share("false", "all", 2),
            low=between[0],
            high=between[1],
        ),
        words.say(
            "calls.rate_found",
            once=share("found", "at_once"),
            ceiling=share("ceiling", "at_once"),
            three=share("found", "over_3_months"),
            six=share("found", "over_6_months"),
            late=share("found_late", "over_6_months"),
        ),
        words.say(
            "calls.rate_cells",
            small=share("found", "at_once_20%"),
            large=share("found", "at_once_60%"),
            weekly=share("found", "at_once_weekly"),
            monthly=share("found", "at_once_monthly"),
        ),
        words.say("calls.rate_true", share=share("true", "all")),
    ]
