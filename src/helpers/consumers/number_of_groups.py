"""Stability: how many groups there are in a cloud of points, if any."""

from collections.abc import Iterable
from itertools import combinations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances, silhouette_score
from threadpoolctl import threadpool_limits

from helpers import look, words

KS = range(2, 9)
N_SAMPLE = 20_000  # consumers among whom k is chosen
N_STARTED, N_STARTS = 5_000, 10  # of them, from how many starts the best centres are sought
N_RESAMPLED = 1_000  # of them in each resample
N_RESAMPLES = 9  # 36 pairs: where two solutions compete, few pairs agree or disagree by luck
# the largest of 19 is beaten by chance one time in twenty: a Monte Carlo test at 5 %
N_REFERENCES = 19
N_SHOWN = 4  # … where the answer is no already, and the cloud is there to be looked at only
N_REFERENCE_RESAMPLES = 3  # three pairs will do for a cloud: its means spread wider, if anything
N_SILHOUETTE = 2_000
STABLE = 0.9  # adjusted Rand index from which two samples are said to tell the same groups
MIN_SHARE, MIN_SIZE = 0.02, 30  # of the smallest group
FEWEST = 2 * MIN_SIZE  # consumers: of fewer, two groups could not be told
# between two groups it is half as crowded at most, by that many standard errors
VALLEY, VALLEY_Z = 0.5, 3.0
VALLEY_STEPS = np.linspace(0, 1, 11)
# of consumers with the very same value from which it is a tooth of a comb, as counts are
TOOTH_SHARE = 0.01
TUBE = 0.75  # part of two groups' members inside the tube in which the way between them is measured


def choice_of_k(
    matrix: pd.DataFrame | np.ndarray,
    *,
    ks: Iterable[int] = KS,
    n_sample: int = N_SAMPLE,
    n_resamples: int = N_RESAMPLES,
    n_references: int = N_REFERENCES,
    stable_index: float = STABLE,
    seed: int = 0,
) -> pd.DataFrame:
    """Judge each number of groups, and choose one or none.

    A number is eligible if all of this holds:

    - stability, the mean adjusted Rand index over pairs of resamples, is `stable_index` or more and
      reaches `reference_95`: what the same procedure reaches 95 times in 100 on one Gaussian cloud
      of the same size and covariance;
    - between any two groups it is emptier than in either centre (`valley`: the share of consumers
      left at the emptiest place on the way, worst pair, 0.5 at most and 3 standard errors below the
      centres);
    - the smallest group has 2 % of the consumers and 30 of them.

    Chosen is the largest eligible number; where there is none, there are no natural groups. The
    valley is what uniform, skewed and correlated clouds lack: k-means cuts them stably, but the cut
    runs through a crowd. For if a density is log-concave, so is what a tube of any width sees of it
    (Prékopa), and on the way between two places it is nowhere lower than at both.

    Returns
    -------
    DataFrame
        k, stability, reference_95 (of four clouds only where k is out for another reason),
        silhouette (on 2,000), valley, smallest_share, eligible, chosen.
    """
    rng = np.random.default_rng(seed)
    x = drawn(np.asarray(matrix, dtype="float64"), n_sample, rng)
    ks = [k for k in ks if k * MIN_SIZE <= len(x) and k <= n_kinds(x)]
    references = [_one_cloud(x, rng) for _ in range(n_references)] if ks else []
    near = rng.permutation(len(x))[:N_SILHOUETTE]
    distances = pairwise_distances(x[near]) if ks else None
    rows, smooth = [], _combed(x, rng)
    # on a busy machine, threads of small fits wait for each other far longer than they work
    with threadpool_limits(1):
        for k in ks:
            labels, seen = _seen(x, smooth, k, seed)
            stability = _stability(x, k, n_resamples, rng)
            seen["eligible"] &= stability >= stable_index
            clouds = references if seen["eligible"] else references[:N_SHOWN]
            chance = [_stability(cloud, k, N_REFERENCE_RESAMPLES, rng) for cloud in clouds]
            reference = float(np.quantile(chance, 0.95, method="higher")) if chance else np.nan
            apart = len(np.unique(labels[near])) > 1
            silhouette = (
                silhouette_score(distances, labels[near], metric="precomputed") if apart else np.nan
            )
            seen["eligible"] &= stability >= np.nan_to_num(reference)  # 1.0 can't be beaten
            rows.append(
                {
                    "k": k,
                    "stability": stability,
                    "reference_95": reference,
                    "silhouette": silhouette,
                }
                | seen
            )
    columns = [
        "k",
        "stability",
        "reference_95",
        "silhouette",
        "valley",
        "smallest_share",
        "eligible",
    ]
    choice = pd.DataFrame(rows, columns=columns).astype({"k": int, "eligible": bool})
    return choice.assign(chosen=choice["k"] == choice.loc[choice["eligible"], "k"].max())


