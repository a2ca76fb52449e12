"""Weights: how much each factor matters, by hand, by comparing pairs, or by what dealers earn."""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_predict

from helpers import look, words

HOW = ("equal", "hand", "ahp", "profit")
# Saaty's random index by number of items: the mean consistency index of matrices filled by chance
RANDOM_INDEX = {3: 0.58, 4: 0.90, 5: 1.12, 6: 1.24, 7: 1.32, 8: 1.41, 9: 1.45}
MOST_ITEMS = 9  # more can't be held in mind at once (Saaty), and 36 pairs are an evening
MOST_INCONSISTENT = 0.1  # Saaty's limit of the consistency ratio
SCALE = 9.0  # a ratio lies between 1/9 and 9
ROUNDING = 1.02  # 0.11 is meant as 1/9
CONTRADICTION = 1.05  # a/b and b/a may differ by so much: 0.33 is meant as 1/3
# metrics that are part of what they would explain
FROM_PROFIT = ("rebate_rate", "dealer_margin_rate")
MIN_DEALERS = 30
MIN_KNOWN = 0.5  # part of the dealers of whom a metric must be known; the others get its median
SKEWED = 1.0  # skewness from which an all-positive metric is taken as its logarithm
# per dealer; the largest halves a coefficient, more would hide all in zero
PENALTIES = np.logspace(-4, 0, 9)
# dealers beyond so many are resampled in random blocks, which costs no more
N_FOLDS, N_BLOCKS = 5, 2000


class Ahp(NamedTuple):
    """Weights of one comparison matrix, its consistency ratio, and the pair that fits worst.

    Said, and what would fit.

    Without a misfit `worst_pair` is None.
    """

    weights: pd.Series
    consistency_ratio: float
    worst_pair: tuple[str, str] | None
    said: float
    suggestion: float


class Profit(NamedTuple):
    """Table of `profit_weights`, its R² on dealers held out, and how many dealers it rests on."""

    table: pd.DataFrame
    r2: float
    n_dealers: int


# ---- equal and by hand ---------------------------------------------------------------------------


def equal_weights(tree: pd.DataFrame) -> pd.Series:
    """Split the whole evenly among the bones, and each node's weight evenly among its children.

    By leaf, sum 1.
    """
    return _leaf_weights(tree, {})


def hand_weights(tree: pd.DataFrame) -> pd.Series:
    """Split each node by its children's hand-given `weight`, evenly where none is given.

    By leaf, sum 1.

    Raises
    ------
    ValueError
        If some siblings have a weight and others have none, one is negative, or all are zero.
    """
    shares = {}
    for parent, siblings in _nodes(tree):
        given = siblings["weight"].astype("float64")
        where = f"below {parent!r}" if parent else "among the bones"
        if given.isna().all():
            continue
        if given.isna().any():
            missing = ", ".join(siblings.loc[given.isna(), "factor_id"])
            raise ValueError(
                f"factors: {where} {missing} have no weight, the others do; give all of them "
                "one, or none"
            )
        if (given < 0).any() or not given.sum() > 0:
            raise ValueError(f"factors: the weights {where} must be zero or more, and not all zero")
        shares.update(zip(siblings["factor_id"], given / given.sum(), strict=True))
    return _leaf_weights(tree, shares)


def _nodes(tree: pd.DataFrame):
    """Give each node's id ("" is the spine) and the rows of its children, in drawing order."""
    return tree.groupby(_text(tree["parent_id"]), sort=False)


def _text(cells: pd.Series) -> pd.Series:
    # a column that is empty throughout came as numbers
    return cells.astype("object").where(cells.notna(), "")


def _leaf_weights(tree: pd.DataFrame, shares: dict[str, float]) -> pd.Series:
    """Multiply the shares down to each leaf; a node without shares is split evenly."""
    parents = dict(zip(tree["factor_id"], _text(tree["parent_id"]), strict=True))
    even = {parent: 1 / len(rows) for parent, rows in _nodes(tree)}

    def weight(factor: str) -> float:
        share = shares.get(factor, even[parents[factor]])
        return share * (weight(parents[factor]) if parents[factor] else 1.0)

    leaves = tree.loc[tree["is_leaf"].astype(bool), "factor_id"]
    return pd.Series(
        [weight(leaf) for leaf in leaves], index=pd.Index(leaves, name="factor_id"), dtype="float64"
    )


