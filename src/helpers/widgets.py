"""Widgets: one call per notebook, for exploring by hand; editions leave them out."""

import datetime as dt
import html
from collections.abc import Mapping

import ipywidgets as widgets
import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display
from matplotlib.axes import Axes

from helpers import (
    card,
    climb,
    fishbone,
    groups,
    inventory,
    judgement,
    pareto,
    plan,
    profiles,
    profit,
    read,
    rfm,
    style,
    weights,
    workshop,
)


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


def explore_growth(
    statements: pd.DataFrame, stages: pd.DataFrame, found: workshop.Profile | None = None
) -> widgets.Widget:  # fmt: skip
    """Say of each statement how far it is true of oneself, and see the own profile against the room's, and a next step.

    `statements` and `stages` as `workshop.profile` takes them, `found` the room's; what is chosen is kept nowhere.
    """
    sliders, shown = {}, []
    for stage in stages["stage"]:
        for row in statements[statements["stage"] == stage].itertuples():
            slider = widgets.FloatSlider(value=5, min=0, max=10, step=0.5, readout_format=".1f",
                                         continuous_update=False)  # fmt: skip
            sliders[row.item_id] = slider
            text = widgets.HTML(html.escape(style.translated(row.en, row.zh)), layout={"flex": "1 1 0"})
            shown.append(widgets.HBox([slider, text]))

    def show(**given: float) -> None:
        own = workshop.own_profile(given, statements, stages, found.threshold if found else workshop.THRESHOLD)
        _display(workshop.plot_profile(own if found is None else found, None if found is None else own))
        display(style.Prose(workshop.bottom_line(own)))

    return widgets.VBox([*shown, widgets.interactive_output(show, sliders)])


def explore_stock(
    aged: pd.DataFrame, flows: pd.DataFrame, dealers: pd.DataFrame, models: pd.DataFrame
) -> widgets.Widget:
    """Choose a region, a category and an age, and see who holds what is older.

    `aged` from `inventory.aged`, `flows` and `models` from the door's `stock`.
    """
    wide = {"style": {"description_width": "initial"}}
    places = dealers.drop_duplicates("dealer_id").set_index("dealer_id")["region"]
    kinds = models.drop_duplicates("product_id").set_index("product_id")["category"]
    where, what = aged["dealer_id"].map(places), aged["product_id"].map(kinds)
    region, category = (
        widgets.Dropdown(options=[(style.label("all_of_them"), ""), *((style.word(k), k) for k in known)],
                         description=style.label(name), **wide)
        for name, known in (("region", sorted(where.dropna().unique())), ("category", sorted(what.dropna().unique())))
    )  # fmt: skip
    days = widgets.IntSlider(value=inventory.OLD_DAYS, min=0, max=360, step=30, description=style.label("age_limit"),
                             continuous_update=False, **wide)  # fmt: skip

    def show(region: str, category: str, days: int) -> None:
        chosen = aged[where.eq(region).to_numpy() | (not region)]
        chosen = chosen[what.reindex(chosen.index).eq(category).to_numpy() | (not category)]
        _display(inventory.plot_dealers(inventory.named(inventory.dealer_stock(chosen, flows), dealers)))
        older = inventory.named(inventory.older_than(chosen, days), dealers, models)
        shown = [column for column in inventory.DEAD if column in older]
        display(style.table(older[shown], limit=20, empty=style.say("inventory.none_older", days=days)))

    output = widgets.interactive_output(show, {"region": region, "category": category, "days": days})
    return widgets.VBox([region, category, days, output])


def explore_profit(comparison: pd.DataFrame, dealers: pd.DataFrame) -> widgets.Widget:
    """Choose a dealer, and see the proof that could be handed to him; `comparison` as `profit.brand_comparison`."""
    reporting = dealers[dealers["dealer_id"].isin(comparison["dealer_id"])]
    names = [(f"{row.dealer_name} ({row.dealer_id})", row.dealer_id) for row in reporting.itertuples()]
    chosen = widgets.Dropdown(options=sorted(names), description=style.label("dealer_name"),
                              style={"description_width": "initial"})  # fmt: skip

    def show(chosen: str | None) -> None:
        display(style.Prose(profit.verdict(comparison, chosen or "")))
        display(style.table(profit.proof_table(profit.proof(comparison, chosen or ""))))
        _display(profit.plot_proof(comparison, chosen or ""))

    return widgets.VBox([chosen, widgets.interactive_output(show, {"chosen": chosen})])


def explore_card(
    everyone: Mapping[str, pd.DataFrame], period: str, brand: str, actions: pd.DataFrame
) -> widgets.Widget:  # fmt: skip
    """Choose a dealer and who reads his card, and see its next steps and figures.

    `everyone` holds the tables that `card.dossier` takes, `actions` is the table of measures.
    """
    sizes = everyone["judged"]
    names = everyone["dealers"].set_index("dealer_id")["dealer_name"]
    options = [(f"{names.get(d, d)} · {d}", d) for d in sizes["dealer_id"]]
    dealer = widgets.Combobox(options=[name for name, _d in options], value=options[0][0], ensure_option=True,
                              description=style.label("dealer_name"), continuous_update=False,
                              layout={"width": "32em"})  # fmt: skip
    audience = widgets.ToggleButtons(options=[(style.say(f"report.card_for_{a}"), a) for a in card.AUDIENCES],
                                     style={"button_width": "auto"})  # fmt: skip

    def show(name: str, audience: str) -> None:
        found = card.dossier(dict(options)[name], audience, period, brand, **everyone)
        display(card.heading(found), style.Prose(card.next_steps(found, actions)), style.Prose(card.summary(found)))
        _display(card.plot_purchases(found))
        _display(card.plot_stock_age(found))

    output = widgets.interactive_output(show, {"name": dealer, "audience": audience})
    return widgets.VBox([dealer, audience, output])


def _display(ax: Axes) -> None:
    """Show a figure once: left open, the notebook would show it a second time."""
    display(ax.figure)
    plt.close(ax.figure)