def _seen(x: np.ndarray, smooth: np.ndarray, k: int, seed: int) -> tuple[np.ndarray, dict]:
    """Fit k groups to the sample, those that would be used, and look at them.

    The way between two, the smallest.
    """
    centres = best_centres(x, k, seed)
    labels = nearest(x, centres)
    least = np.bincount(labels, minlength=k).min()
    ratio, z = _valley(smooth, labels, centres) if least else (np.nan, np.nan)
    whole = ratio <= VALLEY and z >= VALLEY_Z and least >= max(MIN_SIZE, MIN_SHARE * len(x))
    return labels, {"valley": ratio, "smallest_share": least / len(x), "eligible": whole}


def best_centres(x: np.ndarray, k: int, seed: int) -> np.ndarray:
    """Find k centres from many starts on a few consumers, and let the whole sample move the best of
    them.
    """
    few = drawn(x, N_STARTED, np.random.default_rng(seed))
    best = KMeans(k, n_init=N_STARTS, random_state=seed).fit(few).cluster_centers_
    return best if len(few) == len(x) else KMeans(k, init=best, n_init=1).fit(x).cluster_centers_


def chosen_k(choice: pd.DataFrame) -> int:
    """Give the chosen number of groups; 1 where there are no natural groups."""
    return int(choice.loc[choice["chosen"], "k"].iloc[0]) if choice["chosen"].any() else 1


def adjusted_rand(one: pd.Series | np.ndarray, other: pd.Series | np.ndarray) -> float:
    """Measure how far two groupings of the same consumers agree.

    1 the same groups, 0 no better than chance.

    Source: Hubert & Arabie (1985), Comparing partitions, Journal of Classification 2.

    >>> adjusted_rand(np.array(["a", "a", "b", "b"]), np.array(["x", "x", "y", "y"]))
    1.0
    """
    (a, names_a), (b, names_b) = pd.factorize(np.asarray(one)), pd.factorize(np.asarray(other))
    return _rand(a, b, len(names_a), len(names_b))


def _rand(a: np.ndarray, b: np.ndarray, n_a: int, n_b: int) -> float:
    table = np.bincount(a * n_b + b, minlength=n_a * n_b).reshape(n_a, n_b).astype("float64")

    def pairs(counts: np.ndarray) -> float:
        return float((counts * (counts - 1)).sum() / 2)

    both, in_a, in_b = pairs(table), pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    expected, most = in_a * in_b / max(pairs(table.sum()), 1), (in_a + in_b) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)


def n_kinds(x: np.ndarray) -> int:
    """Count the consumers that differ from each other: there can't be more groups."""
    return len(pd.DataFrame(x).drop_duplicates())


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31 - 1))