# ---- pairwise comparison -------------------------------------------------------------------------


def ahp(matrix: pd.DataFrame) -> Ahp:
    """Weigh items by a reciprocal matrix of ratios.

    Its principal eigenvector, and how consistent the ratios are.

    `matrix[i, j]` says how much more item i matters than j; index and columns name the items. The
    consistency ratio is (λmax − n) / (n − 1) over the random index; 0 for one or two items. The
    worst pair is the one whose ratio is furthest (in logarithms) from the ratio of the weights,
    which is the suggestion.

    Source: Saaty (1980), The Analytic Hierarchy Process.

    Raises
    ------
    ValueError
        If there are more than nine items, or the matrix is not reciprocal.

    >>> ahp(pd.DataFrame([[1, 2], [0.5, 1]], index=["a", "b"])).weights.round(3).tolist()
    [0.667, 0.333]
    """
    ratios, n = matrix.to_numpy(dtype="float64"), len(matrix)
    if n > MOST_ITEMS:
        raise ValueError(
            f"comparisons: {n} items at one node; at most {MOST_ITEMS} can be compared, so group "
            "some"
        )
    if (
        ratios.shape != (n, n)
        or not np.all(ratios > 0)
        or np.any(np.abs(np.log(ratios * ratios.T)) > 0.02)
    ):
        raise ValueError(
            "comparisons: the matrix is not reciprocal; b against a must be one over a against b"
        )
    values, vectors = np.linalg.eig(ratios)
    largest = int(np.argmax(values.real))
    weights = np.abs(vectors[:, largest].real)
    weights = weights / weights.sum()
    index = (values[largest].real - n) / (n - 1) if n > 2 else 0.0
    misfit = np.triu(np.abs(np.log(ratios * weights[None, :] / weights[:, None])))
    # of equal ones the first: the last digit of a sum is another on another processor
    i, j = (
        np.unravel_index(np.argmax(misfit > misfit.max() - 1e-9), misfit.shape) if n > 2 else (0, 0)
    )
    named = pd.Series(weights, index=matrix.index)
    ratio = max(float(index), 0.0) / RANDOM_INDEX.get(n, 1.0)
    if misfit[i, j] < 1e-6:
        return Ahp(named, ratio, None, math.nan, math.nan)
    pair = (matrix.index[i], matrix.index[j])
    return Ahp(named, ratio, pair, float(ratios[i, j]), float(weights[i] / weights[j]))


def require_consistent(judged: Ahp, who: str = "the comparison") -> Ahp:
    """Return `judged` if its consistency ratio is at most 0.1.

    Raises
    ------
    ValueError
        Else, with the most inconsistent pair and the ratio that would fit.
    """
    if judged.consistency_ratio <= MOST_INCONSISTENT:
        return judged
    a, b = judged.worst_pair
    raise ValueError(
        f"{who}: consistency ratio {judged.consistency_ratio:.2f} is above {MOST_INCONSISTENT}; "
        f"the most inconsistent pair is {a} : {b}, judged {_ratio(judged.said)} where "
        f"{_ratio(judged.suggestion)} would fit; compare again"
    )


def _ratio(value: float) -> str:
    """Write a ratio as people say it: 3, or 1/3."""
    up, down = f"{value:.1f}".removesuffix(".0"), f"1/{1 / value:.1f}".removesuffix(".0")
    return up if value >= 0.95 else down


