"""Who changes class, by another rule or other weights."""

from collections.abc import Iterable

import pandas as pd

from helpers import data, look, pareto, words
from helpers.settings import Scalar, Workbook
from helpers.widgets.models import Choice, Control, Seen, Slide, choice, who

NAMED = 3  # dealers whom a sentence names


class Classes:
    """Choose another rule or move the weights, and see who changes class.

    Who was put into a class by hand is compared with the class that was computed.
    """

    question, recipe = "abc_pareto", staticmethod(pareto.judge_month)

    def __init__(self, book: Workbook, asked: pareto.AbcData, own: pareto.AbcMonth) -> None:
        """Take what the door told, and what the page makes of the month, by its options."""
        self.book, self.period, self.asked, self.own = book, asked.period, asked, own
        self.dealers, self.diagnoses = who(book), data.reference(book, "diagnoses")
        made_by = pareto.classed_by(self.asked.totals)
        self.known = [i for i in made_by if i in pareto.INDICATORS]
        self.additive = [i for i in made_by if i not in pareto.NOT_ADDITIVE]

    def controls(self) -> dict[str, Control]:
        """Offer rule and indicator where a total adds up, weights where there are two."""
        found: dict[str, Control] = {}
        if self.additive:
            found["rule"] = choice("rule", pareto.RULES, self.own.options["rule"], "rule_")
            options = tuple((words.label(i), i) for i in self.additive)
            found["indicator"] = Choice(words.label("indicator"), options, self.additive[0])
        if len(self.known) > 1:
            weights = pareto.judging_rules(**self.own.options)["weights"]
            found |= {i: Slide(words.label(i), 100 * weights[i], 0, 100, 5) for i in self.known}
        return found

    def why_nothing(self) -> str:
        """Say that nobody has figures."""
        return "" if self.known or self.additive else words.say("explore.no_dealers")

    def read(self, book: Workbook) -> pareto.AbcData:
        """Ask for the figures of a scope: classes are judged within it."""
        return self.asked if book == self.book else pareto.read_month(book, self.period)

    def options(self, rule: str = "", indicator: str = "", **given: float) -> dict[str, Scalar]:
        """Give rule and weights; an indicator is only looked at."""
        total = sum(given.values())
        parts = [100 * given.get(i, 0.0) / total for i in pareto.INDICATORS] if total else []
        chosen = {"rule": rule} if rule else {}
        # as a person writes them: 40, not 40.0
        return chosen | ({"weights": "/".join(f"{p:.15g}" for p in parts)} if parts else {})

    def seen(self, told: pareto.AbcData, **values: Scalar) -> Seen:
        """Judge by the rules chosen; who changes class comes first."""
        given = {i: values[i] for i in self.known if i in values}
        if given and not sum(given.values()):
            return Seen([words.say("explore.no_weight")], (), self._rows(None), COLUMNS)
        rules = self.own.options | self.options(**values)
        judged = self._rows(pareto.judged_dealers(told, **rules))
        changed = judged["page_class"].notna() & (judged["page_class"] != judged["now_class"])
        rows = pd.concat([judged[changed], judged[~changed]], ignore_index=True)
        said = words.say(
            "explore.classes",
            now=_counts(judged["now_class"]),
            n=int(changed.sum()),
            own=_counts(judged["page_class"].dropna()),
        )
        drawn = self._drawn(judged, values.get("indicator", ""))
        return Seen([*self._who(judged[changed]), said, self._weighed(rules)], drawn, rows, COLUMNS)

    def _rows(self, judged: pd.DataFrame | None) -> pd.DataFrame:
        """Put names and the page's class beside the classes, computed and in force."""
        judged = self.own.judged.head(0) if judged is None else judged
        rows = pareto.named(judged, self.dealers, self.diagnoses)
        places = self.dealers.drop(columns=["dealer_name", "store_format"])
        rows = rows.merge(places, on="dealer_id", how="left")
        own = pd.Series(_computed(self.own.judged).to_numpy(), self.own.judged["dealer_id"])
        return rows.assign(page_class=rows["dealer_id"].map(own), now_class=_computed(rows))

    def _who(self, changed: pd.DataFrame) -> list[str]:
        """Say who loses an A, and who gets one."""
        lost, won = changed[changed["page_class"] == "A"], changed[changed["now_class"] == "A"]
        return [
            words.say(f"explore.{key}", n=len(rows), names=words.listed(rows["dealer_name"], NAMED))
            for key, rows in (("lose_a", lost), ("gain_a", won))
            if len(rows)
        ]

    def _weighed(self, rules: dict[str, Scalar]) -> str:
        if len(self.known) < 2 or pareto.by_revenue(self.asked.totals):
            return ""
        judging = pareto.judging_rules(**rules)
        weighed = [f"{words.label(i)} {words.percent(judging['weights'][i])}" for i in self.known]
        a, b = judging["composite_cuts"]
        return words.say("pareto.weights", weights=", ".join(weighed), a=a, b=b)

    def _drawn(self, judged: pd.DataFrame, indicator: str) -> Iterable[object]:
        if indicator:
            yield pareto.plot_pareto(judged, indicator)
        yield look.table(pareto.class_table(judged))


COLUMNS = [
    "dealer_id",
    "dealer_name",
    "city",
    "account_manager",
    "page_class",
    "composite_class",
    "code",
    "diagnosis",
    "payments",
    "gross_profit",
    "brand_share",
]


def _computed(rows: pd.DataFrame) -> pd.Series:
    return rows["computed_class" if "computed_class" in rows else "composite_class"]


def _counts(letters: pd.Series) -> str:
    """Write how many stand in each class, best class first; who has none comes last."""
    counts = letters.value_counts().sort_index()  # the dash comes after the letters
    return ", ".join(f"{letter} {n:,}" for letter, n in counts.items())
