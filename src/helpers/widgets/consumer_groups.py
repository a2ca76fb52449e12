"""Who buys in the dealers' shops, in another number of groups."""

from collections.abc import Iterable

from helpers import consumers, look, words
from helpers.consumers import groups
from helpers.settings import Scalar, Workbook
from helpers.widgets.models import Control, Seen, Slide, no_rows


class ConsumerGroups:
    """Ask for a number of groups, and see their sizes and what sets them apart.

    Each number is fitted once: the fit is kept.
    """

    question, recipe = "consumer_groups", staticmethod(consumers.judge_month)

    def __init__(
        self,
        book: Workbook,
        period: str,
        asked: consumers.ConsumersData,
        own: consumers.ConsumersMonth,
    ) -> None:
        """Take what the door told, and what the page makes of the month, by its options."""
        self.book, self.period, self.asked, self.own = book, period, asked, own

    def controls(self) -> dict[str, Control]:
        """Offer as many groups as there are kinds of consumers, up to eight or the page's own."""
        n_own, n_kinds = len(self.own.judged.groups.model.codes), self._n_kinds()
        most = min(max(8, n_own), n_kinds)
        return {"k": Slide(words.label("n_groups"), min(n_own, most), 1, most)}

    def _n_kinds(self) -> int:
        return len(self.asked.habits.reindex(columns=[*groups.DISTANCE]).drop_duplicates())

    def why_nothing(self) -> str:
        """Say that no two consumers differ."""
        return words.say("explore.few_consumers") if self._n_kinds() < 2 else ""

    def read(self, book: Workbook) -> consumers.ConsumersData:
        """Ask for the consumers of a scope: those who bought from its dealers."""
        if book == self.book:
            return self.asked
        return consumers.read_month(
            book,
            self.period,
            words.spoken(),
            n_months=self.asked.n_months,
            before=self.asked.before,
        )

    def options(self, k: int) -> dict[str, Scalar]:
        """Give the number of groups."""
        return {"k": k}

    def seen(self, told: consumers.ConsumersData, k: int) -> Seen:
        """Group by the number chosen."""
        found = consumers.judged_groups(told, **self.own.options | {"k": k})
        n = len(found.groups.model.codes)
        said = [words.say("explore.groups", k=n, n=len(found.groups.labels))]
        return Seen(said, self._drawn(found), no_rows(), [])

    def _drawn(self, found) -> Iterable[object]:
        names, least = consumers.group_names(found.traits), self.own.options["min_group_people"]
        yield look.table(consumers.named(found.profile, names))
        yield consumers.plot_profiles(found.apart, names, least=least)
