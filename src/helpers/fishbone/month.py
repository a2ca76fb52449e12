"""The month's answer: what holds dealers back, which effort pays most, what became of the plan."""

from typing import Annotated, NamedTuple

import pandas as pd

from helpers import data, periods
from helpers.fishbone import effort, factors, peers, plan, scoring, weights
from helpers.fishbone import rival as rivals
from helpers.fishbone.tree import factor_tree
from helpers.settings import Scalar, Workbook, options

# empty is what the data allow
WEIGHTING = options.Expected(
    "one_of_or_empty",
    lambda value: value in ("", *weights.HOW),
    {"known": ", ".join(weights.HOW)},
)


class FishboneData(NamedTuple):
    """What the door tells: the editable tables `factors`, `causes` and `climb`, what people gave
    (`scores`, `comparisons`, `agreed` actions), and the dealers with their `habits` and `months`.
    """

    period: str
    brand: str
    factors: pd.DataFrame
    causes: pd.DataFrame
    climb: pd.DataFrame
    scores: pd.DataFrame
    comparisons: pd.DataFrame
    agreed: pd.DataFrame
    dealers: pd.DataFrame
    habits: pd.DataFrame
    months: pd.DataFrame


class FishboneMonth(NamedTuple):
    """What is found, in codes: where a table names a factor, a bone, a cause or a dealer, their
    code stands (`in_words` puts the names).

    `tree` as `factor_tree` gives it; `people`, `by_dealer` and `scored` are the scores by people,
    by each dealer's data and of both, `gaps` where they disagree at single dealers; `weight` of
    each factor and `how` it was got; what is missing by factor (`table`) and by `causes`; `lead` on
    the rival by factor and `overall` in the last session, and `lead_sessions` one by one; the
    climb's `starts` and `legs`; `came`, what became of the plan, by the network's `sessions` and
    by those of single dealers (`there`).
    """

    tree: pd.DataFrame
    people: pd.DataFrame
    by_dealer: pd.DataFrame
    scored: pd.DataFrame
    gaps: pd.DataFrame
    weight: pd.Series
    how: str
    table: pd.DataFrame
    causes: pd.DataFrame
    lead: pd.DataFrame
    overall: pd.DataFrame
    lead_sessions: pd.DataFrame
    starts: pd.DataFrame
    legs: pd.DataFrame
    sessions: pd.DataFrame
    there: pd.DataFrame
    came: pd.DataFrame
    options: dict[str, Scalar] = {}  # noqa: RUF012 - filled in by the recipe


def read_month(book: Workbook, period: str, language: str = "en") -> FishboneData:
    """Ask the door for a month's figures; dealers and owners are named as this language does."""
    return FishboneData(
        period,
        book.brand,
        data.reference(book, "factors"),
        data.reference(book, "causes"),
        data.reference(book, "climb"),
        data.records(book, "scores", language),
        data.records(book, "comparisons"),
        data.records(book, "plan", language),
        data.dealers(book, language),
        data.dealer_features(book, period),
        data.dealer_months(book, period),
    )


@options.recipe("fishbone")
def judge_month(
    found: FishboneData,
    *,
    dealer_id: str = "",
    weighting: Annotated[str, WEIGHTING] = "",
    budget_days: Annotated[int, options.between(1, 1000)] = 60,
    rival: str = "",
    vital_share: Annotated[float, options.between(0.1, 1)] = factors.VITAL_SHARE,
    min_people: Annotated[int, options.between(rivals.MIN_PEOPLE, 1000)] = rivals.MIN_PEOPLE,
    min_peers: Annotated[int, options.between(peers.MIN_PEERS, 1000)] = peers.MIN_PEERS,
    disagreement: Annotated[float, options.between(0.5, 10)] = scoring.DISAGREEMENT,
) -> FishboneMonth:
    """Judge every factor, of the network or of one dealer.

    `dealer_id` chooses whose scores are weighed; who disagrees with his figures, the lead on the
    rival and the plan are the network's either way. `rival` is a brand, or empty: the one most
    often scored. `min_people` and `min_peers` are floors, and can only be raised: below them an
    interval, or a place among peers, says more than it knows.

    Raises
    ------
    ValueError
        If an option is not as expected, nothing is known of the dealer, nobody scored the rival, or
        an editable table is wrong.
    """
    end = periods.window(found.period).end
    tree = _in_codes(factor_tree(found.factors, found.causes))
    coded = found.dealers.assign(dealer_name=found.dealers["dealer_id"])
    told = {"end_date": end, "brand": found.brand}
    people = scoring.people_scores(found.scores, tree, dealer_id=dealer_id, **told)
    by_dealer = peers.data_scores(found.habits, tree, found.dealers, min_peers=min_peers)
    own = peers.own_data_scores(by_dealer, found.habits, dealer_id)
    scored = scoring.factor_scores(people, own, disagreement=disagreement)
    gaps = scoring.dealer_gaps(
        found.scores, by_dealer, tree, coded, disagreement=disagreement, **told
    )
    weighed = _weighed(found, tree, scored, weighting, budget_days, vital_share)
    compared = (found.scores, tree, weighed["weight"])
    asked = {"rival": rival, "min_people": min_people, **told}
    sessions = scoring.session_scores(found.scores, tree, **told)
    there = scoring.dealer_session_scores(found.scores, tree, **told)
    leads = rivals.session_leads(*compared, **asked)
    came = plan.promised_against_came(
        plan.require_plan(found.agreed, tree),
        tree,
        sessions,
        end_date=end,
        dealer_scores=there,
        months=found.months,
    )
    return FishboneMonth(
        tree=tree,
        people=people,
        by_dealer=by_dealer,
        scored=scored,
        gaps=gaps,
        lead=rivals.rival_lead(*compared, **asked),
        overall=leads.tail(1).reset_index(drop=True),
        lead_sessions=leads,
        sessions=sessions,
        there=there,
        came=came,
        **weighed,
    )


