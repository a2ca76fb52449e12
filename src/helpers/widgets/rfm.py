"""Who buys how recently, how often and how much, by another way to score recency."""

from collections.abc import Iterable

import pandas as pd

from helpers import look, segmentation, words
from helpers.segmentation import month
from helpers.settings import Scalar, Workbook
from helpers.widgets.models import ALL, Choice, Control, Seen, choice, only, who

COLUMNS = [
    "dealer_id",
    "dealer_name",
    "city",
    "account_manager",
    "page_segment",
    "segment",
    "recency_days",
    "frequency",
    "monetary",
]


class Rfm:
    """Choose how recency is scored, by the calendar or by quantile, and see the segments change."""

    question, recipe = "segmentation", staticmethod(segmentation.judge_month)

    def __init__(
        self,
        book: Workbook,
        period: str,
        asked: segmentation.SegmentationData,
        own: segmentation.SegmentationMonth,
    ) -> None:
        """Take what the door told, and what the page makes of the month, by its options."""
        self.book, self.period, self.asked, self.own = book, period, asked, own
        self.dealers = who(book)

    def controls(self) -> dict[str, Control]:
        """Offer the ways to score recency, and the segments that are shown."""
        return {
            "rfm_cuts": choice(
                "rfm_cuts", month.RFM_CUTS, self.own.options["rfm_cuts"], "rfm_cuts_"
            ),
            "segment": self._segments(),
        }

    def _segments(self) -> Choice:
        # those of the rules, whether anybody is in them now or not: another cut may fill one
        known = dict.fromkeys([*self.asked.segments["segment"], *self.own.scored["segment"]])
        return only("segment", known)

    def why_nothing(self) -> str:
        """Say that nobody has figures."""
        return words.say("explore.no_dealers") if self.asked.orders.empty else ""

    def read(self, book: Workbook) -> segmentation.SegmentationData:
        """Ask for the orders of a scope: quantiles are cut within it."""
        if book == self.book:
            return self.asked
        return segmentation.read_month(book, self.period, words.spoken())

    def options(self, rfm_cuts: str, **_others: Scalar) -> dict[str, Scalar]:
        """Give how recency is scored."""
        return {"rfm_cuts": rfm_cuts}

    def seen(self, told: segmentation.SegmentationData, rfm_cuts: str, segment: str = ALL) -> Seen:
        """Score by the way chosen; who changes segment comes first."""
        scored = segmentation.scored_dealers(told, **self.own.options | {"rfm_cuts": rfm_cuts})
        own = self.own.scored.set_index("dealer_id")["segment"]
        rows = scored.merge(self.dealers, on="dealer_id", how="left")
        rows = rows.assign(page_segment=rows["dealer_id"].map(own))
        moved = rows["page_segment"].notna() & (rows["page_segment"] != rows["segment"])
        rows = pd.concat([rows[moved], rows[~moved]], ignore_index=True)
        said = [words.say("explore.segments", n=int(moved.sum()), of=len(rows))]
        shown = rows[rows["segment"].eq(segment)] if segment != ALL else rows
        return Seen(said, self._drawn(told, scored), shown.reset_index(drop=True), COLUMNS)

    def _drawn(self, told: segmentation.SegmentationData, scored: pd.DataFrame) -> Iterable[object]:
        yield segmentation.plot_rfm(scored)
        yield look.table(segmentation.segment_mix(scored, told.segments))
