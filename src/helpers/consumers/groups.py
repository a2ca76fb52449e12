"""Consumer groups: who buys alike, whether there are groups at all, and what to call them."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from scipy.stats import norm
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from helpers.consumers import number_of_groups

# what makes consumers alike: habits of buying, each on its scale; who they are never enters unless
# it is asked for
DISTANCE = {
    "frequency": "log",
    "lines_per_visit": "per_visit",
    "price_tier": "log",
    "discount_share": "plain",
    "promotion_share": "habit",
    "peak_share": "habit",
}
# told, never used
DESCRIBED = {"recency_days": "log1p", "monetary": "log", "basket": "log", "n_categories": "plain"}
SCALES = ("log", "log1p", "quantile", "habit", "per_visit", "plain")
# scales of what is seen on each visit, and their limits
HABITS = {"habit": (0, 1), "per_visit": (1, np.inf)}
VISITS = "frequency"  # how many visits a habit was seen on
# beyond these quantiles a value counts as the quantile: one freak must not stretch a scale
TAILS = (0.001, 0.999)
KNOTS = np.linspace(0, 1, 101)  # of a quantile scale

REFIT_BELOW = 0.8  # … below which last period's groups no longer fit

EVERYONE = "all"  # the code of the one group where there are no natural ones


class Model(NamedTuple):
    """All that is needed to put a consumer into a group.

    The scale of each column, and the groups' centres.
    """

    columns: tuple[str, ...]
    scales: tuple[str, ...]
    low: np.ndarray  # values beyond low and high count as low and high
    high: np.ndarray
    middle: np.ndarray  # stands in for a missing value
    prior: np.ndarray  # of a habit: how many visits like everyone's count beside a consumer's own
    mean: np.ndarray  # of the scaled values, as `deviation`
    deviation: np.ndarray
    knots: dict[str, np.ndarray]  # of the columns on a quantile scale
    codes: tuple[str, ...] = (EVERYONE,)
    centres: np.ndarray = np.empty((0, 0))


NUMBERS = ("low", "high", "middle", "prior", "mean", "deviation")  # of a model, one per column


class Groups(NamedTuple):
    """Consumers in groups.

    Code by consumer_id, the model behind it, how k was chosen, and whether it is new.
    """

    labels: pd.Series
    model: Model
    choice: pd.DataFrame  # empty where k was given
    refitted: bool = True  # False: last period's model still holds


# ---- scales --------------------------------------------------------------------------------------


def scaled(features: pd.DataFrame, columns: Mapping[str, str] | Model = DISTANCE) -> pd.DataFrame:
    """Put consumers on scales on which distances mean something.

    Mean 0, standard deviation 1, nothing missing.

    Scales: "log" (what is not positive counts as the smallest positive value, so returns break
    nothing), "log1p", "quantile" (rank to normal), "plain" and "habit". A habit is a share from 0
    to 1 seen on few visits (`frequency`): who came once is all or nothing by chance, and would make
    groups of his own. So it is pulled towards everyone's by as many visits as the data call for
    (empirical Bayes, beta-binomial by moments), and measured in standard deviations of the habits
    themselves: what chance alone explains weighs nothing. "per_visit" is the same for counts per
    visit of one at least, on a log scale (gamma-Poisson). A missing value counts as the column's
    median (a habit's: mean), so nobody is left out; the outermost thousandths count as their
    limits. Columns that are absent, empty or constant are left out. With a `Model`, its scales are
    used as they are.

    Parameters
    ----------
    features
        One row per consumer: consumer_id and numeric columns.

    Returns
    -------
    DataFrame
        Index consumer_id, sorted; one column per column used.

    Raises
    ------
    ValueError
        If ids are missing or repeated, a scale is unknown, or no column is left.
    """
    people = by_consumer(features)
    model = columns if isinstance(columns, Model) else scales_of(people, columns)
    return pd.DataFrame(matrix_of(people, model), index=people.index, columns=list(model.columns))


def by_consumer(features: pd.DataFrame, table: str = "features") -> pd.DataFrame:
    """Index by consumer_id in sorted order: no result hangs on the order of the rows."""
    if "consumer_id" not in features:
        raise ValueError(
            f"{table}: no column 'consumer_id'; there are {', '.join(map(repr, features.columns))}"
        )
    ids = features["consumer_id"]
    if ids.isna().any():
        raise ValueError(
            f"{table}: {int(ids.isna().sum())} rows have no consumer_id; leave them out"
        )
    people = features.set_index("consumer_id")
    if not people.index.is_monotonic_increasing:
        people = people.sort_index()
    if not people.index.is_unique:
        twice = people.index[people.index.duplicated()]
        raise ValueError(
            f"{table}: {len(twice)} consumer_ids are repeated, e.g. {twice[0]!r}; give one row "
            "to each"
        )
    return people


def scales_of(people: pd.DataFrame, columns: Mapping[str, str]) -> Model:
    """Measure the scales of those columns that have something to tell.

    Of the first where consumers are all alike.
    """
    kept, flat, knots, visits = [], [], {}, _visits(people)
    for column, scale in columns.items():
        if scale not in SCALES:
            raise ValueError(
                f"columns: the scale {scale!r} of {column} is not known; choose one of "
                f"{', '.join(SCALES)}"
            )
        v = feature_values(people, column) if column in people else np.empty(0)
        if scale in HABITS:
            v = v.clip(*HABITS[scale])  # with returns, a share may lie beyond
        known = v[np.isfinite(v) & (v > 0)] if scale == "log" else v[np.isfinite(v)]
        if not len(known):
            continue
        low, high = (
            np.quantile(known, TAILS[0], method="lower"),
            np.quantile(known, TAILS[1], method="higher"),
        )
        known = np.clip(v[np.isfinite(v)], low, high)
        middle = known.mean() if scale in HABITS else np.median(known)
        if scale == "quantile":
            knots[column] = np.quantile(known, KNOTS)
        prior, spread = _habit(v, scale, visits) if scale in HABITS else (0.0, 1.0)
        on_scale = _on_scale(v, scale, (low, high, middle, prior), visits, knots.get(column))
        mean, deviation = on_scale.mean(), on_scale.std() / max(spread, 1e-9)
        if spread and deviation > 1e-9 * max(abs(mean), 1):
            kept.append((column, scale, low, high, middle, prior, mean, deviation))
        else:
            flat.append((column, scale, low, high, middle, prior, mean, 1.0))
    kept = kept or flat[:1]  # who are all alike are one group
    if not kept:
        raise ValueError(f"features: none of {', '.join(columns)} is there")
    names, scales, *numbers = zip(*kept, strict=True)
    return Model(
        names, scales, *map(np.array, numbers), {c: v for c, v in knots.items() if c in names}
    )


def feature_values(people: pd.DataFrame, column: str) -> np.ndarray:
    """Give a feature as floats, what is not finite as NaN."""
    v = people[column].to_numpy(dtype="float64", na_value=np.nan)
    return v if np.isfinite(v).all() else np.where(np.isfinite(v), v, np.nan)


def _visits(people: pd.DataFrame) -> np.ndarray | float:
    return np.nan_to_num(feature_values(people, VISITS).clip(0)) if VISITS in people else np.inf


def _habit(v: np.ndarray, scale: str, visits: np.ndarray | float) -> tuple[float, float]:
    """Tell the habit from the chance of few visits.

    Gives the prior's visits, and the part of the habits' standard deviation that pulled values
    show: 0 where chance explains all.
    """
    known = np.isfinite(v)
    seen = np.maximum(visits[known], 1) if isinstance(visits, np.ndarray) else np.inf
    mean, variance, per_visit = v[known].mean(), v[known].var(), float(np.mean(1 / seen))
    # the variance of one visit: mean × (1 − mean), of which the habits' is a part
    if scale == "habit":
        once = mean * (1 - mean)
        true = (variance - once * per_visit) / max(1 - per_visit, 1e-9)
        prior = once / true - 1 if true > 0 else np.inf
    else:  # … of what comes on top of one: its mean, and the habits' besides
        once = mean - 1
        true = variance - once * per_visit
        prior = once / true if true > 0 else np.inf
    prior = max(prior, 0.0)
    return (
        (0.0, 0.0) if prior == np.inf else (prior, float(np.sqrt(np.mean(1 / (1 + prior / seen)))))
    )


def _on_scale(
    v: np.ndarray,
    scale: str,
    limits: tuple[float, ...],
    visits: np.ndarray | float,
    knots: np.ndarray | None,
) -> np.ndarray:
    low, high, middle, prior = limits
    v = np.clip(np.where(np.isfinite(v), v, middle), low, high)
    if scale in HABITS:
        v = middle + (v - middle) / (1 + prior / np.maximum(visits, 1e-9))
        return v if scale == "habit" else np.log(v)
    if scale == "quantile":
        places, first = np.unique(knots, return_inverse=True)
        # equal values share their middle rank
        ranks = np.bincount(first, KNOTS) / np.bincount(first)
        return norm.ppf(np.clip(np.interp(v, places, ranks), *TAILS))
    return np.log(v) if scale == "log" else np.log1p(np.maximum(v, 0)) if scale == "log1p" else v


def matrix_of(people: pd.DataFrame, model: Model) -> np.ndarray:
    """Apply a model's scales to consumers, one column after the other."""
    absent = [column for column in model.columns if column not in people]
    if absent:
        raise ValueError(
            f"features: no column {absent[0]!r}, which the groups are made of; make the groups "
            "anew, without the previous model"
        )
    matrix, visits = np.empty((len(people), len(model.columns))), _visits(people)
    for i, (column, scale) in enumerate(zip(model.columns, model.scales, strict=True)):
        limits = (model.low[i], model.high[i], model.middle[i], model.prior[i])
        on_scale = _on_scale(
            feature_values(people, column), scale, limits, visits, model.knots.get(column)
        )
        matrix[:, i] = (on_scale - model.mean[i]) / model.deviation[i]
    return matrix


# ---- groups --------------------------------------------------------------------------------------


def consumer_groups(
    features: pd.DataFrame,
    *,
    columns: Mapping[str, str] = DISTANCE,
    k: int = 0,
    seed: int = 0,
    previous: Model | None = None,
    stable_index: float = number_of_groups.STABLE,
) -> Groups:
    """Put consumers into groups of those who buy alike.

    The same consumers, in any order, give the same groups.

    Parameters
    ----------
    features
        One row per consumer: consumer_id and numeric columns.
    k
        How many groups; 0 = as `choice_of_k` finds, and then one group "all" is a possible answer.
    previous
        Last period's model. It is applied as it is while the same number of groups is found and a
        new fit agrees with it (`still_fits`); else groups are made anew and take over the codes of
        those they descend from.
    stable_index
        Agreement of samples from which a number of groups may be chosen, as `choice_of_k` takes it.

    Returns
    -------
    Groups
        `labels` has g1 for the largest group, g2 for the next …, or the codes taken over.

    Raises
    ------
    ValueError
        If ids are missing or repeated, no column tells consumers apart, or fewer than k consumers
        differ.
    """
    people = by_consumer(features)
    model = scales_of(people, columns)
    matrix = matrix_of(people, model)
    sample = number_of_groups.drawn(matrix, number_of_groups.N_SAMPLE, np.random.default_rng(seed))
    if k < 0 or (k > 1 and k > number_of_groups.n_kinds(sample)):
        raise ValueError(
            f"k: {k} groups can't be made of {len(people):,} consumers, some of them alike; "
            "0 lets the data decide"
        )
    # where k is asked for, the page says what the data say of it
    choice = number_of_groups.choice_of_k(matrix, stable_index=stable_index, seed=seed)
    n_groups = k or number_of_groups.chosen_k(choice)
    place, model = _fitted(matrix, model, n_groups, seed)
    if previous is not None:
        before = _places(people, previous)
        if (
            n_groups == len(previous.codes)
            and number_of_groups.adjusted_rand(place, before) >= REFIT_BELOW
        ):
            return Groups(_labels(before, previous, people.index), previous, choice, refitted=False)
        partners = _partners(place, model.codes, before, previous.codes)
        model = model._replace(codes=tuple(partners[code] for code in model.codes))
    return Groups(_labels(place, model, people.index), model, choice)


def assigned(features: pd.DataFrame, model: Model) -> pd.Series:
    """Put consumers into the groups of a model, last period's for one.

    Codes indexed by consumer_id.
    """
    people = by_consumer(features)
    return _labels(_places(people, model), model, people.index)


def still_fits(features: pd.DataFrame, model: Model, *, seed: int = 0) -> float:
    """Measure how far a model's groups are those that a new fit finds.

    The adjusted Rand index of the two.
    """
    people = by_consumer(features)
    fresh = scales_of(people, dict(zip(model.columns, model.scales, strict=True)))
    k = len(model.codes)
    place, _ = _fitted(matrix_of(people, fresh), fresh, k, seed)
    return number_of_groups.adjusted_rand(place, _places(people, model))


def matched(labels: pd.Series, reference_labels: pd.Series) -> pd.Series:
    """Rename groups after those they share most consumers with.

    Who descends from none gets a new code.

    The pairing keeps as many consumers as can be (Hungarian method), and a pair must share more
    than chance would let it: a group that is gone does not lend its name. Both are codes indexed by
    consumer_id.

    >>> now = pd.Series(list("xxyy"), index=[1, 2, 3, 4])
    >>> then = pd.Series(["g1", "g2", "g2"], index=[1, 3, 4])
    >>> matched(now, then).tolist()
    ['g1', 'g1', 'g2', 'g2']
    """
    both = pd.concat(
        [labels, reference_labels], axis=1, join="inner", keys=["now", "then"]
    ).dropna()
    by_size = [
        *labels.value_counts(sort=False)
        .sort_index()
        .sort_values(ascending=False, kind="stable")
        .index
    ]
    codes_then = [*pd.unique(reference_labels.dropna())]
    now, then = (
        pd.Index(by_size).get_indexer(both["now"]),
        pd.Index(codes_then).get_indexer(both["then"]),
    )
    return labels.map(_partners(now, by_size, then, codes_then))


def model_table(model: Model) -> pd.DataFrame:
    """Lay a model out as a table that an edition can publish: feature, scale, item, value."""
    rows = []
    for i, (column, scale) in enumerate(zip(model.columns, model.scales, strict=True)):
        items = {name: getattr(model, name)[i] for name in NUMBERS}
        items |= {f"knot {n}": knot for n, knot in enumerate(model.knots.get(column, ()))}
        items |= {f"centre {code}": model.centres[j, i] for j, code in enumerate(model.codes)}
        rows += [(column, scale, item, float(value)) for item, value in items.items()]
    return pd.DataFrame(rows, columns=["feature", "scale", "item", "value"])


def model_from_table(table: pd.DataFrame) -> Model | None:
    """Read a model back from its table.

    None from a table without rows, as the first edition finds it.

    Raises
    ------
    ValueError
        If the table lacks a part of the model.
    """
    if table.empty:
        return None
    wide = table.pivot_table(index="item", columns="feature", values="value")[
        [*dict.fromkeys(table["feature"])]
    ]
    items = [*dict.fromkeys(table["item"])]
    codes = tuple(item.removeprefix("centre ") for item in items if item.startswith("centre "))
    lacking = [
        part
        for part in (*NUMBERS, *(f"centre {c}" for c in codes))
        if part not in items or wide.loc[part].isna().any()
    ]
    if lacking or not codes:
        raise ValueError(
            f"groups: the table of last period's model has no {(lacking or ['centre'])[0]!r}; "
            "take it as its edition published it, or make the groups anew"
        )
    scales = tuple(table.drop_duplicates("feature")["scale"])
    n_knots = [f"knot {n}" for n in range(len(KNOTS))]
    knots = {
        c: wide.loc[n_knots, c].to_numpy()
        for c, s in zip(wide.columns, scales, strict=True)
        if s == "quantile"
    }
    numbers = (wide.loc[part].to_numpy() for part in NUMBERS)
    return Model(
        tuple(wide.columns),
        scales,
        *numbers,
        knots,
        codes,
        wide.loc[[f"centre {c}" for c in codes]].to_numpy(),
    )


def _fitted(matrix: np.ndarray, model: Model, k: int, seed: int) -> tuple[np.ndarray, Model]:
    """Find k centres, the largest group first.

    On a sample from ten starts, then on the whole from where those end.
    """
    if k == 1:
        return np.zeros(len(matrix), int), model._replace(
            codes=(EVERYONE,), centres=matrix.mean(axis=0, keepdims=True)
        )
    sample = number_of_groups.drawn(matrix, number_of_groups.N_SAMPLE, np.random.default_rng(seed))
    with threadpool_limits(1):
        centres = number_of_groups.best_centres(sample, k, seed)
    if len(sample) < len(matrix):
        centres = KMeans(k, init=centres, n_init=1, max_iter=50).fit(matrix).cluster_centers_
    # threads add in any order: what differs by a rounding must not differ at all
    centres = centres.round(9)
    place = number_of_groups.nearest(matrix, centres)
    order = np.lexsort((*centres.T[::-1], -np.bincount(place, minlength=k)))
    return np.argsort(order)[place], model._replace(
        codes=tuple(f"g{i + 1}" for i in range(k)), centres=centres[order]
    )


def _places(people: pd.DataFrame, model: Model) -> np.ndarray:
    return number_of_groups.nearest(matrix_of(people, model), model.centres)


def _labels(place: np.ndarray, model: Model, index: pd.Index) -> pd.Series:
    return pd.Series(
        pd.array(list(model.codes), dtype="str").take(place), index=index, name="group"
    )


def _partners(
    now: np.ndarray, codes: Iterable[str], then: np.ndarray, codes_then: Iterable[str]
) -> dict[str, str]:
    """Pair groups with those before, given as places in the lists of codes.

    -> code -> the code it takes over.
    """
    codes, codes_then = list(codes), list(codes_then)
    n, m = len(codes), len(codes_then)
    shared = np.bincount(now * m + then, minlength=n * m).reshape(n, m)
    by_chance = np.outer(shared.sum(axis=1), shared.sum(axis=0)) / max(shared.sum(), 1)
    pairs = zip(*linear_sum_assignment(-shared), strict=True)
    partner = {codes[i]: codes_then[j] for i, j in pairs if shared[i, j] > by_chance[i, j]}
    if codes == [EVERYONE]:
        return {EVERYONE: EVERYONE}
    numbers = [int(code[1:]) for code in codes_then if code[:1] == "g" and code[1:].isdecimal()]
    fresh = iter(range(max(numbers, default=0) + 1, max(numbers, default=0) + n + 1))
    return {code: partner.get(code) or f"g{next(fresh)}" for code in codes}