def _weighed(
    found: FishboneData,
    tree: pd.DataFrame,
    scored: pd.DataFrame,
    weighting: str,
    budget_days: int,
    vital_share: float,
) -> dict[str, object]:
    """Weigh the factors, see what is missing, and climb: the fields of a month that follow."""
    end, pairs = periods.window(found.period).end, found.comparisons
    last = scoring.comparison_sessions(pairs, found.scores, end_date=end)
    weight, how = weights.chosen_weights(weighting, tree, pairs, found.habits, sessions=last)
    table = factors.factor_table(tree, scored, weight)
    hills = effort.require_assumptions(found.climb, tree)
    starts = effort.starting_points(factors.shown_scores(table), weight, hills, tree)
    return {
        "weight": weight,
        "how": how,
        "table": table,
        "causes": factors.merged_causes(table, vital_share),
        "starts": starts,
        "legs": effort.legs(starts, budget_days),
    }


def reweighed(
    found: FishboneData, month: FishboneMonth, *, weighting: str, budget_days: int
) -> FishboneMonth:
    """Give a month with other weights and another budget of days; its scores stay.

    The lead on the rival, which hangs on the weights too, is left as it was.

    Raises
    ------
    ValueError
        If an option is not as the recipe expects it.
    """
    changed = {"weighting": weighting, "budget_days": budget_days}
    for name, value in changed.items():
        judge_month.fitting(name, value)
    weighed = _weighed(
        found, month.tree, month.scored, **changed, vital_share=month.options["vital_share"]
    )
    return month._replace(**weighed, options={**month.options, **changed})


def fishbone_month(
    book: Workbook, period: str, language: str = "en", **given: Scalar | None
) -> FishboneMonth:
    """Judge a month as the workbook says, or as is `given`, where None stands for the former; in
    the reader's words.
    """
    told = options.options_in_force(judge_month, book, given)
    return in_words(_judged(book, period, language, **told), read_month(book, period, language))


def network_month(book: Workbook, period: str, language: str = "en") -> FishboneMonth:
    """Judge the network's month as the workbook says, whosever fishbone its page shows; in the
    reader's words.
    """
    told = options.options_in_force(judge_month, book, {}) | {"dealer_id": ""}
    return in_words(_judged(book, period, language, **told), read_month(book, period, language))


@data.kept
def _judged(book: Workbook, period: str, language: str, **told: Scalar) -> FishboneMonth:
    """Judge once, in codes, what page, cards and workshop ask for."""
    return judge_month(read_month(book, period, language), **told)


def _in_codes(tree: pd.DataFrame) -> pd.DataFrame:
    """Put codes in place of a tree's names: what is judged is the same in each language."""
    return tree.assign(factor=tree["factor_id"], bone=tree["bone_id"], cause_name=tree["cause"])


def in_words(month: FishboneMonth, found: FishboneData) -> FishboneMonth:
    """Name factors, bones, causes and dealers in the language that is spoken."""
    tree = factor_tree(found.factors, found.causes)
    named = {
        "factor": dict(zip(tree["factor_id"], tree["factor"], strict=True)),
        "bone": dict(zip(tree["bone_id"], tree["bone"], strict=True)),
        "cause_name": dict(zip(tree["cause"], tree["cause_name"], strict=True)),
        "dealer_name": dict(
            zip(found.dealers["dealer_id"], found.dealers["dealer_name"], strict=True)
        ),
    }

    def told(table: pd.DataFrame) -> pd.DataFrame:
        here = [column for column in named if column in table]
        return table.assign(**{c: table[c].map(named[c]).fillna(table[c]) for c in here})

    tables = ("gaps", "table", "causes", "lead", "starts", "came")
    return month._replace(tree=tree, **{name: told(getattr(month, name)) for name in tables})