def ahp_weights(
    comparisons: pd.DataFrame, tree: pd.DataFrame, *, sessions: Sequence[str] | None = None
) -> tuple[pd.Series, pd.DataFrame]:
    """Weigh the leaves by what people said of pairs of siblings, node by node.

    At each node the last session that compared its children counts. Each participant's judgements
    make a matrix; who is incomplete, contradicts himself or is inconsistent is left out of the
    node. The others' judgements are aggregated by their geometric mean (Forman & Peniwati 1998,
    European Journal of Operational Research 108(1)). Nodes that nobody compared in a usable way are
    split evenly.

    Parameters
    ----------
    comparisons
        The contract's table; a pair may be given as a : b or b : a.
    sessions
        The sessions to use, oldest first; None: all, in the order of their names (W2 before W10),
        for comparisons carry no date.

    Returns
    -------
    tuple
        The weights by leaf, sum 1, and a table with a row per node and participant: `node` (id; ""
        is the spine), `session`, `participant`, `n_items`, `consistency_ratio`, `accepted`,
        `reason` ("", "incomplete", "contradictory", "inconsistent"), `item_a`, `item_b` (the pair
        that fits worst or is missing), `said`, `suggestion`, `worst_pair` (in words).

    Raises
    ------
    ValueError
        If items are compared that are no siblings, a ratio lies outside 1/9 to 9, or a node has
        more than nine children that were compared.
    """
    rows, order = _in_order(comparisons, sessions)
    rows = _oriented(rows, tree)
    shares, told = {}, []
    for parent, siblings in _nodes(tree):
        inside = rows[rows["node"] == parent]
        if inside.empty or len(siblings) < 2:
            continue
        last = max(inside["session"].unique(), key=order.index)
        items, matrices = siblings["factor_id"].tolist(), []
        _require_few(items, parent)
        for participant, own in inside[inside["session"] == last].groupby("participant"):
            judged, matrix = _judged(own, items)
            told.append(
                {
                    "node": parent,
                    "session": last,
                    "participant": participant,
                    "n_items": len(items),
                    **judged,
                }
            )
            matrices += [matrix] if judged["accepted"] else []
        if matrices:
            together = np.exp(np.mean(np.log(matrices), axis=0))
            shares.update(ahp(pd.DataFrame(together, index=items, columns=items)).weights)
    return _leaf_weights(tree, shares), _told(told, tree)


def _in_order(
    comparisons: pd.DataFrame, sessions: Sequence[str] | None
) -> tuple[pd.DataFrame, list[str]]:
    def natural(name: str) -> list:
        return [
            (0, int(part), "") if part.isdigit() else (1, 0, part)
            for part in re.split(r"(\d+)", name)
            if part
        ]

    order = (
        sorted(comparisons["session"].unique(), key=natural) if sessions is None else list(sessions)
    )
    return comparisons[comparisons["session"].isin(order)], order


def _oriented(rows: pd.DataFrame, tree: pd.DataFrame) -> pd.DataFrame:
    """Check the pairs and turn each so that the sibling drawn first stands first.

    `node`, `item_a`, `item_b`.
    """
    parents = dict(zip(tree["factor_id"], _text(tree["parent_id"]), strict=True))
    place = {factor: i for i, factor in enumerate(tree["factor_id"])}
    rows = rows[rows["ratio"].notna() & (rows["item_a"] != rows["item_b"])]
    for row in rows.itertuples():
        where = f"by {row.participant} in {row.session}"
        if unknown := [item for item in (row.item_a, row.item_b) if item not in parents]:
            raise ValueError(
                f"comparisons: {unknown[0]!r} is no factor of the tree ({where}); correct either"
            )
        if parents[row.item_a] != parents[row.item_b]:
            raise ValueError(
                f"comparisons: {row.item_a!r} and {row.item_b!r} do not hang on the same node "
                f"({where}); only siblings can be compared"
            )
        if not 1 / (SCALE * ROUNDING) <= row.ratio <= SCALE * ROUNDING:
            raise ValueError(
                f"comparisons: ratio {row.ratio:g} of {row.item_a!r} to {row.item_b!r} ({where}) "
                "is outside 1/9 to 9"
            )
    turned = rows["item_a"].map(place) > rows["item_b"].map(place)
    return rows.assign(
        node=rows["item_a"].map(parents).astype("str"),
        item_a=rows["item_a"].mask(turned, rows["item_b"]),
        item_b=rows["item_b"].mask(turned, rows["item_a"]),
        ratio=rows["ratio"].mask(turned, 1 / rows["ratio"]),
    )


def _require_few(items: list[str], parent: str) -> None:
    if len(items) > MOST_ITEMS:
        raise ValueError(
            f"comparisons: {parent or 'the spine'!r} has {len(items)} children; at most "
            f"{MOST_ITEMS} can be compared at once, so group some of them under a node of their "
            "own in factors.csv"
        )


