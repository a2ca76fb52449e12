"""What we write as SVG shows the same as what matplotlib writes, as image and within a page."""

import io

import checks
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from helpers import look, words
from helpers.look.svg import drawing, markup

pytestmark = pytest.mark.skipif(checks.chromium() is None, reason=checks.WHY_NOT)


def figure():
    """Draw whatever a renderer has to draw."""
    ax, rng = look.axes(), np.random.default_rng(1)
    ax.plot(
        np.linspace(0, 9, 200), np.sin(np.linspace(0, 30, 200)), linestyle="--", label="−1,5 gj"
    )
    ax.bar(range(9), rng.random(9), hatch="//", alpha=0.5)
    ax.scatter(rng.random(40) * 9, rng.random(40), c=range(40), marker="s", edgecolor="white")
    ax.scatter([2, 4], [0.5, 0.5], s=[60, 200], facecolor="none", edgecolor="k")
    ax.fill_between([0, 9], [0, 0.5], alpha=0.3)
    ax.imshow(rng.random((4, 4)), extent=(6, 8, -0.8, -0.2), aspect="auto")
    ax.text(1, -0.5, "斜 text", rotation=30, bbox={"boxstyle": "round", "facecolor": "#eeeeee"})
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    look.explain(ax, "115 家客户（占 20%）贡献了 75% 的毛利额", "gross profit, ÄÖ −1,5", "2026")
    return ax.figure


def test_our_drawing_looks_like_matplotlibs():
    pytest.importorskip("playwright", reason="the browser tests need the playwright package")
    look.use("zh-Hans")
    drawn, theirs, letters, shots = figure(), io.StringIO(), {}, []
    ours = drawing.svg(drawn)
    drawn.savefig(theirs, format="svg")
    plain = figure()
    plain.axes[0].images[0].remove()  # an image keeps a figure out of the page's own markup
    alone, as_part = drawing.svg(plain), markup.part(drawing.svg(plain), letters, "seen")
    plt.close("all")
    words.speak("en")
    assert markup.part(ours, {}, "") == ""
    bodies = [f'<img src="{markup.data_address(svg)}">' for svg in (theirs.getvalue(), ours, alone)]
    with checks.browser() as opened:
        for body in [
            *bodies,
            f"{as_part}<svg width=0 height=0><defs>{''.join(letters.values())}</defs></svg>",
        ]:
            page = opened.new_page(viewport={"width": 900, "height": 360})
            page.set_content(
                f"<!DOCTYPE html><style>img, svg {{display: block}}</style><body>{body}"
            )
            shots.append(
                np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("L"), dtype=int)
            )
            page.close()
    assert np.abs(shots[0] - 255).mean() > 5  # something was drawn
    assert np.abs(shots[0] - shots[1]).mean() < 0.5
    assert np.abs(shots[2] - shots[3]).mean() < 0.7  # of an image, edges are snapped to pixels
