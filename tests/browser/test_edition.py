"""A sample edition in a real browser: on a phone, on a desk, on paper."""

import checks
import pytest
import sample

from helpers import words

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
    for fault in ("request: http://127.0.0.1:9", "script:", "pixels wide", "without alternative", "shows nothing"):
        assert fault in faults


def test_the_front_page_fits_two_sheets(opened, edition):
    for folder in (edition, edition / "zh-Hans"):
        assert 1 <= checks.printed_sheets(opened, folder / "index.html") <= 2


def test_a_call_leads_to_the_dealer_and_the_switch_to_the_same_page(opened, edition):
    page = opened.new_page()
    page.goto((edition / "index.html").as_uri())
    page.click(".calls a")
    assert page.url.endswith("02_abc_pareto.html#dealer-D001")
    page.click(".languages a")
    assert page.url.endswith("zh-Hans/02_abc_pareto.html")
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    page.close()


def test_pages_are_light(edition):
    assert max(path.stat().st_size for path in checks.pages(edition)) < 350_000