def _judged(own: pd.DataFrame, items: list[str]) -> tuple[dict, np.ndarray]:
    """Judge one participant's comparisons at a node.

    The matrix holds NaN where a pair is missing.
    """
    place = {item: i for i, item in enumerate(items)}
    matrix, told = (
        np.full((len(items), len(items)), np.nan),
        {"consistency_ratio": math.nan, "accepted": False},
    )
    np.fill_diagonal(matrix, 1.0)
    for (a, b), ratios in own.groupby(["item_a", "item_b"])["ratio"]:
        if ratios.max() / ratios.min() > CONTRADICTION:
            return {
                **told,
                "reason": "contradictory",
                **_pair(a, b, ratios.max(), ratios.min()),
            }, matrix
        i, j = place[a], place[b]
        matrix[i, j] = np.exp(np.log(ratios).mean())
        matrix[j, i] = 1 / matrix[i, j]
    if np.isnan(matrix).any():
        i, j = np.argwhere(np.isnan(matrix))[0]
        return {**told, "reason": "incomplete", **_pair(items[i], items[j])}, matrix
    judged = ahp(pd.DataFrame(matrix, index=items, columns=items))
    accepted = judged.consistency_ratio <= MOST_INCONSISTENT
    told = {"consistency_ratio": judged.consistency_ratio, "accepted": accepted}
    told["reason"] = "" if accepted else "inconsistent"
    return {
        **told,
        **_pair(*(judged.worst_pair or ("", "")), judged.said, judged.suggestion),
    }, matrix


def _pair(a: str, b: str, said: float = math.nan, suggestion: float = math.nan) -> dict:
    return {"item_a": a, "item_b": b, "said": said, "suggestion": suggestion}


def _told(rows: list[dict], tree: pd.DataFrame) -> pd.DataFrame:
    columns = [
        "node",
        "session",
        "participant",
        "n_items",
        "consistency_ratio",
        "accepted",
        "reason",
        "item_a",
        "item_b",
        "said",
        "suggestion",
    ]
    table, names = (
        pd.DataFrame(rows, columns=columns),
        dict(zip(tree["factor_id"], tree["factor"], strict=True)),
    )
    items = zip(table["item_a"], table["item_b"], strict=True)
    pairs = [words.say("weights.pair", a=names[a], b=names[b]) if a else "" for a, b in items]
    return table.assign(worst_pair=pd.array(pairs, dtype="str"))


# ---- from what dealers earn ----------------------------------------------------------------------


def profit_weights(
    features: pd.DataFrame,
    tree: pd.DataFrame,
    *,
    target: str = "dealer_margin_rate",
    controls: Sequence[str] = (),
    seed: int = 0,
    n_resamples: int = 2000,
) -> Profit:
    """Estimate weights from how the factors' metrics go along with what dealers earn.

    Association, not cause.

    A ridge regression of the target on the metrics, each standardised over the dealers; an
    all-positive metric with a skewness above `SKEWED` is taken as its logarithm, unknown values are
    its median. The penalty is chosen by cross-validation; it shrinks coefficients towards zero, and
    their intervals with them. Intervals are percentile bootstraps over dealers under that penalty,
    expanded for small samples (Hesterberg 2015, The American Statistician 69(4)) and widened
    (Bonferroni) so that with 95 % all of them together hold: fifteen single ones would call chance
    evident every other time.

    Parameters
    ----------
    features
        One row per dealer: the metrics, the target, and the controls; dealers without the target
        are left out.
    controls
        Columns (numbers or text) whose linear effect is taken out of target and metrics beforehand.

    Returns
    -------
    Profit
        `r2` is that of dealers held out (five folds, after the controls). The table has a row per
        leaf: `factor_id`, `metric`, `coefficient` (of the target's units per standard deviation,
        turned so that positive means the better direction goes with a higher target), `low`,
        `high`, `weight` (evident positive coefficients scaled to sum 1, the others 0), `used`,
        `reason` why not ("no_metric", "derived_from_profit", "repeated_metric", "few_values",
        "constant", "few_dealers"), `evident` (the interval excludes zero).

    Raises
    ------
    ValueError
        If the target, a control or a metric is no column of the features.
    """
    _require_columns(features, tree, [target, *controls])
    known = features[features[target].notna()]
    table = _candidates(known, tree, target)
    used = table[table["used"]]
    blank = {
        "coefficient": math.nan,
        "low": math.nan,
        "high": math.nan,
        "weight": 0.0,
        "evident": False,
    }
    table = table.assign(**blank)
    r2 = math.nan
    if len(used):
        metrics = pd.concat([_straight(known[m]) for m in used["metric"]], axis=1).to_numpy()
        metrics, y = _without(known[list(controls)], metrics, known[target].to_numpy("float64"))
        fitted, r2 = _ridge(metrics, y, seed)
        draws = _resampled_ridge(metrics, y, fitted, seed, n_resamples)
        sign = np.where(used["better"] == "low", -1.0, 1.0)
        bounds = _joint_bounds(draws, fitted[0], len(y))
        table.loc[used.index, "coefficient"] = fitted[0] * sign
        table.loc[used.index, ["low", "high"]] = np.sort(bounds * sign, axis=0).T
        table["evident"] = (table["low"] > 0) | (table["high"] < 0)
        positive = table["coefficient"].where(table["evident"], 0.0).clip(lower=0.0)
        table["weight"] = positive / positive.sum() if positive.sum() > 0 else 0.0
    columns = [
        "factor_id",
        "metric",
        "coefficient",
        "low",
        "high",
        "weight",
        "used",
        "reason",
        "evident",
    ]
    return Profit(table[columns], r2, len(known))


