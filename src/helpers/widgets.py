"""Widgets: one call per notebook, for exploring by hand; editions leave them out.

An explorer is a few controls over a function `show`, which takes their values and gives what they
ask for: tables, sentences, axes. `_following` shows that as HTML. Where the data hold nothing to
explore, a sentence stands in place of the controls.
"""

import datetime as dt
import html
from collections.abc import Callable, Iterable, Mapping

import ipywidgets as widgets
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from helpers import (
    card,
    consumers,
    data,
    fishbone,
    inventory,
    look,
    pareto,
    profit,
    receivables,
    result,
    segmentation,
    words,
    workshop,
)
from helpers.card import dossier
from helpers.consumers import groups
from helpers.data import plan_file
from helpers.fishbone import effort
from helpers.inventory import age
from helpers.look import style
from helpers.profit import proof, sheet
from helpers.receivables import figures, summary
from helpers.segmentation import month
from helpers.workshop import growth


def explore_classes(
    asked: pareto.AbcData, own: pareto.AbcMonth, dealers: pd.DataFrame, diagnoses: pd.DataFrame
) -> widgets.Widget:
    """Choose another rule or move the weights, and see who changes class.

    `asked` is what the door told, `own` what the page makes of it, by its options. Who was put into
    a class by hand is compared with the class that was computed.
    """
    by_revenue, made_by = pareto.by_revenue(asked.totals), pareto.classed_by(asked.totals)
    known = [i for i in made_by if i in pareto.INDICATORS]
    additive = [i for i in made_by if i not in pareto.NOT_ADDITIVE]
    if not known and not additive:
        return _instead(words.say("explore.no_dealers"))
    by_rule = widgets.ToggleButtons(
        options=[(words.label(f"rule_{r}"), r) for r in pareto.RULES],
        value=own.options["rule"],
        description=words.label("rule"),
        style={"button_width": "auto"},
    )
    indicator = widgets.Dropdown(
        options=[(words.label(i), i) for i in additive], description=words.label("indicator")
    )
    weights = pareto.judging_rules(**own.options)["weights"]
    sliders = {
        i: widgets.FloatSlider(
            value=100 * weights[i],
            min=0,
            max=100,
            step=5,
            readout_format=".0f",
            description=words.label(i),
            style={"description_width": "initial"},
        )
        for i in known
    }

    def show(
        rule: str = own.options["rule"], indicator: str = "", **given: float
    ) -> Iterable[object]:
        rules, total = {**own.options, "rule": rule}, sum(given.values())
        if given and not total:
            yield look.Prose([words.say("explore.no_weight")])
            return
        parts = {i: 100 * given.get(i, 0.0) / total for i in pareto.INDICATORS} if given else {}
        rules |= {"weights": "/".join(map(repr, parts.values()))} if given else {}
        found = pareto.judge_month(asked, **rules)
        judged = pareto.named(found.judged, dealers, diagnoses)
        changed = _changed_classes(judged, own.judged)
        said = words.say(
            "explore.classes",
            now=_class_counts(_computed(judged)),
            n=len(changed),
            own=_class_counts(_computed(own.judged)),
        )
        weighed = [f"{words.label(i)} {words.percent(parts[i] / 100)}" for i in known if parts]
        cuts = pareto.judging_rules(**rules)["composite_cuts"]
        told = words.say("pareto.weights", weights=", ".join(weighed), a=cuts[0], b=cuts[1])
        yield look.Prose([said, told if weighed and not by_revenue else ""])
        if indicator:
            yield pareto.plot_pareto(judged, indicator)
        yield look.table(pareto.class_table(judged))
        yield look.table(changed, limit=20, empty=words.say("explore.nobody_changes"))

    # rule and indicator say nothing where no total adds up, nor does a single weight
    controls = {"rule": by_rule, "indicator": indicator} if additive else {}
    return _explorer(controls | (sliders if len(known) > 1 else {}), show)


def _computed(own: pd.DataFrame) -> pd.Series:
    return own["computed_class" if "computed_class" in own else "composite_class"]


def _class_counts(letters: pd.Series) -> str:
    """Write how many stand in each class, best class first; who has none comes last."""
    counts = letters.value_counts().sort_index()  # the dash comes after the letters
    return ", ".join(f"{letter} {n:,}" for letter, n in counts.items())


