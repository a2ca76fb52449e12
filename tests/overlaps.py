"""Whether the texts of a figure keep clear of each other, of the page's edge and of lines that are
not theirs.
"""

import itertools
import re

import numpy as np


def boxes_of(ax) -> list:
    """Measure all texts of a figure, with the tags they are written on."""
    texts = [text for text in (*ax.texts, *ax.figure.texts) if text.get_text().strip()]
    tags = [text.get_bbox_patch() for text in texts]
    return [
        (text.get_text(), (tag or text).get_window_extent())
        for text, tag in zip(texts, tags, strict=True)
    ]


def lines_of(ax, label: str) -> list[np.ndarray]:
    found = [c for c in ax.collections if c.get_label() == label]
    return [ax.transData.transform(segment) for c in found for segment in c.get_segments()]


def crosses(segment: np.ndarray, box) -> bool:
    """Say whether a line runs through a box: one of two hundred points on it lies inside."""
    points = segment[0] + np.linspace(0, 1, 200)[:, None] * (segment[1] - segment[0])
    inside = (points > [box.x0, box.y0]) & (points < [box.x1, box.y1])
    return bool(inside.all(axis=1).any())


def require_clear(ax) -> None:
    ax.figure.canvas.draw()  # tags and axes are placed only now
    found, page = boxes_of(ax), ax.figure.bbox
    for (one, a), (other, b) in itertools.combinations(found, 2):
        assert not (
            min(a.x1, b.x1) - max(a.x0, b.x0) > 0.5 and min(a.y1, b.y1) - max(a.y0, b.y0) > 0.5
        ), (one, other)
    for text, box in found:
        # a bold title is wrapped by its letters, not its width: it may end in the last two pixels'
        # margin
        assert page.x0 <= box.x0 and box.x1 <= page.x1 + 2, text
        assert page.y0 <= box.y0 and box.y1 <= page.y1, text
    bones, twigs, spine = (
        lines_of(ax, "bones"),
        lines_of(ax, "twigs"),
        ax.transData.transform(ax.lines[0].get_xydata()),
    )
    heads = {text.get_text() for text in ax.texts if text.get_fontsize() >= 10}
    for text, box in found:
        assert not any(crosses(bone, box) for bone in bones), text
        assert text in heads or not crosses(spine, box), text
        tag = bool(re.fullmatch(r" – |10|\d\.\d", text))  # a score lies on the tip of its own twig
        assert sum(crosses(twig, box) for twig in twigs) <= tag, text