def _require_columns(features: pd.DataFrame, tree: pd.DataFrame, wanted: list[str]) -> None:
    known = [c for c in features.columns if c != "dealer_id"]
    metrics = _text(tree.loc[tree["is_leaf"].astype(bool), "metric"])
    if missing := [c for c in [*wanted, *metrics[metrics != ""]] if c not in known]:
        raise ValueError(f"features: no column {missing[0]!r}; there are {', '.join(known)}")


def _candidates(known: pd.DataFrame, tree: pd.DataFrame, target: str) -> pd.DataFrame:
    """Say of each leaf whether its metric can be used, and if not why."""
    leaves = tree.loc[tree["is_leaf"].astype(bool), ["factor_id", "metric", "better"]].reset_index(
        drop=True
    )
    metric = _text(leaves["metric"])
    values = known.reindex(columns=metric.unique())
    part, constant = values.notna().mean(), values.nunique() < 2
    reason = np.select(
        [
            metric == "",
            metric.isin([*FROM_PROFIT, target]),
            metric.duplicated(),
            np.full(len(leaves), len(known) < MIN_DEALERS),
            metric.map(part) < MIN_KNOWN,
            metric.map(constant),
        ],
        [
            "no_metric",
            "derived_from_profit",
            "repeated_metric",
            "few_dealers",
            "few_values",
            "constant",
        ],
        default="",
    )
    return leaves.assign(metric=metric, reason=pd.array(reason, dtype="str"), used=reason == "")


def _straight(values: pd.Series) -> pd.Series:
    """Take the logarithm of what is skewed, put the median for what is unknown, standardise."""
    v = values.astype("float64").replace([np.inf, -np.inf], np.nan)
    if v.min() > 0 and v.skew() > SKEWED:
        v = np.log(v)
    v = v.fillna(v.median())
    return (v - v.mean()) / v.std(ddof=0)


