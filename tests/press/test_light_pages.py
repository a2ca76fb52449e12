"""Pages light enough for mail: the same pixels in fewer bytes, drawings for a phone folded away."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from helpers import look
from helpers.press import living, page_body


def picture(mode: str, kind: str = "PNG", **options) -> bytes:
    drawn = np.random.default_rng(7).integers(0, 2, (60, 80)).astype("uint8") * 200
    out = io.BytesIO()
    Image.fromarray(drawn).convert(mode).save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("mode", ["P", "L", "RGB", "RGBA"])
def test_the_same_pixels_in_fewer_bytes(mode):
    given = picture(mode)
    kind, made = page_body._lighter(given)
    assert kind == "image/webp" and len(made) < len(given)
    before, after = (
        np.asarray(Image.open(io.BytesIO(image)).convert("RGBA")) for image in (given, made)
    )
    assert (before == after).all()


@pytest.mark.parametrize(
    "given",
    [
        b"\x89PNG\r\n\x1a\n broken",
        b"",
        picture("I;16"),
        picture("L", save_all=True, append_images=[Image.new("L", (80, 60), 9)]),
    ],
    ids=["broken", "empty", "deep", "moving"],
)
def test_what_would_lose_something_stays(given):
    assert page_body._lighter(given) == ("image/png", given)


def test_a_drawing_for_a_phone_is_folded_and_comes_back_whole():
    narrow = (
        '<svg width="355" data-names="x,y"><use href="#a0"><title>A &amp; "B"</title></use></svg>'
    )
    body = (
        '<figure class="figure"><div class="wide"><svg id="w"></svg></div>'
        f'<div class="narrow">{narrow}</div></figure>'
        '<figure class="figure"><div class="narrow"><img alt="" src="data:,"></div></figure>'
    )
    folded = living.fold(body)
    (told,) = re.findall(r'<div class="narrow" data-drawing="([^"<>&]*)"></div>', folded)
    assert look.unpacked(told) == narrow.replace(' data-names="x,y"', "")
    assert '<svg id="w">' in folded and '<div class="narrow"><img' in folded
    assert living.fold(folded) == folded


def test_the_heaviest_drawings_for_a_phone_are_left_out_where_a_page_weighs_too_much():
    small, large = (f'<div class="narrow" data-drawing="{"x" * n}"></div>' for n in (200, 900))
    dense = f'<div class="narrow"><img alt="" src="data:{"y" * 500}"></div>'
    rows = f'<table data-columns="a" data-whole="{"z" * 4000}"></table>'
    text = f"<p>{small}{large}{dense}</p>{rows}"
    light = len(text) - 4001
    assert living.fitted(text, light) == text, "the rows it carries are not counted"
    assert living.fitted(text, light - 1) == text.replace(large, '<div class="narrow"></div>')
    assert living.fitted(text, light - 1000).count('<div class="narrow"></div>') == 2
    empty = '<div class="narrow"></div>'
    assert living.fitted(text, 0) == f"<p>{empty * 3}</p>{rows}"
