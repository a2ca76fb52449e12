"""Widgets: one call per notebook, for exploring by hand; editions leave them out."""

import datetime as dt
import html

import ipywidgets as widgets
import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display
from matplotlib.axes import Axes

from helpers import climb, fishbone, groups, judgement, pareto, plan, profiles, read, rfm, style, weights


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
            _display(pareto.plot_pareto(judged, indicator))
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
        _display(rfm.plot_rfm(scores))
        display(style.table(rfm.segment_mix(rfm.rfm_segments(scores, rules), rules)))

    return widgets.VBox([chosen, widgets.interactive_output(show, {"chosen": chosen})])


def explore_fishbone(
    book: read.Workbook, tree: pd.DataFrame, scored: pd.DataFrame, pairs: pd.DataFrame, habits: pd.DataFrame,
    hills: pd.DataFrame,
) -> widgets.Widget:  # fmt: skip
    """Choose the weights and the days of effort, see the fish and the climb change, and save the climb as the plan.

    `tree`, `scored`, `pairs`, `habits` and `hills` as `fishbone.factor_tree`, `scoring.factor_scores`,
    `weights.chosen_weights` and `climb.require_assumptions` give or take them.
    """
    how = widgets.ToggleButtons(options=[(style.label(f"weights_{h}"), h) for h in weights.HOW],
                                description=style.label("weight"), style={"button_width": "auto"})  # fmt: skip
    days = widgets.IntSlider(value=60, min=5, max=240, step=5, description=style.label("effort_days"),
                             style={"description_width": "initial"})  # fmt: skip
    start = widgets.DatePicker(value=dt.date.today(), description=style.label("start_date"))
    save = widgets.Button(description=style.say("plan.save"), layout={"width": "auto"})
    told, shown = widgets.HTML(), {}

    def show(how: str, days: int) -> None:
        weight, used = weights.chosen_weights(how, tree, pairs, habits)
        table = fishbone.factor_table(tree, scored, weight)
        starts = climb.starting_points(fishbone.shown_scores(table), weight, hills, tree)
        shown["legs"] = climb.legs(starts, days)
        for sentence in weights.how_sentences(used, how):
            print(sentence)
        _display(fishbone.plot_fishbone(tree, table, head=style.label("dealer_earns")))
        _display(climb.plot_climb(shown["legs"], climb.frontier(starts, days), tree))

    def keep(_button: widgets.Button) -> None:
        proposed = plan.proposed_plan(shown["legs"], tree, start_date=start.value or dt.date.today())
        told.value = html.escape(style.say("plan.saved", path=read.keep_plan(book, proposed).name, n=len(proposed)))

    save.on_click(keep)
    output = widgets.interactive_output(show, {"how": how, "days": days})
    return widgets.VBox([how, days, output, widgets.HBox([start, save]), told])


def explore_groups(habits: pd.DataFrame) -> widgets.Widget:
    """Ask for a number of groups, and see their sizes and what sets them apart; `habits` are consumers' features."""
    asked = widgets.IntSlider(value=4, min=2, max=8, description=style.label("n_groups"),
                              style={"description_width": "initial"}, continuous_update=False)  # fmt: skip

    def show(asked: int) -> None:
        found = groups.consumer_groups(habits, k=asked)
        names = profiles.group_names(habits, found.labels)
        display(style.table(profiles.profile_table(habits, found.labels, names)))
        _display(profiles.plot_profiles(profiles.differences(habits, found.labels), names))

    return widgets.VBox([asked, widgets.interactive_output(show, {"asked": asked})])


def _display(ax: Axes) -> None:
    """Show a figure once: left open, the notebook would show it a second time."""
    display(ax.figure)
    plt.close(ax.figure)
