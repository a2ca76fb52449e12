"""Profiles: what sets consumer groups apart, who moves between them, and who they are."""

import itertools
import textwrap
from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from scipy.stats import binomtest

from helpers import look, words
from helpers.consumers import groups, number_of_groups
from helpers.consumers.groups import DESCRIBED, DISTANCE, EVERYONE

STRONG = 0.5  # Cohen's d from which a difference names a group
SMALLEST_SHOWN = 10  # consumers; no figures of fewer people, whatever the rules
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


def group_traits(
    features: pd.DataFrame,
    labels: pd.Series,
    columns: Mapping[str, str] = DISTANCE,
    *,
    strong: float = STRONG,
) -> dict[str, list[tuple[str, str]]]:
    """List for each group the features in which it differs most from all others, the strongest
    first, as pairs of a feature and "high" or "low".

    A difference counts from `strong` standard deviations within groups on. The one group of all has
    none.
    """
    people = groups.by_consumer(features)
    place, codes = _codes_of(people, labels)
    if codes == [EVERYONE]:
        return {EVERYONE: []}
    apart = pd.DataFrame(_differences(people, place, len(codes), columns), index=codes)
    return {code: _strongest(apart.loc[code].dropna(), strong) for code in codes}


def profile_table(
    features: pd.DataFrame, labels: pd.Series, *, least: int = SMALLEST_SHOWN
) -> pd.DataFrame:
    """Sum each group up, largest first: how many, what they spend, and medians of their habits.

    Columns: group, n_consumers, consumer_share, spent (money), spent_share; where known the medians
    n_visits, basket, lines_per_visit, price_tier, discount_share, silent_days, the means
    promotion_share, peak_share. Groups of fewer than `least` consumers keep their row and show no
    figure (`suppressed_sentence` says so). `named` gives them their names.
    """
    people = groups.by_consumer(features)
    place, codes = _codes_of(people, labels)
    n = np.bincount(place[place >= 0], minlength=len(codes))
    table = pd.DataFrame(
        {
            "group": codes,
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
    figures = [column for column in table if column != "group"]
    table.loc[table["n_consumers"] < least, figures] = np.nan
    return table.sort_values(["n_consumers", "group"], ascending=[False, True], ignore_index=True)


def named(profile: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Add the groups' names to a profile table, behind their codes."""
    made = profile.copy()
    made.insert(1, "group_name", [names[code] for code in profile["group"]])
    return made


def large_enough(
    rows: pd.DataFrame, labels: pd.Series, least: int = SMALLEST_SHOWN
) -> pd.DataFrame:
    """Choose the rows of groups that show figures: of `least` consumers or more.

    >>> rows = pd.DataFrame({"group": ["g1", "g2"], "amount": [90.0, 4.0]})
    >>> large_enough(rows, pd.Series(["g1"] * 10 + ["g2"] * 9))["group"].tolist()
    ['g1']
    """
    sizes = labels.value_counts()
    return rows[rows["group"].isin(sizes.index[sizes >= least])].reset_index(drop=True)


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


def _strongest(apart: pd.Series, strong: float) -> list[tuple[str, str]]:
    """List the strong differences of one group, the strongest first, equal ones as they come."""
    apart = apart[apart.abs() >= strong]
    strongest = apart.abs().round(6).sort_values(ascending=False, kind="stable").index
    return [(column, "high" if apart[column] > 0 else "low") for column in strongest]


def feature_word(column: str) -> str:
    """Name a feature in the reader's language."""
    return words.say(f"groups.feature_{column}") if column in NAMED else words.word(column)


# ---- movement and demographics -------------------------------------------------------------------


def movements(before: pd.Series, now: pd.Series, *, least: int = SMALLEST_SHOWN) -> pd.DataFrame:
    """Count consumers by group before (rows) and now (columns).

    Who was not there "joined", who is gone "left".

    Both are codes indexed by consumer_id. Counts below `least` are NaN, but for 0: no figures of so
    few people. `attrs["stayed_share"]` counts them.
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
    shown = counts.mask((counts > 0) & (counts < least)).rename_axis(
        index="group_before", columns="group_now"
    )
    shown.attrs["stayed_share"] = stayed_share(before, now)
    return shown


def stayed_share(before: pd.Series, now: pd.Series) -> float:
    """Give the share of consumers of both periods whose group stayed; NaN if there are none."""
    both = pd.concat([before, now], axis=1, join="inner", keys=["before", "now"]).dropna()
    return float((both["before"] == both["now"]).mean()) if len(both) else np.nan


def demographic_profile(
    consumers: pd.DataFrame, labels: pd.Series, *, least: int = SMALLEST_SHOWN
) -> pd.DataFrame:
    """Describe who the groups are; demographics do not make them.

    Numbers of more than 12 values are cut into four bands of equal size; text of more than 12
    values is left out (`demographics_left_out`). Who has not stated a value counts as "not_stated"
    in a row apart: shares, lift and interval are those among the consumers who have.

    Returns
    -------
    DataFrame
        column, value, group, n_consumers, within_share (of the group), lift (against the share
        among all), low_share, high_share (95 % Wilson interval); figures of fewer than `least`
        consumers are NaN.
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
        tables.append(_described(counts, stated, least).assign(column=column))
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


def _described(counts: pd.DataFrame, stated: pd.DataFrame, least: int) -> pd.DataFrame:
    n_stated, n_all = stated.sum(), counts.sum()
    rows = counts.stack().rename("n_consumers").rename_axis(["value", "group"]).reset_index()  # noqa: PD013
    among = (
        rows["group"].map(n_stated).where(rows["value"] != "not_stated", rows["group"].map(n_all))
    )
    rows["within_share"] = rows["n_consumers"] / among.where(among > 0)
    everyone = stated.sum(axis=1) / max(stated.to_numpy().sum(), 1)
    rows["lift"] = rows["within_share"] / rows["value"].map(everyone)
    shown = rows["n_consumers"].ge(least)
    intervals = [
        binomtest(int(k), int(n)).proportion_ci(method="wilson") if ok else (np.nan, np.nan)
        for k, n, ok in zip(rows["n_consumers"], among, shown, strict=True)
    ]
    rows[["low_share", "high_share"]] = np.array([tuple(interval) for interval in intervals])
    figures = ["n_consumers", "within_share", "lift", "low_share", "high_share"]
    return rows.assign(n_consumers=rows["n_consumers"].astype(float)).assign(
        **{column: lambda r, c=column: r[c].where(shown) for column in figures}
    )


# ---- what is shown -------------------------------------------------------------------------------


def demographic_table(described: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Lay a demographic profile out for reading.

    A row per value, the groups side by side as shares within each.
    """
    rows = described[described["value"] != "not_stated"].assign(group=described["group"].map(names))
    rows["value"] = [
        value_word(column, value)
        for column, value in zip(rows["column"], rows["value"], strict=True)
    ]
    rows = rows.rename(columns={"column": "feature"})
    wide = rows.pivot_table(
        index=["feature", "value"], columns="group", values="within_share", sort=False
    )
    return wide.rename_axis(columns=None).reset_index()


def value_word(column: str, value: str) -> str:
    """Name a value of a column: a term `<column>_<value>`, the contract's own code, or as it is.

    >>> value_word("home", "own"), value_word("area_type", "urban"), value_word("age_band", "60+")
    ('Owned', 'City', '60+')
    """
    named = words.word(key := f"{column}_{value}")
    if named != key:
        return named
    return words.word(value) if words.kind(column) == "code" else value


def shown(profile: pd.DataFrame) -> list[str]:
    """Choose the columns of `profile_table` that fit on a page.

    The published table has them all.
    """
    return [
        c for c in profile.columns if c not in ("group", "spent", "silent_days", "lines_per_visit")
    ]


# ---- plots ---------------------------------------------------------------------------------------


def plot_map(
    matrix: pd.DataFrame,
    labels: pd.Series,
    names: Mapping[str, str],
    *,
    note: str = "",
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
    told = []
    for (code, color), mark in zip(_colors(names).items(), itertools.cycle(look.MARKS)):
        there = own == code
        ax.scatter(*at[there].T, s=11, color=color, alpha=0.6, linewidth=0, marker=mark)
        if there.any():
            told.append((float(np.median(at[there, 1])), names[code], color))
    look.beside(ax, told)
    ax.set(xlabel=words.say("groups.first_way"), ylabel=words.say("groups.second_way"))
    ax.set(xticks=[], yticks=[])
    part = words.percent(float(values[::-1][:2].sum() / values.sum()))
    few = len(matrix) < number_of_groups.FEWEST
    one = "groups.title_few" if few else "groups.title_none"
    title = words.say("groups.title_map" if len(names) > 1 else one, k=len(names), n=len(matrix))
    return look.explain(ax, title, words.say("groups.map_how", n=len(rows), share=part), note)


def plot_profiles(
    profiled: pd.DataFrame,
    names: Mapping[str, str],
    *,
    least: int = SMALLEST_SHOWN,
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw what sets the groups apart.

    Differences in standard deviations, a row per group of `least` people or more, a column per
    feature.
    """
    shown = profiled[profiled["n_consumers"] >= least]
    wide = shown.pivot_table(index="group", columns="feature", values="difference")
    wide = wide.reindex(
        index=[c for c in names if c in wide.index], columns=[*dict.fromkeys(shown["feature"])]
    )
    if len(wide) < 2:
        return look.nothing(words.say("groups.no_profiles"), ax)
    ax = ax or look.axes(height=1.9 + 0.46 * len(wide))
    wide = wide.rename(
        index=lambda c: _wrapped(names[c], 24), columns=lambda c: _wrapped(feature_word(c), 11)
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
    look.inked(ax)
    ax.set(xlabel="", ylabel="")
    ax.tick_params(axis="y", rotation=0)
    ax.tick_params(axis="x", rotation=0, labelsize=8.5)
    strongest = shown.loc[shown["difference"].abs().idxmax()]
    title = words.say(
        "groups.title_profiles",
        feature=feature_word(strongest["feature"]),
        name=names[strongest["group"]],
    )
    return look.explain(ax, title, words.say("groups.profiles_how"), note)


def plot_movement(
    moved: pd.DataFrame,
    names: Mapping[str, str],
    *,
    least: int = SMALLEST_SHOWN,
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw how many consumers went from which group to which; rows before, columns now.

    What `movements` left empty is said to be below `least`.
    """
    if moved.drop(index="joined", errors="ignore").fillna(1).to_numpy().sum() == 0:
        return look.nothing(words.say("groups.no_movement"), ax)
    ax = ax or look.axes(height=1.9 + 0.42 * len(moved))
    wording = moved.map(
        lambda n: words.say("groups.few", least=least) if pd.isna(n) else f"{n:,.0f}"
    )
    wording.loc["joined", "left"] = ""

    def told(code: str) -> str:
        return _wrapped(names.get(code) or words.word(code), 18)

    counts = moved.fillna(0).rename(index=told, columns=told)
    sns.heatmap(
        counts, annot=wording, fmt="", cmap=look.SEQUENTIAL, cbar=False, linewidths=2, vmin=0, ax=ax
    )
    look.inked(ax)
    ax.set(xlabel=words.label("group_now"), ylabel=words.label("group_before"))
    ax.tick_params(axis="y", rotation=0)
    ax.tick_params(axis="x", rotation=0, labelsize=8.5)
    title = words.say(
        "groups.title_movement", share=words.percent(moved.attrs.get("stayed_share", np.nan))
    )
    return look.explain(ax, title, words.say("groups.movement_how", least=least), note)


def _colors(names: Mapping[str, str]) -> dict[str, str]:
    return {code: look.GROUPS[i % len(look.GROUPS)] for i, code in enumerate(names)}


def _wrapped(text: str, width: int) -> str:
    """Break a label into lines; Chinese characters are twice as wide and break anywhere."""
    return "\n".join(textwrap.wrap(text, width if text.isascii() else max(width // 2, 4)))
