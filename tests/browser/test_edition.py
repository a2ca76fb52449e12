"""A sample edition in a real browser: on a phone, on a desk, on paper."""

import io

import checks
import matplotlib.pyplot as plt
import numpy as np
import pytest
import sample
from PIL import Image

from helpers import look, words
from helpers.look.svg import markup

pytestmark = pytest.mark.skipif(checks.chromium() is None, reason=checks.WHY_NOT)


@pytest.fixture(scope="module")
def opened():
    pytest.importorskip("playwright", reason="the browser tests need the playwright package")
    with checks.browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def edition(tmp_path_factory):
    yield sample.make_edition(tmp_path_factory.mktemp("sample"))
    words.speak("en")


@pytest.mark.parametrize("width", checks.WIDTHS)
def test_pages_are_sound(opened, edition, width):
    paths = [*checks.pages(edition), edition.parent / "index.html"]
    assert len(paths) == 2 * (len(sample.TITLES) + 2) + 1
    assert [fault for path in paths for fault in checks.page_faults(opened, path, width)] == []


def test_faults_are_seen(opened, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text(
        '<img src="gone.png"><p style="width: 3000px">x</p><link rel="stylesheet" href="http://127.0.0.1:9/x.css">'
        "<script>nothing()</script>"
    )
    faults = " ".join(checks.page_faults(opened, page, 390))
    for fault in (
        "request: http://127.0.0.1:9",
        "script:",
        "pixels wide",
        "without alternative",
        "shows nothing",
    ):
        assert fault in faults


def test_the_front_page_fits_two_sheets(opened, edition):
    for folder in (edition, edition / "zh-Hans"):
        assert 1 <= checks.printed_sheets(opened, folder / "index.html") <= 2


def test_a_call_leads_to_the_dealer_and_the_switch_to_the_same_page(opened, edition):
    page = opened.new_page()
    page.goto((edition / "index.html").as_uri())
    page.click(".calls a")
    assert page.url.endswith("03_abc_pareto.html#dealer-D001")
    page.click(".languages a")
    assert page.url.endswith("zh-Hans/03_abc_pareto.html")
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    page.close()


def test_pages_are_light(edition):
    assert max(path.stat().st_size for path in checks.pages(edition)) < 350_000


def test_a_slim_figure_looks_the_same(opened):
    look.use("zh-Hans")
    ax, rng = look.axes(), np.random.default_rng(1)
    ax.plot(np.linspace(0, 9, 200), np.sin(np.linspace(0, 30, 200)))
    ax.bar(range(9), rng.random(9))
    ax.scatter(rng.random(40) * 9, rng.random(40), c=range(40), marker="s")
    ax.fill_between([0, 9], [0, 0.5], alpha=0.3)
    look.explain(ax, "115 家客户(占 20%)贡献了 75% 的毛利额", "gross profit, ÄÖ −1,5", "2026")
    drawn = io.BytesIO()
    ax.figure.savefig(drawn, format="svg")
    plt.close(ax.figure)
    svg = drawn.getvalue().decode()
    shots = []
    for source in (svg, markup.slim_svg(svg)):
        page = opened.new_page(viewport={"width": 900, "height": 360})
        page.set_content(f'<img src="{markup.data_address(source)}">')
        shots.append(np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("L"), dtype=int))
        page.close()
    words.speak("en")
    assert np.abs(shots[0] - 255).mean() > 5  # something was drawn
    assert np.abs(shots[0] - shots[1]).mean() < 0.1
    assert len(markup.slim_svg(svg)) < 0.6 * len(svg)
