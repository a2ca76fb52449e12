"""How far one is oneself, by statements: an explorer of a person, not of dealers."""

import html
from collections.abc import Iterable

import ipywidgets
import pandas as pd

from helpers import look, words, workshop
from helpers.widgets import drawing, explorer
from helpers.workshop import growth

MIDDLE, MOST, STEP = 5, 10, 0.5


def explore_growth(
    statements: pd.DataFrame, stages: pd.DataFrame, found: workshop.Profile | None = None
) -> ipywidgets.Widget:
    """Say of each statement how far it is true of oneself, and see the own profile against the
    room's, and a next step.

    `statements` and `stages` as `workshop.profile` takes them, `found` the room's; what is chosen
    is kept nowhere. It is about no dealer: there is no bar.
    """
    if statements.empty or stages.empty:
        return explorer.instead(words.say("explore.no_statements"))
    sliders, rows = {}, []
    for stage in stages["stage"]:
        for row in statements[statements["stage"] == stage].itertuples():
            slider = ipywidgets.FloatSlider(
                value=MIDDLE,
                min=0,
                max=MOST,
                step=STEP,
                readout_format=".1f",
                continuous_update=False,
            )
            sliders[row.item_id] = slider
            text = ipywidgets.HTML(
                html.escape(words.translated(row.en, row.zh)), layout={"flex": "1 1 0"}
            )
            rows.append(ipywidgets.HBox([slider, text]))
    shown = ipywidgets.HTML(layout={"overflow": "auto"})

    def things() -> Iterable[object]:
        given = {name: slider.value for name, slider in sliders.items()}
        threshold = found.threshold if found else workshop.THRESHOLD
        own = workshop.own_profile(given, statements, stages, threshold)
        yield workshop.plot_profile(own if found is None else found, None if found is None else own)
        yield look.Prose(growth.bottom_line(own))

    def follow(_change: object = None) -> None:
        shown.value = drawing.drawn(things)

    for slider in sliders.values():
        slider.observe(follow, "value")
    follow()
    return explorer.Kept([*rows, shown], lambda: shown.value)
