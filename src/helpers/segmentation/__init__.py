"""Who the dealers are and where: types, formats, territory, recent buying."""

from helpers.segmentation.month import (
    SegmentationData,
    SegmentationMonth,
    judge_month,
    read_month,
    scored_dealers,
    segmentation_month,
)
from helpers.segmentation.rfm import plot_rfm, segment_mix
from helpers.segmentation.territory import plot_coverage

__all__ = [
    "SegmentationData",
    "SegmentationMonth",
    "judge_month",
    "plot_coverage",
    "plot_rfm",
    "read_month",
    "scored_dealers",
    "segment_mix",
    "segmentation_month",
]
