"""Profiles: what sets consumer groups apart, what to call them, who moves between them, and who
they are.
"""

import textwrap
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from scipy.stats import binomtest

from helpers import look, words
from helpers.consumers import groups, number_of_groups
from helpers.consumers.groups import DESCRIBED, DISTANCE, EVERYONE, Groups
from helpers.settings import page_of

STRONG = 0.5  # Cohen's d from which a difference names a group
SMALLEST_SHOWN = 10  # consumers; no figures of fewer people
MOST_VALUES = 12  # of a demographic column
MAP_POINTS = 3_000
# features that have words of their own
NAMED = {*DISTANCE, *DESCRIBED, "n_contacts", "n_responses"}
SHOWN = {
    "frequency": "n_visits",
    "basket": "basket",
    "lines_per_visit": "lines_per_visit",
    "price_tier": "price_tier",
    "discount_share": "discount_share",
    "promotion_share": "promotion_share",
    "peak_share": "peak_share",
    "recency_days": "silent_days",
}
PAGE = page_of("consumer_groups")


def differences(
    features: pd.DataFrame, labels: pd.Series, columns: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Compare each group with all other consumers, feature by feature.

    `difference` is Cohen's d on the feature's scale: the group's mean minus the others', over the
    standard deviation within the two. Missing values are left out. Without `columns` all features
    known to this module are compared.

    Returns
    -------
    DataFrame
        group, feature, n_consumers, n_known, mean, median, everyone (median of all), difference;
        features in the order of `columns`.
    """
    people = groups.by_consumer(features)
    place, codes = _codes_of(people, labels)
    differences = _differences(people, place, len(codes), columns)
    n = np.bincount(place[place >= 0], minlength=len(codes))
    members = [np.flatnonzero(place == i) for i in range(len(codes))]
    rows = []
    for column, apart in differences.items():
        v = groups.feature_values(people, column)
        everyone = _median(v[place >= 0])
        for i, code in enumerate(codes):
            own = v[members[i]]
            rows.append(
                (
                    code,
                    column,
                    n[i],
                    np.isfinite(own).sum(),
                    _mean(own),
                    _median(own),
                    everyone,
                    apart[i],
                )
            )
    columns = [
        "group",
        "feature",
        "n_consumers",
        "n_known",
        "mean",
        "median",
        "everyone",
        "difference",
    ]
    return pd.DataFrame(rows, columns=columns)


def group_names(
    features: pd.DataFrame, labels: pd.Series, columns: Mapping[str, str] = DISTANCE
) -> dict[str, str]:
    """Name groups by the one or two features in which they differ most from all others, no name
    twice.

    A difference counts from half a standard deviation within groups; a group without one is
    "average". Two groups of the same two features get the next one added.
    """
    people = groups.by_consumer(features)
    place, codes = _codes_of(people, labels)
    if codes == [EVERYONE]:
        return {EVERYONE: words.say("groups.everyone")}
    apart = pd.DataFrame(_differences(people, place, len(codes), columns), index=codes)
    wording = {code: _words(apart.loc[code].dropna()) for code in codes}
    n_words = dict.fromkeys(codes, 2)
    while True:
        names = {code: _joined(wording[code][: n_words[code]]) for code in codes}
        twins = [code for code in codes if list(names.values()).count(names[code]) > 1]
        longer = [code for code in twins if n_words[code] < len(wording[code])]
        if not longer:
            return {
                code: words.say("groups.twin", name=names[code], code=code)
                if code in twins
                else names[code]
                for code in codes
            }
        n_words.update({code: n_words[code] + 1 for code in longer})


def profile_table(
    features: pd.DataFrame, labels: pd.Series, names: Mapping[str, str]
) -> pd.DataFrame:
    """Sum each group up, largest first: how many, what they spend, and medians of their habits.

    Columns: group, group_name, n_consumers, consumer_share, spent (money), spent_share; where known
    the medians n_visits, basket, lines_per_visit, price_tier, discount_share, silent_days, the
    means promotion_share, peak_share. Groups of fewer than 10 consumers keep their row and show no
    figure (`suppressed_sentence` says so).
    """
    people = groups.by_consumer(features)
    place, codes = _codes_of(people, labels)
    n = np.bincount(place[place >= 0], minlength=len(codes))
    table = pd.DataFrame(
        {
            "group": codes,
            "group_name": [names[code] for code in codes],
            "n_consumers": n.astype(float),
            "consumer_share": n / max(n.sum(), 1),
        }
    )
    if "monetary" in people:
        money = np.nan_to_num(groups.feature_values(people, "monetary"))[place >= 0]
        table["spent"] = np.bincount(place[place >= 0], money, minlength=len(codes))
        table["spent_share"] = table["spent"] / (
            table["spent"].sum() if table["spent"].sum() > 0 else np.nan
        )
    for column, shown in SHOWN.items():
        if column in people:
            v = groups.feature_values(people, column)
            typical = (
                _mean if DISTANCE.get(column) == "habit" else _median
            )  # a share seen once is 0 or 1, its median too
            table[shown] = [typical(v[place == i]) for i in range(len(codes))]
    figures = [column for column in table if column not in ("group", "group_name")]
    table.loc[table["n_consumers"] < SMALLEST_SHOWN, figures] = np.nan
    return table.sort_values(["n_consumers", "group"], ascending=[False, True], ignore_index=True)


def large_enough(rows: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    """Choose the rows of groups that show figures: of `SMALLEST_SHOWN` consumers or more.

    >>> rows = pd.DataFrame({"group": ["g1", "g2"], "amount": [90.0, 4.0]})
    >>> large_enough(rows, pd.Series(["g1"] * 10 + ["g2"] * 9))["group"].tolist()
    ['g1']
    """
    sizes = labels.value_counts()
    return rows[rows["group"].isin(sizes.index[sizes >= SMALLEST_SHOWN])].reset_index(drop=True)


def suppressed_sentence(table: pd.DataFrame) -> str:
    """Say which groups of a profile table show no figures for being too small; "" if none."""
    small = table.loc[table["n_consumers"].isna(), "group_name"]
    return words.say(
        "groups.suppressed", n=len(small), names=words.listed(small), least=SMALLEST_SHOWN
    ) * bool(len(small))


def _codes_of(people: pd.DataFrame, labels: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Give each consumer's group as a place in the sorted codes; −1 for who is in none."""
    aligned = labels if labels.index.equals(people.index) else labels.reindex(people.index)
    place, codes = pd.factorize(aligned, sort=False)
    order = sorted(range(len(codes)), key=lambda i: (len(codes[i]), codes[i]))  # g2 before g10
    rank = np.append(np.argsort(order), -1)
    return rank[place], [str(codes[i]) for i in order]


def _differences(
    people: pd.DataFrame, place: np.ndarray, n_groups: int, columns: Mapping[str, str] | None
) -> dict[str, np.ndarray]:
    """Measure Cohen's d of each group against all others, per feature."""
    asked = DISTANCE | DESCRIBED if columns is None else columns
    try:
        model = groups.scales_of(people, asked)
    except ValueError:
        return {}
    matrix, inside, found = groups.matrix_of(people, model), place >= 0, {}
    for i, column in enumerate(model.columns):
        known = inside & np.isfinite(groups.feature_values(people, column))
        v, where = matrix[known, i], place[known]
        n, total, squares = (np.bincount(where, w, minlength=n_groups) for w in (None, v, v * v))
        rest, rest_total, rest_squares = n.sum() - n, total.sum() - total, squares.sum() - squares
        with np.errstate(invalid="ignore", divide="ignore"):
            within = squares - total**2 / n + rest_squares - rest_total**2 / rest
            found[column] = (total / n - rest_total / rest) / np.sqrt(
                np.maximum(within, 0) / (n.sum() - 2)
            )
    return found


def _median(v: np.ndarray) -> float:
    v = v[np.isfinite(v)]
    return float(np.median(v)) if len(v) else np.nan


def _mean(v: np.ndarray) -> float:
    v = v[np.isfinite(v)]
    return float(v.mean()) if len(v) else np.nan


def _words(apart: pd.Series) -> list[str]:
    """Put the strong differences of one group into words, the strongest first."""
    apart = apart[apart.abs() >= STRONG]
    strongest = apart.abs().round(6).sort_values(ascending=False, kind="stable").index
    return [_word(column, "high" if apart[column] > 0 else "low") for column in strongest]


def _word(column: str, side: str) -> str:
    if column in NAMED:
        return words.say(f"groups.{side}_{column}")
    return words.say(f"groups.{side}", feature=_feature(column))


def _joined(wording: list[str]) -> str:
    name = words.listed(wording, most=len(wording)) if wording else words.say("groups.average")
    return name[:1].upper() + name[1:]


def _feature(column: str) -> str:
    return words.say(f"groups.feature_{column}") if column in NAMED else words.word(column)


# ---- movement and demographics -------------------------------------------------------------------


def movements(before: pd.Series, now: pd.Series) -> pd.DataFrame:
    """Count consumers by group before (rows) and now (columns).

    Who was not there "joined", who is gone "left".

    Both are codes indexed by consumer_id. Counts from 1 to 9 are NaN: no figures of so few people.
    `attrs["stayed_share"]` counts them.
    """
    both = pd.concat([before, now], axis=1, keys=["before", "now"])
    rows, columns = (
        sorted(v.dropna().unique(), key=lambda c: (len(c), c))
        for v in (both["before"], both["now"])
    )
    counts = pd.crosstab(both["before"].fillna("joined"), both["now"].fillna("left"))
    counts = counts.reindex(
        index=[*rows, "joined"], columns=[*columns, "left"], fill_value=0
    ).astype(float)
    shown = counts.mask((counts > 0) & (counts < SMALLEST_SHOWN)).rename_axis(
        index="group_before", columns="group_now"
    )
    shown.attrs["stayed_share"] = stayed_share(before, now)
    return shown


def stayed_share(before: pd.Series, now: pd.Series) -> float:
    """Give the share of consumers of both periods whose group stayed; NaN if there are none."""
    both = pd.concat([before, now], axis=1, join="inner", keys=["before", "now"]).dropna()
    return float((both["before"] == both["now"]).mean()) if len(both) else np.nan


def demographic_profile(consumers: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    """Describe who the groups are; demographics do not make them.

    Numbers of more than 12 values are cut into four bands of equal size; text of more than 12
    values is left out (`demographics_left_out`). Who has not stated a value counts as "not_stated"
    in a row apart: shares, lift and interval are those among the consumers who have.

    Returns
    -------
    DataFrame
        column, value, group, n_consumers, within_share (of the group), lift (against the share
        among all), low_share, high_share (95 % Wilson interval); figures of fewer than 10 consumers
        are NaN.
    """
    people = groups.by_consumer(consumers, "consumers").reindex(labels.index)
    left_out, tables = demographics_left_out(consumers), []
    for column in [c for c in people.columns if c not in left_out and people[c].notna().any()]:
        values = _banded(people[column])
        counts = pd.crosstab(values.fillna("not_stated"), labels)
        counts = counts.loc[
            [*(v for v in counts.index if v != "not_stated"), *({"not_stated"} & {*counts.index})]
        ]
        stated = counts.drop(index="not_stated", errors="ignore")
        tables.append(_described(counts, stated).assign(column=column))
    order = [
        "column",
        "value",
        "group",
        "n_consumers",
        "within_share",
        "lift",
        "low_share",
        "high_share",
    ]
    return pd.concat(tables, ignore_index=True)[order] if tables else pd.DataFrame(columns=order)


def demographics_left_out(consumers: pd.DataFrame) -> list[str]:
    """Name the columns of text with too many values to describe anybody by."""
    columns = [
        c
        for c in consumers.columns
        if c != "consumer_id" and not pd.api.types.is_numeric_dtype(consumers[c])
    ]
    return [column for column in columns if consumers[column].nunique() > MOST_VALUES]


def _banded(values: pd.Series) -> pd.Series:
    if not pd.api.types.is_numeric_dtype(values) or values.nunique() <= MOST_VALUES:
        return values.map(
            lambda value: f"{value:g}" if isinstance(value, float) else str(value),
            na_action="ignore",
        )
    bands = pd.qcut(values, 4, duplicates="drop")
    names = {
        band: f"{values[bands == band].min():g}–{values[bands == band].max():g}"
        for band in bands.cat.categories
    }
    return bands.cat.rename_categories(names).astype("object").where(values.notna())


def _described(counts: pd.DataFrame, stated: pd.DataFrame) -> pd.DataFrame:
    n_stated, n_all = stated.sum(), counts.sum()
    rows = counts.stack().rename("n_consumers").rename_axis(["value", "group"]).reset_index()  # noqa: PD013
    among = (
        rows["group"].map(n_stated).where(rows["value"] != "not_stated", rows["group"].map(n_all))
    )
    rows["within_share"] = rows["n_consumers"] / among.where(among > 0)
    everyone = stated.sum(axis=1) / max(stated.to_numpy().sum(), 1)
    rows["lift"] = rows["within_share"] / rows["value"].map(everyone)
    shown = rows["n_consumers"].ge(SMALLEST_SHOWN)
    intervals = [
        binomtest(int(k), int(n)).proportion_ci(method="wilson") if ok else (np.nan, np.nan)
        for k, n, ok in zip(rows["n_consumers"], among, shown, strict=True)
    ]
    rows[["low_share", "high_share"]] = np.array([tuple(interval) for interval in intervals])
    figures = ["n_consumers", "within_share", "lift", "low_share", "high_share"]
    return rows.assign(n_consumers=rows["n_consumers"].astype(float)).assign(
        **{column: lambda r, c=column: r[c].where(shown) for column in figures}
    )


# ---- sentences and what is shown -----------------------------------------------------------------


def basis_sentences(found: Groups, n_months: int, unknown_share: float, peak: str) -> list[str]:
    """Say what the groups rest on.

    How many consumers, how long a history, and what stays out of sight.
    """
    columns = [_feature(column) for column in found.model.columns]
    said = [
        words.say(
            "groups.basis",
            n=len(found.labels),
            months=n_months,
            unknown=words.percent(unknown_share),
        ),
        words.say("groups.basis_columns", columns=words.listed(columns, 12)),
    ]
    return [*said, words.say("groups.basis_peak", peak=peak)] if peak != "–" else said


def demographic_table(described: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Lay a demographic profile out for reading.

    A row per value, the groups side by side as shares within each.
    """
    rows = described[described["value"] != "not_stated"].assign(group=described["group"].map(names))
    rows = rows.rename(columns={"column": "feature"})
    wide = rows.pivot_table(
        index=["feature", "value"], columns="group", values="within_share", sort=False
    )
    return wide.rename_axis(columns=None).reset_index()


def shown(profile: pd.DataFrame) -> list[str]:
    """Choose the columns of `profile_table` that fit on a page.

    The published table has them all.
    """
    return [
        c for c in profile.columns if c not in ("group", "spent", "silent_days", "lines_per_visit")
    ]


def bottom_line(
    found: Groups, table: pd.DataFrame, *, columns: Iterable[str] = DISTANCE
) -> list[str]:
    """Say what the groups come down to.

    `table` is the profile table, `columns` those that were asked for.
    """
    n, k = len(found.labels), len(found.model.codes)
    natural = number_of_groups.chosen_k(found.choice)
    few = k == 1 and n < number_of_groups.FEWEST
    said = "groups.found" if k > 1 else "groups.too_few" if few else "groups.none"
    lines = [words.say(said, n=n, k=k, least=number_of_groups.FEWEST)]
    if k > 1 and natural == k:
        best = found.choice[found.choice["chosen"]].iloc[0]
        lines.append(
            words.say(
                "groups.stable", stability=best["stability"], chance=best["reference_95"], k=k
            )
        )
    elif k > 1:  # somebody asked for this number
        lines.append(
            words.say("groups.asked" if natural > 1 else "groups.asked_none", k=k, natural=natural)
        )
    if k > 1:
        named = [
            f"{row.group_name} ({words.percent(row.consumer_share)})" for row in table.itertuples()
        ]
        lines.append(words.say("groups.named", names=words.translated("; ", "\uff1b").join(named)))
    if k > 1 and "spent_share" in table and table["spent_share"].notna().any():
        top = table.loc[table["spent_share"].idxmax()]
        lines.append(
            words.say(
                "groups.spends",
                name=top["group_name"],
                share=words.percent(top["consumer_share"]),
                spent=words.percent(top["spent_share"]),
            )
        )
    if k > 1 and not found.refitted:
        lines.append(words.say("groups.kept"))
    absent = [_feature(column) for column in columns if column not in found.model.columns]
    lines.append(words.say("groups.left_out", names=words.listed(absent, most=9)) if absent else "")
    lines.append(suppressed_sentence(table))
    return [line for line in lines if line]


def headlines(found: Groups, table: pd.DataFrame) -> list[dict]:
    """Make the front page's headlines; keys as `report.headline` takes them."""
    k = len(found.model.codes)
    tile = {"place": "tile", "label": words.say("groups.tile"), "link": PAGE, "text": str(k)}
    if k == 1:
        few = len(found.labels) < number_of_groups.FEWEST
        return [tile | {"text": words.say("groups.tile_few" if few else "groups.tile_none")}]
    if "spent_share" not in table or table["spent_share"].isna().all():
        return [tile]
    top = table.loc[table["spent_share"].idxmax()]
    said = words.say(
        "groups.spends",
        name=top["group_name"],
        share=words.percent(top["consumer_share"]),
        spent=words.percent(top["spent_share"]),
    )
    if number_of_groups.chosen_k(found.choice) != k:
        tile |= {"change": words.say("groups.tile_asked")}
    return [tile, {"place": "change", "text": said, "link": PAGE}]


# ---- plots ---------------------------------------------------------------------------------------


def plot_map(
    matrix: pd.DataFrame,
    labels: pd.Series,
    names: Mapping[str, str],
    *,
    scope: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw consumers on the two directions in which they differ most, coloured by group.

    `matrix` is what `scaled` gives; at most 3,000 consumers are drawn, the same ones each time.
    """
    if matrix.shape[1] < 2 or len(matrix) < 3:
        return look.nothing(words.say("groups.no_map"), ax)
    ax = ax or look.axes(height=4.4, dense=True)
    x = matrix.to_numpy()
    values, ways = np.linalg.eigh(np.cov(x, rowvar=False))
    # a sign of its own would flip
    ways = ways[:, ::-1][:, :2] * np.sign(ways[:, ::-1][:, :2].sum(axis=0) + 1e-12)
    rows = np.sort(np.random.default_rng(0).permutation(len(x))[:MAP_POINTS])
    at = x[rows] @ ways
    own = labels.reindex(matrix.index[rows]).to_numpy(dtype=object)
    for code, color in _colors(names).items():
        there = own == code
        ax.scatter(
            *at[there].T, s=9, color=color, alpha=0.6, linewidth=0, label=_wrapped(names[code], 22)
        )
    ax.set(xlabel=words.say("groups.first_way"), ylabel=words.say("groups.second_way"))
    ax.set(xticks=[], yticks=[])
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2, markerscale=2.2)
    part = words.percent(float(values[::-1][:2].sum() / values.sum()))
    few = len(matrix) < number_of_groups.FEWEST
    one = "groups.title_few" if few else "groups.title_none"
    title = words.say("groups.title_map" if len(names) > 1 else one, k=len(names), n=len(matrix))
    return look.explain(ax, title, words.say("groups.map_how", n=len(rows), share=part), scope)


def plot_profiles(
    profiled: pd.DataFrame, names: Mapping[str, str], *, scope: str = "", ax: Axes | None = None
) -> Axes:
    """Draw what sets the groups apart.

    Differences in standard deviations, a row per group, a column per feature.
    """
    shown = profiled[profiled["n_consumers"] >= SMALLEST_SHOWN]
    wide = shown.pivot_table(index="group", columns="feature", values="difference")
    wide = wide.reindex(
        index=[c for c in names if c in wide.index], columns=[*dict.fromkeys(shown["feature"])]
    )
    if len(wide) < 2:
        return look.nothing(words.say("groups.no_profiles"), ax)
    ax = ax or look.axes(height=1.9 + 0.46 * len(wide))
    wide = wide.rename(
        index=lambda c: _wrapped(names[c], 24), columns=lambda c: _wrapped(_feature(c), 11)
    )
    sides = LinearSegmentedColormap.from_list(
        "sides", [look.COLORS["rival"], "white", look.COLORS["accent"]]
    )
    wording = wide.map(lambda d: "" if pd.isna(d) else words.signed(d, 1).replace("+0.0", "0.0"))
    sns.heatmap(
        wide,
        annot=wording,
        fmt="",
        cmap=sides,
        vmin=-2.5,
        vmax=2.5,
        cbar=False,
        linewidths=2,
        ax=ax,
        annot_kws={"fontsize": 9},
    )
    ax.set(xlabel="", ylabel="")
    ax.tick_params(axis="y", rotation=0)
    ax.tick_params(axis="x", rotation=0, labelsize=8.5)
    strongest = shown.loc[shown["difference"].abs().idxmax()]
    title = words.say(
        "groups.title_profiles",
        feature=_feature(strongest["feature"]),
        name=names[strongest["group"]],
    )
    return look.explain(ax, title, words.say("groups.profiles_how"), scope)


def plot_movement(
    moved: pd.DataFrame, names: Mapping[str, str], *, scope: str = "", ax: Axes | None = None
) -> Axes:
    """Draw how many consumers went from which group to which; rows before, columns now."""
    if moved.drop(index="joined", errors="ignore").fillna(1).to_numpy().sum() == 0:
        return look.nothing(words.say("groups.no_movement"), ax)
    ax = ax or look.axes(height=1.9 + 0.42 * len(moved))
    wording = moved.map(
        lambda n: words.say("groups.few", least=SMALLEST_SHOWN) if pd.isna(n) else f"{n:,.0f}"
    )
    wording.loc["joined", "left"] = ""

    def told(code: str) -> str:
        return _wrapped(names.get(code) or words.word(code), 18)

    counts = moved.fillna(0).rename(index=told, columns=told)
    sns.heatmap(
        counts, annot=wording, fmt="", cmap=look.SEQUENTIAL, cbar=False, linewidths=2, vmin=0, ax=ax
    )
    ax.set(xlabel=words.label("group_now"), ylabel=words.label("group_before"))
    ax.tick_params(axis="y", rotation=0)
    ax.tick_params(axis="x", rotation=0, labelsize=8.5)
    title = words.say(
        "groups.title_movement", share=words.percent(moved.attrs.get("stayed_share", np.nan))
    )
    return look.explain(ax, title, words.say("groups.movement_how"), scope)


def _colors(names: Mapping[str, str]) -> dict[str, str]:
    return {code: look.GROUPS[i % len(look.GROUPS)] for i, code in enumerate(names)}


def _wrapped(text: str, width: int) -> str:
    """Break a label into lines; Chinese characters are twice as wide and break anywhere."""
    return "\n".join(textwrap.wrap(text, width if text.isascii() else max(width // 2, 4)))