def _changed_classes(judged: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """List who stands in another class than on the page, in the order of `judged`."""
    before = pd.Series(_computed(own).to_numpy(), own["dealer_id"], name="page_class")
    rows = judged.assign(composite_class=_computed(judged)).join(before, on="dealer_id")
    columns = ["dealer_id", "dealer_name", "page_class", "composite_class", "code", "diagnosis"]
    return rows.loc[
        rows["page_class"] != rows["composite_class"], [c for c in columns if c in rows]
    ]


def explore_rfm(
    asked: segmentation.SegmentationData, own: segmentation.SegmentationMonth
) -> widgets.Widget:
    """Choose how recency is scored, by the calendar or by quantile, and see the segments change.

    `asked` is what the door told, `own` what the page makes of it, by its options.
    """
    if asked.orders.empty:
        return _instead(words.say("explore.no_dealers"))
    chosen = widgets.ToggleButtons(
        options=[(words.label(f"rfm_cuts_{how}"), how) for how in month.RFM_CUTS],
        value=own.options["rfm_cuts"],
        description=words.label("rfm_cuts"),
        style={"button_width": "auto", "description_width": "initial"},
    )

    def show(chosen: str) -> Iterable[object]:
        scored = segmentation.scored_dealers(asked, **own.options | {"rfm_cuts": chosen})
        yield segmentation.plot_rfm(scored)
        yield look.table(segmentation.segment_mix(scored, asked.segments))

    return _explorer({"chosen": chosen}, show)


def explore_fishbone(
    book: data.Workbook, asked: fishbone.FishboneData, own: fishbone.FishboneMonth
) -> widgets.Widget:
    """Choose the weights and the days of effort, see the fish and the climb change, and save the
    climb as the plan.

    `asked` is what the door told, `own` what the page makes of it, by its options.
    """
    tree, told_by = own.tree, own.options
    if own.scored[["score", "data_score"]].isna().all(axis=None):
        return _instead(words.say("fishbone.no_score", n=int(tree["is_leaf"].sum())))
    how = widgets.ToggleButtons(
        options=[(words.label(f"weighting_{h}"), h) for h in fishbone.HOW],
        value=told_by["weighting"] or own.how,
        description=words.label("weight"),
        style={"button_width": "auto"},
    )
    days = widgets.IntSlider(
        value=told_by["budget_days"],
        min=1,
        max=max(240, told_by["budget_days"]),
        description=words.label("effort_days"),
        style={"description_width": "initial"},
    )
    start = widgets.DatePicker(value=dt.date.today(), description=words.label("start_date"))
    save = widgets.Button(description=words.say("plan.save"), layout={"width": "auto"})
    told, climbed = widgets.HTML(), {}

    def show(how: str, days: int) -> Iterable[object]:
        climbed.clear()  # what can't be shown can't be saved
        found = fishbone.reweighed(asked, own, weighting=how, budget_days=days)
        climbed["legs"] = found.legs
        yield look.Prose(fishbone.weights.how_sentences(found.how, how))
        yield fishbone.plot_fishbone(tree, found.table, head=words.label("dealer_earns"))
        yield fishbone.plot_climb(found.legs, effort.frontier(found.starts, days), tree)

    def kept() -> Iterable[object]:
        legs = climbed.get("legs", pd.DataFrame())
        proposed = (
            fishbone.proposed_plan(legs, tree, start_date=start.value or dt.date.today())
            if len(legs)
            else legs
        )
        if proposed.empty:
            yield look.Prose([words.say("climb.nothing")])
        else:
            saved = plan_file.keep_plan(book, proposed)
            yield look.Prose([words.say("plan.saved", path=saved.name, n=len(proposed))])

    def keep(_button: widgets.Button) -> None:
        told.value = _shown(kept)

    save.on_click(keep)
    explorer = _explorer({"how": how, "days": days}, show)
    return widgets.VBox([explorer, widgets.HBox([start, save]), told])


def explore_groups(asked: consumers.ConsumersData, own: consumers.ConsumersMonth) -> widgets.Widget:
    """Ask for a number of groups, and see their sizes and what sets them apart.

    `asked` is what the door told, `own` what the page makes of it, by its options.
    """
    n_kinds = len(asked.habits.reindex(columns=[*groups.DISTANCE]).drop_duplicates())
    if n_kinds < 2:
        return _instead(words.say("explore.few_consumers"))
    n_own = len(own.judged.groups.model.codes)
    most = min(max(8, n_own), n_kinds)
    number = widgets.IntSlider(
        value=min(n_own, most),
        min=1,
        max=most,
        description=words.label("n_groups"),
        style={"description_width": "initial"},
        continuous_update=False,
    )

    def show(k: int) -> Iterable[object]:
        found = consumers.judged_groups(asked, **own.options | {"k": k})
        names, least = consumers.group_names(found.traits), own.options["min_group_people"]
        yield look.table(consumers.named(found.profile, names))
        yield consumers.plot_profiles(found.apart, names, least=least)

    return _explorer({"k": number}, show)


def explore_growth(
    statements: pd.DataFrame, stages: pd.DataFrame, found: workshop.Profile | None = None
) -> widgets.Widget:
    """Say of each statement how far it is true of oneself, and see the own profile against the
    room's, and a next step.

    `statements` and `stages` as `workshop.profile` takes them, `found` the room's; what is chosen
    is kept nowhere.
    """
    if statements.empty or stages.empty:
        return _instead(words.say("explore.no_statements"))
    sliders, rows = {}, []
    for stage in stages["stage"]:
        for row in statements[statements["stage"] == stage].itertuples():
            slider = widgets.FloatSlider(
                value=5, min=0, max=10, step=0.5, readout_format=".1f", continuous_update=False
            )
            sliders[row.item_id] = slider
            text = widgets.HTML(
                html.escape(words.translated(row.en, row.zh)), layout={"flex": "1 1 0"}
            )
            rows.append(widgets.HBox([slider, text]))

    def show(**given: float) -> Iterable[object]:
        own = workshop.own_profile(
            given, statements, stages, found.threshold if found else workshop.THRESHOLD
        )
        yield workshop.plot_profile(own if found is None else found, None if found is None else own)
        yield look.Prose(growth.bottom_line(own))

    return widgets.VBox([*rows, _following(sliders, show)])


def explore_stock(
    own: inventory.StockMonth, flows: pd.DataFrame, dealers: pd.DataFrame, models: pd.DataFrame
) -> widgets.Widget:
    """Choose a region and a category, and from which age on a piece is old; see who holds it.

    `own` is what the page makes of the month, by its options; `flows` and `models` from the door's
    `stock`.
    """
    aged, rules = own.aged, own.options
    if aged.empty:
        return _instead(words.say("inventory.no_stock"))
    wide = {"style": {"description_width": "initial"}}
    places = dealers.drop_duplicates("dealer_id").set_index("dealer_id")["region"]
    kinds = models.drop_duplicates("product_id").set_index("product_id")["category"]
    where, what = aged["dealer_id"].map(places), aged["product_id"].map(kinds)
    region, category = (
        widgets.Dropdown(
            options=[(words.label("all_of_them"), ""), *((words.word(k), k) for k in known)],
            description=words.label(name),
            **wide,
        )
        for name, known in (
            ("region", sorted(where.dropna().unique())),
            ("category", sorted(what.dropna().unique())),
        )
    )
    days = widgets.IntSlider(
        value=rules["old_days"],
        min=2,
        max=max(360, rules["old_days"]),
        description=words.label("old_days"),
        continuous_update=False,
        **wide,
    )

    def show(region: str, category: str, days: int) -> Iterable[object]:
        chosen = aged[where.eq(region).to_numpy() | (not region)]
        chosen = chosen[what.reindex(chosen.index).eq(category).to_numpy() | (not category)]
        chosen = inventory.with_old(chosen, days)
        sold = {name: rules[name] for name in ("dead_days", "pace_days")}
        held = inventory.named(inventory.dealer_stock(chosen, flows, **sold), dealers)
        yield inventory.plot_dealers(held, old_days=days)
        older = inventory.named(inventory.older_than(chosen, days), dealers, models)
        shown = [column for column in age.DEAD if column in older]
        yield look.table(older[shown], limit=20, empty=words.say("inventory.none_older", days=days))

    return _explorer({"region": region, "category": category, "days": days}, show)


def explore_profit(
    own: profit.ProfitMonth, dealers: pd.DataFrame, chosen: str = ""
) -> widgets.Widget:
    """Choose a dealer, and see the proof that could be handed to him; choose how far behind a rival
    we must be to earn a dealer less, and see with whom we do.

    `own` is what the page makes of the month, by its options, `chosen` whose proof it shows.
    """
    comparison, rules = own.comparison, own.options
    if comparison.empty:
        return _instead(words.say("standing.nothing"))
    names = dealers.drop_duplicates("dealer_id").set_index("dealer_id")["dealer_name"]
    options = [(f"{names.get(d, d)} ({d})", d) for d in comparison["dealer_id"].unique()]
    wide = {"style": {"description_width": "initial"}}
    dealer = widgets.Dropdown(
        options=sorted(options), description=words.label("dealer_name"), **wide
    )
    if chosen in comparison["dealer_id"].array:
        dealer.value = chosen
    behind = widgets.FloatSlider(
        value=rules["behind_points"],
        min=0,
        max=max(0.2, rules["behind_points"]),
        step=0.005,
        readout_format=".1%",
        description=words.label("behind_points"),
        continuous_update=False,
        **wide,
    )

    def show(dealer: str, behind: float) -> Iterable[object]:
        yield look.Prose(profit.verdict(comparison, own.gaps, dealer))
        yield look.table(profit.proof_table(sheet.proof(comparison, dealer)))
        yield profit.plot_proof(comparison, dealer)
        rule = {"behind_points": behind, "min_gap_share": rules["min_gap_share"]}
        lost = profit.losing(comparison, own.gaps, **rule)
        less = profit.named(lost[lost["status"] == "earns_less"], dealers)
        said = words.say("explore.earns_less", n=len(less), points=words.decimal(100 * behind, 1))
        yield look.Prose([said])
        yield look.table(less[proof.SHOWN], limit=20, empty=words.say("standing.nobody_less"))

    return _explorer({"dealer": dealer, "behind": behind}, show)


def explore_receivables(
    asked: receivables.ReceivablesData, own: receivables.ReceivablesMonth, dealers: pd.DataFrame
) -> widgets.Widget:
    """Choose how long an invoice may be overdue before supply stops, and see whose does; choose a
    status, and see who has it.

    `asked` is what the door told, `own` what the page makes of it, by its options.
    """
    rules = own.options
    if own.owed.empty:
        return _instead(words.say("receivables.no_payments"))
    wide = {"style": {"description_width": "initial"}, "continuous_update": False}
    days = widgets.IntSlider(
        value=rules["stop_days"],
        min=0,
        max=max(360, rules["stop_days"]),
        description=words.label("stop_days"),
        **wide,
    )
    there = [status for status in receivables.STATUSES if (own.owed["status"] == status).any()]
    status = widgets.Dropdown(
        options=[(words.word(s), s) for s in there],
        description=words.label("status"),
        style={"description_width": "initial"},
    )

    def show(days: int, status: str) -> Iterable[object]:
        found = receivables.judge_month(asked, **rules | {"stop_days": days})
        late = summary.named(found.owed[found.owed["status"] == status], dealers)
        told = {"late": len(late), "status": words.word(status)}
        yield look.Prose([words.say("explore.receivables", n=len(found.stop), **told)])
        none = summary.why_none_stopped(found.owed, found.network)
        stop = summary.named(found.stop, dealers)
        yield figures.plot_owing(
            found.owed[found.owed["dealer_id"].isin(stop["dealer_id"])], dealers
        )
        yield look.table(stop[summary.STOP_SHOWN], limit=15, empty=none)
        none = summary.why_none_late(found.owed)
        yield look.table(late[summary.LATE_SHOWN], limit=15, empty=none)

    return _explorer({"days": days, "status": status}, show)


def explore_month(asked: result.ResultData, own: result.ResultMonth) -> widgets.Widget:
    """Choose a span, revenue or gross profit, and what to cut by, and see the bridge and its parts.

    `asked` is what the door told, `own` what the page makes of it, by its options.
    """
    known = own.bridge
    if known.empty:
        return _instead(words.say("month.no_bridge_month"))

    def chooser(column: str, shown: str) -> widgets.ToggleButtons:
        values = known[column].unique()
        return widgets.ToggleButtons(
            options=[(words.label(value), value) for value in values],
            description=words.label(shown),
            style={"button_width": "auto"},
        )

    controls = {name: chooser(name, name) for name in ("span", "indicator", "cut")}

    def show(span: str, indicator: str, cut: str) -> Iterable[object]:
        whole = result.network_steps(known, span, indicator)
        yield result.plot_bridge(whole, span, period=asked.period)
        rows = result.bridge_rows(known, span, indicator, cut)
        yield look.table(rows, empty=words.say("month.no_cut"))

    return _explorer(controls, show)


def explore_card(
    everyone: Mapping[str, pd.DataFrame], period: str, brand: str, actions: pd.DataFrame
) -> widgets.Widget:
    """Choose a dealer and who reads his card, and see its next steps and figures.

    `everyone` holds the tables that `dossier.dossier` takes, `actions` is the table of measures.
    """
    names = everyone["dealers"].drop_duplicates("dealer_id").set_index("dealer_id")["dealer_name"]
    # who is not in the table of dealers has no card
    options = {f"{names[d]} · {d}": d for d in everyone["judged"]["dealer_id"] if d in names.index}
    if not options:
        return _instead(words.say("explore.no_dealers"))
    dealer = widgets.Combobox(
        options=[*options],
        value=next(iter(options)),
        ensure_option=True,
        description=words.label("dealer_name"),
        continuous_update=False,
        layout={"width": "32em"},
    )
    audience = widgets.ToggleButtons(
        options=[(words.say(f"report.card_for_{a}"), a) for a in card.AUDIENCES],
        style={"button_width": "auto"},
    )

    def show(name: str, audience: str) -> Iterable[object]:
        if name not in options:  # the field was emptied
            yield look.Prose([words.say("explore.choose")])
            return
        found = dossier.dossier(options[name], audience, period, brand, **everyone)
        yield card.heading(found)
        yield look.Prose(card.next_steps(found, actions))
        yield look.Prose(card.summary(found))
        yield card.plot_purchases(found)
        yield card.plot_stock_age(found)

    return _explorer({"name": dealer, "audience": audience}, show)


# ---- what all explorers share --------------------------------------------------------------------


def _instead(sentence: str) -> widgets.HTML:
    """Say in place of controls that there is nothing to explore."""
    return widgets.HTML(_as_output(look.Prose([sentence])._repr_html_()))


def _explorer(
    controls: Mapping[str, widgets.Widget], show: Callable[..., Iterable[object]]
) -> widgets.VBox:
    return widgets.VBox([*controls.values(), _following(controls, show)])


def _following(
    controls: Mapping[str, widgets.Widget], show: Callable[..., Iterable[object]]
) -> widgets.HTML:
    """Show what `show` gives for the controls' values, now and after each change.

    ipywidgets' own `interactive_output` would draw into an `Output`. No notebook of ours opens one:
    nbclient answers it while it waits for the cell's end, and then may never hear of that
    (`tests/benchmarks/hanging_output.py`). Whoever drags a slider faster than we draw sees the last
    place, not each: the browser holds a widget's next value back until the one before has been
    drawn.
    """
    shown = widgets.HTML(layout={"overflow": "auto"})

    def follow(_change: object = None) -> None:
        shown.value = _shown(show, **{name: control.value for name, control in controls.items()})

    for control in controls.values():
        control.observe(follow, "value")
    follow()
    return shown


def _shown(show: Callable[..., Iterable[object]], **values: object) -> str:
    """Turn what `show` gives into HTML.

    An error becomes a sentence, for the next choice may do; figures are closed.
    """
    before = set(plt.get_fignums())
    try:
        return _as_output("".join(map(_html, show(**values))))
    except Exception as error:
        told = words.say("explore.failed", error=f"{type(error).__name__}: {error}")
        return _as_output(look.Prose([told])._repr_html_())
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)


def _html(thing: object) -> str:
    if thing is None:  # nothing to draw
        return ""
    return style.picture(thing.figure) if isinstance(thing, Axes) else thing._repr_html_()


def _as_output(markup: str) -> str:
    """Have JupyterLab set a widget's markup as it sets that of a cell's output."""
    return f'<div class="jp-OutputArea-output jp-RenderedHTMLCommon">{markup}</div>'