def _without(
    controls: pd.DataFrame, metrics: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Take the linear effect of the controls, and the mean, out of metrics and target (Frisch,
    Waugh & Lovell).
    """
    numbers = controls.select_dtypes("number")
    parts = [_straight(numbers[c]).fillna(0.0).to_numpy()[:, None] for c in numbers]
    wording = controls.drop(columns=numbers.columns)
    if wording.shape[1]:
        parts.append(pd.get_dummies(wording, dummy_na=True).to_numpy("float64"))
    design = np.hstack([np.ones((len(y), 1)), *parts])
    both = np.column_stack([metrics, y])
    left = both - design @ np.linalg.lstsq(design, both, rcond=None)[0]
    return left[:, :-1], left[:, -1]


def _ridge(metrics: np.ndarray, y: np.ndarray, seed: int) -> tuple[tuple[np.ndarray, float], float]:
    """Fit on all dealers, and measure on dealers held out: (coefficients, penalty), R²."""
    model = RidgeCV(PENALTIES * len(y))
    fitted = model.fit(metrics, y)
    foretold = cross_val_predict(
        model, metrics, y, cv=KFold(N_FOLDS, shuffle=True, random_state=seed)
    )
    total = ((y - y.mean()) ** 2).sum()
    r2 = 1 - ((y - foretold) ** 2).sum() / total if total > 0 else math.nan
    return (fitted.coef_, float(fitted.alpha_)), float(r2)


def _resampled_ridge(
    metrics: np.ndarray, y: np.ndarray, fitted, seed: int, n_resamples: int
) -> np.ndarray:
    """Draw dealers with replacement and fit each time in closed form: resamples × metrics.

    All a fit needs are sums over dealers, so a resample is a product of how often each was drawn
    with those sums.
    """
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(len(y)), metrics, y])
    blocks = np.array_split(rng.permutation(len(y)), min(len(y), N_BLOCKS))
    sums = np.stack([design[block].T @ design[block] for block in blocks])
    drawn = rng.multinomial(len(blocks), np.full(len(blocks), 1 / len(blocks)), n_resamples).astype(
        "float64"
    )
    width = design.shape[1]
    totals = (drawn @ sums.reshape(len(blocks), -1)).reshape(n_resamples, width, width)
    penalty = np.diag([0.0, *[fitted[1]] * (width - 2)])
    return np.linalg.solve(totals[:, :-1, :-1] + penalty, totals[:, :-1, -1:])[:, 1:, 0]


def _joint_bounds(draws: np.ndarray, coefficients: np.ndarray, n: int) -> np.ndarray:
    """Give the lower and upper bounds, which with 95 % hold for all coefficients together."""
    tail = 0.05 / len(coefficients) / 2
    # residuals are smaller than the errors they stand for
    expanded = math.sqrt(n / max(n - len(coefficients) - 1, 1))
    return coefficients + (np.quantile(draws, [tail, 1 - tail], axis=0) - coefficients) * expanded


# ---- the choice ----------------------------------------------------------------------------------


def chosen_weights(
    how: str,
    tree: pd.DataFrame,
    comparisons: pd.DataFrame,
    features: pd.DataFrame,
    *,
    sessions: Sequence[str] | None = None,
) -> tuple[pd.Series, str]:
    """Weigh the leaves in the way asked for, and tell the way that was used.

    "" is "ahp" where pairs were compared in a usable way, else "hand" where weights are given, else
    "equal". What finds nothing to go by ends in "equal". From "profit" only factors whose
    association is evidently positive have a weight: the others have none for lack of evidence,
    which does not prove that they don't matter.

    Raises
    ------
    ValueError
        If `how` is none of these.
    """
    if how not in ("", *HOW):
        raise ValueError(
            f"weights: {how!r} is not known; choose one of {', '.join(HOW)}, or leave it empty"
        )
    if how in ("", "ahp"):
        weights, table = ahp_weights(comparisons, tree, sessions=sessions)
        if table["accepted"].any():
            return weights, "ahp"
    if how in ("", "hand") and tree["weight"].notna().any():
        return hand_weights(tree), "hand"
    if how == "profit":
        table = profit_weights(features, tree).table
        if table["evident"].any() and table["weight"].sum() > 0:
            return table.set_index("factor_id")["weight"], "profit"
    return equal_weights(tree), "equal"


# ---- sentences -----------------------------------------------------------------------------------


def how_sentences(how_used: str, how: str = "") -> list[str]:
    """Say how the weights were got, and where the way asked for found nothing to go by."""
    said = [words.say(f"weights.how_{how_used}")]
    return (
        [words.say("weights.fell_back", how=words.label(f"how_{how}")), *said]
        if how not in ("", how_used)
        else said
    )


def ahp_sentences(table: pd.DataFrame) -> list[str]:
    """Say whose comparisons count, and of everyone left out why, with his ratio and the pair that
    fits worst.
    """
    if table.empty:
        return [words.say("weights.no_pairs")]
    accepted, out = table[table["accepted"].astype(bool)], table[~table["accepted"].astype(bool)]
    people = {"n": table["participant"].nunique(), "accepted": accepted["participant"].nunique()}
    said = [words.say("weights.compared", **people)]
    for row in out.itertuples():
        wording = {"participant": row.participant, "session": row.session, "pair": row.worst_pair}
        if row.reason != "incomplete":
            wording |= {"said": _ratio(row.said), "fits": _ratio(row.suggestion)}
        said.append(words.say(f"weights.{row.reason}", ratio=row.consistency_ratio, **wording))
    return said


def profit_sentences(
    profit: Profit, tree: pd.DataFrame, target: str = "dealer_margin_rate"
) -> list[str]:
    """Say which factors evidently go along with what dealers earn, how much is explained, and what
    was left out.
    """
    names = dict(zip(tree["factor_id"], tree["factor"], strict=True))
    table, goal = profit.table, words.word(target)
    if not table["used"].any():
        if not profit.n_dealers:
            return [words.say("weights.no_dealers")]
        few = (table["reason"] == "few_dealers").any()
        return [
            words.say("weights.few_dealers", n=profit.n_dealers, least=MIN_DEALERS)
            if few
            else words.say("weights.no_metrics")
        ]
    key = "weights.explained" if profit.r2 > 0 else "weights.explains_nothing"
    r2 = {"share": words.percent(profit.r2), "r2": words.decimal(profit.r2, 2)}
    said = [words.say(key, n=profit.n_dealers, target=goal, **r2)]
    for key, rows in (("better", table[table["low"] > 0]), ("worse", table[table["high"] < 0])):
        if len(rows):
            factors = [
                names[f]
                for f in rows.sort_values("coefficient", key=abs, ascending=False)["factor_id"]
            ]
            said.append(
                words.say(f"weights.evident_{key}", factors=words.listed(factors, 99), target=goal)
            )
    said += [] if table["evident"].any() else [words.say("weights.none_evident", target=goal)]
    derived = [names[f] for f in table.loc[table["reason"] == "derived_from_profit", "factor_id"]]
    return said + (
        [words.say("weights.derived", factors=words.listed(derived, 99), target=goal)]
        if derived
        else []
    )


# ---- plot ----------------------------------------------------------------------------------------


def plot_weights(
    profit: Profit,
    tree: pd.DataFrame,
    *,
    target: str = "dealer_margin_rate",
    scope: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw how each factor's metric goes along with what dealers earn, with intervals.

    Evident ones are filled.
    """
    is_share = target.endswith(("_rate", "_share"))
    rows = profit.table[profit.table["used"]].sort_values("coefficient", ignore_index=True)
    shown = ["coefficient", "low", "high"]
    rows = rows.assign(**{c: rows[c] * (100 if is_share else 1) for c in shown})
    if rows.empty:
        return look.nothing(profit_sentences(profit, tree, target)[0], ax)
    names = dict(zip(tree["factor_id"], tree["factor"], strict=True))
    ax, y = ax or look.axes(height=max(1.4 + 0.25 * len(rows), 2.4)), np.arange(len(rows))
    ax.axvline(0, color=look.COLORS["reference"], linewidth=0.9)
    kinds = {"plus": rows["low"] > 0, "minus": rows["high"] < 0, "open": ~rows["evident"]}
    for kind, color in (("plus", "good"), ("minus", "bad"), ("open", "reference")):
        at, shade = kinds[kind].to_numpy(), look.COLORS[color]
        if at.any():
            ax.hlines(y[at], rows["low"][at], rows["high"][at], color=shade, linewidth=2)
            ax.plot(
                rows["coefficient"][at],
                y[at],
                "o",
                color=shade,
                markersize=6,
                markerfacecolor="white" if kind == "open" else shade,
            )
    ax.set_yticks(y, [names[f] for f in rows["factor_id"]])
    axis = words.say(
        "weights.axis_points" if is_share else "weights.axis", target=words.word(target)
    )
    ax.set(ylim=(-0.6, len(rows) - 0.4), xlabel=axis)
    ax.grid(axis="y", visible=False)
    best = rows[rows["low"] > 0]
    key, factor = (
        ("weights.title", names[best["factor_id"].iloc[-1]])
        if len(best)
        else ("weights.title_none", "")
    )
    title = words.say(key, factor=factor, target=words.word(target))
    return look.explain(
        ax,
        title,
        words.say("weights.plot_how", n=profit.n_dealers, r2=words.decimal(profit.r2, 2)),
        scope,
    )
