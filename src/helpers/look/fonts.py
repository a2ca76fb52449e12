"""The font that Chinese is written in, which comes as a package: no system has it for sure."""

import functools
from pathlib import Path

import noto_cjk_sans_otc
from matplotlib import font_manager

FONT = str(Path(noto_cjk_sans_otc.__file__).parent / "NotoSansCJK-Regular.ttc")


@functools.cache
def add() -> None:
    """Let matplotlib find the font by its names, `Noto Sans CJK SC` and the like."""
    if FONT not in {font.fname for font in font_manager.fontManager.ttflist}:
        font_manager.fontManager.addfont(FONT)
