"""Widgets: one call per notebook, for exploring by hand; editions leave them out."""

import ipywidgets as widgets
import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display

from helpers import judgement, pareto, rfm, style


def explore_classes(totals: pd.DataFrame, diagnoses: pd.DataFrame) -> widgets.Widget:
    """Move the class borders and the weights, and see who changes class.

    `totals` and `diagnoses` as for `judgement.joint_judgement`.
    """
    known = [i for i in pareto.INDICATORS if totals[i].notna().any()]
    additive = [i for i in known if i not in pareto.NOT_ADDITIVE] or ["revenue"]
    rule = widgets.ToggleButtons(options=[(style.label(f"rule_{r}"), r) for r in pareto.RULES],
                                 description=style.label("rule"), style={"button_width": "auto"})  # fmt: skip
    indicator = widgets.Dropdown(options=[(style.label(i), i) for i in additive], description=style.label("indicator"))
    weights = {
        i: widgets.FloatSlider(value=judgement.WEIGHTS[i], min=0, max=1, step=0.05, description=style.label(i),
                               style={"description_width": "initial"})
        for i in known
    }  # fmt: skip

    def show(rule: str, indicator: str, **given: float) -> None:
        asked = {i: given.get(i, 0.0) for i in pareto.INDICATORS}
        judged = judgement.joint_judgement(totals, diagnoses, rule=rule, weights=asked)
        if indicator in known:
            figure = pareto.plot_pareto(judged, indicator).figure
            display(figure)
            plt.close(figure)  # or the notebook shows it a second time
        display(style.table(judgement.class_table(judged)))

    output = widgets.interactive_output(show, {"rule": rule, "indicator": indicator, **weights})
    return widgets.VBox([rule, indicator, *weights.values(), output])


def explore_rfm(orders: pd.DataFrame, end_date: object, rules: pd.DataFrame) -> widgets.Widget:
    """Choose how recency is scored, by the calendar or by quantile, and see the segments change.

    `orders` as `read.dealer_orders` gives them, `rules` from `rfm_segments.csv`.
    """
    cuts = {style.label("by_calendar"): rfm.CALENDAR_CUTS, style.label("by_quantile"): "quantile"}
    chosen = widgets.ToggleButtons(options=list(cuts), description=style.label("rule"))

    def show(chosen: str) -> None:
        scores = rfm.rfm_scores(orders, end_date, cuts=cuts[chosen])
        figure = rfm.plot_rfm(scores).figure
        display(figure)
        plt.close(figure)
        display(style.table(rfm.segment_mix(rfm.rfm_segments(scores, rules), rules)))

    return widgets.VBox([chosen, widgets.interactive_output(show, {"chosen": chosen})])
