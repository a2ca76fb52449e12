"""Serial: for how many months a run of months counts that hang together, and who is surely apart
when many dealers are tested at once.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import stats

Q = 0.05  # of the dealers said to be apart, the share that may be so by chance
MIN_EFFECTIVE = 4  # months that are worth as many independent ones: fewer bear no claim
GRID = np.round(np.arange(0, 0.99, 0.02), 2)  # of autocorrelations, between which is interpolated
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(100)


class Sure(NamedTuple):
    """Of a mean over months that hang together: its standard error, the independent months that it
    counts for, and the degrees of freedom of its error; NaN where nothing is known.
    """

    error: np.ndarray
    months: np.ndarray
    freedom: np.ndarray


# ---- how months hang together --------------------------------------------------------------------


def level_design(n: int) -> np.ndarray:
    """Give what n months are made of that have one level: months × 1."""
    return np.ones((n, 1))


def unexplained(values: np.ndarray, inside: np.ndarray, design: np.ndarray) -> np.ndarray:
    """Give what least squares leave of each row, over the months `inside`; 0 outside.

    `values` and `inside` are rows × months, `design` months × parts.
    """
    told = inside.astype("float64")
    known = np.where(inside, values, 0.0)
    grams = np.einsum("rm,mk,ml->rkl", told, design, design)
    parts = np.linalg.pinv(grams, hermitian=True) @ (known @ design)[:, :, None]
    return np.where(inside, known - (parts[:, :, 0] @ design.T), 0.0)


def pooled_autocorrelation(
    residuals: np.ndarray,
    inside: np.ndarray,
    dealer: np.ndarray,
    *,
    design_of: Callable[[int], np.ndarray] = level_design,
) -> float:
    """Estimate one autocorrelation, from a month to the next, over all dealers.

    Each row's deviations from its own level, and from what the month did to all dealers (fixed
    effects), give a ratio, the products of neighbouring months over the squares; their average over
    dealers, in which each dealer counts once, is set equal to what a first-order process would show
    on average in so short a run. So the known bias of short series is taken out whole: it is about
    −(1 + 3ρ) ÷ n of a single series, and does not vanish with more dealers. The average is taken
    one standard error higher, for few dealers know it badly.

    Parameters
    ----------
    residuals
        Rows × months, what the design leaves over the months `inside` (`unexplained`); a gap is
        passed over, which errs to "not certain".
    inside
        Rows × months: what the row reports.
    dealer
        By row, whole numbers from zero; rows of one dealer share one voice.
    design_of
        What n months are made of besides: months × parts.

    Returns
    -------
    float
        From 0 (a lower one counts as none) to 0.98; 0 where nothing moves.

    Source: Marriott & Pope (1954) and Kendall (1954), Biometrika 41, 390–404, for the bias; Nickell
    (1981), Econometrica 49, 1417–1426, for that of pooled series with fixed effects; solved for as
    by Gouriéroux, Phillips & Yu (2010), J. of Econometrics 157, 68–77, with the expected ratio of
    quadratic forms of Magnus (1986), Annales d'économie et de statistique 4, 95–109.
    """
    n = inside.sum(axis=1)
    squares = np.where(inside, residuals, 0.0)
    total = (squares**2).sum(axis=1)
    design = design_of(inside.shape[1])
    moves = (n >= design.shape[1] + 2) & (total > 0) & np.isfinite(total)
    if not moves.any():
        return 0.0
    inside, n = inside[moves], n[moves]
    who = np.unique(dealer[moves], return_inverse=True)[1]
    voice = 1 / np.bincount(who)[who]
    alike = squares[moves] / np.sqrt(total[moves])[:, None]
    if who.max() > 0:
        alike = _without_month(alike, inside, voice, design)
    ratio = _neighbours(alike, inside) / np.maximum((alike**2).sum(axis=1), 1e-300)
    lengths, which = np.unique(n, return_inverse=True)
    share = np.bincount(which, voice) / voice.sum()
    expected = sum(
        s * _expected_ratios(int(k), design_of) for s, k in zip(share, lengths, strict=True)
    )
    each = np.bincount(who, ratio * voice)
    # of unconnected months (Bartlett 1946); what a month did to all costs one dealer's voice
    n_free = max(len(each) - 1, 1)
    error = np.sqrt((share / lengths).sum() / n_free)
    if len(each) > 1:
        error = max(error, each.std(ddof=1) / np.sqrt(n_free))
    return float(np.interp(each.mean() + error, expected, GRID))


def _without_month(
    values: np.ndarray, inside: np.ndarray, voice: np.ndarray, design: np.ndarray
) -> np.ndarray:
    """Take out what a month did to all dealers, and then each row's level again."""
    told = np.where(inside, voice[:, None], 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        month = np.nan_to_num((values * told).sum(axis=0) / told.sum(axis=0))
    return unexplained(values - month, inside, design)


def _neighbours(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Sum up the products of each month with the next that is reported."""
    order = np.argsort(~inside, axis=1, kind="stable")  # what is reported moves to the left
    packed = np.take_along_axis(values, order, axis=1)
    return (packed[:, 1:] * packed[:, :-1]).sum(axis=1)


@functools.lru_cache(maxsize=256)
def _expected_ratios(n: int, design_of: Callable[[int], np.ndarray] = level_design) -> np.ndarray:
    """Give what the ratio is on average, for each autocorrelation of the `GRID`, in n months.

    The expectation of x'Ax ÷ x'Bx is an integral over the eigenvalues of B (Magnus 1986); B takes
    the design out, A multiplies neighbours.
    """
    time = np.arange(n)
    design = design_of(n)
    centred = np.eye(n) - design @ np.linalg.pinv(design)
    next_to = (np.abs(time[:, None] - time) == 1) / 2.0
    at = (_NODES + 1) / 2  # from 0 to 1, for t = u ÷ (1 − u) runs from 0 to infinity
    found = []
    for rho in GRID:
        root = np.linalg.cholesky(rho ** np.abs(time[:, None] - time))
        values, vectors = np.linalg.eigh(root.T @ centred @ root)
        top = np.diag(vectors.T @ root.T @ centred @ next_to @ centred @ root @ vectors)
        scale = values.sum()
        spread = 1 + 2 * (at / (1 - at))[:, None] * np.clip(values, 0, None) / scale
        part = np.prod(spread**-0.5, axis=1) * (top / scale / spread).sum(axis=1)
        found.append(float((part / (1 - at) ** 2 * _WEIGHTS / 2).sum()))
    return np.array(found)


def inflation(n, rho: float) -> np.ndarray:
    """Give by how much the variance of a mean of n months grows, against independent ones.

    1 + 2 Σ (1 − k/n) ρᵏ, of a first-order process (Bayley & Hammersley 1946, Supplement to the J.
    of the Royal Statistical Society 8(2)).

    >>> inflation([12, 12], 0.5).round(3).tolist()
    [2.667, 2.667]
    """
    n = np.asarray(n, dtype="float64")
    if rho == 0:
        return np.ones_like(n)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (1 + rho) / (1 - rho) - 2 * rho * (1 - rho**n) / (n * (1 - rho) ** 2)


def standard_errors(residuals: np.ndarray, inside: np.ndarray, rho: float) -> Sure:
    """Give the standard error of each row's mean, its effective months and its freedom.

    The squares of n months that hang together fall short of their variance by the mean's own: they
    are divided by n less the `inflation`, which is n − 1 where nothing hangs together; and they
    vary like those of fewer months (Satterthwaite 1946, Biometrics Bulletin 2, 110–114).

    Source: Zwiers & von Storch (1995), Taking serial correlation into account in tests of the mean,
    J. of Climate 8, 336–351: the t-test at the effective sample size.
    """
    n = inside.sum(axis=1)
    grown = inflation(n, rho)
    total = (np.where(inside, residuals, 0.0) ** 2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(total / (n - grown) * grown / n)
        months = n / grown
    known = np.isfinite(error) & (n >= 2)
    free = np.array([freedom(k, rho) for k in range(inside.shape[1] + 1)])[n]
    return Sure(*(np.where(known, part, np.nan) for part in (error, months, free)))


@functools.lru_cache(maxsize=256)
def freedom(n: int, rho: float) -> float:
    """Give the degrees of freedom of the squares of n months: twice their mean, squared, over their
    variance.
    """
    if n < 2:
        return np.nan
    time = np.arange(n)
    centred = (np.eye(n) - 1 / n) @ (rho ** np.abs(time[:, None] - time))
    return float(np.trace(centred) ** 2 / np.trace(centred @ centred))


# ---- tests ---------------------------------------------------------------------------------------


def is_borne(months: np.ndarray) -> np.ndarray:
    """Whether so many effective months bear a claim."""
    return np.nan_to_num(np.round(months, 9)) >= MIN_EFFECTIVE


def _scores(value: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Divide by the error; what does not vary at all is surely what it is."""
    with np.errstate(invalid="ignore", divide="ignore"):
        score = value / error
    exact = (error <= 1e-12) & np.isfinite(value)
    far = np.where(np.nan_to_num(value) > 0, np.inf, -np.inf)
    return np.where(exact, np.where(np.abs(value) > 1e-9, far, 0.0), score)


def difference_p(value: np.ndarray, sure: Sure) -> np.ndarray:
    """Give the chance of a mean so far from zero where there is none (two-sided t-test); NaN where
    the months bear no claim.
    """
    p = 2 * stats.t.sf(np.abs(_scores(value, sure.error)), sure.freedom)
    return np.where(is_borne(sure.months), p, np.nan)


def equality_p(value: np.ndarray, sure: Sure, margin: np.ndarray) -> np.ndarray:
    """Give the chance of a mean so near zero where it is `margin` away, on either side (two
    one-sided t-tests); NaN where the months bear no claim.

    Source: Schuirmann (1987), A comparison of the two one-sided tests procedure …, J. of
    Pharmacokinetics and Biopharmaceutics 15, 657–680.
    """
    above = stats.t.sf(_scores(value + margin, sure.error), sure.freedom)
    below = stats.t.cdf(_scores(value - margin, sure.error), sure.freedom)
    return np.where(is_borne(sure.months), np.maximum(above, below), np.nan)


def level(p: np.ndarray, dealer: np.ndarray, n_tests: np.ndarray, q: float = Q) -> float:
    """Choose the level at which each dealer's tests are read, so that of all dealers said to be
    apart at most a part `q` is so by chance.

    A dealer's p-value is the least of his tests, times their number. Benjamini & Hochberg (1995)
    tell how many dealers R of m can be named; each of these is then read at the level q × R ÷ m
    (Benjamini & Bogomolov 2014, Selective inference on multiple families of hypotheses, J. of the
    Royal Statistical Society B 76, 297–318), and so are the intervals (Benjamini & Yekutieli 2005,
    False discovery rate-adjusted multiple confidence intervals, JASA 100, 71–81).

    Parameters
    ----------
    p, dealer, n_tests
        By test: its p-value (NaN: not made), whose it is, and how many tests he has.
    """
    known = ~np.isnan(p)
    if not known.any():
        return q
    who, which = np.unique(dealer[known], return_inverse=True)
    least = np.ones(len(who))
    np.minimum.at(least, which, np.minimum(p[known] * n_tests[known], 1.0))
    n_named = int((stats.false_discovery_control(least, method="bh") <= q).sum())
    return q * max(n_named, 1) / len(who)


def power(effect: np.ndarray, sure: Sure, alpha: np.ndarray) -> np.ndarray:
    """Give the chance that an effect of this size is found, by the t-test at a level; 0 where the
    months bear no claim.
    """
    least = stats.t.isf(np.asarray(alpha) / 2, sure.freedom)
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = np.abs(effect) / sure.error
    found = np.where(
        sure.error <= 1e-12,
        1.0,
        # a shift beyond reach of the series that SciPy sums up is found at once
        stats.nct.sf(least, sure.freedom, np.minimum(shift, 37.0)),
    )
    return np.where(is_borne(sure.months), found, 0.0)
