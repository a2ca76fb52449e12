"""Weights: how much each factor matters, by hand, by comparing pairs, or by what dealers earn."""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers import words
from helpers.fishbone.association import profit_weights
from helpers.fishbone.tree import as_text

HOW = ("equal", "hand", "ahp", "profit")
# Saaty's random index by number of items: the mean consistency index of matrices filled by chance
RANDOM_INDEX = {3: 0.58, 4: 0.90, 5: 1.12, 6: 1.24, 7: 1.32, 8: 1.41, 9: 1.45}
MOST_ITEMS = 9  # more can't be held in mind at once (Saaty), and 36 pairs are an evening
MOST_INCONSISTENT = 0.1  # Saaty's limit of the consistency ratio
SCALE = 9.0  # a ratio lies between 1/9 and 9
ROUNDING = 1.02  # 0.11 is meant as 1/9
CONTRADICTION = 1.05  # a/b and b/a may differ by so much: 0.33 is meant as 1/3


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
    return tree.groupby(as_text(tree["parent_id"]), sort=False)


def _leaf_weights(tree: pd.DataFrame, shares: dict[str, float]) -> pd.Series:
    """Multiply the shares down to each leaf; a node without shares is split evenly."""
    parents = dict(zip(tree["factor_id"], as_text(tree["parent_id"]), strict=True))
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
    parents = dict(zip(tree["factor_id"], as_text(tree["parent_id"]), strict=True))
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
        [words.say("weights.fell_back", how=words.label(f"weighting_{how}")), *said]
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
