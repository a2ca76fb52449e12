"""The fishbone and the climb, by other weights, days and scores; saved as the plan."""

import datetime as dt
from collections.abc import Iterable

import ipywidgets
import pandas as pd

from helpers import fishbone, look, words
from helpers.data import plan_file
from helpers.fishbone import effort, peers
from helpers.settings import Scalar, Workbook
from helpers.widgets import drawing
from helpers.widgets.models import ALL, Choice, Control, Seen, Slide, choice, no_rows

COLUMNS = [
    "dealer_id",
    "dealer_name",
    "city",
    "account_manager",
    "factor",
    "owner",
    "indicator",
    "value",
    "data_score",
    "peer_shortfall",
    "revenue",
]
MOST = 1_000_000  # dealers whose weakest factor is named: all


class Climbing:
    """Choose the weights, the days of effort and a factor's score; see the fish and the climb
    change, and save the climb as the plan.
    """

    question, recipe = "fishbone", staticmethod(fishbone.judge_month)

    def __init__(
        self,
        book: Workbook,
        asked: fishbone.FishboneData,
        own: fishbone.FishboneMonth,
    ) -> None:
        """Take what the door told, and what the page makes of the month, by its options."""
        self.book, self.period, self.asked, self.own = book, asked.period, asked, own
        self.legs = pd.DataFrame()
        self.start = ipywidgets.DatePicker(
            value=dt.date.today(), description=words.label("start_date")
        )
        self.save = ipywidgets.Button(description=words.say("plan.save"), layout={"width": "auto"})
        self.kept = ipywidgets.HTML()
        self.save.on_click(self._keep)

    def controls(self) -> dict[str, Control]:
        """Offer weights, days, and a factor to be scored otherwise."""
        rules, leaves = self.own.options, fishbone.leaf_factors(self.own.tree)
        names = zip(leaves["factor"], leaves["factor_id"], strict=True)
        options = ((words.say("explore.as_scored"), ALL), *names)
        days = rules["budget_days"]
        return {
            # what finds nothing to go by stays chosen, and is said
            "weighting": choice(
                "weight", fishbone.HOW, rules["weighting"] or self.own.how, "weighting_"
            ),
            "budget_days": Slide(words.label("effort_days"), days, 1, max(240, days)),
            "factor": Choice(words.label("factor"), options, ALL, long=True),
            "score": Slide(words.label("score"), 5.0, 0, 10, 0.5, ".1f"),
        }

    def idle(self, factor: str, **_others: Scalar) -> set[str]:
        """Name what says nothing now: a score, where no factor is scored otherwise."""
        return set() if factor != ALL else {"score"}

    def why_nothing(self) -> str:
        """Say that no factor has a score."""
        if self.own.scored[["score", "data_score"]].isna().all(axis=None):
            return words.say("fishbone.no_score", n=int(self.own.tree["is_leaf"].sum()))
        return ""

    def more(self) -> list[ipywidgets.Widget]:
        """Give what saves the climb as the plan."""
        return [ipywidgets.HBox([self.start, self.save]), self.kept]

    def read(self, book: Workbook) -> tuple[fishbone.FishboneData, fishbone.FishboneMonth]:
        """Score the dealers of a scope."""
        if book == self.book:
            return self.asked, self.own
        asked = fishbone.read_month(book, self.period, words.spoken())
        rules = {k: v for k, v in self.own.options.items() if k != "dealer_id" or v}
        return asked, fishbone.fishbone_month(book, self.period, words.spoken(), **rules)

    def options(self, weighting: str, budget_days: int, **_others: Scalar) -> dict[str, Scalar]:
        """Give weights and days; a score that is tried is nobody's answer."""
        return {"weighting": weighting, "budget_days": budget_days}

    def seen(
        self, told: tuple, weighting: str, budget_days: int, factor: str = ALL, score: float = 5.0
    ) -> Seen:
        """Weigh again; the rows are each dealer's weakest factor by the data."""
        self.legs, self.kept.value = pd.DataFrame(), ""  # what can't be shown can't be saved
        asked, own = told
        if factor != ALL:
            tried = own.scored["factor_id"].eq(factor)
            own = own._replace(
                scored=own.scored.assign(score=own.scored["score"].mask(tried, score))
            )
        changed = {"weighting": weighting, "budget_days": budget_days}
        found = fishbone.reweighed(asked, own, **changed)
        self.legs = found.legs
        how = fishbone.weights.how_sentences(found.how, weighting)
        return Seen(
            [self._first(found), *how],
            self._drawn(found, budget_days),
            _rows(asked, found),
            COLUMNS,
        )

    def _first(self, found: fishbone.FishboneMonth) -> str:
        """Say what is climbed first, and by how much all of it lifts the score."""
        if found.legs.empty:
            return words.say("climb.nothing")
        first = str(found.legs["factor_id"].iloc[0])
        names = self.own.tree.set_index("factor_id")["factor"]
        return words.say("explore.climb", factor=names.get(first, first), n=len(found.legs))

    def _drawn(self, found: fishbone.FishboneMonth, days: int) -> Iterable[object]:
        tree = self.own.tree
        yield fishbone.plot_fishbone(tree, found.table, head=words.label("dealer_earns"))
        yield fishbone.plot_climb(found.legs, effort.frontier(found.starts, days), tree)

    def _keep(self, _button: object = None) -> None:
        self.kept.value = drawing.drawn(self._saved)

    def _saved(self) -> Iterable[object]:
        day = self.start.value or dt.date.today()
        legs, tree = self.legs, self.own.tree
        proposed = fishbone.proposed_plan(legs, tree, start_date=day) if len(legs) else legs
        if proposed.empty:
            yield look.Prose([words.say("climb.nothing")])
        else:
            saved = plan_file.keep_plan(self.book, proposed)
            yield look.Prose([words.say("plan.saved", path=saved.name, n=len(proposed))])


def _rows(asked: fishbone.FishboneData, found: fishbone.FishboneMonth) -> pd.DataFrame:
    """Name each dealer's weakest factor."""
    habits = asked.habits
    if habits.empty or "revenue" not in habits:
        return no_rows()
    revenue = habits.set_index("dealer_id")["revenue"]
    rows = peers.weakest_factors(found.by_dealer, found.tree, found.weight, revenue, MOST)
    places = asked.dealers.reindex(columns=["dealer_id", "dealer_name", "city", "account_manager"])
    return rows.merge(places.drop_duplicates("dealer_id"), on="dealer_id", how="left")