def drawn(x: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw n rows without repetition, in their order; all where there are no more."""
    return x if len(x) <= n else x[np.sort(rng.choice(len(x), n, replace=False))]


def _one_cloud(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one Gaussian of the same covariance.

    Of the same size as far as resamples of it can tell.
    """
    n = min(len(x), 5 * N_RESAMPLED)
    covariance = np.atleast_2d(np.cov(x, rowvar=False))
    return rng.multivariate_normal(np.zeros(x.shape[1]), covariance, n, method="eigh")


def _stability(x: np.ndarray, k: int, n_resamples: int, rng: np.random.Generator) -> float:
    """Fit resamples apart, let each put the same consumers into groups, and compare the groups pair
    by pair.
    """
    judged = x[: 2 * N_RESAMPLED]
    found = []
    for _ in range(n_resamples):
        rows = rng.choice(len(x), min(N_RESAMPLED, len(x) // 2), replace=False)
        fitted = KMeans(k, n_init=3, max_iter=50, random_state=_seed(rng)).fit(x[rows])
        found.append(nearest(judged, fitted.cluster_centers_))
    return float(np.mean([_rand(a, b, k, k) for a, b in combinations(found, 2)]))


def _combed(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Spread values that many share half way to their neighbours.

    Between one visit and two lies no valley.
    """
    smooth = x.copy()
    for i in range(x.shape[1]):
        values, at, n = np.unique(x[:, i].round(9), return_inverse=True, return_counts=True)
        teeth = np.flatnonzero(n >= max(TOOTH_SHARE * len(x), 5))
        if len(teeth) > 1:
            borders = (values[teeth][1:] + values[teeth][:-1]) / 2
            low = np.append(2 * values[teeth[0]] - borders[0], borders)
            high = np.append(borders, 2 * values[teeth[-1]] - borders[-1])
            tooth = np.full(len(values), -1)
            tooth[teeth] = range(len(teeth))
            there = tooth[at] >= 0
            own = tooth[at][there]
            smooth[there, i] = low[own] + rng.random(len(own)) * (high - low)[own]
    return smooth


def _valley(x: np.ndarray, labels: np.ndarray, centres: np.ndarray) -> tuple[float, float]:
    """Count consumers along the way between each two centres.

    Give the worst pair's share left and standard errors.
    """
    shares, errors = [], []
    for i, j in combinations(range(len(centres)), 2):
        way = centres[j] - centres[i]
        from_i = x - centres[i]
        length = max(way @ way, 1e-12)
        along = from_i @ way / length
        apart = np.einsum("ij,ij->i", from_i, from_i) - along**2 * length
        inside = apart <= np.quantile(apart[(labels == i) | (labels == j)], TUBE)
        places = np.sort(along[inside])
        counts = np.searchsorted(places, VALLEY_STEPS + 0.1) - np.searchsorted(
            places, VALLEY_STEPS - 0.1
        )
        ends, least = min(counts[0], counts[-1]), counts[1:-1].min()
        shares.append((least + 1) / (ends + 1))
        errors.append((ends - least) / np.sqrt(max(ends + least, 1)))
    return float(max(shares)), float(min(errors))


def nearest(matrix: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Give each row the place of its nearest centre."""
    place = np.empty(len(matrix), dtype="int64")
    for start in range(0, len(matrix), 100_000):  # in pieces that stay in the processor's cache
        piece = slice(start, start + 100_000)
        place[piece] = (matrix[piece] @ (-2 * centres.T) + (centres**2).sum(axis=1)).argmin(axis=1)
    return place


def plot_choice(choice: pd.DataFrame, *, note: str = "", ax: Axes | None = None) -> Axes:
    """Draw the stability of each number of groups against what one cloud without groups reaches by
    chance.
    """
    if choice.empty:
        return look.nothing(words.say("groups.no_choice", least=FEWEST), ax)
    ax = ax or look.axes(height=3.6)
    k = choice["k"]
    ax.fill_between(
        k,
        0,
        choice["reference_95"],
        color=look.COLORS["C"],
        alpha=0.5,
        linewidth=0,
    )
    ax.plot(k, choice["stability"], color=look.COLORS["accent"], zorder=2)
    for word, face in (("eligible", look.COLORS["accent"]), ("not_eligible", "white")):
        rows = choice[choice["eligible"] == (word == "eligible")]
        ax.scatter(
            rows["k"],
            rows["stability"],
            s=42,
            color=face,
            edgecolor=look.COLORS["accent"],
            zorder=3,
        )
    best = choice[choice["chosen"]]
    ax.scatter(
        best["k"],
        best["stability"],
        s=190,
        facecolor="none",
        edgecolor=look.COLORS["rival"],
        linewidth=2,
        zorder=4,
    )
    ends = (("stability", "group_stability", "accent"), ("reference_95", "by_chance", "muted"))
    last = choice.dropna(subset=["stability", "reference_95"]).tail(1)
    look.beside(
        ax,
        [
            (
                float(last[column].iloc[0]),
                words.label(term) if term == "group_stability" else words.say(f"groups.{term}"),
                look.COLORS[color],
            )
            for column, term, color in ends
            if len(last)
        ],
    )
    ax.set(
        xlabel=words.label("n_groups"),
        ylim=(0, 1.08),
        xticks=k,
    )
    if len(best):
        title = words.say(
            "groups.title_choice", k=chosen_k(choice), stability=float(best["stability"].iloc[0])
        )
    else:
        title = words.say("groups.title_none")
    return look.explain(ax, title, words.say("groups.choice_how"), note)
